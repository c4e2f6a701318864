"""Where to look for faults of layers: sizes from a small deck, regimes of the decay and of the inputs, arrays from a seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from scanproof.properties.layer_calls import COMPLEX, LayerCall
from scanproof.properties.strategies import Domain, _nearest, most
from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.inputs import Array
from scanproof.reference.layers import mapped
from scanproof.reference.systems import LAYERS


class Sizes(NamedTuple):
    """Of one call. state: of LRU, or of one head; heads: of layers that have them."""

    batch: int
    time: int
    width: int
    state: int
    heads: int


MODULI = ("near 0", "half", "near 1", "very near 1")
INPUTS = ("unit", "constant", "mixed", "impulse")
DECK = (
    Sizes(1, 1, 1, 2, 1), Sizes(2, 2, 3, 2, 1), Sizes(1, 3, 2, 4, 2), Sizes(3, 7, 2, 4, 1), Sizes(1, 16, 4, 4, 2),
    Sizes(2, 17, 3, 6, 1), Sizes(1, 33, 2, 8, 1), Sizes(1, 64, 3, 4, 2), Sizes(1, 128, 4, 4, 1),
)  # fmt: skip
LARGEST = 256  # state; larger ones are for judge
DEEP = 66  # state beyond a block of 64, where the domain does not say how large it gets


@dataclass(frozen=True)
class LayerDraw:
    """One drawn case: everything a law needs to build its calls, reproducible from the seed."""

    system: str
    arithmetic: Arithmetic
    domain: Domain
    sizes: Sizes
    modulus: str = "half"
    size: str = "unit"
    seed: int = 0
    rng: np.random.Generator = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rng", np.random.default_rng([self.seed, *self.sizes]))

    def call(self, sparse: bool = False, bidirectional: bool = False) -> LayerCall:
        """A call without options."""
        return LayerCall(self.system, self.params(sparse, bidirectional), self.inputs())

    def params(self, sparse: bool = False, bidirectional: bool = False) -> Any:
        """Parameters of this regime, of the declared dtype."""
        draw = import_module(LAYERS[self.system].cases).draw
        return self.stored(draw(self.rng, self.sizes, self.moduli(), sparse, bidirectional))

    def stored(self, params: Any) -> Any:
        """Parameters in the declared dtype."""
        return mapped(params, lambda x: x.astype(self.arithmetic.dtype))

    def moduli(self) -> Array:
        """Of the eigenvalues of this regime, strictly between 0 and 1. (state,)"""
        rng, state = self.rng, self.sizes.state
        bits = min(max(self.arithmetic.format.significand_bits, 12), 24)  # logarithms of 8 bits still reach far
        return {
            "near 0": 2.0 ** -rng.uniform(3, bits / 2, state),
            "half": rng.uniform(0.25, 0.75, state),
            "near 1": 1 - 2.0 ** -rng.uniform(3, bits / 3, state),
            "very near 1": 1 - 2.0 ** -rng.uniform(bits / 3, bits / 2, state),
        }[self.modulus]

    def inputs(self) -> Array:
        """u of this regime."""
        rng, shape = self.rng, self.sizes[:3]
        if self.size == "impulse":
            at = rng.integers(0, shape[1], (shape[0], 1, 1))
            return self._stored(np.where(np.arange(shape[1])[None, :, None] == at, 2.0 ** rng.integers(-3, 4, shape), 0))
        drawn = (shape[0], 1, shape[2]) if self.size == "constant" else shape
        scale = 2.0 ** rng.uniform(-8, 8, drawn) if self.size == "mixed" else 1.0
        return self._stored(np.broadcast_to(np.clip(rng.standard_normal(drawn), -4, 4) * scale, shape))

    def states(self, call: LayerCall) -> Array:
        """h0 that goes with a call."""
        shape = call.expected(self.arithmetic)["h_last"][0]
        if not LAYERS[self.system].complex_states:
            return self._stored(self.rng.standard_normal(shape))
        pair = self._stored(self.rng.standard_normal((2, *shape))).astype(np.float64)
        return np.asarray(pair[0] + 1j * pair[1]).astype(COMPLEX.get(self.arithmetic.dtype, "complex64"))

    def cotangents(self) -> Array:
        """y_bar."""
        return self._stored(np.clip(self.rng.standard_normal(self.sizes[:3]), -4, 4))

    def _stored(self, x: Array) -> Array:
        return np.asarray(x).astype(self.arithmetic.dtype)


def deck(domain: Domain, longest: int = 128) -> tuple[Sizes, ...]:
    """At most 9 sizes of this domain, none longer than `longest` if the domain allows."""
    fitted = [_fitted(sizes, domain) for sizes in DECK if sizes.time <= longest]
    return tuple(dict.fromkeys(fitted))


def ends(domain: Domain) -> tuple[Sizes, ...]:
    """Sizes as large as the domain has them, one axis at a time: loops over blocks go wrong in the last one."""
    long = [Sizes(1, n, 2, 2, 1) for _, n, _ in domain.long()]
    found = [*long, Sizes(1, 3, domain.wide()[2], 2, 1), Sizes(1, 3, 2, most(domain.states, LARGEST, DEEP), 1)]
    return tuple(dict.fromkeys(_fitted(sizes, domain) for sizes in found))


def _fitted(sizes: Sizes, domain: Domain) -> Sizes:
    """The nearest accepted numbers."""
    time, width = _nearest(sizes.time, domain.lengths), _nearest(sizes.width, domain.channels)
    return sizes._replace(time=time, width=width, state=_nearest(sizes.state, domain.states))


def draws(system: str, arithmetic: Arithmetic, domain: Domain, longest: int = 128) -> st.SearchStrategy[LayerDraw]:
    """Hypothesis strategy over seeds, sizes and regimes."""
    return st.builds(
        LayerDraw,
        system=st.just(system),
        arithmetic=st.just(arithmetic),
        domain=st.just(domain),
        sizes=st.sampled_from(deck(domain, longest)),
        modulus=st.sampled_from(MODULI),
        size=st.sampled_from(INPUTS),
        seed=st.integers(0, 2**32 - 1),
    )


def near_turns(rng: np.random.Generator, *shape: int) -> Array:
    """Positive angles anywhere, or very close to a multiple of pi / 2."""
    near = rng.integers(0, 4, shape) * (np.pi / 2) + 2.0 ** -rng.uniform(4, 12, shape)
    return np.where(rng.random(shape) < 0.5, near, rng.uniform(2.0**-6, 2 * np.pi, shape))


def one_per_row(rng: np.random.Generator, rows: int, columns: int) -> Array:
    """One power of two, of either sign, in every row."""
    at = rng.integers(0, columns, (rows, 1)) == np.arange(columns)
    return np.where(at, rng.choice([-1.0, 1.0], (rows, 1)) * 2.0 ** rng.integers(-2, 3, (rows, 1)), 0.0)

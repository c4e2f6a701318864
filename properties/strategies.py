"""Where to look: shapes from a small deck, regimes of lam and of magnitude, arrays from a seed.

Hypothesis draws a seed, a shape and a regime; arrays are built from them (drawing arrays element by element degenerates at
these sizes). Compilers such as XLA compile per shape, so the deck is short and values vary freely.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.inputs import Array, Inputs

Shape = tuple[int, int, int]  # (batch, time, channels)

LAMBDAS = ("near 0", "half", "near 1", "exactly 1", "above 1")
SIZES = ("unit", "constant", "mixed", "subnormal", "near overflow")  # constant: one value per lane, so roundings add up
WIDEST = 1024  # more channels are for judge, too
LONGEST = 8192  # longer sequences are for judge: a search over them would take hours
WIDE = 65  # channels beyond a block of 64, where the domain does not say how many it accepts
LONG = (4096, 4097)  # beyond every usual chunk count: no lane sees a fault past its last chunk
DECK: tuple[Shape, ...] = (
    (1, 1, 1), (2, 2, 3), (1, 3, 5), (3, 7, 2), (1, 16, 4), (2, 17, 3),
    (1, 33, 33), (5, 40, 9), (2, 64, 3), (1, 129, 2), (1, 256, 3), (1, 1000, 2),
)  # fmt: skip


@dataclass(frozen=True)
class Domain:
    """What an implementation accepts, as its author declares.

    lam: "constant", "varying" or "both"; lengths, channels: the accepted numbers, None for any; positive: what must be
    above zero, "none", "lam" or "all" (lam, b and h0), as for programs that take logarithms. Of layers, channels are the width
    of u, and states the sizes of LRU's state or of one head; lam and positive do not apply.
    """

    lam: str = "both"
    lengths: frozenset[int] | None = None
    channels: frozenset[int] | None = None
    positive: str = "none"
    states: frozenset[int] | None = None

    def __post_init__(self) -> None:
        if self.lam not in ("constant", "varying", "both"):
            raise ValueError(f"lam: found {self.lam!r}, expected constant, varying or both")
        if self.positive not in ("none", "lam", "all"):
            raise ValueError(f"positive: found {self.positive!r}, expected none, lam or all")
        for name in ("lengths", "channels", "states"):
            numbers = getattr(self, name)
            if numbers is not None and (not numbers or min(numbers) < 1):
                raise ValueError(f"{name}: found {sorted(numbers)}, expected positive numbers")
        if self.channels is not None and min(self.channels) > WIDEST:
            raise ValueError(f"channels: found none up to {WIDEST}, expected a number that can be searched (judge takes any)")
        if self.lengths is not None and min(self.lengths) > LONGEST:
            raise ValueError(f"lengths: found none up to {LONGEST}, expected one that can be searched (judge takes any length)")

    def accepts(self, length: int) -> bool:
        return self.lengths is None or length in self.lengths

    def holds(self, shape: tuple[int, ...], varying: bool) -> bool:
        """Whether a call with b of this shape is in the domain."""
        fits = self.channels is None or shape[2] in self.channels
        return self.accepts(shape[1]) and fits and varying in self.lam_kinds()

    def deck(self) -> tuple[Shape, ...]:
        """At most 12 shapes of this domain: the usual ones where they fit, else the nearest accepted numbers."""
        return tuple(dict.fromkeys(self._fitted(*shape) for shape in DECK))

    def _fitted(self, batch: int, time: int, width: int) -> Shape:
        """The nearest accepted shape; a single row where that is much longer, since the truth of every element costs time."""
        length, channels = _nearest(time, self.lengths), _nearest(width, self.channels)
        return (batch if length <= 2 * time else 1, length, channels)

    def long(self) -> tuple[Shape, ...]:
        """Shapes with the LONG lengths; where the domain has neither, with the next longer one, or with its longest."""
        searched = sorted(n for n in self.lengths or LONG if n <= LONGEST)
        accepted = [n for n in LONG if self.accepts(n)] or [n for n in searched if n > LONG[0]][:1] or searched[-1:]
        return tuple((1, n, _nearest(4, self.channels)) for n in accepted)

    def wide(self) -> Shape:
        """A shape with the most channels, beyond a block of 64 where nothing is declared."""
        return (1, _nearest(3, self.lengths), most(self.channels, WIDEST, WIDE))

    def lam_kinds(self) -> tuple[bool, ...]:
        """Whether lam varies in time: the choices."""
        return {"constant": (False,), "varying": (True,), "both": (False, True)}[self.lam]


@dataclass(frozen=True)
class Draw:
    """One drawn case: everything a law needs to build its inputs, reproducible from the seed."""

    arithmetic: Arithmetic
    domain: Domain
    shape: Shape
    varying: bool = False
    lam: str = "half"
    size: str = "unit"
    seed: int = 0
    rng: np.random.Generator = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rng", np.random.default_rng([self.seed, *self.shape, self.varying]))

    @property
    def lam_shape(self) -> tuple[int, ...]:
        return self.shape if self.varying else self.shape[2:]

    def inputs(self, h0: bool = False, reverse: bool = False) -> Inputs:
        """Random inputs of this regime."""
        batch, _, channels = self.shape
        return Inputs(self.multipliers(), self.drive(self.shape), self.drive((batch, channels)) if h0 else None, reverse)

    def multipliers(self) -> Array:
        """lam of this regime: (channels,) or (batch, time, channels)."""
        rng, shape, p = self.rng, self.lam_shape, self.arithmetic.format.significand_bits
        modulus = {
            "near 0": 2.0 ** -rng.uniform(3, p / rng.integers(1, 3), shape),
            "half": rng.uniform(0.25, 0.75, shape),
            "near 1": 1 - 2.0 ** -rng.uniform(3, p, shape),
            "exactly 1": np.ones(shape),
            "above 1": 1 + rng.uniform(0, 1, shape) / self.shape[1],  # grows by less than e over the whole length
        }[self.lam]
        if self.varying and self.lam not in ("exactly 1", "above 1") and self.domain.positive == "none":
            modulus = np.where(rng.random(shape) < 1 / 64, 0.0, modulus)  # resets
        phase = self._phase(shape) if self.domain.positive == "none" else 1
        return np.asarray(modulus * phase).astype(self.arithmetic.dtype)

    def drive(self, shape: tuple[int, ...]) -> Array:
        """b or h0 of this regime, standard normal times the magnitude."""
        rng, form = self.rng, self.arithmetic.format
        span = np.clip(np.log2(form.largest / 2.0**6 / self.shape[1]), 0, 20)  # sums over this length stay finite
        drawn = (shape[0], *([1] * (len(shape) - 2)), shape[-1]) if self.size == "constant" else shape
        scale = {
            "unit": np.ones(drawn),
            "constant": np.ones(drawn),
            "mixed": 2.0 ** rng.uniform(-span, span, drawn),
            "subnormal": np.full(drawn, form.smallest_normal / 4),
            "near overflow": np.full(drawn, form.largest / 2.0**6 / self.shape[1]),
        }[self.size]
        normal = np.clip(rng.standard_normal(drawn), -4, 4)
        found = np.broadcast_to(normal * scale * self._phase(drawn), shape).astype(self.arithmetic.dtype)
        return np.maximum(np.abs(found), form.smallest_subnormal).astype(found.dtype) if self.domain.positive == "all" else found

    def integers(self, shape: tuple[int, ...], top: int | None = None) -> Array:
        """Whole numbers up to `top` (Gaussian ones for complex dtypes), zeros included.

        None: as large as sums over this length stay exact with, so that a state kept in fewer bits shows; where not even
        ones can be summed over all steps, some are left out.
        """
        budget = 2 ** (self.arithmetic.roundings(False).significand_bits - 2) / (self.shape[1] + 1)
        left_out = self.rng.random(shape) >= (budget if top is None else 1)
        top = max(1, int(budget)) if top is None else top
        whole = self.rng.integers(-top, top + 1, shape).astype(float)
        if self.arithmetic.is_complex:
            whole = whole + 1j * self.rng.integers(-top, top + 1, shape)
        whole = np.where(left_out, 0, whole) if self.domain.positive != "all" else np.abs(whole) + 1
        return np.asarray(whole).astype(self.arithmetic.dtype)

    def units(self) -> Array:
        """lam in {+-1} or {+-1, +-i}, with some resets to 0 where it varies; every kind occurs."""
        kinds = np.array([1, -1, 1j, -1j] if self.arithmetic.is_complex else [1, -1])
        kinds = kinds if self.domain.positive == "none" else kinds[:1]
        picked = kinds[(np.arange(int(np.prod(self.lam_shape))) + self.rng.integers(4)) % len(kinds)].reshape(self.lam_shape)
        if self.varying and self.domain.positive == "none":
            picked = np.where(self.rng.random(self.lam_shape) < 1 / 256, 0, self.rng.permuted(picked))
        return np.asarray(picked).astype(self.arithmetic.dtype)

    def _phase(self, shape: tuple[int, ...]) -> Array:
        """A sign, or e^{i theta} with theta anywhere or very close to a multiple of pi/2."""
        if not self.arithmetic.is_complex:
            return np.asarray(self.rng.choice([-1.0, 1.0], shape))
        near = self.rng.integers(0, 4, shape) * (np.pi / 2) + 2.0 ** -self.rng.uniform(8, 24, shape)
        theta = np.where(self.rng.random(shape) < 0.5, near, self.rng.uniform(0, 2 * np.pi, shape))
        return np.asarray(np.exp(1j * theta))


def sizes(arithmetic: Arithmetic) -> tuple[str, ...]:
    """Magnitudes that can tell something: where subnormals may be flushed, they tell nothing; other algorithms lose more."""
    silent = {"subnormal"} if arithmetic.subnormals != "gradual" or not arithmetic.bracketing else set()
    silent |= set() if arithmetic.bracketing else {"near overflow"}
    return tuple(size for size in SIZES if size not in silent)


def draws(arithmetic: Arithmetic, domain: Domain, shapes: tuple[Shape, ...]) -> st.SearchStrategy[Draw]:
    """Hypothesis strategy over seeds, shapes and regimes."""
    return st.builds(
        Draw,
        arithmetic=st.just(arithmetic),
        domain=st.just(domain),
        shape=st.sampled_from(shapes),
        varying=st.sampled_from(domain.lam_kinds()),
        lam=st.sampled_from(LAMBDAS),
        size=st.sampled_from(sizes(arithmetic)),
        seed=st.integers(0, 2**32 - 1),
    )


def most(accepted: frozenset[int] | None, limit: int, undeclared: int) -> int:
    """The largest number that is accepted, up to a limit."""
    return undeclared if accepted is None else max(n for n in accepted if n <= limit)


def _nearest(number: int, accepted: frozenset[int] | None) -> int:
    return number if accepted is None else min(accepted, key=lambda n: (abs(n - number), n))

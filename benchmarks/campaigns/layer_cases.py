"""The cases in which allowances of layers are measured: regimes, formats, and calls that follow from (seed, number) alone."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from scanproof.properties.layer_calls import LayerCall
from scanproof.properties.layer_draws import LayerDraw, Sizes
from scanproof.properties.strategies import Domain

from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.formats import format_of
from scanproof.reference.inputs import Array

WIDTH = 8
LARGEST = 1 - 2.0**-20  # modulus of an eigenvalue
MODES = {"formed": ("formed", "recurrence"), "any": ("any", "any")}  # stages and adjoint of each
FORMATS = {"float32": None, "float64": None, "bfloat16": "float32"}  # and what their sums are kept in
REVERSE, TWO, START = 0.25, 0.25, 0.5  # shares of cases that run backwards, have two directions, have h0


class Regime(NamedTuple):
    """modulus: LRU draws |lam| below it, uniformly on the disc; every head of RotRNN has it as gamma.

    sparse: one power of two in every row of B and C, nothing else (properties/lru.py, properties/rotrnn.py);
    small: inputs, initial states and cotangents around the smallest normal number, so that products underflow.
    """

    system: str
    time: int
    heads: int
    state: int  # of LRU, or of one head
    modulus: float
    sparse: bool = False
    small: bool = False

    def __str__(self) -> str:
        sizes = f"N = {self.state}, moduli < {self.modulus:g}"
        if self.system == "rotrnn":
            sizes = f"{self.heads} heads of N = {self.state}, gamma = {self.modulus:g}"
        return f"T = {self.time}, {sizes}{', sparse' * self.sparse}{', small' * self.small}"


REGIMES = (
    *(Regime("lru", time, 1, 16, radius) for time, radius in ((16, 1), (128, 0.99), (512, 0.999), (2000, 0.9999))),
    *(Regime("lru", time, 1, 16, radius, True) for time, radius in ((128, 0.99), (2000, 0.9999))),
    *(Regime("rotrnn", *sizes) for sizes in ((16, 4, 4, 0.9), (128, 4, 4, 0.99), (128, 2, 8, 0.99), (512, 2, 8, 0.999))),
    *(Regime("rotrnn", *sizes, True) for sizes in ((16, 4, 4, 0.9), (128, 4, 4, 0.99))),
    Regime("lru", 16, 1, 16, 0.9999, small=True), Regime("rotrnn", 16, 4, 4, 0.9, small=True),
)
CELLS = tuple(product(range(len(REGIMES)), FORMATS))  # cases take turns


def cell(number: int) -> tuple[Regime, str]:
    """The regime and the format of a case."""
    regime, dtype = CELLS[number % len(CELLS)]
    return REGIMES[regime], dtype


def declared(dtype: str, mode: str) -> Arithmetic:
    """The class of a mode."""
    stages, adjoint = MODES[mode]
    return Arithmetic(dtype, accumulate=FORMATS[dtype], stages=stages, adjoint=adjoint)


def planned(seed: int, number: int) -> LayerCall:
    """The call of a case, gradients asked for. Parameters, inputs and initial states as the suite draws them."""
    (regime, dtype), rng = cell(number), np.random.default_rng([seed, number])
    reverse, two, start = (bool(rng.random() < share) for share in (REVERSE, TWO, START))
    sizes = Sizes(1, regime.time, WIDTH, regime.state, regime.heads)
    draw = LayerDraw(regime.system, declared(dtype, "any"), Domain(), sizes, seed=int(rng.integers(2**32)))
    own = import_module(f"scanproof.properties.{regime.system}").draw
    params = draw.stored(own(draw.rng, sizes, moduli(regime, rng), regime.sparse, two))
    call = LayerCall(regime.system, params, draw.inputs(), None, reverse, draw.cotangents())
    call = replace(call, h0=draw.states(call)) if start else call
    return _small(call, dtype, rng) if regime.small else call


def _small(call: LayerCall, dtype: str, rng: np.random.Generator) -> LayerCall:
    """With inputs, h0 and y_bar from far below to just above the smallest normal number."""
    scale = format_of(dtype).smallest_normal * 2.0 ** rng.integers(-8, 12)
    given = {name: getattr(call, name) for name in ("u", "h0", "y_bar") if getattr(call, name) is not None}
    changed: dict[str, Any] = {name: (_wide(x) * scale).astype(x.dtype) for name, x in given.items()}
    return replace(call, **changed)


def _wide(x: Array) -> Array:
    return x.astype(np.complex128 if np.iscomplexobj(x) else np.float64)


def moduli(regime: Regime, rng: np.random.Generator) -> Array:
    """Of the eigenvalues. (state,)"""
    share = np.sqrt(1 - rng.random(regime.state)) if regime.system == "lru" else np.ones(regime.state)
    return np.minimum(regime.modulus * share, LARGEST)

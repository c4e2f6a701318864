"""Deliberately wrong scans that the suite must reject: the measure of its power.

Every mutant is an honest chunked scan with one fault, the kind that kernels really have. A mutant
that the suite accepts is a hole in the suite; the report shows which law rejects which mutant.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from scanproof.reference.inputs import Array
from scanproof.reference.transitions.diagonal import at

CHUNK = 16
# state at the end of a chunk, steps already done -> state handed on
Carry = Callable[[Array, int], Array]


class Mutant(NamedTuple):
    """A faulty implementation and what is wrong with it; `complex_only` where the fault vanishes
    for real numbers."""

    name: str
    fault: str
    scan: Callable[..., Array]
    complex_only: bool = False


def chunked(
    lam: Array, b: Array, h0: Array | None = None, reverse: bool = False, carry: Carry | None = None
) -> Array:
    """Honest and sequential; `carry` may spoil the state that is handed on after every CHUNK
    steps."""
    if reverse:
        return chunked(lam[:, ::-1] if lam.ndim == 3 else lam, b[:, ::-1], h0, carry=carry)[
            :, ::-1
        ].copy()
    h = np.zeros_like(b)  # (batch, time, channels)
    state = np.zeros_like(b[:, 0]) if h0 is None else h0.copy()  # (batch, channels)
    for t in range(b.shape[1]):
        if t and t % CHUNK == 0 and carry:
            state = carry(state, b.shape[1] - t).astype(b.dtype)
        state = at(lam, t) * state + b[:, t]
        h[:, t] = state
    return h


def zeros(lam: Array, b: Array, h0: Array | None = None, reverse: bool = False) -> Array:
    return np.zeros_like(b)


def returns_input(lam: Array, b: Array, h0: Array | None = None, reverse: bool = False) -> Array:
    return b.copy()


def drops_carry(lam: Array, b: Array, h0: Array | None = None, reverse: bool = False) -> Array:
    return chunked(lam, b, h0, reverse, carry=lambda state, left: 0 * state)


def scales_carry(lam: Array, b: Array, h0: Array | None = None, reverse: bool = False) -> Array:
    return chunked(lam, b, h0, reverse, carry=lambda state, left: state * (1 + 1e-5))


def tail_without_carry(
    lam: Array, b: Array, h0: Array | None = None, reverse: bool = False
) -> Array:
    return chunked(
        lam, b, h0, reverse, carry=lambda state, left: state if left >= CHUNK else 0 * state
    )


def off_by_one(lam: Array, b: Array, h0: Array | None = None, reverse: bool = False) -> Array:
    h = chunked(lam, b, h0, reverse)
    first = np.zeros_like(h[:, :1]) if h0 is None else h0[:, None]
    return np.concatenate([h[:, 1:], first] if reverse else [first, h[:, :-1]], axis=1)


def conjugated(lam: Array, b: Array, h0: Array | None = None, reverse: bool = False) -> Array:
    return chunked(lam.conj(), b, h0, reverse)


def wrong_start(lam: Array, b: Array, h0: Array | None = None, reverse: bool = False) -> Array:
    """Adds h0 to the first input without multiplying it by lam."""
    if h0 is None:
        return chunked(lam, b, None, reverse)
    first = -1 if reverse else 0
    start = b.copy()
    start[:, first] += h0
    return chunked(lam, start, None, reverse)


def next_multiplier(lam: Array, b: Array, h0: Array | None = None, reverse: bool = False) -> Array:
    """Uses lam_{t+1} where lam_t belongs: right for constant lam."""
    return chunked(np.roll(lam, -1, axis=1) if lam.ndim == 3 else lam, b, h0, reverse)


def reverse_ignored(lam: Array, b: Array, h0: Array | None = None, reverse: bool = False) -> Array:
    return chunked(lam, b, h0)


MUTANTS = (
    Mutant("zeros", "returns zeros", zeros),
    Mutant("input", "returns its input", returns_input),
    Mutant("drops-carry", "drops the carry between chunks", drops_carry),
    Mutant("scales-carry", "multiplies the carry between chunks by 1 + 1e-5", scales_carry),
    Mutant("off-by-one", "returns the state before each step", off_by_one),
    Mutant("conjugated", "uses the conjugate of lam", conjugated, complex_only=True),
    Mutant("wrong-start", "does not multiply h0 by lam_1", wrong_start),
    Mutant("tail-chunk", "starts the last, shorter chunk without a carry", tail_without_carry),
    Mutant("next-multiplier", "uses lam_{t+1} at step t", next_multiplier),
    Mutant("reverse-ignored", "runs forwards when asked for reverse", reverse_ignored),
)


def mutants(dtype: str) -> list[Mutant]:
    """The mutants whose fault shows in this dtype."""
    return [mutant for mutant in MUTANTS if dtype.startswith("complex") or not mutant.complex_only]

"""What a golden case is about: flags that are derived from its inputs and its truth, never typed.

They are part of the hash in the id, so they are computed alike on every machine: no elementary function, not even hypot.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from scanproof.golden.magnitude import moduli
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Array, Inputs

NEAR_OVERFLOW = 2.0**-10  # of the largest number
CANCELLED = 2.0**-10  # |h| over X


class View(NamedTuple):
    """What flags are derived from."""

    inputs: Inputs
    head: Array  # (batch, time, channels)
    X: Array  # (batch, time, channels)
    arithmetic: Arithmetic


class Flag(NamedTuple):
    meaning: str
    holds: Callable[[View], bool]


def _parts(*arrays: Array) -> Array:
    """All real components in float64, flat."""
    return np.concatenate([part.astype(float).ravel() for x in arrays for part in (x.real, x.imag)[: 1 + np.iscomplexobj(x)]])


def _exact_lane(v: View) -> bool:
    """Every sum of absolute values stays below 2^p."""
    lam, rest = v.inputs.lam.astype(complex), _parts(v.inputs.b, v.inputs.start)
    unit = np.isin(lam, (0, 1, -1, 1j, -1j)).all()
    return bool(unit and (rest == np.rint(rest)).all() and np.abs(rest).sum() < 2.0**v.arithmetic.format.significand_bits)


def _impulse(v: View) -> bool:
    """At most one nonzero number is carried in every lane."""
    return bool(((v.inputs.b != 0).sum(axis=1) + (v.inputs.start != 0) <= 1).all())


def _reset(v: View) -> bool:
    return v.inputs.varying and bool((v.inputs.lam == 0).any() and (v.inputs.lam != 0).any())


def _vanishing(v: View) -> bool:
    size = np.broadcast_to(moduli(v.inputs.lam), v.inputs.b.shape)
    products = np.where(size == 0, 1, size).prod(axis=1)  # (batch, channels)
    return bool((products < v.arithmetic.format.smallest_subnormal).any())


def _subnormal(v: View) -> bool:
    size = np.abs(_parts(v.inputs.lam, v.inputs.b, v.inputs.start, v.head))
    return bool(((size > 0) & (size < v.arithmetic.format.smallest_normal)).any())


def _cancellation(v: View) -> bool:
    return bool(((v.X > 0) & (moduli(v.head) < CANCELLED * v.X)).any())


def _constant(v: View) -> bool:
    return v.inputs.b.shape[1] > 3 and bool((v.inputs.b == v.inputs.b[:, :1]).all() and (v.inputs.b != 0).any())


def _near_overflow(v: View) -> bool:
    return bool(v.X.max() > NEAR_OVERFLOW * v.arithmetic.format.largest)


def _real_multipliers(v: View) -> bool:
    return v.arithmetic.is_complex and not np.iscomplexobj(v.inputs.lam)


def _negative_zero(v: View) -> bool:
    parts = _parts(v.inputs.lam, v.inputs.b, v.inputs.start)
    return bool(((parts == 0) & np.signbit(parts)).any())


FLAGS = {
    "exact lane": Flag("lam in {0, ±1, ±i}, small whole numbers: no bracketing rounds, the allowance is 0", _exact_lane),
    "impulse": Flag("at most one nonzero number a lane: no sum rounds", _impulse),
    "short": Flag("three steps or fewer", lambda v: v.inputs.b.shape[1] <= 3),
    "h0": Flag("a state before the first step", lambda v: v.inputs.h0 is not None),
    "reverse": Flag("from the last step to the first", lambda v: v.inputs.reverse),
    "time-varying": Flag("lam depends on time", lambda v: v.inputs.varying),
    "reset": Flag("some lam_t = 0 forgets the past", _reset),
    "growth": Flag("some |lam| > 1", lambda v: bool((moduli(v.inputs.lam) > 1).any())),
    "vanishing powers": Flag("products of lam over the whole length underflow", _vanishing),
    "subnormal": Flag("inputs or states below the smallest normal number", _subnormal),
    "near overflow": Flag("states within 2^10 of the largest number", _near_overflow),
    "cancellation": Flag("some state is less than 2^-10 of X", _cancellation),
    "constant input": Flag("one drive for all steps: roundings add up", _constant),
    "negative zero": Flag("some input is -0", _negative_zero),
    "real multipliers": Flag("lam is real where b is complex", _real_multipliers),
}  # fmt: skip


def flags(inputs: Inputs, head: Array, X: Array, dtype: str) -> list[str]:
    """The flags that hold, in the order of FLAGS."""
    view = View(inputs, head, X, Arithmetic(dtype))
    return [name for name, flag in FLAGS.items() if flag.holds(view)]

"""What golden cases of scans can be about, beside what those of every system can."""

from __future__ import annotations

import numpy as np

from scanproof.golden.flags import Flag, View
from scanproof.golden.magnitude import moduli
from scanproof.reference.allowance.scans import inputs_of
from scanproof.reference.inputs import Array

NEAR_OVERFLOW = 2.0**-10  # of the largest number
CANCELLED = 2.0**-10  # |h| over X


def _parts(*arrays: Array) -> Array:
    """All real components in float64, flat."""
    parts = [part for x in arrays for part in (x.real, x.imag)[: 1 + np.iscomplexobj(x)]]
    return np.concatenate([part.astype(float).ravel() for part in parts])


def _given(v: View) -> Array:
    return _parts(*v.call.arguments.values())


def _integer_case(v: View) -> bool:
    """Every sum of absolute values stays below 2^p."""
    x, limit = inputs_of(v.call), 2.0**v.arithmetic.format.significand_bits
    unit, rest = np.isin(x.lam.astype(complex), (0, 1, -1, 1j, -1j)), _parts(x.b, x.start)
    return bool(unit.all() and (rest == np.rint(rest)).all() and np.abs(rest).sum() < limit)


def _impulse_only(v: View) -> bool:
    """At most one nonzero number is carried in every sequence."""
    x = inputs_of(v.call)
    return bool(((x.b != 0).sum(axis=1) + (x.start != 0) <= 1).all())


def _varying(v: View) -> bool:
    return inputs_of(v.call).varying


def _reset(v: View) -> bool:
    lam = v.call["lam"]
    return _varying(v) and bool((lam == 0).any() and (lam != 0).any())


def _growth(v: View) -> bool:
    return bool((moduli(v.call["lam"]) > 1).any())


def _vanishing(v: View) -> bool:
    x = inputs_of(v.call)
    size = np.broadcast_to(moduli(x.lam), x.b.shape)
    products = np.where(size == 0, 1, size).prod(axis=1)  # (batch, channels)
    return bool((products < v.arithmetic.format.smallest_subnormal).any())


def _subnormal(v: View) -> bool:
    size = np.abs(np.concatenate([_given(v), _parts(v.heads["h"])]))
    return bool(((size > 0) & (size < v.arithmetic.format.smallest_normal)).any())


def _near_overflow(v: View) -> bool:
    return v.magnitude is not None and bool(
        v.magnitude.max() > NEAR_OVERFLOW * v.arithmetic.format.largest
    )


def _cancellation(v: View) -> bool:
    X = v.magnitude
    return X is not None and bool(((X > 0) & (moduli(v.heads["h"]) < CANCELLED * X)).any())


def _constant_input(v: View) -> bool:
    b = inputs_of(v.call).b
    return b.shape[1] > 3 and bool((b == b[:, :1]).all() and (b != 0).any())


def _negative_zero(v: View) -> bool:
    parts = _given(v)
    return bool(((parts == 0) & np.signbit(parts)).any())


def _real_lam(v: View) -> bool:
    return v.arithmetic.is_complex and not np.iscomplexobj(v.call["lam"])


FLAGS = {
    "integer case": Flag(
        "lam in {0, ±1, ±i}, small whole numbers: no bracketing rounds, the allowance is 0",
        _integer_case,
    ),
    "impulse": Flag("at most one nonzero number a sequence: no sum rounds", _impulse_only),
    "time-varying": Flag("lam depends on time", _varying),
    "reset": Flag("some lam_t = 0 forgets the past", _reset),
    "growth": Flag("some |lam| > 1", _growth),
    "vanishing powers": Flag("products of lam over the whole length underflow", _vanishing),
    "subnormal": Flag("inputs or states below the smallest normal number", _subnormal),
    "near overflow": Flag("states within 2^10 of the largest number", _near_overflow),
    "cancellation": Flag("some state is less than 2^-10 of X", _cancellation),
    "constant input": Flag("one drive for all steps: roundings add up", _constant_input),
    "negative zero": Flag("some input is -0", _negative_zero),
    "real multipliers": Flag("lam is real where b is complex", _real_lam),
}

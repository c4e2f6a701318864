"""Allowances of algorithms that are no bracketings of the scan: each file defines classes of
programs and proves their bounds.

Bounds rest on constants that are assumed, not proved, all of them scaled by `Arithmetic.assumed`:
those of exp, log, log1p,
|z| and arg z, of sin and cos, and of the FFT (constants.py). Only `scaled-cumsum` assumes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scanproof.reference.allowance.orders import angle_sum, cumulative, fft, logarithm, polar
from scanproof.reference.arithmetic.constants import E
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Array, Inputs

BOUNDS: dict[str, Callable[[Inputs, Arithmetic], Array]] = {
    "angle-sum": angle_sum.angle_sum,
    "polar:L": polar.polar,
    "scaled-cumsum": cumulative.scaled_cumsum,
    "segment-exp:L": cumulative.segment_exp,
    "log-space": logarithm.log_space,
    "fft": fft.fft,
}


def bound(forward: Inputs, arithmetic: Arithmetic) -> Array:
    """Bounds how far any evaluation of the class can be from the exact states of forward inputs.

    docs/classes.md and the modules of this package derive the bounds.

    Returns:
        float64 (batch, time, channels): |computed - exact| <= bound. Where it is finite, no
        evaluation can overflow or make a NaN; inf where that is not known, or the class does not
        take these inputs (`fault`).
    """
    if not forward.b.size or _unfit(forward, arithmetic):
        return np.full(forward.b.shape, np.inf)
    with np.errstate(all="ignore"):
        return BOUNDS[arithmetic.word](forward, arithmetic)


def fault(forward: Inputs, arithmetic: Arithmetic) -> str | None:
    """Says, in one line, why the class does not take these inputs, or some part of them.

    It returns None where it takes them all.
    """
    found = _unfit(forward, arithmetic) or _partly_unfit(forward, arithmetic)
    return found and f"order {arithmetic.order}: {found}"


def _unfit(forward: Inputs, arithmetic: Arithmetic) -> str | None:
    """What no channel and no time can be judged for."""
    if E * arithmetic.format.u * arithmetic.assumed >= 1 / 8:
        return f"assumed {arithmetic.assumed} leaves no digit of {arithmetic.real_dtype}"
    if arithmetic.word in ("polar:L", "fft"):
        longest = arithmetic.chunk or forward.b.shape[1]
        if forward.varying:
            return "lam varies in time"
        if longest > 2**arithmetic.format.significand_bits:
            return f"not all exponents up to {longest} are numbers of {arithmetic.real_dtype}"
    if arithmetic.word in ("scaled-cumsum", "segment-exp:L", "log-space") and np.iscomplexobj(
        forward.lam
    ):
        return "lam is complex"
    return "b is complex" if arithmetic.word == "log-space" and np.iscomplexobj(forward.b) else None


def _partly_unfit(forward: Inputs, arithmetic: Arithmetic) -> str | None:
    """What some channels and times cannot be judged for."""
    if arithmetic.word in ("polar:L", "fft", "scaled-cumsum") and (forward.lam == 0).any():
        return "lam has zeros"
    if arithmetic.word == "segment-exp:L" and not (forward.lam > 0).all():
        return "lam has numbers that are not positive"
    if arithmetic.word == "log-space" and not logarithm.positive(forward).all():
        return "lam, b or h0 has numbers that are not positive"
    return None

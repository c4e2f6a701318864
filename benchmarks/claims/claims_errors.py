"""What limits a layer in a short format as |lambda| -> 1: its coefficient or its scan?

The error that the rounded coefficient alone makes, exactly (claims_coefficients.py), against the
error of a real scan in the format whose coefficient 1 - 2^-j is exactly representable, against the
exact truth.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import flint
import numpy as np

from scanproof.benchmarks.claims.claims_coefficients import (
    WAYS,
    Coefficients,
    drawn,
    squares,
    unstable,
)
from scanproof.reference.arithmetic.formats import format_of
from scanproof.reference.inputs import Array, Inputs
from scanproof.reference.transitions.diagonal import scan
from scanproof.reference.truth import truth
from scanproof.report.claims_model import ClaimRow, Curve

FORMATS = ("float32", "bfloat16")
PRECISION = 256
SEQUENCES = 8
OWN = "scan, λ exactly representable"
STABLE = "|λ| < 1, because ν = exp(ν_log) > 0 (LRU), and γ = exp(−exp(γ_log)) < 1 (RotRNN)"


class Errors(NamedTuple):
    rows: list[ClaimRow]
    curves: list[Curve]


def measure(seed: int, draws: int, doublings: int, smallest: int) -> Errors:
    """1 - |lambda| from 2^-1 to 2^-smallest, 2^doublings steps."""
    rows, stable, curves = [], [], []
    with flint.ctx.workprec(PRECISION):
        for dtype in FORMATS:
            found = {
                j: {way: make(drawn(seed, draws, j, dtype)) for way, make in WAYS.items()}
                for j in range(1, smallest + 1)
            }
            coefficients = [
                coefficient_curve(dtype, way, {j: c[way] for j, c in found.items()}, doublings)
                for way in WAYS
            ]
            own = [scan_curve(seed, dtype, dtype, 1 << doublings, smallest)]
            if dtype != "float32":
                own.append(scan_curve(seed, dtype, "float32", 1 << doublings, smallest))
            rows.append(_bottleneck(dtype, coefficients, own))
            stable.append(_stable(dtype, found))
            curves += coefficients + own
    return Errors(rows + stable, curves)


def coefficient_curve(
    dtype: str, way: str, found: dict[int, Coefficients], doublings: int
) -> Curve:
    """The median D over draws for every 1 - |lambda|."""
    medians = [
        float(np.median([max(0.0, float(x)) for x in squares(c, doublings)])) ** 0.5
        for c in found.values()
    ]
    return Curve(panel=dtype, label=way, kind="exact", x=[2.0**-j for j in found], y=medians)


def scan_curve(seed: int, dtype: str, state: str, steps: int, smallest: int) -> Curve:
    """rms error of the plain loop over the rms of the states, in the last quarter; lam and b of
    dtype, states of `state`."""
    powers = range(1, min(smallest, format_of(dtype).significand_bits) + 1)
    lam = np.repeat([1 - 2.0**-j for j in powers], SEQUENCES).astype(dtype)  # (channels,)
    # (1, steps, channels)
    b = np.random.default_rng(seed).standard_normal((1, steps, lam.size)).astype(dtype)
    got = scan(lam.astype(state), b.astype(state)).astype(float)[:, -(steps // 4) :]
    h = truth(Inputs(lam.astype(float), b.astype(float)))
    last = h.head[:, -(steps // 4) :]
    error = got - last - h.tail[:, -(steps // 4) :]  # (1, steps / 4, channels)
    ratio = [_rms(e) / _rms(x) for e, x in zip(_lanes(error), _lanes(last), strict=True)]
    label = OWN if state == dtype else f"{OWN}, states in {state}"
    return Curve(panel=dtype, label=label, kind="measured", x=[2.0**-j for j in powers], y=ratio)


def _lanes(x: Array) -> Iterable[Array]:
    """Channels of the same lam together."""
    return np.split(x, x.shape[2] // SEQUENCES, axis=2)


def _rms(x: Array) -> float:
    return float(np.sqrt((x * x).mean()))


def _bottleneck(dtype: str, coefficients: list[Curve], own: list[Curve]) -> ClaimRow:
    at = len(own[0].x) - 1
    ratio = min(curve.y[at] for curve in coefficients) / own[0].y[at]
    return ClaimRow(
        claim=f"{dtype}: as |λ| → 1 the rounding of the coefficient is the bottleneck, not that of "
              "the scan",
        source="the question of this page; both papers argue in real numbers",
        measured=[
            f"rms error over rms of the states at 1 − |λ| = {own[0].x[at]:.2g}, the smallest that "
            f"was run and that {dtype} holds",
            *(f"{curve.label}: {curve.y[at]:.2g}" for curve in coefficients + own),
            f"smallest coefficient error over scan error: {ratio:.3g}",
            *_beyond(coefficients, at),
        ],
        criterion="none: the coefficient’s error is exact for white input, the scan’s belongs to "
                  "the inputs that were run",
        word="measured",
    )


def _beyond(coefficients: list[Curve], at: int) -> list[str]:
    """The coefficients' errors at the smallest 1 - |lambda|, if no scan reaches it."""
    if at == len(coefficients[0].x) - 1:
        return []
    found = ", ".join(f"{curve.y[-1]:.2g}" for curve in coefficients)
    return [f"at 1 − |λ| = {coefficients[0].x[-1]:.2g} the coefficients alone: {found}"]


def _stable(dtype: str, found: dict[int, dict[str, Coefficients]]) -> ClaimRow:
    counts = {way: sum(unstable(c[way]) for c in found.values()) for way in WAYS}
    total = sum(len(c["λ stored"].lam) for c in found.values())
    first: Any = [j for j, c in found.items() if any(unstable(x) for x in c.values())]
    where = f", the first at 1 − |λ| ≈ {2.0 ** -first[0]:.2g}" if first else ""
    return ClaimRow(
        claim=f"{dtype}: {STABLE}",
        source="LRU, arXiv 2303.06349: stability by parameterisation; RotRNN, arXiv 2407.07239: "
               "‖γA‖ = γ",
        measured=[
            "coefficients of modulus 1 or more" + where,
            *(f"{way}: {n} of {total}" for way, n in counts.items()),
        ],
        criterion="one certified modulus ≥ 1 refutes it; without one nothing is proved",
        word="fails" if first else "measured",
    )

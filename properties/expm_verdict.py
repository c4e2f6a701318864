"""The verdict over one result of the system `expm`: the 2-norm of each matrix' error.

    delta = c_E u (|S|_1 + sqrt N)                                  c_E: assumed (docs/measured/constants.md); exp 0 = I is exact
    D     = P^ - exp S, in balls
    low   = |D x|_2 / |x|_2 <= |D|_2                                x: the leading singular vector of D, rounded: any x will do
    high  = |(D^T D)^(2^k)|_F ^ (2^-k-1) >= |D|_2                   too large by a factor N^(2^-k-2) at most

`outside` needs low > delta, `within` high <= delta.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import flint
import numpy as np

from scanproof.properties.compare import ratio
from scanproof.properties.expm_calls import ExpmCall, one_norms
from scanproof.properties.findings import INFORMATIVE, Element
from scanproof.properties.nearest import correctly_rounded
from scanproof.properties.verdict import ASSUMED, CLAIMS, Verdict, Word
from scanproof.reference.constants import declared
from scanproof.reference.enclosed import BITS, of_balls
from scanproof.reference.exponential import ball_expm
from scanproof.reference.formats import format_of
from scanproof.reference.inputs import Array
from scanproof.reference.layer_arithmetic import LayerArithmetic
from scanproof.reference.namespace import balls
from scanproof.reference.operations import UP
from scanproof.reference.truth import Truth

SQUARINGS = 6  # k: high is at most 1.7 % too large for N = 64
OUTPUT = "P"  # of the worst element, whose error and allowance are 2-norms of its whole matrix
MODELLED = (("accumulate", None), ("operands", None), ("rounding", "nearest"))


class Judged(NamedTuple):
    """Every matrix of a stack; (stack,) each."""

    low: Array  # of |P^ - exp S|_2
    high: Array
    delta: Array
    direction: Array  # x of low (stack, n)
    truth: Truth  # of the entries (stack, n, n)


def allowances(call: ExpmCall, arithmetic: LayerArithmetic) -> Array:
    """delta of every matrix, inf where no allowance is known. (stack,)"""
    if unmodelled(arithmetic):
        return np.full(len(call.S), np.inf)
    c_E, norms = declared(arithmetic.expm, arithmetic.dtype).c_E * arithmetic.assumed, one_norms(call.S)
    return np.where(norms > 0, c_E * format_of(arithmetic.dtype).u * (norms + call.S.shape[-1] ** 0.5) * UP, 0.0)


def unmodelled(arithmetic: LayerArithmetic) -> str | None:
    """Why no allowance is known, or None."""
    wrong = [f"{name} {getattr(arithmetic, name)}" for name, known in MODELLED if getattr(arithmetic, name) != known]
    return f"no allowance is known for the matrix exponential with {wrong[0]}" if wrong else None


def measured(got: Array, call: ExpmCall, arithmetic: LayerArithmetic) -> Judged:
    """Bounds of every matrix' error, and its allowance."""
    with flint.ctx.workprec(BITS):
        P = ball_expm(balls().lift(call.S.astype(float)))  # (stack, n, n)
        bounds = [_norm(one, exact) for one, exact in zip(got, P, strict=True)]
        truth = of_balls(P).truth()
    low, high, direction = (np.array(part, float) for part in zip(*bounds, strict=True))
    return Judged(low, high, allowances(call, arithmetic), direction, truth)


def _norm(got: Array, P: Array) -> tuple[float, float, Array]:
    """low and high of |got - P|_2, and the direction of low; inf where got is not finite."""
    n = len(P)
    if not np.isfinite(got).all():
        return np.inf, np.inf, np.zeros(n)
    D = balls().lift(got.astype(float)) - P  # (n, n)
    x = np.linalg.svd(D.astype(float))[2][0]  # (n,)
    moved = (D @ balls().lift(x), balls().lift(x))
    low = (_length(moved[0]) / _length(moved[1])).lower()
    power = flint.arb_mat(D.T.tolist()) * flint.arb_mat(D.tolist())
    for _ in range(SQUARINGS):
        power = power * power
    high = _length(np.array(power.entries(), object)).upper()
    for _ in range(SQUARINGS + 1):
        high = high.sqrt().upper()
    return max(float(low) / UP, 0.0), float(high) * UP, x


def _length(x: Array) -> Any:
    """Of a vector of balls, as a ball."""
    return sum((z * z for z in x), flint.arb(0)).sqrt()


def judge_expm(got: Array, call: ExpmCall, arithmetic: LayerArithmetic) -> Verdict:
    """Judges a result whose form was checked before; counts are of matrices."""
    found = measured(got, call, arithmetic)
    outside = np.isfinite(found.delta) & (found.low > found.delta)
    undecided = ~outside & ~(np.isfinite(found.delta) & (found.high <= found.delta))
    correct, told = correctly_rounded(got, found.truth).correct, found.delta <= INFORMATIVE
    word, reason = _decide(outside, undecided, correct, told, arithmetic)
    return Verdict(
        verdict=word,
        grade=ASSUMED if word == "outside" else None,
        reason=reason,
        arithmetic=arithmetic,
        informative=float(told.mean()),
        ratio=float(ratio(found.high, found.delta).max()),
        bits_lost=float(np.log2(max(found.high.max() / format_of(arithmetic.dtype).u, 1.0))),
        rounded=float(correct.mean()),
        counts={"outside": int(outside.sum()), "undecided": int(undecided.sum()), "within": int((~outside & ~undecided).sum())},
        worst=_worst(got, found, outside),
    )


def _decide(outside: Array, undecided: Array, correct: Array, told: Array, arithmetic: LayerArithmetic) -> tuple[Word, str]:
    """Precedence: outside > nearest > undecided > within."""
    if outside.any():
        return "outside", f"{int(outside.sum())} of {outside.size} matrices exceed the allowance; {CLAIMS['outside']}"
    if correct.all():
        return "nearest", CLAIMS["nearest"]
    if undecided.any():
        reason = unmodelled(arithmetic) or "the norm of the error is too close to the allowance"
        return "undecided", f"{reason}, in {int(undecided.sum())} of {undecided.size} matrices"
    if 2 * told.sum() < told.size:
        return "undecided", f"within, but the allowance is too large to tell in {int((~told).sum())} of {told.size} matrices"
    return "within", CLAIMS["within"]


def _worst(got: Array, found: Judged, outside: Array) -> Element:
    """The matrix with the largest error/allowance, of those outside if any is; its entry that is furthest off."""
    quotient = ratio(found.high, found.delta)
    at = int(np.argmax(np.where(outside, quotient, -1.0) if outside.any() else quotient))
    apart = np.nan_to_num(np.abs(got[at] - found.truth.head[at]), nan=np.inf)  # (n, n)
    row, column = map(int, np.unravel_index(int(np.argmax(apart)), apart.shape))
    return Element(
        index=(at, row, column),
        got=float(got[at, row, column]),
        truth=float(found.truth.head[at, row, column]),
        error=float(found.high[at]),
        allowance=float(found.delta[at]),
        ratio=float(quotient[at]),
        output=OUTPUT,
    )

"""Element by element: is |got - truth| above the allowance, below it, or can it not be said?

    symbol    meaning
    q         what the implementation returned
    low, high enclosure of |q - truth|, both float64, rounded outwards
    a         the allowance

q - head is formed exactly (an error-free transformation), then tail and radius enter; nothing is
rounded in the working precision of the implementation. Where only norms of whole matrices are
known, low and high are those of their errors.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from scanproof.reference.allowance.certified import Certified
from scanproof.reference.arithmetic.operations import DOWN, EPS, TINY, UP
from scanproof.reference.inputs import Array
from scanproof.reference.truth.enclosure import Truth

LARGEST = float(np.finfo(float).max)


class Comparison(NamedTuple):
    """One array of elements judged, or of matrices (stack,); of its shape each."""

    outside: Array  # bool
    undecided: Array  # bool
    # float64, upper end of the enclosure of |got - truth|; inf for a result that is not finite
    error: Array
    bound: Array  # float64, the allowance


def compare(got: Array, exact: Certified) -> Comparison:
    """Judges every element of `got` by the table of docs/verdicts.md.

    Where the enclosure straddles the allowance, exact arithmetic decides, if the theory has it.
    """
    if exact.norms is not None:
        return _by_norms(got, exact)
    low, high = error_enclosure(got, exact.truth)
    finite, known = np.isfinite(got), np.isfinite(exact.bound)
    outside = known & ((~finite & exact.no_overflow) | (finite & (low > exact.bound)))
    undecided = ~known | (~outside & (~finite | (high > exact.bound)))
    for index in np.argwhere(known & finite & undecided) if exact.exact else ():
        where = tuple(map(int, index))
        H, s = exact.exact(where)  # type: ignore[misc]
        outside[where] = error_squared(got[where], H, s) > Fraction(float(exact.bound[where])) ** 2
        undecided[where] = False
    return Comparison(outside, undecided, np.where(finite, high, np.inf), exact.bound)


def _by_norms(got: Array, exact: Certified) -> Comparison:
    found, known = exact.norms(got), np.isfinite(exact.bound)  # type: ignore[misc]
    outside = known & (found.low > exact.bound)
    return Comparison(
        outside, ~outside & ~(known & (found.high <= exact.bound)), found.high, exact.bound
    )


def error_enclosure(got: Array, truth: Truth) -> tuple[Array, Array]:
    """Lower and upper ends of |got - truth|, float64."""
    wide = got.astype(truth.head.dtype)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        if not np.iscomplexobj(wide):
            low, high = _component(wide, truth.head, truth.tail)
        else:
            re = _component(wide.real, truth.head.real, truth.tail.real)
            im = _component(wide.imag, truth.head.imag, truth.tail.imag)
            # a modulus this large may have been rounded to inf
            low = np.minimum(np.hypot(re[0], im[0]), LARGEST)
            low = np.maximum(low * DOWN - TINY, 0)  # TINY: a subnormal modulus rounds to its grid
            oblique = (re[1] > 0) & (im[1] > 0)
            high = np.where(oblique, np.hypot(re[1], im[1]) * UP + TINY, np.maximum(re[1], im[1]))
        low = np.maximum(low - truth.rad * UP, 0) * DOWN
        high = np.where(truth.rad > 0, (high + truth.rad) * UP, high)
    return np.where(np.isnan(low), 0.0, low), np.where(np.isnan(high), np.inf, high)


def _component(q: Array, head: Array, tail: Array) -> tuple[Array, Array]:
    """Enclosure of |(q - head) - tail|: s + rest is q - head exactly (Knuth's two-sum), the two
    roundings after it count."""
    s = q - head
    back = s - q
    rest = (q - (s - back)) - (head + back)
    small = rest - tail
    error, slack = np.abs(s + small), 2 * EPS * (np.abs(small) + np.abs(s + small))
    return np.maximum(error - slack, 0), error + slack


def error_squared(q: Any, H: list[int], s: int) -> Fraction:
    """|q - H 2^-s|^2 of one number, as a rational number."""
    components = [q.real, q.imag] if len(H) == 2 else [q]
    return sum(
        (
            (Fraction(float(c)) - Fraction(h, 1 << s)) ** 2
            for c, h in zip(components, H, strict=True)
        ),
        Fraction(0),
    )


def ratio(error: Array, bound: Array) -> Array:
    """error / allowance: 0 for 0/0, inf for anything else over 0 or for a result that is not
    finite."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        quotient = np.where(error == 0, 0.0, error / bound)
    return np.where(np.isnan(quotient), np.inf, quotient)

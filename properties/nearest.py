"""Is a result the correct rounding of the truth: to nearest, ties to even, component by component?

    symbol    meaning
    q         one real component of the result; after reflection q >= 0
    k, V(k)   a bit pattern without its sign, and its value: V(k + 1) is the float after V(k)
    gap       V(k + 1) - V(k) = V(k | 1) - V(k & ~1), since an odd pattern never starts a binade:
              finite for the largest float
    past      2 (truth - edge) at the edge V(k) + gap / 2 between two floats; doubled because
              gap / 2 may be 2^-1075
    margin    twice the distance of head + tail from the nearer edge of q's cell, negative outside

past = (2 (head - V) - gap) + 2 tail is evaluated as it stands, in float64, and has the exact sign
(zero included):

 1. V + gap/4 <= head <= V + gap: head - V is exact (V = 0, or head <= 2 V: Sterbenz), so is
    2 (head - V) - gap (Sterbenz), and the last sum rounds once, which keeps the sign.
 2. Elsewhere |2 (head - V) - gap| is at least gap/2 and |head - V|; its two roundings cost at most
    3 * 2^-53 of it, and |2 tail| is at most 2/3 of it. For p <= 24 bits that is plain, since
    |2 tail| <= 2^-52 |head|. For float64, head is a smaller float (|bracket| >= 2 gap and
    |2 tail| <= gap, or <= 2^-52 |bracket| where head < -V), or at least V + 2 gap (worst case:
    V + 2 gap = 2^n, bracket 3 gap, |2 tail| <= 2 gap), or V itself: then the bracket is -gap
    exactly, and 1. holds again.

Its relative error is thus below 2^-49, which UP covers when rad is compared. Overflow keeps the
sign and exceeds any finite rad.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from scanproof.reference.arithmetic.formats import DTYPES
from scanproof.reference.arithmetic.operations import UP
from scanproof.reference.inputs import Array
from scanproof.reference.truth.enclosure import Truth

BLOCK = 2**15  # elements: temporaries that fit a cache are five times as fast as whole arrays


class Rounded(NamedTuple):
    """Of every element of a result; a complex one is correct if both components are."""

    correct: Array  # bool, shape of the result: certainly the truth, rounded
    undetermined: Array  # bool: the truth's enclosure meets an edge of the rounding cell


def correctly_rounded(got: Array, truth: Truth) -> Rounded:
    """Which elements of `got` are RN(truth): nearest, ties to even, overflow and subnormals by IEEE
    754 section 4.3.1.

    A zero may have either sign, +-inf is correct from the largest float + half a gap on, nan never
    is. `got` has any shape and a dtype of reference.formats.DTYPES; `truth` has the same shape and
    its radius bounds the rest of each component. An infinite radius leaves an element undetermined.

    Raises:
        TypeError: a dtype of another kind, or a real result for a complex truth (or the reverse).
        ValueError: shapes that differ.
    """
    if got.dtype.name not in DTYPES or not got.dtype.isnative:
        raise TypeError(
            f"got: found dtype {got.dtype}, expected one of {', '.join(DTYPES)} in native byte "
            "order"
        )
    if np.iscomplexobj(got) != np.iscomplexobj(truth.head):
        raise TypeError(
            f"got: found dtype {got.dtype}, truth has {truth.head.dtype}: expected both real or "
            "both complex"
        )
    if got.shape != truth.head.shape:
        raise ValueError(f"got: found shape {got.shape}, expected {truth.head.shape} as the truth")
    right, wrong = np.empty(got.size, bool), np.empty(got.size, bool)
    flat = [x.reshape(-1) for x in (got, *truth)]
    for start in range(0, got.size, BLOCK):
        block = slice(start, start + BLOCK)
        right[block], wrong[block] = _decided(*(x[block] for x in flat))
    return Rounded(right.reshape(got.shape), ~(right | wrong).reshape(got.shape))


def _decided(got: Array, head: Array, tail: Array, rad: Array) -> tuple[Array, Array]:
    """Certainly right, certainly wrong; (n,) each."""
    if not np.iscomplexobj(got):
        return _component(got, head, tail, rad)
    re = _component(got.real, head.real, tail.real, rad)
    im = _component(got.imag, head.imag, tail.imag, rad)
    return re[0] & im[0], re[1] | im[1]


def _component(q: Array, head: Array, tail: Array, rad: Array) -> tuple[Array, Array]:
    """Certainly right, certainly wrong, of one real component: the edges belong to the cell of an
    even pattern."""
    pattern = q.view(f"u{q.itemsize}")
    even = pattern & 1 == 0
    with np.errstate(over="ignore", invalid="ignore"):
        margin, radius = _margin(q, head, tail), 2 * rad * UP
        # inf - inf is nan: an infinite radius decides nothing
        inner, outer = margin - radius, margin + radius
    right = (inner > 0) | (even & (inner == 0))
    wrong = (outer < 0) | (~even & (outer == 0)) | np.isnan(q)
    return right, wrong


def _margin(q: Array, head: Array, tail: Array) -> Array:
    """Twice the distance of head + tail from the nearer edge of q's cell. A zero is given the sign
    of the truth.

    Then the cell of zero has no lower edge that matters, and that of inf has no upper one: the
    pattern below 0 wraps to a nan, the one above inf is a nan, and fmin leaves nan out.
    """
    value = q.astype(np.float64)
    sign = np.copysign(1.0, np.where(value == 0, head, value))
    head, tail = sign * head, sign * tail
    k = np.abs(q).view(f"u{q.itemsize}")
    # (n,)
    return np.asarray(np.fmin(_past(head, tail, k - 1, q.dtype), -_past(head, tail, k, q.dtype)))


def _past(head: Array, tail: Array, k: Array, dtype: np.dtype[Any]) -> Array:
    """2 (head + tail - edge) for the edge between the floats V(k) and V(k + 1); nan where these are
    not floats."""
    V, odd, even = (
        pattern.view(dtype).astype(np.float64) for pattern in (k, k | 1, k & ~np.ones_like(k))
    )
    return np.asarray((2 * (head - V) - (odd - even)) + 2 * tail)  # (n,)

"""Double-double arithmetic on arrays, compiled: products, sums and scans, each with all that was
dropped added up.

The glossary is that of double_double.py: numbers are head + tail, `lost` is the sum of the absolute
values of all words that were dropped, and rad bounds |number - head - tail|, rounded upwards.
Nothing is estimated but the product of two tails, by its own size. Where anything overflows, head
and tail become 0 and rad inf.

    (a + a')(b + b') = p + e + t_1 + rest_1 + t_2 + rest_2 + a' b'
    p + e = a b,    t_1 + rest_1 = a b',    t_2 + rest_2 = a' b
"""

from __future__ import annotations

import math

import numpy as np

from scanproof.reference.arithmetic.operations import TINY, UP
from scanproof.reference.inputs import Array
from scanproof.reference.transitions.compiled import compiled
from scanproof.reference.truth.double_double import _modulus, _two_product, _two_sum


@compiled(forceinline=True)
def _product(a: float, a_tail: float, b: float, b_tail: float) -> tuple[float, float, float]:
    """(a + a_tail)(b + b_tail): high word, low word, and what was lost."""
    # which knows products by a first factor 1
    p, e, missed = _two_product(a, b) if abs(b) != 1 else _two_product(b, a)
    t_1, rest_1, missed_1 = _two_product(a, b_tail)
    t_2, rest_2, missed_2 = _two_product(a_tail, b)
    q, dropped = _two_sum(e, t_1)
    q, dropped_too = _two_sum(q, t_2)
    tails = abs(a_tail * b_tail)
    lost = (
        missed + missed_1 + missed_2 + abs(rest_1) + abs(rest_2) + abs(dropped) + abs(dropped_too)
    )
    return p, q, lost + (tails * UP + TINY if (a_tail != 0) & (b_tail != 0) else 0.0)


@compiled(forceinline=True)
def _sum(a: float, a_tail: float, b: float, b_tail: float) -> tuple[float, float, float]:
    """(a + a_tail) + (b + b_tail): head, tail, and what was lost."""
    s, f = _two_sum(a, b)
    t, dropped = _two_sum(a_tail, b_tail)
    q, dropped_too = _two_sum(f, t)
    head, tail = _two_sum(s, q)
    return head, tail, abs(dropped) + abs(dropped_too)


@compiled(forceinline=True)
def _product_radius(a: float, a_rad: float, b: float, b_rad: float) -> float:
    """|a| b_rad + |b| a_rad + a_rad b_rad, rounded upwards; zero times anything is zero."""
    one, two = (a != 0) & (b_rad > 0), ((b != 0) | (b_rad > 0)) & (a_rad > 0)
    first, second = abs(a) * b_rad if one else 0.0, (abs(b) + b_rad) * a_rad if two else 0.0
    return (first + second) * UP + TINY if one | two else 0.0


@compiled(nogil=True)
def multiply(a: Array, b: Array, out: Array) -> None:
    """Multiplies elementwise; a, b and out are float64 (3, n) with rows head, tail, rad."""
    for i in range(a.shape[1]):
        p, q, lost = _product(a[0, i], a[1, i], b[0, i], b[1, i])
        head, tail = _two_sum(p, q)
        size, other = abs(a[0, i]) + abs(a[1, i]), abs(b[0, i]) + abs(b[1, i])
        _put(out, i, head, tail, _product_radius(size * UP, a[2, i], other * UP, b[2, i]), lost)


@compiled(nogil=True)
def add(a: Array, b: Array, out: Array) -> None:
    """Adds elementwise; a, b and out are float64 (3, n) with rows head, tail, rad."""
    for i in range(a.shape[1]):
        head, tail, lost = _sum(a[0, i], a[1, i], b[0, i], b[1, i])
        _put(out, i, head, tail, a[2, i] + b[2, i], lost)


@compiled(forceinline=True)
def _put(out: Array, i: int, head: float, tail: float, rad: float, lost: float) -> None:
    finite = math.isfinite(head + tail)
    out[0, i], out[1, i] = (head, tail) if finite else (0.0, 0.0)
    out[2, i] = ((rad + lost) * UP if (rad > 0) | (lost > 0) else 0.0) if finite else np.inf


@compiled(nogil=True)
def contract(a: Array, b: Array, out: Array) -> None:
    """Multiplies matrices, with all that is dropped added to rad.

    Args:
        a: float64 (3, batch, left, summed); head, tail, rad on the first axis.
        b: (3, batch, right, summed)
        out: (3, batch, left, right), which is filled.
    """
    _, batches, left, summed = a.shape
    for n in range(batches):
        for i in range(left):
            for j in range(b.shape[2]):
                head = tail = rad = lost = 0.0
                for k in range(summed):
                    x, x_tail, y, y_tail = (
                        a[0, n, i, k], a[1, n, i, k], b[0, n, j, k], b[1, n, j, k],
                    )  # fmt: skip
                    p, q, dropped = _product(x, x_tail, y, y_tail)
                    head, tail, dropped_too = _sum(head, tail, p, q)
                    lost = (lost + dropped + dropped_too) * UP
                    if (a[2, n, i, k] > 0) | (b[2, n, j, k] > 0):
                        size, other = (abs(x) + abs(x_tail)) * UP, (abs(y) + abs(y_tail)) * UP
                        rad = (
                            rad + _product_radius(size, a[2, n, i, k], other, b[2, n, j, k])
                        ) * UP
                finite = math.isfinite(head + tail)
                out[0, n, i, j], out[1, n, i, j] = (head, tail) if finite else (0.0, 0.0)
                out[2, n, i, j] = (
                    ((rad + lost) * UP if (rad > 0) | (lost > 0) else 0.0) if finite else np.inf
                )


@compiled(nogil=True)
def scan(lam: Array, b: Array, start: Array, out: Array) -> None:
    """Computes all states of h_t = lam_t h_{t-1} + b_t for enclosed complex numbers.

    The first axis holds re, re_tail, im, im_tail, rad. A disc, not a rectangle, is carried (as in
    double_double.py):

        rad_t = |lam_t| rad_{t-1} + (rad of lam_t) |h_{t-1}| + (rad of b_t) + lost

    Args:
        lam, b: float64 (5, batch, time, channels)
        start: (5, batch, channels)
        out: (5, batch, time, channels), which is filled.
    """
    _, batch, time, channels = b.shape
    for n in range(batch):
        for k in range(channels):
            x, x_tail, y, y_tail, r = (
                start[0, n, k], start[1, n, k], start[2, n, k], start[3, n, k], start[4, n, k],
            )  # fmt: skip
            for t in range(time):
                c, c_tail, d, d_tail = (
                    lam[0, n, t, k], lam[1, n, t, k], lam[2, n, t, k], lam[3, n, t, k],
                )  # fmt: skip
                r_lam, size = lam[4, n, t, k], (_modulus(c, d) + abs(c_tail) + abs(d_tail)) * UP
                p, q, lost_1 = _product(c, c_tail, x, x_tail)
                s, f, lost_2 = _product(-d, -d_tail, y, y_tail)
                re, re_tail, lost_3 = _sum(p, q, s, f)
                re, re_tail, lost_4 = _sum(re, re_tail, b[0, n, t, k], b[1, n, t, k])
                p, q, lost_5 = _product(c, c_tail, y, y_tail)
                s, f, lost_6 = _product(d, d_tail, x, x_tail)
                im, im_tail, lost_7 = _sum(p, q, s, f)
                im, im_tail, lost_8 = _sum(im, im_tail, b[2, n, t, k], b[3, n, t, k])
                state = (_modulus(x, y) + abs(x_tail) + abs(y_tail)) * UP if r_lam > 0 else 0.0
                lost = lost_1 + lost_2 + lost_3 + lost_4 + lost_5 + lost_6 + lost_7 + lost_8
                rad = (
                    _product_radius(size, r_lam, state, r)
                    if r_lam > 0
                    else _product_radius(size, 0.0, 0.0, r)
                )
                rad = rad + b[4, n, t, k] + lost
                finite = math.isfinite(re + re_tail) & math.isfinite(im + im_tail)
                x, x_tail, y, y_tail = (
                    (re, re_tail, im, im_tail) if finite else (0.0, 0.0, 0.0, 0.0)
                )
                r = (rad * UP if rad > 0 else 0.0) if finite else np.inf
                out[0, n, t, k], out[1, n, t, k], out[2, n, t, k], out[3, n, t, k] = (
                    x, x_tail, y, y_tail,
                )  # fmt: skip
                out[4, n, t, k] = r

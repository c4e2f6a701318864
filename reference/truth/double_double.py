"""Truth by double-double arithmetic: certified states of long sequences at the speed of compiled
code.

    symbol  meaning
    x, x'   head and tail of one component of h_{t-1}, y and y' of the other;
            r_{t-1} is the radius around both
    c, d    lam_t = c + i d
    u       2^-53
    S, q    high and low word of a component of h_t, before they are made head and tail
    lost    sum of the absolute values of all words that were dropped
    r_t     the radius: |h_t - head - tail| <= r_t in the modulus

Two error-free transformations do everything: s + f = a + b (Knuth's two-sum, The Art of Computer
Programming 2, 4.2.2) and p + e = a b with one FMA (Ogita, Rump, Oishi, SIAM J. Sci. Comput. 26
(2005), section 3). For the real component,

    c (x + x') - d (y + y') + b = S + (e_1 + t_1 + e_2 + t_2 + f + g) + rest_1 + rest_2
    p_1 + e_1 = c x,         p_2 + e_2 = -d y
    s + f = p_1 + p_2,       S + g = s + b
    t_1 + rest_1 = c x',     t_2 + rest_2 = -d y'

The low words in brackets are summed one after the other in float64 to q, and head + tail = S + q
exactly. Nothing is estimated: what a sum of low words drops is known by two-sum, as rest is by
two-product. Hence, rounded upwards,

    r_t = |lam_t| r_{t-1} + lost_re + lost_im

which is exactly 0 where nothing was dropped: products by 0, +-2^-j and +-i 2^-j, sums with zeros,
small integers.

Underflow. p + e = a b fails only if the last bit of a b is below 2^-1074. As |a| < 2^53 ulp(a),
that needs |a b| < 2^-968; e is then on the grid of the subnormal numbers and off by 2^-1075 at
most. Products by 0 and +-1 stay exact. Sums do not underflow. Overflow. Infinity and NaN are passed
on by every operation to head or tail; there head and tail become 0 and the radius inf, which lasts
until lam_t = 0. Rounding upwards. Every path to r_t meets fewer than 16 roundings of numbers that
are not negative: the factor UP = 1 + 16u covers them, and TINY the underflow of the two products
among them.

How large. With P = |c x| + |d y|, step by step: the products lose 3u^2 P, the sum of their low
words 2u^2 P, f and g bring another 3u^2 P and 4u^2 P + u^2 |b|, all times 1 + 32u. The P of both
components add up to 2 |lam_t| |h_{t-1}| at most, so

    r_t <= |lam_t| r_{t-1} + 24 u^2 X_t (1 + 64u)  with  X_t = |lam_t| X_{t-1} + |b_t|
    r_t <= 25 u^2 t X_t

up to 2^40 steps: 2^-101 of the scan on absolute values per step. Underflow adds less than 16 TINY
per step and segment.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba.extending import intrinsic

from scanproof.reference.arithmetic.environment import require_ieee
from scanproof.reference.arithmetic.operations import TINY, UP
from scanproof.reference.inputs import Array, Inputs
from scanproof.reference.transitions.compiled import compiled
from scanproof.reference.truth.enclosure import Truth

SAFE = 2.0**-967  # the last bit of a product from here on is no less than 2^-1074
STRIP = 16  # channels that are stepped together: enough for vector units
# rows of what is kept of a strip; *_IM belongs to y
C, D, B, B_IM, X, Y, TAIL, TAIL_IM, R = range(9)


class ExactCarry(NamedTuple):
    """Enclosure of the states after one step, (batch, channels) each: |h - head - tail| <= rad."""

    head: Array  # float64 or complex128
    tail: Array  # float64 or complex128
    rad: Array  # float64, inf where nothing is known


def start(h0: Array) -> ExactCarry:
    """The exact state before the first step, from h0 (batch, channels): tail and radius are 0."""
    head = h0.astype(np.complex128 if np.iscomplexobj(h0) else np.float64)
    return ExactCarry(head, np.zeros_like(head), np.zeros(h0.shape))


def double_double(inputs: Inputs) -> Truth:
    """Encloses the states of `inputs` by double-double arithmetic (module docstring).

    Returns:
        A Truth of arrays (batch, time, channels), in the order of b's time axis.

    Raises:
        FloatingPointError: this process does not compute in IEEE arithmetic.
    """
    forward = inputs.forward()
    found, _ = advance(forward.lam, forward.b, start(forward.start))
    return Truth(*(part[:, ::-1] for part in found)) if inputs.reverse else found


def advance(lam: Array, b: Array, carry: ExactCarry) -> tuple[Truth, ExactCarry]:
    """Encloses the states of a block of steps that goes on from `carry`, forward in time.

    Blocks of any sizes give bit for bit what one block gives.

    Args:
        lam: (channels,) or (batch, time, channels), of any float or complex dtype.
        b: (batch, time, channels), complex if lam is.
        carry: the state before the block, (batch, channels), complex if b is.

    Returns:
        The Truth of the block, (batch, time, channels), and the carry after its last step.

    Raises:
        FloatingPointError: this process does not compute in IEEE arithmetic.
    """
    require_ieee()
    batch, time, channels = b.shape
    # from the carry on
    found = Truth(*(np.empty((batch, time + 1, channels), part.dtype) for part in carry))
    for states, before in zip(found, carry, strict=True):
        states[:, 0] = before
    components = (batch, time + 1, channels, 2 if np.iscomplexobj(found.head) else 1)
    head, tail = (states.view(np.float64).reshape(components) for states in found[:2])
    _steps(
        _native(lam if lam.ndim == 3 else lam[None, None]),
        lam.ndim == 3,
        _native(b),
        head,
        tail,
        found.rad,
    )
    return Truth(*(states[:, 1:] for states in found)), ExactCarry(
        *(states[:, -1].copy() for states in found)
    )


def _native(x: Array) -> Array:
    """x itself, or as float32 if it is of a 16-bit format."""
    return x.astype(np.float32) if x.dtype.itemsize == 2 else x


# ---------------------------------------------------------------- compiled


def _fma_of(_typing: Any, a: Any, b: Any, c: Any) -> Any:
    return a(a, b, c), lambda _context, builder, _signature, operands: builder.fma(*operands)


# a b + c rounded once: one instruction, or where there is none the C library's function
_fma: Any = intrinsic(_fma_of)


@compiled(forceinline=True)
def _two_sum(a: float, b: float) -> tuple[float, float]:
    """s and f: s + f = a + b."""
    s = a + b
    z = s - a
    return s, (a - (s - z)) + (b - z)


@compiled(forceinline=True)
def _two_product(a: float, b: float) -> tuple[float, float, float]:
    """p, e and a bound of |a b - p - e|."""
    p = a * b
    exact = (abs(p) >= SAFE) | (abs(a) == 1) | (a == 0) | (b == 0)
    return p, _fma(a, b, -p), 0.0 if exact else TINY


@compiled(forceinline=True)
def _times(c: float, x: float, tail: float) -> tuple[float, float, float]:
    """c (x + tail): high word, low word, and what was lost."""
    p, e, missed = _two_product(c, x)
    t, rest, missed_too = _two_product(c, tail)
    q, dropped = _two_sum(e, t)
    return p, q, missed + missed_too + abs(rest) + abs(dropped)


@compiled(forceinline=True)
def _plus(p: float, q: float, lost: float, b: float) -> tuple[float, float, float]:
    """(p + q) + b: high word, low word, and what was lost."""
    s, f = _two_sum(p, b)
    low, dropped = _two_sum(q, f)
    return s, low, lost + abs(dropped)


@compiled(forceinline=True)
def _component(
    c: float, x: float, x_tail: float, d: float, y: float, y_tail: float, b: float
) -> tuple[float, float, float]:
    """c (x + x') + d (y + y') + b: head, tail, and what was lost."""
    p_1, q_1, lost_1 = _times(c, x, x_tail)
    p_2, q_2, lost_2 = _times(d, y, y_tail)
    q, dropped = _two_sum(q_1, q_2)
    s, q, lost = _plus(p_1, q, lost_1 + lost_2 + abs(dropped), p_2)
    S, q, lost = _plus(s, q, lost, b)
    head, tail = _two_sum(S, q)
    return head, tail, lost


@compiled(forceinline=True)
def _modulus(c: float, d: float) -> float:
    """|c + i d| rounded upwards, 0 only for 0; the components may have any size."""
    large, small = max(abs(c), abs(d)), min(abs(c), abs(d))
    slope = small / max(large, TINY)
    return large * math.sqrt(1 + slope * slope) * UP + (TINY if small > 0 else 0.0)


@compiled(forceinline=True)
def _radius(size: float, r: float, lost: float) -> float:
    """size r + lost rounded upwards, 0 only where it is; zero times an unknown number is zero."""
    carried = (size > 0) & (r > 0)
    return ((size * r if carried else 0.0) + lost) * UP + (TINY if carried | (lost > 0) else 0.0)


@compiled(forceinline=True)
def _step(w: Array) -> None:
    """One step of a whole strip; w (rows, STRIP). A real scan has zeros for imaginary parts.

    All of a column is read before it is written: then the compiler finds that it can take several
    channels at once.
    """
    for k in range(STRIP):
        c, d, x, y, x_tail, y_tail, r = (
            w[C, k], w[D, k], w[X, k], w[Y, k], w[TAIL, k], w[TAIL_IM, k], w[R, k],
        )  # fmt: skip
        re, re_tail, lost_re = _component(c, x, x_tail, -d, y, y_tail, w[B, k])
        im, im_tail, lost_im = _component(c, y, y_tail, d, x, x_tail, w[B_IM, k])
        finite = math.isfinite(re + re_tail) & math.isfinite(im + im_tail)
        w[X, k], w[TAIL, k] = re if finite else 0.0, re_tail if finite else 0.0
        w[Y, k], w[TAIL_IM, k] = im if finite else 0.0, im_tail if finite else 0.0
        w[R, k] = _radius(_modulus(c, d), r, lost_re + lost_im) if finite else np.inf


@compiled(nogil=True)
def _steps(lam: Array, varying: bool, b: Array, head: Array, tail: Array, rad: Array) -> None:
    """Fills steps 1 ... time of head, tail (batch, time + 1, channels, components) and rad; step 0
    holds the carry."""
    batch, time, channels = b.shape
    strips = -(-channels // STRIP)
    for task in range(batch * strips):
        n, first = task // strips, task % strips * STRIP
        w = np.zeros((R + 1, STRIP))  # a strip that is not full has channels of zeros
        last, components = min(first + STRIP, channels), head.shape[3]
        for k in range(first, last):
            w[R, k - first] = rad[n, 0, k]
            for j in range(components):
                w[X + j, k - first], w[TAIL + j, k - first] = head[n, 0, k, j], tail[n, 0, k, j]
        for t in range(time):
            for k in range(first, last):
                multiplier, drive = lam[n * varying, t * varying, k], b[n, t, k]
                w[C, k - first], w[D, k - first] = multiplier.real, multiplier.imag
                w[B, k - first], w[B_IM, k - first] = drive.real, drive.imag
            _step(w)
            for k in range(first, last):
                rad[n, t + 1, k] = w[R, k - first]
                for j in range(components):
                    head[n, t + 1, k, j], tail[n, t + 1, k, j] = (
                        w[X + j, k - first],
                        w[TAIL + j, k - first],
                    )

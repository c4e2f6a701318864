"""What the classes of this package share: constants, sizes, counts, and what underflow can do.

    symbol  meaning
    u, c    unit roundoff; roundings that an addend can meet in one addition
    beta    relative error of one product, in the modulus
    eta     absolute loss of one real operation that underflows
    loss    16 eta: what forming one multiplier, or one product by it, may lose
            (at most eight real operations)
    e       assumed: relative error of exp, log, log1p, |z|, arg z; eta besides
    e_t     assumed: absolute error of sin, cos
    A       |lam_t|; b and b0 stand for |b_t| and |h0|
    X       the scan on absolute values, X_t = A_t X_{t-1} + |b_t|; `before` is X_{t-1}
    G       largest product of A over a segment, at least 1
    total   |h0| + |b_1| + ... + |b_t|
    t       1 for the first step

Functions are assumed to be exact at exp 0 = 1, log 1 = 0, cos 0 = 1, sin 0 = 0, |0| = 0.

Underflow. In the classes that multiply segments, every monomial lam_t ... lam_{k+1} b_k is cut into
segments, each multiplied by a number that stands for it. Fewer than 2t+2 operations make such
multipliers and as many apply them; each loses at most `loss` absolutely, whatever its relative
error. Where multipliers lose, the rest of the segment splits into pieces of size <= G, so they are
wrong by at most w = (1 + loss G^2)^(2t+2) - 1 (relative to G = 1), and every loss of a product
meets at most G (1 + w) later. With all relative errors of one monomial together at most the factor
`spread`:

    underflow_t = spread [ w total + (2t+2) loss G (1+w) ]
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scanproof.reference.arithmetic.constants import E_T, FFT, E
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.operations import TINY, UP, over_steps, roundings
from scanproof.reference.inputs import Array, Inputs
from scanproof.reference.transitions.diagonal import at, scan

LOG_ERROR = 2.0**-50  # absolute error of log |z|, with |z| near 1 by hypot
SUM_ERROR = 2.0**-40  # absolute error of log X, with X near 1 a float64 sum over time


class AssumedConstants(NamedTuple):
    """The numbers of the glossary, and the format's range."""

    u: float
    c: int
    beta: float
    eta: float
    loss: float
    e: float
    e_t: float
    fft: float  # u times the constant of the FFT
    smallest_normal: float
    largest: float


class Sizes(NamedTuple):
    """The arrays of the glossary: (batch, time, channels), b0 (batch, channels), t (time, 1)."""

    A: Array
    b: Array
    b0: Array
    X: Array
    before: Array
    G: Array
    total: Array
    t: Array

    @property
    def addends(self) -> Array:
        """The most additions on one path to h_t, (batch, time, channels): t - 1, or t with h0."""
        return np.asarray(self.t - 1 + (self.b0 > 0)[:, None])


def constants(arithmetic: Arithmetic, complex_products: bool) -> AssumedConstants:
    """Collects the constants of single operations of this arithmetic.

    Products are real where `complex_products` is False. e, e_t and fft are assumed
    (docs/measured/constants.md, docs/classes.md).
    """
    ops, form, assumed = (
        roundings(arithmetic, complex_products),
        arithmetic.format,
        arithmetic.assumed,
    )
    eta = max(form.smallest_subnormal / 2, TINY)
    e, e_t, fft = (factor * form.u * assumed for factor in (E, E_T, FFT))
    return AssumedConstants(
        ops.u, ops.c, ops.beta, eta, 16 * eta, e, e_t, fft, form.smallest_normal, form.largest
    )


def sizes(forward: Inputs, lost: float = 0.0, eta: float = 0.0) -> Sizes:
    """Computes the sizes of forward inputs, (batch, time, channels) each.

    G allows for multipliers (1 + lost) A + eta.
    """
    b, b0 = modulus(forward.b), modulus(forward.start)
    A = np.broadcast_to(modulus(forward.lam), b.shape)
    X = scan(A, b, b0)
    G = _largest_segment(np.where(A > 0, A * (1 + lost) + eta, 0.0))
    return Sizes(
        A,
        b,
        b0,
        X,
        delayed(X, b0),
        G,
        np.cumsum(b, axis=1) + b0[:, None],
        np.arange(1.0, b.shape[1] + 1)[:, None],
    )


def modulus(x: Array) -> Array:
    """Computes |x| rounded upwards, float64 (...); exact where one component is zero."""
    re, im = _components(x)
    return np.asarray(
        np.where((re != 0) & (im != 0), np.hypot(re, im) * UP + TINY, np.abs(re) + np.abs(im))
    )


def angle(x: Array) -> Array:
    """Computes |arg x| rounded upwards, float64 (...); 0 for 0."""
    re, im = _components(x)
    theta = np.abs(np.arctan2(im, re))
    return np.asarray(np.where((theta > 0) & (x != 0), theta * UP + TINY, 0.0))


def _components(x: Array) -> tuple[Array, Array]:
    """Real and imaginary parts in float64."""
    re = x.real.astype(float)
    return re, x.imag.astype(float) if np.iscomplexobj(x) else np.zeros_like(re)


def delayed(x: Array, start: Array) -> Array:
    """Gives x_{t-1}, (batch, time, channels), from x of this shape and start (batch, channels)."""
    return np.concatenate([start[:, None], x[:, :-1]], axis=1)[:, : x.shape[1]]


def grow(rate: Array | float, count: Array | float) -> Array:
    """Computes (1 + rate)^count - 1 rounded upwards, in their common shape (...); 0 for count 0.

    It is the growth of n roundings in docs/theorem.md.
    """
    return np.asarray(np.expm1(np.asarray(count) * np.log1p(rate)) * UP)


def chunk_addends(size: Sizes, length: int) -> Array:
    """Counts additions on one path in chunks, min(t, L) - 1 + ceil(t/L): (time, 1).

    Chunks of L = `length` steps are summed from zero, and the carry is added once
    (docs/classes.md).
    """
    return np.asarray(np.minimum(size.t, length) - 1 + np.ceil(size.t / length))


def underflow(size: Sizes, k: AssumedConstants, spread: Array) -> Array:
    """Computes underflow_t of the module docstring: float64 (batch, time, channels)."""
    count = 2 * size.t + 2
    w = grow(k.loss * size.G * size.G, count)
    return np.asarray(spread * (w * size.total + count * k.loss * size.G * (1 + w)))


def settled(error: Array, peak: Array, size: Sizes, k: AssumedConstants) -> Array:
    """Rounds a bound (batch, time, channels) upwards against its own float64 evaluation.

    It is inf from where `peak`, the largest number of a program, or a state could overflow.
    """
    bound = error * over_steps(size.t) + 64 * (size.t + 8) * TINY * size.G
    safe = np.maximum.accumulate(np.maximum(peak, size.X + bound), axis=1) < k.largest / 4
    return np.asarray(np.where(safe, bound, np.inf))


def _largest_segment(A: Array) -> Array:
    """G_t: the largest product of multipliers over a segment up to t, at least 1."""
    products, ending = np.ones(A.shape), np.ones(A[:, 0].shape if A.shape[1] else A.shape[::2])
    for t in range(A.shape[1]):
        ending = products[:, t] = at(A, t) * np.maximum(ending, 1)
    return np.asarray(np.maximum.accumulate(np.maximum(products, 1), axis=1))

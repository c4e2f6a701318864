"""The order `angle-sum`: scans by e^{i theta} whose programs add the angles (RotRNN, arXiv
2407.07239, and any complex lam).

Elements (g, theta, x) are combined, in any bracketing, by

    (g1, theta1, x1) then (g2, theta2, x2)  =  (g2 g1, theta2 + theta1, g2 e^{i theta2} x1 + x2)

The first state is an element too, or multiplied once. Angles are added as floats of the working
precision and never reduced; e^{i theta} is (cos, sin) of that float; g, rotation and state are
multiplied in any order.

    symbol    meaning                                             shape
    m         factors of a monomial lam_t ... lam_{k+1} b_k:      a number
              t - k, or t for the first state
    Th        |theta_t| as a program reads it, at most            (channels,) or
                                                                  (batch, time, channels)
    read      how wrong that is, or how much a sum of them may    as Th
              flush, at most
    gain      size of one multiplier with its errors              (channels,) or as W
    W         sizes of the states with their errors,              (batch, time, channels)
              h_{t-1} for step t

A monomial is multiplied by r <= m numbers, each standing for a segment of its steps. Their moduli,
functions and products have, together, no more errors than m multipliers that are formed one by one:
gain counts them. What is left is that the angles are sums, and

    |(1 + d) e^{ix} - 1| <= |d| + (1 + |d|) |x|

A number that meets d additions is wrong by read, and by Th ((1+u)^d - 1) <= Th d v with
v = ((1+u)^t - 1) / t for d <= t (convexity). No number of m meets more than m - 1, and the depths
of a tree of m leaves add up to (m - 1)(m + 2)/2 at most, one number added after the other. So all
angles of a monomial are wrong by at most

    sum of read + v D,     D = (m - 1) sum of Th
                           or, where every step has the same angle, D = Th (m - 1)(m + 2)/2

which is summed over the monomials, weighted with their sizes, by one recursion for each (x~ is x
one step before):

    S = gain (S~ + Th W)          sum of Th
    M = gain (M~ + W)             m
    D = gain (D~ + S~ + Th M~)    (m - 1) sum of Th: a step makes it m (sum of Th + Th)
    D = gain (D~ + Th (M~ + N~))  (m - 1)(m + 2)/2: a step adds m + 1 where m > 0,
                                  and N = gain W counts the monomials with m > 0

**Scans of lam** (`angle_sum`): (g, theta) = (|lam_t|, arg lam_t) with relative error e,
|theta| <= pi. Symbols as in common.py. gain = A (1+rho) and eta more, where

    1+rho = (1+e)(1+u)(1+beta)(1 + sqrt2 e_t)

A real lam has angle 0 or pi, and a program with real states keeps the real part of each rotation.

    E  <-  gain E + (gain - A) X             excess of the inflated sizes;  W = X + E
    bound = (1+xi) [E + errors of angles] + xi X + underflow
    xi = (1+u)^(c d) - 1,  d = t - 1 additions, t with h0

**Layers** (`added_angles`): bound = that of a bracketing + (1+u)^(2 (T+1)) errors of angles.
Derivatives through such a scan (`adjoint any`) have monomials whose sums of angles reach from the
states into their cotangents, which two scans count apart: m = m1 + 1 + m2. There every factor of
either is given 2 a_T / T more, a_m = m read + v Th m (m + 1)/2, since m <= 2 (m1 + m2) for m > 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from scanproof.reference.allowance.bounded import Bounded
from scanproof.reference.allowance.orders.common import (
    angle,
    constants,
    delayed,
    grow,
    settled,
    sizes,
    underflow,
)
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.operations import UP, Roundings
from scanproof.reference.inputs import Array, Inputs
from scanproof.reference.transitions.diagonal import scan as positive

ROOT2 = 2**0.5 * UP


def angle_errors(gain: Array, Th: Array, read: Array, W: Array, u: float) -> Array:
    """Bounds how wrong the angles of all monomials are, weighted with their sizes.

    The recursions are those of the module docstring.

    Args:
        gain, Th, read: (channels,) or (batch, time, channels).
        W: (batch, time, channels)
        u: unit roundoff.

    Returns:
        float64 (batch, time, channels).
    """
    nothing, t = np.zeros_like(W[:, 0]), np.arange(1.0, W.shape[1] + 1)[:, None]

    def summed(x: Array) -> Array:
        return positive(gain, gain * x, nothing)

    def before(x: Array) -> Array:
        return delayed(x, nothing)

    def depths_of_one_angle() -> Array:
        return summed(Th * before(M + gain * W))

    def depths() -> Array:
        return summed(before(summed(Th * W)) + Th * before(M))

    M = summed(W)
    D = depths_of_one_angle() if Th.ndim == 1 else depths()
    return np.asarray(summed(read * W) + grow(u, t) / t * D)


def angle_sum(forward: Inputs, arithmetic: Arithmetic) -> Array:
    """Bounds a scan of lam whose programs add angles (module docstring): (batch, time, channels).

    The result is float64, inf where overflow is possible.
    """
    k = constants(arithmetic, complex_products=True)
    size = sizes(forward, k.e, k.eta)
    rho = (k.u + k.beta + k.u * k.beta + (1 + k.u) * (1 + k.beta) * ROOT2 * k.e_t) * UP
    dA = np.where(size.A > 0, k.e * size.A + k.eta, 0.0)
    gain = (size.A + dA) * (1 + rho)
    theta = angle(forward.lam)
    read = np.where(theta > 0, k.e * theta + k.eta, 0.0)
    E = positive(gain, dA * size.before * (1 + rho) + size.A * size.before * rho)
    W = size.before + delayed(E, np.zeros_like(size.b0))
    xi = grow(k.u, k.c * size.addends)
    error = (1 + xi) * (E + angle_errors(gain, theta + read, read, W, k.u)) + xi * size.X
    spread = (1 + xi) * (1 + grow(rho, size.t))
    farthest = np.cumsum(np.broadcast_to(theta + read, size.A.shape), axis=1)
    peak = np.maximum(size.G * spread, (1 + grow(k.u, size.t)) * farthest)
    return settled(error + underflow(size, k, spread), peak, size, k)


def added_angles(
    scan: Callable[..., Bounded],
    theta: Bounded,
    lam: Bounded,
    b: Bounded,
    h0: Bounded,
    ops: Roundings,
) -> Bounded:
    """Computes a rotation with decay whose programs add angles (module docstring).

    Args:
        scan: the scan of a bracketing, on elements.
        theta: (heads, pairs)
        lam: (channels,), complex, channels = heads * pairs.
        b: (batch, time, channels), complex.
        h0: (batch, channels), complex.
        ops: the constants of one product of that bracketing.

    Returns:
        The states (batch, time, channels).
    """
    time, u, flushed = b.shape[1], lam.errors.real.u, lam.errors.real.sum_loss
    loss = ops._replace(product_loss=2 * ops.product_loss)  # gamma and rotation may underflow apart
    Th, read = theta.size.reshape(-1) + flushed, theta.E.reshape(-1) + flushed  # (channels,)
    each = (Th * grow(u, time) / max(time, 1) * (time + 1) / 2 + read) * UP  # a_T / T
    lam.errors.tally.note(time * (Th + each), 16 * time)
    if not lam.errors.materialized:
        worse = float((2 * each).max(initial=0.0))
        return scan(
            lam, b, h0, ops=loss._replace(beta=(loss.beta + worse + loss.beta * worse) * UP)
        )
    found = scan(lam, b, h0, ops=loss)
    gain, b, h0 = (lam.X + lam.E) * (1 + loss.beta), b.materialized(), h0.materialized()
    start = h0.X + h0.E
    W = delayed(positive(gain, b.X + b.E, start), start)
    moved = angle_errors(gain, Th, read, W, u) * (1 + u) ** (2 * time + 2) * UP
    return replace(found, E0=found.E0 + moved)

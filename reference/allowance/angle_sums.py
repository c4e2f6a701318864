"""Scans of layers that are no bracketings of products: the order `angle-sum` of RotRNN (arXiv 2407.07239).

Elements (gamma, theta, s) are combined by (g1, t1, s1) then (g2, t2, s2) = (g2 g1, t2 + t1, g2 R(t2) s1 + s2) in any bracketing;
the first s0 is an element too, or multiplied once. Angles are added as floats of the working precision and never reduced; cos and
sin are those of the sum; gamma, (cos, sin) and the state are multiplied in any order.

    symbol    meaning
    m         factors of a monomial (gamma Theta)^m b_k: t - k, or t for s0
    A, dA     gamma, and how far one multiplier gamma (cos, sin) that is formed by itself may be from gamma e^{i theta}
    Th, dTh   |theta| as it is read, and the error of reading it
    f         loss of one sum that underflows
    W         sizes with their errors: W_t = gain W_{t-1} + |b_t| + E^b_t, gain = (A + dA) (1 + beta), beta as in a bracketing

A monomial is multiplied by r <= m numbers g R(angle), each standing for some of its m steps. Their moduli, functions and products
have, together, no more errors than m multipliers that are formed one by one: dA and beta count them. What is left is that the
angles are sums. One of m numbers, the i-th of which meets d_i additions, is wrong by at most the sum of (Th + f) ((1+u)^d_i - 1)
+ f + dTh. By convexity (1+u)^d - 1 <= d v with v = ((1+u)^T - 1) / T for m <= T steps, and the depths of a tree of m leaves add
up to (m - 1) (m + 2) / 2 at most, one number added after the other; so all r sums together are wrong by at most

    a_m = (Th + f) v m (m + 1) / 2 + m (f + dTh)        and     |(1 + d) e^{ix} - 1| <= |d| + (1 + |d|) |x|

Sums over the monomials are moments of their sizes:

    S1_t = sum of m   gain^m W_k = gain (S1 + W)_{t-1}
    S2_t = sum of m^2 gain^m W_k = gain (S2 + 2 S1 + W)_{t-1}
    bound = that of a bracketing  +  (1+u)^(2 (T+1)) [ (Th + f) v (S2 + S1) / 2 + (f + dTh) S1 ]

Derivatives through such a scan (`adjoint any`) have monomials whose sums of angles reach from the states into their cotangents,
which two scans count apart: m = m1 + 1 + m2. There every factor of either is given 2 a_T / T more: m <= 2 (m1 + m2) for m > 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from scanproof.reference.allowance.near import Near
from scanproof.reference.arithmetic.operations import UP, Roundings
from scanproof.reference.inputs import Array
from scanproof.reference.transitions.diagonal import scan as positive


def angle_sum(scan: Callable[..., Near], theta: Near, lam: Near, b: Near, h0: Near, ops: Roundings) -> Near:
    """A rotation with decay by added angles; scan, ops: that of a bracketing, and the constants of one of its products.

    theta (heads, pairs); lam (channels,), b (batch, time, channels), h0 (batch, channels), complex.
    """
    time, u, f = b.shape[1], lam.rules.real.u, lam.rules.real.sum_loss
    read, loss = theta.E.reshape(-1), ops._replace(product_loss=2 * ops.product_loss)  # gamma and rotation may underflow apart
    angle = theta.size.reshape(-1) + f  # (channels,)
    v = np.expm1(time * np.log1p(u)) / max(time, 1) * UP
    each = (angle * v * (time + 1) / 2 + f + read) * UP  # a_T / T (channels,)
    lam.rules.tally.note(time * (angle + each), 16 * time)
    if not lam.rules.anchored:
        worse = float((2 * each).max(initial=0.0))
        return scan(lam, b, h0, ops=loss._replace(beta=(loss.beta + worse + loss.beta * worse) * UP))
    found = scan(lam, b, h0, ops=loss)
    first, second = _moments((lam.X + lam.E) * (1 + loss.beta), b.stage(), h0.stage())
    moved = (angle * v * (second + first) / 2 + (f + read) * first) * (1 + u) ** (2 * time + 2) * UP  # (batch, time, channels)
    return replace(found, E0=found.E0 + moved)


def _moments(gain: Array, b: Near, h0: Near) -> tuple[Array, Array]:
    """S1 and S2. (batch, time, channels) each"""
    nothing, size, start = np.zeros(h0.shape), b.X + b.E, h0.X + h0.E
    W = positive(gain, size, start)
    S1 = positive(gain, gain * _before(W, start), nothing)
    return S1, positive(gain, gain * (2 * _before(S1, nothing) + _before(W, start)), nothing)


def _before(x: Array, start: Array) -> Array:
    """x_{t-1}. (batch, time, channels)"""
    return np.concatenate([start[:, None], x], axis=1)[:, : x.shape[1]]

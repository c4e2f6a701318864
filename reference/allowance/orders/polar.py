"""Scans that multiply by e^{i angle}: `angle-sum` and `polar:L`. Symbols as in common.py. lam may be real
(its angle is 0 or pi); a program with real states keeps the real part of each rotation.

`angle-sum`. Every lam_t is turned into (g, theta) = (|lam_t|, arg lam_t), |theta| <= pi; elements (g, theta, x) are combined by

    (g1, theta1, x1) then (g2, theta2, x2)  =  (g2 g1, theta2 + theta1, g2 e^{i theta2} x1 + x2)

in any bracketing, h0 first. Angles are added as floats of the working precision and never reduced; e^{i theta} is (cos, sin) of
that float; g, rotation and state are multiplied in any order.
A monomial of m = t - k factors meets at most m functions |.|, m products of moduli (g with (cos, sin) included), m rotations:

    (1+rho)^m,    1+rho = (1+e)(1+u)(1+beta)(1 + sqrt2 e_t)

Its angles are converted with relative error e and added in segments of at most m numbers, so with Th = |theta_{k+1}| + ... +
|theta_t| their sum is wrong by at most Th [(1+e)(1+u)^(m-1) - 1], and |e^{ia} - e^{ib}| <= |a - b|. By convexity
(1+u)^(m-1) - 1 <= (m-1) v, v = ((1+u)^t - 1)/t. What is left are sums over the monomials, weighted with their inflated sizes;
gain = A (1+rho), and eta more for the conversion:

    E  <-  gain E + (gain - A) X             excess of the inflated sizes;  W = X + E
    S  <-  gain (S + theta W)                sum of Th
    M  <-  gain (M + W)                      sum of m
    Q  <-  gain (Q + S + theta M)            sum of (m - 1) Th: a step makes it m (Th + theta)
    bound = (1+xi) [E + e S + (1+e) v Q] + xi X + underflow,      xi = (1+u)^(c d) - 1,  d = t - 1 additions, t with h0

`polar:L`. Constant lam != 0, chunks of L steps. Powers are lam^j = exp(j log|lam|) (cos(j theta), sin(j theta)), 1 <= j <= L,
where j log|lam| and j theta are one rounded product each. The states of a chunk are formed from zero: by any bracketing with
products of lam itself, or as sums, in any order, of lam^(t-k) b_k, one power each. To each state the carry (the last state of the
chunk before, or h0) is added once, times one power; carries may themselves be scanned in any bracketing.

    lg = log|lam|:    |lg^ - lg| <= d = d0 + e (|lg| + d0) + eta,  d0 = -log(1 - e - eta/A)
    1 + pi_j <= e^{j delta} (1 + j phi + sqrt2 e_t)(1+e)(1+u),    delta = u |lg| + (1+u) d + eta,
                                                                  phi = |theta| (e + u + e u) + 2 eta (1+u)
             <= (1+step)^j (1+once),    1+step = e^{delta+phi},    1+once = (1+sqrt2 e_t)(1+e)(1+u)

A monomial that crosses q chunk boundaries is cut into at most q + 1 powers, each applied by one product: relative error
(1 + max(step, beta))^m [(1+once)(1+beta)]^(q+1), then min(t, L) - 1 + ceil(t/L) additions.
"""

from __future__ import annotations

import numpy as np

from scanproof.reference.allowance.orders.common import (
    LOG_ERROR,
    Constants,
    angle,
    chunk_addends,
    constants,
    delayed,
    grow,
    settled,
    sizes,
    underflow,
)
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.operations import UP
from scanproof.reference.inputs import Array, Inputs
from scanproof.reference.transitions.diagonal import scan

ROOT2 = 2**0.5 * UP


def angle_sum(forward: Inputs, arithmetic: Arithmetic) -> Array:
    """Bound of `angle-sum`, (batch, time, channels)."""
    k = constants(arithmetic, complex_products=True)
    size = sizes(forward, k.e, k.eta)
    rho = (k.u + k.beta + k.u * k.beta + (1 + k.u) * (1 + k.beta) * ROOT2 * k.e_t) * UP
    dA = np.where(size.A > 0, k.e * size.A + k.eta, 0.0)
    gain = (size.A + dA) * (1 + rho)
    theta = np.broadcast_to(angle(forward.lam), size.A.shape)
    theta = np.where(theta > 0, theta + k.eta / k.e, 0.0)  # covers the absolute loss of a tiny angle
    E = scan(gain, dA * size.before * (1 + rho) + size.A * size.before * rho)
    W = size.before + delayed(E, np.zeros_like(size.b0))
    xi = grow(k.u, k.c * size.addends)
    error = (1 + xi) * (E + _angle_error(gain, theta, W, k)) + xi * size.X
    spread = (1 + xi) * (1 + grow(rho, size.t))
    peak = np.maximum(size.G * spread, (1 + k.e) * (1 + grow(k.u, size.t)) * np.cumsum(theta, axis=1))
    return settled(error + underflow(size, k, spread), peak, size, k)


def _angle_error(gain: Array, theta: Array, W: Array, k: Constants) -> Array:
    """e S + (1+e) v Q: what wrong angles do."""
    nothing, t = np.zeros_like(W[:, 0]), np.arange(1.0, W.shape[1] + 1)[:, None]
    S, M = scan(gain, gain * theta * W), scan(gain, gain * W)
    Q = scan(gain, gain * (delayed(S, nothing) + theta * delayed(M, nothing)))
    return np.asarray(k.e * S + (1 + k.e) * (grow(k.u, t) / t) * Q)


def polar(forward: Inputs, arithmetic: Arithmetic) -> Array:
    """Bound of `polar:L`, (batch, time, channels)."""
    length = arithmetic.chunk or 1
    k, size = constants(arithmetic, complex_products=True), sizes(forward)
    step, once = power(forward, k)
    each = (once + k.beta + once * k.beta) * UP
    crossing = (size.t - 1) % length == 0  # (time, 1)
    step = np.maximum(step, k.beta)
    alpha = np.where(crossing, (step + each + step * each) * UP, step)  # (time, channels)
    alpha = np.broadcast_to(alpha, size.b.shape)
    E = scan(size.A * (1 + alpha), size.A * size.before * alpha)
    xi = grow(k.u, k.c * chunk_addends(size, length))
    error = (1 + xi) * ((1 + each) * E + size.A * size.before * each) + xi * size.X
    spread = (1 + xi) * (1 + each) * np.exp(np.cumsum(np.log1p(alpha), axis=1)) * (1 + size.t * (UP - 1))
    return settled(error + underflow(size, k, spread), size.G * spread, size, k)


def power(forward: Inputs, k: Constants) -> tuple[Array, float]:
    """`step` (channels,) and `once`: |computed lam^j - lam^j| <= [(1+step)^j (1+once) - 1] |lam|^j, j >= 1, but for underflow."""
    A = np.abs(forward.lam.astype(complex))
    lg = np.abs(np.log(A)) * UP + LOG_ERROR
    d0 = -np.log1p(-(k.e + k.eta / A) * UP) * UP
    d = d0 + k.e * (lg + d0) + k.eta
    delta, phi = k.u * lg + (1 + k.u) * d + k.eta, angle(forward.lam) * (k.e + k.u + k.e * k.u) + 2 * k.eta * (1 + k.u)
    once = ROOT2 * k.e_t + k.e + k.u + ROOT2 * k.e_t * (k.e + k.u + k.e * k.u) + k.e * k.u
    return np.asarray(np.expm1((delta + phi) * UP) * UP), once * UP

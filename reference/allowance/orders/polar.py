"""The order `polar:L`: powers of a constant lam by its modulus and angle. Symbols as in common.py.
lam may be real (its angle is 0 or pi); a program with real states keeps the real part of each
rotation.

Constant lam != 0, chunks of L steps. Powers are lam^j = exp(j log|lam|) (cos(j theta), sin(j
theta)), 1 <= j <= L, where j log|lam| and j theta are one rounded product each. The states of a
chunk are formed from zero: by any bracketing with products of lam itself, or as sums, in any order,
of lam^(t-k) b_k, one power each. To each state the carry (the last state of the chunk before, or
h0) is added once, times one power; carries may themselves be scanned in any bracketing.

    lg = log|lam|:    |lg^ - lg| <= d = d0 + e (|lg| + d0) + eta,  d0 = -log(1 - e - eta/A)
    delta = u |lg| + (1+u) d + eta,    phi = |theta| (e + u + e u) + 2 eta (1+u)
    1 + pi_j <= e^{j delta} (1 + j phi + sqrt2 e_t)(1+e)(1+u)
             <= (1+step)^j (1+once),    1+step = e^{delta+phi},    1+once = (1+sqrt2 e_t)(1+e)(1+u)

A monomial that crosses q chunk boundaries is cut into at most q + 1 powers, each applied by one
product: relative error (1 + max(step, beta))^m [(1+once)(1+beta)]^(q+1), then
min(t, L) - 1 + ceil(t/L) additions.
"""

from __future__ import annotations

import numpy as np

from scanproof.reference.allowance.orders.common import (
    LOG_ERROR,
    AssumedConstants,
    angle,
    chunk_addends,
    constants,
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


def polar(forward: Inputs, arithmetic: Arithmetic) -> Array:
    """Bounds `polar:L` as the module docstring derives: float64 (batch, time, channels)."""
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
    spread = (
        (1 + xi) * (1 + each) * np.exp(np.cumsum(np.log1p(alpha), axis=1)) * (1 + size.t * (UP - 1))
    )
    return settled(error + underflow(size, k, spread), size.G * spread, size, k)


def power(forward: Inputs, k: AssumedConstants) -> tuple[Array, float]:
    """Bounds the relative error of powers of lam, j >= 1, but for underflow (module docstring):

        |computed lam^j - lam^j| <= [(1+step)^j (1+once) - 1] |lam|^j

    Returns:
        step, float64 (channels,), and once.
    """
    A = np.abs(forward.lam.astype(complex))
    lg = np.abs(np.log(A)) * UP + LOG_ERROR
    d0 = -np.log1p(-(k.e + k.eta / A) * UP) * UP
    d = d0 + k.e * (lg + d0) + k.eta
    delta, phi = (
        k.u * lg + (1 + k.u) * d + k.eta,
        angle(forward.lam) * (k.e + k.u + k.e * k.u) + 2 * k.eta * (1 + k.u),
    )
    once = ROOT2 * k.e_t + k.e + k.u + ROOT2 * k.e_t * (k.e + k.u + k.e * k.u) + k.e * k.u
    return np.asarray(np.expm1((delta + phi) * UP) * UP), once * UP

"""Scans by cumulative products or sums of logarithms: `scaled-cumsum` and `segment-exp:L`; real
lam. Symbols as in common.py.

`scaled-cumsum`. With P = cumprod(lam) and P_0 = 1,

    h_t = P_t (h0 + sum_{k<=t} b_k / P_k)

where products and sums are taken in any order (b / P may be b times a reciprocal). The monomial of
b_k meets t - 1 products in P_t, t - 1 additions (t with h0), a quotient, a reciprocal and a last
product; and k - 1 products in P_k, below the fraction bar:

    bound = [(1+u)^(2t+1) / (1-u)^(t-1) - 1] X + underflow          (one factor 1+u more with h0)

It holds while no product of lam over any segment comes near the limits of the format (then neither
does a reciprocal); a quotient may still lose eta per component, which meets P_t at most, and so may
the last product: 2 eta (t |P_t| + 1).

`segment-exp:L`. lam > 0, chunks of L steps, c_t the sum of log lam from the beginning of t's
chunk, in any order. The states of a chunk are formed from zero, and the carry (the last state of
the chunk before, or h0) is added once:

    h_t = sum_{k<=t in the chunk} exp(c_t - c_k) b_k + exp(c_t) carry

Each logarithm is computed once, so its error is the same in c_t and in c_k; what is masked is never
formed; c_t - c_k may also be summed directly; carries may be scanned in any bracketing. With C_t
the sum of |log lam| from the beginning of the chunk (|c_t| would not do: logarithms cancel, their
roundings do not), sigma = (1+e)[(1+u)^(min(L,T)-1) - 1] and kappa = e + sigma,

    |c_t^ - c_t| <= kappa C_t
    |c_t^ - c_k^ - (c_t - c_k)| <= e (C_t - C_k) + sigma (C_t + C_k)
                                 = kappa (C_t - C_k) + 2 sigma C_k

and the difference is rounded: exponents are wrong by 2 (1+u) sigma C_k when b_k enters, and by
[(1+u) kappa + u] |log lam| a step. Each segment costs one exp and one product, (1+e)(1+u), at every
chunk boundary and once at the end:

    E_t   = F_t + [exp(2 (1+u) sigma C_t) - 1] |b_t|
    F_t   = A (1+alpha) E_{t-1} + A alpha X_{t-1}
    bound = (1+xi) [(1+s) F_t + s A X_{t-1}] + xi X + underflow

    1+alpha = exp([(1+u) kappa + u] |log lam|),  times 1+s where a chunk begins
    1+s = (1+e)(1+u),    1+xi = (1+u)^(min(t,L) - 1 + ceil(t/L))
"""

from __future__ import annotations

import numpy as np

from scanproof.reference.allowance.orders.common import (
    AssumedConstants,
    Sizes,
    chunk_addends,
    constants,
    delayed,
    grow,
    settled,
    sizes,
    underflow,
)
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.operations import UP, over_steps
from scanproof.reference.inputs import Array, Inputs
from scanproof.reference.transitions.diagonal import at, scan


def scaled_cumsum(forward: Inputs, arithmetic: Arithmetic) -> Array:
    """Bounds `scaled-cumsum` as the module docstring derives: float64 (batch, time, channels)."""
    k, size = constants(arithmetic, complex_products=False), sizes(forward)
    below = np.expm1(-(size.t - 1) * np.log1p(-k.u)) * UP
    above = grow(k.u, size.t + 2 + size.addends)
    growth = (above + below + above * below) * UP
    P = np.cumprod(size.A, axis=1)
    scaled = size.b0[:, None] + np.cumsum(size.b / P, axis=1)
    error = growth * size.X + (1 + growth) * 2 * k.eta * (size.t * P + 1)
    return np.where(
        _in_range(size, growth, k), settled(error, scaled * (1 + growth), size, k), np.inf
    )


def _in_range(size: Sizes, growth: Array, k: AssumedConstants) -> Array:
    """Where no product over any segment up to t, nor its reciprocal, underflows or overflows."""
    smallest, ending = np.ones(size.A.shape), np.ones(size.b0.shape)
    for t in range(size.A.shape[1]):
        ending = smallest[:, t] = at(size.A, t) * np.minimum(ending, 1)
    smallest = np.minimum.accumulate(np.minimum(smallest, 1), axis=1)
    limit = 2 * k.smallest_normal * (1 + growth)
    return np.asarray((smallest >= limit) & (size.G <= 1 / limit))


def segment_exp(forward: Inputs, arithmetic: Arithmetic) -> Array:
    """Bounds `segment-exp:L` as the module docstring derives: float64 (batch, time, channels)."""
    length = arithmetic.chunk or 1
    k, size = constants(arithmetic, complex_products=False), sizes(forward)
    positive = np.broadcast_to(forward.lam, size.b.shape) > 0
    beginning = (size.t - 1) % length == 0  # (time, 1)
    C, entering, rate = _exponents(size, length, k)
    s = (k.e + k.u + k.e * k.u) * UP
    alpha = np.where(beginning, (rate + s + rate * s) * UP, rate)
    E = scan(size.A * (1 + alpha), size.A * size.before * alpha + entering * size.b)
    F = size.A * (1 + alpha) * delayed(E, np.zeros_like(size.b0)) + size.A * size.before * alpha
    xi = grow(k.u, k.c * chunk_addends(size, length))
    error = (1 + xi) * ((1 + s) * F + size.A * size.before * s) + xi * size.X
    grown = np.exp(np.cumsum(np.log1p(alpha), axis=1)) * (
        1 + np.maximum.accumulate(entering, axis=1)
    )
    spread = (1 + xi) * (1 + s) * grown * over_steps(size.t)
    found = settled(error + underflow(size, k, spread), np.maximum(size.G * spread, C), size, k)
    return np.where(np.logical_and.accumulate(positive, axis=1), found, np.inf)


def _exponents(size: Sizes, length: int, k: AssumedConstants) -> tuple[Array, Array, Array]:
    """C_t, exp(2 (1+u) sigma C_t) - 1 and exp([(1+u) kappa + u] |log lam|) - 1.

    Each is (batch, time, channels).
    """
    # eta / e: a logarithm may underflow
    logs = np.where(size.A == 1, 0.0, np.abs(np.log(size.A)) * UP + k.eta / k.e)
    sigma = (1 + k.e) * grow(k.u, min(length, size.b.shape[1]) - 1) * UP
    rate = (1 + k.u) * (k.e + sigma) + k.u
    within = np.broadcast_to((size.t - 1) % length != 0, logs.shape).astype(float)
    C = scan(within, logs)
    return (
        C,
        np.expm1(2 * (1 + k.u) * sigma * C * over_steps(size.t)) * UP,
        np.expm1(rate * logs * UP) * UP,
    )

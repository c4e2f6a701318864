"""`log-space`: positive lam, b and (if given) h0, scanned as logarithms. Symbols as in common.py.

    a_t = log lam_1 + ... + log lam_t          summed in any order
    v_k = log b_k - a_k,  v_0 = log h0
    s_t = log(sum_{k<=t} exp v_k)              by logaddexp in any bracketing
    h_t = exp(a_t + s_t)

and logaddexp(x, y) = max(x, y) + log1p(exp(-|x - y|)) (Heinsen, Efficient parallelization of a
ubiquitous sequential computation, 2023; torch.logcumsumexp and jax.lax.cumlogsumexp are such). All
monomials are positive, so h = X, and an error d of the last exponent is a relative error e^d - 1.
With L_t the sum of |log lam|, B the largest |log b| and |log h0| so far:

    a:  kappa L,          kappa = (1+e)(1+u)^(t-1) - 1
    v:  (1+u)(e B + kappa L) + u (B + L)                      =: dv
    s:  log-sum-exp changes by no more than the largest change of its arguments, so errors of v are
        passed on undiminished at most, and every logaddexp adds an error lambda of its own. With
        D = |x - y| and q = exp(-D) <= 1:
            rounding D and exp make q wrong by (u D + e) q (1+...) + eta, log1p divides that by
            1 + q, and D q / (1+q) < 0.28:
                                       (0.28 u + e/2)(1 + 4e + 4u) + eta
            log1p itself is wrong by   e log 2 + eta   (second orders are in the 4e above)
            the sum is wrong by        u |s|
        A path meets d of them: t - 1, or t with h0.
        |s| <= R + d lambda,  R = B + L + dv + log(t+1)
    h:  (1+u)(kappa L + dv + d lambda) + u |log h|,  then exp with e and eta

    lambda = (1+u)[(0.28 u + e/2)(1 + 4e + 4u) + e log 2 + 3 eta] + u (R + d lambda)
             (solved for d lambda: needs d u < 1)
    bound  = X [(1+e) exp((1+u)(kappa L + dv + d lambda) + u |log X|) - 1] + eta
"""

from __future__ import annotations

import numpy as np

from scanproof.reference.allowance.orders.common import (
    LOG_ERROR,
    SUM_ERROR,
    constants,
    grow,
    settled,
    sizes,
)
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.operations import UP, over_steps
from scanproof.reference.inputs import Array, Inputs


def log_space(forward: Inputs, arithmetic: Arithmetic) -> Array:
    """Bounds `log-space` as the module docstring derives: float64 (batch, time, channels)."""
    k, size = constants(arithmetic, complex_products=False), sizes(forward)
    # eta / e: a logarithm may underflow
    L = np.cumsum(np.abs(np.log(size.A)) + k.eta / k.e, axis=1)
    h0 = np.where(size.b0 > 0, np.abs(np.log(np.where(size.b0 > 0, size.b0, 1.0))), 0.0)
    B = np.maximum(np.maximum.accumulate(np.abs(np.log(size.b)), axis=1), h0[:, None]) + k.eta / k.e
    summed = grow(k.u, size.t - 1)
    kappa = (k.e + summed + k.e * summed) * UP
    dv = (1 + k.u) * (k.e * B + kappa * L) + k.u * (B + L)
    node = (1 + k.u) * (
        (0.28 * k.u + k.e / 2) * (1 + 4 * k.e + 4 * k.u) + k.e * np.log(2) * UP + 3 * k.eta
    )
    R = B + L + dv + np.log(size.t + 1) + LOG_ERROR
    free = 1 - k.u * size.addends
    ds = dv + np.where(free > 0, size.addends * (node + k.u * R) / free, np.inf)
    exponent = (1 + k.u) * (kappa * L + ds) + k.u * (np.abs(np.log(size.X)) + SUM_ERROR)
    exponent = exponent * over_steps(size.t)
    relative = np.expm1(exponent) * UP
    error = size.X * (relative + k.e + k.e * relative) + k.eta
    found = settled(error, R + ds + L, size, k)
    return np.where(positive(forward), found, np.inf)


def positive(forward: Inputs) -> Array:
    """Finds where lam and b, and h0 if given, are positive so far: bool (batch, time, channels)."""
    # (batch, channels)
    start = np.ones(forward.start.shape, bool) if forward.h0 is None else forward.h0 > 0
    return np.asarray(
        np.logical_and.accumulate((forward.lam > 0) & (forward.b > 0) & start[:, None], axis=1)
    )

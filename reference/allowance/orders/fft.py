"""`fft`: constant lam, the scan as a convolution by fast Fourier transforms. Symbols as in
common.py.

    h = irfft(rfft(k, N) rfft(x, N), N) or the complex transforms
    k_j = lam^j,   x = (h0, b_1, ..., b_T)

with a transform length 2n - 1 <= N <= 4n, n = T + 1 (n = T without h0), N without prime factors
above 11. The kernel is made by repeated or binary multiplication, by pow, by polar powers
(polar.py), or more accurately; forward transforms are not scaled. For |k|, |x| Euclidean norms over
time, |dk| that of the kernel's error:

    bound = c u log2(4n) (|k| + |dk|) |x| + |dk| |x| + underflow     c assumed: FFT in constants.py

The last term but one is Cauchy and Schwarz. The first has the shape of a theorem: transforms by
radix 2 have relative error <= 6.7 u log2 N in the Euclidean norm (Higham, Accuracy and Stability of
Numerical Algorithms, 2002, theorem 24.2); so K X is wrong by N |k| |x| times twice that in the
1-norm, and each output of the inverse transform is 1/N times a sum of N products that meets log2 N
stages: about 20 u log2 N |k| |x| in all. c = 20 would be a theorem, FFT = 2 is assumed: about 0.2
is usual for random inputs, but small odd N and inputs that resonate with the kernel reach 1.2
(docs/classes.md).

Underflow: at most 2N <= 8n operations stand behind a number, each loses at most `loss`, and what K
loses meets |x|, what X loses |k|, what the inverse loses 1: 16 n loss (1 + |k| + |x|) with second
orders.

The bound is one number per channel: outputs much smaller than |k| |x| may be lost entirely, early
or late. Causality is lost too: b_T changes the rounding of h_1.
"""

from __future__ import annotations

import numpy as np

from scanproof.reference.allowance.orders.common import constants, modulus
from scanproof.reference.allowance.orders.polar import power
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.operations import UP, over_steps
from scanproof.reference.inputs import Array, Inputs


def fft(forward: Inputs, arithmetic: Arithmetic) -> Array:
    """Bounds `fft` as the module docstring derives: float64 (batch, time, channels).

    The bound is the same for all times.
    """
    k, n = constants(arithmetic, complex_products=True), forward.b.shape[1] + 1
    counted = over_steps(n)
    step, once = power(forward, k)
    j = np.arange(float(n))[:, None]
    powers = np.abs(forward.lam.astype(complex)) ** j * counted  # (n, channels)
    growth = np.exp(j * np.log1p(np.maximum(step, k.beta))) * (1 + once) * counted  # 1 + pi_j
    pi = (np.expm1(j * np.log1p(np.maximum(step, k.beta))) * (1 + once) + once) * counted
    lost = j * k.loss * np.maximum(powers, 1) * growth
    kernel, error = _norm(powers), _norm(np.where(j > 0, powers * pi + lost, 0.0))
    # (batch, channels)
    x = _norm(np.concatenate([modulus(forward.start)[:, None], modulus(forward.b)], axis=1), axis=1)
    transforms = k.fft * np.log2(4 * n) * UP * (kernel + error) * x
    underflow = 16 * n * k.loss * (1 + kernel + error + x)
    bound = (transforms + error * x + underflow) * counted
    peak = 4 * n * (1 + kernel + error) * (1 + x)
    bound = np.where(peak + bound < k.largest / 4, bound, np.inf)
    return np.asarray(np.broadcast_to(bound[:, None], forward.b.shape))


def _norm(x: Array, axis: int = 0) -> Array:
    """Euclidean norm over time, rounded upwards."""
    return np.asarray(np.hypot.reduce(x, axis=axis) * over_steps(x.shape[axis], 4))

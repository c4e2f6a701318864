"""The usual test of a scan: random inputs, a slow loop, a tolerance typed by hand."""

import numpy as np
from buggy import scan

# of rms(difference) / rms(expected), as public scan tests have it (docs/comparison.md)
TOLERANCE = 6e-3


def slow(lam, b):
    h = np.zeros_like(b)
    for t in range(b.shape[1]):
        # h starts as zeros, so h[:, -1] is zero at t = 0
        h[:, t] = lam[:, t] * h[:, t - 1] + b[:, t]
    return h


def rms(x):
    return np.sqrt(np.mean(np.square(x, dtype=np.float64)))


rng = np.random.default_rng(0)
lam = rng.uniform(0, 1, (2, 1024, 8)).astype(np.float32)
b = rng.standard_normal((2, 1024, 8)).astype(np.float32)
expected = slow(lam, b)
ratio = rms(scan(lam, b) - expected) / rms(expected)
verdict = "passed" if ratio < TOLERANCE else "failed"
print(f"rms(difference) / rms(expected) = {ratio:.1e}, allowed {TOLERANCE:g}: {verdict}")

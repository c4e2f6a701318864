"""Two honest float32 scans by torch.testing's default tolerance (docs/comparison.md)."""

import numpy as np

RTOL, ATOL = 1.3e-6, 1e-5  # torch.testing.assert_close in float32


def loop(lam, b):
    h = np.zeros_like(b)
    for t in range(b.shape[1]):
        # h starts as zeros, so h[:, -1] is zero at t = 0
        h[:, t] = lam[:, t] * h[:, t - 1] + b[:, t]
    return h


def chunks(lam, b, length=16):
    h = np.zeros_like(b)
    carry = np.zeros_like(b[:, 0])
    for start in range(0, b.shape[1], length):
        part = slice(start, start + length)
        decays = np.cumprod(lam[:, part], axis=1, dtype=lam.dtype)
        h[:, part] = loop(lam[:, part], b[:, part]) + decays * carry[:, None]
        carry = h[:, part][:, -1]
    return h


rng = np.random.default_rng(0)
for smallest, time in ((0.2, 512), (0.97, 2048), (0.999, 8192)):
    lam = rng.uniform(smallest, 1, (1, time, 8)).astype(np.float32)
    b = rng.standard_normal((1, time, 8)).astype(np.float32)
    one, other = loop(lam, b), chunks(lam, b)
    excess = np.abs(one - other) > ATOL + RTOL * np.abs(other)
    print(
        f"decays from {smallest} to 1, {time} steps: {excess.sum()} of {excess.size} elements are "
        "not close"
    )

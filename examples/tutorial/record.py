"""Records a long run of a plain loop: python record.py run.npz (docs/what-now.md)."""

import sys

import numpy as np

STEPS = 100_000

rng = np.random.default_rng(0)
lam = np.full(1, 1 - 2**-12, dtype=np.float32)
b = rng.standard_normal((1, STEPS, 1)).astype(np.float32)
h = np.empty_like(b)
state = np.zeros((1, 1), dtype=np.float32)
for t in range(STEPS):
    state = lam * state + b[:, t]
    h[:, t] = state
np.savez(sys.argv[1], lam=lam, b=b, got=h)

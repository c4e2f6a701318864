"""A chunked scan, mended: compare it with buggy.py (docs/tutorial.md)."""

import numpy as np

CHUNK = 16


def scan(lam, b):
    """All states, (batch, time, channels); lam is (channels,) or (batch, time, channels)."""
    batch, time, channels = b.shape
    lam = np.broadcast_to(lam, b.shape)
    h = np.empty_like(b)
    carry = np.zeros((batch, channels), dtype=b.dtype)  # what a chunk hands to the next one
    for start in range(0, time, CHUNK):
        local = np.zeros((batch, channels), dtype=b.dtype)  # the scan of this chunk alone
        decay = np.ones((batch, channels), dtype=b.dtype)  # lam_start ... lam_t
        for t in range(start, min(start + CHUNK, time)):
            local = lam[:, t] * local + b[:, t]
            decay = lam[:, t] * decay
            h[:, t] = local + decay * carry
        carry[:] = h[:, t]
    return h

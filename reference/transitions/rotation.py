"""The scan of a rotation with decay, by the definition: s_t = gamma Theta s_{t-1} + b_t.

    symbol     meaning                                            shape
    gamma      decay of every head                                (heads,)
    cos, sin   of the angle of every plane, the blocks of Theta   (heads, pairs)
    b          drive                                              (batch, time, heads, head_dim)
    s0         state before the first step                        (batch, heads, head_dim)
    s          all states                                         (batch, time, heads, head_dim)
"""

from __future__ import annotations

import numpy as np

from scanproof.reference.transitions.diagonal import Array


def rotate(cos: Array, sin: Array, s: Array) -> Array:
    """Theta s, of s' shape: every pair (even, odd) turned by its angle."""
    even, odd = s[..., 0::2], s[..., 1::2]  # (..., heads, pairs)
    return np.stack([cos * even - sin * odd, sin * even + cos * odd], -1).reshape(s.shape)


def rotation(gamma: Array, cos: Array, sin: Array, b: Array, s0: Array) -> Array:
    """All states of s_t = gamma Theta s_{t-1} + b_t, of b's shape, one plain step after the other."""
    s, state = np.zeros_like(b), s0
    for t in range(b.shape[1]):
        state = gamma[:, None] * rotate(cos, sin, state) + b[:, t]  # (batch, heads, head_dim)
        s[:, t] = state
    return s

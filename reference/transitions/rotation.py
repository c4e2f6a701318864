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
    """Turns every pair (even, odd) of coordinates by its angle.

    Args:
        cos, sin: (heads, pairs)
        s: (..., heads, 2 pairs)

    Returns:
        Theta s, in the shape of s.
    """
    even, odd = s[..., 0::2], s[..., 1::2]  # (..., heads, pairs)
    return np.stack([cos * even - sin * odd, sin * even + cos * odd], -1).reshape(s.shape)


def rotation(gamma: Array, cos: Array, sin: Array, b: Array, s0: Array) -> Array:
    """Computes all states of s_t = gamma Theta s_{t-1} + b_t, one plain step after the other.

    The equation is that of RotRNN, arXiv 2407.07239, in the basis of the planes.

    Args:
        gamma: (heads,)
        cos, sin: (heads, pairs)
        b: (batch, time, heads, head_dim)
        s0: (batch, heads, head_dim)

    Returns:
        The states (batch, time, heads, head_dim), in the dtype of b.
    """
    s, state = np.zeros_like(b), s0
    for t in range(b.shape[1]):
        state = gamma[:, None] * rotate(cos, sin, state) + b[:, t]  # (batch, heads, head_dim)
        s[:, t] = state
    return s

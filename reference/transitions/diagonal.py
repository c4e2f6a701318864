"""The bare scans: the definitions that everything else is measured against.

    symbol   meaning                                    shape
    lam      transition (decay, eigenvalue) lambda      (channels,) or (batch, time, channels)
    b        drive                                      (batch, time, channels)
    h0       state before the first step                (batch, channels)
    h        all states                                 (batch, time, channels)

    h_t = lam_t h_{t-1} + b_t                          (diagonal)
    s_t = gamma Theta s_{t-1} + b_t                    (rotation with decay, glossary in rotrnn.py)

`reverse` runs the same recurrence from the last step to the first, h_t = lam_t h_{t+1} + b_t, and
h0 is then the state after the last step.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def scan(lam: Array, b: Array, h0: Array | None = None, reverse: bool = False) -> Array:
    """All states of h_t = lam_t h_{t-1} + b_t, one plain step after the other, in whatever
    arithmetic the arrays have.

    Args:
        lam: (channels,) or (batch, time, channels).
        b: (batch, time, channels); floats, or objects such as Fraction, flint balls or SymPy
            expressions.
        h0: (batch, channels), zero when None.
        reverse: run from the last step to the first.

    Returns:
        h of b's shape and dtype.
    """
    batch, time, channels = b.shape
    h = np.zeros_like(b)  # (batch, time, channels)
    state = np.zeros((batch, channels), b.dtype) if h0 is None else h0  # (batch, channels)
    for t in reversed(range(time)) if reverse else range(time):
        state = at(lam, t) * state + b[:, t]  # (batch, channels)
        h[:, t] = state
    return h


def at(lam: Array, t: int) -> Array:
    """lam_t, for constant and for time-varying lam: (channels,) or (batch, channels)."""
    return lam if lam.ndim == 1 else lam[:, t]


def rotate(cos: Array, sin: Array, s: Array) -> Array:
    """Theta s: every pair (even, odd) turned by its angle. s (..., heads, head_dim)"""
    even, odd = s[..., 0::2], s[..., 1::2]  # (..., heads, pairs)
    # (..., heads, head_dim)
    return np.stack([cos * even - sin * odd, sin * even + cos * odd], -1).reshape(s.shape)


def rotation(gamma: Array, cos: Array, sin: Array, b: Array, s0: Array) -> Array:
    """All states of s_t = gamma Theta s_{t-1} + b_t. b (batch, time, heads, head_dim), s0 (batch,
    heads, head_dim)"""
    s, state = np.zeros_like(b), s0
    for t in range(b.shape[1]):
        state = gamma[:, None] * rotate(cos, sin, state) + b[:, t]  # (batch, heads, head_dim)
        s[:, t] = state
    return s

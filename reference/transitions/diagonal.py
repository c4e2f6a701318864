"""The bare scan: the definition that everything else is measured against.

    symbol   meaning                                    shape
    lam      transition (decay, eigenvalue) lambda      (channels,) or (batch, time, channels)
    b        drive                                      (batch, time, channels)
    h0       state before the first step                (batch, channels)
    h        all states                                 (batch, time, channels)

    h_t = lam_t h_{t-1} + b_t

`reverse` runs the same recurrence from the last step to the first, h_t = lam_t h_{t+1} + b_t, and
h0 is then the state after the last step.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def scan(lam: Array, b: Array, h0: Array | None = None, reverse: bool = False) -> Array:
    """Computes all states of h_t = lam_t h_{t-1} + b_t, one plain step after the other.

    It computes in whatever arithmetic the arrays have. This is the definition that the theorem of
    docs/theorem.md speaks of.

    Args:
        lam: (channels,) or (batch, time, channels).
        b: (batch, time, channels); floats, or objects such as Fraction, flint balls or SymPy
            expressions.
        h0: (batch, channels), zero when None.
        reverse: run from the last step to the first.

    Returns:
        h, (batch, time, channels), in the dtype of b.
    """
    batch, time, channels = b.shape
    h = np.zeros_like(b)  # (batch, time, channels)
    state = np.zeros((batch, channels), b.dtype) if h0 is None else h0  # (batch, channels)
    for t in reversed(range(time)) if reverse else range(time):
        state = at(lam, t) * state + b[:, t]  # (batch, channels)
        h[:, t] = state
    return h


def at(lam: Array, t: int) -> Array:
    """Takes lam_t, of a constant or a time-varying lam: (channels,) or (batch, channels)."""
    return lam if lam.ndim == 1 else lam[:, t]

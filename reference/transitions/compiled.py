"""Loops over time, compiled by Numba: what truth and allowance of a long sequence are made of.

Imported only where sequences are long, since Numba takes half a second to import.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from scanproof.reference.transitions.diagonal import Array


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Numba's decorator, without fastmath, for functions in nopython mode.

    The machine code is kept on disk where any cache folder can be written to.

    Raises:
        RuntimeError: Numba refuses the function, with or without a cache.
    """
    options["error_model"] = "numpy"

    def decorator(function: Callable[..., Any]) -> Callable[..., Any]:
        try:
            made: Callable[..., Any] = numba.njit(cache=True, **options)(function)
        # Numba looks for a folder when it decorates; any other fault raises again here
        except RuntimeError:
            made = numba.njit(**options)(function)
        return made

    return decorator


def scan(gain: Array, source: Array, start: Array) -> Array:
    """Computes h_t = gain_t h_{t-1} + source_t in float64, bit for bit as the scan of diagonal.py.

    Args:
        gain: broadcast to the shape of source.
        source: (batch, time, channels)
        start: (batch, channels)

    Returns:
        The states (batch, time, channels).
    """
    out = np.empty(source.shape)
    drive, first = np.ascontiguousarray(source), np.ascontiguousarray(start)  # one machine code
    _scan(np.broadcast_to(gain, source.shape), drive, first, out)
    return out


def largest(gain: Array, start: Array, time: int) -> Array:
    """Computes p_t = gain_t max(p_{t-1}, 1), the largest product over a segment that ends at t.

    It stands for G in reference/allowance/rounding.py.

    Args:
        gain: broadcast to (batch, time, channels).
        start: (batch, channels), p before the first step.
        time: the number of steps.

    Returns:
        p, float64 (batch, time, channels).
    """
    out = np.empty((start.shape[0], time, start.shape[1]))
    _largest(np.broadcast_to(gain, out.shape), np.ascontiguousarray(start), out)
    return out


@compiled(nogil=True)
def _scan(gain: Array, source: Array, start: Array, out: Array) -> None:
    batch, time, channels = source.shape
    for n in range(batch):
        state = start[n].copy()
        for t in range(time):
            for k in range(channels):
                state[k] = gain[n, t, k] * state[k] + source[n, t, k]
                out[n, t, k] = state[k]


@compiled(nogil=True)
def _largest(gain: Array, start: Array, out: Array) -> None:
    batch, time, channels = out.shape
    for n in range(batch):
        state = start[n].copy()
        for t in range(time):
            for k in range(channels):
                state[k] = gain[n, t, k] * max(state[k], 1.0)
                out[n, t, k] = state[k]

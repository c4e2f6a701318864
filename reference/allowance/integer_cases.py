"""Integer cases: every bracketing computes every state exactly, so the allowance is 0."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scanproof.reference.inputs import Array, Inputs


class Whole(NamedTuple):
    """What has been seen of each sequence so far, (batch, channels) each."""

    so_far: Array  # bool: every number was whole, every lam a unit or 0
    total: Array  # float64: sum of absolute values


def start(inputs: Inputs) -> Whole:
    """Gives what has been seen before the first step: h0 of the inputs, (batch, channels)."""
    h0 = parts(inputs.start)
    return Whole((h0 == np.rint(h0)).all(0), np.abs(h0).sum(0))


def advance(block: Inputs, significand_bits: int, before: Whole) -> tuple[Array, Whole]:
    """Finds where the states of forward inputs are exact in every bracketing.

    That is lam in {0, +-1, +-i}, and integers whose absolute values sum to less than 2^p so far.
    Every partial sum of such integers is representable, so the truth must be met in value. The
    strict comparison makes the total itself exact: float64 sums of integers below 2^53 are.
    docs/theorem.md lists the integer cases.

    Returns:
        bool (batch, time, channels), and what has been seen after the block.
    """
    lam, b = parts(block.lam), parts(block.b)
    with np.errstate(over="ignore"):
        unit = (np.abs(lam).sum(0) <= 1) & (lam == np.rint(lam)).all(0)  # lam-shaped
        if not (unit.any() and before.so_far.any()):
            return np.zeros(b.shape[1:], bool), before._replace(so_far=np.zeros_like(before.so_far))
        # (batch, time, channels)
        total = np.cumsum(np.abs(b).sum(0), axis=1) + before.total[:, None]
    whole = unit & (b == np.rint(b)).all(0) & before.so_far[:, None]  # (batch, time, channels)
    whole = np.logical_and.accumulate(whole, axis=1)
    after = Whole(whole[:, -1], total[:, -1]) if block.b.shape[1] else before
    return np.asarray(whole & (total < 2.0**significand_bits)), after


def parts(x: Array) -> Array:
    """Splits x (...) into real components in float64 on a new first axis: (1, ...) or (2, ...)."""
    return np.stack([x.real, x.imag] if np.iscomplexobj(x) else [x]).astype(float)

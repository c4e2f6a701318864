"""What the plain layers share: a loop over time whose carry a faulty version may spoil, and the
faults of such a loop.

    symbol     meaning                                               shape
    advance    state -> A state, the transition of one step
    b          drive                                                 (batch, time, state...)
    start      state before the first step, zero when None           (batch, state...)
    h          all states of h_t = A h_{t-1} + b_t                   (batch, time, state...)

Every method is a stage: a version overrides one and inherits the rest.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scanproof.reference.numbers.exponential import Array

CHUNK = 16
Advance = Callable[[Array], Array]


class Recurrence:
    """One plain step after the other, in whatever arithmetic the arrays have."""

    def carry(self, state: Array) -> Array:
        """What a chunk of CHUNK steps hands on to the next."""
        return state

    def scan(self, advance: Advance, b: Array, start: Array | None, reverse: bool) -> Array:
        """All states; with `reverse` from the last step to the first, `start` being the state after
        the last."""
        h, state = np.zeros_like(b), zero_start(b, start)
        for done, t in enumerate(reversed(range(b.shape[1])) if reverse else range(b.shape[1])):
            # (batch, state...)
            state = advance(self.carry(state) if done and done % CHUNK == 0 else state) + b[:, t]
            h[:, t] = state
        return h


def zero_start(b: Array, start: Array | None) -> Array:
    """The state before the first step. (batch, state...)"""
    return np.zeros_like(b[:, 0]) if start is None else start


def before(h: Array, start: Array | None, reverse: bool) -> Array:
    """The states before each step. (batch, time, state...)"""
    first = zero_start(h, start)[:, None]  # (batch, 1, state...)
    return np.concatenate([h[:, 1:], first] if reverse else [first, h[:, :-1]], 1)


def starts(h0: Array | None, directions: int) -> list[Array | None]:
    """The initial state of each direction. h0 (batch, [2,] state...)"""
    if h0 is None or directions == 1:
        return [h0] * directions
    return list(h0.swapaxes(0, 1))


class DropsCarry(Recurrence):
    """Starts every chunk from zero."""

    def carry(self, state: Array) -> Array:
        return 0 * state


class ScalesCarry(Recurrence):
    """Multiplies every carry by 1 + 1e-5."""

    def carry(self, state: Array) -> Array:
        return state * (1 + 1e-5)


class OffByOne(Recurrence):
    """Returns the states before each step."""

    def scan(self, advance: Advance, b: Array, start: Array | None, reverse: bool) -> Array:
        return before(super().scan(advance, b, start, reverse), start, reverse)

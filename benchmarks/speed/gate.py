"""The gate: nobody is timed before the very arrays of its call were judged."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np

from scanproof.properties.results import form_fault
from scanproof.properties.verdict import Status, judged
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Array, Inputs
from scanproof.reference.systems.scan import call_of

# Beyond some thousand steps the allowance of the order "any" tells nothing about decaying
# sequences; that of an exact one is zero.
DECAYING_STEPS, DECAYING_CHANNELS = 2**12, 8


class Judged(NamedTuple):
    """What the gate found.

    sequences: (batch, channel) pairs judged; states: how many of their states. A copy is a
    reference.
    """

    verdict: Status | Literal["reference"]
    reason: str
    sequences: int = 0
    states: int = 0


def gate(got: Any, inputs: Inputs, arithmetic: Arithmetic) -> Judged:
    """Judges sequences of the very result and the very inputs that are timed, in about a second at
    most.

    A sequence is a scan of its own and a scan is causal, so every state judged is judged for good.
    The sequences, in the first and the last row of the batch: channel 0 (exact) at its whole
    length, and the beginning of the last channels (decaying).
    """
    got = _states(got, inputs)
    wrong = form_fault({"h": got}, call_of(inputs), arithmetic)
    if wrong:
        return Judged("outside", wrong)
    channels = got.shape[2]
    parts = [_judge(got, inputs, slice(0, 1), got.shape[1], arithmetic)]
    if channels > 1:
        decaying = slice(max(1, channels - DECAYING_CHANNELS), channels)
        parts.append(_judge(got, inputs, decaying, DECAYING_STEPS, arithmetic))
    worst = min(
        parts, key=lambda part: ("outside", "undecided", "within", "nearest").index(part.verdict)
    )
    sequences, states = sum(part.sequences for part in parts), sum(part.states for part in parts)
    return Judged(worst.verdict, worst.reason, sequences, states)


def _judge(
    got: Array, inputs: Inputs, channels: slice, most: int, arithmetic: Arithmetic
) -> Judged:
    rows = slice(0, None, max(1, got.shape[0] - 1))  # the first and the last
    part = np.s_[rows, :most, channels]
    lam = inputs.lam[part] if inputs.varying else inputs.lam[channels]
    verdict = judged({"h": got[part]}, call_of(Inputs(lam, inputs.b[part])), arithmetic)
    return Judged(
        verdict.verdict, verdict.reason, got[part].shape[0] * got[part].shape[2], got[part].size
    )


def _states(got: Any, inputs: Inputs) -> Array:
    """Pairs of coordinates as complex (batch, time, channels), all else as it is."""
    states: Array = np.asarray(got)
    pairs = states.ndim == 4 and states.dtype == inputs.b.real.dtype
    return states.view(inputs.b.dtype).reshape(inputs.b.shape) if pairs else states

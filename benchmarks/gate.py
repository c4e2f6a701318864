"""Nobody is timed before the very arrays that its call takes and returns were judged: the gate of the benchmark."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np

from scanproof.properties.verdict import Status, judge_inputs, result_fault
from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.inputs import Array, Inputs

# Steps judged from the start of a lane, so that a contestant costs about a second: integers are cheap, discs are not.
WHOLE_STEPS, DECAYING_STEPS = 2**17, 2**11


class Judged(NamedTuple):
    """What the gate found. lanes: (batch, channel) pairs judged; states: how many of their states. A copy is a reference."""

    verdict: Status | Literal["reference"]
    reason: str
    lanes: int = 0
    states: int = 0


def gate(got: Any, inputs: Inputs, arithmetic: Arithmetic) -> Judged:
    """Judges whole lanes, or what is feasible of them from their start, of the result and the inputs that are timed.

    A lane is a scan of its own and a scan is causal, so every state judged is judged for good. The lanes: channel 0 (exact)
    and the last one (decaying) of the first and the last row of the batch.
    """
    got = _states(got, inputs)
    wrong = result_fault(got, inputs, arithmetic)
    if wrong:
        return Judged("outside", wrong)
    last = got.shape[2] - 1
    parts = [(0, WHOLE_STEPS)] + ([(last, DECAYING_STEPS)] if last else [])
    judged = [_judge(got, inputs, channel, most, arithmetic) for channel, most in parts]
    worst = min(judged, key=lambda part: ("outside", "undecided", "within", "nearest").index(part.verdict))
    return Judged(worst.verdict, worst.reason, sum(part.lanes for part in judged), sum(part.states for part in judged))


def _judge(got: Array, inputs: Inputs, channel: int, most: int, arithmetic: Arithmetic) -> Judged:
    rows = slice(0, None, max(1, got.shape[0] - 1))  # the first and the last
    lane = np.s_[rows, :most, channel : channel + 1]
    lam = inputs.lam[lane] if inputs.varying else inputs.lam[channel : channel + 1]
    verdict = judge_inputs(got[lane], Inputs(lam, inputs.b[lane]), arithmetic)
    return Judged(verdict.verdict, verdict.reason, got[lane].shape[0], got[lane].size)


def _states(got: Any, inputs: Inputs) -> Array:
    """As complex (batch, time, channels) if these are pairs of coordinates, as the rotation returns them."""
    states: Array = np.asarray(got)
    pairs = states.ndim == 4 and states.dtype == inputs.b.real.dtype
    return states.view(inputs.b.dtype).reshape(inputs.b.shape) if pairs else states

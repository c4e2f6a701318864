"""The verdict over one result (what may be claimed: docs/verdicts.md)."""

from __future__ import annotations

import itertools
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import numpy as np

from scanproof.properties.findings import INFORMATIVE, Element, Findings, find
from scanproof.reference import algorithms
from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.certificate import Certificate
from scanproof.reference.environment import require_ieee
from scanproof.reference.inputs import Array, Inputs

Word = Literal["outside", "nearest", "within", "undecided"]
Status = Literal["outside", "nearest", "within", "undecided", "not offered", "not run"]  # of a law, or of one implementation

STRIP = 2**21  # elements from which on channels are judged in parallel strips

CLAIMS = {
    "outside": "proved: no evaluation in the declared class gives this; a wrong result, or a program outside its declaration",
    "nearest": "every element is the correct rounding of the exact result",
    "within": "not refuted: some honest evaluation could be this far off",
    "undecided": "nothing can be said",
}
ASSUMED = "theorem given the assumed constants"


@dataclass(frozen=True)
class Verdict:
    """What the theorem says about one result.

    verdict: "outside", "nearest", "within" or "undecided"; grade: of an `outside`, "theorem" or "theorem given the assumed
    constants" (docs/classes.md), and then assumed_needed is the smallest factor on them that would turn it into `within`.
    informative: share of the (batch, channel) lanes whose allowance is small enough to say something; lanes of zeros aside.
    ratio: largest error/allowance; bits_lost: largest error over u times the lane's rms, in bits.
    rounded: share of elements that are the correct rounding of the exact result.
    outputs: of layers, the informative share of every result; of a result below one half, `within` says little.
    window: whether `worst` was judged from the printed state before it, which the declaration says is read back.
    """

    verdict: Word
    grade: str | None
    reason: str
    arithmetic: Arithmetic
    informative: float
    ratio: float
    bits_lost: float
    rounded: float
    counts: dict[str, int]
    worst: Element | None
    window: bool = False
    not_refuted_under: str | None = None
    assumed_needed: float | None = None
    outputs: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        grade = f" ({self.grade})" if self.grade else ""
        return f"{self.verdict}{grade}: {self.reason}"

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; complex numbers as [re, im]."""
        plain = asdict(self, dict_factory=lambda items: {key: _plain(value) for key, value in items})
        return plain | {"arithmetic": self.arithmetic.words()}


def judge_inputs(got: Array, inputs: Inputs, arithmetic: Arithmetic, certificate: Certificate | None = None) -> Verdict:
    """As `judge` without explanations, for arguments that were checked before; `certificate`: of inputs.forward(), if at hand."""
    require_ieee()
    windowed = not inputs.reverse or inputs.b.shape[1] % (arithmetic.chunk or 1) == 0  # else chunks may start at either end
    found = _found(got[:, ::-1] if inputs.reverse else got, inputs.forward(), arithmetic, certificate, windowed)
    lanes = informative_lanes(found, inputs.b.shape[1])
    unfit = None if arithmetic.bracketing else algorithms.fault(inputs.forward(), arithmetic)
    verdict, reason = _decide(found, lanes, got.size, arithmetic, unfit)
    window = not found.outside and found.windows_outside > 0
    worst = found.worst_window if window else found.worst
    outside = found.windows_outside if window else found.outside
    return Verdict(
        verdict=verdict,
        grade=None if verdict != "outside" else ASSUMED if arithmetic.assumes else "theorem",
        reason=reason,
        arithmetic=arithmetic,
        informative=float(lanes.mean()) if lanes.size else float(got.size > 0),
        ratio=max((element.ratio for element in (found.worst, found.worst_window) if element), default=0.0),
        bits_lost=_bits_lost(found, inputs.b.shape[1], arithmetic),
        rounded=found.rounded / got.size if got.size else 0.0,
        counts={"outside": outside, "undecided": found.undecided, "within": got.size - outside - found.undecided},
        worst=worst and _in_time(worst, inputs),
        window=window,
    )


def _found(got: Array, forward: Inputs, arithmetic: Arithmetic, certificate: Certificate | None, windowed: bool) -> Findings:
    """All findings; large results are judged in strips of channels at the same time."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    channels = forward.b.shape[2]
    count = 1 if certificate or got.size < STRIP else min(cores, channels)
    cuts = np.linspace(0, channels, count + 1).astype(int)
    strips = [slice(int(low), int(high)) for low, high in itertools.pairwise(cuts)]
    if count == 1:
        return find(got, forward, arithmetic, certificate, windowed)
    with ThreadPoolExecutor(count) as pool:
        parts = list(pool.map(lambda s: find(got[..., s], _strip(forward, s), arithmetic, None, windowed), strips))
    found = Findings()
    for part, strip in zip(parts, strips, strict=True):
        for name in ("worst", "worst_window"):
            element = getattr(part, name)
            if element:
                row, step, channel = element.index
                setattr(part, name, replace(element, index=(row, step, channel + strip.start)))
        found.add(part)
        found.states, found.sights = found.states + part.states, found.sights + part.sights
    return found


def _strip(forward: Inputs, channels: slice) -> Inputs:
    h0 = None if forward.h0 is None else forward.h0[:, channels]
    return Inputs(forward.lam[..., channels], forward.b[..., channels], h0)


def _in_time(element: Element, inputs: Inputs) -> Element:
    """With its index in the order of b's time axis."""
    row, step, channel = element.index
    return replace(element, index=(row, inputs.b.shape[1] - 1 - step, channel)) if inputs.reverse else element


def required(arithmetic: Any) -> Arithmetic:
    """The argument itself. Raises TypeError for anything that is no Arithmetic."""
    if not isinstance(arithmetic, Arithmetic):
        raise TypeError(f"arithmetic: found {arithmetic!r}, expected a declaration such as scanproof.Arithmetic('float32')")
    return arithmetic


def result_fault(got: Any, inputs: Inputs, arithmetic: Arithmetic) -> str | None:
    """What is wrong with the form of a result, in one line, or None."""
    if not isinstance(got, np.ndarray):
        return f"got: found {type(got).__name__}, expected a NumPy array of all states"
    if got.shape != inputs.b.shape:
        return f"got: found shape {got.shape}, expected {inputs.b.shape}, the shape of b"
    if got.dtype.name != arithmetic.dtype:
        return f"got: found dtype {got.dtype.name}, expected {arithmetic.dtype}, the declared arithmetic"
    return None


def informative_lanes(found: Findings, steps: int) -> Array:
    """Which of the (batch, channel) lanes that are not exactly zero can tell a wrong result: (lanes,) bool.

    The allowance is at most 2^-7 of the rms of the truth, so returned zeros are outside; and of the carries lam_t h_{t-1}
    that are not exactly zero, at most one in 32 is within its allowance, so an implementation that drops more is outside too.
    Windows see one step at a time, and honest programs may stagnate far from the truth: they inform only where the result
    is within 2^-7 of the rms as well. Lanes of zeros do not count: returned zeros are right there, whatever the allowance.
    """
    informed: list[Array] = []
    for states, sights in zip(found.states, found.sights, strict=True):
        rms = states.top * np.sqrt(states.squares / max(steps, 1))
        told = [(sight.bound <= INFORMATIVE * rms) & (32 * sight.hidden <= sight.carries) for sight in sights]
        told[1:] = [lanes & (states.error <= INFORMATIVE * rms) for lanes in told[1:]]
        informed.append(np.any(told, axis=0)[states.alive])
    return np.concatenate(informed) if informed else np.zeros(0, bool)


def _decide(found: Findings, lanes: Array, elements: int, arithmetic: Arithmetic, unfit: str | None) -> tuple[Word, str]:
    """Precedence: outside > nearest > undecided > within; `within` needs half of the lanes to be informative."""
    if found.outside:
        return "outside", f"{found.outside} of {elements} elements exceed the allowance; {CLAIMS['outside']}"
    if found.windows_outside:
        what = "do not follow from the printed state before them"
        return "outside", f"{found.windows_outside} of {elements} elements {what}; {CLAIMS['outside']}"
    if not elements:
        return "undecided", "there are no elements to judge"
    if found.rounded == elements:
        return "nearest", CLAIMS["nearest"]
    if arithmetic.unmodelled:
        return "undecided", arithmetic.unmodelled
    if found.undecided:
        what = "overflow" if arithmetic.bracketing else f"leaving the range of order {arithmetic.order}"
        return "undecided", unfit or f"{what} is possible in {found.undecided} of {elements} elements"
    if 2 * lanes.sum() < lanes.size:
        blind = f"{int((~lanes).sum())} of {lanes.size} lanes"
        return "undecided", f"within, but the allowance is too large to tell zeros or a dropped carry in {blind}"
    return "within", CLAIMS["within"]


def _bits_lost(found: Findings, steps: int, arithmetic: Arithmetic) -> float:
    """log2 of the largest error over one unit in the last place, at least 0: u rms(lane), or the least number kept."""
    form = arithmetic.format
    smallest = form.smallest_subnormal if arithmetic.subnormals == "gradual" else form.smallest_normal
    lost = 0.0
    for states in found.states:
        with np.errstate(all="ignore"):
            units = states.error / np.maximum(form.u * states.top * np.sqrt(states.squares / max(steps, 1)), smallest)
        units = np.where(np.isfinite(states.error), units, np.inf)  # a result that is not finite lost them all
        lost = max(lost, float(np.log2(max(units.max(initial=1.0), 1.0))))
    return lost


def _plain(value: Any) -> Any:
    if isinstance(value, complex):
        return [value.real, value.imag]
    return list(value) if isinstance(value, tuple) else value

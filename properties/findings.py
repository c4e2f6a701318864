"""What is found in a judged result, gathered block by block of time and strip by strip of channels.

A lane is one batch row and channel. rms and maxima belong to lanes, so that a block adds to them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from scanproof.properties import windows
from scanproof.properties.compare import Comparison, compare, ratio
from scanproof.properties.nearest import correctly_rounded
from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.certificate import Certificate, certificates
from scanproof.reference.inputs import Array, Inputs
from scanproof.reference.rounding import Allowance
from scanproof.reference.truth import Truth

INFORMATIVE = 2.0**-7  # allowance / rms of the truth, docs/verdicts.md


@dataclass(frozen=True)
class Element:
    """One element: (batch, time, channel) of a scan, any index of a layer's result; Python numbers."""

    index: tuple[int, ...]
    got: complex | float
    truth: complex | float
    error: float
    allowance: float
    ratio: float
    output: str = ""  # which result of a layer


class Sight(NamedTuple):
    """What the allowance can see in each lane; (batch, channels) each."""

    bound: Array  # largest allowance, the rounding of the output aside
    carries: Array  # lam_t h_{t-1} that are not exactly zero
    hidden: Array  # of these, within their allowance

    def and_then(self, later: Sight) -> Sight:
        return Sight(np.maximum(self.bound, later.bound), self.carries + later.carries, self.hidden + later.hidden)


class States(NamedTuple):
    """The exact states of each lane; (batch, channels) each. rms = top sqrt(squares / steps), scaled against overflow."""

    top: Array
    squares: Array
    alive: Array  # bool: not all zero
    error: Array  # largest |got - truth|; nan or inf where a result is not finite

    def and_then(self, later: States) -> States:
        top = np.maximum(self.top, later.top)
        squares, error = _scaled(self, top) + _scaled(later, top), np.maximum(self.error, later.error)
        return States(top, squares, self.alive | later.alive, error)


@dataclass
class Findings:
    """All that a verdict is made of. `sights`: of the allowance, and of that of the windows if there are any."""

    outside: int = 0
    undecided: int = 0
    windows_outside: int = 0
    rounded: int = 0  # elements that are correct roundings
    worst: Element | None = None  # outside, if any is
    worst_window: Element | None = None
    states: list[States] = field(default_factory=list)  # one per strip
    sights: list[list[Sight]] = field(default_factory=list)  # one list per strip

    def add(self, later: Findings) -> None:
        """Counts and worst elements of more of the result."""
        for name in ("outside", "undecided", "windows_outside", "rounded"):
            setattr(self, name, getattr(self, name) + getattr(later, name))
        self.worst, self.worst_window = _worse(self.worst, later.worst), _worse(self.worst_window, later.worst_window)


def find(
    got: Array, inputs: Inputs, arithmetic: Arithmetic, certificate: Certificate | None = None, windowed: bool = True
) -> Findings:
    """Judges all of one strip; got and inputs run forwards in time. windowed: whether it is known where windows start."""
    found, first, last = Findings(), 0, inputs.start
    head = inputs.start.astype(np.result_type(inputs.start.dtype, np.float64))  # (batch, channels): h_{t-1}
    blocks = [certificate] if certificate else certificates(inputs, arithmetic)
    for block in blocks:
        steps = slice(first, first + block.inputs.b.shape[1])
        part = got[:, steps]
        found.add(_block(found, part, inputs, block, (first, last, head), arithmetic, windowed))
        if part.shape[1]:
            last, head = part[:, -1], block.truth.head[:, -1]
        first = steps.stop
    return found


def _block(
    strip: Findings, got: Array, inputs: Inputs, block: Certificate, before: tuple[int, Array, Array],
    arithmetic: Arithmetic, windowed: bool,
) -> Findings:  # fmt: skip
    """One block: counts are returned, lanes go into `strip`."""
    first, last, head = before
    judged = compare(got, inputs, block.truth, block.allowance, first)
    _see(strip, block.truth, judged)
    sights, undecided, new = [_sight(block, block.allowance, head)], judged.undecided, Findings()
    if windowed and windows.width(arithmetic) and got.size:
        call = Inputs(block.inputs.lam, block.inputs.b, last)
        seen, bound = windows.judged(got, call, arithmetic)
        sights.append(_sight(block, bound, head, np.concatenate([last[:, None], got[:, :-1]], axis=1)))
        undecided = undecided & seen.undecided & ~seen.outside
        new.windows_outside, new.worst_window = int(seen.outside.sum()), _worst(got, block.truth, seen, first)
    new.outside, new.undecided = int(judged.outside.sum()), int(undecided.sum())
    new.rounded = int(correctly_rounded(got, block.truth).correct.sum())
    new.worst = _worst(got, block.truth, judged, first)
    strip.sights = [[one.and_then(two) for one, two in zip(strip.sights[0], sights, strict=True)] if strip.sights else sights]
    return new


def _see(strip: Findings, exact: Truth, judged: Comparison) -> None:
    """Adds the states of a block to its lanes."""
    size = np.abs(exact.head)
    top = size.max(axis=1, initial=0.0)  # (batch, channels)
    with np.errstate(all="ignore"):
        squares = ((size / np.where(top > 0, top, 1)[:, None]) ** 2).sum(axis=1)
        error = judged.error.max(axis=1, initial=0.0)
    new = States(top, squares, ((exact.head != 0) | (exact.rad > 0)).any(axis=1), error)
    strip.states = [strip.states[0].and_then(new) if strip.states else new]


def _sight(block: Certificate, bound: Allowance, head: Array, printed: Array | None = None) -> Sight:
    """What a bound can see of the carries; `printed`: the states before each step from which windows start."""
    states = block.truth.head
    before = np.concatenate([head[:, None], states[:, :-1]], axis=1)[:, : states.shape[1]]  # (batch, time, channels)
    with np.errstate(all="ignore"):
        seen = np.abs(block.inputs.lam * before) > bound.bound  # (batch, time, channels)
        if printed is not None:
            seen &= np.abs(block.inputs.lam * printed.astype(before.dtype)) > bound.bound
    carries = (block.inputs.lam != 0) & (before != 0)  # (batch, time, channels)
    return Sight(bound.unstored.max(axis=1, initial=0.0), carries.sum(axis=1), (carries & ~seen).sum(axis=1))


def _worst(got: Array, exact: Truth, judged: Comparison, first: int) -> Element | None:
    """The element with the largest error/allowance, of those outside if any is."""
    eligible = judged.outside if judged.outside.any() else ~judged.undecided
    if not eligible.any():
        return None
    quotient = np.where(eligible, ratio(judged.error, judged.bound), -1.0)
    row, step, channel = (int(i) for i in np.unravel_index(int(np.argmax(quotient)), got.shape))
    where = (row, step, channel)
    return Element(
        index=(row, step + first, channel),
        got=got[where].astype(exact.head.dtype).item(),
        truth=exact.head[where].item(),
        error=float(judged.error[where]),
        allowance=float(judged.bound[where]),
        ratio=float(quotient[where]),
    )


def _worse(one: Element | None, two: Element | None) -> Element | None:
    """Outside elements have ratios above 1, others not: the larger ratio; of equals the first (batch, time, channel)."""
    if one is None or two is None:
        return one or two
    return min(one, two, key=lambda element: (-element.ratio, element.index))


def _scaled(states: States, top: Array) -> Array:
    """squares over another top."""
    return np.asarray(states.squares * np.where(top > 0, states.top / np.where(top > 0, top, 1), 0) ** 2)

"""What is found in one judged result, gathered block by block of time and strip by strip of an
axis.

A sequence is one result over time at one place of the other axes; a result without a time axis is
one sequence. Every result has a view for each way to judge it: of all its steps, and from printed
states where these are read back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from scanproof.reference.inputs import Array

INFORMATIVE = 2.0**-7  # allowance / rms of the truth, docs/verdicts.md
# of the carries that are not exactly zero, at most one in so many may be within its allowance
HIDDEN_CARRIES = 32


@dataclass(frozen=True)
class Element:
    """One element of a result, with its index in each of the named axes; Python numbers."""

    output: str
    axes: tuple[str, ...]
    index: tuple[int, ...]
    got: complex | float
    truth: complex | float
    error: float
    allowance: float
    ratio: float
    matrix: bool = False  # whether error and allowance are 2-norms of the whole matrix

    @property
    def place(self) -> str:
        """Where it is, in words."""
        return ", ".join(f"{axis} {i}" for axis, i in zip(self.axes, self.index, strict=True))


class Sight(NamedTuple):
    """What one view of a result can see in each sequence; (sequences...) each."""

    bound: Array  # largest allowance, the rounding of the output aside
    carries: Array  # what is owed to earlier steps and not exactly zero
    hidden: Array  # of these, within their allowance

    def and_then(self, later: Sight) -> Sight:
        return Sight(
            np.maximum(self.bound, later.bound),
            self.carries + later.carries,
            self.hidden + later.hidden,
        )


class States(NamedTuple):
    """The exact values of each sequence; rms = top sqrt(squares / steps), scaled against
    overflow."""

    top: Array
    squares: Array
    steps: int
    alive: Array  # bool: not all zero
    error: Array  # largest |got - truth|; inf where a result is not finite

    def and_then(self, later: States) -> States:
        top = np.maximum(self.top, later.top)
        squares, error = (
            _scaled(self, top) + _scaled(later, top),
            np.maximum(self.error, later.error),
        )
        return States(top, squares, self.steps + later.steps, self.alive | later.alive, error)

    @property
    def rms(self) -> Array:
        return np.asarray(self.top * np.sqrt(self.squares / max(self.steps, 1)))


class Strip(NamedTuple):
    """The sequences of one strip: their states, and what each view sees of them."""

    states: States
    sights: list[Sight]

    def and_then(self, later: Strip) -> Strip:
        sights = [one.and_then(two) for one, two in zip(self.sights, later.sights, strict=True)]
        return Strip(self.states.and_then(later.states), sights)


@dataclass
class Findings:
    """All that a verdict says of one result. outside and worst: of every view."""

    name: str
    units: int = 0  # elements, or matrices where their norms are judged
    elements: int = 0
    outside: list[int] = field(default_factory=list)
    undecided: int = 0
    rounded: int = 0  # elements that are correct roundings
    worst: list[Element | None] = field(default_factory=list)  # outside, if any is
    strips: list[Strip] = field(default_factory=list)
    windowed: list[bool] = field(default_factory=list)  # of every view
    assumed: bool = True
    matrices: bool = False

    def and_then(self, later: Findings) -> None:
        """Adds later steps of the same sequences."""
        self._add(later)
        both = zip(self.strips, later.strips, strict=True)
        self.strips = [one.and_then(two) for one, two in both] if self.strips else later.strips

    def beside(self, other: Findings) -> None:
        """Adds other sequences."""
        self._add(other)
        self.strips = self.strips + other.strips

    def _add(self, more: Findings) -> None:
        for name in ("units", "elements", "undecided", "rounded"):
            setattr(self, name, getattr(self, name) + getattr(more, name))
        views = len(more.outside)
        outside, worst = self.outside or [0] * views, self.worst or [None] * views
        self.outside = [one + two for one, two in zip(outside, more.outside, strict=True)]
        self.worst = [_worse(one, two) for one, two in zip(worst, more.worst, strict=True)]
        self.windowed, self.assumed, self.matrices = more.windowed, more.assumed, more.matrices

    @property
    def view(self) -> int | None:
        """The first view that found something outside."""
        return next((i for i, count in enumerate(self.outside) if count), None)

    @property
    def informative(self) -> Array:
        """Which sequences that are not exactly zero can tell a wrong result (docs/verdicts.md):
        bool.

        The allowance is at most 2^-7 of the rms of the truth, so returned zeros are outside; and of
        what is owed to earlier steps at most one in 32 is within its allowance, so an
        implementation that drops more is outside too. Windows see one step at a time, and honest
        programs may stagnate far from the truth: they inform only where the result is near it as
        well. Sequences of zeros do not count: returned zeros are right there, whatever the
        allowance.
        """
        informed = [_told(strip, self.windowed) for strip in self.strips]
        return np.concatenate(informed) if informed else np.zeros(0, bool)

    def bits_lost(self, u: float, smallest: float) -> float:
        """log2 of the largest error over one unit in the last place, at least 0: u rms, or the
        least number kept.

        Sequences that are noise are left out: their allowance exceeds their rms.
        """
        lost = 0.0
        for states, sights in self.strips:
            with np.errstate(all="ignore"):
                units = states.error / np.maximum(u * states.rms, smallest)
            noise = np.all([sight.bound > states.rms for sight in sights], axis=0)
            units = np.where(np.isfinite(states.error), np.where(noise, 1.0, units), np.inf)
            lost = max(lost, float(np.log2(max(np.max(units, initial=1.0), 1.0))))
        return lost


def _worse(one: Element | None, two: Element | None) -> Element | None:
    """Outside elements have ratios above 1, others not: the larger ratio; of equals the one that
    was found first."""
    if one is None or two is None:
        return one or two
    return two if two.ratio > one.ratio else one


def _scaled(states: States, top: Array) -> Array:
    """squares over another top."""
    return np.asarray(
        states.squares * np.where(top > 0, states.top / np.where(top > 0, top, 1), 0) ** 2
    )


def _told(strip: Strip, windowed: list[bool]) -> Array:
    states, limit = strip.states, INFORMATIVE * strip.states.rms
    informed = []
    for sight, window in zip(strip.sights, windowed, strict=True):
        seen = (sight.bound <= limit) & (HIDDEN_CARRIES * sight.hidden <= sight.carries)
        informed.append(seen & (states.error <= limit) if window else seen)
    return np.asarray(np.atleast_1d(np.any(informed, axis=0))[np.atleast_1d(states.alive)])

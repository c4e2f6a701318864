"""What is found in one judged result, gathered block by block of time and strip by strip of an
axis.

A sequence is one result over time at one place of the other axes; a result without a time axis is
one sequence. Every result has a view for each way to judge it: of all its steps, and from printed
states where these are read back.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from scanproof.properties.compare import Comparison, compare, ratio
from scanproof.properties.nearest import correctly_rounded
from scanproof.reference.allowance.certified import Certified
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


def find(
    name: str,
    got: Array,
    views: list[Certified],
    axes: list[str],
    time: int | None,
    first: int = 0,
    reverse: bool = False,
) -> Findings:
    """Judges one result of some steps.

    Args:
        got: what was returned of these steps, in the form of the result.
        views: the ways to judge it.
        axes: names of its axes; time: the place of the one over which sequences run, None for one
            sequence.
        first: the first of the steps, for indices; reverse: whether the last step was computed
            first.
    """
    judged = [compare(got, view) for view in views]
    undecided = judged[0].undecided
    for other in judged[1:]:
        undecided = undecided & other.undecided & ~other.outside
    matrices = views[0].norms is not None
    elements = _Elements(
        name, got, views[0], axes, None if time is None else (time, first, reverse)
    )
    return Findings(
        name=name,
        units=judged[0].outside.size,
        elements=got.size,
        outside=[int(each.outside.sum()) for each in judged],
        undecided=int(undecided.sum()),
        rounded=int(correctly_rounded(got, views[0].truth).correct.sum()),
        worst=[elements.worst(each) for each in judged],
        strips=[_strip(views, judged, _over(got.ndim, time, matrices))],
        windowed=[view.window for view in views],
        assumed=any(view.assumed for view in views),
        matrices=matrices,
    )


def _over(ndim: int, time: int | None, matrices: bool) -> tuple[int, ...]:
    """The axes over which sequences run; a matrix is judged whole, and its norm is 1."""
    if matrices:
        return ()
    return tuple(range(ndim)) if time is None else (time,)


def _strip(views: list[Certified], judged: list[Comparison], over: tuple[int, ...]) -> Strip:
    if not over:
        return _orthogonal(views, judged)
    truth = views[0].truth
    size, steps = np.abs(truth.head), int(np.prod([truth.head.shape[axis] for axis in over]))
    top = size.max(over, initial=0.0)
    with np.errstate(all="ignore"):
        squares = ((size / np.expand_dims(np.where(top > 0, top, 1), over)) ** 2).sum(over)
        error = judged[0].error.max(over, initial=0.0)
    alive = ((truth.head != 0) | (truth.rad > 0)).any(over)
    return Strip(States(top, squares, steps, alive, error), [_sight(view, over) for view in views])


def _orthogonal(views: list[Certified], judged: list[Comparison]) -> Strip:
    """Of orthogonal matrices, whose 2-norm is 1."""
    ones, nothing = np.ones(judged[0].error.shape), np.zeros(judged[0].error.shape)
    return Strip(
        States(ones, ones, 1, ones > 0, judged[0].error),
        [Sight(view.unstored, nothing, nothing) for view in views],
    )


def _sight(view: Certified, over: tuple[int, ...]) -> Sight:
    bound = view.unstored.max(over, initial=0.0)
    if view.carried is None:
        return Sight(bound, np.zeros(bound.shape), np.zeros(bound.shape))
    owed = view.carried != 0
    return Sight(bound, owed.sum(over), (owed & ~(view.carried > view.bound)).sum(over))


def _told(strip: Strip, windowed: list[bool]) -> Array:
    states, limit = strip.states, INFORMATIVE * strip.states.rms
    informed = []
    for sight, window in zip(strip.sights, windowed, strict=True):
        seen = (sight.bound <= limit) & (HIDDEN_CARRIES * sight.hidden <= sight.carries)
        informed.append(seen & (states.error <= limit) if window else seen)
    return np.asarray(np.atleast_1d(np.any(informed, axis=0))[np.atleast_1d(states.alive)])


class _Elements(NamedTuple):
    """What elements are made of."""

    name: str
    got: Array
    exact: Certified
    axes: list[str]
    # time axis, first step, and whether the last one was computed first
    start: tuple[int, int, bool] | None

    def worst(self, judged: Comparison) -> Element | None:
        """The element with the largest error/allowance, of those outside if any is; of a matrix its
        entry furthest off."""
        eligible = judged.outside if judged.outside.any() else ~judged.undecided
        if not eligible.any():
            return None
        quotient = np.where(eligible, ratio(judged.error, judged.bound), -1.0)
        place = self._first(quotient)
        where = place if self.exact.norms is None else self._entry(place)
        index = list(where)
        if self.start is not None:
            index[self.start[0]] += self.start[1]
        return Element(
            output=self.name,
            axes=tuple(self.axes),
            index=tuple(index),
            got=self.got[where].astype(self.exact.truth.head.dtype).item(),
            truth=self.exact.truth.head[where].item(),
            error=float(judged.error[place]),
            allowance=float(judged.bound[place]),
            ratio=float(quotient[place]),
            matrix=self.exact.norms is not None,
        )

    def _first(self, quotient: Array) -> tuple[int, ...]:
        """Where the largest is, the one that was computed first."""
        turned = np.flip(quotient, self.start[0]) if self.start and self.start[2] else quotient
        place = list(map(int, np.unravel_index(int(np.argmax(turned)), turned.shape)))
        if turned is not quotient and self.start:
            place[self.start[0]] = turned.shape[self.start[0]] - 1 - place[self.start[0]]
        return tuple(place)

    def _entry(self, place: tuple[int, ...]) -> tuple[int, ...]:
        apart = np.nan_to_num(np.abs(self.got[place] - self.exact.truth.head[place]), nan=np.inf)
        return place + tuple(map(int, np.unravel_index(int(np.argmax(apart)), apart.shape)))


def moved(found: Findings, axis: int, offset: int) -> Findings:
    """The same findings with indices counted from elsewhere on one axis."""

    def shifted(element: Element | None) -> Element | None:
        if element is None:
            return None
        index = tuple(i + offset * (place == axis) for place, i in enumerate(element.index))
        return replace(element, index=index)

    return replace(found, worst=[shifted(element) for element in found.worst])


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

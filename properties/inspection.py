"""Judges one result of some steps: every element, and what each sequence could tell."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from scanproof.properties.compare import Comparison, compare, ratio
from scanproof.properties.findings import Element, Findings, Sight, States, Strip
from scanproof.properties.nearest import correctly_rounded
from scanproof.reference.allowance.certified import Certified
from scanproof.reference.inputs import Array


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

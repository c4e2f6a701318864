"""The pictures of claims.html: lines with a key, and bands over a perturbation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scanproof.report.claims_model import Band, Curve
from scanproof.report.decades import decades, log10
from scanproof.report.markup import Html
from scanproof.report.svg import LIMIT, colour, marker, style, svg

SIZE = (4.6, 3.3)


class Look(NamedTuple):
    """Axes of a panel, in decades.

    limit: what the dashed line at 10^limit stands for; falling: x runs to the left.
    """

    x: str
    y: str
    low: float
    high: float
    limit: tuple[float, str] | None = None
    falling: bool = False


def lines(
    curves: Sequence[Curve], keys: Mapping[str, int], look: Look, name: str, alt: str
) -> Html:
    """Both axes logarithmic; what lies beyond the panel sits on its edge.

    Samples are dots without a line.
    """
    with style():
        figure = Figure(SIZE)
        axes = figure.subplots()
        for curve in curves:
            x = [math.log10(value) for value in curve.x]
            y = [log10(value, look.low, look.high) for value in curve.y]
            _draw(axes, x, y, keys[curve.label], len(keys), curve.kind == "sampled")
        every = [math.log10(value) for curve in curves for value in curve.x]
        left, right = min(every, default=0), max(every, default=1)
        gap = 0.04 * (right - left)
        axes.set_xlim((right + gap, left - gap) if look.falling else (left - gap, right + gap))
        decades(axes.xaxis, left - gap, right + gap)
        _finish(axes, look)
        return svg(figure, name, alt)


def bands(rows: Sequence[Band], keys: Mapping[str, int], look: Look, name: str, alt: str) -> Html:
    """Median as a line, 5 % to 95 % as a band, over the perturbation's strength."""
    with style():
        figure = Figure(SIZE)
        axes = figure.subplots()
        for row in rows:
            low, median, high = (
                [log10(y, look.low, look.high) for y in ys]
                for ys in (row.low, row.median, row.high)
            )
            axes.fill_between(
                row.strength, low, high, color=colour(keys[row.label]), alpha=0.18, linewidth=0
            )
            _draw(axes, row.strength, median, keys[row.label], len(keys), False)
        _finish(axes, look)
        return svg(figure, name, alt)


def _draw(
    axes: Axes, x: Sequence[float], y: Sequence[float], key: int, count: int, sampled: bool
) -> None:
    """Markers shrink from curve to curve, so that equal curves all show."""
    if sampled:
        axes.plot(x[::3], y[::3], color=colour(key), linestyle="none", marker=".", markersize=4)
        return
    size, every = 3 + 1.6 * (count - 1 - key), max(1, len(x) // 8)
    axes.plot(
        x, y, color=colour(key), linewidth=1.3, marker=marker(key), markersize=size,
        markevery=every, fillstyle="none",
    )  # fmt: skip


def _finish(axes: Axes, look: Look) -> None:
    axes.set_ylim(look.low, look.high + 0.03 * (look.high - look.low))
    decades(axes.yaxis, look.low, look.high)
    axes.set_xlabel(look.x)
    axes.set_ylabel(look.y)
    if look.limit:
        height, words = look.limit
        axes.axhline(height, color=LIMIT, linewidth=1, linestyle=(0, (4, 3)), zorder=0)
        axes.annotate(
            words, (0, height), (3, 3), ("axes fraction", "data"), "offset points", color=LIMIT
        )

"""The plots of the page, one small SVG per panel, so that panels stack on a narrow screen.

No text of the user enters a figure: implementations appear by number, colour and marker, and the
key is HTML.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scanproof.report.decades import decades, log10
from scanproof.report.markup import Html, number
from scanproof.report.model import Growth
from scanproof.report.svg import LIMIT, colour, marker, style, svg

# decades of error/allowance that are drawn to scale; what lies beyond sits at their end
LOWEST, HIGHEST = -9, 6
EDGE = 0.8  # from there to 0 and to infinity


class Bar(NamedTuple):
    """One bar: throughput of one contestant, by its key in the page and where its output goes."""

    key: int
    output: str  # "given" or "fresh"
    gb_per_s: float
    undecided: bool = False


class Strip(NamedTuple):
    """One row of dots: error/allowance of an implementation, or of keyless mutants."""

    label: str
    key: int | None
    ratios: list[float]


def growth(rows: Sequence[Growth], keys: dict[str, int], name: str, alt: str) -> Html:
    """Largest error (solid) and allowance (dashed) over the length, both axes logarithmic."""
    with style():
        figure = Figure((4.6, 3.3))
        axes = figure.subplots()
        positive = [y for row in rows for y in row.error + row.allowance if 0 < y < math.inf]
        low = math.floor(math.log10(min(positive, default=1))) - 0.5
        high = math.ceil(math.log10(max(positive, default=1))) + 0.5
        for place, row in enumerate(rows):
            _curves(axes, row, keys[row.implementation], (place, len(rows)), (low, high))
        axes.set_ylim(low, high)
        _name(axes, rows, (low, high))
        decades(axes.yaxis, low, high)
        decades(
            axes.xaxis,
            0,
            math.log10(max((max(row.lengths, default=1) for row in rows), default=1)) + 0.1,
        )
        axes.set_xlabel("length T")
        axes.set_ylabel("error over rms of the states")
        return svg(figure, name, alt)


def strips(rows: Sequence[Strip], name: str, alt: str) -> Html:
    """One row per implementation, one dot per judged call, error/allowance from left to right."""
    with style():
        figure = Figure((4.6, 1.1 + 0.42 * len(rows)))
        axes = figure.subplots()
        finite = [math.log10(x) for row in rows for x in row.ratios if 0 < x < math.inf]
        low = max(LOWEST, math.floor(min([*finite, 0]) - 0.1))
        high = min(HIGHEST, max(1, math.ceil(max(finite, default=0))))
        for height, row in enumerate(rows):
            _dots(axes, row, height, (low, high))
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_yticks(
            range(len(rows)), [row.label if row.key is None else str(row.key + 1) for row in rows]
        )
        _limit(axes, low - 1.5 * EDGE, high + 1.5 * EDGE)
        decades(axes.xaxis, low, high, edges={low - EDGE: "0", high + EDGE: "∞"})
        axes.set_xlim(low - 1.5 * EDGE, high + 1.5 * EDGE)
        axes.set_xlabel("error / allowance")
        return svg(figure, name, alt)


def bars(rows: Sequence[Bar], copy: float | None, name: str, alt: str) -> Html:
    """One bar per contestant, its value at the right, and the measured copy as a line."""
    with style():
        figure = Figure((4.6, 0.9 + 0.26 * len(rows)))
        axes = figure.subplots()
        for height, row in enumerate(rows):
            axes.barh(height, row.gb_per_s, 0.66, color=colour(row.key), linewidth=0)
            words = number(row.gb_per_s) + (" undecided" if row.undecided else "")
            axes.annotate(
                words, (1, height), (4, 0), ("axes fraction", "data"), "offset points", va="center"
            )
        if copy is not None:
            axes.axvline(copy, color=LIMIT, linewidth=1.2)
            above = ("data", "axes fraction")
            axes.annotate(
                "measured copy", (copy, 1), (0, 2), above, "offset points", ha="center", color=LIMIT
            )
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_yticks(range(len(rows)), [f"{row.key + 1} {row.output}" for row in rows])
        axes.set_xlim(0, 1.05 * max([row.gb_per_s for row in rows] + [copy or 0, 1e-3]))
        axes.set_xlabel("GB/s read and written")
        return svg(figure, name, alt)


def _curves(
    axes: Axes, row: Growth, key: int, turn: tuple[int, int], ends: tuple[float, float]
) -> None:
    """turn: which of how many; their dashes take turns and their markers shrink, so that equal
    curves all show."""
    place, count = turn
    x = [math.log10(length) for length in row.lengths]
    dashes = (4 * place, (4, 4 * max(1, count - 1)))
    axes.plot(
        x,
        [log10(y, *ends) for y in row.allowance],
        linestyle=dashes,
        color=colour(key),
        linewidth=1.4,
    )
    size = 3 + 2.5 * (count - 1 - place)
    axes.plot(x, [log10(y, *ends) for y in row.error], color=colour(key), linewidth=1.2,
              marker=marker(key), markersize=size, fillstyle="none")  # fmt: skip


def _name(axes: Axes, rows: Sequence[Growth], ends: tuple[float, float]) -> None:
    """Says at the right end which lines are which."""
    last = [(row.lengths[-1], row.error[-1], row.allowance[-1]) for row in rows if row.lengths]
    at = [
        (math.log10(length), log10(error, *ends), log10(allowance, *ends))
        for length, error, allowance in last
    ]
    if at:
        right = max(x for x, _, _ in at)
        for words, y, gap in (
            ("allowance", max(y for _, _, y in at), 5),
            ("error", min(y for _, y, _ in at), -16),
        ):
            axes.annotate(
                words, (right, y), xytext=(0, gap), textcoords="offset points", ha="right"
            )


def _dots(axes: Axes, row: Strip, height: int, ends: tuple[int, int]) -> None:
    """Spreads dots over the height of their row; those that would overlap show once."""
    heights = [height + ((i * 0.618034) % 1 - 0.5) * 0.56 for i in range(len(row.ratios))]
    spots = sorted(
        {
            (round(log10(x, *ends, EDGE), 2), round(y, 2))
            for x, y in zip(row.ratios, heights, strict=True)
        }
    )
    paint, shape, size = (LIMIT, "x", 5) if row.key is None else (colour(row.key), ".", 3)
    axes.plot(
        [x for x, _ in spots], [y for _, y in spots], color=paint, linestyle="none", marker=shape,
        markersize=size,
    )  # fmt: skip


def _limit(axes: Axes, left: float, right: float) -> None:
    """The line at 1, with its words above it on the side that has room."""
    axes.axvline(0, color=LIMIT, linewidth=1.2)
    axes.axvspan(0, right, color=LIMIT, alpha=0.07, linewidth=0)
    first, second = "allowance: no declared", "evaluation is beyond"
    words, side = (
        (f"{first}\n{second} ↓", "right") if -left > right else (f"{first}\n↓ {second}", "left")
    )
    axes.annotate(
        words, (0, 1), (0, 2), ("data", "axes fraction"), "offset points", ha=side, color=LIMIT
    )

"""The figures of the page: which rows go into which panel, with captions and alt text."""

from __future__ import annotations

from scanproof.report.markup import Html, element, join, number
from scanproof.report.model import RunReport
from scanproof.report.plots import Strip, growth, strips
from scanproof.report.svg import COLOURS, GLYPHS

GROWTH = (
    "What to see: how the error (solid) of each implementation grows with the length, and how far "
    "it stays below its allowance (dashed), the proved limit for every evaluation of its declared "
    "arithmetic. A solid line above its dashed line would be outside. An error of zero lies on the "
    "lower edge."
)
RATIOS = (
    "What to see: one dot per judged call, those that cover each other drawn once. An honest "
    "implementation stays left of the line; exact results lie at 0, on the left edge. Each × is a "
    "mutant under one law, at ∞ where the allowance is zero; one × beyond the line rejects it. "
    "Beyond the line, no evaluation of the declared arithmetic gives the result."
)


def numbered(report: RunReport) -> dict[str, int]:
    """Implementations in the order of the report, those that were only timed last: their number,
    colour and marker."""
    names = dict.fromkeys([*_judged(report), *(row.contestant for row in report.speed)])
    return {name: place for place, name in enumerate(names)}


def figures(report: RunReport, keys: dict[str, int]) -> Html:
    shown = {name: keys[name] for name in _judged(report)}
    return join([key(shown), _growth(report, keys), _ratios(report, keys)])


def _judged(report: RunReport) -> dict[str, None]:
    return dict.fromkeys(
        [check.implementation for check in report.checks]
        + [row.implementation for row in report.growth]
    )


def key(keys: dict[str, int]) -> Html:
    """Which number, marker and colour stand for whom."""
    entries = (
        element(
            "li",
            element(
                "b", f"{i + 1} {GLYPHS[i % len(GLYPHS)]}", style=f"color: var(--c{i % COLOURS})"
            ),
            name,
        )
        for name, i in keys.items()
    )
    return element("ul", *entries, class_="key", aria_label="Key of the plots")


def _growth(report: RunReport, keys: dict[str, int]) -> Html:
    panels = dict.fromkeys((row.dtype, row.modulus) for row in report.growth)
    drawn = []
    for place, panel in enumerate(panels):
        rows = [row for row in report.growth if (row.dtype, row.modulus) == panel]
        title = f"{panel[0]}, |λ| = {panel[1]!r}"
        alt = f"{title}: error and allowance over the length for " + ", ".join(
            row.implementation for row in rows
        )
        drawn.append((title, growth(rows, keys, f"growth{place}", alt)))
    return figure("Error growth under the allowance", drawn, GROWTH)


def _ratios(report: RunReport, keys: dict[str, int]) -> Html:
    dtypes = dict.fromkeys(
        [check.dtype for check in report.checks] + [mutant.dtype for mutant in report.mutants]
    )
    drawn = []
    for place, dtype in enumerate(dtypes):
        rows = _strips(report, keys, dtype)
        alt = f"{dtype}: largest error over allowance of " + ", ".join(
            f"{row.label}: {number(max(row.ratios))}" for row in rows
        )
        if rows:
            drawn.append((dtype, strips(rows, f"ratios{place}", alt)))
    return figure("Error / allowance of every judged call", drawn, RATIOS)


def _strips(report: RunReport, keys: dict[str, int], dtype: str) -> list[Strip]:
    """The judged calls of this dtype, an implementation a row, and its mutants in the last row."""
    rows = [
        Strip(
            check.implementation,
            keys[check.implementation],
            [x for law in check.laws for x in law.ratios],
        )
        for check in report.checks
        if check.dtype == dtype
    ]
    wrong = [x for mutant in report.mutants if mutant.dtype == dtype for x in mutant.ratios]
    return [row for row in [*rows, Strip("mutants", None, wrong)] if row.ratios]


def figure(title: str, panels: list[tuple[str, Html]], caption: str) -> Html:
    """Panels with their titles under one caption."""
    drawn = [element("div", element("h3", name), svg) for name, svg in panels]
    shown = (
        element("div", *drawn, class_="panels") if drawn else element("p", "Nothing was measured.")
    )
    return element("figure", element("figcaption", element("strong", title), ". " + caption), shown)

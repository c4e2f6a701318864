"""What `tightness` found, as the page docs/measured/layers-tightness.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np

from scanproof.benchmarks.campaigns.cases import CAMPAIGNS, CELLS, FORMATS, MODES, cell
from scanproof.benchmarks.campaigns.programs import Regime
from scanproof.benchmarks.campaigns.tightness import Cost, Finding, Outcome

# columns of the cost
SPENT = ("outputs", "float64 forward", "times", "gradients", "float64 gradients", "times")
FIRST = ("y", "h", "gradient u", "gradient h0")  # rows of a table, before those of the parameters


class Row(NamedTuple):
    """One output of one regime and format in one mode; numbers as in the page's text."""

    system: str
    regime: str
    format: str
    output: str
    mode: str
    sequences: int
    smallest: float
    median: float
    size: float
    informative: float
    outside: int

    @property
    def cells(self) -> tuple[str, ...]:
        return (
            f"{self.smallest:.3g}",
            f"{self.median:.3g}",
            f"{self.size:.2g}",
            f"{self.informative:.2f}",
            str(self.outside),
        )


def table(outcomes: Iterable[Outcome]) -> list[Row]:
    """A row for every regime, format, output and mode that occurs, in this order."""
    found: dict[tuple[int, str, str], list[Finding]] = {}
    for outcome in outcomes:
        for one in outcome.findings:
            found.setdefault((outcome.number % len(CELLS), label(one.result), one.mode), []).append(
                one
            )
    return [row(*place, found[place]) for place in sorted(found, key=_order)]


def row(number: int, output: str, mode: str, parts: list[Finding]) -> Row:
    """The row of these results."""
    regime, dtype = cell(number)
    ratios, sizes = (
        np.array([x for part in parts for x in getattr(part, name)]) for name in ("ratios", "sizes")
    )
    return Row(
        system=regime.system,
        regime=str(regime),
        format=dtype,
        output=output,
        mode=mode,
        sequences=ratios.size,
        smallest=float(ratios.min(initial=np.inf)),
        median=float(np.median(ratios)) if ratios.size else np.inf,
        size=float(np.median(sizes)) if sizes.size else np.inf,
        informative=float(np.mean([part.informative for part in parts])),
        outside=sum(part.outside for part in parts),
    )


def label(result: str) -> str:
    """The row of a result: real and imaginary parts together, C2 with C."""
    return result.removesuffix("_re").removesuffix("_im").replace("C2", "C")


def _order(place: tuple[int, str, str]) -> tuple[int, int, str, int]:
    number, output, mode = place
    return (
        number,
        FIRST.index(output) if output in FIRST else len(FIRST),
        output,
        list(MODES).index(mode),
    )


def totals(outcomes: list[Outcome]) -> dict[str, int | float]:
    """What was computed, and what came out.

    Elements count once for every mode that they were judged in.
    """
    found = [one for outcome in outcomes for one in outcome.findings]
    runs = {(outcome.number, one.program) for outcome in outcomes for one in outcome.findings}
    return {
        "cases": len(outcomes),
        "runs": len(runs),
        "results": len(found),
        "elements": sum(one.elements for one in found),
        "outside": sum(one.outside for one in found),
        **{f"ratio_{dtype}": max(_largest(outcomes, dtype), default=0.0) for dtype in FORMATS},
    }


def _largest(outcomes: list[Outcome], dtype: str) -> Iterator[float]:
    return (
        one.largest
        for outcome in outcomes
        if cell(outcome.number)[1] == dtype
        for one in outcome.findings
    )


def costs(outcomes: list[Outcome]) -> list[tuple[Regime, Cost]]:
    """Median seconds of each part, by regime."""
    found: dict[Regime, list[Cost]] = {}
    for outcome in outcomes:
        found.setdefault(cell(outcome.number)[0], []).append(outcome.cost)
    return [(regime, Cost(*np.median(spent, axis=0).tolist())) for regime, spent in found.items()]


# ---------------------------------------------------------------- the page


def page(seed: int, outcomes: list[Outcome]) -> Iterator[str]:
    """The lines of docs/measured/layers-tightness.md."""
    rows, found = table(outcomes), totals(outcomes)
    ratios = {
        name: f"{np.floor(1e4 * value) / 1e4:.4f}"
        for name, value in found.items()
        if name.startswith("ratio")
    }
    texts = {name: _said(f"{name}_text") for name in ("programs", "draws")}
    texts["sparse"] = _said("sparse_text", " and ")
    each = len(outcomes) // len(CELLS)
    yield from INTRODUCTION.format(seed=seed, each=each, **texts, **found | ratios).splitlines()
    yield from ("", *INFORMATIVE.splitlines(), "")
    columns = (f"{mode}: {output}" for mode in MODES for output in ("y", "h", "gradients"))
    yield from _table(("system", "regime", "format", *columns), 3, where_informative(rows))
    for system in dict.fromkeys(one.system for one in rows):
        for regime in dict.fromkeys(one.regime for one in rows if one.system == system):
            mine = [one for one in rows if (one.system, one.regime) == (system, regime)]
            yield from ("", f"## {system}: {regime}", "")
            words = ("smallest", "median", "/rms", "informative", "outside")
            yield from _table(
                ("format", "output", *(f"{m}: {w}" for m in MODES for w in words)), 2, _pairs(mine)
            )
    yield from ("", *COST.splitlines(), "")
    yield from _table(("system", "regime", *SPENT), 2, map(_cost, costs(outcomes)))


def _said(field: str, between: str = "\n") -> str:
    """What the campaigns of all systems say of themselves."""
    return between.join(getattr(campaign, field) for campaign in CAMPAIGNS.values())


def where_informative(rows: list[Row]) -> Iterator[tuple[str, ...]]:
    """Shares of informative sequences, by regime and format."""
    kinds: tuple[Callable[[str], bool], ...] = (
        lambda o: o == "y",
        lambda o: o == "h",
        lambda o: o.startswith("gradient"),
    )
    for place in dict.fromkeys(one[:3] for one in rows):
        mine = [one for one in rows if one[:3] == place]
        picked = (
            [one.informative for one in mine if one.mode == mode and kind(one.output)]
            for mode in MODES
            for kind in kinds
        )
        yield (*map(str, place), *(f"{np.mean(shares):.2f}" for shares in picked))


def _pairs(rows: list[Row]) -> Iterator[tuple[str, ...]]:
    """The modes of an output side by side."""
    for place in dict.fromkeys((one.format, one.output) for one in rows):
        mine = [one for one in rows if (one.format, one.output) == place]
        yield (*place, *(text for one in mine for text in one.cells))


def _cost(found: tuple[Regime, Cost]) -> tuple[str, ...]:
    regime, spent = found
    pairs = ((spent.outputs, spent.forward), (spent.gradients, spent.vjp))
    cells = ((f"{ours:.2g} s", f"{plain:.2g} s", f"{ours / plain:.0f}") for ours, plain in pairs)
    return (regime.system, str(regime), *(text for part in cells for text in part))


def _table(columns: tuple[str, ...], words: int, rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield "|" + "---|" * words + "---:|" * (len(columns) - words)
    yield from (f"| {' | '.join(cells)} |" for cells in rows)


INTRODUCTION = """\
# Tightness of the allowances of layers

Written by `scanproof power layers --cases {each} --seed {seed} --write \
docs/measured/layers-tightness.md`.
Honest programs of whole layers, forward and backward, are computed
([`benchmarks/campaigns/programs.py`](../../benchmarks/campaigns/programs.py)), and every result is
put beside its allowance. By the theorem none can be `outside`, given the assumed constants
([constants.md](constants.md)). So this checks the code and shows what the theorem is worth: a large
median is the price of a worst case over all programs.

| | |
|---|---:|
| cases (parameters, inputs, initial states and cotangents of one call) | {cases:,} |
| runs (one program on one case) | {runs:,} |
| results judged (outputs, states, gradients; in each mode) | {results:,} |
| their elements | {elements:,} |
| elements `outside` | {outside:,} |
| largest error/allowance, rounded down: float32, sums in float32 | {ratio_float32} |
| the same: float64 | {ratio_float64} |
| the same: bfloat16 in and out, sums in float32 | {ratio_bfloat16} |

**Programs.** Plain NumPy, one step after the other; doubling (Hillis and Steele) and chunks of 8
with one carry, their steps contracted in ways that are drawn; the Numba kernels, which fold
matrices in float64.
{programs}
In bfloat16 every program widens its inputs to float32 and rounds its results once, so that the
rounding of results is most of every error. Complex states are returned as complex64, since there
are no complex numbers of bfloat16: they are not rounded here, though programs may do it, which is
why their allowances look loose.

**Cases.** Parameters as the suite draws them (`properties/systems/`: half of the angles near
multiples of pi/2, M with a norm up to 3), width 8, batch 1, Gaussian inputs and cotangents.
{draws}
One case in four runs backwards, one in four has two directions, one in two has an initial state.
Sparse: one power of two in every row of B and C and no skip, {sparse}: almost nothing but the scan
rounds.

**Modes.** `formed`: drive and states are formed, and of gradients the cotangents of the states by
the adjoint recurrence; `any`: none of this is assumed.

**Columns.** A sequence is a channel over time, or a whole parameter, or all of u; it has its
largest allowance and its largest error. `smallest`, `median`: of allowance/error, over the
sequences that have an error. `/rms`: allowance over the rms of the truth, median. `informative`:
share of sequences whose allowance, the rounding of results aside, is at most 2^-7 of the rms (and
could tell a dropped carry from y). `outside`: elements. `gradient B` and `gradient C` hold real and
imaginary parts, and both directions' C."""

INFORMATIVE = """\
## Where allowances inform

Shares of informative sequences; those of gradients are the mean over all of them."""

COST = """\
## Cost

Truth and allowance of one case in the mode `formed`, beside the reference itself in float64: median
seconds on one core of one machine that was busy with other cases, and how many times as long. Only
this table depends on the machine's speed."""

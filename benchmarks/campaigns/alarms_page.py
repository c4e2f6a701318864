"""What `alarms` found, as the page docs/measured/tightness.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import NamedTuple

import numpy as np

from scanproof.benchmarks.campaigns.alarms import DECLARED, TIMES, Outcome
from scanproof.reference.arithmetic.declaration import Arithmetic


class Row(NamedTuple):
    """A line of the table; the fields are its columns (docs/measured/tightness.md)."""

    format: str
    declared: str
    time: int
    calls: int
    sequences: int
    smallest: float
    median: float
    ratio: float
    informative: float
    rounded: float

    def __str__(self) -> str:
        shares = f"{self.informative:.2f} | {self.rounded:.2f}"
        bounds = f"{self.smallest:.3g} | {self.median:.3g}" if self.sequences else "- | -"
        words = f"{self.format} | {self.declared} | {self.time} | {self.calls} | {self.sequences}"
        return f"| {words} | {bounds} | {_down(self.ratio)} | {shares} |"


def table(outcomes: Iterable[Outcome]) -> list[Row]:
    """A row for every declaration and every length in TIMES that occurs."""
    cells: dict[tuple[int, int], list[Outcome]] = {}
    for outcome in outcomes:
        cells.setdefault((outcome.declared, outcome.time), []).append(outcome)
    return [row(cells[cell]) for cell in sorted(cells) if cell[1] in TIMES]


def row(outcomes: list[Outcome]) -> Row:
    """The row of evaluations of one declaration and length."""
    arithmetic, ratios = (
        DECLARED[outcomes[0].declared],
        np.array([ratio for o in outcomes for ratio in o.ratios]),
    )
    return Row(
        format=arithmetic.dtype,
        declared=label(arithmetic),
        time=outcomes[0].time,
        calls=len(outcomes),
        sequences=ratios.size,
        smallest=float(ratios.min(initial=np.inf)),
        median=float(np.median(ratios)) if ratios.size else np.inf,
        ratio=max(o.ratio for o in outcomes),
        informative=float(np.mean([o.informative for o in outcomes])),
        rounded=sum(o.rounded for o in outcomes) / sum(o.elements for o in outcomes),
    )


def label(arithmetic: Arithmetic) -> str:
    """The order, and what else is declared and not the default."""
    words = [arithmetic.order]
    for field in fields(arithmetic)[1:]:
        value = getattr(arithmetic, field.name)
        if field.name != "order" and value != field.default:
            words.append(
                "no contraction" if field.name == "contraction" else f"{field.name} {value}"
            )
    return ", ".join(words)


def _down(ratio: float) -> str:
    """Four digits; what is below 1 is shown so."""
    return f"{np.floor(1e4 * ratio) / 1e4:.4f}"


def totals(outcomes: list[Outcome]) -> dict[str, int | float]:
    """What was computed, and how many evaluations had which verdict."""
    words = [o.verdict for o in outcomes]
    return {
        "evaluations": len(outcomes),
        "sequences": sum(o.sequences for o in outcomes),
        "elements": sum(o.elements for o in outcomes),
        **{word: words.count(word) for word in ("outside", "within", "nearest", "undecided")},
        "ratio": max(o.ratio for o in outcomes),
    }


def page(seed: int, outcomes: list[Outcome]) -> Iterator[str]:
    """The lines of docs/measured/tightness.md."""
    found = totals(outcomes)
    yield from INTRODUCTION.format(
        seed=seed, **found | {"ratio": _down(found["ratio"])}
    ).splitlines()
    yield ""
    yield ("| format | class | T | calls | sequences | smallest | median | error/allowance | "
           "informative | rounded |")
    yield "|---|---|" + "---:|" * 8
    yield from map(str, table(outcomes))


INTRODUCTION = """\
# False alarms and tightness

Written by `scanproof power alarms --evaluations {evaluations} --seed {seed} --write \
docs/measured/tightness.md`.
Honest programs of the bare scan are computed
([`benchmarks/campaigns/honest.py`](../../benchmarks/campaigns/honest.py)) and judged as any result
is, each under the class that it was computed in. By the theorem ([theorem.md](../theorem.md)) none
can be `outside`; so this checks the code, not the theorem. A fault that no evaluation here meets
stays unseen, and nothing is said about programs outside the classes of the table.

| | |
|---|---:|
| evaluations (one call, judged as a whole) | {evaluations:,} |
| sequences of all calls (batch rows times channels) | {sequences:,} |
| elements of all calls (states) | {elements:,} |
| `outside` | {outside:,} |
| `within` | {within:,} |
| `nearest`: every element is correctly rounded | {nearest:,} |
| `undecided`: not refuted, but the allowance says too little, or overflow is possible | \
{undecided:,} |
| largest error/allowance, rounded down | {ratio} |

**What is computed.** Classes take turns; of the programs that a class admits, one is drawn.
Bracketings: one step after the other, the doubling of Hillis and Steele, the sweeps of Blelloch,
chunks with one carry, a tree drawn at random. Steps are separate or fused (each fused operation is
rounded once, exactly), complex ones contracted in several ways; in float64 and complex128 they are
NumPy's own. Truncation, the alignment of matrix units, TF32 operands and flushes are formed from
exact results. Inputs: |lam| near 0, around 1/2, near 1, exactly 1 and just above, constant or
varying (with resets), also real beside complex states; magnitudes from subnormal to near overflow,
constant inputs, whole numbers, inputs that cancel what was carried; with and without h0 and
reverse. Lengths go from 1 to 2048, and the table shows four.

**Columns.** `calls`: evaluations of this class and length. `sequences`: sequences of these calls
with an error and with an allowance throughout; others (exact, or overflow is possible) are left out
of the next two. `smallest`, `median`: of allowance/error over these sequences, the largest of each
over time. `error/allowance`: the largest of any element of these calls, and of any window where
states are read back (`store`), rounded down. `informative`: share of sequences whose allowance
could tell zeros or a dropped carry ([verdicts.md](../verdicts.md)), mean over the calls. `rounded`:
share of elements that are the correct rounding of the exact state. A large median is the price of a
worst case: random errors grow like the square root of the number of roundings, allowances like the
number itself. A `smallest` near 1 is an allowance that an honest program uses up."""

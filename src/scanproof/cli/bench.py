"""`scanproof bench`: throughput of scans beside a measured copy; who is outside is not timed."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scanproof.benchmarks.speed import speed
from scanproof.benchmarks.speed.cases import Case, chosen
from scanproof.benchmarks.speed.machine import limited
from scanproof.cli.doctor import machine
from scanproof.cli.exits import ACCEPTED, REJECTED
from scanproof.cli.output import console, number, print_json, progress, table
from scanproof.report.markup import several
from scanproof.report.model import SpeedRow

COLUMNS = (
    "contestant",
    "output",
    "threads",
    "median ms",
    "IQR",
    "min",
    "GB/s",
    "× copy",
    "first",
    "verdict",
)
NOTE = (
    "output given: into an existing array; fresh: the call allocates it.\n"
    "IQR: between the quartiles of the rounds, ms. GB/s: bytes read and written over the median;\n"
    "× copy: time per byte over that of numpy copy, given, one thread, in the same rounds.\n"
    "first: the first call in ms, compiling or loading included. Who is outside is not timed."
)


def run(
    names: list[str] | None, rounds: int, threads: int | None, as_json: bool, quiet: bool
) -> int:
    """Measures the cases, prints them, and returns 1 if a contestant is outside."""
    cases = chosen(names)
    rows = measure(cases, rounds, threads, quiet or as_json)
    verdicts = {row.verdict for row in rows}
    if as_json:
        facts = {"format": "scanproof-bench/1", "machine": machine(), "rounds": rounds}
        print_json(facts | {"rows": [row.model_dump() for row in rows]})
    elif quiet:
        console().print(
            next(word for word in ("outside", "undecided", "within", "nearest") if word in verdicts)
        )
    else:
        show(rows)
    return REJECTED if "outside" in verdicts else ACCEPTED


def measure(cases: Sequence[Case], rounds: int, threads: int | None, quiet: bool) -> list[SpeedRow]:
    """The rows of all cases, with a progress bar.

    Raises:
        ValueError: more threads than there are cores.
    """
    total = sum(speed.steps(case, rounds) for case in cases)
    with limited(threads) as n, progress(total, quiet) as (bar, task):
        return [
            row
            for case in cases
            for row in speed.measure(
                case, rounds, n, tell=lambda text: bar.update(task, advance=1, description=text)
            )
        ]


def show(rows: Sequence[SpeedRow]) -> None:
    """A table per case, and the reason of whatever is not green."""
    out = console()
    for case in dict.fromkeys(row.case for row in rows):
        found = [row for row in rows if row.case == case]
        row, judged = found[0], next((row for row in found if row.sequences), found[0])
        out.print(f"{case}: {row.dtype} {tuple(row.shape)}, lam {row.lam}", markup=False)
        sequences, states = (
            several(judged.sequences, "sequence"),
            f"{judged.states} of {math.prod(row.shape)} states",
        )
        out.print(f"judged before it was timed, of everyone: {sequences}, {states}")
        out.print(table(COLUMNS, [_cells(row) for row in found]))
        for row in found:
            if row.verdict not in ("within", "nearest", "reference"):
                out.print(f"{row.contestant}: {row.verdict}: {row.reason}", markup=False)
        out.print()
    out.print(NOTE, markup=False)


def _cells(row: SpeedRow) -> tuple[str, ...]:
    head, t = (row.contestant, row.output, str(row.threads)), row.timing
    if t is None:
        return (*head, *[""] * 6, row.verdict)
    times = (
        t.median_ms,
        t.quartiles_ms[1] - t.quartiles_ms[0],
        t.minimum_ms,
        t.gb_per_s,
        t.ratio or math.nan,
    )
    return (
        *head,
        *(f"{x:.0f}" if x >= 1000 else number(x) for x in times),
        f"{t.first_ms:.0f}",
        row.verdict,
    )

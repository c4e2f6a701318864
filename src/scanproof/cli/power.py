"""What `scanproof power` runs: campaigns on all cores, their pages, their exit codes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import as_completed
from pathlib import Path
from typing import Any

from scanproof.cli import processes
from scanproof.cli.exits import ACCEPTED, REJECTED
from scanproof.cli.output import console, print_json, progress, table, waiting
from scanproof.properties.files import write_atomically

BLOCK = 50  # honest evaluations in one piece of work
CASES = 3  # of layers, likewise


def tiny(write: Path | None, as_json: bool, quiet: bool) -> int:
    """Runs everything that can be tried in tiny formats."""
    from scanproof.proofs.rounding import tiny as tables  # compiles with Numba

    rows = []
    with progress(tables.ROWS, quiet or as_json) as (bar, task):
        for row in tables.rows():
            rows.append(row)
            bar.update(
                task, advance=1, description=f"{row.table}: {row.text.split('|')[1].strip()}"
            )
    content = {"format": "scanproof-power/1", "rows": [row._asdict() for row in rows]}
    faults = [row.fault for row in rows if row.fault]
    return _written(tables.page(rows), content, faults, write, as_json, quiet)


def alarms(evaluations: int, seed: int, write: Path | None, as_json: bool, quiet: bool) -> int:
    """Runs the campaign of honest scans on all cores."""
    from scanproof.benchmarks.campaigns import alarms_page as pages
    from scanproof.benchmarks.campaigns.alarms import block

    what = "honest evaluations"
    outcomes = _outcomes(block, evaluations, BLOCK, seed, what, quiet or as_json)
    found = [outcome.alarm for outcome in outcomes if outcome.alarm]
    name = "scanproof-alarms/1"
    return _campaign(name, pages, seed, outcomes, found, write, as_json, quiet)


def layers(cases: int, seed: int, write: Path | None, as_json: bool, quiet: bool) -> int:
    """Runs the campaign of honest layers on all cores."""
    from scanproof.benchmarks.campaigns import tightness_page as pages
    from scanproof.benchmarks.campaigns.cases import CELLS
    from scanproof.benchmarks.campaigns.tightness import block

    what = "cases of layers"
    outcomes = _outcomes(block, cases * len(CELLS), CASES, seed, what, quiet or as_json)
    found = [alarm for outcome in outcomes for alarm in outcome.alarms]
    name = "scanproof-layers/1"
    return _campaign(name, pages, seed, outcomes, found, write, as_json, quiet)


def long(steps: int, seed: int, as_json: bool) -> int:
    """Judges an honest result and a wrong one, one after the other."""
    from scanproof.benchmarks.campaigns.long_sequences import timed

    with waiting(f"judging {steps} steps", as_json):
        rows = list(timed(steps, seed))
    if as_json:
        content = [
            {"result": r.result, "seconds": r.seconds, "peak_mib": r.peak, **r.verdict.as_dict()}
            for r in rows
        ]
        print_json({"format": "scanproof-long/1", "steps": steps, "rows": content})
    else:
        columns = ("result", "declared", "verdict", "informative", "judged in", "memory")
        console().print(table(columns, [_long_cells(r) for r in rows]))
    wrong = [r for r in rows if (r.verdict.verdict == "outside") == (r.result == "honest")]
    return REJECTED if wrong else ACCEPTED


def _long_cells(row: Any) -> tuple[object, ...]:
    verdict = row.verdict
    spent = f"{row.seconds:.1f} s", f"{row.peak:.0f} MiB"
    return (row.result, verdict.arithmetic, verdict.verdict, f"{verdict.informative:.0%}", *spent)


def constants(seed: int, write: Path | None, as_json: bool, quiet: bool) -> int:
    """Measures the assumed constants in several processes."""
    from scanproof.benchmarks.constants import constants_page as pages
    with waiting("measuring", quiet or as_json), processes.pool() as pool:
        futures = [pool.submit(function, *arguments) for function, arguments in pages.jobs(seed)]
        found = pages.measured(seed, [future.result() for future in futures])
    page = "\n".join(pages.page(found)) + "\n"
    rows = [
        {"what": r.what, "class": r.word, "declared": r.claimed, **r._asdict()} for r in found.rows
    ]
    content = {
        "format": "scanproof-constants/1",
        "seed": seed,
        "versions": found.versions,
        "rows": rows,
    }
    return _written(page, content, found.faults, write, as_json, quiet)


def _outcomes(
    block: Callable[..., list[Any]], total: int, size: int, seed: int, what: str, quiet: bool
) -> list[Any]:
    """block(seed, first, last) of all numbers below `total`, in order, whatever the processes."""
    with processes.pool() as pool, progress(total, quiet) as (bar, task):
        limits = [(first, min(first + size, total)) for first in range(0, total, size)]
        blocks = [pool.submit(block, seed, *limit) for limit in limits]
        for done in as_completed(blocks):
            bar.update(task, advance=len(done.result()), description=what)
        return [outcome for future in blocks for outcome in future.result()]


def _campaign(
    name: str,
    pages: Any,
    seed: int,
    outcomes: list[Any],
    alarms: list[str],
    write: Path | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """The page of a campaign, or its totals and rows."""
    rows = [row._asdict() for row in pages.table(outcomes)]
    content = {"format": name, "seed": seed, "totals": pages.totals(outcomes), "rows": rows}
    page = "\n".join(pages.page(seed, outcomes)) + "\n"
    return _written(page, content | {"alarms": alarms}, alarms, write, as_json, quiet)


def _written(
    page: str,
    content: dict[str, Any],
    faults: Sequence[str],
    write: Path | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Writes and prints what was found; every fault is a line on standard error."""
    if write:
        write_atomically(write, page)
    if as_json:
        print_json(content | {"accepted": not faults})
    elif not quiet:
        console().print(page, markup=False)
    for fault in faults:
        console(stderr=True).print(f"scanproof: power: {fault}", markup=False)
    return REJECTED if faults else ACCEPTED

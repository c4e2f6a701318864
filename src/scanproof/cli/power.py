"""`scanproof power`: what the checkers themselves are worth, measured where everything can be tried."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import as_completed
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scanproof.cli.app import ACCEPTED, REJECTED, one_line_errors, power
from scanproof.cli.options import Json, Quiet, Seed
from scanproof.cli.output import console, print_json, progress, table, waiting

if TYPE_CHECKING:
    from scanproof.benchmarks.campaigns import alarms as scans
    from scanproof.benchmarks.campaigns import layer_tightness

BLOCK = 50  # honest evaluations in one piece of work
CASES = 3  # of layers, likewise


@power.command()
def tiny(
    write: Annotated[Path | None, typer.Option(help="Also write the tables to this file, as in docs/measured/tiny.md.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Try the allowance on every input of tiny formats (minutes), and show which input violates it when a term is weakened.

    Exits with 1 if any evaluation exceeds the allowance, or if a weakened term that is said to bite does not.

    Example:

      scanproof power tiny --write docs/measured/tiny.md
    """
    with one_line_errors():
        raise typer.Exit(run(write, json, quiet))


@power.command()
def alarms(
    evaluations: Annotated[int, typer.Option(min=1, help="Honest evaluations to compute and judge.")] = 100_000,
    seed: Seed = 0,
    write: Annotated[Path | None, typer.Option(help="Also write the page here, as in docs/measured/tightness.md.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Judge honest evaluations of every class (minutes), and tabulate how far the allowances are above their errors.

    Exits with 1 if any evaluation is outside; the line that is printed then repeats it.

    Example:

      scanproof power alarms --write docs/measured/tightness.md
    """
    with one_line_errors():
        raise typer.Exit(run_alarms(evaluations, seed, write, json, quiet))


def run_alarms(evaluations: int, seed: int, write: Path | None, as_json: bool, quiet: bool) -> int:
    """Runs the campaign on all cores and returns the exit code."""
    from scanproof.benchmarks.campaigns import tightness_page
    from scanproof.benchmarks.campaigns.alarms import block
    from scanproof.properties.witness import write_atomically

    outcomes: list[scans.Outcome] = _outcomes(block, evaluations, BLOCK, seed, "honest evaluations", quiet or as_json)
    page = "\n".join(tightness_page.page(seed, outcomes)) + "\n"
    found = [outcome.alarm for outcome in outcomes if outcome.alarm]
    if write:
        write_atomically(write, page)
    if as_json:
        rows = [row._asdict() for row in tightness_page.table(outcomes)]
        facts = {"format": "scanproof-alarms/1", "seed": seed, "totals": tightness_page.totals(outcomes)}
        print_json(facts | {"rows": rows, "alarms": found, "accepted": not found})
    elif not quiet:
        console().print(page, markup=False)
    for alarm in found:
        console(stderr=True).print(f"scanproof: power: {alarm}", markup=False)
    return REJECTED if found else ACCEPTED


def _outcomes(block: Callable[..., list[Any]], total: int, size: int, seed: int, what: str, quiet: bool) -> list[Any]:
    """block(seed, first, last) of all numbers below `total`, in their order, whatever the number of processes."""
    from scanproof.cli import verify

    with verify.pool() as pool, progress(total, quiet) as (bar, task):
        limits = [(first, min(first + size, total)) for first in range(0, total, size)]
        blocks = [pool.submit(block, seed, *limit) for limit in limits]
        for done in as_completed(blocks):
            bar.update(task, advance=len(done.result()), description=what)
        return [outcome for future in blocks for outcome in future.result()]


@power.command()
def layers(
    cases: Annotated[int, typer.Option(min=1, help="Cases of every regime and format.")] = 12,
    seed: Seed = 0,
    write: Annotated[Path | None, typer.Option(help="Also write the page here, as in docs/measured/layers-tightness.md.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Judge honest programs of RotRNN and LRU (minutes), and tabulate how far the allowances are above their errors.

    Exits with 1 if any result is outside; the line that is printed then repeats its case.

    Example:

      scanproof power layers --write docs/measured/layers-tightness.md
    """
    with one_line_errors():
        raise typer.Exit(run_layers(cases, seed, write, json, quiet))


def run_layers(cases: int, seed: int, write: Path | None, as_json: bool, quiet: bool) -> int:
    """Runs all cases on all cores and returns the exit code."""
    from scanproof.benchmarks.campaigns import layer_tightness_page
    from scanproof.benchmarks.campaigns.layer_cases import CELLS
    from scanproof.benchmarks.campaigns.layer_tightness import block
    from scanproof.properties.witness import write_atomically

    total = cases * len(CELLS)
    outcomes: list[layer_tightness.Outcome] = _outcomes(block, total, CASES, seed, "cases of layers", quiet or as_json)
    page = "\n".join(layer_tightness_page.page(seed, outcomes)) + "\n"
    found = [alarm for outcome in outcomes for alarm in outcome.alarms]
    if write:
        write_atomically(write, page)
    if as_json:
        rows = [row._asdict() for row in layer_tightness_page.table(outcomes)]
        facts = {"format": "scanproof-layers/1", "seed": seed, "totals": layer_tightness_page.totals(outcomes)}
        print_json(facts | {"rows": rows, "alarms": found, "accepted": not found})
    elif not quiet:
        console().print(page, markup=False)
    for alarm in found:
        console(stderr=True).print(f"scanproof: power: {alarm}", markup=False)
    return REJECTED if found else ACCEPTED


@power.command()
def long(
    steps: Annotated[int, typer.Option(min=1, help="Length of the sequence.")] = 1_000_000,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Judge a million complex64 steps of 64 channels, honest and with a carry wrong by 1e-6; time and memory of the judge.

    Exits with 1 if the honest result is outside or the other is not.

    Example:

      scanproof power long --steps 100000
    """
    with one_line_errors():
        raise typer.Exit(run_long(steps, seed, json))


def run_long(steps: int, seed: int, as_json: bool) -> int:
    """Judges one after the other and returns the exit code."""
    from scanproof.benchmarks.campaigns.long_sequences import timed

    with waiting(f"judging {steps} steps", as_json):
        rows = list(timed(steps, seed))
    if as_json:
        told = [{"result": r.result, "seconds": r.seconds, "peak_mib": r.peak, **r.verdict.as_dict()} for r in rows]
        print_json({"format": "scanproof-long/1", "steps": steps, "rows": told})
    else:
        judged = [(r.result, r.verdict.arithmetic, r.verdict.verdict, f"{r.verdict.informative:.0%}") for r in rows]
        cells = [(*cell, f"{r.seconds:.1f} s", f"{r.peak:.0f} MiB") for cell, r in zip(judged, rows, strict=True)]
        console().print(table(("result", "declared", "verdict", "informative", "judged in", "memory"), cells))
    wrong = [r for r in rows if (r.verdict.verdict == "outside") == (r.result == "honest")]
    return REJECTED if wrong else ACCEPTED


@power.command()
def constants(
    seed: Seed = 0,
    write: Annotated[Path | None, typer.Option(help="Also write the page here, as in docs/measured/constants.md.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure the constants that verdicts on layers assume: elementary functions and the matrix exponential (minutes).

    Exits with 1 if anything exceeds what its class declares. NumPy and SciPy are measured, and jax and torch where installed.

    Example:

      scanproof power constants --write docs/measured/constants.md
    """
    with one_line_errors():
        raise typer.Exit(run_constants(seed, write, json, quiet))


def run_constants(seed: int, write: Path | None, as_json: bool, quiet: bool) -> int:
    """Measures in several processes and returns the exit code."""
    from scanproof.benchmarks.constants import constants_page
    from scanproof.cli import verify
    from scanproof.properties.witness import write_atomically

    with waiting("measuring", quiet or as_json), verify.pool() as pool:
        futures = [pool.submit(function, *arguments) for function, arguments in constants_page.jobs(seed)]
        found = constants_page.measured(seed, [future.result() for future in futures])
    page = "\n".join(constants_page.page(found)) + "\n"
    if write:
        write_atomically(write, page)
    if as_json:
        rows = [{"what": r.what, "class": r.word, "declared": r.claimed, **r._asdict()} for r in found.rows]
        facts = {"format": "scanproof-constants/1", "seed": seed, "versions": found.versions}
        print_json(facts | {"rows": rows, "accepted": not found.faults})
    elif not quiet:
        console().print(page, markup=False)
    for fault in found.faults:
        console(stderr=True).print(f"scanproof: power: {fault}", markup=False)
    return REJECTED if found.faults else ACCEPTED


def run(write: Path | None, as_json: bool, quiet: bool) -> int:
    """Runs everything and returns the exit code."""
    from scanproof.proofs.rounding import tiny as tables  # compiles with Numba
    from scanproof.properties.witness import write_atomically

    rows = []
    with progress(tables.ROWS, quiet or as_json) as (bar, task):
        for row in tables.rows():
            rows.append(row)
            bar.update(task, advance=1, description=f"{row.table}: {row.text.split('|')[1].strip()}")
    page, faults = tables.page(rows), [row.fault for row in rows if row.fault]
    if write:
        write_atomically(write, page)
    if as_json:
        print_json({"format": "scanproof-power/1", "rows": [row._asdict() for row in rows], "accepted": not faults})
    elif not quiet:
        console().print(page, markup=False)
    for fault in faults:
        console(stderr=True).print(f"scanproof: power: {fault}", markup=False)
    return REJECTED if faults else ACCEPTED

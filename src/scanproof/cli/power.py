"""`scanproof power`: what the checkers themselves are worth, measured where everything can be tried."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scanproof.cli.app import ACCEPTED, REJECTED, one_line_errors, power
from scanproof.cli.options import Json, Quiet
from scanproof.cli.output import console, print_json, progress


@power.command()
def tiny(
    write: Annotated[Path | None, typer.Option(help="Also write the tables to this file, as in docs/tiny.md.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Try the allowance on every input of tiny formats (minutes), and show which input violates it when a term is weakened.

    Exits with 1 if any evaluation exceeds the allowance, or if a weakened term that is said to bite does not.

    Example:

      scanproof power tiny --write docs/tiny.md
    """
    with one_line_errors():
        raise typer.Exit(run(write, json, quiet))


def run(write: Path | None, as_json: bool, quiet: bool) -> int:
    """Runs everything and returns the exit code."""
    from scanproof.proofs import tiny as tables  # compiles with Numba
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

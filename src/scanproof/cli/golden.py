"""`scanproof golden ...`: the published cases, and answers of other programs to them (docs/golden.md)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from scanproof.cli.app import ACCEPTED, REJECTED, golden, one_line_errors
from scanproof.cli.options import Json, Quiet, declares

Dtypes = Annotated[list[str] | None, typer.Option("--dtype", help="Only cases of this dtype (may be repeated).")]
System = Annotated[str, typer.Option(help="The cases of a scan, or of a layer: lru, rotrnn.")]


@golden.command("list")
def list_cases(
    system: Annotated[str | None, typer.Option(help="Only cases of this system: scan, lru or rotrnn.")] = None,
    dtype: Dtypes = None,
    json: Json = False,
) -> None:
    """List the published cases, of all systems.

    Example:

      scanproof golden list --system lru --dtype float32
    """
    from scanproof.cli import golden_output as output

    with one_line_errors():
        output.listing(output.chosen(system, dtype), json)


@golden.command()
def show(
    case: Annotated[str, typer.Argument(help="An id, the beginning of one, or a golden file.")],
    json: Json = False,
) -> None:
    """Show one case: what it is for, its inputs, exact results and bounds.

    Examples:

      scanproof golden show exact-17-float32

      scanproof golden show exact-17-float32 --json
    """
    from scanproof.cli import golden_output as output

    with one_line_errors():
        output.one(output.found(case), json)


@golden.command()
def emit(system: System = "scan", dtype: Dtypes = None) -> None:
    """Print one JSON line a case, inputs only, for a program in any language.

    Examples:

      scanproof golden emit --dtype float32 | ./yours | scanproof golden judge - --dtype float32

      scanproof golden emit --system lru --dtype float64 > questions.jsonl
    """
    from scanproof.cli import golden_output as output

    with one_line_errors():
        lines = output.questions(output.chosen(system, dtype))
    sys.stdout.write(lines)  # out here, so that a closed pipe ends quietly


@golden.command()
@declares
def judge(
    answers: Annotated[str, typer.Argument(help='JSON lines {"id": ..., "h": {dtype, shape, data}}: a file, or - for stdin.')],
    *,
    system: System = "scan",
    dtype: Dtypes = None,
    words: dict[str, Any],
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Judge the answers of another program: 0 accepted, 1 rejected, 2 bad input, 3 undecided or a case was not run.

    "h": null says that a program does not offer a case; a case without a line was not run. Of layers, any of the results asked.

    Example:

      ./yours < questions.jsonl | scanproof golden judge - --dtype complex64 --order sequential
    """
    from scanproof.cli import golden_output as output

    with one_line_errors():
        raise typer.Exit(output.judged(answers, output.chosen(system, dtype), words, json, quiet))


@golden.command()
def lint(
    folder: Annotated[Path | None, typer.Argument(help="A folder of golden files (the published ones by default).")] = None,
) -> None:
    """Compute everything in golden files again: one line a fault, exit 1 if there is any.

    Example:

      scanproof golden lint
    """
    from scanproof.golden.lint import faults
    from scanproof.golden.store import V1, files

    with one_line_errors():
        count = len(files(folder or V1))
        found = 0
        for fault in faults(folder or V1):
            found += 1
            print(fault)
        print(f"{count} golden file{'' if count == 1 else 's'}, {found or 'no'} fault{'' if found == 1 else 's'}")
        raise typer.Exit(REJECTED if found else ACCEPTED)


@golden.command()
def write(
    folder: Annotated[Path, typer.Argument(help="Where the files go; files of the same name are replaced.")],
    system: System = "scan",
) -> None:
    """Make the published cases of a system again from their recipes.

    Example:

      scanproof golden write build/golden/lru --system lru
    """
    from scanproof.golden import layer_making, making, store

    with one_line_errors():
        cases = making.make_all() if store.with_cases(system) == "scan" else layer_making.make_all(system)
        written = {store.write(case, folder) for case in cases}
        print(f"{len(written)} golden files, {sum(path.stat().st_size for path in written)} bytes in {folder}")
        for other in sorted(set(folder.glob("*.json")) - written):
            print(f"{other}: of no recipe, left as it is")

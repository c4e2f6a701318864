"""`scanproof golden ...`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from scanproof.cli.options import Json, Quiet, declares

golden = typer.Typer(
    help="Golden cases: exact results with a bound beside every number, for any language.\n\n"
    "Examples:\n\n"
    "  scanproof golden list --system lru\n\n"
    "  scanproof golden emit --dtype float32 | ./yours | scanproof golden judge - --dtype float32",
    no_args_is_help=True,
)
Dtypes = Annotated[
    list[str] | None, typer.Option("--dtype", help="Only cases of this dtype (may be repeated).")
]
System = Annotated[str, typer.Option(help="The system whose cases these are, such as lru.")]
Only = Annotated[str | None, typer.Option(help="Only cases of this system, such as lru.")]
Case = Annotated[str, typer.Argument(help="An id, the beginning of one, or a golden file.")]
Answers = Annotated[str, typer.Argument(help="JSON lines, an answer each: a file, or - for stdin.")]
Folder = Annotated[
    Path, typer.Argument(help="Where the files go; files of the same name are replaced.")
]
Linted = Annotated[
    Path | None, typer.Argument(help="A folder of golden files (the published ones by default).")
]


@golden.command("list")
def list_cases(system: Only = None, dtype: Dtypes = None, json: Json = False) -> None:
    """List the published cases, of all systems.

    Example:

      scanproof golden list --system lru --dtype float32
    """
    from scanproof.cli import golden as command

    command.listing(command.chosen(system, dtype), json)


@golden.command()
def show(case: Case, json: Json = False) -> None:
    """Show one case: what it is for, its inputs, exact results and bounds.

    Examples:

      scanproof golden show exact-17-float32

      scanproof golden show exact-17-float32 --json
    """
    from scanproof.cli import golden as command

    command.one(command.found(case), json)


@golden.command()
def emit(system: System = "scan", dtype: Dtypes = None) -> None:
    """Print one JSON line a case, inputs only, for a program in any language.

    Examples:

      scanproof golden emit --dtype float32 | ./yours | scanproof golden judge - --dtype float32

      scanproof golden emit --system lru --dtype float64 > questions.jsonl
    """
    from scanproof.cli import golden as command

    sys.stdout.write(command.questions(command.chosen(system, dtype)))


@golden.command()
@declares
def judge(
    answers: Answers,
    *,
    system: System = "scan",
    dtype: Dtypes = None,
    words: dict[str, Any],
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Judge the answers of another program.

    An answer is {"id": ..., "h": {"dtype", "shape", "data"}}, with any of the results that were
    asked for; one that is null or absent is not offered. A case without a line was not run. Exits
    with 0 if accepted, 1 if rejected, 2 for bad input, 3 if undecided or a case was not run.

    Examples:

      ./yours < questions.jsonl | scanproof golden judge - --dtype complex64 --order sequential

      scanproof golden judge answers.jsonl --system lru --dtype float64 --stages formed
    """
    from scanproof.cli import golden as command

    return command.judged(answers, command.chosen(system, dtype), words, json, quiet)


@golden.command()
def lint(folder: Linted = None) -> int:
    """Compute everything in golden files again: one line a fault, exit 1 if there is any.

    Example:

      scanproof golden lint
    """
    from scanproof.cli import golden as command

    return command.linted(folder)


@golden.command()
def write(folder: Folder, system: System = "scan") -> None:
    """Make the published cases of a system again from their recipes.

    Example:

      scanproof golden write build/golden/lru --system lru
    """
    from scanproof.cli import golden as command

    command.written(folder, system)

"""`scanproof bench`."""

from __future__ import annotations

from typing import Annotated

import typer

from scanproof.cli.options import Json, Quiet

Case = Annotated[
    list[str] | None,
    typer.Option(help="Only this case (may be repeated); an unknown one lists them."),
]
Rounds = Annotated[
    int, typer.Option(min=1, help="Samples of each contestant; the median is reported.")
]
Threads = Annotated[
    int | None, typer.Option(help="Threads for everyone who uses them (all cores by default).")
]


def bench(
    case: Case = None,
    rounds: Rounds = 7,
    threads: Threads = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Time scans beside a measured copy: our kernels, plain loops, lfilter, and jax where it is
    installed.

    Each one is judged first, on the arrays that are timed; whatever is outside gets no timing, and
    exit code 1.

    Examples:

      scanproof bench

      scanproof bench --case long --case single --threads 1 --json
    """
    from scanproof.cli import bench as command

    return command.run(case, rounds, threads, json, quiet)

"""`scanproof verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scanproof.cli.options import Json, Quiet, Seed

Cases = Annotated[int, typer.Option(min=1, help="Random cases per law and implementation.")]
Folder = Annotated[Path, typer.Option(help="Where the report is written.")]
Claims = Annotated[
    bool, typer.Option("--claims", help="Also the papers' claims as experiments, in claims.html.")
]


def verify(
    seed: Seed = 0,
    cases: Cases = 20,
    folder: Folder = Path("build/report"),
    claims: Claims = False,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Prove the lemmas, check our kernels and real third-party scans, reject the mutants, write
    one report.

    Exits with 0 only if every lemma is proved, no honest scan is refuted or undecided, and every
    mutant is rejected.

    Examples:

      scanproof verify && xdg-open build/report/index.html

      scanproof verify --claims && xdg-open build/report/claims.html
    """
    from scanproof.cli import verify as command

    return command.run(seed, cases, folder, claims, json, quiet)

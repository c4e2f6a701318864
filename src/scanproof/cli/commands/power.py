"""`scanproof power ...`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scanproof.cli.options import Json, Quiet, Seed

power = typer.Typer(
    help="What the checkers are worth, where everything can be tried.\n\n"
    "Examples:\n\n"
    "  scanproof power long --steps 100000\n\n"
    "  scanproof power layers --cases 1 --quiet",
    no_args_is_help=True,
)
Write = Annotated[Path | None, typer.Option(help="Also write the page to this file, as in docs.")]
Evaluations = Annotated[int, typer.Option(min=1, help="Honest evaluations to compute and judge.")]
Cases = Annotated[int, typer.Option(min=1, help="Cases of every regime and format.")]
Steps = Annotated[int, typer.Option(min=1, help="Length of the sequence.")]


@power.command()
def tiny(write: Write = None, json: Json = False, quiet: Quiet = False) -> int:
    """Try the allowance on every input of tiny formats (minutes), and show which input violates it
    when a term is weakened.

    Exits with 1 if any evaluation exceeds the allowance, or if a weakened term that is said to
    bite does not.

    Example:

      scanproof power tiny --write docs/measured/tiny.md
    """
    from scanproof.cli import power as command

    return command.tiny(write, json, quiet)


@power.command()
def alarms(
    evaluations: Evaluations = 100_000,
    seed: Seed = 0,
    write: Write = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Judge honest evaluations of every class (minutes), and tabulate how far the allowances are
    above their errors.

    Exits with 1 if any evaluation is outside; the line that is printed then repeats it.

    Example:

      scanproof power alarms --write docs/measured/tightness.md
    """
    from scanproof.cli import power as command

    return command.alarms(evaluations, seed, write, json, quiet)


@power.command()
def layers(
    cases: Cases = 12, seed: Seed = 0, write: Write = None, json: Json = False, quiet: Quiet = False
) -> int:
    """Judge honest programs of RotRNN and LRU (minutes), and tabulate how far the allowances are
    above their errors.

    Exits with 1 if any result is outside; the line that is printed then repeats its case.

    Example:

      scanproof power layers --write docs/measured/layers-tightness.md
    """
    from scanproof.cli import power as command

    return command.layers(cases, seed, write, json, quiet)


@power.command()
def long(steps: Steps = 1_000_000, seed: Seed = 0, json: Json = False) -> int:
    """Judge a million complex64 steps of 64 channels, honest and with a carry wrong by 1e-6; time
    and memory of the judge.

    Exits with 1 if the honest result is outside or the other is not.

    Example:

      scanproof power long --steps 100000
    """
    from scanproof.cli import power as command

    return command.long(steps, seed, json)


@power.command()
def constants(seed: Seed = 0, write: Write = None, json: Json = False, quiet: Quiet = False) -> int:
    """Measure the constants that verdicts on layers assume: elementary functions and the matrix
    exponential (minutes).

    Exits with 1 if anything exceeds what its class declares. NumPy and SciPy are measured, and jax
    and torch where installed.

    Example:

      scanproof power constants --write docs/measured/constants.md
    """
    from scanproof.cli import power as command

    return command.constants(seed, write, json, quiet)

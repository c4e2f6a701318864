"""The program: its commands, put together."""

from __future__ import annotations

from typing import Annotated

import typer

import scanproof
from scanproof.cli.commands.bench import bench
from scanproof.cli.commands.check import check
from scanproof.cli.commands.doctor import doctor
from scanproof.cli.commands.golden import golden
from scanproof.cli.commands.judge import judge
from scanproof.cli.commands.power import power
from scanproof.cli.commands.prove import prove
from scanproof.cli.commands.verify import verify
from scanproof.cli.errors import OneLine
from scanproof.cli.exits import ACCEPTED, TOLD
from scanproof.cli.options import OfSystems

app = typer.Typer(
    cls=OneLine,
    name="scanproof",
    help="Is this difference a bug, or could it be rounding? "
    "Certified verdicts for scan kernels and layers made of them.\n\n"
    "Examples:\n\n"
    "  scanproof check my_scan.py:scan --dtype float32\n\n"
    "  scanproof judge run.npz\n\n"
    "  scanproof verify\n\n" + TOLD,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (check, judge):
    app.command(cls=OfSystems)(command)
for command in (verify, prove, bench, doctor):
    app.command()(command)
app.add_typer(golden, name="golden")
app.add_typer(power, name="power")


@app.callback(invoke_without_command=True)
def version(
    show: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if show:
        print(scanproof.__version__)
        raise typer.Exit(ACCEPTED)

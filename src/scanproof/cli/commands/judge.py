"""`scanproof judge`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from scanproof.cli.options import Json, Quiet, System, declares

File = Annotated[
    Path, typer.Argument(help="recorded.npz with arguments and results, or a witness file.json.")
]
Dtype = Annotated[str | None, typer.Option(help="Declared format (that of the inputs by default).")]


@declares
def judge(
    file: File,
    *,
    system: System = "scan",
    dtype: Dtype = None,
    words: dict[str, Any],
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Judge results that someone recorded, or judge a witness file again.

    The keys of an .npz file are the names of the system's arguments and results, gradient_NAME and
    constant_NAME: of a scan lam, b, h (h0, reverse); of a layer its parameters, u, and any of y,
    h, h_last and the rest; of expm S and P. `got` stands for the first result: docs/contract.md
    has the tables. A witness says itself which system it is of and what was declared; the options
    speak about .npz files.

    Examples, after numpy.savez("run.npz", lam=lam, b=b, h=h):

      scanproof judge run.npz

      scanproof judge layer.npz --system rotrnn --dtype float32

      scanproof judge exponentials.npz --system expm

      scanproof judge build/witness/witness-scan-integer-cases-0123456789.json
    """
    from scanproof.cli import judge as command

    return command.run(file, system, dtype, words, json, quiet)

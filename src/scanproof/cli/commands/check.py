"""`scanproof check`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from scanproof.cli.options import Json, Quiet, Seed, System, declares

Lam = Annotated[str, typer.Option(help="Which lam it accepts: constant, varying or both.")]
Positive = Annotated[
    str, typer.Option(help="What must be above zero: none, lam or all (lam, b and h0).")
]
Lengths = Annotated[
    str | None, typer.Option(help="Accepted lengths, as in 1-64,128 (all by default).")
]
Channels = Annotated[
    str | None, typer.Option(help="Accepted numbers of channels, of layers the width of u.")
]
States = Annotated[
    str | None, typer.Option(help="Accepted sizes of a layer's state, of one head, or of S.")
]
Cases = Annotated[int, typer.Option(min=1, help="Random cases per law.")]
Law = Annotated[
    list[str] | None,
    typer.Option(help="Only this law (may be repeated); passing is then undecided."),
]
JUnit = Annotated[Path | None, typer.Option(help="Also write a JUnit file, one test case per law.")]


@declares
def check(
    implementation: Annotated[
        str, typer.Argument(help="file.py:function or package.module:function.")
    ],
    *,
    system: System = "scan",
    words: dict[str, Any],
    lam: Lam = "both",
    positive: Positive = "none",
    lengths: Lengths = None,
    channels: Channels = None,
    states: States = None,
    seed: Seed = 0,
    cases: Cases = 20,
    law: Law = None,
    json: Json = False,
    junitxml: JUnit = None,
    quiet: Quiet = False,
) -> int:
    """Search for a call that proves an implementation wrong.

    It is called in a process of its own with the arguments of its system as keywords, the optional
    ones if its signature has them: a scan as f(lam=, b=) and perhaps h0= and reverse=, a layer
    with its parameters and u=, the matrix exponential as f(S=). It returns the first result of the
    system (all states of a scan, y of a layer), or a mapping over its results, grads and
    constants: docs/contract.md has the tables.

    Examples:

      scanproof check my_scan.py:scan --dtype float32

      scanproof check mypkg.kernels:scan --dtype complex64 --lam constant --lengths 64,128,4096

      scanproof check jax_scan.py:scan --dtype float32 --subnormals daz --contraction

      scanproof check half.py:scan --dtype bfloat16 --accumulate float32 --order chunked:64

      scanproof check my_lru.py:layer --system lru --dtype float32 --stages formed

      scanproof check my_rnn.py:layer --system rotrnn --dtype float32 --states 2,4,8 --lengths 1-256

      scanproof check my_expm.py:expm --system expm --dtype float64
    """
    from scanproof.cli import check as command
    from scanproof.cli.accepted import accepted
    from scanproof.cli.declared import declared

    declaration = declared(system, words)
    domain = accepted(lam, positive, lengths=lengths, channels=channels, states=states)
    return command.run(
        system, implementation, declaration, domain, seed, cases, law, json, junitxml, quiet
    )

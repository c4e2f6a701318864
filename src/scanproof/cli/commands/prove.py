"""`scanproof prove`."""

from __future__ import annotations

from typing import Annotated

import typer

from scanproof.cli.options import Json

Lemma = Annotated[str | None, typer.Option(help="Only this lemma, its derivation step by step.")]
Coq = Annotated[
    bool,
    typer.Option("--coq", help="Also the theorems of the Coq layer; it is compiled in build/coq."),
]
Gappa = Annotated[
    bool, typer.Option("--gappa", help="Also Gappa's certificates of single steps in every format.")
]
Chain = Annotated[
    bool, typer.Option("--chain", help="What each allowance rests on, by all provers (minutes).")
]


def prove(
    lemma: Lemma = None,
    coq: Coq = False,
    gappa: Gappa = False,
    chain: Chain = False,
    json: Json = False,
) -> int:
    """Prove, for general N, what every verdict rests on.

    By SymPy always: the algebra of scans, the rounding theorem, rotations, the layers LRU and
    RotRNN with their gradients and invariances, Householder products. By Coq and Gappa where they
    are installed.

    With --chain each allowance is followed from its Python function to SymPy's lemmas, Coq's
    theorems and Gappa's certificates, and what is only argued, cited, assumed or tested is marked.

    Exits with 0 if all that was asked for is proved, 1 if anything is refused, 3 if a proof is not
    run: with --coq, --gappa or --chain a missing prover, whose installation is then told.

    Examples:

      scanproof prove

      scanproof prove --lemma rounding-near

      scanproof prove --coq --gappa --json

      scanproof prove --chain --lemma scan-adjoint
    """
    from scanproof.cli import prove as command

    return command.run(lemma, coq, gappa, chain, json)

"""The options that several commands share: what is declared, and how results are printed."""

from __future__ import annotations

from typing import Annotated

import typer

System = Annotated[str, typer.Option(help="The system that is implemented: scan, lru, rotrnn, or expm (of skew matrices).")]
Dtype = Annotated[
    str, typer.Option(help="Declared format: float16, bfloat16, float32, float64; of scans also complex64, complex128.")
]
Subnormals = Annotated[
    str, typer.Option(help="gradual (IEEE), ftz (subnormal results may become zero) or daz (subnormal inputs too).")
]
Contraction = Annotated[
    bool, typer.Option("--contraction/--no-contraction", help="Whether the operations of a step may be fused in any way.")
]
Order = Annotated[
    str,
    typer.Option(
        help="Bracketings: any, sequential, chunked:L or tree. Other algorithms: angle-sum, polar:L, scaled-cumsum, "
        "segment-exp:L, log-space or fft."
    ),
]
Accumulate = Annotated[str | None, typer.Option(help="Format of products, sums and carried states (the dtype by default).")]
Store = Annotated[
    str, typer.Option(help="Which printed states are read back: output (none), step (sequential) or chunk (chunked:L).")
]
Operands = Annotated[str | None, typer.Option(help="tf32: operands of products may be truncated to 11 bits.")]
Rounding = Annotated[str, typer.Option(help="nearest, truncate or matrix (sums align their operands by truncation).")]
Assumed = Annotated[float, typer.Option(help="Factor on the assumed constants of elementary functions (docs/classes.md).")]
Stages = Annotated[str, typer.Option(help="Layers: formed (the drive and the states are written to memory) or any.")]
Adjoint = Annotated[
    str, typer.Option(help="Layers: any (autodiff of any scan) or recurrence (states' cotangents by the adjoint recurrence).")
]
Sums = Annotated[str, typer.Option(help="Layers: how long sums are added up: any, blocked or pairwise.")]
Expm = Annotated[str, typer.Option(help="Layers: error of the matrix exponential: default or jax (docs/measured/constants.md).")]
Gain = Annotated[str, typer.Option(help="Layers: how 1 - gamma^2 is formed: expm1 or one-minus-square.")]
Seed = Annotated[int, typer.Option(min=0, help="Every drawn case follows from it.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print the verdict only.")]

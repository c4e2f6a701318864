"""The words of a declaration: values, systems that have them, and what admits more."""

from __future__ import annotations

from dataclasses import MISSING, field
from typing import Any

from scanproof.reference.arithmetic.formats import DTYPES
from scanproof.reference.arithmetic.word import Changes, Word, weaker

SUBNORMALS = ("gradual", "ftz", "daz")
BRACKETINGS = ("any", "sequential", "chunked:L", "tree")
# reference/allowance/orders/
ALGORITHMS = ("angle-sum", "polar:L", "scaled-cumsum", "segment-exp:L", "log-space", "fft")
UNMODELLED_ORDERS = ("reversible", "unknown")
ORDERS = BRACKETINGS + ALGORITHMS + UNMODELLED_ORDERS
STORES = {"output": "", "step": "sequential", "chunk": "chunked:L"}  # which order each one needs
ROUNDINGS = ("nearest", "truncate", "matrix")
STAGES = (None, "formed", "any")
ADJOINTS = ("any", "recurrence")
SUMS = ("any", "blocked", "pairwise")
EXPMS = ("default", "jax")
GAINS = ("expm1", "one-minus-square")


def _weaker_orders(declared: Any) -> Changes:
    """Orders and stores that admit more."""
    return _other(declared, [{"store": "output"}, {"order": "any", "store": "output"}])


def _steps(declared: Any) -> Changes:
    """Where sums are wider, a program may well round every step."""
    return _other(
        declared, [{"order": "sequential", "store": "step"}] if declared.accumulate else []
    )


def _other(declared: Any, changes: Changes) -> Changes:
    """Those that change anything."""
    return [
        words
        for words in changes
        if any(getattr(declared, name) != value for name, value in words.items())
    ]


WORDS = {
    "dtype": Word(
        "Declared format: float16, bfloat16, float32, float64; "
        "of scans also complex64, complex128.",
        known=DTYPES,
    ),
    "subnormals": Word(
        "gradual (IEEE), ftz (subnormal results may become zero) or daz (subnormal inputs too).",
        known=SUBNORMALS,
        weaker=weaker("subnormals", {"gradual": ("ftz", "daz"), "ftz": ("daz",)}),
        rank=4,
    ),
    "contraction": Word(
        "Whether the operations of a step may be fused in any way.",
        known=(True, False),
        weaker=weaker("contraction", {False: (True,)}),
        rank=5,
    ),
    "order": Word(
        "Bracketings: any, sequential, chunked:L (chunks of L steps from zero, then the carry) or "
        "tree. Other algorithms: angle-sum, polar:L, scaled-cumsum, segment-exp:L, log-space or "
        "fft.",
        known=ORDERS,
        feature="states",
        weaker=_weaker_orders,
        besides=_steps,
        rank=6,
    ),
    "accumulate": Word(
        "Format of products, sums and carried states (the dtype by default).",
        known=(None, *DTYPES),
        weaker=weaker("accumulate", dict.fromkeys(DTYPES, (None,))),
        rank=7,
    ),
    "store": Word(
        "Which printed states are read back: output (none), step (sequential) "
        "or chunk (chunked:L).",
        known=tuple(STORES),
        feature="states",
    ),
    "operands": Word(
        "tf32: operands of products may be truncated to 11 bits.",
        known=(None, "tf32"),
        weaker=weaker("operands", {None: ("tf32",)}),
        rank=9,
    ),
    "rounding": Word(
        "nearest, truncate or matrix (sums align their operands by truncation).",
        known=ROUNDINGS,
        weaker=weaker("rounding", {"nearest": ("truncate", "matrix")}),
        rank=8,
    ),
    "assumed": Word("Factor on the assumed constants of elementary functions (docs/classes.md)."),
    "stages": Word(
        "Layers: formed (the drive, gain included, and the states are written to memory) or any; "
        "undeclared by default.",
        known=STAGES,
        feature="layer",
        weaker=weaker("stages", {"formed": ("any",)}),
        rank=3,
    ),
    "adjoint": Word(
        "Layers: any (autodiff of any scan) or recurrence (states' cotangents by the adjoint "
        "recurrence).",
        known=ADJOINTS,
        feature="layer",
    ),
    "sums": Word(
        "Layers: additions that one of n addends meets: any (n - 1), blocked (n / 8 + 8) or "
        "pairwise (24 + log2 n).",
        known=SUMS,
        feature="layer",
    ),
    "expm": Word(
        "Constant of the matrix exponential: default or jax (docs/measured/constants.md).",
        known=EXPMS,
        feature="expm",
        weaker=weaker("expm", {"default": ("jax",)}),
        rank=2,
    ),
    "gain": Word(
        "Layers: how 1 - gamma^2 is formed: expm1, or one-minus-square, which cancels.",
        known=GAINS,
        feature="gain",
        weaker=weaker("gain", {"expm1": ("one-minus-square",)}),
        rank=1,
    ),
}


def word_field(name: str, default: Any = MISSING) -> Any:
    """Makes the dataclass field of a word; a word without a default has to be said."""
    return field(default=default, metadata={"word": WORDS[name]})

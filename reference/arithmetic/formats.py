"""Floating formats: what one real component of a dtype can hold."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import ml_dtypes  # registers bfloat16 with NumPy
import numpy as np

DTYPES = ("float16", "bfloat16", "float32", "float64", "complex64", "complex128")
TF32_BITS = 11  # significand bits of an operand in TF32
COMPONENTS = {"complex64": "float32", "complex128": "float64"}
WIDER = {
    "float16": ("float32", "float64"),
    "bfloat16": ("float32", "float64"),
    "float32": ("float64",),
    "float64": (),
    "complex64": ("complex128",),
    "complex128": (),
}  # formats that hold every number of a format, with more bits


class Format(NamedTuple):
    """One real component: significand bits p, smallest subnormal, smallest normal (omega) and
    largest finite number.

    A declaration may name such a format itself, one that no array has: `components` then says
    whether its numbers are complex.
    """

    significand_bits: int
    smallest_subnormal: float
    smallest_normal: float
    largest: float
    name: str = "format"
    components: int = 1

    def __str__(self) -> str:
        return self.name

    @property
    def u(self) -> float:
        """The unit roundoff 2^-p of rounding to nearest."""
        return 2.0**-self.significand_bits


@cache
def format_of(dtype: str | Format) -> Format:
    """Gives the format of one component of a dtype: that of float32 for complex64.

    A Format is its own.
    """
    if isinstance(dtype, Format):
        return dtype
    name = COMPONENTS.get(dtype, dtype)
    info: Any = ml_dtypes.finfo(np.dtype(name))  # type: ignore[no-untyped-call]
    bits = int(info.nmant) + 1
    return Format(
        bits, float(info.smallest_subnormal), float(info.smallest_normal), float(info.max), name
    )

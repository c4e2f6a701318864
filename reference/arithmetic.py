"""The declared arithmetic: what an implementation promises about its rounding (docs/verdicts.md)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from scanproof.reference.formats import COMPONENTS, DTYPES, WIDER, Format, format_of
from scanproof.reference.operations import ROUNDINGS, TF32_BITS, Roundings, roundings

SUBNORMALS = ("gradual", "ftz", "daz")
BRACKETINGS = ("any", "sequential", "chunked:L", "tree")
ALGORITHMS = ("angle-sum", "polar:L", "scaled-cumsum", "segment-exp:L", "log-space", "fft")  # reference/algorithms/
UNMODELLED_ORDERS = ("reversible", "unknown")
ORDERS = BRACKETINGS + ALGORITHMS + UNMODELLED_ORDERS
STORES = {"output": "", "step": "sequential", "chunk": "chunked:L"}  # which order each one needs


@dataclass(frozen=True)
class Arithmetic:
    """All floating evaluations that an implementation's author allows for: the class that a verdict speaks about.

    Args:
        dtype: format of inputs and results: float16, bfloat16, float32, float64, complex64 or complex128.
        subnormals: "gradual" (IEEE), "ftz" (results that are subnormal may become zero), "daz" (inputs too).
        contraction: whether sums and products of a step may be fused in any way (matters for complex numbers; a fused
            real step only rounds less).
        order: how a state is put together. Bracketings: "any", "sequential", "chunked:L" (each chunk of L steps is scanned
            from zero, and the carry times the chunk's product is added once to its states; a loop that continues from the
            carry is "sequential") or "tree" (every element passes at most 2 ceil(log2 T) + 1 additions, and one for h0).
            Other algorithms: "angle-sum", "polar:L", "scaled-cumsum", "segment-exp:L", "log-space", "fft" (docs/classes.md).
            "reversible" and "unknown" are `undecided`.
        accumulate: format of products, sums and carried states; dtype when None.
        store: which states are rounded to dtype and read back: "output" (none need be), "step" (the printed state is the one
            that the next step reads; sequential) or "chunk" (the last printed state of a chunk is the carry; chunked:L).
        operands: None, or "tf32": operands of products may be truncated to 11 significand bits, b as well.
        rounding: "nearest", "truncate", or "matrix" for units that also align the operands of a sum by truncation.
        assumed: factor on the constants that are assumed, not proved, which only the other algorithms use (docs/classes.md).

    Raises:
        ValueError: an unknown word, naming the argument and the known ones, or two declarations that contradict each other.
    """

    dtype: str
    subnormals: str = "gradual"
    contraction: bool = True
    order: str = "any"
    accumulate: str | None = None
    store: str = "output"
    operands: str | None = None
    rounding: str = "nearest"
    assumed: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "dtype", _dtype_name("dtype", self.dtype))
        _one_of("dtype", self.dtype, DTYPES)
        _one_of("subnormals", self.subnormals, SUBNORMALS)
        if not isinstance(self.contraction, bool):
            raise ValueError(f"contraction: found {self.contraction!r}, expected True or False")
        word, _, length = str(self.order).partition(":")
        _one_of("order", f"{word}:L" if f"{word}:L" in ORDERS else self.order, ORDERS)
        if self.chunk is not None:
            object.__setattr__(self, "order", f"{word}:{int(length)}")
        _one_of("store", self.store, tuple(STORES))
        if self.operands is not None:
            _one_of("operands", self.operands, ("tf32",))
        _one_of("rounding", self.rounding, ROUNDINGS)
        self._consistent()

    def _consistent(self) -> None:
        """Raises ValueError where two declarations contradict each other."""
        if self.accumulate is not None:
            object.__setattr__(self, "accumulate", _dtype_name("accumulate", self.accumulate))
            wider = WIDER[self.dtype]
            if self.accumulate != self.dtype and self.accumulate not in wider:
                expected = f"{' or '.join(wider)}, wider than {self.dtype}" if wider else f"{self.dtype}, the widest"
                raise ValueError(f"accumulate: found {self.accumulate!r}, expected {expected}")
            object.__setattr__(self, "accumulate", None if self.accumulate == self.dtype else self.accumulate)
        needed = STORES[self.store]
        if needed and self.word != needed:
            raise ValueError(f"store: found {self.store!r} with order {self.order}, expected order {needed}")
        if self.operands and COMPONENTS.get(self.inner, self.inner) != "float32":
            raise ValueError(f"operands: found 'tf32' with products in {self.inner}, expected float32 or complex64")
        if isinstance(self.assumed, bool) or not isinstance(self.assumed, int | float) or not 0 < self.assumed < 2.0**64:
            raise ValueError(f"assumed: found {self.assumed!r}, expected a positive factor")
        if self.assumed != 1 and not self.assumes:
            raise ValueError(f"assumed: found {self.assumed!r} with order {self.order}, expected 1: nothing is assumed there")

    @property
    def word(self) -> str:
        """The order with L for its chunk length."""
        word = self.order.partition(":")[0]
        return f"{word}:L" if f"{word}:L" in ORDERS else word

    @cached_property
    def chunk(self) -> int | None:
        """L of "chunked:L" and the like, else None."""
        word, _, length = str(self.order).partition(":")
        if f"{word}:L" not in ORDERS:
            return None
        if not (length.isascii() and length.isdigit() and int(length) > 0):
            raise ValueError(f"order: found {self.order!r}, expected {word}:L with a chunk length L >= 1")
        return int(length)

    @property
    def inner(self) -> str:
        """The format of products, sums and carried states."""
        return self.accumulate or self.dtype

    @property
    def bracketing(self) -> bool:
        """Whether every state is a bracketing of the scan: then integer lanes are exact, and carries mean something."""
        return self.word in BRACKETINGS

    @property
    def assumes(self) -> bool:
        """Whether the allowance rests on assumed constants of elementary functions (docs/classes.md)."""
        return self.word in ALGORITHMS and self.word != "scaled-cumsum"

    @property
    def unmodelled(self) -> str | None:
        """Why no allowance is known for this declaration, or None."""
        if self.order in UNMODELLED_ORDERS:
            return f"no allowance is known for order {self.order}"
        if self.word in ALGORITHMS:
            for name, modelled in (("subnormals", "gradual"), ("accumulate", None), ("operands", None), ("rounding", "nearest")):
                if getattr(self, name) != modelled:
                    return f"no allowance is known for order {self.order} with {name} {getattr(self, name)}"
        return None

    @property
    def coarse(self) -> bool:
        """Whether carried states keep 11 bits or less: a-priori bounds then say little, exact lanes decide."""
        carried = format_of(self.inner) if self.store == "output" else self.format
        return carried.significand_bits <= TF32_BITS or self.operands is not None

    @property
    def prints_carry(self) -> bool:
        """Whether printed states are read back, so that each window of them can be judged by itself."""
        return self.store != "output"

    @property
    def is_complex(self) -> bool:
        return self.dtype.startswith("complex")

    @property
    def real_dtype(self) -> str:
        """The format of one component: float32 for complex64."""
        return COMPONENTS.get(self.dtype, self.dtype)

    @property
    def format(self) -> Format:
        """Of one component of inputs and results."""
        return format_of(self.dtype)

    @property
    def omega(self) -> float:
        """The smallest normal number of inputs and results."""
        return self.format.smallest_normal

    def roundings(self, complex_products: bool) -> Roundings:
        """The constants of one operation; `complex_products` is False when lam is real."""
        return roundings(self, complex_products)

    def __str__(self) -> str:
        fused = "any contraction" if self.contraction else "no contraction"
        words = [f"{self.dtype}, {self.subnormals} subnormals, {fused}, order {self.order}"]
        for field in fields(self)[4:]:
            if getattr(self, field.name) != field.default:
                words.append(f"{field.name} {getattr(self, field.name)}")
        return ", ".join(words)


def _dtype_name(argument: str, dtype: Any) -> str:
    if isinstance(dtype, str):
        return dtype
    try:
        if dtype is None:
            raise TypeError
        return str(np.dtype(dtype).name)
    except TypeError:
        raise ValueError(f"{argument}: found {dtype!r}, expected one of {', '.join(DTYPES)}") from None


def _one_of(argument: str, found: object, known: tuple[str | None, ...]) -> None:
    if found not in known:
        raise ValueError(f"{argument}: found {found!r}, expected one of {', '.join(map(str, known))}")

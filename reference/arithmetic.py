"""The declared arithmetic: what an implementation promises about its rounding (docs/verdicts.md).

    symbol    meaning
    p         significand bits
    u         unit roundoff 2^-p: fl(x) = x (1 + d), |d| <= u
    eta       largest absolute loss of one product when it underflows
    omega     smallest normal number
    largest   largest finite number
    beta      relative error of one product, in the modulus
    kappa     absolute underflow error of one product, in units of eta
    c         roundings that an addend can meet in one step

Sources. beta = sqrt(5) u: Brent, Percival, Zimmermann, Math. Comp. 76 (2007), Theorem 1; with one FMA a component 2u:
Jeannerod, Kornerup, Louvet, Muller, Math. Comp. 86 (2017). The contracted step x + ac - bd rounds each product at most
three times and the addend at most twice; |ac|+|bd| and |ad|+|bc| together have norm <= sqrt(2) |z||w|, hence
beta = sqrt(2) ((1+u)^3 - 1), c = 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

DTYPES = ("float32", "float64", "complex64", "complex128")
UNMODELLED_DTYPES = ("float16", "bfloat16")
SUBNORMALS = ("gradual", "ftz", "daz")
ORDERS = ("any", "sequential", "chunked:L", "tree")
UNMODELLED_ORDERS = ("angle-sum", "log-space", "fft")

TINY = 2.0**-1074  # the smallest positive float64: stands in for any smaller bound
UP = 1 + 2.0**-49  # rounds a float64 result of a few operations upwards


class Roundings(NamedTuple):
    """What single operations of a declared arithmetic may lose; every field is an upper bound.

    fl(x + y) = (x + y)(1 + d) + e with |d| <= u, |e| <= sum_loss; an addend meets c such roundings in one step.
    fl(z w) is off by at most beta |z w| + product_loss.
    """

    u: float
    c: int
    beta: float
    product_loss: float
    sum_loss: float
    largest: float
    significand_bits: int


@dataclass(frozen=True)
class Arithmetic:
    """All floating evaluations that an implementation's author allows for: the class that a verdict speaks about.

    Args:
        dtype: format of every input, state and product: float32, float64, complex64 or complex128. float16 and bfloat16
            may be declared and are `undecided` for now.
        subnormals: "gradual" (IEEE), "ftz" (results that are subnormal may become zero), "daz" (inputs too).
        contraction: whether sums and products of a step may be fused in any way (matters for complex numbers; a fused
            real step only rounds less).
        order: "any" bracketing, "sequential", "chunked:L" (each chunk of L steps is scanned from zero, and the carry
            times the chunk's product is added once to its states; a loop that continues from the carry is "sequential")
            or "tree" (every element passes at most 2 ceil(log2 T) + 1 additions, and one for h0). "angle-sum",
            "log-space" and "fft" may be declared and are `undecided` for now.

    Raises:
        ValueError: an unknown word, naming the argument and the known ones.
    """

    dtype: str
    subnormals: str = "gradual"
    contraction: bool = True
    order: str = "any"

    def __post_init__(self) -> None:
        object.__setattr__(self, "dtype", _dtype_name(self.dtype))
        _one_of("dtype", self.dtype, DTYPES + UNMODELLED_DTYPES)
        _one_of("subnormals", self.subnormals, SUBNORMALS)
        if not isinstance(self.contraction, bool):
            raise ValueError(f"contraction: found {self.contraction!r}, expected True or False")
        if self.chunk is None:
            _one_of("order", self.order, ORDERS + UNMODELLED_ORDERS)
        else:
            object.__setattr__(self, "order", f"chunked:{self.chunk}")

    @cached_property
    def chunk(self) -> int | None:
        """L of order "chunked:L", else None."""
        word, _, length = str(self.order).partition(":")
        if word != "chunked":
            return None
        if not (length.isascii() and length.isdigit() and int(length) > 0):
            raise ValueError(f"order: found {self.order!r}, expected chunked:L with a chunk length L >= 1")
        return int(length)

    @property
    def unmodelled(self) -> str | None:
        """Why no allowance is known for this declaration, or None."""
        if self.dtype in UNMODELLED_DTYPES:
            return f"no allowance is known for dtype {self.dtype} yet"
        if self.order in UNMODELLED_ORDERS:
            return f"no allowance is known for order {self.order} yet"
        return None

    @property
    def is_complex(self) -> bool:
        return self.dtype.startswith("complex")

    @property
    def real_dtype(self) -> str:
        """The format of one component: float32 for complex64."""
        return {"complex64": "float32", "complex128": "float64"}.get(self.dtype, self.dtype)

    @property
    def omega(self) -> float:
        """The smallest normal number."""
        return float(np.finfo(self.real_dtype).smallest_normal)

    def roundings(self, complex_products: bool) -> Roundings:
        """The constants of one operation; `complex_products` is False when lam is real (glossary above)."""
        info = np.finfo(self.real_dtype)
        u = float(info.eps) / 2
        flush = self.subnormals != "gradual"
        eta = self.omega if flush else max(float(info.smallest_subnormal) / 2, TINY)
        if complex_products:
            beta = (2**0.5 * (3 * u + 3 * u**2 + u**3) if self.contraction else 5**0.5 * u) * UP
            kappa, c = 8, 2 if self.contraction else 1
        else:
            beta, kappa, c = u, 2 if self.is_complex else 1, 1
        sum_loss = (2 if self.is_complex else 1) * self.omega if flush else 0.0
        return Roundings(u, c, beta, kappa * eta, sum_loss, float(info.max), int(info.nmant) + 1)

    def __str__(self) -> str:
        fused = "any contraction" if self.contraction else "no contraction"
        return f"{self.dtype}, {self.subnormals} subnormals, {fused}, order {self.order}"


def _dtype_name(dtype: Any) -> str:
    if isinstance(dtype, str):
        return dtype
    try:
        return str(np.dtype(dtype).name)
    except TypeError:
        raise ValueError(f"dtype: found {dtype!r}, expected one of {', '.join(DTYPES)}") from None


def _one_of(argument: str, found: object, known: tuple[str, ...]) -> None:
    if found not in known:
        raise ValueError(f"{argument}: found {found!r}, expected one of {', '.join(known)}")

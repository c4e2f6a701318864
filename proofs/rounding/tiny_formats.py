"""Floating-point formats of a few bits: small enough to try every operand, and declared as any
other format is.

    tick  the smallest subnormal; all numbers are integers in ticks, so nothing here rounds but
          the format
    K     ticks in 1; a product of two numbers, or a sum times K, is an integer in ticks / K
    R     fl as a table: R[o + n] is the number that n ticks / K round to, o the middle of R

Hence fl(x + y) = R[o + K (x + y)], fl(x y) = R[o + x y], fl(x y + z) = R[o + x y + K z].
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scanproof.reference.arithmetic import formats
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.error_model import ErrorModel

Array = NDArray[Any]


class Format(NamedTuple):
    """p significand bits, subnormals below 2^emin; inputs reach up to 2^(emax+1), results have no
    upper limit."""

    p: int
    emin: int = -2
    emax: int = 0

    @property
    def K(self) -> int:
        return 1 << (self.p - 1 - self.emin)

    @property
    def omega(self) -> int:
        """The smallest normal number, in ticks."""
        return 1 << (self.p - 1)

    def magnitudes(self) -> Array:
        """Zero and every positive input, in ticks, ascending."""
        normal = [
            m << e
            for e in range(self.emax - self.emin + 1)
            for m in range(self.omega, 2 * self.omega)
        ]
        return np.array([*range(self.omega), *normal])

    def values(self) -> Array:
        """Every input, in ticks: zero, the positive ones, the negative ones."""
        return signed(self.magnitudes())

    def table(self, mode: str, flush: bool) -> Array:
        """R: fl of all up to V^3 + V^2 + V, V = 2^(emax+1); a flushed subnormal is zero."""
        V, K = 2 << self.emax, self.K
        n = np.arange((V**3 + V**2 + V) * K * K + 1)
        # by which a number exceeds a tick in its last bit
        places = np.maximum(np.frexp(n / (K * self.omega))[1] - 1, 0)
        quotient, rest = np.divmod(n, K << places)
        beyond = np.sign(2 * rest - (K << places))  # of the tie
        up = {"zero": 0 * n, "away": beyond >= 0, "even": beyond + quotient % 2 > 0}[mode]
        rounded = (quotient + up) << places
        rounded[flush & (rounded < self.omega)] = 0
        return np.concatenate([-rounded[:0:-1], rounded])


class Variant(NamedTuple):
    """Hardware: how it rounds, what it flushes ("w" results, "r" operands), and the class that
    covers it.

    stored: the multipliers it reads are any numbers of the format within stored |lam| of lam.
    """

    name: str
    subnormals: str = "gradual"
    mode: str = "even"
    flush: str = ""
    stored: float = 0.0

    @property
    def model(self) -> ErrorModel:
        """The terms as proved.

        Where lam may be wrong, 1 may be 5/4: no product and no case is exact.
        """
        return ErrorModel(stored=self.stored, unsure=self.stored > 0)


VARIANTS = (
    Variant("gradual"),
    Variant("gradual, ties away", mode="away"),
    Variant("truncation (2u, 2 eta)", mode="zero"),
    Variant("ftz", "ftz", flush="w"),
    Variant("ftz + daz", "daz", flush="rw"),
    Variant("daz", "daz", flush="r"),
    Variant("stored lam wrong by 1/4", stored=0.25),
)


def signed(magnitudes: Array) -> Array:
    """Magnitudes and, behind them, the negatives of those that are not zero."""
    return np.concatenate([magnitudes, -magnitudes[magnitudes > 0]])


def declaration(
    form: Format,
    variant: Variant,
    order: str = "any",
    components: int = 1,
    contraction: bool = True,
) -> Arithmetic:
    """`Arithmetic` of a tiny format, of real numbers or of complex ones with two components."""
    tiny = formats.Format(
        form.p, 1 / form.K, form.omega / form.K, math.inf, f"{form.p} bits", components
    )
    rounding = "truncate" if variant.mode == "zero" else "nearest"
    return Arithmetic(tiny, variant.subnormals, contraction, order, rounding=rounding)  # type: ignore[arg-type]

"""What the allowance arithmetic of a layer takes from the declared arithmetic, and the tally of its
own evaluation.

    symbol   meaning
    u        unit roundoff of one operation
    e        relative error of elementary functions, in units of u
    e_t      absolute error of sin and cos, in units of u
    c_E      error of the matrix exponential, in units of u (|S|_1 + sqrt N)
    depth    most additions that one of n addends meets

e, e_t and c_E are assumed (docs/measured/constants.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scanproof.reference.arithmetic.constants import Elementary, declared
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.error_model import PROVED, ErrorModel
from scanproof.reference.arithmetic.formats import format_of
from scanproof.reference.arithmetic.operations import EPS, UP, Roundings, roundings
from scanproof.reference.inputs import Array


@dataclass(eq=False)
class Tally:
    """What one evaluation of an allowance has met: operations on a path at most, and the largest
    number of any program."""

    operations: int = 0
    peak: float = 0.0

    def note(self, largest: Any, operations: int) -> None:
        """Counts operations on a path, and keeps the largest of these numbers (...)."""
        self.operations += operations
        top = float(np.max(largest, initial=0.0))
        self.peak = np.inf if np.isnan(top) else max(self.peak, top)


@dataclass(frozen=True, eq=False)
class OperationErrors:
    """The constants of one declaration.

    materialized: b, h and a are formed, so that their own sizes count (docs/layers.md).
    """

    declared: Arithmetic
    materialized: bool
    real: Roundings  # of products of real numbers, or of a real and a complex one
    complex: Roundings
    elementary: Elementary
    tally: Tally

    @property
    def safe(self) -> float:
        """The limit of largest numbers: no evaluation overflows where all of its own are below.

        Their roundings are allowed for.
        """
        inner = (
            self.real.largest
            if self.declared.prints_carry
            else format_of(self.declared.inner).largest
        )
        return inner / 2 * (1 - 2 * self.real.u)

    def depth(self, n: Array) -> Array:
        """Counts the additions that one of n addends meets at most, in the shape (...) of n.

        Declared depths (docs/layers.md, the words of a layer) are those of real sums: n = 2 m of
        each component of m complex products, which are counted as 3 m here, and sqrt(2) times as
        many in the norm; hence 1.5 times ceil(n / 12) + 8. What is left covers an addend joined
        later.
        """
        any_order = np.asarray(np.maximum(n - 1, 0))
        if self.declared.sums == "any":
            return any_order
        shorter = (
            np.ceil(n / 12) + 8
            if self.declared.sums == "blocked"
            else 24 + np.log2(np.maximum(n, 1))
        )
        return np.asarray(np.minimum(any_order, 1.5 * shorter))

    def addends(self, size: Array) -> Array:
        """Gives 1 for every addend that counts and 0 for the others, in the shape (...) of `size`.

        Where a depth is declared exact zeros count too, since they do not shorten it.
        """
        return (size > 0) + 0.0 if self.declared.sums == "any" else np.ones(np.shape(size))

    def growth(self, n: Array) -> Array:
        """Computes (1 + u)^depth(n) - 1, rounded upwards, in the shape (...) of n.

        It is what additions do to an addend (docs/layers.md, circuits).
        """
        return np.asarray(np.expm1(self.depth(n) * np.log1p(self.real.u)) * UP)

    def inflation(self) -> float:
        """The factor that covers the float64 evaluation of the allowance.

        Its terms are not negative, and each operation rounds once.
        """
        return 1 + self.tally.operations * 2 * EPS


def unmodelled_in_layers(arithmetic: Arithmetic) -> str | None:
    """Says why no allowance of a layer is known, or returns None.

    Beside bracketings only the order angle-sum, of rotations, is known.
    """
    if arithmetic.order == "angle-sum":
        return arithmetic.plain("order angle-sum", "accumulate", "operands", "rounding")
    return (
        None
        if arithmetic.bracketing
        else f"no allowance is known for order {arithmetic.order} in a layer"
    )


def operation_errors(
    arithmetic: Arithmetic, materialized: bool, model: ErrorModel = PROVED
) -> OperationErrors:
    """Collects the constants of a declaration, with a tally of their own.

    Args:
        arithmetic: the declaration.
        materialized: whether b, h and a are formed, so that their own sizes count.
        model: factors on the constants; with other ones than PROVED they are no bounds.

    Raises:
        ValueError: the declaration has no constants (reference/arithmetic/constants.py).
    """
    elementary = declared(arithmetic.expm, arithmetic.inner)
    scaled = Elementary(*(x * arithmetic.assumed for x in elementary))
    real = roundings(arithmetic, False, model=model)
    pairs = roundings(arithmetic, True, pairs=True, model=model)
    return OperationErrors(arithmetic, materialized, real, pairs, scaled, Tally())

"""Sums of products written as matrix products: einsum of two operands, and what its letters mean.

    group        letters that occur in               axis of the matrix form
    batch        both operands and the result        0 of both
    left         the first operand and the result    1 of the first
    right        the second operand and the result   2 of the second
    summed       both operands only                  2 of the first, 1 of the second
"""

from __future__ import annotations

from functools import cache
from math import prod
from typing import Any, NamedTuple

import numpy as np


class Form(NamedTuple):
    """The letters of "ab,bc->ac", in the groups of the module docstring."""

    first: str
    second: str
    result: str
    batch: str
    left: str
    right: str
    summed: str

    def matrices(self, one: Any, two: Any) -> tuple[Any, Any]:
        """Arranges two operands as (batch, left, summed) and (batch, summed, right)."""
        sizes = self.sizes(one, two)
        return (
            _grouped(one, self.first, (self.batch, self.left, self.summed), sizes),
            _grouped(two, self.second, (self.batch, self.summed, self.right), sizes),
        )

    def restored(self, product: Any, sizes: dict[str, int]) -> Any:
        """Arranges a product (batch, left, right) as the result that the subscripts ask for."""
        letters = self.batch + self.left + self.right
        return _arranged(product.reshape([sizes[x] for x in letters]), letters, self.result)

    def sizes(self, one: Any, two: Any) -> dict[str, int]:
        """The length of every letter's axis."""
        return dict(zip(self.first, one.shape, strict=True)) | dict(
            zip(self.second, two.shape, strict=True)
        )


@cache
def form(subscripts: str) -> Form:
    """Reads the letters of two operands and a result.

    Raises:
        ValueError: a letter that is in none of the four groups.
    """
    operands, result = subscripts.split("->")
    first, second = operands.split(",")
    groups = [
        "".join(x for x in letters if (x in first, x in second, x in result) == pattern)
        for letters, pattern in (
            (result, (True, True, True)),
            (result, (True, False, True)),
            (result, (False, True, True)),
            (first, (True, True, False)),
        )
    ]
    if set("".join(groups)) != set(first + second):
        raise ValueError(f"subscripts: found {subscripts!r}, expected every letter in two places")
    return Form(first, second, result, *groups)


def einsum(subscripts: str, one: Any, two: Any) -> Any:
    """Computes what numpy.einsum does, of two operands, by one matrix product.

    Shapes are those that the subscripts say: "ab,bc->ac" takes (a, b) and (b, c) to (a, c).

    Raises:
        ValueError: subscripts that `form` does not take.
    """
    found = form(subscripts)
    first, second = found.matrices(one, two)
    return found.restored(np.matmul(first, second), found.sizes(one, two))


def _grouped(x: Any, letters: str, groups: tuple[str, str, str], sizes: dict[str, int]) -> Any:
    """One axis for each group of letters."""
    return _arranged(x, letters, "".join(groups)).reshape(
        [prod(sizes[letter] for letter in group) for group in groups]
    )


def _arranged(x: Any, letters: str, wanted: str) -> Any:
    """Axes in another order of their letters."""
    return x.transpose([letters.index(letter) for letter in wanted])

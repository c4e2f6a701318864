"""What a theory says about one call: of every result its truth, and how far any program of the
declared class may be from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from scanproof.reference.inputs import Array
from scanproof.reference.truth.enclosure import Truth

GIVEN = " from constants"
BEYOND = "overflow is possible, or the allowance is not finite,"
Exact = Callable[[tuple[int, ...]], tuple[list[int], int]]


class Norms(NamedTuple):
    """Of the errors D of whole matrices: bounds of the 2-norm (stack,), and directions x (stack, n)
    with |D x| >= low |x|."""

    low: Array
    high: Array
    direction: Array


@dataclass(frozen=True, eq=False)
class Certified:
    """One result: its truth, and how far any program of the class may be from it; arrays of the
    result's shape.

    bound: float64, inf where nothing is known; unstored: the same before results are rounded to a
    narrower format.
    no_overflow: where no program of the class can overflow.
    carried: size of what the result owes to earlier steps, float64, negative where it cannot be
    seen; or None.
    exact: an element as integers over a power of two, where that is known.
    norms: the errors of whole matrices, which are judged instead of elements.
    window: judged from printed states: the allowance informs only where the result itself is near
    the truth.
    """

    truth: Truth
    bound: Array
    unstored: Array
    no_overflow: Array | bool
    carried: Array | None = None
    assumed: bool = True
    exact: Exact | None = None
    norms: Callable[[Array], Norms] | None = None
    window: bool = False


class Block(NamedTuple):
    """Some steps of a call: a slice of the caller's time axis, and every view of every result
    there.

    why: what may be the matter where nothing can be said.
    """

    steps: slice
    results: dict[str, list[Certified]]
    why: str = BEYOND

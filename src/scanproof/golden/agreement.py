"""Whether what a file holds is what is computed here."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from scanproof.golden.schema import Case
from scanproof.reference.allowance.certified import Certified
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Array
from scanproof.reference.truth.enclosure import Truth

SAME = 2.0**-40  # relative: what log1p, expm1 and hypot of two machines may make of one number


def altered(case: Case, arithmetic: Arithmetic, found: Mapping[str, Certified]) -> str | None:
    """What of a file its call does not give: the truth, or the bounds if it holds this class."""
    truths, stored, computed = case.truths(), case.stored(arithmetic), bounds_of(found)
    for name, x in found.items():
        if not overlap(truths[name], x.truth):
            return f"truth of {name}"
        if stored and not agree(stored[name], computed[name]):
            return f"bounds of {name}"
    return None


def bounds_of(found: Mapping[str, Certified]) -> dict[str, Array]:
    """Allowances as files store them: inf where overflow is possible or nothing is known."""
    return {name: np.where(x.no_overflow, x.bound, np.inf) for name, x in found.items()}


def agree(stored: Array, computed: Array) -> bool:
    """Whether two bounds are one number, but for the last bits that machines differ in."""
    finite = np.isfinite(computed)
    with np.errstate(invalid="ignore"):
        near = np.abs(stored - computed) <= SAME * computed
    return bool(np.where(finite, near, stored == computed).all())


def overlap(one: Truth, two: Truth) -> bool:
    """Whether two enclosures may hold the same numbers, in every element."""
    known = np.isfinite(one.rad) & np.isfinite(two.rad)
    return all(_meet(one, two, tuple(index)) for index in np.argwhere(known))


def _meet(one: Truth, two: Truth, index: tuple[int, ...]) -> bool:
    words = (_point(x[index]) for x in (one.head, one.tail, -two.head, -two.tail))
    distance = sum(sum(parts) ** 2 for parts in zip(*words, strict=True))
    return distance <= (Fraction(float(one.rad[index])) + Fraction(float(two.rad[index]))) ** 2


def _point(z: Any) -> tuple[Fraction, Fraction]:
    """Real and imaginary part, exactly."""
    return Fraction(float(z.real)), Fraction(float(z.imag))

"""Whether what a file holds is what is computed here."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from scanproof.reference.inputs import Array
from scanproof.reference.truth.enclosure import Truth

SAME = 2.0**-40  # relative: what log1p, expm1 and hypot of two machines may make of one number
Point = tuple[Fraction, Fraction]


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


def point(z: Any) -> Point:
    """Real and imaginary part, exactly."""
    return Fraction(float(z.real)), Fraction(float(z.imag))


def _meet(one: Truth, two: Truth, index: tuple[int, ...]) -> bool:
    words = (point(x[index]) for x in (one.head, one.tail, -two.head, -two.tail))
    distance = sum(sum(parts) ** 2 for parts in zip(*words, strict=True))
    return distance <= (Fraction(float(one.rad[index])) + Fraction(float(two.rad[index]))) ** 2

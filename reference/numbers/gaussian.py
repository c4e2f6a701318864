"""Gaussian rationals a + b i, of Fractions: + - * of a complex layer are exact."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any


@dataclass(frozen=True, slots=True)
class Gaussian:
    """real + imag i; mixes with Fraction and int, and elementwise with arrays of them, in + - *."""

    real: Fraction | int = 0
    imag: Fraction | int = 0

    def __add__(self, other: Any) -> Gaussian:
        if not isinstance(other, Gaussian | Fraction | int):
            return NotImplemented
        return Gaussian(self.real + other.real, self.imag + other.imag)

    def __mul__(self, other: Any) -> Gaussian:
        if not isinstance(other, Gaussian | Fraction | int):
            return NotImplemented
        a, b, c, d = self.real, self.imag, other.real, other.imag
        return Gaussian(a * c - b * d, a * d + b * c)

    def __sub__(self, other: Any) -> Gaussian:
        return self.__add__(-other)

    def __rsub__(self, other: Any) -> Gaussian:
        return (-self).__add__(other)

    def __neg__(self) -> Gaussian:
        return Gaussian(-self.real, -self.imag)

    def conjugate(self) -> Gaussian:
        """The complex conjugate."""
        return Gaussian(self.real, -self.imag)

    __radd__ = __add__
    __rmul__ = __mul__

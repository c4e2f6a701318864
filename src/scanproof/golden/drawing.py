"""Numbers for recipes, the same bits on every machine.

They are made by Python's `random()` and + - * / alone, without any elementary function.
"""

from __future__ import annotations

import math
from random import Random

import numpy as np

from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Array

Shape = tuple[int, ...]
Range = tuple[float, float]  # of moduli, or of numbers


class Draw:
    """A source of numbers of one dtype, seeded by a word."""

    def __init__(self, dtype: str, seed: str) -> None:
        self.dtype, self.arithmetic = dtype, Arithmetic(dtype)
        self._random = Random(f"{seed} {dtype}")

    def uniform(self, shape: Shape, low: float = 0.0, high: float = 1.0) -> Array:
        drawn = np.array([self._random.random() for _ in range(math.prod(shape))])
        return (low + (high - low) * drawn).reshape(shape)

    def whole(self, shape: Shape, top: int) -> Array:
        """Whole numbers from -top to top; Gaussian ones for complex dtypes."""
        kinds = range(1 + self.arithmetic.is_complex)
        parts = [np.floor(self.uniform(shape, -top, top + 1)) for _ in kinds]
        found = parts[0] + 1j * parts[1] if len(parts) == 2 else parts[0]
        return self.cast(found + 0)  # + 0: no negative zeros

    def units(self, shape: Shape) -> Array:
        """±1 or ±1, ±i, by turns."""
        kinds = np.array([1, -1, 1j, -1j] if self.arithmetic.is_complex else [1, -1]) + 0
        return self.cast(kinds[np.arange(math.prod(shape)) % len(kinds)].reshape(shape))

    def numbers(self, shape: Shape, moduli: Range) -> Array:
        """Moduli from the range; signs, or phases (1 + is)^2 / (1 + s^2) times i^k, by chance."""
        modulus, s = self.uniform(shape, *moduli), self.uniform(shape, -1, 1)
        if not self.arithmetic.is_complex:
            return self.cast(np.where(s < 0, -modulus, modulus))
        turn = np.array([1, 1j, -1, -1j])[np.floor(self.uniform(shape, 0, 4)).astype(int)]
        point = np.empty(shape, complex)
        point.real = modulus * (1 - s * s) / (1 + s * s)
        point.imag = modulus * 2 * s / (1 + s * s)
        return self.cast(point * turn)

    def cast(self, x: Array) -> Array:
        with np.errstate(under="ignore", over="ignore"):
            return np.asarray(x).astype(self.dtype)

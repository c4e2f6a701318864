"""Numbers for recipes, the same bits on every machine: Python's `random()` and + - * / only, no elementary function."""

from __future__ import annotations

import math
from random import Random

import numpy as np

from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Array, Inputs

Shape = tuple[int, ...]
Range = tuple[float, float]  # of moduli


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
        parts = [np.floor(self.uniform(shape, -top, top + 1)) for _ in range(1 + self.arithmetic.is_complex)]
        return self.cast(parts[0] + 1j * parts[1] + 0 if len(parts) == 2 else parts[0] + 0)  # + 0: no negative zeros

    def units(self, shape: Shape) -> Array:
        """±1 or ±1, ±i, by turns."""
        kinds = np.array([1, -1, 1j, -1j] if self.arithmetic.is_complex else [1, -1]) + 0
        return self.cast(kinds[np.arange(math.prod(shape)) % len(kinds)].reshape(shape))

    def numbers(self, shape: Shape, moduli: Range) -> Array:
        """Moduli drawn from the range; signs, or phases (1 + is)^2 / (1 + s^2) times i^k, by chance."""
        modulus, s = self.uniform(shape, *moduli), self.uniform(shape, -1, 1)
        if not self.arithmetic.is_complex:
            return self.cast(np.where(s < 0, -modulus, modulus))
        turn = np.array([1, 1j, -1, -1j])[np.floor(self.uniform(shape, 0, 4)).astype(int)]
        point = np.empty(shape, complex)
        point.real, point.imag = modulus * (1 - s * s) / (1 + s * s), modulus * 2 * s / (1 + s * s)
        return self.cast(point * turn)

    def cast(self, x: Array) -> Array:
        with np.errstate(under="ignore", over="ignore"):
            return np.asarray(x).astype(self.dtype)

    # ------------------------------------------------------------ calls

    def dense(self, time: int, lam: Range, *, channels: int = 2, batch: int = 1, size: float = 1.0,
              varying: bool = False, h0: bool = False, reverse: bool = False) -> Inputs:  # fmt: skip
        """Random numbers everywhere: |lam| from the range, |b| and |h0| from size/4 to size."""
        shape, moduli = (batch, time, channels), (size / 4, size)
        b, start = self.numbers(shape, moduli), self.numbers((batch, channels), moduli)
        return Inputs(self.numbers(shape if varying else (channels,), lam), b, start if h0 else None, reverse)

    def exact(self, time: int, *, channels: int = 2, batch: int = 1,
              varying: bool = False, h0: bool = False, reverse: bool = False) -> Inputs:  # fmt: skip
        """An exact lane: as large as the sums stay exact with, so that a state kept in fewer bits shows."""
        shape = (batch, time, channels)
        operands = math.prod(shape) + batch * channels
        top = max(1, 2 ** (self.arithmetic.format.significand_bits - 1) // (operands * (1 + self.arithmetic.is_complex)))
        b, start = self.whole(shape, top), self.whole((batch, channels), top)
        return Inputs(self.units(shape if varying else (channels,)), b, start if h0 else None, reverse)

    def impulse(self, time: int, at: int, lam: Range, *, varying: bool = False, reverse: bool = False) -> Inputs:
        """One nonzero drive at step `at`."""
        shape = (1, time, 2)
        b = np.zeros(shape, self.dtype)
        b[:, at] = self.numbers((1, 2), (0.5, 2))
        return Inputs(self.numbers(shape if varying else (2,), lam), b, None, reverse)

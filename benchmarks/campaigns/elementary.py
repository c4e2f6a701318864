"""Elementary functions: NumPy's, or wrong by nearly as much as docs/classes.md assumes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scanproof.reference.inputs import Array


@dataclass(frozen=True)
class Functions:
    """Elementary functions in the format of their argument; those of NumPy if push is 0.

    Else they are evaluated in longdouble, pushed `push` times nearly as far as the class assumes,
    and rounded: +1 always up, -1 always down; `seed` draws the direction for every value.
    """

    push: float = 0.0
    seed: int | None = None

    def exp(self, x: Array) -> Array:
        return self._relative(np.exp, x)

    def log(self, x: Array) -> Array:
        return self._relative(np.log, x)

    def log1p(self, x: Array) -> Array:
        return self._relative(np.log1p, x)

    def modulus(self, z: Array) -> Array:
        return self._relative(np.hypot, z.real, z.imag) if np.iscomplexobj(z) else np.abs(z)

    def angle(self, z: Array) -> Array:
        return self._relative(np.arctan2, z.imag, z.real)

    def turn(self, theta: Array) -> tuple[Array, Array]:
        """Cosine and sine."""
        return self._absolute(np.cos, theta), self._absolute(np.sin, theta)

    def logaddexp(self, x: Array, y: Array) -> Array:
        return np.maximum(x, y) + self.log1p(self.exp(-np.abs(x - y)))

    def _relative(self, function: Callable[..., Array], *x: Array) -> Array:
        if not self.push:
            return function(*x)
        exact = function(*(part.astype(np.longdouble) for part in x))
        return self._rounded(
            np.where(exact == 1, exact, exact * (1 + 6.9 * self._direction(x[0]))), x[0]
        )

    def _absolute(self, function: Callable[..., Array], x: Array) -> Array:
        if not self.push:
            return function(x)
        exact = function(x.astype(np.longdouble))
        return self._rounded(np.where(x == 0, exact, exact + 3.4 * self._direction(x)), x)

    def _direction(self, x: Array) -> Array | float:
        u = float(np.finfo(x.dtype).eps) / 2 * self.push
        return (
            u
            if self.seed is None
            else u * np.random.default_rng(self.seed).choice([-1.0, 1.0], x.shape)
        )

    def _rounded(self, exact: Array, x: Array) -> Array:
        return exact.astype(x.dtype)

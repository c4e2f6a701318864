"""Numbers for recipes of layers, the same bits on every machine (drawing.py): logarithms are drawn, none is taken."""

from __future__ import annotations

from typing import Any

import numpy as np

from scanproof.golden.drawing import Draw, Range
from scanproof.properties.layer_calls import LayerCall
from scanproof.reference import lru, rotrnn
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Array

HALF, NEAR_ONE = (-1.25, 0.25), (-8.0, -5.0)  # of nu_log and gamma_log: decays 0.28 to 0.75, 0.993 to 0.9997
SIZE = (0.25, 1.0)  # of other numbers


class LayerDraw(Draw):
    """A source of calls of layers."""

    def lru(self, width: int = 2, state: int = 3, *, decay: Range = HALF, sparse: bool = False, both: bool = False) -> lru.Params:
        """Angles anywhere; sparse: gamma = 1, one power of two in each row of B and C, no D; both: two directions."""
        nu_log, theta_log = self.uniform((state,), *decay), self.uniform((state,), -1, 1.75)
        gamma_log = np.zeros(state) if sparse else self.uniform((state,), -1, 0)
        B, C, C2 = (self._complex(*shape, sparse) for shape in ((state, width, 2), (width, state, 1), (width, state, 1)))
        D = self._skip(width, sparse)
        return lru.Params(*map(self.cast, (nu_log, theta_log, gamma_log, *B, *C, D, *(C2 if both else ()))))

    def rotrnn(
        self, width: int = 2, heads: int = 2, head_dim: int = 4, *,
        decay: Range = HALF, symmetric: bool = False, sparse: bool = False, both: bool = False,
    ) -> rotrnn.Params:  # fmt: skip
        """|M - M^T| below 3; symmetric: M, so that P = I; sparse: so too, one power of two in each row of B and C, no D."""
        theta, gamma_log = self.uniform((heads, head_dim // 2), 0.25, 6), self.uniform((heads,), *decay)
        M, features = self.uniform((heads, head_dim, head_dim), -0.4, 0.4), heads * head_dim
        if symmetric or sparse:
            M = np.floor(8 * M)
            M = M + M.swapaxes(1, 2)
        B = self._matrix(features, width, sparse).reshape(heads, head_dim, width)
        C, C2 = (self._matrix(width, features, sparse) for _ in range(2))
        D = self._skip(width, sparse)
        return rotrnn.Params(*map(self.cast, (theta, gamma_log, M, B, C, D, *((C2,) if both else ()))))

    def call(
        self, params: Any, time: int, *,
        batch: int = 1, h0: bool = False, reverse: bool = False, gradients: bool = False, impulse: int | None = None,
    ) -> LayerCall:  # fmt: skip
        """Inputs for these parameters; impulse: the only step at which they are not zero."""
        system = "lru" if isinstance(params, lru.Params) else "rotrnn"
        u, y_bar = (self.numbers((batch, time, len(params.D)), SIZE) for _ in range(2))
        if impulse is not None:
            u = self.cast(np.broadcast_to(np.arange(time)[:, None] == impulse, u.shape))
        call = LayerCall(system, params, u)
        start = self._states(call) if h0 else None
        return LayerCall(system, params, u, start, reverse, y_bar if gradients else None)

    def _states(self, call: LayerCall) -> Array:
        """h0 that goes with a call."""
        shape, dtype = call.expected(Arithmetic(self.dtype))["h_last"]
        real = self.numbers(shape, SIZE)
        return real if dtype == self.dtype else np.asarray(real + 1j * self.numbers(shape, SIZE)).astype(dtype)

    def _skip(self, width: int, sparse: bool) -> Array:
        return np.zeros(width) if sparse else self.numbers((width,), (0.5, 2))

    def _matrix(self, rows: int, columns: int, sparse: bool) -> Array:
        return self._one_per_row(rows, columns) if sparse else self.numbers((rows, columns), SIZE)

    def _complex(self, rows: int, columns: int, kinds: int, sparse: bool) -> tuple[Array, Array]:
        """Real and imaginary part; sparse: rows are real, imaginary, ... by turns, or all imaginary if there is one kind.

        So the first output shows the imaginary part of powers of lam, and the second their real part.
        """
        if not sparse:
            return self._matrix(rows, columns, False), self._matrix(rows, columns, False)
        one, real = self._one_per_row(rows, columns), (np.arange(rows)[:, None] % 2 == 0) & (kinds == 2)
        return np.where(real, one, 0), np.where(real, 0, one)

    def _one_per_row(self, rows: int, columns: int) -> Array:
        """±2^k at a place of each row that differs from row to row."""
        size = np.ldexp(np.where(self.uniform((rows, 1)) < 0.5, -1.0, 1.0), np.floor(self.uniform((rows, 1), -1, 3)).astype(int))
        return np.where(np.arange(columns) == np.arange(rows)[:, None] % columns, size, 0.0)

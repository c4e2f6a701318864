"""The arguments of one diagonal scan, passed around together: what its theory speaks of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Inputs:
    """lam (channels,) or (batch, time, channels); b (batch, time, channels); h0 (batch, channels)
    or None; reverse."""

    lam: Array
    b: Array
    h0: Array | None = None
    reverse: bool = False

    @property
    def varying(self) -> bool:
        """Whether lam depends on time."""
        return self.lam.ndim == 3

    @property
    def start(self) -> Array:
        """The state before the first step met: h0, or zeros; (batch, channels)."""
        batch, _, channels = self.b.shape
        return np.zeros((batch, channels), self.b.dtype) if self.h0 is None else self.h0

    def forward(self) -> Inputs:
        """The same problem with time flipped if needed, so that the recurrence runs forwards."""
        if not self.reverse:
            return self
        lam = self.lam[:, ::-1] if self.varying else self.lam
        return Inputs(lam, self.b[:, ::-1], self.h0)

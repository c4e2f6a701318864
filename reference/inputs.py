"""The arguments of one diagonal scan, passed around together: what its theory speaks of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Inputs:
    """The arguments of one scan h_t = lam_t h_{t-1} + b_t.

    lam is (channels,) or (batch, time, channels), b is (batch, time, channels), h0 is
    (batch, channels) or None for zeros. `reverse` runs the recurrence from the last step to the
    first.
    """

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
        """The state before the first step, (batch, channels): h0, or zeros in the dtype of b."""
        batch, _, channels = self.b.shape
        return np.zeros((batch, channels), self.b.dtype) if self.h0 is None else self.h0

    def forward(self) -> Inputs:
        """Gives the same problem with time flipped if needed, so that it runs forwards.

        lam and b keep their shapes, (channels,) or (batch, time, channels).
        """
        if not self.reverse:
            return self
        lam = self.lam[:, ::-1] if self.varying else self.lam
        return Inputs(lam, self.b[:, ::-1], self.h0)

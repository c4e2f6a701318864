"""The floating environment of this process: truth and allowances are theorems about IEEE
arithmetic, rounding to nearest.

A library built with -ffast-math flushes subnormals to zero for the whole thread that loads it, this
judge included.
"""

from __future__ import annotations

import numpy as np


def require_ieee() -> None:
    """Checks that this thread keeps subnormal numbers and rounds to nearest.

    Raises:
        FloatingPointError: it does not, in one line.
    """
    info, one = np.finfo(np.float64), np.ones(1)
    normal, subnormal = one * info.smallest_normal, one * info.smallest_subnormal
    kept = (normal * 0.5)[0] > 0 and (subnormal * 2.0**60)[0] > 0
    nearest = (
        (one + 2.0**-53)[0] == 1 and (one - 2.0**-54)[0] == 1 and (one + 2.0**-52 * 0.75)[0] > 1
    )
    if not (kept and nearest):
        found = "subnormals flushed to zero" if nearest else "a rounding mode other than to nearest"
        raise FloatingPointError(
            f"environment: found {found} in this process (by a library built with -ffast-math?), "
            "expected IEEE arithmetic; `scanproof check` runs an implementation in a process of "
            "its own"
        )

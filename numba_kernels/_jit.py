"""How every kernel of this package is compiled."""

from collections.abc import Callable
from typing import Any

import numba


def kernel(function: Callable[..., None]) -> Callable[..., None]:
    """Compiles `function` at its first call, its `prange` on threads.

    The machine code is kept on disk if possible. No fastmath flag is set. Without `contract` LLVM
    may not fuse a product and a sum into one operation (FMA), without `reassoc` it may not change
    the order of a sum: every +, - and * is rounded once, as written.
    """
    options: dict[str, Any] = {"parallel": True, "fastmath": False}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:
        # Numba looks for a writable cache folder when it decorates, and raises if it finds none
        # (read-only site-packages and no writable home). Any other fault raises again here.
        return numba.njit(**options)(function)

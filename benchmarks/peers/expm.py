"""The exponential of skew matrices: by SciPy, and by jax in either class."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from scanproof.benchmarks.peers.subject import Peers, each
from scanproof.properties.domain import Domain
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Array
from scanproof.reference.systems.expm import SYSTEM

FINDING = (
    "jax.scipy.linalg.expm scales by too little: off by up to 1e-2 in float32 "
    "(docs/measured/constants.md)"
)
COMPILED = Domain(states=frozenset({1, 2, 3, 4, 8}))  # XLA compiles each size anew


def by_scipy(S: Array) -> Array:
    """scipy.linalg.expm of a stack."""
    return np.asarray(scipy.linalg.expm(S))


def by_jax(S: Array) -> Array:
    """jax.scipy.linalg.expm of a stack."""
    import jax
    import jax.scipy.linalg

    with jax.enable_x64(S.dtype == np.float64):
        return np.asarray(jax.scipy.linalg.expm(S))


_SCIPY = (Arithmetic("float32"), Arithmetic("float64"))
_JAX = (SYSTEM.name, "jax.scipy.linalg.expm", f"{__name__}:by_jax")
_MORE: dict[str, Any] = {"domain": COMPILED, "needs": "jax"}

PEERS = Peers(
    SYSTEM.name,
    (
        *each(SYSTEM.name, "scipy.linalg.expm", f"{__name__}:by_scipy", *_SCIPY),
        *each(*_JAX, Arithmetic("float32", "daz"), finding=FINDING, **_MORE),
        *each(*_JAX, Arithmetic("float32", "daz", expm="jax"), **_MORE),
    ),
    share=4,
)

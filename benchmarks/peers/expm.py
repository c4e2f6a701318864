"""The exponential of skew matrices: by SciPy, and by jax in either class."""

from __future__ import annotations

import numpy as np
import scipy.linalg

from scanproof.benchmarks.peers.subject import Peers, Subject
from scanproof.properties.domain import Domain
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Array
from scanproof.reference.systems.expm import SYSTEM

FINDING = "jax.scipy.linalg.expm scales by too little: off by up to 1e-2 in float32 (docs/measured/constants.md)"
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


def _in_jax(word: str, finding: str) -> Subject:
    declared = Arithmetic("float32", "daz", expm=word)
    name, target = "jax.scipy.linalg.expm", f"{__name__}:by_jax"
    return Subject(name, target, declared, SYSTEM.name, domain=COMPILED, needs="jax", finding=finding)


PEERS = Peers(
    SYSTEM.name,
    (
        Subject("scipy.linalg.expm", f"{__name__}:by_scipy", Arithmetic("float32"), SYSTEM.name),
        Subject("scipy.linalg.expm", f"{__name__}:by_scipy", Arithmetic("float64"), SYSTEM.name),
        _in_jax("default", FINDING),
        _in_jax("jax", ""),
    ),
    share=4,
)

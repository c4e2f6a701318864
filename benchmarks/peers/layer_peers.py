"""Layers to check: our kernels, and jax versions written in the textbook way, behind the adapter contract."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from scanproof.properties.strategies import Domain

from scanproof.benchmarks.peers.peers import Subject
from scanproof.reference import lru as lru_reference
from scanproof.reference import rotrnn as rotrnn_reference
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Array

EXPM1 = "jax differentiates expm1(x) as expm1(x) + 1, which cancels: dL/dgamma_log is lost where gamma is small"
EXPM = "jax.scipy.linalg.expm scales by too little: off by up to 1e-2 in float32 (docs/measured/constants.md)"
COMPILED = Domain(lengths=frozenset({1, 2, 3, 7, 16, 33, 64, 128}))  # each length is compiled anew


def layer_subjects() -> list[Subject]:
    """Our kernels in both formats; jax in float32 and float64.

    RotRNN as published is declared with the default matrix exponential, which jax's is not: a finding. The class expm "jax"
    admits it, and then the allowance hardly informs.
    """
    here, jax = "scanproof.benchmarks.peers.layer_peers", "scanproof.benchmarks.peers.jax_layers"
    ours = [
        Subject(f"numba_kernels.layers.{system}", f"{here}:{system}", kernel(dtype), ours=True, system=system)
        for system in ("lru", "rotrnn")
        for dtype in ("float32", "float64")
    ]
    versions: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
        ("lru (jax.lax.associative_scan)", "lru", "lru", {}),
        ("rotrnn (jax, as published)", "rotrnn", "rotrnn", {"order": "angle-sum", "gain": "one-minus-square"}),
        ("rotrnn (jax, P from SciPy)", "rotrnn", "rotrnn_scipy", {"order": "angle-sum", "gain": "one-minus-square"}),
        ("rotrnn (jax, P from SciPy, expm1)", "rotrnn", "rotrnn_expm1", {"order": "angle-sum"}),
    )
    xla = partial(Arithmetic, subnormals="daz", stages="formed")  # on CPU it flushes subnormal inputs and results, and contracts
    return ours + [
        Subject(
            name, f"{jax}:{function}", xla(dtype, **words), domain=COMPILED, needs="jax", system=system,
            finding={"rotrnn_expm1": EXPM1, "rotrnn": EXPM}.get(function, ""),
        )
        for name, system, function, words in versions
        for dtype in ("float32", "float64")
    ]  # fmt: skip


def expm_subjects() -> list[Subject]:
    """The exponential of skew matrices by SciPy, and by jax in either class."""
    here, jax = "scanproof.benchmarks.peers.layer_peers:scipy_expm", "scanproof.benchmarks.peers.jax_layers:expm"
    single = Domain(states=frozenset({1, 2, 3, 4, 8}))
    found = [Subject("scipy.linalg.expm", here, Arithmetic(dtype), system="expm") for dtype in ("float32", "float64")]
    return [
        *found,
        Subject("jax.scipy.linalg.expm", jax, Arithmetic("float32", "daz"), False, single, "jax", "expm", EXPM),
        Subject("jax.scipy.linalg.expm", jax, Arithmetic("float32", "daz", expm="jax"), False, single, "jax", "expm"),
    ]


def scipy_expm(S: Array) -> Array:
    """scipy.linalg.expm of a stack."""
    import scipy.linalg

    return np.asarray(scipy.linalg.expm(S))


def kernel(dtype: str) -> Arithmetic:
    """What numba_kernels/layers.py promises: step after step, complex products in separate roundings, the adjoint recurrence."""
    return Arithmetic(dtype, order="sequential", stages="formed", adjoint="recurrence")


def lru(
    nu_log: Array, theta_log: Array, gamma_log: Array, B_re: Array, B_im: Array, C_re: Array, C_im: Array, D: Array,
    u: Array, C2_re: Array | None = None, C2_im: Array | None = None,
    h0: Array | None = None, reverse: bool = False, y_bar: Array | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Our LRU kernel: y, h and, from y_bar, grads."""
    from scanproof.numba_kernels import layers

    params = lru_reference.Params(nu_log, theta_log, gamma_log, B_re, B_im, C_re, C_im, D, C2_re, C2_im)
    if y_bar is not None:
        return {"grads": layers.lru_vjp(params, u, y_bar, h0, reverse)}
    y, h = layers.lru(params, u, h0, reverse, states=True)
    return {"y": y, "h": h}


def rotrnn(
    theta: Array, gamma_log: Array, M: Array, B: Array, C: Array, D: Array, u: Array, C2: Array | None = None,
    h0: Array | None = None, reverse: bool = False, y_bar: Array | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Our RotRNN kernel: y, h and, from y_bar, grads."""
    from scanproof.numba_kernels import layers

    params = rotrnn_reference.Params(theta, gamma_log, M, B, C, D, C2)
    if y_bar is not None:
        return {"grads": layers.rotrnn_vjp(params, u, y_bar, h0, reverse)}
    y, x = layers.rotrnn(params, u, h0, reverse, states=True)
    return {"y": y, "h": x}

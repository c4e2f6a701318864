"""Bare scans: our kernels, loops in short formats, SciPy's lfilter, and jax's two scans.

An adapter owns layout and conversion and nothing else; what the peer cannot do raises
NotImplementedError.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from scanproof.benchmarks.peers.subject import (
    Arguments,
    Growing,
    Peers,
    Subject,
    each,
    sequential,
)
from scanproof.properties.domain import LONG, Domain
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Array
from scanproof.reference.systems.scan import SYSTEM
from scanproof.reference.transitions.diagonal import scan

GROWTH_STEPS, GROWTH_MODULUS = 4096, 1 - 2.0**-10
LENGTHS = frozenset({1, 2, 3, 7, 8, 16, 17, 32, 33, 64, 65, 129, LONG[-1]})
COMPILED = Domain(lengths=LENGTHS)  # XLA compiles each length anew


def loop(lam: Array, b: Array, h0: Array | None = None, reverse: bool = False) -> Array:
    """The definition, in b's own format: NumPy computes float16, ml_dtypes bfloat16."""
    with np.errstate(over="ignore", invalid="ignore"):  # overflow is a result here
        return scan(lam, b, h0, reverse)


def wide_loop(lam: Array, b: Array, h0: Array | None = None, reverse: bool = False) -> Array:
    """16-bit inputs and results, float32 in between."""
    start = None if h0 is None else h0.astype(np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        return scan(lam.astype(np.float32), b.astype(np.float32), start, reverse).astype(b.dtype)


def chunked(lam: Array, b: Array, h0: Array | None = None, reverse: bool = False) -> Array:
    """Our time-parallel kernel, with chunks short enough that the usual lengths have several."""
    from scanproof.numba_kernels import chunked

    return chunked.scan(lam, b, h0, reverse, chunk=16)


def lfilter(lam: Array, b: Array, h0: Array | None = None) -> Array:
    """scipy.signal.lfilter, one call per channel: y_t = x_t + lam y_{t-1}.

    Its initial condition is lam h0.
    """
    from scipy.signal import lfilter as filter_

    if lam.ndim == 3:
        raise NotImplementedError("lfilter has constant coefficients")
    h = np.empty_like(b)
    one = np.ones(1, b.dtype)
    for c, pole in enumerate(lam):
        start = np.zeros((b.shape[0], 1), b.dtype) if h0 is None else (pole * h0[:, c])[:, None]
        h[:, :, c], _ = filter_(one, np.array([1, -pole], b.dtype), b[:, :, c], axis=1, zi=start)
    return h


def jax_scan(lam: Array, b: Array, h0: Array | None = None, reverse: bool = False) -> Array:
    """jax.lax.scan over time, jitted."""
    start = np.zeros_like(b[:, 0]) if h0 is None else h0
    return np.asarray(_jitted(steps)(np.broadcast_to(lam, b.shape), b, start, reverse=reverse))


def jax_associative_scan(
    lam: Array, b: Array, h0: Array | None = None, reverse: bool = False
) -> Array:
    """jax.lax.associative_scan of affine maps, jitted; h0 enters through the first step."""
    lam = np.broadcast_to(lam, b.shape)
    if h0 is not None:
        first = -1 if reverse else 0
        b = b.copy()
        b[:, first] += lam[:, first] * h0
    return np.asarray(_jitted(tree)(lam, b, reverse=reverse))


def steps(lam: Any, b: Any, start: Any, reverse: bool = False) -> Any:
    """Traced by jax; a constant lam stays outside the loop, as one would write it."""
    import jax

    def step(h: Any, element: Any) -> Any:
        lam_t, b_t = element if lam.ndim == 3 else (lam, element)
        h = lam_t * h + b_t
        return h, h

    later = b.swapaxes(0, 1)  # (time, batch, channels)
    elements = (lam.swapaxes(0, 1), later) if lam.ndim == 3 else later
    return jax.lax.scan(step, start, elements, reverse=reverse)[1].swapaxes(0, 1)


def tree(lam: Any, b: Any, reverse: bool = False) -> Any:
    """Traced by jax: affine maps, combined."""
    import jax

    def then(first: Any, second: Any) -> Any:
        return second[0] * first[0], second[0] * first[1] + second[1]

    elements = (jax.numpy.broadcast_to(lam, b.shape), b)
    return jax.lax.associative_scan(then, elements, axis=1, reverse=reverse)[1]


@cache
def _jitted(function: Any) -> Any:
    import jax

    return jax.jit(function, static_argnames="reverse")


# ---------------------------------------------------------------- what they are asked


def filtered(signal: Array, arithmetic: Arithmetic) -> Arguments:
    """A recording under one decay per channel, from 1 - 2^-3 to 1 - 2^-12.

    Complex dtypes turn by 0.3 a step as well.
    """
    decay = 1 - 2.0 ** -np.linspace(3, 12, signal.shape[2])
    lam = decay * np.exp(0.3j) if arithmetic.is_complex else decay
    return {"lam": lam.astype(arithmetic.dtype), "b": signal.astype(arithmetic.dtype)}


def growing(arithmetic: Arithmetic, seed: int) -> Arguments:
    """Standard normal input of one channel, |lam| = 1 - 2^-10."""
    rng: Any = np.random.default_rng(seed)
    lam = np.array([GROWTH_MODULUS * np.exp(0.3j) if arithmetic.is_complex else GROWTH_MODULUS])
    b = rng.standard_normal((1, GROWTH_STEPS, 1))
    if arithmetic.is_complex:
        b = b + 1j * rng.standard_normal(b.shape)
    return {"lam": lam.astype(arithmetic.dtype), "b": b.astype(arithmetic.dtype)}


_DTYPES = ("float32", "float64", "complex64", "complex128")
_SHORT = ("float32", "complex64")
_LFILTER: dict[str, Any] = {"domain": Domain("constant")}
# XLA on CPU flushes subnormals and contracts: declared, and measured by `check` without it
_JAX: dict[str, Any] = {"domain": COMPILED, "needs": "jax"}
_OF_XLA: dict[str, Any] = {"subnormals": "daz"}
_HERE = __name__


def _each(name: str, target: str, *declared: Arithmetic, **more: Any) -> tuple[Subject, ...]:
    return each(SYSTEM.name, name, target, *declared, **more)


PEERS = Peers(
    SYSTEM.name,
    (
        *_each("numba_kernels.diagonal", "scanproof.numba_kernels.diagonal:scan",
               *(sequential(dtype, contraction=False) for dtype in _DTYPES), ours=True),
        *_each("numba_kernels.chunked", f"{_HERE}:chunked",
               *(Arithmetic(dtype, contraction=False) for dtype in _SHORT), ours=True),
        *_each("scipy.signal.lfilter", f"{_HERE}:lfilter",
               sequential("complex64"), sequential("complex128"), **_LFILTER),
        *_each("loop in float16 (NumPy)", f"{_HERE}:loop", sequential("float16"), ours=True),
        *_each("loop in bfloat16 (ml_dtypes)", f"{_HERE}:loop", sequential("bfloat16"), ours=True),
        *_each("loop in float32", f"{_HERE}:wide_loop",
               Arithmetic("bfloat16", order="sequential", accumulate="float32"), ours=True),
        *_each("jax.lax.scan", f"{_HERE}:jax_scan",
               *(sequential(dtype, **_OF_XLA) for dtype in _SHORT), **_JAX),
        *_each("jax.lax.associative_scan", f"{_HERE}:jax_associative_scan",
               *(Arithmetic(dtype, **_OF_XLA) for dtype in _SHORT), **_JAX),
    ),
    recorded=filtered,
    informs=True,
    growth=Growing(GROWTH_MODULUS, growing),
)  # fmt: skip

"""Scans that other people wrote, behind our adapter contract: what `verify` checks beside our own kernels.

An adapter owns layout and conversion and nothing else; what the peer cannot do raises NotImplementedError.
"""

from __future__ import annotations

import importlib.util
from typing import Any, NamedTuple

import numpy as np
from scanproof.properties.strategies import LONG, Domain

from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Array
from scanproof.reference.transitions.diagonal import scan


class Subject(NamedTuple):
    """An implementation to check: what it is, how to call it, what it declares, of which system; `needs`: a package it needs."""

    name: str
    target: str
    arithmetic: Arithmetic
    ours: bool = False
    domain: Domain = Domain()
    needs: str | None = None
    system: str = "scan"
    finding: str = ""  # what is known to be wrong with it, so that it must come out `outside`

    @property
    def missing(self) -> str | None:
        """Why this cannot run here, or None."""
        if self.needs and importlib.util.find_spec(self.needs) is None:
            return f"{self.needs} is not installed (make peers)"
        return None


def subjects() -> list[Subject]:
    """Our kernels, SciPy's lfilter, and jax's two scans."""
    kernel, here = "scanproof.numba_kernels.diagonal:scan", "scanproof.benchmarks.peers.peers"
    ours = [
        Subject("numba_kernels.diagonal", kernel, sequential(dtype, contraction=False), ours=True)
        for dtype in ("float32", "float64", "complex64", "complex128")
    ]
    ours += [
        Subject("numba_kernels.chunked", f"{here}:chunked", Arithmetic(dtype, contraction=False), ours=True)
        for dtype in ("float32", "complex64")
    ]
    lfilter = [
        Subject("scipy.signal.lfilter", f"{here}:lfilter", sequential(dtype), domain=Domain("constant"))
        for dtype in ("complex64", "complex128")
    ]
    # XLA on CPU flushes subnormal inputs and results and contracts: declared, and measured by `scanproof check` without it
    compiled = Domain(lengths=frozenset({1, 2, 3, 7, 8, 16, 17, 32, 33, 64, 65, 129, LONG[-1]}))  # each length is compiled anew
    jax = [
        Subject(name, f"{here}:{function}", declare(dtype, subnormals="daz"), domain=compiled, needs="jax")
        for name, function, declare in (
            ("jax.lax.scan", "jax_scan", sequential),
            ("jax.lax.associative_scan", "jax_associative_scan", Arithmetic),
        )
        for dtype in ("float32", "complex64")
    ]
    wide = Arithmetic("bfloat16", order="sequential", accumulate="float32")
    narrow = [
        Subject("loop in float16 (NumPy)", f"{here}:loop", sequential("float16"), ours=True),
        Subject("loop in bfloat16 (ml_dtypes)", f"{here}:loop", sequential("bfloat16"), ours=True),
        Subject("loop in float32", f"{here}:wide_loop", wide, ours=True),
    ]
    return ours + lfilter + narrow + jax


def sequential(dtype: str, **words: Any) -> Arithmetic:
    """Step after step, and each step reads the state that is printed."""
    return Arithmetic(dtype, order="sequential", store="step", **words)


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
    """scipy.signal.lfilter, one call per channel: y_t = x_t + lam y_{t-1}; its initial condition is lam h0."""
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
    import jax

    start = np.zeros_like(b[:, 0]) if h0 is None else h0
    return np.asarray(_jax(jax)[0](np.broadcast_to(lam, b.shape), b, start, reverse))


def jax_associative_scan(lam: Array, b: Array, h0: Array | None = None, reverse: bool = False) -> Array:
    """jax.lax.associative_scan of affine maps, jitted; h0 enters through the first step."""
    import jax

    if h0 is not None:
        first = -1 if reverse else 0
        b = b.copy()
        b[:, first] += np.broadcast_to(lam, b.shape)[:, first] * h0
    return np.asarray(_jax(jax)[1](np.broadcast_to(lam, b.shape), b, reverse))


def _jax(jax: Any) -> tuple[Any, Any]:
    """The two jitted scans, made once."""
    if not _JITTED:

        def steps(lam: Any, b: Any, start: Any, reverse: bool) -> Any:
            def step(h: Any, element: Any) -> Any:
                h = element[0] * h + element[1]
                return h, h

            elements = (lam.swapaxes(0, 1), b.swapaxes(0, 1))
            return jax.lax.scan(step, start, elements, reverse=reverse)[1].swapaxes(0, 1)

        def tree(lam: Any, b: Any, reverse: bool) -> Any:
            def then(first: Any, second: Any) -> Any:
                return second[0] * first[0], second[0] * first[1] + second[1]

            return jax.lax.associative_scan(then, (lam, b), axis=1, reverse=reverse)[1]

        _JITTED.extend([jax.jit(steps, static_argnums=3), jax.jit(tree, static_argnums=2)])
    return _JITTED[0], _JITTED[1]


_JITTED: list[Any] = []

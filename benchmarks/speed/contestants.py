"""Who is timed: our kernels, the plain loops that they replace, SciPy, jax, and two copies as the
machine's own measure.

What a timing includes. `given`: the output array exists and its memory has been touched. `fresh`:
the call allocates it, and its page faults count. jax: its inputs were converted before, the call is
waited for, and its output stays a jax array. rotation: its multipliers are formed in every call.
lfilter: one call per channel.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numba
import numpy as np

from scanproof.benchmarks.peers.scan import lfilter, steps, tree
from scanproof.benchmarks.peers.subject import missing
from scanproof.benchmarks.speed.cases import Problem
from scanproof.numba_kernels import chunked, diagonal, rotation
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Array

Call = Callable[[], Any]  # returns all states, as a NumPy or a jax array of b's size


class Contestant(NamedTuple):
    """One implementation.

    declares: its arithmetic beside the dtype, None for a copy; threads: whether it may use several.
    """

    name: str
    output: Literal["given", "fresh"]
    prepare: Callable[[Problem], Call]
    declares: dict[str, Any] | None
    threads: bool = False
    kinds: tuple[str, ...] = ("constant", "varying", "rotation")
    needs: str | None = None

    @property
    def missing(self) -> str | None:
        """Why this cannot run here, or None."""
        return missing(self.needs)

    def arithmetic(self, dtype: str) -> Arithmetic:
        return Arithmetic(dtype, **self.declares or {})


def contestants(kind: str) -> list[Contestant]:
    """Everyone who offers this kind of lam, the copies first."""
    return [contestant for contestant in ALL if kind in contestant.kinds]


def copy_given(problem: Problem) -> Call:
    out, b = problem.out, problem.inputs.b

    def call() -> Array:
        np.copyto(out, b)
        return out

    return call


def copy_fresh(problem: Problem) -> Call:
    return problem.inputs.b.copy


def diagonal_given(problem: Problem) -> Call:
    return lambda: diagonal.scan(problem.inputs.lam, problem.inputs.b, out=problem.out)


def diagonal_fresh(problem: Problem) -> Call:
    return lambda: diagonal.scan(problem.inputs.lam, problem.inputs.b)


def chunked_given(problem: Problem) -> Call:
    return lambda: chunked.scan(problem.inputs.lam, problem.inputs.b, out=problem.out)


def rotation_given(problem: Problem) -> Call:
    given = problem.rotation
    if given is None:
        raise ValueError(f"problem: found {problem.case.name!r}, expected a case of kind rotation")
    out = problem.out.view(given.b.dtype).reshape(given.b.shape)  # (batch, time, heads, head_dim)
    return lambda: rotation.scan(given.gamma, given.theta, given.b, out=out)


def numba_loop(problem: Problem) -> Call:
    """The loop that one writes first; one function for both kinds of lam."""
    lam = np.broadcast_to(problem.inputs.lam, problem.inputs.b.shape)  # (batch, time, channels)
    compiled = numba.njit(_loop)
    return lambda: compiled(lam, problem.inputs.b, problem.out)


def _loop(lam: Array, b: Array, out: Array) -> Array:
    for n in range(b.shape[0]):
        h = np.zeros_like(b[n, 0])  # (channels,)
        for t in range(b.shape[1]):
            for c in range(b.shape[2]):
                h[c] = lam[n, t, c] * h[c] + b[n, t, c]
                out[n, t, c] = h[c]
    return out


def numpy_loop(problem: Problem) -> Call:
    """One step after the other, each step vectorised over batch and channels."""
    lam, b, out = (
        np.broadcast_to(problem.inputs.lam, problem.inputs.b.shape),
        problem.inputs.b,
        problem.out,
    )

    def call() -> Array:
        h = np.zeros_like(b[:, 0])  # (batch, channels)
        for t in range(b.shape[1]):
            h = lam[:, t] * h + b[:, t]
            out[:, t] = h
        return out

    return call


def scipy_lfilter(problem: Problem) -> Call:
    importlib.import_module("scipy.signal")  # takes longer than the first call, and is none of it
    return lambda: lfilter(problem.inputs.lam, problem.inputs.b)


def jax_scan(problem: Problem) -> Call:
    import jax

    return _jitted(jax, lambda lam, b: steps(lam, b, jax.numpy.zeros_like(b[:, 0])), problem)


def jax_associative_scan(problem: Problem) -> Call:
    import jax

    return _jitted(jax, tree, problem)


def _jitted(jax: Any, run: Callable[..., Any], problem: Problem) -> Call:
    compiled, arguments = (
        jax.jit(run),
        [jax.device_put(x) for x in (problem.inputs.lam, problem.inputs.b)],
    )
    return lambda: compiled(*arguments).block_until_ready()


# Declared as in peers/scan.py, but for jax's tree: at every level an element passes one addition on
# the way up and one on the way down, 2 log2 T in all, which is within the order "tree".
SEQUENTIAL = {"order": "sequential", "contraction": False}
XLA = {"subnormals": "daz"}
ALL = (
    Contestant("numpy copy", "given", copy_given, None),
    Contestant("numpy copy", "fresh", copy_fresh, None),
    Contestant("numba_kernels.diagonal", "given", diagonal_given, SEQUENTIAL, threads=True),
    Contestant("numba_kernels.diagonal", "fresh", diagonal_fresh, SEQUENTIAL, threads=True),
    Contestant(
        "numba_kernels.chunked", "given", chunked_given, {"contraction": False}, threads=True
    ),
    Contestant(
        "numba_kernels.rotation",
        "given",
        rotation_given,
        SEQUENTIAL,
        threads=True,
        kinds=("rotation",),
    ),
    Contestant("plain Numba loop", "given", numba_loop, SEQUENTIAL),
    Contestant("NumPy loop", "given", numpy_loop, {"order": "sequential"}),
    Contestant(
        "scipy.signal.lfilter",
        "fresh",
        scipy_lfilter,
        {"order": "sequential"},
        kinds=("constant", "rotation"),
    ),
    Contestant(
        "jax.lax.scan", "fresh", jax_scan, XLA | {"order": "sequential"}, threads=True, needs="jax"
    ),
    Contestant(
        "jax.lax.associative_scan",
        "fresh",
        jax_associative_scan,
        XLA | {"order": "tree"},
        threads=True,
        needs="jax",
    ),
)

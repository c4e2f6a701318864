"""Honest programs of whole layers, forward and backward: what no allowance of a layer may refuse.

    program     scan of states and of their cotangents            input matrices         readout
    sequential  one step after the other, NumPy                   (gamma B) u, P' xi B u C (P s)
    doubling    Hillis and Steele, any contraction of a step      gamma (B u), (xi P'B)u (C P) s
    chunked     chunks of 8, one carry, any contraction           as sequential          as sequential
    kernels     the Numba kernels: everything folded in float64   folded                 folded
    autodiff    doubling, and lam_bar by its transposition (LRU)  (gamma B) u

The first of two input matrices is LRU's, the second RotRNN's (P' is P transposed); `autodiff` is in transposed_doubling.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from scanproof.properties.layer_calls import LayerCall, form_fault, received

from scanproof.benchmarks.campaigns import honest
from scanproof.benchmarks.campaigns.transposed_doubling import Transposed
from scanproof.numba_kernels import layers
from scanproof.properties.versions.plain_lru import Lru, input_matrix
from scanproof.properties.versions.plain_rotrnn import RotRnn, output_matrices
from scanproof.properties.versions.plain_scan import Advance, Recurrence, starts
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Array, Inputs
from scanproof.reference.layers import backwards, mapped
from scanproof.reference.systems import LAYERS


class Program(NamedTuple):
    """run: callable by the adapter contract; adjoint: what its gradients are, as in LayerArithmetic."""

    name: str
    run: Callable[..., Any]
    adjoint: str = "recurrence"


def programs(system: str, dtype: str, rng: np.random.Generator) -> list[Program]:
    """All programs of a layer that works in float32 or float64; how its scans contract a step is drawn."""
    machine = honest.drawn(Arithmetic({"float32": "complex64", "float64": "complex128"}[dtype]), rng).machine
    kinds: tuple[tuple[str, type[Any]], ...] = (("doubling", Late), ("chunked:8", Bracketed))
    if system == "rotrnn":
        kinds = (("doubling", Folded), ("chunked:8", BracketedRotRnn))
    scans = [Program(name, kind(honest.Program(name, machine))) for name, kind in kinds]
    plain = Lru() if system == "lru" else RotRnn()
    common = [Program("sequential", plain), *scans, Program("kernels", kernels(system))]
    return [*common, Program("autodiff", Transposed(), "any")] if system == "lru" else common


def results(program: Program, call: LayerCall, arithmetic: Arithmetic) -> dict[str, Array]:
    """Flat results in the declared formats, computed in the format of the sums: inputs are widened, results rounded once.

    Raises:
        ValueError: in one line, a program that returns something else than its call is for, or in another format.
    """
    inner = Arithmetic(arithmetic.inner)
    states = np.result_type(inner.dtype, np.complex64) if call.layer.complex_states else inner.dtype
    params, h0 = mapped(call.params, lambda x: x.astype(inner.dtype)), None if call.h0 is None else call.h0.astype(states)
    y_bar = None if call.y_bar is None else call.y_bar.astype(inner.dtype)
    wide = LayerCall(call.system, params, call.u.astype(inner.dtype), h0, call.reverse, y_bar)
    got = received(program.run(**wide.keywords()))
    if fault := form_fault(got, wide, inner):
        raise ValueError(f"{program.name}: {fault}")
    return {name: x.astype(call.expected(arithmetic)[name][1]) for name, x in got.items()}


def kernels(system: str) -> Callable[..., Mapping[str, Any]]:
    """The Numba kernels as the adapter contract has it."""
    forward, vjp = getattr(layers, system), getattr(layers, f"{system}_vjp")

    def run(u: Array, h0: Any = None, reverse: bool = False, y_bar: Any = None, **named: Array) -> Mapping[str, Any]:
        params = LAYERS[system].Params(**named)
        y, h = forward(params, u, h0, reverse, states=True)
        return {"y": y, "h": h} | ({} if y_bar is None else {"grads": vjp(params, u, y_bar, h0, reverse)})

    return run


# ---------------------------------------------------------------- other brackets, other orders of matrices


class Scanned(Recurrence):
    """Scans by an honest program of the bare scan; real states are pairs, complex numbers even + i odd."""

    def __init__(self, program: honest.Program) -> None:
        self.program = program

    def scan(self, advance: Advance, b: Array, start: Array | None, reverse: bool) -> Array:
        z = _lanes(b, 2)  # (batch, time, channels)
        unit = np.ones_like(z[:1, 0]).view(b.dtype).reshape(1, *b.shape[2:])  # (1, state...)
        lam, z0 = _lanes(advance(unit), 1)[0], None if start is None else _lanes(start, 1)  # (channels,), (batch, channels)
        return self.program.states(Inputs(lam, z, z0, reverse)).view(b.dtype).reshape(b.shape)


class Bracketed(Scanned, Lru):
    """(gamma B) u."""


class Late(Bracketed):
    """gamma (B u)."""

    def states(self, p: Any, u: Array, h0: Array | None, reverse: bool) -> Array:
        b, advance = self.gamma(p) * (u @ input_matrix(p).T), self.advance(self.lam(p))  # (batch, time, state)
        first = enumerate(starts(h0, 1 if p.C2_re is None else 2))
        return np.stack([self.scan(advance, b, start, backwards(d, reverse)) for d, start in first], 2)


class BracketedRotRnn(Scanned, RotRnn):
    """P' (xi (B u)) and C (P s)."""


class Folded(BracketedRotRnn):
    """(xi P'B) u and (C P) s: small matrices are multiplied first."""

    def states(self, p: Any, P: Array, u: Array, h0: Array | None, reverse: bool) -> Array:
        W = self.xi(p)[:, None, None] * np.einsum("hnm,hnw->hmw", P, p.B)  # (heads, head_dim, width)
        b, first = np.einsum("hmw,btw->bthm", W, u), starts(None if h0 is None else self.into(P, h0), len(output_matrices(p)))
        return np.stack([self.scan(self.advance(p), b, start, backwards(d, reverse)) for d, start in enumerate(first)], 2)

    def forward(self, p: Any, u: Array, h0: Array | None = None, reverse: bool = False) -> tuple[Array, Array]:
        P = self.basis(p)
        s, V = self.states(p, P, u, h0, reverse), np.einsum("dwhn,hnm->dwhm", output_matrices(p), P)
        y: Array = np.einsum("dwhm,btdhm->btw", V, s) + self.skip(p, u)  # (batch, time, width)
        return y, self.back(P, s)


def _lanes(x: Array, lead: int) -> Array:
    """Complex numbers, everything after the leading axes side by side."""
    z = np.ascontiguousarray(x).reshape(*x.shape[:lead], -1)
    return z if np.iscomplexobj(z) else z.view(np.result_type(z.dtype, np.complex64))

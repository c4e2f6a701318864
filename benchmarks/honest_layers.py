"""Honest programs of whole layers, forward and backward: what no allowance of a layer may refuse.

    program     scan of states and of their cotangents            input matrices         readout
    sequential  one step after the other, NumPy                   (gamma B) u, P' xi B u C (P s)
    doubling    Hillis and Steele, any contraction of a step      gamma (B u), (xi P'B)u (C P) s
    chunked     chunks of 16, one carry, any contraction          as sequential          as sequential
    kernels     the Numba kernels: everything folded in float64   folded                 folded
    autodiff    doubling, and lam_bar by its transposition (LRU)  (gamma B) u

The first of two input matrices is LRU's, the second RotRNN's (P' is P transposed). `autodiff` goes back through the levels of
the doubling and through the squares of lam: no adjoint recurrence forms its lam_bar.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from scanproof.benchmarks import honest
from scanproof.numba_kernels import layers
from scanproof.properties import plain_lru
from scanproof.properties.layer_calls import LayerCall, form_fault, received
from scanproof.properties.plain_lru import Lru, input_matrix
from scanproof.properties.plain_rotrnn import RotRnn, output_matrices
from scanproof.properties.plain_scan import Advance, Recurrence, starts
from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.inputs import Array, Inputs
from scanproof.reference.layers import backwards, in_time, mapped
from scanproof.reference.systems import LAYERS


class Program(NamedTuple):
    """run: callable by the adapter contract; adjoint: what its gradients are, as in LayerArithmetic."""

    name: str
    run: Callable[..., Any]
    adjoint: str = "recurrence"


def programs(system: str, dtype: str, rng: np.random.Generator) -> list[Program]:
    """All programs of a layer that works in float32 or float64; how its scans contract a step is drawn."""
    machine = honest.drawn(Arithmetic({"float32": "complex64", "float64": "complex128"}[dtype]), rng).machine
    kinds: tuple[tuple[str, type[Any]], ...] = (("doubling", Late), ("chunked:16", Bracketed))
    if system == "rotrnn":
        kinds = (("doubling", Folded), ("chunked:16", BracketedRotRnn))
    scans = [Program(name, kind(honest.Program(name, machine))) for name, kind in kinds]
    common = [Program("sequential", {"lru": Lru, "rotrnn": RotRnn}[system]()), *scans, Program("kernels", kernels(system))]
    return [*common, Program("autodiff", Transposed(), "any")] if system == "lru" else common


def results(program: Program, call: LayerCall, arithmetic: Arithmetic) -> dict[str, Array]:
    """Flat results in the declared formats, computed in the format of the sums: inputs are widened, results rounded once.

    Raises:
        ValueError: in one line, a program that returns something else than its call is for, or in another format.
    """
    inner = Arithmetic(arithmetic.inner)
    states = np.result_type(inner.dtype, np.complex64) if call.layer.complex_states else inner.dtype
    params, h0 = mapped(call.params, lambda x: x.astype(inner.dtype)), None if call.h0 is None else call.h0.astype(states)
    u, y_bar = (None if x is None else x.astype(inner.dtype) for x in (call.u, call.y_bar))
    wide = LayerCall(call.system, params, u, h0, call.reverse, y_bar)
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


# ---------------------------------------------------------------- autodiff of the doubling


class Transposed(Lru):
    """x_{k+1,t} = x_{k,t} + p_k x_{k,t-2^k} with p_k = lam^(2^k), and the transposition of just that."""

    def scan(self, advance: Advance, b: Array, start: Array | None, reverse: bool) -> Array:
        levels, _ = doubled(advance(np.ones_like(b[:1, 0]))[0], b, start, reverse)
        return in_time(levels[-1], reverse)

    def adjoint(self, p: Any, y_bar: Array, reverse: bool) -> list[Array]:
        return [in_time(bars[0], backwards(d, reverse)) for d, bars in enumerate(self._bars(p, y_bar, reverse))]

    def gradients(self, p: Any, u: Array, y_bar: Array, h: Array, h0: Array | None, reverse: bool) -> dict[str, Array]:
        lam, b, bars = self.lam(p), u @ (self.gamma(p)[:, None] * input_matrix(p)).T, self._bars(p, y_bar, reverse)
        lam_bar: Any = 0
        for d, start in enumerate(starts(h0, h.shape[2])):
            levels, powers = doubled(lam, b, start, backwards(d, reverse))
            lam_bar = lam_bar + self._lam_bar(levels, powers, bars[d])
            lam_bar = lam_bar if start is None else lam_bar + (start.conj() * bars[d][0][:, 0]).sum(0)  # (state,)
        nu_log_bar = -np.exp(p.nu_log) * (lam_bar.conj() * lam).real
        found = super().gradients(p, u, y_bar, h, h0, reverse)
        return found | {"nu_log": nu_log_bar, "theta_log": self.theta_log_bar(p, lam_bar)}

    def _bars(self, p: Any, y_bar: Array, reverse: bool) -> list[list[Array]]:
        """Cotangents of all levels of each direction, the innermost first."""
        drives = [y_bar @ C.conj() for C in plain_lru.output_matrices(p)]  # (batch, time, state) each
        steps = [in_time(g, backwards(d, reverse)) for d, g in enumerate(drives)]
        return [transposed(doubled(self.lam(p), g, None, False)[1], g) for g in steps]

    @staticmethod
    def _lam_bar(levels: list[Array], powers: list[Array], bars: list[Array]) -> Any:
        """p_{k+1} = p_k^2 hands 2 conj(p_k) times its cotangent on to p_k. (state,)"""
        bar: Any = np.zeros_like(levels[0][0, 0])
        for k, p in reversed(list(enumerate(powers))):
            bar = 2 * p.conj() * bar + (levels[k][:, : -(2**k)].conj() * bars[k + 1][:, 2**k :]).sum((0, 1))
        return bar


def doubled(lam: Array, b: Array, start: Array | None, reverse: bool) -> tuple[list[Array], list[Array]]:
    """All levels x_k (batch, time, state) in the order of the scan, and the powers p_k (state,)."""
    x, powers = in_time(b, reverse).copy(), []
    if start is not None:
        x[:, 0] += lam * start
    levels = [x]
    while 2 ** len(powers) < x.shape[1]:
        gap, p = 2 ** len(powers), powers[-1] * powers[-1] if powers else lam
        x, powers = np.concatenate([x[:, :gap], x[:, gap:] + p * x[:, :-gap]], 1), [*powers, p]
        levels.append(x)
    return levels, powers


def transposed(powers: list[Array], g: Array) -> list[Array]:
    """Cotangents of all levels, from those of the last."""
    bars = [g]
    for k, p in reversed(list(enumerate(powers))):
        g = np.concatenate([g[:, : -(2**k)] + p.conj() * g[:, 2**k :], g[:, -(2**k) :]], 1)
        bars.append(g)
    return bars[::-1]

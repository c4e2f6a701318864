"""Whole layers: honest programs of every writing stay within, faults do not, and the truth is that of balls.

A program is LRU or RotRNN in plain NumPy; a Writing says in which of the admitted ways it is written. Complex numbers are
pairs of real arrays, so that every operation rounds once.
"""

import dataclasses
from typing import NamedTuple

import flint
import numpy as np
import pytest
from layer_truth import BITS, ball

from scanproof.properties.compare import error_enclosure
from scanproof.reference import exponential, lru, rotrnn
from scanproof.reference.formats import format_of
from scanproof.reference.layer_arithmetic import LayerArithmetic
from scanproof.reference.layer_certificate import gradients, outputs
from scanproof.reference.layers import backwards, in_time, mapped

LAYERS = {"lru": lru, "rotrnn": rotrnn}
SCANS = ("sequential", "doubling", "chunked")


class Writing(NamedTuple):
    """How a program is written."""

    scan: str = "sequential"
    folded: int = 0  # gamma (B u), (gamma B) u or B (gamma u); RotRNN P^T (xi (B u)), xi (P^T (B u)) or (xi P^T B) u
    apart: bool = False  # RotRNN: decay and rotation in two multiplications
    flat: bool = False  # the readout is one real sum, with D u first; RotRNN (C P) s
    root: int = 0  # RotRNN: sqrt(q / tr), sqrt(q) / sqrt(tr), sqrt(q (1 / tr))


def writings(rng):
    return Writing(str(rng.choice(SCANS)), int(rng.integers(3)), bool(rng.integers(2)), bool(rng.integers(2)), int(rng.integers(3)))


# ---------------------------------------------------------------- programs; pairs of arrays are complex numbers


def times(z, w):
    return z[0] * w[0] - z[1] * w[1], z[0] * w[1] + z[1] * w[0]


def plus(z, w):
    return z[0] + w[0], z[1] + w[1]


def at(z, *index):
    return z[0][index], z[1][index]


def step(lam, gamma, h):
    """lam h, or gamma (lam h)."""
    turned = times(lam, h)
    return turned if gamma is None else (gamma * turned[0], gamma * turned[1])


def scan_pairs(lam, b, h0, how, gamma=None, fault=None):
    """h_t = [gamma] lam h_{t-1} + b_t; lam (n,), b (batch, time, n), h0 (batch, n)."""
    batch, time, n = b[0].shape
    if how == "doubling":
        return doubling(lam if gamma is None else (gamma * lam[0], gamma * lam[1]), b, h0)
    h, out = h0, []
    for t in range(time):
        if how == "chunked" and t % 4 == 0:
            h, out = chunk(lam, gamma, at(b, slice(None), slice(t, t + 4)), h, out)
        elif how != "chunked":
            h = plus(step(lam, gamma, h), at(b, slice(None), t))
            out.append(h)
        if fault is not None and t == time // 2:
            h = out[-1] = fault(h)
    return tuple(np.stack([z[i] for z in out], 1) for i in (0, 1))


def chunk(lam, gamma, b, carry, out):
    """Four steps from zero, and the carry times the power of lam added to each."""
    whole, local = lam if gamma is None else (gamma * lam[0], gamma * lam[1]), at(b, slice(None), 0)
    power = whole
    for t in range(b[0].shape[1]):
        if t:
            local, power = plus(times(whole, local), at(b, slice(None), t)), times(power, whole)
        out = [*out, plus(times(power, carry), local)]
    return out[-1], out


def doubling(lam, b, h0):
    """Hillis and Steele: h0 is the first element."""
    x = tuple(np.concatenate([start[:, None], part], 1) for start, part in zip(h0, b, strict=True))
    power, stride = lam, 1
    while stride < x[0].shape[1]:
        moved = times(power, at(x, slice(None), slice(None, -stride)))
        x = tuple(np.concatenate([one[:, :stride], one[:, stride:] + two], 1) for one, two in zip(x, moved, strict=True))
        power, stride = times(power, power), 2 * stride
    return at(x, slice(None), slice(1, None))


def lru_program(p, u, h0, reverse, w, fault=None):
    """y and h of LRU in the arithmetic of the arrays."""
    nu, theta, g = np.exp(p.nu_log), np.exp(p.theta_log), np.exp(p.gamma_log)
    lam = np.exp(-nu) * np.cos(theta), np.exp(-nu) * np.sin(theta)
    B = p.B_re, p.B_im
    if w.folded == 1:
        b = tuple(u @ (g[:, None] * part).T for part in B)
    else:
        b = tuple(g * (u @ part.T) for part in B)
    C = [(p.C_re, p.C_im)] + ([(p.C2_re, p.C2_im)] if p.C2_re is not None else [])
    h = [directed(lam, b, at(h0, slice(None), d), w, backwards(d, reverse), None, fault) for d in range(len(C))]
    if w.flat:
        factors = np.concatenate([[p.D * u] * 1, *[[real_sum(z, c)] for z, c in zip(h, C, strict=True)]])
        y = sum(factors[1:], factors[0])
    else:
        y = sum(z[0] @ c[0].T - z[1] @ c[1].T for z, c in zip(h, C, strict=True)) + p.D * u
    return y, np.stack([z[0] + 1j * z[1] for z in h], 2)


def real_sum(z, c):
    """Re(C h) as one real matrix product of 2 N addends."""
    return np.concatenate(z, -1) @ np.concatenate([c[0], -c[1]], -1).T


def rotrnn_program(p, u, h0, reverse, w, fault=None):
    """y and x of RotRNN in the arithmetic of the arrays."""
    P, g = exponential.native_expm(p.M - p.M.swapaxes(1, 2)), np.exp(p.gamma_log)
    q, tr = -np.expm1(-2 * g), (p.B * p.B).sum((1, 2))
    xi = (np.sqrt(q / tr), np.sqrt(q) / np.sqrt(tr), np.sqrt(q * (1 / tr)))[w.root]
    Pt = P.swapaxes(1, 2)
    if w.folded == 2:
        b = np.einsum("hmw,btw->bthm", xi[:, None, None] * (Pt @ p.B), u)
    else:
        Bu = np.einsum("hnw,btw->bthn", p.B, u)
        b = np.einsum("hmn,bthn->bthm", Pt, xi[:, None] * Bu if w.folded == 0 else Bu)
        b = b if w.folded == 0 else xi[:, None] * b
    gamma, lam = np.exp(-g)[:, None] + 0 * p.theta, (np.cos(p.theta), np.sin(p.theta))
    gamma, lam = gamma.ravel(), (lam[0].ravel(), lam[1].ravel())
    if not w.apart:
        gamma, lam = None, (gamma * lam[0], gamma * lam[1])
    z = tuple(b[..., i::2].reshape(*b.shape[:2], -1) for i in (0, 1))
    C = [part.reshape(len(p.D), *p.B.shape[:2]) for part in (p.C, p.C2) if part is not None]
    x, y = [], [p.D * u]
    for d, c in enumerate(C):
        s0 = np.einsum("hmn,bhn->bhm", Pt, h0[:, d])
        start = tuple(s0[..., i::2].reshape(len(s0), -1) for i in (0, 1))
        s = directed(lam, z, start, w, backwards(d, reverse), gamma, fault)
        s = np.stack([part.reshape(*b.shape[:3], -1) for part in s], -1).reshape(b.shape)
        x.append(np.einsum("hmn,bthn->bthm", P, s))
        y.append(np.einsum("whn,bthn->btw", np.einsum("whm,hmn->whn", c, P), s) if w.flat else np.einsum("whn,bthn->btw", c, x[-1]))
    return sum(y[1:], y[0]), np.stack(x, 2)


def directed(lam, b, h0, w, flip, gamma, fault):
    h = scan_pairs(lam, tuple(in_time(part, flip) for part in b), h0, w.scan, gamma, fault)
    return tuple(in_time(part, flip) for part in h)


PROGRAMS = {"lru": lru_program, "rotrnn": rotrnn_program}


# ---------------------------------------------------------------- calls


class Problem(NamedTuple):
    name: str
    params: object
    u: np.ndarray
    h0: np.ndarray  # inside the layer: (batch, directions, ...)
    y_bar: np.ndarray
    reverse: bool


def rounded(x, dtype):
    """To a dtype of 16 bits or more, as float64 that it holds exactly."""
    return x.astype(dtype).astype(np.float64) if x is not None else None


def draw(rng, name, dtype, time=12, batch=1, edge=None):
    """A layer with inputs of a dtype: random sizes, directions, decays; `edge` changes the parameters."""
    sizes = {"state": int(rng.integers(1, 6))} if name == "lru" else {"heads": int(rng.integers(1, 3)), "head_dim": 2 * int(rng.integers(1, 3))}
    p = LAYERS[name].init(rng, width=int(rng.integers(1, 4)), bidirectional=bool(rng.integers(2)), **sizes)
    if name == "lru":
        p = dataclasses.replace(p, nu_log=rng.uniform(-9, 1, p.nu_log.shape), theta_log=rng.uniform(-3, 2, p.theta_log.shape))
        directions, states = 1 + (p.C2_re is not None), p.nu_log.shape
    else:
        p = dataclasses.replace(p, gamma_log=rng.uniform(-7, 0.5, p.gamma_log.shape), M=p.M * rng.uniform(0, 2))
        directions, states = 1 + (p.C2 is not None), p.B.shape[:2]
    p = p if edge is None else edge(rng, p)
    u, y_bar = rng.standard_normal((2, batch, time, len(p.D)))
    h0 = rng.standard_normal((batch, directions, *states)) * rng.integers(2)
    if name == "lru":
        h0 = h0 + 1j * rng.standard_normal(h0.shape) * (h0 != 0)
        h0 = rounded(h0.real, dtype) + 1j * rounded(h0.imag, dtype)
    else:
        h0 = rounded(h0, dtype)
    p = mapped(p, lambda x: rounded(x, dtype))
    return Problem(name, p, rounded(u, dtype), h0, rounded(y_bar, dtype), bool(rng.integers(2)))


def program(problem, w, dtype, fault=None, run=None):
    """y, h and h_last of a program that computes in dtype."""
    p = mapped(problem.params, lambda x: x.astype(dtype))
    h0 = problem.h0
    h0 = (h0.real.astype(dtype), h0.imag.astype(dtype)) if problem.name == "lru" else h0.astype(dtype)
    y, h = (run or PROGRAMS[problem.name])(p, problem.u.astype(dtype), h0, problem.reverse, w, fault)
    last = [h[:, 0 if backwards(d, problem.reverse) else -1, d] for d in range(h.shape[2])]
    return {"y": y, "h": h, "h_last": np.stack(last, 1)}


def call(problem, dtype=np.float64):
    """The call as `outputs` takes it."""
    layer, p = LAYERS[problem.name], problem.params
    single = (p.C2_re if problem.name == "lru" else p.C2) is None
    h0 = problem.h0[:, 0] if single else problem.h0
    return layer, p, layer.enter(p, problem.u, h0, problem.y_bar)


def certificate(problem, arithmetic, of=outputs):
    layer, p, entered = call(problem)
    return of(layer, p, entered, problem.reverse, arithmetic)


def squeezed(got, certified):
    """Results without the axis of directions where the caller has none."""
    return {name: x.reshape(certified[name].bound.shape) for name, x in got.items()}


def ratios(got, certified):
    """Largest |got - truth| / bound of every result, 0 where both are 0, rounded upwards."""
    found = {}
    for name, x in got.items():
        high, bound = error_enclosure(x, certified[name].truth)[1], certified[name].bound
        with np.errstate(divide="ignore", invalid="ignore"):
            found[name] = float(np.where(high == 0, 0, high / bound).max(initial=0))
    return found


def outside(got, certified):
    """Results with an element that is surely outside."""
    low = {name: error_enclosure(x, certified[name].truth)[0] for name, x in got.items()}
    return {name for name, x in low.items() if (x > certified[name].bound).any()}

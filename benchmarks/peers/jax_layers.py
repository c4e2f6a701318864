"""LRU and RotRNN in jax, written in the textbook way: what the papers' listings do, jitted, with jax's own derivatives.

    lru             jax.lax.associative_scan over (lam, b), as in the listing of arXiv 2303.06349, appendix A
    rotrnn          the angle-adding operator over (gamma, theta, s) of arXiv 2407.07239, with jax.scipy.linalg.expm and
                    1 - gamma^2 as published
    rotrnn_scipy    the same with P, and its derivative, from SciPy
    rotrnn_expm1    that with 1 - gamma^2 = -expm1(-2 exp(gamma_log)), whose derivative jax forms as expm1 + 1: it cancels
                    where gamma is small, and comes out `outside`

Adapters by the contract of properties/layer_calls.py; h0 enters through the first step. float64 calls switch jax to 64 bits
for that call alone. XLA compiles each shape anew.
"""

from __future__ import annotations

from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np
import scipy.linalg

from scanproof.reference.inputs import Array

Arrays = dict[str, Any]  # parameters by name


class _Jitted(NamedTuple):
    """forward(params, u, h0, reverse) -> y, h; backward(params, u, h0, y_bar, reverse) -> cotangents of params, u, h0."""

    forward: Any
    backward: Any


def lru(
    nu_log: Array, theta_log: Array, gamma_log: Array, B_re: Array, B_im: Array, C_re: Array, C_im: Array, D: Array,
    u: Array, C2_re: Array | None = None, C2_im: Array | None = None,
    h0: Array | None = None, reverse: bool = False, y_bar: Array | None = None,
) -> Arrays:  # fmt: skip
    """y, h and, from y_bar, grads of the LRU layer."""
    params: Arrays = {"nu_log": nu_log, "theta_log": theta_log, "gamma_log": gamma_log, "B_re": B_re, "B_im": B_im}
    params |= {"C_re": C_re, "C_im": C_im, "D": D} | ({} if C2_re is None else {"C2_re": C2_re, "C2_im": C2_im})
    states = np.result_type(u, np.complex64)
    return _called(_lru_layer, params, u, _start(h0, u, C2_re, nu_log.shape, states), reverse, y_bar)


def rotrnn(
    theta: Array, gamma_log: Array, M: Array, B: Array, C: Array, D: Array, u: Array, C2: Array | None = None,
    h0: Array | None = None, reverse: bool = False, y_bar: Array | None = None,
) -> Arrays:  # fmt: skip
    """y, h and, from y_bar, grads of the RotRNN layer as published."""
    params = {"theta": theta, "gamma_log": gamma_log, "M": M, "B": B, "C": C, "D": D} | ({} if C2 is None else {"C2": C2})
    return _called(_published, params, u, _start(h0, u, C2, B.shape[:2], u.dtype), reverse, y_bar)


def rotrnn_scipy(
    theta: Array, gamma_log: Array, M: Array, B: Array, C: Array, D: Array, u: Array, C2: Array | None = None,
    h0: Array | None = None, reverse: bool = False, y_bar: Array | None = None, layer: Any = None,
) -> Arrays:  # fmt: skip
    """y, h and, from y_bar, grads of the RotRNN layer with an accurate P."""
    S = M - M.swapaxes(1, 2)  # (heads, head_dim, head_dim)
    params = {"theta": theta, "gamma_log": gamma_log, "P": scipy.linalg.expm(S), "B": B, "C": C, "D": D}
    params |= {} if C2 is None else {"C2": C2}
    found = _called(layer or _given_basis, params, u, _start(h0, u, C2, B.shape[:2], u.dtype), reverse, y_bar)
    if y_bar is not None:
        P_bar = found["grads"].pop("P")
        pairs = zip(-S, P_bar, strict=True)  # M_bar = G - G^T with G = L(S^T, P_bar)
        G = np.stack([scipy.linalg.expm_frechet(s, bar, compute_expm=False) for s, bar in pairs]).astype(u.dtype)
        found["grads"]["M"] = G - G.swapaxes(1, 2)
    return found


def rotrnn_expm1(
    theta: Array, gamma_log: Array, M: Array, B: Array, C: Array, D: Array, u: Array, C2: Array | None = None,
    h0: Array | None = None, reverse: bool = False, y_bar: Array | None = None,
) -> Arrays:  # fmt: skip
    """y, h and, from y_bar, grads of the RotRNN layer with an accurate P and an accurate 1 - gamma^2."""
    return rotrnn_scipy(theta, gamma_log, M, B, C, D, u, C2, h0, reverse, y_bar, _given_basis_expm1)


# ---------------------------------------------------------------- calling


def expm(S: Array) -> Array:
    """jax.scipy.linalg.expm of a stack."""
    import jax
    import jax.scipy.linalg

    with jax.enable_x64(S.dtype == np.float64):
        return np.asarray(jax.scipy.linalg.expm(S))


def _start(h0: Array | None, u: Array, second: Array | None, state: tuple[int, ...], dtype: Any) -> Array:
    """h0, or zeros of its shape: (batch, [2,] state...)."""
    return np.zeros((len(u), *(() if second is None else (2,)), *state), dtype) if h0 is None else h0


def _called(layer: Any, params: Arrays, u: Array, h0: Array, reverse: bool, y_bar: Array | None) -> Arrays:
    """Either derivatives or outputs, as NumPy arrays. jax writes cotangents of complex numbers as dRe - i dIm."""
    import jax

    with jax.enable_x64(u.dtype == np.float64):
        compiled = _jitted(layer)
        if y_bar is None:
            y, h = compiled.forward(params, u, h0, reverse)
            return {"y": np.asarray(y), "h": np.asarray(h)}
        bar, u_bar, h0_bar = compiled.backward(params, u, h0, y_bar, reverse)
    grads = {name: np.asarray(x) for name, x in bar.items()}
    return {"grads": grads | {"u": np.asarray(u_bar), "h0": np.asarray(h0_bar).conj()}}


@cache
def _jitted(layer: Any) -> _Jitted:
    import jax

    def backward(params: Arrays, u: Any, h0: Any, y_bar: Any, reverse: bool) -> Any:
        return jax.vjp(lambda *moved: layer(*moved, reverse)[0], params, u, h0)[1](y_bar)

    return _Jitted(jax.jit(layer, static_argnums=3), jax.jit(backward, static_argnums=4))


def _directions(scan: Any, h0: Any, bidirectional: bool, reverse: bool) -> Any:
    """States of each direction, scan(h0, reverse): a list of (batch, time, state...)."""
    starts = (h0[:, 0], h0[:, 1]) if bidirectional else (h0,)
    return [scan(start, reverse != bool(d)) for d, start in enumerate(starts)]


# ---------------------------------------------------------------- LRU


def _lru_layer(p: Arrays, u: Any, h0: Any, reverse: bool) -> Any:
    """y (batch, time, width) and h (batch, time, [2,] state)."""
    import jax.numpy as jnp

    lam = jnp.exp(-jnp.exp(p["nu_log"]) + 1j * jnp.exp(p["theta_log"]))  # (state,)
    B = (p["B_re"] + 1j * p["B_im"]) * jnp.exp(p["gamma_log"])[:, None]  # (state, width)
    outputs = [p[f"{name}_re"] + 1j * p[f"{name}_im"] for name in ("C", "C2") if f"{name}_re" in p]  # (width, state) each
    h = _directions(partial(_diagonal, lam, u @ B.T), h0, len(outputs) == 2, reverse)
    y = sum((states @ C.T).real for states, C in zip(h, outputs, strict=True)) + p["D"] * u  # (batch, time, width)
    return y, h[0] if len(h) == 1 else jnp.stack(h, 2)


def _diagonal(lam: Any, b: Any, h0: Any, reverse: bool) -> Any:
    """h_t = lam h_{t-1} + b_t. (batch, time, state)"""
    import jax

    def then(first: Any, second: Any) -> Any:
        return second[0] * first[0], second[0] * first[1] + second[1]

    b = b.at[:, -1 if reverse else 0].add(lam * h0)
    return jax.lax.associative_scan(then, (jax.numpy.broadcast_to(lam, b.shape), b), axis=1, reverse=reverse)[1]


# ---------------------------------------------------------------- RotRNN


def _published(p: Arrays, u: Any, h0: Any, reverse: bool) -> Any:
    import jax

    P = jax.vmap(jax.scipy.linalg.expm)(p["M"] - p["M"].swapaxes(1, 2))  # (heads, head_dim, head_dim)
    return _given_basis(p | {"P": P}, u, h0, reverse)


def _given_basis(p: Arrays, u: Any, h0: Any, reverse: bool) -> Any:
    import jax.numpy as jnp

    return _rotrnn_layer(p, 1 - jnp.exp(-jnp.exp(p["gamma_log"])) ** 2, u, h0, reverse)


def _given_basis_expm1(p: Arrays, u: Any, h0: Any, reverse: bool) -> Any:
    import jax.numpy as jnp

    return _rotrnn_layer(p, -jnp.expm1(-2 * jnp.exp(p["gamma_log"])), u, h0, reverse)


def _rotrnn_layer(p: Arrays, squares: Any, u: Any, h0: Any, reverse: bool) -> Any:
    """y (batch, time, width) and x (batch, time, [2,] heads, head_dim) from P among p and squares = 1 - gamma^2."""
    import jax.numpy as jnp

    P, gamma = p["P"], jnp.exp(-jnp.exp(p["gamma_log"]))  # (heads, head_dim, head_dim), (heads,)
    xi = jnp.sqrt(squares / (p["B"] * p["B"]).sum((1, 2)))  # (heads,)
    Bu = jnp.einsum("hnw,btw->bthn", xi[:, None, None] * p["B"], u)  # (batch, time, heads, head_dim)
    b = jnp.einsum("hnm,bthn->bthm", P, Bu)  # (batch, time, heads, head_dim)
    outputs = [p[name].reshape(-1, *P.shape[:2]) for name in ("C", "C2") if name in p]  # (width, heads, head_dim) each
    s0 = jnp.einsum("hnm,...hn->...hm", P, h0)  # (batch, [2,] heads, head_dim)
    s = _directions(partial(_turning, gamma[:, None], p["theta"], b), s0, len(outputs) == 2, reverse)
    x = [jnp.einsum("hnm,bthm->bthn", P, each) for each in s]  # (batch, time, heads, head_dim) each
    y = sum(jnp.einsum("whn,bthn->btw", C, each) for C, each in zip(outputs, x, strict=True)) + p["D"] * u
    return y, x[0] if len(x) == 1 else jnp.stack(x, 2)


def _turning(gamma: Any, theta: Any, b: Any, s0: Any, reverse: bool) -> Any:
    """s_t = gamma R(theta) s_{t-1} + b_t over elements (gamma, theta, s): angles are added. (batch, time, heads, head_dim)"""
    import jax
    import jax.numpy as jnp

    def then(first: Any, second: Any) -> Any:
        return second[0] * first[0], first[1] + second[1], second[0] * _turned(second[1], first[2]) + second[2]

    b = b.at[:, -1 if reverse else 0].add(gamma * _turned(theta, s0))
    repeated = [jnp.broadcast_to(x, (1, b.shape[1], *x.shape)) for x in (gamma, theta)]  # (1, time, heads, 1 or pairs)
    return jax.lax.associative_scan(then, (*repeated, b), axis=1, reverse=reverse)[2]


def _turned(theta: Any, s: Any) -> Any:
    """cos(theta) s + sin(theta) J s, J s = (-s_2, s_1, -s_4, s_3, ...). (..., heads, head_dim)"""
    import jax.numpy as jnp

    quarter = jnp.stack([-s[..., 1::2], s[..., 0::2]], -1).reshape(s.shape)  # (..., heads, head_dim)
    return jnp.cos(jnp.repeat(theta, 2, -1)) * s + jnp.sin(jnp.repeat(theta, 2, -1)) * quarter

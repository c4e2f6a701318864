"""RotRNN: our kernel, and in jax the operator of arXiv 2407.07239 over (gamma, theta, s).

    published    with jax.scipy.linalg.expm and 1 - gamma^2 as published
    given        the same with P, and its derivative, from SciPy
    careful      that with 1 - gamma^2 = -expm1(-2 exp(gamma_log)), whose derivative jax forms as
                 expm1 + 1: it cancels where gamma is small, and comes out `outside`

`published` is declared with the default matrix exponential, which jax's is not: a finding. The
class expm "jax" admits it, and then the allowance hardly informs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import scipy.linalg

from scanproof.benchmarks.peers import expm
from scanproof.benchmarks.peers.jax_layers import (
    COMPILED,
    Layer,
    called,
    compiled,
    directions,
    jitted,
    joined,
)
from scanproof.benchmarks.peers.layers import adapted, driven, kernel, promised
from scanproof.benchmarks.peers.subject import Arguments, Peers, Subject, each
from scanproof.numba_kernels import layers
from scanproof.reference.inputs import Array
from scanproof.reference.systems.rotrnn import SYSTEM, Params, init

EXPM1 = (
    "jax differentiates expm1(x) as expm1(x) + 1, which cancels: dL/dgamma_log is lost where gamma "
    "is small"
)


def _with_expm(p: Arguments, u: Any, h0: Any, reverse: bool) -> Any:
    import jax

    S = p["M"] - p["M"].swapaxes(1, 2)  # (heads, head_dim, head_dim)
    P = jax.vmap(jax.scipy.linalg.expm)(S)  # (heads, head_dim, head_dim)
    return _plain_gain(p | {"P": P}, u, h0, reverse)


def _plain_gain(p: Arguments, u: Any, h0: Any, reverse: bool) -> Any:
    import jax.numpy as jnp

    return _layer(p, 1 - jnp.exp(-jnp.exp(p["gamma_log"])) ** 2, u, h0, reverse)


def _careful_gain(p: Arguments, u: Any, h0: Any, reverse: bool) -> Any:
    import jax.numpy as jnp

    return _layer(p, -jnp.expm1(-2 * jnp.exp(p["gamma_log"])), u, h0, reverse)


def _layer(p: Arguments, squares: Any, u: Any, h0: Any, reverse: bool) -> Any:
    """y (batch, time, width) and x (batch, time, [2,] heads, head_dim).

    P is among p, and squares = 1 - gamma^2.
    """
    import jax.numpy as jnp

    P, gamma = p["P"], jnp.exp(-jnp.exp(p["gamma_log"]))  # (heads, head_dim, head_dim), (heads,)
    xi = jnp.sqrt(squares / (p["B"] * p["B"]).sum((1, 2)))  # (heads,)
    scaled = xi[:, None, None] * p["B"]  # (heads, head_dim, width)
    Bu = jnp.einsum("hnw,btw->bthn", scaled, u)  # (batch, time, heads, head_dim)
    b = jnp.einsum("hnm,bthn->bthm", P, Bu)  # (batch, time, heads, head_dim)
    given = [p[name] for name in ("C", "C2") if name in p]
    outputs = [C.reshape(-1, *P.shape[:2]) for C in given]  # (width, heads, head_dim) each
    s0 = jnp.einsum("hnm,...hn->...hm", P, h0)  # (batch, [2,] heads, head_dim)
    scan = partial(_turning, gamma[:, None], p["theta"], b)
    s = directions(scan, s0, len(outputs) == 2, reverse)
    x = [jnp.einsum("hnm,bthm->bthn", P, part) for part in s]  # (batch, time, heads, head_dim) each
    reads = (jnp.einsum("whn,bthn->btw", C, part) for C, part in zip(outputs, x, strict=True))
    return sum(reads) + p["D"] * u, joined(x)


def _turning(gamma: Any, theta: Any, b: Any, s0: Any, reverse: bool) -> Any:
    """s_t = gamma R(theta) s_{t-1} + b_t by added angles. (batch, time, heads, head_dim)"""
    import jax
    import jax.numpy as jnp

    def then(first: Any, second: Any) -> Any:
        carried = second[0] * _turned(second[1], first[2])
        return second[0] * first[0], first[1] + second[1], carried + second[2]

    b = b.at[:, -1 if reverse else 0].add(gamma * _turned(theta, s0))
    steps = 1, b.shape[1]
    elements = [jnp.broadcast_to(x, (*steps, *x.shape)) for x in (gamma, theta)]
    return jax.lax.associative_scan(then, (*elements, b), axis=1, reverse=reverse)[2]


def _turned(theta: Any, s: Any) -> Any:
    """cos(theta) s + sin(theta) J s, J s = (-s_2, s_1, -s_4, s_3, ...). (..., heads, head_dim)"""
    import jax.numpy as jnp

    quarter = jnp.stack([-s[..., 1::2], s[..., 0::2]], -1).reshape(s.shape)
    angle = jnp.repeat(theta, 2, -1)  # (heads, head_dim)
    return jnp.cos(angle) * s + jnp.sin(angle) * quarter


def _accurate_basis(layer: Layer) -> Callable[..., Any]:
    """A layer that takes P, given P and its derivative by SciPy."""

    def run(params: Arguments, u: Array, h0: Any, reverse: bool, y_bar: Any) -> dict[str, Any]:
        S = params["M"] - params["M"].swapaxes(1, 2)  # (heads, head_dim, head_dim)
        given = {name: x for name, x in params.items() if name != "M"} | {"P": scipy.linalg.expm(S)}
        found = called(SYSTEM, layer, given, u, h0, reverse, y_bar)
        if y_bar is not None:
            # M_bar = G - G^T with G = L(S^T, P_bar)
            pairs = zip(-S, found["grads"].pop("P"), strict=True)
            each = [scipy.linalg.expm_frechet(s, bar, compute_expm=False) for s, bar in pairs]
            G = np.stack(each).astype(u.dtype)  # (heads, head_dim, head_dim)
            found["grads"]["M"] = G - G.swapaxes(1, 2)
        return found

    return adapted(SYSTEM, run)


ours = kernel(SYSTEM, Params, layers.rotrnn, layers.rotrnn_vjp)
published = jitted(SYSTEM, _with_expm)
given, careful = _accurate_basis(_plain_gain), _accurate_basis(_careful_gain)
VERSIONS: tuple[tuple[str, str, dict[str, str], str], ...] = (
    ("rotrnn (jax, as published)", "published", {"gain": "one-minus-square"}, expm.FINDING),
    ("rotrnn (jax, P from SciPy)", "given", {"gain": "one-minus-square"}, ""),
    ("rotrnn (jax, P from SciPy, expm1)", "careful", {}, EXPM1),
)

_OURS = (SYSTEM.name, "numba_kernels.layers.rotrnn", f"{__name__}:ours")


def _in_jax(dtype: str, **more: Any) -> Iterator[Subject]:
    for name, function, words, finding in VERSIONS:
        declared = compiled(dtype, order="angle-sum", **words)
        more |= {"domain": COMPILED, "needs": "jax", "finding": finding}
        yield from each(SYSTEM.name, name, f"{__name__}:{function}", declared, **more)


PEERS = Peers(
    SYSTEM.name,
    (
        *each(*_OURS, promised("float32"), promised("float64"), ours=True),
        *_in_jax("float32"),
        *_in_jax("float64", slow=True),
    ),
    share=4,
    recorded=driven(init, heads=2, head_dim=4),
)

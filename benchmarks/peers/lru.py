"""LRU: our kernel, and the listing of arXiv 2303.06349, appendix A, in jax.

The listing is jax.lax.associative_scan over (lam, b).
"""

from __future__ import annotations

from functools import partial
from typing import Any

from scanproof.benchmarks.peers.jax_layers import COMPILED, compiled, directions, jitted, joined
from scanproof.benchmarks.peers.layers import driven, kernel, promised
from scanproof.benchmarks.peers.subject import Arguments, Peers, each
from scanproof.numba_kernels import layers
from scanproof.reference.systems.lru import SYSTEM, Params, init


def _listing(p: Arguments, u: Any, h0: Any, reverse: bool) -> Any:
    """y (batch, time, width) and h (batch, time, [2,] state)."""
    import jax.numpy as jnp

    rate, theta = jnp.exp(p["nu_log"]), jnp.exp(p["theta_log"])  # (state,)
    lam = jnp.exp(-rate + 1j * theta)  # (state,)
    B = (p["B_re"] + 1j * p["B_im"]) * jnp.exp(p["gamma_log"])[:, None]  # (state, width)
    names = [name for name in ("C", "C2") if f"{name}_re" in p]
    outputs = [p[f"{name}_re"] + 1j * p[f"{name}_im"] for name in names]  # (width, state) each
    h = directions(partial(_diagonal, lam, u @ B.T), h0, len(outputs) == 2, reverse)
    reads = ((states @ C.T).real for states, C in zip(h, outputs, strict=True))
    return sum(reads) + p["D"] * u, joined(h)


def _diagonal(lam: Any, b: Any, h0: Any, reverse: bool) -> Any:
    """h_t = lam h_{t-1} + b_t. (batch, time, state)"""
    import jax

    def then(first: Any, second: Any) -> Any:
        return second[0] * first[0], second[0] * first[1] + second[1]

    b = b.at[:, -1 if reverse else 0].add(lam * h0)
    elements = (jax.numpy.broadcast_to(lam, b.shape), b)
    return jax.lax.associative_scan(then, elements, axis=1, reverse=reverse)[1]


ours = kernel(SYSTEM, Params, layers.lru, layers.lru_vjp)
listing = jitted(SYSTEM, _listing)

_OURS = (SYSTEM.name, "numba_kernels.layers.lru", f"{__name__}:ours")
_JAX = (SYSTEM.name, "lru (jax.lax.associative_scan)", f"{__name__}:listing")
_MORE: dict[str, Any] = {"domain": COMPILED, "needs": "jax"}

PEERS = Peers(
    SYSTEM.name,
    (
        *each(*_OURS, promised("float32"), promised("float64"), ours=True),
        *each(*_JAX, compiled("float32"), **_MORE),
        *each(*_JAX, compiled("float64"), slow=True, **_MORE),
    ),
    share=4,
    recorded=driven(init, state=8, ring="paper-long"),
)

"""What layers in jax share: they are jitted, differentiated by jax, and scan one way or both.

h0 enters through the first step. float64 calls switch jax to 64 bits for that call alone. XLA
compiles each shape anew, and on CPU it flushes subnormal inputs and results, and contracts.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np

from scanproof.benchmarks.peers.layers import adapted
from scanproof.benchmarks.peers.subject import Arguments
from scanproof.properties.domain import Domain
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.call import Call, System
from scanproof.reference.inputs import Array

COMPILED = Domain(lengths=frozenset({1, 2, 3, 7, 16, 33, 64, 128}))
Layer = Callable[..., Any]  # layer(params by name, u, h0, reverse) -> y, h, traced by jax


class _Jitted(NamedTuple):
    """forward(params, u, h0, reverse) -> y, h
    backward(params, u, h0, y_bar, reverse) -> cotangents of params, u, h0"""

    forward: Any
    backward: Any


def compiled(dtype: str, **words: Any) -> Arithmetic:
    """What XLA promises of a layer."""
    return Arithmetic(dtype, "daz", stages="formed", **words)


def jitted(system: System, layer: Layer) -> Callable[..., Any]:
    """A traced layer by the adapter contract."""
    return adapted(system, partial(called, system, layer))


def called(
    system: System,
    layer: Layer,
    params: Arguments,
    u: Array,
    h0: Array | None,
    reverse: bool,
    y_bar: Array | None,
) -> dict[str, Any]:
    """Either derivatives or outputs, as NumPy arrays.

    jax writes cotangents of complex numbers as dRe - i dIm.
    """
    import jax

    start = _zeros(system, params, u) if h0 is None else h0
    with jax.enable_x64(u.dtype == np.float64):
        run = _compiled(layer)
        if y_bar is None:
            y, h = run.forward(params, u, start, reverse)
            return {"y": np.asarray(y), "h": np.asarray(h)}
        bar, u_bar, h0_bar = run.backward(params, u, start, y_bar, reverse)
    grads = {name: np.asarray(x) for name, x in bar.items()}
    return {"grads": grads | {"u": np.asarray(u_bar), "h0": np.asarray(h0_bar).conj()}}


def _zeros(system: System, params: Arguments, u: Array) -> Array:
    """Initial states of zero: (batch, [2,] state...)."""
    known = {name: x for name, x in params.items() if name in system.argument}
    call = Call(system, {**known, "u": u})
    zeros: Array = call.to_caller(system.argument["h0"].axes, call.inside(call.arguments)["h0"])
    return zeros


@cache
def _compiled(layer: Layer) -> _Jitted:
    import jax

    def backward(params: Arguments, u: Any, h0: Any, y_bar: Any, reverse: bool) -> Any:
        return jax.vjp(lambda *moved: layer(*moved, reverse)[0], params, u, h0)[1](y_bar)

    return _Jitted(jax.jit(layer, static_argnums=3), jax.jit(backward, static_argnums=4))


def directions(scan: Callable[..., Any], h0: Any, two: bool, reverse: bool) -> list[Any]:
    """States of each direction, scan(h0, reverse): (batch, time, state...) each."""
    starts = (h0[:, 0], h0[:, 1]) if two else (h0,)
    return [scan(start, reverse != bool(d)) for d, start in enumerate(starts)]


def joined(states: list[Any]) -> Any:
    """States of one direction, or of two with an axis for them after that of time."""
    import jax.numpy as jnp

    return states[0] if len(states) == 1 else jnp.stack(states, 2)

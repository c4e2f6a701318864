"""What peers of layers share: adapters made from a system's table, our kernels behind them, and recordings as inputs."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from scanproof.benchmarks.peers.subject import Arguments
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.call import System
from scanproof.reference.inputs import Array
from scanproof.reference.layers import mapped, named

ROWS = 2  # of a recording


def adapted(system: System, run: Callable[..., Any]) -> Callable[..., Any]:
    """A layer by the adapter contract, with every keyword that the system has.

    run: called as run(params, u, h0, reverse, y_bar) with the parameters that were given by name, and None or False for what
        was not given.
    """

    def layer(u: Array, h0: Array | None = None, reverse: bool = False, y_bar: Array | None = None, **given: Any) -> Any:
        params = {name: x for name, x in given.items() if x is not None}
        return run(params, u, h0, reverse, y_bar)

    missing = {"reverse": False}
    optional = {each.name: each.optional for each in system.arguments} | {"reverse": True}
    layer.__signature__ = inspect.Signature([  # type: ignore[attr-defined]
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=missing.get(name) if optional[name] else inspect.Parameter.empty,
        )
        for name in system.keywords
    ])  # fmt: skip
    return layer


def kernel(
    system: System, params: Callable[..., Any], forward: Callable[..., Any], vjp: Callable[..., Any]
) -> Callable[..., Any]:
    """One of our kernels: y and h, or from y_bar grads. forward, vjp: as in numba_kernels/layers.py."""

    def run(given: Arguments, u: Array, h0: Array | None, reverse: bool, y_bar: Array | None) -> dict[str, Any]:
        if y_bar is not None:
            return {"grads": vjp(params(**given), u, y_bar, h0, reverse)}
        y, h = forward(params(**given), u, h0, reverse, states=True)
        return {"y": y, "h": h}

    return adapted(system, run)


def promised(dtype: str) -> Arithmetic:
    """By our kernels: step after step, complex products in separate roundings, the adjoint recurrence."""
    return Arithmetic(dtype, order="sequential", stages="formed", adjoint="recurrence")


def driven(init: Callable[..., Any], **sizes: Any) -> Callable[[Array, Arithmetic], Arguments]:
    """A layer as initialised by init(rng, width=..., **sizes), driven by a recording (batch, time, channels)."""

    def arguments(signal: Array, arithmetic: Arithmetic) -> Arguments:
        params = init(np.random.default_rng(0), width=signal.shape[2], **sizes)
        stored = mapped(params, lambda x: x.astype(arithmetic.dtype))
        u = (signal[:ROWS] / np.abs(signal).max()).astype(arithmetic.dtype)
        return {**named(stored), "u": u}

    return arguments

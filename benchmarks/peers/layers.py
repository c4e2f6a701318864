"""What peers of layers share: adapters by a system's table, our kernels, recordings."""

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
OTHERS = ("u", "h0", "reverse", "y_bar")  # keywords that are no parameters
KEYWORD = inspect.Parameter.KEYWORD_ONLY


def adapted(system: System, run: Callable[..., Any]) -> Callable[..., Any]:
    """A layer by the adapter contract, with every keyword that the system has.

    run: called as run(params, u, h0, reverse, y_bar) with the parameters that were given, by name,
        and None or False for what was not given.
    """

    required = dict.fromkeys(system.required, inspect.Parameter.empty)
    defaults: dict[str, Any] = {**dict.fromkeys(system.keywords), "reverse": False, **required}

    def layer(**given: Any) -> Any:
        u, h0, reverse, y_bar = (given.pop(name, defaults[name]) for name in OTHERS)
        params = {name: x for name, x in given.items() if x is not None}
        return run(params, u, h0, reverse, y_bar)

    layer.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, KEYWORD, default=defaults[name]) for name in system.keywords]
    )
    return layer


def kernel(
    system: System, params: Callable[..., Any], forward: Callable[..., Any], vjp: Callable[..., Any]
) -> Callable[..., Any]:
    """One of our kernels, forward and vjp as in numba_kernels/layers.py: y and h, or grads."""

    def run(given: Arguments, u: Array, h0: Any, reverse: bool, y_bar: Any) -> dict[str, Any]:
        if y_bar is not None:
            return {"grads": vjp(params(**given), u, y_bar, h0, reverse)}
        y, h = forward(params(**given), u, h0, reverse, states=True)
        return {"y": y, "h": h}

    return adapted(system, run)


def promised(dtype: str) -> Arithmetic:
    """By our kernels: steps in turn, complex products rounded apart, the adjoint recurrence."""
    return Arithmetic(dtype, order="sequential", stages="formed", adjoint="recurrence")


def driven(init: Callable[..., Any], **sizes: Any) -> Callable[[Array, Arithmetic], Arguments]:
    """A layer as init(rng, width=..., **sizes) makes it, driven by a recording.

    The recording is (batch, time, channels).
    """

    def arguments(signal: Array, arithmetic: Arithmetic) -> Arguments:
        params = init(np.random.default_rng(0), width=signal.shape[2], **sizes)
        stored = mapped(params, lambda x: x.astype(arithmetic.dtype))
        u = (signal[:ROWS] / np.abs(signal).max()).astype(arithmetic.dtype)
        return {**named(stored), "u": u}

    return arguments

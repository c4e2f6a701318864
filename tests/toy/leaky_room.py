"""How the search draws calls of the toy layer, an honest implementation of it, and faults."""

from collections.abc import Callable
from typing import Any

import leaky  # type: ignore[import-not-found]
import numpy as np

from scanproof.properties.domain import Domain
from scanproof.properties.room import Changes, Draw, Fault, Room
from scanproof.properties.systems import layers
from scanproof.reference.call import Call


def draw(case: Draw, sparse: bool, two: bool) -> Changes:
    state, width = case.sizes["state"], case.sizes["width"]
    matrix: Callable[..., Any] = layers.one_per_row if sparse else lambda rng, *shape: rng.standard_normal(shape)
    arrays = {
        "rate_log": np.log(-np.log(layers.moduli(case))),
        "B": matrix(case.rng, state, width),
        "C": matrix(case.rng, width, state),
    }
    return {name: case.stored(x, name) for name, x in arrays.items()} | {"u": layers.inputs(case)}


def honest(
    rate_log: Any, B: Any, C: Any, u: Any, h0: Any = None, reverse: bool = False, y_bar: Any = None,
    push: float = 0.0, skew: float = 1.0,
) -> Any:  # fmt: skip
    """float32 step by step, with its adjoint; `push` spoils the carry, `skew` a gradient."""
    lam, flip = np.exp(-np.exp(rate_log)) + np.float32(push), slice(None, None, -1 if reverse else 1)
    start = np.zeros((len(u), len(lam)), u.dtype) if h0 is None else h0
    states = [start]
    for b in (u @ B.T).swapaxes(0, 1)[flip]:
        states.append(lam * states[-1] + b)
    h = np.stack(states[1:], 1)[:, flip]
    if y_bar is None:
        return {"y": h @ C.T, "h": h, "h_last": states[-1]}
    a, cotangents = np.zeros_like(start), list[Any]()
    for g in (y_bar @ C).swapaxes(0, 1)[flip][::-1]:
        a = lam * a + g
        cotangents.insert(0, a)
    lam_bar = sum((x * each).sum(0) for x, each in zip(states, cotangents, strict=False))
    bar = np.stack(cotangents, 1)[:, flip]
    grads = {"rate_log": -lam_bar * lam * np.exp(rate_log), "B": np.einsum("bts,btw->sw", bar, u)}
    grads |= {"C": np.einsum("btw,bts->ws", y_bar, h), "u": bar @ B, "h0": lam * cotangents[0]}
    return {"grads": grads | {"B": grads["B"] * np.float32(skew)}}


def pushed(rate_log: Any, B: Any, C: Any, u: Any) -> Any:
    return honest(rate_log, B, C, u, push=2.0**-14)


def skewed(rate_log: Any, B: Any, C: Any, u: Any, y_bar: Any = None) -> Any:
    return honest(rate_log, B, C, u, y_bar=y_bar, skew=1 + 2.0**-10)


def equivalents(case: Draw, call: Call) -> list[Changes]:
    return [{"B": call["B"] * 2, "C": call["C"] / 2}]


ROOM = Room(
    system=leaky.SYSTEM,
    draw=draw,
    redraw=lambda case, call: {"u": layers.inputs(case)},
    states=layers.states,
    deck=layers.deck,
    regimes=layers.regimes,
    visits=lambda law, domain: layers.visits(law, domain)[:3],
    decisive=lambda arithmetic, domain: ["impulses", "equivalence"],
    axes={"lengths": "time", "channels": "width", "states": "state"},
    equivalents=equivalents,
    extremes=lambda case, call: [{"C": call["C"] * 64}],
    reduced=("state", "width"),
    rounded=("u", "h0", "B", "C"),
    honest=honest,
    faults=lambda: (
        Fault("pushed", "the decay is too large by 2^-14", pushed),
        Fault("skewed", "the gradient of B is too large by 2^-10 of it", skewed),
    ),
)
DOMAIN = Domain(lengths=frozenset(range(1, 34)), channels=frozenset({1, 2, 3, 4}), states=frozenset({2, 4, 6, 8}))

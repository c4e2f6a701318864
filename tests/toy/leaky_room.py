"""How the search draws calls of the toy layer, an honest implementation of it, and faults."""

from collections.abc import Callable
from typing import Any

import numpy as np
from toy import leaky

from scanproof.properties.room import Changes, Draw, FaultyImplementation, Room
from scanproof.properties.systems import layers
from scanproof.reference.call import Call


def draw(case: Draw, sparse: bool, two: bool) -> Changes:
    """Arguments of one case; sparse: one power of two in every row of B and C."""
    state, width = case.sizes["state"], case.sizes["width"]
    matrix: Callable[..., Any] = layers.one_per_row if sparse else _normal
    arrays = {
        "rate_log": np.log(-np.log(layers.moduli(case))),
        "B": matrix(case.rng, state, width),
        "C": matrix(case.rng, width, state),
    }
    drawn = {name: case.stored(x, name) for name, x in arrays.items()}
    return drawn | {"u": layers.inputs(case)}


def _normal(rng: np.random.Generator, *shape: int) -> Any:
    return rng.standard_normal(shape)


def honest(
    rate_log: Any, B: Any, C: Any, u: Any, h0: Any = None, reverse: bool = False,
    y_bar: Any = None, push: float = 0.0, skew: float = 1.0,
) -> Any:  # fmt: skip
    """Step by step, with its adjoint; `push` spoils the carry, `skew` the gradient of B."""
    lam, flip = np.exp(-np.exp(rate_log)) + push, slice(None, None, -1 if reverse else 1)
    states = [np.zeros((len(u), len(lam)), u.dtype) if h0 is None else h0]
    for b in (u @ B.T).swapaxes(0, 1)[flip]:
        states.append(lam * states[-1] + b)
    h = np.stack(states[1:], 1)[:, flip]
    found = {"y": h @ C.T, "h": h, "h_last": states[-1]}
    if y_bar is None:
        return found
    cotangents = [0 * states[0]]
    for g in (y_bar @ C).swapaxes(0, 1)[flip][::-1]:
        cotangents.insert(0, lam * cotangents[0] + g)
    lam_bar = sum((x * a).sum(0) for x, a in zip(states, cotangents[:-1], strict=False))
    bar = np.stack(cotangents[:-1], 1)[:, flip]
    grads = {
        "rate_log": -lam_bar * lam * np.exp(rate_log),
        "B": np.einsum("bts,btw->sw", bar, u) * skew,
        "C": np.einsum("btw,bts->ws", y_bar, h),
        "u": bar @ B,
        "h0": lam * cotangents[0],
    }
    return found | {"grads": grads}


def pushed(rate_log: Any, B: Any, C: Any, u: Any) -> Any:
    return honest(rate_log, B, C, u, push=2.0**-14)


def skewed(rate_log: Any, B: Any, C: Any, u: Any, y_bar: Any = None) -> Any:
    return honest(rate_log, B, C, u, y_bar=y_bar, skew=1 + 2.0**-10)


def equivalents(case: Draw, call: Call) -> list[Changes]:
    """The same function: a power of two moved from C to B."""
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
        FaultyImplementation("pushed", "the decay is too large by 2^-14", pushed),
        FaultyImplementation("skewed", "the gradient of B is too large by 2^-10 of it", skewed),
    ),
)

"""How the search draws calls of the toy attention, an honest implementation of it, and faults."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from toy import gated

from scanproof.properties.domain import Domain, nearest
from scanproof.properties.room import Changes, Draw, FaultyImplementation, Room, Sizes, Visit
from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.call import Call

AXES = ("batch", "time", "heads", "key", "value")
DECK = ((1, 1, 1, 1, 1), (2, 3, 1, 2, 3), (1, 7, 2, 2, 2), (1, 17, 1, 3, 2), (2, 33, 2, 2, 1))
GATES = ("half", "near 1", "resets")


def deck(domain: Domain, longest: int) -> tuple[Sizes, ...]:
    accepted = (None, domain.lengths, None, domain.states, domain.channels)
    fitted = [tuple(map(nearest, sizes, accepted)) for sizes in DECK if sizes[1] <= longest]
    return tuple(dict(zip(AXES, sizes, strict=True)) for sizes in dict.fromkeys(fitted))


def regimes(arithmetic: Arithmetic, domain: Domain) -> Mapping[str, tuple[Any, ...]]:
    return {"gate": GATES}


def visits(law: str, domain: Domain) -> tuple[Visit, ...]:
    sizes = deck(domain, 33)[1:4]
    return tuple(Visit(each, {"gate": word}) for each in sizes for word in GATES[:2])


def timed(case: Draw) -> Changes:
    """q, k, v and g of this regime."""
    batch, time, heads, key, value = (case.sizes[axis] for axis in AXES)
    rng, shape = case.rng, (batch, time, heads)
    g = -{
        "half": rng.uniform(0.3, 1.5, shape),
        "near 1": 2.0 ** -rng.uniform(4, 12, shape),
        "resets": rng.uniform(0, 0.5, shape),
    }[case.regime["gate"]]
    if case.regime["gate"] == "resets":
        g = np.where(rng.random(shape) < 0.25, -20.0, g)
    sizes = {"q": key, "k": key, "v": value}
    drawn = {name: rng.standard_normal((*shape, n)) for name, n in sizes.items()}
    return {name: case.stored(x, name) for name, x in (drawn | {"g": g}).items()}


def draw(case: Draw, sparse: bool, two: bool) -> Changes:
    found = timed(case)
    if sparse:  # only the gate and its products round
        found |= {name: np.copysign(np.ones_like(found[name]), found[name]) for name in "qkv"}
    return found


def states(case: Draw, call: Call) -> Changes:
    shape = call.layout.shape(gated.SYSTEM.argument["initial_state"].axes)
    return {"initial_state": case.stored(case.rng.standard_normal(shape), "initial_state")}


def honest(
    q: Any, k: Any, v: Any, g: Any, initial_state: Any = None, reverse: bool = False,
    o_bar: Any = None, carry: float = 1.0, skew: float = 1.0,
) -> Any:  # fmt: skip
    """Step by step, with its adjoint; `carry` and `skew` are factors that spoil it."""
    steps = range(q.shape[1])[:: -1 if reverse else 1]
    gate, before, o = np.exp(g), {}, np.zeros_like(v)
    S = initial_state
    if S is None:
        S = np.zeros((*k.shape[:1], *k.shape[2:], v.shape[-1]), v.dtype)
    for t in steps:
        before[t] = S
        S = gate[:, t, :, None, None] * S * carry + outer(k[:, t], v[:, t])
        o[:, t] = np.einsum("bhkv,bhk->bhv", S, q[:, t])
    found = {"o": o, "final_state": S}
    if o_bar is None:
        return found
    grads = {name: np.zeros_like(x) for name, x in (("q", q), ("k", k), ("v", v), ("g", g))}
    A = 0 * S
    for t in steps[::-1]:
        now = gate[:, t, :, None, None] * before[t] + outer(k[:, t], v[:, t])
        A = A + outer(q[:, t], o_bar[:, t])
        grads["q"][:, t] = np.einsum("bhkv,bhv->bhk", now, o_bar[:, t])
        grads["k"][:, t] = np.einsum("bhkv,bhv->bhk", A, v[:, t])
        grads["v"][:, t] = np.einsum("bhkv,bhk->bhv", A, k[:, t])
        grads["g"][:, t] = gate[:, t] * (A * before[t]).sum((2, 3)) * skew
        A = gate[:, t, :, None, None] * A
    return found | {"grads": grads | {"initial_state": A}}


def outer(one: Any, two: Any) -> Any:
    """(batch, heads, key), (batch, heads, value) -> (batch, heads, key, value)"""
    return one[..., :, None] * two[..., None, :]


def carries_wrong(q: Any, k: Any, v: Any, g: Any) -> Any:
    return honest(q, k, v, g, carry=1 + 2.0**-12)


def wrong_gradient(q: Any, k: Any, v: Any, g: Any, o_bar: Any = None) -> Any:
    return honest(q, k, v, g, o_bar=o_bar, skew=1 + 2.0**-8)


def forgets_state(q: Any, k: Any, v: Any, g: Any, initial_state: Any = None) -> Any:
    return honest(q, k, v, g)


ROOM = Room(
    system=gated.SYSTEM,
    draw=draw,
    redraw=lambda case, call: timed(case),
    states=states,
    deck=deck,
    regimes=regimes,
    visits=visits,
    decisive=lambda arithmetic, domain: ["impulses", "equivalence"],
    axes={"lengths": "time", "channels": "value", "states": "key"},
    reduced=("heads", "key", "value"),
    rounded=("q", "k", "v", "initial_state"),
    honest=honest,
    faults=lambda: (
        FaultyImplementation("carry", "the carry is multiplied by 1 + 2^-12", carries_wrong),
        FaultyImplementation("gradient", "the gradient of g is too large by 2^-8 of it", wrong_gradient),
        FaultyImplementation("state", "the initial state is ignored", forgets_state),
    ),
)

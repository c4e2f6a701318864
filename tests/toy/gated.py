"""Linear attention with a scalar gate per head, a toy system with matrix states.

    symbol          meaning                                     shape
    q, k            queries and keys                            (batch, time, heads, key)
    v               values                                      (batch, time, heads, value)
    g               natural logarithms of the gates             (batch, time, heads)
    S               states                                      (batch, time, heads, key, value)
    initial_state   S before the first step                     (batch, heads, key, value)
    o               outputs                                     (batch, time, heads, value)

    S_t = exp(g_t) S_{t-1} + k_t v_t^T          o_t = S_t^T q_t
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from scanproof.reference.allowance.operation_errors import unmodelled_in_layers
from scanproof.reference.call import Argument, Result, System
from scanproof.reference.layers import in_time
from scanproof.reference.numbers import namespace


class Constants(NamedTuple):
    gate: Any  # (batch, time, heads)


def constants(x: Mapping[str, Any]) -> Constants:
    return Constants(namespace.of(x["g"]).exp(x["g"]))


def spread(gate: Any, like: Any) -> Any:
    """A gate of every head for all entries of its state: (batch, time, heads * key * value)."""
    ones = np.ones(like.shape[-2:])  # (key, value)
    batch, time = like.shape[:2]
    return (gate[..., None, None] * ones).reshape(batch, time, -1)


def states(gate: Any, k: Any, v: Any, start: Any, reverse: bool) -> Any:
    """(batch, time, heads, key, value)"""
    drive = k[..., :, None] * v[..., None, :]  # (batch, time, heads, key, value)
    batch, time = drive.shape[:2]
    flat = drive.reshape(batch, time, -1)
    found = namespace.of(flat).scan(spread(gate, drive), flat, start.reshape(batch, -1), reverse)
    return found.reshape(*drive.shape)


def run(c: Constants, x: Mapping[str, Any], reverse: bool) -> dict[str, Any]:
    S = states(c.gate, x["k"], x["v"], x["initial_state"], reverse)
    o = np.einsum("bthkv,bthk->bthv", S, x["q"])
    return {"o": o, "final_state": S[:, 0 if reverse else -1]}


def pull_back(x: Mapping[str, Any], bars: Mapping[str, Any], reverse: bool) -> dict[str, Any]:
    """A_t = exp(g_{t+1}) A_{t+1} + q_t o_bar_t^T is the cotangent of S_t, and of its drive."""
    turned = {name: in_time(x[name], reverse) for name in ("q", "k", "v", "g")}
    q, k, v, gate = turned["q"], turned["k"], turned["v"], constants(turned).gate
    o_bar, start = in_time(bars["o"], reverse), x["initial_state"][:, None]
    S = states(gate, k, v, x["initial_state"], False)
    before = np.concatenate([start, S], 1)[:, :-1]
    drive = q[..., :, None] * o_bar[..., None, :]  # (batch, time, heads, key, value)
    A = cotangents(gate, np.concatenate([0 * start, drive], 1))
    inner = A[:, 1:]
    bar = {
        "q": np.einsum("bthkv,bthv->bthk", S, o_bar),
        "k": np.einsum("bthkv,bthv->bthk", inner, v),
        "v": np.einsum("bthkv,bthk->bthv", inner, k),
        "g": gate * (inner * before).sum((3, 4)),
    }
    return {name: in_time(each, reverse) for name, each in bar.items()} | {"initial_state": A[:, 0]}


def cotangents(gate: Any, drive: Any) -> Any:
    """Of the state before the first step, then of all. (batch, 1 + time, heads, key, value)"""
    batch, time = drive.shape[:2]
    flat = drive.reshape(batch, time, -1)
    later = np.concatenate([spread(gate, drive[:, 1:]), 0 * flat[:, :1]], 1)  # of the step after
    return namespace.of(flat).scan(later, flat, None, True).reshape(*drive.shape)


SYSTEM = System(
    name="gated",
    title="linear attention with a scalar gate, a toy",
    arguments=(
        Argument("q", "[batch] time heads key", "readout", meaning="queries"),
        Argument("k", "[batch] time heads key", "input", meaning="keys"),
        Argument("v", "[batch] time heads value", "input", meaning="values", linear=True),
        Argument("g", "[batch] time heads", "gate", meaning="natural logarithms of the gates"),
        Argument("initial_state", "[batch] heads key value", "state",
                 meaning="S before the first step", optional=True),
        Argument("o_bar", "[batch] time heads value", "cotangent", meaning="cotangent of o",
                 optional=True, of="o"),
    ),
    results=(
        Result("o", "[batch] time heads value", meaning="outputs"),
        Result("final_state", "[batch] heads key value", meaning="S after the last step",
               state="initial_state"),
    ),
    constants=constants,
    run=run,
    pull_back=pull_back,
    equation="S[t] = exp(g[t]) S[t-1] + k[t] v[t]^T, o[t] = S[t]^T q[t]",
    carry="gate",
    unmodelled=unmodelled_in_layers,
    features=frozenset({"states", "layer"}),
)  # fmt: skip

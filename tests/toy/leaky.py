"""Leaky integrators, a toy layer that tests add as docs/adding-a-system.md says.

    symbol     meaning                             shape
    rate_log   logarithm of the rate of decay      (state,)
    B          input matrix                        (state, width)
    C          output matrix                       (width, state)
    lam        decay exp(-exp(rate_log))           (state,)
    h          states                              (batch, time, state)

    h_t = lam h_{t-1} + B u_t          y_t = C h_t
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from scanproof.reference.allowance.operation_errors import unmodelled_in_layers
from scanproof.reference.call import Argument, Result, System
from scanproof.reference.layers import finite_exp, in_time, rows
from scanproof.reference.numbers import namespace


class Constants(NamedTuple):
    lam: Any  # (state,)
    B: Any  # (state, width)
    C: Any  # (width, state)


def constants(x: Mapping[str, Any]) -> Constants:
    xp = namespace.of(x["rate_log"])
    return Constants(xp.exp(-finite_exp("rate_log", x["rate_log"])), x["B"], x["C"])


def run(k: Constants, x: Mapping[str, Any], reverse: bool) -> dict[str, Any]:
    h = namespace.of(x["u"]).scan(k.lam, x["u"] @ k.B.T, x["h0"], reverse)  # (batch, time, state)
    return {"y": h @ k.C.T, "h": h, "h_last": h[:, 0 if reverse else -1]}


def pull_back(x: Mapping[str, Any], bars: Mapping[str, Any], reverse: bool) -> dict[str, Any]:
    """a_t = lam a_{t+1} + C^T y_bar_t is the cotangent of h_t, and of the drive."""
    xp, k = namespace.of(x["rate_log"]), constants(x)
    h0 = x["h0"][:, None]  # (batch, 1, state)
    h = in_time(run(k, x, reverse)["h"], reverse)
    u, y_bar = in_time(x["u"], reverse), in_time(bars["y"], reverse)
    before = np.concatenate([h0, h], 1)[:, :-1]  # (batch, time, state)
    drive = np.concatenate([0 * h0, y_bar @ k.C], 1)  # (batch, 1 + time, state)
    a = xp.scan(k.lam, drive, None, True)  # (batch, 1 + time, state)
    lam_bar = (before * a[:, 1:]).sum((0, 1))  # (state,)
    return {
        "rate_log": -lam_bar * k.lam * xp.exp(x["rate_log"]),
        "B": rows(a[:, 1:]).T @ rows(u),
        "C": rows(y_bar).T @ rows(h),
        "u": in_time(a[:, 1:] @ k.B, reverse),
        "h0": a[:, 0],
    }


def checked(x: Mapping[str, Any]) -> None:
    constants(x)


SYSTEM = System(
    name="leaky",
    title="leaky integrators, a toy",
    arguments=(
        Argument("rate_log", "state", "parameter", meaning="logarithm of the rate of decay"),
        Argument("B", "state width", "parameter", meaning="input matrix"),
        Argument("C", "width state", "parameter", meaning="output matrix"),
        Argument("u", "[batch] time width", "input", meaning="inputs", linear=True),
        Argument("h0", "[batch] state", "state", meaning="states before the first step",
                 optional=True),
        Argument("y_bar", "[batch] time width", "cotangent", meaning="cotangent of y",
                 optional=True, of="y"),
    ),
    results=(
        Result("y", "[batch] time width", meaning="outputs"),
        Result("h", "[batch] time state", meaning="all states", state="h0"),
        Result("h_last", "[batch] state", meaning="the states after the last step", state="h0"),
    ),
    constants=constants,
    run=run,
    pull_back=pull_back,
    equation="lam = exp(-exp(rate_log)); h[t] = lam h[t-1] + B u[t], y[t] = C h[t]",
    carry="lam",
    unmodelled=unmodelled_in_layers,
    check=checked,
    features=frozenset({"states", "layer"}),
)  # fmt: skip

"""Leaky integrators, a toy layer: the reference of a system that a test adds as docs/adding-a-system.md says.

    symbol     meaning                             shape
    rate_log   logarithm of the rate of decay      (state,)
    B          input matrix                        (state, width)
    C          output matrix                       (width, state)
    lam        decay exp(-exp(rate_log))           (state,)
    h          states                              (batch, time, [2,] state)

    h_t = lam h_{t-1} + B u_t          y_t = C h_t
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from scanproof.reference.layers import Call, Shapes, checked_call, finite_exp, rows
from scanproof.reference.numbers import namespace


@dataclass(frozen=True, eq=False)
class Params:
    rate_log: Any  # (state,)
    B: Any  # (state, width)
    C: Any  # (width, state)


@dataclass(frozen=True, eq=False)
class Gradients(Params):
    u: Any = field(kw_only=True)
    h0: Any = field(kw_only=True)


class Constants(NamedTuple):
    lam: Any  # (state,)
    B: Any  # (state, width)
    C: Any  # (width, state)


AXES = {"rate_log": "state", "B": "state width", "C": "width state"}


def check(params: Params) -> Shapes:
    shapes = Shapes()
    for name, axes in AXES.items():
        shapes.check(name, getattr(params, name), axes)
    return shapes


def enter(params: Params, u: Any, h0: Any, y_bar: Any = None) -> Call:
    return checked_call(check(params), False, "state", u, h0, y_bar)


def constants(params: Params) -> Constants:
    xp = namespace.of(params.rate_log)
    return Constants(xp.exp(-finite_exp("rate_log", params.rate_log)), params.B, params.C)


def run(k: Constants, u: Any, h0: Any, reverse: bool = False) -> tuple[Any, Any]:
    h = namespace.of(u).scan(k.lam, u @ k.B.T, h0[:, 0], reverse)  # (batch, time, state)
    return h @ k.C.T, np.expand_dims(h, 2)


def pull_back(params: Params, u: Any, h0: Any, y_bar: Any, reverse: bool = False) -> Gradients:
    """a_t = lam a_{t+1} + C^T y_bar_t is the cotangent of h_t, and of the drive."""
    xp, k = namespace.of(params.rate_log), constants(params)
    flip = slice(None, None, -1 if reverse else 1)
    h = run(k, u, h0, reverse)[1][:, flip, 0]
    before = np.concatenate([h0, h], 1)[:, : u.shape[1]]  # (batch, time, state)
    g = np.concatenate([0 * h0, (y_bar @ k.C)[:, flip]], 1)  # (batch, 1 + time, state)
    a = xp.scan(k.lam, g, None, True)  # (batch, 1 + time, state)
    a, h0_bar = a[:, 1:], a[:, :1]
    lam_bar = (before * a).sum((0, 1))  # (state,)
    rate = -lam_bar * k.lam * xp.exp(params.rate_log)  # (state,)
    return Gradients(rate, rows(a).T @ rows(u[:, flip]), rows(y_bar).T @ rows(h[:, flip]), u=(a @ k.B)[:, flip], h0=h0_bar)

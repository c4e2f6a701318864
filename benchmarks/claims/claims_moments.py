"""E |x_t|^2 of a linear layer, exactly: no sample is drawn.

    symbol    meaning                                                    shape
    u         input with E u_t = 0 and E u_s u_t^T = rho^|s-t| I         (time, width)
    rho       0: white noise, 1: a constant, between them: a stationary AR(1) process
    x         states of a layer with fixed parameters, from zero         (time, ...)
    r         response of x to u_t = rho^(t-1) e_j, for every channel j  (width, time, ...)
    G         sum over j of |r|^2                                        (time, ...)

u_t is rho^(t-1) u_1 plus innovations of variance 1 - rho^2, each of which decays in the same way;
all of them are uncorrelated. Hence, for whatever numbers the layer computes with (floats,
Fractions, balls),

    E |x_t|^2 = G_t + (1 - rho^2) (G_1 + ... + G_{t-1})
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flint
import numpy as np

from scanproof.reference.inputs import Array
from scanproof.reference.numbers import namespace
from scanproof.reference.systems import lru, rotrnn

TIGHT = flint.arb(2) ** -64  # of balls that are narrower, meeting the claimed value says something


def bits(time: int) -> int:
    """Enough bits for so many steps.

    Naive balls of a rotation widen by half a bit a step, their squares by one.
    """
    return 256 + time


def expected(states: Callable[[Array], Array], width: int, time: int, rho: Any) -> Array:
    """E |x_t|^2 of every component of the state.

    Args:
        states: takes u (width, time, width) to x (width, time, ...), real or complex, linear and
            without memory between calls.
        rho: a number of the kind that the layer computes with, or an integer.
    """
    u = np.zeros((width, time, width), object)
    power: Any = rho**0
    for t in range(time):
        u[:, t] = np.eye(width, dtype=int).astype(object) * power  # (width, width)
        power = power * rho
    x = states(u)
    xp = namespace.of(x)
    G = xp.real(x * xp.conj(x)).sum(0)  # (time, ...)
    before = np.add.accumulate(G, 0) - G  # G_1 + ... + G_{t-1} (time, ...)
    moments: Array = G + (1 - rho * rho) * before  # (time, ...)
    return moments


def rotrnn_limit(k: rotrnn.Constants) -> Array:
    """The fixed point of E |x_t|^2 = gamma^2 E |x_{t-1}|^2 + xi^2 tr(B^T B), white input.

    (heads,)
    """
    limit: Array = k.xi * k.xi * rotrnn.trace(k.B) / (1 - k.gamma * k.gamma)  # (heads,)
    return limit


def lru_limit(k: lru.Constants) -> Array:
    """The fixed point of E |h_t|^2 = |lam|^2 E |h_{t-1}|^2 + gamma^2 |B|^2 over |B|^2, white input.

    (state,)
    """
    xp = namespace.of(k.lam)
    limit: Array = k.gamma * k.gamma / (1 - xp.real(k.lam * xp.conj(k.lam)))  # (state,)
    return limit


def equal(found: Array, wanted: Array | int) -> bool:
    """Whether no enclosure excludes the wanted value; False is a proof that one differs.

    Raises:
        ArithmeticError: enclosures too wide to tell.
    """
    differences: list[Any] = (found - wanted).ravel().tolist()
    if any(not d.contains(0) for d in differences):
        return False
    if any(not d.rad() < TIGHT for d in differences):
        raise ArithmeticError(
            f"enclosures: found a radius above 2^-64 at {flint.ctx.prec} bits, expected more bits"
        )
    return True


def floats(x: Array) -> Array:
    """Midpoints of balls, as float64."""
    return np.vectorize(float, otypes=[float])(x)

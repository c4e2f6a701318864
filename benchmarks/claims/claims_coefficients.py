"""What rounding makes of a layer's coefficient, and of the states, if nothing else is rounded.

    symbol   meaning
    lam      exact coefficient exp(-exp(nu_log) + i theta) of parameters that the format holds
             exactly
    lam_hat  the coefficient that a program has, one of
             stored   lam rounded to the format, both components
             LRU      exp(-exp(nu_log)) (cos, sin)(exp(theta_log)), every operation rounded to the
                      format
             RotRNN   gamma (cos, sin)(theta), gamma = exp(-exp(gamma_log)) likewise; its product
                      with (cos, sin) is exact
    D        rms of h_hat - h over the rms of h after T steps of white input; both scans are exact,
             so only the coefficient differs

    D^2 = (S(lam_hat, lam_hat) - 2 Re S(lam_hat, lam) + S(lam, lam)) / S(lam, lam)

with S(a, b) = sum of (a conj b)^k over k < T, which for T = 2^m is the product of
1 + (a conj b)^(2^j) over j < m: no division, so |lam_hat| = 1 is no special case.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import flint
import numpy as np

from scanproof.reference.inputs import Array


class Drawn(NamedTuple):
    """Parameters that the format holds. (draws,) each, of the format"""

    nu_log: Array
    theta_log: Array
    theta: Array


class Coefficients(NamedTuple):
    """Of every draw the exact coefficient and what a program makes of it, balls without radius in
    lam_hat. (draws,) each"""

    lam: Array
    lam_hat: Array


def drawn(seed: int, draws: int, j: int, dtype: str) -> Drawn:
    """-log |lambda| between 2^-j / sqrt 2 and 2^-j sqrt 2, angles uniform on the circle."""
    rng = np.random.default_rng((seed, j))
    nu_log = (-j + rng.uniform(-0.5, 0.5, draws)) * np.log(2)  # (draws,)
    theta = rng.uniform(0, 2 * np.pi, draws)  # (draws,)
    return Drawn(*(x.astype(dtype) for x in (nu_log, np.log(theta), theta)))


def exact(nu_log: Array, angle: Array) -> Array:
    """exp(-exp(nu_log) + i angle) as balls; angle holds balls. (draws,)"""
    modulus = np.exp(-np.exp(balls(nu_log)))
    return modulus * (np.cos(angle) + flint.acb(0, 1) * np.sin(angle))


def stored(p: Drawn) -> Coefficients:
    lam = exact(p.nu_log, np.exp(balls(p.theta_log)))
    rounded = [
        [np.array(float(part)).astype(p.theta.dtype) for part in (z.real, z.imag)] for z in lam
    ]
    return Coefficients(lam, np.array([flint.acb(float(x), float(y)) for x, y in rounded], object))


def lru(p: Drawn) -> Coefficients:
    modulus, theta = np.exp(-np.exp(p.nu_log)), np.exp(p.theta_log)
    lam_hat = balls(modulus * np.cos(theta)) + flint.acb(0, 1) * balls(modulus * np.sin(theta))
    return Coefficients(exact(p.nu_log, np.exp(balls(p.theta_log))), lam_hat)


def rotrnn(p: Drawn) -> Coefficients:
    gamma, cos, sin = (
        balls(x) for x in (np.exp(-np.exp(p.nu_log)), np.cos(p.theta), np.sin(p.theta))
    )
    return Coefficients(exact(p.nu_log, balls(p.theta)), gamma * (cos + flint.acb(0, 1) * sin))


WAYS: dict[str, Callable[[Drawn], Coefficients]] = {
    "λ stored": stored,
    "λ from ν_log, θ_log (LRU)": lru,
    "γ from γ_log, cos θ, sin θ (RotRNN)": rotrnn,
}


def balls(x: Array) -> Array:
    """Exact balls of numbers of a format that float64 holds."""
    return np.array([flint.arb(float(value)) for value in x], object)


def squares(c: Coefficients, doublings: int) -> Array:
    """D^2 of every draw, balls. (draws,)"""
    own, mixed, given = (
        powers(a, b, doublings)
        for a, b in ((c.lam_hat, c.lam_hat), (c.lam_hat, c.lam), (c.lam, c.lam))
    )
    found = [(s - 2 * m + g).real / g.real for s, m, g in zip(own, mixed, given, strict=True)]
    return np.array(found, object)


def powers(a: Array, b: Array, doublings: int) -> Array:
    """S(a, b): the sum of (a conj b)^k over k < 2^doublings. (draws,)"""
    z = np.array(
        [flint.acb(x) * flint.acb(y).conjugate() for x, y in zip(a, b, strict=True)], object
    )
    product = z**0
    for _ in range(doublings):
        product, z = product * (1 + z), z * z
    return product


def unstable(c: Coefficients) -> int:
    """How many draws have |lam_hat| >= 1, certified."""
    return sum(bool((z * flint.acb(z).conjugate()).real >= 1) for z in c.lam_hat)

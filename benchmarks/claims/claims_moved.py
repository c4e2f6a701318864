"""Parameters moved away from their initialisation, as training moves them, and the state norm in
the long run of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from scanproof.benchmarks.claims.claims_moments import floats, lru_limit, rotrnn_limit
from scanproof.reference.inputs import Array
from scanproof.reference.layers import mapped
from scanproof.reference.numbers import namespace
from scanproof.reference.systems import lru, rotrnn
from scanproof.report.claims_model import Band

HEADS, HEAD_DIM, WIDTH = 4, 4, 4
STATE = 16  # of LRU, complex
STRENGTHS = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)  # standard deviation of what is added to a parameter
BOUNDED = "RotRNN, every parameter"
FIXED, FREE, AGAIN = (
    "LRU, ν moved, γ as initialised",
    "LRU, ν and γ moved",
    "LRU, ν moved, γ recomputed",
)

Constants = Callable[[rotrnn.Params], rotrnn.Constants]  # of the layer under test


def rotrnn_moved(rng: np.random.Generator, sigma: float) -> rotrnn.Params:
    """A draw whose every parameter is perturbed, as balls."""
    drawn = rotrnn.init(rng, HEADS, HEAD_DIM, WIDTH)
    return mapped(
        mapped(drawn, lambda x: x + sigma * rng.standard_normal(x.shape)), namespace.balls().lift
    )


def lru_moved(rng: np.random.Generator, sigma: float, what: str) -> lru.Params:
    """A draw whose nu_log is perturbed, as balls; gamma_log as it was (FIXED), perturbed too (FREE)
    or anew (AGAIN)."""
    lift = namespace.balls().lift
    params = mapped(lru.init(rng, STATE, WIDTH, "paper-long"), lift)
    nu_log = params.nu_log + lift(sigma * rng.standard_normal(STATE))
    gamma_log = lru.normalising_gamma_log(nu_log if what == AGAIN else params.nu_log)
    if what == FREE:
        gamma_log = gamma_log + lift(sigma * rng.standard_normal(STATE))
    return replace(params, nu_log=nu_log, gamma_log=gamma_log)


def rotrnn_limits(seed: int, draws: int, sigma: float, constants: Constants) -> Array:
    """E |x|^2 in the long run of every head, all parameters perturbed. Balls (draws, heads)"""
    rng = np.random.default_rng(seed)
    return np.stack([rotrnn_limit(constants(rotrnn_moved(rng, sigma))) for _ in range(draws)])


def lru_limits(seed: int, draws: int, sigma: float, what: str) -> Array:
    """E |h|^2 / |B|^2 in the long run of every state. Balls (draws, state)"""
    rng = np.random.default_rng(seed)
    return np.stack([lru_limit(lru.constants(lru_moved(rng, sigma, what))) for _ in range(draws)])


def band(label: str, found: dict[float, Array]) -> Band:
    """Quantiles over draws of the mean over heads or states.

    found: for every strength balls (draws, heads or state).
    """
    low, median, high = np.quantile(
        [floats(x).mean(1) for x in found.values()], (0.05, 0.5, 0.95), axis=1
    )
    return Band(
        label=label, strength=list(found), low=low.tolist(), median=median.tolist(),
        high=high.tolist(),
    )  # fmt: skip

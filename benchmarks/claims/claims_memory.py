"""How long do the initialisations remember? Steps until |lambda|^t = 2^-bits, as exact quantiles
and over draws.

    symbol    meaning
    nu        -log |lambda|: exp(nu_log) of LRU, exp(gamma_log) of RotRNN
    bits      8: below the rounding of bfloat16, 24: below that of float32
    steps     bits log 2 / nu

The quantile q of |lambda| has a closed form: a ring draws |lambda|^2 uniformly (lemma 2 of the LRU
paper), "log-log" log nu.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from scanproof.reference import initialise
from scanproof.reference.inputs import Array
from scanproof.report.claims_model import ClaimRow, Curve, MemoryRow

BITS, QUANTILES = (8, 24), (0.05, 0.5, 0.95)
RINGS, TURNS = ("paper", "paper-long", "paper-longest"), ("A", "B")
POINTS = 60


class Start(NamedTuple):
    """One initialisation: what it is called, nu at the quantile q of |lambda|, and draws of nu."""

    label: str
    nu: Callable[[float], float]
    draw: Callable[[np.random.Generator, int], Array]


class Memory(NamedTuple):
    rows: list[ClaimRow]
    memory: list[MemoryRow]
    decays: list[Curve]


def measure(seed: int, draws: int) -> Memory:
    found = [row(start, bits, seed, draws) for start in starts() for bits in BITS]
    return Memory([_claim(found)], found, [decay(start) for start in starts()])


def starts() -> list[Start]:
    """Three rings of LRU, and the two ways in which the versions of RotRNN's code draw gamma."""
    return [_lru(name, initialise.RINGS[name]) for name in RINGS] + [
        _rotrnn(name, initialise.ROTATIONS[name]) for name in TURNS
    ]


def _lru(name: str, r: initialise.Ring) -> Start:
    draw = partial(initialise.decay_rate, r_min=r.r_min, r_max=r.r_max)
    return Start(
        f"LRU, {name}: |λ| in [{r.r_min:g}, {r.r_max:g}]", partial(ring, r.r_min, r.r_max), draw
    )


def _rotrnn(name: str, v: initialise.Rotations) -> Start:
    quantile = partial({"ring": ring, "log-log": log_log}[v.gamma], v.gamma_min, v.gamma_max)
    words = f"RotRNN, version {name} ({v.gamma}): γ in [{v.gamma_min:g}, {v.gamma_max:g}]"
    return Start(words, quantile, lambda rng, size: np.exp(initialise.gamma_log(rng, size, v)))


def ring(low: float, high: float, q: float) -> float:
    """nu at the quantile q of |lambda|, where |lambda|^2 is uniform on [low^2, high^2]."""
    return -math.log(low**2 + (high**2 - low**2) * q) / 2


def log_log(low: float, high: float, q: float) -> float:
    """nu at the quantile q of |lambda|, where log nu is uniform and falls as |lambda| grows."""
    largest, smallest = (math.log(-math.log(x)) for x in (low, high))
    return math.exp(largest + (smallest - largest) * q)


def steps(nu: float, bits: int) -> float:
    return bits * math.log(2) / nu


def row(start: Start, bits: int, seed: int, draws: int) -> MemoryRow:
    drawn = bits * np.log(2) / start.draw(np.random.default_rng(seed), draws)  # (draws,)
    return MemoryRow(
        label=start.label,
        bits=bits,
        exact=[steps(start.nu(q), bits) for q in QUANTILES],
        drawn=np.quantile(drawn, QUANTILES).tolist(),
        draws=draws,
    )


def decay(start: Start) -> Curve:
    """|lambda|^t of the median |lambda|, until 2^-24."""
    nu = start.nu(0.5)
    at = np.geomspace(1, steps(nu, max(BITS)), POINTS)
    return Curve(
        panel="median |λ|",
        label=start.label,
        kind="exact",
        x=at.tolist(),
        y=np.exp(-nu * at).tolist(),
    )


def _claim(rows: list[MemoryRow]) -> ClaimRow:
    shown = [
        f"{r.label}: {r.exact[1]:.0f} ({r.exact[0]:.0f} to {r.exact[2]:.0f})"
        for r in rows
        if r.bits == 24
    ]
    return ClaimRow(
        claim="With |λ| close to 1 at initialisation the layers remember long inputs",
        source="LRU, arXiv 2303.06349: initialisation on a ring; RotRNN, arXiv 2407.07239: γ in "
               "[0.9, 0.999]",
        measured=["steps until |λ|ᵗ = 2⁻²⁴, median (5 % to 95 % of the states)", *shown],
        criterion="none: a memory is long or short beside a task",
        word="measured",
    )

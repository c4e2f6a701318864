"""The campaign of LRU. Its programs apply the gain as (gamma B) u, the doubling as gamma (B u).

`autodiff` has the gradients that autodiff gives for the doubling (transposed_doubling.py).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scanproof.benchmarks.campaigns.programs import Campaign, Program, Regime, Scanned
from scanproof.benchmarks.campaigns.programs import programs as usual
from scanproof.benchmarks.campaigns.transposed_doubling import Transposed
from scanproof.benchmarks.peers.lru import ours
from scanproof.properties.systems.lru import draw
from scanproof.properties.versions.plain_lru import Lru, input_matrix
from scanproof.properties.versions.plain_scan import starts
from scanproof.reference.inputs import Array
from scanproof.reference.layers import backwards
from scanproof.reference.systems.lru import SYSTEM

STATE = 16


class Bracketed(Scanned, Lru):
    """(gamma B) u."""


class Late(Bracketed):
    """gamma (B u)."""

    def states(self, p: Any, u: Array, h0: Array | None, reverse: bool) -> Array:
        b = self.gamma(p) * (u @ input_matrix(p).T)  # (batch, time, state)
        advance, first = self.advance(self.lam(p)), starts(h0, 1 if p.C2_re is None else 2)
        flips = [backwards(d, reverse) for d in range(len(first))]
        scans = zip(first, flips, strict=True)
        return np.stack([self.scan(advance, b, start, flip) for start, flip in scans], 2)


def programs(dtype: str, rng: np.random.Generator) -> list[Program]:
    """All of them."""
    autodiff = Program("autodiff", Transposed(), "any")
    return [*usual(Lru(), Late, Bracketed, ours, dtype, rng), autodiff]


def _regime(time: int, radius: float, **more: bool) -> Regime:
    sizes = {"time": time, "state": STATE, "heads": 1}
    return Regime(SYSTEM.name, sizes, radius, f"N = {STATE}, moduli < {radius:g}", **more)


CAMPAIGN = Campaign(
    regimes=(
        *(_regime(*each) for each in ((16, 1), (128, 0.99), (512, 0.999), (2000, 0.9999))),
        *(_regime(*each, sparse=True) for each in ((128, 0.99), (2000, 0.9999))),
        _regime(16, 0.9999, small=True),
    ),
    draw=draw,
    shares=lambda rng, state: np.sqrt(1 - rng.random(state)),  # uniform on the disc
    programs=programs,
    programs_text="LRU's gain comes before or after B, as (gamma B) u or gamma (B u); "
    "its gradients\nare also those that autodiff of the doubling gives: "
    "`any` admits that, `formed` does not.",
    draws_text="LRU's eigenvalues have moduli below a limit, uniformly on the disc, with N states.",
    sparse_text="LRU's gain 1",
)

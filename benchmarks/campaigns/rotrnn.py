"""The campaign of RotRNN. P' is P transposed.

Its programs apply P' (xi (B u)) and C (P s), the doubling (xi P'B) u and (C P) s.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scanproof.benchmarks.campaigns.programs import Campaign, Program, Regime, Scanned
from scanproof.benchmarks.campaigns.programs import programs as usual
from scanproof.benchmarks.peers.rotrnn import ours
from scanproof.properties.systems.rotrnn import draw
from scanproof.properties.versions.plain_rotrnn import RotRnn, output_matrices
from scanproof.properties.versions.plain_scan import starts
from scanproof.reference.inputs import Array
from scanproof.reference.layers import backwards
from scanproof.reference.systems.rotrnn import SYSTEM


class Bracketed(Scanned, RotRnn):
    """P' (xi (B u)) and C (P s)."""


class Folded(Bracketed):
    """(xi P'B) u and (C P) s: small matrices are multiplied first."""

    def states(self, p: Any, P: Array, u: Array, h0: Array | None, reverse: bool) -> Array:
        turned = np.einsum("hnm,hnw->hmw", P, p.B)  # (heads, head_dim, width)
        b = np.einsum("hmw,btw->bthm", self.xi(p)[:, None, None] * turned, u)
        first = starts(None if h0 is None else self.into(P, h0), len(output_matrices(p)))
        flips = [backwards(d, reverse) for d in range(len(first))]
        scans = zip(first, flips, strict=True)
        return np.stack([self.scan(self.advance(p), b, start, flip) for start, flip in scans], 2)

    def forward(
        self, p: Any, u: Array, h0: Array | None = None, reverse: bool = False
    ) -> tuple[Array, Array]:
        P = self.basis(p)
        s = self.states(p, P, u, h0, reverse)
        V = np.einsum("dwhn,hnm->dwhm", output_matrices(p), P)
        y: Array = np.einsum("dwhm,btdhm->btw", V, s) + self.skip(p, u)  # (batch, time, width)
        return y, self.back(P, s)


def programs(dtype: str, rng: np.random.Generator) -> list[Program]:
    """All of them."""
    return usual(RotRnn(), Folded, Bracketed, ours, dtype, rng)


def _regime(time: int, heads: int, state: int, gamma: float, **more: bool) -> Regime:
    sizes = {"time": time, "state": state, "heads": heads}
    about = f"{heads} heads of N = {state}, gamma = {gamma:g}"
    return Regime(SYSTEM.name, sizes, gamma, about, **more)


SIZES = ((16, 4, 4, 0.9), (128, 4, 4, 0.99), (128, 2, 8, 0.99), (512, 2, 8, 0.999))


CAMPAIGN = Campaign(
    regimes=(
        *(_regime(*sizes) for sizes in SIZES),
        *(_regime(*sizes, sparse=True) for sizes in SIZES[:2]),
        _regime(16, 4, 4, 0.9, small=True),
    ),
    draw=draw,
    shares=lambda rng, state: np.ones(state),  # every head has it as gamma
    programs=programs,
    programs_text="RotRNN's matrices are applied one after the other or multiplied first: "
    "(xi P'B) u and (C P) s.",
    draws_text="RotRNN's heads have one gamma and N coordinates each.",
    sparse_text="RotRNN's P = I",
)

"""The state norm of RotRNN over time: exact second moments beside sampled runs, for inputs that are
white and that are not."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import flint
import numpy as np

import scanproof
from scanproof.benchmarks.claims.claims_moments import equal, expected, floats
from scanproof.benchmarks.claims.claims_moved import (
    AGAIN,
    BOUNDED,
    FIXED,
    FREE,
    HEAD_DIM,
    HEADS,
    WIDTH,
    Constants,
    lru_moved,
    rotrnn_moved,
)
from scanproof.reference.inputs import Array
from scanproof.reference.layers import mapped
from scanproof.reference.numbers import namespace
from scanproof.reference.systems import lru, rotrnn
from scanproof.report.claims_model import Curve

SIGMA = 0.5  # of the parameters that are moved
INPUTS = {"white noise": "0", "AR(1), ρ = 0.99": "0.99", "constant": "1"}
GAMMA, ANGLES = 0.999, {"θ = 0": (0.0, 0.0), "θ = (1, 2)": (1.0, 2.0)}


def over_time(seed: int, time: int, constants: Constants) -> tuple[bool, list[Curve]]:
    """Whether every head of a draw follows 1 - gamma^(2t) exactly, and all its curves."""
    params = rotrnn.init(np.random.default_rng(seed), HEADS, HEAD_DIM, WIDTH)
    k = constants(mapped(params, namespace.balls().lift))
    moments = expected(partial(run, k), WIDTH, time, 0).sum(2)  # (time, heads)
    wanted = 1 - np.multiply.accumulate(np.stack([k.gamma * k.gamma] * time), 0)  # (time, heads)
    sampled = sampled_norms(seed, constants(params), time)
    curves = []
    for head in np.argsort(floats(k.gamma)):
        label, at = f"γ = {float(k.gamma[head]):.4f}", grid(time)
        curves.append(
            _curve("white noise, every head", label, "exact", at, floats(moments[:, head]))
        )
        curves.append(_curve("white noise, every head", label, "sampled", at, sampled[:, head]))
    return equal(moments, wanted), curves


def moved_over_time(seed: int, time: int, constants: Constants) -> list[Curve]:
    """The mean over heads, or over |B|^2 the sum over states, of one draw whose parameters are
    moved; white noise."""
    k = constants(rotrnn_moved(np.random.default_rng(seed), SIGMA))
    found = {
        BOUNDED: floats(expected(partial(run, k), WIDTH, time, flint.arb(0)).sum((1, 2))) / HEADS
    }
    for name in (AGAIN, FIXED, FREE):
        params = lru_moved(np.random.default_rng(seed), SIGMA, name)
        moments = expected(partial(_lru_states, params), WIDTH, time, flint.arb(0)).sum(1)
        found[name] = floats(moments / (params.B_re**2 + params.B_im**2).sum())
    panel = f"white noise, parameters moved by σ = {SIGMA:g}"
    return [_curve(panel, name, "exact", grid(time), y) for name, y in found.items()]


def other_inputs(
    time: int, constants: Constants
) -> tuple[dict[tuple[str, str], bool], list[Curve]]:
    """For every input and angle: whether 1 - gamma^(2t) still holds, and E |x_t|^2."""
    answers, curves = {}, []
    for angle, theta in ANGLES.items():
        params = mapped(head(theta), namespace.balls().lift)
        k = constants(params)
        wanted = 1 - np.multiply.accumulate(np.stack([k.gamma * k.gamma] * time), 0)  # (time, 1)
        for name, rho in INPUTS.items():
            moments = expected(partial(run, k), WIDTH, time, flint.arb(rho)).sum(2)  # (time, 1)
            answers[name, angle] = equal(moments, wanted)
            curves.append(
                _curve(
                    f"γ = {GAMMA}, three inputs",
                    f"{name}, {angle}",
                    "exact",
                    grid(time),
                    floats(moments[:, 0]),
                )
            )
    return answers, curves


def head(theta: tuple[float, ...]) -> rotrnn.Params:
    """One head of RotRNN with GAMMA and these angles, otherwise as drawn with seed 0."""
    drawn = rotrnn.init(np.random.default_rng(0), 1, 2 * len(theta), WIDTH)
    return replace(drawn, theta=np.array([theta]), gamma_log=np.log([-np.log(GAMMA)]))


def run(k: rotrnn.Constants, u: Array) -> Array:
    """The states x of a layer from zero. (batch, time, heads, head_dim)"""
    heads, head_dim, _ = k.B.shape
    return rotrnn.run(k, u, np.zeros((len(u), 1, heads, head_dim), u.dtype))[1][:, :, 0]


def _lru_states(params: lru.Params, u: Array) -> Array:
    """The states h of an LRU layer from zero. (batch, time, state)"""
    states: Array = scanproof.run("lru", params=params, u=u)["h"]
    return states


def sampled_norms(seed: int, k: rotrnn.Constants, time: int, batch: int = 64) -> Array:
    """|x_t|^2 of every head, a mean over `batch` runs in float64. (time, heads)"""
    u = np.random.default_rng(seed + 1).standard_normal((batch, time, WIDTH))
    norms: Array = (run(k, u) ** 2).sum(3).mean(0)  # (time, heads)
    return norms


def grid(time: int) -> list[int]:
    """Steps 1, 2, ..., time, about twelve to a doubling at most."""
    return sorted({round(x) for x in np.geomspace(1, time, 48)})


def _curve(panel: str, label: str, kind: Any, at: list[int], y: Array) -> Curve:
    return Curve(
        panel=panel,
        label=label,
        kind=kind,
        x=[float(t) for t in at],
        y=[float(y[t - 1]) for t in at],
    )

"""How the search draws parameters of LRU, and which other parameters give the same layer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scanproof.properties.room import Sizes
from scanproof.properties.systems.layers import layer_room, near_turns, one_per_row
from scanproof.reference.inputs import Array
from scanproof.reference.systems.lru import SYSTEM, Params, normalising_gamma_log


def draw(
    rng: np.random.Generator, sizes: Sizes, modulus: Array, sparse: bool, bidirectional: bool
) -> Params:
    """Eigenvalues of these moduli (state,), strictly between 0 and 1.

    sparse: one power of two in every row of B and C, and gamma = 1: only lam and the scan round.
    """
    state, width = sizes["state"], sizes["width"]
    nu_log = np.log(-np.log(modulus))  # (state,)
    theta_log = np.log(near_turns(rng, state))  # (state,)
    # (state,)
    gamma_log = (
        np.zeros(state) if sparse else normalising_gamma_log(nu_log) + rng.normal(0, 1, state)
    )
    matrix = (
        one_per_row
        if sparse
        else (lambda rng, *shape: rng.standard_normal(shape) / np.sqrt(shape[-1]))
    )
    B = [matrix(rng, state, width), matrix(rng, state, width)]
    C = [matrix(rng, width, state) for _ in range(4 if bidirectional else 2)]
    if sparse:
        B, C = _on_axis(rng, B), [x for pair in (C[:2], C[2:]) if pair for x in _on_axis(rng, pair)]
    D = np.zeros(width) if sparse else rng.standard_normal(width)  # (width,)
    arrays: list[Array] = [nu_log, theta_log, gamma_log, *B, *C[:2], D, *C[2:]]
    return Params(*arrays)


def extremes(rng: np.random.Generator, params: Params) -> list[Params]:
    """Gains far from 1, angles of several turns."""
    shift = rng.choice([-4.0, 4.0], params.gamma_log.shape)
    turns = np.log(
        np.exp(params.theta_log.astype(float))
        + 2 * np.pi * rng.integers(0, 4, params.theta_log.shape)
    )
    return [replace(params, gamma_log=params.gamma_log + shift), replace(params, theta_log=turns)]


def _on_axis(rng: np.random.Generator, pair: list[Array]) -> list[Array]:
    """Every entry real or imaginary."""
    which = rng.integers(0, 2, pair[0].shape[:1])[:, None] == 1
    return [np.where(which, pair[0], 0.0), np.where(which, 0.0, pair[0])]


def equivalents(rng: np.random.Generator, params: Params) -> list[Params]:
    """Parameters of the same layer: states in another order, and powers of two moved between B,
    gamma and C."""
    order = rng.permutation(len(params.nu_log))
    logs = {name: getattr(params, name)[order] for name in ("nu_log", "theta_log", "gamma_log")}
    rows = {name: getattr(params, name)[order] for name in ("B_re", "B_im")}
    columns = {
        name: x[:, order]
        for name in ("C_re", "C_im", "C2_re", "C2_im")
        if (x := getattr(params, name)) is not None
    }
    permuted = replace(params, **logs, **rows, **columns)
    scaled = {name: x * 4 for name in ("B_re", "B_im") for x in [getattr(params, name)]}
    scaled |= {
        name: x / 4
        for name in ("C_re", "C_im", "C2_re", "C2_im")
        if (x := getattr(params, name)) is not None
    }
    return [permuted, replace(params, **scaled)]


ROOM = layer_room(
    SYSTEM,
    Params,
    draw,
    equivalents,
    extremes,
    axes={"lengths": "time", "channels": "width", "states": "state"},
    reduced=("state", "width"),
    rounded=("u", "h0", "y_bar", "B_re", "B_im", "C_re", "C_im", "C2_re", "C2_im", "D"),
)

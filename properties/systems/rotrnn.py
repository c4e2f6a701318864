"""How the search draws parameters of RotRNN, and which other parameters give the same layer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scanproof.properties.room import Sizes
from scanproof.properties.systems.layers import layer_room, near_turns, one_per_row
from scanproof.reference.call import Call
from scanproof.reference.inputs import Array
from scanproof.reference.systems.rotrnn import SYSTEM, Params

# jax's scaling changes at 3.93 2^k
NORMS = (*(3.93 * 2.0**k * (1 - 2.0**-7) for k in (1, 2)), 30.0)
SMALLEST = 2.0**-20  # smaller norms stay below those
GRID = 2.0**6  # of M: small whole numbers are added to it exactly in 8 bits
# of S, up to which every usual algorithm for the matrix exponential is accurate
# (docs/measured/constants.md)
NORM = 3.0


def draw(
    rng: np.random.Generator, sizes: Sizes, modulus: Array, sparse: bool, bidirectional: bool
) -> Params:
    """Heads with decays modulus[:heads], strictly between 0 and 1.

    sparse: one power of two in every row of B and C, and M = 0, so that P = I: only xi, the
    rotation and the scan round.
    """
    heads, head_dim, width = sizes["heads"], sizes["state"], sizes["width"]
    features = heads * head_dim
    # (heads, pairs)
    theta = near_turns(rng, heads, head_dim // 2) * rng.choice([-1.0, 1.0], (heads, head_dim // 2))
    gamma_log = np.log(-np.log(np.resize(modulus, heads)))  # (heads,)
    matrix = (
        one_per_row
        if sparse
        else (lambda rng, *shape: rng.standard_normal(shape) / np.sqrt(shape[-1]))
    )
    M = rng.standard_normal((heads, head_dim, head_dim))
    norm = np.abs(M - M.swapaxes(1, 2)).sum(1).max(1)[:, None, None]  # (heads, 1, 1)
    M = 0 * M if sparse else M * np.minimum(1, 0.99 * NORM / norm)
    B = matrix(rng, features, width).reshape(heads, head_dim, width)
    C = [matrix(rng, width, features) for _ in range(2 if bidirectional else 1)]
    D = np.zeros(width) if sparse else rng.standard_normal(width)  # (width,)
    return Params(theta, gamma_log, M, B, C[0], D, *C[1:])


def equivalents(rng: np.random.Generator, params: Params) -> list[Params]:
    """Parameters of the same layer: M and a symmetric matrix of whole numbers; c B with a power of
    two c."""
    whole = np.round(4 * rng.standard_normal(params.M.shape)).astype(params.M.dtype)
    symmetric = whole + whole.swapaxes(1, 2)
    return [replace(params, M=_grid(params.M) + symmetric), replace(params, B=params.B * 8)]


def extremes(rng: np.random.Generator, params: Params) -> list[Params]:
    """|S|_1 up to 30, also just below where one algorithm for the matrix exponential scales by too
    little."""
    S = params.M - params.M.swapaxes(1, 2)
    norm = np.abs(S).sum(1).max(1)[:, None, None]  # (heads, 1, 1)
    scaled = [params.M * (size / np.maximum(norm, SMALLEST)) for size in NORMS]
    return [replace(params, M=np.where(norm > 0, M, params.M)) for M in scaled]


def _grid(M: Array) -> Array:
    """M on a grid on which small whole numbers are added exactly."""
    return np.asarray(np.round(M * GRID) / GRID).astype(M.dtype)


def taken(call: Call, axis: str, kept: list[int]) -> Call:
    """The call with some heads, pairs or channels of u: of pairs with both coordinates, of features
    what belongs to them."""
    heads, head_dim = range(call.size("heads")), call.size("head_dim")
    inside = (
        [2 * pair + i for pair in kept for i in (0, 1)]
        if axis == "pairs"
        else list(range(head_dim))
    )
    outside = kept if axis == "heads" else list(heads)
    also = {"head_dim": inside} if axis == "pairs" else {}
    if axis != "width":
        also["features"] = [head * head_dim + i for head in outside for i in inside]
    return call.take(axis, kept, **also)


ROOM = layer_room(
    SYSTEM,
    Params,
    draw,
    equivalents,
    extremes,
    axes={"lengths": "time", "channels": "width", "states": "head_dim"},
    multiple=2,
    reduced=("heads", "pairs", "width"),
    taken=taken,
    rounded=("u", "h0", "y_bar", "B", "C", "C2", "D"),
)

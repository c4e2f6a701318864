"""The golden cases of RotRNN: one line a case family, fixed seeds (the slug and the dtype)."""

from __future__ import annotations

from typing import Any

import numpy as np

from scanproof.golden.collection import Recipe
from scanproof.golden.drawing import Draw, Range
from scanproof.golden.flags import Flag, View
from scanproof.golden.recipes.layers import (
    HALF,
    NEAR_ONE,
    B,
    D,
    R,
    arguments,
    collection,
    matrix,
    near_one,
    skip,
)
from scanproof.properties.versions.plain_rotrnn import RotRnn
from scanproof.reference.systems.rotrnn import SYSTEM


def _call(
    d: Draw, time: int, *, width: int = 2, heads: int = 2, head_dim: int = 4, decay: Range = HALF,
    symmetric: bool = False, sparse: bool = False, both: bool = False, **more: Any,
) -> dict[str, Any]:  # fmt: skip
    """|M - M^T| below 3; symmetric: M, so that P = I; both: two directions.

    sparse: symmetric, and one power of two in each row of B and C, no D.
    """
    theta, gamma_log = d.uniform((heads, head_dim // 2), 0.25, 6), d.uniform((heads,), *decay)
    M, features = d.uniform((heads, head_dim, head_dim), -0.4, 0.4), heads * head_dim
    if symmetric or sparse:
        M = np.floor(8 * M)
        M = M + M.swapaxes(1, 2)
    B = matrix(d, features, width, sparse).reshape(heads, head_dim, width)
    C, C2 = (matrix(d, width, features, sparse) for _ in range(2))
    params = {
        "theta": theta,
        "gamma_log": gamma_log,
        "M": M,
        "B": B,
        "C": C,
        "D": skip(d, width, sparse),
    }
    return arguments(d, SYSTEM, params | ({"C2": C2} if both else {}), time, **more)


RECIPES = (
    Recipe("rotrnn-one-step", (R, D),
           "one step with h0, two sequences: gamma A h0 + xi B u, and what y makes of it",
           lambda d: _call(d, 1, batch=2, h0=True)),
    Recipe("rotrnn-impulse", (R, D),
           "one input, P = I, sparse B and C: y shows the turns of adjacent pairs, not of halves",
           lambda d: _call(d, 18, heads=1, sparse=True, impulse=1)),
    Recipe("rotrnn-dense", (R, D),
           "two heads of size 4, one step more than a chunk of 16: P, xi, C by heads, the carry",
           lambda d: _call(d, 17)),
    Recipe("rotrnn-identity", (R, D),
           "M symmetric, so that P = I, and h0: the angles and gamma, without the exponential",
           lambda d: _call(d, 9, heads=1, symmetric=True, h0=True)),
    Recipe("rotrnn-near-one", (R, D),
           "gamma just below 1, sparse B and C: 1 - gamma^2 that cancels, faults in carries",
           lambda d: _call(d, 33, width=1, heads=1, head_dim=2, decay=NEAR_ONE, sparse=True)),
    Recipe("rotrnn-reverse", (R, D),
           "from the last step to the first, with h0 after the last",
           lambda d: _call(d, 7, heads=1, h0=True, reverse=True)),
    Recipe("rotrnn-directions", (R, D),
           "two directions over the inputs: C2, and which one is flipped",
           lambda d: _call(d, 5, heads=1, both=True)),
    Recipe("rotrnn-batch", (R, D),
           "three sequences of two steps: mixed rows, exchanged axes",
           lambda d: _call(d, 2, heads=1, batch=3)),
    Recipe("rotrnn-gradients", (R, D),
           "cotangents of all parameters, through P and xi too, of u and of h0",
           lambda d: _call(d, 8, h0=True, gradients=True)),
    Recipe("rotrnn-gradients-reverse", (R, D),
           "cotangents from the last step to the first, in one direction",
           lambda d: _call(d, 5, heads=1, h0=True, reverse=True, gradients=True)),
    Recipe("rotrnn-gradients-directions", (R, D),
           "cotangents in two directions, each with its h0, two sequences, reverse",
           lambda d: _call(d, 3, heads=1, both=True, batch=2, h0=True, reverse=True,
                           gradients=True)),
    Recipe("rotrnn-16-bit", (B,),
           "stored in 16 bits, accumulated in float32: P = I, sparse B and C",
           lambda d: _call(d, 6, heads=1, sparse=True)),
)  # fmt: skip


def _heads(v: View) -> bool:
    return len(v.call["theta"]) > 1


def _identity(v: View) -> bool:
    return bool((v.call["M"] == v.call["M"].swapaxes(1, 2)).all())


FLAGS = {
    "near one": near_one("gamma_log"),
    "heads": Flag("RotRNN with more than one head", _heads),
    "identity basis": Flag("RotRNN with M symmetric, so that P = I", _identity),
}
COLLECTION = collection(SYSTEM, RECIPES, RotRnn(), FLAGS)

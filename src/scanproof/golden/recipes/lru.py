"""The golden cases of LRU: one line a case family, fixed seeds (the slug and the dtype)."""

from __future__ import annotations

from typing import Any

import numpy as np

from scanproof.golden.collection import Recipe
from scanproof.golden.drawing import Draw, Range
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
    one_per_row,
    skip,
)
from scanproof.properties.versions.plain_lru import Lru
from scanproof.reference.inputs import Array
from scanproof.reference.systems.lru import SYSTEM


def _call(
    d: Draw, time: int, *, width: int = 2, state: int = 3, decay: Range = HALF,
    sparse: bool = False, both: bool = False, **more: Any,
) -> dict[str, Any]:  # fmt: skip
    """Angles anywhere; both: two directions.

    sparse: gamma = 1, one power of two in each row of B and C, no D.
    """
    logs = {"nu_log": d.uniform((state,), *decay), "theta_log": d.uniform((state,), -1, 1.75)}
    logs["gamma_log"] = np.zeros(state) if sparse else d.uniform((state,), -1, 0)
    B = _matrix(d, "B", state, width, 2, sparse)
    C, C2 = (_matrix(d, name, width, state, 1, sparse) for name in ("C", "C2"))
    params = logs | B | C | {"D": skip(d, width, sparse)} | (C2 if both else {})
    return arguments(d, SYSTEM, params, time, **more)


def _matrix(
    d: Draw, name: str, rows: int, columns: int, kinds: int, sparse: bool
) -> dict[str, Array]:
    """Real and imaginary part.

    sparse: rows are real, imaginary, ... by turns, or all imaginary if there is one kind. So the
    first output shows the imaginary part of powers of lam, and the second their real part.
    """
    if not sparse:
        return {f"{name}_{part}": matrix(d, rows, columns, False) for part in ("re", "im")}
    one = one_per_row(d, rows, columns)
    real = (np.arange(rows)[:, None] % 2 == 0) & (kinds == 2)
    return {f"{name}_re": np.where(real, one, 0), f"{name}_im": np.where(real, 0, one)}


RECIPES = (
    Recipe("lru-one-step", (R, D),
           "one step with h0, two sequences: lam h0 + gamma B u, and what y makes of it",
           lambda d: _call(d, 1, batch=2, h0=True)),
    Recipe("lru-impulse", (R, D),
           "one input and sparse B and C: y shows the powers of lam, conjugated or not",
           lambda d: _call(d, 18, sparse=True, impulse=1)),
    Recipe("lru-dense", (R, D),
           "random numbers, one step more than a chunk of 16: gamma, B, C, D, the carry",
           lambda d: _call(d, 17)),
    Recipe("lru-near-one", (R, D),
           "|lam| just below 1, sparse B and C: nothing is forgotten, faults in carries stay",
           lambda d: _call(d, 33, width=1, state=2, decay=NEAR_ONE, sparse=True)),
    Recipe("lru-reverse", (R, D),
           "from the last step to the first, with h0 after the last",
           lambda d: _call(d, 7, state=2, h0=True, reverse=True)),
    Recipe("lru-directions", (R, D),
           "two directions over the inputs: C2, and which one is flipped",
           lambda d: _call(d, 5, both=True)),
    Recipe("lru-batch", (R, D),
           "three sequences of two steps: mixed rows, exchanged axes",
           lambda d: _call(d, 2, batch=3)),
    Recipe("lru-gradients", (R, D),
           "cotangents of all parameters, of u and of h0",
           lambda d: _call(d, 9, h0=True, gradients=True)),
    Recipe("lru-gradients-reverse", (R, D),
           "cotangents from the last step to the first, in one direction",
           lambda d: _call(d, 5, state=2, h0=True, reverse=True, gradients=True)),
    Recipe("lru-gradients-directions", (R, D),
           "cotangents in two directions, each with its h0, two sequences, reverse",
           lambda d: _call(d, 3, state=2, both=True, batch=2, h0=True, reverse=True,
                           gradients=True)),
    Recipe("lru-16-bit", (B,),
           "stored in 16 bits, accumulated in float32: sparse B and C",
           lambda d: _call(d, 6, sparse=True)),
)  # fmt: skip

COLLECTION = collection(SYSTEM, RECIPES, Lru(), {"near one": near_one("nu_log")})

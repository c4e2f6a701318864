"""What golden cases of layers share: how their calls are drawn and what they are about.

Logarithms are drawn, none is taken. Every float format has a sparse case, long sequences pass 16,
which is where chunks end, and gradients are short.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from scanproof.golden.collection import Collection, Recipe
from scanproof.golden.drawing import Draw
from scanproof.golden.flags import Flag, View
from scanproof.properties.results import received
from scanproof.reference.call import Call, System, kinds_of
from scanproof.reference.inputs import Array
from scanproof.reference.layers import last

B, R, D = "bfloat16", "float32", "float64"
HALF = (-1.25, 0.25)  # logarithms of rates: decays 0.28 to 0.75
NEAR_ONE = (-8.0, -5.0)  # and 0.993 to 0.9997
SIZE = (0.25, 1.0)  # of other numbers
DECAY_NEAR_ONE = -4.0  # of such a logarithm: a decay above exp(-exp(-4)) = 0.98
CLASSES = (
    {"stages": "formed"},
    {"stages": "formed", "subnormals": "daz"},
    {"stages": "formed", "adjoint": "recurrence"},
)


# ---------------------------------------------------------------- calls


def arguments(
    d: Draw, system: System, params: Mapping[str, Array], time: int, *, batch: int = 1,
    h0: bool = False, reverse: bool = False, gradients: bool = False, impulse: int | None = None,
) -> dict[str, Any]:  # fmt: skip
    """A call with these parameters; impulse: the only step at which inputs are not zero."""
    given = {name: d.cast(x) for name, x in params.items()}
    u, y_bar = (d.numbers((batch, time, len(given["D"])), SIZE) for _ in range(2))
    if impulse is not None:
        u = d.cast(np.broadcast_to(np.arange(time)[:, None] == impulse, u.shape))
    given["u"] = u
    if h0:
        given["h0"] = _states(d, Call(system, given))
    return given | ({"y_bar": y_bar} if gradients else {}) | {"reverse": reverse}


def _states(d: Draw, call: Call) -> Array:
    """h0 that goes with a call."""
    argument = call.system.argument["h0"]
    shape, kind = call.layout.shape(argument.axes), argument.kinds[0]
    real = d.numbers(shape, SIZE)
    drawn = real + 1j * d.numbers(shape, SIZE) if kind == "complex" else real
    return np.asarray(drawn).astype(kinds_of(d.dtype)[kind])


def skip(d: Draw, width: int, sparse: bool) -> Array:
    return np.zeros(width) if sparse else d.numbers((width,), (0.5, 2))


def matrix(d: Draw, rows: int, columns: int, sparse: bool) -> Array:
    return one_per_row(d, rows, columns) if sparse else d.numbers((rows, columns), SIZE)


def one_per_row(d: Draw, rows: int, columns: int) -> Array:
    """±2^k at a place of each row that differs from row to row."""
    sign = np.where(d.uniform((rows, 1)) < 0.5, -1.0, 1.0)
    size = np.ldexp(sign, np.floor(d.uniform((rows, 1), -1, 3)).astype(int))
    return np.where(np.arange(columns) == np.arange(rows)[:, None] % columns, size, 0.0)


# ---------------------------------------------------------------- flags


def _sparse(v: View) -> bool:
    """Rows of B are those of the state, rows of C those of the outputs."""
    matrices = [x for x in (_rows(v.call, name) for name in ("B", "C", "C2")) if x is not None]
    return not v.call["D"].any() and all(map(_one_power_of_two, matrices))


def _rows(call: Call, name: str) -> Array | None:
    """A matrix, or real beside imaginary part: (rows, columns)."""
    found = [x for x in map(call.wide.get, (name, f"{name}_re", f"{name}_im")) if x is not None]
    return np.concatenate([x.reshape(-1, x.shape[-1]) for x in found], 1) if found else None


def _one_power_of_two(x: Array) -> bool:
    mantissa = np.abs(np.frexp(x)[0])
    return bool(((x != 0).sum(1) <= 1).all() and np.isin(mantissa, (0, 0.5)).all())


def near_one(name: str) -> Flag:
    """Of the parameter that is the logarithm of the rate of decay."""
    return Flag(
        "a decay above exp(-exp(-4)) = 0.98",
        lambda v: bool((v.call.wide[name] < DECAY_NEAR_ONE).any()),
    )


SPARSE = Flag(
    "one power of two in each row of B and C, no D: little but the decay and the scan rounds",
    _sparse,
)


# ---------------------------------------------------------------- collections


def collection(
    system: System,
    recipes: tuple[Recipe, ...],
    plain: Callable[..., Any],
    flags: Mapping[str, Flag],
) -> Collection:
    """The cases of a layer; plain: the layer in code of its own, which takes balls too."""

    def second(call: Call) -> dict[str, Array]:
        found = received(plain(**call.keywords()), system)
        return found | {"h_last": h_last(call, found["h"])}

    return Collection(
        system, recipes, second, CLASSES, {"sparse case": SPARSE, **flags}, "sparse case"
    )


def h_last(call: Call, h: Array) -> Array:
    """The states after the last step of each direction: (batch, [2,] state...)."""
    states = h if call.layout.bidirectional else h[:, :, None]
    ends: Array = last(states, call.reverse)
    return ends if call.layout.bidirectional else ends[:, 0]

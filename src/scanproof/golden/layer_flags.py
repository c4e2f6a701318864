"""What a golden case of a layer is about, derived from its call as flags.py does it: the same on every machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from scanproof.golden.flags import FLAGS
from scanproof.properties.layer_calls import LayerCall
from scanproof.reference.inputs import Array

NEAR_ONE = -4.0  # of nu_log or gamma_log: a decay above exp(-exp(-4)) = 0.98


class LayerFlag(NamedTuple):
    meaning: str
    holds: Callable[[LayerCall], bool]


def _sparse(call: LayerCall) -> bool:
    """Rows of B are those of the state, rows of C those of the outputs."""
    wide = {name: x.astype(np.float64) for name, x in call.named.items()}
    B, C, C2 = (_rows(wide, name) for name in ("B", "C", "C2"))
    return not wide["D"].any() and all(_one_power_of_two(x) for x in (B, C, C2) if x is not None)


def _rows(named: dict[str, Array], name: str) -> Array | None:
    """A matrix, or real beside imaginary part: (rows, columns)."""
    parts = [named[part].reshape(-1, named[part].shape[-1]) for part in (name, f"{name}_re", f"{name}_im") if part in named]
    return np.concatenate(parts, 1) if parts else None


def _one_power_of_two(x: Array) -> bool:
    mantissa = np.abs(np.frexp(x)[0])
    return bool(((x != 0).sum(1) <= 1).all() and np.isin(mantissa, (0, 0.5)).all())


def _near_one(call: LayerCall) -> bool:
    return bool((call.named["nu_log" if call.system == "lru" else "gamma_log"].astype(np.float64) < NEAR_ONE).any())


def _symmetric(call: LayerCall) -> bool:
    M = call.named.get("M")
    return M is not None and bool((M == M.swapaxes(1, 2)).all())


LAYER_FLAGS = {
    "sparse case": LayerFlag("one power of two in each row of B and C, no D: little but the decay and the scan rounds", _sparse),
    "short": LayerFlag(FLAGS["short"].meaning, lambda call: call.u.shape[1] <= 3),
    "h0": LayerFlag(FLAGS["h0"].meaning, lambda call: call.h0 is not None),
    "reverse": LayerFlag(FLAGS["reverse"].meaning, lambda call: call.reverse),
    "two directions": LayerFlag("C2 reads a second scan in the other direction", lambda call: call.entered.border.bidirectional),
    "gradients": LayerFlag("y_bar is given", lambda call: call.y_bar is not None),
    "batch": LayerFlag("more than one sequence", lambda call: call.u.shape[0] > 1),
    "near one": LayerFlag("a decay above exp(-exp(-4)) = 0.98", _near_one),
    "heads": LayerFlag("RotRNN with more than one head", lambda call: len(call.named.get("theta", ())) > 1),
    "identity basis": LayerFlag("RotRNN with M symmetric, so that P = I", _symmetric),
}


def layer_flags(call: LayerCall) -> list[str]:
    """The flags that hold, in the order of LAYER_FLAGS."""
    return [name for name, flag in LAYER_FLAGS.items() if flag.holds(call)]

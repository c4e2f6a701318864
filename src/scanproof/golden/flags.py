"""What a golden case is about: flags that are derived from its call and its truth, never typed.

They are part of the hash in the id, so they are computed alike on every machine: without any
elementary function, not even hypot.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.call import Call
from scanproof.reference.inputs import Array


class View(NamedTuple):
    """What flags are derived from; magnitude is None where the system has none."""

    call: Call
    arithmetic: Arithmetic  # of the dtype, nothing else declared
    heads: Mapping[str, Array]  # the truth of every result, float64 or complex128
    magnitude: Array | None


class Flag(NamedTuple):
    meaning: str
    holds: Callable[[View], bool]


def _short(v: View) -> bool:
    return v.call.system.timed and v.call.size("time") <= 3


def _started(v: View) -> bool:
    return any(name in v.call.arguments for name in v.call.system.named("state"))


COMMON = {
    "short": Flag("three steps or fewer", _short),
    "initial state": Flag("a state before the first step", _started),
    "reverse": Flag("from the last step to the first", lambda v: v.call.reverse),
    "batch": Flag("more than one sequence", lambda v: v.call.size("batch") > 1),
    "two directions": Flag(
        "a second scan of the same inputs in the other direction",
        lambda v: v.call.layout.bidirectional,
    ),
    "gradients": Flag("a cotangent of a result is given", lambda v: bool(v.call.cotangents())),
}


def holding(flags: Mapping[str, Flag], view: View) -> list[str]:
    """Those of COMMON and of these flags that hold, in this order."""
    return [name for name, flag in {**COMMON, **flags}.items() if flag.holds(view)]

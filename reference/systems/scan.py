"""The bare scan h_t = lam_t h_{t-1} + b_t, one channel independent of the next, as a system.

    symbol   meaning                                    shape
    lam      transition (decay, eigenvalue) lambda      (channels,) or (batch, time, channels)
    b        drive                                      (batch, time, channels)
    h0       state before the first step                (batch, channels)
    h        all states                                 (batch, time, channels)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from scanproof.reference.allowance.scans import assumes, theory, unmodelled, window
from scanproof.reference.call import Argument, Call, Result, System
from scanproof.reference.inputs import Inputs
from scanproof.reference.numbers import namespace


class Constants(NamedTuple):
    """What the recurrence is made of."""

    lam: Any  # (channels,) or (batch, time, channels)


def _run(k: Constants, x: Mapping[str, Any], reverse: bool) -> dict[str, Any]:
    return {"h": namespace.of(x["b"]).scan(k.lam, x["b"], x["h0"], reverse)}


SYSTEM = System(
    name="scan",
    title="the bare scan of a diagonal linear recurrence",
    arguments=(
        Argument(
            "lam",
            "channels | [batch] time channels",
            "gate",
            ("declared", "real"),
            "decays, constant or varying in time",
        ),
        Argument(
            "b",
            "[batch] time channels",
            "input",
            ("declared",),
            "what is added at every step",
            linear=True,
        ),
        Argument(
            "h0",
            "[batch] channels",
            "state",
            ("declared",),
            "state before the first step",
            optional=True,
        ),
    ),
    results=(Result("h", "[batch] time channels", "declared", "all states", state="h0"),),
    constants=lambda x: Constants(x["lam"]),
    run=_run,
    equation="h[t] = lam[t] h[t-1] + b[t]",
    carry="lam",
    dtypes=("float16", "bfloat16", "float32", "float64", "complex64", "complex128"),
    independent="channels",
    theory=theory,
    unmodelled=unmodelled,
    assumes=assumes,
    features=frozenset({"states", "angle-sum"}),
    window=window,
)


def call_of(inputs: Inputs) -> Call:
    """Makes a call of the inputs of one scan, b (batch, time, channels)."""
    start = {} if inputs.h0 is None else {"h0": inputs.h0}
    return Call(SYSTEM, {"lam": inputs.lam, "b": inputs.b} | start, inputs.reverse)

"""The golden cases of scans: one line a case family, fixed seeds (the slug and the dtype).

Lengths lie at and around chunk lengths that kernels use; moduli are ranges to draw |lam| from.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scanproof.golden.collection import Collection, Recipe
from scanproof.golden.drawing import Draw, Range
from scanproof.golden.magnitude import magnitude
from scanproof.golden.recipes.scan_flags import FLAGS
from scanproof.reference.allowance.scans import inputs_of
from scanproof.reference.call import Call
from scanproof.reference.inputs import Array
from scanproof.reference.systems.scan import SYSTEM
from scanproof.reference.transitions.diagonal import scan

HALF, NEAR_ONE, NEAR_ZERO = (0.25, 0.75), (1 - 2**-7, 1 - 2**-12), (2**-20, 2**-12)
ONE, ABOVE = (1.0, 1.0), (1.0, 1.06)
H, B, R, D, C, Z = "float16", "bfloat16", "float32", "float64", "complex64", "complex128"
Arguments = dict[str, Any]


# ---------------------------------------------------------------- calls


def _dense(
    d: Draw, time: int, lam: Range, *, channels: int = 2, batch: int = 1, size: float = 1.0,
    varying: bool = False, h0: bool = False, reverse: bool = False,
) -> Arguments:  # fmt: skip
    """Random numbers everywhere: |lam| from the range, |b| and |h0| from size/4 to size."""
    shape = (batch, time, channels)
    b, start = (d.numbers(s, (size / 4, size)) for s in (shape, (batch, channels)))
    drawn = d.numbers(shape if varying else (channels,), lam)
    return {"lam": drawn, "b": b, "h0": start if h0 else None, "reverse": reverse}


def _exact(
    d: Draw, time: int, *, channels: int = 2, batch: int = 1,
    varying: bool = False, h0: bool = False, reverse: bool = False,
) -> Arguments:  # fmt: skip
    """An integer case, as large as sums stay exact with: a state kept in fewer bits shows."""
    shape = (batch, time, channels)
    operands = (math.prod(shape) + batch * channels) * (1 + d.arithmetic.is_complex)
    top = max(1, 2 ** (d.arithmetic.format.significand_bits - 1) // operands)
    b, start = d.whole(shape, top), d.whole((batch, channels), top)
    lam = d.units(shape if varying else (channels,))
    return {"lam": lam, "b": b, "h0": start if h0 else None, "reverse": reverse}


def _impulse(
    d: Draw, time: int, at: int, lam: Range, *, varying: bool = False, reverse: bool = False
) -> Arguments:
    """One nonzero drive at step `at`."""
    shape = (1, time, 2)
    b = np.zeros(shape, d.dtype)
    b[:, at] = d.numbers((1, 2), (0.5, 2))
    return {"lam": d.numbers(shape if varying else (2,), lam), "b": b, "reverse": reverse}


def _cancelling(d: Draw) -> Arguments:
    """Every second step takes back what the one before has brought, up to a small rest."""
    b = _dense(d, 24, (1.0, 1.0))["b"]
    b[:, 1::2] = -b[:, ::2] * (1 + 2.0**-11)
    return {"lam": d.cast(np.ones(2)), "b": b}


def _constant(d: Draw) -> Arguments:
    drawn = _dense(d, 65, NEAR_ONE)
    return drawn | {"b": np.broadcast_to(drawn["b"][:, :1], drawn["b"].shape).copy()}


def _resets(drawn: Arguments) -> Arguments:
    """lam_t = 0 in every channel, at the step after 16 and at a step of its own."""
    lam = drawn["lam"].copy()
    lam[:, 16] = 0
    for channel in range(lam.shape[2]):
        lam[:, 5 + 3 * channel, channel] = 0
    return drawn | {"lam": lam}


def _negative_zeros(drawn: Arguments) -> Arguments:
    b = drawn["b"].copy()
    b[:, ::3] = -np.zeros(1, b.dtype)
    return drawn | {"b": b}


def _start_only(d: Draw, time: int, reverse: bool) -> Arguments:
    drawn = _dense(d, time, HALF, h0=True, reverse=reverse)
    return drawn | {"b": np.zeros_like(drawn["b"])}


def _real_multipliers(d: Draw) -> Arguments:
    drawn = _dense(d, 33, HALF)
    return drawn | {"lam": drawn["lam"].real.copy()}


RECIPES = (
    Recipe("one-step", (R, Z),
           "one step with h0: the smallest call, lam h0 + b",
           lambda d: _dense(d, 1, HALF, channels=3, h0=True)),
    Recipe("two-steps", (D,),
           "two steps from the end, with h0: order of the steps",
           lambda d: _dense(d, 2, HALF, h0=True, reverse=True)),
    Recipe("three-steps", (C,),
           "three steps, lam_t of its own: an index off by one",
           lambda d: _dense(d, 3, HALF, varying=True, h0=True)),
    Recipe("layout", (R, Z),
           "batch, time and channels of different sizes: exchanged axes, mixed channels",
           lambda d: _exact(d, 5, batch=3, channels=4, varying=True, h0=True)),
    Recipe("exact-16", (C,),
           "one full chunk of 16: an index or carry at its end",
           lambda d: _exact(d, 16, h0=True)),
    Recipe("exact-17", (R, Z, H, B),
           "one step more than a chunk of 16: a last chunk without its carry",
           lambda d: _exact(d, 17)),
    Recipe("exact-33", (R, D),
           "two chunks of 16 and one step, from the end: carries in the wrong order",
           lambda d: _exact(d, 33, h0=True, reverse=True)),
    Recipe("exact-resets-64", (R, C, D),
           "lam_t = 0 within and at the edge of a chunk: a carry that passes a reset",
           lambda d: _resets(_exact(d, 64, varying=True, h0=True))),
    Recipe("exact-resets-reverse-65", (Z, H, B),
           "lam_t = 0, from the end: lam_t taken from the wrong side",
           lambda d: _resets(_exact(d, 65, varying=True, reverse=True))),
    Recipe("exact-129", (R, C),
           "one step more than a power of two: carries over many chunks",
           lambda d: _exact(d, 129, channels=1)),
    Recipe("impulse-start", (R, C),
           "a drive at the first step alone: the powers of lam, of which each state is one",
           lambda d: _impulse(d, 33, 0, (0.4, 0.9))),
    Recipe("impulse-edge", (D, Z),
           "a drive at the last step of a chunk of 16: is it carried on once?",
           lambda d: _impulse(d, 40, 15, (0.6, 0.95))),
    Recipe("impulse-conjugate", (C,),
           "a drive and strong phases: conjugated lam, b or h",
           lambda d: _impulse(d, 17, 1, (0.9, 1.0))),
    Recipe("impulse-varying", (C,),
           "a drive and lam_t of its own from the end: lam_{t+1} for lam_t",
           lambda d: _impulse(d, 33, 30, (0.7, 1.3), varying=True, reverse=True)),
    Recipe("start-only", (C,),
           "h0 alone: a start that is added but not multiplied",
           lambda d: _start_only(d, 17, False)),
    Recipe("start-only-reverse", (R,),
           "h0 alone from the end: a start on the wrong side",
           lambda d: _start_only(d, 17, True)),
    Recipe("dense", (D,),
           "random numbers, lengths that are no power of two",
           lambda d: _dense(d, 45, HALF, h0=True)),
    Recipe("near-one", (R, C),
           "|lam| just below 1: nothing is forgotten, faults in carries stay",
           lambda d: _dense(d, 65, NEAR_ONE)),
    Recipe("one", (R, Z),
           "|lam| = 1 as nearly as the format can: running sums and rotations",
           lambda d: _dense(d, 33, ONE)),
    Recipe("above-one", (D,),
           "|lam| above 1: growth, h0 outweighs the drive",
           lambda d: _dense(d, 33, ABOVE, h0=True)),
    Recipe("near-zero", (R, D),
           "powers of lam underflow: a division by a power of lam",
           lambda d: _dense(d, 129, NEAR_ZERO, channels=1)),
    Recipe("varying", (D, Z),
           "lam_t of its own at every step, in several rows",
           lambda d: _dense(d, 17, HALF, batch=2, varying=True, h0=True)),
    Recipe("resets", (R, C),
           "random numbers with lam_t = 0: 0 / 0 or log 0 in another algorithm",
           lambda d: _resets(_dense(d, 33, HALF, varying=True))),
    Recipe("reverse", (C, D),
           "random numbers from the end, with h0",
           lambda d: _dense(d, 45, HALF, h0=True, reverse=True)),
    Recipe("cancellation", (R, Z),
           "states far smaller than what they are summed from: relative tolerances fail here",
           _cancelling),
    Recipe("constant", (R,),
           "one drive for all steps: roundings that add up",
           _constant),
    Recipe("subnormal", (R, D),
           "inputs and states below the smallest normal number: flushing to zero",
           lambda d: _dense(d, 16, HALF, size=d.arithmetic.format.smallest_normal / 4)),
    Recipe("near-overflow", (R, Z),
           "states near the largest number: an overflow on the way",
           lambda d: _dense(d, 16, HALF, size=d.arithmetic.format.largest / 16)),
    Recipe("negative-zero", (C,),
           "drives of -0: a copy, a sign or a mask that changes a state",
           lambda d: _negative_zeros(_dense(d, 17, HALF))),
    Recipe("real-multipliers", (C,),
           "real lam, complex b: promotion and layout",
           _real_multipliers),
    Recipe("dense-16-bit", (H, B),
           "random 16-bit numbers and few steps",
           lambda d: _dense(d, 6, HALF, channels=4, h0=True)),
    Recipe("resets-16-bit", (H, B),
           "random 16-bit numbers with lam_t = 0",
           lambda d: _resets(_dense(d, 20, HALF, varying=True))),
    Recipe("impulse-16-bit", (H, B),
           "one 16-bit drive at the edge of a chunk of 4",
           lambda d: _impulse(d, 12, 3, (0.6, 0.95))),
)  # fmt: skip


def _magnitude(call: Call) -> Array:
    X: Array = call.to_caller(call.axes_of("h"), magnitude(inputs_of(call)))
    return X


COLLECTION = Collection(
    system=SYSTEM,
    recipes=RECIPES,
    second=lambda call: {"h": scan(**call.keywords())},
    classes=({}, {"subnormals": "daz"}, {"order": "sequential"}, {"accumulate": None}),
    flags=FLAGS,
    decisive="integer case",
    magnitude=_magnitude,
)

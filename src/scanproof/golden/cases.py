"""The recipes of the published cases: one line a case family, fixed seeds (the slug and the dtype).

A recipe that changes makes other cases with other ids; published files stay readable. Lengths lie at and around chunk
lengths that kernels use; moduli are ranges that |lam| is drawn from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from scanproof.golden.drawing import Draw
from scanproof.reference.inputs import Inputs

HALF, NEAR_ONE, NEAR_ZERO, ONE, ABOVE = (0.25, 0.75), (1 - 2**-7, 1 - 2**-12), (2**-20, 2**-12), (1.0, 1.0), (1.0, 1.06)
H, B, R, D, C, Z = "float16", "bfloat16", "float32", "float64", "complex64", "complex128"


class Recipe(NamedTuple):
    """A slug, the dtypes it is made for, which bugs it finds, and how the inputs are drawn."""

    slug: str
    dtypes: tuple[str, ...]
    purpose: str
    draw: Callable[[Draw], Inputs]


def _cancelling(d: Draw) -> Inputs:
    """Every second step takes back what the one before has brought, up to a small rest."""
    inputs = d.dense(24, (1.0, 1.0))
    b = inputs.b.copy()
    b[:, 1::2] = -b[:, ::2] * (1 + 2.0**-11)
    return Inputs(d.cast(np.ones(2)), b)


def _constant(d: Draw) -> Inputs:
    inputs = d.dense(65, NEAR_ONE)
    return replace(inputs, b=np.broadcast_to(inputs.b[:, :1], inputs.b.shape).copy())


def _resets(inputs: Inputs) -> Inputs:
    """lam_t = 0 in every lane, at the step after 16 and at a step of its own."""
    lam = inputs.lam.copy()
    lam[:, 16] = 0
    for channel in range(lam.shape[2]):
        lam[:, 5 + 3 * channel, channel] = 0
    return replace(inputs, lam=lam)


def _negative_zeros(inputs: Inputs) -> Inputs:
    b = inputs.b.copy()
    b[:, ::3] = -np.zeros(1, b.dtype)
    return replace(inputs, b=b)


def _start_only(d: Draw, time: int, reverse: bool) -> Inputs:
    inputs = d.dense(time, HALF, h0=True, reverse=reverse)
    return replace(inputs, b=np.zeros_like(inputs.b))


def _real_multipliers(d: Draw) -> Inputs:
    inputs = d.dense(33, HALF)
    return replace(inputs, lam=inputs.lam.real.copy())


def _layout(d: Draw) -> Inputs:
    """Every lane has numbers of its own."""
    return d.exact(5, batch=3, channels=4, varying=True, h0=True)


RECIPES = (
    Recipe("one-step", (R, Z), "one step with h0: the smallest call, lam h0 + b",
           lambda d: d.dense(1, HALF, channels=3, h0=True)),
    Recipe("two-steps", (D,), "two steps from the end, with h0: order of the steps",
           lambda d: d.dense(2, HALF, h0=True, reverse=True)),
    Recipe("three-steps", (C,), "three steps, lam_t of its own: an index off by one",
           lambda d: d.dense(3, HALF, varying=True, h0=True)),
    Recipe("layout", (R, Z), "batch, time and channels of different sizes: exchanged axes, mixed lanes",
           _layout),
    Recipe("exact-16", (C,), "one full chunk of 16: an index or carry at its end",
           lambda d: d.exact(16, h0=True)),
    Recipe("exact-17", (R, Z, H, B), "one step more than a chunk of 16: a last chunk without its carry",
           lambda d: d.exact(17)),
    Recipe("exact-33", (R, D), "two chunks of 16 and one step, from the end: carries in the wrong order",
           lambda d: d.exact(33, h0=True, reverse=True)),
    Recipe("exact-resets-64", (R, C, D), "lam_t = 0 within and at the edge of a chunk: a carry that passes a reset",
           lambda d: _resets(d.exact(64, varying=True, h0=True))),
    Recipe("exact-resets-reverse-65", (Z, H, B), "lam_t = 0, from the end: lam_t taken from the wrong side",
           lambda d: _resets(d.exact(65, varying=True, reverse=True))),
    Recipe("exact-129", (R, C), "one step more than a power of two: carries over many chunks",
           lambda d: d.exact(129, channels=1)),
    Recipe("impulse-start", (R, C), "a drive at the first step alone: the powers of lam, of which each state is one",
           lambda d: d.impulse(33, 0, (0.4, 0.9))),
    Recipe("impulse-edge", (D, Z), "a drive at the last step of a chunk of 16: is it carried on once?",
           lambda d: d.impulse(40, 15, (0.6, 0.95))),
    Recipe("impulse-conjugate", (C,), "a drive and strong phases: conjugated lam, b or h",
           lambda d: d.impulse(17, 1, (0.9, 1.0))),
    Recipe("impulse-varying", (C,), "a drive and lam_t of its own from the end: lam_{t+1} for lam_t",
           lambda d: d.impulse(33, 30, (0.7, 1.3), varying=True, reverse=True)),
    Recipe("start-only", (C,), "h0 alone: a start that is added but not multiplied",
           lambda d: _start_only(d, 17, False)),
    Recipe("start-only-reverse", (R,), "h0 alone from the end: a start on the wrong side",
           lambda d: _start_only(d, 17, True)),
    Recipe("dense", (D,), "random numbers, lengths that are no power of two",
           lambda d: d.dense(45, HALF, h0=True)),
    Recipe("near-one", (R, C), "|lam| just below 1: nothing is forgotten, faults in carries stay",
           lambda d: d.dense(65, NEAR_ONE)),
    Recipe("one", (R, Z), "|lam| = 1 as nearly as the format can: running sums and rotations",
           lambda d: d.dense(33, ONE)),
    Recipe("above-one", (D,), "|lam| above 1: growth, h0 outweighs the drive",
           lambda d: d.dense(33, ABOVE, h0=True)),
    Recipe("near-zero", (R, D), "powers of lam underflow: a division by a power of lam",
           lambda d: d.dense(129, NEAR_ZERO, channels=1)),
    Recipe("varying", (D, Z), "lam_t of its own at every step, in several rows",
           lambda d: d.dense(17, HALF, batch=2, varying=True, h0=True)),
    Recipe("resets", (R, C), "random numbers with lam_t = 0: 0 / 0 or log 0 in another algorithm",
           lambda d: _resets(d.dense(33, HALF, varying=True))),
    Recipe("reverse", (C, D), "random numbers from the end, with h0",
           lambda d: d.dense(45, HALF, h0=True, reverse=True)),
    Recipe("cancellation", (R, Z), "states far smaller than what they are summed from: relative tolerances fail here",
           _cancelling),
    Recipe("constant", (R,), "one drive for all steps: roundings that add up",
           _constant),
    Recipe("subnormal", (R, D), "inputs and states below the smallest normal number: flushing to zero",
           lambda d: d.dense(16, HALF, size=d.arithmetic.format.smallest_normal / 4)),
    Recipe("near-overflow", (R, Z), "states near the largest number: an overflow on the way",
           lambda d: d.dense(16, HALF, size=d.arithmetic.format.largest / 16)),
    Recipe("negative-zero", (C,), "drives of -0: a copy, a sign or a mask that changes a state",
           lambda d: _negative_zeros(d.dense(17, HALF))),
    Recipe("real-multipliers", (C,), "real lam, complex b: promotion and layout",
           _real_multipliers),
    Recipe("dense-16-bit", (H, B), "random 16-bit numbers and few steps",
           lambda d: d.dense(6, HALF, channels=4, h0=True)),
    Recipe("resets-16-bit", (H, B), "random 16-bit numbers with lam_t = 0",
           lambda d: _resets(d.dense(20, HALF, varying=True))),
    Recipe("impulse-16-bit", (H, B), "one 16-bit drive at the edge of a chunk of 4",
           lambda d: d.impulse(12, 3, (0.6, 0.95))),
)  # fmt: skip

"""The recurrence on absolute values, X_t = |lam_t| X_{t-1} + |b_t|, X_0 = |h0|.

It runs in integers, so that it gives the same bits on every machine.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from scanproof.reference.inputs import Array, Inputs
from scanproof.reference.transitions.diagonal import scan

BITS = 64  # of a modulus that is not rational


def magnitude(inputs: Inputs) -> Array:
    """X rounded upwards, (batch, time, channels) float64, inf where it overflows."""
    X = scan(moduli(inputs.lam), moduli(inputs.b), moduli(inputs.start), inputs.reverse)
    return np.asarray(np.frompyfunc(_upwards, 1, 1)(X).astype(float))


def moduli(x: Array) -> Array:
    """|x| as Fractions, of x's shape, rounded upwards where it is irrational."""
    parts = [x.real, x.imag] if np.iscomplexobj(x) else [x, np.zeros_like(x)]
    return np.asarray(np.frompyfunc(_modulus, 2, 1)(*(part.astype(float) for part in parts)))


def _modulus(re: float, im: float) -> Fraction:
    """|re + i im|, rounded upwards by less than 2^-BITS of itself where it is irrational."""
    if re == 0 or im == 0:
        return Fraction(abs(re + im))
    square = Fraction(re) ** 2 + Fraction(im) ** 2
    bits = square.denominator.bit_length() - square.numerator.bit_length()
    shift = max(0, BITS + bits // 2 + 1)
    scaled = square * 4**shift
    root = math.isqrt(math.floor(scaled))
    return Fraction(root if root * root == scaled else root + 1, 1 << shift)


def _upwards(x: Any) -> float:
    """A float64 that is at least x."""
    try:
        near = float(x)
    except OverflowError:
        return math.inf
    return near if Fraction(near) >= x else math.nextafter(near, math.inf)

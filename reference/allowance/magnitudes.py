"""Sizes and counts of a scan, block by block; the glossary is that of rounding.py."""

from __future__ import annotations

import sys
from typing import NamedTuple

import numpy as np

from scanproof.reference.allowance import integer_cases
from scanproof.reference.allowance.integer_cases import Whole, parts
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.operations import TINY, UP, Roundings
from scanproof.reference.inputs import Array, Inputs
from scanproof.reference.transitions.diagonal import at, scan

LONG = 999  # steps from which on loops are compiled


class Leaves(NamedTuple):
    """Sizes and read errors of the numbers of some steps, and how products by lam_t behave."""

    A: Array  # (channels,) or (batch, time, channels), as are dA, rounds and loses
    dA: Array
    X: Array  # (batch, time, channels), as is dX
    dX: Array
    rounds: Array  # bool: a product by lam_t can have a relative error
    loses: Array  # bool: a product by lam_t can have any error


class Carry(NamedTuple):
    """Where the scans of the allowance stand before a block of steps; (batch, channels) each."""

    steps: int  # done so far
    time: int  # in all
    X: Array
    n: Array
    m: Array
    lossy: Array
    ending: Array  # largest product of multipliers over a segment that ends here
    G: Array
    total: Array
    size: Array  # |h|
    E: Array
    peak: Array  # largest number met in any evaluation
    whole: Whole


class Magnitudes(NamedTuple):
    """What all orders start from: the scan on absolute values and the counts of the glossary;
    (batch, time, channels) each."""

    X: Array
    before: Array  # X_{t-1}, or |h_{t-1}| where that is known to act
    now: Array  # X_t, or |h_t|
    carried: Array  # bool: lam_t h_{t-1} is not exactly zero
    n: Array
    m: Array
    lossy: Array  # bool: some of the m products can have an error
    ending: Array
    G: Array
    total: Array  # sum of the n operands' |b| + dX


def start(inputs: Inputs, arithmetic: Arithmetic) -> Carry:
    """The carry before the first step of forward inputs: arrays (batch, channels)."""
    h0 = parts(inputs.start)
    X, dX = _modulus(h0), _read_error(h0, arithmetic)
    zeros, ones = np.zeros(X.shape), np.ones(X.shape)
    whole = integer_cases.start(inputs)
    return Carry(
        0, inputs.b.shape[1], X, (X > 0) + 0.0, zeros, zeros, ones, ones, X + dX, X, dX, zeros,
        whole,
    )  # fmt: skip


def leaves(block: Inputs, arithmetic: Arithmetic, ops: Roundings) -> Leaves:
    """Computes sizes and read errors of lam and b, in their shapes.

    With `daz` a subnormal component may be read as zero; narrowed operands lose bits
    (docs/theorem.md, formats).
    """
    lam, b = parts(block.lam), parts(block.b)
    read_error = [_read_error(x, arithmetic) for x in (lam, b)]
    A, X = _modulus(lam), _modulus(b)
    on_axis = (lam != 0).sum(0) <= 1
    power = ((lam == 0) | (np.abs(np.frexp(lam)[0]) == 0.5)).all(0)  # components 0 or +-2^j
    unit = on_axis & (np.abs(lam).sum(0) == 1) & (arithmetic.subnormals == "gradual")
    model = ops.model
    narrowed = (ops.operand > 0) | model.unsure
    return Leaves(
        A=A,
        dA=model.read_lam * read_error[0]
        + model.stored * A
        + np.where(A > 0, ops.operand_loss, 0.0),
        X=X,
        dX=model.read_b * read_error[1] + np.where(X > 0, ops.operand * X + ops.operand_loss, 0.0),
        rounds=~(on_axis & power) | narrowed,
        loses=~unit | narrowed,
    )


def _read_error(x: Array, arithmetic: Arithmetic) -> Array:
    """Size of the components that may be read as zero; a factor of a product for one of its
    components only: sqrt(2) |x|."""
    if arithmetic.subnormals != "daz":
        return np.zeros(x.shape[1:])
    return _modulus(np.where(np.abs(x) < arithmetic.omega, x, 0.0)) * (
        2**0.5 * UP if len(x) == 2 else 1
    )


def magnitudes_of(leaf: Leaves, carry: Carry, sizes: Array | None) -> Magnitudes:
    """Scans sizes and counts, (batch, time, channels) each; every count is a scan of its own.

    `sizes` are upper bounds of |h_t|, where these are known to act.
    """
    some = (leaf.A > 0).astype(float)  # lam-shaped
    X, n = (
        positive_scan(leaf.A, leaf.X, carry.X),
        positive_scan(some, (leaf.X > 0).astype(float), carry.n),
    )
    carried = some * (_delayed(n, carry.n) > 0)
    now = X if sizes is None else np.minimum(X, sizes)
    ending, G = _largest_segment(leaf.A + leaf.dA, carry, leaf.X.shape[1])
    return Magnitudes(
        X=X,
        before=_delayed(now, carry.size),
        now=now,
        carried=carried > 0,
        n=n,
        m=positive_scan(carried, carried, carry.m),
        lossy=positive_scan(carried, carried * leaf.loses, carry.lossy),
        ending=ending,
        G=G,
        total=positive_scan(carried, leaf.X + leaf.dX, carry.total),
    )


def after(magnitudes: Magnitudes, before: Carry, E: Array, peak: Array, whole: Whole) -> Carry:
    """The carry after the last of these steps: arrays (batch, channels)."""
    time = magnitudes.X.shape[1]
    if not time:
        return before
    return Carry(
        steps=before.steps + time,
        time=before.time,
        X=magnitudes.X[:, -1],
        n=magnitudes.n[:, -1],
        m=magnitudes.m[:, -1],
        lossy=magnitudes.lossy[:, -1],
        ending=magnitudes.ending[:, -1],
        G=magnitudes.G[:, -1],
        total=magnitudes.total[:, -1],
        size=magnitudes.now[:, -1],
        E=E[:, -1],
        peak=peak[:, -1],
        whole=whole,
    )


def positive_scan(gain: Array, source: Array, start: Array) -> Array:
    """Computes scan(gain, source, start) of float64 numbers, compiled where that pays.

    source and the result are (batch, time, channels), start is (batch, channels), and gain is
    (channels,) or like source.
    """
    if not _pays(source.shape[1]):
        return scan(gain, source, start)
    from scanproof.reference.transitions import compiled  # imports numba

    return compiled.scan(gain, source, start)


def _pays(time: int) -> bool:
    """Whether to compile: importing Numba takes half a second, unless something else needed it."""
    return time > LONG or "numba" in sys.modules


def _delayed(x: Array, start: Array) -> Array:
    """x_{t-1}: (batch, time, channels)."""
    return np.concatenate([start[:, None], x[:, :-1]], axis=1)[:, : x.shape[1]]


def _largest_segment(A: Array, carry: Carry, time: int) -> tuple[Array, Array]:
    """Largest product of multipliers over a segment ending at t, and G_t, at least 1."""
    batch, channels = carry.ending.shape
    if _pays(time):
        from scanproof.reference.transitions import compiled

        products = compiled.largest(A, carry.ending, time)
    else:
        ending, products = carry.ending, np.ones((batch, time, channels))
        for t in range(time):
            ending = products[:, t] = at(A, t) * np.maximum(ending, 1)
    return products, np.maximum.accumulate(np.maximum(products, carry.G[:, None]), axis=1)


def _modulus(parts: Array) -> Array:
    """|x| of its parts, rounded upwards; exact where one component is zero."""
    if len(parts) == 1:
        return np.asarray(np.abs(parts[0]))
    oblique = (parts[0] != 0) & (parts[1] != 0)
    return np.asarray(
        np.where(oblique, np.hypot(*parts) * UP + TINY, np.abs(parts[0]) + np.abs(parts[1]))
    )

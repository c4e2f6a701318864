"""The smallest call that still fails: one row, one channel, short, zeros, few bits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from scanproof.properties.strategies import Domain
from scanproof.reference.inputs import Array, Inputs

SECONDS, CALLS = 20.0, 300


def shrink(inputs: Inputs, domain: Domain, fails: Callable[[Inputs], tuple[int, int, int] | None]) -> Inputs:
    """The smallest inputs found for which `fails` still gives the index of its first outside element.

    Deterministic; stops after SECONDS or CALLS, whichever comes first.
    """
    deadline, calls, index = time.monotonic() + SECONDS, 0, fails(inputs)
    if index is None:
        return inputs  # does not fail again: nothing to go by
    progress = True
    while progress:
        progress = False
        for smaller in _candidates(inputs, index):
            if calls >= CALLS or time.monotonic() > deadline:
                return inputs
            if not domain.holds(smaller.b.shape, smaller.varying):
                continue
            calls += 1
            found = fails(smaller)
            if found is not None:
                inputs, index, progress = smaller, found, True
                break
    return inputs


def _candidates(inputs: Inputs, index: tuple[int, int, int]) -> Iterator[Inputs]:
    """Simpler inputs, the boldest steps first."""
    row, step, channel = index
    batch, time_, channels = inputs.b.shape
    if batch > 1:
        yield _take(inputs, slice(row, row + 1), slice(None), slice(None))
    if channels > 1:
        yield _take(inputs, slice(None), slice(None), slice(channel, channel + 1))
    used = slice(step, None) if inputs.reverse else slice(None, step + 1)
    if used.indices(time_) != (0, time_, 1):
        yield _take(inputs, slice(None), used, slice(None))
    if inputs.h0 is not None:
        yield replace(inputs, h0=None)
    for gone in _blocks(time_):
        yield _without(inputs, gone)
    if inputs.varying and (inputs.lam == inputs.lam[:1, :1]).all():
        yield replace(inputs, lam=inputs.lam[0, 0].copy())
    for gone in _blocks(time_):
        if (inputs.b[:, gone] != 0).any():
            b = inputs.b.copy()
            b[:, gone] = 0
            yield replace(inputs, b=b)
    for bits in (1, 2, 4, 8, 12):
        for name in ("b", "h0", "lam"):
            value = getattr(inputs, name)
            if value is not None and not np.array_equal(_rounded(value, bits), value):
                yield replace(inputs, **{name: _rounded(value, bits)})  # type: ignore[arg-type]


def _blocks(length: int) -> Iterator[slice]:
    """Halves, quarters, ... of range(length), the largest first."""
    size = length // 2
    while size:
        for start in range(0, length, size):
            yield slice(start, start + size)
        size //= 2


def _take(inputs: Inputs, rows: slice, steps: slice, channels: slice) -> Inputs:
    lam = inputs.lam[rows, steps, channels] if inputs.varying else inputs.lam[channels]
    h0 = None if inputs.h0 is None else inputs.h0[rows, channels].copy()
    return replace(inputs, lam=lam.copy(), b=inputs.b[rows, steps, channels].copy(), h0=h0)


def _without(inputs: Inputs, steps: slice) -> Inputs:
    lam = np.delete(inputs.lam, steps, axis=1) if inputs.varying else inputs.lam
    return replace(inputs, lam=lam, b=np.delete(inputs.b, steps, axis=1))


def _rounded(x: Array, bits: int) -> Array:
    """x with `bits` significand bits per component."""
    if np.iscomplexobj(x):
        return (_rounded(x.real, bits) + 1j * _rounded(x.imag, bits)).astype(x.dtype)
    fraction, exponent = np.frexp(x.astype(float))
    return np.asarray(np.ldexp(np.rint(fraction * 2**bits) / 2**bits, exponent).astype(x.dtype))

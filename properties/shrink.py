"""The smallest call that still fails: one row, one channel, short, zeros, few bits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from scanproof.properties.strategies import Domain
from scanproof.reference.inputs import Array, Inputs

SECONDS, CALLS = 20.0, 300

C = TypeVar("C")
Index = tuple[int, ...]
Simpler = Callable[[C, Domain, Index], Iterator[C]]


def shrink(call: C, domain: Domain, fails: Callable[[C], Index | None], simpler: Simpler[C] | None = None) -> C:
    """The smallest call found for which `fails` still gives the index of its worst outside element.

    Deterministic; stops after SECONDS or CALLS, whichever comes first. `simpler` gives candidates of the domain, the boldest
    first; those of a scan when None.
    """
    candidates: Simpler[Any] = simpler or simpler_scans
    deadline, calls, index = time.monotonic() + SECONDS, 0, fails(call)
    if index is None:
        return call  # does not fail again: nothing to go by
    progress = True
    while progress:
        progress = False
        for smaller in candidates(call, domain, index):
            if calls >= CALLS or time.monotonic() > deadline:
                return call
            calls += 1
            found = fails(smaller)
            if found is not None:
                call, index, progress = smaller, found, True
                break
    return call


def simpler_scans(inputs: Inputs, domain: Domain, index: Index) -> Iterator[Inputs]:
    """Simpler inputs of this domain, the boldest steps first."""
    return (simpler for simpler in _candidates(inputs, index) if domain.holds(simpler.b.shape, simpler.varying))


def _candidates(inputs: Inputs, index: Index) -> Iterator[Inputs]:
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
    for gone in blocks(time_):
        yield _without(inputs, gone)
    if inputs.varying and (inputs.lam == inputs.lam[:1, :1]).all():
        yield replace(inputs, lam=inputs.lam[0, 0].copy())
    for gone in blocks(time_):
        if (inputs.b[:, gone] != 0).any():
            b = inputs.b.copy()
            b[:, gone] = 0
            yield replace(inputs, b=b)
    for bits in (1, 2, 4, 8, 12):
        for name in ("b", "h0", "lam"):
            value = getattr(inputs, name)
            if value is not None and not np.array_equal(rounded(value, bits), value):
                yield replace(inputs, **{name: rounded(value, bits)})  # type: ignore[arg-type]


def blocks(length: int) -> Iterator[slice]:
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


def rounded(x: Array, bits: int) -> Array:
    """x with `bits` significand bits per component."""
    if np.iscomplexobj(x):
        return (rounded(x.real, bits) + 1j * rounded(x.imag, bits)).astype(x.dtype)
    fraction, exponent = np.frexp(x.astype(float))
    return np.asarray(np.ldexp(np.rint(fraction * 2**bits) / 2**bits, exponent).astype(x.dtype))

"""The smallest call that still fails: one row, one channel, short, zeros, few bits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np

from scanproof.properties.domain import Domain
from scanproof.properties.findings import Element
from scanproof.properties.room import Room
from scanproof.reference.call import Call
from scanproof.reference.inputs import Array

SECONDS, CALLS = 20.0, 300
BITS = (1, 2, 4, 8, 12)

Fails = Callable[[Call], Element | None]


def shrink(call: Call, room: Room, domain: Domain, fails: Fails) -> Call:
    """The smallest call found for which `fails` still gives its worst outside element.

    Deterministic; stops after SECONDS or CALLS, whichever comes first.
    """
    deadline, calls, worst = time.monotonic() + SECONDS, 0, fails(call)
    if worst is None:
        return call  # does not fail again: nothing to go by
    progress = True
    while progress:
        progress = False
        for smaller in simpler(call, room, domain, worst):
            if calls >= CALLS or time.monotonic() > deadline:
                return call
            calls += 1
            found = fails(smaller)
            if found is not None:
                call, worst, progress = smaller, found, True
                break
    return call


def simpler(call: Call, room: Room, domain: Domain, worst: Element) -> Iterator[Call]:
    """Simpler calls of this domain whose arguments fit, the boldest steps first."""
    return (
        each
        for each in _candidates(call, room, domain, worst)
        if fits(each) and room.holds(each, domain)
    )


def fits(call: Call) -> bool:
    """Whether the arguments are a call at all: rounding may make a matrix zero that something
    divides by."""
    try:
        with np.errstate(all="ignore"):
            inside = call.inside(call.wide)
            call.system.check(inside)
            return call.system.constants(inside) is not None
    except ValueError:
        return False


def _candidates(call: Call, room: Room, domain: Domain, worst: Element) -> Iterator[Call]:
    index = dict(zip(worst.axes, worst.index, strict=True))
    for axis in ("batch", *room.reduced):
        size = call.size(axis, absent=0)
        order = dict.fromkeys((index.get(axis, 0) % size, *range(size))) if size > 1 else {}
        for kept in order:
            yield _taken(call, room, axis, [kept])
    yield from _accepted(call, room, domain, index)
    if call.system.timed:
        yield from _shorter(call, index)
    for name in call.system.named("state"):
        if name in call.arguments:
            yield call.but(**{name: None})
    if call.reverse:
        yield call.but(reverse=False)
    if room.simpler is not None:
        yield from room.simpler(call, domain, worst.index)
    yield from _emptier(call)
    yield from _fewer_bits(call, room)


def _taken(call: Call, room: Room, axis: str, kept: list[int]) -> Call:
    return room.taken(call, axis, kept) if axis in room.reduced else call.take(axis, kept)


def _accepted(call: Call, room: Room, domain: Domain, index: dict[str, int]) -> Iterator[Call]:
    """The smaller sizes that the domain names, which may have gaps: the part at the element."""
    for name, axis in room.axes.items():
        numbers, size = getattr(domain, name), call.size(axis, absent=0)
        if numbers is None or axis not in ("time", *room.reduced):
            continue
        last = axis == "time" and not call.reverse
        for count in sorted(_steps_down(size, numbers)):
            at = index.get(axis, 0)
            start = min(max(at + 1 - count, 0), size - count) if last else min(at, size - count)
            yield _taken(call, room, axis, list(range(start, start + count)))


def _steps_down(size: int, numbers: frozenset[int]) -> set[int]:
    """The next smaller accepted size, and of each half, quarter, ... the next not above it."""
    below = [size - 1, *(size >> k for k in range(1, size.bit_length()))]
    found = (max((n for n in numbers if n <= limit), default=0) for limit in below)
    return {n for n in found if n}


def _shorter(call: Call, index: dict[str, int]) -> Iterator[Call]:
    """Without the steps that the element does not see, then without any steps."""
    steps, at = call.size("time"), index.get("time")
    if at is not None:
        used = slice(at, None) if call.reverse else slice(None, at + 1)
        if used.indices(steps) != (0, steps, 1):
            yield call.take("time", used)
    for gone in blocks(steps):
        kept = np.delete(np.arange(steps), gone)
        if kept.size:
            yield call.take("time", kept)


def _emptier(call: Call) -> Iterator[Call]:
    """Zeros for some steps of an input."""
    for name in call.system.named("input") if call.system.timed else ():
        place = call.axes(name).index("time")
        for gone in blocks(call.size("time")):
            where = (slice(None),) * place + (gone,)
            if (call[name][where] != 0).any():
                x = call[name].copy()
                x[where] = 0
                yield call.but(**{name: x})


def _fewer_bits(call: Call, room: Room) -> Iterator[Call]:
    for bits in BITS:
        for name in room.rounded:
            x = call.get(name)
            if x is not None and not np.array_equal(rounded(x, bits), x):
                yield call.but(**{name: rounded(x, bits)})


def blocks(length: int) -> Iterator[slice]:
    """Halves, quarters, ... of range(length), the largest first."""
    size = length // 2
    while size:
        for start in range(0, length, size):
            yield slice(start, start + size)
        size //= 2


def rounded(x: Array, bits: int) -> Array:
    """x with `bits` significand bits per component."""
    if np.iscomplexobj(x):
        return (rounded(x.real, bits) + 1j * rounded(x.imag, bits)).astype(x.dtype)
    fraction, exponent = np.frexp(x.astype(float))
    return np.asarray(np.ldexp(np.rint(fraction * 2**bits) / 2**bits, exponent).astype(x.dtype))

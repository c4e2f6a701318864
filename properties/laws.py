"""The laws of a linear recurrence: what every correct implementation does, each judged by
allowances.

A law makes the implementation run on inputs of its own choosing, and every run is judged against
its own truth. Where a law relates two runs, they may differ by the sum of their allowances; so a
relation can fail only if one of its runs is outside by itself, which is how a failing law is
reported: as one call that anyone can repeat (docs/decisions/0002-laws-are-judged-calls.md). What a
law does follows from the roles of arguments. What hardly rounds comes first: there the smallest
fault shows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from scanproof.properties.room import Draw, Room
from scanproof.reference.call import Call
from scanproof.reference.inputs import Array

SHORT = 33  # gradients of longer sequences hardly inform (docs/layers.md), and steps are many calls
LONGEST = 1000  # of a random case
STEPS = 8  # of the law `step`, at most


class Session(Protocol):
    """What a law may do: call the implementation and have the results judged (None: not offered),
    or say what it lacks."""

    def run(self, call: Call, poison: bool = False) -> dict[str, Array] | None: ...

    def not_offered(self) -> None: ...


@dataclass(frozen=True)
class Law:
    """A law: its name, what it says, how it is checked on one draw, which systems have it, the
    longest sequence it draws.

    `check` tells whether the law was put to the test: False where a call that it cannot do without
    is not offered.
    """

    name: str
    statement: str
    check: Callable[[Session, Draw], bool]
    applies: Callable[[Room], bool] = lambda room: room.system.timed
    longest: int = LONGEST


def integer_cases(session: Session, draw: Draw) -> bool:
    assert draw.room.integers is not None
    arguments, start = draw.room.integers(draw)
    call = draw.of(arguments)
    plain = session.run(call)
    for reverse in (False, True):
        session.run(call.but(reverse=reverse, **start))
    return plain is not None


def impulses(session: Session, draw: Draw) -> bool:
    call, time = draw.call(sparse=True), draw.time
    ones = {name: draw.room.pulse(call[name]) for name in call.system.named("input")}
    plain, places = None, dict.fromkeys((0, max(time - 2, 0), int(draw.rng.integers(0, time))))
    for at in places:  # all the way, one step across the end of a chunk of time - 1, and anywhere
        pulsed = call.but(**{name: _only(call, name, x, at) for name, x in ones.items()})
        plain = session.run(pulsed)
    session.run(draw.started(call.but(**_nothing(call))))
    session.run(pulsed.flipped())
    return plain is not None


def equivalence(session: Session, draw: Draw) -> bool:
    plain = draw.call()
    call = draw.started(plain) if draw.seed % 2 else plain
    run = session.run(call.but(reverse=True) if draw.seed % 4 == 3 and call.system.timed else call)
    return (session.run(plain) if run is None else run) is not None


def chunk_splits(session: Session, draw: Draw) -> bool:
    call = draw.call()
    whole = session.run(call, poison=True)
    for cut in _cuts(draw):
        session.run(_part(call, slice(None, cut)), poison=True)
    return whole is not None


def hand_over(session: Session, draw: Draw) -> bool:
    call, tails = draw.call(), []
    for cut in _cuts(draw, both=True):
        last = _last(session, call, session.run(_part(call, slice(None, cut))))
        if last is not None and all(np.isfinite(x).all() for x in last.values()):
            tails.append(session.run(_part(call, slice(cut, None)).but(**last), poison=True))
    return any(tail is not None for tail in tails)


def step(session: Session, draw: Draw) -> bool:
    call, seen, last = draw.call(), 0, dict[str, Any]()
    for t in range(min(draw.time, STEPS) if draw.domain.accepts(1) else 0):
        one = _part(call, slice(t, t + 1)).but(**last)
        found = _last(session, one, session.run(one))
        if found is None or not all(np.isfinite(x).all() for x in found.values()):
            break
        last, seen = found, seen + (t > 0)
    return seen > 0


def causality(session: Session, draw: Draw) -> bool:
    call = draw.call()
    before, other = session.run(call), draw.room.redraw(draw, call)
    for cut in _cuts(draw):
        changed = {name: _after(call, name, cut, x) for name, x in other.items()}
        session.run(call.but(**changed), poison=True)
    return before is not None and draw.time > 1


def linearity(session: Session, draw: Draw) -> bool:
    call = draw.call()
    combined = draw.room.combined or _combined
    runs = [session.run(call.but(**changes)) for changes in combined(draw, call)]
    return all(run is not None for run in runs)


def time_invariance(session: Session, draw: Draw) -> bool:
    call, shift = draw.call(), draw.time // 2
    first = session.run(call)
    second = session.run(call.but(**{name: _later(call, name, shift) for name in _timed(call)}))
    return first is not None and second is not None


def reverse(session: Session, draw: Draw) -> bool:
    plain = draw.call()
    call = draw.started(plain) if draw.seed % 2 else plain
    backward = session.run(call.but(reverse=True))
    if backward is None and call is not plain:
        call, backward = plain, session.run(plain.but(reverse=True))
    if backward is None:
        return False
    session.run(call.but(reverse=True).flipped())
    session.run(draw.started(plain).but(reverse=True))
    return True


def directions(session: Session, draw: Draw) -> bool:
    call = draw.call(two=True)
    run = session.run(call)
    session.run(draw.started(call).but(reverse=True))
    return run is not None


def norm(session: Session, draw: Draw) -> bool:
    call = draw.call()
    return session.run(draw.started(call.but(**_nothing(call)))) is not None


def invariances(session: Session, draw: Draw) -> bool:
    assert draw.room.equivalents is not None
    call = draw.call()
    runs = [
        session.run(call),
        *(session.run(call.but(**changes)) for changes in draw.room.equivalents(draw, call)),
    ]
    return all(run is not None for run in runs)


def extremes(session: Session, draw: Draw) -> bool:
    assert draw.room.extremes is not None
    call = draw.call()
    runs = [session.run(call.but(**changes)) for changes in draw.room.extremes(draw, call)]
    return all(run is not None for run in runs)


def gradients(session: Session, draw: Draw) -> bool:
    """All ways to call a layer, by the bits of consecutive seeds: initial states, reverse, two
    directions, sparse."""
    bits, two = (
        [bool(draw.seed >> i & 1) for i in range(4)],
        any(each.second for each in draw.room.system.arguments),
    )
    runs = [session.run(draw.pulled(draw.call()))]
    for start, backward, second in (bits[:3], [not bit for bit in bits[:3]]):
        call = draw.pulled(draw.call(bits[3], second and two)).but(reverse=backward)
        runs.append(session.run(draw.started(call) if start else call))
    return any(run is not None for run in runs)


def _has_states(room: Room) -> bool:
    return room.states is not None


LAWS = (
    Law("integer-cases", "gates 0, +-1, +-i and integers with exact sums: exactly the truth",
        integer_cases, lambda room: room.integers is not None),
    Law("impulses", "one nonzero step, little that rounds but the decay, at every short length",
        impulses),
    Law("equivalence", "random arguments in every regime are within the allowance", equivalence,
        lambda room: True),
    Law("chunk-splits", "the first steps depend neither on how many follow nor on memory around "
                        "the arrays", chunk_splits),
    Law("hand-over", "the call on the tail, from the state after the head, continues the head",
        hand_over, _has_states),
    Law("step", "one step after the other gives the whole sequence", step, _has_states,
        longest=SHORT),
    Law("causality", "changing the future leaves the past within its allowance", causality),
    Law("linearity", "sums and multiples of inputs give sums and multiples of results", linearity),
    Law("time-invariance", "leading zeros only delay the results", time_invariance),
    Law("reverse", "reverse = flip, call, flip", reverse),
    Law("directions", "two directions are two scans over the inputs, and the second is read by its "
                      "own parameters", directions,
        lambda room: any(each.second for each in room.system.arguments)),
    Law("norm", "without inputs, states only turn and decay", norm, _has_states),
    Law("invariances", "other parameters of the same function give the same results", invariances,
        lambda room: room.equivalents is not None),
    Law("extremes", "parameters far from where training starts: large matrices, gains, angles",
        extremes, lambda room: room.extremes is not None),
    Law("gradients", "cotangents of all arguments, in every way to call", gradients,
        lambda room: room.system.pull_back is not None, longest=SHORT),
)  # fmt: skip


def laws_of(room: Room) -> tuple[Law, ...]:
    """The laws of a system: its own, then those that its table has."""
    return (*room.laws, *(law for law in LAWS if law.applies(room)))


def _timed(call: Call) -> list[str]:
    """The arguments of this call that have a time axis, cotangents aside."""
    cotangents = call.system.named("cotangent")
    return [name for name in call.arguments if "time" in call.axes(name) and name not in cotangents]


def _steps(call: Call, name: str) -> Array:
    """0, 1, 2, ... along the time axis of an argument, as it broadcasts."""
    axes = call.axes(name)
    place = axes.index("time")
    return np.arange(call[name].shape[place]).reshape(
        [-1 if axis == "time" else 1 for axis in axes]
    )


def _only(call: Call, name: str, x: Array, at: int) -> Array:
    return np.where(_steps(call, name) == at, x, 0).astype(call[name].dtype)


def _after(call: Call, name: str, cut: int, other: Array) -> Array:
    return np.where(_steps(call, name) >= cut, other, call[name]).astype(call[name].dtype)


def _nothing(call: Call) -> dict[str, Array]:
    return {name: np.zeros_like(call[name]) for name in call.system.named("input")}


def _part(call: Call, steps: slice) -> Call:
    return call.take("time", steps)


def _later(call: Call, name: str, shift: int) -> Array:
    """The argument some steps later; before it nothing for inputs, and for others what was
    there."""
    place, x = call.axes(name).index("time"), call[name]
    first, rest = (np.take(x, range(n), place) for n in (shift, x.shape[place] - shift))
    return np.concatenate(
        [0 * first if call.system.argument[name].role == "input" else first, rest], place
    )


def _combined(draw: Draw, call: Call) -> list[dict[str, Array]]:
    """The inputs, others, a multiple and nothing."""
    names = [each.name for each in call.system.arguments if each.linear]
    other = draw.room.redraw(draw, call)
    return [
        {},
        {name: other[name] for name in names},
        {name: (call[name] * 8).astype(call[name].dtype) for name in names},
        {name: call[name] * 0 for name in names},
    ]


def _cuts(draw: Draw, both: bool = False) -> list[int]:
    """A few cuts whose parts are in the domain; few, because each is a new shape for a compiler."""
    time, accepts = draw.time, draw.domain.accepts
    cuts = sorted({1, time // 2, time - 1} & set(range(1, time)))
    return [cut for cut in cuts if accepts(cut) and (not both or accepts(time - cut))]


def _last(session: Session, call: Call, got: dict[str, Array] | None) -> dict[str, Any] | None:
    """The states after the last step by argument, if they were returned."""
    if got is None:
        return None
    found: dict[str, Array] = {}
    for result in call.system.results:
        if result.state is None or result.name not in got or result.state in found:
            continue
        time = call.time_axis(result.name)
        found[result.state] = (
            got[result.name] if time is None else np.take(got[result.name], -1, time)
        ).copy()
    if set(call.system.named("state")) - found.keys():
        session.not_offered()
        return None
    return found

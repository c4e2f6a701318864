"""The laws of a scan: what every correct implementation does, each judged by allowances.

A law makes the implementation run on inputs of its own choosing. Every run is judged against its own truth; where a law
relates two runs, they may differ by the sum of their allowances. A relation can therefore fail only if
one of its runs is outside its own allowance, which is how a failing law is reported: as one call that anyone can repeat
(docs/decisions/0002-laws-are-judged-calls.md). The order is the order of their teeth: exact lanes first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np

from scanproof.properties.compare import error_enclosure
from scanproof.properties.strategies import Domain, Draw, Shape
from scanproof.reference.inputs import Array, Inputs
from scanproof.reference.truth import Truth


class Run(NamedTuple):
    """One judged call; (batch, time, channels) each. bound is inf where the class may overflow."""

    got: Array
    bound: Array


class Session(Protocol):
    """What a law may do: call the implementation and have the result judged; None means not offered."""

    def run(self, inputs: Inputs, poison: bool = False) -> Run | None: ...


class Visit(NamedTuple):
    """A call that a law always makes: shape, kind of lam, regimes."""

    shape: Shape
    varying: bool
    lam: str = "half"
    size: str = "unit"


@dataclass(frozen=True)
class Law:
    """A law: its name, what it says, how it is checked on one draw, and what it always visits.

    `check` tells whether the law was put to the test: False where a call that it cannot do without is not offered.
    """

    name: str
    statement: str
    check: Callable[[Session, Draw], bool]
    visits: Callable[[Domain], tuple[Visit, ...]] = lambda domain: ()


def exact_lanes(session: Session, draw: Draw) -> bool:
    batch, _, channels = draw.shape
    inputs = Inputs(draw.units(), draw.integers(draw.shape))
    plain = session.run(inputs)
    for reverse in (False, True):
        session.run(replace(inputs, h0=draw.integers((batch, channels)), reverse=reverse))
    return plain is not None


def impulses(session: Session, draw: Draw) -> bool:
    base = draw.inputs()
    batch, time, channels = draw.shape
    at = draw.rng.integers(0, time, (batch, 1, channels)) * (draw.seed % 2)  # half of the draws: the first step
    b = np.where(np.arange(time)[None, :, None] == at, base.b, 0).astype(base.b.dtype)
    plain = session.run(replace(base, b=b))
    session.run(replace(base, b=np.zeros_like(b), h0=draw.drive((batch, channels))))
    session.run(replace(base, b=b[:, ::-1].copy(), reverse=True))
    return plain is not None


def equivalence(session: Session, draw: Draw) -> bool:
    inputs = draw.inputs(h0=bool(draw.seed % 2), reverse=draw.seed % 4 == 3)
    run = session.run(inputs)
    if run is None:
        run = session.run(replace(inputs, h0=None, reverse=False))
    return run is not None


def chunk_splits(session: Session, draw: Draw) -> bool:
    inputs = draw.inputs()
    whole = session.run(inputs, poison=True)
    for cut in _cuts(draw):
        head = session.run(_steps(inputs, slice(None, cut)), poison=True)
        _agree(_part(whole, slice(None, cut)), head)
    return whole is not None


def hand_over(session: Session, draw: Draw) -> bool:
    inputs, tails = draw.inputs(), []
    whole = session.run(inputs)
    for cut in _cuts(draw, both=True):
        if whole is not None and np.isfinite(whole.got[:, cut - 1]).all():
            tail = replace(_steps(inputs, slice(cut, None)), h0=whole.got[:, cut - 1].copy())
            tails.append(session.run(tail, poison=True))
    return any(tail is not None for tail in tails)


def causality(session: Session, draw: Draw) -> bool:
    inputs = draw.inputs()
    before = session.run(inputs)
    for cut in _cuts(draw):
        future = np.arange(draw.shape[1])[None, :, None] >= cut
        lam = np.where(future, draw.multipliers(), inputs.lam).astype(inputs.lam.dtype) if inputs.varying else inputs.lam
        b = np.where(future, draw.drive(draw.shape), inputs.b).astype(inputs.b.dtype)
        after = session.run(replace(inputs, lam=lam, b=b))
        _agree(_part(before, slice(None, cut)), _part(after, slice(None, cut)))
    return before is not None and draw.shape[1] > 1


def linearity(session: Session, draw: Draw) -> bool:
    lam, bits = draw.multipliers(), draw.arithmetic.format.significand_bits
    room = draw.arithmetic.format.largest / 2.0**6 / draw.shape[1]  # sums of this length stay finite
    scale = 2 ** int(np.clip(np.log2(room) / 2, 1, min(10, bits // 2)))
    top = int(np.clip(room / scale, 1, min(1000, 2 ** (bits - 3))))
    one, two = draw.integers(draw.shape, top), draw.integers(draw.shape, top)  # their sum is exact
    runs = [session.run(Inputs(lam, b.astype(one.dtype))) for b in (one, two, one + two, one * scale)]
    first, second, both, scaled = runs
    if first and second and both and scaled:
        wide = np.result_type(first.got.dtype, np.float64)
        total = first.got.astype(wide) + second.got  # rounded itself
        _agree(both, Run(total, first.bound + second.bound + 2.0**-52 * np.abs(total)))
        _agree(scaled, Run(first.got.astype(wide) * scale, first.bound * scale))
    return all(run is not None for run in runs)


def time_invariance(session: Session, draw: Draw) -> bool:
    inputs, shift = draw.inputs(), draw.shape[1] // 2
    later = np.concatenate([np.zeros_like(inputs.b[:, :shift]), inputs.b[:, : draw.shape[1] - shift]], axis=1)
    lam = inputs.lam
    if inputs.varying:
        lam = np.concatenate([lam[:, :shift], lam[:, : draw.shape[1] - shift]], axis=1)
    first, second = session.run(inputs), session.run(replace(inputs, lam=lam, b=later))
    _agree(_part(first, slice(None, draw.shape[1] - shift)), _part(second, slice(shift, None)))
    return first is not None and second is not None


def reverse(session: Session, draw: Draw) -> bool:
    inputs = draw.inputs(h0=bool(draw.seed % 2), reverse=True)
    backward = session.run(inputs)
    if backward is None and inputs.h0 is not None:
        inputs = replace(inputs, h0=None)
        backward = session.run(inputs)
    if backward is None:
        return False
    _agree(backward, _part(session.run(inputs.forward()), slice(None, None, -1)))
    return True


def _every_length(domain: Domain) -> tuple[Visit, ...]:
    """Every length from 1 to 17, and around 32 and 64: index faults show at one length and not at the next; many channels."""
    width, kinds = domain.deck()[0][2], domain.lam_kinds()
    lengths = [n for n in (*range(1, 18), 31, 32, 33, 63, 64, 65) if domain.accepts(n)]
    short = tuple(Visit((1, n, width), kinds[i % len(kinds)]) for i, n in enumerate(lengths))
    return (*short, *(Visit(domain.wide(), varying) for varying in kinds))


def _short_and_long(domain: Domain) -> tuple[Visit, ...]:
    """The deck, and the long and the wide shapes with every kind of lam."""
    kinds = domain.lam_kinds()
    short = [Visit(shape, kinds[i % len(kinds)]) for i, shape in enumerate(domain.deck())]
    return (*short, *(Visit(shape, varying) for shape in (*domain.long(), domain.wide()) for varying in kinds))


def _steady(domain: Domain) -> tuple[Visit, ...]:
    """|lam| = 1 and constant inputs: roundings all point the same way, so a wrongly declared order shows."""
    kinds = domain.lam_kinds()
    return tuple(Visit(shape, kinds[i % len(kinds)], "exactly 1", "constant") for i, shape in enumerate(domain.deck()))


LAWS = (
    Law("exact-lanes", "lam in {0, +-1, +-i} and integers with exact sums: exactly the truth", exact_lanes, _short_and_long),
    Law("impulses", "one nonzero input: the decay alone, with no sum to round, at every short length", impulses, _every_length),
    Law("equivalence", "random inputs in every regime of lam and of magnitude are within the allowance", equivalence, _steady),
    Law("chunk-splits", "the first states depend neither on how many steps follow nor on memory around the arrays", chunk_splits),
    Law("hand-over", "scan(tail, state after head) continues scan(head)", hand_over),
    Law("causality", "changing the future leaves the past within its allowance", causality),
    Law("linearity", "scan(b + c) = scan(b) + scan(c) and scan(2^k b) = 2^k scan(b)", linearity),
    Law("time-invariance", "leading zeros only delay the states", time_invariance),
    Law("reverse", "reverse = flip, scan, flip", reverse),
)


def _cuts(draw: Draw, both: bool = False) -> list[int]:
    """A few cuts of this shape whose parts are in the domain; few, because each is a new shape for a compiler."""
    time = draw.shape[1]
    cuts = sorted({1, time // 2, time - 1} & set(range(1, time)))
    return [cut for cut in cuts if draw.domain.accepts(cut) and (not both or draw.domain.accepts(time - cut))]


def _steps(inputs: Inputs, steps: slice) -> Inputs:
    lam = inputs.lam[:, steps].copy() if inputs.varying else inputs.lam
    return replace(inputs, lam=lam, b=inputs.b[:, steps].copy())


def _part(run: Run | None, steps: slice) -> Run | None:
    return None if run is None else Run(run.got[:, steps], run.bound[:, steps])


def _agree(one: Run | None, two: Run | None) -> None:
    """Both runs were judged before, so a disagreement beyond both allowances would contradict the theorem."""
    if one is None or two is None:
        return
    wide = np.result_type(one.got.dtype, np.float64)
    zeros = np.zeros(two.got.shape)
    low, _ = error_enclosure(one.got, Truth(two.got.astype(wide), zeros, zeros))
    with np.errstate(over="ignore"):
        if (low > (one.bound + two.bound) * (1 + 2.0**-50)).any():
            raise AssertionError("internal: two runs differ by more than both allowances although neither is outside its own")

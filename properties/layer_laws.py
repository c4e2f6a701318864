"""The laws of a layer: what every correct implementation does, each judged by allowances (docs/decisions/0002).

As for scans, a law makes the implementation run on inputs of its own choosing, and every run is judged against its own truth.
The order is the order of their teeth: first what hardly rounds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, NamedTuple, Protocol

import numpy as np

from scanproof.properties.layer_calls import LayerCall
from scanproof.properties.layer_draws import LayerDraw, Sizes, deck, ends
from scanproof.properties.strategies import Domain
from scanproof.reference.inputs import Array

SHORT = 33  # gradients of longer sequences hardly inform (docs/layers.md)


class Results(NamedTuple):
    """One judged call."""

    got: dict[str, Array]


class Session(Protocol):
    """What a law may do: call the implementation and have the results judged (None: not offered), or say what it lacks."""

    def run(self, call: LayerCall, poison: bool = False) -> Results | None: ...

    def not_offered(self) -> None: ...


class Visit(NamedTuple):
    """A call that a law always makes: sizes and regimes."""

    sizes: Sizes
    modulus: str = "half"
    size: str = "unit"


@dataclass(frozen=True)
class LayerLaw:
    """A law: its name, what it says, how it is checked on one draw, what it always visits, and the longest sequence it draws."""

    name: str
    statement: str
    check: Callable[[Any, LayerDraw], bool]
    visits: Callable[[Domain], tuple[Visit, ...]] = lambda domain: (Visit(deck(domain, SHORT)[-1]),)
    longest: int = 128


def impulses(session: Session, draw: LayerDraw) -> bool:
    call, time = draw.call(sparse=True), draw.sizes.time
    ones, steps = np.sign(call.u) + (call.u == 0), np.arange(time)[None, :, None]  # +-1 (batch, time, width), (1, time, 1)
    for at in sorted({0, max(time - 2, 0)}):  # all the way, or one step across the end of a chunk of time - 1
        plain = session.run(replace(call, u=np.where(steps == at, ones, 0).astype(call.u.dtype)))
    session.run(replace(call, u=np.zeros_like(call.u), h0=draw.states(call)))
    session.run(replace(call, reverse=True))
    return plain is not None


def equivalence(session: Session, draw: LayerDraw) -> bool:
    plain = draw.call()
    call = replace(plain, h0=draw.states(plain) if draw.seed % 2 else None, reverse=draw.seed % 4 == 3)
    run = session.run(call)
    return (session.run(plain) if run is None else run) is not None


def hand_over(session: Session, draw: LayerDraw) -> bool:
    call, tails = draw.call(), []
    for cut in _cuts(draw):
        head = session.run(replace(call, u=call.u[:, :cut].copy()))
        last = _last(session, head)
        if last is not None and np.isfinite(last).all():
            tails.append(session.run(replace(call, u=call.u[:, cut:].copy(), h0=last.copy()), poison=True))
    return any(tail is not None for tail in tails)


def step(session: Session, draw: LayerDraw) -> bool:
    call, h, seen = draw.call(), None, 0
    for t in range(min(draw.sizes.time, 8)):
        run = session.run(replace(call, u=call.u[:, t : t + 1].copy(), h0=h))
        h = _last(session, run)
        if h is None:
            break
        seen += t > 0
    return seen > 0


def causality(session: Session, draw: LayerDraw) -> bool:
    call = draw.call()
    before, other = session.run(call), draw.inputs()
    for cut in _cuts(draw):
        future = np.arange(draw.sizes.time)[None, :, None] >= cut
        session.run(replace(call, u=np.where(future, other, call.u)), poison=True)
    return before is not None and draw.sizes.time > 1


def linearity(session: Session, draw: LayerDraw) -> bool:
    call, other = draw.call(), draw.inputs()
    runs = [session.run(replace(call, u=u.astype(call.u.dtype))) for u in (call.u, other, call.u * 8, call.u * 0)]
    return all(run is not None for run in runs)


def time_invariance(session: Session, draw: LayerDraw) -> bool:
    call, shift = draw.call(), draw.sizes.time // 2
    later = np.concatenate([np.zeros_like(call.u[:, :shift]), call.u[:, : draw.sizes.time - shift]], axis=1)
    first, second = session.run(call), session.run(replace(call, u=later))
    return first is not None and second is not None


def reverse(session: Session, draw: LayerDraw) -> bool:
    call = draw.call()
    backward = session.run(replace(call, reverse=True))
    if backward is None:
        return False
    session.run(replace(call, u=call.u[:, ::-1].copy()))
    session.run(replace(call, h0=draw.states(call), reverse=True))
    return True


def directions(session: Session, draw: LayerDraw) -> bool:
    call = draw.call(bidirectional=True)
    if not call.entered.border.bidirectional:
        return False
    run = session.run(call)
    session.run(replace(call, h0=draw.states(call), reverse=True))
    return run is not None


def norm(session: Session, draw: LayerDraw) -> bool:
    call = draw.call()
    return session.run(replace(call, u=np.zeros_like(call.u), h0=draw.states(call))) is not None


def invariances(session: Session, draw: LayerDraw) -> bool:
    call = draw.call()
    same = import_module(call.layer.cases).equivalents
    runs = [session.run(call)]
    runs += [session.run(replace(call, params=draw.stored(params))) for params in same(draw.rng, call.params)]
    return all(run is not None for run in runs)


def extremes(session: Session, draw: LayerDraw) -> bool:
    call = draw.call()
    found = import_module(call.layer.cases).extremes(draw.rng, call.params)
    runs = [session.run(replace(call, params=draw.stored(params))) for params in found]
    return all(run is not None for run in runs)


def gradients(session: Session, draw: LayerDraw) -> bool:
    """All ways to call a layer, by the bits of consecutive seeds: initial states, reverse, two directions, sparse."""
    bits = [bool(draw.seed >> i & 1) for i in range(4)]
    runs = [session.run(replace(draw.call(), y_bar=draw.cotangents()))]
    for start, reverse, two in (bits[:3], [not bit for bit in bits[:3]]):
        call = replace(draw.call(bits[3], two), reverse=reverse, y_bar=draw.cotangents())
        runs.append(session.run(replace(call, h0=draw.states(call) if start else None)))
    return any(run is not None for run in runs)


def _short_lengths(domain: Domain) -> tuple[Visit, ...]:
    """Every length from 1 to 17, and around powers of two: index faults show at one length and not at the next."""
    first, lengths = deck(domain)[0], [n for n in (*range(1, 18), 31, 32, 33, 64, 65, 129) if domain.accepts(n)]
    short = tuple(Visit(first._replace(time=n), ("half", "near 1")[n % 2]) for n in lengths)
    return short + tuple(Visit(sizes, "near 1") for sizes in ends(domain))


def _every_size(domain: Domain) -> tuple[Visit, ...]:
    return tuple(Visit(sizes) for sizes in (*deck(domain), *ends(domain)))


def _to_ends(domain: Domain) -> tuple[Visit, ...]:
    return tuple(Visit(sizes) for sizes in (deck(domain, SHORT)[-1], *ends(domain)))


def _heads(domain: Domain) -> tuple[Visit, ...]:
    """Sizes with more than one head: of one, features of two directions are in the same order however they are laid out."""
    return tuple(Visit(sizes) for sizes in deck(domain, SHORT) if sizes.heads > 1)


LAWS = (
    LayerLaw("impulses", "one power of two in each row of B and C, one input: only the decay rounds", impulses, _short_lengths),
    LayerLaw("equivalence", "random parameters and inputs in every regime are within the allowance", equivalence, _every_size),
    LayerLaw("hand-over", "layer(tail, states after head) continues layer(head)", hand_over),
    LayerLaw("step", "one step after the other gives the whole sequence", step, longest=SHORT),
    LayerLaw("causality", "changing the future leaves the past within its allowance", causality),
    LayerLaw("linearity", "sums and multiples of inputs give sums and multiples of outputs", linearity),
    LayerLaw("time-invariance", "leading zeros only delay the outputs", time_invariance),
    LayerLaw("reverse", "reverse = flip, layer, flip", reverse),
    LayerLaw("directions", "two directions are two scans over the inputs, and C2 reads the second", directions, _heads),
    LayerLaw("norm", "without inputs, states only turn and decay", norm),
    LayerLaw("invariances", "other parameters of the same layer give the same outputs", invariances),
    LayerLaw("extremes", "parameters far from where training starts: large matrices, gains, angles", extremes, _heads),
    LayerLaw("gradients", "cotangents of all parameters, u and h0, however the layer is called", gradients, _to_ends, SHORT),
)


def _cuts(draw: LayerDraw) -> list[int]:
    time, accepts = draw.sizes.time, draw.domain.accepts
    cuts = sorted({1, time // 2, time - 1} & set(range(1, time)))
    return [cut for cut in cuts if accepts(cut) and accepts(time - cut)]


def _last(session: Session, run: Results | None) -> Array | None:
    """The states after the last step, if they were returned."""
    if run is not None and "h_last" in run.got:
        return run.got["h_last"]
    if run is not None and "h" in run.got:
        return run.got["h"][:, -1]
    if run is not None:
        session.not_offered()
    return None

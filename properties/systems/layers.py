"""Where to look for faults of layers: sizes from a small deck, regimes of the decay and of the
inputs, arrays from a seed.

    size      axis                                   field of a Domain
    width     of u and y                             channels
    state     of the state, or of one head           states
    heads     of layers that have them
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from scanproof.properties.domain import DEEP, LARGEST, Domain, most, nearest
from scanproof.properties.room import Changes, Draw, FaultyImplementation, Room, Sizes, Visit
from scanproof.properties.versions.versions import REJECTED, VERSIONS
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.call import Call, System
from scanproof.reference.inputs import Array
from scanproof.reference.layers import named

SMALLEST_ANGLE = 2.0**-6  # smaller ones hardly turn within the lengths of a search
MODULI = ("half", "near 0", "near 1", "very near 1")
INPUTS = ("unit", "constant", "mixed", "impulse")
AXES = ("batch", "time", "width", "state", "heads")
DECK = (
    (1, 1, 1, 2, 1), (2, 2, 3, 2, 1), (1, 3, 2, 4, 2), (3, 7, 2, 4, 1), (1, 16, 4, 4, 2),
    (2, 17, 3, 6, 1), (1, 33, 2, 8, 1), (1, 64, 3, 4, 2), (1, 128, 4, 4, 1),
)  # fmt: skip
SHORT = 33
# index faults show at one length and not at the next
EVERY_LENGTH = (*range(1, 18), 31, 32, 33, 64, 65, 129)


def deck(domain: Domain, longest: int = 128) -> tuple[Sizes, ...]:
    """At most 9 sizes of this domain, none longer than `longest` if the domain allows."""
    return _fitted(domain, tuple(sizes for sizes in DECK if sizes[1] <= longest))


def ends(domain: Domain) -> tuple[Sizes, ...]:
    """Sizes as large as the domain has them, one axis at a time: loops over blocks go wrong in the
    last one."""
    widest = most(domain.channels, 1024, 65)
    found = [(1, n, 2, 2, 1) for n in domain.long()]
    return _fitted(
        domain, (*found, (1, 3, widest, 2, 1), (1, 3, 2, most(domain.states, LARGEST, DEEP), 1))
    )


def _fitted(domain: Domain, shapes: tuple[tuple[int, ...], ...]) -> tuple[Sizes, ...]:
    """The nearest accepted numbers, each once."""
    accepted = (None, domain.lengths, domain.channels, domain.states, None)
    fitted = [tuple(map(nearest, sizes, accepted)) for sizes in shapes]
    return tuple(dict(zip(AXES, sizes, strict=True)) for sizes in dict.fromkeys(fitted))


def regimes(arithmetic: Arithmetic, domain: Domain) -> Mapping[str, tuple[Any, ...]]:
    """How near the decay is to 1, and what inputs look like."""
    return {"modulus": MODULI, "size": INPUTS}


def visits(law: str, domain: Domain) -> tuple[Visit, ...]:
    """What a law always visits."""
    if law == "impulses":
        first, lengths = deck(domain)[0], [n for n in EVERY_LENGTH if domain.accepts(n)]
        short = tuple(
            Visit({**first, "time": n}, {"modulus": ("half", "near 1")[n % 2]}) for n in lengths
        )
        return short + tuple(Visit(sizes, {"modulus": "near 1"}) for sizes in ends(domain))
    if law == "equivalence":
        return tuple(Visit(sizes) for sizes in (*deck(domain), *ends(domain)))
    if law == "gradients":
        return tuple(Visit(sizes) for sizes in (deck(domain, SHORT)[-1], *ends(domain)))
    # with one head, any order of the features of two directions is the same
    if law in ("directions", "extremes"):
        return tuple(Visit(sizes) for sizes in deck(domain, SHORT) if sizes["heads"] > 1)
    return (Visit(deck(domain, SHORT)[-1]),)


def moduli(case: Draw) -> Array:
    """Of the eigenvalues of this regime, strictly between 0 and 1. (state,)"""
    rng, state = case.rng, case.sizes["state"]
    # logarithms of 8 bits still reach far
    bits = min(max(case.arithmetic.format.significand_bits, 12), 24)
    return {
        "near 0": 2.0 ** -rng.uniform(3, bits / 2, state),
        "half": rng.uniform(0.25, 0.75, state),
        "near 1": 1 - 2.0 ** -rng.uniform(3, bits / 3, state),
        "very near 1": 1 - 2.0 ** -rng.uniform(bits / 3, bits / 2, state),
    }[case.regime["modulus"]]


def inputs(case: Draw) -> Array:
    """u of this regime."""
    rng, shape = case.rng, tuple(case.sizes[axis] for axis in AXES[:3])
    if case.regime["size"] == "impulse":
        at = rng.integers(0, shape[1], (shape[0], 1, 1))
        here = np.arange(shape[1])[None, :, None] == at
        return case.stored(np.where(here, 2.0 ** rng.integers(-3, 4, shape), 0), "u")
    drawn = (shape[0], 1, shape[2]) if case.regime["size"] == "constant" else shape
    scale = 2.0 ** rng.uniform(-8, 8, drawn) if case.regime["size"] == "mixed" else 1.0
    return case.stored(
        np.broadcast_to(np.clip(rng.standard_normal(drawn), -4, 4) * scale, shape), "u"
    )


def states(case: Draw, call: Call) -> Changes:
    """h0 that goes with a call."""
    argument = case.room.system.argument["h0"]
    shape = call.layout.shape(argument.axes)
    if argument.kinds[0] != "complex":
        return {"h0": case.stored(case.rng.standard_normal(shape), "h0")}
    pair = case.rng.standard_normal((2, *shape)).astype(case.arithmetic.dtype).astype(np.float64)
    return {"h0": case.stored(pair[0] + 1j * pair[1], "h0")}


def near_turns(rng: np.random.Generator, *shape: int) -> Array:
    """Positive angles anywhere, or very close to a multiple of pi / 2."""
    near = rng.integers(0, 4, shape) * (np.pi / 2) + 2.0 ** -rng.uniform(4, 12, shape)
    return np.where(rng.random(shape) < 0.5, near, rng.uniform(SMALLEST_ANGLE, 2 * np.pi, shape))


def one_per_row(rng: np.random.Generator, rows: int, columns: int) -> Array:
    """One power of two, of either sign, in every row."""
    at = rng.integers(0, columns, (rows, 1)) == np.arange(columns)
    return np.where(
        at, rng.choice([-1.0, 1.0], (rows, 1)) * 2.0 ** rng.integers(-2, 3, (rows, 1)), 0.0
    )


def layer_room(
    system: System,
    params: type,
    draw: Callable[..., Any],
    equivalents: Callable[..., list[Any]],
    extremes: Callable[..., list[Any]],
    **more: Any,
) -> Room:
    """The room of a layer from what only it knows.

    draw(rng, sizes, modulus, sparse, two) gives parameters in float64; equivalents(rng, params)
    parameters of the same layer; extremes(rng, params) parameters far from where training starts.
    """

    def arguments(case: Draw, sparse: bool, two: bool) -> Changes:
        drawn = draw(case.rng, case.sizes, moduli(case), sparse, two)
        return _stored(case, drawn) | {"u": inputs(case)}

    def changed(function: Callable[..., list[Any]]) -> Callable[[Draw, Call], list[Changes]]:
        def changes(case: Draw, call: Call) -> list[Changes]:
            given = params(
                **{name: call[name] for name in system.named("parameter") if name in call.arguments}
            )
            return [_stored(case, other) for other in function(case.rng, given)]

        return changes

    return Room(
        system=system,
        draw=arguments,
        redraw=lambda case, call: {"u": inputs(case)},
        states=states,
        deck=deck,
        regimes=regimes,
        visits=visits,
        decisive=lambda arithmetic, domain: ["impulses", "equivalence"],
        equivalents=changed(equivalents),
        extremes=changed(extremes),
        honest=next(each.implementation for each in VERSIONS if each.system == system.name),
        faults=lambda: _faults(system.name),
        **more,
    )


def _stored(case: Draw, params: Any) -> Changes:
    return {name: case.stored(x, name) for name, x in named(params).items()}


def _faults(system: str) -> tuple[FaultyImplementation, ...]:
    wrong = [each for each in VERSIONS if each.system == system and each.expected == REJECTED]
    return tuple(
        FaultyImplementation(each.name, each.behaviour, each.implementation) for each in wrong
    )

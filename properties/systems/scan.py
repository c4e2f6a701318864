"""Where to look for faults of the bare scan: shapes from a small deck, regimes of lam and of
magnitude, arrays from a seed.

Hypothesis draws a seed, a shape and a regime; arrays are built from them (drawing arrays element by
element degenerates at these sizes). Compilers such as XLA compile per shape, so the deck is short
and values vary freely.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from scanproof.properties.domain import WIDE, WIDEST, Domain, most, nearest
from scanproof.properties.room import Changes, Draw, FaultyImplementation, Room, Sizes, Visit
from scanproof.properties.versions.scan import MUTANTS, chunked
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.operations import roundings
from scanproof.reference.call import Call
from scanproof.reference.inputs import Array
from scanproof.reference.systems.scan import SYSTEM

HEADROOM = 2.0**6  # sums over all steps stay so far below the largest number
# share of multipliers that are zero; fewer where sums shall grow
RESETS, RARE_RESETS = 1 / 64, 1 / 256
LAMBDAS = ("half", "near 0", "near 1", "exactly 1", "above 1")
# constant: one value per sequence, so roundings add up
SIZES = ("unit", "constant", "mixed", "subnormal", "near overflow")
NEED_ZEROS = ("impulses", "time-invariance", "norm")
DECK = (
    (1, 1, 1), (2, 2, 3), (1, 3, 5), (3, 7, 2), (1, 16, 4), (2, 17, 3),
    (1, 33, 33), (5, 40, 9), (2, 64, 3), (1, 129, 2), (1, 256, 3), (1, 1000, 2),
)  # fmt: skip
# index faults show at one length and not at the next
EVERY_LENGTH = (*range(1, 18), 31, 32, 33, 63, 64, 65)


def deck(domain: Domain, longest: int) -> tuple[Sizes, ...]:
    """At most 12 shapes of this domain: the usual ones where they fit, else the nearest accepted
    numbers."""
    fitted = [_fitted(domain, *shape) for shape in DECK if shape[1] <= longest]
    return tuple({tuple(sizes.values()): sizes for sizes in fitted}.values())


def _fitted(domain: Domain, batch: int, time: int, channels: int) -> Sizes:
    """The nearest accepted shape; a single row where that is much longer, since the truth of every
    element costs time."""
    length, width = nearest(time, domain.lengths), nearest(channels, domain.channels)
    return {"batch": batch if length <= 2 * time else 1, "time": length, "channels": width}


def long(domain: Domain) -> tuple[Sizes, ...]:
    """Shapes of the longest sequences that a search visits."""
    return tuple(
        {"batch": 1, "time": n, "channels": nearest(4, domain.channels)} for n in domain.long()
    )


def wide(domain: Domain) -> Sizes:
    """A shape with the most channels, beyond a block of 64 where nothing is declared."""
    return {
        "batch": 1,
        "time": nearest(3, domain.lengths),
        "channels": most(domain.channels, WIDEST, WIDE),
    }


def regimes(arithmetic: Arithmetic, domain: Domain) -> Mapping[str, tuple[Any, ...]]:
    """Magnitudes that can tell something: where subnormals may be flushed, they tell nothing; other
    algorithms lose more."""
    uninformed = (
        {"subnormal"} if arithmetic.subnormals != "gradual" or not arithmetic.bracketing else set()
    )
    uninformed |= set() if arithmetic.bracketing else {"near overflow"}
    sizes = tuple(size for size in SIZES if size not in uninformed)
    return {"varying": domain.lam_kinds(), "lam": LAMBDAS, "size": sizes}


def visits(law: str, domain: Domain) -> tuple[Visit, ...]:
    """What a law always visits."""
    kinds = domain.lam_kinds()
    turn = [kinds[i % len(kinds)] for i in range(max(len(DECK), len(EVERY_LENGTH)))]
    usual = tuple(
        Visit(sizes, {"varying": kind})
        for sizes, kind in zip(deck(domain, DECK[-1][1]), turn, strict=False)
    )
    if law == "integer-cases":  # the deck, and the long and the wide shapes with every kind of lam
        return (*usual, *_every_kind(domain, (*long(domain), wide(domain))))
    if law == "impulses":
        width = deck(domain, 1000)[0]["channels"]
        lengths = [n for n in EVERY_LENGTH if domain.accepts(n)]
        short = [{"batch": 1, "time": n, "channels": width} for n in lengths]
        every = tuple(
            Visit(sizes, {"varying": kind}) for sizes, kind in zip(short, turn, strict=False)
        )
        return (*every, *_every_kind(domain, (wide(domain),)))
    # |lam| = 1 and constant inputs: roundings all point the same way, so a wrong order shows
    if law == "equivalence":
        steady = {"lam": "exactly 1", "size": "constant"}
        return tuple(visit._replace(regime={**visit.regime, **steady}) for visit in usual)
    return ()


def _every_kind(domain: Domain, shapes: tuple[Sizes, ...]) -> tuple[Visit, ...]:
    return tuple(Visit(sizes, {"varying": kind}) for sizes in shapes for kind in domain.lam_kinds())


def draw(case: Draw, sparse: bool = False, two: bool = False) -> Changes:
    """lam and b of this regime; what is sparse is left to the law."""
    return {"lam": multipliers(case), "b": drive(case, shape_of(case))}


def redraw(case: Draw, call: Call) -> Changes:
    """Another b, and another lam where it varies."""
    gates = {"lam": multipliers(case)} if case.regime["varying"] else {}
    return gates | {"b": drive(case, shape_of(case))}


def states(case: Draw, call: Call) -> Changes:
    """h0 of the same magnitude as b."""
    return {"h0": drive(case, (call.size("batch"), call.size("channels")))}


def shape_of(case: Draw) -> tuple[int, ...]:
    """(batch, time, channels)"""
    return case.sizes["batch"], case.sizes["time"], case.sizes["channels"]


def _lam_shape(case: Draw) -> tuple[int, ...]:
    return shape_of(case) if case.regime["varying"] else shape_of(case)[2:]


def multipliers(case: Draw) -> Array:
    """lam of this regime: (channels,) or (batch, time, channels)."""
    rng, shape, p = case.rng, _lam_shape(case), case.arithmetic.format.significand_bits
    word, signed = case.regime["lam"], case.domain.positive == "none"
    modulus = {
        "near 0": 2.0 ** -rng.uniform(3, p / rng.integers(1, 3), shape),
        "half": rng.uniform(0.25, 0.75, shape),
        "near 1": 1 - 2.0 ** -rng.uniform(3, p, shape),
        "exactly 1": np.ones(shape),
        # grows by less than e over the whole length
        "above 1": 1 + rng.uniform(0, 1, shape) / case.time,
    }[word]
    if case.regime["varying"] and word not in ("exactly 1", "above 1") and signed:
        modulus = np.where(rng.random(shape) < RESETS, 0.0, modulus)
    phase = _phase(case, shape) if signed else 1
    return np.asarray(modulus * phase).astype(case.arithmetic.dtype)


def drive(case: Draw, shape: tuple[int, ...]) -> Array:
    """b or h0 of this regime, standard normal times the magnitude."""
    rng, form, size = case.rng, case.arithmetic.format, case.regime["size"]
    span = np.clip(np.log2(form.largest / HEADROOM / case.time), 0, 20)
    drawn = (shape[0], *([1] * (len(shape) - 2)), shape[-1]) if size == "constant" else shape
    scale = {
        "unit": np.ones(drawn),
        "constant": np.ones(drawn),
        "mixed": 2.0 ** rng.uniform(-span, span, drawn),
        "subnormal": np.full(drawn, form.smallest_normal / 4),
        "near overflow": np.full(drawn, form.largest / HEADROOM / case.time),
    }[size]
    normal = np.clip(rng.standard_normal(drawn), -4, 4)
    found = np.broadcast_to(normal * scale * _phase(case, drawn), shape).astype(
        case.arithmetic.dtype
    )
    if case.domain.positive != "all":
        return found
    return np.asarray(np.maximum(np.abs(found), form.smallest_subnormal).astype(found.dtype))


def _phase(case: Draw, shape: tuple[int, ...]) -> Array:
    """A sign, or e^{i theta} with theta anywhere or very close to a multiple of pi/2."""
    if not case.arithmetic.is_complex:
        return np.asarray(case.rng.choice([-1.0, 1.0], shape))
    near = case.rng.integers(0, 4, shape) * (np.pi / 2) + 2.0 ** -case.rng.uniform(8, 24, shape)
    theta = np.where(case.rng.random(shape) < 0.5, near, case.rng.uniform(0, 2 * np.pi, shape))
    return np.asarray(np.exp(1j * theta))


def integers(case: Draw) -> tuple[Changes, Changes]:
    """A call whose every state is exact in every bracketing, and an initial state for it."""
    batch, _, channels = shape_of(case)
    return {"lam": units(case), "b": whole(case, shape_of(case))}, {
        "h0": whole(case, (batch, channels))
    }


def whole(case: Draw, shape: tuple[int, ...], top: int | None = None) -> Array:
    """Whole numbers up to `top` (Gaussian ones for complex dtypes), zeros included.

    None: as large as sums over this length stay exact with, so that a state kept in fewer bits
    shows; where not even ones can be summed over all steps, some are left out.
    """
    budget = 2 ** (roundings(case.arithmetic, False).significand_bits - 2) / (case.time + 1)
    left_out = case.rng.random(shape) >= (budget if top is None else 1)
    top = max(1, int(budget)) if top is None else top
    found = case.rng.integers(-top, top + 1, shape).astype(float)
    if case.arithmetic.is_complex:
        found = found + 1j * case.rng.integers(-top, top + 1, shape)
    found = np.where(left_out, 0, found) if case.domain.positive != "all" else np.abs(found) + 1
    return np.asarray(found).astype(case.arithmetic.dtype)


def units(case: Draw) -> Array:
    """lam in {+-1} or {+-1, +-i}, with some resets to 0 where it varies; every kind occurs."""
    kinds = np.array([1, -1, 1j, -1j] if case.arithmetic.is_complex else [1, -1])
    kinds = kinds if case.domain.positive == "none" else kinds[:1]
    shape = _lam_shape(case)
    picked = kinds[(np.arange(int(np.prod(shape))) + case.rng.integers(4)) % len(kinds)].reshape(
        shape
    )
    if case.regime["varying"] and case.domain.positive == "none":
        picked = np.where(case.rng.random(shape) < RARE_RESETS, 0, case.rng.permuted(picked))
    return np.asarray(picked).astype(case.arithmetic.dtype)


def combined(case: Draw, call: Call) -> list[Changes]:
    """Whole numbers whose sums and multiples are exact."""
    bits = case.arithmetic.format.significand_bits
    room = case.arithmetic.format.largest / HEADROOM / case.time
    scale = 2 ** int(np.clip(np.log2(room) / 2, 1, min(10, bits // 2)))
    top = int(np.clip(room / scale, 1, min(1000, 2 ** (bits - 3))))
    one, two = whole(case, shape_of(case), top), whole(case, shape_of(case), top)
    return [{"b": b.astype(one.dtype)} for b in (one, two, one + two, one * scale)]


def refuses(law: str, arithmetic: Arithmetic, domain: Domain) -> bool:
    """Integer cases exist for bracketings only; some laws need zeros among the inputs."""
    exact = law == "integer-cases" and not arithmetic.bracketing
    return exact or (domain.positive == "all" and law in NEED_ZEROS)


def decisive(arithmetic: Arithmetic, domain: Domain) -> list[str]:
    """Integer cases decide where few bits are kept; other algorithms have none."""
    if arithmetic.coarse:
        return ["integer-cases"]
    if not arithmetic.bracketing:
        return ["equivalence"]
    return [
        law
        for law in ("integer-cases", "impulses", "equivalence")
        if not refuses(law, arithmetic, domain)
    ]


def simpler(call: Call, domain: Domain, index: tuple[int, ...]) -> Iterator[Call]:
    """A constant lam where it does not vary."""
    lam = call["lam"]
    if "time" in call.axes("lam") and (lam == lam[:1, :1]).all():
        yield call.but(lam=lam[0, 0].copy())


def _faults() -> tuple[FaultyImplementation, ...]:
    shown = {True: ("complex64",), False: ("float32", "complex64")}
    return tuple(
        FaultyImplementation(each.name, each.fault, each.scan, shown[each.complex_only])
        for each in MUTANTS
    )


ROOM = Room(
    system=SYSTEM,
    draw=draw,
    redraw=redraw,
    states=states,
    deck=deck,
    regimes=regimes,
    visits=visits,
    decisive=decisive,
    axes={"lengths": "time", "channels": "channels"},
    others=("lam", "positive"),
    pulse=lambda x: x,
    combined=combined,
    integers=integers,
    refuses=refuses,
    accepts=lambda call, domain: ("time" in call.axes("lam")) in domain.lam_kinds(),
    reduced=("channels",),
    rounded=("b", "h0", "lam"),
    simpler=simpler,
    honest=chunked,
    faults=_faults,
)

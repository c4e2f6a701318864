"""The verdict over the results of one call of a layer (what may be claimed: docs/verdicts.md and docs/layers.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from scanproof.properties.compare import error_enclosure, ratio
from scanproof.properties.findings import INFORMATIVE, Element
from scanproof.properties.layer_calls import LayerCall, shown_constants
from scanproof.properties.nearest import correctly_rounded
from scanproof.properties.verdict import ASSUMED, CLAIMS, Verdict, Word
from scanproof.reference import layer_certificate
from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.inputs import Array
from scanproof.reference.layer_certificate import Certified
from scanproof.reference.layers import backwards
from scanproof.reference.rules import unmodelled_in_layers

GIVEN = " from constants"
BLIND = 32  # of the carries that are not exactly zero, at most one in so many may be within its allowance


class Part(NamedTuple):
    """One result, judged; arrays of its shape."""

    name: str
    outside: Array  # bool
    undecided: Array  # bool
    error: Array  # upper end of |got - truth|
    bound: Array
    rounded: int  # elements that are correct roundings
    lanes: Array  # bool: of the lanes that are not exactly zero, which inform
    rms: Array  # of every lane
    worst: Element | None


def certify(call: LayerCall, arithmetic: Arithmetic, gradients: bool) -> dict[str, Certified]:
    """Truth and allowance of everything that this call may return."""
    of = layer_certificate.gradients if gradients else layer_certificate.outputs
    return of(call.layer.module, call.wide, call.entered, call.reverse, arithmetic)


def certify_all(got: Mapping[str, Array], call: LayerCall, arithmetic: Arithmetic) -> dict[str, Certified]:
    """Truth and allowance of everything that was returned; with constants that are shown, also of what follows from them."""
    constants = shown_constants(got)
    kinds = {name.startswith("gradient") for name in got if not name.startswith("constant")}
    found = {name: x for kind in kinds for name, x in certify(call, arithmetic, kind).items()}
    if constants:
        found |= layer_certificate.shown(call.layer.module, call.wide, call.entered, call.reverse, arithmetic, constants)
    return found


def judge_call(
    got: Mapping[str, Array], call: LayerCall, arithmetic: Arithmetic, certified: Mapping[str, Certified] | None = None
) -> Verdict:
    """Judges results whose form was checked before; `certified`: what `certify` gave, if at hand."""
    if certified is None:
        certified = certify_all(got, call, arithmetic)
    carried = _carried(call)
    judged = dict(got) | {f"{name}{GIVEN}": got[name] for name in ("y", "h") if name in got and f"{name}{GIVEN}" in certified}
    parts = [_judged(name, x, certified[name], carried.get(name)) for name, x in judged.items()]
    return _verdict(parts, sum(x.size for x in judged.values()), arithmetic)


def _judged(name: str, got: Array, exact: Certified, carried: Array | None) -> Part:
    low, high = error_enclosure(got, exact.truth)
    finite, known = np.isfinite(got), np.isfinite(exact.bound)
    outside = known & ((~finite & exact.no_overflow) | (finite & (low > exact.bound)))
    undecided = ~known | (~outside & (~finite | (high > exact.bound)))
    error = np.where(finite, high, np.inf)
    lanes, rms = _lanes(name, exact, carried)
    return Part(
        name=name,
        outside=outside,
        undecided=undecided,
        error=error,
        bound=exact.bound,
        rounded=int(correctly_rounded(got, exact.truth).correct.sum()),
        lanes=lanes,
        rms=rms,
        worst=_worst(name, got, exact, error, outside, undecided),
    )


def _lanes(name: str, exact: Certified, carried: Array | None) -> tuple[Array, Array]:
    """Which lanes of a result can tell a wrong one, and the rms of each: a lane is a channel over time, or a whole parameter."""
    over = (1,) if name in ("y", "h") else tuple(range(exact.bound.ndim))
    size = np.abs(exact.truth.head)
    with np.errstate(all="ignore"):
        rms = np.sqrt((size**2).mean(over))
        told = exact.unstored.max(over, initial=0.0) <= INFORMATIVE * rms
    if carried is not None:
        carries = np.abs(carried)
        seen, of = (carries > exact.bound).sum(over), (carries > 0).sum(over)
        told = told & (BLIND * (of - seen) <= of)
    alive = (size > 0).any(over) | (exact.truth.rad > 0).any(over)
    return np.atleast_1d(told)[np.atleast_1d(alive)], np.atleast_1d(rms)


def _carried(call: LayerCall) -> dict[str, Array]:
    """What outputs and states owe to earlier steps, in float64: their difference from a layer that carries nothing on."""
    module, inside, reverse = call.layer.module, call.entered, call.reverse
    with np.errstate(all="ignore"):
        k = module.constants(call.wide)
        without = k._replace(**{call.layer.decay: 0 * getattr(k, call.layer.decay)})
        whole, local = (module.run(each, inside.u, inside.h0, reverse) for each in (k, without))
        y, h = whole[0] - local[0], whole[1] - local[1]
    last = np.stack([h[:, 0 if backwards(d, reverse) else -1, d] for d in range(h.shape[2])], 1)
    return {"y": inside.border.leave(y), "h": inside.border.leave(h, 2), "h_last": inside.border.leave(last, 1)}


def _worst(name: str, got: Array, exact: Certified, error: Array, outside: Array, undecided: Array) -> Element | None:
    """The element with the largest error/allowance, of those outside if any is."""
    eligible = outside if outside.any() else ~undecided
    if not eligible.any():
        return None
    quotient = np.where(eligible, ratio(error, exact.bound), -1.0)
    where = np.unravel_index(int(np.argmax(quotient)), got.shape)
    return Element(
        index=tuple(map(int, where)),
        got=got[where].astype(exact.truth.head.dtype).item(),
        truth=exact.truth.head[where].item(),
        error=float(error[where]),
        allowance=float(exact.bound[where]),
        ratio=float(quotient[where]),
        output=name,
    )


def _verdict(parts: list[Part], elements: int, arithmetic: Arithmetic) -> Verdict:
    outside, undecided = (sum(int(getattr(part, name).sum()) for part in parts) for name in ("outside", "undecided"))
    rounded, worst = sum(part.rounded for part in parts), [part.worst for part in parts if part.worst]
    lanes = np.concatenate([part.lanes for part in parts]) if parts else np.zeros(0, bool)
    word, reason = _decide(outside, undecided, elements, rounded, lanes, parts, arithmetic)
    return Verdict(
        verdict=word,
        grade=None if word != "outside" else _grade(parts),
        reason=reason,
        arithmetic=arithmetic,
        informative=float(lanes.mean()) if lanes.size else float(elements > 0),
        ratio=max((element.ratio for element in worst), default=0.0),
        outputs={part.name: float(part.lanes.mean()) for part in parts if part.lanes.size},
        bits_lost=max((_bits_lost(part, arithmetic) for part in parts), default=0.0),
        rounded=rounded / elements if elements else 0.0,
        counts={"outside": outside, "undecided": undecided, "within": elements - outside - undecided},
        worst=max(worst, key=lambda element: element.ratio, default=None),
    )


def _grade(parts: list[Part]) -> str:
    """What follows from the constants as they were shown needs no constant of elementary functions."""
    return "theorem" if any(part.outside.any() and part.name.endswith(GIVEN) for part in parts) else ASSUMED


def _decide(
    outside: int, undecided: int, elements: int, rounded: int, lanes: Array, parts: list[Part], arithmetic: Arithmetic
) -> tuple[Word, str]:
    """Precedence: outside > nearest > undecided > within; `within` needs half of the lanes to be informative."""
    if outside:
        found = [part for part in parts if part.outside.any()]
        where = ", ".join(f"{int(part.outside.sum())} of {part.outside.size} of {part.name}" for part in found)
        return "outside", f"{where} exceed the allowance; {CLAIMS['outside']}"
    if not elements:
        return "undecided", "there are no elements to judge"
    if rounded == elements:
        return "nearest", CLAIMS["nearest"]
    unknown = unmodelled_in_layers(arithmetic)
    if unknown:
        return "undecided", unknown
    if undecided:
        return "undecided", f"overflow is possible, or the allowance is not finite, in {undecided} of {elements} elements"
    if 2 * lanes.sum() < lanes.size:
        blind = f"{int((~lanes).sum())} of {lanes.size} lanes"
        return "undecided", f"within, but the allowance is too large to tell zeros or a dropped carry in {blind}"
    silent = ", ".join(sorted(part.name for part in parts if 2 * part.lanes.sum() < part.lanes.size))
    return "within", CLAIMS["within"] + (f"; nothing can be told of {silent}" if silent else "")


def _bits_lost(part: Part, arithmetic: Arithmetic) -> float:
    """log2 of the largest error over one unit in the last place of the lane's rms, at least 0; lanes of mere noise aside."""
    axis = (1,) if part.name in ("y", "h") else tuple(range(part.error.ndim))
    error, bound = (np.atleast_1d(x.max(axis, initial=0.0)) for x in (part.error, part.bound))
    with np.errstate(all="ignore"):
        units = np.where((bound <= part.rms) & (error > 0), error / (arithmetic.format.u * part.rms), 1.0)
    units = np.where(np.isfinite(error), np.maximum(units, 1.0), np.inf)
    return float(np.log2(units.max(initial=1.0)))

"""The verdict over the results of one call (what may be claimed: docs/verdicts.md)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import numpy as np

from scanproof.properties.findings import Element, Findings
from scanproof.properties.gathering import Results, gathered
from scanproof.reference.allowance.certified import Block
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.call import Call
from scanproof.reference.inputs import Array

Word = Literal["outside", "nearest", "within", "undecided"]
# of a law, or of one implementation
Status = Literal["outside", "nearest", "within", "undecided", "not offered", "not run"]

CLAIMS = {
    "outside": "proved: no evaluation in the declared class gives this; a wrong result, or a "
               "program outside its declaration",
    "nearest": "every element is the correct rounding of the exact result",
    "within": "not refuted: some honest evaluation could be this far off",
    "undecided": "nothing can be said",
}
ASSUMED = "theorem given the assumed constants"
FUSED = "proved unless your program fuses b or h: declare stages formed, or any"


@dataclass(frozen=True)
class Verdict:
    """What the theorem says about the results of one call.

    verdict: "outside", "nearest", "within" or "undecided"; grade: of an `outside`, "theorem" or
    "theorem given the assumed constants" (docs/classes.md), and then assumed_needed is the smallest
    factor on them that would turn it into `within`.
    informative: share of the sequences whose allowance is small enough to say something; sequences
    of zeros aside.
    ratio: largest error/allowance; bits_lost: largest error over u times the rms of its
    sequence, in bits.
    rounded: share of elements that are the correct rounding of the exact result.
    outputs: the informative share of every result; of a result below one half, `within` says
    little.
    window: whether `worst` was judged from the printed state before it, which the declaration says
    is read back.
    unless: what would have to be declared to make an `undecided` result `outside`.
    weakest: the weakest class under which an `outside` result still is; not_refuted_under: a weaker
    one under which it is not.
    """

    verdict: Word
    grade: str | None
    reason: str
    arithmetic: Arithmetic
    informative: float
    ratio: float
    bits_lost: float
    rounded: float
    counts: dict[str, int]
    worst: Element | None
    window: bool = False
    unless: str | None = None
    weakest: str | None = None
    not_refuted_under: str | None = None
    assumed_needed: float | None = None
    outputs: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        grade = f" ({self.grade})" if self.grade else ""
        return f"{self.verdict}{grade}: {self.reason}"

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; complex numbers as [re, im]."""
        return asdict(self, dict_factory=lambda items: {key: _plain(value) for key, value in items})


def judged(
    got: Results, call: Call, arithmetic: Arithmetic, certified: list[Block] | None = None
) -> Verdict:
    """The verdict over arguments and results that were checked before; `certified`: what `certify`
    gave, if at hand.

    An `outside` that only holds for programs that write their stages to memory is `undecided` until
    that is declared.
    """
    verdict = _judged(got, call, arithmetic, certified)
    if (
        "layer" not in call.system.features
        or arithmetic.stages is not None
        or verdict.verdict == "outside"
    ):
        return verdict
    formed = _judged(got, call, replace(arithmetic, stages="formed"))
    if formed.verdict != "outside":
        return verdict
    reason = f"{formed.reason.partition(';')[0]}; {FUSED}"
    return replace(
        verdict,
        verdict="undecided",
        reason=reason,
        worst=formed.worst,
        ratio=formed.ratio,
        unless="stages formed",
    )


def _judged(
    got: Results, call: Call, arithmetic: Arithmetic, certified: list[Block] | None = None
) -> Verdict:
    parts, why = gathered(got, call, arithmetic, certified)
    return _verdict(parts, call, arithmetic, why)


def _verdict(parts: list[Findings], call: Call, arithmetic: Arithmetic, why: str) -> Verdict:
    outside = [part for part in parts if part.view is not None]
    informative = (
        np.concatenate([part.informative for part in parts]) if parts else np.zeros(0, bool)
    )
    word, reason = _decide(parts, informative, call, arithmetic, why)
    failing = max(outside, key=lambda part: _ratio(part.worst[part.view or 0]), default=None)
    candidates = [part.worst[part.view or 0] for part in outside or parts]
    counts = {"outside": sum(part.outside[part.view or 0] for part in outside)}
    counts["undecided"] = sum(part.undecided for part in parts)
    units, elements = sum(part.units for part in parts), sum(part.elements for part in parts)
    form, gradual = arithmetic.format, arithmetic.subnormals == "gradual"
    smallest = form.smallest_subnormal if gradual else form.smallest_normal
    return Verdict(
        verdict=word,
        grade=None
        if word != "outside"
        else "theorem"
        if any(not part.assumed for part in outside)
        else ASSUMED,
        reason=reason,
        arithmetic=arithmetic,
        informative=float(informative.mean()) if informative.size else float(elements > 0),
        ratio=max((_ratio(element) for part in parts for element in part.worst), default=0.0),
        bits_lost=max((part.bits_lost(form.u, smallest) for part in parts), default=0.0),
        rounded=sum(part.rounded for part in parts) / elements if elements else 0.0,
        counts=counts | {"within": units - counts["outside"] - counts["undecided"]},
        worst=max((element for element in candidates if element), key=_ratio, default=None),
        window=failing is not None and failing.windowed[failing.view or 0],
        outputs={
            part.name: float(part.informative.mean()) for part in parts if part.informative.size
        },
    )


def _ratio(element: Element | None) -> float:
    return element.ratio if element else 0.0


def _decide(
    parts: list[Findings], informative: Array, call: Call, arithmetic: Arithmetic, why: str
) -> tuple[Word, str]:
    """Precedence: outside > nearest > undecided > within; `within` needs half of the sequences to
    be informative."""
    outside = [_told(part) for part in parts if part.view is not None]
    units, undecided = sum(part.units for part in parts), sum(part.undecided for part in parts)
    if outside:
        return "outside", f"{', '.join(outside)}; {CLAIMS['outside']}"
    if not units:
        return "undecided", "there are no elements to judge"
    if all(part.rounded == part.elements for part in parts):
        return "nearest", CLAIMS["nearest"]
    unmodelled = call.system.unmodelled(arithmetic)
    if unmodelled:
        return "undecided", unmodelled
    if undecided:
        return "undecided", f"{why} in {undecided} of {units} {_counted(parts)}"
    if 2 * informative.sum() < informative.size:
        uninformed = f"{int((~informative).sum())} of {informative.size} sequences"
        return (
            "undecided",
            "within, but the allowance is too large to tell zeros or a dropped carry in "
            f"{uninformed}",
        )
    unknown = ", ".join(
        sorted(part.name for part in parts if 2 * part.informative.sum() < part.informative.size)
    )
    return "within", CLAIMS["within"] + (f"; nothing can be told of {unknown}" if unknown else "")


def _told(part: Findings) -> str:
    """How much of a result is outside."""
    view = part.view or 0
    what = (
        "do not follow from the printed state before them"
        if part.windowed[view]
        else "exceed the allowance"
    )
    return f"{part.outside[view]} of {part.units} {_counted([part])} of {part.name} {what}"


def _counted(parts: list[Findings]) -> str:
    return "matrices" if all(part.matrices for part in parts) else "elements"


def required(arithmetic: Any) -> Arithmetic:
    """The argument itself. Raises TypeError for anything that is no Arithmetic."""
    if not isinstance(arithmetic, Arithmetic):
        raise TypeError(
            f"arithmetic: found {arithmetic!r}, expected a declaration such as "
            "scanproof.Arithmetic('float32')"
        )
    return arithmetic


def _plain(value: Any) -> Any:
    if isinstance(value, complex):
        return [value.real, value.imag]
    return list(value) if isinstance(value, tuple) else value

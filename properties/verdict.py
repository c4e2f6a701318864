"""The verdict over one recorded result: `judge` (what may be claimed: docs/verdicts.md)."""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

from scanproof.properties.compare import Comparison, compare, ratio
from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.environment import require_ieee
from scanproof.reference.inputs import Array, Inputs, checked
from scanproof.reference.rounding import Allowance, allowance
from scanproof.reference.truth import Truth, truth

Word = Literal["outside", "within", "undecided"]
Status = Literal["outside", "within", "undecided", "not offered", "not run"]  # of a law, or of one implementation in a report

SYSTEMS = ("scan",)
INFORMATIVE = 2.0**-7  # allowance / rms of the truth, docs/verdicts.md

CLAIMS = {
    "outside": "proved: no evaluation in the declared class gives this; a wrong result, or a program outside its declaration",
    "within": "not refuted: some honest evaluation could be this far off",
    "undecided": "nothing can be said",
}


@dataclass(frozen=True)
class Element:
    """The element with the largest error/allowance, of those outside if any is: (batch, time, channel), Python numbers."""

    index: tuple[int, int, int]
    got: complex | float
    truth: complex | float
    error: float
    allowance: float
    ratio: float


@dataclass(frozen=True)
class Verdict:
    """What the theorem says about one result.

    verdict: "outside", "within" or "undecided"; grade: "theorem" for an `outside` of the bare scan, else None.
    informative: share of the (batch, channel) lanes whose allowance is small enough to say something; lanes of zeros aside.
    ratio: largest error/allowance; bits_lost: largest error over u times the lane's rms, in bits.
    """

    verdict: Word
    grade: str | None
    reason: str
    arithmetic: Arithmetic
    informative: float
    ratio: float
    bits_lost: float
    counts: dict[str, int]
    worst: Element | None
    not_refuted_under: str | None = None

    def __str__(self) -> str:
        grade = f" ({self.grade})" if self.grade else ""
        return f"{self.verdict}{grade}: {self.reason}"

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; complex numbers as [re, im]."""
        return asdict(self, dict_factory=lambda items: {key: _plain(value) for key, value in items})


def judge(
    system: str,
    got: Array,
    *,
    lam: Array,
    b: Array,
    h0: Array | None = None,
    reverse: bool = False,
    arithmetic: Arithmetic | None = None,
) -> Verdict:
    """Judges states that someone recorded for h_t = lam_t h_{t-1} + b_t.

    Args:
        system: "scan".
        got: all states, (batch, time, channels), of the declared dtype.
        lam: (channels,) or (batch, time, channels), of the declared dtype or its real part's.
        b: (batch, time, channels); h0: (batch, channels) or None; reverse: h_t = lam_t h_{t+1} + b_t.
        arithmetic: what the implementation declares; b's dtype with the defaults when None.

    Raises:
        ValueError, TypeError: naming the argument, what was found and what was expected.
    """
    if system not in SYSTEMS:
        raise ValueError(f"system: found {system!r}, expected {' or '.join(SYSTEMS)}")
    arithmetic = Arithmetic(_dtype_of(b)) if arithmetic is None else required(arithmetic)
    inputs = checked(arithmetic, lam, b, h0, reverse)
    wrong = result_fault(got, inputs, arithmetic)
    if wrong:
        raise TypeError(wrong)
    verdict = judge_inputs(got, inputs, arithmetic)
    return replace(verdict, not_refuted_under=rescue([(inputs, got)], arithmetic)) if verdict.verdict == "outside" else verdict


def judge_inputs(got: Array, inputs: Inputs, arithmetic: Arithmetic, bound: Allowance | None = None) -> Verdict:
    """As `judge` without `not_refuted_under`, for arguments that were checked before; `bound`: their allowance, if at hand."""
    require_ieee()
    exact = _unknown(inputs) if arithmetic.unmodelled else truth(inputs)
    bound = bound or allowance(inputs, arithmetic)
    comparison = compare(got, inputs, exact, bound)
    lanes = informative_lanes(inputs, exact, bound.bound)
    verdict, reason = _decide(comparison, lanes, arithmetic)
    counts = {"outside": int(comparison.outside.sum()), "undecided": int(comparison.undecided.sum())}
    counts["within"] = got.size - sum(counts.values())
    worst = _worst(got, exact, comparison)
    return Verdict(
        verdict=verdict,
        grade="theorem" if verdict == "outside" else None,
        reason=reason,
        arithmetic=arithmetic,
        informative=float(lanes.mean()) if lanes.size else float(got.size > 0),
        ratio=worst.ratio if worst else 0.0,
        bits_lost=_bits_lost(comparison, exact, arithmetic),
        counts=counts,
        worst=worst,
    )


def required(arithmetic: Any) -> Arithmetic:
    """The argument itself. Raises TypeError for anything that is no Arithmetic."""
    if not isinstance(arithmetic, Arithmetic):
        raise TypeError(f"arithmetic: found {arithmetic!r}, expected a declaration such as scanproof.Arithmetic('float32')")
    return arithmetic


def result_fault(got: Any, inputs: Inputs, arithmetic: Arithmetic) -> str | None:
    """What is wrong with the form of a result, in one line, or None."""
    if not isinstance(got, np.ndarray):
        return f"got: found {type(got).__name__}, expected a NumPy array of all states"
    if got.shape != inputs.b.shape:
        return f"got: found shape {got.shape}, expected {inputs.b.shape}, the shape of b"
    if got.dtype.name != arithmetic.dtype:
        return f"got: found dtype {got.dtype.name}, expected {arithmetic.dtype}, the declared arithmetic"
    return None


def informative_lanes(inputs: Inputs, exact: Truth, bound: Array) -> Array:
    """Which of the (batch, channel) lanes that are not exactly zero can tell a wrong result: (lanes,) bool.

    The allowance is at most 2^-7 of the rms of the truth, so returned zeros are outside; and of the carries lam_t h_{t-1}
    that are not exactly zero, at most one in 32 is within its allowance, so an implementation that drops more is outside too.
    Lanes of zeros do not count: returned zeros are right there, however large the allowance is elsewhere.
    """
    if not bound.size:
        return np.zeros(0, bool)
    head = exact.head[:, ::-1] if inputs.reverse else exact.head
    forward = inputs.forward()
    with np.errstate(all="ignore"):
        small = bound.max(axis=1) <= INFORMATIVE * _rms(exact.head)
        before = np.concatenate([forward.start[:, None].astype(head.dtype), head[:, :-1]], axis=1)
        seen = np.abs(forward.lam * before) > (bound[:, ::-1] if inputs.reverse else bound)  # (batch, time, channels)
    carries = (forward.lam != 0) & (before != 0)  # (batch, time, channels)
    alive = ((exact.head != 0) | (exact.rad > 0)).any(axis=1)  # (batch, channels)
    hidden = (carries & ~seen).sum(axis=1)  # (batch, channels)
    return np.asarray((small & (32 * hidden <= carries.sum(axis=1)))[alive])


def rescue(failures: list[tuple[Inputs, Array]], arithmetic: Arithmetic) -> str | None:
    """The weaker declaration with the fewest changes under which no element of these (inputs, got) is outside, or None."""
    choices = itertools.product(
        dict.fromkeys([arithmetic.subnormals, "ftz", "daz"]),
        dict.fromkeys([arithmetic.contraction, True]),
        dict.fromkeys([arithmetic.order, "any"]),
    )
    weaker = [replace(arithmetic, subnormals=s, contraction=c, order=o) for s, c, o in choices]
    weaker.sort(key=lambda a: sum(getattr(a, f) != getattr(arithmetic, f) for f in ("subnormals", "contraction", "order")))
    judged = [(got, inputs, truth(inputs)) for inputs, got in failures]
    for a in weaker[1:]:
        if not any(compare(*case, allowance(case[1], a)).outside.any() for case in judged):
            return str(a)
    return None


def _decide(comparison: Comparison, lanes: Array, arithmetic: Arithmetic) -> tuple[Word, str]:
    """Precedence: outside > undecided > within; `within` needs half of the lanes to be informative."""
    elements = comparison.bound.size
    if comparison.outside.any():
        return "outside", f"{int(comparison.outside.sum())} of {elements} elements exceed the allowance; {CLAIMS['outside']}"
    if arithmetic.unmodelled:
        return "undecided", arithmetic.unmodelled
    if not elements:
        return "undecided", "there are no elements to judge"
    if comparison.undecided.any():
        return "undecided", f"overflow is possible in {int(comparison.undecided.sum())} of {elements} elements"
    if 2 * lanes.sum() < lanes.size:
        blind = f"{int((~lanes).sum())} of {lanes.size} lanes"
        return "undecided", f"within, but the allowance is too large to tell zeros or a dropped carry in {blind}"
    return "within", CLAIMS["within"]


def _worst(got: Array, exact: Truth, comparison: Comparison) -> Element | None:
    eligible = comparison.outside if comparison.outside.any() else ~comparison.undecided
    if not eligible.any():
        return None
    quotient = np.where(eligible, ratio(comparison.error, comparison.bound), -1.0)
    index = np.unravel_index(int(np.argmax(quotient)), got.shape)
    where = (int(index[0]), int(index[1]), int(index[2]))
    return Element(
        index=where,
        got=got[where].item(),
        truth=exact.head[where].item(),
        error=float(comparison.error[where]),
        allowance=float(comparison.bound[where]),
        ratio=float(quotient[where]),
    )


def _bits_lost(comparison: Comparison, exact: Truth, arithmetic: Arithmetic) -> float:
    """log2 of the largest error over one unit in the last place, at least 0: u rms(lane), or the least number kept."""
    if arithmetic.unmodelled or not comparison.error.size:
        return 0.0
    info = np.finfo(arithmetic.real_dtype)
    with np.errstate(all="ignore"):
        smallest = info.smallest_subnormal if arithmetic.subnormals == "gradual" else info.smallest_normal
        spacing = np.maximum(float(info.eps) / 2 * _rms(exact.head), float(smallest))
        units = comparison.error.max(axis=1) / spacing
    units = np.where(np.isfinite(comparison.error).all(axis=1), units, np.inf)  # a result that is not finite lost them all
    units = units[units > 1]
    return float(np.log2(units.max())) if units.size else 0.0


def _rms(head: Array) -> Array:
    """Root mean square over time, (batch, channels), scaled against overflow and underflow."""
    size = np.abs(head)
    top = size.max(axis=1, keepdims=True)
    scaled = np.where(top > 0, size / np.where(top > 0, top, 1), 0)
    return np.asarray(np.sqrt((scaled**2).mean(axis=1)) * top[:, 0])


def _unknown(inputs: Inputs) -> Truth:
    zeros = np.zeros(inputs.b.shape, np.complex128 if np.iscomplexobj(inputs.b) else np.float64)
    return Truth(zeros, zeros, np.full(inputs.b.shape, np.inf))


def _dtype_of(b: Any) -> str:
    if not isinstance(b, np.ndarray):
        raise TypeError(f"b: found {type(b).__name__}, expected a NumPy array")
    return str(b.dtype.name)


def _plain(value: Any) -> Any:
    if isinstance(value, complex):
        return [value.real, value.imag]
    return list(value) if isinstance(value, tuple) else value

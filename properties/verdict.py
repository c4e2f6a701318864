"""The verdict over one recorded result: `judge` (what may be claimed: docs/verdicts.md)."""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from scanproof.properties.compare import Comparison, compare, ratio
from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.inputs import Array, Inputs, checked
from scanproof.reference.rounding import allowance
from scanproof.reference.truth import Truth, truth

SYSTEMS = ("scan",)
INFORMATIVE = 2.0**-7  # allowance / rms of the truth, allowances.md 6.1

CLAIMS = {
    "outside": "proved: no evaluation in the declared class gives this; a wrong result, or a program outside its declaration",
    "within": "not refuted: some honest evaluation could be this far off",
    "undecided": "nothing can be said",
}


@dataclass(frozen=True)
class Element:
    """The element with the largest error/allowance: (batch, time, channel), values as Python numbers."""

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
    informative: share of (batch, channel) lanes whose allowance is small enough to say something.
    ratio: largest error/allowance; bits_lost: largest error over u times the lane's rms, in bits.
    """

    verdict: str
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
    arithmetic = arithmetic or Arithmetic(_dtype_of(b))
    inputs = checked(arithmetic, lam, b, h0, reverse)
    wrong = result_fault(got, inputs, arithmetic)
    if wrong:
        raise TypeError(wrong)
    return judge_inputs(got, inputs, arithmetic)


def judge_inputs(got: Array, inputs: Inputs, arithmetic: Arithmetic) -> Verdict:
    """As `judge`, for arguments that were checked before."""
    exact = _unknown(inputs) if arithmetic.unmodelled else truth(inputs)
    bound = allowance(inputs, arithmetic)
    comparison = compare(got, inputs, exact, bound)
    lanes = informative_lanes(inputs, exact, bound.bound)
    verdict, reason = _decide(comparison, lanes, arithmetic)
    rescue = not_refuted_under(got, inputs, exact, arithmetic)[:1] if verdict == "outside" else []
    counts = {"outside": int(comparison.outside.sum()), "undecided": int(comparison.undecided.sum())}
    counts["within"] = got.size - sum(counts.values())
    worst = _worst(got, exact, comparison)
    return Verdict(
        verdict=verdict,
        grade="theorem" if verdict == "outside" else None,
        reason=reason,
        arithmetic=arithmetic,
        informative=float(lanes.mean()) if lanes.size else 0.0,
        ratio=worst.ratio if worst else 0.0,
        bits_lost=_bits_lost(comparison, exact, arithmetic),
        counts=counts,
        worst=worst,
        not_refuted_under=str(rescue[0]) if rescue else None,
    )


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
    """Which (batch, channel) lanes can tell a wrong result: (batch, channels) bool.

    The allowance is at most 2^-7 of the rms of the truth (6.1), so returned zeros are outside; and where there is a
    carry lam_t h_{t-1}, it exceeds the allowance at half of its steps, so an implementation without it is outside too.
    """
    if not bound.size:
        return np.zeros((bound.shape[0], bound.shape[2]), bool)
    head = exact.head[:, ::-1] if inputs.reverse else exact.head
    forward = inputs.forward()
    with np.errstate(all="ignore"):
        small = bound.max(axis=1) <= INFORMATIVE * _rms(exact.head)
        before = np.concatenate([forward.start[:, None].astype(head.dtype), head[:, :-1]], axis=1)
        carry = np.abs(forward.lam * before)  # (batch, time, channels)
        seen = carry > (bound[:, ::-1] if inputs.reverse else bound)
    return small & (2 * seen.sum(axis=1) >= (carry > 0).sum(axis=1))


def not_refuted_under(got: Array, inputs: Inputs, exact: Truth, arithmetic: Arithmetic) -> list[Arithmetic]:
    """Weaker declarations under which no element is outside, the fewest changes first."""
    choices = itertools.product(
        dict.fromkeys([arithmetic.subnormals, "ftz", "daz"]),
        dict.fromkeys([arithmetic.contraction, True]),
        dict.fromkeys([arithmetic.order, "any"]),
    )
    weaker = [replace(arithmetic, subnormals=s, contraction=c, order=o) for s, c, o in choices]
    found = [a for a in weaker if a != arithmetic and not compare(got, inputs, exact, allowance(inputs, a)).outside.any()]
    return sorted(found, key=lambda a: sum(getattr(a, f) != getattr(arithmetic, f) for f in ("subnormals", "contraction", "order")))


def _decide(comparison: Comparison, lanes: Array, arithmetic: Arithmetic) -> tuple[str, str]:
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
        return "undecided", f"within, but the allowance is too large to inform in {int((~lanes).sum())} of {lanes.size} lanes"
    return "within", CLAIMS["within"]


def _worst(got: Array, exact: Truth, comparison: Comparison) -> Element | None:
    if not got.size or not np.isfinite(comparison.bound).any():
        return None
    quotient = np.where(np.isfinite(comparison.bound), ratio(comparison.error, comparison.bound), -1.0)
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
    """log2 of the largest error over u rms(lane), at least 0; over lanes that are not zero."""
    if arithmetic.unmodelled or not comparison.error.size:
        return 0.0
    u = float(np.finfo(arithmetic.real_dtype).eps) / 2
    with np.errstate(all="ignore"):
        units = comparison.error.max(axis=1) / (u * _rms(exact.head))
    units = units[np.isfinite(units) & (units > 1)]
    return float(np.log2(units.max())) if units.size else 0.0


def _rms(head: Array) -> Array:
    """Root mean square over time, (batch, channels), scaled against overflow and underflow."""
    size = np.abs(head)
    top = size.max(axis=1, keepdims=True)
    scaled = np.where(top > 0, size / np.where(top > 0, top, 1), 0)
    return np.asarray(np.sqrt((scaled**2).mean(axis=1)) * top[:, 0])


def _unknown(inputs: Inputs) -> Truth:
    zeros = np.zeros(inputs.b.shape)
    return Truth(zeros, zeros, np.full(inputs.b.shape, np.inf))


def _dtype_of(b: Any) -> str:
    if not isinstance(b, np.ndarray):
        raise TypeError(f"b: found {type(b).__name__}, expected a NumPy array")
    return b.dtype.name


def _plain(value: Any) -> Any:
    if isinstance(value, complex):
        return [value.real, value.imag]
    return list(value) if isinstance(value, tuple) else value

"""`judge`: the verdict over a result that someone recorded, and what would make an `outside` one `within`."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np

from scanproof.properties.verdict import SYSTEMS, Verdict, judge_inputs, required, result_fault
from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.inputs import Array, Inputs, checked


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
    return explained(verdict, [(inputs, got)]) if verdict.verdict == "outside" else verdict


def explained(verdict: Verdict, failures: list[tuple[Inputs, Array]]) -> Verdict:
    """An `outside` with the declaration, and the assumed constants, under which these (inputs, got) would not be refuted."""
    needed = assumed_needed(failures, verdict.arithmetic) if verdict.arithmetic.assumes else None
    near = f"; factor {needed:.3g} on the assumed constants would admit it" if needed else ""
    reason = verdict.reason + near + (", so they may be too small" if needed and needed <= 4 * verdict.arithmetic.assumed else "")
    return replace(verdict, reason=reason, assumed_needed=needed, not_refuted_under=rescue(failures, verdict.arithmetic))


def assumed_needed(failures: list[tuple[Inputs, Array]], arithmetic: Arithmetic) -> float | None:
    """The smallest factor on the assumed constants, to 1 %, under which none of these is outside; None beyond 2^20."""
    low, high = arithmetic.assumed, arithmetic.assumed * 2.0**20
    if _refuted(failures, replace(arithmetic, assumed=high)):
        return None
    while high > 1.01 * low:
        middle = (low * high) ** 0.5
        low, high = (middle, high) if _refuted(failures, replace(arithmetic, assumed=middle)) else (low, middle)
    return high


def rescue(failures: list[tuple[Inputs, Array]], arithmetic: Arithmetic) -> str | None:
    """The declaration with the fewest changes, at most two, under which no element of these (inputs, got) is outside, or None."""
    if not arithmetic.bracketing:
        return None
    single = [*itertools.chain.from_iterable(_changes(arithmetic))]
    double = [one | two for one, two in itertools.combinations(single, 2) if not one.keys() & two.keys()]
    for words in single + double:
        weaker = _declared(arithmetic, words)
        if weaker and not _refuted(failures, weaker):
            return str(weaker)
    return None


def _changes(arithmetic: Arithmetic) -> list[list[dict[str, Any]]]:
    """Other words for each part of the declaration, the likelier first."""
    steps = {"order": "sequential", "store": "step"}
    orders = [{"store": "output"}, {"order": "any", "store": "output"}, *([steps] if arithmetic.accumulate else [])]
    return [
        [{"subnormals": word} for word in ("ftz", "daz") if word != arithmetic.subnormals and arithmetic.subnormals != "daz"],
        [] if arithmetic.contraction else [{"contraction": True}],
        [words for words in orders if any(getattr(arithmetic, name) != word for name, word in words.items())],
        [{"accumulate": None}] if arithmetic.accumulate else [],
        [{"rounding": "truncate"}, {"rounding": "matrix"}] if arithmetic.rounding == "nearest" else [],
        [] if arithmetic.operands else [{"operands": "tf32"}],
    ]


def _declared(arithmetic: Arithmetic, words: dict[str, Any]) -> Arithmetic | None:
    """The declaration with these words, or None where they contradict the others."""
    try:
        return replace(arithmetic, **words)
    except ValueError:
        return None


def _refuted(failures: list[tuple[Inputs, Array]], arithmetic: Arithmetic) -> bool:
    return any(judge_inputs(got, inputs, arithmetic).verdict == "outside" for inputs, got in failures)


def _dtype_of(b: Any) -> str:
    if not isinstance(b, np.ndarray):
        raise TypeError(f"b: found {type(b).__name__}, expected a NumPy array")
    return str(b.dtype.name)

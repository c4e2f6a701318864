"""`judge`: the verdict over a result that someone recorded, and what would make an `outside` one `within`."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np

from scanproof.properties.expm_calls import ExpmCall, checked_expm
from scanproof.properties.expm_calls import form_fault as expm_fault
from scanproof.properties.expm_verdict import judge_expm
from scanproof.properties.layer_calls import LayerCall, checked_layer, form_fault, received, wanted
from scanproof.properties.layer_verdict import judge_call
from scanproof.properties.verdict import Verdict, judge_inputs, required, result_fault
from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.inputs import Inputs, checked
from scanproof.reference.systems import LAYERS, assumes, known_system, weaker
from scanproof.reference.systems import declared as declared_for

SCAN, LAYER = ("lam", "b", "h0", "reverse"), ("params", "u", "h0", "reverse", "y_bar")  # the first two are required
BLIND = " (whose allowance tells nothing here)"
LARGE = 2**17  # states of a call from which on each judgement takes a second or more: single changes must do
NAMES = {"scan": SCAN, "expm": ("S",)}
Call = Inputs | LayerCall | ExpmCall


def judge(system: str, got: Any, *, arithmetic: Arithmetic | None = None, **arguments: Any) -> Verdict:
    """Judges a result that someone recorded.

    Args:
        system: "scan", a layer ("lru", "rotrnn"), or "expm" of skew matrices.
        got: all states of a scan (batch, time, channels); of a layer y (batch, time, width), or a mapping over y, h, h_last and
            grads (properties/layer_calls.py); of expm all exponentials (stack, n, n). Of the declared dtype.
        arithmetic: what the implementation declares; the dtype of b, u or S with the defaults when None.
        arguments: of a scan lam (channels,) or (batch, time, channels), b (batch, time, channels) and optionally h0, reverse;
            of a layer params (the reference's Params, or a mapping of the same names), u and optionally h0, reverse, y_bar;
            of expm S (stack, n, n), exactly skew.

    Raises:
        ValueError, TypeError: naming the argument, what was found and what was expected.
    """
    call, declared = _call(known_system(system), arithmetic, arguments)
    result = _formed(got, call, declared)
    verdict = judged(result, call, declared)
    return explained(verdict, [(call, result)]) if verdict.verdict == "outside" else verdict


def system_of(call: Call) -> str:
    """The system whose call this is."""
    if isinstance(call, Inputs):
        return "scan"
    return "expm" if isinstance(call, ExpmCall) else call.system


def judged(got: Any, call: Call, arithmetic: Arithmetic) -> Verdict:
    """The verdict over arguments and results that were checked before."""
    if isinstance(call, ExpmCall):
        return judge_expm(got, call, arithmetic)
    if isinstance(call, LayerCall):
        return judge_call(got, call, arithmetic)
    return judge_inputs(got, call, arithmetic)


def _call(system: str, arithmetic: Arithmetic | None, arguments: dict[str, Any]) -> tuple[Call, Arithmetic]:
    """The arguments, checked, and the declaration."""
    names = NAMES.get(system, LAYER)
    wrong = [*(name for name in names[:2] if name not in arguments), *(name for name in arguments if name not in names)]
    if wrong:
        found = "another argument" if wrong[0] in arguments else "none"
        more = f" and at most {', '.join(names[2:])}" if names[2:] else ""
        raise TypeError(f"{wrong[0]}: found {found}, expected {', '.join(names[:2])}{more}")
    main = names[:2][-1]
    said = Arithmetic(_dtype_of(main, arguments[main])) if arithmetic is None else arithmetic
    declared = declared_for(system, required(said))
    if system == "expm":
        return checked_expm(declared.dtype, **arguments), declared
    if system in LAYERS:
        return checked_layer(system, declared.dtype, **arguments), declared
    return checked(declared, **arguments), declared


def _formed(got: Any, call: Call, arithmetic: Arithmetic) -> Any:
    """The result, in the form in which it is judged."""
    if isinstance(call, Inputs):
        wrong = result_fault(got, call, arithmetic)
    elif isinstance(call, ExpmCall):
        wrong = expm_fault(got, call, arithmetic)
    else:
        try:
            got = received(got)
        except ValueError as error:
            raise ValueError(f"got: {error}") from None
        wrong = form_fault(got, call, arithmetic)
        if not wrong and not wanted(call, got):
            expected = "grads, since y_bar is given" if call.y_bar is not None else "y, h or h_last"
            wrong = f"got: found {', '.join(got)}, expected {expected}"
    if wrong:
        raise TypeError(wrong)
    return got


def explained(verdict: Verdict, failures: list[tuple[Any, Any]]) -> Verdict:
    """An `outside` with the declaration, and the assumed constants, under which these (inputs, got) would not be refuted."""
    resting = assumes(system_of(failures[0][0]), verdict.arithmetic)
    needed = assumed_needed(failures, verdict.arithmetic) if resting else None
    near = f"; factor {needed:.3g} on the assumed constants would admit it" if needed else ""
    reason = verdict.reason + near + (", so they may be too small" if needed and needed <= 4 * verdict.arithmetic.assumed else "")
    return replace(verdict, reason=reason, assumed_needed=needed, not_refuted_under=rescue(failures, verdict.arithmetic))


def assumed_needed(failures: list[tuple[Any, Any]], arithmetic: Arithmetic) -> float | None:
    """The smallest factor on the assumed constants, to 1/8, under which all of these fit; None beyond 2^20."""
    low = high = arithmetic.assumed
    while not _fit(failures, replace(arithmetic, assumed=high)):
        low, high = high, 2 * high
        if high > 2.0**20 * arithmetic.assumed:
            return None
    for _ in range(3):  # low does not fit, high = 2 low does
        middle = (low + high) / 2
        low, high = (low, middle) if _fit(failures, replace(arithmetic, assumed=middle)) else (middle, high)
    return high


def rescue(failures: list[tuple[Any, Any]], arithmetic: Arithmetic) -> str | None:
    """The declaration with the fewest changes, at most two, under which all of these (inputs, got) fit, or None."""
    if not arithmetic.bracketing:
        return None
    single = weaker(system_of(failures[0][0]), arithmetic)
    pairs = [] if any(_states(call) > LARGE for call, _ in failures) else itertools.combinations(single, 2)
    for words in single + [one | two for one, two in pairs if not one.keys() & two.keys()]:
        admitting = _declared(arithmetic, words)
        if admitting and _fit(failures, admitting):
            told = all(judged(got, call, admitting).verdict in ("within", "nearest") for call, got in failures)
            return str(admitting) + ("" if told else BLIND)
    return None


def _states(call: Call) -> int:
    """How many numbers the truth carries through time."""
    if isinstance(call, Inputs):
        return call.b.size
    return 0 if isinstance(call, ExpmCall) else call.u.shape[1] * call.entered.h0.size


def _declared(arithmetic: Arithmetic, words: dict[str, Any]) -> Arithmetic | None:
    """The declaration with these words, or None where they contradict the others."""
    try:
        return replace(arithmetic, **words)
    except ValueError:
        return None


def _fit(failures: list[tuple[Any, Any]], arithmetic: Arithmetic) -> bool:
    """Whether every element is finite, and within an allowance that is known."""
    counts = (judged(got, call, arithmetic).counts for call, got in failures)
    return not any(count["outside"] or count["undecided"] for count in counts)


def _dtype_of(name: str, x: Any) -> str:
    if not isinstance(x, np.ndarray):
        raise TypeError(f"{name}: found {type(x).__name__}, expected a NumPy array")
    return str(x.dtype.name)

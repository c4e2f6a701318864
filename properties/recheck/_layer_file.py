"""Reads what the layers have in common of a witness: their forms, their logarithms, the recorded
truth.

Evidence: {"parts": [[head, tail], ...], "rad"}; the truth is within rad of the sums head + tail.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from . import _values
from ._witness import GIVEN, Witness

LOG = 700.0  # the largest logarithm whose exponential is computed


class Recurrence(NamedTuple):
    """A layer as in the formula of `_layers`."""

    lam: list[Any]  # (state,)
    B: list[Any]  # (state, width), gains included
    C: list[Any]  # one or two of (width, state)
    D: list[Any]  # (width,)
    into: Callable[[list[Any]], list[Any]] = list
    back: Callable[[list[Any]], list[Any]] = list


class Layer(NamedTuple):
    """One system; logs: parameters that are exponentiated; scaled: those by whose size it
    divides."""

    forms: dict[str, str]  # of the parameters
    exposed: dict[str, str]  # of the constants
    state: str  # the axes of a state
    logs: tuple[str, ...]
    scaled: tuple[str, ...]
    constants: Callable[[dict[str, Any]], dict[str, Any]]
    recurrence: Callable[[dict[str, Any], dict[str, Any]], Recurrence]


def two_directions(w: Witness) -> bool:
    """Whether a second scan runs the other way."""
    return any(name.startswith("C2") for name in w.arguments)


def exposed(w: Witness) -> dict[str, _values.Numbers]:
    """The constants among the results."""
    found = ((name.partition(" "), x) for name, x in w.results.items())
    return {name: x for (group, _, name), x in found if group == "constant"}


def check(layer: Layer, w: Witness, sizes: dict[str, int]) -> None:
    """Raises ValueError where the file holds no call and no results of the layer."""
    inner = ("two " if two_directions(w) else "") + layer.state
    sequences, sizes["two"] = "batch time width", 2
    given = layer.forms | {"u": sequences, "y_bar": sequences, "h0": f"batch {inner}"}
    results = {"y": sequences, "h": f"batch time {inner}", "h_last": f"batch {inner}"}
    results |= {f"gradient {name}": form for name, form in given.items() if name != "y_bar"}
    results |= {f"constant {name}": form for name, form in layer.exposed.items()}
    _values.fit(w.arguments, given, sizes, _needed(layer, w))
    _values.fit(w.results, results, sizes, ())
    _check_count(layer, sizes, 2 if two_directions(w) else 1)
    _check_logs(layer, w)
    if w.output.endswith(GIVEN):
        _check_shown(w)


def _needed(layer: Layer, w: Witness) -> list[str]:
    second = two_directions(w)
    found = [name for name in layer.forms if second or not name.startswith("C2")]
    return [*found, "u", *(["y_bar"] if w.output.startswith("gradient") else [])]


def _check_count(layer: Layer, sizes: dict[str, int], directions: int) -> None:
    axes = [axis for axis in ("batch", "time", *layer.state.split()) if axis in sizes]
    count = directions * math.prod(sizes[axis] for axis in axes)
    if count > _values.COUNT:
        raise _values.fault("h", f"{count} states", f"{_values.COUNT} at most")


def _check_logs(layer: Layer, w: Witness) -> None:
    for name in layer.logs:
        largest = max((z.real for z in w.arguments[name].data), key=abs)
        if abs(largest) > LOG:
            raise _values.fault(name, str(largest), f"logarithms from {-LOG} to {LOG}")


def _check_shown(w: Witness) -> None:
    if w.output not in (f"y{GIVEN}", f"h{GIVEN}") or not exposed(w):
        raise _values.fault("output", repr(w.output), "y or h, and constants among the results")
    for name, x in exposed(w).items():
        _values.finite(f"constant {name}", x)


def digits(layer: Layer, w: Witness) -> int:
    """How many digits the largest number has before its point, exponentials of logarithms too."""
    parts = (abs(part) for x in w.arguments.values() for z in x.data for part in (z.real, z.imag))
    largest = math.log10(max(1.0, *parts))
    logs = [z.real for name in layer.logs for z in w.arguments[name].data]
    return math.ceil(max(largest, max(logs) / math.log(10)))


def recorded(w: Witness) -> tuple[list[tuple[float, float]], float]:
    """Head and tail of every component of the truth, and its radius."""
    pairs, rad = _values.fields("evidence", w.evidence, "parts", "rad")
    parts = _values.sequence("evidence.parts", pairs, w.judged.parts)
    return [_pair(x) for x in parts], _values.distance("evidence.rad", rad)


def _pair(found: Any) -> tuple[float, float]:
    head, tail = _values.sequence("evidence.parts", found, 2)
    return _finite(head), _finite(tail)


def _finite(found: Any) -> float:
    value = _values.number("evidence.parts", found)
    if not math.isfinite(value):
        raise _values.fault("evidence.parts", found, "a finite number")
    return value

"""How an implementation is called: the adapter contract, and everything that can go wrong in it.

A scan takes keywords `lam`, `b` and, if its signature has them, `h0` and `reverse`; it returns all states as one array. A layer
takes its parameters and `u`, and returns what layer_calls.py says. NotImplementedError or a missing keyword means "not offered".
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from scanproof.properties.expm_calls import ExpmCall
from scanproof.properties.expm_calls import form_fault as expm_fault
from scanproof.properties.layer_calls import LayerCall, form_fault, received, wanted
from scanproof.properties.verdict import result_fault
from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.inputs import Array, Inputs

POISON_STEPS = 64  # NaN steps laid before and after every array of a poisoned call


class Fault(Exception):
    """The implementation broke the contract. kind: "crashed", "hung" or "contract"."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Implementation(Protocol):
    """Anything that `check` can call."""

    name: str

    def call(self, inputs: Any, poison: bool = False) -> Any:
        """All states (of a layer: a flat mapping of results), or None where this is not offered. Raises Fault."""


class InProcess:
    """A callable of this process, without time limits."""

    def __init__(self, function: Callable[..., Any], arithmetic: Arithmetic, name: str | None = None) -> None:
        if not callable(function):
            raise TypeError(f"implementation: found {type(function).__name__}, expected a callable")
        self.name = name or str(getattr(function, "__name__", type(function).__name__))
        self._function, self._arithmetic = function, arithmetic

    def call(self, inputs: Any, poison: bool = False) -> Any:
        return invoke(self._function, inputs, self._arithmetic, poison)


def invoke(function: Callable[..., Any], inputs: Inputs | LayerCall | ExpmCall, arithmetic: Arithmetic, poison: bool) -> Any:
    """One call with copies of the inputs; None where it is not offered. Raises Fault."""
    keywords = inputs.keywords()
    if not keywords.keys() <= _offered(function, keywords, inputs.required):
        return None
    if poison:
        keywords = {name: _poisoned(x) if isinstance(x, np.ndarray) else x for name, x in keywords.items()}
    before = {name: x.tobytes() for name, x in keywords.items() if isinstance(x, np.ndarray)}
    try:
        got = _arrays(function(**keywords))
    except NotImplementedError:
        return None
    except (Exception, SystemExit) as error:
        raise Fault("crashed", f"implementation: raised {_one_line(error)} for {inputs.described()}") from error
    changed = [name for name, content in before.items() if keywords[name].tobytes() != content]
    if changed:
        raise Fault("contract", f"{changed[0]}: found changed by the implementation, expected inputs to be left untouched")
    if isinstance(inputs, ExpmCall):
        _contract(expm_fault(got, inputs, arithmetic))
        return np.array(got)
    return _of_layer(got, inputs, arithmetic) if isinstance(inputs, LayerCall) else _of_scan(got, inputs, arithmetic)


def _arrays(got: Any) -> Any:
    """Arrays of other libraries as NumPy's, in mappings too."""
    if isinstance(got, Mapping):
        return {name: _arrays(x) for name, x in got.items()}
    return np.asarray(got) if not isinstance(got, np.ndarray) and hasattr(got, "__array__") else got


def _of_scan(got: Any, inputs: Inputs, arithmetic: Arithmetic) -> Array:
    """All states, copied. Raises Fault for another form."""
    _contract(result_fault(got, inputs, arithmetic))
    return np.array(got)


def _of_layer(got: Any, call: LayerCall, arithmetic: Arithmetic) -> dict[str, Array] | None:
    """Results as a flat mapping, copied; None where what the call asks for is not among them. Raises Fault for another form."""
    try:
        found = received(got)
    except ValueError as error:
        raise Fault("contract", f"result: {error}") from error
    _contract(form_fault(found, call, arithmetic))
    return {name: np.array(x) for name, x in found.items()} if wanted(call, found) else None


def _contract(wrong: str | None) -> None:
    if wrong:
        raise Fault("contract", wrong.replace("got:", "result:", 1))


def _offered(function: Callable[..., Any], wanted: dict[str, Any], required: frozenset[str]) -> set[str]:
    """Keywords that the signature names; **kwargs takes the required ones, and promises nothing about h0 and reverse.

    All of `wanted` where there is no signature to read. Raises Fault where it cannot be called with the required ones alone.
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return set(wanted)
    named = {p.name: p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return {*required, *named}
    missing, listed = required - named.keys(), _listed([name for name in wanted if name in required])
    if missing:
        raise Fault("contract", f"implementation: found no keyword {_listed(sorted(missing))}, expected keywords {listed}")
    needed = [name for name, p in named.items() if p.default is p.empty and name not in required]
    if needed:
        raise Fault("contract", f"implementation: found {needed[0]!r} without a default, expected only {listed} to be required")
    return set(named)


def _poisoned(x: Array) -> Array:
    """A contiguous copy of x with NaN right before and right after it in memory."""
    margin = POISON_STEPS * (x.shape[-1] if x.ndim else 1)
    memory = np.full(x.size + 2 * margin, np.nan, x.dtype)
    view = memory[margin : margin + x.size].reshape(x.shape)
    view[...] = x
    return view


def _one_line(error: BaseException) -> str:
    """Type, first line of the message and the innermost place of an exception."""
    message = (str(error).splitlines() or [""])[0][:160]
    frames = traceback.extract_tb(error.__traceback__)
    told = isinstance(error, SyntaxError)  # its message says where, its frames are those of the importer
    place = f" (line {frames[-1].lineno} of {frames[-1].name})" if frames and not told else ""
    return f"{type(error).__name__}: {message}{place}" if message else f"{type(error).__name__}{place}"


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))

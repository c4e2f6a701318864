"""How an implementation is called: the adapter contract, and everything that can go wrong in it.

An implementation takes keywords `lam`, `b` and, if its signature has them, `h0` and `reverse`; it returns all states as one
array. NotImplementedError or a missing keyword means "not offered".
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

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

    def call(self, inputs: Inputs, poison: bool = False) -> Array | None:
        """All states, or None where this is not offered. Raises Fault."""


class InProcess:
    """A callable of this process, without time limits."""

    def __init__(self, function: Callable[..., Any], arithmetic: Arithmetic, name: str | None = None) -> None:
        if not callable(function):
            raise TypeError(f"implementation: found {type(function).__name__}, expected a callable")
        self.name = name or str(getattr(function, "__name__", type(function).__name__))
        self._function, self._arithmetic = function, arithmetic

    def call(self, inputs: Inputs, poison: bool = False) -> Array | None:
        return invoke(self._function, inputs, self._arithmetic, poison)


def invoke(function: Callable[..., Any], inputs: Inputs, arithmetic: Arithmetic, poison: bool) -> Array | None:
    """One call with copies of the inputs; None where it is not offered. Raises Fault."""
    keywords = inputs.keywords()
    if not keywords.keys() <= _offered(function, keywords):
        return None
    if poison:
        keywords = {name: _poisoned(x) if isinstance(x, np.ndarray) else x for name, x in keywords.items()}
    before = {name: x.tobytes() for name, x in keywords.items() if isinstance(x, np.ndarray)}
    try:
        got = function(**keywords)
        if not isinstance(got, np.ndarray) and hasattr(got, "__array__"):
            got = np.asarray(got)
    except NotImplementedError:
        return None
    except (Exception, SystemExit) as error:
        raise Fault("crashed", f"implementation: raised {_one_line(error)} for {_shapes(inputs)}") from error
    changed = [name for name, content in before.items() if keywords[name].tobytes() != content]
    if changed:
        raise Fault("contract", f"{changed[0]}: found changed by the implementation, expected inputs to be left untouched")
    wrong = result_fault(got, inputs, arithmetic)
    if wrong:
        raise Fault("contract", wrong.replace("got:", "result:", 1))
    return np.array(got)


def _offered(function: Callable[..., Any], wanted: dict[str, Any]) -> set[str]:
    """Keywords that the signature names; **kwargs takes lam and b, and promises nothing about h0 and reverse.

    All of `wanted` where there is no signature to read. Raises Fault where it cannot be called with lam and b.
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return set(wanted)
    named = {p.name: p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return {"lam", "b", *named}
    missing = {"lam", "b"} - named.keys()
    if missing:
        raise Fault("contract", f"implementation: found no keyword {sorted(missing)[0]!r}, expected keywords lam and b")
    needed = [name for name, p in named.items() if p.default is p.empty and name not in ("lam", "b")]
    if needed:
        raise Fault("contract", f"implementation: found {needed[0]!r} without a default, expected only lam and b to be required")
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


def _shapes(inputs: Inputs) -> str:
    optional = (["h0"] if inputs.h0 is not None else []) + (["reverse"] if inputs.reverse else [])
    return f"lam {inputs.lam.shape}, b {inputs.b.shape}" + (f" with {' and '.join(optional)}" if optional else "")

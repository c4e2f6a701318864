"""How an implementation is called: the adapter contract, and everything that can go wrong in it.

It takes keywords named as the system's arguments; optional ones (initial states, `reverse`,
cotangents) are tested if its signature has them. It returns what results.py says.
NotImplementedError or a missing keyword means "not offered".
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from scanproof.properties.results import answered, form_fault, received
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.call import Call
from scanproof.reference.inputs import Array

POISON_STEPS = 64  # NaN steps laid before and after every array of a poisoned call
SHOWN = 160  # characters of an exception's message


class Fault(Exception):
    """The implementation broke the contract. kind: "crashed", "hung" or "contract"."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Question:
    """What an implementation is asked: keywords, those without which nothing can be called, and the
    call in one line."""

    keywords: dict[str, Any]
    required: frozenset[str]
    described: str
    poison: bool = False

    @classmethod
    def of(cls, call: Call, poison: bool = False) -> Question:
        return cls(call.keywords(), call.system.required, call.described(), poison)


class Implementation(Protocol):
    """Anything that `check` can call."""

    name: str

    def call(self, call: Call, poison: bool = False) -> dict[str, Array] | None:
        """A flat mapping of results, or None where this is not offered. Raises Fault."""


class InProcess:
    """A callable of this process, without time limits."""

    def __init__(
        self, function: Callable[..., Any], arithmetic: Arithmetic, name: str | None = None
    ) -> None:
        if not callable(function):
            raise TypeError(f"implementation: found {type(function).__name__}, expected a callable")
        self.name = name or str(getattr(function, "__name__", type(function).__name__))
        self._function, self._arithmetic = function, arithmetic

    def call(self, call: Call, poison: bool = False) -> dict[str, Array] | None:
        return understood(invoke(self._function, Question.of(call, poison)), call, self._arithmetic)


def invoke(function: Callable[..., Any], question: Question) -> Any:
    """One call; what came back, arrays as NumPy's, or None where it is not offered. Raises
    Fault."""
    keywords = question.keywords
    if not keywords.keys() <= _offered(function, keywords, question.required):
        return None
    if question.poison:
        keywords = {
            name: _poisoned(x) if isinstance(x, np.ndarray) else x for name, x in keywords.items()
        }
    before = {name: x.tobytes() for name, x in keywords.items() if isinstance(x, np.ndarray)}
    try:
        got = _arrays(function(**keywords))
    except NotImplementedError:
        return None
    except (Exception, SystemExit) as error:
        raise Fault(
            "crashed", f"implementation: raised {one_line(error)} for {question.described}"
        ) from error
    changed = [name for name, content in before.items() if keywords[name].tobytes() != content]
    if changed:
        raise Fault(
            "contract",
            f"{changed[0]}: found changed by the implementation, expected inputs to be left "
            "untouched",
        )
    if got is None:
        raise Fault("contract", "result: found NoneType, expected a NumPy array")
    return got


def understood(got: Any, call: Call, arithmetic: Arithmetic) -> dict[str, Array] | None:
    """An answer as a flat mapping, copied; None where what the call asks for is not in it. Raises
    Fault for another form."""
    if got is None:
        return None
    try:
        found = received(got, call.system)
    except ValueError as error:
        raise Fault("contract", f"result: {error}") from error
    wrong = form_fault(found, call, arithmetic)
    if wrong:
        raise Fault("contract", wrong.replace("got:", "result:", 1))
    return {name: np.array(x) for name, x in found.items()} if answered(call, found) else None


def _arrays(got: Any) -> Any:
    """Arrays of other libraries as NumPy's, in mappings and tuples too; what is None was not
    returned."""
    if isinstance(got, Mapping):
        return {name: _arrays(x) for name, x in got.items()}
    if isinstance(got, tuple):
        return tuple(_arrays(x) for x in got)
    return np.asarray(got) if not isinstance(got, np.ndarray) and hasattr(got, "__array__") else got


def _offered(
    function: Callable[..., Any], wanted: dict[str, Any], required: frozenset[str]
) -> set[str]:
    """Keywords that the signature names; **kwargs takes the required ones, and promises nothing
    about optional ones.

    All of `wanted` where there is no signature to read. Raises Fault where it cannot be called with
    the required ones alone.
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return set(wanted)
    named = {p.name: p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return {*required, *named}
    missing, listed = (
        required - named.keys(),
        _listed([name for name in wanted if name in required]),
    )
    if missing:
        found = f"no keyword {_listed(sorted(missing))}"
        raise Fault("contract", f"implementation: found {found}, expected keywords {listed}")
    needed = [name for name, p in named.items() if p.default is p.empty and name not in required]
    if needed:
        expected = f"only {listed} to be required"
        raise Fault(
            "contract",
            f"implementation: found {needed[0]!r} without a default, expected {expected}",
        )
    return set(named)


def _poisoned(x: Array) -> Array:
    """A contiguous copy of x with NaN right before and right after it in memory."""
    margin = POISON_STEPS * (x.shape[-1] if x.ndim else 1)
    memory = np.full(x.size + 2 * margin, np.nan, x.dtype)
    view = memory[margin : margin + x.size].reshape(x.shape)
    view[...] = x
    return view


def one_line(error: BaseException) -> str:
    """Type, first line of the message and the innermost place of an exception."""
    message = (str(error).splitlines() or [""])[0][:SHOWN]
    frames = traceback.extract_tb(error.__traceback__)
    # its message says where, its frames are those of the importer
    says_where = isinstance(error, SyntaxError)
    place = f" (line {frames[-1].lineno} of {frames[-1].name})" if frames and not says_where else ""
    return (
        f"{type(error).__name__}: {message}{place}" if message else f"{type(error).__name__}{place}"
    )


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))

"""`judge`: the verdict over results that someone recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scanproof.properties.explain import explained
from scanproof.properties.results import answered, form_fault, received
from scanproof.properties.verdict import Verdict, judged, required
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.vocabulary import WORDS
from scanproof.reference.call import Call, System, called
from scanproof.reference.inputs import Array
from scanproof.reference.systems import declared, system_of


def judge(
    system: str | System,
    got: Any,
    *,
    arithmetic: Arithmetic | None = None,
    params: Any = None,
    **named: Any,
) -> Verdict:
    """Judges results that someone recorded.

    Args:
        system: a name such as "scan", "lru", "rotrnn" or "expm", or a System.
        got: the first result (docs/contract.md), or a mapping over results and grads
            (properties/results.py); of the declared dtype, in the shapes of docs/contract.md.
        arithmetic: what the implementation declares; made of the words among `named` when None.
        params: parameters as one mapping or object, instead of keywords.
        named: the arguments of the system, and words of the declaration; dtype is that of the
            arguments by default.

    Raises:
        ValueError, TypeError: naming the argument, what was found and what was expected.
    """
    known = system_of(system)
    words = {
        name: named.pop(name)
        for name in list(named)
        if name in WORDS and name not in known.argument
    }
    arguments = named if params is None else {"params": params, **named}
    arithmetic = declaration(arithmetic, words, known, arguments)
    call = called(known, arguments, arithmetic.dtype)
    results = formed(got, call, arithmetic)
    verdict = judged(results, call, arithmetic)
    return explained(verdict, call, results) if verdict.verdict == "outside" else verdict


def declaration(
    arithmetic: Arithmetic | None,
    words: Mapping[str, Any],
    system: System,
    arguments: Mapping[str, Any] | None = None,
) -> Arithmetic:
    """What is declared, in full: from an Arithmetic or from its words.

    Args:
        arguments: of a call, whose dtype is declared where the words name none.

    Raises:
        TypeError, ValueError: both or neither were given, an unknown word, or one that says
            nothing of this system.
    """
    if arithmetic is not None and words:
        raise TypeError(f"{next(iter(words))}: found beside arithmetic, expected one of them")
    if arithmetic is None:
        dtype = words.get("dtype") or dtype_of(arguments, system)
        arithmetic = Arithmetic.from_words({**words, "dtype": dtype})
    return declared(system, required(arithmetic))


def dtype_of(arguments: Mapping[str, Any] | None, system: System) -> str:
    """The dtype of the first input, or else of the first argument. Raises TypeError without any."""
    if arguments is None:
        expected = "a format such as float32, or arithmetic=scanproof.Arithmetic('float32')"
        raise TypeError(f"dtype: found none, expected {expected}")
    for name in (*system.named("input"), *system.argument):
        if name in arguments:
            x = arguments[name]
            if not isinstance(x, np.ndarray):
                raise TypeError(f"{name}: found {type(x).__name__}, expected a NumPy array")
            return str(x.dtype.name)
    needed = [name for name in system.argument if name in system.required]
    raise TypeError(f"{needed[0]}: found none, expected {', '.join(needed)}")


def formed(got: Any, call: Call, arithmetic: Arithmetic) -> dict[str, Array]:
    """Results in the form in which they are judged. Raises ValueError or TypeError for others."""
    try:
        results = received(got, call.system)
    except ValueError as error:
        raise ValueError(f"got: {error}") from None
    wrong = form_fault(results, call, arithmetic)
    if not wrong and not answered(call, results):
        expected = (
            "grads, since a cotangent is given"
            if call.cotangents()
            else ", ".join(call.system.result)
        )
        wrong = f"got: found {', '.join(results)}, expected {expected}"
    if wrong:
        raise TypeError(wrong)
    return results

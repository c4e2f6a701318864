"""What an implementation returns: its first result alone, a tuple in the order of the table, or a
mapping over

    NAME        a result of the system
    grads       mapping of argument names to cotangents, each shaped like what it belongs to
    constants   mapping of what the recurrence was computed with; then these are judged, and
                results as they follow from them

Inside Scanproof, results are one flat mapping with "gradient NAME" and "constant NAME" for the last
two.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.call import Call, System

GROUPS = {"grads": "gradient", "constants": "constant"}


def received(got: Any, system: System) -> dict[str, Any]:
    """What an implementation returned, as one flat mapping.

    Raises:
        ValueError: a mapping with other names, or a tuple that is too long, in one line.
    """
    names = list(system.result)
    if isinstance(got, tuple) and len(got) <= len(names):
        return {name: x for name, x in zip(names, got, strict=False) if x is not None}
    if not isinstance(got, Mapping):
        return {names[0]: got}
    flat = dict(got)
    found = {name: flat.pop(name) for name in names if name in flat}
    for group, word in GROUPS.items():
        inner = flat.pop(group, {})
        if not isinstance(inner, Mapping):
            raise ValueError(
                f"found {group} {type(inner).__name__}, expected a mapping of names to arrays"
            )
        found |= {f"{word} {name}": x for name, x in inner.items()}
        found |= {name: flat.pop(name) for name in list(flat) if name.startswith(f"{word} ")}
    known = ", ".join([*names, *(GROUPS if system.gradients else [])])
    if flat or not found:
        raise ValueError(
            f"found {next(iter(flat)) if flat else 'an empty mapping'}, expected some of {known}"
        )
    return found


def form_fault(got: Mapping[str, Any], call: Call, arithmetic: Arithmetic) -> str | None:
    """What is wrong with the form of results, in one line, or None."""
    if not call.cotangents() and any(name.startswith("gradient") for name in got):
        needed = " or ".join(call.system.named("cotangent")) or "nothing"
        return (f"got: found grads, expected them only where {needed} is given, the cotangent that "
                "they belong to")
    expected = call.expected(arithmetic.dtype)
    if any(name.startswith("constant") for name in got):
        expected |= call.expected_constants(arithmetic.dtype)
    for name, x in got.items():
        if name not in expected:
            return f"got: found {name}, expected {_known(call)}"
        shape, dtype = expected[name]
        if not isinstance(x, np.ndarray):
            return f"got: found {type(x).__name__} for {name}, expected a NumPy array"
        if x.shape != shape:
            return f"got: found shape {x.shape} for {name}, expected {shape}"
        if x.dtype.name != dtype:
            return (f"got: found dtype {x.dtype.name} for {name}, expected {dtype}, the declared "
                    "arithmetic")
    return None


def _known(call: Call) -> str:
    """The names that the results of a system may have, in words."""
    system = call.system
    groups = [("gradients of ", system.gradients), ("constants ", system.exposed)]
    found = [words + ", ".join(names) for words, names in groups if names]
    return ", or ".join(found) or ", ".join(system.result)


def missing(call: Call, got: Mapping[str, Any]) -> set[str]:
    """Gradients of arguments of this call that were not returned, though others were."""
    given = {name for name in call.system.gradients if name in call.arguments}
    return {f"gradient {name}" for name in given} - got.keys() if call.cotangents() else set()


def answered(call: Call, got: Mapping[str, Any]) -> bool:
    """Whether the call was answered: with gradients where a cotangent was given."""
    outputs = [name for name in got if not name.startswith("constant")]
    return any(name.startswith("gradient") == bool(call.cotangents()) for name in outputs)

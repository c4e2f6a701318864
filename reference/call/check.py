"""Checks of a call: names, dtypes, kinds of number, shapes, values; errors of one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scanproof.reference.call.call import Call, kinds_of, wide
from scanproof.reference.call.system import System
from scanproof.reference.numbers import namespace
from scanproof.reference.numbers.exponential import Array

# NumPy computes in them, and may refuse what float64 would not
NATIVE = ("float16", "float32", "float64")


def called(system: System, arguments: Mapping[str, Any], dtype: str | None = None) -> Call:
    """Checks the arguments of a call of a system, and makes a Call of them.

    Args:
        system: the table of arguments.
        arguments: arrays by name, of the shapes (...) that the table says, `reverse` included;
            parameters also as one mapping, or one object with such fields, `params`.
        dtype: the declared format of the numbers; any kind of number that the reference runs on
            when None.

    Raises:
        TypeError, ValueError: one line naming the argument, what was found and what was expected.
    """
    named = _flat(system, arguments)
    reverse = named.pop("reverse", False) if system.timed else False
    if not isinstance(reverse, bool | np.bool_):
        raise TypeError(f"reverse: found {' '.join(repr(reverse).split())}, expected True or False")
    _check_names(system, named)
    ordered = {
        each.name: named[each.name] for each in system.arguments if named.get(each.name) is not None
    }
    for name, x in ordered.items():
        if not isinstance(x, np.ndarray):
            of = f" of dtype {kinds_of(dtype)[system.argument[name].kinds[0]]}" if dtype else ""
            raise TypeError(f"{name}: found {type(x).__name__}, expected a NumPy array{of}")
        if x.size == 0:
            raise ValueError(f"{name}: found shape {x.shape}, expected no empty axis")
    if dtype is None:
        _check_kinds(system, ordered)
    else:
        _check_dtypes(system, ordered, dtype)
    call = Call(system, ordered, bool(reverse))
    call.layout  # noqa: B018  checks shapes
    _check_values(system, ordered)
    with np.errstate(all="ignore"):
        system.check(call.inside(call.arguments if dtype is None or dtype in NATIVE else call.wide))
    return call


def _flat(system: System, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments by name, with those of `params` among them."""
    named = dict(arguments)
    params = named.pop("params", None) if system.named("parameter") else None
    if params is None:
        return named
    if isinstance(params, Mapping):
        inner = dict(params)
    elif hasattr(params, "__dict__"):
        inner = {name: x for name, x in vars(params).items() if x is not None}
    else:
        expected = f"a mapping of {', '.join(system.named('parameter'))}"
        raise TypeError(f"params: found {type(params).__name__}, expected {expected}")
    twice = [name for name in inner if name in named]
    if twice:
        raise TypeError(f"{twice[0]}: found in params and as a keyword, expected one of them")
    return inner | named


def _check_names(system: System, named: Mapping[str, Any]) -> None:
    """Raises TypeError for arguments that are missing or unknown."""
    needed = [each.name for each in system.arguments if not each.optional]
    missing = [name for name in needed if named.get(name) is None]
    wrong = [name for name in named if name not in system.argument] + missing
    if wrong:
        more = [name for name in system.keywords if name not in needed]
        found = "another argument" if wrong[0] in named and named[wrong[0]] is not None else "none"
        tail = f" and at most {', '.join(more)}" if more else ""
        raise TypeError(f"{wrong[0]}: found {found}, expected {', '.join(needed)}{tail}")
    second = [each.name for each in system.arguments if each.second]
    absent = [name for name in second if named.get(name) is None]
    if absent and len(absent) < len(second):
        given = next(name for name in second if name not in absent)
        raise ValueError(f"{absent[0]}: found None, expected an array, because {given} is one")


def _check_dtypes(system: System, arguments: Mapping[str, Array], dtype: str) -> None:
    kinds = kinds_of(dtype)
    for name, x in arguments.items():
        allowed = tuple(dict.fromkeys(kinds[kind] for kind in system.argument[name].kinds))
        if allowed[0].startswith("complex") and "complex" in system.argument[name].kinds:
            allowed = (*allowed, kinds["real"])[:2]
        if x.dtype.name not in allowed or not x.dtype.isnative:
            found = x.dtype.name if x.dtype.isnative else f"{x.dtype.name} in foreign byte order"
            expected = " or ".join(dict.fromkeys(allowed))
            raise TypeError(
                f"{name}: found dtype {found}, expected {expected} as declared; convert it "
                "explicitly"
            )


def _check_kinds(system: System, arguments: Mapping[str, Array]) -> None:
    """Raises TypeError for numbers of two kinds, or complex ones where real ones belong."""
    first, owner = "", ""
    for name, x in arguments.items():
        complex_too = system.argument[name].kinds != ("real",)
        try:
            kind = namespace.of(x).kind
        except TypeError as error:
            raise TypeError(f"{name}: {error}") from None
        if x.dtype.kind == "c" and not complex_too:
            raise TypeError(f"{name}: found dtype {x.dtype}, expected real numbers")
        first, owner = (first, owner) if first else (kind, name)
        if kind != first and not (complex_too and (first, kind) == ("float16", "float32")):
            expected = f"{first} as in {owner}; convert them explicitly"
            raise TypeError(f"{name}: found numbers of kind {kind}, expected {expected}")


def _check_values(system: System, arguments: Mapping[str, Array]) -> None:
    """Raises ValueError for numbers that are not finite, or not real where they should be."""
    for name, x in arguments.items():
        numbers, checked = namespace.of(wide(x)), wide(x)
        complex_too = system.argument[name].kinds != ("real",)
        parts = (numbers.real(checked), numbers.imag(checked)) if complex_too else (checked,)
        for part in parts:
            for where in np.argwhere(~numbers.valid(part).astype(bool))[:1]:
                index = tuple(map(int, where))
                real = "" if complex_too else "real "
                raise ValueError(
                    f"{name}: found {x[index]} at index {index}, expected finite {real}numbers"
                )

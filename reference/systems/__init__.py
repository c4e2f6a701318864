"""The systems, one line each, and what a declaration means for each (docs/adding-a-system.md,
docs/declaration.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.vocabulary import WORDS
from scanproof.reference.arithmetic.word import Changes
from scanproof.reference.call import System, evaluated, pulled_back
from scanproof.reference.systems import expm, lru, rotrnn, scan

SYSTEMS: dict[str, System] = {
    each.name: each for each in (scan.SYSTEM, lru.SYSTEM, rotrnn.SYSTEM, expm.SYSTEM)
}


def system_of(system: str | System) -> System:
    """Finds the system of this name, or takes the system itself.

    Raises:
        ValueError: an unknown name; the line lists the known ones.
    """
    if isinstance(system, System):
        return system
    if system not in SYSTEMS:
        raise ValueError(f"system: found {system!r}, expected one of {', '.join(SYSTEMS)}")
    return SYSTEMS[system]


def speaks(system: System, name: str) -> bool:
    """Tells whether a word of the declaration, by its name, says anything of this system."""
    feature = WORDS[name].feature
    return feature is None or feature in system.features


def declared(system: System, arithmetic: Arithmetic) -> Arithmetic:
    """Checks that a declaration is one of this system, and returns it.

    Raises:
        ValueError: a word that says nothing of the system, or a format that it does not have.
    """
    if isinstance(arithmetic.dtype, str) and arithmetic.dtype not in system.dtypes:
        expected = f"{', '.join(system.dtypes[:-1])} or {system.dtypes[-1]}"
        raise ValueError(
            f"dtype: found {arithmetic.dtype} with system {system.name}, expected {expected}"
        )
    for f in fields(Arithmetic):
        found = getattr(arithmetic, f.name)
        foreign = not speaks(system, f.name) or (
            f.name == "order" and found in _orders_without(system)
        )
        if foreign and found != f.default:
            expected = "nothing declared" if f.default is None else str(f.default)
            text = f"{f.name}: found {found} with system {system.name}, which has no such choice"
            raise ValueError(f"{text}, expected {expected}")
    if arithmetic.assumed != 1 and not system.assumes(arithmetic):
        found = f"assumed: found {arithmetic.assumed!r} with order {arithmetic.order}"
        raise ValueError(f"{found}, expected 1: nothing is assumed there")
    return arithmetic


def _orders_without(system: System) -> tuple[str, ...]:
    """Orders that this system's equations have no use for."""
    return () if "angle-sum" in system.features else ("angle-sum",)


def weaker(system: System, arithmetic: Arithmetic, besides: bool = False) -> Changes:
    """Lists changes of words that admit more, the likelier first.

    With `besides` it also lists those that admit other results.
    """
    changes = arithmetic.weaker(system.features, besides)
    return (
        [words for words in changes if words.keys() <= system.changes]
        if system.changes
        else changes
    )


def run(system: str | System, **arguments: Any) -> dict[str, Any]:
    """Evaluates the reference itself, in whatever arithmetic the arrays have.

    Args:
        system: a name such as "lru", or a System.
        arguments: arrays named and shaped as docs/contract.md says, all of one kind: float16,
            float32, float64, longdouble, or objects (Fraction, balls of flint, SymPy expressions).
            `reverse` runs from the last step to the first. Parameters may come as one mapping or
            object `params`; the batch axis may be missing.

    Returns:
        Every result by name, shaped as docs/contract.md says.

    Raises:
        ValueError, TypeError: naming the argument, what was found and what was expected.
    """
    return evaluated(system_of(system), arguments)


def vjp(system: str | System, cotangents: Mapping[str, Any], **arguments: Any) -> dict[str, Any]:
    """Computes the exact adjoint: cotangents of arguments from cotangents of results.

    Cotangents of complex numbers are dRe + i dIm.

    Args:
        system, arguments: as for `run`.
        cotangents: by result, of its shape: {"y": y_bar}.

    Returns:
        The cotangent of every argument by name, of its shape.

    Raises:
        ValueError, TypeError: as `run`; TypeError for a system without an adjoint, or a result
            without a cotangent.
    """
    return pulled_back(system_of(system), cotangents, arguments)

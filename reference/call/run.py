"""The reference itself on one call, and its adjoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scanproof.reference.call.call import Call
from scanproof.reference.call.check import called
from scanproof.reference.call.system import System


def evaluated(system: System, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Evaluates the reference itself, in whatever arithmetic the arrays have.

    Args:
        system: the system.
        arguments: as `called` takes them without a declared format.

    Returns:
        Every result by name, in the shape (...) that the system's table says.

    Raises:
        TypeError, ValueError: as `called`.
    """
    call = called(system, arguments)
    inside = call.inside(call.arguments)
    found = system.run(system.constants(inside), inside, call.reverse)
    return {
        name: _real(call, system.result[name].kind, call.to_caller(system.result[name].axes, x))
        for name, x in found.items()
    }


def _real(call: Call, kind: str, x: Any) -> Any:
    """Real results of float16, which has no complex type, are float16 after complex64."""
    first = next(iter(call.arguments.values())).dtype
    return x.astype(first) if kind == "real" and first.kind != "O" else x


def pulled_back(
    system: System, cotangents: Mapping[str, Any], arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """Computes the exact adjoint: cotangents of arguments from cotangents of results.

    Args:
        system: the system.
        cotangents: by result, each of the result's shape (...).
        arguments: as `called` takes them without a declared format.

    Returns:
        The cotangent of every argument by name, of the argument's shape.

    Raises:
        TypeError, ValueError: as `called`; TypeError for a system without an adjoint, or for the
            cotangent of a result that has none.
    """
    if system.pull_back is None:
        raise TypeError(f"system: found {system.name}, which has no adjoint here")
    named = {str(each.of): each.name for each in system.arguments if each.role == "cotangent"}
    unknown = [name for name in cotangents if name not in named]
    if unknown or not cotangents:
        text = unknown[0] if unknown else "none"
        raise TypeError(f"cotangents: found {text}, expected some of {', '.join(named)}")
    call = called(system, {**arguments, **{named[of]: x for of, x in cotangents.items()}})
    inside = call.inside(call.arguments)
    bars = {of: call.to_internal(named[of], call[named[of]]) for of in cotangents}
    found = system.pull_back(inside, bars, call.reverse)
    left = {name: call.to_caller(call.axes_of(f"gradient {name}"), x) for name, x in found.items()}
    return {name: _real(call, system.argument[name].kinds[0], x) for name, x in left.items()}

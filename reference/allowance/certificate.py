"""Truth and allowance of everything that a call returned: what results are compared with.

    result               what it is
    NAME                 a result of the system, such as y or h
    gradient NAME        cotangent of an argument
    constant NAME        what an implementation exposes of its constants, such as lam or P
    NAME from constants  a result as it follows from the constants that were exposed:
                         nothing is assumed of exp, cos, expm then

Most systems are certified by their own equations, run on allowance elements (bounded.py). A system
with a sharper theory brings its own. Results of a program that declares `stages formed` are judged
with b and h as numbers that are formed; gradients only where the adjoint recurrence is declared
too, since the cotangents of another scan (autodiff of a tree) never form a.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from weakref import WeakKeyDictionary

import numpy as np

from scanproof.reference.allowance import elements as allowance_namespace
from scanproof.reference.allowance.bounded import Bounded
from scanproof.reference.allowance.certified import GIVEN, Block, Certified
from scanproof.reference.allowance.operation_errors import OperationErrors, operation_errors
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.environment import require_ieee
from scanproof.reference.arithmetic.operations import TINY, UP
from scanproof.reference.call import Call
from scanproof.reference.inputs import Array

assert allowance_namespace  # lets namespace.of know the elements

def certify(
    call: Call, arithmetic: Arithmetic, got: Mapping[str, Array] | None = None
) -> Iterator[Block]:
    """Computes truth and allowance of what was returned, block after block.

    Args:
        call: the call.
        arithmetic: the declaration.
        got: results by name, in the caller's shapes (...); everything that can be asked for when
            None.

    Raises:
        FloatingPointError: this process does not compute in IEEE arithmetic.
    """
    require_ieee()
    if call.system.theory is not None:
        yield from call.system.theory(call, arithmetic, got)
        return
    found = by_elements(call, arithmetic, got)
    yield Block(slice(None), {name: [x] for name, x in found.items()})


def whole(
    call: Call, arithmetic: Arithmetic, got: Mapping[str, Array] | None = None
) -> dict[str, Certified]:
    """Certifies all at once, and gives the first view of every result by name, of its shape (...).

    Raises:
        ValueError: the call is so long that it is certified in blocks.
        FloatingPointError: this process does not compute in IEEE arithmetic.
    """
    blocks = list(certify(call, arithmetic, got))
    if len(blocks) > 1:
        raise ValueError("call: found one that is certified in blocks, expected a shorter one")
    return {name: views[0] for name, views in blocks[0].results.items()}


def by_elements(
    call: Call, arithmetic: Arithmetic, got: Mapping[str, Array] | None
) -> dict[str, Certified]:
    """Certifies by the system's equations, run on allowance elements (docs/layers.md).

    Every Certified has the shape (...) of the result or argument that its name says.
    """
    names = set(call.expected(arithmetic.dtype)) if got is None else set(got)
    gradients = (
        {name for name in names if name.startswith("gradient")} if call.cotangents() else set()
    )
    constants = {
        name.removeprefix("constant "): x
        for name, x in (got or {}).items()
        if name.startswith("constant")
    }
    found: dict[str, Certified] = {}
    if names & call.system.result.keys() or not gradients:
        found |= outputs(call, arithmetic)
    if gradients:
        found |= pulled_back(call, arithmetic)
    return found | (exposed(call, arithmetic, constants) if constants else {})


def outputs(call: Call, arithmetic: Arithmetic) -> dict[str, Certified]:
    """Certifies every result, in the caller's shapes (...)."""
    errors = operation_errors(arithmetic, arithmetic.stages == "formed")
    system, x = call.system, _inside(call, errors)
    return _named(call, system.run(system.constants(x), x, call.reverse), errors, carried(call))


def exposed(
    call: Call, arithmetic: Arithmetic, constants: Mapping[str, Array]
) -> dict[str, Certified]:
    """Certifies the constants that an implementation exposes, and the timed results from them.

    Args:
        call, arithmetic: as in `certify`.
        constants: arrays as the implementation returned them; they are taken as they stand where
            results follow from them.

    Returns:
        By name, "constant NAME" and "NAME from constants", each in the result's shape (...).
    """
    errors, other = (operation_errors(arithmetic, arithmetic.stages == "formed") for _ in range(2))
    system = call.system
    k = system.constants(_inside(call, errors))
    own = {f"constant {name}": certified(getattr(k, name), errors, call) for name in constants}
    inside, leaf = _inside(call, other), _leaf(other)
    given = system.constants(inside)._replace(**{name: leaf(x) for name, x in constants.items()})
    found = {
        name: x
        for name, x in system.run(given, inside, call.reverse).items()
        if system.result[name].timed
    }
    named = _named(call, found, other, carried(call), assumed=False)
    return own | {f"{name}{GIVEN}": x for name, x in named.items()}


def pulled_back(call: Call, arithmetic: Arithmetic) -> dict[str, Certified]:
    """Certifies the cotangents of every argument, in the arguments' shapes (...)."""
    errors = operation_errors(
        arithmetic, arithmetic.stages == "formed" and arithmetic.adjoint == "recurrence"
    )
    system, leaf = call.system, _leaf(errors)
    if system.pull_back is None:
        return {}
    bars = {of: leaf(x) for of, x in _bars(call).items()}
    found = system.pull_back(_inside(call, errors), bars, call.reverse)
    named = {f"gradient {name}": x for name, x in found.items()}
    return {
        name: certified(call.to_caller(call.axes_of(name), x), errors, call)
        for name, x in named.items()
    }


def _inside(call: Call, errors: OperationErrors) -> dict[str, Bounded]:
    leaf, inside = _leaf(errors), call.inside(call.wide)
    return {
        name: leaf(x)
        for name, x in inside.items()
        if call.system.argument[name].role != "cotangent"
    }


def _bars(call: Call) -> dict[str, Array]:
    """The cotangents of results, inside, in float64."""
    named = {
        str(call.system.argument[name].of): name
        for name in call.system.named("cotangent")
        if name in call.arguments
    }
    return {of: call.to_internal(name, call.wide[name]) for of, name in named.items()}


def _named(
    call: Call,
    found: Mapping[str, Bounded],
    errors: OperationErrors,
    owed: Mapping[str, Array],
    assumed: bool = True,
) -> dict[str, Certified]:
    axes = {name: call.system.result[name].axes for name in found}
    left = {name: call.to_caller(axes[name], x) for name, x in found.items()}
    return {name: certified(x, errors, call, owed.get(name), assumed) for name, x in left.items()}


def carried(call: Call) -> dict[str, Array]:
    """Computes how much results owe to earlier steps: float64, in the results' shapes (...).

    It is their difference from a recurrence that carries nothing on. No declaration changes it, so
    a call that is judged under several of them computes it once.
    """
    if call not in _CARRIED:
        _CARRIED[call] = _carried(call)
    return _CARRIED[call]


_CARRIED: WeakKeyDictionary[Call, dict[str, Array]] = WeakKeyDictionary()


def _carried(call: Call) -> dict[str, Array]:
    system = call.system
    if system.carry is None:
        return {}
    with np.errstate(all="ignore"):
        inside = call.inside(call.wide)
        k = system.constants(inside)
        without = k._replace(**{system.carry: 0 * getattr(k, system.carry)})
        runs = [system.run(each, inside, call.reverse) for each in (k, without)]
        return {
            name: call.to_caller(system.result[name].axes, np.abs(x - runs[1][name]))
            for name, x in runs[0].items()
        }


def certified(
    x: Bounded, errors: OperationErrors, call: Call, owed: Array | None = None, assumed: bool = True
) -> Certified:
    """Turns an element (...) into something to judge by.

    The rounding to the format of results is added, and bounds are rounded upwards.
    """
    size, real = x.v.size(), errors.real
    known = call.system.unmodelled(errors.declared) is None
    with np.errstate(all="ignore"):
        unstored = np.where(
            np.isnan(x.E) | (not known),
            np.inf,
            x.E * errors.inflation() + np.where(x.E > 0, TINY, 0.0),
        )
        stored = np.where(
            x.size > 0,
            real.store * (size + unstored) + real.store_loss * (2 if x.complex else 1),
            0.0,
        )
    bound = (unstored + stored) * UP
    safe = errors.tally.peak < errors.safe and float((size + bound).max(initial=0.0)) < real.largest
    return Certified(x.v.truth(), bound, unstored, bool(safe), owed, assumed)


def _leaf(errors: OperationErrors) -> Callable[[Array], Bounded]:
    return lambda x: Bounded.leaf(x, errors)

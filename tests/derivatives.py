"""Gradients of any system by dual numbers over its equations: nothing of an adjoint is used.

    Dual        value + dot eps on balls (tests/layer_truth.py)
    cotangent   of a complex argument: dRe + i dIm
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from flint import acb, arb
from layer_truth import DUALS, Dual, dual, duals

from scanproof.reference.call import Call
from scanproof.reference.numbers.namespace import Namespace


def each(function: Callable[[Any], Any]) -> Callable[..., Any]:
    """The same for value and dot of every number."""
    return np.frompyfunc(lambda z: Dual(function(dual(z).value), function(dual(z).dot)), 1, 1)


def conjugate(z: Any) -> Any:
    return z.conjugate() if isinstance(z, acb) else z


NAMESPACE: Namespace = replace(
    DUALS,
    expm1=lambda x: np.exp(x) - 1,
    real=each(lambda z: z.real if isinstance(z, acb) else z),
    imag=each(lambda z: z.imag if isinstance(z, acb) else arb(0)),
    conj=each(conjugate),
    valid=lambda x: np.ones(x.shape, bool),
)


def gradients(call: Call) -> dict[str, Any]:
    """The cotangent of every argument of a call in balls, one entry after the other."""
    given = [name for name in call.system.gradients if name in call.arguments]
    return {name: gradient(call, name) for name in given}


def gradient(call: Call, name: str) -> Any:
    """Of one argument."""
    found = np.empty(call[name].shape, object)
    for where in np.ndindex(found.shape):
        found[where] = along(call, name, where, arb(1))
        if isinstance(call[name][where], acb):
            found[where] += acb(0, 1) * along(call, name, where, acb(0, 1))
    return found


def along(call: Call, name: str, where: tuple[int, ...], unit: Any) -> Any:
    """Of the loss, by one entry in the direction of a unit."""
    dots = {key: 0 * x for key, x in call.arguments.items()}
    dots[name][where] = unit
    moved = {key: duals(x, dots[key]) for key, x in call.arguments.items()}
    return loss(Call(call.system, moved, call.reverse)).dot


def loss(call: Call) -> Any:
    """Re sum conj(cotangent) result, over all results that have one."""
    system, x = call.system, call.inside(call.arguments)
    results: Mapping[str, Any] = system.run(system.constants(x), x, call.reverse)
    terms = Dual(arb(0), arb(0))
    for bar in system.named("cotangent"):
        products = NAMESPACE.conj(x[bar]) * results[str(system.argument[bar].of)]
        terms = terms + NAMESPACE.real(products).sum()
    return terms

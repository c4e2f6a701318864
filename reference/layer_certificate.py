"""Truth and allowance of whole layers and of their gradients: the reference itself, run on allowance elements.

    output            what it is
    y                 outputs                            (batch, time, width)
    h, h_last         states, and those after the last step of each direction
    gradient NAME     cotangent of a parameter, of u or of h0
    constant NAME     what an implementation shows of its constants, such as lam or P
    y from constants  y and h as they follow from the constants that were shown: nothing is assumed of exp, cos, expm then

Outputs of a layer that declares `stages formed` are judged with b and h anchored; gradients only where the adjoint recurrence
is declared too, since the cotangents of another scan (autodiff of a tree) never form a.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from scanproof.reference import allowance_namespace
from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.environment import require_ieee
from scanproof.reference.inputs import Array
from scanproof.reference.layers import Call, backwards, mapped
from scanproof.reference.near import Near
from scanproof.reference.operations import TINY, UP
from scanproof.reference.rules import Rules, rules, unmodelled_in_layers
from scanproof.reference.truth import Truth

assert allowance_namespace  # lets namespace.of know the elements


class Certified(NamedTuple):
    """One output: its truth, how far any program of the class may be from it, and whether none can overflow."""

    truth: Truth
    bound: Array  # float64
    unstored: Array  # float64: before results are rounded to a narrower format
    no_overflow: bool


def outputs(layer: ModuleType, params: Any, call: Call, reverse: bool, arithmetic: Arithmetic) -> dict[str, Certified]:
    """y, h and h_last of a layer (a module such as reference.lru), as the caller of the layer sees them."""
    require_ieee()
    rule, border = rules(arithmetic, arithmetic.stages == "formed"), call.border
    near = _leaf(rule)
    y, h = layer.run(layer.constants(mapped(params, near)), near(call.u), near(call.h0), reverse)
    last = [h[:, -1 if not backwards(d, reverse) else 0, d] for d in range(h.shape[2])]
    found: dict[str, Any] = {"y": border.leave(y), "h": border.leave(h, 2), "h_last": border.leave(np.stack(last, 1), 1)}
    return {name: certified(x, rule) for name, x in found.items()}


def shown(
    layer: ModuleType, params: Any, call: Call, reverse: bool, arithmetic: Arithmetic, constants: dict[str, Array]
) -> dict[str, Certified]:
    """The constants that an implementation shows, and y and h from them as they stand."""
    rule, other = (rules(arithmetic, arithmetic.stages == "formed") for _ in range(2))
    near, k = _leaf(other), layer.constants(mapped(params, _leaf(rule)))
    own = {f"constant {name}": certified(getattr(k, name), rule) for name in constants}
    given = layer.constants(mapped(params, near))._replace(**{name: near(x) for name, x in constants.items()})
    y, h = layer.run(given, near(call.u), near(call.h0), reverse)
    found: dict[str, Any] = {"y from constants": call.border.leave(y), "h from constants": call.border.leave(h, 2)}
    return own | {name: certified(x, other) for name, x in found.items()}


def gradients(layer: ModuleType, params: Any, call: Call, reverse: bool, arithmetic: Arithmetic) -> dict[str, Certified]:
    """The cotangents of every parameter, of u and of h0, from y_bar."""
    require_ieee()
    rule = rules(arithmetic, arithmetic.stages == "formed" and arithmetic.adjoint == "recurrence")
    near = _leaf(rule)
    bar = layer.pull_back(mapped(params, near), near(call.u), near(call.h0), near(call.y_bar), reverse)
    bar = replace(bar, u=call.border.leave(bar.u), h0=call.border.leave(bar.h0, 1))
    named = {f.name: getattr(bar, f.name) for f in fields(bar)}
    return {f"gradient {name}": certified(x, rule) for name, x in named.items() if x is not None}


def certified(x: Near, rule: Rules) -> Certified:
    """An element as something to judge by: with the rounding to the format of results, rounded upwards."""
    size, real = x.v.size(), rule.real
    known = not unmodelled_in_layers(rule.declared)
    with np.errstate(all="ignore"):
        unstored = np.where(np.isnan(x.E) | (not known), np.inf, x.E * rule.inflation() + np.where(x.E > 0, TINY, 0.0))
        stored = np.where(x.size > 0, real.store * (size + unstored) + real.store_loss * (2 if x.complex else 1), 0.0)
    bound = (unstored + stored) * UP
    safe = rule.tally.peak < rule.safe and float((size + bound).max(initial=0.0)) < real.largest
    return Certified(x.v.truth(), bound, unstored, bool(safe))


def _leaf(rule: Rules) -> Callable[[Array], Near]:
    return lambda x: Near.leaf(x, rule)

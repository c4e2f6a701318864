"""A golden file of a layer against recomputation: its truth by a second formulation on balls, allowances by double-doubles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import flint
import numpy as np

from scanproof.golden.agreement import agree, overlap
from scanproof.golden.layer_flags import layer_flags
from scanproof.golden.layer_making import BITS, balls, bounds_of, certificates, classes, last
from scanproof.golden.layer_schema import LayerCase
from scanproof.properties.layer_calls import LayerCall, received
from scanproof.properties.versions.plain_lru import Lru
from scanproof.properties.versions.plain_rotrnn import RotRnn
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Array
from scanproof.reference.layer_certificate import Certified
from scanproof.reference.truth.enclosure import Truth

TIGHT = 2.0**-96  # head and tail hold a result to this
GRAIN = 2.0**-300  # and one that is zero to this
PLAIN: dict[str, Any] = {"lru": Lru(), "rotrnn": RotRnn()}


def layer_faults(case: LayerCase) -> Iterator[str]:
    """What a case says of itself that is not so."""
    call, stored = case.inputs(), case.enclosures()
    for name, x in second(call).items():
        wrong = _truth_fault(stored[name], x)
        if wrong:
            yield f"truth: {name} {wrong}"
            return
    expected = layer_flags(call)
    if case.flags != expected:
        yield f"flags: found {', '.join(case.flags) or 'none'}, expected {', '.join(expected) or 'none'}"
    declared, known = [granted.declared() for granted in case.allowances], classes(case.dtype, call.y_bar is not None)
    if declared != known:
        yield f"allowances: found {'; '.join(map(str, declared))}, expected {'; '.join(map(str, known))}"
    for arithmetic in declared:
        wrong = altered(case, arithmetic, certificates(call, arithmetic))
        if wrong:
            yield f"allowances: found other {wrong} for {arithmetic} than its theorem gives"


def altered(case: LayerCase, arithmetic: Arithmetic, found: dict[str, Certified]) -> str | None:
    """What of a file is not what its call gives: its truth, or its bounds if it holds this class."""
    truths, bounds, computed = case.enclosures(), case.stored(arithmetic), bounds_of(found)
    for name, x in found.items():
        if not overlap(truths[name], x.truth):
            return f"truth of {name}"
        if bounds and not agree(bounds[name], computed[name]):
            return f"bounds of {name}"
    return None


def second(call: LayerCall) -> dict[str, Array]:
    """Every result by the plain layers (properties/plain_*.py), which share no equation's code with the reference, on balls."""
    with flint.ctx.workprec(BITS):
        keywords = {name: x if isinstance(x, bool) else balls(x) for name, x in call.keywords().items()}
        found = received(PLAIN[call.system](**keywords))
        return found | {"h_last": last(found["h"], call)}


def _truth_fault(stored: Truth, x: Array) -> str | None:
    with flint.ctx.workprec(BITS):
        for index in np.ndindex(*x.shape):
            head, tail, rad = (flint.acb(complex(part[index])) for part in stored)
            if abs(x[index] - head - tail) > rad.real:  # certainly
                return f"at {list(index)} is further from head + tail than rad"
            if rad.real > TIGHT * abs(head) + GRAIN:
                return f"at {list(index)} has a rad larger than need be"
    return None

"""Witnesses as the writer makes them of wrong results, as a third party finds them, and changes."""

import copy
import json
from functools import cache

import numpy as np
from calls import drawn, exact

from scanproof.properties.files import numbers
from scanproof.properties.recheck import _witness, core
from scanproof.properties.verdict import judged
from scanproof.properties.witness import witness
from scanproof.reference.allowance.certificate import certify
from scanproof.reference.arithmetic.declaration import Arithmetic

FORMED = Arithmetic("float32", stages="formed")
SIZES = {"batch": 2, "time": 3, "width": 2}


def written(call, got, arithmetic, law="equivalence"):
    """The writer's own witness of results that are outside."""
    return witness(call, got, judged(got, call, arithmetic), "wrong", law, 4)


def content(found):
    """A witness as a file holds it."""
    return json.loads(found.text())


def recheck(found):
    """What the stand-alone program says of the value of a file."""
    return core.recheck(_witness.witness(found))


def altered(found, *path, to):
    """A copy in which what stands at this path is another value or a function of it; ...: gone."""
    found = copy.deepcopy(found)
    place = found
    for key in path[:-1]:
        place = place[key]
    if to is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = to(place[path[-1]]) if callable(to) else to
    return found


def nudged(units):
    """A function that makes a number a little larger."""
    return lambda text: (float.fromhex(text) * (1 + units * 2.0**-20)).hex()


def array_of(*shape, dtype="float32"):
    """An array of zeros, as a file holds it."""
    return numbers(np.zeros(shape, dtype)).model_dump()


def declaration(dtype):
    """A declaration under which allowances are known in this format."""
    return Arithmetic(dtype, accumulate="float32" if dtype == "bfloat16" else None)


@cache
def certified(system, dtype, two, start, reverse, bars):
    """A call of a layer, and the truth of everything that it can return."""
    arithmetic = declaration(dtype)
    call = drawn(system, arithmetic, SIZES, two=two, start=start, reverse=reverse, bars=bars)
    return call, arithmetic, list(certify(call, arithmetic))


def layer(
    system, output="y", *, two=False, start=False, reverse=False, dtype="float32", factor=2.0
):
    """A witness of an exact result that was multiplied by a factor."""
    key = system, dtype, two, start, reverse, output.startswith("gradient")
    call, arithmetic, blocks = certified(*key)
    right = blocks[0].results[output][0].truth.head
    got = {output: (factor * right).astype(call.expected(dtype)[output][1])}
    verdict = judged(got, call, arithmetic, blocks)
    return content(witness(call, got, verdict, "wrong", "equivalence", 4))


def constants(call, arithmetic):
    """The exact constants of a call, rounded once, as an implementation shows them."""
    k = call.system.constants(call.inside(call.wide))
    forms = call.expected_constants(arithmetic.dtype)
    shown = {f"constant {name}": getattr(k, name) for name in call.system.exposed}
    return {name: np.asarray(x).astype(forms[name][1]) for name, x in shown.items()}


@cache
def with_constants(system, spoiled):
    """A witness of constants that are shown, and of a result or a constant that is wrong."""
    call, _, blocks = certified(system, "float32", True, True, True, False)
    forms, right = call.expected("float32"), blocks[0].results
    got = {name: right[name][0].truth.head.astype(forms[name][1]) for name in ("y", "h")}
    got |= constants(call, FORMED)
    got[spoiled][(-1,) * got[spoiled].ndim] += 3
    return written(call, got, FORMED)


def exponential(size=3, norm=3.0, dtype="float32", stack=1):
    """A call, its exponential rounded, and the allowance of its last matrix."""
    call = drawn("expm", dtype, {"n": size}, norm=norm, seed=2 + stack)
    [block] = certify(call, Arithmetic(dtype))
    return call, exact(call, Arithmetic(dtype))["P"], float(block.results["P"][0].bound[-1])


def entry(size=3, norm=3.0, dtype="float32", stack=1):
    """A witness of an exponential with one entry off by a little more than the allowance."""
    call, got, allowance = exponential(size, norm, dtype, stack)
    got[-1, 0, -1] += 1.1 * allowance
    return content(written(call, {"P": got}, Arithmetic(dtype), "planes"))

"""From recipes to cases: the exact results, and the allowance of every class.

Truth is by integers where the theory of a system has them. Elsewhere the reference runs on balls of
BITS bits, correctly rounded to head and tail, and allowances come from double-doubles. lint.py
compares the two, and a second formulation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import flint
import numpy as np

from scanproof.golden.agreement import bounds_of
from scanproof.golden.collection import Collection, Recipe
from scanproof.golden.drawing import Draw
from scanproof.golden.flags import View, holding
from scanproof.golden.recipes import collection_of
from scanproof.golden.schema import SCHEMA, Case, Enclosure, Granted, asked
from scanproof.properties.files import Numbers, numbers
from scanproof.reference.allowance.certificate import whole
from scanproof.reference.allowance.certified import Certified
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.formats import WIDER
from scanproof.reference.arithmetic.operations import UP
from scanproof.reference.call import Call, called, evaluated, pulled_back
from scanproof.reference.inputs import Array
from scanproof.reference.numbers import namespace
from scanproof.reference.numbers.enclosed import Complex, Enclosed, of_balls
from scanproof.reference.truth.enclosure import Truth
from scanproof.reference.truth.exact import enclosed, filled

BITS = 400


def make(recipe: Recipe, dtype: str, collection: Collection) -> Case:
    """The case of a recipe in one dtype."""
    call = called(collection.system, recipe.draw(Draw(dtype, recipe.slug)), dtype)
    found = {arithmetic: whole(call, arithmetic) for arithmetic in classes(collection, call, dtype)}
    truth = truths(call, dtype, next(iter(found.values())))
    X = collection.magnitude(call) if collection.magnitude else None
    view = View(call, Arithmetic(dtype), {name: x.head for name, x in truth.items()}, X)
    case = Case(
        schema=SCHEMA,
        id=f"{recipe.slug}-{dtype}-{'0' * 10}",
        system=collection.system.name,
        purpose=recipe.purpose,
        flags=holding(collection.flags, view),
        arguments=dict(_stored(call.arguments)) | ({"reverse": True} if call.reverse else {}),
        results={name: Enclosure(**_stored(x._asdict())) for name, x in truth.items()},
        magnitude=None if X is None else numbers(X),
        allowances=[_granted(arithmetic, certified) for arithmetic, certified in found.items()],
    )
    return case.model_copy(update={"id": case.expected_id()})


def make_all(system: str) -> Iterator[Case]:
    """Every published case of a system, in the order of its recipes.

    Raises:
        ValueError: a system without cases.
    """
    collection = collection_of(system)
    return (
        make(recipe, dtype, collection) for recipe in collection.recipes for dtype in recipe.dtypes
    )


def classes(collection: Collection, call: Call, dtype: str) -> list[Arithmetic]:
    """The classes whose allowances a file stores: of adjoints only where gradients are asked for.

    16-bit formats accumulate in float32.
    """
    usual = {"dtype": dtype, "accumulate": "float32" if "float32" in WIDER[dtype] else None}
    classes = [words for words in collection.classes if "adjoint" not in words or call.cotangents()]
    return list(dict.fromkeys(Arithmetic(**{**usual, **words}) for words in classes))


# ---------------------------------------------------------------- truth


def truths(call: Call, dtype: str, found: Mapping[str, Certified]) -> dict[str, Truth]:
    """The exact results that a program may be asked for; found: what is certified of them."""
    if all(x.exact for x in found.values()):
        return {name: _by_integers(x) for name, x in found.items()}
    return _by_balls(call, dtype)


def _by_integers(x: Certified) -> Truth:
    """rad is zero wherever head + tail is the exact result."""
    exact = x.exact
    assert exact is not None
    return filled(x.truth.head, ((i, enclosed(*exact(i))) for i in np.ndindex(*x.bound.shape)))


def _by_balls(call: Call, dtype: str) -> dict[str, Truth]:
    """Every result by the reference on balls, correctly rounded to head and tail."""
    system, bars = call.system, call.cotangents()
    with flint.ctx.workprec(BITS):
        given = {
            name: balls(x) for name, x in call.arguments.items() if system.argument[name].of is None
        }
        exact = evaluated(system, given | {"reverse": call.reverse})
        if bars:
            lifted = {of: balls(bar) for of, bar in bars.items()}
            adjoint = pulled_back(system, lifted, given | {"reverse": call.reverse})
            exact |= {f"gradient {name}": x for name, x in adjoint.items()}
        forms = asked(call, dtype).items()
        return {name: _truth(exact[name], kind.startswith("complex")) for name, (_, kind) in forms}


def balls(x: Array) -> Any:
    """Floats as exact balls."""
    xp = namespace.balls()
    return xp.complex(xp.lift(x.real), xp.lift(x.imag)) if np.iscomplexobj(x) else xp.lift(x)


def _truth(x: Array, complex_numbers: bool) -> Truth:
    xp = namespace.balls()
    real = _rounded(xp.real(x))
    return Complex(real, _rounded(xp.imag(x))).truth() if complex_numbers else real.truth()


def _rounded(x: Array) -> Enclosed:
    """Balls as head and tail.

    Words that the radius does not tell from zero are zero, so that they are the same everywhere.
    """
    found = of_balls(x)
    tail = np.where(np.abs(found.tail) <= found.rad, 0.0, found.tail)
    head = np.where(np.abs(found.head) <= found.rad, 0.0, found.head)
    dropped = np.abs(found.tail - tail) + np.abs(found.head - head)
    return Enclosed(head, tail, np.where(dropped > 0, (found.rad + dropped) * UP, found.rad))


def _granted(arithmetic: Arithmetic, found: Mapping[str, Certified]) -> Granted:
    return Granted(declaration=arithmetic.words(), bounds=_stored(bounds_of(found)))


def _stored(named: Mapping[str, Array]) -> dict[str, Numbers]:
    return {name: numbers(x) for name, x in named.items()}

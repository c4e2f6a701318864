"""From recipes to cases, and the allowance of a case for any class."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scanproof.golden.cases import RECIPES, Recipe
from scanproof.golden.drawing import Draw
from scanproof.golden.flags import flags
from scanproof.golden.magnitude import magnitude
from scanproof.golden.schema import FORMAT, Case, Enclosure, Granted
from scanproof.properties.witness import Declared, numbers
from scanproof.reference.allowance.rounding import allowance
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Array, Inputs, checked
from scanproof.reference.truth.enclosure import Truth
from scanproof.reference.truth.exact import exact


def classes(dtype: str) -> list[Arithmetic]:
    """The classes whose allowance a file stores: IEEE in any order, flushing in any order, IEEE step by step.

    16-bit formats accumulate in float32 there, and once in themselves.
    """
    accumulate = "float32" if dtype in ("float16", "bfloat16") else None
    usual = [
        Arithmetic(dtype, accumulate=accumulate),
        Arithmetic(dtype, subnormals="daz", accumulate=accumulate),
        Arithmetic(dtype, order="sequential", accumulate=accumulate),
    ]
    return usual + [Arithmetic(dtype)] * (accumulate is not None)


def bound_of(inputs: Inputs, arithmetic: Arithmetic, truth: Truth) -> Array:
    """The allowance of a class as files store it: inf where overflow is possible or nothing is known; b's shape."""
    found = allowance(inputs, arithmetic, truth)
    return np.where(found.no_overflow, found.bound, np.inf)


def make(recipe: Recipe, dtype: str) -> Case:
    """The case of a recipe in one dtype."""
    drawn = recipe.draw(Draw(dtype, recipe.slug))
    inputs = checked(Arithmetic(dtype), drawn.lam, drawn.b, drawn.h0, drawn.reverse)
    truth, X = exact(inputs), magnitude(inputs)
    case = Case(
        format=FORMAT,
        id=f"{recipe.slug}-{dtype}-{'0' * 10}",
        system="scan",
        purpose=recipe.purpose,
        flags=flags(inputs, truth.head, X, dtype),
        lam=numbers(inputs.lam),
        b=numbers(inputs.b),
        h0=None if inputs.h0 is None else numbers(inputs.h0),
        reverse=inputs.reverse,
        truth=Enclosure(head=numbers(truth.head), tail=numbers(truth.tail), rad=numbers(truth.rad)),
        magnitude=numbers(X),
        allowances=[_granted(inputs, arithmetic, truth) for arithmetic in classes(dtype)],
    )
    return case.model_copy(update={"id": case.expected_id()})


def make_all() -> Iterator[Case]:
    """Every published case, in the order of the recipes."""
    return (make(recipe, dtype) for recipe in RECIPES for dtype in recipe.dtypes)


def _granted(inputs: Inputs, arithmetic: Arithmetic, truth: Truth) -> Granted:
    declared = Declared(arithmetic.words())
    return Granted(arithmetic=declared, bound=numbers(bound_of(inputs, arithmetic, truth)))

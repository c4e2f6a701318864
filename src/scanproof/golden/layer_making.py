"""From recipes to cases of layers: the truth by balls, correctly rounded, and the allowance of every class.

The reference runs on balls of BITS bits here, and on double-doubles for the allowances; lint.py compares the two, and a second
formulation of the layers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import flint
import numpy as np

from scanproof.golden.layer_cases import LAYER_RECIPES, LayerRecipe
from scanproof.golden.layer_drawing import LayerDraw
from scanproof.golden.layer_flags import layer_flags
from scanproof.golden.layer_schema import LAYER_FORMAT, LayerCase, LayerGranted
from scanproof.golden.schema import Enclosure
from scanproof.properties.layer_calls import LayerCall, checked_layer
from scanproof.properties.layer_verdict import certify
from scanproof.properties.witness import Numbers, numbers
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.formats import WIDER
from scanproof.reference.arithmetic.operations import UP
from scanproof.reference.inputs import Array
from scanproof.reference.layer_certificate import Certified
from scanproof.reference.layers import backwards, mapped
from scanproof.reference.numbers import namespace
from scanproof.reference.numbers.enclosed import Complex, Enclosed, of_balls
from scanproof.reference.truth.enclosure import Truth

BITS = 400


def classes(dtype: str, gradients: bool) -> list[Arithmetic]:
    """The classes whose allowances a file stores: IEEE, subnormals flushed, and for gradients those of the adjoint recurrence.

    16-bit formats accumulate in float32.
    """
    accumulate = "float32" if "float32" in WIDER[dtype] else None
    formed = Arithmetic(dtype, accumulate=accumulate, stages="formed")
    usual = [replace(formed, subnormals=word) for word in ("gradual", "daz")]
    return usual + [replace(formed, adjoint="recurrence")] * gradients


def certificates(call: LayerCall, arithmetic: Arithmetic) -> dict[str, Certified]:
    """Truth and allowance of every result that can be asked for."""
    found = certify(call, arithmetic, gradients=False)
    return found if call.y_bar is None else found | certify(call, arithmetic, gradients=True)


def bounds_of(found: dict[str, Certified]) -> dict[str, Array]:
    """Allowances as files store them: inf where overflow is possible or nothing is known."""
    return {name: np.where(x.no_overflow, x.bound, np.inf) for name, x in found.items()}


def truths(call: LayerCall) -> dict[str, Truth]:
    """Every result by the reference on balls, correctly rounded to head and tail."""
    module = call.layer.module
    with flint.ctx.workprec(BITS):
        params, (u, h0, y_bar) = mapped(call.params, balls), map(balls, (call.u, call.h0, call.y_bar))
        y, h = module.forward(params, u, h0, call.reverse)
        found = {"y": y, "h": h, "h_last": last(h, call)}
        if y_bar is not None:
            bar = module.vjp(params, u, y_bar, h0, call.reverse)
            found |= {f"gradient {name}": x for name, x in vars(bar).items() if x is not None}
        return {name: _truth(x, complex_numbers) for name, (x, complex_numbers) in _kinds(found, call).items()}


def balls(x: Array | None) -> Any:
    """Floats as exact balls."""
    xp = namespace.balls()
    if x is None or not np.iscomplexobj(x):
        return None if x is None else xp.lift(x)
    return xp.complex(xp.lift(x.real), xp.lift(x.imag))


def last(h: Array, call: LayerCall) -> Array:
    """The states after the last step of each direction. h (batch, time, [2,] state...) -> (batch, [2,] state...)"""
    ends = [0 if backwards(d, call.reverse) else -1 for d in range(2)]
    if not call.entered.border.bidirectional:
        return h[:, ends[0]]
    return np.stack([h[:, end, d] for d, end in enumerate(ends)], 1)


def make(recipe: LayerRecipe, dtype: str) -> LayerCase:
    """The case of a recipe in one dtype."""
    drawn = recipe.draw(LayerDraw(dtype, recipe.slug))
    call = checked_layer(drawn.system, dtype, drawn.params, drawn.u, drawn.h0, drawn.reverse, drawn.y_bar)
    case = LayerCase(
        format=LAYER_FORMAT,
        id=f"{recipe.slug}-{dtype}-{'0' * 10}",
        system=call.system,  # type: ignore[arg-type]  # pydantic checks it
        purpose=recipe.purpose,
        flags=layer_flags(call),
        params=_stored(call.named),
        u=numbers(call.u),
        h0=None if call.h0 is None else numbers(call.h0),
        reverse=call.reverse,
        y_bar=None if call.y_bar is None else numbers(call.y_bar),
        truth={name: Enclosure(**_stored(x._asdict())) for name, x in truths(call).items()},
        allowances=[_granted(call, arithmetic) for arithmetic in classes(dtype, call.y_bar is not None)],
    )
    return case.model_copy(update={"id": case.expected_id()})


def make_all(system: str) -> Iterator[LayerCase]:
    """Every published case of a layer, in the order of its recipes."""
    return (make(recipe, dtype) for recipe in LAYER_RECIPES[system] for dtype in recipe.dtypes)


def _granted(call: LayerCall, arithmetic: Arithmetic) -> LayerGranted:
    bounds = bounds_of(certificates(call, arithmetic))
    return LayerGranted(arithmetic=Declared(arithmetic.words()), bounds=_stored(bounds))


def _stored(named: dict[str, Array]) -> dict[str, Numbers]:
    return {name: numbers(x) for name, x in named.items()}


def _kinds(found: dict[str, Array], call: LayerCall) -> dict[str, tuple[Array, bool]]:
    """Each result, and whether it is complex, in the order in which programs are asked."""
    expected = call.expected(Arithmetic(call.u.dtype.name))
    return {name: (found[name], dtype.startswith("complex")) for name, (_, dtype) in expected.items() if name in found}


def _truth(x: Array, complex_numbers: bool) -> Truth:
    xp = namespace.balls()
    real = _rounded(xp.real(x))
    return Complex(real, _rounded(xp.imag(x))).truth() if complex_numbers else real.truth()


def _rounded(x: Array) -> Enclosed:
    """Balls as head and tail; words that the radius does not tell from zero are zero, so that they are the same everywhere."""
    found = of_balls(x)
    tail = np.where(np.abs(found.tail) <= found.rad, 0.0, found.tail)
    head = np.where(np.abs(found.head) <= found.rad, 0.0, found.head)
    dropped = np.abs(found.tail - tail) + np.abs(found.head - head)
    return Enclosed(head, tail, np.where(dropped > 0, (found.rad + dropped) * UP, found.rad))

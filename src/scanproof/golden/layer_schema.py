"""What a golden file of a layer holds. Results are named as everywhere in Scanproof: y, h, h_last and "gradient NAME".

The id's hash leaves out what schema.py says; head and tail of the truth are in it, since they are correct roundings.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from scanproof.golden.schema import Enclosure, Form, Golden, Strict, holds
from scanproof.properties.layer_calls import LayerCall, checked_layer
from scanproof.properties.witness import Declared, Numbers, array
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Array
from scanproof.reference.systems import declared
from scanproof.reference.truth.enclosure import Truth

LAYER_FORMAT: Literal["scanproof-golden-layer/1"] = "scanproof-golden-layer/1"


class LayerGranted(Strict):
    """One class, and how far its evaluations can be from each result: inf where overflow is possible or nothing is known."""

    arithmetic: Declared
    bounds: dict[str, Numbers]

    def declared(self) -> Arithmetic:
        return self.arithmetic.arithmetic()


class LayerCase(Golden):
    """One golden case of a layer; gradients are those of the sum of y_bar y."""

    CALL: ClassVar[set[str]] = {"params", "u", "h0", "reverse", "y_bar"}
    MACHINE: ClassVar[Any] = {"__all__": {"rad"}}

    format: Literal["scanproof-golden-layer/1"]
    system: Literal["lru", "rotrnn"]
    params: dict[str, Numbers]
    u: Numbers
    h0: Numbers | None
    reverse: bool
    y_bar: Numbers | None
    truth: dict[str, Enclosure]
    allowances: list[LayerGranted] = Field(min_length=1)

    @model_validator(mode="after")
    def _belongs_together(self) -> LayerCase:
        try:
            forms = self.results()
            classes = [declared(self.system, granted.declared()) for granted in self.allowances]
        except TypeError as error:
            raise ValueError(str(error)) from error
        if any(known.dtype != self.dtype for known in classes) or len(set(classes)) < len(classes):
            raise ValueError(f"allowances: expected different classes, all of dtype {self.dtype}")
        _same_names("truth", self.truth, forms)
        for name, form in forms.items():
            wide, found = "complex128" if form.dtype.startswith("complex") else "float64", self.truth[name]
            for part in ("head", "tail"):
                holds(f"truth.{name}.{part}", getattr(found, part), wide, form.shape, np.isfinite)
            holds(f"truth.{name}.rad", found.rad, "float64", form.shape, lambda x: x >= 0)
        for i, granted in enumerate(self.allowances):
            _same_names(f"allowances.{i}.bounds", granted.bounds, forms)
            for name, form in forms.items():
                holds(f"allowances.{i}.bounds.{name}", granted.bounds[name], "float64", form.shape, lambda x: x >= 0)
        return self

    @property
    def dtype(self) -> str:
        return self.u.dtype

    def inputs(self) -> LayerCall:
        """The call's arguments. Raises ValueError or TypeError when they do not fit each other."""
        params = {name: array(x) for name, x in self.params.items()}
        h0, y_bar = (None if x is None else array(x) for x in (self.h0, self.y_bar))
        return checked_layer(self.system, self.dtype, params, array(self.u), h0, self.reverse, y_bar)

    def results(self) -> dict[str, Form]:
        """What a program may answer with: gradients only where y_bar is given."""
        expected = self.inputs().expected(Arithmetic(self.dtype))
        asked = {name: x for name, x in expected.items() if self.y_bar or not name.startswith("gradient")}
        return {name: Form(dtype, list(shape), "in results") for name, (shape, dtype) in asked.items()}

    def enclosures(self) -> dict[str, Truth]:
        """The stored truth of every result, as arrays."""
        return {name: Truth(array(x.head), array(x.tail), array(x.rad)) for name, x in self.truth.items()}

    def stored(self, arithmetic: Arithmetic) -> dict[str, Array] | None:
        """The stored bounds of this class, or None."""
        found = (granted.bounds for granted in self.allowances if granted.declared() == arithmetic)
        return next(({name: array(x) for name, x in bounds.items()} for bounds in found), None)


def _same_names(where: str, found: dict[str, Any], forms: dict[str, Form]) -> None:
    if list(found) != list(forms):
        raise ValueError(f"{where}: found {', '.join(found) or 'nothing'}, expected {', '.join(forms)}")

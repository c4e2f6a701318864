"""What a golden file holds.

Every array is a `Numbers`: dtype, shape and hexadecimal floats in C order. The id is a slug and a
hash over everything that arithmetic alone determines: purpose, flags, arguments, head and tail of
the results, magnitude. Left out are `rad` and `allowances`, whose last bits may differ between
machines (hypot, log1p and expm1 may); `golden lint` recomputes them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Annotated, Any

import numpy as np
from pydantic import Field, StringConstraints, model_validator

from scanproof.properties.files import SLUG, Numbers, Strict, Words, array
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.call import Call, Form, called
from scanproof.reference.inputs import Array
from scanproof.reference.systems import declared, system_of
from scanproof.reference.truth.enclosure import Truth

SCHEMA = "scanproof-golden/2"
FIRST_EDITION = ("scanproof-golden/1", "scanproof-golden-layer/1")
Line = Annotated[str, StringConstraints(pattern=r"^\S[^\n]*\S$", max_length=200)]


class Enclosure(Strict):
    """The exact result x, of its shape each: |x - head - tail| <= rad."""

    head: Numbers
    tail: Numbers
    rad: Numbers


class Granted(Strict):
    """One class, and how far its evaluations can be from each result.

    bounds: inf where overflow is possible or nothing is known.
    """

    declaration: Words
    bounds: dict[str, Numbers]

    def declared(self) -> Arithmetic:
        """The class. Raises ValueError for words that say none."""
        return Arithmetic.from_words(self.declaration)


class Case(Strict):
    """One golden case. A gradient is that of the sum of every cotangent times its result."""

    form: str = Field(alias="schema", pattern=f"^{SCHEMA}$")
    id: Annotated[str, StringConstraints(pattern=rf"^{SLUG}-[0-9a-f]{{10}}$")]
    system: Annotated[str, StringConstraints(pattern=f"^{SLUG}$")]
    purpose: Line
    flags: list[str]
    arguments: dict[str, Numbers | bool]
    results: dict[str, Enclosure]
    magnitude: Numbers | None = None
    allowances: list[Granted] = Field(min_length=1)

    @model_validator(mode="after")
    def _belongs_together(self) -> Case:
        try:
            forms = asked(self.call(), self.dtype)
            classes = [
                declared(system_of(self.system), granted.declared()) for granted in self.allowances
            ]
        except TypeError as error:
            raise ValueError(str(error)) from error
        if any(known.dtype != self.dtype for known in classes) or len(set(classes)) < len(classes):
            raise ValueError(f"allowances: expected different classes, all of dtype {self.dtype}")
        if self.arguments.get("reverse") is False:
            raise ValueError("arguments.reverse: found false, expected true or nothing")
        self._check_numbers(forms)
        return self

    def _check_numbers(self, forms: dict[str, Form]) -> None:
        """Raises ValueError for names, shapes, dtypes or numbers that do not belong to the call."""
        _same_names("results", self.results, forms)
        for name, (shape, dtype) in forms.items():
            wide = "complex128" if dtype.startswith("complex") else "float64"
            for part in ("head", "tail"):
                _holds(
                    f"results.{name}.{part}",
                    getattr(self.results[name], part),
                    wide,
                    shape,
                    np.isfinite,
                )
            _holds(f"results.{name}.rad", self.results[name].rad, "float64", shape, _positive)
        for i, granted in enumerate(self.allowances):
            _same_names(f"allowances.{i}.bounds", granted.bounds, forms)
            for name, (shape, _) in forms.items():
                _holds(
                    f"allowances.{i}.bounds.{name}",
                    granted.bounds[name],
                    "float64",
                    shape,
                    _positive,
                )
        if self.magnitude is not None:
            _holds("magnitude", self.magnitude, "float64", next(iter(forms.values()))[0], _positive)

    @property
    def dtype(self) -> str:
        """The declared format of its numbers."""
        return self.allowances[0].declared().dtype

    def call(self) -> Call:
        """The call's arguments. Raises ValueError or TypeError when they do not fit each other."""
        given = {name: x if isinstance(x, bool) else array(x) for name, x in self.arguments.items()}
        return called(system_of(self.system), given, self.dtype)

    @property
    def shape(self) -> list[int]:
        """Of the first input, or else of the first argument."""
        system = system_of(self.system)
        name = next(
            name for name in (*system.named("input"), *system.argument) if name in self.arguments
        )
        found = self.arguments[name]
        return [] if isinstance(found, bool) else found.shape

    def truths(self) -> dict[str, Truth]:
        """The stored truth of every result, as arrays."""
        return {
            name: Truth(array(x.head), array(x.tail), array(x.rad))
            for name, x in self.results.items()
        }

    def stored(self, arithmetic: Arithmetic) -> dict[str, Array] | None:
        """The stored bounds of this class, or None."""
        found = (granted.bounds for granted in self.allowances if granted.declared() == arithmetic)
        return next(({name: array(x) for name, x in bounds.items()} for bounds in found), None)

    def plain(self, **left_out: Any) -> dict[str, Any]:
        """Plain values, in the order of the file."""
        return self.model_dump(by_alias=True, exclude_none=True, exclude=left_out or None)

    def text(self) -> str:
        """The canonical text of the file: one line a field."""
        fields = (f' "{name}": {json.dumps(value)}' for name, value in self.plain().items())
        return "{\n" + ",\n".join(fields) + "\n}\n"

    def expected_id(self) -> str:
        """Slug and content hash."""
        content = self.plain(id=True, allowances=True, results={"__all__": {"rad"}})
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        return f"{self.id.rpartition('-')[0]}-{digest[:10]}"


def asked(call: Call, dtype: str) -> dict[str, Form]:
    """Shape and dtype of every result that is asked for: gradients only beside a cotangent."""
    found, gradients = call.expected(dtype), bool(call.cotangents())
    return {
        name: form for name, form in found.items() if gradients or not name.startswith("gradient ")
    }


def _positive(x: Array) -> Array:
    return np.asarray(x >= 0)


def _same_names(where: str, found: Iterable[str], forms: dict[str, Form]) -> None:
    if list(found) != list(forms):
        text = ", ".join(found)[:200] or "nothing"
        raise ValueError(f"{where}: found {text!r}, expected {', '.join(forms)}")


def _holds(
    name: str, found: Numbers, dtype: str, shape: tuple[int, ...], accepts: Callable[[Array], Array]
) -> None:
    """Raises ValueError for another dtype or shape, or numbers that are not accepted."""
    if (found.dtype, tuple(found.shape)) != (dtype, shape):
        text = f"{found.dtype} of shape {found.shape}"
        raise ValueError(f"{name}: found {text}, expected {dtype} of shape {list(shape)}")
    if not accepts(array(found)).all():
        raise ValueError(f"{name}: found a number that cannot stand there")

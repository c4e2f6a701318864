"""What a golden file holds: a scan here, a layer in layer_schema.py. Every array is a `Numbers`: dtype, shape and hexadecimal
floats in C order.

The id is a slug and a hash over everything that arithmetic alone determines: purpose, flags, inputs, head and tail of the
truth, magnitude. Left out are `rad` and `allowances`, whose last bits may differ between machines (hypot, log1p and expm1
may); `golden lint` recomputes them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from scanproof.properties.witness import Declared, Numbers, array
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Array, Inputs, checked
from scanproof.reference.systems import declared
from scanproof.reference.truth.enclosure import Truth

FORMAT: Literal["scanproof-golden/1"] = "scanproof-golden/1"
SLUG = r"[a-z0-9]+(?:-[a-z0-9]+)*"
Line = Annotated[str, StringConstraints(pattern=r"^\S[^\n]*\S$", max_length=200)]


class Strict(BaseModel):
    """Fields as declared and no others."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Form(NamedTuple):
    """Of a result that a program may answer with; source: where a program finds this said."""

    dtype: str
    shape: list[int]
    source: str


class Enclosure(Strict):
    """The exact states h, or another result: |h - head - tail| <= rad; of its shape each."""

    head: Numbers
    tail: Numbers
    rad: Numbers


class Granted(Strict):
    """One class, and how far its evaluations can be from h: inf where overflow is possible or nothing is known."""

    arithmetic: Declared
    bound: Numbers

    def declared(self) -> Arithmetic:
        return self.arithmetic.arithmetic()


class Golden(Strict):
    """What cases of scans and of layers share."""

    format: str
    id: Annotated[str, StringConstraints(pattern=rf"^{SLUG}-[0-9a-f]{{10}}$")]
    system: str
    purpose: Line
    flags: list[str]

    CALL: ClassVar[set[str]]  # the fields that a program is asked about
    MACHINE: ClassVar[Any]  # what the id's hash leaves out

    def asked(self) -> dict[str, Any]:
        """The call, without anything that would tell the answer."""
        return self.model_dump(include={"system", *self.CALL})

    def text(self) -> str:
        """The canonical text of the file: one line a field."""
        fields = (f' "{name}": {json.dumps(value)}' for name, value in self.model_dump().items())
        return "{\n" + ",\n".join(fields) + "\n}\n"

    def expected_id(self) -> str:
        """Slug and content hash."""
        content = self.model_dump(exclude={"id": True, "allowances": True, "truth": self.MACHINE})
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        return f"{self.id.rpartition('-')[0]}-{digest[:10]}"


class Case(Golden):
    """One golden case of a scan. `magnitude` is X_t = |lam_t| X_{t-1} + |b_t|, X_0 = |h0|, rounded upwards."""

    CALL: ClassVar[set[str]] = {"lam", "b", "h0", "reverse"}
    MACHINE: ClassVar[Any] = {"rad"}

    format: Literal["scanproof-golden/1"]
    system: Literal["scan"]
    lam: Numbers
    b: Numbers
    h0: Numbers | None
    reverse: bool
    truth: Enclosure
    magnitude: Numbers
    allowances: list[Granted] = Field(min_length=1)

    @model_validator(mode="after")
    def _belongs_together(self) -> Case:
        try:
            self.inputs()
            classes = [declared(self.system, granted.declared()) for granted in self.allowances]
        except TypeError as error:
            raise ValueError(str(error)) from error
        if any(known.dtype != self.dtype for known in classes) or len(set(classes)) < len(classes):
            raise ValueError(f"allowances: expected different classes, all of dtype {self.dtype}")
        wide = "complex128" if self.dtype.startswith("complex") else "float64"
        for name, found in (("truth.head", self.truth.head), ("truth.tail", self.truth.tail)):
            holds(name, found, wide, self.b.shape, np.isfinite)
        bounds = [(f"allowances.{i}.bound", granted.bound) for i, granted in enumerate(self.allowances)]
        for name, found in [("truth.rad", self.truth.rad), ("magnitude", self.magnitude), *bounds]:
            holds(name, found, "float64", self.b.shape, lambda x: x >= 0)
        return self

    @property
    def dtype(self) -> str:
        return self.b.dtype

    def inputs(self) -> Inputs:
        """The call's arguments. Raises ValueError or TypeError when they do not fit each other."""
        h0 = None if self.h0 is None else array(self.h0)
        return checked(Arithmetic(self.dtype), array(self.lam), array(self.b), h0, self.reverse)

    def enclosure(self) -> Truth:
        """The stored truth as arrays."""
        return Truth(array(self.truth.head), array(self.truth.tail), array(self.truth.rad))

    def stored(self, arithmetic: Arithmetic) -> Array | None:
        """The stored bound of this class, or None."""
        return next((array(granted.bound) for granted in self.allowances if granted.declared() == arithmetic), None)

    def results(self) -> dict[str, Form]:
        """What a program may answer with."""
        return {"h": Form(self.dtype, self.b.shape, "of b")}


def holds(name: str, found: Numbers, dtype: str, shape: list[int], accepts: Callable[[Array], Array]) -> None:
    """Raises ValueError for another dtype or shape, or numbers that are not accepted."""
    if (found.dtype, found.shape) != (dtype, shape):
        raise ValueError(f"{name}: found {found.dtype} of shape {found.shape}, expected {dtype} of shape {shape}")
    if not accepts(array(found)).all():
        raise ValueError(f"{name}: found a number that cannot stand there")

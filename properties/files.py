"""Files that are read strictly and written whole: what witnesses and golden cases are made of.

Floats are C99 hexadecimal strings, so nothing depends on decimal conversion; complex numbers are
[re, im] pairs.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from scanproof.reference.arithmetic.formats import DTYPES
from scanproof.reference.inputs import Array

SLUG = r"[a-z0-9]+(?:-[a-z0-9]+)*"
AXES = 8  # of an array at most


def _canonical(text: str) -> str:
    try:
        same = float.fromhex(text).hex() == text
    except (ValueError, OverflowError):
        same = False
    if not same:
        raise ValueError("found no number in the form of float.hex")
    return text


Hex = Annotated[str, AfterValidator(_canonical)]
# Python reads these at any length, not decimals
HexInteger = Annotated[str, StringConstraints(pattern=r"^-?0x[0-9a-f]+$")]
Count = Annotated[int, Field(ge=0)]
Words = dict[str, str | bool | float | None]


class Strict(BaseModel):
    """Fields as declared and no others."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, populate_by_name=True)


class Numbers(Strict):
    """An array: dtype name, shape, and its components in C order as hexadecimal floats."""

    dtype: str
    shape: list[Count] = Field(min_length=1, max_length=AXES)
    data: list[Hex]

    @model_validator(mode="after")
    def _fits(self) -> Numbers:
        if self.dtype not in DTYPES:
            raise ValueError(
                f"dtype: found {self.dtype[:20]!r}, expected one of {', '.join(DTYPES)}"
            )
        wanted = math.prod(self.shape) * (2 if self.dtype.startswith("complex") else 1)
        if len(self.data) != wanted:
            raise ValueError(
                f"found {len(self.data)} numbers, expected {wanted} for {self.dtype} of shape "
                f"{self.shape}"
            )
        if _hexadecimal(array(self)) != self.data:
            raise ValueError(f"found a number that no {self.dtype} holds")
        return self


def numbers(x: Array) -> Numbers:
    """An array as a file holds it."""
    return Numbers.model_validate(
        {"dtype": x.dtype.name, "shape": list(x.shape), "data": _hexadecimal(x)}
    )


def _hexadecimal(x: Array) -> list[str]:
    parts = np.stack([x.real, x.imag], -1) if np.iscomplexobj(x) else x
    return [float(v).hex() for v in parts.ravel()]


def array(n: Numbers) -> Array:
    """The array again."""
    part = n.dtype.replace("complex64", "float32").replace("complex128", "float64")
    with np.errstate(over="ignore"):
        parts = np.array([float.fromhex(v) for v in n.data]).astype(part)
    return parts.view(n.dtype).reshape(n.shape)


def check_schema(content: bytes, known: str, older: tuple[str, ...], remedy: str) -> None:
    """Raises ValueError for JSON that says it is of another schema than the known one; for an older
    one with the remedy."""
    found = TypeAdapter(Any).validate_json(content)
    named = (found.get("schema") or found.get("format")) if isinstance(found, dict) else None
    if named == known:
        return
    if named in older:
        raise ValueError(
            f"found {named}, which this version no longer reads, expected {known}: {remedy}"
        )
    text = f"schema {named[:60]!r}" if isinstance(named, str) else "no schema"
    raise ValueError(f"found {text}, expected {known}")


def first_fault(error: ValidationError) -> str:
    """The first of pydantic's findings in one line."""
    first, others = error.errors()[0], error.error_count() - 1
    # without pydantic's names of the kinds of a value
    keys = [key for key in first["loc"] if "[" not in str(key)]
    place, more = ".".join(map(_shown, keys)), f" (and {others} more faults)" if others else ""
    return f"{place or 'file'}: {first['msg'].removeprefix('Value error, ')}{more}"


def _shown(key: str | int) -> str:
    """A key of a file, whatever it holds, as a short word of one line."""
    return repr(str(key)[:60])[1:-1]


def write_atomically(path: Path, text: str) -> None:
    """Writes beside the target and renames: a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise

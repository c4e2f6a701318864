"""The witness of an `outside`: a file with which a third party can check the claim again with integers alone.

Floats are C99 hexadecimal strings, so nothing depends on decimal conversion; complex numbers are [re, im] pairs.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from scanproof.properties.verdict import Verdict
from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.inputs import Array, Inputs, checked
from scanproof.reference.truth import exact_state

FORMAT: Literal["scanproof-witness/1"] = "scanproof-witness/1"
Hex = Annotated[str, StringConstraints(pattern=r"^-?(0x[01]\.[0-9a-f]+p[+-][0-9]+|inf|nan)$")]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Numbers(_Strict):
    """An array: dtype name, shape, and its components in C order as hexadecimal floats."""

    dtype: str
    shape: list[int]
    data: list[Hex]


class Declared(_Strict):
    dtype: str
    subnormals: str
    contraction: bool
    order: str


class Exact(_Strict):
    """The exact state at `index`: each component is an integer over 2^exponent."""

    numerators: list[str]
    exponent: int


class Witness(_Strict):
    """One call, its result, and the element at which it is outside: |got - truth| > allowance."""

    format: Literal["scanproof-witness/1"]
    system: Literal["scan"]
    implementation: str
    law: str
    seed: int
    arithmetic: Declared
    lam: Numbers
    b: Numbers
    h0: Numbers | None
    reverse: bool
    got: Numbers
    index: list[int]
    truth: Exact
    allowance: Hex
    claim: str

    @property
    def name(self) -> str:
        """File name: slug and content hash."""
        return f"witness-{self.law}-{hashlib.sha256(self.text().encode()).hexdigest()[:10]}.json"

    def text(self) -> str:
        return self.model_dump_json(indent=1) + "\n"

    def inputs(self) -> Inputs:
        """The call's arguments. Raises ValueError or TypeError when they do not fit each other."""
        arithmetic = self.declared()
        h0 = None if self.h0 is None else array(self.h0)
        return checked(arithmetic, array(self.lam), array(self.b), h0, self.reverse)

    def declared(self) -> Arithmetic:
        return Arithmetic(**self.arithmetic.model_dump())

    def write(self, folder: Path | str) -> Path:
        """Writes the file atomically and returns its path."""
        path = Path(folder) / self.name
        write_atomically(path, self.text())
        return path


def witness(inputs: Inputs, got: Array, verdict: Verdict, implementation: str, law: str, seed: int) -> Witness:
    """The witness of an outside verdict."""
    if verdict.worst is None:
        raise ValueError("verdict: found no outside element, expected a verdict `outside`")
    H, s = exact_state(inputs, verdict.worst.index)
    arithmetic = verdict.arithmetic
    return Witness(
        format=FORMAT,
        system="scan",
        implementation=implementation,
        law=law,
        seed=seed,
        arithmetic=Declared(
            dtype=arithmetic.dtype, subnormals=arithmetic.subnormals, contraction=arithmetic.contraction, order=arithmetic.order
        ),
        lam=numbers(inputs.lam),
        b=numbers(inputs.b),
        h0=None if inputs.h0 is None else numbers(inputs.h0),
        reverse=inputs.reverse,
        got=numbers(got),
        index=list(verdict.worst.index),
        truth=Exact(numerators=[str(h) for h in H], exponent=s),
        allowance=verdict.worst.allowance.hex(),
        claim=str(verdict),
    )


def read(path: Path | str) -> Witness:
    """Reads a witness file strictly.

    Raises:
        ValueError: the file is missing, truncated, altered in form or of another format; one line.
    """
    try:
        return Witness.model_validate_json(Path(path).read_bytes())
    except OSError as error:
        raise ValueError(f"witness: cannot read {path}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "file"
        raise ValueError(f"witness: {path}: {place}: {first['msg']} ({error.error_count()} faults in all)") from error


def numbers(x: Array) -> Numbers:
    parts = np.stack([x.real, x.imag], -1) if np.iscomplexobj(x) else x
    return Numbers(dtype=x.dtype.name, shape=list(x.shape), data=[float(v).hex() for v in parts.ravel()])


def array(n: Numbers) -> Array:
    """The array again. Raises ValueError when data and shape do not fit."""
    dtype = np.dtype(n.dtype)
    values = np.array([float.fromhex(v) for v in n.data])
    if dtype.kind == "c":
        values = values[0::2] + 1j * values[1::2] if len(values) % 2 == 0 else values
    if values.size != int(np.prod(n.shape)):
        raise ValueError(f"witness: found {values.size} numbers for shape {n.shape}")
    return values.astype(dtype).reshape(n.shape)


def write_atomically(path: Path, text: str) -> None:
    """Writes beside the target and renames: a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise



"""The witness of an `outside`: a file with which a third party can check the claim again with integers alone.

Floats are C99 hexadecimal strings, so nothing depends on decimal conversion; complex numbers are [re, im] pairs.
"""

from __future__ import annotations

import hashlib
import math
import os
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    RootModel,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from scanproof.properties.findings import Element
from scanproof.properties.verdict import Verdict, result_fault
from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.inputs import Array, Inputs, checked
from scanproof.reference.systems import declared
from scanproof.reference.truth import exact_state

FORMAT: Literal["scanproof-witness/2"] = "scanproof-witness/2"
WITNESSES = Path("build/witness")  # where `check` and `suite` write them


def _canonical(text: str) -> str:
    try:
        same = float.fromhex(text).hex() == text
    except (ValueError, OverflowError):
        same = False
    if not same:
        raise ValueError("found no number in the form of float.hex")
    return text


Hex = Annotated[str, AfterValidator(_canonical)]
HexInteger = Annotated[str, StringConstraints(pattern=r"^-?0x[0-9a-f]+$")]  # Python reads these at any length, not decimals
Count = Annotated[int, Field(ge=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Numbers(_Strict):
    """An array: dtype name, shape, and its components in C order as hexadecimal floats."""

    dtype: Literal["float16", "bfloat16", "float32", "float64", "complex64", "complex128"]
    shape: list[Count] = Field(min_length=1, max_length=5)
    data: list[Hex]

    @model_validator(mode="after")
    def _fits(self) -> Numbers:
        wanted = math.prod(self.shape) * (2 if self.dtype.startswith("complex") else 1)
        if len(self.data) != wanted:
            raise ValueError(f"found {len(self.data)} numbers, expected {wanted} for {self.dtype} of shape {self.shape}")
        if _hexadecimal(array(self)) != self.data:
            raise ValueError(f"found a number that no {self.dtype} holds")
        return self


class Declared(RootModel[dict[str, Any]]):
    """The words of a declaration as a file has them; those that it does not say are the defaults."""

    model_config = ConfigDict(strict=True, frozen=True)

    @model_validator(mode="after")
    def _known(self) -> Declared:
        self.arithmetic()
        return self

    def arithmetic(self) -> Arithmetic:
        """The declaration. Raises ValueError for a word or value that is not known."""
        return Arithmetic.from_words(self.root)


class Exact(_Strict):
    """The exact state at `index`: each component is an integer over 2^exponent."""

    numerators: list[HexInteger] = Field(min_length=1, max_length=2)
    exponent: Count


class Evidence(_Strict):
    """What every witness begins with, and the file it becomes."""

    format: str
    system: Annotated[str, StringConstraints(pattern=r"^[a-z]+$")]
    implementation: str
    law: Annotated[str, StringConstraints(pattern=r"^[a-z-]+$")]
    seed: int
    arithmetic: Declared

    def declared(self) -> Arithmetic:
        """The declaration. Raises ValueError for one that this system cannot have."""
        return declared(self.system, self.arithmetic.arithmetic())

    @property
    def name(self) -> str:
        """File name: slug and content hash."""
        slug = self.law if self.system == "scan" else f"{self.system}-{self.law}"
        return f"witness-{slug}-{hashlib.sha256(self.text().encode()).hexdigest()[:10]}.json"

    def text(self) -> str:
        return self.model_dump_json(indent=1) + "\n"

    def write(self, folder: Path | str) -> Path:
        """Writes the file atomically and returns its path."""
        path = Path(folder) / self.name
        write_atomically(path, self.text())
        return path


Kind = TypeVar("Kind", bound=Evidence)


class Witness(Evidence):
    """One call, its result, and the element at which it is outside: |got - truth| > allowance."""

    format: Literal["scanproof-witness/2"]
    system: Literal["scan"]
    lam: Numbers
    b: Numbers
    h0: Numbers | None
    reverse: bool
    got: Numbers
    index: list[Count] = Field(min_length=3, max_length=3)
    truth: Exact
    allowance: Hex
    claim: str

    @model_validator(mode="after")
    def _belongs_together(self) -> Witness:
        try:
            inputs = self.inputs()
        except TypeError as error:
            raise ValueError(str(error)) from error
        wrong = result_fault(self.results(), inputs, self.declared())
        if wrong:
            raise ValueError(wrong)
        if any(i >= size for i, size in zip(self.index, self.got.shape, strict=True)):
            raise ValueError(f"index: found {self.index}, expected an element of shape {self.got.shape}")
        return self

    def inputs(self) -> Inputs:
        """The call's arguments. Raises ValueError or TypeError when they do not fit each other."""
        arithmetic = self.declared()
        h0 = None if self.h0 is None else array(self.h0)
        return checked(arithmetic, array(self.lam), array(self.b), h0, self.reverse)

    def results(self) -> Array:
        return array(self.got)


def witness(inputs: Inputs, got: Array, verdict: Verdict, implementation: str, law: str, seed: int) -> Witness:
    """The witness of an outside verdict."""
    worst = outside(verdict)
    H, s = exact_state(inputs, worst.index)
    return Witness(
        format=FORMAT,
        system="scan",
        implementation=implementation,
        law=law,
        seed=seed,
        arithmetic=Declared(verdict.arithmetic.words()),
        lam=numbers(inputs.lam),
        b=numbers(inputs.b),
        h0=None if inputs.h0 is None else numbers(inputs.h0),
        reverse=inputs.reverse,
        got=numbers(got),
        index=list(worst.index),
        truth=Exact(numerators=[hex(h) for h in H], exponent=s),
        allowance=worst.allowance.hex(),
        claim=str(verdict),
    )


def outside(verdict: Verdict) -> Element:
    """The element at which a verdict is outside. Raises ValueError for any other verdict."""
    if verdict.worst is None or verdict.verdict != "outside":
        raise ValueError(f"verdict: found {verdict.verdict!r}, expected 'outside'")
    return verdict.worst


def read(path: Path | str) -> Witness:
    """Reads the witness of a scan strictly. Raises ValueError as `read_as`."""
    return read_as(Witness, path)


def read_as(kind: type[Kind], path: Path | str) -> Kind:
    """Reads a witness file of this kind strictly.

    Raises:
        ValueError: the file is missing, truncated, altered in form or of another format; one line.
    """
    try:
        content = Path(path).read_bytes()
        _known_format(content, get_args(kind.model_fields["format"].annotation)[0])
        return kind.model_validate_json(content)
    except OSError as error:
        raise ValueError(f"witness: cannot read {path}: {error.strerror}") from error
    except ValidationError as error:
        raise ValueError(f"witness: {path}: {first_fault(error)}") from error
    except ValueError as error:
        raise ValueError(f"witness: {path}: {error}") from error


def kind_of(path: Path | str) -> str:
    """The format that a file says it is of, without its version; "" for others, of which `read` tells what is wrong."""
    try:
        return _without_version(_format(Path(path).read_bytes()))
    except (OSError, ValueError):
        return ""


def first_fault(error: ValidationError) -> str:
    """The first of pydantic's findings in one line."""
    first, others = error.errors()[0], error.error_count() - 1
    place, more = ".".join(map(str, first["loc"])) or "file", f" (and {others} more faults)" if others else ""
    return f"{place}: {first['msg'].removeprefix('Value error, ')}{more}"


def _known_format(content: bytes, known: str) -> None:
    """Raises ValueError for JSON that says it is of another format than the known one."""
    named = _format(content)
    if named != known:
        hint = "; the scanproof that wrote it may read it" if _without_version(named) == _without_version(known) else ""
        raise ValueError(f"found {f'format {named[:60]!r}' if named else 'no format'}, expected {known}{hint}")


def _format(content: bytes) -> str:
    """What JSON says it is, or "". Raises ValueError for what is no JSON."""
    found = TypeAdapter(Any).validate_json(content)
    named = found.get("format") if isinstance(found, dict) else None
    return named if isinstance(named, str) else ""


def _without_version(form: str) -> str:
    return form.partition("/")[0]


def contradiction(content: Witness, verdict: Verdict) -> str | None:
    """Where a witness does not say what judging its call again says, in one line, or None.

    Allowances of other machines may differ in their last bits, since log1p and expm1 may.
    """
    inputs, (row, step, channel) = content.inputs(), content.index
    H, s = exact_state(inputs, (row, step, channel))
    if content.truth != Exact(numerators=[hex(h) for h in H], exponent=s):
        return "its truth is not the exact state of its call"
    if verdict.worst is None or verdict.verdict != "outside":
        return f"it claims `outside`, and its call is {verdict.verdict}"
    if list(verdict.worst.index) == content.index:
        recorded, found = float.fromhex(content.allowance), verdict.worst.allowance
        if not abs(recorded - found) <= found * 2.0**-40:  # a nan is no allowance either
            return f"its allowance is {recorded:.3g}, and that of its call {found:.3g}"
    return None


def numbers(x: Array) -> Numbers:
    return Numbers.model_validate({"dtype": x.dtype.name, "shape": list(x.shape), "data": _hexadecimal(x)})


def _hexadecimal(x: Array) -> list[str]:
    parts = np.stack([x.real, x.imag], -1) if np.iscomplexobj(x) else x
    return [float(v).hex() for v in parts.ravel()]


def array(n: Numbers) -> Array:
    """The array again."""
    part = n.dtype.replace("complex64", "float32").replace("complex128", "float64")
    with np.errstate(over="ignore"):
        parts = np.array([float.fromhex(v) for v in n.data]).astype(part)
    return parts.view(n.dtype).reshape(n.shape)


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

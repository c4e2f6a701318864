"""The witness of an `outside`: a file with which a third party can check the claim again.

Floats are C99 hexadecimal strings, so nothing depends on decimal conversion; complex numbers are
[re, im] pairs. The programs in `recheck/`, which share no code with Scanproof, recheck it;
`scanproof judge` judges it again.
"""

from __future__ import annotations

import hashlib
import math
import os
from dataclasses import replace
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

from scanproof.properties.findings import Element
from scanproof.properties.results import form_fault
from scanproof.properties.verdict import Results, Verdict
from scanproof.reference.allowance.certificate import certify
from scanproof.reference.allowance.certified import GIVEN, Certified
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.formats import DTYPES
from scanproof.reference.call import Call, called
from scanproof.reference.call.layout import chosen_axes
from scanproof.reference.inputs import Array
from scanproof.reference.systems import declared, system_of

SCHEMA = "scanproof-witness/3"
FIRST_EDITION = ("scanproof-witness/2", "scanproof-layer-witness/1", "scanproof-expm-witness/1")
WITNESSES = Path("build/witness")  # where `check` and `suite` write them
OTHER_MACHINES = 2.0**-30  # by which allowances may differ: libm and the order of sums are theirs
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


class Exact(Strict):
    """The exact value at `index`: each component is an integer over 2^exponent."""

    numerators: list[HexInteger] = Field(min_length=1, max_length=2)
    exponent: Count


class Evidence(Strict):
    """Why the element is outside; one of these.

    exact: its exact value; parts and rad: head and tail of each component of it, which is within
    rad of their sum; direction: x with |(P^ - P) x| > allowance |x| of the whole matrix.
    """

    exact: Exact | None = None
    parts: list[tuple[Hex, Hex]] | None = Field(default=None, min_length=1, max_length=2)
    rad: Hex | None = None
    direction: Numbers | None = None

    @model_validator(mode="after")
    def _one(self) -> Evidence:
        given = [
            name for name in ("exact", "parts", "direction") if getattr(self, name) is not None
        ]
        if len(given) != 1 or (self.rad is None) == (given == ["parts"]):
            raise ValueError("expected exact, or parts and rad, or direction")
        return self

    def fits(self, x: Numbers) -> bool:
        """Whether it can be about an element of this array: components like its own, or a direction
        as long as its last axis."""
        if self.direction is not None:
            return self.direction.shape == x.shape[-1:]
        components = self.exact.numerators if self.exact else self.parts or []
        return len(components) == (2 if x.dtype.startswith("complex") else 1)


class Witness(Strict):
    """One call, its results, and the element at which one is outside: |got - truth| > allowance."""

    form: str = Field(alias="schema", pattern=f"^{SCHEMA}$")
    system: Annotated[str, StringConstraints(pattern=f"^{SLUG}$")]
    implementation: str
    law: Annotated[str, StringConstraints(pattern=f"^{SLUG}$")]
    seed: int
    declaration: Words
    arguments: dict[str, Numbers | bool]
    results: dict[str, Numbers]
    output: str
    index: list[Count]
    evidence: Evidence
    allowance: Hex
    claim: str

    @model_validator(mode="after")
    def _belongs_together(self) -> Witness:
        try:
            call = self.call()
            wrong = form_fault(self.got(), call, self.declared())
        except TypeError as error:
            raise ValueError(str(error)) from error
        if wrong:
            raise ValueError(wrong)
        own = self.output.removesuffix(GIVEN)
        exposed = any(name.startswith("constant ") for name in self.results)
        if own not in self.results or (own != self.output and not exposed):
            raise ValueError(
                f"output: found {self.output}, expected one of {', '.join(self.results)}"
            )
        shape = self.results[own].shape
        if len(shape) != len(self.index) or any(
            i >= size for i, size in zip(self.index, shape, strict=True)
        ):
            raise ValueError(
                f"index: found {self.index} of {self.output}, expected an element of the results"
            )
        if not self.evidence.fits(self.results[own]):
            raise ValueError(
                f"evidence: found another form, expected that of an element of {self.output}"
            )
        return self

    def call(self) -> Call:
        """The call's arguments. Raises ValueError or TypeError when they do not fit each other."""
        given = {name: x if isinstance(x, bool) else array(x) for name, x in self.arguments.items()}
        return called(system_of(self.system), given, self.declared().dtype)

    def got(self) -> dict[str, Array]:
        return {name: array(x) for name, x in self.results.items()}

    def declared(self) -> Arithmetic:
        return declared(system_of(self.system), Arithmetic.from_words(self.declaration))

    @property
    def name(self) -> str:
        """File name: slug and content hash."""
        return f"witness-{self.system}-{self.law}-{hashlib.sha256(self.text().encode()).hexdigest()[:10]}.json"

    def text(self) -> str:
        return self.model_dump_json(indent=1, by_alias=True, exclude_none=True) + "\n"

    def write(self, folder: Path | str) -> Path:
        """Writes the file atomically and returns its path."""
        path = Path(folder) / self.name
        write_atomically(path, self.text())
        return path


def witness(
    call: Call, got: Results, verdict: Verdict, implementation: str, law: str, seed: int
) -> Witness:
    """The witness of an outside verdict; a call without the batch axis becomes a batch of one.

    Raises:
        ValueError: any other verdict.
    """
    worst = outside(verdict)
    if not call.layout.batched:
        call, got, worst = _batch_of_one(call, got, worst)
    arguments: dict[str, Any] = {name: numbers(x) for name, x in call.arguments.items()}
    return Witness(
        schema=SCHEMA,
        system=call.system.name,
        implementation=implementation,
        law=law,
        seed=seed,
        declaration=verdict.arithmetic.words(),
        arguments=arguments | ({"reverse": True} if call.reverse else {}),
        results={name: numbers(x) for name, x in got.items()},
        output=worst.output,
        index=list(worst.index),
        evidence=_evidence(call, got, verdict.arithmetic, worst.output, worst.index),
        allowance=worst.allowance.hex(),
        claim=str(verdict),
    )


def _batch_of_one(call: Call, got: Results, worst: Element) -> tuple[Call, Results, Element]:
    def batched(axes: str, x: Array) -> bool:
        return "[batch]" in chosen_axes(axes, x.ndim, call.layout).split()

    arguments = {
        name: x[None] if batched(call.system.argument[name].axes, x) else x
        for name, x in call.arguments.items()
    }
    timed = {name: x for name, x in got.items() if not name.startswith("constant")}
    full = {name: x[None] for name, x in timed.items() if batched(call.axes_of(name), x)}
    if worst.output.removesuffix(GIVEN) in full:
        worst = replace(worst, axes=("batch", *worst.axes), index=(0, *worst.index))
    return Call(call.system, arguments, call.reverse), {**got, **full}, worst


def outside(verdict: Verdict) -> Element:
    """The element at which a verdict is outside. Raises ValueError for any other verdict."""
    if verdict.worst is None or verdict.verdict != "outside":
        raise ValueError(f"verdict: found {verdict.verdict!r}, expected 'outside'")
    return verdict.worst


def _evidence(
    call: Call, got: Results, arithmetic: Arithmetic, output: str, index: tuple[int, ...]
) -> Evidence:
    views, local = _certified(call, got, arithmetic, output, index)
    exact = views[0]
    if exact.norms is not None:
        return Evidence(direction=numbers(np.asarray(exact.norms(got[output]).direction[index[0]])))
    if exact.exact is not None:
        H, s = exact.exact(local)
        return Evidence(exact=Exact(numerators=[hex(h) for h in H], exponent=s))
    head, tail = exact.truth.head[local], exact.truth.tail[local]
    parts = (
        [(head.real, tail.real), (head.imag, tail.imag)]
        if np.iscomplexobj(head)
        else [(head, tail)]
    )
    words = [(float(one).hex(), float(two).hex()) for one, two in parts]
    return Evidence(parts=words, rad=float(exact.truth.rad[local]).hex())


def _certified(
    call: Call, got: Results, arithmetic: Arithmetic, output: str, index: tuple[int, ...]
) -> tuple[list[Certified], tuple[int, ...]]:
    """The views of the block that holds an element, and its index there."""
    time = call.time_axis(output.removesuffix(GIVEN))
    for block in certify(call, arithmetic, got):
        start, stop = block.steps.start or 0, block.steps.stop
        if time is None or stop is None or start <= index[time] < stop:
            local = tuple(i - start * (place == time) for place, i in enumerate(index))
            return block.results[output], local
    raise ValueError(f"index: found {index}, expected an element of {output}")


def contradiction(content: Witness, verdict: Verdict) -> str | None:
    """Where a witness does not say what judging its call again says, in one line, or None."""
    call, got, index = content.call(), content.got(), tuple(content.index)
    views, local = _certified(call, got, content.declared(), content.output, index)
    own = _evidence(call, got, content.declared(), content.output, index)
    if not _agree(content.evidence, own):
        return "its truth is not that of its call"
    if verdict.worst is None or verdict.verdict != "outside":
        return f"it claims `outside`, and its call is {verdict.verdict}"
    place = local[: views[0].bound.ndim]
    recorded, bounds = (
        float.fromhex(content.allowance),
        [float(view.bound[place]) for view in views],
    )
    if not any(abs(recorded - bound) <= bound * OTHER_MACHINES for bound in bounds):
        return f"its allowance is {recorded:.3g}, and that of its call {bounds[-1]:.3g}"
    return None


def _agree(one: Evidence, two: Evidence) -> bool:
    """Whether two pieces of evidence can be of one element; any direction proves what it proves."""
    if one.parts is None or two.parts is None:
        return one.exact == two.exact and (one.direction is None) == (two.direction is None)
    pairs = zip(
        (x for part in one.parts for x in part),
        (x for part in two.parts for x in part),
        strict=True,
    )
    apart = sum(abs(float.fromhex(x) - float.fromhex(y)) for x, y in pairs)
    return apart <= float.fromhex(str(one.rad)) + float.fromhex(str(two.rad))


def read(path: Path | str) -> Witness:
    """Reads a witness file strictly.

    Raises:
        ValueError: the file is missing, truncated, altered in form or of another format; one line.
    """
    try:
        content = Path(path).read_bytes()
        check_schema(
            content,
            SCHEMA,
            FIRST_EDITION,
            "run `scanproof check` again with the implementation and seed that it names",
        )
        return Witness.model_validate_json(content)
    except OSError as error:
        raise ValueError(f"witness: cannot read {path}: {error.strerror}") from error
    except ValidationError as error:
        raise ValueError(f"witness: {path}: {first_fault(error)}") from error
    except ValueError as error:
        raise ValueError(f"witness: {path}: {error}") from error


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

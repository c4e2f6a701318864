"""The witness of an `outside`: a file with which a third party can check the claim again.

The programs in `recheck/`, which share no code with Scanproof, recheck it;
`scanproof judge` judges it again.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, StringConstraints, ValidationError, model_validator

from scanproof.properties.evidence import Evidence, agree, certified, evidence
from scanproof.properties.files import (
    SLUG,
    Count,
    Hex,
    Numbers,
    Strict,
    Words,
    array,
    check_schema,
    first_fault,
    numbers,
    write_atomically,
)
from scanproof.properties.findings import Element
from scanproof.properties.gathering import Results
from scanproof.properties.results import form_fault
from scanproof.properties.verdict import Verdict
from scanproof.reference.allowance.certified import GIVEN
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.call import Call, called
from scanproof.reference.call.layout import chosen_axes
from scanproof.reference.inputs import Array
from scanproof.reference.systems import declared, system_of

SCHEMA = "scanproof-witness/3"
FIRST_EDITION = ("scanproof-witness/2", "scanproof-layer-witness/1", "scanproof-expm-witness/1")
AGAIN = "run `scanproof check` again with the implementation and seed that it names"
WITNESSES = Path("build/witness")  # where `check` and `suite` write them
OTHER_MACHINES = 2.0**-30  # by which allowances may differ: libm and the order of sums are theirs


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
        digest = hashlib.sha256(self.text().encode()).hexdigest()[:10]
        return f"witness-{self.system}-{self.law}-{digest}.json"

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
        evidence=evidence(call, got, verdict.arithmetic, worst.output, worst.index),
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


def contradiction(content: Witness, verdict: Verdict) -> str | None:
    """Where a witness does not say what judging its call again says, in one line, or None."""
    call, got, index = content.call(), content.got(), tuple(content.index)
    views, local = certified(call, got, content.declared(), content.output, index)
    own = evidence(call, got, content.declared(), content.output, index)
    if not agree(content.evidence, own):
        return "its truth is not that of its call"
    if verdict.worst is None or verdict.verdict != "outside":
        return f"it claims `outside`, and its call is {verdict.verdict}"
    place = local[: views[0].bound.ndim]
    recorded = float.fromhex(content.allowance)
    bounds = [float(view.bound[place]) for view in views]
    if not any(abs(recorded - bound) <= bound * OTHER_MACHINES for bound in bounds):
        return f"its allowance is {recorded:.3g}, and that of its call {bounds[-1]:.3g}"
    return None


def read(path: Path | str) -> Witness:
    """Reads a witness file strictly.

    Raises:
        ValueError: the file is missing, truncated, altered in form or of another format; one line.
    """
    try:
        content = Path(path).read_bytes()
        check_schema(content, SCHEMA, FIRST_EDITION, AGAIN)
        return Witness.model_validate_json(content)
    except OSError as error:
        raise ValueError(f"witness: cannot read {path}: {error.strerror}") from error
    except ValidationError as error:
        raise ValueError(f"witness: {path}: {first_fault(error)}") from error
    except ValueError as error:
        raise ValueError(f"witness: {path}: {error}") from error

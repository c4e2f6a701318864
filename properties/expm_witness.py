"""The witness of an `outside` of the system `expm`: S, P^, and a direction x in which P^ x is too far from exp(S) x.

Any x proves it: |(P^ - exp S) x|_2 > allowance |x|_2 with the allowance c_E u (|S|_1 + sqrt N) of every program of the class.
Where P^ is not finite, no direction is needed, and x = 0. `recheck`, which shares no code with Scanproof, rechecks it;
`scanproof judge` judges it again.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import model_validator

from scanproof.properties.expm_calls import ExpmCall, checked_expm, form_fault
from scanproof.properties.expm_verdict import allowances, judge_expm, measured
from scanproof.properties.layer_witness import LayerDeclared
from scanproof.properties.verdict import Verdict
from scanproof.properties.witness import Count, Evidence, Hex, Numbers, array, numbers, outside, read_as
from scanproof.reference.inputs import Array
from scanproof.reference.layer_arithmetic import LayerArithmetic, of_layer

EXPM_FORMAT: Literal["scanproof-expm-witness/1"] = "scanproof-expm-witness/1"


class ExpmWitness(Evidence):
    """One call, its result, and the matrix of the stack that is outside."""

    format: Literal["scanproof-expm-witness/1"]
    system: Literal["expm"]
    arithmetic: LayerDeclared
    S: Numbers
    got: Numbers
    matrix: Count
    direction: Numbers
    allowance: Hex
    claim: str

    @model_validator(mode="after")
    def _belongs_together(self) -> ExpmWitness:
        try:
            wrong = form_fault(self.results(), self.inputs(), self.declared())
        except TypeError as error:
            raise ValueError(str(error)) from error
        if wrong:
            raise ValueError(wrong)
        if self.matrix >= self.S.shape[0] or self.direction.shape != self.S.shape[2:]:
            found = f"matrix {self.matrix} and a direction {self.direction.shape}"
            raise ValueError(f"matrix: found {found}, expected those of S {self.S.shape}")
        return self

    def inputs(self) -> ExpmCall:
        """The call's arguments. Raises ValueError or TypeError when they do not fit each other."""
        return checked_expm(self.arithmetic.dtype, array(self.S))

    def results(self) -> Array:
        return array(self.got)

    def declared(self) -> LayerArithmetic:
        return LayerArithmetic(**self.arithmetic.model_dump())


def expm_witness(call: ExpmCall, got: Array, verdict: Verdict, implementation: str, law: str, seed: int) -> ExpmWitness:
    """The witness of an outside verdict."""
    worst, arithmetic = outside(verdict), of_layer(verdict.arithmetic)
    matrix = worst.index[0]
    return ExpmWitness(
        format=EXPM_FORMAT,
        system="expm",
        implementation=implementation,
        law=law,
        seed=seed,
        arithmetic=LayerDeclared(**asdict(arithmetic)),
        S=numbers(call.S),
        got=numbers(got),
        matrix=matrix,
        direction=numbers(np.asarray(measured(got, call, arithmetic).direction[matrix])),
        allowance=worst.allowance.hex(),
        claim=str(verdict),
    )


def expm_contradiction(content: ExpmWitness, verdict: Verdict | None = None) -> str | None:
    """Where a witness does not say what judging its call again says, in one line, or None."""
    verdict = verdict or judge_expm(content.results(), content.inputs(), content.declared())
    if verdict.worst is None or verdict.verdict != "outside":
        return f"it claims `outside`, and its call is {verdict.verdict}"
    recorded, bound = float.fromhex(content.allowance), float(allowances(content.inputs(), content.declared())[content.matrix])
    return None if recorded == bound else f"its allowance is {recorded:.3g}, and that of its call {bound:.3g}"


def read_expm(path: Path | str) -> ExpmWitness:
    """Reads a witness of the system `expm` strictly. Raises ValueError as `witness.read_as`."""
    return read_as(ExpmWitness, path)

"""The witness of an `outside` of a layer: its call, its results, and the element that no program of the class gives.

`recheck_layer.py`, which shares no code with Scanproof, rechecks it; `scanproof judge` judges it again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from scanproof.properties.layer_calls import LayerCall, checked_layer, form_fault, shown_constants
from scanproof.properties.layer_verdict import GIVEN, certify_all
from scanproof.properties.verdict import Verdict
from scanproof.properties.witness import Count, Declared, Evidence, Hex, Numbers, array, numbers, outside, read_as
from scanproof.reference.inputs import Array
from scanproof.reference.layer_certificate import Certified
from scanproof.reference.systems import LAYERS

LAYER_FORMAT: Literal["scanproof-layer-witness/1"] = "scanproof-layer-witness/1"


class LayerWitness(Evidence):
    """One call, its results, and the element at which one is outside: |got - truth| > allowance.

    truth: head and tail of each component of the exact value, which is within rad of their sum.
    """

    format: Literal["scanproof-layer-witness/1"]
    params: dict[str, Numbers]
    u: Numbers
    h0: Numbers | None
    reverse: bool
    y_bar: Numbers | None
    got: dict[str, Numbers]
    output: str
    index: list[Count]
    truth: list[tuple[Hex, Hex]] = Field(min_length=1, max_length=2)
    rad: Hex
    allowance: Hex
    claim: str

    @model_validator(mode="after")
    def _belongs_together(self) -> LayerWitness:
        if self.system not in LAYERS:
            raise ValueError(f"system: found {self.system!r}, expected one of {', '.join(LAYERS)}")
        try:
            call = self.inputs()
        except TypeError as error:
            raise ValueError(str(error)) from error
        wrong = form_fault(self.results(), call, self.declared())
        if wrong:
            raise ValueError(wrong)
        name, given = self.output.removesuffix(GIVEN), self.output.endswith(GIVEN)
        if name not in self.got or (given and not (name in ("y", "h") and shown_constants(self.got))):
            raise ValueError(f"output: found {self.output}, expected one of {', '.join(self.got)}")
        shape, parts = self.got[name].shape, 2 if self.got[name].dtype.startswith("complex") else 1
        if len(shape) != len(self.index) or any(i >= size for i, size in zip(self.index, shape, strict=True)):
            raise ValueError(f"index: found {self.index} of {self.output}, expected an element of the results")
        if len(self.truth) != parts:
            raise ValueError(f"truth: found {len(self.truth)} components, expected {parts}")
        return self

    def inputs(self) -> LayerCall:
        """The call's arguments. Raises ValueError or TypeError when they do not fit each other."""
        params = {name: array(x) for name, x in self.params.items()}
        h0, y_bar = (None if x is None else array(x) for x in (self.h0, self.y_bar))
        return checked_layer(self.system, self.declared().dtype, params, array(self.u), h0, self.reverse, y_bar)

    def results(self) -> dict[str, Array]:
        return {name: array(x) for name, x in self.got.items()}


def layer_witness(
    call: LayerCall, got: dict[str, Array], verdict: Verdict, implementation: str, law: str, seed: int
) -> LayerWitness:
    """The witness of an outside verdict."""
    worst, arithmetic = outside(verdict), verdict.arithmetic
    truth, rad = _exact(certify_all(got, call, arithmetic)[worst.output], worst.index)
    optional = {name: None if x is None else numbers(x) for name, x in (("h0", call.h0), ("y_bar", call.y_bar))}
    return LayerWitness(
        format=LAYER_FORMAT,
        system=call.system,
        implementation=implementation,
        law=law,
        seed=seed,
        arithmetic=Declared(arithmetic.words()),
        params={name: numbers(x) for name, x in call.named.items()},
        u=numbers(call.u),
        reverse=call.reverse,
        got={name: numbers(x) for name, x in got.items()},
        output=worst.output,
        index=list(worst.index),
        truth=truth,
        rad=rad,
        allowance=worst.allowance.hex(),
        claim=str(verdict),
        **optional,
    )


def layer_contradiction(content: LayerWitness, verdict: Verdict) -> str | None:
    """Where a witness does not say what judging its call again says, in one line, or None."""
    found = certify_all(content.results(), content.inputs(), content.declared())[content.output]
    truth, rad = _exact(found, tuple(content.index))
    pairs = zip((x for part in content.truth for x in part), (x for part in truth for x in part), strict=True)
    apart = [abs(float.fromhex(one) - float.fromhex(two)) for one, two in pairs]
    if not sum(apart) <= float.fromhex(content.rad) + float.fromhex(rad):
        return "its truth is not that of its call"
    if verdict.worst is None or verdict.verdict != "outside":
        return f"it claims `outside`, and its call is {verdict.verdict}"
    recorded, bound = float.fromhex(content.allowance), float(found.bound[tuple(content.index)])
    if not abs(recorded - bound) <= bound * 2.0**-30:  # other machines: libm, order of sums
        return f"its allowance is {recorded:.3g}, and that of its call {bound:.3g}"
    return None


def _exact(found: Certified, index: tuple[int, ...]) -> tuple[list[tuple[str, str]], str]:
    """Head and tail of each component, and the radius."""
    head, tail = found.truth.head[index], found.truth.tail[index]
    parts = [(head.real, tail.real), (head.imag, tail.imag)] if np.iscomplexobj(head) else [(head, tail)]
    return [(float(h).hex(), float(t).hex()) for h, t in parts], float(found.truth.rad[index]).hex()


def read_layer(path: Path | str) -> LayerWitness:
    """Reads a witness of a layer strictly. Raises ValueError as `witness.read_as`."""
    return read_as(LayerWitness, path)

"""What another program sends back: JSON lines {"id": ..., "h": {"dtype", "shape", "data"}}, or "h": null where it offers none.

Numbers are C99 hexadecimal floats as every printf("%a") writes them (0x1p+0, -0X1.8P-3, inf, nan), so they need not be
canonical; decimal numbers are refused, since they would have been rounded on the way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from pydantic import StrictInt, StrictStr, ValidationError

from scanproof.golden.schema import FORMAT, Case, Strict
from scanproof.properties.witness import Numbers, array
from scanproof.reference.inputs import Array

NUMBER = re.compile(r"[+-]?(0x[0-9a-f]*\.?[0-9a-f]*(p[+-]?[0-9]+)?|inf(inity)?|nan(\([^)]*\))?)", re.IGNORECASE)
FORWARD = "h of b's shape: h[t] = lam[t] h[t-1] + b[t], from the first step to the last; before it h is h0, or 0 if that is null"
REVERSE = "h of b's shape: h[t] = lam[t] h[t+1] + b[t], from the last step to the first; before it h is h0, or 0 if that is null"


class Given(Strict):
    """States as a program printed them."""

    dtype: StrictStr
    shape: list[StrictInt]
    data: list[StrictStr]


class Answer(Strict):
    id: StrictStr
    h: Given | None


def question(case: Case) -> dict[str, Any]:
    """What is asked of a program, without anything that would tell the answer."""
    asked = case.model_dump(include={"system", "lam", "b", "h0", "reverse"})
    return {"id": case.id, "format": FORMAT, "compute": REVERSE if case.reverse else FORWARD} | asked


def collect(lines: Iterable[str], cases: Mapping[str, Case]) -> dict[str, Array | None]:
    """The answers by id; None where a program offers none.

    Raises:
        ValueError: naming the line: no JSON, fields missing or unknown, an id unknown or answered twice, states of another
            shape or dtype or numbers that it cannot hold.
    """
    found: dict[str, Array | None] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            answer = _parsed(line)
            if answer.id not in cases:
                raise ValueError(f"id: found {answer.id!r}, expected one of the {len(cases)} cases asked (scanproof golden list)")
            if answer.id in found:
                raise ValueError(f"id: found {answer.id} a second time")
            found[answer.id] = None if answer.h is None else _states(answer.h, cases[answer.id])
        except ValueError as error:
            raise ValueError(f"answers: line {number}: {error}") from None
    return found


def _parsed(line: str) -> Answer:
    try:
        return Answer.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"{place}: {first['msg']}" if place else first["msg"]) from None


def _states(given: Given, case: Case) -> Array:
    if given.dtype != case.dtype:
        raise ValueError(f"h.dtype: found {given.dtype!r}, expected {case.dtype}, the dtype of b")
    if given.shape != case.b.shape:
        raise ValueError(f"h.shape: found {given.shape}, expected {case.b.shape}, the shape of b")
    expected = len(case.b.data)
    if len(given.data) != expected:
        raise ValueError(f"h.data: found {len(given.data)} numbers, expected {expected}")
    values = [_number(text, position) for position, text in enumerate(given.data)]
    stated = array(Numbers.model_construct(dtype=case.b.dtype, shape=given.shape, data=[value.hex() for value in values]))
    parts = [stated.real, stated.imag] if np.iscomplexobj(stated) else [stated]
    held = np.stack(parts, axis=-1).astype(float).ravel()
    narrowed = [i for i, value in enumerate(values) if not (value == held[i] or value != value)]
    if narrowed:
        raise ValueError(f"h.data.{narrowed[0]}: found {given.data[narrowed[0]]!r}, which no {case.dtype} holds")
    return stated


def _number(text: str, position: int) -> float:
    if not NUMBER.fullmatch(text):
        raise ValueError(f"h.data.{position}: found {text[:40]!r}, expected a hexadecimal float such as 0x1.8p-3")
    try:
        return float.fromhex(text.partition("(")[0])
    except (ValueError, OverflowError):
        raise ValueError(f"h.data.{position}: found {text[:40]!r}, expected a hexadecimal float of 64 bits at most") from None

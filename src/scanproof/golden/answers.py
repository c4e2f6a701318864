"""What another program sends back: JSON lines {"id": ..., "h": {"dtype", "shape", "data"}}, or "h": null where it offers none.

Of layers, any of the results that the question names: {"id": ..., "y": {...}, "gradient u": {...}}; null and absent ones are
not offered.

Numbers are C99 hexadecimal floats as every printf("%a") writes them (0x1p+0, -0X1.8P-3, inf, nan), so they need not be
canonical; decimal numbers are refused, since they would have been rounded on the way.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, StrictInt, StrictStr, ValidationError

from scanproof.golden.layer_schema import LayerCase
from scanproof.golden.schema import Case, Form, Strict
from scanproof.properties.witness import Numbers, array
from scanproof.reference.inputs import Array

NUMBER = re.compile(r"[+-]?(0x[0-9a-f]*\.?[0-9a-f]*(p[+-]?[0-9]+)?|inf(inity)?|nan(\([^)]*\))?)", re.IGNORECASE)
FORWARD = "h of b's shape: h[t] = lam[t] h[t-1] + b[t], from the first step to the last; before it h is h0, or 0 if that is null"
REVERSE = "h of b's shape: h[t] = lam[t] h[t+1] + b[t], from the last step to the first; before it h is h0, or 0 if that is null"
EQUATIONS = {
    "lru": "lam = exp(-exp(nu_log) + i exp(theta_log)), gamma = exp(gamma_log); h[t] = lam h[t-1] + gamma (B u[t]), "
    "y[t] = Re(C h[t]) + D u[t]",
    "rotrnn": "per head gamma = exp(-exp(gamma_log)), P = expm(M - M^T), A = P Theta P^T, xi = sqrt((1 - gamma^2) / tr(B^T B)); "
    "h[t] = gamma A h[t-1] + xi B u[t], y[t] = C [h[t] of all heads] + D u[t]",
}
ONWARDS = "from the first step to the last (with C2 a second time from the last to the first)"
BACKWARDS = "from the last step to the first, h[t+1] for h[t-1] (with C2 a second time from the first to the last)"
GRADIENTS = '; "gradient NAME": of the sum of y_bar y, complex ones dRe + i dIm'


class Given(Strict):
    """States as a program printed them."""

    dtype: StrictStr
    shape: list[StrictInt]
    data: list[StrictStr]


class Answer(Strict):
    """To a case of a scan."""

    id: StrictStr
    h: Given | None


class LayerAnswer(BaseModel):
    """To a case of a layer: results by name."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True)
    __pydantic_extra__: dict[str, Given | None]
    id: StrictStr


class Named(BaseModel):
    """Any answer, as far as is needed to know to which case."""

    id: StrictStr


Line = TypeVar("Line", bound=BaseModel)


def question(case: Case | LayerCase) -> dict[str, Any]:
    """What is asked of a program, without anything that would tell the answer."""
    asked = {"id": case.id, "format": case.format, "compute": _compute(case)} | case.asked()
    if isinstance(case, LayerCase):
        asked["results"] = {name: {"dtype": form.dtype, "shape": form.shape} for name, form in case.results().items()}
    return asked


def collect(lines: Iterable[str], cases: Mapping[str, Case | LayerCase]) -> dict[str, Any]:
    """The answers by id: states of a scan, results of a layer by name; None where a program offers none.

    Raises:
        ValueError: naming the line: no JSON, fields missing or unknown, an id unknown or answered twice, results of another
            shape or dtype or numbers that it cannot hold.
    """
    found: dict[str, Any] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            named = _parsed(line, Named).id
            if named not in cases:
                raise ValueError(f"id: found {named!r}, expected one of the {len(cases)} cases asked (scanproof golden list)")
            if named in found:
                raise ValueError(f"id: found {named} a second time")
            found[named] = _results(line, cases[named])
        except ValueError as error:
            raise ValueError(f"answers: line {number}: {error}") from None
    return found


def _compute(case: Case | LayerCase) -> str:
    if isinstance(case, Case):
        return REVERSE if case.reverse else FORWARD
    way = BACKWARDS if case.reverse else ONWARDS
    return f"{EQUATIONS[case.system]}; {way}{GRADIENTS if case.y_bar else ''}"


def _parsed(line: str, kind: type[Line]) -> Line:
    try:
        return kind.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"{place}: {first['msg']}" if place else first["msg"]) from None


def _results(line: str, case: Case | LayerCase) -> Array | dict[str, Array] | None:
    forms = case.results()
    if isinstance(case, Case):
        h = _parsed(line, Answer).h
        return None if h is None else _array("h", h, forms["h"])
    given = _parsed(line, LayerAnswer).__pydantic_extra__
    unknown = [name for name in given if name not in forms]
    if unknown:
        raise ValueError(f"{unknown[0]}: found a result that is not asked, expected {', '.join(forms)}")
    return {name: _array(name, x, forms[name]) for name, x in given.items() if x is not None} or None


def _array(name: str, given: Given, form: Form) -> Array:
    if given.dtype != form.dtype:
        raise ValueError(f"{name}.dtype: found {given.dtype!r}, expected {form.dtype}, the dtype {form.source}")
    if given.shape != form.shape:
        raise ValueError(f"{name}.shape: found {given.shape}, expected {form.shape}, the shape {form.source}")
    expected = math.prod(form.shape) * (2 if form.dtype.startswith("complex") else 1)
    if len(given.data) != expected:
        raise ValueError(f"{name}.data: found {len(given.data)} numbers, expected {expected}")
    values = [_number(text, f"{name}.data.{position}") for position, text in enumerate(given.data)]
    stated = array(Numbers.model_construct(dtype=form.dtype, shape=given.shape, data=[value.hex() for value in values]))
    parts = [stated.real, stated.imag] if np.iscomplexobj(stated) else [stated]
    held = np.stack(parts, axis=-1).astype(float).ravel()
    narrowed = [i for i, value in enumerate(values) if not (value == held[i] or value != value)]
    if narrowed:
        raise ValueError(f"{name}.data.{narrowed[0]}: found {given.data[narrowed[0]]!r}, which no {form.dtype} holds")
    return stated


def _number(text: str, place: str) -> float:
    if not NUMBER.fullmatch(text):
        raise ValueError(f"{place}: found {text[:40]!r}, expected a hexadecimal float such as 0x1.8p-3")
    try:
        return float.fromhex(text.partition("(")[0])
    except (ValueError, OverflowError):
        raise ValueError(f"{place}: found {text[:40]!r}, expected a hexadecimal float of 64 bits at most") from None

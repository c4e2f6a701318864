"""What is asked of another program, and what it sends back: JSON lines.

    {"id": ..., "y": {"dtype", "shape", "data"}, "gradient u": ...}

An answer gives any of the results that the question names; null and absent ones are not offered.

Numbers are C99 hexadecimal floats as every printf("%a") writes them (0x1p+0, -0X1.8P-3, inf, nan),
so they need not be canonical; decimal numbers are refused, since they would have been rounded on
the way.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, StrictInt, StrictStr, ValidationError

from scanproof.golden.schema import Case, asked
from scanproof.properties.files import Numbers, Strict, array, first_fault, numbers
from scanproof.reference.call import Call, Form
from scanproof.reference.inputs import Array

# Runs of digits are never given back (++), so that it takes time in proportion to the text.
HEXADECIMAL = r"0x([0-9a-f]++(\.[0-9a-f]*+)?|\.[0-9a-f]++)(p[+-]?[0-9]++)?"
NUMBER = re.compile(rf"[+-]?({HEXADECIMAL}|inf(inity)?|nan(\([^)]*\))?)", re.IGNORECASE)
SHOWN = 40  # characters of what was found


class Given(Strict):
    """A result as a program printed it."""

    dtype: StrictStr
    shape: list[StrictInt]
    data: list[StrictStr]


class Answer(BaseModel):
    """To a case: results by name."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True)
    __pydantic_extra__: dict[str, Given | None]
    id: StrictStr


def question(case: Case) -> dict[str, Any]:
    """What is asked of a program, without anything that would tell the answer."""
    call, content = case.call(), case.plain()
    forms = {
        name: {"dtype": dtype, "shape": list(shape)}
        for name, (shape, dtype) in asked(call, case.dtype).items()
    }
    named = {name: content[name] for name in ("id", "schema", "system")}
    return named | {"compute": compute(call), "arguments": content["arguments"], "results": forms}


def compute(call: Call) -> str:
    """What the results are, in words."""
    system, reverse = call.system, call.reverse
    start, end = ("last", "first") if reverse else ("first", "last")
    sentences = [system.equation.replace("[t-1]", "[t+1]") if reverse else system.equation]
    if system.timed:
        sentences.append(f"from the {start} step to the {end}")
    if call.layout.bidirectional:
        second = " and ".join(each.name for each in system.arguments if each.second)
        sentences.append(f"with {second} a second time, from the {end} step to the {start}")
    for state in system.named("state"):
        shown = [each.name for each in system.results if each.state == state and each.timed]
        sentences.append(
            f"before it {shown[0] if shown else 'the state'} is {state}, or 0 if that is absent"
        )
    if call.cotangents():
        bars = (
            (each.name, each.of)
            for each in system.arguments
            if each.name in call.arguments and each.of
        )
        loss = " + ".join(f"{bar} {of}" for bar, of in bars)
        sentences.append(f'"gradient NAME": of the sum of {loss}, complex ones dRe + i dIm')
    return "; ".join(sentences)


def collect(lines: Iterable[str], cases: Mapping[str, Case]) -> dict[str, dict[str, Array]]:
    """The answers by id: results by name, none where a program offers none.

    Raises:
        ValueError: naming the line: no JSON, fields missing or unknown, an id unknown or answered
            twice, results of another shape or dtype or numbers that it cannot hold.
    """
    found: dict[str, dict[str, Array]] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            answer = Answer.model_validate_json(line)
            if answer.id in found:
                raise ValueError(f"id: found {answer.id} a second time")
            found[answer.id] = _results(answer, cases)
        except ValueError as error:
            text = first_fault(error) if isinstance(error, ValidationError) else error
            raise ValueError(f"answers: line {number}: {text}") from None
    return found


def _results(answer: Answer, cases: Mapping[str, Case]) -> dict[str, Array]:
    if answer.id not in cases:
        expected = f"one of the {len(cases)} cases asked (scanproof golden list)"
        raise ValueError(f"id: found {answer.id[:SHOWN]!r}, expected {expected}")
    case, given = cases[answer.id], answer.__pydantic_extra__
    forms = asked(case.call(), case.dtype)
    for name in given:
        if name not in forms:
            text = f"{name[:SHOWN]!r}: found a result that is not asked"
            raise ValueError(f"{text}, expected {', '.join(forms)}")
    return {name: _array(name, x, forms[name]) for name, x in given.items() if x is not None}


def _array(name: str, given: Given, form: Form) -> Array:
    shape, dtype = form
    if given.dtype != dtype:
        raise ValueError(f"{name}.dtype: found {given.dtype[:SHOWN]!r}, expected {dtype}")
    if given.shape != list(shape):
        raise ValueError(f"{name}.shape: found {str(given.shape)[:SHOWN]}, expected {list(shape)}")
    expected = math.prod(shape) * (2 if dtype.startswith("complex") else 1)
    if len(given.data) != expected:
        raise ValueError(f"{name}.data: found {len(given.data)} numbers, expected {expected}")
    values = [_number(text, f"{name}.data.{i}").hex() for i, text in enumerate(given.data)]
    stated = array(Numbers.model_construct(dtype=dtype, shape=given.shape, data=values))
    for i, (kept, value) in enumerate(zip(numbers(stated).data, values, strict=True)):
        if kept != value:
            raise ValueError(
                f"{name}.data.{i}: found {given.data[i][:SHOWN]!r}, which no {dtype} holds"
            )
    return stated


def _number(text: str, place: str) -> float:
    if not NUMBER.fullmatch(text):
        raise ValueError(
            f"{place}: found {text[:SHOWN]!r}, expected a hexadecimal float such as 0x1.8p-3"
        )
    try:
        return float.fromhex(text.partition("(")[0])
    except (ValueError, OverflowError):
        expected = "a hexadecimal float of 64 bits at most"
        raise ValueError(f"{place}: found {text[:SHOWN]!r}, expected {expected}") from None

"""Reads a witness strictly: every error is one line that says what was found and expected."""

import json
import os
from dataclasses import dataclass
from typing import Any

from . import _values
from ._values import Numbers, fault, short

SCHEMA = "scanproof-witness/3"
FIELDS = (
    *("schema", "system", "implementation", "law", "seed", "declaration", "arguments"),
    *("results", "output", "index", "evidence", "allowance", "claim"),
)
BYTES = 2**28  # of the largest file
SLUG = r"[a-z0-9]+(-[a-z0-9]+)*"
NAME = r"[A-Za-z][A-Za-z0-9_]{0,60}"
GIVEN = " from constants"  # ends the output that follows from constants which are results too
AGAIN = "run `scanproof check` again with the implementation and seed that it names"


@dataclass(frozen=True)
class Witness:
    """What is needed of a file to recheck its claim; index: the element that the claim is about."""

    system: str
    arguments: dict[str, Numbers]
    reverse: bool
    results: dict[str, Numbers]
    output: str
    index: tuple[int, ...]
    evidence: Any
    allowance: float

    @property
    def judged(self) -> Numbers:
        """The result that holds the element."""
        return self.results[self.output.removesuffix(GIVEN)]

    @property
    def got(self) -> complex:
        """The element as it was returned."""
        return self.judged.at(self.index)


def load(path: str) -> Any:
    """The value of a JSON file."""
    with open(path, "rb") as file:
        large = os.fstat(file.fileno()).st_size > BYTES
        content = b"" if large else file.read(BYTES + 1)
    if large or len(content) > BYTES:
        raise fault("file", f"more than {BYTES} bytes", "that many at most")
    try:
        return json.loads(content.decode(), object_pairs_hook=_unique, parse_constant=_no_number)
    except RecursionError as error:
        raise fault("file", "lists in lists without end", "a witness") from error


def witness(content: Any) -> Witness:
    """The witness that a JSON value is. Raises ValueError, in one line, if it is none."""
    _known_schema(_values.mapping("witness", content))
    values = _values.fields("witness", content, *FIELDS)
    x = dict(zip(FIELDS, values, strict=True))
    _check_labels(x)
    arguments, reverse = _arguments(x["arguments"])
    results = _arrays("results", x["results"], f"((gradient|constant) )?{NAME}")
    output = _values.text("output", x["output"], f"((gradient|constant) )?{NAME}({GIVEN})?")
    if output.removesuffix(GIVEN) not in results:
        raise fault("output", repr(output), f"one of {', '.join(results) or 'the results'}")
    index = _index(x["index"], results[output.removesuffix(GIVEN)].shape)
    allowance = _values.distance("allowance", x["allowance"])
    return Witness(
        x["system"], arguments, reverse, results, output, index, x["evidence"], allowance
    )


def _known_schema(content: dict[str, Any]) -> None:
    if "format" in content and "schema" not in content:
        old = f"{short(content['format'])}, a witness of the first edition"
        raise fault("format", old, f"schema {SCHEMA}; {AGAIN}")
    if content.get("schema") != SCHEMA:
        raise fault("schema", short(content.get("schema")), repr(SCHEMA))


def _check_labels(x: dict[str, Any]) -> None:
    _values.text("system", x["system"], SLUG)
    _values.text("law", x["law"], SLUG)
    _values.text("implementation", x["implementation"], "(?s:.*)")
    _values.text("claim", x["claim"], "(?s:.*)")
    _values.integer("seed", x["seed"], 2**256)
    declared = _values.mapping("declaration", x["declaration"]).get("dtype")
    known = (*_values.FORMATS, *_values.COMPLEX)
    if declared not in known:
        raise fault("declaration.dtype", short(declared), ", ".join(known))


def _arguments(found: Any) -> tuple[dict[str, Numbers], bool]:
    given = dict(_values.mapping("arguments", found))
    reverse = given.pop("reverse", False)
    if not isinstance(reverse, bool):
        raise fault("reverse", short(reverse), "true or false")
    arrays = _arrays("arguments", given, NAME)
    for name, x in arrays.items():
        _values.finite(name, x)
    return arrays, reverse


def _arrays(group: str, found: Any, pattern: str) -> dict[str, Numbers]:
    given = _values.mapping(group, found)
    for name in given:
        _values.text(group, name, pattern)
    return {name: _values.numbers(name, x) for name, x in given.items()}


def _index(found: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    places = _values.sequence("index", found, len(shape))
    pairs = zip(places, shape, strict=True)
    return tuple(_values.integer("index", i, size - 1) for i, size in pairs)


def _unique(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        raise fault("file", "an object with one name twice", "every name once")
    return found


def _no_number(word: str) -> None:
    raise fault("file", word, "JSON, which has no such number")

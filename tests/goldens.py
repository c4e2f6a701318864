"""Golden cases for tests, programs that answer them, and how a user would have the answers judged."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from typer.testing import CliRunner

from scanproof.cli.app import app
from scanproof.golden.making import classes
from scanproof.golden.recipes import COLLECTIONS
from scanproof.golden.recipes.layers import h_last
from scanproof.golden.schema import Case, asked
from scanproof.golden.store import published
from scanproof.properties.files import numbers
from scanproof.properties.results import received
from scanproof.properties.versions.plain_lru import Lru
from scanproof.properties.versions.plain_rotrnn import RotRnn
from scanproof.properties.versions.scan import chunked
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Array

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs/golden.md").read_text()
CASES = {system: published(system) for system in COLLECTIONS}
LAYERS = ("lru", "rotrnn")
PLAIN: dict[str, Callable[..., Any]] = {"scan": chunked, "lru": Lru(), "rotrnn": RotRnn()}
NARROW = ("float16", "bfloat16")
Results = dict[str, Array]


def some(system: str, dtype: str) -> list[Case]:
    return [case for case in CASES[system] if case.dtype == dtype]


def one(beginning: str) -> Case:
    every = [case for cases in CASES.values() for case in cases]
    [found] = [case for case in every if case.id.startswith(f"{beginning}-")]
    return found


def usual(case: Case) -> list[Arithmetic]:
    """The classes of its recipe, the usual one first."""
    return classes(COLLECTIONS[case.system], case.call(), case.dtype)


def plain(case: Case) -> Results:
    """All results of an honest program; 16-bit formats accumulate in float32."""
    keywords = case.call().keywords()
    wide = {name: _wide(x) for name, x in keywords.items()}
    found = received(PLAIN[case.system](**wide), case.call().system)
    if case.system in LAYERS:
        found["h_last"] = h_last(case.call(), found["h"])
    return {
        name: found[name].astype(form[1]) for name, form in asked(case.call(), case.dtype).items()
    }


def _wide(x: Any) -> Any:
    return x.astype("float32") if getattr(x, "dtype", None) in NARROW else x


def answered(case: Case, implementation: Callable[..., Any]) -> Results | None:
    """What a program answers, by the adapter contract; None where it takes or gives something else."""
    call = case.call()
    if not call.keywords().keys() <= inspect.signature(implementation).parameters.keys():
        return None
    with np.errstate(all="ignore"):
        got = received(implementation(**call.keywords()), call.system)
    if "h" in got and case.system in LAYERS:
        got["h_last"] = h_last(call, got["h"])
    forms = asked(call, case.dtype)
    return {name: x for name, x in got.items() if (x.shape, x.dtype.name) == forms[name]} or None


def answers(cases: Iterable[Case], scan: Callable[..., Array]) -> dict[str, Results]:
    """Of a scan by the adapter contract."""
    return {case.id: {"h": scan(**case.call().keywords())} for case in cases}


# ---------------------------------------------------------------- the command line


def line(identifier: str, results: Mapping[str, Array | None]) -> str:
    """One answer; numbers as C prints them: "0x1p+0" and not "0x1.0000000000000p+0"."""
    given = {name: None if x is None else _printed(x) for name, x in results.items()}
    return json.dumps({"id": identifier, **given})


def _printed(x: Array) -> dict[str, Any]:
    given = numbers(np.ascontiguousarray(x)).model_dump()
    return given | {"data": [re.sub(r"\.?0+p", "p", text) for text in given["data"]]}


def golden(*words: str, given: str = "") -> Any:
    """A command of `scanproof golden` in this process."""
    return CliRunner().invoke(app, ["golden", *words], input=given)


def judged(system: str, lines: list[str], *options: str) -> Any:
    return golden("judge", "-", "--system", system, *options, given="\n".join(lines))


def one_line(result: Any) -> str:
    """The error that a user sees: bad input, in one line."""
    assert (result.exit_code, result.stdout) == (2, "")
    [error] = result.stderr.strip().splitlines()
    return str(error)


def program(language: str) -> str:
    """A program of docs/golden.md, marked `py` or `python` there."""
    [found] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)

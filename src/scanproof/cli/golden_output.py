"""What `scanproof golden` reads and prints."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from scanproof.cli.app import ACCEPTED, REJECTED, UNDECIDED
from scanproof.cli.declared import declared
from scanproof.cli.output import console, number, print_json, table, word
from scanproof.golden import answers, store
from scanproof.golden.layer_schema import LayerCase
from scanproof.golden.schema import Case
from scanproof.properties.witness import array
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.formats import DTYPES

if TYPE_CHECKING:
    from scanproof.golden.judging import Result

ROWS = 40
CODES = {"nearest": ACCEPTED, "within": ACCEPTED, "outside": REJECTED, "undecided": UNDECIDED}


def chosen(system: str | None, dtypes: list[str] | None) -> list[Case | LayerCase]:
    """The published cases of a system, or of all, and of these dtypes. Raises ValueError for one without cases."""
    cases = store.published(system)
    known = [name for name in DTYPES if any(case.dtype == name for case in cases)]
    for name in dtypes or ():
        if name not in known:
            raise ValueError(f"dtype: found {name!r}, expected one of {', '.join(known)}")
    return [case for case in cases if not dtypes or case.dtype in dtypes]


def found(name: str) -> Case | LayerCase:
    """The case with this id or the only one that begins so, or that of a file. Raises ValueError."""
    if name.endswith(".json"):
        return store.read(Path(name))
    cases = [case for case in store.published() if f"{case.id}-".startswith(f"{name}-") or case.id == name]
    if len(cases) != 1:
        known = ", ".join(case.id for case in cases[:4]) or "none (scanproof golden list)"
        raise ValueError(f"case: found {name!r}, expected the beginning of one id; it fits {known}")
    return cases[0]


def listing(cases: Sequence[Case | LayerCase], as_json: bool) -> None:
    shapes = [case.u.shape if isinstance(case, LayerCase) else case.b.shape for case in cases]
    if as_json:
        rows = [
            {"id": c.id, "system": c.system, "dtype": c.dtype, "shape": shape, "flags": c.flags, "purpose": c.purpose}
            for c, shape in zip(cases, shapes, strict=True)
        ]
        print_json({"format": "scanproof-golden-list/1", "cases": rows})
        return
    lines = [(c.id, c.system, "x".join(map(str, shape)), c.purpose) for c, shape in zip(cases, shapes, strict=True)]
    console().print(table(("id", "system", "b or u", "what it is for"), lines))


def questions(cases: Sequence[Case | LayerCase]) -> str:
    """JSON lines."""
    return "".join(json.dumps(answers.question(case)) + "\n" for case in cases)


def one(case: Case | LayerCase, as_json: bool) -> None:
    """A case as a table of its elements, the first ROWS of them; everything as JSON."""
    if as_json:
        print(case.text(), end="")
        return
    out, scan = console(), isinstance(case, Case)
    columns = ("index", "b", "exact h", "rad", "X") if scan else ("result", "index", "exact", "rad")
    arguments = {name: x for name, x in case.asked().items() if isinstance(x, dict)}
    shapes = ", ".join(f"{name} {tuple(x['shape'])}" for name, x in (arguments.pop("params", {}) | arguments).items())
    out.print(f"{case.id}: {case.purpose}", markup=False)
    out.print(f"{shapes}, {case.dtype}{', reverse' if case.reverse else ''}; {', '.join(case.flags) or 'no flags'}", markup=False)
    classes: list[Arithmetic] = [granted.declared() for granted in case.allowances]
    for column, arithmetic in enumerate(classes, 1):
        out.print(f"a{column}: {arithmetic}", markup=False)
    rows = _elements(case) if isinstance(case, Case) else _layer_elements(case)
    out.print(table((*columns, *(f"a{i + 1}" for i in range(len(classes)))), rows[:ROWS]))
    if len(rows) > ROWS:
        out.print(f"... {len(rows) - ROWS} more; --json prints all, to the last bit")


def _elements(case: Case) -> list[tuple[Any, ...]]:
    b, truth, X = array(case.b), case.enclosure(), array(case.magnitude)
    bounds = [array(granted.bound) for granted in case.allowances]
    return [
        (list(i), b[i], f"{truth.head[i]:.9g}", *(number(float(x[i])) for x in (truth.rad, X, *bounds)))
        for i in np.ndindex(*b.shape)
    ]


def _layer_elements(case: LayerCase) -> list[tuple[Any, ...]]:
    bounds = [{name: array(x) for name, x in granted.bounds.items()} for granted in case.allowances]
    return [
        (name, list(i), f"{truth.head[i]:.9g}", *(number(float(x[i])) for x in (truth.rad, *(bound[name] for bound in bounds))))
        for name, truth in case.enclosures().items()
        for i in np.ndindex(*truth.head.shape)
    ]


def judged(
    file: str, cases: Sequence[Case | LayerCase], words: Mapping[str, Any], as_json: bool, quiet: bool
) -> int:
    """Judges a file of answers to cases of one system and returns the exit code; words: of the declaration but its dtype."""
    from scanproof.golden import judging

    dtypes = {case.dtype: declared(case.system, {"dtype": case.dtype, **words}) for case in cases}
    result = judging.judge(cases, answers.collect(_lines(file), {case.id: case for case in cases}), dtypes)
    code = CODES[result.verdict]
    if as_json:
        print_json(result.as_dict() | {"exit_code": code})
    elif quiet:
        console().print(word(result.verdict))
    else:
        _show(result)
    return code


def _show(result: Result) -> None:
    from scanproof.cli.check import element

    out = console()
    rows = [(j.case.id, j.status, number(j.verdict.ratio) if j.verdict else "", j.source or "") for j in result.cases]
    out.print(table(("case", "verdict", "error/allowance", "allowance"), rows))
    for j in result.cases:
        if j.verdict and j.verdict.worst and j.status == "outside":
            out.print(f"{j.case.id}: {j.case.purpose}", markup=False)
            out.print(element(j.verdict.worst), markup=False)
    for arithmetic in dict.fromkeys(j.arithmetic for j in result.cases):
        out.print(f"as {arithmetic}", markup=False)
    for dtype, fits in result.fits.items():
        out.print(f"{dtype}: it fits {fits or 'none of the declarations known'}", markup=False)
    out.print(", ".join(f"{count} {status}" for status, count in result.counts().items() if count), markup=False)
    absent = Counter(name for j in result.cases for name in j.absent)
    if absent:
        names = ", ".join(f"{name} ({count})" for name, count in absent.items())
        out.print(f"not offered in cases answered: {names}", markup=False)
    if result.counts()["not run"]:
        out.print("(--dtype says which cases are asked; null says that a result is not offered)", markup=False)
    out.print(f"{word(result.verdict)}: ", end="")
    out.print(result.reason, markup=False)


def _lines(file: str) -> list[str]:
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return content.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        raise ValueError(f"answers: {file} is no UTF-8 text") from None
    except OSError as error:
        raise ValueError(f"answers: cannot read {file}: {error.strerror}") from error

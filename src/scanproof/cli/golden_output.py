"""What `scanproof golden` reads and prints."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from scanproof.cli.app import ACCEPTED, REJECTED, UNDECIDED
from scanproof.cli.output import console, number, print_json, table, word
from scanproof.golden import answers, store
from scanproof.golden.schema import Case
from scanproof.properties.witness import array
from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.formats import DTYPES

if TYPE_CHECKING:
    from scanproof.golden.judging import Result

ROWS = 40
CODES = {"nearest": ACCEPTED, "within": ACCEPTED, "outside": REJECTED, "undecided": UNDECIDED}


def chosen(dtypes: list[str] | None) -> list[Case]:
    """The published cases of these dtypes. Raises ValueError for a dtype without cases."""
    cases = store.read_all(store.PUBLISHED)
    known = [name for name in DTYPES if any(case.dtype == name for case in cases)]
    for name in dtypes or ():
        if name not in known:
            raise ValueError(f"dtype: found {name!r}, expected one of {', '.join(known)}")
    return [case for case in cases if not dtypes or case.dtype in dtypes]


def found(name: str) -> Case:
    """The case with this id or the only one that begins so, or that of a file. Raises ValueError."""
    if name.endswith(".json"):
        return store.read(Path(name))
    cases = [case for case in store.read_all(store.PUBLISHED) if f"{case.id}-".startswith(f"{name}-") or case.id == name]
    if len(cases) != 1:
        known = ", ".join(case.id for case in cases[:4]) or "none (scanproof golden list)"
        raise ValueError(f"case: found {name!r}, expected the beginning of one id; it fits {known}")
    return cases[0]


def listing(cases: Sequence[Case], as_json: bool) -> None:
    if as_json:
        rows = [{"id": c.id, "dtype": c.dtype, "shape": c.b.shape, "flags": c.flags, "purpose": c.purpose} for c in cases]
        print_json({"format": "scanproof-golden-list/1", "cases": rows})
        return
    console().print(table(("id", "b", "what it is for"), [(c.id, "x".join(map(str, c.b.shape)), c.purpose) for c in cases]))


def questions(cases: Sequence[Case]) -> str:
    """JSON lines."""
    return "".join(json.dumps(answers.question(case)) + "\n" for case in cases)


def one(case: Case, as_json: bool) -> None:
    """A case as a table of its elements, the first ROWS of them; everything as JSON."""
    if as_json:
        print(case.text(), end="")
        return
    out, bounds = console(), [array(granted.bound) for granted in case.allowances]
    out.print(f"{case.id}: {case.purpose}", markup=False)
    shapes = f"lam {tuple(case.lam.shape)}, b {tuple(case.b.shape)}, " + ("h0, " if case.h0 else "") + case.dtype
    out.print(f"{shapes}{', reverse' if case.reverse else ''}; {', '.join(case.flags) or 'no flags'}", markup=False)
    for column, granted in enumerate(case.allowances, 1):
        out.print(f"a{column}: {granted.declared()}", markup=False)
    b, truth, X = array(case.b), case.enclosure(), array(case.magnitude)
    indices = list(np.ndindex(*b.shape))
    rows = [
        (list(i), b[i], f"{truth.head[i]:.9g}", *(number(float(x[i])) for x in (truth.rad, X, *bounds)))
        for i in indices[:ROWS]
    ]
    out.print(table(("index", "b", "exact h", "rad", "X", *(f"a{i + 1}" for i in range(len(bounds)))), rows))
    if len(indices) > ROWS:
        out.print(f"... {len(indices) - ROWS} more; --json prints all, to the last bit")


def judged(file: str, cases: Sequence[Case], options: tuple[Any, ...], as_json: bool, quiet: bool) -> int:
    """Judges a file of answers and returns the exit code; `options`: of Arithmetic, after the dtype."""
    from scanproof.golden import judging

    declared = {dtype: Arithmetic(dtype, *options) for dtype in dict.fromkeys(case.dtype for case in cases)}
    result = judging.judge(cases, answers.collect(_lines(file), {case.id: case for case in cases}), declared)
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
    if result.counts()["not run"]:
        out.print("(--dtype says which cases are asked; \"h\": null says that one is not offered)", markup=False)
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

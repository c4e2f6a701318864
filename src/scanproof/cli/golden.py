"""What `scanproof golden` reads and prints (docs/golden.md)."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scanproof.cli.declared import declared
from scanproof.cli.exits import ACCEPTED, OF_VERDICT, REJECTED
from scanproof.cli.output import console, element, number, print_json, table, word
from scanproof.golden import answers, judging, lint, making, store
from scanproof.golden.schema import Case
from scanproof.properties.files import array
from scanproof.reference.arithmetic.formats import DTYPES

ROWS = 40


def chosen(system: str | None, dtypes: list[str] | None) -> list[Case]:
    """The published cases of a system, or of all, and of these dtypes.

    Raises:
        ValueError: a system or a dtype without cases.
    """
    cases = store.published(system)
    known = [name for name in DTYPES if any(case.dtype == name for case in cases)]
    for name in dtypes or ():
        if name not in known:
            raise ValueError(f"dtype: found {name!r}, expected one of {', '.join(known)}")
    return [case for case in cases if not dtypes or case.dtype in dtypes]


def found(name: str) -> Case:
    """The case of a file, or the only one whose id begins so. Raises ValueError."""
    if name.endswith(".json"):
        return store.read(Path(name))
    cases = [case for case in store.published() if f"{case.id}-".startswith(f"{name}-")]
    if len(cases) != 1:
        known = ", ".join(case.id for case in cases[:4]) or "none (scanproof golden list)"
        raise ValueError(f"case: found {name!r}, expected the beginning of one id; it fits {known}")
    return cases[0]


def listing(cases: Sequence[Case], as_json: bool) -> None:
    if as_json:
        names = ("id", "system", "dtype", "shape", "flags", "purpose")
        rows = [{name: getattr(case, name) for name in names} for case in cases]
        print_json({"format": "scanproof-golden-list/1", "cases": rows})
        return
    lines = [(case.id, case.system, _shape(case.shape), case.purpose) for case in cases]
    console().print(table(("id", "system", "inputs", "what it is for"), lines))


def _shape(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))


def questions(cases: Sequence[Case]) -> str:
    """JSON lines."""
    return "".join(json.dumps(answers.question(case)) + "\n" for case in cases)


def one(case: Case, as_json: bool) -> None:
    """A case as a table of its elements, the first ROWS of them; everything as JSON."""
    if as_json:
        print(case.text(), end="")
        return
    out, rows = console(), list(_elements(case))
    classes = {f"a{i}": granted.declared() for i, granted in enumerate(case.allowances, 1)}
    out.print(f"{case.id}: {case.purpose}", markup=False)
    about = f"{case.call().described()}, {case.dtype}; {', '.join(case.flags) or 'no flags'}"
    out.print(about, markup=False)
    for name, arithmetic in classes.items():
        out.print(f"{name}: {arithmetic}", markup=False)
    scale = ["X"] if case.magnitude else []
    out.print(table(("result", "index", "exact", "rad", *scale, *classes), rows[:ROWS]))
    if len(rows) > ROWS:
        out.print(f"... {len(rows) - ROWS} more; --json prints all, to the last bit")


def _elements(case: Case) -> Iterator[tuple[Any, ...]]:
    """A row for every element of every result; X is that of the first."""
    truths, X = case.truths(), array(case.magnitude) if case.magnitude else None
    first = next(iter(truths))
    for name, truth in truths.items():
        bounds = [array(granted.bounds[name]) for granted in case.allowances]
        for i in np.ndindex(*truth.head.shape):
            scale = [] if X is None else [number(float(X[i])) if name == first else ""]
            rad, *allowed = (number(float(x[i])) for x in (truth.rad, *bounds))
            yield name, list(i), f"{truth.head[i]:.9g}", rad, *scale, *allowed


def judged(
    file: str, cases: Sequence[Case], words: Mapping[str, Any], as_json: bool, quiet: bool
) -> int:
    """Judges a file of answers to cases of one system and returns the exit code.

    words: of the declaration, but its dtype, which is that of each case.
    """
    classes = {case.dtype: declared(case.system, {"dtype": case.dtype, **words}) for case in cases}
    given = answers.collect(_lines(file), {case.id: case for case in cases})
    result = judging.judge(cases, given, classes)
    code = OF_VERDICT[result.verdict]
    if as_json:
        print_json(result.as_dict() | {"exit_code": code})
    elif quiet:
        console().print(word(result.verdict))
    else:
        _show(result)
    return code


def _show(result: judging.Result) -> None:
    out = console()
    columns = ("case", "verdict", "error/allowance", "allowance")
    out.print(table(columns, [_row(each) for each in result.cases]))
    for line in _told(result):
        out.print(line, markup=False)
    out.print(f"{word(result.verdict)}: ", end="")
    out.print(result.reason, markup=False)


def _row(each: judging.Judged) -> tuple[str, ...]:
    return (
        each.case.id,
        each.status,
        number(each.verdict.ratio) if each.verdict else "",
        each.source or "",
    )


def _told(result: judging.Result) -> Iterator[str]:
    """What there is to say about the cases, beside their table."""
    for each in result.cases:
        if (
            each.verdict
            and each.verdict.worst
            and (each.status == "outside" or each.verdict.unless)
        ):
            yield f"{each.case.id}: {each.case.purpose}"
            yield element(each.verdict.worst)
    for arithmetic in dict.fromkeys(each.arithmetic for each in result.cases):
        yield f"as {arithmetic}"
    for dtype, fits in result.fits.items():
        yield f"{dtype}: it fits {fits or 'none of the declarations known'}"
    yield ", ".join(f"{count} {status}" for status, count in result.counts().items() if count)
    absent = Counter(name for each in result.cases for name in each.absent)
    if absent:
        names = ", ".join(f"{name} ({count})" for name, count in absent.items())
        yield f"not offered in cases answered: {names}"
    if result.counts()["not run"]:
        yield "(--dtype says which cases are asked; null says that a result is not offered)"


def _lines(file: str) -> list[str]:
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return content.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        raise ValueError(f"answers: {file} is no UTF-8 text") from None
    except OSError as error:
        raise ValueError(f"answers: cannot read {file}: {error.strerror}") from error


def linted(folder: Path | None) -> int:
    """Prints every fault of a folder, and returns the exit code."""
    place = folder or store.PUBLISHED
    files, found = len(store.files(place)), 0
    for fault in lint.faults(place):
        found += 1
        print(fault)
    print(f"{_counted(files, 'golden file')}, {_counted(found, 'fault')}")
    return REJECTED if found else ACCEPTED


def _counted(count: int, what: str) -> str:
    return f"{count or 'no'} {what}{'' if count == 1 else 's'}"


def written(folder: Path, system: str) -> None:
    """Writes the cases of a system, and says which other files are in the folder."""
    paths = {store.write(case, folder) for case in making.make_all(system)}
    print(
        f"{len(paths)} golden files, {sum(path.stat().st_size for path in paths)} bytes in {folder}"
    )
    for other in sorted(set(folder.glob("*.json")) - paths):
        print(f"{other}: of no recipe, left as it is")

"""A golden file against all that can be computed again, by other means where there are any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import flint
import numpy as np

from scanproof.golden.agreement import altered
from scanproof.golden.collection import Collection
from scanproof.golden.flags import View, holding
from scanproof.golden.making import BITS, balls, classes
from scanproof.golden.recipes import collection_of
from scanproof.golden.schema import Case
from scanproof.golden.store import files, read
from scanproof.properties.files import numbers
from scanproof.reference.allowance.certificate import whole
from scanproof.reference.allowance.certified import Certified
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.call import Call
from scanproof.reference.inputs import Array
from scanproof.reference.truth.enclosure import Truth

TIGHT = 2.0**-96  # head and tail hold a result to this, relatively
GRAIN = 2.0**-1070  # and absolutely to a few of the smallest float64
GRAIN_OF_BALLS = 2.0**-300  # where balls of BITS bits enclose it: what one that is zero may be
EXACT_BITS = 2**16  # more than sums and products of floats take at the lengths of golden cases
Certificates = Mapping[Arithmetic, Mapping[str, Certified]]


def faults(folder: Path) -> Iterator[str]:
    """One line for every fault in the golden files of a folder.

    Raises:
        ValueError: no such folder, or no file in it.
    """
    seen: dict[str, Path] = {}
    for path in files(folder):
        try:
            case = read(path)
        except ValueError as error:
            yield str(error)
            continue
        yield from (f"golden: {path}: {fault}" for fault in _file_faults(case, path, seen))


def _file_faults(case: Case, path: Path, seen: dict[str, Path]) -> Iterator[str]:
    """What is wrong with a file among those seen before it."""
    if path.name != f"{case.id}.json":
        yield f"name: found {path.name}, expected {case.id}.json"
    if path.read_text(encoding="utf-8") != case.text():
        yield "form: found other white space or order, expected the canonical text"
    call = repr((case.system, case.arguments))
    if call in seen:
        yield f"found the inputs of {seen[call]} again"
    seen[call] = path
    try:
        yield from case_faults(case)
    except ValueError as error:
        yield str(error)


def case_faults(case: Case) -> Iterator[str]:
    """What a case says of itself that is not so.

    Raises:
        ValueError: it is not known: a system without cases of its own, or a call too long.
    """
    collection, call = collection_of(case.system), case.call()
    known = {each: whole(call, each) for each in classes(collection, call, case.dtype)}
    exact = all(x.exact for x in next(iter(known.values())).values())
    wrong = truth_fault(collection, call, case.truths(), exact)
    if wrong:
        yield f"truth: {wrong}"
        return
    yield from _description_faults(case, collection, call)
    yield from _allowance_faults(case, call, known)


def _description_faults(case: Case, collection: Collection, call: Call) -> Iterator[str]:
    X = collection.magnitude(call) if collection.magnitude else None
    if case.magnitude != (None if X is None else numbers(X)):
        yield "magnitude: found other numbers than |lam| X + |b| gives"
    heads = {name: x.head for name, x in case.truths().items()}
    expected = holding(collection.flags, View(call, Arithmetic(case.dtype), heads, X))
    if case.flags != expected:
        yield f"flags: found {_listed(case.flags)}, expected {_listed(expected)}"


def _allowance_faults(case: Case, call: Call, known: Certificates) -> Iterator[str]:
    declared = [granted.declared() for granted in case.allowances]
    if declared != list(known):
        differing, expected = ("; ".join(map(str, each)) for each in (declared, known))
        yield f"allowances: found {differing}, expected {expected}"
    for arithmetic in declared:
        wrong = altered(case, arithmetic, known.get(arithmetic) or whole(call, arithmetic))
        if wrong:
            yield f"allowances: found other {wrong} for {arithmetic} than its theorem gives"


def _listed(flags: list[str]) -> str:
    return ", ".join(flags) or "none"


# ---------------------------------------------------------------- truth


def truth_fault(
    collection: Collection, call: Call, stored: dict[str, Truth], exact: bool
) -> str | None:
    """Where the stored truth is not that of a second formulation, or is not tight."""
    with flint.ctx.workprec(EXACT_BITS if exact else BITS):
        found, grain = second(collection, call), GRAIN if exact else GRAIN_OF_BALLS
        faults = ((name, _fault(stored[name], found[name], grain)) for name in stored)
        return next((f"{name} {wrong}" for name, wrong in faults if wrong), None)


def second(collection: Collection, call: Call) -> dict[str, Array]:
    """Every result in balls by other means, which take calls with a batch axis."""
    lifted = {name: balls(x) for name, x in call.arguments.items()}
    if call.layout.batched:
        return dict(collection.second(Call(call.system, lifted, call.reverse)))
    batched = [name for name in lifted if "[batch]" in call.axes_of(f"gradient {name}")]
    rows = {name: lifted[name][None] for name in batched}
    found = collection.second(Call(call.system, lifted | rows, call.reverse))
    return {name: x[0] if "[batch]" in call.axes_of(name) else x for name, x in found.items()}


def _fault(stored: Truth, x: Array, grain: float) -> str | None:
    for index in np.ndindex(*x.shape):
        head, tail, rad = (flint.acb(complex(part[index])) for part in stored)
        size: Any = abs(x[index])
        rest, bound = abs(x[index] - head - tail), rad.real
        if rest > bound:  # certainly
            return f"at {list(index)} is further from head + tail than rad"
        if bound > TIGHT * size + grain or (bound > 0 and rest == 0):
            return f"at {list(index)} has a rad larger than need be"
    return None

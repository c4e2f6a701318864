"""A golden file against everything that can be computed again, by other means where there are any."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from scanproof.golden.agreement import Point, agree, point
from scanproof.golden.flags import flags
from scanproof.golden.layer_lint import layer_faults
from scanproof.golden.layer_schema import LayerCase
from scanproof.golden.magnitude import magnitude
from scanproof.golden.making import bound_of, classes
from scanproof.golden.schema import Case
from scanproof.golden.store import files, read
from scanproof.properties.witness import array
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Inputs
from scanproof.reference.transitions.diagonal import at
from scanproof.reference.truth.enclosure import Truth

TIGHT = Fraction(1, 2**96)  # head and tail hold the state to this
GRAIN = Fraction(1, 2**1070)  # and to a few of the smallest float64


def faults(folder: Path) -> Iterator[str]:
    """One line for every fault in the golden files of a folder. Raises ValueError where there is no file."""
    seen: dict[str, Path] = {}
    for path in files(folder):
        try:
            case = read(path)
        except ValueError as error:
            yield str(error)
            continue
        if path.name != f"{case.id}.json":
            yield f"golden: {path}: name: found {path.name}, expected {case.id}.json"
        if path.read_text(encoding="utf-8") != case.text():
            yield f"golden: {path}: form: found other white space or order, expected the canonical text"
        call = repr(case.asked())
        if call in seen:
            yield f"golden: {path}: found the inputs of {seen[call]} again"
        seen[call] = path
        found = layer_faults(case) if isinstance(case, LayerCase) else case_faults(case)
        yield from (f"golden: {path}: {fault}" for fault in found)


def case_faults(case: Case) -> Iterator[str]:
    """What a case of a scan says of itself that is not so."""
    inputs, truth = case.inputs(), case.enclosure()
    wrong = _truth_fault(inputs, truth)
    if wrong:
        yield f"truth: {wrong}"
        return
    X = magnitude(inputs)
    if not np.array_equal(X, array(case.magnitude)):
        yield "magnitude: found other numbers than |lam| X + |b| gives"
    expected = flags(inputs, truth.head, X, case.dtype)
    if case.flags != expected:
        yield f"flags: found {', '.join(case.flags) or 'none'}, expected {', '.join(expected) or 'none'}"
    yield from _allowance_faults(case, inputs, truth)


def states(inputs: Inputs) -> Iterator[tuple[tuple[int, int, int], Point]]:
    """Every exact state by the recurrence on rational numbers, real and imaginary part: shares no code with `reference.truth`."""
    batch, time, channels = inputs.b.shape
    steps = range(time - 1, -1, -1) if inputs.reverse else range(time)
    for row, channel in np.ndindex(batch, channels):
        re, im = point(inputs.start[row, channel])
        for t in steps:
            lam = at(inputs.lam, t)
            (c, d), (x, y) = point(lam[channel] if lam.ndim == 1 else lam[row, channel]), point(inputs.b[row, t, channel])
            re, im = c * re - d * im + x, c * im + d * re + y
            yield (row, t, channel), (re, im)


def _truth_fault(inputs: Inputs, truth: Truth) -> str | None:
    for index, state in states(inputs):
        split = zip(state, point(truth.head[index]), point(truth.tail[index]), strict=True)
        rest, rad = sum((h - head - tail) ** 2 for h, head, tail in split), Fraction(float(truth.rad[index]))
        if rest > rad**2:
            return f"at {list(index)} |h - head - tail| exceeds rad"
        if rad > TIGHT * sum(map(abs, state)) + GRAIN or (rad and not rest):
            return f"at {list(index)} rad is larger than need be"
    return None


def _allowance_faults(case: Case, inputs: Inputs, truth: Truth) -> Iterator[str]:
    stored = [granted.declared() for granted in case.allowances]
    if stored != classes(case.dtype):
        yield f"allowances: found {'; '.join(map(str, stored))}, expected {'; '.join(map(str, classes(case.dtype)))}"
    for arithmetic in stored:
        found = case.stored(arithmetic)
        if found is None or not agree(found, bound_of(inputs, arithmetic, truth)):
            yield f"allowances: found other bounds for {arithmetic} than its theorem gives"
        elif "exact lane" in case.flags and arithmetic == Arithmetic(case.dtype) and found.any():
            yield f"allowances: found a bound above 0 for {arithmetic} in an exact lane"

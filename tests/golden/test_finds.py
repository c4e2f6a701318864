"""What golden cases are for: honest programs pass every class that is stored, and faults are found."""

from __future__ import annotations

import numpy as np
import pytest
from goldens import CASES, LAYERS, NARROW, answered, answers, one, plain, some, usual

from scanproof.golden.judging import judge
from scanproof.golden.recipes import COLLECTIONS
from scanproof.properties.versions.scan import mutants
from scanproof.properties.versions.versions import ACCEPTED, REJECTED, VERSIONS, Version
from scanproof.reference.allowance.certificate import certify
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.formats import DTYPES

EVERY = sorted({(system, case.dtype) for system in CASES for case in CASES[system]})
OF_SEQUENCES = ("float32", "float64")


@pytest.mark.parametrize(("system", "dtype"), EVERY)
def test_an_honest_program_passes_every_class_that_is_stored(system: str, dtype: str) -> None:
    cases = some(system, dtype)
    given = {case.id: plain(case) for case in cases}
    usual_ones = [each for each in usual(cases[0]) if each.adjoint == "any"][:3]
    for arithmetic in usual_ones:
        result = judge(cases, given, {dtype: arithmetic})
        assert result.verdict in ("within", "nearest"), result.reason
        assert {(judged.source, judged.absent) for judged in result.cases} == {("stored", ())}
    informed = judge(cases, given, {dtype: usual_ones[0]})
    assert {judged.status for judged in informed.cases} <= {"within", "nearest"}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.usefixtures("quick")
def test_every_mutant_is_found(dtype: str) -> None:
    """In the class of its own format; a carry times 1 + 1e-5 is the same carry in 16 bits."""
    cases = some("scan", dtype)
    for mutant in mutants(dtype):
        result = judge(cases, answers(cases, mutant.scan), {dtype: Arithmetic(dtype)})
        found = result.verdict == "outside"
        assert found != (dtype in NARROW and mutant.name == "scales-carry"), mutant.name


def test_a_flushing_scan_is_outside_as_gradual_and_fits_ftz() -> None:
    case = one("subnormal-float32")
    flushed = {"h": np.zeros(case.shape, "float32")}
    result = judge([case], {case.id: flushed}, {"float32": Arithmetic("float32")})
    assert result.verdict == "outside"
    assert "ftz" in str(result.fits["float32"])


def test_the_adjoint_recurrence_allows_no_more() -> None:
    for system in LAYERS:
        case = one(f"{system}-gradients-float64")
        arithmetic = Arithmetic("float64", stages="formed", adjoint="recurrence")
        wider, formed = case.stored(usual(case)[0]), case.stored(arithmetic)
        assert wider is not None
        assert formed is not None
        assert all((formed[name] <= wider[name]).all() for name in wider)
        assert any((formed[name] < wider[name]).any() for name in wider)
        result = judge([case], {case.id: plain(case)}, {"float64": arithmetic})
        assert (result.cases[0].status, result.cases[0].source) == ("within", "stored")


@pytest.mark.parametrize("dtype", OF_SEQUENCES)
@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
@pytest.mark.usefixtures("quick")
def test_every_version_is_told(version: Version, dtype: str) -> None:
    """In float32 a carry times 1 + 1e-5 is the same, and 1 - gamma^2 as written is none of the class."""
    cases = some(version.system, dtype)
    given = {case.id: answered(case, version.implementation) for case in cases}
    found = judge(cases, given, {dtype: Arithmetic(dtype, stages="formed")})
    short = dtype == "float32"
    if not any(given.values()):
        assert version.name in ("rotrnn-B-as-output", "rotrnn-D-batch")  # other shapes: no answers
    elif version.expected == ACCEPTED:
        cancels = version.name.endswith("one-minus-square") and short
        assert (found.verdict == "outside") == cancels
    elif version.expected == REJECTED:
        same = version.name.endswith("scales-carry") and short
        assert (found.verdict == "outside") != same


@pytest.mark.parametrize("system", LAYERS)
@pytest.mark.usefixtures("quick")
def test_small_errors_of_any_result_are_outside(system: str) -> None:
    """One number of one result, off by 2^-10 of the largest."""
    declared = {"float64": Arithmetic("float64", stages="formed")}
    for case in some(system, "float64"):
        honest = plain(case)
        for name, x in honest.items():
            moved = x.copy()
            moved.flat[-1] += 2.0**-10 * np.abs(x).max()
            [found] = judge([case], {case.id: honest | {name: moved}}, declared).cases
            assert found.status == "outside", (case.id, name)
            assert found.verdict is not None
            assert found.verdict.worst is not None
            assert found.verdict.worst.output == name


@pytest.mark.parametrize("system", LAYERS)
@pytest.mark.usefixtures("quick")
def test_mixed_rows_are_outside(system: str) -> None:
    declared = {"float32": Arithmetic("float32", stages="formed")}
    for case in some(system, "float32"):
        if "batch" in case.flags:
            swapped = {"y": plain(case)["y"][::-1].copy()}
            assert judge([case], {case.id: swapped}, declared).verdict == "outside"


@pytest.mark.parametrize("system", LAYERS)
def test_what_only_formed_stages_make_outside_waits_for_that_declaration(system: str) -> None:
    """An error between the allowances of programs that write their stages to memory and of all."""
    case = one(f"{system}-dense-float32")
    bounds = {}
    for stages in ("formed", "any"):
        [block] = certify(case.call(), Arithmetic("float32", stages=stages))
        bounds[stages] = block.results["y"][0].bound
    y = case.truths()["y"].head + (bounds["formed"] + bounds["any"]) / 2
    given = {case.id: {"y": y.astype("float32")}}
    waiting = judge([case], given, {"float32": Arithmetic("float32")})
    assert waiting.verdict == "undecided"
    assert "1 of 1 cases would be outside" in waiting.reason
    assert "declare stages formed, or any" in waiting.reason
    assert (
        judge([case], given, {"float32": Arithmetic("float32", stages="formed")}).verdict
        == "outside"
    )
    free = judge([case], given, {"float32": Arithmetic("float32", stages="any")})
    assert free.cases[0].status == "within"


def test_without_a_decisive_case_nothing_is_said() -> None:
    assert {COLLECTIONS[system].decisive for system in LAYERS} == {"sparse case"}
    case = one("lru-dense-float32")
    result = judge([case], {case.id: plain(case)}, {"float32": usual(case)[0]})
    assert (result.verdict, result.reason) == ("undecided", "no sparse case was answered")

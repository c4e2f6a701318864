"""Golden cases: what is published is what the recipes and the mathematics give, and what it is for."""

from __future__ import annotations

import ast
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scanproof import golden as package
from scanproof.golden.cases import RECIPES
from scanproof.golden.flags import FLAGS
from scanproof.golden.judging import judge
from scanproof.golden.lint import agree, faults, states
from scanproof.golden.magnitude import magnitude
from scanproof.golden.making import bound_of, classes, make, make_all
from scanproof.golden.store import V1, read_all, write
from scanproof.properties.versions.scan import chunked, mutants
from scanproof.properties.witness import array
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.formats import DTYPES
from scanproof.reference.inputs import Inputs

ROOT = Path(__file__).resolve().parents[1]
PUBLISHED = V1 / "scan"
CASES = read_all(PUBLISHED)
NARROW = ("float16", "bfloat16")


def honest(inputs: Inputs) -> np.ndarray:
    """Step by step; 16-bit formats accumulate in float32."""
    if inputs.b.dtype.name not in NARROW:
        return chunked(**inputs.keywords())
    h0 = None if inputs.h0 is None else inputs.h0.astype("float32")
    return chunked(inputs.lam.astype("float32"), inputs.b.astype("float32"), h0, inputs.reverse).astype(inputs.b.dtype)


def usual(dtype: str) -> Arithmetic:
    return classes(dtype)[0]


# ---------------------------------------------------------------- what is published


def test_the_recipes_make_what_is_published() -> None:
    """Bit for bit, but for the numbers that a machine's libm may change in the last bits."""
    made = {case.id: case for case in make_all()}
    assert sorted(made) == sorted(case.id for case in CASES)
    machine: Any = {"truth": {"rad"}, "allowances": True}
    for case in CASES:
        again = made[case.id]
        assert again.model_dump(exclude=machine) == case.model_dump(exclude=machine)
        assert agree(array(case.truth.rad), array(again.truth.rad))
        assert [g.arithmetic for g in again.allowances] == [g.arithmetic for g in case.allowances]
        assert all(agree(array(g.bound), array(a.bound)) for g, a in zip(case.allowances, again.allowances, strict=True))


def test_writing_twice_writes_the_same_bytes(tmp_path: Path) -> None:
    recipe = next(recipe for recipe in RECIPES if recipe.slug == "resets")
    first, second = (write(make(recipe, "complex64"), tmp_path / folder) for folder in ("a", "b"))
    assert (first.name, first.read_bytes()) == (second.name, second.read_bytes())


def test_lint_finds_nothing() -> None:
    assert list(faults(PUBLISHED)) == []


def test_the_files_are_small() -> None:
    sizes = [path.stat().st_size for path in PUBLISHED.glob("*.json")]
    assert max(sizes) < 60_000
    assert sum(sizes) < 1_500_000


def test_every_regime_and_format_is_there() -> None:
    assert {case.dtype for case in CASES} == set(DTYPES)
    assert {flag for case in CASES for flag in case.flags} == set(FLAGS)
    assert {1, 2, 3, 16, 17, 33, 64, 65, 129} <= {case.b.shape[1] for case in CASES}
    assert {1, 2, 3} <= {case.b.shape[0] for case in CASES}
    for dtype in DTYPES:
        assert any("exact lane" in case.flags for case in CASES if case.dtype == dtype)


def test_exact_lanes_allow_nothing_in_any_order() -> None:
    lanes = [case for case in CASES if "exact lane" in case.flags]
    assert len(lanes) > 10
    for case in lanes:
        assert all(not array(granted.bound).any() and not array(case.truth.rad).any() for granted in case.allowances)


def test_no_bound_is_infinite() -> None:
    """Even near overflow: so a result that is not finite is outside in every case."""
    assert all(np.isfinite(array(granted.bound)).all() for case in CASES for granted in case.allowances)


# ---------------------------------------------------------------- what it is for


@pytest.mark.parametrize("dtype", DTYPES)
def test_an_honest_scan_passes_every_class_that_is_stored(dtype: str) -> None:
    cases = [case for case in CASES if case.dtype == dtype]
    answers = {case.id: honest(case.inputs()) for case in cases}
    for arithmetic in classes(dtype)[:3]:
        result = judge(cases, answers, {dtype: arithmetic})
        assert result.verdict in ("within", "nearest"), result.reason
        assert {judged.source for judged in result.cases} == {"stored"}


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_case_informs_in_the_usual_class(dtype: str) -> None:
    cases = [case for case in CASES if case.dtype == dtype]
    result = judge(cases, {case.id: honest(case.inputs()) for case in cases}, {dtype: usual(dtype)})
    assert {judged.status for judged in result.cases} <= {"within", "nearest"}


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_mutant_is_found(dtype: str) -> None:
    """In the class of its own format; a carry times 1 + 1e-5 is the same carry in 16 bits."""
    cases = [case for case in CASES if case.dtype == dtype]
    for mutant in mutants(dtype):
        answers = {case.id: mutant.scan(**case.inputs().keywords()) for case in cases}
        found = judge(cases, answers, {dtype: Arithmetic(dtype)}).verdict == "outside"
        assert found != (dtype in NARROW and mutant.name == "scales-carry"), mutant.name


def test_a_flushing_scan_is_outside_as_gradual_and_fits_ftz() -> None:
    case = next(case for case in CASES if case.id.startswith("subnormal-float32"))
    flushed = np.zeros_like(honest(case.inputs()))
    result = judge([case], {case.id: flushed}, {"float32": Arithmetic("float32")})
    assert result.verdict == "outside"
    assert "ftz" in str(result.fits["float32"])


# ---------------------------------------------------------------- its parts


@pytest.mark.parametrize("case", CASES[::5], ids=lambda case: case.id)
def test_rational_states_are_those_of_the_definition(case) -> None:
    """lint's own recurrence against a matrix-free closed form: sums of products, state by state."""
    inputs = case.inputs().forward()
    batch, time, channels = inputs.b.shape
    found = dict(states(inputs))
    lam = np.broadcast_to(inputs.lam if inputs.varying else inputs.lam[None, None], inputs.b.shape)
    for row, channel in [(0, 0), (batch - 1, channels - 1)]:
        step = min(time - 1, 7)
        terms = [(inputs.start[row, channel], 0), *((inputs.b[row, k, channel], k + 1) for k in range(step + 1))]
        total = [Fraction(0), Fraction(0)]
        for z, first in terms:
            x, y = Fraction(float(z.real)), Fraction(float(z.imag))
            for k in range(first, step + 1):
                c, d = Fraction(float(lam[row, k, channel].real)), Fraction(float(lam[row, k, channel].imag))
                x, y = c * x - d * y, c * y + d * x
            total = [total[0] + x, total[1] + y]
        assert found[row, step, channel] == tuple(total)


def test_magnitude_is_exact_or_just_above() -> None:
    one, whole = np.ones(1, "complex128"), np.full((1, 1, 1), 3 + 4j)
    assert magnitude(Inputs(one, whole)).item() == 5
    odd = np.full((1, 1, 1), 1 + 1j)
    X = Fraction(magnitude(Inputs(one, odd)).item())
    assert X**2 > 2 > Fraction(np.nextafter(float(X), 0)) ** 2
    halves = Inputs(np.full(1, 0.5), np.full((1, 2, 1), 2.0**-1074))
    assert magnitude(halves).ravel().tolist() == [2.0**-1074, 2 * 2.0**-1074]
    assert magnitude(Inputs(np.full(1, 2.0), np.full((1, 2, 1), 1e308))).ravel().tolist() == [1e308, np.inf]


def test_agreement_is_a_few_last_bits() -> None:
    bound = np.array([1.0, 0.0, np.inf])
    assert agree(bound * (1 + 2.0**-45), bound)
    for other in ([1 + 2.0**-30, 0, np.inf], [1, 2.0**-1074, np.inf], [1, 0, 1.0], [np.inf, 0, np.inf]):
        assert not agree(np.array(other), bound)


def test_bounds_are_infinite_where_a_class_may_overflow() -> None:
    case = next(case for case in CASES if case.id.startswith("near-overflow-float32"))
    inputs = case.inputs()
    larger = Inputs(inputs.lam, inputs.b * np.float32(8))
    assert np.isinf(bound_of(larger, Arithmetic("float32"), case.enclosure())).any()


UNSAFE = re.compile(r"\b(abs|exp|expm1|log|log1p|sin|cos|hypot|power|default_rng|standard_normal)$")


def elementary(source: str) -> set[str]:
    """Calls whose last bits differ between machines or versions; |complex| is a hypot."""
    called = {ast.unparse(node.func) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)}
    return {name for name in called if UNSAFE.search(name)}


def test_what_ids_depend_on_is_the_same_on_every_machine() -> None:
    folder = Path(package.__path__[0])
    for name in ("drawing", "cases"):
        assert elementary((folder / f"{name}.py").read_text()) == set()
    for name in ("flags", "magnitude"):  # of real numbers there
        assert elementary((folder / f"{name}.py").read_text()) <= {"np.abs", "abs"}
    assert elementary("np.hypot(x, y) + abs(z)") == {"np.hypot", "abs"}


def test_the_flags_are_explained() -> None:
    text = (ROOT / "docs/golden.md").read_text()
    rows = dict(re.findall(r"^\| ([a-z0-9 -]+) \| (.+) \|$", text, re.MULTILINE))
    for name, flag in FLAGS.items():
        assert rows[name].replace("\\|", "|") == flag.meaning

"""What is published is what the recipes and the mathematics give, on every machine."""

from __future__ import annotations

import ast
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import flint
import numpy as np
import pytest
from goldens import CASES, LAYERS, PAGE, one, some, usual

from scanproof import golden as package
from scanproof.golden import making
from scanproof.golden.agreement import agree, bounds_of
from scanproof.golden.flags import COMMON
from scanproof.golden.lint import EXACT_BITS, faults, second
from scanproof.golden.magnitude import magnitude
from scanproof.golden.making import make, make_all, truths
from scanproof.golden.recipes import COLLECTIONS
from scanproof.golden.store import PUBLISHED, write
from scanproof.properties.files import array
from scanproof.reference.allowance.certificate import whole
from scanproof.reference.allowance.scans import inputs_of
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.formats import DTYPES
from scanproof.reference.inputs import Inputs

MACHINE: Any = {"results": {"__all__": {"rad"}}, "allowances": True}
FORMATS = {"scan": set(DTYPES), "lru": {"bfloat16", "float32", "float64"}}
FORMATS["rotrnn"] = FORMATS["lru"]
LARGEST = {"scan": 1_500_000, "layers": 750_000}  # bytes of all files: they travel in the wheel


# ---------------------------------------------------------------- what is published


@pytest.mark.parametrize("system", COLLECTIONS)
def test_the_recipes_make_what_is_published(system: str) -> None:
    """Bit for bit, but for the numbers that a machine's libm may change in the last bits."""
    made = {case.id: case for case in make_all(system)}
    assert sorted(made) == sorted(case.id for case in CASES[system])
    for case in CASES[system]:
        again = made[case.id]
        assert again.model_dump(exclude=MACHINE) == case.model_dump(exclude=MACHINE)
        for name, x in again.results.items():
            assert agree(array(case.results[name].rad), array(x.rad))
        for ours, theirs in zip(case.allowances, again.allowances, strict=True):
            assert ours.declaration == theirs.declaration
            bounds = theirs.bounds.items()
            assert all(agree(array(ours.bounds[name]), array(x)) for name, x in bounds)


def test_writing_twice_writes_the_same_bytes(tmp_path: Path) -> None:
    collection = COLLECTIONS["scan"]
    recipe = next(recipe for recipe in collection.recipes if recipe.slug == "resets")
    made = [make(recipe, "complex64", collection) for _ in range(2)]
    first, second = (write(case, tmp_path / name) for case, name in zip(made, "ab", strict=True))
    assert (first.name, first.read_bytes()) == (second.name, second.read_bytes())


@pytest.mark.parametrize("system", COLLECTIONS)
def test_lint_finds_nothing(system: str) -> None:
    assert list(faults(PUBLISHED / system)) == []


def test_the_files_are_small() -> None:
    sizes = {name: [p.stat().st_size for p in (PUBLISHED / name).glob("*.json")] for name in CASES}
    assert max(sizes["scan"]) < 60_000
    assert sum(sizes["scan"]) < LARGEST["scan"]
    assert sum(sum(sizes[name]) for name in LAYERS) < LARGEST["layers"]


@pytest.mark.parametrize("system", COLLECTIONS)
def test_every_regime_and_format_is_there(system: str) -> None:
    collection, cases = COLLECTIONS[system], CASES[system]
    assert {case.dtype for case in cases} == FORMATS[system]
    unused = {"two directions", "gradients"} if system == "scan" else set()
    assert {flag for case in cases for flag in case.flags} == {*COMMON, *collection.flags} - unused
    for dtype in FORMATS[system]:
        assert any(collection.decisive in case.flags for case in some(system, dtype))


def test_lengths_at_the_edges_of_chunks_are_there() -> None:
    assert {1, 2, 3, 16, 17, 33, 64, 65, 129} <= {case.shape[1] for case in CASES["scan"]}
    assert {1, 2, 3} <= {case.shape[0] for case in CASES["scan"]}
    assert all(max(case.shape[1] for case in CASES[system]) > 16 for system in LAYERS)


def test_integer_cases_allow_nothing_in_any_order() -> None:
    integers = [case for case in CASES["scan"] if "integer case" in case.flags]
    assert len(integers) > 10
    for case in integers:
        assert not array(case.results["h"].rad).any()
        assert not any(array(granted.bounds["h"]).any() for granted in case.allowances)


def test_no_bound_is_infinite() -> None:
    """Even near overflow: so a result that is not finite is outside in every case."""
    granted = [each for cases in CASES.values() for case in cases for each in case.allowances]
    assert all(np.isfinite(array(x)).all() for each in granted for x in each.bounds.values())


def test_what_was_assumed_is_said() -> None:
    """Layers' numbers are those of programs that form their stages, and their files say so."""
    for system in LAYERS:
        for case in CASES[system]:
            assert {each.declaration["stages"] for each in case.allowances} == {"formed"}
    assert not any(
        "stages" in each.declaration for case in CASES["scan"] for each in case.allowances
    )


@pytest.mark.parametrize(
    "name",
    ["lru-gradients-float32", "rotrnn-gradients-directions-float64", "rotrnn-identity-float64"],
)
def test_head_and_tail_are_the_same_at_any_precision(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So they are correct roundings, and the id is that of the inputs."""
    case = one(name)
    certified = whole(case.call(), usual(case)[0])
    monkeypatch.setattr(making, "BITS", 330)
    for result, truth in truths(case.call(), case.dtype, certified).items():
        stored = case.truths()[result]
        assert (truth.head == stored.head).all()
        assert (truth.tail == stored.tail).all()


# ---------------------------------------------------------------- its parts


@pytest.mark.parametrize("case", CASES["scan"][::5], ids=lambda case: case.id)
def test_the_second_formulation_is_the_definition(case: Any) -> None:
    """lint's own recurrence, exactly, against a closed form: sums of products, state by state."""
    inputs, step = inputs_of(case.call()).forward(), min(case.shape[1] - 1, 7)
    with flint.ctx.workprec(EXACT_BITS):
        found = second(COLLECTIONS["scan"], case.call())["h"]
        found = found[:, ::-1] if case.call().reverse else found
        lam = inputs.lam if inputs.varying else inputs.lam[None, None]
        lam = np.broadcast_to(lam, inputs.b.shape)
        batch, _, channels = inputs.b.shape
        for row, channel in [(0, 0), (batch - 1, channels - 1)]:
            terms = [(inputs.start[row, channel], 0)]
            terms += [(inputs.b[row, k, channel], k + 1) for k in range(step + 1)]
            re, im = closed_form(terms, lam[row, :, channel], step)
            z = flint.acb(found[row, step, channel])
            assert z.real == flint.arb(flint.fmpq(re.numerator, re.denominator))
            assert z.imag == flint.arb(flint.fmpq(im.numerator, im.denominator))


def closed_form(terms: list[tuple[Any, int]], lam: Any, step: int) -> tuple[Fraction, Fraction]:
    """The sum of every term times the multipliers after it, exactly."""
    total = [Fraction(0), Fraction(0)]
    for z, first in terms:
        x, y = Fraction(float(z.real)), Fraction(float(z.imag))
        for k in range(first, step + 1):
            c, d = Fraction(float(lam[k].real)), Fraction(float(lam[k].imag))
            x, y = c * x - d * y, c * y + d * x
        total = [total[0] + x, total[1] + y]
    return total[0], total[1]


def test_magnitude_is_exact_or_just_above() -> None:
    one, whole = np.ones(1, "complex128"), np.full((1, 1, 1), 3 + 4j)
    assert magnitude(Inputs(one, whole)).item() == 5
    odd = np.full((1, 1, 1), 1 + 1j)
    X = Fraction(magnitude(Inputs(one, odd)).item())
    assert X**2 > 2 > Fraction(np.nextafter(float(X), 0)) ** 2
    halves = Inputs(np.full(1, 0.5), np.full((1, 2, 1), 2.0**-1074))
    assert magnitude(halves).ravel().tolist() == [2.0**-1074, 2 * 2.0**-1074]
    above = Inputs(np.full(1, 2.0), np.full((1, 2, 1), 1e308))
    assert magnitude(above).ravel().tolist() == [1e308, np.inf]


def test_agreement_is_a_few_last_bits() -> None:
    bound = np.array([1.0, 0.0, np.inf])
    assert agree(bound * (1 + 2.0**-45), bound)
    for other in (
        [1 + 2.0**-30, 0, np.inf],
        [1, 2.0**-1074, np.inf],
        [1, 0, 1.0],
        [np.inf, 0, np.inf],
    ):
        assert not agree(np.array(other), bound)


def test_bounds_are_infinite_where_a_class_may_overflow() -> None:
    call = one("near-overflow-float32").call()
    larger = call.but(b=call["b"] * np.float32(8))
    assert np.isinf(bounds_of(whole(larger, Arithmetic("float32")))["h"]).any()


UNSAFE = re.compile(r"\b(abs|exp|expm1|log|log1p|sin|cos|hypot|power|default_rng|standard_normal)$")


def elementary(source: str) -> set[str]:
    """Calls whose last bits differ between machines or versions; |complex| is a hypot."""
    nodes = ast.walk(ast.parse(source))
    called = {ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)}
    return {name for name in called if UNSAFE.search(name)}


def test_what_ids_depend_on_is_the_same_on_every_machine() -> None:
    folder = Path(package.__path__[0])
    assert elementary((folder / "drawing.py").read_text()) == set()
    recipes = list((folder / "recipes").glob("*.py"))
    assert len(recipes) == len(COLLECTIONS) + 3  # the registry, what layers share, the scans' flags
    for path in [*recipes, folder / "flags.py", folder / "magnitude.py"]:
        assert elementary(path.read_text()) <= {"np.abs", "abs"}  # of real numbers there
    assert elementary("np.hypot(x, y) + abs(z)") == {"np.hypot", "abs"}


def test_the_flags_are_explained() -> None:
    rows = dict(re.findall(r"^\| ([a-z0-9 -]+) \| (.+) \|$", PAGE, re.MULTILINE))
    known = [COMMON, *(collection.flags for collection in COLLECTIONS.values())]
    for name, flag in (item for flags in known for item in flags.items()):
        assert rows[name].replace("\\|", "|") == flag.meaning

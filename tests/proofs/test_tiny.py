"""Tiny formats: nothing exceeds the allowance, weakened terms do, and what is tried is what is said to be tried."""

from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scans import Machine, Tiny, elements, exact, sequential, worst

from scanproof.proofs.rounding import tiny, tiny_formats, tiny_operations, tiny_scan
from scanproof.proofs.rounding.tiny import (
    GRADUAL,
    P3,
    TRIALS,
    TRUNCATION,
    WEAKENED,
    WIDE,
    Trial,
    bite,
    by_operation,
    hypothesis_row,
    trial_row,
    weakened_row,
)  # fmt: skip
from scanproof.proofs.rounding.tiny_formats import VARIANTS, Format, declaration
from scanproof.proofs.rounding.tiny_operations import hypotheses
from scanproof.proofs.rounding.tiny_scan import conclude
from scanproof.reference.allowance import rounding
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.error_model import PROVED
from scanproof.reference.arithmetic.operations import roundings
from scanproof.reference.arithmetic.vocabulary import SUBNORMALS
from scanproof.reference.inputs import Inputs

PAGE = (Path(__file__).resolve().parents[2] / "docs/measured/tiny.md").read_text(encoding="utf-8").splitlines()
FTZ_DAZ = VARIANTS[4]
HYPOTHESES = 24  # rows of the first table
BRIEF = ("d: one addition fewer", "w: one product fewer", "(m + 1) f: one sum fewer")  # of the weakened terms


@pytest.mark.slow
def test_hypotheses_hold_on_every_operand():
    found = list(hypotheses(tiny.REAL, tiny.PRODUCTS, tiny.STEPS))
    assert max(h.worst for h in found) <= 1
    real = [h.worst for h in found if h.operation in ("x + y", "x y", "x y + z")]
    assert min(real) > Fraction(2, 5)
    assert min(h.worst for h in found) > Fraction(1, 8)  # truncated complex products: sqrt(2) (2u) is larger than the need
    rows = [hypothesis_row(*operation, tried) for operation, tried in by_operation(found)]
    assert [row for row in rows if row not in PAGE] == []
    assert len(rows) == HYPOTHESES
    assert {(h.p, h.tuples) for h in found if h.operation == "x y + z"} == {(2, 15**3), (3, 31**3), (4, 63**3), (5, 127**3)}


def test_hypotheses_of_a_finer_format_fail(monkeypatch):
    """Constants of p + 3 bits are refuted by every operation and rounding."""
    finer = lambda form, *args, **kw: declaration(form._replace(p=form.p + 3), *args, **kw)  # noqa: E731
    monkeypatch.setattr(tiny_operations, "declaration", finer)
    assert min(h.worst for h in hypotheses((2, 3, 4), (2, 3), ()) if "ftz" not in h.variant) > 1


@pytest.mark.slow
@pytest.mark.parametrize("trial", [Trial(P3, variant, order) for variant in (GRADUAL, FTZ_DAZ) for order in tiny_scan.ORDERS],
                         ids=lambda t: f"{t.variant.name}, {t.order}")  # fmt: skip
def test_no_evaluation_exceeds_the_allowance(trial):
    found = conclude(trial.form, trial.variant, trial.order)
    assert (found.violations, found.error <= found.allowed) == (0, True)
    assert trial in TRIALS
    assert trial_row(trial, found) in PAGE


@pytest.mark.slow
@pytest.mark.parametrize("weakened", [weakened for weakened in WEAKENED if weakened.term in BRIEF], ids=lambda t: t.term)
def test_a_weakened_allowance_is_exceeded(weakened):
    """The violating input is confirmed by the steps of tests/scans.py, in exact fractions."""
    order = weakened.orders[-1]
    found = bite(weakened, order)
    assert found.violations > 0
    assert found.ratio > 1
    assert weakened_row(weakened, order, found) in PAGE
    assert confirmed(weakened, order, found.example) > 1 >= confirmed(weakened._replace(model=PROVED), order, found.example)


def confirmed(weakened, order, example):
    """Largest (error / allowance)^2 of h_3 by tests/scans.py, over both bracketings and both steps."""
    lam, b = (np.array(x).reshape(1, 3, 1) for x in ((0, *example[:2]), example[2:]))
    inputs, form = Inputs(lam, b), weakened.form
    allowed = rounding.allowance(inputs, declaration(form, weakened.variant, order), model=weakened.model).bound[:, -1]
    machines = [Machine(Tiny(form.p, form.emin), step, weakened.variant.flush) for step in ("separate", "fused")]
    runs = [sequential] + [split] * (order == "any")
    return max(worst(run(m, elements(inputs))[-1][1], exact(inputs)[:, -1], allowed) for run, m in product(runs, machines))


def split(machine, steps):
    """(lam_3 lam_2) b_1 + (lam_3 b_2 + b_3)."""
    (_, b1), (lam2, b2), (lam3, b3) = steps[1:]
    return [(None, machine.step(machine.product(lam3, lam2), b1, machine.step(lam3, b2, b3)))]


@pytest.mark.slow
def test_hardware_outside_its_class_is_exceeding(monkeypatch):
    """Truncation under the constants of rounding to nearest; and one wrong entry in the table of fl."""
    monkeypatch.setattr(tiny_scan, "declaration", lambda form, _, order: declaration(form, GRADUAL, order))
    assert conclude(WIDE, TRUNCATION, "any").violations > 0
    monkeypatch.setattr(Format, "table", lambda *args, honest=Format.table: spoiled(honest(*args)))
    assert conclude(WIDE, GRADUAL, "any").violations > 0


def spoiled(R):
    R[len(R) // 2 + 8 * 3] += 3  # 3/8 becomes 6/8
    return R


@pytest.mark.parametrize("form", [Format(2), Format(3), Format(5, -1, 1), WIDE], ids=str)
def test_rounding_is_that_of_an_independent_format(form):
    independent, R = Tiny(form.p, form.emin), form.table("even", False)
    n = np.arange(len(R)) - len(R) // 2
    assert np.array_equal(R / form.K, independent.round(n / form.K**2))
    assert np.array_equal(np.sort(form.values()) / form.K, independent.values(2.0 ** (form.emax + 1))[1:-1])
    down, away, flushed = form.table("zero", False), form.table("away", False), form.table("even", True)
    assert (np.abs(down) * form.K <= np.abs(n)).all()
    assert (np.abs(n) < (np.abs(R) + form.omega) * form.K * 2).all()
    assert (np.abs(away) >= np.abs(R)).all()
    assert set(np.unique(np.abs(away - down))) <= {0, *(2 ** np.arange(20)).tolist()}
    assert np.array_equal(flushed, np.where(np.abs(R) < form.omega, 0, R))


@pytest.mark.parametrize(("subnormals", "contraction", "products"), list(product(SUBNORMALS, (True, False), (True, False))))
def test_parameters_are_those_of_production(subnormals, contraction, products):
    """A "tiny" format with the parameters of float32 has the constants of float32."""
    variant = tiny_formats.Variant("", subnormals)
    for components, dtype in ((1, "float32"), (2, "complex64")):
        mine = declaration(Format(24, -126), variant, components=components, contraction=contraction)
        real = Arithmetic(dtype, subnormals, contraction)
        assert roundings(mine, products) == roundings(real, products)._replace(largest=np.inf)
        assert mine.omega == real.omega


@pytest.mark.parametrize("order", tiny_scan.ORDERS)
@pytest.mark.parametrize("variant", VARIANTS, ids=lambda v: v.name)
def test_first_input_or_h0(variant, order):
    """Three inputs, or h0 and two: the same monomials. The first input is not summed then, so it loses no f."""
    rng, declared = np.random.default_rng(0), declaration(P3, variant, order)
    lam, b = (rng.choice(P3.values(), (2000, 3, 1)) / P3.K for _ in range(2))
    lam[:, 0] = 0
    three = rounding.allowance(Inputs(lam, b), declared).bound[:, -1]
    two = rounding.allowance(Inputs(lam[:, 1:], b[:, 1:], b[:, 0]), declared).bound[:, -1]
    assert (np.floor(two * P3.K**3) <= np.floor(three * P3.K**3)).all()
    if variant.subnormals == "gradual":
        assert np.array_equal(np.floor(two * P3.K**3), np.floor(three * P3.K**3))


def test_the_page_is_complete():
    """Its rows are those of the tables here; tests above compute some of them."""
    assert sum(line.startswith("|") for line in PAGE) == 3 * 2 + HYPOTHESES + len(TRIALS) + sum(len(t.orders) for t in WEAKENED)


def test_the_page_says_what_is_slack():
    rows = [(t, order) for t in WEAKENED for order in t.orders]
    lines = PAGE[-len(rows):]
    assert [("| slack |" in line) for line in lines] == [order in t.slack for t, order in rows]


def test_the_theorem_shows_the_same_teeth():
    theorem = (Path(__file__).resolve().parents[2] / "docs/theorem.md").read_text(encoding="utf-8").splitlines()
    weakened = PAGE[next(i for i, line in enumerate(PAGE) if line.startswith("## One term weakened")) :]
    assert [line for line in theorem if line.startswith("|")] == [line for line in weakened if line.startswith("|")]

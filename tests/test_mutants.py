"""The suite's power: every mutant is refuted in every dtype that shows its fault, by the laws that are meant to see it."""

import numpy as np
import pytest
from scanproof.properties.strategies import Domain, Draw
from scans import NATIVE

from scanproof.properties.check import check
from scanproof.properties.judge import BLIND
from scanproof.properties.laws import LAWS
from scanproof.properties.versions.scan import CHUNK, MUTANTS, chunked, mutants
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.transitions.diagonal import scan

ALL = {law.name for law in LAWS}
VARYING_ONLY = {"next-multiplier"}  # right where lam does not depend on time
SEES = {  # laws that must see a fault with the three cases of this test; more may
    "zeros": ALL,
    "input": ALL,
    "drops-carry": {"exact-lanes", "impulses", "equivalence"},
    "scales-carry": {"exact-lanes", "impulses", "equivalence"},
    "off-by-one": ALL,
    "conjugated": ALL,
    "wrong-start": {"exact-lanes", "impulses", "equivalence", "hand-over"},
    "tail-chunk": {"exact-lanes", "impulses", "equivalence"},
    "next-multiplier": {"exact-lanes", "impulses", "equivalence"},
    "reverse-ignored": {"exact-lanes", "impulses", "equivalence", "reverse"},
}
CASES = [(dtype, mutant) for dtype in NATIVE for mutant in mutants(dtype)]
IDS = [f"{dtype}-{mutant.name}" for dtype, mutant in CASES]


@pytest.mark.parametrize(("dtype", "mutant"), CASES, ids=IDS)
def test_every_mutant_is_refuted_by_the_laws_meant_for_it(dtype, mutant):
    report = check("scan", mutant.scan, arithmetic=Arithmetic(dtype), cases=3, seed=1)
    assert (report.verdict, report.failure.verdict, report.failure.grade) == ("outside", "outside", "theorem")
    assert {law.name for law in report.laws if law.verdict == "outside"} >= SEES[mutant.name]
    assert report.fault is None
    if mutant.name == "scales-carry" and dtype in ("float32", "complex64"):  # 11 bits of a product's operands lose more than 1e-5
        assert report.not_refuted_under == str(Arithmetic(dtype, operands="tf32")) + BLIND
    else:
        assert report.not_refuted_under is None  # no declaration excuses it
    assert report.witness.implementation == report.implementation


@pytest.mark.parametrize("kind", ["constant", "varying"])
@pytest.mark.parametrize(("dtype", "mutant"), CASES, ids=IDS)
def test_exact_lanes_alone_refute_every_mutant(dtype, mutant, kind):
    """Their allowance is zero, so no declaration, length or magnitude hides a fault; both kinds of lam suffice alone."""
    domain = Domain(lam=kind, lengths=frozenset({1, 2, 17}))
    report = check("scan", mutant.scan, arithmetic=Arithmetic(dtype), domain=domain, cases=1, laws=["exact-lanes"])
    refuted = not (kind == "constant" and mutant.name in VARYING_ONLY)
    assert (report.verdict == "outside") == refuted
    assert report.failure is None or report.failure.worst.allowance == 0


@pytest.mark.parametrize(("subnormals", "order"), [("gradual", f"chunked:{CHUNK}"), ("daz", "any")])
@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_a_carry_wrong_by_one_in_a_hundred_thousand_is_refuted_by_exact_lanes(dtype, subnormals, order):
    mutant = next(m for m in MUTANTS if m.name == "scales-carry")
    arithmetic = Arithmetic(dtype, subnormals=subnormals, order=order)
    report = check("scan", mutant.scan, arithmetic=arithmetic, cases=1, laws=["exact-lanes"])
    assert report.verdict == "outside"
    assert report.failure.worst.allowance == 0
    assert report.failure.worst.error <= 2e-5 * abs(report.failure.worst.truth)  # the carry is off by 1e-5 of itself


@pytest.mark.parametrize("dtype", NATIVE)
@pytest.mark.parametrize("varying", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
def test_the_scan_that_mutants_spoil_is_honest(dtype, varying, reverse):
    for shape in ((1, 1, 1), (2, CHUNK, 2), (1, 2 * CHUNK + 3, 2)):
        for h0 in (False, True):
            inputs = Draw(Arithmetic(dtype), Domain(), shape, varying, seed=2).inputs(h0, reverse)
            before = inputs.b.tobytes(), inputs.lam.tobytes()
            got = chunked(inputs.lam, inputs.b, inputs.h0, reverse)
            assert got.dtype == dtype
            assert (got == scan(inputs.lam, inputs.b, inputs.h0, reverse)).all()
            assert before == (inputs.b.tobytes(), inputs.lam.tobytes())


@pytest.mark.parametrize("dtype", NATIVE)
def test_every_mutant_keeps_the_contract_and_has_its_fault(dtype):
    """A mutant that fails for its shape or dtype, or not at all, would measure nothing."""
    names = [mutant.name for mutant in mutants(dtype)]
    assert len(set(names)) == len(names) >= 8
    assert ("conjugated" in names) == dtype.startswith("complex")
    inputs = Draw(Arithmetic(dtype), Domain(), (2, 2 * CHUNK + 3, 2), True, seed=3).inputs(h0=True, reverse=True)
    right = scan(inputs.lam, inputs.b, inputs.h0, inputs.reverse)
    for mutant in mutants(dtype):
        got = mutant.scan(inputs.lam.copy(), inputs.b.copy(), inputs.h0.copy(), reverse=True)
        assert (got.shape, got.dtype) == (right.shape, right.dtype)
        assert not np.array_equal(got, right), mutant.name

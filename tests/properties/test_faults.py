"""The suite's power: every mutant is refuted, in every dtype, by the laws that are meant for it."""

import numpy as np
import pytest
from calls import case
from scans import NATIVE

from scanproof.properties import shrink
from scanproof.properties.check import check
from scanproof.properties.domain import Domain
from scanproof.properties.explain import UNINFORMED
from scanproof.properties.laws import laws_of
from scanproof.properties.systems import room_of
from scanproof.properties.versions.scan import CHUNK, MUTANTS, chunked, mutants
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.transitions.diagonal import scan

ALL = {law.name for law in laws_of(room_of("scan"))}
FIRST = {"integer-cases", "impulses", "equivalence"}
VARYING_ONLY = {"next-multiplier"}  # right where lam does not depend on time
SEES = {  # laws that must see a fault with the three cases of this test; more may
    "zeros": ALL,
    "input": ALL,
    "drops-carry": FIRST,
    "scales-carry": FIRST,
    "off-by-one": ALL,
    "conjugated": ALL,
    "wrong-start": FIRST | {"hand-over"},
    "tail-chunk": FIRST,
    "next-multiplier": FIRST,
    "reverse-ignored": FIRST | {"reverse"},
}
SHORT = Domain(lengths=frozenset(range(1, 41)))
TRUNCATES = ("float32", "complex64")  # 11 bits of a product's operands lose more than 1e-5
CASES = [(dtype, mutant) for dtype in NATIVE for mutant in mutants(dtype)]
IDS = [f"{dtype}-{mutant.name}" for dtype, mutant in CASES]
SEARCHES = [
    pytest.param(dtype, mutant, marks=[pytest.mark.slow] * (dtype not in TRUNCATES))
    for dtype, mutant in CASES
]


@pytest.fixture(autouse=True)
def _hardly_shrunk(monkeypatch):
    """How small a failing call gets is not the question here."""
    monkeypatch.setattr(shrink, "CALLS", 40)


def mutant_of(name):
    return next(mutant for mutant in MUTANTS if mutant.name == name)


def arguments(dtype, shape, varying, seed, h0=True):
    """lam, b and h0 of one drawn case of this shape (batch, time, channels)."""
    sizes = dict(zip(("batch", "time", "channels"), shape, strict=True))
    draw = case("scan", dtype, sizes, seed=seed, varying=varying)
    call = draw.call()
    call = draw.started(call) if h0 else call
    return call["lam"], call["b"], call.get("h0")


@pytest.mark.parametrize(("dtype", "mutant"), SEARCHES, ids=IDS)
def test_every_mutant_is_refuted_by_the_laws_meant_for_it(dtype, mutant):
    laws = sorted(SEES[mutant.name])
    declared = Arithmetic(dtype)
    options = {"arithmetic": declared, "domain": SHORT, "cases": 3, "seed": 1}
    report = check("scan", mutant.scan, **options, laws=laws)
    failure = report.failure
    assert (report.verdict, failure.verdict, failure.grade) == ("outside", "outside", "theorem")
    assert {law.name for law in report.laws if law.verdict == "outside"} == SEES[mutant.name]
    assert report.fault is None
    tf32 = mutant.name == "scales-carry" and dtype in TRUNCATES
    excuse = str(Arithmetic(dtype, operands="tf32")) + UNINFORMED if tf32 else None
    assert report.not_refuted_under == excuse  # no other declaration excuses it
    assert report.witness.implementation == report.implementation


@pytest.mark.parametrize("name", ["drops-carry", "scales-carry", "tail-chunk"])
def test_faults_beyond_a_chunk_are_found_in_any_domain(name):
    laws = ["integer-cases", "equivalence"]
    report = check("scan", mutant_of(name).scan, dtype="float32", cases=1, laws=laws)
    assert [law.verdict for law in report.laws if law.name in laws] == ["outside", "outside"]


@pytest.mark.parametrize("kind", ["constant", "varying"])
@pytest.mark.parametrize(("dtype", "mutant"), CASES, ids=IDS)
def test_integer_cases_alone_refute_every_mutant(dtype, mutant, kind):
    """Their allowance is zero, so nothing hides a fault; both kinds of lam suffice alone."""
    domain = Domain(lam=kind, lengths=frozenset({1, 2, 17}))
    report = check("scan", mutant.scan, dtype=dtype, domain=domain, cases=1, laws=["integer-cases"])
    refuted = not (kind == "constant" and mutant.name in VARYING_ONLY)
    assert (report.verdict == "outside") == refuted
    assert report.failure is None or report.failure.worst.allowance == 0


@pytest.mark.parametrize(("subnormals", "order"), [("gradual", f"chunked:{CHUNK}"), ("daz", "any")])
@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_a_carry_wrong_by_one_in_1e5_is_refuted_by_integers(dtype, subnormals, order):
    arithmetic = Arithmetic(dtype, subnormals=subnormals, order=order)
    scales = mutant_of("scales-carry").scan
    report = check("scan", scales, arithmetic=arithmetic, cases=1, laws=["integer-cases"])
    worst = report.failure.worst
    assert report.verdict == "outside"
    assert worst.allowance == 0
    assert worst.error <= 2e-5 * abs(worst.truth)  # the carry is off by 1e-5 of itself


@pytest.mark.parametrize("dtype", NATIVE)
@pytest.mark.parametrize("varying", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
def test_the_scan_that_mutants_spoil_is_honest(dtype, varying, reverse):
    for shape in ((1, 1, 1), (2, CHUNK, 2), (1, 2 * CHUNK + 3, 2)):
        for start in (False, True):
            lam, b, h0 = arguments(dtype, shape, varying, 2, start)
            before = b.tobytes(), lam.tobytes()
            got = chunked(lam, b, h0, reverse)
            assert got.dtype == dtype
            assert (got == scan(lam, b, h0, reverse)).all()
            assert before == (b.tobytes(), lam.tobytes())


@pytest.mark.parametrize("dtype", NATIVE)
def test_every_mutant_keeps_the_contract_and_has_its_fault(dtype):
    """A mutant that fails for its shape or dtype, or not at all, would measure nothing."""
    names = [mutant.name for mutant in mutants(dtype)]
    assert len(set(names)) == len(names) >= 8
    assert ("conjugated" in names) == dtype.startswith("complex")
    lam, b, h0 = arguments(dtype, (2, 2 * CHUNK + 3, 2), True, 3)
    right = scan(lam, b, h0, True)
    for mutant in mutants(dtype):
        got = mutant.scan(lam.copy(), b.copy(), h0.copy(), reverse=True)
        assert (got.shape, got.dtype) == (right.shape, right.dtype)
        assert not np.array_equal(got, right), mutant.name

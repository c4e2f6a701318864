"""What an `outside` needs: nothing that was not declared, and the weakest class under which it still is one."""

from dataclasses import replace

import numpy as np
import pytest
from calls import LAYERS, case, drawn, exact, largest, moved, scans

from scanproof.properties import explain
from scanproof.properties.check import check
from scanproof.properties.domain import Domain
from scanproof.properties.explain import (
    UNINFORMED,
    Judgements,
    assumed_needed,
    explained,
    rescue,
    weakest,
)
from scanproof.properties.judge import judge
from scanproof.properties.verdict import FUSED, judged
from scanproof.reference.allowance import certificate
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.call import called
from scanproof.reference.systems import SYSTEMS, weaker
from scanproof.reference.transitions.diagonal import scan

UNDECLARED = Arithmetic("float32")
FORMED, ANY = (replace(UNDECLARED, stages=word) for word in ("formed", "any"))
APART = 1.2  # how much more a class must allow than another one, so that a float fits between them


def bounds(call, arithmetic, name="y"):
    return certificate.whole(call, arithmetic)[name].bound


def between(call, name="y", narrow=FORMED, wide=ANY):
    """Exact results of which one element is off by more than one class allows, and by less than another one does."""
    low, high = bounds(call, narrow, name), bounds(call, wide, name)
    where = largest(np.where(low > 0, high / np.where(low > 0, low, 1), 0))
    assert high[where] > APART * low[where]
    got = exact(call, UNDECLARED, name)
    got[name][where] = certificate.whole(call, wide)[name].truth.head[where] + (low[where] + high[where]) / 2
    return got, where


# ---------------------------------------------------------------- stages that nobody declared
@pytest.mark.parametrize("system", LAYERS)
@pytest.mark.parametrize("name", ["y", "h"])
def test_an_outside_that_needs_formed_stages_is_undecided_until_they_are_declared(system, name):
    call = drawn(system, sizes={"time": 9, "width": 9}, start=True)
    got, where = between(call, name)
    declared = judged(got, call, FORMED)
    assert (declared.verdict, declared.unless) == ("outside", None)
    admitted = judged(got, call, ANY)
    assert (admitted.verdict in ("within", "undecided"), admitted.unless, admitted.ratio <= 1) == (True, None, True)
    verdict = judged(got, call, UNDECLARED)
    assert (verdict.verdict, verdict.unless, verdict.grade) == ("undecided", "stages formed", None)
    assert verdict.reason == f"1 of {got[name].size} elements of {name} exceed the allowance; {FUSED}"
    assert (verdict.worst, verdict.ratio) == (declared.worst, declared.ratio)
    assert (verdict.worst.index, verdict.ratio > 1) == (where, True)
    assert verdict.counts["outside"] == 0
    assert judge(system, got, **call.keywords()) == verdict
    assert verdict.as_dict()["unless"] == "stages formed"


@pytest.mark.parametrize("system", LAYERS)
def test_gradients_need_the_adjoint_recurrence_too(system):
    """Cotangents of another scan never form the states' cotangents, so that formed stages alone say nothing of them."""
    call = drawn(system, sizes={"time": 9}, bars=True)
    recurrence = replace(FORMED, adjoint="recurrence")
    got, _ = between(call, "gradient u", recurrence)
    words = [judged(got, call, each).verdict for each in (UNDECLARED, FORMED, ANY)]
    assert "outside" not in words
    assert judged(got, call, recurrence).verdict == "outside"
    verdict = judged(got, call, replace(UNDECLARED, adjoint="recurrence"))
    assert (verdict.verdict, verdict.unless) == ("undecided", "stages formed")


@pytest.mark.parametrize("system", LAYERS)
def test_what_no_fusion_explains_is_outside_without_it(system):
    call = drawn(system)
    got = exact(call, UNDECLARED, "y")
    got["y"] *= np.float32(1 + 1e-3)
    verdict = judge(system, got, **call.keywords())
    assert (verdict.verdict, verdict.unless) == ("outside", None)
    assert "stages" not in verdict.weakest  # nothing was declared, and nothing is needed


@pytest.mark.parametrize("system", ["scan", "expm"])
def test_systems_without_stages_need_none(system):
    call = drawn(system)
    name = next(iter(call.system.result))
    got = exact(call, UNDECLARED, name)
    for each in (got[name], got[name] + np.float32(1e-3)):
        assert judged({name: each}, call, UNDECLARED).unless is None


@pytest.mark.parametrize("system", LAYERS)
def test_a_search_says_what_would_have_to_be_declared(system):
    """A program whose results are between the two classes: refuted when it says that it forms them, else undecided."""

    def program(**given):
        call = called(SYSTEMS[system], given, "float32")
        low, high = bounds(call, FORMED), bounds(call, ANY)
        got = exact(call, UNDECLARED, "y")["y"]
        return np.where(high > APART * low, got + ((low + high) / 2).astype("float32"), got)

    few = {"domain": Domain(lengths=frozenset({1, 5}), channels=frozenset({3}), states=frozenset({4})), "cases": 1}
    report = check(system, program, dtype="float32", laws=["impulses", "equivalence"], **few)
    assert (report.verdict, report.unless, report.witness, report.failure) == ("undecided", "stages formed", None, None)
    assert report.reason == f"some calls are outside if b and h are written to memory; {FUSED}"
    assert max(law.ratio for law in report.laws) > 1
    report = check(system, program, dtype="float32", stages="formed", laws=["equivalence"], **few)
    assert (report.verdict, report.unless) == ("outside", None)
    assert ("stages any" if system == "lru" else "expm jax") in report.not_refuted_under  # the likelier first
    assert "stages formed" in report.failure.weakest


# ---------------------------------------------------------------- the weakest class
def off(system, factor, arithmetic, **more):
    """Exact results of which one element is off by so many times its allowance."""
    call = drawn(system, arithmetic, sizes={"time": 9}, **more)
    name = next(iter(call.system.result))
    got = exact(call, arithmetic, name)
    where = largest(got[name])
    truth = certificate.whole(call, arithmetic)[name].truth.head[where]
    bound = np.ravel(bounds(call, arithmetic, name))[0] if system == "expm" else bounds(call, arithmetic, name)[where]
    got[name][where] = truth + factor * bound
    while not abs(got[name][where] - truth) > bound * (1 + 2.0**-20):  # rounded back
        got[name] = moved(got[name], where, 1)
    return call, got


DECLARED = [
    ("scan", Arithmetic("float32", contraction=False, order="sequential")),
    ("scan", Arithmetic("float32", accumulate="float64", order="sequential", store="step")),
    ("scan", Arithmetic("bfloat16", accumulate="float32")),
    ("lru", Arithmetic("float32", stages="formed", order="sequential", contraction=False)),
    ("lru", Arithmetic("bfloat16", accumulate="float32", stages="formed")),
    ("rotrnn", Arithmetic("float32", stages="formed", order="tree")),
    ("rotrnn", Arithmetic("float64", stages="formed")),
    ("expm", Arithmetic("float32")),
]


@pytest.mark.parametrize(("system", "arithmetic"), DECLARED, ids=str)
@pytest.mark.parametrize("factor", [1.5, 40.0])
def test_the_weakest_class_is_outside_and_its_weaker_neighbours_are_not(system, arithmetic, factor):
    call, got = off(system, factor, arithmetic)
    verdict = judged(got, call, arithmetic)
    assert verdict.verdict == "outside"
    found = Judgements([(call, got)])
    last = weakest(found, arithmetic)
    assert judged(got, call, last).verdict == "outside"
    for words in weaker(SYSTEMS[system], last):
        other = explain._declared(last, words)
        assert other is None or judged(got, call, other).verdict != "outside", words
    assert explained(verdict, call, got).weakest == str(last)


def test_a_result_that_is_outside_everywhere_is_so_in_the_weakest_class_of_all():
    lam, b = np.float32([0.5]), np.ones((1, 9, 1), np.float32)
    verdict = judge("scan", 2 * scan(lam, b), lam=lam, b=b, contraction=False, order="sequential")
    weak = Arithmetic("float32", subnormals="daz", operands="tf32", rounding="matrix")
    assert verdict.weakest == str(weak)
    assert verdict.not_refuted_under is None


def test_large_calls_are_not_judged_under_other_declarations(monkeypatch):
    lam, b = np.float32([0.5]), np.ones((1, 9, 1), np.float32)
    call, got = scans(lam, b), {"h": 2 * scan(lam, b)}
    declared = Arithmetic("float32", order="sequential")
    monkeypatch.setattr(explain, "LARGE", 4)
    asked = Judgements([(call, got)])
    assert weakest(asked, declared) == declared
    assert not asked.known


# ---------------------------------------------------------------- what would admit it
def test_a_weaker_class_that_admits_it_is_named_with_the_fewest_changes():
    call, got = off("scan", 1.5, Arithmetic("float32", contraction=False, order="sequential"))
    found = Judgements([(call, got)])
    declared = Arithmetic("float32", contraction=False, order="sequential")
    named = rescue(found, declared)
    single = [explain._declared(declared, words) for words in weaker(SYSTEMS["scan"], declared)]
    fits = [str(each) for each in single if each and found.fit(each)]
    assert fits
    assert named in (fits[0], fits[0] + UNINFORMED)
    assert rescue(found, Arithmetic("float32", order="fft")) is None


@pytest.mark.parametrize("system", ["lru", "rotrnn", "expm"])
@pytest.mark.parametrize("factor", [1.5, 6.0])
def test_the_factor_on_assumed_constants_is_the_smallest_that_admits_it(system, factor):
    call, got = off(system, factor, FORMED if system in LAYERS else UNDECLARED)
    arithmetic = FORMED if system in LAYERS else UNDECLARED
    found = Judgements([(call, got)])
    needed = assumed_needed(found, arithmetic)
    if needed is None:  # what is assumed is no part of this allowance
        assert not found.fit(replace(arithmetic, assumed=explain.LARGEST_FACTOR))
        return
    assert found.fit(replace(arithmetic, assumed=needed))
    assert not found.fit(replace(arithmetic, assumed=needed * (1 - 1 / 8)))
    verdict = explained(judged(got, call, arithmetic), call, got)
    assert verdict.assumed_needed == needed
    assert f"factor {needed:.3g} on the assumed constants would admit it" in verdict.reason
    assert ("so they may be too small" in verdict.reason) == (needed <= explain.SMALL_FACTOR)


def test_all_failing_calls_must_fit():
    """A declaration that admits the smallest one only explains nothing."""
    declared = Arithmetic("float32", order="sequential", contraction=False)
    slight, gross = off("scan", 1.5, declared), off("scan", 1e6, declared, seed=2)
    verdict = judged(slight[1], slight[0], declared)
    assert explained(verdict, *slight).not_refuted_under is not None
    assert explained(verdict, *slight, [slight, gross]).not_refuted_under is None


def test_only_words_of_the_system_are_proposed():
    proposed = {name: [word for words in weaker(system, FORMED) for word in words] for name, system in SYSTEMS.items()}
    for word, systems in (("gain", {"rotrnn"}), ("expm", {"rotrnn", "expm"}), ("stages", {"lru", "rotrnn"})):
        assert {name for name, words in proposed.items() if word in words} == systems
    assert set(proposed["expm"]) == {"expm"}


def test_every_declaration_is_judged_once():
    draw = case("scan")
    call = draw.call()
    found = Judgements([(call, exact(call, UNDECLARED))])
    assert found.under(UNDECLARED) is found.under(Arithmetic("float32"))
    assert list(found.known) == [UNDECLARED]

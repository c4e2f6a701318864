"""The lemmas about scans: faults planted in each are refused, and the rounding theorem holds on circuits run beside it."""

import dataclasses
import itertools
from fractions import Fraction
from random import Random

import pytest
import sympy as sp

from scanproof import proofs
from scanproof.proofs.engine.run import check
from scanproof.proofs.rotations import rotation_operator
from scanproof.proofs.rounding import circuits, rounding_recurrence, rounding_theorem
from scanproof.proofs.rounding.circuits import COARSE
from scanproof.proofs.scan import adjoint, scan_algebra, scan_operator

U, BETA, R = COARSE.u, COARSE.beta, COARSE.r
TRUE_SCAN, TRUE_COMPOSE = scan_algebra.scan, rotation_operator.compose
LOSSY = COARSE._replace(loss=Fraction(1, 64))


def lemma(topic, name):
    return next(lemma for lemma in topic.LEMMAS if lemma.name == name)


def refused(topic, name):
    return proofs.prove(lemma(topic, name)).status == "refused"


# ---------------------------------------------------------------- scan algebra
def test_there_are_429_bracketings_of_8_and_none_is_met_twice():
    def pair(left, right):
        return (left, right)

    trees = list(scan_algebra.bracketings(range(8), pair))
    assert len(trees) == len(set(trees)) == 429
    assert [len(list(scan_algebra.bracketings(range(n), pair))) for n in range(1, 8)] == [1, 1, 2, 5, 14, 42, 132]


def test_one_swapped_combination_among_the_429_is_refused():
    calls = itertools.count()

    def once_swapped(first, then):
        return scan_operator.compose(*((then, first) if next(calls) == 700 else (first, then)))

    claim = list(scan_algebra.every_bracketing())[1]
    every = list(scan_algebra.bracketings(scan_algebra.ELEMENTS, once_swapped))
    planted = dataclasses.replace(claim, lhs=scan_algebra.labelled([x[1] for x in every]), mutants=(), instances=())
    assert check(planted).status == "refused"
    assert next(calls) > 700


def wrong_order(first, then):
    return scan_operator.compose(then, first)


def undecayed(first, then):
    (A, b), (A_, b_) = first, then
    return A_ * A, b + b_


@pytest.mark.parametrize("compose", [wrong_order, undecayed])
@pytest.mark.parametrize("name", ["scan-any-bracketing", "scan-doubling"])
def test_a_wrong_operator_is_refused(monkeypatch, name, compose):
    monkeypatch.setattr(scan_algebra, "compose", compose)
    assert refused(scan_algebra, name)


def one_late(lam, b, h0=None, reverse=False):
    """The right states with the start forgotten in the last one, and time not flipped."""
    h = TRUE_SCAN(lam, b, h0)
    h[:, -1] = h[:, -1] - h0
    return h


@pytest.mark.parametrize("name", ["scan-carry", "scan-reverse", "scan-doubling", "scan-exclusive"])
def test_a_wrong_scan_is_refused(monkeypatch, name):
    monkeypatch.setattr(scan_algebra, "scan", one_late)
    assert refused(scan_algebra, name)


def test_a_doubling_with_the_wrong_reach_is_refused(monkeypatch):
    def three_by_three(elements):
        found, reach = list(elements), 1
        while reach < len(found):
            found = found[:reach] + [scan_operator.compose(found[t - reach], found[t]) for t in range(reach, len(found))]
            reach *= 3
        return found

    monkeypatch.setattr(scan_algebra, "doubled", three_by_three)
    assert refused(scan_algebra, "scan-doubling")


# ---------------------------------------------------------------- rotation operator, adjoint
def angle_of_the_earlier(first, then):
    """g' R(theta) x + x' in place of g' R(theta') x + x'."""
    true = TRUE_COMPOSE(first, then)
    state = then.gamma * rotation_operator.rotation(first.cosines, first.sines) * sp.Matrix(first[3:]) + sp.Matrix(then[3:])
    return true._replace(first=state[0], second=state[1])


def gain_forgotten(first, then):
    return TRUE_COMPOSE(first, then)._replace(gamma=first.gamma)


@pytest.mark.parametrize("name", ["rotation-associative", "rotation-affine"])
@pytest.mark.parametrize("compose", [angle_of_the_earlier, gain_forgotten])
def test_a_wrong_rotation_operator_is_refused(monkeypatch, name, compose):
    monkeypatch.setattr(rotation_operator, "compose", compose)
    assert refused(rotation_operator, name)


def test_angles_that_are_subtracted_are_refused(monkeypatch):
    def subtracted(first, then):
        (_, C, S, *_), (_, C_, S_, *_) = first, then
        return C * C_ + S * S_, S * C_ - C * S_

    monkeypatch.setattr(rotation_operator, "added", subtracted)
    for name in ("rotation-associative", "rotation-affine", "rotation-identity"):
        assert refused(rotation_operator, name)


@pytest.mark.slow
def test_an_adjoint_without_its_transition_is_refused(monkeypatch):
    true = adjoint.states

    def shifted(multipliers, drives, start, reverse=False):
        return true(multipliers[::-1] if reverse else multipliers, drives, start, reverse)

    assert proofs.prove(lemma(adjoint, "scan-adjoint")).status == "proved"
    monkeypatch.setattr(adjoint, "states", shifted)
    assert refused(adjoint, "scan-adjoint")


# ---------------------------------------------------------------- circuits
def test_a_fold_by_hand():
    circuit = ("-", ("*", 0, ("+", 1, 2)), ("*", 2, 0))  # x0 (x1 + x2) - x2 x0 = x0 x1
    assert dict(circuits.polynomial(circuit)) == {(0, 1): 1}
    near = circuits.evaluate(circuit, [2, -3, 5], COARSE, circuits.always(1))
    read = [x * (1 + R) for x in (2, -3, 5)]
    left = read[0] * (read[1] + read[2]) * (1 + U) * (1 + BETA)
    assert near.computed == (left - read[2] * read[0] * (1 + BETA)) * (1 + U)
    assert (near.exact, near.size, near.m, near.a) == (-6, 6, 1, 2)
    upper = 2 * (3 + 5) * (1 + U) * (1 + BETA) + 5 * 2 * (1 + BETA)
    assert near.upper == upper * (1 + R) ** 2 * (1 + U)


def random_cases(seed, count):
    """Circuits, the polynomial that they had before rewriting, and values."""
    rng = Random(seed)
    for _ in range(count):
        plain = circuits.random_circuit(rng, 6, rng.randint(1, 9))
        circuit = circuits.rewritten(rng, plain, 8)
        yield rng, plain, circuit, circuits.leaf_values(rng, circuit, 6)


def test_rewriting_keeps_the_polynomial_and_the_sizes_and_changes_the_circuit():
    changed = 0
    for _, plain, circuit, values in random_cases(5, 200):
        assert circuits.polynomial(circuit) == circuits.polynomial(plain)
        exact = circuits.evaluate(circuit, values, circuits.Model(Fraction(0), Fraction(0), Fraction(0)), circuits.always(1))
        assert exact.computed == exact.exact
        assert exact.upper == exact.size  # nothing cancels, so the circuit's own size is the polynomial's
        changed += circuit != plain
    assert changed > 100


def bound(near, u=U, beta=BETA, r=R, products=0, additions=0):
    m, a = near.m + products, near.a + additions
    return ((1 + beta) ** m * (1 + u) ** a * (1 + r) ** (near.m + 1) - 1) * near.size


WEAKER = {
    "one addition less": {"additions": -1},
    "one product less": {"products": -1},
    "u / 2": {"u": U / 2},
    "beta / 2": {"beta": BETA / 2},
    "r / 2": {"r": R / 2},
}


def test_the_circuit_theorem_on_random_circuits_and_each_weaker_bound_is_violated():
    violated = dict.fromkeys(WEAKER, 0)
    for rng, _, circuit, values in random_cases(6, 400):
        near = circuits.evaluate(circuit, values, COARSE, circuits.errors(rng))
        error = abs(near.computed - near.exact)
        assert error <= near.upper - near.size <= bound(near)
        for name, change in WEAKER.items():
            violated[name] += error > bound(near, **change)
    assert min(violated.values()) > 0, violated


def test_a_circuit_that_cancels_violates_the_bound_of_its_polynomial():
    violated = 0
    for rng, _, circuit, values in random_cases(7, 100):
        cancelling = ("-", ("+", circuit, 0), 0)
        near = circuits.evaluate(cancelling, [Fraction(10**6), *values[1:]], COARSE, circuits.extreme(rng))
        violated += abs(near.computed - near.exact) > bound(near)
    assert violated > 0


def test_instances_that_cancel_are_refused(monkeypatch):
    true = circuits.random_circuit

    def cancelling(rng, leaves, operations):
        return ("-", ("+", true(rng, leaves, operations), 0), 0) if operations else 0

    monkeypatch.setattr(circuits, "random_circuit", cancelling)
    monkeypatch.setattr(circuits, "leaf_values", lambda rng, circuit, leaves: [Fraction(10**6), *[Fraction(1)] * (leaves - 1)])
    assert refused(rounding_theorem, "rounding-circuit")


@pytest.mark.parametrize("operation", ["added", "multiplied", "read"])
def test_roundings_beyond_the_model_are_refused(monkeypatch, operation):
    true = getattr(circuits, operation)

    def beyond(*arguments, **keywords):
        near = true(*arguments, **keywords)
        return near._replace(computed=near.computed * Fraction(9, 8))

    monkeypatch.setattr(circuits, operation, beyond)
    assert refused(rounding_theorem, "rounding-near")


# ---------------------------------------------------------------- scan trees
def tree_cases(seed, count, model, largest):
    rng = Random(seed)
    for _ in range(count):
        steps = rounding_recurrence.random_steps(rng, largest)
        yield steps, rounding_recurrence.random_tree(rng, steps, model)


@pytest.mark.parametrize("model", [COARSE, LOSSY], ids=["no underflow", "underflow"])
@pytest.mark.parametrize("largest", [8, 20], ids=["|lam| <= 1", "|lam| <= 5/2"])
def test_the_recurrence_dominates_every_tree(model, largest):
    for steps, tree in tree_cases(8, 300, model, largest):
        assert tree.B_upper - tree.B <= rounding_recurrence.allowance(steps, tree.d, model)


WEAKER_RECURRENCES = {
    "one addition less": (COARSE, {}, -1),
    "u / 2": (COARSE, {"u": U / 2}, 0),
    "beta / 2": (COARSE, {"beta": BETA / 2}, 0),
    "r / 2": (COARSE, {"r": R / 2}, 0),
    "no loss": (LOSSY, {"loss": Fraction(0)}, 0),
}


@pytest.mark.parametrize(("model", "change", "additions"), WEAKER_RECURRENCES.values(), ids=WEAKER_RECURRENCES)
def test_a_weaker_recurrence_does_not(model, change, additions):
    assert any(
        tree.B_upper - tree.B > rounding_recurrence.allowance(steps, tree.d + additions, model._replace(**change))
        for steps, tree in tree_cases(9, 300, model, 8)
    )


def test_a_recurrence_that_forgets_the_reading_is_refused(monkeypatch):
    def unread(steps, model):
        return true(steps, model._replace(r=Fraction(0)))

    true = rounding_recurrence.sizes
    monkeypatch.setattr(rounding_recurrence, "sizes", unread)
    assert refused(rounding_recurrence, "rounding-recurrence")


def test_what_is_only_tested_is_not_called_proved():
    words = lemma(rounding_recurrence, "rounding-recurrence")
    assert "no underflow (with it: Coq, BoundTheorem.v)" in words.N
    assert all("instances: " in lemma.method for topic in (rounding_theorem, rounding_recurrence) for lemma in topic.LEMMAS)

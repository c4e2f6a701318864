"""Every rotation is canonical, laws of scans, reflections, counting in layers: false variants of each are refused."""

import dataclasses
import itertools
from fractions import Fraction
from random import Random

import numpy as np
import pytest
import sympy as sp
from sympy import adjoint

from scanproof import proofs
from scanproof.proofs.engine import instances
from scanproof.proofs.engine.run import check
from scanproof.proofs.householder import products as householder_products
from scanproof.proofs.householder import real_counting, state_tracking
from scanproof.proofs.rotations import every_rotation
from scanproof.proofs.scan import scan_algebra, scan_laws
from scanproof.reference.transitions.diagonal import scan as real_scan

(PARITY,) = (lemma for lemma in state_tracking.LEMMAS if lemma.name == "no-parity-without-sign")
TOPICS = (every_rotation, scan_laws, householder_products, real_counting)
LEMMAS = {lemma.name: lemma for topic in TOPICS for lemma in topic.LEMMAS}


def refused(name):
    return proofs.prove(LEMMAS[name]).status == "refused"


def claim_of(name, start):
    (claim,) = (claim for claim in LEMMAS[name].claims() if claim.what.startswith(start))
    return claim


def false(name, start, rhs):
    """A claim with another right-hand side is refused by rewriting."""
    outcome = check(dataclasses.replace(claim_of(name, start), rhs=rhs, mutants=()))
    return outcome.reason.startswith("false or not decided")


@pytest.mark.parametrize("name", LEMMAS)
def test_every_lemma_is_shipped_and_proved(name):
    assert LEMMAS[name] in proofs.lemmas()
    result = proofs.prove(LEMMAS[name])
    assert (result.status, result.reason) == ("proved", "")


# ---------------------------------------------------------------- every rotation
@pytest.mark.parametrize("part", ["A", "F", "R", "v"])
def test_a_plane_that_is_none_is_refused(monkeypatch, part):
    honest, letter = every_rotation.with_plane, getattr(every_rotation, part)
    monkeypatch.setattr(every_rotation, "with_plane", lambda rng, n: {**(env := honest(rng, n)), letter: 2 * env[letter]})
    assert refused("every-rotation-is-canonical")


def test_a_basis_that_is_not_complete_is_refused(monkeypatch):
    honest = every_rotation.with_plane
    monkeypatch.setattr(every_rotation, "with_plane", lambda rng, n: {**(env := honest(rng, n)), every_rotation.G: env[every_rotation.F]})
    assert refused("every-rotation-is-canonical")


def test_other_turns_of_the_plane_are_refused():
    v, A, c = every_rotation.v, every_rotation.A, every_rotation.c
    W = A * v - c * v
    assert false("every-rotation-is-canonical", "A W = ", c * W - v)
    assert false("every-rotation-is-canonical", "|W|^2 = ", 1 + c**2)


@pytest.mark.parametrize("wrong", [lambda L: L + L.T, lambda L: 2 * L])
def test_another_generator_is_refused(monkeypatch, wrong):
    honest, L = every_rotation.conjugated, every_rotation.L
    monkeypatch.setattr(every_rotation, "conjugated", lambda rng, n: {**(env := honest(rng, n)), L: wrong(env[L]) + sp.eye(n)})
    assert refused("exp-onto-every-rotation")


def hyperbolic(cosines, sines):
    """With the sign of one sine lost."""
    return sp.Matrix([[cosines, sines], [sines, cosines]])


def test_angles_that_are_no_rotation_have_another_derivative(monkeypatch):
    monkeypatch.setattr(every_rotation, "rotation", hyperbolic)
    result = proofs.prove(LEMMAS["exp-onto-every-rotation"])
    assert (result.status, result.claims[0].reason[:20]) == ("refused", "false or not decided")


def test_the_derivative_of_theta_needs_the_generator_of_its_own_angles():
    b1, b2, w = every_rotation.b1, every_rotation.b2, sp.Symbol("w1")
    claim = claim_of("exp-onto-every-rotation", "Theta' = L Theta")
    assert claim.lhs.has(w, sp.sin)  # the product is formed: nothing of it is a hypothesis
    assert claim.given == ()
    assert false("exp-onto-every-rotation", "Theta' = L Theta", claim.rhs.xreplace({b1: b2, b2: b1}))


@pytest.mark.parametrize("wrong", [lambda env: {every_rotation.d: -env[every_rotation.d]}, lambda env: {every_rotation.j: env[every_rotation.j] + 1}])
def test_another_determinant_or_count_of_lines_is_refused(monkeypatch, wrong):
    honest = every_rotation.with_lines
    monkeypatch.setattr(every_rotation, "with_lines", lambda *words: (env := honest(*words)) | wrong(env))
    assert refused("every-rotation-is-canonical")


def test_determinants_of_lines_are_those_of_matrices():
    for n, first in itertools.product((2, 3, 5), (sp.Matrix([[-1]]), sp.eye(1))):
        env = every_rotation.with_lines(Random(n), n, first)
        lines = int(env[every_rotation.j]) + int(first[0] == -1)
        assert env[every_rotation.d] == (-1) ** lines


# ---------------------------------------------------------------- laws
@pytest.mark.parametrize("part", ["A2", "c", "k"])
@pytest.mark.parametrize("name", ["scan-causal", "scan-time-invariant"])
def test_steps_that_differ_are_refused(monkeypatch, part, name):
    """Of time invariance all steps have one transition: no hypothesis speaks of another."""
    honest, letter = scan_laws.twice, getattr(scan_laws, part)
    monkeypatch.setattr(scan_laws, "twice", lambda rng, n: {**(env := honest(rng, n)), letter: 2 * env[letter]})
    assert refused(name) == (name == "scan-causal" or part != "A2")


def looking_ahead(lam, b, h0=None, reverse=False):
    """Adds the next drive."""
    found = real_scan(lam, b, h0, reverse)
    found[:, :-1] = found[:, :-1] + b[:, 1:]
    return found


def squaring(lam, b, h0=None, reverse=False):
    """Not linear: applies every transition to the product of state and state."""
    found = real_scan(lam, b, h0, reverse)
    found[:, 0] = found[:, 0] + (b[:, 0] * adjoint(b[0, 0, 0]) * b[:, 0])
    return found


@pytest.mark.parametrize(("wrong", "name"), [
    (looking_ahead, "scan-causal"), (looking_ahead, "scan-time-invariant"), (squaring, "scan-linear"),
])  # fmt: skip
def test_a_scan_that_breaks_a_law_is_refused(monkeypatch, wrong, name):
    monkeypatch.setattr(scan_algebra, "scan", wrong)
    assert refused(name)


# ---------------------------------------------------------------- reflections
@pytest.mark.parametrize("wrong", [lambda beta, k: 1 + k * beta * adjoint(k), lambda beta, k: 1 - k * adjoint(k)])
def test_other_factors_are_refused(monkeypatch, wrong):
    monkeypatch.setattr(householder_products, "house", wrong)
    assert refused("orthogonal-by-reflections")
    assert refused("eigenvalues-of-products")


def test_a_factor_that_loses_nothing_must_be_across():
    honest = claim_of("eigenvalues-of-products", "l = beta (2 - beta)")
    assert check(dataclasses.replace(honest, given=())).status == "refused"


def test_orthogonal_matrices_by_reflections_in_fractions():
    """The construction itself: at most N reflections undo a rotation, and a cycle of m needs m - 1."""
    for n in (2, 3, 5):
        left, used = undone(instances.rotation(Random(n), n))
        assert left == sp.eye(n)
        assert used <= n
    for m in (2, 3, 5):
        cycle = sp.ImmutableMatrix(m, m, lambda i, j: int(i == (j + 1) % m))  # noqa: B023
        assert undone(cycle) == (sp.eye(m), m - 1)


def undone(A):
    """A after one reflection for each column that is not in place, and how many there were."""
    used = 0
    for i in range(A.rows):
        gap = A[:, i] - sp.eye(A.rows)[:, i]
        if gap.is_zero_matrix:
            continue
        A, used = A - 2 / (gap.T * gap)[0] * gap * (gap.T * A), used + 1
    return sp.ImmutableMatrix(A), used


def test_two_factors_of_the_interval_turn_nothing_and_two_reflections_do():
    for seed in range(6):
        rng = Random(seed)
        k, j = (instances.rotation(rng, 2)[:, 0] for _ in range(2))
        for beta, gamma in itertools.product((sp.Rational(1, 2), sp.Integer(1)), repeat=2):
            product = (sp.eye(2) - beta * k * k.T) * (sp.eye(2) - gamma * j * j.T)
            assert product.trace() ** 2 - 4 * product.det() >= 0  # real eigenvalues
        turn = (sp.eye(2) - 2 * k * k.T) * (sp.eye(2) - 2 * j * j.T)
        assert turn.trace() ** 2 - 4 * turn.det() <= 0


# ---------------------------------------------------------------- counting
def losing(lam, b, h0=None, reverse=False):
    """The drive is used at the first step only."""
    return real_scan(lam, np.where(np.arange(b.shape[1])[None, :, None] == 0, b, 0 * b), h0, reverse)


def test_changes_of_another_recurrence_are_refused(monkeypatch):
    monkeypatch.setattr(scan_algebra, "scan", losing)
    result = proofs.prove(PARITY)
    assert [claim.status for claim in result.claims] == ["proved", "refused", "refused", "refused"]  # no drive at 2 nor at 3


@pytest.mark.parametrize(("sign", "steps"), [(-1, 1), (1, 2)])
def test_changes_need_their_sign_and_their_steps(monkeypatch, sign, steps):
    honest = state_tracking.changes
    monkeypatch.setattr(state_tracking, "changes", lambda *_: honest(sign, steps))
    assert proofs.prove(PARITY).status == "refused"


def test_a_period_without_its_last_step_is_refused(monkeypatch):
    monkeypatch.setattr(real_counting, "compose", lambda first, then: first)
    assert refused("real-transitions-count-powers-of-two")


def test_transitions_of_the_wrong_sign_are_refused(monkeypatch):
    honest = real_counting.pairs
    monkeypatch.setattr(real_counting, "pairs", lambda signs: honest((-1, 1)))
    assert refused("real-transitions-count-powers-of-two")


def rounded(x):
    """To integers from -7 to 7."""
    return max(-7, min(7, round(x)))


def states_of(inputs, transitions, start):
    """A scalar state in small integers; the input chooses the step."""
    found, h = [], start
    for x in inputs:
        a, b = transitions[x]
        h = rounded(rounded(a * h) + b)
        found.append(h)
    return found


def period(sequence):
    """Of the end of a long sequence."""
    tail = sequence[len(sequence) // 2 :]
    return next(p for p in range(1, len(tail)) if all(x == y for x, y in zip(tail, tail[p:], strict=False)))


@pytest.mark.slow
def test_layers_of_small_integers_have_periods_that_divide_powers_of_two():
    rng, seen = Random(0), set()
    for _ in range(300):
        signs = rng.choice(((1,), (1, -1)))
        sequence = [0] * 400
        for layer in range(3):
            drawn = {x: (rng.choice(signs) * Fraction(rng.randint(1, 9), 4), rng.randint(-4, 4)) for x in set(sequence)}
            sequence = states_of(sequence, drawn, rng.randint(-7, 7))
            length = period(sequence)
            assert 2 ** (layer + 1) % length == 0
            assert length == 1 or -1 in signs
            seen.add(length)
    assert {1, 2, 4} <= seen

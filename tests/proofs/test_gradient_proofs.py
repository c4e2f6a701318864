"""Gradients of the layers, closed forms, the LRU's ring and the elements of bounded.py: false variants of each are refused."""

import dataclasses
import types
from fractions import Fraction
from random import Random

import numpy as np
import pytest
import sympy as sp

from scanproof import proofs
from scanproof.proofs.engine import instances
from scanproof.proofs.engine.run import check
from scanproof.proofs.rotations import closed_forms, surjectivity
from scanproof.proofs.rounding import rounding_elements
from scanproof.proofs.systems import layer_gradients, lru_ring
from scanproof.reference.allowance.bounded import Bounded
from scanproof.reference.allowance.operation_errors import operation_errors
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.numbers import namespace
from scanproof.reference.systems import lru, rotrnn

TOPICS = (closed_forms, surjectivity, lru_ring, layer_gradients, rounding_elements)
LEMMAS = {lemma.name: lemma for topic in TOPICS for lemma in topic.LEMMAS}


def refused(name):
    return proofs.prove(LEMMAS[name]).status == "refused"


def claim_of(name, start):
    (claim,) = (claim for claim in LEMMAS[name].claims() if claim.what.startswith(start))
    return claim


@pytest.mark.slow
@pytest.mark.parametrize("name", LEMMAS)
def test_every_lemma_is_shipped_and_proved(name):
    assert LEMMAS[name] in proofs.lemmas()
    result = proofs.prove(LEMMAS[name])
    assert (result.status, result.reason) == ("proved", "")


# ---------------------------------------------------------------- gradients
def changed(layer, **functions):
    """The layer with other functions."""
    return types.SimpleNamespace(**{**vars(layer), **functions})


def with_wrong(layer, field, wrong):
    """The layer whose adjoint has another cotangent of one argument."""

    def pull_back(*arguments):
        bar = layer.pull_back(*arguments)
        return dataclasses.replace(bar, **{field: wrong(getattr(bar, field))})

    return changed(layer, pull_back=pull_back)


@pytest.mark.parametrize("field", lru.SYSTEM.gradients)
def test_a_wrong_sign_in_any_gradient_of_the_lru_is_refused(monkeypatch, field):
    monkeypatch.setattr(layer_gradients, "lru", with_wrong(lru, field, lambda x: -x))
    assert refused("lru-gradients")


def test_a_conjugated_gradient_of_an_initial_state_is_refused(monkeypatch):
    monkeypatch.setattr(layer_gradients, "lru", with_wrong(lru, "h0", lambda x: layer_gradients.each(sp.conjugate, x)))
    assert refused("lru-gradients")


@pytest.mark.slow
@pytest.mark.parametrize("field", [name for name in rotrnn.SYSTEM.gradients if name != "M"])
def test_a_wrong_sign_in_any_gradient_of_rotrnn_is_refused(monkeypatch, field):
    monkeypatch.setattr(layer_gradients, "rotrnn", with_wrong(rotrnn, field, lambda x: -x))
    assert refused("rotrnn-gradients")


@pytest.mark.slow
def test_a_layer_that_runs_backwards_has_other_gradients(monkeypatch):
    backwards = lambda params, u, h0, y_bar: lru.pull_back(params, u, h0, y_bar, reverse=True)  # noqa: E731
    monkeypatch.setattr(layer_gradients, "lru", changed(lru, pull_back=backwards))
    assert refused("lru-gradients")
    backwards = lambda k, u, h0, y_bar: rotrnn.adjoint(k, u, h0, y_bar, reverse=True)  # noqa: E731
    monkeypatch.setattr(layer_gradients, "rotrnn", changed(rotrnn, adjoint=backwards))
    assert refused("rotrnn-gradients")


@pytest.mark.slow
@pytest.mark.parametrize("field", rotrnn.Constants._fields)
def test_a_wrong_gradient_of_a_constant_is_refused(monkeypatch, field):
    def wrong(*arguments):
        bar, *rest = rotrnn.adjoint(*arguments)
        return bar._replace(**{field: 2 * getattr(bar, field)}), *rest

    monkeypatch.setattr(layer_gradients, "rotrnn", changed(rotrnn, adjoint=wrong))
    assert refused("rotrnn-gradients")


@pytest.mark.slow
def test_a_frechet_derivative_at_the_transpose_is_refused(monkeypatch):
    true = namespace.symbols().frechet
    wrong = types.SimpleNamespace(frechet=lambda S, E: true(S.swapaxes(1, 2), E))
    monkeypatch.setattr(layer_gradients, "namespace", types.SimpleNamespace(symbols=lambda: wrong))
    assert refused("rotrnn-gradients")


# ---------------------------------------------------------------- closed forms
@pytest.mark.parametrize(
    "wrong",
    [
        lambda t: (sp.sin(closed_forms.r * t), (1 - sp.cos(closed_forms.r * t)) / closed_forms.r**2),  # not divided by r
        lambda t: (sp.sin(closed_forms.r * t) / closed_forms.r, (1 + sp.cos(closed_forms.r * t)) / closed_forms.r**2),
    ],
)
def test_another_formula_than_rodrigues_is_refused(monkeypatch, wrong):
    monkeypatch.setattr(closed_forms, "rodrigues", wrong)
    assert refused("exp-closed-one-angle")


def test_a_matrix_of_two_angles_has_no_one_angle(monkeypatch):
    """K^3 = -r^2 K fails for a general skew matrix."""
    true = closed_forms.one_plane
    monkeypatch.setattr(closed_forms, "one_plane", lambda rng, n: {**true(rng, n), closed_forms.K: instances.skew(rng, n)})
    assert refused("exp-closed-one-angle")


def test_two_multiplications_from_one_side_are_refused(monkeypatch):
    true = closed_forms.quaternion
    monkeypatch.setattr(closed_forms, "quaternion", lambda v, side: true(v, 1))
    assert refused("exp-closed-four")


@pytest.mark.parametrize("name", ["rotation", "form"])
def test_rotations_that_are_none_are_refused(monkeypatch, name):
    wrong = {"rotation": instances.reflection, "form": lambda K, one, cos, sin: one + sin * K + (1 + cos) * K * K}[name]
    monkeypatch.setattr(surjectivity, name, wrong)
    assert refused("exp-onto-rotations")


def test_rodrigues_on_a_quarter_turn_by_hand():
    K = sp.Matrix([[0, -3, 0], [3, 0, -4], [0, 4, 0]])  # r = 5
    value = {closed_forms.r: sp.Integer(5), closed_forms.t: sp.pi / 10}
    x, y = (factor.subs(value) for factor in closed_forms.rodrigues(closed_forms.t))
    E = sp.eye(3) + x * K + y * K**2
    assert 25 * E == sp.Matrix([[16, -15, 12], [15, 0, -20], [12, 20, 9]])
    assert (E.T * E, E.det()) == (sp.eye(3), 1)


# ---------------------------------------------------------------- the ring
def test_a_radius_that_is_uniform_itself_is_refused(monkeypatch):
    linear = lambda radius: (radius - lru_ring.a) / (lru_ring.b - lru_ring.a)  # noqa: E731
    monkeypatch.setattr(lru_ring, "distribution", linear)
    assert refused("ring-initialisation")


def test_inputs_that_are_not_white_are_refused(monkeypatch):
    true = lru_ring.white_inputs
    wrong = lambda rng, width, states: {v: 2 * x for v, x in true(rng, width, states).items()}  # noqa: E731
    monkeypatch.setattr(lru_ring, "white_inputs", wrong)
    assert refused("ring-initialisation")


def test_the_constant_input_case_of_the_proposition_is_refused_where_the_phase_is_restricted():
    claim = claim_of("ring-constant-input", "r = 1/2")
    assert check(dataclasses.replace(claim, rhs=sp.Rational(4, 3), mutants=())).status == "refused"
    inequality = claim_of("ring-constant-input", "k tan - tan")
    flipped = dataclasses.replace(inequality, lhs=-inequality.lhs, rhs=-inequality.rhs, mutants=())
    assert check(flipped).status == "refused"


def test_the_counter_example_in_numbers():
    """The integrand falls from angle 0 to pi/3, so sums over left and right ends enclose its mean: 8/3, not 4/3."""
    values = 1 / np.abs(1 - np.exp(1j * np.linspace(0, np.pi / 3, 1001)) / 2) ** 2
    assert (np.diff(values) < 0).all()
    assert 4 / 3 < values[1:].mean() < 8 / 3 < values[:-1].mean()


# ---------------------------------------------------------------- elements
def test_a_product_rule_without_its_last_part_is_refused():
    claim = claim_of("element-product", "Xa Eb")
    for mutant in claim.mutants:
        assert check(dataclasses.replace(claim, lhs=mutant, mutants=())).status == "refused"


@pytest.mark.parametrize("wrong", [lambda n: (1 + rounding_elements.u) ** (n - 2), lambda n: 1 + (n - 1) * rounding_elements.u])
def test_fewer_roundings_or_linear_growth_of_a_sum_are_refused(monkeypatch, wrong):
    monkeypatch.setattr(rounding_elements, "power", wrong)
    assert refused("element-open-sum")


def test_factors_with_more_error_than_stated_are_refused(monkeypatch):
    true = rounding_elements.factors

    def wrong(rng):
        env = true(rng)
        return {**env, rounding_elements.da: env[rounding_elements.Ea] + 1}

    monkeypatch.setattr(rounding_elements, "factors", wrong)
    assert refused("element-product")


def test_near_computes_these_rules_rounded_upwards():
    """E0 of a product and E of an open sum, in Fractions, are what bounded.py says, but for its own float64 roundings."""
    errors, rng = operation_errors(Arithmetic("float32"), materialized=False), Random(5)
    u, beta, loss = (Fraction(float(x)) for x in (errors.real.u, errors.real.beta, errors.real.product_loss))
    for _ in range(20):
        numbers = np.array([rng.uniform(1, 9) for _ in range(6)])
        x, y = Bounded.leaf(numbers[:3], errors), Bounded.leaf(numbers[3:], errors)
        one, total = (x * y)[:1] * y[:1], (x * y).sum(0)
        Xa, Ea, Xb = (Fraction(float(size.flat[0])) for size in ((x * y)[:1].X, (x * y)[:1].E, y[:1].X))
        E0 = Ea * Xb + beta * (Xa + Ea) * Xb + loss
        assert E0 <= Fraction(float(one.E0[0])) * Fraction(errors.inflation()) < E0 * (1 + u)
        X, E0, n = (Fraction(float(part)) for part in (total.X, total.E0, total.n))
        E = E0 + ((1 + u) ** int(n - 1) - 1) * (X + E0)
        assert n == 3
        assert E <= Fraction(float(total.E)) * Fraction(errors.inflation()) < E * (1 + u)

"""Constants of complex arithmetic, and rules for functions, quotients, stores and bases: false variants of each are refused."""

import dataclasses
import itertools
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp

from scanproof import proofs
from scanproof.proofs.engine.run import check
from scanproof.proofs.rounding import complex_product, element_functions

LEMMAS = {lemma.name: lemma for topic in (complex_product, element_functions) for lemma in topic.LEMMAS}


def refused(name):
    return proofs.prove(LEMMAS[name]).status == "refused"


def claim_of(name, start):
    (claim,) = (claim for claim in LEMMAS[name].claims() if claim.what.startswith(start))
    return claim


@pytest.mark.parametrize("name", LEMMAS)
def test_every_lemma_is_shipped_and_proved(name):
    assert LEMMAS[name] in proofs.lemmas()
    result = proofs.prove(LEMMAS[name])
    assert (result.status, result.reason) == ("proved", "")


# ---------------------------------------------------------------- complex products
def test_nearest_is_that_of_numpy_with_more_bits(monkeypatch):
    rng = np.random.default_rng(0)
    monkeypatch.setattr(complex_product, "BITS", 24)
    monkeypatch.setattr(complex_product, "U", Fraction(1, 2**24))
    for x in rng.uniform(-9, 9, 200):
        assert complex_product.nearest(Fraction(x)) == Fraction(float(np.float32(x)))


@pytest.mark.parametrize("wrong", [lambda x: Fraction(int(x * 4), 4), lambda x: x * Fraction(5, 4)], ids=["truncates", "far"])
def test_another_rounding_is_refused(monkeypatch, wrong):
    monkeypatch.setattr(complex_product, "nearest", wrong)
    assert refused("rounding-to-nearest")
    assert refused("complex-product")


def test_a_constant_below_four_by_the_root_of_three_is_refused():
    claim = claim_of("complex-product", "(2x)^2 + (2m + 2n)^2")
    for smaller in (5, sp.Rational(53, 10)):
        lhs = claim.lhs - (sp.Rational(16, 3) - smaller) * complex_product.SQUARE
        assert check(dataclasses.replace(claim, lhs=lhs, mutants=())).status == "refused"
        assert any(float(lhs.xreplace(instance)) < 0 for instance in claim.instances)


@pytest.mark.slow
def test_the_proved_constant_in_numbers():
    """Every product of numbers with 3 bits is within 4/sqrt(3) u, and 3/2 u is too little for it."""
    u, worst = complex_product.U, Fraction(0)
    numbers = [Fraction(n) * scale for n in complex_product.SIGNIFICANDS for scale in (1, 2)]
    fl = complex_product.nearest
    for a, b, c, d in itertools.product(numbers, repeat=4):
        re, im = fl(fl(a * c) - fl(b * d)) - (a * c - b * d), fl(fl(a * d) + fl(b * c)) - (a * d + b * c)
        worst = max(worst, (re**2 + im**2) / ((a**2 + b**2) * (c**2 + d**2)))
    assert Fraction(9, 4) * u**2 < worst <= Fraction(16, 3) * u**2


def test_more_roundings_than_three_are_refused(monkeypatch):
    monkeypatch.setattr(complex_product, "U", 2 * complex_product.U)  # rounded by 2 u, for the bound of u
    claims = [claim for claim in LEMMAS["complex-step"].claims() if claim.given]
    u = {complex_product.u: sp.Rational(1, 8)}
    halved = [dataclasses.replace(claim, instances=tuple({**env, **u} for env in claim.instances)) for claim in claims]
    assert {check(claim).status for claim in halved[:1]} == {"refused"}


# ---------------------------------------------------------------- elements
@pytest.mark.parametrize(("name", "model", "change"), [
    ("element-function", "evaluated", lambda env: env | {element_functions.dz: env[element_functions.dz] + 1}),
    ("element-quotient", "quotients", lambda env: env | {element_functions.na: env[element_functions.na] + 1}),
    ("element-store", "stored", lambda env: env | {element_functions.size: env[element_functions.size] + 1}),
    ("element-norm-lane", "bases", lambda env: env | {element_functions.xy: env[element_functions.xy] + 1}),
    ("element-norm-lane", "bases", lambda env: env | {element_functions.P: 2 * env[element_functions.P]}),
])  # fmt: skip
def test_errors_beyond_what_is_stated_are_refused(monkeypatch, name, model, change):
    honest = getattr(element_functions, model)
    monkeypatch.setattr(element_functions, model, lambda *arguments: change(honest(*arguments)))
    assert refused(name)


def test_the_rules_on_fractions():
    """A function 3 x + 1, off by e relative; a quotient; what is stored: the granted error covers the worst corners."""
    e, v, E = Fraction(1, 8), Fraction(5, 2), Fraction(1, 4)
    worst = max(abs((3 * (v + s * E) + 1) * (1 + t * e) - (3 * v + 1)) for s in (-1, 1) for t in (-1, 1))
    assert worst == 3 * E + e * (3 * v + 1 + 3 * E)
    a, b, Ea, Eb = Fraction(7), Fraction(2), Fraction(1, 2), Fraction(1, 4)
    quotients = [abs((a + s * Ea) / (b + t * Eb) - a / b) for s in (-1, 0, 1) for t in (-1, 0, 1)]
    assert max(quotients) == (Ea + a / b * Eb) / (b - Eb)

"""The lemmas of RotRNN and LRU: false variants of each are refused, and most are seen again in exact numbers."""

import dataclasses
import itertools
import math
from fractions import Fraction
from random import Random

import numpy as np
import pytest
import sympy as sp
from sympy import adjoint

from scanproof import proofs
from scanproof.proofs.engine import instances, moments
from scanproof.proofs.engine.algebra import Claim
from scanproof.proofs.engine.run import check
from scanproof.proofs.rotations import canonical_form
from scanproof.proofs.systems import equivalence, lru, state_norm
from scanproof.reference.numbers.gaussian import Gaussian
from scanproof.reference.systems import lru as lru_layer
from scanproof.reference.systems import rotrnn as rotrnn_layer
from scanproof.reference.transitions.rotation import rotate

TOPICS = (canonical_form, lru, state_norm, equivalence)
LEMMAS = {lemma.name: lemma for topic in TOPICS for lemma in topic.LEMMAS}
WHITE_LEMMAS = ("expected-state-norm", "lru-variance")


def refused(name):
    return proofs.prove(LEMMAS[name]).status == "refused"


def claim_of(name, start):
    (claim,) = (claim for claim in LEMMAS[name].claims() if claim.what.startswith(start))
    return claim


@pytest.mark.slow
@pytest.mark.parametrize("name", LEMMAS)
def test_every_lemma_of_the_layers_is_shipped_and_proved(name):
    assert LEMMAS[name] in proofs.lemmas()
    result = proofs.prove(LEMMAS[name])
    assert (result.status, result.reason) == ("proved", "")


# ---------------------------------------------------------------- false variants
def turned_back(cos, sin, s):
    return rotate(cos, -sin, s)


def reflected(cos, sin, s):
    return rotate(cos, sin, s * np.array([1, -1]))


@pytest.mark.parametrize("wrong", [turned_back, reflected])
def test_a_wrong_rotation_of_pairs_is_refused(monkeypatch, wrong):
    monkeypatch.setattr(canonical_form, "rotate", wrong)
    assert refused("theta-rotation")


@pytest.mark.parametrize(
    "wrong",
    [
        lambda cosines, sines: sp.Matrix([[cosines, sines], [sines, cosines]]),  # hyperbolic
        lambda cosines, sines: sp.Matrix([[cosines, sines], [sines, -cosines]]),  # a reflection
    ],
)
def test_a_theta_that_is_no_rotation_is_refused(monkeypatch, wrong):
    monkeypatch.setattr(canonical_form, "rotation", wrong)
    assert refused("theta-rotation")
    assert refused("rotated-basis")


def scaled(rng, n):
    return 2 * instances.rotation(rng, n)


@pytest.mark.parametrize("part", ["reflection", "random_rotation"])
def test_a_canonical_form_of_what_is_not_orthogonal_is_refused(monkeypatch, part):
    monkeypatch.setattr(canonical_form, part, scaled)
    assert refused("canonical-form")


def test_a_canonical_form_with_a_reflection_for_theta_is_refused(monkeypatch):
    monkeypatch.setattr(canonical_form, "random_rotation", instances.reflection)
    assert refused("canonical-form")


def test_a_canonical_form_without_its_transpose_is_refused():
    P, Theta = canonical_form.P, canonical_form.Theta
    claim = claim_of("canonical-form", "A^T A = I")
    assert check(claim).status == "proved"
    untransposed = P * Theta * P
    variant = dataclasses.replace(claim, lhs=untransposed * untransposed, mutants=())
    assert check(variant).status == "refused"


def undecayed(gamma, cos, sin, b, s0):
    return TRUE_ROTATION_SCAN(gamma**0, cos, sin, b, s0)


def angle_of_the_transpose(gamma, cos, sin, b, s0):
    return TRUE_ROTATION_SCAN(gamma, cos, -sin, b, s0)


TRUE_ROTATION_SCAN = canonical_form.rotation_scan


@pytest.mark.parametrize("wrong", [undecayed, angle_of_the_transpose])
def test_a_wrong_rotation_scan_is_refused(monkeypatch, wrong):
    monkeypatch.setattr(canonical_form, "rotation_scan", wrong)
    assert refused("rotated-basis")


def test_inputs_projected_by_P_in_place_of_its_transpose_are_refused():
    claim = claim_of("rotated-basis", "P^T h' =")
    assert check(dataclasses.replace(claim, rhs=claim.mutants[0], mutants=())).status == "refused"


@pytest.mark.parametrize("name", ["norm-preserved", "expected-state-norm"])
def test_a_norm_that_any_matrix_keeps_is_refused(monkeypatch, name):
    monkeypatch.setattr(state_norm, "rotation", lambda rng, n: instances.matrix(rng, n, n))
    assert "vacuous" in proofs.prove(LEMMAS[name]).reason
    first = next(claim for claim in LEMMAS[name].claims() if state_norm.ISOMETRY in claim.given)
    assert check(dataclasses.replace(first, given=())).status == "refused"


@pytest.mark.parametrize("name", WHITE_LEMMAS)
@pytest.mark.parametrize("change", ["one input for all steps", "a state that knows the input", "variance 4"])
def test_inputs_that_are_not_white_are_refused(monkeypatch, name, change):
    true = moments.white_inputs

    def not_white(rng, width, states):
        env = true(rng, width, states)
        if change == "variance 4":
            return {**env, moments.u: 2 * env[moments.u]}
        if change == "one input for all steps":
            return {**env, moments.w: env[moments.u]}
        return env | {v: env[v] + instances.matrix(rng, n, width) * env[moments.u] for v, n in states.items()}

    topic = {"expected-state-norm": state_norm, "lru-variance": lru}[name]
    monkeypatch.setattr(topic, "white_inputs", not_white)
    assert refused(name)
    reasons = [check(dataclasses.replace(claim, mutants=())).reason for claim in LEMMAS[name].claims()]
    assert any(reason.startswith("vacuous: ") for reason in reasons)


@pytest.mark.parametrize("name", WHITE_LEMMAS)
def test_every_hypothesis_of_whiteness_is_needed(name):
    claims = [claim for claim in LEMMAS[name].claims() if any(moments.u in word.free_symbols for word, _ in claim.given)]
    assert any(moments.WHITE in claim.given for claim in claims)
    for claim in claims:
        for i in range(len(claim.given)):
            fewer = dataclasses.replace(claim, given=claim.given[:i] + claim.given[i + 1 :])
            assert check(fewer).reason.startswith("false or not decided")


def test_a_repeated_input_has_not_the_moments_of_white_ones():
    """The step's own formula, applied twice to one input."""
    g, xi, B, u = state_norm.gamma, state_norm.xi, state_norm.B, moments.u
    twice = g * (xi * B * u) + xi * B * u
    white = (g**2 + 1) * xi**2 * B * adjoint(B)
    planted = Claim("planted", twice * adjoint(twice), white, (moments.WHITE,), (-white,), instances.at_sizes(state_norm.steady))
    assert check(planted).reason.startswith("false or not decided")
    assert check(dataclasses.replace(planted, rhs=white + 2 * g * xi**2 * B * adjoint(B))).status == "proved"


@pytest.mark.parametrize("sign", [1, -1])
def test_the_counterexample_on_the_wrong_side_is_refused(sign):
    (inequality,) = (claim for claim in state_norm.constant_input("I", sign) if claim.signs)
    assert check(inequality).status == "proved"
    turned = dataclasses.replace(inequality, lhs=-inequality.lhs, rhs=-inequality.rhs, mutants=())
    assert check(turned).reason.startswith("no sign: ")


def normalised_without_square(params):
    k = rotrnn_layer.constants(params)
    return k._replace(xi=np.array([sp.sqrt((1 - k.gamma[0]) / rotrnn_layer.trace(params.B)[0])]))


def single_exponential(params):
    k = rotrnn_layer.constants(params)
    return k._replace(gamma=np.array([sp.exp(-sp.exp(2 * params.gamma_log[0]))]))


@pytest.mark.parametrize("wrong", [normalised_without_square, single_exponential])
def test_other_constants_of_rotrnn_are_refused(monkeypatch, wrong):
    planted = dataclasses.make_dataclass("planted", ["constants", "Params", "Constants"])
    monkeypatch.setattr(state_norm, "rotrnn", planted(wrong, rotrnn_layer.Params, rotrnn_layer.Constants))
    assert refused("expected-state-norm")


def parameterised(modulus, gain=lru_layer.normalising_gamma_log):
    """The LRU with another modulus, or another initial gamma_log."""

    class Planted:
        Params, normalising_gamma_log = lru_layer.Params, staticmethod(gain)

        @staticmethod
        def constants(params):
            k = lru_layer.constants(params)
            return k._replace(lam=k.lam * modulus(params.nu_log[0]))

    return Planted


def test_other_moduli_and_gains_of_the_lru_are_refused(monkeypatch):
    cases = {
        "decay-below-one": parameterised(lambda nu_log: sp.exp(sp.exp(nu_log)) ** 2),  # |lam| = exp(nu) > 1
        "lru-variance": parameterised(lambda nu_log: 1, lambda x: np.array([sp.log(1 - sp.exp(-sp.exp(x[0]))) / 2])),
    }
    for name, planted in cases.items():
        monkeypatch.setattr(lru, "lru", planted)
        assert refused(name)


def test_a_modulus_below_one_needs_the_inequality_of_the_exponential(monkeypatch):
    """|lam| = 1 / E with E below 1 + nu."""
    below = {lru.nu: sp.Integer(1), lru.E: sp.Rational(1, 2), lru.slack: sp.Rational(-3, 2), lru.a: sp.Integer(2)}
    monkeypatch.setattr(lru, "exponentials", lambda: (below,))
    assert "vacuous: slack >= 0" in proofs.prove(LEMMAS["decay-below-one"]).reason


@pytest.mark.slow
@pytest.mark.parametrize(
    "basis",
    [
        sp.Matrix([[1, 1], [-sp.I, sp.I]]),  # not normalised
        sp.Matrix([[1, 1], [sp.I, -sp.I]]) / sp.sqrt(2),  # turns the other way
        sp.Matrix([[1, 1], [1, -1]]) / sp.sqrt(2),  # real
    ],
)
def test_another_basis_of_the_pairs_is_refused(monkeypatch, basis):
    monkeypatch.setattr(equivalence, "BASIS", basis)
    assert refused("conjugate-pairs")
    assert refused("rotrnn-is-lru")


class ProjectedByP:
    """Two of the authors' versions: inputs enter by P in place of P^T."""

    Constants = rotrnn_layer.Constants

    @staticmethod
    def run(k, u, h0):
        return rotrnn_layer.run(k._replace(B=np.einsum("hij,hjk,hkw->hiw", k.P, k.P, k.B)), u, h0)


class DoubledReadout:
    """An LRU with the factor 2 of S4D and S5."""

    Constants = lru_layer.Constants

    @staticmethod
    def run(k, u, h0):
        return lru_layer.run(k._replace(C=2 * k.C), u, h0)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "planted"), [("rotrnn", ProjectedByP), ("lru", DoubledReadout)])
def test_another_layer_is_not_the_same_function(monkeypatch, name, planted):
    monkeypatch.setattr(equivalence, name, planted)
    assert refused("rotrnn-is-lru")


# ---------------------------------------------------------------- seen again in exact numbers
def fractions(x):
    """The same array in Fractions."""
    return np.vectorize(Fraction, otypes=[object])(np.array(x))


def random_rotation(n, seed=0):
    values = [[Fraction(int(x.p), int(x.q)) for x in row] for row in instances.rotation(Random(seed), n).tolist()]
    return np.array(values)


TURNS = ((Fraction(3, 5), Fraction(4, 5)), (Fraction(-5, 13), Fraction(12, 13)))
GAMMA, TIME = Fraction(3, 5), 3


def head(B, turns=TURNS, heads=1):
    """Heads of head_dim 4: xi is rational, because 1 - gamma^2 and tr(B^T B) are squares."""
    B, (cos, sin) = fractions(B), fractions(turns).T
    xi = Fraction(4, 5) / math.isqrt(int((B * B).sum()))
    assert xi**2 * (B * B).sum() == 1 - GAMMA**2
    P = np.stack([random_rotation(4, seed) for seed in range(heads)])
    C = fractions(Random(1).choices(range(-5, 6), k=2 * heads * 4)).reshape(1, 2, heads, 4)
    stacked = (np.stack([x] * heads) for x in (cos, sin))
    return rotrnn_layer.Constants(
        np.array([GAMMA] * heads), *stacked, P, np.array([xi] * heads), np.stack([B] * heads), C, fractions([1, -2])
    )


B = [[1, 2], [2, 4], [4, 2], [2, 0]]  # tr(B^T B) = 49


def coins(width):
    """All outcomes of fair coins +-1, (outcomes, TIME, width): white inputs."""
    return fractions(list(itertools.product((-1, 1), repeat=TIME * width))).reshape(-1, TIME, width)


def mean_squares(k, u):
    x = rotrnn_layer.run(k, u, fractions(np.zeros((len(u), 1, 1, 4), int)))[1]  # (outcomes, TIME, 1, 1, 4)
    return list((x * x).sum((2, 3, 4)).mean(0))


def test_the_expected_norm_over_all_outcomes_of_coins():
    assert mean_squares(head(B), coins(2)) == [1 - GAMMA ** (2 * t) for t in range(1, TIME + 1)]


@pytest.mark.parametrize(("turns", "rate"), [(((1, 0), (1, 0)), GAMMA), (((-1, 0), (-1, 0)), -GAMMA)])
def test_the_expected_norm_of_one_repeated_coin(turns, rate):
    repeated = coins(2)[:, :1] + 0 * coins(2)
    expected = [(1 - GAMMA**2) * ((1 - rate**t) / (1 - rate)) ** 2 for t in range(1, TIME + 1)]
    assert mean_squares(head(B, turns), repeated) == expected
    assert (expected[-1] > 1 - GAMMA ** (2 * TIME)) == (rate > 0)


def test_the_variance_of_the_lru_over_all_outcomes_of_coins():
    lam, gain = Gaussian(Fraction(1, 2), Fraction(-2, 3)), Fraction(3, 7)
    row = np.array([[Gaussian(Fraction(2), Fraction(1)), Gaussian(Fraction(-1), Fraction(3))]])
    k = lru_layer.Constants(np.array([lam]), np.array([gain]), row, row.T[None] * Fraction(1), fractions([1, 1]))
    u = coins(2)
    start = np.full((len(u), 1, 1), Gaussian(Fraction(0), Fraction(0)))
    h = lru_layer.run(k, u, start)[1][:, :, 0, 0]  # (outcomes, TIME)
    found = np.vectorize(lambda z: z.real**2 + z.imag**2, otypes=[object])(h).mean(0)
    square, power = Fraction(1, 4) + Fraction(4, 9), gain**2 * 15
    assert list(found) == [power / (1 - square) * (1 - square**t) for t in range(1, TIME + 1)]


PAIR = ((Gaussian(Fraction(1)), Gaussian(Fraction(1))), (Gaussian(Fraction(0), Fraction(-1)), Gaussian(Fraction(0), Fraction(1))))


def as_lru(k, half):
    """The LRU of RotRNN's constants, in the basis of interleaved pairs without the factor 1/sqrt(2): V^-1 = V^* / 2."""
    channels, lam, drives, readouts, bases = slice(None, None, 2 if half else 1), [], [], [], []
    V = np.full((4, 4), Gaussian(Fraction(0)))
    V[:2, :2] = V[2:, 2:] = np.array(PAIR)
    inverse = np.vectorize(Gaussian.conjugate, otypes=[object])(V.T) * Fraction(1, 2)
    for i in range(len(k.gamma)):
        turned = [Gaussian(k.gamma[i] * c, k.gamma[i] * s) for c, s in zip(k.cos[i], k.sin[i], strict=True)]
        lam += [z for first in turned for z in (first, first.conjugate())]
        bases.append(inverse @ k.P[i].T)  # (4, 4)
        drives.append(bases[-1] @ (k.xi[i] * k.B[i]))  # (4, 2)
        readouts.append(k.C[0, :, i] @ k.P[i] @ V)  # (2, 4)
    output = np.concatenate(readouts, 1)[None, :, channels] * Fraction(2 if half else 1)
    drive = np.concatenate(drives)[channels]
    pair = lru_layer.Constants(np.array(lam)[channels], fractions([1] * len(drive)), drive, output, k.D)
    return pair, lambda x: np.concatenate([basis @ state for basis, state in zip(bases, x, strict=True)])[channels]


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("heads", [1, 2])
def test_heads_are_an_lru_in_exact_numbers(heads, half):
    k, rng = head(B, heads=heads), Random(3)
    u = fractions([Fraction(rng.randint(-9, 9), 4) for _ in range(6 * 2)]).reshape(1, 6, 2)
    x0 = fractions(rng.choices(range(-5, 6), k=heads * 4)).reshape(heads, 4)
    y, x = rotrnn_layer.run(k, u, x0[None, None])
    pair, basis = as_lru(k, half)
    found, z = lru_layer.run(pair, u, basis(x0)[None, None])
    assert (found == y).all()
    assert (z[0, -1, 0] == basis(x[0, -1, 0])).all()
    other, _ = lru_layer.run(pair._replace(lam=pair.lam[::-1]), u, basis(x0)[None, None])
    assert not (other == y).all()


def test_theta_of_interleaved_pairs_is_a_rotation_too():
    """The lemma orders the coordinates otherwise."""
    cos, sin = fractions((*TURNS, (0, -1))).T
    theta = sp.Matrix(np.stack([rotate(cos, sin, e) for e in fractions(np.eye(6, dtype=int))], 1).tolist())
    assert (theta.T * theta == sp.eye(6), theta.det()) == (True, 1)


def test_what_is_cited_of_traces_holds_in_exact_numbers():
    A, X, B = instances.rotation(Random(5), 5), instances.matrix(Random(6), 5, 5), instances.matrix(Random(7), 5, 2)
    assert (A * X * A.T).trace() == X.trace()
    assert (B * B.T).trace() == (B.T * B).trace() == sum(x**2 for x in B)
    assert (B * B.T).trace() == sum((B[:, i].T * B[:, i])[0] for i in range(2))


@pytest.mark.parametrize("name", WHITE_LEMMAS)
def test_whiteness_is_called_a_hypothesis_and_operators_are_cited(name):
    assert "whiteness in time and space is a hypothesis" in LEMMAS[name].N
    assert "random vectors with second moments are operators, and E[v w^T] is v adjoint(w)" in LEMMAS[name].cited

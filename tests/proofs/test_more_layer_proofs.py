"""Householder transitions, state tracking, invariances, the authors' versions: proved, and a false variant of each is refused."""

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
from scanproof.proofs.householder import reflections as householder
from scanproof.proofs.householder import state_tracking
from scanproof.proofs.systems import authors_versions, layer_invariances
from scanproof.reference.systems import lru as lru_layer
from scanproof.reference.systems import rotrnn as rotrnn_layer
from scanproof.reference.transitions.diagonal import scan
from scanproof.reference.transitions.rotation import rotate

TOPICS = (householder, state_tracking, layer_invariances, authors_versions)
LEMMAS = {lemma.name: lemma for topic in TOPICS for lemma in topic.LEMMAS}
TRUE_HOUSE = householder.house


def refused(name):
    """Not because the claims could not be made, but for what they say."""
    result = proofs.prove(LEMMAS[name])
    return result.status == "refused" and not result.reason.startswith("the claims could not be made")


def claim_of(name, start):
    (claim,) = (claim for claim in LEMMAS[name].claims() if claim.what.startswith(start))
    assert check(claim).status == "proved"
    return dataclasses.replace(claim, mutants=())


def planted(claim, **changes):
    return check(dataclasses.replace(claim, **changes)).reason


@pytest.mark.parametrize("name", LEMMAS)
def test_every_lemma_is_shipped_and_proved(name):
    assert LEMMAS[name] in proofs.lemmas()
    result = proofs.prove(LEMMAS[name])
    assert (result.status, result.reason) == ("proved", "")


# ---------------------------------------------------------------- householder
def plus(beta, k):
    return 1 + k * beta * adjoint(k)


def one_sided(beta, k):
    return 1 - k * beta


@pytest.mark.parametrize("wrong", [plus, one_sided])
@pytest.mark.parametrize("name", ["householder-contraction", "householder-orthogonal", "two-reflections", "householder-products"])
def test_another_transition_is_refused(monkeypatch, name, wrong):
    monkeypatch.setattr(householder, "house", wrong)
    assert refused(name)


def long_column(rng, n):
    return 2 * instances.rotation(rng, n)


@pytest.mark.parametrize("name", ["householder-contraction", "householder-orthogonal", "two-reflections", "householder-products"])
def test_keys_that_are_no_unit_columns_are_refused(monkeypatch, name):
    monkeypatch.setattr(householder, "random_rotation", long_column)
    assert refused(name)


@pytest.mark.parametrize("beta", [sp.Rational(-1, 2), sp.Rational(5, 2)])
@pytest.mark.parametrize(("name", "start"), [("householder-contraction", "beta in [0, 2]"), ("householder-products", "|A x|")])
def test_no_contraction_outside_the_interval(monkeypatch, beta, name, start):
    monkeypatch.setattr(householder, "CONTRACTING", (beta,))
    (claim,) = (claim for claim in LEMMAS[name].claims() if claim.what.startswith(start))
    assert ">= 0 fails" in planted(claim, mutants=())


def test_growth_inside_the_interval_is_refused():
    claim = claim_of("householder-contraction", "beta = 2 + g")
    inside = tuple({householder.g: -gap, householder.b: 2 - gap} for gap in (sp.Rational(1, 2), sp.Integer(1)))
    assert planted(claim, instances=inside).startswith("vacuous: g >= 0 fails")
    assert planted(claim, signs=(householder.b,)).startswith("no sign")


@pytest.mark.parametrize("beta", [1, 3, -2])
def test_orthogonal_for_no_other_beta(beta):
    claim = claim_of("householder-orthogonal", "beta^2 = 2 beta")
    wrong = tuple({**env, householder.b: sp.Integer(beta)} for env in claim.instances)
    assert planted(claim, instances=wrong).startswith("vacuous: b**2 = 2*b fails")
    other = (*claim.given[:2], (householder.b**2, beta * householder.b))
    assert planted(claim, given=other).startswith("false or not decided")


def test_one_or_three_reflections_are_no_rotation():
    claim = claim_of("two-reflections", "det of two")
    d2, d1, l = householder.d2, householder.d1, householder.l
    assert planted(claim, given=((l, d2 * d1 * d1), *claim.given[1:])).startswith("false or not decided")


def test_a_plane_turned_by_the_angle_itself_is_refused(monkeypatch):
    monkeypatch.setattr(householder, "mirror", lambda cos, sin: sp.Matrix([[cos, -sin], [sin, cos]]))
    assert refused("two-reflections")


def test_columns_of_different_norm_are_not_exchanged():
    claim = claim_of("reflection-exchanges", "tau |c|^2")
    assert planted(claim, given=claim.given[:1]).startswith("false or not decided")
    longer = tuple({**env, householder.c: 2 * env[householder.c]} for env in claim.instances)
    assert planted(claim, instances=longer).startswith("vacuous: ")


# ---------------------------------------------------------------- state tracking
def test_directions_with_the_other_sign_are_refused():
    claim = claim_of("no-parity-without-sign", "a >= 0")
    negative = tuple({**env, state_tracking.a: -env[state_tracking.a]} for env in claim.instances)
    assert "fails" in planted(claim, instances=negative)
    assert planted(claim, signs=(state_tracking.f,)).startswith("no sign")


def forgotten_start(lam, b, h0=None, reverse=False):
    return scan(lam, b, 0 * h0, reverse)


def late_transition(lam, b, h0=None, reverse=False):
    return scan(lam[:, ::-1], b, h0, reverse)


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        (forgotten_start, ["no-parity-without-sign", "parity", "versions-of-rotrnn"]),
        (late_transition, ["reset-at-one-half"]),
    ],
)
def test_another_scan_is_refused(monkeypatch, wrong, names):
    monkeypatch.setattr("scanproof.proofs.scan.scan_algebra.scan", wrong)
    assert [name for name in names if not refused(name)] == []


def test_parity_by_an_or_is_refused():
    claim = claim_of("parity", "a(x) a(y)")
    x, y = state_tracking.x, state_tracking.y
    assert planted(claim, rhs=1 - 2 * (x + y - x * y)).startswith("false or not decided")


def test_parity_by_a_projection_is_refused(monkeypatch):
    monkeypatch.setattr(state_tracking, "house", lambda beta, k: TRUE_HOUSE(beta / 2, k))
    assert refused("parity")


def test_a_reset_elsewhere_is_refused():
    claim = claim_of("reset-at-one-half", "delta = log(2) / w")
    assert planted(claim, lhs=sp.exp(-sp.log(2))).startswith("false or not decided")
    bounded = claim_of("reset-at-one-half", "1 - lam^2")
    beyond = ({state_tracking.E: sp.Rational(3, 2), state_tracking.s: sp.Rational(-1, 2)},)
    assert planted(bounded, instances=beyond).startswith("vacuous: s >= 0 fails")


def test_wrong_reflections_do_not_count(monkeypatch):
    monkeypatch.setattr(state_tracking, "mirror", lambda cos, sin: sp.Matrix([[cos, -sin], [sin, cos]]))
    assert refused("counting-modulo-m")


def test_a_shift_by_fewer_reflections_is_refused():
    claim = state_tracking.shift(3)
    assert planted(claim, lhs=state_tracking.shift(2).lhs).startswith("false or not decided")


@pytest.mark.parametrize("m", [2, 3, 5])
def test_a_cyclic_shift_counts_in_exact_integers(m):
    """Seen again: states of the scan of reflections, m - 1 of them a step."""
    state, seen = list(range(m)), []
    for _ in range(2 * m):
        for i in reversed(range(m - 1)):
            state[i], state[i + 1] = state[i + 1], state[i]
        seen.append(tuple(state))
    assert seen[m - 1] == tuple(range(m))
    assert len(set(seen)) == m


def test_reflections_add_in_exact_numbers():
    """m = 4, every string of three inputs: the angle is (-1)^t 2 pi (sum) / m."""
    turns = [(1, 0), (0, 1), (-1, 0), (0, -1)]
    for string in itertools.product(range(4), repeat=3):
        state = sp.Matrix([1, 0])
        for t, step in enumerate(string):
            cos, sin = turns[step]
            state = -householder.mirror(cos, sin if t % 2 else -sin) * state
        cos, sin = turns[sum(string) % 4]
        assert tuple(state) == (cos, -sin)


# ---------------------------------------------------------------- invariances
def skewed(rng, n):
    M = instances.matrix(rng, n, n)
    return {**TRUE_SYMMETRIC(rng, n), layer_invariances.K: M - M.T + sp.eye(n)}


TRUE_SYMMETRIC = layer_invariances.symmetric


def test_another_part_of_M_matters(monkeypatch):
    claim = claim_of("only-the-skew-part", "K^T = K")
    K = layer_invariances.K
    assert planted(claim, given=((adjoint(K), -K),)).startswith("false or not decided")
    monkeypatch.setattr(layer_invariances, "symmetric", skewed)
    assert refused("only-the-skew-part")


def with_layer(monkeypatch, **changes):
    """The invariances of another reference.rotrnn."""
    names = ("Params", "constants", "adjoint", "pull_back", "Gradients")
    namespace = {name: staticmethod(getattr(rotrnn_layer, name)) for name in names} | {n: staticmethod(f) for n, f in changes.items()}
    monkeypatch.setattr(layer_invariances, "rotrnn", type("Planted", (), namespace))


def whole_M(params):
    k = rotrnn_layer.constants(params)
    return k._replace(P=k.P + params.M)


def without_xi(params):
    return rotrnn_layer.constants(params)._replace(xi=np.array([sp.Integer(1)]))


def half_angles(params):
    return rotrnn_layer.constants(dataclasses.replace(params, theta=params.theta / 2))


def not_made_skew(*args):
    bar = rotrnn_layer.pull_back(*args)
    return dataclasses.replace(bar, M=np.triu(bar.M))


def xi_is_free(params, u, h0, y_bar):
    bar = rotrnn_layer.pull_back(params, u, h0, y_bar)
    return dataclasses.replace(bar, B=rotrnn_layer.adjoint(rotrnn_layer.constants(params), u, h0, y_bar)[0].B)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("only-the-skew-part", {"constants": whole_M}),
        ("only-the-skew-part", {"pull_back": not_made_skew}),
        ("input-scale", {"constants": without_xi}),
        ("input-scale", {"pull_back": xi_is_free}),
        ("angles-and-pairs", {"constants": half_angles}),
    ],
)
def test_another_reference_loses_the_invariance(monkeypatch, name, changes):
    with_layer(monkeypatch, **changes)
    assert refused(name)


def mixed_pairs(cos, sin, s):
    return rotate(cos, sin, s) + rotate(0 * cos, sin, s[::-1])


def test_pairs_that_turn_otherwise_are_refused(monkeypatch):
    monkeypatch.setattr(layer_invariances, "rotate", mixed_pairs)
    assert refused("angles-and-pairs")


def test_a_permutation_must_be_orthogonal(monkeypatch):
    monkeypatch.setattr(layer_invariances, "shuffled", lambda rng, n: instances.matrix(rng, n, n))
    assert refused("angles-and-pairs")
    assert refused("channels-permute")


class Partial:
    """An LRU whose output has some part of the first channel's lam in it."""

    Constants = lru_layer.Constants

    def __init__(self, part):
        self.part = part

    def run(self, k, u, h0):
        y, h = lru_layer.run(k, u, h0)
        return y + self.part(k.lam[0]) * u, h


@pytest.mark.parametrize("part", [sp.re, sp.im])
def test_channels_that_are_told_apart_are_refused(monkeypatch, part):
    monkeypatch.setattr(layer_invariances, "lru", Partial(part))
    assert refused("channels-permute")


# ---------------------------------------------------------------- the authors' versions
@pytest.mark.parametrize(
    ("version", "changes"),
    [
        ("A_", {"enter": authors_versions.P}),  # B's drive
        ("A_", {"leave": adjoint(authors_versions.P)}),  # D's readout
        ("B_AND_C", {"inputs": authors_versions.B}),
        ("B_AND_C", {"inputs": adjoint(authors_versions.P) ** 2 * authors_versions.B}),
        ("D_", {"basis": authors_versions.P}),
        ("D_", {"leave": authors_versions.P}),
    ],
)
def test_a_version_with_other_parameters_is_refused(monkeypatch, version, changes):
    monkeypatch.setattr(authors_versions, version, getattr(authors_versions, version)._replace(**changes))
    assert refused("versions-of-rotrnn")


def test_versions_of_a_basis_that_is_not_orthogonal_are_refused(monkeypatch):
    monkeypatch.setattr(authors_versions, "random_rotation", long_column)
    assert refused("versions-of-rotrnn")
    assert refused("cascade-is-another-layer")


def test_the_cascade_is_not_taken_for_a_second_scan_of_the_inputs(monkeypatch):
    change = claim_of("cascade-is-another-layer", "C, one input")
    assert planted(change, rhs=sp.Integer(0)).startswith("false or not decided")
    monkeypatch.setattr(authors_versions, "impulse", lambda steps: 2 * (sp.Integer(1) * authors_versions.x,))
    assert refused("cascade-is-another-layer")


def test_columns_as_they_are_named_are_refused():
    claim = next(iter(LEMMAS["columns-of-two-directions"].claims()))
    (as_named,) = claim.mutants
    assert planted(claim, rhs=as_named, mutants=()).startswith("false or not decided")


# ---------------------------------------------------------------- seen again in exact numbers
def fractions(x):
    return np.vectorize(lambda v: Fraction(int(sp.Rational(v).p), int(sp.Rational(v).q)), otypes=[object])(np.array(x))


def head():
    """One head of head_dim 4, in Fractions."""
    cos, sin = fractions([[[sp.Rational(3, 5), 0]], [[sp.Rational(4, 5), 1]]])
    P, B, C = (fractions(m.tolist()) for m in (instances.rotation(Random(1), 4), instances.matrix(Random(2), 4, 2), sp.eye(4)[:2, :]))
    one = fractions([sp.Rational(1, 2)])
    return rotrnn_layer.Constants(one, cos, sin, P[None], 2 * one, B[None], C[None, :, None], fractions([1, -1]))


U = fractions([[[1, 2], [-3, 1], [0, 5]]])  # (1, 3, 2)
START = fractions(np.zeros((1, 1, 1, 4), int))


def outputs(k):
    return rotrnn_layer.run(k, U, START)[0]


def version(k, enter, leave):
    """A scan in a basis, entered and left by these matrices."""
    rotated = k._replace(P=np.eye(4, dtype=int)[None] * Fraction(1), B=(enter @ k.B[0])[None], C=k.C @ leave)
    return outputs(rotated)


def test_the_versions_in_exact_numbers():
    k, P = head(), head().P[0]
    squared = k._replace(B=(P @ P @ k.B[0])[None])
    assert (version(k, P.T, P) == outputs(k)).all()
    assert (version(k, P, P) == outputs(squared)).all()
    assert not (version(k, P, P) == outputs(k)).all()
    assert (version(k._replace(B=(P.T @ P.T @ k.B[0])[None]), P, P) == outputs(k)).all()
    assert (version(k, P, P.T) == outputs(k._replace(P=P.T[None]))).all()


def test_permuted_pairs_in_exact_numbers():
    k, order = head(), [2, 3, 0, 1]
    moved = k._replace(cos=k.cos[:, ::-1], sin=k.sin[:, ::-1], P=k.P[:, :, order])
    assert (outputs(moved) == outputs(k)).all()
    assert not (outputs(moved._replace(P=k.P)) == outputs(k)).all()

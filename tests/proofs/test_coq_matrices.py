"""The definitions of the Coq sources about matrices, written down again on exact numbers beside the Python that relies on them.

Rotations are rational (Cayley), so that a dense recursion, the references and the theorems are compared exactly; exp by its
series, between the balls of the reference.
"""

import random
from fractions import Fraction
from math import factorial

import flint
import numpy as np
import pytest
import sympy as sp
from coq_model import runs

from scanproof.proofs.engine import instances
from scanproof.reference.numbers.exponential import ball_expm
from scanproof.reference.systems import lru, rotrnn
from scanproof.reference.transitions.diagonal import scan
from scanproof.reference.transitions.rotation import rotation

COS, SIN = Fraction(3, 5), Fraction(4, 5)


def fractions(M):
    """A matrix of SymPy's rationals as an array of fractions."""
    return np.array([[Fraction(int(x.p), int(x.q)) for x in row] for row in M.tolist()], object)


def numbers(rng, *shape):
    return np.array([Fraction(rng.randint(-9, 9), rng.randint(1, 7)) for _ in range(np.prod(shape))], object).reshape(shape)


# ---------------------------------------------------------------- Rotation.v, Cayley.v, Norm.v, Householder.v
@runs("Cayley.skew_difference", "Cayley.cayley_unit", "Cayley.cayley_special", "Rotation.orthogonal_mul", "Rotation.det_orthogonal",
      "Rotation.special_conj", "Rotation.special_square", "Rotation.special_mul", "Rotation.special_power", "Rotation.power_add",
      "Rotation.power_conj", "Rotation.special_fixed", "Norm.square_orthogonal", "Norm.norm_preserved", "Norm.square_eq0")
@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_cayley_rotations_and_their_norms(n):
    rng = random.Random(n)
    A, P, x, g = instances.rotation(rng, n), instances.reflection(rng, n), instances.matrix(rng, n, 1), sp.Rational(3, 7)
    M = instances.matrix(rng, n, n)
    S = M - M.T
    assert (S.T, (sp.eye(n) + S).det() != 0) == (-S, True)                             # skew_difference, cayley_unit
    assert (A.T * A, A.det()) == (sp.eye(n), 1)                                        # cayley_special
    assert special(A * ((sp.eye(n) - S) * (sp.eye(n) + S).inv()))                      # special_mul, orthogonal_mul
    assert (P.det() ** 2, special(P), special(P * P)) == (1, False, True)              # det_orthogonal, special_square
    assert special(A**3)                                                               # special_power
    assert A**3 == A * A**2                                                            # power_add
    assert special(sp.diag(A, 1))                                                      # special_fixed
    assert (A * x).dot(A * x) == x.dot(x)                                              # square_orthogonal
    assert x.dot(x) != 0                                                               # square_eq0
    assert ((P * A * P.T).det(), (P * A * P.T) ** 3) == (1, P * A**3 * P.T)            # special_conj, power_conj
    assert ((g * A) ** 4 * x).dot((g * A) ** 4 * x) == g**8 * x.dot(x)                 # norm_preserved
    assert x.dot(x) != g**8 * x.dot(x)


def special(A):
    return A.T * A == sp.eye(A.rows) and A.det() == 1


def house(beta, k):
    return sp.eye(k.rows) - beta * k * k.T


@runs("Householder.house_loss", "Householder.house_contraction", "Householder.house_orthogonal", "Householder.house_det")
@pytest.mark.parametrize("n", [2, 3, 5])
def test_house_contracts_exactly_on_zero_to_two(n):
    rng = random.Random(n)
    k, x = instances.rotation(rng, n)[:, 0], instances.matrix(rng, n, 1)
    for beta in map(sp.Rational, ("-1/3", "0", "1/2", "1", "3/2", "2", "7/3")):
        H = house(beta, k)
        assert (H * x).dot(H * x) == x.dot(x) - beta * (2 - beta) * k.dot(x) ** 2      # house_loss
        assert ((H * k).dot(H * k) <= k.dot(k)) == (0 <= beta <= 2)                    # house_contraction
        assert (H.T * H == sp.eye(n)) == (beta in (0, 2))                              # house_orthogonal
        assert H.det() == 1 - beta                                                     # house_det


# ---------------------------------------------------------------- Moments.v, Adjoint.v
@runs("Moments.expected_state_norm", "Moments.trace_step", "Moments.moment_closed", "Moments.moment_fixed", "Moments.repeated_input")
@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_expected_state_norm_is_one_minus_gamma_to_the_2t(n):
    rng = random.Random(n)
    A, B, g = instances.rotation(rng, n), instances.matrix(rng, n, 2), sp.Rational(2, 3)
    gain = (1 - g**2) / (B.T * B).trace()      # xi^2
    Sigma = sp.zeros(n)
    for t in range(6):
        assert Sigma.trace() == 1 - g ** (2 * t)
        later = g**2 * A * Sigma * A.T + gain * B * B.T
        assert later.trace() == g**2 * Sigma.trace() + (1 - g**2)                     # trace_step, moment_closed: towards 1
        Sigma = later
    c = fractions(instances.matrix(rng, n, 1))[:, 0]
    x = scan(np.full(n, Fraction(2, 3)), np.tile(c, (1, 5, 1)))[0]                    # repeated_input (5, n)
    for t in range(5):
        assert Fraction(1, 3) ** 2 * (x[t] @ x[t]) == (1 - Fraction(2, 3) ** (t + 1)) ** 2 * (c @ c)


@runs("Adjoint.adjoint", "Adjoint.gradient_of_matrix", "Adjoint.perturbed_step")
@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_adjoint_recurrence_moves_sources_to_states(n):
    rng, T = random.Random(n), 5
    A, s, g = [[instances.matrix(rng, n, m) for _ in range(T + 1)] for m in (n, 1, 1)]
    d, a = [s[0]], [g[T]]
    for t in range(1, T + 1):
        d.append(A[t] * d[t - 1] + s[t])
        a.insert(0, A[T + 1 - t].T * a[0] + g[T - t])
    left, right = (sum(x.dot(y) for x, y in zip(*pair, strict=True)) for pair in ((g, d), (a, s)))
    assert left == right != 0
    dA, h, dh, b, db = (instances.matrix(rng, n, m) for m in (n, 1, 1, 1, 1))
    assert a[1].dot(dA * h) == ((a[1] * h.T).T * dA).trace()                           # gradient_of_matrix
    assert (A[1] + dA) * (h + dh) + b + db - (A[1] * h + b) == A[1] * dh + dA * h + db + dA * dh   # perturbed_step


@runs("Adjoint.adjoint")
@pytest.mark.parametrize("reverse", [False, True])
def test_the_adjoint_of_the_layer_is_that_recurrence(reverse):
    """<y_bar, y(u + du, h0 + dh) - y(u, h0)> = <u_bar, du> + <h0_bar, dh>."""
    rng, T, N, W = random.Random(7), 5, 3, 2
    k = lru.Constants(numbers(rng, N), numbers(rng, N), numbers(rng, N, W), numbers(rng, 1, W, N), numbers(rng, W))
    (u, du, y_bar), (h0, dh) = (numbers(rng, 1, T, W) for _ in range(3)), (numbers(rng, 1, 1, N) for _ in range(2))
    _, u_bar, h0_bar = lru.adjoint(k, u, h0, y_bar, reverse)
    moved = lru.run(k, u + du, h0 + dh, reverse)[0] - lru.run(k, u, h0, reverse)[0]
    assert (y_bar * moved).sum() == (u_bar * du).sum() + (h0_bar * dh).sum() != 0


# ---------------------------------------------------------------- Scan.v, Theta.v: RotRNN in the basis of its planes
@runs("Scan.change_of_basis", "Theta.rotation_power")
@pytest.mark.parametrize("n", [2, 4])
def test_rotrnn_is_the_dense_recursion(n):
    rng, T, W = random.Random(n), 5, 2
    P, g, xi = fractions(instances.reflection(rng, n)), Fraction(2, 3), Fraction(1, 5)
    B, u, h0 = numbers(rng, 1, n, W), numbers(rng, 1, T, W), numbers(rng, 1, 1, 1, n)
    cos, sin = (np.array([[Fraction(part)] * (n // 2)], object) for part in (COS, SIN))   # (1, n / 2)
    k = rotrnn.Constants(np.array([g]), cos, sin, P[None], np.array([xi]), B, numbers(rng, 1, W, 1, n), numbers(rng, W))
    states = rotrnn.run(k, u, h0)[1][0, :, 0, 0]                                        # (T, n)
    turn = np.zeros((n, n), object)
    for i in range(0, n, 2):
        turn[i : i + 2, i : i + 2] = [[COS, -SIN], [SIN, COS]]
    A, x = P @ turn @ P.T, h0[0, 0, 0]
    for t in range(T):
        x = g * (A @ x) + xi * (B[0] @ u[0, t])
        assert list(x) == list(states[t])
    assert (A @ A @ A == P @ turn @ turn @ turn @ P.T).all()


# ---------------------------------------------------------------- ConjugatePairs.v
@runs("ConjugatePairs.pairs_diagonal", "ConjugatePairs.pairs_invertible", "ConjugatePairs.rotrnn_is_lru")
def test_a_rotation_is_two_conjugate_eigenvalues():
    rng, T, g, c, s = random.Random(3), 4, sp.Rational(2, 3), sp.Rational(3, 5), sp.Rational(4, 5)
    V, W = sp.Matrix([[1, 1], [-sp.I, sp.I]]), sp.Matrix([[1, sp.I], [1, -sp.I]])
    turn, Lambda = sp.Matrix([[c, -s], [s, c]]), sp.diag(c + sp.I * s, c - sp.I * s)
    assert (turn * V - V * Lambda).expand() == sp.zeros(2)                              # pairs_diagonal
    assert V * W == 2 * sp.eye(2)                                                       # pairs_invertible
    b = [instances.matrix(rng, 2, 1) for _ in range(T)]
    drive = np.array([[list(W * x / 2) for x in b]], object)                            # (1, T, 2)
    z = scan(g * np.array([Lambda[0, 0], Lambda[1, 1]]), drive)[0]                      # (T, 2)
    cos, sin = np.array([[c]]), np.array([[s]])
    x = rotation(np.array([g]), cos, sin, np.array([[[list(y)] for y in b]], object), np.zeros((1, 1, 2), int))[0, :, 0]   # (T, 2)
    for t in range(T):
        assert (V * sp.Matrix(z[t])).expand() == sp.Matrix(x[t])                        # rotrnn_is_lru


# ---------------------------------------------------------------- Series.v, Flow.v
def series(S, K):
    """order S k, k < K: S^k / k!"""
    terms = [np.array(np.eye(len(S), dtype=int), object)]
    for k in range(1, K):
        terms.append(S @ terms[-1] / Fraction(k))
    return terms


@runs("Series.exp_add", "Series.exp_inverse", "Series.exp_halves", "Series.exp_orthogonal")
@pytest.mark.parametrize("n", [2, 3, 5])
def test_the_series_of_exp_of_a_skew_matrix(n):
    rng, K = random.Random(n), 7
    S, a, b = fractions(instances.skew(rng, n)), Fraction(2, 3), Fraction(-1, 5)
    of = {factor: series(factor * S, K) for factor in (a, b, a + b, Fraction(1), Fraction(-1), Fraction(1, 2))}

    def convolved(x, y, k):
        return sum(x[j] @ y[k - j] for j in range(k + 1))

    for k in range(K):
        one = np.eye(n, dtype=int) * (k == 0)
        assert (convolved(of[a], of[b], k) == of[a + b][k]).all()                       # exp_add
        assert (convolved(of[-1], of[1], k) == one).all()                               # exp_inverse
        assert (convolved(of[Fraction(1, 2)], of[Fraction(1, 2)], k) == of[1][k]).all()   # exp_halves
        assert (convolved([x.T for x in of[1]], of[1], k) == one).all()                 # exp_orthogonal
        assert (of[1][k] * factorial(k) == np.linalg.matrix_power(S, k)).all()


@runs("Flow.flow_orthogonal", "Flow.flow_unique", "Flow.flow_add", "Flow.flow_plane")
@pytest.mark.parametrize("n", [2, 3])
def test_the_exp_of_the_reference_is_that_series_and_that_flow(n):
    S = fractions(instances.skew(random.Random(n), n)) / 8
    s, t, one = (flint.arb(flint.fmpq(*x)) for x in ((1, 3), (1, 5), (1, 1)))
    ball = np.array([[flint.arb(flint.fmpq(x.numerator, x.denominator)) for x in row] for row in S], object)
    E, Es, Et, together = (ball_expm((time * ball)[None])[0] for time in (one, s, t, s + t))
    assert overlap(together, Es @ Et)                                                   # flow_add
    assert overlap(E.T @ E, np.eye(n))                                                  # flow_orthogonal
    assert not overlap(E, E.T)
    size, K = abs(S).sum(1).max(), 30                                                   # the rest of the series is below its next term twice
    assert 2 * size < K
    rest = 2 * size**K / factorial(K)
    partial, radius = sum(series(S, K)), flint.arb(0, float(rest) * 2)
    assert overlap(E, np.array([[flint.arb(flint.fmpq(x.numerator, x.denominator)) + radius for x in row] for row in partial], object))
    quarter = np.array([[[0, -1], [1, 0]]]) * s                                         # flow_plane
    assert overlap(ball_expm(quarter)[0], np.array([[s.cos(), -s.sin()], [s.sin(), s.cos()]], object))


def overlap(x, y):
    """Balls that may be the same numbers, and that are small."""
    assert all(abs(z.rad()) < 1e-12 for z in x.flat)
    return all(flint.arb(b).overlaps(a) for a, b in zip(x.flat, y.flat, strict=True))

"""The definitions of the algebraic Coq sources, written down again on exact numbers and run beside the Python that relies on them.

Each function below has the name and the equation of a definition of proofs/coq; what a theorem says of it is compared
exactly, on data that reference/ computes too.
"""

import random
from fractions import Fraction
from functools import reduce

import numpy as np
import pytest
import sympy as sp

from scanproof.proofs import instances
from scanproof.proofs.tiny_formats import VARIANTS, Format
from scanproof.reference.scan import rotation, scan

SEEDS = range(20)
COS, SIN = Fraction(3, 5), Fraction(4, 5)   # a rational angle; its multiples are the angles below


def fraction(rng):
    return Fraction(rng.randint(-9, 9), rng.randint(1, 7))


# ---------------------------------------------------------------- Scan.v
def steps(t):
    return [t] if not isinstance(t, list) else steps(t[0]) + steps(t[1])


def value(op, t):
    return t if not isinstance(t, list) else op(value(op, t[0]), value(op, t[1]))


def compose(p, q):
    return q[0] * p[0], q[0] * p[1] + q[1]


def act(h, p):
    return p[0] * h + p[1]


def tree(rng, elements):
    """A random bracketing: a list is a node, a tuple a step."""
    if len(elements) == 1:
        return elements[0]
    cut = rng.randrange(1, len(elements))
    return [tree(rng, elements[:cut]), tree(rng, elements[cut:])]


def drawn(rng, T):
    return [(fraction(rng), fraction(rng)) for _ in range(T)], fraction(rng)


def states(elements, h0, reverse=False):
    lam, b = (np.array([[[e[i]] for e in elements]], object) for i in (0, 1))   # (1, T, 1)
    return list(scan(lam, b, np.array([[h0]], object), reverse)[0, :, 0])


@pytest.mark.parametrize("seed", SEEDS)
def test_any_bracketing_acts_as_the_reference(seed):
    rng = random.Random(seed)
    elements, h0 = drawn(rng, rng.randint(1, 30))
    t = tree(rng, elements)
    assert steps(t) == elements
    assert value(compose, t) == reduce(compose, elements, (1, 0))                              # bracketing
    assert act(h0, value(compose, t)) == reduce(act, elements, h0) == states(elements, h0)[-1]   # any_bracketing
    swapped = value(lambda p, q: compose(q, p), t)
    assert len(elements) == 1 or swapped != value(compose, t)


@pytest.mark.parametrize("seed", SEEDS)
def test_segments_join_at_every_cut(seed):
    rng = random.Random(seed)
    elements, h0 = drawn(rng, 12)
    i, j, k = sorted(rng.choices(range(13), k=3))

    def segment(i, j):
        return reduce(compose, elements[i:j], (1, 0))

    assert compose(segment(i, j), segment(j, k)) == segment(i, k)   # segment_cut
    before, after = states(elements, h0)[j - 1] if j else h0, states(elements, h0)[k - 1] if k else h0
    assert act(before, segment(j, k)) == after


@pytest.mark.parametrize("seed", SEEDS)
def test_reverse_is_flip_scan_flip(seed):
    elements, h0 = drawn(random.Random(seed), 9)
    assert states(elements, h0, reverse=True) == states(elements[::-1], h0)[::-1]   # reverse
    assert states(elements, h0, reverse=True) != states(elements, h0)


# ---------------------------------------------------------------- Theta.v
def turned(a):
    """cos and sin of a times the rational angle, for an integer a."""
    cos, sin = 1, 0
    for _ in range(abs(a)):
        cos, sin = cos * COS - sin * SIN, sin * COS + cos * SIN
    return cos, sin if a >= 0 else -sin


def theta(a, x):
    cos, sin = turned(a)
    return np.array([cos * x[0] - sin * x[1], sin * x[0] + cos * x[1]])


def then_turn(p, q):
    return p[0] * q[0], p[1] + q[1], q[0] * theta(q[1], p[2]) + q[2]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_tree_of_turns_is_the_rotation_of_the_reference(seed):
    rng = random.Random(seed)
    gamma, angle, T = fraction(rng), rng.randint(-3, 3), rng.randint(1, 12)
    b = np.array([[fraction(rng), fraction(rng)] for _ in range(T)], object)   # (T, 2)
    zero = np.array([Fraction(0), Fraction(0)])
    cos, sin = (np.array([[part]], object) for part in turned(angle))          # (1, 1)
    expected = rotation(np.array([gamma]), cos, sin, b[None, :, None], zero[None, None])[0, -1, 0]
    g, a, x = value(then_turn, tree(rng, [(gamma, angle, b[t]) for t in range(T)]))
    assert (g, a, list(x)) == (gamma**T, T * angle, list(expected))


# ---------------------------------------------------------------- Rotation.v, Cayley.v, Norm.v, Householder.v
@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_cayley_rotations_and_their_norms(n):
    rng = random.Random(n)
    A, P, x, g = instances.rotation(rng, n), instances.reflection(rng, n), instances.matrix(rng, n, 1), sp.Rational(3, 7)
    assert (A.T * A, A.det()) == (sp.eye(n), 1)                                        # cayley_special
    assert ((P * A * P.T).det(), (P * A * P.T) ** 3) == (1, P * A**3 * P.T)            # special_conj, power_conj
    assert ((g * A) ** 4 * x).dot((g * A) ** 4 * x) == g**8 * x.dot(x)                 # norm_preserved
    assert x.dot(x) != g**8 * x.dot(x)


def house(beta, k):
    return sp.eye(k.rows) - beta * k * k.T


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
@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_expected_state_norm_is_one_minus_gamma_to_the_2t(n):
    rng = random.Random(n)
    A, B, g = instances.rotation(rng, n), instances.matrix(rng, n, 2), sp.Rational(2, 3)
    gain = (1 - g**2) / (B.T * B).trace()      # xi^2
    Sigma = sp.zeros(n)
    for t in range(6):
        assert Sigma.trace() == 1 - g ** (2 * t)
        Sigma = g**2 * A * Sigma * A.T + gain * B * B.T


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


# ---------------------------------------------------------------- Parity.v
def cycle(step, start):
    """The length of the cycle in which the states end."""
    seen = [start]
    while step(seen[-1]) not in seen:
        seen.append(step(seen[-1]))
    return len(seen) - seen.index(step(seen[-1]))


@pytest.mark.parametrize("variant", VARIANTS[:3], ids=lambda variant: variant.name)
def test_a_state_of_three_bits_stops_and_one_that_flips_alternates(variant):
    form = Format(3)
    R, values = form.table(variant.mode, False), form.values()
    o, most = len(R) // 2, values.max()
    cycles = {}
    for a in values[abs(values) <= form.K]:
        for b in values[::5]:
            def step(h, a=a, b=b):
                return int(np.clip(R[o + form.K * (R[o + a * h] + b)], -most, most))
            cycles.setdefault(int(np.sign(a)), set()).update(cycle(step, int(h)) for h in values[::7])
    assert cycles[0] | cycles[1] == {1}      # monotone_stops
    assert cycles[-1] == {1, 2}              # antitone_period_two; a = -1 is among them

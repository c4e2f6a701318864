"""The definitions of Scan.v, Theta.v and Parity.v, written down again on exact numbers and run beside the Python that relies on them.

Each function below has the name and the equation of a definition of proofs/coq; what a theorem says of it is compared
exactly, on data that reference/ computes too.
"""

import random
from fractions import Fraction
from functools import reduce

import numpy as np
import pytest
from coq_model import runs

from scanproof.proofs.rounding.tiny_formats import VARIANTS, Format
from scanproof.reference.transitions.diagonal import scan
from scanproof.reference.transitions.rotation import rotation

SEEDS = range(20)
COS, SIN = Fraction(3, 5), Fraction(4, 5)   # a rational angle; its multiples are the angles below
ZERO = np.array([Fraction(0), Fraction(0)])


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


@runs("Scan.bracketing", "Scan.same_steps_same_value", "Scan.act_compose", "Scan.any_bracketing")
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


@runs("Scan.segment_cut")
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


@runs("Scan.compose_assoc", "Scan.identity_left", "Scan.identity_right")
@pytest.mark.parametrize("seed", SEEDS)
def test_the_operator_of_the_chunked_kernel_is_associative_with_an_identity(seed):
    (p, q, r), _ = drawn(random.Random(seed), 3)
    assert compose(compose(p, q), r) == compose(p, compose(q, r))
    assert compose((1, 0), p) == compose(p, (1, 0)) == p
    assert compose(p, q) != compose(q, p)


@runs("Scan.reverse")
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


@runs("Theta.turn_assoc", "Theta.turn_left", "Theta.turn_right", "Theta.turn_affine")
@pytest.mark.parametrize("seed", SEEDS)
def test_turns_compose_by_adding_angles(seed):
    rng = random.Random(seed)
    p, q, r = ((fraction(rng), rng.randint(-3, 3), np.array([fraction(rng), fraction(rng)])) for _ in range(3))
    left, right = then_turn(then_turn(p, q), r), then_turn(p, then_turn(q, r))
    one = (Fraction(1), 0, ZERO)
    for (g, a, x), (h, b, y) in ((left, right), (then_turn(one, p), p), (then_turn(p, one), p)):
        assert (g, a, list(x)) == (h, b, list(y))
    x = np.array([fraction(rng), fraction(rng)])
    for turn in (p, q, left):   # as_affine: (g Theta(a), x)
        assert list(affine(turn, x)) == list(turn[0] * theta(turn[1], x) + turn[2])
    assert list(affine(left, x)) == list(affine(r, affine(q, affine(p, x))))


def affine(turn, x):
    """A turn, by the rotation of the reference."""
    g, a, b = turn
    cos, sin = (np.array([[part]], object) for part in turned(a))
    return rotation(np.array([g]), cos, sin, b[None, None, None], x[None, None])[0, 0, 0]


@runs("Theta.Theta_add", "Theta.Theta_power", "Theta.Theta_orthogonal", "Theta.Theta_special")
def test_rotations_of_the_reference_add_their_angles():
    for a in range(-3, 4):
        Theta = np.stack([affine((Fraction(1), a, ZERO), e) for e in np.eye(2, dtype=int)], 1)   # (2, 2)
        assert (Theta == np.stack([theta(a, e) for e in np.eye(2, dtype=int)], 1)).all()
        assert (Theta.T @ Theta == np.eye(2, dtype=int)).all()
        assert Theta[0, 0] * Theta[1, 1] - Theta[0, 1] * Theta[1, 0] == 1
        for b in range(-3, 4):
            assert list(theta(a, theta(b, Theta[0]))) == list(theta(a + b, Theta[0]))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_tree_of_turns_is_the_rotation_of_the_reference(seed):
    rng = random.Random(seed)
    gamma, angle, T = fraction(rng), rng.randint(-3, 3), rng.randint(1, 12)
    b = np.array([[fraction(rng), fraction(rng)] for _ in range(T)], object)   # (T, 2)
    cos, sin = (np.array([[part]], object) for part in turned(angle))          # (1, 1)
    expected = rotation(np.array([gamma]), cos, sin, b[None, :, None], ZERO[None, None])[0, -1, 0]
    g, a, x = value(then_turn, tree(rng, [(gamma, angle, b[t]) for t in range(T)]))
    assert (g, a, list(x)) == (gamma**T, T * angle, list(expected))


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

"""The allowance of a scan as a recurrence of O(T) steps, against the recursion over any tree
(docs/theorem.md).

    symbol         meaning                                                              shape
    A, dA          |lam_t| and how far what is read may be from it                      (N, N); ()
    X, E           sizes of the monomials; what products and reading do to them         (N, 1); ()
    dX             how far b_t may be from it as it is read (in a layer: as computed)   (N, 1); ()
    Y              X + E, a scan too: Y_t = (A + dA) (1 + beta) Y_(t-1) + |b_t| + dX    (N, 1); ()
    Al+, Bl+       a tree's segment l with every rounding against us; q is the later    ()
    Ql             (1 + beta) Al+, the product of all (1 + beta) (A_t + dA_t) of l      ()
    K, V, F        1 + beta; 1 + u; (1 + u)^(additions below the node)                  ()
    f, g, i, j, s  what is >= 0 by hypothesis                                           ()

Over a node Y composes as the affine operator does (scan-any-bracketing): Y = Qq Yl + Yq. Underflow
is not part of these claims; `allowance` has its terms too, and tests compare it with trees that
lose something in every product.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

import sympy as sp

from scanproof.proofs.engine.algebra import Claim, Instance, letters
from scanproof.proofs.engine.instances import at_sizes, matrix
from scanproof.proofs.engine.run import Lemma
from scanproof.proofs.rounding.circuits import COARSE, Model
from scanproof.proofs.rounding.rounding_theorem import Hypotheses, exact

A, A_read, X, E, Y, drive, drive_read = letters("A dA X E Y b dX")
Aq, Qq, Yl, Yq, Bl, Bq, B, f, g, i, j, s = letters("Aq+ Qq Yl Yq Bl+ Bq+ B+ f g i j s")
K, V, F, Fl, Fq = sp.symbols("K V F Fl Fq", positive=True)
beta = sp.Symbol("beta", positive=True)
d = sp.Symbol("d", integer=True, nonnegative=True)
CASES = 40  # trees a claim

Step = tuple[Fraction, Fraction]  # (lam_t, b_t); the first is h0, whose multiplier nobody meets


class Segment(NamedTuple):
    """A tree's node: its sizes with and without rounding, Q and Y, its longest chain."""

    A: Fraction
    B: Fraction
    A_upper: Fraction
    B_upper: Fraction
    Q: Fraction
    Y: Fraction
    d: int


def leaf(step: Step, model: Model) -> Segment:
    lam, b = map(abs, step)
    read = (1 + model.r) * lam
    return Segment(lam, b, read, b, (1 + model.beta) * read, b, 0)


def node(l: Segment, q: Segment, model: Model) -> Segment:
    """Absolute values, and every rounding against us (Q and Y have no underflow in them)."""
    product = (1 + model.beta) * q.A_upper * l.A_upper + model.loss
    state = (1 + model.beta) * q.A_upper * l.B_upper + model.loss
    upper = (1 + model.u) * (state + q.B_upper)
    return Segment(
        q.A * l.A, q.A * l.B + q.B, product, upper, q.Q * l.Q, q.Q * l.Y + q.Y, 1 + max(l.d, q.d)
    )


def random_tree(rng: random.Random, steps: Sequence[Step], model: Model) -> Segment:
    """Any bracketing of the steps; every third time the loop."""
    leaves = [leaf(step, model) for step in steps]
    if rng.randrange(3) == 0:
        return functools.reduce(lambda l, q: node(l, q, model), leaves)
    while len(leaves) > 1:
        at = rng.randrange(len(leaves) - 1)
        leaves[at : at + 2] = [node(leaves[at], leaves[at + 1], model)]
    return leaves[0]


def random_steps(rng: random.Random, largest: int = 9) -> list[Step]:
    """Two to eight steps, |lam| <= largest / 8; half the time the oldest state dominates."""
    steps = [
        (Fraction(rng.randint(-largest, largest), 8), Fraction(rng.randint(-9, 9), 4))
        for _ in range(rng.randint(2, 8))
    ]
    if rng.randrange(2):
        return [(Fraction(1), Fraction(1)), *((Fraction(1), Fraction(1, 10**9)) for _ in steps[1:])]
    return steps


def sizes(steps: Sequence[Step], model: Model) -> tuple[Fraction, Fraction]:
    """X and E of the last state, one step after the other."""
    X, E = abs(steps[0][1]), Fraction(0)
    for lam, b in steps[1:]:
        A, dA = abs(lam), model.r * abs(lam)
        E = (A + dA) * (1 + model.beta) * E + (dA * (1 + model.beta) + A * model.beta) * X
        X = A * X + abs(b)
    return X, E


def allowance(steps: Sequence[Step], additions: int, model: Model) -> Fraction:
    """(1 + xi) E + xi X + underflow."""
    X, E = sizes(steps, model)
    m, total, G = len(steps) - 1, sum(abs(b) for _, b in steps), largest_segment(steps, model)
    xi = (1 + model.u) ** additions - 1
    w = (1 + model.loss * G**2) ** m - 1
    underflow = (1 + xi) * (1 + model.beta) ** m * (w * total + m * model.loss * G * (1 + w))
    return (1 + xi) * E + xi * X + underflow


def largest_segment(steps: Sequence[Step], model: Model) -> Fraction:
    """max(1, the largest product of |lam| that are read over a segment)."""
    G = segment = Fraction(1)
    for lam, _ in steps[1:]:
        segment = (1 + model.r) * abs(lam) * max(segment, Fraction(1))
        G = max(G, segment)
    return G


def step_model(rng: random.Random, n: int) -> Instance:
    """One step of the recurrence; the identity needs neither signs nor size 1."""
    env = {M: matrix(rng, n, n) for M in (A, A_read)} | {
        x: matrix(rng, n, 1) for x in (X, E, drive, drive_read)
    }
    return {**env, Y: env[X] + env[E], beta: sp.Rational(1, 8)}


def tree_model(rng: random.Random) -> Instance:
    """A node over two random trees."""
    steps = random_steps(rng)
    cut = rng.randint(1, len(steps) - 1)
    l, q = random_tree(rng, steps[:cut], COARSE), random_tree(rng, steps[cut:], COARSE)
    root, (size, error) = node(l, q, COARSE), sizes(steps, COARSE)
    k, v = 1 + COARSE.beta, 1 + COARSE.u
    low, high, most = v**l.d, v**q.d, v ** max(l.d, q.d)
    env: dict[sp.Symbol, Fraction] = {K: k, V: v, Fl: low, Fq: high, F: most}
    env |= {i: most - low, j: most - high, Aq: q.A_upper, Qq: q.Q, Yl: l.Y, Yq: q.Y}
    env |= {Bl: l.B_upper, Bq: q.B_upper, f: low * l.Y - l.B_upper, g: high * q.Y - q.B_upper}
    return exact(
        env
        | {
            X: size,
            E: error,
            Y: root.Y,
            B: root.B_upper,
            d: Fraction(root.d),
            s: v**root.d * root.Y - root.B_upper,
        }
    )


def recurrence() -> Iterator[Claim]:
    """E = Y - X along the scan; B+ <= V^d Y over every tree; hence B+ - B <= (1 + xi) E + xi X."""
    error = (A + A_read) * (1 + beta) * E + (A_read * (1 + beta) + A * beta) * X + drive_read
    larger, exact_size = (1 + beta) * (A + A_read) * Y + drive + drive_read, A * X + drive
    unread = (A + A_read) * (1 + beta) * E + A * beta * X + drive_read
    what = "E = Y - X, from t - 1 to t, where lam is read with an error of dA and b with one of dX"
    given: Hypotheses = ((Y, X + E),)
    yield Claim(
        what, larger - exact_size, error, given, (unread, error - drive_read), at_sizes(step_model)
    )
    rng = random.Random(2)
    trees = tuple(tree_model(rng) for _ in range(CASES))
    given = ((f, Fl * Yl - Bl), (g, Fq * Yq - Bq), (i, F - Fl), (j, F - Fq), (Qq, K * Aq))
    lhs, rhs = (
        V * F * (Qq * Yl + Yq) - V * (K * Aq * Bl + Bq),
        V * (i * Qq * Yl + Qq * f + j * Yq + g),
    )
    smaller, signs = lhs - (V - 1) * F * (Qq * Yl + Yq), (V, i, Qq, Yl, f, j, Yq, g)
    yield Claim(
        "node: B+ <= (1+u)^d Y, one addition more", lhs, rhs, given, (smaller,), trees, signs
    )
    allowed = lambda V, d: V**d * E + (V**d - 1) * X - (B - X)  # noqa: E731
    given = ((s, V**d * Y - B), (Y, X + E))
    what = "root: B+ - B <= (1+xi) E + xi X"
    yield Claim(
        what, allowed(V, d), s, given, (allowed(V, d - 1), allowed((1 + V) / 2, d)), trees, (s,)
    )


LEMMAS = (
    Lemma(
        name="rounding-recurrence",
        statement="B+ - B <= (1+xi) E + xi X for every tree, xi = (1+u)^d - 1: the O(T) recurrence "
                  "covers every bracketing.",
        source="docs/theorem.md; reference/allowance/rounding.py computes it",
        role="certifying a scan costs what scanning costs",
        N="every bracketing of any number of steps; no underflow (with it: Coq, BoundTheorem.v)",
        method="free *-algebra and sums of products of numbers >= 0; induction over trees; "
        f"instances: {CASES} random trees, the recurrence run beside them",
        cited=(
            "rounding-near, for |computed - exact| <= B+ - B",
            "scan-any-bracketing, for Y = Qq Yl + Yq over a node",
            "induction over trees",
        ),
        claims=recurrence,
    ),
)

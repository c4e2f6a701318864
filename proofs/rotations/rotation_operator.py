"""RotRNN's scan operator on (gamma, theta, x): associative, with an identity, and the affine
operator in disguise.

    symbol     meaning                                                                     shape
    g          decay gamma of a step, one number                                           ()
    C, S       diag(cos theta), diag(sin theta), one angle for each pair of coordinates    (N, N)
    x, y       first and second coordinates of the N pairs of the state                    (N, 1)
    R(C, S)    [[C, -S], [S, C]], the rotation of all pairs; adding angles is its product  (2N, 2N)
    J, o       I and 0                                                                     (N, N)
    z          the zero state of one coordinate                                            (N, 1)
    alpha      angles of one pair, numbers                                                 ()

Diagonal matrices commute: that is a hypothesis here, and the only one that associativity needs.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import NamedTuple

import sympy as sp

from scanproof.proofs.engine.algebra import Claim, Equation, Instance, letters
from scanproof.proofs.engine.instances import at_sizes, matrix
from scanproof.proofs.engine.run import Lemma
from scanproof.proofs.scan import scan_operator

C1, C2, C3, S1, S2, S3, x1, x2, x3, y1, y2, y3 = letters("C1 C2 C3 S1 S2 S3 x1 x2 x3 y1 y2 y3")
J, o, z = letters("J o z")
g1, g2, g3 = sp.symbols("gamma1:4")
alpha1, alpha2 = sp.symbols("alpha1 alpha2", real=True)


class Element(NamedTuple):
    """(gamma, theta, x), with theta as its cosines and sines."""

    gamma: sp.Expr
    cosines: sp.Expr
    sines: sp.Expr
    first: sp.Expr
    second: sp.Expr


p, q, r = Element(g1, C1, S1, x1, y1), Element(g2, C2, S2, x2, y2), Element(g3, C3, S3, x3, y3)


def rotation(cosines: sp.Expr, sines: sp.Expr) -> sp.Matrix:
    """R(theta), (2, 2) blocks."""
    return sp.Matrix([[cosines, -sines], [sines, cosines]])


def added(first: Element, then: Element) -> tuple[sp.Expr, sp.Expr]:
    """The cosine and sine of the sum of the angles."""
    (_, C, S, *_), (_, C_, S_, *_) = first, then
    return C * C_ - S * S_, S * C_ + C * S_


def compose(first: Element, then: Element) -> Element:
    """(g, theta, x) then (g', theta', x') is (g g', theta + theta', g' R(theta') x + x')."""
    # (2, 1)
    state = then.gamma * rotation(then.cosines, then.sines) * sp.Matrix(first[3:]) + sp.Matrix(
        then[3:]
    )
    return Element(first.gamma * then.gamma, *added(first, then), *state)


def affine(element: Element) -> tuple[sp.Matrix, sp.Matrix]:
    """(gamma R(theta), x) for the affine operator, (2, 2) and (2, 1) blocks."""
    return element.gamma * rotation(element.cosines, element.sines), sp.Matrix(element[3:])


def commuting(*pairs: tuple[sp.Symbol, sp.Symbol]) -> tuple[Equation, ...]:
    return tuple((late * early, early * late) for late, early in pairs)


def diagonal_rotation(rng: random.Random, n: int) -> tuple[sp.ImmutableMatrix, sp.ImmutableMatrix]:
    """Rational cosines and sines, ((1 - t^2)/(1 + t^2), 2 t/(1 + t^2)): (n, n) each."""
    tangents = [sp.Rational(rng.randint(-5, 5), rng.randint(1, 5)) for _ in range(n)]
    cosines, sines = (
        [(1 - t**2) / (1 + t**2) for t in tangents],
        [2 * t / (1 + t**2) for t in tangents],
    )
    return sp.diag(*cosines).as_immutable(), sp.diag(*sines).as_immutable()


def model(rng: random.Random, n: int) -> Instance:
    """Three random elements with n angles each; J = I, o = 0, z = 0."""
    env = {
        J: sp.eye(n).as_immutable(),
        o: sp.zeros(n, n).as_immutable(),
        z: sp.zeros(n, 1).as_immutable(),
    }
    for element in (p, q, r):
        env[element.gamma] = sp.Rational(rng.randint(1, 9), 10)
        env[element.cosines], env[element.sines] = diagonal_rotation(rng, n)
        env |= {x: matrix(rng, n, 1) for x in element[3:]}
    return env


def quarter_turns() -> tuple[Instance, ...]:
    """All pairs of multiples of pi / 2, where cosines and sines are rational."""
    return tuple({alpha1: i * sp.pi / 2, alpha2: j * sp.pi / 2} for i in range(4) for j in range(4))


def addition() -> Iterator[Claim]:
    """R(a + b) = R(a) R(b) for one pair: why `added` is addition of angles."""
    one, other = (Element(g1, sp.cos(a), sp.sin(a), x1, y1) for a in (alpha1, alpha2))
    total, difference, (cosine, sine) = alpha1 + alpha2, alpha1 - alpha2, added(one, other)
    yield Claim(
        "cos of added angles", sp.cos(total), cosine, (), (sp.cos(difference),), quarter_turns()
    )
    yield Claim(
        "sin of added angles", sp.sin(total), sine, (), (sp.sin(difference),), quarter_turns()
    )
    mutant = rotation(*added(one, other))[0, 1]
    product = (rotation(*one[1:3]) * rotation(*other[1:3]))[1, 0]
    yield Claim(
        "R(a) R(b), lower left", product, sine, (), (mutant,), quarter_turns(),
        shown="row 2, column 1 of R(a) R(b) = sin(a) cos(b) + cos(a) sin(b)",
    )


def associativity() -> Iterator[Claim]:
    """(p q) r = p (q r), with any number of angles."""
    yield from addition()
    left, right = compose(compose(p, q), r), compose(p, compose(q, r))
    forgotten = compose(compose(p, q), r._replace(cosines=J))
    swapped = compose(compose(r, q), p)
    instances = at_sizes(model)
    diagonal = commuting((C3, C2), (S3, S2), (C3, S2), (S3, C2))
    for i, part in enumerate(Element._fields):
        given = diagonal if part in ("first", "second") else ()
        mutant = {"gamma": g1 * g2, "cosines": forgotten[1], "sines": forgotten[2]}.get(
            part, swapped[i]
        )
        yield Claim(
            f"(p q) r = p (q r): {part}",
            left[i],
            right[i],
            given,
            (mutant,),
            instances,
            shown=f"({part} of (p q) r) = ({part} of p (q r)), each by compose"
            if part == "gamma"
            else "",
        )


def identity() -> Iterator[Claim]:
    """(1, 0, 0) before and after p."""
    neutral, instances = Element(sp.Integer(1), J, o, z, z), at_sizes(model)
    before, after = compose(neutral, p), compose(p, neutral)
    J_is_I, o_is_0, z_is_0 = (J, sp.Integer(1)), (o, sp.Integer(0)), (z, sp.Integer(0))
    turn, moved = (J_is_I, o_is_0), (J_is_I, o_is_0, z_is_0)
    # before and after, by part
    needs = ((), ()), (turn, turn), (turn, turn), ((z_is_0,), moved), ((z_is_0,), moved)
    for i, part in enumerate(Element._fields):
        yield Claim(
            f"identity, then p: {part}", before[i], p[i], needs[i][0], (2 * p[i],), instances,
            shown="1 gamma1 = gamma1" if part == "gamma" else "",
        )
        yield Claim(
            f"p, then identity: {part}", after[i], p[i], needs[i][1], (2 * p[i],), instances,
            shown="gamma1 1 = gamma1" if part == "gamma" else "",
        )


def homomorphism() -> Iterator[Claim]:
    """affine(p q) = affine(p) affine(q): the affine operator's theorems hold for this one."""
    (A, b), (A_, b_) = affine(compose(p, q)), scan_operator.compose(affine(p), affine(q))
    wrong = affine(compose(p, q._replace(sines=-S2)))
    instances = at_sizes(model)
    same, mixed = commuting((C2, C1), (S2, S1)), commuting((C2, S1), (S2, C1))
    for i, j in itertools.product(range(2), range(2)):
        what = f"gamma R(theta) multiply: block {i + 1}, {j + 1}"
        yield Claim(
            what, A[i, j], A_[i, j], same if i == j else mixed, (wrong[0][i, j],), instances
        )
    for i in range(2):
        yield Claim(
            f"gamma' R(theta') x + x': row {i + 1}",
            b[i],
            b_[i],
            (),
            (wrong[1][i],),
            instances,
            shown=f"row {i + 1} of the state of p q = row {i + 1} of gamma2 R(C2, S2) (x1, y1) + "
                  "(x2, y2)",
        )


SOURCE = "RotRNN, arXiv 2407.07239, and its authors' code: elements (gamma, theta, x)"
METHOD = "free *-algebra, word normal form; diagonal matrices of any size as commuting letters"
ANGLES = "general N, any number of angles"

LEMMAS = (
    Lemma(
        name="rotation-associative",
        statement="(g, theta, x) then (g', theta', x') = (g g', theta + theta', g' R(theta') x + "
                  "x') is associative.",
        source=SOURCE,
        role="the rotation scan may be bracketed in any way, without a matrix product",
        N=ANGLES,
        method=f"{METHOD}; addition theorem by SymPy",
        cited=(),
        claims=associativity,
    ),
    Lemma(
        name="rotation-identity",
        statement="(1, 0, 0) is a left and a right identity of the rotation operator.",
        source=SOURCE,
        role="padding a rotation scan changes nothing",
        N=ANGLES,
        method=METHOD,
        cited=("cos 0 = 1 and sin 0 = 0",),
        claims=identity,
    ),
    Lemma(
        name="rotation-affine",
        statement="(g, theta, x) -> (g R(theta), x) turns the rotation operator into the affine "
                  "one.",
        source=SOURCE,
        role="carry, chunks, doubling, reverse and the bound of every bracketing hold for rotation "
             "scans too",
        N=ANGLES,
        method=METHOD,
        cited=("cos and sin of a sum of angles (rotation-associative)",),
        claims=homomorphism,
    ),
)

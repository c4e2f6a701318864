"""Every rotation of size 2 and 3 is exp of a skew matrix, by formulas; those of any size are in
`every_rotation`.

    symbol      meaning                                                       shape
    A           any rotation: A^T A = I, det A = 1                            (N, N)
    a, b, c, d  its entries for N = 2: [[a, b], [c, d]]                       ()
    p, e, f     det A, det (I - A)^T, det (A - I)                             ()
    n, x        axis, A n = n; a column across it, x^T n = 0                  (N, 1)
    Q, J        orthogonal; quarter turns in disjoint planes, J^3 = -J        (N, N)
    K           Q J Q^T, skew                                                 (N, N)

    N = 2  A = [[cos, -sin], [sin, cos]] = exp(theta J)
    N = 3  A has an axis n; across it A is a rotation of a plane, so
           A = Q (I + sin J + (1 - cos) J^2) Q^T = exp(theta K)
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import sympy as sp
from sympy import adjoint

from scanproof.proofs.engine.algebra import Claim, Equation, Instance, letters
from scanproof.proofs.engine.certificates import ONE, ZERO
from scanproof.proofs.engine.instances import at_sizes, matrix, rotation
from scanproof.proofs.engine.run import Lemma
from scanproof.proofs.rotations.closed_forms import entrywise, quarter_turns

A, n, x, Q, J = letters("A n x Q J")
a, b, c, d, p, e, f = letters("a b c d p e f")
theta, cos, sin = sp.symbols("theta cos sin", real=True)


def plane_rotations() -> tuple[Instance, ...]:
    """Rational rotations of the plane."""
    turns = (rotation(random.Random(seed), 2) for seed in range(4))
    return tuple({a: turn[0, 0], b: turn[0, 1], c: turn[1, 0], d: turn[1, 1]} for turn in turns)


def determinants() -> tuple[Instance, ...]:
    """Of rotations of odd and of even size."""
    turns = [(rotation(random.Random(size), size), sp.eye(size)) for size in (1, 2, 3, 4)]
    return tuple(
        {p: turn.det(), e: (one - turn).T.det(), f: (turn - one).det()} for turn, one in turns
    )


def with_axis(rng: random.Random, size: int) -> Instance:
    """A rotation that keeps one column, and a column across it."""
    basis = rotation(rng, size)
    turned = sp.diag(1, rotation(rng, size - 1)) if size > 1 else sp.eye(1)
    across = basis * sp.Matrix([0, *matrix(rng, size - 1, 1)])
    return {
        A: (basis * turned * basis.T).as_immutable(),
        n: basis[:, 0].as_immutable(),
        x: across.as_immutable(),
    }


def turned_basis(rng: random.Random, size: int) -> Instance:
    return {Q: rotation(rng, size), J: quarter_turns(size), theta: sp.pi * rng.randint(1, 3) / 2}


def form(K: sp.Expr, identity: sp.Expr, cos: sp.Expr, sin: sp.Expr) -> sp.Expr:
    """exp(theta K) where K^3 = -K (exp-closed-one-angle with r = 1)."""
    return identity + sin * K + (1 - cos) * K * K


def plane() -> Iterator[Claim]:
    """N = 2: d = a and b = -c, and a^2 + c^2 = 1 makes them a cosine and a sine."""
    given = ((a * a, 1 - c * c), (d * d, 1 - b * b), (a * d, 1 + b * c), (d * a, 1 + c * b))
    what, squares = (
        "N = 2: A^T A = I and det A = 1 make (a - d)^2 + (b + c)^2 = 0",
        (a - d) ** 2 + (b + c) ** 2,
    )
    yield Claim(what, squares, ZERO, given, (ONE, b * b), plane_rotations())
    turn = sp.Matrix([[cos, -sin], [sin, cos]])
    closed = form(quarter_turns(2), sp.eye(2), cos, sin)
    yield entrywise(
        "N = 2: [[cos, -sin], [sin, cos]] = I + sin J + (1 - cos) J^2", turn, closed, turn.T
    )


def axis() -> Iterator[Claim]:
    """N = 3: det (A - I) = 0, so A n = n for a unit column n; A keeps what is across it."""
    orthogonal: Equation = (adjoint(A) * A, ONE)
    instances = at_sizes(lambda rng, size: {A: rotation(rng, size)})
    yield Claim(
        "A^T (A - I) = (I - A)^T",
        adjoint(A) * (A - 1),
        adjoint(1 - A),
        (orthogonal,),
        (A - 1,),
        instances,
    )
    what = "det (I - A)^T = det A det (A - I) = det (A - I)"
    yield Claim(what, e, f, ((e, p * f), (p, ONE)), (-f, ZERO), determinants())
    free = sp.Matrix(3, 3, sp.symbols("s:9", real=True))
    same = sp.Matrix([free.det()])
    yield entrywise(
        "N = 3: det (-S) = -det S, so det (A - I) = -det (A - I) = 0",
        sp.Matrix([(-free).det()]),
        -same,
        same,
    )
    given: tuple[Equation, ...] = (
        (A * adjoint(A), ONE),
        (A * n, n),
        (adjoint(n) * adjoint(A), adjoint(n)),
    )
    gap = adjoint(A) * n - n
    what = "A n = n makes |A^T n - n|^2 = 0"
    yield Claim(what, adjoint(gap) * gap, ZERO, given, (adjoint(n) * n,), at_sizes(with_axis))
    given = ((adjoint(A) * n, n), (adjoint(x) * n, ZERO))
    yield Claim(
        "x^T n = 0 makes (A x)^T n = 0",
        adjoint(A * x) * n,
        ZERO,
        given,
        (adjoint(n) * n,),
        at_sizes(with_axis),
    )


def assembled() -> Iterator[Claim]:
    """diag(1, rotation of a plane) = I + sin J + (1 - cos) J^2; in any basis it is exp(theta K) of
    K = Q J Q^T."""
    turn, J3 = sp.diag(1, sp.Matrix([[cos, -sin], [sin, cos]])), sp.diag(0, quarter_turns(2))
    what = "N = 3: diag(1, rotation) = I + sin J + (1 - cos) J^2"
    yield entrywise(what, turn, form(J3, sp.eye(3), cos, sin), turn.T)
    K, instances = Q * J * adjoint(Q), at_sizes(turned_basis)
    inside = Q * form(J, ONE, sp.cos(theta), sp.sin(theta)) * adjoint(Q)
    given, outside = (
        ((adjoint(Q) * Q, ONE), (Q * adjoint(Q), ONE)),
        form(K, ONE, sp.cos(theta), sp.sin(theta)),
    )
    what = "Q (I + sin J + (1 - cos) J^2) Q^T = I + sin K + (1 - cos) K^2"
    yield Claim(what, inside, outside, given, (1 + sp.sin(theta) * K,), instances)
    yield Claim(
        "K^3 = -K",
        K * K * K,
        -K,
        ((adjoint(Q) * Q, ONE), (J * J * J, -J)),
        (K, -Q * J * Q),
        instances,
    )
    yield Claim("K^T = -K", adjoint(K), -K, ((adjoint(J), -J),), (K,), instances)


def onto() -> Iterator[Claim]:
    yield from plane()
    yield from axis()
    yield from assembled()


LEMMAS = (
    Lemma(
        name="exp-onto-rotations",
        statement="Every rotation of size 2 and 3 is exp of a skew matrix: by its angle, and by "
                  "its axis and angle.",
        source="Euler's rotation theorem; RotRNN, arXiv 2407.07239: P = exp(M - M^T)",
        role="M loses no rotation: every P of determinant 1 is reached",
        N="N = 2, 3; for general N exp-onto-every-rotation",
        method="free *-algebra; sums of squares; polynomial identities in entries",
        cited=(
            "numbers with a^2 + c^2 = 1 are a cosine and a sine; a sum of squares of real numbers "
            "is 0 only if each is",
            "a matrix of determinant 0 has a unit column n with (A - I) n = 0; n is the first "
            "column of an orthogonal matrix",
            "det(XY) = det X det Y, det X^T = det X, and det diag(1, Y) = det Y",
            "exp-closed-one-angle, for I + sin K + (1 - cos) K^2 = exp(theta K)",
        ),
        claims=onto,
    ),
)

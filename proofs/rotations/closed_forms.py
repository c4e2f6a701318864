"""exp(t K) in closed form for skew K of size 2, 3 and 4: it solves E' = K E, is orthogonal, and has
determinant 1.

    symbol     meaning                                                                shape
    K          skew; K^3 = -r^2 K: one plane angle r t (all of N = 2 and 3)           (N, N)
    L, R       K = L + R for N = 4: L^2 = -l^2, R^2 = -q^2, L R = R L, skew           (4, 4)
    E          I + sin(r t)/r K + (1 - cos(r t))/r^2 K^2 (Rodrigues), r > 0           (N, N)
    F, G       solutions of F' = K F or L F, and of G' = R G                          (N, N)
    k1 ... k6  entries of K above its diagonal                                        ()

    N = 2   K^2 = -r^2 I, r = |k|                        plane angle r t
    N = 3   K^3 = -r^2 K, r^2 = k1^2 + k2^2 + k3^2       plane angle r t
    N = 4   exp(t K) = exp(t L) exp(t R)                 plane angles (l + q) t and (l - q) t

r = 0 is K = 0, whose exponential is I. That exp(t K) is the only solution of E' = K E, E(0) = I is
a claim too.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

import sympy as sp
from sympy import adjoint

from scanproof.proofs.engine.algebra import Claim, Equation, Instance, letters
from scanproof.proofs.engine.certificates import ONE, ZERO
from scanproof.proofs.engine.instances import at_sizes, matrix, rotation, skew
from scanproof.proofs.engine.run import Lemma

K, L, R, F, G, F_dot, G_dot = letters("K L R F G F_dot G_dot")
r = sp.Symbol("r", positive=True)
t, X, Y = sp.symbols("t X Y", real=True)
k1, k2, k3, k4, k5, k6 = ENTRIES = sp.symbols("k1:7", real=True)
ONE_ANGLE: tuple[Equation, ...] = ((adjoint(K), -K), (K * K * K, -(r**2) * K))


def rodrigues(t: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """The factors of K and K^2."""
    return sp.sin(r * t) / r, (1 - sp.cos(r * t)) / r**2


def exponential(t: sp.Expr) -> sp.Expr:
    first, second = rodrigues(t)
    return 1 + first * K + second * K * K


def one_plane(rng: random.Random, n: int) -> Instance:
    """K = r Q J Q^T, J turns disjoint planes by a quarter; at quarters of a turn."""
    rate, turn = rng.randint(1, 4), rotation(rng, n)
    moving = (rate * turn * quarter_turns(n) * turn.T).as_immutable()
    return {K: moving, r: sp.Integer(rate), t: sp.pi * rng.randint(1, 3) / (2 * rate)}


def quarter_turns(n: int) -> sp.ImmutableMatrix:
    """Quarter turns in disjoint planes, shape (n, n); the last coordinate of an odd n is 0."""
    return sp.diag(*([sp.Matrix([[0, -1], [1, 0]])] * (n // 2)), *([0] * (n % 2))).as_immutable()


def with_factors(rng: random.Random, n: int) -> Instance:
    return {
        **one_plane(rng, n),
        X: sp.Rational(rng.randint(1, 9), 5),
        Y: sp.Rational(rng.randint(1, 9), 7),
    }


def two_solutions(rng: random.Random, n: int) -> Instance:
    """Any F and G with F' = K F and G' = K G at one time: the identity needs no more."""
    env = {K: skew(rng, n), F: matrix(rng, n, n), G: matrix(rng, n, n)}
    return {**env, F_dot: env[K] * env[F], G_dot: env[K] * env[G]}


def one_angle() -> Iterator[Claim]:
    """E' = K E, E(0) = I, and no other solution; E^T E = I, as (1 - r^2 y)^2 + r^2 x^2 = 1."""
    E, instances = exponential(t), at_sizes(one_plane)
    rate = sp.Add(
        *(
            sp.diff(factor, t) * power
            for factor, power in zip(rodrigues(t), (K, K * K), strict=True)
        )
    )
    backwards = E.xreplace({t: -t})
    yield Claim("E' = K E", rate, K * E, ONE_ANGLE[1:], (K * backwards, K), instances)
    yield Claim(
        "E(0) = I",
        exponential(ZERO),
        ONE,
        (),
        (ZERO,),
        ({r: ONE},),
        shown="1 + sin(0)/r K + (1 - cos(0))/r^2 K^2 = 1",
    )
    E, transposed = 1 + X * K + Y * K * K, 1 + X * adjoint(K) + Y * adjoint(K) * adjoint(K)
    excess = (1 - (1 - r**2 * Y) ** 2 - r**2 * X**2) * K * K
    what = "r^2 (E^T E - I) = (1 - (1 - r^2 y)^2 - r^2 x^2) K^2, E = I + x K + y K^2"
    yield Claim(
        what,
        r**2 * (transposed * E - 1),
        excess,
        ONE_ANGLE,
        (excess + K * K, -excess),
        at_sizes(with_factors),
    )
    given = ((adjoint(F_dot), adjoint(F) * adjoint(K)), (adjoint(K), -K), (G_dot, K * G))
    what, constant = (
        "(F^T G)' = 0 for two solutions: F^T G = I stays, so G = F",
        adjoint(F_dot) * G + adjoint(F) * G_dot,
    )
    yield Claim(what, constant, ZERO, given, (2 * adjoint(F) * K * G,), at_sizes(two_solutions))


def entrywise(what: str, left: sp.Matrix, right: sp.Matrix, wrong: sp.Matrix) -> Claim:
    """Equality of all entries at once: of sums of them times letters of their own."""
    weights = sp.symbols(f"w:{len(left)}", real=True)
    sides = [sp.Add(*map(sp.Mul, weights, side)) for side in (left, right, wrong)]
    rng = random.Random(0)
    symbols = sorted(set().union(*(side.free_symbols for side in sides)), key=str)
    values = tuple(
        {symbol: sp.Rational(rng.randint(1, 9), rng.randint(1, 4)) for symbol in symbols}
        for _ in range(3)
    )
    equation = what.rpartition(": ")[2]
    return Claim(
        what, sides[0], sides[1], (), (sides[2],), values, shown=f"{equation}, entry by entry"
    )


def number(what: str, left: sp.Expr, right: sp.Expr, wrong: sp.Expr) -> Claim:
    return entrywise(what, *(sp.Matrix([side]) for side in (left, right, wrong)))


def small(size: int) -> sp.Matrix:
    """The skew matrix of free entries."""
    entries = iter(ENTRIES)
    upper = sp.Matrix(size, size, lambda i, j: next(entries) if i < j else 0)
    return upper - upper.T


def quaternion(v: tuple[sp.Expr, ...], side: int) -> sp.Matrix:
    """Multiplies by i v_1 + j v_2 + k v_3 from the left (side 1) or the right (side -1)."""
    i, j, k = v
    rows = [
        [0, i, j, k],
        [-i, 0, side * k, -side * j],
        [-j, -side * k, 0, side * i],
        [-k, side * j, -side * i, 0],
    ]
    return sp.Matrix(rows)


def four() -> Iterator[Claim]:
    """N = 4: any skew K is L + R, which have one plane angle each and commute.

    Hence exp(t K) = exp(t L) exp(t R).
    """
    halves = [
        tuple((upper + side * lower) / 2 for upper, lower in ((k1, k6), (k2, -k5), (k3, k4)))
        for side in (1, -1)
    ]
    left, right = quaternion(halves[0], 1), quaternion(halves[1], -1)
    yield entrywise("N = 4: K = L + R", small(4), left + right, left - right)
    for name, side in (("L", 1), ("R", -1)):
        part, square, eye = quaternion(ENTRIES[:3], side), k1**2 + k2**2 + k3**2, sp.eye(4)
        yield entrywise(
            f"N = 4: {name}^2 = -r^2 I, so {name}^3 = -r^2 {name}",
            part * part,
            -square * eye,
            square * eye,
        )
        formula, what = (
            (X**2 + square * Y**2) ** 2,
            f"N = 4: det(x I + y {name}) = (x^2 + r^2 y^2)^2",
        )
        yield number(what, (X * eye + Y * part).det(method="berkowitz"), formula, formula + X**4)
    left, right = quaternion(ENTRIES[:3], 1), quaternion(ENTRIES[3:], -1)
    yield entrywise("N = 4: L R = R L", left * right, right * left, -right * left)
    given = ((F_dot, L * F), (G_dot, R * G), (F * R, R * F))
    yield Claim(
        "(F G)' = (L + R) F G",
        F_dot * G + F * G_dot,
        (L + R) * F * G,
        given,
        (L * F * G,),
        at_sizes(commuting),
    )
    square = sp.cos(r * t) ** 2 + r**2 * (sp.sin(r * t) / r) ** 2
    what = "x^2 + r^2 y^2 = 1, x = cos(r t) = 1 - r^2 (1 - cos(r t))/r^2, y = sin(r t)/r"
    yield Claim(what, square, ONE, (), (ZERO,), ({r: ONE, t: sp.pi},))


def determinants() -> Iterator[Claim]:
    """det(I + x K + y K^2) = (1 - r^2 y)^2 + r^2 x^2, which is cos^2 + sin^2 = 1."""
    for size in (2, 3):
        S = small(size)
        square, eye = -(S * S).trace() / 2, sp.eye(size)
        yield entrywise(
            f"N = {size}: K^3 = -r^2 K, r^2 the sum of squares", S**3, -square * S, square * S
        )
        formula = (1 - square * Y) ** 2 + square * X**2
        what = f"N = {size}: det(I + x K + y K^2) = (1 - r^2 y)^2 + r^2 x^2"
        yield number(
            what,
            (eye + X * S + Y * S * S).det(method="berkowitz"),
            formula,
            formula - square * X**2 / 2,
        )
    first, second = rodrigues(t)
    at = tuple({r: sp.Integer(k), t: sp.pi / (2 * k)} for k in (1, 2, 3))
    what = "(1 - r^2 y)^2 + r^2 x^2 = 1 for x = sin(r t)/r, y = (1 - cos(r t))/r^2"
    yield Claim(what, (1 - r**2 * second) ** 2 + r**2 * first**2, ONE, (), (ZERO,), at)


def commuting(rng: random.Random, n: int) -> Instance:
    """F and R made of one matrix; L and G any."""
    env = {L: matrix(rng, n, n), R: matrix(rng, n, n), G: matrix(rng, n, n)}
    env[F] = env[R] * env[R] - 2 * env[R]
    return {**env, F_dot: env[L] * env[F], G_dot: env[R] * env[G]}




SOURCE = ("Rodrigues' formula for N = 2, 3; so(4) as left and right multiplications by quaternions "
          "for N = 4: classical")

LEMMAS = (
    Lemma(
        name="exp-closed-one-angle",
        statement="E = I + sin(r t)/r K + (1 - cos(r t))/r^2 K^2 is exp(t K) if K^3 = -r^2 K, r > "
                  "0: E' = K E, E^T E = I, and det E = 1; that is every skew K != 0 of size 2 and "
                  "3.",
        source=SOURCE,
        role="an exact matrix exponential beside scipy.linalg.expm, for heads of 2 and 3 "
             "coordinates",
        N="E' = K E and E^T E = I for general N, where K^3 = -r^2 K; the hypothesis on K and det E "
          "= 1 for N = 2, 3",
        method="free *-algebra with trigonometric coefficients; polynomial identities in the "
               "entries of K",
        cited=(
            "sin^2 + cos^2 = 1, by SymPy",
            "a function whose derivative is 0 everywhere is constant",
        ),
        claims=lambda: itertools.chain(one_angle(), determinants()),
    ),
    Lemma(
        name="exp-closed-four",
        statement="For N = 4, K = L + R with L^2 = -l^2, R^2 = -q^2 and L R = R L: exp(t K) = "
                  "exp(t L) exp(t R), each factor in closed form with determinant 1.",
        source=SOURCE,
        role="an exact matrix exponential for heads of 4 coordinates, the default size",
        N="N = 4; the product of two flows for general N",
        method="polynomial identities in the six entries of K; free *-algebra",
        cited=(
            "exp-closed-one-angle, for each factor",
            "det(XY) = det X det Y",
            "F^T F = I and G^T G = I make (F G)^T F G = I",
        ),
        claims=four,
    ),
)

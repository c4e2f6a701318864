"""Every rotation of every size is P Theta P^T, and the exponential of a skew matrix: the induction over planes, for general N.

    symbol     meaning                                                                      shape
    A          any rotation: A^T A = A A^T = I, det A = 1                                    (N, N)
    v, c       unit eigenvector of A + A^T, and half its eigenvalue: (A + A^T) v = 2c v      (N, 1), ()
    W          A v - c v, across v                                                           (N, 1)
    F, R       orthonormal columns that A maps into their span, A F = F R; R orthogonal      (N, k), (k, k)
    G          columns that complete F to an orthonormal basis, F F^T + G G^T = I            (N, N - k)
    P, D       orthogonal; a diagonal of signs, D D = I                                      (N, N)
    Theta      plane rotations side by side                                                  (N, N)
    E, E_dot   P Theta(t) P^T, and its derivative; T_dot that of Theta                       (N, N)
    L          skew, Theta' = L Theta; K = P L P^T                                           (N, N)
    C, S, B    diag(cos(t b)), diag(sin(t b)), diag(b), one angle for each pair              (n, n)
    d, j       det A; the number of lines with A v = -v, modulo 2                            ()
    w1 .. w4   labels of the entries of a 2 x 2 matrix                                       ()

    |c| < 1    v and W / |W| span a plane that A turns: A v = c v + W, A W = c W - (1 - c^2) v
    |c| = 1    W = 0: A v = c v
    either way A = F R F^T + G A' G^T with A' = G^T A G orthogonal, of smaller size; and so on down to size 0

det A = 1 leaves an even number of lines with A v = -v: two of them are a plane turned by pi, two lines with A v = v one turned
by 0; for odd N one such line is left over, a fixed direction. Nothing but the spectral theorem for A + A^T is cited for this.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

import sympy as sp
from sympy import adjoint

from scanproof.proofs.algebra import Claim, Equation, Instance, letters
from scanproof.proofs.certificates import ONE, ZERO
from scanproof.proofs.instances import at_sizes, matrix, skew
from scanproof.proofs.instances import rotation as random_rotation
from scanproof.proofs.rotation_operator import diagonal_rotation, rotation
from scanproof.proofs.run import Lemma

A, v, F, R, G, P, D, Theta, T, T_dot, L, K, C, S, C_dot, S_dot, B = letters("A v F R G P D Theta T T_dot L K C S C_dot S_dot B")
c = sp.Symbol("c", real=True)
j, d = letters("j d")

UNIT, EIGEN = (adjoint(v) * v, ONE), (A * v, 2 * c * v - adjoint(A) * v)
COLUMNS, ROWS = (adjoint(A) * A, ONE), (A * adjoint(A), ONE)
MAPPED, BACK = (A * F, F * R), (adjoint(F) * A, R * adjoint(F))
ORTHONORMAL, ACROSS, COMPLETE = (adjoint(G) * G, ONE), (adjoint(F) * G, ZERO), (G * adjoint(G), 1 - F * adjoint(F))


def with_plane(rng: random.Random, size: int) -> Instance:
    """A rotation that turns the first two columns of a basis by the angle of (3, 4) / 5; for N = 1 the identity."""
    basis, inside = random_rotation(rng, size), min(size, 2)
    turn = sp.Matrix([[3, -4], [4, 3]]) / 5 if size > 1 else sp.eye(1)
    rest = random_rotation(rng, size - 2) if size > 2 else sp.eye(0)
    whole = basis * sp.diag(turn, rest) * basis.T
    parts = {F: basis[:, :inside], G: basis[:, inside:], v: basis[:, 0], A: whole, R: turn}
    return {letter: part.as_immutable() for letter, part in parts.items()} | {c: turn[0, 0]}


def plane() -> Iterator[Claim]:
    """v and A v - c v span what A maps into itself, like a plane rotation with cosine c."""
    W, instances = A * v - c * v, at_sizes(with_plane)
    what, both = "v^T A v + (v^T A v)^T = 2c: a number is its transpose, so v^T A v = c and v^T W = 0", adjoint(v) * A * v
    yield Claim(what, both + adjoint(both), 2 * c, (EIGEN, UNIT), (c, both), instances)
    what, square = "|W|^2 = 1 - c^2, so |c| <= 1, and W = 0 where |c| = 1", adjoint(W) * W
    given = (COLUMNS, (adjoint(v) * adjoint(A) * v, 2 * c - adjoint(v) * A * v), UNIT)
    yield Claim(what, square, 1 - c**2, given, (ONE, c**2), instances)
    what, turned = "A W = c W - (1 - c^2) v", c * W - (1 - c**2) * v
    yield Claim(what, A * W, turned, (EIGEN, ROWS), (c * W, c * W + (1 - c**2) * v), instances)


def smaller() -> Iterator[Claim]:
    """A = F R F^T + G A' G^T with A' = G^T A G orthogonal."""
    instances, inner = at_sizes(with_plane), adjoint(G) * A * G
    given: tuple[Equation, ...] = (MAPPED, (R * adjoint(R), ONE))
    yield Claim("A F R^T = F", A * F * adjoint(R), F, given, (F * adjoint(R), -F), instances)
    yield Claim("so A^T F = F R^T", adjoint(A) * (A * F * adjoint(R)), F * adjoint(R), (COLUMNS,), (F * R, F), instances)
    what, parts = "A = F R F^T + G A' G^T", F * R * adjoint(F) + G * inner * adjoint(G)
    yield Claim(what, parts, A, (COMPLETE, MAPPED, BACK, (adjoint(F) * F, ONE)), (F * R * adjoint(F), adjoint(A)), instances)
    what = "A'^T A' = I"
    given = (COMPLETE, (adjoint(F) * A, R * adjoint(F)), ACROSS, COLUMNS, ORTHONORMAL)
    yield Claim(what, adjoint(inner) * inner, ONE, given, (inner, adjoint(inner)), instances)


def lines() -> Iterator[Claim]:
    """Lines that A keeps, in pairs: [[1, 0], [0, 1]] = R(0), [[-1, 0], [0, -1]] = R(pi); the sign of one column of P."""
    given, parities = ((d, 1 - 2 * j), (j * j, j)), ({d: ONE, j: ZERO}, {d: -ONE, j: ONE})
    what = "det A = d = 1 - 2j, j the number of lines with A v = -v modulo 2: d = 1 makes it even"
    yield Claim(what, (1 - d) * (1 - d), 4 * j, given, (ZERO, 2 * j), parities)
    eye, turns = sp.eye(2), {"0": ZERO, "pi": sp.pi}
    for name, angle in turns.items():
        turned, weights = rotation(sp.cos(angle), sp.sin(angle)), sp.symbols("w1:5")
        expected = eye if name == "0" else -eye
        sides = [sp.Add(*(w * x for w, x in zip(weights, side, strict=True))) for side in (turned, expected, -expected)]
        values = {w: sp.Integer(2**i) for i, w in enumerate(weights)}
        yield Claim(f"two lines are R({name})", sides[0], sides[1], (), (sides[2],), (values,))
    instances, A_ = at_sizes(signed), (P * D) * (D * Theta * D) * adjoint(P * D)
    given = ((adjoint(D), D), (D * D, ONE))
    what = "(P D)(D Theta D)(P D)^T = P Theta P^T: det P = 1 by the sign of a column, which turns one angle backwards"
    yield Claim(what, A_, P * Theta * adjoint(P), given, (P * D * Theta * adjoint(P), P * D * Theta * D * adjoint(P)), instances)


def signed(rng: random.Random, size: int) -> Instance:
    """The sign of the first column."""
    signs = sp.diag(-1, *[1] * (size - 1)).as_immutable()
    basis = random_rotation(rng, size)
    return {P: basis * signs, D: signs, Theta: matrix(rng, size, size)}


def canonical() -> Iterator[Claim]:
    yield from plane()
    yield from smaller()
    yield from lines()


def moving(rng: random.Random, n: int) -> Instance:
    """Cosines and sines of n angles and their derivatives for any rates."""
    cosines, sines = diagonal_rotation(rng, n)
    rates = sp.diag(*(sp.Integer(rng.randint(-4, 4)) for _ in range(n))).as_immutable()
    return {C: cosines, S: sines, B: rates, C_dot: -rates * sines, S_dot: rates * cosines}


def conjugated(rng: random.Random, n: int) -> Instance:
    """Any T with T' = L T for a skew L: the identities need no more; P orthogonal."""
    env = {P: random_rotation(rng, n), L: skew(rng, n), T: matrix(rng, n, n)}
    return {**env, T_dot: env[L] * env[T], K: env[P] * env[L] * env[P].T}


def exponential() -> Iterator[Claim]:
    """Theta(t) solves Theta' = L Theta, so E(t) = P Theta(t) P^T solves E' = K E with E(0) = I: E(1) = exp(K), K = M - M^T."""
    turned, generator = rotation(C, S), sp.Matrix([[ZERO, -B], [B, ZERO]])
    derivative, product = rotation(C_dot, S_dot), generator * turned
    for i, h in itertools.product(range(2), range(2)):
        given: tuple[Equation, ...] = ((C_dot, -B * S),) if i == h else ((S_dot, B * C),)
        what = f"Theta' = L Theta, L = [[0, -B], [B, 0]]: block {i + 1}, {h + 1}"
        yield Claim(what, derivative[i, h], product[i, h], given, (-product[i, h],), at_sizes(moving))
    instances, E, E_dot = at_sizes(conjugated), P * T * adjoint(P), P * T_dot * adjoint(P)
    what, given = "E' = K E for E = P Theta P^T, K = P L P^T", ((T_dot, L * T), (K, P * L * adjoint(P)), (adjoint(P) * P, ONE))
    yield Claim(what, E_dot, K * E, given, (E * K, K), instances)
    given = ((K, P * L * adjoint(P)), (adjoint(L), -L))
    yield Claim("K^T = -K", adjoint(P * L * adjoint(P)), -K, given, (K,), instances)
    what, M = "K = M - M^T for M = K / 2", K / 2
    yield Claim(what, M - adjoint(M), K, ((adjoint(K), -K),), (M, ZERO), instances)


PAPER = "RotRNN, arXiv 2407.07239"
WORDS = "free *-algebra, word normal form"
SPECTRAL = "a symmetric matrix has a unit eigenvector; orthonormal columns can be completed to an orthonormal basis"

LEMMAS = (
    Lemma(
        name="every-rotation-is-canonical",
        statement="Every A of SO(N) is P Theta P^T: P in SO(N), Theta plane rotations side by side, for odd N a fixed direction.",
        source=f"{PAPER}: A = P Theta P^T; the theorem is classical, the induction over planes is written out here",
        role="RotRNN's parameters lose no rotation of even size; an odd size would need a fixed direction",
        N="general N, even and odd",
        method=f"{WORDS}; induction over the size, whose step is the claims",
        cited=(
            SPECTRAL,
            "induction over N; columns of smaller orthonormal bases, by G, are columns of P",
            "det(XY) = det X det Y; a plane rotation has determinant 1 (theta-rotation)",
        ),
        claims=canonical,
    ),
    Lemma(
        name="exp-onto-every-rotation",
        statement="Every A of SO(N) is exp(M - M^T) for some M: with A = P Theta P^T, M = P L P^T / 2, L the angles of Theta.",
        source=f"{PAPER}: P = exp(M - M^T); the theorem is classical",
        role="M loses no rotation: every P of determinant 1 is reached, at every size",
        N="general N; a fixed direction, for odd N, is a row and a column of zeros in L",
        method=f"{WORDS}; diagonal matrices of any size as letters; the differential equation E' = K E",
        cited=(
            "every-rotation-is-canonical, for A = P Theta P^T",
            "cos' = -sin and sin' = cos",
            "E' = K E has one solution with E(0) = I, which is exp(t K) (exp-closed-one-angle, Coq: flow_unique)",
        ),
        claims=exponential,
    ),
)

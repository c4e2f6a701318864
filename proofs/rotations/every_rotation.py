"""Every rotation of every size is P Theta P^T, and the exponential of a skew matrix: the induction
over planes, for general N.

    symbol     meaning                                                                   shape
    A          any rotation: A^T A = A A^T = I, det A = 1                                (N, N)
    v, c       unit eigenvector of A + A^T, and half its eigenvalue: (A + A^T) v = 2c v  (N, 1), ()
    W          A v - c v, across v                                                       (N, 1)
    F          orthonormal columns that A maps into their span: A F = F R                (N, k)
    R          orthogonal                                                                (k, k)
    G          columns that complete F to an orthonormal basis, F F^T + G G^T = I        (N, N - k)
    P, D       orthogonal; a diagonal of signs, D D = I                                  (N, N)
    Theta      plane rotations side by side                                              (N, N)
    E, E_dot   P Theta(t) P^T, and its derivative; T_dot that of T = Theta(t)            (N, N)
    L          skew, Theta' = L Theta; K = P L P^T                                       (N, N)
    t, b1, b2  time, and the angles of two pairs at t = 1                                ()
    d, d', r   det A, det A', det R                                                      ()
    j, i       the number of lines with A' v = -v; half of an even one                   ()
    w1, ...    labels of the entries of a matrix                                         ()

    |c| < 1    v and W / |W| span a plane that A turns: A v = c v + W, A W = c W - (1 - c^2) v
    |c| = 1    W = 0: A v = c v
    either way A = F R F^T + G A' G^T with A' = G^T A G orthogonal, of smaller size; and so on down
    to size 0

A [F G] = [F G] diag(R, A') makes det A = det R det A', so det A = (-1)^j for j lines with A v = -v.
det A = 1 leaves an even
number of them: two of them are a plane turned by pi, two lines with A v = v one turned
by 0; for odd N one such line is left over, a fixed direction. Nothing but the spectral theorem for
A + A^T is cited for this.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import sympy as sp
from sympy import adjoint

from scanproof.proofs.engine.algebra import Claim, Equation, Instance, letters
from scanproof.proofs.engine.certificates import ONE, ZERO
from scanproof.proofs.engine.instances import at_sizes, matrix, skew
from scanproof.proofs.engine.instances import rotation as random_rotation
from scanproof.proofs.engine.run import Lemma
from scanproof.proofs.rotations.rotation_operator import rotation
from scanproof.proofs.scan.scan_algebra import labelled

A, v, F, R, G, P, D, Theta, T, T_dot, L, K = letters("A v F R G P D Theta T T_dot L K")
d, d_, r = letters("d d' r")
c, t, b1, b2 = sp.symbols("c t b1 b2", real=True)
i, j = sp.symbols("i j", integer=True, nonnegative=True)

UNIT, EIGEN = (adjoint(v) * v, ONE), (A * v, 2 * c * v - adjoint(A) * v)
COLUMNS, ROWS = (adjoint(A) * A, ONE), (A * adjoint(A), ONE)
MAPPED, BACK = (A * F, F * R), (adjoint(F) * A, R * adjoint(F))
ORTHONORMAL, ACROSS, COMPLETE = (
    (adjoint(G) * G, ONE),
    (adjoint(F) * G, ZERO),
    (G * adjoint(G), 1 - F * adjoint(F)),
)


def with_plane(rng: random.Random, size: int) -> Instance:
    """A rotation that turns two columns of a basis by the angle of (3, 4) / 5; N = 1: I."""
    basis, inside = random_rotation(rng, size), min(size, 2)
    turn = sp.Matrix([[3, -4], [4, 3]]) / 5 if size > 1 else sp.eye(1)
    rest = random_rotation(rng, size - 2) if size > 2 else sp.eye(0)
    whole = basis * sp.diag(turn, rest) * basis.T
    parts = {F: basis[:, :inside], G: basis[:, inside:], v: basis[:, 0], A: whole, R: turn}
    return {letter: part.as_immutable() for letter, part in parts.items()} | {c: turn[0, 0]}


def plane() -> Iterator[Claim]:
    """v and A v - c v span what A maps into itself, like a plane rotation with cosine c."""
    W, instances = A * v - c * v, at_sizes(with_plane)
    what, both = (
        "v^T A v + (v^T A v)^T = 2c: a number is its transpose, so v^T A v = c and v^T W = 0",
        adjoint(v) * A * v,
    )
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
    yield Claim(
        "so A^T F = F R^T",
        adjoint(A) * (A * F * adjoint(R)),
        F * adjoint(R),
        (COLUMNS,),
        (F * R, F),
        instances,
    )
    what, parts = "A = F R F^T + G A' G^T", F * R * adjoint(F) + G * inner * adjoint(G)
    yield Claim(
        what,
        parts,
        A,
        (COMPLETE, MAPPED, BACK, (adjoint(F) * F, ONE)),
        (F * R * adjoint(F), adjoint(A)),
        instances,
    )
    what = "A'^T A' = I"
    given = (COMPLETE, (adjoint(F) * A, R * adjoint(F)), ACROSS, COLUMNS, ORTHONORMAL)
    yield Claim(what, adjoint(inner) * inner, ONE, given, (inner, adjoint(inner)), instances)


def with_lines(rng: random.Random, size: int, first: sp.Matrix) -> Instance:
    """Determinants of a rotation of first, beside lines of sign -1 and 1 (the last, if any), and
    without first."""
    lines, inside = size - first.rows, first.rows
    count = rng.randint(0, lines)
    basis = random_rotation(rng, size)
    F_, G_ = basis[:, :inside], basis[:, inside:]
    whole = basis * sp.diag(first, *[-1] * count, *[1] * (lines - count)) * basis.T
    return {
        d: whole.det(),
        d_: (G_.T * whole * G_).det(),
        r: (F_.T * whole * F_).det(),
        j: sp.Integer(count),
    }


def parity() -> Iterator[Claim]:
    """det A = (-1)^j for j lines with A v = -v: one more at each step of the induction, planes and
    other lines leave it."""
    given: tuple[Equation, ...] = (COMPLETE, BACK, ACROSS)
    what = "A F = F R, and A G = G A': A [F G] = [F G] diag(R, A'), so det A = det R det A'"
    yield Claim(
        what, G * (adjoint(G) * A * G), A * G, given, (-A * G, adjoint(A) * G), at_sizes(with_plane)
    )
    kept, line, plane = sp.Matrix([[1]]), sp.Matrix([[-1]]), sp.Matrix([[3, -4], [4, 3]]) / 5
    more, same = (-1) ** (j + 1), (-1) ** j
    instances = tuple(with_lines(random.Random(n), n, line) for n in (1, 2, 3, 5))
    what, turned = (
        "a line with A v = -v: from det A' = (-1)^j to det A = (-1)^(j + 1)",
        ((d, r * d_), (r, -ONE), (d_, same)),
    )
    yield Claim(what, d, more, turned, (same,), instances)
    instances = tuple(
        with_lines(random.Random(n), n, part) for part in (kept, plane) for n in (2, 3, 5)
    )
    what, kept_by = (
        "a plane or a line with A v = v: from det A' = (-1)^j to det A = (-1)^j",
        ((d, r * d_), (r, ONE), (d_, same)),
    )
    yield Claim(what, d, same, kept_by, (more,), instances)
    what, odd = (
        "j odd: det A = -1; so det A = 1 makes j even",
        tuple({i: sp.Integer(n)} for n in range(4)),
    )
    yield Claim(what, (-1) ** (2 * i + 1), -ONE, (), (ONE,), odd, shown="(-1)^(2 i + 1) = -1")


def lines() -> Iterator[Claim]:
    """Lines that A keeps, in pairs: [[1, 0], [0, 1]] = R(0), [[-1, 0], [0, -1]] = R(pi); the sign
    of one column of P."""
    eye, turns = sp.eye(2), {"0": ZERO, "pi": sp.pi}
    for name, angle in turns.items():
        turned, weights = rotation(sp.cos(angle), sp.sin(angle)), sp.symbols("w1:5")
        expected = eye if name == "0" else -eye
        sides = [
            sp.Add(*(w * x for w, x in zip(weights, side, strict=True)))
            for side in (turned, expected, -expected)
        ]
        values = {w: sp.Integer(2**i) for i, w in enumerate(weights)}
        yield Claim(
            f"two lines are R({name})",
            sides[0],
            sides[1],
            (),
            (sides[2],),
            (values,),
            shown=f"[[cos({name}), -sin({name})], [sin({name}), cos({name})]] = "
                  f"{'' if name == '0' else '-'}I",
        )
    instances, A_ = at_sizes(signed), (P * D) * (D * Theta * D) * adjoint(P * D)
    given = ((adjoint(D), D), (D * D, ONE))
    what = ("(P D)(D Theta D)(P D)^T = P Theta P^T: det P = 1 by the sign of a column, which turns "
            "one angle backwards")
    yield Claim(
        what,
        A_,
        P * Theta * adjoint(P),
        given,
        (P * D * Theta * adjoint(P), P * D * Theta * D * adjoint(P)),
        instances,
    )


def signed(rng: random.Random, size: int) -> Instance:
    """The sign of the first column."""
    signs = sp.diag(-1, *[1] * (size - 1)).as_immutable()
    basis = random_rotation(rng, size)
    return {P: basis * signs, D: signs, Theta: matrix(rng, size, size)}


def canonical() -> Iterator[Claim]:
    yield from plane()
    yield from smaller()
    yield from parity()
    yield from lines()


def turning() -> Iterator[Claim]:
    """Theta(t) of two pairs and a fixed direction: Theta' = L Theta, Theta(0) = I.

    More pairs go in the same way.
    """
    # (5, 5)
    turned = sp.diag(
        rotation(sp.cos(b1 * t), sp.sin(b1 * t)), rotation(sp.cos(b2 * t), sp.sin(b2 * t)), 1
    )
    generator = sp.diag(rotation(ZERO, b1), rotation(ZERO, b2), 0)  # (5, 5)
    sides = [
        labelled(list(side))
        for side in (turned.diff(t), generator * turned, -generator * turned, generator)
    ]
    labels = {w: sp.Integer(n) for n, w in enumerate(sp.symbols("w1:26"), 1)}
    instances = tuple(
        {**labels, t: angle * sp.pi / 2, b1: ONE, b2: sp.Integer(angle)} for angle in (1, 2, 3)
    )
    what = ("Theta' = L Theta: d/dt diag(R(b1 t), R(b2 t), 1) = diag(b1 J, b2 J, 0) Theta, J = "
            "[[0, -1], [1, 0]]")
    yield Claim(what, sides[0], sides[1], (), (sides[2], sides[3]), instances, shown=what)
    what, start, eye = (
        "Theta(0) = diag(R(0), R(0), 1) = I",
        *(labelled(list(side)) for side in (turned.subs(t, 0), sp.eye(5))),
    )
    yield Claim(what, start, eye, (), (sides[3], -eye), instances, shown=what)


def conjugated(rng: random.Random, n: int) -> Instance:
    """Any T with T' = L T for a skew L: the identities need no more; P orthogonal."""
    env = {P: random_rotation(rng, n), L: skew(rng, n), T: matrix(rng, n, n)}
    return {**env, T_dot: env[L] * env[T], K: env[P] * env[L] * env[P].T}


def exponential() -> Iterator[Claim]:
    """Theta(t) solves Theta' = L Theta, so E(t) = P Theta(t) P^T solves E' = K E with E(0) = I:
    E(1) = exp(K), K = M - M^T."""
    yield from turning()
    instances, E, E_dot = at_sizes(conjugated), P * T * adjoint(P), P * T_dot * adjoint(P)
    given: tuple[Equation, ...] = ((T_dot, L * T), (K, P * L * adjoint(P)), (adjoint(P) * P, ONE))
    what = "E' = K E for E = P Theta P^T, K = P L P^T"
    yield Claim(what, E_dot, K * E, given, (E * K, K), instances)
    given = ((K, P * L * adjoint(P)), (adjoint(L), -L))
    yield Claim("K^T = -K", adjoint(P * L * adjoint(P)), -K, given, (K,), instances)
    what, M = "K = M - M^T for M = K / 2", K / 2
    yield Claim(what, M - adjoint(M), K, ((adjoint(K), -K),), (M, ZERO), instances)


PAPER = "RotRNN, arXiv 2407.07239"
WORDS = "free *-algebra, word normal form"
SPECTRAL = ("a symmetric matrix has a unit eigenvector; orthonormal columns can be completed to an "
            "orthonormal basis")

LEMMAS = (
    Lemma(
        name="every-rotation-is-canonical",
        statement="Every A of SO(N) is P Theta P^T: P in SO(N), Theta plane rotations side by "
                  "side, for odd N a fixed direction.",
        source=f"{PAPER}: A = P Theta P^T; the theorem is classical, the induction over planes is "
               "written out here",
        role="RotRNN's parameters lose no rotation of even size; an odd size would need a fixed "
             "direction",
        N="general N, even and odd",
        method=f"{WORDS}; induction over the size, whose step is the claims",
        cited=(
            SPECTRAL,
            "induction over N; columns of smaller orthonormal bases, by G, are columns of P",
            "det(XY) = det X det Y, det diag(X, Y) = det X det Y; a plane rotation has determinant "
            "1 (theta-rotation)",
        ),
        claims=canonical,
    ),
    Lemma(
        name="exp-onto-every-rotation",
        statement="Every A of SO(N) is exp(M - M^T) for some M: with A = P Theta P^T, M = P L P^T "
                  "/ 2, L the angles of Theta.",
        source=f"{PAPER}: P = exp(M - M^T); the theorem is classical",
        role="M loses no rotation: every P of determinant 1 is reached, at every size",
        N="general N; Theta' = L Theta in full for two pairs and a fixed direction, a row and a "
          "column of zeros in L",
        method=f"{WORDS}; the differential equation E' = K E; Theta(t) differentiated by SymPy",
        cited=(
            "every-rotation-is-canonical, for A = P Theta P^T",
            "cos' = -sin and sin' = cos; matrices with blocks on the diagonal multiply block by "
            "block",
            "E' = K E has one solution with E(0) = I, which is exp(t K) (exp-closed-one-angle, "
            "Coq: flow_unique)",
        ),
        claims=exponential,
    ),
)

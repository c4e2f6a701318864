"""A = P Theta P^T is a rotation with cheap powers, for any number of angles; and what the reference
scans is that model.

    symbol     meaning                                                                   shape
    C, S       diag(cos theta), diag(sin theta), one angle for each pair of coordinates  (N, N)
    x, y       first and second coordinates of the N pairs of the state                  (N, 1)
    Theta      [[C, -S], [S, C]], the rotation of all pairs; first coordinates before    (2N, 2N)
               second
    b          det Theta(theta / 2)                                                      ()
    P, A       orthogonal; A = P Theta P^T                                               (N, N)
    Z          Theta^k                                                                   (N, N)
    p, t, d    det P, det Theta; det of Theta, then of A                                 ()
    h          state of RotRNN                                                           (N, 1)
    u          inputs of RotRNN                                                          (W, 1)
    B          input matrix of RotRNN                                                    (N, W)
    s          P^T h, the rotated state                                                  (N, 1)

Where Theta is a letter nothing is said of pairs, and N is the head size itself. That every matrix
of SO(N) has this form is shown in `every_rotation`.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

import numpy as np
import sympy as sp
from sympy import adjoint

from scanproof.proofs.engine.algebra import Claim, Equation, Instance, letters
from scanproof.proofs.engine.certificates import ONE, ZERO
from scanproof.proofs.engine.instances import at_sizes, matrix, reflection
from scanproof.proofs.engine.instances import rotation as random_rotation
from scanproof.proofs.engine.moments import WIDTHS
from scanproof.proofs.engine.run import Lemma
from scanproof.proofs.rotations.rotation_operator import diagonal_rotation, rotation
from scanproof.reference.transitions.rotation import rotate
from scanproof.reference.transitions.rotation import rotation as rotation_scan

C, S, x, y, P, Theta, Z, h, B, u = letters("C S x y P Theta Z h B u")
b, p, t, d = letters("b p t d")
gamma, xi, angle = sp.symbols("gamma xi theta", real=True)
k = sp.Symbol("k", integer=True, nonnegative=True)

REAL_DIAGONAL: tuple[Equation, ...] = (
    (adjoint(C), C),
    (adjoint(S), S),
    (S * C, C * S),
    (S * S, 1 - C * C),
)
P_COLUMNS, P_ROWS, THETA_COLUMNS = (
    (adjoint(P) * P, ONE),
    (P * adjoint(P), ONE),
    (adjoint(Theta) * Theta, ONE),
)


def needed(*names: int) -> tuple[Equation, ...]:
    """Some of REAL_DIAGONAL: symmetric C, symmetric S, commuting, sum of squares."""
    return tuple(REAL_DIAGONAL[i] for i in names)


def angles(rng: random.Random, n: int) -> Instance:
    """n rational angles; det Theta of all pairs is b^2 of the half angles."""
    cosines, sines = diagonal_rotation(rng, n)
    half = sp.Matrix(sp.BlockMatrix([[cosines, -sines], [sines, cosines]]))
    columns = {x: matrix(rng, n, 1), y: matrix(rng, n, 1)}
    return {C: cosines, S: sines, **columns, b: half.det(), d: (half * half).det()}


def quarter_turns() -> tuple[Instance, ...]:
    """Small k and multiples of pi / 2, where cosines and sines are rational."""
    return tuple({k: sp.Integer(n), angle: i * sp.pi / 2} for n in range(4) for i in range(4))


def theta_is_a_rotation() -> Iterator[Claim]:
    """Theta is what the reference's rotate applies, Theta^T Theta = I, det Theta = 1."""
    turn, instances = rotation(C, S), at_sizes(angles)
    applied, back = turn * sp.Matrix([x, y]), rotation(C, -S) * sp.Matrix([x, y])
    for i, row in enumerate(rotate(np.array([C]), np.array([S]), np.array([x, y]))):
        yield Claim(
            f"Theta (x, y) is the reference's rotate: row {i + 1}",
            row,
            applied[i],
            (),
            (back[i],),
            instances,
            shown=f"row {i + 1} of rotate(C, S, (x, y)) = row {i + 1} of [[C, -S], [S, C]] (x, y)",
        )
    transposed = turn.T.applyfunc(adjoint)
    for i, j in itertools.product(range(2), range(2)):
        given = needed(0, 1, 3) if i == j else needed(0, 1, 2)
        product, mutant = (transposed * turn)[i, j], (turn * turn)[i, j]
        yield Claim(
            f"Theta^T Theta = I: block {i + 1}, {j + 1}",
            product,
            sp.Integer(i == j),
            given,
            (mutant,),
            instances,
        )
    given = ((d, b * b), (b * b, ONE))
    yield Claim(
        "det Theta = b^2 = det(H^T H) = 1, H = Theta(theta/2)",
        d,
        ONE,
        given,
        (-ONE, ZERO),
        instances,
    )


def powers_of_theta() -> Iterator[Claim]:
    """Theta(theta)^k = Theta(k theta), from k to k + 1; k = 1 makes the squares of half angles."""
    cos, sin, more = sp.cos(k * angle), sp.sin(k * angle), (k + 1) * angle
    product = rotation(cos, sin) * rotation(sp.cos(angle), sp.sin(angle))
    turned = rotation(sp.cos(more), sp.sin(more))
    for i, j in itertools.product(range(2), range(2)):
        what = f"R(k theta) R(theta) = R((k + 1) theta): entry {i + 1}, {j + 1}"
        mutant = rotation(sp.cos((k - 1) * angle), sp.sin((k - 1) * angle))[i, j]
        yield Claim(what, product[i, j], turned[i, j], (), (mutant,), quarter_turns())


def similar(rng: random.Random, n: int) -> Instance:
    """A rotation for Theta, a reflection for P (only its square enters), a power for Z."""
    basis, turn, exponent = reflection(rng, n), random_rotation(rng, n), rng.randint(1, 3)
    numbers = {
        p: basis.det(),
        t: turn.det(),
        d: (basis * turn * basis.T).det(),
        k: sp.Integer(exponent),
    }
    return {P: basis, Theta: turn, Z: turn**exponent, **numbers, gamma: sp.Rational(9, 10)}


def canonical_form() -> Iterator[Claim]:
    """A^T A = I, det A = 1, and (gamma A)^k = gamma^k P Theta^k P^T.

    The last goes from k to k + 1; k = 0 is P P^T = I.
    """
    A, instances = P * Theta * adjoint(P), at_sizes(similar)
    given = (P_COLUMNS, THETA_COLUMNS, P_ROWS)
    yield Claim("A^T A = I", adjoint(A) * A, ONE, given, (A, adjoint(A)), instances)
    determinant = ((d, p * t * p), (t, ONE), (p * p, ONE))
    yield Claim("det A = det P det Theta det P = 1", d, ONE, determinant, (p, -ONE), instances)
    power, more = gamma**k * P * Z * adjoint(P), gamma ** (k + 1) * P * Theta * Z * adjoint(P)
    swapped, undecayed = (
        gamma ** (k + 1) * adjoint(P) * Theta * Z * P,
        gamma**k * P * Theta * Z * adjoint(P),
    )
    what = "gamma A gamma^k P Theta^k P^T = gamma^(k+1) P Theta^(k+1) P^T"
    yield Claim(what, gamma * A * power, more, (P_COLUMNS,), (swapped, undecayed), instances)


def layer(rng: random.Random, n: int) -> Instance:
    """One step of a head: any Theta, because only P P^T = P^T P = I matters."""
    width = WIDTHS[n]
    columns = {h: matrix(rng, n, 1), u: matrix(rng, width, 1)}
    basis = random_rotation(rng, n)
    numbers = {gamma: sp.Rational(9, 10), xi: sp.Rational(rng.randint(1, 9), 7)}
    return {P: basis, Theta: matrix(rng, n, n), B: matrix(rng, n, width), **columns, **numbers}


def scanned(rng: random.Random, n: int) -> Instance:
    """n pairs of a rotated state, and drives of two steps."""
    return {
        **angles(rng, n),
        **{drive: matrix(rng, n, 1) for drive in DRIVES},
        gamma: sp.Rational(9, 10),
    }


DRIVES = letters("bx1 by1 bx2 by2")  # first and second coordinates, (N, 1)


def rotated_basis() -> Iterator[Claim]:
    """s = P^T h obeys s' = gamma Theta s + xi P^T B u, and h = P s.

    The reference's rotation runs this.
    """
    after, instances = gamma * P * Theta * adjoint(P) * h + xi * B * u, at_sizes(layer)
    rotated = gamma * Theta * adjoint(P) * h + xi * adjoint(P) * B * u
    # what two of the authors' versions do
    projected_twice = gamma * Theta * adjoint(P) * h + xi * P * B * u
    yield Claim(
        "P^T h' = gamma Theta s + xi P^T B u",
        adjoint(P) * after,
        rotated,
        (P_COLUMNS,),
        (projected_twice,),
        instances,
    )
    yield Claim("P s = h", P * adjoint(P) * h, h, (P_ROWS,), (P * P * h,), instances)
    turn, drives = rotation(C, S), [sp.Matrix(DRIVES[:2]), sp.Matrix(DRIVES[2:])]
    one = gamma * turn * sp.Matrix([x, y]) + drives[0]
    two, undriven = gamma * turn * one + drives[1], gamma * turn * one
    # (batch, time, heads, head_dim), without time
    b, s0 = np.array(DRIVES).reshape(1, 2, 1, 2), np.array([[[x, y]]])
    # (batch, time, heads, head_dim)
    found = rotation_scan(np.array([gamma]), np.array([[C]]), np.array([[S]]), b, s0)
    for i in range(2):
        what = f"the reference's rotation, two steps of gamma Theta s + b: row {i + 1}"
        yield Claim(what, found[0, 1, 0, i], two[i], (), (undriven[i],), at_sizes(scanned))


SOURCE = "RotRNN, arXiv 2407.07239: A = P Theta P^T"
WORDS = "free *-algebra, word normal form"
MULTIPLICATIVE = "det(XY) = det X det Y and det X^T = det X"

LEMMAS = (
    Lemma(
        name="theta-rotation",
        statement="Theta, N plane rotations side by side, is orthogonal with determinant 1, and "
                  "Theta(theta)^k = Theta(k theta).",
        source=SOURCE,
        role="the angles of a head are free parameters: every choice gives a rotation, whose "
             "powers cost nothing",
        N="general N, any number of angles",
        method=f"{WORDS}; diagonal matrices of any size as letters; half angles; addition theorem "
               "by SymPy; the reference's rotate is run on the letters",
        cited=(
            MULTIPLICATIVE,
            "the same reordering of rows and columns changes no determinant",
            "induction over k, from cos 0 = 1 and sin 0 = 0",
        ),
        claims=lambda: itertools.chain(theta_is_a_rotation(), powers_of_theta()),
    ),
    Lemma(
        name="canonical-form",
        statement="A = P Theta P^T is orthogonal with determinant 1 for every orthogonal P; (gamma "
                  "A)^k = gamma^k P Theta^k P^T.",
        source=SOURCE,
        role="RotRNN's transition is gamma times a rotation; its powers need no matrix product",
        N="general N",
        method=f"{WORDS}; the determinant as letters",
        cited=(
            "theta-rotation, for Theta^T Theta = I and det Theta = 1",
            MULTIPLICATIVE,
            "induction over k",
        ),
        claims=canonical_form,
    ),
    Lemma(
        name="rotated-basis",
        statement="s = P^T h obeys s_t = gamma Theta s_{t-1} + xi P^T B u_t, the recurrence that "
                  "is scanned, and h = P s.",
        source=f"{SOURCE}, and its authors' code",
        role="the scan needs no matrix product, and still computes the states of x_t = gamma A "
             "x_{t-1} + xi B u_t",
        N="general N",
        method=f"{WORDS}; the reference's rotation is run on the letters for two steps",
        cited=("induction over t",),
        claims=rotated_basis,
    ),
)

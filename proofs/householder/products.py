"""Which matrices are products of Householder factors, and which eigenvalues such products have
(Grazzi et al., proposition 1).

    symbol      meaning                                                              shape
    H           I - beta k k^T, |k| = 1; I + (1 - beta) on k, I across k             (N, N)
    A, c, e     orthogonal; A e and a coordinate e                                   (N, N), (N, 1)
    tau         2 / |c - e|^2, so that H = I - tau (c - e)(c - e)^T takes c to e     ()
    B           H A, orthogonal with B e = e                                         (N, N)
    x           any column; z one with k^T z = 0                                     (N, 1)
    f           another coordinate, e^T f = 0                                        (N, 1)
    U, V, Z     orthogonal; diagonal of the singular values                          (N, N)
    sigma, rho  singular values in [0, 1]                                            ()
    n, n1, n2   |x|^2, and after one factor and two                                  ()
    l1, l2      what a factor loses, >= 0 for beta in [0, 2]                         ()
    r           sqrt(1 - beta), R = I - (1 - r) k k^T the root of H                  (), (N, N)
    Q           a symmetric factor with the root T: Q = T T, T^T = T                 (N, N)
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial

import sympy as sp
from sympy import adjoint

from scanproof.proofs.engine.algebra import Claim, Equation, Instance, letters
from scanproof.proofs.engine.certificates import ONE, ZERO
from scanproof.proofs.engine.instances import at_sizes, matrix
from scanproof.proofs.engine.instances import rotation as random_rotation
from scanproof.proofs.engine.run import Lemma
from scanproof.proofs.householder.reflections import PAPER, SIGNS, UNIT, WORDS, house, k

A, B, c, e, f, x, z, tau, U, V, Z, Q, T = letters("A B c e f x z tau U V Z Q T")
n, n1, n2, l1, l2 = letters("n n1 n2 l1 l2")
sigma, rho, r, beta = sp.symbols("sigma rho r beta", real=True)

UNIT_E, UNIT_F = (adjoint(e) * e, ONE), (adjoint(f) * f, ONE)
COLUMNS = (adjoint(A) * A, ONE)


def moved(rng: random.Random, size: int) -> Instance:
    """An orthogonal matrix, what it makes of the first coordinate, and the reflection that undoes
    that; for N = 1 it is -1."""
    whole = random_rotation(rng, size) if size > 1 else -sp.eye(1)
    first = sp.eye(size)[:, 0]
    gap = whole * first - first
    env = {
        A: whole.as_immutable(),
        e: first.as_immutable(),
        c: (whole * first).as_immutable(),
        tau: 2 / (gap.T * gap)[0],
    }
    return {**env, B: (sp.eye(size) - env[tau] * gap * gap.T) * whole, x: matrix(rng, size, 1)}


def one_more_in_place() -> Iterator[Claim]:
    """H takes A e back to e, so B = H A keeps e and what is across e: B is 1 and an orthogonal
    matrix of size N - 1."""
    H, instances = house(tau, c - e), at_sizes(moved)
    moving = (tau * adjoint(e) * e, 1 + tau * adjoint(e) * c)
    given: tuple[Equation, ...] = ((A * e, c), moving, (tau * adjoint(c) * c, tau * adjoint(e) * e))
    yield Claim("c = A e, |c| = |e|: H A e = e", H * A * e, e, given, (c, -e), instances)
    what = "B e = e, so B^T e = B^T B e = e"
    yield Claim(what, adjoint(B) * (B * e), e, ((adjoint(B) * B, ONE),), (2 * e, -e), instances)
    across = (adjoint(e) * B, adjoint(e))
    what = "so e^T B x = e^T x: what is across e stays across"
    yield Claim(
        what,
        adjoint(e) * B * x,
        adjoint(e) * x,
        (across,),
        (-adjoint(e) * x, 2 * adjoint(e) * x),
        instances,
    )
    what, kept = (
        "a column z across c - e stays: places that are right already are not disturbed",
        at_sizes(undisturbed),
    )
    yield Claim(
        what, house(tau, c - e) * z, z, ((adjoint(c) * z, adjoint(e) * z),), (-z, 2 * z), kept
    )


def undisturbed(rng: random.Random, size: int) -> Instance:
    """Two coordinates (opposite ones for N = 1), and a column across their difference."""
    basis = random_rotation(rng, size)
    first, second = basis[:, 0], basis[:, 1] if size > 1 else -basis[:, 0]
    rest = basis * sp.Matrix([1, 1, *[3] * (size - 2)]) if size > 1 else sp.zeros(1, 1)
    return {
        c: first,
        e: second.as_immutable(),
        z: rest.as_immutable(),
        tau: ONE if size > 1 else ONE / 2,
    }


def decomposed(rng: random.Random, size: int) -> Instance:
    """Orthogonal U, V, two coordinates (for N = 1 the second is 0), singular values."""
    basis = sp.eye(size)
    other = basis[:, 1] if size > 1 else sp.zeros(1, 1)
    diagonal = sp.diag(*(sp.Rational(rng.randint(0, 6), 6) for _ in range(size)))
    env = {U: random_rotation(rng, size), V: random_rotation(rng, size), Z: diagonal.as_immutable()}
    return {
        **env,
        e: basis[:, 0].as_immutable(),
        f: other.as_immutable(),
        sigma: sp.Rational(1, 3),
        rho: sp.Rational(3, 4),
    }


def singular_values() -> Iterator[Claim]:
    """A diagonal of numbers in [0, 1] is a product of factors I - (1 - sigma) e e^T, one for each;
    U and V are reflections."""
    one, other, instances = house(1 - sigma, e), house(1 - rho, f), at_sizes(decomposed)
    both = 1 - (1 - sigma) * e * adjoint(e) - (1 - rho) * f * adjoint(f)
    what = "e^T f = 0: the factors of two coordinates multiply to a diagonal of both"
    yield Claim(
        what,
        one * other,
        both,
        ((adjoint(e) * f, ZERO),),
        (one, other + (1 - sigma) * e * adjoint(e)),
        instances,
    )
    what = "the factor of sigma takes e to sigma e: beta = 1 - sigma is in [0, 1]"
    yield Claim(what, one * e, sigma * e, (UNIT_E,), (e, -sigma * e), instances)
    M, what = (
        U * Z * adjoint(V),
        "M = U Z V^T: M^T M = V Z^2 V^T, so singular values <= 1 are |M| <= 1",
    )
    given = ((adjoint(U) * U, ONE), (adjoint(Z), Z))
    yield Claim(
        what, adjoint(M) * M, V * Z * Z * adjoint(V), given, (V * Z * adjoint(V), ONE), instances
    )


def two_losses() -> tuple[Instance, ...]:
    """Norms after one and two factors that lose l1 and l2."""
    losses = ((0, 0), (0, 1), (2, 0), (3, 5))
    norms = ((9, 9 - a, 9 - a - b, a, b) for a, b in losses)
    return tuple(
        dict(zip((n, n1, n2, l1, l2), map(sp.Integer, numbers), strict=True)) for numbers in norms
    )


def rooted(value: sp.Expr, rng: random.Random, size: int) -> Instance:
    """A unit column and a symmetric root of another factor; one across the unit column."""
    basis = random_rotation(rng, size)
    root = sp.eye(size) - sp.Rational(2, 3) * basis[:, -1] * basis[:, -1].T
    turned = random_rotation(rng, size)
    unit = turned[:, 0]
    across = turned * sp.Matrix([0, *matrix(rng, size - 1, 1)])
    env = {
        k: unit,
        T: root.as_immutable(),
        Q: (root * root).as_immutable(),
        x: matrix(rng, size, 1),
        z: across.as_immutable(),
    }
    return {**env, r: value, beta: 1 - value**2}


def eigenvalues() -> Iterator[Claim]:
    """|lam| = 1 means that no factor loses anything: each keeps the eigenvector, so lam = 1.

    Two factors of [0, 1]: lam >= 0.
    """
    given: tuple[Equation, ...] = ((n, n1 + l1), (n1, n2 + l2))
    what = "|x|^2 - |H' H x|^2 = l1 + l2: if nothing is lost, both are 0"
    yield Claim(what, n - n2, l1 + l2, given, (n - n2 - 2 * l1,), two_losses(), (l1, l2))
    instances = at_sizes(partial(rooted, sp.Rational(1, 2)))
    what = "l = beta (2 - beta) (k^T x)^2 = 0 and 0 < beta < 2 make k^T x = 0: then H x = x"
    yield Claim(
        what, house(beta, k) * z, z, ((adjoint(k) * z, ZERO),), (-z, (1 - beta) * z), instances
    )
    root = house(1 - r, k)
    what, H = "beta = 1 - r^2 in [0, 1]: H = R R, R = I - (1 - r) k k^T", house(1 - r * r, k)
    yield Claim(what, root * root, H, (UNIT,), (root, house(1 - r, k) * H), instances)
    inner, what = (
        root * Q * root,
        "R Q R is symmetric for symmetric Q, and has the eigenvalues of R R Q = H Q: they are real",
    )
    yield Claim(what, adjoint(inner), inner, ((adjoint(Q), Q),), (-inner, root * Q), instances)
    form, what = (
        adjoint(x) * inner * x,
        "x^T R Q R x = |T R x|^2 >= 0 for Q = T T, T^T = T: eigenvalues >= 0, and <= 1",
    )
    square = adjoint(T * root * x) * (T * root * x)
    yield Claim(
        what, form, square, ((Q, T * T), (adjoint(T), T)), (-square, adjoint(x) * Q * x), instances
    )


LEMMAS = (
    Lemma(
        name="orthogonal-by-reflections",
        statement="Every orthogonal matrix is a product of at most N reflections, a permutation "
        "that moves m coordinates of at most m - 1; every M with |M| <= 1 is a product of at most "
        "3 N factors with beta in [0, 2].",
        source=f"{PAPER}: proposition 1 (2); Cartan and Dieudonne for the orthogonal ones",
        role="how many factors a token needs: what DeltaProduct can reach",
        N="general N",
        method=f"{WORDS}; induction over the coordinates, whose step is the claims",
        cited=(
            "reflection-exchanges, for H A e = e; H = I where A e = e",
            "induction over the coordinates; a permutation that moves two exchanges them, one "
            "reflection for two coordinates",
            "singular values: every M is U Z V^T with orthogonal U, V and a diagonal Z >= 0, Z <= "
            "1 for |M| <= 1",
        ),
        claims=lambda: (
            claim for claims in (one_more_in_place(), singular_values()) for claim in claims
        ),
    ),
    Lemma(
        name="eigenvalues-of-products",
        statement="Eigenvalues of products of factors with beta in [0, 2) are 1 or of modulus < 1; "
        "of two factors with beta in [0, 1] they are real, in [0, 1].",
        source=f"{PAPER}: proposition 1 (3)",
        role="two factors of [0, 1] a token cannot turn anything: complex eigenvalues need beta > "
        "1 or three factors",
        N="general N, any number of factors by induction",
        method=SIGNS,
        cited=(
            "householder-products, for a norm of at most 1",
            "householder-contraction, for the loss of one factor; the same for complex x, with "
            "conjugate transposes",
            "X Y and Y X have the same eigenvalues; those of a symmetric matrix are real",
            "induction over the factors: H' H x = lam x and |lam| = 1 make H x = x, then H' x = x",
        ),
        claims=eigenvalues,
    ),
)

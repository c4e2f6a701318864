"""exp(M - M^T) is a rotation for every real M of every size: orthogonal, with determinant 1. Each
is proved twice.

    symbol     meaning                                                       shape
    M          any real matrix                                               (N, N)
    S          M - M^T, skew                                                 (N, N)
    Z          S^j                                                           (N, N)
    E, E0      E(t) = exp(t S), and E(0)                                     (N, N)
    E_dot      its derivative in t                                           (N, N)
    d, d_dot   det E(t) and its derivative in t; at t = 1 it is det exp(S)   ()
    b          det exp(S / 2)                                                ()
    trace      trace of S                                                    ()
    P, Q       a finite sum up to its term j, and up to j - 1                ()

    exp(S)^T exp(S) = sum of S^k (F(k,0) + ... + F(k,k))
        F(k,j) = (-1)^j / (j! (k-j)!),    G(k,j) its sum up to j
    exp(S/2) exp(S/2) = sum of S^k/k! (W(k,0) + ... + W(k,k))
        W(k,j) = binomial(k, j) / 2^k,    D(k,j) = W(k+1,j) - W(k,j)
        V(k,j) the sum of D(k,.) up to j                              (certificates.py)

What an argument uses without proving it stands in the `cited` of its lemma. That every rotation is
such an exponential is shown in `every_rotation`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import partial

import sympy as sp
from sympy import adjoint

from scanproof.proofs.engine.algebra import Claim, Instance, letters
from scanproof.proofs.engine.certificates import (
    ONE,
    ZERO,
    alternating_sum,
    binomial_sum,
    every_k,
    j,
    k,
)
from scanproof.proofs.engine.instances import at_sizes, matrix, reflection, rotation, skew
from scanproof.proofs.engine.run import Lemma

M, S, Z, E, E_dot, E0 = letters("M S Z E E_dot E0")
d, d_dot, b, trace = letters("d d_dot b trace")


def skewness() -> Iterator[Claim]:
    difference = M - adjoint(M)
    instances = at_sizes(lambda rng, n: {M: matrix(rng, n, n)})
    yield Claim(
        "M - M^T is skew",
        adjoint(difference),
        -difference,
        (),
        (difference, M + adjoint(M)),
        instances,
    )


def powers(rng: random.Random, n: int) -> Instance:
    """S and Z = S^j for some j."""
    skew_matrix, exponent = skew(rng, n), rng.randint(1, 4)
    return {S: skew_matrix, Z: skew_matrix**exponent, j: sp.Integer(exponent)}


def orthogonal_by_series() -> Iterator[Claim]:
    """exp(S)^T exp(S) = sum over k of S^k sum over j of F(k, j).

    The inner sum is 1 for k = 0, and 0 for all others.
    """
    yield from skewness()
    given = ((adjoint(Z), (-1) ** j * Z), (adjoint(S), -S), (Z * S, S * Z))
    next_power = (-1) ** (j + 1) * S * Z
    instances = at_sizes(powers)
    yield Claim(
        "(S^j)^T = (-1)^j S^j, from j to j + 1",
        adjoint(S * Z),
        next_power,
        given,
        (-next_power,),
        instances,
    )
    yield from alternating_sum()


def flow(rng: random.Random, n: int) -> Instance:
    """Any E with E' = S E, not only the exponential: the identity needs no more."""
    skew_matrix, point = skew(rng, n), matrix(rng, n, n)
    return {S: skew_matrix, E: point, E_dot: skew_matrix * point}


def orthogonal_by_flow() -> Iterator[Claim]:
    """E^T E is constant along E' = S E, and I at t = 0."""
    yield from skewness()
    slope, mutant = k / sp.factorial(k), 1 / sp.factorial(k)
    yield Claim(
        "E' = S E, coefficient of t^(k-1) S^k",
        slope,
        1 / sp.factorial(k - 1),
        (),
        (mutant,),
        every_k(),
    )
    given = ((E_dot, S * E), (adjoint(E_dot), adjoint(E) * adjoint(S)), (adjoint(S), -S))
    rate, mutant = adjoint(E_dot) * E + adjoint(E) * E_dot, 2 * adjoint(E) * S * E
    yield Claim("(E^T E)' = 0", rate, ZERO, given, (mutant,), at_sizes(flow))
    start = at_sizes(lambda rng, n: {E0: sp.eye(n).as_immutable()})
    yield Claim(
        "E(0)^T E(0) = I",
        adjoint(E0) * E0,
        ONE,
        ((E0, ONE), (adjoint(E0), ONE)),
        (ZERO, -ONE),
        start,
    )


def halves(
    orthogonal: Callable[[random.Random, int], sp.ImmutableMatrix], rng: random.Random, n: int
) -> Instance:
    """An orthogonal matrix for exp(S / 2), its square for exp(S): no more is needed."""
    half = orthogonal(rng, n)
    return {E: half, b: half.det(), d: (half * half).det()}


def determinant_by_halves() -> Iterator[Claim]:
    """exp(S) = exp(S/2)^2, so d = b^2, and b^4 = d^2 = det(exp(S)^T exp(S)) = 1; b is real, so
    d = 1.

    The last step as a sum of squares. It needs b real: b = i satisfies both hypotheses with d = -1.
    """
    yield from binomial_sum()
    squares, given = (d - 1) ** 2 + ((d - 1) * b) ** 2, ((d, b**2), (b**4, ONE))
    instances = at_sizes(partial(halves, rotation)) + at_sizes(partial(halves, reflection))
    yield Claim("(d - 1)^2 + ((d - 1) b)^2 = 0", squares, ZERO, given, (ONE, b**2), instances)


def jacobi(rng: random.Random, n: int) -> Instance:
    """A skew S, a d that a rotation has, and the derivative that Jacobi's formula gives."""
    skew_matrix, determinant = skew(rng, n), rotation(rng, n).det()
    return {
        S: skew_matrix,
        trace: skew_matrix.trace(),
        d: determinant,
        d_dot: skew_matrix.trace() * determinant,
    }


def determinant_by_jacobi() -> Iterator[Claim]:
    """det E(t) has the derivative tr(S) det E(t) = 0, and det E(0) = 1."""
    N = sp.Symbol("N", integer=True, positive=True)
    X = sp.MatrixSymbol("M", N, N)
    instances = at_sizes(lambda rng, n: {X: matrix(rng, n, n)})
    yield Claim(
        "tr(M - M^T) = 0", sp.Trace(X - X.T), ZERO, (), (sp.Trace(X), sp.Trace(X + X.T)), instances
    )
    yield Claim(
        "d' = 0", d_dot, ZERO, ((d_dot, trace * d), (trace, ZERO)), (d, -d), at_sizes(jacobi)
    )


SOURCE = "RotRNN, arXiv 2407.07239 (P = exp(M - M^T)); the theorem is classical"
ROLE = "makes A = P Theta P^T in RotRNN a rotation, so that gamma alone sets the decay"
ORTHOGONAL = "E = exp(M - M^T) satisfies E^T E = I, for every real M of size N x N."
DETERMINANT = "det exp(M - M^T) = 1, for every real M of size N x N."
TERM_BY_TERM = (
    "the exponential series converges absolutely: it may be multiplied and transposed term by term"
)
MEAN_VALUE = "a function whose derivative is 0 everywhere is constant (mean value theorem)"

LEMMAS = (
    Lemma(
        name="exp-orthogonal-series",
        statement=ORTHOGONAL,
        source=SOURCE,
        role=ROLE,
        N="general N",
        method="formal power series; Gosper certificate for symbolic j, k",
        cited=(TERM_BY_TERM,),
        claims=orthogonal_by_series,
    ),
    Lemma(
        name="exp-orthogonal-flow",
        statement=ORTHOGONAL,
        source=SOURCE,
        role=ROLE,
        N="general N",
        method="differential equation E' = S E; free *-algebra, word normal form",
        cited=("a power series may be differentiated term by term", "the product rule", MEAN_VALUE),
        claims=orthogonal_by_flow,
    ),
    Lemma(
        name="exp-determinant-halves",
        statement=DETERMINANT,
        source=SOURCE,
        role=ROLE,
        N="general N",
        method="half steps exp(S) = exp(S/2)^2; Wilf-Zeilberger certificate; a sum of squares",
        cited=(
            TERM_BY_TERM,
            "det(XY) = det X det Y and det X^T = det X",
            "exp(S)^T exp(S) = I (exp-orthogonal-series)",
            "a sum of squares of real numbers is 0 only if each is",
        ),
        claims=determinant_by_halves,
    ),
    Lemma(
        name="exp-determinant-jacobi",
        statement=DETERMINANT,
        source=SOURCE,
        role=ROLE,
        N="general N",
        method="Jacobi's formula for E' = S E; tr(M - M^T) = 0 for symbolic N",
        cited=(
            "E' = S E (exp-orthogonal-flow)",
            "Jacobi's formula (det E)' = tr(S) det E",
            MEAN_VALUE,
        ),
        claims=determinant_by_jacobi,
    ),
)

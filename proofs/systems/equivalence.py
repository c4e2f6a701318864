"""A head of RotRNN is an LRU with conjugate pairs of eigenvalues, all of modulus gamma, in a
unitary basis.

    symbol      meaning                                                                    shape
    C, S        diag(cos theta), diag(sin theta), one angle for each pair                  (N, N)
    lam         C + i S, the eigenvalues of the pairs; lam_ their conjugates C - i S       (N, N)
    Theta       [[C, -S], [S, C]], first coordinates before second                         (2N, 2N)
    U           1/sqrt(2) [[1, 1], [-i, i]] in blocks                                      (2N, 2N)
    Lambda      diag(lam, lam_)                                                            (2N, 2N)
    P, W        orthogonal basis of the head; W = P U                                      (2N, 2N)
    x, z        state of the head, state of the LRU: z = W^* x                             (2N, 1)
    f, g        first and second coordinates of P^T x                                      (N, 1)
    K           output matrix (C in the papers)                                            (W, 2N)
    k, l        columns of K P, of the first and of the second coordinates                 (W, N)

    x' = gamma P Theta P^T x + xi B u,      y = K x                      is
    z' = gamma Lambda z + xi (W^* B) u,     y = (K W) z = Re((K W) z)

One half of z is the conjugate of the other, so N modes with the doubled output matrix do:
y = Re(2 (K W)_1 z_1). Where U, P, Theta and Lambda are letters nothing is said of pairs, and N is
the head size itself.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

import numpy as np
import sympy as sp
from sympy import adjoint

from scanproof.proofs.engine.algebra import Claim, Instance, letters
from scanproof.proofs.engine.certificates import ONE
from scanproof.proofs.engine.instances import at_sizes, matrix
from scanproof.proofs.engine.instances import rotation as random_rotation
from scanproof.proofs.engine.moments import WIDTHS
from scanproof.proofs.engine.run import Lemma
from scanproof.proofs.rotations.rotation_operator import diagonal_rotation, rotation
from scanproof.proofs.scan.adjoint import numbers
from scanproof.proofs.scan.scan_algebra import labelled
from scanproof.proofs.systems.lru import imag, real
from scanproof.reference.systems import lru, rotrnn

C, S, f, g, k, l, P, U, Theta, Lambda, x, B, K, u = letters("C S f g k l P U Theta Lambda x B K u")
gamma, xi = sp.symbols("gamma xi", real=True)
TIME = 2  # steps for which both references are run
BLOCKS = tuple(itertools.product(range(2), range(2)))

BASIS = sp.Matrix([[1, 1], [-sp.I, sp.I]]) / sp.sqrt(2)  # U, in blocks
P_COLUMNS, P_ROWS = (adjoint(P) * P, ONE), (P * adjoint(P), ONE)
U_COLUMNS, U_ROWS = (adjoint(U) * U, ONE), (U * adjoint(U), ONE)


def pairs(rng: random.Random, n: int) -> Instance:
    """n rational angles, a state and an output matrix."""
    cosines, sines = diagonal_rotation(rng, n)
    columns, rows = (
        {c: matrix(rng, n, 1) for c in (f, g)},
        {r: matrix(rng, WIDTHS[n], n) for r in (k, l)},
    )
    return {C: cosines, S: sines, **columns, **rows, gamma: sp.Rational(9, 10)}


def conjugate_pairs() -> Iterator[Claim]:
    """U^* U = I, Theta = U Lambda U^*, |gamma lam_i| = gamma; z is a conjugate pair, and half of it
    is enough."""
    unitary, transposed = BASIS.H * BASIS, BASIS.T * BASIS
    for i, j in BLOCKS:
        what, mutant = f"U^* U = I: block {i + 1}, {j + 1}", transposed[i, j]
        yield Claim(
            what,
            unitary[i, j],
            sp.Integer(i == j),
            (),
            (mutant,),
            ({},),
            shown=f"U^H U at {i + 1}, {j + 1} = {int(i == j)}",
        )
    lam, lam_, instances = C + sp.I * S, C - sp.I * S, at_sizes(pairs)
    turn, diagonal, swapped = rotation(C, S), similar_to(lam, lam_), similar_to(lam_, lam)
    for i, j in BLOCKS:
        mutants = (2 * turn[i, j], *([swapped[i, j]] if i != j else []))
        yield Claim(
            f"Theta = U Lambda U^*: block {i + 1}, {j + 1}",
            turn[i, j],
            diagonal[i, j],
            (),
            mutants,
            instances,
            shown=f"[[C, -S], [S, C]] at {i + 1}, {j + 1} = U diag(C + i S, C - i S) U^H at "
                  f"{i + 1}, {j + 1}",
        )
    square, symmetric = gamma * lam * adjoint(gamma * lam), ((adjoint(C), C), (adjoint(S), S))
    given = (*symmetric, (S * S, 1 - C * C))
    yield Claim(
        "|gamma lam_i|^2 = gamma^2, real part",
        real(square),
        gamma**2,
        given,
        (gamma, ONE),
        instances,
    )
    given = (*symmetric, (S * C, C * S))
    yield Claim(
        "|gamma lam_i|^2 = gamma^2, imaginary part",
        imag(square),
        sp.Integer(0),
        given,
        (S * C,),
        instances,
    )
    yield from readouts()


def similar_to(first: sp.Expr, second: sp.Expr) -> sp.Matrix:
    """U diag(first, second) U^*, (2, 2) blocks, multiplied out."""
    return (BASIS * sp.diag(first, second) * BASIS.H).applyfunc(sp.expand)


def readouts() -> Iterator[Claim]:
    """z = U^* (f, g) is a conjugate pair, and y = k f + l g is Re(2 (K W)_1 z_1)."""
    z, KW, instances = BASIS.H * sp.Matrix([f, g]), sp.Matrix([[k, l]]) * BASIS, at_sizes(pairs)
    (first, second), y = (sp.sqrt(2) * z).applyfunc(sp.expand), k * f + l * g
    yield Claim(
        "z_2 is the conjugate of z_1: real part",
        real(second),
        real(first),
        (),
        (imag(first),),
        instances,
        shown="Re(sqrt(2) z_2) = Re(sqrt(2) z_1), z = U^H (f, g)",
    )
    yield Claim(
        "z_2 is the conjugate of z_1: imaginary part",
        imag(second),
        -imag(first),
        (),
        (imag(first),),
        instances,
        shown="Im(sqrt(2) z_2) = -Im(sqrt(2) z_1), z = U^H (f, g)",
    )
    whole, half = sp.expand((KW * z)[0]), real(KW[0] * z[0])
    yield Claim(
        "K U z = k f + l g, which is real",
        whole,
        y,
        (),
        (k * f - l * g,),
        instances,
        shown="(k, l) U U^H (f, g) = k f + l g",
    )
    yield Claim(
        "Re(2 (K U)_1 z_1) = k f + l g",
        real(2 * KW[0] * z[0]),
        y,
        (),
        (half, k * f - l * g),
        instances,
        shown="Re(2 ((k, l) U)_1 (U^H (f, g))_1) = k f + l g",
    )


def layer(rng: random.Random, n: int) -> Instance:
    """One step of a head: real orthogonal U and any Lambda, for the identities need no more."""
    basis, unitary, diagonal, width = (
        random_rotation(rng, n),
        random_rotation(rng, n),
        matrix(rng, n, n),
        WIDTHS[n],
    )
    numbers = {gamma: sp.Rational(9, 10), xi: sp.Rational(rng.randint(1, 9), 7)}
    env = {P: basis, U: unitary, Lambda: diagonal, Theta: unitary * diagonal * unitary.T, **numbers}
    return {
        **env,
        x: matrix(rng, n, 1),
        B: matrix(rng, n, width),
        K: matrix(rng, width, n),
        u: matrix(rng, width, 1),
    }


def change_of_basis() -> Iterator[Claim]:
    """W = P U is unitary and P Theta P^T = W Lambda W^*.

    Hence z' = gamma Lambda z + xi W^* B u and y = K W z.
    """
    W, A, instances, diagonal = (
        P * U,
        P * Theta * adjoint(P),
        at_sizes(layer),
        (Theta, U * Lambda * adjoint(U)),
    )
    yield Claim(
        "W^* W = I", adjoint(W) * W, ONE, (P_COLUMNS, U_COLUMNS), (W, adjoint(W)), instances
    )
    mutants = (adjoint(W) * Lambda * W, U * Lambda * adjoint(U))
    yield Claim(
        "P Theta P^T = W Lambda W^*", A, W * Lambda * adjoint(W), (diagonal,), mutants, instances
    )
    after = gamma * Lambda * adjoint(W) * x + xi * adjoint(W) * B * u
    given = (diagonal, P_COLUMNS, U_COLUMNS)
    mutants = (
        gamma * Lambda * adjoint(W) * x + xi * W * B * u,
        gamma * Lambda * adjoint(W) * x + xi * B * u,
    )
    what = "z = W^* x: z' = gamma Lambda z + xi W^* B u"
    yield Claim(what, adjoint(W) * (gamma * A * x + xi * B * u), after, given, mutants, instances)
    yield Claim(
        "K x = K W z",
        K * W * adjoint(W) * x,
        K * x,
        (U_ROWS, P_ROWS),
        (K * adjoint(W) * x,),
        instances,
    )


def named(name: str, *shape: int) -> np.ndarray:
    """Real symbols."""
    symbols = sp.symbols(f"{name}:{np.prod(shape)}", real=True)
    return np.array(symbols).reshape(shape)


def head_and_pair(half: bool) -> tuple[rotrnn.Constants, lru.Constants]:
    """A head of two coordinates and one input in symbols, P any matrix; and the pair of channels
    that it is, or one of them."""
    (cos, sin), P, B, K, D = (
        named("e", 2),
        named("P", 2, 2),
        named("B", 2, 1),
        named("K", 1, 2),
        named("D", 1),
    )
    scalars = (np.array([gamma]), np.array([[cos]]), np.array([[sin]]), P[None], np.array([xi]))
    head = rotrnn.Constants(*scalars, B[None], K[None, :, None], D)
    W, channels = P @ np.array(BASIS), slice(1 if half else 2)
    lam = gamma * np.array([cos + sp.I * sin, cos - sp.I * sin])  # (2,)
    drives, readout = adjoint_basis(P) @ B, (2 if half else 1) * K @ W  # (2, 1), (1, 2)
    return head, lru.Constants(
        lam[channels], np.array([xi, xi])[channels], drives[channels], readout[None, :, channels], D
    )


def adjoint_basis(P: np.ndarray) -> np.ndarray:
    """U^* P^T, (2, 2)."""
    return np.array(BASIS.H) @ P.T


def outputs(half: bool) -> tuple[sp.Expr, sp.Expr]:
    """What rotrnn.run and lru.run return for TIME steps from any start."""
    head, pair = head_and_pair(half)
    u, h0 = named("u", 1, TIME, 1), named("h", 1, 1, 1, 2)
    z0 = (adjoint_basis(head.P[0]) @ h0[0, 0, 0])[None, None, : len(pair.lam)]  # (1, 1, channels)
    runs = rotrnn.run(head, u, h0)[0], lru.run(pair, u, z0)[0]  # (1, TIME, 1) each
    return tuple(labelled([sp.expand(y_t) for y_t in y.flat]) for y in runs)


def runs_agree() -> Iterator[Claim]:
    """rotrnn.run and lru.run on the same symbols; of two channels, and of one.

    Mutants: conjugate eigenvalues, half the readout of one channel or twice that of two; only lam
    knows the sine.
    """
    (_, sine), readout = named("e", 2), named("K", 2)
    for half, name in (
        (False, "two conjugate channels"),
        (True, "one channel, the doubled readout"),
    ):
        y, found = outputs(half)
        backwards, factor = (
            found.subs(sine, -sine),
            found.xreplace({k: k / 2 if half else 2 * k for k in readout}),
        )
        instances = numbers(sorted(y.free_symbols, key=str))
        yield Claim(
            f"rotrnn.run = lru.run of {name}, T = {TIME}",
            y,
            found,
            (),
            (backwards, factor),
            instances,
            shown=f"y_t by rotrnn.run = y_t by lru.run, t = 1..{TIME}",
        )


SOURCE = "RotRNN, arXiv 2407.07239, against the Linear Recurrent Unit, arXiv 2303.06349"
WORDS = "free *-algebra, word normal form"

LEMMAS = (
    Lemma(
        name="conjugate-pairs",
        statement="Theta = U diag(exp(i theta), exp(-i theta)) U^* with U unitary: gamma Theta is "
                  "an LRU's diagonal in conjugate pairs, each of modulus gamma, and Re of one of "
                  "each pair, doubled, reads all out.",
        source=SOURCE,
        role="what a head of RotRNN can do an LRU can; kernels and allowances of the one serve the "
             "other",
        N="general N, any number of angles",
        method=f"{WORDS}; diagonal matrices of any size as letters, real and imaginary parts apart",
        cited=("exp(i theta) = cos theta + i sin theta", "theta-rotation, for C^2 + S^2 = I"),
        claims=conjugate_pairs,
    ),
    Lemma(
        name="rotrnn-is-lru",
        statement="A head of RotRNN is the LRU with eigenvalues gamma exp(+- i theta), gain xi, "
                  "input matrix W^* B, output matrix K W and states W^* x, where W = P U: the same "
                  "outputs.",
        source=SOURCE,
        role="the two systems are tested against each other; they differ in what is shared and "
             "trained, not in their functions",
        N=f"general N, any input width, any T by induction; head_dim = 2, T = {TIME} by both "
          "references",
        method=f"{WORDS}; rotrnn.run and lru.run are run on the same symbols",
        cited=(
            "conjugate-pairs, for Theta = U Lambda U^* and U^* U = I",
            "a square matrix with U^* U = I has U U^* = I",
            "induction over t",
        ),
        claims=lambda: itertools.chain(change_of_basis(), runs_agree()),
    ),
)

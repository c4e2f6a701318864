"""What parameters of RotRNN and LRU can change without changing an output, and what that says about
gradients.

    symbol      meaning                                                            shape
    M, K        free matrix; a symmetric one                                       (N, N)
    G           gradient of a loss in M                                            (N, N)
    B           input matrix of one head                                           (N, W)
    scale       c > 0                                                              ()
    P, Theta    orthogonal basis and rotation of a head; A = P Theta P^T           (N, N)
    Q           permutation of the coordinates of a head, pairs kept together      (N, N)
    s, u        rotated state P^T x, input                                         (N, 1), (W, 1)
    pi          permutation of the pairs of a head, or of the channels of an LRU   (N, N)
    C, S        diag(cos theta), diag(sin theta)                                   (N, N)
    x, y        first and second coordinates of the pairs                          (N, 1)
    d, q        det Q, det pi                                                      ()
    Lambda      diagonal of an LRU                                                 (N, N)
    z, b1, b2   its state, its drives                                              (N, 1)
    R           its output matrix (C in the papers)                                (W, N)
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import sympy as sp
from sympy import adjoint

from scanproof.proofs.engine.algebra import Claim, Instance, letters
from scanproof.proofs.engine.certificates import ONE, ZERO
from scanproof.proofs.engine.instances import at_sizes, matrix
from scanproof.proofs.engine.instances import rotation as random_rotation
from scanproof.proofs.engine.moments import WIDTHS
from scanproof.proofs.engine.run import Lemma
from scanproof.proofs.rotations.rotation_operator import diagonal_rotation
from scanproof.proofs.scan.adjoint import numbers
from scanproof.proofs.scan.scan_algebra import labelled, states
from scanproof.proofs.systems.equivalence import named
from scanproof.reference.systems import lru, rotrnn
from scanproof.reference.transitions.rotation import rotate

M, K, G, B, P, Theta, Q, s, u, pi, C, S, x, y, d, q = letters(
    "M K G B P Theta Q s u pi C S x y d q"
)
Lambda, z, b1, b2, R = letters("Lambda z b1 b2 R")
gamma, xi, theta, gamma_log = sp.symbols("gamma xi theta gamma_log", real=True)
scale = sp.Symbol("c", positive=True)
PI = (adjoint(pi) * pi, ONE)
# M - M^T is a quarter turn; (1, 2, 2)
QUARTER = np.array([[[sp.Integer(2), sp.pi / 2 + 1], [ONE, sp.Integer(-5)]]])
INPUTS = named("B", 1, 2, 1)
SYMMETRIC = named("K", 3)
# input, start and cotangent of one step
STEP = named("u", 1, 1, 1), named("h", 1, 1, 1, 2), named("y_bar", 1, 1, 1)
OTHERS = [
    *np.concatenate([part.ravel() for part in (*STEP, SYMMETRIC, named("C", 2), named("D", 1))]),
    *sp.symbols("w1:5"),
]


def head(M: np.ndarray, B: np.ndarray = INPUTS, theta: sp.Expr = theta) -> rotrnn.Params:
    """One head of two coordinates and one input, in symbols."""
    return rotrnn.Params(
        np.array([[theta]]), np.array([gamma_log]), M, B, named("C", 1, 2), named("D", 1)
    )


NO_M = np.full((1, 2, 2), ZERO, object)  # P = I


def rational_heads() -> tuple[Instance, ...]:
    """Decays, angles and inputs for which gamma, xi, cosines and sines are rational."""
    free = dict(zip(INPUTS.flat, map(sp.Integer, (3, 4)), strict=True))
    decay = {gamma_log: sp.log(-sp.log(sp.Rational(3, 5))), scale: sp.Rational(7, 2)}
    return tuple(
        {**values, **free, **decay, theta: i * sp.pi / 2}
        for i in range(4)
        for values in numbers(OTHERS)[:2]
    )


def skew_part() -> Iterator[Claim]:
    """(M + K) - (M + K)^T = M - M^T; a gradient orthogonal to every symmetric K is skew."""
    instances = at_sizes(symmetric)
    more, what = M + K, "K^T = K: (M + K) - (M + K)^T = M - M^T"
    yield Claim(
        what,
        more - adjoint(more),
        M - adjoint(M),
        ((adjoint(K), K),),
        (M + adjoint(M), M),
        instances,
    )
    twice, cyclic = (
        G + adjoint(G),
        G * adjoint(G) - adjoint(G) * G + G * G - adjoint(G) * adjoint(G),
    )
    what = "K = G + G^T: K^T K = 2 G^T K + terms of trace 0, so |K|^2 = 2 <G, K>"
    yield Claim(
        what,
        adjoint(twice) * twice,
        2 * adjoint(G) * twice + cyclic,
        (),
        (2 * adjoint(G) * twice, cyclic),
        instances,
    )
    yield from skew_part_of_the_reference()


def symmetric(rng: random.Random, n: int) -> Instance:
    any_matrix = matrix(rng, n, n)
    return {M: matrix(rng, n, n), K: any_matrix + any_matrix.T, G: matrix(rng, n, n)}


def skew_part_of_the_reference() -> Iterator[Claim]:
    """rotrnn.constants: P of M and of M + K; rotrnn.pull_back: the cotangent of M."""
    k, l, m = SYMMETRIC
    basis, moved = (
        rotrnn.constants(head(free)).P[0]
        for free in (QUARTER, QUARTER + np.array([[[k, l], [l, m]]]))
    )
    before, after, back = (labelled(list(entries.flat)) for entries in (basis, moved, basis.T))
    yield Claim(
        "rotrnn.constants: P of M + K is that of M, M - M^T a quarter turn",
        after,
        before,
        (),
        (back,),
        rational_heads(),
        shown="P by rotrnn.constants of M + K = P by rotrnn.constants of M, entry by entry",
    )
    u, h0, y_bar = (named(name, 1, 1, *shape) for name, shape in PAIR_STEP.items())
    bar = rotrnn.pull_back(two_pairs(), u, h0, y_bar).M[0]  # (4, 4)
    values = tuple(
        {**env, gamma_log: sp.log(-sp.log(sp.Rational(3, 5)))}
        for env in numbers([*PAIR_LETTERS, *WEIGHTS])
    )
    what, parts = (
        "rotrnn.pull_back at M = 0, two pairs: the cotangent of M is skew",
        labelled(list((bar + bar.T).flat)),
    )
    yield Claim(
        what,
        parts,
        ZERO,
        (),
        (bar[0, 2],),
        values,
        shown="M_bar + M_bar^T, M_bar by rotrnn.pull_back = 0, entry by entry",
    )


# one step of a head of two pairs; with one pair P would commute with Theta
PAIR_STEP = {"u": (1,), "h": (1, 4), "y_bar": (1,)}
PAIR_LETTERS = [
    *named("C", 4),
    *(letter for name, shape in PAIR_STEP.items() for letter in named(name, *shape).flat),
]
WEIGHTS = sp.symbols("w1:17")


def two_pairs() -> rotrnn.Params:
    """Angles 0 and pi / 2, tr(B^T B) = 25, M = 0."""
    angles, B = np.array([[ZERO, sp.pi / 2]]), np.array([[[2], [2], [4], [1]]]) * ONE
    return rotrnn.Params(
        angles,
        np.array([gamma_log]),
        np.full((1, 4, 4), ZERO, object),
        B,
        named("C", 1, 4),
        np.array([ZERO]),
    )


def gradients() -> rotrnn.Gradients:
    """rotrnn.pull_back of one step, from any state and cotangent; P = I."""
    return rotrnn.pull_back(head(NO_M), *STEP)


def inputs(rng: random.Random, n: int) -> Instance:
    return {B: matrix(rng, n, WIDTHS[n]), scale: sp.Rational(7, 2)}


def input_scale() -> Iterator[Claim]:
    """xi B is the same for c B, c > 0, and changes its sign for c < 0; so the gradient of B is
    orthogonal to B."""
    what, square = "tr (c B)^T (c B) = c^2 tr B^T B, before the trace", adjoint(B) * B
    yield Claim(
        what,
        adjoint(scale * B) * scale * B,
        scale**2 * square,
        (),
        (scale * square, square),
        at_sizes(inputs),
        shown="(c B)^H (c B) = c^2 B^H B",
    )
    normalised, up, down = (normalised_inputs(factor) for factor in (ONE, scale, -scale))
    yield Claim(
        "rotrnn.constants: xi B is the same for c B",
        up,
        normalised,
        (),
        (scale * normalised,),
        rational_heads(),
    )
    yield Claim(
        "rotrnn.constants: -c changes its sign",
        down,
        -normalised,
        (),
        (normalised,),
        rational_heads(),
    )
    inner = (gradients().B * INPUTS).sum()
    fixed_xi = (rotrnn.adjoint(rotrnn.constants(head(NO_M)), *STEP)[0].B * INPUTS).sum()
    yield Claim(
        "rotrnn.pull_back: <dL/dB, B> = 0; not so for fixed xi",
        inner,
        ZERO,
        (),
        (fixed_xi,),
        rational_heads(),
    )


def normalised_inputs(factor: sp.Expr) -> sp.Expr:
    """The entries of xi B for the input matrix factor B."""
    k = rotrnn.constants(head(NO_M, factor * INPUTS))
    return labelled(list((k.xi[:, None, None] * k.B).flat))


def shuffled(rng: random.Random, n: int) -> sp.ImmutableMatrix:
    """A permutation matrix, (n, n)."""
    order = list(range(n))
    rng.shuffle(order)
    return sp.ImmutableMatrix(n, n, lambda i, j: int(order[i] == j))


def permuted(rng: random.Random, n: int) -> Instance:
    """A head, and a permutation of all that has one index; d is det Q of pairs for det pi = q."""
    cosines, sines = diagonal_rotation(rng, n)
    order, width = shuffled(rng, n), WIDTHS[n]
    columns = {column: matrix(rng, n, 1) for column in (x, y, s, z, b1, b2)}
    angles = {C: cosines, S: sines, pi: order, q: order.det(), d: order.det() ** 2}
    basis = {
        P: random_rotation(rng, n),
        Theta: matrix(rng, n, n),
        Q: random_rotation(rng, n),
        B: matrix(rng, n, width),
    }
    channels = {Lambda: matrix(rng, n, n), R: matrix(rng, width, n)}
    return {
        **columns,
        **angles,
        **basis,
        **channels,
        u: matrix(rng, width, 1),
        gamma: sp.Rational(9, 10),
        xi: sp.Rational(2, 7),
    }


def angles_and_pairs() -> Iterator[Claim]:
    """theta + 2 pi; pairs in another order, with Q P^T for P^T; two pairs that turn backwards, with
    exchanged signs."""
    found, wrong = (angle_of(theta + turn) for turn in (2 * sp.pi, sp.pi))
    what = "rotrnn.constants: cos and sin of theta + 2 pi"
    yield Claim(
        what, found, angle_of(theta), (), (wrong,), rational_heads(),
        shown="cos(theta + 2 pi), sin(theta + 2 pi) by rotrnn.constants = cos(theta), sin(theta)",
    )
    instances = at_sizes(permuted)
    turned = rotate(np.array([C]), np.array([S]), np.array([x, y]))
    order = pi * C * adjoint(pi), pi * S * adjoint(pi)
    moved = rotate(np.array(order[:1]), np.array(order[1:]), np.array([pi * x, pi * y]))
    back = rotate(np.array([C]), np.array([-S]), np.array([x, -y]))
    for i, sign in enumerate((1, -1)):
        what = f"the reference's rotate: permuted pairs and angles, row {i + 1}"
        yield Claim(what, moved[i], pi * turned[i], (PI,), (turned[i], -pi * turned[i]), instances)
        what = f"the reference's rotate: second coordinates and angles change sign, row {i + 1}"
        yield Claim(
            what,
            back[i],
            sign * turned[i],
            (),
            (-sign * turned[i],),
            instances,
            shown=f"row {i + 1} of rotate(C, -S, (x, -y)) = {sign} row {i + 1} of rotate(C, S, (x, "
                  "y))",
        )
    yield Claim(
        "det Q = (det pi)^2 = 1, for pi moves both of a pair",
        d,
        ONE,
        ((d, q * q), (q * q, ONE)),
        (q, -ONE),
        signs(),
    )
    yield from other_basis(instances)


def angle_of(theta: sp.Expr) -> sp.Expr:
    k = rotrnn.constants(head(NO_M, theta=theta))
    return labelled([*k.cos.flat, *k.sin.flat])


def signs() -> tuple[Instance, ...]:
    """Even and odd permutations."""
    return tuple({q: sp.Integer(sign), d: ONE} for sign in (1, -1))


def other_basis(instances: tuple[Instance, ...]) -> Iterator[Claim]:
    """P Q^T for P and Q Theta Q^T for Theta: the rotated state is Q s, and P s is what it was."""
    P_, Theta_, given = P * adjoint(Q), Q * Theta * adjoint(Q), ((adjoint(Q) * Q, ONE),)
    what, A = "P' Theta' P'^T = P Theta P^T", P * Theta * adjoint(P)
    yield Claim(
        what,
        P_ * Theta_ * adjoint(P_),
        A,
        given,
        (P * Theta_ * adjoint(P), P_ * Theta * adjoint(P_)),
        instances,
    )
    after, after_ = (
        gamma * Theta * s + xi * adjoint(P) * B * u,
        gamma * Theta_ * Q * s + xi * adjoint(P_) * B * u,
    )
    yield Claim(
        "s' = Q s, after a step", after_, Q * after, given, (after, adjoint(Q) * after), instances
    )
    yield Claim("P' s' = P s", P_ * Q * s, P * s, given, (P * Q * s, P_ * s), instances)


def channels() -> Iterator[Claim]:
    """Channels in another order, and a channel with the conjugates of lam, of its inputs and of its
    outputs: the same y."""
    instances = at_sizes(permuted)
    moved = states(
        [(pi * Lambda * adjoint(pi), pi * b1), (pi * Lambda * adjoint(pi), pi * b2)], pi * z
    )[-1]
    plain = states([(Lambda, b1), (Lambda, b2)], z)[-1]
    others = (plain, adjoint(pi) * plain)
    yield Claim(
        "the reference's scan: permuted states, two steps",
        moved,
        pi * plain,
        (PI,),
        others,
        instances,
    )
    yield Claim(
        "R' h' = R h for R' = R pi^T",
        R * adjoint(pi) * moved,
        R * plain,
        (PI,),
        (R * moved, 2 * R * plain),
        instances,
    )
    yield from two_channels()


def two_channels() -> Iterator[Claim]:
    """lru.run on two channels in symbols."""
    parts = [
        named(f"{name}_re", *shape) + sp.I * named(f"{name}_im", *shape)
        for name, shape in SHAPES.items()
    ]
    y, backwards = lru_outputs(*parts), lru_outputs(parts[0][..., ::-1], *parts[1:])
    instances = numbers(sorted(y.free_symbols, key=str))
    exchanged = lru_outputs(*(part[..., ::-1] for part in parts))
    yield Claim(
        "lru.run: two channels exchanged, one step", exchanged, y, (), (backwards,), instances,
        shown="y by lru.run, channels 2, 1 = y by lru.run, channels 1, 2",
    )
    conjugated, mixed = (
        [first_conjugated(part) for part in parts],
        lru_outputs(first_conjugated(parts[0]), *parts[1:]),
    )
    yield Claim(
        "lru.run: one channel conjugated, one step",
        lru_outputs(*conjugated),
        y,
        (),
        (mixed,),
        instances,
        shown="y by lru.run, conjugates of channel 1 = y by lru.run",
    )


# of two channels, which are the last axis, and one input
SHAPES = {"lam": (2,), "B": (1, 2), "R": (1, 1, 2), "h": (1, 1, 2)}


def lru_outputs(lam: np.ndarray, B: np.ndarray, R: np.ndarray, h0: np.ndarray) -> sp.Expr:
    """The output of a step from any state; each next step is one, too."""
    y = lru.run(
        lru.Constants(lam, np.array([xi, xi]), B.T, R, named("D", 1)), named("u", 1, 1, 1), h0
    )[0]
    return labelled([sp.expand(y_t) for y_t in y.flat])


def first_conjugated(part: np.ndarray) -> np.ndarray:
    """The first channel's number by its conjugate."""
    return np.concatenate([part[..., :1].conjugate(), part[..., 1:]], -1)


PAPER = "RotRNN, arXiv 2407.07239"
WORDS = "free *-algebra, word normal form"
ONE_HEAD = "one head of head_dim 2"

LEMMAS = (
    Lemma(
        name="only-the-skew-part",
        statement="M + K gives the outputs of M for symmetric K; so the gradient of every loss in "
                  "M is skew.",
        source=f"{PAPER}: P = exp(M - M^T)",
        role="a law of every implementation, exact in M - M^T before rounding; gradients of M are "
             "checked by it",
        N=f"general N; {ONE_HEAD} by rotrnn.constants and rotrnn.pull_back",
        method=f"{WORDS}; the reference is run on symbols",
        cited=(
            "the derivative of a constant function is 0: <G, K> = 0 for every symmetric K",
            "tr XY = tr YX and tr X^T = tr X; |K|^2 = tr K^T K is 0 only for K = 0",
        ),
        claims=skew_part,
    ),
    Lemma(
        name="input-scale",
        statement="c B gives the outputs of B for c > 0, and -c B changes the sign of the head's "
                  "part; so <dL/dB, B> = 0.",
        source=f"{PAPER}: the normalisation xi = sqrt((1 - gamma^2) / tr(B^T B))",
        role="a law of every implementation; steps of the gradient turn B and make it longer, and "
             "its length does not matter",
        N=f"general N and width for tr; {ONE_HEAD} by rotrnn.constants, rotrnn.adjoint and "
          "rotrnn.pull_back",
        method=f"{WORDS}; the reference is run on symbols",
        cited=("tr is linear", "the outputs depend on B through xi B alone"),
        claims=input_scale,
    ),
    Lemma(
        name="angles-and-pairs",
        statement="theta + 2 pi, and pairs of a head in another order with the basis permuted in "
                  "the same way, give the same outputs. So do second coordinates and angles that "
                  "change sign, in as many pairs as keep det P = 1.",
        source=f"{PAPER}: A = P Theta P^T",
        role="parameters are not unique: implementations are compared by outputs; a law of every "
             "implementation",
        N=f"general N, any number of pairs, any width; {ONE_HEAD} by rotrnn.constants",
        method=f"{WORDS}; diagonal matrices of any size as letters; the reference's rotate is run "
               "on the letters",
        cited=(
            "det(XY) = det X det Y",
            "exp-onto-every-rotation: P Q^T is a basis that the parameters reach",
            "induction over t",
        ),
        claims=angles_and_pairs,
    ),
    Lemma(
        name="channels-permute",
        statement="An LRU with its channels in another order has the same outputs, and the states "
                  "in that order. With lam, inputs, outputs and start of a channel conjugated it "
                  "has the same outputs.",
        source="Linear Recurrent Unit, Orvieto et al. 2023, arXiv 2303.06349: a diagonal "
               "recurrence and Re(C h)",
        role="a law of every implementation: no channel sees its neighbours; angles in (pi, 2 pi) "
             "stand for those in (-pi, 0)",
        N="general N for the order; two channels, one step by lru.run",
        method=f"{WORDS}; the reference's scan and lru.run are run on symbols",
        cited=("induction over t", "Re z = Re conj(z), for any number of channels"),
        claims=channels,
    ),
)

"""RotRNN keeps the norm of a state, and for white inputs the expected norm of all states; for other
inputs it does not.

    symbol       meaning                                                          shape
    A            orthogonal transition                                            (N, N)
    x            state before a step, random; as a letter, see `moments`          (N, outcomes)
    X            E[x x^T]                                                         (N, N)
    c            one term of X = sum of c c^T; in norm-preserved any state        (N, 1)
    z            (gamma A)^k c                                                    (N, 1)
    B            input matrix                                                     (N, W)
    gamma, xi    decay and normalisation, xi^2 tr(B^T B) = 1 - gamma^2            ()
    s            1 - gamma^2 as a letter, and g gamma                             ()

    x_t = gamma A x_{t-1} + xi B u_t,   E|x|^2 = tr E[x x^T]
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

import numpy as np
import sympy as sp
from sympy import adjoint

from scanproof.proofs.engine.algebra import Claim, Instance, letters
from scanproof.proofs.engine.certificates import ONE, ZERO
from scanproof.proofs.engine.instances import at_sizes, matrix, rotation
from scanproof.proofs.engine.moments import (
    WHITE,
    WIDTHS,
    approach,
    t,
    u,
    uncorrelated,
    w,
    white_inputs,
)
from scanproof.proofs.engine.run import Lemma
from scanproof.proofs.scan.scan_algebra import states
from scanproof.reference.systems import rotrnn

A, x, X, B, c, z, g, s = letters("A x X B c z g s")
gamma, xi, gamma_log = sp.symbols("gamma xi gamma_log", real=True)
b1, b2 = sp.symbols("b1 b2", positive=True)
k = sp.Symbol("k", integer=True, nonnegative=True)
ISOMETRY = (adjoint(A) * A, ONE)
DECAYS = tuple(sp.Rational(i, 10) for i in (1, 5, 9))


def turned(rng: random.Random, n: int) -> Instance:
    """A state, and the same after a few steps."""
    turn, state, steps, decay = (
        rotation(rng, n),
        matrix(rng, n, 1),
        rng.randint(0, 3),
        sp.Rational(9, 10),
    )
    return {
        A: turn,
        c: state,
        z: (decay * turn) ** steps * state,
        k: sp.Integer(steps),
        gamma: decay,
    }


def norm_preserved() -> Iterator[Claim]:
    """|A c| = |c|, and |(gamma A)^k c| = gamma^k |c|, squared, from k to k + 1."""
    instances, square = at_sizes(turned), adjoint(c) * c
    yield Claim(
        "|A c|^2 = |c|^2",
        adjoint(A * c) * A * c,
        square,
        (ISOMETRY,),
        (2 * square, adjoint(c) * A * c),
        instances,
    )
    given = (ISOMETRY, (adjoint(z) * z, gamma ** (2 * k) * square))
    what, after = "|z| = gamma^k |c|: then |gamma A z| = gamma^(k+1) |c|", gamma * A * z
    mutants = (gamma ** (2 * k) * square, gamma ** (k + 1) * square)
    yield Claim(
        what, adjoint(after) * after, gamma ** (2 * k + 2) * square, given, mutants, instances
    )


def white_step(rng: random.Random, n: int) -> Instance:
    """A random state and white inputs on a finite probability space."""
    env = white_inputs(rng, WIDTHS[n], {x: n})
    numbers = {gamma: sp.Rational(9, 10), xi: sp.Rational(rng.randint(1, 9), 7)}
    return {
        **env,
        **numbers,
        X: env[x] * env[x].T,
        A: rotation(rng, n),
        B: matrix(rng, n, WIDTHS[n]),
        c: matrix(rng, n, 1),
    }


def second_moments() -> Iterator[Claim]:
    """E[x_t x_t^T] from E[x_(t-1) x_(t-1)^T]; its trace, term by term; and x_t stays uncorrelated
    with later inputs."""
    (after,) = states([(gamma * A, xi * B * u)], x)
    instances = at_sizes(white_step)
    what, given = "E[x_t w^T] = 0 for later inputs w", uncorrelated((x, w), (u, w))
    yield Claim(what, after * adjoint(w), ZERO, given, (xi * B * u * adjoint(u),), instances)
    given = ((x * adjoint(x), X), WHITE, *uncorrelated((x, u), (u, x)))
    driven = xi**2 * B * adjoint(B)
    moment, mutants = (
        gamma**2 * A * X * adjoint(A) + driven,
        (gamma * A * X * adjoint(A) + driven, gamma**2 * X + driven),
    )
    what = "E[x_t x_t^T] = gamma^2 A E[x_(t-1) x_(t-1)^T] A^T + xi^2 B B^T"
    yield Claim(what, after * adjoint(after), moment, given, mutants, instances)
    what, square = "tr A (c c^T) A^T = tr c c^T, where tr c c^T is c^T c", adjoint(c) * c
    yield Claim(what, adjoint(A * c) * A * c, square, (ISOMETRY,), (adjoint(c) * A * c,), instances)


def symbolic_constants() -> rotrnn.Constants:
    """One head of two coordinates and one input in symbols.

    M is 0, for it enters neither gamma nor xi.
    """
    zeros, B = np.full((1, 2, 2), ZERO, object), np.array([[[b1], [b2]]])
    params = rotrnn.Params(
        np.array([[ZERO]]), np.array([gamma_log]), zeros, B, zeros[0, :1], zeros[0, 0, :1]
    )
    return rotrnn.constants(params)


def normalisation() -> Iterator[Claim]:
    """rotrnn.constants on symbols: gamma = exp(-exp(gamma_log)).

    xi^2 tr(B^T B) is 1 - gamma^2.
    """
    found, entries = symbolic_constants(), {b1: sp.Rational(1, 2), b2: sp.Rational(3)}
    instances = tuple({**entries, gamma_log: sp.log(-sp.log(decay))} for decay in DECAYS)
    decay, (b1_, b2_) = sp.exp(-sp.exp(gamma_log)), found.B.flat
    yield Claim(
        "gamma = exp(-exp(gamma_log))",
        found.gamma[0],
        decay,
        (),
        (sp.exp(-2 * sp.exp(gamma_log)),),
        instances,
        shown="gamma by rotrnn.constants = exp(-exp(gamma_log))",
    )
    power, mutants = found.xi[0] ** 2 * (b1_**2 + b2_**2), (1 - decay, ONE)
    yield Claim(
        "xi^2 tr(B^T B) = 1 - gamma^2", power, 1 - decay**2, (), mutants, instances,
        shown="xi^2 (B_1^2 + B_2^2), xi by rotrnn.constants = 1 - gamma^2",
    )


def expected_norm() -> Iterator[Claim]:
    """q_t = E|x_t|^2 = gamma^2 q_(t-1) + (1 - gamma^2).

    1 stays 1, and from zero it is 1 - gamma^(2t).
    """
    yield from second_moments()
    yield from normalisation()
    values = tuple({gamma: decay} for decay in DECAYS)
    yield from approach("q_t = 1 + gamma^(2t) (q_0 - 1)", gamma**2, ONE, values)


def steady(rng: random.Random, n: int) -> Instance:
    """One input for all steps, with uncorrelated entries of variance 1."""
    numbers = {gamma: sp.Rational(9, 10), xi: sp.Rational(rng.randint(1, 9), 7)}
    return {u: white_inputs(rng, WIDTHS[n], {x: n})[u], B: matrix(rng, n, WIDTHS[n]), **numbers}


def decays() -> tuple[Instance, ...]:
    return tuple(
        {g: decay, s: 1 - decay**2, gamma: decay, t: sp.Integer(n)}
        for decay in DECAYS
        for n in range(3)
    )


def constant_input(name: str, sign: int) -> Iterator[Claim]:
    """u_t = u for all t, from zero; A = I or -I: white in space, not in time."""
    x2 = states([(sign * gamma, xi * B * u)] * 2, ZERO)[-1]
    moment, white = (
        (1 + sign * gamma) ** 2 * xi**2 * B * adjoint(B),
        (1 + gamma**2) * xi**2 * B * adjoint(B),
    )
    what = f"A = {name}: E[x_2 x_2^T] = (1 + r)^2 xi^2 B B^T, r = {'-' * (sign < 0)}gamma"
    yield Claim(what, x2 * adjoint(x2), moment, (WHITE,), (white,), at_sizes(steady))
    excess, given = sign * ((1 + sign * g) ** 2 * (1 - g**2) - (1 - g**4)), ((s, 1 - g**2),)
    what = (f"A = {name}: E|x_2|^2 is {'above' if sign > 0 else 'below'} 1 - gamma^4 by 2 gamma (1 "
            "- gamma^2)")
    yield Claim(what, excess, 2 * g * s, given, (excess - 3 * g * (1 - g**2),), decays(), (g, s))
    yield from geometric(name, sign * gamma)


def geometric(name: str, rate: sp.Expr) -> Iterator[Claim]:
    """x_t = (1 + r + ... + r^(t-1)) xi B u, r = rate; xi^2 tr(B B^T) = 1 - gamma^2 makes the limit
    of E|x_t|^2."""
    now, then = ((1 - rate**steps) / (1 - rate) for steps in (t, t + 1))
    what = f"A = {name}: x_t = (1 - r^t)/(1 - r) xi B u, from t to t + 1"
    yield Claim(what, rate * now + 1, then, (), (now, ONE), decays())
    limit, reciprocal = (1 + rate) / (1 - rate), (1 - rate) / (1 + rate)
    what = f"A = {name}: E|x_t|^2 tends to (1 + r)/(1 - r), not to 1"
    yield Claim(what, (1 - gamma**2) / (1 - rate) ** 2, limit, (), (reciprocal, ONE), decays())


SOURCE = "RotRNN, arXiv 2407.07239: the state norm"
WORDS = "free *-algebra, word normal form"
TRACE = ("E|x|^2 = tr E[x x^T], which is a sum of c c^T; tr is linear, tr c c^T = c^T c, tr B B^T "
         "= tr B^T B")
VANISHING = "powers of a number below 1 in modulus tend to 0"

LEMMAS = (
    Lemma(
        name="norm-preserved",
        statement="|(gamma A)^k c| = gamma^k |c| for orthogonal A: the decay alone sets the norm.",
        source=SOURCE,
        role="gamma is the memory of a head; no choice of angles or basis makes states grow",
        N="general N, every k",
        method=f"{WORDS}; the induction step is a claim",
        cited=("canonical-form, for A^T A = I", "induction over k"),
        claims=norm_preserved,
    ),
    Lemma(
        name="expected-state-norm",
        statement="For white inputs E|x_t|^2 = gamma^2 E|x_(t-1)|^2 + (1 - gamma^2): 1 is its only "
                  "fixed point, and from zero it is 1 - gamma^(2t).",
        source=SOURCE,
        role="why xi normalises: the expected norm is 1 for every value of the parameters",
        N="general N, any input width, every t; whiteness in time and space is a hypothesis",
        method=f"{WORDS}; random vectors as letters, x adjoint(u) for E[x u^T]: whiteness as "
               "hypotheses on the letters; the reference's scan is run on the letters, "
               "rotrnn.constants on symbols of head_dim = 2; instances: finite probability spaces",
        cited=(
            "random vectors with second moments are operators, and E[v w^T] is v adjoint(w)",
            TRACE,
            "canonical-form, for A^T A = I",
            "decay-below-one, for gamma^2 != 1",
            "induction over t",
        ),
        claims=expected_norm,
    ),
    Lemma(
        name="state-norm-needs-white",
        statement="One input repeated, white in space alone: E|x_t|^2 tends to (1 + gamma)/(1 - "
                  "gamma) for A = I, and to its reciprocal for A = -I.",
        source="the project's own counterexample to expected-state-norm without whiteness in time",
        role="what the expected state norm does not say: correlated inputs make the norm larger or "
             "smaller, for every gamma",
        N="general N, any input width, every t",
        method=f"{WORDS}; random vectors as letters; the reference's scan is run on the letters; "
               "signs for the direction",
        cited=(
            TRACE,
            "xi^2 tr(B^T B) = 1 - gamma^2 (expected-state-norm)",
            VANISHING,
            "induction over t",
        ),
        claims=lambda: itertools.chain(constant_input("I", 1), constant_input("-I", -1)),
    ),
)

"""LRU: |lam| < 1 for every value of the parameters, and the variance that white inputs give a
state.

    symbol             meaning                                                     shape
    nu_log, theta_log  real parameters of one channel; nu = exp(nu_log)            ()
    a, E, nu           |lam| = exp(-nu), exp(nu) and nu, as letters                ()
    slack              E - 1 - nu, which is >= 0                                   ()
    R, C, S            diag |lam|, diag cos(theta), diag sin(theta)                (N, N)
    x, y               real and imaginary parts of the N states                    (N, 1)
    re, im, r          real and imaginary part and modulus of lam of one channel   ()
    p, q               the same of one state before a step; see `moments`          (1, outcomes)
    B_re, B_im         one row of the input matrix                                 (1, W)
    u, w               white inputs of one step, and of a later one                (W, outcomes)
    v, V               E|h|^2 before the step; |B_i|^2                             ()

    h_t = lam h_{t-1} + gamma B_i u_t,   gamma = exp(gamma_log)

These are real numbers: in floating-point arithmetic |lam| may round to 1.
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
from scanproof.proofs.engine.moments import WHITE, approach, u, uncorrelated, w, white_inputs
from scanproof.proofs.engine.run import Lemma
from scanproof.proofs.rotations.rotation_operator import diagonal_rotation
from scanproof.proofs.scan.scan_algebra import states
from scanproof.reference.systems import lru

a, E, nu, slack, R, C, S, x, y, p, q, v, B_re, B_im = letters(
    "a E nu slack R C S x y p q v B_re B_im"
)
nu_log, theta_log, gamma_log, re, im, r, gamma, V = sp.symbols(
    "nu_log theta_log gamma_log re im r gamma V", real=True
)
MODULI = tuple(sp.Rational(i, 10) for i in (1, 5, 9))


def real(e: sp.Expr) -> sp.Expr:
    """The real part of an expression in letters that stand for real matrices."""
    return sp.expand((e + e.xreplace({sp.I: -sp.I})) / 2)


def imag(e: sp.Expr) -> sp.Expr:
    """Its imaginary part."""
    return sp.expand((e - e.xreplace({sp.I: -sp.I})) / (2 * sp.I))


def symbolic_constants() -> lru.Constants:
    """One channel and one input; of the parameters only the logarithms matter here."""
    logs = {"nu_log": nu_log, "theta_log": theta_log, "gamma_log": gamma_log}
    matrices = {name: np.array([[ZERO]]) for name in ("B_re", "B_im", "C_re", "C_im")}
    return lru.constants(
        lru.Params(
            **{name: np.array([log]) for name, log in logs.items()}, **matrices, D=np.array([ZERO])
        )
    )


def rational_parameters() -> tuple[Instance, ...]:
    """Parameters whose lam is a rational number times a quarter turn."""
    quarters = [i * sp.pi / 2 for i in (1, 2, 3, 4)]
    return tuple(
        {nu_log: sp.log(-sp.log(r)), theta_log: sp.log(angle)} for r in MODULI for angle in quarters
    )


def exponentials() -> tuple[Instance, ...]:
    """Any E >= 1 + nu and a = 1/E, not only the exponentials: the argument needs no more."""
    pairs = ((sp.Rational(n, 5), sp.Rational(n * m, 9)) for n in (1, 4, 20) for m in (0, 1, 7))
    return tuple(
        {nu: rate, E: 1 + rate + more, slack: more, a: 1 / (1 + rate + more)}
        for rate, more in pairs
    )


def channels(rng: random.Random, n: int) -> Instance:
    """N channels of any modulus and angle."""
    cosines, sines = diagonal_rotation(rng, n)
    moduli = sp.diag(*(sp.Rational(rng.randint(1, 9), 10) for _ in range(n))).as_immutable()
    return {R: moduli, C: cosines, S: sines, x: matrix(rng, n, 1), y: matrix(rng, n, 1)}


def norm(state: sp.Expr) -> sp.Expr:
    """|h|^2 of a column, from its real and imaginary parts."""
    return adjoint(real(state)) * real(state) + adjoint(imag(state)) * imag(state)


def decay_below_one() -> Iterator[Claim]:
    """|lam| = exp(-nu), and a step multiplies |h_i| by |lam_i|.

    1 - exp(-nu) >= nu exp(-nu), where exp(nu) >= 1 + nu.
    """
    lam, modulus = symbolic_constants().lam[0], sp.exp(-sp.exp(nu_log))
    square = sp.re(lam) ** 2 + sp.im(lam) ** 2
    what = "|lam|^2 = exp(-exp(nu_log))^2, lam from lru.constants"
    yield Claim(what, square, modulus**2, (), (modulus, modulus**4), rational_parameters())
    exponential, gap = ((a * E, ONE), (slack, E - 1 - nu)), 1 - a - a * nu
    what = "1 - exp(-nu) >= nu exp(-nu), which is > 0 for nu > 0"
    yield Claim(what, gap, a * slack, exponential, (gap - a * nu / 9,), exponentials(), (a, slack))
    (after,) = states([(R * (C + sp.I * S), ZERO)], x + sp.I * y)
    real_diagonal = (
        (adjoint(C), C),
        (adjoint(S), S),
        (adjoint(R), R),
        (R * C, C * R),
        (R * S, S * R),
        (S * C, C * S),
    )
    kept, decayed = adjoint(x) * x + adjoint(y) * y, adjoint(x) * R * R * x + adjoint(y) * R * R * y
    what, given = (
        "|Lambda h|^2 is the sum of |lam_i|^2 |h_i|^2",
        (*real_diagonal, (S * S, 1 - C * C)),
    )
    yield Claim(
        what,
        norm(after),
        decayed,
        given,
        (kept, adjoint(x) * R * x + adjoint(y) * R * y),
        at_sizes(channels),
    )


def white_step(rng: random.Random, n: int) -> Instance:
    """One channel of any lam before a step, and n white inputs."""
    env = white_inputs(rng, n, {p: 1, q: 1})
    rows = {B_re: matrix(rng, 1, n), B_im: matrix(rng, 1, n)}
    numbers = {
        re: sp.Rational(3, 5),
        im: sp.Rational(-1, 2),
        gamma: sp.Rational(rng.randint(1, 9), 7),
    }
    return {**env, **rows, **numbers, v: env[p] * env[p].T + env[q] * env[q].T}


def second_moment() -> Iterator[Claim]:
    """E|h_t|^2 = |lam|^2 E|h_(t-1)|^2 + gamma^2 |B_i|^2.

    h_t stays uncorrelated with later inputs.
    """
    (after,) = states([(re + sp.I * im, gamma * (B_re + sp.I * B_im) * u)], p + sp.I * q)
    parts = {"Re": real(after), "Im": imag(after)}
    instances, row = at_sizes(white_step), B_re * adjoint(B_re) + B_im * adjoint(B_im)
    for (name, part), driven in zip(parts.items(), (B_re, B_im), strict=True):
        what, mutant = f"E[{name} h_t w^T] = 0 for later inputs w", gamma * driven * u * adjoint(u)
        yield Claim(
            what,
            part * adjoint(w),
            ZERO,
            uncorrelated((p, w), (q, w), (u, w)),
            (mutant,),
            instances,
        )
    given = (
        (p * adjoint(p), v - q * adjoint(q)),
        WHITE,
        *uncorrelated((p, u), (u, p), (q, u), (u, q)),
    )
    moment, squared = (re**2 + im**2) * v + gamma**2 * row, (re**2 - im**2) * v + gamma**2 * row
    mutants = (squared, (re**2 + im**2) * v + gamma * row, moment - gamma**2 * B_im * adjoint(B_im))
    what, lhs = (
        "E|h_t|^2 = |lam|^2 E|h_(t-1)|^2 + gamma^2 |B_i|^2",
        sp.Add(*(part * adjoint(part) for part in parts.values())),
    )
    yield Claim(what, lhs, moment, given, mutants, instances)


def stationary_variance() -> Iterator[Claim]:
    """It tends to gamma^2 |B_i|^2 / (1 - |lam|^2), which is |B_i|^2 for the initial gamma_log."""
    yield from second_moment()
    fixed = gamma**2 * V / (1 - r**2)
    values = tuple(
        {r: modulus, gamma: sp.Rational(2, 3), V: sp.Rational(5, 4)} for modulus in MODULI
    )
    what = "gamma^2 |B_i|^2 is (1 - |lam|^2) times the variance"
    yield Claim(
        what, (1 - r**2) * fixed, gamma**2 * V, (), (gamma**2, (1 - r) * fixed), values,
        shown="(1 - r^2) (gamma^2 V / (1 - r^2)) = gamma^2 V",
    )
    yield from approach(
        "E|h_t|^2 = variance + |lam|^(2t) (E|h_0|^2 - variance)", r**2, fixed, values
    )
    gain, modulus = (
        sp.exp(lru.normalising_gamma_log(np.array([nu_log]))[0]),
        sp.exp(-sp.exp(nu_log)),
    )
    mutants, what = (ONE, 1 - modulus), "the initial gamma: gamma^2 = 1 - |lam|^2"
    yield Claim(
        what, gain**2, 1 - modulus**2, (), mutants, rational_parameters(),
        shown="exp(normalising_gamma_log(nu_log))^2 = 1 - |lam|^2, |lam| = exp(-exp(nu_log))",
    )


SOURCE = "Linear Recurrent Unit, Orvieto et al. 2023, arXiv 2303.06349"
WORDS = "free *-algebra, word normal form"

LEMMAS = (
    Lemma(
        name="decay-below-one",
        statement="|lam| = exp(-nu) < 1 with nu = exp(nu_log), for all real nu_log and theta_log: "
                  "1 - |lam| >= nu |lam| > 0.",
        source=f"{SOURCE}: the exponential parameterisation; RotRNN's gamma is the same function "
               "of gamma_log",
        role="no value of the parameters makes states grow; how far |lam| stays below 1",
        N="general N, every channel; real numbers, which floating-point arithmetic may round to 1",
        method=f"{WORDS}; an inequality as a product of numbers >= 0; lru.constants and the "
               "reference's scan are run on symbols",
        cited=("exp(x) > 0 and exp(x) >= 1 + x for real x", "a product of numbers > 0 is > 0"),
        claims=decay_below_one,
    ),
    Lemma(
        name="lru-variance",
        statement="For white inputs E|h_i|^2 tends to |B_i|^2 exp(2 gamma_log) / (1 - |lam|^2), "
                  "from any start that is uncorrelated with them; that is its only fixed point.",
        source=f"{SOURCE}: the normalisation gamma; gamma = 1 is their proposition 3 for r_min = "
               "r_max",
        role="the variance of a state is right at initialisation, and moves when nu_log and "
             "gamma_log are trained apart",
        N="every channel of general N, any input width, every t; whiteness in time and space is a "
          "hypothesis",
        method=f"{WORDS}; random variables as letters, p adjoint(u) for E[p u^T]: whiteness as "
               "hypotheses on the letters; the reference's scan and lru.normalising_gamma_log are "
               "run on symbols; instances: finite probability spaces",
        cited=(
            "random vectors with second moments are operators, and E[v w^T] is v adjoint(w)",
            "decay-below-one",
            "powers of a number below 1 in modulus tend to 0",
            "induction over t",
        ),
        claims=stationary_variance,
    ),
)

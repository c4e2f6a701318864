"""More rules of reference/allowance/bounded.py and its neighbours: functions, quotients, narrower
formats, and the norm of a basis.

    symbol       meaning                                                                  shape
    f, f_        |f(v)|, |f(v')| at the exact and at the computed argument                ()
    moved        how far f(v') may be from f(v): one ball as wide as v' may be off        ()
    df, dz       |f(v') - f(v)|; what the computed function is off f(v')                  ()
    e, loss      its relative and absolute error                                          ()
    a, b, q      exact numbers, q = a / b; a_, b_, q_ the computed ones                   (N, N)
    na, nb, nq   |a'-a|, |b'-b|, |q|; Ea, Eb bounds of the first two                      ()
    X, E, size   |v| <= X, |v' - v| <= E, |v'|; dv is |v' - v|                            ()
    s            relative error of one rounding to a narrower format                      ()
    P_, P        computed and exact basis                                                 (N, N)
    x, y, z      columns; xx, yy, xy for |x|^2, |y|^2, x^T y                              (N, 1), ()
    p, g, h ...  what is >= 0 by hypothesis, each named where it is used                  ()
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import sympy as sp
from sympy import adjoint

from scanproof.proofs.engine.algebra import Claim, Instance, letters
from scanproof.proofs.engine.instances import at_sizes, matrix
from scanproof.proofs.engine.instances import rotation as random_rotation
from scanproof.proofs.engine.run import Lemma
from scanproof.proofs.rounding.rounding_elements import CASES, CITED, cases, fraction

f, f_, moved, df, dz, e, loss, a, b, q, a_, b_, q_ = letters(
    "f f_ moved df dz e loss a b q a_ b_ q_"
)
na, nb, nq, Ea, Eb, X, E, size, s, dv = letters("na nb nq Ea Eb X E size s dv")
P_, P, x, y, z = letters("P_ P x y z")
p, g, h, i = letters("p g h i")
xx, yy, xy = sp.symbols("xx yy xy", real=True)


def evaluated(rng: random.Random) -> Instance:
    """A function, evaluated beside its argument, as wrong as the declaration allows or less."""
    values = {
        f: fraction(rng),
        moved: fraction(rng),
        e: sp.Rational(1, 8),
        loss: sp.Rational(1, 64),
    }
    values[df] = values[moved] * sp.Rational(rng.randint(0, 2), 2)
    values[f_] = abs(values[f] + rng.choice((-1, 1)) * values[df])
    most = values[e] * values[f_] + values[loss]
    values[dz] = most * sp.Rational(rng.randint(1, 2), 2)
    return values | {
        g: values[moved] - values[df],
        h: values[f] + values[df] - values[f_],
        i: most - values[dz],
    }


def functions() -> Iterator[Claim]:
    """E = moved + e (|f(v)| + moved) + loss."""
    granted, given = (
        moved + e * (f + moved) + loss,
        ((g, moved - df), (h, f + df - f_), (i, e * f_ + loss - dz)),
    )
    what, lhs = (
        "moved + e (|f(v)| + moved) + loss >= |f(v') - f(v)| + |z - f(v')|",
        granted - df - dz,
    )
    mutants = (lhs - e * moved - loss, lhs - moved)
    yield Claim(what, lhs, g + e * g + e * h + i, given, mutants, cases(evaluated), (e, g, h, i))


def divided(rng: random.Random, n: int) -> Instance:
    """Quotients of matrices of any size that commute with nothing: q b = a and q_ b_ = a_."""
    env = {letter: matrix(rng, n, n) for letter in (q, q_, b, b_)}
    return {**env, a: env[q] * env[b], a_: env[q_] * env[b_]}


def quotients(rng: random.Random) -> Instance:
    """Bounds as small as the hypotheses allow, or larger."""
    values = {
        na: fraction(rng),
        nb: fraction(rng),
        nq: fraction(rng),
        p: fraction(rng),
        g: fraction(rng),
    }
    return values | {Ea: values[na] + values[p], Eb: values[nb] + values[g]}


def quotient() -> Iterator[Claim]:
    """|a'/b' - a/b| |b'| <= E_a + |a/b| E_b; divided by |b'| >= |b| - E_b."""
    what, lhs, rhs = (
        "(a'/b' - a/b) b' = (a' - a) - a/b (b' - b)",
        (q_ - q) * b_,
        (a_ - a) - q * (b_ - b),
    )
    yield Claim(
        what,
        lhs,
        rhs,
        ((a, q * b), (a_, q_ * b_)),
        (a_ - a, (a_ - a) - q_ * (b_ - b)),
        at_sizes(divided),
    )
    what, lhs = "|a' - a| + |a/b| |b' - b| <= E_a + |a/b| E_b", Ea + nq * Eb - (na + nq * nb)
    given = ((p, Ea - na), (g, Eb - nb))
    yield Claim(
        what, lhs, p + nq * g, given, (lhs - Ea, lhs - nq * Eb), cases(quotients), (p, nq, g)
    )


def stored(rng: random.Random) -> Instance:
    """An element, and a rounding of what was computed."""
    values = {X: fraction(rng), E: fraction(rng), s: sp.Rational(1, 8), loss: sp.Rational(1, 64)}
    values[dv] = values[E] * sp.Rational(rng.randint(0, 2), 2)
    values[size] = (values[X] + values[dv]) * sp.Rational(rng.randint(1, 2), 2)
    most = values[s] * values[size] + values[loss]
    values[dz] = most * sp.Rational(rng.randint(1, 2), 2)
    return values | {
        g: values[E] - values[dv],
        h: values[X] + values[dv] - values[size],
        i: most - values[dz],
    }


def store() -> Iterator[Claim]:
    """E + s (X + E) + loss."""
    granted, given = (
        E + s * (X + E) + loss,
        ((g, E - dv), (h, X + dv - size), (i, s * size + loss - dz)),
    )
    what, lhs = "E + s (X + E) + loss >= |v' - v| + |fl(v') - v'|", granted - dv - dz
    yield Claim(
        what,
        lhs,
        g + s * g + s * h + i,
        given,
        (lhs - s * X - loss, lhs - E),
        cases(stored),
        (s, g, h, i),
    )


def bases(rng: random.Random, n: int) -> Instance:
    """Any computed basis beside an orthogonal one, and a column."""
    env = {
        P: random_rotation(rng, n),
        P_: matrix(rng, n, n),
        **{column: matrix(rng, n, 1) for column in (x, y, z)},
    }
    return {
        **env,
        xx: (env[x].T * env[x])[0],
        yy: (env[y].T * env[y])[0],
        xy: (env[x].T * env[y])[0],
    }


def norm_lane() -> Iterator[Claim]:
    """(P' - P) z has components of at most ||P' - P||_2 |z|; a row c^T of it at most |c|
    ||P' - P||_2 |z|."""
    instances = at_sizes(bases)
    what, lhs = (
        "P' z' - P z = P (z' - z) + (P' - P) z + (P' - P)(z' - z), z' - z = x",
        P_ * (z + x) - P * z,
    )
    rhs = P * x + (P_ - P) * z + (P_ - P) * x
    yield Claim(what, lhs, rhs, (), (P * x + (P_ - P) * z, P_ * x), instances)
    gap, given = (
        yy * x - xy * y,
        ((adjoint(x) * x, xx), (adjoint(y) * y, yy), (adjoint(x) * y, xy), (adjoint(y) * x, xy)),
    )
    what, square = (
        "||y|^2 x - (x^T y) y|^2 = |y|^2 (|x|^2 |y|^2 - (x^T y)^2), so (x^T y)^2 <= |x|^2 |y|^2",
        adjoint(gap) * gap,
    )
    yield Claim(
        what,
        square,
        yy * (xx * yy - xy**2),
        given,
        (yy * (xx * yy + xy**2), yy * xx * yy),
        instances,
    )
    what, basis = "|P x| = |x|: the exact basis adds nothing", adjoint(P * x) * (P * x)
    yield Claim(
        what,
        basis,
        adjoint(x) * x,
        ((adjoint(P) * P, sp.Integer(1)),),
        (adjoint(x) * P * x, 2 * basis),
        instances,
    )


SOURCE = ("Higham, Accuracy and Stability of Numerical Algorithms (2002), chapters 3 and 4; "
          "docs/layers.md")
METHOD = (
    f"free *-algebra; inequalities as sums of products of numbers >= 0; instances: {CASES} draws"
)

LEMMAS = (
    Lemma(
        name="element-function",
        statement="E = moved + e (|f(v)| + moved) + loss bounds the error of a function that is "
                  "off by e |f| + loss at a computed argument; moved is the most that f changes "
                  "over the argument's interval.",
        source=SOURCE,
        role="exp, expm1, log, sin, cos and square roots of reference.allowance_namespace",
        N="numbers",
        method=METHOD,
        cited=(*CITED, "the interval's image is enclosed by one ball (python-flint)"),
        claims=functions,
    ),
    Lemma(
        name="element-quotient",
        statement="(E_a + |a/b| E_b) / (|b| - E_b) bounds |a'/b' - a/b| where E_b < |b|.",
        source=SOURCE,
        role="how reference/allowance/bounded.py bounds quotients, before they are rounded",
        N="numbers; the splitting for matrices of any size",
        method=METHOD,
        cited=(*CITED, "|b'| >= |b| - |b' - b|"),
        claims=quotient,
    ),
    Lemma(
        name="element-store",
        statement="E + s (X + E) + loss bounds the error of what is stored in a narrower format.",
        source=SOURCE,
        role="outputs and carries that are stored in 16 bits, in reference/allowance/rounding.py "
             "and reference/allowance/bounded.py",
        N="numbers",
        method=METHOD,
        cited=CITED,
        claims=store,
    ),
    Lemma(
        name="element-norm-lane",
        statement="P' z' - P z = P (z' - z) + (P' - P) z + (P' - P)(z' - z); every component of "
                  "(P' - P) z is at most ||P' - P||_2 |z|.",
        source=SOURCE,
        role="the matrix exponential is known in norm only: `normwise` in "
             "reference/allowance/bounded.py",
        N="general N",
        method="free *-algebra, word normal form; the inequality of Cauchy and Schwarz as a square",
        cited=(
            "a component of D z is e^T (D z) with |e| = 1, and |D z| <= ||D||_2 |z|",
            "a square of a real number is >= 0",
        ),
        claims=norm_lane,
    ),
)

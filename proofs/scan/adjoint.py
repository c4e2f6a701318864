"""The gradient of a scan is a scan: a_t = A_(t+1)^T a_(t+1) + g_t, backwards in time.

    symbol       meaning                                                     shape
    g            gradient of the loss in h_t alone                           (N, 1)
    a, a_next    adjoint: gradient in h_t through everything later; at t+1   (N, 1)
    A, A_next    transition at t and at t + 1                                (N, N)
    d_prev       tangent: how h_(t-1) moves with the inputs                  (N, 1)
    dA, db       how A_t and b_t move                                        (N, N), (N, 1)
    h_prev       h_(t-1)                                                     (N, 1)

The tangent runs forwards, d_t = A d_prev + dA h_prev + db. Summed over t, the left side of the
first claim is the change of the loss and the right side telescopes; with the second,

    sum <g_t, d_t> = sum <a_t, dA_t h_(t-1) + db_t> + <A_1^T a_1, d_0>

so dL/db_t = a_t, dL/dA_t = a_t h_(t-1)^T and dL/dh_0 = A_1^T a_1. For complex letters ^T is the
conjugate transpose.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import sympy as sp
from sympy import adjoint

from scanproof.proofs.engine.algebra import Claim, Instance, letters
from scanproof.proofs.engine.instances import at_sizes, matrix
from scanproof.proofs.engine.run import Lemma
from scanproof.reference.transitions.diagonal import scan

TIME, SIZE = 4, 2  # of the comparison with derivatives
g, a, a_next, d_prev, db, h_prev = COLUMNS = letters("g a a_next d_prev db h_prev")
A, A_next, A_moves = MATRICES = letters("A A_next dA")


def model(rng: random.Random, n: int) -> Instance:
    """Random values; a as the backward recurrence gives it."""
    env = {X: matrix(rng, n, n) for X in MATRICES} | {x: matrix(rng, n, 1) for x in COLUMNS}
    return {**env, a: env[g] + env[A_next].T * env[a_next]}


def telescoping() -> Iterator[Claim]:
    """One step of the sum over t; any T by induction."""
    tangent = A * d_prev + A_moves * h_prev + db
    given, instances = ((adjoint(a), adjoint(g) + adjoint(a_next) * A_next),), at_sizes(model)
    handed_on = adjoint(a_next) * A_next * tangent
    what = "<g_t, d_t> = <a_t, d_t> - <a_(t+1), A_(t+1) d_t>"
    mutants = (adjoint(a) * tangent, adjoint(a) * tangent - adjoint(a_next) * A * tangent)
    yield Claim(
        what, adjoint(g) * tangent, adjoint(a) * tangent - handed_on, given, mutants, instances
    )
    what = "<a_t, d_t> - <a_t, A_t d_(t-1)> = <a_t, dA_t h_(t-1) + db_t>"
    source, forgotten = adjoint(a) * (A_moves * h_prev + db), adjoint(a) * db
    yield Claim(
        what, adjoint(a) * tangent - adjoint(a) * A * d_prev, source, (), (forgotten,), instances
    )
    what = "<a_1, A_1 d_0> = <A_1^T a_1, d_0>"
    yield Claim(
        what,
        adjoint(a) * A * d_prev,
        adjoint(adjoint(A) * a) * d_prev,
        (),
        (adjoint(A * a) * d_prev,),
        instances,
        shown="a^H (A d_prev) = (A^H a)^H d_prev",
    )


def named(name: str, rows: int, columns: int) -> list[sp.Matrix]:
    """Matrices of commuting symbols, one for each t."""
    return [
        sp.Matrix(rows, columns, sp.symbols(f"{name}{t}_:{rows * columns}"))
        for t in range(1, TIME + 1)
    ]


def states(
    multipliers: list[sp.Matrix], drives: list[sp.Matrix], start: sp.Matrix, reverse: bool = False
) -> list[sp.Matrix]:
    """The reference's scan on matrices: each is one element of an object array."""
    lam, b, h0 = (np.empty((1, len(x), 1), object) for x in (multipliers, drives, [start]))
    lam[0, :, 0], b[0, :, 0], h0[0, 0, 0] = multipliers, drives, start
    return list(scan(lam, b, h0[:, 0], reverse)[0, :, 0])  # (time,)


def numbers(symbols: list[sp.Symbol]) -> tuple[Instance, ...]:
    rng = random.Random(0)
    return tuple(
        {x: sp.Rational(rng.randint(-9, 9), rng.randint(1, 4)) for x in symbols} for _ in range(3)
    )


def along(loss: sp.Expr, places: list[sp.Matrix], directions: list[sp.Matrix]) -> sp.Expr:
    """The derivative of the loss in these directions, entry by entry."""
    pairs = zip(sp.flatten(places), sp.flatten(directions), strict=True)
    return sp.Add(*(sp.diff(loss, place) * direction for place, direction in pairs))


def derivatives() -> Iterator[Claim]:
    """T = 4, N = 2: both recurrences run by the reference's scan, against derivatives of the
    loss, in every direction."""
    A, dA = named("A", SIZE, SIZE), named("dA", SIZE, SIZE)
    b, db, g, (h0, dh0) = (
        named("b", SIZE, 1),
        named("db", SIZE, 1),
        named("g", SIZE, 1),
        named("h", SIZE, 1)[:2],
    )
    h, zero = states(A, b, h0), sp.zeros(SIZE, 1)
    a = states([*(m.T for m in A[1:]), sp.eye(SIZE)], g, zero, reverse=True)
    untransposed = states([*A[1:], sp.eye(SIZE)], g, zero, reverse=True)
    loss = sum(map(inner, g, h))
    instances = numbers(sp.flatten([A, dA, b, db, g, h0, dh0]))
    before = [h0, *h[:-1]]
    yield Claim(
        "dL/db_t = a_t",
        along(loss, b, db),
        paired(a, db),
        (),
        (paired(untransposed, db),),
        instances,
    )
    true, late = ([m * x for m, x in zip(dA, around, strict=True)] for around in (before, h))
    yield Claim(
        "dL/dA_t = a_t h_(t-1)^T",
        along(loss, A, dA),
        paired(a, true),
        (),
        (paired(a, late),),
        instances,
    )
    start, wrong = inner(A[0].T * a[0], dh0), inner(a[0], dh0)
    yield Claim("dL/dh_0 = A_1^T a_1", along(loss, [h0], [dh0]), start, (), (wrong,), instances)


def inner(x: sp.Matrix, y: sp.Matrix) -> sp.Expr:
    return (x.T * y)[0]


def paired(xs: list[sp.Matrix], ys: list[sp.Matrix]) -> sp.Expr:
    """<x_1, y_1> + <x_2, y_2> + ..."""
    return sp.Add(*map(inner, xs, ys))


def adjoint_recurrence() -> Iterator[Claim]:
    yield from telescoping()
    yield from derivatives()


LEMMAS = (
    Lemma(
        name="scan-adjoint",
        statement="a_t = A_{t+1}^T a_{t+1} + g_t is the gradient of the loss: dL/db_t = a_t, "
                  "dL/dA_t = a_t h_{t-1}^T.",
        source="reverse accumulation (Griewank and Walther, Evaluating Derivatives, 2008) on the "
               "linear recurrence",
        role="a backward kernel is a reverse scan, and is judged as one",
        N="general N, any T by induction; T = 4, N = 2 against derivatives",
        method="free *-algebra, word normal form; sympy.diff of the loss, both recurrences run by "
               "the reference's scan",
        cited=("a sum over t whose terms cancel in pairs telescopes",),
        claims=adjoint_recurrence,
    ),
)

"""Random vectors as letters: second moments become words, and the linearity of expectation is the
distributive law.

    symbol        meaning                                                         shape
    u, w          white inputs of two different steps                             (W, outcomes)
    x             a state that is uncorrelated with them                          (N, outcomes)
    x adjoint(u)  E[x u^T]                                                        (N, W)
    q             a second moment that a step takes to rate q + (1 - rate) fixed  ()

A random vector v with second moments is the operator f -> E[v f] from the square-integrable random
variables to R^n, and its adjoint takes a column c to c^T v; so v adjoint(w) is E[v w^T] for every
probability space, and constant matrices stay outside. With finitely many outcomes v is the matrix
whose column o is v(o) sqrt(P(o)): instances are such matrices.

    white: E[u_t u_s^T] is I for t = s, 0 for t != s, and E[x_0 u_t^T] = 0

That inputs are white is a hypothesis here, always.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import sympy as sp
from sympy import adjoint

from scanproof.proofs.engine.algebra import Claim, Equation, Instance, letters
from scanproof.proofs.engine.certificates import ONE, ZERO
from scanproof.proofs.engine.instances import matrix, rotation

u, w = letters("u w")
t = sp.Symbol("t", integer=True, nonnegative=True)
q0, q = sp.symbols("q0 q", real=True)

# W for every N of an instance: other than N, and itself one of these sizes
WIDTHS = {1: 2, 2: 3, 3: 1, 5: 2}
WHITE: Equation = (u * adjoint(u), ONE)


def uncorrelated(*pairs: tuple[sp.Symbol, sp.Symbol]) -> tuple[Equation, ...]:
    """E[v w^T] = 0 for these pairs (v, w), in this order."""
    return tuple((first * adjoint(then), ZERO) for first, then in pairs)


def white_inputs(rng: random.Random, width: int, states: dict[sp.Symbol, int]) -> Instance:
    """u, w white, and states of these numbers of rows that are uncorrelated with both."""
    others = sum(states.values())
    rows = rotation(rng, 2 * width + others)  # orthonormal random variables, one in each row
    env = {v: matrix(rng, n, others) * rows[2 * width :, :] for v, n in states.items()}
    return {**env, u: rows[:width, :], w: rows[width : 2 * width, :]}


def approach(
    what: str, rate: sp.Expr, fixed: sp.Expr, values: tuple[Instance, ...]
) -> Iterator[Claim]:
    """q_t = fixed + rate^t (q_0 - fixed) for q -> rate q + (1 - rate) fixed, by induction; with
    rate != 1 only `fixed` stays.

    `values` has the symbols of rate and fixed.
    """
    instances = tuple(
        {**env, t: sp.Integer(n), q0: sp.Rational(7, 3), q: sp.Rational(5, 2)}
        for env in values
        for n in range(3)
    )

    def closed(t: sp.Expr) -> sp.Expr:
        return fixed + rate**t * (q0 - fixed)

    def step(q: sp.Expr) -> sp.Expr:
        return rate * q + (1 - rate) * fixed

    yield Claim(
        f"{what}: q_0", closed(ZERO), q0, (), (fixed,), instances,
        shown=f"({fixed}) + ({rate})^0 (q0 - ({fixed})) = q0".replace("**", "^"),
    )
    yield Claim(
        f"{what}: from t to t + 1",
        step(closed(t)),
        closed(t + 1),
        (),
        (closed(t), fixed),
        instances,
    )
    gap = (1 - rate) * (q - fixed)
    yield Claim(
        f"{what}: a step takes (1 - rate) (q - fixed) away",
        q - step(q),
        gap,
        (),
        (q - fixed, ZERO),
        instances,
    )

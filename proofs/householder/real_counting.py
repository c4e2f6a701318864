"""Layers of scalar states with real transitions count powers of two at most (Grazzi et al.,
theorems 1 and 2, for these layers).

    symbol      meaning                                                              shape
    (a_t, b_t)  one scalar step; inputs choose it, so inputs of period p repeat it   ()
    a, b        the steps of one period, composed                                    ()
    q           the number p of steps in a period, or 2 p                            ()
    e, f        states of two runs before a step, f - e >= 0                         ()
    h, s        state before a period, and after it                                  ()

Inputs of period p: one period maps the state by h -> a h + b, a the product of its transitions,
each rounded. If a >= 0 that map grows with h, and so does h -> a^2 h + ... of two periods for every
real a. In finite precision the state is one of finitely many, and a growing map of them ends in a
fixed point: so the state ends up with period p if no transition is negative, and with period 2 p if
some are. The next layer sees inputs of that period. A constant input has p = 1, so L layers end up
with a period that divides 2^L: they count modulo m only if m is a power of two, and for
transitions >= 0 not even modulo 2.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Iterator

import sympy as sp

from scanproof.proofs.engine.algebra import Claim, Instance, letters
from scanproof.proofs.engine.instances import at_sizes, matrix
from scanproof.proofs.engine.run import Lemma
from scanproof.proofs.scan.scan_algebra import ON_LETTERS, states
from scanproof.proofs.scan.scan_operator import act, compose

PERIOD = 3
A_t, b_t = letters(f"A1:{PERIOD + 1}"), letters(f"b1:{PERIOD + 1}")
A, b, h, s = letters("A b h s")
a, f, e, gap, moved = letters("a f e gap moved")
a1, a2 = letters("a1 a2")
STEPS = tuple(zip(A_t, b_t, strict=True))


def model(rng: random.Random, n: int) -> Instance:
    """Steps of any size: the identities need no scalars; A, b one period composed."""
    env = {X: matrix(rng, n, n) for X in A_t} | {x: matrix(rng, n, 1) for x in (*b_t, h)}
    steps = [(env[X], env[x]) for X, x in STEPS]
    period = functools.reduce(compose, steps)
    return {**env, A: period[0], b: period[1], s: act(period, env[h])}


def one_period() -> Iterator[Claim]:
    """Steps of a period compose to one step; two periods have the square of its transition."""
    instances, composed = at_sizes(model), functools.reduce(compose, STEPS)
    what = (f"p = {PERIOD}: the reference's scan over a period applies (A, b), A the product of "
            "the transitions")
    yield Claim(
        what,
        states(STEPS, h)[-1],
        act(composed, h),
        (),
        (act(compose(STEPS[0], STEPS[1]), h),),
        instances,
    )
    given = ((s, A * h + b),)
    twice = compose((A, b), (A, b))
    what = "two periods: the transition is A^2"
    yield Claim(
        what, act((A, b), s), act(twice, h), given, (act((A, b), h), act(twice, s)), instances
    )


def pairs(signs: tuple[int, int]) -> tuple[Instance, ...]:
    """Transitions of these signs, two ordered states, and the step rounded to integers."""
    found = []
    for size in (sp.Rational(1, 3), sp.Integer(1), sp.Rational(5, 2)):
        for low, high in ((0, 0), (-3, 1), (2, 9)):
            one, two = signs[0] * size, signs[1] * size / 2
            values = {a: one, a1: one, a2: two, e: low, f: high, gap: high - low}
            found.append({symbol: sp.sympify(value) for symbol, value in values.items()})
    return tuple(found)


def order() -> Iterator[Claim]:
    """Which maps grow: a step with a >= 0, two that do not, and two periods of any."""
    given = ((f, e + gap),)
    what = "a >= 0, e <= f: a e + b <= a f + b"
    yield Claim(
        what,
        (a * f + b) - (a * e + b),
        a * gap,
        given,
        (a * f - a * e - gap,),
        with_drive(pairs((1, 1))),
        (a, gap),
    )
    what = "no transition of a period is negative: neither is their product"
    yield Claim(
        what,
        a2 * a1,
        a2 * a1,
        (),
        (a2 * a1 - a1,),
        pairs((1, 1)),
        (a1, a2),
        shown="a2 (a1 1) = a2 a1",
    )
    what, lhs = (
        "every real a, e <= f: two periods keep the order, a^2 (f - e) >= 0",
        a * a * f - a * a * e,
    )
    yield Claim(what, lhs, a * a * gap, given, (a * f - a * e,), pairs((-1, 1)), (gap,))


def with_drive(instances: tuple[Instance, ...]) -> tuple[Instance, ...]:
    return tuple({**env, b: sp.Rational(-7, 2)} for env in instances)


def layers() -> Iterator[Claim]:
    """Periods of layers: p, 2 p, 4 p, ..."""
    yield from one_period()
    yield from order()
    n, p = (
        sp.Symbol("n", integer=True, nonnegative=True),
        sp.Symbol("p", integer=True, positive=True),
    )
    values = tuple({n: sp.Integer(i), p: sp.Integer(j)} for i in range(3) for j in (1, 3))
    what = "from layer n to n + 1: the period 2^n p becomes 2^(n+1) p at most"
    yield Claim(what, 2 * (2**n * p), 2 ** (n + 1) * p, (), (2**n * p, 2 ** (n + 2) * p), values)


PAPER = "Grazzi et al., arXiv 2411.12537"

LEMMAS = (
    Lemma(
        name="real-transitions-count-powers-of-two",
        statement="On a constant input L layers of scalar states with real transitions, in finite "
        "precision, end up with a period that divides 2^L: they count modulo no m but powers of "
        "two; with transitions >= 0 modulo none.",
        source=f"{PAPER}: theorems 1 and 2, for diagonal layers; the proof by order is the "
        "project's own",
        role="a kernel that drops the sign or the imaginary part of a transition loses what the "
        "model is for",
        N="any number of layers, of states and of steps in a period, any format; other matrices "
        "with real eigenvalues: cited",
        method=f"{ON_LETTERS}; inequalities as products of numbers >= 0",
        cited=(
            "rounding is monotone, and so is what is composed of monotone maps",
            "a monotone map of a finite ordered set ends in a fixed point (Coq: monotone_stops)",
            "induction over layers: from some step on the inputs of the next layer have that "
            "period",
            f"{PAPER}: theorems 1 and 2, for matrices with real eigenvalues",
        ),
        claims=layers,
    ),
)

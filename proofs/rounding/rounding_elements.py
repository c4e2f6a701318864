"""The rules of reference/allowance/bounded.py for elements (v, X, E), in exact arithmetic:
products, open sums, closing, growing.

    symbol          meaning                                                            shape
    x_, x, y_, y    computed and exact values; here matrices, all identities allow it  (N, N)
    c, z            sum of computed addends, and what rounding makes of it             (N, N)
    Xa, Ea, Xb, Eb  sizes and errors of the factors: |a| <= Xa, |a_ - a| <= Ea         ()
    na, da          |a|, |a_ - a|; nb, db the same of the other factor                 ()
    Pa, Pb, sa, sb  Xa + Ea, Xb + Eb; |a_|, |b_|                                       ()
    rho             what rounding the product does: at most beta |a_ b_| + loss        ()
    Z               X + E0 of an open sum; Za and Zb of two sums                       ()
    P               (X + E0) of two addends that a program adds first                  ()
    n               addends; a = n_a - 1 and b = n_b - 1 of two sums                   ()
    p, q, v ...     what is >= 0 by hypothesis, each named where it is used            ()

    product    E0 = Xa Eb + Ea Xb + Ea Eb + beta Pa Pb + loss
    open sum   E = E0 + ((1 + u)^(n-1) - 1) (X + E0), so X + E = (1 + u)^(n-1) (X + E0)

bounded.py computes these in float64, rounded upwards, and has flushed sums and narrowed operands
besides; tests hold it to them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import sympy as sp

from scanproof.proofs.engine.algebra import Claim, Equation, Instance, letters
from scanproof.proofs.engine.certificates import ZERO
from scanproof.proofs.engine.instances import at_sizes, matrix
from scanproof.proofs.engine.run import Lemma

x_, x, y_, y, c, z = letters("x_ x y_ y c z")
Xa, Ea, Xb, Eb, na, da, nb, db, Pa, Pb, sa, sb, rho = letters(
    "Xa Ea Xb Eb na da nb db Pa Pb sa sb rho"
)
beta, loss, Z, Za, Zb, P, X, E0, more = letters("beta loss Z Za Zb P X E0 more")
p, q, v, w, g, i, j = letters("p q v w g i j")
u = sp.Symbol("u", positive=True)
n = sp.Symbol("n", integer=True, positive=True)
a, b = sp.symbols("a b", integer=True, nonnegative=True)
CASES = 10


def values(rng: random.Random, size: int) -> Instance:
    return {symbol: matrix(rng, size, size) for symbol in (x_, x, y_, y, c, z)}


def fraction(rng: random.Random, largest: int = 9) -> sp.Rational:
    return sp.Rational(rng.randint(0, largest), rng.randint(1, 4))


def factors(rng: random.Random) -> Instance:
    """Two factors, sizes and errors as small as allowed or larger, and one rounding."""
    slack = {symbol: rng.choice((ZERO, fraction(rng))) for symbol in (p, q, v, w, i, j)}
    norms = {symbol: fraction(rng) for symbol in (na, da, nb, db)} | {
        beta: sp.Rational(1, 8),
        loss: sp.Rational(1, 64),
    }
    sizes = {
        Xa: norms[na] + slack[p],
        Xb: norms[nb] + slack[w],
        Ea: norms[da] + slack[v],
        Eb: norms[db] + slack[q],
    }
    both = {Pa: sizes[Xa] + sizes[Ea], Pb: sizes[Xb] + sizes[Eb]}
    found = {sa: both[Pa] - min(slack[i], both[Pa]), sb: both[Pb] - min(slack[j], both[Pb])}
    slack |= {i: both[Pa] - found[sa], j: both[Pb] - found[sb]}
    most = norms[beta] * found[sa] * found[sb] + norms[loss]
    slack[g] = rng.choice((ZERO, most / 2))
    return norms | sizes | both | found | slack | {rho: most - slack[g], more: fraction(rng)}


def sums(rng: random.Random) -> Instance:
    """Two open sums, two addends of the first, and what is >= 0."""
    rate, counts = (
        sp.Rational(1, rng.choice((4, 16))),
        {n: rng.randint(1, 5), a: rng.randint(0, 4), b: rng.randint(0, 4)},
    )
    numbers = {
        X: fraction(rng),
        E0: fraction(rng),
        Za: fraction(rng),
        Zb: fraction(rng),
        v: fraction(rng),
        P: fraction(rng),
    }
    total = numbers[P] + numbers[v]
    grown = {
        p: (1 + rate) ** counts[b] - 1,
        q: (1 + rate) ** counts[a] - 1,
        g: (1 + rate) ** (counts[n] - 1) - 1,
    }
    integers = {symbol: sp.Integer(count) for symbol, count in counts.items()}
    return {**numbers, **grown, **integers, u: rate, Z: total, more: fraction(rng)}


def cases(model: Callable[[random.Random], Instance]) -> tuple[Instance, ...]:
    rng = random.Random(3)
    return tuple(model(rng) for _ in range(CASES))


def product_rule() -> Iterator[Claim]:
    """a_ b_ - a b in three parts, each within its share of E0; then the rounding."""
    parts = x * (y_ - y) + (x_ - x) * y + (x_ - x) * (y_ - y)
    first_order = x * (y_ - y) + (x_ - x) * y
    yield Claim(
        "x_ y_ - x y in three parts", x_ * y_ - x * y, parts, (), (first_order,), at_sizes(values)
    )
    given: tuple[Equation, ...] = ((p, Xa - na), (q, Eb - db), (v, Ea - da), (w, Xb - nb))
    actual, cross = na * db + da * nb + da * db, Xa * Eb + Ea * Xb + Ea * Eb
    signs, shares = (
        (p, Eb, na, q, v, Xb, da, w),
        p * Eb + na * q + v * Xb + da * w + v * Eb + da * q,
    )
    what, instances = (
        "Xa Eb + Ea Xb + Ea Eb >= |a| |b_-b| + |a_-a| |b| + |a_-a| |b_-b|",
        cases(factors),
    )
    mutants = (cross - actual - Ea * Eb, cross - actual - Ea * Xb)
    yield Claim(what, cross - actual, shares, given, mutants, instances, signs)
    given = ((i, Pa - sa), (j, Pb - sb), (g, beta * sa * sb + loss - rho))
    what, lhs = (
        "beta (Xa + Ea)(Xb + Eb) + loss >= the rounding of a_ b_",
        beta * Pa * Pb + loss - rho,
    )
    mutants = (lhs - loss, lhs - beta * Pa * Pb / 2)
    yield Claim(
        what,
        lhs,
        beta * i * Pb + beta * sa * j + g,
        given,
        mutants,
        instances,
        (beta, i, Pb, sa, j, g),
    )
    larger = Xa * Eb + (Ea + more) * Xb + (Ea + more) * Eb - cross
    what, smaller = "E0 of a product grows with E of a factor", larger - 2 * more * (Xb + Eb)
    yield Claim(what, larger, more * (Xb + Eb), (), (smaller,), instances, (more, Xb, Eb))


def power(count: sp.Expr) -> sp.Expr:
    """(1 + u)^(count - 1)"""
    return (1 + u) ** (count - 1)


def error(X: sp.Expr, E0: sp.Expr, count: sp.Expr) -> sp.Expr:
    return E0 + (power(count) - 1) * (X + E0)


def open_sum() -> Iterator[Claim]:
    """By induction on n: two addends that a program adds first are one of n - 1."""
    what, instances = "z - v = (z - c) + (c - v): rounding, then what came before", cases(sums)
    yield Claim(
        what,
        z - x,
        (z - c) + (c - x),
        (),
        (z - c,),
        at_sizes(values),
        shown="z - x = (z - c) + (c - x)",
    )
    yield Claim(
        "n = 1: E = E0", error(X, E0, sp.Integer(1)), E0, (), (X + E0,), instances,
        shown="E0 + ((1 + u)^(n - 1) - 1) (X + E0) at n = 1 = E0",
    )
    what, reached = "X + E = (1 + u)^(n-1) (X + E0)", power(n) * (X + E0)
    yield Claim(what, X + error(X, E0, n), reached, (), ((1 + u) * reached,), instances)
    # X + E0 is Z, and Z + u P with the joined addend
    rest, joined = (v, Z - P), error(ZERO, Z + u * P, n)
    what, gain = (
        "n + 1 addends, two of them joined first: the rest of n stays within the rule",
        error(ZERO, Z, n + 1) - joined,
    )
    mutants = (error(ZERO, Z, n) - joined, gain - u * power(n) * Z / 2)
    yield Claim(what, gain, u * power(n) * v, (rest,), mutants, instances, (u, v))
    yield from two_sums(instances)
    yield from grows(instances)


def two_sums(instances: tuple[Instance, ...]) -> Iterator[Claim]:
    """Two sums of a + 1 and b + 1 addends, one more addition: any order is within the rule of
    a + b + 2 addends."""
    given, grown = (
        ((p, (1 + u) ** b - 1), (q, (1 + u) ** a - 1)),
        (1 + u) ** (a + b + 1) * (Za + Zb),
    )
    what, nested = (
        "any order: joining two rounded sums",
        (1 + u) * ((1 + u) ** a * Za + (1 + u) ** b * Zb),
    )
    rhs = (1 + u) ** (a + 1) * p * Za + (1 + u) ** (b + 1) * q * Zb
    fewer = (1 + u) ** (a + b) * (Za + Zb) - nested
    yield Claim(what, grown - nested, rhs, given, (fewer,), instances, (u, p, Za, q, Zb))
    what, lhs = (
        "closing: E becomes E0, and a sum of one addend keeps it",
        error(X, error(X, E0, n), sp.Integer(1)),
    )
    yield Claim(
        what, lhs, error(X, E0, n), (), (E0, error(X, E0, n + 1)), instances,
        shown="E_1(X, E_n(X, E0)) = E_n(X, E0), E_n(X, E0) = E0 + ((1 + u)^(n - 1) - 1) (X + E0)",
    )


def grows(instances: tuple[Instance, ...]) -> Iterator[Claim]:
    """E grows with E0, with X and with n: any upper bounds may take their places."""
    lhs = error(X, E0 + more, n) - error(X, E0, n)
    yield Claim(
        "E grows with E0",
        lhs,
        power(n) * more,
        (),
        (lhs - 2 * power(n) * more,),
        instances,
        (u, more),
    )
    lhs, given = error(X + more, E0, n) - error(X, E0, n), ((g, power(n) - 1),)
    yield Claim(
        "E grows with X",
        lhs,
        g * more,
        given,
        (lhs - 2 * (power(n) - 1) * more,),
        instances,
        (g, more),
    )
    lhs = error(X, E0, n + 1) - error(X, E0, n)
    what = "E grows with n"
    yield Claim(
        what,
        lhs,
        u * power(n) * (X + E0),
        (),
        (lhs - 2 * u * power(n) * (X + E0),),
        instances,
        (u, X, E0),
    )


SOURCE = ("Higham, Accuracy and Stability of Numerical Algorithms (2002), chapters 3 and 4; "
          "docs/layers.md")
CITED = ("|x + y| <= |x| + |y| and |x y| <= |x| |y|", "sums and products of numbers >= 0 are >= 0")
METHOD = (f"free *-algebra; inequalities as sums of products of numbers >= 0; instances: {CASES} "
          "draws, hypotheses met with and ")
METHOD += "without slack"

LEMMAS = (
    Lemma(
        name="element-product",
        statement="E0 = Xa Eb + Ea Xb + Ea Eb + beta (Xa + Ea)(Xb + Eb) + loss bounds the error of "
                  "a rounded product.",
        source=SOURCE,
        role="how reference/allowance/bounded.py bounds the products of a layer",
        N="numbers; the splitting for matrices of any size",
        method=METHOD,
        cited=CITED,
        claims=product_rule,
    ),
    Lemma(
        name="element-open-sum",
        statement="E = E0 + ((1 + u)^(n-1) - 1)(X + E0) bounds the error of n addends added in any "
                  "order; closing keeps it, and it grows with E0, X and n.",
        source=SOURCE,
        role="sums of reference/allowance/bounded.py stay open, because a program may add in any "
             "order",
        N="every number n of addends, every order; flushed sums and declared depths are not part "
          "of it",
        method=f"{METHOD}; symbolic n",
        cited=(
            *CITED,
            "|(x + y) d| <= u |x + y|",
            "induction over n, or over trees",
            "(1 + u)^a >= 1",
        ),
        claims=open_sum,
    ),
)

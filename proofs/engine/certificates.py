"""Two finite sums in closed form, proved by telescoping certificates instead of by a summation
routine.

    symbol     meaning                                                        range
    F(k, j)    (-1)^j / (j! (k-j)!);  sum over j is 1 at k = 0, else 0        0 <= j <= k
    G(k, j)    F(k, 0) + ... + F(k, j), Gosper's certificate                  0 <= j <= k, k >= 1
    W(k, j)    binomial(k, j) / 2^k;  sum over j is 1                         0 <= j <= k
    D(k, j)    W(k+1, j) - W(k, j)                                            0 <= j <= k
    V(k, j)    D(k, 0) + ... + D(k, j), Wilf and Zeilberger's certificate     0 <= j <= k, k >= 1
    P, Q       a sum up to term j, and up to term j - 1

A certificate is checked by induction on j: a ratio of factorials, for symbolic k and j. Source:
Petkovsek, Wilf and Zeilberger, A = B (1996), chapters 5 and 7.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sympy as sp
from sympy import factorial

from scanproof.proofs.engine.algebra import Claim, Instance, letters

LARGEST_K = 30  # every certificate is compared with the exact sums up to here
ZERO, ONE = sp.Integer(0), sp.Integer(1)
Sequence = Callable[[sp.Expr, sp.Expr], sp.Expr]

k, j = sp.symbols("k j", integer=True, positive=True)
P, Q = letters("P Q")


def F(k: sp.Expr, j: sp.Expr) -> sp.Expr:
    return (-1) ** j / (factorial(j) * factorial(k - j))


def G(k: sp.Expr, j: sp.Expr) -> sp.Expr:
    return (k - j) / k * F(k, j)


def W(k: sp.Expr, j: sp.Expr) -> sp.Expr:
    return sp.binomial(k, j) / sp.Integer(2) ** k


def D(k: sp.Expr, j: sp.Expr) -> sp.Expr:
    return W(k + 1, j) - W(k, j)


def V(k: sp.Expr, j: sp.Expr) -> sp.Expr:
    return -W(k, j) / 2


def every_k() -> tuple[Instance, ...]:
    """k = 1, ..., LARGEST_K."""
    return tuple({k: sp.Integer(n)} for n in range(1, LARGEST_K + 1))


def true_sums(term: Sequence) -> tuple[Instance, ...]:
    """P and Q, added up term by term, for 1 <= j <= k <= LARGEST_K."""
    instances = []
    for n in map(sp.Integer, range(1, LARGEST_K + 1)):
        total = term(n, ZERO)
        for i in map(sp.Integer, range(1, n + 1)):
            before, total = total, total + term(n, i)
            instances.append({k: n, j: i, P: total, Q: before})
    return tuple(instances)


def telescoping(names: str, term: Sequence, partial: Sequence) -> Iterator[Claim]:
    """term(k, 0) + ... + term(k, j) = partial(k, j) for 0 <= j <= k, k >= 1: induction on j."""
    yield Claim(
        f"{names}, j = 0",
        term(k, ZERO),
        partial(k, ZERO),
        (),
        (-partial(k, ZERO),),
        every_k(),
        shown=f"{names.partition(' = ')[0].partition(' + ')[0]} = "
              f"{names.partition(' = ')[2].replace('j', '0')}",
    )
    given = ((P, Q + term(k, j)), (Q, partial(k, j - 1)))
    mutants = (partial(k, j - 1), partial(k + 1, j))
    yield Claim(f"{names}, from j - 1 to j", P, partial(k, j), given, mutants, true_sums(term))


def alternating_sum() -> Iterator[Claim]:
    """F(k, 0) + ... + F(k, k) is 1 for k = 0 and 0 for k >= 1."""
    yield Claim("F(0,0) = 1", F(ZERO, ZERO), ONE, (), (ZERO,), ({},), shown="(-1)^0 / (0! 0!) = 1")
    yield from telescoping("F(k,0) + ... + F(k,j) = G(k,j)", F, G)
    yield Claim(
        "G(k,k) = 0", G(k, k), ZERO, (), (F(k, k),), every_k(), shown="(k - k)/k F(k, k) = 0"
    )


def binomial_sum() -> Iterator[Claim]:
    """W(k, 0) + ... + W(k, k) = 1, by induction on k from k = 0 and k = 1."""
    yield Claim(
        "W(0,0) = 1", W(ZERO, ZERO), ONE, (), (ZERO,), ({},), shown="binomial(0, 0) / 2^0 = 1"
    )
    yield Claim(
        "W(1,0) + W(1,1) = 1", W(ONE, ZERO) + W(ONE, ONE), ONE, (), (W(ONE, ZERO),), ({},),
        shown="binomial(1, 0) / 2 + binomial(1, 1) / 2 = 1",
    )
    yield from telescoping("D(k,0) + ... + D(k,j) = V(k,j)", D, V)
    yield Claim(
        "V(k,k) + W(k+1,k+1) = 0: the sum stays",
        V(k, k) + W(k + 1, k + 1),
        ZERO,
        (),
        (W(k, k),),
        every_k(),
    )

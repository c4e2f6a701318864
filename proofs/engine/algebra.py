"""Equalities between words in noncommuting letters: what a claim is, and how its residual is
decided.

A letter stands for a matrix of any size, an operator, or a number; `adjoint` is the transpose, for
complex letters the conjugate transpose. A claim lhs = rhs holds under the equations `given` if
rewriting words by those equations turns lhs - rhs into 0. Each step is an equality in any
*-algebra, so a residual of exactly 0 is a proof for every size N. Rewriting need not be confluent:
whatever it fails to reduce is not proved.

    term       meaning                                                  example
    letter     noncommuting symbol or its adjoint                       M, adjoint(M)
    word       product of letters, as a tuple; () stands for I          (adjoint(E), E)
    given      hypotheses (word, expression), read from left to right   (adjoint(S), -S)
    mutant     a false right-hand side that must be told from the true  S
    instance   exact values of all symbols                              {S: a rational skew matrix}
    sign       a symbol that an inequality takes to be >= 0; a          s for X - |x|: (s, X - n)
               hypothesis names it

A number that a hypothesis speaks about is a letter too: what holds without commuting holds with.
Coefficients may carry commuting symbols (an index k, a factorial of it), which no hypothesis
touches.
"""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sympy as sp
from sympy.concrete.expr_with_limits import ExprWithLimits

Word = tuple[sp.Expr, ...]
Equation = tuple[sp.Expr, sp.Expr]
Instance = Mapping[sp.Basic, sp.Basic]

FEW = 12  # terms for which sp.expand is the faster
NOTHING = 1e-6  # numbers above it, evaluated to 15 digits, are not 0
# of rewriting; ends rules that run in circles, such as A B -> B A and B A -> A B
MOST_STEPS = 10_000


@dataclass(frozen=True)
class Claim:
    """lhs = rhs for every size N, under the equations `given`; with signs, the inequality lhs >= 0
    that follows.

    Args:
        what: the statement in words.
        lhs, rhs: the two sides.
        given: the hypotheses, each a word and what it equals.
        mutants: right-hand sides that are false.
        instances: exact values under which the hypotheses hold; needed whenever there are
            hypotheses.
        signs: symbols taken to be >= 0; then rhs must be made of them by sums and products alone,
            which makes lhs >= 0, and a mutant is a smaller left-hand side, which must be negative
            on some instance.
        shown: the claim as a reader sees it, where SymPy has evaluated lhs and rhs before anything
            is proved.
    """

    what: str
    lhs: sp.Expr
    rhs: sp.Expr
    given: tuple[Equation, ...] = ()
    mutants: tuple[sp.Expr, ...] = ()
    instances: tuple[Instance, ...] = ()
    signs: tuple[sp.Symbol, ...] = ()
    shown: str = ""


def letters(names: str) -> tuple[sp.Symbol, ...]:
    """Noncommuting symbols, one for each name."""
    return sp.symbols(names, commutative=False, seq=True)


def residual(difference: sp.Expr, given: tuple[Equation, ...] = ()) -> sp.Expr:
    """`difference`, rewritten by the equations `given`, each coefficient simplified; a literal 0
    proves it zero.

    Raises:
        ValueError: a factor that is no letter, a left-hand side that is no word, rules that run in
            circles, or a coefficient with an unevaluated sum, product, integral, derivative or
            limit.
    """
    return sp.Add(
        *(simplified(c) * sp.Mul(*word) for word, c in rewritten(difference, given).items())
    )


def vanishes(difference: sp.Expr, given: tuple[Equation, ...] = ()) -> bool:
    """Whether the residual is a literal 0; a short coefficient that is not decides first."""
    coefficients = sorted(map(sp.sympify, rewritten(difference, given).values()), key=terms)
    return all(not nonzero_at_a_point(c) and simplified(c) == 0 for c in coefficients)


def nonzero_at_a_point(coefficient: sp.Expr) -> bool:
    """Whether numbers for its symbols show that it is not 0: simplifying would take ten times as
    long to leave a rest.

    It can only refuse: what is 0 there must still be simplified to 0. Integers ascend with the
    names, as in j <= k.
    """
    symbols = sorted(coefficient.free_symbols, key=str)
    if not all(isinstance(x, sp.Symbol) and x.is_commutative for x in symbols):
        return False
    values = [
        sp.Integer(i + 2) if x.is_integer else sp.Rational(2 * i + 5, 7 * i + 11)
        for i, x in enumerate(symbols)
    ]
    number = coefficient.xreplace(dict(zip(symbols, values, strict=True))).evalf(15)
    return bool(number.is_Float and abs(number) > NOTHING)


def terms(coefficient: sp.Expr) -> int:
    """How long it is, roughly."""
    return len(coefficient.args)


def rewritten(e: sp.Expr, given: tuple[Equation, ...]) -> Counter[Word]:
    """e as {word: coefficient}, no word of which contains the left-hand side of an equation."""
    rules = [(single_word(left), polynomial(right)) for left, right in given]
    todo = polynomial(e)
    done: Counter[Word] = Counter()
    for _ in range(MOST_STEPS):
        if not todo:
            return done
        word, c = todo.popitem()
        step = rewrite_once(word, rules)
        for new, factor in ({word: 1} if step is None else step).items():
            (done if step is None else todo)[new] += c * factor
    raise ValueError(
        f"rewriting did not end after {MOST_STEPS} steps: the hypotheses run in circles"
    )


def rewrite_once(word: Word, rules: list[tuple[Word, Counter[Word]]]) -> dict[Word, sp.Expr] | None:
    """The word after the first rule that fits anywhere, or None."""
    for left, right in rules:
        for i in range(len(word) - len(left) + 1):
            if word[i : i + len(left)] == left:
                return {word[:i] + middle + word[i + len(left) :]: c for middle, c in right.items()}
    return None


def polynomial(e: sp.Expr) -> Counter[Word]:
    """e, multiplied out, as {word: coefficient}."""
    words = multiplied_out(sp.sympify(e))
    return Counter({word: expanded(sp.Add(*coefficients)) for word, coefficients in words.items()})


def expanded(number: sp.Expr) -> sp.Expr:
    """A coefficient multiplied out; a polynomial with many terms and rational coefficients ten
    times as fast as by sp.expand."""
    if terms(number) > FEW:
        try:
            return (
                sp.ring(sorted(number.free_symbols, key=str), sp.QQ)[0].from_expr(number).as_expr()
            )
        except ValueError:
            pass
    return sp.expand(number)


@functools.lru_cache(maxsize=4096)
def multiplied_out(e: sp.Expr) -> dict[Word, list[sp.Expr]]:
    """The coefficients of every word of e, still to be added up; kept, because large formulas
    repeat their parts.

    sp.expand gives the same, and takes ten times as long on a sum of hundreds of words.
    """
    if e.is_commutative:
        return {(): [e]}
    if e.is_Add:
        return collected(
            (word, c) for part in e.args for word, cs in multiplied_out(part).items() for c in cs
        )
    if e.is_Mul:
        return functools.reduce(multiplied, map(multiplied_out, e.args))
    if e.is_Pow and e.exp.is_Integer and e.exp > 0:
        return functools.reduce(multiplied, [multiplied_out(e.base)] * int(e.exp))
    return {(one_letter(e),): [sp.Integer(1)]}


def multiplied(
    left: dict[Word, list[sp.Expr]], right: dict[Word, list[sp.Expr]]
) -> dict[Word, list[sp.Expr]]:
    """Every word of the left with every word of the right."""
    pairs = itertools.product(left.items(), right.items())
    return collected((u + v, sp.Add(*c) * sp.Add(*d)) for (u, c), (v, d) in pairs)


def collected(terms: Iterable[tuple[Word, sp.Expr]]) -> dict[Word, list[sp.Expr]]:
    """Terms with the same word together."""
    words: dict[Word, list[sp.Expr]] = {}
    for word, c in terms:
        words.setdefault(word, []).append(c)
    return words


def one_letter(factor: sp.Expr) -> sp.Expr:
    """The factor itself.

    No inverses: SymPy cancels A A^-1 unasked; give an inverse its own letter and hypotheses.
    """
    symbol = factor.args[0] if isinstance(factor, sp.adjoint) else factor
    if not isinstance(symbol, sp.Symbol):
        raise ValueError(
            f"word: found the factor {factor}, expected a letter, its adjoint or a positive power"
        )
    return factor


def single_word(left: sp.Expr) -> Word:
    """The left-hand side of a hypothesis as a word."""
    words = polynomial(left)
    if len(words) != 1 or () in words or set(words.values()) != {1}:
        raise ValueError(
            f"given: found the left-hand side {left}, expected one word without a coefficient"
        )
    return next(iter(words))


def simplified(coefficient: sp.Expr) -> sp.Expr:
    """The coefficient in simplest form; sums and the like are refused, because SymPy evaluates some
    of them wrongly.

    Example: summation((-1)**j * binomial(k, j), (j, 0, k)) is 0 for SymPy 1.14 with k nonnegative,
    also at k = 0.
    """
    if coefficient.has(ExprWithLimits, sp.Derivative, sp.Limit):
        raise ValueError(
            f"coefficient: found {coefficient}, expected a closed form; give a certificate instead"
        )
    # multiplied out it is 0 only if it is zero; simplify can take minutes
    if coefficient.is_polynomial():
        return expanded(coefficient)
    # mostly; simplify takes ten times as long
    if sp.expand_trig(sp.expand(coefficient)).expand() == 0:
        return sp.Integer(0)
    return sp.simplify(sp.combsimp(coefficient))

"""Exact rational instances of claims: matrices of size 1, 2, 3 and 5, and plain evaluation of a
formula on them.

An instance tests what rewriting cannot: that a claim is written down as meant, that its products
have shapes, and that its hypotheses can hold together (contradictory ones would prove anything).
Evaluation walks the formula as it stands, without `expand` and without rules, so it shares no code
with the proof.
"""

from __future__ import annotations

import functools
import operator
import random
from collections.abc import Callable

import sympy as sp

from scanproof.proofs.engine.algebra import Instance

SIZES = (1, 2, 3, 5)
Model = Callable[[random.Random, int], Instance]


def at_sizes(model: Model) -> tuple[Instance, ...]:
    """model(rng, N) for every N in SIZES, the same values in every run."""
    return tuple(model(random.Random(n), n) for n in SIZES)


def matrix(rng: random.Random, rows: int, columns: int) -> sp.ImmutableMatrix:
    """Random small fractions, shape (rows, columns)."""
    return sp.ImmutableMatrix(
        rows, columns, lambda i, j: sp.Rational(rng.randint(-6, 6), rng.randint(1, 5))
    )


def skew(rng: random.Random, n: int) -> sp.ImmutableMatrix:
    """M - M^T for a random M, shape (n, n)."""
    M = matrix(rng, n, n)
    return M - M.T


def rotation(rng: random.Random, n: int) -> sp.ImmutableMatrix:
    """Orthogonal with determinant 1, shape (n, n): Cayley's (I - S)(I + S)^-1 for a skew S."""
    S, eye = skew(rng, n), sp.eye(n)
    return sp.ImmutableMatrix((eye - S) * (eye + S).inv())


def reflection(rng: random.Random, n: int) -> sp.ImmutableMatrix:
    """Orthogonal with determinant -1, shape (n, n): a rotation whose first column changes sign."""
    return rotation(rng, n) * sp.diag(-1, *[1] * (n - 1))


class Remembered(dict[sp.Basic, sp.Basic]):
    """An instance with the values of all formulas that were evaluated on it.

    Raises:
        ValueError: a matrix for a commuting symbol, or a value against an assumption of its symbol.
    """

    def __init__(self, instance: Instance) -> None:
        super().__init__(instance)
        self.known = {symbol: mutable(symbol, v) for symbol, v in instance.items()}


def mutable(symbol: sp.Basic, v: sp.Basic) -> sp.Basic | sp.Matrix:
    """The value of a symbol; a letter's matrix as SymPy multiplies it fastest."""
    if symbol.is_commutative and isinstance(v, sp.MatrixBase):
        raise ValueError(
            f"instance: found a matrix for {symbol}, expected a number: that symbol commutes"
        )
    if isinstance(symbol, sp.Symbol) and symbol.is_commutative:
        for assumption, expected in symbol.assumptions0.items():
            if getattr(v, f"is_{assumption}") not in (expected, None):
                raise ValueError(
                    f"instance: found {symbol} = {v}, expected "
                    f"{'' if expected else 'not '}{assumption}"
                )
    return v.as_mutable() if isinstance(symbol, sp.Symbol) and isinstance(v, sp.MatrixBase) else v


def value(e: sp.Expr, instance: Instance) -> sp.Expr | sp.Matrix:
    """The formula e on the values of an instance; a number next to a matrix stands for that
    multiple of I.

    Raises:
        ValueError: a symbol without a value, a matrix for a commuting symbol, or a result that is
            not rational.
    """
    result = evaluated(
        sp.sympify(e),
        (instance if isinstance(instance, Remembered) else Remembered(instance)).known,
    )
    if not all(x.is_Rational for x in (result if isinstance(result, sp.MatrixBase) else (result,))):
        raise ValueError(f"instance: found the value {result} of {e}, expected rational numbers")
    return result


def evaluated(e: sp.Expr, known: dict[sp.Basic, sp.Expr]) -> sp.Expr | sp.Matrix:
    """`value` without its checks; what a formula repeats is evaluated once, and kept in `known`."""
    if e not in known:
        known[e] = e.xreplace(known).doit() if e.is_commutative else combined(e, known)
    return known[e]


def combined(e: sp.Expr, known: dict[sp.Basic, sp.Expr]) -> sp.Expr | sp.Matrix:
    """A sum, product, power or adjoint of the values of its parts."""
    parts = [evaluated(part, known) for part in e.args]
    if isinstance(e, sp.adjoint):
        return parts[0].adjoint()
    operation = {sp.Add: plus, sp.Mul: operator.mul, sp.Pow: operator.pow}.get(e.func)
    if operation is None:
        raise ValueError(
            f"instance: found {e}, expected a symbol with a value, a sum, product, power or adjoint"
        )
    return functools.reduce(operation, parts)


def plus(x: sp.Expr | sp.Matrix, y: sp.Expr | sp.Matrix) -> sp.Expr | sp.Matrix:
    """x + y, where a number beside a square matrix stands for that multiple of I."""
    if isinstance(x, sp.MatrixBase) == isinstance(y, sp.MatrixBase):
        return x + y
    number, m = (y, x) if isinstance(x, sp.MatrixBase) else (x, y)
    if not number:
        return m
    return m + number * sp.eye(m.rows)


def equal(left: sp.Expr, right: sp.Expr, instance: Instance) -> bool:
    """Whether both sides have the same value, exactly."""
    difference = plus(value(left, instance), -value(right, instance))
    return difference.is_zero_matrix if isinstance(difference, sp.MatrixBase) else difference == 0


def sizes(instances: tuple[Instance, ...]) -> tuple[int, ...]:
    """The sizes N that matrices of these instances have."""
    return tuple(
        sorted({v.rows for env in instances for v in env.values() if isinstance(v, sp.MatrixBase)})
    )

"""Inequalities by equality: lhs = rhs, and rhs is a sum of products of numbers that are >= 0; hence
lhs >= 0.

    s = X - |x|  and  t = |y|, both >= 0:        X |y| - |x y|  =  s t  >=  0

The numbers have names (letters or commuting symbols); what they stand for is said by hypotheses
such as (s, X - n). Norms are named too: n for |x|. That |x + y| <= |x| + |y| and |x y| <= |x| |y|
is cited by the lemmas that use it.
"""

from __future__ import annotations

import sympy as sp

from scanproof.proofs.engine.algebra import Instance
from scanproof.proofs.engine.instances import value


def seen(e: sp.Expr, signs: tuple[sp.Symbol, ...]) -> bool:
    """Whether e is made of `signs` and numbers >= 0 by sums, products and powers: e >= 0."""
    numbers = {
        symbol: sp.Dummy(symbol.name, nonnegative=symbol in signs or None, real=True)
        for symbol in e.free_symbols
    }
    return e.xreplace(numbers).is_nonnegative is True


def negative(e: sp.Expr, instance: Instance) -> bool:
    """Whether e, a number, is below 0 on an instance.

    Raises:
        ValueError: a value that is no number.
    """
    number = value(e, instance)
    if isinstance(number, sp.MatrixBase):
        raise ValueError(f"signs: found a matrix for {e}, expected a number")
    return bool(number < 0)

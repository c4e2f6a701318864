"""The matrix exponential P = exp S of given skew matrices, as a system. S is exactly skew, and
nothing was rounded before.

    delta = c_E u (|S|_1 + sqrt N)                 c_E: assumed (docs/measured/constants.md);
                                                   exp 0 = I is exact
    D     = P^ - exp S, in balls                   P^: what a program returned
    low   = |D x|_2 / |x|_2 <= |D|_2               x: the leading singular vector of D, rounded
                                                   (the inequality holds for every x)
    high  = |(D^T D)^(2^k)|_F ^ (2^-k-1) >= |D|_2  too large by a factor N^(2^-k-2) at most

The error of a whole matrix is judged, by its 2-norm: `outside` needs low > delta, `within`
high <= delta.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import flint
import numpy as np

from scanproof.reference.allowance.certified import Block, Certified, Norms
from scanproof.reference.arithmetic.constants import declared
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.formats import format_of
from scanproof.reference.arithmetic.operations import EPS, UP
from scanproof.reference.call import Argument, Call, Result, System
from scanproof.reference.inputs import Array
from scanproof.reference.numbers import namespace
from scanproof.reference.numbers.enclosed import BITS, of_balls
from scanproof.reference.numbers.exponential import ball_expm

SQUARINGS = 6  # k: high is at most 1.7 % too large for N = 64
CLOSE = "the norm of the error is too close to the allowance,"


class Constants(NamedTuple):
    """Nothing is prepared."""

    S: Any  # (stack, n, n)


def unmodelled(arithmetic: Arithmetic) -> str | None:
    """Says why no allowance is known for a declaration, or returns None."""
    return arithmetic.plain("the matrix exponential", "accumulate", "operands", "rounding")


def allowances(S: Array, arithmetic: Arithmetic) -> Array:
    """Computes delta = c_E u (|S|_1 + sqrt N) of every matrix.

    The equation is that of the module docstring; c_E is assumed (docs/measured/constants.md).

    Args:
        S: (stack, n, n)
        arithmetic: the declaration.

    Returns:
        float64 (stack,), rounded upwards; inf where no allowance is known.
    """
    if unmodelled(arithmetic):
        return np.full(len(S), np.inf)
    c_E, norms = declared(arithmetic.expm, arithmetic.dtype).c_E * arithmetic.assumed, one_norms(S)
    return np.where(
        norms > 0, c_E * format_of(arithmetic.dtype).u * (norms + S.shape[-1] ** 0.5) * UP, 0.0
    )


def one_norms(S: Array) -> Array:
    """Computes |S|_1 of S (stack, n, n), rounded upwards: float64 (stack,)."""
    return np.asarray(np.abs(S.astype(float)).sum(1).max(1) * (1 + S.shape[-1] * 2 * EPS))


def theory(call: Call, arithmetic: Arithmetic, got: Mapping[str, Array] | None) -> Iterator[Block]:
    """Yields one block: the enclosed truth (stack, n, n), and the allowance of every matrix.

    `got` is not used: a returned matrix is compared later, by `norms`.
    """
    with flint.ctx.workprec(BITS):
        P = ball_expm(namespace.balls().lift(call["S"].astype(float)))  # (stack, n, n)
        truth = of_balls(P).truth()
    delta = allowances(call["S"], arithmetic)
    exact = Certified(truth, delta, delta, True, norms=partial(norms, P))
    yield Block(slice(None), {"P": [exact]}, CLOSE)


def norms(P: Array, got: Array) -> Norms:
    """Bounds |got - P|_2 of every matrix from below and above, as the module docstring says.

    Args:
        P: (stack, n, n), balls.
        got: (stack, n, n), what a program returned.

    Returns:
        Norms: the bounds (stack,), inf where `got` is not finite, and directions (stack, n).
    """
    with flint.ctx.workprec(BITS):
        found = [_norm(one, exact) for one, exact in zip(got, P, strict=True)]
    return Norms(*(np.array(part, float) for part in zip(*found, strict=True)))


def _norm(got: Array, P: Array) -> tuple[float, float, Array]:
    """low and high of |got - P|_2, and the direction of low; inf where got is not finite."""
    n = len(P)
    if not np.isfinite(got).all():
        return np.inf, np.inf, np.zeros(n)
    D = namespace.balls().lift(got.astype(float)) - P  # (n, n)
    x = np.linalg.svd(D.astype(float))[2][0]  # (n,)
    moved = (D @ namespace.balls().lift(x), namespace.balls().lift(x))
    low = (_length(moved[0]) / _length(moved[1])).lower()
    power = flint.arb_mat(D.T.tolist()) * flint.arb_mat(D.tolist())
    for _ in range(SQUARINGS):
        power = power * power
    high = _length(np.array(power.entries(), object)).upper()
    for _ in range(SQUARINGS + 1):
        high = high.sqrt().upper()
    return max(float(low) / UP, 0.0), float(high) * UP, x


def _length(x: Array) -> Any:
    """Of a vector of balls, as a ball."""
    return sum((z * z for z in x), flint.arb(0)).sqrt()


def _check(x: Mapping[str, Any]) -> None:
    S = x["S"]
    for where in map(tuple, np.argwhere(S != -S.swapaxes(1, 2))[:1]):
        index, mirrored = tuple(map(int, where)), (int(where[0]), int(where[2]), int(where[1]))
        raise ValueError(
            f"S: found {S[index]} at index {index} and {S[mirrored]} at {mirrored}, expected skew "
            "matrices"
        )


SYSTEM = System(
    name="expm",
    title="the exponential of skew matrices",
    arguments=(Argument("S", "stack n n", "parameter", meaning="skew matrices"),),
    results=(Result("P", "stack n n", meaning="their exponentials"),),
    constants=lambda x: Constants(x["S"]),
    run=lambda k, x, reverse: {"P": namespace.of(k.S).expm(k.S)},
    equation="P = exp(S)",
    check=_check,
    unmodelled=unmodelled,
    theory=theory,
    dtypes=("float32", "float64"),
    features=frozenset({"expm"}),
    changes=frozenset({"expm"}),
)

"""The matrix exponential and its Frechet derivative, of stacks of square matrices, in every
arithmetic that has one.

    symbol    meaning                                                           shape
    S         square matrix (skew in RotRNN)                                    (stack, n, n)
    E         direction                                                         (stack, n, n)
    L(S, E)   Frechet derivative: exp(S + E) = exp(S) + L(S, E) + o(E). It is   (stack, n, n)
              the upper right block of exp [[S, E], [0, S]], and the integral
              of exp((1 - s) S) E exp(s S) over s from 0 to 1

Its adjoint for <X, Y> = tr(X^T Y) is E -> L(S^T, E). Sources: Van Loan 1978 (the block), Al-Mohy
and Higham 2009 (SciPy's algorithm).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flint
import numpy as np
import scipy.linalg
from numpy.typing import NDArray

Array = NDArray[Any]
LONGDOUBLE_BITS = 256  # SciPy takes no longdouble; balls with room to spare, rounded to it


def native_expm(S: Array) -> Array:
    """Computes exp(S) by SciPy (Al-Mohy and Higham 2009), rounded to the dtype of S.

    float16 goes through float32, longdouble through balls. S and the result are (stack, n, n).
    """
    if S.dtype == np.longdouble:
        return _through_balls(ball_expm, S)
    return scipy.linalg.expm(_at_least_single(S)).astype(S.dtype)  # (stack, n, n)


def native_frechet(S: Array, E: Array) -> Array:
    """Computes the Frechet derivative L(S, E) by SciPy (Al-Mohy and Higham 2009).

    float16 goes through float32, longdouble through balls. S, E and the result are (stack, n, n),
    the result in the dtype of S; it is NaN for a direction that is not finite.
    """
    if S.dtype == np.longdouble:
        return _through_balls(ball_frechet, S, E)
    wide = zip(_at_least_single(S), _at_least_single(E), strict=True)
    return np.stack([_frechet(s, e) for s, e in wide]).astype(S.dtype)  # (stack, n, n)


def _frechet(S: Array, E: Array) -> Array:
    """(n, n)"""
    if not np.isfinite(E).all():
        return np.full_like(E, np.nan)
    return np.asarray(scipy.linalg.expm_frechet(S, E, compute_expm=False))


def ball_expm(S: Array) -> Array:
    """Encloses exp(S) in balls, at flint's current precision; S and the result: (stack, n, n)."""
    # (stack, n, n)
    return np.stack([_filled(flint.arb_mat(s.tolist()).exp().entries(), s.shape) for s in S])


def ball_frechet(S: Array, E: Array) -> Array:
    """Encloses L(S, E): the upper right block of exp [[S, E], [0, S]] (Van Loan 1978).

    S, E and the result are balls (stack, n, n), at flint's current precision.
    """
    # (stack, 2n, 2n)
    blocks = np.stack([np.block([[s, e], [0 * s, s]]) for s, e in zip(S, E, strict=True)])
    n = S.shape[-1]
    return ball_expm(blocks)[:, :n, n:]


def symbolic_expm(S: Array) -> Array:
    """Computes exp(S), (stack, n, n), in SymPy's closed form, quickly for matrices of size 2."""
    return np.stack([_filled(_matrix(s).exp(), s.shape) for s in S])  # (stack, n, n)


def symbolic_frechet(S: Array, E: Array) -> Array:
    """Computes L(S, E), (stack, n, n), by the integral of the module docstring.

    Letters stand for the entries of E while SymPy integrates.
    """
    # (stack, n, n)
    return np.stack([_integral(_matrix(s), _matrix(e)) for s, e in zip(S, E, strict=True)])


def _integral(S: Any, E: Any) -> Array:
    import sympy as sp

    s, letters = sp.Dummy("s", real=True), sp.Matrix(*E.shape, [sp.Dummy() for _ in E])
    integrand = (S * (1 - s)).exp() * letters * (S * s).exp()
    total = integrand.applyfunc(lambda x: sp.integrate(sp.expand(x), (s, 0, 1)))
    return _filled(total.xreplace(dict(zip(letters, E, strict=True))), E.shape)


def _matrix(x: Array) -> Any:
    import sympy as sp

    return sp.Matrix(*x.shape, list(x.flat))


def _filled(entries: Any, shape: tuple[int, ...]) -> Array:
    out = np.empty(shape, object)
    out.ravel()[:] = list(entries)
    return out


def _at_least_single(x: Array) -> Array:
    return x.astype(np.promote_types(x.dtype, np.float32))


def _through_balls(function: Callable[..., Array], *matrices: Array) -> Array:
    """Longdoubles are exact balls at this precision."""
    with flint.ctx.workprec(LONGDOUBLE_BITS):
        result = function(*map(from_longdouble, matrices))  # (stack, n, n)
        return np.array([_longdouble(ball) for ball in result.flat], np.longdouble).reshape(
            result.shape
        )


def from_longdouble(x: Array) -> Array:
    """Turns longdoubles (...) into balls (...), exactly where flint's precision holds them."""
    return _filled([_ratio(value) for value in x.flat], x.shape)


def _ratio(x: np.longdouble) -> Any:
    numerator, denominator = x.as_integer_ratio()
    return flint.arb(numerator) / flint.arb(denominator)


def _longdouble(ball: Any) -> np.longdouble:
    """The midpoint, head by head: the last addition rounds it."""
    heads = []
    for _ in range(3):
        heads.append(float(ball))
        ball = ball.mid() - heads[-1]
    return np.longdouble(heads[0]) + (np.longdouble(heads[1]) + np.longdouble(heads[2]))

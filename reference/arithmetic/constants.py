"""What is assumed, not proved: how far elementary functions and the matrix exponential may be off
(docs/measured/constants.md).

All in units of u, the unit roundoff of the format that they compute in:

    symbol    meaning
    e         |f^ - f| <= e u |f| + eta for f = exp, expm1, log, log1p, tanh, sigmoid, softplus
              (eta: loss by underflow)
    e_t       |f^ - f| <= e_t u for f = sin, cos, at any argument
    division  relative error of x / y and sqrt x: 1, they are correctly rounded
    c_E       ||P^ - exp S||_2 <= c_E u (||S||_1 + sqrt N) for a skew S (N, N) that is given;
              and for the Frechet derivative and its adjoint,
              ||L^ - L(S, G)||_F <= c_E u (||S||_1 + sqrt N) ||G||_F
    FFT       transforms of length N are wrong by FFT u log2 N in the Euclidean norm,
              as reference/allowance/orders/fft.py counts it

|z| and arg z of a complex number have the constant e too (reference/allowance/orders/common.py).
"""

from __future__ import annotations

from typing import NamedTuple

from scanproof.reference.arithmetic.formats import DTYPES, Format, format_of

E, E_T, DIVISION = 8.0, 4.0, 1.0
FFT = 2.0
# binary32 and narrower formats; binary64
C_E = {"default": (16.0, 256.0), "jax": (2.0**13, 2.0**26)}
SINGLE_BITS = 24


class Elementary(NamedTuple):
    """The constants of the glossary, in units of u."""

    e: float
    e_t: float
    division: float
    c_E: float


def declared(word: str, dtype: str | Format) -> Elementary:
    """The constants of a class, "default" or "jax", in the format of this dtype.

    "jax" admits the matrix exponential of `jax.scipy.linalg`, far less accurate than others where
    it scales by too little; in all else it is "default".

    Raises:
        ValueError: an unknown word or dtype, naming the known ones.
    """
    for argument, found, known in (("expm", word, tuple(C_E)), ("dtype", dtype, DTYPES)):
        if found not in known and not isinstance(found, Format):
            raise ValueError(f"{argument}: found {found!r}, expected one of {', '.join(known)}")
    return Elementary(E, E_T, DIVISION, C_E[word][format_of(dtype).significand_bits > SINGLE_BITS])

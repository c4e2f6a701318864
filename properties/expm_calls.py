"""One call of the system `expm`, the exponential of skew matrices: its arguments and the form of what comes back.

An implementation is called with S (stack, n, n), float32 or float64, and returns P = exp S of the same shape and dtype. S is
given: it is exactly skew, and nothing was rounded before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.inputs import Array
from scanproof.reference.systems import EXPM_DTYPES


@dataclass(frozen=True, eq=False)
class ExpmCall:
    """Arguments of one call: S (stack, n, n)."""

    S: Array
    required: ClassVar[frozenset[str]] = frozenset({"S"})

    def keywords(self) -> dict[str, Any]:
        """As an implementation is called: a copy."""
        return {"S": self.S.copy()}

    def described(self) -> str:
        """Its shape and norm, in one line."""
        return f"S {self.S.shape} with norm {one_norms(self.S).max():.3g}"


def checked_expm(dtype: str, S: Any) -> ExpmCall:
    """A call with a stack of finite, exactly skew matrices of the declared dtype.

    Raises:
        TypeError, ValueError: one line naming the argument, what was found and what was expected.
    """
    if dtype not in EXPM_DTYPES:
        raise ValueError(f"dtype: found {dtype}, expected {' or '.join(EXPM_DTYPES)}")
    if not isinstance(S, np.ndarray):
        raise TypeError(f"S: found {type(S).__name__}, expected a NumPy array")
    if S.dtype.name != dtype:
        raise TypeError(f"S: found dtype {S.dtype.name}, expected {dtype}, the declared arithmetic")
    if S.ndim != 3 or S.shape[1] != S.shape[2] or not S.size:
        raise ValueError(f"S: found shape {S.shape}, expected (stack, n, n) with stack, n >= 1")
    for where in map(tuple, np.argwhere(~np.isfinite(S) | (S != -S.swapaxes(1, 2)))[:1]):
        index, mirrored = tuple(map(int, where)), (int(where[0]), int(where[2]), int(where[1]))
        raise ValueError(f"S: found {S[index]} at index {index} and {S[mirrored]} at {mirrored}, expected finite and skew")
    return ExpmCall(S)


def form_fault(got: Any, call: ExpmCall, arithmetic: Arithmetic) -> str | None:
    """What is wrong with the form of a result, in one line, or None."""
    if not isinstance(got, np.ndarray):
        return f"got: found {type(got).__name__}, expected a NumPy array"
    if got.shape != call.S.shape:
        return f"got: found shape {got.shape}, expected {call.S.shape}, the shape of S"
    if got.dtype.name != arithmetic.dtype:
        return f"got: found dtype {got.dtype.name}, expected {arithmetic.dtype}, the declared arithmetic"
    return None


def one_norms(S: Array) -> Array:
    """|S|_1 rounded upwards. (stack,)"""
    return np.asarray(np.abs(S.astype(float)).sum(1).max(1) * (1 + S.shape[-1] * 2.0**-52))

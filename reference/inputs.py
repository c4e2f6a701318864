"""The arguments of one scan, checked once at the border and then passed around together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scanproof.reference.arithmetic.declaration import Arithmetic

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Inputs:
    """lam (channels,) or (batch, time, channels); b (batch, time, channels); h0 (batch, channels) or None; reverse."""

    lam: Array
    b: Array
    h0: Array | None = None
    reverse: bool = False

    @property
    def varying(self) -> bool:
        """Whether lam depends on time."""
        return self.lam.ndim == 3

    @property
    def start(self) -> Array:
        """The state before the first step met: h0, or zeros; (batch, channels)."""
        batch, _, channels = self.b.shape
        return np.zeros((batch, channels), self.b.dtype) if self.h0 is None else self.h0

    def forward(self) -> Inputs:
        """The same problem with time flipped if needed, so that the recurrence runs forwards."""
        if not self.reverse:
            return self
        lam = self.lam[:, ::-1] if self.varying else self.lam
        return Inputs(lam, self.b[:, ::-1], self.h0)

    @property
    def required(self) -> frozenset[str]:
        """Keywords without which nothing can be called."""
        return frozenset({"lam", "b"})

    def described(self) -> str:
        """Its shapes, in one line."""
        optional = (["h0"] if self.h0 is not None else []) + (["reverse"] if self.reverse else [])
        return f"lam {self.lam.shape}, b {self.b.shape}" + (f" with {' and '.join(optional)}" if optional else "")

    def keywords(self) -> dict[str, Any]:
        """As an implementation is called: copies, and only the optional arguments that are used."""
        optional: dict[str, Any] = {} if self.h0 is None else {"h0": self.h0.copy()}
        if self.reverse:
            optional["reverse"] = True
        return {"lam": self.lam.copy(), "b": self.b.copy()} | optional


def checked(arithmetic: Arithmetic, lam: Any, b: Any, h0: Any = None, reverse: Any = False) -> Inputs:
    """Inputs whose shapes, dtypes and values fit each other and the declared arithmetic.

    Raises:
        TypeError: an argument that is no numeric array of the declared dtype (mixed precision is never silent).
        ValueError: shapes that do not fit, or values that are not finite.
    """
    if not isinstance(reverse, bool | np.bool_):
        raise TypeError(f"reverse: found {reverse!r}, expected True or False")
    b = _array("b", b, (arithmetic.dtype,), 3)
    lam = _array("lam", lam, (arithmetic.dtype, arithmetic.real_dtype), None)
    batch, time, channels = b.shape
    _shape("lam", lam, [(channels,), (batch, time, channels)], "b")
    if h0 is not None:
        h0 = _array("h0", h0, (arithmetic.dtype,), 2)
        _shape("h0", h0, [(batch, channels)], "b")
    return Inputs(lam, b, h0, bool(reverse))


def _array(name: str, value: Any, dtypes: tuple[str, ...], ndim: int | None) -> Array:
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{name}: found {type(value).__name__}, expected a NumPy array of dtype {dtypes[0]}")
    if value.dtype.name not in dtypes or not value.dtype.isnative:
        expected = " or ".join(dict.fromkeys(dtypes))
        found = value.dtype.name if value.dtype.isnative else f"{value.dtype.name} in foreign byte order"
        raise TypeError(f"{name}: found dtype {found}, expected {expected} as declared; convert it explicitly")
    if ndim is not None and value.ndim != ndim:
        axes = {3: "(batch, time, channels)", 2: "(batch, channels)"}[ndim]
        raise ValueError(f"{name}: found shape {value.shape}, expected {ndim} axes {axes}")
    if not np.isfinite(value).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(value))[0])
        raise ValueError(f"{name}: found {value[where]} at index {where}, expected finite values")
    return value


def _shape(name: str, value: Array, allowed: list[tuple[int, ...]], like: str) -> None:
    if value.shape in allowed:
        return
    expected = " or ".join(map(str, dict.fromkeys(allowed)))
    same_rank = [shape for shape in allowed if len(shape) == value.ndim]
    axis = ""
    if same_rank:
        wrong = next(i for i, (found, want) in enumerate(zip(value.shape, same_rank[0], strict=True)) if found != want)
        axis = f" (axis {wrong} does not fit {like})"
    raise ValueError(f"{name}: found shape {value.shape}, expected {expected}{axis}")

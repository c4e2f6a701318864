"""Arithmetic that honest scans are computed in: operations, each rounded once, and the steps a
h + x made of them.

    symbol   meaning
    a, x     elements h -> a h + x of the scan, arrays of one shape
    p, q     products of such a
    h        state before a step, like x
    s, r     an exact result of one operation: a float64 s and the rest r, much smaller

Operations on float16, bfloat16, float32 and float64 that round to nearest are those of NumPy. The
others, fused or truncating, are formed exactly: products of two numbers with 24 bits fit into a
float64, Knuth's two-sum knows what a sum leaves over, and a number that is rounded to odd in
between can be rounded again (Boldo, Melquiond, IEEE Trans. Comput. 57 (2008)).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scanproof.reference.inputs import Array

COMPLEX = {"float32": "complex64", "float64": "complex128"}

# ---------------------------------------------------------------- rounding exact results


def two_sum(x: Array, y: Array) -> tuple[Array, Array]:
    """s + r = x + y exactly, s the float64 nearest to it."""
    s = x + y
    back = s - x
    return s, (x - (s - back)) + (y - back)


def to_odd(s: Array, r: Array) -> Array:
    """s + r as float64: itself, or the one of its two neighbours whose last bit is 1."""
    even = s.view(np.int64) & 1 == 0
    return np.where((r != 0) & even, np.nextafter(s, np.copysign(np.inf, r)), s)


def toward_zero(exact: Array, dtype: str) -> Array:
    """float64 truncated to a narrower format."""
    nearest = exact.astype(dtype)
    return np.where(
        np.abs(nearest) > np.abs(exact), np.nextafter(nearest, nearest.dtype.type(0)), nearest
    )


def narrowed(s: Array, r: Array, dtype: str, rounding: str = "nearest") -> Array:
    """s + r rounded once to a format of at most 24 bits."""
    exact = to_odd(s, r)
    if rounding != "nearest":
        return toward_zero(exact, dtype)
    if dtype == "bfloat16":  # float64 is converted to it through float32: to odd there as well
        single = toward_zero(exact, "float32")
        exact = (single.view(np.int32) | (single != exact)).view(np.float32)
    return exact.astype(dtype)


def aligned(x: Array, y: Array) -> tuple[Array, Array]:
    """Both truncated to the last place of the larger one, as by matrix units of 24 bits."""
    quantum = np.ldexp(1.0, np.frexp(np.maximum(np.abs(x), np.abs(y)))[1] - 24)
    return np.trunc(x / quantum) * quantum, np.trunc(y / quantum) * quantum


# ---------------------------------------------------------------- one step

STEPS: dict[str, Callable[..., Array]] = {  # one component x + a c + b d
    "separate": lambda o, x, a, c, b, d: o.add(o.add(o.mul(a, c), o.mul(b, d)), x),
    "fused product": lambda o, x, a, c, b, d: o.add(o.fma(a, c, o.mul(b, d)), x),
    "addend first": lambda o, x, a, c, b, d: o.add(o.add(x, o.mul(b, d)), o.mul(a, c)),
    "one fused": lambda o, x, a, c, b, d: o.add(o.fma(b, d, x), o.mul(a, c)),
    "last fused": lambda o, x, a, c, b, d: o.fma(a, c, o.add(x, o.mul(b, d))),
    "both fused": lambda o, x, a, c, b, d: o.fma(a, c, o.fma(b, d, x)),
}
# the product is formed before the addend comes
UNCONTRACTED = ("numpy", "separate", "fused product")


@dataclass(frozen=True)
class Machine:
    """Arithmetic on real components of `dtype`, and steps made of it.

    step: "numpy" (its operators, which also multiply complex numbers), "separate" or "fused" for
    real numbers, else a name of STEPS, for complex ones; swapped: with the two products of a
    component exchanged. rounding: as in Arithmetic. flush: "r" if subnormal operands are read as
    zero, "w" if subnormal results become zero, "rw" both. operands: which numbers lose the last 13
    bits of a float32: none (""), operands of "products", or those and b ("all"). stored: format of
    states that are read back.
    """

    dtype: str
    step: str = "numpy"
    swapped: bool = False
    rounding: str = "nearest"
    flush: str = ""
    operands: str = ""
    stored: str = ""

    def add(self, x: Array, y: Array) -> Array:
        x, y = self._read(x), self._read(y)
        if self.rounding == "nearest":
            return self._written(x + y)
        return self._written(self._sum(x.astype(float), y.astype(float)))

    def mul(self, x: Array, y: Array) -> Array:
        x, y = self._operand(x), self._operand(y)
        if self.rounding == "nearest":
            return self._written(x * y)
        return self._written(toward_zero(np.multiply(x, y, dtype=float), self.dtype))

    def fma(self, x: Array, y: Array, z: Array) -> Array:
        product = np.multiply(self._operand(x).astype(float), self._operand(y).astype(float))
        return self._written(self._sum(product, self._read(z).astype(float)))

    def apply(self, a: Array, h: Array, x: Array) -> Array:
        """a h + x."""
        if self.step == "numpy":
            return a * h + x
        if not np.iscomplexobj(h):
            return self._real(a, h, x)
        if not np.iscomplexobj(a):
            return self._complex(self._real(a, h.real, x.real), self._real(a, h.imag, x.imag))
        re, im = ((a.real, h.real), (-a.imag, h.imag)), ((a.real, h.imag), (a.imag, h.real))
        return self._complex(*(self._component(*part) for part in ((x.real, *re), (x.imag, *im))))

    def product(self, p: Array, q: Array) -> Array:
        """p q: a step without an addend."""
        return p * q if self.step == "numpy" else self.apply(p, q, np.zeros_like(q))

    def kept(self, h: Array) -> Array:
        """h as the next step finds it."""
        return h.astype(self.stored).astype(h.dtype) if self.stored else h

    def lifted(self, x: Array) -> Array:
        """x in the format of this machine."""
        return x.astype(COMPLEX[self.dtype] if np.iscomplexobj(x) else self.dtype)

    def drive(self, b: Array) -> Array:
        """b as it is read."""
        if self.operands != "all":
            return b
        return (
            self._complex(self._operand(b.real), self._operand(b.imag))
            if np.iscomplexobj(b)
            else self._operand(b)
        )

    def _real(self, a: Array, h: Array, x: Array) -> Array:
        return self.fma(a, h, x) if "fused" in self.step else self.add(self.mul(a, h), x)

    def _component(self, x: Array, one: tuple[Array, Array], two: tuple[Array, Array]) -> Array:
        return STEPS[self.step](self, x, *(two + one if self.swapped else one + two))

    def _complex(self, re: Array, im: Array) -> Array:
        out = np.empty(re.shape, COMPLEX[self.dtype])
        out.real, out.imag = re, im
        return out

    def _sum(self, x: Array, y: Array) -> Array:
        """Two float64 numbers: their sum, rounded once; in a matrix unit once more, before it."""
        return narrowed(
            *two_sum(*(aligned(x, y) if self.rounding == "matrix" else (x, y))),
            self.dtype,
            self.rounding,
        )

    def _operand(self, x: Array) -> Array:
        if self.operands:
            x = (x.view(np.uint32) & np.uint32(0xFFFFE000)).view(np.float32)
        return self._read(x)

    def _read(self, x: Array) -> Array:
        return self._flushed(x) if "r" in self.flush else x

    def _written(self, x: Array) -> Array:
        return self._flushed(x) if "w" in self.flush else x

    def _flushed(self, x: Array) -> Array:
        return np.where(np.abs(x) < np.finfo(self.dtype).smallest_normal, np.zeros_like(x), x)

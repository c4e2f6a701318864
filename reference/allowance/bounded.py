"""Allowance arithmetic: the reference runs on elements that know how far any program of the
declared class may be from them.

    symbol                meaning                                                 kind
    v                     the exact value                                         Enclosed, Complex
    X                     its size: the same expression on absolute values,       float64
                          so |v| <= X
    E                     |computed - v| <= E = R + F; hence |computed| <= X + E  float64
    n                     addends, not exactly zero, of the sum that the element  float64
                          is; 1 for what is no sum
    E0                    the error before the additions of that sum:             float64
                          R = E0 + ((1 + u)^depth(n) - 1) (X + E0)
    K (product_bound)     X of factors max(1, |x|): no program meets a larger     float64
                          number, whichever factors it multiplies first
    F (underflow_error)   what underflow may have cost, whichever factors were    float64
                          multiplied first

Sums stay open: adding to a sum makes a longer one, whose addends all meet all of its additions,
since a program may add them in any order. A product, a function or a stage closes it: its sums are
sums of their own, and one flat sum over what two of them run over (steps and width of a
convolution) may round more often and is in no class here. With P = (X_a + E_a)(X_b + E_b),

    a b         X = X_a X_b,   E0 = X_a R_b + R_a X_b + R_a R_b + beta P
                (without beta P where a or b is a power of two)
                F = F_a K_b + K_a F_b + loss K_a K_b,   K = K_a K_b
    a + b       X = X_a + X_b,   E0 = E0_a + E0_b,   n = n_a + n_b,   F = F_a + F_b + flushed sums
    sum of a b  the same with sums of products; n counts those that are not exactly zero
    a / b       E = (E_a + X_a E_b / |b|) / (|b| - E_b), and two roundings twice, since
                a (1/b) and sqrt a / sqrt b are admitted;
                nothing is known where b may overflow, since a / inf is 0

Losses of underflow are absolute, and so depend on the order: gamma (B u) makes the loss of B u
small where gamma is, (gamma B) u makes that of gamma B large where u is. A loss meets no more than
the other factors of its monomial, whose product K bounds; a flushed sum meets no more than the
factors that its addends share. A number that every program forms (stage) ends this: what was lost
before is an error of that number.

Complex products are sums too: a program may add up 2 n real products per component, |ac| + |bd| and
|ad| + |bc|, whose norm is at most sqrt(2) |a + ib| |c + id|; n complex products therefore count as
3 n addends (2 sqrt(2) n, and beta holds two more).

Why they hold, and the circuit theorem behind them: docs/layers.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from scanproof.reference.allowance.operation_errors import OperationErrors
from scanproof.reference.arithmetic.operations import DOWN, TINY, UP, Roundings
from scanproof.reference.inputs import Array
from scanproof.reference.numbers import contraction
from scanproof.reference.numbers.composite import Composite
from scanproof.reference.numbers.enclosed import Complex, exact


def _beyond_float64() -> np.errstate:
    """What is beyond float64 is inf; inf - inf and 0 inf are NaN: the tally takes both for a peak
    that may overflow."""
    return np.errstate(over="ignore", invalid="ignore")


@dataclass(frozen=True, eq=False)
class Bounded(Composite):
    """Elements (v, X, E0, n, product_bound, underflow_error), all of one shape (...).

    normwise: E bounds the 2-norm of a whole matrix' error, in each of its entries.
    """

    v: Any  # Enclosed or Complex
    X: Array
    E0: Array
    n: Array
    product_bound: Array
    underflow_error: Array
    errors: OperationErrors
    normwise: bool = False
    argument: Any = None

    @property
    def parts(self) -> tuple[Any, ...]:
        """v, X, E0, n, product_bound and underflow_error, each (...)."""
        return self.v, self.X, self.E0, self.n, self.product_bound, self.underflow_error

    def like(self, *parts: Any) -> Self:
        """Makes elements of the same declaration from other parts of one shape (...)."""
        v, X, E0, n, product_bound, underflow_error = parts
        return type(self)(v, X, E0, n, product_bound, underflow_error, self.errors, self.normwise)

    @classmethod
    def lift(cls, like: Self, x: Any) -> Self:
        """Makes elements of stored numbers x (...), as `leaf` does."""
        return cls.leaf(np.asarray(x, np.float64), like.errors)

    @classmethod
    def leaf(cls, x: Array, errors: OperationErrors) -> Self:
        """Makes elements of stored numbers x (...), which are exact.

        With `daz` subnormal components may be read as zero, or by one product only. A product that
        misreads a component of a complex number costs sqrt(2) times its size, counted as 1.5.
        """
        v = exact(x)
        size, misread = v.size(), np.zeros(x.shape)
        if errors.declared.subnormals == "daz":
            misread = exact(np.where(_subnormal(x.real, errors), x.real, 0)).size()
        if errors.declared.subnormals == "daz" and isinstance(v, Complex):
            misread = (
                misread + exact(np.where(_subnormal(x.imag, errors), x.imag, 0)).size()
            ) * 1.5
        return cls(v, size, misread, errors.addends(size), _beyond(size), np.zeros(x.shape), errors)

    @property
    def complex(self) -> bool:
        """Whether the exact values are complex."""
        return isinstance(self.v, Complex)

    @cached_property
    def E(self) -> Array:
        """The bound of |computed - v|, (...): with the additions of the sum (module docstring)."""
        with _beyond_float64():
            return np.asarray(self.R + self.all_underflow)

    @cached_property
    def R(self) -> Array:
        """The part of E (...) that is relative.

        It comes from rounded products and sums, and from factors that were wrong already.
        """
        with _beyond_float64():
            return np.asarray(self.E0 + self.growth * (self.X + self.E0))

    @cached_property
    def growth(self) -> Array:
        """What the additions of the sum make of an addend, (...).

        That is (1 + u)^depth(n) - 1 (docs/layers.md, circuits).
        """
        return self.errors.growth(self.n)

    @property
    @_beyond_float64()
    def all_underflow(self) -> Array:
        """What underflow may have cost, (...), with the additions of the sum.

        Each of them, and each of its addends where it is added to 0, may be flushed.
        """
        lost = self.underflow_error
        if self.ops.sum_loss:
            lost = lost + np.where(self.n > 1, 2 * self.ops.sum_loss * self.product_bound, 0.0)
        return np.asarray(lost * (1 + self.growth))

    @property
    def ops(self) -> Roundings:
        """The constants of one operation on numbers of this kind."""
        return self.errors.complex if self.complex else self.errors.real

    @cached_property
    def size(self) -> Array:
        """The bound of |computed|, (...)."""
        return self.X + self.E

    @property
    def far(self) -> Array:
        """The bound (...) of products of numbers that are wrong by E."""
        return np.maximum(self.product_bound, _beyond(self.size))

    @_beyond_float64()
    def closed(self) -> Self:
        """Takes the sum as one number, in its shape (...)."""
        if (self.n <= 1).all():
            return self
        product_bound = self.product_bound * (1 + self.growth)
        return type(self)(
            self.v, self.X, self.R, np.minimum(self.n, 1), product_bound, self.all_underflow,
            self.errors,
        )  # fmt: skip

    def materialized(self) -> Self:
        """Takes a number (...) that every program of the class forms, so that its own size counts.

        It is the closed sum where the declaration forms no stages.
        """
        closed = self.closed()
        if not self.errors.materialized:
            return closed
        X, E = np.minimum(closed.X, closed.v.size()), closed.E
        return type(self)(closed.v, X, E, closed.n, _beyond(X + E), np.zeros(X.shape), self.errors)

    def __neg__(self) -> Self:
        return self._with(-self.v)

    @_beyond_float64()
    def __add__(self, other: Any) -> Self:
        other = self._same(other)
        X, E0, n, product_bound, underflow_error = (
            one + two for one, two in zip(self.parts[1:], other.parts[1:], strict=True)
        )
        v = self.v + other.v if self.complex or not other.complex else other.v + self.v
        flushed = max(self.ops.sum_loss, other.ops.sum_loss)
        return self._noted(v, X, E0, n, product_bound, underflow_error + flushed * product_bound, 2)

    def __mul__(self, other: Any) -> Self:
        a, b = self.closed(), self._same(other).closed()
        v = a.v * b.v if a.complex or not b.complex else b.v * a.v
        return self._product(v, a, b, np.multiply, 1)

    def einsum(self, subscripts: str, other: Self) -> Self:
        """Sums products by the rules of the module docstring; shapes as in numpy.einsum."""
        a, b = self.closed(), other.closed()
        v = a.v.einsum(subscripts, b.v)
        form = contraction.form(subscripts)
        length = max(1, int(np.prod([form.sizes(a, b)[letter] for letter in form.summed])))
        return self._product(v, a, b, lambda x, y: contraction.einsum(subscripts, x, y), length)

    def _product(self, v: Any, a: Bounded, b: Bounded, times: Any, length: int) -> Self:
        """The rule for a product or a sum of `length` products."""
        both = a.complex and b.complex
        ops = self.errors.complex if both else self.errors.real
        loss = ops.product_loss * (ops.model.mixed if a.complex or b.complex else 1)
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            inexact = [np.where(x._exact(ops), 0, x.size) for x in (a, b)]
            alive, rounded = times(_some(a.size), _some(b.size)), times(*map(_some, inexact))
            products = times(*inexact) * ops.beta + rounded * TINY
            cross = times(a.X, b.R) if not b.normwise else _normwise(times, a.X, b.R)
            cross = cross + (
                times(a.R, b.X + b.R) if not a.normwise else _normwise(times, a.R, b.X + b.R)
            )
            E0 = cross + products + alive * 4 * TINY
            n = times(self.errors.addends(a.size), self.errors.addends(b.size)) + (
                2 * rounded if both else 0
            )
            grown = (1 + ops.beta) * (1 + ops.operand)
            product_bound = times(a.far, b.far) * grown
            underflow_error = (
                times(a.underflow_error, b.far) + times(a.far, b.underflow_error)
            ) * grown
            underflow_error = underflow_error + product_bound * (
                loss + 3 * ops.operand_loss + 4 * TINY
            )
            return self._noted(v, times(a.X, b.X), E0, n, product_bound, underflow_error, length)

    @_beyond_float64()
    def sum(self, axis: int | tuple[int, ...]) -> Self:
        """Sums over one axis or several, with shapes as in numpy.sum.

        The rules are those of the module docstring.
        """
        lengths = [self.shape[i] for i in ([axis] if isinstance(axis, int) else axis)]
        v, X, E0, n, product_bound, underflow_error = (x.sum(axis) for x in self.parts)
        return self._noted(
            v,
            X,
            E0,
            n,
            product_bound,
            underflow_error + self.ops.sum_loss * product_bound,
            int(np.prod(lengths)),
        )

    def __truediv__(self, other: Any) -> Self:
        a, b = self.closed(), self._same(other).closed()
        with np.errstate(all="ignore"):
            below = np.maximum(b.v.size() * DOWN * DOWN - 2 * b.v.rad, 0)  # |b| at least
            room = np.where(
                b.product_bound < self.errors.safe,
                np.maximum(below - b.E * self.errors.inflation(), 0),
                0.0,
            )
            X, E = a.X / below * UP, (a.R + a.X * b.E / below) / room * UP
            u, loss = (
                self.errors.real.u * self.errors.elementary.division * 2,
                self.errors.real.product_loss,
            )
            E = np.where(a.size == 0, 0.0, E + self.errors.real.model.quotient * u * (X + E))
            product_bound = a.far * np.maximum(1, 1 / room) * (1 + u)
            underflow_error = np.where(
                a.size == 0,
                0.0,
                a.underflow_error * np.maximum(1, 1 / room) * (1 + 2 * u)
                + 3 * loss * product_bound,
            )
        return self._noted(
            a.v / b.v, X, E, self.errors.addends(X + E), product_bound, underflow_error, 8
        )

    def __eq__(self, other: object) -> Any:
        return self.v == other

    def real_part(self) -> Self:
        """The real parts (...), of the sizes of the complex numbers."""
        return self._with(self.v.re) if isinstance(self.v, Complex) else self

    def imag_part(self) -> Self:
        """The imaginary parts (...), of the sizes of the complex numbers."""
        return self._with(self.v.im) if isinstance(self.v, Complex) else 0 * self

    def conj(self) -> Self:
        """The complex conjugates (...)."""
        return self._with(self.v.conj()) if isinstance(self.v, Complex) else self

    def astype(self, dtype: Any) -> Self:
        """The same elements (...): they have no dtype."""
        return self

    def _exact(self, ops: Roundings) -> Array:
        """Where multiplying by it does not round."""
        return np.asarray(self.v.power_of_two() & (self.E == 0) & (ops.operand == 0))

    def _same(self, other: Any) -> Any:
        return other if isinstance(other, Bounded) else self.lift(self, other)

    def _with(self, v: Any) -> Self:
        """Another exact value of the same size."""
        return type(self)(
            v, self.X, self.E0, self.n, self.product_bound, self.underflow_error, self.errors
        )

    def _noted(
        self,
        v: Any,
        X: Array,
        E0: Array,
        n: Array,
        product_bound: Array,
        underflow_error: Array,
        length: int,
    ) -> Self:
        found = type(self)(v, X, E0, n, product_bound, underflow_error, self.errors)
        with _beyond_float64():
            largest = np.maximum(found.size, product_bound * (1 + found.growth))
        self.errors.tally.note(largest, length + 16)
        return found


def _subnormal(x: Array, errors: OperationErrors) -> Array:
    return np.asarray(np.abs(x.astype(np.float64)) < errors.declared.omega)


def _beyond(size: Array) -> Array:
    """The product_bound of a number that is formed."""
    return np.where(size > 0, np.maximum(size, 1), 0.0)


def _some(size: Array) -> Array:
    return (size > 0) + 0.0


def _normwise(times: Any, one: Array, two: Array) -> Array:
    """|dP z| <= ||dP||_2 ||z||_2 in every component."""
    return np.asarray(np.sqrt(times(one * one, two * two)) * UP)

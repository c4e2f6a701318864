"""Enclosures: real numbers as head + tail within rad, and complex numbers as pairs of them. The
truth of whole layers.

    part     meaning                                         dtype
    head     the float64 nearest to the number's middle      float64
    tail     the float64 nearest to what head leaves         float64
    rad      |number - head - tail| <= rad, rounded upwards  float64; inf after an overflow

Sums and products are double-double arithmetic that knows all that it drops
(compiled_enclosures.py): numbers that fit are exact, with rad 0. Elementary functions go through
balls of BITS bits, which enclose.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import flint
import numpy as np

from scanproof.reference.arithmetic.operations import TINY, UP
from scanproof.reference.inputs import Array
from scanproof.reference.numbers import contraction
from scanproof.reference.numbers.composite import Composite
from scanproof.reference.truth.enclosure import Truth
from scanproof.reference.truth.exact import _float_parts

BITS = 320


@dataclass(frozen=True, eq=False)
class Enclosed(Composite):
    """Real numbers; head, tail and rad are float64 of one shape (...)."""

    head: Array
    tail: Array
    rad: Array

    @property
    def parts(self) -> tuple[Array, ...]:
        """head, tail and rad, each (...)."""
        return self.head, self.tail, self.rad

    def like(self, *parts: Any) -> Self:
        """Makes numbers from another head, tail and rad of one shape (...)."""
        return type(self)(*parts)

    @classmethod
    def lift(cls, like: Self, x: Any) -> Self:
        """Makes exact numbers from floats or integers, in their shape (...)."""
        head = np.asarray(x, np.float64)
        return cls(head, np.zeros(head.shape), np.zeros(head.shape))

    def __neg__(self) -> Self:
        return self.like(-self.head, -self.tail, self.rad)

    def __add__(self, other: Any) -> Any:
        return NotImplemented if isinstance(other, Complex) else self._elementwise("add", other)

    def __mul__(self, other: Any) -> Any:
        return (
            NotImplemented if isinstance(other, Complex) else self._elementwise("multiply", other)
        )

    def __truediv__(self, other: Any) -> Any:
        other = self._same(other)
        shape = np.broadcast_shapes(self.shape, other.shape)
        pair = (x.mapped(lambda part: np.broadcast_to(part, shape)) for x in (self, other))
        return through_balls(np.divide, *pair)

    def __eq__(self, other: object) -> Any:
        return (self.head == other) & (self.tail == 0) & (self.rad == 0)

    def einsum(self, subscripts: str, other: Any) -> Any:
        """Sums products exactly but for what rad bounds; shapes as in numpy.einsum."""
        if isinstance(other, Complex):
            return Complex(self.einsum(subscripts, other.re), self.einsum(subscripts, other.im))
        from scanproof.reference.numbers import compiled_enclosures

        form = contraction.form(subscripts)
        first, second = form.matrices(self, other)
        out = np.empty((3, *first.shape[:2], second.shape[2]))
        compiled_enclosures.contract(_rows(first), _rows(second.swapaxes(1, 2)), out)
        found: Self = form.restored(self.like(*out), form.sizes(self, other))
        return found

    def sum(self, axis: int | tuple[int, ...]) -> Self:
        """Sums over one axis or several, as products with ones."""
        axes = {axis % self.ndim} if isinstance(axis, int) else {i % self.ndim for i in axis}
        letters = "abcdefgh"[: self.ndim]
        kept, gone = (
            "".join(x for i, x in enumerate(letters) if (i in axes) == which)
            for which in (False, True)
        )
        ones = self.lift(self, np.ones([self.shape[letters.index(x)] for x in gone]))
        found: Self = self.einsum(f"{letters},{gone}->{kept}", ones)
        return found

    def size(self) -> Array:
        """Bounds |x| from above, in the shape (...) of x; 0 only for an exact 0."""
        exact = (self.tail == 0) & (self.rad == 0)
        with np.errstate(over="ignore"):
            return np.asarray(
                np.where(
                    exact,
                    np.abs(self.head),
                    (np.abs(self.head) + np.abs(self.tail) + self.rad) * UP,
                )
            )

    def power_of_two(self) -> Array:
        """Where x is exactly 0 or a power of two, up to its sign: bool, in the shape (...) of x."""
        exact = (self.tail == 0) & (self.rad == 0)
        return np.asarray(exact & ((self.head == 0) | (np.abs(np.frexp(self.head)[0]) == 0.5)))

    def truth(self) -> Truth:
        """The same numbers as a Truth of float64 arrays (...)."""
        return Truth(self.head, self.tail, self.rad)

    def _same(self, other: Any) -> Any:
        return other if isinstance(other, Enclosed) else self.lift(self, other)

    def _elementwise(self, name: str, other: Any) -> Self:
        from scanproof.reference.numbers import compiled_enclosures

        other = self._same(other)
        shape = np.broadcast_shapes(self.shape, other.shape)
        one, two = (
            _rows(x.mapped(lambda part: np.broadcast_to(part, shape).ravel()))
            for x in (self, other)
        )
        out = np.empty_like(one)
        getattr(compiled_enclosures, name)(one, two, out)
        return self.like(*out.reshape(3, *shape))


@dataclass(frozen=True, eq=False)
class Complex(Composite):
    """Complex numbers: real and imaginary part, of one shape (...)."""

    re: Enclosed
    im: Enclosed

    @property
    def parts(self) -> tuple[Enclosed, Enclosed]:
        """The real and the imaginary part, each (...)."""
        return self.re, self.im

    def like(self, *parts: Any) -> Self:
        """Makes numbers from another real and imaginary part of one shape (...)."""
        return type(self)(*parts)

    @classmethod
    def lift(cls, like: Self, x: Any) -> Self:
        """Makes exact numbers from complex or real floats, in their shape (...)."""
        wide = np.asarray(x)
        return cls(like.re.lift(like.re, wide.real), like.re.lift(like.re, wide.imag))

    def __neg__(self) -> Self:
        return self.like(-self.re, -self.im)

    def __add__(self, other: Any) -> Self:
        if isinstance(other, Complex):
            return self.like(self.re + other.re, self.im + other.im)
        real = self.re + other
        return self.like(real, self.im + 0 * real)

    def __mul__(self, other: Any) -> Self:
        if isinstance(other, Complex):
            return self.like(
                self.re * other.re - self.im * other.im, self.re * other.im + self.im * other.re
            )
        return self.like(self.re * other, self.im * other)

    def einsum(self, subscripts: str, other: Any) -> Self:
        """Sums products exactly but for what rad bounds; shapes as in numpy.einsum."""
        if not isinstance(other, Complex):
            return self.like(self.re.einsum(subscripts, other), self.im.einsum(subscripts, other))
        a, b, c, d = self.re, self.im, other.re, other.im
        real = a.einsum(subscripts, c) - b.einsum(subscripts, d)
        return self.like(real, a.einsum(subscripts, d) + b.einsum(subscripts, c))

    def sum(self, axis: int | tuple[int, ...]) -> Self:
        """Sums over one axis or several."""
        return self.mapped(lambda x: x.sum(axis))

    def conj(self) -> Self:
        """The complex conjugates, in the shape (...) of x."""
        return self.like(self.re, -self.im)

    def size(self) -> Array:
        """Bounds the modulus from above, in the shape (...) of x; exact where a component is 0."""
        re, im = self.re.size(), self.im.size()
        with np.errstate(over="ignore"):
            return np.asarray(
                np.where((re == 0) | (im == 0), re + im, np.hypot(re, im) * UP + TINY)
            )

    def power_of_two(self) -> Array:
        """Where one component is exactly 0 and the other 0 or a power of two, up to its sign.

        The result is bool, in the shape (...) of x.
        """
        return np.asarray(
            self.re.power_of_two() & self.im.power_of_two() & ((self.re == 0) | (self.im == 0))
        )

    def truth(self) -> Truth:
        """The same numbers as a Truth of complex128 arrays (...); the radius is in the modulus."""
        re, im = self.re.rad, self.im.rad
        rad = np.where((re > 0) & (im > 0), np.hypot(re, im) * UP + TINY, re + im)
        return Truth(self.re.head + 1j * self.im.head, self.re.tail + 1j * self.im.tail, rad)


def scan(lam: Any, b: Any, h0: Any, reverse: bool = False) -> Any:
    """Computes all states of h_t = lam_t h_{t-1} + b_t, the definition of transitions/diagonal.py.

    Args:
        lam: (channels,) or (batch, time, channels), real or complex enclosures, as all three.
        b: (batch, time, channels)
        h0: (batch, channels)
        reverse: run from the last step to the first.

    Returns:
        Enclosures of the states, (batch, time, channels).
    """
    if all(isinstance(x, Enclosed) for x in (lam, b, h0)):
        lam, b, h0 = (Complex(x, 0 * x) for x in (lam, b, h0))
        return scan(lam, b, h0, reverse).re
    from scanproof.reference.numbers import compiled_enclosures

    lam, b, h0 = (x if isinstance(x, Complex) else Complex(x, 0 * x) for x in (lam, b, h0))
    if reverse:
        lam, b = lam[:, ::-1] if lam.ndim == 3 else lam, b[:, ::-1]
    gates, drives, start = (
        np.stack([*x.re.parts[:2], *x.im.parts[:2], x.truth().rad]) for x in (lam, b, h0)
    )
    out = np.empty_like(drives)
    gates = np.broadcast_to(gates if lam.ndim == 3 else gates[:, None, None], drives.shape)
    compiled_enclosures.scan(gates, drives, start, out)
    re, re_tail, im, im_tail, rad = out[:, :, ::-1] if reverse else out
    return Complex(Enclosed(re, re_tail, rad), Enclosed(im, im_tail, rad))


def exact(x: Array) -> Enclosed | Complex:
    """Takes floats (...) as they are: enclosures of radius 0, complex ones of complex floats."""
    wide = x.astype(np.complex128 if np.iscomplexobj(x) else np.float64)
    real = Enclosed.lift(None, wide.real)  # type: ignore[arg-type]
    return Complex(real, Enclosed.lift(real, wide.imag)) if np.iscomplexobj(x) else real


def balls(x: Enclosed, more: Array | float = 0.0) -> Array:
    """Turns enclosures (...) into balls of BITS bits, each wider by `more`: objects (...)."""
    with flint.ctx.workprec(BITS):
        out = np.empty(x.shape, object)
        rad = np.broadcast_to(x.rad + more, x.shape)
        for index in np.ndindex(x.shape):
            radius = float(rad[index])
            out[index] = (
                flint.arb(float(x.head[index]))
                + float(x.tail[index])
                + (flint.arb(0, radius * UP) if radius else 0)
            )
        return out


def of_balls(x: Array) -> Enclosed:
    """Turns real balls (...) into enclosures (...) that contain them."""
    with flint.ctx.workprec(BITS):
        found = [_float_parts(ball) for ball in x.flat]
    heads, tails, rads = (
        np.array(part, float).reshape(x.shape) for part in zip(*found, strict=True)
    )
    return Enclosed(heads, tails, rads)


def through_balls(function: Callable[..., Array], *x: Enclosed) -> Enclosed:
    """Applies a function of arrays (...) of balls, of BITS bits, to enclosures."""
    with flint.ctx.workprec(BITS):
        return of_balls(function(*map(balls, x)))


def _rows(x: Enclosed) -> Array:
    return np.ascontiguousarray(np.stack(x.parts))

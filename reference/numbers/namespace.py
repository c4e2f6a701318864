"""The seams of the one reference: what is not an operator on arrays of every kind of number.

    kind                                  numbers                        exp, cos, ...    expm
    float16 float32 float64 longdouble    NumPy's own                    rounded          SciPy
    ball                                  flint's arb and acb            enclosed         enclosed
    Fraction                              Fraction, int and Gaussian     none             none
    SymPy                                 SymPy's expressions            formulas         formulas

Arrays of the last three have dtype object. float16 has no complex type: its complex numbers are
complex64. Another kind of object joins with one entry in OBJECTS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, partial
from typing import Any

import flint
import numpy as np

from scanproof.reference.numbers import exponential
from scanproof.reference.numbers.exponential import Array
from scanproof.reference.numbers.gaussian import Gaussian
from scanproof.reference.transitions import diagonal
from scanproof.reference.transitions import rotation as rotations

Function = Callable[..., Any]  # of arrays, or of what stands for them (composite.py)
ELEMENTARY = ("exp", "expm1", "log", "cos", "sin", "sqrt")


@dataclass(frozen=True, eq=False, kw_only=True)
class Namespace:
    """Functions of arrays of one kind of number; lift takes floats or integers to this kind
    (exactly, if it is exact)."""

    kind: str
    i: Any = None  # the imaginary unit
    lift: Function
    exp: Function
    expm1: Function
    log: Function
    cos: Function
    sin: Function
    sqrt: Function
    real: Function
    imag: Function
    conj: Function
    complex: Function  # of real and imaginary part
    expm: Function
    frechet: Function
    valid: Function  # which numbers are real and finite
    scan: Function = diagonal.scan
    rotation: Function = rotations.rotation


def of(x: Array) -> Namespace:
    """Finds the namespace of the numbers of x (...), an array or what stands for one.

    Raises:
        TypeError: a dtype or an object of no known kind, or objects of two kinds.
    """
    if not isinstance(x, np.ndarray):
        return _of_objects(type(x))
    if x.dtype != object:
        return native(x.dtype)
    found = {
        namespace.kind: namespace
        for namespace in map(_of_objects, {type(value) for value in x.flat} - {int})
    }
    if len(found) > 1:
        raise TypeError(
            f"array of objects: found {' and '.join(sorted(found))}, expected one kind of number"
        )
    return next(iter(found.values())) if found else fractions()


@cache
def native(dtype: np.dtype[Any]) -> Namespace:
    """The namespace of float16, float32, float64 or longdouble, and of their complex numbers.

    Raises:
        TypeError: another dtype, or one whose bytes are swapped.
    """
    if dtype.kind not in "fc" or not dtype.isnative:
        raise TypeError(
            f"array: found dtype {dtype}, expected float16, float32, float64, longdouble or objects"
        )
    return Namespace(
        kind=np.empty(0, dtype).real.dtype.name,
        lift=lambda x: x.astype(dtype),
        **{name: getattr(np, name) for name in ELEMENTARY},
        real=np.real,
        imag=np.imag,
        conj=np.conj,
        i=1j,
        complex=lambda re, im: re + 1j * im,
        expm=exponential.native_expm,
        frechet=exponential.native_frechet,
        valid=lambda x: np.isfinite(x) & np.isrealobj(x),
    )


@cache
def balls() -> Namespace:
    """The namespace of enclosures at flint's current precision.

    NumPy's ufuncs call the methods of arb and acb.
    """
    return Namespace(
        kind="ball",
        lift=lambda x: (
            exponential.from_longdouble(x)
            if x.dtype == np.longdouble
            else _each(flint.arb)(x.astype(np.float64))
        ),
        **{name: getattr(np, name) for name in ELEMENTARY},
        real=_each(lambda z: z.real if isinstance(z, flint.acb) else z),
        imag=_each(lambda z: z.imag if isinstance(z, flint.acb) else 0 * z),
        conj=_each(lambda z: z.conjugate() if isinstance(z, flint.acb) else z),
        i=flint.acb(0, 1),
        complex=lambda re, im: re + flint.acb(0, 1) * im,
        expm=exponential.ball_expm,
        frechet=exponential.ball_frechet,
        valid=_each(
            lambda z: not isinstance(z, flint.acb) and (isinstance(z, int) or z.is_finite())
        ),
    )


@cache
def fractions() -> Namespace:
    """The namespace of rational numbers, and Gaussian ones: what + - * make of them is exact."""
    return Namespace(
        kind="Fraction",
        lift=_each(lambda x: Fraction(*x.as_integer_ratio())),
        **{name: partial(_no_fraction, name) for name in ELEMENTARY},
        real=_each(lambda z: z.real),
        imag=_each(lambda z: z.imag),
        conj=_each(lambda z: z.conjugate()),
        i=Gaussian(0, 1),
        complex=lambda re, im: re + Gaussian(0, 1) * im,
        expm=partial(_no_fraction, "expm"),
        frechet=partial(_no_fraction, "frechet"),
        valid=_each(lambda z: not isinstance(z, Gaussian)),
    )


@cache
def symbols() -> Namespace:
    """The namespace of SymPy's formulas, whose letters should be declared real."""
    import sympy as sp

    elementary = {name: _each(getattr(sp, name)) for name in ELEMENTARY if name != "expm1"}
    return Namespace(
        kind="SymPy",
        lift=_each(lambda x: sp.Rational(*x.as_integer_ratio())),
        expm1=_each(lambda x: sp.exp(x) - 1),
        **elementary,
        real=_each(sp.re),
        imag=_each(sp.im),
        conj=_each(sp.conjugate),
        i=sp.I,
        complex=lambda re, im: re + sp.I * im,
        expm=exponential.symbolic_expm,
        frechet=exponential.symbolic_frechet,
        valid=_each(lambda z: sp.sympify(z).is_real is not False),
    )


OBJECTS: dict[type, Callable[[], Namespace]] = {
    flint.arb: balls,
    flint.acb: balls,
    Fraction: fractions,
    Gaussian: fractions,
}


def _of_objects(kind: type) -> Namespace:
    if kind in OBJECTS:
        return OBJECTS[kind]()
    if kind.__module__.startswith("sympy."):
        return symbols()
    raise TypeError(
        f"array of objects: found {kind.__name__}, expected balls of flint, Fractions or SymPy "
        "expressions"
    )


def _each(function: Callable[[Any], Any]) -> Function:
    """The same for every number of an array, of any shape; the results are objects."""
    ufunc = np.frompyfunc(function, 1, 1)

    def each(x: Array) -> Array:
        out = np.empty(x.shape, object)
        out[...] = ufunc(x)
        return out

    return each


def _no_fraction(name: str, *_: Array) -> Array:
    raise TypeError(
        f"{name}: found Fractions, whose {name} is not rational; expected floats, balls or SymPy "
        "expressions"
    )

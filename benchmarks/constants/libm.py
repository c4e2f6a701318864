"""How far the elementary functions of NumPy, jax and torch are off, in units of u
(docs/measured/constants.md).

A float32 result is compared with NumPy's float64 function, whose own error (the float64 rows: a few
2^-53) is below 1e-8 u; that only finds the worst argument, whose error is then computed again with
balls. A float64 result is compared with balls at every argument. So each figure is the error at the
argument beside it, for certain, and the largest that was met.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import flint
import numpy as np

from scanproof.reference.arithmetic.constants import declared
from scanproof.reference.arithmetic.formats import Format, format_of
from scanproof.reference.inputs import Array

ARGUMENTS = {"float32": 2**22, "float64": 2**15}  # drawn from each range
# binades of a range that are looked at again: float32 at every number, float64 as often as in the
# whole range
WORST = 8
# bits; float64 arguments up to 2^1022 leave none to sin and cos, which get RANGE_BITS more
PRECISION = 256
RANGE_BITS = 1024
DTYPES = tuple(ARGUMENTS)
NO_CLASS = {
    ("jax", "log1p", "float64"),  # up to 240 u between -0.414 and -0.364
    ("torch", "softplus", "float64"),  # x itself from 20 on
    ("torch", "sqrt", "float32"),  # not correctly rounded
    ("torch", "sqrt", "float64"),
# known to exceed the constants: they claim nothing, and no allowance speaks about programs that use
# them
}

Call = Callable[[Array], Array]
Range = tuple[float, float]


class Function(NamedTuple):
    """What is measured: the function on balls, the field of `Elementary` that bounds it, and where
    its results are normal."""

    exact: Callable[[Any], Any]
    constant: str
    ranges: Callable[[Format], list[Range]]


class Row(NamedTuple):
    """The largest error of one function over one range of arguments, and where it was met."""

    who: str
    function: str
    dtype: str
    low: float
    high: float
    arguments: int
    error: float
    at: float

    @property
    def what(self) -> str:
        return f"{self.function} of {self.who} in {self.dtype}"

    @property
    def description(self) -> str:
        """The error, and where."""
        return f"{self.error:.4g} u at {self.at!r}"

    @property
    def word(self) -> str:
        """The class that this function is in."""
        return "none" if (self.who, self.function, self.dtype) in NO_CLASS else "default"

    @property
    def constant(self) -> float:
        """The declared constant of the default class."""
        return float(getattr(declared("default", self.dtype), FUNCTIONS[self.function].constant))

    @property
    def claimed(self) -> float:
        """The constant of its own class."""
        return self.constant if self.word == "default" else math.inf


# ---------------------------------------------------------------- functions and libraries


def _tiny(form: Format) -> float:
    return 4 * form.smallest_normal


def _huge(form: Format) -> float:
    return form.largest / 4


def _top(form: Format) -> float:
    """exp(x) and exp(-x) are normal up to here: 87 and 708."""
    return math.floor(math.log(form.largest)) - 1.0


def _both(low: float, high: float) -> list[Range]:
    return [(-high, -low), (low, high)]


def _turns(form: Format) -> list[Range]:
    return [(_tiny(form), 2.0**13), (2.0**13, 1e9), (1e9, _huge(form))]


FUNCTIONS = {
    "exp": Function(lambda x: x.exp(), "e", lambda f: _both(f.u, _top(f))),
    "expm1": Function(lambda x: x.expm1(), "e", lambda f: _both(_tiny(f), _top(f))),
    "log": Function(lambda x: x.log(), "e", lambda f: [(_tiny(f), _huge(f))]),
    "log1p": Function(
        lambda x: x.log1p(), "e", lambda f: [(2 * f.u - 1, -_tiny(f)), (_tiny(f), _huge(f))]
    ),
    "tanh": Function(lambda x: x.tanh(), "e", lambda f: _both(_tiny(f), _top(f))),
    "sigmoid": Function(lambda x: 1 / (1 + (-x).exp()), "e", lambda f: _both(f.u, _top(f))),
    "softplus": Function(lambda x: x.exp().log1p(), "e", lambda f: _both(f.u, _top(f))),
    "sin": Function(lambda x: x.sin(), "e_t", _turns),
    "cos": Function(lambda x: x.cos(), "e_t", _turns),
    "sqrt": Function(lambda x: x.sqrt(), "division", lambda f: [(_tiny(f), _huge(f))]),
    "1/x": Function(lambda x: 1 / x, "division", lambda f: [(_tiny(f), _huge(f))]),
}
SAME_NAME = ("exp", "expm1", "log", "log1p", "tanh", "sin", "cos", "sqrt")


def numpy_functions() -> dict[str, Call]:
    """NumPy's ufuncs; the two that it lacks as one writes them."""
    return {name: getattr(np, name) for name in SAME_NAME} | {
        "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
        "softplus": lambda x: np.logaddexp(x, x.dtype.type(0)),
        "1/x": lambda x: 1 / x,
    }


def jax_functions() -> dict[str, Call]:
    """jax.numpy and jax.nn, jitted."""
    import jax

    theirs = {name: getattr(jax.numpy, name) for name in SAME_NAME}
    theirs |= {"sigmoid": jax.nn.sigmoid, "softplus": jax.nn.softplus, "1/x": lambda x: 1 / x}

    def called(function: Any, x: Array) -> Array:
        with jax.enable_x64(True):
            return np.asarray(function(x))

    return {name: partial(called, jax.jit(function)) for name, function in theirs.items()}


def torch_functions() -> dict[str, Call]:
    """torch's, one call each."""
    torch = importlib.import_module("torch")
    theirs = {name: getattr(torch, name) for name in (*SAME_NAME, "sigmoid")}
    theirs |= {"softplus": torch.nn.functional.softplus, "1/x": lambda x: 1 / x}

    def called(function: Any, x: Array) -> Array:
        return np.asarray(function(torch.from_numpy(x)))

    return {name: partial(called, function) for name, function in theirs.items()}


LIBRARIES = {"numpy": numpy_functions, "jax": jax_functions, "torch": torch_functions}


def installed() -> list[str]:
    """Of the libraries."""
    return [name for name in LIBRARIES if importlib.util.find_spec(name)]


# ---------------------------------------------------------------- measuring


def rows(who: str, seed: int) -> list[Row]:
    """A row for every function, format and range."""
    places = [
        (name, dtype, limits)
        for name in FUNCTIONS
        for dtype in DTYPES
        for limits in ranges(name, dtype)
    ]
    calls, rng = LIBRARIES[who](), np.random.default_rng(seed)
    return [measured(who, name, calls[name], dtype, limits, rng) for name, dtype, limits in places]


def ranges(name: str, dtype: str) -> list[Range]:
    """Where a function is measured: its results are normal numbers there."""
    return FUNCTIONS[name].ranges(format_of(dtype))


def measured(
    who: str, name: str, call: Call, dtype: str, limits: Range, rng: np.random.Generator
) -> Row:
    """The largest error of `call` between the limits, its worst binades looked at again."""
    low, high = np.array(limits, dtype)
    x = drawn(low, high, ARGUMENTS[dtype], rng)
    found, worst = tried(name, call, x)
    count, tops = x.size, [worst]
    for index in worst_binades(x, found):
        x = binade(index, x.dtype, rng)
        x = x[(low <= x) & (x <= high)]
        tops.append(tried(name, call, x)[1])
        count += x.size
    _, at, got = max(tops, key=lambda top: top[0])
    return Row(
        who, name, dtype, float(low), float(high), count, certified(name, at, got), float(at)
    )


def drawn(low: Any, high: Any, count: int, rng: np.random.Generator) -> Array:
    """Floats of one sign between the limits, drawn evenly in the logarithm: (count,)."""
    first, last = sorted(int(limit.view(_bits(limit.dtype))) for limit in (low, high))
    return rng.integers(first, last, count, dtype=_bits(low.dtype), endpoint=True).view(low.dtype)


def worst_binades(x: Array, found: Array) -> Array:
    """Sign and exponent bits, as numbers, of at most WORST binades with the largest errors."""
    index = x.view(_bits(x.dtype)) >> _stored(x.dtype)  # (arguments,)
    order = np.argsort(found)[::-1]
    return index[order][np.sort(np.unique(index[order], return_index=True)[1])[:WORST]]


def binade(index: Any, dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
    """All float32 numbers with these sign and exponent bits; for float64, some that are drawn."""
    first, size, bits = int(index) << _stored(dtype), 1 << _stored(dtype), _bits(dtype)
    if dtype == np.float32:
        return np.arange(first, first + size, dtype=bits).view(dtype)
    return rng.integers(first, first + size, ARGUMENTS[dtype.name] // WORST, dtype=bits).view(dtype)


def _bits(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(dtype.name.replace("float", "uint"))


def _stored(dtype: np.dtype[Any]) -> int:
    """Stored bits of the significand."""
    return int(np.finfo(dtype).nmant)


def tried(name: str, call: Call, x: Array) -> tuple[Array, tuple[float, Any, Any]]:
    """Errors of call(x): (arguments,); and the largest, with its argument and result."""
    got = call(x.copy())  # a library that writes into its argument must not change ours
    found = errors(name, x, got)
    at = np.argmax(found)
    return found, (found[at], x[at], got[at])


def errors(name: str, x: Array, got: Array) -> Array:
    """In units of u; float32 screened, float64 by balls: (arguments,) float64."""
    if x.dtype == np.float32:
        return _screened(name, x, got)
    return np.array([certified(name, *pair) for pair in zip(x, got, strict=True)])


def _screened(name: str, x: Array, got: Array) -> Array:
    """Measured with NumPy's float64 function; inf for what is no number."""
    exact = numpy_functions()[name](x.astype(np.float64))
    off, size = np.abs(got - exact), np.abs(exact)
    if FUNCTIONS[name].constant != "e_t":
        off = np.divide(off, size, out=np.where(off > 0, np.inf, 0.0), where=size > 0)
    return np.where(np.isnan(off), np.inf, off) / format_of("float32").u


def certified(name: str, x: Any, got: Any) -> float:
    """|got - f(x)| in units of u, by balls; relative to |f(x)| but for sin and cos."""
    function, form = FUNCTIONS[name], format_of(x.dtype.name)
    absolute = function.constant == "e_t"
    if not np.isfinite(got):
        return np.inf
    with flint.ctx.workprec(PRECISION + (RANGE_BITS if absolute else 0)):
        exact = function.exact(flint.arb(float(x)))
        off = abs(float(got) - exact)
        if exact.is_zero():
            return 0.0 if off.is_zero() else np.inf
        return float(off if absolute else off / abs(exact)) / form.u

"""Reads JSON values strictly: every error is one line that says what was found and expected.

    Numbers   an array; every number is the float or complex that the file spells, and so exact
    form      the names of an array's axes, "batch time channel", then "complex" if it may be
    sizes     how long each named axis is

Complex numbers stand in the file as their real part, then their imaginary part.
"""

import math
import re
import struct
from collections.abc import Iterable
from typing import Any, NamedTuple

FORMATS = {"float16": "e", "bfloat16": "f", "float32": "f", "float64": "d"}  # codes of struct
COMPLEX = {"complex64": "float32", "complex128": "float64"}
COUNT = 2**26  # numbers of the largest array
AXES = 5


class Numbers(NamedTuple):
    """An array in C order; parts: components of each number."""

    parts: int
    shape: tuple[int, ...]
    data: list[complex]

    def at(self, index: tuple[int, ...]) -> complex:
        """One number."""
        place = 0
        for i, size in zip(index, self.shape, strict=True):
            place = place * size + i
        return self.data[place]

    def nested(self) -> list[Any]:
        """Lists, as deep as the shape is long."""
        found: list[Any] = self.data
        for size in self.shape[:0:-1]:
            found = [found[i : i + size] for i in range(0, len(found), size)]
        return found


def fault(name: str, found: str, expected: str) -> ValueError:
    """The error in one line."""
    return ValueError(f"{name}: found {found}, expected {expected}")


def short(x: Any) -> str:
    """What a value looks like, in few characters."""
    shown = repr(x[:60] if isinstance(x, str | list) else x)
    return shown if len(shown) <= 60 else f"{shown[:60]} ..."


def mapping(name: str, x: Any) -> dict[str, Any]:
    """The object that a value is."""
    if not isinstance(x, dict):
        raise fault(name, short(x), "an object")
    return x


def sequence(name: str, x: Any, length: int | None = None) -> list[Any]:
    """The list that a value is, of this length if one is given."""
    if not isinstance(x, list):
        raise fault(name, short(x), "a list")
    if length not in (None, len(x)):
        raise fault(name, f"{len(x)} items", f"{length}")
    return x


def fields(name: str, x: Any, *names: str) -> list[Any]:
    """The values of an object that has these members and no others, in this order."""
    found = mapping(name, x)
    missing = [each for each in names if each not in found]
    foreign = [each for each in found if each not in names]
    if missing:
        raise fault(name, f"no {missing[0]}", ", ".join(names))
    if foreign:
        raise fault(name, short(foreign[0]), f"only {', '.join(names)}")
    return [found[each] for each in names]


def text(name: str, x: Any, pattern: str) -> str:
    """A string of this pattern."""
    if not isinstance(x, str) or not re.fullmatch(pattern, x):
        raise fault(name, short(x), f"text of the form {pattern}")
    return x


def integer(name: str, x: Any, largest: int) -> int:
    """A whole number from 0 to the largest."""
    if type(x) is not int or not 0 <= x <= largest:
        raise fault(name, short(x), f"a whole number from 0 to {largest}")
    return x


def number(name: str, x: Any) -> float:
    """A float in the form of float.hex; inf and nan are such."""
    try:
        value = float.fromhex(x)
        same = value.hex() == x
    except (OverflowError, TypeError, ValueError):
        same = False
    if not same:
        raise fault(name, short(x), "a number in the form of float.hex")
    return value


def distance(name: str, x: Any) -> float:
    """A finite number that is not negative."""
    value = number(name, x)
    if not 0 <= value < math.inf:
        raise fault(name, x, "a finite number that is not negative")
    return value


def numbers(name: str, x: Any) -> Numbers:
    """An array: {"dtype", "shape", "data"}; of a complex one the data are real and imaginary
    parts."""
    dtype, axes, data = fields(name, x, "dtype", "shape", "data")
    if dtype not in (*FORMATS, *COMPLEX):
        raise fault(f"{name}.dtype", short(dtype), ", ".join((*FORMATS, *COMPLEX)))
    shape, parts = _shape(name, axes), 1 + (dtype in COMPLEX)
    items = sequence(f"{name}.data", data, parts * math.prod(shape))
    values = [number(f"{name}.data", each) for each in items]
    for value in values:
        if not _holds(COMPLEX.get(dtype, dtype), value):
            raise fault(f"{name}.data", value.hex(), f"numbers that {dtype} holds")
    paired = map(complex, values[::2], values[1::2])
    return Numbers(parts, shape, list(paired) if parts == 2 else [*values])


def _shape(name: str, x: Any) -> tuple[int, ...]:
    axes = sequence(f"{name}.shape", x)
    sizes = tuple(integer(f"{name}.shape", size, COUNT) for size in axes)
    if not 1 <= len(sizes) <= AXES or not 1 <= math.prod(sizes) <= COUNT:
        raise fault(f"{name}.shape", short(x), f"1 to {AXES} axes and 1 to {COUNT} numbers")
    return sizes


def _holds(dtype: str, value: float) -> bool:
    """Whether the format has this number; bfloat16 is the upper half of float32."""
    try:
        packed = struct.pack(f">{FORMATS[dtype]}", value)
    except OverflowError:
        return False
    [again] = struct.unpack(f">{FORMATS[dtype]}", packed)
    same = again == value or math.isnan(value)
    return same and (dtype != "bfloat16" or math.isnan(value) or packed[2:] == b"\0\0")


def finite(name: str, x: Numbers) -> None:
    """Raises ValueError for an array that holds inf or nan."""
    for z in x.data:
        if not (math.isfinite(z.real) and math.isfinite(z.imag)):
            raise fault(name, str(z), "finite numbers")


def fit(
    found: dict[str, Numbers], forms: dict[str, str], sizes: dict[str, int], needed: Iterable[str]
) -> None:
    """Raises ValueError for arrays whose axes do not agree; adds to the sizes what they say."""
    for name in needed:
        if name not in found:
            raise fault(name, "none", "an array")
    for name, x in found.items():
        if name not in forms:
            raise fault(name, "an array", f"only {', '.join(forms)}")
        _fit(name, x, forms[name].split(), sizes)


def _fit(name: str, x: Numbers, form: list[str], sizes: dict[str, int]) -> None:
    axes = [axis for axis in form if axis != "complex"]
    if x.parts == 2 and "complex" not in form:
        raise fault(name, "complex numbers", "real ones")
    known = ", ".join(f"{axis} {sizes[axis]}" if axis in sizes else axis for axis in axes)
    same = len(axes) == len(x.shape)
    if not same or any(sizes.setdefault(a, n) != n for a, n in zip(axes, x.shape, strict=True)):
        raise fault(name, f"shape {x.shape}", f"({known})")

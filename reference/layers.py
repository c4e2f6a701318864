"""What layers share: arguments whose shapes fit each other, inputs with or without a batch axis, one direction or two.

A layer of two directions (bidirectional) scans the same inputs forwards and backwards, each from its own initial state.
Inside a layer, inputs have a batch axis and states an axis of directions; outside, only where the caller has them.

    symbol    meaning                                       shape
    u         inputs                                        (batch, time, width) or (time, width)
    h0        states before the first step of each scan     ([batch,] [2,] state...)
    h         all states                                    ([batch,] time, [2,] state...)
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

import numpy as np

from scanproof.reference import namespace
from scanproof.reference.exponential import Array

LOG_ZERO = ": the logarithm of 0, which initialisers that draw in float32 meet with probability 2^-24; draw again"


@dataclass(eq=False)
class Shapes:
    """The size of every named axis and the argument that fixed it; the first argument also fixes the kind of number."""

    sizes: dict[str, tuple[int, str]] = field(default_factory=dict)
    kind: tuple[str, str] = ("", "")

    def __getitem__(self, axis: str) -> int:
        return self.sizes[axis][0]

    def derive(self, axis: str, size: int, source: str) -> None:
        """Fixes an axis that follows from others."""
        self.sizes[axis] = size, source

    def check_all(self, params: Any, axes: dict[str, str]) -> None:
        """Checks the parameters one after the other; those that default to None may be missing."""
        optional = {f.name for f in fields(params) if f.default is None}
        for name in axes:
            if getattr(params, name) is not None or name not in optional:
                self.check(name, getattr(params, name), axes[name])

    def check(self, name: str, value: Any, axes: str, complex_too: bool = False) -> None:
        """Checks one argument against all that came before.

        Raises:
            TypeError: no array of real numbers, or of another kind than the first argument.
            ValueError: another shape than the named axes say, or numbers that are not finite.
        """
        self._check_kind(name, value, complex_too)
        self._check_shape(name, value, axes.split())
        numbers = namespace.of(value)
        parts = (numbers.real(value), numbers.imag(value)) if complex_too else (value,)
        for where in (tuple(map(int, where)) for part in parts for where in np.argwhere(~numbers.valid(part).astype(bool))):
            note = LOG_ZERO if name in ("nu_log", "theta_log") and value[where] == -np.inf else ""
            raise ValueError(f"{name}: found {value[where]} at index {where}, expected finite real numbers{note}")

    def _check_kind(self, name: str, value: Any, complex_too: bool) -> None:
        check_array(name, value)
        try:
            kind = namespace.of(value).kind
        except TypeError as error:
            raise TypeError(f"{name}: {error}") from None
        if value.dtype.kind == "c" and not complex_too:
            raise TypeError(f"{name}: found dtype {value.dtype}, expected real numbers")
        first, owner = self.kind = self.kind if self.kind[0] else (kind, name)
        if kind != first and not (complex_too and (first, kind) == ("float16", "float32")):
            raise TypeError(f"{name}: found numbers of kind {kind}, expected {first} as in {owner}; convert them explicitly")

    def _check_shape(self, name: str, value: Array, axes: list[str]) -> None:
        if value.ndim != len(axes):
            raise ValueError(f"{name}: found shape {value.shape}, expected ({', '.join(axes)})")
        for axis, size in zip(axes, value.shape, strict=True):
            known, owner = self.sizes.setdefault(axis, (size, name))
            if size != known and owner == name:
                raise ValueError(f"{name}: found shape {value.shape}, expected ({', '.join(axes)})")
            if size != known:
                raise ValueError(f"{name}: found {axis} {size} in shape {value.shape}, expected {axis} {known} as in {owner}")


def check_array(name: str, value: Any) -> None:
    """Raises TypeError for anything but a NumPy array."""
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{name}: found {type(value).__name__}, expected a NumPy array")


def check_kind(params: Any, kind: type) -> None:
    """Raises TypeError for anything but parameters of this kind."""
    if not isinstance(params, kind):
        expected = f"{kind.__module__.rpartition('.')[2]}.{kind.__name__}"
        raise TypeError(f"params: found {type(params).__name__}, expected {expected}")


def check_pair(params: Any, *names: str) -> bool:
    """Whether the optional parameters are there: all of them or none."""
    missing = [name for name in names if getattr(params, name) is None]
    if missing and len(missing) < len(names):
        raise ValueError(f"{missing[0]}: found None, expected an array, because {names[1 - names.index(missing[0])]} is one")
    return not missing


@dataclass(frozen=True)
class Border:
    """Takes arguments into a layer and results out of it: with or without batch axis, one direction or two."""

    batched: bool
    bidirectional: bool

    @classmethod
    def of(cls, u: Any, bidirectional: bool) -> Border:
        if isinstance(u, np.ndarray) and u.ndim not in (2, 3):
            raise ValueError(f"u: found shape {u.shape}, expected (batch, time, width) or (time, width)")
        return cls(np.ndim(u) == 3, bidirectional)

    def axes(self, names: str, directions: bool = False) -> str:
        """The named axes of an argument as the caller has it."""
        return f"{'batch ' * self.batched}{'directions ' * (directions and self.bidirectional)}{names}"

    def enter(self, x: Array, axis: int | None = None) -> Array:
        """Adds what is missing: the batch axis, and for states the axis of directions at `axis`."""
        x = x if self.batched else x[None]
        return x if axis is None or self.bidirectional else np.expand_dims(x, axis)

    def leave(self, x: Array, axis: int | None = None) -> Array:
        """Takes off again what `enter` added."""
        x = x if axis is None or self.bidirectional else x.squeeze(axis)
        return x if self.batched else x[0]


class Call(NamedTuple):
    """The arguments of one call, checked, as they look inside a layer."""

    border: Border
    u: Array  # (batch, time, width)
    h0: Array  # (batch, directions, state...)
    y_bar: Array  # (batch, time, width)


def checked_call(
    shapes: Shapes, bidirectional: bool, state: str, u: Any, h0: Any, y_bar: Any = None, complex_states: bool = False
) -> Call:
    """Checks u, h0 (zero when None) and y_bar against the parameters; `state` names the axes of one state.

    Raises:
        TypeError, ValueError: one line naming the argument, what was found and what was expected.
    """
    border = Border.of(u, bidirectional)
    shapes.check("u", u, border.axes("time width"))
    shapes.derive("directions", 2, "params")
    axes = border.axes(state, directions=True)
    if h0 is None:
        dtype = np.result_type(u.dtype, np.complex64) if complex_states and u.dtype != object else u.dtype
        h0 = np.zeros([shapes[axis] for axis in axes.split()], dtype)
    else:
        shapes.check("h0", h0, axes, complex_states)
    if y_bar is not None:
        shapes.check("y_bar", y_bar, border.axes("time width"))
    return Call(border, border.enter(u), border.enter(h0, 1), border.enter(u if y_bar is None else y_bar))


def finite_exp(name: str, x: Array) -> Array:
    """exp(x), which must neither overflow nor round to zero."""
    with np.errstate(over="ignore", under="ignore"):
        result: Array = namespace.of(x).exp(x)
    for where in np.argwhere(~namespace.of(x).valid(result).astype(bool) | (result == 0).astype(bool))[:1]:
        index = tuple(map(int, where))
        raise ValueError(f"{name}: found {x[index]} at index {index}, whose exp is {result[index]}; expected finite and positive")
    return result


def one_step(u_t: Any) -> Array:
    """A sequence of one step, ([batch,] 1, width). Raises TypeError or ValueError for no u_t ([batch,] width)."""
    check_array("u_t", u_t)
    if u_t.ndim not in (1, 2):
        raise ValueError(f"u_t: found shape {u_t.shape}, expected (batch, width) or (width)")
    sequence: Array = u_t[..., None, :]
    return sequence


def backwards(direction: int, reverse: bool) -> bool:
    """Whether a scan runs from the last step to the first: the second direction does what the first does not.

    Raises:
        TypeError: reverse is neither True nor False.
    """
    if not isinstance(reverse, bool | np.bool_):
        raise TypeError(f"reverse: found {type(reverse).__name__}, expected True or False")
    return reverse != (direction == 1)


def in_time(x: Array, flip: bool) -> Array:
    """x in the order in which a scan meets it: (batch, time, ...)."""
    return x[:, ::-1] if flip else x


def rows(x: Array) -> Array:
    """(batch, time, n) -> (batch * time, n): sums over batch and time are matrix products."""
    return x.reshape(-1, x.shape[-1])


def mapped(params: Any, function: Any) -> Any:
    """The same parameters with every array changed, for example lifted to exact numbers by `namespace.balls().lift`."""
    values = {f.name: getattr(params, f.name) for f in fields(params)}
    return type(params)(**{name: None if value is None else function(value) for name, value in values.items()})

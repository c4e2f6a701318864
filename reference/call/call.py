"""One call of a system: its arguments by name, checked once and passed around whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from scanproof.reference.call.layout import Layout, chosen_axes, entered, layout_of, taken
from scanproof.reference.call.system import Argument, System
from scanproof.reference.numbers.exponential import Array

Form = tuple[tuple[int, ...], str]  # shape and dtype name


@dataclass(frozen=True, eq=False)
class Call:
    """The arguments of one call, by the names that the system gives them.

    `called` makes one from what a caller passed, and checks it.
    """

    system: System
    arguments: Mapping[str, Array]
    reverse: bool = False

    def __getitem__(self, name: str) -> Array:
        return self.arguments[name]

    def get(self, name: str) -> Array | None:
        """Gives an argument in the caller's shape (...), None where it was not passed."""
        return self.arguments.get(name)

    def but(self, **changes: Any) -> Call:
        """Gives the same call with other arguments, `reverse` among them.

        None leaves out an optional one.
        """
        reverse = changes.pop("reverse", self.reverse)
        merged = {**self.arguments, **changes}
        ordered = {
            name: merged[name] for name in self.system.argument if merged.get(name) is not None
        }
        return Call(self.system, ordered, reverse)

    @cached_property
    def layout(self) -> Layout:
        """The sizes of all axes.

        Raises:
            TypeError, ValueError: shapes that do not fit each other.
        """
        return layout_of(self.system, self.arguments)

    def size(self, axis: str, absent: int = 1) -> int:
        """The size of a named axis, or `absent` where the call has no such axis."""
        return self.layout.sizes[axis][0] if axis in self.layout.sizes else absent

    def axes(self, name: str) -> list[str]:
        """The named axes of an argument as the caller has it."""
        return self.layout.axes(
            chosen_axes(self.system.argument[name].axes, np.ndim(self.arguments[name]), self.layout)
        )

    def keywords(self) -> dict[str, Any]:
        """Copies of the arguments for an implementation, without optional ones that are unused."""
        copies: dict[str, Any] = {name: x.copy() for name, x in self.arguments.items()}
        return copies | ({"reverse": True} if self.reverse else {})

    def described(self) -> str:
        """The shapes of this call, in one line."""
        needed = self.system.required | set(self.system.named("parameter"))
        shapes = ", ".join(
            f"{name} {x.shape}" for name, x in self.arguments.items() if name in needed
        )
        optional = [name for name in self.arguments if name not in needed] + [
            "reverse"
        ] * self.reverse
        return shapes + (f" with {' and '.join(optional)}" if optional else "")

    @cached_property
    def wide(self) -> dict[str, Array]:
        """The arguments in float64, in the caller's shapes (...).

        float64 holds every number of the formats that can be declared. Numbers of complex states
        become complex.
        """
        return {name: self._widened(name, x) for name, x in self.arguments.items()}

    def _widened(self, name: str, x: Array) -> Array:
        """Real numbers of complex states are complex ones, too."""
        complex_first = self.system.argument[name].kinds[0] == "complex" and x.dtype.kind != "O"
        return np.asarray(wide(x) + 0j) if complex_first else wide(x)

    def inside(self, arrays: Mapping[str, Array]) -> dict[str, Any]:
        """Gives arguments as the equations see them, with a batch axis (batch, ...).

        Initial states that were not given are zeros.
        """
        internal = {name: self.to_internal(name, x) for name, x in arrays.items()}
        first = next(iter(arrays.values()))
        for each in self.system.arguments:
            if each.role == "state" and each.name not in internal:
                internal[each.name] = self.to_internal(each.name, self._nothing(each, first.dtype))
        return internal

    def _nothing(self, state: Argument, dtype: np.dtype[Any]) -> Array:
        number = (
            np.result_type(dtype, np.complex64)
            if state.kinds[0] == "complex" and dtype.kind != "O"
            else dtype
        )
        return np.zeros(self.layout.shape(state.axes), number)

    def to_internal(self, name: str, x: Array) -> Array:
        """Adds to an argument the axes that the caller leaves out, such as (batch, ...)."""
        return entered(
            chosen_axes(self.system.argument[name].axes, x.ndim, self.layout), x, self.layout
        )

    def to_caller(self, axes: str, x: Any) -> Any:
        """Takes away the axes that are missing in this call, such as (batch, ...)."""
        places = [i for i, name in enumerate(axes.split()) if self.layout.missing(name)]
        for place in reversed(places):
            x = x.squeeze(place)
        return x

    def axes_of(self, result: str) -> str:
        """The axes of a result, or of a gradient, as the system's table writes them."""
        kind, _, name = result.partition(" ")
        if kind != "gradient":
            return self.system.result[kind].axes
        given = self.arguments.get(name)
        spec = self.system.argument[name].axes
        return chosen_axes(spec, given.ndim, self.layout) if given is not None else spec

    def time_axis(self, result: str) -> int | None:
        """The place of the time axis of a result, None for one that has none."""
        names = (
            self.layout.axes(self.axes_of(result))
            if result.split(" ")[0] in self.system.result
            else []
        )
        return names.index("time") if "time" in names else None

    def expected(self, dtype: str) -> dict[str, Form]:
        """The shape and dtype of every result and gradient, by name."""
        kinds, layout = kinds_of(dtype), self.layout
        found = {
            each.name: (layout.shape(each.axes), kinds[each.kind]) for each in self.system.results
        }
        given = [
            name
            for name in self.system.gradients
            if name in self.arguments or name in self.system.named("state")
        ]
        for name in given:
            argument = self.system.argument[name]
            found[f"gradient {name}"] = (
                layout.shape(self.axes_of(f"gradient {name}")),
                kinds[argument.kinds[0]],
            )
        return found

    def expected_constants(self, dtype: str) -> dict[str, Form]:
        """The shape and dtype of every constant that an implementation may expose, by name."""
        k, kinds = self.system.constants(self.inside(self.wide)), kinds_of(dtype)
        exposed = {name: getattr(k, name) for name in self.system.exposed}
        return {
            f"constant {name}": (x.shape, kinds["complex" if np.iscomplexobj(x) else "real"])
            for name, x in exposed.items()
        }

    def cotangents(self) -> dict[str, Array]:
        """The cotangents that were given, in the shapes (...) of the results that name them."""
        named = {name: self.system.argument[name].of for name in self.arguments}
        return {str(of): self.arguments[name] for name, of in named.items() if of}

    def take(self, axis: str, kept: Any, **also: Any) -> Call:
        """Gives the call with some indices of a named axis, and of other axes by keyword.

        Args:
            axis: the name of the axis.
            kept: a slice, or an array (kept,) of indices.
            also: the same for other axes.
        """
        given = self.arguments.items()
        part = {name: taken(x, self.axes(name), {axis: kept, **also}) for name, x in given}
        return Call(self.system, part, self.reverse)

    def flipped(self) -> Call:
        """Gives the same recurrence in the other direction of time."""
        return replace(self.take("time", slice(None, None, -1)), reverse=not self.reverse)


def kinds_of(dtype: str) -> dict[str, str]:
    """The dtype name of each kind of number under a declared dtype."""
    real = {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)
    return {
        "declared": dtype,
        "real": real,
        "complex": "complex128" if real == "float64" else "complex64",
    }


def wide(x: Array) -> Array:
    """Widens floats of a format that can be declared to float64, exactly, in their shape (...).

    Complex ones become complex128, and all other numbers stay as they are.
    """
    if x.dtype.kind == "O" or x.dtype in (np.longdouble, np.clongdouble):
        return x
    return x.astype(np.complex128 if np.iscomplexobj(x) else np.float64)

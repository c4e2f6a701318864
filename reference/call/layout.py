"""How the caller has the arrays of one call: sizes of named axes, and missing ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from scanproof.reference.call.system import System
from scanproof.reference.numbers.exponential import Array


class Layout(NamedTuple):
    """How the caller has the arrays of one call: the size of every axis and who fixed it."""

    sizes: Mapping[str, tuple[int, str]]
    batched: bool
    bidirectional: bool

    def axes(self, names: str) -> list[str]:
        """Names the axes of an array as the caller has it."""
        return [name.strip("[]") for name in names.split() if not self.missing(name)]

    def missing(self, name: str) -> bool:
        """Tells whether an axis in brackets is missing in this call."""
        return (name == "[batch]" and not self.batched) or (
            name == "[directions]" and not self.bidirectional
        )

    def shape(self, names: str) -> tuple[int, ...]:
        """The shape that these axes have in this call."""
        return tuple(self.sizes[axis][0] for axis in self.axes(names))


def layout_of(system: System, arguments: Mapping[str, Array]) -> Layout:
    """Finds the sizes of all axes of a call, whose arrays have shapes (...) of the system's table.

    Raises:
        ValueError: an argument that does not fit; the line names it and the axis.
    """
    bidirectional = any(system.argument[name].second for name in arguments)
    batched = _batched(system, arguments)
    layout = Layout({}, batched, bidirectional)
    chosen = {
        name: chosen_axes(system.argument[name].axes, np.ndim(x), layout, name, x)
        for name, x in arguments.items()
    }
    known: dict[str, tuple[int, str]] = (
        {"directions": (2, "two directions")} if bidirectional else {}
    )
    fixing = sorted(arguments, key=lambda name: "|" in system.argument[name].axes)
    for name in fixing:
        for axis, size in zip(layout.axes(chosen[name]), np.shape(arguments[name]), strict=True):
            known.setdefault(axis, (size, name))
    known |= system.derive({axis: size for axis, (size, _) in known.items()})
    for name in fixing:
        _check_shape(name, np.shape(arguments[name]), layout.axes(chosen[name]), known)
    return Layout(known, batched, bidirectional)


def _batched(system: System, arguments: Mapping[str, Array]) -> bool:
    """Whether the caller has a batch axis: the first input tells."""
    for each in system.arguments:
        if each.role != "input" or "[batch]" not in each.axes or each.name not in arguments:
            continue
        full, ndim = each.axes.split(), np.ndim(arguments[each.name])
        if ndim not in (len(full), len(full) - 1):
            shapes = [", ".join(name.strip("[]") for name in names) for names in (full, full[1:])]
            found = np.shape(arguments[each.name])
            raise ValueError(
                f"{each.name}: found shape {found}, expected ({shapes[0]}) or ({shapes[1]})"
            )
        return ndim == len(full)
    return True


def chosen_axes(spec: str, ndim: int, layout: Layout, name: str = "", x: Any = None) -> str:
    """Finds the choice of axes that fits the number of axes of an array.

    Args:
        spec: choices as the system's table writes them, with bars between them.
        ndim: the number of axes of the array x; name and x are for the message only.

    Raises:
        ValueError: no choice fits.
    """
    choices = [choice.strip() for choice in spec.split("|")]
    for choice in choices:
        if len(layout.axes(choice)) == ndim:
            return choice
    expected = " or ".join(f"({', '.join(layout.axes(choice))})" for choice in choices)
    raise ValueError(f"{name}: found shape {np.shape(x)}, expected {expected}")


def _check_shape(
    name: str, shape: tuple[int, ...], axes: list[str], known: Mapping[str, tuple[int, str]]
) -> None:
    for axis, size in zip(axes, shape, strict=True):
        expected, owner = known[axis]
        if size != expected and owner == name:
            raise ValueError(f"{name}: found shape {shape}, expected ({', '.join(axes)})")
        if size != expected:
            raise ValueError(
                f"{name}: found {axis} {size} in shape {shape}, expected {axis} {expected} as in "
                f"{owner}"
            )


def entered(axes: str, x: Array, layout: Layout) -> Array:
    """Adds to x (...) axes of length 1 where the caller leaves axes out."""
    for place, name in enumerate(axes.split()):
        if layout.missing(name):
            x = np.expand_dims(x, place)
    return x


def taken(x: Array, axes: list[str], kept: Mapping[str, Any]) -> Array:
    """Takes some indices of named axes of x (...), axis by axis.

    Two lists of numbers in one index would be paired by NumPy.
    """
    for place, axis in enumerate(axes):
        if axis in kept:
            x = x[(slice(None),) * place + (kept[axis],)]
    return x

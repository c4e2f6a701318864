"""What layers share: one direction or two, arrays in the order of a scan, sums as matrix products.

A layer of two directions scans the same inputs forwards and backwards, each from its own initial
state. Inside a layer, inputs have a batch axis and states an axis of directions.

    symbol    meaning                                       shape
    u         inputs                                        (batch, time, width)
    h0        states before the first step of each scan     (batch, directions, state...)
    h         all states                                    (batch, time, directions, state...)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np

from scanproof.reference.numbers import namespace
from scanproof.reference.numbers.exponential import Array

Params = TypeVar("Params")


def finite_exp(name: str, x: Array) -> Array:
    """Computes exp(x), elementwise in the shape of x.

    Raises:
        ValueError: a number whose exp overflows, or rounds to zero; the line names the first.
    """
    with np.errstate(over="ignore", under="ignore"):
        result: Array = namespace.of(x).exp(x)
    for where in np.argwhere(
        ~namespace.of(x).valid(result).astype(bool) | (result == 0).astype(bool)
    )[:1]:
        index = tuple(map(int, where))
        raise ValueError(
            f"{name}: found {x[index]} at index {index}, whose exp is {result[index]}; expected "
            "finite and positive"
        )
    return result


def backwards(direction: int, reverse: bool) -> bool:
    """Tells whether a scan runs from the last step to the first.

    The second direction (direction 1) does what the first does not.

    Raises:
        TypeError: reverse is neither True nor False.
    """
    if not isinstance(reverse, bool | np.bool_):
        raise TypeError(f"reverse: found {type(reverse).__name__}, expected True or False")
    return reverse != (direction == 1)


def in_time(x: Array, flip: bool) -> Array:
    """Puts x (batch, time, ...) into the order in which a scan meets it: flipped, or as it is."""
    return x[:, ::-1] if flip else x


def rows(x: Array) -> Array:
    """Joins batch and time, (batch, time, n) -> (batch * time, n): sums become matrix products."""
    return x.reshape(-1, x.shape[-1])


def mapped(params: Any, function: Any) -> Any:
    """Gives the same parameters with `function` applied to every array, each in its shape (...).

    `namespace.balls().lift`, for example, lifts them to exact numbers.
    """
    values = {f.name: getattr(params, f.name) for f in fields(params)}
    return type(params)(
        **{name: None if value is None else function(value) for name, value in values.items()}
    )


def last(h: Any, reverse: bool) -> Any:
    """Takes the states after the last step of each direction.

    Args:
        h: (batch, time, directions, state...)
        reverse: whether the first direction runs backwards.

    Returns:
        (batch, directions, state...)
    """
    ends = [h[:, 0 if backwards(d, reverse) else -1, d] for d in range(h.shape[2])]
    return np.stack(ends, 1)


def gathered(kind: type[Params], arguments: Mapping[str, Any]) -> Params:
    """Collects the parameters of this kind among the arguments of a call, in their shapes (...)."""
    names = (f.name for f in fields(kind))  # type: ignore[arg-type]
    return kind(**{name: arguments[name] for name in names if name in arguments})


def named(params: Any) -> dict[str, Any]:
    """Gives the parameters by name, without those that are None."""
    return {
        f.name: getattr(params, f.name)
        for f in fields(params)
        if getattr(params, f.name) is not None
    }

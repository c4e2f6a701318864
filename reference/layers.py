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
    """exp(x), which must neither overflow nor round to zero."""
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
    """Whether a scan runs from the last step to the first: the second direction does what the first
    does not.

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
    """The same parameters with every array changed, for example lifted to exact numbers by
    `namespace.balls().lift`."""
    values = {f.name: getattr(params, f.name) for f in fields(params)}
    return type(params)(
        **{name: None if value is None else function(value) for name, value in values.items()}
    )


def last(h: Any, reverse: bool) -> Any:
    """The states after the last step of each direction. (batch, time, directions, state...) ->
    (batch, directions, state...)"""
    ends = [h[:, 0 if backwards(d, reverse) else -1, d] for d in range(h.shape[2])]
    return np.stack(ends, 1)


def gathered(kind: type[Params], arguments: Mapping[str, Any]) -> Params:
    """The parameters among the arguments of a call."""
    names = (f.name for f in fields(kind))  # type: ignore[arg-type]
    return kind(**{name: arguments[name] for name in names if name in arguments})


def named(params: Any) -> dict[str, Any]:
    """The parameters that there are, by name."""
    return {
        f.name: getattr(params, f.name)
        for f in fields(params)
        if getattr(params, f.name) is not None
    }

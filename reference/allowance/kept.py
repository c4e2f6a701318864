"""Answers that are kept: a search asks every implementation the same small calls.

What is proved of a call does not depend on what an implementation returned, so it is worked out
once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import lru_cache, update_wrapper
from typing import Any, TypeVar

import numpy as np

from scanproof.reference.call import Call
from scanproof.reference.inputs import Array, Inputs

Answer = TypeVar("Answer")
ANSWERS = 1024  # of each function
LARGEST = 2**15  # bytes of the arrays of one question: larger ones are rarely asked twice


class _Question:
    """Arguments, equal to others where all of them are: arrays bit by bit, as they are now."""

    def __init__(self, *asked: Any) -> None:
        self.asked = asked
        self.key = tuple(map(_key, asked))
        self.hash = hash(self.key)

    def __hash__(self) -> int:
        return self.hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Question) and self.key == other.key


def kept(function: Callable[..., Answer]) -> Callable[..., Answer]:
    """Makes a pure function of calls, inputs and declarations keep its last answers to small ones.

    Its answers cannot be changed. None may hold the arrays that were asked about, since those
    belong to the caller, who may change them.
    """

    def answer(question: _Question) -> Answer:
        found = function(*question.asked)
        _seal(found)
        return found

    answers = lru_cache(ANSWERS)(answer)

    def ask(*asked: Any) -> Answer:
        small = sum(array.nbytes for x in asked for array in _arrays(x)) <= LARGEST
        return answers(_Question(*asked)) if small else function(*asked)

    return update_wrapper(ask, function)


def _arrays(x: Any) -> tuple[Array, ...]:
    if isinstance(x, Call):
        return tuple(x.arguments.values())
    if isinstance(x, Inputs):
        return (x.lam, x.b) if x.h0 is None else (x.lam, x.b, x.h0)
    return ()


def _key(x: Any) -> Any:
    arrays = tuple((each.dtype, each.shape, each.tobytes()) for each in _arrays(x))
    if isinstance(x, Call):
        return x.system, tuple(x.arguments), arrays, x.reverse
    return (arrays, x.reverse) if isinstance(x, Inputs) else x


def _seal(x: Any) -> None:
    """Makes every array of an answer read-only."""
    if isinstance(x, np.ndarray):
        x.flags.writeable = False
    elif is_dataclass(x):
        _seal([getattr(x, each.name) for each in fields(x)])
    elif isinstance(x, dict | tuple | list):
        for each in x.values() if isinstance(x, dict) else x:
            _seal(each)

"""What `verify` checks: one implementation, and all those of one system."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any, NamedTuple

from scanproof.properties.domain import Domain
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Array

Arguments = dict[str, Array]


class Subject(NamedTuple):
    """An implementation to check: what it is, how to call it, what it declares, of which system.

    needs: a package without which it cannot run.
    finding: what is known to be wrong with it, so that it must come out `outside`.
    slow: it takes too long for `verify`; tests ask it less.
    """

    name: str
    target: str
    arithmetic: Arithmetic
    system: str
    ours: bool = False
    domain: Domain = Domain()
    needs: str | None = None
    finding: str = ""
    slow: bool = False

    @property
    def missing(self) -> str | None:
        """Why this cannot run here, or None."""
        return missing(self.needs)


def missing(package: str | None) -> str | None:
    """Why what needs this package cannot run here, or None."""
    absent = package is not None and importlib.util.find_spec(package) is None
    return f"{package} is not installed (make peers)" if absent else None


class Growing(NamedTuple):
    """One channel whose error is followed over time: its modulus, and its arguments from a
    declaration and a seed, (1, time, 1)."""

    modulus: float
    arguments: Callable[[Arithmetic, int], Arguments]


class Peers(NamedTuple):
    """The implementations of one system, and what they are asked beside the laws.

    share: of so many cases that are asked for, a search tries one.
    recorded: arguments driven by a recording (batch, time, channels), in a declared format; None
        where nothing can be driven.
    informs: whether allowances tell something about recordings, so that `undecided` is a fault.
    """

    system: str
    subjects: tuple[Subject, ...]
    share: int = 1
    recorded: Callable[[Array, Arithmetic], Arguments] | None = None
    informs: bool = False
    growth: Growing | None = None

    def decided(self, arithmetic: Arithmetic) -> bool:
        """Whether recordings must be decided; of few bits only integer cases are."""
        return self.informs and not arithmetic.coarse


def each(
    system: str, name: str, target: str, *declared: Arithmetic, **more: Any
) -> tuple[Subject, ...]:
    """One implementation under several declarations; more: what Subject takes."""
    return tuple(Subject(name, target, arithmetic, system, **more) for arithmetic in declared)


def sequential(dtype: Any, **words: Any) -> Arithmetic:
    """Step after step, and each step reads the state that is printed."""
    return Arithmetic(dtype, order="sequential", store="step", **words)

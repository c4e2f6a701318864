"""A system as a table of arguments and results, with its equations.

    word    meaning
    axes    names of axes: "time width"; a bracket marks an axis that may be missing,
            a bar another choice of axes
    role    parameter (no time axis), input (drives the state), gate (sets the transition),
            readout (reads the state), state (the initial one), cotangent (of a result, for
            gradients)
    kind    the numbers of an array: "declared" (the declared dtype itself), "real" (its
            components), "complex"
    inside  an array as the equations see it: with a batch axis, and with an axis of directions
            where states have one

Two axes have a meaning of their own. `batch` may be missing, then it is missing everywhere.
`directions` is there only if the parameters of a second direction are given: such a system scans
the same inputs forwards and backwards. `reverse` is the one argument that is no array: the
recurrence runs from the last step to the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

ROLES = ("parameter", "input", "gate", "readout", "state", "cotangent")
KINDS = ("declared", "real", "complex")
FREE = ("batch", "directions")  # axes of results that no argument needs to fix


@dataclass(frozen=True)
class Argument:
    """An argument of a system; `kinds` are the numbers that it may hold, its gradient has the
    first.

    of: of a cotangent, the result that it belongs to; second: whether it is a parameter of the
    second direction; linear: whether results are linear in it, together with the others that say
    so.
    """

    name: str
    axes: str
    role: str
    kinds: tuple[str, ...] = ("real",)
    meaning: str = ""
    optional: bool = False
    of: str | None = None
    second: bool = False
    linear: bool = False


@dataclass(frozen=True)
class Result:
    """A result; state: the argument whose later values it holds, all of them over time, or the last
    one without that axis."""

    name: str
    axes: str
    kind: str = "real"
    meaning: str = ""
    state: str | None = None

    @property
    def timed(self) -> bool:
        """Whether it has a time axis."""
        return "time" in self.axes.split()


@dataclass(frozen=True, eq=False)
class System:
    """A linear recurrence: its arguments and results, its equations, and what is known of its
    transition.

    constants: from the arguments, inside, to a named tuple of what the recurrence is made of.
    run: from these constants, the arguments and `reverse` to the results by name, inside.
    pull_back: from the arguments, the cotangents of results by name and `reverse` to gradients by
    argument, inside.
    carry: the constant without which nothing is carried from step to step.
    exposed: constants that an implementation may return beside its results (docs/layers.md).
    derive: sizes of axes that follow from others, with the words that say how; raises ValueError
    for sizes that do not fit.
    check: raises ValueError for values that the equations do not take.
    unmodelled: why no allowance is known for a declaration, or None; assumes: whether it rests on
    assumed constants.
    features: what a declaration may speak of, beside what every system has (word.Word.feature).
    changes: the words that an explanation of a failure may change, all when empty.
    window: the part of a call that holds a failing element, judged from printed states, as a call
    of its own.
    independent: an axis whose elements do not meet, so that long calls can be judged in strips of
    it.
    theory: truth and allowance by means of its own; by the reference on allowance elements when
    None (certificate.py).
    equation: the equations in one line, for programs in other languages.

    Raises:
        ValueError: a table that does not fit together, in one line.
    """

    name: str
    title: str
    arguments: tuple[Argument, ...]
    results: tuple[Result, ...]
    constants: Callable[[Mapping[str, Any]], Any]
    run: Callable[[Any, Mapping[str, Any], bool], dict[str, Any]]
    equation: str
    pull_back: Callable[[Mapping[str, Any], Mapping[str, Any], bool], dict[str, Any]] | None = None
    carry: str | None = None
    exposed: tuple[str, ...] = ()
    derive: Callable[[Mapping[str, int]], dict[str, tuple[int, str]]] = lambda sizes: {}
    check: Callable[[Mapping[str, Any]], None] = lambda arguments: None
    unmodelled: Callable[[Any], str | None] = lambda arithmetic: None
    assumes: Callable[[Any], bool] = lambda arithmetic: True
    features: frozenset[str] = frozenset()
    changes: frozenset[str] = frozenset()
    window: Callable[..., Any] | None = None
    dtypes: tuple[str, ...] = ("float16", "bfloat16", "float32", "float64")
    independent: str | None = None
    theory: Any = None

    def __post_init__(self) -> None:
        for fault in _table_faults(self):
            raise ValueError(f"system {self.name}: {fault}")

    @cached_property
    def argument(self) -> dict[str, Argument]:
        """The arguments by name."""
        return {each.name: each for each in self.arguments}

    @cached_property
    def result(self) -> dict[str, Result]:
        """The results by name; an implementation may return the first one alone."""
        return {each.name: each for each in self.results}

    def named(self, *roles: str) -> tuple[str, ...]:
        """Names the arguments of these roles."""
        return tuple(each.name for each in self.arguments if each.role in roles)

    @property
    def required(self) -> frozenset[str]:
        """The keywords without which nothing can be called."""
        return frozenset(each.name for each in self.arguments if not each.optional)

    @property
    def timed(self) -> bool:
        """Whether there is a time axis, so that `reverse` means something."""
        return any("time" in each.axes for each in self.arguments)

    @property
    def keywords(self) -> tuple[str, ...]:
        """The names that a call may use, `reverse` included."""
        return (*self.argument, *(["reverse"] if self.timed else []))

    @property
    def gradients(self) -> tuple[str, ...]:
        """The arguments that have gradients."""
        return (
            tuple(each.name for each in self.arguments if each.role != "cotangent")
            if self.pull_back
            else ()
        )


def _table_faults(system: System) -> Iterable[str]:
    """What does not fit together in the table of a system."""
    states, results = system.named("state"), {each.name for each in system.results}
    fixed = {axis for each in system.arguments if not each.optional for axis in _names(each.axes)}
    for each in system.arguments:
        if each.role not in ROLES:
            yield (f"argument {each.name}: found role {each.role!r}, expected one of "
                   f"{', '.join(ROLES)}")
        if each.role == "cotangent" and each.of not in results:
            yield (f"argument {each.name}: found a cotangent of {each.of}, expected one of "
                   f"{', '.join(results)}")
        if not set(each.kinds) <= set(KINDS):
            yield (f"argument {each.name}: found kinds {each.kinds}, expected some of "
                   f"{', '.join(KINDS)}")
    derived = set(system.derive(dict.fromkeys(fixed, 2)))
    entries: tuple[Argument | Result, ...] = (*system.arguments, *system.results)
    for entry in entries:
        loose = [axis for axis in _names(entry.axes) if axis not in fixed | derived | set(FREE)]
        if loose:
            yield f"{entry.name}: found axis {loose[0]}, which no required argument fixes"
    for result in system.results:
        if result.state is not None and result.state not in states:
            yield (f"result {result.name}: found state {result.state}, expected one of "
                   f"{', '.join(states) or 'none'}")


def _names(axes: str) -> list[str]:
    return axes.replace("|", " ").replace("[", " ").replace("]", " ").split()

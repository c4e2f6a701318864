"""A system as a table of arguments and results, and one call of it, checked once and then passed around whole.

    word        meaning
    axes        names of axes: "time width"; a bracket marks an axis that may be missing, a bar another choice of axes
    role        parameter (no time axis), input (drives the state), gate (sets the transition), readout (reads the state),
                state (the initial one), cotangent (of a result, for gradients)
    kind        the numbers of an array: "declared" (the declared dtype itself), "real" (its components), "complex"
    inside      an array as the equations see it: with a batch axis, and with an axis of directions where states have one

Two axes have a meaning of their own. `batch` may be missing, then it is missing everywhere. `directions` is there only if
the parameters of a second direction are given: such a system scans the same inputs forwards and backwards.
`reverse` is the one argument that is no array: the recurrence runs from the last step to the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from scanproof.reference.numbers import namespace
from scanproof.reference.numbers.exponential import Array

ROLES = ("parameter", "input", "gate", "readout", "state", "cotangent")
KINDS = ("declared", "real", "complex")
NATIVE = ("float16", "float32", "float64")  # NumPy computes in them, and may refuse what float64 would not
FREE = ("batch", "directions")  # axes of results that no argument needs to fix
Form = tuple[tuple[int, ...], str]  # shape and dtype name


@dataclass(frozen=True)
class Argument:
    """An argument of a system; `kinds` are the numbers that it may hold, its gradient has the first.

    of: of a cotangent, the result that it belongs to; second: whether it is a parameter of the second direction;
    linear: whether results are linear in it, together with the others that say so.
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
    """A result; state: the argument whose later values it holds, all of them over time, or the last one without that axis."""

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
    """A linear recurrence: its arguments and results, its equations, and what is known of its transition.

    constants: from the arguments, inside, to a named tuple of what the recurrence is made of.
    run: from these constants, the arguments and `reverse` to the results by name, inside.
    pull_back: from the arguments, the cotangents of results by name and `reverse` to gradients by argument, inside.
    carry: the constant without which nothing is carried from step to step.
    shown: constants that an implementation may show (docs/layers.md).
    derive: sizes of axes that follow from others, with the words that say how; raises ValueError for sizes that do not fit.
    check: raises ValueError for values that the equations do not take.
    unmodelled: why no allowance is known for a declaration, or None; assumes: whether it rests on assumed constants.
    features: what a declaration may speak of, beside what every system has (word.Word.feature).
    changes: the words that an explanation of a failure may change, all when empty.
    window: the part of a call that holds a failing element, judged from printed states, as a call of its own.
    independent: an axis whose elements do not meet, so that long calls can be judged in strips of it.
    theory: truth and allowance by means of its own; by the reference on allowance elements when None (certificate.py).
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
    shown: tuple[str, ...] = ()
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
        """The results by name; the first is the one that an implementation may return alone."""
        return {each.name: each for each in self.results}

    def named(self, *roles: str) -> tuple[str, ...]:
        """Names of the arguments of these roles."""
        return tuple(each.name for each in self.arguments if each.role in roles)

    @property
    def required(self) -> frozenset[str]:
        """Keywords without which nothing can be called."""
        return frozenset(each.name for each in self.arguments if not each.optional)

    @property
    def timed(self) -> bool:
        """Whether there is a time axis, so that `reverse` means something."""
        return any("time" in each.axes for each in self.arguments)

    @property
    def keywords(self) -> tuple[str, ...]:
        """Everything that a call may name, `reverse` included."""
        return (*self.argument, *(["reverse"] if self.timed else []))

    @property
    def gradients(self) -> tuple[str, ...]:
        """The arguments that have gradients."""
        return tuple(each.name for each in self.arguments if each.role != "cotangent") if self.pull_back else ()


def _table_faults(system: System) -> Iterable[str]:
    """What does not fit together in the table of a system."""
    states, results = system.named("state"), {each.name for each in system.results}
    fixed = {axis for each in system.arguments if not each.optional for axis in _names(each.axes)}
    for each in system.arguments:
        if each.role not in ROLES:
            yield f"argument {each.name}: found role {each.role!r}, expected one of {', '.join(ROLES)}"
        if each.role == "cotangent" and each.of not in results:
            yield f"argument {each.name}: found a cotangent of {each.of}, expected one of {', '.join(results)}"
        if not set(each.kinds) <= set(KINDS):
            yield f"argument {each.name}: found kinds {each.kinds}, expected some of {', '.join(KINDS)}"
    derived = set(system.derive(dict.fromkeys(fixed, 2)))
    entries: tuple[Argument | Result, ...] = (*system.arguments, *system.results)
    for entry in entries:
        loose = [axis for axis in _names(entry.axes) if axis not in fixed | derived | set(FREE)]
        if loose:
            yield f"{entry.name}: found axis {loose[0]}, which no required argument fixes"
    for result in system.results:
        if result.state is not None and result.state not in states:
            yield f"result {result.name}: found state {result.state}, expected one of {', '.join(states) or 'none'}"


def _names(axes: str) -> list[str]:
    return axes.replace("|", " ").replace("[", " ").replace("]", " ").split()


class Layout(NamedTuple):
    """How the caller has the arrays of one call: the size of every axis and who fixed it."""

    sizes: Mapping[str, tuple[int, str]]
    batched: bool
    bidirectional: bool

    def axes(self, names: str) -> list[str]:
        """The named axes of an array as the caller has it."""
        return [name.strip("[]") for name in names.split() if not self.missing(name)]

    def missing(self, name: str) -> bool:
        """Whether an axis in brackets is missing in this call."""
        return (name == "[batch]" and not self.batched) or (name == "[directions]" and not self.bidirectional)

    def shape(self, names: str) -> tuple[int, ...]:
        """The shape that these axes have in this call."""
        return tuple(self.sizes[axis][0] for axis in self.axes(names))


@dataclass(frozen=True, eq=False)
class Call:
    """The arguments of one call, named as the system names them; made by `called`, which checks them."""

    system: System
    arguments: Mapping[str, Array]
    reverse: bool = False
    checked: bool = field(default=False, repr=False)

    def __getitem__(self, name: str) -> Array:
        return self.arguments[name]

    def get(self, name: str) -> Array | None:
        """An argument, None where it was not given."""
        return self.arguments.get(name)

    def but(self, **changes: Any) -> Call:
        """The same call with other arguments, `reverse` among them; None for an optional one that is left out."""
        reverse = changes.pop("reverse", self.reverse)
        merged = {**self.arguments, **changes}
        ordered = {name: merged[name] for name in self.system.argument if merged.get(name) is not None}
        return Call(self.system, ordered, reverse)

    @cached_property
    def layout(self) -> Layout:
        """Sizes of axes. Raises TypeError or ValueError where shapes do not fit each other."""
        return _layout(self.system, self.arguments)

    def size(self, axis: str, absent: int = 1) -> int:
        """The size of a named axis."""
        return self.layout.sizes[axis][0] if axis in self.layout.sizes else absent

    def axes(self, name: str) -> list[str]:
        """The named axes of an argument as the caller has it."""
        return self.layout.axes(_chosen(self.system.argument[name].axes, np.ndim(self.arguments[name]), self.layout))

    def keywords(self) -> dict[str, Any]:
        """As an implementation is called: copies, and only the optional arguments that are used."""
        copies: dict[str, Any] = {name: x.copy() for name, x in self.arguments.items()}
        return copies | ({"reverse": True} if self.reverse else {})

    def described(self) -> str:
        """Its shapes, in one line."""
        needed = self.system.required | set(self.system.named("parameter"))
        shapes = ", ".join(f"{name} {x.shape}" for name, x in self.arguments.items() if name in needed)
        optional = [name for name in self.arguments if name not in needed] + ["reverse"] * self.reverse
        return shapes + (f" with {' and '.join(optional)}" if optional else "")

    @cached_property
    def wide(self) -> dict[str, Array]:
        """The arguments in float64, which holds every number of the formats that can be declared."""
        return {name: self._widened(name, x) for name, x in self.arguments.items()}

    def _widened(self, name: str, x: Array) -> Array:
        """Real numbers of complex states are complex ones, too."""
        complex_first = self.system.argument[name].kinds[0] == "complex" and x.dtype.kind != "O"
        return wide(x) + 0j if complex_first else wide(x)

    def inside(self, arrays: Mapping[str, Array]) -> dict[str, Any]:
        """Arguments as the equations see them, with zeros for initial states that were not given."""
        entered = {name: self.enter(name, x) for name, x in arrays.items()}
        first = next(iter(arrays.values()))
        for each in self.system.arguments:
            if each.role == "state" and each.name not in entered:
                entered[each.name] = self.enter(each.name, self._nothing(each, first.dtype))
        return entered

    def _nothing(self, state: Argument, dtype: np.dtype[Any]) -> Array:
        number = np.result_type(dtype, np.complex64) if state.kinds[0] == "complex" and dtype.kind != "O" else dtype
        return np.zeros(self.layout.shape(state.axes), number)

    def enter(self, name: str, x: Array) -> Array:
        """An argument with the axes that the caller leaves out."""
        return _entered(_chosen(self.system.argument[name].axes, x.ndim, self.layout), x, self.layout)

    def leave(self, axes: str, x: Any) -> Any:
        """An array as the caller has it: without the axes that are missing in this call."""
        places = [i for i, name in enumerate(axes.split()) if self.layout.missing(name)]
        for place in reversed(places):
            x = x.squeeze(place)
        return x

    def axes_of(self, result: str) -> str:
        """The axes of a result, or of a gradient."""
        kind, _, name = result.partition(" ")
        if kind != "gradient":
            return self.system.result[kind].axes
        given = self.arguments.get(name)
        spec = self.system.argument[name].axes
        return _chosen(spec, given.ndim, self.layout) if given is not None else spec

    def time_axis(self, result: str) -> int | None:
        """Where the time axis of a result is, None for one that has none."""
        names = self.layout.axes(self.axes_of(result)) if result.split(" ")[0] in self.system.result else []
        return names.index("time") if "time" in names else None

    def expected(self, dtype: str) -> dict[str, Form]:
        """Shape and dtype of every result and gradient."""
        kinds, layout = kinds_of(dtype), self.layout
        found = {each.name: (layout.shape(each.axes), kinds[each.kind]) for each in self.system.results}
        given = [name for name in self.system.gradients if name in self.arguments or name in self.system.named("state")]
        for name in given:
            argument = self.system.argument[name]
            found[f"gradient {name}"] = layout.shape(self.axes_of(f"gradient {name}")), kinds[argument.kinds[0]]
        return found

    def expected_constants(self, dtype: str) -> dict[str, Form]:
        """Shape and dtype of every constant that may be shown."""
        k, kinds = self.system.constants(self.inside(self.wide)), kinds_of(dtype)
        shown = {name: getattr(k, name) for name in self.system.shown}
        return {
            f"constant {name}": (x.shape, kinds["complex" if np.iscomplexobj(x) else "real"])
            for name, x in shown.items()
        }

    def cotangents(self) -> dict[str, Array]:
        """The cotangents that were given, by the result that they belong to."""
        named = {name: self.system.argument[name].of for name in self.arguments}
        return {str(of): self.arguments[name] for name, of in named.items() if of}

    def take(self, axis: str, kept: Any) -> Call:
        """The call with some indices of a named axis: a slice or an array of numbers."""
        taken = {name: _take(x, self.axes(name), {axis: kept}) for name, x in self.arguments.items()}
        return Call(self.system, taken, self.reverse)

    def flipped(self) -> Call:
        """The same recurrence in the other direction of time."""
        return replace(self.take("time", slice(None, None, -1)), reverse=not self.reverse)


def called(system: System, arguments: Mapping[str, Any], dtype: str | None = None) -> Call:
    """A call of a system, checked.

    Args:
        system: the table of arguments.
        arguments: arrays by name, `reverse` included; parameters also as one mapping, or one object with such fields, `params`.
        dtype: the declared format of the numbers; any kind of number that the reference runs on when None.

    Raises:
        TypeError, ValueError: one line naming the argument, what was found and what was expected.
    """
    named = _flat(system, arguments)
    reverse = named.pop("reverse", False) if system.timed else False
    if not isinstance(reverse, bool | np.bool_):
        raise TypeError(f"reverse: found {' '.join(repr(reverse).split())}, expected True or False")
    _check_names(system, named)
    ordered = {each.name: named[each.name] for each in system.arguments if named.get(each.name) is not None}
    for name, x in ordered.items():
        if not isinstance(x, np.ndarray):
            raise TypeError(f"{name}: found {type(x).__name__}, expected a NumPy array")
        if x.size == 0:
            raise ValueError(f"{name}: found shape {x.shape}, expected no empty axis")
    if dtype is None:
        _check_kinds(system, ordered)
    else:
        _check_dtypes(system, ordered, dtype)
    call = Call(system, ordered, bool(reverse), checked=True)
    call.layout  # noqa: B018  checks shapes
    _check_values(system, ordered)
    with np.errstate(all="ignore"):
        system.check(call.inside(call.arguments if dtype is None or dtype in NATIVE else call.wide))
    return call


def _flat(system: System, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments by name, with those of `params` among them."""
    named = dict(arguments)
    params = named.pop("params", None) if system.named("parameter") else None
    if params is None:
        return named
    if isinstance(params, Mapping):
        inner = dict(params)
    elif hasattr(params, "__dict__"):
        inner = {name: x for name, x in vars(params).items() if x is not None}
    else:
        expected = f"a mapping of {', '.join(system.named('parameter'))}"
        raise TypeError(f"params: found {type(params).__name__}, expected {expected}")
    twice = [name for name in inner if name in named]
    if twice:
        raise TypeError(f"{twice[0]}: found in params and as a keyword, expected one of them")
    return inner | named


def _check_names(system: System, named: Mapping[str, Any]) -> None:
    """Raises TypeError for arguments that are missing or unknown."""
    needed = [each.name for each in system.arguments if not each.optional]
    missing = [name for name in needed if named.get(name) is None]
    wrong = [name for name in named if name not in system.argument] + missing
    if wrong:
        more = [name for name in system.keywords if name not in needed]
        found = "another argument" if wrong[0] in named and named[wrong[0]] is not None else "none"
        tail = f" and at most {', '.join(more)}" if more else ""
        raise TypeError(f"{wrong[0]}: found {found}, expected {', '.join(needed)}{tail}")
    second = [each.name for each in system.arguments if each.second]
    absent = [name for name in second if named.get(name) is None]
    if absent and len(absent) < len(second):
        given = next(name for name in second if name not in absent)
        raise ValueError(f"{absent[0]}: found None, expected an array, because {given} is one")


def _check_dtypes(system: System, arguments: Mapping[str, Array], dtype: str) -> None:
    kinds = kinds_of(dtype)
    for name, x in arguments.items():
        allowed = tuple(dict.fromkeys(kinds[kind] for kind in system.argument[name].kinds))
        if allowed[0].startswith("complex") and "complex" in system.argument[name].kinds:
            allowed = (*allowed, kinds["real"])[:2]
        if x.dtype.name not in allowed or not x.dtype.isnative:
            found = x.dtype.name if x.dtype.isnative else f"{x.dtype.name} in foreign byte order"
            expected = " or ".join(dict.fromkeys(allowed))
            raise TypeError(f"{name}: found dtype {found}, expected {expected} as declared; convert it explicitly")


def _check_kinds(system: System, arguments: Mapping[str, Array]) -> None:
    """Raises TypeError for numbers of two kinds, or complex ones where real ones belong."""
    first, owner = "", ""
    for name, x in arguments.items():
        complex_too = system.argument[name].kinds != ("real",)
        try:
            kind = namespace.of(x).kind
        except TypeError as error:
            raise TypeError(f"{name}: {error}") from None
        if x.dtype.kind == "c" and not complex_too:
            raise TypeError(f"{name}: found dtype {x.dtype}, expected real numbers")
        first, owner = (first, owner) if first else (kind, name)
        if kind != first and not (complex_too and (first, kind) == ("float16", "float32")):
            expected = f"{first} as in {owner}; convert them explicitly"
            raise TypeError(f"{name}: found numbers of kind {kind}, expected {expected}")


def _check_values(system: System, arguments: Mapping[str, Array]) -> None:
    """Raises ValueError for numbers that are not finite, or not real where they should be."""
    for name, x in arguments.items():
        numbers, checked = namespace.of(wide(x)), wide(x)
        complex_too = system.argument[name].kinds != ("real",)
        parts = (numbers.real(checked), numbers.imag(checked)) if complex_too else (checked,)
        for part in parts:
            for where in np.argwhere(~numbers.valid(part).astype(bool))[:1]:
                index = tuple(map(int, where))
                real = "" if complex_too else "real "
                raise ValueError(f"{name}: found {x[index]} at index {index}, expected finite {real}numbers")


def _layout(system: System, arguments: Mapping[str, Array]) -> Layout:
    """The sizes of all axes. Raises ValueError, naming the argument and the axis that does not fit."""
    bidirectional = any(system.argument[name].second for name in arguments)
    batched = _batched(system, arguments)
    layout = Layout({}, batched, bidirectional)
    chosen = {name: _chosen(system.argument[name].axes, np.ndim(x), layout, name, x) for name, x in arguments.items()}
    known: dict[str, tuple[int, str]] = {"directions": (2, "two directions")} if bidirectional else {}
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
            raise ValueError(f"{each.name}: found shape {found}, expected ({shapes[0]}) or ({shapes[1]})")
        return ndim == len(full)
    return True


def _chosen(spec: str, ndim: int, layout: Layout, name: str = "", x: Any = None) -> str:
    """The choice of axes that fits the number of axes of an array. Raises ValueError where none does."""
    choices = [choice.strip() for choice in spec.split("|")]
    for choice in choices:
        if len(layout.axes(choice)) == ndim:
            return choice
    expected = " or ".join(f"({', '.join(layout.axes(choice))})" for choice in choices)
    raise ValueError(f"{name}: found shape {np.shape(x)}, expected {expected}")


def _check_shape(name: str, shape: tuple[int, ...], axes: list[str], known: Mapping[str, tuple[int, str]]) -> None:
    for axis, size in zip(axes, shape, strict=True):
        expected, owner = known[axis]
        if size != expected and owner == name:
            raise ValueError(f"{name}: found shape {shape}, expected ({', '.join(axes)})")
        if size != expected:
            raise ValueError(f"{name}: found {axis} {size} in shape {shape}, expected {axis} {expected} as in {owner}")


def _entered(axes: str, x: Array, layout: Layout) -> Array:
    for place, name in enumerate(axes.split()):
        if layout.missing(name):
            x = np.expand_dims(x, place)
    return x


def _take(x: Array, axes: list[str], kept: Mapping[str, Any]) -> Array:
    """Axis by axis: two lists of numbers in one index would be paired."""
    for place, axis in enumerate(axes):
        if axis in kept:
            x = x[(slice(None),) * place + (kept[axis],)]
    return x


def kinds_of(dtype: str) -> dict[str, str]:
    """The dtype names of the kinds of number under a declared dtype."""
    real = {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)
    return {"declared": dtype, "real": real, "complex": "complex128" if real == "float64" else "complex64"}


def wide(x: Array) -> Array:
    """Floats of a format that can be declared as float64, exactly; other numbers as they are."""
    if x.dtype.kind == "O" or x.dtype in (np.longdouble, np.clongdouble):
        return x
    return x.astype(np.complex128 if np.iscomplexobj(x) else np.float64)


def evaluated(system: System, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The reference itself: every result by name, in whatever arithmetic the arrays have.

    Args, Raises: as `called` without a declared format.
    """
    call = called(system, arguments)
    inside = call.inside(call.arguments)
    found = system.run(system.constants(inside), inside, call.reverse)
    return {name: _real(call, system.result[name].kind, call.leave(system.result[name].axes, x)) for name, x in found.items()}


def _real(call: Call, kind: str, x: Any) -> Any:
    """float16 has no complex type: what is real again after a detour through complex64 is float16 again."""
    first = next(iter(call.arguments.values())).dtype
    return x.astype(first) if kind == "real" and first.kind != "O" else x


def pulled_back(system: System, cotangents: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The exact adjoint: the cotangent of every argument by name, from those of results.

    Args, Raises: as `called` without a declared format; TypeError for a system without an adjoint, or for the cotangent of a
        result that has none.
    """
    if system.pull_back is None:
        raise TypeError(f"system: found {system.name}, which has no adjoint here")
    named = {str(each.of): each.name for each in system.arguments if each.role == "cotangent"}
    unknown = [name for name in cotangents if name not in named]
    if unknown or not cotangents:
        told = unknown[0] if unknown else "none"
        raise TypeError(f"cotangents: found {told}, expected some of {', '.join(named)}")
    call = called(system, {**arguments, **{named[of]: x for of, x in cotangents.items()}})
    inside = call.inside(call.arguments)
    bars = {of: call.enter(named[of], call[named[of]]) for of in cotangents}
    found = system.pull_back(inside, bars, call.reverse)
    left = {name: call.leave(call.axes_of(f"gradient {name}"), x) for name, x in found.items()}
    return {name: _real(call, system.argument[name].kinds[0], x) for name, x in left.items()}

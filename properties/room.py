"""What the search knows of a system beside its table: where to look, and what it must find.

    sizes     size of every axis that a draw chooses, by name
    regime    a word, a flag or a number for every kind of choice, as how near the decay is to 1
    visit     sizes and regime of a call that a law always makes
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from scanproof.properties.domain import LARGEST, Domain
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.call import Call, System, kinds_of
from scanproof.reference.inputs import Array

Sizes = Mapping[str, int]
Changes = dict[str, Array]


class Visit(NamedTuple):
    """A call that a law always makes."""

    sizes: Sizes
    regime: Mapping[str, Any] = {}


class FaultyImplementation(NamedTuple):
    """A deliberately wrong implementation that the search must refute; dtypes: in which it
    shows."""

    name: str
    behaviour: str
    implementation: Callable[..., Any]
    dtypes: tuple[str, ...] = ("float32",)


@dataclass(frozen=True, eq=False)
class Room:
    """The search's side of a system.

    draw: arguments of one case; sparse: as few roundings as possible; two: with the parameters of a
    second direction.
    redraw: other values for the arguments that have a time axis.
    states: initial states that go with a call.
    deck: sizes of this domain, at most so many steps long. regimes: the choices of every regime,
    the first is the usual one.
    visits: what a law always visits. decisive: laws that must have been within.
    axes: which axis each field of a Domain speaks of; others: fields of it that are no sizes.
    multiple: of which the number in `states` is one.
    pulse: values of a single nonzero step; combined: calls whose inputs are sums and multiples of
    each other.
    equivalents, extremes: changes of parameters that leave the function the same, or that lead far
    from where training starts.
    integers: a call whose every state is exact in every bracketing; None where the system has none.
    refuses: a law that this declaration or domain leaves out. reduced: axes of which shrinking
    keeps single indices.
    honest, faults: an implementation by the adapter contract, and wrong ones.
    laws: those of this system alone.
    """

    system: System
    draw: Callable[[Any, bool, bool], Changes]
    redraw: Callable[[Any, Call], Changes]
    deck: Callable[[Domain, int], tuple[Sizes, ...]]
    regimes: Callable[[Arithmetic, Domain], Mapping[str, tuple[Any, ...]]]
    visits: Callable[[str, Domain], tuple[Visit, ...]]
    decisive: Callable[[Arithmetic, Domain], list[str]]
    axes: Mapping[str, str]
    honest: Callable[..., Any]
    faults: Callable[[], tuple[FaultyImplementation, ...]]
    states: Callable[[Any, Call], Changes] | None = None
    others: tuple[str, ...] = ()
    multiple: int = 1
    pulse: Callable[[Array], Array] = lambda x: np.sign(x) + (x == 0)
    combined: Callable[[Any, Call], list[Changes]] | None = None
    equivalents: Callable[[Any, Call], Iterable[Changes]] | None = None
    extremes: Callable[[Any, Call], Iterable[Changes]] | None = None
    integers: Callable[[Any], tuple[Changes, Changes]] | None = None
    refuses: Callable[[str, Arithmetic, Domain], bool] = lambda law, arithmetic, domain: False
    accepts: Callable[[Call, Domain], bool] = lambda call, domain: True
    reduced: tuple[str, ...] = ()
    taken: Callable[[Call, str, list[int]], Call] = lambda call, axis, kept: call.take(axis, kept)
    rounded: tuple[str, ...] = ()
    simpler: Callable[[Call, Domain, tuple[int, ...]], Iterable[Call]] | None = None
    laws: tuple[Any, ...] = ()

    def holds(self, call: Call, domain: Domain) -> bool:
        """Whether a call is in the domain."""
        accepted = {axis: getattr(domain, name) for name, axis in self.axes.items()}
        fits = all(
            numbers is None or call.size(axis) in numbers for axis, numbers in accepted.items()
        )
        return fits and self.accepts(call, domain)

    def fitted(self, domain: Domain) -> Domain:
        """The domain as far as the system has it. Raises ValueError, naming what it has not."""
        for f in fields(domain):
            found = getattr(domain, f.name)
            if found != f.default and f.name not in {*self.axes, *self.others}:
                shown = ",".join(map(str, sorted(found))) if isinstance(found, frozenset) else found
                name = self.system.name
                raise ValueError(
                    f"{f.name}: found {shown} with system {name}, which has no such choice, "
                    "expected none"
                )
        if domain.states is None or not self.system.timed:
            return domain
        states = frozenset(n for n in domain.states if n % self.multiple == 0 and n <= LARGEST)
        if not states:
            of = f"a multiple of {self.multiple}" if self.multiple > 1 else "one"
            expected = f"{of} up to {LARGEST} (judge takes any size)"
            raise ValueError(
                f"states: found {', '.join(map(str, sorted(domain.states)))}, expected {expected}"
            )
        return replace(domain, states=states)


@dataclass(frozen=True, eq=False)
class Draw:
    """One drawn case: everything a law needs to build its calls, reproducible from the seed."""

    room: Room
    arithmetic: Arithmetic
    domain: Domain
    sizes: Sizes
    regime: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    rng: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        usual = {
            name: words[0]
            for name, words in self.room.regimes(self.arithmetic, self.domain).items()
        }
        object.__setattr__(self, "regime", usual | dict(self.regime))
        flags = [int(word) for word in self.regime.values() if isinstance(word, bool)]
        object.__setattr__(
            self, "rng", np.random.default_rng([self.seed, *self.sizes.values(), *flags])
        )

    @property
    def time(self) -> int:
        return self.sizes["time"]

    def call(self, sparse: bool = False, two: bool = False) -> Call:
        """A call without initial states and without `reverse`."""
        return self.of(self.room.draw(self, sparse, two))

    def of(self, arguments: Changes, reverse: bool = False) -> Call:
        """A call with these arguments."""
        ordered = {name: arguments[name] for name in self.room.system.argument if name in arguments}
        return Call(self.room.system, ordered, reverse)

    def started(self, call: Call) -> Call:
        """The same call with initial states."""
        return call if self.room.states is None else call.but(**self.room.states(self, call))

    def pulled(self, call: Call) -> Call:
        """The same call with cotangents of its results."""
        bars = {}
        for name in call.system.named("cotangent"):
            shape = call.layout.shape(call.system.argument[name].axes)
            bars[name] = self.stored(np.clip(self.rng.standard_normal(shape), -4, 4), name)
        return call.but(**bars)

    def stored(self, x: Array, name: str) -> Array:
        """Values of an argument in the declared dtype."""
        kind = kinds_of(self.arithmetic.dtype)[self.room.system.argument[name].kinds[0]]
        return np.asarray(x).astype(kind)


def draws(
    room: Room, arithmetic: Arithmetic, domain: Domain, longest: int
) -> st.SearchStrategy[Draw]:
    """Hypothesis strategy over seeds, sizes and regimes."""
    deck, regimes = room.deck(domain, longest), room.regimes(arithmetic, domain)
    chosen = st.fixed_dictionaries(
        {name: st.sampled_from(words) for name, words in regimes.items()}
    )
    return st.builds(
        Draw,
        room=st.just(room),
        arithmetic=st.just(arithmetic),
        domain=st.just(domain),
        sizes=st.integers(0, len(deck) - 1).map(deck.__getitem__),
        regime=chosen,
        seed=st.integers(0, 2**32 - 1),
    )

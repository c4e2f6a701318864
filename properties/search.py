"""The search for an `outside` call: one law after the other on one implementation."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import hypothesis

from scanproof.properties.domain import Domain
from scanproof.properties.findings import Element
from scanproof.properties.gathering import Results
from scanproof.properties.implementation import Fault, Implementation
from scanproof.properties.laws import Law
from scanproof.properties.outcome import LawResult
from scanproof.properties.results import missing
from scanproof.properties.room import Draw, Room, draws
from scanproof.properties.verdict import Status, Verdict, Word, judged
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.call import Call
from scanproof.reference.inputs import Array

TARGET = 1e6  # error/allowance beyond which a larger one says no more


@dataclass
class Search:
    """Runs laws on one implementation and remembers what failed."""

    implementation: Implementation
    arithmetic: Arithmetic
    domain: Domain
    room: Room
    fault: tuple[str, str] | None = None
    failures: list[tuple[str, Call, Results]] = field(default_factory=list)
    poisoned: bool = False  # whether the first failing call had NaN around its arrays
    smallest: tuple[Call, Results] | None = None  # the last failing call while shrinking
    bits_lost: float = 0.0
    rounded: float = 0.0  # elements that are correct roundings, of so many in all
    elements: int = 0
    # the largest size of a judged call, axis by axis
    judged: dict[str, int] = field(default_factory=dict)
    given: set[str] = field(default_factory=set)  # results by name: those returned,
    # those whose allowance once informed something,
    informed: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)  # and those left out where others were returned
    unless: str | None = None  # what would have to be declared to make some calls outside
    result: LawResult = field(default_factory=lambda: LawResult("", ""))
    stopped: bool = False

    def applies(self, law: Law) -> bool:
        return not self.room.refuses(law.name, self.arithmetic, self.domain)

    def decisive(self) -> list[str]:
        """The laws that must have been within."""
        return self.room.decisive(self.arithmetic, self.domain)

    def search(self, law: Law, result: LawResult, seed: int, cases: int) -> None:
        """Visits the law's own sizes, then lets Hypothesis look for large error/allowance."""
        self.result, self.stopped, started = result, False, time.perf_counter()
        for number, visit in enumerate(self.room.visits(law.name, self.domain)):
            case = Draw(
                self.room, self.arithmetic, self.domain, visit.sizes, visit.regime, seed + number
            )
            self._visit(law, case)
        result.visited = len(result.informative)

        @hypothesis.seed(seed)
        @hypothesis.settings(
            max_examples=cases,
            database=None,
            deadline=None,
            phases=[hypothesis.Phase.generate, hypothesis.Phase.target],
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(draws(self.room, self.arithmetic, self.domain, law.longest))
        def explore(draw: Draw) -> None:
            if not self.stopped:
                seen = len(result.ratios)
                self._visit(law, draw)
                hypothesis.target(
                    min(max(result.ratios[seen:], default=0.0), TARGET), label=law.name
                )

        explore()
        result.seconds = time.perf_counter() - started
        self._conclude(result)

    def run(self, call: Call, poison: bool = False) -> dict[str, Array] | None:
        """The results of one judged call; the law stops at its first outside result."""
        got = self.implementation.call(call, poison)
        if got is None:
            self.not_offered()
            return None
        verdict = judged(got, call, self.arithmetic)
        self._count(verdict, call)
        self.missing |= missing(call, got)
        if verdict.verdict == "outside":
            self.poisoned = self.poisoned if self.failures else poison
            self.failures.append((self.result.name, call, got))
            raise _Stop
        return got

    def not_offered(self) -> None:
        """A law misses what it needs among the results."""
        self.result.counts["not offered"] += 1

    @property
    def lacking(self) -> set[str]:
        """Results that were asked for and never returned."""
        return self.missing - self.given

    def _count(self, verdict: Verdict, call: Call) -> None:
        self.result.counts["within" if verdict.verdict == "nearest" else verdict.verdict] += 1
        self.result.ratios.append(verdict.ratio)
        said = verdict.verdict != "undecided"
        self.result.informative.append(
            verdict.verdict == "outside" or (said and verdict.informative >= 0.5)
        )
        self.unless = self.unless or verdict.unless
        for axis, size in extent(call).items():
            self.judged[axis] = max(size, self.judged.get(axis, 0))
        self.given |= verdict.outputs.keys()
        self.informed |= {name for name, share in verdict.outputs.items() if share >= 0.5 and said}
        elements = sum(verdict.counts.values())
        self.bits_lost = max(self.bits_lost, verdict.bits_lost)
        self.rounded, self.elements = (
            self.rounded + verdict.rounded * elements,
            self.elements + elements,
        )

    def first_outside(self, call: Call) -> Element | None:
        """The worst outside element of one more call, or None; remembers the failing call."""
        try:
            got = self.implementation.call(call, self.poisoned)
        except Fault:
            return None
        verdict = None if got is None else judged(got, call, self.arithmetic)
        if got is None or verdict is None or verdict.verdict != "outside":
            return None
        self.smallest = (call, got)
        return verdict.worst

    def _visit(self, law: Law, draw: Draw) -> None:
        if self.stopped:
            return
        try:
            self.result.tested += law.check(self, draw)
        except _Stop:
            self.result.tested, self.stopped = self.result.tested + 1, True
        except Fault as fault:
            self.stopped, self.fault = True, (fault.kind, str(fault))

    def _conclude(self, result: LawResult) -> None:
        """Without one draw that put the law to the test, calls that were within say nothing about
        it."""
        words: tuple[Word, ...] = ("outside", "within", "undecided")
        undecided: Status = "not offered" if result.counts["not offered"] else "not run"
        found: Status = next((word for word in words if result.counts[word]), undecided)
        result.verdict = found if result.tested else undecided


def extent(call: Call) -> dict[str, int]:
    """The size of every axis that an argument fixes; of gradients also how many steps."""
    sizes = {
        axis: size for axis, (size, owner) in call.layout.sizes.items() if owner in call.arguments
    }
    return sizes | (
        {"gradient time": sizes["time"]} if call.cotangents() and "time" in sizes else {}
    )


class _Stop(Exception):
    """A law has found an outside result."""

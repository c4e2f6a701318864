"""The search for an `outside` call: one law after the other on one implementation."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import hypothesis

from scanproof.properties.implementation import Fault, Implementation
from scanproof.properties.judge import judged
from scanproof.properties.outcome import LawResult
from scanproof.properties.strategies import Domain
from scanproof.properties.suites import Suite, suite_of
from scanproof.properties.verdict import Status, Verdict, Word
from scanproof.reference.arithmetic import Arithmetic


@dataclass
class Search:
    """Runs laws on one implementation and remembers what failed."""

    implementation: Implementation
    arithmetic: Arithmetic
    domain: Domain
    system: str = "scan"
    fault: tuple[str, str] | None = None
    failures: list[tuple[str, Any, Any]] = field(default_factory=list)
    poisoned: bool = False  # whether the first failing call had NaN around its arrays
    smallest: tuple[Any, Any] | None = None  # the last failing call while shrinking
    bits_lost: float = 0.0
    rounded: float = 0.0  # elements that are correct roundings, of so many in all
    elements: int = 0
    judged: dict[str, int] = field(default_factory=dict)  # the largest size of a judged call, axis by axis
    given: set[str] = field(default_factory=set)  # results of layers by name: those returned,
    told: set[str] = field(default_factory=set)  # those whose allowance once told something,
    missing: set[str] = field(default_factory=set)  # and those left out where others were returned
    result: LawResult = field(default_factory=lambda: LawResult("", ""))
    stopped: bool = False

    @property
    def suite(self) -> Suite:
        return suite_of(self.system)

    def applies(self, law: Any) -> bool:
        return self.suite.applies(law, self.arithmetic, self.domain)

    def decisive(self) -> list[str]:
        """The laws that must have been within."""
        return self.suite.decisive(self.arithmetic, self.domain)

    def search(self, law: Any, result: LawResult, seed: int, cases: int) -> None:
        """Visits the law's own shapes, then lets Hypothesis look for large error/allowance."""
        self.result, self.stopped, started = result, False, time.perf_counter()
        for number, visit in enumerate(law.visits(self.domain)):
            self._visit(law, self.suite.draw(self.arithmetic, self.domain, visit, seed + number))
        result.visited = len(result.informative)

        @hypothesis.seed(seed)
        @hypothesis.settings(
            max_examples=cases,
            database=None,
            deadline=None,
            phases=[hypothesis.Phase.generate, hypothesis.Phase.target],
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(self.suite.draws(law, self.arithmetic, self.domain))
        def explore(draw: Any) -> None:
            if not self.stopped:
                seen = len(result.ratios)
                self._visit(law, draw)
                hypothesis.target(min(max(result.ratios[seen:], default=0.0), 1e6), label=law.name)

        explore()
        result.seconds = time.perf_counter() - started
        self._conclude(result)

    def run(self, call: Any, poison: bool = False) -> Any:
        """One judged call, as its laws see it; the law stops at its first outside result."""
        got = self.implementation.call(call, poison)
        if got is None:
            self.not_offered()
            return None
        verdict, run = self.suite.judged(got, call, self.arithmetic)
        self._count(verdict, call, sum(verdict.counts.values()))
        self.missing |= self.suite.missing(call, got)
        if verdict.verdict == "outside":
            self.poisoned = self.poisoned if self.failures else poison
            self.failures.append((self.result.name, call, got))
            raise _Stop
        return run

    def not_offered(self) -> None:
        """A law misses what it needs among the results."""
        self.result.counts["not offered"] += 1

    @property
    def lacking(self) -> set[str]:
        """Results that were asked for and never returned."""
        return self.missing - self.given

    def _count(self, verdict: Verdict, call: Any, elements: int) -> None:
        self.result.counts["within" if verdict.verdict == "nearest" else verdict.verdict] += 1
        self.result.ratios.append(verdict.ratio)
        told = verdict.verdict == "outside" or (verdict.verdict != "undecided" and verdict.informative >= 0.5)
        self.result.informative.append(told)
        shape = self.suite.shape(call)
        self.judged = {axis: max(size, self.judged.get(axis, 0)) for axis, size in shape.items()}
        self.given |= verdict.outputs.keys()
        self.told |= {name for name, share in verdict.outputs.items() if share >= 0.5 and verdict.verdict != "undecided"}
        self.bits_lost = max(self.bits_lost, verdict.bits_lost)
        self.rounded, self.elements = self.rounded + verdict.rounded * elements, self.elements + elements

    def first_outside(self, call: Any) -> tuple[int, ...] | None:
        """Index of the worst outside element of one more call, or None; remembers the failing call."""
        try:
            got = self.implementation.call(call, self.poisoned)
        except Fault:
            return None
        verdict = None if got is None else judged(got, call, self.arithmetic)
        if verdict is None or verdict.worst is None or verdict.verdict != "outside":
            return None
        self.smallest = (call, got)
        return verdict.worst.index

    def _visit(self, law: Any, draw: Any) -> None:
        if self.stopped:
            return
        try:
            self.result.tested += law.check(self, draw)
        except _Stop:
            self.result.tested, self.stopped = self.result.tested + 1, True
        except Fault as fault:
            self.stopped, self.fault = True, (fault.kind, str(fault))

    def _conclude(self, result: LawResult) -> None:
        """Without one draw that put the law to the test, calls that were within say nothing about it."""
        words: tuple[Word, ...] = ("outside", "within", "undecided")
        silent: Status = "not offered" if result.counts["not offered"] else "not run"
        found: Status = next((word for word in words if result.counts[word]), silent)
        result.verdict = found if result.tested else silent


class _Stop(Exception):
    """A law has found an outside result."""

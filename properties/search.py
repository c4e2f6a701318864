"""The search for an `outside` call: one law after the other on one implementation."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import hypothesis
import numpy as np

from scanproof.properties.implementation import Fault, Implementation
from scanproof.properties.laws import LAWS, Law, Run
from scanproof.properties.outcome import LawResult
from scanproof.properties.strategies import Domain, Draw, draws
from scanproof.properties.verdict import Status, Word, judge_inputs
from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.certificate import certify
from scanproof.reference.inputs import Array, Inputs

NEED_ZEROS = ("impulses", "time-invariance")


@dataclass
class Search:
    """Runs laws on one implementation and remembers what failed."""

    implementation: Implementation
    arithmetic: Arithmetic
    domain: Domain
    fault: tuple[str, str] | None = None
    failures: list[tuple[str, Inputs, Array]] = field(default_factory=list)
    poisoned: bool = False  # whether the first failing call had NaN around its arrays
    smallest: tuple[Inputs, Array] | None = None  # the last failing call while shrinking
    bits_lost: float = 0.0
    rounded: float = 0.0  # elements that are correct roundings, of so many in all
    elements: int = 0
    judged: tuple[int, ...] = (0, 0, 0)
    result: LawResult = field(default_factory=lambda: LawResult("", ""))
    stopped: bool = False

    def search(self, law: Law, result: LawResult, seed: int, cases: int) -> None:
        """Visits the law's own shapes, then lets Hypothesis look for large error/allowance."""
        self.result, self.stopped, started = result, False, time.perf_counter()
        for number, visit in enumerate(law.visits(self.domain)):
            self._visit(law, Draw(self.arithmetic, self.domain, *visit, seed=seed + number))
        result.visited = len(result.informative)

        @hypothesis.seed(seed)
        @hypothesis.settings(
            max_examples=cases,
            database=None,
            deadline=None,
            phases=[hypothesis.Phase.generate, hypothesis.Phase.target],
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(draws(self.arithmetic, self.domain, self.domain.deck()))
        def explore(draw: Draw) -> None:
            if not self.stopped:
                seen = len(result.ratios)
                self._visit(law, draw)
                hypothesis.target(min(max(result.ratios[seen:], default=0.0), 1e6), label=law.name)

        explore()
        result.seconds = time.perf_counter() - started
        self._conclude(result)

    def run(self, inputs: Inputs, poison: bool = False) -> Run | None:
        """One judged call; the law stops at its first outside result."""
        got = self.implementation.call(inputs, poison)
        if got is None:
            self.result.counts["not offered"] += 1
            return None
        certificate = certify(inputs.forward(), self.arithmetic)
        verdict = judge_inputs(got, inputs, self.arithmetic, certificate)
        self.result.counts["within" if verdict.verdict == "nearest" else verdict.verdict] += 1
        self.result.ratios.append(verdict.ratio)
        told = verdict.verdict == "outside" or (verdict.verdict != "undecided" and verdict.informative >= 0.5)
        self.result.informative.append(told)
        self.judged = tuple(map(max, self.judged, inputs.b.shape))
        self.bits_lost = max(self.bits_lost, verdict.bits_lost)
        self.rounded, self.elements = self.rounded + verdict.rounded * got.size, self.elements + got.size
        if verdict.verdict == "outside":
            self.poisoned = self.poisoned if self.failures else poison
            self.failures.append((self.result.name, inputs, got))
            raise _Stop
        bound = np.where(certificate.allowance.no_overflow, certificate.allowance.bound, np.inf)
        return Run(got, bound[:, ::-1] if inputs.reverse else bound)

    def first_outside(self, inputs: Inputs) -> tuple[int, int, int] | None:
        """Index (batch, time, channel) of the worst outside element of one more call, or None; remembers the failing call."""
        try:
            got = self.implementation.call(inputs, self.poisoned)
        except Fault:
            return None
        verdict = None if got is None else judge_inputs(got, inputs, self.arithmetic)
        if got is None or verdict is None or verdict.worst is None or verdict.verdict != "outside":
            return None
        self.smallest = (inputs, got)
        return verdict.worst.index

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
        """Without one draw that put the law to the test, calls that were within say nothing about it."""
        words: tuple[Word, ...] = ("outside", "within", "undecided")
        silent: Status = "not offered" if result.counts["not offered"] else "not run"
        found: Status = next((word for word in words if result.counts[word]), silent)
        result.verdict = found if result.tested else silent


class _Stop(Exception):
    """A law has found an outside result."""


def applies(law: Law, session: Search) -> bool:
    """Exact lanes exist for bracketings only; some laws need zeros among the inputs."""
    exact = session.arithmetic.bracketing or law.name != "exact-lanes"
    return exact and (session.domain.positive != "all" or law.name not in NEED_ZEROS)


def decisive(session: Search) -> list[str]:
    """The laws that must have been within: exact lanes decide where few bits are kept; other algorithms have none."""
    if session.arithmetic.coarse:
        return ["exact-lanes"]
    if not session.arithmetic.bracketing:
        return ["equivalence"]
    return [law.name for law in LAWS if law.name in ("exact-lanes", "impulses", "equivalence") and applies(law, session)]

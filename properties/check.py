"""`check`: search for a call that proves an implementation wrong, law after law."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import hypothesis
import numpy as np

from scanproof.properties import windows
from scanproof.properties.implementation import Fault, Implementation, InProcess
from scanproof.properties.judge import explained
from scanproof.properties.laws import LAWS, Law, Run
from scanproof.properties.shrink import shrink
from scanproof.properties.strategies import LONG, Domain, Draw, draws
from scanproof.properties.verdict import CLAIMS, SYSTEMS, Status, Verdict, Word, judge_inputs, required
from scanproof.properties.witness import Witness, witness
from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.certificate import certify
from scanproof.reference.inputs import Array, Inputs

CASES = 20
NEED_ZEROS = ("impulses", "time-invariance")
Progress = Callable[[str, int, int], None]  # law, laws done, laws in all


@dataclass
class LawResult:
    """What one law saw. verdict: "outside", "within", "undecided", "not offered" or "not run"."""

    name: str
    statement: str
    verdict: Status = "not run"
    tested: int = 0  # draws that put the law to the test
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("outside", "undecided", "within", "not offered"), 0))
    ratios: list[float] = field(default_factory=list)  # error/allowance of every judged run
    informative: list[bool] = field(default_factory=list)
    visited: int = 0  # judged runs before the random ones
    seconds: float = 0.0

    @property
    def ratio(self) -> float:
        return max(self.ratios, default=0.0)


@dataclass
class Report:
    """The outcome of `check`. verdict as for `judge`; fault is set when the implementation broke the contract."""

    implementation: str
    arithmetic: Arithmetic
    seed: int
    cases: int
    verdict: Word
    reason: str
    laws: list[LawResult]
    fault: tuple[str, str] | None = None  # kind ("crashed", "hung", "contract"), message
    failure: Verdict | None = None  # the verdict over the shrunk call, or over its failing window
    window: str | None = None  # which part of the shrunk call that window is
    witness: Witness | None = None
    not_refuted_under: str | None = None
    bits_lost: float = 0.0
    rounded: float = 0.0  # share of all judged elements that are the correct rounding of the exact state
    judged: tuple[int, ...] = (0, 0, 0)  # most batch rows, steps and channels of a judged call
    seconds: float = 0.0

    @property
    def ratio(self) -> float:
        """Largest error/allowance over all laws."""
        return max((law.ratio for law in self.laws), default=0.0)

    @property
    def informative(self) -> float:
        """Share of the random cases whose allowance could tell a wrong result; of the visits, if the search ended in them."""
        law = next(law for law in self.laws if law.name == "equivalence")
        seen = law.informative[law.visited :] or law.informative
        return float(np.mean(seen)) if seen else 0.0

    @property
    def headline(self) -> str:
        """The verdict, or how the implementation broke the contract."""
        broken = {"contract": "contract broken", "crashed": "crashed", "hung": "hung"}
        return broken[self.fault[0]] if self.fault and self.verdict != "outside" else self.verdict

    def __str__(self) -> str:
        return f"{self.implementation}: {self.headline}: {self.reason}"


def check(
    system: str,
    implementation: Callable[..., Any] | Implementation,
    *,
    arithmetic: Arithmetic,
    domain: Domain | None = None,
    seed: int = 0,
    cases: int = CASES,
    laws: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Searches for a call whose result no evaluation of the declared arithmetic can give.

    Args:
        system: "scan".
        implementation: called with keywords lam, b and, if its signature has them, h0 and reverse.
        arithmetic: what the implementation declares.
        domain: lengths, channels and kinds of lam that it accepts; anything when None.
        seed: every drawn case follows from it.
        cases: random cases per law.
        laws: names from `properties.laws.LAWS`, all when None.

    Raises:
        ValueError: unknown system or law, or cases < 1.
    """
    chosen = _choose(system, laws, cases, required(arithmetic))
    if arithmetic.word in ("fft", "polar:L") and domain is not None and domain.lam == "varying":
        raise ValueError(f"lam: found varying with order {arithmetic.order}, expected constant")
    own = hasattr(implementation, "call") and not callable(implementation)  # a callable may well have a method `call`
    function = cast(Callable[..., Any], implementation)
    made: Implementation = cast(Implementation, implementation) if own else InProcess(function, arithmetic)
    session = _Search(made, arithmetic, domain or Domain())
    started = time.perf_counter()
    results = [LawResult(law.name, law.statement) for law in LAWS]
    for done, law in enumerate([] if arithmetic.unmodelled else [law for law in chosen if applies(law, session)]):
        if progress:
            progress(law.name, done, len(chosen))
        result = next(r for r in results if r.name == law.name)
        session.search(law, result, seed, cases)
        if session.fault:
            break
    return _report(session, results, seed, cases, started)


@dataclass
class _Search:
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


def _choose(system: str, laws: Sequence[str] | None, cases: int, arithmetic: Arithmetic) -> list[Law]:
    if system not in SYSTEMS:
        raise ValueError(f"system: found {system!r}, expected {' or '.join(SYSTEMS)}")
    if cases < 1:
        raise ValueError(f"cases: found {cases}, expected at least 1")
    known = {law.name: law for law in LAWS}
    unknown = [name for name in laws or () if name not in known]
    if unknown:
        raise ValueError(f"law: found {unknown[0]!r}, expected one of {', '.join(known)}")
    if laws and "exact-lanes" in laws and not arithmetic.bracketing:
        raise ValueError(f"law: found 'exact-lanes' with order {arithmetic.order}, which has none, expected another law")
    return [law for law in LAWS if laws is None or law.name in laws]


def applies(law: Law, session: _Search) -> bool:
    """Exact lanes exist for bracketings only; some laws need zeros among the inputs."""
    exact = session.arithmetic.bracketing or law.name != "exact-lanes"
    return exact and (session.domain.positive != "all" or law.name not in NEED_ZEROS)


def _report(session: _Search, results: list[LawResult], seed: int, cases: int, started: float) -> Report:
    report = Report(session.implementation.name, session.arithmetic, seed, cases, "undecided", "", results, session.fault)
    report.verdict, report.reason = _verdict(report, session)
    report.bits_lost, report.judged = session.bits_lost, session.judged
    report.rounded = session.rounded / session.elements if session.elements else 0.0
    if session.failures:
        law, failing, result = session.failures[0]
        shrink(failing, session.domain, session.first_outside)
        inputs, got = session.smallest or (failing, result)  # the first one where it does not fail again
        failure = judge_inputs(got, inputs, session.arithmetic)
        if failure.window and failure.worst:  # the window is a failing call of its own, which a third party can recheck
            step = failure.worst.index[1]
            report.window = f"step {step} of a call with b {inputs.b.shape}, judged from the printed state before its window"
            inputs, got = windows.window(got, inputs, session.arithmetic, failure.worst.index)
            failure = judge_inputs(got, inputs, session.arithmetic)
        report.failure = explained(failure, [(inputs, got) for _, inputs, got in session.failures])
        report.not_refuted_under = report.failure.not_refuted_under
        report.witness = witness(inputs, got, report.failure, session.implementation.name, law, seed)
    report.seconds = time.perf_counter() - started
    return report


def _verdict(report: Report, session: _Search) -> tuple[Word, str]:
    """`within` needs exact lanes, impulses and informative random cases where the class has them (docs/verdicts.md)."""
    by_name = {law.name: law for law in report.laws}
    failed = [law.name for law in report.laws if law.verdict == "outside"]
    if failed:
        return "outside", f"{', '.join(failed)}: {CLAIMS['outside']}"
    if session.fault:
        return "undecided", session.fault[1]
    if session.arithmetic.unmodelled:
        return "undecided", session.arithmetic.unmodelled
    silent = [name for name in decisive(session) if by_name[name].verdict != "within"]
    if silent:
        return "undecided", f"{', '.join(silent)} did not run or decided nothing, so passing says little"
    share = f"the allowance informs in only {report.informative:.0%} of the random cases"
    if report.informative < 0.5 and not session.arithmetic.coarse:
        signs = session.arithmetic.word in ("log-space", "segment-exp:L", "scaled-cumsum") and session.domain.positive == "none"
        return "undecided", share + ("; declare what must be positive (positive: lam or all)" if signs else "")
    rows, steps, channels = session.judged
    short = "" if steps >= LONG[0] else f"; no call had {LONG[0]} steps or more"
    alone = f"; by exact lanes alone, since {share}" if report.informative < 0.5 else ""
    return "within", f"{CLAIMS['within']}; judged up to {steps} steps, {channels} channels, {rows} batch rows{short}{alone}"


def decisive(session: _Search) -> list[str]:
    """The laws that must have been within: exact lanes decide where few bits are kept; other algorithms have none."""
    if session.arithmetic.coarse:
        return ["exact-lanes"]
    if not session.arithmetic.bracketing:
        return ["equivalence"]
    return [law.name for law in LAWS if law.name in ("exact-lanes", "impulses", "equivalence") and applies(law, session)]

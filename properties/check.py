"""`check`: search for a call that proves an implementation wrong, law after law."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, cast

from scanproof.properties import windows
from scanproof.properties.implementation import Implementation, InProcess
from scanproof.properties.judge import explained, judged
from scanproof.properties.outcome import LawResult, Report
from scanproof.properties.search import Search
from scanproof.properties.shrink import shrink
from scanproof.properties.strategies import LONG, Domain
from scanproof.properties.suites import fitted, suite_of
from scanproof.properties.verdict import CLAIMS, Word, required
from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.systems import unmodelled

CASES = 20
EXTENT = {
    "time": "{} steps", "gradient_time": "gradients of {} steps", "channels": "{} channels", "width": "width {}",
    "state": "state {}", "batch": "{} batch rows", "stack": "{} matrices", "n": "{0} x {0} each",
}  # fmt: skip
Progress = Callable[[str, int, int], None]  # law, laws done, laws in all


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
        system: "scan", "lru", "rotrnn", or "expm" of skew matrices.
        implementation: of a scan called with keywords lam, b and, if its signature has them, h0 and reverse; of a layer with its
            parameters, u and, if its signature has them, h0, reverse and y_bar (properties/layer_calls.py); of expm with S.
        arithmetic: what the implementation declares.
        domain: lengths, channels and kinds of lam that it accepts; anything when None.
        seed: every drawn case follows from it.
        cases: random cases per law.
        laws: names of the system's laws, all when None.

    Raises:
        ValueError: unknown system or law, cases < 1, or a domain that the system cannot have.
    """
    suite = suite_of(system)
    arithmetic = suite.declared(required(arithmetic))
    chosen = _choose(suite.laws, laws, cases, arithmetic)
    if arithmetic.word in ("fft", "polar:L") and domain is not None and domain.lam == "varying":
        raise ValueError(f"lam: found varying with order {arithmetic.order}, expected constant")
    own = hasattr(implementation, "call") and not callable(implementation)  # a callable may well have a method `call`
    function = cast(Callable[..., Any], implementation)
    made: Implementation = cast(Implementation, implementation) if own else InProcess(function, arithmetic)
    session = Search(made, arithmetic, fitted(system, domain or Domain()), system)
    started = time.perf_counter()
    results = [LawResult(law.name, law.statement) for law in suite.laws]
    todo = [law for law in chosen if session.applies(law)]
    for done, law in enumerate([] if unmodelled(system, arithmetic) else todo):
        if progress:
            progress(law.name, done, len(chosen))
        result = next(r for r in results if r.name == law.name)
        session.search(law, result, seed, cases)
        if session.fault:
            break
    return _report(session, results, seed, cases, started)


def _choose(all_laws: Sequence[Any], laws: Sequence[str] | None, cases: int, arithmetic: Arithmetic) -> list[Any]:
    if cases < 1:
        raise ValueError(f"cases: found {cases}, expected at least 1")
    known = {law.name: law for law in all_laws}
    unknown = [name for name in laws or () if name not in known]
    if unknown:
        raise ValueError(f"law: found {unknown[0]!r}, expected one of {', '.join(known)}")
    if laws and "exact-lanes" in laws and not arithmetic.bracketing:
        raise ValueError(f"law: found 'exact-lanes' with order {arithmetic.order}, which has none, expected another law")
    return [law for law in all_laws if laws is None or law.name in laws]


def _report(session: Search, results: list[LawResult], seed: int, cases: int, started: float) -> Report:
    name, fault, system = session.implementation.name, session.fault, session.system
    report = Report(name, session.arithmetic, seed, cases, "undecided", "", results, fault, system=system)
    report.verdict, report.reason = _verdict(report, session)
    report.bits_lost, report.judged = session.bits_lost, session.judged
    report.rounded = session.rounded / session.elements if session.elements else 0.0
    if session.failures:
        law, failing, result = session.failures[0]
        shrink(failing, session.domain, session.first_outside, session.suite.simpler)
        inputs, got = session.smallest or (failing, result)  # the first one where it does not fail again
        failure = judged(got, inputs, session.arithmetic)
        if failure.window and failure.worst:  # the window is a failing call of its own, which a third party can recheck
            step = failure.worst.index[1]
            report.window = f"step {step} of a call with b {inputs.b.shape}, judged from the printed state before its window"
            inputs, got = windows.window(got, inputs, session.arithmetic, failure.worst.index)
            failure = judged(got, inputs, session.arithmetic)
        report.failure = explained(failure, [(inputs, got) for _, inputs, got in session.failures])
        report.not_refuted_under = report.failure.not_refuted_under
        report.witness = session.suite.witness(inputs, got, report.failure, session.implementation.name, law, seed)
    report.seconds = time.perf_counter() - started
    return report


def _verdict(report: Report, session: Search) -> tuple[Word, str]:
    """`within` needs exact lanes, impulses and informative random cases where the class has them (docs/verdicts.md)."""
    by_name = {law.name: law for law in report.laws}
    failed = [law.name for law in report.laws if law.verdict == "outside"]
    if failed:
        return "outside", f"{', '.join(failed)}: {CLAIMS['outside']}"
    if session.fault:
        return "undecided", session.fault[1]
    unknown = unmodelled(session.system, session.arithmetic)
    if unknown:
        return "undecided", unknown
    silent = [name for name in session.decisive() if by_name[name].verdict != "within"]
    if silent:
        return "undecided", f"{', '.join(silent)} did not run or decided nothing, so passing says little"
    alone = session.arithmetic.coarse and session.system == "scan"  # of layers and expm no lane is exact
    share = f"the allowance informs in only {report.informative:.0%} of the random cases"
    if report.informative < 0.5 and not alone:
        signs = session.arithmetic.word in ("log-space", "segment-exp:L", "scaled-cumsum") and session.domain.positive == "none"
        return "undecided", share + ("; declare what must be positive (positive: lam or all)" if signs else "")
    short = "" if session.judged.get("time", LONG[0]) >= LONG[0] else f"; no call had {LONG[0]} steps or more"
    exact = f"; by exact lanes alone, since {share}" if report.informative < 0.5 else ""
    extent = ", ".join(words.format(session.judged[axis]) for axis, words in EXTENT.items() if session.judged.get(axis))
    unasked = {name for name, law in by_name.items() if law.verdict == "not offered"}
    named = _listed("; nothing can be told of ", session.given - session.told) + _listed("; never returned: ", session.lacking)
    named += _listed("; not offered: ", unasked)
    return "within", f"{CLAIMS['within']}; judged up to {extent}{short}{exact}{named}"


def _listed(introduced: str, names: set[str]) -> str:
    return introduced + ", ".join(sorted(names)) if names else ""

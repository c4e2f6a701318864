"""`check`: search for a call that proves an implementation wrong, law after law."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, cast

from scanproof.properties.domain import LONG, Domain
from scanproof.properties.explain import explained
from scanproof.properties.implementation import Implementation, InProcess
from scanproof.properties.judge import declaration
from scanproof.properties.laws import Law, laws_of
from scanproof.properties.outcome import LawResult, Report
from scanproof.properties.search import Search
from scanproof.properties.shrink import shrink
from scanproof.properties.systems import room_of
from scanproof.properties.verdict import CLAIMS, FUSED, Word, judged
from scanproof.properties.witness import witness
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.call import System

CASES = 20
EXTENT = {
    "time": "{} steps", "gradient time": "gradients of {} steps", "channels": "{} channels",
    "batch": "{} batch rows", "stack": "{} matrices", "n": "{0} x {0} each",
    "state": "a state of {}", "width": "a width of {}",
    "heads": "{} heads", "head_dim": "{} coordinates a head",
}  # fmt: skip
Progress = Callable[[str, int, int], None]  # law, laws done, laws in all


def check(
    system: str | System,
    implementation: Callable[..., Any] | Implementation,
    *,
    arithmetic: Arithmetic | None = None,
    domain: Domain | None = None,
    seed: int = 0,
    cases: int = CASES,
    laws: Sequence[str] | None = None,
    progress: Progress | None = None,
    **words: Any,
) -> Report:
    """Searches for a call whose result no evaluation of the declared arithmetic can give.

    Args:
        system: "scan", "lru", "rotrnn", or "expm" of skew matrices; or a System.
        implementation: called with keywords named as the system's arguments; optional ones (initial
            states, reverse, cotangents) if its signature has them (properties/results.py says what
            it returns).
        arithmetic: what the implementation declares; made of `words` when None.
        domain: lengths, channels and kinds of lam that it accepts; anything when None.
        seed: every drawn case follows from it.
        cases: random cases per law.
        laws: names of the system's laws, all when None.
        words: words of the declaration, such as dtype="float32" and order="chunked:64".

    Raises:
        ValueError, TypeError: unknown system, law or word, cases < 1, or a domain that the system
            cannot have.
    """
    room = room_of(system)
    declared = declaration(arithmetic, words, room.system)
    chosen = _choose(laws_of(room), laws, cases, declared)
    if declared.word in ("fft", "polar:L") and domain is not None and domain.lam == "varying":
        raise ValueError(f"lam: found varying with order {declared.order}, expected constant")
    # a callable may well have a method `call`
    own = hasattr(implementation, "call") and not callable(implementation)
    function = cast(Callable[..., Any], implementation)
    made: Implementation = (
        cast(Implementation, implementation) if own else InProcess(function, declared)
    )
    session = Search(made, declared, room.fitted(domain or Domain()), room)
    started = time.perf_counter()
    results = [LawResult(law.name, law.statement) for law in laws_of(room)]
    todo = [law for law in chosen if session.applies(law)]
    for done, law in enumerate([] if room.system.unmodelled(declared) else todo):
        if progress:
            progress(law.name, done, len(chosen))
        result = next(r for r in results if r.name == law.name)
        session.search(law, result, seed, cases)
        if session.fault:
            break
    return _report(session, results, seed, cases, started)


def _choose(
    known: Sequence[Law], laws: Sequence[str] | None, cases: int, arithmetic: Arithmetic
) -> list[Law]:
    if cases < 1:
        raise ValueError(f"cases: found {cases}, expected at least 1")
    names = [law.name for law in known]
    unknown = [name for name in laws or () if name not in names]
    if unknown:
        raise ValueError(f"law: found {unknown[0]!r}, expected one of {', '.join(names)}")
    if laws and "integer-cases" in laws and not arithmetic.bracketing:
        found = f"'integer-cases' with order {arithmetic.order}, which has none"
        raise ValueError(f"law: found {found}, expected another law")
    return [law for law in known if laws is None or law.name in laws]


def _report(
    session: Search, results: list[LawResult], seed: int, cases: int, started: float
) -> Report:
    name, fault, system = session.implementation.name, session.fault, session.room.system.name
    report = Report(
        name, session.arithmetic, seed, cases, "undecided", "", results, fault, system=system
    )
    report.verdict, report.reason = _verdict(report, session)
    report.bits_lost, report.judged, report.unless = (
        session.bits_lost,
        session.judged,
        session.unless,
    )
    report.rounded = session.rounded / session.elements if session.elements else 0.0
    if session.failures:
        _explain(report, session, seed)
    report.seconds = time.perf_counter() - started
    return report


def _explain(report: Report, session: Search, seed: int) -> None:
    """Shrinks the first failing call, and says what would admit the failing ones."""
    law, failing, result = session.failures[0]
    shrink(failing, session.room, session.domain, session.first_outside)
    call, got = session.smallest or (failing, result)  # the first one where it does not fail again
    failure = judged(got, call, session.arithmetic)
    # a call of its own, which a third party can recheck
    if failure.window and failure.worst and call.system.window:
        place = f"{failure.worst.place} of {call.described()}"
        report.window = f"{place}, judged from the printed state before its window"
        call, got = call.system.window(call, got, session.arithmetic, failure.worst.index)
        failure = judged(got, call, session.arithmetic)
    report.failure = explained(
        failure, call, got, [(each, results) for _, each, results in session.failures]
    )
    report.not_refuted_under = report.failure.not_refuted_under
    report.witness = witness(call, got, report.failure, session.implementation.name, law, seed)


def _verdict(report: Report, session: Search) -> tuple[Word, str]:
    """`within` needs the decisive laws and informative random cases where the class has them
    (docs/verdicts.md)."""
    by_name = {law.name: law for law in report.laws}
    failed = [law.name for law in report.laws if law.verdict == "outside"]
    if failed:
        return "outside", f"{', '.join(failed)}: {CLAIMS['outside']}"
    if session.fault:
        return "undecided", session.fault[1]
    unmodelled = session.room.system.unmodelled(session.arithmetic)
    if unmodelled:
        return "undecided", unmodelled
    if session.unless:
        return "undecided", f"some calls are outside if b and h are written to memory; {FUSED}"
    undecided = [name for name in session.decisive() if by_name[name].verdict != "within"]
    if undecided:
        return (
            "undecided",
            f"{', '.join(undecided)} did not run or decided nothing, so passing says little",
        )
    share = f"the allowance informs in only {report.informative:.0%} of the random cases"
    alone = session.decisive() == ["integer-cases"]
    if report.informative < 0.5 and not alone:
        signs = (
            session.arithmetic.word in ("log-space", "segment-exp:L", "scaled-cumsum")
            and session.domain.positive == "none"
        )
        return "undecided", share + (
            "; declare what must be positive (positive: lam or all)" if signs else ""
        )
    return "within", f"{CLAIMS['within']}; {_seen(report, session, share)}"


def _seen(report: Report, session: Search, share: str) -> str:
    """How far the search has looked, and what it did not see."""
    judged_up_to = [
        EXTENT.get(axis, axis + " {}").format(size) for axis, size in session.judged.items()
    ]
    short = (
        ""
        if session.judged.get("time", LONG[0]) >= LONG[0]
        else f"; no call had {LONG[0]} steps or more"
    )
    exact = f"; by integer cases alone, since {share}" if report.informative < 0.5 else ""
    unasked = {law.name for law in report.laws if law.verdict == "not offered"}
    named = _listed("; nothing can be told of ", session.given - session.informed) + _listed(
        "; never returned: ", session.lacking
    )
    return f"judged up to {', '.join(judged_up_to)}{short}{exact}{named}" + _listed(
        "; not offered: ", unasked
    )


def _listed(introduced: str, names: set[str]) -> str:
    return introduced + ", ".join(sorted(names)) if names else ""

"""`suite`: the laws as a pytest class in the user's own test file, one test per law and one for the verdict."""

from __future__ import annotations

import functools
import unittest
from collections.abc import Callable
from typing import Any

from scanproof.properties.check import CASES, check
from scanproof.properties.outcome import Report
from scanproof.properties.strategies import Domain
from scanproof.properties.suites import suite_of
from scanproof.reference.arithmetic import Arithmetic


def suite(
    system: str,
    implementation: Callable[..., Any],
    *,
    arithmetic: Arithmetic,
    domain: Domain | None = None,
    seed: int = 0,
    cases: int = CASES,
) -> type:
    """A class for pytest to collect; bind it to a name that starts with Test.

        TestMyScan = scanproof.suite("scan", my_scan, arithmetic=scanproof.Arithmetic("float32"))

    Arguments and errors as for `check`. The search runs once, when the first of its tests runs. A law that the
    implementation does not offer is skipped.
    """
    laws = suite_of(system).laws

    @functools.cache
    def report() -> Report:
        return check(system, implementation, arithmetic=arithmetic, domain=domain, seed=seed, cases=cases)

    tests: dict[str, Any] = {f"test_{law.name.replace('-', '_')}": _law_test(law, report) for law in laws}
    return type("Suite", (), tests | {"test_verdict": _verdict_test(report)})


def _law_test(law: Any, report: Callable[[], Report]) -> Callable[[Any], None]:
    def test(self: Any) -> None:
        found = next(result for result in report().laws if result.name == law.name)
        if found.verdict == "outside":
            raise AssertionError(f"{law.name}: outside: error/allowance {found.ratio:.3g}; {_failure(report())}")
        if found.verdict in ("not offered", "not run"):
            raise unittest.SkipTest(found.verdict)

    test.__doc__ = law.statement
    return test


def _verdict_test(report: Callable[[], Report]) -> Callable[[Any], None]:
    def test(self: Any) -> None:
        """The verdict over all laws is `within`."""
        if report().verdict != "within":
            raise AssertionError(str(report()) if report().fault else f"{report()}; {_failure(report())}")

    return test


def _failure(report: Report) -> str:
    """The smallest failing call in one line."""
    if report.fault:
        return report.fault[1]
    if not (report.failure and report.failure.worst and report.witness):
        return f"declared as {report.arithmetic}"
    worst, fits = report.failure.worst, report.not_refuted_under or "no declaration known"
    place = f"{worst.output} {worst.index}" if worst.output else f"{worst.index}"
    return (
        f"smallest failing call ({report.witness.law}): {report.witness.inputs().described()}; "
        f"at {place} got {worst.got!r}, truth {worst.truth!r}, allowance {worst.allowance:.3g}; it fits {fits}"
    )

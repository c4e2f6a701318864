"""`suite`: the laws as a pytest class in the user's own test file, one test per law and one for the verdict."""

from __future__ import annotations

import functools
import os
import shlex
import unittest
from collections.abc import Callable
from typing import Any

from scanproof.properties.check import CASES, check
from scanproof.properties.expm_verdict import OUTPUT as WHOLE_MATRIX
from scanproof.properties.outcome import Report
from scanproof.properties.strategies import Domain
from scanproof.properties.suites import suite_of
from scanproof.properties.witness import WITNESSES
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
            raise AssertionError(f"{law.name}: outside: error/allowance {found.ratio:.3g}; {_failure(report())}{_again()}")
        if found.verdict in ("not offered", "not run"):
            raise unittest.SkipTest(found.verdict)

    test.__doc__ = law.statement
    return test


def _verdict_test(report: Callable[[], Report]) -> Callable[[Any], None]:
    def test(self: Any) -> None:
        """The verdict over all laws is `within`."""
        if report().verdict != "within":
            told = "" if report().fault and not report().witness else f"; {_failure(report())}"
            raise AssertionError(f"{report()}{told}{_again()}")

    return test


def _failure(report: Report) -> str:
    """The smallest failing call in one line."""
    if not (report.failure and report.failure.worst and report.witness):
        return report.fault[1] if report.fault else f"declared as {report.arithmetic}"
    worst, fits = report.failure.worst, report.not_refuted_under or "no declaration known"
    norm = " (a 2-norm of the whole matrix)" if worst.output == WHOLE_MATRIX else ""
    place = f"{worst.output} {worst.index}" if worst.output else f"{worst.index}"
    return (
        f"smallest failing call ({report.witness.law}): {report.witness.inputs().described()}; "
        f"at {place} got {worst.got!r}, truth {worst.truth!r}, allowance {worst.allowance:.3g}{norm}; it fits {fits}; "
        f"{_written(report.witness)}"
    )


def _written(witness: Any) -> str:
    """Where the witness file is, and how to judge it again; where it cannot be written, the failure is still told."""
    try:
        path = witness.write(WITNESSES)
    except OSError as error:
        return f"no witness was written: {WITNESSES}: {error.strerror}"
    return f"witness: {path}; judge it again: scanproof judge {path}"


def _again() -> str:
    """The command that runs this test again, which finds the same call; pytest tells which test is running."""
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" (")[0]
    return f"; reproduce: python -m pytest {shlex.quote(test)}" if test else ""

"""`suite`: the laws as a pytest class in the user's own test file, a test a law, one of all."""

from __future__ import annotations

import functools
import os
import shlex
import unittest
from collections.abc import Callable
from typing import Any

from scanproof.properties.check import CASES, check
from scanproof.properties.domain import Domain
from scanproof.properties.judge import declaration
from scanproof.properties.laws import Law, laws_of
from scanproof.properties.outcome import Report
from scanproof.properties.systems import room_of
from scanproof.properties.witness import WITNESSES, Witness
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.call import System


def suite(
    system: str | System,
    implementation: Callable[..., Any],
    *,
    arithmetic: Arithmetic | None = None,
    domain: Domain | None = None,
    seed: int = 0,
    cases: int = CASES,
    **words: Any,
) -> type:
    """A class for pytest to collect; bind it to a name that starts with Test.

        TestMyScan = scanproof.suite("scan", my_scan, dtype="float32")

    Arguments and errors as for `check`. The search runs once, when the first of its tests runs.
    A law that the implementation does not offer is skipped.
    """
    room = room_of(system)
    declared = declaration(arithmetic, words, room.system)

    @functools.cache
    def report() -> Report:
        options: dict[str, Any] = {"domain": domain, "seed": seed, "cases": cases}
        return check(system, implementation, arithmetic=declared, **options)

    tests = {f"test_{law.name.replace('-', '_')}": _law_test(law, report) for law in laws_of(room)}
    return type("Suite", (), {**tests, "test_verdict": _verdict_test(report)})


def _law_test(law: Law, report: Callable[[], Report]) -> Callable[[Any], None]:
    def test(self: Any) -> None:
        found = next(result for result in report().laws if result.name == law.name)
        if found.verdict == "outside":
            text = f"{law.name}: outside: error/allowance {found.ratio:.3g}"
            raise AssertionError(f"{text}; {_failure(report())}{_again()}")
        if found.verdict in ("not offered", "not run"):
            raise unittest.SkipTest(found.verdict)

    test.__doc__ = law.statement
    return test


def _verdict_test(report: Callable[[], Report]) -> Callable[[Any], None]:
    def test(self: Any) -> None:
        """The verdict over all laws is `within`."""
        if report().verdict != "within":
            text = "" if report().fault and not report().witness else f"; {_failure(report())}"
            raise AssertionError(f"{report()}{text}{_again()}")

    return test


def _failure(report: Report) -> str:
    """The smallest failing call in one line."""
    failure, witness = report.failure, report.witness
    if failure is None or failure.worst is None or witness is None:
        return report.fault[1] if report.fault else f"declared as {report.arithmetic}"
    worst, norm = failure.worst, " (a 2-norm of the whole matrix)"
    return (
        f"smallest failing call ({witness.law}): {witness.call().described()}; "
        f"at {worst.output}[{worst.place}]: got {worst.got!r}, truth {worst.truth!r}, "
        f"allowance {worst.allowance:.3g}{norm if worst.matrix else ''}; "
        f"it fits {report.not_refuted_under or 'no declaration known'}; "
        f"still outside as {failure.weakest}; {_written(witness)}"
    )


def _written(witness: Witness) -> str:
    """Where the witness file is, and how to judge it again, or why it was not written."""
    try:
        path = witness.write(WITNESSES)
    except OSError as error:
        return f"no witness was written: {WITNESSES}: {error.strerror}"
    return f"witness: {path}; judge it again: scanproof judge {path}"


def _again() -> str:
    """The command that runs this test again; pytest tells which test is running."""
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" (")[0]
    return f"; reproduce: python -m pytest {shlex.quote(test)}" if test else ""

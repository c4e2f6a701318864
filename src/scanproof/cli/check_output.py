"""How `scanproof check` tells its outcome: a row a law, the verdict, how to see a failure again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from scanproof.cli.output import console, element, number, table, word
from scanproof.properties import recheck
from scanproof.properties.outcome import LawResult, Report
from scanproof.properties.verdict import ASSUMED, Verdict
from scanproof.reference.call import Call

COLUMNS = ("law", "verdict", "error/allowance", "within", "undecided", "outside", "not offered")
SHORT = 4  # numbers of an array that is shown in full
NONE = "none of the declarations known"
RECHECK = Path("properties/recheck")  # in a clone


def show(report: Report, witness: Path | None, command: str) -> None:
    """The human output."""
    out = console()
    title = f"{report.implementation} as {report.arithmetic}; seed {report.seed}\n"
    out.print(title, markup=False)
    if any(law.verdict != "not run" for law in report.laws):
        out.print(table(COLUMNS, [_row(law) for law in report.laws]))
    grade = f" ({report.failure.grade})" if report.failure and report.verdict == "outside" else ""
    out.print(f"\n{word(report.headline)}{grade}: ", end="")
    out.print(report.reason, markup=False)
    if report.fault and report.verdict == "outside":
        out.print(f"the search stopped early: {report.fault[1]}", markup=False)
    if report.judged:
        out.print(_measured(report), markup=False)
    for line in [*_unless(report, command), *_failure(report, witness, command)]:
        out.print(line, markup=False)


def _measured(report: Report) -> str:
    return (
        f"largest error/allowance {number(report.ratio)}, bits lost {number(report.bits_lost)}, "
        f"{_informative(report)}, "
        f"{report.rounded:.1%} of all elements correctly rounded, {report.seconds:.1f} s"
    )


def _informative(report: Report) -> str:
    if not report.random:
        return "no random case ran"
    return f"informative {report.informative:.0%} of the random cases"


def _unless(report: Report, command: str) -> Iterator[str]:
    """What an undecided report waits for."""
    if report.verdict == "undecided" and report.unless:
        yield f"\n  outside if declared     {report.unless}: {command} --{report.unless}"


def _failure(report: Report, witness: Path | None, command: str) -> Iterator[str]:
    """The worst element, its call, what it fits, and how to see it again."""
    failure = report.failure
    if failure is None or failure.worst is None or report.witness is None:
        return
    yield f"\n{element(failure.worst)}"
    if report.window:
        yield f"  window                  {report.window}"
    part = "part  " if report.window else "call  "
    yield f"  smallest failing {part} {written(report.witness.call())}"
    yield f"  failing calls fit       {report.not_refuted_under or NONE}"
    yield f"  still outside as        {failure.weakest}"
    if failure.grade == ASSUMED:
        yield f"  assumed constants       {admitting(failure)}"
    if witness:
        yield f"  witness                 {witness} (judge it again: scanproof judge {witness})"
        yield f"  recheck it without us   python {_recheck()} {witness}"
    yield f"  reproduce               {command}"


def _recheck() -> Path:
    """The folder that rechecks witnesses: any Python runs it, and it imports nothing of ours."""
    return RECHECK if (RECHECK / "__main__.py").exists() else Path(recheck.__path__[0])


def admitting(failure: Verdict) -> str:
    """Which factor on the assumed constants would admit the failing calls."""
    needed, assumed = failure.assumed_needed, failure.arithmetic.assumed
    if needed is None:
        return "no factor on them makes the failing calls fit"
    small = ", so they may be too small" if needed <= 4 * assumed else ""
    return f"factor {needed:.3g} would admit the failing calls{small} (--assumed)"


def written(call: Call) -> str:
    """The call as a user would write it: short arrays in full, others by their shape."""
    words = [
        f"{name}={_flat(x)}" if x.size <= SHORT else f"{name} of shape {x.shape}"
        for name, x in call.arguments.items()
    ]
    return " ".join([*words, "reverse=True"] if call.reverse else words)


def _flat(x: Any) -> str:
    """A short array on one line."""
    wide = x if x.dtype.name != "bfloat16" else x.astype(np.float32)
    lines = np.array2string(wide, separator=", ", max_line_width=10**6).splitlines()
    return "".join(line.strip() for line in lines)


def _row(law: LawResult) -> tuple[object, ...]:
    """Calls of a law that was not put to the test say nothing: only those not offered are shown."""
    if law.verdict in ("not offered", "not run"):
        return (law.name, law.verdict, "", "", "", "", law.counts["not offered"])
    counts = (law.counts[name] for name in COLUMNS[3:])
    return (law.name, law.verdict, number(law.ratio), *counts)


def junit(report: Report) -> str:
    """JUnit XML, a test case per law; undecided laws and those not run are skipped ones."""
    name = report.implementation
    title = {"name": f"scanproof {name}", "tests": str(len(report.laws) + bool(report.fault))}
    suite = ElementTree.Element("testsuite", title)
    for law in report.laws:
        attributes = {"classname": name, "name": law.name, "time": f"{law.seconds:.3f}"}
        case = ElementTree.SubElement(suite, "testcase", attributes)
        if law.verdict == "outside":
            message = f"outside: error/allowance {number(law.ratio)}; {law.statement}"
            ElementTree.SubElement(case, "failure", message=message)
        elif law.verdict != "within":
            ElementTree.SubElement(case, "skipped", message=law.verdict)
    if report.fault:
        case = ElementTree.SubElement(suite, "testcase", classname=name, name="contract")
        ElementTree.SubElement(case, "error", message=report.fault[1])
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"

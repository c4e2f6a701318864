"""`scanproof check`: run the laws on an implementation in a process of its own, print what they found."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from scanproof.cli.app import ACCEPTED, BROKEN, REJECTED, UNDECIDED
from scanproof.cli.declared import options
from scanproof.cli.output import console, number, print_json, progress, table, word
from scanproof.properties.check import check as run_check
from scanproof.properties.expm_verdict import OUTPUT as WHOLE_MATRIX
from scanproof.properties.expm_witness import ExpmWitness
from scanproof.properties.findings import Element
from scanproof.properties.layer_witness import LayerWitness
from scanproof.properties.outcome import LawResult, Report
from scanproof.properties.strategies import Domain
from scanproof.properties.suites import suite_of
from scanproof.properties.verdict import ASSUMED, Verdict
from scanproof.properties.witness import WITNESSES, Witness, write_atomically
from scanproof.properties.worker import Worker
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Inputs


def run(
    system: str,
    target: str,
    arithmetic: Arithmetic,
    domain: Domain,
    seed: int,
    cases: int,
    laws: Sequence[str] | None,
    as_json: bool,
    junitxml: Path | None,
    quiet: bool,
) -> int:
    """Checks `target` and returns the exit code."""
    worker = Worker(target, arithmetic)
    try:
        with progress(len(laws or suite_of(system).laws), quiet or as_json) as (bar, task):
            report = run_check(
                system, worker, arithmetic=arithmetic, domain=domain, seed=seed, cases=cases, laws=laws,
                progress=lambda law, done, total: bar.update(task, description=law, completed=done),
            )  # fmt: skip
    finally:
        worker.close()
    witness = written(report)
    command = reproduce(report, domain)
    if junitxml:
        write_atomically(junitxml, junit(report))
    if as_json:
        print_json(as_dict(report, witness, command))
    elif quiet:
        console().print(word(report.headline))
    else:
        show(report, witness, command)
    return exit_code(report)


def written(report: Report) -> Path | None:
    """The witness file of a failure; where it cannot be written, the verdict is still told."""
    try:
        return report.witness.write(WITNESSES) if report.witness else None
    except OSError as error:
        print(f"scanproof: no witness was written: {WITNESSES}: {error.strerror}", file=sys.stderr)
        return None


def exit_code(report: Report) -> int:
    """0 within, 1 outside or a broken contract, 3 undecided, 4 crashed or hung."""
    if report.verdict == "outside":
        return REJECTED
    if report.fault:
        return REJECTED if report.fault[0] == "contract" else BROKEN
    return ACCEPTED if report.verdict == "within" else UNDECIDED


def reproduce(report: Report, domain: Domain) -> str:
    """The command that finds the same thing again."""
    first = next((law.name for law in report.laws if law.verdict == "outside"), None)
    words = ["scanproof", "check", report.implementation, "--system", report.system, *options(report.arithmetic)]
    words += [] if domain.lam == "both" else ["--lam", domain.lam]
    words += [] if domain.positive == "none" else ["--positive", domain.positive]
    for name in ("lengths", "channels", "states"):
        accepted = getattr(domain, name)
        words += [f"--{name}", ranges(accepted)] if accepted else []
    words += ["--seed", str(report.seed), "--cases", str(report.cases)]
    return shlex.join(words + (["--law", first] if first else []))


def ranges(accepted: frozenset[int]) -> str:
    """{1, 2, 3, 8} as 1-3,8."""
    runs: list[list[int]] = []
    for n in sorted(accepted):
        if runs and n == runs[-1][1] + 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in runs)


def show(report: Report, witness: Path | None, command: str) -> None:
    """The human output: a row per law, the verdict, and for a failure everything needed to see it again."""
    out = console()
    out.print(f"{report.implementation} as {report.arithmetic}; seed {report.seed}\n", markup=False)
    columns = ("law", "verdict", "error/allowance", "within", "undecided", "outside", "not offered")
    if any(law.verdict != "not run" for law in report.laws):
        out.print(table(columns, [_row(law) for law in report.laws]))
    grade = f" ({report.failure.grade})" if report.failure and report.verdict == "outside" else ""
    out.print(f"\n{word(report.headline)}{grade}: ", end="")
    out.print(report.reason, markup=False)
    if report.fault and report.verdict == "outside":
        out.print(f"the search stopped early: {report.fault[1]}", markup=False)
    if report.judged:
        out.print(
            f"largest error/allowance {number(report.ratio)}, bits lost {number(report.bits_lost)}, "
            f"informative {report.informative:.0%} of the random cases, "
            f"{report.rounded:.1%} of all elements correctly rounded, {report.seconds:.1f} s"
        )
    if report.failure and report.failure.worst and report.witness:
        out.print(f"\n{element(report.failure.worst)}", markup=False)
        if report.window:
            out.print(f"  window                  {report.window}", markup=False)
        out.print(f"  smallest failing {'part  ' if report.window else 'call  '} {call(report.witness)}", markup=False)
        rescue = report.not_refuted_under or "none of the declarations known"
        out.print(f"  failing calls fit       {rescue}", markup=False)
        if report.failure.grade == ASSUMED:
            out.print(f"  assumed constants       {admitting(report.failure)}", markup=False)
        out.print(f"  witness                 {witness} (judge it again: scanproof judge {witness})", markup=False)
        out.print(f"  reproduce               {command}", markup=False)


def admitting(failure: Verdict) -> str:
    """Which factor on the assumed constants would admit the failing calls."""
    needed, assumed = failure.assumed_needed, failure.arithmetic.assumed
    if needed is None:
        return "no factor on them makes the failing calls fit"
    small = ", so they may be too small" if needed <= 4 * assumed else ""
    return f"factor {needed:.3g} would admit the failing calls{small} (--assumed)"


def call(witness: Witness | LayerWitness | ExpmWitness) -> str:
    """The call as a user would write it: short arrays in full, others by their shape."""
    inputs = witness.inputs()
    if not isinstance(inputs, Inputs):
        return inputs.described()
    given = {"lam": inputs.lam, "b": inputs.b, "h0": inputs.h0}
    words = [
        f"{name}={_flat(x)}" if x.size <= 4 else f"{name} of shape {x.shape}"
        for name, x in given.items()
        if x is not None
    ]
    return " ".join([*words, "reverse=True"] if inputs.reverse else words)


def _flat(x: Any) -> str:
    """A short array on one line."""
    wide = x if x.dtype.name != "bfloat16" else x.astype(np.float32)
    return "".join(line.strip() for line in np.array2string(wide, separator=", ", max_line_width=10**6).splitlines())


def element(worst: Element) -> str:
    """The worst element in one line."""
    if worst.output:
        place = f"{worst.output}[{', '.join(map(str, worst.index))}]"
    else:
        batch, step, channel = worst.index
        place = f"batch {batch}, step {step}, channel {channel}"
    norms = " (2-norms of the whole matrix)" if worst.output == WHOLE_MATRIX else ""
    return (
        f"  at {place}: got {worst.got!r}, truth {worst.truth!r}, "
        f"error {worst.error:.3g}, allowance {worst.allowance:.3g}{norms}"
    )


def as_dict(report: Report, witness: Path | None, command: str) -> dict[str, Any]:
    """The machine-readable form."""
    return {
        "format": "scanproof-check/1",
        "implementation": report.implementation,
        "arithmetic": report.arithmetic.words(),
        "seed": report.seed,
        "verdict": report.verdict,
        "grade": report.failure.grade if report.failure else None,
        "reason": report.reason,
        "fault": {"kind": report.fault[0], "message": report.fault[1]} if report.fault else None,
        "judged": report.judged,
        "ratio": report.ratio,
        "bits_lost": report.bits_lost,
        "rounded": report.rounded,
        "informative": report.informative,
        "laws": [
            {"name": law.name, "statement": law.statement, "verdict": law.verdict, "ratio": law.ratio, "counts": law.counts}
            for law in report.laws
        ],
        "failure": report.failure.as_dict() if report.failure else None,
        "window": report.window,
        "not_refuted_under": report.not_refuted_under,
        "witness": str(witness) if witness else None,
        "reproduce": command,
        "seconds": report.seconds,
        "exit_code": exit_code(report),
    }


def junit(report: Report) -> str:
    """JUnit XML: one test case per law; undecided laws and those that did not run are skipped ones."""
    suite = ElementTree.Element("testsuite", name=f"scanproof {report.implementation}", tests=str(len(report.laws)))
    for law in report.laws:
        names = {"classname": report.implementation, "name": law.name}
        case = ElementTree.SubElement(suite, "testcase", names, time=f"{law.seconds:.3f}")
        if law.verdict == "outside":
            ElementTree.SubElement(case, "failure", message=f"outside: error/allowance {number(law.ratio)}; {law.statement}")
        elif law.verdict != "within":
            ElementTree.SubElement(case, "skipped", message=law.verdict)
    if report.fault:
        case = ElementTree.SubElement(suite, "testcase", classname=report.implementation, name="contract")
        ElementTree.SubElement(case, "error", message=report.fault[1])
        suite.set("tests", str(len(report.laws) + 1))
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _row(law: LawResult) -> tuple[object, ...]:
    """Calls of a law that was not put to the test say nothing about it: only those not offered are shown."""
    if law.verdict in ("not offered", "not run"):
        return (law.name, law.verdict, "", "", "", "", law.counts["not offered"])
    counts = (law.counts[name] for name in ("within", "undecided", "outside", "not offered"))
    return (law.name, law.verdict, number(law.ratio), *counts)

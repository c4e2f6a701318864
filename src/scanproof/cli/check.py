"""What `scanproof check` does: run the laws in a process of its own, tell what they found."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from scanproof.cli import accepted
from scanproof.cli.check_output import junit, show
from scanproof.cli.declared import options
from scanproof.cli.exits import BROKEN, OF_VERDICT, REJECTED
from scanproof.cli.output import console, print_json, progress, word
from scanproof.properties.check import check as run_check
from scanproof.properties.domain import Domain
from scanproof.properties.files import write_atomically
from scanproof.properties.laws import laws_of
from scanproof.properties.outcome import Report
from scanproof.properties.systems import room_of
from scanproof.properties.witness import WITNESSES
from scanproof.properties.worker import Worker
from scanproof.reference.arithmetic.declaration import Arithmetic


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
    count = len(laws or laws_of(room_of(system)))
    try:
        with progress(count, quiet or as_json) as (bar, task):
            report = run_check(
                system,
                worker,
                arithmetic=arithmetic,
                domain=domain,
                seed=seed,
                cases=cases,
                laws=laws,
                progress=lambda law, done, total: bar.update(task, description=law, completed=done),
            )
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
    if report.fault and report.verdict != "outside":
        return REJECTED if report.fault[0] == "contract" else BROKEN
    return OF_VERDICT[report.verdict]


def reproduce(report: Report, domain: Domain) -> str:
    """The command that finds the same thing again."""
    first = next((law.name for law in report.laws if law.verdict == "outside"), None)
    words = ["scanproof", "check", report.implementation, "--system", report.system]
    words += options(report.arithmetic) + accepted.options(domain)
    words += ["--seed", str(report.seed), "--cases", str(report.cases)]
    return shlex.join(words + (["--law", first] if first else []))


def as_dict(report: Report, witness: Path | None, command: str) -> dict[str, Any]:
    """The machine-readable form."""
    laws = [
        {
            "name": law.name,
            "statement": law.statement,
            "verdict": law.verdict,
            "ratio": law.ratio,
            "counts": law.counts,
        }
        for law in report.laws
    ]
    failure, fault = report.failure, report.fault
    return {
        "format": "scanproof-check/1",
        "system": report.system,
        "implementation": report.implementation,
        "arithmetic": asdict(report.arithmetic),
        "seed": report.seed,
        "verdict": report.verdict,
        "grade": failure.grade if failure else None,
        "reason": report.reason,
        "unless": report.unless,
        "fault": {"kind": fault[0], "message": fault[1]} if fault else None,
        "judged": report.judged,
        "ratio": report.ratio,
        "bits_lost": report.bits_lost,
        "rounded": report.rounded,
        "informative": report.informative,
        "laws": laws,
        "failure": failure.as_dict() if failure else None,
        "window": report.window,
        "not_refuted_under": report.not_refuted_under,
        "weakest": failure.weakest if failure else None,
        "witness": str(witness) if witness else None,
        "reproduce": command,
        "seconds": report.seconds,
        "exit_code": exit_code(report),
    }

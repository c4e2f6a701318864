"""The pieces of work of `scanproof verify`, each a function that a process of the pool runs.

Each returns rows of the report.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from scanproof.benchmarks.peers import PEERS
from scanproof.benchmarks.peers.subject import Arguments, Subject
from scanproof.properties.check import check
from scanproof.properties.compare import compare
from scanproof.properties.implementation import InProcess
from scanproof.properties.outcome import Report
from scanproof.properties.systems import room_of
from scanproof.properties.verdict import judged
from scanproof.properties.worker import load
from scanproof.reference.allowance.certificate import whole
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.call import Call, called
from scanproof.reference.inputs import Array
from scanproof.reference.systems import speaks, system_of
from scanproof.report.model import (
    CheckRow,
    GoldenRow,
    Growth,
    LawRow,
    LemmaRow,
    MutantRow,
    RecordingRow,
)


def check_subject(subject: Subject, seed: int, cases: int, witnesses: Path) -> list[CheckRow]:
    """All laws on one implementation."""
    row = CheckRow(
        implementation=subject.name,
        ours=subject.ours,
        declared=str(subject.arithmetic),
        dtype=subject.arithmetic.dtype,
        system=subject.system,
        finding=subject.finding,
        verdict="not run",
        reason=subject.missing or "",
    )
    if subject.missing:
        return [row]
    words: dict[str, Any] = {"arithmetic": subject.arithmetic, "domain": subject.domain}
    report = check(subject.system, load(subject.target), seed=seed, cases=cases, **words)
    found = {
        "verdict": report.verdict,
        "reason": report.reason,
        "ratio": report.ratio,
        "bits_lost": report.bits_lost,
        "informative": report.informative,
        "rounded": report.rounded,
        "laws": [_law(law) for law in report.laws],
        "grade": report.failure.grade if report.failure else None,
        "not_refuted_under": report.not_refuted_under,
        "witness": written(report, witnesses),
        "seconds": report.seconds,
    }
    return [row.model_copy(update=found)]


def _law(law: Any) -> LawRow:
    return LawRow.model_validate(vars(law) | {"ratio": law.ratio}, extra="ignore")


def written(report: Report, witnesses: Path) -> str | None:
    """The file of a report's witness, if it has one."""
    return str(report.witness.write(witnesses)) if report.witness else None


def reject_fault(
    system: str, name: str, dtype: str, seed: int, cases: int, witnesses: Path
) -> list[MutantRow]:
    """All laws on one deliberately wrong implementation."""
    fault = next(each for each in room_of(system).faults() if each.name == name)
    words: Any = {"stages": "formed"} if speaks(system_of(system), "stages") else {}
    declared = Arithmetic(dtype, **words)
    report = check(system, fault.implementation, arithmetic=declared, seed=seed, cases=cases)
    return [
        MutantRow(
            system=system,
            name=name,
            fault=fault.behaviour,
            dtype=dtype,
            verdict=report.verdict,
            caught_by=caught(report),
            ratio=report.ratio,
            ratios=[law.ratio for law in report.laws if law.verdict != "not offered"],
            witness=written(report, witnesses),
        )
    ]


def caught(report: Report) -> list[str]:
    """The laws that reject an implementation."""
    return [law.name for law in report.laws if law.verdict == "outside"]


def prove_lemma(name: str) -> list[LemmaRow]:
    """One lemma."""
    from scanproof import proofs

    result = proofs.prove(next(lemma for lemma in proofs.lemmas() if lemma.name == name))
    return [
        LemmaRow(
            name=result.name,
            status=result.status,
            statement=result.statement,
            source=result.source,
            method=result.method,
            N=result.N,
            claims=len(result.claims),
            mutants=sum(claim.mutants for claim in result.claims),
            seconds=result.seconds,
            reason=result.reason,
        )
    ]


def golden(subject: Subject) -> list[GoldenRow]:
    """One implementation on the golden cases of its dtype."""
    from scanproof.golden import judging, store

    dtype = subject.arithmetic.dtype
    row = GoldenRow(
        implementation=subject.name, dtype=dtype, verdict="not run", reason=subject.missing or ""
    )
    if subject.missing:
        return [row]
    asked = InProcess(load(subject.target), subject.arithmetic)
    cases = [case for case in store.published(subject.system) if case.dtype == dtype]
    answers = {case.id: asked.call(case.call()) for case in cases}
    found = judging.judge(cases, answers, {dtype: subject.arithmetic})
    judged_words = {"verdict": found.verdict, "reason": found.reason, "counts": found.counts()}
    return [row.model_copy(update=judged_words)]


# ---------------------------------------------------------------- inputs that nobody here made


def recordings(subject: Subject) -> list[RecordingRow]:
    """One implementation on the recordings that matplotlib's wheel ships."""
    return [row for name in recorded() for row in _recording(subject, name)]


def recorded() -> dict[str, Array]:
    """An EEG, 4 channels of 800 steps, and 12 stretches of 1000 steps of a membrane potential.

    (batch, time, channels) float64 each.
    """
    from matplotlib import get_data_path

    folder = Path(get_data_path()) / "sample_data"
    eeg = np.fromfile(folder / "eeg.dat", float).reshape(1, 800, 4)
    membrane = np.fromfile(folder / "membrane.dat", np.float32).astype(float).reshape(12, 1000, 1)
    return {"eeg.dat": eeg, "membrane.dat": membrane}


def _recording(subject: Subject, name: str) -> list[RecordingRow]:
    """[] where that is not offered."""
    row = RecordingRow(
        recording=name,
        implementation=subject.name,
        dtype=subject.arithmetic.dtype,
        verdict="not run",
        reason=subject.missing or "",
    )
    drive = PEERS[subject.system].recorded
    if subject.missing or drive is None:
        return [row]
    call = _call(subject, drive(recorded()[name], subject.arithmetic))
    got = InProcess(load(subject.target), subject.arithmetic).call(call)
    if got is None:
        return []
    verdict = judged(got, call, subject.arithmetic)
    judged_words = {
        word: getattr(verdict, word) for word in ("verdict", "reason", "ratio", "bits_lost")
    }
    return [row.model_copy(update=judged_words | {"steps": call.size("time")})]


def growth(subject: Subject, seed: int) -> list[Growth]:
    """Largest error and allowance up to each power of two, over the rms of the states."""
    growing = PEERS[subject.system].growth
    if subject.missing or growing is None:
        return []
    call = _call(subject, growing.arguments(subject.arithmetic, seed))
    got = InProcess(load(subject.target), subject.arithmetic).call(call)
    if got is None:
        return []
    name = next(iter(call.system.result))
    exact = whole(call, subject.arithmetic)[name]
    found = compare(got[name], exact)
    rms = float(np.sqrt((np.abs(exact.truth.head) ** 2).mean()))
    lengths = [2**k for k in range(1, call.size("time").bit_length())]
    return [
        Growth(
            implementation=subject.name,
            dtype=subject.arithmetic.dtype,
            modulus=growing.modulus,
            lengths=lengths,
            error=[float(found.error[0, :n].max()) / rms for n in lengths],
            allowance=[float(found.bound[0, :n].max()) / rms for n in lengths],
        )
    ]


def _call(subject: Subject, arguments: Arguments) -> Call:
    return called(system_of(subject.system), arguments, subject.arithmetic.dtype)

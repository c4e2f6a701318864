"""The pieces of work of `scanproof verify`, each a function that a process of the pool runs; each returns rows of the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from scanproof.benchmarks.peers.peers import Subject
from scanproof.cli.verify_layers import layer_recording
from scanproof.properties.check import check
from scanproof.properties.compare import compare
from scanproof.properties.implementation import InProcess
from scanproof.properties.verdict import judge_inputs
from scanproof.properties.versions.scan import MUTANTS
from scanproof.properties.worker import load
from scanproof.reference.allowance.rounding import allowance
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Array, Inputs
from scanproof.reference.systems import LAYERS
from scanproof.reference.truth import truth
from scanproof.report.model import CheckRow, GoldenRow, Growth, LawRow, LemmaRow, MutantRow, RecordingRow

GROWTH_STEPS = 4096
GROWTH_MODULUS = 1 - 2.0**-10


def check_subject(subject: Subject, seed: int, cases: int, witnesses: Path) -> list[CheckRow]:
    """All laws on one implementation."""
    dtype, declared = subject.arithmetic.dtype, str(subject.arithmetic)
    row = CheckRow(
        implementation=subject.name,
        ours=subject.ours,
        declared=declared,
        dtype=dtype,
        system=subject.system,
        finding=subject.finding,
        verdict="not run",
        reason=subject.missing or "",
    )
    if subject.missing:
        return [row]
    function = load(subject.target)
    report = check(subject.system, function, arithmetic=subject.arithmetic, domain=subject.domain, seed=seed, cases=cases)
    found = {
        "verdict": report.verdict,
        "reason": report.reason,
        "ratio": report.ratio,
        "bits_lost": report.bits_lost,
        "informative": report.informative,
        "rounded": report.rounded,
        "laws": [LawRow.model_validate(vars(law) | {"ratio": law.ratio}, extra="ignore") for law in report.laws],
        "grade": report.failure.grade if report.failure else None,
        "not_refuted_under": report.not_refuted_under,
        "witness": str(report.witness.write(witnesses)) if report.witness else None,
        "seconds": report.seconds,
    }
    return [row.model_copy(update=found)]


def reject_mutant(name: str, dtype: str, seed: int, cases: int, witnesses: Path) -> list[MutantRow]:
    """All laws on one deliberately wrong scan."""
    mutant = next(m for m in MUTANTS if m.name == name)
    report = check("scan", mutant.scan, arithmetic=Arithmetic(dtype), seed=seed, cases=cases)
    return [
        MutantRow(
            name=name,
            fault=mutant.fault,
            dtype=dtype,
            verdict=report.verdict,
            caught_by=[law.name for law in report.laws if law.verdict == "outside"],
            ratio=report.ratio,
            ratios=[law.ratio for law in report.laws if law.verdict != "not offered"],
            witness=str(report.witness.write(witnesses)) if report.witness else None,
        )
    ]


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

    row = GoldenRow(implementation=subject.name, dtype=subject.arithmetic.dtype, verdict="not run", reason=subject.missing or "")
    if subject.missing:
        return [row]
    call = InProcess(load(subject.target), subject.arithmetic)
    cases = [case for case in store.published(subject.system) if case.dtype == row.dtype]
    answers = {case.id: call.call(case.inputs()) for case in cases}
    result = judging.judge(cases, answers, {row.dtype: subject.arithmetic})
    return [row.model_copy(update={"verdict": result.verdict, "reason": result.reason, "counts": result.counts()})]


def recordings(subject: Subject) -> list[RecordingRow]:
    """One implementation on the recordings that matplotlib's wheel ships: an EEG and a membrane potential."""
    dtype = subject.arithmetic.dtype
    if subject.missing:
        missing = {"implementation": subject.name, "dtype": dtype, "verdict": "not run", "reason": subject.missing}
        return [RecordingRow.model_validate({"recording": name, **missing}) for name in recorded()]
    if subject.system in LAYERS:
        return [row for name, signal in recorded().items() for row in layer_recording(subject, name, signal)]
    call = InProcess(load(subject.target), subject.arithmetic)
    rows = []
    for name, signal in recorded().items():
        inputs = filtered(signal, subject.arithmetic)
        got = call.call(inputs)
        if got is not None:
            verdict = judge_inputs(got, inputs, subject.arithmetic)
            rows.append(
                RecordingRow(
                    recording=name,
                    implementation=subject.name,
                    dtype=dtype,
                    verdict=verdict.verdict,
                    reason=verdict.reason,
                    ratio=verdict.ratio,
                    bits_lost=verdict.bits_lost,
                    steps=inputs.b.shape[1],
                )
            )
    return rows


def recorded() -> dict[str, Array]:
    """(batch, time, channels) float64 each: 4 EEG channels of 800 steps, 12 stretches of 1000 steps of a membrane potential."""
    from matplotlib import get_data_path

    folder = Path(get_data_path()) / "sample_data"
    eeg = np.fromfile(folder / "eeg.dat", float).reshape(1, 800, 4)
    membrane = np.fromfile(folder / "membrane.dat", np.float32).astype(float).reshape(12, 1000, 1)
    return {"eeg.dat": eeg, "membrane.dat": membrane}


def filtered(signal: Array, arithmetic: Arithmetic) -> Inputs:
    """The recording under one decay per channel, from 1 - 2^-3 to 1 - 2^-12; complex dtypes turn by 0.3 a step as well."""
    decay = 1 - 2.0 ** -np.linspace(3, 12, signal.shape[2])
    lam = decay * np.exp(0.3j) if arithmetic.is_complex else decay
    return Inputs(lam.astype(arithmetic.dtype), signal.astype(arithmetic.dtype))


def growth(subject: Subject, seed: int) -> list[Growth]:
    """Largest error and allowance up to each power of two, over the rms of the states."""
    if subject.missing:
        return []
    inputs = growth_inputs(subject.arithmetic, seed)
    got = InProcess(load(subject.target), subject.arithmetic).call(inputs)
    if got is None:
        return []
    exact, bound = truth(inputs), allowance(inputs, subject.arithmetic)
    error = compare(got, inputs, exact, bound).error[0, :, 0]
    rms = float(np.sqrt((np.abs(exact.head) ** 2).mean()))
    lengths = [2**k for k in range(1, GROWTH_STEPS.bit_length())]
    return [
        Growth(
            implementation=subject.name,
            dtype=subject.arithmetic.dtype,
            modulus=GROWTH_MODULUS,
            lengths=lengths,
            error=[float(error[:n].max()) / rms for n in lengths],
            allowance=[float(bound.bound[0, :n, 0].max()) / rms for n in lengths],
        )
    ]


def growth_inputs(arithmetic: Arithmetic, seed: int) -> Inputs:
    """Standard normal input of one channel, |lam| = 1 - 2^-10."""
    rng: Any = np.random.default_rng(seed)
    lam = np.array([GROWTH_MODULUS * np.exp(0.3j) if arithmetic.is_complex else GROWTH_MODULUS])
    b = rng.standard_normal((1, GROWTH_STEPS, 1))
    if arithmetic.is_complex:
        b = b + 1j * rng.standard_normal(b.shape)
    return Inputs(lam.astype(arithmetic.dtype), b.astype(arithmetic.dtype))

"""`scanproof verify`: lemmas, implementations, mutants and recordings, side by side in several processes, into one report.

Then, alone on the machine, a short benchmark and, if asked for, the papers' claims as experiments.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from threadpoolctl import threadpool_limits

import scanproof
from scanproof.benchmarks.peers import PEERS, subjects
from scanproof.benchmarks.peers.subject import Subject
from scanproof.benchmarks.speed.cases import SHORT, chosen
from scanproof.benchmarks.speed.speed import ROUNDS
from scanproof.cli import bench
from scanproof.cli.doctor import machine
from scanproof.cli.exits import ACCEPTED, REJECTED
from scanproof.cli.output import console, number, print_json, progress, table
from scanproof.cli.verify_jobs import (
    check_subject,
    golden,
    growth,
    prove_lemma,
    recordings,
    reject_fault,
)
from scanproof.cli.verify_versions import judge_version
from scanproof.golden.recipes import COLLECTIONS
from scanproof.properties.systems import ROOMS
from scanproof.properties.versions.versions import VERSIONS
from scanproof.report import write
from scanproof.report.claims_model import NAME, Claims
from scanproof.report.model import CheckRow, RunReport
from scanproof.report.tables import tally

FEWER = 4  # faults are easier to find than to be free of: of so many cases, one is tried
FEWEST = 10  # and for versions of layers, whose laws are many
SECTIONS = ("lemmas", "checks", "mutants", "versions", "recordings", "golden", "growth")
PASSED = ("nearest", "within", "not run")


class Job(NamedTuple):
    """One piece of work for the pool: which list of the report its rows belong to, and the call."""

    section: str
    what: str
    function: Callable[..., list[Any]]
    arguments: tuple[Any, ...]


def run(seed: int, cases: int, folder: Path, claims: bool, as_json: bool, quiet: bool) -> int:
    """Does all the work, writes the report and returns the exit code: 0 only if everything is accepted; claims have no say."""
    started, clock = datetime.now(UTC).isoformat(timespec="seconds"), time.perf_counter()
    rows: dict[str, Any] = _collect(jobs(seed, cases, folder / "witness"), quiet or as_json)
    rows["speed"] = bench.measure(chosen(list(SHORT)), ROUNDS, None, quiet or as_json)  # when nothing else runs any more
    found = measure_claims(seed, quiet or as_json) if claims else None
    faults = find_faults(rows)
    report = RunReport(
        scanproof=scanproof.__version__,
        command=f"scanproof verify --seed {seed} --cases {cases}" + " --claims" * claims,
        seed=seed,
        started=started,
        seconds=time.perf_counter() - clock,
        machine=machine(),
        accepted=not faults,
        faults=faults,
        claims=found,
        **rows,
    )
    page = write(report, folder)
    if as_json:
        print_json(report.model_dump())
    elif quiet:
        console().print("accepted" if report.accepted else "not accepted")
    else:
        show(report, page)
    return ACCEPTED if report.accepted else REJECTED


def measure_claims(seed: int, quiet: bool) -> Claims:
    """The papers' claims as experiments, with a progress bar."""
    from scanproof.benchmarks.claims import claims

    with progress(claims.STEPS, quiet) as (bar, task):
        return claims.measure(seed, tell=lambda text: bar.update(task, advance=1, description=text))


def jobs(seed: int, cases: int, witnesses: Path) -> list[Job]:
    """All work, the longest first."""
    from scanproof import proofs

    asked = [subject for subject in subjects() if not subject.slow]
    known, fewest = {version.name for version in VERSIONS}, max(1, cases // FEWEST)
    faults = [(name, fault) for name, room in ROOMS.items() for fault in room.faults()]
    wrong = [
        (name, fault.name, dtype, seed, max(1, cases // FEWER), witnesses)
        for name, fault in faults
        if fault.name not in known  # those are told apart as versions
        for dtype in fault.dtypes
    ]
    return [
        *(Job("checks", s.name, check_subject, (s, seed, _tried(s, cases), witnesses))
          for s in sorted(asked, key=lambda s: s.needs is None)),
        *(Job("versions", v.name, judge_version, (v.name, seed, fewest, witnesses)) for v in VERSIONS),
        *(Job("lemmas", lemma.name, prove_lemma, (lemma.name,)) for lemma in proofs.lemmas()),
        *(Job("mutants", f"{each[0]}: {each[1]}", reject_fault, each) for each in wrong),
        *(Job("recordings", s.name, recordings, (s,)) for s in asked if PEERS[s.system].recorded),
        *(Job("golden", s.name, golden, (s,)) for s in asked if s.system in COLLECTIONS),
        *(Job("growth", s.name, growth, (s, seed)) for s in asked if PEERS[s.system].growth),
    ]  # fmt: skip


def _tried(subject: Subject, cases: int) -> int:
    return max(1, cases // PEERS[subject.system].share)


def find_faults(rows: dict[str, list[Any]]) -> list[str]:
    """Why the run is not accepted, one line each; what was not run is reported as such."""
    return [
        *(f"lemma {r.name}: {r.status}: {r.reason}" for r in rows["lemmas"] if r.status != "proved"),
        *(_fault(r) for r in rows["checks"] if r.verdict not in (*PASSED, *_known(r))),
        *(_fault(r, f" on {r.recording}") for r in rows["recordings"] if r.verdict not in (*PASSED, *_silent(r))),
        *(_fault(r, " on golden cases") for r in rows["golden"] if r.verdict not in PASSED),
        *(f"{r.contestant} on {r.case}: {r.verdict}: {r.reason}" for r in rows["speed"] if r.verdict == "outside"),
        *(f"version {r.name}: {r.found}, expected {r.expected}" for r in rows["versions"] if r.found != r.expected),
        *(f"mutant {r.name} ({r.dtype}) was not rejected: {r.fault}" for r in rows["mutants"] if r.verdict != "outside"),
    ]  # fmt: skip


def _fault(row: Any, on: str = "") -> str:
    return f"{row.implementation} ({row.dtype}){on}: {row.verdict}: {row.reason}"


def _known(row: CheckRow) -> tuple[str, ...]:
    """What is as it should be of an implementation that is known to be wrong."""
    return ("outside",) if row.finding else ()


def _silent(row: Any) -> tuple[str, ...]:
    """What is as it must be where allowances tell nothing about recordings."""
    silent = {(s.name, s.arithmetic.dtype) for s in subjects() if not PEERS[s.system].decided(s.arithmetic)}
    return ("undecided",) if (row.implementation, row.dtype) in silent else ()


def show(report: RunReport, page: Path) -> None:
    """The human summary; the page has the rest."""
    out = console()
    for columns, rows in _tables(report):
        out.print(table(columns, rows))
        out.print()
    bench.show(report.speed)
    if report.claims:
        out.print(table(("word", "claim"), [(row.word, row.claim) for row in report.claims.rows]))
        out.print(f"what was measured, and pictures: {page.with_name(NAME)}", markup=False)
    for fault in report.faults:
        out.print(f"\n{fault}", markup=False)
    out.print(f"\n{conclusion(report)}\nreport: {page}")


def _tables(report: RunReport) -> Iterator[tuple[tuple[str, ...], list[tuple[object, ...]]]]:
    """Columns and rows of every section."""
    yield ("lemma", "status", "by", "time"), [
        (r.name, r.status, f"claims {r.claims}, mutants refuted {r.mutants}", f"{r.seconds:.1f} s") for r in report.lemmas
    ]
    yield ("implementation", "declared", "verdict", "error/allowance", "bits lost", "informative", "rounded", "time"), [
        (r.implementation, r.declared, r.verdict, *_figures(r)) for r in report.checks
    ]
    yield ("implementation", "recording", "verdict", "error/allowance"), [
        (f"{r.implementation} {r.dtype}", r.recording, r.verdict, r.reason if r.verdict == "not run" else number(r.ratio))
        for r in report.recordings
    ]
    yield ("implementation", "golden cases", "by verdict"), [
        (f"{r.implementation} {r.dtype}", r.verdict, tally(r.counts) or r.reason) for r in report.golden
    ]
    yield ("mutant", "system", "dtype", "fault", "verdict", "rejected by"), [
        (r.name, r.system, r.dtype, r.fault, r.verdict, f"{len(r.caught_by)} laws: {', '.join(r.caught_by)}")
        for r in report.mutants
    ]
    yield ("version of a layer", "the model", "as it stands", "after", "rejected by"), [
        (r.name, r.found, r.verdict, r.after or "", ", ".join(r.caught_by)) for r in report.versions
    ]


def conclusion(report: RunReport) -> str:
    """What came out, counted, in one line; known faults of third parties are counted for themselves."""
    honest, known = ([r for r in report.checks if bool(r.finding) == which and r.verdict != "not run"] for which in (False, True))
    counted: list[tuple[int, Sequence[Any], str]] = [
        (sum(r.status == "proved" for r in report.lemmas), report.lemmas, "lemmas proved"),
        (sum(r.verdict == "within" for r in honest), honest, "implementations not refuted"),
        (sum(r.verdict == "outside" for r in known), known, "known faults of third parties found"),
        (sum(r.verdict == "outside" for r in report.mutants), report.mutants, "mutants rejected"),
        (sum(r.found == r.expected for r in report.versions), report.versions, "versions of layers told apart"),
    ]
    parts = [f"{number} of {len(rows)} {what}" for number, rows, what in counted if rows]
    left_out = sum(r.verdict == "not run" for r in report.checks)
    word = "accepted" if report.accepted else "not accepted"
    return f"{word}: {', '.join(parts)}, {left_out} implementations not run, {report.seconds:.0f} s"


def _figures(row: CheckRow) -> tuple[str, ...]:
    if row.verdict == "not run":
        return row.reason, "", "", "", ""
    shares = f"{row.informative:.0%}", f"{row.rounded:.0%}"
    return number(row.ratio), number(row.bits_lost), *shares, f"{row.seconds:.1f} s"


def _collect(work: list[Job], quiet: bool) -> dict[str, list[Any]]:
    """Runs the jobs on all cores; the rows of each section keep the order of the jobs."""
    rows: dict[str, list[Any]] = {name: [] for name in SECTIONS}
    with pool() as processes, progress(len(work), quiet) as (bar, task):
        futures: dict[Future[list[Any]], Job] = {processes.submit(job.function, *job.arguments): job for job in work}
        for future in as_completed(futures):
            job = futures[future]
            bar.update(task, advance=1, description=f"{job.section}: {job.what}")
            if isinstance(future.exception(), BrokenProcessPool):
                raise RuntimeError(f"a process died while running {job.section}: {job.what}")
        for future, job in futures.items():
            rows[job.section] += future.result()
    rows["checks"].sort(key=lambda r: (not r.ours, r.verdict == "not run"))
    return rows


@contextmanager
def pool() -> Iterator[ProcessPoolExecutor]:
    """One process per core that this one may use, ended at once when the user interrupts."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    pool = ProcessPoolExecutor(cores, multiprocessing.get_context("spawn"), _quiet_waiting)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def _quiet_waiting() -> None:
    """OpenMP threads that spin while they wait cost the other processes 10 ms a region; BLAS threads on tiny matrices more."""
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    threadpool_limits(1, user_api="blas")


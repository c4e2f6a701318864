"""`scanproof verify`: everything that can be checked, side by side in several processes.

Then, alone on the machine, a short benchmark and, if asked for, the papers' claims as experiments.
All of it goes into one report.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, as_completed
from concurrent.futures.process import BrokenProcessPool
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import scanproof
from scanproof.benchmarks.peers import PEERS, subjects
from scanproof.benchmarks.peers.subject import Subject
from scanproof.benchmarks.speed.cases import SHORT, chosen
from scanproof.benchmarks.speed.speed import ROUNDS
from scanproof.cli import bench, processes
from scanproof.cli.doctor import machine
from scanproof.cli.exits import ACCEPTED, REJECTED
from scanproof.cli.output import console, print_json, progress
from scanproof.cli.verify_jobs import (
    check_subject,
    golden,
    growth,
    prove_lemma,
    recordings,
    reject_fault,
)
from scanproof.cli.verify_output import find_faults, show
from scanproof.cli.verify_versions import judge_version
from scanproof.golden.recipes import COLLECTIONS
from scanproof.properties.systems import ROOMS
from scanproof.properties.versions.versions import VERSIONS
from scanproof.report import write
from scanproof.report.claims_model import Claims
from scanproof.report.model import RunReport

FEWER = 4  # faults are easier to find than to be free of: of so many cases, one is tried
FEWEST = 10  # and for versions of layers, whose laws are many
SECTIONS = ("lemmas", "checks", "mutants", "versions", "recordings", "golden", "growth")


class Job(NamedTuple):
    """One piece of work for the pool: which list of the report its rows belong to, and the call."""

    section: str
    what: str
    function: Callable[..., list[Any]]
    arguments: tuple[Any, ...]


def run(seed: int, cases: int, folder: Path, claims: bool, as_json: bool, quiet: bool) -> int:
    """Does all the work, writes the report and returns the exit code.

    It is 0 only if everything is accepted; claims have no say.
    """
    started, clock = datetime.now(UTC).isoformat(timespec="seconds"), time.perf_counter()
    rows: dict[str, Any] = _collect(jobs(seed, cases, folder / "witness"), quiet or as_json)
    # when nothing else runs any more
    rows["speed"] = bench.measure(chosen(list(SHORT)), ROUNDS, None, quiet or as_json)
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
    first = sorted(asked, key=lambda s: s.needs is None)
    checked = [(s, seed, _tried(s, cases), witnesses) for s in first]
    versions = [(version.name, seed, fewest, witnesses) for version in VERSIONS]
    recorded = [s for s in asked if PEERS[s.system].recorded]
    growing = [s for s in asked if PEERS[s.system].growth]
    return [
        *(Job("checks", each[0].name, check_subject, each) for each in checked),
        *(Job("versions", each[0], judge_version, each) for each in versions),
        *(Job("lemmas", lemma.name, prove_lemma, (lemma.name,)) for lemma in proofs.lemmas()),
        *(Job("mutants", f"{each[0]}: {each[1]}", reject_fault, each) for each in wrong),
        *(Job("recordings", s.name, recordings, (s,)) for s in recorded),
        *(Job("golden", s.name, golden, (s,)) for s in asked if s.system in COLLECTIONS),
        *(Job("growth", s.name, growth, (s, seed)) for s in growing),
    ]


def _tried(subject: Subject, cases: int) -> int:
    return max(1, cases // PEERS[subject.system].share)


def _collect(work: list[Job], quiet: bool) -> dict[str, list[Any]]:
    """Runs the jobs on all cores; the rows of each section keep the order of the jobs."""
    rows: dict[str, list[Any]] = {name: [] for name in SECTIONS}
    with processes.pool() as workers, progress(len(work), quiet) as (bar, task):
        futures: dict[Future[list[Any]], Job] = {}
        for job in work:
            futures[workers.submit(job.function, *job.arguments)] = job
        for future in as_completed(futures):
            job = futures[future]
            bar.update(task, advance=1, description=f"{job.section}: {job.what}")
            if isinstance(future.exception(), BrokenProcessPool):
                raise RuntimeError(f"a process died while running {job.section}: {job.what}")
        for future, job in futures.items():
            rows[job.section] += future.result()
    rows["checks"].sort(key=lambda r: (not r.ours, r.verdict == "not run"))
    return rows

"""What `scanproof verify` says: why a run is not accepted, and a summary for people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scanproof.benchmarks.peers import PEERS, subjects
from scanproof.cli import bench
from scanproof.cli.output import console, number, table
from scanproof.report.claims_model import NAME
from scanproof.report.model import CheckRow, RunReport
from scanproof.report.tables import tally

PASSED = ("nearest", "within", "not run")


def find_faults(rows: dict[str, list[Any]]) -> list[str]:
    """Why the run is not accepted, one line each; what was not run is reported as such."""
    return [
        *(
            f"lemma {r.name}: {r.status}: {r.reason}"
            for r in _but(rows["lemmas"], "status", "proved")
        ),
        *(_fault(r) for r in rows["checks"] if r.verdict not in (*PASSED, *_known(r))),
        *(_fault(r, f" on {r.recording}") for r in rows["recordings"] if not _decided(r)),
        *(_fault(r, " on golden cases") for r in rows["golden"] if r.verdict not in PASSED),
        *(
            f"{r.contestant} on {r.case}: {r.verdict}: {r.reason}"
            for r in rows["speed"]
            if r.verdict == "outside"
        ),
        *(
            f"version {r.name}: {r.found}, expected {r.expected}"
            for r in rows["versions"]
            if r.found != r.expected
        ),
        *(
            f"mutant {r.name} ({r.dtype}) was not rejected: {r.fault}"
            for r in _but(rows["mutants"], "verdict", "outside")
        ),
    ]


def _but(rows: list[Any], field: str, word: str) -> list[Any]:
    return [row for row in rows if getattr(row, field) != word]


def _fault(row: Any, on: str = "") -> str:
    return f"{row.implementation} ({row.dtype}){on}: {row.verdict}: {row.reason}"


def _known(row: CheckRow) -> tuple[str, ...]:
    """What is as it should be of an implementation that is known to be wrong."""
    return ("outside",) if row.finding else ()


def _decided(row: Any) -> bool:
    """Whether a recording was decided, or need not be: allowances may tell nothing about it."""
    expected_undecided = {
        (s.name, s.arithmetic.dtype)
        for s in subjects()
        if not PEERS[s.system].decided(s.arithmetic)
    }
    unheard = row.verdict == "undecided" and (row.implementation, row.dtype) in expected_undecided
    return row.verdict in PASSED or unheard


def show(report: RunReport, page: Path) -> None:
    """The human summary; the page has the rest."""
    out = console()
    for columns, rows in _tables(report):
        out.print(table(columns.split(", "), rows))
        out.print()
    bench.show(report.speed)
    if report.claims:
        out.print(table(("word", "claim"), [(row.word, row.claim) for row in report.claims.rows]))
        out.print(f"what was measured, and pictures: {page.with_name(NAME)}", markup=False)
    for fault in report.faults:
        out.print(f"\n{fault}", markup=False)
    out.print(f"\n{conclusion(report)}\nreport: {page}")


def _tables(report: RunReport) -> Iterator[tuple[str, list[tuple[object, ...]]]]:
    """Names of columns and rows of every section."""
    yield "lemma, status, by, time", [
        (r.name, r.status, f"claims {r.claims}, mutants refuted {r.mutants}", f"{r.seconds:.1f} s")
        for r in report.lemmas
    ]
    yield (
        "implementation, declared, verdict, error/allowance, bits lost, informative, rounded, time",
        [(r.implementation, r.declared, r.verdict, *_figures(r)) for r in report.checks],
    )
    yield "implementation, recording, verdict, error/allowance", [
        (_named(r), r.recording, r.verdict, r.reason if r.verdict == "not run" else number(r.ratio))
        for r in report.recordings
    ]
    yield "implementation, golden cases, by verdict", [
        (_named(r), r.verdict, tally(r.counts) or r.reason) for r in report.golden
    ]
    yield "mutant, system, dtype, fault, verdict, laws, rejected by", [
        (r.name, r.system, r.dtype, r.fault, r.verdict, len(r.caught_by), ", ".join(r.caught_by))
        for r in report.mutants
    ]
    yield "version of a layer, the model, as it stands, after, rejected by", [
        (r.name, r.found, r.verdict, r.after or "", ", ".join(r.caught_by)) for r in report.versions
    ]


def _named(row: Any) -> str:
    return f"{row.implementation} {row.dtype}"


def conclusion(report: RunReport) -> str:
    """What came out, counted, in one line; known faults of third parties are counted apart."""
    run = [r for r in report.checks if r.verdict != "not run"]
    counted: list[tuple[str, list[bool]]] = [
        ("lemmas proved", [r.status == "proved" for r in report.lemmas]),
        ("implementations not refuted", [r.verdict == "within" for r in run if not r.finding]),
        ("known faults of third parties found", [r.verdict == "outside" for r in run if r.finding]),
        ("mutants rejected", [r.verdict == "outside" for r in report.mutants]),
        ("versions of layers told apart", [r.found == r.expected for r in report.versions]),
    ]
    parts = [f"{sum(found)} of {len(found)} {what}" for what, found in counted if found]
    left_out = f"{len(report.checks) - len(run)} implementations not run"
    word = "accepted" if report.accepted else "not accepted"
    return f"{word}: {', '.join(parts)}, {left_out}, {report.seconds:.0f} s"


def _figures(row: CheckRow) -> tuple[str, ...]:
    if row.verdict == "not run":
        return row.reason, "", "", "", ""
    shares = f"{row.informative:.0%}", f"{row.rounded:.0%}"
    return number(row.ratio), number(row.bits_lost), *shares, f"{row.seconds:.1f} s"

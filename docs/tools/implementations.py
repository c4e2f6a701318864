"""The table and totals of docs/measured/implementations.md, from a report of `scanproof verify`.

    make peers && make verify && .venv/bin/python docs/tools/implementations.py

It takes build/report/report.json and writes between the markers of the page. Rows of what did not
run are refused: the page shows every implementation.
"""

from __future__ import annotations

import sys
from pathlib import Path

from scanproof.report import RunReport, read
from scanproof.report.model import CheckRow

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/measured/implementations.md"
REPORT = ROOT / "build/report/report.json"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
HEADS = (
    *("implementation", "declared as", "verdict", "largest error/allowance", "bits lost"),
    *("informative random cases", "correctly rounded"),
)
ALONE = "by integer cases alone"


def table(report: RunReport) -> str:
    """The totals, and a line for every implementation."""
    laws = [law for row in report.checks for law in row.laws]
    calls = sum(sum(law.counts.values()) - law.counts.get("not offered", 0) for law in laws)
    mutants = sum(row.verdict == "outside" for row in report.mutants)
    refuted = sum(row.verdict == "outside" for row in report.recordings)
    totals = (
        f"{calls:,} judged calls; {mutants} of {len(report.mutants)} mutants, that is,\n"
        "deliberately wrong kernels, are rejected. "
        f"Of {len(report.recordings)} runs on recordings {refuted} are refuted."
    )
    lines = ["| " + " | ".join(HEADS) + " |", "| --- " * len(HEADS) + "|"]
    return "\n".join([totals, "", *lines, *map(line, report.checks)])


def line(row: CheckRow) -> str:
    """One implementation. Raises ValueError where it did not run."""
    if row.verdict == "not run":
        raise ValueError(f"report: found {row.implementation} not run, expected all: make peers")
    alone = " (integer cases alone)" if ALONE in row.reason else ""
    finding = " (a finding)" if row.finding and row.verdict == "outside" else ""
    cells = (
        *(row.implementation, row.declared, row.verdict + alone + finding),
        *(f"{row.ratio:.2f}", f"{row.bits_lost:.1f}"),
        *(f"{row.informative:.0%}", f"{row.rounded:.0%}"),
    )
    return f"| {' | '.join(cells)} |"


def main() -> int:
    """Writes the page; a report that is no complete one ends in one line."""
    try:
        found = table(read(REPORT))
    except (OSError, ValueError) as error:
        print(f"implementations: {error}", file=sys.stderr)
        return 2
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{found}\n\n{END}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

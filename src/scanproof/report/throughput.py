"""The section on speed: throughput as bars beside a measured copy, and the table."""

from __future__ import annotations

from collections.abc import Sequence

from scanproof.report.figures import figure, key
from scanproof.report.markup import Html, element, join, number, row, several, table
from scanproof.report.model import SpeedRow
from scanproof.report.plots import Bar, bars
from scanproof.report.tables import NOTHING, small, word

BARS = (
    "What to see: how much memory each scan reads and writes in a second, against a plain copy of "
    "its input by one thread (the line), measured in the same rounds. More is faster; bars are "
    "comparable within a panel. “given” writes into an array that exists, “fresh” allocates its "
    "output in the call, as x.copy() does. What was refuted or not run has no bar."
)
TABLE = (
    "Nobody is timed before sequences of the very arrays that the timed call takes and returns "
    "were judged; what is outside gets no timing. Contestants take turns in one process, a sample "
    "each a round; the smallest and the quartiles tell how much the machine was disturbed. “× "
    "copy” is time per byte over that of the copy into a given array. The first call compiles or "
    "loads compiled code. jax gets inputs that are converted already, is waited for, and keeps its "
    "output; lfilter is called once a channel."
)
TIMES = ("median ms", "smallest ms", "quartiles ms", "GB/s", "× copy", "first call ms", "threads")


def throughput(rows: Sequence[SpeedRow], keys: dict[str, int]) -> Html:
    """A panel and a table for each case."""
    cases = dict.fromkeys(row.case for row in rows)
    shown = {
        name: keys[name] for name in sorted({row.contestant for row in rows}, key=keys.__getitem__)
    }
    panels = [
        _panel([row for row in rows if row.case == case], keys, f"speed{place}")
        for place, case in enumerate(cases)
    ]
    drawn = join([key(shown), figure("Throughput", panels, BARS)])
    listed = [_table([row for row in rows if row.case == case], keys) for case in cases]
    return join([drawn, element("p", TABLE, class_="note"), *listed])


def _title(first: SpeedRow) -> str:
    return f"{first.case}: {first.dtype} ({', '.join(map(str, first.shape))}), λ {first.lam}"


def _panel(rows: Sequence[SpeedRow], keys: dict[str, int], name: str) -> tuple[str, Html]:
    timed = [(row, row.timing.gb_per_s) for row in rows if row.timing]
    copy = next((speed for row, speed in timed if _is_line(row)), None)
    shown = [(row, speed) for row, speed in timed if not _is_line(row)]
    alt = f"{_title(rows[0])}: GB/s of " + ", ".join(
        f"{row.contestant} {row.output}: {number(speed)}" for row, speed in timed
    )
    drawn = [
        Bar(keys[row.contestant], row.output, speed, row.verdict == "undecided")
        for row, speed in shown
    ]
    return _title(rows[0]), bars(drawn, copy, name, alt)


def _is_line(row: SpeedRow) -> bool:
    return row.verdict == "reference" and row.output == "given"


def _table(rows: Sequence[SpeedRow], keys: dict[str, int]) -> Html:
    title, headers = _title(rows[0]), ["contestant", "verdict", *TIMES, "judged"]
    return join(
        [
            element("h3", title),
            table(title, headers, [_contestant(row, keys[row.contestant]) for row in rows]),
        ]
    )


def _contestant(given: SpeedRow, key: int) -> Html:
    t = given.timing
    name = join([f"{key + 1} {given.contestant} ", small(f"output {given.output}")])
    verdict = join(
        [
            word(given.verdict),
            small(given.reason) if given.verdict not in ("within", "nearest", "reference") else "",
        ]
    )
    figures: list[object] = [NOTHING] * len(TIMES)
    if t:
        low, high = map(_ms, t.quartiles_ms)
        ratio = NOTHING if t.ratio is None else number(t.ratio)
        times = _ms(t.median_ms), _ms(t.minimum_ms), f"{low} – {high}"
        figures = [*times, number(t.gb_per_s), ratio, _ms(t.first_ms), given.threads]
    judged = (
        join([several(given.sequences, "sequence"), small(f"{given.states} states")])
        if given.sequences
        else NOTHING
    )
    return row(name, verdict, *figures, judged)


def _ms(milliseconds: float) -> str:
    return number(milliseconds) if milliseconds < 1000 else f"{milliseconds:.0f}"

"""index.html: the verdict first, then the evidence, then how to repeat it. One file, no script, no outside address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from scanproof.report import figures, tables
from scanproof.report.markup import Html, duration, element, join, several
from scanproof.report.model import RunReport
from scanproof.report.style import CSS
from scanproof.report.throughput import throughput

# Nothing may be loaded or run, even if something unescaped slipped in.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
SECTIONS = {
    "words": "What the words mean",
    "implementations": "Implementations",
    "plots": "Plots",
    "laws": "Laws",
    "mutants": "Mutants",
    "recordings": "Recordings",
    "golden": "Golden cases",
    "throughput": "Throughput",
    "lemmas": "Lemmas",
    "again": "Run it again",
}
SUMMARY = (
    "Error / allowance is the largest over all judged calls: up to 1 it is not refuted. Bits lost compare the largest error with "
    "one rounding (∞: some result was not finite). The informative share tells in how many of the random cases the allowance was "
    "small enough to say something, "
    "the rounded share how many of all judged elements are the exact state rounded once. "
    "The last column is the time of the checking, not the speed of the implementation."
)
LAWS = "The verdict of each law, the largest error / allowance, and the calls that ended otherwise."
GOLDEN = "Published inputs with exact states and a bound beside every number (docs/golden.md). What is not offered is counted."
MUTANTS = "Scans with one deliberate fault each. A suite that accepts one has a hole; what “within” is worth is measured here."


def page(report: RunReport) -> str:
    """The whole document. Every number in it comes from the report."""
    keys = figures.numbered(report)
    parts = [
        tables.words(),
        join([element("p", SUMMARY, class_="note"), tables.summary(report.checks, keys)]),
        figures.figures(report, keys),
        join([element("p", LAWS, class_="note"), tables.laws(report.checks)]),
        join([element("p", MUTANTS, class_="note"), tables.mutants(report.mutants)]),
        tables.recordings(report.recordings),
        join([element("p", GOLDEN, class_="note"), tables.golden(report.golden)]),
        throughput(report.speed, keys),
        tables.lemmas(report.lemmas),
        _again(report),
    ]
    headed = zip(SECTIONS.items(), parts, strict=True)
    sections = [element("section", element("h2", title), part, id=name) for (name, title), part in headed]
    links = element("nav", *(element("a", title, href=f"#{name}") for name, title in SECTIONS.items()), aria_label="Sections")
    body = element("body", _headline(report), links, element("main", join(sections, "\n")))
    return f'<!DOCTYPE html>\n<html lang="en">{_head(report)}{body}</html>\n'


def _head(report: RunReport) -> Html:
    metas = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    title = element("title", "Scanproof: " + ("accepted" if report.accepted else "not accepted"))
    return element("head", Html(metas + policy), title, element("style", Html(CSS)))


def _headline(report: RunReport) -> Html:
    counted = element("p", _counts(report) + ".")
    if report.accepted:
        return element("header", element("h1", f"Accepted: {_evidence(report)}."), counted)
    first, *others = report.faults
    faults = element("ul", *(element("li", "also: " + fault) for fault in others)) if others else ""
    return element("header", element("h1", f"Not accepted: {first}."), faults, counted, class_="bad")


def _evidence(report: RunReport) -> str:
    """Counted, so that a run with nothing in it does not read like a success."""
    proved = sum(lemma.status == "proved" for lemma in report.lemmas)
    judged = [check.verdict for check in report.checks if check.verdict not in ("not run", "not offered")]
    rejected = sum(mutant.verdict == "outside" and bool(mutant.caught_by) for mutant in report.mutants)
    checks, mutants = several(len(judged), "check"), several(len(report.mutants), "mutant")
    return (
        f"{proved} of {several(len(report.lemmas), 'lemma')} proved, "
        f"{judged.count('outside')} of {checks} of honest implementations refuted, {rejected} of {mutants} rejected"
    )


def _counts(report: RunReport) -> str:
    """Everything by its verdict; what was not run is named."""
    verdicts: dict[str, list[str]] = {
        "implementations": [check.verdict for check in report.checks],
        "mutants": [mutant.verdict for mutant in report.mutants],
        "recordings": [recording.verdict for recording in report.recordings],
        "timed scans": [row.verdict for row in report.speed if row.verdict != "reference"],
        "lemmas": [lemma.status for lemma in report.lemmas],
    }
    return "In full: " + "; ".join(f"{name}: {_tally(found)}" for name, found in verdicts.items())


def _tally(verdicts: Iterable[str]) -> str:
    return ", ".join(f"{n} {verdict}" for verdict, n in Counter(verdicts).items()) or "none"


def _again(report: RunReport) -> Html:
    facts = {
        "scanproof": report.scanproof,
        "seed": report.seed,
        "started": report.started,
        "took": duration(report.seconds),
        **report.machine,
    }
    listed = [element(tag, value) for name, fact in facts.items() for tag, value in (("dt", name), ("dd", fact))]
    note = "The same version with the same seed draws the same cases. All numbers of this page are in report.json, beside it."
    return join([element("pre", element("code", report.command)), element("dl", *listed), element("p", note, class_="note")])

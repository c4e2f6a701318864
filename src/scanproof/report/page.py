"""index.html: the verdict first, then the evidence, then how to repeat it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from scanproof.report import figures, tables
from scanproof.report.claims_model import NAME, TITLE
from scanproof.report.document import again, document
from scanproof.report.markup import Html, element, join, several
from scanproof.report.model import RunReport
from scanproof.report.throughput import throughput

SECTIONS = {
    "words": "What the words mean",
    "implementations": "Implementations",
    "plots": "Plots",
    "laws": "Laws",
    "mutants": "Mutants",
    "versions": "Published versions",
    "recordings": "Recordings",
    "golden": "Golden cases",
    "throughput": "Throughput",
    "lemmas": "Lemmas",
    "again": "Run it again",
}
SUMMARY = (
    "Error / allowance is the largest over all judged calls: up to 1 it is not refuted. Bits lost "
    "compare the largest error with one rounding (∞: some result was not finite). The informative "
    "share tells in how many of the random cases the allowance was small enough to say something, "
    "the rounded share how many of all judged elements are the exact state rounded once. The last "
    "column is the time of the checking, not the speed of the implementation."
)
LAWS = "The verdict of each law, the largest error / allowance, and the calls that ended otherwise."
GOLDEN = ("Published inputs with exact states and a bound beside every number (docs/golden.md). "
          "What is not offered is counted.")
VERSIONS = (
    "Versions of the authors' code, ports, and layers with one fault each, all written again by us "
    "from what is known of them. Accepted: the model's outputs for the model's parameters. After "
    "re-parameterisation: outside as it stands, and the model's outputs once its parameters are "
    "translated as stated. Computed in float64 and rounded once: it is the map that is judged."
)
MUTANTS = ("Implementations with one fault each. A suite that accepts one has a hole; what "
           "“within” is worth is measured here.")


def page(report: RunReport) -> str:
    """The whole document. Every number in it comes from the report."""
    keys = figures.numbered(report)
    parts = [
        tables.words(),
        join([element("p", SUMMARY, class_="note"), tables.summary(report.checks, keys)]),
        figures.figures(report, keys),
        join([element("p", LAWS, class_="note"), tables.laws(report.checks)]),
        join([element("p", MUTANTS, class_="note"), tables.mutants(report.mutants)]),
        join([element("p", VERSIONS, class_="note"), tables.versions(report.versions)]),
        tables.recordings(report.recordings),
        join([element("p", GOLDEN, class_="note"), tables.golden(report.golden)]),
        throughput(report.speed, keys),
        tables.lemmas(report.lemmas),
        again(report, report.seconds),
    ]
    title = "Scanproof: " + ("accepted" if report.accepted else "not accepted")
    beside = {NAME: TITLE} if report.claims else {}
    return document(title, _headline(report), SECTIONS, parts, beside)


def _headline(report: RunReport) -> Html:
    counted = element("p", _counts(report) + ".")
    if report.accepted:
        return element("header", element("h1", f"Accepted: {_evidence(report)}."), counted)
    first, *others = report.faults
    faults = element("ul", *(element("li", "also: " + fault) for fault in others)) if others else ""
    return element(
        "header", element("h1", f"Not accepted: {first}."), faults, counted, class_="bad"
    )


def _evidence(report: RunReport) -> str:
    """Counted, so that a run with nothing in it does not read like a success."""
    proved = sum(lemma.status == "proved" for lemma in report.lemmas)
    ran = [check for check in report.checks if check.verdict not in ("not run", "not offered")]
    judged, findings = (
        [c.verdict for c in ran if not c.finding],
        [c.verdict for c in ran if c.finding],
    )
    rejected = sum(
        mutant.verdict == "outside" and bool(mutant.caught_by) for mutant in report.mutants
    )
    checks, mutants = several(len(judged), "check"), several(len(report.mutants), "mutant")
    return (
        f"{proved} of {several(len(report.lemmas), 'lemma')} proved, {judged.count('outside')} of "
        f"{checks} of honest implementations refuted, {rejected} of {mutants} rejected"
        + (
            f", {findings.count('outside')} of {several(len(findings), 'known fault')} of third "
            "parties found"
            if findings
            else ""
        )
    )


def _counts(report: RunReport) -> str:
    """Everything by its verdict; what was not run is named."""
    verdicts: dict[str, list[str]] = {
        "implementations": [check.verdict for check in report.checks],
        "mutants": [mutant.verdict for mutant in report.mutants],
        "versions of layers": [version.found for version in report.versions],
        "recordings": [recording.verdict for recording in report.recordings],
        "timed scans": [row.verdict for row in report.speed if row.verdict != "reference"],
        "lemmas": [lemma.status for lemma in report.lemmas],
    }
    return "In full: " + "; ".join(f"{name}: {_tally(found)}" for name, found in verdicts.items())


def _tally(verdicts: Iterable[str]) -> str:
    return ", ".join(f"{n} {verdict}" for verdict, n in Counter(verdicts).items()) or "none"

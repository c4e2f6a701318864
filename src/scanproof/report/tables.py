"""The tables of the page: each takes rows of the report and shows them, whatever they say."""

from __future__ import annotations

from collections.abc import Sequence

from scanproof.properties.verdict import CLAIMS
from scanproof.report.markup import Html, duration, element, join, number, row, several, table
from scanproof.report.model import (
    CheckRow,
    GoldenRow,
    LawRow,
    LemmaRow,
    MutantRow,
    RecordingRow,
    VersionRow,
)

NOTHING, RATIO = "–", "error / allowance"
WORDS = {
    "outside": CLAIMS["outside"]
    + ". Its grade is “theorem”: nothing is assumed but the declared arithmetic; or “theorem given "
      "the assumed constants”: elementary functions are as accurate as docs/measured/constants.md "
      "says",
    "nearest": CLAIMS["nearest"],
    "within": CLAIMS["within"]
    + ". It never means “correct”: a fault smaller than the allowance is also within",
    "undecided": CLAIMS["undecided"]
    + ": the declared class is not modelled, overflow is possible, or the allowance is too large "
      "to inform",
    "not offered": "the implementation does not take such a call; counted, never a failure",
    "not run": "nothing was judged, for the reason given; never counted as passed",
}


def words() -> Html:
    return table(
        "Verdicts",
        ["verdict", "what it says"],
        [row(word(name), meaning) for name, meaning in WORDS.items()],
    )


def word(name: str) -> Html:
    return element("span", name, class_="word " + name.replace(" ", "-"))


def summary(checks: Sequence[CheckRow], keys: dict[str, int]) -> Html:
    shares = ["informative share", "rounded share"]
    headers = [
        "implementation", "verdict", RATIO, "bits lost", *shares, "declared arithmetic",
        "checked in",
    ]  # fmt: skip
    return table(
        "Implementations", headers, [_check(check, keys[check.implementation]) for check in checks]
    )


def _check(check: CheckRow, key: int) -> Html:
    judged = any(law.ratios for law in check.laws)
    figures = [
        number(x) if judged else NOTHING
        for x in (check.ratio, check.bits_lost, check.informative, check.rounded)
    ]
    origin = f"{check.dtype}, {'ours' if check.ours else 'third party'}"
    name = join([f"{key + 1} ", breaking(check.implementation), " ", small(origin)])
    took = duration(check.seconds) if check.laws else NOTHING
    return row(name, _reasoned(check), *figures, wide(check.declared), took)


def _reasoned(check: CheckRow) -> Html:
    """The verdict, and for all but `within` the reason, the declaration that would rescue it, and
    the evidence."""
    if check.verdict == "within":
        return word(check.verdict)
    weaker = (
        small(f"not refuted under: {check.not_refuted_under}") if check.not_refuted_under else ""
    )
    grade = small(check.grade) if check.grade else ""
    known = (
        small(f"a finding: {check.finding}") if check.finding and check.verdict == "outside" else ""
    )
    evidence = small(join(["witness: ", element("code", check.witness)])) if check.witness else ""
    return wide(word(check.verdict), grade, known, small(check.reason), weaker, evidence)


def small(words: object, class_: str = "") -> Html:
    return element("small", words, class_=class_)


def breaking(name: str) -> Html:
    """A dotted name, which may continue on another line after each dot."""
    return join(name.split("."), Html(".<wbr>"))


def wide(*words: object) -> Html:
    """Text that shall not be squeezed into a narrow column."""
    return element("div", *words, class_="wide")


def laws(checks: Sequence[CheckRow]) -> Html:
    """One table for all systems that have the same laws."""
    families: dict[tuple[str, ...], list[CheckRow]] = {}
    for check in checks:
        families.setdefault(tuple(law.name for law in check.laws), []).append(check)
    unjudged = families.pop((), [])
    named = list(families) or [()]
    families[named[0]] = families.get(named[0], []) + unjudged
    return join([_matrix(family) for family in families.values()])


def _matrix(checks: Sequence[CheckRow]) -> Html:
    """Implementations down, laws across: only the number of laws is fixed."""
    statements = {law.name: law.statement for check in checks for law in check.laws}
    rows = [_matrix_row(check, list(statements)) for check in checks]
    meanings = (
        element("li", element("strong", name), ": " + statement)
        for name, statement in statements.items()
    )
    return join(
        [
            table("Laws", ["implementation", *statements], rows),
            element("ul", *meanings, class_="note"),
        ]
    )


def _matrix_row(check: CheckRow, names: Sequence[str]) -> Html:
    found = {law.name: law for law in check.laws}
    return row(
        join([breaking(check.implementation), " ", small(check.dtype)]),
        *(_law(found.get(name)) for name in names),
    )


def _law(law: LawRow | None) -> Html:
    if law is None:
        return word("not run")
    calls = len(law.ratios) or law.counts.get(law.verdict, 0)
    parts = [number(law.ratio)] if law.ratios else []
    parts += [several(calls, "call")] if calls else []
    parts += [f"{n} {name}" for name, n in law.counts.items() if n and name != law.verdict]
    return join([word(law.verdict), *(small(part, "part") for part in parts)])


def mutants(rows: Sequence[MutantRow]) -> Html:
    survivors = [f"{mutant.name} ({mutant.dtype})" for mutant in rows if survived(mutant)]
    headers = ["fault", "dtype", "outcome", "rejected by", RATIO, "witness"]
    return join(
        [_alarm(survivors), table("Mutants", headers, [_mutant(mutant) for mutant in rows])]
    )


def survived(mutant: MutantRow) -> bool:
    """Judged, and not rejected."""
    return mutant.verdict != "not run" and not (mutant.verdict == "outside" and mutant.caught_by)


def _alarm(survivors: Sequence[str]) -> Html:
    if not survivors:
        return Html()
    text = f"{several(len(survivors), 'mutant')} survived: {', '.join(survivors)}."
    hole = (" A wrong implementation that no law rejects is a hole in the suite: a “within” above "
            "says less than it seems to.")
    return element("p", element("strong", text), hole, class_="alarm", role="alert")


def _mutant(mutant: MutantRow) -> Html:
    alive, judged = survived(mutant), mutant.verdict != "not run"
    outcome = (
        join([word("survived"), small(mutant.verdict)])
        if alive
        else word("rejected" if judged else "not run")
    )
    caught = wide(", ".join(mutant.caught_by) or ("no law" if judged else NOTHING))
    ratio = number(mutant.ratio) if judged else NOTHING
    cells = [mutant.dtype, outcome, caught, ratio, element("code", mutant.witness or NOTHING)]
    return row(
        join([mutant.fault + " ", small(f"{mutant.system}: {mutant.name}")]),
        *cells,
        class_="alarm" if alive else "",
    )


def versions(rows: Sequence[VersionRow]) -> Html:
    """What the model accepts as it stands, accepts for other parameters, and rejects."""
    headers = ["version", "behaviour", "the model", "rejected by", "witness"]
    return table("Versions", headers, [_version(version) for version in rows])


def _version(version: VersionRow) -> Html:
    outcome = element("span", version.found, class_="word " + version.found.partition(" ")[0])
    after = small(f"after: {version.after}") if version.after else ""
    name = wide(version.name, " ", small(version.provenance))
    caught = wide(
        ", ".join(version.caught_by)
        or (version.verdict if version.verdict != "within" else NOTHING)
    )
    unexpected = version.found != version.expected
    return row(
        name, wide(version.behaviour), join([outcome, small(version.verdict), after]), caught,
        element("code", version.witness or NOTHING), class_="alarm" if unexpected else "",
    )  # fmt: skip


def recordings(rows: Sequence[RecordingRow]) -> Html:
    headers = ["recording", "implementation", "dtype", "verdict", RATIO, "bits lost", "steps"]
    return table("Recordings", headers, [_recording(recording) for recording in rows])


def _recording(recording: RecordingRow) -> Html:
    judged = recording.verdict not in ("not run", "not offered")
    figures = (
        [number(recording.ratio), number(recording.bits_lost), recording.steps]
        if judged
        else [NOTHING] * 3
    )
    reason = "" if recording.verdict in ("nearest", "within") else small(recording.reason)
    return row(
        recording.recording,
        recording.implementation,
        recording.dtype,
        join([word(recording.verdict), reason]),
        *figures,
    )


def golden(rows: Sequence[GoldenRow]) -> Html:
    """How many of the published cases ended how."""
    found = [
        row(
            join([r.implementation + " ", small(r.dtype)]),
            wide(word(r.verdict), small(r.reason)),
            tally(r.counts) or NOTHING,
        )
        for r in rows
    ]
    return table("Golden cases", ["implementation", "verdict", "cases"], found)


def tally(counts: dict[str, int]) -> str:
    """What there is of each verdict: "3 nearest, 7 within"."""
    return ", ".join(f"{n} {verdict}" for verdict, n in counts.items() if n)


def lemmas(rows: Sequence[LemmaRow]) -> Html:
    headers = ["lemma", "status", "source", "method", "N", "claims", "mutants refuted", "time"]
    return table("Lemmas", headers, [_lemma(lemma) for lemma in rows])


def _lemma(lemma: LemmaRow) -> Html:
    statement = wide(lemma.name, " ", small(lemma.statement))
    status = join([word(lemma.status), small(lemma.reason) if lemma.reason else ""])
    counted = (
        [lemma.claims, lemma.mutants, duration(lemma.seconds)]
        if lemma.status != "not run"
        else [NOTHING] * 3
    )
    return row(statement, status, wide(lemma.source), wide(lemma.method), lemma.N, *counted)

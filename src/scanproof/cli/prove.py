"""`scanproof prove`: the lemmas, each with statement, source, method and time; with --coq also the theorems of the Coq layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from scanproof import proofs
from scanproof.cli.app import ACCEPTED, REJECTED, UNDECIDED
from scanproof.cli.output import console, print_json, progress, table, waiting, word
from scanproof.proofs import Result, coq_layer
from scanproof.proofs.coq_layer import TheoremResult


def run(name: str | None, coq: bool, as_json: bool) -> int:
    """Proves and returns the exit code: 0 only if all is proved, 1 if anything is refused, 3 if a theorem is not run."""
    lemmas = [lemma for lemma in proofs.lemmas() if name in (None, lemma.name)]
    if not lemmas:
        known = ", ".join(lemma.name for lemma in proofs.lemmas())
        raise ValueError(f"lemma: found {name!r}, expected one of {known}")
    results = []
    with progress(len(lemmas), as_json) as (bar, task):
        for lemma in lemmas:
            bar.update(task, description=lemma.name)
            results.append(proofs.prove(lemma))
            bar.advance(task)
    theorems = by_coq(name, as_json) if coq else []
    if as_json:
        added = {"theorems": [asdict(theorem) for theorem in theorems]} if coq else {}
        print_json({"format": "scanproof-prove/1", "lemmas": [asdict(result) for result in results], **added})
    elif coq:
        show_layers(results, theorems)
    else:
        for result in results:
            show(result, claims=name is not None)
    return verdict([*results, *theorems])


def by_coq(name: str | None, quiet: bool) -> list[TheoremResult]:
    """The theorems of the Coq layer; those behind one lemma if it is named."""
    with waiting("coqc", quiet):
        return [theorem for theorem in coq_layer.check() if name is None or name in theorem.lemmas]


def verdict(results: Sequence[Result | TheoremResult]) -> int:
    """A refusal counts more than a prover that is missing."""
    found = {result.status for result in results}
    return REJECTED if "refused" in found else UNDECIDED if "not run" in found else ACCEPTED


def show_layers(results: list[Result], theorems: list[TheoremResult]) -> None:
    """Both layers side by side, then every theorem of Coq, then whatever is not proved."""
    out = console()
    rows = [(r.name, r.statement, r.N, r.status, of_lemma(r.name, theorems), f"{r.seconds:.2f} s") for r in results]
    out.print(table(("lemma", "statement", "N", "SymPy", "Coq", "time"), rows))
    out.print()
    proved = [(t.name, t.statement, t.N, t.status, t.file, resting(t), f"{t.seconds:.1f} s") for t in theorems]
    out.print(table(("theorem", "statement", "N", "Coq", "file", "rests on", "time of the file"), proved))
    out.print()
    for (status, reason), names in reasons([*results, *theorems]).items():
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        out.print(f"{word(status)}  ", end="")
        out.print(f"{', '.join(names[:3])}{more}: {reason}", markup=False)


def reasons(results: Sequence[Result | TheoremResult]) -> dict[tuple[str, str], list[str]]:
    """What is not proved, by status and reason: a missing prover has one reason for every theorem."""
    found: dict[tuple[str, str], list[str]] = {}
    for result in results:
        if result.reason:
            found.setdefault((result.status, result.reason), []).append(result.name)
    return found


def of_lemma(name: str, theorems: list[TheoremResult]) -> str:
    """One word for the theorems that say the same as a lemma: the worst; none where Coq has no such theorem."""
    found = {theorem.status for theorem in theorems if name in theorem.lemmas}
    return next((status for status in ("refused", "not run", "proved") if status in found), "-")


def resting(theorem: TheoremResult) -> str:
    """The axioms by their last names; "nothing" only of what is proved."""
    names = [name.rsplit(".", 1)[-1] for name in theorem.assumptions]
    return ", ".join(names) or ("nothing" if theorem.status == "proved" else "-")


def show(result: Result, claims: bool) -> None:
    """One lemma; with its claims where a single lemma was asked for."""
    out = console()
    out.print(f"{word(result.status)}  ", end="")
    out.print(f"{result.name}  ({result.seconds:.2f} s, {len(result.claims)} claims, {result.N})", markup=False)
    told = {name: getattr(result, name) for name in ("statement", "source", "method", "role")}
    for label, text in (told | {"cited": "; ".join(result.cited), "reason": result.reason}).items():
        if text:
            out.print(f"    {label:9} {text}", markup=False)
    if claims:
        rows = [(c.status, c.what, c.hypotheses, c.mutants, c.instances, c.reason) for c in result.claims]
        out.print(table(("status", "claim", "hypotheses", "mutants refuted", "instances", "reason"), rows))
    out.print()

"""`scanproof prove`: the lemmas, each with statement, source, method and time."""

from __future__ import annotations

from dataclasses import asdict

from scanproof import proofs
from scanproof.cli.app import ACCEPTED, REJECTED
from scanproof.cli.output import console, print_json, progress, table, word
from scanproof.proofs import Result


def run(name: str | None, as_json: bool) -> int:
    """Proves the lemmas and returns the exit code: 0 only if all are proved."""
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
    if as_json:
        print_json({"format": "scanproof-prove/1", "lemmas": [asdict(result) for result in results]})
    else:
        for result in results:
            show(result, claims=name is not None)
    return ACCEPTED if all(result.status == "proved" for result in results) else REJECTED


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

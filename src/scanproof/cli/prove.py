"""What `scanproof prove` does: lemmas, theorems, certificates, and the chain that they make."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from scanproof import proofs
from scanproof.cli.derivation import derive
from scanproof.cli.exits import ACCEPTED, REJECTED, UNDECIDED
from scanproof.cli.output import print_json, progress, waiting
from scanproof.cli.prove_tables import (
    Proved,
    show_certificates,
    show_chain,
    show_layers,
    show_reasons,
    show_sum,
)
from scanproof.proofs import Lemma, Result
from scanproof.proofs.chain import chain
from scanproof.proofs.chain.chain import Chain, Link
from scanproof.proofs.coq import coq_layer, coq_table
from scanproof.proofs.coq.coq_layer import TheoremResult
from scanproof.proofs.engine.run import Status
from scanproof.proofs.gappa import gappa_layer
from scanproof.proofs.gappa.gappa_layer import Certificate

LONGEST = 60  # seconds that SymPy may take for a lemma; none needs more than a few


class Found(NamedTuple):
    """What every prover said; None where it was not asked."""

    results: list[Result]
    theorems: list[TheoremResult] | None
    certificates: list[Certificate] | None
    chains: list[Chain] | None

    @property
    def every(self) -> list[Proved]:
        """All proofs, in the order in which they are told."""
        return [*self.results, *(self.theorems or ()), *(self.certificates or ())]

    @property
    def statuses(self) -> set[Status]:
        """Of all proofs, and of names in a link that no proof has."""
        return {one.status for one in self.every}.union(
            *(one.statuses for one in self.chains or ())
        )


def run(name: str | None, coq: bool, gappa: bool, linked: bool, as_json: bool) -> int:
    """Proves and returns the exit code: 0 only if all is proved, 1 if anything is refused, 3 if a
    proof is not run."""
    lemmas, links = selected(name, linked)
    results = by_sympy(lemmas, as_json)
    theorems = by_coq(name if not linked else None, as_json) if coq or linked else None
    certificates = by_gappa(as_json) if gappa or linked else None
    chains = (
        [chain.joined(link, results, theorems or [], certificates or []) for link in links]
        if linked
        else None
    )
    found = Found(results, theorems, certificates, chains)
    if as_json:
        print_json(plain(found))
    elif chains is not None:
        show_chain(chains, found.every)
    else:
        show(found, lemmas[0] if name else None)
    return verdict(found.statuses)


def plain(found: Found) -> dict[str, Any]:
    """For JSON: what was asked, and nothing of what was not."""
    content: dict[str, Any] = {
        "format": "scanproof-prove/1",
        "lemmas": [asdict(result) for result in found.results],
    }
    if found.theorems is not None:
        content["theorems"] = [asdict(theorem) for theorem in found.theorems]
    if found.certificates is not None:
        content["certificates"] = [asdict(certificate) for certificate in found.certificates]
    return content | (
        {} if found.chains is None else {"chain": [chain.plain(one) for one in found.chains]}
    )


def show(found: Found, lemma: Lemma | None) -> None:
    """Tables and one line that sums them up; of one lemma its derivation."""
    if lemma is None or found.theorems is not None:
        show_layers(found.results, found.theorems)
    show_certificates(found.certificates or [])
    show_reasons(found.every)
    if lemma is None:
        show_sum(found.results)
    else:
        derive(lemma, found.results[0])


def selected(name: str | None, linked: bool) -> tuple[list[Lemma], tuple[Link, ...]]:
    """The lemmas to prove, and the links to show: all, or one lemma and, linked, what else its
    links rest on.

    Raises:
        ValueError: no such lemma, or none that a link rests on.
    """
    every = proofs.lemmas()
    if name is not None and name not in {lemma.name for lemma in every}:
        raise ValueError(unknown(name, [lemma.name for lemma in every]))
    links = chain.links(name) if linked else ()
    if linked and not links:
        raise ValueError(f"lemma: found {name!r}, on which no link of the chain rests")
    wanted = {name, *(other for link in links for other in link.lemmas)}
    return [lemma for lemma in every if name is None or lemma.name in wanted], links


def unknown(name: str, names: list[str]) -> str:
    """One line about a lemma that does not exist: the nearest ones, or what Coq has of that
    name."""
    near = (
        difflib.get_close_matches(name, names, n=3, cutoff=0.5)
        or [other for other in names if name.lower() in other][:3]
    )
    nearest = f" (nearest: {', '.join(near)})" if near else ""
    expected = f"one of the {len(names)} that `scanproof prove` lists{nearest}"
    listed = f"lemma: found {name!r}, expected {expected}"
    theorems = [
        theorem
        for source in sorted(coq_layer.SOURCES.glob("*.v"))
        for theorem in coq_table.theorems(source)
    ]
    for theorem in theorems:
        if name in (theorem.name, f"{theorem.file.removesuffix('.v')}.{theorem.name}"):
            beside = (
                f"; the lemmas that say it: {', '.join(theorem.lemmas)}" if theorem.lemmas else ""
            )
            where = f"in {theorem.file}, that `scanproof prove --coq` lists"
            return f"{listed}; {name} is a theorem of Coq, {where}{beside}"
    return listed


def by_sympy(lemmas: Sequence[Lemma], quiet: bool) -> list[Result]:
    """The lemmas, one after the other; one that hangs is refused."""
    results = []
    with progress(len(lemmas), quiet) as (bar, task):
        for lemma in lemmas:
            bar.update(task, description=lemma.name)
            results.append(proofs.prove_within(lemma, LONGEST))
            bar.advance(task)
    return results


def by_coq(name: str | None, quiet: bool) -> list[TheoremResult]:
    """The theorems of the Coq layer; those behind one lemma if it is named."""
    with waiting("coqc", quiet):
        return [theorem for theorem in coq_layer.check() if name is None or name in theorem.lemmas]


def by_gappa(quiet: bool) -> list[Certificate]:
    """The certificates of every step in every format."""
    with waiting("gappa", quiet):
        return list(gappa_layer.results())


def verdict(found: set[Status]) -> int:
    """A refusal counts more than a prover that is missing."""
    return REJECTED if "refused" in found else UNDECIDED if "not run" in found else ACCEPTED

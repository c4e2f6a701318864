"""The chain of evidence: the links (links.py), joined with what became of their proofs.

    Python function -> SymPy lemma -> theorem of Coq -> certificate of Gappa, and what is only
    argued, cited, assumed or tested
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any

from scanproof.proofs.chain.links import LINKS, Link, Names
from scanproof.proofs.coq.coq_layer import TheoremResult
from scanproof.proofs.coq.coq_table import Theorem
from scanproof.proofs.engine.run import Result, Status
from scanproof.proofs.gappa.gappa_layer import Certificate

# a refusal counts more than a prover that is missing
WORSE: tuple[Status, ...] = ("proved", "not run", "refused")


@dataclass(frozen=True)
class Chain:
    """A link with what became of its proofs: {name: status}."""

    link: Link
    lemmas: dict[str, Status]
    theorems: dict[str, Status]
    certificates: dict[str, Status]

    @property
    def statuses(self) -> set[Status]:
        """Of all its proofs."""
        return {
            status
            for found in (self.lemmas, self.theorems, self.certificates)
            for status in found.values()
        }


def links(lemma: str | None = None) -> tuple[Link, ...]:
    """All links; those that rest on one lemma if it is named."""
    return tuple(link for link in LINKS if lemma is None or lemma in link.lemmas)


def qualified(theorem: Theorem | TheoremResult) -> str:
    """File.theorem: names are unique in a file only."""
    return f"{theorem.file.removesuffix('.v')}.{theorem.name}"


def joined(
    link: Link,
    lemmas: Sequence[Result],
    theorems: Sequence[TheoremResult],
    certificates: Sequence[Certificate],
) -> Chain:
    """A link with what became of its proofs.

    A name of nothing that was given is `refused`: there is no such proof.
    """
    return Chain(
        link,
        statuses(link.lemmas, [(result.name, result.status) for result in lemmas]),
        statuses(link.theorems, [(qualified(theorem), theorem.status) for theorem in theorems]),
        statuses(
            link.certificates,
            [(certificate.operation, certificate.status) for certificate in certificates],
        ),
    )


def plain(chain: Chain) -> dict[str, Any]:
    """For JSON: the fields of the link, with {name: status} in place of names."""
    proved = {
        "lemmas": chain.lemmas,
        "theorems": chain.theorems,
        "certificates": chain.certificates,
    }
    return asdict(chain.link) | proved


def statuses(patterns: Names, given: Sequence[tuple[str, Status]]) -> dict[str, Status]:
    """What became of all names that a pattern means; of several results with one name the worst."""
    found: dict[str, Status] = {}
    for pattern in patterns:
        meant = [(name, status) for name, status in given if fnmatchcase(name, pattern)] or [
            (pattern, "refused")
        ]
        for name, status in meant:
            found[name] = max(status, found.get(name, status), key=WORSE.index)
    return found

"""The Coq layer: every source of proofs/coq is compiled, and every theorem asked what it rests on.

A theorem is refused, with the reason, when
  1. coqc rejects its source, or one that this needs: the reason names the statement whose proof
     fails;
  2. its source holds a word that lets something pass without proof: Admitted, Axiom, ...;
  3. `Print Assumptions` names something that its table does not allow (coq_table);
  4. source and table disagree about which theorems there are;
  5. it does not say what its record says (coq_statements), or a definition of its source, or of one
     that this needs, does not.
It is not run when coqc or a library is missing; the reason says which Debian packages have them.
Names of libraries that no package has are mistakes of the source, and refused.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from scanproof.proofs.coq.coq_build import INSTALL, PROGRAMS, Asked, Outcome, compiled, prepare
from scanproof.proofs.coq.coq_statements import recorded
from scanproof.proofs.coq.coq_table import Theorem, theorems
from scanproof.proofs.engine.run import Status, one_line

SOURCES = Path(__file__).resolve().parent
BUILD = Path("build/coq")


@dataclass(frozen=True)
class TheoremResult:
    """What became of one theorem.

    `seconds` are those of its whole source, `reason` is empty when it is proved.
    """

    name: str
    status: Status
    file: str
    statement: str
    N: str
    lemmas: tuple[str, ...]
    python: tuple[str, ...]
    assumptions: tuple[str, ...]
    seconds: float
    reason: str


def check(sources: Path = SOURCES, build: Path = BUILD) -> list[TheoremResult]:
    """Compile the sources in the folder `build`, and judge their theorems.

    Whatever fails comes back as a result.
    """
    stated = {source.stem: theorems(source) for source in sorted(sources.glob("*.v"))}
    absent = [program for program in PROGRAMS if shutil.which(program) is None]
    if absent:
        outcomes = dict.fromkeys(
            stated, Outcome("not run", f"{', '.join(absent)} not found: {INSTALL}")
        )
    else:
        prepare(sources, build)
        asked = {
            name: Asked(
                [t.name for t in group if t.name != t.file], recorded(sources / f"{name}.v")
            )
            for name, group in stated.items()
        }
        outcomes = compiled(build, asked)
    results = [
        judged(theorem, outcomes[name]) for name, group in stated.items() for theorem in group
    ]
    return [result for result in results if result.reason or result.name != result.file]


def judged(theorem: Theorem, outcome: Outcome) -> TheoremResult:
    """The objections to a theorem, the strongest first; proved without one."""
    rests = outcome.assumptions.get(theorem.name, () if theorem.name == theorem.file else None)
    reason = (
        outcome.reason
        or theorem.objection
        or ("no such theorem" if rests is None else objection(rests, theorem.allowed))
    )
    reason = reason or one_line(outcome.changed.get(theorem.name, ""))
    status: Status = outcome.status if outcome.reason else "refused" if reason else "proved"
    words = {
        name: getattr(theorem, name)
        for name in ("name", "file", "statement", "N", "lemmas", "python")
    }
    return TheoremResult(
        **words, status=status, assumptions=rests or (), seconds=outcome.seconds, reason=reason
    )


def objection(rests: tuple[str, ...], allowed: tuple[str, ...]) -> str:
    """What a theorem rests on and may not."""
    more = [name for name in rests if name not in allowed]
    return f"rests on {', '.join(more)}; allowed: {', '.join(allowed) or 'nothing'}" if more else ""

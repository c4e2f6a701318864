"""Machine-checked lemmas for matrices of any size: what the rest of the suite takes for granted, stated and proved.

    for lemma in proofs.lemmas():
        print(proofs.prove(lemma).status)

`algebra` decides equalities of words, `signs` makes inequalities of them, `instances` tests them on exact matrices, `run`
attacks every claim with all three.
"""

from scanproof.proofs import (
    adjoint,
    canonical_form,
    equivalence,
    lru,
    rotation,
    rotation_operator,
    rounding_recurrence,
    rounding_theorem,
    scan_algebra,
    scan_operator,
    state_norm,
)
from scanproof.proofs.run import ClaimResult, Lemma, Result, prove

__all__ = ["ClaimResult", "Lemma", "Result", "lemmas", "prove"]

TOPICS = (
    *(scan_operator, scan_algebra, rotation_operator, adjoint, rounding_theorem, rounding_recurrence),
    *(rotation, canonical_form, lru, state_norm, equivalence),
)


def lemmas() -> tuple[Lemma, ...]:
    """Every lemma, in the order of the argument; `prove` checks one."""
    return tuple(lemma for topic in TOPICS for lemma in topic.LEMMAS)

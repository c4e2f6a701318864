"""Machine-checked lemmas for matrices of any size: what the rest of the suite takes for granted, stated and proved.

    for lemma in proofs.lemmas():
        print(proofs.prove(lemma).status)

`algebra` decides equalities of words, `signs` makes inequalities of them, `instances` tests them on exact matrices, `run`
attacks every claim with all three.
"""

from scanproof.proofs import (
    adjoint,
    authors_versions,
    canonical_form,
    closed_forms,
    equivalence,
    householder,
    layer_gradients,
    layer_invariances,
    lru,
    lru_ring,
    rotation,
    rotation_operator,
    rounding_elements,
    rounding_recurrence,
    rounding_theorem,
    scan_algebra,
    scan_operator,
    state_norm,
    state_tracking,
    surjectivity,
)
from scanproof.proofs.run import ClaimResult, Lemma, Result, prove

__all__ = ["ClaimResult", "Lemma", "Result", "lemmas", "prove"]

TOPICS = (
    *(scan_operator, scan_algebra, rotation_operator, adjoint, rounding_theorem, rounding_recurrence),
    *(rotation, canonical_form, lru, state_norm, equivalence),
    *(closed_forms, surjectivity, lru_ring, layer_gradients, rounding_elements),
    *(layer_invariances, authors_versions, householder, state_tracking),
)


def lemmas() -> tuple[Lemma, ...]:
    """Every lemma, in the order of the argument; `prove` checks one."""
    return tuple(lemma for topic in TOPICS for lemma in topic.LEMMAS)

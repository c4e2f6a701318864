"""Machine-checked lemmas for matrices of any size: what the rest of the suite takes for granted,
stated and proved.

    for lemma in proofs.lemmas():
        print(proofs.prove(lemma).status)

`algebra` decides equalities of words, `signs` makes inequalities of them, `instances` tests them on
exact matrices, `run` attacks every claim with all three.
"""

from scanproof.proofs.engine.run import ClaimResult, Lemma, Result, prove, prove_within
from scanproof.proofs.householder import products as householder_products
from scanproof.proofs.householder import real_counting, state_tracking
from scanproof.proofs.householder import reflections as householder
from scanproof.proofs.rotations import (
    canonical_form,
    closed_forms,
    every_rotation,
    rotation,
    rotation_operator,
    surjectivity,
)
from scanproof.proofs.rounding import (
    complex_product,
    element_functions,
    rounding_elements,
    rounding_recurrence,
    rounding_theorem,
)
from scanproof.proofs.scan import adjoint, scan_algebra, scan_laws, scan_operator
from scanproof.proofs.systems import (
    authors_versions,
    equivalence,
    layer_gradients,
    layer_invariances,
    lru,
    lru_ring,
    state_norm,
)

__all__ = ["ClaimResult", "Lemma", "Result", "lemmas", "prove", "prove_within"]

TOPICS = (
    *(scan_operator, scan_algebra, scan_laws, rotation_operator, adjoint),
    *(rounding_theorem, rounding_recurrence, complex_product, rounding_elements, element_functions),
    *(rotation, closed_forms, canonical_form, every_rotation, surjectivity),
    *(lru, lru_ring, state_norm, equivalence, layer_gradients, layer_invariances, authors_versions),
    *(householder, householder_products, state_tracking, real_counting),
)


def lemmas() -> tuple[Lemma, ...]:
    """Every lemma, in the order of the argument; `prove` checks one."""
    return tuple(lemma for topic in TOPICS for lemma in topic.LEMMAS)

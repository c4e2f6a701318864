"""Machine-checked lemmas for matrices of any size: what the rest of the suite takes for granted, stated and proved.

    for lemma in proofs.lemmas():
        print(proofs.prove(lemma).status)

`algebra` decides equalities of words, `instances` tests them on exact matrices, `run` attacks every claim with both.
"""

from scanproof.proofs import rotation, scan_operator
from scanproof.proofs.run import ClaimResult, Lemma, Result, prove

__all__ = ["ClaimResult", "Lemma", "Result", "lemmas", "prove"]


def lemmas() -> tuple[Lemma, ...]:
    """Every lemma, in the order of the argument; `prove` checks one."""
    return scan_operator.LEMMAS + rotation.LEMMAS

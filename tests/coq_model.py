"""What the tests beside proofs/coq share: constants that are coarse, so that a wrong exponent shows, and errors at their ends."""

from fractions import Fraction
from typing import NamedTuple

SEEDS = range(150)


class Model(NamedTuple):
    """1 + beta = K of products, (1 + u)^c = V of sums; what they lose beside; what storing a state costs."""

    u: Fraction = Fraction(1, 16)
    beta: Fraction = Fraction(1, 8)
    loss: Fraction = Fraction(1, 64)
    flush: Fraction = Fraction(1, 32)
    c: int = 1
    store: Fraction = Fraction(0)
    store_loss: Fraction = Fraction(0)

    def V(self):
        return (1 + self.u) ** self.c


def within(rng, centre, most):
    """A computed number: exact, or at one end of what is allowed; away from zero if rng is None."""
    return centre + most * (rng.choice((-1, 0, 1, 1)) if rng else 1)

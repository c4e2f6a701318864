"""<y_bar, J d> = <J^T y_bar, d> of both layers, exactly: in Fractions, for every d in u and h0, in both directions of time."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from scanproof.reference.numbers.gaussian import Gaussian
from scanproof.reference.systems import lru, rotrnn

RNG = np.random.default_rng(0)


def fractions(*shape: int, gaussian: bool = False) -> Any:
    parts = RNG.integers(-5, 6, (2, *shape))
    made = [Fraction(int(a), 4) + (Gaussian(0, Fraction(int(b), 8)) if gaussian else 0) for a, b in zip(*parts.reshape(2, -1), strict=True)]
    out = np.empty(shape, object)
    out.ravel()[:] = made
    return out


def inner(one: Any, two: Any) -> Any:
    """Re sum conj(one) two."""
    return sum(Fraction((a.conjugate() * b).real) for a, b in zip(one.ravel(), two.ravel(), strict=True))


LAYERS = {
    "lru": (lru, lru.Constants(fractions(3, gaussian=True), fractions(3), fractions(3, 2, gaussian=True),
                               fractions(2, 2, 3, gaussian=True), fractions(2)), (2, 2, 3), True),
    "rotrnn": (rotrnn, rotrnn.Constants(fractions(2), fractions(2, 1), fractions(2, 1), fractions(2, 2, 2), fractions(2),
                                        fractions(2, 2, 2), fractions(2, 2, 2, 2), fractions(2)), (2, 2, 2, 2), False),
}  # fmt: skip


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("name", LAYERS)
def test_the_adjoint_identity_holds_exactly(name: str, reverse: bool) -> None:
    module, k, state, gaussian = LAYERS[name]
    u, h0, y_bar = fractions(2, 4, 2), fractions(*state, gaussian=gaussian), fractions(2, 4, 2)
    du, dh0 = fractions(2, 4, 2), fractions(*state, gaussian=gaussian)
    _, u_bar, h0_bar = module.adjoint(k, u, h0, y_bar, reverse)
    moved = module.run(k, du, dh0, reverse)[0]  # y is linear in (u, h0)
    assert inner(y_bar, moved) == inner(u_bar, du) + inner(h0_bar, dh0) != 0
    assert inner(y_bar, module.run(k, du, dh0, not reverse)[0]) != inner(u_bar, du) + inner(h0_bar, dh0)

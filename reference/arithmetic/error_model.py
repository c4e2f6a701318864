"""The terms of the allowance that can be weakened by name: what shows that each one is needed
(docs/measured/tiny.md).

The defaults are what is proved, and no command of Scanproof takes another one. A factor multiplies
its term (1 as proved, 0 removes it); an exponent 0 leaves its factor out; `fewer_...` is subtracted
from a count. The symbols are those of rounding.py.
"""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class ErrorModel:
    """Every term at its proved value, unless it is named.

    u ... largest: factors on the constants of one operation (operations.Roundings).
    read_lam, read_b: factors on the errors of reading lam and b.
    state_losses, multiplier_losses: factors on m l and on w.
    spread: exponent of (1 + xi) (1 + beta)^m where it multiplies what underflow costs.
    growth_in_w: exponent of G^2 in w.
    growth, wrong_growth: exponents of G and of 1 + w in m l G (1 + w).
    fewer_additions: of the n - 1 additions.
    fewer_on_a_path: of those that an order allows on one path.
    fewer_multipliers, fewer_products, fewer_sums, fewer_stores: of the m - 1 products, m products,
        m + 1 sums, and stores.
    stored: part of lam by which a multiplier that is read may be off.
    unsure: then no product and no sequence is exact.
    evaluation: roundings of one step of the bound's own evaluation in float64.
    mixed: losses of the product of a real and a complex number.
    quotient: roundings of a quotient (bounded.py).
    """

    u: float = 1.0
    beta: float = 1.0
    product_loss: float = 1.0
    sum_loss: float = 1.0
    operand: float = 1.0
    operand_loss: float = 1.0
    store: float = 1.0
    store_loss: float = 1.0
    largest: float = 1.0
    read_lam: float = 1.0
    read_b: float = 1.0
    state_losses: float = 1.0
    multiplier_losses: float = 1.0
    spread: int = 1
    growth_in_w: int = 1
    growth: int = 1
    wrong_growth: int = 1
    fewer_additions: int = 0
    fewer_on_a_path: int = 0
    fewer_multipliers: int = 0
    fewer_products: int = 0
    fewer_sums: int = 0
    fewer_stores: int = 0
    stored: float = 0.0
    unsure: bool = False
    evaluation: int = 16
    mixed: int = 2
    quotient: int = 2

    def __str__(self) -> str:
        named = (
            f"{f.name} {getattr(self, f.name)}"
            for f in fields(self)
            if getattr(self, f.name) != f.default
        )
        return ", ".join(named) or "as proved"


PROVED = ErrorModel()

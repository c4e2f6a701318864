"""What single operations of a declared arithmetic may lose.

    symbol    meaning
    p         significand bits
    u         unit roundoff 2^-p: fl(x) = x (1 + d), |d| <= u
    eta       largest absolute loss of one product when it underflows
    beta      relative error of one product, in the modulus
    kappa     absolute underflow error of one product, in units of eta
    c         roundings that an addend can meet in one step

Sources. beta = sqrt(5) u: Brent, Percival, Zimmermann, Math. Comp. 76 (2007), Theorem 1; with one
FMA a component 2u: Jeannerod, Kornerup, Louvet, Muller, Math. Comp. 86 (2017). The contracted step
x + ac - bd rounds each product at most three times and the addend at most twice; |ac|+|bd| and
|ad|+|bc| together have norm <= sqrt(2) |z||w|, hence beta = sqrt(2) ((1+u)^3 - 1), c = 2. The same
argument gives sqrt(2) ((1+u)^2 - 1) without contraction, for any rounding.

Truncation has |d| <= 2u and loses up to a whole subnormal. Matrix units align the operands of a sum
before they truncate, which is counted as two truncations a sum. TF32 keeps p = 11 bits of each
operand of a product, truncated: 2^-10 each.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.error_model import PROVED, ErrorModel
from scanproof.reference.arithmetic.formats import TF32_BITS, Format, format_of

TF32_SUBNORMAL = 2.0**-136
TINY = 2.0**-1074  # the smallest positive float64: stands in for any smaller bound
EPS = 2.0**-53  # unit roundoff of float64, in which bounds are evaluated
# of a bound: fewer on a path through one step, and in a few operations
STEP_ROUNDINGS = PROVED.evaluation
# round a float64 result of a few operations
UP, DOWN = 1 + STEP_ROUNDINGS * EPS, 1 - STEP_ROUNDINGS * EPS


def over_steps(t: Any, roundings: int = STEP_ROUNDINGS) -> Any:
    """The factor that rounds a float64 result of t steps upwards, for terms that are not negative.

    t is a number or an array, and the factor has its shape (...). A step has at most `roundings`
    roundings.
    """
    return 1 + roundings * (t + 8) * EPS


class Roundings(NamedTuple):
    """Every field is an upper bound.

    fl(x + y) = (x + y)(1 + d) + e with |d| <= u, |e| <= sum_loss; an addend meets c such
    roundings in one step. fl(z w) is off by at most beta |z w| + product_loss, and by operand_loss
    (|z| + |w|) more where operands are narrowed; narrowing an addend x costs operand
    |x| + operand_loss. Storing x in dtype costs store |x| + store_loss. model: the terms that stand
    here and in the allowances, each as proved.
    """

    u: float
    c: int
    beta: float
    product_loss: float
    sum_loss: float
    operand: float
    operand_loss: float
    store: float
    store_loss: float
    largest: float
    significand_bits: int
    model: ErrorModel = PROVED


SCALED = (
    "u", "beta", "product_loss", "sum_loss", "operand", "operand_loss", "store", "store_loss",
    "largest",
)  # fmt: skip


def roundings(
    arithmetic: Arithmetic, complex_products: bool, pairs: bool = False, model: ErrorModel = PROVED
) -> Roundings:
    """Computes the constants of one operation; the module docstring defines and proves them.

    Args:
        arithmetic: the declaration.
        complex_products: False where lam is real.
        pairs: whether complex numbers have components of the declared real format.
        model: factors on these constants; with other ones than PROVED they are no bounds.
    """
    proved = _proved(arithmetic, complex_products, pairs)
    scaled = {name: getattr(proved, name) * getattr(model, name) for name in SCALED}
    return proved._replace(model=model, **scaled)


def _proved(arithmetic: Arithmetic, complex_products: bool, pairs: bool) -> Roundings:
    inner, outer = format_of(arithmetic.inner), arithmetic.format
    truncates, components = (
        arithmetic.rounding != "nearest",
        2 if arithmetic.is_complex or pairs else 1,
    )
    u, widened = inner.u * (1 + truncates), arithmetic.accumulate is not None
    operand = 2.0 ** (1 - TF32_BITS) if arithmetic.operands else 0.0
    beta, kappa, c = _product(arithmetic, u, operand, complex_products)
    return Roundings(
        u=(2 * u + u * u) * UP if arithmetic.rounding == "matrix" else u,
        c=c,
        beta=beta,
        product_loss=kappa * _underflow(arithmetic, inner),
        sum_loss=components * inner.smallest_normal if arithmetic.subnormals != "gradual" else 0.0,
        operand=operand,
        operand_loss=components * TF32_SUBNORMAL if operand else 0.0,
        store=outer.u * (1 + truncates) if widened else 0.0,
        store_loss=components * _underflow(arithmetic, outer) if widened else 0.0,
        largest=min(inner.largest, outer.largest),
        significand_bits=min(outer.significand_bits, TF32_BITS)
        if operand
        else outer.significand_bits,
    )


def _product(
    arithmetic: Arithmetic, u: float, operand: float, complex_products: bool
) -> tuple[float, int, int]:
    """beta, kappa and c of one product whose operations have relative error u (a sum in a matrix
    unit (1+u)^2 - 1).

    Narrowed operands may be narrowed for one component and not for the other, so they enter before
    the factor sqrt(2).
    """
    if not complex_products:
        return _beyond(u, 1, operand), 2 if arithmetic.is_complex else 1, 1
    if arithmetic.rounding == "matrix":
        return 2**0.5 * _beyond(u, 5, operand) * UP, 8, 2
    if arithmetic.contraction:
        return 2**0.5 * _beyond(u, 3, operand) * UP, 8, 2
    if arithmetic.rounding == "truncate" or operand:
        return 2**0.5 * _beyond(u, 2, operand) * UP, 8, 1
    return 5**0.5 * u * UP, 8, 1


def _beyond(u: float, roundings: int, operand: float) -> float:
    """(1+u)^roundings (1+operand)^2 - 1 rounded upwards, exactly u for one rounding alone."""
    grown = u
    for rate in (u,) * (roundings - 1) + (operand,) * 2:
        grown = grown + rate + grown * rate
    return grown if grown == u else grown * UP


def _underflow(arithmetic: Arithmetic, form: Format) -> float:
    """Absolute loss of one rounding to this format that underflows."""
    if arithmetic.subnormals != "gradual":
        return form.smallest_normal
    return (
        form.smallest_subnormal
        if arithmetic.rounding != "nearest"
        else max(form.smallest_subnormal / 2, TINY)
    )

"""The hypotheses of the theorem of `reference/allowance/rounding.py` on every operand of tiny
formats.

What `Arithmetic.roundings` promises of single operations, with the notation of `tiny_formats`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numba
import numpy as np

from scanproof.proofs.rounding.tiny_formats import VARIANTS, Format, Variant, declaration
from scanproof.reference.arithmetic.operations import UP, roundings


class Hypothesis(NamedTuple):
    """The largest error / promised error of one operation, over all its operand tuples."""

    operation: str
    variant: str
    p: int
    tuples: int
    worst: float


def real_operations(form: Format, variant: Variant) -> Iterator[Hypothesis]:
    """x + y, x y and x y + z over all operands, exactly in float64: 1 is exact, too."""
    R, K, ops = (
        form.table(variant.mode, "w" in variant.flush),
        form.K,
        roundings(declaration(form, variant), False),
    )
    x, o = form.values(), len(R) // 2
    y, z = x[:, None], x[:, None, None]
    product_loss, sum_loss = ops.product_loss * K * K, ops.sum_loss * K * K
    for name, n, rate, loss in (
        ("x + y", K * (x + y), ops.u, sum_loss),
        ("x y", x * y, ops.beta, product_loss),
        ("x y + z", x * y + K * z, ops.u, product_loss),
    ):
        error, promised = np.abs(K * R[o + n] - n), rate * np.abs(n) + loss
        ratio = np.divide(error, promised, out=np.where(error > 0, np.inf, 0.0), where=promised > 0)
        yield Hypothesis(name, variant.name, form.p, n.size, float(ratio.max()))


def complex_operations(form: Format, variant: Variant) -> Iterator[Hypothesis]:
    """Complex products over all operands, separate or fused once a component: the moduli."""
    R, V, K = form.table(variant.mode, "w" in variant.flush), form.values(), form.K
    ops = roundings(declaration(form, variant, components=2, contraction=False), True)
    for name, fused in (("z w, separate", False), ("z w, fused", True)):
        worst = _products(V, R, K, fused, ops.beta, ops.product_loss * K * K)
        yield Hypothesis(name, variant.name, form.p, len(V) ** 4, worst * UP)


def contracted_steps(form: Format, variant: Variant) -> Iterator[Hypothesis]:
    """x + z w over all operands; each component is the worst of all its fusions and orders."""
    R, V, K = form.table(variant.mode, "w" in variant.flush), form.values(), form.K
    ops = roundings(declaration(form, variant, components=2), True)
    loss = (ops.product_loss + ops.sum_loss) * K * K
    worst = _steps(V, R, K, ops.beta, (1 + ops.u) ** ops.c - 1, loss)
    yield Hypothesis("x + z w, contracted", variant.name, form.p, len(V) ** 6, worst * UP)


def hypotheses(
    real: tuple[int, ...], products: tuple[int, ...], steps: tuple[int, ...]
) -> Iterator[Hypothesis]:
    """All of the above for these p; flushed operands count as read errors."""
    for variant in VARIANTS[:4]:
        for try_all, ps in (
            (real_operations, real),
            (complex_operations, products),
            (contracted_steps, steps),
        ):
            for p in ps:
                yield from try_all(Format(p), variant)


@numba.njit
def _products(V, R, K, fused, beta, loss):
    """Largest |fl(zw) - zw| / (beta |zw| + loss), z = a + ib, w = c + id."""
    o, worst = len(R) // 2, 0.0
    for a in V:
        for b in V:
            for c in V:
                for d in V:
                    ac, ad = (a * c, a * d) if fused else (K * R[o + a * c], K * R[o + a * d])
                    re = K * R[o + ac - K * R[o + b * d]] - (a * c - b * d)
                    im = K * R[o + ad + K * R[o + b * c]] - (a * d + b * c)
                    error = math.sqrt(re * re + im * im)
                    if error > 0:
                        worst = max(
                            worst,
                            error / (beta * math.sqrt((a * a + b * b) * (c * c + d * d)) + loss),
                        )
    return worst


@numba.njit
def _component(R, K, x, s, t):
    """Largest |fl(x + s + t) - (x + s + t)| in any order and fusion of the products s, t."""
    o, n, worst = len(R) // 2, K * x + s + t, 0
    for first, then in ((s, t), (t, s)):
        one, two, begun, fused = (
            R[o + first],
            R[o + then],
            R[o + K * (x + R[o + first])],
            R[o + K * x + first],
        )
        product, fused_product = R[o + K * (one + two)], R[o + K * one + then]
        separate = (product + x, fused_product + x, begun + two, fused + two)
        for e in (
            K * separate[0], K * separate[1], K * separate[2], K * separate[3], K * begun + then,
            K * fused + then,
        ):
            worst = max(worst, abs(K * R[o + e] - n))
    return worst


@numba.njit
def _steps(V, R, K, beta, xi, loss):
    """Largest |fl(x + zw) - (x + zw)| / (beta |zw| + xi |x| + loss), z = a + ib, w = c + id,
    x = V[i] + i V[j]."""
    worst, re, im = 0.0, np.zeros(len(V)), np.zeros(len(V))
    for a in V:
        for b in V:
            for c in V:
                for d in V:
                    zw = math.sqrt((a * a + b * b) * (c * c + d * d))
                    for i in range(len(V)):
                        re[i], im[i] = (
                            _component(R, K, V[i], a * c, -b * d),
                            _component(R, K, V[i], a * d, b * c),
                        )
                    for i in range(len(V)):
                        for j in range(len(V)):
                            error = math.sqrt(re[i] * re[i] + im[j] * im[j])
                            if error > 0:
                                worst = max(
                                    worst,
                                    error
                                    / (
                                        beta * zw
                                        + xi * K * math.sqrt(V[i] * V[i] + V[j] * V[j])
                                        + loss
                                    ),
                                )
    return worst

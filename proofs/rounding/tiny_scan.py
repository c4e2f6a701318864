"""The allowance against every evaluation in a tiny format: T = 3, every input, every bracketing,
fused or not, in integers.

This tries the transcription of a proved theorem: `reference/allowance/rounding.py` itself gives the
allowances, its (u, eta) those of the
format, scaled to integers and rounded down. Nothing is extrapolated to larger formats. An allowance
that nothing could exceed
would pass too: `tiny` removes each term.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numba
import numpy as np

from scanproof.proofs.rounding.tiny_formats import Array, Format, Variant, declaration, signed
from scanproof.reference.allowance.rounding import allowance
from scanproof.reference.arithmetic.error_model import ErrorModel
from scanproof.reference.inputs import Inputs

ORDERS = ("any", "sequential")
SUBSET = 16  # magnitudes of each operand in a seeded draw, as many as p = 3 has


class Conclusion(NamedTuple):
    """What all evaluations of these inputs do to the allowance of h_3; `error` and `allowed` are
    those of the example."""

    evaluations: int
    violations: int  # input tuples with an error beyond the allowance
    error: int  # in ticks / K^2, as is allowed
    allowed: int
    # lam_2, lam_3, b_1, b_2, b_3: a violation, or the largest error / allowance if there is none
    example: tuple[float, ...]

    @property
    def ratio(self) -> float:
        return self.error / self.allowed if self.allowed else float("inf") if self.error else 0.0


def conclude(
    form: Format,
    variant: Variant,
    order: str,
    model: ErrorModel | None = None,
    seed: int | None = None,
) -> Conclusion:
    """Every (lam_2, lam_3, b_1, b_2, b_3), or with a seed those of SUBSET magnitudes of each;
    `model` may weaken terms."""
    sizes = np.tile(form.magnitudes(), (5, 1))  # (5, magnitudes)
    if seed is not None:
        rng = np.random.default_rng(seed)
        sizes = np.array(
            [np.append(0, rng.choice(row[1:], SUBSET - 1, replace=False)) for row in sizes]
        )
    V = np.array([signed(row) for row in sizes])  # (5, values)
    allowed = allowed_ticks(form, variant, order, model or variant.model, sizes)
    R, F = (
        form.table(variant.mode, flush) for flush in (variant.flush != "", "w" in variant.flush)
    )
    W = as_read(V, form, variant, R)
    found = [
        _exhaust(V, read, allowed, R, F, form.K, order == "any")
        for read in stored(V, W, form, variant)
    ]
    _, error, bound, example = max(
        found, key=lambda f: f[1] * 1.0 / f[2] if f[2] else np.inf if f[1] else 0.0
    )
    evaluations = len(found) * V.shape[1] ** 5 * (8 if order == "any" else 4)
    return Conclusion(
        evaluations,
        sum(int(f[0]) for f in found),
        int(error),
        int(bound),
        tuple((example / form.K).tolist()),
    )


def allowed_ticks(
    form: Format, variant: Variant, order: str, model: ErrorModel, sizes: Array
) -> Array:
    """Allowance of h_3 for magnitudes (5, n) of lam_2, lam_3, b_1, b_2, b_3: (n, n, n, n, n), in
    ticks / K^2, rounded down."""
    declared = declaration(form, variant, order)
    lam2, lam3, b1, b2, b3 = sizes / form.K
    b = np.stack(np.meshgrid(b1, b2, b3, indexing="ij"), axis=-1).reshape(-1, 3, 1)  # (n^3, 3, 1)
    rows = [
        [
            allowance(Inputs(_multipliers(b, x, y), b), declared, model=model).bound[:, 2, 0]
            for y in lam3
        ]
        for x in lam2
    ]
    return np.floor(np.array(rows) * form.K**3).astype(np.int64).reshape((sizes.shape[1],) * 5)


def _multipliers(b: Array, lam2: float, lam3: float) -> Array:
    """lam_1 meets no state: it is zero."""
    return np.broadcast_to(np.array([0, lam2, lam3])[:, None], b.shape)


def stored(V: Array, W: Array, form: Format, variant: Variant) -> list[Array]:
    """Operands with each multiplier as it is, or the next smaller or larger number of the format,
    if that is near enough."""
    if not variant.stored:
        return [W]
    numbers = form.magnitudes()
    found = []
    for shifts in product((-1, 0, 1), repeat=2):
        read = W.copy()
        for row, shift in enumerate(shifts):
            size = np.abs(V[row])
            at = np.clip(np.searchsorted(numbers, size) + shift, 0, len(numbers) - 1)
            near = np.abs(numbers[at] - size) <= variant.stored * size
            read[row] = np.where(near, np.sign(V[row]) * numbers[at], W[row])
        found.append(read)
    return found


def as_read(V: Array, form: Format, variant: Variant, R: Array) -> Array:
    """Operands as the hardware meets them; b_1 as the sum lam_1 h_0 + b_1 = 0 + b_1."""
    W = np.where(("r" in variant.flush) & (np.abs(V) < form.omega), 0, V)
    W[2] = R[len(R) // 2 + form.K * W[2]]
    return W  # (5, values)


@numba.njit
def _size(i, half):
    """Position of a value's magnitude: zero, the positive values, the negative ones."""
    return i if i < half else i - half + 1


@numba.njit
def _off(R, F, K, product, x, true):
    """Largest |fl(product + x) - true|, fused or not, in ticks / K^2."""
    o = len(R) // 2
    return max(
        abs(K * K * F[o + product + K * x] - true),
        abs(K * K * F[o + K * (R[o + product] + x)] - true),
    )


@numba.njit
def _exhaust(V, W, allowed, R, F, K, trees):
    """Violations; error and allowance (ticks / K^2) of the tuple with the largest ratio, and it; or
    of the first violation.

    V: inputs, W: as read, both (5, values), magnitudes first. R rounds and flushes, F rounds the
    last operation.
    """
    o, n, half = len(R) // 2, V.shape[1], allowed.shape[0]
    bad, worst, bound, example = 0, 0, 1, np.zeros(5, np.int64)
    for i2 in range(n):
        for i3 in range(n):
            lam2, lam3 = W[0, i2], W[1, i3]
            a = R[o + lam3 * lam2]
            for j1 in range(n):
                for j2 in range(n):
                    b1, b2 = W[2, j1], W[3, j2]
                    limits = allowed[
                        _size(i2, half), _size(i3, half), _size(j1, half), _size(j2, half)
                    ]
                    before = V[1, i3] * (V[0, i2] * V[2, j1] + K * V[3, j2])
                    # fused, separate
                    h, g = R[o + lam2 * b1 + K * b2], R[o + K * (R[o + lam2 * b1] + b2)]
                    for j3 in range(n):
                        b3, true = W[4, j3], before + K * K * V[4, j3]
                        error = max(
                            _off(R, F, K, lam3 * h, b3, true), _off(R, F, K, lam3 * g, b3, true)
                        )
                        if trees:  # (lam_3 lam_2) b_1 + (lam_3 b_2 + b_3)
                            y, z = R[o + lam3 * b2 + K * b3], R[o + K * (R[o + lam3 * b2] + b3)]
                            error = max(
                                error,
                                _off(R, F, K, a * b1, y, true),
                                _off(R, F, K, a * b1, z, true),
                            )
                        limit = limits[_size(j3, half)]
                        bad += error > limit
                        if (bad == 0 and error * bound > worst * limit) or (
                            bad == 1 and error > limit
                        ):
                            worst, bound = error, limit
                            example[:] = V[0, i2], V[1, i3], V[2, j1], V[3, j2], V[4, j3]
    return bad, worst, bound, example

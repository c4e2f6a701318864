"""The allowance of a scan: how far any evaluation of a declared arithmetic can be from the exact
states.

Glossary (beside that of reference/arithmetic/error_model.py; all arrays are per batch row and
channel, all sizes are rounded upwards)

    symbol   meaning
    A, dA    |lam_t| and how far the multiplier that is read may be from it
    X        the scan on absolute values: X_t = A_t X_{t-1} + |b_t|
    E        bound of the error that products and leaves cause, before additions
    n        operands that are not exactly zero in the sum that makes h_t
    d        additions that may round on one path, n - 1 at most
    G        largest product of |lam| over a segment, at least 1
    w        what underflow in products of multipliers adds, relative to G = 1

Theorem (docs/theorem.md; its algebra is proved in `scanproof.proofs`). Every bracketing of the scan
computes h_t as a sum of monomials lam_t ... lam_{k+1} b_k, each rounded once per product by a
factor lam and at most c d_t times by additions:

    E_t = (A+dA)(1+beta) E_{t-1} + [dA (1+beta) + A beta] X_{t-1} + dX_t
    xi_t = (1+u)^(c d_t) - 1
    |computed - exact| <= (1+xi_t) E_t + xi_t X_t + underflow_t

Three refinements, each exact arithmetic: a product by +-2^-j or +-i 2^-j rounds only by underflow
(beta = 0 there); a sum with an exact zero does not round, so only operands that are not zero
count in n; lam_t = 0 starts n afresh.

Underflow, over the m products since the first nonzero operand, each off by at most l (the loss of
one product), f the loss of one sum (flush to zero only): of a monomial's m products one at least
multiplies the state, so at most m - 1 build multipliers; those that lose leave disjoint segments of
size <= G each, so the multipliers are wrong by at most w = (1 + l G^2)^(m-1) - 1, and each of the m
state products and m + 1 sums passes at most G (1 + w) of its loss on:

    underflow_t = (1+xi_t) (1+beta)^m [ w sum(|b| + dX) + (m l + (m+1) f) G (1 + w) ]

A declared sequential order forms every h_t, so roundings act on |h_t| itself, which the truth
knows, instead of X_t. That is false for trees, whose intermediate results are no states (the tests
of formats have one that exceeds it), and for units that align the operands of a sum. Where results
are stored in a narrower format, storing costs s |h_t| + s_loss once at the output, at every step,
or once per chunk and path.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scanproof.reference.allowance import integer_cases
from scanproof.reference.allowance import orders as algorithms
from scanproof.reference.allowance.magnitudes import (
    Carry,
    Leaves,
    Magnitudes,
    after,
    leaves,
    magnitudes_of,
    positive_scan,
    start,
)
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.environment import require_ieee
from scanproof.reference.arithmetic.error_model import PROVED, ErrorModel
from scanproof.reference.arithmetic.operations import TINY, UP, Roundings, over_steps, roundings
from scanproof.reference.inputs import Array, Inputs
from scanproof.reference.truth.enclosure import Truth


class Allowance(NamedTuple):
    """What the declared class may do to each element; (batch, time, channels) each."""

    bound: Array  # float64: |computed - exact| <= bound, inf where nothing is known
    no_overflow: Array  # bool: no evaluation of the class can overflow or make a NaN up to here
    unstored: Array  # float64: the bound before results are rounded to a narrower format


def allowance(
    inputs: Inputs, arithmetic: Arithmetic, exact: Truth | None = None, model: ErrorModel = PROVED
) -> Allowance:
    """Computes the allowance of all states of `inputs` for the class that `arithmetic` declares.

    docs/theorem.md proves it; the module docstring has the equations.

    Args:
        inputs: b (batch, time, channels), in either direction of time.
        arithmetic: the declaration.
        exact: the truth of these inputs, which makes the allowance smaller where states are known
            to be formed (sequential orders).
        model: with a model that weakens terms of the theorem it is no allowance: some evaluation
            exceeds it (docs/measured/tiny.md).

    Returns:
        An Allowance of arrays (batch, time, channels), in the order of b's time axis.

    Raises:
        FloatingPointError: this process does not compute in IEEE arithmetic.
    """
    require_ieee()
    shape = inputs.b.shape
    if arithmetic.unmodelled:
        nothing = np.full(shape, np.inf)
        return Allowance(nothing, np.zeros(shape, bool), nothing)
    forward = inputs.forward()
    if not arithmetic.bracketing:
        bound = algorithms.bound(forward, arithmetic)
        found = Allowance(bound, np.isfinite(bound), bound)
    else:
        sizes = None if exact is None else size(exact)
        flipped = sizes if sizes is None or not inputs.reverse else sizes[:, ::-1]
        found = advance(forward, arithmetic, start(forward, arithmetic), flipped, model)[0]
    return Allowance(*(x[:, ::-1] for x in found)) if inputs.reverse else found


def size(exact: Truth) -> Array:
    """Bounds |h| from above: float64 (batch, time, channels), 0 for an exact 0."""
    with np.errstate(over="ignore"):
        return np.where(
            (exact.head == 0) & (exact.rad == 0),
            0.0,
            (np.abs(exact.head) * UP + exact.rad) * UP + TINY,
        )


def advance(
    block: Inputs,
    arithmetic: Arithmetic,
    carry: Carry,
    sizes: Array | None = None,
    model: ErrorModel = PROVED,
) -> tuple[Allowance, Carry]:
    """Computes the allowance of the next steps of forward inputs with a bracketing order.

    Blocks give what one call over all steps gives.

    Args:
        block: b (batch, time, channels) of these steps.
        arithmetic: the declaration.
        carry: where the scans stand before the block.
        sizes: upper bounds of |h_t|, (batch, time, channels).
        model: as in `allowance`.

    Returns:
        The Allowance of the block, (batch, time, channels) each, and the carry after it.
    """
    ops = roundings(arithmetic, np.iscomplexobj(block.lam), model=model)
    exact, whole = integer_cases.advance(block, ops.significand_bits, carry.whole)
    with np.errstate(over="ignore", invalid="ignore", under="ignore", divide="ignore"):
        magnitudes, E, unstored, peak = of_leaves(
            leaves(block, arithmetic, ops), arithmetic, ops, carry, sizes
        )
        bound = unstored if arithmetic.store == "step" else _stored(unstored, magnitudes, ops)
        no_overflow = (peak < ops.largest / 2 * (1 - 2 * ops.u)) | exact
    zero = exact & (not model.unsure)
    bound, unstored = (
        np.where(zero, 0.0, np.where(np.isnan(x), np.inf, x)) for x in (bound, unstored)
    )
    return Allowance(bound, no_overflow, unstored), after(magnitudes, carry, E, peak, whole)


def of_leaves(
    leaf: Leaves, arithmetic: Arithmetic, ops: Roundings, carry: Carry, sizes: Array | None
) -> tuple[Magnitudes, Array, Array, Array]:
    """Runs the recurrences of the module docstring on sizes and read errors (docs/theorem.md).

    Returns:
        Sizes and counts; E; the bound before results are stored; and the largest number met so
        far in any evaluation: all (batch, time, channels).
    """
    sequential = arithmetic.order == "sequential"
    # aligning truncates by the larger operand, not by |h_t|
    acts = sequential and arithmetic.rounding != "matrix"
    magnitudes = magnitudes_of(leaf, carry, sizes if acts else None)
    errors = _sequential if sequential else _bracketing
    E, unstored, peak = errors(leaf, magnitudes, ops, arithmetic, carry)
    return (
        magnitudes,
        E,
        unstored,
        np.maximum.accumulate(np.maximum(peak, carry.peak[:, None]), axis=1),
    )


def _bracketing(
    leaf: Leaves, magnitudes: Magnitudes, ops: Roundings, arithmetic: Arithmetic, carry: Carry
) -> tuple[Array, Array, Array]:
    """The theorem above: E, the bound, and the largest number met in any evaluation."""
    E, model = positive_scan(*_products(leaf, magnitudes, ops), carry.E), ops.model
    t = carry.steps + np.arange(1.0, magnitudes.X.shape[1] + 1)[:, None]  # (time, 1)
    stores = (
        np.ceil((t - 1) / arithmetic.chunk)
        if arithmetic.store == "chunk" and arithmetic.chunk
        else 0 * t
    )
    stores = np.maximum(stores - model.fewer_stores, 0)
    additions = np.maximum(magnitudes.n - 1 - model.fewer_additions, 0)
    longest = _path_limit(arithmetic, t, carry.time) - model.fewer_on_a_path
    xi = _grow(ops.u, ops.c * np.minimum(additions, longest))
    xi = xi + (1 + xi) * _grow(ops.store, stores)
    spread = (1 + xi) * (1 + _grow(ops.beta, magnitudes.m))
    underflow, lost = _underflow(magnitudes, ops, stores)
    error = (1 + xi) * E + xi * magnitudes.X + spread**model.spread * underflow
    bound = _upward(error, magnitudes.G, carry.steps, (xi == 0) & (E == 0) & (lost == 0), model)
    return E, bound, np.maximum(magnitudes.X + bound, magnitudes.G * spread)


def _underflow(magnitudes: Magnitudes, ops: Roundings, stores: Array) -> tuple[Array, Array]:
    """Costs of underflow before relative errors, and losses; (batch, time, channels) each."""
    G, model = magnitudes.G, ops.model
    products, loss = (
        np.where(magnitudes.lossy, magnitudes.m, 0),
        ops.product_loss + 2 * ops.operand_loss * G,
    )
    multipliers = products if ops.operand else np.maximum(products - 1 - model.fewer_multipliers, 0)
    grown = G**model.growth_in_w
    w = model.multiplier_losses * _grow(loss * grown * grown, multipliers)
    states = model.state_losses * np.maximum(products - model.fewer_products, 0) * loss
    sums = (magnitudes.m + 1 - model.fewer_sums) * ops.sum_loss + stores * ops.store_loss
    lost = states + np.where(magnitudes.n > 0, sums, 0)
    return w * magnitudes.total + lost * G**model.growth * (1 + w) ** model.wrong_growth, lost


def _sequential(
    leaf: Leaves, magnitudes: Magnitudes, ops: Roundings, arithmetic: Arithmetic, carry: Carry
) -> tuple[Array, Array, Array]:
    """The theorem for one step after the other: every loss decays like the state.

    Roundings act on |h_t| if that is known:

        E_t = (1+u) [(A+dA)(1+beta) E_{t-1} + (dA (1+beta) + A beta) |h_{t-1}| + dX_t + loss]
              + u |h_t| + f

    In a contracted complex step all roundings of the products are within beta, and the addend meets
    c = 2:

        E_t = (A+dA)(1+beta) E_{t-1} + (dA (1+beta) + A beta) |h_{t-1}| + xi |b_t|
              + (1+xi) (dX_t + loss) + f
    """
    adds = magnitudes.carried & (leaf.X > 0)
    # lam-shaped: roundings of the products include those of the sums
    within = leaf.rounds & (ops.c > 1)
    xi = np.where(adds, np.where(within, _grow(ops.u, ops.c), ops.u), 0.0)
    gain, source = _products(leaf, magnitudes, ops)
    loss = np.where(
        magnitudes.carried & leaf.loses,
        ops.product_loss + ops.operand_loss * (leaf.A + leaf.dA),
        0.0,
    )
    flushed = np.where(magnitudes.n > 0, ops.sum_loss, 0.0)
    rounded = np.where(within, xi * (leaf.X + leaf.dX), xi * (source + magnitudes.now))
    gain, source = np.where(within, 1, 1 + xi) * gain, source + rounded + (1 + xi) * loss + flushed
    if arithmetic.store == "step":
        stored = np.where(magnitudes.n > 0, ops.store * magnitudes.now + ops.store_loss, 0.0)
        gain, source = (1 + ops.store) * gain, (1 + ops.store) * source + stored
    E = positive_scan(gain, source, carry.E)
    bound = _upward(E, magnitudes.G, carry.steps, (E == 0) & ~adds, ops.model)
    return E, bound, magnitudes.X + bound


def _stored(bound: Array, magnitudes: Magnitudes, ops: Roundings) -> Array:
    """The bound after results are rounded to the declared dtype."""
    if not ops.store:
        return bound
    size = np.where(magnitudes.m > 0, magnitudes.now, 0.0)  # an input is stored as it is
    return (
        bound + np.where(magnitudes.n > 0, ops.store * (size + bound) + ops.store_loss, 0.0)
    ) * UP


def _products(leaf: Leaves, magnitudes: Magnitudes, ops: Roundings) -> tuple[Array, Array]:
    """What products and leaves do: E_t = gain E_{t-1} + source.

    gain has lam's shape and source b's. A |h_{t-1}| is formed before it is multiplied by beta:
    A beta alone underflows where |lam| is tiny and |h_{t-1}| huge.
    """
    beta = np.where(leaf.rounds, ops.beta, 0.0)
    source = leaf.dA * magnitudes.before * (1 + beta) + leaf.A * magnitudes.before * beta + leaf.dX
    return (leaf.A + leaf.dA) * (1 + beta), source


def _path_limit(arithmetic: Arithmetic, t: Array, time: int) -> Array:
    """Most additions on one path to h_t, t = 1.., of `time` steps in all that the declared order
    allows, h0 included; like t."""
    if arithmetic.order == "tree":
        return np.full(t.shape, 2 * np.ceil(np.log2(max(time, 1))) + 2)
    if arithmetic.chunk is not None:
        return np.asarray(np.minimum(t, arithmetic.chunk) - 1 + np.ceil(t / arithmetic.chunk))
    return t


def _grow(rate: Array | float, count: Array | float) -> Array:
    """(1 + rate)^count - 1 rounded upwards, exactly 0 for count 0."""
    return np.asarray(np.expm1(np.asarray(count) * np.log1p(rate)) * UP)


def _upward(error: Array, G: Array, steps: int, exact: Array, model: ErrorModel) -> Array:
    """Covers the bound's own float64 evaluation: nonnegative terms, fewer than 16 roundings and
    underflows a step."""
    t = steps + np.arange(error.shape[1])[:, None]  # (time, 1)
    return np.where(exact, error, error * over_steps(t, model.evaluation) + 64 * (t + 8) * TINY * G)

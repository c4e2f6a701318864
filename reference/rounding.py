"""The allowance of a scan: how far any evaluation of a declared arithmetic can be from the exact states.

Glossary (beside that of arithmetic.py; all arrays are per batch row and channel, all sizes rounded upwards)

    symbol   meaning
    A, dA    |lam_t| and how far the multiplier that is read may be from it
    X        the scan on absolute values: X_t = A_t X_{t-1} + |b_t|
    E        bound of the error that products and leaves cause, before additions
    n        operands that are not exactly zero in the sum that makes h_t
    d        additions that may round on one path, n - 1 at most
    G        largest product of |lam| over a segment, at least 1
    w        what underflow in products of multipliers adds, relative to G = 1

Theorem (docs/theorem.md; its algebra is proved in `scanproof.proofs`). Every bracketing of the scan computes h_t as
a sum of monomials lam_t ... lam_{k+1} b_k, each rounded once per product by a factor lam and at most c d_t times by additions:

    E_t = (A+dA)(1+beta) E_{t-1} + [dA (1+beta) + A beta] X_{t-1} + dX_t,      xi_t = (1+u)^(c d_t) - 1
    |computed - exact| <= (1+xi_t) E_t + xi_t X_t + underflow_t

Three refinements, each exact arithmetic: a product by +-2^-j or +-i 2^-j rounds only by underflow (beta = 0 there); a sum
with an exact zero does not round, so only operands that are not zero count in n; lam_t = 0 starts n afresh.

Underflow, over the m products since the first nonzero operand, each off by at most l (the loss of one product), f the loss
of one sum (flush to zero only): of a monomial's m products one at least multiplies the state, so at most m - 1 build
multipliers; those that lose leave disjoint segments of size <= G each, so the multipliers are wrong by at most
w = (1 + l G^2)^(m-1) - 1, and each of the m state products and m + 1 sums passes at most G (1 + w) of its loss on:

    underflow_t = (1+xi_t) (1+beta)^m [ w sum(|b| + dX) + (m l + (m+1) f) G (1 + w) ]
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scanproof.reference.arithmetic import TINY, UP, Arithmetic, Roundings
from scanproof.reference.environment import require_ieee
from scanproof.reference.inputs import Array, Inputs
from scanproof.reference.scan import at, scan


class Allowance(NamedTuple):
    """What the declared class may do to each element; both (batch, time, channels)."""

    bound: Array  # float64: |computed - exact| <= bound, inf where nothing is known
    no_overflow: Array  # bool: no evaluation of the class can overflow or make a NaN up to here


class Leaves(NamedTuple):
    """Sizes and read errors of the numbers a scan starts from, and how products by lam_t behave."""

    A: Array  # (channels,) or (batch, time, channels), as are dA, rounds and loses
    dA: Array
    X: Array  # (batch, time, channels), as is dX
    dX: Array
    X0: Array  # (batch, channels), as is dX0
    dX0: Array
    rounds: Array  # bool: a product by lam_t can have a relative error
    loses: Array  # bool: a product by lam_t can have any error


class Walk(NamedTuple):
    """What both orders start from: the scan on absolute values and the counts of the glossary; (batch, time, channels) each."""

    X: Array
    before: Array  # X_{t-1}
    carried: Array  # bool: lam_t h_{t-1} is not exactly zero
    n: Array
    m: Array
    lossy: Array  # bool: some of the m products can have an error
    G: Array
    total: Array  # sum of the n operands' |b| + dX


def allowance(inputs: Inputs, arithmetic: Arithmetic) -> Allowance:
    """The allowance of all states of `inputs` for the class that `arithmetic` declares, in the order of b's time axis.

    Raises:
        FloatingPointError: this process does not compute in IEEE arithmetic.
    """
    require_ieee()
    shape = inputs.b.shape
    if arithmetic.unmodelled:
        return Allowance(np.full(shape, np.inf), np.zeros(shape, bool))
    forward, ops = inputs.forward(), arithmetic.roundings(np.iscomplexobj(inputs.lam))
    exact = exact_lane(forward, ops.significand_bits)
    bound, no_overflow = np.zeros(shape), np.ones(shape, bool)
    if not exact.all():
        errors = _sequential if arithmetic.order == "sequential" else _bracketing
        with np.errstate(over="ignore", invalid="ignore", under="ignore", divide="ignore"):
            bound, peak = errors(leaves(forward, arithmetic), ops, _path_limit(arithmetic, shape[1]))
            no_overflow = np.maximum.accumulate(peak, axis=1) < ops.largest / 2 * (1 - 2 * ops.u)
        bound = np.where(exact, 0.0, np.where(np.isnan(bound), np.inf, bound))
    return Allowance(bound[:, ::-1], no_overflow[:, ::-1]) if inputs.reverse else Allowance(bound, no_overflow)


def leaves(inputs: Inputs, arithmetic: Arithmetic) -> Leaves:
    """Sizes and read errors: with `daz` a subnormal component may be read as zero."""
    lam, b, start = _parts(inputs.lam), _parts(inputs.b), _parts(inputs.start)
    flushed = arithmetic.omega if arithmetic.subnormals == "daz" else 0.0
    read_error = [_modulus(np.where(np.abs(x) < flushed, x, 0.0)) for x in (lam, b, start)]
    on_axis = (lam != 0).sum(-1) <= 1
    power = ((lam == 0) | (np.abs(np.frexp(lam)[0]) == 0.5)).all(-1)  # components 0 or +-2^j
    unit = on_axis & (np.abs(lam).sum(-1) == 1) & (arithmetic.subnormals == "gradual")
    return Leaves(
        A=_modulus(lam),
        dA=read_error[0],
        X=_modulus(b),
        dX=read_error[1],
        X0=_modulus(start),
        dX0=read_error[2],
        rounds=~(on_axis & power),
        loses=~unit,
    )


def exact_lane(inputs: Inputs, significand_bits: int) -> Array:
    """Where every bracketing is exact: lam in {0, +-1, +-i} and integers whose absolute values sum to less than 2^p so far.

    Every partial sum of such integers is representable, so the truth must be met in value. The strict
    comparison makes the total itself exact: float64 sums of integers below 2^53 are.
    """
    lam, b, start = _parts(inputs.lam), _parts(inputs.b), _parts(inputs.start)
    with np.errstate(over="ignore"):
        unit = (np.abs(lam).sum(-1) <= 1) & (lam == np.rint(lam)).all(-1)  # lam-shaped
        total = np.cumsum(np.abs(b).sum(-1), axis=1) + np.abs(start).sum(-1)[:, None]  # (batch, time, channels)
    whole = unit & (b == np.rint(b)).all(-1) & (start == np.rint(start)).all(-1)[:, None]  # (batch, time, channels)
    return np.asarray(np.logical_and.accumulate(whole, axis=1) & (total < 2.0**significand_bits))


def _bracketing(leaf: Leaves, ops: Roundings, path_limit: Array) -> tuple[Array, Array]:
    """The theorem above, with at most path_limit additions on a path; and the largest number met in any evaluation."""
    walk = _walk(leaf)
    E = scan(*_products(leaf, walk, ops), leaf.dX0)
    xi = _grow(ops.u, ops.c * np.minimum(np.maximum(walk.n - 1, 0), path_limit[:, None]))
    spread = (1 + xi) * (1 + _grow(ops.beta, walk.m))
    products = np.where(walk.lossy, walk.m, 0)
    w = _grow(ops.product_loss * walk.G * walk.G, np.maximum(products - 1, 0))
    lost = products * ops.product_loss + np.where(walk.n > 0, (walk.m + 1) * ops.sum_loss, 0)
    error = (1 + xi) * E + xi * walk.X + spread * (w * walk.total + lost * walk.G * (1 + w))
    bound = _upward(error, walk.G, exact=(xi == 0) & (E == 0) & (lost == 0))
    return bound, np.maximum(walk.X + bound, walk.G * spread)


def _sequential(leaf: Leaves, ops: Roundings, _path_limit: Array) -> tuple[Array, Array]:
    """One step after the other: the same monomials, with every loss decaying like the state.

    E_t = (1+xi) [(A+dA)(1+beta) E_{t-1} + (dA (1+beta) + A beta) X_{t-1} + dX_t + loss] + xi X_t + f
    """
    walk = _walk(leaf)
    adds = walk.carried & (leaf.X > 0)
    xi = np.where(adds, _grow(ops.u, ops.c), 0.0)
    gain, source = _products(leaf, walk, ops)
    loss = np.where(walk.carried & leaf.loses, ops.product_loss, 0.0)
    flushed = np.where(walk.n > 0, ops.sum_loss, 0.0)
    E = scan((1 + xi) * gain, (1 + xi) * (source + loss) + xi * walk.X + flushed, leaf.dX0)
    bound = _upward(E, walk.G, exact=(E == 0) & ~adds)
    return bound, walk.X + bound


def _products(leaf: Leaves, walk: Walk, ops: Roundings) -> tuple[Array, Array]:
    """Gain (lam-shaped) and source (b-shaped) of what products and leaves do: E_t = gain E_{t-1} + source."""
    beta = np.where(leaf.rounds, ops.beta, 0.0)
    return (leaf.A + leaf.dA) * (1 + beta), (leaf.dA * (1 + beta) + leaf.A * beta) * walk.before + leaf.dX


def _walk(leaf: Leaves) -> Walk:
    """Every count is a scan of its own, with the same zeros."""
    some = (leaf.A > 0).astype(float)  # lam-shaped
    n0 = (leaf.X0 > 0).astype(float)  # (batch, channels)
    X, n = scan(leaf.A, leaf.X, leaf.X0), scan(some, (leaf.X > 0).astype(float), n0)
    carried = some * (_delayed(n, n0) > 0)
    return Walk(
        X=X,
        before=_delayed(X, leaf.X0),
        carried=carried > 0,
        n=n,
        m=scan(carried, carried),
        lossy=scan(carried, carried * leaf.loses) > 0,
        G=_largest_segment(leaf.A + leaf.dA, leaf.X.shape),
        total=scan(carried, leaf.X + leaf.dX, leaf.X0 + leaf.dX0),
    )


def _delayed(x: Array, start: Array) -> Array:
    """x_{t-1}: (batch, time, channels)."""
    return np.concatenate([start[:, None], x[:, :-1]], axis=1)[:, : x.shape[1]]


def _largest_segment(A: Array, shape: tuple[int, ...]) -> Array:
    """G_t: the largest product of multipliers over a segment that ends at t or before, at least 1."""
    products = np.ones(shape)
    ending = np.ones((shape[0], shape[2]))  # largest product of a segment that ends here
    for t in range(shape[1]):
        ending = products[:, t] = at(A, t) * np.maximum(ending, 1)
    return np.asarray(np.maximum.accumulate(np.maximum(products, 1), axis=1))


def _path_limit(arithmetic: Arithmetic, time: int) -> Array:
    """Most additions on one path to h_t that the declared order allows, h0 included; (time,)."""
    t = np.arange(1, time + 1, dtype=float)
    if arithmetic.order == "tree":
        return np.full(time, 2 * np.ceil(np.log2(max(time, 1))) + 2)
    if arithmetic.chunk is not None:
        return np.asarray(np.minimum(t, arithmetic.chunk) - 1 + np.ceil(t / arithmetic.chunk))
    return t


def _grow(rate: Array | float, count: Array | float) -> Array:
    """(1 + rate)^count - 1 rounded upwards, exactly 0 for count 0."""
    return np.asarray(np.expm1(np.asarray(count) * np.log1p(rate)) * UP)


def _upward(error: Array, G: Array, exact: Array) -> Array:
    """Covers the bound's own float64 evaluation: nonnegative terms, fewer than 16 roundings and underflows a step."""
    t = np.arange(error.shape[1])[:, None]  # (time, 1)
    return np.where(exact, error, error * (1 + 16 * (t + 8) * 2.0**-53) + 64 * (t + 8) * TINY * G)


def _parts(x: Array) -> Array:
    """Real components in float64 on a new last axis: one for real, two for complex arrays."""
    return np.asarray(np.stack([x.real, x.imag] if np.iscomplexobj(x) else [x], axis=-1).astype(float))


def _modulus(parts: Array) -> Array:
    """|x| of _parts(x), rounded upwards; exact where one component is zero."""
    oblique = (parts != 0).sum(-1) > 1
    return np.asarray(np.where(oblique, np.hypot(parts[..., 0], parts[..., -1]) * UP + TINY, np.abs(parts).sum(-1)))

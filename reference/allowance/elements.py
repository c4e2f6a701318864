"""The seams of the reference for enclosures and for allowance elements: elementary functions, expm,
scans.

    f of a   E = sup of |f(s) - f(v)| over |s - v| <= E_a, by one ball as wide as that,
             and the declared error of f
    expm     ||P^ - exp S||_2 <= u ||S||_1 + c_E u (||S||_1 + sqrt N), c_E assumed:
             exp of a skew matrix does not amplify
    frechet  ||G^ - L(S, G)||_F <= ||E_G||_F + (the same) ||G||_F, c_E assumed:
             the derivative at a skew S is no longer than G
    scan     the theorem of rounding.py, with the errors of lam, b and h0 as read errors

Importing this module lets `namespace.of` know both kinds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from typing import Any

import flint
import numpy as np

from scanproof.reference.allowance import rounding
from scanproof.reference.allowance.bounded import Bounded
from scanproof.reference.allowance.integer_cases import Whole
from scanproof.reference.allowance.magnitudes import Carry, Leaves, positive_scan
from scanproof.reference.allowance.orders.angle_sum import added_angles
from scanproof.reference.arithmetic.operations import TINY, UP, Roundings
from scanproof.reference.inputs import Array
from scanproof.reference.numbers import enclosed, exponential, namespace
from scanproof.reference.numbers.enclosed import (
    BITS,
    Complex,
    Enclosed,
    balls,
    of_balls,
    through_balls,
)
from scanproof.reference.numbers.namespace import ELEMENTARY, Namespace
from scanproof.reference.truth.exact import _up

# ---------------------------------------------------------------- enclosures


@cache
def enclosures() -> Namespace:
    """The namespace of double-doubles with radii."""
    return Namespace(
        kind="double-double",
        lift=enclosed.exact,
        **{name: partial(through_balls, getattr(np, name)) for name in ELEMENTARY},
        real=lambda x: x.re if isinstance(x, Complex) else x,
        imag=lambda x: x.im if isinstance(x, Complex) else 0 * x,
        conj=lambda x: x.conj() if isinstance(x, Complex) else x,
        complex=Complex,
        expm=partial(through_balls, exponential.ball_expm),
        frechet=partial(through_balls, exponential.ball_frechet),
        valid=lambda x: np.isfinite(x.rad) if isinstance(x, Enclosed) else np.zeros(x.shape, bool),
        scan=enclosed.scan,
        rotation=partial(_paired, enclosed.scan),
    )


# ---------------------------------------------------------------- allowance elements


@cache
def elements() -> Namespace:
    """The namespace of allowance elements (v, X, E0, n, product_bound, underflow_error)."""
    return Namespace(
        kind="allowance",
        lift=_no_lift,
        **{name: partial(function, name) for name in ELEMENTARY} | {"expm1": expm1},
        real=Bounded.real_part,
        imag=Bounded.imag_part,
        conj=Bounded.conj,
        complex=pair,
        expm=expm,
        frechet=frechet,
        valid=lambda x: np.isfinite(x.size),
        scan=scan,
        rotation=rotation,
    )


def function(name: str, x: Bounded) -> Bounded:
    """Applies an elementary function to elements (...).

    Errors are absolute for sin and cos and relative for the others, with the assumed constants of
    reference/arithmetic/constants.py.
    """
    x, elementary, ops = x.closed(), x.errors.elementary, x.errors.real
    with flint.ctx.workprec(BITS):
        values, wide = (
            getattr(np, name)(balls(x.v, more)) for more in (0.0, x.E * x.errors.inflation())
        )
        moved = np.frompyfunc(lambda one, two: _up(abs(one - two)), 2, 1)(wide, values).astype(
            float
        )
    v = of_balls(values)
    relative = {"sin": 0.0, "cos": 0.0, "sqrt": elementary.division}.get(name, elementary.e) * ops.u
    absolute = (elementary.e_t if name in ("sin", "cos") else 0.0) * ops.u
    E = moved + relative * (v.size() + moved) + absolute + ops.product_loss
    found = x._noted(
        v, v.size(), E, np.ones(x.shape), np.maximum(v.size() + E, 1), np.zeros(x.shape), 8
    )
    return replace(found, argument=x) if name == "cos" else found


def expm1(x: Bounded) -> Bounded:
    """Computes exp(x) - 1 of elements (...).

    With gain one-minus-square (docs/declaration.md) the worse of that and of exp(x / 2)^2 - 1 is
    taken.
    """
    plain = function("expm1", x)
    if x.errors.declared.gain == "expm1":
        return plain
    root = function("exp", x * 0.5)
    return replace(
        plain, E0=np.maximum(plain.E, (root * root + -1).E), product_bound=plain.product_bound + 1
    )


def pair(re: Bounded, im: Bounded) -> Bounded:
    """Takes re + i im of real elements, both (...): nothing is computed."""
    re, im = re.closed(), im.closed()
    X, E = (
        np.where((one == 0) | (two == 0), one + two, np.hypot(one, two) * UP)
        for one, two in ((re.X, im.X), (re.R, im.R))
    )
    return Bounded(
        Complex(re.v, im.v),
        X,
        E,
        np.maximum(re.n, im.n),
        re.product_bound + im.product_bound,
        re.underflow_error + im.underflow_error,
        re.errors,
    )


def expm(S: Bounded) -> Bounded:
    """Computes exp of skew matrices (stack, n, n), within the assumed c_E (module docstring)."""
    # exp(0) is exact (stack, 1, 1)
    delta = np.where((S.size > 0).any((1, 2), keepdims=True), _distance(S), 0.0)
    v = through_balls(exponential.ball_expm, S.v)
    E = np.broadcast_to(delta, S.shape)
    S.errors.tally.note(v.size() + E, S.shape[-1] + 16)
    product_bound = np.maximum(v.size() + E, 1)
    return Bounded(
        v, v.size(), E, np.ones(S.shape), product_bound, np.zeros(S.shape), S.errors, normwise=True
    )


def frechet(S: Bounded, G: Bounded) -> Bounded:
    """Computes L(S, G) for skew S and any G, (stack, n, n), within the assumed c_E."""
    # (stack, 1, 1)
    E, size = (np.sqrt((x * x).sum((1, 2), keepdims=True)) * UP for x in (G.E, G.size))
    v = through_balls(exponential.ball_frechet, S.v, G.v)
    error = np.broadcast_to(E + _distance(S) * size, S.shape)
    S.errors.tally.note(v.size() + error, S.shape[-1] ** 2 + 16)
    product_bound = np.maximum(v.size() + error, 1)
    return Bounded(v, v.size(), error, np.ones(S.shape), product_bound, np.zeros(S.shape), S.errors)


def _distance(S: Bounded) -> Array:
    """delta_P (stack, 1, 1): the 1-norms are the largest sums of a column.

    S = M - M^T is one subtraction.
    """
    size, u = S.v.size(), S.errors.real.u
    # (stack, n, n)
    rounded = np.where(size + S.E0 > 0, S.E0 + u * (size + S.E0) + S.errors.real.sum_loss, 0.0)
    moved, norm = (x.sum(1, keepdims=True).max(2, keepdims=True) for x in (rounded, size + rounded))
    return np.asarray((moved + S.errors.elementary.c_E * u * (norm + S.shape[-1] ** 0.5)) * UP)


def _no_lift(x: Any) -> Any:
    raise TypeError("lift: found no declared arithmetic, expected Bounded.leaf(x, errors)")


# ---------------------------------------------------------------- scans


def scan(
    lam: Bounded,
    b: Bounded,
    h0: Bounded | None = None,
    reverse: bool = False,
    ops: Roundings | None = None,
) -> Bounded:
    """Computes h_t = lam_t h_{t-1} + b_t by the theorem of docs/theorem.md.

    Args:
        lam: (channels,) or (batch, time, channels).
        b: (batch, time, channels)
        h0: (batch, channels), zeros when None.
        reverse: run from the last step to the first.
        ops: the constants of one product, where they are not those of b.

    Returns:
        The states (batch, time, channels); their error is inf where no allowance is known.
    """
    lam = (lam[:, ::-1] if reverse and lam.ndim == 3 else lam).closed()
    b = (b[:, ::-1] if reverse else b).materialized()
    h0 = (0 * b[:, 0] if h0 is None else h0).materialized()
    # other orders are known of rotations only
    known = lam.errors.declared.bracketing or ops is not None
    ops, declared = ops or b.ops, lam.errors.declared
    v = enclosed.scan(lam.v, b.v, h0.v)
    with np.errstate(over="ignore", invalid="ignore", under="ignore", divide="ignore"):
        sizes = v.size() if b.errors.materialized else None
        magnitudes, E, unstored, peak = rounding.of_leaves(
            _leaves(lam, b, ops), declared, ops, _carry(h0, b.shape[1]), sizes
        )
        E = np.where(np.isnan(unstored) | (not known), np.inf, unstored)
        X = np.where(np.isnan(magnitudes.X), np.inf, magnitudes.X)
        grown = np.exp(magnitudes.m * np.log1p(ops.beta) + ops.c * magnitudes.n * np.log1p(ops.u))
        product_bound = (
            (h0.product_bound[:, None] + np.cumsum(b.product_bound, 1)) * magnitudes.G * grown
        )
        underflow_error = _underflow_error(lam, b, h0, ops) * grown
    found = lam._noted(
        v, X, E, np.minimum(magnitudes.n, 1), product_bound, underflow_error, b.shape[1]
    )
    lam.errors.tally.note(peak, 0)
    return (found[:, ::-1] if reverse else found).materialized()


def _underflow_error(lam: Bounded, b: Bounded, h0: Bounded, ops: Roundings) -> Array:
    """Where b is not formed, its factors and those of lam^m are multiplied in any order: m losses
    for each monomial, and sums.

    K_t = A K_{t-1} + K of b_t
    F_t = A (F_{t-1} + loss K_{t-1}) + F of b_t        A = max(1, |lam|); K, F as in bounded.py
    """
    if b.errors.materialized:
        return np.zeros(b.shape)
    A, nothing = np.maximum(lam.size, 1), np.zeros(h0.shape)
    product_bound = positive_scan(A, b.product_bound, h0.product_bound)  # (batch, time, channels)
    early = np.concatenate([h0.product_bound[:, None], product_bound], axis=1)[:, : b.shape[1]]
    losses = positive_scan(A, A * (2 * ops.product_loss + 3 * ops.operand_loss) * early, nothing)
    return np.asarray(
        losses
        + positive_scan(A, b.underflow_error, h0.underflow_error)
        + 2 * ops.sum_loss * product_bound
    )


def _leaves(lam: Bounded, b: Bounded, ops: Roundings) -> Leaves:
    """What is 0 in exact numbers only (materialized, b may have cancelled) counts as an operand."""
    A, X = (np.where(x.E > 0, np.maximum(x.X, TINY), x.X) for x in (lam, b))
    unit = (lam.v.size() == 1) & (lam.errors.declared.subnormals == "gradual")
    return Leaves(
        A=A,
        dA=lam.E + np.where(A > 0, ops.operand_loss, 0.0),
        X=X,
        dX=b.R + np.where(X > 0, ops.operand * X + ops.operand_loss, 0.0),
        rounds=~lam._exact(ops),
        loses=~(lam._exact(ops) & unit),
    )


def _carry(h0: Bounded, time: int) -> Carry:
    """Before the first step."""
    X, E = h0.X, h0.R
    zeros, ones = np.zeros(X.shape), np.ones(X.shape)
    return Carry(
        0, time, X, (h0.size > 0) + 0.0, zeros, zeros, ones, ones, X + E, X, E, zeros,
        Whole(zeros > 0, zeros),
    )  # fmt: skip


def rotation(gamma: Bounded, cos: Bounded, sin: Bounded, b: Bounded, s0: Bounded) -> Bounded:
    """Computes s_t = gamma R(theta) s_{t-1} + b_t on pairs (RotRNN, arXiv 2407.07239).

    Decay and rotation may be multiplied one after the other: that is one more rounding of every
    product, and one of their sum. The order angle-sum adds the angles, which cos knows.

    Args:
        gamma: (heads,)
        cos, sin: (heads, pairs)
        b: (batch, time, heads, head_dim)
        s0: (batch, heads, head_dim)

    Returns:
        The states (batch, time, heads, head_dim).
    """
    ops, u = b.errors.complex, b.errors.real.u
    ops = ops._replace(beta=((1 + ops.beta) * (1 + u) ** 2 - 1) * UP)
    added = b.errors.declared.order == "angle-sum"
    scanned = (
        partial(added_angles, scan, cos.argument) if added and cos.argument is not None else scan
    )
    found: Bounded = _paired(partial(scanned, ops=ops), gamma, cos, sin, b, s0)
    # a cosine that was exposed says nothing of the angles that are added
    unknown = added and cos.argument is None
    return replace(found, E0=np.full(found.shape, np.inf)) if unknown else found


def _paired(scan: Callable[..., Any], gamma: Any, cos: Any, sin: Any, b: Any, s0: Any) -> Any:
    """A rotation with decay as the diagonal scan of the complex numbers even + i odd, with
    lam = gamma (cos + i sin)."""
    xp = namespace.of(b)
    lam = (gamma[:, None] * xp.complex(cos, sin)).reshape(-1)  # (heads pairs,)
    z, z0 = (xp.complex(x[..., 0::2], x[..., 1::2]) for x in (b, s0))  # (..., heads, pairs)
    h = scan(lam, z.reshape(*z.shape[:2], -1), z0.reshape(len(z0), -1)).reshape(z.shape)
    return np.stack([xp.real(h), xp.imag(h)], -1).reshape(b.shape)  # (batch, time, heads, head_dim)


namespace.OBJECTS |= {Enclosed: enclosures, Complex: enclosures, Bounded: elements}

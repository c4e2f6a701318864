"""The seams of the reference for enclosures and for allowance elements: elementary functions, expm, scans.

    f of a    E = sup of |f(s) - f(v)| over |s - v| <= E_a, by one ball as wide as that, and the declared error of f
    expm      ||P^ - exp S||_2 <= u ||S||_1 + c_E u (||S||_1 + sqrt N): exp of a skew matrix does not amplify  [c_E assumed]
    frechet   ||G^ - L(S, G)||_F <= ||E_G||_F + (the same) ||G||_F: the derivative at a skew S is no longer than G  [assumed]
    scan      the theorem of rounding.py, with the errors of lam, b and h0 as read errors

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
from scanproof.reference.allowance.exact_lanes import Whole
from scanproof.reference.allowance.near import Near
from scanproof.reference.allowance.orders.angle_sum import added_angles
from scanproof.reference.allowance.walk import Carry, Leaves
from scanproof.reference.arithmetic.operations import TINY, UP, Roundings
from scanproof.reference.inputs import Array
from scanproof.reference.numbers import enclosed, exponential, namespace
from scanproof.reference.numbers.enclosed import BITS, Complex, Enclosed, balls, of_balls, through_balls
from scanproof.reference.numbers.namespace import ELEMENTARY, Namespace
from scanproof.reference.transitions.diagonal import scan as positive
from scanproof.reference.truth.exact import _up

# ---------------------------------------------------------------- enclosures


@cache
def enclosures() -> Namespace:
    """Double-doubles with radii."""
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
    """(v, X, E0, n, reach)."""
    return Namespace(
        kind="allowance",
        lift=_no_lift,
        **{name: partial(function, name) for name in ELEMENTARY} | {"expm1": expm1},
        real=Near.real_part,
        imag=Near.imag_part,
        conj=Near.conj,
        complex=pair,
        expm=expm,
        frechet=frechet,
        valid=lambda x: np.isfinite(x.size),
        scan=scan,
        rotation=rotation,
    )


def function(name: str, x: Near) -> Near:
    """An elementary function: absolute errors for sin and cos, relative ones for the others."""
    x, elementary, ops = x.closed(), x.rules.elementary, x.rules.real
    with flint.ctx.workprec(BITS):
        values, wide = (getattr(np, name)(balls(x.v, more)) for more in (0.0, x.E * x.rules.inflation()))
        moved = np.frompyfunc(lambda one, two: _up(abs(one - two)), 2, 1)(wide, values).astype(float)
    v = of_balls(values)
    relative = {"sin": 0.0, "cos": 0.0, "sqrt": elementary.division}.get(name, elementary.e) * ops.u
    absolute = (elementary.e_t if name in ("sin", "cos") else 0.0) * ops.u
    E = moved + relative * (v.size() + moved) + absolute + ops.product_loss
    found = x._noted(v, v.size(), E, np.ones(x.shape), np.maximum(v.size() + E, 1), np.zeros(x.shape), 8)
    return replace(found, argument=x) if name == "cos" else found


def expm1(x: Near) -> Near:
    """exp(x) - 1; with gain one-minus-square the worse of that and exp(x / 2)^2 - 1."""
    plain = function("expm1", x)
    if x.rules.declared.gain == "expm1":
        return plain
    root = function("exp", x * 0.5)
    return replace(plain, E0=np.maximum(plain.E, (root * root + -1).E), reach=plain.reach + 1)


def pair(re: Near, im: Near) -> Near:
    """re + i im: nothing is computed."""
    re, im = re.closed(), im.closed()
    X, E = (np.where((one == 0) | (two == 0), one + two, np.hypot(one, two) * UP) for one, two in ((re.X, im.X), (re.R, im.R)))
    return Near(Complex(re.v, im.v), X, E, np.maximum(re.n, im.n), re.reach + im.reach, re.lost + im.lost, re.rules)


def expm(S: Near) -> Near:
    """exp of skew matrices (stack, n, n)."""
    delta = np.where((S.size > 0).any((1, 2), keepdims=True), _distance(S), 0.0)  # exp(0) is exact (stack, 1, 1)
    v = through_balls(exponential.ball_expm, S.v)
    E = np.broadcast_to(delta, S.shape)
    S.rules.tally.note(v.size() + E, S.shape[-1] + 16)
    reach = np.maximum(v.size() + E, 1)
    return Near(v, v.size(), E, np.ones(S.shape), reach, np.zeros(S.shape), S.rules, normwise=True)


def frechet(S: Near, G: Near) -> Near:
    """L(S, G) for skew S."""
    E, size = (np.sqrt((x * x).sum((1, 2), keepdims=True)) * UP for x in (G.E, G.size))  # (stack, 1, 1)
    v = through_balls(exponential.ball_frechet, S.v, G.v)
    error = np.broadcast_to(E + _distance(S) * size, S.shape)
    S.rules.tally.note(v.size() + error, S.shape[-1] ** 2 + 16)
    reach = np.maximum(v.size() + error, 1)
    return Near(v, v.size(), error, np.ones(S.shape), reach, np.zeros(S.shape), S.rules)


def _distance(S: Near) -> Array:
    """delta_P (stack, 1, 1): the 1-norms are the largest sums of a column. S = M - M^T is one subtraction."""
    size, u = S.v.size(), S.rules.real.u
    rounded = np.where(size + S.E0 > 0, S.E0 + u * (size + S.E0) + S.rules.real.sum_loss, 0.0)  # (stack, n, n)
    moved, norm = (x.sum(1, keepdims=True).max(2, keepdims=True) for x in (rounded, size + rounded))
    return np.asarray((moved + S.rules.elementary.c_E * u * (norm + S.shape[-1] ** 0.5)) * UP)


def _no_lift(x: Any) -> Any:
    raise TypeError("lift: found no declared arithmetic, expected Near.leaf(x, rules)")


# ---------------------------------------------------------------- scans


def scan(lam: Near, b: Near, h0: Near | None = None, reverse: bool = False, ops: Roundings | None = None) -> Near:
    """h_t = lam_t h_{t-1} + b_t. lam (channels,) or (batch, time, channels), b (batch, time, channels), h0 (batch, channels)"""
    lam = (lam[:, ::-1] if reverse and lam.ndim == 3 else lam).closed()
    b = (b[:, ::-1] if reverse else b).stage()
    h0 = (0 * b[:, 0] if h0 is None else h0).stage()
    known = lam.rules.declared.bracketing or ops is not None  # other orders are known of rotations only
    ops, declared = ops or b.ops, lam.rules.declared
    v = enclosed.scan(lam.v, b.v, h0.v)
    with np.errstate(over="ignore", invalid="ignore", under="ignore", divide="ignore"):
        sizes = v.size() if b.rules.anchored else None
        walk, E, unstored, peak = rounding.of_leaves(_leaves(lam, b, ops), declared, ops, _carry(h0, b.shape[1]), sizes)
        E = np.where(np.isnan(unstored) | (not known), np.inf, unstored)
        X = np.where(np.isnan(walk.X), np.inf, walk.X)
        grown = np.exp(walk.m * np.log1p(ops.beta) + ops.c * walk.n * np.log1p(ops.u))
        reach = (h0.reach[:, None] + np.cumsum(b.reach, 1)) * walk.G * grown
        lost = _lost(lam, b, h0, ops) * grown
    found = lam._noted(v, X, E, np.minimum(walk.n, 1), reach, lost, b.shape[1])
    lam.rules.tally.note(peak, 0)
    return (found[:, ::-1] if reverse else found).stage()


def _lost(lam: Near, b: Near, h0: Near, ops: Roundings) -> Array:
    """Where b is not formed, its factors and those of lam^m are multiplied in any order: m losses for each monomial, and sums.

    reach_t = K reach_{t-1} + reach of b_t;  lost_t = K (lost_{t-1} + loss reach_{t-1}) + lost of b_t,  K = max(1, |lam|)
    """
    if b.rules.anchored:
        return np.zeros(b.shape)
    K, nothing = np.maximum(lam.size, 1), np.zeros(h0.shape)
    reach = positive(K, b.reach, h0.reach)  # (batch, time, channels)
    early = np.concatenate([h0.reach[:, None], reach], axis=1)[:, : b.shape[1]]
    losses = positive(K, K * (2 * ops.product_loss + 3 * ops.operand_loss) * early, nothing)
    return np.asarray(losses + positive(K, b.lost, h0.lost) + 2 * ops.sum_loss * reach)


def _leaves(lam: Near, b: Near, ops: Roundings) -> Leaves:
    """What is 0 in exact numbers only (anchored, b may have cancelled) counts as an operand."""
    A, X = (np.where(x.E > 0, np.maximum(x.X, TINY), x.X) for x in (lam, b))
    unit = (lam.v.size() == 1) & (lam.rules.declared.subnormals == "gradual")
    return Leaves(
        A=A,
        dA=lam.E + np.where(A > 0, ops.operand_loss, 0.0),
        X=X,
        dX=b.R + np.where(X > 0, ops.operand * X + ops.operand_loss, 0.0),
        rounds=~lam._exact(ops),
        loses=~(lam._exact(ops) & unit),
    )


def _carry(h0: Near, time: int) -> Carry:
    """Before the first step."""
    X, E = h0.X, h0.R
    zeros, ones = np.zeros(X.shape), np.ones(X.shape)
    return Carry(0, time, X, (h0.size > 0) + 0.0, zeros, zeros, ones, ones, X + E, X, E, zeros, Whole(zeros > 0, zeros))


def rotation(gamma: Near, cos: Near, sin: Near, b: Near, s0: Near) -> Near:
    """s_t = gamma R(theta) s_{t-1} + b_t on pairs, decay and rotation perhaps multiplied one after the other.

    That is one more rounding of every product, and one of their sum. Order angle-sum adds the angles, which cos knows.
    """
    ops, u = b.rules.complex, b.rules.real.u
    ops = ops._replace(beta=((1 + ops.beta) * (1 + u) ** 2 - 1) * UP)
    added = b.rules.declared.order == "angle-sum"
    scanned = partial(added_angles, scan, cos.argument) if added and cos.argument is not None else scan
    found: Near = _paired(partial(scanned, ops=ops), gamma, cos, sin, b, s0)
    unknown = added and cos.argument is None  # a cosine that was shown says nothing of the angles that are added
    return replace(found, E0=np.full(found.shape, np.inf)) if unknown else found


def _paired(scan: Callable[..., Any], gamma: Any, cos: Any, sin: Any, b: Any, s0: Any) -> Any:
    """A rotation with decay as the diagonal scan of the complex numbers even + i odd, with lam = gamma (cos + i sin)."""
    xp = namespace.of(b)
    lam = (gamma[:, None] * xp.complex(cos, sin)).reshape(-1)  # (heads pairs,)
    z, z0 = (xp.complex(x[..., 0::2], x[..., 1::2]) for x in (b, s0))  # (..., heads, pairs)
    h = scan(lam, z.reshape(*z.shape[:2], -1), z0.reshape(len(z0), -1)).reshape(z.shape)
    return np.stack([xp.real(h), xp.imag(h)], -1).reshape(b.shape)  # (batch, time, heads, head_dim)


namespace.OBJECTS |= {Enclosed: enclosures, Complex: enclosures, Near: elements}

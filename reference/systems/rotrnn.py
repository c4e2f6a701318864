"""RotRNN (arXiv 2407.07239): per head, a rotation with one decay, and inputs normalised so that the
state keeps its norm.

    symbol     meaning                               paper       shape
    theta      angles of the planes (1, 2), (3, 4)..  theta       (heads, head_dim / 2)
    gamma_log  gamma = exp(-exp(gamma_log))          gamma       (heads,)
    M          free matrix; only S = M - M^T, which  M           (heads, head_dim, head_dim)
               is skew, matters
    B          input matrix, normalised by xi        B           (heads, head_dim, width)
    C          output matrix; C2 of the second       C           (width, heads * head_dim)
               direction
    D          skip                                  D           (width,)
    P          orthogonal basis expm(S)              P           (heads, head_dim, head_dim)
    Theta      rotation of every plane by its angle  Theta       (heads, head_dim, head_dim)
    xi         sqrt((1 - gamma^2) / tr(B^T B))       xi          (heads,)
    x          states in the original basis          x           (batch, time, [2,] heads, head_dim)
    s          rotated states                        P^T x       (batch, time, ..., heads, head_dim)
    b          drive of s                            xi P^T B u  (batch, time, ..., heads, head_dim)
    u, y       inputs, outputs                       u, y        (batch, time, width)

    x_t = gamma A x_{t-1} + xi B u_t,   A = P Theta P^T          y_t = C [x_t of all heads] + D u_t
    s_t = gamma Theta s_{t-1} + xi P^T B u_t,   x_t = P s_t      (what is scanned)

`reverse` runs x_t = gamma A x_{t+1} + xi B u_t. With C2 the layer has two directions, forwards and
backwards (`reverse` exchanges them), both over the inputs and with the same gamma, A, B: y = C
x[first] + C2 x[second] + D u.

Cotangents are written with _bar.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from scanproof.reference import initialise
from scanproof.reference.allowance.operation_errors import unmodelled_in_layers
from scanproof.reference.call import Argument, Result, System
from scanproof.reference.layers import backwards, finite_exp, gathered, in_time, last, named
from scanproof.reference.numbers import namespace
from scanproof.reference.numbers.exponential import Array
from scanproof.reference.transitions.rotation import rotate


@dataclass(frozen=True, eq=False)
class Params:
    """Real arrays of one kind of number (glossary above); C2 only in a layer of two directions."""

    theta: Array  # (heads, pairs)
    gamma_log: Array  # (heads,)
    M: Array  # (heads, head_dim, head_dim)
    B: Array  # (heads, head_dim, width)
    C: Array  # (width, features)
    D: Array  # (width,)
    C2: Array | None = None  # (width, features)


@dataclass(frozen=True, eq=False)
class Gradients(Params):
    """Cotangents of the parameters, of the inputs u (batch, time, width) and of the initial states.

    Those of the states are h0 (batch, directions, heads, head_dim).
    """

    u: Array = field(kw_only=True)
    h0: Array = field(kw_only=True)


class Constants(NamedTuple):
    """What the recurrence is made of; also the type of their cotangents."""

    gamma: Array  # (heads,)
    cos: Array  # (heads, pairs)
    sin: Array  # (heads, pairs)
    P: Array  # (heads, head_dim, head_dim)
    xi: Array  # (heads,)
    B: Array  # (heads, head_dim, width)
    C: Array  # (directions, width, heads, head_dim)
    D: Array  # (width,)


def init(
    rng: np.random.Generator,
    heads: int = 4,
    head_dim: int = 4,
    width: int = 6,
    variant: str | initialise.Rotations = "A",
    bidirectional: bool = False,
    dtype: Any = np.float64,
) -> Params:
    """Draws parameters as one of the published versions does (reference/initialise.py).

    Args:
        rng: a generator; equal ones give equal parameters.
        heads, head_dim, width: sizes of the layer.
        variant: a name in initialise.ROTATIONS, or a Rotations.
        bidirectional: whether there is a second output matrix C2 (width, heads * head_dim).
        dtype: drawn in float64, then rounded to it.

    Raises:
        TypeError, ValueError: an unknown name (the known ones are listed), a size below 1, an odd
            head_dim.
    """
    initialise.check_arguments(
        rng, dtype, bidirectional, heads=heads, head_dim=head_dim, width=width
    )
    _check_even("head_dim", head_dim)
    v, features = initialise.named("variant", variant, initialise.ROTATIONS), heads * head_dim
    theta = rng.random((heads, head_dim // 2)) * v.max_phase  # (heads, pairs)
    gamma_log = initialise.gamma_log(rng, heads, v)  # (heads,)
    M = initialise.normal(rng, v.M_std(head_dim, features), heads, head_dim, head_dim)
    B = initialise.normal(rng, v.B_std(width, features), heads, head_dim, width)
    C = [
        initialise.normal(rng, v.C_std(width, features), width, features)
        for _ in range(2 if bidirectional else 1)
    ]
    D = initialise.normal(rng, 1.0, width)  # (width,)
    params = Params(*(x.astype(dtype) for x in (theta, gamma_log, M, B, C[0], D, *C[1:])))
    initialise.check_finite(params)
    return params


def _check_even(name: str, head_dim: int) -> None:
    if head_dim % 2:
        raise ValueError(
            f"{name}: found head_dim {head_dim}, expected an even number: rotations act on pairs "
            "of coordinates"
        )


def constants(params: Params) -> Constants:
    """Computes gamma = exp(-exp(gamma_log)), cos and sin of theta, P = expm(M - M^T) and xi.

    The equations are those of RotRNN, arXiv 2407.07239: xi = sqrt((1 - gamma^2) / tr(B^T B)). B, C
    (and C2) and D are passed on; Constants names all shapes.

    Raises:
        ValueError: gamma rounds to 0 or 1, or tr(B^T B) is 0 or overflows.
    """
    xp, gamma = namespace.of(params.M), decay(params)
    P = xp.expm(params.M - params.M.swapaxes(1, 2))  # (heads, head_dim, head_dim)
    squares = -xp.expm1(-2 * xp.exp(params.gamma_log))  # 1 - gamma^2 without cancellation (heads,)
    xi = xp.sqrt(squares / trace(params.B))  # (heads,)
    C = [
        x.reshape(len(params.D), *params.B.shape[:2])
        for x in (params.C, params.C2)
        if x is not None
    ]
    return Constants(
        gamma, xp.cos(params.theta), xp.sin(params.theta), P, xi, params.B, np.stack(C), params.D
    )


def decay(params: Params) -> Array:
    """Computes gamma = exp(-exp(gamma_log)), strictly between 0 and 1: (heads,).

    The equation is that of RotRNN, arXiv 2407.07239.

    Raises:
        ValueError: it rounds to 0 or 1 in some head; the line names the first.
    """
    # (heads,)
    gamma: Array = namespace.of(params.gamma_log).exp(-finite_exp("gamma_log", params.gamma_log))
    for head in np.flatnonzero((gamma == 0) | (gamma == 1))[:1]:
        found = (f"found {params.gamma_log[head]} in head {head}, where gamma = "
                 f"exp(-exp(gamma_log)) rounds to {gamma[head]}")
        raise ValueError(f"gamma_log: {found}, expected 0 < gamma < 1")
    return gamma


def trace(B: Array) -> Array:
    """Computes tr(B^T B) of RotRNN (arXiv 2407.07239), the sum of squares of each head.

    Args:
        B: (heads, head_dim, width)

    Returns:
        (heads,)

    Raises:
        ValueError: it is 0 or overflows in some head, where xi would divide by it.
    """
    with np.errstate(over="ignore", under="ignore"):
        squares: Array = (B * B).sum((1, 2))  # (heads,)
    for head in np.flatnonzero((squares == 0) | ~namespace.of(B).valid(squares).astype(bool))[:1]:
        raise ValueError(
            f"B: found tr(B^T B) = {squares[head]} in head {head}, expected a positive number, by "
            "which xi divides"
        )
    return squares


def run(k: Constants, u: Array, h0: Array, reverse: bool = False) -> tuple[Array, Array]:
    """Computes the layer from its constants, in any arithmetic: also in Fractions.

    Args:
        k: see Constants.
        u: (batch, time, width).
        h0: (batch, directions, heads, head_dim), in the original basis.
        reverse: run from the last step to the first.

    Returns:
        y (batch, time, width) and x (batch, time, directions, heads, head_dim).

    Raises:
        TypeError: reverse is neither True nor False.
    """
    # (batch, time, directions, heads, head_dim)
    x = np.einsum("hmn,btdhn->btdhm", k.P, states(k, drive(k, u), h0, reverse))
    return readout(k, x, u), x


def drive(k: Constants, u: Array) -> Array:
    """Computes b_t = xi P^T B u_t, the drive of the rotated states (RotRNN, arXiv 2407.07239).

    u is (batch, time, width), and b (batch, time, heads, head_dim).
    """
    Bu = np.einsum("hnw,btw->bthn", k.B, u)  # (batch, time, heads, head_dim)
    # (batch, time, heads, head_dim)
    b: Array = np.einsum("hnm,bthn->bthm", k.P, k.xi[:, None] * Bu)
    return b


def states(k: Constants, b: Array, h0: Array, reverse: bool) -> Array:
    """Computes the rotated states of every direction.

    Args:
        k: the constants.
        b: (batch, time, heads, head_dim), from `drive`.
        h0: (batch, directions, heads, head_dim), in the original basis.
        reverse: run from the last step to the first.

    Returns:
        s, (batch, time, directions, heads, head_dim).
    """
    # (batch, directions, heads, head_dim)
    xp, s0 = namespace.of(b), np.einsum("hnm,bdhn->bdhm", k.P, h0)
    flips = [backwards(d, reverse) for d in range(len(k.C))]
    scans = [
        in_time(xp.rotation(k.gamma, k.cos, k.sin, in_time(b, flip), s0[:, d]), flip)
        for d, flip in enumerate(flips)
    ]
    return np.stack(scans, 2)  # (batch, time, directions, heads, head_dim)


def readout(k: Constants, x: Array, u: Array) -> Array:
    """Computes y_t = C x_t + D u_t, summed over directions (RotRNN, arXiv 2407.07239).

    x is (batch, time, directions, heads, head_dim) in the original basis, u and y are
    (batch, time, width).
    """
    y: Array = np.einsum("dwhn,btdhn->btw", k.C, x) + k.D * u  # (batch, time, width)
    return y


def adjoint(
    k: Constants, u: Array, h0: Array, y_bar: Array, reverse: bool = False
) -> tuple[Constants, Array, Array]:
    """Computes the cotangents of the constants (each as if it were free), of u and of h0.

    The rotated states' cotangents are a scan in the other direction,
    a_t = gamma Theta^T a_{t+1} + P^T C^T y_bar_t (proved in proofs/scan/adjoint.py and
    proofs/systems/layer_gradients.py).

    Args:
        k, u, h0, reverse: as in `run`.
        y_bar: the cotangent of y, (batch, time, width).

    Returns:
        The cotangents of the constants, as Constants, of u (batch, time, width) and of h0
        (batch, directions, heads, head_dim).
    """
    Bu = np.einsum("hnw,btw->bthn", k.B, u)  # (batch, time, heads, head_dim)
    s = states(k, drive(k, u), h0, reverse)  # (batch, time, directions, heads, head_dim)
    x_bar = np.einsum("dwhn,btw->btdhn", k.C, y_bar)  # (batch, time, directions, heads, head_dim)
    g = np.einsum("hmn,btdhm->btdhn", k.P, x_bar)  # (batch, time, directions, heads, head_dim)
    s0 = np.einsum("hnm,bdhn->bdhm", k.P, h0)  # (batch, directions, heads, head_dim)
    a, before, s0_bar = map(
        np.stack, zip(*(_direction(k, g, s, s0, d, reverse) for d in range(len(k.C))), strict=True)
    )
    b_bar = a.sum(0)  # (batch, time, heads, head_dim)
    w_bar = np.einsum("hnm,bthm->bthn", k.P, b_bar)  # of xi B u (batch, time, heads, head_dim)
    P_bar = (
        np.einsum("bthn,bthm->hnm", k.xi[:, None] * Bu, b_bar)
        + np.einsum("btdhn,btdhm->hnm", x_bar, s)
        + np.einsum("bdhn,dbhm->hnm", h0, s0_bar)
    )  # (heads, head_dim, head_dim)
    bar = Constants(
        gamma=(a * rotate(k.cos, k.sin, before)).sum((0, 1, 2, 4)),
        cos=k.gamma[:, None] * _pairs(a * before),
        sin=k.gamma[:, None] * _pairs(a * rotate(0 * k.cos, 0 * k.sin + 1, before)),
        P=P_bar,
        xi=(w_bar * Bu).sum((0, 1, 3)),
        B=k.xi[:, None, None] * np.einsum("bthn,btw->hnw", w_bar, u),
        C=np.einsum("btw,btdhn->dwhn", y_bar, np.einsum("hmn,btdhn->btdhm", k.P, s)),
        D=(y_bar * u).sum((0, 1)),
    )
    # (batch, time, width)
    u_bar = np.einsum("hnw,bthn->btw", k.xi[:, None, None] * k.B, w_bar) + k.D * y_bar
    return bar, u_bar, np.einsum("hnm,dbhm->bdhn", k.P, s0_bar)


def _direction(
    k: Constants, g: Array, s: Array, s0: Array, d: int, reverse: bool
) -> tuple[Array, Array, Array]:
    """One direction: a and the states before each step (batch, time, heads, head_dim), s0_bar
    (batch, heads, head_dim)."""
    flip, start = backwards(d, reverse), s0[:, None, d]
    # (batch, time, heads, head_dim)
    before = np.concatenate([start, in_time(s[:, :, d], flip)], 1)[:, :-1]
    # (batch, 1 + time, heads, head_dim)
    drive_bar = np.concatenate([0 * start, in_time(g[:, :, d], flip)], 1)[:, ::-1]
    # (batch, 1 + time, heads, head_dim)
    a = namespace.of(g).rotation(k.gamma, k.cos, -k.sin, drive_bar, 0 * s0[:, d])[:, ::-1]
    return in_time(a[:, 1:], flip), in_time(before, flip), a[:, 0]


def _pairs(x: Array) -> Array:
    """Sums (directions, batch, time, heads, head_dim) to (heads, pairs)."""
    sums: Array = x.reshape(-1, x.shape[-2], x.shape[-1] // 2, 2).sum((0, 3))  # (heads, pairs)
    return sums


def pull_back(
    params: Params, u: Array, h0: Array, y_bar: Array, reverse: bool = False
) -> Gradients:
    """Computes the exact cotangents of every parameter, of u and of h0, each of its shape (...).

    xi^2 tr(B^T B) = 1 - gamma^2 = -expm1(-2 g) with g = exp(gamma_log) gives
    dxi/dg = gamma^2 / (xi tr) and dxi/dB = -xi B / tr. P = expm(M - M^T) gives M_bar = G - G^T with
    G = L(S^T, P_bar), L the Frechet derivative. Both are proved in
    proofs/systems/layer_gradients.py.

    Args:
        params: the parameters.
        u, h0, y_bar, reverse: as in `adjoint`.
    """
    xp, k, tr = namespace.of(params.M), constants(params), trace(params.B)
    bar, u_bar, h0_bar = adjoint(k, u, h0, y_bar, reverse)
    xi_bar = bar.xi / tr  # (heads,)
    g_bar = xi_bar * k.gamma**2 / k.xi - bar.gamma * k.gamma  # (heads,)
    G = xp.frechet(params.M.swapaxes(1, 2) - params.M, bar.P)  # (heads, head_dim, head_dim)
    theta, gamma_log = k.cos * bar.sin - k.sin * bar.cos, xp.exp(params.gamma_log) * g_bar
    B = bar.B - (xi_bar * k.xi)[:, None, None] * params.B  # (heads, head_dim, width)
    C = [C_bar.reshape(params.C.shape) for C_bar in bar.C]  # (width, features) each
    return Gradients(
        theta, gamma_log, G - G.swapaxes(1, 2), B, C[0], bar.D, *C[1:], u=u_bar, h0=h0_bar
    )


# ---------------------------------------------------------------- the system


def _run(k: Constants, x: Mapping[str, Any], reverse: bool) -> dict[str, Any]:
    y, h = run(k, x["u"], x["h0"], reverse)
    return {"y": y, "h": h, "h_last": last(h, reverse)}


def _pull_back(x: Mapping[str, Any], bars: Mapping[str, Any], reverse: bool) -> dict[str, Any]:
    return named(pull_back(gathered(Params, x), x["u"], x["h0"], bars["y"], reverse))


def _derive(sizes: Mapping[str, int]) -> dict[str, tuple[int, str]]:
    heads, head_dim = sizes.get("heads", 1), sizes.get("head_dim", 2)
    _check_even("M", head_dim)
    pairs = head_dim // 2, "half the head_dim of M"
    return {"pairs": pairs, "features": (heads * head_dim, "heads * head_dim of M")}


def _check(x: Mapping[str, Any]) -> None:
    with np.errstate(all="ignore"):
        constants(gathered(Params, x))


SYSTEM = System(
    name="rotrnn",
    title="RotRNN, arXiv 2407.07239",
    arguments=(
        Argument("theta", "heads pairs", "parameter", meaning="angles of the planes"),
        Argument("gamma_log", "heads", "parameter",
                 meaning="gamma = exp(-exp(gamma_log)), the decay"),
        Argument("M", "heads head_dim head_dim", "parameter", meaning="only M - M^T matters"),
        Argument("B", "heads head_dim width", "parameter",
                 meaning="input matrix, normalised by xi"),
        Argument("C", "width features", "parameter", meaning="output matrix"),
        Argument("D", "width", "parameter", meaning="skip"),
        Argument("C2", "width features", "parameter",
                 meaning="output matrix of the second direction", optional=True, second=True),
        Argument("u", "[batch] time width", "input", meaning="inputs", linear=True),
        Argument("h0", "[batch] [directions] heads head_dim", "state",
                 meaning="states before the first step", optional=True),
        Argument("y_bar", "[batch] time width", "cotangent",
                 meaning="cotangent of y", optional=True, of="y"),
    ),
    results=(
        Result("y", "[batch] time width", meaning="outputs"),
        Result("h", "[batch] time [directions] heads head_dim",
               meaning="all states, in the original basis", state="h0"),
        Result("h_last", "[batch] [directions] heads head_dim",
               meaning="the states after the last step of each direction", state="h0"),
    ),
    constants=lambda x: constants(gathered(Params, x)),
    run=_run,
    pull_back=_pull_back,
    equation="per head gamma = exp(-exp(gamma_log)), P = expm(M - M^T), A = P Theta P^T, "
             "xi = sqrt((1 - gamma^2) / tr(B^T B)); "
             "h[t] = gamma A h[t-1] + xi B u[t], y[t] = C [h[t] of all heads] + D u[t]",
    carry="gamma",
    exposed=("gamma", "cos", "sin", "P", "xi"),
    derive=_derive,
    check=_check,
    features=frozenset({"states", "layer", "gain", "expm", "angle-sum"}),
    unmodelled=unmodelled_in_layers,
)  # fmt: skip

"""RotRNN's parameters as a recurrence in the rotated basis, and its cotangents back to the
parameters; all in float64.

    g = exp(gamma_log), gamma = exp(-g)     (heads,)
    xi = sqrt((1 - gamma^2) / tr(B^T B))    (heads,)
    S = M - M^T, P = expm(S)                (heads, head_dim, head_dim)
    lam = gamma exp(i theta)                (heads * pairs,)
    W = xi B^T P of all heads side by side  (width, features)
    V = C P, likewise                       (directions, width, features)

What is scanned is s_t = P^T x_t; a pair (p, q) of its coordinates is the number p + i q.

Source: RotRNN, arXiv 2407.07239.
"""

from math import prod
from typing import Any, NamedTuple

import numpy as np
import scipy.linalg


class Constants(NamedTuple):
    """The constants of a layer, in float64 and complex128."""

    g: np.ndarray  # (heads,)
    gamma: np.ndarray  # (heads,)
    turn: np.ndarray  # exp(i theta): (heads, pairs)
    S: np.ndarray  # (heads, head_dim, head_dim)
    P: np.ndarray  # (heads, head_dim, head_dim)
    trace: np.ndarray  # tr(B^T B): (heads,)
    xi: np.ndarray  # (heads,)
    B: np.ndarray  # (heads, head_dim, width)
    C: np.ndarray  # (directions, heads, width, head_dim)


def constants(params: Any) -> Constants:
    """Computes the constants of a layer from its parameters, in float64.

    The equations are those of the module docstring (RotRNN, arXiv 2407.07239); Constants names the
    shapes.

    Raises:
        ValueError: a gamma that rounds to 0 or 1, or tr(B^T B) = 0; one line.
    """
    theta, gamma_log, M, B = (
        np.array(x, np.float64) for x in (params.theta, params.gamma_log, params.M, params.B)
    )
    # (width, features) each
    C = [x for x in (params.C, getattr(params, "C2", None)) if x is not None]
    g, S = np.exp(gamma_log), M - M.mT  # (heads,), (heads, head_dim, head_dim)
    gamma, trace = _decay(g, params.gamma_log), _trace(B)  # (heads,) each
    xi = np.sqrt(-np.expm1(-2 * g) / trace)  # 1 - gamma^2 without cancellation: (heads,)
    outputs = split(np.array(C, np.float64), len(B))  # (directions, heads, width, head_dim)
    return Constants(
        g, gamma, np.cos(theta) + 1j * np.sin(theta), S, scipy.linalg.expm(S), trace, xi, B, outputs
    )


def _decay(g: np.ndarray, gamma_log: np.ndarray) -> np.ndarray:
    gamma = np.exp(-g)  # (heads,)
    rounded = gamma.astype(gamma_log.dtype)  # (heads,)
    for head in np.flatnonzero((rounded == 0) | (rounded == 1))[:1]:
        found = f"found {gamma_log[head]} in head {head}, where it rounds to {rounded[head]}"
        raise ValueError(
            f"gamma_log must give 0 < gamma < 1 for gamma = exp(-exp(gamma_log)), {found}"
        )
    return gamma


def _trace(B: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        trace = (B * B).sum((1, 2))  # (heads,)
    for head in np.flatnonzero((trace == 0) | np.isinf(trace))[:1]:
        raise ValueError(
            f"B must have a finite tr(B^T B) > 0, by which xi divides, found {trace[head]} in head "
            f"{head}"
        )
    return trace


def fold(k: Constants) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Computes lam (heads * pairs,), W (width, features) and V (directions, width, features)."""
    lam = (k.gamma[:, None] * k.turn).ravel()  # (heads * pairs,)
    return lam, joined(k.xi[:, None, None] * (k.B.mT @ k.P)), joined(k.C @ k.P)


def unfold(
    k: Constants,
    lam_bar: np.ndarray,
    W_bar: np.ndarray,
    V_bar: np.ndarray,
    h0: np.ndarray,
    s0_bar: np.ndarray,
) -> dict[str, np.ndarray]:
    """Computes the cotangents of the parameters but D, and of h0, by name, each of its shape (...).

    They follow from those of lam, W and V, shaped as `fold` returns these, and of s0 = P^T h0, by
    the equations that proofs/systems/layer_gradients.py proves. h0 and s0_bar are
    (..., heads, head_dim).
    """
    heads = len(k.B)
    # ([directions,] heads, width, head_dim)
    W_bar, V_bar = split(W_bar, heads), split(V_bar, heads)
    drive_bar = k.xi[:, None, None] * W_bar  # of B^T P: (heads, width, head_dim)
    xi_bar = (W_bar * (k.B.mT @ k.P)).sum((1, 2))  # (heads,)
    # (heads, head_dim, head_dim)
    P_bar = k.B @ drive_bar + (k.C.mT @ V_bar).sum(0) + _heads_first(h0).mT @ _heads_first(s0_bar)
    S_bar = _expm_adjoint(k.S, P_bar)  # (heads, head_dim, head_dim)
    # xi^2 tr(B^T B) = 1 - gamma^2 = 1 - exp(-2 g), hence d xi / dg = gamma^2 / (xi tr), d xi / dB =
    # -xi B / tr d lam = turn (d gamma + i gamma d theta): (heads, pairs)
    lam_bar = lam_bar.reshape(heads, -1).conj() * k.turn
    g_bar = xi_bar * k.gamma**2 / (k.xi * k.trace) - k.gamma * lam_bar.real.sum(1)  # (heads,)
    found = {
        "theta": -k.gamma[:, None] * lam_bar.imag,
        "gamma_log": k.g * g_bar,
        "M": S_bar - S_bar.mT,
        "B": k.P @ drive_bar.mT - (xi_bar * k.xi / k.trace)[:, None, None] * k.B,
        "h0": turned(s0_bar, k.P.mT),
    }
    return found | dict(zip(("C", "C2"), joined(V_bar @ k.P.mT), strict=False))


def _expm_adjoint(S: np.ndarray, P_bar: np.ndarray) -> np.ndarray:
    """The adjoint of the Frechet derivative L(S, E) of expm at S is E -> L(S^T, E).

    (heads, head_dim, head_dim)
    """
    S_bar = np.full_like(S, np.nan)  # what a cotangent that is not finite gives: SciPy would raise
    for head in np.flatnonzero(np.isfinite(P_bar).all((1, 2))):
        S_bar[head] = scipy.linalg.expm_frechet(S[head].T, P_bar[head], compute_expm=False)
    return S_bar


def turned(x: np.ndarray, Q: np.ndarray) -> np.ndarray:
    """Computes Q^T x in every head, a change of basis (RotRNN, arXiv 2407.07239).

    x and the result are (..., heads, head_dim), Q is (heads, head_dim, head_dim).
    """
    return (_heads_first(x) @ Q).swapaxes(0, 1).reshape(x.shape)


def _heads_first(x: np.ndarray) -> np.ndarray:
    """(..., heads, head_dim) -> (heads, rows, head_dim)"""
    return x.reshape(prod(x.shape[:-2]), *x.shape[-2:]).swapaxes(0, 1)


def joined(x: np.ndarray) -> np.ndarray:
    """Puts heads side by side: (..., heads, width, head_dim) -> (..., width, heads * head_dim)."""
    *lead, heads, width, head_dim = x.shape
    return x.swapaxes(-3, -2).reshape(*lead, width, heads * head_dim)


def split(x: np.ndarray, heads: int) -> np.ndarray:
    """Inverts `joined`: (..., width, heads * head_dim) -> (..., heads, width, head_dim)."""
    return x.reshape(*x.shape[:-1], heads, x.shape[-1] // heads).swapaxes(-3, -2)

"""Layers of LRU and RotRNN, forward and backward: one scan between two real matrix products.

    symbol    meaning                                              shape
    u, y      inputs, outputs                                      (batch, time, width)
    W         input matrix                                         (width, 2 channels)
    b         drive                                                (batch, time, channels), complex
    lam       multipliers                                          (channels,), complex
    h         states, one array for each direction                 (batch, time, channels), complex
    V         output matrices                                      (directions, width, 2 channels)
    D         skip                                                 (width,)

    b_t = u_t W         h_t = lam h_{t-1} + b_t         y_t = V h_t + D u_t

A complex number is two reals side by side, so W and V may be real: `fold` of `_lru` and of
`_rotrnn` forms them, `unfold` takes their cotangents (written with _bar, complex ones dRe + i dIm)
back to the parameters.

Arithmetic: lam, W and V are formed in float64 from the given parameters and rounded once to their
dtype, the working dtype. The scans and the products with W and V are done in the working dtype,
sums in whatever order NumPy and its BLAS take; `unfold` works in float64 and rounds once. Bits may
change with the shape and the strides of u and with the number of BLAS threads. The values of u, h0
and y_bar are not inspected.
"""

from typing import Any, NamedTuple

import numpy as np

from scanproof.numba_kernels import _lru, _rotrnn, diagonal
from scanproof.numba_kernels._arguments import check_lru, check_rotrnn

# infinities and NaN go through silently, as in the scans
QUIET = np.errstate(over="ignore", invalid="ignore")


class Recurrence(NamedTuple):
    """What both systems are folded to, in the working dtype; also the type of its cotangents."""

    lam: np.ndarray  # (channels,)
    W: np.ndarray  # (width, 2 channels)
    V: np.ndarray  # (directions, width, 2 channels)
    D: np.ndarray  # (width,)


@QUIET
def lru(
    params: Any,
    u: np.ndarray,
    h0: np.ndarray | None = None,
    reverse: bool = False,
    out: np.ndarray | None = None,
    *,
    states: bool = False,
) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
    """Computes the LRU layer h_t = lam h_{t-1} + gamma (B u_t), y_t = Re(C h_t) + D u_t.

    Args:
        params: any object with nu_log, theta_log, gamma_log (state,), B_re, B_im (state, width),
            C_re, C_im (width, state), D (width,) and, for two directions, C2_re, C2_im (width,
            state). All float32 or all float64.
        u: (batch, time, width) or (time, width), of the parameters' dtype.
        h0: ([batch,] state), or ([batch,] 2, state) with two directions; real or complex; None
            means zero.
        reverse: run from the last step to the first. Two directions both scan u; `reverse`
            exchanges them.
        out: the array to write y to and return, of u's shape and dtype; writable, aligned,
            C-contiguous, sharing no memory with the other arguments.
        states: return (y, h).

    Returns:
        y, of u's shape and dtype; with `states` also all states h ([batch,] time, [2,] state),
        complex.

    Raises:
        TypeError: an argument that is not a NumPy array, or its dtype.
        ValueError: shapes, parameters that are not finite or whose exponentials overflow or
            vanish, and an unusable `out`.

    Source: Orvieto et al. 2023, arXiv 2303.06349.
    """
    check_lru(params, u, h0, reverse, out=out)
    k = _rounded(_lru.fold(_lru.constants(params)), params.D)
    out = np.empty(u.shape, u.dtype) if out is None else out  # ([batch,] time, width)
    h = _forward(k, _batched(u), _starts(k, u, h0), bool(reverse), _batched(out))
    return (out, np.stack(h, 2).reshape(_shape(k, u.shape[:-1], k.lam.shape))) if states else out


@QUIET
def lru_vjp(
    params: Any,
    u: np.ndarray,
    y_bar: np.ndarray,
    h0: np.ndarray | None = None,
    reverse: bool = False,
) -> dict[str, np.ndarray]:
    """Computes cotangents of every parameter, of u and of h0 from the cotangent y_bar of y.

    The equations are proved in proofs/systems/layer_gradients.py.

    Args:
        y_bar: ([batch,] time, width), in u's dtype.
        params, u, h0, reverse: as in `lru`.

    Returns:
        By name, each of its shape and in u's dtype; that of h0 is complex, dRe + i dIm.

    Raises:
        TypeError, ValueError: as `lru`.
    """
    check_lru(params, u, h0, reverse, y_bar=y_bar)
    constants = _lru.constants(params)
    k = _rounded(_lru.fold(constants), params.D)
    bar, u_bar, h0_bar = _adjoint(k, _batched(u), _starts(k, u, h0), _batched(y_bar), bool(reverse))
    found = _lru.unfold(constants, bar.lam, bar.W, bar.V) | {
        "D": bar.D,
        "u": u_bar.reshape(u.shape),
    }
    h0_bar = h0_bar.reshape(_shape(k, u.shape[:-2], k.lam.shape))  # ([batch,] [2,] state)
    return {name: value.astype(u.dtype) for name, value in found.items()} | {"h0": h0_bar}


@QUIET
def rotrnn(
    params: Any,
    u: np.ndarray,
    h0: np.ndarray | None = None,
    reverse: bool = False,
    out: np.ndarray | None = None,
    *,
    states: bool = False,
) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
    """Computes the RotRNN layer x_t = gamma A x_{t-1} + xi B u_t, y_t = C x_t + D u_t.

    A is P Theta P^T, and s_t = P^T x_t is what is scanned.

    Args:
        params: any object with theta (heads, head_dim / 2), gamma_log (heads,),
            M (heads, head_dim, head_dim), B (heads, head_dim, width),
            C (width, heads * head_dim), D (width,) and, for two directions, C2 like C. All float32
            or all float64; head_dim is even.
        h0: ([batch,] heads, head_dim), or ([batch,] 2, heads, head_dim) with two directions, in the
            original basis.
        u, reverse, out: as in `lru`.
        states: return (y, x).

    Returns:
        y, of u's shape and dtype; with `states` also all states x = P s,
        ([batch,] time, [2,] heads, head_dim).

    Raises:
        TypeError, ValueError: as `lru`; ValueError also for an odd head_dim, for a gamma that
            rounds to 0 or 1, and for tr(B^T B) = 0.

    Source: RotRNN, arXiv 2407.07239.
    """
    check_rotrnn(params, u, h0, reverse, out=out)
    constants = _rotrnn.constants(params)
    k = _rounded(_rotrnn.fold(constants), params.D)
    out = np.empty(u.shape, u.dtype) if out is None else out  # ([batch,] time, width)
    each = _forward(
        k, _batched(u), _rotated_starts(k, u, h0, constants.P), bool(reverse), _batched(out)
    )
    if not states:
        return out
    shape = _shape(k, u.shape[:-1], constants.P.shape[:2])  # ([batch,] time, [2,] heads, head_dim)
    s = np.stack(each, 2).view(u.dtype).reshape(shape)
    return out, _rotrnn.turned(s, constants.P.mT.astype(u.dtype))


@QUIET
def rotrnn_vjp(
    params: Any,
    u: np.ndarray,
    y_bar: np.ndarray,
    h0: np.ndarray | None = None,
    reverse: bool = False,
) -> dict[str, np.ndarray]:
    """Computes cotangents of every parameter, of u and of h0 from the cotangent y_bar of y.

    The equations are proved in proofs/systems/layer_gradients.py.

    Args:
        y_bar: ([batch,] time, width), in u's dtype.
        params, u, h0, reverse: as in `rotrnn`.

    Returns:
        By name, each of its shape and in u's dtype.

    Raises:
        TypeError, ValueError: as `rotrnn`.
    """
    check_rotrnn(params, u, h0, reverse, y_bar=y_bar)
    constants = _rotrnn.constants(params)
    k = _rounded(_rotrnn.fold(constants), params.D)
    starts = _rotated_starts(k, u, h0, constants.P)  # (batch, directions, channels)
    bar, u_bar, s0_bar = _adjoint(k, _batched(u), starts, _batched(y_bar), bool(reverse))
    # ([batch,] [2,] heads, head_dim)
    s0_bar = s0_bar.view(u.dtype).reshape(_shape(k, u.shape[:-2], constants.P.shape[:2]))
    # ([batch,] [2,] heads, head_dim)
    h0 = np.zeros(s0_bar.shape) if h0 is None else np.asarray(h0, np.float64)
    found = _rotrnn.unfold(constants, bar.lam, bar.W, bar.V, h0, s0_bar) | {
        "D": bar.D,
        "u": u_bar.reshape(u.shape),
    }
    return {name: value.astype(u.dtype) for name, value in found.items()}


def _rounded(folded: tuple[np.ndarray, np.ndarray, np.ndarray], D: np.ndarray) -> Recurrence:
    """lam, W, V from float64 to the working dtype, that of D."""
    lam, W, V = folded
    return Recurrence(
        lam.astype(np.result_type(D, np.complex64)),
        W.astype(D.dtype),
        V.astype(D.dtype),
        np.asarray(D),
    )


def _batched(x: np.ndarray) -> np.ndarray:
    """The same memory with a batch axis: (batch, time, width)"""
    return np.asarray(x)[None] if x.ndim == 2 else np.asarray(x)


def _shape(k: Recurrence, lead: tuple[int, ...], state: tuple[int, ...]) -> tuple[int, ...]:
    """(lead, [2,] state): outside, one direction has no axis of directions."""
    return (*lead, *(() if len(k.V) == 1 else (2,)), *state)


def _starts(k: Recurrence, u: np.ndarray, h0: np.ndarray | None) -> np.ndarray:
    shape = (len(_batched(u)), len(k.V), len(k.lam))
    return np.zeros(shape, k.lam.dtype) if h0 is None else np.array(h0, k.lam.dtype).reshape(shape)


def _rotated_starts(
    k: Recurrence, u: np.ndarray, h0: np.ndarray | None, P: np.ndarray
) -> np.ndarray:
    """P^T h0 in float64, rounded once. (batch, directions, channels)"""
    s0 = None if h0 is None else _rotrnn.turned(np.asarray(h0), P).astype(u.dtype).view(k.lam.dtype)
    return _starts(k, u, s0)


def _rows(x: np.ndarray) -> np.ndarray:
    """(batch, time, n) -> (batch * time, n), complex numbers as pairs of reals: products and sums
    over batch and time."""
    rows = x.reshape(x.shape[0] * x.shape[1], x.shape[2])
    return rows.view(rows.real.dtype)


def _forward(
    k: Recurrence, u: np.ndarray, h0: np.ndarray, reverse: bool, y: np.ndarray
) -> list[np.ndarray]:
    """y_t = V h_t + D u_t into y; returns the states of every direction."""
    h = _scans(k, u, h0, reverse)
    np.multiply(k.D, u, out=y)
    for V, states in zip(k.V, h, strict=True):
        y += (_rows(states) @ V.T).reshape(y.shape)
    return h


def _scans(k: Recurrence, u: np.ndarray, h0: np.ndarray, reverse: bool) -> list[np.ndarray]:
    """h_t = lam h_{t-1} + u_t W of every direction, the last one in place."""
    # (batch, time, channels)
    b = (_rows(u) @ k.W).view(k.lam.dtype).reshape(*u.shape[:2], len(k.lam))
    outs = [None, b][-len(k.V) :]
    return [
        diagonal.scan(k.lam, b, h0[:, d], reverse != (d == 1), out) for d, out in enumerate(outs)
    ]


def _adjoint(
    k: Recurrence, u: np.ndarray, h0: np.ndarray, y_bar: np.ndarray, reverse: bool
) -> tuple[Recurrence, np.ndarray, np.ndarray]:
    """Cotangents of lam, W, V, D, of u and of h0 (batch, directions, channels)."""
    h = _scans(k, u, h0, reverse)
    each = [
        _direction(k.lam, k.V[d], y_bar, h[d], h0[:, d], reverse != (d == 1)) for d in range(len(h))
    ]
    a, lam_bar, h0_bar = zip(*each, strict=True)
    b_bar = _rows(sum(a[1:], a[0]))  # (batch * time, 2 channels)
    # (directions, width, 2 channels)
    V_bar = np.stack([_rows(y_bar).T @ _rows(states) for states in h])
    u_bar = (b_bar @ k.W.T).reshape(u.shape) + k.D * y_bar  # (batch, time, width)
    bar = Recurrence(
        sum(lam_bar[1:], lam_bar[0]), _rows(u).T @ b_bar, V_bar, (y_bar * u).sum((0, 1))
    )
    return bar, u_bar, np.stack(h0_bar, 1)


def _direction(
    lam: np.ndarray, V: np.ndarray, y_bar: np.ndarray, h: np.ndarray, h0: np.ndarray, reverse: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One direction of the adjoint.

    a_t = conj(lam) a_{t+1} + V^T y_bar_t, lam_bar = sum of conj(h_{t-1}) a_t,
    h0_bar = conj(lam) a_1
    """
    g = (_rows(y_bar) @ V).view(lam.dtype).reshape(h.shape)  # (batch, time, channels)
    a = diagonal.scan(lam.conj(), g, reverse=not reverse, out=g)  # (batch, time, channels)
    before, after, first = (
        (h[:, 1:], a[:, :-1], a[:, -1:]) if reverse else (h[:, :-1], a[:, 1:], a[:, :1])
    )
    # (channels,)
    lam_bar = (before.conj() * after).sum((0, 1)) + (h0[:, None].conj() * first).sum((0, 1))
    return a, lam_bar, (lam.conj() * first).sum(1)

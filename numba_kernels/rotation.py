"""The scan of a rotation with decay, x_t = gamma R(theta) x_{t-1} + b_t, one pair of coordinates
independent of the next.

A pair (p, q) is the complex number p + i q, and turning it by theta is multiplying it by e^(i
theta). So this scan is the diagonal one with lam = gamma e^(i theta), on the same memory read as
complex numbers.
"""

import numpy as np

from scanproof.numba_kernels import diagonal
from scanproof.numba_kernels._arguments import check_rotation

_COMPLEX: dict[np.dtype, np.dtype] = {
    np.dtype("float32"): np.dtype("complex64"),
    np.dtype("float64"): np.dtype("complex128"),
}


def scan(
    gamma: np.ndarray,
    theta: np.ndarray,
    b: np.ndarray,
    x0: np.ndarray | None = None,
    reverse: bool = False,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Computes all states of x_t = gamma R(theta_t) x_{t-1} + b_t.

    With `reverse` they are those of x_t = gamma R(theta_t) x_{t+1} + b_t. R(theta) turns each pair
    of coordinates (1, 2), (3, 4), ... of a head by its own angle,

        (p, q)  ->  (p cos theta - q sin theta, p sin theta + q cos theta),

    and every head has one decay gamma. With `reverse` the angle keeps its sign.

    Args:
        gamma: (heads,).
        theta: (heads, head_dim / 2), constant in time, or (batch, time, heads, head_dim / 2);
            radians.
        b: (batch, time, heads, head_dim); float32 or float64; head_dim is even.
        x0: (batch, heads, head_dim), the state before the first step (with `reverse`: after the
            last); None means zero.
        reverse: run from the last step to the first.
        out: as in `diagonal.scan`: of b's shape and dtype; writable, aligned, C-contiguous; it may
            be b itself.

    All arrays have one dtype and may have any strides. They are not changed, except b when it is
    `out`.

    Returns:
        The states, (batch, time, heads, head_dim), in b's dtype.

    Arithmetic: c = gamma cos(theta) and s = gamma sin(theta) are formed in float64, with theta as
    it is given, and are rounded once to b's dtype. Then c p - s q + b and s p + c q + b, every
    operation rounded, from the left; no FMA. So theta = 0 is exact, and a quarter turn is not: the
    float nearest to pi / 2 is no quarter turn, and c is about 6e-17. For exact quarter turns use
    `diagonal.scan` with lam = i. The sequential scan decides the bits: they do not depend on the
    number of threads. A theta that varies in time needs a multiplier for each step: more time and
    memory than the scan.

    Angles are never added up. Measured with float32 at T = 1e6, largest error / largest state: a
    running float32 angle, in chunks of 65536 steps, is wrong by 0.39 (gamma = 0.9999, theta = 6.28)
    and 1.3 (gamma = 1, theta varying in (0, 6.28)); complex multipliers by 3.3e-5 and 2.0e-5 in the
    same cases.

    Raises:
        TypeError: an argument that is not a NumPy array, or its dtype.
        ValueError: shapes, and an unusable `out`.

    Source: RotRNN, arXiv 2407.07239, the recurrence in rotated coordinates.
    """
    check_rotation(gamma, theta, b, x0, reverse, out)
    if out is None:
        out = np.empty(b.shape, b.dtype)  # (batch, time, heads, head_dim)
    start = None if x0 is None else _pairs(x0)  # (batch, heads * pairs)
    diagonal.scan(_multipliers(gamma, theta), _pairs(b), start, reverse, out=_pairs(out))
    return out


def _multipliers(gamma: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """gamma e^(i theta), (heads * pairs,) or (batch, time, heads * pairs)."""
    # theta's shape, (heads, 1)
    angle, decay = theta.astype(np.float64), gamma.astype(np.float64)[:, None]
    lam = np.empty(theta.shape, _COMPLEX[theta.dtype])  # theta's shape
    # an infinite angle gives NaN, like any value that is not finite
    with np.errstate(invalid="ignore"):
        lam.real, lam.imag = decay * np.cos(angle), decay * np.sin(angle)
    return _joined(lam)


def _pairs(array: np.ndarray) -> np.ndarray:
    """Coordinates as complex numbers, in place if they are contiguous: (..., heads, head_dim) ->
    (..., heads * pairs)."""
    whole = np.require(array, requirements=["C", "A", "E"])  # (..., heads, head_dim)
    return _joined(whole.view(_COMPLEX[array.dtype]))


def _joined(array: np.ndarray) -> np.ndarray:
    """The last two axes as one."""
    return array.reshape(*array.shape[:-2], array.shape[-2] * array.shape[-1])

"""The scan of a diagonal recurrence, h_t = lam_t h_{t-1} + b_t, each channel by itself."""

import numpy as np
from numba import prange

from scanproof.numba_kernels._arguments import check_scan
from scanproof.numba_kernels._arrays import kernel_arrays
from scanproof.numba_kernels._jit import kernel


def scan(
    lam: np.ndarray,
    b: np.ndarray,
    h0: np.ndarray | None = None,
    reverse: bool = False,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Computes all states of h_t = lam_t h_{t-1} + b_t.

    With `reverse` they are those of h_t = lam_t h_{t+1} + b_t.

    Args:
        lam: (channels,), constant in time, or (batch, time, channels).
        b: (batch, time, channels); float32, float64, complex64 or complex128.
        h0: (batch, channels), the state before the first step (with `reverse`: after the last);
            None means zero.
        reverse: run from the last step to the first.
        out: the array to write to and return, of b's shape and dtype; writable, aligned,
            C-contiguous, sharing no memory with lam and h0. It may be b itself (in place); any
            other overlap with b is an error.

    lam, b and h0 have one dtype; a real lam of the same precision may go with a complex b. They may
    have any strides: what is not C-contiguous is copied first. They are not changed, except b when
    it is `out`.

    Returns:
        The states, (batch, time, channels), in b's dtype.

    Arithmetic: the plain sequential evaluation in that dtype, no FMA and no wider accumulator. A
    complex product is (lr hr - li hi) + i (lr hi + li hr), each of its six operations rounded. A
    real lam is not promoted: two products, each rounded once. Threads split the batch only, so the
    result does not depend on their number. Values are not inspected: NaN and infinity stay in their
    channel of their sequence, and move only in the scan's direction.

    Raises:
        TypeError: an argument that is not a NumPy array, or its dtype.
        ValueError: shapes, and an unusable `out`.

    Source: Blelloch, "Prefix sums and their applications" (1990), section 1.4.1, first-order
    recurrences.
    """
    check_scan(lam, b, h0, reverse, out)
    out = np.empty(b.shape, b.dtype) if out is None else out  # (batch, time, channels)
    lam, b, h0, states = kernel_arrays(lam, b, h0, out)
    scan_kernel = _scan_constant if lam.ndim == 1 else _scan_varying
    scan_kernel(lam, b, h0, states, bool(reverse))
    return out


# The kernels: rows in time order, all channels of a row before the next row, the state of a
# sequence in a small buffer. An element of b is read once, before the same element of out is
# written, so out may be b. The compiler has to know: Numba declares the arrays of a parallel loop
# free of aliases (LLVM's noalias) unless it sees views made in the loop. Hence the views b[n] and
# out[n]; a test asks Numba what it declared.


@kernel
def _scan_constant(
    lam: np.ndarray, b: np.ndarray, h0: np.ndarray, out: np.ndarray, reverse: bool
) -> None:
    """h_t = lam h_{t-1} + b_t, with lam (channels,)."""
    for n in prange(len(b)):
        # (channels,), (time, channels), (time, channels)
        h, b_n, out_n = h0[n].copy(), b[n], out[n]
        for i in range(len(b_n)):
            t = len(b_n) - 1 - i if reverse else i
            for c in range(len(h)):
                h[c] = lam[c] * h[c] + b_n[t, c]
                out_n[t, c] = h[c]


@kernel
def _scan_varying(
    lam: np.ndarray, b: np.ndarray, h0: np.ndarray, out: np.ndarray, reverse: bool
) -> None:
    """h_t = lam_t h_{t-1} + b_t, with lam (batch, time, channels)."""
    for n in prange(len(b)):
        # (channels,), three of (time, channels)
        h, lam_n, b_n, out_n = h0[n].copy(), lam[n], b[n], out[n]
        for i in range(len(b_n)):
            t = len(b_n) - 1 - i if reverse else i
            for c in range(len(h)):
                h[c] = lam_n[t, c] * h[c] + b_n[t, c]
                out_n[t, c] = h[c]

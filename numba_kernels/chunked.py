"""The scan of a diagonal linear recurrence in chunks of fixed length, parallel over batch and time:
reduce, then scan.

With the chunks numbered in the scan's direction, each of `chunk` steps, the last one perhaps
shorter:

    1. reduce   P_k = product of the lam_t of chunk k, E_k = its end state from a zero state
    2. carry    H_k = P_k H_{k-1} + E_k, from H_0 = h0
    3. scan     h_t = lam_t h_{t-1} + b_t through chunk k, from H_{k-1}

Chunks are reduced and scanned in parallel; the carries follow one another.

b is read twice and each state is written once. The other known way, to scan each chunk from zero
and to add the carries to its states afterwards, also writes every state twice.
"""

import numpy as np
from numba import prange

from scanproof.numba_kernels import diagonal
from scanproof.numba_kernels._arguments import check_chunk, check_scan
from scanproof.numba_kernels._arrays import kernel_arrays, read_only
from scanproof.numba_kernels._jit import kernel


def scan(
    lam: np.ndarray,
    b: np.ndarray,
    h0: np.ndarray | None = None,
    reverse: bool = False,
    out: np.ndarray | None = None,
    *,
    chunk: int = 256,
) -> np.ndarray:
    """Computes all states of h_t = lam_t h_{t-1} + b_t in chunks of fixed length.

    With `reverse` they are those of h_t = lam_t h_{t+1} + b_t.

    Args:
        lam, b, h0, reverse, out: as in `diagonal.scan`.
        chunk: steps in a chunk, at least 1; chunk >= time is the sequential scan.

    Returns:
        The states, (batch, time, channels), in b's dtype.

    Raises:
        TypeError, ValueError: as `diagonal.scan`, and for a `chunk` that is no positive integer.

    Arithmetic: that of `diagonal.scan` in each operation. A constant lam enters step 2 as
    lam^chunk, by repeated multiplication. The result depends on `chunk`, never on the number of
    threads. Two differences to the sequential scan where numbers are extreme: products of up to
    `chunk` multipliers are formed, which may overflow (and then meet a zero as NaN) or underflow
    although no state does; and infinities may come out as NaN.

    Bracketing: write t = c L + j with L = `chunk` and 1 <= j <= L. On its way to h_t an element of
    the first chunk passes

        L - 1 additions in E_1, then one at each later carry and one where h0 joins: c, then j in
            its scan: L - 1 + c + j

    (j, if c = 0). So the longest path has at most 2 L - 1 + c additions, against t in the
    sequential scan. That is more than the order "chunked:L" allows, L + c, which describes chunks
    whose local states are kept and only corrected by the carry. Declare `order="any"`: this is a
    bracketing, and "any" is the narrowest declared order that holds for every length.

    Source: Blelloch, "Prefix sums and their applications" (1990), sections 1.2.1 and 1.4.1.
    """
    check_scan(lam, b, h0, reverse, out)
    check_chunk(chunk)
    out = np.empty(b.shape, b.dtype) if out is None else out  # (batch, time, channels)
    lam, b, h0, states = kernel_arrays(lam, b, h0, out)
    length = min(int(chunk), max(b.shape[1], 1))
    starts = _starts(lam, b, h0, bool(reverse), length)  # (batch, chunks, channels)
    scan_kernel = _scan_constant if lam.ndim == 1 else _scan_varying
    scan_kernel(lam, b, starts, states, bool(reverse), length)
    return out


def _starts(
    lam: np.ndarray, b: np.ndarray, h0: np.ndarray, reverse: bool, chunk: int
) -> np.ndarray:
    """Steps 1 and 2: the state before each chunk, (batch, chunks, channels).

    Nothing needs the end of the last chunk.
    """
    batch, time, channels = b.shape
    # (batch, chunks - 1, channels)
    ends = np.zeros((batch, max(-(-time // chunk) - 1, 0), channels), b.dtype)
    if lam.ndim == 1:
        products = _power(lam, chunk)  # (channels,)
        _reduce_constant(lam, b, ends, reverse, chunk)
    else:
        products = np.ones_like(ends)  # (batch, chunks - 1, channels)
        _reduce_varying(lam, b, products, ends, reverse, chunk)
    return read_only(np.concatenate([h0[:, None], diagonal.scan(products, ends, h0)], axis=1))


def _power(lam: np.ndarray, exponent: int) -> np.ndarray:
    """lam^exponent, (channels,), by repeated multiplication: h_t = lam h_{t-1} from 1."""
    nothing = np.zeros((1, exponent, len(lam)), lam.dtype)  # (1, exponent, channels)
    return diagonal.scan(lam, nothing, np.ones((1, len(lam)), lam.dtype))[0, -1]


# The kernels. Chunk k of sequence n is element i = n chunks + k of the parallel loop. As in
# diagonal.py, the views made in the loop keep Numba from declaring out free of aliases with b;
# chunks share no element, so out may still be b.


@kernel
def _reduce_constant(
    lam: np.ndarray, b: np.ndarray, ends: np.ndarray, reverse: bool, chunk: int
) -> None:
    """E_k into ends (batch, chunks - 1, channels), which are zero; with lam (channels,)."""
    for i in prange(ends.shape[0] * ends.shape[1]):
        n, k = i // ends.shape[1], i % ends.shape[1]
        h, b_n = ends[n, k], b[n]  # (channels,), (time, channels)
        for j in range(k * chunk, (k + 1) * chunk):
            t = len(b_n) - 1 - j if reverse else j
            for c in range(len(h)):
                h[c] = lam[c] * h[c] + b_n[t, c]


@kernel
def _reduce_varying(
    lam: np.ndarray,
    b: np.ndarray,
    products: np.ndarray,
    ends: np.ndarray,
    reverse: bool,
    chunk: int,
) -> None:
    """Writes P_k into products (ones) and E_k into ends (zeros): (batch, chunks - 1, channels)."""
    for i in prange(ends.shape[0] * ends.shape[1]):
        n, k = i // ends.shape[1], i % ends.shape[1]
        # two of (channels,), two of (time, channels)
        p, h, lam_n, b_n = products[n, k], ends[n, k], lam[n], b[n]
        for j in range(k * chunk, (k + 1) * chunk):
            t = len(b_n) - 1 - j if reverse else j
            for c in range(len(h)):
                p[c] = lam_n[t, c] * p[c]
                h[c] = lam_n[t, c] * h[c] + b_n[t, c]


@kernel
def _scan_constant(
    lam: np.ndarray, b: np.ndarray, starts: np.ndarray, out: np.ndarray, reverse: bool, chunk: int
) -> None:
    """h_t = lam h_{t-1} + b_t in each chunk, from starts (batch, chunks, channels)."""
    for i in prange(starts.shape[0] * starts.shape[1]):
        n, k = i // starts.shape[1], i % starts.shape[1]
        # (channels,), (time, channels), (time, channels)
        h, b_n, out_n = starts[n, k].copy(), b[n], out[n]
        for j in range(k * chunk, min((k + 1) * chunk, len(b_n))):
            t = len(b_n) - 1 - j if reverse else j
            for c in range(len(h)):
                h[c] = lam[c] * h[c] + b_n[t, c]
                out_n[t, c] = h[c]


@kernel
def _scan_varying(
    lam: np.ndarray, b: np.ndarray, starts: np.ndarray, out: np.ndarray, reverse: bool, chunk: int
) -> None:
    """h_t = lam_t h_{t-1} + b_t through each chunk, from starts (batch, chunks, channels)."""
    for i in prange(starts.shape[0] * starts.shape[1]):
        n, k = i // starts.shape[1], i % starts.shape[1]
        # (channels,), three of (time, channels)
        h, lam_n, b_n, out_n = starts[n, k].copy(), lam[n], b[n], out[n]
        for j in range(k * chunk, min((k + 1) * chunk, len(b_n))):
            t = len(b_n) - 1 - j if reverse else j
            for c in range(len(h)):
                h[c] = lam_n[t, c] * h[c] + b_n[t, c]
                out_n[t, c] = h[c]

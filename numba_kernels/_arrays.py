"""How arrays reach a kernel: read-only, C-contiguous and aligned, all of one dtype."""

import numpy as np


def kernel_arrays(
    lam: np.ndarray, b: np.ndarray, h0: np.ndarray | None, out: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Gives lam, b, h0 (batch, channels) (zeros for None) and out as a kernel takes them.

    lam is (channels,) or, like b and out, (batch, time, channels). A real lam turns a complex scan
    into a real one of twice as many channels.
    """
    if h0 is None:
        h0 = np.zeros((b.shape[0], b.shape[2]), b.dtype)  # (batch, channels)
    arrays = read_only(lam), read_only(b), read_only(h0), np.asarray(out)
    return arrays if lam.dtype == b.dtype else _on_real_parts(*arrays)


def read_only(array: np.ndarray) -> np.ndarray:
    """Gives a read-only, C-contiguous, aligned view (...), or a copy where there is none.

    So one compiled kernel per dtype serves every caller.
    """
    view = np.require(array, requirements=["C", "A", "E"]).view()
    view.flags.writeable = False
    return view


def _on_real_parts(
    lam: np.ndarray, b: np.ndarray, h0: np.ndarray, states: np.ndarray
) -> tuple[np.ndarray, ...]:
    """A real lam acts alike on both parts: a scan over twice as many real channels."""
    real = lam.dtype
    return read_only(np.repeat(lam, 2, axis=-1)), b.view(real), h0.view(real), states.view(real)

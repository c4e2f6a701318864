"""Arguments of scans, their exact values, and what tests of our kernels compare."""

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np

FOLDERS = [str(Path(__file__).parent), str(Path(__file__).parent / "numba_kernels")]  # of tests that run elsewhere
DTYPES = ["float32", "float64", "complex64", "complex128"]
PAIRS = [(dtype, dtype) for dtype in DTYPES] + [("float32", "complex64"), ("float64", "complex128")]  # of lam and b
COMPLEX = {"float32": "complex64", "float64": "complex128"}
LAYOUTS = {
    "every second": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "backwards": lambda x: x[..., ::-1].copy()[..., ::-1],
    "Fortran": np.asfortranarray,
    "read-only": lambda x: np.frombuffer(x.tobytes(), x.dtype).reshape(x.shape),
    "unaligned": lambda x: np.frombuffer(b"." + x.tobytes(), x.dtype, offset=1).reshape(x.shape),
}


def draw(rng, dtype, shape):
    """Normal deviates over a few binades, so that products and sums round."""
    parts = rng.standard_normal((2, *shape)) * 2.0 ** rng.integers(-6, 6, (2, *shape))
    return (parts[0] + 1j * parts[1] if dtype.startswith("complex") else parts[0]).astype(dtype)  # shape


def decay(rng, dtype, shape):
    """Values with 0.5 < |lam| < 1."""
    lam = draw(rng, dtype, shape)
    return (lam / np.abs(lam) * rng.uniform(0.5, 1, shape)).astype(dtype)  # shape


def case(seed, lam_dtype, b_dtype, varying, shape, h0=True):
    """Arguments lam, b, h0 of a scan of this shape (batch, time, channels)."""
    rng = np.random.default_rng(seed)
    lam = decay(rng, lam_dtype, shape if varying else shape[2:])
    return lam, draw(rng, b_dtype, shape), draw(rng, b_dtype, (shape[0], shape[2])) if h0 else None


def rounded_step(lam, h, b):
    """lam h + b on (batch, channels). NumPy rounds after each of these array operations: nothing can be fused."""
    if not np.iscomplexobj(b):
        return lam * h + b
    if np.iscomplexobj(lam):
        real, imag = lam.real * h.real - lam.imag * h.imag, lam.real * h.imag + lam.imag * h.real
    else:
        real, imag = lam * h.real, lam * h.imag
    return join(real + b.real, imag + b.imag)


def join(real, imag):
    """A complex array from its parts; `real + 1j * imag` would turn an infinite part into a NaN in the other."""
    both = np.empty(real.shape, COMPLEX[real.dtype.name])
    both.real, both.imag = real, imag
    return both


def assert_same_bits(got, expected):
    assert (got.dtype, got.shape) == (expected.dtype, expected.shape)
    assert got.tobytes() == expected.tobytes()


def run(code, tmp_path, **environment):
    """The printed output of a fresh interpreter."""
    base = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(
        command, env=base | environment, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def exact_scan(lam, b, h0, reverse):
    """The truth in Gaussian rationals: real and imaginary parts of all states, each (batch, time, channels)."""
    (p, q), (r, s), (x, y) = map(rationals, (np.broadcast_to(lam, b.shape), b, h0))
    for t in range(b.shape[1])[:: -1 if reverse else 1]:
        x, y = p[:, t] * x - q[:, t] * y + r[:, t], p[:, t] * y + q[:, t] * x + s[:, t]
        r[:, t], s[:, t] = x, y
    return r, s


def rationals(array):
    return [np.vectorize(Fraction, [object])(part.astype(object)) for part in (array.real, array.imag)]


def units(rng, dtype, shape):
    """lam in {0, 1, -1} or {0, 1, -1, i, -i}: h stays an integer, and a multiplication by such a lam is exact."""
    values = [0, 1, -1, 1j, -1j] if dtype.startswith("complex") else [0, 1, -1]
    return rng.choice(np.array(values, dtype), shape, p=[0.02] + [0.98 / (len(values) - 1)] * (len(values) - 1))


def integers(rng, dtype, shape):
    parts = rng.integers(-8, 9, (2, *shape))
    return (parts[0] + 1j * parts[1] if dtype.startswith("complex") else parts[0]).astype(dtype)

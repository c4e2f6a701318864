"""A million steps: what the judge can still say, in what time and memory.

The same complex64 scan is judged as any bracketing, whose allowance says nothing at this length,
and as the sequential loop it is, whose windows see everything; then with its carry spoiled after
every CHUNK steps, each time by a factor 1 + FAULT.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from scanproof.numba_kernels import diagonal
from scanproof.properties.verdict import Verdict, judged
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Array, Inputs
from scanproof.reference.systems.scan import call_of

CHANNELS, CHUNK, FAULT = 64, 4096, 1e-6
ANY = Arithmetic("complex64")
SEQUENTIAL = Arithmetic("complex64", order="sequential", store="step")


class Timed(NamedTuple):
    """One judged result; peak: growth of the process' largest memory while judging, in MiB."""

    result: str
    verdict: Verdict
    seconds: float
    peak: float


def timed(steps: int, seed: int) -> Iterator[Timed]:
    """Judges `steps` steps of CHANNELS channels, |lam| from 1 - 2^-3 to 1 - 2^-20."""
    inputs = problem(steps, seed)
    honest = diagonal.scan(inputs.lam, inputs.b)
    _timed("", honest[:, :2000], Inputs(inputs.lam, inputs.b[:, :2000]), SEQUENTIAL)  # compiles
    yield _timed("honest", honest, inputs, ANY)
    yield _timed("honest", honest, inputs, SEQUENTIAL)
    del honest
    yield _timed(
        f"carry x (1 + {FAULT:g}) every {CHUNK} steps", spoiled(inputs), inputs, SEQUENTIAL
    )


def problem(steps: int, seed: int) -> Inputs:
    """Standard normal complex drive."""
    rng = np.random.default_rng(seed)
    lam = (1 - 2.0 ** -np.linspace(3, 20, CHANNELS)) * np.exp(
        1j * rng.uniform(0, 2 * np.pi, CHANNELS)
    )
    b = rng.standard_normal((1, steps, CHANNELS, 2), np.float32).view(np.complex64)[..., 0]
    return Inputs(lam.astype(np.complex64), b)


def spoiled(inputs: Inputs) -> Array:
    """The scan whose carry is wrong after every CHUNK steps."""
    h, carry = np.empty_like(inputs.b), inputs.start
    for first in range(0, inputs.b.shape[1], CHUNK):
        part = slice(first, first + CHUNK)
        h[:, part] = diagonal.scan(
            inputs.lam, inputs.b[:, part], (carry * (1 + FAULT)).astype(carry.dtype)
        )
        carry = h[:, part][:, -1].copy()
    return h


def _timed(result: str, got: Array, inputs: Inputs, arithmetic: Arithmetic) -> Timed:
    before, start = _peak(), time.perf_counter()
    verdict = judged({"h": got}, call_of(inputs), arithmetic)
    return Timed(result, verdict, time.perf_counter() - start, _peak() - before)


def _peak() -> float:
    """Largest resident memory of this process so far, in MiB.

    ru_maxrss is in KiB, on macOS in bytes.
    """
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2 ** (
        20 if sys.platform == "darwin" else 10
    )

"""How far the allowances of docs/classes.md are above the errors of honest programs.

    python -m scanproof.benchmarks.campaigns.classes docs/classes.md

rewrites the part of the page between its two markers.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from scanproof.benchmarks.campaigns.algorithm_scans import ORDERS, draw, program, states
from scanproof.benchmarks.campaigns.elementary import Functions
from scanproof.properties.compare import compare
from scanproof.reference.allowance import certificate
from scanproof.reference.allowance.orders import BOUNDS
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Array
from scanproof.reference.systems.scan import call_of

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
SIZES, LENGTH, TIMES = (0.5, 0.9, 0.99, 1.0), 16, (32, 256)
DTYPES = {
    word: ("float32",)
    if word in ("scaled-cumsum", "segment-exp:L", "log-space")
    else ("complex64",)
    for word in BOUNDS
}
FUNCTIONS = {"NumPy": Functions(), "pushed": Functions(1.0)}


def ratios(
    word: str, dtype: str, time: int, functions: Functions, cases: int, seed: int = 0
) -> tuple[list[float], int]:
    """Largest allowance over largest error of every channel, and the number of outsides."""
    found, outside, rng = [], 0, np.random.default_rng([seed, time])
    arithmetic = Arithmetic(dtype, order=word.replace(":L", f":{LENGTH}"))
    # drawn trees take time quadratic in T
    orders = ORDERS if word in ("polar:L", "fft") else ORDERS[:2]
    for case in range(cases):
        inputs = draw(rng, word, dtype, time, SIZES[case % len(SIZES)])
        got = states(program(word, LENGTH), inputs, functions, orders[case % len(orders)])
        judged = compare(got, certificate.whole(call_of(inputs), arithmetic)["h"])
        known = np.isfinite(judged.bound)
        error, bound = (
            np.where(known, x, 0).max(axis=(0, 1)) for x in (judged.error, judged.bound)
        )
        found += (bound[error > 0] / error[error > 0]).tolist()
        outside += int(judged.outside.sum())
    return found, outside


def fft_constant(n: int, N: int, rounds: int = 300, candidates: int = 64) -> float:
    """Largest error / (u log2(4n) |k| |x|) that hill climbing over x finds, for the kernel
    k_j = e^{i theta j}; complex64.

    The climb starts at x = k, for which every transform has one large number. The error is taken
    against complex128.
    """
    rng, worst = np.random.default_rng([n, N]), 0.0
    k = np.exp(1j * rng.uniform(0, 6) * np.arange(n)).astype(np.complex64)
    x = k
    for _ in range(rounds):
        step = rng.standard_normal((2, candidates, n)) * 10.0 ** rng.uniform(-5, 0)
        tried: Array = (x + step[0] + 1j * step[1]).astype(np.complex64)  # (candidates, n)
        error = np.abs(
            _convolved(k, tried, N) - _convolved(k.astype(complex), tried.astype(complex), N)
        ).max(axis=1)
        found = error / (
            2.0**-24 * np.log2(4 * n) * np.linalg.norm(k) * np.linalg.norm(tried, axis=1)
        )
        if found.max() > worst:
            worst, x = float(found.max()), tried[np.argmax(found)]
    return worst


def _convolved(k: Array, x: Array, N: int) -> Array:
    return np.fft.ifft(np.fft.fft(k, N) * np.fft.fft(x, N), N)[:, : len(k)]


def table(cases: int = 120) -> Iterator[str]:
    """The lines between the markers."""
    yield (f"Allowance / error, median (smallest), over the channels of {cases} random cases a "
           "cell: |lam| from 0.5 to 1, chunks")
    yield (f"of {LENGTH}. `pushed` functions err by nearly as much as the class assumes, always "
           "upwards.")
    yield ""
    yield (
        "| class | dtype | "
        + " | ".join(f"T = {time}, {name}" for time in TIMES for name in FUNCTIONS)
        + " | outside |"
    )
    yield "|---|---|" + "---|" * (len(TIMES) * len(FUNCTIONS) + 1)
    for word, dtypes in DTYPES.items():
        for dtype in dtypes:
            cells = [
                ratios(word, dtype, time, functions, cases)
                for time in TIMES
                for functions in FUNCTIONS.values()
            ]
            shown = " | ".join(f"{np.median(found):.1f} ({min(found):.1f})" for found, _ in cells)
            yield f"| `{word}` | {dtype} | {shown} | {sum(outside for _, outside in cells)} |"
    yield ""
    largest = max(fft_constant(n, N) for n in (2, 3, 8, 64) for N in (2 * n - 1, 2 * n, 4 * n))
    yield ("FFT with an exact kernel, complex64, n = 2 to 64: hill climbing over x brings error / "
           "(u log2(4n) |k| |x|)")
    yield f"to {largest:.2f}; 2 is assumed."


def rewritten(page: str, lines: list[str]) -> str:
    """The page with new lines between its markers.

    Raises:
        ValueError: the page does not have each marker once.
    """
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        raise ValueError(
            f"page: found {page.count(BEGIN)} and {page.count(END)} markers, expected {BEGIN} and "
            f"{END} once each"
        )
    head, tail = page[: page.index(BEGIN)], page[page.index(END) :]
    return head + "\n".join([BEGIN, "", *lines, "", tail])


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(rewritten(target.read_text(), list(table())))

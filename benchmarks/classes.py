"""How far the allowances of docs/classes.md are above the errors of honest programs.

    python -m scanproof.benchmarks.classes docs/classes.md

rewrites the part of the page between its two markers.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from scanproof.benchmarks.algorithm_scans import ORDERS, Functions, draw, program, states
from scanproof.properties.compare import compare
from scanproof.reference.algorithms import BOUNDS
from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.inputs import Array, Inputs
from scanproof.reference.rounding import allowance
from scanproof.reference.truth import truth

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
SIZES, LENGTH, TIMES = (0.5, 0.9, 0.99, 1.0), 16, (32, 256)
DTYPES = {word: ("float32",) if word in ("scaled-cumsum", "segment-exp:L", "log-space") else ("complex64",) for word in BOUNDS}
FUNCTIONS = {"NumPy": Functions(), "pushed": Functions(1.0)}


def ratios(word: str, dtype: str, time: int, functions: Functions, cases: int, seed: int = 0) -> tuple[list[float], int]:
    """Largest allowance over largest error of every channel with an error, and how many elements are outside."""
    found, outside, rng = [], 0, np.random.default_rng([seed, time])
    arithmetic = Arithmetic(dtype, order=word.replace(":L", f":{LENGTH}"))
    orders = ORDERS if word in ("polar:L", "fft") else ORDERS[:2]  # drawn trees take time quadratic in T
    for case in range(cases):
        inputs = draw(rng, word, dtype, time, SIZES[case % len(SIZES)])
        got = states(program(word, LENGTH), inputs, functions, orders[case % len(orders)])
        judged = compare(got, inputs, truth(inputs), allowance(inputs, arithmetic))
        known = np.isfinite(judged.bound)
        error, bound = (np.where(known, x, 0).max(axis=(0, 1)) for x in (judged.error, judged.bound))
        found += (bound[error > 0] / error[error > 0]).tolist()
        outside += int(judged.outside.sum())
    return found, outside


def fft_constant(dtype: str, time: int, cases: int) -> float:
    """Largest error / (u log2 N |k| |x|) of the FFT when the kernel is exact: lam = 1, N a power of 2."""
    rng, worst, u = np.random.default_rng(time), 0.0, float(np.finfo(dtype).eps) / 2
    for _ in range(cases):
        b: Array = rng.standard_normal((1, time, 4)).astype(dtype)
        inputs = Inputs(np.ones(4, dtype), b)
        got, exact = states(program("fft"), inputs, Functions(), "sequential"), np.cumsum(b.astype(np.longdouble), axis=1)
        scale = u * np.ceil(np.log2(2 * (time + 1))) * np.sqrt(time + 1) * np.linalg.norm(b.astype(float), axis=1)
        worst = max(worst, float((np.abs(got - exact).max(axis=1) / scale).max()))
    return worst


def table(cases: int = 120) -> Iterator[str]:
    """The lines between the markers."""
    yield f"Allowance / error, median (smallest), over the channels of {cases} random cases a cell: |lam| from 0.5 to 1, chunks"
    yield f"of {LENGTH}. `pushed` functions err by nearly as much as the class assumes, always upwards."
    yield ""
    yield "| class | dtype | " + " | ".join(f"T = {time}, {name}" for time in TIMES for name in FUNCTIONS) + " | outside |"
    yield "|---|---|" + "---|" * (len(TIMES) * len(FUNCTIONS) + 1)
    for word, dtypes in DTYPES.items():
        for dtype in dtypes:
            cells = [ratios(word, dtype, time, functions, cases) for time in TIMES for functions in FUNCTIONS.values()]
            shown = " | ".join(f"{np.median(found):.1f} ({min(found):.1f})" for found, _ in cells)
            yield f"| `{word}` | {dtype} | {shown} | {sum(outside for _, outside in cells)} |"
    yield ""
    constant = max(fft_constant("float32", time, cases) for time in (*TIMES, 4096))
    yield f"FFT with an exact kernel (lam = 1, float32, T to 4096): largest error / (u log2 N |k| |x|) {constant:.2f}; assumed: 2."


def rewritten(page: str, lines: list[str]) -> str:
    """The page with new lines between its markers.

    Raises:
        ValueError: the page does not have each marker once.
    """
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        raise ValueError(f"page: found {page.count(BEGIN)} and {page.count(END)} markers, expected {BEGIN} and {END} once each")
    head, tail = page[: page.index(BEGIN)], page[page.index(END) :]
    return head + "\n".join([BEGIN, "", *lines, "", tail])


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(rewritten(target.read_text(), list(table())))

"""Honest programs of the classes of docs/classes.md, in NumPy: what the allowances of
`reference.allowance.orders` must admit.

A program takes inputs, the elementary functions it may use, and an order; steps are lists over time
of (batch, channels) arrays in the format of the inputs. Orders of a cumulative operation:
"sequential", "doubling" (Hillis and Steele), or "tree", a bracketing drawn afresh for every state.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import reduce
from itertools import accumulate
from typing import Any

import numpy as np

from scanproof.benchmarks.campaigns.elementary import Functions
from scanproof.reference.inputs import Array, Inputs
from scanproof.reference.transitions.diagonal import at

ORDERS = ("sequential", "doubling", "tree")
Steps = list[Array]
Program = Callable[[Inputs, Functions, str], Steps]


def prefixes(items: Sequence[Any], combine: Callable[[Any, Any], Any], order: str) -> list[Any]:
    """items[0], items[0] . items[1], ... for an associative operation, earlier items first."""
    if order == "sequential":
        return list(accumulate(items, combine))
    if order == "doubling":
        items, gap = list(items), 1
        while gap < len(items):
            items = items[:gap] + [
                combine(first, then) for first, then in zip(items, items[gap:], strict=False)
            ]
            gap *= 2
        return items
    rng = random.Random(len(items))
    return [folded(items[: t + 1], combine, rng) for t in range(len(items))]


def folded(
    items: Sequence[Any], combine: Callable[[Any, Any], Any], rng: random.Random | None = None
) -> Any:
    """All items combined: one after the other, or in a bracketing that is drawn."""
    if rng is None or len(items) == 1:
        return reduce(combine, items)
    cut = rng.randrange(1, len(items))
    return combine(folded(items[:cut], combine, rng), folded(items[cut:], combine, rng))


def steps_of(inputs: Inputs) -> tuple[Steps, Steps, Array]:
    """lam and b over time, and h0, of inputs that run forwards."""
    time, shape = inputs.b.shape[1], inputs.start.shape
    return (
        [np.broadcast_to(at(inputs.lam, t), shape) for t in range(time)],
        [inputs.b[:, t] for t in range(time)],
        inputs.start,
    )


def rotation(g: Array, theta: Array, functions: Functions, real: bool) -> Array:
    """The number g e^{i theta}, or its real part."""
    cos, sin = functions.turn(theta)
    if real:
        return g * cos
    out = np.empty(np.broadcast_shapes(g.shape, cos.shape), np.result_type(g.dtype, np.complex64))
    out.real, out.imag = g * cos, g * sin
    return out


def angle_sum(inputs: Inputs, functions: Functions, order: str) -> Steps:
    """Class angle-sum: elements (|lam|, arg lam, b), angles added as floats."""
    lam, b, h0 = steps_of(inputs)
    real = not np.iscomplexobj(h0)
    one = np.ones(h0.shape, inputs.b.real.dtype)
    elements = [(one, 0 * one, h0)] + [
        (functions.modulus(z), functions.angle(z), x) for z, x in zip(lam, b, strict=True)
    ]

    def combine(first: tuple[Array, ...], then: tuple[Array, ...]) -> tuple[Array, ...]:
        carried = rotation(then[0], then[1], functions, real) * first[2]
        return then[0] * first[0], then[1] + first[1], carried + then[2]

    return [x for _, _, x in prefixes(elements, combine, order)][1:]


def polar_power(lam: Array, j: int, functions: Functions, real: bool) -> Array:
    """lam^j from log|lam| and arg lam; 1 for j = 0."""
    if j == 0:
        return np.ones_like(lam)
    count = lam.real.dtype.type(j)
    return rotation(
        functions.exp(count * functions.log(functions.modulus(lam))),
        count * functions.angle(lam),
        functions,
        real,
    )


def polar(length: int, carry: Callable[[int], int] = lambda j: j) -> Program:
    """Class polar:L.

    Order "tree" sums powers, the others scan with lam itself. `carry` may spoil the exponent of the
    carry.
    """

    def run(inputs: Inputs, functions: Functions, order: str) -> Steps:
        lam, b, h0 = steps_of(inputs)
        real = not np.iscomplexobj(h0)
        powers = [polar_power(lam[0], j, functions, real) for j in range(length + 1)]
        out: Steps = [h0]
        for start in range(0, len(b), length):
            chunk = b[start : start + length]
            if order == "tree":
                local = [
                    folded([powers[t - k] * chunk[k] for k in range(t + 1)], np.add)
                    for t in range(len(chunk))
                ]
            else:
                elements = [(lam[0], x) for x in chunk]
                local = [
                    x
                    for _, x in prefixes(
                        elements, lambda p, q: (q[0] * p[0], q[0] * p[1] + q[1]), order
                    )
                ]
            last = out[-1]
            out += [powers[carry(j)] * last + x for j, x in enumerate(local, 1)]
        return out[1:]

    return run


def scaled_cumsum(inputs: Inputs, functions: Functions, order: str) -> Steps:
    """Class scaled-cumsum: P cumsum(b / P)."""
    lam, b, h0 = steps_of(inputs)
    P = prefixes(lam, np.multiply, order)
    sums = prefixes([h0, *(x / p for x, p in zip(b, P, strict=True))], np.add, order)
    return [p * s for p, s in zip(P, sums[1:], strict=True)]


def segment_exp(length: int, carry: Callable[[Array], Array] = lambda x: x) -> Program:
    """Class segment-exp:L; `carry` may spoil what is handed on."""

    def run(inputs: Inputs, functions: Functions, order: str) -> Steps:
        lam, b, h0 = steps_of(inputs)
        out, rng = [h0], random.Random(0) if order == "tree" else None
        for start in range(0, len(b), length):
            chunk, last = b[start : start + length], carry(out[-1]) if start else out[-1]
            c = prefixes([functions.log(z) for z in lam[start : start + length]], np.add, order)
            for t in range(len(chunk)):
                terms = [functions.exp(c[t] - c[k]) * chunk[k] for k in range(t + 1)]
                out.append(functions.exp(c[t]) * last + folded(terms, np.add, rng))
        return out[1:]

    return run


def log_space(inputs: Inputs, functions: Functions, order: str) -> Steps:
    """Class log-space: exp(a + logcumsumexp(log b - a)), a = cumsum(log lam)."""
    lam, b, h0 = steps_of(inputs)
    a = prefixes([functions.log(z) for z in lam], np.add, order)
    v = [functions.log(x) - s for x, s in zip(b, a, strict=True)]
    start = [] if inputs.h0 is None else [functions.log(h0)]
    sums = prefixes(start + v, functions.logaddexp, order)[len(start) :]
    return [functions.exp(s + total) for s, total in zip(a, sums, strict=True)]


def fft(
    inputs: Inputs, functions: Functions, order: str, size: Callable[[int], int] | None = None
) -> Steps:
    """Class fft; the kernel by repeated or binary products (pow) or by polar powers."""
    lam, b, h0 = steps_of(inputs)
    x = np.stack([h0, *b])  # (n, batch, channels)
    n, real = len(x), not np.iscomplexobj(h0)
    kernels: dict[str, Callable[[], Sequence[Array]]] = {
        "sequential": lambda: list(accumulate([np.ones_like(lam[0]), *lam], np.multiply)),
        "doubling": lambda: [lam[0] ** j for j in range(n)],
        "tree": lambda: [polar_power(lam[0], j, functions, real) for j in range(n)],
    }
    k = np.stack(kernels[order]())  # (n, batch, channels)
    N = 2 ** int(np.ceil(np.log2(2 * n))) if size is None else size(n)
    there: Callable[..., Array] = np.fft.rfft if real else np.fft.fft
    back: Callable[..., Array] = np.fft.irfft if real else np.fft.ifft
    return list(back(there(k, N, axis=0) * there(x, N, axis=0), N, axis=0)[1:n])


def program(word: str, length: int = 16) -> Program:
    """The honest program of a class; L is `length`."""
    fixed: dict[str, Program] = {
        "angle-sum": angle_sum,
        "scaled-cumsum": scaled_cumsum,
        "log-space": log_space,
        "fft": fft,
    }
    made: dict[str, Callable[[int], Program]] = {"polar:L": polar, "segment-exp:L": segment_exp}
    return fixed[word] if word in fixed else made[word](length)


def states(run: Program, inputs: Inputs, functions: Functions, order: str) -> Array:
    """All states, (batch, time, channels), in the order of b's time axis."""
    with np.errstate(all="ignore"):
        h = np.stack(run(inputs.forward(), functions, order), axis=1).astype(inputs.b.dtype)
    return h[:, ::-1] if inputs.reverse else h


def draw(
    rng: np.random.Generator, word: str, dtype: str, time: int, size: float, channels: int = 3
) -> Inputs:
    """Inputs that the class takes: |lam| near `size`, b normal deviates over 12 binades, or an
    impulse; h0 and reverse or not."""
    shape, is_complex, positive = (
        (1, time, channels),
        dtype.startswith("complex"),
        word in ("log-space", "segment-exp:L"),
    )
    varying = word not in ("polar:L", "fft") and bool(rng.integers(2))
    A = size * np.exp(-rng.choice([0, 1e-3, 0.1]) * rng.random(shape if varying else (channels,)))
    if is_complex and not positive and word != "scaled-cumsum" and rng.integers(4):
        lam = (A * np.exp(2j * np.pi * rng.random(A.shape))).astype(dtype)
    else:
        lam = (A if positive else A * rng.choice([-1, 1], A.shape)).astype(
            np.empty(0, dtype).real.dtype
        )
    b: Array = (
        rng.standard_normal(shape)
        * 2.0 ** rng.integers(-6, 7, shape)
        * (np.arange(time)[:, None] < rng.choice([1, time]))
    )
    h0: Array = rng.standard_normal((1, channels))
    if word == "log-space":
        b, h0 = np.abs(rng.standard_normal(shape)) + 2.0**-20, np.abs(h0) + 2.0**-20
    if is_complex:
        b, h0 = b * np.exp(2j * np.pi * rng.random(shape)), h0 * (1 - 1j)
    return Inputs(
        lam, b.astype(dtype), h0.astype(dtype) if rng.integers(2) else None, bool(rng.integers(2))
    )

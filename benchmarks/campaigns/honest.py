"""Honest evaluations of the bare scan, vectorised: what no allowance may refuse. Their arithmetic
is in arithmetic_units.

    symbol   meaning
    a, x     elements h -> a h + x of the scan, (time, batch, channels) each
    p, s     products and sums of the elements of a chunk or tree, as a and x
    h        state before a step, (batch, channels) or like x
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from scanproof.benchmarks.campaigns.arithmetic_units import STEPS, UNCONTRACTED, Machine
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Array, Inputs

TREES = ("doubling", "sweeps")
FUSED = ("float16", "bfloat16", "float32")  # formats whose products are exact in float64

# ------------------------------------------ bracketings: (machine, a, x, h0) -> h, like x


def sequential(machine: Machine, a: Array, x: Array, h0: Array) -> Array:
    h, state = np.empty_like(x), h0
    for t in range(len(x)):
        h[t] = state = machine.kept(machine.apply(a[t], state, x[t]))
    return h


def doubling(machine: Machine, a: Array, x: Array, h0: Array) -> Array:
    """Hillis and Steele (1986); h0 enters the first element.

    Each element takes in the one 1, 2, 4, ... places before it.
    """
    x, gap = _entered(machine, a, x, h0), 1
    while gap < len(x):
        x = np.concatenate([x[:gap], machine.apply(a[gap:], x[:-gap], x[gap:])])
        a = np.concatenate([a[:gap], machine.product(a[gap:], a[:-gap])])
        gap *= 2
    return x


def sweeps(machine: Machine, a: Array, x: Array, h0: Array) -> Array:
    """Blelloch (1990); h0 enters the first element.

    Sums go up a tree, then the state before each node goes down again; the sequence is padded to
    2^k elements by (1, 0).
    """
    x = _entered(machine, a, x, h0)
    size = 1 << (len(x) - 1).bit_length()
    p, s = _padded(a, size, 1), _padded(x, size, 0)
    gaps = [1 << k for k in range(size.bit_length() - 1)]
    for gap in gaps:
        left, right = slice(gap - 1, None, 2 * gap), slice(2 * gap - 1, None, 2 * gap)
        s[right], p[right] = (
            machine.apply(p[right], s[left], s[right]),
            machine.product(p[right], p[left]),
        )
    s[-1] = 0
    for gap in reversed(gaps):
        left, right = slice(gap - 1, None, 2 * gap), slice(2 * gap - 1, None, 2 * gap)
        s[left], s[right] = s[right], machine.apply(p[left], s[right], s[left])
    return machine.apply(a, s[: len(x)], x)


def chunked(length: int) -> Callable[[Machine, Array, Array, Array], Array]:
    """Chunks of `length` steps from zero; the carry times their products is added once."""

    def run(machine: Machine, a: Array, x: Array, h0: Array) -> Array:
        chunks = -(-len(x) // length)
        p, s = (
            _padded(part, chunks * length, one).reshape(chunks, length, *x.shape[1:])
            for part, one in ((a, 1), (x, 0))
        )
        for before, t in pairwise(range(length)):
            s[:, t] = machine.apply(p[:, t], s[:, before], s[:, t])
            p[:, t] = machine.product(p[:, t], p[:, before])
        carry = h0
        for c in range(chunks):
            s[c] = machine.kept(machine.apply(p[c], carry, s[c]))
            carry = s[c, -1]
        return s.reshape(-1, *x.shape[1:])[: len(x)]

    return run


def split(seed: int) -> Callable[[Machine, Array, Array, Array], Array]:
    """A bracketing drawn at random, h0 its first element: cut, scan both sides, the last of the
    left enters all of the right."""

    def run(machine: Machine, a: Array, x: Array, h0: Array) -> Array:
        rng = np.random.default_rng(seed)
        p, s = np.concatenate([np.ones_like(a[:1]), a]), np.concatenate([h0[None], x])
        parts, cuts = [(0, len(s))], []
        while parts:
            low, high = parts.pop()
            if high - low > 1:
                cut = int(rng.integers(low + 1, high))
                cuts.append((cut, high))
                parts += [(low, cut), (cut, high)]
        for cut, high in reversed(cuts):  # parts of a part come after it
            s[cut:high] = machine.apply(p[cut:high], s[cut - 1 : cut], s[cut:high])
            p[cut:high] = machine.product(p[cut:high], p[cut - 1 : cut])
        return s[1:]

    return run


def _entered(machine: Machine, a: Array, x: Array, h0: Array) -> Array:
    return np.concatenate([machine.apply(a[:1], h0[None], x[:1]), x[1:]])


def _padded(x: Array, length: int, value: int) -> Array:
    return np.concatenate([x, np.full((length - len(x), *x.shape[1:]), value, x.dtype)])


# ---------------------------------------------------------------- programs


class Program(NamedTuple):
    """bracketing: "sequential", "doubling", "sweeps", "chunked:L" or "split:seed"."""

    bracketing: str
    machine: Machine

    def states(self, inputs: Inputs) -> Array:
        """All states, (batch, time, channels), in the order of b's time axis and in b's dtype."""
        forward, machine = inputs.forward(), self.machine
        b = np.moveaxis(forward.b, 1, 0)  # (time, batch, channels)
        lam = np.moveaxis(forward.lam, 1, 0) if forward.varying else forward.lam
        a = machine.lifted(np.ascontiguousarray(np.broadcast_to(lam, b.shape)))
        with np.errstate(all="ignore"):
            h = self._run(
                machine, a, machine.drive(machine.lifted(b)), machine.lifted(forward.start)
            ).astype(inputs.b.dtype)
        return np.moveaxis(h[::-1] if inputs.reverse else h, 0, 1)

    @property
    def _run(self) -> Callable[[Machine, Array, Array, Array], Array]:
        word, _, number = self.bracketing.partition(":")
        made: dict[str, Callable[[int], Any]] = {"chunked": chunked, "split": split}
        return (
            made[word](int(number))
            if number
            else {"sequential": sequential, "doubling": doubling, "sweeps": sweeps}[word]
        )


def drawn(arithmetic: Arithmetic, rng: np.random.Generator) -> Program:
    """One of the programs that a declared class admits."""
    return Program(_bracketing(arithmetic, rng), _machine(arithmetic, rng))


def _bracketing(arithmetic: Arithmetic, rng: np.random.Generator) -> str:
    if arithmetic.order == "tree":
        return str(rng.choice(TREES))
    if arithmetic.order != "any":
        return arithmetic.order
    return str(
        rng.choice(
            (
                "sequential",
                *TREES,
                f"chunked:{2 ** rng.integers(1, 8)}",
                f"split:{rng.integers(2**31)}",
            )
        )
    )


def _machine(arithmetic: Arithmetic, rng: np.random.Generator) -> Machine:
    inner = Arithmetic(arithmetic.inner).real_dtype
    ordinary = (
        arithmetic.rounding == "nearest"
        and arithmetic.subnormals == "gradual"
        and arithmetic.operands is None
    )
    return Machine(
        dtype=inner,
        step=str(
            rng.choice([name for name in _steps(arithmetic, inner) if name != "numpy" or ordinary])
        ),
        swapped=bool(rng.integers(2)),
        rounding=arithmetic.rounding,
        flush=str(
            rng.choice(
                {"gradual": ("",), "ftz": ("w",), "daz": ("r", "w", "rw")}[arithmetic.subnormals]
            )
        ),
        operands=str(rng.choice(("products", "all"))) if arithmetic.operands else "",
        stored=arithmetic.dtype if arithmetic.store != "output" else "",
    )


def _steps(arithmetic: Arithmetic, inner: str) -> tuple[str, ...]:
    if inner not in FUSED:
        return ("numpy",)
    if not arithmetic.is_complex:
        return ("numpy", "separate", "fused")
    return ("numpy", *STEPS) if arithmetic.contraction else UNCONTRACTED

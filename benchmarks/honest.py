"""Honest evaluations of the bare scan, vectorised: what no allowance may refuse.

    symbol   meaning
    a, x     elements h -> a h + x of the scan, (time, batch, channels) each
    p        products of the elements of a chunk or tree, as a
    h        state before a step, (batch, channels) or like x
    s, r     an exact result of one operation: a float64 s and the rest r, much smaller

Operations on float16, bfloat16, float32 and float64 that round to nearest are those of NumPy. The others, fused or truncating,
are formed exactly: products of two numbers with 24 bits fit into a float64, Knuth's two-sum knows what a sum leaves over, and
a number that is rounded to odd in between can be rounded again (Boldo, Melquiond, IEEE Trans. Comput. 57 (2008)).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.inputs import Array, Inputs

COMPLEX = {"float32": "complex64", "float64": "complex128"}
TREES = ("doubling", "sweeps")
FUSED = ("float16", "bfloat16", "float32")  # formats whose products are exact in float64

# ---------------------------------------------------------------- rounding exact results


def two_sum(x: Array, y: Array) -> tuple[Array, Array]:
    """s + r = x + y exactly, s the float64 nearest to it."""
    s = x + y
    back = s - x
    return s, (x - (s - back)) + (y - back)


def to_odd(s: Array, r: Array) -> Array:
    """s + r as float64: itself if that is one, else the one of its two neighbours whose last bit is 1."""
    even = s.view(np.int64) & 1 == 0
    return np.where((r != 0) & even, np.nextafter(s, np.copysign(np.inf, r)), s)


def toward_zero(exact: Array, dtype: str) -> Array:
    """float64 truncated to a narrower format."""
    nearest = exact.astype(dtype)
    return np.where(np.abs(nearest) > np.abs(exact), np.nextafter(nearest, nearest.dtype.type(0)), nearest)


def narrowed(s: Array, r: Array, dtype: str, rounding: str = "nearest") -> Array:
    """s + r rounded once to a format of at most 24 bits."""
    exact = to_odd(s, r)
    if rounding != "nearest":
        return toward_zero(exact, dtype)
    if dtype == "bfloat16":  # float64 is converted to it through float32: to odd there as well
        single = toward_zero(exact, "float32")
        exact = (single.view(np.int32) | (single != exact)).view(np.float32)
    return exact.astype(dtype)


def aligned(x: Array, y: Array) -> tuple[Array, Array]:
    """Both truncated to multiples of the last place of the larger one, as matrix units of 24 bits do."""
    quantum = np.ldexp(1.0, np.frexp(np.maximum(np.abs(x), np.abs(y)))[1] - 24)
    return np.trunc(x / quantum) * quantum, np.trunc(y / quantum) * quantum


# ---------------------------------------------------------------- one step

STEPS: dict[str, Callable[..., Array]] = {  # one component x + a c + b d
    "separate": lambda o, x, a, c, b, d: o.add(o.add(o.mul(a, c), o.mul(b, d)), x),
    "fused product": lambda o, x, a, c, b, d: o.add(o.fma(a, c, o.mul(b, d)), x),
    "addend first": lambda o, x, a, c, b, d: o.add(o.add(x, o.mul(b, d)), o.mul(a, c)),
    "one fused": lambda o, x, a, c, b, d: o.add(o.fma(b, d, x), o.mul(a, c)),
    "last fused": lambda o, x, a, c, b, d: o.fma(a, c, o.add(x, o.mul(b, d))),
    "both fused": lambda o, x, a, c, b, d: o.fma(a, c, o.fma(b, d, x)),
}
UNCONTRACTED = ("numpy", "separate", "fused product")  # the product is formed before the addend comes


@dataclass(frozen=True)
class Machine:
    """Arithmetic on real components of `dtype`, and steps made of it.

    step: "numpy" (its operators, which also multiply complex numbers), "separate" or "fused" for real numbers, else a name of
    STEPS, for complex ones; swapped: with the two products of a component exchanged. rounding: as in Arithmetic. flush: "r" if
    subnormal operands are read as zero, "w" if subnormal results become zero, "rw" both. operands: which numbers lose the last 13
    bits of a float32: none (""), operands of "products", or those and b ("all"). stored: format of states that are read back.
    """

    dtype: str
    step: str = "numpy"
    swapped: bool = False
    rounding: str = "nearest"
    flush: str = ""
    operands: str = ""
    stored: str = ""

    def add(self, x: Array, y: Array) -> Array:
        x, y = self._read(x), self._read(y)
        if self.rounding == "nearest":
            return self._written(x + y)
        return self._written(self._sum(x.astype(float), y.astype(float)))

    def mul(self, x: Array, y: Array) -> Array:
        x, y = self._operand(x), self._operand(y)
        if self.rounding == "nearest":
            return self._written(x * y)
        return self._written(toward_zero(np.multiply(x, y, dtype=float), self.dtype))

    def fma(self, x: Array, y: Array, z: Array) -> Array:
        product = np.multiply(self._operand(x).astype(float), self._operand(y).astype(float))
        return self._written(self._sum(product, self._read(z).astype(float)))

    def apply(self, a: Array, h: Array, x: Array) -> Array:
        """a h + x."""
        if self.step == "numpy":
            return a * h + x
        if not np.iscomplexobj(h):
            return self._real(a, h, x)
        if not np.iscomplexobj(a):
            return self._complex(self._real(a, h.real, x.real), self._real(a, h.imag, x.imag))
        re, im = ((a.real, h.real), (-a.imag, h.imag)), ((a.real, h.imag), (a.imag, h.real))
        return self._complex(*(self._component(*part) for part in ((x.real, *re), (x.imag, *im))))

    def product(self, p: Array, q: Array) -> Array:
        """p q: a step without an addend."""
        return p * q if self.step == "numpy" else self.apply(p, q, np.zeros_like(q))

    def kept(self, h: Array) -> Array:
        """h as the next step finds it."""
        return h.astype(self.stored).astype(h.dtype) if self.stored else h

    def lifted(self, x: Array) -> Array:
        """x in the format of this machine."""
        return x.astype(COMPLEX[self.dtype] if np.iscomplexobj(x) else self.dtype)

    def drive(self, b: Array) -> Array:
        """b as it is read."""
        if self.operands != "all":
            return b
        return self._complex(self._operand(b.real), self._operand(b.imag)) if np.iscomplexobj(b) else self._operand(b)

    def _real(self, a: Array, h: Array, x: Array) -> Array:
        return self.fma(a, h, x) if "fused" in self.step else self.add(self.mul(a, h), x)

    def _component(self, x: Array, one: tuple[Array, Array], two: tuple[Array, Array]) -> Array:
        return STEPS[self.step](self, x, *(two + one if self.swapped else one + two))

    def _complex(self, re: Array, im: Array) -> Array:
        out = np.empty(re.shape, COMPLEX[self.dtype])
        out.real, out.imag = re, im
        return out

    def _sum(self, x: Array, y: Array) -> Array:
        """Two float64 numbers: their sum, rounded once; in a matrix unit once more, before it."""
        return narrowed(*two_sum(*(aligned(x, y) if self.rounding == "matrix" else (x, y))), self.dtype, self.rounding)

    def _operand(self, x: Array) -> Array:
        if self.operands:
            x = (x.view(np.uint32) & np.uint32(0xFFFFE000)).view(np.float32)
        return self._read(x)

    def _read(self, x: Array) -> Array:
        return self._flushed(x) if "r" in self.flush else x

    def _written(self, x: Array) -> Array:
        return self._flushed(x) if "w" in self.flush else x

    def _flushed(self, x: Array) -> Array:
        return np.where(np.abs(x) < np.finfo(self.dtype).smallest_normal, np.zeros_like(x), x)


# ---------------------------------------------------------------- bracketings: (machine, a, x, h0) -> h, like x


def sequential(machine: Machine, a: Array, x: Array, h0: Array) -> Array:
    h, state = np.empty_like(x), h0
    for t in range(len(x)):
        h[t] = state = machine.kept(machine.apply(a[t], state, x[t]))
    return h


def doubling(machine: Machine, a: Array, x: Array, h0: Array) -> Array:
    """Hillis and Steele (1986): each element takes in the one 1, 2, 4, ... places before it; h0 enters the first."""
    x, gap = _entered(machine, a, x, h0), 1
    while gap < len(x):
        x = np.concatenate([x[:gap], machine.apply(a[gap:], x[:-gap], x[gap:])])
        a = np.concatenate([a[:gap], machine.product(a[gap:], a[:-gap])])
        gap *= 2
    return x


def sweeps(machine: Machine, a: Array, x: Array, h0: Array) -> Array:
    """Blelloch (1990): sums up a tree, the state before each node down again; padded to 2^k by (1, 0); h0 enters the first."""
    x = _entered(machine, a, x, h0)
    size = 1 << (len(x) - 1).bit_length()
    p, s = _padded(a, size, 1), _padded(x, size, 0)
    gaps = [1 << k for k in range(size.bit_length() - 1)]
    for gap in gaps:
        left, right = slice(gap - 1, None, 2 * gap), slice(2 * gap - 1, None, 2 * gap)
        s[right], p[right] = machine.apply(p[right], s[left], s[right]), machine.product(p[right], p[left])
    s[-1] = 0
    for gap in reversed(gaps):
        left, right = slice(gap - 1, None, 2 * gap), slice(2 * gap - 1, None, 2 * gap)
        s[left], s[right] = s[right], machine.apply(p[left], s[right], s[left])
    return machine.apply(a, s[: len(x)], x)


def chunked(length: int) -> Callable[[Machine, Array, Array, Array], Array]:
    """Chunks of `length` steps from zero, and the carry times the product of the steps so far added once."""

    def run(machine: Machine, a: Array, x: Array, h0: Array) -> Array:
        chunks = -(-len(x) // length)
        p, s = (_padded(part, chunks * length, one).reshape(chunks, length, *x.shape[1:]) for part, one in ((a, 1), (x, 0)))
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
    """A bracketing drawn at random, h0 its first element: cut, scan both sides, the last of the left enters all of the right."""

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
            h = self._run(machine, a, machine.drive(machine.lifted(b)), machine.lifted(forward.start)).astype(inputs.b.dtype)
        return np.moveaxis(h[::-1] if inputs.reverse else h, 0, 1)

    @property
    def _run(self) -> Callable[[Machine, Array, Array, Array], Array]:
        word, _, number = self.bracketing.partition(":")
        made: dict[str, Callable[[int], Any]] = {"chunked": chunked, "split": split}
        return made[word](int(number)) if number else {"sequential": sequential, "doubling": doubling, "sweeps": sweeps}[word]


def drawn(arithmetic: Arithmetic, rng: np.random.Generator) -> Program:
    """One of the programs that a declared class admits."""
    return Program(_bracketing(arithmetic, rng), _machine(arithmetic, rng))


def _bracketing(arithmetic: Arithmetic, rng: np.random.Generator) -> str:
    if arithmetic.order == "tree":
        return str(rng.choice(TREES))
    if arithmetic.order != "any":
        return arithmetic.order
    return str(rng.choice(("sequential", *TREES, f"chunked:{2 ** rng.integers(1, 8)}", f"split:{rng.integers(2**31)}")))


def _machine(arithmetic: Arithmetic, rng: np.random.Generator) -> Machine:
    inner = Arithmetic(arithmetic.inner).real_dtype
    ordinary = arithmetic.rounding == "nearest" and arithmetic.subnormals == "gradual" and arithmetic.operands is None
    return Machine(
        dtype=inner,
        step=str(rng.choice([name for name in _steps(arithmetic, inner) if name != "numpy" or ordinary])),
        swapped=bool(rng.integers(2)),
        rounding=arithmetic.rounding,
        flush=str(rng.choice({"gradual": ("",), "ftz": ("w",), "daz": ("r", "w", "rw")}[arithmetic.subnormals])),
        operands=str(rng.choice(("products", "all"))) if arithmetic.operands else "",
        stored=arithmetic.dtype if arithmetic.store != "output" else "",
    )


def _steps(arithmetic: Arithmetic, inner: str) -> tuple[str, ...]:
    if inner not in FUSED:
        return ("numpy",)
    if not arithmetic.is_complex:
        return ("numpy", "separate", "fused")
    return ("numpy", *STEPS) if arithmetic.contraction else UNCONTRACTED

"""Honest evaluations of the scan, for tests of the allowance: every bracketing, fusion and flush that a class admits.

    format    rounds single operations: float32, float64, or a tiny format of a few bits
    Machine   lam h + b in a format: separate, fused or contracted operations, subnormals kept or flushed
    element   (a, x): the map h -> a h + x, both (batch, channels); lists of elements run over time, h0 first

Exact numbers (dyadic, complex) are kept here apart from `reference.truth`, which is under test itself.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

import numpy as np

from scanproof.properties.verdict import judged
from scanproof.reference.allowance import integer_cases
from scanproof.reference.arithmetic.formats import Format, format_of
from scanproof.reference.inputs import Inputs
from scanproof.reference.systems.scan import call_of
from scanproof.reference.transitions.diagonal import at, scan

NATIVE = ("float32", "float64", "complex64", "complex128")  # formats in which NumPy rounds each operation once
INFINITE = Fraction(10) ** 400  # error over an allowance of zero

# ---------------------------------------------------------------- formats


class Ieee:
    """float32 or float64, and its fused multiply-add."""

    def __init__(self, dtype):
        self.dtype, self.omega = np.dtype(dtype), np.finfo(dtype).smallest_normal

    def add(self, x, y):
        return x + y

    def mul(self, x, y):
        return x * y

    def fma(self, x, y, z):
        return fma32(x, y, z) if self.dtype == np.float32 else fma64(x, y, z).astype(np.float64)


def odd_sum(x, y):
    """x + y in float64, rounded to odd where it is inexact: rounding that to 50 bits or fewer is rounding x + y, in any way."""
    s = x + y
    v = s - x
    rest = (x - (s - v)) + (y - v)  # s + rest = x + y exactly (Knuth)
    odd = (np.ascontiguousarray(s).view(np.int64) & 1) == 1
    return np.where((rest == 0) | odd, s, np.nextafter(s, np.copysign(np.inf, rest)))


def fma32(x, y, z):
    """x y + z rounded once: the product is exact in float64."""
    return odd_sum(np.multiply(x, y, dtype=np.float64), np.asarray(z, np.float64)).astype(np.float32)


fma64 = np.frompyfunc(lambda x, y, z: float(Fraction(x) * Fraction(y) + Fraction(z)), 3, 1)


class Tiny:
    """p bits, smallest normal 2^emin, unbounded above; numbers are float64, in which sums and products here are exact."""

    def __init__(self, p, emin):
        self.p, self.emin, self.omega = p, emin, 2.0**emin
        self.u, self.eta = 2.0**-p, 2.0 ** (emin - p)

    def round(self, x):
        quantum = np.ldexp(1.0, np.maximum(np.frexp(x)[1] - 1, self.emin) - self.p + 1)
        return np.rint(x / quantum) * quantum

    def values(self, largest):
        """All numbers of the format up to `largest` in size."""
        units = np.arange(round(largest / (2 * self.eta)) + 1) * (2 * self.eta)
        positive = units[self.round(units) == units]
        return np.concatenate([-positive[:0:-1], positive])

    def add(self, x, y):
        return self.round(x + y)

    def mul(self, x, y):
        return self.round(x * y)

    def fma(self, x, y, z):
        return self.round(x * y + z)


class Soft:
    """A format of at most 26 bits, rounding to nearest or truncating; numbers are float64, whatever they are rounded to."""

    def __init__(self, dtype, truncates=False):
        form = format_of(dtype)
        self.p, self.smallest, self.omega, self.largest = form[:4]
        self.cut = np.trunc if truncates else np.rint

    def quantum(self, x):
        """One unit in the last place of x."""
        return np.maximum(np.ldexp(1.0, np.frexp(x)[1] - self.p), self.smallest)

    def round(self, x):
        """Of finite numbers; inf beyond the largest one, also where truncation would saturate: so overflow is seen."""
        quantum = self.quantum(x)
        rounded = self.cut(x / quantum) * quantum
        return np.where(np.abs(rounded) > self.largest, np.copysign(np.inf, rounded), rounded)

    def add(self, x, y):
        return self.round(odd_sum(x, y))

    def mul(self, x, y):
        return self.round(x * y)

    def fma(self, x, y, z):
        return self.round(odd_sum(x * y, z))


class Matrix(Soft):
    """A matrix unit: the operands of a sum are truncated to the last place of the larger one, then the sum is truncated."""

    def __init__(self, dtype):
        super().__init__(dtype, truncates=True)

    def add(self, x, y):
        quantum = self.quantum(np.maximum(np.abs(x), np.abs(y)))
        return self.round((np.trunc(x / quantum) + np.trunc(y / quantum)) * quantum)

    def fma(self, x, y, z):
        return self.add(x * y, z)


def tiny_dtype(tiny, dtype="float64"):
    """The tiny format as a declaration names it, of real numbers or, for complex128, of complex ones."""
    return Format(tiny.p, 2 * tiny.eta, tiny.omega, 1e300, f"{tiny.p} bits", 2 if dtype == "complex128" else 1)


# ---------------------------------------------------------------- one step

REAL_STEPS = {  # x + a c
    "separate": lambda o, x, a, c: o.add(o.mul(a, c), x),
    "fused": lambda o, x, a, c: o.fma(a, c, x),
}
COMPLEX_STEPS = {  # one component x + a c + b d; the first three keep the product apart from the addend
    "separate": lambda o, x, a, c, b, d: o.add(o.add(o.mul(a, c), o.mul(b, d)), x),
    "fused product": lambda o, x, a, c, b, d: o.add(o.fma(a, c, o.mul(b, d)), x),
    "fused product, swapped": lambda o, x, a, c, b, d: o.add(o.fma(b, d, o.mul(a, c)), x),
    "addend first": lambda o, x, a, c, b, d: o.add(o.add(x, o.mul(a, c)), o.mul(b, d)),
    "addend first, swapped": lambda o, x, a, c, b, d: o.add(o.add(x, o.mul(b, d)), o.mul(a, c)),
    "two fused": lambda o, x, a, c, b, d: o.fma(a, c, o.fma(b, d, x)),
    "two fused, swapped": lambda o, x, a, c, b, d: o.fma(b, d, o.fma(a, c, x)),
    "fused, then separate": lambda o, x, a, c, b, d: o.add(o.fma(a, c, x), o.mul(b, d)),
    "separate, then fused": lambda o, x, a, c, b, d: o.fma(a, c, o.add(x, o.mul(b, d))),
}
UNCONTRACTED = tuple(COMPLEX_STEPS)[:3]


@dataclass(frozen=True)
class Machine:
    """Steps in a format; flush: "" keeps subnormals, "w" flushes results, "r" operands, "rw" both."""

    format: Ieee | Tiny | Soft
    step_name: str = "separate"
    flush: str = ""

    def step(self, a, h, b):
        """lam h + b as this machine computes it."""
        if not np.iscomplexobj(h):
            return REAL_STEPS["separate" if self.step_name == "separate" else "fused"](self, b, a, h)
        form = COMPLEX_STEPS[self.step_name]
        if not np.iscomplexobj(a):
            a = a + 0j
        out = np.empty(np.broadcast_shapes(a.shape, h.shape), h.dtype)
        out.real = form(self, b.real, a.real, h.real, -a.imag, h.imag)
        out.imag = form(self, b.imag, a.real, h.imag, a.imag, h.real)
        return out

    def product(self, x, y):
        """x y: a step without an addend."""
        return self.step(x, y, np.zeros_like(y))

    def add(self, x, y):
        return self._operation(self.format.add, x, y)

    def mul(self, x, y):
        return self._operation(self.format.mul, x, y)

    def fma(self, x, y, z):
        return self._operation(self.format.fma, x, y, z)

    def _operation(self, operation, *operands):
        if "r" in self.flush:
            operands = [self._flushed(x) for x in operands]
        result = operation(*operands)
        return self._flushed(result) if "w" in self.flush else result

    def _flushed(self, x):
        return np.where(np.abs(x) < self.format.omega, np.zeros_like(x), x)


def tf32(x):
    """Components truncated to 11 bits, as units do that ignore the last 13 bits of a float32."""
    if np.iscomplexobj(x):
        return tf32(x.real) + 1j * tf32(x.imag)
    bits = np.ascontiguousarray(x, dtype=np.float32).view(np.uint32) & np.uint32(0xFFFFE000)
    return bits.view(np.float32).astype(np.float64).reshape(np.shape(x))


@dataclass(frozen=True)
class Tf32(Machine):
    """A machine that reads the operands of products in TF32."""

    def step(self, a, h, b):
        return super().step(tf32(a), tf32(h), b)


# ---------------------------------------------------------------- bracketings


def elements(inputs):
    """The elements of a scan that runs forwards: h0 (or zero) first, then (lam_t, b_t)."""
    inputs = inputs.forward()
    shape = inputs.start.shape
    steps = [(np.broadcast_to(at(inputs.lam, t), shape), inputs.b[:, t]) for t in range(inputs.b.shape[1])]
    return [(np.ones(shape, inputs.lam.dtype), inputs.start), *steps]


def combine(machine, first, then):
    """(a, x) then (a', x') is (a' a, a' x + x')."""
    return machine.product(then[0], first[0]), machine.step(then[0], first[1], then[1])


def sequential(machine, steps):
    return [(None, h) for h in accumulate((x for _, x in steps[1:]), _stepper(machine, steps), initial=steps[0][1])]


def stored_steps(store):
    """One step after the other, each from the state that was stored."""

    def run(machine, steps):
        states = [steps[0][1]]
        for a, x in steps[1:]:
            states.append(store(machine.step(a, states[-1], x)))
        return [(None, h) for h in states]

    return run


def _stepper(machine, steps):
    factors = iter(a for a, _ in steps[1:])
    return lambda h, x: machine.step(next(factors), h, x)


def doubling(machine, steps):
    """Hillis and Steele: each element takes in the one 1, 2, 4, ... places before it."""
    gap = 1
    while gap < len(steps):
        steps = steps[:gap] + [combine(machine, first, then) for first, then in zip(steps, steps[gap:], strict=False)]
        gap *= 2
    return steps


def blelloch(machine, steps):
    """Pairs up, scans the pairs, fills the gaps."""
    if len(steps) == 1:
        return steps
    pairs = [combine(machine, *steps[i : i + 2]) for i in range(0, len(steps) - 1, 2)]
    odd = blelloch(machine, pairs)
    gaps = [combine(machine, odd[i // 2 - 1], steps[i]) for i in range(2, len(steps), 2)]
    return [steps[0], *(odd[i // 2] if i % 2 else gaps[i // 2 - 1] for i in range(1, len(steps)))]


def random_trees(seed):
    """A bracketing drawn afresh for every state."""
    rng = random.Random(seed)

    def folded(machine, steps):
        if len(steps) == 1:
            return steps[0]
        cut = rng.randrange(1, len(steps))
        return combine(machine, folded(machine, steps[:cut]), folded(machine, steps[cut:]))

    return lambda machine, steps: [folded(machine, steps[: t + 1]) for t in range(len(steps))]


def chunked(length, carry_factor=1, store=None):
    """States of each chunk from zero, powers by repeated multiplication, then the carry; carry_factor 1 is honest.

    `store` rounds the carries to the format in which they are printed.
    """

    def run(machine, steps):
        out = [steps[0]]
        for start in range(1, len(steps), length):
            carry = out[-1][1] if start == 1 or carry_factor == 1 else (out[-1][1] * carry_factor).astype(out[-1][1].dtype)
            carry = store(carry) if store and start > 1 else carry
            local = accumulate(steps[start : start + length], lambda first, then: combine(machine, first, then))
            out += [(None, machine.step(power, carry, x)) for power, x in local]
        return out

    return run


BRACKETINGS = {
    "sequential": sequential,
    "doubling": doubling,
    "blelloch": blelloch,
    "random tree 1": random_trees(1),
    "random tree 2": random_trees(2),
    "chunks of 4": chunked(4),
    "chunks of 16": chunked(16),
}
OF_ORDER = {  # what a declared order promises
    "any": tuple(BRACKETINGS),
    "sequential": ("sequential",),
    "tree": ("doubling", "blelloch"),
    "chunked:4": ("chunks of 4",),
    "chunked:16": ("chunks of 16",),
}


def states(bracketing, machine, inputs):
    """All states, (batch, time, channels), in the order of b's time axis."""
    run = BRACKETINGS[bracketing] if isinstance(bracketing, str) else bracketing
    h = np.stack([x for _, x in run(machine, elements(inputs))][1:], axis=1)
    return h[:, ::-1] if inputs.reverse else h


# ---------------------------------------------------------------- exact numbers


class Dyadic:
    """(re + i im) 2^-s with integers: exact sums and products without the common divisors of Fraction."""

    __slots__ = ("im", "re", "s")

    def __init__(self, re, im, s):
        self.re, self.im, self.s = re, im, s

    def __add__(self, other):
        s = max(self.s, other.s)
        mine, its = s - self.s, s - other.s
        return Dyadic((self.re << mine) + (other.re << its), (self.im << mine) + (other.im << its), s)

    def __mul__(self, other):
        re, im = self.re * other.re - self.im * other.im, self.re * other.im + self.im * other.re
        return Dyadic(re, im, self.s + other.s)

    def __neg__(self):
        return Dyadic(-self.re, -self.im, self.s)

    def square(self):
        """|z|^2."""
        return Fraction(self.re**2 + self.im**2, 4**self.s)


def dyadic(z):
    """A float or complex number, exactly."""
    z = complex(z)
    (re, p), (im, q) = z.real.as_integer_ratio(), z.imag.as_integer_ratio()
    s = max(p, q)
    return Dyadic(re * (s // p), im * (s // q), s.bit_length() - 1)


def lift(x, number=dyadic):
    """An array of exact numbers."""
    out = np.empty(x.shape, object)
    out[...] = np.frompyfunc(number, 1, 1)(x)
    return out


def exact(inputs):
    """The true states: the definition of the scan on exact numbers."""
    h0 = lift(inputs.start)
    return scan(lift(inputs.lam), lift(inputs.b), h0, inputs.reverse)


def worst(got, truth, bound):
    """Largest (error/allowance)^2, an exact fraction: at most 1 if and only if no element exceeds its allowance."""
    ratios = [_ratio((dyadic(g) + -h).square(), float(a)) for g, h, a in zip(got.flat, truth.flat, bound.flat, strict=True)]
    return max(ratios, default=Fraction(0))


def _ratio(error_square, allowed):
    if error_square == 0 or allowed == float("inf"):
        return Fraction(0)
    return error_square / Fraction(allowed) ** 2 if allowed else INFINITE


# ---------------------------------------------------------------- inputs


def draw(rng, dtype, shape, low=-6, high=6):
    """Normal deviates times 2^low ... 2^high, so that products and sums round in many ways."""
    parts = rng.standard_normal((2, *shape)) * 2.0 ** rng.integers(low, high + 1, (2, *shape))
    largest = format_of(dtype).largest  # 16-bit formats hold less than 2^16: what is beyond is the largest number
    parts = np.clip(parts, -largest, largest)
    return (parts[0] + 1j * parts[1] if dtype.startswith("complex") else parts[0]).astype(dtype)  # shape


def decay(rng, dtype, size, shape):
    """Multipliers of modulus `size` (as nearly as the format can), signs or phases at random."""
    if dtype.startswith("complex"):
        return (size * np.exp(2j * np.pi * rng.random(shape))).astype(dtype)  # shape
    return (size * rng.choice([-1.0, 1.0], shape)).astype(dtype)  # shape


def problem(rng, arithmetic, size, shape, *, varying=False, h0=True, zeros=0.0, low=-6, high=6, real_lam=False):
    """A case of this shape; `zeros` of the inputs (and, if they vary, of the multipliers) are zero."""
    batch, _, channels = shape
    lam = decay(rng, arithmetic.real_dtype if real_lam else arithmetic.dtype, size, shape if varying else (channels,))
    b, start = draw(rng, arithmetic.dtype, shape, low, high), draw(rng, arithmetic.dtype, (batch, channels), low, high)
    b[rng.random(shape) < zeros] = 0
    if varying:
        lam[rng.random(shape) < zeros / 4] = 0
    return Inputs(lam, b, start if h0 else None, bool(rng.integers(2)))


def verdict_of(got, inputs, arithmetic):
    """The verdict over all states, (batch, time, channels), of these inputs."""
    return judged({"h": got}, call_of(inputs), arithmetic)


def exact_lane(inputs, significand_bits):
    """Where forward inputs have exact states, all at once."""
    return integer_cases.advance(inputs, significand_bits, integer_cases.start(inputs))[0]

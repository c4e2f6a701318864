"""Floating-point formats of a few bits: small enough to try every operand, and the production code run in them.

    tick   the smallest subnormal; all numbers are integers in ticks, so nothing here rounds but the format
    K      ticks in 1; a product of two numbers, or a sum times K, is an integer in ticks / K
    R      fl as a table: R[o + n] is the number that n ticks / K round to, o the middle of R

Hence fl(x + y) = R[o + K (x + y)], fl(x y) = R[o + x y], fl(x y + z) = R[o + x y + K z]. The hypotheses of the theorem of
`reference/rounding.py` are tried here on every operand tuple: what `Arithmetic.roundings` promises of single operations.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from scanproof.reference import arithmetic
from scanproof.reference.arithmetic import UP, Arithmetic

Array = NDArray[Any]


class Format(NamedTuple):
    """p significand bits, subnormals below 2^emin; inputs reach up to 2^(emax+1), results have no upper limit."""

    p: int
    emin: int = -2
    emax: int = 0

    @property
    def K(self) -> int:
        return 1 << (self.p - 1 - self.emin)

    @property
    def omega(self) -> int:
        """The smallest normal number, in ticks."""
        return 1 << (self.p - 1)

    def magnitudes(self) -> Array:
        """Zero and every positive input, in ticks, ascending."""
        normal = [m << e for e in range(self.emax - self.emin + 1) for m in range(self.omega, 2 * self.omega)]
        return np.array([*range(self.omega), *normal])

    def values(self) -> Array:
        """Every input, in ticks: zero, the positive ones, the negative ones."""
        return signed(self.magnitudes())

    def table(self, mode: str, flush: bool) -> Array:
        """R: fl of everything up to V^3 + V^2 + V in size, V = 2^(emax+1); a flushed subnormal is zero."""
        V, K = 2 << self.emax, self.K
        n = np.arange((V**3 + V**2 + V) * K * K + 1)
        places = np.maximum(np.frexp(n / (K * self.omega))[1] - 1, 0)  # by which a number exceeds a tick in its last bit
        quotient, rest = np.divmod(n, K << places)
        beyond = np.sign(2 * rest - (K << places))  # of the tie
        up = {"zero": 0 * n, "away": beyond >= 0, "even": beyond + quotient % 2 > 0}[mode]
        rounded = (quotient + up) << places
        rounded[flush & (rounded < self.omega)] = 0
        return np.concatenate([-rounded[:0:-1], rounded])


class Variant(NamedTuple):
    """Hardware: how it rounds, what it flushes ("w" results, "r" operands), and the class that covers it."""

    name: str
    subnormals: str = "gradual"
    mode: str = "even"
    flush: str = ""


VARIANTS = (
    Variant("gradual"),
    Variant("gradual, ties away", mode="away"),
    Variant("truncation (2u, 2 eta)", mode="zero"),
    Variant("ftz", "ftz", flush="w"),
    Variant("ftz + daz", "daz", flush="rw"),
    Variant("daz", "daz", flush="r"),
)


def signed(magnitudes: Array) -> Array:
    """Magnitudes and, behind them, the negatives of those that are not zero."""
    return np.concatenate([magnitudes, -magnitudes[magnitudes > 0]])


def edited(module: ModuleType, *edits: tuple[str, str], **names: Any) -> dict[str, Any]:
    """The namespace of a module whose source is run with each `old` text replaced by `new`.

    Raises:
        ValueError: a text does not occur, so nothing would be edited.
    """
    source = inspect.getsource(module)
    for old, new in edits:
        if old not in source:
            raise ValueError(f"edits: found no {old!r} in {module.__name__}, expected its source text")
        source = source.replace(old, new)
    namespace = {"__name__": module.__name__, **names}
    exec(compile(source, module.__name__, "exec"), namespace)
    return namespace


def declaration(
    form: Format, variant: Variant, order: str = "any", dtype: str = "float64", contraction: bool = True
) -> Arithmetic:
    """The production `Arithmetic` with the parameters (u, eta) of a tiny format; both doubled if it truncates."""
    double = 2 if variant.mode == "zero" else 1
    limits = SimpleNamespace(eps=double * 2.0 ** (1 - form.p), smallest_subnormal=double / form.K, max=math.inf,
                             smallest_normal=form.omega / form.K, nmant=form.p - 1)  # fmt: skip
    space = edited(arithmetic, ("np.finfo(self.real_dtype)", "LIMITS"), LIMITS=limits)
    return space["Arithmetic"](dtype, variant.subnormals, contraction, order)


# ---------------------------------------------------------------- hypotheses


class Hypothesis(NamedTuple):
    """The largest error / promised error of one operation, over all its operand tuples."""

    operation: str
    variant: str
    p: int
    tuples: int
    worst: float


def real_operations(form: Format, variant: Variant) -> Iterator[Hypothesis]:
    """x + y, x y and x y + z over all operands: exact in float64, so the comparison with 1 is exact."""
    R, K, ops = form.table(variant.mode, "w" in variant.flush), form.K, declaration(form, variant).roundings(False)
    x, o = form.values(), len(R) // 2
    y, z = x[:, None], x[:, None, None]
    product_loss, sum_loss = ops.product_loss * K * K, ops.sum_loss * K * K
    for name, n, rate, loss in (("x + y", K * (x + y), ops.u, sum_loss), ("x y", x * y, ops.beta, product_loss),
                                ("x y + z", x * y + K * z, ops.u, product_loss)):  # fmt: skip
        error, promised = np.abs(K * R[o + n] - n), rate * np.abs(n) + loss
        ratio = np.divide(error, promised, out=np.where(error > 0, np.inf, 0.0), where=promised > 0)
        yield Hypothesis(name, variant.name, form.p, n.size, float(ratio.max()))


def complex_operations(form: Format, variant: Variant) -> Iterator[Hypothesis]:
    """Complex products over all operands, separate and with one fused operation a component, in the modulus."""
    R, V, K = form.table(variant.mode, "w" in variant.flush), form.values(), form.K
    ops = declaration(form, variant, dtype="complex128", contraction=False).roundings(True)
    for name, fused in (("z w, separate", False), ("z w, fused", True)):
        worst = _products(V, R, K, fused, ops.beta, ops.product_loss * K * K)
        yield Hypothesis(name, variant.name, form.p, len(V) ** 4, worst * UP)


def contracted_steps(form: Format, variant: Variant) -> Iterator[Hypothesis]:
    """x + z w over all operands; each component is the worst of all its fusions and orders."""
    R, V, K = form.table(variant.mode, "w" in variant.flush), form.values(), form.K
    ops = declaration(form, variant, dtype="complex128").roundings(True)
    loss = (ops.product_loss + ops.sum_loss) * K * K
    worst = _steps(V, R, K, ops.beta, (1 + ops.u) ** ops.c - 1, loss)
    yield Hypothesis("x + z w, contracted", variant.name, form.p, len(V) ** 6, worst * UP)


def hypotheses(real: tuple[int, ...], products: tuple[int, ...], steps: tuple[int, ...]) -> Iterator[Hypothesis]:
    """All of the above for these p; operands that are flushed are read errors, not errors of an operation."""
    for variant in VARIANTS[:4]:
        for try_all, ps in ((real_operations, real), (complex_operations, products), (contracted_steps, steps)):
            for p in ps:
                if variant.mode != "zero" or try_all is real_operations:  # the complex constants presume rounding to nearest
                    yield from try_all(Format(p), variant)


@numba.njit
def _products(V, R, K, fused, beta, loss):
    """Largest |fl(zw) - zw| / (beta |zw| + loss), z = a + ib, w = c + id."""
    o, worst = len(R) // 2, 0.0
    for a in V:
        for b in V:
            for c in V:
                for d in V:
                    ac, ad = (a * c, a * d) if fused else (K * R[o + a * c], K * R[o + a * d])
                    re = K * R[o + ac - K * R[o + b * d]] - (a * c - b * d)
                    im = K * R[o + ad + K * R[o + b * c]] - (a * d + b * c)
                    error = math.sqrt(re * re + im * im)
                    if error > 0:
                        worst = max(worst, error / (beta * math.sqrt((a * a + b * b) * (c * c + d * d)) + loss))
    return worst


@numba.njit
def _component(R, K, x, s, t):
    """Largest |fl(x + s + t) - (x + s + t)| of all orders and fusions; s and t are products of two numbers."""
    o, n, worst = len(R) // 2, K * x + s + t, 0
    for first, then in ((s, t), (t, s)):
        one, two, begun, fused = R[o + first], R[o + then], R[o + K * (x + R[o + first])], R[o + K * x + first]
        product, fused_product = R[o + K * (one + two)], R[o + K * one + then]
        separate = (product + x, fused_product + x, begun + two, fused + two)
        for e in (K * separate[0], K * separate[1], K * separate[2], K * separate[3], K * begun + then, K * fused + then):
            worst = max(worst, abs(K * R[o + e] - n))
    return worst


@numba.njit
def _steps(V, R, K, beta, xi, loss):
    """Largest |fl(x + zw) - (x + zw)| / (beta |zw| + xi |x| + loss), z = a + ib, w = c + id, x = x + iy."""
    worst = 0.0
    for a in V:
        for b in V:
            for c in V:
                for d in V:
                    zw = math.sqrt((a * a + b * b) * (c * c + d * d))
                    for x in V:
                        re = _component(R, K, x, a * c, -b * d)
                        for y in V:
                            im = _component(R, K, y, a * d, b * c)
                            error = math.sqrt(re * re + im * im)
                            if error > 0:
                                worst = max(worst, error / (beta * zw + xi * K * math.sqrt(x * x + y * y) + loss))
    return worst

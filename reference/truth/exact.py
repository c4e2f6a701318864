"""Truth: the exact states of a scan over floats, as two floats and a radius per element.

    symbol   meaning
    H, s     exact state h = H 2^-s with an integer H (two integers for complex numbers)
    head     the float64 nearest to h, per component
    tail     the float64 nearest to h - head
    rad      |h - head - tail| <= rad, a float64 rounded upwards

Floats are integers over powers of two, so the recurrence stays in integers with a shared
denominator: with lam = L 2^-p and b = B 2^-q, h_t = H_t 2^-(q + p t) and H_t = L_t H_{t-1} + B_t
2^(p t). That is exact at any length and costs time quadratic in it. Long sequences are for
double_double.py, and for disc arithmetic, an independent and slower way: the midpoint of h in any
number of bits and one radius in the norm, r_t = |lam| r_{t-1} + (rounding of this step). Balls of
components would explode instead: multiplying a rectangle by e^{i theta} inflates it by up to
sqrt(2) a step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import flint
import numpy as np

from scanproof.reference.arithmetic.operations import TINY, UP
from scanproof.reference.inputs import Array, Inputs
from scanproof.reference.transitions.diagonal import at
from scanproof.reference.truth.enclosure import Truth

DISC_BITS = 128
Parts = tuple[list[float], list[float], float]  # heads and tails of the components, radius


def exact(inputs: Inputs) -> Truth:
    """Encloses the states by integers: rad is 0 wherever head + tail is the exact state.

    Returns:
        A Truth of arrays (batch, time, channels), in the order of b's time axis.
    """
    return _filled(inputs, _exact_states(inputs.forward()))


def exact_state(inputs: Inputs, index: tuple[int, ...]) -> tuple[list[int], int]:
    """Computes the exact state at index (batch, time, channel).

    Returns:
        Integers [H] or [Re H, Im H], and s with h = H 2^-s.
    """
    row, step, channel = index
    forward = inputs.forward()
    steps = inputs.b.shape[1] - step if inputs.reverse else step + 1
    states = _channel(forward, row, channel)
    for _ in range(steps - 1):
        next(states)
    return next(states)


def disc(inputs: Inputs, bits: int = DISC_BITS) -> Truth:
    """Encloses the states, (batch, time, channels), by disc arithmetic in `bits` bits.

    It takes any length, since its numbers do not grow.
    """
    previous, flint.ctx.prec = flint.ctx.prec, bits
    try:
        return _filled(inputs, _disc_states(inputs.forward()))
    finally:
        flint.ctx.prec = previous


def enclosed(H: list[int], s: int) -> Parts:
    """Splits H 2^-s into heads and tails of its components and the radius of what they leave."""
    split = [_split(component, s) for component in H]
    rad = math.hypot(*(r for _, _, r in split)) * UP if len(split) == 2 else split[0][2]
    return [head for head, _, _ in split], [tail for _, tail, _ in split], rad


def filled(like: Array, states: Iterable[tuple[tuple[int, ...], Parts]]) -> Truth:
    """Collects parts by index in arrays of the shape (...) of `like`.

    Returns:
        A Truth, float64, or complex128 where `like` is complex.
    """
    kind = np.complex128 if np.iscomplexobj(like) else np.float64
    head, tail, rad = (np.zeros(like.shape, part) for part in (kind, kind, np.float64))
    for index, (heads, tails, radius) in states:
        head[index], tail[index], rad[index] = _number(heads), _number(tails), radius
    return Truth(head, tail, rad)


def _filled(inputs: Inputs, states: Iterable[tuple[tuple[int, ...], Parts]]) -> Truth:
    """Collects the states of the forward problem, in the order of b's time axis."""
    found = filled(inputs.b, states)
    return Truth(*(x[:, ::-1] for x in found)) if inputs.reverse else found


def _number(components: list[float]) -> complex | float:
    return complex(*components) if len(components) == 2 else components[0]


# ---------------------------------------------------------------- integers


def _exact_states(inputs: Inputs) -> Iterator[tuple[tuple[int, ...], Parts]]:
    batch, _, channels = inputs.b.shape
    for row in range(batch):
        for channel in range(channels):
            for t, (H, s) in enumerate(_channel(inputs, row, channel)):
                yield (row, t, channel), enclosed(H, s)


def _channel(inputs: Inputs, row: int, channel: int) -> Iterator[tuple[list[int], int]]:
    """H_t and s_t of one channel: H_t = L_t H_{t-1} + B_t 2^(p t), s_t = q + p t."""
    time = inputs.b.shape[1]
    lam = inputs.lam[row, :, channel] if inputs.varying else inputs.lam[channel : channel + 1]
    L, p = _integers(lam)
    BH, q = _integers(np.append(inputs.start[row, channel], inputs.b[row, :, channel]))
    H, s = BH[0], q
    for t in range(time):
        s += p
        H = _add(
            _mul(L[t if inputs.varying else 0], H),
            [component << (s - q) for component in BH[t + 1]],
        )
        yield H, s


def _integers(x: Array) -> tuple[list[list[int]], int]:
    """x (n,) as integers over one power of two: x[i] = X[i] 2^-s, s >= 0; each X[i] has one or two
    components."""
    # (n, components)
    parts = np.stack([x.real, x.imag] if np.iscomplexobj(x) else [x], -1).astype(float)
    fraction, exponent = np.frexp(parts)
    mantissa, exponent = (fraction * 2.0**53).astype(np.int64), exponent - 53
    trailing = np.where(mantissa == 0, 0, np.frexp((mantissa & -mantissa).astype(float))[1] - 1)
    exponent = np.where(mantissa == 0, 0, exponent + trailing)
    s = max(0, -int(exponent.min(initial=0)))
    rows = zip((mantissa >> trailing).tolist(), (exponent + s).tolist(), strict=True)
    return [[m << e for m, e in zip(ms, es, strict=True)] for ms, es in rows], s


def _mul(x: list[int], y: list[int]) -> list[int]:
    """Product of (Gaussian) integers; a real factor scales both components of a complex one."""
    if len(x) == 1:
        return [x[0] * component for component in y]
    return [x[0] * y[0] - x[1] * y[1], x[0] * y[1] + x[1] * y[0]]


def _add(x: list[int], y: list[int]) -> list[int]:
    return [a + b for a, b in zip(x, y, strict=True)]


def _split(H: int, s: int) -> tuple[float, float, float]:
    """H 2^-s as head + tail with |rest| <= rad."""
    if H.bit_length() <= 53 and s <= 1000:
        return math.ldexp(H, -s), 0.0, 0.0  # a float64 as it stands
    drop = max(0, H.bit_length() - 128)
    inexact = 1 if (H >> drop) << drop != H else 0
    # H 2^-s = (m + f) 2^e, |f| < 1; m is odd if f != 0: rounding it again is harmless
    m, e = H >> drop | inexact, drop - s
    head, rest = _nearest(m, e)
    if math.isinf(head):
        return head, 0.0, math.inf
    tail, rest = _nearest(rest, e)
    size = abs(rest) + inexact
    return head, tail, math.ldexp(size, e) * UP + TINY if size else 0.0


def _nearest(m: int, e: int) -> tuple[float, int]:
    """A float64 nearest to m 2^e, but for subnormals, and the remainder over 2^e."""
    try:
        head = math.ldexp(float(m), e)
    except OverflowError:
        return math.copysign(math.inf, m), 0
    numerator, denominator = head.as_integer_ratio()
    shift = -e - (denominator.bit_length() - 1)
    return head, m - (numerator << shift if shift >= 0 else numerator >> -shift)


# ---------------------------------------------------------------- discs


def _disc_states(inputs: Inputs) -> Iterator[tuple[tuple[int, ...], Parts]]:
    ball: Callable[[Any], Any] = _acb if np.iscomplexobj(inputs.b) else flint.arb
    lam, b = _objects(inputs.lam, ball), _objects(inputs.b, ball)
    with np.errstate(over="ignore"):
        # lam-shaped
        size = np.where(inputs.lam == 0, 0.0, np.abs(inputs.lam.astype(np.complex128)) * UP + TINY)
    h, r = _objects(inputs.start, ball), np.zeros(inputs.start.shape)  # (batch, channels)
    for t in range(b.shape[1]):
        step = at(lam, t) * h + b[:, t]
        local = np.frompyfunc(_radius, 1, 1)(step).astype(float)
        r = _disc_radius(at(size, t), r, local)
        h = np.frompyfunc(lambda z: z.mid(), 1, 1)(step)
        for row, channel in np.ndindex(*h.shape):
            heads, tails, rest = _float_parts(h[row, channel])
            rad = float(r[row, channel])
            yield (row, t, channel), (heads, tails, (rad + rest) * UP if rad or rest else 0.0)


def _disc_radius(size: Array, r: Array, local: Array) -> Array:
    """size r + local rounded upwards, 0 only where it is; zero times inf is zero."""
    nothing = (size == 0) | (r == 0)  # (batch, channels)
    with np.errstate(over="ignore", invalid="ignore"):
        carried = np.where(nothing, 0.0, size * r)  # (batch, channels)
        # (batch, channels)
        return np.where(nothing & (local == 0), 0.0, (carried + local) * UP + TINY)


def _acb(z: Any) -> Any:
    return flint.acb(float(z.real), float(z.imag))


def _objects(x: Array, ball: Callable[[Any], Any]) -> Array:
    """x as exact flint numbers."""
    wide = x.astype(np.complex128 if np.iscomplexobj(x) else np.float64)
    out = np.empty(x.shape, object)
    out[...] = np.frompyfunc(lambda z: ball(z if isinstance(z, complex) else float(z)), 1, 1)(wide)
    return out


def _radius(z: Any) -> float:
    """Radius of a flint number in the norm, rounded upwards."""
    parts = [z] if isinstance(z, flint.arb) else [z.real, z.imag]
    return sum(_up(part.rad()) for part in parts)


def _float_parts(z: Any) -> tuple[list[float], list[float], float]:
    """Head and tail of each component of an exact flint number, and the rest in the norm."""
    parts = [z] if isinstance(z, flint.arb) else [z.real, z.imag]
    heads = [float(part) for part in parts]
    if not all(map(math.isfinite, heads)):
        return heads, [0.0] * len(parts), math.inf
    tails = [float(part - head) for part, head in zip(parts, heads, strict=True)]
    rest = sum(
        _up(abs(part - head - tail)) for part, head, tail in zip(parts, heads, tails, strict=True)
    )
    return heads, tails, rest


def _up(x: Any) -> float:
    """A float64 that is at least as large as the flint number x >= 0, and 0 only for an exact 0."""
    return 0.0 if x == 0 else float(x.abs_upper()) * UP + TINY

"""The exponential of skew matrices, recomputed with nothing but Python's integers.

    S, P      the matrices, and what was returned for exp(S)     (stack, n, n)
    x         a direction, the evidence {"direction"}            (n,)
    R         the largest sum of absolute values in a row of S

    exp(S) x = sum of S^k x / k!        from a term k >= 2 R on the rest is at most that term

It is confirmed that |(P - exp S) x|_2 > allowance |x|_2, and so |P - exp S|_2 > allowance.
"""

import math
from fractions import Fraction

from . import _values
from ._witness import Witness
from .core import SMALL

LARGEST = 1024  # R that is accepted; the series takes some 3 R terms
BITS = 200  # by which the last term is smaller than x

Vector = list[Fraction]


def refuted(w: Witness) -> str | None:
    """Why it is, or None."""
    sizes = _checked(w)
    x = _direction(w, sizes["n"])
    P, S = w.judged.nested()[w.index[0]], w.arguments["S"].nested()[w.index[0]]
    if not all(math.isfinite(z) for row in P for z in row):
        return None
    if any(a != -b for row, column in zip(S, zip(*S, strict=True), strict=True)
           for a, b in zip(row, column, strict=True)):  # fmt: skip
        return "S is not skew"
    return None if _outside([*map(_exact, P)], [*map(_exact, S)], x, w.allowance) else SMALL


def _checked(w: Witness) -> dict[str, int]:
    sizes: dict[str, int] = {}
    _values.fit(w.arguments, {"S": "stack n n"}, sizes, ("S",))
    _values.fit(w.results, {"P": "stack n n"}, sizes, ("P",))
    if w.output != "P":
        raise _values.fault("output", repr(w.output), "'P'")
    return sizes


def _direction(w: Witness, n: int) -> Vector:
    [found] = _values.fields("evidence", w.evidence, "direction")
    x = _values.numbers("direction", found)
    _values.finite("direction", x)
    _values.fit({"direction": x}, {"direction": "n"}, {"n": n}, ())
    return _exact([z.real for z in x.data])


def _exact(row: list[float]) -> Vector:
    return [Fraction(z) for z in row]


def _outside(P: list[Vector], S: list[Vector], x: Vector, allowance: float) -> bool:
    true, rest = exponential(S, x)
    pairs = zip(P, true, strict=True)
    apart = [abs(sum(p * z for p, z in zip(row, x, strict=True)) - e) for row, e in pairs]
    error_squared = sum(max(d - rest, Fraction(0)) ** 2 for d in apart)
    return error_squared > Fraction(allowance) ** 2 * sum(z * z for z in x)


def exponential(S: list[Vector], x: Vector) -> tuple[Vector, Fraction]:
    """exp(S) x up to a last term of its series, and how far each component may be off.

    term = r s^k S^k x and total are integers; total is over r s^k k!.
    """
    R = max(sum(map(abs, row)) for row in S)
    if R > LARGEST:
        raise _values.fault("S", f"a row of absolute sum {_size(R)}", f"{LARGEST} at most")
    s = math.lcm(*(z.denominator for row in S for z in row))
    r = math.lcm(*(z.denominator for z in x))
    A, term = [[int(z * s) for z in row] for row in S], [int(z * r) for z in x]
    total, size, over, k = term, max(map(abs, term)), 1, 0
    while k < 2 * R or max(map(abs, term)) << BITS > size * over:
        k += 1
        term = [sum(a * z for a, z in zip(row, term, strict=True)) for row in A]
        over *= k * s
        total = [k * s * sofar + z for sofar, z in zip(total, term, strict=True)]
    return [Fraction(z, r * over) for z in total], Fraction(max(map(abs, term)), r * over)


def _size(R: Fraction | int) -> str:
    return f"{float(R):.3g}" if R < 10**300 else "beyond 1e300"

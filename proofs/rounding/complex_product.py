"""What one complex product and one complex step may lose.

The constants 4/sqrt(3), 2 and sqrt(2) ((1+u)^3 - 1) are proved here.

    symbol       meaning                                                            shape
    z, w         z = a + ib, w = c + id; no underflow                               ()
    p, q, r, s   |a|, |b|, |c|, |d|                                                 ()
    x, y, m, n   |ac|, |bd|, |ad|, |bc|, so m n = x y                               ()
    d            u / (1 + u), the largest relative error of one rounding            ()
    dx, dy       what rounding does to |ac| and to |bd|                             ()
    t, dt        |fl(ac) - fl(bd)|, and what rounding it does                       ()
    T            |ac - bd|; where ac and bd have one sign it is |x - y|             ()
    e, dt, t     in a step: what three roundings of one number do, relative to it   ()
    k, c         constants, k >= c                                                  ()
    f, g, h, i   what is >= 0 by hypothesis, each named where it is used            ()

If ac and bd have one sign, so have ad and bc: one component is a difference, the other a sum. (If
not, multiply w by i.) With x >= y the two components are off by at most 2 d x + d^2 (x + y) and
2 d (m + n) + d^2 (m + n), and

    (2x)^2 + (2m + 2n)^2 <= 16/3 |zw|^2,     (x + y)^2 + (m + n)^2 <= 2 |zw|^2

so the product is off by at most

    (4/sqrt(3) d + sqrt(2) d^2) |zw| <= 4/sqrt(3) u |zw| = 2.3095 u |zw|

That sqrt(5) u = 2.2361 u suffices is cited (Brent, Percival, Zimmermann 2007). With one FMA a
component it is (2 d + d^2) |zw| <= 2 u |zw|.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from fractions import Fraction

import sympy as sp

from scanproof.proofs.engine.algebra import Claim, Equation, Instance, letters
from scanproof.proofs.engine.run import Lemma
from scanproof.proofs.rounding.rounding_theorem import exact

x, y, dx, dy, t, dt, T, e, size, d = letters("x y dx dy t dt T e x d")
f, g, h, i = letters("f g h i")
p, q, r, s = sp.symbols("p q r s", nonnegative=True)
u, k, c = sp.symbols("u k c", positive=True)
BITS = 3  # of the numbers in the instances: many products, all of them rounded
U = Fraction(1, 2**BITS)
SIGNIFICANDS = range(2 ** (BITS - 1), 2**BITS)
CASES = 24

SQUARE = (p**2 + q**2) * (r**2 + s**2)  # |zw|^2


def nearest(number: Fraction) -> Fraction:
    """The number of BITS bits nearest to this one; no underflow."""
    if number == 0:
        return number
    step = U * 2
    while abs(number) >= step * 2**BITS:
        step *= 2
    while abs(number) < step * 2 ** (BITS - 1):
        step /= 2
    return round(number / step) * step


def rounded_once() -> tuple[Instance, ...]:
    """Real numbers from 1 on, within u of 1 and beyond, and what rounding does to them."""
    found = []
    for numerator in range(60, 120):
        number = Fraction(numerator, 60)
        lost = abs(nearest(number) - number)
        found.append(exact({size: number, e: lost, u: U, g: number - 1 - U, h: U - lost}))
    return tuple(found)


def one_rounding() -> Iterator[Claim]:
    """|fl(x) - x| <= u/(1+u) |x|.

    At 1 + u and beyond because it is at most u there, below because fl(x) = 1.
    """
    beyond = tuple(env for env in rounded_once() if env[g] >= 0)
    lhs, given = u * size - (1 + u) * e, ((g, size - 1 - u), (h, u - e))
    what = "1 + u <= x < 2, |fl(x) - x| <= u: (1 + u) |fl(x) - x| <= u x"
    yield Claim(what, lhs, u * g + h + u * h, given, (lhs - u * size / 4,), beyond, (u, g, h))
    below = tuple({**env, h: env[u] - env[e]} for env in rounded_once() if env[g] <= 0)
    what, given = "1 <= x <= 1 + u, fl(x) = 1: (1 + u) (x - 1) <= u x", ((size, 1 + e), (h, u - e))
    yield Claim(what, lhs, h, given, (lhs - u * size / 4,), below, (h,))


def sums(rounded_alone: bool) -> tuple[Instance, ...]:
    """Of all sums and differences of two products those that lose most; ac is rounded alone, or
    with the sum only."""
    found, rate = [], U / (1 + U)
    products = sorted({Fraction(a * b) for a in SIGNIFICANDS for b in SIGNIFICANDS})
    for one, other, scale, sign in itertools.product(
        products, products, (Fraction(1, 2), Fraction(1), Fraction(2)), (1, -1)
    ):
        first, second, exact_sum = (
            (nearest(one) if rounded_alone else one),
            nearest(other * scale),
            one + sign * other * scale,
        )
        total = first + sign * second
        case = {
            x: one,
            y: other * scale,
            dx: abs(first - one),
            dy: abs(second - other * scale),
            T: abs(exact_sum),
        }
        case |= {t: abs(total), dt: abs(nearest(total) - total), d: rate}
        case |= {
            f: rate * case[x] - case[dx],
            g: rate * case[y] - case[dy],
            h: rate * case[t] - case[dt],
        }
        found.append(case | {i: case[T] + case[dx] + case[dy] - case[t]})
    found.sort(key=lambda case: (case[dx] + case[dy] + case[dt]) / (case[x] + case[y] + case[T]))
    return tuple(exact(case) for case in found[-CASES:])


def one_component() -> Iterator[Claim]:
    """|fl(fl(ac) -+ fl(bd)) - (ac -+ bd)| <= d (x + y + T) + d^2 (x + y), and without dx if ac is
    not rounded alone."""
    given: tuple[Equation, ...] = (
        (f, d * x - dx),
        (g, d * y - dy),
        (h, d * t - dt),
        (i, T + dx + dy - t),
    )
    granted, lost = d * (x + y + T) + d * d * (x + y), dx + dy + dt
    lhs, rhs = granted - lost, f + g + d * f + d * g + d * i + h
    what = "three roundings: d (x + y + T) + d^2 (x + y) >= dx + dy + dt"
    yield Claim(what, lhs, rhs, given, (lhs - d * T, lhs - d * x), sums(True), (d, f, g, h, i))
    given, granted = (given[1], given[2], (i, T + dy - t)), d * (y + T) + d * d * y
    what = "two roundings, one FMA: d (y + T) + d^2 y >= dy + dt"
    yield Claim(
        what,
        granted - dy - dt,
        g + d * g + d * i + h,
        given,
        (granted - dy - dt - d * y,),
        sums(False),
        (d, g, h, i),
    )


def moduli() -> tuple[Instance, ...]:
    """Moduli of the components; 7, 5, 7, 5 is nearly the worst for 16/3: 7/5 ~ sqrt(2)."""
    rng, found = random.Random(3), []
    random_ones = (tuple(rng.randint(0, 9) for _ in range(4)) for _ in range(CASES))
    for numbers in ((7, 5, 7, 5), (1, 1, 1, 1), (1, 0, 1, 0), *random_ones):
        a, b, v, w = map(Fraction, numbers)
        squares = {f: (a * v - 2 * b * w) ** 2, g: (a * w - b * v) ** 2, h: (a * v - b * w) ** 2}
        found.append(exact({p: a, q: b, r: v, s: w, **squares}))
    return tuple(found)


def norms() -> Iterator[Claim]:
    """Both components together, against |zw|^2 = (p^2 + q^2)(r^2 + s^2)."""
    instances, two, sums = (
        moduli(),
        (p * r - q * s) ** 2 + (p * s + q * r) ** 2,
        (p * r + q * s) ** 2 + (p * s + q * r) ** 2,
    )
    yield Claim("(x - y)^2 + (m + n)^2 = |zw|^2", two, SQUARE, (), (sums, 2 * SQUARE), instances)
    doubled = (2 * p * r) ** 2 + (2 * p * s + 2 * q * r) ** 2
    given = ((f, (p * r - 2 * q * s) ** 2), (g, (p * s - q * r) ** 2))
    what, lhs = "(2x)^2 + (2m + 2n)^2 <= 16/3 |zw|^2", sp.Rational(16, 3) * SQUARE - doubled
    mutants = (lhs - SQUARE / 100, 5 * SQUARE - doubled)
    yield Claim(what, lhs, sp.Rational(4, 3) * (f + g), given, mutants, instances, (f, g))
    what, given = (
        "(x + y)^2 + (m + n)^2 <= 2 |zw|^2",
        ((g, (p * s - q * r) ** 2), (h, (p * r - q * s) ** 2)),
    )
    yield Claim(
        what,
        2 * SQUARE - sums,
        h + g,
        given,
        (2 * SQUARE - sums - SQUARE / 100,),
        instances,
        (h, g),
    )


def rates() -> tuple[Instance, ...]:
    """u, d = u/(1+u), and constants k >= c."""
    constants = ((2, 1), (3, 3), (Fraction(23095, 10000), Fraction(14143, 10000)))
    cases = (
        (Fraction(1, 2**bits), Fraction(most), Fraction(least))
        for bits in (1, 3, 8)
        for most, least in constants
    )
    return tuple(
        exact({u: rate, d: rate / (1 + rate), k: most, c: least, g: most - least})
        for rate, most, least in cases
    )


def second_order() -> Iterator[Claim]:
    """k d + c d^2 <= k u for k >= c: what is left between d and u pays for the squares."""
    lhs, rhs, given = (
        k * u - k * d - c * d * d,
        g * d * d + k * u * d * d,
        ((d, u / (1 + u)), (g, k - c)),
    )
    what = "d = u/(1 + u), k >= c: k d + c d^2 <= k u"
    yield Claim(what, lhs, rhs, given, (lhs - k * u * d,), rates(), (g, k, u))


def separate() -> Iterator[Claim]:
    yield from one_component()
    yield from norms()
    yield from second_order()


def contracted() -> tuple[Instance, ...]:
    """Three roundings of a real product and two of an addend, at the ends or within."""
    rng = random.Random(4)
    draws = [
        [Fraction(rng.choice((-4, -1, 0, 2, 4)), 4) * U for _ in range(3)] for _ in range(CASES)
    ]
    return tuple(
        exact({u: U, **{rate: abs(x) for rate, x in zip((e, dt, t), draw, strict=True)},
               **{slack: U - abs(x) for slack, x in zip((f, g, h), draw, strict=True)}})
        for draw in draws
    )  # fmt: skip


def any_contraction() -> Iterator[Claim]:
    """A component of x + z w adds two products and the addend: 3 roundings of each product at most,
    2 of the addend."""
    given, instances = ((e, u - f), (dt, u - g), (t, u - h)), contracted()
    what, lhs = (
        "three roundings by at most u: (1 + e)(1 + e')(1 + e'') <= (1 + u)^3",
        (1 + u) ** 3 - (1 + e) * (1 + dt) * (1 + t),
    )
    rhs = f * (1 + u) ** 2 + (1 + e) * g * (1 + u) + (1 + e) * (1 + dt) * h
    yield Claim(what, sp.expand(lhs), rhs, given, (lhs - u,), instances, (f, g, h, u, e, dt))
    yield list(norms())[-1]


SOURCE = ("Brent, Percival and Zimmermann, Math. Comp. 76 (2007); Jeannerod, Kornerup, Louvet and "
          "Muller, Math. Comp. 86 (2017)")
SIGNS = (
    "inequalities as sums of products of numbers >= 0; instances: numbers of 3 bits, really rounded"
)
TRIANGLE = ("the modulus of a sum is at most the sum of the moduli, and grows with the moduli of "
            "the components")

LEMMAS = (
    Lemma(
        name="rounding-to-nearest",
        statement="|fl(x) - x| <= u/(1+u) |x|, a little less than u |x|, for every real x that "
                  "neither under- nor overflows.",
        source="Knuth, The Art of Computer Programming 2, 4.2.2; Jeannerod and Rump, Math. Comp. "
               "87 (2018)",
        role="the hypothesis |d| <= u of every allowance, and what is left of it for complex "
             "products",
        N="one rounding to nearest, any precision",
        method=SIGNS,
        cited=(
            "scaling by a power of 2 commutes with rounding, so 1 <= x < 2; numbers are 2u apart "
            "there, so |fl(x) - x| <= u",
            "1 is the nearest number for 1 <= x < 1 + u, and a nearest one for 1 + u",
        ),
        claims=one_rounding,
    ),
    Lemma(
        name="complex-product",
        statement="|fl(z w) - z w| <= 4/sqrt(3) u |z w| for four products and two sums, each "
                  "rounded to nearest; 2 u |z w| with one FMA a component. The constant in use "
                  "without FMA, sqrt(5) u, is 3 percent smaller and is cited.",
        source=f"{SOURCE}, whose constants sqrt(5) and 2 these are; the proof of 4/sqrt(3) is the "
               "project's own",
        role="beta of reference/arithmetic/operations.py for complex numbers without contraction",
        N="one product of complex numbers, any precision; no underflow",
        method=SIGNS,
        cited=(
            "rounding-to-nearest, for d = u/(1 + u)",
            "|ac - bd| + |ac| + |bd| = 2 max(|ac|, |bd|) where ac and bd have one sign",
            TRIANGLE,
            "sqrt(5) u suffices: Brent, Percival and Zimmermann 2007, theorem 1",
        ),
        claims=separate,
    ),
    Lemma(
        name="complex-step",
        statement="x + z w is off by at most sqrt(2) ((1+u)^3 - 1) |z w| + ((1+u)^2 - 1) |x| for "
                  "every contraction: whichever products and sums a compiler fuses.",
        source="docs/theorem.md; reference/arithmetic/operations.py",
        role="beta and c of a complex step that may be contracted, the default",
        N="one complex step, any precision, any rounding with |d| <= u; no underflow",
        method=SIGNS,
        cited=(
            "rounding-circuit: a component is a sum of two products and the addend, a <= 2 sums "
            "around each product",
            "(|ac| + |bd|)^2 + (|ad| + |bc|)^2 <= 2 |zw|^2 bounds the modulus of both components",
            TRIANGLE,
        ),
        claims=any_contraction,
    ),
)

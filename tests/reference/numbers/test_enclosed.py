"""Enclosures: the exact number is inside, the radius is 0 where nothing was dropped and tiny elsewhere, and no term is idle."""

import re
from fractions import Fraction
from functools import partial
from itertools import product
from pathlib import Path

import flint
import numba
import numpy as np
import pytest
from editing import edited
from thresholds import FLOAT64

from scanproof.reference.allowance import elements as allowance_namespace
from scanproof.reference.arithmetic.operations import TINY
from scanproof.reference.numbers import compiled_enclosures, contraction, exponential, namespace
from scanproof.reference.numbers.enclosed import (
    BITS,
    Complex,
    Enclosed,
    balls,
    exact,
    of_balls,
    scan,
)
from scanproof.reference.systems import lru, rotrnn

assert allowance_namespace  # lets namespace.of know enclosures

MAGNITUDES = {
    "ordinary": (-4, 4), "wide": (-300, 300), "subnormal": (-1074, -1000), "underflow": (-560, -480), "large": (1005, 1022),
}  # fmt: skip
SUBSCRIPTS = sorted({x for m in (lru, rotrnn) for x in re.findall(r'einsum\("([^"]+)"', Path(str(m.__file__)).read_text())})
SIZES = dict(zip("bdhmnstw", (2, 1, 2, 3, 3, 2, 3, 2), strict=True))
SHARP = Fraction(1, 2**98)  # of the sum of absolute values: 25 u^2 for a few terms


def fractions(x):
    """The middles of enclosures of real numbers, exactly."""
    return np.frompyfunc(lambda head, tail: Fraction(head) + Fraction(tail), 2, 1)(x.head, x.tail)


def errors(found, expected):
    """(|middle - exact number|, radius) of every enclosure whose radius is finite."""
    three = zip(*(np.ravel(x) for x in (fractions(found), expected, found.rad)), strict=True)
    return [(abs(middle - number), Fraction(rad)) for middle, number, rad in three if np.isfinite(rad)]


def missed(found, expected):
    """Number of exact numbers that are not inside."""
    assert found.shape == np.shape(expected)
    return sum(error > rad for error, rad in errors(found, expected))


def worst(found, expected, size):
    """The same; asserts that finite radii are sharp: SHARP size, and underflow."""
    for rad, most in zip(np.ravel(found.rad), np.ravel(np.broadcast_to(size, found.shape)), strict=True):
        assert not np.isfinite(rad) or Fraction(rad) <= SHARP * most + 500 * Fraction(TINY)
    return missed(found, expected)


def numbers(rng, shape, magnitude):
    """Random signs, binades and bits; a fifth of them 0, another small integers or powers of two."""
    low, high = MAGNITUDES[magnitude]
    x = np.ldexp(rng.choice([-1, 1], shape) * rng.uniform(0.5, 1, shape), rng.integers(low, high, shape))
    short = np.ldexp(rng.integers(-3, 4, shape) + 0.0, rng.integers(low, high - 2, shape))
    return np.where(rng.random(shape) < 0.2, 0, np.where(rng.random(shape) < 0.3, short, x))


def draw(rng, shape, magnitude="ordinary", tails=True, rad=False):
    """Enclosures: heads with tails, and with radii whose number sits anywhere inside; and that number."""
    head = numbers(rng, shape, magnitude)
    tail = head * 2.0**-53 * rng.uniform(-0.9, 0.9, shape) * tails * (rng.random(shape) < 0.7)
    x = Enclosed(head, tail, np.abs(head) * 2.0**-60 * rng.random(shape) * (rng.random(shape) < 0.7) if rad else 0 * head)
    at = np.frompyfunc(lambda r, where: Fraction(r) * where, 2, 1)(x.rad, rng.choice([-1, 0, 1], shape))
    return x, fractions(x) + at


# ---------------------------------------------------------------- sums and products


@pytest.mark.parametrize(("one", "two"), list(product(MAGNITUDES, repeat=2)))
def test_sums_and_products_of_real_numbers(one, two):
    rng = np.random.default_rng(0)
    (x, a), (y, b) = draw(rng, (3, 1, 40), one), draw(rng, (2, 40), two)  # broadcast
    assert worst(x + y, a + b, abs(a) + abs(b)) == 0
    assert worst(x - y, a - b, abs(a) + abs(b)) == 0
    assert worst(x * y, a * b, abs(a * b)) == 0
    assert worst(x * 3.0 + 1, a * 3 + 1, abs(a) * 3 + 1) == 0


def test_radii_are_passed_on():
    rng, strict = np.random.default_rng(1), 0
    for i in range(20):
        magnitude = list(MAGNITUDES)[i % 5]
        (x, a), (y, b) = (draw(rng, (60,), magnitude, rad=True) for _ in range(2))
        for found, expected in ((x + y, a + b), (x * y, a * b), (x.einsum("t,t->", y), (a * b).sum())):
            assert missed(found, expected) == 0
            strict += sum(error > rad * 9 / 10 > 0 for error, rad in errors(found, expected))
    assert strict > 100  # the numbers at the ends of their intervals need all of it


@pytest.mark.parametrize("subscripts", SUBSCRIPTS)
@pytest.mark.parametrize("magnitude", MAGNITUDES)
def test_sums_of_products(subscripts, magnitude):
    rng, form = np.random.default_rng(2), contraction.form(subscripts)
    (x, a), (y, b) = (draw(rng, [SIZES[letter] for letter in letters], magnitude) for letters in (form.first, form.second))
    expected, size = (contraction.einsum(subscripts, *pair) for pair in ((a, b), (abs(a), abs(b))))
    assert worst(np.einsum(subscripts, x, y), expected, size) == 0
    v, d = draw(rng, y.shape, magnitude)
    found = x.einsum(subscripts, Complex(y, v))
    other, most = (contraction.einsum(subscripts, *pair) for pair in ((a, d), (abs(a), abs(d))))
    assert worst(found.re, expected, size) + worst(found.im, other, most) == 0


def test_einsum_is_that_of_numpy():
    rng = np.random.default_rng(3)
    assert len(SUBSCRIPTS) >= 15
    for subscripts in SUBSCRIPTS:
        form = contraction.form(subscripts)
        x, y = (rng.integers(-9, 9, [SIZES[letter] for letter in letters]) + 0.0 for letters in (form.first, form.second))
        found, expected = exact(x).einsum(subscripts, exact(y)), np.einsum(subscripts, x, y)
        assert (found.head == expected).all()
        assert not found.tail.any()
        assert not found.rad.any()


@pytest.mark.parametrize("axis", [0, 1, 2, -1, (0, 1), (0, 2), (2, -3), (0, 1, 2)])
def test_sums_over_axes(axis):
    x, a = draw(np.random.default_rng(4), (3, 4, 5), "wide")
    places = (axis,) if isinstance(axis, int) else axis
    assert worst(x.sum(axis), np.asarray(a.sum(axis)), np.asarray(abs(a).sum(axis))) == 0
    assert x.sum(axis).shape == np.zeros((3, 4, 5)).sum(places).shape


@pytest.mark.parametrize("magnitude", ["ordinary", "wide", "underflow"])
def test_complex_numbers(magnitude):
    rng = np.random.default_rng(5)
    parts = [draw(rng, (4, 5), magnitude) for _ in range(4)]
    (x, a), (y, b), (z, c), (w, d) = parts
    one, two, size = Complex(x, y), Complex(z, w), abs(a) + abs(b) + abs(c) + abs(d)
    large = (abs(a) + abs(b)) * (abs(c) + abs(d))
    for found, re_, im_, most in (
        (one + two, a + c, b + d, size), (one - two, a - c, b - d, size), (one * two, a * c - b * d, a * d + b * c, large),
        (one * z, a * c, b * c, large), (z * one, a * c, b * c, large), (z + one, a + c, b, size), (one.conj(), a, -b, size),
    ):  # fmt: skip
        assert worst(found.re, re_, most) + worst(found.im, im_, most) == 0
    found = one @ two.T
    expected, most = (a @ c.T - b @ d.T, a @ d.T + b @ c.T), (abs(a) + abs(b)) @ (abs(c) + abs(d)).T
    assert worst(found.re, expected[0], most) + worst(found.im, expected[1], most) == 0
    for modulus, square in zip(one.size().flat, (a * a + b * b).flat, strict=True):
        assert Fraction(modulus) ** 2 >= square
        assert Fraction(modulus * (1 - FLOAT64)) ** 2 <= square + Fraction(TINY)


def test_what_fits_is_exact():
    rng = np.random.default_rng(6)
    x, y = (rng.integers(-50, 50, (7, 7)) * 2.0 ** rng.integers(-3, 3) for _ in range(2))
    for found, expected in ((exact(x) @ exact(y), x @ y), (exact(x) * exact(y), x * y), (exact(x).sum(0), x.sum(0))):
        assert (found.head == expected).all()
        assert not found.tail.any()
        assert not found.rad.any()
    subnormal = exact(np.full((2, 2), 5e-324))
    assert not (subnormal * exact(np.ones((2, 2)))).rad.any()
    assert not (subnormal + subnormal).rad.any()
    assert not (subnormal * exact(np.zeros((2, 2)))).size().any()
    h = scan(exact(np.array([1j, -1, 0])), exact(np.rint(rng.normal(0, 9, (1, 50, 3))) + 0j), exact(np.zeros((1, 3)) + 0j))
    assert not h.truth().rad.any()


def test_power_of_two_is_where_products_are_exact():
    x = exact(np.array([0, 1, -0.5, 2.0**-1074, 3, 0.75, 1 + 2.0**-52]))
    assert x.power_of_two().tolist() == [True] * 4 + [False] * 3
    assert not Enclosed(np.ones(1), np.full(1, 2.0**-60), np.zeros(1)).power_of_two()
    assert not Enclosed(np.ones(1), np.zeros(1), np.full(1, TINY)).power_of_two()
    assert exact(np.array([1j, 2, 1 + 1j, 0, 3j])).power_of_two().tolist() == [True, True, False, True, False]


@pytest.mark.parametrize("operate", [lambda x, y: x * y, lambda x, y: x + y, lambda x, y: x.einsum("t,t->", y)])
def test_overflow_is_an_infinite_radius(operate):
    large = exact(np.full(3, 1e308))
    found = operate(large, large)
    assert np.isinf(found.rad).all()
    assert not np.any(found.head)
    again = operate(found, exact(np.ones(found.shape))) if found.ndim else found * 1.0
    assert np.isinf(again.rad).all()
    assert not (found * 0.0).rad.any()  # zero times an unknown number is zero


# ---------------------------------------------------------------- through balls


def inside(found, enclosing):
    """Whether balls lie inside of enclosures, up to the balls' own radii; and the enclosures are sharp."""
    for x, y in zip(balls(found).flat, enclosing.flat, strict=True):
        if not (x.overlaps(y) and y.rad() < 2 * abs(y) * flint.arb(2) ** -200 + flint.arb(2) ** -1073):
            return False
        if not x.rad() <= abs(y) * flint.arb(2) ** -98 + 2 * TINY:
            return False
    return True


ARGUMENTS = {
    "exp": [0.0, 1.0, -1e-300, -700.0, 5e-324, 300.5], "expm1": [0.0, 1e-20, -40.0, 1e-310, 0.3],
    "log": [1.0, 1e-320, 1e300, 0.7], "cos": [0.0, 1e22, 3.14159, 1e-200], "sin": [0.0, 1e22, 3.14159, 1e-200],
    "sqrt": [0.0, 4.0, 2.0, 5e-324, 1e308],
}  # fmt: skip


@pytest.mark.parametrize("name", ARGUMENTS)
def test_elementary_functions(name):
    x = exact(np.array(ARGUMENTS[name]))
    found = getattr(namespace.of(x), name)(x)
    with flint.ctx.workprec(2 * BITS):
        assert inside(found, getattr(np, name)(balls(x)))
        lifted = namespace.balls().lift(np.array(ARGUMENTS[name]))
        assert all(a.overlaps(b) for a, b in zip(balls(found), getattr(np, name)(lifted), strict=True))
        assert not inside(found, getattr(np, name)(lifted * (1 + flint.arb(2) ** -40) + flint.arb(2) ** -60))


def test_exact_values_of_functions_have_no_radius():
    zero = exact(np.zeros(2))
    xp = namespace.of(zero)
    for found, value in ((xp.exp(zero), 1), (xp.cos(zero), 1), (xp.sin(zero), 0), (xp.sqrt(exact(np.full(2, 4.0))), 2)):
        assert (found == value).all()
    assert (xp.expm(exact(np.zeros((1, 2, 2)))) == np.eye(2)).all()


def test_division():
    rng = np.random.default_rng(7)
    (x, a), (y, b) = draw(rng, (50,), "wide"), draw(rng, (50,), "ordinary")
    y, b = y + 40.0, b + 40
    assert worst(x / y, a / b, abs(a / b) * 4) == 0
    assert worst(2 * x / 4.0, a / 2, abs(a)) == 0
    assert np.isinf((x / 0.0).rad[x.head != 0]).all()


def test_functions_of_matrices():
    rng = np.random.default_rng(8)
    M = rng.standard_normal((2, 4, 4))
    S, G = exact(M - M.swapaxes(1, 2)), exact(rng.standard_normal((2, 4, 4)))
    with flint.ctx.workprec(2 * BITS):
        P, L = exponential.ball_expm(balls(S)), exponential.ball_frechet(balls(S), balls(G))
        assert inside(namespace.of(S).expm(S), P)
        assert inside(namespace.of(S).frechet(S, G), L)


def test_balls_and_back():
    x, a = draw(np.random.default_rng(9), (300,), "wide", rad=True)
    again = of_balls(balls(x))
    with flint.ctx.workprec(BITS):
        for ball, number in zip(balls(x), a, strict=True):
            assert ball.contains(flint.arb(number.numerator) / number.denominator)  # the denominator is a power of two
    assert missed(again, a) == 0
    assert np.isinf(of_balls(np.array([flint.arb("nan"), flint.arb(2) ** 2000])).rad).all()


# ---------------------------------------------------------------- scans


@pytest.mark.parametrize("reverse", [False, True])
def test_scans_of_discs(reverse):
    """Discs: every number of lam, b and h0 within its radius; the state is inside, by rational arithmetic."""
    rng = np.random.default_rng(10)
    for magnitude in ("ordinary", "underflow", "wide"):
        pairs = [[draw(rng, shape, magnitude, rad=True) for _ in range(2)] for shape in ((3,), (2, 7, 3), (2, 3))]
        lam, b, h0 = (Complex(*(x for x, _ in pair)) for pair in pairs)
        found = scan(lam, b, h0, reverse)
        exact_lam, exact_b, state = ([a for _, a in pair] for pair in pairs)
        for t in reversed(range(7)) if reverse else range(7):
            state = [exact_lam[0] * state[0] - exact_lam[1] * state[1] + exact_b[0][:, t],
                     exact_lam[0] * state[1] + exact_lam[1] * state[0] + exact_b[1][:, t]]  # fmt: skip
            components = [errors(x[:, t], s) for x, s in zip(found.parts, state, strict=True)]
            assert all(re**2 + im**2 <= rad**2 for (re, rad), (im, _) in zip(*components, strict=True))
            assert len(components[0]) > 2


# ---------------------------------------------------------------- no term is idle


def weaker(monkeypatch, old, new, functions):
    """The compiled code with a text of its source replaced."""
    monkeypatch.setattr(numba, "njit", partial(uncached, numba.njit))
    names = edited(compiled_enclosures, (old, new))
    for name in functions:
        monkeypatch.setattr(compiled_enclosures, name, names[name])


def uncached(njit, cache=False, **options):
    """Code without a file has no place for machine code."""
    return njit(**options)


TERMS = [
    ("+ abs(rest_1)", "", "ordinary"),
    ("+ abs(rest_2)", "", "ordinary"),
    ("abs(rest_2) + abs(dropped) + abs(dropped_too)", "abs(rest_2)", "ordinary"),
    ("lost = missed + missed_1", "lost = missed_1", "underflow"),
    ("(tails * UP + TINY if (a_tail != 0) & (b_tail != 0) else 0.0)", "0.0", "ordinary"),
    ("head, tail, abs(dropped) + abs(dropped_too)", "head, tail, 0.0", "ordinary"),
    ("abs(a) * b_rad if one", "0.0 if one", "radius"),
    ("(abs(b) + b_rad) * a_rad if two", "0.0 if two", "radius"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("old", "new", "where"), TERMS)
def test_every_term_of_the_radius_is_needed(monkeypatch, old, new, where):
    rng = np.random.default_rng(11)
    pairs = [draw(rng, (400,), "ordinary" if where == "radius" else where, rad=where == "radius") for _ in range(2)]
    (x, a), (y, b) = pairs

    def missing():
        return missed(x * y, a * b) + missed(x + y, a + b)

    assert missing() == 0
    weaker(monkeypatch, old, new, ("multiply", "add"))
    assert missing() > 0


@pytest.mark.slow
def test_the_sum_of_products_needs_its_terms_too(monkeypatch):
    rng = np.random.default_rng(12)
    (x, a), (y, b) = (draw(rng, (30, 12), "ordinary") for _ in range(2))

    def missing():
        return missed(x.einsum("nt,nt->n", y), (a * b).sum(1))

    assert missing() == 0
    weaker(monkeypatch, "lost = (lost + dropped + dropped_too) * UP", "lost = dropped", ("contract",))
    assert missing() > 0

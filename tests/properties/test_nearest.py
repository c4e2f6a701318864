"""Correct rounding, against rational numbers: rounding by integers, written here independently of floats and bit patterns."""

from fractions import Fraction
from functools import cache
from itertools import islice
from math import floor, inf, isinf, isnan, nan

import ml_dtypes
import numpy as np
import pytest
from calls import case
from scans import exact as exact_states

from scanproof.properties.nearest import BLOCK, correctly_rounded
from scanproof.properties.systems.scan import SIZES
from scanproof.reference.allowance.scans import inputs_of
from scanproof.reference.truth.enclosure import Truth
from scanproof.reference.truth.exact import exact

FORMATS = {  # significand bits, exponents of the smallest and of the largest normal numbers
    "float16": (11, -14, 15),
    "bfloat16": (8, -126, 127),
    "float32": (24, -126, 127),
    "float64": (53, -1022, 1023),
}
COMPLEX = {"complex64": "float32", "complex128": "float64"}
TINY, LARGEST = 2.0**-1074, Fraction(np.finfo(float).max)


# ---------------------------------------------------------------- the oracle
def power(e):
    return Fraction(2) ** e


def exponent(x):
    """floor(log2 |x|)."""
    e = abs(x.numerator).bit_length() - x.denominator.bit_length()
    return e if abs(x) >= power(e) else e - 1


@cache  # a table asks for every truth many times
def rounded(x, name, away=False):
    """RN(x): a Fraction, or a float infinity. Ties to even, or away from zero."""
    bits, lowest, highest = FORMATS[name]
    if x < 0:
        return -rounded(-x, name, away)
    quantum = power(max(exponent(x) if x else lowest, lowest) - bits + 1)
    n = floor(x / quantum)
    rest = x / quantum - n
    n += rest > Fraction(1, 2) or (rest == Fraction(1, 2) and (away or n % 2 == 1))
    return inf if n * quantum >= power(highest + 1) else n * quantum


def equal(got, value):
    """Whether a float equals a Fraction or an infinity."""
    return not isnan(got) and (got == value if isinf(got) or isinstance(value, float) else Fraction(got) == value)


def verdict(got, x, rad, name):
    """(correct, undetermined) of a truth in [x - rad, x + rad]: rounding is monotonic, so the two ends tell."""
    low, high = rounded(x - rad, name), rounded(x + rad, name)
    correct = equal(got, low) and equal(got, high)
    return correct, not isnan(got) and not correct and low <= got <= high


def test_the_oracle_rounds_as_the_machine_does():
    """float() of a Fraction, and NumPy's conversions from float64, are two more independent roundings."""
    rng = np.random.default_rng(1)
    for _ in range(2000):
        x = Fraction(int(rng.integers(-(2**62), 2**62))) * power(int(rng.integers(-1140, 900)))
        assert equal(float(x), rounded(x, "float64"))
        y = float(np.float64(rng.standard_normal()) * 2.0 ** rng.integers(-160, 126))
        with np.errstate(over="ignore", under="ignore"):
            assert equal(float(np.float32(y)), rounded(Fraction(y), "float32"))
            assert equal(float(np.float16(y)), rounded(Fraction(y), "float16"))


# ---------------------------------------------------------------- truths around the edges of rounding cells
def patterns(name, rng):
    """Bit patterns k >= 0 whose edge to k + 1 is tried: zero, subnormals, powers of two, the largest number, anything."""
    bits, lowest, highest = FORMATS[name]
    binade = 2 ** (bits - 1)
    powers = [binade * int(e) for e in (1, 2, 3, *rng.integers(1, highest - lowest + 2, 6), highest - lowest + 1)]
    largest = binade * (highest - lowest + 2) - 1
    chosen = [0, 1, 2, 3, largest - 2, largest - 1, largest, *rng.integers(0, largest, 12), *rng.integers(0, binade, 4)]
    return sorted({int(k) for k in chosen} | {k + j for k in powers for j in (-2, -1, 0, 1)})


def value(k, name):
    """Value of a bit pattern k without a sign, by the definition of the format; the largest number's successor for inf."""
    bits, lowest, _ = FORMATS[name]
    field, fraction = divmod(k, 2 ** (bits - 1))
    return (fraction + (2 ** (bits - 1) if field else 0)) * power(lowest - bits + max(field, 1))


def parts(x):
    """head, tail of a rational number, and the number that they are."""
    try:
        head = float(x)
    except OverflowError:
        head = float(LARGEST) if x > 0 else -float(LARGEST)
    tail = float(x - Fraction(head))
    return head, tail, Fraction(head) + Fraction(tail)


def truths(name, rng):
    """(k, head, tail, x, distance to the edge): truths at, and at many distances from, the edge between k and k + 1."""
    for k in patterns(name, rng):
        gap = value(k + 1, name) - value(k, name)
        edge = value(k, name) + gap / 2
        for shift in (0, *(power(-j) for j in (1, 2, 3, 20, 51, 52, 53, 54, 55, 60, 90)), Fraction(float(rng.random()))):
            for sign in (1, -1):
                head, tail, x = parts(edge + sign * shift * gap)
                yield k, head, tail, x, abs(x - edge)


def results(k, name):
    """Floats around the edge between k and k + 1, and what is never right."""
    _, _, highest = FORMATS[name]
    near = [value(max(j, 0), name) for j in (k - 1, k, k + 1, k + 2)]
    floats = [inf if v >= power(highest + 1) else float(v) for v in near]
    return [*floats, -floats[1], nan]


def table(name, rng, radii=lambda distance: [0.0], every=1):
    """Columns got, head, tail, rad, x: every truth (or one in so many) of every sign with every result."""
    rows = []
    for k, head, tail, x, distance in islice(truths(name, rng), None, None, every):
        for rad in radii(distance):
            rows += [(s * got, s * head, s * tail, rad, s * x) for got in results(k, name) for s in (1, -1)]
    got, head, tail, rad, x = zip(*rows, strict=True)
    with np.errstate(invalid="ignore"):
        column = np.array(got).astype(name)
    assert np.array_equal(column.astype(float), got, equal_nan=True)  # results are floats of the format
    return column, Truth(*map(np.array, (head, tail, rad))), x


def exact_answers(got, x, name, away=False):
    return np.array([equal(float(g), rounded(v, name, away)) for g, v in zip(got, x, strict=True)])


@pytest.mark.parametrize("name", FORMATS)
def test_exact_truths_are_decided_as_rational_numbers_are(name):
    got, truth, x = table(name, np.random.default_rng(2))
    result = correctly_rounded(got, truth)
    expected = exact_answers(got, x, name)
    assert np.array_equal(result.correct, expected)
    assert not result.undetermined.any()
    assert expected.any()
    # the table can tell: other rules would answer differently
    ties_away = exact_answers(got, x, name, away=True)
    head_only = exact_answers(got, [Fraction(h) for h in truth.head], name)
    assert (ties_away & ~expected).any()
    assert (expected & ~ties_away).any()
    assert (head_only != expected).any()


@pytest.mark.parametrize("name", FORMATS)
def test_a_radius_is_undetermined_only_where_it_meets_an_edge(name):
    """Sound for every radius; and sharp: a radius larger by a factor 1 + 2^-47 explains every undetermined element."""
    factors = (0.5, 1 - 2.0**-44, 1.0, 1 + 2.0**-44, 3.0)

    def radii(distance):
        size = min(float(distance), 1e300)
        return [TINY, *(f * size for f in factors)]

    rng = np.random.default_rng(3)
    got, truth, x = table(name, rng, radii, every=7)
    result = correctly_rounded(got, truth)
    seen = set()
    for i in rng.permutation(len(x))[:8000]:
        found, rad = (bool(result.correct[i]), bool(result.undetermined[i])), Fraction(truth.rad[i])
        sharp, wide = rad, rad * (1 + power(-47) if truth.rad[i] > 2.0**-1020 else 1)  # subnormal radii: exactly
        assert any(found == verdict(float(got[i]), x[i], radius, name) for radius in (sharp, wide))
        seen.add(found)
    assert seen == {(True, False), (False, True), (False, False)}


@pytest.mark.parametrize("name", COMPLEX)
def test_a_complex_element_needs_both_components(name):
    component, rng = COMPLEX[name], np.random.default_rng(4)
    got, truth, x = table(component, rng)
    other = rng.permutation(len(x))
    z = np.empty(len(x), name)
    z.real, z.imag = got, got[other]
    head, tail = np.empty(len(x), complex), np.empty(len(x), complex)
    head.real, head.imag, tail.real, tail.imag = truth.head, truth.head[other], truth.tail, truth.tail[other]
    right = exact_answers(got, x, component)
    result = correctly_rounded(z, Truth(head, tail, truth.rad))
    assert np.array_equal(result.correct, right & right[other])
    assert not result.undetermined.any()
    assert len({*zip(right.tolist(), right[other].tolist(), strict=True)}) == 4


# ---------------------------------------------------------------- by hand
ULP = 2.0**-23
MAX32, MAX64 = float(np.finfo(np.float32).max), float(LARGEST)
EXACTLY = [  # format, got, head, tail, correct
    ("float32", 0.0, 0.0, 0.0, True),
    ("float32", -0.0, 0.0, 0.0, True),
    ("float64", -0.0, 0.0, 0.0, True),
    ("float64", TINY, 0.0, 0.0, False),
    ("float64", 0.0, TINY, 0.0, False),
    ("float32", -0.0, 2.0**-150, 0.0, True),  # half the smallest subnormal is a tie, and zero is even
    ("float32", 2.0**-149, 2.0**-150, 0.0, False),
    ("float32", 2.0**-149, 2.0**-150, 2.0**-203, True),
    ("float32", 0.0, 2.0**-150, 2.0**-203, False),
    ("float32", 2.0**-149, 2.0**-150 - 2.0**-203, 0.0, False),  # head - got would round to the tie
    ("float32", 2.0**-148, 3 * 2.0**-150, 0.0, True),  # tie between 1 and 2 units
    ("float32", 1.0, 1 + ULP / 2, 0.0, True),  # ties of both parities
    ("float32", 1 + 2 * ULP, 1 + 1.5 * ULP, 0.0, True),
    ("float32", 1 + ULP, 1 + 1.5 * ULP, 0.0, False),
    ("float32", 1.0, 1 - ULP / 4, 0.0, True),  # the cell of a power of two is narrower below
    ("float32", 1.0, 1 - ULP / 4, -TINY, False),
    ("float32", 1.0, 1 + ULP / 2, TINY, False),
    ("float32", inf, MAX32 + 2.0**103, 0.0, True),  # the overflow threshold is a tie, and inf is even
    ("float32", MAX32, MAX32 + 2.0**103, 0.0, False),
    ("float32", MAX32, MAX32 + 2.0**103, -TINY, True),
    ("float32", inf, -1e300, 0.0, False),
    ("float64", inf, MAX64, 2.0**970, True),
    ("float64", MAX64, MAX64, 2.0**970 - 2.0**917, True),
    ("float64", -MAX64, MAX64, 0.0, False),
    ("float64", 1.0, 1.0, 2.0**-53, True),
    ("float64", 1.0, 1 + 2.0**-52, -(2.0**-53), True),  # the same tie from the other side
    ("float64", 1.0, 1.0, -(2.0**-54), True),
    ("float64", 1.0, 1.0, -(2.0**-54) - 2.0**-106, False),
    ("float64", nan, 1.0, 0.0, False),
    ("float64", nan, 0.0, 0.0, False),
]


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("name", "got", "head", "tail", "correct"), EXACTLY)
def test_single_elements(name, got, head, tail, correct, sign):
    result = correctly_rounded(np.array([sign * got]).astype(name), Truth(*(np.array([sign * x]) for x in (head, tail, 0.0))))
    assert result.correct[0] == correct


@pytest.mark.parametrize("name", [*FORMATS, *COMPLEX])
@pytest.mark.parametrize("head", [0.0, 1.0, -1e300, inf, -inf])
@pytest.mark.parametrize("got", [0.0, 1.0, inf, -inf, nan])
def test_an_infinite_radius_decides_nothing_but_nan(name, head, got):
    truth = Truth(np.array([head], complex if name in COMPLEX else float), np.zeros(1, complex if name in COMPLEX else float),
                  np.array([inf]))  # fmt: skip
    result = correctly_rounded(np.array([got]).astype(name), truth)
    assert not result.correct[0]
    assert result.undetermined[0] == (not isnan(got))


@pytest.mark.parametrize(("shrink", "correct"), [(0.0, False), (2.0**-40, True)])
def test_the_rounding_of_the_distance_itself_counts(shrink, correct):
    """The truth reaches beyond the edge by 2^-80, which the float64 distance 2^-24 does not show."""
    truth = Truth(np.array([1.5]), np.array([2.0**-80]), np.array([2.0**-24 * (1 - shrink)]))
    result = correctly_rounded(np.array([1.5], np.float32), truth)
    assert (result.correct[0], result.undetermined[0]) == (correct, not correct)


def test_one_component_certainly_wrong_is_enough():
    truth = Truth(np.array([1 + 2.0**-24 + 5j]), np.zeros(1, complex), np.array([1e-20]))
    both = np.array([1 + 5j, 1 + 6j], np.complex64)
    assert [bool(correctly_rounded(both[i : i + 1], truth).undetermined[0]) for i in (0, 1)] == [True, False]


def test_a_conversion_that_rounds_twice_is_seen():
    """float64 to bfloat16 by way of float32: just below a tie, the first rounding makes it one."""
    head = np.array([1 + 2.0**-7 + 2.0**-8 - 2.0**-40])
    once, twice = (np.array([1 + n * 2.0**-7]).astype(ml_dtypes.bfloat16) for n in (1, 2))
    assert head.astype(np.float32).astype(ml_dtypes.bfloat16) == twice
    answers = [correctly_rounded(got, Truth(head, 0 * head, 0 * head)).correct[0] for got in (once, twice)]
    assert answers == [True, False]


# ---------------------------------------------------------------- scans
def correctly_rounded_states(inputs, dtype):
    """Every state as the rational numbers of tests/scans.py, rounded by the oracle."""
    name = COMPLEX.get(dtype, dtype)
    out = np.zeros(inputs.b.shape, complex if dtype in COMPLEX else float)
    for index, h in np.ndenumerate(exact_states(inputs)):
        components = [float(rounded(Fraction(n, 2**h.s), name)) for n in (h.re, h.im)]
        out[index] = complex(*components) if dtype in COMPLEX else components[0]
    return out.astype(dtype)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", [*FORMATS, *COMPLEX])
def test_scans_rounded_once_are_correct_and_one_last_bit_is_not(dtype, size, reverse):
    draw = case("scan", dtype, {"time": 17}, seed=7, varying=reverse, lam="near 1", size=size)
    inputs = inputs_of(draw.started(draw.call()).but(reverse=reverse))
    truth, got = exact(inputs), correctly_rounded_states(inputs, dtype)
    good = correctly_rounded(got, truth)
    assert (good.correct | good.undetermined).all()
    if size != "subnormal" or dtype not in ("float64", "complex128"):  # there the enclosure is as wide as a float
        assert good.correct.all()
    for where in draw.rng.permutation(np.argwhere(good.correct))[:12]:
        place = tuple(where)
        bad = got.copy()
        component = bad.imag if dtype in COMPLEX and draw.rng.integers(2) else bad.real
        component.view(f"u{component.itemsize}")[place] ^= 1
        result = correctly_rounded(bad, truth)
        assert not result.correct[place]
        result.correct[place] = True
        assert np.array_equal(result.correct, good.correct)


# ---------------------------------------------------------------- arrays
def test_every_block_of_a_large_array_is_looked_at():
    x = np.random.default_rng(5).standard_normal((3, BLOCK // 2 + 1, 2))
    got = x.astype(np.float32)
    places = [0, BLOCK - 1, BLOCK, 2 * BLOCK, got.size - 1]
    got.reshape(-1)[places] += np.float32(1)
    result = correctly_rounded(got, Truth(x, 0 * x, 0 * x))
    assert result.correct.shape == result.undetermined.shape == x.shape
    assert np.flatnonzero(~result.correct).tolist() == places


def test_views_and_empty_arrays():
    x = np.random.default_rng(6).standard_normal((4, 5, 6))
    got = x.astype(np.float32)
    got[1, 2, 3] *= 2
    back = correctly_rounded(got[:, ::-1].T, Truth(*(a[:, ::-1].T for a in (x, 0 * x, 0 * x))))
    assert np.argwhere(~back.correct).tolist() == [[3, 2, 1]]
    empty = np.zeros((0, 3, 2))
    assert correctly_rounded(empty, Truth(empty, empty, empty)).correct.shape == (0, 3, 2)


@pytest.mark.parametrize(("got", "head", "error", "words"), [
    (np.zeros(2, int), np.zeros(2), TypeError, "found dtype int64, expected one of float16"),
    (np.zeros(2, ">f4"), np.zeros(2), TypeError, "native byte order"),
    (np.zeros(2), np.zeros(2, complex), TypeError, "expected both real or both complex"),
    (np.zeros(2, complex), np.zeros(2), TypeError, "expected both real or both complex"),
    (np.zeros((2, 1)), np.zeros((1, 2)), ValueError, r"found shape \(2, 1\), expected \(1, 2\)"),
])  # fmt: skip
def test_bad_input(got, head, error, words):
    with pytest.raises(error, match=f"^got: .*{words}"):
        correctly_rounded(got, Truth(head, head, np.zeros(head.shape)))

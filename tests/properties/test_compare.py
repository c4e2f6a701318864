"""The comparison of one element: enclosures of the error that hold, and exact decisions where they straddle the allowance."""

from fractions import Fraction
from math import inf, nan, nextafter

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scanproof.properties.compare import Comparison, compare, error_enclosure, error_squared, ratio
from scanproof.reference.allowance.certified import Certified, Norms
from scanproof.reference.inputs import Inputs
from scanproof.reference.truth import truth
from scanproof.reference.truth.enclosure import Truth
from scanproof.reference.truth.exact import exact_state

TICK = 2.0**-1074
EVERY = settings(max_examples=400, deadline=None)
floats = st.floats(allow_nan=False, allow_infinity=False)
near = st.floats(-4, 4) | st.sampled_from([0.0, -0.0, 1.0, -1.0, TICK, 3 * TICK, -5 * TICK, 2.0**-1022, 2.0**-970, 1.7e308])
numbers = floats | near
radii = st.sampled_from([0.0, TICK, 3 * TICK, 1e-300, 2.0**-60, 1.0]) | st.floats(0, 1e300)


def one(x):
    return np.full((1, 1, 1), x)


def exact_squared(q, head, tail):
    """|q - head - tail|^2 as a rational number."""
    parts = [(q.real, head.real, tail.real), (q.imag, head.imag, tail.imag)]
    return sum((Fraction(a) - Fraction(b) - Fraction(c)) ** 2 for a, b, c in parts)


def encloses(q, head, tail, rad):
    low, high = (float(end[0, 0, 0]) for end in error_enclosure(one(q), Truth(one(head), one(tail), one(rad))))
    assert 0 <= low <= high  # never empty
    error = exact_squared(q, head, tail)
    # the truth is within rad of head + tail, so the error may be anything in [e - rad, e + rad]: compare squares exactly
    if low > 0:
        assert (Fraction(low) + Fraction(rad)) ** 2 <= error
    assert high == inf or (high >= rad and (Fraction(high) - Fraction(rad)) ** 2 >= error)
    return low, high


# ---------------------------------------------------------------- the enclosure
@EVERY
@given(numbers, numbers, st.floats(-1, 1), radii)
@example(3 * TICK, TICK, 0.0, 0.0)
@example(1.7e308, -1.7e308, 0.0, 0.0)  # the difference overflows
@example(1.0, 1.0, 2.0**-60, 0.0)
@example(0.1, 0.1, 0.0, 0.0)
def test_real_errors_are_enclosed(q, head, share, rad):
    tail = share * float(np.spacing(abs(head))) / 2 if abs(head) < 1e308 else 0.0
    encloses(q, head, tail, rad)


@EVERY
@given(st.tuples(*[numbers] * 4), st.tuples(st.floats(-1, 1), st.floats(-1, 1)), radii)
@example((2 * TICK, 2 * TICK, 0.0, 0.0), (0.0, 0.0), 0.0)  # hypot of subnormals rounds to their grid
@example((TICK, TICK, 0.0, 0.0), (0.0, 0.0), 0.0)
@example((1.7e308, 1.7e308, -1.7e308, 0.0), (0.0, 0.0), 0.0)
@example((1.2711610061536464e308, 1.2711610061536466e308, 0.0, 0.0), (0.0, 0.0), 0.0)  # the modulus rounds to inf
def test_complex_errors_are_enclosed(parts, shares, rad):
    q, head = complex(*parts[:2]), complex(*parts[2:])
    tail = complex(*(s * float(np.spacing(min(abs(h), 1e307))) / 2 for s, h in zip(shares, parts[2:], strict=True)))
    encloses(q, head, tail, rad)


@EVERY
@given(numbers, st.integers(1, 40))
def test_a_result_close_to_the_truth_keeps_a_tight_enclosure(head, steps):
    """A comparison in the working precision would lose the digits that decide: the width is below 2^-40 of the error."""
    head = float(np.clip(head, -1e300, 1e300))
    q = head
    for _ in range(steps):
        q = nextafter(q, inf)
    low, high = encloses(q, head, 0.0, 0.0)
    assert Fraction(high) - Fraction(low) <= Fraction(high) / 2**40 + 2 * Fraction(TICK)


@pytest.mark.parametrize("kind", [np.float64, np.complex128])
@pytest.mark.parametrize("head", [0.0, 1.0, TICK, 1e308])
def test_an_exact_result_has_the_error_zero(head, kind):
    x = one(head).astype(kind)
    low, high = error_enclosure(x, Truth(x, 0 * x, one(0.0)))
    assert (low[0, 0, 0], high[0, 0, 0]) == (0, 0)


@pytest.mark.parametrize("q", [inf, -inf, nan])
def test_results_that_are_not_finite_have_no_upper_end(q):
    low, high = error_enclosure(one(q), Truth(one(1.0), one(0.0), one(0.0)))
    assert high[0, 0, 0] == inf
    assert low[0, 0, 0] >= 0  # not nan


# ---------------------------------------------------------------- the decision
CASE = Inputs(np.array([0.7]), np.full((1, 5, 1), 0.1))
EXACT = truth(CASE)


def certified(found, bounds, no_overflow=True, case=CASE):
    """What a theory would say; it can tell every state exactly."""
    return Certified(found, bounds, bounds, np.full(bounds.shape, no_overflow), exact=lambda index: exact_state(case, index))


def decide(got, bound, no_overflow=True, exact=EXACT):
    """Comparison of CASE's last state against `bound`; the other states are given an allowance of one."""
    states, bounds = EXACT.head.copy(), np.ones((1, 5, 1))
    states[0, 4, 0], bounds[0, 4, 0] = got, bound
    return compare(states, certified(exact, bounds, no_overflow))


def last(comparison):
    return "outside" if comparison.outside[0, 4, 0] else "undecided" if comparison.undecided[0, 4, 0] else "within"


def test_an_element_is_outside_above_its_allowance_and_within_below():
    head = float(EXACT.head[0, 4, 0])
    assert last(decide(head + 2.0**-40, 2.0**-41)) == "outside"
    assert last(decide(head + 2.0**-40, 2.0**-39)) == "within"


@pytest.mark.parametrize("blind", [0.0, 1e-10, 1.0, inf])
@pytest.mark.parametrize(("factor", "word"), [(1 - 2.0**-50, "outside"), (1 + 2.0**-50, "within")])
def test_what_straddles_is_decided_exactly(blind, factor, word):
    """Whatever the radius of the truth, the allowance next to the exact error decides."""
    got = float(EXACT.head[0, 4, 0]) + 2.0**-30
    error = error_squared(np.float64(got), *exact_state(CASE, (0, 4, 0)))
    bound = float(error) ** 0.5 * factor
    assert (error > Fraction(bound) ** 2) == (word == "outside")  # the test's own premise
    result = decide(got, bound, exact=EXACT._replace(rad=np.full((1, 5, 1), blind)))
    assert last(result) == word
    assert not result.undecided.any()


def test_equal_to_the_allowance_is_within():
    """h = 0.5 exactly, got 0.75, allowance 0.25: an error is outside only above."""
    case = Inputs(np.array([0.5]), np.array([[[1.0], [0.0]]]))
    for bound, outside in ((0.25, False), (nextafter(0.25, 0), True)):
        allowed = certified(truth(case), np.full((1, 2, 1), bound), case=case)
        result = compare(np.array([[[1.0], [0.75]]]), allowed)
        assert result.outside[0, 1, 0] == outside


@pytest.mark.parametrize("q", [inf, -inf, nan])
@pytest.mark.parametrize("bound", [0.0, 1.0])
def test_not_finite_is_outside_only_where_overflow_is_excluded(q, bound):
    certain, possible = decide(q, bound), decide(q, bound, no_overflow=False)
    assert last(certain) == "outside"
    assert last(possible) == "undecided"
    assert certain.error[0, 4, 0] == inf


def test_nothing_is_decided_without_an_allowance():
    for got in (0.0, 1e300, nan):
        assert last(decide(got, inf)) == "undecided"


def test_what_straddles_is_undecided_where_nothing_tells_it_exactly():
    """The radius of the truth is then all that is known."""
    head = float(EXACT.head[0, 4, 0])
    found = EXACT._replace(rad=np.full((1, 5, 1), 2.0**-30))
    for got, word in ((head + 2.0**-31, "undecided"), (head + 2.0**-28, "outside"), (head, "undecided")):
        states, bounds = EXACT.head.copy(), np.full((1, 5, 1), 2.0**-31)
        states[0, 4, 0] = got
        assert last(compare(states, Certified(found, bounds, bounds, True))) == word


@pytest.mark.parametrize(
    ("low", "high", "bound", "word"),
    [(2, 3, 1, "outside"), (1, 1, 1, "within"), (0, 1, 1, "within"), (0.5, 2, 1, "undecided"), (inf, inf, 1, "outside"),
     (2, 3, inf, "undecided"), (nan, nan, 1, "undecided")],
)  # fmt: skip
def test_matrices_are_judged_by_the_norms_of_their_errors(low, high, bound, word):
    """Outside needs the lower end above the allowance, within the upper end below it, whatever single entries are."""
    stack, got = np.full(1, float(bound)), np.full((1, 2, 2), 1e30)
    norms = Norms(np.full(1, float(low)), np.full(1, float(high)), np.zeros((1, 2)))
    exact = Certified(Truth(0 * got, 0 * got, 0 * got), stack, stack, True, norms=lambda got: norms)
    result = compare(got, exact)
    found = "outside" if result.outside[0] else "undecided" if result.undecided[0] else "within"
    assert (found, result.outside.shape, result.error.shape) == (word, (1,), (1,))


@pytest.mark.parametrize("dtype", ["float32", "complex64", "complex128"])
def test_exact_errors_of_every_dtype_and_direction(dtype):
    rng = np.random.default_rng(3)
    lam, b, h0 = (rng.integers(-9, 10, shape).astype(dtype) / np.dtype(dtype).type(8) for shape in ((2,), (2, 6, 2), (2, 2)))
    if dtype.startswith("complex"):
        lam = (lam * (1 + 2j)).astype(dtype)
    for reverse in (False, True):
        inputs = Inputs(lam, b, h0, reverse)
        state = fraction(h0[1, 0])
        for t in reversed(range(6)) if reverse else range(6):
            state = plus(times(fraction(lam[0]), state), fraction(b[1, t, 0]))
            if t == 2:
                expected = state
        got = np.zeros_like(b)
        got[1, 2, 0] = 0.375
        difference = plus(fraction(got[1, 2, 0]), times((Fraction(-1), Fraction(0)), expected))
        assert error_squared(got[1, 2, 0], *exact_state(inputs, (1, 2, 0))) == difference[0] ** 2 + difference[1] ** 2


def fraction(z):
    return Fraction(float(z.real)), Fraction(float(z.imag))


def plus(x, y):
    return x[0] + y[0], x[1] + y[1]


def times(x, y):
    return x[0] * y[0] - x[1] * y[1], x[0] * y[1] + x[1] * y[0]


def test_ratio_of_error_and_allowance():
    error, bound = np.array([0.0, 1.0, 1.0, nan, 0.0, 3.0]), np.array([0.0, 0.0, 4.0, 1.0, 2.0, inf])
    assert ratio(error, bound).tolist() == [0, inf, 0.25, inf, 0, 0]


def test_empty_arrays_compare_to_empty_arrays():
    empty = np.zeros((0, 3, 2))
    result = compare(empty, certified(Truth(empty, empty, empty), empty))
    assert isinstance(result, Comparison)
    assert all(x.shape == (0, 3, 2) for x in result)

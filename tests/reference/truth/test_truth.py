"""Truth: integers against fractions, discs against integers, and enclosures that contain but do not waste."""

from fractions import Fraction
from importlib import import_module
from types import SimpleNamespace

import flint
import numpy as np
import pytest
from scans import draw, dyadic, lift, problem
from scans import exact as exact_numbers
from thresholds import NEGLIGIBLE

from scanproof.reference.allowance.rounding import allowance
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.formats import DTYPES
from scanproof.reference.arithmetic.operations import TINY, UP
from scanproof.reference.inputs import Inputs
from scanproof.reference.transitions.diagonal import scan
from scanproof.reference.truth import EXACT_LANES, EXACT_STEPS, truth
from scanproof.reference.truth.double_double import double_double
from scanproof.reference.truth.exact import disc, exact, exact_state

MAGNITUDES = {"ordinary": (-6, 6), "wide": (-90, 90), "subnormal": (-149, -126)}
EXTREMES = np.array([0.0, -0.0, 5e-324, -1e-310, 1e-300, 1.5, -3.0, 1e300, 2.0**-1022, 1 - 2.0**-53])


def cases():
    """(name, inputs): every dtype, constant and varying lam, with and without h0 and reverse, over all magnitudes."""
    for i, dtype in enumerate(DTYPES):
        for name, (low, high) in MAGNITUDES.items():
            for varying in (False, True):
                rng = np.random.default_rng([i, varying, high + 200])
                wider = 7 if dtype in ("float64", "complex128") and name != "ordinary" else 1
                real = dtype.startswith("complex") and varying != (name == "wide")
                inputs = problem(
                    rng, Arithmetic(dtype), 0.9, (2, 30, 2), varying=varying, h0=name != "wide", zeros=0.2,
                    low=low * wider, high=high * wider, real_lam=real,
                )  # fmt: skip
                yield pytest.param(inputs, id=f"{dtype}-{name}-{'varying' if varying else 'constant'}{'-real-lam' * real}")
    rng = np.random.default_rng(0)
    b = rng.choice(EXTREMES[:-3], (1, 40, 4))
    yield pytest.param(Inputs(np.array([1e-300, 5e-324, 0.0, -1.0]), b, b[:, 0]), id="float64-extremes")
    yield pytest.param(Inputs(rng.choice(EXTREMES, (1, 4, 50)), rng.choice(EXTREMES, (1, 4, 50))), id="float64-extremes-varying")


def outside(h, enclosure, shrink=1):
    """Number of elements whose exact value is not in the ball of radius rad / shrink."""
    pairs = zip(h.flat, enclosure.head.flat, enclosure.tail.flat, enclosure.rad.flat, strict=True)
    return sum(not _contains(z, head, tail, float(rad), shrink) for z, head, tail, rad in pairs)


def intersect(one, other):
    """Whether two enclosures meet wherever both are known; heads differ by few units, so their differences are exact."""
    known = np.isfinite(one.rad) & np.isfinite(other.rad)
    gap = np.abs((one.head[known] - other.head[known]) + (one.tail[known] - other.tail[known]))
    return bool((gap <= (one.rad[known] + other.rad[known]) * UP).all())


def _contains(h, head, tail, rad, shrink):
    return rad == float("inf") or (h + -dyadic(head) + -dyadic(tail)).square() <= (Fraction(rad) / shrink) ** 2


@pytest.mark.parametrize("inputs", list(cases()))
def test_integers_and_discs_contain_the_truth(inputs):
    h = exact_numbers(inputs)
    by_integers, by_discs = exact(inputs), disc(inputs)
    assert outside(h, by_integers) == 0
    assert outside(h, by_discs) == 0
    assert intersect(by_integers, by_discs)
    assert np.isfinite(by_discs.rad).mean() > 0.5


@pytest.mark.parametrize("of", [exact, disc])
def test_a_smaller_radius_would_be_wrong(of):
    inputs = problem(np.random.default_rng(1), Arithmetic("float64"), 0.9, (1, 40, 3))
    assert outside(exact_numbers(inputs), of(inputs)) == 0
    assert outside(exact_numbers(inputs), of(inputs), shrink={exact: 2, disc: 2**20}[of]) > 0


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("varying", [False, True])
def test_integers_against_fractions_through_the_same_definition(varying, reverse):
    rng = np.random.default_rng(varying)
    lam, b = draw(rng, "float32", (2, 25, 3) if varying else (3,)), draw(rng, "float32", (2, 25, 3))
    h0 = draw(rng, "float32", (2, 3))
    h = scan(*(lift(x.astype(float), Fraction) for x in (lam, b, h0)), reverse)
    inputs, result = Inputs(lam, b, h0, reverse), exact(Inputs(lam, b, h0, reverse))
    nearest = np.frompyfunc(float, 1, 1)(h).astype(float)
    assert np.array_equal(result.head, nearest)
    assert np.array_equal(result.tail, np.frompyfunc(lambda x, y: float(x - Fraction(y)), 2, 1)(h, nearest).astype(float))
    assert all((dyadic(head) + -z).square() == (Fraction(head) - x) ** 2  # the tests' own exact numbers
               for x, z, head in zip(h.flat, exact_numbers(inputs).flat, nearest.flat, strict=True))  # fmt: skip


@pytest.mark.parametrize("sign", [1, -1])
def test_head_is_nearest_although_far_bits_decide(sign):
    inputs = Inputs(np.array([1.0]), sign * np.array([[[1.0], [2.0**-53], [2.0**-300]]]))
    assert exact(inputs).head[0, 2, 0] == sign * (1 + 2.0**-52)
    assert exact(inputs).head[0, 1, 0] == sign


def test_complex_products_of_the_tests_exact_numbers():
    assert (dyadic(1 + 2j) * dyadic(3 - 0.5j) + -dyadic(4 + 5.5j)).square() == 0
    assert (dyadic(1 + 2j) * dyadic(3 - 0.5j) + dyadic(0.25j)).square() == 16 + Fraction(23, 4) ** 2


@pytest.mark.parametrize("inputs", list(cases()))
def test_the_radius_is_negligible_beside_any_allowance(inputs):
    # Were it not, verdicts would depend on the reference's precision. Exact zeros have radius 0.
    bound = allowance(inputs, Arithmetic(inputs.b.dtype)).bound
    for enclosure in (exact(inputs), disc(inputs)):
        known = np.isfinite(enclosure.rad) & (enclosure.rad > 8 * TINY)
        assert (enclosure.rad <= bound * NEGLIGIBLE)[known].all()


@pytest.mark.parametrize("reverse", [False, True])
def test_exact_state(reverse):
    rng = np.random.default_rng(2)
    inputs = Inputs(draw(rng, "complex64", (2, 7, 2)), draw(rng, "complex64", (2, 7, 2)), draw(rng, "complex64", (2, 2)), reverse)
    h = exact_numbers(inputs)
    for index in np.ndindex(*h.shape):
        (re, im), s = exact_state(inputs, index)
        z = h[index]
        assert (Fraction(re, 2**s), Fraction(im, 2**s)) == (Fraction(z.re, 2**z.s), Fraction(z.im, 2**z.s))


@pytest.mark.parametrize("phase", [1, 1j])
def test_exact_lanes_of_5000_steps_have_radius_zero(phase):
    rng = np.random.default_rng(3)
    b = (rng.integers(-9, 10, (1, 5000, 4)) * phase).astype(np.complex128)
    lam = np.array([1, -1, 1j, 0])
    result = truth(Inputs(lam, b))
    assert not result.rad.any()
    assert not result.tail.any()
    assert np.array_equal(result.head, scan(lam, b))  # small integers: float64 is exact


def test_truth_changes_from_integers_to_double_doubles():
    steps, sequences = EXACT_STEPS, EXACT_LANES
    for shape, of in (((1, steps, sequences), exact), ((1, steps + 1, 1), double_double), ((2, 5, sequences), double_double)):
        inputs = problem(np.random.default_rng(4), Arithmetic("float32"), 0.999, shape)
        for mine, its in zip(truth(inputs), of(inputs), strict=True):
            assert np.array_equal(mine, its)
        assert intersect(truth(inputs), {exact: double_double, double_double: exact}[of](inputs))


def test_long_discs_against_integers():
    inputs = problem(np.random.default_rng(5), Arithmetic("complex64"), 1.0, (1, 1500, 1))
    by_integers, by_discs = exact(inputs), truth(inputs)
    assert intersect(by_integers, by_discs)
    assert (by_discs.rad <= allowance(inputs, Arithmetic("complex64")).bound * NEGLIGIBLE).all()


@pytest.mark.parametrize("of", [exact, disc])
def test_overflow_is_unknown_until_a_reset(of):
    lam, b = np.array([[[1e300], [1e300], [1e300], [0.0], [0.5]]]), np.array([[[1e300], [0.1], [0.1], [0.3], [0.1]]])
    assert of(Inputs(lam, b)).rad[0, :, 0].tolist() == [0, np.inf, np.inf, 0, 0]
    big = np.array([1.7e308 + 1.7e308j])
    assert of(Inputs(big, big.repeat(4).reshape(1, 4, 1))).rad[0, :, 0].tolist() == [0, np.inf, np.inf, np.inf]


@pytest.mark.parametrize("of", [exact, disc])
def test_growth_beyond_float64(of):
    rad = of(problem(np.random.default_rng(6), Arithmetic("float64"), 1.5, (1, 2500, 1))).rad
    assert np.isinf(rad).any()
    assert np.isfinite(rad).any()


@pytest.mark.parametrize("of", [exact, disc, truth])
@pytest.mark.parametrize("shape", [(1, 0, 2), (0, 3, 2), (0, 0, 2), (2, 3, 0)])
def test_empty_shapes(of, shape):
    zeros = np.zeros(shape)
    for inputs in (Inputs(np.zeros(shape[2:]), zeros), Inputs(zeros, zeros, np.zeros((shape[0], shape[2])))):
        assert [part.shape for part in of(inputs)] == [shape] * 3


def test_discs_leave_the_precision_of_flint_alone(monkeypatch):
    before = flint.ctx.prec
    disc(Inputs(np.array([0.5]), np.ones((1, 2, 1))))
    assert flint.ctx.prec == before
    broken = SimpleNamespace(arb=None, acb=None, ctx=flint.ctx)
    monkeypatch.setattr(import_module("scanproof.reference.truth.exact"), "flint", broken)
    with pytest.raises(TypeError):
        disc(Inputs(np.array([0.5]), np.ones((1, 2, 1))))
    assert flint.ctx.prec == before

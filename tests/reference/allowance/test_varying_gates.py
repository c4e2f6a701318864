"""Scans whose lam depends on time, as layers with gates have them: truth and allowance."""

import itertools
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from scans import OF_ORDER, Ieee, Machine, Soft, dyadic, exact, problem, states, worst

from scanproof.reference.allowance import elements
from scanproof.reference.allowance.bounded import Bounded
from scanproof.reference.allowance.operation_errors import operation_errors
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.formats import format_of
from scanproof.reference.arithmetic.operations import TINY
from scanproof.reference.inputs import Inputs
from scanproof.reference.numbers import enclosed
from scanproof.reference.transitions.diagonal import scan

FORMATS = {"float32": Ieee("float32"), "float16": Soft("float16"), "bfloat16": Soft("bfloat16")}
FLUSHES = {"gradual": ("",), "ftz": ("", "w"), "daz": ("w", "r", "rw")}
STEPS = ("separate", "fused")
OWN = 2.0**-46  # relative: what a bound adds for its own evaluation, ten roundings or so a step
SHARP = Fraction(1, 2**98)  # of the sum of absolute values, in every step: some 25 u^2


def gated(rng, dtype="float32", shape=(2, 12, 3), **more):
    """Inputs with a lam of its own at every step, some of them exactly 0, in either direction."""
    chosen = {"h0": bool(rng.integers(2)), "zeros": 0.5, **more}
    inputs = problem(rng, Arithmetic(dtype), 1.0, shape, varying=True, **chosen)
    sizes = rng.choice([0.3, 0.75, 1 - 2.0**-6, 1.0, 1.25], shape)  # each a number of every format
    return replace(inputs, lam=(inputs.lam * sizes.astype("float32")).astype(inputs.lam.dtype))


def wide(inputs):
    """In float64 where the format is simulated."""
    if inputs.b.dtype == np.float32:
        return inputs
    parts = (inputs.lam, inputs.b, inputs.h0)
    stored = (None if x is None else x.astype(float) for x in parts)
    return Inputs(*stored, inputs.reverse)


def certified(inputs, errors):
    """The states as an element of the allowance arithmetic."""
    lam, b, start = (Bounded.leaf(x, errors) for x in (inputs.lam, inputs.b, inputs.start))
    return elements.scan(lam, b, start, inputs.reverse)


def allowed(inputs, errors):
    return certified(inputs, errors).E * errors.inflation()


# ---------------------------------------------------------------- the truth


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize("binades", [(-3, 3), (-300, 200), (-1074, -1000)])
def test_enclosures_hold_the_exact_states_and_are_tight(dtype, binades):
    rng, inexact = np.random.default_rng(0), 0
    for _ in range(6):
        inputs = gated(rng, dtype, low=binades[0], high=binades[1])
        given = (enclosed.exact(x) for x in (inputs.lam, inputs.b, inputs.start))
        found = enclosed.scan(*given, inputs.reverse).truth()
        own = certified(inputs, operation_errors(Arithmetic(dtype), True)).v.truth()
        assert all(np.array_equal(*pair) for pair in zip(found, own, strict=True))
        sizes = scan(*(np.abs(x) for x in (inputs.lam, inputs.b, inputs.start)), inputs.reverse)
        for index, h in np.ndenumerate(exact(inputs)):
            assert distance(found, index, h) <= Fraction(found.rad[index]) ** 2
        bound = np.frompyfunc(lambda x: 12 * SHARP * Fraction(x) + 5000 * Fraction(TINY), 1, 1)
        assert (np.frompyfunc(Fraction, 1, 1)(found.rad) <= bound(sizes)).all()
        inexact += int((found.rad > 0).sum())
    assert inexact > 20  # else nothing was said of radii


def distance(found, index, h):
    """|head + tail - h|^2, exactly."""
    rest = dyadic(found.head[index]) + dyadic(found.tail[index]) + -h
    return rest.square()


def test_a_reset_forgets_what_overflowed():
    lam, b = np.full((1, 4, 1), 1e300), np.full((1, 4, 1), 1e300)
    lam[0, 3] = 0
    found = enclosed.scan(*(enclosed.exact(x) for x in (lam, b, b[:, 0])))
    assert np.isinf(found.rad[0, :3]).all()
    assert (found.head[0, 3], found.rad[0, 3]) == (1e300, 0)


# ---------------------------------------------------------------- honest programs


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # float16 overflows in some cases
@pytest.mark.parametrize("subnormals", FLUSHES)
@pytest.mark.parametrize("order", OF_ORDER)
@pytest.mark.parametrize("dtype", FORMATS)
def test_honest_programs_stay_within(dtype, order, subnormals):
    rng, compared, largest = np.random.default_rng(len(dtype)), 0, Fraction(0)
    declared = Arithmetic(dtype, order=order, subnormals=subnormals)
    smallest = int(np.log2(format_of(dtype).smallest_normal))
    programs = list(itertools.product(OF_ORDER[order], STEPS, FLUSHES[subnormals]))
    for trial in range(24):
        low, high = ((-2, 1), (smallest - 4, smallest + 4))[trial % 3 == 2]
        inputs = gated(rng, dtype, (2, (2, 5, 12)[trial % 3], 3), low=low, high=high)
        bracketing, step, flush = programs[rng.integers(len(programs))]
        got = states(bracketing, Machine(FORMATS[dtype], step, flush), wide(inputs))
        for materialized in (False, True):
            bound, finite = allowed(inputs, operation_errors(declared, materialized)), np.isfinite(got)
            ratio = worst(got[finite], exact(inputs)[finite], bound[finite])
            assert ratio <= 1, (bracketing, step, flush, inputs)
            compared, largest = compared + int(finite.sum()), max(largest, ratio)
    assert compared > 500
    assert largest > Fraction(1, 4)  # (error/allowance)^2: half of the allowance is not enough


def computed_gates(inputs, errors, error):
    """lam as a layer computes it: known up to an error."""
    lam = Bounded.leaf(inputs.lam, errors)
    return replace(lam, E0=np.where(inputs.lam != 0, error, 0.0), n=np.ones(lam.shape))


@pytest.mark.parametrize("order", ["any", "sequential"])
def test_gates_that_are_off_by_what_computing_them_costs(order):
    """exp of a logarithm is off by some units: every program reads another gate."""
    rng, largest, neglected = np.random.default_rng(3), Fraction(0), Fraction(0)
    for _ in range(20):
        inputs, errors = gated(rng), operation_errors(Arithmetic("float32", order=order), True)
        error = 4 * np.spacing(np.abs(inputs.lam).max())
        moved = inputs.lam + (inputs.lam != 0) * error * rng.choice([-1, 1], inputs.lam.shape)
        got = states(OF_ORDER[order][0], Machine(FORMATS["float32"]), replace(inputs, lam=moved))
        b, start = Bounded.leaf(inputs.b, errors), Bounded.leaf(inputs.start, errors)
        gates = computed_gates(inputs, errors, np.abs(moved.astype(float) - inputs.lam))
        bound = elements.scan(gates, b, start, inputs.reverse).E * errors.inflation()
        largest = max(largest, worst(got, exact(inputs), bound))
        neglected = max(neglected, worst(got, exact(inputs), allowed(inputs, errors)))
    assert Fraction(1, 16) < largest <= 1
    assert neglected > 1  # as if gates were given exactly


# ---------------------------------------------------------------- gates that do not vary; resets


@pytest.mark.parametrize("order", OF_ORDER)
@pytest.mark.parametrize("materialized", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_lam_that_does_not_change_is_a_constant_one(dtype, materialized, order):
    rng, declared = np.random.default_rng(4), Arithmetic(dtype, order=order, subnormals="daz")
    inputs = gated(rng, dtype, h0=True, zeros=0.0)
    lam = inputs.lam[0, 0], np.broadcast_to(inputs.lam[0, 0], inputs.b.shape).copy()
    errors = operation_errors(declared, materialized)
    constant, varying = (certified(replace(inputs, lam=x), errors) for x in lam)
    for part in ("X", "E0", "n", "product_bound", "underflow_error", "E"):
        assert np.array_equal(getattr(constant, part), getattr(varying, part)), part
    for one, other in zip(constant.v.parts, varying.v.parts, strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("reverse", [False, True])
def test_after_a_reset_nothing_is_left_of_what_was_before(reverse):
    rng, errors = np.random.default_rng(5), operation_errors(Arithmetic("float32"), True)
    inputs = replace(gated(rng, shape=(1, 9, 2), h0=True, zeros=0.0), reverse=reverse)
    lam = inputs.lam.copy()
    lam[:, 4] = 0
    whole = certified(replace(inputs, lam=lam), errors)
    kept = slice(None, 5) if reverse else slice(4, None)
    alone = replace(inputs, lam=lam[:, kept], b=inputs.b[:, kept], h0=None)
    tail, at = certified(alone, errors), 4
    assert (whole.E[:, at] == 0).all()  # 0 h + b is b
    assert np.array_equal(whole.v.head[:, kept], tail.v.head)
    assert (np.abs(whole.E[:, kept] - tail.E) <= tail.E * OWN).all()
    assert (whole.E[:, [3, 5]] > 0).all()

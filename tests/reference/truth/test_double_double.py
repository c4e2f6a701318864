"""Double-double truth: inside its radius on every input, radius 0 where nothing rounds, no term of the radius idle."""

import os
import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from itertools import pairwise, product

import ml_dtypes
import numpy as np
import pytest
from scans import NATIVE, draw, dyadic, problem
from scans import exact as exact_numbers

from scanproof.properties.domain import Domain
from scanproof.properties.room import Draw
from scanproof.properties.systems.scan import LAMBDAS, ROOM, SIZES, integers
from scanproof.reference.allowance.scans import inputs_of
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.operations import TINY, UP
from scanproof.reference.inputs import Inputs
from scanproof.reference.transitions.diagonal import scan
from scanproof.reference.truth import double_double as module
from scanproof.reference.truth.double_double import ExactCarry, advance, double_double, start
from scanproof.reference.truth.enclosure import Truth
from scanproof.reference.truth.exact import disc, exact

FAR_STEPS = 2.0**-30  # more than float64 is off by after 2^20 steps
EXTREMES = np.array([0.0, -0.0, 5e-324, -1e-310, 1e-300, 1.5, -3.0, 2.0**-1022, 2.0**-970, -(2.0**-500), 1 - 2.0**-53])


def outside(h, enclosure, shrink=1):
    """Number of elements whose exact state is not in the ball of radius rad / shrink; exact rational comparison."""
    balls = zip(h.flat, enclosure.head.flat, enclosure.tail.flat, enclosure.rad.flat, strict=True)
    return sum(
        rad != np.inf and (z + -dyadic(head) + -dyadic(tail)).square() > (Fraction(float(rad)) / shrink) ** 2
        for z, head, tail, rad in balls
    )


def drawn(dtype, shape, seed=0, **regime):
    """A case of the search."""
    sizes = dict(zip(("batch", "time", "channels"), shape, strict=True))
    return Draw(ROOM, Arithmetic(dtype), Domain(), sizes, regime, seed)


def closed_form(inputs):
    """What the docstring of the module proves: 25 u^2 t X_t; and underflow, below 16 TINY a step."""
    sizes = [np.abs(x.astype(np.complex128)) for x in (inputs.lam, inputs.b, inputs.start)]
    with np.errstate(over="ignore"):
        X = scan(*sizes, inputs.reverse) * (1 + FAR_STEPS)
    t = np.arange(1, X.shape[1] + 1)[:: -1 if inputs.reverse else 1, None]  # (time, 1)
    growth = np.prod(np.maximum(np.broadcast_to(sizes[0], X.shape), 1), axis=1, keepdims=True)
    return (25 * 2.0**-106 * X + 16 * TINY * growth) * t + TINY


def bits(*arrays):
    return b"".join(array.tobytes() for array in arrays)


def same(one, other):
    return all(a.dtype == b.dtype and a.shape == b.shape and bits(a) == bits(b) for a, b in zip(one, other, strict=True))


# ---------------------------------------------------------------- inside the radius


@pytest.mark.parametrize(("dtype", "varying"), list(product(NATIVE, (False, True))))
@pytest.mark.parametrize("size", SIZES)
def test_every_regime_is_inside_a_radius_that_says_something(dtype, varying, size):
    for i, lam in enumerate(LAMBDAS):
        shape = [(2, 17, 3), (1, 40, 2), (1, 12, 19)][i % 3]
        case = drawn(dtype, shape, i, varying=varying, lam=lam, size=size)
        call = case.started(case.call()) if i % 2 else case.call()
        inputs = inputs_of(call.but(reverse=i % 3 == 1))
        found = double_double(inputs)
        assert outside(exact_numbers(inputs), found) == 0
        assert (found.rad <= closed_form(inputs)).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_real_multiplier_of_complex_states(dtype):
    for i, (varying, reverse) in enumerate(product((False, True), repeat=2)):
        arithmetic = Arithmetic({"float32": "complex64", "float64": "complex128"}[dtype])
        inputs = problem(np.random.default_rng(i), arithmetic, 0.9, (2, 30, 3), varying=varying, zeros=0.2, real_lam=True)
        inputs = Inputs(inputs.lam, inputs.b, inputs.h0, reverse)
        assert inputs.lam.dtype == dtype
        found = double_double(inputs)
        assert outside(exact_numbers(inputs), found) == 0
        assert (found.rad <= closed_form(inputs)).all()


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_inputs_of_16_bits_are_exact_numbers_too(dtype):
    rng = np.random.default_rng(0)
    lam, b, h0 = (rng.standard_normal(shape).astype(dtype) for shape in [(5,), (2, 40, 5), (2, 5)])
    wide = Inputs(*(x.astype(np.float64) for x in (lam, b, h0)))
    found = double_double(Inputs(lam, b, h0))
    assert same(found, double_double(wide))
    assert outside(exact_numbers(wide), found) == 0


@pytest.mark.slow
def test_extreme_numbers():
    rng = np.random.default_rng(1)
    for i in range(40):
        real = rng.choice(EXTREMES, (3, 1, 20, 6))
        lam, b = (real[0], real[1]) if i % 2 else (real[0] + 1j * rng.choice(EXTREMES, real[0].shape), real[1] + 1j * real[2])
        inputs = Inputs(lam, b * 2.0 ** rng.integers(-40, 40))
        found = double_double(inputs)
        assert outside(exact_numbers(inputs), found) == 0
        assert np.isfinite(found.rad).all()


@pytest.mark.parametrize("exponent", [1000, 1015, 1023])
def test_near_overflow_a_finite_radius_holds(exponent):
    known = []
    for seed, dtype in enumerate(("float64", "complex128")):
        inputs = problem(np.random.default_rng(seed), Arithmetic(dtype), 0.999, (1, 30, 8), low=exponent - 4, high=exponent - 1)
        inputs = Inputs(inputs.lam, np.nan_to_num(inputs.b), inputs.start)
        found = double_double(inputs)
        assert outside(exact_numbers(inputs), found) == 0
        known.append(np.isfinite(found.rad))
    assert np.mean(known) > 0.1


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "complex64", "complex128"])
def test_20000_steps_against_discs_of_400_bits(dtype):
    inputs = problem(np.random.default_rng(2), Arithmetic(dtype), 0.9999, (1, 20_000, 3))
    found, fine = double_double(inputs), disc(inputs, bits=400)
    gap = np.abs((found.head - fine.head) + (found.tail - fine.tail))  # heads are neighbours: their difference is exact
    assert (gap <= (found.rad + fine.rad) * UP).all()
    assert (gap > 2 * fine.rad).any()  # the discs are fine enough to see what double-doubles drop
    assert (found.rad <= closed_form(inputs)).all()


# ---------------------------------------------------------------- no term of the radius is idle

P, Q, W = np.random.default_rng(12).uniform(0.5, 1, (3, 16)) * np.array([[1], [1], [2.0**20]])  # (16,) each
Z = np.zeros(16)
ONE_TERM = {  # lam_t and b_t of problems in which the last step drops words of one kind only
    "low words of product and sum": ([Q, Q], [P, W]),
    "low words of a complex product": ([Q + 1j * P] * 2, [W - 1j * Q, Z]),
    "what the product by a low word drops": ([Q, Q, P], [P, W, Z]),
    "the radius that was carried": ([Q, Q, Z + 0.5], [P, W, Z]),
    "the same, turned": ([Q, Q, Z + 0.5j], [P, W, Z]),
    "underflow of a product": ([Z + 0.5] * 2, [Z + 5e-324, Z]),
    "underflow of a low word": ([Q, Q], [P * 1e-305, Z]),
}


@pytest.mark.parametrize("name", ONE_TERM)
def test_every_term_of_the_radius_is_needed(name):
    lam, b = (np.array(x)[None] for x in ONE_TERM[name])  # (1, time, 16)
    inputs = Inputs(lam, b.astype(np.result_type(lam, b)))
    h, found = exact_numbers(inputs), double_double(inputs)
    assert outside(h, found) == 0
    assert outside(h[:, -1], Truth(*(part[:, -1] for part in found)), shrink=8) > 0


def test_a_radius_a_hair_smaller_would_be_wrong():
    lam, b = (np.array(x)[None] for x in ONE_TERM["low words of product and sum"])
    h, found = exact_numbers(Inputs(lam, b)), double_double(Inputs(lam, b))
    assert outside(h, found) == 0
    assert outside(h, found, shrink=1 + Fraction(1, 2**40)) >= 8  # one word is dropped, and the radius is its size


@pytest.mark.parametrize(("dtype", "shrink"), [("float64", 4), ("complex128", 16)])
def test_on_random_inputs_a_fraction_of_the_radius_is_wrong(dtype, shrink):
    inputs = problem(np.random.default_rng(3), Arithmetic(dtype), 0.9, (1, 100, 8))
    h, found = exact_numbers(inputs), double_double(inputs)
    assert outside(h, found) == 0
    assert outside(h, found, shrink) > 0


# ---------------------------------------------------------------- exactly zero


@pytest.mark.parametrize(("dtype", "varying"), list(product(NATIVE, (False, True))))
def test_exact_lanes_have_radius_zero(dtype, varying):
    case = drawn(dtype, (1, 4097, 5), varying=varying)
    arguments, start = integers(case)
    inputs = inputs_of(case.of(arguments | start))
    found = double_double(inputs)
    assert not found.rad.any()
    assert not found.tail.any()
    assert np.array_equal(found.head, exact(inputs).head)


@pytest.mark.parametrize("phase", [1, -1, 1j, -1j])
def test_products_by_powers_of_two_and_sums_with_zero_are_exact(phase):
    rng = np.random.default_rng(4)
    lam = phase * 2.0 ** np.arange(-6, 6)  # (12,)
    b = np.zeros((1, 60, 12), lam.dtype)
    b[:, 7] = draw(rng, b.dtype.name, (1, 12))
    found, true = double_double(Inputs(lam, b)), exact(Inputs(lam, b))
    assert not found.rad.any()
    assert np.array_equal(found.head, true.head)
    assert np.array_equal(found.tail, true.tail)
    tails = ExactCarry(b[:, 7], b[:, 7] * 2.0**-60, np.zeros((1, 12)))  # states of two words stay exact as well
    assert not advance(lam, 0 * b, tails)[0].rad.any()


def test_the_smallest_numbers_times_a_unit_are_exact():
    b = np.full((1, 9, 4), 5e-324, complex)
    b[:, 5:] = 0
    found = double_double(Inputs(np.array([1, -1, 1j, -1j]), b))
    assert not found.rad.any()
    assert np.array_equal(found.head, exact(Inputs(np.array([1, -1, 1j, -1j]), b)).head)


def test_zero_times_anything_is_zero_and_a_reset_forgets_the_radius():
    inputs = problem(np.random.default_rng(5), Arithmetic("complex128"), 0.9, (1, 40, 3), varying=True, h0=True)
    inputs.lam[:, 20] = 0
    found = double_double(Inputs(inputs.lam, inputs.b, inputs.h0))
    assert found.rad[:, 19].all()
    assert not found.rad[:, 20].any()
    assert np.array_equal(found.head[:, 20], inputs.b[:, 20])


# ---------------------------------------------------------------- overflow


def test_overflow_is_unknown_until_a_reset():
    lam, b = np.array([[[1e300], [1e300], [1e300], [0.0], [0.5]]]), np.array([[[1e300], [0.1], [0.1], [0.3], [0.1]]])
    for phase in (1, 1j):
        found = double_double(Inputs(lam * phase, b * phase))
        assert found.rad[0, :, 0].tolist() == [0, np.inf, np.inf, 0, 0]
        assert np.isfinite(found.head).all()
        assert np.isfinite(found.tail).all()
    big = np.array([1.7e308 + 1.7e308j])
    assert double_double(Inputs(big, big.repeat(4).reshape(1, 4, 1))).rad[0, :, 0].tolist() == [0, np.inf, np.inf, np.inf]


def test_growth_beyond_float64():
    inputs = problem(np.random.default_rng(6), Arithmetic("complex128"), 8.0, (1, 400, 2))
    found = double_double(inputs)
    known = np.isfinite(found.rad)
    assert known.any()
    assert not known.all()
    assert outside(exact_numbers(inputs)[known], Truth(*(part[known] for part in found))) == 0


# ---------------------------------------------------------------- blocks, threads, memory, environment


@pytest.mark.parametrize("dtype", NATIVE)
@pytest.mark.parametrize("varying", [False, True])
def test_blocks_of_any_sizes_give_the_bits_of_the_whole(dtype, varying):
    inputs = problem(np.random.default_rng(7), Arithmetic(dtype), 0.99, (2, 100, 19), varying=varying, zeros=0.05)
    inputs = Inputs(inputs.lam, inputs.b, inputs.h0)
    inputs.b[0, 40, 3] = np.finfo(inputs.b.dtype).max
    cuts = [0, 1, 1, 8, 55, 100]

    def joined(between):
        carry, blocks = start(inputs.start), []
        for first, last in pairwise(cuts):
            lam = inputs.lam[:, first:last] if varying else inputs.lam
            block, carry = advance(lam, inputs.b[:, first:last], between(carry))
            blocks.append(block)
        return [np.concatenate(parts, axis=1) for parts in zip(*blocks, strict=True)], carry

    whole, after = advance(inputs.lam, inputs.b, start(inputs.start))
    blocks, last = joined(lambda carry: carry)
    assert same(blocks, whole)
    assert same(last, after)
    assert same(last, [part[:, -1] for part in whole])
    assert same(whole, double_double(inputs))
    assert not same(joined(lambda carry: carry._replace(tail=0 * carry.tail))[0], whole)
    assert not same(joined(lambda carry: carry._replace(rad=0 * carry.rad))[0], whole)


def test_reverse_is_the_flipped_problem():
    inputs = problem(np.random.default_rng(8), Arithmetic("complex64"), 0.99, (2, 33, 3), varying=True)
    flipped = Inputs(inputs.lam[:, ::-1].copy(), inputs.b[:, ::-1].copy(), inputs.h0, not inputs.reverse)
    assert same(double_double(inputs), [part[:, ::-1] for part in double_double(flipped)])
    assert not same(double_double(inputs), double_double(flipped))


def test_threads_may_work_at_the_same_time():
    inputs = problem(np.random.default_rng(9), Arithmetic("complex64"), 0.99, (2, 2000, 70))
    alone = double_double(inputs)
    with ThreadPoolExecutor(4) as pool:
        assert all(same(found, alone) for found in pool.map(double_double, [inputs] * 8))


@pytest.mark.parametrize("shape", [(1, 0, 2), (0, 3, 2), (0, 0, 2), (2, 3, 0)])
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_empty_shapes(shape, dtype):
    zeros = np.zeros(shape, dtype)
    for inputs in (Inputs(np.zeros(shape[2:], dtype), zeros), Inputs(zeros, zeros, np.zeros((shape[0], shape[2]), dtype))):
        assert [part.shape for part in double_double(inputs)] == [shape] * 3
    h0 = np.ones((shape[0], shape[2]), dtype)
    assert shape[1] or same(advance(zeros, zeros, start(h0))[1], start(h0))  # no step: the carry goes through


@pytest.mark.parametrize(("varying", "reverse"), list(product((False, True), repeat=2)))
def test_nothing_is_stored_beside_the_result(varying, reverse):
    rng, shape = np.random.default_rng(10), (1, 5000, 64)
    inputs = Inputs(draw(rng, "complex64", shape if varying else (64,)), draw(rng, "complex64", shape), None, reverse)
    double_double(inputs)  # compiles
    tracemalloc.start()
    try:
        found = double_double(inputs)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    result = sum(part.nbytes for part in found)
    assert result <= peak <= result + inputs.b.nbytes / 8


def test_a_process_that_is_not_ieee_is_refused(monkeypatch):
    def refuse():
        raise FloatingPointError("environment")

    monkeypatch.setattr(module, "require_ieee", refuse)
    with pytest.raises(FloatingPointError):
        double_double(Inputs(np.ones(1), np.ones((1, 1, 1))))


def run(code, tmp_path, **environment):
    """The printed words of a fresh interpreter."""
    base = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=base | environment, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


DIGEST = """
import hashlib, numpy as np
from scanproof.reference.truth import double_double as module
rng = np.random.default_rng(11)
lam, b = rng.uniform(0.5, 1, 5), rng.standard_normal((1, 200, 5))
found, _ = module.advance(lam, b, module.start(b[:, 0]))
print(hashlib.sha256(b"".join(part.tobytes() for part in found)).hexdigest(), sum(module._steps.stats.cache_hits.values()))
"""


@pytest.mark.slow
def test_machine_code_is_kept_on_disk_and_needs_no_hardware_fma(tmp_path):
    here, again = (run(DIGEST, tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "cache")) for _ in range(2))
    plain = run(DIGEST, tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "plain"), NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="")
    assert (here[1], again[1]) == ("0", "1")
    assert here[0] == again[0] == plain[0]


@pytest.mark.slow
def test_without_any_writable_folder_functions_are_compiled_uncached(tmp_path):
    """Like read-only site-packages and no home, also for root: the folders that Numba would make are files."""
    (tmp_path / "__pycache__").touch()
    (tmp_path / "some.py").write_text("def double(x):\n    return 2 * x\n")
    code = f"""
import sys; sys.path.insert(0, {str(tmp_path)!r})
import numba
from some import double
from scanproof.reference.transitions.compiled import compiled
try:
    numba.njit(cache=True)(double)
except RuntimeError as error:
    print("no locator" in str(error))
print(compiled()(double)(1.5))
"""
    nowhere = str(tmp_path / "some.py" / "folder")
    assert run(code, tmp_path, HOME=nowhere, XDG_CACHE_HOME=nowhere) == ["True", "3.0"]

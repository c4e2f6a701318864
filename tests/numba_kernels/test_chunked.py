"""numba_kernels.chunked against exact integers and verdicts, and bit for bit against the same operations in NumPy."""

import hashlib
import itertools

import numba
import numpy as np
import pytest
from kernels import (
    FOLDERS,
    LAYOUTS,
    PAIRS,
    assert_same_bits,
    case,
    exact_scan,
    integers,
    rounded_step,
    run,
    units,
)
from numba.core.callconv import CPUCallConv

from scanproof.numba_kernels import chunked, diagonal
from scanproof.properties.judge import judge
from scanproof.reference.arithmetic.declaration import Arithmetic

# one worker, so that each kernel is compiled once
pytestmark = pytest.mark.xdist_group("kernel chunked")

# (batch, time, channels) and a chunk: no chunk, one, exactly two, a short last one, one of a single step, chunks of one step
CASES = [
    ((0, 7, 5), 3),
    ((3, 0, 5), 3),
    ((3, 7, 0), 3),
    ((1, 1, 1), 1),
    ((2, 7, 5), 7),
    ((2, 7, 5), 2**70),
    ((2, 8, 5), 4),
    ((3, 50, 33), 16),
    ((2, 49, 1), 16),
    ((1, 300, 3), 37),
    ((2, 9, 5), 1),
]
KERNELS = [chunked._reduce_constant, chunked._reduce_varying, chunked._scan_constant, chunked._scan_varying]


def in_chunks(lam, b, h0=None, reverse=False, chunk=256, step=rounded_step, zero=0):
    """The oracle: reduce, carry and scan in plain NumPy, by step(lam, h, b) = lam h + b."""
    lam = np.broadcast_to(lam, b.shape)  # (batch, time, channels)
    if reverse:
        return in_chunks(lam[:, ::-1], b[:, ::-1], h0, False, chunk, step, zero)[:, ::-1]
    states, nothing = np.empty_like(b), np.full_like(b, zero, shape=(b.shape[0], b.shape[2]))
    start = nothing if h0 is None else h0  # (batch, channels)
    for first in range(0, b.shape[1], chunk):
        steps = range(first, min(first + chunk, b.shape[1]))
        h, end, product = start, nothing, np.ones_like(lam, shape=nothing.shape)  # all (batch, channels)
        for t in steps:
            states[:, t] = h = step(lam[:, t], h, b[:, t])
            end = step(lam[:, t], end, b[:, t])
            product = rounded_step(lam[:, t], product, np.zeros_like(product))
        start = step(product, start, end)
    return states


# The values


@pytest.mark.parametrize("time", [1, 2, 63, 5000])
@pytest.mark.parametrize("varying", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("lam_dtype", "b_dtype"), PAIRS)
def test_integer_scans_are_exact(lam_dtype, b_dtype, reverse, varying, time):
    rng = np.random.default_rng(time)
    shape = (1, time, 5) if time == 5000 else (2, time, 5)  # |h| <= 8 (T + 1) < 2**24: exact in every dtype
    lam = units(rng, lam_dtype, shape if varying else shape[2:])
    b, h0 = integers(rng, b_dtype, shape), integers(rng, b_dtype, (shape[0], 5))
    truth = exact_scan(lam, b, h0, reverse)
    for options in ({}, {"chunk": 8}):
        got = chunked.scan(lam, b, h0, reverse, **options)
        for part, exact in zip((got.real, got.imag), truth, strict=True):
            assert np.all(part.astype(object) == exact)  # Python compares a float and a Fraction exactly


@pytest.mark.parametrize("dtype", ["float32", "complex64"])
def test_the_verdict_on_any_order_accepts_it_and_rejects_it_without_its_carries(dtype):
    lam, b, h0 = case(1, dtype, dtype, False, (2, 64, 4))
    judged = {"lam": lam, "b": b, "h0": h0, "arithmetic": Arithmetic(dtype, order="any")}
    assert judge("scan", chunked.scan(lam, b, h0, chunk=16), **judged).verdict == "within"
    apart = [chunked.scan(lam, b[:, first : first + 16], h0) for first in range(0, 64, 16)]
    assert judge("scan", np.concatenate(apart, axis=1), **judged).verdict == "outside"


# The roundings, bit for bit


@pytest.mark.parametrize("h0", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("varying", [False, True])
@pytest.mark.parametrize(("lam_dtype", "b_dtype"), PAIRS)
def test_roundings_are_those_of_reduce_carry_and_scan(lam_dtype, b_dtype, varying, reverse, h0):
    for seed, (shape, chunk) in enumerate(CASES):
        lam, b, start = case(seed, lam_dtype, b_dtype, varying, shape, h0)
        got = chunked.scan(lam, b, start, reverse, chunk=chunk)
        assert_same_bits(got, in_chunks(lam, b, start, reverse, chunk))


def test_the_comparison_of_bits_notices_another_chunk_length():
    lam, b, h0 = case(0, "float32", "float32", False, (3, 64, 33))
    with pytest.raises(AssertionError):
        assert_same_bits(chunked.scan(lam, b, h0, chunk=16), in_chunks(lam, b, h0, chunk=17))


@pytest.mark.parametrize("varying", [False, True])
def test_one_chunk_is_the_sequential_scan(varying):
    lam, b, h0 = case(2, "complex64", "complex64", varying, (3, 256, 5))
    assert_same_bits(chunked.scan(lam, b, h0), diagonal.scan(lam, b, h0))


def test_chunks_are_counted_in_the_direction_of_the_scan():
    lam, b, h0 = case(3, "float32", "float32", True, (2, 50, 5))
    flipped = chunked.scan(lam[:, ::-1], b[:, ::-1], h0, chunk=16)
    assert_same_bits(chunked.scan(lam, b, h0, True, chunk=16), flipped[:, ::-1])


def test_the_longest_path_is_the_one_in_the_docstring():
    """Additions on the longest path to each state, counted by the oracle. A zero start, -1 here, is no operand."""
    time, L = 100, 8
    leaf = np.zeros((1, time, 1), int)

    def additions(_lam, h, b):
        return np.where(h < 0, b, np.maximum(h, b) + 1)

    longest = in_chunks(leaf, leaf, leaf[:, 0], chunk=L, step=additions, zero=-1)[0, :, 0]  # (time,)
    t = np.arange(1, time + 1)
    c = (t - 1) // L
    np.testing.assert_array_equal(longest, np.where(c == 0, t, L - 1 + c + (t - c * L)))
    assert np.all(longest <= t)  # what "any" allows
    np.testing.assert_array_equal(longest > np.minimum(t, L) - 1 + c + 1, (c > 0) & (t - c * L > 1))  # "chunked:L"


def test_a_product_of_multipliers_may_overflow_before_any_state_does():
    """As the docstring warns."""
    lam, b = np.full(1, 2.0, "float32"), np.zeros((1, 400, 1), "float32")
    b[0, -1] = 1
    assert np.isnan(chunked.scan(lam, b)[0, -1, 0])
    assert_same_bits(chunked.scan(lam, b, chunk=100), b)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("varying", [False, True])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_not_finite_stays_in_its_lane(value, varying, reverse):
    lam, b, h0 = case(4, "complex64", "complex64", varying, (3, 40, 9))
    clean = chunked.scan(lam, b, h0, reverse, chunk=8)
    b[1, 17, 4] = value
    got = chunked.scan(lam, b, h0, reverse, chunk=8)
    reached = np.zeros(b.shape, bool)
    reached[1, slice(0, 18) if reverse else slice(17, None), 4] = True
    np.testing.assert_array_equal(~np.isfinite(got), reached)
    assert_same_bits(got[~reached], clean[~reached])


# Threads


def test_the_number_of_threads_changes_no_bit(tmp_path):
    code = f"""
import sys; sys.path[:0] = {FOLDERS!r}
from test_chunked import print_digest; print_digest()
"""
    (one, digest_one), (four, digest_four) = (run(code, tmp_path, NUMBA_NUM_THREADS=count) for count in ("1", "4"))
    assert (one, four) == ("1", "4")
    assert digest_one == digest_four


def print_digest():
    """Called by the test above in fresh interpreters."""
    digest = hashlib.sha256()
    for (lam_dtype, b_dtype), varying, reverse in itertools.product(PAIRS, [False, True], [False, True]):
        for shape in [(1, 500, 33), (3, 130, 5)]:
            digest.update(chunked.scan(*case(5, lam_dtype, b_dtype, varying, shape), reverse, chunk=16).tobytes())
    print(numba.get_num_threads(), digest.hexdigest())


@pytest.mark.parametrize("varying", [False, True])
def test_a_sequence_has_the_same_bits_alone_and_in_a_batch(varying):
    lam, b, h0 = case(6, "complex64", "complex64", varying, (7, 50, 33))
    together = chunked.scan(lam, b, h0, chunk=16)
    for n in range(7):
        alone = chunked.scan(lam[n : n + 1] if varying else lam, b[n : n + 1], h0[n : n + 1], chunk=16)
        assert_same_bits(alone, together[n : n + 1])


# Memory


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("varying", [False, True])
def test_any_layout_gives_the_same_bits_from_the_same_compiled_kernel(varying, layout):
    arguments = case(7, "complex64", "complex64", varying, (3, 20, 5))
    expected = chunked.scan(*arguments, chunk=8)
    compiled = [len(each.signatures) for each in KERNELS]
    assert_same_bits(chunked.scan(*(LAYOUTS[layout](x) for x in arguments), chunk=np.int64(8)), expected)
    assert [len(each.signatures) for each in KERNELS] == compiled


@pytest.mark.parametrize("varying", [False, True])
@pytest.mark.parametrize(("lam_dtype", "b_dtype"), PAIRS)
def test_inputs_are_untouched_and_the_result_is_new(lam_dtype, b_dtype, varying):
    arguments = case(9, lam_dtype, b_dtype, varying, (3, 20, 5))
    copies = [x.copy() for x in arguments]
    states = chunked.scan(*arguments, chunk=8)
    for x, copy in zip(arguments, copies, strict=True):
        assert_same_bits(x, copy)
        assert not np.shares_memory(x, states)


@pytest.mark.parametrize("varying", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("lam_dtype", "b_dtype"), PAIRS)
def test_out_is_filled_and_returned_and_may_be_b(lam_dtype, b_dtype, reverse, varying):
    for shape in [(3, 64, 5), (2, 65, 33), (1, 300, 1), (2, 0, 3), (0, 4, 3), (2, 4, 0)]:
        lam, b, h0 = case(10, lam_dtype, b_dtype, varying, shape)
        expected = in_chunks(lam, b, h0, reverse, 16)
        for out in (np.full_like(b, np.nan), b):
            assert chunked.scan(lam, b, h0, reverse, out=out, chunk=16) is out
            assert_same_bits(out, expected)


def test_memory_maps_are_read_and_written(tmp_path):
    lam, b, h0 = case(13, "float32", "float32", False, (2, 20, 5))
    mapped = np.memmap(tmp_path / "b", dtype=b.dtype, mode="w+", shape=b.shape)
    mapped[:] = b
    out = np.memmap(tmp_path / "out", dtype=b.dtype, mode="w+", shape=b.shape)
    assert chunked.scan(lam, mapped, h0, out=out, chunk=8) is out
    assert_same_bits(np.asarray(out), in_chunks(lam, b, h0, chunk=8))


# What the compiler was told


@pytest.fixture
def declared_apart(monkeypatch):
    """Tell whether Numba declares the arrays of a kernel's parallel loop free of aliases when it compiles it."""
    declarations = {}
    decorate = CPUCallConv.decorate_function

    def spy(self, function, names, types, noalias=False):
        declarations[function.name] = noalias
        return decorate(self, function, names, types, noalias)

    def compile_anew(function, lam_shape):
        declarations.clear()
        arrays = [np.zeros(shape, "float32") for shape in [lam_shape, (2, 3, 9), (2, 1, 9), (2, 3, 9)]]
        numba.njit(parallel=True)(function)(*arrays, False, 3)
        (loop,) = [noalias for name, noalias in declarations.items() if "parfor_gufunc" in name]
        return loop

    monkeypatch.setattr(CPUCallConv, "decorate_function", spy)
    return compile_anew


def without_views(lam, b, starts, out, reverse, chunk):
    for n in numba.prange(len(b)):
        for t in range(chunk):
            for c in range(len(lam)):
                starts[n, 0, c] = lam[c] * starts[n, 0, c] + b[n, t, c]
                out[n, t, c] = starts[n, 0, c]


def test_the_compiler_does_not_assume_that_out_is_apart_from_b(declared_apart):
    assert declared_apart(without_views, (9,))
    assert not declared_apart(chunked._scan_constant.py_func, (9,))
    assert not declared_apart(chunked._scan_varying.py_func, (2, 3, 9))


# Bad arguments


FLOATS = np.ones((3, 7, 5), "float32")
ERRORS = {
    "b a list": ({"b": [[[1.0]]]}, TypeError, "b must be a NumPy array, found list"),
    "lam wider": ({"lam": np.ones(5)}, TypeError, "lam must have dtype float32 to go with b, found float64"),
    "h0 flat": ({"h0": FLOATS[0, 0]}, ValueError, r"h0 must have axes \(batch, channels\), found shape \(5,\)"),
    "out time": ({"out": FLOATS[:, :6].copy()}, ValueError, "the time axis of out has length 6, expected 7 as in b"),
    "out over b": ({"out": FLOATS[::-1]}, ValueError, "out must be writable, aligned and C-contiguous, found"),
    "chunk a float": ({"chunk": 2.0}, TypeError, "chunk must be an integer, found float"),
    "chunk None": ({"chunk": None}, TypeError, "chunk must be an integer, found NoneType"),
    "chunk a truth value": ({"chunk": True}, TypeError, "chunk must be an integer, found bool"),
    "chunk zero": ({"chunk": 0}, ValueError, "chunk must be at least 1, found 0"),
    "chunk negative": ({"chunk": np.int32(-4)}, ValueError, "chunk must be at least 1, found -4"),
}


@pytest.mark.parametrize(("change", "error", "words"), ERRORS.values(), ids=ERRORS.keys())
def test_bad_arguments_are_named_in_one_line(change, error, words):
    arguments = {"lam": FLOATS[0, 0], "b": FLOATS, "h0": FLOATS[:, 0], "chunk": 3}
    chunked.scan(**arguments)
    with pytest.raises(error, match=f"^{words}") as caught:
        chunked.scan(**arguments | change)
    assert "\n" not in str(caught.value)

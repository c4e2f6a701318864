"""numba_kernels.diagonal against exact integers and rationals, and bit for bit against the same operations in NumPy."""

import hashlib
import itertools

import numba
import numpy as np
import pytest
from kernels import (
    DTYPES,
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

from scanproof.numba_kernels import _arrays, diagonal

# one worker, so that each kernel is compiled once
pytestmark = pytest.mark.xdist_group("kernel diagonal")

SHAPES = [(0, 7, 5), (3, 0, 5), (3, 7, 0), (1, 1, 1), (3, 1, 5), (1, 2, 5), (3, 2, 33), (3, 7, 1), (1, 64, 33), (3, 64, 5)]
KERNELS = [diagonal._scan_constant, diagonal._scan_varying]


def rounded_scan(lam, b, h0=None, reverse=False):
    """The oracle: the plain loop over time in NumPy."""
    lam = np.broadcast_to(lam, b.shape)  # (batch, time, channels)
    states = np.empty_like(b)
    h = np.zeros_like(states, shape=(b.shape[0], b.shape[2])) if h0 is None else h0
    for t in range(b.shape[1])[:: -1 if reverse else 1]:
        states[:, t] = h = rounded_step(lam[:, t], h, b[:, t])
    return states


# The values, exactly


def assert_exact(lam, b, h0, reverse):
    got = diagonal.scan(lam, b, h0, reverse)
    for part, truth in zip((got.real, got.imag), exact_scan(lam, b, h0, reverse), strict=True):
        assert np.all(part.astype(object) == truth)  # Python compares a float and a Fraction exactly


@pytest.mark.parametrize("time", [1, 2, 63, 5000])
@pytest.mark.parametrize("varying", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("lam_dtype", "b_dtype"), PAIRS)
def test_integer_scans_are_exact(lam_dtype, b_dtype, reverse, varying, time):
    rng = np.random.default_rng(time)
    shape = (1, time, 5) if time == 5000 else (2, time, 5)  # |h| <= 8 (T + 1) < 2**24: exact in every dtype
    every = np.array([0, 1, -1, 1j, -1j] if lam_dtype.startswith("complex") else [0, 1, -1, 1, -1]).astype(lam_dtype)
    lam = units(rng, lam_dtype, shape) if varying else every
    assert_exact(lam, integers(rng, b_dtype, shape), integers(rng, b_dtype, (shape[0], 5)), reverse)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("lam_dtype", "b_dtype"), PAIRS)
def test_dyadic_scans_are_exact(lam_dtype, b_dtype, reverse):
    """lam a unit over 2, twelve steps from integers below 9: at most 4 + 12 bits, exact in every dtype."""
    rng = np.random.default_rng(1)
    lam = units(rng, lam_dtype, (2, 12, 5)) / np.dtype(lam_dtype).type(2)
    assert_exact(lam, integers(rng, b_dtype, (2, 12, 5)), integers(rng, b_dtype, (2, 5)), reverse)


# The roundings, bit for bit


@pytest.mark.parametrize("h0", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("varying", [False, True])
@pytest.mark.parametrize(("lam_dtype", "b_dtype"), PAIRS)
def test_roundings_are_those_of_the_plain_loop(lam_dtype, b_dtype, varying, reverse, h0):
    for seed, shape in enumerate(SHAPES):
        lam, b, start = case(seed, lam_dtype, b_dtype, varying, shape, h0)
        assert_same_bits(diagonal.scan(lam, b, start, reverse), rounded_scan(lam, b, start, reverse))


def test_the_comparison_of_bits_notices_a_fused_product_and_a_wider_state():
    """What the tests above must reject, on the very data they use."""
    lam, b, h0 = case(0, "float32", "float32", False, (3, 64, 33))
    wide = rounded_scan(*(x.astype("float64") for x in (lam, b, h0)))  # (batch, time, channels)
    before = np.concatenate([h0[:, None], rounded_scan(lam, b, h0)[:, :-1]], axis=1)  # the states h_{t-1}
    fused = (lam.astype("float64") * before + b).astype("float32")  # the product is exact in float64
    for other in (wide.astype("float32"), fused):
        with pytest.raises(AssertionError):
            assert_same_bits(diagonal.scan(lam, b, h0), other)


@pytest.mark.parametrize("dtype", DTYPES)
def test_subnormal_states_are_not_flushed(dtype):
    b = np.zeros((1, 60, 3), dtype)
    b[:, 0] = np.finfo(dtype).tiny * 1.5
    lam = np.full(3, 0.75, dtype)
    got = diagonal.scan(lam, b)
    assert_same_bits(got, rounded_scan(lam, b))
    assert np.all(got[:, -1].real > 0)
    assert np.all(got[:, -1].real < np.finfo(dtype).tiny)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_a_real_lam_does_not_mix_the_parts_of_b(dtype):
    lam, b, h0 = case(2, np.empty(0, dtype).real.dtype.name, dtype, False, (2, 9, 4))
    b[1, 3, 2] = complex(1, np.inf)
    got = diagonal.scan(lam, b, h0)
    assert_same_bits(got, rounded_scan(lam, b, h0))
    assert np.all(np.isfinite(got.real))
    assert np.all(np.isinf(got.imag[1, 3:, 2]))


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("varying", [False, True])
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_value_that_is_not_finite_stays_in_its_lane(dtype, value, varying, reverse):
    lam, b, h0 = case(3, dtype, dtype, varying, (3, 40, 9))
    clean = diagonal.scan(lam, b, h0, reverse)
    b[1, 17, 4] = value
    got = diagonal.scan(lam, b, h0, reverse)
    reached = np.zeros(b.shape, bool)
    reached[1, : 17 + 1 if reverse else None, 4] = True
    reached[1, : 0 if reverse else 17, 4] = False
    np.testing.assert_array_equal(~np.isfinite(got), reached)
    assert_same_bits(got[~reached], clean[~reached])


# Threads


def test_the_number_of_threads_changes_no_bit(tmp_path):
    code = f"""
import sys; sys.path[:0] = {FOLDERS!r}
from test_diagonal import print_digest; print_digest()
"""
    (one, digest_one), (four, digest_four) = (run(code, tmp_path, NUMBA_NUM_THREADS=count) for count in ("1", "4"))
    assert (one, four) == ("1", "4")
    assert digest_one == digest_four


def print_digest():
    """Called by the test above in fresh interpreters."""
    digest = hashlib.sha256()
    for (lam_dtype, b_dtype), varying, reverse in itertools.product(PAIRS, [False, True], [False, True]):
        arguments = case(5, lam_dtype, b_dtype, varying, (7, 50, 33))
        digest.update(diagonal.scan(*arguments, reverse).tobytes())
    print(numba.get_num_threads(), digest.hexdigest())


@pytest.mark.parametrize("varying", [False, True])
def test_a_sequence_has_the_same_bits_alone_and_in_a_batch(varying):
    lam, b, h0 = case(6, "complex64", "complex64", varying, (7, 50, 33))
    together = diagonal.scan(lam, b, h0)
    for n in range(7):
        alone = diagonal.scan(lam[n : n + 1] if varying else lam, b[n : n + 1], h0[n : n + 1])
        assert_same_bits(alone, together[n : n + 1])


# Memory


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("varying", [False, True])
def test_any_layout_gives_the_same_bits_from_the_same_compiled_kernel(varying, layout):
    arguments = case(7, "complex64", "complex64", varying, (3, 20, 5))
    expected = diagonal.scan(*arguments)
    compiled = [len(each.signatures) for each in KERNELS]
    arguments = [LAYOUTS[layout](x) for x in arguments]
    assert_same_bits(diagonal.scan(*arguments), expected)
    assert all(_arrays.read_only(x).flags.aligned for x in arguments)
    assert [len(each.signatures) for each in KERNELS] == compiled


def test_a_broadcast_lam_is_a_constant_lam():
    lam, b, h0 = case(8, "float64", "float64", False, (3, 20, 5))
    assert_same_bits(diagonal.scan(np.broadcast_to(lam, b.shape), b, h0), diagonal.scan(lam, b, h0))


@pytest.mark.parametrize("varying", [False, True])
@pytest.mark.parametrize(("lam_dtype", "b_dtype"), PAIRS)
def test_inputs_are_untouched_and_the_result_is_new(lam_dtype, b_dtype, varying):
    arguments = case(9, lam_dtype, b_dtype, varying, (3, 20, 5))
    copies = [x.copy() for x in arguments]
    states = diagonal.scan(*arguments)
    for x, copy in zip(arguments, copies, strict=True):
        assert_same_bits(x, copy)
        assert not np.shares_memory(x, states)


@pytest.mark.parametrize("varying", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("lam_dtype", "b_dtype"), PAIRS)
def test_out_is_filled_and_returned_and_may_be_b(lam_dtype, b_dtype, reverse, varying):
    for shape in [(3, 64, 5), (2, 65, 33), (1, 300, 1), (2, 0, 3), (0, 4, 3), (2, 4, 0)]:
        lam, b, h0 = case(10, lam_dtype, b_dtype, varying, shape)
        expected = rounded_scan(lam, b, h0, reverse)
        for out in (np.full_like(b, np.nan), b):
            assert diagonal.scan(lam, b, h0, reverse, out=out) is out
            assert_same_bits(out, expected)


def test_out_may_be_another_view_of_exactly_b():
    lam, b, h0 = case(11, "float32", "float32", False, (3, 20, 5))
    expected = diagonal.scan(lam, b, h0)
    diagonal.scan(lam, b, h0, out=b.reshape(-1).reshape(b.shape))
    assert_same_bits(b, expected)


def test_b_and_out_may_interleave_without_sharing_an_element():
    memory = np.zeros((4, 40, 5), "float64")
    lam, memory[::3], h0 = case(12, "float64", "float64", False, (2, 40, 5))
    expected = rounded_scan(lam, memory[::3], h0)
    assert_same_bits(diagonal.scan(lam, memory[::3], h0, out=memory[1:3]), expected)


def test_memory_maps_are_read_and_written(tmp_path):
    lam, b, h0 = case(13, "float32", "float32", False, (2, 20, 5))
    mapped = np.memmap(tmp_path / "b", dtype=b.dtype, mode="w+", shape=b.shape)
    mapped[:] = b
    out = np.memmap(tmp_path / "out", dtype=b.dtype, mode="w+", shape=b.shape)
    assert diagonal.scan(lam, mapped, h0, out=out) is out
    assert_same_bits(np.asarray(out), rounded_scan(lam, b, h0))


# What the compiler was told


@pytest.fixture
def declared_apart(monkeypatch):
    """Tell whether Numba declares the arrays of a function's parallel loop free of aliases when it compiles it."""
    declarations = {}
    decorate = CPUCallConv.decorate_function

    def spy(self, function, names, types, noalias=False):
        declarations[function.name] = noalias
        return decorate(self, function, names, types, noalias)

    def compile_anew(function, lam_shape):
        declarations.clear()
        arrays = [np.zeros(shape, "float32") for shape in [lam_shape, (2, 3, 9), (2, 9), (2, 3, 9)]]
        numba.njit(parallel=True)(function)(*arrays, False)
        (loop,) = [noalias for name, noalias in declarations.items() if "parfor_gufunc" in name]
        return loop

    monkeypatch.setattr(CPUCallConv, "decorate_function", spy)
    return compile_anew


def without_views(lam, b, h0, out, reverse):
    """The kernel that one would write first."""
    batch, time, channels = b.shape
    for n in numba.prange(batch):
        for t in range(time):
            for c in range(channels):
                h0[n, c] = lam[c] * h0[n, c] + b[n, t, c]
                out[n, t, c] = h0[n, c]


def test_the_compiler_does_not_assume_that_out_is_apart_from_b(declared_apart):
    assert declared_apart(without_views, (9,))
    assert not declared_apart(diagonal._scan_constant.py_func, (9,))
    assert not declared_apart(diagonal._scan_varying.py_func, (2, 3, 9))


# The cache


def test_machine_code_is_kept_on_disk(tmp_path):
    code = """
import numpy as np
from scanproof.numba_kernels import _arrays, diagonal
diagonal.scan(np.zeros(1), np.zeros((1, 1, 1)))
print(sum(diagonal._scan_constant.stats.cache_hits.values()))
"""
    assert [run(code, tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "cache")) for _ in range(2)] == [["0"], ["1"]]


def test_without_any_writable_folder_kernels_work_uncached(tmp_path):
    """Like read-only site-packages and no home, also for root: the folders that Numba would make are files."""
    (tmp_path / "__pycache__").touch()
    (tmp_path / "module.py").write_text("def double(x):\n    x[:] = 2 * x\n")
    code = f"""
import sys; sys.path.insert(0, {str(tmp_path)!r})
import numba, numpy as np
from module import double
from scanproof.numba_kernels._jit import kernel
try:
    numba.njit(cache=True)(double)
except RuntimeError as error:
    print("no locator" in str(error))
x = np.ones(3)
kernel(double)(x)
print(*x)
"""
    nowhere = str(tmp_path / "module.py" / "folder")
    assert run(code, tmp_path, HOME=nowhere, XDG_CACHE_HOME=nowhere) == ["True", "2.0", "2.0", "2.0"]


# Bad arguments


def floats(*shape, dtype="float32"):
    return np.ones(shape, dtype)


READ_ONLY = floats(3, 7, 5)
READ_ONLY.flags.writeable = False
SHARED = floats(4, 7, 5)
ERRORS = {
    "b a list": ({"b": [[[1.0]]]}, TypeError, "b must be a NumPy array, found list"),
    "b masked": ({"b": np.ma.ones((3, 7, 5), "float32")}, TypeError, "b must be a NumPy array, found MaskedArray"),
    "lam a float": ({"lam": 0.5}, TypeError, "lam must be a NumPy array, found float"),
    "h0 a list": ({"h0": [0.0]}, TypeError, "h0 must be a NumPy array, found list"),
    "out a list": ({"out": [0.0]}, TypeError, "out must be a NumPy array, found list"),
    "b integers": ({"b": floats(3, 7, 5, dtype="int64")}, TypeError, "b must have dtype float32 or .* found int64"),
    "b objects": ({"b": floats(3, 7, 5, dtype=object)}, TypeError, "b must have dtype float32 or .* found object"),
    "b float16": ({"b": floats(3, 7, 5, dtype="float16")}, TypeError, "b must have dtype float32 or .* found float16"),
    "b longdouble": ({"b": floats(3, 7, 5, dtype="longdouble")}, TypeError, "b must have dtype .* found "),
    "b swapped": ({"b": floats(3, 7, 5, dtype=np.dtype("f4").newbyteorder())}, TypeError, "b must .* found [<>]f4"),
    "lam wider": ({"lam": floats(5, dtype="float64")}, TypeError, "lam must have dtype float32 .* b, found float64"),
    "lam complex": ({"lam": floats(5, dtype="complex64")}, TypeError, "lam must have .* float32 .* found complex64"),
    "lam of the other precision": (
        {"b": floats(3, 7, 5, dtype="complex64"), "lam": floats(5, dtype="float64")},
        TypeError,
        "lam must have dtype complex64 or float32 to go with b, found float64",
    ),
    "h0 wider": ({"h0": floats(3, 5, dtype="float64")}, TypeError, "h0 must have dtype float32 as b .* found float64"),
    "out wider": ({"out": floats(3, 7, 5, dtype="float64")}, TypeError, "out must have dtype float32 .* found float64"),
    "b flat": ({"b": floats(7, 5)}, ValueError, r"b must have axes \(batch, time, channels\), found shape \(7, 5\)"),
    "lam flat": ({"lam": floats(7, 5)}, ValueError, r"lam .* \(channels\) or \(batch, time, channels\), .* \(7, 5\)"),
    "lam scalar": ({"lam": floats()}, ValueError, r"lam must have axes .* found shape \(\)"),
    "h0 flat": ({"h0": floats(5)}, ValueError, r"h0 must have axes \(batch, channels\), found shape \(5,\)"),
    "lam long": ({"lam": floats(6)}, ValueError, "the channels axis of lam has length 6, expected 5 as in b"),
    "lam batch": ({"lam": floats(1, 7, 5)}, ValueError, "the batch axis of lam has length 1, expected 3 as in b"),
    "lam time": ({"lam": floats(3, 8, 5)}, ValueError, "the time axis of lam has length 8, expected 7 as in b"),
    "h0 batch": ({"h0": floats(2, 5)}, ValueError, "the batch axis of h0 has length 2, expected 3 as in b"),
    "h0 channels": ({"h0": floats(3, 4)}, ValueError, "the channels axis of h0 has length 4, expected 5 as in b"),
    "out time": ({"out": floats(3, 6, 5)}, ValueError, "the time axis of out has length 6, expected 7 as in b"),
    "reverse a word": ({"reverse": "no"}, TypeError, "reverse must be True or False, found str"),
    "out read-only": ({"out": READ_ONLY}, ValueError, "out must be writable, .* found an array that is not writable"),
    "out strided": ({"out": floats(3, 7, 10)[..., ::2]}, ValueError, "out .* found an array that is not C-contiguous"),
    "out unaligned": (
        {"out": np.frombuffer(bytearray(4 * 105 + 1), "float32", offset=1).reshape(3, 7, 5)},
        ValueError,
        "out must be .* found an array that is not aligned",
    ),
    "out over lam": (
        {"lam": SHARED[:3], "out": SHARED[:3]},
        ValueError,
        "out must share no memory with lam, found an overlap",
    ),
    "out over h0": (
        {"h0": SHARED.reshape(-1)[:15].reshape(3, 5), "out": SHARED[:3]},
        ValueError,
        "out must share no memory with h0, found an overlap",
    ),
    "out one batch after b": (
        {"b": SHARED[:3], "out": SHARED[1:]},
        ValueError,
        r"out must share no memory with b \(or be exactly b\), found an overlap",
    ),
    "out is b in another order": (
        {"b": SHARED[:3].reshape(7, 3, 5).swapaxes(0, 1), "out": SHARED[:3]},
        ValueError,
        "out must share no memory with b",
    ),
}


@pytest.mark.parametrize(("change", "error", "words"), ERRORS.values(), ids=ERRORS.keys())
def test_bad_arguments_are_named_in_one_line(change, error, words):
    arguments = {"lam": floats(5), "b": floats(3, 7, 5), "h0": floats(3, 5), "out": floats(3, 7, 5)}
    diagonal.scan(**arguments)
    with pytest.raises(error, match=f"^{words}") as caught:
        diagonal.scan(**arguments | change)
    assert "\n" not in str(caught.value)

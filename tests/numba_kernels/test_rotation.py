"""numba_kernels.rotation against exact integers and balls, and bit for bit against the same operations in NumPy."""

import hashlib

import numba
import numpy as np
import pytest
from flint import arb
from kernels import FOLDERS, LAYOUTS, assert_same_bits, draw, exact_scan, integers, run

from scanproof.numba_kernels import rotation

# one worker, so that each kernel is compiled once
pytestmark = pytest.mark.xdist_group("kernel rotation")

DTYPES = ["float32", "float64"]
# (batch, time, heads, head_dim)
SHAPES = [(0, 7, 2, 4), (3, 0, 2, 4), (3, 7, 0, 4), (3, 7, 2, 0), (1, 1, 1, 2), (2, 33, 3, 6), (3, 64, 1, 34)]


def case(seed, dtype, varying, shape, x0=True):
    """Arguments gamma, theta, b, x0 of a scan of this shape (batch, time, heads, head_dim)."""
    rng = np.random.default_rng(seed)
    batch, _, heads, head_dim = shape
    angles = (*(shape[:2] if varying else ()), heads, head_dim // 2)
    gamma, theta = rng.uniform(0.5, 1, heads).astype(dtype), rng.uniform(-7, 7, angles).astype(dtype)
    return gamma, theta, draw(rng, dtype, shape), draw(rng, dtype, (batch, heads, head_dim)) if x0 else None


def rounded_multipliers(gamma, theta):
    """gamma cos(theta), gamma sin(theta) as the docstring says; shape of theta each."""
    decay, angle = gamma.astype(float)[:, None], theta.astype(float)
    return (decay * np.cos(angle)).astype(theta.dtype), (decay * np.sin(angle)).astype(theta.dtype)


def rounded_scan(gamma, theta, b, x0=None, reverse=False):
    """The oracle: R(theta) written out on adjacent coordinates, the plain loop over time in NumPy."""
    angles = (*b.shape[:3], b.shape[3] // 2)
    c, s = (np.broadcast_to(x, angles) for x in rounded_multipliers(gamma, theta))  # (batch, time, heads, pairs)
    states = np.empty_like(b)
    x = np.zeros_like(b, shape=(b.shape[0], *b.shape[2:])) if x0 is None else x0  # (batch, heads, head_dim)
    for t in range(b.shape[1])[:: -1 if reverse else 1]:
        p, q, x = x[..., 0::2], x[..., 1::2], np.empty_like(x)  # two of (batch, heads, pairs)
        x[..., 0::2] = c[:, t] * p - s[:, t] * q + b[:, t, :, 0::2]
        x[..., 1::2] = s[:, t] * p + c[:, t] * q + b[:, t, :, 1::2]
        states[:, t] = x
    return states


# The values


@pytest.mark.parametrize("time", [1, 63, 5000])
@pytest.mark.parametrize("varying", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_without_an_angle_integer_scans_are_exact(dtype, reverse, varying, time):
    rng = np.random.default_rng(time)
    shape = (1, time, 3, 2)  # |x| <= 8 (T + 1) < 2**24: exact in every dtype
    gamma, b, x0 = np.array([0, 1, -1], dtype), integers(rng, dtype, shape), integers(rng, dtype, (1, 3, 2))
    got = rotation.scan(gamma, np.zeros((1, time, 3, 1) if varying else (3, 1), dtype), b, x0, reverse)
    truth, _ = exact_scan(np.repeat(gamma, 2), b.reshape(1, time, 6), x0.reshape(1, 6), reverse)
    assert np.all(got.reshape(1, time, 6).astype(object) == truth)  # Python compares a float and a Fraction exactly


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_quarter_turn_is_the_angle_that_was_given_and_no_more(dtype):
    one = np.ones(1, dtype)
    quarter = np.array([[np.pi / 2]], dtype)
    b = np.zeros((1, 2, 1, 2), dtype)
    b[0, 0, 0] = 1, 0
    got = rotation.scan(one, quarter, b)[0, 1, 0]  # (cos, sin)
    assert got[0] == np.cos(quarter.astype(float)).astype(dtype)[0, 0] != 0
    assert got[1] == 1


def impulse_responses(gamma, theta):
    """(gamma cos, gamma sin) of each pair, as the scan applies them to (1, 0)."""
    heads, pairs = theta.shape
    b = np.zeros((1, 2, heads, 2 * pairs), gamma.dtype)
    b[0, 0, :, 0::2] = 1
    second = rotation.scan(gamma, theta, b)[0, 1]  # (heads, head_dim)
    return np.stack([second[:, 0::2], second[:, 1::2]])  # (2, heads, pairs)


def refuted(multipliers, gamma, theta):
    """How many are surely no single rounding of gamma cos(theta), gamma sin(theta) from float64.

    float64 cosines are off by less than 4 units, their product with gamma rounds once more: (1 + 2^-24) (1 + 2^-50) - 1.
    """
    count, allowed = 0, (1 + arb(2) ** -24) * (1 + arb(2) ** -50) - 1
    for h, k in np.ndindex(theta.shape):
        angle, decay = arb(float(theta[h, k])), arb(float(gamma[h]))
        for got, exact in zip(multipliers[:, h, k], (decay * angle.cos(), decay * angle.sin()), strict=True):
            count += bool(abs(arb(float(got)) - exact) > allowed * abs(exact))
    return count


def test_multipliers_are_rounded_once():
    gamma, theta, _, _ = case(0, "float32", False, (0, 0, 4, 400))
    assert refuted(impulse_responses(gamma, theta), gamma, theta) == 0
    in_float32 = np.stack([gamma[:, None] * np.cos(theta), gamma[:, None] * np.sin(theta)])  # (2, heads, pairs)
    assert refuted(in_float32, gamma, theta) > 0


def test_a_running_angle_would_be_wrong_by_the_size_of_the_state():
    """The reason in the docstring: one impulse, turned by angles that vary in time."""
    time = 1_000_000
    theta = np.random.default_rng(1).uniform(0, 6.28, (1, time, 1, 1)).astype("float32")
    theta[0, 0] = 0
    b = np.zeros((1, time, 1, 2), "float32")
    b[0, 0, 0] = 1, 0
    one = np.ones(1, "float32")
    truth = rotation.scan(one.astype(float), theta.astype(float), b.astype(float))[0, :, 0]  # (time, 2)
    angle = np.cumsum(theta[0, :, 0, 0], dtype="float32")  # (time,)
    running = np.stack([np.cos(angle), np.sin(angle)], axis=1)  # (time, 2)
    assert np.abs(running - truth).max() > 1
    multiplied = np.abs(rotation.scan(one, theta, b)[0, :, 0] - truth).max()
    # A multiplier within u = 2^-24, a complex product within sqrt(5) u: less than 4 u a step, no sum, truth's error aside.
    assert multiplied < (1 + 4 * 2.0**-24) ** time - 1 < 1


# The roundings, bit for bit


@pytest.mark.parametrize("x0", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("varying", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_roundings_are_those_of_the_plain_loop(dtype, varying, reverse, x0):
    for seed, shape in enumerate(SHAPES):
        gamma, theta, b, start = case(seed, dtype, varying, shape, x0)
        assert_same_bits(
            rotation.scan(gamma, theta, b, start, reverse), rounded_scan(gamma, theta, b, start, reverse)
        )


def test_the_comparison_of_bits_notices_halves_for_pairs_and_the_other_direction():
    gamma, theta, b, x0 = case(1, "float32", False, (2, 33, 3, 6))
    order = [0, 3, 1, 4, 2, 5]  # pairs (1, 4), (2, 5), (3, 6)
    halves = np.empty_like(b)
    halves[..., order] = rounded_scan(gamma, theta, b[..., order], x0[..., order])
    for other in (halves, rounded_scan(gamma, -theta, b, x0)):
        with pytest.raises(AssertionError):
            assert_same_bits(rotation.scan(gamma, theta, b, x0), other)


@pytest.mark.parametrize("varying", [False, True])
def test_an_infinite_angle_spoils_its_own_pair_only(varying):
    gamma, theta, b, x0 = case(2, "float32", varying, (2, 9, 3, 6))
    clean = rotation.scan(gamma, theta, b, x0)
    theta[..., 1, 2] = np.inf
    got = rotation.scan(gamma, theta, b, x0)
    reached = np.zeros(b.shape, bool)
    reached[:, :, 1, 4:] = True
    np.testing.assert_array_equal(np.isnan(got), reached)
    assert_same_bits(got[~reached], clean[~reached])


# Threads


def test_the_number_of_threads_changes_no_bit(tmp_path):
    code = f"""
import sys; sys.path[:0] = {FOLDERS!r}
from test_rotation import print_digest; print_digest()
"""
    (one, digest_one), (four, digest_four) = (run(code, tmp_path, NUMBA_NUM_THREADS=count) for count in ("1", "4"))
    assert (one, four) == ("1", "4")
    assert digest_one == digest_four


def print_digest():
    """Called by the test above in fresh interpreters."""
    digest = hashlib.sha256()
    for dtype in DTYPES:
        for varying in (False, True):
            digest.update(rotation.scan(*case(5, dtype, varying, (7, 50, 3, 10))).tobytes())
    print(numba.get_num_threads(), digest.hexdigest())


# Memory


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("varying", [False, True])
def test_any_layout_gives_the_same_bits(varying, layout):
    arguments = case(7, "float32", varying, (3, 20, 2, 6))
    expected = rotation.scan(*arguments)
    assert_same_bits(rotation.scan(*(LAYOUTS[layout](x) for x in arguments)), expected)


@pytest.mark.parametrize("varying", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_inputs_are_untouched_and_the_result_is_new(dtype, varying):
    arguments = case(9, dtype, varying, (3, 20, 2, 6))
    copies = [x.copy() for x in arguments]
    states = rotation.scan(*arguments)
    for x, copy in zip(arguments, copies, strict=True):
        assert_same_bits(x, copy)
        assert not np.shares_memory(x, states)


@pytest.mark.parametrize("varying", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_out_is_filled_and_returned_and_may_be_b(dtype, reverse, varying):
    for shape in SHAPES:
        gamma, theta, b, x0 = case(10, dtype, varying, shape)
        expected = rounded_scan(gamma, theta, b, x0, reverse)
        for out in (np.full_like(b, np.nan), b):
            assert rotation.scan(gamma, theta, b, x0, reverse, out=out) is out
            assert_same_bits(out, expected)


def test_memory_maps_are_read_and_written(tmp_path):
    gamma, theta, b, x0 = case(13, "float32", False, (2, 20, 2, 6))
    mapped = np.memmap(tmp_path / "b", dtype=b.dtype, mode="w+", shape=b.shape)
    mapped[:] = b
    out = np.memmap(tmp_path / "out", dtype=b.dtype, mode="w+", shape=b.shape)
    assert rotation.scan(gamma, theta, mapped, x0, out=out) is out
    assert_same_bits(np.asarray(out), rounded_scan(gamma, theta, b, x0))


# Bad arguments


def floats(*shape, dtype="float32"):
    return np.ones(shape, dtype)


SHARED = floats(4, 7, 2, 6)
ERRORS = {
    "b a list": ({"b": [[[[1.0]]]]}, TypeError, "b must be a NumPy array, found list"),
    "b complex": ({"b": floats(3, 7, 2, 6, dtype="complex64")}, TypeError, "b .* float32 or float64, found complex64"),
    "b flat": ({"b": floats(3, 7, 12)}, ValueError, r"b must have axes \(batch, time, heads, head_dim\), found shape"),
    "b odd": ({"b": floats(3, 7, 2, 5)}, ValueError, "the head_dim axis of b must have an even length, found 5"),
    "gamma a float": ({"gamma": 0.5}, TypeError, "gamma must be a NumPy array, found float"),
    "gamma wider": ({"gamma": floats(2, dtype="float64")}, TypeError, "gamma must have dtype float32 .* found float64"),
    "gamma a column": ({"gamma": floats(2, 1)}, ValueError, r"gamma must have axes \(heads\), found shape \(2, 1\)"),
    "gamma long": ({"gamma": floats(3)}, ValueError, "the heads axis of gamma has length 3, expected 2 as in b"),
    "theta wider": ({"theta": floats(2, 3, dtype="float64")}, TypeError, "theta must have dtype float32 .* found float64"),
    "theta flat": ({"theta": floats(6)}, ValueError, r"theta .* \(heads, pairs\) or \(batch, time, heads, pairs\), found"),
    "theta heads": ({"theta": floats(1, 3)}, ValueError, "the heads axis of theta has length 1, expected 2 as in b"),
    "theta full": ({"theta": floats(2, 6)}, ValueError, "the pairs axis of theta has length 6, expected 3 as in b"),
    "theta time": ({"theta": floats(3, 1, 2, 3)}, ValueError, "the time axis of theta has length 1, expected 7 as in b"),
    "x0 wider": ({"x0": floats(3, 2, 6, dtype="float64")}, TypeError, "x0 must have dtype float32 .* found float64"),
    "x0 flat": ({"x0": floats(3, 12)}, ValueError, r"x0 must have axes \(batch, heads, head_dim\), found shape \(3, 12\)"),
    "x0 batch": ({"x0": floats(1, 2, 6)}, ValueError, "the batch axis of x0 has length 1, expected 3 as in b"),
    "reverse a word": ({"reverse": "no"}, TypeError, "reverse must be True or False, found str"),
    "out wider": ({"out": floats(3, 7, 2, 6, dtype="float64")}, TypeError, "out must have dtype float32 as b has, found"),
    "out heads": ({"out": floats(3, 7, 1, 6)}, ValueError, "the heads axis of out has length 1, expected 2 as in b"),
    "out strided": ({"out": floats(3, 7, 2, 12)[..., ::2]}, ValueError, "out .* found an array that is not C-contiguous"),
    "out over theta": (
        {"theta": SHARED.reshape(-1)[:6].reshape(2, 3), "out": SHARED[:3]},
        ValueError,
        "out must share no memory with theta, found an overlap",
    ),
    "out over x0": (
        {"x0": SHARED[0, :3], "out": SHARED[:3]},
        ValueError,
        "out must share no memory with x0, found an overlap",
    ),
    "out one batch after b": (
        {"b": SHARED[:3], "out": SHARED[1:]},
        ValueError,
        r"out must share no memory with b \(or be exactly b\), found an overlap",
    ),
}


@pytest.mark.parametrize(("change", "error", "words"), ERRORS.values(), ids=ERRORS.keys())
def test_bad_arguments_are_named_in_one_line(change, error, words):
    arguments = {"gamma": floats(2), "theta": floats(2, 3), "b": floats(3, 7, 2, 6), "x0": floats(3, 2, 6)}
    rotation.scan(**arguments)
    with pytest.raises(error, match=f"^{words}") as caught:
        rotation.scan(**arguments | change)
    assert "\n" not in str(caught.value)

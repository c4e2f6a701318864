"""numba_kernels.layers: close to the truth by a derived criterion, bit for bit where no sum rounds, and refused input."""

from functools import cache
from types import SimpleNamespace

import flint
import numpy as np
import pytest
from kernels import assert_same_bits
from layer_truth import BITS, ball

import scanproof
from scanproof.numba_kernels import layers
from scanproof.reference.layers import mapped
from scanproof.reference.systems import lru, rotrnn

# one worker, so that each kernel is compiled once
pytestmark = pytest.mark.xdist_group("kernel layers")

FORWARD = {"lru": layers.lru, "rotrnn": layers.rotrnn}
VJP = {"lru": layers.lru_vjp, "rotrnn": layers.rotrnn_vjp}
DIRECTIONS = [(False, False), (True, False), (False, True), (True, True)]  # reverse, bidirectional

every_system = pytest.mark.parametrize("system", FORWARD)
every_direction = pytest.mark.parametrize(("reverse", "bidirectional"), DIRECTIONS)
every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])


@cache
def problem(system, bidirectional=False, dtype="float32", batch=2, time=9, width=3):
    """Parameters, u, h0 and y_bar: drawn in float32, so the float64 copies are the same numbers."""
    rng = np.random.default_rng(3)
    if system == "lru":
        params, state = lru.init(rng, 5, width, bidirectional=bidirectional, dtype=np.float32), (5,)
    else:
        params, state = rotrnn.init(rng, 2, 4, width, bidirectional=bidirectional, dtype=np.float32), (2, 4)
    u, y_bar = (rng.standard_normal((batch, time, width)).astype("float32").astype(dtype) for _ in range(2))
    h0 = rng.standard_normal((2, batch, *[2] * bidirectional, *state)).astype("float32").astype(dtype)
    params = mapped(params, lambda x: x.astype(dtype))
    return params, u, h0[0] + np.complex64(1j) * h0[1] if system == "lru" else h0[0], y_bar


def results(system, params, u, h0, y_bar, reverse):
    """Everything that a layer returns, by name: y, h and every gradient."""
    y, h = FORWARD[system](params, u, h0, reverse, states=True)
    return {"y": y, "h": h} | {f"{name}_bar": x for name, x in VJP[system](params, u, y_bar, h0, reverse).items()}


# The truth. The criterion guards the equations and nothing else: how far off rounding may be is the allowances' matter.


@cache
def truth(system, bidirectional, reverse):
    """What `results` should be, in balls."""
    params, *arrays = problem(system, bidirectional)
    with flint.ctx.workprec(BITS):
        params, (u, h0, y_bar) = mapped(params, ball), map(ball, arrays)
        given = {"params": params, "u": u, "h0": h0, "reverse": reverse}
        found = scanproof.run(system, **given)
        gradients = scanproof.vjp(system, {"y": y_bar}, **given)
    return {"y": found["y"], "h": found["h"]} | {f"{name}_bar": x for name, x in gradients.items()}


def error(found, exact):
    """The largest |found - exact|, rounded up."""
    assert found.shape == exact.shape
    with flint.ctx.workprec(BITS):
        return max(np.nextafter(float(x.upper()), np.inf) for x in abs(ball(found) - exact).flat)


def close(single, double, exact):
    """Whether the float64 result is 2^20 times closer to the truth than the float32 one and an ulp of float32.

    Both evaluate the same equations on the same numbers. Rounding errors shrink by 2^-29 from one to the other; a wrong
    equation is wrong by the same amount in both. The ulp is for float32 results that happen to be exact.
    """
    ulp = np.spacing(np.float32(max(float(abs(x)) for x in exact.flat)))
    return error(double, exact) * 2**20 <= error(single, exact) + ulp


@every_direction
@every_system
def test_outputs_states_and_gradients_are_close_to_the_truth(system, reverse, bidirectional):
    single, double = (results(system, *problem(system, bidirectional, dtype), reverse) for dtype in ("float32", "float64"))
    exact = truth(system, bidirectional, reverse)
    assert single.keys() == double.keys() == exact.keys()
    for name in exact:
        assert close(single[name], double[name], exact[name]), name
        off = double[name] * (1 + 2.0**-30)
        assert not close(single[name], off, exact[name]), name


@every_system
def test_a_wrong_direction_and_a_forgotten_start_are_not_close(system):
    single, double, exact = problem(system), problem(system, dtype="float64"), truth(system, False, False)

    def names(reverse, keep):
        found = [results(system, p, u, h0 * keep, y_bar, reverse) for p, u, h0, y_bar in (single, double)]
        return {name for name in exact if close(*(x[name] for x in found), exact[name])}

    assert names(False, True) == exact.keys()
    assert names(True, True) == {"D_bar"}
    assert names(False, False) & {"y", "h"} == set()


def in_pieces(system, params, u, h0, cuts):
    """y and h from one call for each piece, the last states of one being the start of the next."""
    found = []
    for piece in np.split(u, cuts, axis=1):
        found.append(FORWARD[system](params, piece, h0, states=True))
        h0 = found[-1][1][:, -1]
    return [np.concatenate(parts, axis=1) for parts in zip(*found, strict=True)]


@every_system
def test_pieces_that_hand_over_their_state_are_close_to_the_truth(system):
    single, double = (in_pieces(system, *problem(system, False, dtype)[:3], [1, 4]) for dtype in ("float32", "float64"))
    for name, *found in zip(("y", "h"), single, double, strict=True):
        assert close(*found, truth(system, False, False)[name])
        assert not close(*found, truth(system, False, True)[name])


# Bits


def without_sums(system, dtype, bidirectional=False):
    """A problem in which every sum of a matrix product has one term that is not zero: width 1, P = 1, one output."""
    params, u, h0, y_bar = problem(system, bidirectional, dtype, width=1)
    outputs = {name: x * (np.arange(x.size) == 2) for name, x in vars(params).items() if x is not None and name[0] == "C"}
    if system == "lru":
        outputs |= {name: 0 * x for name, x in outputs.items() if name.endswith("im")}
    else:
        outputs["M"] = np.ones_like(params.M)
    return SimpleNamespace(**(vars(params) | outputs)), u, h0, y_bar


@every_dtype
@every_system
def test_step_by_step_gives_the_bits_of_the_whole_sequence(system, dtype):
    params, u, h0, _ = without_sums(system, dtype)
    whole = FORWARD[system](params, u, h0, states=True)
    for found, expected in zip(in_pieces(system, params, u, h0, range(1, u.shape[1])), whole, strict=True):
        assert_same_bits(found, expected)


@every_dtype
@every_system
@pytest.mark.parametrize("bidirectional", [False, True])
def test_reverse_is_the_flip_of_the_flipped(system, dtype, bidirectional):
    """With two directions `reverse` exchanges them, and a flip does too."""
    params, u, h0, _ = without_sums(system, dtype, bidirectional)
    for found, expected in zip(
        FORWARD[system](params, u, h0, True, states=True),
        FORWARD[system](params, u[:, ::-1], h0, False, states=True),
        strict=True,
    ):
        assert_same_bits(found, expected[:, ::-1])
        assert (found != expected).any()


@every_dtype
@every_system
@pytest.mark.parametrize("reverse", [False, True])
def test_two_directions_are_two_scans_of_the_inputs(system, dtype, reverse):
    for make in (without_sums, lambda system, dtype, bidirectional: problem(system, bidirectional, dtype)):
        params, u, h0, _ = make(system, dtype, True)
        both = vars(params) | {"D": 0 * params.D}
        first = {name: x for name, x in both.items() if not name.startswith("C2")}
        second = first | {name.replace("2", ""): x for name, x in both.items() if name.startswith("C2")}
        y, h = FORWARD[system](SimpleNamespace(**both), u, h0, reverse, states=True)
        y1, h1 = FORWARD[system](SimpleNamespace(**first), u, h0[:, 0], reverse, states=True)
        y2, h2 = FORWARD[system](SimpleNamespace(**second), u, h0[:, 1], not reverse, states=True)
        assert (y == y1 + y2).all()
        if make is without_sums or system == "lru":  # x = P s sums over more rows at once than each direction alone
            assert_same_bits(h, np.stack([h1, h2], 2))


@every_dtype
@every_direction
@every_system
def test_without_a_batch_axis_and_again_the_bits_are_the_same(system, dtype, reverse, bidirectional):
    params, *arrays = problem(system, bidirectional, dtype, batch=1)
    batched, again = (results(system, params, *arrays, reverse) for _ in range(2))
    alone = results(system, params, *(x[0] for x in arrays), reverse)
    for name, expected in batched.items():
        assert_same_bits(again[name], expected)
        assert_same_bits(alone[name], expected[0] if name in ("y", "h", "u_bar", "h0_bar") else expected)


@every_dtype
@every_system
def test_out_is_filled_and_returned_and_inputs_are_untouched(system, dtype):
    params, u, h0, y_bar = problem(system, True, dtype)
    before = [x.copy() for x in (*vars(params).values(), u, h0, y_bar)]
    expected, out = FORWARD[system](params, u, h0), np.full_like(u, np.nan)
    assert FORWARD[system](params, u, h0, out=out) is out
    assert_same_bits(out, expected)
    returned, _ = FORWARD[system](params, u[0], h0[0], out=out[1], states=True)
    assert_same_bits(out[1], returned)
    VJP[system](params, u, y_bar, h0)
    for x, copy in zip((*vars(params).values(), u, h0, y_bar), before, strict=True):
        assert_same_bits(x, copy)


@every_dtype
@every_system
def test_no_start_is_a_start_of_zeros(system, dtype):
    params, u, h0, y_bar = problem(system, True, dtype)
    none, zeros = (results(system, params, u, start, y_bar, False) for start in (None, 0 * h0))
    for name in none:
        assert_same_bits(none[name], zeros[name])


def test_a_real_start_of_lru_is_a_complex_one():
    params, u, h0, _ = problem("lru")
    assert_same_bits(layers.lru(params, u, h0.real), layers.lru(params, u, h0.real.astype("complex64")))


@every_system
@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_values_that_are_not_finite_pass_silently_and_never_into_the_past(system, value):
    params, u, h0, y_bar = problem(system)
    spoilt = u.copy()
    spoilt[0, 5] = value
    found, expected = (results(system, params, x, h0, y_bar, False) for x in (spoilt, u))
    assert_same_bits(found["y"][0, :5], expected["y"][0, :5])
    assert_same_bits(found["y"][1], expected["y"][1])
    assert not np.isfinite(found["y"][0, 5:]).any()
    assert_same_bits(found["u_bar"], expected["u_bar"])


@every_system
@pytest.mark.parametrize(("batch", "time"), [(0, 9), (2, 0)])
def test_empty_inputs_have_empty_outputs_and_no_gradient(system, batch, time):
    params, u, h0, y_bar = problem(system, True, "float64", batch, time)
    found = results(system, params, u, h0, y_bar, False)
    assert (found["y"].shape, found["h"].shape[:3]) == ((batch, time, 3), (batch, time, 2))
    for name in found.keys() - {"y", "h"}:
        assert not found[name].any(), name


# Refused input


def lru_call(u=None, h0=None, out=None, y_bar=None, reverse=False, **changes):
    params, inputs, *_ = problem("lru", dtype="float64")
    params, u = SimpleNamespace(**(vars(params) | changes)), inputs if u is None else u
    return layers.lru(params, u, h0, reverse, out) if y_bar is None else layers.lru_vjp(params, u, y_bar, h0, reverse)


def rotrnn_call(u=None, h0=None, out=None, y_bar=None, reverse=False, **changes):
    params, inputs, *_ = problem("rotrnn", dtype=changes.pop("dtype", "float64"))
    params, u = SimpleNamespace(**(vars(params) | changes)), inputs if u is None else u
    return layers.rotrnn(params, u, h0, reverse, out) if y_bar is None else layers.rotrnn_vjp(params, u, y_bar, h0, reverse)


U = problem("lru", dtype="float64")[1]
READ_ONLY = np.empty_like(U)
READ_ONLY.flags.writeable = False
ANY = np.ones
BOTH = [
    ({"u": [1.0]}, TypeError, "u must be a NumPy array, found list"),
    ({"u": U.astype("float32")}, TypeError, "u must have dtype float64 as D has, found float32"),
    ({"u": ANY(3)}, ValueError, "u must have axes (batch, time, width) or (time, width), found shape (3,)"),
    ({"u": ANY((2, 9, 4))}, ValueError, "the width axis of u has length 4, expected 3 as in "),
    ({"D": None}, TypeError, "D must be a NumPy array, found NoneType"),
    ({"D": ANY(3, "float16")}, TypeError, "D must have dtype float32 or float64, found float16"),
    ({"D": ANY(4)}, ValueError, "the width axis of "),
    ({"D": ANY((3, 1))}, ValueError, "D must have axes (width), found shape (3, 1)"),
    ({"D": np.array([1, np.nan, 1])}, ValueError, "D must be finite, found nan at index (1,)"),
    ({"reverse": 1}, TypeError, "reverse must be True or False, found int"),
    ({"y_bar": ANY((2, 8, 3))}, ValueError, "the time axis of y_bar has length 8, expected 9 as in u"),
    ({"y_bar": ANY((9, 3))}, ValueError, "y_bar must have axes (batch, time, width), found shape (9, 3)"),
    ({"y_bar": ANY((2, 9, 3), "float32")}, TypeError, "y_bar must have dtype float64 as D has, found float32"),
    ({"out": ANY((2, 9, 2))}, ValueError, "the width axis of out has length 2, expected 3 as in "),
    ({"out": ANY((2, 9, 3), "float32")}, TypeError, "out must have dtype float64 as D has, found float32"),
    ({"out": READ_ONLY}, ValueError, "out must be writable, aligned and C-contiguous, found an array that is not writable"),
    ({"u": U, "out": U}, ValueError, "out must share no memory with u, found an overlap"),
]
LRU = [
    ({"nu_log": ANY(4)}, ValueError, "the state axis of theta_log has length 5, expected 4 as in nu_log"),
    ({"C_im": ANY((2, 5))}, ValueError, "the width axis of C_im has length 2, expected 3 as in B_re"),
    ({"B_im": ANY((5, 3), "float32")}, TypeError, "B_im must have dtype float64 as D has, found float32"),
    ({"C2_re": ANY((3, 5))}, ValueError, "C2_re and C2_im must be given together, found no C2_im"),
    ({"nu_log": ANY(5) * -np.inf}, ValueError, "nu_log must be finite and have a finite exp that is not zero, found -inf at"),
    ({"theta_log": ANY(5) * 1000}, ValueError, "theta_log must be finite and have a finite exp that is not zero, found 1000.0"),
    ({"gamma_log": ANY(5) * -1000}, ValueError, "gamma_log must be finite and have a finite exp that is not zero, found -1000.0"),
    ({"h0": ANY((3, 5))}, ValueError, "the batch axis of h0 has length 3, expected 2 as in u"),
    ({"h0": ANY((2, 5), "complex64")}, TypeError, "h0 must have dtype float64 or complex128 to go with D, found complex64"),
    ({"C2_re": ANY((3, 5)), "C2_im": ANY((3, 5)), "h0": ANY((2, 5))}, ValueError, "h0 must have axes (batch, directions, state)"),
    (
        {"C2_re": ANY((3, 5)), "C2_im": ANY((3, 5)), "h0": ANY((2, 3, 5))},
        ValueError,
        "the directions axis of h0 has length 3, expected 2 as in C and C2",
    ),
]
ROTRNN = [
    ({"M": ANY((2, 3, 3))}, ValueError, "the head_dim axis of M must have an even length, found 3"),
    ({"M": ANY((2, 4, 2))}, ValueError, "the head_dim axis of M has length 2, expected 4 as in M"),
    ({"theta": ANY((2, 4))}, ValueError, "the pairs axis of theta has length 4, expected 2 as in half the head_dim of M"),
    ({"gamma_log": ANY((2, 1))}, ValueError, "gamma_log must have axes (heads), found shape (2, 1)"),
    ({"B": ANY((3, 4, 3))}, ValueError, "the heads axis of B has length 3, expected 2 as in M"),
    ({"C": ANY((3, 4))}, ValueError, "the features axis of C has length 4, expected 8 as in heads * head_dim of M"),
    ({"C2": ANY((2, 8))}, ValueError, "the width axis of C2 has length 2, expected 3 as in B"),
    ({"h0": ANY((2, 2, 4)) * 1j}, TypeError, "h0 must have dtype float64 to go with D, found complex128"),
    ({"gamma_log": ANY(2) * -40}, ValueError, "gamma_log must give 0 < gamma < 1 for gamma = exp(-exp(gamma_log)), found -40.0"),
    ({"gamma_log": ANY(2) * 7}, ValueError, "gamma_log must give 0 < gamma < 1 for gamma = exp(-exp(gamma_log)), found 7.0"),
    ({"B": 0 * ANY((2, 4, 3))}, ValueError, "B must have a finite tr(B^T B) > 0, by which xi divides, found 0.0 in head 0"),
    ({"B": ANY((2, 4, 3)) * 1e200}, ValueError, "B must have a finite tr(B^T B) > 0, by which xi divides, found inf in head 0"),
]
REFUSED = [(call, *case) for call, cases in ((lru_call, BOTH + LRU), (rotrnn_call, BOTH + ROTRNN)) for case in cases]


@pytest.mark.parametrize(("call", "change", "kind", "words"), REFUSED)
def test_bad_arguments_are_named_in_one_line(call, change, kind, words):
    call()
    with pytest.raises(kind) as found:
        call(**change)
    assert str(found.value).startswith(words)
    assert "\n" not in str(found.value)


def test_a_decay_may_round_to_one_in_float32_only():
    rotrnn_call(gamma_log=np.full(2, -20.0))
    with pytest.raises(ValueError, match=r"^gamma_log must give .*, found -20\.0 in head 0, where it rounds to 1\.0$"):
        rotrnn_call(dtype="float32", gamma_log=np.full(2, -20.0, "float32"))

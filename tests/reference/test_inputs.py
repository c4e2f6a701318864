"""Arguments of a scan: what is accepted, and what the one line says about what is not."""

import re

import numpy as np
import pytest
from scans import Ieee, Machine, exact, states

from scanproof.reference.allowance.scans import inputs_of
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.formats import DTYPES
from scanproof.reference.call import called
from scanproof.reference.inputs import Inputs
from scanproof.reference.systems.scan import SYSTEM
from scanproof.reference.transitions.diagonal import scan

b = np.ones((2, 5, 3), np.float32)
lam = np.full(3, 0.5, np.float32)
h0 = np.zeros((2, 3), np.float32)


def holed(x, value, index):
    x = x.copy()
    x[index] = value
    return x


GOOD = {"lam": lam, "b": b}
BAD = [
    (TypeError, {"reverse": 1}, "reverse: found 1, expected True or False"),
    (TypeError, {"b": b.tolist()}, "b: found list, expected a NumPy array of dtype float32"),
    (TypeError, {"lam": 0.5}, "lam: found float, expected a NumPy array of dtype float32"),
    (TypeError, {"lam": np.float32(0.5)}, "lam: found float32, expected a NumPy array of dtype float32"),
    (TypeError, {"b": b.astype(float)}, "b: found dtype float64, expected float32 as declared; convert it explicitly"),
    (TypeError, {"b": b.astype(int)}, "b: found dtype int64, expected float32"),
    (TypeError, {"b": b.astype(object)}, "b: found dtype object, expected float32"),
    (TypeError, {"b": b.astype("complex64")}, "b: found dtype complex64, expected float32"),
    (TypeError, {"lam": lam.astype(float)}, "lam: found dtype float64, expected float32"),
    (TypeError, {"lam": lam.astype("complex64")}, "lam: found dtype complex64, expected float32"),
    (TypeError, {"h0": h0.astype(float)}, "h0: found dtype float64, expected float32"),
    (ValueError, {"b": b[0, 0]}, "b: found shape (3,), expected (batch, time, channels) or (time, channels)"),
    (ValueError, {"h0": h0[0]}, "h0: found shape (3,), expected (batch, channels)"),
    (ValueError, {"lam": lam[:2]}, "lam: found channels 2 in shape (2,), expected channels 3 as in b"),
    (ValueError, {"lam": b[:, :4]}, "lam: found time 4 in shape (2, 4, 3), expected time 5 as in b"),
    (ValueError, {"lam": b[:, :, :2]}, "lam: found channels 2 in shape (2, 5, 2), expected channels 3 as in b"),
    (ValueError, {"lam": b[0]}, "lam: found shape (5, 3), expected (channels) or (batch, time, channels)"),
    (ValueError, {"lam": np.array(0.5, np.float32)}, "lam: found shape (), expected (channels) or (batch, time, channels)"),
    (ValueError, {"h0": h0[:1]}, "h0: found batch 1 in shape (1, 3), expected batch 2 as in b"),
    (ValueError, {"b": holed(b, np.nan, (1, 2, 0))}, "b: found nan at index (1, 2, 0), expected finite numbers"),
    (ValueError, {"lam": holed(lam, -np.inf, 1)}, "lam: found -inf at index (1,), expected finite numbers"),
    (ValueError, {"h0": holed(h0, np.inf, (0, 2))}, "h0: found inf at index (0, 2), expected finite numbers"),
]


@pytest.mark.parametrize(("error", "change", "message"), BAD, ids=[message for _, _, message in BAD])
def test_bad_arguments_are_named(error, change, message):
    with pytest.raises(error, match="^" + re.escape(message)) as raised:
        called(SYSTEM, GOOD | change, "float32")
    assert "\n" not in str(raised.value)


def test_the_wrong_part_of_a_complex_number_is_found():
    z = b.astype("complex64")
    with pytest.raises(ValueError, match=r"^b: found .*nan.* at index"):
        called(SYSTEM, {"lam": lam.astype("complex64"), "b": holed(z, complex(0, np.nan), (0, 0, 0))}, "complex64")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("batch", [(), (2,), (1,)])
def test_good_arguments_pass_unchanged(dtype, batch):
    x, start = np.ones((*batch, 5, 3), dtype), np.ones((*batch, 3), dtype)
    for multiplier in (x, np.ones(3, dtype), np.ones(3, Arithmetic(dtype).real_dtype)):
        call = called(SYSTEM, {"lam": multiplier, "b": x, "h0": start, "reverse": np.True_}, dtype)
        assert (call["lam"] is multiplier, call["b"] is x, call["h0"] is start) == (True,) * 3
        assert call.reverse is True
        inputs = inputs_of(call)
        assert (inputs.b.shape, inputs.start.shape, inputs.reverse) == ((*(batch or (1,)), 5, 3), (*(batch or (1,)), 3), True)
        assert inputs.varying == (multiplier is x)
    start = inputs_of(called(SYSTEM, {"lam": x, "b": x}, dtype)).start
    assert (start.dtype, start.any()) == (dtype, False)


@pytest.mark.parametrize("varying", [False, True])
def test_forward_is_the_same_problem_with_time_flipped(varying):
    rng = np.random.default_rng(varying)
    x, start = rng.standard_normal((2, 6, 3)), rng.standard_normal((2, 3))
    factors = rng.standard_normal((2, 6, 3) if varying else 3)
    inputs = Inputs(factors, x, start, True)
    flipped = inputs.forward()
    assert not flipped.reverse
    assert np.array_equal(scan(flipped.lam, x[:, ::-1], start)[:, ::-1], scan(factors, x, start, True))
    assert np.array_equal(flipped.b, x[:, ::-1])
    assert flipped.forward() is flipped


def test_reverse_by_hand():
    """h_3 = lam h0 + b_3, h_2 = lam h_3 + b_2, h_1 = lam h_2 + b_1; in the definition, exactly, and as machines run it."""
    factors, x, start = np.array([2.0]), np.array([[[1.0], [10.0], [100.0]]]), np.array([[3.0]])
    inputs = Inputs(factors, x, start, True)
    expected = np.array([[[1 + 2 * 222.0], [10 + 2 * 106.0], [106.0]]])
    assert np.array_equal(scan(factors, x, start, True), expected)
    assert np.array_equal(states("doubling", Machine(Ieee("float64")), inputs), expected)
    assert [z.re * 2.0**-z.s for z in exact(inputs).flat] == expected.ravel().tolist()

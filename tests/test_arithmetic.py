"""The declared arithmetic: its words, its constants, and whether single operations keep to them."""

import dataclasses
import itertools
import re

import numpy as np
import pytest
from scans import COMPLEX_STEPS, NATIVE, UNCONTRACTED, Machine, Tiny, declare_tiny

from scanproof.reference import operations as operations_module
from scanproof.reference.arithmetic import BRACKETINGS as ORDERS
from scanproof.reference.arithmetic import SUBNORMALS, UNMODELLED_ORDERS, Arithmetic


@pytest.mark.parametrize("dtype", NATIVE)
def test_a_dtype_may_be_named_in_any_way_that_numpy_knows(dtype):
    same = {Arithmetic(dtype), Arithmetic(np.dtype(dtype)), Arithmetic(getattr(np, dtype))}
    assert len(same) == 1
    assert Arithmetic(dtype).is_complex == dtype.startswith("complex")
    assert Arithmetic(dtype).real_dtype in ("float32", "float64")


def test_defaults_admit_the_most():
    assert dataclasses.astuple(Arithmetic("float32")) == ("float32", "gradual", True, "any", None, "output", None, "nearest", 1.0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        Arithmetic("float32").order = "tree"


WRONG = [
    ({"dtype": "int32"}, "dtype: found 'int32', expected one of float16, bfloat16, float32, float64, complex64, complex128"),
    ({"dtype": int}, "dtype: found 'int64', expected one of float16"),
    ({"dtype": "longdouble"}, "dtype: found 'longdouble', expected one of"),
    ({"dtype": "nonsense"}, "dtype: found 'nonsense', expected one of"),
    ({"dtype": 3}, "dtype: found 3, expected one of"),
    ({"subnormals": "flush"}, "subnormals: found 'flush', expected one of gradual, ftz, daz"),
    ({"subnormals": None}, "subnormals: found None, expected one of"),
    ({"contraction": 1}, "contraction: found 1, expected True or False"),
    ({"contraction": "any"}, "contraction: found 'any', expected True or False"),
    ({"order": "random"}, "order: found 'random', expected one of any, sequential, chunked:L, tree"),
    ({"order": None}, "order: found None, expected one of"),
    ({"order": "chunked:L"}, "order: found 'chunked:L', expected chunked:L with a chunk length L >= 1"),
]
WRONG += [({"order": f"chunked{end}"}, f"order: found 'chunked{end}', expected ") for end in ("", ":", ":0", ":-4", ":2.5", ":²")]


@pytest.mark.parametrize(("declared", "message"), WRONG, ids=[str(declared) for declared, _ in WRONG])
def test_bad_words_are_named(declared, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)) as error:
        Arithmetic(**({"dtype": "float32"} | declared))
    assert "\n" not in str(error.value)


def test_chunk_lengths():
    assert Arithmetic("float32", order="chunked:16").chunk == 16
    assert [Arithmetic("float32", order=order).chunk for order in ("any", "tree", "sequential")] == [None] * 3


def test_what_is_not_modelled_says_so():
    for order in UNMODELLED_ORDERS:
        assert Arithmetic("float32", order=order).unmodelled == f"no allowance is known for order {order}"
    orders = [order.replace("L", "8") for order in ORDERS]
    assert all(Arithmetic(*words).unmodelled is None for words in itertools.product(NATIVE, SUBNORMALS, (True, False), orders))


def test_a_declaration_reads_well():
    assert str(Arithmetic("float32", "ftz", order="tree")) == "float32, ftz subnormals, any contraction, order tree"
    assert "no contraction" in str(Arithmetic("complex64", contraction=False))


@pytest.mark.parametrize(
    ("dtype", "u", "eta", "omega"), [("float32", 2.0**-24, 2.0**-150, 2.0**-126), ("float64", 2.0**-53, 2.0**-1074, 2.0**-1022)]
)
def test_constants_of_ieee_formats(dtype, u, eta, omega):
    ops = Arithmetic(dtype).roundings(False)
    assert (ops.u, ops.c, ops.beta, ops.product_loss, ops.sum_loss) == (u, 1, u, eta, 0)
    assert (ops.largest, ops.significand_bits) == (float(np.finfo(dtype).max), 1 - int(np.log2(u)) - 1)
    flushed = Arithmetic(dtype, "ftz").roundings(False)
    assert (flushed.product_loss, flushed.sum_loss) == (omega, omega)
    assert Arithmetic(dtype, "daz").roundings(False) == flushed


# ---------------------------------------------------------------- hypotheses of the theorem, exhausted in tiny formats


def operands(tiny, count=None):
    """All pairs of complex numbers of the format (or `count` drawn ones), as two arrays."""
    values = tiny.values(2)
    if count is None:
        a, b, c, d = (x.ravel() for x in np.meshgrid(*[values] * 4))
    else:
        a, b, c, d = np.random.default_rng(0).choice(values, (4, count))
    return a + 1j * b, c + 1j * d


def losses(machine, z, w, x, ops):
    """|fl(x + z w) - (x + z w)| and what one step of the theorem allows; both exact or rounded by a few units of 2^-53."""
    error = np.abs(machine.step(z, w, x) - (x + z * w))
    product = ops.beta * np.abs(z * w) + ops.product_loss
    grown = (1 + ops.u) ** ops.c
    return error, grown * product + (grown - 1) * np.abs(x + 0 * z) + grown * (grown - 1) * np.abs(z * w) + 2 * ops.sum_loss


@pytest.mark.parametrize("subnormals", ["gradual", "ftz"])
@pytest.mark.parametrize("p", [2, 3, 4])
@pytest.mark.parametrize("name", COMPLEX_STEPS)
def test_complex_operations_keep_to_their_constants(monkeypatch, name, p, subnormals):
    tiny = Tiny(p, -1)
    declare_tiny(monkeypatch, tiny)
    ops = Arithmetic("complex128", subnormals, name not in UNCONTRACTED).roundings(True)
    machine, slack = Machine(tiny, name, "w" if subnormals == "ftz" else ""), 1 + 2.0**-40
    z, w = operands(tiny, None if p < 4 else 200_000)
    error = np.abs(machine.product(z, w) - z * w)
    assert (error <= (ops.beta * np.abs(z * w) + ops.product_loss) * slack).all()
    assert subnormals == "ftz" or (error > (ops.beta * np.abs(z * w) + ops.product_loss) / 8).any()
    error, allowed = losses(machine, z, w, np.random.default_rng(1).permutation(z), ops)
    assert (error <= allowed * slack).all()


@pytest.mark.parametrize("p", [2, 3, 4, 5, 6])
def test_real_operations_keep_to_their_constants_and_no_less(monkeypatch, p):
    tiny = Tiny(p, -2)
    declare_tiny(monkeypatch, tiny)
    ops = Arithmetic("float64").roundings(False)
    x, y = (v.ravel() for v in np.meshgrid(*[tiny.values(2)] * 2))
    assert (np.abs(tiny.add(x, y) - (x + y)) <= ops.u * np.abs(x + y)).all()
    error, size = np.abs(tiny.mul(x, y) - x * y), np.abs(x * y)
    assert (error <= np.maximum(ops.beta * size, ops.product_loss)).all()
    assert (error > ops.beta * size).any()
    assert (error == ops.product_loss).any()


def test_the_tiny_format_is_what_the_arithmetic_means(monkeypatch):
    tiny = Tiny(3, -2)
    declare_tiny(monkeypatch, tiny)
    assert Arithmetic("float64").omega == tiny.omega
    ops = Arithmetic("float64").roundings(False)
    assert (ops.u, ops.product_loss, ops.significand_bits) == (2.0**-3, 2.0**-5, 3)
    assert tiny.values(0.5).tolist() == [-0.5, *(-x / 16 for x in (7, 6, 5, 4, 3, 2, 1)), 0, *(x / 16 for x in range(1, 9))]
    assert operations_module.TINY == 2.0**-1074

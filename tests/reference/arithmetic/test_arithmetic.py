"""The declared arithmetic: its words, its constants, and whether single operations keep to them."""

import dataclasses
import itertools
import re

import numpy as np
import pytest
from scans import COMPLEX_STEPS, NATIVE, UNCONTRACTED, Machine, Tiny, tiny_dtype
from thresholds import FLOAT64

from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.operations import TINY, roundings
from scanproof.reference.arithmetic.vocabulary import BRACKETINGS as ORDERS
from scanproof.reference.arithmetic.vocabulary import SUBNORMALS, UNMODELLED_ORDERS
from scanproof.reference.systems import SYSTEMS
from scanproof.reference.systems import declared as declared_of


@pytest.mark.parametrize("dtype", NATIVE)
def test_a_dtype_may_be_named_in_any_way_that_numpy_knows(dtype):
    same = {Arithmetic(dtype), Arithmetic(np.dtype(dtype)), Arithmetic(getattr(np, dtype))}
    assert len(same) == 1
    assert Arithmetic(dtype).is_complex == dtype.startswith("complex")
    assert Arithmetic(dtype).real_dtype in ("float32", "float64")


def test_defaults_admit_the_most():
    assert dataclasses.astuple(Arithmetic("float32")) == (
        *("float32", "gradual", True, "any", None, "output", None, "nearest", 1.0),
        *(None, "any", "any", "default", "expm1"),
    )
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
WRONG += [
    ({"subnormals": ""}, "subnormals: found '', expected one of gradual, ftz, daz"),
    ({"accumulate": "float16"}, "accumulate: found 'float16', expected float64, wider than float32"),
    ({"accumulate": "complex64"}, "accumulate: found 'complex64', expected float64, wider than float32"),
    ({"accumulate": "float8"}, "accumulate: found 'float8', expected float64, wider than float32"),
    ({"accumulate": 3}, "accumulate: found 3, expected one of float16"),
    ({"dtype": "float64", "accumulate": "float32"}, "accumulate: found 'float32', expected float64, the widest"),
    ({"dtype": "float64", "accumulate": "longdouble"}, "accumulate: found 'longdouble', expected float64, the widest"),
    ({"dtype": "float16", "accumulate": "bfloat16"}, "accumulate: found 'bfloat16', expected float32 or float64, wider"),
    ({"dtype": "bfloat16", "accumulate": "float16"}, "accumulate: found 'float16', expected float32 or float64, wider"),
    ({"dtype": "complex64", "accumulate": "float64"}, "accumulate: found 'float64', expected complex128, wider than complex64"),
    ({"dtype": "complex128", "accumulate": "complex64"}, "accumulate: found 'complex64', expected complex128, the widest"),
    ({"store": "always"}, "store: found 'always', expected one of output, step, chunk"),
    ({"store": None}, "store: found None, expected one of output, step, chunk"),
    ({"store": "step"}, "store: found 'step' with order any, expected order sequential"),
    ({"store": "step", "order": "tree"}, "store: found 'step' with order tree, expected order sequential"),
    ({"store": "step", "order": "chunked:4"}, "store: found 'step' with order chunked:4, expected order sequential"),
    ({"store": "step", "order": "fft"}, "store: found 'step' with order fft, expected order sequential"),
    ({"store": "chunk"}, "store: found 'chunk' with order any, expected order chunked:L"),
    ({"store": "chunk", "order": "sequential"}, "store: found 'chunk' with order sequential, expected order chunked:L"),
    ({"store": "chunk", "order": "polar:4"}, "store: found 'chunk' with order polar:4, expected order chunked:L"),
    ({"store": "chunk", "order": "segment-exp:4"}, "store: found 'chunk' with order segment-exp:4, expected order chunked:L"),
    ({"operands": "tf19"}, "operands: found 'tf19', expected one of tf32"),
    ({"operands": "tf32", "dtype": "float64"}, "operands: found 'tf32' with products in float64, expected float32"),
    ({"operands": "tf32", "dtype": "float16"}, "operands: found 'tf32' with products in float16, expected float32 or complex64"),
    ({"operands": "tf32", "accumulate": "float64"}, "operands: found 'tf32' with products in float64, expected float32"),
    ({"operands": "tf32", "dtype": "complex128"}, "operands: found 'tf32' with products in complex128, expected float32 or"),
    ({"rounding": "up"}, "rounding: found 'up', expected one of nearest, truncate, matrix"),
    ({"rounding": None}, "rounding: found None, expected one of nearest, truncate, matrix"),
    ({"order": "angle-sum", "assumed": 0}, "assumed: found 0, expected a positive factor"),
    ({"order": "angle-sum", "assumed": -1.0}, "assumed: found -1.0, expected a positive factor"),
    ({"order": "angle-sum", "assumed": float("inf")}, "assumed: found inf, expected a positive factor"),
    ({"order": "angle-sum", "assumed": float("nan")}, "assumed: found nan, expected a positive factor"),
    ({"order": "angle-sum", "assumed": "4"}, "assumed: found '4', expected a positive factor"),
    ({"order": "angle-sum", "assumed": True}, "assumed: found True, expected a positive factor"),
    ({"assumed": 2}, "assumed: found 2 with order any, expected 1: nothing is assumed there"),
    ({"order": "scaled-cumsum", "assumed": 2.0}, "assumed: found 2.0 with order scaled-cumsum, expected 1: nothing"),
    ({"order": "polar"}, "order: found 'polar', expected polar:L with a chunk length L >= 1"),
    ({"order": "polar:0"}, "order: found 'polar:0', expected polar:L with a chunk length L >= 1"),
    ({"order": "segment-exp:x"}, "order: found 'segment-exp:x', expected segment-exp:L with a chunk length L >= 1"),
    ({"order": "fft:4"}, "order: found 'fft:4', expected one of"),
    ({"order": "tree:4"}, "order: found 'tree:4', expected one of"),
]
WRONG += [({"order": f"chunked{end}"}, f"order: found 'chunked{end}', expected ") for end in ("", ":", ":0", ":-4", ":2.5", ":²")]


@pytest.mark.parametrize(("declared", "message"), WRONG, ids=[str(declared) for declared, _ in WRONG])
def test_bad_words_are_named(declared, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)) as error:
        declared_of(SYSTEMS["scan"], Arithmetic(**({"dtype": "float32"} | declared)))
    assert "\n" not in str(error.value)


def test_chunk_lengths():
    assert Arithmetic("float32", order="chunked:16").chunk == 16
    assert [Arithmetic("float32", order=order).chunk for order in ("any", "tree", "sequential")] == [None] * 3


def test_what_is_not_modelled_says_so():
    for order in UNMODELLED_ORDERS:
        assert Arithmetic("float32", order=order).unmodelled == f"no allowance is known for order {order}"
    orders = [order.replace("L", "8") for order in ORDERS]
    assert all(Arithmetic(*words).unmodelled is None for words in itertools.product(NATIVE, SUBNORMALS, (True, False), orders))


def test_declarations_that_fit_each_other():
    """What contradicts nothing is taken as it is; accumulating in the dtype itself is no wider accumulation."""
    assert Arithmetic("float32", accumulate="float32") == Arithmetic("float32")
    assert Arithmetic("float16", accumulate=np.float32).inner == "float32"
    assert Arithmetic("bfloat16", accumulate="float32", operands="tf32").inner == "float32"
    assert roundings(Arithmetic("complex64", operands="tf32"), True).operand == 2.0**-10
    assert Arithmetic("float32", order="chunked:004", store="chunk") == Arithmetic("float32", order="chunked:4", store="chunk")
    assert Arithmetic("float32", order="polar:8", assumed=2).chunk == 8


def test_the_other_algorithms_are_modelled_in_plain_arithmetic_only():
    for order in ("angle-sum", "polar:4", "scaled-cumsum", "segment-exp:4", "log-space", "fft"):
        assert Arithmetic("float32", order=order).unmodelled is None
        for name, value in (("subnormals", "daz"), ("accumulate", "float64"), ("operands", "tf32"), ("rounding", "matrix")):
            declared = Arithmetic("float32", order=order, **{name: value})
            assert declared.unmodelled == f"no allowance is known for order {order} with {name} {value}"


@pytest.mark.parametrize(
    ("declared", "coarse"),
    [
        ({"dtype": "bfloat16"}, True),
        ({"dtype": "float16"}, True),
        ({"dtype": "float32"}, False),
        ({"dtype": "float32", "operands": "tf32"}, True),
        ({"dtype": "bfloat16", "accumulate": "float32"}, False),
        ({"dtype": "bfloat16", "accumulate": "float32", "order": "sequential", "store": "step"}, True),
        ({"dtype": "float32", "accumulate": "float64", "order": "sequential", "store": "step"}, False),
    ],
    ids=str,
)
def test_coarse_is_what_carries_few_bits(declared, coarse):
    assert Arithmetic(**declared).coarse == coarse


def test_a_declaration_reads_well():
    full = Arithmetic("bfloat16", order="chunked:8", accumulate="float32", store="chunk", operands="tf32", rounding="matrix")
    said = "bfloat16, gradual subnormals, any contraction, order chunked:8, accumulate float32, store chunk"
    assert str(full) == f"{said}, operands tf32, rounding matrix"
    assert str(Arithmetic("float32", order="fft", assumed=4.0)).endswith("order fft, assumed 4.0")
    assert str(Arithmetic("float32", "ftz", order="tree")) == "float32, ftz subnormals, any contraction, order tree"
    assert "no contraction" in str(Arithmetic("complex64", contraction=False))


@pytest.mark.parametrize(
    ("dtype", "u", "eta", "omega"), [("float32", 2.0**-24, 2.0**-150, 2.0**-126), ("float64", 2.0**-53, 2.0**-1074, 2.0**-1022)]
)
def test_constants_of_ieee_formats(dtype, u, eta, omega):
    ops = roundings(Arithmetic(dtype), False)
    assert (ops.u, ops.c, ops.beta, ops.product_loss, ops.sum_loss) == (u, 1, u, eta, 0)
    assert (ops.largest, ops.significand_bits) == (float(np.finfo(dtype).max), 1 - int(np.log2(u)) - 1)
    flushed = roundings(Arithmetic(dtype, "ftz"), False)
    assert (flushed.product_loss, flushed.sum_loss) == (omega, omega)
    assert roundings(Arithmetic(dtype, "daz"), False) == flushed


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
def test_complex_operations_keep_to_their_constants(name, p, subnormals):
    tiny = Tiny(p, -1)
    ops = roundings(Arithmetic(tiny_dtype(tiny, "complex128"), subnormals, name not in UNCONTRACTED), True)
    machine, slack = Machine(tiny, name, "w" if subnormals == "ftz" else ""), 1 + FLOAT64
    z, w = operands(tiny, None if p < 4 else 200_000)
    error = np.abs(machine.product(z, w) - z * w)
    assert (error <= (ops.beta * np.abs(z * w) + ops.product_loss) * slack).all()
    assert subnormals == "ftz" or (error > (ops.beta * np.abs(z * w) + ops.product_loss) / 8).any()
    error, allowed = losses(machine, z, w, np.random.default_rng(1).permutation(z), ops)
    assert (error <= allowed * slack).all()


@pytest.mark.parametrize("p", [2, 3, 4, 5, 6])
def test_real_operations_keep_to_their_constants_and_no_less(p):
    tiny = Tiny(p, -2)
    ops = roundings(Arithmetic(tiny_dtype(tiny)), False)
    x, y = (v.ravel() for v in np.meshgrid(*[tiny.values(2)] * 2))
    assert (np.abs(tiny.add(x, y) - (x + y)) <= ops.u * np.abs(x + y)).all()
    error, size = np.abs(tiny.mul(x, y) - x * y), np.abs(x * y)
    assert (error <= np.maximum(ops.beta * size, ops.product_loss)).all()
    assert (error > ops.beta * size).any()
    assert (error == ops.product_loss).any()


def test_the_tiny_format_is_what_the_arithmetic_means():
    tiny = Tiny(3, -2)
    assert Arithmetic(tiny_dtype(tiny)).omega == tiny.omega
    ops = roundings(Arithmetic(tiny_dtype(tiny)), False)
    assert (ops.u, ops.product_loss, ops.significand_bits) == (2.0**-3, 2.0**-5, 3)
    assert tiny.values(0.5).tolist() == [-0.5, *(-x / 16 for x in (7, 6, 5, 4, 3, 2, 1)), 0, *(x / 16 for x in range(1, 9))]
    assert TINY == 2.0**-1074

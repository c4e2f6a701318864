"""Declared formats: 16 bits, wider accumulation, stored states, TF32 operands, truncation, matrix units.

Honest evaluations, simulated with every rounding in float64, never exceed the allowance; and each new term is needed.
"""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from scans import (
    COMPLEX_STEPS,
    OF_ORDER,
    REAL_STEPS,
    UNCONTRACTED,
    Ieee,
    Machine,
    Matrix,
    Soft,
    Tf32,
    chunked,
    exact,
    problem,
    sequential,
    states,
    stored_steps,
    tf32,
    worst,
)

from scanproof.properties.judge import judge
from scanproof.reference.arithmetic import SUBNORMALS, Arithmetic
from scanproof.reference.formats import COMPONENTS, DTYPES, WIDER, format_of
from scanproof.reference.inputs import Inputs
from scanproof.reference.rounding import allowance
from scanproof.reference.scan import scan
from scanproof.reference.truth import truth

FLUSHES = {"gradual": ("",), "ftz": ("", "w"), "daz": ("w", "r", "rw")}
SIZES = (1e-4, 0.5, 0.3, 1 - 2.0**-8, 1.0, 1.01, 1.5)  # of lam
BINADES = {  # of inputs: ordinary, subnormal, with subnormal products, large
    "float16": ((-6, 6), (-24, -14), (-9, -6), (7, 12)),
    "bfloat16": ((-6, 6), (-133, -120), (-70, -60), (80, 110)),
    "float32": ((-6, 6), (-149, -100), (-70, -60), (80, 110)),
}
REAL = tuple(BINADES)


# ---------------------------------------------------------------- formats


@pytest.mark.parametrize(
    ("dtype", "found"),
    [
        ("float16", (11, 2.0**-24, 2.0**-14, 65504.0)),
        ("bfloat16", (8, 2.0**-133, 2.0**-126, (2 - 2.0**-7) * 2.0**127)),
        ("float32", (24, 2.0**-149, 2.0**-126, (2 - 2.0**-23) * 2.0**127)),
        ("float64", (53, 2.0**-1074, 2.0**-1022, (2 - 2.0**-52) * 2.0**1023)),
    ],
)
def test_formats_are_those_of_their_standards(dtype, found):
    assert tuple(format_of(dtype)) == found
    for name, component in COMPONENTS.items():
        assert format_of(name) == format_of(component)


def test_wider_formats_hold_every_number():
    for dtype, wider in WIDER.items():
        narrow = format_of(dtype)
        for name in wider:
            form = format_of(name)
            assert (form.significand_bits, form.largest) > (narrow.significand_bits, narrow.largest)
            assert form.smallest_subnormal <= narrow.smallest_subnormal
    assert set(WIDER) == set(DTYPES)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_simulated_rounding_is_that_of_numpy(dtype):
    """Round to nearest as NumPy casts; truncation is the neighbour towards zero of an inexact result."""
    rng, nearest, truncating = np.random.default_rng(0), Soft(dtype), Soft(dtype, truncates=True)
    low = int(np.log2(format_of(dtype).smallest_subnormal)) - 2
    x = rng.standard_normal(20_000) * 2.0 ** rng.integers(low, 14, 20_000)
    cast = x.astype(dtype).astype(float)
    assert np.array_equal(nearest.round(x), cast)
    down = truncating.round(x)
    assert np.array_equal(down == cast, np.abs(cast) <= np.abs(x))
    assert ((np.abs(down) <= np.abs(x)) & (np.abs(x) - np.abs(down) < truncating.quantum(x))).all()
    y = np.roll(cast, 1)
    assert np.array_equal(nearest.add(cast, y), (cast.astype(np.longdouble) + y).astype(dtype).astype(float))


def test_tf32_keeps_11_bits():
    x = np.array([1 + 2.0**-10, 1 + 2.0**-11, -(2 - 2.0**-23), 2.0**-136, 2.0**-137, 3 * 2.0**-137])
    assert tf32(x).tolist() == [1 + 2.0**-10, 1, -(2 - 2.0**-10), 2.0**-136, 0, 2.0**-136]


def test_a_matrix_unit_forgets_what_is_below_the_last_place_of_the_larger_operand():
    unit = Matrix("float32")
    assert unit.add(np.array(1.0), np.array(-(1 - 2.0**-24))) == 2.0**-23  # 2^-24 is the difference
    assert unit.add(np.array(1.0), np.array(-(2.0**-24))) == 1
    assert unit.fma(np.array(3.0), np.array(2.0**-25), np.array(1.0)) == 1
    assert unit.mul(np.array(1 + 2.0**-23), np.array(1 + 2.0**-23)) == 1 + 2.0**-22


# ---------------------------------------------------------------- honest evaluations


def declarations(dtype):
    """Every new declaration of this dtype with every order that fits it."""
    component = COMPONENTS.get(dtype, dtype)
    kinds = [{"accumulate": wider} for wider in WIDER[dtype]] + [{}] * (component != "float32")
    if component == "float32":
        kinds += [{"operands": "tf32"}, {"rounding": "truncate"}, {"rounding": "matrix"}, {"operands": "tf32", "rounding": "matrix"}]
    else:
        kinds += [{"rounding": "truncate"}, {"accumulate": "float32", "operands": "tf32"},
                  {"accumulate": "float32", "rounding": "truncate"}, {"accumulate": "float32", "rounding": "matrix"}]  # fmt: skip
    for kind, order in itertools.product(kinds, OF_ORDER):
        stores = ["output"]
        if order == "sequential":
            stores.append("step")
        if order.startswith("chunked"):
            stores.append("chunk")
        yield from (kind | {"order": order, "store": store} for store in stores)


def machine_of(rng, arithmetic):
    """One of the machines that the declaration allows."""
    names = REAL_STEPS if not arithmetic.is_complex else COMPLEX_STEPS if arithmetic.contraction else UNCONTRACTED
    inner, flush = COMPONENTS.get(arithmetic.inner, arithmetic.inner), str(rng.choice(FLUSHES[arithmetic.subnormals]))
    if arithmetic.rounding == "matrix":
        form = Matrix(inner)
    else:
        form = Ieee("float64") if inner == "float64" else Soft(inner, arithmetic.rounding == "truncate")
    return (Tf32 if arithmetic.operands else Machine)(form, str(rng.choice(list(names))), flush)


def storing(arithmetic, machine):
    """How this machine rounds a state to the declared dtype."""
    form = Soft(arithmetic.real_dtype, arithmetic.rounding != "nearest")

    def component(x):
        x = form.round(x)
        return np.where(np.abs(x) < form.omega, 0, x) if "w" in machine.flush else x

    return lambda h: component(h.real) + 1j * component(h.imag) if np.iscomplexobj(h) else component(h)


def honest(arithmetic, machine, bracketing, inputs):
    """All states, as float64 or complex128 numbers of the declared dtype."""
    wide = [None if x is None else x.astype(np.complex128 if np.iscomplexobj(x) else np.float64)
            for x in (inputs.lam, inputs.b, inputs.h0)]  # fmt: skip
    if isinstance(machine, Tf32):
        wide[1] = tf32(wide[1])
    store = storing(arithmetic, machine)
    run = {"output": bracketing, "step": stored_steps(store), "chunk": chunked(arithmetic.chunk or 1, store=store)}
    return store(states(run[arithmetic.store], machine, Inputs(*wide, inputs.reverse)))


def bounds(inputs, arithmetic):
    """The allowance from the inputs alone, and that from the truth as well."""
    return allowance(inputs, arithmetic), allowance(inputs, arithmetic, truth(inputs))


CASES = [(dtype, rest) for dtype in (*REAL, "complex64") for rest in declarations(dtype)]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # overflow near the largest numbers is part of the campaign
@pytest.mark.parametrize("dtype", (*REAL, "complex64"))
def test_honest_evaluations_stay_within(dtype):
    rng, evaluated, largest = np.random.default_rng(DTYPES.index(dtype)), 0, {}
    for rest, subnormals, number in itertools.product(declarations(dtype), SUBNORMALS, range(4)):
        arithmetic = Arithmetic(dtype, subnormals, bool(rng.integers(2)), **rest)
        (low, high), size = BINADES[arithmetic.real_dtype][number], float(rng.choice(SIZES))
        time, (varying, h0, real) = int(rng.choice([1, 2, 5, 12])), rng.integers(2, size=3).astype(bool).tolist()
        inputs = problem(rng, arithmetic, size, (1, time, 2), varying=varying, h0=h0, zeros=rng.choice([0, 0.5]),
                         low=low, high=high, real_lam=real and arithmetic.is_complex)  # fmt: skip
        machine, bracketing = machine_of(rng, arithmetic), str(rng.choice(OF_ORDER[arithmetic.order]))
        got, h = honest(arithmetic, machine, bracketing, inputs), exact(inputs)
        finite = np.isfinite(got)
        for allowed in bounds(inputs, arithmetic):
            assert not (allowed.no_overflow & ~finite).any(), (arithmetic, bracketing, machine, inputs)
            ratio = worst(got[finite], h[finite], allowed.bound[finite])
            assert ratio <= 1, (arithmetic, bracketing, machine, inputs, float(ratio) ** 0.5)
        kind = tuple(sorted((key, value) for key, value in rest.items() if key != "order"))
        evaluated, largest[kind] = evaluated + int(finite.sum()), max(largest.get(kind, 0), ratio)
    print(dtype, evaluated, {kind: round(float(ratio) ** 0.5, 3) for kind, ratio in largest.items()})
    assert evaluated > 1000
    assert max(largest.values()) > Fraction(1, 4)  # (error/allowance)^2: the allowance is nearly used up somewhere

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
    combine,
    exact,
    problem,
    sequential,
    states,
    stored_steps,
    tf32,
    verdict_of,
    worst,
)
from thresholds import HALF_USED

from scanproof.properties.judge import judge
from scanproof.reference.allowance.rounding import allowance
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.error_model import ErrorModel
from scanproof.reference.arithmetic.formats import COMPONENTS, DTYPES, WIDER, format_of
from scanproof.reference.arithmetic.vocabulary import SUBNORMALS
from scanproof.reference.inputs import Inputs
from scanproof.reference.transitions.diagonal import scan
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
    assert format_of(dtype)[:4] == found
    assert str(format_of(dtype)) == dtype
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
        kinds += [{"operands": "tf32"}, {"rounding": "truncate"}, {"rounding": "matrix"},
                  {"operands": "tf32", "rounding": "matrix"}]  # fmt: skip
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


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # overflow near the largest numbers is part of the campaign
@pytest.mark.parametrize("dtype", [*REAL, "complex64"])
def test_honest_evaluations_stay_within(dtype):
    rng, evaluated, largest = np.random.default_rng(DTYPES.index(dtype)), 0, {}
    for rest, subnormals, number in itertools.product(declarations(dtype), SUBNORMALS, range(8)):
        arithmetic = Arithmetic(dtype, subnormals, bool(rng.integers(2)), **rest)
        (low, high), size = BINADES[arithmetic.real_dtype][number % 4], float(rng.choice(SIZES))
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
        if arithmetic.prints_carry:  # windows are judged too: each from the state that this machine has read back
            verdict = verdict_of(got.astype(dtype), inputs, arithmetic)
            assert verdict.verdict != "outside", (arithmetic, bracketing, machine, inputs, verdict)
        kind = tuple(sorted((key, value) for key, value in rest.items() if key != "order"))
        evaluated, largest[kind] = evaluated + int(finite.sum()), max(largest.get(kind, 0), ratio)
    print(dtype, evaluated, {kind: round(float(ratio) ** 0.5, 3) for kind, ratio in largest.items()})
    assert evaluated > 1000
    assert max(largest.values()) > HALF_USED


def cancelling(rng, arithmetic, machine, time=8, channels=24):
    """Inputs whose drive nearly cancels lam h at most steps, as this machine computes it one step after the other."""
    form, dtype = Soft(arithmetic.real_dtype), np.complex128 if arithmetic.is_complex else np.float64
    shape, quarter = (1, time, channels), 2.0 ** (1 - form.p) / 4
    drawn = problem(rng, arithmetic, float(rng.choice(SIZES[1:])), shape)
    lam, b, h = drawn.lam.astype(dtype), drawn.b.astype(dtype), drawn.h0.astype(dtype)
    for t in range(time):
        product = machine.product(np.broadcast_to(lam, h.shape), h)
        off = 1 + quarter * rng.integers(-8, 9, (2, *h.shape))
        near = -form.round(product.real * off[0]) - (1j * form.round(product.imag * off[1]) if arithmetic.is_complex else 0)
        b[:, t] = np.where(rng.random(h.shape) < 0.8, near, b[:, t])
        h = machine.step(np.broadcast_to(lam, h.shape), h, b[:, t])
    return Inputs(drawn.lam, b.astype(arithmetic.dtype), drawn.h0)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [*REAL, "complex64"])
def test_honest_evaluations_that_cancel_stay_within(dtype):
    """Small states from large operands: where the allowance of a sequential order acts on |h_t| instead of X_t."""
    rng, small = np.random.default_rng(DTYPES.index(dtype)), 0
    for rest, _ in itertools.product(declarations(dtype), range(3)):
        arithmetic = Arithmetic(dtype, contraction=bool(rng.integers(2)), **rest)
        machine = machine_of(rng, arithmetic)
        inputs = cancelling(rng, arithmetic, machine)
        got, h = honest(arithmetic, machine, OF_ORDER[arithmetic.order][0], inputs), exact(inputs)
        plain, sharp = bounds(inputs, arithmetic)
        for allowed in (plain, sharp):
            ratio = worst(got, h, allowed.bound)
            assert ratio <= 1, (arithmetic, machine, inputs, float(ratio) ** 0.5)
        assert (sharp.bound <= plain.bound).all()
        assert verdict_of(got.astype(dtype), inputs, arithmetic).verdict != "outside", (arithmetic, machine, inputs)
        small += int((sharp.bound < plain.bound / 4).sum())
    assert small > 100  # it does act there


def test_a_matrix_unit_does_not_round_by_the_size_of_its_result():
    """1 - (1 - 2^-24): aligned to the last place of 1, twice the truth. So |h_t| is no measure, although states are formed."""
    inputs = one(0.5, 2, -(1 - 2.0**-24))
    arithmetic = Arithmetic("float32", rounding="matrix", order="sequential")
    got = honest(arithmetic, Machine(Matrix("float32")), "sequential", inputs)
    assert got == 2.0**-23
    assert truth(inputs).head == 2.0**-24
    for allowed in bounds(inputs, arithmetic):
        assert worst(got, exact(inputs), allowed.bound) <= 1
    truncating = Arithmetic("float32", rounding="truncate", order="sequential")  # rounds by its result
    assert worst(got, exact(inputs), allowance(inputs, truncating, truth(inputs)).bound) > 1


# ---------------------------------------------------------------- every new term is needed


def one(lam, h0, b, dtype="float32", steps=1):
    """`steps` steps of one channel; lam and b are repeated."""
    lams, drive = (np.full((1, steps, 1), x).astype(dtype) for x in (lam, b))
    return Inputs(lams[0, 0], drive, np.array([[h0]]).astype(dtype))


HALF = {"accumulate": "float32"}
FLUSHED, TRUNCATED = HALF | {"subnormals": "ftz"}, HALF | {"rounding": "truncate"}
ONE = 1 + 2.0**-10 - 2.0**-23  # TF32 truncates it to 1
WEAKENED = {  # term: (dtype, declared, flush, inputs, the factors that are refuted there)
    "store": ("bfloat16", HALF, "", one(1, 1, 2.0**-8, "bfloat16"), {"store": 0.5}),
    "store, float16": ("float16", HALF, "", one(1, 1, 2.0**-11, "float16"), {"store": 0.5}),
    "store, truncated": ("bfloat16", TRUNCATED, "", one(1, 1, 2.0**-7 - 2.0**-14, "bfloat16"), {"store": 0.5}),
    "store_loss": ("float16", HALF, "", one(0.5, 2.0**-24, 0, "float16"), {"store_loss": 0.5}),
    "store_loss, flushed": ("float16", FLUSHED, "w", one(0.5, 1.99 * 2.0**-14, 0, "float16"), {"store_loss": 0.5}),
    "store_loss, truncated": ("float16", TRUNCATED, "", one(0.75, 2.0**-24, 0, "float16"), {"store_loss": 0.5}),
    "operand of lam and h": ("float32", {"operands": "tf32"}, "", one(ONE, ONE, 0), {"operand": 0.5, "beta": 0.5}),
    "operand of b": ("float32", {"operands": "tf32"}, "", one(0, 0, ONE), {"operand": 0.5}),
    "operand_loss of lam": ("float32", {"operands": "tf32"}, "", one(2.0**-136 - 2.0**-149, 1, 0), {"operand_loss": 0.5}),
    "operand_loss of h": ("float32", {"operands": "tf32"}, "", one(1, 2.0**-136 - 2.0**-149, 0), {"operand_loss": 0.5}),
    "operand_loss of b": ("float32", {"operands": "tf32"}, "", one(0, 0, 2.0**-136 - 2.0**-149), {"operand_loss": 0.5}),
    "doubled u": ("float32", {"rounding": "truncate"}, "", one(0.5, 2, 2.0**-23 - 2.0**-46), {"u": 0.5}),
    "doubled beta": ("float32", {"rounding": "truncate"}, "", one(1 + 2.0**-11, 1 + 2.0**-12 - 2.0**-23, 0), {"beta": 0.5}),
    "doubled eta": ("float32", {"rounding": "truncate"}, "", one(1 - 2.0**-24, 2.0**-149, 0), {"product_loss": 0.5}),
}

SLACK_WHEN_HALVED = {  # in a tree, lam may also be narrowed in a product of multipliers: need 0.20 and 0.50 for one product
    ("any", "operand_loss of lam"), ("any", "operand_loss of h"),
}  # fmt: skip


@pytest.mark.parametrize("order", ["any", "sequential"])
@pytest.mark.parametrize("term", WEAKENED)
def test_every_term_is_needed(term, order):
    dtype, declared, flush, inputs, factors = WEAKENED[term]
    arithmetic = Arithmetic(dtype, order=order, **declared)
    inner = Soft(COMPONENTS.get(arithmetic.inner, arithmetic.inner), arithmetic.rounding == "truncate")
    got = honest(arithmetic, (Tf32 if arithmetic.operands else Machine)(inner, flush=flush), "sequential", inputs)
    ratio = worst(got, exact(inputs), allowance(inputs, arithmetic, truth(inputs)).bound)
    assert ratio <= 1
    if (order, term) in SLACK_WHEN_HALVED:
        factors = dict.fromkeys(factors, 0)
    weaker = worst(got, exact(inputs), allowance(inputs, arithmetic, truth(inputs), ErrorModel(**factors)).bound)
    print(f"{term}, {order}: lam {inputs.lam}, b {inputs.b.ravel()}, h0 {inputs.h0.ravel()}: error / allowance "
          f"{float(ratio) ** 0.5:.4f}, weakened {float(weaker) ** 0.5:.4f}")  # fmt: skip
    assert weaker > 1


@pytest.mark.parametrize(("dtype", "accumulate"), [("bfloat16", "float32"), ("float16", "float32"), ("float32", "float64")])
@pytest.mark.parametrize("store", ["step", "chunk"])
def test_stores_of_carries_are_needed(dtype, accumulate, store):
    """What is stored on the way is lost on the way: declared as stored at the output alone, a drift is refuted."""
    u = format_of(dtype).u
    inputs = one(1, 1, 0.999 * u, dtype, steps=16)  # each store forgets the drive
    declared = {"accumulate": accumulate, "order": "sequential" if store == "step" else "chunked:1"}
    arithmetic = Arithmetic(dtype, store=store, **declared)
    got = honest(arithmetic, Machine(Ieee("float64") if accumulate == "float64" else Soft(accumulate)), "", inputs)
    assert (got == 1).all()
    for allowed in bounds(inputs, arithmetic):
        assert worst(got, exact(inputs), allowed.bound) <= 1
    for allowed in bounds(inputs, Arithmetic(dtype, **declared)):
        assert worst(got, exact(inputs), allowed.bound) > 1


def test_one_store_less_per_path_is_refuted():
    """Chunks of one step: T - 1 carries were stored before the last state, which is stored itself."""
    inputs = one(1, 1, 0.9999 * 2.0**-8, "bfloat16", steps=12)
    arithmetic = Arithmetic("bfloat16", accumulate="float32", order="chunked:1", store="chunk")
    got, h = honest(arithmetic, Machine(Soft("float32")), "", inputs), exact(inputs)
    allowed = allowance(inputs, arithmetic)
    assert worst(got, h, allowed.bound) <= 1
    weaker = worst(got, h, allowance(inputs, arithmetic, model=ErrorModel(fewer_stores=2)).bound)
    print(f"stores: error / allowance {float(worst(got, h, allowed.bound)) ** 0.5:.4f}, two fewer {float(weaker) ** 0.5:.4f}")
    assert weaker > 1


def test_the_doubling_of_matrix_units_is_slack_for_sums_of_two():
    """Two operands aligned need u = 2 2^-24, half of what is declared: the doubling is for units that align more at once."""
    arithmetic, rng, need = Arithmetic("float32", rounding="matrix"), np.random.default_rng(0), Fraction(0)
    for low in range(-26, 1):
        b = -np.abs(rng.standard_normal((1, 1, 400))) * 2.0**low
        inputs = Inputs(np.full(400, 0.5, np.float32), b.astype(np.float32), np.full((1, 400), 2, np.float32))
        got = honest(arithmetic, Machine(Matrix("float32")), "sequential", inputs)
        need = max(need, worst(got, exact(inputs), allowance(inputs, arithmetic).bound))
    print(f"matrix unit, real sums of two: needs {float(need) ** 0.5:.4f} of its allowance")
    assert Fraction(1, 5) < need <= Fraction(1, 4)  # squares of the share


# ---------------------------------------------------------------- the running bound


def halves(machine, steps):
    """h_4 by (1 2)(3 4), the others one step after the other; h0 is zero."""
    states = sequential(machine, [(steps[0][0], steps[0][1]), *steps[1:]])
    first, second = combine(machine, *steps[1:3]), combine(machine, *steps[3:5])
    return [*states[:4], combine(machine, first, second)]


def test_the_running_bound_is_for_sequential_orders_alone():
    """x = (0, x2, -fl(lam x2), 0): h_3 is nearly zero, so a loop hardly rounds; the tree multiplies large numbers and cancels."""
    rng, count = np.random.default_rng(0), 20_000
    lam, x2 = (rng.uniform(1, 2, count).astype(np.float32) for _ in range(2))
    zero = np.zeros(count, np.float32)
    inputs = Inputs(lam, np.stack([zero, x2, -(lam * x2), zero])[None])
    machine, sharp = Machine(Ieee("float32")), allowance(inputs, Arithmetic("float32", order="sequential"), truth(inputs)).bound
    loop, tree = (states(run, machine, inputs)[:, 3] for run in (sequential, halves))
    error = np.abs(tree - truth(inputs).head[:, 3])  # a candidate; what follows is exact
    place = int(np.argmax(error / sharp[:, 3]))
    case = Inputs(lam[place : place + 1], inputs.b[..., place : place + 1])
    h = exact(case)[:, 3]
    beyond = worst(tree[..., place : place + 1], h, sharp[:, 3, place : place + 1])
    print(f"lam {lam[place]!r}, x2 {x2[place]!r}: tree {tree[0, place]!r}, error / sequential {float(beyond) ** 0.5:.3f}; "
          f"{int((error > sharp[:, 3]).sum())} of {count} draws exceed it")  # fmt: skip
    assert beyond > 1
    for order in ("any", "tree"):
        assert worst(tree[..., place : place + 1], h, allowance(case, Arithmetic("float32", order=order)).bound[:, 3]) <= 1
    assert worst(loop, exact(inputs)[:, 3], sharp[:, 3]) <= 1
    assert (error <= allowance(inputs, Arithmetic("float32")).bound[:, 3]).all()


def test_the_truth_sharpens_sequential_orders_only():
    rng = np.random.default_rng(3)
    inputs = problem(rng, Arithmetic("float32"), 1.0, (1, 300, 3))
    for order, sharper in (("any", False), ("tree", False), ("chunked:16", False), ("sequential", True)):
        plain, sharp = bounds(inputs, Arithmetic("float32", order=order))
        assert (sharp.bound <= plain.bound).all()
        assert bool((sharp.bound < plain.bound / 2).any()) == sharper


# ---------------------------------------------------------------- integer cases, verdicts


@pytest.mark.parametrize(
    ("dtype", "rest", "bits"),
    [
        ("float16", {}, 11), ("bfloat16", {}, 8), ("bfloat16", {"accumulate": "float32"}, 8),
        ("float32", {"operands": "tf32"}, 11), ("float32", {"accumulate": "float64"}, 24),
        ("float32", {"rounding": "matrix"}, 24),
        ("bfloat16", {"accumulate": "float32", "operands": "tf32"}, 8),
    ],
)  # fmt: skip
def test_exact_lanes_end_where_the_fewest_bits_end(dtype, rest, bits):
    """2^p - 1 and ones: exact up to the last number that every format on the way holds."""
    b = np.array([2.0**bits - 2, 1, 1, 1]).astype(dtype).reshape(1, 4, 1)
    arithmetic, inputs = Arithmetic(dtype, **rest), Inputs(np.ones(1, dtype), b)
    assert (allowance(inputs, arithmetic).bound > 0).ravel().tolist() == [False, False, True, True]
    machine = machine_of(np.random.default_rng(0), arithmetic)
    assert worst(honest(arithmetic, machine, "blelloch", inputs)[:, :2], exact(inputs)[:, :2], np.zeros((1, 2, 1))) == 0


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_plain_loop_in_16_bits_is_not_refuted_and_a_wrong_one_is(dtype):
    rng = np.random.default_rng(1)
    lam, b = rng.uniform(0.5, 0.9, 4).astype(dtype), rng.standard_normal((2, 30, 4)).astype(dtype)
    for arithmetic in (Arithmetic(dtype), Arithmetic(dtype, order="sequential")):
        assert judge("scan", scan(lam, b), lam=lam, b=b, arithmetic=arithmetic).verdict != "outside"
        assert judge("scan", b, lam=lam, b=b, arithmetic=arithmetic).verdict == "outside"
    wide = scan(lam.astype("float32"), b.astype("float32")).astype(dtype)
    accumulating = Arithmetic(dtype, accumulate="float32")
    assert judge("scan", wide, lam=lam, b=b, arithmetic=accumulating).verdict in ("within", "nearest")
    verdict = judge("scan", scan(lam, b), lam=lam, b=b, arithmetic=accumulating)  # every step rounds to 16 bits
    assert verdict.verdict == "outside"

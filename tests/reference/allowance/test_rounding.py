"""The allowance: no honest evaluation exceeds it, and without any one of its terms some evaluation would."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from scans import (
    BRACKETINGS,
    COMPLEX_STEPS,
    NATIVE,
    OF_ORDER,
    REAL_STEPS,
    UNCONTRACTED,
    Ieee,
    Machine,
    Tiny,
    blelloch,
    chunked,
    combine,
    doubling,
    draw,
    elements,
    exact,
    exact_lane,
    problem,
    sequential,
    states,
    tiny_dtype,
    worst,
)
from thresholds import FLOAT64, HALF_USED

from scanproof.reference.allowance import rounding
from scanproof.reference.allowance.rounding import allowance
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.error_model import PROVED, ErrorModel
from scanproof.reference.arithmetic.operations import roundings
from scanproof.reference.arithmetic.vocabulary import BRACKETINGS as ORDERS
from scanproof.reference.arithmetic.vocabulary import SUBNORMALS, UNMODELLED_ORDERS
from scanproof.reference.inputs import Inputs
from scanproof.reference.transitions.diagonal import scan

SIZES = (1e-30, 0.5, 0.3, 1 - 2.0**-23, 1.0, 1.01, 1.5)  # of lam
BINADES = {  # of inputs: ordinary, subnormal, with subnormal products, large
    "float32": ((-6, 6), (-149, -100), (-70, -60), (80, 110)),
    "float64": ((-6, 6), (-1074, -990), (-520, -490), (900, 980)),
}
FLUSHES = {"gradual": ("",), "ftz": ("", "w"), "daz": ("w", "r", "rw")}


def machines(arithmetic, form=None):
    """Every fusion and every flush that the declaration allows, in its own format or another."""
    names = REAL_STEPS if not arithmetic.is_complex else COMPLEX_STEPS if arithmetic.contraction else UNCONTRACTED
    form = form or Ieee(arithmetic.real_dtype)
    return [Machine(form, name, flush) for name in names for flush in FLUSHES[arithmetic.subnormals]]


def classes(dtype):
    """Every declaration of this dtype."""
    contractions = (True, False) if dtype.startswith("complex") else (True,)
    return [Arithmetic(dtype, *rest) for rest in itertools.product(SUBNORMALS, contractions, OF_ORDER)]


# ---------------------------------------------------------------- honest evaluations


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # overflow near the largest numbers is part of the campaign
@pytest.mark.parametrize("dtype", NATIVE)
def test_honest_evaluations_stay_within(dtype):
    rng, evaluated, largest = np.random.default_rng(NATIVE.index(dtype)), 0, Fraction(0)
    for size, (low, high), arithmetic in itertools.product(SIZES, BINADES[Arithmetic(dtype).real_dtype], classes(dtype)):
        time, (varying, h0, real) = (1, 2, 5, 12)[rng.integers(4)], rng.integers(2, size=3).astype(bool).tolist()
        inputs = problem(rng, arithmetic, size, (1, time, 2), varying=varying, h0=h0, zeros=rng.choice([0, 0.5]),
                         low=low, high=high, real_lam=real and arithmetic.is_complex)  # fmt: skip
        machine, bracketing = rng.choice(machines(arithmetic)), rng.choice(OF_ORDER[arithmetic.order])
        got, allowed = states(str(bracketing), machine, inputs), allowance(inputs, arithmetic)
        finite = np.isfinite(got)
        assert not (allowed.no_overflow & ~finite).any(), (arithmetic, bracketing, machine, inputs)
        ratio = worst(got[finite], exact(inputs)[finite], allowed.bound[finite])
        assert ratio <= 1, (arithmetic, bracketing, machine, inputs)
        evaluated, largest = evaluated + int(finite.sum()), max(largest, ratio)
    assert evaluated > 1000
    assert largest > HALF_USED


@pytest.mark.slow
@pytest.mark.parametrize("dtype", NATIVE)
def test_numpy_stays_within(dtype):
    # Its complex products are fused or not, as its build and the position in memory will have it.
    for seed, size in itertools.product(range(6), (0.5, 0.99, 1.0)):
        inputs = problem(np.random.default_rng(seed), Arithmetic(dtype), size, (2, 40, 3), varying=bool(seed % 2))
        got = scan(inputs.lam, inputs.b, inputs.h0, inputs.reverse)
        for order in ("any", "sequential"):
            assert worst(got, exact(inputs), allowance(inputs, Arithmetic(dtype, contraction=False, order=order)).bound) <= 1


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "complex64"])
@pytest.mark.parametrize("size", [0.5, 0.9, 1.0])
@pytest.mark.parametrize("order", ["any", "sequential", "chunked:4", "tree"])
def test_greedy_adversary(dtype, size, order):
    """Each input is the one of 12 that pushes error/allowance of one honest evaluation highest."""
    rng, arithmetic = np.random.default_rng(9), Arithmetic(dtype, order=order)
    lam, past = problem(rng, arithmetic, size, (1, 1, 1)).lam, draw(rng, dtype, (1, 1, 1))
    machine, bracketing = Machine(Ieee(arithmetic.real_dtype)), OF_ORDER[order][0]
    for _ in range(24):
        candidates = np.concatenate([past.repeat(12, 2), draw(rng, dtype, (1, 1, 12), -2, 2)], axis=1)  # (1, t, 12)
        inputs = Inputs(lam.repeat(12), candidates)
        got, h, bound = states(bracketing, machine, inputs), exact(inputs), allowance(inputs, arithmetic).bound
        ratios = [worst(got[:, -1, i], h[:, -1, i], bound[:, -1, i]) for i in range(12)]
        assert max(ratios) <= 1
        past = candidates[:, :, [int(np.argmax(ratios))]]


# ---------------------------------------------------------------- depth of the declared orders


class Counting:
    """Instead of rounding: how many additions the longest path to a state has met; -1 stands for an exact zero."""

    def product(self, x, y):
        return x

    def step(self, a, h, x):
        return x if h < 0 else h if x < 0 else max(h, x) + 1


def depths(run, time, h0):
    return [x for _, x in run(Counting(), [(0, 0 if h0 else -1)] + [(0, 0)] * time)][1:]


def exclusive_sweeps(machine, steps):
    """Blelloch's two sweeps with h0 as the seed of the second, then one addition more for each state."""
    seed, leaf = steps[0], steps[1:]
    levels = [leaf + [(0, -1)] * (2 ** (len(leaf) - 1).bit_length() - len(leaf))]
    while len(levels[-1]) > 1:
        levels.append([combine(machine, *levels[-1][i : i + 2]) for i in range(0, len(levels[-1]), 2)])
    before = [seed]
    for level in reversed(levels[:-1]):
        before = [x for i, b in enumerate(before) for x in (b, combine(machine, b, level[2 * i]))]
    return [seed] + [combine(machine, b, x) for b, x in zip(before, leaf, strict=False)]


@pytest.mark.parametrize("h0", [False, True])
@pytest.mark.parametrize(
    ("order", "run"),
    [(order, BRACKETINGS[name]) for order, names in OF_ORDER.items() for name in names] + [("tree", exclusive_sweeps)],
)
def test_no_path_has_more_additions_than_declared(order, run, h0):
    for time in range(1, 70 if order != "any" else 12):
        limit = rounding._path_limit(Arithmetic("float32", order=order), np.arange(1.0, time + 1), time)
        operands = np.arange(1, time + 1) + h0
        assert (np.array(depths(run, time, h0)) <= np.minimum(limit, operands - 1)).all()


@pytest.mark.parametrize(("order", "run"), [("any", sequential), ("chunked:4", chunked(4)), ("chunked:16", chunked(16))])
def test_the_declared_number_of_additions_is_met(order, run):
    limit = rounding._path_limit(Arithmetic("float32", order=order), np.arange(1.0, 65), 64)
    assert (np.array(depths(run, 64, True)) == limit).all()


# ---------------------------------------------------------------- tiny formats: all bracketings, every kind of underflow


def bracketings(n):
    """All bracketings of n elements as nested pairs of positions."""
    def between(low, high):
        if high - low == 1:
            return [low]
        cuts = range(low + 1, high)
        return [pair for cut in cuts for pair in itertools.product(between(low, cut), between(cut, high))]

    return between(0, n)


def folded(machine, steps, tree):
    """The element that `tree` makes of `steps`."""
    return combine(machine, *(folded(machine, steps, part) for part in tree)) if isinstance(tree, tuple) else steps[tree]


def tiny_inputs(rng, tiny, arithmetic, time, count=2000):
    """Numbers of a tiny format, many of them zero, subnormal or powers of two."""
    lams, bs = tiny.values(rng.choice([1, 1.5])), tiny.values(rng.choice([4 * tiny.omega, 2]))
    pick = lambda values, shape: rng.choice(values, shape) * (rng.random(shape) > 0.15)  # noqa: E731
    both = lambda values, shape: (  # noqa: E731
        pick(values, shape) + 1j * pick(values, shape) if arithmetic.is_complex else pick(values, shape)
    )
    return Inputs(both(lams, (count, time, 1)), both(bs, (count, time, 1)), both(bs, (count, 1)))


def excess(got, h, bound):
    """Elements of complex or real arrays whose error exceeds the bound; got - h is exact here."""
    error = got - h
    if not np.iscomplexobj(error):
        return np.flatnonzero(np.abs(error) > bound)
    near = np.flatnonzero(np.abs(error) > bound * (1 - FLOAT64))
    squares = [Fraction(z.real) ** 2 + Fraction(z.imag) ** 2 for z in error.flat[near]]
    return near[[square > Fraction(a) ** 2 for square, a in zip(squares, bound.flat[near], strict=True)]]


@pytest.mark.parametrize("p", [2, 3, 4, 5])
@pytest.mark.parametrize("emin", [-3, 0])
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_every_bracketing_in_tiny_formats(dtype, p, emin):
    tiny, rng = Tiny(p, emin), np.random.default_rng([p, emin + 9])
    form = tiny_dtype(tiny, dtype)
    for subnormals, contraction in itertools.product(SUBNORMALS, (True, False)):
        arithmetic = Arithmetic(form, subnormals, contraction)
        time = int(rng.integers(2, 4)) if p < 4 or not arithmetic.is_complex else 2
        inputs = tiny_inputs(rng, tiny, arithmetic, time)
        h, steps, bound = scan(inputs.lam, inputs.b, inputs.h0)[:, -1], elements(inputs), allowance(inputs, arithmetic).bound
        for tree in bracketings(time + 1):
            machine = rng.choice(machines(arithmetic, tiny))
            bad = excess(folded(machine, steps, tree)[1], h, bound[:, -1])
            assert not bad.size, (arithmetic, machine, tree, [x[bad[0]] for x in (inputs.lam, inputs.b, inputs.h0)])
        machine, by_steps = rng.choice(machines(arithmetic, tiny)), Arithmetic(form, subnormals, contraction, "sequential")
        bad = excess(sequential(machine, steps)[-1][1], h, allowance(inputs, by_steps).bound[:, -1])
        assert not bad.size, (by_steps, machine, [x[bad[0]] for x in (inputs.lam, inputs.b, inputs.h0)])


# ---------------------------------------------------------------- every term is needed


def one_step(lam, h0, b, dtype="float32"):
    return Inputs(np.array([lam], dtype), np.array([[[b]]], dtype), np.array([[h0]], dtype))


WEAKENED = {  # term: (in which model it is weaker, declaration, flush, inputs that only this term allows)
    "u": (ErrorModel(u=0.5), "gradual", "", one_step(0.5, 2, 2.0**-24)),
    "beta": (ErrorModel(beta=0), "gradual", "", one_step(0.3, 0.3, 0)),
    "half of beta": (ErrorModel(beta=0.5), "gradual", "", one_step(1 + 2.0**-12, 1 + 2.0**-12, 0)),
    "underflow of a product": (ErrorModel(product_loss=0), "gradual", "", one_step(0.3, 2.0**-149, 0)),
    "flushes": (ErrorModel(product_loss=2.0**-24, sum_loss=0), "ftz", "w", one_step(0.3, 2.0**-126, 0)),
    "flushed sum": (ErrorModel(sum_loss=0), "ftz", "w", one_step(0, 0, 2.0**-127)),
}


@pytest.mark.parametrize("order", ["any", "sequential"])
@pytest.mark.parametrize("term", WEAKENED)
def test_every_term_is_needed(term, order):
    weaker, subnormals, flush, inputs = WEAKENED[term]
    arithmetic, machine = Arithmetic("float32", subnormals, order=order), Machine(Ieee("float32"), flush=flush)
    got, h = states("sequential", machine, inputs), exact(inputs)
    assert worst(got, h, allowance(inputs, arithmetic).bound) <= 1
    assert worst(got, h, allowance(inputs, arithmetic, model=weaker).bound) > 1
    print(f"without {term}: lam {inputs.lam}, b {inputs.b.ravel()}, h0 {inputs.h0.ravel()} computed {got.ravel()}")


def test_every_addition_is_needed():
    inputs, arithmetic = one_step(0.5, 2, 2.0**-24), Arithmetic("float32")
    got = states("sequential", Machine(Ieee("float32")), inputs)
    assert worst(got, exact(inputs), allowance(inputs, arithmetic, model=ErrorModel(fewer_on_a_path=1)).bound) > 1


def test_lost_powers_are_needed():
    """lam_3 lam_2 underflows on its own: states carry b_1 exactly, a tree loses it, and more than any state ever lost."""
    lam = np.array([[[1], [2.0**-100], [2.0**-100]]], np.float32)
    inputs, machine = Inputs(lam, np.array([[[2.0**100], [0], [0]]], np.float32)), Machine(Ieee("float32"))
    h, got = exact(inputs), states("doubling", machine, inputs)
    assert states("sequential", machine, inputs)[0, 2, 0] == 2.0**-100
    assert got[0, 2, 0] == 0
    assert worst(got, h, allowance(inputs, Arithmetic("float32")).bound) <= 1
    assert worst(got, h, allowance(inputs, Arithmetic("float32", order="sequential")).bound) > 1


GROWTH = {  # a loss that later multipliers enlarge, and a subnormal input that is read as zero
    "loss of a product": ("gradual", "", [0.3, 2.0**20], 2.0**-149),
    "read error of h0": ("daz", "r", [4, 1], 2.0**-126 - 2.0**-149),
    "read error of lam": ("daz", "r", [2.0**-127, 2.0**60], 2.0**60),
}


@pytest.mark.parametrize("order", ["any", "sequential"])
@pytest.mark.parametrize("name", GROWTH)
def test_what_grows(name, order):
    subnormals, flush, lam, h0 = GROWTH[name]
    inputs = Inputs(np.array(lam, np.float32).reshape(1, 2, 1), np.zeros((1, 2, 1), np.float32), np.array([[h0]], np.float32))
    got, h = states("sequential", Machine(Ieee("float32"), flush=flush), inputs), exact(inputs)
    assert 0 < worst(got, h, allowance(inputs, Arithmetic("float32", subnormals, order=order)).bound) <= 1
    assert worst(got, h, 2 * np.full(h.shape, roundings(Arithmetic("float32", subnormals), False).product_loss)) > 1


@pytest.mark.parametrize("order", ["any", "sequential"])
@pytest.mark.parametrize("steps", [1, 60])
def test_the_bound_is_evaluated_upwards(order, steps):
    """Never below its own formula in exact fractions, and less than 2^-40 above; inputs are zero but for the first `steps`."""
    rng, arithmetic = np.random.default_rng(0), Arithmetic("float32", order=order)
    lam, b = rng.uniform(0.5, 1, (2, 1, 60, 20)).astype(np.float32)
    b[:, steps:] = 0
    u, bound = Fraction(roundings(arithmetic, False).u), allowance(Inputs(lam, b), arithmetic).bound
    X, E = np.full(20, Fraction(0)), np.full(20, Fraction(0))
    for t in range(60):
        A, fresh = (np.array([Fraction(float(x)) for x in row[0, t]]) for row in (lam, b))
        X, E = A * X + fresh, A * (1 + u) * E + A * u * X
        xi = (1 + u) ** (min(t, steps - 1) if order == "any" else 0 < t < steps) - 1
        formula, allowed = (1 + xi) * E + xi * X, np.array([Fraction(a) for a in bound[0, t]])
        E = E if order == "any" else formula
        assert (allowed >= formula).all()
        assert (allowed <= formula * (1 + Fraction(1, 2**40))).all()


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_moduli_are_rounded_upwards(dtype):
    inputs = problem(np.random.default_rng(0), Arithmetic(dtype), 0.9, (2, 50, 3), varying=True, zeros=0.1)
    leaf = rounding.leaves(inputs, Arithmetic(dtype), roundings(Arithmetic(dtype), True))
    for z, size in ((inputs.lam, leaf.A), (inputs.b, leaf.X), (inputs.h0, rounding.start(inputs, Arithmetic(dtype)).X)):
        squares = [Fraction(float(x.real)) ** 2 + Fraction(float(x.imag)) ** 2 for x in z.flat]
        assert all(Fraction(a) ** 2 >= square for a, square in zip(size.flat, squares, strict=True))


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_products_need_beta(dtype):
    """Half of beta's sqrt(5) u is exceeded by random products (Brent, Percival, Zimmermann attain it)."""
    rng, arithmetic = np.random.default_rng(0), Arithmetic(dtype, contraction=False)
    lam, h0 = draw(rng, dtype, (1, 1, 1000), 0, 0), draw(rng, dtype, (1, 1000), 0, 0)
    inputs = Inputs(lam, np.zeros_like(lam), h0)
    got, h = states("sequential", Machine(Ieee(arithmetic.real_dtype)), inputs), exact(inputs)
    assert worst(got, h, allowance(inputs, arithmetic).bound) <= 1
    assert worst(got, h, allowance(inputs, arithmetic, model=ErrorModel(beta=0.5)).bound) > 1


@pytest.mark.slow
@pytest.mark.parametrize("time", [32, 128, 512])
@pytest.mark.parametrize("size", [0.999, 1 - 2.0**-20, 1.0])
def test_a_carry_wrong_by_1e_5_is_outside(time, size):
    rng, arithmetic, channels = np.random.default_rng(time), Arithmetic("float32"), max(2, 256 // time)
    inputs = Inputs(np.full(channels, size, np.float32), draw(rng, "float32", (1, time, channels), 0, 0))
    h, bound = exact(inputs), allowance(inputs, arithmetic).bound
    for factor, refuted in ((1, False), (1 + 1e-5, True)):
        got = states(chunked(16, factor), Machine(Ieee("float32")), inputs)
        assert (worst(got, h, bound) > 1) == refuted


# ---------------------------------------------------------------- integer cases, zeros, impulses


@pytest.mark.slow
@pytest.mark.parametrize("order", ["any", "sequential", "tree"])
@pytest.mark.parametrize("subnormals", SUBNORMALS)
@pytest.mark.parametrize("dtype", NATIVE)
def test_exact_lanes_have_no_allowance(dtype, subnormals, order):
    rng, arithmetic = np.random.default_rng(0), Arithmetic(dtype, subnormals, order=order)
    lam = np.array([1, -1, 0, *([1j, -1j] if arithmetic.is_complex else [])], dtype)
    inputs = Inputs(lam, rng.integers(-9, 10, (2, 4097, lam.size)).astype(dtype), np.full((2, lam.size), 5, dtype))
    assert not allowance(inputs, arithmetic).bound.any()
    assert allowance(inputs, arithmetic).no_overflow.all()
    for run in (doubling, blelloch):
        short, machine = Inputs(lam, inputs.b[:, :40], inputs.h0), rng.choice(machines(arithmetic))
        assert worst(states(run, machine, short), exact(short), np.zeros(short.b.shape)) == 0


@pytest.mark.parametrize(("dtype", "p"), [("float32", 24), ("float64", 53), ("complex64", 24), ("complex128", 53)])
def test_sums_beyond_the_significand_have_an_allowance(dtype, p):
    b = np.array([2.0**p - 3, 1, 1, 1, 1]).astype(dtype).reshape(1, 5, 1)
    bound = allowance(Inputs(np.ones(1, dtype), b), Arithmetic(dtype)).bound
    assert (bound > 0).ravel().tolist() == [False, False, False, True, True]
    assert exact_lane(Inputs(np.ones(1, dtype), b), p).ravel().tolist() == [True, True, True, False, False]


@pytest.mark.parametrize(
    ("lam", "b", "h0"), [(0.5, 3, 0), (1, 0.5, 0), (1, 3, 0.5), (1 + 1j, 3, 0), (2, 3, 0), (1, 1j / 2, 0), (0.5j, 1, 0)]
)
def test_lanes_that_are_not_exact(lam, b, h0):
    inputs = Inputs(np.array([lam], complex), np.array([[[b]]], complex), np.array([[h0]], complex))
    assert not exact_lane(inputs, 53).any()


@pytest.mark.parametrize("arithmetic", classes("float32") + classes("complex128"), ids=str)
def test_zero_input_has_no_allowance(arithmetic):
    for size in SIZES:
        inputs = problem(np.random.default_rng(0), arithmetic, size, (1, 20, 3), h0=False, zeros=1)
        assert not allowance(inputs, arithmetic).bound.any()


@pytest.mark.parametrize("dtype", NATIVE)
def test_impulses_are_relative_but_for_underflow(dtype):
    """Products only: (1 + beta)^m - 1 of the value; the absolute rest stays, and honest scans need it."""
    arithmetic = Arithmetic(dtype)
    inputs = Inputs(np.array([0.3 if not arithmetic.is_complex else 0.24 + 0.18j], dtype), np.zeros((1, 400, 1), dtype))
    inputs.b[0, 0, 0] = 1
    ops, bound = roundings(arithmetic, arithmetic.is_complex), allowance(inputs, arithmetic).bound.ravel()
    size, m = abs(complex(inputs.lam[0])) ** np.arange(400), np.arange(400)
    growth = (1 + ops.beta) ** m
    relative, lost = np.expm1(m * np.log1p(ops.beta)) * size, growth * 2 * m * ops.product_loss  # of states and multipliers
    assert bound[0] == 0
    assert (bound <= (relative + lost) * (1 + 2.0**-38) + 2.0**-1059).all()  # evaluated upwards: 48 units a step
    got = states("sequential", Machine(Ieee(arithmetic.real_dtype)), inputs)
    assert worst(got, exact(inputs), bound) <= 1
    if arithmetic.real_dtype == "float32":
        assert worst(got, exact(inputs), relative) > 1


def test_powers_of_two_round_only_by_underflow():
    inputs = Inputs(np.array([-0.5, 0.5, 2, 0.3], np.float32), np.zeros((1, 20, 4), np.float32), np.full((1, 4), 0.7, np.float32))
    bound = allowance(inputs, Arithmetic("float32")).bound
    assert (bound[0, :, :2] < 100 * 2.0**-150).all()
    assert (bound[0, :, 3] > 2.0**-30 * np.abs(0.7 * 0.3 ** np.arange(1, 21))).all()


def test_a_reset_starts_afresh():
    rng, arithmetic = np.random.default_rng(0), Arithmetic("float32")
    inputs = problem(rng, arithmetic, 0.9, (1, 30, 2), varying=True)
    inputs = Inputs(inputs.lam.copy(), inputs.b, inputs.h0)
    inputs.lam[:, 10] = 0
    tail = Inputs(inputs.lam[:, 10:], inputs.b[:, 10:])
    assert np.array_equal(allowance(inputs, arithmetic).bound[:, 10], [[0, 0]])
    longer, shorter = allowance(inputs, arithmetic).bound[:, 10:], allowance(tail, arithmetic).bound
    assert (longer >= shorter).all()
    assert (longer <= shorter * (1 + FLOAT64)).all()  # evaluated some steps later, so inflated by more


def test_reverse_is_flipped():
    inputs = problem(np.random.default_rng(3), Arithmetic("complex64"), 0.9, (2, 9, 2), varying=True)
    there, back = Inputs(inputs.lam, inputs.b, inputs.h0), Inputs(inputs.lam[:, ::-1], inputs.b[:, ::-1], inputs.h0, True)
    for mine, its in zip(allowance(there, Arithmetic("complex64")), allowance(back, Arithmetic("complex64")), strict=True):
        assert np.array_equal(mine, its[:, ::-1])


# ---------------------------------------------------------------- overflow, unmodelled, empty


def near_overflow(rng, arithmetic):
    lam_size = rng.choice([0.5, 0.9, 1.0, 1.2, 3.0, 1e10])
    exponent = np.log2(np.finfo(arithmetic.real_dtype).max)
    inputs = problem(rng, arithmetic, lam_size, (1, int(rng.integers(1, 9)), 2), varying=bool(rng.integers(2)), zeros=0.3)
    scale = 2.0 ** (exponent - rng.integers(7, 16))
    return Inputs(inputs.lam, (inputs.b * scale).astype(inputs.b.dtype), (inputs.h0 * scale).astype(inputs.b.dtype))


def broken_certificates(dtype, order, model=PROVED):
    """Cases certified against overflow in which an honest evaluation is not finite; and numbers of cases of each kind."""
    rng, arithmetic, broken, kinds = np.random.default_rng(1), Arithmetic(dtype, order=order), 0, [0, 0]
    for _ in range(80):
        inputs = near_overflow(rng, arithmetic)
        if not all(np.isfinite(x).all() for x in (inputs.b, inputs.h0)):
            continue
        certified, machine = allowance(inputs, arithmetic, model=model).no_overflow, rng.choice(machines(arithmetic))
        for name in OF_ORDER[order]:
            if not (Ieee("float64").dtype == machine.format.dtype and "fused" in machine.step_name):
                finite = np.isfinite(states(name, machine, inputs))
                broken += int((certified & ~finite).any())
                kinds[bool((~finite).any())] += 1
        kinds[0] += int(certified.any())
    return broken, kinds


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("order", ["any", "sequential"])
@pytest.mark.parametrize("dtype", ["float32", "complex64", "float64"])
def test_no_overflow_is_never_certified_wrongly(dtype, order):
    broken, (finite, overflowed) = broken_certificates(dtype, order)
    assert broken == 0
    assert min(finite, overflowed) > 10
    if dtype != "float64":  # there the bound itself overflows
        assert broken_certificates(dtype, order, ErrorModel(largest=16))[0] > 0


@pytest.mark.parametrize("arithmetic", [Arithmetic(dtype, order=order) for dtype in NATIVE for order in OF_ORDER], ids=str)
def test_ordinary_cases_cannot_overflow(arithmetic):
    for size in SIZES:
        inputs = problem(np.random.default_rng(0), arithmetic, size, (2, 50, 2))
        assert allowance(inputs, arithmetic).no_overflow.all()


def test_powers_that_overflow_are_seen():
    """No state is large, but some bracketing forms lam^200 = 2^200 and multiplies it by zero."""
    inputs = Inputs(np.array([2], np.float32), np.zeros((1, 200, 1), np.float32))
    assert not allowance(inputs, Arithmetic("float32")).no_overflow[0, -1, 0]
    assert allowance(inputs, Arithmetic("float32", order="sequential")).no_overflow.all()


def test_bounds_beyond_float64_are_infinite():
    inputs = problem(np.random.default_rng(0), Arithmetic("float64"), 1.5, (1, 2500, 1), h0=False)
    inputs = Inputs(inputs.lam, inputs.b)
    for order in ("any", "sequential"):
        bound, no_overflow, _ = allowance(inputs, Arithmetic("float64", order=order))
        assert np.isinf(bound[0, -1, 0])
        assert not no_overflow[0, -1, 0]
        assert not np.isnan(bound).any()
    huge = np.full((1, 3, 1), 1.7e308 * (1 + 1j))
    assert np.isinf(allowance(Inputs(huge[0, 0], huge), Arithmetic("complex128")).bound[0, 1:]).all()


UNMODELLED = [Arithmetic("float32", order=word) for word in UNMODELLED_ORDERS]


@pytest.mark.parametrize("arithmetic", UNMODELLED, ids=str)
def test_nothing_is_known_of_unmodelled_declarations(arithmetic):
    bound, no_overflow, _ = allowance(Inputs(np.ones(2, np.float32), np.ones((1, 3, 2), np.float32)), arithmetic)
    assert np.isinf(bound).all()
    assert not no_overflow.any()


@pytest.mark.parametrize("order", [order for order in ORDERS if order != "chunked:L"] + ["chunked:4"])
@pytest.mark.parametrize("shape", [(1, 0, 2), (0, 3, 2), (0, 0, 2), (2, 3, 0)])
def test_empty_shapes(shape, order):
    bound, no_overflow, _ = allowance(Inputs(np.full(shape[2:], 0.3), np.ones(shape)), Arithmetic("float64", order=order))
    assert bound.shape == no_overflow.shape == shape


TINY_TIMES_HUGE = [  # lam, h0, b: A beta underflows, beta A |h| does not
    ([3e-310], 1.1e300, [0.0]),
    ([2, 2, 1.60484403e-310, -1.58101007e-322], -5.2380970309999306e29, [-0.0, 0, 0, -0.00352362]),
]


@pytest.mark.parametrize("order", ["any", "sequential", "chunked:2"])
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize(("lam", "h0", "b"), TINY_TIMES_HUGE)
def test_subnormal_multipliers_of_huge_states(lam, h0, b, dtype, order):
    """The bound's own evaluation must not lose what the machine keeps."""
    steps = (1, len(lam), 1)
    lams, drive = (np.array(x).reshape(steps).astype(dtype) for x in (lam, b))
    inputs = Inputs(lams, drive, np.full((1, 1), h0, dtype))
    got = states("sequential", Machine(Ieee("float64")), inputs)
    assert worst(got, exact(inputs), allowance(inputs, Arithmetic(dtype, order=order)).bound) <= 1


@pytest.mark.parametrize("words", [{"subnormals": "daz"}, {"operands": "tf32"}])
def test_a_number_may_be_read_differently_for_each_component(words):
    """Per-instruction flushes and narrowing: sqrt(2) of what one reading costs."""
    v, s = np.float32(1 + 2.0**-10 - 2.0**-23), np.float32(2.0**-127)
    lam, h0, got = {
        "daz": (s * (1 + 1j), 2.0**126 * (1 - 1j), 0.5j),
        "tf32": (v * (1 + 1j), v * (1 - 1j), 2 + 1j * (np.float64(v) ** 2 - 1)),
    }[words.get("operands") or words["subnormals"]]
    inputs = Inputs(np.array([lam], np.complex64), np.zeros((1, 1, 1), np.complex64), np.array([[h0]], np.complex64))
    for order in ("any", "sequential"):
        bound = allowance(inputs, Arithmetic("complex64", order=order, **words)).bound
        assert worst(np.full((1, 1, 1), got, np.complex64), exact(inputs), bound) <= 1

"""Classes that are no bracketings: honest programs stay within, every term is needed, faults are rejected."""

import math
from dataclasses import replace
from functools import partial, reduce
from itertools import accumulate
from pathlib import Path

import flint
import numpy as np
import pytest

from scanproof.benchmarks.campaigns import algorithm_scans as scans
from scanproof.benchmarks.campaigns import classes
from scanproof.benchmarks.campaigns.algorithm_scans import ORDERS, draw, program, states
from scanproof.benchmarks.campaigns.elementary import Functions
from scanproof.properties.compare import compare, ratio
from scanproof.reference import systems
from scanproof.reference.allowance import certificate
from scanproof.reference.allowance import orders as algorithms
from scanproof.reference.allowance.orders import angle_sum, common, cumulative, logarithm, polar
from scanproof.reference.allowance.orders import fft as fft_module
from scanproof.reference.allowance.rounding import allowance
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.formats import DTYPES
from scanproof.reference.arithmetic.vocabulary import ALGORITHMS
from scanproof.reference.inputs import Inputs
from scanproof.reference.systems.scan import call_of

PUSHES = (Functions(), Functions(1.0), Functions(-1.0), Functions(1.0, seed=7))
SIZES = (1e-3, 0.5, 0.9, 0.99, 1.0, 1.01)
U = flint.arb(2.0**-24)


def declared(word, dtype, length=16, **rest):
    return Arithmetic(dtype, order=word.replace(":L", f":{length}"), **rest)


def judged(got, inputs, arithmetic):
    return compare(got, certificate.whole(call_of(inputs), arithmetic)["h"])


def largest_ratio(found):
    """Of error and allowance, where there is an allowance; per channel."""
    known = np.isfinite(found.bound)
    return np.where(known, ratio(found.error, found.bound), 0).max(axis=(0, 1))


def constant(lam, b, h0=None, dtype="complex64"):
    """One channel with constant lam; b over time."""
    real = np.isrealobj(np.asarray(lam))
    kind = np.empty(0, dtype).real.dtype if real else dtype
    return Inputs(np.array([lam], kind), np.array(b, dtype)[None, :, None], None if h0 is None else np.array([[h0]], dtype))


def impulse(lam, time, dtype="complex64"):
    return constant(lam, [1] + [0] * (time - 1), dtype=dtype)


# ---------------------------------------------------------------- honest programs


def taken(word, dtype):
    return word != "log-space" or not dtype.startswith("complex")


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("word", ALGORITHMS)
def test_honest_programs_stay_within(word, dtype):
    if not taken(word, dtype):
        inputs = draw(np.random.default_rng(0), word, dtype, 4, 0.9)
        assert algorithms.fault(inputs, declared(word, dtype)) == "order log-space: b is complex"
        return
    rng, evaluated, used = np.random.default_rng(DTYPES.index(dtype)), 0, 0.0
    for case in range(72):
        order, functions, length = ORDERS[case % 3], PUSHES[case % 4], (1, 4, 16, 64)[rng.integers(4)]
        time = (1, 2, 3, 7, 30, 100)[rng.integers(5 if order == "tree" else 6)]
        inputs, arithmetic = draw(rng, word, dtype, time, rng.choice(SIZES)), declared(word, dtype, length)
        found = judged(states(program(word, length), inputs, functions, order), inputs, arithmetic)
        assert not found.outside.any(), (arithmetic, order, functions, inputs)
        evaluated, used = evaluated + int(np.isfinite(found.bound).sum()), max(used, largest_ratio(found).max())
    print(f"{word} {dtype}: {evaluated} elements, error/allowance up to {used:.3f}")
    assert evaluated > 1000
    assert used > (1 / 64 if word == "fft" else 1 / 16)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
@pytest.mark.parametrize("word", ALGORITHMS)
def test_honest_programs_at_the_ends_of_the_format(word, dtype):
    """Subnormal, huge, and both: a finite bound also promises finite results."""
    if not taken(word, dtype):
        return
    rng, info, finite = np.random.default_rng(5), np.finfo(dtype), 0
    low, high = math.log2(float(info.smallest_subnormal)), math.log2(float(info.max)) - 14
    for case in range(60):
        drawn = draw(rng, word, dtype, int(rng.integers(1, 40)), rng.choice(SIZES))
        scale, shrink = 2.0 ** rng.uniform(low, high), 2.0 ** rng.choice([0, rng.uniform(-40, 1)])
        b, h0 = ((np.abs(x) + low_end(word, info) if word == "log-space" else x) for x in (drawn.b * scale, drawn.start * scale))
        inputs = Inputs((drawn.lam * shrink).astype(drawn.lam.dtype), b.astype(dtype), h0.astype(dtype) if case % 2 else None)
        got = states(program(word, 4), inputs, PUSHES[case % 4], ORDERS[case % 2])
        assert not judged(got, inputs, declared(word, dtype, 4)).outside.any(), (inputs, PUSHES[case % 4], ORDERS[case % 2])
        finite += int(np.isfinite(algorithms.bound(inputs, declared(word, dtype, 4))).sum())
    assert finite > 400


def low_end(word, info):
    return float(info.smallest_subnormal)


@pytest.mark.parametrize("word", [word for word in ALGORITHMS if word != "fft"])
def test_half_precision(word):
    rng = np.random.default_rng(3)
    for case in range(30):
        wide = draw(rng, word, "float32", int(rng.integers(1, 30)), rng.choice(SIZES[1:]))
        b = np.maximum(wide.b, 2.0**-8) if word == "log-space" else wide.b
        inputs = Inputs(wide.lam.astype(np.float16), b.astype(np.float16))
        got = states(program(word, 4), inputs, PUSHES[case % 4], ORDERS[case % 3])
        assert not judged(got, inputs, declared(word, "float16", 4)).outside.any()


GREEDY = {"angle-sum": 0.2, "polar:L": 0.2, "scaled-cumsum": 0.2, "segment-exp:L": 0.2, "log-space": 0.1, "fft": 0.01}


@pytest.mark.parametrize("word", ALGORITHMS)
def test_greedy_adversary(word):
    """Each input is the one of 12 that pushes error/allowance of one honest program highest."""
    dtype = "complex64" if word in ("angle-sum", "polar:L", "fft") else "float32"
    rng, arithmetic = np.random.default_rng(9), declared(word, dtype, 4)
    lam = draw(rng, word, dtype, 1, 0.8).lam.ravel()[:1]
    past, used = np.zeros((1, 0, 12), dtype), 0.0
    for _ in range(24):
        fresh = rng.standard_normal((1, 1, 12)) * 2.0 ** rng.integers(-2, 3, (1, 1, 12))
        candidates = np.concatenate([past, (np.abs(fresh) if word == "log-space" else fresh).astype(dtype)], axis=1)  # (1, t, 12)
        inputs = Inputs(lam.repeat(12), candidates)
        found = judged(states(program(word, 4), inputs, Functions(1.0), "sequential"), inputs, arithmetic)
        assert not found.outside.any()
        ratios = np.nan_to_num(found.error[0, -1] / found.bound[0, -1])
        past, used = candidates[:, :, [int(np.argmax(ratios))]].repeat(12, 2), max(used, ratios.max())
    print(f"{word}: error/allowance up to {used:.3f}")
    assert used > GREEDY[word]


def test_long_sequences():
    """1000 steps: what grows with t, and with t^2, is covered."""
    for word in ALGORITHMS:
        arithmetic = declared(word, "float32" if word == "log-space" else "complex64", 64)
        inputs = draw(np.random.default_rng(1), word, arithmetic.dtype, 1000, 0.999, channels=2)
        for functions in PUSHES[:3]:
            assert not judged(states(program(word, 64), inputs, functions, "doubling"), inputs, arithmetic).outside.any(), word


# ---------------------------------------------------------------- the recurrences are sums over monomials


def monomials(inputs, t, factor):
    """Sum of |b_k| A^m (factor(m, k, t) - 1) over the monomials of h_t as a ball; one channel, one lam, k = 0 is h0."""
    A, sizes = flint.arb(float(np.abs(inputs.lam.flat[0]))), [abs(complex(x)) for x in (*inputs.start[0], *inputs.b[0, :, 0])]
    return sum((flint.arb(sizes[k]) * A ** (t - k) * (factor(t - k, k, t) - 1) for k in range(t + 1)), flint.arb(0))


def chunked(t, k, length):
    """Boundaries crossed from b_k to h_t (h0 comes before the first), additions on a path, and k's place in its chunk."""
    return (t - 1) // length - (k - 1) // length, min(t, length) - 1 + -(-t // length), (k - 1) % length + 1 if k else 0


@pytest.fixture(autouse=True)
def _precision():
    previous, flint.ctx.prec = flint.ctx.prec, 256
    yield
    flint.ctx.prec = previous


def agree(inputs, arithmetic, factor):
    """The bound is not below the sum, and less than 2^-9 above it (convexity, and second orders of u)."""
    for t in (1, 2, 7, 8, 9, 23):
        bound, exact = flint.arb(float(algorithms.bound(inputs, arithmetic)[0, t - 1, 0])), monomials(inputs, t, factor)
        assert bound >= exact
        assert bound <= exact * (1 + flint.arb(2.0**-9)) + flint.arb(2.0**-140)


CHECKED = constant(-0.75, np.linspace(0.5, 2, 23), 1.5, "float32")  # real lam with an angle: pi
LENGTHS = (1, 4, 7, 64)


def balls(arithmetic, is_complex):
    """u, e, beta, sqrt2 e_t as balls, and c."""
    k = common.constants(arithmetic, is_complex)
    return *(flint.arb(x) for x in (k.u, k.e, k.beta)), flint.arb(2).sqrt() * k.e_t, k.c


@pytest.mark.parametrize("varying", [False, True])
def test_angle_sum_is_its_sum_over_monomials(varying):
    """Depths of m equal angles add up to (m - 1)(m + 2)/2; of angles that vary, each may be the one that is m - 1 deep."""
    arithmetic = declared("angle-sum", "float32")
    u, e, beta, turned, c = balls(arithmetic, True)

    def factor(m, k, t):
        deep = m * (m - 1) if varying else flint.arb((m - 1) * (m + 2)) / 2
        v = ((1 + u) ** t - 1) / t
        angle = flint.arb.pi() * (m * e + (1 + e) * v * (deep if m else 0))
        return (1 + u) ** (c * t) * ((1 + e) * (1 + u) * (1 + beta) * (1 + turned)) ** m * (1 + angle)

    time = CHECKED.b.shape[1]
    lam = np.broadcast_to(CHECKED.lam, (1, time, 1)) if varying else CHECKED.lam
    agree(replace(CHECKED, lam=lam), arithmetic, factor)


def test_the_largest_angle_may_be_the_deepest():
    """pi, and numbers that each addition to it loses: as if all angles were their mean, the sum would be outside."""
    time, lost = 64, np.float32(0.49 * 2.0**-22)
    angles = np.array([np.pi] + [lost] * (time - 1), np.float32)
    computed = np.add.accumulate(angles)[-1]
    error = float(np.abs(float(computed) - angles.astype(float).sum()))
    ones, nothing = np.ones((1, time, 1)), np.zeros((1, time, 1))
    found = angle_sum.angle_errors(ones, angles.astype(float)[None, :, None], nothing, ones, U)[0, -1, 0]
    mean = angle_sum.angle_errors(ones, angles.astype(float).mean()[None], nothing, ones, U)[0, -1, 0]
    assert mean < error < found


@pytest.mark.parametrize("length", LENGTHS)
def test_polar_is_its_sum_over_monomials(length):
    arithmetic = declared("polar:L", "float32", length)
    u, e, beta, turned, c = balls(arithmetic, True)
    lg, d0 = -flint.arb(0.75).log(), -(1 - e).log()
    step = (u * lg + (1 + u) * (d0 + e * (lg + d0)) + flint.arb.pi() * (e + u + e * u)).exp()

    def factor(m, k, t):
        crossed, added, _ = chunked(t, k, length)
        powers = ((1 + turned) * (1 + e) * (1 + u) * (1 + beta)) ** (crossed + 1) if m else 1
        return (1 + u) ** (c * added) * step**m * powers

    agree(CHECKED, arithmetic, factor)


@pytest.mark.parametrize("length", LENGTHS)
def test_segment_exp_is_its_sum_over_monomials(length):
    arithmetic = declared("segment-exp:L", "float32", length)
    u, e, _, _, c = balls(arithmetic, False)
    log, sigma = -flint.arb(0.75).log(), (1 + e) * ((1 + u) ** (min(length, 23) - 1) - 1)

    def factor(m, k, t):
        crossed, added, place = chunked(t, k, length)
        wrong = (1 + u) * (2 * sigma * place * log + (e + sigma) * m * log) + u * m * log
        return (1 + u) ** (c * added) * (wrong.exp() * ((1 + e) * (1 + u)) ** (crossed + 1) if m else 1)

    agree(replace(CHECKED, lam=-CHECKED.lam), arithmetic, factor)


def test_scaled_cumsum_is_its_formula():
    agree(CHECKED, declared("scaled-cumsum", "float32"), lambda m, k, t: (1 + U) ** (2 * t + 2) / (1 - U) ** (t - 1))


# ---------------------------------------------------------------- every term is needed


class Only(Functions):
    """Pushes cosine and sine only."""

    def _relative(self, function, *x):
        return function(*x)


def from_the_right(items, combine, order):
    """The last state alone is folded from the right: multipliers then are long."""
    return [*accumulate(items[:-1], combine), reduce(lambda late, early: combine(early, late), reversed(items))]


def weaker(module, **change):
    """A patch: this module's constants with some of them changed by a factor."""
    honest = common.constants

    def apply(patch):
        scaled = lambda k: k._replace(**{name: getattr(k, name) * by for name, by in change.items()})  # noqa: E731
        patch.setattr(module, "constants", lambda *args, **kwargs: scaled(honest(*args, **kwargs)))

    return apply


def no_angle_rounding(patch):
    honest = angle_sum.angle_errors
    patch.setattr(angle_sum, "angle_errors", lambda *args: honest(*args[:-1], 0.0))


def no_use_of_powers(patch):
    honest = polar.power
    patch.setattr(polar, "power", lambda *args: (honest(*args)[0], 0.0))


def exponents(change):
    """A patch: the growth at entering a chunk's sum, from C and kappa."""
    def apply(patch):
        honest = cumulative._exponents

        def changed(size, length, k):
            C, entering, rate = honest(size, length, k)
            return C, change(size, entering), rate

        patch.setattr(cumulative, "_exponents", changed)

    return apply


def exact_kernel(patch):
    patch.setattr(fft_module, "power", lambda *_: (np.zeros(1), 0.0))
    weaker(fft_module, beta=0.0)(patch)


def exact_kernel_and_small_c(patch):
    patch.setattr(fft_module, "power", lambda *_: (np.zeros(1), 0.0))
    weaker(fft_module, beta=0.0, fft=0.05)(patch)


def signed(size, entering):
    """The rate times |c_t| instead of the sum of |log lam|."""
    logs = np.log(size.A)
    return entering * np.abs(np.cumsum(logs, axis=1)) / np.cumsum(np.abs(logs), axis=1)


UPS = np.exp(np.random.default_rng(26).uniform(20, 35, 16))
UP_AND_DOWN = [*np.stack([1 / UPS, np.roll(UPS, 1)], 1).ravel(), 0.99, 0.99, 0.99, 0.99]  # logarithms that cancel


def late(lam, at):
    """An impulse in the middle of a chunk, with lam varying in time."""
    lam = np.array(lam, np.float32)[None, :, None]
    return Inputs(lam, (np.arange(lam.shape[1]) == at).astype(np.float32)[None, :, None])


SINGLE = Inputs(*(np.random.default_rng(0).uniform(0.5, 2, (2, 400)).astype(np.float32)[:, None, None]))  # one step
ONES = constant(1.0, np.ones(1024), dtype="float32")
SUBNORMAL = constant(0.3 + 0.1j, [0, 0, 0], 2.0**-149)
WEAKENED = {  # term: (class and chunk length, patch, functions, order, inputs)
    "rounding of added angles": ("angle-sum", no_angle_rounding, Functions(), "right", impulse(np.exp(2.7182j), 800)),
    "e of |.| and arg": ("angle-sum", weaker(angle_sum, e=1e-3), Functions(1.0), "sequential", impulse(0.999 * np.exp(3j), 60)),
    "e_t": ("angle-sum", weaker(angle_sum, e=1e-3, e_t=0.0), Only(1.0), "sequential", impulse(0.999 * np.exp(0.001j), 60)),
    "underflow of angle-sum": ("angle-sum", weaker(angle_sum, loss=0.0), Functions(), "sequential", SUBNORMAL),
    "e of log and exp": ("polar:16", weaker(polar, e=1e-3), Functions(1.0), "sequential", impulse(0.999 * np.exp(3j), 60)),
    "one power each": ("polar:1", no_use_of_powers, Functions(1.0), "sequential", impulse(0.9 * np.exp(0.001j), 60)),
    "underflow of polar": ("polar:16", weaker(polar, loss=0.0), Functions(), "sequential", SUBNORMAL),
    "u of scaled-cumsum": ("scaled-cumsum", weaker(cumulative, u=0.5), Functions(), "sequential", SINGLE),
    "underflow of scaled-cumsum": ("scaled-cumsum", weaker(cumulative, eta=0.0), Functions(), "sequential",
                                   constant(4.0, [3 * 2.0**-149], dtype="float32")),
    "e of segment-exp": ("segment-exp:1", weaker(cumulative, e=1e-3), Functions(1.0), "sequential", impulse(2.0, 30, "float32")),
    "2 sigma C": ("segment-exp:64", exponents(lambda _, entering: 0 * entering), Functions(), "sequential",
                    late([0.05] * 16 + [0.99] * 48, 16)),
    "|log lam|, not |c|": ("segment-exp:64", exponents(signed), Functions(), "tree",
                           late(UP_AND_DOWN, 31)),
    "underflow of segment-exp": ("segment-exp:16", weaker(cumulative, loss=0.0), Functions(), "sequential",
                                 constant(0.3, [0, 0, 0], 2.0**-149, "float32")),
    "e of log-space": ("log-space", weaker(logarithm, e=1e-3), Functions(1.0), "sequential",
                       constant(1.0, [1e-30], dtype="float32")),
    "every logaddexp": ("log-space", lambda patch: patch.setattr(common.Sizes, "addends", 0.0), Functions(1.0), "doubling", ONES),
    "underflow of log-space": ("log-space", weaker(logarithm, eta=0.0), Functions(), "sequential",
                               constant(0.5, [3 * 2.0**-149, 2.0**-149], dtype="float32")),
    "powers in the kernel": ("fft", exact_kernel, Functions(1.0), "tree", impulse(0.9999 * np.exp(2j), 700)),
    "c": ("fft", exact_kernel_and_small_c, Functions(), "sequential", constant(1.0, [1.3] * 1000, dtype="float32")),
}  # fmt: skip


@pytest.mark.parametrize("term", WEAKENED)
def test_every_term_is_needed(monkeypatch, term):
    order, patch, functions, way, inputs = WEAKENED[term]
    arithmetic = Arithmetic(inputs.b.dtype.name, order=order, contraction=False)
    if way == "right":
        monkeypatch.setattr(scans, "prefixes", from_the_right)
    got = states(program(arithmetic.word, arithmetic.chunk or 1), inputs, functions, way)
    assert not judged(got, inputs, arithmetic).outside.any()
    patch(monkeypatch)
    found = judged(got, inputs, arithmetic)
    print(f"without {term}: error/allowance {largest_ratio(found).max():.2f}")
    assert found.outside.any()


# ---------------------------------------------------------------- faults


class Reducing(Functions):
    """Reduces angles modulo 6.2832."""

    def turn(self, theta):
        return super().turn(np.fmod(theta, theta.dtype.type(6.2832)))


class FastExp(Functions):
    def exp(self, x):
        return super().exp(x) * x.dtype.type(1 + 1e-4)


class WithoutMaximum(Functions):
    def logaddexp(self, x, y):
        return self.log(self.exp(x) + self.exp(y))


def earlier_product(inputs, functions, order):
    """P_{t-1} instead of P_t in front."""
    lam, b, _ = scans.steps_of(inputs)
    P = scans.prefixes(lam, np.multiply, order)
    sums = scans.prefixes([x / p for x, p in zip(b, P, strict=True)], np.add, order)
    return [p * s for p, s in zip([np.ones_like(P[0]), *P], sums, strict=False)]


def conjugated(inputs, functions, order):
    return scans.fft(replace(inputs, lam=inputs.lam.conj()), functions, order)


def seeded(word, dtype="complex64", time=48, size=0.95, **rest):
    return draw(np.random.default_rng(2), word, dtype, time, size, **rest)


FAULTS = {  # (class, program, functions, inputs)
    "angle-sum: angles modulo 6.2832": ("angle-sum", scans.angle_sum, Reducing(), impulse(np.exp(3.14j), 20)),
    "polar: carry times lam^(j-1)": ("polar:16", scans.polar(16, carry=lambda j: j - 1), Functions(), seeded("polar:L")),
    "polar: a carry twice as far": ("polar:16", scans.polar(8, carry=lambda j: min(2 * j, 8)), Functions(), seeded("polar:L")),
    "scaled-cumsum: product off by one": ("scaled-cumsum", earlier_product, Functions(),
                                          constant(0.99, np.ones(48), dtype="float32")),
    "segment-exp: carry times 1 + 1e-4": ("segment-exp:16", scans.segment_exp(16, carry=lambda x: x * x.dtype.type(1 + 1e-4)),
                                          Functions(), constant(0.99, np.ones(48), dtype="float32")),
    "log-space: exp off by 1e-4": ("log-space", scans.log_space, FastExp(), constant(0.9, np.ones(8), dtype="float32")),
    "log-space: no maximum": ("log-space", scans.log_space, WithoutMaximum(), constant(0.5, np.ones(200), dtype="float32")),
    "fft: transform without padding": ("fft", partial(scans.fft, size=lambda n: n), Functions(), seeded("fft")),
    "fft: lam conjugated": ("fft", conjugated, Functions(), constant(0.9j, np.ones(48))),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_rejected(fault):
    order, run, functions, inputs = FAULTS[fault]
    arithmetic = Arithmetic(inputs.b.dtype.name, order=order)
    honest = states(program(arithmetic.word, arithmetic.chunk or 1), inputs, Functions(), "doubling")
    assert not judged(honest, inputs, arithmetic).outside.any()
    found = judged(states(run, inputs, functions, "doubling"), inputs, arithmetic)
    assert found.outside.any(), largest_ratio(found)


LAST = {word: late([0.9] * 40, 30) for word in ("polar:16", "scaled-cumsum", "segment-exp:16", "fft")}
BRACKETED = LAST | {"log-space": constant(0.9, np.ones(40), dtype="float32"), "angle-sum": impulse(0.9 * np.exp(3j), 40)}


@pytest.mark.parametrize("order", BRACKETED)
def test_honest_programs_are_outside_where_they_are_declared_as_bracketings(order):
    """b_30 = 1 alone, which a bracketing carries on without any sum that rounds; else every step errs by nearly e."""
    inputs = BRACKETED[order]
    inputs = replace(inputs, lam=inputs.lam[0, 0]) if order in ("fft", "polar:16") else inputs
    arithmetic = Arithmetic(inputs.b.dtype.name, order=order)
    run, way = program(arithmetic.word, arithmetic.chunk or 1), "tree" if order == "polar:16" else "sequential"
    got = states(run, inputs, Functions(1.0), way)
    assert not judged(got, inputs, arithmetic).outside.any()
    assert judged(got, inputs, Arithmetic(inputs.b.dtype.name)).outside.any()


def test_early_outputs_of_an_fft_are_lost_within_its_bound():
    """A bracketing would have to give h_1 = b_1 exactly."""
    inputs = constant(0.9, [1e-9, *np.linspace(1, 2, 63)], dtype="float32")
    got = states(program("fft"), inputs, Functions(), "sequential")
    assert abs(got[0, 0, 0] - inputs.b[0, 0, 0]) > abs(inputs.b[0, 0, 0])
    assert not judged(got, inputs, declared("fft", "float32")).outside.any()
    assert judged(got, inputs, Arithmetic("float32")).outside[0, 0, 0]


# ---------------------------------------------------------------- what a class does not take

ONE = np.ones((1, 6, 1), np.float32)
HALF = ONE.astype(np.float16)
CHANGED = np.array([1, 1, 1, 0, 1, 1], np.float32)[None, :, None]
REFUSED = {  # reason: (order, inputs, steps that are still taken)
    "lam varies in time": ("polar:4", Inputs(ONE, ONE), 0),
    "lam has zeros": ("scaled-cumsum", Inputs(CHANGED, ONE), 3),
    "lam is complex": ("segment-exp:4", Inputs(ONE.astype(np.complex64), ONE.astype(np.complex64)), 0),
    "lam has numbers that are not positive": ("segment-exp:4", Inputs(CHANGED - 0.5, ONE), 3),
    "lam, b or h0 has numbers that are not positive": ("log-space", Inputs(ONE, CHANGED), 3),
    "not all exponents up to 2049 are numbers of float16": ("polar:2049", Inputs(HALF[0, 0], HALF), 0),
}  # fmt: skip


@pytest.mark.parametrize("reason", REFUSED)
def test_what_a_class_does_not_take(reason):
    order, inputs, taken_steps = REFUSED[reason]
    arithmetic = Arithmetic(inputs.b.dtype.name, order=order)
    finite = np.isfinite(algorithms.bound(inputs, arithmetic))[0, :, 0]
    assert algorithms.fault(inputs, arithmetic) == f"order {order}: {reason}"
    assert finite.tolist() == [True] * taken_steps + [False] * (6 - taken_steps)
    assert (np.isfinite(allowance(inputs, arithmetic).bound)[0, :, 0] == finite).all()


@pytest.mark.parametrize("order", ["polar:4", "fft", "scaled-cumsum", "segment-exp:4", "log-space"])
def test_a_zero_multiplier_refuses_its_channel_only(order):
    inputs = Inputs(np.array([0, 0.5], np.float32), np.ones((1, 6, 2), np.float32))
    finite = np.isfinite(algorithms.bound(inputs, Arithmetic("float32", order=order)))
    assert not finite[..., 0].any()
    assert finite[..., 1].all()


def test_functions_without_a_digit_are_refused():
    inputs = Inputs(HALF, HALF)
    arithmetic = Arithmetic("float16", order="log-space", assumed=32.0)
    assert not np.isfinite(algorithms.bound(inputs, arithmetic)).any()
    assert "leaves no digit" in algorithms.fault(inputs, arithmetic)
    assert np.isfinite(algorithms.bound(inputs, replace(arithmetic, assumed=16.0))).all()


@pytest.mark.parametrize("order", ["sequential", "doubling"])
def test_cumulative_products_out_of_range(order):
    """0.1^60 leaves float32: from there on nothing is promised, and honest programs do fail there."""
    inputs = constant(0.1, np.ones(60), dtype="float32")
    bound = algorithms.bound(inputs, Arithmetic("float32", order="scaled-cumsum"))[0, :, 0]
    got = states(program("scaled-cumsum"), inputs, Functions(), order)[0, :, 0]
    finite = int(np.isfinite(bound).sum())
    assert 30 < finite < 38
    assert np.isfinite(bound[:finite]).all()
    assert not np.isfinite(got[45:]).any()


@pytest.mark.parametrize("word", ALGORITHMS)
def test_more_is_admitted_where_more_is_assumed(word):
    inputs = draw(np.random.default_rng(4), word, "float32", 20, 0.9)
    if word == "scaled-cumsum":
        with pytest.raises(ValueError, match="assumed: found 2"):
            systems.declared(systems.system_of("scan"), declared(word, "float32", assumed=2.0))
        return
    once, twice = (algorithms.bound(inputs.forward(), declared(word, "float32", assumed=a)) for a in (1.0, 2.0))
    assert (twice >= once).all()
    assert (twice[:, -1] > once[:, -1]).all()


def test_nothing_to_judge():
    for word in ALGORITHMS:
        empty = Inputs(np.ones(2, np.float32), np.zeros((1, 0, 2), np.float32))
        assert algorithms.bound(empty, declared(word, "float32")).shape == (1, 0, 2)


def test_the_constant_of_the_fft_is_not_refuted_by_a_search():
    found = [classes.fft_constant(n, N, rounds=60) for n in (2, 3, 16) for N in (2 * n - 1, 4 * n)]
    assert 1 / 2 < max(found) < common.FFT


# ---------------------------------------------------------------- the page


def test_the_page_names_every_class_and_has_the_table():
    page = (Path(__file__).parents[2] / "docs/classes.md").read_text()
    measured = page[page.index(classes.BEGIN) : page.index(classes.END)]
    for word in ALGORITHMS:
        assert f"| `{word}` |" in page[: page.index(classes.BEGIN)]
        assert f"| `{word}` | {classes.DTYPES[word][0]} |" in measured
    assert page.index(classes.BEGIN) < page.index("FFT with an exact kernel")


def test_the_table_is_made_from_runs():
    lines = list(classes.table(cases=2))
    assert classes.rewritten(f"a\n{classes.BEGIN}\nold\n{classes.END}\nb", lines) == "\n".join(
        ["a", classes.BEGIN, "", *lines, "", classes.END, "b"]
    )
    assert [line.split("|")[-2].strip() for line in lines if line.startswith("| `")] == ["0"] * len(ALGORITHMS)
    with pytest.raises(ValueError, match="found 0 and 1 markers"):
        classes.rewritten(classes.END, lines)

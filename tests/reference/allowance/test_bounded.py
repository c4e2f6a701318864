"""The rules of the allowance arithmetic, one by one: each dominates every error that it must, and half of it does not.

Formats of a few bits, all operands: numbers are float64, in which sums and products of a few of them are exact.
"""

import dataclasses
from itertools import permutations

import flint
import numpy as np
import pytest
from editing import edited
from scans import Ieee, Tiny, tiny_dtype
from thresholds import FLOAT64, MOSTLY

from scanproof.reference.allowance import bounded
from scanproof.reference.allowance import elements as allowance_namespace
from scanproof.reference.allowance.bounded import Bounded
from scanproof.reference.allowance.certificate import outputs
from scanproof.reference.allowance.operation_errors import OperationErrors, operation_errors
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.operations import TINY
from scanproof.reference.call import Call
from scanproof.reference.layers import named
from scanproof.reference.numbers import exponential, namespace
from scanproof.reference.numbers.enclosed import BITS, balls, exact
from scanproof.reference.systems import lru

P3 = Tiny(3, -2)


def declared(tiny=P3, materialized=False, **words):
    """The production rules of a tiny format."""
    return operation_errors(Arithmetic(tiny_dtype(tiny), **words), materialized)


def weaker(errors, **changes):
    """The same rules with constants of operations or of elementary functions multiplied by factors."""
    known = {kind: getattr(errors, kind)._asdict() for kind in ("real", "complex", "elementary")}
    scaled = {
        kind: getattr(errors, kind)._replace(**{name: x * changes[name] for name, x in fields.items() if name in changes})
        for kind, fields in known.items()
    }
    return dataclasses.replace(errors, **scaled)


def element(x, E, errors):
    """x with errors up to E."""
    leaf = Bounded.leaf(np.asarray(x), errors)
    return dataclasses.replace(leaf, E0=np.broadcast_to(np.asarray(E, float), leaf.shape), n=np.ones(leaf.shape))


def exceeds(error, bound):
    """Largest error / E, and where: 0 where there is no error."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = np.where(error > 0, error / bound.E, 0.0)
    return float(ratio.max()), np.unravel_index(int(np.argmax(ratio)), ratio.shape)


def check(error, make, errors, **weakened):
    """The rule dominates; with each constant weakened it does not, by a printed case."""
    ratio, _ = exceeds(error, make(errors))
    assert 0 < ratio <= 1
    for name, factor in weakened.items():
        worse, where = exceeds(error, make(weaker(errors, **{name: factor})))
        print(f"{name} times {factor}: violated at {where}, {worse:.4f}")
        assert worse > 1, name


# ---------------------------------------------------------------- products and sums


def operands(tiny, largest=2.0):
    """All a, b and two sizes of errors: arrays that broadcast, and the computed numbers on either end."""
    x = tiny.values(largest)
    a, b, E = x[:, None, None], x[None, :, None], np.array([0, 2 * tiny.eta, 0.5])
    return a, b, E


def extremes(x, E, tiny):
    """Numbers of the format within E of x: both ends and x itself."""
    ends = [tiny.round(x + side * E) for side in (-1, 0, 1)]
    return [np.where(np.abs(end - x) <= E, end, x) for end in ends]


@pytest.mark.parametrize("tiny", [P3, Tiny(2, -3), Tiny(4, -3)])
def test_real_products(tiny):
    errors, (a, b, E) = declared(tiny), operands(tiny)
    computed = [tiny.mul(one, two) for one in extremes(a, E, tiny) for two in extremes(b, E, tiny)]
    error = np.max([np.abs(x - a * b) for x in computed], 0)
    check(error, lambda r: element(a + 0 * E, E, r) * element(b + 0 * E, E, r), errors)
    alone = np.abs(tiny.mul(a, b) - a * b)
    weakened = {"beta": 0.5} if tiny.p > 2 else {"beta": 0.25}  # at p = 2 half of it is just enough
    check(alone, lambda r: element(a + 0 * E, 0 * E, r) * element(b + 0 * E, 0 * E, r), errors, product_loss=0.5, **weakened)


def test_the_errors_of_both_factors_count():
    errors, (a, b, E) = declared(), operands(P3)
    x, y = (a + 0 * E, b + 0 * E)
    error = np.abs(P3.mul(P3.round(a + E), P3.round(b + E)) - a * b) * ((a + E == P3.round(a + E)) & (b + E == P3.round(b + E)))
    assert exceeds(error, element(x, E, errors) * element(y, E, errors))[0] <= 1
    assert exceeds(error, element(x, E, errors) * element(y, 0 * E, errors))[0] > 1
    assert exceeds(error, element(x, 0 * E, errors) * element(y, E, errors))[0] > 1


def test_products_by_powers_of_two_round_only_by_underflow():
    errors, (a, b, E) = declared(), operands(P3)
    power = (np.abs(np.frexp(b)[0]) == 0.5) | (b == 0)
    found = element(a + 0 * b + 0 * E, E, errors) * Bounded.leaf(np.where(power, b, 1) + 0 * a + 0 * E, errors)
    with_E = E * np.abs(np.where(power, b, 1))
    loss = errors.real.product_loss + 4 * TINY
    far = np.maximum(1, np.abs(a) + E) * np.maximum(1, np.abs(np.where(power, b, 1)))  # whatever is multiplied first
    assert (found.E <= with_E + loss * far * (1 + errors.real.beta)).all()
    error = np.max([np.abs(P3.mul(one, np.where(power, b, 1)) - a * np.where(power, b, 1)) for one in extremes(a, E, P3)], 0)
    assert 0 < exceeds(error, found)[0] <= 1
    assert not (Bounded.leaf(np.zeros(3), errors) * element(np.ones(3), np.ones(3), errors)).E.any()
    assert (element(np.ones(3), 0, errors) * element(np.full(3, 1.0), 0.5, errors)).E.min() > 0.5  # with an error no power of two


@pytest.mark.parametrize("tiny", [P3, Tiny(2, -3)])
def test_sums_of_three_in_any_order(monkeypatch, tiny):
    errors, x = declared(tiny), tiny.values(1.0)
    a, b, c = x[:, None, None], x[None, :, None], x[None, None, :]
    error = np.max([np.abs(tiny.add(tiny.add(p, q), r) - (a + b + c)) for p, q, r in permutations((a, b, c))], 0)

    def make(r):
        return Bounded.leaf(a + 0 * b + 0 * c, r) + (0 * a + b + 0 * c) + (0 * a + 0 * b + c)

    check(error, make, errors, u=0.5)
    assert exceeds(error, make(errors))[0] > MOSTLY
    with monkeypatch.context() as shorter:
        shorter.setattr(OperationErrors, "depth", lambda self, n: np.maximum(np.asarray(n) - 2, 0))
        assert exceeds(error, make(errors))[0] > 1
    assert (make(errors).E[:, x == 0][:, :, x == 0] == 0).all()  # sums with exact zeros do not round


def test_errors_of_addends_are_added_and_grow():
    errors, (a, b, E) = declared(Tiny(5, -2)), operands(Tiny(5, -2))
    tiny = Tiny(5, -2)
    computed = [tiny.add(one, two) for one in extremes(a, E, tiny) for two in extremes(b, E, tiny)]
    error = np.max([np.abs(x - (a + b)) for x in computed], 0)
    make = lambda r: element(a + 0 * E, E, r) + element(b + 0 * E, E, r)  # noqa: E731
    check(error, make, errors, u=0.5)
    assert exceeds(error, element(a + 0 * E, E, errors) + element(b + 0 * E, 0 * E, errors))[0] > 1


def test_an_addend_may_be_joined_before_the_others():
    """(c + p_1) + p_2 rounds c twice: a sum that is closed before c is added would not know."""
    errors = operation_errors(Arithmetic("float32", contraction=False), False)
    u, c = np.float32(2.0**-24), np.float32(1)
    p = np.array([u * (1 + 2.0**-20)] * 2, np.float32) * np.float32(1 - 2.0**-19)
    products = Bounded.leaf(p.astype(float), errors) * Bounded.leaf(np.ones(2), errors)  # exact
    truth, joined = 1 + float(p[0]) + float(p[1]), (c + p[0]) + p[1]
    error = abs(float(joined) - truth)
    assert error > (products.sum(0).closed() + 1.0).E > 0
    assert error <= (products.sum(0) + 1.0).E
    assert error <= (1.0 + products.sum(0)).E


def test_a_declared_depth_counts_zeros():
    """One of eight sequences may hold all addends that are not zero: then each meets all the additions of that sequence."""
    x = np.zeros(8 * 100)
    x[::8] = 2.0**-24
    x[0] = 1
    sequence = np.float32(0)
    for number in x[::8].astype(np.float32):
        sequence += number  # stays 1
    error = np.abs(float(sequence) - x.sum())
    for sums in ("any", "blocked"):
        errors = operation_errors(Arithmetic("float32", sums=sums), False)
        found = Bounded.leaf(x, errors).einsum("t,t->", Bounded.leaf(np.ones(800), errors))
        assert error <= found.E
    errors = operation_errors(Arithmetic("float32", sums="blocked"), False)
    assert error > errors.growth(np.array(100.0)) * x.sum()  # as if only they counted
    assert errors.depth(np.array(800.0)) >= 800 / 8 + 8
    assert found.E < operation_errors(Arithmetic("float32"), False).growth(np.array(799.0))


@pytest.mark.parametrize("sums", ["blocked", "pairwise"])
def test_declared_depths_hold_in_the_norm_of_complex_sums(sums):
    """sqrt(2) times the depth of 2 m real addends, for m complex products that count 3 m; and one addend joined."""
    errors = operation_errors(Arithmetic("float32", sums=sums), False)
    m = np.arange(1.0, 5000)
    real = np.ceil(2 * m / 8) + 8 if sums == "blocked" else 24 + np.log2(2 * m)
    assert (errors.depth(3 * m) >= np.minimum(2**0.5 * (2 * m - 1), 2**0.5 * real)).all()
    n = np.arange(1.0, 5000)
    real = np.ceil(n / 8) + 8 if sums == "blocked" else 24 + np.log2(n)
    assert (errors.depth(n + 1) >= np.minimum(n, real + 1)).all()


def test_flushed_sums():
    """Adding an exact zero may flush a subnormal number too."""
    tiny, x = P3, P3.values(0.24)
    errors = declared(tiny, subnormals="ftz")
    error = np.abs(x)  # all subnormal: all become zero
    for found in (Bounded.leaf(x, errors) + np.zeros(x.shape), np.stack([Bounded.leaf(x, errors), Bounded.leaf(0 * x, errors)]).sum(0)):
        assert 0 < exceeds(error, found)[0] <= 1
    assert exceeds(error, Bounded.leaf(x, errors) + np.zeros(x.shape))[0] > MOSTLY
    three = np.stack([Bounded.leaf(x, errors)] * 3).sum(0)
    assert exceeds(3 * error, three)[0] <= 1


def test_subnormal_components_may_be_read_as_zero():
    errors = operation_errors(Arithmetic("float32", subnormals="daz"), False)
    x = np.array([1e-40, 1e-38 * 1.2, 1, 0])
    assert (Bounded.leaf(x, errors).E == np.where((x > 0) & (x < 2.0**-126), x, 0)).all()
    z = Bounded.leaf(np.array([1 + 1e-40j, 1e-40 + 1j, 1e-40 - 1e-40j, 1 + 1j, 0]), errors)
    assert (z.E >= 2**0.5 * np.array([1e-40, 1e-40, 2**0.5 * 1e-40, 0, 0])).all()
    assert z.E.tolist()[3:] == [0, 0]


def test_operands_of_tf32_lose_bits_of_subnormals():
    errors = operation_errors(Arithmetic("float32", operands="tf32"), False)
    tiny, large = 2.0**-137, 2.0**100  # the first is truncated to 0
    found = Bounded.leaf(np.array([tiny]), errors) * Bounded.leaf(np.array([1.5 * large]), errors)
    assert found.E >= tiny * 1.5 * large
    assert errors.real.beta * tiny * 1.5 * large < tiny * large / 100


# ---------------------------------------------------------------- complex numbers


def complex_sums(rng, dtype, m, tries=4000):
    """m complex products in float32, as 2 m real products of each component in a random order: errors and elements."""
    form = Ieee(dtype)
    z, w = ((rng.uniform(0.5, 1, (tries, m, 2)) * rng.choice([-1, 1], (tries, m, 2))).astype(dtype) for _ in range(2))
    wide_z, wide_w = z[..., 0].astype(float) + 1j * z[..., 1], w[..., 0].astype(float) + 1j * w[..., 1]
    gap = []
    for signs, other in (((1, -1), w), ((1, 1), w[..., ::-1])):
        left, right = (x.transpose(1, 2, 0).reshape(2 * m, tries) for x in (z, other * np.array(signs, dtype)))
        order = rng.permutation(2 * m)
        total = form.mul(left[order[0]], right[order[0]])
        for i in order[1:]:
            total = form.add(total, form.mul(left[i], right[i]))
        truth = (left.astype(np.longdouble) * right).sum(0)
        gap.append((total - truth).astype(float))
    return wide_z, wide_w, np.hypot(*gap)


@pytest.mark.parametrize("m", [1, 2, 5])
@pytest.mark.parametrize("contraction", [True, False])
def test_complex_products_are_sums_of_real_ones(m, contraction):
    errors = operation_errors(Arithmetic("float32", contraction=contraction), False)
    z, w, error = complex_sums(np.random.default_rng(m), "float32", m)

    def make(r):
        return Bounded.leaf(z, r).einsum("nt,nt->n", Bounded.leaf(w, r))

    assert (make(errors).n == 3 * m).all()
    assert 0.1 < exceeds(error, make(errors))[0] <= 1  # what random operands product_bound; the rule is for all
    assert exceeds(error, make(weaker(errors, beta=0.1, u=0.1)))[0] > 1


def test_complex_powers_of_two_and_real_factors_are_one_addend():
    errors = operation_errors(Arithmetic("float32"), False)
    z, power = np.array([0.3 + 0.7j, 0.1j]), np.array([2j, -0.5])
    found = Bounded.leaf(z, errors) * Bounded.leaf(power, errors)
    assert (found.n == 1).all()
    assert (found.E <= errors.complex.product_loss * 3 * np.maximum(np.abs(power), 1)).all()
    real = Bounded.leaf(z, errors) * Bounded.leaf(np.array([0.3, 0.7]), errors)
    assert (real.n == 1).all()
    assert (real.E <= errors.real.u * real.X * (1 + FLOAT64) + 3 * errors.real.product_loss).all()
    assert (Bounded.leaf(z, errors) * Bounded.leaf(np.array([0.3j, 0.7]), errors)).n.tolist() == [3, 3]


def test_pairs_and_their_components():
    errors, x = declared(), P3.values(1.0)
    a, b, E, F = x[:, None, None, None], x[None, :, None, None], np.array([0, 0.125, 0.5])[:, None], np.array([0, 0.25])
    shape = np.broadcast_shapes(a.shape, b.shape, E.shape, F.shape)
    re, im = (element(np.broadcast_to(v, shape), np.broadcast_to(e, shape), errors) for v, e in ((a, E), (b, F)))
    z = allowance_namespace.pair(re, im)
    error = np.broadcast_to(np.sqrt(E**2 + F**2), shape)
    assert 1 - FLOAT64 < exceeds(error, z)[0] <= 1
    assert (z.X >= np.hypot(a, b)).all()
    for part, e in ((z.real_part(), E), (z.imag_part(), F)):
        assert exceeds(np.broadcast_to(e, shape), part)[0] <= 1
    assert (z.conj().E == z.E).all()
    assert (z.conj().v.im.head == -z.v.im.head).all()


# ---------------------------------------------------------------- functions


DOMAIN = {"exp": (-6, 6), "expm1": (-6, 3), "log": (0.5, 9), "cos": (-9, 9), "sin": (-9, 9), "sqrt": (0.5, 9)}


@pytest.mark.parametrize("name", DOMAIN)
def test_functions_of_uncertain_numbers(name):
    """Every s within E, and any error of f that the constants admit: in balls."""
    errors = operation_errors(Arithmetic("float32"), False)
    v = np.linspace(*DOMAIN[name], 41)[:, None]
    E = np.array([0, 2.0**-30, 2.0**-10, 0.25])
    relative, absolute = errors.elementary.e * errors.real.u, 0.0
    if name in ("sin", "cos"):
        relative, absolute = 0.0, errors.elementary.e_t * errors.real.u
    if name == "sqrt":
        relative = errors.real.u
    with flint.ctx.workprec(BITS):
        values = getattr(np, name)(balls(exact(v + 0 * E)))
        error = 0 * (v + E)
        for side in np.linspace(-1, 1, 9):
            moved = getattr(np, name)(balls(exact(v + 0 * E)) + namespace.balls().lift(side * E + 0 * v))
            for sign in (-1, 1):
                off = moved * (1 + sign * relative) + sign * (absolute + errors.real.product_loss) - values
                error = np.maximum(error, np.frompyfunc(lambda x: float(abs(x).lower()), 1, 1)(off).astype(float))

    def make(r):
        return allowance_namespace.function(name, element(v + 0 * E, E, r))

    constant = {"sin": "e_t", "cos": "e_t", "sqrt": "division"}.get(name, "e")
    check(error, make, errors, **{constant: 0.5})
    assert exceeds(error, allowance_namespace.function(name, element(v + 0 * E, E / 2, errors)))[0] > 1
    assert exceeds(error[:, :1], make(errors)[:, :1])[0] > 0.99  # sharp where the argument is exact


def test_a_domain_that_is_left_is_unknown():
    errors = operation_errors(Arithmetic("float32"), False)
    for name in ("log", "sqrt"):
        assert not np.isfinite(allowance_namespace.function(name, element(np.ones(1), 2.0, errors)).E).any()
    for error in (np.inf, np.nan):
        assert not np.isfinite(allowance_namespace.function("exp", element(np.ones(1), error, errors)).E).any()


@pytest.mark.parametrize("tiny", [P3, Tiny(4, -6)])
def test_division(tiny):
    errors, (a, b, E) = declared(tiny), operands(tiny)
    b = b[:, np.abs(b[0, :, 0]) > 0.5]
    computed = []
    for one in extremes(a, E, tiny):
        for two in extremes(b, E, tiny):
            computed += [tiny.round(one / two), tiny.mul(one, tiny.round(1 / two))]
    error = np.max([np.abs(x - a / b) for x in computed], 0) * (1 - FLOAT64)  # quotients in float64

    def make(r):
        return element(a + 0 * b + 0 * E, E, r) / element(b + 0 * a + 0 * E, E, r)

    ratio = exceeds(error, make(errors))[0]
    assert 0.5 < ratio <= 1
    assert exceeds(error, make(weaker(errors, division=0.1)))[0] > 1
    assert not np.isfinite((element(np.ones(1), 0, errors) / element(np.ones(1), 1.0, errors)).E).any()


def test_nothing_is_known_of_quotients_by_what_may_overflow():
    errors = operation_errors(Arithmetic("float32"), False)
    large = Bounded.leaf(np.array([2.0**100]), errors)
    assert np.isfinite((1.0 + 0 * large).E).all()
    assert not np.isfinite((Bounded.leaf(np.ones(1), errors) / (large * large)).E).any()  # 1 / inf = 0 in float32
    assert np.isfinite((Bounded.leaf(np.ones(1), errors) / large).E).all()


# ---------------------------------------------------------------- matrices


def skew(rng, n, size):
    M = rng.standard_normal((1, n, n)) * size
    return np.float32(M).astype(float)


@pytest.mark.parametrize("n", [2, 4, 6])
def test_the_norm_lane(n):
    """P^T z with P off by any matrix of 2-norm delta: the worst is a rank-one matrix along z."""
    rng = np.random.default_rng(n)
    errors = operation_errors(Arithmetic("float32"), False)
    M, z = Bounded.leaf(skew(rng, n, 0.4), errors), Bounded.leaf(rng.standard_normal((1, n)), errors)
    P = allowance_namespace.expm(M - M.swapaxes(1, 2))
    delta, direction = P.E[0, 0, 0], z.v.head[0] / np.linalg.norm(z.v.head[0])
    assert (P.E == delta).all()
    found = P.einsum("hnm,hn->hm", z)
    for i in range(n):
        dP = np.outer(direction, np.eye(n)[i]) * delta  # 2-norm delta
        error = np.abs(dP.T @ z.v.head[0])
        assert error[i] <= found.E[0, i]
        assert error[i] > found.E[0, i] / 2
    half = dataclasses.replace(P, E0=P.E0 / 2).einsum("hnm,hn->hm", z)
    assert error[-1] > half.E[0, -1] - errors.growth(np.array(n)) * found.X[0, -1]  # without the roundings of the product
    C = Bounded.leaf(np.eye(n), errors)
    again = C.einsum("wm,hm->hw", found)
    assert (again.E >= found.E).all()


def test_entries_alone_would_be_too_much_and_entries_as_norms_too_little():
    errors, rng = operation_errors(Arithmetic("float32"), False), np.random.default_rng(0)
    M, z = Bounded.leaf(skew(rng, 8, 0.4), errors), Bounded.leaf(np.ones((1, 8)), errors)
    P = allowance_namespace.expm(M - M.swapaxes(1, 2))
    by_norm, by_entry = P.einsum("hnm,hn->hm", z), dataclasses.replace(P, normwise=False).einsum("hnm,hn->hm", z)
    assert (by_norm.E < by_entry.E).all()
    assert (by_entry.E - by_norm.E > P.E[0, 0, 0] * (8 - 8**0.5) / 2).all()


def test_exponentials_move_as_far_as_their_arguments():
    """S rounded once, adversarially: exp moves by less than delta even if the exponential itself is exact."""
    rng = np.random.default_rng(1)
    errors = weaker(operation_errors(Arithmetic("float32"), False), c_E=0.0)
    M = skew(rng, 4, 1.0)
    x = Bounded.leaf(M, errors)
    S = x - x.swapaxes(1, 2)
    P, exact_S = allowance_namespace.expm(S), M - M.swapaxes(1, 2)
    worst = 0.0
    for _ in range(20):
        signs = np.triu(rng.choice([-1, 1], (1, 4, 4)), 1)
        moved = exact_S + np.abs(exact_S) * (signs - signs.swapaxes(1, 2)) * errors.real.u
        gap = exponential.native_expm(moved) - exponential.native_expm(exact_S)
        worst = max(worst, float(np.linalg.norm(gap[0], 2)))
    assert worst <= P.E[0, 0, 0] < 4 * worst


def test_derivatives_of_exponentials():
    """L(S, G) with S and G moved: in the Frobenius norm, and never without the constant of the derivative, even at S = 0."""
    rng = np.random.default_rng(2)
    errors = operation_errors(Arithmetic("float32"), False)
    M, G = skew(rng, 4, 0.7), rng.standard_normal((1, 4, 4))
    x, E = Bounded.leaf(M, errors), 2.0**-12
    found = allowance_namespace.frechet(x - x.swapaxes(1, 2), element(G, E, errors))
    S = M - M.swapaxes(1, 2)
    worst = 0.0
    for _ in range(20):
        signs = rng.choice([-1, 1], G.shape)
        gap = exponential.native_frechet(S, G + E * signs) - exponential.native_frechet(S, G)
        worst = max(worst, float(np.linalg.norm(gap)))
    assert worst <= found.E[0, 0, 0] < 2 * worst
    zero = Bounded.leaf(np.zeros((1, 2, 2)), errors)
    assert (allowance_namespace.frechet(zero, Bounded.leaf(G[:, :2, :2], errors)).E >= errors.elementary.c_E * errors.real.u).all()
    assert not allowance_namespace.expm(zero).E.any()


# ---------------------------------------------------------------- scans


def scan_errors(rng, tiny, tries, time=3):
    """Sequential scans of real numbers written as complex ones, with lam, b and h0 off by what is declared: errors, elements."""
    values = tiny.values(1.0)
    lam, h0, b = rng.choice(values, tries), rng.choice(values, tries), rng.choice(values, (time, tries))
    E = 2 * tiny.eta * rng.integers(0, 3, (3, tries))
    read = [tiny.round(x + e * rng.choice([-1, 1], x.shape)) for x, e in ((lam, E[0]), (h0, E[1]), (b, E[2]))]
    read = [np.where(np.abs(r - x) <= e, r, x) for r, x, e in zip(read, (lam, h0, b), E, strict=True)]
    state, truth, gap = read[1], h0, []
    for t in range(time):
        state, truth = tiny.add(tiny.mul(read[0], state), read[2][t]), lam * truth + b[t]
        gap.append(np.abs(state - truth))
    return lam, h0, b, E, np.array(gap)


@pytest.mark.parametrize("order", ["any", "sequential"])
def test_scans_of_uncertain_numbers(order):
    tiny = Tiny(4, -3)
    lam, h0, b, E, gap = scan_errors(np.random.default_rng(3), tiny, 20_000)

    def make(kept=(1, 1, 1)):
        errors = declared(tiny, materialized=True, order=order, contraction=False)
        x = [element(part + 0j, e * k, errors) for part, e, k in zip((lam, h0[None], b[None]), E, kept, strict=True)]
        return allowance_namespace.scan(x[0], x[2], x[1])

    assert 0.3 < exceeds(gap[None], make())[0] <= 1
    for dropped in ((0, 1, 1), (1, 0, 1), (1, 1, 0)):
        assert exceeds(gap[None], make(dropped))[0] > 1, dropped


def test_a_drive_that_cancels_in_exact_numbers_is_an_addend():
    """b = 0 exactly, but as computed it is not: the sum with the state rounds, though nothing is added in exact numbers."""
    errors, moved = operation_errors(Arithmetic("float32", contraction=False), True), 2.0**-24 * 1.5
    one = Bounded.leaf(np.ones((1, 1, 1)) + 0j, errors)
    found = allowance_namespace.scan(one[0, 0], element(np.zeros((1, 1, 1)) + 0j, moved, errors), one[:, 0])
    error = abs(float(np.float32(1) + np.float32(moved)) - 1)  # rounded away from 1: more than the error of b
    assert moved < error <= found.E[0, 0, 0]


# ---------------------------------------------------------------- product_bound, stages


def test_no_program_passes_beyond_the_reach():
    """(g B) u overflows where g (B u) does not: both are programs of the class."""
    errors = operation_errors(Arithmetic("float32"), False)
    g, B, u = (Bounded.leaf(np.array([[x]]), errors) for x in (1e20, 1e20, 1e-30))
    assert (g * (B @ u)).size[0, 0] < 1e11
    assert errors.tally.peak >= 1e40
    assert errors.tally.peak > errors.safe


def test_beyond_float64_nothing_is_known_and_nothing_is_said_of_it():
    """Warnings are errors in these tests: sums of what is beyond float64 are a peak of the tally, and no warning."""
    for kind in (lambda x: x + x, lambda x: x.sum(0), lambda x: x.closed(), lambda x: x * x, lambda x: -x - x):
        errors = operation_errors(Arithmetic("float32"), False)
        x = Bounded.leaf(np.full(2, 1.5), errors)
        endless = Bounded(x.v, x.X, x.E0, x.n + 1, np.full(2, np.inf), x.underflow_error, errors)
        assert (kind(endless) + 0.0).shape in ((2,), ())
        assert errors.tally.peak == np.inf


def test_the_largest_number_includes_its_own_roundings():
    """1000 addends of bfloat16 may grow by (1 + 2^-8)^999."""
    errors = operation_errors(Arithmetic("bfloat16"), False)
    x = Bounded.leaf(np.full(1000, 2.0**115), errors)
    found = x.einsum("t,t->", Bounded.leaf(np.ones(1000), errors))
    assert found.X < errors.safe < found.size
    assert errors.tally.peak >= found.size


def test_stages_take_their_own_size_only_where_they_are_formed():
    for materialized in (False, True):
        errors = operation_errors(Arithmetic("float32"), materialized)
        difference = (Bounded.leaf(np.ones(2), errors) - np.array([1.0, 0.5])).materialized()
        assert difference.X.tolist() == ([0, 0.5] if materialized else [2, 1.5])
        assert (difference.E == errors.real.u * np.array([2, 1.5]) * (1 + 2.0**-49)).all()


def test_what_has_no_error_has_none():
    errors = operation_errors(Arithmetic("float32"), False)
    x = Bounded.leaf(np.array([0.0, 1.5, -3.0]), errors)
    for found in (x, -x, x.reshape(3, 1).T, x[1:], np.stack([x, x]), x + 0.0, x.closed(), x.conj()):
        assert not found.E.any()


MUTANTS = [
    ("(one + two for one, two in zip(self.parts[1:]", "(np.maximum(one, two) for one, two in zip(self.parts[1:]"),
    ("cross = cross + (times(a.R, b.X + b.R)", "cross = cross + 0 * (times(a.R, b.X + b.R)"),
    ("E0 = cross + products + alive", "E0 = cross + 0 * products + alive"),
    ("underflow_error = underflow_error + product_bound * (loss", "underflow_error = underflow_error + 0 * product_bound * (loss"),
]


@pytest.mark.parametrize(("old", "new"), MUTANTS)
def test_a_wrong_rule_is_seen(old, new):
    """Sums and products as above, by rules with a fault in their text."""
    errors, (a, b, E) = declared(), operands(P3)
    pairs = [(p, q) for p in extremes(a, E, P3) for q in extremes(b, E, P3)]

    def worst(kind):
        one, two = (kind(*element(x + 0 * y + 0 * E, E, errors).parts, errors) for x, y in ((a, b), (b, a)))
        sums, products = (max(exceeds(np.abs(f(p, q) - exact_), found)[0] for p, q in pairs)
                          for f, exact_, found in ((P3.add, a + b, one + two), (P3.mul, a * b, one * two)))  # fmt: skip
        return max(sums, products)

    assert worst(Bounded) <= 1
    assert worst(edited(bounded, (old, new))["Bounded"]) > 1


ORDER_FREE = [
    ("times(a.underflow_error, b.far) + times(a.far, b.underflow_error)", "times(a.underflow_error, b.size) + times(a.size, b.underflow_error)"),
    ("underflow_error = underflow_error + product_bound * (loss", "underflow_error = underflow_error + (product_bound > 0) * (loss"),
]


@pytest.mark.parametrize(("old", "new"), ORDER_FREE)
def test_underflow_is_within_whichever_factors_are_multiplied_first(old, new):
    """gamma (B u) and (gamma B) u of three factors each, with all numbers of a tiny format; and what the order at hand would say."""
    tiny = Tiny(3, -3)
    errors, x = declared(tiny), tiny.values(4.0)
    g, B, u = x[:, None, None], x[None, :, None], x[None, None, :]
    computed = [tiny.mul(g, tiny.mul(B, u)), tiny.mul(tiny.mul(g, B), u), tiny.mul(tiny.mul(g, u), B)]
    error = np.max([np.abs(one - g * B * u) for one in computed], 0)

    def made(kind):
        g_, B_, u_ = (kind(*Bounded.leaf(one + 0 * g * B * u, errors).parts, errors) for one in (g, B, u))
        return exceeds(error, g_ * (B_ * u_))[0]

    assert 0 < made(Bounded) <= 1
    assert made(edited(bounded, (old, new))["Bounded"]) > 1


@pytest.mark.parametrize("stages", ["formed", "any"])
def test_the_papers_order_of_a_layer_in_float16_is_within(stages):
    """(gamma B) u loses up to width eta, which gamma (B u) would scale by gamma: ring 0.999 to 0.9999, small inputs."""
    p = lru.init(np.random.default_rng(0), state=4, width=16, ring="paper-longest", dtype=np.float16)
    u, half, gamma = np.full((1, 1, 16), 3e-5, np.float16), np.float16, np.exp(p.gamma_log)[:, None]
    re, im = (np.sum([half(half(gamma * B)[:, i] * u[0, 0, i]) for i in range(16)], 0, half) for B in (p.B_re, p.B_im))  # (state,)
    found = outputs(Call(lru.SYSTEM, named(p) | {"u": u}), Arithmetic("float16", stages=stages))["h"]
    gap = np.abs(found.truth.head[0, 0] - (re.astype(float) + 1j * im))
    assert (gap <= found.unstored[0, 0]).all()
    assert (gap > gamma[:, 0].astype(float) * 16 * 2.0**-24).any()

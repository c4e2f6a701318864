"""The rounding theorems of proofs/coq written down again on exact numbers, and run beside the Python that relies on them.

The definitions are in coq_scans.py. Constants are coarse, so that a wrong exponent shows.
Numbers are dyadic and few, so that reference/ computes sizes and counts without rounding: they are compared exactly. Where it
calls expm1 its bound is at least the theorem's, and at most that enlarged twice as it enlarges itself (rounding._upward).
"""

import random
from fractions import Fraction
from math import prod

import numpy as np
import pytest
from coq_model import SEEDS, Model, fl, runs, within
from coq_scans import (
    Leaf,
    Node,
    Y,
    allowance,
    any_order,
    bracketing,
    chunked,
    closed_form,
    depth,
    drawn,
    exact,
    folds,
    honest,
    lost,
    monomials,
    multiplier,
    operands,
    products,
    sequences,
    since,
    state,
    step_limit,
    steps,
    stops,
    stores,
    sums,
    top,
    top_bound,
    total,
    writes,
)

from scanproof.reference.allowance import rounding
from scanproof.reference.allowance.magnitudes import Carry, Leaves
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.formats import format_of
from scanproof.reference.arithmetic.operations import TINY, roundings

STORING = Model(store=Fraction(1, 8), store_loss=Fraction(1, 128))
MODELS = (Model(), Model(c=2), Model(flush=Fraction(0)), Model(loss=Fraction(0), flush=Fraction(0)))


def produced(xs, model, order="any", sizes=None, store="step"):
    """What reference/allowance/rounding.py makes of the same numbers: walk, E and the bound of every state after h0."""
    store = {"accumulate": "float64", "store": store} if model.store else {}
    arithmetic = Arithmetic("float32" if store else "float64", order=order, **store)
    ops = roundings(arithmetic, False)._replace(
        u=float(model.u), c=model.c, beta=float(model.beta), product_loss=float(model.loss), sum_loss=float(model.flush),
        store=float(model.store), store_loss=float(model.store_loss))  # fmt: skip
    h0, rest = xs[0], xs[1:]
    column = lambda name: np.array([[[float(getattr(x, name))] for x in rest]])  # noqa: E731  (1, T, 1)
    A, X, some_lam = np.abs(column("lam")), np.abs(column("drive")), np.array([[[not stops(x)] for x in rest]])
    leaf = Leaves(A, column("dlam"), X, column("ddrive"), column("rounds") > 0, some_lam)
    X0, dX0, zero, one = (np.array([[float(x)]]) for x in (abs(h0.drive), h0.ddrive, 0, 1))
    carry = Carry(0, len(rest), X0, (X0 > 0) + 0.0, zero, zero, one, one, X0 + dX0, X0, dX0, zero, None)
    sizes = None if sizes is None else np.array([[[float(size)] for size in sizes]])
    walk, E, bound, _ = rounding.of_leaves(leaf, arithmetic, ops, carry, sizes)
    return walk, E[0, :, 0], bound[0, :, 0]


def enlarged(bound, G, t):
    """rounding._upward, twice: as it stands, and for the roundings that it covers."""
    return bound * (1 + Fraction(16 * (t + 8), 2**53)) ** 2 + 128 * (t + 8) * Fraction(TINY) * G


# ---------------------------------------------------------------- BoundOps.v: operations that make an evaluation honest
def floats(rng, T, form):
    """h0 and T steps, read as they are; small ones, so that products underflow; a power of two does not round."""
    def number(zero):
        scale = Fraction(rng.choice((1, 1, form.smallest_normal**0.5)))
        return fl(Fraction(rng.randint(-999, 999), 512) * scale * (rng.random() >= zero), form)

    read = [(number(0.1) if t else Fraction(0), number(0.3)) for t in range(T + 1)]
    return [Leaf(lam, lam, Fraction(0), x, x, Fraction(0), abs(lam.numerator) & (abs(lam.numerator) - 1) != 0) for lam, x in read]


def evaluated(rng, leaves, mul, step):
    """`evaluated`: a random bracketing of these operations."""
    if len(leaves) == 1:
        return leaves[0]
    cut = rng.randrange(1, len(leaves))
    l, q = (evaluated(rng, part, mul, step) for part in (leaves[:cut], leaves[cut:]))
    return Node(l, q, mul(multiplier(q), multiplier(l)), step(multiplier(q), state(l), state(q)))


@pytest.mark.slow
@runs("BoundOps.evaluated_honest", "BoundOps.separate", "BoundOps.fused")
@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_rounded_operations_are_honest_with_the_constants_of_python_and_with_none_halved(dtype, fused):
    form, ops = format_of(dtype), roundings(Arithmetic(dtype, contraction=fused), False)
    model = Model(Fraction(ops.u), Fraction(ops.beta), Fraction(ops.product_loss), Fraction(ops.sum_loss), ops.c)
    halves = {name: model._replace(**{name: getattr(model, name) / 2}) for name in ("u", "beta", "loss") if not fused or name == "loss"}
    halves |= {"u, beta": model._replace(u=model.u / 2, beta=model.beta / 2)}
    exceeded = set()
    for seed in range(600):
        rng = random.Random(seed)
        tree = evaluated(rng, floats(rng, rng.randint(1, 3), form), lambda z, w: fl(z * w, form), lambda a, h, x: (
            fl(a * h + x, form) if fused else fl(fl(a * h, form) + x, form)))  # fmt: skip
        assert honest(tree, model)
        assert abs(state(tree) - exact(steps(tree))) <= any_order(steps(tree), model)
        exceeded |= {name for name, half in halves.items() if not honest(tree, half)}
    assert exceeded == halves.keys()


@runs("BoundOps.contracted")
def test_contracted_steps_are_honest():
    """c = 2, every error at an end: products of states and addends may be rounded together in any way."""
    model = Model(c=2, flush=Fraction(0))
    for seed in SEEDS:
        rng = random.Random(seed)
        for _ in range(10):
            p, x = (Fraction(rng.choice((0, 1, 2, 3, 5)) * rng.choice((1, -1)), 4) for _ in range(2))
            found = within(rng, p + x, model.beta * abs(p) + ((1 + model.u) ** 2 - 1) * abs(x) + model.loss)
            assert abs(found - (p + x)) <= step_limit(p, x, 1 + model.beta, model)


# ---------------------------------------------------------------- BoundTheorem.v and what it rests on
@pytest.mark.slow
@runs("BoundState.near_state", "BoundTheorem.rounding_any_bracketing", "BoundTheorem.rounding_any_order", "BoundCount.depth_le")
@pytest.mark.parametrize("model", MODELS)
def test_every_bracketing_is_within_the_theorem_and_the_theorem_within_python(model):
    for seed in SEEDS:
        rng = random.Random(seed)
        xs = drawn(rng, rng.randint(1, 5))
        walk, E, bound = produced(xs, model)
        for t in range(1, len(xs)):
            t_, prefix = t - 1, xs[: t + 1]
            counts = [np.ravel(x)[t_] for x in (walk.X, E, walk.n, walk.m, walk.total, walk.G)]
            assert [Fraction(float(x)) for x in counts] == list(folds(prefix, model))
            tree = bracketing(rng, prefix, model, rng)
            error, n = abs(state(tree) - exact(prefix)), folds(prefix, model)[2]
            assert depth(tree) <= max(n - 1, 0)
            limits = (top(tree, model) - folds(prefix, model)[0], allowance(prefix, depth(tree), model))
            assert error <= limits[0] <= limits[1] <= any_order(prefix, model)
            if n:
                assert any_order(prefix, model) <= Fraction(bound[t_]) <= enlarged(any_order(prefix, model), folds(prefix, model)[-1], t)
            else:
                assert error == 0


@pytest.mark.slow
@runs("BoundCount.size_scan_is", "BoundCount.count_scan_is", "BoundCount.products_le", "BoundCount.sums_le", "BoundCount.largest_is",
      "BoundTop.top_bound", "BoundTheorem.monomials")
@pytest.mark.parametrize("model", [*MODELS, STORING])
def test_what_is_folded_step_by_step_is_what_a_bracketing_has(model):
    for seed in SEEDS:
        rng = random.Random(seed)
        xs = drawn(rng, rng.randint(1, 5))
        tree = chunked(rng, xs, model, rng.randint(1, 3), rng) if model.store else bracketing(rng, xs, model, rng)
        X, E, n, m, sizes, G = folds(xs, model)
        assert (n, m, sizes) == (operands(tree), since(tree), total(tree))
        assert products(tree) <= m
        assert sums(tree) <= m + 1
        assert X + E == Y(xs, model)
        assert max(segment_products(xs)) == G
        assert lost(tree, model)[0] <= lost(tree, model)[1]
        assert top(tree, model) <= top_bound(tree, model)
        assert sum(monomials(xs)) == exact(xs)


def segment_products(xs):
    """Of every segment, the empty one too."""
    sizes = [abs(x.lam) + x.dlam for x in xs]
    return [prod(sizes[i:j], start=Fraction(1)) for i in range(len(xs) + 1) for j in range(i, len(xs) + 1)]


@runs("BoundTheorem.rounding_closed_form")
@pytest.mark.parametrize("model", MODELS)
def test_the_closed_form_covers_the_recurrence(model):
    """lam read with relative error r: [((1+r)(1+beta))^(T-1) (1+u)^(c d) - 1] X and the underflow."""
    r = Fraction(1, 16)
    for seed in SEEDS:
        rng = random.Random(seed)
        xs = [x._replace(dlam=r * abs(x.lam), lam_read=within(rng, x.lam, r * abs(x.lam)), ddrive=Fraction(0), drive_read=x.drive)
              for x in drawn(rng, rng.randint(1, 5))]  # fmt: skip
        tree = bracketing(rng, xs, model, rng)
        error, d = abs(state(tree) - exact(xs)), depth(tree)
        assert error <= allowance(xs, d, model) <= closed_form(xs, d, r, model)


@pytest.mark.slow
@pytest.mark.parametrize("length", [1, 2, 3])
def test_stored_carries_of_chunks_are_within_the_theorem_and_the_theorem_within_python(length):
    for seed in SEEDS:
        rng = random.Random(seed)
        xs = drawn(rng, rng.randint(1, 5))
        *_, bound = produced(xs, STORING, f"chunked:{length}", store="chunk")
        for t in range(1, len(xs)):
            prefix, tree = xs[: t + 1], chunked(rng, xs[: t + 1], STORING, length, rng)
            *_, n, _, _, G = folds(prefix, STORING)
            d, q = min(max(n - 1, 0), min(t, length) - 1 + -(-t // length)), -(-(t - 1) // length)
            assert depth(tree) <= d
            assert stores(tree) <= writes(tree) <= q
            error, limit = abs(state(tree) - exact(prefix)), allowance(prefix, d, STORING, q)
            assert error <= top(tree, STORING) - folds(prefix, STORING)[0] <= limit
            assert not n or limit <= Fraction(bound[t - 1]) <= enlarged(limit, G, t)


@pytest.mark.parametrize("model", MODELS)
def test_top_is_reached(model):
    """Positive numbers and every error upwards: the size with every rounding against us is what is computed.

    Where multipliers are multiplied with a loss, the size is larger: it enlarges that loss by all later products.
    """
    reached = 0
    for seed in SEEDS:
        rng = random.Random(seed)
        tree = bracketing(rng, drawn(rng, rng.randint(1, 6), positive=True), model)
        assert state(tree) <= top(tree, model)
        assert state(tree) == top(tree, model) or (multiplies(tree) and model.loss)
        reached += state(tree) == top(tree, model) > exact(steps(tree))
    assert reached > len(SEEDS) / 4


def multiplies(t):
    """Some later segment is longer than one step."""
    return isinstance(t, Node) and (isinstance(t.q, Node) or multiplies(t.l))


@pytest.mark.parametrize("name", ["u", "beta", "loss", "flush"])
def test_no_constant_of_the_theorem_may_be_halved(name):
    model = Model() if name == "flush" else Model(flush=Fraction(0))
    half = model._replace(**{name: getattr(model, name) / 2})
    excess = {}
    for seed in SEEDS:
        rng = random.Random(seed)
        tree = bracketing(rng, drawn(rng, rng.randint(1, 3), positive=True), model)
        excess[seed] = state(tree) - exact(steps(tree)) - allowance(steps(tree), depth(tree), half)
    worst = max(excess, key=excess.get)
    print(f"{name} halved: seed {worst} exceeds by {float(excess[worst]):.4f}")
    assert excess[worst] > 0


# ---------------------------------------------------------------- Recurrence.v: every state is formed
@runs("Recurrence.sequential")
@pytest.mark.parametrize("model", [*MODELS, STORING])
def test_the_sequential_recurrence_is_that_of_python(model):
    for xs, computed, sizes, found in sequences(model, positive=False):
        _, E, bound = produced(xs, model, "sequential", sizes[1:])
        for t in range(1, len(xs)):
            error, limit = abs(computed[t] - exact(xs[: t + 1])), found[t][1]
            assert error <= limit
            assert limit <= Fraction(bound[t - 1]) or limit == 0
            assert Fraction(E[t - 1]) == limit or (model.c > 1 and limit <= Fraction(E[t - 1]) <= enlarged(limit, 0, t))


@pytest.mark.parametrize("model", [*MODELS, STORING])
def test_the_sequential_bound_is_reached(model):
    for xs, computed, _, found in sequences(model, positive=True):
        assert computed[-1] - exact(xs) == found[-1][1]

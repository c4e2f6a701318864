"""The rounding theorems of proofs/coq written down again on exact numbers, and run beside the Python that relies on them.

Each function has the name and the equation of a definition of BoundTree.v, BoundState.v, BoundCount.v, BoundTheorem.v or
Recurrence.v. Errors are at the ends of what `honest` allows; constants are coarse, so that a wrong exponent shows.
Numbers are dyadic and few, so that reference/ computes sizes and counts without rounding: they are compared exactly. Where it
calls expm1 its bound is at least the theorem's, and at most that enlarged twice as it enlarges itself (rounding._upward).
"""

import random
from fractions import Fraction
from functools import reduce
from typing import NamedTuple

import numpy as np
import pytest
from coq_model import SEEDS, Model, within

from scanproof.reference import rounding
from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.operations import TINY
from scanproof.reference.walk import Carry, Leaves

STORING = Model(store=Fraction(1, 8), store_loss=Fraction(1, 128))
MODELS = (Model(), Model(c=2), Model(flush=Fraction(0)), Model(loss=Fraction(0), flush=Fraction(0)))


class Leaf(NamedTuple):
    lam: Fraction
    lam_read: Fraction
    dlam: Fraction
    drive: Fraction
    drive_read: Fraction
    ddrive: Fraction
    rounds: bool


class Node(NamedTuple):
    l: "Leaf | Node | Store"
    q: "Leaf | Node | Store"
    a: Fraction
    b: Fraction


class Store(NamedTuple):
    t: "Leaf | Node | Store"
    h: Fraction


def drawn(rng, T, positive=False):
    """h0 and T steps; zeros among them; h0's multiplier meets nobody and is 0."""
    def number(zero):
        x = Fraction(rng.choice((1, 2, 3, 5)), 4) * rng.choice((1, 1, 1 if positive else -1)) * (rng.random() >= zero)
        dx = Fraction(rng.randint(0, 1), 16) if x else Fraction(0)
        return x, within(None if positive else rng, x, dx), dx

    none = (Fraction(0),) * 3
    return [Leaf(*(number(0.1) if t else none), *number(0.3), rng.random() < 0.8) for t in range(T + 1)]


# ---------------------------------------------------------------- BoundTree.v: a bracketing with what it computed
def steps(t):
    if isinstance(t, Store):
        return steps(t.t)
    return [t] if isinstance(t, Leaf) else steps(t.l) + steps(t.q)


def multiplier(t):
    if isinstance(t, Store):
        return multiplier(t.t)
    return t.lam_read if isinstance(t, Leaf) else t.a


def state(t):
    return t.drive_read if isinstance(t, Leaf) else t.h if isinstance(t, Store) else t.b


def some(x):
    return any((x.drive, x.drive_read, x.ddrive))


def stops(x):
    return not any((x.lam, x.lam_read, x.dlam))


def live(t):
    if isinstance(t, Store):
        return live(t.t)
    return some(t) if isinstance(t, Leaf) else live(t.q) or carried(t.l, t.q)


def carried(l, q):
    return live(l) and not any(map(stops, steps(q)))


def is_leaf(t):
    return is_leaf(t.t) if isinstance(t, Store) else isinstance(t, Leaf)


def hard(t):
    return sum(x.rounds for x in steps(t))


def node(rng, l, q, model):
    """honest_multiplier, honest_state: what this node computes, with errors as large as they may be."""
    rate = [1 + model.beta * bool(found) for found in (hard(l) * hard(q), hard(q))]
    stopped = any(map(stops, steps(l) + steps(q)))
    a, p, x, V = multiplier(q) * multiplier(l), multiplier(q) * state(l), state(q), model.V()
    a = Fraction(0) if stopped else within(rng, a, (rate[0] - 1) * abs(a) + model.loss)
    most = {
        (True, True): (V * rate[1] - 1) * abs(p) + (V - 1) * abs(x) + V * model.loss + model.flush,
        (True, False): (rate[1] - 1) * abs(p) + model.loss + model.flush,
        (False, True): model.flush * is_leaf(q),
        (False, False): 0,
    }[carried(l, q), live(q)]
    return Node(l, q, a, within(rng, p * carried(l, q) + x * live(q), most))


def stored(rng, t, model):
    return Store(t, within(rng, state(t), live(t) * (model.store * abs(state(t)) + model.store_loss)))


def chunked(rng, leaves, model, length, at=None):
    """Chunks of some length, each bracketed somehow, their states passed on by a carry that is stored at every boundary."""
    head, rest = leaves[:1], leaves[1:]
    carry = head[0]
    for start in range(0, len(rest), length):
        carry = stored(at, carry, model) if start else carry
        carry = node(at, carry, bracketing(rng, rest[start : start + length], model, at), model)
    return carry


def bracketing(rng, leaves, model, at=None):
    """A random bracketing; `at` draws the errors, or puts them all at the upper end."""
    if len(leaves) == 1:
        return leaves[0]
    cut = rng.randrange(1, len(leaves))
    return node(at, *(bracketing(rng, part, model, at) for part in (leaves[:cut], leaves[cut:])), model)


def scan(g, s, xs):
    return reduce(lambda y, x: g(x) * y + s(x), xs, Fraction(0))


def exact(xs):
    return scan(lambda x: x.lam, lambda x: x.drive, xs)


# ---------------------------------------------------------------- BoundState.v, BoundCount.v
def gain(t, model):
    if isinstance(t, Store):
        return gain(t.t, model)
    return abs(t.lam) + t.dlam if isinstance(t, Leaf) else gain(t.q, model) * gain(t.l, model) + model.loss


def top(t, model):
    """The size of a state with every rounding and loss against us."""
    if isinstance(t, Leaf):
        return abs(t.drive) + t.ddrive
    if isinstance(t, Store):
        return live(t) * ((1 + model.store) * top(t.t, model) + model.store_loss)
    p = (1 + model.beta) ** hard(t.q) * gain(t.q, model) * top(t.l, model) + model.loss
    return {
        (True, True): model.V() * (p + top(t.q, model)) + model.flush,
        (True, False): p + model.flush,
        (False, True): top(t.q, model) + model.flush * is_leaf(t.q),
        (False, False): 0,
    }[carried(t.l, t.q), live(t.q)]


def depth(t):
    """Additions that round on the longest path."""
    if isinstance(t, Leaf | Store):
        return 0 if isinstance(t, Leaf) else depth(t.t)
    l, q = depth(t.l), depth(t.q)
    return {(True, True): 1 + max(l, q), (True, False): l, (False, True): q, (False, False): 0}[carried(t.l, t.q), live(t.q)]


def stores(t):
    """States that are stored: on one path, and in all, since every segment of these trees is stored once."""
    if isinstance(t, Leaf | Store):
        return 0 if isinstance(t, Leaf) else live(t) + stores(t.t)
    return carried(t.l, t.q) * stores(t.l) + live(t.q) * stores(t.q)


def size_step(z, x, model):
    (X, E), A, k = z, abs(x.lam), 1 + model.beta * x.rounds
    return A * X + abs(x.drive), (A + x.dlam) * k * E + (x.dlam * k + A * (k - 1)) * X + x.ddrive


def count_step(counts, x):
    (n, m, total), carries = counts, not stops(x) and counts[0] > 0
    return n * (not stops(x)) + some(x), m + 1 if carries else 0, total * carries + abs(x.drive) + x.ddrive


def segment_step(z, x):
    ending = (abs(x.lam) + x.dlam) * max(z[0], 1)
    return ending, max(z[1], ending)


def folds(xs, model):
    """X, E; n, m, total; G."""
    X, E = reduce(lambda z, x: size_step(z, x, model), xs, (Fraction(0), Fraction(0)))
    return X, E, *reduce(count_step, xs, (0, 0, Fraction(0))), reduce(segment_step, xs, (Fraction(1), Fraction(1)))[1]


# ---------------------------------------------------------------- BoundTheorem.v
def allowance(xs, d, model, q=0):
    X, E, _, m, total, G = folds(xs, model)
    xi, w = (1 + model.u) ** (model.c * d) * (1 + model.store) ** q - 1, (1 + model.loss * G**2) ** max(m - 1, 0) - 1
    underflow = (1 + model.beta) ** m * (w * total + (m * model.loss + (m + 1) * model.flush + q * model.store_loss) * G * (1 + w))
    return (1 + xi) * E + xi * X + (1 + xi) * underflow


def produced(xs, model, order="any", sizes=None, store="step"):
    """What reference/rounding.py makes of the same numbers: walk, E and the bound of every state after h0."""
    store = {"accumulate": "float64", "store": store} if model.store else {}
    arithmetic = Arithmetic("float32" if store else "float64", order=order, **store)
    ops = arithmetic.roundings(False)._replace(
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
            assert error <= limits[0] <= limits[1] <= allowance(prefix, max(n - 1, 0), model)
            if n:
                assert allowance(prefix, n - 1, model) <= Fraction(bound[t_]) <= enlarged(
                    allowance(prefix, n - 1, model), folds(prefix, model)[-1], t)
            else:
                assert error == 0


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
            assert stores(tree) <= q
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
def sequential_error(n, before, E, x, now, model):
    """`error` and `count`: n and E after one more step, N_{t-1} = before, N_t = now."""
    carries, after = n > 0 and not stops(x), n * (not stops(x)) + some(x)
    k, A, whole = 1 + model.beta * x.rounds, abs(x.lam), model.c > 1 and x.rounds
    xi = carries * some(x) * ((1 + model.u) ** 2 - 1 if whole else model.u)
    gained = (A + x.dlam) * k * E + (x.dlam * k + A * (k - 1)) * before + x.ddrive
    if carries and whole:
        found = gained + xi * (abs(x.drive) + x.ddrive) + (1 + xi) * model.loss + model.flush
    else:
        found = (1 + xi) * (gained + model.loss * carries) + xi * now + model.flush * (after > 0)
    return after, (1 + model.store) * found + (model.store * now + model.store_loss) * (after > 0)


def sequential_step(rng, n, h, x, model):
    """honest_step: the state that is stored, with errors as large as they may be."""
    carries, after = n > 0 and not stops(x), n * (not stops(x)) + some(x)
    k, p, whole = 1 + model.beta * x.rounds, x.lam_read * h, model.c > 1 and x.rounds
    xi = carries * some(x) * ((1 + model.u) ** 2 - 1 if whole else model.u)
    if carries and whole:
        total = within(rng, p + x.drive_read, (k - 1) * abs(p) + xi * abs(x.drive_read) + (1 + xi) * model.loss + model.flush)
    else:
        p = within(rng, p, (k - 1) * abs(p) + model.loss) if carries else Fraction(0)
        total = within(rng, p + x.drive_read, xi * abs(p + x.drive_read) + model.flush * (after > 0))
    return within(rng, total, (model.store * abs(total) + model.store_loss) * (after > 0))


def sequences(model, positive):
    """Of every seed: the steps, the computed states, |h_t|, and (n, E) of the recurrence, from h0 on."""
    for seed in SEEDS:
        rng = random.Random(seed)
        xs = drawn(rng, rng.randint(1, 3), positive)
        sizes = [abs(exact(xs[: t + 1])) for t in range(len(xs))]
        computed, found = [xs[0].drive_read], [(int(some(xs[0])), xs[0].ddrive)]
        for t, x in enumerate(xs[1:], 1):
            n, E = found[-1]
            computed.append(sequential_step(None if positive else rng, n, computed[-1], x, model))
            found.append(sequential_error(n, sizes[t - 1], E, x, sizes[t], model))
        yield xs, computed, sizes, found


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

"""The rounding theorems of proofs/coq written down again on exact numbers; test_coq_links.py runs them beside Python.

Each function has the name and the equation of a definition of BoundTree.v, BoundState.v, BoundTop.v, BoundCount.v,
BoundTheorem.v or Recurrence.v. Errors are at the ends of what `honest` allows.
"""

import random
from fractions import Fraction
from functools import reduce
from math import prod
from typing import NamedTuple

from coq_model import SEEDS, within


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


def multiplier_within(l, q, model):
    """honest_multiplier: the exact product, and how far the computed one may be off."""
    a, rounds = multiplier(q) * multiplier(l), bool(hard(l) * hard(q))
    stopped = any(map(stops, steps(l) + steps(q)))
    return (Fraction(0), 0) if stopped else (a, model.beta * rounds * abs(a) + model.loss)


def step_limit(p, x, k, model):
    """BoundOps.v: how far a step may be from p + x, its product and its sum rounded in whatever way."""
    V = model.V()
    return (V * k - 1) * abs(p) + (V - 1) * abs(x) + V * model.loss + model.flush


def state_within(l, q, model):
    """honest_state: the same of states."""
    p, x, rate = multiplier(q) * state(l), state(q), 1 + model.beta * bool(hard(q))
    both = p * carried(l, q) + x * live(q)
    if carried(l, q) and live(q):
        return both, step_limit(p, x, rate, model)
    if carried(l, q):
        return both, (rate - 1) * abs(p) + model.loss + model.flush
    return both, model.flush * is_leaf(q) * live(q)


def node(rng, l, q, model):
    """What a node computes, with errors as large as they may be."""
    return Node(l, q, within(rng, *multiplier_within(l, q, model)), within(rng, *state_within(l, q, model)))


def honest(t, model):
    """Of trees without stored states."""
    if isinstance(t, Leaf):
        return abs(t.lam_read - t.lam) <= t.dlam and abs(t.drive_read - t.drive) <= t.ddrive
    found = ((t.a, *multiplier_within(t.l, t.q, model)), (t.b, *state_within(t.l, t.q, model)))
    return honest(t.l, model) and honest(t.q, model) and all(abs(x - centre) <= most for x, centre, most in found)


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


# ---------------------------------------------------------------- BoundState.v: the size of a state, and counts of a bracketing
def gain(t, model):
    if isinstance(t, Store):
        return gain(t.t, model)
    return abs(t.lam) + t.dlam if isinstance(t, Leaf) else gain(t.q, model) * gain(t.l, model) + model.loss


def lost(t, model):
    """What losses leave of the multiplier of a segment beside the product, and their bound: BoundMultiplier.v with x = y = 1, c = G."""
    G = folds(steps(t), model)[-1]
    power = prod((abs(x.lam) + x.dlam for x in steps(t)), start=Fraction(1))
    return gain(t, model) - power, G * ((1 + model.loss * G) ** (len(steps(t)) - 1) - 1)


def top(t, model):
    """The size of a state with every rounding and loss against us."""
    if isinstance(t, Leaf):
        return abs(t.drive) + t.ddrive
    if isinstance(t, Store):
        return live(t) * ((1 + model.store) * top(t.t, model) + model.store_loss)
    p = (1 + model.beta) ** hard(t.q) * gain(t.q, model) * top(t.l, model) + model.loss
    later = top(t.q, model)
    return chosen(t, model.V() * (p + later) + model.flush, p + model.flush, later + model.flush * is_leaf(t.q))


def chosen(t, both, left, right):
    """Of a node: both segments count, the earlier, the later, or none."""
    return {(True, True): both, (True, False): left, (False, True): right, (False, False): 0}[carried(t.l, t.q), live(t.q)]


def counted(t, of, node, store):
    """A count: 0 in leaves, `node` of those on both sides, `store` of the one below."""
    if isinstance(t, Leaf):
        return 0
    return store(of(t.t)) if isinstance(t, Store) else node(of(t.l), of(t.q))


def depth(t):
    """Additions that round on the longest path."""
    return counted(t, depth, lambda l, q: chosen(t, max(l, q) + 1, l, q), int)


def stores(t):
    """States that are stored, on one path."""
    return counted(t, stores, lambda l, q: chosen(t, max(l, q), l, q), lambda n: live(t) + n)


def writes(t):
    """States that are stored, in all."""
    return counted(t, writes, lambda l, q: chosen(t, l + q, l, q), lambda n: live(t) + n)


def products(t):
    """Of a multiplier and a state: each may lose something."""
    return counted(t, products, lambda l, q: chosen(t, l + q + 1, l + 1, q), int)


def sums(t):
    """Sums that may be flushed."""
    return counted(t, sums, lambda l, q: chosen(t, l + q + 1, l + 1, is_leaf(t.q) + q), int)


def operands(t):
    if isinstance(t, Leaf | Store):
        return some(t) + 0 if isinstance(t, Leaf) else operands(t.t)
    return carried(t.l, t.q) * operands(t.l) + operands(t.q)


def since(t):
    """Steps since the first operand that is not zero."""
    if isinstance(t, Leaf | Store):
        return 0 if isinstance(t, Leaf) else since(t.t)
    return since(t.l) + len(steps(t.q)) if carried(t.l, t.q) else since(t.q)


def total(t):
    if isinstance(t, Leaf | Store):
        return abs(t.drive) + t.ddrive if isinstance(t, Leaf) else total(t.t)
    return carried(t.l, t.q) * total(t.l) + total(t.q)


def Y(xs, model):
    """X + E in one scan."""
    return scan(lambda x: (1 + model.beta) ** x.rounds * (abs(x.lam) + x.dlam), lambda x: abs(x.drive) + x.ddrive, xs)


# ---------------------------------------------------------------- BoundTop.v: the closed form of `top`
def top_bound(t, model):
    """y = 1 and c = G, the largest product over a segment."""
    m, G = since(t), folds(steps(t), model)[-1]
    losses = total(t) + products(t) * model.loss + sums(t) * model.flush + writes(t) * model.store_loss
    lost = (1 + model.loss * G) ** max(m - 1, 0) * losses - total(t)
    return model.V() ** depth(t) * (1 + model.store) ** stores(t) * (Y(steps(t), model) + (1 + model.beta) ** m * G * lost)


# ---------------------------------------------------------------- BoundCount.v: left folds
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
def underflow(m, q, total, G, model):
    w = (1 + model.loss * G**2) ** max(m - 1, 0) - 1
    return (1 + model.beta) ** m * (w * total + (m * model.loss + (m + 1) * model.flush + q * model.store_loss) * G * (1 + w))


def allowance(xs, d, model, q=0):
    X, E, _, m, total, G = folds(xs, model)
    xi = (1 + model.u) ** (model.c * d) * (1 + model.store) ** q - 1
    return (1 + xi) * E + xi * X + (1 + xi) * underflow(m, q, total, G, model)


def any_order(xs, model):
    return allowance(xs, max(folds(xs, model)[2] - 1, 0), model)


def monomials(xs):
    """Of every k, what b_k contributes."""
    return [prod((x.lam for x in xs[k + 1 :]), start=Fraction(1)) * xs[k].drive for k in range(len(xs))]


def closed_form(xs, d, r, model):
    """lam is read with relative error r, b as it is, and nothing is stored."""
    X, _, _, m, total, G = folds(xs, model)
    sums = (1 + model.u) ** (model.c * d)
    return (((1 + r) * (1 + model.beta)) ** (len(xs) - 1) * sums - 1) * X + sums * underflow(m, 0, total, G, model)


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

"""The circuit theorem of proofs/coq written down again on exact numbers, and run beside reference/near.py that relies on it.

Each function has the equation of a definition of Circuit.v or CircuitSum.v; errors are at the ends of what `honest` allows.
"""

import dataclasses
import random
from fractions import Fraction
from math import prod
from typing import NamedTuple

import numpy as np
import pytest
from coq_model import SEEDS, Model, within

from scanproof.reference.layer_arithmetic import LayerArithmetic
from scanproof.reference.near import Near
from scanproof.reference.rules import rules


# ---------------------------------------------------------------- Circuit.v: straight-line programs
class Result(NamedTuple):
    computed: Fraction
    exact: Fraction
    upper: Fraction
    size: Fraction
    m: int
    a: int
    rho: Fraction
    monomials: tuple


def added(e, g, model, rng):
    z = e.computed + g.computed
    return Result(within(rng, z, model.u * abs(z) + model.flush), e.exact + g.exact, (1 + model.u) * (e.upper + g.upper) + model.flush,
                  e.size + g.size, max(e.m, g.m), max(e.a, g.a) + 1, max(e.rho, g.rho), e.monomials + g.monomials)  # fmt: skip


def multiplied(e, g, model, rng):
    z, monomials = e.computed * g.computed, tuple(v + w for v in e.monomials for w in g.monomials)
    return Result(within(rng, z, model.beta * abs(z) + model.loss), e.exact * g.exact, (1 + model.beta) * e.upper * g.upper + model.loss,
                  e.size * g.size, e.m + g.m + 1, e.a + g.a, e.rho * g.rho, monomials)  # fmt: skip


def negated(e):
    return e._replace(computed=-e.computed, exact=-e.exact)


def coarse(model):
    """The production rules with the constants of the model."""
    rule = rules(LayerArithmetic("float64"), False)
    words = {"u": model.u, "beta": model.beta, "product_loss": model.loss, "sum_loss": model.flush}
    return dataclasses.replace(rule, real=rule.real._replace(**{name: float(x) for name, x in words.items()}))


def element(x, E, rule):
    """Near of numbers with errors up to E; exact zeros are no addends."""
    leaf = Near.leaf(np.array([float(y) for y in x]), rule)
    E = np.array([float(y) for y in E])
    return dataclasses.replace(leaf, E0=E, n=(leaf.X + E > 0) + 0.0)


def read(y, s, rule, at):
    """A leaf that is read with relative error s, alone and as an element of allowance arithmetic."""
    return Result(within(at, y, s * abs(y)), y, abs(y) * (1 + s), abs(y), 0, 0, 1 + s, ()), element([y], [s * abs(y)], rule)


def instruction(kind, one, other, model, at):
    (e, near), (g, other_near) = one, other
    if kind == "-":
        return negated(e), -near
    return (added(e, g, model, at), near + other_near) if kind == "+" else (multiplied(e, g, model, at), near * other_near)


def programs(model, positive=False):
    """Of every seed: the leaves, every result with its element of allowance arithmetic, and the rules."""
    for seed in SEEDS:
        rng, rule = random.Random(seed), coarse(model)
        at = None if positive else rng
        x = [Fraction(rng.choice((3, 5, 7)) * (1 if positive else rng.choice((-1, 1))), 4) for _ in range(4)]
        done = [read(y, Fraction(rng.randint(0, 1), 8), rule, at) for y in x]
        done = [(e._replace(monomials=((i,),)), near) for i, (e, near) in enumerate(done)]
        for _ in range(5):
            done.append(instruction(rng.choice("++*" if positive else "+*-"), rng.choice(done), rng.choice(done), model, at))
        yield x, done, rule


@pytest.mark.parametrize("model", [Model(), Model(loss=Fraction(0), flush=Fraction(0))])
def test_every_program_is_within_the_circuit_theorem_and_within_near(model):
    for x, done, rule in programs(model):
        for e, near in done:
            error, growth = abs(e.computed - e.exact), (1 + model.beta) ** e.m * (1 + model.u) ** e.a * e.rho
            assert error <= e.upper - e.size
            assert error <= (growth - 1) * e.size or model.loss
            assert e.size == sum(prod(abs(x[i]) for i in w) for w in e.monomials) == Fraction(float(near.X[0]))
            assert error <= Fraction(float(near.E[0])) * Fraction(rule.inflation())


@pytest.mark.parametrize("model", [Model(), Model(loss=Fraction(0), flush=Fraction(0))])
def test_the_circuit_bound_is_reached(model):
    counted = 0
    for _, done, _ in programs(model, positive=True):
        for e, _ in done:
            assert e.computed == e.upper
            counted += e.upper == (1 + model.beta) ** e.m * (1 + model.u) ** e.a * e.rho * e.size and e.m > 0 and e.a > 0
    assert counted or model.loss


# ---------------------------------------------------------------- CircuitSum.v: sums stay open
class Addend(NamedTuple):
    value: Fraction
    computed: Fraction
    size: Fraction
    error: Fraction


def added_up(rng, numbers, model, at):
    """honest_sum: any tree over computed numbers; a sum with a zero does not round, a small one may be flushed."""
    if len(numbers) == 1:
        return numbers[0]
    cut = rng.randrange(1, len(numbers))
    l, q = (added_up(rng, part, model, at) for part in (numbers[:cut], numbers[cut:]))
    if abs(l + q) <= model.flush and at and rng.random() < 0.8:
        return Fraction(0)
    return within(at, l + q, model.u * abs(l + q) if l and q else 0)


def open_sum(addends, model):
    n, X, E = sum(bool(y.size or y.error) for y in addends), sum(y.size for y in addends), sum(y.error for y in addends)
    g, E0 = (1 + model.u) ** max(n - 1, 0) - 1, E + model.flush * (n > 0)
    return E0 + g * (X + E0) + (1 + g) * max(n - 1, 0) * model.flush


def addends(rng, positive):
    """One to six addends, a third of them exact zeros, many below what may be flushed."""
    def one():
        x = Fraction(rng.randint(1, 9), rng.choice((4, 512))) * (1 if positive else rng.choice((-1, 1))) * (rng.random() < 0.7)
        E = Fraction(rng.randint(0, 1), 512) * bool(x)
        return Addend(x, within(None if positive else rng, x, E), abs(x), E)

    return [one() for _ in range(rng.randint(1, 6))]


@pytest.mark.parametrize("model", [Model(), Model(flush=Fraction(0))])
def test_open_sums_in_any_order_are_within_near(model):
    flushed = 0
    for seed in SEEDS:
        rng, rule = random.Random(seed), coarse(model)
        terms = addends(rng, positive=False)
        limit, near = open_sum(terms, model), element([y.size for y in terms], [y.error for y in terms], rule).sum(0)
        for _ in range(10):
            computed = added_up(rng, rng.sample([y.computed for y in terms], len(terms)), model, rng)
            assert abs(computed - sum(y.value for y in terms)) <= limit
            flushed += computed == 0 and any(y.computed for y in terms)
        E, room = Fraction(float(near.E)), Fraction(rule.inflation())
        assert limit <= E * room
        assert E <= limit * room
    assert flushed or not model.flush


def test_the_open_sum_is_reached():
    model, reached = Model(flush=Fraction(0)), 0
    for seed in SEEDS:
        terms = addends(random.Random(seed), positive=True)
        ones = [y.computed for y in terms if y.size]
        if len(ones) == 2:
            reached += 1
            assert sum(ones) * (1 + model.u) - sum(y.value for y in terms) == open_sum(terms, model)
    assert reached

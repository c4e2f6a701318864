"""The circuit theorem of proofs/coq written down again on exact numbers, with reference/allowance/bounded.py beside it.

Each function has the equation of a definition of Circuit.v or CircuitSum.v; errors are at the ends of what `honest` allows.
"""

import dataclasses
import random
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from coq_model import SEEDS, fl, within

from scanproof.reference.allowance.bounded import Bounded
from scanproof.reference.allowance.operation_errors import operation_errors
from scanproof.reference.arithmetic.declaration import Arithmetic


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


def counted(e, model):
    """The bound of `counted`: m products in a monomial, a additions along a parse tree; nothing underflows."""
    return ((1 + model.beta) ** e.m * (1 + model.u) ** e.a * e.rho - 1) * e.size


def negated(e):
    return e._replace(computed=-e.computed, exact=-e.exact)


def coarse(model):
    """The production rules with the constants of the model."""
    errors = operation_errors(Arithmetic("float64"), False)
    words = {"u": model.u, "beta": model.beta, "product_loss": model.loss, "sum_loss": model.flush}
    return dataclasses.replace(errors, real=errors.real._replace(**{name: float(x) for name, x in words.items()}))


def element(x, E, errors):
    """Bounded of numbers with errors up to E; exact zeros are no addends."""
    leaf = Bounded.leaf(np.array([float(y) for y in x]), errors)
    E = np.array([float(y) for y in E])
    return dataclasses.replace(leaf, E0=E, n=(leaf.X + E > 0) + 0.0)


def read(y, s, errors, at):
    """A leaf that is read with relative error s, alone and as an element of allowance arithmetic."""
    return Result(within(at, y, s * abs(y)), y, abs(y) * (1 + s), abs(y), 0, 0, 1 + s, ()), element([y], [s * abs(y)], errors)


def instruction(kind, one, other, model, at):
    (e, bounded), (g, other_bounded) = one, other
    if kind == "-":
        return negated(e), -bounded
    return (added(e, g, model, at), bounded + other_bounded) if kind == "+" else (multiplied(e, g, model, at), bounded * other_bounded)


def programs(model, positive=False):
    """Of every seed: the leaves, every result with its element of allowance arithmetic, and the rules."""
    for seed in SEEDS:
        rng, errors = random.Random(seed), coarse(model)
        at = None if positive else rng
        x = [Fraction(rng.choice((3, 5, 7)) * (1 if positive else rng.choice((-1, 1))), 4) for _ in range(4)]
        done = [read(y, Fraction(rng.randint(0, 1), 8), errors, at) for y in x]
        done = [(e._replace(monomials=((i,),)), bounded) for i, (e, bounded) in enumerate(done)]
        for _ in range(5):
            done.append(instruction(rng.choice("++*" if positive else "+*-"), rng.choice(done), rng.choice(done), model, at))
        yield x, done, errors


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


def product_rule(a, b, model):
    """a, b are (X, E)."""
    (Xa, Ea), (Xb, Eb) = a, b
    return Xa * Eb + Ea * Xb + Ea * Eb + model.beta * ((Xa + Ea) * (Xb + Eb)) + model.loss


# ---------------------------------------------------------------- ComplexProduct.v, in squares: z = a + ib, w = c + id
def separate_square(size, u):
    """Four products and two sums, rounded to nearest. size: |z w|^2"""
    return Fraction(16, 3) * u**2 * size


def fused_square(size, u):
    """One FMA a component."""
    return (u + u) ** 2 * size


def contracted_square(size, g):
    """Components off by g (|ac| + |bd|) and g (|ad| + |bc|)."""
    return g**2 * (2 * size)


def rounded_products(form, fused, seeds=400):
    """(squared error, |z w|^2) of random z and w."""
    for seed in range(seeds):
        rng = random.Random(seed)
        a, b, c, d = (fl(Fraction(rng.uniform(0.5, 1)) * rng.choice((1, -1)), form) for _ in range(4))
        p, v = (a * c, a * d) if fused else (fl(a * c, form), fl(a * d, form))
        re, im = fl(p - fl(b * d, form), form), fl(v + fl(b * c, form), form)
        yield (re - (a * c - b * d)) ** 2 + (im - (a * d + b * c)) ** 2, (a**2 + b**2) * (c**2 + d**2)

"""What the tests beside proofs/coq share: which theorem a test runs, coarse constants, errors at their ends, weakened equations."""

import ast
import inspect
from fractions import Fraction
from typing import NamedTuple

SEEDS = range(150)
RUN: set[str] = set()


def runs(*theorems):
    """The test evaluates these theorems, File.name, on data that Python computes too."""
    RUN.update(theorems)
    return lambda test: test


class Model(NamedTuple):
    """1 + beta = K of products, (1 + u)^c = V of sums; what they lose beside; what storing a state costs."""

    u: Fraction = Fraction(1, 16)
    beta: Fraction = Fraction(1, 8)
    loss: Fraction = Fraction(1, 64)
    flush: Fraction = Fraction(1, 32)
    c: int = 1
    store: Fraction = Fraction(0)
    store_loss: Fraction = Fraction(0)

    def V(self):
        return (1 + self.u) ** self.c


def within(rng, centre, most):
    """A computed number: exact, or at one end of what is allowed; away from zero if rng is None."""
    return centre + most * (rng.choice((-1, 0, 1, 1)) if rng else 1)


def fl(x, form, truncates=False):
    """x rounded to a format, exactly."""
    if x == 0:
        return x
    n, d = abs(x).as_integer_ratio()
    e = n.bit_length() - d.bit_length()
    e -= abs(x) < Fraction(2) ** e
    quantum = max(Fraction(2) ** (e + 1 - form.significand_bits), Fraction(form.smallest_subnormal))
    return (int(x / quantum) if truncates else round(x / quantum)) * quantum


def weakened(function, right, wrong):
    """A function with some words of its source replaced; everything that it calls stays what it is."""
    source, found = ast.unparse(ast.parse(inspect.getsource(function))), {}
    assert source.count(right) == 1
    exec(source.replace(right, wrong), function.__globals__, found)
    return found[function.__name__]

"""Random circuits and scan trees in exact arithmetic, with every rounding chosen against the bound.

A circuit is a leaf (an index), or a pair of circuits with "+", "-" or "*" in front:
("*", 0, ("+", 1, 2)) is x0 (x1 + x2). Everything about a circuit is one fold over it: its
polynomial, its exact and its rounded value, its sizes, its counts.

    symbol   meaning
    u, beta  largest relative error of a sum, of a product
    r, loss  largest relative error of a leaf that is read; largest absolute error of a product
    x', x    computed and exact value
    X', X    size with every rounding against us, and without rounding; X is that of the
             polynomial, not of the circuit
    m, a     products in one monomial (degree - 1); most additions met along one parse tree
"""

from __future__ import annotations

import operator
import random
from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

Circuit = int | tuple[str, Any, Any]


class Model(NamedTuple):
    """Bounds on the relative and absolute errors of single operations."""

    u: Fraction
    beta: Fraction
    r: Fraction
    loss: Fraction = Fraction(0)


# big errors show wrong exponents
COARSE = Model(u=Fraction(1, 16), beta=Fraction(1, 8), r=Fraction(1, 32))


class Computed(NamedTuple):
    """x' is near x: |x' - x| <= X' - X and |x| <= X; with the counts m and a."""

    computed: Fraction
    exact: Fraction
    upper: Fraction
    size: Fraction
    m: int
    a: int


Error = Callable[[Fraction], Fraction]  # an error within +- its argument


def always(sign: int) -> Error:
    return lambda bound: sign * bound


def extreme(rng: random.Random) -> Error:
    return lambda bound: rng.choice((-1, 1)) * bound


def anything(rng: random.Random) -> Error:
    return lambda bound: Fraction(rng.randint(-8, 8), 8) * bound


def errors(rng: random.Random) -> Error:
    return rng.choice((always(1), always(-1), extreme(rng), anything(rng)))


def fold(
    circuit: Circuit,
    leaf: Callable[[int], Any],
    plus: Callable,
    times: Callable,
    minus: Callable | None = None,
) -> Any:
    """The value of a circuit where leaves and operations mean these functions; minus is plus where
    signs do not matter."""
    if isinstance(circuit, int):
        return leaf(circuit)
    kind, *parts = circuit
    left, right = (fold(part, leaf, plus, times, minus) for part in parts)
    return {"+": plus, "-": minus or plus, "*": times}[kind](left, right)


def polynomial(circuit: Circuit) -> Counter[tuple[int, ...]]:
    """The circuit multiplied out, {sorted leaves: coefficient}; what cancels is gone."""

    def times(left: Counter, right: Counter) -> Counter:
        product: Counter = Counter()
        for one, c in left.items():
            for other, d in right.items():
                product[tuple(sorted(one + other))] += c * d
        return product

    def signed(sign: int) -> Callable[[Counter, Counter], Counter]:
        return lambda left, right: Counter(
            {k: n for k in left | right if (n := left[k] + sign * right[k])}
        )

    return fold(circuit, lambda i: Counter({(i,): 1}), signed(1), times, signed(-1))


def absolute(terms: Counter[tuple[int, ...]], values: Sequence[Fraction]) -> Fraction:
    """The polynomial on absolute values."""
    return sum(
        (abs(c) * product(abs(values[i]) for i in word) for word, c in terms.items()), Fraction(0)
    )


def product(factors: Any) -> Fraction:
    result = Fraction(1)
    for factor in factors:
        result *= factor
    return result


def read(x: Fraction, model: Model, error: Error) -> Computed:
    """A leaf, read with a relative error."""
    return Computed(x * (1 + error(model.r)), x, abs(x) * (1 + model.r), abs(x), 0, 0)


def added(x: Computed, y: Computed, model: Model, error: Error, sign: int = 1) -> Computed:
    total = (x.computed + sign * y.computed) * (1 + error(model.u))
    sizes = (1 + model.u) * (x.upper + y.upper), x.size + y.size
    return Computed(total, x.exact + sign * y.exact, *sizes, max(x.m, y.m), 1 + max(x.a, y.a))


def multiplied(x: Computed, y: Computed, model: Model, error: Error) -> Computed:
    rounded = x.computed * y.computed * (1 + error(model.beta)) + error(model.loss)
    sizes = (1 + model.beta) * x.upper * y.upper + model.loss, x.size * y.size
    return Computed(rounded, x.exact * y.exact, *sizes, x.m + y.m + 1, x.a + y.a)


def evaluate(circuit: Circuit, values: Sequence[Fraction], model: Model, error: Error) -> Computed:
    """The circuit with rounding.

    `size` is that of its polynomial, smaller than the circuit's own if something cancels.
    """

    def operation(combine: Callable, **sign: int) -> Callable[[Computed, Computed], Computed]:
        return lambda x, y: combine(x, y, model, error, **sign)

    plus, times, minus = operation(added), operation(multiplied), operation(added, sign=-1)
    found = fold(circuit, lambda i: read(values[i], model, error), plus, times, minus)
    return found._replace(size=absolute(polynomial(circuit), values))


def random_circuit(rng: random.Random, leaves: int, operations: int) -> Circuit:
    if operations == 0:
        return rng.randrange(leaves)
    left = rng.randrange(operations)
    parts = random_circuit(rng, leaves, left), random_circuit(rng, leaves, operations - 1 - left)
    return (rng.choice("+*"), *parts)


def rewritings(circuit: Circuit) -> list[Circuit]:
    """The circuit commuted, re-associated, distributed, factored at its root; same polynomial."""
    if isinstance(circuit, int):
        return []
    kind, x, y = circuit
    found: list[Circuit] = [(kind, y, x)]
    if not isinstance(x, int) and x[0] == kind:
        found.append((kind, x[1], (kind, x[2], y)))
    if kind == "*" and not isinstance(y, int) and y[0] == "+":
        found.append(("+", ("*", x, y[1]), ("*", x, y[2])))
    if (
        kind == "+"
        and all(not isinstance(part, int) and part[0] == "*" for part in (x, y))
        and x[1] == y[1]
    ):
        found.append(("*", x[1], ("+", x[2], y[2])))
    return found


def rewritten(rng: random.Random, circuit: Circuit, times: int) -> Circuit:
    """Some of these moves, at random places."""
    for _ in range(times):
        circuit = moved(rng, circuit)
    return circuit


def moved(rng: random.Random, circuit: Circuit) -> Circuit:
    """One move at the root or below it."""
    if isinstance(circuit, int) or (rng.random() < Fraction(1, 3)):
        return rng.choice(rewritings(circuit) or [circuit])
    kind, x, y = circuit
    return (kind, moved(rng, x), y) if rng.random() < Fraction(1, 2) else (kind, x, moved(rng, y))


def longest_path(circuit: Circuit) -> set[int]:
    """Leaves of a parse tree that meets the most additions."""

    def additions(part: Circuit) -> int:
        return fold(part, lambda _: 0, lambda x, y: 1 + max(x, y), operator.add)

    if isinstance(circuit, int):
        return {circuit}
    kind, x, y = circuit
    return (
        longest_path(x) | longest_path(y)
        if kind == "*"
        else longest_path(max((x, y), key=additions))
    )


def leaf_values(rng: random.Random, circuit: Circuit, leaves: int) -> list[Fraction]:
    """Random values of both signs; or one parse tree dominates, so that it shows."""
    if rng.random() < Fraction(1, 2):
        return [Fraction(rng.randint(-9, 9), rng.randint(1, 9)) for _ in range(leaves)]
    path = longest_path(circuit)
    return [Fraction(1) if i in path else Fraction(1, 10**9) for i in range(leaves)]

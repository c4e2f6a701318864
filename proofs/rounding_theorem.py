"""The theorem behind every allowance (docs/theorem.md): rounding in any circuit that does not cancel, step by step.

A computed x' is near x when |x' - x| <= X' - X and |x| <= X. Products, sums and roundings keep this; sizes grow by powers:

    symbol        meaning                                                           shape
    x_, x, y_, y  computed and exact values; here matrices, all identities allow it (N, N)
    X_, X, Y_, Y  their sizes, with every rounding against us and without           ()
    nx_, nx, ny   |x_|, |x|, |y|                                                    ()
    dx, dy        |x_ - x|, |y_ - y|                                                ()
    rho           |z - x_|, what one rounding does: at most delta nx_ + loss        ()
    K, V, R       1 + beta, 1 + u, 1 + r                                            ()
    m, a          products in one monomial; most additions along one parse tree     ()
    B(m, a)       K^m V^a R^(m+1)                                                   ()
    p, q, s ...   what is >= 0 by hypothesis, each named where it is used           ()

Every inequality is an equality whose right-hand side is made of numbers >= 0. The instances are nodes and roots of random
circuits, re-associated, distributed and factored, with roundings at the ends of their intervals.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction

import sympy as sp

from scanproof.proofs import circuits
from scanproof.proofs.algebra import Claim, Instance, letters
from scanproof.proofs.circuits import COARSE, Near
from scanproof.proofs.instances import at_sizes, matrix
from scanproof.proofs.run import Lemma

x_, x, y_, y, z = letters("x_ x y_ y z")
X_, X, Y_, Y, nx_, nx, ny, dx, dy, rho = letters("X_ X Y_ Y nx_ nx ny dx dy rho")
p, q, s, v, w, t, f, g, i, j, gap = letters("p q s v w t f g i j gap")
K, V, R, F = sp.symbols("K V R F", positive=True)
m, a, n, b = sp.symbols("m a n b", integer=True, nonnegative=True)
delta, loss, read_error = letters("delta loss E")
CASES = 40  # circuits a claim
LEAVES = 6


def B(m: sp.Expr, a: sp.Expr) -> sp.Expr:
    return K**m * V**a * R ** (m + 1)


def rational(number: Fraction | int) -> sp.Rational:
    return sp.Rational(number.numerator, number.denominator)


def exact(values: dict[sp.Symbol, Fraction | int]) -> Instance:
    return {symbol: rational(number) for symbol, number in values.items()}


def random_near(rng: random.Random) -> Near:
    """The root of a random circuit, rewritten and rounded."""
    circuit = circuits.rewritten(rng, circuits.random_circuit(rng, LEAVES, rng.randint(0, 8)), 6)
    values = circuits.leaf_values(rng, circuit, LEAVES)
    return circuits.evaluate(circuit, values, COARSE, circuits.errors(rng))


def two_nodes(rng: random.Random) -> Instance:
    """All numbers that the claims about one node speak of."""
    one, other = random_near(rng), random_near(rng)
    rounded = one.computed * (1 + circuits.errors(rng)(COARSE.u))
    found = {X_: one.upper, X: one.size, Y_: other.upper, Y: other.size, nx_: abs(one.computed), nx: abs(one.exact)}
    found |= {ny: abs(other.exact), dx: abs(one.computed - one.exact), dy: abs(other.computed - other.exact)}
    found |= {rho: abs(rounded - one.computed), delta: COARSE.u, loss: Fraction(0), read_error: COARSE.r * abs(one.exact)}
    found |= {p: found[X_] - found[nx_], s: found[X] - found[nx], v: found[X_] - found[X] - found[dx], w: found[Y] - found[ny]}
    found |= {q: found[Y_] - found[Y] - found[dy], gap: found[Y_] - found[Y], t: found[nx] + found[dx] - found[nx_]}
    found |= {g: found[delta] * found[nx_] - found[rho]}
    return exact({**found, **counted(one, other)})


def counted(one: Near, other: Near) -> dict[sp.Symbol, Fraction | int]:
    """The numbers of the closed form at a node."""
    k, vv, r = 1 + COARSE.beta, 1 + COARSE.u, 1 + COARSE.r
    power = lambda m, a: k**m * vv**a * r ** (m + 1)  # noqa: E731
    most, first, second = power(max(one.m, other.m), max(one.a, other.a)), power(one.m, one.a), power(other.m, other.a)
    found = {K: k, V: vv, R: r, m: one.m, a: one.a, n: other.m, b: other.a, F: most}
    return found | {f: first * one.size - one.upper, i: most - first, j: most - second} | {
        G_: second * other.size - other.upper
    }


G_ = sp.Symbol("g_", commutative=False)


def nodes() -> tuple[Instance, ...]:
    rng = random.Random(1)
    return tuple(two_nodes(rng) for _ in range(CASES))


def values(rng: random.Random, n: int) -> Instance:
    return {symbol: matrix(rng, n, n) for symbol in (x_, x, y_, y, z)}


def near_is_kept() -> Iterator[Claim]:
    """Reading, multiplying, adding and rounding keep near."""
    instances, sizes = nodes(), at_sizes(values)
    yield Claim("x_ y_ - x y splits", x_ * y_ - x * y, x_ * (y_ - y) + (x_ - x) * y, (), (x_ * (y_ - y),), sizes)
    yield Claim("x_ + y_ - x - y splits", x_ + y_ - (x + y), (x_ - x) + (y_ - y), (), (x_ - x,), sizes)
    yield Claim("z - x splits", z - x, (z - x_) + (x_ - x), (), (z - x_,), sizes)
    near_x, near_y, inside = (v, X_ - X - dx), (q, Y_ - Y - dy), (p, X_ - nx_)
    given = (near_x, (s, X - nx), (t, nx + dx - nx_))
    yield Claim("|x_| <= X_", X_ - nx_, v + s + t, given, (X - nx_,), instances, (v, s, t))
    given = (inside, (gap, Y_ - Y), near_y, near_x, (w, Y - ny))
    lhs, rhs = X_ * Y_ - X * Y - (nx_ * dy + dx * ny), p * gap + nx_ * q + v * Y + dx * w
    forgotten = X_ * Y_ - X * Y - (nx_ * dy + dx * ny) - (X_ - X) * Y
    yield Claim("product: |x_||y_-y| + |x_-x||y| <= X_Y_ - XY", lhs, rhs, given, (forgotten,), instances, (p, gap, nx_, q, v, Y, dx, w))
    lhs, smaller = X_ + Y_ - (X + Y) - (dx + dy), X_ - X - (dx + dy)
    yield Claim("sum: |x_-x| + |y_-y| <= X_+Y_ - (X+Y)", lhs, v + q, (near_x, near_y), (smaller,), instances, (v, q))
    given = (inside, near_x, (g, delta * nx_ + loss - rho))
    lhs, half = X_ + delta * X_ + loss - X - (rho + dx), X_ + delta * X_ / 2 + loss - X - (rho + dx)
    what = "rounding by at most delta |x_| + loss: |z-x_| + |x_-x| <= (1+delta) X_ + loss - X"
    yield Claim(what, lhs, delta * p + v + g, given, (half,), instances, (delta, p, v, g))


def closed_form() -> Iterator[Claim]:
    """X_ <= B(m, a) X at every node; at the root |x_ - x| <= (B - 1) X."""
    instances = nodes()
    f_is, g_is = (f, B(m, a) * X - X_), (G_, B(n, b) * Y - Y_)
    lhs, fewer = B(m + n + 1, a + b) * X * Y - K * X_ * Y_, B(m + n, a + b) * X * Y - K * X_ * Y_
    rhs = K * f * B(n, b) * Y + K * X_ * G_
    yield Claim("product: m + n + 1 products, a + b additions", lhs, rhs, (f_is, g_is), (fewer,), instances, (K, V, R, m, a, n, b, f, Y, X_, G_)[:0] or (f, Y, X_, G_, K, V, R))
    given = (f_is, g_is, (i, F - B(m, a)), (j, F - B(n, b)))
    lhs, rhs = V * F * (X + Y) - V * (X_ + Y_), V * (i * X + j * Y + f + G_)
    yield Claim("sum: F >= both, one addition more", lhs, rhs, given, (F * (X + Y) - V * (X_ + Y_),), instances, (V, i, X, j, Y, f, G_))
    given = (f_is, (v, X_ - X - dx))
    bound = lambda K, V, a, m: (K**m * V**a * R ** (m + 1) - 1) * X - dx  # noqa: E731
    mutants = (bound(K, V, a - 1, m), bound(K, V, a, m - 1), bound(K, (1 + V) / 2, a, m), bound((1 + K) / 2, V, a, m))
    what = "root: |x_ - x| <= (K^m V^a R^(m+1) - 1) X"
    yield Claim(what, bound(K, V, a, m), f + v, given, (*mutants, B(m, a) * X / R**m - X - dx), instances, (f, v))

"""The theorem behind every allowance (docs/theorem.md): rounding in any circuit that does not
cancel, step by step.

A computed x' is near x when |x' - x| <= X' - X and |x| <= X. Products, sums and roundings keep
this; sizes grow by powers:

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

Every inequality is an equality whose right-hand side is made of numbers >= 0. The instances are
nodes and roots of random circuits, re-associated, distributed and factored, with roundings at the
ends of their intervals.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction

import sympy as sp

from scanproof.proofs.engine.algebra import Claim, Equation, Instance, letters
from scanproof.proofs.engine.instances import at_sizes, matrix
from scanproof.proofs.engine.run import Lemma
from scanproof.proofs.rounding import circuits
from scanproof.proofs.rounding.circuits import COARSE, Computed

x_, x, y_, y, z = letters("x_ x y_ y z")
X_, X, Y_, Y, nx_, nx, ny, dx, dy, rho = letters("X_ X Y_ Y nx_ nx ny dx dy rho")
p, q, s, t, v, w, f, g_, g, i, j, gap = letters("p q s t v w f g_ g i j gap")
K, V, R, F = sp.symbols("K V R F", positive=True)
m, a, n, b = sp.symbols("m a n b", integer=True, nonnegative=True)
delta, loss = letters("delta loss")
Hypotheses = tuple[Equation, ...]
CASES = 40  # circuits a claim
LEAVES = 6
LOSS = Fraction(1, 64)  # of one rounding


def B(m: sp.Expr, a: sp.Expr) -> sp.Expr:
    return K**m * V**a * R ** (m + 1)


def rational(number: Fraction) -> sp.Rational:
    return sp.Rational(number.numerator, number.denominator)


def exact(values: dict[sp.Symbol, Fraction]) -> Instance:
    return {symbol: rational(number) for symbol, number in values.items()}


def random_near(rng: random.Random) -> Computed:
    """The root of a random circuit, rewritten and rounded."""
    circuit = circuits.rewritten(rng, circuits.random_circuit(rng, LEAVES, rng.randint(0, 8)), 6)
    values = circuits.leaf_values(rng, circuit, LEAVES)
    return circuits.evaluate(circuit, values, COARSE, circuits.errors(rng))


def two_nodes(rng: random.Random) -> Instance:
    """All numbers that the claims speak of: two operands, a rounding of the first, and what is >= 0
    by hypothesis."""
    one, other, u = random_near(rng), random_near(rng), COARSE.u
    size = {
        X_: one.upper,
        X: one.size,
        nx_: abs(one.computed),
        nx: abs(one.exact),
        dx: abs(one.computed - one.exact),
    }
    size |= {
        Y_: other.upper,
        Y: other.size,
        ny: abs(other.exact),
        dy: abs(other.computed - other.exact),
    }
    rounding = circuits.errors(rng)
    size |= {delta: u, loss: LOSS, rho: abs(rounding(u) * one.computed) + abs(rounding(LOSS))}
    slack = {
        p: size[X_] - size[nx_],
        s: size[X] - size[nx],
        w: size[Y] - size[ny],
        gap: size[Y_] - size[Y],
    }
    slack |= {
        v: size[X_] - size[X] - size[dx],
        q: slack[gap] - size[dy],
        t: size[nx] + size[dx] - size[nx_],
    }
    return exact(size | slack | {g: u * size[nx_] + LOSS - size[rho]} | powers(one, other))


def powers(one: Computed, other: Computed) -> dict[sp.Symbol, Fraction]:
    """The numbers of the closed form."""
    base = {K: 1 + COARSE.beta, V: 1 + COARSE.u, R: 1 + COARSE.r}
    first, second, both = (
        base[K] ** m * base[V] ** a * base[R] ** (m + 1) for m, a in counts(one, other)
    )
    slack = {
        f: first * one.size - one.upper,
        g_: second * other.size - other.upper,
        i: both - first,
        j: both - second,
    }
    exponents = {m: one.m, a: one.a, n: other.m, b: other.a}
    return base | slack | {F: both} | {symbol: Fraction(k) for symbol, k in exponents.items()}


def counts(one: Computed, other: Computed) -> tuple[tuple[int, int], ...]:
    """(m, a) of the one, of the other, and the larger of each."""
    return (one.m, one.a), (other.m, other.a), (max(one.m, other.m), max(one.a, other.a))


def nodes() -> tuple[Instance, ...]:
    rng = random.Random(1)
    return tuple(two_nodes(rng) for _ in range(CASES))


def values(rng: random.Random, n: int) -> Instance:
    return {symbol: matrix(rng, n, n) for symbol in (x_, x, y_, y, z)}


def near_is_kept() -> Iterator[Claim]:
    """Reading, multiplying, adding and rounding keep near."""
    instances, sizes = nodes(), at_sizes(values)
    yield Claim(
        "x_ y_ - x y splits",
        x_ * y_ - x * y,
        x_ * (y_ - y) + (x_ - x) * y,
        (),
        (x_ * (y_ - y),),
        sizes,
    )
    yield Claim(
        "x_ + y_ - x - y splits", x_ + y_ - (x + y), (x_ - x) + (y_ - y), (), (x_ - x,), sizes
    )
    yield Claim(
        "z - x splits",
        z - x,
        (z - x_) + (x_ - x),
        (),
        (z - x_,),
        sizes,
        shown="z - x = (z - x_) + (x_ - x)",
    )
    near_x, near_y, inside = (v, X_ - X - dx), (q, Y_ - Y - dy), (p, X_ - nx_)
    given: Hypotheses = (near_x, (s, X - nx), (t, nx + dx - nx_))
    yield Claim("|x_| <= X_", X_ - nx_, v + s + t, given, (X - nx_,), instances, (v, s, t))
    given = (inside, (gap, Y_ - Y), near_y, near_x, (w, Y - ny))
    lhs, rhs = X_ * Y_ - X * Y - (nx_ * dy + dx * ny), p * gap + nx_ * q + v * Y + dx * w
    forgotten = X_ * Y_ - X * Y - (nx_ * dy + dx * ny) - (X_ - X) * Y
    signs = (p, gap, nx_, q, v, Y, dx, w)
    yield Claim(
        "product: |x_||y_-y| + |x_-x||y| <= X_Y_ - XY",
        lhs,
        rhs,
        given,
        (forgotten,),
        instances,
        signs,
    )
    lhs, smaller = X_ + Y_ - (X + Y) - (dx + dy), X_ - X - (dx + dy)
    yield Claim(
        "sum: |x_-x| + |y_-y| <= X_+Y_ - (X+Y)",
        lhs,
        v + q,
        (near_x, near_y),
        (smaller,),
        instances,
        (v, q),
    )
    given = (inside, near_x, (g, delta * nx_ + loss - rho))
    lhs, half = X_ + delta * X_ + loss - X - (rho + dx), X_ + delta * X_ / 2 + loss - X - (rho + dx)
    what = "rounding by at most delta |x_| + loss: |z-x_| + |x_-x| <= (1+delta) X_ + loss - X"
    yield Claim(what, lhs, delta * p + v + g, given, (half,), instances, (delta, p, v, g))


def closed_form() -> Iterator[Claim]:
    """X_ <= B(m, a) X at every node; at the root |x_ - x| <= (B - 1) X."""
    instances = nodes()
    f_is, g_is = (f, B(m, a) * X - X_), (g_, B(n, b) * Y - Y_)
    lhs, fewer = B(m + n + 1, a + b) * X * Y - K * X_ * Y_, B(m + n, a + b) * X * Y - K * X_ * Y_
    rhs = K * f * B(n, b) * Y + K * X_ * g_
    what, factors = "product: m + n + 1 products, a + b additions", (K, V, R, n, b, f, Y, X_, g_)
    yield Claim(what, lhs, rhs, (f_is, g_is), (fewer,), instances, factors)
    given: Hypotheses = (f_is, g_is, (i, F - B(m, a)), (j, F - B(n, b)))
    lhs, rhs = V * F * (X + Y) - V * (X_ + Y_), V * (i * X + j * Y + f + g_)
    what, signs, smaller = (
        "sum: F >= both, one addition more",
        (V, i, X, j, Y, f, g_),
        F * (X + Y) - V * (X_ + Y_),
    )
    yield Claim(what, lhs, rhs, given, (smaller,), instances, signs)
    given = (f_is, (v, X_ - X - dx))
    bound = lambda K, V, a, m: (K**m * V**a * R ** (m + 1) - 1) * X - dx  # noqa: E731
    weaker = (
        bound(K, V, a - 1, m),
        bound(K, V, a, m - 1),
        bound(K, (1 + V) / 2, a, m),
        bound((1 + K) / 2, V, a, m),
    )
    what = "root: |x_ - x| <= (K^m V^a R^(m+1) - 1) X"
    yield Claim(
        what,
        bound(K, V, a, m),
        f + v,
        given,
        (*weaker, B(m, a) * X / R**m - X - dx),
        instances,
        (f, v),
    )


SOURCE = ("Higham, Accuracy and Stability of Numerical Algorithms (2002), chapter 3, for circuits; "
          "docs/theorem.md")
CITED = (
    "|x + y| <= |x| + |y| and |x y| <= |x| |y|",
    "sums and products of numbers >= 0 are >= 0",
    "induction over circuits: leaves are near, and every operation keeps near",
)
TESTED = (f"instances: nodes of {CASES} random circuits, rewritten, with roundings at the ends of "
          "their intervals")

LEMMAS = (
    Lemma(
        name="rounding-near",
        statement="Products, sums and roundings keep |x' - x| <= X' - X and |x| <= X; so it holds "
                  "for every circuit.",
        source=SOURCE,
        role="an allowance bounds every program of its class, whatever the order of its operations",
        N="every circuit of sums and products; matrices of any size with a submultiplicative norm",
        method=f"free *-algebra; inequalities as sums of products of numbers >= 0; {TESTED}",
        cited=CITED,
        claims=near_is_kept,
    ),
    Lemma(
        name="rounding-circuit",
        statement="|computed - exact| <= [(1+beta)^m (1+u)^a (1+r)^(m+1) - 1] X for every circuit "
                  "without cancellation, m + 1 the degree, a the most additions along one parse "
                  "tree, X the polynomial on absolute values.",
        source=SOURCE,
        role="bracketing, distributing, factoring and transposing a scan leave its allowance as it "
             "is",
        N="every circuit whose multiplied-out form has no cancelling monomials; no underflow",
        method=f"induction over circuits, whose steps are the claims; symbolic exponents; {TESTED}",
        cited=(
            *CITED,
            "rounding-near",
            "powers of numbers >= 1 grow with the exponent",
            "where no monomials cancel, a circuit on absolute values is its polynomial on absolute "
            "values",
        ),
        claims=closed_form,
    ),
)

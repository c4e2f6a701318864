"""Householder transitions H = I - beta k k^T with |k| = 1: what the transitions of DeltaNet and
DeltaProduct can do to a state.

    symbol      meaning                                                            shape
    k, j        unit columns                                                       (N, 1)
    beta, r, q  any real number; the eigenvalue 1 - beta along k; its power r^t    ()
    b           a beta with beta^2 = 2 beta, as a letter                           ()
    x           any state                                                          (N, 1)
    n, m, l     |x|^2, |A x|^2 and |H x|^2 (|H A x|^2 for products)                ()
    p           k^T x (k^T A x for products)                                       ()
    s, g        2 - beta; how far beta is outside [0, 2]                           ()
    slack       |x|^2 - |A x|^2 for the product A of the factors so far            ()
    v, w        any columns                                                        (N, 1)
    F, z        orthonormal columns; a unit column in their coordinates            (N, 2), (2, 1)
    c, e        columns of the same norm; tau = 2 / |c - e|^2                      (N, 1), ()
    d, d1, d2   determinants                                                       ()
    cos, sin    entries of z, for an angle a                                       ()
    C, S        cosine and sine of 2a; C', S' of another                           ()
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from functools import partial

import sympy as sp
from sympy import adjoint

from scanproof.proofs.engine.algebra import Claim, Equation, Instance, letters
from scanproof.proofs.engine.certificates import ONE, ZERO
from scanproof.proofs.engine.instances import at_sizes, matrix
from scanproof.proofs.engine.instances import rotation as random_rotation
from scanproof.proofs.engine.run import Lemma
from scanproof.proofs.rotations.rotation_operator import rotation

k, j, x, v, w, F, z, c, e, tau = letters("k j x v w F z c e tau")
b, n, m, l, p, s, g, slack, d, d1, d2, cos, sin = letters("b n m l p s g slack d d1 d2 cos sin")
beta, r, power_of_r, C, S, C_, S_ = sp.symbols("beta r q C S C' S'", real=True)

CIRCLE, COMMUTE = (sin * sin, 1 - cos * cos), (sin * cos, cos * sin)
UNIT, UNIT_J = (adjoint(k) * k, ONE), (adjoint(j) * j, ONE)
BETAS = tuple(sp.Rational(i, 2) for i in (-1, 0, 1, 3, 4, 5))  # on both sides of 0 and of 2
CONTRACTING = BETAS[1:5]
# so det(I - v w^T) = 1 - w^T v
FACTORINGS = "[1 0; v I] [1 w^T; 0 I - v w^T] = [1 - w^T v, w^T; 0 I] [1 0; v I]"
OUTSIDE = tuple(
    {g: gap, b: side} for gap in (sp.Rational(1, 2), ONE, sp.Integer(3)) for side in (-gap, 2 + gap)
)


def house(beta: sp.Expr, k: sp.Expr) -> sp.Expr:
    """I - beta k k^T; beta stands between, because it may be a letter."""
    return 1 - k * beta * adjoint(k)


def model(rng: random.Random, size: int) -> Instance:
    """Two unit columns and other columns; beta outside [0, 2]."""
    columns = {column: matrix(rng, size, 1) for column in (x, v, w)}
    units = {k: random_rotation(rng, size)[:, 0], j: random_rotation(rng, size)[:, 0]}
    rate = sp.Rational(-3, 2)
    return {
        **columns,
        **units,
        beta: sp.Rational(-7, 3),
        r: rate,
        power_of_r: rate ** rng.randint(0, 3),
    }


def contracting(shrunk: sp.Rational) -> tuple[Instance, ...]:
    """Norms for several beta in [0, 2]."""
    return tuple(env for value in CONTRACTING for env in at_sizes(partial(numbers, value, shrunk)))


def numbers(beta_: sp.Rational, shrunk: sp.Rational, rng: random.Random, size: int) -> Instance:
    """The norms of x, of A x and of H A x, A = shrunk times a rotation."""
    unit, state = random_rotation(rng, size)[:, 0], matrix(rng, size, 1)
    moved = shrunk * random_rotation(rng, size) * state
    after = moved - beta_ * unit * (unit.T * moved)
    squares = {n: state, m: moved, l: after}
    norms = {letter: (column.T * column)[0] for letter, column in squares.items()}
    return {
        **norms,
        k: unit,
        x: state,
        p: (unit.T * moved)[0],
        beta: beta_,
        s: 2 - beta_,
        slack: norms[n] - norms[m],
    }


def contraction() -> Iterator[Claim]:
    """|x|^2 - |H x|^2 = beta (2 - beta) (k^T x)^2, which is >= 0 for beta in [0, 2]; for other beta
    |H k| > |k|."""
    H, instances = house(beta, k), at_sizes(model)
    yield Claim(
        "H k = (1 - beta) k", H * k, (1 - beta) * k, (UNIT,), (k, (1 + beta) * k), instances
    )
    lhs, projected = adjoint(x) * x - adjoint(H * x) * H * x, adjoint(x) * k * adjoint(k) * x
    what, mutants = (
        "|x|^2 - |H x|^2 = beta (2 - beta) (k^T x)^2",
        (beta * projected, -beta * (2 - beta) * projected),
    )
    yield Claim(what, lhs, beta * (2 - beta) * projected, (UNIT,), mutants, instances)
    inside = contracting(ONE)
    given = ((l, m - beta * (2 - beta) * p**2), (s, 2 - beta))
    yield Claim(
        "beta in [0, 2]: |H x|^2 <= |x|^2",
        m - l,
        beta * s * p**2,
        given,
        (m - l - beta**2 * p**2,),
        inside,
        (beta, s),
    )
    what = "|H k|^2 = (1 - beta)^2"
    yield Claim(
        what, adjoint(H * k) * H * k, (1 - beta) ** 2, (UNIT,), (1 - beta**2, 1 - beta), instances
    )
    growth = (1 - b) ** 2 - 1
    for name, far, cases in (("-g", -g, OUTSIDE[::2]), ("2 + g", 2 + g, OUTSIDE[1::2])):
        what = f"beta = {name}, g >= 0: |H k|^2 - |k|^2 = g (g + 2)"
        yield Claim(what, growth, g * (g + 2), ((b, far),), (growth - 3 * g,), cases, (g,))


def roots(root: int, rng: random.Random, size: int) -> Instance:
    return {**model(rng, size), b: sp.Integer(root)}


def orthogonality() -> Iterator[Claim]:
    """H^T H = I for beta in {0, 2}; and k^T (I - H^T H) k = beta (2 - beta), so for no other."""
    H, instances, outer = house(beta, k), at_sizes(model), k * adjoint(k)
    yield Claim(
        "H^T = H",
        adjoint(H),
        H,
        (),
        (-H, 1 + beta * outer),
        instances,
        shown="(1 - beta k k^H)^H = 1 - beta k k^H",
    )
    what, mutants = "H^T H = I - beta (2 - beta) k k^T", (ONE, 1 - 2 * beta * outer)
    yield Claim(what, adjoint(H) * H, 1 - beta * (2 - beta) * outer, (UNIT,), mutants, instances)
    root, given = house(b, k), (UNIT, (adjoint(b), b), (b * b, 2 * b))
    both = at_sizes(partial(roots, 0)) + at_sizes(partial(roots, 2))
    yield Claim("beta^2 = 2 beta: H^T H = I", adjoint(root) * root, ONE, given, (root, -ONE), both)
    what, loss = "k^T (I - H^T H) k = beta (2 - beta)", adjoint(k) * (1 - adjoint(H) * H) * k
    yield Claim(what, loss, beta * (2 - beta), (UNIT,), (beta, beta * (1 - beta)), instances)


def with_determinants(rng: random.Random, size: int) -> Instance:
    """The determinants of H, and of two reflections and their product."""
    env, eye = model(rng, size), sp.eye(size)
    H = (eye - env[beta] * env[k] * env[k].T).det()
    first, then = (eye - 2 * env[unit] * env[unit].T for unit in (k, j))
    return {**env, d: H, d1: first.det(), d2: then.det(), l: (then * first).det()}


def determinant() -> Iterator[Claim]:
    """[1 0; v I] [1 w^T; 0 I - v w^T] = [1 - w^T v, w^T; 0 I] [1 0; v I], so det(I - v
    w^T) = 1 - w^T v; det H = 1 - beta."""
    lower, row, instances = sp.Matrix([[1, 0], [v, 1]]), adjoint(w), at_sizes(with_determinants)
    left, right = (
        lower * sp.Matrix([[1, row], [0, 1 - v * row]]),
        sp.Matrix([[1 - row * v, row], [0, 1]]) * lower,
    )
    for i, h in itertools.product(range(2), range(2)):
        what, mutant = f"{FACTORINGS}: block {i + 1}, {h + 1}", 2 * right[i, h]
        yield Claim(
            what,
            left[i, h],
            right[i, h],
            (),
            (mutant,),
            instances,
            shown=f"left side at {i + 1}, {h + 1} = right side at {i + 1}, {h + 1}, each "
                  "multiplied out",
        )
    given: tuple[Equation, ...] = ((d, 1 - adjoint(beta * k) * k), UNIT)
    yield Claim(
        "det H = 1 - (beta k)^T k = 1 - beta", d, 1 - beta, given, (1 + beta, ONE), instances
    )
    given = ((l, d2 * d1), (d1, -ONE), (d2, -ONE))
    yield Claim("det of two reflections = (1 - 2)^2 = 1", l, ONE, given, (-ONE, ZERO), instances)


def orthogonal_to_both(rng: random.Random, size: int) -> Instance:
    """Unit columns k and j, and a state orthogonal to both: 0 for N < 3."""
    basis = random_rotation(rng, size)
    rest = basis[:, 2:] * matrix(rng, size - 2, 1) if size > 2 else sp.zeros(size, 1).as_immutable()
    tilted = (3 * basis[:, 0] + 4 * basis[:, 1]) / 5 if size > 1 else -basis[:, 0]
    return {k: basis[:, 0], j: tilted, x: rest}


def framed(rng: random.Random, size: int) -> Instance:
    """Orthonormal columns F: two, or one for N = 1."""
    columns = min(size, 2)
    return {F: random_rotation(rng, size)[:, :columns], z: random_rotation(rng, columns)[:, 0]}


def directions() -> tuple[Instance, ...]:
    """Two rational points of the circle."""
    points = [
        (sp.Rational(3, 5), sp.Rational(4, 5)),
        (sp.Rational(-5, 13), sp.Rational(12, 13)),
        (ZERO, -ONE),
    ]
    entries = (C, S, C_, S_), (cos, sin)
    return tuple(
        dict(zip((*entries[0], *entries[1]), (*one, *other, *one), strict=True))
        for one in points
        for other in points
    )


def mirror(cos: sp.Expr, sin: sp.Expr) -> sp.Matrix:
    """I - 2 z z^T for z of angle a, from cos 2a and sin 2a, (2, 2)."""
    return -sp.Matrix([[cos, sin], [sin, -cos]])


def in_the_plane() -> Iterator[Claim]:
    """I - 2 z z^T = mirror(2a) for z = (cos a, sin a), and mirror(2a) mirror(2b) = R(2a - 2b)."""
    column = sp.Matrix([cos, sin])
    reflected, doubled = (
        sp.eye(2) - 2 * column * column.T,
        mirror(cos * cos - sin * sin, 2 * cos * sin),
    )
    needs = {(0, 0): (CIRCLE,), (0, 1): (), (1, 0): (COMMUTE,), (1, 1): (CIRCLE,)}
    product, turned = mirror(C, S) * mirror(C_, S_), rotation(C * C_ + S * S_, S * C_ - C * S_)
    for i, h in itertools.product(range(2), range(2)):
        what, mutant = f"z = (cos a, sin a): I - 2 z z^T, entry {i + 1}, {h + 1}", -doubled[i, h]
        yield Claim(
            what,
            reflected[i, h],
            doubled[i, h],
            needs[i, h],
            (mutant,),
            directions(),
            shown=""
            if needs[i, h]
            else f"I - 2 z z^H at {i + 1}, {h + 1} = mirror(cos 2a, sin 2a) at {i + 1}, {h + 1}",
        )
        what, mutant = (
            f"the product for 2a and 2b is R(2a - 2b), entry {i + 1}, {h + 1}",
            -turned[i, h],
        )
        yield Claim(
            what,
            product[i, h],
            turned[i, h],
            (),
            (mutant,),
            directions(),
            shown=f"mirror(C, S) mirror(C', S') at {i + 1}, {h + 1} = R(C C' + S S', S C' - C S') "
                  f"at {i + 1}, {h + 1}",
        )


def two_reflections() -> Iterator[Claim]:
    """Orthogonal, determinant 1; nothing moves across the plane of k and j, which turns by twice
    the angle between them."""
    yield from determinant()
    product, instances = house(2, k) * house(2, j), at_sizes(model)
    what, mutants = "H_k H_j is orthogonal", (product, adjoint(product))
    yield Claim(what, adjoint(product) * product, ONE, (UNIT, UNIT_J), mutants, instances)
    given: tuple[Equation, ...] = ((adjoint(k) * x, ZERO), (adjoint(j) * x, ZERO))
    yield Claim(
        "k^T x = j^T x = 0: H_k H_j x = x",
        product * x,
        x,
        given,
        (-x, 2 * x),
        at_sizes(orthogonal_to_both),
    )
    what, given = "the reflection of F z takes F to F (I - 2 z z^T)", ((adjoint(F) * F, ONE),)
    yield Claim(
        what, house(2, F * z) * F, F * house(2, z), given, (F, -F * house(2, z)), at_sizes(framed)
    )
    yield from in_the_plane()


def products() -> Iterator[Claim]:
    """|x|^2 - |H A x|^2 >= 0 if A is a contraction; H^t = I - (1 - (1 - beta)^t) k k^T; both from
    one factor to the next."""
    given = ((l, m - beta * (2 - beta) * p**2), (s, 2 - beta), (m, n - slack))
    what, cases, mutant = (
        "|A x| <= |x|, beta in [0, 2]: |H A x|^2 <= |x|^2",
        contracting(sp.Rational(4, 5)),
        m - l - slack,
    )
    yield Claim(what, n - l, slack + beta * s * p**2, given, (mutant,), cases, (beta, s, slack))
    both, first = house(beta, j) * house(r, k) * x, house(r, k) * x
    lost = (
        r * (2 - r) * adjoint(x) * k * adjoint(k) * x,
        beta * (2 - beta) * adjoint(first) * j * adjoint(j) * first,
    )
    what, mutants = "|x|^2 - |H_j H_k x|^2 is the sum of both losses", (lost[0], lost[0] - lost[1])
    yield Claim(
        what,
        adjoint(x) * x - adjoint(both) * both,
        sum(lost),
        (UNIT, UNIT_J),
        mutants,
        at_sizes(model),
    )
    power, more = house(1 - power_of_r, k), house(1 - r * power_of_r, k)
    what, mutants = (
        "r = 1 - beta, q = r^t: H (I - (1 - q) k k^T) = I - (1 - r q) k k^T",
        (power, house(1 + r * power_of_r, k)),
    )
    yield Claim(what, house(1 - r, k) * power, more, (UNIT,), mutants, at_sizes(model))


def same_norm(rng: random.Random, size: int) -> Instance:
    """Two columns of the same norm; for N = 1 they are opposite."""
    first = matrix(rng, size, 1) + sp.ones(size, 1) * 7
    then = random_rotation(rng, size) * first if size > 1 else -first
    gap = first - then
    return {
        c: first.as_immutable(),
        e: then.as_immutable(),
        x: matrix(rng, size, 1),
        tau: 2 / (gap.T * gap)[0],
    }


def exchange() -> Iterator[Claim]:
    """I - tau v v^T with v = c - e and tau |v|^2 = 2 takes c to e."""
    gap, instances = c - e, at_sizes(same_norm)
    same = (adjoint(c) * c, adjoint(e) * e)
    moving = (tau * adjoint(e) * e, 1 + tau * adjoint(e) * c)
    given = (moving, (tau * adjoint(c) * c, tau * adjoint(e) * e))
    yield Claim("tau |c|^2 = tau |e|^2: H c = e", house(tau, gap) * c, e, given, (c, -e), instances)
    symmetric = (adjoint(c) * e, adjoint(e) * c)
    what, mutants = (
        "|c|^2 = |e|^2: |c - e|^2 = 2 (e^T e - e^T c)",
        (2 * adjoint(e) * e, 2 * adjoint(e) * (e + c)),
    )
    yield Claim(
        what, adjoint(gap) * gap, 2 * adjoint(e) * (e - c), (same, symmetric), mutants, instances
    )


PAPER = "Grazzi et al., arXiv 2411.12537"
WORDS = "free *-algebra, word normal form"
SIGNS = f"{WORDS}; inequalities as sums of products of numbers >= 0"

LEMMAS = (
    Lemma(
        name="householder-contraction",
        statement="H = I - beta k k^T with |k| = 1 is a contraction if and only if beta is in [0, "
                  "2].",
        source=f"{PAPER}: proposition 1 (1)",
        role="the range of beta in which the states of DeltaNet cannot grow",
        N="general N, every real beta",
        method=SIGNS,
        cited=("a product of numbers > 0 is > 0", "a square of a real number is >= 0"),
        claims=contraction,
    ),
    Lemma(
        name="householder-orthogonal",
        statement="H = I - beta k k^T with |k| = 1 is orthogonal if and only if beta is 0 or 2.",
        source=f"{PAPER}: M({{-1, 1}}) in proposition 1",
        role="which transitions keep the norm of every state: the identity and reflections",
        N="general N, every real beta",
        method=WORDS,
        cited=("a product of real numbers is 0 only if a factor is",),
        claims=orthogonality,
    ),
    Lemma(
        name="two-reflections",
        statement="det H = 1 - beta. Two reflections make a rotation: orthogonal, determinant 1, "
                  "the plane of k and j turned by twice the angle from j to k, all else fixed.",
        source=f"{PAPER}, and DeltaProduct: products of Householder factors; the theorem is "
               "classical",
        role="two factors a token give complex eigenvalues, which one factor cannot",
        N="general N",
        method=f"{WORDS}; 2 x 2 block factorings for the determinant; cosines and sines as letters",
        cited=(
            "cos and sin of a sum of angles (rotation-associative)",
            "det(XY) = det X det Y",
            "the determinant of a block triangular matrix is the product of those of its blocks",
        ),
        claims=two_reflections,
    ),
    Lemma(
        name="householder-products",
        statement="Products of factors with beta in [0, 2] have norm <= 1, and H^t = I - (1 - (1 - "
                  "beta)^t) k k^T.",
        source=f"{PAPER}: proposition 1 (1)",
        role="DeltaProduct and long scans of DeltaNet are stable for unit keys; the eigenvalue "
             "along k is 1 - beta",
        N="general N, any number of factors by induction",
        method=SIGNS,
        cited=(
            "householder-contraction, for the loss of one factor",
            "induction over the factors and over t, from I",
        ),
        claims=products,
    ),
    Lemma(
        name="reflection-exchanges",
        statement="If |c| = |e| and c != e, the reflection along c - e takes c to e.",
        source=f"{PAPER}: proposition 1 (2), for orthogonal matrices and permutations; the "
               "construction is Householder's",
        role="one factor for each coordinate to be put in place: how reflections reach "
             "permutations, hence finite automata",
        N="general N",
        method=WORDS,
        cited=("tau = 2 / |c - e|^2 exists, because |c - e| > 0", "c^T e = e^T c"),
        claims=exchange,
    ),
)

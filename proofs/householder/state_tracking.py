"""Parity and counting by one linear recurrence: what needs an eigenvalue below 0, what a complex
one, and what does it.

    symbol      meaning                                                            shape
    A, B        transition and drive of every step of a constant input             (N, N), (N, 1)
    h           state before the first step                                        (N, 1)
    a, f        one scalar transition; a change of the state, of one or of two steps   ()
    x, y        input bits, numbers with x^2 = x                                   ()
    k, z        unit column; (-1)^n h                                              (N, 1)
    E, s, q     exp(delta A) of Mamba; 1 - E; 1/2 - E                              ()
    o           the transition that E = 1/2 gives                                  (N, N)
    F           orthonormal columns                                                (N, 2)
    R, Z        rotation of the plane by 2 pi / m, and its power n                 (2, 2)
    m, n        modulus, number of steps                                           ()
    C, S        cosine and sine of phi, 2 pi / m times the sum of the inputs       ()
    C', S'      those of psi, 2 pi / m times the next input                        ()

Proved: the finite algebra, for one layer (two for sums of inputs by reflections alone);
real_counting.py has any number of layers of scalar states. Cited: that a monotone sequence in a
finite set ends (Coq: Parity.v). Not claimed: theorems 1 and 2 of the paper for other matrices, and
its constructions for all finite automata (theorems 3 and 4), but for cyclic groups.
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
from scanproof.proofs.householder.reflections import (
    C_,
    CIRCLE,
    S_,
    UNIT,
    C,
    S,
    cos,
    directions,
    house,
    k,
    mirror,
    sin,
)
from scanproof.proofs.scan.scan_algebra import labelled, states

A, B, B2, h, o, z, F, R, Z = letters("A B B2 h o z F R Z")
a, f, x, y, E, s, q = letters("a f x y E s q")
n = sp.Symbol("n", integer=True, nonnegative=True)
m = sp.Symbol("m", integer=True, positive=True)
rate, gap = sp.symbols("w delta", positive=True)
MODULI = (2, 3, 5)  # of the cyclic shifts
DECAYS = tuple(sp.Rational(i, 4) for i in range(1, 4))


def constant(rng: random.Random, size: int) -> Instance:
    """Any transition and drive."""
    columns = {column: matrix(rng, size, 1) for column in (B, B2, h)}
    return {A: matrix(rng, size, size), **columns, o: sp.zeros(size, size).as_immutable()}


def changes(sign: int, steps: int) -> tuple[Instance, ...]:
    """Transitions of one sign, and drives that make a change of f of so many steps from h = 2."""
    found = []
    for size, change in itertools.product(
        (sp.Rational(1, 3), sp.Rational(5, 2)), (ZERO, sp.Rational(1, 4), sp.Integer(3))
    ):
        # h_steps - h = (a^steps - 1) h + weight B
        weight = sum((sign * size) ** i for i in range(steps))
        drive = (change - ((sign * size) ** steps - 1) * 2) / weight
        found.append({a: sign * size, f: change, h: sp.Integer(2), B: drive})
    return tuple(found)


def one_direction() -> Iterator[Claim]:
    """h_(t+1) - h_t = A (h_t - h_(t-1)): for a number A >= 0 the state moves one way, for A < 0
    every second state does."""
    first, second, third, fourth = states([(A, B)] * 4, h)
    instances, step, two = at_sizes(constant), A * (second - first), A * A * (second - h)
    what = "constant input: h_3 - h_2 = A (h_2 - h_1)"
    yield Claim(what, third - second, step, (), (-step, second - first), instances)
    what = "constant input: h_4 - h_2 = A^2 (h_2 - h_0)"
    yield Claim(what, fourth - second, two, (), (-two, A * (second - h)), instances)
    first, second, third, fourth = states([(a, B)] * 4, h)
    what, change = "a >= 0: h_1 - h_0 = f >= 0 is followed by h_2 - h_1 = a f >= 0", second - first
    yield Claim(what, change, a * f, ((f, first - h),), (change - f,), changes(1, 1), (a, f))
    what, change = (
        "a of any sign: h_2 - h_0 = f >= 0 is followed by h_4 - h_2 = a^2 f >= 0",
        fourth - second,
    )
    yield Claim(what, change, a**2 * f, ((f, second - h),), (change - f,), changes(-1, 2), (f,))


def bits(first: int, then: int, rng: random.Random, size: int) -> Instance:
    """Two bits, a unit column, and a state before and after n changes of sign."""
    state, count = matrix(rng, size, 1), rng.randint(0, 3)
    labels = {w: sp.Integer(i + 2) for i, w in enumerate(sp.symbols("w1:4"))}
    columns = {k: random_rotation(rng, size)[:, 0], h: state, z: (-1) ** count * state}
    return {**columns, **labels, x: sp.Integer(first), y: sp.Integer(then), n: sp.Integer(count)}


def every_bit() -> tuple[Instance, ...]:
    return tuple(
        env
        for pair in itertools.product(range(2), repeat=2)
        for env in at_sizes(partial(bits, pair[0], pair[1]))
    )


def parity() -> Iterator[Claim]:
    """a(x) = 1 - 2x multiplies to 1 - 2 (x_1 xor ... xor x_t).

    So do reflections I - 2 x k k^T.
    """
    after, alternating, instances = (
        labelled(states([(-1, ZERO)] * 3, h)),
        labelled([-h, h, -h]),
        every_bit(),
    )
    what, mutants = "A = -I: h_1, h_2, h_3 = -h, h, -h", (-alternating, labelled([h] * 3))
    yield Claim(
        what, after, alternating, (), mutants, instances, shown="scan(-1, 0) from h = -h, h, -h"
    )
    given: tuple[Equation, ...] = ((z, (-1) ** n * h),)
    what, more = "h_n = (-1)^n h: from n to n + 1", (-1) ** (n + 1) * h
    yield Claim(what, -z, more, given, (-more,), instances)
    xor, given = x + y - 2 * x * y, ((x * x, x), (y * y, y), (y * x, x * y))
    yield Claim("x xor y = x + y - 2 x y is a bit", xor * xor, xor, given, (x + y, ONE), instances)
    yield Claim("a(x)^2 = 1", (1 - 2 * x) ** 2, ONE, given[:1], (1 - 2 * x, -ONE), instances)
    mutants = (1 - 2 * (x + y), 1 - 2 * x * y)
    yield Claim(
        "a(x) a(y) = a(x xor y)", (1 - 2 * x) * (1 - 2 * y), 1 - 2 * xor, (), mutants, instances
    )
    what, mutants = (
        "(I - 2 x k k^T) (I - 2 y k k^T) = I - 2 (x xor y) k k^T",
        (house(2 * (x + y), k), house(2 * x * y, k)),
    )
    yield Claim(
        what, house(2 * x, k) * house(2 * y, k), house(2 * xor, k), (UNIT,), mutants, instances
    )


def decays() -> tuple[Instance, ...]:
    return tuple({E: decay, s: 1 - decay, q: sp.Rational(1, 2) - decay} for decay in DECAYS)


def reset() -> Iterator[Claim]:
    """lam = 2 E - 1: in (-1, 1] for E in (0, 1], below 0 for E < 1/2, and 0 at E = 1/2, which
    forgets all that came before."""
    decay = sp.exp(-gap * rate)
    at_reset = {gap: sp.log(2) / rate}
    what, mutant = "delta = log(2) / w: 2 exp(-delta w) - 1 = 0", decay.xreplace(at_reset)
    yield Claim(
        what,
        2 * decay.xreplace(at_reset) - 1,
        ZERO,
        (),
        (mutant,),
        tuple({rate: sp.Integer(i)} for i in (1, 3)),
        shown="2 exp(-delta w) - 1 at delta = log(2) / w = 0",
    )
    what, (_, last) = "transition 0: h_2 = b_2, whatever came before", states([(A, B), (o, B2)], h)
    yield Claim(what, last, B2, ((o, ZERO),), (B, A * B + B2), at_sizes(constant))
    lam, given = 2 * E - 1, ((s, 1 - E),)
    yield Claim(
        "1 - lam^2 = 4 E (1 - E) >= 0",
        1 - lam**2,
        4 * E * s,
        given,
        (1 - lam**2 - 2 * E,),
        decays(),
        (E, s),
    )
    yield Claim(
        "1 + lam = 2 E >= 0",
        1 + lam,
        2 * E,
        (),
        (1 + lam - 3 * E,),
        decays(),
        (E,),
        shown="1 + (2 E - 1) = 2 E",
    )
    small = tuple(env for env in decays() if env[q] >= 0)
    yield Claim(
        "E <= 1/2: -lam = 2 (1/2 - E) >= 0",
        -lam,
        2 * q,
        ((q, sp.Rational(1, 2) - E),),
        (-lam - E,),
        small,
        (q,),
    )


def in_a_plane(rng: random.Random, size: int) -> Instance:
    """A plane (a line for N = 1), a matrix on it and one of its powers."""
    columns = min(size, 2)
    turn = random_rotation(rng, columns) if columns > 1 else -sp.eye(1).as_immutable()
    return {F: random_rotation(rng, size)[:, :columns], R: turn, Z: turn ** rng.randint(1, 3)}


def whole_turns() -> tuple[Instance, ...]:
    """Steps n and moduli m; angles in units of pi, which may be any number here."""
    return tuple(
        {n: sp.Integer(i), m: sp.Integer(j), sp.pi: sp.Rational(22, 7)}
        for j in (1, 3, 7)
        for i in range(3)
    )


def counting() -> Iterator[Claim]:
    """A turn by 2 pi / m returns after m steps, not before; so do m - 1 reflections."""
    inside, outside = F * R * adjoint(F), 1 - F * adjoint(F)
    power, more = F * Z * adjoint(F) + outside, F * R * Z * adjoint(F) + outside
    what, given = (
        "A = F R F^T + I - F F^T: A A^n = F R R^n F^T + I - F F^T",
        ((adjoint(F) * F, ONE),),
    )
    yield Claim(
        what,
        (inside + outside) * power,
        more,
        given,
        (power, F * R * Z * adjoint(F)),
        at_sizes(in_a_plane),
    )
    turn, angle = 2 * sp.pi * n / m, 2 * sp.pi * (n + m) / m
    yield Claim(
        "after m more steps: 2 pi more",
        angle,
        turn + 2 * sp.pi,
        (),
        (turn, turn + sp.pi),
        whole_turns(),
    )
    what, double = "1 - cos 2a = 2 (sin a)^2, a = pi n / m", cos * cos - sin * sin
    yield Claim(
        what, 1 - double, 2 * sin * sin, (CIRCLE,), (sin * sin, 2 * cos * cos), directions()
    )
    for modulus in MODULI:
        yield shift(modulus)
    yield from sums_by_reflections()


def shift(modulus: int) -> Claim:
    """The reflections that exchange neighbours, one after the other: coordinate i goes to i + 1,
    the last to the first."""
    units = [sp.eye(modulus)[:, i] for i in range(modulus)]
    product = sp.eye(modulus)
    for i in reversed(range(modulus - 1)):
        difference = units[i] - units[i + 1]
        product = (sp.eye(modulus) - difference * difference.T) * product
    cyclic = sp.Matrix.hstack(*(units[(i + 1) % modulus] for i in range(modulus)))
    weights = sp.symbols(f"w1:{modulus**2 + 1}")
    what, values = (
        f"m = {modulus}: {modulus - 1} reflections shift all",
        {w: sp.Integer(2**i) for i, w in enumerate(weights)},
    )
    mutants = (labelled(list(sp.eye(modulus))), labelled(list(cyclic * cyclic)))
    return Claim(
        what,
        labelled(list(product)),
        labelled(list(cyclic)),
        (),
        mutants,
        (values,),
        shown=f"(I - d d^T), d = e_i - e_(i+1), multiplied for i = 1..{modulus - 1} = the cyclic "
              f"shift of {modulus}",
    )


def sums_by_reflections() -> Iterator[Claim]:
    """Two layers: the first gives the parity of t; with it reflections alone add modulo m, the
    angle has the sign (-1)^t."""
    sum_of_angles = C * C_ - S * S_, S * C_ + C * S_
    for name, sign in (("even", 1), ("odd", -1)):
        now, then = (
            sp.Matrix([C, sign * S]),
            sp.Matrix([sum_of_angles[0], -sign * sum_of_angles[1]]),
        )
        found, wrong = (-mirror(C_, way * S_) * now for way in (-sign, sign))
        for i in range(2):
            what = f"t {name}: a reflection adds psi to phi, row {i + 1}"
            yield Claim(
                what,
                found[i],
                then[i],
                (),
                (wrong[i],),
                directions(),
                shown=f"row {i + 1} of -mirror(psi) (phi) = row {i + 1} of (phi + psi), as (cos, "
                      "(-1)^t sin)",
            )


PAPER = "Grazzi et al., arXiv 2411.12537"
WORDS = "free *-algebra, word normal form"
ONE_LAYER = "one layer; for any number of them real-transitions-count-powers-of-two"

LEMMAS = (
    Lemma(
        name="no-parity-without-sign",
        statement="On a constant input a scalar state with a >= 0 moves in one direction only; "
                  "with a < 0 every second state does. In finite precision the first stops "
                  "changing and tells no parity, the second counts modulo 2 at most.",
        source=f"{PAPER}: theorems 1 and 2, for one scalar state",
        role="what a transition in [0, 1] cannot do; a kernel that maps [-1, 1] to [0, 1] loses it",
        N=f"the recurrence of changes: general N; directions: scalar states; {ONE_LAYER}",
        method=f"{WORDS}; the reference's scan is run on the letters; inequalities as products of "
               "numbers >= 0",
        cited=(
            "rounding is monotone, and a monotone map of a finite ordered set ends in a fixed "
            "point (Coq: monotone_stops)",
            "an antitone one ends in a cycle of length at most 2 (Coq: antitone_period_two)",
            "induction over t",
        ),
        claims=one_direction,
    ),
    Lemma(
        name="parity",
        statement="a(x) = 1 - 2x, and the reflection I - 2 x k k^T, give the parity of a string of "
                  "bits x: a(x) a(y) = a(x xor y).",
        source=f"{PAPER}: parity, and Z_2 in theorem 3",
        role="the eigenvalue -1 does it, exactly in every format; the smallest test of a negative "
             "transition",
        N="general N, any number of steps by induction",
        method=f"{WORDS}; bits as letters with x^2 = x; the reference's scan is run on the letters",
        cited=("induction over t", "householder-orthogonal, for beta = 2 x in {0, 2}"),
        claims=parity,
    ),
    Lemma(
        name="reset-at-one-half",
        statement="Mamba's transition on [-1, 1], lam = 2 exp(-delta w) - 1, is 0 at delta = "
                  "log(2) / w: the state is the last drive. It is in (-1, 1], and below 0 exactly "
                  "when exp(-delta w) < 1/2.",
        source=f"{PAPER}: transitions 2 exp(.) - 1",
        role="an integer case of that layer; no logarithm of lam exists, so kernels of cumulated "
             "logarithms do not apply",
        N="general N, every channel; real numbers, which floating-point arithmetic may round to -1",
        method=f"{WORDS}; the reference's scan is run on the letters; inequalities as products of "
               "numbers >= 0",
        cited=("0 < exp(x) <= 1 for real x <= 0",),
        claims=reset,
    ),
    Lemma(
        name="counting-modulo-m",
        statement="A turn by 2 pi / m, two reflections at the angle pi / m, returns after m steps "
                  "and not before. So does the cyclic shift, m - 1 reflections. After a layer that "
                  "knows the parity of t, single reflections add modulo m.",
        source=f"{PAPER}: Z_m in theorem 3, permutations in proposition 1 (2), and its remark on "
               "two layers of reflections",
        role="what complex eigenvalues add; the shift has entries 0 and 1 and is exact in every "
             "format, the turn is rounded",
        N=f"general N, every m; shifts for m = {', '.join(map(str, MODULI))}",
        method=f"{WORDS}; cosines and sines as letters; reflections of coordinates multiplied out",
        cited=(
            "two-reflections, for the turn of a plane",
            "cos and sin have the period 2 pi; cos and sin of a sum of angles "
            "(rotation-associative)",
            "theta-rotation, for R(theta)^n = R(n theta)",
            "sin x > 0 for 0 < x < pi, so cos(2 pi n / m) < 1 for 0 < n < m",
        ),
        claims=counting,
    ),
)

"""Where the LRU's eigenvalues start, what white inputs make of it, and why a constant input is
another matter.

    symbol     meaning                                                     shape
    a, b       r_min and r_max of the ring, a < b < 1                      ()
    rho, U     modulus of lam; uniform on [0, 1], from which rho is drawn  ()
    phi        max_phase: angles are uniform on [0, phi)                   ()
    s          rho^2                                                       ()
    B, u       input matrix; one input, white in space                     (N, W), (W, outcomes)
    Lambda, V  diagonal of eigenvalues; (I - Lambda)^-1                    (N, N)
    r, theta   one eigenvalue r exp(i theta)                               ()
    z, k       tan(theta / 2); (1 + r)/(1 - r) > 1                         ()

    white inputs, gamma = 1:  E|h|^2 tends to m E|B u|^2,
                              m = E 1/(1 - rho^2) = log((1 - a^2)/(1 - b^2)) / (b^2 - a^2)
    one input for all steps:  h tends to V B u, and E 1/|1 - r exp(i theta)|^2 is 1/(1 - r^2)
                              over the whole circle only
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import sympy as sp
from sympy import adjoint

from scanproof.proofs.engine.algebra import Claim, Instance, letters
from scanproof.proofs.engine.certificates import ONE, ZERO
from scanproof.proofs.engine.instances import at_sizes, matrix
from scanproof.proofs.engine.moments import WHITE, WIDTHS, u, white_inputs
from scanproof.proofs.engine.run import Lemma

B, Lambda, V, state, k, z, gap = letters("B Lambda V state k z gap")
a = sp.Symbol("a", nonnegative=True)
b, rho, U, phi, s, r = sp.symbols("b rho U phi s r", positive=True)
p, q = sp.symbols("p q", positive=True)
angle = sp.Symbol("theta", real=True)
n = sp.Symbol("n", integer=True, nonnegative=True)
half, third = sp.Rational(1, 2), sp.Rational(1, 3)


def distribution(radius: sp.Expr) -> sp.Expr:
    """The part of a ring's area that is inside this radius."""
    return (radius**2 - a**2) / (b**2 - a**2)


def rings() -> tuple[Instance, ...]:
    """Some rings, radii and draws."""
    numbers = (
        (third, half, sp.Rational(2, 5), half),
        (half, sp.Rational(9, 10), sp.Rational(3, 5), third),
    )
    return tuple(
        {a: low, b: high, rho: radius, U: draw, phi: sp.Integer(2)}
        for low, high, radius, draw in numbers
    )


def uniform_on_the_ring() -> Iterator[Claim]:
    """Lemma 2: rho = exp(-nu), nu = -log(U (b^2 - a^2) + a^2) / 2.

    That inverts the distribution of the radius.
    """
    instances, square = rings(), U * (b**2 - a**2) + a**2
    drawn, linear = sp.exp(sp.log(square) / 2), a + U * (b - a)
    what = "a uniform point of the ring has its radius inside rho = exp(-nu) with probability U"
    yield Claim(
        what, distribution(drawn), U, (), (distribution(linear),), instances,
        shown="(rho^2 - a^2)/(b^2 - a^2) at rho = exp(log(U (b^2 - a^2) + a^2) / 2) = U",
    )
    yield Claim(
        "the innermost radius: 0",
        distribution(a),
        ZERO,
        (),
        (ONE,),
        instances,
        shown="(a^2 - a^2)/(b^2 - a^2) = 0",
    )
    yield Claim(
        "the outermost radius: 1",
        distribution(b),
        ONE,
        (),
        (ZERO,),
        instances,
        shown="(b^2 - a^2)/(b^2 - a^2) = 1",
    )
    density, area = sp.diff(distribution(rho), rho) / (phi * rho), phi * (b**2 - a**2) / 2
    what = ("the density by area, d rho d theta = d area / rho, is 1 / area of the sector of any "
            "max_phase")
    yield Claim(
        what, density * area, ONE, (), (rho * density * area, 2 * density * area), instances,
        shown="(1/phi) d/drho ((rho^2 - a^2)/(b^2 - a^2)) / rho * phi (b^2 - a^2)/2 = 1",
    )


def white_input(rng: random.Random, size: int) -> Instance:
    return {**white_inputs(rng, WIDTHS[size], {state: size}), B: matrix(rng, size, WIDTHS[size])}


def white_blow_up() -> Iterator[Claim]:
    """Proposition 3: the mean of 1/(1 - rho^2), where rho^2 is uniform on [a^2, b^2]."""
    values = tuple({s: number} for number in (third, half))
    what = "-log(1 - s) has the derivative 1/(1 - s), which is also the limit for r_min = r_max"
    yield Claim(
        what,
        sp.diff(-sp.log(1 - s), s),
        1 / (1 - s),
        (),
        (1 / (1 - s) ** 2,),
        values,
        shown="d/ds (-log(1 - s)) = 1/(1 - s)",
    )
    what, values = (
        "between a^2 and b^2: log(1 - a^2) - log(1 - b^2) = log of the ratio",
        ({p: sp.exp(-1), q: sp.exp(-3)},),
    )
    yield Claim(what, sp.log(p) - sp.log(q), sp.log(p / q), (), (sp.log(q / p),), values)
    what, moment = "E[(B u)(B u)^T] = B B^T, whose trace is E|B u|^2", B * adjoint(B)
    yield Claim(
        what, B * u * adjoint(B * u), moment, (WHITE,), (2 * moment,), at_sizes(white_input)
    )


def resting(rng: random.Random, size: int) -> Instance:
    """Real eigenvalues suffice: only V - Lambda V = I matters."""
    eigenvalues = [sp.Rational(rng.randint(-9, 9), 10) for _ in range(size)]
    inverse = sp.diag(*(1 / (1 - value) for value in eigenvalues)).as_immutable()
    width = WIDTHS[size]
    env = {Lambda: sp.diag(*eigenvalues).as_immutable(), V: inverse}
    return {**env, B: matrix(rng, size, width), u: matrix(rng, width, 1)}


def whole_circle() -> Iterator[Claim]:
    """(1 - r^2)/|1 - r exp(i theta)|^2 = 1 + 2 sum r^j cos(j theta).

    The mean of every cosine is 0.
    """
    fixed = V * B * u
    what = "constant input: V B u stays"
    yield Claim(
        what,
        Lambda * fixed + B * u,
        fixed,
        ((Lambda * V, V - 1),),
        (B * u, Lambda * fixed),
        at_sizes(resting),
    )
    turns = tuple({r: half, angle: i * sp.pi / 2, n: sp.Integer(i % 3)} for i in range(5))
    square = 1 - 2 * r * sp.cos(angle) + r**2
    what = "|1 - r exp(i theta)|^2 = 1 - 2 r cos(theta) + r^2"
    yield Claim(
        what,
        (1 - r * sp.cos(angle)) ** 2 + (r * sp.sin(angle)) ** 2,
        square,
        (),
        (square - r**2,),
        turns,
    )

    def left(n: sp.Expr) -> sp.Expr:
        """1 - r^2 less this is a multiple of |1 - r exp(i theta)|^2.

        The factor is 1 + 2 r cos(theta) + ... + 2 r^n cos(n theta).
        """
        return 2 * r ** (n + 1) * sp.cos((n + 1) * angle) - 2 * r ** (n + 2) * sp.cos(n * angle)

    what = "n = 0: |1 - r exp(i theta)|^2 = 1 - r^2 less what vanishes with r^n"
    yield Claim(
        what, 1 - r**2 - left(ZERO), square, (), (1 - r**2,), turns,
        shown="1 - r^2 - (2 r cos(theta) - 2 r^2 cos(0)) = 1 - 2 r cos(theta) + r^2",
    )
    what, term = "from n to n + 1", 2 * r ** (n + 1) * sp.cos((n + 1) * angle)
    before, after = (
        sp.expand_trig(sp.expand(side)) for side in (left(n) - left(n + 1), square * term)
    )
    yield Claim(what, before, after, (), (ZERO,), turns)


def sectors() -> tuple[Instance, ...]:
    """tan(theta/2) > 0 and k for r = 1/3, 1/2, 4/5."""
    moduli = (third, half, sp.Rational(4, 5))
    steep = [(radius, (1 + radius) / (1 - radius)) for radius in moduli]
    return tuple(
        {r: radius, k: factor, gap: factor - 1, z: half + i}
        for i, (radius, factor) in enumerate(steep)
    )


def restricted_phase() -> Iterator[Claim]:
    """The integral from 0 to phi < pi is 2/(1 - r^2) atan(k tan(phi/2)): above phi/(1 - r^2), since
    k > 1."""
    y = sp.Symbol("z", positive=True)
    factor = (1 + r) / (1 - r)
    cosine = (1 - y**2) / (1 + y**2)
    rate = sp.diff(2 / (1 - r**2) * sp.atan(factor * y), y) * (1 + y**2) / 2
    values = tuple({r: radius, y: half + i} for i, radius in enumerate((third, half)))
    what = "2/(1 - r^2) atan(k tan(theta/2)) has the derivative 1/|1 - r exp(i theta)|^2"
    derivative, integrand = sp.cancel(rate), sp.cancel(1 / (1 - 2 * r * cosine + r**2))
    yield Claim(
        what,
        derivative,
        integrand,
        (),
        (1 / (1 - r**2),),
        values,
        shown="d/dz (2/(1 - r^2) atan(k z)) (1 + z^2)/2 = 1/(1 - 2 r cos(theta) + r^2), cos(theta) "
              "= (1 - z^2)/(1 + z^2)",
    )
    given = ((gap, k - 1),)
    what = "k tan - tan >= 0, so the mean is above 1/(1 - r^2) for every 0 < r < 1 and 0 < phi < pi"
    yield Claim(what, k * z - z, gap * z, given, (k * z - 3 * z,), sectors(), (gap, z))
    what = "k - 1 = 2 r/(1 - r)"
    yield Claim(what, factor - 1, 2 * r / (1 - r), (), (2 * r / (1 + r),), values)
    mean = 2 / (1 - r**2) * sp.atan(factor * sp.tan(sp.pi / 6)) / (sp.pi / 3)
    what, values = (
        "r = 1/2, max_phase = pi/3: the mean is 8/3, twice what the proposition says",
        ({r: half},),
    )
    yield Claim(
        what, mean.subs(r, half), sp.Rational(8, 3), (), (1 / (1 - half**2),), values,
        shown="2/(1 - r^2) atan(k tan(pi/6)) / (pi/3) at r = 1/2, k = (1 + r)/(1 - r) = 8/3",
    )


def initialisation() -> Iterator[Claim]:
    yield from uniform_on_the_ring()
    yield from white_blow_up()


def constant_input() -> Iterator[Claim]:
    yield from whole_circle()
    yield from restricted_phase()


SOURCE = "Linear Recurrent Unit, Orvieto et al. 2023, arXiv 2303.06349"

LEMMAS = (
    Lemma(
        name="ring-initialisation",
        statement="exp(-nu + i theta) is uniform on the ring's sector (Lemma 2); for white inputs "
        "and gamma = 1 the mean of 1/(1 - |lam|^2) is log((1 - r_min^2)/(1 - r_max^2)) / (r_max^2 "
        "- r_min^2), for any max_phase (Proposition 3).",
        source=f"{SOURCE}: Lemma 2 and Proposition 3",
        role="what reference.initialise.decay_rate draws, and why gamma is needed near the circle",
        N="every channel of general N, any input width, every ring with 0 <= r_min < r_max < 1 and "
        "every max_phase",
        method="inverse of the distribution of the radius; antiderivatives; random vectors as "
        "letters",
        cited=(
            "F(R) is uniform if R has the continuous distribution F, and "
            "d area = rho d rho d theta",
            "lru-variance, for E|h_i|^2 -> |B_i|^2 / (1 - |lam_i|^2)",
            "an integral is the difference of an antiderivative; E|x|^2 = tr E[x x^T]",
        ),
        claims=initialisation,
    ),
    Lemma(
        name="ring-constant-input",
        statement="One input for all steps: E 1/|1 - r exp(i theta)|^2 is 1/(1 - r^2) over the "
        "whole circle, and above it for every max_phase below pi: the constant-input case of "
        "Proposition 3 fails there (r = 1/2, pi/3: 8/3, not 4/3).",
        source=f"{SOURCE}: Proposition 3; the counter-example is the project's own",
        role="long tasks restrict the phase (pi/10): a state then grows more than the paper's "
        "formula says",
        N="general N for the fixed point; every channel, every 0 < r < 1, every 0 < max_phase < pi",
        method="words; telescoping sum for symbolic n; antiderivative in tan(theta/2); a product "
        "of numbers >= 0",
        cited=(
            "cos(j theta) has mean 0 over the circle for j >= 1, and r^n tends to 0",
            "tan(theta/2) = z: cos(theta) = (1 - z^2)/(1 + z^2), d theta = 2 dz/(1 + z^2); atan "
            "grows",
            "an integral is the difference of an antiderivative",
        ),
        claims=constant_input,
    ),
)

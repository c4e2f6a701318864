"""Laws of the scan h_t = A_t h_{t-1} + b_t that a checker may ask of every implementation: linear,
causal, invariant in time.

    symbol     meaning                                                        shape
    A_t, b_t   transition and drive at step t                                 (N, N), (N, 1)
    c_t        another drive                                                  (N, 1)
    h, k       starts; f, g the states of two runs before a step              (N, 1)
    alpha      a number                                                       ()
    A          a transition, of one step or of every step; A2 of another run  (N, N)
    o          the zero state                                                 (N, 1)
    w1, ...    labels of the steps (scan_algebra)                             ()

For any T the argument is an induction, and its step is a claim; for T = 4 the reference's scan is
run on the letters.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import sympy as sp

from scanproof.proofs.engine.algebra import Claim, Instance, letters
from scanproof.proofs.engine.certificates import ZERO
from scanproof.proofs.engine.instances import at_sizes, matrix
from scanproof.proofs.engine.run import Lemma
from scanproof.proofs.scan.scan_algebra import ON_LETTERS, labelled, states
from scanproof.proofs.scan.scan_operator import act

TIME = 4
A_t, b_t, c_t = (letters(f"{name}1:{TIME + 1}") for name in "Abc")
A, A2, h, k, f, g, b, c, o = letters("A A2 h k f g b c o")
alpha = sp.Symbol("alpha", real=True)
LABELS = sp.symbols(f"w1:{2 * TIME + 1}")


def model(rng: random.Random, n: int) -> Instance:
    """Random steps and starts."""
    columns = {x: matrix(rng, n, 1) for x in (*b_t, *c_t, h, k, f, g, b, c)}
    labels = {w: sp.Integer(rng.randint(1, 9)) for w in LABELS}
    zero = {o: sp.zeros(n, 1).as_immutable(), alpha: sp.Rational(-7, 3)}
    return {**{X: matrix(rng, n, n) for X in (*A_t, A)}, **columns, **labels, **zero}


SAME_STEP = ((A2, A), (c, b), (k, h))  # the step of one run is that of the other


def twice(rng: random.Random, n: int) -> Instance:
    """The same step of two runs."""
    env = model(rng, n)
    return {**env, A2: env[A], c: env[b], k: env[h]}


def linear() -> Iterator[Claim]:
    """With drives alpha b_t + c_t, from alpha h + k, the states are alpha times those of one run
    plus those of the other."""
    what, instances = (
        "from t - 1 to t: A (alpha f + g) + alpha b + c = alpha (A f + b) + (A g + c)",
        at_sizes(model),
    )
    step, parts = act((A, alpha * b + c), alpha * f + g), alpha * act((A, b), f) + act((A, c), g)
    yield Claim(
        what, step, parts, (), (act((A, b), f) + act((A, c), g), parts - alpha * b), instances
    )
    first, second = (
        states(list(zip(A_t, b_t, strict=True)), h),
        states(list(zip(A_t, c_t, strict=True)), k),
    )
    mixed = [(transition, alpha * x + y) for transition, x, y in zip(A_t, b_t, c_t, strict=True)]
    joint, split = (
        labelled(states(mixed, alpha * h + k)),
        labelled([alpha * x + y for x, y in zip(first, second, strict=True)]),
    )
    mutants = (labelled(first), labelled([x + y for x, y in zip(first, second, strict=True)]))
    yield Claim(
        f"T = {TIME}: the reference's scan of alpha b + c from alpha h + k",
        joint,
        split,
        (),
        mutants,
        instances,
    )


def causal() -> Iterator[Claim]:
    """What comes after step t changes none of h_1, ..., h_t, unless the scan is reversed."""
    what, difference = (
        "from t - 1 to t: h_t - k_t = A_t (h_(t-1) - k_(t-1)) + (b_t - c_t)",
        A * (h - k) + (b - c),
    )
    yield Claim(
        what,
        act((A, b), h) - act((A, c), k),
        difference,
        (),
        (A * (h - k), h - k + b - c),
        at_sizes(model),
    )
    what = ("from t - 1 to t: the same state before, the same transition and drive at t make the "
            "same state after")
    yield Claim(
        what,
        act((A, b), h),
        act((A2, c), k),
        SAME_STEP,
        (act((A2, c), b), act((A2, h), k)),
        at_sizes(twice),
    )
    steps, others, instances = (
        list(zip(A_t, b_t, strict=True)),
        [(A, x) for x in c_t],
        at_sizes(model),
    )
    for t in range(1, TIME):
        changed = states([*steps[:t], *others[t:]], h)[:t]
        reversed_ = states([*steps[:t], *others[t:]], h, reverse=True)[:t]
        what = (f"T = {TIME}, other steps after t = {t}: the states up to t are those of the first "
                "t steps alone")
        yield Claim(
            what,
            labelled(changed),
            labelled(states(steps[:t], h)),
            (),
            (labelled(reversed_),),
            instances,
            shown=f"states 1..{t} of scan(b_1..b_{t}, c_{t + 1}..c_{TIME}) = states of "
                  f"scan(b_1..b_{t})",
        )


def time_invariant() -> Iterator[Claim]:
    """With one A for all steps, zeros in front of the drives, from h = 0, put the states off by as
    many steps."""
    what, steps, instances = (
        "a step from 0 without a drive stays at 0",
        [(A, x) for x in b_t],
        at_sizes(model),
    )
    yield Claim(what, act((A, ZERO), o), ZERO, ((o, ZERO),), (A * b,), instances)
    what, late = (
        "from t - 1 to t, delayed by any d: k_(t-1+d) = h_(t-1) and c_(t+d) = b_t make k_(t+d) = "
        "h_t",
        act((A, c), k),
    )
    yield Claim(
        what, late, act((A, b), h), SAME_STEP[1:], (act((A, b), b), act((A, h), h)), at_sizes(twice)
    )
    undelayed = states(steps, ZERO)
    for delay in (1, 2):
        late = states([(A, ZERO)] * delay + steps, ZERO)
        expected = labelled([ZERO] * delay + undelayed)
        what, early = (
            f"T = {TIME}, delayed by {delay}: h_(t + {delay}) of the delayed drives is h_t",
            labelled(undelayed),
        )
        yield Claim(
            what,
            labelled(late),
            expected,
            (),
            (early, expected / 2),
            instances,
            shown=f"scan({delay} zeros, b_1..b_{TIME}) = {delay} zeros, scan(b_1..b_{TIME}), both "
                  "from 0",
        )


SOURCE = "linear systems; the laws of properties/laws.py and properties/layer_laws.py"

LEMMAS = (
    Lemma(
        name="scan-linear",
        statement="The states are linear in drives and start together: alpha b + c from alpha h + "
                  "k gives alpha times those of (b, h) plus those of (c, k).",
        source=SOURCE,
        role="the law of linearity: no implementation may bend it by more than the allowances of "
             "its runs",
        N=f"general N, any T by induction; T = {TIME} in full",
        method=ON_LETTERS,
        cited=("induction over t",),
        claims=linear,
    ),
    Lemma(
        name="scan-causal",
        statement="The states up to step t depend on nothing that comes after it.",
        source=SOURCE,
        role="the law of causality: what a later input changes before it arrives is no rounding",
        N=f"general N, any T by induction; every cut of T = {TIME} in full",
        method=ON_LETTERS,
        cited=("induction over t",),
        claims=causal,
    ),
    Lemma(
        name="scan-time-invariant",
        statement="With one transition for all steps, drives that are delayed by zeros give the "
                  "same states as late.",
        source=SOURCE,
        role="the law of time invariance: index faults at the edges of chunks show against it",
        N=f"general N, any T and any delay by induction; T = {TIME}, delays of 1 and 2 in full",
        method=ON_LETTERS,
        cited=("induction over t, and over the zeros in front",),
        claims=time_invariant,
    ),
)

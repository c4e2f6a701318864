"""Four versions of RotRNN by its authors, against the model: equal, equal after a change of
parameters, or different.

    symbol      meaning                                                            shape
    P, Theta    orthogonal basis exp(M - M^T) and rotation of a head               (N, N)
    s           state that is scanned                                              (N, 1)
    B           input matrix                                                       (N, W)
    u           input                                                              (W, 1)
    x           first state after one input                                        (N, 1)
    M           free matrix                                                        (N, N)
    f1, b1      states of head 1, forwards and backwards; f2, b2 of head 2         (N, 1)
    K1 .. K4    blocks of columns of the output matrices [C | C2]                  (W, N)
    d           skip, a number here                                                ()

    version  drive of the scan  state  is the model with    two directions
    A        xi P^T B u         P s    the same parameters  one direction only
    B        xi P B u           P s    P^2 B for B          returns states only
    C        xi P B u           P s    P^2 B for B          no model of two scans of the inputs
    D        xi P B u           P^T s  -M for M             columns of C and C2 in another order

The model: x_t = gamma P Theta P^T x_{t-1} + xi B u_t. A letter P or Theta says nothing of how they
are computed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import sympy as sp
from sympy import adjoint

from scanproof.proofs.engine.algebra import Claim, Equation, Instance, letters
from scanproof.proofs.engine.certificates import ZERO
from scanproof.proofs.engine.instances import at_sizes, matrix
from scanproof.proofs.engine.instances import rotation as random_rotation
from scanproof.proofs.engine.moments import WIDTHS
from scanproof.proofs.engine.run import Lemma
from scanproof.proofs.rotations.canonical_form import (
    P_COLUMNS,
    P_ROWS,
    THETA_COLUMNS,
    B,
    P,
    Theta,
    gamma,
    u,
    xi,
)
from scanproof.proofs.scan.scan_algebra import states
from scanproof.reference.systems import rotrnn

s, x, M, f1, f2, b1, b2, K1, K2, K3, K4 = letters("s x M f1 f2 b1 b2 K1 K2 K3 K4")
d = sp.Symbol("d", real=True)


class Version(NamedTuple):
    """How a version enters and leaves the rotated basis, and the parameters with which the model is
    the same."""

    name: str
    enter: sp.Expr
    leave: sp.Expr
    basis: sp.Expr
    inputs: sp.Expr
    needs: tuple[Equation, ...]


A_ = Version("A", adjoint(P), P, P, B, (P_COLUMNS, P_ROWS))
B_AND_C = Version("B and C", P, P, P, P * P * B, (P_COLUMNS,))
D_ = Version("D", P, adjoint(P), adjoint(P), B, (P_ROWS, P_COLUMNS))


def written(e: sp.Expr) -> str:
    """P^T, P^2 B"""
    return str(e).replace("adjoint(P)", "P^T").replace("**", "^").replace("*", " ")


def head(rng: random.Random, n: int) -> Instance:
    """A head; Theta is a rotation, because the norm of a difference needs it."""
    width = WIDTHS[n]
    columns = {column: matrix(rng, n, 1) for column in (s, x, f1, f2, b1, b2)}
    outputs = {block: matrix(rng, width, n) for block in (K1, K2, K3, K4)}
    basis = {
        P: random_rotation(rng, n),
        Theta: random_rotation(rng, n),
        B: matrix(rng, n, width),
        M: matrix(rng, n, n),
    }
    numbers = {gamma: sp.Rational(9, 10), xi: sp.Rational(2, 7), d: sp.Integer(3)}
    return {**columns, **outputs, **basis, **numbers, u: matrix(rng, width, 1)}


def model(basis: sp.Expr, inputs: sp.Expr, before: sp.Expr) -> sp.Expr:
    """The step of the paper."""
    return gamma * basis * Theta * adjoint(basis) * before + xi * inputs * u


def step(version: Version) -> Claim:
    """What leaves the scan of a version after a step, from any s, is what the model makes of what
    left before."""
    (after,) = states([(gamma * Theta, xi * version.enter * B * u)], s)
    expected = model(version.basis, version.inputs, version.leave * s)
    others = [
        model(version.basis, inputs, version.leave * s)
        for inputs in (B, adjoint(P) * adjoint(P) * B, P * P * B)
    ]
    mutants = [other for other in others if other != expected]
    if version is D_:
        mutants.append(model(P, B, version.leave * s))
    leave, basis, inputs = map(written, (version.leave, version.basis, version.inputs))
    what = f"{version.name}: {leave} s is the model's state for basis {basis} and inputs {inputs}"
    return Claim(
        what, version.leave * after, expected, version.needs, tuple(mutants), at_sizes(head)
    )


def same_layer() -> Iterator[Claim]:
    """Versions A, B, C (one direction) and D, each as the model with stated parameters, and what
    those are."""
    yield from map(step, (A_, B_AND_C, D_))
    instances, twice = at_sizes(head), P * P * B
    what = "tr (P^2 B)^T P^2 B = tr B^T B, before the trace: the same xi"
    yield Claim(
        what, adjoint(twice) * twice, adjoint(B) * B, (P_COLUMNS,), (adjoint(B) * twice,), instances
    )
    what, undone = (
        "B and C with P^-2 B, P^-2 = P^T P^T: the drive of A",
        adjoint(P) * adjoint(P) * B,
    )
    yield Claim(what, P * undone, adjoint(P) * B, (P_ROWS,), (P * B, undone), instances)
    what, skew = "D: S of -M is the transpose of S, S = M - M^T", M - adjoint(M)
    yield Claim(
        what,
        -M - adjoint(-M),
        adjoint(skew),
        (),
        (skew, M + adjoint(M)),
        instances,
        shown="(-M) - (-M)^H = (M - M^H)^H",
    )


def impulse(steps: int) -> tuple[sp.Expr, sp.Expr]:
    """What C's and the model's second direction hold at t = 1 when the only input, that of t = 1,
    gave the state x."""
    forward = states(
        [(gamma * P * Theta * adjoint(P), drive) for drive in (x, *[ZERO] * (steps - 1))], ZERO
    )
    cascade = states([(gamma * Theta, state) for state in forward], ZERO, reverse=True)[0]
    inputs = states(
        [(gamma * P * Theta * adjoint(P), drive) for drive in (x, *[ZERO] * (steps - 1))],
        ZERO,
        reverse=True,
    )[0]
    return P * cascade, inputs


def cascade() -> Iterator[Claim]:
    """C rescans its own states: what the second direction holds at t = 1 depends on T, as in no
    scan of the inputs."""
    instances, (one, direct), (two, direct_two) = at_sizes(head), impulse(1), impulse(2)
    change = gamma**2 * P * Theta * P * Theta * adjoint(P) * x
    what = "C, one input, T = 1 and T = 2: they differ by gamma^2 P Theta A x"
    yield Claim(what, two - one, change, (), (ZERO, gamma * change), instances)
    what = "a second scan of the inputs: no difference"
    yield Claim(
        what, direct_two - direct, ZERO, (), (change,), instances,
        shown="scan in reverse of (x, 0) at t = 1, less that of (x) = 0",
    )
    what, square = "C: the difference has the norm gamma^2 |x|", gamma**4 * adjoint(x) * x
    given = (P_COLUMNS, THETA_COLUMNS, P_ROWS)
    yield Claim(
        what, adjoint(change) * change, square, given, (ZERO, gamma**2 * adjoint(x) * x), instances
    )
    what = "C, T = 1: b_1 = P x, not x"
    yield Claim(
        what,
        one,
        P * x,
        (),
        (x, adjoint(P) * x),
        instances,
        shown="P scan(Theta, scan(P Theta P^H, x), reverse) at T = 1 = P x",
    )


def layout() -> Iterator[Claim]:
    """D lays features out as f1, b1, f2, b2 and multiplies them with [C | C2] = [K1 K2 | K3 K4]."""
    found = sp.Matrix([[K1, K2, K3, K4]]) * sp.Matrix([f1, b1, f2, b2])
    skips, weights = np.array([d]), ((K1, K3), (K2, K4))
    instances = at_sizes(head)
    # (batch, time, directions, heads, head_dim)
    features = np.array([[[[[f1], [f2]], [[b1], [b2]]]]])
    relabelled, as_named = (
        readout(blocks, features, skips) for blocks in (weights, ((K1, K2), (K3, K4)))
    )
    what = (
        "D: the outputs of rotrnn.readout with C = [K1 K3] and C2 = [K2 K4]; not with C = [K1 K2]"
    )
    yield Claim(
        what, found[0], relabelled, (), (as_named,), instances,
        shown="[K1 K2 K3 K4] (f1, b1, f2, b2) = readout by [K1 K3] of f and [K2 K4] of b",
    )


def readout(
    blocks: tuple[tuple[sp.Expr, ...], ...], features: np.ndarray, skip: np.ndarray
) -> sp.Expr:
    """rotrnn.readout on letters, one direction a row of blocks; without inputs."""
    C = np.array(blocks)[:, None, :, None]  # (directions, width, heads, head_dim)
    k = rotrnn.Constants(skip, skip, skip, skip, skip, skip, C, skip)
    return rotrnn.readout(k, features, np.array([[[ZERO]]]))[0, 0, 0]


SOURCE = "four versions of RotRNN's code by its authors (arXiv 2407.07239)"
WORDS = "free *-algebra, word normal form; the reference's scan is run on the letters"

LEMMAS = (
    Lemma(
        name="versions-of-rotrnn",
        statement="Version A of the authors' code is the model. B and C, in one direction, are the "
                  "model with P^2 B for B, and give the model's outputs with P^-2 B. D is the "
                  "model with -M for M.",
        source=SOURCE,
        role="which published code may be compared with this one, and after which change of its "
             "parameters",
        N="general N, any input width, any T by induction; one direction",
        method=WORDS,
        cited=(
            "exp(S^T) = exp(S)^T, and exp(M - M^T) is orthogonal (exp-orthogonal-series)",
            "induction over t, from the state 0",
            "tr is linear",
        ),
        claims=same_layer,
    ),
    Lemma(
        name="cascade-is-another-layer",
        statement="The second direction of version C scans the states of the first: at t = 1 its "
                  "answer to one input, x, changes by gamma^2 |x| from T = 1 to T = 2. No choice "
                  "of parameters makes it a second scan of the inputs, whose answer stays.",
        source=SOURCE,
        role="that version of two directions is refused as an implementation of the model; this is "
             "why",
        N="general N",
        method=f"{WORDS}; exact instances",
        cited=(
            "theta-rotation, for Theta^T Theta = I",
            "gamma > 0 (decay-below-one) and x != 0 for some input",
        ),
        claims=cascade,
    ),
    Lemma(
        name="columns-of-two-directions",
        statement="Version D with two directions is the model after its columns of [C | C2] change "
                  "places: states of both directions of a head stand side by side.",
        source=SOURCE,
        role="a comparison of outputs with C x + C2 x' fails for more than one head until columns "
             "are relabelled",
        N="general N, any output width, two heads",
        method="free *-algebra, word normal form; rotrnn.readout is run on the letters",
        cited=(),
        claims=layout,
    ),
)

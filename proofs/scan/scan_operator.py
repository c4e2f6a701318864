"""The affine scan operator composes steps x -> A x + b: associative, with an identity, for matrices
of any size.

    symbol    meaning                                          shape
    (A, b)    scan element: the map x -> A x + b               (N, N), (N, 1)
    p, q, r   scan elements in order of time, p first          as above
    h         state before the first step                      (N, 1)

This is what lets a scan be bracketed in any way: parallel, chunked, or one step after the other.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import sympy as sp

from scanproof.proofs.engine.algebra import Claim, Instance, letters
from scanproof.proofs.engine.instances import at_sizes, matrix
from scanproof.proofs.engine.run import Lemma
from scanproof.reference.transitions.diagonal import scan

Element = tuple[sp.Expr, sp.Expr]

A1, A2, A3, b1, b2, b3, h, J, o = letters("A1 A2 A3 b1 b2 b3 h J o")
p, q, r = (A1, b1), (A2, b2), (A3, b3)

PARTS = ("matrix", "vector")
SOURCE = (
    "Blelloch, Prefix Sums and Their Applications, CMU-CS-90-190 (1990), first-order recurrences"
)


def compose(first: Element, then: Element) -> Element:
    """(A, b) then (A', b') is (A'A, A'b + b'): the later matrix stands on the left."""
    (A, b), (A_, b_) = first, then
    return A_ * A, A_ * b + b_


def act(element: Element, x: sp.Expr) -> sp.Expr:
    """A x + b."""
    A, b = element
    return A * x + b


def model(rng: random.Random, n: int) -> Instance:
    """Three random elements and a state; J = I and o = 0 are the identity element."""
    matrices = {A: matrix(rng, n, n) for A in (A1, A2, A3)}  # (n, n)
    columns = {b: matrix(rng, n, 1) for b in (b1, b2, b3, h)}  # (n, 1)
    return {**matrices, **columns, J: sp.eye(n).as_immutable(), o: sp.zeros(n, 1).as_immutable()}


def associativity() -> Iterator[Claim]:
    left, right = compose(compose(p, q), r), compose(p, compose(q, r))
    swapped = compose(compose(r, q), p)
    # the step r without its A; the step q without its A
    forgotten = (A2 * A1, A3 * b1 + A3 * b2 + b3)
    for i, part in enumerate(PARTS):
        mutants = (swapped[i], forgotten[i])
        yield Claim(
            f"(p q) r = p (q r), {part}",
            left[i],
            right[i],
            mutants=mutants,
            instances=at_sizes(model),
            shown=f"({part} of (p q) r) = ({part} of p (q r)), each by compose",
        )


def identity() -> Iterator[Claim]:
    J_is_I, o_is_0 = (J, sp.Integer(1)), (o, sp.Integer(0))
    before, after = compose((J, o), p), compose(p, (J, o))
    instances = at_sizes(model)
    yield Claim("identity, then p: matrix", before[0], A1, (J_is_I,), (A1 * A1,), instances)
    yield Claim("identity, then p: vector", before[1], b1, (o_is_0,), (A1 * b1,), instances)
    yield Claim("p, then identity: matrix", after[0], A1, (J_is_I,), (A1 * A1,), instances)
    yield Claim("p, then identity: vector", after[1], b1, (J_is_I, o_is_0), (A1 * b1,), instances)


def action() -> Iterator[Claim]:
    composed, swapped, written_out = compose(p, q), compose(q, p), (A2 * A1, A2 * b1 + b2)
    instances = at_sizes(model)
    for i, part in enumerate(PARTS):
        what = f"p q = (A2 A1, A2 b1 + b2), and q p is not: {part}"
        yield Claim(
            what, composed[i], written_out[i], (), (swapped[i],), instances,
            shown=f"{part} of compose(p, q) = {part} of (A2 A1, A2 b1 + b2)",
        )
    mutants = (act(p, act(q, h)), act(swapped, h))
    yield Claim("(p q) h = q (p h)", act(composed, h), act(q, act(p, h)), (), mutants, instances)
    states = scan(np.array([[[A1], [A2]]]), np.array([[[b1], [b2]]]), np.array([[h]]))  # (1, 2, 1)
    first, second = states[0, :, 0]
    yield Claim(
        "(p q) h is the second state of the reference's scan",
        act(composed, h),
        second,
        (),
        (first,),
        instances,
    )


LEMMAS = (
    Lemma(
        name="scan-associative",
        statement="The operator (A, b) then (A', b') = (A'A, A'b + b') is associative.",
        source=SOURCE,
        role="every bracketing of a scan (parallel, chunked, sequential) computes the same "
        "function",
        N="general N",
        method="free *-algebra, word normal form",
        cited=(),
        claims=associativity,
    ),
    Lemma(
        name="scan-identity",
        statement="(I, 0) is a left and a right identity of the scan operator.",
        source=SOURCE,
        role="padding a scan with (I, 0) changes nothing; an empty chunk has a value",
        N="general N",
        method="free *-algebra, word normal form",
        cited=(),
        claims=identity,
    ),
    Lemma(
        name="scan-action",
        statement="Applying the composed element to a state is applying one element after the "
        "other, and that is what the reference's scan computes; the order matters.",
        source=SOURCE,
        role="ties the operator to the recurrence that every verdict is about",
        N="general N",
        method="free *-algebra, word normal form; the reference's scan is run on the letters",
        cited=(),
        claims=action,
    ),
)

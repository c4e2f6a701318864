"""What associativity buys: every bracketing, chunks with a carry, doubling, reverse and exclusive
scans, for any N.

    symbol       meaning                                                        shape
    (A_t, b_t)   scan element at step t = 1 .. T                                (N, N), (N, 1)
    (Al, bl)     what a tree computed for a segment of steps; l before q        (N, N), (N, 1)
    h, s, e      states before both segments, between them, after them          (N, 1)
    c            carry: the state that a chunk starts from                      (N, 1)
    L, P         within a chunk: its state from a start at 0; its product       (N, 1), (N, N)
    J, o         I and 0                                                        (N, N), (N, 1)
    w1, w2, ..   labels, free numbers: sum w_i (x_i - y) = 0 says x_i = y for each i

For any T the argument is an induction, and its step is the claim; for T = 5 and T = 8 the
reference's scan is run on the letters.
"""

from __future__ import annotations

import functools
import itertools
import random
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import sympy as sp

from scanproof.proofs.engine.algebra import Claim, Instance, letters
from scanproof.proofs.engine.instances import at_sizes, matrix
from scanproof.proofs.engine.run import Lemma
from scanproof.proofs.scan.scan_operator import PARTS, SOURCE, Element, act, compose
from scanproof.reference.transitions.diagonal import scan

LENGTH = 8
A = letters("A1:9")
b = letters("b1:9")
ELEMENTS = tuple(zip(A, b, strict=True))
Al, Aq, bl, bq, h, s, e, c, L, P, J, o = letters("Al Aq bl bq h s e c L P J o")

Compose = Callable[[Element, Element], Element]


def bracketings(elements: Sequence[Element], compose: Compose) -> Iterator[Element]:
    """The elements combined in their order, in every possible way: Catalan(len - 1) of them."""
    if len(elements) == 1:
        yield elements[0]
    for cut in range(1, len(elements)):
        later = list(bracketings(elements[cut:], compose))
        yield from (
            compose(left, right) for left in bracketings(elements[:cut], compose) for right in later
        )


def states(elements: Sequence[Element], start: sp.Expr, reverse: bool = False) -> list[sp.Expr]:
    """The reference's scan, run on letters."""
    multipliers, drives = zip(*elements, strict=True)
    found = scan(
        np.array(multipliers)[None, :, None],
        np.array(drives)[None, :, None],
        np.array([[start]]),
        reverse,
    )
    return list(found[0, :, 0])  # (time,)


def labelled(values: Sequence[sp.Expr]) -> sp.Expr:
    """w1 values[0] + w2 values[1] + ..."""
    return sp.Add(
        *(w * value for w, value in zip(sp.symbols(f"w1:{len(values) + 1}"), values, strict=True))
    )


def model(rng: random.Random, n: int) -> Instance:
    """Random elements, start and carry; J = I, o = 0; labels where bracketings need them."""
    columns = {x: matrix(rng, n, 1) for x in (*b, h, c)}  # (n, 1)
    labels = {
        w: sp.Integer(rng.randint(1, 9)) for w in sp.symbols(f"w1:{sp.catalan(LENGTH - 1) + 1}")
    }
    return {**{X: matrix(rng, n, n) for X in A}, **columns, **labels, **neutral(n)}


def neutral(n: int) -> Instance:
    """J = I and o = 0."""
    return {J: sp.eye(n).as_immutable(), o: sp.zeros(n, 1).as_immutable()}


def every_bracketing() -> Iterator[Claim]:
    """One claim for all bracketings: T = 8, and the same with the last two elements combined in the
    wrong order."""
    fold = functools.reduce(compose, ELEMENTS)
    every = list(bracketings(ELEMENTS, compose))
    wrong = functools.reduce(compose, (*ELEMENTS[:-2], compose(ELEMENTS[-1], ELEMENTS[-2])))
    for i, part in enumerate(PARTS):
        one_swapped = labelled([fold[i]] * (len(every) - 1) + [wrong[i]])
        what = f"the {len(every)} bracketings of T = {LENGTH} agree with the fold: {part}"
        left, right = labelled([x[i] for x in every]), labelled([fold[i]] * len(every))
        yield Claim(
            what,
            left,
            right,
            (),
            (one_swapped,),
            at_sizes(model),
            shown=f"{part} of each bracketing = {part} of the fold (..(1 2).. {LENGTH}), each with "
                  "its label w",
        )
    yield Claim(
        "the fold acts as the reference's scan",
        act(fold, h),
        states(ELEMENTS, h)[-1],
        (),
        (wrong[1],),
        at_sizes(model),
    )


def segments(rng: random.Random, n: int) -> Instance:
    """Two segments of three and two random steps: their composed elements, and the states of the
    loop around them."""
    steps = [(matrix(rng, n, n), matrix(rng, n, 1)) for _ in range(5)]
    (left, drive_left), (right, drive_right) = (
        functools.reduce(compose, part) for part in (steps[:3], steps[3:])
    )
    # 6 states
    trace = functools.reduce(lambda x, step: [*x, act(step, x[-1])], steps, [matrix(rng, n, 1)])
    return {
        Al: left,
        bl: drive_left,
        Aq: right,
        bq: drive_right,
        h: trace[0],
        s: trace[3],
        e: trace[5],
        **neutral(n),
    }


def any_tree() -> Iterator[Claim]:
    """Leaves act as their step does; a node does if both children act as their segments."""
    node, swapped = compose((Al, bl), (Aq, bq)), compose((Aq, bq), (Al, bl))
    given = ((Al * h, s - bl), (Aq * s, e - bq))
    mutants = (s, e - bq)
    yield Claim(
        "children h -> s -> e: the node maps h to e",
        act(node, h),
        e,
        given,
        mutants,
        at_sizes(segments),
    )
    what = "and from h = 0 alone its vector is seen"
    yield Claim(
        what, act(node, o), node[1], ((o, sp.Integer(0)),), (swapped[1],), at_sizes(segments)
    )


def chunk(rng: random.Random, n: int) -> Instance:
    """A step, and a chunk's local state and product before it; h is the state with the carry c."""
    env = {X: matrix(rng, n, n) for X in (Al, P)} | {x: matrix(rng, n, 1) for x in (bl, L, c)}
    return {**env, **neutral(n), h: env[L] + env[P] * env[c]}


def carry() -> Iterator[Claim]:
    """h_t = L_t + P_t c, from t - 1 to t; hand-over at every cut for T = 5."""
    instances = at_sizes(chunk)
    start = ((J, sp.Integer(1)), (o, sp.Integer(0)))
    yield Claim("a chunk starts with L = 0, P = I", act((J, o), c), c, start, (2 * c,), instances)
    stepped, kept = act((Al * P, act((Al, bl), L)), c), act((P, act((Al, bl), L)), c)
    what = "h = L + P c: so after a step with L' = A L + b and P' = A P"
    yield Claim(what, act((Al, bl), h), stepped, ((h, act((P, L), c)),), (kept,), instances)
    steps = ELEMENTS[:5]
    whole = states(steps, h)
    for cut in range(1, 5):
        head = states(steps[:cut], h)
        dropped = head + states(steps[cut:], sp.Integer(0))
        parts = labelled(head + states(steps[cut:], head[-1]))
        what = f"T = 5, cut after {cut}: the tail starts from the head's last state"
        yield Claim(
            what,
            parts,
            labelled(whole),
            (),
            (labelled(dropped),),
            at_sizes(model),
            shown=f"scan(1..{cut}, h), then scan({cut + 1}..5, its last state) = scan(1..5, h), "
                  "state by state",
        )
        local = states(steps[cut:], sp.Integer(0))
        products = states([(step[0], sp.Integer(0)) for step in steps[cut:]], sp.Integer(1))
        carried = [act(pair, head[-1]) for pair in zip(products, local, strict=True)]
        what = f"T = 5, cut after {cut}: local states plus products times the carry"
        yield Claim(
            what, labelled(carried), labelled(whole[cut:]), (), (labelled(local),), at_sizes(model),
            shown=f"L_t + P_t h_{cut} = state t of scan(1..5, h), t > {cut}",
        )


def reversed_time() -> Iterator[Claim]:
    """`reverse` is flip, scan, flip, and solves h_t = A_t h_{t+1} + b_t."""
    steps = ELEMENTS[:5]
    backwards, flipped = states(steps, h, reverse=True), states(steps[::-1], h)[::-1]
    forwards = labelled(states(steps, h))
    what = "T = 5: reverse = flip, scan, flip"
    yield Claim(
        what, labelled(backwards), labelled(flipped), (), (forwards,), at_sizes(model),
        shown="scan(1..5, h, reverse) = flip(scan(5..1, h)), state by state",
    )
    solved = [act(step, later) for step, later in zip(steps, [*backwards[1:], h], strict=True)]
    what = "T = 5: h_t = A_t h_(t+1) + b_t with h_(T+1) = h"
    yield Claim(
        what, labelled(backwards), labelled(solved), (), (forwards,), at_sizes(model),
        shown="state t of scan(1..5, h, reverse) = A_t (state t + 1) + b_t, where state 6 is h",
    )


def doubled(elements: Sequence[Element]) -> list[Element]:
    """All prefixes by Hillis and Steele's doubling: ceil(log2 T) sweeps, element t combined with
    element t - reach."""
    found, reach = list(elements), 1
    while reach < len(found):
        found = found[:reach] + [
            compose(found[t - reach], found[t]) for t in range(reach, len(found))
        ]
        reach *= 2
    return found


def doubling() -> Iterator[Claim]:
    """Invariant: element t maps the state `reach` steps ago to h_t; the step is any_tree's with
    segments of equal length."""
    given = ((Al * h, s - bl), (Aq * s, e - bq))
    what = "reach to 2 reach: h_(t-2d) -> h_(t-d) -> h_t"
    yield Claim(what, act(compose((Al, bl), (Aq, bq)), h), e, given, (s,), at_sizes(segments))
    for length in (5, LENGTH):
        steps = ELEMENTS[:length]
        prefixes, loop = doubled(steps), states(steps, h)
        one_sweep = [steps[0], *(compose(*pair) for pair in itertools.pairwise(steps))]
        left, mutant = ([act(x, h) for x in elements] for elements in (prefixes, one_sweep))
        what = f"T = {length}: every prefix acts as the reference's scan"
        yield Claim(what, labelled(left), labelled(loop), (), (labelled(mutant),), at_sizes(model))


def exclusive() -> Iterator[Claim]:
    """The states before each step: a scan of the elements behind (I, 0)."""
    steps, given = ELEMENTS[:4], ((J, sp.Integer(1)), (o, sp.Integer(0)))
    inclusive, shifted = states(steps, h), states([(J, o), *steps[:-1]], h)
    what = "T = 4: (I, 0) in front shifts the states by one step"
    yield Claim(
        what,
        labelled(shifted),
        labelled([h, *inclusive[:-1]]),
        given,
        (labelled(inclusive),),
        at_sizes(model),
    )


WORDS = "free *-algebra, word normal form"
ON_LETTERS = f"{WORDS}; the reference's scan is run on the letters"

LEMMAS = (
    Lemma(
        name="scan-429-bracketings",
        statement="All 429 bracketings of 8 steps compute one element, and it acts as the "
                  "reference's scan does.",
        source=SOURCE,
        role="the theorem of every bracketing, seen in full at one length",
        N="general N, T = 8",
        method=f"every bracketing enumerated, {ON_LETTERS}",
        cited=(),
        claims=every_bracketing,
    ),
    Lemma(
        name="scan-any-bracketing",
        statement="Every bracketing of any number of steps maps every state as the loop over these "
                  "steps does.",
        source=SOURCE,
        role="a kernel may choose its tree; the truth does not depend on it",
        N="general N, any T, any tree",
        method=f"{WORDS}; induction over the tree, whose step is the claim",
        cited=(
            "induction over binary trees",
            "two maps x -> A x + b that agree on every x have the same A and b",
        ),
        claims=any_tree,
    ),
    Lemma(
        name="scan-carry",
        statement="A chunk's states are its local states plus its products times the carry; a scan "
                  "is handed over at any cut.",
        source=SOURCE,
        role="chunked kernels, streaming and window residuals compute the same states",
        N="general N; any chunk length by induction, every cut of T = 5",
        method=f"{ON_LETTERS}; the induction step is a claim",
        cited=("induction over the steps of a chunk",),
        claims=carry,
    ),
    Lemma(
        name="scan-reverse",
        statement="The reverse scan is flip, scan, flip, and solves h_t = A_t h_{t+1} + b_t.",
        source="the reference's scan; the backward half of a bidirectional layer",
        role="one forward kernel serves both directions",
        N="general N, T = 5",
        method=ON_LETTERS,
        cited=(),
        claims=reversed_time,
    ),
    Lemma(
        name="scan-doubling",
        statement="A sweep of doubling keeps: element t maps the state `reach` steps ago to h_t; "
                  "so sweeps give all prefixes.",
        source="Hillis and Steele, Data Parallel Algorithms, Comm. ACM 29 (1986)",
        role="the parallel scan of most accelerators computes the states",
        N="general N; any T by induction, T = 5 and T = 8 in full",
        method=f"{ON_LETTERS}; the induction step is a claim",
        cited=("induction over the sweeps",),
        claims=doubling,
    ),
    Lemma(
        name="scan-exclusive",
        statement="The exclusive scan, the states before each step, is the inclusive scan behind "
                  "one (I, 0).",
        source=SOURCE,
        role="kernels that return exclusive prefixes are judged by the same truth",
        N="general N, T = 4",
        method=ON_LETTERS,
        cited=(),
        claims=exclusive,
    ),
)

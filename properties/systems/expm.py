"""Where to look for faults of matrix exponentials, and laws of their own; each result is judged
against its own truth.

Exponentials fail where the argument is scaled by too little: jax takes floor(log2(|S|_1 / limit))
halvings, so norms just below limit 2^k are visited, with the published limits of Pade approximants
(Higham 2005): 3.93 in binary32, 5.37 in binary64.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import scipy.linalg

from scanproof.properties.domain import Domain, nearest
from scanproof.properties.laws import Law, Session
from scanproof.properties.room import Changes, Draw, FaultyImplementation, Room, Sizes, Visit
from scanproof.properties.shrink import blocks
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.call import Call
from scanproof.reference.inputs import Array
from scanproof.reference.systems.expm import SYSTEM

SIZES = (1, 2, 3, 4, 5, 8, 16)
LARGE = (32, 64)
SMALLEST, LARGEST = 0.05, 100.0
LIMITS = tuple(
    0.999 * limit * 2.0**k for limit in (3.925724783138660, 5.371920351148152) for k in range(1, 5)
)
NORMS = (*np.geomspace(SMALLEST, LARGEST, 12).tolist(), np.pi / 2, np.pi, 2 * np.pi, *LIMITS)


def deck(domain: Domain, longest: int = 0) -> tuple[Sizes, ...]:
    """The usual sizes, as near as the domain has them."""
    return tuple({"n": n} for n in dict.fromkeys(nearest(n, domain.states) for n in SIZES))


def regimes(arithmetic: Arithmetic, domain: Domain) -> Mapping[str, tuple[Any, ...]]:
    """About |S|_1."""
    return {"norm": (1.0, *NORMS)}


def visits(law: str, domain: Domain) -> tuple[Visit, ...]:
    """What a law always visits."""
    if law == "zero":
        return tuple(Visit(sizes) for sizes in deck(domain))
    if law == "planes":
        return tuple(
            Visit({"n": nearest(2, domain.states)}, {"norm": float(norm)}) for norm in NORMS
        )
    if law in ("blocks", "equivalence"):
        large = dict.fromkeys(nearest(n, domain.states) for n in (*SIZES[3:], *LARGE))
        return tuple(
            Visit({"n": n}, {"norm": norm}) for n in large for norm in (1.0, LIMITS[1], LIMITS[3])
        )
    return ()


def dense(case: Draw, stack: int = 1) -> Changes:
    """Gaussian M - M^T, scaled to the norm of this regime."""
    M = case.rng.standard_normal((stack, case.sizes["n"], case.sizes["n"]))
    S = M - M.swapaxes(1, 2)  # (stack, n, n)
    norm = np.abs(S).sum(1).max(1)[:, None, None]  # (stack, 1, 1)
    return _stored(case, S * (case.regime["norm"] / np.where(norm > 0, norm, 1)))


def turning(case: Draw, angles: Array) -> Changes:
    """Planes (1, 2), (3, 4), ... turned by angles (pairs,), axes in another order; the last axis of
    an odd number stays."""
    upper = np.zeros((case.sizes["n"], case.sizes["n"]))
    upper[np.arange(len(angles)) * 2, np.arange(len(angles)) * 2 + 1] = angles
    order = case.rng.permutation(case.sizes["n"])
    return _stored(case, (upper - upper.T)[None][:, order][:, :, order])


def _stored(case: Draw, S: Array) -> Changes:
    """Rounding keeps it skew; + 0 makes one zero of two."""
    return {"S": case.stored(S + 0.0, "S")}


def zero(session: Session, case: Draw) -> bool:
    n = case.sizes["n"]
    return session.run(case.of(_stored(case, np.zeros((2, n, n))))) is not None


def planes(session: Session, case: Draw) -> bool:
    pairs = np.zeros(case.sizes["n"] // 2)
    pairs[:1] = case.regime["norm"]
    return session.run(case.of(turning(case, pairs)), poison=True) is not None


def block_rotations(session: Session, case: Draw) -> bool:
    pairs, norm = case.sizes["n"] // 2, case.regime["norm"]
    same = session.run(case.of(turning(case, np.full(pairs, norm))))
    other = session.run(case.of(turning(case, norm * 2.0 ** -case.rng.uniform(0, 12, pairs))))
    return same is not None and other is not None


def inverse(session: Session, case: Draw) -> bool:
    call = case.call()
    there, back = session.run(call), session.run(call.but(S=-call["S"] + 0))
    return there is not None and back is not None


LAWS = (
    Law("zero", "exp 0 = I", zero),
    Law("planes", "one plane turns by its angle, at any angle", planes),
    Law("blocks", "several planes turn at once, by equal angles and by others", block_rotations),
    Law("inverse", "exp of S and of -S", inverse),
)


def simpler(call: Call, domain: Domain, index: tuple[int, ...]) -> Iterator[Call]:
    """Fewer axes, and zeros. The result is skew again."""
    S = call["S"]
    for gone in blocks(S.shape[1]):
        yield call.but(S=np.delete(np.delete(S, gone, 1), gone, 2))
    for row, column in np.argwhere(np.triu(S.any(0), 1)) if np.count_nonzero(S) > 2 else ():
        zeroed = S.copy()
        zeroed[:, [row, column], [column, row]] = 0
        yield call.but(S=zeroed)


def _honest(S: Array) -> Array:
    return np.asarray(scipy.linalg.expm(S))


FAULTS = (
    FaultyImplementation(
        "truncated",
        "four terms of the series",
        lambda S: np.eye(S.shape[1], dtype=S.dtype) + S + S @ S / 2 + S @ S @ S / 6,
    ),
    FaultyImplementation("transposed", "exp of -S", lambda S: _honest(-S)),
    FaultyImplementation(
        "wrong-entry",
        "adds 1e-3 to one entry",
        lambda S: _honest(S) + _corner(S) * S.dtype.type(1e-3),
    ),
)


def _corner(S: Array) -> Array:
    found = np.zeros_like(S)
    found[:, 0, 0] = 1
    return found


ROOM = Room(
    system=SYSTEM,
    draw=lambda case, sparse, two: dense(case, stack=1 + case.seed % 3),
    redraw=lambda case, call: {},
    deck=deck,
    regimes=regimes,
    visits=visits,
    decisive=lambda arithmetic, domain: ["planes", "equivalence"],
    axes={"states": "n"},
    reduced=("stack",),
    rounded=("S",),
    simpler=simpler,
    laws=LAWS,
    honest=_honest,
    faults=lambda: FAULTS,
)

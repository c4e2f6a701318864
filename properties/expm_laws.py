"""Where to look for faults of the system `expm`, and its laws; each result is judged against its own truth.

Exponentials fail where the argument is scaled by too little: jax takes floor(log2(|S|_1 / limit)) halvings, so norms just below
limit 2^k are visited, with the published limits of Pade approximants (Higham 2005): 3.93 in binary32, 5.37 in binary64.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
from hypothesis import strategies as st

from scanproof.properties.expm_calls import ExpmCall
from scanproof.properties.shrink import Index, blocks, rounded
from scanproof.properties.strategies import Domain, _nearest
from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.inputs import Array

SIZES = (1, 2, 3, 4, 5, 8, 16)
LARGE = (32, 64)
SMALLEST, LARGEST = 0.05, 100.0
LIMITS = tuple(0.999 * limit * 2.0**k for limit in (3.925724783138660, 5.371920351148152) for k in range(1, 5))
NORMS = (*np.geomspace(SMALLEST, LARGEST, 12), np.pi / 2, np.pi, 2 * np.pi, *LIMITS)


class Session(Protocol):
    """What a law may do: call the implementation and have the result judged; None means not offered."""

    def run(self, call: ExpmCall, poison: bool = False) -> Any: ...


class Visit(NamedTuple):
    """A call that a law always makes: N and |S|_1."""

    size: int
    norm: float = 1.0


@dataclass(frozen=True)
class ExpmDraw:
    """One drawn case, reproducible from the seed: N = size and about |S|_1 = norm."""

    arithmetic: Arithmetic
    domain: Domain
    size: int
    norm: float = 1.0
    seed: int = 0
    rng: np.random.Generator = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rng", np.random.default_rng([self.seed, self.size]))

    def dense(self, stack: int = 1) -> ExpmCall:
        """Gaussian M - M^T, scaled."""
        M = self.rng.standard_normal((stack, self.size, self.size))
        S = M - M.swapaxes(1, 2)  # (stack, n, n)
        norm = np.abs(S).sum(1).max(1)[:, None, None]  # (stack, 1, 1)
        return self._stored(S * (self.norm / np.where(norm > 0, norm, 1)))

    def turning(self, angles: Array) -> ExpmCall:
        """Planes (1, 2), (3, 4), ... turned by angles (pairs,), axes in another order; the last axis of an odd number stays."""
        upper = np.zeros((self.size, self.size))
        upper[np.arange(len(angles)) * 2, np.arange(len(angles)) * 2 + 1] = angles
        order = self.rng.permutation(self.size)
        return self._stored((upper - upper.T)[None][:, order][:, :, order])

    def _stored(self, S: Array) -> ExpmCall:
        """Rounding keeps it skew; + 0 makes one zero of two."""
        return ExpmCall((S + 0.0).astype(self.arithmetic.dtype))


@dataclass(frozen=True)
class ExpmLaw:
    """A law: its name, what it says, how it is checked on one draw, and what it always visits."""

    name: str
    statement: str
    check: Callable[[Any, ExpmDraw], bool]
    visits: Callable[[Domain], tuple[Visit, ...]] = lambda domain: ()


def zero(session: Session, draw: ExpmDraw) -> bool:
    return session.run(ExpmCall(np.zeros((2, draw.size, draw.size), draw.arithmetic.dtype))) is not None


def planes(session: Session, draw: ExpmDraw) -> bool:
    pairs = np.zeros(draw.size // 2)
    pairs[:1] = draw.norm
    return session.run(draw.turning(pairs), poison=True) is not None


def block_rotations(session: Session, draw: ExpmDraw) -> bool:
    same = session.run(draw.turning(np.full(draw.size // 2, draw.norm)))
    other = session.run(draw.turning(draw.norm * 2.0 ** -draw.rng.uniform(0, 12, draw.size // 2)))
    return same is not None and other is not None


def equivalence(session: Session, draw: ExpmDraw) -> bool:
    return session.run(draw.dense(stack=1 + draw.seed % 3)) is not None


def inverse(session: Session, draw: ExpmDraw) -> bool:
    call = draw.dense()
    there, back = session.run(call), session.run(ExpmCall(-call.S + 0))
    return there is not None and back is not None


def sizes(domain: Domain) -> tuple[int, ...]:
    """The usual sizes, as near as the domain has them."""
    return tuple(dict.fromkeys(_nearest(n, domain.states) for n in SIZES))


def _every_size(domain: Domain) -> tuple[Visit, ...]:
    return tuple(Visit(n) for n in sizes(domain))


def _every_norm(domain: Domain) -> tuple[Visit, ...]:
    return tuple(Visit(_nearest(2, domain.states), float(norm)) for norm in NORMS)


def _large(domain: Domain) -> tuple[Visit, ...]:
    large = dict.fromkeys(_nearest(n, domain.states) for n in (*SIZES[3:], *LARGE))
    return tuple(Visit(n, norm) for n in large for norm in (1.0, LIMITS[1], LIMITS[3]))


LAWS = (
    ExpmLaw("zero", "exp 0 = I", zero, _every_size),
    ExpmLaw("planes", "one plane turns by its angle, at any angle", planes, _every_norm),
    ExpmLaw("blocks", "several planes turn at once, by equal angles and by others", block_rotations, _large),
    ExpmLaw("equivalence", "random skew matrices from |S|_1 = 0.05 to 100", equivalence, _large),
    ExpmLaw("inverse", "exp of S and of -S", inverse),
)
DECISIVE = ("planes", "equivalence")


def draws(arithmetic: Arithmetic, domain: Domain) -> st.SearchStrategy[ExpmDraw]:
    """Hypothesis strategy over seeds, sizes and norms."""
    return st.builds(
        ExpmDraw,
        arithmetic=st.just(arithmetic),
        domain=st.just(domain),
        size=st.sampled_from(sizes(domain)),
        norm=st.one_of(st.floats(SMALLEST, LARGEST), st.sampled_from(LIMITS)),
        seed=st.integers(0, 2**32 - 1),
    )


def simpler_expm(call: ExpmCall, domain: Domain, index: Index) -> Iterator[ExpmCall]:
    """Simpler calls of this domain: one matrix, fewer axes, zeros, few bits. The result is skew again."""
    S = call.S
    if len(S) > 1:
        yield ExpmCall(S[index[0] : index[0] + 1].copy())
    for gone in blocks(S.shape[1]):
        fewer = np.delete(np.delete(S, gone, 1), gone, 2)
        if domain.states is None or fewer.shape[1] in domain.states:
            yield ExpmCall(fewer)
    for row, column in np.argwhere(np.triu(S.any(0), 1)) if np.count_nonzero(S) > 2 else ():
        zeroed = S.copy()
        zeroed[:, [row, column], [column, row]] = 0
        yield ExpmCall(zeroed)
    for bits in (2, 4, 8, 12):
        if not np.array_equal(rounded(S, bits), S):
            yield ExpmCall(rounded(S, bits))

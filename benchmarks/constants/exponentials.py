"""How far matrix exponentials of skew matrices, and their adjoints, are off from balls
(docs/measured/constants.md).

The unit is u (||S||_1 + sqrt N), the one of c_E in reference/arithmetic/constants.py. Errors:
||P^ - exp S||_2, and for the adjoint ||L^ - L(S^T, G)||_F / ||G||_F. Differences are formed in
balls of PRECISION bits, whose radii must stay below RADIUS, and only then rounded to float64.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import flint
import numpy as np
import scipy.linalg

from scanproof.reference.arithmetic.constants import declared
from scanproof.reference.arithmetic.formats import format_of
from scanproof.reference.inputs import Array
from scanproof.reference.numbers.exponential import ball_expm, ball_frechet
from scanproof.reference.numbers.namespace import balls

PRECISION, RADIUS = 160, 2.0**-120
DTYPES = ("float32", "float64")
SIZES = (2, 4, 8, 16, 32, 64)
# One more squaring from a constant times 2^k on: jax 3.92573 (binary32) and 5.37193 (binary64),
# SciPy 4.25. Just below, each is at its worst.
NORMS = (
    *np.geomspace(0.05, 100, 20),
    *(x * 2.0**k for x in (3.9257, 4.2499, 5.3719) for k in range(5)),
)
ROTATIONS = (7.8, 62.8)  # ||S||_1 of the plane rotations with rows of their own
ACTIONS = ("exp", "adjoint")


class Implementation(NamedTuple):
    """exp S, the adjoint of its derivative applied to G, and the class that it is in
    (reference/arithmetic/constants.py)."""

    name: str
    word: str
    exp: Callable[[Array], Array]
    adjoint: Callable[[Array, Array], Array]


class Case(NamedTuple):
    """One skew matrix and one direction G: (n, n) each.

    kind: "dense", both Gaussian; or "rotations", of orthogonal planes by one angle, with
    G = S / ||S||_1: a change of that angle.
    """

    kind: str
    norm: float
    S: Array
    G: Array


class Row(NamedTuple):
    """The largest error of an implementation over some matrices, and for which it was met;
    `absolute` is it without a unit."""

    who: str
    action: str
    dtype: str
    word: str
    matrices: int
    error: float
    absolute: float
    kind: str
    size: int
    norm: float

    @property
    def what(self) -> str:
        return (
            f"{'expm' if self.action == 'exp' else 'adjoint of expm'} of {self.who} in {self.dtype}"
        )

    @property
    def description(self) -> str:
        """The error, and for which matrix."""
        return f"{self.error:.4g} units at N = {self.size}, norm {self.norm:.5g}, {self.kind}"

    @property
    def constant(self) -> float:
        """The declared constant of the default class."""
        return declared("default", self.dtype).c_E

    @property
    def claimed(self) -> float:
        """The constant of its own class."""
        return declared(self.word, self.dtype).c_E


# ---------------------------------------------------------------- implementations


def implementations() -> list[Implementation]:
    """SciPy, and jax where it is installed."""
    found = [Implementation("scipy", "default", scipy.linalg.expm, scipy_adjoint)]
    return [*found, jax_implementation()] if importlib.util.find_spec("jax") else found


def scipy_adjoint(S: Array, G: Array) -> Array:
    """It computes in float64; rounded to S's format."""
    return np.asarray(scipy.linalg.expm_frechet(S.T, G, compute_expm=False), S.dtype)


def jax_implementation() -> Implementation:
    """jax.scipy.linalg.expm and its reverse derivative, jitted."""
    import jax

    exp = jax.jit(jax.scipy.linalg.expm)
    vjp = jax.jit(lambda S, G: jax.vjp(jax.scipy.linalg.expm, S)[1](G)[0])

    def called(function: Any, *matrices: Array) -> Array:
        with jax.enable_x64(True):
            return np.asarray(function(*matrices))

    return Implementation("jax", "jax", lambda S: called(exp, S), lambda S, G: called(vjp, S, G))


# ---------------------------------------------------------------- measuring


def rows(seed: int) -> list[Row]:
    """The largest error of each implementation, action and format; then of rotations."""
    single = [rotations(2, norm) for norm in ROTATIONS]
    every = [
        case for size in SIZES for case in cases(size, np.random.default_rng([seed, size]))
    ] + single
    return [
        row
        for over in (every, *([case] for case in single))
        for row in measured(implementations(), over)
    ]


def cases(size: int, rng: np.random.Generator) -> Iterator[Case]:
    """Both kinds at every norm."""
    return (
        case
        for norm in NORMS
        for case in (dense(size, float(norm), rng), rotations(size, float(norm)))
    )


def dense(size: int, norm: float, rng: np.random.Generator) -> Case:
    """Gaussian M - M^T, scaled."""
    M, G = rng.standard_normal((2, size, size))
    S = M - M.T  # (size, size)
    return Case("dense", norm, S * (norm / np.abs(S).sum(axis=0).max()), G)


def rotations(size: int, norm: float) -> Case:
    """Every plane of two neighbouring axes turns by `norm`."""
    turn = np.kron(np.eye(size // 2), [[0.0, 1.0], [-1.0, 0.0]])  # (size, size)
    return Case("rotations", norm, norm * turn, turn)


def measured(whose: list[Implementation], over: list[Case]) -> list[Row]:
    """A row for each implementation, action and format."""
    worst: dict[tuple[str, ...], Row] = {}
    for case in over:
        for dtype in DTYPES:
            for row in _errors(whose, case, dtype):
                key = (row.who, row.action, dtype)
                worst[key] = max(worst.get(key, row), row, key=lambda r: r.error)
    return [row._replace(matrices=len(over)) for row in worst.values()]


def _errors(whose: list[Implementation], case: Case, dtype: str) -> Iterator[Row]:
    """Of one matrix, rounded to the format; the truth is computed once for all."""
    S, G = case.S.astype(dtype), case.G.astype(dtype)  # (size, size)
    unit = format_of(dtype).u * (np.abs(S.astype(float)).sum(axis=0).max() + len(S) ** 0.5)
    P, L = truths(S, G)
    for name, word, exp, adjoint in whose:
        turned, pulled = difference(exp(S), P), difference(adjoint(S, G), L)  # (size, size)
        found = norm(turned, 2), norm(pulled) / norm(G.astype(float))  # spectral; Frobenius
        for action, error in zip(ACTIONS, found, strict=True):
            yield Row(
                name, action, dtype, word, 1, float(error / unit), error, case.kind, len(S),
                case.norm,
            )  # fmt: skip


def norm(x: Array, order: int | None = None) -> float:
    """inf where an entry is."""
    return float(np.linalg.norm(x, order)) if np.isfinite(x).all() else np.inf


def truths(S: Array, G: Array) -> tuple[Array, Array]:
    """exp S and L(S^T, G) in balls: (n, n) each.

    Raises:
        ArithmeticError: a radius that is not negligible.
    """
    with flint.ctx.workprec(PRECISION):
        exact_S, exact_G = (balls().lift(x)[None] for x in (S, G))  # (1, n, n)
        found = ball_expm(exact_S)[0], ball_frechet(exact_S.swapaxes(1, 2), exact_G)[0]  # (n, n)
    widest = max(float(ball.rad()) for truth in found for ball in truth.flat)
    if widest > RADIUS:
        raise ArithmeticError(
            f"truth of an exponential: found radius {widest:.1e}, expected at most {RADIUS:.1e}"
        )
    return found


def difference(got: Array, truth: Array) -> Array:
    """got - truth, formed in balls and rounded once; inf where got is no number: float64."""
    if not np.isfinite(got).all():
        return np.full(got.shape, np.inf)
    with flint.ctx.workprec(PRECISION):
        return (balls().lift(got) - truth).astype(float)

"""Published initialisations as named options, and the draws that they share.

    symbol       meaning
    r_min r_max  the ring r_min <= |lambda| <= r_max, drawn uniformly by area: |lambda|^2 is uniform
    max_phase    angles are uniform on [0, max_phase)
    M_std ...    standard deviation of the entries, from the head size N, the state's size H N and
                 the model's width
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import pi, sqrt
from typing import Any, NamedTuple, TypeVar

import numpy as np

from scanproof.reference.numbers.exponential import Array

T = TypeVar("T")


class Ring(NamedTuple):
    """Where LRU's eigenvalues start."""

    r_min: float
    r_max: float
    max_phase: float


RINGS = {
    "paper": Ring(0.0, 1.0, 2 * pi),
    "paper-long": Ring(0.9, 0.999, pi / 10),  # its long tasks, and the baseline in RotRNN's code
    "paper-longest": Ring(0.999, 0.9999, pi / 10),
    "minimal-LRU": Ring(0.0, 1.0, 6.28),
    "LRU-pytorch": Ring(0.0, 1.0, 6.283),
    "bojone": Ring(0.9, 0.999, 2 * pi),
    # the baseline of RotRNN's experiments on the longest task
    "rotrnn-longest": Ring(0.999, 0.9999, 0.31),
}
# The paper's main text halves the variance of each component of C, its appendix and every listing
# do not.
C_STD: dict[str, Callable[[int], float]] = {
    "appendix": lambda state: 1 / sqrt(state),
    "main-text": lambda state: 1 / sqrt(2 * state),
}


class Rotations(NamedTuple):
    """How a version of RotRNN's code starts.

    gamma: "log-log" draws log(-log gamma) uniformly, "ring" gamma^2.
    """

    max_phase: float
    gamma: str
    gamma_min: float
    gamma_max: float
    M_std: Callable[[int, int], float]  # of N, H N
    B_std: Callable[[int, int], float]  # of width, H N
    C_std: Callable[[int, int], float]  # of width, H N


def _both(width: int, features: int) -> float:
    return 1 / sqrt(width + features)


def _one(head_dim: int, features: int) -> float:
    return 1.0


def _width(width: int, features: int) -> float:
    return 1 / sqrt(width)


def _features(width: int, features: int) -> float:
    return 1 / sqrt(features)


# Four versions of the authors' code: A a layer for one sequence, B plain functions, C SimpleRotRNN,
# D a layer for batches.
ROTATIONS = {
    "A": Rotations(6.28, "log-log", 0.9, 0.999, _one, _both, _both),
    "B": Rotations(2 * pi, "ring", 0.9, 0.999, _one, _width, _features),
    "B-demo": Rotations(2 * pi, "ring", 0.1, 0.9, _one, _width, _features),
    "C": Rotations(6.28, "log-log", 0.9, 0.999, _one, _width, _features),
    "D": Rotations(6.28, "log-log", 0.9, 0.999, _both, _both, _both),
}


def named(argument: str, variant: str | T, known: Mapping[str, T]) -> T:
    """Finds the variant of that name, or takes the variant itself.

    Raises:
        TypeError, ValueError: no variant, or an unknown name; the line lists the known ones.
    """
    kind = type(next(iter(known.values())))
    if isinstance(variant, kind):
        return variant
    if not isinstance(variant, str):
        raise TypeError(
            f"{argument}: found {type(variant).__name__}, expected {kind.__name__} or one of "
            f"{', '.join(known)}"
        )
    if variant not in known:
        raise ValueError(f"{argument}: found {variant!r}, expected one of {', '.join(known)}")
    return known[variant]


def check_arguments(rng: Any, dtype: Any, bidirectional: Any, **sizes: Any) -> None:
    """Checks what every `init` takes.

    Raises:
        TypeError: no generator, no real floating dtype, or no flag; one line.
        ValueError: a size that is no positive integer; one line.
    """
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng: found {type(rng).__name__}, expected a numpy.random.Generator")
    try:
        found, real = str(np.dtype(dtype)), np.dtype(dtype).kind == "f"
    except (TypeError, ValueError):
        found, real = _told(dtype), False
    if not real:
        raise TypeError(f"dtype: found {found}, expected float16, float32, float64 or longdouble")
    if not isinstance(bidirectional, bool | np.bool_):
        raise TypeError(f"bidirectional: found {_told(bidirectional)}, expected True or False")
    for name, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 1:
            raise ValueError(f"{name}: found {_told(size)}, expected a positive integer")


def _told(x: Any) -> str:
    """What was found, in one line."""
    return repr(x) if np.isscalar(x) or x is None else type(x).__name__


def check_range(names: str, low: Any, high: Any, max_phase: Any, inside: bool = False) -> None:
    """Checks 0 <= low <= high <= 1 and 0 < max_phase < inf; with `inside` 0 < low <= high < 1.

    Raises:
        ValueError: one of them does not hold.
    """
    within = 0 < low <= high < 1 if inside else 0 <= low <= high <= 1
    if not within:
        expected = "0 < low <= high < 1" if inside else "0 <= low <= high <= 1"
        raise ValueError(f"{names}: found {low} and {high}, expected {expected}")
    if not 0 < max_phase < np.inf:
        raise ValueError(f"max_phase: found {max_phase}, expected a positive number")


def decay_rate(rng: np.random.Generator, size: int, r_min: float, r_max: float) -> Array:
    """Draws -log |lambda| on the ring r_min <= |lambda| <= r_max: float64 (size,).

    |lambda|^2 is uniform: lemma 2 of Orvieto et al. 2023, arXiv 2303.06349, proved again in
    proofs/systems/lru_ring.py.
    """
    return -0.5 * log(rng.random(size) * (r_max**2 - r_min**2) + r_min**2)  # (size,)


def gamma_log(rng: np.random.Generator, size: int, variant: Rotations) -> Array:
    """Draws log(-log gamma) of RotRNN as a version of its authors' code does: float64 (size,).

    Raises:
        ValueError: `variant.gamma` is neither "log-log" nor "ring", or its range is none.
    """
    low, high = variant.gamma_min, variant.gamma_max
    if variant.gamma not in ("log-log", "ring"):
        raise ValueError(f"gamma: found {variant.gamma!r}, expected log-log or ring")
    check_range(
        "gamma_min, gamma_max", low, high, variant.max_phase, inside=variant.gamma == "log-log"
    )
    if variant.gamma == "ring":
        return log(decay_rate(rng, size, low, high))  # (size,)
    return rng.uniform(log(-log(high)), log(-log(low)), size)  # (size,)


def log(x: Any) -> Array:
    """Computes log x in float64, in the shape (...) of x; -inf at 0: `check_finite` refuses it."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(x))


def normal(rng: np.random.Generator, std: float, *shape: int) -> Array:
    """Draws independent normal entries of this standard deviation, float64 of this shape (...)."""
    return std * rng.standard_normal(shape)


def check_finite(params: Any) -> None:
    """Checks that all parameters are finite; the logarithm of 0 is not.

    Raises:
        ValueError: a parameter is not finite; the line names the first such number.
    """
    for name, x in vars(params).items():
        for where in np.argwhere(~np.isfinite(x))[:1] if x is not None else ():
            index = tuple(map(int, where))
            found = f"{name}: found {x[index]} at index {index}, expected a finite number"
            why = "the logarithm of 0, which float32 draws with probability 2^-24; draw again"
            raise ValueError(f"{found}: {why}" if x[index] == -np.inf else found)

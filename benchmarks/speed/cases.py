"""The benchmark's cases: shapes, and inputs whose results can be judged.

The time of a scan does not depend on the values (while none is subnormal), so the values are chosen
for the verdict. Channel 0 is an integer case: lam in {1, -1, i} and whole b, so every bracketing
must return the truth itself, at any length. The other channels decay. A case with one channel has
only the integer case.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np

from scanproof.reference.inputs import Array, Inputs


class Case(NamedTuple):
    """kind: lam constant in time, varying, or constant as gamma e^(i theta); shape: (batch, time,
    channels) of b."""

    name: str
    dtype: str
    kind: Literal["constant", "varying", "rotation"]
    shape: tuple[int, int, int]


class Rotation(NamedTuple):
    """The same scan as `rotation.scan` takes it."""

    gamma: Array  # (heads,)
    theta: Array  # (heads, head_dim / 2)
    b: Array  # (batch, time, heads, head_dim), the memory of the complex b


class Problem(NamedTuple):
    """One case with its values. out: one array for all contestants that are given their output."""

    case: Case
    inputs: Inputs
    out: Array  # (batch, time, channels)
    rotation: Rotation | None = None


CASES = (
    Case("cache", "complex64", "constant", (4, 512, 64)),  # 1 MiB: stays in the cache
    Case("wide", "complex64", "constant", (16, 1024, 256)),
    Case("batch", "complex64", "constant", (8, 16384, 64)),
    Case("long", "complex64", "constant", (1, 131072, 64)),
    Case("single", "complex64", "constant", (1, 1000000, 1)),
    Case("varying", "float32", "varying", (8, 16384, 64)),
    Case("rotation", "complex64", "rotation", (16, 1024, 128)),
)
SHORT = ("cache", "wide")  # what `verify` runs
PAIRS = 16  # of coordinates in a head of the rotation


def chosen(names: list[str] | None) -> list[Case]:
    """The cases of these names, all for None. Raises ValueError for an unknown one."""
    known = {case.name: case for case in CASES}
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise ValueError(f"case: found {unknown[0]!r}, expected one of {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(names or known)]


def problem(case: Case, seed: int = 0) -> Problem:
    """The values of a case."""
    rng = np.random.default_rng(seed)
    b = _normal(rng, case)  # (batch, time, channels)
    b[..., 0] = _whole(rng, case)
    out = np.empty_like(b)
    if case.kind == "rotation":
        rotation = _rotation(rng, b)
        return Problem(case, Inputs(_multipliers(rotation), b), out, rotation)
    return Problem(case, Inputs(_lam(rng, case), b), out)


def _normal(rng: Any, case: Case) -> Array:
    b = np.empty(case.shape, case.dtype)  # (batch, time, channels)
    parts = b.view(b.real.dtype)  # (batch, time, components)
    parts[...] = rng.standard_normal(parts.shape, parts.dtype)
    return b


def _whole(rng: Any, case: Case) -> Array:
    """Integers whose sums over a million steps stay below 2^24: (batch, time)."""
    re, im = rng.integers(-4, 5, (2, *case.shape[:2]))  # (batch, time) each
    return np.asarray(re + 1j * im if case.dtype.startswith("complex") else re)


def _lam(rng: Any, case: Case) -> Array:
    """(channels,) or, varying in time, (batch, time, channels)."""
    shape = case.shape if case.kind == "varying" else case.shape[2:]
    lam: Array = rng.uniform(0.9, 0.99, shape)  # its own shape
    if case.dtype.startswith("complex"):
        lam = lam * np.exp(1j * rng.uniform(0, 2 * np.pi, shape))
    unit = [1, -1] if case.kind == "varying" else [1j if np.iscomplexobj(lam) else -1]
    lam[..., 0] = rng.choice(unit, shape[:-1])
    return lam.astype(case.dtype)


def _rotation(rng: Any, b: Array) -> Rotation:
    """The integer case stands still: theta = 0 is exact, and pi / 2 is no float."""
    batch, time, channels = b.shape
    heads = channels // PAIRS
    gamma = rng.uniform(0.9, 0.99, heads).astype(np.float32)  # (heads,)
    theta = rng.uniform(0, 2 * np.pi, (heads, PAIRS)).astype(np.float32)  # (heads, pairs)
    gamma[0], theta[0, 0] = 1, 0
    return Rotation(gamma, theta, b.view(np.float32).reshape(batch, time, heads, 2 * PAIRS))


def _multipliers(rotation: Rotation) -> Array:
    """gamma e^(i theta) in float64, rounded once, as `rotation.scan` declares: (channels,)."""
    decay, angle = rotation.gamma.astype(float)[:, None], rotation.theta.astype(float)
    return (
        np.asarray(decay * np.cos(angle) + 1j * (decay * np.sin(angle)))
        .astype(np.complex64)
        .ravel()
    )

"""What a campaign knows of one system: regimes, how a case is drawn, honest programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from scanproof.benchmarks.campaigns.programs import Program
from scanproof.reference.inputs import Array


@dataclass(frozen=True, eq=False)
class Regime:
    """Where cases are drawn.

    sizes: of a draw, beside batch and width; about: what they and the modulus mean, in words.
    sparse: one power of two in every row of B and C, nothing else (properties/systems/).
    small: inputs, initial states and cotangents around the smallest normal number, so that
        products underflow.
    """

    system: str
    sizes: Mapping[str, int]
    modulus: float
    about: str
    sparse: bool = False
    small: bool = False

    def __str__(self) -> str:
        more = ", sparse" * self.sparse + ", small" * self.small
        return f"T = {self.sizes['time']}, {self.about}{more}"


class Campaign(NamedTuple):
    """The campaign of one system.

    draw(rng, sizes, moduli, sparse, two) gives parameters in float64.
    shares(rng, state) says how near to the modulus of a regime its eigenvalues are.
    programs(dtype, rng) are those that work in float32 or float64.
    ..._told: sentences of the page.
    """

    regimes: tuple[Regime, ...]
    draw: Callable[..., Any]
    shares: Callable[[np.random.Generator, int], Array]
    programs: Callable[[str, np.random.Generator], list[Program]]
    programs_told: str
    draws_told: str
    sparse_told: str

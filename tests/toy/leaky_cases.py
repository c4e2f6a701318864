"""How the search draws parameters of the toy layer, and which other parameters give the same layer."""

from dataclasses import replace
from typing import Any

import leaky  # type: ignore[import-not-found]
import numpy as np
from scanproof.properties.layer_draws import Sizes, one_per_row


def draw(rng: np.random.Generator, sizes: Sizes, modulus: Any, sparse: bool, bidirectional: bool) -> leaky.Params:
    matrix = one_per_row if sparse else lambda rng, *shape: rng.standard_normal(shape)
    return leaky.Params(np.log(-np.log(modulus)), matrix(rng, sizes.state, sizes.width), matrix(rng, sizes.width, sizes.state))


def extremes(rng: np.random.Generator, params: leaky.Params) -> list[leaky.Params]:
    return [replace(params, C=params.C * 64)]


def equivalents(rng: np.random.Generator, params: leaky.Params) -> list[leaky.Params]:
    return [replace(params, B=params.B * 2, C=params.C / 2)]

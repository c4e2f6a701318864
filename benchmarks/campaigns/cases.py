"""Where allowances of layers are measured: regimes, formats, and calls.

Every call follows from (seed, number) alone.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from scanproof.benchmarks.campaigns import lru, rotrnn
from scanproof.benchmarks.campaigns.programs import Campaign, Regime
from scanproof.properties.domain import Domain
from scanproof.properties.room import Draw
from scanproof.properties.systems import room_of
from scanproof.properties.systems.layers import inputs
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.formats import format_of
from scanproof.reference.call import Call
from scanproof.reference.layers import named

WIDTH = 8
LARGEST = 1 - 2.0**-20  # modulus of an eigenvalue
MODES = {"formed": ("formed", "recurrence"), "any": ("any", "any")}  # stages and adjoint of each
FORMATS = {"float32": None, "float64": None, "bfloat16": "float32"}  # and those of their sums
REVERSE, TWO, START = 0.25, 0.25, 0.5  # shares that run backwards, have two directions, have h0
SCALED = ("input", "state", "cotangent")  # roles that regimes of small numbers make small

CAMPAIGNS: dict[str, Campaign] = {"lru": lru.CAMPAIGN, "rotrnn": rotrnn.CAMPAIGN}
_ALL = [regime for campaign in CAMPAIGNS.values() for regime in campaign.regimes]
REGIMES: tuple[Regime, ...] = tuple(sorted(_ALL, key=lambda regime: regime.small))
CELLS = tuple(product(range(len(REGIMES)), FORMATS))  # cases take turns


def cell(number: int) -> tuple[Regime, str]:
    """The regime and the format of a case."""
    regime, dtype = CELLS[number % len(CELLS)]
    return REGIMES[regime], dtype


def declared(dtype: str, mode: str) -> Arithmetic:
    """The class of a mode."""
    stages, adjoint = MODES[mode]
    return Arithmetic(dtype, accumulate=FORMATS[dtype], stages=stages, adjoint=adjoint)


def planned(seed: int, number: int) -> Call:
    """The call of a case, gradients asked for; everything as the suite draws it."""
    (regime, dtype), rng = cell(number), np.random.default_rng([seed, number])
    reverse, two, start = (bool(rng.random() < share) for share in (REVERSE, TWO, START))
    sizes = {"batch": 1, "time": regime.sizes["time"], "width": WIDTH, **regime.sizes}
    room, campaign = room_of(regime.system), CAMPAIGNS[regime.system]
    case = Draw(room, declared(dtype, "any"), Domain(), sizes, seed=int(rng.integers(2**32)))
    moduli = np.minimum(regime.modulus * campaign.shares(rng, sizes["state"]), LARGEST)  # (state,)
    params = named(campaign.draw(case.rng, sizes, moduli, regime.sparse, two))
    stored = {name: case.stored(x, name) for name, x in params.items()}
    call = case.pulled(case.of(stored | {"u": inputs(case)}, reverse))
    call = case.started(call) if start else call
    return _small(call, dtype, rng) if regime.small else call


def _small(call: Call, dtype: str, rng: np.random.Generator) -> Call:
    """With inputs, h0 and y_bar from far below to just above the smallest normal number."""
    scale = format_of(dtype).smallest_normal * 2.0 ** rng.integers(-8, 12)
    scaled = [name for name in call.system.named(*SCALED) if name in call.arguments]
    return call.but(**{name: (call.wide[name] * scale).astype(call[name].dtype) for name in scaled})

"""The papers' claims as experiments on RotRNN and LRU: `scanproof verify --claims`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from scanproof.benchmarks.claims import (
    claims_cost,
    claims_errors,
    claims_memory,
    claims_norm,
    claims_time,
)
from scanproof.report.claims_model import Claims


class Sizes(NamedTuple):
    """How much is tried."""

    draws: int = 100  # of parameters, for the state norm
    time: int = 512  # steps of the state norm; four times as many for inputs that are not white
    coefficients: int = 64  # for each 1 - |lambda| and format
    doublings: int = 14  # 2^14 steps of rounding
    smallest: int = 12  # 1 - |lambda| down to 2^-12
    memories: int = 4000
    call: claims_time.Sizes = claims_time.Sizes(4, 1024)


STEPS = 4


def measure(
    seed: int, sizes: Sizes | None = None, tell: Callable[[str], None] = lambda _: None
) -> Claims:
    """All experiments; `tell` hears of each of the STEPS."""
    s, clock = sizes or Sizes(), time.perf_counter()
    tell("claims: state norm")
    norm = claims_norm.measure(seed, s.draws, s.time)
    tell("claims: memory")
    memory = claims_memory.measure(seed, s.memories)
    tell("claims: rounding of coefficients")
    errors = claims_errors.measure(seed, s.coefficients, s.doublings, s.smallest)
    tell("claims: cost")
    cost = claims_cost.measure(seed, s.call)
    return Claims(
        seconds=time.perf_counter() - clock,
        rows=norm.rows + memory.rows + errors.rows + cost.rows,
        norms=norm.curves,
        spread=norm.bands,
        memory=memory.memory,
        decays=memory.decays,
        costs=cost.costs,
        flops=cost.flops,
        times=cost.times,
        errors=errors.curves,
    )

"""The measured time of our kernels of both layers; each is judged before it is timed."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

import scanproof
from scanproof.benchmarks.claims.claims_flops import HEAD_DIMS, STATE, WIDTH, folded_flops
from scanproof.benchmarks.speed.machine import limited
from scanproof.benchmarks.speed.speed import interleaved
from scanproof.properties.verdict import Status
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Array
from scanproof.reference.systems import lru, rotrnn
from scanproof.report.claims_model import LayerTime

# in float32 the allowance of large heads tells nothing, and who is not judged is not timed
DTYPE = "float64"
TIMED = ("within", "nearest")
# of RotRNN: P close to I, where allowances say most; the work is the same for every start
START = "D"
JUDGED_STEPS = 16  # layers are causal: the first steps of the first row are a call of their own


class Sizes(NamedTuple):
    """Of one timed call."""

    batch: int
    steps: int


class Contestant(NamedTuple):
    """A layer with its parameters; call takes u to y."""

    layer: str
    head_dim: int | None
    params: Any
    call: Callable[[Array], Array] | None
    missing: str = ""


def inputs(seed: int, sizes: Sizes) -> Array:
    return (
        np.random.default_rng(seed).standard_normal((sizes.batch, sizes.steps, WIDTH)).astype(DTYPE)
    )


def contestants(seed: int) -> list[Contestant]:
    """Our kernels of both layers, or why they are missing."""
    rng = np.random.default_rng(seed)
    drawn: list[tuple[str, int | None, Any]] = [
        ("lru", None, lru.init(rng, STATE // 2, WIDTH, "paper-long", dtype=DTYPE))
    ]
    drawn += [
        ("rotrnn", N, rotrnn.init(rng, STATE // N, N, WIDTH, START, dtype=DTYPE)) for N in HEAD_DIMS
    ]
    try:
        from scanproof.numba_kernels import layers
    except ImportError as error:
        return [
            Contestant(*given, None, f"scanproof.numba_kernels.layers cannot be imported: {error}")
            for given in drawn
        ]
    return [Contestant(*given, partial(getattr(layers, given[0]), given[2])) for given in drawn]


def timed(field: list[Contestant], u: Array, rounds: int) -> list[LayerTime]:
    """Contestants take turns, on one thread; only who was judged, and not refuted, is timed."""
    rows, calls, clock = [], [], time.perf_counter_ns
    for contestant in field:
        start = clock()
        y = contestant.call(u) if contestant.call else None
        first = clock() - start
        word, reason = gate(contestant, u, y)
        rows.append(_time(contestant, u, word, reason, first if contestant.call else None))
        calls.append(contestant.call if word in TIMED else None)
    with limited(1), threadpool_limits(1):
        samples = iter(
            interleaved([partial(call, u) for call in calls if call], rounds, clock, lambda _: None)
        )
    return [
        _sampled(row, next(samples), u) if call else row
        for row, call in zip(rows, calls, strict=True)
    ]


def gate(contestant: Contestant, u: Array, y: Array | None) -> tuple[Status, str]:
    """What the judge says about the first steps of the very result that is timed."""
    if y is None:
        return "not run", contestant.missing
    first = np.s_[:1, :JUDGED_STEPS]
    formed = Arithmetic(DTYPE, stages="formed")
    found = scanproof.judge(
        contestant.layer, y[first], params=contestant.params, u=u[first], arithmetic=formed
    )
    return found.verdict, found.reason


def _time(
    contestant: Contestant, u: Array, word: Status, reason: str, first: int | None
) -> LayerTime:
    return LayerTime(
        layer={"lru": "LRU", "rotrnn": "RotRNN"}[contestant.layer],
        dtype=DTYPE,
        shape=list(u.shape),
        state=STATE,
        head_dim=contestant.head_dim,
        verdict=word,
        reason=reason,
        first_ms=first / 1e6 if first is not None and word in TIMED else None,
    )


def _sampled(row: LayerTime, samples: list[tuple[int, int]], u: Array) -> LayerTime:
    times = np.array([ns / calls for ns, calls in samples]) / 1e6  # (rounds,), ms
    median = float(np.median(times))
    flops = folded_flops(STATE, WIDTH) * u.shape[0] * u.shape[1]
    quartiles = [float(q) for q in np.quantile(times, (0.25, 0.75))]
    return row.model_copy(
        update={"median_ms": median, "quartiles_ms": quartiles, "gflops": flops / median / 1e6}
    )

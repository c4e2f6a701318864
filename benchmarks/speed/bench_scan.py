"""The contestants under pytest-benchmark: python -m pytest benchmarks/speed/bench_scan.py -k long

Its statistics, comparisons and JSON files, with the verdict in `extra_info`; who is outside fails
and is not timed. One contestant is finished before the next begins: for ratios use `scanproof
bench`, where they take turns.
"""

from __future__ import annotations

import os
import time
from functools import lru_cache
from typing import Any

from scanproof.benchmarks.speed.cases import CASES, Case, Problem, problem
from scanproof.benchmarks.speed.contestants import Contestant, contestants
from scanproof.benchmarks.speed.speed import ROUNDS, enter, moved_bytes

# as machine.limited, before the first parallel kernel
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
given = lru_cache(maxsize=1)(problem)


def pytest_generate_tests(metafunc: Any) -> None:
    """Every contestant that can run here, on every case that it offers."""
    pairs = [(case, one) for case in CASES for one in contestants(case.kind) if not one.missing]
    metafunc.parametrize(
        ("case", "contestant"),
        pairs,
        ids=[f"{case.name}-{one.name}-{one.output}" for case, one in pairs],
    )


def test_scan(benchmark: Any, case: Case, contestant: Contestant) -> None:
    values: Problem = given(case)
    entry = enter(contestant, values, time.perf_counter_ns)
    assert entry.judged.verdict != "outside", entry.judged.reason
    benchmark.group = case.name
    benchmark.extra_info.update(entry.judged._asdict())
    benchmark.pedantic(entry.call, rounds=ROUNDS, warmup_rounds=1)
    if benchmark.stats:  # none with --benchmark-disable
        benchmark.extra_info["gb_per_s"] = (
            moved_bytes(contestant, values) / benchmark.stats.stats.median / 1e9
        )

"""How fast is a scan? Nobody is timed before the very arrays that its call returns were judged.

Contestants take turns, one sample each a round, so that what disturbs the machine disturbs all of
them. A sample is the mean of as many calls as take SAMPLE_NS; the first call (it compiles, or loads
compiled code) stands apart. Throughput is bytes read and written over the median; the ratio is time
per byte over that of the measured copy in the same rounds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from scanproof.benchmarks.speed.cases import Case, Problem, problem
from scanproof.benchmarks.speed.contestants import Call, Contestant, contestants
from scanproof.benchmarks.speed.gate import Judged, gate
from scanproof.report.model import SpeedRow, Timing

Clock = Callable[[], int]  # nanoseconds
Tell = Callable[[str], None]  # hears of each step of the work, `steps` in all

ROUNDS = 7
SLOW_NS, SLOW_ROUNDS = 1_000_000_000, 2  # who takes longer than this for a call gets so many rounds
SAMPLE_NS = 2_000_000


class Entry(NamedTuple):
    """A contestant that was at the gate. call: None if it may not be timed; first: ns."""

    contestant: Contestant
    judged: Judged
    call: Call | None = None
    first: int = 0


def measure(
    case: Case,
    rounds: int = ROUNDS,
    threads: int = 1,
    field: Sequence[Contestant] | None = None,
    clock: Clock = time.perf_counter_ns,
    tell: Tell = lambda _: None,
) -> list[SpeedRow]:
    """A row for each contestant of a case, in the order of `field`: timed, or why not."""
    given, entries = problem(case), []
    for contestant in contestants(case.kind) if field is None else field:
        tell(f"{case.name}: judging {contestant.name}")
        entries.append(enter(contestant, given, clock))
    calls = [entry.call for entry in entries if entry.call]
    samples = interleaved(calls, rounds, clock, lambda r: tell(f"{case.name}: round {r + 1}"))
    timings = iter(summaries([entry for entry in entries if entry.call], samples, given))
    return [_row(case, threads, entry, next(timings) if entry.call else None) for entry in entries]


def steps(case: Case, rounds: int) -> int:
    """How often `measure` tells."""
    return len(contestants(case.kind)) + rounds


def enter(contestant: Contestant, given: Problem, clock: Clock) -> Entry:
    """The first call, and what the gate says about its result."""
    if contestant.missing:
        return Entry(contestant, Judged("not run", contestant.missing))
    given.out.fill(np.nan)  # nobody is judged by what another one left there
    call = contestant.prepare(given)
    start = clock()
    got = call()
    first = clock() - start
    if contestant.declares is None:
        return Entry(contestant, Judged("reference", ""), call, first)
    judged = gate(got, given.inputs, contestant.arithmetic(given.case.dtype))
    return (
        Entry(contestant, judged)
        if judged.verdict == "outside"
        else Entry(contestant, judged, call, first)
    )


def interleaved(
    calls: Sequence[Call], rounds: int, clock: Clock, tell: Callable[[int], None]
) -> list[list[tuple[int, int]]]:
    """For each call its samples (ns, calls in it), one a round; whose turn it is to be first
    changes from round to round."""
    costs = [_sample(call, 1, clock) for call in calls]
    repeats = [max(1, SAMPLE_NS // cost) for cost in costs]
    most = [min(rounds, SLOW_ROUNDS) if cost > SLOW_NS else rounds for cost in costs]
    samples: list[list[tuple[int, int]]] = [[] for _ in calls]
    for r in range(rounds):
        tell(r)
        for turn in range(len(calls)):
            i = (turn + r) % len(calls)
            if r < most[i]:
                samples[i].append((_sample(calls[i], repeats[i], clock), repeats[i]))
    return samples


def _sample(call: Call, repeats: int, clock: Clock) -> int:
    """Nanoseconds of so many calls, at least one."""
    start = clock()
    for _ in range(repeats):
        call()
    return max(1, clock() - start)


def moved_bytes(contestant: Contestant, given: Problem) -> int:
    """The least traffic that the result needs: a scan reads its multipliers besides b."""
    states, copied = given.inputs.b.nbytes, contestant.declares is None
    return 2 * states + (0 if copied else given.inputs.lam.nbytes)


def summaries(
    entries: Sequence[Entry], samples: Sequence[Sequence[tuple[int, int]]], given: Problem
) -> list[Timing]:
    """Medians, minima and quartiles of the samples; the first copy is the measured one."""
    # (rounds,) each, ns
    times = [np.array([ns / calls for ns, calls in taken]) for taken in samples]
    moved = [moved_bytes(entry.contestant, given) for entry in entries]
    # ns a byte
    costs = [float(np.median(each)) / size for each, size in zip(times, moved, strict=True)]
    copy = next(
        (
            cost
            for entry, cost in zip(entries, costs, strict=True)
            if entry.contestant.declares is None
        ),
        None,
    )
    return [
        Timing(
            first_ms=entry.first / 1e6,
            median_ms=float(np.median(each)) / 1e6,
            minimum_ms=float(each.min()) / 1e6,
            quartiles_ms=[float(q) / 1e6 for q in np.quantile(each, (0.25, 0.75))],
            rounds=len(taken),
            calls=taken[0][1],
            moved_bytes=size,
            gb_per_s=1 / cost,
            ratio=cost / copy if copy else None,
        )
        for entry, taken, each, size, cost in zip(
            entries, samples, times, moved, costs, strict=True
        )
    ]


def _row(case: Case, threads: int, entry: Entry, timing: Timing | None) -> SpeedRow:
    return SpeedRow(
        case=case.name,
        dtype=case.dtype,
        lam=case.kind,
        shape=list(case.shape),
        contestant=entry.contestant.name,
        output=entry.contestant.output,
        threads=threads if entry.contestant.threads else 1,
        **entry.judged._asdict(),
        timing=timing,
    )

"""The benchmark: nobody passes the gate with a wrong result, and the figures follow from the clock, which no test reads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
from typer.testing import CliRunner

from scanproof.benchmarks.speed import bench_scan, gate, speed
from scanproof.benchmarks.speed.cases import CASES, SHORT, Case, Problem, chosen, problem
from scanproof.benchmarks.speed.contestants import ALL, Call, Contestant, contestants
from scanproof.benchmarks.speed.gate import Judged
from scanproof.benchmarks.speed.machine import cores, limited
from scanproof.benchmarks.speed.speed import SAMPLE_NS, interleaved, measure, moved_bytes
from scanproof.cli.app import app
from scanproof.numba_kernels import diagonal
from scanproof.reference.allowance.rounding import allowance
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Array, Inputs

ROOT = Path(__file__).resolve().parents[2]
SMALL = {
    "constant": Case("small", "complex64", "constant", (3, 600, 4)),
    "varying": Case("small", "float32", "varying", (3, 600, 4)),
    "rotation": Case("small", "complex64", "rotation", (3, 600, 32)),
}
SEQUENCES = {"constant": 8, "varying": 8, "rotation": 18}  # judged: two rows of one exact and at most eight decaying channels
SEQUENTIAL: dict[str, Any] = {"order": "sequential", "contraction": False}


Work = Callable[[Problem], Array]


def honest(given: Problem) -> Array:
    return diagonal.scan(given.inputs.lam, given.inputs.b, out=given.out)


class Clock:
    """A clock that only moves when a contestant works, and who worked when."""

    def __init__(self) -> None:
        self.now, self.worked = 0, list[str]()

    def __call__(self) -> int:
        return self.now

    def contestant(self, name: str, costs: list[int], work: Work = honest, copies: bool = False) -> Contestant:
        """One that does this work; call i takes costs[i] ns, then the last for ever."""

        def prepare(given: Problem) -> Call:
            def call() -> Array:
                self.now += costs[min(self.worked.count(name), len(costs) - 1)]
                self.worked.append(name)
                return work(given)

            return call

        return Contestant(name, "given", prepare, None if copies else SEQUENTIAL)


def zeros(given: Problem) -> Array:
    return np.zeros_like(given.out)


def carry(given: Problem) -> Array:
    """Chunks of 256 steps whose carry is off by a thousandth."""
    lam, b, got = given.inputs.lam, given.inputs.b, honest(given)
    for start in range(256, got.shape[1], 256):
        state = got[:, start - 1] * np.asarray(1 + 1e-3).astype(got.real.dtype)
        part = np.s_[:, start : start + 256]
        got[part] = diagonal.scan(lam if lam.ndim == 1 else lam[part], b[part], state)
    return got


def stale(given: Problem) -> Array:
    """Writes nothing, and returns what the last one left in the shared output."""
    return given.out


WRONG: dict[str, Work] = {
    "zeros": zeros,
    "carry": carry,
    "stale": stale,
    "shape": lambda given: honest(given)[:, 1:],
    "dtype": lambda given: honest(given).astype(np.complex128),
    "nan": lambda given: honest(given) * given.out.dtype.type(np.nan),
    "shifted": lambda given: np.roll(honest(given), 1, axis=1),
}


@pytest.mark.parametrize("kind", SMALL)
@pytest.mark.parametrize("fault", WRONG)
def test_a_wrong_scan_is_called_once_and_never_gets_a_timing(fault: str, kind: str) -> None:
    clock = Clock()
    works = {"first": honest, "wrong": WRONG[fault], "right": honest}  # the first one leaves its result in the shared output
    field = [clock.contestant(name, [SAMPLE_NS], work) for name, work in works.items()]
    first, wrong, right = measure(SMALL[kind], field=field, clock=clock)
    assert (wrong.verdict, wrong.timing) == ("outside", None)
    assert clock.worked.count("wrong") == 1
    assert [row.verdict for row in (first, right)] == ["within", "within"]
    assert right.timing is not None
    assert wrong.reason


@pytest.mark.parametrize("kind", SMALL)
def test_every_contestant_passes_the_gate(kind: str) -> None:
    rows = measure(SMALL[kind], rounds=1)
    assert [(row.contestant, row.output) for row in rows] == [(one.name, one.output) for one in contestants(kind)]
    missing = {one.name for one in ALL if one.missing}
    for row in rows:
        expected = "not run" if row.contestant in missing else "reference" if "copy" in row.contestant else "within"
        assert row.verdict == expected, f"{row.contestant}: {row.reason}"
        assert (row.timing is None) == (row.contestant in missing)
        assert row.sequences == (SEQUENCES[kind] if expected == "within" else 0)


def test_a_peer_that_is_not_installed_is_not_run() -> None:
    def never(given: Problem) -> Call:
        raise AssertionError("prepared")

    (row,) = measure(SMALL["constant"], field=[Contestant("peer", "fresh", never, {}, needs="no_such_package")])
    assert (row.verdict, row.timing) == ("not run", None)
    assert row.reason == "no_such_package is not installed (make peers)"


def test_undecided_is_timed_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "gate", lambda *_: Judged("undecided", "too blind", 2, 9))
    clock = Clock()
    (row,) = measure(SMALL["constant"], field=[clock.contestant("a", [SAMPLE_NS])], clock=clock)
    assert (row.verdict, row.reason, row.sequences, row.states) == ("undecided", "too blind", 2, 9)
    assert row.timing is not None


@pytest.mark.parametrize("kind", SMALL)
@pytest.mark.parametrize("place", [(0, 0, 0), (0, 599, 0), (2, 300, 0), (0, 0, -1), (2, 599, -1)])
def test_one_wrong_state_of_a_judged_lane_is_seen(place: tuple[int, int, int], kind: str) -> None:
    given = problem(SMALL[kind])
    got = diagonal.scan(given.inputs.lam, given.inputs.b)
    arithmetic = Arithmetic(given.case.dtype, **SEQUENTIAL)
    assert gate.gate(got, given.inputs, arithmetic) [2:] == (SEQUENCES[kind], 600 * SEQUENCES[kind])
    got[place] *= np.float32(1 + 1e-3)
    got[place] += 1e-3 * (got[place] == 0)
    assert gate.gate(got, given.inputs, arithmetic).verdict == "outside"


def test_the_gate_counts_what_it_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is claimed beyond it: a state after the judged part is not seen."""
    monkeypatch.setattr(gate, "DECAYING_STEPS", 50)
    given = problem(SMALL["constant"])
    got = diagonal.scan(given.inputs.lam, given.inputs.b)
    got[:, 50:, 1:] = 0
    judged = gate.gate(got, given.inputs, Arithmetic("complex64"))
    assert (judged.verdict, judged.sequences, judged.states) == ("within", 8, 1500)
    got[2, 49, -1] = 0
    assert gate.gate(got, given.inputs, Arithmetic("complex64")).verdict == "outside"


def test_one_channel_and_one_row_are_one_lane() -> None:
    given = problem(Case("one", "complex64", "constant", (1, 50, 1)))
    judged = gate.gate(diagonal.scan(given.inputs.lam, given.inputs.b), given.inputs, Arithmetic("complex64"))
    assert (judged.verdict, judged.sequences, judged.states) == ("nearest", 1, 50)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_channel_0_is_exact_and_alive_in_every_order(case: Case) -> None:
    given = problem(case)
    lam = given.inputs.lam[..., :1][:1] if given.inputs.varying else given.inputs.lam[:1]
    sequence = Inputs(lam, given.inputs.b[:1, :, :1])
    assert not allowance(sequence, Arithmetic(case.dtype)).bound.any()
    assert abs(diagonal.scan(sequence.lam, sequence.b)[0, -1, 0]) > 0
    assert given.inputs.b.shape == case.shape
    assert given.out.dtype == given.inputs.b.dtype == case.dtype


def test_the_figures_follow_from_the_clock() -> None:
    clock = Clock()
    # first call, estimate, then 7 rounds; more than SAMPLE_NS, so a call a sample
    costs = [10**9, 10**7, *(10**7 * n for n in (5, 3, 4, 2, 9, 7, 8))]
    copy = clock.contestant("copy", [7, 2 * 10**7], copies=True)
    rows = measure(SMALL["varying"], field=[copy, clock.contestant("a", costs)], clock=clock)
    reference, timed = (row.timing for row in rows)
    assert reference is not None
    assert timed is not None
    b = 4 * 3 * 600 * 4
    assert (timed.first_ms, timed.median_ms, timed.minimum_ms, timed.quartiles_ms) == (1000, 50, 20, [35, 75])
    assert (timed.rounds, timed.calls, timed.moved_bytes) == (7, 1, 3 * b)
    assert timed.gb_per_s == 1 / (5 * 10**7 / (3 * b))
    assert (reference.moved_bytes, reference.ratio, reference.first_ms) == (2 * b, 1, 7e-6)
    assert timed.ratio == (5 * 10**7 / (3 * b)) / (2 * 10**7 / (2 * b))


def test_short_calls_are_repeated_and_slow_ones_get_fewer_rounds() -> None:
    clock = Clock()
    field = [clock.contestant("short", [20_000]), clock.contestant("slow", [2 * 10**9]), clock.contestant("medium", [10**8])]
    short, slow, medium = (row.timing for row in measure(SMALL["constant"], rounds=3, field=field, clock=clock))
    assert short is not None
    assert slow is not None
    assert medium is not None
    assert (short.calls, short.rounds, short.median_ms) == (SAMPLE_NS // 20_000, 3, 0.02)
    assert (slow.calls, slow.rounds, slow.median_ms) == (1, 2, 2000)
    assert (medium.calls, medium.rounds) == (1, 3)
    assert short.ratio is None  # there was no copy


def test_contestants_take_turns() -> None:
    clock, order = Clock(), list[str]()

    def worker(name: str) -> Call:
        def call() -> None:
            order.append(name)
            clock.now += SAMPLE_NS

        return call

    samples = interleaved([worker(name) for name in "abc"], 4, clock, lambda _: None)
    assert "".join(order) == "abc" + "abc" + "bca" + "cab" + "abc"
    assert samples == [[(SAMPLE_NS, 1)] * 4] * 3


def test_bytes_read_and_written() -> None:
    copy, scan = ALL[0], ALL[2]
    b = {kind: problem(case).inputs.b.nbytes for kind, case in SMALL.items()}
    moved = {kind: [moved_bytes(one, problem(case)) for one in (copy, scan)] for kind, case in SMALL.items()}
    assert moved == {
        "constant": [2 * b["constant"], 2 * b["constant"] + 4 * 8],
        "varying": [2 * b["varying"], 3 * b["varying"]],
        "rotation": [2 * b["rotation"], 2 * b["rotation"] + 32 * 8],
    }


def test_the_work_is_told_step_by_step() -> None:
    told: list[str] = []
    measure(SMALL["varying"], rounds=2, tell=told.append)
    assert len(told) == speed.steps(SMALL["varying"], 2)
    assert told[-1] == "small: round 2"


def test_threads_are_limited_and_given_back() -> None:
    bound = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    before = numba.get_num_threads()
    with limited(1) as n:
        assert (n, numba.get_num_threads()) == (1, 1)
        assert not bound or len(os.sched_getaffinity(0)) == 1
    assert numba.get_num_threads() == before
    assert not bound or os.sched_getaffinity(0) == bound


@pytest.mark.parametrize("threads", [0, -1, cores() + 1])
def test_impossible_threads(threads: int) -> None:
    with pytest.raises(ValueError, match=f"threads: found {threads}, expected 1 to "), limited(threads):
        pass


def test_cases_by_name() -> None:
    assert [case.name for case in chosen(["long", "cache", "long"])] == ["long", "cache"]
    assert chosen(None) == list(CASES)
    assert len(chosen(list(SHORT))) == len(SHORT)
    with pytest.raises(ValueError, match="case: found 'x', expected one of cache, wide,"):
        chosen(["x"])


def call(*words: str) -> Any:
    return CliRunner().invoke(app, ["bench", *words])


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """`scanproof bench --case cache` is the small case with three contestants, one of them wrong."""
    clock = Clock()
    field = [ALL[0], clock.contestant("right", [SAMPLE_NS]), clock.contestant("wrong", [SAMPLE_NS], zeros)]
    monkeypatch.setattr("scanproof.benchmarks.speed.cases.CASES", (SMALL["constant"]._replace(name="cache"),))
    monkeypatch.setattr(speed, "contestants", lambda kind: field)


@pytest.mark.usefixtures("small")
def test_the_command_rejects_and_prints_no_timing() -> None:
    result = call("--rounds", "2")
    assert result.exit_code == 1, result.output
    line = {row.split()[0]: row.split() for row in result.stdout.splitlines() if row}
    assert line["wrong"] == ["wrong", "given", "1", "outside"]
    assert "wrong: outside: " in result.stdout
    assert len(line["right"]) == len(line["numpy"]) - 1 == 10  # its name is one word
    assert max(map(len, result.stdout.splitlines()[:4])) < 100
    assert ": 8 sequences, 4800 of 7200 states" in result.stdout
    assert call("--quiet").stdout == "outside\n"


@pytest.mark.usefixtures("small")
def test_the_command_as_json() -> None:
    result = call("--rounds", "2", "--threads", "1", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert (found["format"], found["rounds"]) == ("scanproof-bench/1", 2)
    assert [row["verdict"] for row in found["rows"]] == ["reference", "within", "outside"]
    assert [row["timing"] is None for row in found["rows"]] == [False, False, True]
    assert found["machine"]["processor"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--case", "x"), "case: found 'x', expected one of cache, wide, batch, long, single, varying, rotation"),
        (("--threads", "9999"), "threads: found 9999, expected 1 to "),
    ],
)
def test_bad_input_is_one_line_and_exit_2(words: tuple[str, ...], message: str) -> None:
    result = call(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"scanproof: {message}")
    assert result.stderr.count("\n") == 1


def test_help_has_an_example() -> None:
    assert "scanproof bench --case long" in call("--help").stdout


class Pedantic:
    """pytest-benchmark's fixture, without its clock."""

    def __init__(self) -> None:
        self.extra_info: dict[str, Any] = {}
        self.timed = self.stats = None

    def pedantic(self, call: Call, **_: int) -> None:
        self.timed = call()


def test_pytest_benchmark_times_nobody_who_is_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    right, wrong, case = Pedantic(), Pedantic(), SMALL["constant"]
    bench_scan.test_scan(right, case, Clock().contestant("right", [1]))
    assert right.timed is not None
    assert right.extra_info["verdict"] == "within"
    with pytest.raises(AssertionError, match="exceed the allowance"):
        bench_scan.test_scan(wrong, case, Clock().contestant("wrong", [1], zeros))
    assert (wrong.timed, wrong.extra_info) == (None, {})


def test_benchmarks_are_collected_only_by_name() -> None:
    collect = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    alone = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}  # not as a worker of this run
    file = "benchmarks/speed/bench_scan.py"
    named = subprocess.run([*collect, file], cwd=ROOT, env=alone, capture_output=True, text=True, check=True)
    pairs = sum(not one.missing for case in CASES for one in contestants(case.kind))
    assert f"{pairs} tests collected" in named.stdout
    folder = subprocess.run([*collect, "benchmarks"], cwd=ROOT, env=alone, capture_output=True, text=True, check=False)
    assert folder.returncode == pytest.ExitCode.NO_TESTS_COLLECTED

"""Shrinking: smaller calls that still fail, inside the domain, deterministic, and an end to it."""

import numpy as np
import pytest
from calls import ANY, LAYERS, SMALL, bare, case, drawn

from scanproof.properties import shrink as module
from scanproof.properties.domain import Domain
from scanproof.properties.findings import Element
from scanproof.properties.implementation import InProcess
from scanproof.properties.shrink import blocks, fits, rounded, shrink, simpler
from scanproof.properties.systems import layers, room_of, scan
from scanproof.properties.verdict import judged
from scanproof.properties.versions.scan import MUTANTS
from scanproof.properties.versions.versions import VERSIONS
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.formats import DTYPES
from scanproof.reference.systems import SYSTEMS

FAULTY = {f"scan-{each.name}": ("scan", each.scan) for each in MUTANTS}
FAULTY |= {each.name: (each.system, each.implementation) for each in VERSIONS}
FAULTY |= {f"expm-{each.name}": ("expm", each.implementation) for each in room_of("expm").faults()}
FLOAT32 = Arithmetic("float32")
LARGE = {
    "scan": {"batch": 2, "time": 20, "channels": 2},
    "lru": {"batch": 2, "time": 18, "width": 2, "state": 4, "heads": 2},
    "rotrnn": {"batch": 2, "time": 18, "width": 2, "state": 4, "heads": 2},
    "expm": {"n": 4},
}
SMALLEST = {  # sizes of the axes that a fault needs; one step is enough where h0 is carried into it
    "scan-zeros": (1, 1, 1),
    "scan-input": (1, 1, 1),
    "scan-drops-carry": (1, 17, 1),
    "scan-off-by-one": (1, 1, 1),
    "scan-wrong-start": (1, 1, 1),
    "scan-tail-chunk": (1, 17, 1),
    "scan-next-multiplier": (1, 2, 1),
    "scan-reverse-ignored": (1, 2, 1),
    "lru-without-skip": (1, 1, 1, 1, 1),
    "lru-conjugated": (1, 1, 1, 1, 1),
    "lru-pytorch-state": (2, 1, 1, 1, 1),
    "lru-drops-carry": (1, 17, 1, 1, 1),
    "lru-gradient-h0": (1, 1, 1, 1, 1),
    "rotrnn-without-xi": (1, 1, 1, 2, 1),
    "rotrnn-drops-carry": (1, 17, 1, 2, 1),
    "rotrnn-halves": (1, 1, 1, 4, 1),  # with two coordinates, both are one pair
    "rotrnn-interleaved": (1, 1, 1, 2, 2),  # with one head there is nothing to interleave
    "rotrnn-gradient-theta": (1, 1, 1, 2, 1),
    "expm-transposed": (1, 2),
}


@pytest.fixture(autouse=True)
def _no_hurry(monkeypatch):
    """Where it ends must not depend on how busy this machine is."""
    monkeypatch.setattr(module, "SECONDS", 3600.0)


def large(name, dtype="float32", **more):
    """A call with everything that a version offers: two directions only where its fault needs them."""
    system = FAULTY[name][0]
    if name == "rotrnn-interleaved":
        return drawn(system, dtype, LARGE[system], two=True, seed=2)
    wanted = {"start": True, "reverse": name == "scan-reverse-ignored", "bars": "gradient" in name, "seed": 2}
    return drawn(system, dtype, LARGE[system], **wanted | ({"varying": True} if system == "scan" else {}) | more)


def failing(name, dtype="float32", calls=None):
    """The worst outside element of a version, as `check` asks for it."""
    declared = Arithmetic(dtype)
    made = InProcess(FAULTY[name][1], declared)

    def fails(call):
        if calls is not None:
            calls.append(call)
        verdict = judged(made.call(call), call, declared)
        return verdict.worst if verdict.verdict == "outside" else None

    return fails


def shrunk(name, domain=ANY, start=None, **more):
    start = large(name) if start is None else start
    return shrink(start, room_of(start.system), domain, failing(name, **more))


def sizes_of(call):
    """Of the axes that draws choose; of a state, its own size."""
    named = {"state": "head_dim"} if call.system.name == "rotrnn" else {}
    if call.system.name == "expm":
        return call.size("stack"), call.size("n")
    return tuple(call.size(named.get(axis, axis)) for axis in ("batch", *(a for a in LARGE[call.system.name] if a != "batch")))


def weight(call):
    arrays = call.arguments.values()
    return sum(x.size for x in arrays), sum(int(np.count_nonzero(x)) for x in arrays)


def bits(call):
    """Bits set in all numbers: rounding clears more than it sets, over a whole array."""
    return sum(int(np.unpackbits(np.ascontiguousarray(x).view(np.uint8)).sum()) for x in call.arguments.values())


def contents(call):
    return {name: x.tobytes() for name, x in call.arguments.items()}


def element(call, index=None):
    """Some element of the first result."""
    [result, *_] = call.system.results
    axes = tuple(call.layout.axes(result.axes))
    return Element(result.name, axes, index or (0,) * len(axes), 0.0, 1.0, 1.0, 0.5, 2.0)


# ---------------------------------------------------------------- smaller, and still failing
@pytest.mark.parametrize("name", SMALLEST)
def test_faults_shrink_to_what_they_need(name):
    start, calls = large(name), []
    before = contents(start)
    assert failing(name)(start) is not None
    smallest = shrunk(name, calls=calls)
    assert failing(name)(smallest) is not None
    assert sizes_of(smallest) == SMALLEST[name]
    assert weight(smallest) < weight(start)
    assert len(calls) > 5
    for call in calls:
        assert weight(call) <= weight(start)
        assert call.system is start.system
        assert {x.dtype for x in call.arguments.values()} <= {x.dtype for x in start.arguments.values()}
    assert contents(start) == before


@pytest.mark.parametrize("dtype", DTYPES)
def test_mutants_of_every_dtype_shrink_to_one_channel(dtype):
    names = ["scan-zeros", "scan-wrong-start", "scan-next-multiplier", *(["scan-conjugated"] if "complex" in dtype else [])]
    steps = {"scan-conjugated": 2} | {name: sizes[1] for name, sizes in SMALLEST.items()}
    for name in names:
        smallest = shrunk(name, start=large(name, dtype), dtype=dtype)
        batch, time, channels = sizes_of(smallest)
        assert (batch, channels) == (1, 1)
        assert time <= steps[name]


@pytest.mark.parametrize("dtype", ["float32", "complex64", "float64", "complex128"])
def test_a_carry_that_is_slightly_off_needs_a_chunk(dtype):
    start = large("scan-scales-carry", dtype)
    assert sizes_of(shrunk("scan-scales-carry", start=start, dtype=dtype)) == (1, 17, 1)


def test_numbers_get_short():
    """A fault that needs no special values is shown with one significant bit."""
    smallest = shrunk("scan-zeros")
    assert np.abs(np.frexp(smallest["b"])[0]).tolist() == [[[0.5]]]
    assert (smallest.get("h0"), smallest["lam"].shape) == (None, (1,))
    smallest = shrunk("lru-without-skip")
    assert np.abs(np.frexp(smallest["u"])[0]).tolist() == [[[0.5]]]
    assert np.abs(np.frexp(smallest["D"])[0]).tolist() == [0.5]
    assert smallest.get("h0") is None


@pytest.mark.parametrize("name", ["scan-zeros", "rotrnn-without-xi", "expm-transposed"])
def test_the_smallest_call_shrinks_to_itself(name):
    smallest = shrunk(name)
    assert shrunk(name, start=smallest) is smallest


@pytest.mark.parametrize("name", ["scan-scales-carry", "lru-pytorch-state", "rotrnn-without-xi", "expm-transposed"])
def test_shrinking_is_deterministic(name):
    first, second = (shrunk(name) for _ in range(2))
    assert contents(first) == contents(second)


@pytest.mark.parametrize("name", ["scan-zeros", "lru-without-skip"])
def test_what_needs_no_reverse_loses_it(name):
    start = large(name).but(reverse=True)
    assert shrunk(name, start=start).reverse is False
    assert shrunk("scan-reverse-ignored").reverse is True


def test_without_a_batch_axis_calls_stay_so():
    start, layer = bare(large("lru-without-skip")), FAULTY["lru-without-skip"][1]

    def fails(call):
        one = {name: x[None] if name in ("u", "h0") else x for name, x in call.keywords().items()}
        verdict = judged({"y": layer(**one)["y"][0]}, call, FLOAT32)
        return verdict.worst if verdict.verdict == "outside" else None

    smallest = shrink(start, room_of("lru"), ANY, fails)
    assert smallest["u"].shape == (1, 1)
    assert not smallest.layout.batched


GAPS = {  # a domain whose sizes have gaps that halving does not jump over, and what is left of 20 steps, 2 channels
    "lengths": (Domain(lengths=frozenset((3, 17, 20))), (1, 17, 1)),
    "no shorter one": (Domain(lengths=frozenset((16, 20))), (1, 20, 1)),
    "channels": (Domain(channels=frozenset((2,))), (1, 17, 2)),
}


@pytest.mark.parametrize(("domain", "sizes"), GAPS.values(), ids=GAPS)
def test_gaps_in_a_domain_are_jumped_over(domain, sizes):
    """A dropped carry needs 17 steps."""
    assert sizes_of(shrunk("scan-drops-carry", domain)) == sizes


def test_a_domain_of_many_sizes_costs_few_calls():
    """One call for each accepted size would use up all that shrinking may make."""
    assert sorted(module._steps_down(1000, frozenset(range(1, 1001)))) == [1, 3, 7, 15, 31, 62, 125, 250, 500, 999]
    assert sorted(module._steps_down(20, frozenset((3, 17, 20)))) == [3, 17]
    assert module._steps_down(3, frozenset((3, 17))) == set()


# ---------------------------------------------------------------- candidates
REGIMES = [("scan", {"lam": lam, "size": size, "varying": number % 2 == 0})
           for number, (lam, size) in enumerate(zip(scan.LAMBDAS, scan.SIZES, strict=True))]  # fmt: skip
REGIMES += [(system, {"modulus": modulus, "size": size})
            for system in LAYERS for modulus, size in zip(layers.MODULI, layers.INPUTS, strict=True)]  # fmt: skip
REGIMES += [("expm", {"norm": norm}) for norm in (0.05, 3.0, 100.0)]


@pytest.mark.parametrize(("system", "regime"), REGIMES, ids=str)
@pytest.mark.parametrize("two", [False, True])
def test_every_candidate_is_a_proper_smaller_call(system, regime, two):
    """Finite, of the same names, never empty, never larger; the boldest steps first."""
    start = drawn(system, "float32", SMALL[system] | {"time": 4}, start=True, bars=True, two=two and system in LAYERS, **regime)
    start = start.but(reverse=SYSTEMS[system].timed)
    kept = (1,) * len(element(start).axes)
    found = list(simpler(start, room_of(system), ANY, element(start, kept)))
    assert len(found) > 5
    for call in found:
        assert fits(call)
        assert min(size for size, _ in call.layout.sizes.values()) >= 1
        assert all(np.isfinite(x).all() for x in call.arguments.values())
        assert call.expected("float32").keys() == start.expected("float32").keys()
        lighter = weight(call) < weight(start) or bits(call) < bits(start)
        assert lighter or (start.reverse and not call.reverse)
    if SYSTEMS[system].timed:
        assert [call.size("batch") for call in found[:2]] == [1, 1]
        assert contents(found[0]) == contents(start.take("batch", [1]))  # the row of the failing element


def test_rotations_keep_whole_pairs():
    start = large("rotrnn-without-xi")
    for call in simpler(start, room_of("rotrnn"), ANY, element(start)):
        assert call["M"].shape[1] % 2 == 0
        assert call["C"].shape[1] == call["M"].shape[0] * call["M"].shape[1]
        assert call["theta"].shape == (call["M"].shape[0], call["M"].shape[1] // 2)


def test_simpler_exponentials_are_of_skew_matrices():
    start = drawn("expm", sizes={"n": 4}, seed=1)
    found = list(simpler(start, room_of("expm"), Domain(states=frozenset({2, 3, 4})), element(start, (1, 0, 0))))
    assert contents(found[0]) == {"S": start["S"][1:].tobytes()}
    assert {call.size("n") for call in found} == {2, 3, 4}
    for call in found:
        assert (call["S"] == -call["S"].swapaxes(1, 2)).all()


def test_what_something_divides_by_is_not_rounded_away():
    """A candidate with B = 0 would be no call of RotRNN."""
    call = drawn("rotrnn")
    assert fits(call)
    assert not fits(call.but(B=0 * call["B"]))


def test_blocks_and_roundings():
    assert list(blocks(4)) == [slice(0, 2), slice(2, 4), slice(0, 1), slice(1, 2), slice(2, 3), slice(3, 4)]
    assert list(blocks(1)) == []
    x = np.array([1.75, -3.1, 0.0, 5e-324])
    assert rounded(x, 1).tolist() == [2, -4, 0, 5e-324]
    assert rounded(np.array([1.75 + 3.1j], "complex64"), 2)[0] == 2 + 3j


# ---------------------------------------------------------------- inside the domain
LONG = {"time": 40, "channels": 3}
DOMAINS = [
    ("scan-zeros", {"lam": "varying"}),
    ("scan-zeros", {"lam": "constant"}),
    ("scan-zeros", {"lengths": {40, 20, 10}}),
    ("scan-zeros", {"channels": {3}}),
    ("scan-zeros", {"lam": "varying", "lengths": {40}, "channels": {3, 1}}),
    ("lru-without-skip", {"lengths": {18, 9, 5}}),
    ("lru-without-skip", {"states": {4}}),
    ("rotrnn-without-xi", {"channels": {2}}),
    ("rotrnn-without-xi", {"lengths": {18}, "channels": {2}, "states": {4}}),
    ("expm-transposed", {"states": {4, 3}}),
]


@pytest.mark.parametrize(("name", "words"), DOMAINS, ids=str)
def test_no_call_leaves_the_domain(name, words):
    domain = Domain(**{word: x if isinstance(x, str) else frozenset(x) for word, x in words.items()})
    room, calls = room_of(FAULTY[name][0]), []
    start = large(name)
    if name == "scan-zeros":
        start = drawn("scan", "float32", LONG, start=True, varying=domain.lam != "constant")
    smallest = shrunk(name, domain, start, calls=calls)
    assert weight(smallest) < weight(start)
    assert all(room.holds(call, domain) for call in calls)
    for word, axis in room.axes.items():
        accepted = getattr(domain, word)
        assert accepted is None or smallest.size(axis) == min(accepted)


# ---------------------------------------------------------------- an end to it
@pytest.mark.parametrize("name", ["lru-plain", "rotrnn-plain"])
def test_what_does_not_fail_again_is_left_alone(name):
    start = large(name)
    assert shrunk(name, start=start) is start


def endless(call):
    return element(call)


@pytest.mark.parametrize("seed", range(4))
def test_a_flaky_implementation_ends_with_the_last_call_that_failed(seed):
    rng, failed = np.random.default_rng(seed), []

    def flaky(call):
        if failed and rng.random() < 0.7:
            return None
        failed.append(call)
        return element(call, tuple(int(rng.integers(n)) for n in call["b"].shape))

    start = drawn("scan", sizes={"batch": 3, "time": 50, "channels": 4}, varying=True)
    assert shrink(start, room_of("scan"), ANY, flaky) is failed[-1]
    assert failed[0] is start


@pytest.mark.parametrize("system", SYSTEMS)
def test_what_always_fails_ends_within_the_calls(system):
    calls = []

    def always(call):
        calls.append(call)
        return element(call)

    start = case(system, sizes={"time": 60}).call()
    smallest = shrink(start, room_of(system), ANY, always)
    assert all(size <= 2 for size, _ in smallest.layout.sizes.values())
    assert len(calls) <= module.CALLS + 1


def test_time_and_calls_are_limited(monkeypatch):
    calls, start = [], drawn("scan", sizes=LONG, varying=True)

    def late(call):
        calls.append(call)
        return element(call, (0, 39, 0)) if call.size("time") == 40 else None

    with monkeypatch.context() as patched:
        patched.setattr(module, "CALLS", 3)
        shrink(start, room_of("scan"), ANY, late)
        assert len(calls) == 4  # the first one asks where it fails
    calls.clear()
    with monkeypatch.context() as patched:
        patched.setattr(module, "SECONDS", -1.0)
        assert shrink(start, room_of("scan"), ANY, late) is start
        assert len(calls) == 1

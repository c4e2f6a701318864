"""Shrinking calls of layers: smaller, still failing, deterministic, inside the domain, and an end to it."""

from dataclasses import replace

import numpy as np
import pytest
from scanproof.properties.layer_draws import INPUTS, MODULI, LayerDraw, Sizes
from scanproof.properties.layer_shrink import simpler_layers
from scanproof.properties.layer_verdict import judge_call
from scanproof.properties.strategies import Domain

from scanproof.properties.implementation import InProcess
from scanproof.properties.shrink import shrink
from scanproof.properties.versions.versions import VERSIONS
from scanproof.reference.arithmetic.declaration import Arithmetic

FLOAT32, ANY = Arithmetic("float32", stages="formed"), Domain()
BY_NAME = {version.name: version for version in VERSIONS}
SMALLEST = {  # batch, time, width, states of a head, heads: what a fault needs
    "lru-without-skip": (1, 1, 1, 1, 1),
    "lru-conjugated": (1, 2, 1, 1, 1),
    "lru-pytorch-state": (2, 1, 1, 1, 1),
    "lru-drops-carry": (1, 17, 1, 1, 1),
    "lru-gradient-h0": (1, 1, 1, 1, 1),
    "rotrnn-without-xi": (1, 1, 1, 2, 1),
    "rotrnn-drops-carry": (1, 17, 1, 2, 1),
    "rotrnn-halves": (1, 2, 1, 4, 1),  # with two coordinates, both are one pair
    "rotrnn-interleaved": (1, 1, 1, 2, 2),  # with one head there is nothing to interleave
    "rotrnn-gradient-theta": (1, 2, 1, 2, 1),
}


LARGE = Sizes(batch=2, time=18, width=2, state=4, heads=2)


def large(name, reverse=False):
    """A call with everything that a version offers: two directions only where its fault needs them."""
    draw = LayerDraw(BY_NAME[name].system, FLOAT32, ANY, LARGE, seed=2)
    call = draw.call(bidirectional=name == "rotrnn-interleaved")
    if name == "rotrnn-interleaved":
        return call
    call = replace(call, h0=draw.states(call), reverse=reverse)
    return replace(call, y_bar=draw.cotangents()) if "gradient" in name else call


def failing(name, calls=None):
    """The index of the worst outside element of a version, as `check` asks for it."""
    made = InProcess(BY_NAME[name].implementation, FLOAT32)

    def fails(call):
        if calls is not None:
            calls.append(call)
        verdict = judge_call(made.call(call), call, FLOAT32)
        return verdict.worst.index if verdict.verdict == "outside" else None

    return fails


def sizes_of(call):
    features = call.params.nu_log.shape if call.system == "lru" else call.params.M.shape[1:2]
    return (*call.u.shape, *features, 1 if call.system == "lru" else len(call.params.M))


def arrays(call):
    return [x for x in (*call.named.values(), call.u, call.h0, call.y_bar) if x is not None]


def weight(call):
    return sum(x.size for x in arrays(call)), sum(int(np.count_nonzero(x)) for x in arrays(call))


def bits(call):
    """Bits set in all numbers: rounding clears more than it sets, over a whole array."""
    return sum(int(np.unpackbits(x.view(np.uint8)).sum()) for x in map(np.ascontiguousarray, arrays(call)))


# ---------------------------------------------------------------- smaller, and still failing
@pytest.mark.parametrize("name", SMALLEST)
def test_faults_shrink_to_what_they_need(name):
    start, calls = large(name), []
    fails = failing(name, calls)
    assert fails(start) is not None
    smallest = shrink(start, ANY, fails, simpler_layers)
    assert failing(name)(smallest) is not None
    assert sizes_of(smallest) == SMALLEST[name]
    assert weight(smallest) < weight(start)
    assert len(calls) > 5
    for call in calls:
        assert weight(call) <= weight(start)
        assert type(call.params) is type(start.params)
        assert call.entered.u.shape == call.u.shape
        assert {x.dtype for x in arrays(call)} <= {x.dtype for x in arrays(start)}


def test_numbers_get_short():
    smallest = shrink(large("lru-without-skip"), ANY, failing("lru-without-skip"), simpler_layers)
    assert np.abs(np.frexp(smallest.u)[0]).tolist() == [[[0.5]]]
    assert np.abs(np.frexp(smallest.params.D)[0]).tolist() == [0.5]
    assert smallest.h0 is None


def test_the_smallest_call_shrinks_to_itself():
    fails = failing("rotrnn-without-xi")
    smallest = shrink(large("rotrnn-without-xi"), ANY, fails, simpler_layers)
    assert shrink(smallest, ANY, fails, simpler_layers) is smallest


@pytest.mark.parametrize("name", ["lru-pytorch-state", "rotrnn-without-xi"])
def test_shrinking_is_deterministic_and_leaves_the_call_alone(name):
    start = large(name)
    before = [x.tobytes() for x in arrays(start)]
    first, second = (shrink(start, ANY, failing(name), simpler_layers) for _ in range(2))
    assert [x.tobytes() for x in arrays(first)] == [x.tobytes() for x in arrays(second)]
    assert [x.tobytes() for x in arrays(start)] == before


def test_what_does_not_fail_is_left_alone():
    for name in ("lru-plain", "rotrnn-plain"):
        start = large(name)
        assert shrink(start, ANY, failing(name), simpler_layers) is start


def test_what_needs_no_reverse_loses_it():
    smallest = shrink(large("lru-without-skip", reverse=True), ANY, failing("lru-without-skip"), simpler_layers)
    assert smallest.reverse is False


# ---------------------------------------------------------------- candidates
@pytest.mark.parametrize("system", ["lru", "rotrnn"])
@pytest.mark.parametrize("two", [False, True])
@pytest.mark.parametrize("sparse", [False, True])
def test_every_candidate_is_a_proper_smaller_call(system, two, sparse):
    for seed, (modulus, size) in enumerate(zip(MODULI, INPUTS, strict=True)):
        draw = LayerDraw(system, FLOAT32, ANY, Sizes(2, 4, 2, 4, 2), modulus, size, seed)
        start = draw.call(sparse, two)
        start = replace(start, h0=draw.states(start), reverse=True, y_bar=draw.cotangents())
        found = list(simpler_layers(start, ANY, (1, 2, 0)))
        assert len(found) > 10
        for call in found:
            assert call.entered.y_bar.shape == call.u.shape
            assert all(np.isfinite(x).all() for x in arrays(call))
            assert call.expected(FLOAT32).keys() == start.expected(FLOAT32).keys()
            simpler = weight(call) < weight(start) or bits(call) < bits(start)
            assert simpler or (start.reverse and not call.reverse)
        assert [call.u.shape[0] for call in found[:2]] == [1, 1]
        assert found[0].u.tobytes() == start.u[1:].tobytes()


@pytest.mark.parametrize(
    "domain",
    [
        Domain(lengths=frozenset({18, 9, 5})),
        Domain(channels=frozenset({2})),
        Domain(states=frozenset({4})),
        Domain(lengths=frozenset({18}), channels=frozenset({2}), states=frozenset({4})),
    ],
)
@pytest.mark.parametrize("name", ["lru-without-skip", "rotrnn-without-xi"])
def test_no_call_leaves_the_domain(domain, name):
    calls, start = [], large(name)
    smallest = shrink(start, domain, failing(name, calls), simpler_layers)
    assert weight(smallest) < weight(start)
    for call in calls:
        _, time, width, state, _ = sizes_of(call)
        assert domain.accepts(time)
        assert domain.channels is None or width in domain.channels
        assert domain.states is None or state in domain.states
    wanted = [(domain.lengths, 1), (domain.channels, 2), (domain.states, 3)]
    for accepted, axis in wanted:
        if accepted is not None:
            assert sizes_of(smallest)[axis] == min(accepted)


def test_rotations_keep_whole_pairs():
    start = large("rotrnn-without-xi")
    for call in simpler_layers(start, ANY, (0, 0, 0)):
        assert call.params.M.shape[1] % 2 == 0
        assert call.params.C.shape[1] == call.params.M.shape[0] * call.params.M.shape[1]

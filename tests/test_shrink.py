"""Shrinking: smaller calls that still fail, inside the domain, and an end to it."""

import numpy as np
import pytest
from scanproof.properties.strategies import LAMBDAS, SIZES, Domain, Draw

from scanproof.properties import shrink as module
from scanproof.properties.shrink import shrink
from scanproof.properties.verdict import judge_inputs
from scanproof.properties.versions.scan import mutants
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.formats import DTYPES
from scanproof.reference.transitions.diagonal import scan

ANY = Domain()


def large(dtype="float32", varying=True, lam="half", size="unit", shape=(2, 40, 3), reverse=False):
    return Draw(Arithmetic(dtype), ANY, shape, varying, lam, size, seed=1).inputs(h0=True, reverse=reverse)


def failing(scan_of, arithmetic, calls=None):
    """The index of the worst outside element of a mutant, as `check` asks for it."""

    def fails(inputs):
        if calls is not None:
            calls.append(inputs)
        verdict = judge_inputs(scan_of(inputs.lam, inputs.b, inputs.h0, inputs.reverse), inputs, arithmetic)
        return verdict.worst.index if verdict.verdict == "outside" else None

    return fails


def weight(inputs):
    arrays = [x for x in (inputs.lam, inputs.b, inputs.h0) if x is not None]
    return sum(x.size for x in arrays), sum(int(np.count_nonzero(x)) for x in arrays)


# ---------------------------------------------------------------- smaller, and still failing
SMALLEST = {  # steps that the fault needs when there is no h0
    "zeros": 1, "input": 2, "drops-carry": 17, "scales-carry": 17, "off-by-one": 1, "conjugated": 2,
    "wrong-start": 1, "tail-chunk": 17, "next-multiplier": 2, "reverse-ignored": 2,
}  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_mutant_shrinks_to_one_channel_and_the_fewest_steps(dtype):
    coarse = Arithmetic(dtype).coarse  # 1e-5 of a carry is below the last of 11 bits
    for mutant in (mutant for mutant in mutants(dtype) if not (coarse and mutant.name == "scales-carry")):
        start = large(dtype, shape=(2, 20, 2), reverse=mutant.name == "reverse-ignored")
        fails = failing(mutant.scan, Arithmetic(dtype))
        assert fails(start) is not None
        smallest = shrink(start, ANY, fails)
        assert fails(smallest) is not None
        assert weight(smallest) < weight(start)
        batch, time, channels = smallest.b.shape
        assert (batch, channels) == (1, 1)
        assert time <= SMALLEST[mutant.name], mutant.name


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("lam", LAMBDAS)
def test_every_candidate_is_a_proper_call_in_every_regime(size, lam):
    """Finite, of the same dtype, never empty, never larger, in both directions; and the caller's arrays stay as they were."""
    for reverse in (False, True):
        start = large("complex64", lam=lam, size=size, shape=(2, 9, 2), reverse=reverse)
        before, calls = [x.tobytes() for x in (start.lam, start.b, start.h0)], []
        shrink(start, ANY, failing(mutants("float32")[0].scan, Arithmetic("complex64"), calls))
        for inputs in calls:
            batch, _, channels = inputs.b.shape
            assert min(inputs.b.shape) >= 1
            assert inputs.lam.shape in {(channels,), inputs.b.shape}
            assert inputs.h0 is None or inputs.h0.shape == (batch, channels)
            for x in (inputs.lam, inputs.b, inputs.start):
                assert x.dtype == np.complex64
                assert np.isfinite(x).all()
            assert weight(inputs) <= weight(start)
        assert len(calls) > 5
        assert before == [x.tobytes() for x in (start.lam, start.b, start.h0)]


def test_numbers_get_short():
    """A fault that needs no special values is shown with one significant bit."""
    smallest = shrink(large(), ANY, failing(mutants("float32")[0].scan, Arithmetic("float32")))
    assert np.abs(np.frexp(smallest.b)[0]).tolist() == [[[0.5]]]
    assert smallest.h0 is None
    assert smallest.lam.shape == (1,)


def test_the_smallest_call_shrinks_to_itself():
    fails = failing(mutants("float32")[0].scan, Arithmetic("float32"))
    smallest = shrink(large(), ANY, fails)
    again = shrink(smallest, ANY, fails)
    assert weight(again) == weight(smallest)
    assert again is smallest


def test_shrinking_is_deterministic():
    fails = failing(mutants("float32")[3].scan, Arithmetic("float32"))
    first, second = (shrink(large(shape=(2, 18, 1)), ANY, fails) for _ in range(2))
    assert [x.tobytes() for x in (first.lam, first.b)] == [x.tobytes() for x in (second.lam, second.b)]


# ---------------------------------------------------------------- inside the domain
@pytest.mark.parametrize(
    "domain",
    [
        Domain(lam="varying"),
        Domain(lam="constant"),
        Domain(lengths=frozenset({40, 20, 7})),
        Domain(channels=frozenset({3})),
        Domain(lam="varying", lengths=frozenset({40}), channels=frozenset({3, 1})),
    ],
)
def test_no_call_leaves_the_domain(domain):
    calls = []
    start = large(varying=domain.lam != "constant")
    smallest = shrink(start, domain, failing(mutants("float32")[0].scan, Arithmetic("float32"), calls))
    assert weight(smallest) < weight(start)
    for inputs in calls:
        assert domain.accepts(inputs.b.shape[1])
        assert domain.channels is None or inputs.b.shape[2] in domain.channels
        assert domain.lam == "both" or inputs.varying == (domain.lam == "varying")


# ---------------------------------------------------------------- an end to it
def test_what_does_not_fail_again_is_left_alone():
    start = large()
    assert shrink(start, ANY, failing(scan, Arithmetic("float32"))) is start


@pytest.mark.parametrize("seed", range(4))
def test_a_flaky_implementation_ends_with_the_last_call_that_failed(seed):
    rng, failed = np.random.default_rng(seed), []

    def flaky(inputs):
        if failed and rng.random() < 0.7:
            return None
        failed.append(inputs)
        return tuple(int(rng.integers(n)) for n in inputs.b.shape)

    start = large(shape=(3, 50, 4))
    assert shrink(start, ANY, flaky) is failed[-1]
    assert failed[0] is start


def test_what_always_fails_ends_within_the_calls():
    calls = []

    def always(inputs):
        calls.append(inputs)
        return 0, 0, 0

    smallest = shrink(large(shape=(3, 200, 4)), ANY, always)
    assert smallest.b.shape == (1, 1, 1)
    assert len(calls) <= module.CALLS + 1


def test_time_and_calls_are_limited(monkeypatch):
    calls = []

    def late(inputs):
        calls.append(inputs)
        return (0, 39, 0) if inputs.b.shape[1] == 40 else None

    with monkeypatch.context() as patched:
        patched.setattr(module, "CALLS", 3)
        shrink(large(), ANY, late)
        assert len(calls) == 4  # the first one asks where it fails
    calls.clear()
    with monkeypatch.context() as patched:
        patched.setattr(module, "SECONDS", -1.0)
        start = large()
        assert shrink(start, ANY, late) is start
        assert len(calls) == 1

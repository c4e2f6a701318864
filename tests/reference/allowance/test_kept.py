"""Answers that are kept: given again to the same question only, and never changed."""

from dataclasses import replace

import numpy as np
import pytest
from calls import drawn

from scanproof.reference.allowance import certificate
from scanproof.reference.allowance.kept import LARGEST, kept
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Inputs

LAM, B, H0 = np.full(2, 0.5, np.float32), np.ones((1, 3, 2), np.float32), np.ones((1, 2), np.float32)
ASKED = Inputs(LAM, B, H0)
FLOAT32 = Arithmetic("float32")


@pytest.fixture
def counted():
    """A function that is kept, and what it was asked."""
    seen = []

    @kept
    def sums(inputs, arithmetic):
        seen.append((inputs, arithmetic))
        return {"sum": (inputs.b.sum(axis=1), [inputs.b + 1])}

    return sums, seen


def test_the_same_numbers_are_the_same_question(counted):
    sums, seen = counted
    first = sums(ASKED, FLOAT32)
    assert sums(Inputs(LAM.copy(), B.copy(), H0.copy()), Arithmetic("float32")) is first
    assert len(seen) == 1


@pytest.mark.parametrize("other", [
    (replace(ASKED, reverse=True), FLOAT32),
    (replace(ASKED, h0=None), FLOAT32),
    (replace(ASKED, h0=-0.0 * H0), FLOAT32),
    (replace(ASKED, b=B.reshape(3, 1, 2)), FLOAT32),
    (replace(ASKED, b=B.view(np.int32)), FLOAT32),
    (replace(ASKED, b=np.nextafter(B, np.float32(2))), FLOAT32),
    (ASKED, Arithmetic("float32", order="sequential")),
])  # fmt: skip
def test_any_other_question_is_answered_by_itself(counted, other):
    sums, seen = counted
    sums(ASKED, FLOAT32)
    sums(replace(ASKED, h0=0.0 * H0), FLOAT32)
    sums(*other)
    assert len(seen) == 3


def test_arrays_that_the_caller_changes_later_are_another_question(counted):
    sums, seen = counted
    b = B.copy()
    sums(replace(ASKED, b=b), FLOAT32)
    b[0, 1, 1] = 7
    assert sums(replace(ASKED, b=b), FLOAT32)["sum"][0].tolist() == [[3, 9]]
    assert sums(ASKED, FLOAT32)["sum"][0].tolist() == [[3, 3]]
    assert len(seen) == 2


def test_answers_cannot_be_changed(counted):
    total, [more] = counted[0](ASKED, FLOAT32)["sum"]
    for array in (total, more):
        with pytest.raises(ValueError, match="read-only"):
            array += 1


def test_large_questions_are_asked_each_time(counted):
    sums, seen = counted
    large = replace(ASKED, b=np.ones((1, LARGEST, 2), np.float32))
    sums(large, FLOAT32)
    sums(large, FLOAT32)
    assert len(seen) == 2


@pytest.mark.parametrize("system", ["lru", "rotrnn"])
def test_what_is_kept_of_a_layer_does_not_hold_its_arguments(system):
    """Else a caller who changes them would change what was proved."""
    call = drawn(system, FLOAT32, {"batch": 2, "time": 3, "width": 2}, bars=True)
    for found in (certificate.outputs(call, FLOAT32), certificate.pulled_back(call, FLOAT32)):
        assert found
        for name, each in found.items():
            for array in (*each.truth, each.bound, each.unstored, each.carried):
                assert array is None or not any(np.shares_memory(array, x) for x in call.arguments.values()), name

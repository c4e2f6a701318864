"""What each version of a layer computes, on balls: equal is overlapping and tight, different is disjoint.

The suite's verdicts on them, in floats, are another matter.
"""

import inspect
from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import flint
import numpy as np
import pytest
from flint import acb
from layer_truth import BITS, TIGHT, agree, ball

from scanproof.properties.versions import lru as lru_versions
from scanproof.properties.versions import rotrnn as rotrnn_versions
from scanproof.properties.versions.plain_lru import Lru
from scanproof.properties.versions.plain_rotrnn import RotRnn
from scanproof.properties.versions.plain_scan import CHUNK
from scanproof.properties.versions.versions import ACCEPTED, AFTER, EXPECTED, REJECTED, VERSIONS
from scanproof.reference import lru, rotrnn
from scanproof.reference.layers import mapped
from scanproof.reference.numbers import namespace

SYSTEMS = {"lru": lru, "rotrnn": rotrnn}
BY_NAME = {version.name: version for version in VERSIONS}
TIME = CHUNK + 2  # faults of the carry need more than a chunk
GRADIENTS = {  # the only results that such a fault spoils
    "lru-gradient-theta": {"gradient theta_log"},
    "lru-gradient-h0": {"gradient h0"},
    "rotrnn-gradient-M": {"gradient M"},
    "rotrnn-gradient-B": {"gradient B"},
    "rotrnn-gradient-theta": {"gradient theta"},
    "rotrnn-gradient-h0": {"gradient h0", "gradient M"},  # P takes h0 into the rotated basis
}
READOUTS = ["lru-without-skip", "lru-real-before-C", "rotrnn-without-skip"]
SHAPES = {"rotrnn-B-as-output": (2, 2, TIME, 4), "rotrnn-D-batch": (TIME, 2)}  # of what is handed out as y


@pytest.fixture(autouse=True)
def _precision():
    with flint.ctx.workprec(BITS):
        yield


def named(expected):
    return [version.name for version in VERSIONS if version.expected == expected]


def problem(system, two=False, dtype=np.float64, head_dim=4):
    """Parameters (LRU's gamma is not the initial one), u, h0 and y_bar of a batch of two."""
    rng = np.random.default_rng(7)
    if system == "lru":
        params, state = lru.init(rng, 2, 2, bidirectional=two, dtype=dtype), (2,)
        params = replace(params, gamma_log=params.gamma_log + dtype(0.5))
    else:
        params, state = rotrnn.init(rng, 2, head_dim, 2, bidirectional=two, dtype=dtype), (2, head_dim)
    u, y_bar = (rng.standard_normal((2, TIME, 2)).astype(dtype) for _ in range(2))
    h0 = rng.standard_normal((2, *[2] * two, *state)).astype(dtype)
    return params, u, h0 + 1j * h0[::-1] if system == "lru" else h0, y_bar


def exact(system, two, **sizes):
    params, *arrays = problem(system, two, **sizes)
    return mapped(params, ball), *map(ball, arrays)


def offered(version):
    return set(inspect.signature(version.implementation).parameters)


def cases(version):
    """(two directions, reverse, initial state) of all that the version offers."""
    choices = [[False, True] if keywords & offered(version) else [False] for keywords in ({"C2", "C2_re"}, {"reverse"}, {"h0"})]
    return [(two, reverse, start) for two in choices[0] for reverse in choices[1] for start in choices[2]]


def flat(result):
    """y, or a mapping over y, h and grads, as one mapping."""
    result = dict(result) if isinstance(result, Mapping) else {"y": result}
    return {f"gradient {name}": x for name, x in result.pop("grads", {}).items()} | result


def called(version, params, u, h0, y_bar, reverse, start):
    """All that the version gives for these parameters."""
    optional = {"reverse": reverse, "y_bar": y_bar} | ({"h0": h0} if start else {})
    given = {name: x for name, x in vars(params).items() if x is not None} | {"u": u}
    return flat(version.implementation(**given, **{name: x for name, x in optional.items() if name in offered(version)}))


@cache
def truth(system, two, reverse, start):
    """The reference on the same balls."""
    params, u, h0, y_bar = exact(system, two)
    y, h = SYSTEMS[system].forward(params, u, h0 if start else None, reverse)
    grads = vars(SYSTEMS[system].vjp(params, u, y_bar, h0 if start else None, reverse))
    return flat({"y": y, "h": h, "grads": grads})


def found(version, case, change=lambda params: params):
    two, reverse, start = case
    params, *arrays = exact(version.system, two)
    return called(version, change(params), *arrays, reverse, start)


def disjoint(x, y):
    """Whether somewhere two balls have no common number, or the shapes differ."""
    return x.shape != y.shape or any(not acb(a).overlaps(acb(b)) for a, b in zip(x.flat, y.flat, strict=True))


def wrong(version, case, change=lambda params: params):
    """The results that are disjoint from the reference; every other one is equal to it."""
    right, got = truth(version.system, *case), found(version, case, change)
    spoiled = {name for name, x in got.items() if disjoint(x, right[name])}
    assert all(agree(got[name], right[name]) for name in got.keys() - spoiled)
    return spoiled


def test_the_table_is_sound():
    assert len(BY_NAME) == len(VERSIONS)
    assert {version.expected for version in VERSIONS} == set(EXPECTED)
    assert all((version.expected == AFTER) == (version.reparameterisation is not None) for version in VERSIONS)
    assert all(version.system in SYSTEMS and version.name.startswith(version.system) for version in VERSIONS)
    assert all(version.behaviour and version.provenance for version in VERSIONS)


@pytest.mark.parametrize("name", named(ACCEPTED))
def test_accepted_is_equal_to_the_reference(name):
    for case in cases(BY_NAME[name]):
        assert wrong(BY_NAME[name], case) == set()


@pytest.mark.parametrize(("layer", "system"), [(Lru(), "lru"), (RotRnn(), "rotrnn")])
def test_the_honest_layers_offer_everything(layer, system):
    version = BY_NAME[f"{system}-plain"]
    assert type(version.implementation) is type(layer)
    for case in cases(version):
        assert found(version, case).keys() == {name for name, x in truth(system, *case).items() if x is not None}
    assert len(cases(version)) == 8
    y = found(version, (False, False, True))["y"]
    y[0, 0, 0] += 4 * TIGHT
    assert not agree(y, truth(system, False, False, True)["y"])


@pytest.mark.parametrize("name", named(AFTER))
def test_after_reparameterisation_is_equal_and_before_is_not(name):
    version, before = BY_NAME[name], set()
    for case in cases(version):
        before |= wrong(version, case)
        assert wrong(version, case, version.reparameterisation) == set()
    assert before == set(found(version, cases(version)[0]))
    assert {"reverse", "h0", "y_bar"}.isdisjoint(offered(version))


@pytest.mark.parametrize("name", named(REJECTED))
def test_rejected_is_different_somewhere(name):
    version = BY_NAME[name]
    spoiled = set().union(*(wrong(version, case) for case in cases(version)))
    assert spoiled
    if name in GRADIENTS:
        assert spoiled == GRADIENTS[name]
    if name in READOUTS:
        assert "h" in found(version, (False, False, False))
        assert "h" not in spoiled


def test_every_gradient_fault_is_in_the_table():
    assert GRADIENTS.keys() == {name for name in BY_NAME if "-gradient-" in name}
    assert set(READOUTS) <= set(named(REJECTED))


@pytest.mark.parametrize("name", SHAPES)
def test_what_is_no_output_is_rejected_by_its_shape(name):
    assert found(BY_NAME[name], (False, False, False))["y"].shape == SHAPES[name]


def test_versions_B_and_C_need_the_inverse_of_what_they_do():
    """They put P^2 B where the model has B: version(P^-2 B) = model(B), version(B) = model(P^2 B), not the other way round."""
    def squared(params):
        return replace(params, B=namespace.of(params.M).expm(2 * (params.M - params.M.swapaxes(1, 2))) @ params.B)

    params, u, *_ = exact("rotrnn", False)
    y, h = rotrnn.forward(squared(params), u)
    for name, expected in (("rotrnn-B", {"h": h}), ("rotrnn-C", {"y": y})):
        assert wrong(BY_NAME[name], (False, False, False), squared) == set(expected)
        got = found(BY_NAME[name], (False, False, False))
        assert all(agree(got[key], expected[key]) for key in expected)


def test_the_cascade_of_version_C_is_no_relabelling():
    version, two = BY_NAME["rotrnn-C-two-directions"], (True, False, False)
    assert wrong(version, (False, False, False), rotrnn_versions.turned_B) == set()
    assert wrong(version, two, lambda params: rotrnn_versions.turned_B(rotrnn_versions.relabelled(params))) == {"y"}


def test_versions_of_a_batch_call_D():
    case = (False, False, False)
    batch, single = (found(BY_NAME[name], case)["y"] for name in ("rotrnn-D-batch", "rotrnn-D"))
    assert agree(batch, single[0])
    assert disjoint(batch, single[1])


def test_the_sign_of_S_is_version_D_without_its_logarithm():
    assert wrong(BY_NAME["rotrnn-sign-of-S"], (False, False, True), lambda params: replace(params, M=-params.M)) >= {"gradient M"}
    assert "y" not in wrong(BY_NAME["rotrnn-sign-of-S"], (False, False, True), lambda params: replace(params, M=-params.M))


@pytest.mark.parametrize("name", ["rotrnn-halves", "rotrnn-tiled-angles"])
def test_one_pair_hides_which_coordinates_belong_together(name):
    """A suite that draws head_dim 2 only would accept them."""
    params, u, h0, y_bar = exact("rotrnn", False, head_dim=2)
    y, _ = rotrnn.forward(params, u, h0)
    assert agree(called(BY_NAME[name], params, u, h0, y_bar, False, True)["y"], y)


@pytest.mark.parametrize("name", ["lru-real-accumulation", "lru-pytorch-state"])
def test_without_an_initial_state_its_faults_do_not_show(name):
    for two, reverse in [(False, False), (True, True)]:
        assert wrong(BY_NAME[name], (two, reverse, False)) == set()
    right, got = truth("lru", False, False, True), found(BY_NAME[name], (False, False, True))
    assert agree(got["y"][:1], right["y"][:1]) == (name == "lru-pytorch-state")
    assert disjoint(got["y"][1:], right["y"][1:])


@pytest.mark.parametrize("system", SYSTEMS)
def test_faults_of_the_carry_need_more_than_a_chunk(system):
    for fault in ("drops-carry", "scales-carry"):
        version, case = BY_NAME[f"{system}-{fault}"], (False, False, True)
        got, right = found(version, case), truth(system, *case)
        assert agree(got["h"][:, :CHUNK], right["h"][:, :CHUNK])
        assert disjoint(got["h"][:, CHUNK], right["h"][:, CHUNK])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", BY_NAME)
def test_floats_keep_the_contract(name, dtype):
    """Shapes (but where they are the fault) and dtypes as the reference's, inputs untouched: a rejection is about values."""
    version = BY_NAME[name]
    for two, reverse, start in cases(version):
        params, u, h0, y_bar = problem(version.system, two, dtype)
        inputs = [x for x in (*vars(params).values(), u, h0, y_bar) if x is not None]
        contents = [x.tobytes() for x in inputs]
        got = called(version, params, u, h0, y_bar, reverse, start)
        right = truth(version.system, two, reverse, start)
        complex_too = {"h", "gradient h0"} if version.system == "lru" else set()
        for key, x in got.items():
            assert x.dtype == (np.result_type(dtype, np.complex64) if key in complex_too else dtype), key
            assert (x.shape == right[key].shape) == (name not in SHAPES), key
        assert contents == [x.tobytes() for x in inputs]


def test_doubling_pads_to_a_power_of_two():
    log_lam = ball(np.array([-0.5 + 1j, -0.125 - 2j]))
    for time in (1, 2, 3, 8, 9):
        b = ball(np.random.default_rng(time).standard_normal((2, time, 2)))
        assert agree(lru_versions.doubling(log_lam, b), Lru().scan(Lru().advance(np.exp(log_lam)), b, None, False))

"""Implementations to check: our kernels, and those in jax; and the order `angle-sum`, honest and spoiled."""

import importlib
import inspect
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from angle_sums import ORDERS, case, late, layer, powers, then, turned
from calls import drawn

from scanproof.benchmarks.peers import PEERS, subjects
from scanproof.benchmarks.peers.subject import Subject
from scanproof.properties.check import check
from scanproof.properties.domain import Domain
from scanproof.properties.verdict import judged
from scanproof.reference.allowance.certificate import outputs, pulled_back
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.call import Call, called
from scanproof.reference.layers import named
from scanproof.reference.systems import SYSTEMS, system_of
from scanproof.reference.systems.rotrnn import SYSTEM, Params

FEW = Domain(lengths=frozenset({1, 2, 7, 16, 17, 33}))
ADDED = Arithmetic("float32", order="angle-sum", stages="formed")
LAYERS = [subject for subject in subjects() if "layer" in system_of(subject.system).features]
OURS = [subject for subject in LAYERS if subject.ours]
JAX = [subject for subject in subjects() if subject.needs == "jax"]


def function(subject):
    module, name = subject.target.split(":")
    return getattr(importlib.import_module(module), name)


# ---------------------------------------------------------------- subjects
def test_every_system_has_peers_under_its_own_name():
    assert PEERS.keys() == SYSTEMS.keys()
    assert all({subject.system for subject in peers.subjects} == {name} for name, peers in PEERS.items())


def test_subjects_have_a_target_and_what_they_need():
    assert {(s.system, s.arithmetic.dtype) for s in OURS} == {(n, t) for n in ("lru", "rotrnn") for t in ("float32", "float64")}
    assert len({(s.name, s.arithmetic) for s in subjects()}) == len(subjects())
    assert all(callable(function(subject)) for subject in subjects())
    assert {subject.arithmetic.subnormals for subject in JAX} == {"daz"}
    assert [subject for subject in subjects() if subject.slow] == [s for s in JAX if s in LAYERS and s.arithmetic.dtype == "float64"]
    assert all(subject.arithmetic.stages == "formed" for subject in LAYERS)


def test_an_adapter_offers_every_keyword_of_its_system():
    for subject in LAYERS:
        parameters, system = inspect.signature(function(subject)).parameters, system_of(subject.system)
        assert tuple(parameters) == system.keywords
        assert {name for name, each in parameters.items() if each.default is inspect.Parameter.empty} == system.required


def test_a_missing_package_is_named():
    assert Subject("x", "y:z", Arithmetic("float32"), "scan", needs="no_such_package").missing == (
        "no_such_package is not installed (make peers)"
    )
    assert Subject("x", "y:z", Arithmetic("float32"), "scan", needs="numpy").missing is None


@pytest.mark.parametrize("system", [name for name, peers in PEERS.items() if peers.recorded])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_recording_drives_a_call(system, dtype):
    """As long as the recording, in the declared format, and the same every time."""
    signal = np.random.default_rng(0).standard_normal((3, 20, 4))
    first, again = (PEERS[system].recorded(signal, Arithmetic(dtype)) for _ in range(2))
    call = called(system_of(system), first, dtype)
    assert call.size("time") == 20
    assert {name: x.tobytes() for name, x in first.items()} == {name: x.tobytes() for name, x in again.items()}


@pytest.mark.parametrize("subject", OURS, ids=lambda s: f"{s.system}-{s.arithmetic.dtype}")
def test_our_kernels_obey_every_law(subject):
    report = check(subject.system, function(subject), arithmetic=subject.arithmetic, domain=FEW, cases=2)
    assert {law.name: law.verdict for law in report.laws} == {law.name: "within" for law in report.laws}
    assert (report.verdict, report.failure, report.fault) == ("within", None, None)
    assert report.informative >= 0.5


SPOILED = {
    "conjugate": lambda name, x: -x if name == "h0" else x,
    "a parameter's share": lambda name, x: x * x.dtype.type(1.01) if name in ("theta", "theta_log") else x,
}


@pytest.mark.parametrize("subject", OURS[::2], ids=lambda s: s.system)
@pytest.mark.parametrize("fault", SPOILED)
def test_kernels_with_spoiled_gradients_do_not(subject, fault):
    kernel = function(subject)

    def spoiled(u, h0=None, reverse=False, y_bar=None, **params):
        found = kernel(u=u, h0=h0, reverse=reverse, y_bar=y_bar, **params)
        return found if y_bar is None else {"grads": {name: SPOILED[fault](name, x) for name, x in found["grads"].items()}}

    spoiled.__signature__ = inspect.signature(kernel)
    report = check(subject.system, spoiled, arithmetic=subject.arithmetic, domain=FEW, cases=2, laws=["gradients"])
    assert report.verdict == "outside"


# ---------------------------------------------------------------- jax, in a process of its own: it starts threads
HEAD = """
import json, sys
from dataclasses import replace
import jax, numpy as np
from scanproof.benchmarks.peers import lru, rotrnn, subjects
from scanproof.properties.check import check
from scanproof.properties.domain import Domain
from scanproof.properties.results import received
from scanproof.properties.verdict import judged
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.call import Call
from scanproof.reference.layers import named
from scanproof.reference.systems.rotrnn import SYSTEM, init

def leaked():
    return jax.config.jax_enable_x64 or jax.numpy.zeros(1).dtype != "float32"
"""
CHECKED = """
function, dtype = sys.argv[1:]
(subject,) = [s for s in subjects() if s.target.endswith(":" + function) and s.arithmetic.dtype == dtype]
run = getattr({"lru": lru, "rotrnn": rotrnn}[subject.system], function)
laws, domain = ["equivalence", "directions", "gradients"], Domain(lengths=frozenset({7}))
report = check(subject.system, run, arithmetic=subject.arithmetic, domain=domain, cases=3, laws=laws)
print(json.dumps([{law.name: [law.verdict, max(law.ratios)] for law in report.laws if law.ratios}, leaked()]))
"""
JUDGED = """
arithmetic = Arithmetic("float32", subnormals="daz", order="angle-sum", stages="formed")
gains = {"careful": "expm1", "given": "one-minus-square"}
rng = np.random.default_rng(0)
params = init(rng, heads=1, head_dim=2, width=2, dtype=np.float32)
small = replace(params, gamma_log=np.float32([2.0]), M=params.M / 4)  # gamma = exp(-exp(2)) = 6e-4
found = {}
for name, gain in gains.items():
    u, y_bar = rng.standard_normal((2, 1, 1, 2)).astype(np.float32)  # of one step only xi tells gamma
    call = Call(SYSTEM, {**named(small), "u": u, "y_bar": y_bar})
    got = received(getattr(rotrnn, name)(**call.keywords()), SYSTEM)
    verdict = judged(got, call, replace(arithmetic, gain=gain))
    found[name] = [verdict.verdict == "outside", verdict.worst.output if verdict.verdict == "outside" else None]
print(json.dumps([found, leaked()]))
"""


def of_jax(script, *words):
    pytest.importorskip("jax")
    done = subprocess.run([sys.executable, "-c", HEAD + script, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found, leaked = json.loads(done.stdout)
    assert not leaked
    return found


@pytest.mark.parametrize(
    ("name", "dtype"), [("listing", "float32"), ("listing", "float64"), ("published", "float32"), ("given", "float64")]
)
def test_textbook_layers_in_jax_are_not_refuted(name, dtype):
    found = of_jax(CHECKED, name, dtype)
    assert {law: word for law, (word, _) in found.items()} == dict.fromkeys(("equivalence", "directions", "gradients"), "within")
    assert max(ratio for _, ratio in found.values()) <= 1


def test_the_derivative_of_expm1_in_jax_is_refuted():
    """jax forms it as expm1(x) + 1, which cancels where exp(x) is small: dL/dgamma_log of a small gamma."""
    assert of_jax(JUDGED) == {"careful": [True, "gradient gamma_log"], "given": [False, None]}


# ---------------------------------------------------------------- angle-sum: honest
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    ("time", "gamma", "turns"), [(1, 0.5, 1), (2, 0.9, 1), (33, 0.9, 10), (128, 0.999, 100), (1000, 0.9999, 1000)]
)
def test_added_angles_stay_within_their_allowance(order, time, gamma, turns):
    for seed in range(2):
        call = case(time, gamma, seed, turns=turns)
        for words in ({}, {"stages": "any"}, {"subnormals": "daz"}):
            verdict = judged(layer(call, ORDERS[order]), call, replace(ADDED, **words))
            assert verdict.counts["outside"] == verdict.counts["undecided"] == 0
            assert verdict.ratio <= 1


def test_any_tree_stays_within_its_allowance():
    call, rng = case(40, 0.99, turns=50), np.random.default_rng(1)

    def tree(elements, operator):
        if len(elements) == 1:
            return elements
        cut = int(rng.integers(1, len(elements)))
        first, second = tree(elements[:cut], operator), tree(elements[cut:], operator)
        return [*first, *(operator(first[-1], element) for element in second)]

    for order in (*[tree] * 5, late):
        assert judged(layer(call, order), call, ADDED).ratio <= 1


def test_without_the_angles_honest_programs_would_be_refuted():
    """Angles that are added one by one drift like m^2: the allowance of bracketings of products does not know that."""
    call = case(1000, 0.9999, turns=1000)
    got = layer(call, powers)
    assert judged(got, call, Arithmetic("float32", stages="formed")).verdict == "outside"
    assert judged(got, call, ADDED).counts["outside"] == 0


def test_the_drift_of_an_adversary_uses_much_of_the_allowance():
    """One impulse through one plane, and an angle whose sums all round the same way."""
    used = []
    gamma_log, M, B, C, D = np.full(1, -9), np.zeros((1, 2, 2)), np.ones((1, 2, 1)), np.eye(1, 2), np.zeros(1)
    for theta in np.linspace(1, 2, 400).reshape(-1, 1, 1):
        arrays = [x.astype("float32") for x in (theta, gamma_log, M, B, C, D)]
        u = np.eye(1, 200, dtype="float32")[..., None]  # (1, time, 1)
        call = Call(SYSTEM, {**named(Params(*arrays)), "u": u})
        used.append(judged(layer(call, powers), call, ADDED).ratio)
    assert 0.25 < max(used) <= 1


# ---------------------------------------------------------------- angle-sum: spoiled
def swapped(first, second):
    return second[0] * first[0], second[1] + first[1], first[0] * turned(first[1], first[2]) + second[2]


def coarse(first, second):
    return second[0] * first[0], (second[1] + first[1]).astype(np.float16).astype(np.float32), then(first, second)[2]


def reduced(first, second):
    gamma, theta, s = then(first, second)
    return gamma, np.remainder(theta, np.float32(6.2831)), s


def dropped(elements, operator):
    return [*elements[:1], *ORDERS["doubling"](elements[1:], operator)]


FAULTS = {
    "operands swapped": {"order": ORDERS["chunked"], "operator": swapped},
    "angles added in 16 bits": {"order": ORDERS["chunked"], "operator": coarse},
    "a carry dropped": {"order": dropped},
    "angles turned back": {"order": ORDERS["doubling"], "angle": np.negative},
    "turns of 6.2831": {"order": ORDERS["doubling"], "operator": reduced},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_spoiled_angles_are_outside(fault):
    call = case(33, 0.9)
    verdict = judged(layer(call, **FAULTS[fault]), call, ADDED)
    assert (verdict.verdict, verdict.grade) == ("outside", "theorem given the assumed constants")


# ---------------------------------------------------------------- angle-sum: what the allowance says
def test_the_allowance_grows_with_the_angle():
    call = case(33, 0.9)
    further = call.but(theta=call["theta"] * 256)
    cases = (call, Arithmetic("float32", stages="formed")), (call, ADDED), (further, ADDED)
    plain, added, far = (outputs(each, arithmetic)["h"].bound for each, arithmetic in cases)
    assert (added[:, 2:] > plain[:, 2:]).all()
    assert far.max() > 64 * added.max()


def test_gradients_are_modelled_with_and_without_the_adjoint_recurrence():
    call = case(16, 0.9).but(y_bar=np.ones((1, 16, 3), "float32"))
    loose, sharp = (pulled_back(call, replace(ADDED, adjoint=word)) for word in ("any", "recurrence"))
    assert all(np.isfinite(x.bound).all() for x in loose.values())
    assert all((sharp[name].bound <= loose[name].bound).all() for name in loose)


@pytest.mark.parametrize("words", [{"rounding": "truncate"}, {"accumulate": "float64"}, {"operands": "tf32"}])
def test_other_arithmetics_of_added_angles_are_undecided(words):
    call, arithmetic = case(7, 0.9), replace(ADDED, **words)
    verdict = judged(layer(call, powers), call, arithmetic)
    ((name, word),) = words.items()
    assert (verdict.verdict, verdict.reason) == ("undecided", f"no allowance is known for order angle-sum with {name} {word}")


def test_lru_has_no_angles_to_add():
    call = drawn("lru")
    got = {"y": np.full(call["u"].shape, np.nan, "float32")}
    assert judged(got, call, ADDED).verdict == "undecided"
    reason = judged(got, call, Arithmetic("float32", order="log-space", stages="formed")).reason
    assert reason == "no allowance is known for order log-space in a layer"

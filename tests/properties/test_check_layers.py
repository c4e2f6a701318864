"""`check` and `suite` of layers: honest ones pass, every published version and fault gets the verdict that it should."""

import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from scanproof.cli.verify_versions import in_float64, reparameterised
from scanproof.properties import check as module
from scanproof.properties import shrink
from scanproof.properties.check import check
from scanproof.properties.domain import Domain
from scanproof.properties.judge import judge
from scanproof.properties.laws import laws_of
from scanproof.properties.room import Draw
from scanproof.properties.systems import room_of
from scanproof.properties.versions.plain_lru import Lru
from scanproof.properties.versions.plain_rotrnn import RotRnn
from scanproof.properties.versions.versions import ACCEPTED, AFTER, REJECTED, VERSIONS
from scanproof.properties.witness import Witness
from scanproof.reference.arithmetic.declaration import Arithmetic

PLAIN = {"lru": Lru(), "rotrnn": RotRnn()}
NAMES = [law.name for law in laws_of(room_of("lru"))]
BY_NAME = {version.name: version for version in VERSIONS}
LENGTHS = frozenset({1, 2, 3, 16, 17, 33})
SMALL = Domain(lengths=LENGTHS, channels=frozenset({1, 2, 3}), states=frozenset({2, 4}))
CATCHES = {  # the law that finds a fault, where it is not one of the first two
    "rotrnn-interleaved": "directions",
    "lru-gradient-theta": "gradients",
    "lru-gradient-h0": "gradients",
    "rotrnn-gradient-M": "gradients",
    "rotrnn-gradient-B": "gradients",
    "rotrnn-gradient-theta": "gradients",
    "rotrnn-gradient-h0": "gradients",
}


def run(system, implementation, **change):
    return check(system, implementation, **{"arithmetic": Arithmetic("float32", stages="formed"), "domain": SMALL, "cases": 2} | change)


@pytest.fixture
def quickly(monkeypatch):
    """Shrinking and explaining have their own tests."""
    monkeypatch.setattr(shrink, "CALLS", 5)
    monkeypatch.setattr(module, "explained", lambda verdict, *_: verdict)


def named(expected):
    return [version.name for version in VERSIONS if version.expected == expected]


def verdicts(report):
    return {law.name: law.verdict for law in report.laws}


# ---------------------------------------------------------------- honest layers
@pytest.mark.parametrize("system", PLAIN)
@pytest.mark.parametrize(
    ("dtype", "domain", "width", "state"),
    [("float32", SMALL, 3, 4),
     pytest.param("float64", SMALL, 3, 4, marks=pytest.mark.slow),
     pytest.param("float32", Domain(lengths=LENGTHS), 65, 66, marks=pytest.mark.slow)],
    ids=["float32", "float64", "any width"],
)  # fmt: skip
def test_honest_layers_are_within(system, dtype, domain, width, state):
    report = run(system, PLAIN[system], arithmetic=Arithmetic(dtype, stages="formed"), domain=domain)
    assert verdicts(report) == dict.fromkeys(NAMES, "within")
    assert (report.verdict, report.system, report.witness, report.failure) == ("within", system, None, None)
    axes = {"lru": {"state": state}, "rotrnn": {"heads": 2, "head_dim": state}}[system]
    assert report.judged == {"batch": 3, "time": 33, "gradient time": 33, "width": width} | axes
    assert "not offered" not in report.reason
    assert report.reason.partition("; nothing can be told of ")[2] in ("", "gradient M")  # two random cases are few
    assert "never returned" not in report.reason
    assert report.informative >= 0.5
    assert 0 < report.ratio <= 1


@pytest.mark.parametrize("system", PLAIN)
def test_the_same_seed_gives_the_same_cases(system):
    seen = []

    def recorded(**keywords):
        seen[-1].append({name: x if name == "reverse" else x.tobytes() for name, x in keywords.items()})
        return PLAIN[system](**keywords)["y"]

    for seed in (5, 5, 6):
        seen.append([])
        run(system, recorded, seed=seed, laws=["impulses", "equivalence"])
    assert seen[0] == seen[1]
    assert seen[0] != seen[2]


def test_what_is_not_offered_is_counted():
    report = run("rotrnn", BY_NAME["rotrnn-A"].implementation)
    silent = {name for name, verdict in verdicts(report).items() if verdict == "not offered"}
    assert silent == {"reverse", "directions", "norm", "gradients", "hand-over", "step"}  # the last two pass h on
    assert report.verdict == "within"


@pytest.mark.parametrize("name", ["equivalence", "gradients"])
def test_without_impulses_passing_says_little(name):
    report = run("lru", PLAIN["lru"], laws=[name])
    assert report.verdict == "undecided"
    assert report.reason.startswith("impulses")
    assert verdicts(report)[name] == "within"


# ---------------------------------------------------------------- how far it looks, and what it could not see
@pytest.mark.slow
@pytest.mark.parametrize("system", PLAIN)
@pytest.mark.parametrize(("axis", "last"), [(1, 4096), (2, 64), (3, 64)])
@pytest.mark.usefixtures("quickly")
def test_a_fault_beyond_a_block_is_found(system, axis, last):
    def forgets(**keywords):
        found, size = PLAIN[system](**keywords), max(x.shape[-1] for name, x in keywords.items() if name in ("M", "nu_log"))
        if axis < 3:
            found["y"][(slice(None),) * axis + (slice(last, None),)] = 0
        elif size > last:
            found["y"] *= 1.01
        return found["y"]

    report = check(system, forgets, arithmetic=Arithmetic("float32", stages="formed"), cases=1, laws=["impulses", "equivalence"])
    assert report.verdict == "outside"


@pytest.mark.parametrize("system", PLAIN)
@pytest.mark.parametrize("hit", [("reverse",), ("h0", "reverse"), ("C2", "reverse"), ("C2",), ("C2", "h0")])
@pytest.mark.usefixtures("quickly")
def test_gradients_that_are_wrong_in_one_way_of_calling_are_found(system, hit):
    def forgets(**keywords):
        found = PLAIN[system](**keywords)
        used = {name.partition("_")[0] for name in keywords}
        if "y_bar" in keywords and used >= set(hit):
            found["grads"]["u"] = found["grads"]["u"] * 0
        return found

    signature = inspect.signature(PLAIN[system])
    forgets.__signature__ = signature
    domain = Domain(lengths=frozenset({1, 3}), channels=frozenset({2}), states=frozenset({2}))
    report = check(system, forgets, arithmetic=Arithmetic("float32", stages="formed"), domain=domain, laws=["gradients"], cases=8)
    assert report.verdict == "outside"


@pytest.mark.parametrize(
    ("system", "words", "told"),
    [
        ("lru", {"expm": "jax"}, "expm: found jax with system lru, which has no such choice, expected default"),
        ("lru", {"order": "angle-sum"}, "order: found angle-sum with system lru, which has no such choice, expected any"),
        ("expm", {"stages": "any"}, "stages: found any with system expm, which has no such choice, expected nothing declared"),
        ("expm", {"order": "tree"}, "order: found tree with system expm"),
        ("expm", {"dtype": "bfloat16"}, "dtype: found bfloat16 with system expm, expected float32 or float64"),
    ],
)
def test_words_that_say_nothing_of_the_system(system, words, told):
    with pytest.raises(ValueError, match=f"^{told}"):
        check(system, lambda **keywords: None, arithmetic=Arithmetic(**{"dtype": "float32"} | words))


def test_gradients_that_never_come_are_named():
    def some(y_bar=None, **keywords):
        found = PLAIN["lru"](y_bar=y_bar, **keywords)
        return found if y_bar is None else {"grads": {name: x for name, x in found["grads"].items() if name in ("B_re", "D")}}

    def adapter(nu_log, theta_log, gamma_log, B_re, B_im, C_re, C_im, D, u, y_bar=None):  # no h0, no second direction
        return some(**{name: x for name, x in locals().items() if name != "some" and x is not None})

    report = run("lru", adapter)
    assert report.verdict == "within"
    never = [f"gradient {name}" for name in ("B_im", "C_im", "C_re", "gamma_log", "nu_log", "theta_log", "u")]
    silent = "directions, hand-over, norm, reverse, step"
    assert report.reason.endswith(f"; never returned: {', '.join(never)}; not offered: {silent}")


def test_a_result_of_which_nothing_can_be_told_is_named():
    sizes = {"batch": 1, "time": 33, "width": 2, "state": 4, "heads": 1}
    draw = Draw(room_of("rotrnn"), Arithmetic("float32", stages="formed"), Domain(), sizes, {"modulus": "near 1"}, 1)
    call = draw.pulled(draw.call())
    got = PLAIN["rotrnn"](**call.keywords())
    verdict = judge("rotrnn", got, **call.arguments, arithmetic=draw.arithmetic)
    assert verdict.verdict == "within"
    assert verdict.outputs["gradient M"] == 0 < verdict.outputs["gradient D"]
    assert verdict.reason.endswith("; nothing can be told of gradient M, gradient gamma_log")


# ---------------------------------------------------------------- versions
@pytest.mark.parametrize("name", [name for name in named(ACCEPTED) if "plain" not in name and name != "rotrnn-A-one-minus-square"])
def test_accepted_versions_are_within(name):
    assert run(BY_NAME[name].system, BY_NAME[name].implementation).verdict == "within"


@pytest.mark.usefixtures("quickly")
def test_what_cancels_is_within_where_it_is_declared_or_rounds_less():
    """1 - gamma^2 as written: the map is the model's, the float32 program is not in the usual class."""
    version, few = BY_NAME["rotrnn-A-one-minus-square"].implementation, {"laws": ["impulses", "equivalence"], "cases": 8}
    report = run("rotrnn", version, **few)
    assert report.verdict == "outside"
    assert run("rotrnn", version, arithmetic=Arithmetic("float32", gain="one-minus-square", stages="formed"), **few).verdict == "within"
    assert run("rotrnn", in_float64(version), **few).verdict == "within"


@pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", [*named(REJECTED), *named(AFTER)])
@pytest.mark.usefixtures("quickly")
def test_rejected_versions_are_outside_or_break_the_contract(name, dtype):
    version, law = BY_NAME[name], CATCHES.get(name)
    laws = [law] if law else ["impulses", "equivalence", "directions"]
    few = Domain(lengths=frozenset({1, 2, 17}), channels=SMALL.channels, states=frozenset({4}))
    report = run(version.system, version.implementation, laws=laws, arithmetic=Arithmetic(dtype, stages="formed"), cases=1, domain=few)
    if name in ("rotrnn-B-as-output", "rotrnn-D-batch"):
        assert report.headline == "contract broken"
        assert "found shape" in report.reason
        return
    assert (report.verdict, report.failure.verdict) == ("outside", "outside")
    assert report.witness.law in laws
    assert Witness.model_validate_json(report.witness.text()).output == report.failure.worst.output


@pytest.mark.parametrize("name", [name for name in CATCHES if name != "rotrnn-interleaved"])
def test_wrong_gradients_do_not_touch_outputs(name):
    version = BY_NAME[name]
    assert run(version.system, version.implementation, laws=["impulses", "equivalence"], cases=1).verdict == "within"


@pytest.mark.parametrize("name", named(AFTER))
def test_after_reparameterisation_versions_are_within(name):
    report = run(BY_NAME[name].system, in_float64(reparameterised(BY_NAME[name])))
    assert report.verdict == "within", report.reason
    assert verdicts(report)["directions"] in ("within", "not offered")


@pytest.mark.parametrize("system", PLAIN)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_carry_that_is_off_by_one_in_a_hundred_thousand_is_found_by_impulses(system, dtype):
    version = BY_NAME[f"{system}-scales-carry"].implementation
    report = run(system, version, laws=["impulses"], arithmetic=Arithmetic(dtype, stages="formed"), cases=1)
    assert report.verdict == "outside"
    assert report.ratio > 2
    assert report.failure.ratio > 1  # of a call with fewer bits
    assert report.witness.arguments["u"].shape[:2] == [1, 17]


# ---------------------------------------------------------------- reports and contract
@pytest.mark.usefixtures("quickly")
def test_the_failure_of_a_report_is_that_of_its_witness():
    report = run("lru", BY_NAME["lru-conjugated"].implementation)
    content, call = report.witness, report.witness.call()
    verdict = judge("lru", content.got(), **call.arguments, reverse=call.reverse, arithmetic=content.declared())
    assert (verdict.verdict, verdict.worst, verdict.counts) == ("outside", report.failure.worst, report.failure.counts)
    worst = verdict.worst
    assert (list(worst.index), worst.output, worst.allowance.hex()) == (content.index, content.output, content.allowance)


def test_a_crash_and_a_changed_input_are_faults():
    def crashes(**keywords):
        raise ZeroDivisionError("no")

    def changes(**keywords):
        keywords["B_im"][:] = 7
        return keywords["u"]

    faults = (crashes, "crashed", "raised ZeroDivisionError: no"), (changes, "contract", "B_im: found changed")
    for function, kind, told in faults:
        report = run("lru", function)
        assert report.fault[0] == kind
        assert told in report.reason
        assert report.verdict == "undecided"


@pytest.mark.usefixtures("quickly")
def test_a_layer_that_reads_behind_its_inputs_is_outside():
    """Poisoned calls: NaN lies right before and after every array, a view into a larger one."""

    def peeks(h0=None, **keywords):
        got, memory = PLAIN["lru"](h0=h0, **keywords), keywords["u"].base
        return {"y": got["y"] if memory is None else got["y"] + memory[-1], "h": got["h"]}

    report = run("lru", peeks, laws=["hand-over"])
    assert report.verdict == "outside", report.reason
    assert np.isnan(report.failure.worst.got)


# ---------------------------------------------------------------- suite()
USERS_FILE = """
import scanproof
from scanproof.properties.versions.plain_lru import Lru
from scanproof.properties.versions.versions import VERSIONS

BY_NAME = {version.name: version.implementation for version in VERSIONS}
DOMAIN = scanproof.Domain(lengths=frozenset({1, 2, 3}), channels=frozenset({2}), states=frozenset({2}))
KEYWORDS = {"arithmetic": scanproof.Arithmetic("float32", stages="formed"), "domain": DOMAIN, "cases": 1}

TestHonest = scanproof.suite("lru", Lru(), **KEYWORDS)
TestPort = scanproof.suite("lru", BY_NAME["lru-paper"], **KEYWORDS)
TestFaulty = scanproof.suite("rotrnn", BY_NAME["rotrnn-without-xi"], **KEYWORDS)
"""


@pytest.mark.slow
def test_suites_of_layers_in_a_users_file(tmp_path: Path):
    (tmp_path / "test_mine.py").write_text(USERS_FILE)
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "test_mine.py"]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
    assert found.returncode == 1
    told = dict(line.split("::", 1)[1].split(" ")[:2] for line in found.stdout.splitlines() if line.startswith("test_mine.py::"))
    tests = [f"test_{name.replace('-', '_')}" for name in (*NAMES, "verdict")]
    not_offered = ["test_hand_over", "test_step", "test_reverse", "test_directions", "test_norm", "test_gradients"]
    for test in tests:
        assert told[f"TestHonest::{test}"] == "PASSED"
        assert told[f"TestPort::{test}"] == ("SKIPPED" if test in not_offered else "PASSED")
    assert told["TestFaulty::test_impulses"] == told["TestFaulty::test_verdict"] == "FAILED"
    assert "impulses: outside: error/allowance" in found.stdout
    assert "smallest failing call (impulses): theta (1, 1), gamma_log (1,)" in found.stdout

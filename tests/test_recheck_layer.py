"""The stand-alone recheck of layers: confirms real witnesses, refutes altered ones, and needs nothing but mpmath."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import mpmath
import numpy as np
import pytest

from scanproof.properties import recheck_layer as module
from scanproof.properties.check import check
from scanproof.properties.layer_draws import LayerDraw, Sizes
from scanproof.properties.layer_verdict import certify, judge_call
from scanproof.properties.layer_witness import layer_witness
from scanproof.properties.recheck_layer import recheck
from scanproof.properties.strategies import Domain
from scanproof.properties.versions import VERSIONS
from scanproof.reference.arithmetic import Arithmetic

FLOAT32 = Arithmetic("float32", stages="formed")
SIZES = Sizes(batch=2, time=3, width=2, state=4, heads=2)
TRUTH, ALLOWANCE = "recorded truth is not that of the layer", "does not exceed"
BY_NAME = {version.name: version for version in VERSIONS}


def made(system, output="y", two=False, start=False, reverse=False, dtype="float32", factor=2.0):
    """A witness of the exact results, one of them `factor` times as large."""
    arithmetic = Arithmetic(dtype, accumulate="float32" if dtype == "bfloat16" else None, stages="formed")
    draw = LayerDraw(system, arithmetic, Domain(), SIZES, seed=2)
    call = draw.call(bidirectional=two)
    gradient = output.startswith("gradient")
    call = replace(call, h0=draw.states(call) if start else None, reverse=reverse, y_bar=draw.cotangents() if gradient else None)
    right = certify(call, arithmetic, gradient)[output].truth.head
    got = {output: (factor * right).astype(call.expected(arithmetic)[output][1])}
    return json.loads(layer_witness(call, got, judge_call(got, call, arithmetic), "wrong", "equivalence", 2).text())


def outputs(system, two):
    call = LayerDraw(system, FLOAT32, Domain(), SIZES).call(bidirectional=two)
    return [name for name in call.expected(FLOAT32) if not name.startswith("constant")]


@pytest.mark.parametrize("system", ["lru", "rotrnn"])
@pytest.mark.parametrize("two", [False, True])
def test_confirms_every_output_that_was_judged_outside(system, two):
    for number, output in enumerate(outputs(system, two)):
        assert recheck(made(system, output, two, start=number % 2 == 0, reverse=number % 3 == 0)) == "confirmed", output


@pytest.mark.parametrize("system", ["lru", "rotrnn"])
@pytest.mark.parametrize("output", ["y", "h", "h_last", "gradient h0"])
@pytest.mark.parametrize("start", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("two", [False, True])
def test_confirms_in_every_direction(system, output, start, reverse, two):
    assert recheck(made(system, output, two, start, reverse)) == "confirmed"


@pytest.mark.parametrize("system", ["lru", "rotrnn"])
@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
@pytest.mark.parametrize("output", ["y", "h", "gradient u"])
def test_confirms_in_every_format(system, dtype, output):
    assert recheck(made(system, output, dtype=dtype)) == "confirmed"


def test_confirms_a_result_that_is_not_finite():
    for factor in (np.nan, np.inf):
        assert recheck(made("rotrnn", factor=factor)) == "confirmed"
    assert recheck(made("lru", "h", factor=np.nan)) == "confirmed"


@pytest.mark.parametrize("name", ["lru-scales-carry", "rotrnn-scales-carry", "rotrnn-gradient-M", "rotrnn-C-two-directions"])
def test_confirms_the_witness_of_a_search(name):
    law = {"rotrnn-gradient-M": "gradients", "rotrnn-C-two-directions": "directions"}.get(name, "impulses")
    small = Domain(lengths=frozenset({1, 2, 17}))
    version = BY_NAME[name]
    report = check(version.system, version.implementation, arithmetic=FLOAT32, domain=small, cases=1, laws=[law])
    assert recheck(json.loads(report.witness.text())) == "confirmed"


def altered(witness, *path, to):
    content = json.loads(json.dumps(witness))
    place = content
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to(place[path[-1]])
    return content


def nudged(units):
    return lambda text: (float.fromhex(text) * (1 + units * 2.0**-20)).hex()


READS = {  # the arguments that an element depends on
    ("lru", "y"): "nu_log theta_log gamma_log B_re B_im C_re C_im C2_re C2_im D u",
    ("lru", "h"): "nu_log theta_log gamma_log B_re B_im u",
    ("lru", "gradient B_im"): "nu_log theta_log gamma_log C_re C_im C2_re C2_im u y_bar",
    ("lru", "gradient h0"): "nu_log theta_log y_bar",
    ("rotrnn", "y"): "theta gamma_log M B C C2 D u",
    ("rotrnn", "h"): "theta gamma_log M B u",
    ("rotrnn", "gradient B"): "theta gamma_log M B C C2 u y_bar",
    ("rotrnn", "gradient h0"): "theta gamma_log M y_bar",
}


@pytest.mark.parametrize(("system", "output"), READS)
def test_refutes_altered_files(system, output):
    good = made(system, output, two=True, start=True)
    arguments = {name: ("params", name) for name in good["params"]} | {"u": ("u",), "y_bar": ("y_bar",)}
    for name in [name for name, path in arguments.items() if path[0] == "params" or good[name]]:
        moved = altered(good, *arguments[name], "data", to=lambda data: [nudged(i + 1)(x) for i, x in enumerate(data)])
        one_of_two = output == "gradient h0" and name in ("C", "C2", "C_re", "C_im", "C2_re", "C2_im")
        assert one_of_two or (TRUTH in recheck(moved)) == (name in READS[system, output].split()), name
    assert TRUTH in recheck(altered(good, "truth", 0, 0, to=nudged(1)))
    assert TRUTH in recheck(altered(good, "reverse", to=lambda reverse: not reverse))
    assert ALLOWANCE in recheck(altered(good, "allowance", to=lambda bound: (1e9).hex()))
    exact = [float.fromhex(head).hex() for head, _ in good["truth"]]
    shape, parts = good["got"][output]["shape"], len(exact)
    place = parts * int(np.ravel_multi_index(good["index"], shape))
    honest = altered(good, "got", output, "data", to=lambda data: data[:place] + exact + data[place + parts :])
    assert ALLOWANCE in recheck(honest)


def test_the_radius_is_what_the_truth_is_held_to():
    good = made("rotrnn")
    wrong = altered(good, "truth", 0, 0, to=nudged(1))
    head = float.fromhex(good["truth"][0][0])
    assert TRUTH in recheck(wrong)
    assert recheck(altered(wrong, "rad", to=lambda rad: abs(head * 2.0**-19).hex())) == "confirmed"
    assert TRUTH in recheck(altered(good, "rad", to=lambda rad: "nan"))


def test_derivatives_are_far_better_than_any_radius():
    """d y / d D = u exactly; the difference quotient is compared at the slack that the program allows itself."""
    w = made("lru", "gradient D")
    w["index"] = [1]
    pairs = zip(w["u"]["data"][1::2], w["y_bar"]["data"][1::2], strict=True)
    exact = sum(mpmath.mpf(float.fromhex(one)) * float.fromhex(two) for one, two in pairs)
    w["truth"], w["rad"] = [["0x0p+0", "0x0p+0"]], (0.0).hex()
    p = {name: module.array(x) for name, x in w["params"].items()} | {"u": module.array(w["u"]), "h0": [[mpmath.mpf(0)] * 4] * 2}
    assert abs(module.derivative(w, p, "D") - exact) < module.SLACK
    assert TRUTH in recheck(w)


def test_as_a_script_without_scanproof(tmp_path: Path):
    def run(text: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "w.json").write_text(text)
        site = f"import sys; sys.path.append({str(Path(mpmath.__file__).parents[1])!r}); sys.modules['scanproof'] = None; "
        script = f"{site}import runpy; sys.argv[1:] = ['w.json']; runpy.run_path({str(module.__file__)!r}, run_name='__main__')"
        command = [sys.executable, "-I", "-S", "-c", script]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    good = made("rotrnn")
    assert (run(json.dumps(good)).stdout, run(json.dumps(good)).returncode) == ("confirmed, given the recorded allowance\n", 0)
    assert run(json.dumps(good | {"allowance": (1e9).hex()})).returncode == 1
    newer = json.dumps(good | {"format": "scanproof-layer-witness/9"})
    for broken in ("", "{}", "[]", json.dumps(good)[:-20], json.dumps(good | {"index": [9, 9, 9]}), newer, "[" * 100_000):
        found = run(broken)
        assert (found.returncode, found.stdout) == (2, ""), broken[:40]
        assert found.stderr.startswith("recheck_layer: w.json is no readable witness file")


def test_without_mpmath_it_says_so(tmp_path: Path):
    command = [sys.executable, "-I", "-S", str(module.__file__), "w.json"]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout, found.stderr) == (2, "", "recheck_layer: found no mpmath, which it needs\n")


def test_only_mpmath_is_imported():
    lines = Path(module.__file__).read_text().splitlines()
    imported = [line.split()[1] for line in lines if line.lstrip().startswith(("import ", "from "))]
    assert imported == ["json", "math", "sys", "functools", "operator", "typing", "mpmath"]
    assert len(lines) < 160

"""The stand-alone recheck: confirms real witnesses, refutes altered ones, and answers every other file in one line."""

import ast
import copy
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import flint
import mpmath
import numpy as np
import pytest
from editions import converted, recheck

from scanproof.properties.check import check
from scanproof.properties.expm_calls import ExpmCall
from scanproof.properties.expm_laws import ExpmDraw
from scanproof.properties.expm_verdict import allowances, judge_expm, measured
from scanproof.properties.expm_witness import expm_witness
from scanproof.properties.layer_draws import LayerDraw, Sizes
from scanproof.properties.layer_verdict import certify, judge_call
from scanproof.properties.layer_witness import layer_witness
from scanproof.properties.mutants import MUTANTS
from scanproof.properties.recheck import _layers, _witness, core, expm, lru, rotrnn
from scanproof.properties.strategies import Domain
from scanproof.properties.verdict import judge_inputs
from scanproof.properties.versions import VERSIONS
from scanproof.properties.witness import witness
from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.formats import DTYPES
from scanproof.reference.inputs import Inputs
from scanproof.reference.layer_arithmetic import LayerArithmetic

RNG = np.random.default_rng(5)
FOLDER = Path(core.__file__).parent
FLOAT32 = LayerArithmetic("float32")
SIZES = Sizes(batch=2, time=3, width=2, state=4, heads=2)
EXACT, TRUTH, SMALL = "recorded truth is not the exact state", "recorded truth is not that of the layer", "does not exceed"
BY_NAME = {version.name: version for version in VERSIONS}
SYSTEMS = ("expm", "lru", "rotrnn", "scan")


# ---------------------------------------------------------------- witnesses
def drawn(dtype, *shape):
    return (RNG.standard_normal(shape) + (1j * RNG.standard_normal(shape) if dtype.startswith("complex") else 0)).astype(dtype)


def scan_witness(dtype="complex64", varying=True, h0=True, reverse=False, value=1e3):
    """A witness of a result that is the same number everywhere."""
    lam = drawn(dtype, 2, 9, 3) if varying else drawn(dtype, 3)
    inputs = Inputs(lam, drawn(dtype, 2, 9, 3), drawn(dtype, 2, 3) if h0 else None, reverse)
    got = np.full((2, 9, 3), value, dtype)
    verdict = judge_inputs(got, inputs, Arithmetic(dtype))
    return converted(json.loads(witness(inputs, got, verdict, "wrong", "equivalence", 0).text()))


def layer_made(system, output="y", two=False, start=False, reverse=False, dtype="float32", factor=2.0):
    """A witness of the exact results, one of them `factor` times as large."""
    arithmetic = LayerArithmetic(dtype, accumulate="float32" if dtype == "bfloat16" else None)
    draw = LayerDraw(system, arithmetic, Domain(), SIZES, seed=2)
    call = draw.call(bidirectional=two)
    gradient = output.startswith("gradient")
    call = replace(call, h0=draw.states(call) if start else None, reverse=reverse, y_bar=draw.cotangents() if gradient else None)
    right = certify(call, arithmetic, gradient)[output].truth.head
    got = {output: (factor * right).astype(call.expected(arithmetic)[output][1])}
    old = layer_witness(call, got, judge_call(got, call, arithmetic), "wrong", "equivalence", 2)
    return converted(json.loads(old.text()))


def expm_drawn(size=3, norm=3.0, dtype="float32", stack=1):
    """A call, its exponential rounded, and the allowance of its last matrix."""
    arithmetic = LayerArithmetic(dtype)
    call = ExpmDraw(arithmetic, Domain(), size, norm, seed=3).dense(stack)
    return call, measured(call.S, call, arithmetic).truth.head.astype(dtype), allowances(call, arithmetic)[-1]


def expm_made(size=3, norm=3.0, dtype="float32", stack=1):
    """A witness of an exponential with one entry of its last matrix off by a little more than the allowance."""
    arithmetic, (call, got, allowance) = LayerArithmetic(dtype), expm_drawn(size, norm, dtype, stack)
    got[-1, 0, -1] += 1.1 * allowance
    return converted(json.loads(expm_witness(call, got, judge_expm(got, call, arithmetic), "wrong", "planes", 0).text()))


MADE = {"scan": scan_witness, "expm": expm_made, "lru": lambda: layer_made("lru"), "rotrnn": lambda: layer_made("rotrnn")}


def altered(content, *path, to):
    """A copy in which what stands at this path is changed; a function of it, or another value."""
    content = copy.deepcopy(content)
    place = content
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to(place[path[-1]]) if callable(to) else to
    return content


def nudged(units):
    return lambda text: (float.fromhex(text) * (1 + units * 2.0**-20)).hex()


def moved(dtype):
    """Every number a little different, by so much that each still fits its format."""
    return lambda data: [float(np.dtype(dtype).type(float.fromhex(nudged(i + 1)(x)))).hex() for i, x in enumerate(data)]


# ---------------------------------------------------------------- scans
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("varying", [False, True])
@pytest.mark.parametrize("h0", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
def test_scans_that_were_judged_outside(dtype, varying, h0, reverse):
    assert recheck(scan_witness(dtype, varying, h0, reverse)) == "confirmed"


@pytest.mark.parametrize("mutant", MUTANTS, ids=[m.name for m in MUTANTS])
def test_scans_of_every_mutant(mutant):
    report = check("scan", mutant.scan, arithmetic=Arithmetic("complex64"), cases=2, laws=["exact-lanes", "impulses"])
    assert recheck(json.loads(report.witness.text())) == "confirmed"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_scans_that_are_not_finite(value):
    assert recheck(scan_witness(value=value)) == "confirmed"
    assert EXACT in recheck(altered(scan_witness(value=value), "evidence", "exact", "exponent", to=lambda s: s + 1))


def test_altered_scans():
    good = scan_witness()
    exact = good["evidence"]["exact"]
    assert EXACT in recheck(altered(good, "evidence", "exact", "numerators", 0, to=lambda n: hex(int(n, 16) + 1)))
    assert EXACT in recheck(altered(good, "arguments", "b", "data", to=lambda data: ["0x1.0000000000000p+0"] * len(data)))
    for name in ("lam", "h0"):
        assert EXACT in recheck(altered(good, "arguments", name, "data", to=moved("float32")))
    assert SMALL in recheck(altered(good, "allowance", to=(1e9).hex()))
    doubled = {"numerators": [hex(2 * int(n, 16)) for n in exact["numerators"]], "exponent": exact["exponent"] + 1}
    assert recheck(altered(good, "evidence", "exact", to=doubled)) == "confirmed"
    nearest = [float(np.float32(int(n, 16) / 2 ** exact["exponent"])).hex() for n in exact["numerators"]]
    place = 2 * int(np.ravel_multi_index(good["index"], good["results"]["h"]["shape"]))
    honest = altered(good, "results", "h", "data", to=lambda data: data[:place] + nearest + data[place + 2 :])
    assert SMALL in recheck(honest)


# ---------------------------------------------------------------- layers
def outputs(system, two):
    call = LayerDraw(system, FLOAT32, Domain(), SIZES).call(bidirectional=two)
    return [name for name in call.expected(FLOAT32) if not name.startswith("constant")]


@pytest.mark.parametrize("system", ["lru", "rotrnn"])
@pytest.mark.parametrize("two", [False, True])
def test_layers_in_every_output(system, two):
    for number, output in enumerate(outputs(system, two)):
        assert recheck(layer_made(system, output, two, start=number % 2 == 0, reverse=number % 3 == 0)) == "confirmed", output


@pytest.mark.parametrize("system", ["lru", "rotrnn"])
@pytest.mark.parametrize("output", ["y", "h", "h_last", "gradient h0"])
@pytest.mark.parametrize("start", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("two", [False, True])
def test_layers_in_every_direction(system, output, start, reverse, two):
    assert recheck(layer_made(system, output, two, start, reverse)) == "confirmed"


@pytest.mark.parametrize("system", ["lru", "rotrnn"])
@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
@pytest.mark.parametrize("output", ["y", "h", "gradient u"])
def test_layers_in_every_format(system, dtype, output):
    assert recheck(layer_made(system, output, dtype=dtype)) == "confirmed"


def test_layers_that_are_not_finite():
    for factor in (np.nan, np.inf):
        assert recheck(layer_made("rotrnn", factor=factor)) == "confirmed"
    assert recheck(layer_made("lru", "h", factor=np.nan)) == "confirmed"


@pytest.mark.parametrize("name", ["lru-scales-carry", "rotrnn-scales-carry", "rotrnn-gradient-M", "rotrnn-C-two-directions"])
def test_layers_of_a_search(name):
    law = {"rotrnn-gradient-M": "gradients", "rotrnn-C-two-directions": "directions"}.get(name, "impulses")
    version, small = BY_NAME[name], Domain(lengths=frozenset({1, 2, 17}))
    report = check(version.system, version.implementation, arithmetic=FLOAT32, domain=small, cases=1, laws=[law])
    assert recheck(json.loads(report.witness.text())) == "confirmed"


READS = {  # the arguments that an element depends on
    ("lru", "y"): "nu_log theta_log gamma_log B_re B_im C_re C_im C2_re C2_im D u h0",
    ("lru", "h"): "nu_log theta_log gamma_log B_re B_im u h0",
    ("lru", "gradient B_im"): "nu_log theta_log gamma_log C_re C_im C2_re C2_im u y_bar",
    ("lru", "gradient h0"): "nu_log theta_log y_bar",
    ("rotrnn", "y"): "theta gamma_log M B C C2 D u h0",
    ("rotrnn", "h"): "theta gamma_log M B u h0",
    ("rotrnn", "gradient B"): "theta gamma_log M B C C2 u y_bar",
    ("rotrnn", "gradient h0"): "theta gamma_log M y_bar",
}


@pytest.mark.parametrize(("system", "output"), READS)
def test_altered_layers(system, output):
    good = layer_made(system, output, two=True, start=True)
    for name in good["arguments"].keys() - {"reverse"}:
        other = altered(good, "arguments", name, "data", to=moved("float32"))
        one_of_two = output == "gradient h0" and name in ("C", "C2", "C_re", "C_im", "C2_re", "C2_im")
        assert one_of_two or (TRUTH in recheck(other)) == (name in READS[system, output].split()), name
    assert TRUTH in recheck(altered(good, "evidence", "parts", 0, 0, to=nudged(1)))
    assert TRUTH in recheck(altered(good, "arguments", to=lambda given: given | {"reverse": True}))
    assert SMALL in recheck(altered(good, "allowance", to=(1e9).hex()))
    part = "float32"
    nearest = [float(np.dtype(part).type(float.fromhex(head))).hex() for head, _ in good["evidence"]["parts"]]
    place = len(nearest) * int(np.ravel_multi_index(good["index"], good["results"][output]["shape"]))
    honest = altered(good, "results", output, "data", to=lambda data: data[:place] + nearest + data[place + len(nearest) :])
    assert SMALL in recheck(honest)


def test_the_radius_is_what_the_truth_is_held_to():
    good = layer_made("rotrnn")
    wrong = altered(good, "evidence", "parts", 0, 0, to=nudged(1))
    head = float.fromhex(good["evidence"]["parts"][0][0])
    assert TRUTH in recheck(wrong)
    assert recheck(altered(wrong, "evidence", "rad", to=abs(head * 2.0**-19).hex())) == "confirmed"


def test_derivatives_are_far_better_than_any_radius():
    """d y / d D = u exactly; the difference quotient is compared at the slack that the program allows itself."""
    content = layer_made("lru", "gradient D")
    content["index"] = [1]
    content["evidence"] = {"parts": [["0x0.0p+0", "0x0.0p+0"]], "rad": (0.0).hex()}
    data = (content["arguments"][name]["data"][1::2] for name in ("u", "y_bar"))
    true = sum(Fraction(float.fromhex(one)) * Fraction(float.fromhex(two)) for one, two in zip(*data, strict=True))
    with mpmath.workdps(_layers.DIGITS):
        found, _ = _layers.exact(lru.LAYER, _witness.witness(content), {"state": 4})
        assert abs(found - mpmath.mpf(true.numerator) / true.denominator) < mpmath.mpf(10) ** -100
    assert TRUTH in recheck(content)


@pytest.mark.parametrize("name", ["B", "theta", "gamma_log", "M"])
@pytest.mark.parametrize("scale", [2.0**-400, 2.0**-40, 1.0, 2.0**40])
def test_derivatives_at_any_scale(name, scale):
    """RotRNN sees B's direction only, and no gradient but B's changes with its size."""
    content = layer_made("rotrnn", f"gradient {name}", dtype="float64")
    other = altered(content, "arguments", "B", "data", to=lambda data: [(float.fromhex(x) * scale).hex() for x in data])
    with mpmath.workdps(_layers.DIGITS):
        plain, found = (_layers.exact(rotrnn.LAYER, _witness.witness(x), {"heads": 2, "head_dim": 4})[0] for x in (content, other))
        wanted = plain / (scale if name == "B" else 1)
        assert abs(found - wanted) < abs(wanted) * mpmath.mpf(10) ** -60


# ---------------------------------------------------------------- matrix exponentials
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("size", "norm"), [(2, 0.05), (2, 100.0), (3, 3.0), (16, 50.0)])
@pytest.mark.parametrize("stack", [1, 3])
def test_exponentials_that_were_judged_outside(dtype, size, norm, stack):
    assert recheck(expm_made(size, norm, dtype, stack)) == "confirmed"


def test_exponentials_that_are_not_finite_and_a_wrong_identity():
    call = ExpmCall(np.zeros((1, 2, 2), "float32"))
    for got in (np.full((1, 2, 2), np.nan, "float32"), np.eye(2, dtype="float32")[None] * np.float32(1 + 2.0**-23)):
        content = expm_witness(call, got, judge_expm(got, call, FLOAT32), "wrong", "zero", 0)
        assert recheck(json.loads(content.text())) == "confirmed"


def cayley(S):
    """Orthogonal too, and another matrix."""
    one = np.eye(S.shape[1])
    return np.linalg.solve(one - S / 2, one + S / 2).astype(S.dtype)


def test_exponentials_of_a_search():
    report = check("expm", cayley, arithmetic=FLOAT32, cases=2, laws=["planes", "equivalence"])
    assert recheck(json.loads(report.witness.text())) == "confirmed"


def test_altered_exponentials():
    good = expm_made()
    assert SMALL in recheck(altered(good, "allowance", to=lambda bound: (1.2 * float.fromhex(bound)).hex()))
    assert recheck(altered(good, "arguments", "S", "data", -2, to="0x1.0000000000000p+4")) == "refuted: S is not skew"
    assert SMALL in recheck(altered(good, "evidence", "direction", "data", to=["0x0.0p+0"] * 3))
    honest = altered(good, "results", "P", "data", to=[float(x).hex() for x in expm_drawn()[1].ravel()])
    assert SMALL in recheck(honest)
    other = altered(honest, "arguments", "S", "data", to=lambda data: [(-float.fromhex(x)).hex() for x in data])
    assert recheck(other) == "confirmed"  # skew, and P is not its exponential


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_one_allowance_decides(factor):
    """An error of one plane, in the direction of an axis: half and twice the allowance are told apart."""
    good = expm_made(2, 1.0)
    P = [Fraction(float.fromhex(x)) for x in good["results"]["P"]["data"]]
    with flint.ctx.workprec(400):
        angle = flint.arb(flint.fmpq(*Fraction(float.fromhex(good["arguments"]["S"]["data"][1])).as_integer_ratio()))
        exact = [angle.cos(), angle.sin(), -angle.sin(), angle.cos()]
        apart = max(float(abs(flint.arb(flint.fmpq(*p.as_integer_ratio())) - e)) for p, e in zip(P, exact, strict=True))
    along = altered(good, "evidence", "direction", "data", to=[(0.0).hex(), (1.0).hex()]) | {"allowance": (factor * apart).hex()}
    assert (recheck(along) == "confirmed") == (factor < 1)


@pytest.mark.parametrize("norm", [0.0, 1e-3, 7.0, 300.0])
def test_the_series_is_as_good_as_it_says(norm):
    exact, rest = expm.exponential([[Fraction(0), Fraction(norm)], [Fraction(-norm), Fraction(0)]], [Fraction(1), Fraction(0)])
    with flint.ctx.workprec(600):
        true = flint.arb(norm).cos(), -flint.arb(norm).sin()
        for one, t in zip(exact, true, strict=True):
            apart = abs(flint.arb(flint.fmpq(*one.as_integer_ratio())) - t)
            assert apart.lower() <= flint.arb(flint.fmpq(*rest.as_integer_ratio()))
    assert rest <= Fraction(2) ** -expm.BITS


# ---------------------------------------------------------------- the program
def run(folder, content, *command, name="w.json"):
    """Runs the program on a file, without site packages unless a command is given."""
    text = content if isinstance(content, str | bytes) else json.dumps(content)
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    command = command or (sys.executable, "-I", "-S", str(FOLDER))
    return subprocess.run([*command, name], cwd=folder, capture_output=True, text=True, check=False)


def with_mpmath(folder):
    """The command that runs a copy of the folder where nothing but mpmath can be imported."""
    shutil.copytree(FOLDER, folder / "elsewhere", ignore=shutil.ignore_patterns("__pycache__"))
    site = f"import sys, runpy; sys.path.append({str(Path(mpmath.__file__).parents[1])!r}); "
    barred = "sys.modules |= dict.fromkeys(['scanproof', 'numpy', 'flint', 'scipy']); "
    start = "sys.argv[:1] = []; runpy.run_path('elsewhere', run_name='__main__')"
    return sys.executable, "-I", "-S", "-c", site + barred + start, "recheck"


@pytest.mark.parametrize("system", SYSTEMS)
def test_as_a_program_without_scanproof(system, tmp_path):
    command = with_mpmath(tmp_path) if system in ("lru", "rotrnn") else ()
    good = MADE[system]()
    done = run(tmp_path, good, *command)
    assert (done.stdout, done.stderr, done.returncode) == ("confirmed, given the recorded allowance\n", "", 0)
    done = run(tmp_path, good | {"allowance": (1e9).hex()}, *command)
    assert (done.stdout, done.stderr, done.returncode) == (f"refuted: {core.SMALL}\n", "", 1)


def test_as_a_module_of_the_package(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[1] / "src")}
    (tmp_path / "w.json").write_text(json.dumps(expm_made()))
    command = [sys.executable, "-m", "scanproof.properties.recheck", "w.json"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("confirmed, given the recorded allowance\n", "", 0)


def test_without_mpmath_it_says_so(tmp_path):
    done = run(tmp_path, layer_made("lru"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "recheck: w.json: system: found no mpmath, expected it installed, lru needs it\n"


@pytest.mark.parametrize("number", [0, 2])
def test_it_takes_one_file(number, tmp_path):
    command = [sys.executable, "-I", "-S", str(FOLDER), *["w.json"] * number]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, f"recheck: found {number} files, expected one witness\n")


def test_a_system_is_a_file_beside_the_others(tmp_path):
    """No table of names: a file that is put there is found by what the witness says."""
    shutil.copytree(FOLDER, tmp_path / "recheck")
    command = sys.executable, "-I", "-S", "recheck"
    unknown = scan_witness() | {"system": "two-words"}
    done = run(tmp_path, unknown, *command)
    assert (done.returncode, done.stderr) == (
        2, "recheck: w.json: system: found 'two-words', expected one of expm, lru, rotrnn, scan\n")
    (tmp_path / "recheck/two_words.py").write_text("def refuted(w):\n    return f'it is {w.output}'\n")
    done = run(tmp_path, unknown, *command)
    assert (done.returncode, done.stdout) == (1, "refuted: it is h\n")


@pytest.mark.parametrize("system", ["core", "_values", "../scan", "Scan", "", None, "a" * 10_000, "scan\n"])
def test_other_files_are_no_systems(system):
    with pytest.raises(ValueError, match=r"^system: found .*, expected .*"):
        recheck(scan_witness() | {"system": system})


# ---------------------------------------------------------------- files that are no witness
GOOD = scan_witness("float64", varying=False)
ARRAY = GOOD["arguments"]["b"]
OLD = "a witness of the first edition, expected schema scanproof-witness/3; run `scanproof check` again with the implementation"


def changed(*path, to):
    return altered(GOOD, *path, to=to)


ALIEN = {
    "": "Expecting value",
    "{}": "schema: found None, expected 'scanproof-witness/3'",
    "[]": "witness: found [], expected an object",
    "null": "witness: found None, expected an object",
    "[" * 100_000: "file: found lists in lists without end",
    '{"a":' * 100_000: "file: found lists in lists without end",
    '{"schema": "a", "schema": "b"}': "file: found an object with one name twice",
    '{"schema": NaN}': "file: found NaN, expected JSON",
    '{"schema": ' + "9" * 10_000 + "}": "limit",
    b"\xff\xfe\x00": "codec can't decode",
    json.dumps(GOOD)[:-20]: "Expecting",
}
NO_NUMBERS: list[Any] = ["0x1p99999", "0x1p0", "1", "", "0x", 1, 1.5, None, [], {}, "0x1" + "0" * 50, "NaN"]
CHANGED = [
    (changed("schema", to="scanproof-witness/9"), "schema: found 'scanproof-witness/9', expected 'scanproof-witness/3'"),
    (GOOD | {"more": 1}, "witness: found 'more', expected only schema"),
    ({name: x for name, x in GOOD.items() if name != "law"}, "witness: found no law, expected schema"),
    (changed("seed", to=True), "seed: found True, expected a whole number"),
    (changed("seed", to=1.0), "seed: found 1.0, expected a whole number"),
    (changed("law", to="A law"), "law: found 'A law', expected text"),
    (changed("claim", to=3), "claim: found 3, expected text"),
    (changed("declaration", to={}), "declaration.dtype: found None, expected float16"),
    (changed("declaration", to={"dtype": []}), "declaration.dtype: found [], expected float16"),
    (changed("index", to=[9, 9, 9]), "index: found 9, expected a whole number from 0 to 1"),
    (changed("index", to=[-1, 0, 0]), "index: found -1, expected a whole number from 0 to 1"),
    (changed("index", to=[0, 0]), "index: found 2 items, expected 3"),
    (changed("index", to="000"), "index: found '000', expected a list"),
    (changed("output", to="y"), "output: found 'y', expected one of h"),
    (changed("output", to="h from constants"), "output: found 'h from constants', expected 'h'"),
    (changed("arguments", to=[]), "arguments: found [], expected an object"),
    (changed("arguments", "b", to=None), "b: found None, expected an object"),
    (changed("arguments", "lam", to=ARRAY | {"shape": [9, 2, 3]}), "b: found shape (2, 9, 3), expected"),
    (altered(GOOD, "arguments", to=lambda a: a | {"reverse": 1}), "reverse: found 1, expected true or false"),
    (altered(GOOD, "arguments", to=lambda a: a | {"u": ARRAY}), "u: found an array, expected only b, lam, h0"),
    (altered(GOOD, "arguments", to=lambda a: {"b": a["b"]}), "lam: found none, expected an array"),
    (changed("results", to={}), "output: found 'h', expected one of the results"),
    (changed("results", "h", "dtype", to="float128"), "h.dtype: found 'float128', expected float16"),
    (changed("results", "h", "dtype", to=["float64"]), "h.dtype: found ['float64'], expected float16"),
    (changed("arguments", "b", "shape", to=[]), "b.shape: found [], expected 1 to 5 axes"),
    (changed("arguments", "b", "shape", to=[0, 9, 3]), "b.shape: found [0, 9, 3], expected 1 to 5 axes"),
    (changed("arguments", "b", "shape", to=[1] * 6), "b.shape: found [1, 1, 1, 1, 1, 1], expected 1 to 5 axes"),
    (changed("arguments", "b", "shape", to=[2**26, 2]), "b.shape: found [67108864, 2], expected 1 to 5 axes and 1 to 67108864"),
    (changed("arguments", "b", "shape", to=[10**4000]), "b.shape: found 1000000"),
    (changed("arguments", "b", "shape", to=[True]), "b.shape: found True, expected a whole number"),
    (changed("arguments", "b", "shape", to=[54]), "b: found shape (54,), expected (batch, time, channel 3)"),
    (changed("arguments", "b", "data", to=[]), "b.data: found 0 items, expected 54"),
    *((changed("arguments", "b", "data", 0, to=x), f"b: found {x}, expected finite numbers") for x in ("inf", "-inf", "nan")),
    *((changed("arguments", "b", "data", 0, to=x), f"b.data: found {x!r}, expected a number in the form of float.hex")
      for x in NO_NUMBERS),
    *((changed("allowance", to=x), f"allowance: found {x}, expected a finite number") for x in ("inf", "nan", (-1.0).hex())),
    (changed("allowance", to="0x1p99999"), "allowance: found '0x1p99999', expected a number in the form of float.hex"),
    (changed("evidence", to=None), "evidence: found None, expected an object"),
    (changed("evidence", to={"parts": [], "rad": "0x0.0p+0"}), "evidence: found no exact, expected exact"),
    (changed("evidence", "exact", "exponent", to=10**6 + 1), "exponent: found 1000001, expected a whole number from 0 to 1000000"),
    (changed("evidence", "exact", "exponent", to=10**400), "exponent: found 1000000"),
    (changed("evidence", "exact", "exponent", to=-1), "exponent: found -1, expected a whole number"),
    (changed("evidence", "exact", "numerators", to=["0x1", "0x1"]), "numerators: found 2 items, expected 1"),
    (changed("evidence", "exact", "numerators", to=["0xg"]), "numerators: found '0xg', expected text of the form"),
    (changed("evidence", "exact", "numerators", to=["0x" + "f" * 2**21]), "numerators: found '0xffff"),
    ({"format": "scanproof-witness/2"}, f"format: found 'scanproof-witness/2', {OLD}"),
    ({"format": "scanproof-layer-witness/1"}, f"format: found 'scanproof-layer-witness/1', {OLD}"),
    ({"format": "scanproof-expm-witness/1", "S": 1}, f"format: found 'scanproof-expm-witness/1', {OLD}"),
]


def refusal(content, tmp_path, capsys):
    """The one line with which a file is refused, by the program itself in this process."""
    text = content if isinstance(content, str | bytes) else json.dumps(content)
    path = tmp_path / "w.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    before = time.perf_counter()
    code = core.main([str(path)])
    assert time.perf_counter() - before < 1
    out, err = capsys.readouterr()
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert err.startswith(f"recheck: {path}: ")
    assert len(err) < 700
    return err.removeprefix(f"recheck: {path}: ")


@pytest.mark.parametrize(("text", "line"), ALIEN.items(), ids=range(len(ALIEN)))
def test_files_that_are_not_even_witnesses(text, line, tmp_path, capsys):
    assert line in refusal(text, tmp_path, capsys)


@pytest.mark.parametrize(("content", "line"), CHANGED, ids=range(len(CHANGED)))
def test_witnesses_that_are_refused(content, line, tmp_path, capsys):
    assert refusal(content, tmp_path, capsys).startswith(line)


LAYER = {"lru": layer_made("lru", two=True), "rotrnn": layer_made("rotrnn", two=True), "expm": expm_made()}
REFUSED = [
    ("lru", ("arguments", "nu_log", "data", 0), (701.0).hex(), "nu_log: found 701.0, expected logarithms from -700.0 to 700.0"),
    ("lru", ("arguments", "theta_log", "data", 0), (2.0**100).hex(), "theta_log: found 1.26"),
    ("lru", ("arguments", "gamma_log", "data", 0), (-(2.0**100)).hex(), "gamma_log: found -1.26"),
    ("rotrnn", ("arguments", "gamma_log", "data", 0), (1024.0).hex(), "gamma_log: found 1024.0, expected logarithms"),
    ("rotrnn", ("arguments", "B", "data"), lambda data: [(0.0).hex()] * len(data), "B: found a head of zeros, expected"),
    ("rotrnn", ("arguments", "M", "shape"), [2, 8, 2], "theta: found shape (2, 2), expected (heads, pairs 4)"),
    ("rotrnn", ("arguments", "M"), None, "M: found None, expected an object"),
    ("rotrnn", ("arguments", "C2", "shape"), [8, 2], "C2: found shape (8, 2), expected (width 2, features 8)"),
    ("lru", ("arguments", "C2_im"), {"dtype": "float32", "shape": [1], "data": ["0x0.0p+0"]}, "C2_im: found shape (1,), expected"),
    ("lru", ("arguments",), lambda a: {n: x for n, x in a.items() if n != "C2_im"}, "C2_im: found none, expected an array"),
    ("lru", ("arguments",), lambda a: {n: x for n, x in a.items() if n != "u"}, "u: found none, expected an array"),
    ("lru", ("results",), lambda r: r | {"z": r["y"]}, "z: found an array, expected only y, h, h_last, gradient nu_log"),
    ("lru", ("output",), "y from constants", "output: found 'y from constants', expected y or h, and constants"),
    ("lru", ("evidence",), {"exact": {}}, "evidence: found no parts, expected parts, rad"),
    ("lru", ("evidence", "rad"), "nan", "evidence.rad: found nan, expected a finite number"),
    ("lru", ("evidence", "rad"), "inf", "evidence.rad: found inf, expected a finite number"),
    ("lru", ("evidence", "parts", 0, 1), "nan", "evidence.parts: found nan, expected a finite number"),
    ("lru", ("evidence", "parts", 0), [], "evidence.parts: found 0 items, expected 2"),
    ("lru", ("evidence", "parts"), [], "evidence.parts: found 0 items, expected 1"),
    ("expm", ("evidence", "direction", "data", 0), "inf", "direction: found inf, expected finite numbers"),
    ("expm", ("evidence", "direction", "shape"), [3, 1], "direction: found shape (3, 1), expected (n 3)"),
    ("expm", ("arguments", "S", "shape"), [1, 9, 1], "S: found shape (1, 9, 1), expected (stack, n, n)"),
    ("expm", ("index",), [1, 0, 0], "index: found 1, expected a whole number from 0 to 0"),
    ("expm", ("arguments", "S", "data"), lambda data: [(float.fromhex(x) * 2.0**90).hex() for x in data], "S: found a row of"),
]


@pytest.mark.parametrize(("system", "path", "to", "line"), REFUSED, ids=range(len(REFUSED)))
def test_other_systems_refuse_too(system, path, to, line, tmp_path, capsys):
    assert refusal(altered(LAYER[system], *path, to=to), tmp_path, capsys).startswith(line)


def test_an_array_of_complex_numbers_where_real_ones_belong(tmp_path, capsys):
    twice = altered(LAYER["lru"], "arguments", "u", to=lambda u: {"dtype": "complex64", "shape": u["shape"], "data": u["data"] * 2})
    assert refusal(twice, tmp_path, capsys) == "u: found complex numbers, expected real ones\n"


def test_a_number_that_its_format_does_not_hold(tmp_path, capsys):
    content = altered(LAYER["lru"], "results", "y", "data", 0, to="0x1.0000000000001p+0")
    assert refusal(content, tmp_path, capsys) == "y.data: found 0x1.0000000000001p+0, expected numbers that float32 holds\n"
    huge = altered(LAYER["lru"], "results", "y", "data", 0, to=(2.0**1000).hex())
    assert refusal(huge, tmp_path, capsys).startswith("y.data: found 0x1.0000000000000p+1000, expected")


def test_more_states_than_an_array_may_hold(tmp_path, capsys):
    """Small arrays that together describe a huge call."""
    def zeros(*shape):
        return {"dtype": "float32", "shape": list(shape), "data": ["0x0.0p+0"] * int(np.prod(shape))}

    n = 8400
    given = dict.fromkeys(("nu_log", "theta_log", "gamma_log"), zeros(n)) | dict.fromkeys(("B_re", "B_im"), zeros(n, 1))
    given |= dict.fromkeys(("C_re", "C_im"), zeros(1, n)) | {"D": zeros(1), "u": zeros(1, n, 1)}
    content = layer_made("lru") | {"arguments": given, "results": {"y": zeros(1, n, 1)}, "index": [0, 0, 0]}
    assert refusal(content, tmp_path, capsys) == f"h: found {n * n} states, expected 67108864 at most\n"


def test_a_file_that_is_too_large(tmp_path):
    with open(tmp_path / "large.json", "wb") as file:
        file.truncate(2**28 + 1)
    before = time.perf_counter()
    done = subprocess.run([sys.executable, "-I", "-S", FOLDER, "large.json"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert time.perf_counter() - before < 1
    line = "recheck: large.json: file: found more than 268435456 bytes, expected that many at most\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", line)


def test_files_that_cannot_be_read(tmp_path, capsys):
    for name, line in ((".", "Is a directory"), ("none\n.json", "No such file or directory"), ("a\0b", "embedded null byte")):
        assert core.main([str(tmp_path / name)]) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert err.endswith(f"{line}\n")


@pytest.mark.parametrize("error", [MemoryError(), ZeroDivisionError("x\ny"), RuntimeError("x")])
def test_no_error_shows_a_traceback(error, monkeypatch, tmp_path, capsys):
    def fails(w):
        raise error

    monkeypatch.setattr(core, "recheck", fails)
    assert refusal(GOOD, tmp_path, capsys).startswith(type(error).__name__)


def test_an_interrupt_is_one_line(monkeypatch, tmp_path, capsys):
    def interrupted(path):
        raise KeyboardInterrupt

    monkeypatch.setattr(core, "load", interrupted)
    assert core.main(["w.json"]) == 130
    assert capsys.readouterr().err == "recheck: interrupted\n"


@pytest.mark.parametrize("size", [-700.0, 650.0, 700.0])
def test_logarithms_up_to_the_limit_are_computed(size):
    """Far beyond what a layer is good for: the truth changes, nothing else happens."""
    for system, name in (("lru", "nu_log"), ("lru", "theta_log"), ("lru", "gamma_log"), ("rotrnn", "gamma_log")):
        content = altered(LAYER[system], "arguments", name, "data", to=lambda data: [size.hex()] * len(data))
        assert recheck(content).startswith("refuted: the recorded truth"), (system, name)


# ---------------------------------------------------------------- what is imported
def imported(path):
    """The modules that a file imports, its own folder's as their names after a point."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level < 2, path
            yield "." * node.level + (node.module or "")


def test_only_the_standard_library_and_mpmath_are_imported():
    for path in FOLDER.glob("*.py"):
        outside = {name.split(".")[0] for name in imported(path) if not name.startswith(".")} - sys.stdlib_module_names
        assert outside <= ({"mpmath"} if path.stem in ("_layers", "lru", "rotrnn") else set()), path


def test_the_core_knows_no_system():
    assert core.systems() == [*SYSTEMS]
    for name in ("__main__", "core", "_witness", "_values"):
        words = (FOLDER / f"{name}.py").read_text()
        assert [system for system in ("expm", "lru", "rotrnn") if system in words] == [], name

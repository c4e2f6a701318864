"""Golden cases of layers: what is published, what it finds, files that are altered, and answers of other programs."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scanproof.properties.layer_calls import received
from scanproof.reference.layer_arithmetic import LayerArithmetic
from test_golden import elementary
from test_golden_files import altered, drop, refusal, set_to
from typer.testing import CliRunner

from scanproof import golden as package
from scanproof.cli.app import app
from scanproof.golden import judging, layer_making
from scanproof.golden.agreement import agree
from scanproof.golden.answers import question
from scanproof.golden.judging import judge
from scanproof.golden.layer_flags import LAYER_FLAGS
from scanproof.golden.layer_lint import PLAIN, layer_faults
from scanproof.golden.layer_making import classes, last, make_all, truths
from scanproof.golden.layer_schema import LayerCase
from scanproof.golden.lint import faults
from scanproof.golden.store import SYSTEMS, V1, published, read
from scanproof.properties.versions.versions import ACCEPTED, REJECTED, VERSIONS, Version
from scanproof.properties.witness import array, numbers
from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.inputs import Array

ROOT = Path(__file__).resolve().parents[1]
LAYERS = SYSTEMS[1:]
CASES: dict[str, list[Any]] = {system: published(system) for system in LAYERS}
FORMATS = ("float32", "float64")
Results = dict[str, Array]


def some(system: str, dtype: str) -> list[LayerCase]:
    return [case for case in CASES[system] if case.dtype == dtype]


def one(beginning: str) -> LayerCase:
    [found] = [case for cases in CASES.values() for case in cases if case.id.startswith(f"{beginning}-")]
    return found


def answered(case: LayerCase, implementation: Callable[..., Any]) -> Results | None:
    """What a program answers, by the adapter contract; None where it takes or gives something else."""
    keywords = case.inputs().keywords()
    if not keywords.keys() <= inspect.signature(implementation).parameters.keys():
        return None
    with np.errstate(all="ignore"):
        got = received(implementation(**keywords))
    if "h" in got:
        got["h_last"] = last(got["h"], case.inputs())
    forms = case.results()
    return {name: x for name, x in got.items() if (x.dtype.name, list(x.shape)) == forms[name][:2]} or None


def plain(case: LayerCase) -> Results:
    """All results of the plain layer; 16-bit formats accumulate in float32."""
    keywords = case.inputs().keywords()
    wide = {name: x.astype("float32") if getattr(x, "dtype", None) == "bfloat16" else x for name, x in keywords.items()}
    got = received(PLAIN[case.system](**wide))
    got["h_last"] = last(got["h"], case.inputs())
    return {name: got[name].astype(form.dtype) for name, form in case.results().items()}


# ---------------------------------------------------------------- what is published


@pytest.mark.parametrize("system", LAYERS)
def test_the_recipes_make_what_is_published(system: str) -> None:
    """Bit for bit, but for the numbers that a machine's libm may change in the last bits."""
    made = {case.id: case for case in make_all(system)}
    assert sorted(made) == sorted(case.id for case in CASES[system])
    machine: Any = {"truth": {"__all__": {"rad"}}, "allowances": True}
    for case in CASES[system]:
        again = made[case.id]
        assert again.model_dump(exclude=machine) == case.model_dump(exclude=machine)
        for one, two in zip(case.allowances, again.allowances, strict=True):
            assert one.arithmetic == two.arithmetic
            assert all(agree(array(one.bounds[name]), array(x)) for name, x in two.bounds.items())


@pytest.mark.parametrize("system", LAYERS)
def test_lint_finds_nothing(system: str) -> None:
    assert list(faults(V1 / system)) == []


def test_every_regime_is_there_and_the_files_are_small() -> None:
    everything = [case for cases in CASES.values() for case in cases]
    assert {flag for case in everything for flag in case.flags} == set(LAYER_FLAGS)
    for system in LAYERS:
        assert {case.dtype for case in CASES[system]} == {"bfloat16", *FORMATS}
        assert all(any("sparse case" in case.flags for case in some(system, dtype)) for dtype in ("bfloat16", *FORMATS))
        assert max(case.u.shape[1] for case in CASES[system]) > 16
    files = [path for system in LAYERS for path in (V1 / system).glob("*.json")]
    assert sum(path.stat().st_size for path in files) < 750_000


def test_no_bound_is_infinite() -> None:
    bounds = [x for cases in CASES.values() for case in cases for granted in case.allowances for x in granted.bounds.values()]
    assert all(np.isfinite(array(x)).all() for x in bounds)


@pytest.mark.parametrize("name", ["lru-gradients-float32", "rotrnn-gradients-directions-float64", "rotrnn-identity-float64"])
def test_head_and_tail_are_the_same_at_any_precision(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """So they are correct roundings, and the id is that of the inputs."""
    case = one(name)
    monkeypatch.setattr(layer_making, "BITS", 330)
    for result, truth in truths(case.inputs()).items():
        stored = case.enclosures()[result]
        assert (truth.head == stored.head).all()
        assert (truth.tail == stored.tail).all()


def test_what_ids_depend_on_is_the_same_on_every_machine() -> None:
    folder = Path(package.__path__[0])
    assert elementary((folder / "layer_drawing.py").read_text()) == set()
    assert elementary((folder / "layer_cases.py").read_text()) == set()
    assert elementary((folder / "layer_flags.py").read_text()) == {"np.abs"}  # of real numbers


def test_the_flags_are_explained() -> None:
    rows = dict(re.findall(r"^\| ([a-z0-9 -]+) \| (.+) \|$", (ROOT / "docs/golden.md").read_text(), re.MULTILINE))
    assert {name: rows[name] for name in LAYER_FLAGS} == {name: flag.meaning for name, flag in LAYER_FLAGS.items()}


# ---------------------------------------------------------------- what it is for


CERTIFIED: dict[Any, Any] = {}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Certifies a case once for many answers, and looks for no weaker declaration."""

    def certificates(call: Any, arithmetic: Arithmetic) -> Any:
        key = call.system, call.u.tobytes(), arithmetic
        if key not in CERTIFIED:
            CERTIFIED[key] = layer_making.certificates(call, arithmetic)
        return CERTIFIED[key]

    monkeypatch.setattr(judging, "certificates", certificates)
    monkeypatch.setattr(judging, "_fits", lambda *_: {})


@pytest.mark.parametrize("system", LAYERS)
@pytest.mark.parametrize("dtype", ["bfloat16", *FORMATS])
def test_an_honest_layer_passes_every_class_that_is_stored(system: str, dtype: str) -> None:
    answers = {case.id: plain(case) for case in some(system, dtype)}
    for arithmetic in classes(dtype, gradients=False):
        result = judge(some(system, dtype), answers, {dtype: arithmetic})
        assert result.verdict in ("within", "nearest"), result.reason
        assert {(judged.source, judged.absent) for judged in result.cases} == {("stored", ())}
        assert {judged.status for judged in result.cases} <= {"within", "nearest"}


def test_the_adjoint_recurrence_allows_no_more() -> None:
    for system in LAYERS:
        case = one(f"{system}-gradients-float64")
        arithmetic = Arithmetic("float64", adjoint="recurrence", stages="formed")
        usual, formed = case.stored(Arithmetic("float64", stages="formed")), case.stored(arithmetic)
        assert usual is not None
        assert formed is not None
        assert all((formed[name] <= usual[name]).all() for name in usual)
        assert any((formed[name] < usual[name]).any() for name in usual)
        result = judge([case], {case.id: plain(case)}, {"float64": arithmetic})
        assert (result.cases[0].status, result.cases[0].source) == ("within", "stored")


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
@pytest.mark.usefixtures("quick")
def test_every_version_is_told(version: Version, dtype: str) -> None:
    """In float32 a carry times 1 + 1e-5 is the same carry, and 1 - gamma^2 as written is none of the class."""
    answers = {case.id: answered(case, version.implementation) for case in some(version.system, dtype)}
    found = judge(some(version.system, dtype), answers, {dtype: Arithmetic(dtype, stages="formed")})
    if not any(answers.values()):
        assert version.name in ("rotrnn-B-as-output", "rotrnn-D-batch")  # other shapes: no answers
    elif version.expected == ACCEPTED:
        assert (found.verdict == "outside") == (version.name.endswith("one-minus-square") and dtype == "float32")
    elif version.expected == REJECTED:
        assert (found.verdict == "outside") != (version.name.endswith("scales-carry") and dtype == "float32")


@pytest.mark.parametrize("system", LAYERS)
@pytest.mark.usefixtures("quick")
def test_small_errors_of_any_result_are_outside(system: str) -> None:
    """One number of one result, off by 2^-10 of the largest."""
    for case in some(system, "float64"):
        honest = plain(case)
        for name, x in honest.items():
            moved = x.copy()
            moved.flat[-1] += 2.0**-10 * np.abs(x).max()
            result = judge([case], {case.id: honest | {name: moved}}, {"float64": Arithmetic("float64", stages="formed")})
            assert result.cases[0].status == "outside", (case.id, name)
            worst = result.cases[0].verdict.worst if result.cases[0].verdict else None
            assert worst is not None
            assert worst.output == name


@pytest.mark.parametrize("system", LAYERS)
def test_mixed_rows_are_outside(system: str) -> None:
    for case in some(system, "float32"):
        if "batch" in case.flags:
            swapped = plain(case)["y"][::-1].copy()
            assert judge([case], {case.id: {"y": swapped}}, {"float32": Arithmetic("float32", stages="formed")}).verdict == "outside"


# ---------------------------------------------------------------- files

NAME = "lru-gradients-float32"


@pytest.fixture
def good() -> Path:
    return next((V1 / "lru").glob(f"{NAME}-*.json"))


ALTERED = {
    "purpose": set_to("purpose", value="one thing or another"),
    "flags": set_to("flags", value=["sparse case"]),
    "params": set_to("params", "nu_log", "data", 0),
    "u": set_to("u", "data", 3),
    "h0": set_to("h0", "data", 1),
    "reverse": set_to("reverse", value=True),
    "y_bar": set_to("y_bar", "data", 2),
    "head": set_to("truth", "y", "head", "data", 2),
    "tail of a gradient": set_to("truth", "gradient B_re", "tail", "data", 0),
}
DERIVED = {  # outside the hash: only recomputation tells
    "rad too small": set_to("truth", "y", "rad", "data", 0, value="0x0.0p+0"),
    "rad too large": set_to("truth", "h", "rad", "data", 5, value="0x1.0000000000000p-20"),
    "bound": set_to("allowances", 0, "bounds", "y", "data", 0),
    "bound of a gradient": set_to("allowances", 2, "bounds", "gradient u", "data", 1),
    "bound made infinite": set_to("allowances", 1, "bounds", "h_last", "data", 0, value="inf"),
    "class": set_to("allowances", 1, "arithmetic", "subnormals", value="ftz"),
    "class missing": drop("allowances", 2),
}
MALFORMED = {
    "system": set_to("system", value="rotrnn"),
    "unknown system": set_to("system", value="mamba"),
    "extra field": set_to("extra", value=1),
    "missing field": drop("y_bar"),
    "missing parameter": drop("params", "D"),
    "decimal": set_to("u", "data", 0, value="0.5"),
    "not of the dtype": set_to("u", "data", 0, value="0x1.0000000000001p+0"),
    "shape": set_to("u", "shape", value=[1, 18, 1]),
    "result missing": drop("truth", "h_last"),
    "bounds missing": drop("allowances", 0, "bounds", "gradient h0"),
    "head of another dtype": set_to("truth", "y", "head", "dtype", value="float32"),
    "negative bound": set_to("allowances", 0, "bounds", "y", "data", 0, value="-0x1.0000000000000p+0"),
    "class of another dtype": set_to("allowances", 0, "arithmetic", "dtype", value="float64"),
    "unknown adjoint": set_to("allowances", 0, "arithmetic", "adjoint", value="backwards"),
    "class twice": set_to("allowances", 1, "arithmetic", "subnormals", value="gradual"),
    "gradients without y_bar": lambda content: content.update(y_bar=None),
}


def test_an_unchanged_copy_is_read_and_linted(good: Path, tmp_path: Path) -> None:
    path = altered(good, tmp_path, lambda content: None)
    assert path.read_bytes() == good.read_bytes()
    assert read(path) == read(good)
    assert list(faults(tmp_path)) == []


@pytest.mark.parametrize("name", ALTERED)
def test_an_altered_file_is_refused(name: str, good: Path, tmp_path: Path) -> None:
    assert "altered: its id is" in refusal(altered(good, tmp_path, ALTERED[name]))


@pytest.mark.parametrize("name", [name for name in ALTERED if name != "purpose"])
def test_a_forged_file_is_found_by_lint(name: str, good: Path) -> None:
    content = json.loads(good.read_text())
    ALTERED[name](content)
    assert list(layer_faults(LayerCase.model_validate_json(json.dumps(content))))


@pytest.mark.parametrize("name", DERIVED)
def test_an_altered_bound_is_found_by_lint(name: str, good: Path, tmp_path: Path) -> None:
    read(altered(good, tmp_path, DERIVED[name]))
    [fault] = faults(tmp_path)
    assert "\n" not in fault


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_file_is_refused(name: str, good: Path, tmp_path: Path) -> None:
    assert "faults in all" in refusal(altered(good, tmp_path, MALFORMED[name]))


def test_a_newer_format_is_named(good: Path, tmp_path: Path) -> None:
    found = refusal(altered(good, tmp_path, set_to("format", value="scanproof-golden-layer/2")))
    assert "expected scanproof-golden-layer/1; a newer scanproof may read it" in found


def test_stored_numbers_that_are_not_those_of_the_call_are_refused() -> None:
    case = one(NAME)
    first, answers = case.allowances[0], {case.id: plain(case)}
    wider = first.model_copy(update={"bounds": first.bounds | {"y": numbers(array(first.bounds["y"]) * 2)}})
    forged = case.model_copy(update={"allowances": [wider, *case.allowances[1:]]})
    with pytest.raises(ValueError, match="altered: its bounds of y"):
        judge([forged], answers, {"float32": Arithmetic("float32", stages="formed")})
    y = case.truth["y"]
    moved = y.model_copy(update={"head": numbers(array(y.head) + 2.0**-30)})
    forged = case.model_copy(update={"truth": case.truth | {"y": moved}})
    with pytest.raises(ValueError, match="altered: its truth of y"):
        judge([forged], answers, {"float32": Arithmetic("float32", stages="formed")})


# ---------------------------------------------------------------- the two pipes


def line(identifier: str, results: Results) -> str:
    return json.dumps({"id": identifier} | {name: numbers(np.ascontiguousarray(x)).model_dump() for name, x in results.items()})


def judged(system: str, lines: list[str], *options: str) -> Any:
    return CliRunner().invoke(app, ["golden", "judge", "-", "--system", system, *options], input="\n".join(lines))


def one_line(result: Any) -> str:
    assert (result.exit_code, result.stdout) == (2, "")
    [error] = result.stderr.strip().splitlines()
    return str(error)


def program() -> str:
    [found] = re.findall(r"```py\n(.*?)```", (ROOT / "docs/golden.md").read_text(), re.DOTALL)
    return str(found)


def answers_of(text: str, folder: Path) -> list[str]:
    """What a program answers to the questions about LRU in float64, run as a user would."""
    (folder / "yours.py").write_text(text)
    emitted = CliRunner().invoke(app, ["golden", "emit", "--system", "lru", "--dtype", "float64"]).stdout
    done = subprocess.run([sys.executable, "-I", "-S", "yours.py"], input=emitted, cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_the_program_of_the_documentation(tmp_path: Path) -> None:
    result = judged("lru", answers_of(program(), tmp_path), "--dtype", "float64", "--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["verdict"], found["counts"]["not offered"], found["counts"]["within"]) == (0, "within", 2, 8)
    assert all(case["allowances"] == "stored" for case in found["cases"] if case["verdict"] == "within")
    assert len([row for row in program().splitlines() if row.strip()]) <= 21
    assert re.findall(r"^(?:import|from) (.+)", program(), re.MULTILINE) == ["cmath, json, math, sys"]


@pytest.mark.parametrize(("old", "new"), [
    ("math.exp(b))", "-math.exp(b))"),
    (' + p["D"][j] * u[at + j]', ""),
    ("gamma[i] * sum", "sum"),
    (').real + p["D"]', ').real * (1 + 2**-10) + p["D"]'),
    ('if q["reverse"] else', "if False else"),
    ('if q["h0"] else', "if False else"),
])  # fmt: skip
def test_a_faulty_program_is_rejected(old: str, new: str, tmp_path: Path) -> None:
    assert old in program()
    result = judged("lru", answers_of(program().replace(old, new), tmp_path), "--dtype", "float64")
    assert result.exit_code == 1
    assert "of 10 cases are outside" in result.stdout


@pytest.mark.parametrize("system", LAYERS)
def test_all_results_through_the_pipes(system: str) -> None:
    lines = [line(case.id, plain(case)) for case in some(system, "bfloat16")]
    result = judged(system, lines, "--dtype", "bfloat16", "--accumulate", "float32")
    assert result.exit_code == 0, result.output
    assert "not offered" not in result.stdout
    result = judged(system, [line(case.id, plain(case)) for case in some(system, "float32")], "--dtype", "float32", "--quiet")
    assert (result.exit_code, result.stdout) == (0, "within\n")


def test_what_is_not_offered_is_counted() -> None:
    cases = some("rotrnn", "float32")
    results = [plain(case) for case in cases]
    lines = [line(case.id, {"y": got["y"]}) for case, got in zip(cases, results, strict=True)]
    lines[0] = json.dumps({"id": cases[0].id})
    text = judged("rotrnn", lines, "--dtype", "float32").stdout
    assert "10 within, 1 not offered" in text
    assert "not offered in cases answered: h (10), h_last (10), gradient theta (3)" in text
    found = json.loads(judged("rotrnn", lines, "--dtype", "float32", "--json").stdout)
    assert (found["exit_code"], found["counts"]["not offered"]) == (0, 1)
    assert [case.get("not_offered", [])[:2] for case in found["cases"]] == [[], *[["h", "h_last"]] * 10]
    missing = judged("rotrnn", lines[1:], "--dtype", "float32")
    assert missing.exit_code == 3
    assert "1 of 11 cases were not run" in missing.stdout


def test_without_a_sparse_case_nothing_is_said() -> None:
    cases = some("lru", "float32")
    lines = [line(case.id, {} if "sparse case" in case.flags else plain(case)) for case in cases]
    result = judged("lru", lines, "--dtype", "float32")
    assert result.exit_code == 3
    assert "no sparse case was answered" in result.stdout


def test_the_declaration_is_heard() -> None:
    """1 - gamma^2 as written is outside in the usual class, and within where it is declared."""
    layer = next(version.implementation for version in VERSIONS if version.name == "rotrnn-A-one-minus-square")
    lines = [line(case.id, answered(case, layer) or {}) for case in some("rotrnn", "float32")]
    rejected = judged("rotrnn", lines, "--dtype", "float32")
    assert rejected.exit_code == 1
    assert "float32: it fits float32" in rejected.stdout
    assert judged("rotrnn", lines, "--dtype", "float32", "--gain", "one-minus-square").exit_code == 0


def test_questions_do_not_tell_the_answer() -> None:
    asked = question(one(NAME))
    assert set(asked) == {"id", "format", "compute", "system", "params", "u", "h0", "reverse", "y_bar", "results"}
    assert all(set(form) == {"dtype", "shape"} for form in asked["results"].values())
    assert asked["results"]["h"] == {"dtype": "complex64", "shape": [1, 9, 3]}
    assert "h[t+1]" not in asked["compute"]
    assert "h[t+1]" in question(one("rotrnn-reverse-float32"))["compute"]
    assert "gradient" not in " ".join(question(one("lru-dense-float32"))["results"])


# ---------------------------------------------------------------- lines that are no answers

FIRST = one("lru-one-step-float32")
GOOD = json.loads(line(FIRST.id, plain(FIRST)))


def with_y(**changes: Any) -> str:
    return json.dumps(GOOD | {"y": GOOD["y"] | changes})


@pytest.mark.parametrize(("text", "told"), [
    ("{", "Invalid JSON"),
    ("{}", "id: Field required"),
    (json.dumps(GOOD | {"id": "other-0123456789"}), "id: found 'other-0123456789', expected one of the"),
    (json.dumps(GOOD | {"gradient u": GOOD["y"]}), "gradient u: found a result that is not asked, expected y, h, h_last"),
    (json.dumps(GOOD | {"y": 3}), "y: Input should be"),
    (json.dumps(GOOD | {"y": [1.5]}), "y: Input should be"),
    (json.dumps(GOOD | {"more": None}), "more: found a result that is not asked"),
    (with_y(more=1), "y.more: Extra inputs"),
    (with_y(dtype="float64"), "y.dtype: found 'float64', expected float32, the dtype in results"),
    (with_y(shape=[2, 2, 1]), "y.shape: found [2, 2, 1], expected [2, 1, 2], the shape in results"),
    (with_y(data=GOOD["y"]["data"][1:]), "y.data: found 3 numbers, expected 4"),
    (with_y(data=["1.5", *GOOD["y"]["data"][1:]]), "y.data.0: found '1.5', expected a hexadecimal float"),
    (with_y(data=["0x1.0000001p+0", *GOOD["y"]["data"][1:]]), "y.data.0: found '0x1.0000001p+0', which no float32 holds"),
    (json.dumps(GOOD | {"h": GOOD["y"]}), "h.dtype: found 'float32', expected complex64"),
])  # fmt: skip
def test_a_line_that_is_no_answer_is_named(text: str, told: str) -> None:
    error = one_line(judged("lru", ["", text], "--dtype", "float32"))
    assert error.startswith("scanproof: answers: line 2: ")
    assert told in error
    assert len(error) < 300


@pytest.mark.parametrize("text", ["nan", "inf", "-INFINITY"])
def test_what_is_not_finite_is_outside(text: str) -> None:
    others = [line(case.id, plain(case)) for case in some("lru", "float32") if case is not FIRST]
    result = judged("lru", [with_y(data=[text, *GOOD["y"]["data"][1:]]), *others], "--dtype", "float32", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["counts"]["outside"] == 1


def test_a_second_answer_is_refused() -> None:
    assert "a second time" in one_line(judged("lru", [json.dumps(GOOD), json.dumps(GOOD)]))


# ---------------------------------------------------------------- list, show, write


def test_the_list_shows_every_system() -> None:
    rows = CliRunner().invoke(app, ["golden", "list"]).stdout.splitlines()[1:]
    assert {row.split()[1] for row in rows} == {"scan", *LAYERS}
    found = json.loads(CliRunner().invoke(app, ["golden", "list", "--system", "lru", "--json"]).stdout)["cases"]
    assert [row["id"] for row in found] == [case.id for case in CASES["lru"]]
    assert {row["system"] for row in found} == {"lru"}
    for command in (["list"], ["emit"], ["judge", "-"], ["write", "x"]):
        told = one_line(CliRunner().invoke(app, ["golden", *command, "--system", "mamba"]))
        assert "system: found 'mamba', expected one of scan, lru, rotrnn" in told


def test_show_prints_a_case_and_its_exact_file(good: Path) -> None:
    shown = CliRunner().invoke(app, ["golden", "show", NAME])
    assert shown.exit_code == 0
    assert "cotangents of all parameters" in shown.stdout
    assert "adjoint recurrence" in shown.stdout
    assert CliRunner().invoke(app, ["golden", "show", good.stem, "--json"]).stdout == good.read_text()


def test_write_makes_one_system(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["golden", "write", str(tmp_path), "--system", "lru"])
    assert result.exit_code == 0
    assert {path.name for path in tmp_path.glob("*.json")} == {path.name for path in (V1 / "lru").glob("*.json")}


def test_words_of_layers_are_refused_for_scans() -> None:
    assert "adjoint: found 'recurrence' with system scan" in one_line(judged("scan", [], "--adjoint", "recurrence"))

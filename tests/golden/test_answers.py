"""Answers of other programs: the two pipes, every bad line, every exit code, and the programs of docs/golden.md."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from goldens import (
    CASES,
    LAYERS,
    answered,
    answers,
    golden,
    judged,
    line,
    one,
    one_line,
    plain,
    program,
    some,
    usual,
)

from scanproof.golden.answers import collect, question
from scanproof.golden.judging import judge
from scanproof.golden.recipes import COLLECTIONS
from scanproof.golden.store import PUBLISHED
from scanproof.properties.files import Numbers, array, numbers
from scanproof.properties.versions.scan import MUTANTS, chunked
from scanproof.properties.versions.versions import VERSIONS
from scanproof.reference.arithmetic.declaration import Arithmetic

SCANS = some("scan", "float32")
BY_ID = {case.id: case for case in SCANS}
FLOAT32 = ("--dtype", "float32")
FORMED = ("--stages", "formed")
LAYER = "lru-gradients-float32"


def honest() -> list[str]:
    """Answers to the scans in float32."""
    return [line(name, got) for name, got in answers(SCANS, chunked).items()]


def of_layers(system: str, dtype: str = "float32") -> list[str]:
    return [line(case.id, plain(case)) for case in some(system, dtype)]


def scans(lines: list[str], *options: str) -> Any:
    return judged("scan", lines, *FLOAT32, *options)


# ---------------------------------------------------------------- the two pipes


def run(text: str, folder: Path, *questions: str) -> str:
    """What a program answers to the questions that these options choose, run as a user would."""
    (folder / "yours.py").write_text(text)
    command = [sys.executable, "-I", "-S", "yours.py"]
    asked = golden("emit", *questions).stdout
    done = subprocess.run(command, input=asked, cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_pipes_with_a_program_that_shares_no_code(tmp_path: Path) -> None:
    """A scan in plain Python reads what emit prints and writes what judge reads."""
    printed = run(YOURS, tmp_path, "--dtype", "float64")
    result = golden("judge", "-", "--dtype", "float64", "--json", given=printed)
    found = json.loads(result.stdout)
    assert (result.exit_code, found["exit_code"], found["verdict"]) == (0, 0, "within")
    assert found["format"] == "scanproof-golden-verdict/1"
    assert len(found["cases"]) == len(some("scan", "float64")) == sum(found["counts"].values())
    assert all(case["allowances"] == "stored" for case in found["cases"])


YOURS = """
import json, sys
for text in sys.stdin:
    q = json.loads(text)
    a = q["arguments"]
    lam, b = ([float.fromhex(x) for x in a[name]["data"]] for name in ("lam", "b"))
    batch, time, channels = a["b"]["shape"]
    zero = [0.0] * (batch * channels)
    state = [float.fromhex(x) for x in a["h0"]["data"]] if "h0" in a else zero
    h = [0.0] * len(b)
    for t in reversed(range(time)) if a.get("reverse") else range(time):
        for row in range(batch):
            for c in range(channels):
                i = (row * time + t) * channels + c
                m = lam[i] if len(a["lam"]["shape"]) == 3 else lam[c]
                state[row * channels + c] = h[i] = m * state[row * channels + c] + b[i]
    print(json.dumps({"id": q["id"], "h": dict(q["results"]["h"], data=[x.hex() for x in h])}))
"""


@pytest.mark.parametrize("system", COLLECTIONS)
def test_questions_do_not_tell_the_answer(system: str) -> None:
    for case in CASES[system]:
        asked = question(case)
        known = {"id", "schema", "system", "compute", "arguments", "results"}
        assert set(asked) == known
        assert all(set(form) == {"dtype", "shape"} for form in asked["results"].values())
        assert ("h[t+1]" in asked["compute"]) == case.call().reverse
        assert ("gradient" in asked["compute"]) == ("gradient u" in asked["results"])
        assert ("a second time" in asked["compute"]) == ("two directions" in case.flags)


def test_questions_say_the_equations_and_the_direction() -> None:
    told = question(one("start-only-reverse-float32"))["compute"]
    assert told == (
        "h[t] = lam[t] h[t+1] + b[t]; from the last step to the first; "
        "before it h is h0, or 0 if that is absent"
    )
    told = question(one("lru-gradients-directions-float32"))["compute"]
    assert "with C2_re and C2_im a second time, from the first step to the last" in told
    assert '"gradient NAME": of the sum of y_bar y, complex ones dRe + i dIm' in told
    assert question(one(LAYER))["results"]["h"] == {"dtype": "complex64", "shape": [1, 9, 3]}


def test_emit_and_list_choose_by_dtype() -> None:
    lines = golden("emit", *FLOAT32).stdout.splitlines()
    listed = json.loads(golden("list", "--system", "scan", *FLOAT32, "--json").stdout)["cases"]
    assert (
        [json.loads(text)["id"] for text in lines] == [row["id"] for row in listed] == list(BY_ID)
    )
    rows = golden("list", "--system", "scan", *FLOAT32).stdout.splitlines()[1:]
    for row, case in zip(rows, SCANS, strict=True):
        assert row.split()[0] == case.id
        assert case.purpose in row
    told = one_line(golden("emit", "--dtype", "int8"))
    assert "dtype: found 'int8', expected one of" in told


def test_the_list_shows_every_system() -> None:
    rows = golden("list").stdout.splitlines()[1:]
    assert {row.split()[1] for row in rows} == set(COLLECTIONS)
    found = json.loads(golden("list", "--system", "lru", "--json").stdout)["cases"]
    assert [row["id"] for row in found] == [case.id for case in CASES["lru"]]
    assert {row["system"] for row in found} == {"lru"}
    for command in (["list"], ["emit"], ["judge", "-"], ["write", "x"]):
        told = one_line(golden(*command, "--system", "mamba"))
        assert "system: found 'mamba', expected one of scan, lru, rotrnn" in told


def test_a_reader_that_stops_early_is_no_error() -> None:
    main = f"{sys.executable} -c 'from scanproof.cli import main; main()'"
    command = f"{main} golden emit | head -c 10"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert (done.stdout[:7], done.stderr) == ('{"id": ', "")


def test_numbers_survive_the_trip() -> None:
    for case in SCANS:
        given = Numbers(**question(case)["arguments"]["b"])
        assert np.array_equal(array(given), case.call()["b"])


# ---------------------------------------------------------------- verdicts and exit codes


def test_accepted() -> None:
    result = scans(honest())
    assert result.exit_code == 0, result.output
    assert "within: " in result.stdout
    assert "correct" not in result.stdout
    assert scans(honest(), "--quiet").stdout == "within\n"


def test_rejected_and_named() -> None:
    mutant = next(mutant for mutant in MUTANTS if mutant.name == "drops-carry")
    lines = [line(name, got) for name, got in answers(SCANS, mutant.scan).items()]
    result = scans(lines)
    assert result.exit_code == 1
    assert "outside" in result.stdout
    assert "it fits none of the declarations known" in result.stdout
    found = json.loads(scans(lines, "--json").stdout)
    outside = [case for case in found["cases"] if case["verdict"] == "outside"]
    assert any("integer case" in case["flags"] for case in outside)
    assert all(case["worst"]["error"] > case["worst"]["allowance"] for case in outside)


def test_missing_answers_are_not_run() -> None:
    result = scans(honest()[1:])
    assert result.exit_code == 3
    assert "1 not run" in result.stdout
    told = f"undecided: 1 of {len(SCANS)} cases were not run, {SCANS[0].id} the first"
    assert told in result.stdout
    assert scans([]).exit_code == 3


def test_an_outside_is_one_even_if_cases_are_missing() -> None:
    huge = {"h": np.full(SCANS[0].shape, 1e30, "float32")}
    assert scans([line(SCANS[0].id, huge)]).exit_code == 1


@pytest.mark.parametrize("nothing", [{"h": None}, {}])
def test_not_offered_is_counted_and_no_failure(nothing: Any) -> None:
    pairs = zip(SCANS, honest(), strict=True)
    lines = [line(case.id, nothing) if "h0" in case.arguments else text for case, text in pairs]
    result = scans(lines)
    assert result.exit_code == 0
    assert re.search(r"\d+ not offered", result.stdout)


def test_what_is_not_offered_is_counted_by_name() -> None:
    cases = some("rotrnn", "float32")
    lines = [line(case.id, {"y": plain(case)["y"]}) for case in cases]
    lines[0] = line(cases[0].id, {})
    text = judged("rotrnn", lines, *FLOAT32, *FORMED).stdout
    assert "10 within, 1 not offered" in text
    assert "not offered in cases answered: h (10), h_last (10), gradient theta (3)" in text
    found = json.loads(judged("rotrnn", lines, *FLOAT32, *FORMED, "--json").stdout)
    assert (found["exit_code"], found["counts"]["not offered"]) == (0, 1)
    absent = [case["not_offered"][:2] for case in found["cases"] if case["verdict"] == "within"]
    assert absent == [["h", "h_last"]] * 10
    missing = judged("rotrnn", lines[1:], *FLOAT32)
    assert missing.exit_code == 3
    assert "1 of 11 cases were not run" in missing.stdout


def test_nothing_offered_is_undecided() -> None:
    result = scans([line(case.id, {"h": None}) for case in SCANS])
    assert result.exit_code == 3
    assert "no integer case was answered" in result.stdout


def test_without_a_sparse_case_nothing_is_said() -> None:
    cases = some("lru", "float32")
    given = [{} if "sparse case" in case.flags else plain(case) for case in cases]
    lines = [line(case.id, got) for case, got in zip(cases, given, strict=True)]
    result = judged("lru", lines, *FLOAT32)
    assert result.exit_code == 3
    assert "no sparse case was answered" in result.stdout


def test_a_class_without_allowance_is_undecided() -> None:
    given = answers(SCANS, lambda **call: chunked(**call) + np.float32(0))
    lines = [line(name, got) for name, got in given.items()]
    assert scans(lines, "--order", "unknown").exit_code == 3


def test_all_nearest_is_said() -> None:
    case = next(case for case in SCANS if "integer case" in case.flags)
    result = judge([case], answers([case], chunked), {"float32": Arithmetic("float32")})
    assert result.verdict == "nearest"


@pytest.mark.parametrize(
    ("options", "source"),
    [
        ((), "stored"),
        (("--subnormals", "daz"), "stored"),
        (("--order", "sequential"), "stored"),
        (("--subnormals", "ftz"), "computed"),
        (("--order", "tree"), "computed"),
        (("--no-contraction",), "computed"),
    ],
)
def test_where_the_allowance_comes_from(options: tuple[str, ...], source: str) -> None:
    result = scans(honest(), "--json", *options)
    assert result.exit_code == 0
    assert {case["allowances"] for case in json.loads(result.stdout)["cases"]} == {source}


def test_stages_are_declared_for_the_stored_allowances_of_layers() -> None:
    for options, source in (((), "computed"), (FORMED, "stored")):
        result = judged("lru", of_layers("lru"), *FLOAT32, "--json", *options)
        assert result.exit_code == 0
        assert {case["allowances"] for case in json.loads(result.stdout)["cases"]} == {source}


@pytest.mark.parametrize("name", [SCANS[0].id, LAYER])
def test_stored_bounds_that_are_not_those_of_the_call_are_refused(name: str) -> None:
    case = next(case for cases in CASES.values() for case in cases if case.id.startswith(name))
    first, result = case.allowances[0], next(iter(case.results))
    wider = numbers(array(first.bounds[result]) * 2 + 1)
    forged = first.model_copy(update={"bounds": first.bounds | {result: wider}})
    other = case.model_copy(update={"allowances": [forged, *case.allowances[1:]]})
    with pytest.raises(ValueError, match=f"altered: its bounds of {result}"):
        judge([other], {case.id: plain(case)}, {"float32": usual(case)[0]})


def test_a_stored_truth_that_is_not_that_of_the_call_is_refused() -> None:
    case = one(LAYER)
    y = case.results["y"]
    moved = y.model_copy(update={"head": numbers(array(y.head) + 2.0**-30)})
    forged = case.model_copy(update={"results": case.results | {"y": moved}})
    with pytest.raises(ValueError, match="altered: its truth of y"):
        judge([forged], {case.id: plain(case)}, {"float32": usual(case)[0]})


@pytest.mark.parametrize("system", ["scan", *LAYERS])
def test_all_results_through_the_pipes(system: str) -> None:
    declared = ("--accumulate", "float32", *(FORMED if system in LAYERS else ()))
    lines = of_layers(system, "bfloat16")
    result = judged(system, lines, "--dtype", "bfloat16", *declared)
    assert result.exit_code == 0, result.output
    assert "not offered" not in result.stdout
    assert "accumulate float32" in result.stdout
    result = judged(system, of_layers(system), *FLOAT32, "--quiet")
    assert (result.exit_code, result.stdout) == (0, "within\n")


def test_the_declaration_is_heard() -> None:
    """1 - gamma^2 as written is outside in the usual class, and within where it is declared."""
    name = "rotrnn-A-one-minus-square"
    layer = next(version.implementation for version in VERSIONS if version.name == name)
    cases = some("rotrnn", "float32")
    lines = [line(case.id, answered(case, layer) or {}) for case in cases]
    rejected = judged("rotrnn", lines, *FLOAT32, *FORMED)
    assert rejected.exit_code == 1
    assert "float32: it fits float32" in rejected.stdout
    accepted = judged("rotrnn", lines, *FLOAT32, *FORMED, "--gain", "one-minus-square")
    assert accepted.exit_code == 0


def test_words_of_layers_are_refused_for_scans() -> None:
    told = one_line(judged("scan", [], "--adjoint", "recurrence"))
    assert "adjoint: found recurrence with system scan" in told


# ---------------------------------------------------------------- lines that are no answers

FIRST = SCANS[0]
GOOD = json.loads(line(FIRST.id, answers([FIRST], chunked)[FIRST.id]))
OF_LAYER = one("lru-one-step-float32")
LAYERED = json.loads(line(OF_LAYER.id, plain(OF_LAYER)))


def with_h(**changes: Any) -> str:
    return json.dumps({"id": FIRST.id, "h": GOOD["h"] | changes})


def with_number(text: Any) -> str:
    return with_h(data=[text, *GOOD["h"]["data"][1:]])


def with_y(**changes: Any) -> str:
    return json.dumps(LAYERED | {"y": LAYERED["y"] | changes})


HELD = "which no float32 holds"
COUNT = len(GOOD["h"]["data"])
BAD = [
    ("{", "Invalid JSON"),
    (json.dumps(GOOD)[:-9], "Invalid JSON"),
    ("[]", "object"),
    ("{}", "id: Field required"),
    (json.dumps(GOOD | {"more": 1}), "more: Input should be"),
    (json.dumps(GOOD | {"more": None}), "'more': found a result that is not asked, expected h"),
    (json.dumps(GOOD | {"m\n\x1b[2J": None}), "'m\\n\\x1b[2J': found a result that is not asked"),
    (
        json.dumps(GOOD | {"id": "other-0123456789"}),
        "id: found 'other-0123456789', expected one of",
    ),
    (json.dumps(GOOD | {"id": "x" * 10**6}), "id: found 'xxxx"),
    (json.dumps(GOOD | {"id": 3}), "id: Input should be a valid string"),
    (with_h(dtype="float64"), "h.dtype: found 'float64', expected float32"),
    (with_h(shape=[1, 2, 3]), "h.shape: found [1, 2, 3], expected"),
    (with_h(shape=[1] * 10**6), "h.shape: found [1, 1,"),
    (with_h(shape=FIRST.shape[1:]), "h.shape: found"),
    (with_h(data=GOOD["h"]["data"][:-1]), f"h.data: found {COUNT - 1} numbers"),
    (with_number("1.5"), "h.data.0: found '1.5', expected a hexadecimal float such as"),
    (with_number("10"), "h.data.0: found '10', expected a hexadecimal float such as"),
    (with_number(""), "h.data.0: found ''"),
    (with_number("0x"), "h.data.0: found '0x'"),
    (with_number("0x."), "h.data.0: found '0x.'"),
    (with_number("0x.p0"), "h.data.0: found '0x.p0'"),
    (with_number("0x1p+99999"), "found '0x1p+99999', expected a hexadecimal float of 64 bits"),
    (with_number("0x1.0000001p+0"), f"h.data.0: found '0x1.0000001p+0', {HELD}"),
    (with_number("0x1p+128"), HELD),
    (with_number("0x1p-150"), HELD),
    (with_number(1.5), "h.data.0: Input should be a valid string"),
]
BAD_OF_LAYERS = [
    (
        json.dumps(LAYERED | {"gradient u": LAYERED["y"]}),
        "'gradient u': found a result that is not asked, expected y, h, h_last",
    ),
    (json.dumps(LAYERED | {"y": 3}), "y: Input should be"),
    (json.dumps(LAYERED | {"y": [1.5]}), "y: Input should be"),
    (with_y(more=1), "y.more: Extra inputs"),
    (with_y(dtype="float64"), "y.dtype: found 'float64', expected float32"),
    (with_y(shape=[2, 2, 1]), "y.shape: found [2, 2, 1], expected [2, 1, 2]"),
    (with_y(data=LAYERED["y"]["data"][1:]), "y.data: found 3 numbers, expected 4"),
    (with_y(data=["1.5", *LAYERED["y"]["data"][1:]]), "y.data.0: found '1.5', expected a hex"),
    (json.dumps(LAYERED | {"h": LAYERED["y"]}), "h.dtype: found 'float32', expected complex64"),
]
NAMES = [told for _, told in BAD + BAD_OF_LAYERS]


@pytest.mark.parametrize(
    ("system", "text", "told"),
    [("scan", *bad) for bad in BAD] + [("lru", *bad) for bad in BAD_OF_LAYERS],
    ids=[f"{i}: {told[:30]!r}" for i, told in enumerate(NAMES)],
)
def test_a_line_that_is_no_answer_is_named(system: str, text: str, told: str) -> None:
    other = some(system, "float32")[1].id
    error = one_line(judged(system, ["", line(other, {}), text], *FLOAT32))
    assert error.startswith("scanproof: answers: line 3: ")
    assert told in error
    assert len(error) < 300
    assert error.isprintable()


LONG = 10**6
QUICK = 1.0  # seconds of this process: linear time takes a tenth of that, quadratic time hours


@pytest.mark.parametrize(
    "text",
    [
        "0x" + "0" * LONG + "g",
        "0x1." + "0" * LONG + "g",
        "0x1p" + "0" * LONG + "g",
        "nan(" + "x" * LONG,
    ],
    ids=["digits", "fraction", "exponent", "nan"],
)
def test_a_number_of_a_megabyte_is_refused_at_once(text: str) -> None:
    start = time.process_time()
    with pytest.raises(ValueError, match=r"^answers: line 1: h\.data\.0: found ") as caught:
        collect([with_number(text)], BY_ID)
    assert time.process_time() - start < QUICK
    assert len(str(caught.value)) < 200


def test_a_second_answer_is_refused() -> None:
    told = one_line(scans([json.dumps(GOOD), json.dumps(GOOD)]))
    assert f"line 2: id: found {FIRST.id} a second time" in told


def test_an_answer_to_a_case_that_was_not_asked_is_refused() -> None:
    other = some("scan", "float64")[0]
    assert "line 1: id: found" in one_line(scans([line(other.id, {})]))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for name, told in (("missing", "cannot read"), ("binary", "is no UTF-8 text")):
        assert told in one_line(golden("judge", str(tmp_path / name)))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0x1p+0", 1.0),
        ("-0X1.8P-3", -0.1875),
        ("0x.8p1", 1.0),
        ("0x1.p1", 2.0),
        ("0x18p-7", 0.1875),
        ("0x0p+0", 0.0),
        ("-0x0.0p0", -0.0),
        ("0x3", 3.0),
        ("inf", math.inf),
        ("-INFINITY", -math.inf),
        ("0x1p-149", 2.0**-149),
        ("0x" + "0" * LONG + "1", 1.0),
    ],
    ids=lambda x: str(x)[:12],
)
def test_numbers_as_other_languages_print_them(text: str, value: float) -> None:
    states = collect([with_number(text)], BY_ID)[FIRST.id]["h"]
    assert float(states.flat[0]).hex() == value.hex()


@pytest.mark.parametrize("text", ["nan", "-nan", "NaN", "nan(ind)", "-nan(0x8)", "inf"])
def test_what_is_not_finite_is_outside(text: str) -> None:
    given = collect([with_number(text)], BY_ID)
    assert judge([FIRST], given, {"float32": Arithmetic("float32")}).verdict == "outside"
    layer = collect([with_y(data=[text, *LAYERED["y"]["data"][1:]])], {OF_LAYER.id: OF_LAYER})
    assert judge([OF_LAYER], layer, {"float32": usual(OF_LAYER)[0]}).verdict == "outside"


# ---------------------------------------------------------------- show, write


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("three-steps-complex64", "three steps, lam_t of its own"),
        (LAYER, "cotangents of all parameters"),
        (LAYER, "adjoint recurrence"),
        ("near-one-float32", "more; --json prints all"),
    ],
)
def test_show_prints_a_case_and_its_exact_file(name: str, told: str) -> None:
    shown = golden("show", name)
    assert shown.exit_code == 0
    assert told in shown.stdout
    [path] = PUBLISHED.glob(f"*/{name}-*.json")
    assert golden("show", path.stem, "--json").stdout == path.read_text()


@pytest.mark.parametrize("name", ["nothing", "exact", ""])
def test_show_needs_one_case(name: str) -> None:
    assert "expected the beginning of one id" in one_line(golden("show", name))


@pytest.mark.parametrize("system", ["scan", "lru"])
def test_write_says_what_it_wrote_and_what_it_left(
    system: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection = COLLECTIONS[system]
    few = replace(collection, recipes=collection.recipes[:2])
    monkeypatch.setitem(COLLECTIONS, system, few)
    (tmp_path / "other.json").write_text("{}")
    result = golden("write", str(tmp_path), "--system", system)
    assert result.exit_code == 0
    first, other = result.stdout.splitlines()
    slugs = [f"{recipe.slug}-{dtype}-*.json" for recipe in few.recipes for dtype in recipe.dtypes]
    names = {path.name for slug in slugs for path in (PUBLISHED / system).glob(slug)}
    assert first.startswith(f"{len(slugs)} golden files, ")
    assert other == f"{tmp_path / 'other.json'}: of no recipe, left as it is"
    assert {path.name for path in tmp_path.glob("*.json")} == {"other.json", *names}


def test_every_command_has_help_with_an_example() -> None:
    for command in ("list", "show", "emit", "judge", "lint", "write"):
        text = golden(command, "--help").stdout
        assert "Example" in text
        assert f"golden {command}" in text


# ---------------------------------------------------------------- the programs of the documentation


def test_the_layer_of_the_documentation(tmp_path: Path) -> None:
    float64 = ("--dtype", "float64")
    printed = run(program("py"), tmp_path, "--system", "lru", *float64).splitlines()
    result = judged("lru", printed, *float64, *FORMED, "--json")
    found = json.loads(result.stdout)
    counts = found["counts"]
    assert (result.exit_code, found["verdict"]) == (0, "within")
    assert (counts["not offered"], counts["within"]) == (2, 8)
    within = [case for case in found["cases"] if case["verdict"] == "within"]
    assert all(case["allowances"] == "stored" for case in within)
    assert len([row for row in program("py").splitlines() if row.strip()]) <= 21
    imported = re.findall(r"^(?:import|from) (.+)", program("py"), re.MULTILINE)
    assert imported == ["cmath, json, math, sys"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("complex(-a, b)", "complex(-a, -b)"),
        (' + p["D"][j] * u[at + j]', ""),
        ("gamma[i] * b", "b"),
        (').real + p["D"]', ').real * (1 + 2**-10) + p["D"]'),
        ('if "reverse" in given else', "if False else"),
        ('p.get("h0", [0.0]', "([0.0]"),
    ],
)
@pytest.mark.usefixtures("quick")
def test_a_faulty_program_is_rejected(old: str, new: str, tmp_path: Path) -> None:
    assert old in program("py")
    text = program("py").replace(old, new)
    printed = run(text, tmp_path, "--system", "lru", "--dtype", "float64").splitlines()
    result = judged("lru", printed, "--dtype", "float64")
    assert result.exit_code == 1
    assert "of 10 cases are outside" in result.stdout


def their_words(folder: Path, lines: list[str], system: str) -> dict[tuple[str, str], str]:
    """What the judge of the documentation says of every case and result of a system."""
    (folder / "judge.py").write_text(program("python"))
    (folder / "answers.jsonl").write_text("\n".join(lines))
    files = [str(path) for path in sorted((PUBLISHED / system).glob("*.json"))]
    command = [sys.executable, "-I", "-S", "judge.py", "answers.jsonl", *files]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    rows = [re.fullmatch(ROW, row) for row in done.stdout.splitlines()]
    assert all(rows)
    return {(row["id"], row["name"]): row["word"] for row in rows if row}


ROW = r"(?P<id>\S+) (?P<word>not run|not offered|\w+) (?P<name>(gradient )?\w+)"


@pytest.mark.usefixtures("quick")
def test_the_judge_of_the_documentation_agrees_on_scans(tmp_path: Path) -> None:
    """On honest scans and on every mutant, without Scanproof: the same cases are outside."""
    first, *cases = CASES["scan"]
    declared = {case.dtype: usual(case)[0] for case in cases}
    for scan in [chunked, *(mutant.scan for mutant in MUTANTS)]:
        given = answers(cases, scan)
        lines = [line(name, got) for name, got in given.items()]
        theirs = {name: word for (name, _), word in their_words(tmp_path, lines, "scan").items()}
        assert theirs.pop(first.id) == "not run"
        found = judge(cases, given, declared).cases
        ours = {judged.case.id for judged in found if judged.status == "outside"}
        assert {name for name, word in theirs.items() if word == "outside"} == ours
        assert set(theirs.values()) <= {"within", "outside"}


def test_the_judge_of_the_documentation_judges_layers(tmp_path: Path) -> None:
    cases = some("lru", "float32")
    given = {case.id: plain(case) for case in cases}
    moved = given[cases[0].id]["y"]
    moved.flat[0] += 2.0**-10
    del given[cases[1].id]["h"]
    lines = [line(name, got) for name, got in given.items()]
    theirs = their_words(tmp_path, lines, "lru")
    assert theirs[cases[0].id, "y"] == "outside"
    assert theirs[cases[1].id, "h"] == "not offered"
    rest = {word for (name, _), word in theirs.items() if name in given and name != cases[0].id}
    assert rest == {"within", "not offered"}


def test_the_judge_of_the_documentation_is_short() -> None:
    text = program("python")
    assert len([row for row in text.splitlines() if row.strip()]) <= 35
    imported = re.findall(r"^(?:import|from) (\w+)", text, re.MULTILINE)
    assert imported == ["json", "math", "sys", "fractions"]

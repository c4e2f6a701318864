"""Answers of other programs: the two pipes, every bad line, every exit code, and the judge that docs/golden.md prints."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from scanproof.cli.app import app
from scanproof.golden.answers import collect, question
from scanproof.golden.judging import judge
from scanproof.golden.making import classes
from scanproof.golden.store import V1, read_all
from scanproof.properties.versions.scan import MUTANTS, chunked
from scanproof.properties.witness import Numbers, array, numbers
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Array

ROOT = Path(__file__).resolve().parents[1]
PUBLISHED = V1 / "scan"
CASES = [case for case in read_all(PUBLISHED) if case.dtype == "float32"]
BY_ID = {case.id: case for case in CASES}
FLOAT32 = ("--dtype", "float32")


def line(identifier: str, h: Array | None) -> str:
    """One answer; numbers as C prints them: "0x1p+0" and not "0x1.0000000000000p+0"."""
    if h is None:
        return json.dumps({"id": identifier, "h": None})
    given = numbers(np.ascontiguousarray(h)).model_dump()
    given["data"] = [re.sub(r"\.?0+p", "p", text) for text in given["data"]]
    return json.dumps({"id": identifier, "h": given})


def answered(scan: Callable[..., Array]) -> list[str]:
    return [line(case.id, scan(**case.inputs().keywords())) for case in CASES]


def judged(lines: list[str], *options: str) -> Any:
    return CliRunner().invoke(app, ["golden", "judge", "-", *FLOAT32, *options], input="\n".join(lines))


def one_line(result: Any) -> str:
    assert (result.exit_code, result.stdout) == (2, "")
    [error] = result.stderr.strip().splitlines()
    return error


# ---------------------------------------------------------------- the two pipes


def test_the_pipes_with_a_program_that_shares_no_code(tmp_path: Path) -> None:
    """A scan in plain Python reads what emit prints and writes what judge reads."""
    (tmp_path / "yours.py").write_text(YOURS)
    emitted = CliRunner().invoke(app, ["golden", "emit", "--dtype", "float64"]).stdout
    done = subprocess.run([sys.executable, "-I", "-S", "yours.py"], input=emitted, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    result = CliRunner().invoke(app, ["golden", "judge", "-", "--dtype", "float64", "--json"], input=done.stdout)
    found = json.loads(result.stdout)
    assert (result.exit_code, found["exit_code"], found["verdict"]) == (0, 0, "within")
    assert found["format"] == "scanproof-golden-verdict/1"
    assert len(found["cases"]) == emitted.count("\n") == sum(found["counts"].values())
    assert all(case["allowances"] == "stored" for case in found["cases"])


YOURS = """
import json, sys
for text in sys.stdin:
    q = json.loads(text)
    lam, b = ([float.fromhex(x) for x in q[name]["data"]] for name in ("lam", "b"))
    batch, time, channels = q["b"]["shape"]
    state = [float.fromhex(x) for x in q["h0"]["data"]] if q["h0"] else [0.0] * (batch * channels)
    h = [0.0] * len(b)
    for t in reversed(range(time)) if q["reverse"] else range(time):
        for row in range(batch):
            for c in range(channels):
                i = (row * time + t) * channels + c
                a = lam[i] if len(q["lam"]["shape"]) == 3 else lam[c]
                state[row * channels + c] = h[i] = a * state[row * channels + c] + b[i]
    print(json.dumps({"id": q["id"], "h": dict(q["b"], data=[x.hex() for x in h])}))
"""


def test_questions_do_not_tell_the_answer() -> None:
    for case in CASES:
        asked = question(case)
        assert set(asked) == {"id", "format", "compute", "system", "lam", "b", "h0", "reverse"}
        assert ("h[t+1]" in asked["compute"]) == case.reverse


def test_emit_and_list_choose_by_dtype() -> None:
    lines = CliRunner().invoke(app, ["golden", "emit", *FLOAT32]).stdout.splitlines()
    scans = ["golden", "list", "--system", "scan", *FLOAT32]
    listed = json.loads(CliRunner().invoke(app, [*scans, "--json"]).stdout)
    assert [json.loads(text)["id"] for text in lines] == [row["id"] for row in listed["cases"]] == list(BY_ID)
    rows = CliRunner().invoke(app, scans).stdout.splitlines()[1:]
    assert [(row.split()[0], CASES[i].purpose in row) for i, row in enumerate(rows)] == [(case.id, True) for case in CASES]
    assert "dtype: found 'int8', expected one of" in one_line(CliRunner().invoke(app, ["golden", "emit", "--dtype", "int8"]))


def test_a_reader_that_stops_early_is_no_error() -> None:
    command = f"{sys.executable} -c 'from scanproof.cli import main; main()' golden emit | head -c 10"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert (done.stdout[:7], done.stderr) == ('{"id": ', "")


# ---------------------------------------------------------------- verdicts and exit codes


def test_accepted() -> None:
    result = judged(answered(chunked))
    assert result.exit_code == 0, result.output
    assert "within: " in result.stdout
    assert "correct" not in result.stdout
    assert judged(answered(chunked), "--quiet").stdout == "within\n"


def test_rejected_and_named() -> None:
    mutant = next(mutant for mutant in MUTANTS if mutant.name == "drops-carry")
    result = judged(answered(mutant.scan))
    assert result.exit_code == 1
    assert "outside" in result.stdout
    assert "it fits none of the declarations known" in result.stdout
    found = json.loads(judged(answered(mutant.scan), "--json").stdout)
    outside = [case for case in found["cases"] if case["verdict"] == "outside"]
    assert any("exact lane" in case["flags"] for case in outside)
    assert all(case["worst"]["error"] > case["worst"]["allowance"] for case in outside)


def test_missing_answers_are_not_run() -> None:
    result = judged(answered(chunked)[1:])
    assert result.exit_code == 3
    assert "1 not run" in result.stdout
    assert f"undecided: 1 of {len(CASES)} cases were not run, {CASES[0].id} the first" in result.stdout
    assert judged([]).exit_code == 3


def test_an_outside_is_one_even_if_cases_are_missing() -> None:
    assert judged([line(CASES[0].id, np.full(CASES[0].b.shape, 1e30, "float32"))]).exit_code == 1


def test_not_offered_is_counted_and_no_failure() -> None:
    lines = [text if case.h0 is None else line(case.id, None) for case, text in zip(CASES, answered(chunked), strict=True)]
    result = judged(lines)
    assert result.exit_code == 0
    assert re.search(r"\d+ not offered", result.stdout)


def test_nothing_offered_is_undecided() -> None:
    result = judged([line(case.id, None) for case in CASES])
    assert result.exit_code == 3
    assert "no exact lane was answered" in result.stdout


def test_a_class_without_allowance_is_undecided() -> None:
    assert judged(answered(lambda **call: chunked(**call) + np.float32(0)), "--order", "unknown").exit_code == 3


def test_all_nearest_is_said() -> None:
    case = next(case for case in CASES if "exact lane" in case.flags)
    result = judge([case], {case.id: chunked(**case.inputs().keywords())}, {"float32": Arithmetic("float32")})
    assert result.verdict == "nearest"


@pytest.mark.parametrize(("options", "source"), [
    ((), "stored"), (("--subnormals", "daz"), "stored"), (("--order", "sequential"), "stored"),
    (("--subnormals", "ftz"), "computed"), (("--order", "tree"), "computed"), (("--no-contraction",), "computed"),
])  # fmt: skip
def test_where_the_allowance_comes_from(options: tuple[str, ...], source: str) -> None:
    result = judged(answered(chunked), "--json", *options)
    assert result.exit_code == 0
    assert {case["allowances"] for case in json.loads(result.stdout)["cases"]} == {source}


def test_stored_bounds_that_are_not_those_of_the_inputs_are_refused() -> None:
    case = CASES[0]
    first = case.allowances[0]
    wider = first.model_copy(update={"bound": numbers(array(first.bound) + 1)})
    forged = case.model_copy(update={"allowances": [wider, *case.allowances[1:]]})
    with pytest.raises(ValueError, match="altered: its bounds"):
        judge([forged], {case.id: chunked(**case.inputs().keywords())}, {"float32": Arithmetic("float32")})


# ---------------------------------------------------------------- lines that are no answers

FIRST = CASES[0]
GOOD = json.loads(line(FIRST.id, chunked(**FIRST.inputs().keywords())))


def with_h(**changes: Any) -> str:
    return json.dumps({"id": FIRST.id, "h": GOOD["h"] | changes})


def with_number(text: Any) -> str:
    return with_h(data=[text, *GOOD["h"]["data"][1:]])


@pytest.mark.parametrize(("text", "told"), [
    ("{", "Invalid JSON"),
    (json.dumps(GOOD)[:-9], "Invalid JSON"),
    ("[]", "object"),
    ("{}", "id: Field required"),
    (json.dumps({"id": FIRST.id}), "h: Field required"),
    (json.dumps(GOOD | {"more": 1}), "more: Extra inputs"),
    (json.dumps(GOOD | {"id": "other-0123456789"}), "id: found 'other-0123456789', expected one of the"),
    (json.dumps(GOOD | {"id": 3}), "id: Input should be a valid string"),
    (with_h(dtype="float64"), "h.dtype: found 'float64', expected float32, the dtype of b"),
    (with_h(shape=[1, 2, 3]), "h.shape: found [1, 2, 3], expected"),
    (with_h(shape=FIRST.b.shape[1:]), "h.shape: found"),
    (with_h(data=GOOD["h"]["data"][:-1]), f"h.data: found {len(GOOD['h']['data']) - 1} numbers"),
    (with_number("1.5"), "h.data.0: found '1.5', expected a hexadecimal float such as"),
    (with_number("10"), "h.data.0: found '10', expected a hexadecimal float such as"),
    (with_number(""), "h.data.0: found ''"),
    (with_number("0x"), "h.data.0: found '0x'"),
    (with_number("0x.p0"), "h.data.0: found '0x.p0'"),
    (with_number("0x1p+99999"), "h.data.0: found '0x1p+99999', expected a hexadecimal float of 64 bits"),
    (with_number("0x1.0000001p+0"), "h.data.0: found '0x1.0000001p+0', which no float32 holds"),
    (with_number("0x1p+128"), "which no float32 holds"),
    (with_number("0x1p-150"), "which no float32 holds"),
    (with_number(1.5), "h.data.0: Input should be a valid string"),
])  # fmt: skip
def test_a_line_that_is_no_answer_is_named(text: str, told: str) -> None:
    error = one_line(judged(["", line(CASES[1].id, None), text]))
    assert error.startswith("scanproof: answers: line 3: ")
    assert told in error
    assert len(error) < 300


def test_a_second_answer_is_refused() -> None:
    assert f"line 2: id: found {FIRST.id} a second time" in one_line(judged([json.dumps(GOOD), json.dumps(GOOD)]))


def test_an_answer_to_a_case_that_was_not_asked_is_refused() -> None:
    other = next(case for case in read_all(PUBLISHED) if case.dtype == "float64")
    assert "line 1: id: found" in one_line(judged([line(other.id, None)]))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for name, told in (("missing", "cannot read"), ("binary", "is no UTF-8 text")):
        assert told in one_line(CliRunner().invoke(app, ["golden", "judge", str(tmp_path / name)]))


@pytest.mark.parametrize(("text", "value"), [
    ("0x1p+0", 1.0), ("-0X1.8P-3", -0.1875), ("0x.8p1", 1.0), ("0x18p-7", 0.1875), ("0x0p+0", 0.0), ("-0x0.0p0", -0.0),
    ("0x3", 3.0), ("inf", math.inf), ("-INFINITY", -math.inf), ("0x1p-149", 2.0**-149),
])  # fmt: skip
def test_numbers_as_other_languages_print_them(text: str, value: float) -> None:
    states = collect([with_number(text)], BY_ID)[FIRST.id]
    assert states is not None
    assert float(states.flat[0]).hex() == value.hex()


@pytest.mark.parametrize("text", ["nan", "-nan", "NaN", "nan(ind)", "-nan(0x8)", "inf"])
def test_what_is_not_finite_is_outside(text: str) -> None:
    states = collect([with_number(text)], BY_ID)
    result = judge([FIRST], states, {"float32": Arithmetic("float32")})
    assert result.verdict == "outside"


def test_sixteen_bits_are_read_and_accumulation_is_declared() -> None:
    cases = [case for case in read_all(PUBLISHED) if case.dtype == "float16"]
    lines = []
    for case in cases:
        call = case.inputs()
        h0 = None if call.h0 is None else call.h0.astype("float32")
        h = chunked(call.lam.astype("float32"), call.b.astype("float32"), h0, call.reverse)
        lines.append(line(case.id, h.astype("float16")))
    result = CliRunner().invoke(
        app, ["golden", "judge", "-", "--dtype", "float16", "--accumulate", "float32"], input="\n".join(lines)
    )
    assert result.exit_code == 0, result.output
    assert "accumulate float32" in result.stdout


# ---------------------------------------------------------------- show


def test_show_prints_a_case_and_its_exact_file() -> None:
    shown = CliRunner().invoke(app, ["golden", "show", "three-steps-complex64"])
    assert shown.exit_code == 0
    assert "three steps, lam_t of its own" in shown.stdout
    [path] = PUBLISHED.glob("three-steps-complex64-*.json")
    assert CliRunner().invoke(app, ["golden", "show", path.stem, "--json"]).stdout == path.read_text()
    assert "more; --json prints all" in CliRunner().invoke(app, ["golden", "show", "near-one-float32"]).stdout


@pytest.mark.parametrize("name", ["nothing", "exact", ""])
def test_show_needs_one_case(name: str) -> None:
    assert "expected the beginning of one id" in one_line(CliRunner().invoke(app, ["golden", "show", name]))


def test_write_says_what_it_wrote_and_what_it_left(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text("{}")
    result = CliRunner().invoke(app, ["golden", "write", str(tmp_path)])
    assert result.exit_code == 0
    first, other = result.stdout.splitlines()
    count = len(list(PUBLISHED.glob("*.json")))
    assert first.startswith(f"{count} golden files, ")
    assert other == f"{tmp_path / 'other.json'}: of no recipe, left as it is"
    assert {path.name for path in tmp_path.glob("*.json")} == {"other.json", *(path.name for path in PUBLISHED.glob("*.json"))}


def test_every_command_has_help_with_an_example() -> None:
    for command in ("list", "show", "emit", "judge", "lint", "write"):
        text = CliRunner().invoke(app, ["golden", command, "--help"]).stdout
        assert "Example" in text
        assert f"golden {command}" in text


# ---------------------------------------------------------------- the judge of the documentation


def program() -> str:
    text = (ROOT / "docs/golden.md").read_text()
    [found] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    return found


def test_the_judge_of_the_documentation_agrees(tmp_path: Path) -> None:
    """On honest scans and on every mutant, without Scanproof: the same cases are outside."""
    (tmp_path / "judge.py").write_text(program())
    cases = read_all(PUBLISHED)
    declared = {case.dtype: classes(case.dtype)[0] for case in cases}
    scans = [chunked, *(mutant.scan for mutant in MUTANTS)]
    for scan in scans:
        answers = {case.id: scan(**case.inputs().keywords()) for case in cases[1:]}
        (tmp_path / "answers.jsonl").write_text("\n".join(line(name, h) for name, h in answers.items()))
        files = [str(path) for path in sorted(PUBLISHED.glob("*.json"))]
        command = [sys.executable, "-I", "-S", "judge.py", "answers.jsonl", *files]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        theirs = dict(row.split(" ", 1) for row in done.stdout.splitlines())
        assert theirs.pop(cases[0].id) == "not run"
        ours = {judged.case.id for judged in judge(cases[1:], answers, declared).cases if judged.status == "outside"}
        assert {name for name, word in theirs.items() if word == "outside"} == ours
        assert set(theirs.values()) <= {"within", "outside"}


def test_the_judge_of_the_documentation_is_short() -> None:
    assert len([row for row in program().splitlines() if row.strip()]) <= 40
    assert re.findall(r"^(?:import|from) (\w+)", program(), re.MULTILINE) == ["json", "math", "sys", "fractions"]


def test_numbers_survive_the_trip() -> None:
    for case in CASES:
        assert np.array_equal(array(Numbers(**question(case)["b"])), case.inputs().b)

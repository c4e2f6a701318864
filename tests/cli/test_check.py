"""`scanproof check` as a user meets it: exit codes, one-line errors, what is told of a failure, files."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from commands import call, one_line

from scanproof.cli import accepted
from scanproof.cli.check_output import admitting, show
from scanproof.properties import recheck
from scanproof.properties.domain import SEARCHED, Domain
from scanproof.properties.judge import judge
from scanproof.properties.outcome import Report
from scanproof.reference.arithmetic.declaration import Arithmetic


def test_a_syntax_error_names_its_own_line(folder: Path) -> None:
    (folder / "broken.py").write_text("x = 1\ndef scan(lam, b)\n    return b\n")
    result = call("check", "broken.py:scan", "--dtype", "float32")
    assert "SyntaxError: expected ':' (broken.py, line 2)" in one_line(result)
    assert "_call_with_frames_removed" not in result.stderr
    assert result.exit_code == 2


def test_honest_scan_is_accepted(folder: Path) -> None:
    result = call("check", "scans.py:honest", "--dtype", "float32", "--cases", "3")
    assert result.exit_code == 0, result.output
    assert "within: not refuted" in result.stdout
    claim, share = result.stdout.split("largest error/allowance")
    assert "correct" not in claim
    assert "of all elements correctly rounded" in share
    assert not (folder / "build").exists()


def test_fault_is_rejected_with_witness_and_reproducing_command(folder: Path) -> None:
    result = call("check", "scans.py:scaled", "--dtype", "complex64", "--cases", "3", "--json", "--junitxml", "junit.xml")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert found["verdict"] == "outside"
    assert found["grade"] == "theorem"
    assert found["exit_code"] == 1
    words = found["reproduce"].split()
    assert words[:3] == ["scanproof", "check", "scans.py:scaled"]
    again = call(*words[1:], "--json")
    assert again.exit_code == 1
    assert json.loads(again.stdout)["witness"] == found["witness"]
    judged = call("judge", found["witness"])
    assert judged.exit_code == 1
    assert "outside (theorem)" in judged.stdout
    suite = ElementTree.parse(folder / "junit.xml").getroot()
    failed = {case.get("name") for case in suite if case.find("failure") is not None}
    assert failed == {law["name"] for law in found["laws"] if law["verdict"] == "outside"}
    assert "integer-cases" in failed


@pytest.mark.parametrize(
    ("function", "code", "words"),
    [
        ("raises", 4, "raised RuntimeError: first line"),
        ("dies", 4, "ended with exit code 7"),
        ("wrong_shape", 1, "result: found shape"),
    ],
)
def test_broken_implementations(folder: Path, function: str, code: int, words: str) -> None:
    result = call("check", f"scans.py:{function}", "--dtype", "float64", "--cases", "1")
    assert result.exit_code == code
    assert words in result.stdout
    assert result.stdout.count("undecided") <= 1  # the column; the headline says what broke
    assert re.search("^(crashed|contract broken): ", result.stdout, re.MULTILINE)
    assert "second line" not in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("check", "scans.py:missing", "--dtype", "float32"), "found no such name for 'missing'"),
        (("check", "scans.py:not_callable", "--dtype", "float32"), "found int for 'not_callable'"),
        (("check", "nowhere.py:f", "--dtype", "float32"), "found no file 'nowhere.py'"),
        (("check", "no_such_package.x:f", "--dtype", "float32"), "found no module 'no_such_package'"),
        (("check", "scans.py", "--dtype", "float32"), "expected file.py:function"),
        (("check", "scans.py:honest", "--dtype", "int32"), "dtype: found 'int32', expected one of float16"),
        (("check", "scans.py:honest", "--dtype", "float32", "--order", "zigzag"), "order: found 'zigzag'"),
        (("check", "scans.py:honest", "--dtype", "float32", "--order", "chunked:0"), "chunk length L >= 1"),
        (("check", "scans.py:honest", "--dtype", "float32", "--subnormals", "no"), "subnormals: found 'no'"),
        (("check", "scans.py:honest", "--dtype", "float32", "--lam", "some"), "lam: found 'some'"),
        (("check", "scans.py:honest", "--dtype", "float32", "--lengths", "ten"), "lengths: found 'ten'"),
        (("check", "scans.py:honest", "--dtype", "float32", "--lengths", "0-3"), "lengths: found [0, 1, 2, 3]"),
        (("check", "scans.py:honest", "--dtype", "float32", "--lengths", "4-"), "lengths: found '4-'"),
        (("check", "scans.py:honest", "--dtype", "float32", "--lengths", "5-3"), "lengths: found the empty range '5-3'"),
        (("check", "scans.py:honest", "--dtype", "float32", "--lengths", "100000"), "lengths: found 100000, expected none above 8192"),
        (("check", "scans.py:honest", "--dtype", "float32", "--lengths", "1-10000000000"), "lengths: found 10000000000, expected none above 8192"),
        (("check", "scans.py:honest", "--dtype", "float32", "--channels", "1-99999999999999999999"), "channels: found '1-99999999999999999999', expected numbers"),
        (("check", "scans.py:honest", "--dtype", "float32", "--channels", "2000"), "channels: found 2000, expected none above 1024"),
        (("check", "scans.py:honest", "--dtype", "float32", "--states", "2,512"), "states: found 512, expected none above 256"),
        (("check", "scans.py:honest", "--dtype", "float32", "--law", "gravity"), "law: found 'gravity', expected one of"),
        (("check", "scans.py:honest", "--dtype", "float32", "--system", "mamba"), "system: found 'mamba', expected one of scan, lru, rotrnn"),
        (("check", "scans.py:honest", "--dtype", "float32", "--accumulate", "float16"), "accumulate: found 'float16', expected"),
        (("check", "scans.py:honest", "--dtype", "float32", "--store", "step"), "store: found 'step' with order any, expected"),
        (("check", "scans.py:honest", "--dtype", "float64", "--operands", "tf32"), "operands: found 'tf32' with products in"),
        (("check", "scans.py:honest", "--dtype", "float32", "--rounding", "up"), "rounding: found 'up', expected one of nearest"),
        (("check", "scans.py:honest", "--dtype", "float32", "--assumed", "2"), "assumed: found 2.0 with order any, expected 1"),
        (("check", "scans.py:honest", "--dtype", "float32", "--positive", "b"), "positive: found 'b', expected none, lam or all"),
        (("check", "scans.py:honest", "--dtype", "float32", "--order", "fft", "--law", "integer-cases"), "law: found 'integer"),
        (("judge", "nothing.npz"), "cannot read nothing.npz"),
        (("judge", "scans.py"), "is no .npz of plain arrays"),
        (("judge", "nothing.json"), "cannot read nothing.json"),
        (("prove", "--lemma", "fermat"), "lemma: found 'fermat', expected one of"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(folder: Path, words: tuple[str, ...], message: str) -> None:
    result = call(*words)
    assert message in one_line(result)
    assert result.exit_code == 2


def test_a_law_alone_is_undecided(folder: Path) -> None:
    result = call("check", "scans.py:honest", "--dtype", "float32", "--law", "linearity", "--cases", "2", "--quiet")
    assert result.exit_code == 3
    assert result.stdout.strip() == "undecided"


def test_unmodelled_order_is_undecided_and_says_why(folder: Path) -> None:
    for words, reason in (("reversible",), "order reversible"), (("fft", "--subnormals", "ftz"), "order fft with subnormals ftz"):
        result = call("check", "scans.py:honest", "--dtype", "float32", "--order", *words, "--cases", "1")
        assert result.exit_code == 3
        assert f"no allowance is known for {reason}" in result.stdout


NEW_OPTIONS = (
    "--order", "chunked:4", "--accumulate", "float32", "--store", "chunk", "--operands", "tf32", "--rounding", "truncate",
    "--positive", "lam",
)  # fmt: skip


def test_new_options_are_in_the_answer_and_in_the_command_that_repeats_it(folder: Path) -> None:
    words = ["--dtype", "bfloat16", *NEW_OPTIONS, "--cases", "1", "--law", "integer-cases"]
    result = call("check", "scans.py:zeros", *words, "--json")
    assert result.exit_code == 1, result.output
    found = json.loads(result.stdout)
    declared: dict[str, Any] = {"order": "chunked:4", "accumulate": "float32", "store": "chunk", "operands": "tf32", "rounding": "truncate"}
    assert found["arithmetic"] == asdict(Arithmetic("bfloat16", **declared))
    assert 0 <= found["rounded"] <= 1
    assert found["failure"]["arithmetic"] == found["arithmetic"]
    words = found["reproduce"].split()
    for option, value in zip(NEW_OPTIONS[::2], NEW_OPTIONS[1::2], strict=True):
        assert words[words.index(option) + 1] == value
    again = call(*words[1:], "--json")
    assert json.loads(again.stdout)["witness"] == found["witness"]
    witness = json.loads((folder / found["witness"]).read_text())
    assert (witness["schema"], witness["declaration"]) == ("scanproof-witness/3", {"dtype": "bfloat16", **declared})
    judged = call("judge", found["witness"])
    assert (judged.exit_code, "outside (theorem)" in judged.stdout) == (1, True)


def test_the_factor_on_assumed_constants_is_repeated(folder: Path) -> None:
    words = ("--order", "fft", "--lam", "constant", "--assumed", "2", "--positive", "all", "--lengths", "20", "--cases", "1")
    found = json.loads(call("check", "scans.py:scaled", "--dtype", "float32", *words, "--json").stdout)
    assert (found["verdict"], found["grade"]) == ("outside", "theorem given the assumed constants")
    assert "--order fft --assumed 2.0 --lam constant --lengths 20 --positive all" in found["reproduce"]
    needed = found["failure"]["assumed_needed"]
    assert 2 < needed < 1000
    assert f"factor {needed:.3g} on the assumed constants would admit it" in found["failure"]["reason"]
    told = call("check", "scans.py:scaled", "--dtype", "float32", *words).stdout
    assert f"assumed constants       factor {needed:.3g} would admit the failing calls" in told
    plain = call("check", "scans.py:zeros", "--dtype", "float32", "--law", "integer-cases", "--cases", "1").stdout
    assert "witness    " in plain
    assert "assumed constants" not in plain


def test_which_factor_on_assumed_constants_is_said_to_be_small() -> None:
    verdict = judge("scan", np.ones((1, 1, 1)), lam=np.ones(1), b=np.ones((1, 1, 1)), arithmetic=Arithmetic("float64", order="log-space"))
    for needed, said in ((None, "no factor on them makes the failing calls fit"), (4.0, "factor 4 would admit the failing calls, so they may be too small"),
                         (4.1, "factor 4.1 would admit the failing calls (")):  # fmt: skip
        assert admitting(replace(verdict, assumed_needed=needed)).startswith(said)


EXPM = "import numpy as np\ndef expm(S):\n    return np.linalg.solve(np.eye(S.shape[1]) - S / 2, np.eye(S.shape[1]) + S / 2).astype(S.dtype)\n"


def test_the_worst_matrix_is_told_in_words_that_fit_it(folder: Path) -> None:
    """Its error and its allowance are norms, and not those of the entry that is shown."""
    (folder / "my_expm.py").write_text(EXPM)
    told = call("check", "my_expm.py:expm", "--system", "expm", "--dtype", "float32", "--law", "planes", "--cases", "1").stdout
    assert re.search(r"at P\[stack 0, n 0, n 1\]: got [0-9.]+, truth [0-9.]+, error .*, allowance .* \(2-norms of the whole matrix\)\n", told)
    (file,) = (folder / "build" / "witness").iterdir()
    judged = call("judge", str(file))
    assert (judged.exit_code, "(2-norms of the whole matrix)" in judged.stdout) == (1, True)
    assert "2-norm" not in call("check", "scans.py:zeros", "--dtype", "float32", "--law", "integer-cases").stdout
    (folder / "w.json").write_text(json.dumps(json.loads(file.read_text()), sort_keys=True))
    assert call("judge", "w.json").exit_code == 1
    (folder / "w.json").write_text(file.read_text().replace("scanproof-witness/3", "scanproof-witness/9"))
    assert "found schema 'scanproof-witness/9', expected scanproof-witness/3" in one_line(call("judge", "w.json"))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_16_bit_scans_are_checked_in_their_own_process(folder: Path, dtype: str) -> None:
    result = call("check", "scans.py:honest", "--dtype", dtype, "--lengths", "1-40", "--cases", "2", "--quiet")
    assert (result.exit_code, result.stdout.strip()) == (0, "within"), result.output
    result = call("check", "scans.py:zeros", "--dtype", dtype, "--lengths", "1-40", "--cases", "2", "--quiet")
    assert (result.exit_code, result.stdout.strip()) == (1, "outside")


def test_as_a_program_without_colour_or_wide_terminal(folder: Path) -> None:
    """The installed command, piped: no escape codes, nothing folded at 80 columns, no leftovers."""
    program = [sys.executable, "-c", "from scanproof.cli import main; main()"]
    run = subprocess.run(
        [*program, "check", "scans.py:honest", "--dtype", "float32", "--cases", "1"],
        capture_output=True, text=True, check=False, env=os.environ | {"COLUMNS": "40"}, timeout=300,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert "\x1b" not in run.stdout
    assert re.search(r"^time-invariance +within", run.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("text", "found"), [("1-3,8", {1, 2, 3, 8}), (" 5 , 4-4", {4, 5}), ("8192", {8192})]
)
def test_numbers_are_read_and_written_again(text: str, found: set[int]) -> None:
    assert accepted.numbers("lengths", text) == found
    assert accepted.numbers("lengths", accepted.ranges(frozenset(found))) == found


@pytest.mark.parametrize("name", SEARCHED)
def test_ranges_beyond_what_is_searched_are_refused_before_they_are_made(name: str) -> None:
    most = SEARCHED[name]
    assert max(accepted.numbers(name, f"1-{most}")) == most
    with pytest.raises(ValueError, match=rf"^{name}: found {most + 1}, expected none above {most}, the largest that is searched"):
        accepted.numbers(name, f"1-{most + 1}")
    with pytest.raises(ValueError, match=f"^{name}: found {10**17}, expected none above"):
        accepted.numbers(name, f"1-{10**17}")


def test_a_domain_is_repeated_by_its_options() -> None:
    domain = Domain("constant", frozenset({1, 2, 3, 8}), positive="lam", states=frozenset({4}))
    words = accepted.options(domain)
    assert words == ["--lam", "constant", "--lengths", "1-3,8", "--positive", "lam", "--states", "4"]
    said = {word[2:]: value for word, value in zip(words[::2], words[1::2], strict=True)}
    assert accepted.accepted(**said) == domain
    assert accepted.options(Domain()) == []


def test_what_an_undecided_report_waits_for_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report("f.py:f", Arithmetic("float32"), 0, 1, "undecided", "some calls", [], unless="stages formed", system="lru")
    show(report, None, "scanproof check f.py:f --dtype float32")
    assert "\n  outside if declared     stages formed: scanproof check f.py:f --dtype float32 --stages formed\n" in capsys.readouterr().out
    show(replace(report, verdict="outside"), None, "scanproof check")
    assert "if declared" not in capsys.readouterr().out


def test_a_failure_is_told_with_all_that_shows_it_again(folder: Path) -> None:
    told = call("check", "scans.py:scaled", "--dtype", "float32", "--law", "impulses", "--cases", "1").stdout
    (file,) = Path("build/witness").iterdir()
    lines = dict(re.findall(r"^  (\S.{22}) (.+)$", told, re.MULTILINE))
    said = {name.strip(): text for name, text in lines.items()}
    assert re.search(r"^  at h\[batch 0, time \d+, channels 0\]: got ", told, re.MULTILINE)
    assert said["smallest failing call"].startswith("lam")
    assert said["failing calls fit"].startswith("float32, ")
    assert said["still outside as"].startswith("float32, daz subnormals, any contraction")
    assert said["witness"] == f"{file} (judge it again: scanproof judge {file})"
    assert said["recheck it without us"] == f"python {recheck.__path__[0]} {file}"
    assert "no random case ran" in told
    assert said["reproduce"].endswith("--seed 0 --cases 1 --law impulses")
    again = said["recheck it without us"].removeprefix("python ").split()
    done = subprocess.run([sys.executable, "-I", *again], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "confirmed, given the recorded allowance\n"), done.stderr

"""The command line as a user meets it: exit codes, one-line errors, machine-readable output, files."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args
from xml.etree import ElementTree

import ml_dtypes  # noqa: F401  NumPy knows bfloat16 from here on
import numpy as np
import pytest
from typer.testing import CliRunner

import scanproof
from scanproof.cli.app import app
from scanproof.cli.check import admitting
from scanproof.cli.options import System
from scanproof.properties.judge import judge
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.systems import systems

SCANS = """
import numpy as np

def honest(lam, b, h0=None, reverse=False):
    if reverse:
        return honest(lam if lam.ndim == 1 else lam[:, ::-1], b[:, ::-1], h0)[:, ::-1]
    h = np.zeros_like(b)
    state = np.zeros_like(b[:, 0]) if h0 is None else h0
    for t in range(b.shape[1]):
        state = (lam if lam.ndim == 1 else lam[:, t]) * state + b[:, t]
        h[:, t] = state
    return h

def scaled(lam, b):
    h = honest(lam, b)
    h[:, 16:] *= np.asarray(1 + 1e-5).astype(h.real.dtype)
    return h

def zeros(lam, b, h0=None, reverse=False):
    return np.zeros_like(b)

def raises(lam, b):
    raise RuntimeError("first line\\nsecond line")

def wrong_shape(lam, b):
    return b[:, 0]

def dies(lam, b):
    import os
    os._exit(7)

not_callable = 3
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An unrelated folder with a user's file in it, which is the current one."""
    (tmp_path / "scans.py").write_text(SCANS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*words: str):
    return CliRunner().invoke(app, list(words))


def one_line(result) -> str:
    """The error that a user sees: one line on standard error, no traceback."""
    assert result.stdout == ""
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    return lines[0]


def test_help_has_examples_and_exit_codes() -> None:
    assert "Exit codes: 0 accepted" in call("--help").stdout
    for command in ("check", "judge", "verify", "prove", "doctor"):
        text = call(command, "--help").stdout
        assert "Example" in text
        assert f"scanproof {command}" in text


def test_a_syntax_error_names_its_own_line(folder: Path) -> None:
    (folder / "broken.py").write_text("x = 1\ndef scan(lam, b)\n    return b\n")
    result = call("check", "broken.py:scan", "--dtype", "float32")
    assert "SyntaxError: expected ':' (broken.py, line 2)" in one_line(result)
    assert "_call_with_frames_removed" not in result.stderr
    assert result.exit_code == 2


def test_version() -> None:
    assert call("--version").stdout.strip() == scanproof.__version__


@pytest.mark.parametrize("words", [("golden", "emit"), ("golden", "list"), ("golden", "show", "exact-17-float32", "--json"), ("doctor",)], ids=" ".join)
@pytest.mark.parametrize("read", [0, 1])
def test_nothing_is_said_when_the_reader_of_the_output_stops_early(words: tuple[str, ...], read: int) -> None:
    """`| head -1`, and a reader that is gone before the first line."""
    program = [sys.executable, "-c", "from scanproof.cli import main; main()", *words]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert bool(running.stdout.read(read)) == bool(read)
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait(60) in ((0, 141) if read else (141,))  # what fits into the pipe was told


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
    assert "exact-lanes" in failed


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
        (("check", "scans.py:honest", "--dtype", "float32", "--lengths", "100000"), "lengths: found none up to 8192"),
        (("check", "scans.py:honest", "--dtype", "float32", "--law", "gravity"), "law: found 'gravity', expected one of"),
        (("check", "scans.py:honest", "--dtype", "float32", "--system", "mamba"), "system: found 'mamba', expected one of scan, lru, rotrnn"),
        (("check", "scans.py:honest", "--dtype", "float32", "--accumulate", "float16"), "accumulate: found 'float16', expected"),
        (("check", "scans.py:honest", "--dtype", "float32", "--store", "step"), "store: found 'step' with order any, expected"),
        (("check", "scans.py:honest", "--dtype", "float64", "--operands", "tf32"), "operands: found 'tf32' with products in"),
        (("check", "scans.py:honest", "--dtype", "float32", "--rounding", "up"), "rounding: found 'up', expected one of nearest"),
        (("check", "scans.py:honest", "--dtype", "float32", "--assumed", "2"), "assumed: found 2.0 with order any, expected 1"),
        (("check", "scans.py:honest", "--dtype", "float32", "--positive", "b"), "positive: found 'b', expected none, lam or all"),
        (("check", "scans.py:honest", "--dtype", "float32", "--order", "fft", "--law", "exact-lanes"), "law: found 'exact"),
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


def recorded(dtype: str = "float32") -> dict[str, Any]:
    rng = np.random.default_rng(0)
    lam, b = rng.uniform(0.5, 1, 3).astype(dtype), rng.standard_normal((2, 40, 3)).astype(dtype)
    h = np.zeros_like(b)
    for t in range(40):
        h[:, t] = lam * (h[:, t - 1] if t else 0) + b[:, t]
    return {"lam": lam, "b": b, "got": h}


def test_judge_recorded(folder: Path) -> None:
    arrays = recorded()
    np.savez(folder / "run.npz", **arrays)
    assert call("judge", "run.npz", "--quiet").stdout.strip() == "within"
    arrays["got"][1, 30, 2] *= np.float32(1.001)
    np.savez(folder / "run.npz", **arrays)
    result = call("judge", "run.npz", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert found["worst"]["index"] == [1, 30, 2]
    assert found["counts"]["outside"] == 1


NEW_OPTIONS = (
    "--order", "chunked:4", "--accumulate", "float32", "--store", "chunk", "--operands", "tf32", "--rounding", "truncate",
    "--positive", "lam",
)  # fmt: skip


def test_new_options_are_in_the_answer_and_in_the_command_that_repeats_it(folder: Path) -> None:
    words = ["--dtype", "bfloat16", *NEW_OPTIONS, "--cases", "1", "--law", "exact-lanes"]
    result = call("check", "scans.py:zeros", *words, "--json")
    assert result.exit_code == 1, result.output
    found = json.loads(result.stdout)
    declared = {"accumulate": "float32", "store": "chunk", "operands": "tf32", "rounding": "truncate", "assumed": 1.0}
    assert found["arithmetic"] == {
        "dtype": "bfloat16", "subnormals": "gradual", "contraction": True, "order": "chunked:4", **declared,
    }  # fmt: skip
    assert 0 <= found["rounded"] <= 1
    assert found["failure"]["arithmetic"] == found["arithmetic"]
    words = found["reproduce"].split()
    for option, value in zip(NEW_OPTIONS[::2], NEW_OPTIONS[1::2], strict=True):
        assert words[words.index(option) + 1] == value
    again = call(*words[1:], "--json")
    assert json.loads(again.stdout)["witness"] == found["witness"]
    witness = json.loads((folder / found["witness"]).read_text())
    assert (witness["format"], witness["arithmetic"]) == ("scanproof-witness/2", found["arithmetic"])
    judged = call("judge", found["witness"])
    assert (judged.exit_code, "outside (theorem)" in judged.stdout) == (1, True)


def test_the_factor_on_assumed_constants_is_repeated(folder: Path) -> None:
    words = ("--order", "fft", "--lam", "constant", "--assumed", "2", "--positive", "all", "--lengths", "20", "--cases", "1")
    found = json.loads(call("check", "scans.py:scaled", "--dtype", "float32", *words, "--json").stdout)
    assert (found["verdict"], found["grade"]) == ("outside", "theorem given the assumed constants")
    assert "--assumed 2.0 --positive all" in found["reproduce"]
    needed = found["failure"]["assumed_needed"]
    assert 2 < needed < 1000
    assert f"factor {needed:.3g} on the assumed constants would admit it" in found["failure"]["reason"]
    told = call("check", "scans.py:scaled", "--dtype", "float32", *words).stdout
    assert f"assumed constants       factor {needed:.3g} would admit the failing calls" in told
    plain = call("check", "scans.py:zeros", "--dtype", "float32", "--law", "exact-lanes", "--cases", "1").stdout
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
    assert re.search(r"at P\[0, 0, 1\]: got [0-9.]+, truth [0-9.]+, error .*, allowance .* \(2-norms of the whole matrix\)\n", told)
    (file,) = (folder / "build" / "witness").iterdir()
    judged = call("judge", str(file))
    assert (judged.exit_code, "(2-norms of the whole matrix)" in judged.stdout) == (1, True)
    assert "2-norm" not in call("check", "scans.py:zeros", "--dtype", "float32", "--law", "exact-lanes").stdout
    (folder / "w.json").write_text(json.dumps(json.loads(file.read_text()), sort_keys=True))
    assert call("judge", "w.json").exit_code == 1
    (folder / "w.json").write_text(file.read_text().replace("scanproof-expm-witness/1", "scanproof-expm-witness/9"))
    assert "found format 'scanproof-expm-witness/9', expected scanproof-expm-witness/1; the scanproof" in one_line(call("judge", "w.json"))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_16_bit_scans_are_checked_in_their_own_process(folder: Path, dtype: str) -> None:
    result = call("check", "scans.py:honest", "--dtype", dtype, "--lengths", "1-40", "--cases", "2", "--quiet")
    assert (result.exit_code, result.stdout.strip()) == (0, "within"), result.output
    result = call("check", "scans.py:zeros", "--dtype", dtype, "--lengths", "1-40", "--cases", "2", "--quiet")
    assert (result.exit_code, result.stdout.strip()) == (1, "outside")


def test_judge_recorded_bfloat16(folder: Path) -> None:
    """NumPy stores bfloat16 as two plain bytes, so the dtype has to be said."""
    ones = np.ones(1).astype("bfloat16")
    b = np.array([1, 2, 3], "bfloat16").reshape(1, 3, 1)
    arrays: dict[str, Any] = {"lam": ones, "b": b, "got": np.array([1, 3, 6], "bfloat16").reshape(1, 3, 1), "h0": 0 * b[:, 0]}
    np.savez(folder / "run.npz", **arrays)
    with np.load(folder / "run.npz") as stored:
        assert stored["b"].dtype == np.dtype("V2")
    result = call("judge", "run.npz", "--dtype", "bfloat16", "--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["verdict"], found["arithmetic"]["dtype"], found["rounded"]) == (0, "nearest", "bfloat16", 1)
    assert "expected --dtype bfloat16" in one_line(call("judge", "run.npz"))
    assert "expected float16" in one_line(call("judge", "run.npz", "--dtype", "float16"))
    arrays["got"][0, 2, 0] = 7
    np.savez(folder / "run.npz", **{name: x.view(np.uint16) for name, x in arrays.items()})
    words = ("--accumulate", "float32", "--order", "sequential", "--store", "step")
    result = call("judge", "run.npz", "--dtype", "bfloat16", *words)
    assert result.exit_code == 1
    assert "at batch 0, step 2, channel 0: got 7.0, truth 6.0" in result.stdout
    assert "as bfloat16, gradual subnormals, any contraction, order sequential, accumulate float32, store step" in result.stdout


def test_a_header_that_claims_too_much_is_one_line(folder: Path) -> None:
    np.savez(folder / "run.npz", **recorded())
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (10**5, 10**5, 10**5)})
    with zipfile.ZipFile(folder / "run.npz", "a") as file:
        file.writestr("h0.npy", header.getvalue())
    assert "does not fit in memory" in one_line(call("judge", "run.npz"))


@pytest.mark.parametrize("words", [["check"], ["check", "x.py:f", "--dtype", "float32", "--cases", "0"], ["frobnicate"],
                                   ["judge", "x.npz", "--nope"], ["power", "long", "--steps", "0"]], ids=" ".join)  # fmt: skip
def test_usage_errors_are_one_line(words: list[str]) -> None:
    code = "import sys; from scanproof.cli import main; sys.argv[0] = 'scanproof'; main()"
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"scanproof: .* \(scanproof[a-z ]* --help\)\n", done.stderr)


def test_judge_refuses_bad_files(folder: Path) -> None:
    arrays = recorded()
    for change, message in [
        ({"extra": np.zeros(1)}, "expected lam, b, got and at most h0 and reverse"),
        ({"got": arrays["got"][:, :-1]}, "got: found shape (2, 39, 3), expected (2, 40, 3)"),
        ({"lam": arrays["lam"].astype(float)}, "lam: found dtype float64, expected float32"),
        ({"b": np.full_like(arrays["b"], np.nan)}, "b: found nan at index (0, 0, 0), expected finite values"),
        ({"reverse": np.array(1.5)}, "reverse: found float64"),
        ({"got": np.array([{}], dtype=object)}, "no .npz of plain arrays"),
    ]:
        np.savez(folder / "run.npz", **(arrays | change))
        result = call("judge", "run.npz")
        assert message in one_line(result)
        assert result.exit_code == 2


def test_an_altered_witness_is_refused(folder: Path) -> None:
    call("check", "scans.py:scaled", "--dtype", "float64", "--cases", "1", "--law", "exact-lanes", "--quiet")
    (file,) = (folder / "build" / "witness").iterdir()
    content = json.loads(file.read_text())
    right = {**content["got"], "data": [x if i else "0x0.0p+0" for i, x in enumerate(content["got"]["data"])]}
    numerators = [hex(int(n, 16) + 1) for n in content["truth"]["numerators"]]
    for change, message in [
        ({"truth": {**content["truth"], "numerators": numerators}}, "its truth is not the exact state of its call"),
        ({"allowance": "0x1.0000000000000p-9"}, "its allowance is 0.00195, and that of its call 0"),
        ({"b": {**content["b"], "data": ["0x1.0000000000000p+0"] * len(content["b"]["data"])}}, "its truth is not"),
        ({"got": {**right, "shape": [1]}}, "witness:"),
        ({"format": "scanproof-witness/1"}, "witness:"),
        ({"format": "scanproof-witness/3"}, "witness:"),
    ]:
        (folder / "w.json").write_text(json.dumps(content | change))
        result = call("judge", "w.json")
        assert message in one_line(result)
        assert result.exit_code == 2
    (folder / "w.json").write_text(file.read_text()[:-30])
    assert call("judge", "w.json").exit_code == 2
    assert call("judge", str(file)).exit_code == 1


def test_prove_json() -> None:
    result = call("prove", "--lemma", "scan-associative", "--json")
    assert result.exit_code == 0
    (lemma,) = json.loads(result.stdout)["lemmas"]
    assert lemma["name"] == "scan-associative"
    assert lemma["status"] == "proved"


def test_doctor() -> None:
    found = json.loads(call("doctor", "--json").stdout)
    assert found["scanproof"] == scanproof.__version__
    assert found["subnormals (NumPy)"] == "gradual"


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


def test_the_help_of_system_lists_every_system() -> None:
    assert all(name in get_args(System)[1].help for name in systems())

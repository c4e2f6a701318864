"""The program as a whole: help, exit codes, one-line errors, who imports whom."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from commands import call

import scanproof
from scanproof.cli import exits
from scanproof.reference.systems import SYSTEMS

FOLDER = Path(scanproof.__file__).parent / "cli"


def test_help_has_examples_and_exit_codes() -> None:
    assert "Exit codes: 0 accepted" in call("--help").stdout
    for command in ("check", "judge", "verify", "prove", "doctor"):
        text = call(command, "--help").stdout
        assert "Example" in text
        assert f"scanproof {command}" in text


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


@pytest.mark.parametrize("words", [["check"], ["check", "x.py:f", "--dtype", "float32", "--cases", "0"], ["frobnicate"],
                                   ["judge", "x.npz", "--nope"], ["power", "long", "--steps", "0"]], ids=" ".join)  # fmt: skip
def test_usage_errors_are_one_line(words: list[str]) -> None:
    code = "import sys; from scanproof.cli import main; sys.argv[0] = 'scanproof'; main()"
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"scanproof: .* \(scanproof[a-z ]* --help\)\n", done.stderr)


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


def test_the_help_of_system_lists_every_system() -> None:
    for command in ("check", "judge"):
        told = " ".join(call(command, "--help").stdout.split())
        assert f"one of {', '.join(SYSTEMS)}." in told


def imported(path: Path) -> set[str]:
    """The modules that a file imports, anywhere in it."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    froms = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name for node in froms for alias in node.names for name in (str(node.module), f"{node.module}.{alias.name}")}


def test_no_module_of_the_command_line_imports_the_program() -> None:
    """`app` puts the others together; only the entry point calls it."""
    importing = {path.relative_to(FOLDER) for path in FOLDER.rglob("*.py") if "scanproof.cli.app" in imported(path)}
    assert importing == {Path("__init__.py")}


def test_the_help_of_the_program_imports_no_work() -> None:
    """What takes long to import is imported when a command runs."""
    code = "import sys, scanproof.cli.app; print(*(name for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"numba", "scipy", "sympy", "hypothesis", "pydantic", "matplotlib", "rich.console"}
    assert heavy.isdisjoint(done.stdout.split())


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (ValueError("lam: found 3, expected 4"), exits.BAD_INPUT, "scanproof: lam: found 3, expected 4\n"),
        (FileNotFoundError(2, "No such file", "x.txt"), exits.BAD_INPUT, "scanproof: cannot use x.txt: No such file\n"),
        (KeyboardInterrupt(), exits.INTERRUPTED, "scanproof: interrupted\n"),
    ],
    ids=lambda x: type(x).__name__,
)
def test_errors_of_any_command_are_one_line(monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, told: str) -> None:
    def fails() -> None:
        raise error

    monkeypatch.setattr("scanproof.cli.doctor.machine", fails)
    result = call("doctor")
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", told)


def test_a_fault_of_ours_is_told_with_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanproof.cli.doctor.machine", lambda: dict[int, str]()[0])
    result = call("doctor")
    assert result.exit_code == exits.INTERNAL
    assert result.stderr.startswith("Traceback")
    assert result.stderr.endswith("KeyError: 0\nscanproof: internal error: please report it with the lines above\n")

"""`scanproof.suite` in a user's own test file, run by pytest in another process and folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import scanproof
from scanproof.properties.judge import judged
from scanproof.properties.witness import read

USERS_FILE = """
import numpy as np
import scanproof

def scan(lam, b):
    h = np.zeros_like(b)
    for t in range(b.shape[1]):
        h[:, t] = (lam if lam.ndim == 1 else lam[:, t]) * (h[:, t - 1] if t else 0) + b[:, t]
    return h

def faulty(lam, b):
    h = scan(lam, b)
    h[:, 20:] *= np.float32(1.0001)
    return h

TestHonest = scanproof.suite("scan", scan, arithmetic=scanproof.Arithmetic("float32"), cases=3)
def wrong_shape(lam, b):
    return b[0]

TestWrongShape = scanproof.suite("scan", wrong_shape, arithmetic=scanproof.Arithmetic("float32"), cases=3)
TestFaulty = scanproof.suite("scan", faulty, arithmetic=scanproof.Arithmetic("float32"), cases=3)
"""


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_mine.py").write_text(USERS_FILE)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_mine.py", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)


def test_honest_passes_and_what_is_not_offered_is_skipped(tmp_path: Path) -> None:
    found = run(tmp_path, "-k", "TestHonest")
    assert found.returncode == 0, found.stdout
    assert "8 passed, 2 skipped" in found.stdout  # hand-over needs h0, reverse needs reverse


def test_faulty_fails_and_says_where(tmp_path: Path) -> None:
    found = run(tmp_path, "-k", "TestFaulty")
    assert found.returncode == 1
    assert "exact-lanes: outside: error/allowance inf; smallest failing call (exact-lanes)" in found.stdout
    assert "FAILED test_mine.py::TestFaulty::test_verdict" in found.stdout


def test_a_failure_names_its_witness_and_the_commands_that_show_it_again(tmp_path: Path) -> None:
    found = run(tmp_path, "-k", "TestFaulty")
    (witness,) = (tmp_path / "build" / "witness").iterdir()
    again = f"witness: build/witness/{witness.name}; judge it again: scanproof judge build/witness/{witness.name}; reproduce: python -m pytest "
    for test in ("test_exact_lanes", "test_verdict"):
        assert f"{again}test_mine.py::TestFaulty::{test}" in found.stdout.replace("\nE  ", "")
    assert judged(read(witness).results(), read(witness).inputs(), read(witness).declared()).verdict == "outside"
    repeated = run(tmp_path, "test_mine.py::TestFaulty::test_exact_lanes")
    assert f"{again}test_mine.py::TestFaulty::test_exact_lanes" in repeated.stdout


def test_a_failure_is_told_where_no_witness_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "build").write_text("a file")
    found = run(tmp_path, "-k", "TestFaulty")
    assert found.returncode == 1
    assert "no witness was written: build/witness: Not a directory; reproduce: python -m pytest test_mine.py::" in found.stdout


def test_a_broken_contract_is_told_with_its_command(tmp_path: Path) -> None:
    found = run(tmp_path, "-k", "TestWrongShape")
    assert found.returncode == 1
    told = "result: found shape (1, 1), expected (1, 1, 1), the shape of b; reproduce: python -m pytest test_mine.py::TestWrongShape::test_verdict"
    assert told in found.stdout.replace("\nE  ", ""), found.stdout


def test_unknown_system() -> None:
    with pytest.raises(ValueError, match="system: found 'mamba', expected one of scan, lru, rotrnn"):
        scanproof.suite("mamba", print, arithmetic=scanproof.Arithmetic("float32"))

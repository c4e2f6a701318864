"""`scanproof.suite` in a user's own test file, run by pytest in another process and folder."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import scanproof
from scanproof.properties.verdict import judged
from scanproof.properties.witness import read
from scanproof.reference.arithmetic.declaration import Arithmetic

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
TestFaulty = scanproof.suite("scan", faulty, dtype="float32", cases=3)
"""


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_mine.py").write_text(USERS_FILE)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_mine.py", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)


def test_honest_passes_and_what_is_not_offered_is_skipped(tmp_path: Path) -> None:
    found = run(tmp_path, "-k", "TestHonest")
    assert found.returncode == 0, found.stdout
    assert "8 passed, 4 skipped" in found.stdout  # h0 and reverse are not offered


def test_faulty_fails_and_says_where(tmp_path: Path) -> None:
    found = run(tmp_path, "-k", "TestFaulty")
    assert found.returncode == 1
    assert "integer-cases: outside: error/allowance inf; smallest failing call (integer-cases)" in found.stdout
    assert "FAILED test_mine.py::TestFaulty::test_verdict" in found.stdout


def test_a_failure_names_its_witness_and_the_commands_that_show_it_again(tmp_path: Path) -> None:
    found = run(tmp_path, "-k", "TestFaulty")
    (witness,) = (tmp_path / "build" / "witness").iterdir()
    again = f"witness: build/witness/{witness.name}; judge it again: scanproof judge build/witness/{witness.name}; reproduce: python -m pytest "
    for test in ("test_integer_cases", "test_verdict"):
        assert f"{again}test_mine.py::TestFaulty::{test}" in found.stdout.replace("\nE  ", "")
    content = read(witness)
    assert judged(content.got(), content.call(), content.declared()).verdict == "outside"
    repeated = run(tmp_path, "test_mine.py::TestFaulty::test_integer_cases")
    assert f"{again}test_mine.py::TestFaulty::test_integer_cases" in repeated.stdout


def test_a_failure_is_told_where_no_witness_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "build").write_text("a file")
    found = run(tmp_path, "-k", "TestFaulty")
    assert found.returncode == 1
    assert "no witness was written: build/witness: Not a directory; reproduce: python -m pytest test_mine.py::" in found.stdout


def test_a_broken_contract_is_told_with_its_command(tmp_path: Path) -> None:
    found = run(tmp_path, "-k", "TestWrongShape")
    assert found.returncode == 1
    told = "result: found shape (1, 1) for h, expected (1, 1, 1); reproduce: python -m pytest test_mine.py::TestWrongShape::test_verdict"
    assert told in found.stdout.replace("\nE  ", ""), found.stdout


@pytest.mark.parametrize(
    ("system", "words", "told"),
    [
        ("mamba", {"dtype": "float32"}, "system: found 'mamba', expected one of scan, lru, rotrnn"),
        ("scan", {"dtype": "float32", "colour": "red"}, "word: found 'colour', expected one of dtype, "),
        ("scan", {}, "dtype: found none, expected a format such as float32"),
        ("scan", {"dtype": "float32", "gain": "one-minus-square"}, "gain: found one-minus-square with system scan"),
        ("scan", {"arithmetic": Arithmetic("float32"), "dtype": "float32"}, "dtype: found beside arithmetic, expected one of them"),
    ],
)
def test_a_wrong_declaration_is_told_before_any_test_runs(system: str, words: dict[str, Any], told: str) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^{re.escape(told)}"):
        scanproof.suite(system, print, **words)

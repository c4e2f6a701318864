"""`scanproof power`: its exit codes follow what is found."""

import json

import pytest
from typer.testing import CliRunner

from scanproof.benchmarks.campaigns import long_sequences
from scanproof.cli.app import app
from scanproof.proofs.rounding import tiny
from scanproof.proofs.rounding.tiny import Row


def run(*words):
    return CliRunner().invoke(app, ["power", *words])


@pytest.mark.parametrize(("fault", "code"), [(None, 0), ("x + y loses more than promised", 1)])
def test_tiny_writes_its_tables_and_reports_faults(monkeypatch, tmp_path, fault, code):
    found = (("hypotheses", "x + y", fault), ("trials", "gradual", None), ("weakened", "u", None))
    rows = [Row(name, f"| {text} | ... |", wrong) for name, text, wrong in found]
    monkeypatch.setattr(tiny, "rows", lambda: iter(rows))
    done = run("tiny", "--write", str(tmp_path / "tiny.md"), "--json")
    assert done.exit_code == code
    assert json.loads(done.stdout)["accepted"] == (not fault)
    assert ("loses more than promised" in done.stderr) == bool(fault)
    assert all(row.text in (tmp_path / "tiny.md").read_text() for row in rows)


def test_long_sequences_are_judged_by_their_windows():
    done = run("long", "--steps", "9000", "--json")
    assert done.exit_code == 0
    rows = json.loads(done.stdout)["rows"]
    assert [row["verdict"] for row in rows] == ["undecided", "within", "outside"]
    assert [row["window"] for row in rows] == [False, False, True]
    assert [row["informative"] for row in rows[1:]] == [1.0, 1.0]


def test_a_fault_that_is_not_found_is_an_exit_code(monkeypatch):
    monkeypatch.setattr(long_sequences, "FAULT", 0.0)
    assert run("long", "--steps", "5000", "--json").exit_code == 1

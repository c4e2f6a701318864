"""The list of slow tests is one of tests that exist, and what is on it is left out on demand."""

import subprocess
import sys
from pathlib import Path

from slow import LIST, listed, slowest

ROOT = Path(__file__).resolve().parents[2]


def test_the_slowest_come_first_until_the_rest_is_short() -> None:
    seconds = {"a.one": 50.0, "b.two": 30.0, "c.three": 5.0, "d.four": 4.0}
    assert slowest(seconds, 9.0) == ["a.one", "b.two"]
    assert slowest(seconds, 100.0) == []


def test_every_listed_function_exists() -> None:
    for name in listed():
        module, _, function = name.rpartition(".")
        path = ROOT / (module.replace(".", "/") + ".py")
        assert f"def {function}(" in path.read_text(encoding="utf-8"), f"{name}: remake {LIST.name}"


def test_listed_functions_are_left_out_on_demand() -> None:
    name = min(each for each in listed() if each.startswith("tests.golden."))
    module, _, function = name.rpartition(".")
    options = ["-q", "--collect-only", "-m", "not slow", "-p", "no:cacheprovider", "-n", "0"]
    path = module.replace(".", "/") + ".py"
    command = [sys.executable, "-m", "pytest", *options, f"{path}::{function}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 5, done.stdout  # nothing is left

"""Tests of one `xdist_group` run on one worker, so that what they share is made once."""

import subprocess
import sys
from pathlib import Path

GROUP = """\
import os

import pytest

pytestmark = pytest.mark.xdist_group("one")


@pytest.mark.parametrize("n", range(8))
def test_it(n):
    with open("workers", "a") as file:
        file.write(os.environ["PYTEST_XDIST_WORKER"] + "\\n")
"""


def test_a_group_stays_on_one_worker(tmp_path: Path) -> None:
    """A release of pytest scattered groups without a word (findings/xdist-groups.sh)."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (tmp_path / "test_group.py").write_text(GROUP, encoding="utf-8")
    options = ["-q", "-n", "2", "--dist", "loadgroup", "-p", "no:cacheprovider"]
    done = subprocess.run([sys.executable, "-m", "pytest", *options], cwd=tmp_path, check=False)
    workers = (tmp_path / "workers").read_text(encoding="utf-8").split()
    assert (done.returncode, len(workers), len(set(workers))) == (0, 8, 1)

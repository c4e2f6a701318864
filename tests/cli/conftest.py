"""A folder that a user works in."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import SCANS


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An unrelated folder with a user's file in it, which is the current one."""
    (tmp_path / "scans.py").write_text(SCANS)
    monkeypatch.chdir(tmp_path)
    return tmp_path

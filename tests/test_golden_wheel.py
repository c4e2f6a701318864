"""The wheel carries the golden files: what is installed can list, emit, lint and judge."""

import zipfile
from pathlib import Path

import pytest
from test_wheel import build, copy_sources

from scanproof.golden.store import V1

pytestmark = pytest.mark.xdist_group("wheel")


def test_the_wheel_holds_the_golden_files(tmp_path: Path) -> None:
    with zipfile.ZipFile(build(copy_sources(tmp_path))) as wheel:
        inside = {name: wheel.read(name) for name in wheel.namelist() if name.endswith(".json")}
    assert inside == {f"scanproof/golden/v1/{path.relative_to(V1).as_posix()}": path.read_bytes() for path in V1.glob("*/*.json")}

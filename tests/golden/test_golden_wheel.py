"""The wheel carries the golden files: what is installed can list, emit, lint and judge."""

import zipfile
from pathlib import Path

import pytest
from project.test_wheel import build, copy_sources

from scanproof.golden.store import PUBLISHED

pytestmark = pytest.mark.xdist_group("wheel")


def test_the_wheel_holds_the_golden_files(tmp_path: Path) -> None:
    with zipfile.ZipFile(build(copy_sources(tmp_path))) as wheel:
        names = [name for name in wheel.namelist() if name.endswith(".json")]
        inside = {name: wheel.read(name) for name in names}
    folder = "scanproof/golden/v2"
    files = {path.relative_to(PUBLISHED).as_posix(): path for path in PUBLISHED.glob("*/*.json")}
    assert inside == {f"{folder}/{name}": path.read_bytes() for name, path in files.items()}

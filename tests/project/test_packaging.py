"""Packages, package map, links and folders describe one layout four times: they must agree. So must the versions."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

import scanproof

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("reference", "proofs", "numba_kernels", "properties", "benchmarks")
HEAVY = ("hypothesis", "matplotlib", "numba", "scipy.signal", "sympy")


def setuptools_table(root: Path) -> dict:
    return tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]


def packages_on_disk(root: Path) -> set[str]:
    """A package for every folder that holds a Python file; links are not followed."""
    folders = {"scanproof": root / "src/scanproof"} | {f"scanproof.{part}": root / part for part in PARTS}
    return {".".join([name, *file.relative_to(folder).parts[:-1]])
            for name, folder in folders.items() for file in folder.rglob("*.py")}


def links(root: Path) -> dict[str, str]:
    return {path.name: os.readlink(path) for path in (root / "src/scanproof").iterdir() if path.is_symlink()}


def disagreements(root: Path) -> list[str]:
    table = setuptools_table(root)
    expected_map = {"scanproof": "src/scanproof"} | {f"scanproof.{part}": part for part in PARTS}
    pairs = {
        "package map": (table["package-dir"], expected_map),
        "links": (links(root), {part: f"../../{part}" for part in PARTS}),
        "packages": (sorted(table["packages"]), sorted(packages_on_disk(root))),
    }
    return [f"{what}: {found} instead of {expected}" for what, (found, expected) in pairs.items() if found != expected]


def test_packages_map_links_and_folders_agree() -> None:
    assert disagreements(ROOT) == []


def test_every_package_has_an_init() -> None:
    inits = {path.parent for folder in ("src", *PARTS) for path in (ROOT / folder).rglob("__init__.py")}
    assert len(inits) == len(setuptools_table(ROOT)["packages"])


def relink(root: Path) -> None:
    (root / "src/scanproof/proofs").unlink()
    (root / "src/scanproof/proofs").symlink_to("../../reference")


def add_subpackage(root: Path) -> None:
    (root / "properties/laws").mkdir()
    (root / "properties/laws/__init__.py").touch()


def change_map(root: Path) -> None:
    text = (root / "pyproject.toml").read_text()
    (root / "pyproject.toml").write_text(text.replace('"scanproof.proofs" = "proofs"\n', ""))


@pytest.mark.parametrize(("plant", "named"), [
    (relink, "links"), (add_subpackage, "packages"), (change_map, "package map"),
])
def test_a_planted_disagreement_is_found(plant: Callable[[Path], None], named: str, tmp_path: Path) -> None:
    for folder in ("src", *PARTS):
        shutil.copytree(ROOT / folder, tmp_path / folder, symlinks=True)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    plant(tmp_path)
    [message] = disagreements(tmp_path)
    assert message.startswith(named)


def test_the_versions_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    cited = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert cited
    assert project["version"] == scanproof.__version__ == cited[1]


def loaded(statement: str, folder: Path) -> list[str]:
    """Which of the slow modules a fresh interpreter has loaded after the statement."""
    program = f"{statement}\nimport sys\nprint(*(name for name in {HEAVY} if name in sys.modules))"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    return subprocess.check_output([sys.executable, "-c", program], cwd=folder, env=environment, text=True).split()


def test_import_scanproof_loads_nothing_slow(tmp_path: Path) -> None:
    assert loaded("import scanproof", tmp_path) == []


def test_a_slow_module_would_be_seen(tmp_path: Path) -> None:
    assert loaded("import scanproof, sympy", tmp_path) == ["sympy"]

"""The wheel, installed with its declared dependencies and nothing else, judges a stranger's scan elsewhere."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("reference", "proofs", "numba_kernels", "properties", "benchmarks")
pytestmark = pytest.mark.xdist_group("wheel")   # one worker, so that it is built once
FILES = ("pyproject.toml", "README.md", "LICENSE")
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
THIRD_PARTY = '''
import numpy as np, scanproof

def my_scan(lam, b):
    h = np.zeros_like(b)
    for t in range(b.shape[1]): h[:, t] = lam * (h[:, t-1] if t else 0) + b[:, t]
    return h

rng = np.random.default_rng(0)
lam = rng.uniform(.5, 1, 3).astype("float32")
b = rng.standard_normal((2, 50, 3)).astype("float32")
print(scanproof.__file__)
print(scanproof.judge("scan", my_scan(lam, b), lam=lam, b=b, arithmetic=scanproof.Arithmetic("float32")).verdict)
bad = my_scan(lam, b)
bad[1, 30, 2] *= np.float32(1.001)
print(scanproof.judge("scan", bad, lam=lam, b=b, arithmetic=scanproof.Arithmetic("float32")).verdict)
'''


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def copy_sources(target: Path) -> Path:
    """A build in the checkout could pick up what an earlier one left in build/."""
    for folder in ("src", *PARTS):
        shutil.copytree(ROOT / folder, target / folder, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, target)
    return target


def build(sources: Path) -> Path:
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", "dist", cwd=sources)
    [wheel] = (sources / "dist").glob("*.whl")
    return wheel


def expected_contents() -> set[str]:
    """Where every Python file of the checkout, every source and table of Coq, and py.typed belong in the wheel."""
    parts = {f"scanproof/{path.relative_to(ROOT)}" for part in PARTS for path in (ROOT / part).rglob("*.py")}
    own = {str(path.relative_to(ROOT / "src")) for path in (ROOT / "src/scanproof").rglob("*.py")}
    coq = {f"scanproof/{path.relative_to(ROOT)}" for path in (ROOT / "proofs/coq").iterdir() if path.suffix in (".v", ".toml")}
    return parts | own | coq | {"scanproof/py.typed"}


def contents(wheel: Path) -> set[str]:
    return {name for name in zipfile.ZipFile(wheel).namelist() if name.endswith((".py", "py.typed", ".v", ".toml"))}


def closure(requirements: list[str]) -> dict[str, Distribution]:
    """The installed distributions that these requirements need, and those that they need in turn."""
    found: dict[str, Distribution] = {}
    todo = [Requirement(line) for line in requirements]
    while todo:
        need = todo.pop()
        if need.name not in found and (need.marker is None or need.marker.evaluate({"extra": ""})):
            found[need.name] = distribution(need.name)
            todo += [Requirement(line) for line in found[need.name].requires or []]
    return found


def link_distribution(installed: Distribution, site: Path) -> None:
    """Makes it visible from another environment, alone: no network, and nothing else that is installed beside it."""
    tops = {path.parts[0] for path in installed.files or []} - {"..", "__pycache__"}
    for top in tops:
        if not (site / top).exists():
            (site / top).symlink_to(Path(str(installed.locate_file(top))))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(copy_sources(tmp_path_factory.mktemp("sources")))


@pytest.fixture(scope="module")
def stranger(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that holds the wheel and its declared dependencies."""
    home = tmp_path_factory.mktemp("stranger")
    programs = home / "env/bin"
    pip = (sys.executable, "-m", "pip", "--python", programs / "python")
    run(sys.executable, "-m", "venv", "--without-pip", "env", cwd=home)
    run(*pip, "install", "--quiet", "--no-index", "--no-deps", wheel, cwd=home)
    [site] = home.glob("env/lib/python*/site-packages")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for installed in closure(project["dependencies"]).values():
        link_distribution(installed, site)
    return programs


def test_the_wheel_holds_every_python_file_and_coq_source(wheel: Path) -> None:
    assert contents(wheel) == expected_contents()


def test_a_clone_without_links_builds_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    """Git without support for links checks them out as small text files."""
    sources = copy_sources(tmp_path)
    for part in PARTS:
        (sources / "src/scanproof" / part).unlink()
        (sources / "src/scanproof" / part).write_text(f"../../{part}")
    assert contents(build(sources)) == contents(wheel)


def test_a_stranger_judges_a_scan(stranger: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(THIRD_PARTY)
    origin, *verdicts = run(stranger / "python", "mine.py", cwd=tmp_path).split("\n")[:3]
    assert Path(origin).is_relative_to(stranger.parent)
    assert verdicts == ["within", "outside"]


def test_a_stranger_has_the_command(stranger: Path, tmp_path: Path) -> None:
    usage = run(stranger / "scanproof", "--help", cwd=tmp_path)
    assert re.search(r"\bcheck\b", usage)
    assert re.search(r"\bverify\b", usage)


def test_the_environment_of_the_stranger_is_empty_otherwise(stranger: Path, tmp_path: Path) -> None:
    probe = "import importlib.util as u; print(*(n for n in ('pytest', 'mypy', 'numpy') if u.find_spec(n)))"
    assert run(stranger / "python", "-c", probe, cwd=tmp_path).split() == ["numpy"]

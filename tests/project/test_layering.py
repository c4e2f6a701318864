"""Who may import whom. The rules are the two tables below; docs/decisions/0001-layout.md says why."""

import ast
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("reference", "proofs", "numba_kernels", "properties", "benchmarks")
OURS = {"reference": set(), "numba_kernels": set(), "proofs": {"reference"}, "properties": {"reference"}}
THIRD_PARTY = {
    "reference": {"numpy", "scipy.linalg", "flint", "ml_dtypes"},
    "numba_kernels": {"numpy", "numba", "scipy.linalg", "threadpoolctl"},
}
LAZY = {"reference": {"sympy"}, "numba_kernels": set()}   # inside a function only
COMPILED = ("double_double", "compiled", "compiled_enclosures")   # of reference: they import numba; imported inside functions only
LAZY_ELSEWHERE = {"jax", "torch", "torchlpc", "pytest"}   # optional: the parts that are not in THIRD_PARTY
IMPORTERS = ("import_module", "__import__")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


class Import(NamedTuple):
    name: str     # full dotted name, `from x import y` gives x.y
    lazy: bool    # does not run when the module is imported


def sources() -> list[Path]:
    folders = [ROOT / "src/scanproof", *(ROOT / part for part in PARTS)]
    return [path.relative_to(ROOT) for folder in folders for path in sorted(folder.rglob("*.py"))]


def module_of(path: Path) -> list[str]:
    """src/scanproof/cli/a.py -> scanproof cli a; proofs/__init__.py -> scanproof proofs __init__."""
    parts = path.with_suffix("").parts
    return list(parts[1:] if parts[0] == "src" else ("scanproof", *parts))


def for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def walk(node: ast.AST, lazy: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    """Every node below, and whether it runs later than the module, or never."""
    lazy = lazy or isinstance(node, FUNCTIONS) or for_types_only(node)
    yield node, lazy
    for child in ast.iter_child_nodes(node):
        yield from walk(child, lazy)


def absolute(module: list[str], name: str) -> str:
    """The full name of `..a.b` as written in `module`."""
    level = len(name) - len(name.lstrip("."))
    return ".".join([*module[:-level], name[level:]]).strip(".") if level else name


def names(node: ast.AST, module: list[str]) -> list[str]:
    match node:
        case ast.Import():
            return [alias.name for alias in node.names]
        case ast.ImportFrom():
            base = absolute(module, "." * node.level + (node.module or ""))
            return [f"{base}.{alias.name}" for alias in node.names]
        case ast.Call(args=[ast.Constant(value=str(name)), *_]) if ast.unparse(node.func).endswith(IMPORTERS):
            return [absolute(module, name)]
    return []


def imports(path: Path, text: str) -> list[Import]:
    return [Import(name, lazy) for node, lazy in walk(ast.parse(text)) for name in names(node, module_of(path))]


def part_of(module: list[str]) -> str:
    return module[1] if len(module) > 1 and module[1] in PARTS else "scanproof"


@cache
def declared() -> set[str]:
    """The top-level modules of the distributions in [project.dependencies]."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {canonicalize_name(Requirement(line).name) for line in project["dependencies"]}
    installed = packages_distributions().items()
    return {module for module, providers in installed if wanted & {canonicalize_name(name) for name in providers}}


def listed(name: str, allowed: set[str]) -> bool:
    return any(f"{name}.".startswith(f"{prefix}.") for prefix in allowed)


def allowed(path: Path, found: Import) -> bool:
    part, top = part_of(module_of(path)), found.name.split(".")[0]
    compiled = path in [Path(f"reference/{name}.py") for name in COMPILED]
    if listed(found.name, {f"scanproof.reference.{name}" for name in COMPILED}) and not (found.lazy or compiled):
        return False
    if top == "scanproof":
        target = part_of(found.name.split("."))
        return part not in OURS or target == part or target in OURS[part]
    if top in sys.stdlib_module_names:
        return True
    if part not in THIRD_PARTY:
        return top in declared() or (found.lazy and listed(found.name, LAZY_ELSEWHERE))
    if compiled and top == "numba":
        return True
    return listed(found.name, THIRD_PARTY[part]) or (found.lazy and listed(found.name, LAZY[part]))


def violations(path: Path, text: str) -> list[str]:
    return [f"{path} imports {found.name}" for found in imports(path, text) if not allowed(path, found)]


def test_every_import_is_allowed() -> None:
    files = sources()
    assert {part_of(module_of(path)) for path in files} == {"scanproof", *PARTS}
    assert [line for path in files for line in violations(path, (ROOT / path).read_text())] == []


def test_mapped_folders_hold_no_tests() -> None:
    assert [path for path in sources() if path.name.startswith("test_")] == []


@pytest.mark.parametrize(("path", "code"), [
    ("reference/a.py", "import scanproof"),
    ("reference/a.py", "from scanproof import proofs"),
    ("reference/a.py", "from .. import numba_kernels"),
    ("reference/a.py", "def f():\n    from ..properties.laws import law"),
    ("reference/a.py", "import reference.scan"),
    ("reference/a.py", "import sympy"),
    ("reference/a.py", "import scipy"),
    ("reference/a.py", "from scipy import signal"),
    ("reference/a.py", "def f():\n    import numba"),
    ("reference/truth/double_double.py", "import llvmlite"),
    ("reference/truth/exact.py", "from scanproof.reference import double_double"),
    ("src/scanproof/cli/a.py", "from scanproof.reference.allowance.compiled import scan"),
    ("numba_kernels/a.py", "from scanproof.reference import scan"),
    ("numba_kernels/a.py", "import importlib\nimportlib.import_module('scanproof.reference')"),
    ("numba_kernels/__init__.py", "from .. import reference"),
    ("numba_kernels/a.py", "def f():\n    import sympy"),
    ("proofs/a.py", "from scanproof.properties import laws"),
    ("proofs/coq/a.py", "from ...properties import laws"),
    ("proofs/a.py", "from scanproof import judge"),
    ("properties/a.py", "from scanproof.numba_kernels.diagonal import scan"),
    ("properties/a.py", "import jax"),
    ("properties/a.py", "from reference import scan"),
    ("benchmarks/a.py", "import pandas"),
    ("src/scanproof/cli/a.py", "import llvmlite"),
])
def test_a_planted_violation_is_found(path: str, code: str) -> None:
    assert len(violations(Path(path), code)) == 1


@pytest.mark.parametrize(("path", "code"), [
    ("reference/a.py", "import math\nimport numpy as np\nfrom scipy import linalg\nimport flint"),
    ("reference/a.py", "from numpy.typing import NDArray\nfrom scipy.linalg import expm"),
    ("reference/a.py", "from .scan import scan\nfrom . import truth\nfrom scanproof.reference.transitions.diagonal import scan"),
    ("reference/a.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import sympy"),
    ("reference/a.py", "def f():\n    import sympy"),
    ("reference/truth/double_double.py", "import numba\nfrom scanproof.reference.allowance.compiled import compiled"),
    ("reference/truth/exact.py", "def f():\n    from scanproof.reference import double_double"),
    ("numba_kernels/a.py", "import numba\nfrom ._jit import jit"),
    ("proofs/a.py", "import sympy\nfrom scanproof.reference import scan\nfrom ..reference import scan"),
    ("properties/a.py", "import hypothesis\ndef f():\n    import jax.numpy"),
    ("benchmarks/a.py", "import scanproof\nfrom scanproof.numba_kernels import diagonal"),
    ("src/scanproof/cli/a.py", "import flint\nfrom scanproof import properties, proofs"),
])
def test_an_honest_import_is_allowed(path: str, code: str) -> None:
    assert violations(Path(path), code) == []

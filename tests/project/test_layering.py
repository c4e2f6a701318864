"""Who may import whom, in which floors, and who may name a system. The rules are tables; docs/decisions/0001-layout.md says why."""

import ast
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scanproof.reference.systems import SYSTEMS

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("reference", "proofs", "numba_kernels", "properties", "benchmarks")
OURS = {"reference": set(), "numba_kernels": set(), "proofs": {"reference"}, "properties": {"reference"}}
THIRD_PARTY = {
    "reference": {"numpy", "scipy.linalg", "flint", "ml_dtypes"},
    "numba_kernels": {"numpy", "numba", "scipy.linalg", "threadpoolctl"},
}
LAZY = {"reference": {"sympy"}, "numba_kernels": set()}   # inside a function only
COMPILED = ("truth.double_double", "transitions.compiled", "numbers.compiled_enclosures")  # they import numba; imported lazily only
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


@cache
def walked(text: str) -> tuple[tuple[ast.AST, bool], ...]:
    """Every node, and whether it runs later than the module, or never."""
    found: list[tuple[ast.AST, bool]] = []
    left: list[tuple[ast.AST, bool]] = [(ast.parse(text), False)]
    while left:
        node, lazy = left.pop()
        lazy = lazy or isinstance(node, FUNCTIONS) or for_types_only(node)
        found.append((node, lazy))
        left += [(child, lazy) for child in ast.iter_child_nodes(node)]
    return tuple(found)


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
    return [Import(name, lazy) for node, lazy in walked(text) for name in names(node, module_of(path))]


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
    compiled = path in [Path(f"reference/{name.replace('.', '/')}.py") for name in COMPILED]
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
    ("reference/truth/exact.py", "from scanproof.reference.truth import double_double"),
    ("src/scanproof/cli/a.py", "from scanproof.reference.transitions.compiled import scan"),
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
    ("reference/truth/double_double.py", "import numba\nfrom scanproof.reference.transitions.compiled import compiled"),
    ("reference/truth/exact.py", "def f():\n    from scanproof.reference.truth import double_double"),
    ("numba_kernels/a.py", "import numba\nfrom ._jit import jit"),
    ("proofs/a.py", "import sympy\nfrom scanproof.reference import scan\nfrom ..reference import scan"),
    ("properties/a.py", "import hypothesis\ndef f():\n    import jax.numpy"),
    ("benchmarks/a.py", "import scanproof\nfrom scanproof.numba_kernels import diagonal"),
    ("src/scanproof/cli/a.py", "import flint\nfrom scanproof import properties, proofs"),
])
def test_an_honest_import_is_allowed(path: str, code: str) -> None:
    assert violations(Path(path), code) == []


# ---------------------------------------------------------------- floors of the reference
MOST_FLOORS = 6
Graph = dict[str, set[str]]


def dotted(path: Path) -> str:
    """reference/truth/exact.py -> truth.exact; reference/truth/__init__.py -> truth."""
    parts = path.with_suffix("").parts[1:]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts) or "reference"


def graph(files: dict[Path, str]) -> Graph:
    """Every module of the reference, and those that it imports anywhere: in functions and for type checkers too."""
    modules = {dotted(path) for path in files}

    def target(name: str) -> str:
        name = name.removeprefix("scanproof.reference").strip(".") or "reference"
        while name not in modules and "." in name:
            name = name.rpartition(".")[0]
        return name if name in modules else "reference"

    def targets(path: Path, text: str) -> set[str]:
        ours = (found.name for found in imports(path, text) if listed(found.name, {"scanproof.reference"}))
        return {target(name) for name in ours} - {dotted(path)}

    return {dotted(path): targets(path, text) for path, text in files.items()}


def floors(tree: Graph) -> dict[str, int]:
    """The floor of every node, one above the highest that it imports. Raises ValueError for a circle, naming it."""
    found: dict[str, int] = {}

    def climb(node: str, below: tuple[str, ...]) -> int:
        if node in below:
            raise ValueError(f"circle: {' -> '.join((*below[below.index(node):], node))}")
        if node not in found:
            found[node] = 1 + max((climb(each, (*below, node)) for each in sorted(tree[node])), default=0)
        return found[node]

    for node in tree:
        climb(node, ())
    return found


def folders(tree: Graph) -> Graph:
    """The same graph of folders; a file that lies in none is a folder of its own."""
    found: Graph = {}
    for node, targets in tree.items():
        own = node.partition(".")[0]
        found.setdefault(own, set()).update({each.partition(".")[0] for each in targets} - {own})
    return found


def reference_files() -> dict[Path, str]:
    return {path: (ROOT / path).read_text() for path in sources() if path.parts[0] == "reference"}


def test_the_reference_has_no_circle_and_few_floors() -> None:
    tree = graph(reference_files())
    assert len(tree) > 40
    assert max(floors(tree).values()) > 1
    standing = floors(folders(tree))
    assert max(standing.values()) <= MOST_FLOORS, standing


PLANTED = {
    "another module": "from scanproof.reference.systems import scan",
    "a function": "def f():\n    from scanproof.reference.systems.scan import SYSTEM",
    "a type": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from scanproof.reference import systems",
    "a relative import": "from ..systems import scan",
}


@pytest.mark.parametrize("code", PLANTED.values(), ids=PLANTED)
def test_a_planted_circle_is_found(code: str) -> None:
    files = reference_files()
    files[Path("reference/truth/enclosure.py")] += f"\n{code}\n"
    tree = graph(files)
    with pytest.raises(ValueError, match=r"^circle: .*truth"):
        floors(tree)
    with pytest.raises(ValueError, match=r"^circle: .*systems"):
        floors(folders(tree))


def test_a_floor_too_many_is_found() -> None:
    files = reference_files() | {Path("reference/above.py"): "from scanproof.reference import systems"}
    assert max(floors(folders(graph(files))).values()) == MOST_FLOORS + 1


# ---------------------------------------------------------------- names of systems
OPERATIONS = {"scan", "expm"}  # as identifiers they are a function of arrays, not a system
NAMED = {  # where a name may stand beside files of that name, and why
    "reference/systems/__init__.py": "registry",
    "properties/systems/__init__.py": "registry",
    "src/scanproof/golden/recipes/__init__.py": "registry",
    "benchmarks/campaigns/cases.py": "registry",
    "numba_kernels": "kernels of single systems",
    "properties/versions": "versions of single systems",
    "benchmarks/peers": "implementations of single systems",
    "proofs": "lemmas of single systems",
    "benchmarks/campaigns": "campaigns of the bare scan",
    "benchmarks/claims": "claims of single papers",
    "benchmarks/figures": "pictures of the bare scan",
    "benchmarks/speed": "throughput of the bare scan",
    "src/scanproof/cli/commands": "the default of --system",
}
WORD = {  # `expm` is also a word of the declaration, and a function of arrays
    *("reference/arithmetic/constants.py", "reference/arithmetic/declaration.py", "reference/arithmetic/vocabulary.py"),
    *("reference/numbers/namespace.py", "reference/systems/rotrnn.py", "benchmarks/constants/exponentials.py"),
}


def named_systems(path: Path, text: str) -> set[str]:
    """The systems that a file names: by a string, by an identifier, or by importing a module of that name."""
    systems, module = set(SYSTEMS), module_of(path)
    found = set()
    for node, _ in walked(text):
        words = [getattr(node, name, None) for name in ("id", "attr", "arg", "name", "asname")]
        found |= {word for word in words if isinstance(word, str)} & (systems - OPERATIONS)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= {node.value} & systems
        for name in names(node, module) if isinstance(node, ast.ImportFrom | ast.Import) else ():
            found |= set(name.split(".")[2:-1]) & systems
            place = Path(*name.removeprefix("scanproof.").split(".")).with_suffix(".py")
            found |= {name.rpartition(".")[2]} & systems if (ROOT / place).is_file() else set()
    return found


def may_name(path: Path, system: str) -> bool:
    beside = any(path.is_relative_to(place) for place in NAMED)
    return beside or system in path.stem.split("_") or (system == "expm" and str(path) in WORD)


def strangers(path: Path, text: str) -> list[str]:
    return [f"{path} names {system}" for system in sorted(named_systems(path, text)) if not may_name(path, system)]


def test_no_system_is_named_outside_its_room() -> None:
    texts = {path: (ROOT / path).read_text() for path in sources()}
    assert [line for path, text in texts.items() for line in strangers(path, text)] == []


def test_every_exception_is_needed() -> None:
    named = {path: named_systems(path, (ROOT / path).read_text()) - set(path.stem.split("_")) for path in sources()}
    for place in NAMED:
        assert any(named[path] for path in named if path.is_relative_to(place)), place
    assert all("expm" in named[Path(place)] for place in WORD)


@pytest.mark.parametrize(("code", "name"), [
    ("if system.name == 'lru':\n    pass", "lru"),
    ("known = {'scan': 1}", "scan"),
    ("from scanproof.reference.systems import rotrnn", "rotrnn"),
    ("def f():\n    from scanproof.reference.systems.expm import SYSTEM", "expm"),
    ("from scanproof.reference.systems import scan as other", "scan"),
    ("import scanproof.reference.systems as s\ns.lru.run()", "lru"),
    ("def f(lru):\n    pass", "lru"),
])
def test_a_planted_name_is_found(code: str, name: str) -> None:
    assert strangers(Path("properties/laws.py"), code) == [f"properties/laws.py names {name}"]


@pytest.mark.parametrize("code", [
    "from scanproof.reference.transitions.diagonal import scan\nscan(1)",
    "xp.expm(S)\nxp.scan(lam, b)",
    '"""How lru differs from scan."""',
    "print('scanproof check --system lru')",
])
def test_an_operation_or_an_example_is_no_name(code: str) -> None:
    assert strangers(Path("properties/laws.py"), code) == []

"""Golden files: where they are, reading them strictly, writing them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from scanproof.golden.layer_cases import LAYER_RECIPES
from scanproof.golden.layer_schema import LAYER_FORMAT, LayerCase
from scanproof.golden.schema import FORMAT, Case
from scanproof.properties.witness import write_atomically

SYSTEMS = ("scan", *LAYER_RECIPES)
V1 = Path(__file__).parent / "v1"
KINDS: dict[str, type[Case] | type[LayerCase]] = {FORMAT: Case, LAYER_FORMAT: LayerCase}


def published(system: str | None = None) -> list[Case | LayerCase]:
    """The published cases of one system, or of all. Raises ValueError for a system without cases."""
    return [case for name in (SYSTEMS if system is None else [with_cases(system)]) for case in read_all(V1 / name)]


def with_cases(system: str) -> str:
    """The name itself. Raises ValueError for a system without cases, which lists those with cases."""
    if system not in SYSTEMS:
        raise ValueError(f"system: found {system!r}, expected one of {', '.join(SYSTEMS)}")
    return system


def files(folder: Path) -> list[Path]:
    """The golden files of a folder and of those in it, by name.

    Raises:
        ValueError: no such folder, or none in it.
    """
    if not folder.is_dir():
        raise ValueError(f"golden: found no folder {folder}")
    found = sorted(folder.rglob("*.json"))
    if not found:
        raise ValueError(f"golden: found no golden file in {folder}, expected *.json")
    return found


def read(path: Path) -> Case | LayerCase:
    """One case, its id checked against its content.

    Raises:
        ValueError: missing, truncated, altered, from a newer version or not ours; one line.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"golden: cannot read {path}: {error.strerror}") from error
    try:
        case = _kind(content).model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "file"
        raise ValueError(f"golden: {path}: {place}: {first['msg']} ({error.error_count()} faults in all)") from error
    except ValueError as error:
        raise ValueError(f"golden: {path}: {error}") from error
    if case.id != case.expected_id():
        raise ValueError(f"golden: {path}: altered: its id is {case.id}, and that of its content {case.expected_id()}")
    return case


def read_all(folder: Path) -> list[Any]:
    """Every case of a folder, by file name. Raises ValueError as `read`, and for a case that is there twice."""
    cases = {case.id: case for case in map(read, files(folder))}
    if len(cases) < len(files(folder)):
        raise ValueError(f"golden: found a case twice in {folder}; scanproof golden lint names it")
    return list(cases.values())


def write(case: Case | LayerCase, folder: Path) -> Path:
    """Writes the canonical text under the case's id and returns the path."""
    path = folder / f"{case.id}.json"
    write_atomically(path, case.text())
    return path


def _kind(content: bytes) -> type[Case] | type[LayerCase]:
    """What a file says it is. Raises ValueError for anything but JSON that says it is of one of these formats."""
    found = TypeAdapter(Any).validate_json(content)
    named = found.get("format") if isinstance(found, dict) else None
    known = {name.partition("/")[0]: name for name in KINDS}.get(named.partition("/")[0]) if isinstance(named, str) else None
    if known is None:
        raise ValueError(f"found no golden file, expected one with format {' or '.join(KINDS)}")
    if named != known:
        raise ValueError(f"found format {named}, expected {known}; a newer scanproof may read it")
    return KINDS[known]

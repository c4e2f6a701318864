"""Golden files: where they are, reading them strictly, writing them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from scanproof.golden.schema import FAMILY, FORMAT, Case
from scanproof.properties.witness import write_atomically

PUBLISHED = Path(__file__).parent / "v1" / "scan"


def files(folder: Path) -> list[Path]:
    """The golden files of a folder, by name.

    Raises:
        ValueError: no such folder, or none in it.
    """
    if not folder.is_dir():
        raise ValueError(f"golden: found no folder {folder}")
    found = sorted(folder.glob("*.json"))
    if not found:
        raise ValueError(f"golden: found no golden file in {folder}, expected *.json")
    return found


def read(path: Path) -> Case:
    """One case, its id checked against its content.

    Raises:
        ValueError: missing, truncated, altered, from a newer version or not ours; one line.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"golden: cannot read {path}: {error.strerror}") from error
    try:
        _known_format(content)
        case = Case.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "file"
        raise ValueError(f"golden: {path}: {place}: {first['msg']} ({error.error_count()} faults in all)") from error
    except ValueError as error:
        raise ValueError(f"golden: {path}: {error}") from error
    if case.id != case.expected_id():
        raise ValueError(f"golden: {path}: altered: its id is {case.id}, and that of its content {case.expected_id()}")
    return case


def read_all(folder: Path) -> list[Case]:
    """Every case of a folder, by file name. Raises ValueError as `read`, and for a case that is there twice."""
    cases = {case.id: case for case in map(read, files(folder))}
    if len(cases) < len(files(folder)):
        raise ValueError(f"golden: found a case twice in {folder}; scanproof golden lint names it")
    return list(cases.values())


def write(case: Case, folder: Path) -> Path:
    """Writes the canonical text under the case's id and returns the path."""
    path = folder / f"{case.id}.json"
    write_atomically(path, case.text())
    return path


def _known_format(content: bytes) -> None:
    """Raises ValueError for anything but JSON that says it is of this format."""
    found = TypeAdapter(Any).validate_json(content)
    named = found.get("format") if isinstance(found, dict) else None
    if not isinstance(named, str) or not named.startswith(FAMILY):
        raise ValueError(f"found no golden file, expected one with format {FORMAT}")
    if named != FORMAT:
        raise ValueError(f"found format {named}, expected {FORMAT}; a newer scanproof may read it")

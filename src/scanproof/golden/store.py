"""Golden files: where they are, reading them strictly, writing them."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from scanproof.golden.recipes import COLLECTIONS, collection_of
from scanproof.golden.schema import FIRST_EDITION, SCHEMA, Case
from scanproof.properties.files import check_schema, first_fault, write_atomically

PUBLISHED = Path(__file__).parent / "v2"  # a folder for each system
REMEDY = "make new ones with `scanproof golden write FOLDER --system NAME`"


def published(system: str | None = None) -> list[Case]:
    """The published cases of one system, or of all.

    Raises:
        ValueError: a system without cases.
    """
    names = COLLECTIONS if system is None else [collection_of(system).system.name]
    return [case for name in names for case in read_all(PUBLISHED / name)]


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


def read(path: Path) -> Case:
    """One case, its id checked against its content.

    Raises:
        ValueError: missing, truncated, altered, of another edition or not ours; one line.
    """
    try:
        content = path.read_bytes()
        check_schema(content, SCHEMA, FIRST_EDITION, REMEDY)
        case = Case.model_validate_json(content)
    except OSError as error:
        raise ValueError(f"golden: cannot read {path}: {error.strerror}") from error
    except ValidationError as error:
        raise ValueError(f"golden: {path}: {first_fault(error)}") from error
    except ValueError as error:
        raise ValueError(f"golden: {path}: {error}") from error
    if case.id != case.expected_id():
        text = f"its id is {case.id}, and that of its content {case.expected_id()}"
        raise ValueError(f"golden: {path}: altered: {text}")
    return case


def read_all(folder: Path) -> list[Case]:
    """Every case of a folder, by file name.

    Raises:
        ValueError: as `read`, and for a case that is there twice.
    """
    cases = {case.id: case for case in map(read, files(folder))}
    if len(cases) < len(files(folder)):
        raise ValueError(f"golden: found a case twice in {folder}; scanproof golden lint names it")
    return list(cases.values())


def write(case: Case, folder: Path) -> Path:
    """Writes the canonical text under the case's id and returns the path."""
    path = folder / f"{case.id}.json"
    write_atomically(path, case.text())
    return path

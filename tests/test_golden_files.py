"""Golden files that are truncated, altered, forged, newer or not ours: refused in one line, or found by lint."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from scanproof.cli.app import app
from scanproof.golden.lint import faults
from scanproof.golden.schema import Case
from scanproof.golden.store import V1, files, read, write

PUBLISHED = V1 / "scan"
NAME = "three-steps-complex64"
Content = dict[str, Any]


@pytest.fixture
def good() -> Path:
    return next(PUBLISHED.glob(f"{NAME}-*.json"))


def changed(text: str) -> str:
    """Another number of the same format."""
    return (float.fromhex(text) * 2 or 1.0).hex()


def set_to(*place: Any, value: Any = None) -> Callable[[Content], None]:
    """Replaces what is at `place`; a number by another one where no value is given."""

    def edit(content: Content) -> None:
        inner = content
        for key in place[:-1]:
            inner = inner[key]
        inner[place[-1]] = changed(inner[place[-1]]) if value is None else value

    return edit


def drop(*place: Any) -> Callable[[Content], None]:
    def edit(content: Content) -> None:
        inner = content
        for key in place[:-1]:
            inner = inner[key]
        del inner[place[-1]]

    return edit


ALTERED = {
    "purpose": set_to("purpose", value="one thing or another"),
    "flags": set_to("flags", value=["exact lane"]),
    "lam": set_to("lam", "data", 0),
    "b": set_to("b", "data", 3),
    "h0": set_to("h0", "data", 1),
    "reverse": set_to("reverse", value=True),
    "head": set_to("truth", "head", "data", 2),
    "tail": set_to("truth", "tail", "data", 2),
    "magnitude": set_to("magnitude", "data", 0),
}
DERIVED = {  # outside the hash: only recomputation tells
    "rad too small": set_to("truth", "rad", "data", -1, value="0x0.0p+0"),
    "rad too large": set_to("truth", "rad", "data", -1, value="0x1.0000000000000p-20"),
    "bound": set_to("allowances", 0, "bound", "data", 0),
    "bound made infinite": set_to("allowances", 1, "bound", "data", 0, value="inf"),
    "bound made zero": set_to("allowances", 2, "bound", "data", 5, value="0x0.0p+0"),
    "class": set_to("allowances", 1, "arithmetic", "subnormals", value="ftz"),
    "class missing": drop("allowances", 2),
}
MALFORMED = {
    "system": set_to("system", value="lru"),
    "extra field": set_to("extra", value=1),
    "missing field": drop("magnitude"),
    "id": set_to("id", value="No id"),
    "decimal": set_to("b", "data", 0, value="0.5"),
    "not of the dtype": set_to("b", "data", 0, value="0x1.0000000000001p+0"),
    "shape": set_to("b", "shape", value=[1, 2, 2]),
    "rad of another shape": set_to("truth", "rad", "shape", value=[2, 3, 1]),
    "head of another dtype": set_to("truth", "head", "dtype", value="complex64"),
    "negative bound": set_to("allowances", 0, "bound", "data", 0, value="-0x1.0000000000000p+0"),
    "bound is no number": set_to("allowances", 0, "bound", "data", 0, value="nan"),
    "head not finite": set_to("truth", "head", "data", 0, value="inf"),
    "class of another dtype": set_to("allowances", 0, "arithmetic", "dtype", value="complex128"),
    "unknown order": set_to("allowances", 0, "arithmetic", "order", value="backwards"),
    "class twice": set_to("allowances", 2, "arithmetic", "order", value="any"),
    "no class": set_to("allowances", value=[]),
    "h0 is a number": set_to("h0", value=0),
    "reverse is a number": set_to("reverse", value=1),
}


def altered(good: Path, folder: Path, edit: Callable[[Content], None], forge: bool = False) -> Path:
    """A copy with one change; forged: under the id that its content then has."""
    content = json.loads(good.read_text())
    edit(content)
    if forge:
        case = Case.model_validate_json(json.dumps(content))
        return write(case.model_copy(update={"id": case.expected_id()}), folder)
    path = folder / good.name
    path.write_text("{\n" + ",\n".join(f' "{name}": {json.dumps(value)}' for name, value in content.items()) + "\n}\n")
    return path


def refusal(path: Path) -> str:
    """The one line with which reading and the command refuse a file."""
    with pytest.raises(ValueError, match="golden: ") as caught:
        read(path)
    shown = CliRunner().invoke(app, ["golden", "show", str(path)])
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert shown.stderr.strip().splitlines() == [f"scanproof: {caught.value}"]
    linted = CliRunner().invoke(app, ["golden", "lint", str(path.parent)])
    assert linted.exit_code == 1
    assert linted.stdout.splitlines() == [str(caught.value), "1 golden file, 1 fault"]
    return str(caught.value)


def test_an_unchanged_copy_is_read_and_linted(good: Path, tmp_path: Path) -> None:
    path = altered(good, tmp_path, lambda content: None)
    assert path.read_bytes() == good.read_bytes()
    assert read(path) == read(good)
    assert list(faults(tmp_path)) == []


@pytest.mark.parametrize("name", ALTERED)
def test_an_altered_file_is_refused(name: str, good: Path, tmp_path: Path) -> None:
    assert "altered: its id is" in refusal(altered(good, tmp_path, ALTERED[name]))


@pytest.mark.parametrize("name", [name for name in ALTERED if name != "purpose"])
def test_a_forged_file_is_found_by_lint(name: str, good: Path, tmp_path: Path) -> None:
    path = altered(good, tmp_path, ALTERED[name], forge=True)
    read(path)
    found = list(faults(tmp_path))
    assert found
    assert all(fault.startswith(f"golden: {path}: ") and "\n" not in fault for fault in found)


@pytest.mark.parametrize("name", DERIVED)
def test_an_altered_bound_is_found_by_lint(name: str, tmp_path: Path) -> None:
    [long] = PUBLISHED.glob("resets-complex64-*.json")  # its last states need a radius
    read(altered(long, tmp_path, DERIVED[name]))
    assert list(faults(tmp_path))


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_file_is_refused(name: str, good: Path, tmp_path: Path) -> None:
    assert "faults in all" in refusal(altered(good, tmp_path, MALFORMED[name]))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_truncated_file_is_refused(share: float, good: Path, tmp_path: Path) -> None:
    text = good.read_text()
    path = tmp_path / good.name
    path.write_text(text[: int(share * len(text))])
    refusal(path)


def test_a_newer_format_is_named(good: Path, tmp_path: Path) -> None:
    found = refusal(altered(good, tmp_path, set_to("format", value="scanproof-golden/2")))
    assert "found format scanproof-golden/2, expected scanproof-golden/1; a newer scanproof may read it" in found


@pytest.mark.parametrize("text", ["[]", "3", "{}", '{"format": 7}', '{"format": "scanproof-witness/1"}', "[" * 100_000])
def test_what_is_not_ours_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    refusal(path)


def test_binary_and_missing_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot read"):
        read(tmp_path / "missing.json")
    (tmp_path / "x.json").write_bytes(b"\xff\x00\xfe")
    refusal(tmp_path / "x.json")


def test_lint_finds_other_form_name_and_copies(good: Path, tmp_path: Path) -> None:
    (tmp_path / good.name).write_text(json.dumps(json.loads(good.read_text())))
    assert ["form" in fault for fault in faults(tmp_path)] == [True]
    (tmp_path / good.name).write_bytes(good.read_bytes())
    (tmp_path / "zz.json").write_bytes(good.read_bytes())
    name, copy_ = faults(tmp_path)
    assert "name: found zz.json" in name
    assert f"found the inputs of {tmp_path / good.name} again" in copy_


def test_a_folder_without_files_is_named(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(ValueError, match="golden: found no"):
            files(folder)
        assert CliRunner().invoke(app, ["golden", "lint", str(folder)]).exit_code == 2

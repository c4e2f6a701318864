"""Golden files that are truncated, altered, forged, of another edition or not ours.

They are refused in one line, or found by lint.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from goldens import COLLECTIONS, golden

from scanproof.golden.answers import question
from scanproof.golden.collection import Collection, Recipe
from scanproof.golden.lint import case_faults, faults
from scanproof.golden.making import make
from scanproof.golden.schema import Case
from scanproof.golden.store import PUBLISHED, files, read, write

SHORT = "three-steps-complex64"
LAYER = "lru-gradients-float32"
Content = dict[str, Any]
Edit = Callable[[Content], None]


def path_of(name: str) -> Path:
    [path] = PUBLISHED.glob(f"*/{name}-*.json")
    return path


def changed(text: str) -> str:
    """Another number of the same format."""
    return (float.fromhex(text) * 2 or 1.0).hex()


def set_to(*place: Any, value: Any = None) -> Edit:
    """Replaces what is at `place`; a number by another one where no value is given."""

    def edit(content: Content) -> None:
        inner = inside(content, place)
        inner[place[-1]] = changed(inner[place[-1]]) if value is None else value

    return edit


def drop(*place: Any) -> Edit:
    def edit(content: Content) -> None:
        del inside(content, place)[place[-1]]

    return edit


def inside(content: Any, place: tuple[Any, ...]) -> Any:
    for key in place[:-1]:
        content = content[key]
    return content


def called(*place: Any, value: Any = None) -> Edit:
    return set_to("arguments", *place, value=value)


ALTERED = {  # of the scan's file and of the layer's
    SHORT: {
        "purpose": set_to("purpose", value="one thing or another"),
        "flags": set_to("flags", value=["integer case"]),
        "lam": called("lam", "data", 0),
        "b": called("b", "data", 3),
        "h0": called("h0", "data", 1),
        "no h0": drop("arguments", "h0"),
        "reverse": called("reverse", value=True),
        "head": set_to("results", "h", "head", "data", 2),
        "tail": set_to("results", "h", "tail", "data", 2),
        "magnitude": set_to("magnitude", "data", 0),
        "no magnitude": drop("magnitude"),
    },
    LAYER: {
        "flags": set_to("flags", value=["sparse case"]),
        "parameter": called("nu_log", "data", 0),
        "u": called("u", "data", 3),
        "h0": called("h0", "data", 1),
        "reverse": called("reverse", value=True),
        "y_bar": called("y_bar", "data", 2),
        "head": set_to("results", "y", "head", "data", 2),
        "tail of a gradient": set_to("results", "gradient B_re", "tail", "data", 0),
    },
}
LONG = "resets-complex64"  # its last states need a radius
DERIVED = {  # outside the hash: only recomputation tells
    LONG: {
        "rad too small": set_to("results", "h", "rad", "data", -1, value="0x0.0p+0"),
        "rad too large": set_to("results", "h", "rad", "data", -1, value=(2.0**-20).hex()),
        "bound": set_to("allowances", 0, "bounds", "h", "data", 0),
        "bound made infinite": set_to("allowances", 1, "bounds", "h", "data", 0, value="inf"),
        "bound made zero": set_to("allowances", 2, "bounds", "h", "data", 5, value="0x0.0p+0"),
        "class": set_to("allowances", 1, "declaration", "subnormals", value="ftz"),
        "class missing": drop("allowances", 2),
    },
    LAYER: {
        "rad too small": set_to("results", "y", "rad", "data", 0, value="0x0.0p+0"),
        "rad too large": set_to("results", "h", "rad", "data", 5, value=(2.0**-20).hex()),
        "bound": set_to("allowances", 0, "bounds", "y", "data", 0),
        "bound of a gradient": set_to("allowances", 2, "bounds", "gradient u", "data", 1),
        "bound made infinite": set_to("allowances", 1, "bounds", "h_last", "data", 0, value="inf"),
        "class": set_to("allowances", 1, "declaration", "subnormals", value="ftz"),
        "class missing": drop("allowances", 2),
        "class of stages": set_to("allowances", 0, "declaration", "stages", value="any"),
    },
}
NEGATIVE = "-0x1.0000000000000p+0"
MALFORMED = {
    SHORT: {
        "system": set_to("system", value="lru"),
        "unknown system": set_to("system", value="mamba"),
        "extra field": set_to("extra", value=1),
        "extra field with an escape": set_to("a\n\x1b[2J", value=1),
        "missing field": drop("purpose"),
        "missing argument": drop("arguments", "b"),
        "unknown argument": called("c", value=True),
        "id": set_to("id", value="No id"),
        "decimal": called("b", "data", 0, value="0.5"),
        "not of the dtype": called("b", "data", 0, value="0x1.0000000000001p+0"),
        "shape": called("b", "shape", value=[1, 2, 2]),
        "rad of another shape": set_to("results", "h", "rad", "shape", value=[2, 3, 1]),
        "head of another dtype": set_to("results", "h", "head", "dtype", value="complex64"),
        "result missing": drop("results", "h"),
        "magnitude of another shape": set_to("magnitude", "shape", value=[2, 3, 1]),
        "negative bound": set_to("allowances", 0, "bounds", "h", "data", 0, value=NEGATIVE),
        "bound is no number": set_to("allowances", 0, "bounds", "h", "data", 0, value="nan"),
        "head not finite": set_to("results", "h", "head", "data", 0, value="inf"),
        "class of another dtype": set_to(
            "allowances", 0, "declaration", "dtype", value="complex128"
        ),
        "class without dtype": drop("allowances", 0, "declaration", "dtype"),
        "unknown order": set_to("allowances", 0, "declaration", "order", value="backwards"),
        "unknown word": set_to("allowances", 0, "declaration", "speed", value="high"),
        "word of layers": set_to("allowances", 0, "declaration", "stages", value="formed"),
        "class twice": set_to("allowances", 2, "declaration", value={"dtype": "complex64"}),
        "no class": set_to("allowances", value=[]),
        "h0 is a number": called("h0", value=0),
        "reverse is a number": called("reverse", value=1),
        "reverse is said to be false": called("reverse", value=False),
        "format of the first edition too": set_to("format", value="scanproof-golden/1"),
    },
    LAYER: {
        "system": set_to("system", value="rotrnn"),
        "missing parameter": drop("arguments", "D"),
        "shape": called("u", "shape", value=[1, 18, 1]),
        "result missing": drop("results", "h_last"),
        "bounds missing": drop("allowances", 0, "bounds", "gradient h0"),
        "head of another dtype": set_to("results", "y", "head", "dtype", value="float32"),
        "negative bound": set_to("allowances", 0, "bounds", "y", "data", 0, value=NEGATIVE),
        "class of another dtype": set_to("allowances", 0, "declaration", "dtype", value="float64"),
        "unknown adjoint": set_to("allowances", 0, "declaration", "adjoint", value="backwards"),
        "class twice": drop("allowances", 1, "declaration", "subnormals"),
        "gradients without y_bar": drop("arguments", "y_bar"),
    },
}


def each(table: dict[str, dict[str, Edit]]) -> Any:
    """A test for every file and edit."""
    every = [(name, words) for name, edits in table.items() for words in edits]
    ids = [f"{name}: {words}" for name, words in every]
    return pytest.mark.parametrize(("name", "words"), every, ids=ids)


def altered(name: str, folder: Path, edit: Edit, forge: bool = False) -> Path:
    """A copy with one change; forged: under the id that its content then has."""
    good = path_of(name)
    content = json.loads(good.read_text())
    edit(content)
    if forge:
        case = Case.model_validate_json(json.dumps(content))
        return write(case.model_copy(update={"id": case.expected_id()}), folder)
    fields = (f" {json.dumps(field)}: {json.dumps(value)}" for field, value in content.items())
    path = folder / good.name
    path.write_text("{\n" + ",\n".join(fields) + "\n}\n")
    return path


def refusal(path: Path) -> str:
    """The one line with which reading and the commands refuse a file."""
    with pytest.raises(ValueError, match="golden: ") as caught:
        read(path)
    shown = golden("show", str(path))
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert shown.stderr.strip().splitlines() == [f"scanproof: {caught.value}"]
    linted = golden("lint", str(path.parent))
    assert linted.exit_code == 1
    assert linted.stdout.splitlines() == [str(caught.value), "1 golden file, 1 fault"]
    assert len(str(caught.value).removeprefix(f"golden: {path}")) < 400
    assert str(caught.value).isprintable()
    return str(caught.value)


@pytest.mark.parametrize("name", [SHORT, LAYER])
def test_an_unchanged_copy_is_read_and_linted(name: str, tmp_path: Path) -> None:
    path = altered(name, tmp_path, lambda content: None)
    assert path.read_bytes() == path_of(name).read_bytes()
    assert read(path) == read(path_of(name))
    assert list(faults(tmp_path)) == []


@each(ALTERED)
def test_an_altered_file_is_refused(name: str, words: str, tmp_path: Path) -> None:
    assert "altered: its id is" in refusal(altered(name, tmp_path, ALTERED[name][words]))


@each({name: {k: v for k, v in edits.items() if k != "purpose"} for name, edits in ALTERED.items()})
def test_a_forged_file_is_found_by_lint(name: str, words: str, tmp_path: Path) -> None:
    path = altered(name, tmp_path, ALTERED[name][words], forge=True)
    read(path)
    found = list(faults(tmp_path))
    assert found
    assert all(fault.startswith(f"golden: {path}: ") and "\n" not in fault for fault in found)


@each(DERIVED)
def test_an_altered_bound_is_found_by_lint(name: str, words: str, tmp_path: Path) -> None:
    read(altered(name, tmp_path, DERIVED[name][words]))
    found = list(faults(tmp_path))
    assert found
    assert not any("\n" in fault for fault in found)


@each(MALFORMED)
def test_a_malformed_file_is_refused(name: str, words: str, tmp_path: Path) -> None:
    assert "altered" not in refusal(altered(name, tmp_path, MALFORMED[name][words]))


def test_missing_words_are_the_defaults(tmp_path: Path) -> None:
    said = {"subnormals": "gradual", "order": "any", "rounding": "nearest", "contraction": True}
    edit = set_to("allowances", 0, "declaration", value={"dtype": "complex64", **said})
    found = read(altered(SHORT, tmp_path, edit))
    first, ours = (case.allowances[0].declared() for case in (found, read(path_of(SHORT))))
    assert first == ours


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_truncated_file_is_refused(share: float, tmp_path: Path) -> None:
    text = path_of(SHORT).read_text()
    path = tmp_path / path_of(SHORT).name
    path.write_text(text[: int(share * len(text))])
    refusal(path)


@pytest.mark.parametrize("name", ["scanproof-golden/1", "scanproof-golden-layer/1"])
def test_the_first_edition_is_refused_with_what_to_do(name: str, tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    path.write_text(json.dumps({"format": name, "id": "x-0123456789"}))
    found = refusal(path)
    assert f"found {name}, which this version no longer reads" in found
    assert "scanproof golden write" in found


@pytest.mark.parametrize("name", ["scanproof-golden/3", "scanproof-golden/9\n\x1b[2J", "x" * 10**6])
def test_another_schema_is_named(name: str, tmp_path: Path) -> None:
    found = refusal(altered(SHORT, tmp_path, set_to("schema", value=name)))
    assert f"found schema {name[:60]!r}, expected scanproof-golden/2" in found


NOT_OURS = ["[]", "3", "{}", '{"schema": 7}', '{"schema": "scanproof-witness/3"}', "[" * 100_000]


@pytest.mark.parametrize("text", NOT_OURS, ids=lambda text: text[:12])
def test_what_is_not_ours_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    refusal(path)


def test_binary_and_missing_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot read"):
        read(tmp_path / "missing.json")
    (tmp_path / "x.json").write_bytes(b"\xff\x00\xfe")
    refusal(tmp_path / "x.json")


def test_lint_finds_other_form_name_and_copies(tmp_path: Path) -> None:
    good = path_of(SHORT)
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
        assert golden("lint", str(folder)).exit_code == 2


# ---------------------------------------------------------------- calls that are not published


@pytest.mark.parametrize(("system", "dtype"), [("scan", "complex64"), ("lru", "float32")])
def test_a_call_without_a_batch_axis_is_made_linted_and_asked(system: str, dtype: str) -> None:
    collection = COLLECTIONS[system]
    slug = {"scan": "reverse", "lru": "lru-gradients-reverse"}[system]
    drawn = next(recipe for recipe in collection.recipes if recipe.slug == slug)
    case = make(drawn._replace(draw=lambda d: bare(collection, drawn, d)), dtype, collection)
    assert len(case.shape) == len(make(drawn, dtype, collection).shape) - 1
    assert list(case_faults(case)) == []
    result = next(iter(collection.system.result))
    assert question(case)["results"][result]["shape"] == case.shape


def bare(collection: Collection, recipe: Recipe, d: Any) -> dict[str, Any]:
    """The first row of what a recipe draws."""
    batched = {
        x.name for x in collection.system.arguments if "[batch]" in x.axes and "|" not in x.axes
    }
    drawn = {name: x for name, x in recipe.draw(d).items() if x is not None}
    return {name: x[0] if name in batched else x for name, x in drawn.items()}


def test_a_collection_needs_a_second_formulation_and_nothing_else(tmp_path: Path) -> None:
    collection = Collection(COLLECTIONS["scan"].system, (), COLLECTIONS["scan"].second)
    recipe = next(recipe for recipe in COLLECTIONS["scan"].recipes if recipe.slug == "one-step")
    plain = make(recipe, "float32", collection)
    assert plain.magnitude is None
    assert plain.flags == ["short", "initial state"]
    assert len(plain.allowances) == 1
    assert np.prod(plain.shape) == 3
    read(write(plain, tmp_path))

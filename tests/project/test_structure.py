"""The page of the structure is the generated one, and folders that import each other are refused."""

from pathlib import Path

import pytest

from scanproof.benchmarks.figures import structure

PAGE = Path(__file__).resolve().parents[2] / "docs/structure.md"


def test_the_page_is_what_the_imports_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == structure.page()


def test_a_folder_stands_above_what_it_imports() -> None:
    assert structure.floors({"c": {"a", "b"}, "b": {"a"}, "a": set()}) == {"a": 1, "b": 2, "c": 3}


def test_a_circle_is_one_line() -> None:
    with pytest.raises(ValueError, match=r"^folders: found the circle a -> b -> a, expected none$"):
        structure.floors({"a": {"b"}, "b": {"a"}})

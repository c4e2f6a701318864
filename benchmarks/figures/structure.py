"""The structure of the project: folders on floors, and an arrow from each to those that it imports.

    python -m scanproof.benchmarks.figures.structure docs/structure.md

writes the page and, beside it, docs/structure.svg.

A folder stands one floor above the highest one that it imports. Imports inside functions count;
those for type checkers do not.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

import scanproof

PACKAGE = Path(scanproof.__file__).parent
DEEP = "reference"  # whose own folders and files are shown
HEAD = """# Structure

`python -m scanproof.benchmarks.figures.structure docs/structure.md` draws this page from the
imports of the source. A folder imports only folders on lower floors; an arrow would lead back up
where two import each other, and none does. The picture leaves out an arrow where others lead the
same way: what is imported directly stands in the table.

![Folders on floors, with arrows from each to those that it imports](structure.svg)

| floor | folder | imports |
| --- | --- | --- |
"""


def folder_of(module: str) -> str:
    """Where a module is shown.

    That is reference/truth for scanproof.reference.truth.exact, properties for all of properties.
    """
    parts = module.removeprefix("scanproof").strip(".").split(".")
    if parts[0] == DEEP and len(parts) > 1 and parts[1] != "__init__":
        return f"{DEEP}/{parts[1]}"
    return parts[0] if (PACKAGE / parts[0]).is_dir() else "scanproof"


def imported(path: Path) -> Iterator[str]:
    """The modules of ours that a file imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("scanproof"):
            for alias in node.names:
                yield f"{node.module}.{alias.name}"


def sources() -> Iterator[Path]:
    """Every file of the package; its folders may be links."""
    for folder, _, files in sorted(os.walk(PACKAGE, followlinks=True)):
        yield from (Path(folder) / name for name in sorted(files) if name.endswith(".py"))


def arrows() -> dict[str, set[str]]:
    """Every folder, and those that it imports."""
    found: dict[str, set[str]] = {}
    for path in sources():
        own = folder_of(".".join(("scanproof", *path.relative_to(PACKAGE).with_suffix("").parts)))
        targets = {folder_of(module) for module in imported(path)} - {own}
        found.setdefault(own, set()).update(targets)
    return found


def floors(tree: Mapping[str, set[str]]) -> dict[str, int]:
    """The floor of every folder.

    Raises ValueError, naming them, for folders that import each other.
    """
    found: dict[str, int] = {}

    def climb(folder: str, below: tuple[str, ...]) -> int:
        if folder in below:
            raise ValueError(
                f"folders: found the circle {' -> '.join((*below, folder))}, expected none"
            )
        if folder not in found:
            found[folder] = 1 + max(
                (climb(each, (*below, folder)) for each in tree.get(folder, ())), default=0
            )
        return found[folder]

    for folder in tree:
        climb(folder, ())
    return found


def below(tree: Mapping[str, set[str]], folder: str) -> set[str]:
    """Every folder that one imports, directly or through others."""
    targets = tree.get(folder, set())
    return targets.union(*(below(tree, each) for each in targets))


def direct(tree: Mapping[str, set[str]], folder: str) -> set[str]:
    """The folders that one imports and that no other one of these imports, through others even."""
    targets = tree[folder]
    return targets - set().union(*(below(tree, each) for each in targets))


def page() -> str:
    """The page, in Markdown."""
    tree = arrows()
    order = sorted(floors(tree).items(), key=lambda item: (-item[1], item[0]))
    rows = [f"| {floor} | `{name}` | "
            f"{', '.join(f'`{each}`' for each in sorted(tree[name])) or 'nothing of ours'} |"
            for name, floor in order]  # fmt: skip
    return HEAD + "\n".join(rows) + "\n"


def draw(path: Path) -> None:
    """Writes the picture, as SVG."""
    mpl.rcParams["svg.hashsalt"] = "scanproof"
    tree = arrows()
    standing = floors(tree)
    rows = {
        floor: sorted(name for name in standing if standing[name] == floor)
        for floor in set(standing.values())
    }
    drawn = Figure(figsize=(9, 0.9 * len(rows) + 0.4), layout="constrained", facecolor="white")
    axes = drawn.add_subplot()
    place = {
        name: ((i + 0.5) / len(names), floor)
        for floor, names in rows.items()
        for i, name in enumerate(names)
    }
    for name in tree:
        for target in sorted(direct(tree, name)):
            arrow = {"arrowstyle": "->", "color": "0.45", "shrinkA": 12, "shrinkB": 18}
            axes.annotate("", place[target], place[name], arrowprops=arrow)
    box = {"boxstyle": "round", "facecolor": "white", "edgecolor": "0.3"}
    for name, (x, y) in place.items():
        axes.text(x, y, name, ha="center", va="center", fontsize=8, bbox=box)
    axes.set(xlim=(0, 1), ylim=(0.4, len(rows) + 0.6))
    axes.axis("off")
    drawn.savefig(path, format="svg", metadata={"Date": None})


def main(target: str) -> None:
    """Writes the page and its picture."""
    Path(target).write_text(page(), encoding="utf-8")
    draw(Path(target).with_suffix(".svg"))


if __name__ == "__main__":
    main(*sys.argv[1:])

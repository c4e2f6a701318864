"""The tables of docs/contract.md and docs/declaration.md, as the systems and the words say them.

`python -m scanproof.reference.systems.tables docs` writes them into the pages, between BEGIN and
END.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.word import word_of
from scanproof.reference.call import System
from scanproof.reference.systems import SYSTEMS, speaks

BEGIN, END = "<!-- generated: begin -->", "<!-- generated: end -->"


def contract() -> str:
    """Writes every system: its equation, its arguments and results, its gradients and constants."""
    return "\n".join(line for system in SYSTEMS.values() for line in section(system))


def section(system: System) -> Iterator[str]:
    """Yields the lines of one system."""
    yield from (f"### `{system.name}`: {system.title}", "")
    yield from (f"    {line}" for line in system.equation.split("; "))
    yield from ("", f"- dtype: {', '.join(system.dtypes)}")
    yield from (f"- axis `{axis}`: {words}" for axis, (_, words) in _derived(system).items())
    if system.gradients:
        yield f"- `gradient_NAME`, shaped like NAME: {_listed(system.gradients)}"
    if system.exposed:
        yield f"- `constant_NAME`, which may be exposed: {_listed(system.exposed)}"
    yield from ("", "| name | role | axes | numbers | meaning |", "| --- | --- | --- | --- | --- |")
    for each in system.arguments:
        role = f"{each.role}, optional" if each.optional else each.role
        yield _row(f"`{each.name}`", role, _axes(each.axes), " or ".join(each.kinds), each.meaning)
    if system.timed:
        yield _row("`reverse`", "optional", "", "bool", "from the last step to the first")
    for result in system.results:
        yield _row(f"`{result.name}`", "result", _axes(result.axes), result.kind, result.meaning)
    yield ""


def declaration() -> str:
    """Writes the table of the words of the declaration."""
    rows = [_row("word", "default", "values", "systems", "what it says"), _row(*["---"] * 5)]
    for f in fields(Arithmetic):
        word = word_of(f)
        known = [_value(value) for value in word.known if value is not None]
        having = [system.name for system in SYSTEMS.values() if speaks(system, f.name)]
        systems = "all" if len(having) == len(SYSTEMS) else ", ".join(having)
        values = ", ".join(known) or "a positive factor"
        rows.append(_row(f"`{f.name}`", _default(f.default), values, systems, word.help))
    return "\n".join(rows) + "\n"


def _derived(system: System) -> dict[str, tuple[int, str]]:
    """Axes whose sizes follow from others, with the words that say how."""
    specs = [
        each.axes.replace("|", " ").replace("[", " ").replace("]", " ") for each in system.arguments
    ]
    return system.derive({axis: 2 for spec in specs for axis in spec.split()})


def _default(value: Any) -> str:
    if value is MISSING:
        return "to be said"
    return "undeclared" if value is None else _value(value)


def _value(value: object) -> str:
    """A value as the command line has it."""
    shown = {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
    return f"`{shown}`"


def _axes(spec: str) -> str:
    """(batch, time) for "batch time"; every choice of axes."""
    return " or ".join(f"({', '.join(choice.split())})" for choice in spec.split("|"))


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |".replace("|  |", "| |")


PAGES: dict[str, Callable[[], str]] = {"contract.md": contract, "declaration.md": declaration}


def inserted(page: str, tables: str) -> str:
    """Puts the tables into the page, between its two marks.

    Raises:
        ValueError: the page does not have these marks.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"page: found no place for tables, expected {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{tables}\n{END}{after}"


def main(folder: Path) -> None:
    """Writes the tables into the pages of a folder."""
    for name, tables in PAGES.items():
        page = folder / name
        page.write_text(inserted(page.read_text(encoding="utf-8"), tables()), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

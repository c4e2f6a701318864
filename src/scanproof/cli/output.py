"""What every command prints with: a console, tables, elements, numbers, JSON, progress."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

if TYPE_CHECKING:
    from scanproof.properties.findings import Element

COLOURS = dict.fromkeys(("within", "nearest", "proved"), "green")
COLOURS |= {"outside": "bold red", "refused": "bold red", "undecided": "yellow"}
COLOURS |= dict.fromkeys(("contract broken", "crashed", "hung"), "bold red")


def console(stderr: bool = False) -> Console:
    """Rich's console: no colour on NO_COLOR or off a terminal; piped, as wide as its content."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(
        stderr=stderr, highlight=False, soft_wrap=True, width=None if stream.isatty() else 160
    )


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """A plain table; verdict words are coloured, everything else is printed as it is."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        made.add_column(name, overflow="fold")
    for row in rows:
        made.add_row(*(word(str(cell)) for cell in row))
    return made


def word(text: str) -> str:
    """Escaped for rich, coloured if it is a verdict."""
    return f"[{COLOURS[text]}]{text}[/]" if text in COLOURS else escape(text)


def number(value: float) -> str:
    """Three significant digits, 0 and inf as such."""
    return f"{value:.3g}" if math.isfinite(value) else str(value)


def element(worst: Element) -> str:
    """An element of a result in one line."""
    norms = " (2-norms of the whole matrix)" if worst.matrix else ""
    return (
        f"  at {worst.output}[{worst.place}]: got {worst.got!r}, truth {worst.truth!r}, "
        f"error {worst.error:.3g}, allowance {worst.allowance:.3g}{norms}"
    )


def print_json(value: Any) -> None:
    """One JSON object on standard output; infinities as strings, since JSON has none."""
    print(json.dumps(_finite(value), indent=1, allow_nan=False))


@contextmanager
def progress(total: int, quiet: bool) -> Iterator[tuple[Progress, Any]]:
    """A progress bar on standard error; nothing where that is no terminal."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(
        *columns,
        console=console(stderr=True),
        transient=True,
        disable=quiet or not sys.stderr.isatty(),
    ) as bar:
        yield bar, bar.add_task("", total=total)


@contextmanager
def waiting(what: str, quiet: bool) -> Iterator[None]:
    """A spinner on standard error for work without steps; nothing where that is no terminal."""
    if quiet or not sys.stderr.isatty():
        yield
        return
    with console(stderr=True).status(what):
        yield


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value

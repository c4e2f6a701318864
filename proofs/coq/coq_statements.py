"""What the theorems of Coq say, pinned: proofs/coq/Scan.statements.toml holds what
proofs/coq/Scan.v states, as Coq prints it.

coqc accepts a theorem whose statement was weakened, by a hypothesis that is never met or in a
definition, as it accepts any true one. So Coq prints, from outside of the file, where hypotheses of
its sections are part of a statement and names are whole,

    Check @T    of each theorem        Print D    of each definition, record and recursive function

and what it prints is compared with what is recorded, word by word. `python -m
scanproof.proofs.coq.coq_record` records anew: then the differences of these files are what a
reviewer has to read.
"""

from __future__ import annotations

import re
import textwrap
import tomllib
from collections.abc import Mapping
from pathlib import Path

DEFINED = re.compile(
    r"^\s*(?:Local\s+|Global\s+)?(?:Co)?(Definition|Fixpoint|Inductive|Variant|Record|Structure|Class|Instance|Canonical|Theorem)"
    r"\s+([\w']+)",
    re.MULTILINE,
)  # fmt: skip
SETTINGS = ("Set Printing Width 120.", "Set Printing Depth 100000.")
# what may be abbreviated
ALGEBRA = ("From mathcomp Require Import all_ssreflect all_algebra.", "Open Scope ring_scope.")
REALS = ("From Coq Require Import Reals.", "Open Scope R_scope.")
SHOWN = 70  # characters of either side of a difference


def stated(text: str) -> dict[str, str]:
    """What a source without comments states, in its order: {name: command that prints it}."""
    return {
        name: "Check @" if kind == "Theorem" else "Print " for kind, name in DEFINED.findall(text)
    }


def questions(library: str, file: str, text: str) -> list[str]:
    """Commands of Coq that print each into a file, with the same abbreviations everywhere."""
    known = ALGEBRA if "From mathcomp" in text else REALS
    asked = [
        f'Redirect "{file}.{name}.said" {command}{library}.{file}.{name}.'
        for name, command in stated(text).items()
    ]
    return [*SETTINGS, *known, *asked]


def answers(build: Path, file: str, text: str) -> dict[str, str]:
    """What Coq printed."""
    found = {name: build / f"{file}.{name}.said.out" for name in stated(text)}
    return {
        name: plain(path.read_text(encoding="utf-8"), stated(text)[name])
        for name, path in found.items()
        if path.exists()
    }


def plain(said: str, command: str) -> str:
    """The type alone of a theorem; a definition without what Coq says of its arguments."""
    said = "\n".join(line.rstrip() for line in said.split("\n\nArguments ")[0].strip().split("\n"))
    if command == "Print ":
        return said
    before, _, statement = said.partition(":")
    indent = len(before.rpartition("\n")[2]) + 1
    return textwrap.dedent(" " * indent + statement).strip()


def record(source: Path) -> Path:
    """Where the statements of a source are recorded."""
    return source.with_suffix(".statements.toml")


def recorded(source: Path) -> dict[str, str]:
    """What a source is to state; nothing without a record.

    Raises:
        ValueError: no TOML.
    """
    path = record(source)
    return dict(tomllib.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def changed(file: str, found: Mapping[str, str], pinned: Mapping[str, str]) -> dict[str, str]:
    """What is not stated as recorded, {name: the first difference in one line}."""
    names = dict.fromkeys((*found, *pinned))
    differences = {
        name: difference(found.get(name, "").split(), pinned.get(name, "").split())
        for name in names
    }
    return {
        name: f"{name} is not as in {file}.statements.toml: {text}"
        for name, text in differences.items()
        if text
    }


def difference(found: list[str], pinned: list[str]) -> str:
    """From the first word on that differs."""
    if found == pinned:
        return ""
    same = next(
        (i for i, (one, two) in enumerate(zip(found, pinned, strict=False)) if one != two),
        min(len(found), len(pinned)),
    )
    one, two = (
        textwrap.shorten(" ".join(words[same:]), SHOWN, placeholder=" ...") or "nothing"
        for words in (found, pinned)
    )
    return f"found '{one}', expected '{two}'"

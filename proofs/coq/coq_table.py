"""What the Coq layer states: the theorems of proofs/coq/Scan.v are described in
proofs/coq/Scan.toml, and so on.

    assumptions     what they may rest on, a key of ALLOWED
    N               the sizes that they cover, unless a theorem has its own
    python          the functions that rely on them, as module:function below scanproof
    [theorem.NAME]  statement: in words; lemmas: the SymPy lemmas that say the same, or a part of it

Every `Theorem` of a source has its entry and every entry its `Theorem`; a `Lemma` is a step of a
proof, and has none.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REALS = (  # Coq's classical real numbers, as `Print Assumptions` names what they rest on
    "ClassicalDedekindReals.sig_forall_dec",
    "ClassicalDedekindReals.sig_not_dec",
    "FunctionalExtensionality.functional_extensionality_dep",
)
ALLOWED = {"nothing": (), "reals": REALS, "classical reals": (*REALS, "Classical_Prop.classic")}

COMMENT = re.compile(r"\(\*(?:(?!\(\*|\*\)).)*\*\)", re.DOTALL)  # one that holds no other
STATED = re.compile(
    r"^\s*(?:Local\s+|Global\s+)?(Theorem|Lemma|Corollary|Fact|Proposition|Remark)\s+([\w']+)",
    re.MULTILINE,
)
UNPROVED = re.compile(
    r"\b(Admitted|admit|give_up|Axioms?|Conjectures?|Parameters?|bypass_check|Unset\s+(?:Guard|Positivity|Universe)\s+Checking)\b"
)


@dataclass(frozen=True)
class Theorem:
    """A theorem and its entry; `objection` is what is wrong with them before any proof is checked,
    or empty.

    A source that states lemmas only is one Theorem with the name of the file.
    """

    name: str
    file: str
    statement: str
    N: str
    lemmas: tuple[str, ...]
    python: tuple[str, ...]
    allowed: tuple[str, ...]
    objection: str


def theorems(source: Path) -> list[Theorem]:
    """The theorems of one source in the order of its table, then those that this misses."""
    text = uncommented(source.read_text(encoding="utf-8"))
    stated = [name for kind, name in STATED.findall(text) if kind == "Theorem"]
    if not stated and not source.with_suffix(".toml").exists():
        return [Theorem(source.name, source.name, "", "", (), (), (), unproved(text))]
    try:
        table = read(source.with_suffix(".toml"))
    except (ValueError, OSError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        table, objection = {"theorem": {}, "allowed": ()}, f"{source.stem}.toml: {why}"
    else:
        objection = unproved(text)
    names = [*table["theorem"], *(name for name in stated if name not in table["theorem"])]
    return [entry(name, source.name, table, stated, objection) for name in names]


def read(path: Path) -> dict[str, Any]:
    """The table of one source.

    Raises:
        OSError: no such table.
        ValueError: no TOML, a key that is missing or unknown, or assumptions that are not in
            ALLOWED.
    """
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    if table.keys() != {"assumptions", "N", "python", "theorem"}:
        raise ValueError(
            f"found the keys {sorted(table)}, expected assumptions, N, python and theorem"
        )
    for name, found in table["theorem"].items():
        if "statement" not in found or found.keys() - {"statement", "N", "lemmas"}:
            raise ValueError(
                f"{name}: found the keys {sorted(found)}, expected statement, and N or lemmas"
            )
    if table["assumptions"] not in ALLOWED:
        raise ValueError(
            f"assumptions: found {table['assumptions']!r}, expected one of {', '.join(ALLOWED)}"
        )
    return table | {"allowed": ALLOWED[table["assumptions"]]}


def entry(
    name: str, file: str, table: dict[str, Any], stated: list[str], objection: str
) -> Theorem:
    """One theorem, with the objection to its source or else to its own entry."""
    words = table["theorem"].get(name, {})
    if not objection and not words:
        objection = f"{file} states it, and its table has no entry for it"
    if not objection and stated.count(name) != 1:
        objection = (f"the table has an entry for it, and {file} states {stated.count(name)} "
                     "theorems of this name")
    return Theorem(
        name=name,
        file=file,
        statement=words.get("statement", ""),
        N=words.get("N", table.get("N", "")),
        lemmas=tuple(words.get("lemmas", ())),
        python=tuple(table.get("python", ())),
        allowed=table["allowed"],
        objection=objection,
    )


def unproved(text: str) -> str:
    """The first word that would let something pass without proof, and where; or nothing."""
    found = UNPROVED.search(text)
    if found is None:
        return ""
    line = text.count("\n", 0, found.start()) + 1
    return f"{' '.join(found[0].split())} {place(text, line)}"


def place(text: str, line: int) -> str:
    """Where a line is: in or after which statement."""
    before = STATED.findall("\n".join(text.split("\n")[:line]))
    return f"at line {line}, {f'in or after {before[-1][1]}' if before else 'before any statement'}"


def uncommented(text: str) -> str:
    """Without comments, nested ones too, and with the same lines."""
    while (shorter := COMMENT.sub(lambda comment: "\n" * comment[0].count("\n"), text)) != text:
        text = shorter
    return text

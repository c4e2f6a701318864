"""Records anew what the sources of Coq state: `python -m scanproof.proofs.coq.coq_record`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from scanproof.proofs.coq.coq_build import Asked, compiled, prepare
from scanproof.proofs.coq.coq_layer import BUILD, SOURCES
from scanproof.proofs.coq.coq_statements import record

HEAD = """\
# What {file}.v states, as Coq prints it. \
`python -m scanproof.proofs.coq.coq_record` writes it: read what changes.
"""


def write(sources: Path = SOURCES, build: Path = BUILD) -> list[str]:
    """Record what every source states.

    Returns a line for each that does not compile, whose record is left as it is.
    """
    prepare(sources, build)
    outcomes = compiled(build, {source.stem: Asked() for source in sorted(sources.glob("*.v"))})
    for name, outcome in outcomes.items():
        if outcome.statements:
            record(sources / f"{name}.v").write_text(
                written(name, outcome.statements), encoding="utf-8"
            )
    return [f"{name}: {outcome.reason}" for name, outcome in outcomes.items() if outcome.reason]


def written(file: str, statements: Mapping[str, str]) -> str:
    """As TOML; a string in quotes of three ends at the next three."""
    entries = [
        f"{key(name)} = '''\n{statement}\n'''\n"
        for name, statement in statements.items()
        if "'''" not in statement
    ]
    if len(entries) < len(statements):
        raise ValueError(f"{file}: found three primes in a row in a statement, expected none")
    return "\n".join([HEAD.format(file=file), *entries])


def key(name: str) -> str:
    """Names with primes need quotes."""
    return name if "'" not in name else f'"{name}"'


if __name__ == "__main__":
    sys.exit("\n".join(write()) or None)

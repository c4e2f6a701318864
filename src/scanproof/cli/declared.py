"""From the words of the command line to a declaration, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scanproof.reference import systems
from scanproof.reference.arithmetic.declaration import Arithmetic


def declared(system: str, words: Mapping[str, Any]) -> Arithmetic:
    """The declaration of a system.

    Raises:
        ValueError: an unknown system or word, words that do not go together, or one that says
            nothing of this system.
    """
    return systems.declared(systems.system_of(system), Arithmetic.from_words(words))


def options(arithmetic: Arithmetic) -> list[str]:
    """The words as the command line has them, those that are not the defaults."""
    found: list[str] = []
    for name, value in arithmetic.words().items():
        if isinstance(value, bool):
            found.append(f"--{'' if value else 'no-'}{name}")
        else:
            found += [f"--{name}", str(value)]
    return found

"""What is known of one word of a declaration, kept in the metadata of its field: everything else
about words follows from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass
from typing import Any

Changes = list[dict[str, Any]]


@dataclass(frozen=True)
class Word:
    """One word.

    help: what it says, as an option's help and in the docs' table.
    known: its values where they can be listed; None among them says that it may be left open.
    feature: what a system must have to have this word (systems.py); every system has it where None.
    weaker: of a declaration, the changes of this word that admit more; the likelier first.
    besides: the changes that admit other results, neither more nor fewer, and may explain a failure
    as well.
    rank: which words are changed first.
    """

    help: str
    known: tuple[Any, ...] = ()
    feature: str | None = None
    weaker: Callable[[Any], Changes] = lambda declared: []
    besides: Callable[[Any], Changes] = lambda declared: []
    rank: int = 0

    def changes(self, declared: Any, besides: bool) -> Changes:
        """Lists the changes of this word that admit more programs.

        With `besides` it also lists those that admit other results, neither more nor fewer.
        """
        return self.weaker(declared) + (self.besides(declared) if besides else [])


def word_of(found: Field[Any]) -> Word:
    """Reads the Word in the metadata of a field."""
    word: Word = found.metadata["word"]
    return word


def weaker(name: str, admitting: Mapping[Any, tuple[Any, ...]]) -> Callable[[Any], Changes]:
    """Makes the `weaker` of a Word, from the values that admit more than each value does."""
    return lambda declared: [{name: value} for value in admitting.get(getattr(declared, name), ())]


def one_of(name: str, found: object, known: tuple[Any, ...]) -> None:
    """Checks that a value is known.

    Raises:
        ValueError: it is not; the line lists those that are.
    """
    if found not in known:
        expected = ", ".join(str(value) for value in known if value is not None)
        raise ValueError(f"{name}: found {found!r}, expected one of {expected}")

"""The options that several commands share: what is declared, and how results are printed."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from typing import Annotated, Any, get_type_hints

import typer
from typer.core import TyperCommand

from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.word import word_of

WORDS = "words"  # the argument of a command that takes what is declared

System = Annotated[str, typer.Option(help="The system that is implemented: one of {}.")]
Seed = Annotated[int, typer.Option(min=0, help="Every drawn case follows from it.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print the verdict only.")]


class OfSystems(TyperCommand):
    """A command with the option --system, whose help has the names in the registry for {}.

    The registry is read when the command itself is called: `scanproof --help` stays fast.
    """

    def get_params(self, ctx: Any) -> list[Any]:
        from scanproof.reference.systems import SYSTEMS

        found: list[Any] = super().get_params(ctx)
        for option in found:
            if option.name == "system":
                option.help = option.help.format(", ".join(SYSTEMS))
        return found


def declares(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command with an option for every word of the declaration, in the place of `words`.

    It gets them as one mapping. Words that it takes itself, as `judge` takes the dtype, it also
    gets itself alone.
    """
    signature, hints = inspect.signature(command), get_type_hints(command, include_extras=True)
    given = signature.parameters.items()
    own = [found.replace(annotation=hints[name]) for name, found in given]
    place = list(signature.parameters).index(WORDS)
    options = [_option(f) for f in fields(Arithmetic) if f.name not in signature.parameters]

    @functools.wraps(command)
    def with_words(**given: Any) -> Any:
        words = {option.name: given.pop(option.name) for option in options}
        return command(**given, **{WORDS: words})

    parameters = own[:place] + options + own[place + 1 :]
    changed = signature.replace(parameters=parameters)
    with_words.__signature__ = changed  # type: ignore[attr-defined]
    with_words.__annotations__ = {found.name: found.annotation for found in parameters}
    return with_words


def _option(word: Field[Any]) -> inspect.Parameter:
    """A word as an option; a dash and `no-` before its name says that it is not so."""
    kind: Any = get_type_hints(Arithmetic)[word.name]
    flags = (f"--{word.name}/--no-{word.name}",) if kind is bool else ()
    default = inspect.Parameter.empty if word.default is MISSING else word.default
    annotation = Annotated[kind, typer.Option(*flags, help=word_of(word).help)]
    keyword = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(word.name, keyword, default=default, annotation=annotation)

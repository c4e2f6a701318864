"""Errors as a user meets them: a mistake is one line, only a fault of ours shows a traceback."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperGroup

from scanproof.cli.exits import ACCEPTED, BAD_INPUT, INTERNAL, INTERRUPTED

USAGE: Any = typer.BadParameter.__base__  # click's UsageError, wherever this typer has it from
OTHERS = (typer.Exit, typer.Abort, BrokenPipeError, USAGE)  # for `main`, which tells them


class OneLine(TyperGroup):
    """Commands that return their exit code, and whose errors are text in one line."""

    def invoke(self, ctx: Any) -> Any:
        with one_line_errors():
            ctx.exit(super().invoke(ctx) or ACCEPTED)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """A user's mistake is one line and exit code 2; only a fault of ours shows a traceback."""
    try:
        yield
    except OTHERS:
        raise
    except OSError as error:
        text = f"cannot use {error.filename}: {error.strerror}" if error.filename else str(error)
        _end(text, BAD_INPUT)
    except (ValueError, TypeError, FloatingPointError) as error:
        _end(str(error), BAD_INPUT)
    except KeyboardInterrupt:
        _end("interrupted", INTERRUPTED)
    except Exception:
        traceback.print_exc()
        _end("internal error: please report it with the lines above", INTERNAL)


def _end(text: str, code: int) -> None:
    print(f"scanproof: {text}", file=sys.stderr)
    raise typer.Exit(code) from None

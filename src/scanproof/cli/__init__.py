"""The command line: `scanproof check`, `judge`, `verify`, `prove`, `golden` and others."""

from __future__ import annotations

import os
import sys
from typing import Any


def main() -> None:
    """Entry point of the `scanproof` command: a mistake in its usage is one line and exit code 2.

    Whoever reads standard output may stop early (`| head -1`): nothing is said about that.
    """
    import typer

    from scanproof.cli.app import app
    from scanproof.cli.errors import USAGE
    from scanproof.cli.exits import BAD_INPUT, CLOSED, INTERRUPTED

    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit):  # rich and typer make the one into the other
        code = CLOSED
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the last flush
    except USAGE as error:
        print(_told(error), file=sys.stderr)
        code = BAD_INPUT
    except typer.Abort:
        code = INTERRUPTED
    sys.exit(code or 0)


def _told(error: Any) -> str:
    """One line; the help itself where a command was called without arguments."""
    if type(error).__name__ == "NoArgsIsHelpError":
        return str(error.format_message())
    command = error.ctx.command_path if error.ctx else "scanproof"
    return f"scanproof: {error.format_message()} ({command} --help)"

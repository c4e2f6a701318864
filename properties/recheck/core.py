"""Has the system that a witness names recompute the truth, and prints one line.

A file beside this one is a system, unless its name begins with "_". Its function `refuted` says
why a witness is refuted, or None. Exit codes: 0 confirmed, 1 refuted, 2 no witness.
"""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from ._values import fault, short
from ._witness import Witness, load, witness

SMALL = "the error does not exceed the allowance"


def main(arguments: list[str]) -> int:
    """Prints the answer in one line and returns the exit code."""
    if len(arguments) != 1:
        return _stopped(2, f"found {len(arguments)} files, expected one witness")
    try:
        answer = recheck(witness(load(arguments[0])))
        confirmed = answer == "confirmed"
        print(answer + (", given the recorded allowance" if confirmed else ""), flush=True)
    except KeyboardInterrupt:
        return _stopped(130, "interrupted")
    except Exception as error:
        return _stopped(2, f"{_printable(arguments[0])}: {_line(error)}")
    return 0 if confirmed else 1


def recheck(w: Witness) -> str:
    """Says "confirmed", or "refuted: " and why."""
    reason = _system(w.system).refuted(w)
    return f"refuted: {reason}" if reason else "confirmed"


def systems() -> list[str]:
    """The systems that have a file beside this one."""
    here = Path(__file__)
    stems = {path.stem for path in here.parent.glob("[!_]*.py")} - {here.stem}
    return sorted(stem.replace("_", "-") for stem in stems)


def _system(name: str) -> Any:
    if name not in systems():
        raise fault("system", repr(name), f"one of {', '.join(systems())}")
    try:
        return import_module(f"{__package__}.{name.replace('-', '_')}")
    except ImportError as error:
        raise fault("system", f"no {error.name}", f"it installed, {name} needs it") from error


def _printable(name: str) -> str:
    return name if name.isprintable() else short(name)


def _line(error: Exception) -> str:
    """What went wrong, in one line."""
    if isinstance(error, OSError):
        said = error.strerror or type(error).__name__
    else:
        said = str(error) if isinstance(error, ValueError) else repr(error)
    return _printable(" ".join(said.split())[:400])


def _stopped(code: int, line: str) -> int:
    print(f"recheck: {line}", file=sys.stderr)
    return code

"""`scanproof doctor`."""

from __future__ import annotations

from scanproof.cli.options import Json


def doctor(json: Json = False) -> int:
    """Tell what this machine has and what could make results differ: rounding mode, threads,
    caches, peers.

    Example:

      scanproof doctor
    """
    from scanproof.cli import doctor as command

    return command.run(json)

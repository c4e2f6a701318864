"""The command line: `scanproof check | judge | verify | prove | doctor`."""

from __future__ import annotations


def main() -> None:
    """Entry point of the `scanproof` command."""
    from scanproof.cli.app import app

    app()

"""How tests call the command line: in this process, with a user's file of scans, and what a user sees of an error."""

from __future__ import annotations

from typing import Any

from typer.testing import CliRunner

from scanproof.cli.app import app

SCANS = """
import numpy as np

def honest(lam, b, h0=None, reverse=False):
    if reverse:
        return honest(lam if lam.ndim == 1 else lam[:, ::-1], b[:, ::-1], h0)[:, ::-1]
    h = np.zeros_like(b)
    state = np.zeros_like(b[:, 0]) if h0 is None else h0
    for t in range(b.shape[1]):
        state = (lam if lam.ndim == 1 else lam[:, t]) * state + b[:, t]
        h[:, t] = state
    return h

def scaled(lam, b):
    h = honest(lam, b)
    h[:, 16:] *= np.asarray(1 + 1e-5).astype(h.real.dtype)
    return h

def zeros(lam, b, h0=None, reverse=False):
    return np.zeros_like(b)

def raises(lam, b):
    raise RuntimeError("first line\\nsecond line")

def wrong_shape(lam, b):
    return b[:, 0]

def dies(lam, b):
    import os
    os._exit(7)

not_callable = 3
"""


def call(*words: str) -> Any:
    """The command in this process."""
    return CliRunner().invoke(app, list(words))


def one_line(result: Any) -> str:
    """The error that a user sees: one line on standard error, no traceback."""
    assert result.stdout == ""
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    return lines[0]

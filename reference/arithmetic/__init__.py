"""Declarations: formats, words, constants of operations, assumptions about functions."""

from scanproof.reference.arithmetic.declaration import Arithmetic

__all__ = ["Arithmetic"]

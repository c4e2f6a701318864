"""What is declared: formats, words, constants of single operations, and what is assumed of
functions."""

from scanproof.reference.arithmetic.declaration import Arithmetic

__all__ = ["Arithmetic"]

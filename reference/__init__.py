"""What is right: the scan itself, its exact values, and how far rounding may move them."""

from scanproof.reference.arithmetic.declaration import Arithmetic

__all__ = ["Arithmetic"]

"""Scanproof: is this difference a bug, or could it be rounding? Certified verdicts for scan kernels."""

__version__ = "0.1.0"

"""Lemmas of rotations and of exponentials of skew matrices."""

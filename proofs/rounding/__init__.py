"""Lemmas of rounding, and every operand of tiny formats."""

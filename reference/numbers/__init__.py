"""Kinds of numbers on which the one reference runs, and the functions that are no operators."""

"""Beside with_helper.py."""


def doubled(b):
    return 2 * b

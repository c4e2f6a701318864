"""Needs a module that lies beside it."""

from scan_helper import doubled


def scan(lam, b):
    return doubled(b)

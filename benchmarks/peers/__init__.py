"""Implementations that other people wrote, or would write, behind the adapter contract."""

"""Lemmas of Householder factors, and what recurrences with them can track."""

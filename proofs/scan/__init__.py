"""Lemmas of scans: the operator, its algebra, laws and adjoint."""

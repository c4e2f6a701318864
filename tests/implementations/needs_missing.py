"""Imports a module that nobody has."""

import scanproof_has_no_such_module  # noqa: F401

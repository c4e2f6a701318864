"""Settings for all tests."""

import os

import pytest
from slow import listed

# OpenMP threads that spin while they wait slow down every other process; before Numba starts its threads.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the functions that were measured to be slow (slow.py)."""
    slow = listed()
    for item in items:
        path = item.nodeid.partition("[")[0].replace(".py::", ".").replace("::", ".")
        if path.replace("/", ".").partition("@")[0] in slow:
            item.add_marker(pytest.mark.slow)

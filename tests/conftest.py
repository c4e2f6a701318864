"""Settings for all tests."""

import os

# OpenMP threads that spin while they wait slow down every other process; before Numba starts its threads.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

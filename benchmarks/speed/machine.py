"""The threads that a benchmark may use, for everyone in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import numba


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def limited(threads: int | None) -> Iterator[int]:
    """Limits Numba to so many threads (None: all cores) and, where the system can, every thread
    started here to so many cores.

    OpenMP threads wait passively, unless OMP_WAIT_POLICY says otherwise: spinning ones cost up to
    10 ms a region where other programs run. It is read when the first parallel kernel runs.

    Raises:
        ValueError: more threads than there are cores, or less than one.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    most = min(cores(), int(numba.config.NUMBA_NUM_THREADS))  # type: ignore[attr-defined]  # made when Numba is imported
    n = most if threads is None else threads
    if not 1 <= n <= most:
        raise ValueError(
            f"threads: found {n}, expected 1 to {most}, the cores that this process may use"
        )
    with _bound(n):
        before = numba.get_num_threads()
        numba.set_num_threads(n)
        try:
            yield n
        finally:
            numba.set_num_threads(before)


@contextmanager
def _bound(n: int) -> Iterator[None]:
    """Threads started here inherit the cores of this one; jax has no other limit."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:n])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)

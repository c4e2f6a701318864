"""The processes that work side by side."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


@contextmanager
def pool() -> Iterator[ProcessPoolExecutor]:
    """One process per core that this one may use, ended at once when the user interrupts."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    pool = ProcessPoolExecutor(cores, multiprocessing.get_context("spawn"), _quiet_waiting)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def _quiet_waiting() -> None:
    """OpenMP threads that spin while they wait cost the other processes 10 ms a region.

    BLAS threads on tiny matrices cost more.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    threadpool_limits(1, user_api="blas")

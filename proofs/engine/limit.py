"""A time limit for a proof that may hang, on every platform.

The proof runs in a thread of its own, and the caller waits no longer than it was told. The thread
is asked to stop, which ends loops in Python; one that sleeps, or that has called into C, is left
behind and ends with the process.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Stopped(BaseException):
    """Raised inside a proof for which nobody waits any more.

    No Exception: a proof must not catch it.
    """


def within(call: Callable[[], T], seconds: float) -> T:
    """What the call returns.

    Raises:
        TimeoutError: it takes longer than this.
        BaseException: whatever the call raises.
    """
    returned: list[T] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            returned.append(call())
        except BaseException as error:  # of another thread: handed over to the caller's
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident or 0), ctypes.py_object(Stopped)
        )
        raise TimeoutError(f"no answer within {seconds:g} s")
    if raised:
        raise raised[0]
    return returned[0]

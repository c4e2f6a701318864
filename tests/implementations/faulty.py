"""Implementations that break the contract, each in its own way."""

import os
import signal
import sys
import time

import numpy as np


def raises(lam, b):
    raise RuntimeError("first line\nsecond line")


def raises_without_words(lam, b):
    raise KeyError


def exits(lam, b):
    sys.exit(3)


def leaves(lam, b):
    os._exit(7)


def killed(lam, b):
    os.kill(os.getpid(), signal.SIGKILL)


def killed_by_an_unnamed_signal(lam, b):
    os.kill(os.getpid(), signal.SIGRTMIN + 1)


def hangs(lam, b):
    time.sleep(600)


def hangs_later(lam, b):
    if hasattr(hangs_later, "called"):
        time.sleep(600)
    hangs_later.called = True
    return b.copy()


def wrong_shape(lam, b):
    return b[:, 1:]


def wrong_dtype(lam, b):
    return b.astype("float16")


def a_list(lam, b):
    return b.tolist()


def nothing(lam, b):
    return None


def changes_b(lam, b):
    b[:] = 0
    return b


def changes_lam(lam, b):
    lam *= 2
    return b.copy()


def no_b(lam, u):
    return u


class Tensor:
    """What a framework's array may do when NumPy asks for it."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("call .detach() first")


def not_convertible(lam, b):
    return Tensor()


class Wrapped:
    def __init__(self, x):
        self.x = x

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.x)


def converted(lam, b):
    return Wrapped(b.copy())


NUMBERED = (raises, raises_without_words, exits, not_convertible, wrong_shape, wrong_dtype, a_list, nothing, changes_b, changes_lam)


def numbered(lam, b):
    """The one that the first number of b names."""
    return NUMBERED[int(b[0, 0, 0])](lam, b)

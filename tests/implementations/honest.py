"""A doubling scan, as a third party would write it: log2(T) rounds of combining each step with the one 2^k before."""

import numpy as np


def scan(lam, b, h0=None, reverse=False):
    if reverse:
        return scan(lam[:, ::-1] if lam.ndim == 3 else lam, b[:, ::-1], h0)[:, ::-1].copy()
    a, h = np.broadcast_to(lam, b.shape).astype(b.dtype), b.copy()  # (batch, time, channels)
    if h0 is not None and b.shape[1]:
        h[:, 0] += a[:, 0] * h0
    step = 1
    while step < b.shape[1]:
        h[:, step:] = a[:, step:] * h[:, :-step] + h[:, step:]
        a = np.concatenate([a[:, :step], a[:, step:] * a[:, :-step]], axis=1)
        step *= 2
    return h


def prints(lam, b, h0=None, reverse=False):
    print("progress on stdout")
    return scan(lam, b, h0, reverse)


def only_constant(lam, b, h0=None, reverse=False):
    if lam.ndim == 3:
        raise NotImplementedError("lam must not depend on time")
    return scan(lam, b, h0, reverse)


def bare(lam, b):
    return scan(lam, b)


def with_h0(lam, b, h0=None):
    return scan(lam, b, h0)


def any_keyword(**keywords):
    return scan(**keywords)


not_a_function = 3

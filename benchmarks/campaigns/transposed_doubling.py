"""LRU whose gradients are those that autodiff gives for a scan by doubling (Hillis and Steele).

    symbol   meaning                                                   shape
    p_k      lam^(2^k), each the square of the one before              (state,)
    x_k      levels: x_0 = b, lam h0 added to its first step           (batch, time, state)

    x_{k+1,t} = x_{k,t} + p_k x_{k,t-2^k}        h = the last level

Backwards, every level hands its cotangent to the one below, and every p_k its own to p_{k-1}. The
cotangent of lam is a sum over levels: no recurrence a_t = conj(lam) a_{t+1} + g_t stands behind it,
as the class `adjoint any` allows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scanproof.properties.versions.plain_lru import Lru, input_matrix, output_matrices
from scanproof.properties.versions.plain_scan import Advance, starts
from scanproof.reference.inputs import Array
from scanproof.reference.layers import backwards, in_time


class Transposed(Lru):
    """The doubling, and the transposition of just that."""

    def scan(self, advance: Advance, b: Array, start: Array | None, reverse: bool) -> Array:
        lam = advance(np.ones_like(b[:1, 0]))[0]  # (state,)
        return in_time(
            doubled(powers(lam, b.shape[1]), entered(lam, in_time(b, reverse), start))[-1], reverse
        )

    def adjoint(self, p: Any, y_bar: Array, reverse: bool) -> list[Array]:
        return [
            in_time(bars[0], backwards(d, reverse))
            for d, bars in enumerate(self._bars(p, y_bar, reverse))
        ]

    def gradients(
        self, p: Any, u: Array, y_bar: Array, h: Array, h0: Array | None, reverse: bool
    ) -> dict[str, Array]:
        lam, b, bars = (
            self.lam(p),
            u @ (self.gamma(p)[:, None] * input_matrix(p)).T,
            self._bars(p, y_bar, reverse),
        )
        each = (
            cotangent(lam, in_time(b, backwards(d, reverse)), x, bars[d])
            for d, x in enumerate(starts(h0, len(bars)))
        )
        lam_bar = np.sum(list(each), 0)  # (state,)
        nu_log_bar = -np.exp(p.nu_log) * (lam_bar.conj() * lam).real  # (state,)
        found = super().gradients(p, u, y_bar, h, h0, reverse)
        return found | {"nu_log": nu_log_bar, "theta_log": self.theta_log_bar(p, lam_bar)}

    def _bars(self, p: Any, y_bar: Array, reverse: bool) -> list[list[Array]]:
        """Cotangents of all levels of each direction, in the order of its scan."""
        drives = [
            in_time(y_bar @ C.conj(), backwards(d, reverse))
            for d, C in enumerate(output_matrices(p))
        ]
        return [transposed(powers(self.lam(p), g.shape[1]), g) for g in drives]


def powers(lam: Array, time: int) -> list[Array]:
    """All p_k that `time` steps need. (state,) each"""
    found = [lam]
    while 2 ** len(found) < time:
        found.append(found[-1] * found[-1])
    return found


def entered(lam: Array, b: Array, start: Array | None) -> Array:
    """x_0."""
    return b if start is None else np.concatenate([b[:, :1] + (lam * start)[:, None], b[:, 1:]], 1)


def doubled(powers: list[Array], x: Array) -> list[Array]:
    """All levels, from the first."""
    levels = [x]
    for k, p in enumerate(powers):
        # (batch, time, state)
        x = np.concatenate([x[:, : 2**k], x[:, 2**k :] + p * x[:, : -(2**k)]], 1)
        levels.append(x)
    return levels


def transposed(powers: list[Array], g: Array) -> list[Array]:
    """Cotangents of all levels, the first level's first, from those of the last."""
    bars = [g]
    for k, p in reversed(list(enumerate(powers))):
        # (batch, time, state)
        g = np.concatenate([g[:, : -(2**k)] + p.conj() * g[:, 2**k :], g[:, -(2**k) :]], 1)
        bars.append(g)
    return bars[::-1]


def cotangent(lam: Array, b: Array, start: Array | None, bars: list[Array]) -> Array:
    """Of lam, through p_0 ... and through lam h0: p_{k+1} = p_k^2 hands 2 conj(p_k) times its own
    on to p_k. (state,)"""
    ps = powers(lam, b.shape[1])
    levels, bar = doubled(ps, entered(lam, b, start)), np.zeros_like(lam)
    for k, p in reversed(list(enumerate(ps))):
        bar = 2 * p.conj() * bar + (levels[k][:, : -(2**k)].conj() * bars[k + 1][:, 2**k :]).sum(
            (0, 1)
        )
    return bar if start is None else bar + (start.conj() * bars[0][:, 0]).sum(0)

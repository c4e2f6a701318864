"""RotRNN in plain NumPy, one method a stage: what its versions have in common. Glossary and
equations: reference/rotrnn.py.

Works in the arithmetic of its arguments, balls included; arguments are not checked.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scanproof.properties.versions.plain_scan import Advance, Recurrence, before, starts
from scanproof.reference.numbers import namespace
from scanproof.reference.numbers.exponential import Array
from scanproof.reference.systems.rotrnn import Params


class RotRnn(Recurrence):
    """The honest layer, callable by the adapter contract; a version overrides one method."""

    def basis(self, p: Params) -> Array:
        """P = expm(M - M^T). (heads, head_dim, head_dim)"""
        P: Array = namespace.of(p.M).expm(p.M - p.M.swapaxes(1, 2))
        return P

    def into(self, P: Array, x: Array) -> Array:
        """P^T x: from the original basis into the rotated one. (..., heads, head_dim)"""
        s: Array = np.einsum("hnm,...hn->...hm", P, x)
        return s

    def back(self, P: Array, s: Array) -> Array:
        """P s: from the rotated basis back. (..., heads, head_dim)"""
        x: Array = np.einsum("hnm,...hm->...hn", P, s)
        return x

    def angles(self, p: Params) -> Array:
        """(heads, pairs)"""
        return p.theta

    def decay(self, p: Params) -> Array:
        """gamma of the recurrence. (heads,)"""
        return gamma(p)

    def xi(self, p: Params) -> Array:
        """sqrt((1 - gamma^2) / tr(B^T B)), without cancellation. (heads,)"""
        xp = namespace.of(p.gamma_log)
        xi: Array = xp.sqrt(-xp.expm1(-2 * xp.exp(p.gamma_log)) / trace(p))
        return xi

    def turn(self, cos: Array, sin: Array, s: Array) -> Array:
        """Theta s = cos s + sin J s, every angle on an adjacent pair of coordinates. (..., heads,
        head_dim)"""
        turned: Array = np.repeat(cos, 2, -1) * s + np.repeat(sin, 2, -1) * quarter(s)
        return turned

    def advance(self, p: Params, sign: int = 1) -> Advance:
        """One step of the transition: s -> gamma Theta s, or gamma Theta^T s for sign -1."""
        xp, theta = namespace.of(p.theta), self.angles(p)
        # (heads, 1), (heads, pairs)
        gamma, cos, sin = self.decay(p)[:, None], xp.cos(theta), sign * xp.sin(theta)
        return lambda s: gamma * self.turn(cos, sin, s)

    def states(self, p: Params, P: Array, u: Array, h0: Array | None, reverse: bool) -> Array:
        """s_t = gamma Theta s_{t-1} + xi P^T B u_t in every direction. (batch, time, directions,
        heads, head_dim)"""
        b = self.into(P, self.xi(p)[:, None] * inputs(p, u))  # (batch, time, heads, head_dim)
        first = enumerate(starts(None if h0 is None else self.into(P, h0), len(output_matrices(p))))
        return np.stack(
            [self.scan(self.advance(p), b, start, reverse != bool(d)) for d, start in first], 2
        )

    def readout(self, p: Params, x: Array) -> Array:
        """C x_t, summed over the directions. (batch, time, width)"""
        y: Array = np.einsum("dwhn,btdhn->btw", output_matrices(p), x)
        return y

    def skip(self, p: Params, u: Array) -> Array:
        """D u_t. (batch, time, width)"""
        return p.D * u

    def forward(
        self, p: Params, u: Array, h0: Array | None = None, reverse: bool = False
    ) -> tuple[Array, Array]:
        """y (batch, time, width) and x (batch, time, directions, heads, head_dim)."""
        P = self.basis(p)
        x = self.back(P, self.states(p, P, u, h0, reverse))
        return self.readout(p, x) + self.skip(p, u), x

    def theta_bar(self, p: Params, turned: Array) -> Array:
        """gamma sum of <a_t, J Theta s_{t-1}> over time, of each pair. turned = (a J Theta s)
        (heads, head_dim)"""
        bar: Array = self.decay(p)[:, None] * (turned[:, 0::2] + turned[:, 1::2])  # (heads, pairs)
        return bar

    def M_bar(self, G: Array) -> Array:
        """Only the skew part of M enters: G - G^T. (heads, head_dim, head_dim)"""
        return G - G.swapaxes(1, 2)

    def B_bar(self, p: Params, direct: Array, xi_bar: Array) -> Array:
        """What B does itself, and through tr(B^T B) in xi: dxi/dB = -xi B / tr. (heads, head_dim,
        width)"""
        return direct - (xi_bar * self.xi(p) / trace(p))[:, None, None] * p.B

    def start_bar(self, p: Params, a_first: Array) -> Array:
        """gamma Theta^T a_1. (batch, heads, head_dim)"""
        return self.advance(p, -1)(a_first)

    def adjoint(self, p: Params, g: Array, reverse: bool) -> Array:
        """a_t = gamma Theta^T a_{t+1} + g_t of every direction. (batch, time, directions, heads,
        head_dim)"""
        step = self.advance(p, -1)
        return np.stack(
            [self.scan(step, g[:, :, d], None, reverse == bool(d)) for d in range(g.shape[2])], 2
        )

    def gradients(
        self, p: Params, u: Array, y_bar: Array, h0: Array | None, reverse: bool
    ) -> dict[str, Array]:
        """Cotangents by name; g_t = P^T C^T y_bar_t drives the adjoint."""
        P, first = self.basis(p), starts(h0, len(output_matrices(p)))
        s, x_bar = (
            self.states(p, P, u, h0, reverse),
            np.einsum("dwhn,btw->btdhn", output_matrices(p), y_bar),
        )
        # w = xi B u
        a, w = self.adjoint(p, self.into(P, x_bar), reverse), self.xi(p)[:, None] * inputs(p, u)
        flips = [reverse != bool(d) for d in range(len(first))]
        # (batch, heads, head_dim) each
        s0 = [None if x is None else self.into(P, x) for x in first]
        previous = np.stack([before(s[:, :, d], s0[d], flip) for d, flip in enumerate(flips)], 2)
        # of s0
        ends = [self.start_bar(p, a[:, -1 if flip else 0, d]) for d, flip in enumerate(flips)]
        P_bar = np.einsum("bthn,btdhm->hnm", w, a) + np.einsum("btdhn,btdhm->hnm", x_bar, s)
        P_bar = P_bar + sum(
            np.einsum("bhn,bhm->hnm", x, end)
            for x, end in zip(first, ends, strict=True)
            if x is not None
        )
        # L(S^T, P_bar)
        grads = {"M": self.M_bar(namespace.of(p.M).frechet(p.M.swapaxes(1, 2) - p.M, P_bar))}
        C_bar = np.einsum("btw,btdhn->dwhn", y_bar, self.back(P, s)).reshape(
            len(first), len(p.D), -1
        )
        grads |= dict(zip(("C", "C2"), C_bar, strict=False)) | {"D": (y_bar * u).sum((0, 1))}
        h0_bar = [self.back(P, end) for end in ends]  # (batch, heads, head_dim) each
        grads |= {"h0": h0_bar[0] if len(first) == 1 else np.stack(h0_bar, 1)}
        return grads | self.step_gradients(p, u, y_bar, a, previous, self.back(P, a.sum(2)))

    def step_gradients(
        self, p: Params, u: Array, y_bar: Array, a: Array, previous: Array, w_bar: Array
    ) -> dict[str, Array]:
        """Cotangents of theta, gamma_log, B and u, from those of the states and of w = xi B u."""
        xp, xi = namespace.of(p.M), self.xi(p)
        # (batch, time, directions, heads, head_dim)
        moved = self.turn(xp.cos(p.theta), xp.sin(p.theta), previous)
        xi_bar, scaled = (w_bar * inputs(p, u)).sum((0, 1, 3)), xi[:, None] * w_bar
        # dxi/dgamma = -gamma / (xi tr)
        gamma_bar = (a * moved).sum((0, 1, 2, 4)) - xi_bar * gamma(p) / (xi * trace(p))
        grads = {"theta": self.theta_bar(p, (a * quarter(moved)).sum((0, 1, 2)))}
        grads["gamma_log"] = -gamma(p) * xp.exp(p.gamma_log) * gamma_bar
        grads["B"] = self.B_bar(p, np.einsum("bthn,btw->hnw", scaled, u), xi_bar)
        return grads | {"u": np.einsum("bthn,hnw->btw", scaled, p.B) + p.D * y_bar}

    def __call__(
        self,
        theta: Array,
        gamma_log: Array,
        M: Array,
        B: Array,
        C: Array,
        D: Array,
        u: Array,
        C2: Array | None = None,
        h0: Array | None = None,
        reverse: bool = False,
        y_bar: Array | None = None,
    ) -> dict[str, Any]:
        """y (batch, time, width), h (batch, time, [2,] heads, head_dim) and, from y_bar, grads by
        name."""
        p = Params(theta, gamma_log, M, B, C, D, C2)
        y, x = self.forward(p, u, h0, reverse)
        result: dict[str, Any] = {"y": y, "h": x[:, :, 0] if C2 is None else x}
        return (
            result
            if y_bar is None
            else result | {"grads": self.gradients(p, u, y_bar, h0, reverse)}
        )


def gamma(p: Params) -> Array:
    """exp(-exp(gamma_log)). (heads,)"""
    xp = namespace.of(p.gamma_log)
    result: Array = xp.exp(-xp.exp(p.gamma_log))
    return result


def trace(p: Params) -> Array:
    """tr(B^T B). (heads,)"""
    squares: Array = (p.B * p.B).sum((1, 2))
    return squares


def inputs(p: Params, u: Array) -> Array:
    """B u_t. (batch, time, heads, head_dim)"""
    Bu: Array = np.einsum("hnw,btw->bthn", p.B, u)
    return Bu


def quarter(s: Array) -> Array:
    """J s = (-s_2, s_1, -s_4, s_3, ...): every pair turned by a quarter. (..., heads, head_dim)"""
    return np.stack([-s[..., 1::2], s[..., 0::2]], -1).reshape(s.shape)


def output_matrices(p: Params) -> Array:
    """C, and C2 of a second direction, by heads. (directions, width, heads, head_dim)"""
    return np.stack([C.reshape(len(p.D), *p.B.shape[:2]) for C in (p.C, p.C2) if C is not None])

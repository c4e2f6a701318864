"""LRU in plain NumPy, one method a stage: what its versions have in common. Glossary and equations:
reference/lru.py.

Works in the arithmetic of its arguments, balls included; arguments are not checked.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scanproof.properties.versions.plain_scan import Advance, Recurrence, before, starts
from scanproof.reference.numbers import namespace
from scanproof.reference.numbers.exponential import Array
from scanproof.reference.systems.lru import Params


class Lru(Recurrence):
    """The honest layer, callable by the adapter contract; a version overrides one method."""

    def lam(self, p: Params) -> Array:
        """exp(-nu + i theta). (state,)"""
        xp = namespace.of(p.nu_log)
        theta = xp.exp(p.theta_log)  # (state,)
        lam: Array = xp.exp(-xp.exp(p.nu_log)) * xp.complex(xp.cos(theta), xp.sin(theta))
        return lam

    def gamma(self, p: Params) -> Array:
        """The gain of the inputs. (state,)"""
        gamma: Array = namespace.of(p.gamma_log).exp(p.gamma_log)
        return gamma

    def advance(self, lam: Array) -> Advance:
        """One step of the transition: h -> lam h."""
        return lambda h: lam * h  # (batch, state)

    def states(self, p: Params, u: Array, h0: Array | None, reverse: bool) -> Array:
        """h_t = lam h_{t-1} + gamma B u_t in every direction. (batch, time, directions, state)"""
        # (batch, time, state)
        b, advance = u @ (self.gamma(p)[:, None] * input_matrix(p)).T, self.advance(self.lam(p))
        first = enumerate(starts(h0, len(output_matrices(p))))
        return np.stack([self.scan(advance, b, start, reverse != bool(d)) for d, start in first], 2)

    def readout(self, p: Params, h: Array) -> Array:
        """Re(C h_t), summed over the directions. (batch, time, width)"""
        y: Array = namespace.of(h).real(np.einsum("dws,btds->btw", output_matrices(p), h))
        return y

    def skip(self, p: Params, u: Array) -> Array:
        """D u_t. (batch, time, width)"""
        return p.D * u

    def forward(
        self, p: Params, u: Array, h0: Array | None = None, reverse: bool = False
    ) -> tuple[Array, Array]:
        """y (batch, time, width) and h (batch, time, directions, state)."""
        h = self.states(p, u, h0, reverse)
        return self.readout(p, h) + self.skip(p, u), h

    def theta_log_bar(self, p: Params, lam_bar: Array) -> Array:
        """theta Re(conj(lam_bar) i lam) = -theta Im(conj(lam_bar) lam). (state,)"""
        xp = namespace.of(p.theta_log)
        bar: Array = -xp.exp(p.theta_log) * xp.imag(xp.conj(lam_bar) * self.lam(p))
        return bar

    def h0_bar(self, p: Params, a_first: Array) -> Array:
        """conj(lam) a_1. (batch, state)"""
        bar: Array = namespace.of(p.nu_log).conj(self.lam(p)) * a_first
        return bar

    def adjoint(self, p: Params, y_bar: Array, reverse: bool) -> list[Array]:
        """a_t = conj(lam) a_{t+1} + C^H y_bar_t of each direction. (batch, time, state) each"""
        conj = namespace.of(p.nu_log).conj
        step, drives = (
            self.advance(conj(self.lam(p))),
            [y_bar @ conj(C) for C in output_matrices(p)],
        )
        return [self.scan(step, g, None, reverse == bool(d)) for d, g in enumerate(drives)]

    def gradients(
        self, p: Params, u: Array, y_bar: Array, h: Array, h0: Array | None, reverse: bool
    ) -> dict[str, Array]:
        """Cotangents by name."""
        xp, directions = namespace.of(p.nu_log), enumerate(starts(h0, h.shape[2]))
        # (batch, time, state) each
        previous = [before(h[:, :, d], start, reverse != bool(d)) for d, start in directions]
        a = self.adjoint(p, y_bar, reverse)
        # (state,)
        lam_bar = sum(
            (xp.conj(x) * x_bar).sum((0, 1)) for x, x_bar in zip(previous, a, strict=True)
        )
        scaled = self.gamma(p) * sum(a)  # of B u (batch, time, state)
        grads = {"nu_log": -xp.exp(p.nu_log) * xp.real(xp.conj(lam_bar) * self.lam(p))}
        grads |= {"theta_log": self.theta_log_bar(p, lam_bar), "D": (y_bar * u).sum((0, 1))}
        grads["gamma_log"] = xp.real(xp.conj(scaled) * (u @ input_matrix(p).T)).sum((0, 1))
        grads |= parts("B", np.einsum("bts,btw->sw", scaled, u))
        for name, bar in zip(
            ("C", "C2"), np.einsum("btw,btds->dws", y_bar, xp.conj(h)), strict=False
        ):
            grads |= parts(name, bar)
        grads["u"] = xp.real(scaled @ xp.conj(input_matrix(p))) + p.D * y_bar
        # (batch, state) each
        h0_bar = [self.h0_bar(p, x[:, -1 if reverse != bool(d) else 0]) for d, x in enumerate(a)]
        return grads | {"h0": h0_bar[0] if len(a) == 1 else np.stack(h0_bar, 1)}

    def __call__(
        self,
        nu_log: Array,
        theta_log: Array,
        gamma_log: Array,
        B_re: Array,
        B_im: Array,
        C_re: Array,
        C_im: Array,
        D: Array,
        u: Array,
        C2_re: Array | None = None,
        C2_im: Array | None = None,
        h0: Array | None = None,
        reverse: bool = False,
        y_bar: Array | None = None,
    ) -> dict[str, Any]:
        """y (batch, time, width), h (batch, time, [2,] state) and, from y_bar, grads by name."""
        p = Params(nu_log, theta_log, gamma_log, B_re, B_im, C_re, C_im, D, C2_re, C2_im)
        y, h = self.forward(p, u, h0, reverse)
        result: dict[str, Any] = {"y": y, "h": h[:, :, 0] if C2_re is None else h}
        return (
            result
            if y_bar is None
            else result | {"grads": self.gradients(p, u, y_bar, h, h0, reverse)}
        )


def input_matrix(p: Params) -> Array:
    """B. (state, width)"""
    B: Array = namespace.of(p.B_re).complex(p.B_re, p.B_im)
    return B


def output_matrices(p: Params) -> Array:
    """C, and C2 of a second direction. (directions, width, state)"""
    pairs = ((p.C_re, p.C_im), (p.C2_re, p.C2_im))
    return np.stack([namespace.of(re).complex(re, im) for re, im in pairs if re is not None])


def parts(name: str, bar: Array) -> dict[str, Array]:
    """Real and imaginary part of a matrix' cotangent, by name."""
    xp = namespace.of(bar)
    return {f"{name}_re": xp.real(bar), f"{name}_im": xp.imag(bar)}

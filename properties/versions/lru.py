"""What published ports of LRU compute, and LRU layers with one fault each. versions.py says where
each is from.

Ports give y alone: they offer neither initial states nor reverse nor gradients, unless they appear
with them here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from scanproof.properties.versions.plain_lru import Lru
from scanproof.properties.versions.plain_scan import Advance, DropsCarry, OffByOne, ScalesCarry
from scanproof.reference.numbers import namespace
from scanproof.reference.numbers.exponential import Array
from scanproof.reference.systems.lru import Params

# ---------------------------------------------------------------- how ports are called


def one_direction(layer: Lru) -> Callable[..., Array]:
    """The layer, offering y only, without a second direction."""

    def outputs(
        nu_log: Array,
        theta_log: Array,
        gamma_log: Array,
        B_re: Array,
        B_im: Array,
        C_re: Array,
        C_im: Array,
        D: Array,
        u: Array,
    ) -> Array:
        return layer.forward(Params(nu_log, theta_log, gamma_log, B_re, B_im, C_re, C_im, D), u)[0]

    return outputs


def two_directions(layer: Lru) -> Callable[..., Array]:
    """The layer, offering y only, with C2 if it is given."""

    def outputs(
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
    ) -> Array:
        return layer.forward(
            Params(nu_log, theta_log, gamma_log, B_re, B_im, C_re, C_im, D, C2_re, C2_im), u
        )[0]

    return outputs


# ---------------------------------------------------------------- published ports

class RecomputedGamma(Lru):
    """sqrt(1 - |lam|^2) in every call, as written there; gamma_log is not read."""

    def gamma(self, p: Params) -> Array:
        xp, lam = namespace.of(p.nu_log), self.lam(p)
        gamma: Array = xp.sqrt(1 - xp.real(lam * xp.conj(lam)))
        return gamma  # (state,)


def gamma_into_B(p: Params) -> Params:
    """B -> gamma / sqrt(1 - |lam|^2) B, which the recomputed gain turns back into gamma B."""
    xp = namespace.of(p.nu_log)
    gain = (xp.exp(p.gamma_log) / xp.sqrt(-xp.expm1(-2 * xp.exp(p.nu_log))))[:, None]  # (state, 1)
    return replace(p, B_re=gain * p.B_re, B_im=gain * p.B_im)


class DenseSkip(Lru):
    """D is a matrix of (outputs, inputs); ours is its diagonal."""

    def skip(self, p: Params, u: Array) -> Array:
        skip: Array = u @ np.diag(p.D).T
        return skip  # (batch, time, width)


class StateOfFirstOnly(DenseSkip):
    """Uses a passed state for the first element of the batch and zeroes it before the next."""

    def scan(self, advance: Advance, b: Array, start: Array | None, reverse: bool) -> Array:
        # (batch, state)
        first = None if start is None else np.concatenate([start[:1], 0 * start[1:]])
        return super().scan(advance, b, first, reverse)


class RealDense(Lru):
    """Real dense layers, the inputs' with Re and Im as even and odd outputs; gamma after the scan,
    by recursive doubling."""

    def states(self, p: Params, u: Array, h0: Array | None, reverse: bool) -> Array:
        xp = namespace.of(p.nu_log)
        z = u @ np.stack([p.B_re, p.B_im], 1).reshape(-1, u.shape[-1]).T  # (batch, time, 2 state)
        log_lam = xp.complex(-xp.exp(p.nu_log), xp.exp(p.theta_log))  # (state,)
        # (batch, time, state)
        h: Array = self.gamma(p) * doubling(log_lam, xp.complex(z[..., 0::2], z[..., 1::2]))
        return h[:, :, None]

    def readout(self, p: Params, h: Array) -> Array:
        xp = namespace.of(h)
        # (batch, time, 2 state)
        features = np.concatenate([xp.real(h[:, :, 0]), xp.imag(h[:, :, 0])], -1)
        y: Array = features @ np.concatenate([p.C_re, -p.C_im], 1).T
        return y  # (batch, time, width)


class RealDenseNoSkip(RealDense):
    """The layer as published has no D."""

    def skip(self, p: Params, u: Array) -> Array:
        return 0 * u


def doubling(log_lam: Array, b: Array) -> Array:
    """All states: the first half of every block goes into its second half by lam^k = exp(k log
    lam). b (batch, time, state)"""
    batch, time, state = b.shape
    length = 1 << (time - 1).bit_length()
    # (batch, length, state)
    h, half = np.concatenate([b, np.zeros((batch, length - time, state), b.dtype)], 1), 1
    while half < length:
        blocks = h.reshape(batch, -1, 2 * half, state)  # a view
        k = np.arange(1, half + 1).astype(log_lam.dtype)[:, None]  # (half, 1)
        blocks[:, :, half:] += (
            namespace.of(log_lam).exp(k * log_lam) * blocks[:, :, half - 1 : half]
        )
        half *= 2
    return h[:, :time]


class TwiceReal(Lru):
    """y = 2 Re(C h) + D u, for modes that stand for conjugate pairs."""

    def readout(self, p: Params, h: Array) -> Array:
        return 2 * super().readout(p, h)  # (batch, time, width)


def halved_C(p: Params) -> Params:
    """C -> C / 2, and C2, which the factor 2 turns back."""
    return replace(
        p, **{name: C / 2 for name, C in vars(p).items() if name.startswith("C") and C is not None}
    )


class RealAccumulation(Lru):
    """With an initial state, accumulates in real numbers: every imaginary part is dropped."""

    def scan(self, advance: Advance, b: Array, start: Array | None, reverse: bool) -> Array:
        if start is None:
            return super().scan(advance, b, start, reverse)
        real = namespace.of(b).real
        return (
            super().scan(lambda h: real(advance(h)), real(b), real(start), reverse).astype(b.dtype)
        )


# ---------------------------------------------------------------- one fault each

class NoGamma(Lru):
    def gamma(self, p: Params) -> Array:
        return 0 * p.gamma_log + 1  # (state,)


class ConjugatedLam(Lru):
    def lam(self, p: Params) -> Array:
        lam: Array = namespace.of(p.nu_log).conj(super().lam(p))
        return lam  # (state,)


class NoSkip(Lru):
    def skip(self, p: Params, u: Array) -> Array:
        return 0 * u  # (batch, time, width)


class RealBeforeC(Lru):
    """Re(C Re(h)) instead of Re(C h)."""

    def readout(self, p: Params, h: Array) -> Array:
        return super().readout(p, namespace.of(h).real(h))  # (batch, time, width)


class LruDropsCarry(DropsCarry, Lru):
    pass


class LruScalesCarry(ScalesCarry, Lru):
    pass


class LruOffByOne(OffByOne, Lru):
    pass


class ThetaGradientSign(Lru):
    def theta_log_bar(self, p: Params, lam_bar: Array) -> Array:
        return -super().theta_log_bar(p, lam_bar)  # (state,)


class StartGradientWithoutLam(Lru):
    def h0_bar(self, p: Params, a_first: Array) -> Array:
        return a_first  # (batch, state)

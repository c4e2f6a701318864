"""What four versions of the authors' code of RotRNN compute, and RotRNN layers with one fault each.

    version   into the rotated basis   back    theta    gives
    A         P^T x                    P s     direct   y
    B         P x                      P s     direct   the states of all heads: its output
                                                        matrices are never reached
    C         P x                      P s     direct   y; its second direction scans the output
                                                        of the first
    D         P x                      P^T s   exp      y of the first element of a batch

versions.py says where each is from. They offer neither initial states nor reverse nor gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import flint
import numpy as np

from scanproof.properties.versions.plain_rotrnn import (
    RotRnn,
    gamma,
    output_matrices,
    quarter,
    trace,
)
from scanproof.properties.versions.plain_scan import DropsCarry, OffByOne, ScalesCarry
from scanproof.reference.numbers import namespace
from scanproof.reference.numbers.exponential import Array
from scanproof.reference.systems.rotrnn import Params

# ---------------------------------------------------------------- how versions are called


def one_direction(layer: RotRnn) -> Callable[..., Array]:
    """The layer, offering y only, without a second direction."""

    def outputs(
        theta: Array, gamma_log: Array, M: Array, B: Array, C: Array, D: Array, u: Array
    ) -> Array:
        return layer.forward(Params(theta, gamma_log, M, B, C, D), u)[0]

    return outputs


def two_directions(layer: RotRnn) -> Callable[..., Array]:
    """The layer, offering y only, with C2 if it is given."""

    def outputs(
        theta: Array,
        gamma_log: Array,
        M: Array,
        B: Array,
        C: Array,
        D: Array,
        u: Array,
        C2: Array | None = None,
    ) -> Array:
        return layer.forward(Params(theta, gamma_log, M, B, C, D, C2), u)[0]

    return outputs


def states_for_y(
    theta: Array, gamma_log: Array, M: Array, B: Array, C: Array, D: Array, u: Array
) -> Array:
    """Version B as it stands: an early return hands out the states. (batch, heads, time,
    head_dim)"""
    # (batch, time, 1, heads, head_dim)
    x = BothP().forward(Params(theta, gamma_log, M, B, C, D), u)[1]
    return x[:, :, 0].swapaxes(1, 2)


def states_only(
    theta: Array, gamma_log: Array, M: Array, B: Array, C: Array, D: Array, u: Array
) -> dict[str, Array]:
    """Version B, by an adapter that calls its result what it is."""
    # (batch, time, heads, head_dim)
    return {"h": states_for_y(theta, gamma_log, M, B, C, D, u).swapaxes(1, 2)}


def first_of_batch(
    theta: Array,
    gamma_log: Array,
    M: Array,
    B: Array,
    C: Array,
    D: Array,
    u: Array,
    C2: Array | None = None,
) -> Array:
    """Version D as it stands: y[0], whatever the batch. (time, width)"""
    y: Array = Transposed().forward(Params(theta, gamma_log, M, B, C, D, C2), u)[0][0]
    return y


def each_of_batch(
    theta: Array,
    gamma_log: Array,
    M: Array,
    B: Array,
    C: Array,
    D: Array,
    u: Array,
    C2: Array | None = None,
) -> Array:
    """Version D, by an adapter that calls it once for every sequence. (batch, time, width)"""
    return np.stack([first_of_batch(theta, gamma_log, M, B, C, D, one[None], C2) for one in u])


# ---------------------------------------------------------------- the authors' versions

class OneMinusSquare(RotRnn):
    """1 - gamma^2 as written, which cancels where gamma is close to 1."""

    def xi(self, p: Params) -> Array:
        xi: Array = namespace.of(p.B).sqrt((1 - gamma(p) * gamma(p)) / trace(p))
        return xi  # (heads,)


class Interleaved(RotRnn):
    """Features [head 1 forwards, head 1 backwards, head 2 forwards, ...] times [C | C2], whose
    columns are not so ordered."""

    def readout(self, p: Params, x: Array) -> Array:
        # (width, directions * features)
        matrix = np.concatenate([C for C in (p.C, p.C2) if C is not None], 1)
        y: Array = x.swapaxes(2, 3).reshape(*x.shape[:2], -1) @ matrix.T
        return y  # (batch, time, width)


def relabelled(p: Params) -> Params:
    """[C | C2] with its columns in the order of interleaved features."""
    if p.C2 is None:
        return p
    # (width, features) each
    C, C2 = np.split(np.moveaxis(output_matrices(p), 0, 2).reshape(len(p.D), -1), 2, axis=1)
    return replace(p, C=C, C2=C2)


class BothP(RotRnn):
    """P x on the way in, P s on the way back: x_t = gamma P Theta P^T x_{t-1} + xi P^2 B u_t."""

    def into(self, P: Array, x: Array) -> Array:
        return self.back(P, x)  # (..., heads, head_dim)


def turned_B(p: Params) -> Params:
    """B -> P^-2 B with P^-2 = expm(2 (M^T - M)); the version's P^2 turns it back, and tr(B^T B)
    stays."""
    return replace(p, B=namespace.of(p.M).expm(2 * (p.M.swapaxes(1, 2) - p.M)) @ p.B)


class Cascade(Interleaved, BothP):
    """The second direction scans the states of the first, mapped back by P, instead of the
    inputs."""

    def states(self, p: Params, P: Array, u: Array, h0: Array | None, reverse: bool) -> Array:
        s = super().states(p, P, u, h0, reverse)  # (batch, time, directions, heads, head_dim)
        if p.C2 is not None:
            s[:, :, 1] = self.scan(self.advance(p), self.back(P, s[:, :, 0]), None, not reverse)
        return s


class Transposed(Interleaved):
    """P x on the way in, P^T s on the way back, theta = exp(theta_log): the model with P^T in the
    place of P."""

    def into(self, P: Array, x: Array) -> Array:
        return super().back(P, x)  # (..., heads, head_dim)

    def back(self, P: Array, s: Array) -> Array:
        return super().into(P, s)  # (..., heads, head_dim)

    def angles(self, p: Params) -> Array:
        theta: Array = namespace.of(p.theta).exp(p.theta)
        return theta  # (heads, pairs)


def for_transposed(p: Params) -> Params:
    """M -> -M, theta -> log theta (a turn later where it is negative), [C | C2] in the order of
    interleaved features."""
    turn = (
        8 * np.arctan(np.ones(1)).astype(p.theta.dtype)[0]
        if p.theta.dtype != object
        else 2 * flint.arb.pi()
    )
    positive = np.where((p.theta < 0).astype(bool), p.theta + turn, p.theta)  # (heads, pairs)
    return replace(relabelled(p), M=-p.M, theta=namespace.of(p.theta).log(positive))


# ---------------------------------------------------------------- one fault each

class NoXi(RotRnn):
    def xi(self, p: Params) -> Array:
        return 0 * p.gamma_log + 1  # (heads,)


class NoDecay(RotRnn):
    def decay(self, p: Params) -> Array:
        return 0 * p.gamma_log + 1  # (heads,)


class NoSkip(RotRnn):
    def skip(self, p: Params, u: Array) -> Array:
        return 0 * u  # (batch, time, width)


class SignOfS(RotRnn):
    """P = expm(M^T - M)."""

    def basis(self, p: Params) -> Array:
        P: Array = namespace.of(p.M).expm(p.M.swapaxes(1, 2) - p.M)
        return P  # (heads, head_dim, head_dim)


class TiledAngles(RotRnn):
    """(theta_1, theta_2, theta_1, theta_2) on the coordinates, instead of every angle twice in a
    row."""

    def turn(self, cos: Array, sin: Array, s: Array) -> Array:
        turned: Array = np.concatenate([cos, cos], -1) * s + np.concatenate(
            [sin, sin], -1
        ) * quarter(s)
        return turned  # (..., heads, head_dim)


class Halves(RotRnn):
    """Pairs of the first and the second half, (1, 3) and (2, 4), instead of adjacent
    coordinates."""

    def turn(self, cos: Array, sin: Array, s: Array) -> Array:
        first, second = np.split(s, 2, -1)  # (..., heads, pairs) each
        # (..., heads, head_dim)
        return np.concatenate([cos * first - sin * second, sin * first + cos * second], -1)


class RotDropsCarry(DropsCarry, RotRnn):
    pass


class RotScalesCarry(ScalesCarry, RotRnn):
    pass


class RotOffByOne(OffByOne, RotRnn):
    pass


class MGradientNotSkew(RotRnn):
    def M_bar(self, G: Array) -> Array:
        return G  # (heads, head_dim, head_dim)


class BGradientWithoutXi(RotRnn):
    def B_bar(self, p: Params, direct: Array, xi_bar: Array) -> Array:
        return direct  # (heads, head_dim, width)


class ThetaGradientSign(RotRnn):
    def theta_bar(self, p: Params, turned: Array) -> Array:
        return -super().theta_bar(p, turned)  # (heads, pairs)


class StartGradientWithoutStep(RotRnn):
    def start_bar(self, p: Params, a_first: Array) -> Array:
        return a_first  # (batch, heads, head_dim)

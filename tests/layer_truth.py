"""Second formulations of the layers and of derivatives, for tests of the reference.

    lru       y_t = Re sum_j C lam^(t-j) gamma B u_j, powers by one exponential each: no recurrence
    rotrnn    x_t = gamma A x_{t-1} + xi B u_t with the dense A = P Theta P^T, 1 - gamma^2 as written
    Dual      value + dot eps on balls: derivatives of any formulation, without an adjoint
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, fields
from typing import Any

import flint
import numpy as np
from flint import acb, arb

from scanproof.reference.numbers import namespace

BITS = 400
TIGHT = arb(2) ** -150
H = arb(2) ** -100  # step of the complex quotient below: its remainder is of order H^2


# ---------------------------------------------------------------- balls

def ball(x: Any) -> Any:
    """Exact balls of a float array, complex too."""
    lift = namespace.balls().lift
    return lift(x.real) + acb(0, 1) * lift(x.imag) if np.iscomplexobj(x) else lift(x)


def radius(z: Any) -> Any:
    return arb(0) if isinstance(z, int) else z.rad() if isinstance(z, arb) else z.real.rad() + z.imag.rad()


def agree(found: Any, expected: Any) -> bool:
    """Whether two arrays of balls overlap everywhere, and are so tight that overlapping says something."""
    pairs = list(zip(found.flat, expected.flat, strict=True))
    tight = all(radius(x) < TIGHT and radius(y) < TIGHT for x, y in pairs)
    return found.shape == expected.shape and tight and all(acb(x).overlaps(acb(y)) for x, y in pairs)


# ---------------------------------------------------------------- second formulations

def directions(params: Any, h0: Any, reverse: bool) -> list[tuple[Any, Any, bool]]:
    """(C or C2, initial states, whether it runs backwards) of each direction."""
    xp = namespace.of(params.D)
    if hasattr(params, "C"):
        outputs = [x for x in (params.C, params.C2) if x is not None]
    else:
        pairs = (params.C_re, params.C_im), (params.C2_re, params.C2_im)
        outputs = [re + xp.i * im for re, im in pairs if re is not None]
    starts = [h0] if len(outputs) == 1 else [h0[:, 0], h0[:, 1]]
    return list(zip(outputs, starts, (reverse, not reverse), strict=False))


def lru(params: Any, u: Any, h0: Any, reverse: bool) -> Any:
    """y of LRU by its unrolled sum."""
    xp, time = namespace.of(params.D), u.shape[1]
    rate = -np.exp(params.nu_log) + xp.i * np.exp(params.theta_log)
    b = (u @ (params.B_re + xp.i * params.B_im).T) * np.exp(params.gamma_log)
    y = u * params.D
    for C, start, backwards in directions(params, h0, reverse):
        for t in range(time):
            at, past = (time - 1 - t, [time - 1 - j for j in range(t + 1)]) if backwards else (t, list(range(t + 1)))
            state = sum(np.exp(rate * (t - n)) * b[:, j] for n, j in enumerate(past)) + np.exp(rate * (t + 1)) * start
            y[:, at] = y[:, at] + xp.real(state @ C.T)
    return y


def rotrnn(params: Any, u: Any, h0: Any, reverse: bool) -> Any:
    """y of RotRNN by the dense recurrence."""
    xp, (heads, head_dim, _), time = namespace.of(params.D), params.B.shape, u.shape[1]
    P, P_inverse = (xp.expm(s * (params.M - params.M.swapaxes(1, 2))) for s in (1, -1))
    y = u * params.D
    for C, start, backwards in directions(params, h0, reverse):
        for h in range(heads):
            gamma, B = np.exp(-np.exp(params.gamma_log[h : h + 1]))[0], params.B[h]
            xi = np.sqrt(np.array([(1 - gamma * gamma) / np.trace(B.T @ B)]))[0]
            A, x = P[h] @ blocks(params.theta[h]) @ P_inverse[h], start[:, h]
            for t in reversed(range(time)) if backwards else range(time):
                x = (x @ A.T) * gamma + (u[:, t] @ B.T) * xi
                y[:, t] = y[:, t] + x @ C[:, h * head_dim : (h + 1) * head_dim].T
    return y


def blocks(theta: Any) -> Any:
    """The block-diagonal rotation matrix of one head."""
    out = np.zeros((2 * len(theta), 2 * len(theta)), object)
    for i, (c, s) in enumerate(zip(np.cos(theta), np.sin(theta), strict=True)):
        out[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] = [[c, -s], [s, c]]
    return out


# ---------------------------------------------------------------- dual numbers

@dataclass(frozen=True, eq=False)
class Dual:
    """value + dot eps with eps^2 = 0, on arb or acb."""

    value: Any
    dot: Any = 0

    def __add__(self, other: Any) -> Dual:
        o = dual(other)
        return Dual(self.value + o.value, self.dot + o.dot)

    def __mul__(self, other: Any) -> Dual:
        o = dual(other)
        return Dual(self.value * o.value, self.value * o.dot + self.dot * o.value)

    def __truediv__(self, other: Any) -> Dual:
        o = dual(other)
        return Dual(self.value / o.value, (self.dot * o.value - self.value * o.dot) / (o.value * o.value))

    def __neg__(self) -> Dual:
        return Dual(-self.value, -self.dot)

    def __sub__(self, other: Any) -> Dual:
        return self + -dual(other)

    def __rsub__(self, other: Any) -> Dual:
        return -self + other

    __radd__, __rmul__ = __add__, __mul__

    def exp(self) -> Dual:
        return Dual(self.value.exp(), self.dot * self.value.exp())

    def sqrt(self) -> Dual:
        return Dual(self.value.sqrt(), self.dot / (2 * self.value.sqrt()))

    def cos(self) -> Dual:
        return Dual(self.value.cos(), -self.dot * self.value.sin())

    def sin(self) -> Dual:
        return Dual(self.value.sin(), self.dot * self.value.cos())


def dual(x: Any) -> Dual:
    return x if isinstance(x, Dual) else Dual(x if isinstance(x, arb | acb) else arb(x))


def duals(values: Any, dots: Any = None) -> Any:
    return np.frompyfunc(Dual, 2, 1)(values, 0 * values if dots is None else dots)


def real(z: Any) -> Any:
    return z.real if isinstance(z, acb) else z


def dual_expm(S: Any) -> Any:
    """exp and its derivative as Im exp(S + i H E) / H: the remainder is at most H^2 |E|^3 exp(|S| + H |E|) / 6."""
    return np.stack([_dual_expm(s) for s in S])


def _dual_expm(S: Any) -> Any:
    values, dots = (np.frompyfunc(lambda z, part=part: getattr(dual(z), part), 1, 1)(S) for part in ("value", "dot"))
    size, way = (sum(abs(x) ** 2 for x in part.flat).sqrt().upper() for part in (values, dots))
    remainder = (H**2 * way**3 * (size + H * way).exp() / 6).upper()
    entries = flint.acb_mat((values + acb(0, 1) * H * dots).tolist()).exp().entries()
    value = np.array(flint.arb_mat(values.tolist()).exp().tolist())
    dot = np.array([z.imag / H + arb(0, remainder) for z in entries], object).reshape(S.shape)
    return duals(value, dot)


DUALS = dataclasses.replace(
    namespace.balls(),
    kind="dual",
    real=np.frompyfunc(lambda z: Dual(real(z.value), real(z.dot)), 1, 1),
    expm=dual_expm,
)


def gradients(formulation: Any, params: Any, u: Any, h0: Any, y_bar: Any, reverse: bool) -> dict[str, Any]:
    """Every cotangent of sum(y_bar y), one entry after the other, by dual numbers; complex ones are dRe + i dIm."""
    arguments = {f.name: getattr(params, f.name) for f in fields(params) if getattr(params, f.name) is not None}
    arguments |= {"u": u, "h0": h0}

    def along(name: str, where: Any, unit: Any) -> Any:
        seeds = {key: 0 * value for key, value in arguments.items()}
        seeds[name][where] = unit
        moved = {key: duals(value, seeds[key]) for key, value in arguments.items()}
        inputs = moved.pop("u"), moved.pop("h0")
        return sum(DUALS.real(y_bar * formulation(type(params)(**moved), *inputs, reverse)).flat, Dual(arb(0), arb(0))).dot

    found = {}
    for name, value in arguments.items():
        found[name] = np.empty(value.shape, object)
        for where in np.ndindex(value.shape):
            found[name][where] = along(name, where, arb(1))
            if isinstance(value[where], acb):
                found[name][where] += acb(0, 1) * along(name, where, acb(0, 1))
    return found

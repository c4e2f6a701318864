"""Linear Recurrent Unit (Orvieto et al. 2023, arXiv 2303.06349): a complex diagonal recurrence with
normalised inputs.

    symbol      meaning                             paper                 shape
    nu_log      logarithm of nu, the rate of decay  nu^log                (state,)
    theta_log   logarithm of theta, the angle       theta^log             (state,)
    gamma_log   logarithm of gamma, the input gain  gamma^log             (state,)
    B_re, B_im  input matrix                        B                     (state, width)
    C_re, C_im  output matrix; C2: 2nd direction    C                     (width, state)
    D           skip                                D                     (width,)
    lam         exp(-nu + i theta), |lam| < 1       diagonal of Lambda    (state,)
    b           drive, complex                      exp(gamma^log) (B u)  (batch, time, state)
    h           states, complex                     x                     (batch, time, [2,] state)
    u, y        inputs, outputs                     u, y                  (batch, time, width)

    h_t = lam h_{t-1} + gamma (B u_t)          y_t = Re(C h_t) + D u_t          (no factor 2)

`reverse` runs h_t = lam h_{t+1} + gamma (B u_t). With C2 the layer has two directions, forwards and
backwards (`reverse` exchanges them), both over the inputs and with the same lam and B: y = Re(C
h[first] + C2 h[second]) + D u.

Cotangents of complex numbers are dRe + i dIm, written with _bar: sum of Re(conj(z_bar) dz) is the
change of the loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from scanproof.reference import initialise
from scanproof.reference.allowance.operation_errors import unmodelled_in_layers
from scanproof.reference.call import Argument, Result, System
from scanproof.reference.layers import backwards, finite_exp, gathered, in_time, last, named, rows
from scanproof.reference.numbers import namespace
from scanproof.reference.numbers.exponential import Array


@dataclass(frozen=True, eq=False)
class Params:
    """Real arrays of one kind of number (glossary above); C2 only in a layer of two directions."""

    nu_log: Array  # (state,)
    theta_log: Array  # (state,)
    gamma_log: Array  # (state,)
    B_re: Array  # (state, width)
    B_im: Array  # (state, width)
    C_re: Array  # (width, state)
    C_im: Array  # (width, state)
    D: Array  # (width,)
    C2_re: Array | None = None  # (width, state)
    C2_im: Array | None = None  # (width, state)


@dataclass(frozen=True, eq=False)
class Gradients(Params):
    """Cotangents of the parameters, of the inputs u (batch, time, width) and of the initial states.

    Those of the states h0 (batch, directions, state) are complex, dRe + i dIm.
    """

    u: Array = field(kw_only=True)
    h0: Array = field(kw_only=True)


class Constants(NamedTuple):
    """What the recurrence is made of; also the type of their cotangents."""

    lam: Array  # (state,)
    gamma: Array  # (state,)
    B: Array  # (state, width)
    C: Array  # (directions, width, state)
    D: Array  # (width,)


def init(
    rng: np.random.Generator,
    state: int = 16,
    width: int = 8,
    ring: str | initialise.Ring = "paper",
    C_std: str = "appendix",
    bidirectional: bool = False,
    dtype: Any = np.float64,
) -> Params:
    """Draws parameters as published: eigenvalues uniform on a ring, gamma normalised.

    The distributions are those of Orvieto et al. 2023, arXiv 2303.06349, and of its ports
    (reference/initialise.py); matrices have normal entries.

    Args:
        rng: a generator; equal ones give equal parameters.
        state, width: sizes of the layer.
        ring: a name in initialise.RINGS, or a Ring(r_min, r_max, max_phase).
        C_std: a name in initialise.C_STD.
        bidirectional: whether there is a second output matrix C2 (width, state).
        dtype: drawn in float64, then rounded to it.

    Raises:
        TypeError, ValueError: an unknown name (the known ones are listed), a size below 1, or a
            logarithm of 0 drawn.
    """
    initialise.check_arguments(rng, dtype, bidirectional, state=state, width=width)
    r_min, r_max, max_phase = initialise.named("ring", ring, initialise.RINGS)
    initialise.check_range("r_min, r_max", r_min, r_max, max_phase)
    C_scale, B_scale = (
        initialise.named("C_std", C_std, initialise.C_STD)(state),
        (2 * width) ** -0.5,
    )
    nu_log = initialise.log(initialise.decay_rate(rng, state, r_min, r_max))  # (state,)
    theta_log = initialise.log(max_phase * rng.random(state))  # (state,)
    B = [initialise.normal(rng, B_scale, state, width) for _ in range(2)]
    C = [initialise.normal(rng, C_scale, width, state) for _ in range(4 if bidirectional else 2)]
    D = initialise.normal(rng, 1.0, width)  # (width,)
    arrays = [nu_log, theta_log, normalising_gamma_log(nu_log), *B, *C[:2], D, *C[2:]]
    params = Params(*(x.astype(dtype) for x in arrays))
    initialise.check_finite(params)
    return params


def normalising_gamma_log(nu_log: Array) -> Array:
    """Computes the initial gamma_log, log sqrt(1 - |lam|^2), from nu_log (state,): (state,).

    The equation is that of Orvieto et al. 2023, arXiv 2303.06349; some ports compute it anew in
    every call. It is -inf at |lam| = 1.
    """
    xp = namespace.of(nu_log)
    with np.errstate(divide="ignore"):  # -inf at |lam| = 1, which `check` refuses
        gamma_log: Array = xp.log(-xp.expm1(-2 * xp.exp(nu_log))) / 2  # (state,)
    return gamma_log


def constants(params: Params) -> Constants:
    """Computes lam = exp(-exp(nu_log) + i exp(theta_log)) and gamma = exp(gamma_log).

    The equations are those of Orvieto et al. 2023, arXiv 2303.06349; lam and gamma are (state,).
    B, C (and C2) become complex matrices; Constants names their shapes.

    Raises:
        ValueError: a logarithm whose exp overflows or rounds to zero.
    """
    xp = namespace.of(params.nu_log)
    # (state,)
    nu, theta = finite_exp("nu_log", params.nu_log), finite_exp("theta_log", params.theta_log)
    lam = xp.exp(-nu) * xp.complex(xp.cos(theta), xp.sin(theta))  # (state,)
    C = [xp.complex(params.C_re, params.C_im)]  # (width, state)
    if params.C2_re is not None:
        C.append(xp.complex(params.C2_re, params.C2_im))  # (width, state)
    B = xp.complex(params.B_re, params.B_im)  # (state, width)
    return Constants(lam, finite_exp("gamma_log", params.gamma_log), B, np.stack(C), params.D)


def drive(k: Constants, u: Array) -> Array:
    """Computes b_t = gamma (B u_t), as Orvieto et al. 2023 define it.

    u is (batch, time, width), and b complex (batch, time, state).
    """
    b: Array = k.gamma * (u @ k.B.T)  # (batch, time, state)
    return b


def readout(k: Constants, h: Array, u: Array) -> Array:
    """Computes y_t = Re(C h_t) + D u_t, summed over directions: (batch, time, width).

    The equation is that of Orvieto et al. 2023, arXiv 2303.06349, without a factor 2.

    Args:
        k: the constants.
        h: (batch, time, directions, state)
        u: (batch, time, width)
    """
    # (batch, time, width)
    y: Array = namespace.of(k.C).real(np.einsum("dws,btds->btw", k.C, h)) + k.D * u
    return y


def run(k: Constants, u: Array, h0: Array, reverse: bool = False) -> tuple[Array, Array]:
    """Computes the layer from its constants, in any arithmetic: also in Fractions.

    Args:
        k: lam, gamma, B, C, D.
        u: (batch, time, width).
        h0: (batch, directions, state).
        reverse: run from the last step to the first.

    Returns:
        y (batch, time, width) and h (batch, time, directions, state).

    Raises:
        TypeError: reverse is neither True nor False.
    """
    b = drive(k, u)  # (batch, time, state)
    scans = [
        namespace.of(b).scan(k.lam, b, h0[:, d], backwards(d, reverse)) for d in range(len(k.C))
    ]
    h = np.stack(scans, 2)  # (batch, time, directions, state)
    return readout(k, h, u), h


def adjoint(
    k: Constants, u: Array, h0: Array, y_bar: Array, reverse: bool = False
) -> tuple[Constants, Array, Array]:
    """Computes the cotangents of the constants, of u and of h0.

    The states' cotangents are a scan in the other direction, a_t = conj(lam) a_{t+1} + C^H y_bar_t
    (proved in proofs/scan/adjoint.py and proofs/systems/layer_gradients.py).

    Args:
        k, u, h0, reverse: as in `run`.
        y_bar: the cotangent of y, (batch, time, width).

    Returns:
        The cotangents of the constants, as Constants, of u (batch, time, width) and of h0
        (batch, directions, state).
    """
    xp, (_, h) = namespace.of(k.lam), run(k, u, h0, reverse)
    g = np.einsum("dws,btw->btds", xp.conj(k.C), y_bar)  # (batch, time, directions, state)
    a, before, h0_bar = zip(
        *(_direction(k.lam, g, h, h0, d, reverse) for d in range(len(k.C))), strict=True
    )
    b_bar = sum(a[1:], a[0])  # (batch, time, state)
    # (state,)
    lam_bar = sum((xp.conj(x) * x_bar).sum((0, 1)) for x, x_bar in zip(before, a, strict=True))
    gamma_bar = xp.real(xp.conj(b_bar) * (u @ k.B.T)).sum((0, 1))  # (state,)
    B_bar = rows(k.gamma * b_bar).T @ rows(u)  # (state, width)
    C_bar = np.einsum("btw,btds->dws", y_bar, xp.conj(h))  # (directions, width, state)
    u_bar = xp.real((k.gamma * b_bar) @ xp.conj(k.B)) + k.D * y_bar  # (batch, time, width)
    return (
        Constants(lam_bar, gamma_bar, B_bar, C_bar, (y_bar * u).sum((0, 1))),
        u_bar,
        np.stack(h0_bar, 1),
    )


def _direction(
    lam: Array, g: Array, h: Array, h0: Array, d: int, reverse: bool
) -> tuple[Array, Array, Array]:
    """One direction: a (batch, time, state), the states before each step (batch, time, state) and
    h0_bar (batch, state)."""
    flip = backwards(d, reverse)
    start, states, g = h0[:, None, d], in_time(h[:, :, d], flip), in_time(g[:, :, d], flip)
    # (batch, time, state)
    xp, before = namespace.of(lam), np.concatenate([start, states], 1)[:, :-1]
    # (batch, 1 + time, state)
    a = xp.scan(xp.conj(lam), np.concatenate([0 * start, g], 1), reverse=True)
    return in_time(a[:, 1:], flip), in_time(before, flip), a[:, 0]


def pull_back(
    params: Params, u: Array, h0: Array, y_bar: Array, reverse: bool = False
) -> Gradients:
    """Computes the exact cotangents of every parameter, of u and of h0, each of its shape (...).

    lam = exp(-nu + i theta) gives nu_log_bar = -nu Re(conj(lam_bar) lam) and
    theta_log_bar = -theta Im(conj(lam_bar) lam): proved in proofs/systems/layer_gradients.py.

    Args:
        params: the parameters.
        u, h0, y_bar, reverse: as in `adjoint`.
    """
    xp, k = namespace.of(params.nu_log), constants(params)
    bar, u_bar, h0_bar = adjoint(k, u, h0, y_bar, reverse)
    turned = xp.conj(bar.lam) * k.lam  # (state,)
    logs = (
        -xp.exp(params.nu_log) * xp.real(turned),
        -xp.exp(params.theta_log) * xp.imag(turned),
        k.gamma * bar.gamma,
    )
    matrices = xp.real(bar.B), xp.imag(bar.B), xp.real(bar.C[0]), xp.imag(bar.C[0])
    second = (xp.real(bar.C[1]), xp.imag(bar.C[1])) if len(bar.C) == 2 else ()
    return Gradients(*logs, *matrices, bar.D, *second, u=u_bar, h0=h0_bar)


# ---------------------------------------------------------------- the system


def _run(k: Constants, x: Mapping[str, Any], reverse: bool) -> dict[str, Any]:
    y, h = run(k, x["u"], x["h0"], reverse)
    return {"y": y, "h": h, "h_last": last(h, reverse)}


def _pull_back(x: Mapping[str, Any], bars: Mapping[str, Any], reverse: bool) -> dict[str, Any]:
    return named(pull_back(gathered(Params, x), x["u"], x["h0"], bars["y"], reverse))


def _check(x: Mapping[str, Any]) -> None:
    with np.errstate(all="ignore"):
        constants(gathered(Params, x))


SYSTEM = System(
    name="lru",
    title="Linear Recurrent Unit, Orvieto et al. 2023",
    arguments=(
        Argument("nu_log", "state", "parameter", meaning="logarithm of the rate of decay"),
        Argument("theta_log", "state", "parameter", meaning="logarithm of the angle"),
        Argument("gamma_log", "state", "parameter", meaning="logarithm of the gain of the inputs"),
        Argument("B_re", "state width", "parameter", meaning="input matrix, real part"),
        Argument("B_im", "state width", "parameter", meaning="input matrix, imaginary part"),
        Argument("C_re", "width state", "parameter", meaning="output matrix, real part"),
        Argument("C_im", "width state", "parameter", meaning="output matrix, imaginary part"),
        Argument("D", "width", "parameter", meaning="skip"),
        Argument("C2_re", "width state", "parameter",
                 meaning="output matrix of the second direction", optional=True, second=True),
        Argument("C2_im", "width state", "parameter",
                 meaning="its imaginary part", optional=True, second=True),
        Argument("u", "[batch] time width", "input", meaning="inputs", linear=True),
        Argument("h0", "[batch] [directions] state", "state", ("complex", "real"),
                 "states before the first step", optional=True),
        Argument("y_bar", "[batch] time width", "cotangent",
                 meaning="cotangent of y", optional=True, of="y"),
    ),
    results=(
        Result("y", "[batch] time width", meaning="outputs"),
        Result("h", "[batch] time [directions] state", "complex", "all states", state="h0"),
        Result("h_last", "[batch] [directions] state", "complex",
               "the states after the last step of each direction", state="h0"),
    ),
    constants=lambda x: constants(gathered(Params, x)),
    run=_run,
    pull_back=_pull_back,
    equation="lam = exp(-exp(nu_log) + i exp(theta_log)), gamma = exp(gamma_log); "
             "h[t] = lam h[t-1] + gamma (B u[t]), y[t] = Re(C h[t]) + D u[t]",
    carry="lam",
    exposed=("lam", "gamma"),
    check=_check,
    features=frozenset({"states", "layer"}),
    unmodelled=unmodelled_in_layers,
)  # fmt: skip

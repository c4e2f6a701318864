"""LRU's parameters as a recurrence with real matrices, and its cotangents back to the parameters;
all in float64.

    nu = exp(nu_log), theta = exp(theta_log), gamma = exp(gamma_log)  (state,)
    lam = exp(-nu + i theta)                                          (state,)
    W = (gamma B)^T, real and imaginary parts side by side            (width, 2 state)
    V = conj(C), likewise                                             (directions, width, 2 state)

Re(C h) is the real product of conj(C) and h.

Source: Orvieto et al. 2023, arXiv 2303.06349.
"""

from typing import Any, NamedTuple

import numpy as np


class Constants(NamedTuple):
    """The constants of a layer, in float64 and complex128."""

    nu: np.ndarray  # (state,)
    theta: np.ndarray  # (state,)
    gamma: np.ndarray  # (state,)
    lam: np.ndarray  # (state,), complex
    B: np.ndarray  # (state, width), complex
    C: np.ndarray  # (directions, width, state), complex


def constants(params: Any) -> Constants:
    """Computes the constants of a layer from its parameters, in float64.

    The equations are those of the module docstring; Constants names the shapes.
    """
    nu, theta, gamma = (
        np.exp(x, dtype=np.float64) for x in (params.nu_log, params.theta_log, params.gamma_log)
    )
    pairs = (
        [("C_re", "C_im"), ("C2_re", "C2_im")]
        if getattr(params, "C2_re", None) is not None
        else [("C_re", "C_im")]
    )
    # (directions, width, state)
    C = np.stack([_complex(getattr(params, re), getattr(params, im)) for re, im in pairs])
    lam = np.exp(-nu) * _complex(np.cos(theta), np.sin(theta))  # (state,)
    return Constants(nu, theta, gamma, lam, _complex(params.B_re, params.B_im), C)


def fold(k: Constants) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Computes lam (state,), W (width, 2 state) and V (directions, width, 2 state), in float64."""
    W = np.ascontiguousarray((k.gamma[:, None] * k.B).T)  # (width, state)
    return k.lam, W.view(np.float64), k.C.conj().view(np.float64)


def unfold(
    k: Constants, lam_bar: np.ndarray, W_bar: np.ndarray, V_bar: np.ndarray
) -> dict[str, np.ndarray]:
    """Computes the cotangents of the parameters but D, by name, each of its shape (...).

    They follow from those of lam, W and V, shaped as `fold` returns these, by
    d lam = lam (-nu d nu_log + i theta d theta_log), proved in proofs/systems/layer_gradients.py.
    """
    drive_bar = W_bar.astype(np.float64).view(np.complex128).T  # of gamma B: (state, width)
    C_bar = V_bar.astype(np.float64).view(np.complex128).conj()  # (directions, width, state)
    turn = lam_bar.conj() * k.lam  # (state,)
    found = {
        "nu_log": -k.nu * turn.real,
        "theta_log": -k.theta * turn.imag,
        "gamma_log": k.gamma * (drive_bar.conj() * k.B).real.sum(1),
        "B_re": k.gamma[:, None] * drive_bar.real,
        "B_im": k.gamma[:, None] * drive_bar.imag,
    }
    for name, bar in zip(("C", "C2"), C_bar, strict=False):
        found |= {f"{name}_re": bar.real, f"{name}_im": bar.imag}
    return found


def _complex(real: np.ndarray, imag: np.ndarray) -> np.ndarray:
    both = np.empty(real.shape, np.complex128)
    both.real, both.imag = real, imag
    return both

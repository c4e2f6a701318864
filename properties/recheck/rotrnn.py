"""RotRNN: every head turns pairs of coordinates in a basis of its own, and decays. Needs mpmath.

    gamma = exp(-exp(gamma_log))    P = exp(M - M^T)    xi = sqrt((1 - gamma^2) / tr(B^T B))

    z_t = gamma e^(i theta) z_{t-1} + xi P^T B u_t      x_t = P z_t      y_t = C x_t + D u_t

z holds the coordinates 2 i and 2 i + 1 as one complex number; x are the states of all heads.
"""

from typing import Any

from mpmath import cos, exp, expm, expm1, matrix, mpc, sin, sqrt

from . import _values
from ._layer_file import Layer, Recurrence
from ._layers import dot, flat, paired
from ._layers import refuted as refuted_layer
from ._witness import Witness


def constants(p: dict[str, Any]) -> dict[str, Any]:
    """gamma, cos, sin, P and xi."""
    rates = [exp(x) for x in p["gamma_log"]]
    heads = list(zip(rates, p["B"], strict=True))
    return {
        "gamma": [exp(-rate) for rate in rates],
        "cos": [[cos(x) for x in row] for row in p["theta"]],
        "sin": [[sin(x) for x in row] for row in p["theta"]],
        "P": [expm(M - M.T).tolist() for M in map(matrix, p["M"])],
        "xi": [sqrt(-expm1(-2 * rate) / _trace(B)) for rate, B in heads],
    }


def _trace(B: list[Any]) -> Any:
    """tr(B^T B) of one head."""
    squares = dot(flat(B), flat(B))
    if squares == 0:
        raise _values.fault("B", "a head of zeros", "a number by which xi can divide")
    return squares


def recurrence(p: dict[str, Any], k: dict[str, Any]) -> Recurrence:
    """The recurrence of these parameters and constants."""
    turns = zip(k["gamma"], paired(k["cos"], k["sin"]), strict=True)
    lam = [gamma * turn for gamma, row in turns for turn in row]
    heads = zip(k["xi"], p["B"], strict=True)
    B = [[gain * x for x in row] for gain, head in heads for row in head]
    C = [p[name] for name in ("C", "C2") if name in p]
    P = k["P"]
    return Recurrence(lam, B, C, p["D"], lambda x: _turned(P, x), lambda z: _back(P, z))


def _turned(P: list[Any], x: list[Any]) -> list[Any]:
    """z: P^T x of every head, in pairs."""
    n = len(P[0])
    heads = [[*map(list, zip(*A, strict=True))] for A in P]
    s = [dot(column, x[n * i : n * i + n]) for i, head in enumerate(heads) for column in head]
    return [mpc(*pair) for pair in zip(s[::2], s[1::2], strict=True)]


def _back(P: list[Any], z: list[Any]) -> list[Any]:
    """x: P z of every head."""
    n = len(P[0])
    s = [part for pair in z for part in (pair.real, pair.imag)]
    return [dot(row, s[n * i : n * i + n]) for i, A in enumerate(P) for row in A]


LAYER = Layer(
    forms={
        "M": "heads head_dim head_dim",
        "theta": "heads pairs",
        "gamma_log": "heads",
        "B": "heads head_dim width",
        "C": "width features",
        "C2": "width features",
        "D": "width",
    },
    exposed={
        **dict.fromkeys(("gamma", "xi"), "heads"),
        **dict.fromkeys(("cos", "sin"), "heads pairs"),
        "P": "heads head_dim head_dim",
    },
    state="heads head_dim",
    logs=("gamma_log",),
    scaled=("B",),
    constants=constants,
    recurrence=recurrence,
)


def refuted(w: Witness) -> str | None:
    """Why it is, or None."""
    M = w.arguments.get("M")
    if M is None or len(M.shape) != 3 or M.shape[1] % 2:
        found = "none" if M is None else f"shape {M.shape}"
        raise _values.fault("M", found, "(heads, head_dim, head_dim) with an even head_dim")
    heads, head_dim, _ = M.shape
    return refuted_layer(LAYER, w, {"pairs": head_dim // 2, "features": heads * head_dim})

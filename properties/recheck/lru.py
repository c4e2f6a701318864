"""LRU: the states are complex, each with a coefficient of its own. Needs mpmath.

    lam = exp(-exp(nu_log) + i exp(theta_log))      gamma = exp(gamma_log)

    h_t = lam h_{t-1} + gamma (B u_t)      y_t = Re(C h_t) + D u_t

B, C and C2 are given as their parts _re and _im; C2 is read in the second direction.
"""

from typing import Any

from mpmath import exp, mpc

from ._layer_file import Layer, Recurrence
from ._layers import paired
from ._layers import refuted as refuted_layer
from ._witness import Witness


def constants(p: dict[str, Any]) -> dict[str, Any]:
    """lam and gamma."""
    pairs = zip(p["nu_log"], p["theta_log"], strict=True)
    lam = [exp(mpc(-exp(nu), exp(theta))) for nu, theta in pairs]
    return {"lam": lam, "gamma": [exp(x) for x in p["gamma_log"]]}


def recurrence(p: dict[str, Any], k: dict[str, Any]) -> Recurrence:
    """The recurrence of these parameters and constants."""
    rows = zip(k["gamma"], paired(p["B_re"], p["B_im"]), strict=True)
    B = [[gain * x for x in row] for gain, row in rows]
    C = [paired(p[f"{name}_re"], p[f"{name}_im"]) for name in ("C", "C2") if f"{name}_re" in p]
    return Recurrence(k["lam"], B, C, p["D"])


LAYER = Layer(
    forms={
        **dict.fromkeys(("nu_log", "theta_log", "gamma_log"), "state"),
        **dict.fromkeys(("B_re", "B_im"), "state width"),
        **dict.fromkeys(("C_re", "C_im", "C2_re", "C2_im"), "width state"),
        "D": "width",
    },
    exposed={"lam": "state complex", "gamma": "state"},
    state="state complex",
    logs=("nu_log", "theta_log", "gamma_log"),
    scaled=(),
    constants=constants,
    recurrence=recurrence,
)


def refuted(w: Witness) -> str | None:
    """Why it is, or None."""
    return refuted_layer(LAYER, w, {})

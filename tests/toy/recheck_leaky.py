"""Leaky integrators, a toy layer: real states, each with a coefficient of its own. Needs mpmath.

    lam = exp(-exp(rate_log))

    h_t = lam h_{t-1} + B u_t      y_t = C h_t
"""

from typing import Any

from mpmath import exp, mpf

from ._layer_file import Layer, Recurrence  # type: ignore[import-not-found]
from ._layers import refuted as refuted_layer  # type: ignore[import-not-found]
from ._witness import Witness  # type: ignore[import-not-found]

LAYER = Layer(
    forms={"rate_log": "state", "B": "state width", "C": "width state"},
    exposed={},
    state="state",
    logs=("rate_log",),
    scaled=(),
    constants=lambda p: {"lam": [exp(-exp(x)) for x in p["rate_log"]]},
    recurrence=lambda p, k: Recurrence(k["lam"], p["B"], [p["C"]], _nothing(p["C"])),
)


def _nothing(C: list[Any]) -> list[Any]:
    """No skip."""
    return [mpf(0) for _ in C]


def refuted(w: Witness) -> str | None:
    """Why it is, or None."""
    reason: str | None = refuted_layer(LAYER, w, {})
    return reason

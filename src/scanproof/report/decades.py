"""Logarithmic axes: powers of ten as labels, and what lies beyond the edges."""

from __future__ import annotations

import math

from matplotlib.axis import Axis


def decades(axis: Axis, low: float, high: float, edges: dict[float, str] | None = None) -> None:
    """At most seven labelled powers of ten, and what stands on the edges."""
    step = max(1, math.ceil((high - low) / 6))
    powers = [k for k in range(math.ceil(low), math.floor(high) + 1) if k % step == 0]
    ticks = {float(k): _power(k) for k in powers} | (edges or {})
    axis.set_ticks(list(ticks), labels=list(ticks.values()))


def _power(k: int) -> str:
    return {0: "1", 1: "10"}.get(k, "10" + superscript(k))


def superscript(n: int) -> str:
    return str(n).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def log10(y: float, low: float, high: float, beyond: float = 0) -> float:
    """log10, kept between the edges; zero lies `beyond` the lower one, infinity and what is no
    number the upper one."""
    if not y < math.inf:
        return high + beyond
    return min(max(math.log10(y), low), high) if y > 0 else low - beyond

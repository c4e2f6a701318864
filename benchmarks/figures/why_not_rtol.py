"""Why not a tolerance? An honest scan, the same scan with a faulty carry, fixed tolerances and the
allowance, over length.

    python -m scanproof.benchmarks.figures.why_not_rtol docs/why_not_rtol.svg
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from scanproof.properties.compare import error_enclosure
from scanproof.properties.versions.scan import chunked
from scanproof.reference.allowance.rounding import allowance
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Array, Inputs
from scanproof.reference.truth import truth

STEPS, FAULT = 2048, 1e-4
# relative tolerances that public scan tests use (fla: RMS ratio; state-spaces/mamba;
# proger/accelerated-scan)
TOLERANCES = {"6e-3": 6e-3, "6e-4": 6e-4, "1.3e-6": 1.3e-6}


def inputs(seed: int = 0) -> Inputs:
    """float32, decays varying between 0.97 and 1, standard normal drive: (1, STEPS, 8)."""
    rng = np.random.default_rng(seed)
    return Inputs(
        rng.uniform(0.97, 1, (1, STEPS, 8)).astype(np.float32),
        rng.standard_normal((1, STEPS, 8)).astype(np.float32),
    )


def series() -> dict[str, Array]:
    """Error or allowance at every step of the first channel, over the rms of the states."""
    given = inputs()
    exact = truth(given)
    rms = float(np.sqrt((exact.head**2).mean()))
    honest = error_enclosure(chunked(given.lam, given.b), exact)[1]
    faulty = error_enclosure(
        chunked(given.lam, given.b, carry=lambda state, left: state * (1 + FAULT)), exact
    )[1]
    bound = allowance(given, Arithmetic("float32")).bound
    curves = {
        "carry off by 1e-4": faulty,
        "allowance (theorem)": bound,
        "honest float32 scan": honest,
    }
    return {name: values[0, :, 0] / rms for name, values in curves.items()}


def draw(path: Path) -> None:
    """Writes the picture as SVG."""
    mpl.rcParams["svg.hashsalt"] = "scanproof"
    curves = series()
    # every step would be half a megabyte of dots
    shown = np.unique(np.geomspace(1, STEPS, 500).astype(int)) - 1
    figure = Figure(figsize=(7.5, 4.2), layout="constrained", facecolor="white")
    axes = figure.add_subplot()
    colours = {
        "honest float32 scan": "#0072b2",
        "carry off by 1e-4": "#d55e00",
        "allowance (theorem)": "black",
    }
    for name, values in curves.items():
        line, values = name.startswith("allowance"), np.where(values > 0, values, np.nan)[shown]
        style: dict[str, Any] = (
            {"linewidth": 2} if line else {"linestyle": "", "marker": ".", "markersize": 3}
        )
        axes.loglog(shown + 1, values, color=colours[name], label=name, **style)
    for name, value in TOLERANCES.items():
        axes.axhline(value, color="0.5", linestyle="--", linewidth=1)
        axes.text(1.1, value * 1.25, f"rtol {name}", color="0.3", fontsize=8)
    axes.set(
        xlabel="step t", ylabel="|error| / rms of the states", ylim=(3e-10, 3e-2), xlim=(1, STEPS)
    )
    axes.set_title(
        "Fixed tolerances miss the fault or graze honest scans; the allowance separates them",
        fontsize=10,
    )
    axes.legend(fontsize=8, loc="lower right")
    figure.savefig(path, format="svg", metadata={"Date": None})


if __name__ == "__main__":
    draw(Path(sys.argv[1]))

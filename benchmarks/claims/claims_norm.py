"""Does the state norm stay where the papers put it? RotRNN's figure 3 without training: parameters
are perturbed instead.

Words follow from exact second moments (claims_moments.py) at flint's precision; sampled runs only
illustrate.

With white input the papers say:

    RotRNN   E |x_t|^2 = 1 - gamma^(2t) in every head
    LRU      E |h_t|^2 -> |B|^2 in every state
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import flint

from scanproof.benchmarks.claims.claims_moments import bits, equal
from scanproof.benchmarks.claims.claims_moved import (
    AGAIN,
    BOUNDED,
    FIXED,
    FREE,
    HEADS,
    STRENGTHS,
    Constants,
    band,
    lru_limits,
    rotrnn_limits,
)
from scanproof.benchmarks.claims.claims_runs import GAMMA, moved_over_time, other_inputs, over_time
from scanproof.reference.inputs import Array
from scanproof.reference.systems import rotrnn
from scanproof.report.claims_model import Band, ClaimRow, Curve
from scanproof.report.markup import number


class Norms(NamedTuple):
    rows: list[ClaimRow]
    curves: list[Curve]
    bands: list[Band]


def measure(seed: int, draws: int, time: int, constants: Constants = rotrnn.constants) -> Norms:
    """constants: of the RotRNN layer under test, a mutant in tests."""
    with flint.ctx.workprec(bits(0)):
        limits = {sigma: rotrnn_limits(seed, draws, sigma, constants) for sigma in STRENGTHS}
        states = {
            name: {s: lru_limits(seed, draws, s, name) for s in STRENGTHS}
            for name in (AGAIN, FIXED, FREE)
        }
        normed = _all(limits)
    with flint.ctx.workprec(bits(time)):
        white, curves = over_time(seed, time, constants)
        moved = moved_over_time(seed, time, constants)
    with flint.ctx.workprec(bits(4 * time)):
        answers, other = other_inputs(4 * time, constants)
    rows = [
        _white(limits, normed, white, draws, time),
        _any_input(answers, other, white and normed),
        _initial(states[FIXED][0.0], draws),
        *(_moved(name, found) for name, found in states.items()),
    ]
    bands = [band(BOUNDED, limits), *(band(name, found) for name, found in states.items())]
    return Norms(rows, curves + moved + other, bands)


def _all(found: dict[float, Array]) -> bool:
    return all(equal(x, 1) for x in found.values())


def _span(values: Iterable[Any]) -> str:
    x = [float(v) for v in values]
    low, high = number(min(x)), number(max(x))
    return low if low == high else f"{low} to {high}"


def _word(holds: bool) -> Any:
    return "holds" if holds else "fails"


ENCLOSED = ("exact: certified enclosures of E |x|² from the stored parameters meet the claimed "
            "value, or exclude it")


def _white(
    limits: dict[float, Array], normed: bool, over_time: bool, draws: int, time: int
) -> ClaimRow:
    heads = sum(x.size for x in limits.values())
    span = _span(v for x in limits.values() for v in x.flat)
    return ClaimRow(
        claim="RotRNN: with white input E |xₜ|² = 1 − γ²ᵗ → 1, in every head and for every value "
        "of the parameters",
        source="RotRNN, arXiv 2407.07239: “robust normalisation procedure”, "
               "ξ² = (1 − γ²) / tr(BᵀB)",
        measured=[
            f"E |x∞|² = {span} in {heads} heads ({draws} draws, noise of σ = 0 to "
            f"{STRENGTHS[-1]:g} added to every parameter)",
            f"E |xₜ|² {'meets' if over_time else 'misses'} 1 − γ²ᵗ over {time} steps of {HEADS} "
            "heads",
        ],
        criterion=ENCLOSED,
        word=_word(over_time and normed),
    )


def _any_input(answers: dict[tuple[str, str], bool], curves: list[Curve], white: bool) -> ClaimRow:
    others = all(held for (name, _), held in answers.items() if name != "white noise")
    ends = [
        f"{curve.label}: {curve.y[-1]:.3g}"
        for curve in curves
        if not curve.label.startswith("white")
    ]
    aim = 1 - GAMMA ** (2 * curves[0].x[-1])
    only: Any = "holds only for white input" if white else "fails"
    return ClaimRow(
        claim="RotRNN: the state norm is normalised, whatever the input",
        source="what “normalised” suggests; the derivation assumes inputs that are white in time",
        measured=[
            f"E |xₜ|² after {curves[0].x[-1]:.0f} steps with γ = {GAMMA}, where {aim:.3g} is "
            "claimed",
            *ends,
        ],
        criterion=ENCLOSED,
        word="holds" if white and others else only,
    )


def _initial(limits: Array, draws: int) -> ClaimRow:
    return ClaimRow(
        claim="LRU at initialisation: with white input E |hₜ|² → |B|² in every state, however "
              "close |λ| is to 1",
        source="LRU, arXiv 2303.06349: γ = √(1 − |λ|²) in front of B",
        measured=[
            f"E |h∞|² / |B|² = {_span(limits.flat)} in {limits.size} states ({draws} draws, |λ| in "
            "[0.9, 0.999])"
        ],
        criterion=ENCLOSED,
        word=_word(equal(limits, 1)),
    )


def _moved(name: str, found: dict[float, Array]) -> ClaimRow:
    sources = {
        AGAIN: "the LRU in the code of RotRNN, which recomputes γ in every call",
        FIXED: "asked by RotRNN’s figure 3; the LRU paper claims it at initialisation only",
        FREE: "asked by RotRNN’s figure 3; the LRU paper learns ν and γ independently",
    }
    return ClaimRow(
        claim=f"{name}: E |hₜ|² → |B|² still holds in every state",
        source=sources[name],
        measured=[
            f"E |h∞|² / |B|² = {_span(found[s].flat)} with σ = {s:g}" for s in STRENGTHS[1::2]
        ],
        criterion=ENCLOSED,
        word=_word(_all(found)),
    )

"""claims.html: every claim with its word, then what it rests on, then how to repeat it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from scanproof.report.claims_model import (
    TITLE,
    ClaimRow,
    Claims,
    CostRow,
    Curve,
    LayerTime,
    MemoryRow,
)
from scanproof.report.claims_plots import Look, bands, lines
from scanproof.report.decades import superscript
from scanproof.report.document import again, document
from scanproof.report.figures import figure, key
from scanproof.report.markup import Html, element, join, number, row, table
from scanproof.report.model import RunReport
from scanproof.report.tables import NOTHING, small, wide, word

SECTIONS = {
    "claims": "Claims",
    "norm": "State norm",
    "memory": "Effective memory",
    "rounding": "Rounding as |λ| → 1",
    "cost": "Cost",
    "again": "Run it again",
}
WORDS = (
    "“holds” and “fails” are decided by exact calculation, never by comparing a sample with a "
    "tolerance: a claim fails where a certified enclosure excludes the claimed value. “measured” "
    "is a number, and no judgement. Nothing on this page changes the verdict of the run."
)
OVER_TIME = (
    "What to see: whether the state norm tends to 1, and for RotRNN with white input along 1 − "
    "γ²ᵗ. Lines are exact second moments (of LRU over |B|²), dots the mean over sampled runs, "
    "which only illustrate them. The normalisation assumes an input that is white in time: one "
    "that is not is amplified where the rotation is as slow as the input, and cancelled where it "
    "is not. What is smaller than the lower edge sits on it."
)
SPREAD = (
    "What to see: how far the state norm in the long run moves when parameters move away from "
    "their initialisation, as training moves them. A band holds 90 % of the draws, its line is "
    "their median, each draw is computed exactly. A layer that stays normalised stays at 1. σ is "
    "the standard deviation of what is added to ν_log and γ_log, for RotRNN to every parameter."
)
DECAY = ("What to see: what a state keeps of an input t steps ago, |λ|ᵗ, for the median |λ| of "
         "each initialisation, until 2⁻²⁴.")
ERRORS = (
    "What to see: the error of the states over their size, to the right as |λ| → 1. “λ …” and “γ "
    "…”: only the coefficient is rounded to the format, everything else is exact (median over "
    "coefficients, white input). “scan”: a plain loop in the format whose real coefficient 1 − 2⁻ʲ "
    "is exactly representable, so that only the scan rounds; the line ends where the format has no "
    "such λ. The steeper line wins as |λ| → 1. What sits on the upper edge is larger: a rounded "
    "|λ| of 1 or more makes the states grow."
)
FLOPS = ("What to see: operations of one step over the size of a head, with as many real numbers "
         "in the state of every layer.")

COSTS = (
    "Real additions and multiplications of one step, and the bytes of the arrays of one step that "
    "separate stages write and read (float32). W: width of the model; N: complex states of LRU, "
    "head_dim of RotRNN; H: heads."
)
TIMES = (
    "Our kernels fold ξ, P and γ into B and C in every call. The first steps of the very result "
    "were judged before anything was timed; who is not judged, or is outside, gets no timing. "
    "Layers take turns in one process, on one thread; the first call compiles or loads."
)


def claims_page(report: RunReport) -> str:
    """The whole document; the report has claims. Every number in it comes from the report."""
    claims = report.claims
    if claims is None:
        raise ValueError("report: found no claims, expected those of verify --claims")
    parts = [
        join([_note(WORDS), _claims(claims.rows)]),
        join([_norms(claims), _spread(claims)]),
        join([_decays(claims), _memory(claims.memory)]),
        _errors(claims),
        join(
            [_flops(claims), _note(COSTS), _costs(claims.costs), _note(TIMES), _times(claims.times)]
        ),
        again(report, claims.seconds),
    ]
    counted = Counter(row.word for row in claims.rows)
    header = element(
        "header",
        element(
            "h1", f"{TITLE}: " + ", ".join(f"{n} “{name}”" for name, n in counted.items()) + "."
        ),
    )
    return document(
        f"Scanproof: {TITLE.lower()}", header, SECTIONS, parts, {"index.html": "The report"}
    )


def _claims(rows: Sequence[ClaimRow]) -> Html:
    found = [
        row(
            _claim(r),
            word(r.word),
            wide(*(element("div", line) for line in r.measured), small(r.criterion)),
        )
        for r in rows
    ]
    return table(
        "Claims", ["claim and source", "word", "measured, and what decides the word"], found
    )


def _note(words: str) -> Html:
    return element("p", words, class_="note")


def _claim(r: ClaimRow) -> Html:
    return element("div", r.claim, small(r.source), class_="wide claim")


def _drawn(
    title: str, curves: Sequence[Curve], look: dict[str, Look], name: str, caption: str
) -> Html:
    """A panel for each `panel` of the curves, each with a key of its own."""
    panels = []
    for place, panel in enumerate(dict.fromkeys(curve.panel for curve in curves)):
        shown = [curve for curve in curves if curve.panel == panel]
        keys = {label: i for i, label in enumerate(dict.fromkeys(curve.label for curve in shown))}
        ends = ", ".join(
            f"{curve.label}: {number(curve.y[-1])}" for curve in shown if curve.kind != "sampled"
        )
        picture = lines(
            shown,
            keys,
            look.get(panel) or look[""],
            f"{name}{place}",
            f"{panel}: at the last point {ends}",
        )
        panels.append((panel, join([picture, key(keys)])))
    return figure(title, panels, caption)


def _norms(claims: Claims) -> Html:
    look = {}
    for panel in {curve.panel for curve in claims.norms}:
        high = _ceiling([y for curve in claims.norms if curve.panel == panel for y in curve.y])
        look[panel] = Look("step t", "E |xₜ|²", -3, high, (0, "claimed in the long run: 1"))
    return _drawn("State norm over time", claims.norms, look, "norm", OVER_TIME)


def _spread(claims: Claims) -> Html:
    keys = {band.label: i for i, band in enumerate(claims.spread)}
    ends = ", ".join(
        f"{b.label}: {number(b.low[-1])} to {number(b.high[-1])}" for b in claims.spread
    )
    high = _ceiling([y for band in claims.spread for y in band.high])
    look = Look("σ of the perturbation", "norm in the long run, over its initial value", -1, high)
    picture = bands(claims.spread, keys, look, "spread", f"At the largest σ, 5 % to 95 %: {ends}")
    return figure(
        "State norm over parameters",
        [("white noise, all draws", join([picture, key(keys)]))],
        SPREAD,
    )


def _decays(claims: Claims) -> Html:
    return _drawn(
        "Effective memory", claims.decays, {"": Look("steps t", "|λ|ᵗ", -7.3, 0)}, "decay", DECAY
    )


def _memory(rows: Sequence[MemoryRow]) -> Html:
    headers = [
        "initialisation", "until |λ|ᵗ =", "5 %", "median", "95 %", "of the draws: 5 %", "median",
        "95 %", "draws",
    ]  # fmt: skip
    found = [
        row(
            r.label,
            f"2{superscript(-r.bits)}",
            *(f"{x:.0f}" for x in [*r.exact, *r.drawn]),
            r.draws,
        )
        for r in rows
    ]
    return table("Effective memory in steps", headers, found)


def _errors(claims: Claims) -> Html:
    look = {
        "": Look(
            "1 − |λ|",
            "rms error over rms of the states",
            -8,
            1,
            (0, "as large as the states"),
            True,
        )
    }
    return _drawn("Coefficient against scan", claims.errors, look, "error", ERRORS)


def _flops(claims: Claims) -> Html:
    values = [y for curve in claims.flops for y in curve.y]
    look = Look(
        "head_dim",
        "operations per step",
        math.floor(math.log10(min(values))),
        math.log10(max(values)) + 0.1,
    )
    return _drawn("Operations per step", claims.flops, {"": look}, "flops", FLOPS)


def _costs(rows: Sequence[CostRow]) -> Html:
    headers = ["layer", "head_dim", "operations per step", "bytes per step", "once per call"]
    found = [
        row(join([r.layer + " ", small(r.form)]), r.head_dim or NOTHING,
            join([r.flops_per_step, small(r.flops)]), join([r.bytes_per_step, small(r.bytes)]),
            wide(r.once))
        for r in rows
    ]  # fmt: skip
    return table("Cost by formula", headers, found)


def _times(rows: Sequence[LayerTime]) -> Html:
    headers = [
        "kernel", "head_dim", "verdict", "median ms", "quartiles ms", "Gflop/s by formula",
        "first call ms",
    ]  # fmt: skip
    return table("Measured time", headers, [_time(r) for r in rows])


def _time(r: LayerTime) -> Html:
    size = f"{r.dtype}, u ({', '.join(map(str, r.shape))}), state of {r.state} reals, one thread"
    figures: list[object] = [NOTHING] * 4
    if r.median_ms and r.quartiles_ms and r.gflops and r.first_ms:
        low, high = map(number, r.quartiles_ms)
        figures = [number(r.median_ms), f"{low} – {high}", number(r.gflops), number(r.first_ms)]
    reason = small(r.reason) if r.verdict not in ("within", "nearest") else ""
    return row(
        join([r.layer + " ", small(size)]),
        r.head_dim or NOTHING,
        join([word(r.verdict), reason]),
        *figures,
    )


def _ceiling(values: Sequence[float]) -> float:
    """The decade above the largest value."""
    return float(math.ceil(math.log10(max(values)) + 0.05))

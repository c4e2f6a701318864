"""The optional section `claims` of report.json: what the papers claim, what came out, and every
number of the page's pictures."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from scanproof.properties.verdict import Status
from scanproof.report.strict import Strict

NAME, TITLE = "claims.html", "The papers’ claims"  # of the page that shows the section
Word = Literal["holds", "fails", "holds only for white input", "measured"]


class ClaimRow(Strict):
    """One claim. measured: lines; criterion: what decides the word."""

    claim: str
    source: str
    measured: list[str]
    criterion: str
    word: Word


class Curve(Strict):
    """One line of a picture.

    exact: computed without sampling; sampled: a mean over draws; measured: of a run, on its inputs.
    """

    panel: str
    label: str
    kind: Literal["exact", "sampled", "measured"]
    x: list[float]
    y: list[float]

    @model_validator(mode="after")
    def _equally_long(self) -> Curve:
        if len(self.x) != len(self.y):
            raise ValueError("x and y must be equally long")
        return self


class Band(Strict):
    """For each strength of perturbation: 5 %, 50 %, 95 % of the draws lie below."""

    label: str
    strength: list[float]
    low: list[float]
    median: list[float]
    high: list[float]


class MemoryRow(Strict):
    """Steps until |lambda|^t = 2^-bits for an initialisation: exact quantiles 5 %, 50 %, 95 % of
    |lambda|, and of the draws."""

    label: str
    bits: int
    exact: list[float]
    drawn: list[float]
    draws: int


class CostRow(Strict):
    """Operations and bytes of one step, as a formula and for the sizes of the timed layers."""

    layer: str
    form: str
    flops: str
    bytes: str
    once: str  # what is computed once per call, whatever its length
    head_dim: int | None
    flops_per_step: int
    bytes_per_step: int


class LayerTime(Strict):
    """One layer's kernel on one thread, judged before it was timed.

    The last four are None where it was not timed.
    """

    layer: str
    dtype: str
    shape: list[int]  # batch, time, width
    state: int  # real numbers
    head_dim: int | None
    verdict: Status
    reason: str
    first_ms: float | None = None  # compiles, or loads compiled code
    median_ms: float | None = None
    quartiles_ms: list[float] | None = None
    gflops: float | None = None  # by the formula

    @model_validator(mode="after")
    def _timed_if_judged(self) -> LayerTime:
        if self.median_ms is not None and self.verdict not in ("within", "nearest"):
            raise ValueError(f"median_ms must be absent where the verdict is {self.verdict}")
        return self


class Claims(Strict):
    """All experiments of `scanproof verify --claims`."""

    seconds: float
    rows: list[ClaimRow]
    norms: list[Curve]
    spread: list[Band]
    memory: list[MemoryRow]
    decays: list[Curve]
    costs: list[CostRow]
    flops: list[Curve]
    times: list[LayerTime]
    errors: list[Curve]

"""The machine-readable report (`report.json`): what was asked, what came out, and what was not run.

Read strictly: an unknown or missing field is an error. `format` changes when a field changes its
meaning.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from scanproof.properties.verdict import Status
from scanproof.report.claims_model import Claims
from scanproof.report.strict import Strict


class LawRow(Strict):
    """One law on one implementation.

    counts: judged calls by verdict, and calls that were not offered.
    """

    name: str
    statement: str
    verdict: Status
    counts: dict[str, int]
    ratio: float  # largest error/allowance
    ratios: list[float]  # of every judged call
    seconds: float


class CheckRow(Strict):
    """One implementation under all laws, or why it was not run."""

    implementation: str
    ours: bool
    declared: str
    dtype: str
    system: str
    verdict: Status
    reason: str
    ratio: float = 0.0
    bits_lost: float = 0.0
    informative: float = 0.0
    rounded: float = 0.0  # share of all judged elements that are correct roundings
    finding: str = ""  # what is known to be wrong with it: then `outside` is expected
    laws: list[LawRow] = Field(default_factory=list)
    grade: str | None = None  # of an `outside`
    not_refuted_under: str | None = None
    witness: str | None = None
    seconds: float = 0.0


class MutantRow(Strict):
    """One deliberately wrong implementation.

    caught_by: the laws that reject it; ratios: error/allowance per law.
    """

    system: str
    name: str
    fault: str
    dtype: str
    verdict: Status
    caught_by: list[str]
    ratio: float
    ratios: list[float]
    witness: str | None


class VersionRow(Strict):
    """A published version of a layer, or a layer with one fault: what the model says of it, and
    what was found.

    Its results, computed in float64 and rounded once, are judged as `dtype`: it is the map that is
    told apart, not its rounding. after: the verdict over what it makes of re-parameterised
    parameters, where a re-parameterisation is stated.
    """

    name: str
    system: str
    provenance: str
    behaviour: str
    dtype: str
    expected: str
    found: str
    verdict: Status | Literal["contract broken"]
    after: Status | Literal["contract broken"] | None
    caught_by: list[str]
    witness: str | None


class RecordingRow(Strict):
    """One implementation on a recording that nobody here made."""

    recording: str
    implementation: str
    dtype: str
    verdict: Status
    reason: str
    ratio: float = 0.0
    bits_lost: float = 0.0
    steps: int = 0


class GoldenRow(Strict):
    """One implementation on the published golden cases of its dtype. counts: cases by verdict."""

    implementation: str
    dtype: str
    verdict: Status
    reason: str
    counts: dict[str, int] = Field(default_factory=dict)


class Growth(Strict):
    """Largest error up to each length for one implementation, and the allowance at that length,
    over rms of the states."""

    implementation: str
    dtype: str
    modulus: float
    lengths: list[int]
    error: list[float]
    allowance: list[float]

    @model_validator(mode="after")
    def _equally_long(self) -> Growth:
        if (
            not len(self.lengths) == len(self.error) == len(self.allowance)
            or min(self.lengths, default=1) < 1
        ):
            raise ValueError(
                "lengths, error and allowance must be equally long, and lengths positive"
            )
        return self


class LemmaRow(Strict):
    """One lemma as `scanproof prove` reports it."""

    name: str
    status: Literal["proved", "refused", "not run"]
    statement: str
    source: str
    method: str
    N: str
    claims: int
    mutants: int
    seconds: float
    reason: str = ""


class Timing(Strict):
    """Of one contestant: over rounds, each a mean of `calls` calls.

    ratio: time per byte over that of the measured copy.
    """

    first_ms: float  # compiles, or loads compiled code
    median_ms: float
    minimum_ms: float
    quartiles_ms: list[float]
    rounds: int
    calls: int
    moved_bytes: int
    gb_per_s: float
    ratio: float | None


class SpeedRow(Strict):
    """One contestant on one case of the benchmark; copies are references, the others are judged
    before they are timed.

    sequences, states: how many (batch, channel) sequences of the timed call were judged, and how
    many of their states.
    """

    case: str
    dtype: str
    lam: Literal["constant", "varying", "rotation"]
    shape: list[int]
    contestant: str
    output: Literal["given", "fresh"]
    threads: int
    verdict: Status | Literal["reference"]
    reason: str
    sequences: int = 0
    states: int = 0
    timing: Timing | None = None

    @model_validator(mode="after")
    def _timed_if_not_refuted(self) -> SpeedRow:
        if self.timing is not None and self.verdict in ("outside", "not offered", "not run"):
            raise ValueError(f"timing must be absent where the verdict is {self.verdict}")
        return self


class RunReport(Strict):
    """All of one `scanproof verify`. accepted: lemmas proved, honest implementations not refuted,
    every mutant rejected.

    claims: the papers' experiments of `verify --claims`, findings that accept and reject nothing;
    left out of the file if None.
    """

    format: Literal["scanproof-report/3"] = "scanproof-report/3"  # 2: speed; 3: systems of mutants
    scanproof: str
    command: str
    seed: int
    started: str
    seconds: float
    machine: dict[str, str]
    accepted: bool
    faults: list[str]  # one line each: why not accepted
    lemmas: list[LemmaRow]
    checks: list[CheckRow]
    mutants: list[MutantRow]
    versions: list[VersionRow] = Field(default_factory=list)
    recordings: list[RecordingRow]
    golden: list[GoldenRow]
    growth: list[Growth]
    speed: list[SpeedRow]
    claims: Claims | None = None

    @model_serializer(mode="wrap")
    def _without_what_was_not_asked(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = handler(self)
        if self.claims is None:
            del written["claims"]
        return written

    @model_validator(mode="after")
    def _accepted_without_faults(self) -> RunReport:
        if self.accepted != (not self.faults):
            raise ValueError("accepted must be true exactly when there are no faults")
        return self

"""What `check` found: law by law, and over all of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from scanproof.properties.verdict import Status, Verdict, Word
from scanproof.properties.witness import Witness
from scanproof.reference.arithmetic.declaration import Arithmetic


@dataclass
class LawResult:
    """What one law saw. verdict: "outside", "within", "undecided", "not offered" or "not run"."""

    name: str
    statement: str
    verdict: Status = "not run"
    tested: int = 0  # draws that put the law to the test
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("outside", "undecided", "within", "not offered"), 0)
    )
    ratios: list[float] = field(default_factory=list)  # error/allowance of every judged run
    informative: list[bool] = field(default_factory=list)
    visited: int = 0  # judged runs before the random ones
    seconds: float = 0.0

    @property
    def ratio(self) -> float:
        return max(self.ratios, default=0.0)


@dataclass
class Report:
    """The outcome of `check`. verdict as for `judge`; fault is set when the implementation broke
    the contract."""

    implementation: str
    arithmetic: Arithmetic
    seed: int
    cases: int
    verdict: Word
    reason: str
    laws: list[LawResult]
    fault: tuple[str, str] | None = None  # kind ("crashed", "hung", "contract"), message
    failure: Verdict | None = None  # the verdict over the shrunk call, or over its failing window
    window: str | None = None  # which part of the shrunk call that window is
    witness: Witness | None = None
    not_refuted_under: str | None = None
    bits_lost: float = 0.0
    # share of all judged elements that are the correct rounding of the exact result
    rounded: float = 0.0
    # the largest size of a judged call, axis by axis
    judged: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    system: str = field(kw_only=True)
    unless: str | None = None  # what would have to be declared to make some calls outside

    @property
    def ratio(self) -> float:
        """Largest error/allowance over all laws."""
        return max((law.ratio for law in self.laws), default=0.0)

    @property
    def informative(self) -> float:
        """Share of the random cases whose allowance could tell a wrong result; of the visits, if
        the search ended in them."""
        return float(np.mean(self.random)) if self.random else 0.0

    @property
    def random(self) -> list[bool]:
        """Whether each random case informed; each visit, if the search ended in them."""
        law = next(law for law in self.laws if law.name == "equivalence")
        return law.informative[law.visited :] or law.informative

    @property
    def headline(self) -> str:
        """The verdict, or how the implementation broke the contract."""
        broken = {"contract": "contract broken", "crashed": "crashed", "hung": "hung"}
        return broken[self.fault[0]] if self.fault and self.verdict != "outside" else self.verdict

    def __str__(self) -> str:
        return f"{self.implementation}: {self.headline}: {self.reason}"

"""Answers against golden cases: a verdict for every case, and one over all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from scanproof.golden.agreement import agree
from scanproof.golden.layer_lint import altered
from scanproof.golden.layer_making import certificates
from scanproof.golden.layer_schema import LayerCase
from scanproof.golden.making import bound_of
from scanproof.golden.schema import Case
from scanproof.properties.judge import rescue
from scanproof.properties.layer_verdict import judge_call
from scanproof.properties.verdict import CLAIMS, Status, Verdict, Word, judge_inputs
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Array

FORMAT = "scanproof-golden-verdict/1"
PASSED = ("nearest", "within")
ORDER: tuple[Status, ...] = ("nearest", "within", "outside", "undecided", "not offered", "not run")
Source = Literal["stored", "computed"]
Answers = Mapping[str, Any]  # by id: states of a scan, results of a layer by name; None where a program offers none
TEETH = {"scan": "exact lane", "lru": "sparse case", "rotrnn": "sparse case"}  # without which `within` says little


@dataclass(frozen=True)
class Judged:
    """One case: its status, and for an answered one the verdict and where its allowance comes from.

    absent: results of a layer that were asked for and not offered.
    """

    case: Case | LayerCase
    arithmetic: Arithmetic
    status: Status
    verdict: Verdict | None = None
    source: Source | None = None
    absent: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        known = self.verdict.as_dict() if self.verdict else {}
        known |= {"not_offered": list(self.absent)} if isinstance(self.case, LayerCase) else {}
        return {"id": self.case.id, "verdict": self.status, "flags": self.case.flags, "allowances": self.source} | known


@dataclass(frozen=True)
class Result:
    """All cases that were asked, and what may be said of the program."""

    cases: list[Judged]
    verdict: Word
    reason: str
    fits: dict[str, str | None]  # dtype of cases outside -> the weaker declaration that does not refute them

    def counts(self) -> dict[str, int]:
        found = Counter(judged.status for judged in self.cases)
        return {status: found[status] for status in ORDER}

    def as_dict(self) -> dict[str, Any]:
        return {
            "format": FORMAT, "verdict": self.verdict, "reason": self.reason, "counts": self.counts(),
            "not_refuted_under": self.fits, "cases": [judged.as_dict() for judged in self.cases],
        }  # fmt: skip


def judge(cases: Sequence[Case | LayerCase], answers: Answers, declared: Mapping[str, Arithmetic]) -> Result:
    """Judges the answers to `cases`, each in the arithmetic declared for its dtype.

    Raises:
        ValueError: a file whose truth or bounds are not those of its inputs (scanproof golden lint says more).
    """
    judged = [_judged(case, answers, declared[case.dtype]) for case in cases]
    verdict, reason = _decide(judged)
    return Result(judged, verdict, reason, _fits(judged, answers, declared))


def _judged(case: Case | LayerCase, answers: Answers, arithmetic: Arithmetic) -> Judged:
    if case.id not in answers:
        return Judged(case, arithmetic, "not run")
    got = answers[case.id]
    if got is None:
        return Judged(case, arithmetic, "not offered")
    if isinstance(case, LayerCase):
        return _judged_layer(case, got, arithmetic)
    source, verdict = _source(case, arithmetic), judge_inputs(got, case.inputs(), arithmetic)
    return Judged(case, arithmetic, verdict.verdict, verdict, source)


def _judged_layer(case: LayerCase, got: Mapping[str, Array], arithmetic: Arithmetic) -> Judged:
    """Whatever was answered, against what is computed here, which must be what the file holds."""
    call = case.inputs()
    found = certificates(call, arithmetic)
    wrong = altered(case, arithmetic, found)
    if wrong:
        raise ValueError(f"golden: {case.id}: altered: its {wrong} for {arithmetic} are not those of its call")
    source: Source = "computed" if case.stored(arithmetic) is None else "stored"
    verdict, absent = judge_call(got, call, arithmetic, found), tuple(name for name in case.results() if name not in got)
    return Judged(case, arithmetic, verdict.verdict, verdict, source, absent)


def _source(case: Case, arithmetic: Arithmetic) -> Source:
    """Whether the file holds the bounds of this class; they must then be those that are computed here."""
    stored = case.stored(arithmetic)
    if stored is None:
        return "computed"
    if not agree(stored, bound_of(case.inputs(), arithmetic, case.enclosure())):
        raise ValueError(f"golden: {case.id}: altered: its bounds for {arithmetic} are not those of its inputs")
    return "stored"


def _decide(judged: Sequence[Judged]) -> tuple[Word, str]:
    """outside > undecided > nearest, within; at least half of the answered cases must tell something."""
    outside, missing, passed = ([j for j in judged if j.status in words] for words in (("outside",), ("not run",), PASSED))
    answered = [j for j in judged if j.verdict]
    if outside:
        return "outside", f"{len(outside)} of {len(judged)} cases are outside; {CLAIMS['outside']}"
    if missing:
        return "undecided", f"{len(missing)} of {len(judged)} cases were not run, {missing[0].case.id} the first"
    blunt = [flag for flag in {TEETH[j.case.system]: j for j in judged} if not any(flag in j.case.flags for j in passed)]
    if blunt:
        return "undecided", f"no {blunt[0]} was answered"
    if 2 * len(passed) < len(answered):
        blind = len(answered) - len(passed)
        return "undecided", f"the declared class allows too much to tell in {blind} of {len(answered)} cases"
    word: Word = "nearest" if all(j.status == "nearest" for j in answered) else "within"
    return word, f"{len(passed)} of {len(judged)} cases; {CLAIMS[word]}"


def _fits(judged: Sequence[Judged], answers: Answers, declared: Mapping[str, Arithmetic]) -> dict[str, str | None]:
    """For the cases outside of each dtype, the weaker declaration that would not refute them."""
    failures: dict[str, list[tuple[Any, Any]]] = {}
    for j in judged:
        got = answers.get(j.case.id)
        if j.status == "outside" and got is not None:
            failures.setdefault(j.case.dtype, []).append((j.case.inputs(), got))
    return {dtype: rescue(found, declared[dtype]) for dtype, found in failures.items()}

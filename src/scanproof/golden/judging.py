"""Answers against golden cases: a verdict for every case, and one over all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from scanproof.golden.agreement import altered
from scanproof.golden.recipes import COLLECTIONS
from scanproof.golden.schema import Case, asked
from scanproof.properties.explain import Judgements, rescue
from scanproof.properties.gathering import Results
from scanproof.properties.verdict import CLAIMS, Status, Verdict, Word, judged
from scanproof.reference.allowance.certificate import certify
from scanproof.reference.allowance.certified import Block
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.call import Call

FORMAT = "scanproof-golden-verdict/1"
PASSED = ("nearest", "within")
ORDER: tuple[Status, ...] = ("nearest", "within", "outside", "undecided", "not offered", "not run")
Source = Literal["stored", "computed"]
Answers = Mapping[str, Results | None]  # by id: results by name; none where a program offers none


@dataclass(frozen=True)
class Judged:
    """One case: its status, and for an answered one the verdict and where its allowance comes from.

    absent: results that were asked for and not offered.
    """

    case: Case
    arithmetic: Arithmetic
    status: Status
    verdict: Verdict | None = None
    source: Source | None = None
    absent: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        known = self.verdict.as_dict() if self.verdict else {}
        content = {
            "id": self.case.id,
            "verdict": self.status,
            "flags": self.case.flags,
            "allowances": self.source,
        }
        return content | known | {"not_offered": list(self.absent)}


@dataclass(frozen=True)
class Result:
    """All cases that were asked, and what may be said of the program.

    fits: for every dtype with cases outside, the weaker declaration that does not refute them.
    """

    cases: list[Judged]
    verdict: Word
    reason: str
    fits: dict[str, str | None]

    def counts(self) -> dict[str, int]:
        found = Counter(judged.status for judged in self.cases)
        return {status: found[status] for status in ORDER}

    def as_dict(self) -> dict[str, Any]:
        content: dict[str, Any] = {"format": FORMAT, "verdict": self.verdict, "reason": self.reason}
        content |= {"counts": self.counts(), "not_refuted_under": self.fits}
        return content | {"cases": [judged.as_dict() for judged in self.cases]}


def judge(cases: Sequence[Case], answers: Answers, declared: Mapping[str, Arithmetic]) -> Result:
    """Judges the answers to `cases`, each in the arithmetic declared for its dtype.

    Raises:
        ValueError: a file whose truth or bounds are not those of its call, or a call too long.
    """
    found = [_judged(case, answers, declared[case.dtype]) for case in cases]
    verdict, reason = _decide(found)
    return Result(found, verdict, reason, _fits(found, answers, declared))


def _judged(case: Case, answers: Answers, arithmetic: Arithmetic) -> Judged:
    if case.id not in answers:
        return Judged(case, arithmetic, "not run")
    got, call = answers[case.id], case.call()
    if not got:
        return Judged(case, arithmetic, "not offered")
    block = certificate(call, arithmetic, got)
    found = {name: views[0] for name, views in block.results.items() if name in case.results}
    wrong = altered(case, arithmetic, found)
    if wrong:
        text = f"its {wrong} for {arithmetic} are not those of its call"
        raise ValueError(f"golden: {case.id}: altered: {text}")
    verdict = judged(got, call, arithmetic, [block])
    source: Source = "computed" if case.stored(arithmetic) is None else "stored"
    absent = tuple(name for name in asked(call, case.dtype) if name not in got)
    return Judged(case, arithmetic, verdict.verdict, verdict, source, absent)


def certificate(call: Call, arithmetic: Arithmetic, got: Results) -> Block:
    """Truth and allowance of what was answered. Raises ValueError for a call that is too long."""
    block, *more = certify(call, arithmetic, got)
    if more:
        raise ValueError(f"golden: found {call.described()}, expected a shorter call")
    return block


def _decide(found: Sequence[Judged]) -> tuple[Word, str]:
    """outside > undecided > nearest, within."""
    count = len(found)
    outside = [j for j in found if j.status == "outside"]
    if outside:
        return "outside", f"{len(outside)} of {count} cases are outside; {CLAIMS['outside']}"
    uninformed = _uninformed(found)
    if uninformed:
        return "undecided", uninformed
    nearest = all(j.status == "nearest" for j in found if j.verdict)
    word: Word = "nearest" if nearest else "within"
    return word, f"{sum(j.status in PASSED for j in found)} of {count} cases; {CLAIMS[word]}"


def _uninformed(found: Sequence[Judged]) -> str | None:
    """Why nothing can be said: at least half of the answered cases must tell something."""
    count, missing = len(found), [j for j in found if j.status == "not run"]
    answered, passed = (
        [j.verdict for j in found if j.verdict],
        [j for j in found if j.status in PASSED],
    )
    undeclared = [verdict.reason for verdict in answered if verdict.unless]
    if undeclared:
        return f"{len(undeclared)} of {count} cases would be outside; {undeclared[0]}"
    if missing:
        return f"{len(missing)} of {count} cases were not run, {missing[0].case.id} the first"
    for flag in _decisive(found):
        if not any(flag in j.case.flags for j in passed):
            return f"no {flag} was answered"
    uninformed = len(answered) - len(passed)
    text = f"the declared class allows too much to tell in {uninformed} of {len(answered)} cases"
    return text if len(passed) < uninformed else None


def _decisive(found: Sequence[Judged]) -> list[str]:
    """The flags without which `within` says little, of the systems that were asked about."""
    known = (COLLECTIONS.get(system) for system in dict.fromkeys(j.case.system for j in found))
    return [each.decisive for each in known if each and each.decisive]


def _fits(
    found: Sequence[Judged], answers: Answers, declared: Mapping[str, Arithmetic]
) -> dict[str, str | None]:
    """For the cases outside of each dtype, the weaker declaration that would not refute them."""
    failures: dict[str, list[tuple[Call, Results]]] = {}
    for j in found:
        got = answers.get(j.case.id)
        if j.status == "outside" and got:
            failures.setdefault(j.case.dtype, []).append((j.case.call(), got))
    return {
        dtype: rescue(Judgements(failing), declared[dtype]) for dtype, failing in failures.items()
    }

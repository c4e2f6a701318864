"""What an `outside` needs: the weakest class under which it still is one, and a weaker one under
which it is not."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from scanproof.properties.gathering import Results
from scanproof.properties.verdict import Verdict, judged
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.word import Changes
from scanproof.reference.call import Call, System
from scanproof.reference.systems import weaker

UNINFORMED = " (whose allowance tells nothing here)"
# numbers of a call from which on each judgement takes a second or more: single changes must do
LARGE = 2**17
SMALL_FACTOR = 4  # constants that are too small by no more than this are the likelier explanation
LARGEST_FACTOR = 2.0**20  # beyond it, assumed constants explain nothing
Failures = Sequence[tuple[Call, Results]]


@dataclass(frozen=True, eq=False)
class Judgements:
    """Verdicts over some calls under other declarations, each computed once."""

    failures: Failures
    known: dict[Arithmetic, list[Verdict]] = field(default_factory=dict)

    def under(self, arithmetic: Arithmetic) -> list[Verdict]:
        """The verdicts; stages that were not declared may be any, which asks for no second
        judgement."""
        if arithmetic not in self.known:
            stated = replace(arithmetic, stages=arithmetic.stages or "any")
            self.known[arithmetic] = [judged(got, call, stated) for call, got in self.failures]
        return self.known[arithmetic]

    def fit(self, arithmetic: Arithmetic) -> bool:
        """Whether every element is finite, and within an allowance that is known."""
        counts = [verdict.counts for verdict in self.under(arithmetic)]
        return not any(count["outside"] or count["undecided"] for count in counts)

    def outside(self, arithmetic: Arithmetic) -> bool:
        return any(verdict.verdict == "outside" for verdict in self.under(arithmetic))

    @property
    def system(self) -> System:
        return self.failures[0][0].system

    @property
    def large(self) -> bool:
        return any(
            max(x.size for x in call.arguments.values()) > LARGE for call, _ in self.failures
        )


def explained(
    verdict: Verdict, call: Call, got: Results, failures: Failures | None = None
) -> Verdict:
    """An `outside` with the declaration, and the assumed constants, under which failing calls would
    not be refuted.

    call, got: of the verdict; failures: all calls that should fit, this one when None.
    """
    own = Judgements([(call, got)])
    found = Judgements(failures) if failures else own
    needed = (
        assumed_needed(found, verdict.arithmetic)
        if call.system.assumes(verdict.arithmetic)
        else None
    )
    near = f"; factor {needed:.3g} on the assumed constants would admit it" if needed else ""
    small = needed is not None and needed <= SMALL_FACTOR * verdict.arithmetic.assumed
    return replace(
        verdict,
        reason=verdict.reason + near + (", so they may be too small" if small else ""),
        assumed_needed=needed,
        weakest=str(weakest(own, verdict.arithmetic)),
        not_refuted_under=rescue(found, verdict.arithmetic),
    )


def assumed_needed(found: Judgements, arithmetic: Arithmetic) -> float | None:
    """The smallest factor on the assumed constants, to 1/8, under which all calls fit; None where
    none is near."""
    if found.outside(replace(arithmetic, assumed=LARGEST_FACTOR * arithmetic.assumed)):
        return None
    low = high = arithmetic.assumed
    while not found.fit(replace(arithmetic, assumed=high)):
        low, high = high, 2 * high
        if high > LARGEST_FACTOR * arithmetic.assumed:
            return None
    for _ in range(3):  # low does not fit, high = 2 low does
        middle = (low + high) / 2
        low, high = (
            (low, middle) if found.fit(replace(arithmetic, assumed=middle)) else (middle, high)
        )
    return high


def rescue(found: Judgements, arithmetic: Arithmetic) -> str | None:
    """The declaration with the fewest changes, at most two, under which all calls fit, or None."""
    if not arithmetic.bracketing:
        return None
    single = weaker(found.system, arithmetic, besides=True)
    refuted = _weakened(found, arithmetic)[1] if arithmetic.store == "output" else []
    pairs = [] if found.large else itertools.combinations(single, 2)
    fresh = [(one, two) for one, two in pairs if one not in refuted or two not in refuted]
    both = [one | two for one, two in fresh if not one.keys() & two.keys()]
    for words in [each for each in single if each not in refuted] + both:
        other = _declared(arithmetic, words)
        if other and found.fit(other):
            informs = all(
                verdict.verdict in ("within", "nearest") for verdict in found.under(other)
            )
            return str(other) + ("" if informs else UNINFORMED)
    return None


def weakest(found: Judgements, arithmetic: Arithmetic) -> Arithmetic:
    """The declaration with as many weaker words as leave the calls outside."""
    return _weakened(found, arithmetic)[0]


def _weakened(found: Judgements, arithmetic: Arithmetic) -> tuple[Arithmetic, Changes]:
    """The same, and these words: with any of them alone the calls are outside, too."""
    taken: Changes = []
    if found.large or not arithmetic.bracketing:
        return arithmetic, taken
    for words in weaker(found.system, arithmetic):
        other = _declared(arithmetic, words)
        if other and found.outside(other):
            arithmetic = other
            taken.append(words)
    return arithmetic, taken


def _declared(arithmetic: Arithmetic, words: dict[str, Any]) -> Arithmetic | None:
    """The declaration with these words, or None where they contradict the others."""
    try:
        return replace(arithmetic, **words)
    except ValueError:
        return None

"""Running lemmas: each claim is attacked in every way below, and what survives is proved.

A claim is refused, with the reason, when
  1. its residual lhs - rhs does not rewrite to a literal 0: false, or not decided;
  2. a hypothesis is idle: the proof goes through without it;
  3. it is circular: a hypothesis says the same, read from either side;
  4. a mutant survives: rewriting takes a false right-hand side for true, or no instance contradicts
  it;
  5. an instance fails: a hypothesis, an assumption of a symbol or the claim is wrong there, in
  exact rational arithmetic;
  6. it has no mutant or no instance: nothing was tried against it, and its hypotheses may
  contradict each other;
and an inequality (a claim with signs), when
  7. its right-hand side is not seen to be >= 0, or is without one of the signs;
  8. a mutant is never negative, or an instance contradicts a sign or the inequality.
"""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Literal

import sympy as sp

from scanproof.proofs.engine.algebra import (
    Claim,
    Equation,
    Instance,
    polynomial,
    residual,
    vanishes,
)
from scanproof.proofs.engine.instances import Remembered, equal, sizes
from scanproof.proofs.engine.limit import Stopped, within
from scanproof.proofs.engine.signs import negative, seen

# "not run": the prover is not installed; SymPy always is
Status = Literal["proved", "refused", "not run"]
LONGEST = 200  # characters of a reason
# whoever waits for a proof has given up; all else that is raised refuses
LET_THROUGH = (KeyboardInterrupt, Stopped)


@dataclass(frozen=True)
class Lemma:
    """A named group of claims.

    Args:
        name: one word for tables and switches.
        statement: what is proved, in words.
        source: where it comes from.
        role: why the project needs it.
        N: the sizes that it covers.
        method: how it is proved.
        cited: theorems that the argument uses and does not prove.
        claims: makes the claims.
    """

    name: str
    statement: str
    source: str
    role: str
    N: str
    method: str
    cited: tuple[str, ...]
    claims: Callable[[], Iterable[Claim]]


@dataclass(frozen=True)
class ClaimResult:
    """What became of one claim: its hypotheses, refuted mutants, instances and their N."""

    what: str
    status: Status
    hypotheses: int
    mutants: int
    instances: int
    sizes: tuple[int, ...]
    reason: str


@dataclass(frozen=True)
class Result:
    """What became of one lemma; `dataclasses.asdict` makes it a plain dict.

    `reason` is empty when it is proved.
    """

    name: str
    status: Status
    statement: str
    source: str
    role: str
    N: str
    method: str
    cited: tuple[str, ...]
    seconds: float
    claims: list[ClaimResult]
    reason: str


def prove(lemma: Lemma) -> Result:
    """Check every claim of a lemma. Whatever is raised comes back as `refused`, with the reason in
    one line.

    Raises:
        KeyboardInterrupt: the user does not want to wait.
    """
    start = time.perf_counter()
    claims: list[ClaimResult] = []
    unstated = ""
    try:
        for claim in lemma.claims():
            claims.append(check(claim))
    except LET_THROUGH:
        raise
    except BaseException as error:
        unstated = f"the claims could not be made: {one_line(error)}"
    reasons = [
        unstated,
        *(f"{c.what}: {c.reason}" for c in claims if c.reason),
        "" if claims else "no claims",
    ]
    reason = next(filter(None, reasons), "")
    return result(lemma, time.perf_counter() - start, claims, reason)


def prove_within(lemma: Lemma, seconds: float) -> Result:
    """`prove`, and refused when it takes longer."""
    try:
        return within(lambda: prove(lemma), seconds)
    except TimeoutError:
        return result(lemma, seconds, [], f"no proof within {seconds:g} s")


def result(lemma: Lemma, seconds: float, claims: list[ClaimResult], reason: str) -> Result:
    """The words of a lemma, and what became of it."""
    words = {
        field.name: getattr(lemma, field.name) for field in fields(Lemma) if field.name != "claims"
    }
    return Result(**words, status=status(reason), seconds=seconds, claims=claims, reason=reason)


def check(claim: Claim) -> ClaimResult:
    """Attack one claim in every way of this module."""
    try:
        tried = replace(claim, instances=tuple(map(Remembered, claim.instances)))
        survivors = [mutant for mutant in claim.mutants if survives(tried, mutant)]
        reason = next(objections(tried, survivors), "")
    except LET_THROUGH:
        raise
    except BaseException as error:
        survivors, reason = list(claim.mutants), one_line(error)
    return ClaimResult(
        what=claim.what,
        status=status(reason),
        hypotheses=len(claim.given),
        mutants=len(claim.mutants) - len(survivors),
        instances=len(claim.instances),
        sizes=sizes(claim.instances),
        reason=reason,
    )


def objections(claim: Claim, survivors: list[sp.Expr]) -> Iterator[str]:
    """Every reason to refuse a claim, in one line each; none if it is proved."""
    left = residual(claim.lhs - claim.rhs, claim.given)
    if left != 0:
        yield one_line(f"false or not decided: lhs - rhs leaves {left}")
    for i, (word, _) in enumerate(claim.given):
        if vanishes(claim.lhs - claim.rhs, claim.given[:i] + claim.given[i + 1 :]):
            yield one_line(f"idle hypothesis on {word}: the claim is proved without it")
    for equation in claim.given:
        if same((claim.lhs, claim.rhs), equation):
            yield one_line(f"circular: the hypothesis {equation[0]} = {equation[1]} is the claim")
    if claim.signs and not seen(claim.rhs, claim.signs):
        yield one_line(f"no sign: {claim.rhs} is not made of {claim.signs} by sums and products")
    for sign in claim.signs:
        if seen(claim.rhs, tuple(other for other in claim.signs if other != sign)):
            yield one_line(f"idle sign of {sign}: the inequality is proved without it")
    for mutant in survivors:
        yield one_line(f"mutant survives: {mutant}")
    if not claim.instances:
        yield ("no instance: nothing shows that the hypotheses agree with each other, or that the "
               "claim says what is meant")
    for instance in claim.instances:
        yield from failures(claim, instance)
    if not claim.mutants:
        yield "no mutant: no false variant of the claim was tried"


def same(claimed: Equation, assumed: Equation) -> bool:
    """Whether two equations have the same sides, multiplied out, in either order."""
    sides = [polynomial(side) for side in claimed]
    return [polynomial(side) for side in assumed] in (sides, sides[::-1])


def survives(claim: Claim, mutant: sp.Expr) -> bool:
    """Whether a false right-hand side looks true to the rewriting or on all instances; a false
    bound: is never negative."""
    if claim.signs and not any(negative(mutant, instance) for instance in claim.instances):
        return True
    rewrites = vanishes(claim.lhs - mutant, claim.given)
    holds = bool(claim.instances) and all(
        equal(claim.lhs, mutant, instance) for instance in claim.instances
    )
    return rewrites or holds


def failures(claim: Claim, instance: Instance) -> Iterator[str]:
    """The hypotheses and signs that an instance contradicts, and the claim if it does."""
    where = one_line(f"where {dict(instance)}")
    for left, right in claim.given:
        if not equal(left, right, instance):
            yield one_line(f"vacuous: {left} = {right} fails {where}")
    for sign in claim.signs:
        if negative(sign, instance):
            yield one_line(f"vacuous: {sign} >= 0 fails {where}")
    if claim.signs and negative(claim.lhs, instance):
        yield one_line(f"false: negative {where}")
    if not equal(claim.lhs, claim.rhs, instance):
        yield one_line(f"false {where}")


def status(reason: str) -> Status:
    """A claim or lemma without a reason against it is proved."""
    return "refused" if reason else "proved"


def one_line(what: object) -> str:
    """An exception with its type, or any text, in one line of bounded length."""
    text = f"{type(what).__name__}: {what}" if isinstance(what, BaseException) else str(what)
    return textwrap.shorten(text, LONGEST, placeholder=" ...")

"""Running lemmas: each claim is attacked in five ways, and what survives is proved.

A claim is refused, with the reason, when
  1. its residual lhs - rhs does not rewrite to a literal 0: false, or not decided;
  2. a hypothesis is idle: the proof goes through without it;
  3. a mutant survives: rewriting takes a false right-hand side for true, or no instance contradicts it;
  4. an instance fails: a hypothesis or the claim is wrong there, in exact rational arithmetic;
  5. it has hypotheses and no instance: they may contradict each other, and then they prove anything;
and an inequality (a claim with signs), when
  6. its right-hand side is not seen to be >= 0, or is without one of the signs;
  7. a mutant is never negative, or an instance contradicts a sign or the inequality.
"""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Literal

import sympy as sp

from scanproof.proofs.algebra import Claim, Instance, residual, vanishes
from scanproof.proofs.instances import Remembered, equal, sizes
from scanproof.proofs.signs import negative, seen

Status = Literal["proved", "refused", "not run"]  # "not run": the prover is not installed; SymPy always is
LONGEST = 200  # characters of a reason


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
    """What became of one claim: counts of its hypotheses, refuted mutants and instances, and their sizes N."""

    what: str
    status: Status
    hypotheses: int
    mutants: int
    instances: int
    sizes: tuple[int, ...]
    reason: str


@dataclass(frozen=True)
class Result:
    """What became of one lemma; `dataclasses.asdict` makes it a plain dict. `reason` is empty when it is proved."""

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
    """Check every claim of a lemma. Whatever goes wrong comes back as `refused`, with the reason in one line."""
    start = time.perf_counter()
    claims: list[ClaimResult] = []
    unstated = ""
    try:
        for claim in lemma.claims():
            claims.append(check(claim))
    except Exception as error:
        unstated = f"the claims could not be made: {one_line(error)}"
    reasons = [unstated, *(f"{c.what}: {c.reason}" for c in claims if c.reason), "" if claims else "no claims"]
    reason = next(filter(None, reasons), "")
    words = {field.name: getattr(lemma, field.name) for field in fields(Lemma) if field.name != "claims"}
    return Result(**words, status=status(reason), seconds=time.perf_counter() - start, claims=claims, reason=reason)


def check(claim: Claim) -> ClaimResult:
    """Attack one claim in the five ways of this module."""
    try:
        tried = replace(claim, instances=tuple(map(Remembered, claim.instances)))
        survivors = [mutant for mutant in claim.mutants if survives(tried, mutant)]
        reason = next(objections(tried, survivors), "")
    except Exception as error:
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
    if claim.signs and not seen(claim.rhs, claim.signs):
        yield one_line(f"no sign: {claim.rhs} is not made of {claim.signs} by sums and products")
    for sign in claim.signs:
        if seen(claim.rhs, tuple(other for other in claim.signs if other != sign)):
            yield one_line(f"idle sign of {sign}: the inequality is proved without it")
    for mutant in survivors:
        yield one_line(f"mutant survives: {mutant}")
    if claim.given and not claim.instances:
        yield "vacuous: hypotheses without an instance may contradict each other"
    for instance in claim.instances:
        yield from failures(claim, instance)


def survives(claim: Claim, mutant: sp.Expr) -> bool:
    """Whether a false right-hand side looks true to the rewriting or on all instances; a false bound: is never negative."""
    if claim.signs and not any(negative(mutant, instance) for instance in claim.instances):
        return True
    rewrites = vanishes(claim.lhs - mutant, claim.given)
    holds = bool(claim.instances) and all(equal(claim.lhs, mutant, instance) for instance in claim.instances)
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
    text = f"{type(what).__name__}: {what}" if isinstance(what, Exception) else str(what)
    return textwrap.shorten(text, LONGEST, placeholder=" ...")

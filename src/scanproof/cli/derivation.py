"""One lemma as mathematics: each claim, its hypotheses, its proof, what was refuted."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby, islice
from operator import itemgetter

import sympy as sp
from rich.markup import escape
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.str import StrPrinter

from scanproof import proofs
from scanproof.cli.output import console, word
from scanproof.proofs import ClaimResult, Lemma, Result
from scanproof.proofs.engine.algebra import (
    Claim,
    Word,
    polynomial,
    residual,
    rewrite_once,
    single_word,
)

Terms = dict[Word, sp.Expr]

LONGEST = 240  # characters of a formula
PASSES = 200  # of rewriting that a derivation shows


def derive(lemma: Lemma, result: Result) -> None:
    """The lemma and each of its claims: what it says, the rewriting that proves it, and what was
    tried against it."""
    out = console()
    out.print(
        f"{word(result.status)}  {escape(f'{result.name}  ({result.seconds:.2f} s, {result.N})')}"
    )
    lines = [(label, getattr(result, label)) for label in ("statement", "source", "method", "role")]
    show_lines([*lines, *labelled("cited", result.cited), ("reason", result.reason)])
    out.print(f"\n{textwrap.indent(glossary(lemma), '    ')}\n", markup=False)
    out.print(
        "    Letters are matrices of any size, operators or numbers; 1 is the identity, "
        "X^H the adjoint (transpose).\n"
    )
    claims = islice(lemma.claims(), len(result.claims)) if result.claims else ()  # see the reason
    for i, (claim, found) in enumerate(zip(claims, result.claims, strict=True), 1):
        out.print(f"({i}) {word(found.status)}  {escape(claim.what)}")
        show_lines(derivation(claim, found))
        out.print()


def glossary(lemma: Lemma) -> str:
    """What the letters mean and how the argument goes: the words at the top of the lemma's
    module."""
    return next(
        (inspect.getdoc(topic) or "" for topic in proofs.TOPICS if lemma in topic.LEMMAS), ""
    )


def show_lines(lines: Iterable[tuple[str, str]]) -> None:
    """Each with its label; none for an empty text."""
    for label, text in lines:
        if text:
            console().print(f"    {label:9} {text}", markup=False)


def labelled(label: str, texts: Iterable[str]) -> list[tuple[str, str]]:
    """The label at the first line only."""
    return [("" if i else label, text) for i, text in enumerate(texts)]


def derivation(claim: Claim, found: ClaimResult) -> Iterator[tuple[str, str]]:
    """Labelled lines: hypotheses, the claim, its proof, what was refuted, instances; of a refused
    claim the reason."""
    yield from labelled(
        "given", (f"{mathematics(left)} = {mathematics(right)}" for left, right in claim.given)
    )
    yield "claim", claim.shown or mathematics(claim.lhs)
    if claim.lhs != claim.rhs:
        yield from [("", mathematics(claim.lhs))] if claim.shown else []
        yield "", f"= {mathematics(claim.rhs)}"
    if claim.signs:
        yield (
            "",
            f">= 0: a sum of products of {', '.join(map(mathematics, claim.signs))}, each >= 0",
        )
    if found.reason:
        yield "reason", found.reason
        return
    yield from proof(claim)
    if claim.given:
        yield "needed", "each hypothesis: without it the same rewriting leaves a rest"
    yield from labelled("refuted", (refuted(claim, mutant) for mutant in claim.mutants))
    if found.instances:
        sizes = f", of sizes N = {', '.join(map(str, found.sizes))}" if found.sizes else ""
        yield (
            "holds",
            f"exactly on {found.instances} instance{'s' * (found.instances > 1)} "
            f"in rational numbers{sizes}",
        )


def proof(claim: Claim) -> Iterator[tuple[str, str]]:
    """Both sides, evaluated or rewritten until they are one sum of words; consecutive steps by one
    hypothesis are one line."""
    sides = [
        [(by, [*same][-1][1]) for by, same in groupby(steps(side, claim), itemgetter(0))]
        for side in (claim.lhs, claim.rhs)
    ]
    ends = [by_rule[-1][1] for by_rule in sides]
    if claim.lhs == claim.rhs:
        yield "proof", f"SymPy evaluates both sides to {mathematics(claim.rhs)}"
    elif not claim.given and ends[0] == ends[1]:
        yield "proof", f"both sides, multiplied out, are {written(ends[0])}"
    else:
        for label, by_rule in zip(("left", "right"), sides, strict=True):
            yield from labelled(label, (f"= {written(terms)}    [{by}]" for by, terms in by_rule))
        alike = "the coefficients of both sides simplify to the same"
        yield "", "both sides are the same" if ends[0] == ends[1] else alike


def steps(side: sp.Expr, claim: Claim) -> Iterator[tuple[str, Terms]]:
    """One side after each step. A word always meets the first hypothesis that fits, as in
    `algebra.rewritten`."""
    rules = [(single_word(left), polynomial(right)) for left, right in claim.given]
    terms = substituted(polynomial(side), {})
    yield "multiplied out", terms
    for _ in range(PASSES):
        fits = {
            w: next(
                (i for i, rule in enumerate(rules) if rewrite_once(w, [rule]) is not None), None
            )
            for w in terms
        }
        used = min((i for i in fits.values() if i is not None), default=None)
        if used is None:
            return
        terms = substituted(
            terms, {w: rewrite_once(w, [rules[used]]) for w, i in fits.items() if i == used}
        )
        left, right = claim.given[used]
        yield f"by {mathematics(left)} = {mathematics(right)}", terms
    raise ValueError(f"derivation: more than {PASSES} steps")


def substituted(terms: Terms, words: Mapping[Word, Terms | None]) -> Terms:
    """Some words replaced by sums of words; words whose coefficients cancel are left out."""
    found: dict[Word, list[sp.Expr]] = {}
    for old, c in terms.items():
        for new, factor in (words.get(old) or {old: sp.Integer(1)}).items():
            found.setdefault(new, []).append(c * factor)
    added = {new: sp.expand(sp.Add(*cs)) for new, cs in found.items()}
    return {new: c for new, c in added.items() if c != 0}


def refuted(claim: Claim, mutant: sp.Expr) -> str:
    """A false right-hand side and what rewriting leaves; of an inequality a smaller left-hand
    side."""
    if claim.signs:
        return f"{mathematics(mutant)} >= 0: negative on some instance"
    rest = residual(claim.lhs - mutant, claim.given)
    return f"= {mathematics(mutant)}: left - right leaves {mathematics(rest)}"


def written(terms: Terms) -> str:
    """A sum of words."""
    return mathematics(sp.Add(*(c * sp.Mul(*letters) for letters, c in terms.items())))


def mathematics(formula: sp.Expr) -> str:
    """M^H M + 2 A^3 x, shortened where it is longer than anyone reads."""
    text = InWords().doprint(formula).replace("**", "^").replace("*", " ")
    return textwrap.shorten(text, LONGEST, placeholder=" ...")


class InWords(StrPrinter):
    """SymPy's own, but for adjoints, their powers, and factorials."""

    def _print_adjoint(self, formula: sp.Expr) -> str:
        return f"{self.parenthesize(formula.args[0], PRECEDENCE['Pow'])}^H"

    def _print_Pow(self, formula: sp.Expr, rational: bool = False) -> str:
        if not isinstance(formula.base, sp.adjoint):
            return str(super()._print_Pow(formula, rational))
        return f"({self._print(formula.base)})^{formula.exp}"

    def _print_factorial(self, formula: sp.Expr) -> str:
        return f"{self.parenthesize(formula.args[0], PRECEDENCE['Atom'], strict=True)}!"

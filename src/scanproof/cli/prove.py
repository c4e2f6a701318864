"""`scanproof prove`: the lemmas by SymPy, the theorems of Coq, the certificates of Gappa, and the chain that they make."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

import sympy as sp
from rich.markup import escape
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.str import StrPrinter

from scanproof import proofs
from scanproof.cli.app import ACCEPTED, REJECTED, UNDECIDED
from scanproof.cli.output import console, number, print_json, progress, table, waiting, word
from scanproof.proofs import ClaimResult, Lemma, Result, chain, coq_layer, gappa_layer
from scanproof.proofs.algebra import Claim, Word, polynomial, residual, rewrite_once, single_word
from scanproof.proofs.chain import Chain, Link
from scanproof.proofs.coq_layer import TheoremResult
from scanproof.proofs.gappa_layer import Certificate
from scanproof.proofs.run import Status

Proved = Result | TheoremResult | Certificate
Terms = dict[Word, sp.Expr]

LONGEST = 240  # characters of a formula
PASSES = 200  # of rewriting that a derivation shows
QUANTITIES = ("product", "addend", "loss")


def run(name: str | None, coq: bool, gappa: bool, linked: bool, as_json: bool) -> int:
    """Proves and returns the exit code: 0 only if all is proved, 1 if anything is refused, 3 if a proof is not run."""
    lemmas, links = selected(name, linked)
    results = by_sympy(lemmas, as_json)
    theorems = by_coq(name if not linked else None, as_json) if coq or linked else []
    certificates = by_gappa(as_json) if gappa or linked else []
    chains = [chain.joined(link, results, theorems, certificates) for link in links]
    every: list[Proved] = [*results, *theorems, *certificates]
    if as_json:
        told: dict[str, Any] = {"format": "scanproof-prove/1", "lemmas": [asdict(result) for result in results]}
        told |= {"theorems": [asdict(theorem) for theorem in theorems]} if coq or linked else {}
        told |= {"certificates": [asdict(certificate) for certificate in certificates]} if gappa or linked else {}
        print_json(told | ({"chain": [chain.plain(one) for one in chains]} if linked else {}))
    elif linked:
        show_chain(chains, every)
    else:
        if name is None or coq:
            show_layers(results, theorems, coq)
        show_certificates(certificates)
        show_reasons(every)
        if name is not None:
            derive(lemmas[0], results[0])
    return verdict({one.status for one in every}.union(*(one.statuses for one in chains)))


def selected(name: str | None, linked: bool) -> tuple[list[Lemma], tuple[Link, ...]]:
    """The lemmas to prove, and the links to show: all, or one lemma and, linked, what else its links rest on.

    Raises:
        ValueError: no such lemma, or none that a link rests on.
    """
    every = proofs.lemmas()
    if name is not None and name not in {lemma.name for lemma in every}:
        raise ValueError(f"lemma: found {name!r}, expected one of {', '.join(lemma.name for lemma in every)}")
    links = chain.links(name) if linked else ()
    if linked and not links:
        raise ValueError(f"lemma: found {name!r}, on which no link of the chain rests")
    wanted = {name, *(other for link in links for other in link.lemmas)}
    return [lemma for lemma in every if name is None or lemma.name in wanted], links


def by_sympy(lemmas: Sequence[Lemma], quiet: bool) -> list[Result]:
    """The lemmas, one after the other."""
    results = []
    with progress(len(lemmas), quiet) as (bar, task):
        for lemma in lemmas:
            bar.update(task, description=lemma.name)
            results.append(proofs.prove(lemma))
            bar.advance(task)
    return results


def by_coq(name: str | None, quiet: bool) -> list[TheoremResult]:
    """The theorems of the Coq layer; those behind one lemma if it is named."""
    with waiting("coqc", quiet):
        return [theorem for theorem in coq_layer.check() if name is None or name in theorem.lemmas]


def by_gappa(quiet: bool) -> list[Certificate]:
    """The certificates of every step in every format."""
    with waiting("gappa", quiet):
        return list(gappa_layer.results())


def verdict(found: set[Status]) -> int:
    """A refusal counts more than a prover that is missing."""
    return REJECTED if "refused" in found else UNDECIDED if "not run" in found else ACCEPTED


# ---------------------------------------------------------------- tables
def show_layers(results: list[Result], theorems: list[TheoremResult], coq: bool) -> None:
    """The lemmas with what each prover says of them, then every theorem of Coq."""
    out = console()
    says = {r.name: of_lemma(r.name, theorems) if coq else "not asked" for r in results}
    rows = [(r.name, r.statement, r.N, r.status, says[r.name], f"{r.seconds:.2f} s") for r in results]
    out.print(table(("lemma", "statement", "N", "SymPy", "Coq", "time"), rows))
    out.print()
    if theorems:
        proved = [(t.name, t.statement, t.N, t.status, t.file, resting(t), f"{t.seconds:.1f} s") for t in theorems]
        out.print(table(("theorem", "statement", "N", "Coq", "file", "rests on", "time of the file"), proved))
        out.print()


def show_certificates(certificates: list[Certificate]) -> None:
    """Found and granted: products and addends in u, losses in smallest subnormals; * where only a component is proved."""
    if not certificates:
        return
    rows = [(c.name, *(compared(c, quantity) for quantity in QUANTITIES), c.status, f"{c.seconds:.2f} s") for c in certificates]
    console().print(table(("certificate", "product: found <= granted", "addend", "loss", "Gappa", "time"), rows))
    for cited in sorted({f"* of a component; cited of the modulus: {text}" for c in certificates for text in c.cited}):
        console().print(cited, markup=False)
    console().print()


def compared(certificate: Certificate, quantity: str) -> str:
    """What Gappa found beside what Python grants."""
    found = number(certificate.found[quantity]) if certificate.found else "-"
    star = "*" if certificate.cited and quantity == "product" else ""
    return f"{found}{star} <= {number(certificate.granted[quantity])}"


def show_reasons(results: Sequence[Proved]) -> None:
    """Whatever is not proved, by status and reason: a missing prover has one reason for all."""
    found: dict[tuple[str, str], list[str]] = {}
    for result in results:
        if result.reason:
            found.setdefault((result.status, result.reason), []).append(result.name)
    for (status, reason), names in found.items():
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        console().print(f"{word(status)}  ", end="")
        console().print(f"{', '.join(names[:3])}{more}: {reason}", markup=False)


def of_lemma(name: str, theorems: list[TheoremResult]) -> str:
    """One word for the theorems that say the same as a lemma: the worst; none where Coq has no such theorem."""
    found = {theorem.status for theorem in theorems if name in theorem.lemmas}
    return next((status for status in reversed(chain.WORSE) if status in found), "-")


def resting(theorem: TheoremResult) -> str:
    """The axioms by their last names; "nothing" only of what is proved."""
    names = [name.rsplit(".", 1)[-1] for name in theorem.assumptions]
    return ", ".join(names) or ("nothing" if theorem.status == "proved" else "-")


def show_chain(chains: list[Chain], results: Sequence[Proved]) -> None:
    """Each link: Python, SymPy, Coq, Gappa, then in words what no machine has proved."""
    out = console()
    for one in chains:
        link = one.link
        out.print(f"[bold]{escape(link.name)}[/]\n    {escape(link.says)}")
        show_lines([("Python", ", ".join(link.python))])
        for prover, found in (("SymPy", one.lemmas), ("Coq", one.theorems), ("Gappa", one.certificates)):
            for status, names in groupby(sorted(found, key=found.__getitem__), found.__getitem__):
                out.print(f"    {prover:9} {word(status)}  {escape('; '.join(names))}")
        for label in ("argued", "cited", "assumed", "tested"):
            show_lines(labelled(label, getattr(link, label)))
        out.print()
    show_reasons(results)


# ---------------------------------------------------------------- one lemma, step by step
def derive(lemma: Lemma, result: Result) -> None:
    """The lemma and each of its claims: what it says, the rewriting that proves it, and what was tried against it."""
    out = console()
    out.print(f"{word(result.status)}  {escape(f'{result.name}  ({result.seconds:.2f} s, {result.N})')}")
    told = [(label, getattr(result, label)) for label in ("statement", "source", "method", "role")]
    show_lines([*told, *labelled("cited", result.cited), ("reason", result.reason)])
    out.print("    Letters are matrices of any size, operators or numbers; 1 is the identity, X^H the adjoint (transpose).\n")
    claims = islice(lemma.claims(), len(result.claims))  # where making the next one fails, the reason has said so
    for i, (claim, found) in enumerate(zip(claims, result.claims, strict=True), 1):
        out.print(f"({i}) {word(found.status)}  {escape(claim.what)}")
        show_lines(derivation(claim, found))
        out.print()


def show_lines(lines: Iterable[tuple[str, str]]) -> None:
    """Each with its label; none for an empty text."""
    for label, text in lines:
        if text:
            console().print(f"    {label:9} {text}", markup=False)


def labelled(label: str, texts: Iterable[str]) -> list[tuple[str, str]]:
    """The label at the first line only."""
    return [("" if i else label, text) for i, text in enumerate(texts)]


def derivation(claim: Claim, found: ClaimResult) -> Iterator[tuple[str, str]]:
    """Labelled lines: hypotheses, the claim, its proof, what was refuted, instances; of a refused claim the reason."""
    yield from labelled("given", (f"{mathematics(left)} = {mathematics(right)}" for left, right in claim.given))
    yield "claim", mathematics(claim.lhs)
    yield "", f"= {mathematics(claim.rhs)}"
    if claim.signs:
        yield "", f">= 0: a sum of products of {', '.join(map(mathematics, claim.signs))}, each >= 0"
    if found.reason:
        yield "reason", found.reason
        return
    yield from proof(claim)
    if claim.given:
        yield "needed", "each hypothesis: without it the same rewriting leaves a rest"
    yield from labelled("refuted", (refuted(claim, mutant) for mutant in claim.mutants))
    if found.instances:
        sizes = f", of sizes N = {', '.join(map(str, found.sizes))}" if found.sizes else ""
        yield "holds", f"exactly on {found.instances} instance{'s' * (found.instances > 1)} in rational numbers{sizes}"


def proof(claim: Claim) -> Iterator[tuple[str, str]]:
    """Both sides, rewritten until they are one sum of words; consecutive steps by one hypothesis are one line."""
    sides = [[(by, [*same][-1][1]) for by, same in groupby(steps(side, claim), itemgetter(0))] for side in (claim.lhs, claim.rhs)]
    ends = [by_rule[-1][1] for by_rule in sides]
    if claim.lhs == claim.rhs:
        yield "proof", "SymPy writes both sides as the same expression"
    elif not claim.given and ends[0] == ends[1]:
        yield "proof", f"both sides, multiplied out, are {written(ends[0])}"
    else:
        for label, by_rule in zip(("left", "right"), sides, strict=True):
            yield from labelled(label, (f"= {written(terms)}    [{by}]" for by, terms in by_rule))
        yield "", "both sides are the same" if ends[0] == ends[1] else "the coefficients of both sides simplify to the same"


def steps(side: sp.Expr, claim: Claim) -> Iterator[tuple[str, Terms]]:
    """One side after each step. A word always meets the first hypothesis that fits, as in `algebra.rewritten`."""
    rules = [(single_word(left), polynomial(right)) for left, right in claim.given]
    terms = substituted(polynomial(side), {})
    yield "multiplied out", terms
    for _ in range(PASSES):
        fits = {w: next((i for i, rule in enumerate(rules) if rewrite_once(w, [rule]) is not None), None) for w in terms}
        used = min((i for i in fits.values() if i is not None), default=None)
        if used is None:
            return
        terms = substituted(terms, {w: rewrite_once(w, [rules[used]]) for w, i in fits.items() if i == used})
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
    """A false right-hand side and what rewriting leaves; of an inequality a smaller left-hand side."""
    if claim.signs:
        return f"{mathematics(mutant)} >= 0: negative on some instance"
    return f"= {mathematics(mutant)}: left - right leaves {mathematics(residual(claim.lhs - mutant, claim.given))}"


def written(terms: Terms) -> str:
    """A sum of words."""
    return mathematics(sp.Add(*(c * sp.Mul(*letters) for letters, c in terms.items())))


def mathematics(formula: sp.Expr) -> str:
    """M^H M + 2 A^3 x, shortened where it is longer than anyone reads."""
    text = InWords().doprint(formula).replace("**", "^").replace("*", " ")
    return textwrap.shorten(text, LONGEST, placeholder=" ...")


class InWords(StrPrinter):
    """SymPy's own, but for adjoints."""

    def _print_adjoint(self, formula: sp.Expr) -> str:
        return f"{self.parenthesize(formula.args[0], PRECEDENCE['Pow'])}^H"

"""What `scanproof prove` prints: lemmas, theorems, certificates, links, what is not proved."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.markup import escape

from scanproof.cli.derivation import labelled, show_lines
from scanproof.cli.output import console, number, table, word
from scanproof.proofs import Result
from scanproof.proofs.chain import chain
from scanproof.proofs.chain.chain import Chain
from scanproof.proofs.coq.coq_layer import TheoremResult
from scanproof.proofs.gappa.gappa_layer import Certificate

Proved = Result | TheoremResult | Certificate

ABOUT = (
    "scans in every order, rounding, rotations, the layers LRU and RotRNN with their gradients, "
    "and Householder products"
)
QUANTITIES = ("product", "addend", "loss")


def show_layers(results: list[Result], theorems: list[TheoremResult] | None) -> None:
    """The lemmas with what each prover says of them, then every theorem of Coq."""
    out = console()
    says = {
        r.name: "not asked" if theorems is None else of_lemma(r.name, theorems) for r in results
    }
    rows = [
        (r.name, r.statement, r.N, citing(r), says[r.name], f"{r.seconds:.2f} s") for r in results
    ]
    out.print(table(("lemma", "statement", "N", "SymPy", "Coq", "time"), rows))
    out.print()
    if theorems:
        proved = [
            (t.name, t.statement, t.N, t.status, t.file, resting(t), f"{t.seconds:.1f} s")
            for t in theorems
        ]
        out.print(
            table(
                ("theorem", "statement", "N", "Coq", "file", "rests on", "time of the file"), proved
            )
        )
        out.print()


def citing(result: Result) -> str:
    """The status, with the number of facts that the argument cites and does not prove."""
    return (
        f"{result.status}, cites {len(result.cited)}"
        if result.status == "proved" and result.cited
        else result.status
    )


def show_sum(results: Sequence[Result]) -> None:
    """How many lemmas are proved, about what, and what was tried against them."""
    claims = [claim for result in results for claim in result.claims]
    proved = sum(result.status == "proved" for result in results)
    seconds = sum(result.seconds for result in results)
    mutants = sum(claim.mutants for claim in claims)
    instances = sum(claim.instances for claim in claims)
    counts = f"{len(claims)} claims, {mutants} false variants refuted, {instances} exact instances"
    console().print(f"{proved} of {len(results)} lemmas proved in {seconds:.1f} s: {counts}.")
    cite = sum(bool(result.cited) for result in results)
    console().print(
        f"{cite} of them cite facts that they do not prove (--lemma names them), "
        f"{len(results) - cite} cite none."
    )
    console().print(
        f"About {ABOUT}.\nOne of them step by step: scanproof prove --lemma {results[0].name}"
    )


def show_certificates(certificates: list[Certificate]) -> None:
    """Found and granted: products and addends in u, losses in smallest subnormals; * where only a
    component is proved."""
    if not certificates:
        return
    rows = [
        (
            c.name,
            *(compared(c, quantity) for quantity in QUANTITIES),
            c.status,
            f"{c.seconds:.2f} s",
        )
        for c in certificates
    ]
    console().print(
        table(("certificate", "product: found <= granted", "addend", "loss", "Gappa", "time"), rows)
    )
    for cited in sorted(
        {
            f"* of a component; cited of the modulus: {text}"
            for c in certificates
            for text in c.cited
        }
    ):
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
    """One word for the theorems that say the same as a lemma: the worst; none where Coq has no
    such theorem."""
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
        for prover, found in (
            ("SymPy", one.lemmas),
            ("Coq", one.theorems),
            ("Gappa", one.certificates),
        ):
            for status, names in groupby(sorted(found, key=found.__getitem__), found.__getitem__):
                out.print(f"    {prover:9} {word(status)}  {escape('; '.join(names))}")
        for label in ("argued", "cited", "assumed", "tested"):
            show_lines(labelled(label, getattr(link, label)))
        out.print()
    show_reasons(results)

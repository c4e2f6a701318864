"""What is tried in tiny formats, and each term of the allowance weakened there: some evaluation
exceeds it, or it is slack.

    scanproof power tiny --write docs/measured/tiny.md     # runs everything, writes the tables

This takes minutes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby, product
from typing import NamedTuple

from scanproof.proofs.rounding.tiny_formats import VARIANTS, Format, Variant
from scanproof.proofs.rounding.tiny_operations import Hypothesis, hypotheses
from scanproof.proofs.rounding.tiny_scan import ORDERS, Conclusion, conclude
from scanproof.reference.arithmetic.error_model import ErrorModel

GRADUAL, _, TRUNCATION, FTZ, _, DAZ, STORED = VARIANTS
P3, WIDE = Format(3), Format(2, -2, 3)  # every input
P4, P5, GROWING = Format(4), Format(5), Format(3, -4, 2)  # drawn inputs
REAL, PRODUCTS, STEPS = (2, 3, 4, 5), (2, 3, 4), (2,)  # p of the hypotheses


class Trial(NamedTuple):
    """Inputs of one format, a variant and an order; without a seed every input."""

    form: Format
    variant: Variant
    order: str
    seed: int | None = None


class Weakened(NamedTuple):
    """A term, the model in which it is weakened, where that is tried, and the orders in which it is
    slack there."""

    term: str
    model: ErrorModel
    variant: Variant = GRADUAL
    orders: tuple[str, ...] = ("any",)
    form: Format = P3
    seed: int | None = None
    slack: tuple[str, ...] = ()


TRIALS = tuple(Trial(form, variant, order, seed) for (form, seed), variant, order in product(
    ((P3, None), (WIDE, None), (P4, 0), (P5, 0)), VARIANTS, ORDERS))  # fmt: skip
Weak = ErrorModel
WEAKENED = (
    Weakened("u halved", Weak(u=0.5), orders=ORDERS),
    Weakened("u not doubled", Weak(u=0.5), TRUNCATION, ORDERS),
    Weakened("d: one addition fewer", Weak(fewer_additions=1)),
    Weakened("beta removed", Weak(beta=0), orders=ORDERS),
    Weakened("beta halved", Weak(beta=0.5), orders=ORDERS),
    Weakened("beta halved", Weak(beta=0.5), orders=ORDERS, form=P5, seed=0),
    Weakened("l (eta) removed", Weak(product_loss=0), orders=ORDERS),
    Weakened("l (eta) halved", Weak(product_loss=0.5), orders=ORDERS),
    Weakened("m l removed: underflow of states", Weak(state_losses=0)),
    Weakened("m l: one product fewer", Weak(fewer_products=1)),
    Weakened("w removed: underflow of multipliers", Weak(multiplier_losses=0), form=WIDE),
    Weakened("w: one product fewer", Weak(fewer_multipliers=1), form=WIDE),
    Weakened("w without G^2", Weak(growth_in_w=0), form=GROWING, seed=4, slack=("any",)),
    Weakened("m l G without G", Weak(growth=0), form=GROWING, seed=4),
    Weakened("m l G (1 + w) without w", Weak(wrong_growth=0), form=WIDE, slack=("any",)),
    Weakened("(1 + xi) (1 + beta)^m of underflow removed", Weak(spread=0), slack=("any",)),
    Weakened("f removed: flushed sums", Weak(sum_loss=0), FTZ, ORDERS),
    Weakened("f halved", Weak(sum_loss=0.5), FTZ, ORDERS),
    Weakened("(m + 1) f: one sum fewer", Weak(fewer_sums=1), FTZ),
    Weakened("l removed: flushed products", Weak(product_loss=0), FTZ, ORDERS, slack=("any",)),
    Weakened("l of flushed products halved", Weak(product_loss=0.5), FTZ, ORDERS, slack=ORDERS),
    Weakened("read error of lam removed", Weak(read_lam=0), DAZ, ORDERS, WIDE),
    Weakened("r: stored lam trusted", Weak(unsure=True), STORED, ORDERS),
    Weakened("read error of b removed", Weak(read_b=0), DAZ, ORDERS, WIDE, slack=ORDERS),
)

# operations, and one for each conclusion
ROWS = 24 + len(TRIALS) + sum(len(weakened.orders) for weakened in WEAKENED)


def bite(weakened: Weakened, order: str) -> Conclusion:
    """The evaluations against the weakened allowance."""
    return conclude(weakened.form, weakened.variant, order, weakened.model, seed=weakened.seed)


# ---------------------------------------------------- the tables of docs/measured/tiny.md


class Row(NamedTuple):
    """One row of a table, and what is wrong with it, if anything is."""

    table: str
    text: str
    fault: str | None


def rows() -> Iterator[Row]:
    """All ROWS rows, each computed when it is asked for; deterministic, so that tests can look them
    up in the page."""
    for operation, tried in by_operation(hypotheses(REAL, PRODUCTS, STEPS)):
        worse = any(h.worst > 1 for h in tried)
        yield Row(
            "hypotheses",
            hypothesis_row(*operation, tried),
            f"{operation[0]} loses more than promised" if worse else None,
        )
    for trial in TRIALS:
        found = conclude(trial.form, trial.variant, trial.order, seed=trial.seed)
        fault = (
            f"{found.violations} violations: {trial.variant.name}, {trial.order}"
            if found.violations
            else None
        )
        yield Row("trials", trial_row(trial, found), fault)
    for weakened in WEAKENED:
        for order in weakened.orders:
            found = bite(weakened, order)
            wrong = (found.violations > 0) == (order in weakened.slack)
            yield Row(
                "weakened",
                weakened_row(weakened, order, found),
                f"{weakened.term} ({order}) is not as listed" if wrong else None,
            )


def page(found: Iterable[Row]) -> str:
    """docs/measured/tiny.md."""
    tables: dict[str, list[str]] = {"hypotheses": [], "trials": [], "weakened": []}
    for row in found:
        tables[row.table].append(row.text)
    return PAGE.format(**{name: "\n".join(texts) for name, texts in tables.items()})


def hypothesis_row(operation: str, variant: str, tried: list[Hypothesis]) -> str:
    worst = ", ".join(f"{h.worst:.4f} (p = {h.p})" for h in tried)
    return f"| {operation} | {variant} | {sum(h.tuples for h in tried):,} | {worst} |"


def trial_row(trial: Trial, found: Conclusion) -> str:
    where = (
        f"{trial.variant.name} | {trial.order} | {format_words(trial.form)} | {which(trial.seed)}"
    )
    return f"| {where} | {found.evaluations:,} | {found.violations} | {found.ratio:.4f} |"


def weakened_row(weakened: Weakened, order: str, found: Conclusion) -> str:
    lam, b = (", ".join(f"{x:g}" for x in part) for part in (found.example[:2], found.example[2:]))
    where = (f"{weakened.term} | {weakened.variant.name} | {order} | {format_words(weakened.form)} "
             f"| {which(weakened.seed)}")
    verdict = f"violated: lam = {lam}; b = {b}" if found.violations else "slack"
    return f"| {where} | {verdict} | {found.ratio:.4f} |"


def format_words(form: Format) -> str:
    return f"p = {form.p}, 2^{form.emin} to 2^{form.emax}"


def which(seed: int | None) -> str:
    return "every input" if seed is None else f"drawn, seed {seed}"


def by_operation(tried: Iterable[Hypothesis]) -> Iterator[tuple[tuple[str, str], list[Hypothesis]]]:
    """((operation, variant), its formats), sorted."""
    return ((key, list(group)) for key, group in groupby(sorted(tried, key=_operation), _operation))


def _operation(tried: Hypothesis) -> tuple[str, str]:
    return tried.operation, tried.variant


PAGE = """# Tiny formats: every evaluation

Written by `scanproof power tiny --write docs/measured/tiny.md`.
A tiny format has p significand bits and subnormals; its inputs are all its numbers with exponents
in the given range, and the subnormals; results have no upper limit. There the code of
`reference/allowance/rounding.py` is tried on all inputs, compared as integers. This tries the
transcription of a proved theorem ([theorem.md](../theorem.md)); nothing is extrapolated from it to
larger formats.

## Hypotheses: single operations

Largest error / promised error over all operands, subnormals included. At most 1, or the theorem
would not apply.

| operation | variant | operand tuples | largest ratio |
|---|---|---|---|
{hypotheses}

## Conclusions: h_3 of three steps

All (lam_2, lam_3, b_1, b_2, b_3), h_0 = 0; a drawn row has 16 magnitudes of each, with both signs.
`sequential`: four evaluations of one bracketing, each step fused or not; `any`: those of the other
bracketing too. The allowance is rounded down to an integer (in units of the format's smallest
subnormal, cubed), so the ratio can only be overstated.

| variant | order | format | inputs | evaluations | violations | largest error / allowance |
|---|---|---|---|---|---|---|
{trials}

## One term weakened

Weakened by its name in `reference/arithmetic/error_model.py`. Violated: with this input some
evaluation has an error beyond the weakened allowance. Slack: none has; the ratio is the largest
part of the weakened allowance that these inputs need.

| term | variant | order | format | inputs | what happens | error / weakened allowance |
|---|---|---|---|---|---|---|
{weakened}
"""

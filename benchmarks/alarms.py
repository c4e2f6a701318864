"""False alarms: honest evaluations of the bare scan, each judged under the class that it was computed in (docs/tightness.md).

Every evaluation follows from (seed, number) alone: `judged(planned(seed, number))` repeats one. None may be `outside`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import numpy as np

from scanproof.benchmarks.honest import Program, drawn
from scanproof.properties.compare import Comparison, compare
from scanproof.properties.strategies import LAMBDAS, SIZES, Domain, Draw, Shape
from scanproof.properties.verdict import judge_inputs
from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.certificate import certify
from scanproof.reference.inputs import Array, Inputs

DECLARED = (
    *(
        Arithmetic(dtype, **declared)
        for dtype in ("float16", "bfloat16")
        for declared in (
            {},
            {"order": "sequential"},
            {"accumulate": "float32"},
            {"accumulate": "float32", "order": "sequential", "store": "step"},
            {"accumulate": "float32", "order": "chunked:16", "store": "chunk"},
        )
    ),
    *(Arithmetic("float32", order=order) for order in ("any", "sequential", "chunked:16", "tree")),
    Arithmetic("float32", accumulate="float64"),
    Arithmetic("float32", operands="tf32"),
    Arithmetic("float32", rounding="truncate"),
    Arithmetic("float32", rounding="matrix"),
    Arithmetic("float32", subnormals="ftz"),
    Arithmetic("float32", subnormals="daz"),
    *(Arithmetic("float64", order=order) for order in ("any", "sequential")),
    *(Arithmetic("complex64", order=order) for order in ("any", "sequential", "chunked:16")),
    Arithmetic("complex64", contraction=False),
    Arithmetic("complex64", rounding="truncate"),
    Arithmetic("complex64", subnormals="daz"),
    Arithmetic("complex128"),
)
TIMES = (8, 64, 512, 2048)  # the lengths of the table; SHARES of the evaluations have them, the others any length up to the last
SHARES = (0.3, 0.15, 0.04, 0.015)
INTEGERS = 2**11  # elements up to which the truth is found by integers, which cost more


@dataclass(frozen=True)
class Plan:
    """One evaluation before it is computed. whole: multipliers 0, +-1, +-i and integers, for which the allowance is 0."""

    seed: int
    number: int
    arithmetic: Arithmetic
    program: Program
    shape: Shape
    lam: str
    size: str
    whole: bool
    varying: bool
    real_lam: bool
    h0: bool
    reverse: bool
    values: int

    def __str__(self) -> str:
        return ", ".join(f"{field.name} {getattr(self, field.name)}" for field in fields(self))


class Outcome(NamedTuple):
    """One evaluation judged; verdicts in words. ratios: allowance/error of the lanes that have an error, for the table."""

    declared: int  # index in DECLARED
    time: int
    lanes: int
    elements: int
    verdict: str
    ratio: float
    informative: float
    rounded: int
    ratios: tuple[float, ...]
    alarm: str | None


class Row(NamedTuple):
    """A line of the table; the fields are its columns (docs/tightness.md)."""

    format: str
    declared: str
    time: int
    calls: int
    lanes: int
    smallest: float
    median: float
    ratio: float
    informative: float
    rounded: float

    def __str__(self) -> str:
        shares = f"{self.informative:.2f} | {self.rounded:.2f}"
        bounds = f"{self.smallest:.3g} | {self.median:.3g}" if self.lanes else "- | -"
        words = f"{self.format} | {self.declared} | {self.time} | {self.calls} | {self.lanes}"
        return f"| {words} | {bounds} | {self.ratio:.3f} | {shares} |"


# ---------------------------------------------------------------- one evaluation


def planned(seed: int, number: int) -> Plan:
    """Evaluation `number` of the campaign with this seed; declarations take turns."""
    rng, arithmetic = np.random.default_rng([seed, number]), DECLARED[number % len(DECLARED)]
    h0, reverse, varying, real_lam = (bool(rng.random() < share) for share in (0.5, 0.25, 0.5, 0.2))
    return Plan(
        seed=seed,
        number=number,
        arithmetic=arithmetic,
        program=drawn(arithmetic, rng),
        shape=_shape(rng),
        lam=str(rng.choice(LAMBDAS)),
        size=str(rng.choice(SIZES)),
        whole=bool(rng.random() < 0.05),
        varying=varying,
        real_lam=real_lam and arithmetic.is_complex,
        h0=h0,
        reverse=reverse,
        values=int(rng.integers(2**32)),
    )


def _shape(rng: np.random.Generator) -> Shape:
    """Most lengths are short. Long ones have lanes enough to be cheap, a few of them have not."""
    other = round(2 ** (11 * rng.random(2).min()))
    time = int(rng.choice((*TIMES, other), p=(*SHARES, 1 - sum(SHARES))))
    wide = time > 16 and rng.random() < 0.9
    return (1, time, INTEGERS // time + 1) if wide else (int(rng.integers(1, 3)), time, int(rng.integers(1, 5)))


def drawn_inputs(plan: Plan) -> Inputs:
    """The arguments of this evaluation."""
    draw = Draw(plan.arithmetic, Domain(), plan.shape, plan.varying, plan.lam, plan.size, plan.values)
    batch, _, channels = plan.shape
    if plan.whole:
        return Inputs(draw.units(), draw.integers(plan.shape), draw.integers((batch, channels)) if plan.h0 else None, plan.reverse)
    inputs = draw.inputs(plan.h0, plan.reverse)
    if not plan.real_lam:
        return inputs
    return replace(inputs, lam=replace(draw, arithmetic=Arithmetic(plan.arithmetic.real_dtype)).multipliers())


def judged(plan: Plan) -> Outcome:
    """Computes and judges one evaluation."""
    inputs = drawn_inputs(plan)
    got, forward = plan.program.states(inputs), inputs.forward()
    certificate = certify(forward, plan.arithmetic)
    verdict = judge_inputs(got, inputs, plan.arithmetic, certificate)
    _, time, _ = plan.shape
    ratios: tuple[float, ...] = ()
    if time in TIMES:
        comparison = compare(got[:, ::-1] if plan.reverse else got, forward, certificate.truth, certificate.allowance)
        ratios = tightness(comparison, certificate.allowance.no_overflow)
    return Outcome(
        declared=DECLARED.index(plan.arithmetic),
        time=time,
        lanes=got.size // time,
        elements=got.size,
        verdict=verdict.verdict,
        ratio=verdict.ratio,
        informative=verdict.informative,
        rounded=round(verdict.rounded * got.size),
        ratios=ratios,
        alarm=f"{verdict}; {plan}" if verdict.verdict == "outside" else None,
    )


def tightness(found: Comparison, no_overflow: Array) -> tuple[float, ...]:
    """Largest allowance over largest error of each lane that has an error and an allowance everywhere."""
    known = (np.isfinite(found.bound) & no_overflow).all(axis=1)  # (batch, channels)
    error, bound = (x.max(axis=1)[known] for x in (found.error, found.bound))  # (lanes,)
    return tuple((bound[error > 0] / error[error > 0]).tolist())


def block(seed: int, first: int, last: int) -> list[Outcome]:
    """Evaluations first ... last - 1."""
    return [judged(planned(seed, number)) for number in range(first, last)]


# ---------------------------------------------------------------- the page


def table(outcomes: Iterable[Outcome]) -> list[Row]:
    """A row for every declaration and every length in TIMES that occurs."""
    cells: dict[tuple[int, int], list[Outcome]] = {}
    for outcome in outcomes:
        cells.setdefault((outcome.declared, outcome.time), []).append(outcome)
    return [row(cells[cell]) for cell in sorted(cells) if cell[1] in TIMES]


def row(outcomes: list[Outcome]) -> Row:
    """The row of evaluations of one declaration and length."""
    arithmetic, ratios = DECLARED[outcomes[0].declared], np.array([ratio for o in outcomes for ratio in o.ratios])
    return Row(
        format=arithmetic.dtype,
        declared=label(arithmetic),
        time=outcomes[0].time,
        calls=len(outcomes),
        lanes=ratios.size,
        smallest=float(ratios.min(initial=np.inf)),
        median=float(np.median(ratios)) if ratios.size else np.inf,
        ratio=max(o.ratio for o in outcomes),
        informative=float(np.mean([o.informative for o in outcomes])),
        rounded=sum(o.rounded for o in outcomes) / sum(o.elements for o in outcomes),
    )


def label(arithmetic: Arithmetic) -> str:
    """The order, and what else is declared and not the default."""
    words = [arithmetic.order]
    for field in fields(arithmetic)[1:]:
        value = getattr(arithmetic, field.name)
        if field.name != "order" and value != field.default:
            words.append("no contraction" if field.name == "contraction" else f"{field.name} {value}")
    return ", ".join(words)


def totals(outcomes: list[Outcome]) -> dict[str, int | float]:
    """What was computed, and how many evaluations had which verdict."""
    words = [o.verdict for o in outcomes]
    return {
        "evaluations": len(outcomes),
        "lanes": sum(o.lanes for o in outcomes),
        "elements": sum(o.elements for o in outcomes),
        **{word: words.count(word) for word in ("outside", "within", "nearest", "undecided")},
        "ratio": max(o.ratio for o in outcomes),
    }


def page(seed: int, outcomes: list[Outcome]) -> Iterator[str]:
    """The lines of docs/tightness.md."""
    found = totals(outcomes)
    yield from INTRODUCTION.format(seed=seed, passed=found["within"] + found["nearest"], **found).splitlines()
    yield ""
    yield "| format | class | T | calls | lanes | smallest | median | error/allowance | informative | rounded |"
    yield "|---|---|" + "---:|" * 8
    yield from map(str, table(outcomes))


INTRODUCTION = """\
# False alarms and tightness

Written by `scanproof power alarms --evaluations {evaluations} --seed {seed} --write docs/tightness.md`. Honest programs of the bare
scan are computed ([`benchmarks/honest.py`](../benchmarks/honest.py)) and judged as any result is, under the class that each was
computed in. By the theorem ([theorem.md](theorem.md)) none can be `outside`; so this checks the code and its constants, not the
theorem. That it found nothing does not prove the code, and says nothing about programs outside the classes of the table.

| | |
|---|---:|
| evaluations (one call judged as a whole) | {evaluations:,} |
| lanes (batch rows times channels, of all calls) | {lanes:,} |
| elements (states) | {elements:,} |
| `outside` | {outside:,} |
| `within` or `nearest` | {passed:,} |
| `undecided`: not refuted, but the allowance says too little, or overflow is possible | {undecided:,} |
| largest error/allowance | {ratio:.4f} |

**What is computed.** Every program that a class admits is drawn alike: `sequential`; Hillis and Steele's doubling; Blelloch's sweeps;
chunks with one carry; a bracketing drawn at random. Steps are separate or fused (each fused operation is rounded once, exactly),
complex ones contracted in six ways; float64 and complex128 are NumPy's own. Truncation, the alignment of matrix units, TF32
operands and flushes are formed from exact results. Inputs: |lam| near 0, around 1/2, near 1, exactly 1 and just above, constant
or varying (with resets), real ones for complex states too; magnitudes from subnormal to near overflow, constant inputs, whole numbers; with and without h0 and
reverse; lengths from 1 to 2048, of which the table shows four.

**Columns.** `calls`: evaluations of this class and length. `lanes`: lanes of these with an error that have an allowance throughout;
others (exact, or overflow is possible) are left out of the next two. `smallest`, `median`: over these lanes, largest allowance over largest
error, max over t of each. `error/allowance`: the largest of any element of the calls; where states are read back (`store`), of the
windows between them too. `informative`: share of the lanes whose allowance could tell zeros or a dropped carry
([verdicts.md](verdicts.md)), mean over the calls. `rounded`: share of elements that are the correct rounding of the exact state.
A large median is the price of a worst case: errors grow like the square root of the number of roundings, allowances like the number."""

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
from scanproof.properties.verdict import Verdict, judge_inputs
from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.certificate import certify
from scanproof.reference.inputs import Array, Inputs
from scanproof.reference.scan import at


def _sixteen_bits(dtype: str) -> tuple[Arithmetic, ...]:
    """The classes of a format that matrix units read."""
    wide = Arithmetic(dtype, accumulate="float32")
    stored = replace(wide, order="sequential", store="step"), replace(wide, order="chunked:16", store="chunk")
    return (Arithmetic(dtype), Arithmetic(dtype, order="sequential"), wide, *stored)


DECLARED = (
    *_sixteen_bits("float16"),
    *_sixteen_bits("bfloat16"),
    *(Arithmetic("float32", order=order) for order in ("any", "sequential", "chunked:16", "tree")),
    Arithmetic("float32", accumulate="float64"),
    Arithmetic("float32", operands="tf32"),
    Arithmetic("float32", rounding="truncate"),
    *(Arithmetic("float32", order=order, rounding="matrix") for order in ("any", "sequential")),
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
    """One evaluation before it is computed.

    values: "drawn"; "whole", multipliers 0, +-1, +-i and integers, for which the allowance is 0; or "cancelling", drawn, but
    some inputs take away what was carried.
    """

    seed: int
    number: int
    arithmetic: Arithmetic
    program: Program
    shape: Shape
    lam: str
    size: str
    values: str
    varying: bool
    real_lam: bool
    h0: bool
    reverse: bool
    draw: int

    def __str__(self) -> str:
        return ", ".join(f"{field.name}: {getattr(self, field.name)}" for field in fields(self))


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
        return f"| {words} | {bounds} | {_down(self.ratio)} | {shares} |"


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
        values=str(rng.choice(("drawn", "whole", "cancelling"), p=(0.85, 0.05, 0.1))),
        varying=varying,
        real_lam=real_lam and arithmetic.is_complex,
        h0=h0,
        reverse=reverse,
        draw=int(rng.integers(2**32)),
    )


def _shape(rng: np.random.Generator) -> Shape:
    """Most lengths are short. Long ones have lanes enough to be cheap, a few of them have not."""
    other = round(2 ** (11 * rng.random(2).min()))
    time = int(rng.choice((*TIMES, other), p=(*SHARES, 1 - sum(SHARES))))
    wide = time > 16 and rng.random() < 0.9
    return (1, time, INTEGERS // time + 1) if wide else (int(rng.integers(1, 3)), time, int(rng.integers(1, 5)))


def inputs_of(plan: Plan) -> Inputs:
    """The arguments of this evaluation."""
    draw = Draw(plan.arithmetic, Domain(), plan.shape, plan.varying, plan.lam, plan.size, plan.draw)
    batch, _, channels = plan.shape
    if plan.values == "whole":
        h0 = draw.integers((batch, channels)) if plan.h0 else None
        return Inputs(draw.units(), draw.integers(plan.shape), h0, plan.reverse)
    inputs = draw.inputs(plan.h0, plan.reverse)
    if plan.real_lam:
        inputs = replace(inputs, lam=replace(draw, arithmetic=Arithmetic(plan.arithmetic.real_dtype)).multipliers())
    return cancelling(inputs, draw.rng) if plan.values == "cancelling" else inputs


def cancelling(inputs: Inputs, rng: np.random.Generator) -> Inputs:
    """One input in four replaced by -lam_t h_{t-1}, rounded: such a sum leaves nothing but errors."""
    forward, wide = inputs.forward(), np.result_type(inputs.b.dtype, np.float64)
    b, h = forward.b.copy(), forward.start.astype(wide)
    with np.errstate(all="ignore"):
        for t in range(b.shape[1]):
            carried = at(forward.lam, t).astype(wide) * h  # (batch, channels)
            b[:, t] = np.where(rng.random(h.shape) < 0.25, (-carried).astype(b.dtype), b[:, t])
            h = carried + b[:, t]
    finite = np.where(np.isfinite(b), b, forward.b)
    return replace(inputs, b=finite[:, ::-1] if inputs.reverse else finite)


def judged(plan: Plan) -> Outcome:
    """Computes and judges one evaluation."""
    inputs = inputs_of(plan)
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
        alarm=alarm(plan, verdict) if verdict.verdict == "outside" else None,
    )


def alarm(plan: Plan, verdict: Verdict) -> str:
    """How to repeat an evaluation that is outside, and what it is."""
    call = f"judged(planned({plan.seed}, {plan.number}))"
    return f"{call} of scanproof.benchmarks.alarms: error/allowance {verdict.ratio:.4g}, {plan}: {verdict}"


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


def _down(ratio: float) -> str:
    """Four digits; what is below 1 is shown so."""
    return f"{np.floor(1e4 * ratio) / 1e4:.4f}"


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
    yield from INTRODUCTION.format(seed=seed, **found | {"ratio": _down(found["ratio"])}).splitlines()
    yield ""
    yield "| format | class | T | calls | lanes | smallest | median | error/allowance | informative | rounded |"
    yield "|---|---|" + "---:|" * 8
    yield from map(str, table(outcomes))


INTRODUCTION = """\
# False alarms and tightness

Written by `scanproof power alarms --evaluations {evaluations} --seed {seed} --write docs/tightness.md`. Honest programs of
the bare scan are computed ([`benchmarks/honest.py`](../benchmarks/honest.py)) and judged as any result is, each under the
class that it was computed in. By the theorem ([theorem.md](theorem.md)) none can be `outside`; so this checks the code, not
the theorem. A fault that no evaluation here meets stays unseen, and nothing is said about programs outside the classes of the
table.

| | |
|---|---:|
| evaluations (one call, judged as a whole) | {evaluations:,} |
| lanes of all calls (batch rows times channels) | {lanes:,} |
| elements of all calls (states) | {elements:,} |
| `outside` | {outside:,} |
| `within` | {within:,} |
| `nearest`: every element is correctly rounded | {nearest:,} |
| `undecided`: not refuted, but the allowance says too little, or overflow is possible | {undecided:,} |
| largest error/allowance, rounded down | {ratio} |

**What is computed.** Classes take turns; of the programs that a class admits, one is drawn. Bracketings: one step after the
other, the doubling of Hillis and Steele, the sweeps of Blelloch, chunks with one carry, a tree drawn at random. Steps are
separate or fused (each fused operation is rounded once, exactly), complex ones contracted in several ways; in float64 and
complex128 they are NumPy's own. Truncation, the alignment of matrix units, TF32 operands and flushes are formed from exact
results. Inputs: |lam| near 0, around 1/2, near 1, exactly 1 and just above, constant or varying (with resets), also real
beside complex states; magnitudes from subnormal to near overflow, constant inputs, whole numbers, inputs that cancel what was
carried; with and without h0 and reverse. Lengths go from 1 to 2048, and the table shows four.

**Columns.** `calls`: evaluations of this class and length. `lanes`: lanes of these calls with an error and with an allowance
throughout; others (exact, or overflow is possible) are left out of the next two. `smallest`, `median`: of allowance/error
over these lanes, the largest of each over time. `error/allowance`: the largest of any element of these calls, and of any
window where states are read back (`store`), rounded down. `informative`: share of lanes whose allowance could tell zeros or a
dropped carry ([verdicts.md](verdicts.md)), mean over the calls. `rounded`: share of elements that are the correct rounding of
the exact state. A large median is the price of a worst case: random errors grow like the square root of the number of
roundings, allowances like the number itself. A `smallest` near 1 is an allowance that an honest program uses up."""

"""False alarms: honest evaluations of the bare scan, each judged under its own class
(docs/measured/tightness.md).

Every evaluation follows from (seed, number) alone: `judged(planned(seed, number))` repeats one.
None may be `outside`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import numpy as np

from scanproof.benchmarks.campaigns.honest import Program, drawn
from scanproof.properties.compare import compare
from scanproof.properties.domain import Domain
from scanproof.properties.room import Draw
from scanproof.properties.systems.scan import ROOM, SIZES, drive, multipliers, units, whole
from scanproof.properties.verdict import Verdict
from scanproof.properties.verdict import judged as verdict_of
from scanproof.reference.allowance.certificate import certify
from scanproof.reference.allowance.certified import Certified
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Array, Inputs
from scanproof.reference.systems.scan import call_of
from scanproof.reference.transitions.diagonal import at

Shape = tuple[int, int, int]  # (batch, time, channels)


def _sixteen_bits(dtype: str) -> tuple[Arithmetic, ...]:
    """The classes of a format that matrix units read."""
    wide = Arithmetic(dtype, accumulate="float32")
    stored = (
        replace(wide, order="sequential", store="step"),
        replace(wide, order="chunked:16", store="chunk"),
    )
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
LAMBDAS = ("near 0", "half", "near 1", "exactly 1", "above 1")  # in the order of what was published
# the lengths of the table; SHARES of the evaluations have them, the others any length up to the
# last
TIMES = (8, 64, 512, 2048)
SHARES = (0.3, 0.15, 0.04, 0.015)
INTEGERS = 2**11  # elements up to which the truth is found by integers, which cost more


@dataclass(frozen=True)
class Plan:
    """One evaluation before it is computed.

    values: "drawn"; "whole", multipliers 0, +-1, +-i and integers, for which the allowance is 0; or
    "cancelling", drawn, but some inputs take away what was carried.
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
    """One evaluation judged; verdicts in words.

    ratios: allowance/error of the sequences that have an error, for the table.
    """

    declared: int  # index in DECLARED
    time: int
    sequences: int
    elements: int
    verdict: str
    ratio: float
    informative: float
    rounded: int
    ratios: tuple[float, ...]
    alarm: str | None


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
    """Most lengths are short.

    Long ones have sequences enough to be cheap, a few of them have not.
    """
    other = round(2 ** (11 * rng.random(2).min()))
    time = int(rng.choice((*TIMES, other), p=(*SHARES, 1 - sum(SHARES))))
    wide = time > 16 and rng.random() < 0.9
    return (
        (1, time, INTEGERS // time + 1)
        if wide
        else (int(rng.integers(1, 3)), time, int(rng.integers(1, 5)))
    )


def inputs_of(plan: Plan) -> Inputs:
    """The arguments of this evaluation."""
    batch, time, channels = plan.shape
    sizes = {"batch": batch, "time": time, "channels": channels}
    regime = {"varying": plan.varying, "lam": plan.lam, "size": plan.size}
    case = Draw(ROOM, plan.arithmetic, Domain(), sizes, regime, plan.draw)
    if plan.values == "whole":
        h0 = whole(case, (batch, channels)) if plan.h0 else None
        return Inputs(units(case), whole(case, plan.shape), h0, plan.reverse)
    lam, b = multipliers(case), drive(case, plan.shape)
    inputs = Inputs(lam, b, drive(case, (batch, channels)) if plan.h0 else None, plan.reverse)
    if plan.real_lam:
        real = replace(case, arithmetic=Arithmetic(plan.arithmetic.real_dtype))
        inputs = replace(inputs, lam=multipliers(real))
    return cancelling(inputs, case.rng) if plan.values == "cancelling" else inputs


def cancelling(inputs: Inputs, rng: np.random.Generator) -> Inputs:
    """Replaces one input in four by -lam_t h_{t-1}, rounded: only errors are left."""
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
    call, got = call_of(inputs), {"h": plan.program.states(inputs)}
    blocks = list(certify(call, plan.arithmetic, got))
    verdict = verdict_of(got, call, plan.arithmetic, blocks)
    _, time, _ = plan.shape
    size = got["h"].size
    (block,) = blocks  # sequences this short are judged whole
    return Outcome(
        declared=DECLARED.index(plan.arithmetic),
        time=time,
        sequences=size // time,
        elements=size,
        verdict=verdict.verdict,
        ratio=verdict.ratio,
        informative=verdict.informative,
        rounded=round(verdict.rounded * size),
        ratios=tightness(got["h"], block.results["h"][0]) if time in TIMES else (),
        alarm=alarm(plan, verdict) if verdict.verdict == "outside" else None,
    )


def alarm(plan: Plan, verdict: Verdict) -> str:
    """How to repeat an evaluation that is outside, and what it is."""
    call = f"judged(planned({plan.seed}, {plan.number}))"
    return (f"{call} of scanproof.benchmarks.campaigns.alarms: error/allowance "
            f"{verdict.ratio:.4g}, {plan}: {verdict}")


def tightness(got: Array, exact: Certified) -> tuple[float, ...]:
    """Largest allowance over largest error of each sequence that has both throughout."""
    found = compare(got, exact)
    known = np.isfinite(found.bound).all(axis=1)  # (batch, channels)
    error, bound = (x.max(axis=1)[known] for x in (found.error, found.bound))  # (sequences,)
    return tuple((bound[error > 0] / error[error > 0]).tolist())


def block(seed: int, first: int, last: int) -> list[Outcome]:
    """Evaluations first ... last - 1."""
    return [judged(planned(seed, number)) for number in range(first, last)]

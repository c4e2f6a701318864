"""How tight the allowances of layers are: each result of honest programs beside its own
(docs/measured/layers-tightness.md).

Every case follows from (seed, number) alone: `judged(seed, number)` repeats one. No result may be
`outside`.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from scanproof.benchmarks.campaigns.cases import CAMPAIGNS, MODES, cell, declared, planned
from scanproof.benchmarks.campaigns.programs import Program, results
from scanproof.properties.compare import error_enclosure
from scanproof.properties.verdict import judged as verdict_of
from scanproof.reference.allowance.certificate import outputs, pulled_back
from scanproof.reference.allowance.certified import Block, Certified
from scanproof.reference.call import Call
from scanproof.reference.inputs import Array

Certificates = dict[str, dict[str, Certified]]  # by mode and name of the result


class Finding(NamedTuple):
    """One result of one program in one mode.

    A sequence is a channel over time, or a whole parameter, with its largest allowance and error.
    """

    program: str
    result: str
    mode: str
    ratios: tuple[float, ...]  # allowance/error of the sequences that have an error
    sizes: tuple[float, ...]  # allowance/rms of the sequences whose truth is not zero
    informative: float  # share of sequences whose allowance could tell zeros or a dropped carry
    elements: int
    outside: int  # elements
    largest: float  # error/allowance
    verdict: str  # in one line


class Cost(NamedTuple):
    """Seconds of one case."""

    outputs: float  # truth and allowance of y and of the states, stages formed
    forward: float  # the reference in float64
    gradients: float  # truth and allowance of all gradients, adjoint recurrence
    vjp: float  # the reference's gradients in float64


class Outcome(NamedTuple):
    """One case judged."""

    number: int
    findings: tuple[Finding, ...]
    cost: Cost
    alarms: tuple[str, ...]


@threadpool_limits.wrap(limits=1)
def judged(seed: int, number: int) -> Outcome:
    """Computes one case by every program and judges every result in the modes that admit it.

    BLAS has one thread.
    """
    (regime, dtype), call = cell(number), planned(seed, number)
    inner, rng = declared(dtype, "any").inner, np.random.default_rng([seed, number, 1])
    everyone = CAMPAIGNS[regime.system].programs(inner, rng)
    exact, cost = certificates(call, dtype)
    found = tuple(one for program in everyone for one in findings(program, call, dtype, exact))
    alarms = tuple(alarm(seed, number, one) for one in found if one.outside)
    return Outcome(number, found, cost, alarms)


def block(seed: int, first: int, last: int) -> list[Outcome]:
    """Cases first ... last - 1."""
    return [judged(seed, number) for number in range(first, last)]


# ---------------------------------------------------------------- one case


def certificates(call: Call, dtype: str) -> tuple[Certificates, Cost]:
    """What every result is judged by in every mode, and what it costs."""
    found: Certificates = {}
    times = [perf_counter()]
    for mode in MODES:
        bare = outputs(call, declared(dtype, mode))
        times.append(perf_counter())
        found[mode] = bare | pulled_back(call, declared(dtype, mode))
        times.append(perf_counter())
    system, inside = call.system, call.inside(call.wide)
    system.run(system.constants(inside), inside, call.reverse)
    times.append(perf_counter())
    if system.pull_back is not None:
        bars = {str(system.argument[name].of): inside[name] for name in system.named("cotangent")}
        system.pull_back(inside, bars, call.reverse)
    seconds = np.diff([*times, perf_counter()]).tolist()
    return found, Cost(seconds[0], seconds[-2], seconds[1], seconds[-1])


def findings(program: Program, call: Call, dtype: str, exact: Certificates) -> Iterator[Finding]:
    """Every result of one program in every mode that admits it."""
    for name, got in results(program, call, declared(dtype, "any")).items():
        for mode in admitted(program, name):
            yield finding(program, call, dtype, mode, name, got, exact[mode][name])


def admitted(program: Program, name: str) -> list[str]:
    """The modes whose class contains this result: of outputs all."""
    adjoints = {mode: adjoint for mode, (_, adjoint) in MODES.items()}
    if not name.startswith("gradient"):
        return list(adjoints)
    return [mode for mode, adjoint in adjoints.items() if adjoint in ("any", program.adjoint)]


def finding(
    program: Program,
    call: Call,
    dtype: str,
    mode: str,
    name: str,
    got: Array,
    exact: Certified,
) -> Finding:
    """One result in one mode."""
    block = Block(slice(None), {name: [exact]})
    verdict = verdict_of({name: got}, call, declared(dtype, mode), [block])
    time = call.time_axis(name)
    over = tuple(range(got.ndim)) if time is None else (time,)
    high = error_enclosure(got, exact.truth)[1]
    error, bound = (np.atleast_1d(x.max(over)) for x in (high, exact.bound))
    rms = np.atleast_1d(_rms(np.abs(exact.truth.head), over))
    return Finding(
        program=program.name,
        result=name,
        mode=mode,
        ratios=_quotients(bound, error),
        sizes=_quotients(bound, rms),
        informative=verdict.informative,
        elements=got.size,
        outside=verdict.counts["outside"],
        largest=verdict.ratio,
        verdict=str(verdict),
    )


def _rms(size: Array, over: tuple[int, ...]) -> Array:
    """Scaled by a power of two, so that no square overflows or vanishes."""
    scale = np.ldexp(1.0, np.frexp(size.max(over, keepdims=True))[1] - 1)
    return np.asarray(np.sqrt(((size / scale) ** 2).mean(over)) * scale.squeeze(over))


def _quotients(bound: Array, part: Array) -> tuple[float, ...]:
    return tuple((bound[part > 0] / part[part > 0]).tolist())


def alarm(seed: int, number: int, one: Finding) -> str:
    """How to repeat a case with a result that is outside, and what that is."""
    regime, dtype = cell(number)
    call = f"judged({seed}, {number}) of scanproof.benchmarks.campaigns.tightness"
    what = f"{one.program} of {regime.system}, {regime}, {dtype}"
    return f"{call}: error/allowance {one.largest:.4g}, {what}: {one.verdict}"

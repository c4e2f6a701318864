"""What a search needs to know of a system: its laws, how cases are drawn, how results are judged, what must have decided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np

from scanproof.properties import expm_laws, laws, layer_draws, layer_laws, strategies
from scanproof.properties.expm_verdict import judge_expm
from scanproof.properties.expm_witness import expm_witness
from scanproof.properties.layer_calls import LayerCall, missing
from scanproof.properties.layer_shrink import simpler_layers
from scanproof.properties.layer_verdict import judge_call
from scanproof.properties.layer_witness import layer_witness
from scanproof.properties.shrink import Simpler, simpler_scans
from scanproof.properties.strategies import Domain
from scanproof.properties.verdict import Verdict, judge_inputs
from scanproof.properties.witness import witness
from scanproof.reference import certificate
from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.inputs import Inputs
from scanproof.reference.systems import LAYERS, declared, known_system

NEED_ZEROS = ("impulses", "time-invariance")


class Suite(NamedTuple):
    """The search's side of a system.

    declared: the declaration in full; draw: of a law's visit, with a seed; draws: Hypothesis strategy of a law's random cases;
    judged: the verdict over one result, and what laws see of it; shape: batch rows, steps and channels of a call;
    simpler: smaller calls to try; witness: of a failing one; applies: whether a law does; decisive: which must have been within;
    missing: results that should have been among those returned.
    """

    laws: tuple[Any, ...]
    declared: Callable[[Arithmetic], Arithmetic]
    draw: Callable[..., Any]
    draws: Callable[[Any, Arithmetic, Domain], Any]
    judged: Callable[[Any, Any, Any], tuple[Verdict, Any]]
    shape: Callable[[Any], dict[str, int]]
    simpler: Simpler[Any]
    witness: Callable[..., Any]
    applies: Callable[[Any, Arithmetic, Domain], bool]
    decisive: Callable[[Arithmetic, Domain], list[str]]
    missing: Callable[[Any, Any], set[str]] = lambda call, got: set()


@cache
def suite_of(system: str) -> Suite:
    """The suite of a system. Raises ValueError for an unknown one."""
    return _layer(system) if known_system(system) in LAYERS else {"scan": SCAN, "expm": EXPM}[system]


AXES = {"scan": ("lam", "lengths", "channels", "positive"), "expm": ("states",)}  # of other systems:
LAYER_AXES = ("lengths", "channels", "states")


def fitted(system: str, domain: Domain) -> Domain:
    """The domain as far as the system has it. Raises ValueError, naming what it has not."""
    for f in fields(domain):
        found = getattr(domain, f.name)
        if found != f.default and f.name not in AXES.get(system, LAYER_AXES):
            shown = ",".join(map(str, sorted(found))) if isinstance(found, frozenset) else found
            raise ValueError(f"{f.name}: found {shown} with system {system}, which has no such choice, expected none")
    if domain.states is None or system not in LAYERS:
        return domain
    step = LAYERS[system].multiple
    states = frozenset(n for n in domain.states if n % step == 0 and n <= layer_draws.LARGEST)
    if not states:
        expected = f"a multiple of {step} up to {layer_draws.LARGEST}, that can be searched (judge takes any size)"
        raise ValueError(f"states: found {', '.join(map(str, sorted(domain.states)))}, expected {expected}")
    return replace(domain, states=states)


# ---------------------------------------------------------------- the bare scan


def _judged_scan(got: Any, inputs: Inputs, arithmetic: Arithmetic) -> tuple[Verdict, laws.Run]:
    found = certificate.certify(inputs.forward(), arithmetic)
    bound = np.where(found.allowance.no_overflow, found.allowance.bound, np.inf)
    return judge_inputs(got, inputs, arithmetic, found), laws.Run(got, bound[:, ::-1] if inputs.reverse else bound)


def _scan_applies(law: laws.Law, arithmetic: Arithmetic, domain: Domain) -> bool:
    """Exact lanes exist for bracketings only; some laws need zeros among the inputs."""
    exact = arithmetic.bracketing or law.name != "exact-lanes"
    return exact and (domain.positive != "all" or law.name not in NEED_ZEROS)


def _scan_decisive(arithmetic: Arithmetic, domain: Domain) -> list[str]:
    """The laws that must have been within: exact lanes decide where few bits are kept; other algorithms have none."""
    if arithmetic.coarse:
        return ["exact-lanes"]
    if not arithmetic.bracketing:
        return ["equivalence"]
    needed = ("exact-lanes", "impulses", "equivalence")
    return [law.name for law in laws.LAWS if law.name in needed and _scan_applies(law, arithmetic, domain)]


SCAN = Suite(
    laws=laws.LAWS,
    declared=partial(declared, "scan"),
    draw=lambda arithmetic, domain, visit, seed: strategies.Draw(arithmetic, domain, **visit._asdict(), seed=seed),
    draws=lambda law, arithmetic, domain: strategies.draws(arithmetic, domain, domain.deck()),
    judged=_judged_scan,
    shape=lambda inputs: dict(zip(("batch", "time", "channels"), inputs.b.shape, strict=True)),
    simpler=simpler_scans,
    witness=witness,
    applies=_scan_applies,
    decisive=_scan_decisive,
)

# ---------------------------------------------------------------- layers


def _judged_layer(got: Any, call: LayerCall, arithmetic: Any) -> tuple[Verdict, layer_laws.Results]:
    return judge_call(got, call, arithmetic), layer_laws.Results(got)


def _layer_shape(call: LayerCall) -> dict[str, int]:
    """gradient_time: 0 of a call without y_bar; state: of one direction and head."""
    batch, time, width = call.u.shape
    gradient_time = time if call.y_bar is not None else 0
    return {"batch": batch, "time": time, "gradient_time": gradient_time, "width": width, "state": call.entered.h0.shape[-1]}


def _layer(system: str) -> Suite:
    draw = partial(layer_draws.LayerDraw, system)
    return Suite(
        laws=layer_laws.LAWS,
        declared=partial(declared, system),
        draw=lambda arithmetic, domain, visit, seed: draw(arithmetic, domain, **visit._asdict(), seed=seed),
        draws=lambda law, arithmetic, domain: layer_draws.draws(system, arithmetic, domain, law.longest),
        judged=_judged_layer,
        shape=_layer_shape,
        simpler=simpler_layers,
        witness=layer_witness,
        applies=lambda law, arithmetic, domain: True,
        decisive=lambda arithmetic, domain: ["impulses", "equivalence"],
        missing=missing,
    )

# ---------------------------------------------------------------- the exponential of skew matrices

EXPM = Suite(
    laws=expm_laws.LAWS,
    declared=partial(declared, "expm"),
    draw=lambda arithmetic, domain, visit, seed: expm_laws.ExpmDraw(arithmetic, domain, **visit._asdict(), seed=seed),
    draws=lambda law, arithmetic, domain: expm_laws.draws(arithmetic, domain),
    judged=lambda got, call, arithmetic: (judge_expm(got, call, arithmetic), got),
    shape=lambda call: {"stack": len(call.S), "n": call.S.shape[1]},
    simpler=expm_laws.simpler_expm,
    witness=expm_witness,
    applies=lambda law, arithmetic, domain: True,
    decisive=lambda arithmetic, domain: list(expm_laws.DECISIVE),
)

"""What `verify` says of published versions and of layers with one fault each: told apart."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import field, make_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scanproof.cli.verify_jobs import caught, written
from scanproof.properties.check import check
from scanproof.properties.outcome import Report
from scanproof.properties.versions.versions import ACCEPTED, AFTER, REJECTED, VERSIONS, Version
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.call import wide
from scanproof.reference.layers import named
from scanproof.reference.systems import system_of
from scanproof.report.model import VersionRow

DTYPE = "float32"
LAWS = ("impulses", "equivalence", "hand-over", "directions", "gradients")


def judge_version(name: str, seed: int, cases: int, witnesses: Path) -> list[VersionRow]:
    """One version as it stands, and after its re-parameterisation if it has one."""
    version = next(v for v in VERSIONS if v.name == name)
    report = _searched(version, version.implementation, seed, cases)
    word, after = _word(report), None
    if version.reparameterisation:
        after = _word(_searched(version, reparameterised(version), seed, cases))
    found = ACCEPTED if word == "within" else AFTER if after == "within" else REJECTED
    return [
        VersionRow(
            name=name,
            system=version.system,
            provenance=version.provenance,
            behaviour=version.behaviour,
            dtype=DTYPE,
            expected=version.expected,
            found=found if word in ("within", "outside", "contract broken") else word,
            verdict=word,
            after=after,
            caught_by=caught(report),
            witness=written(report, witnesses),
        )
    ]


def _searched(
    version: Version, implementation: Callable[..., Any], seed: int, cases: int
) -> Report:
    return check(
        version.system,
        in_float64(implementation),
        arithmetic=Arithmetic(DTYPE, stages="formed"),
        seed=seed,
        cases=cases,
        laws=LAWS,
    )


def _word(report: Report) -> Any:
    broken = report.fault is not None and report.fault[0] == "contract"
    return "contract broken" if broken else report.verdict


def in_float64(implementation: Callable[..., Any]) -> Callable[..., Any]:
    """The same map with its arguments in float64 and its results rounded once.

    Rounding less is always inside.
    """

    @functools.wraps(implementation)
    def widened(**arguments: Any) -> Any:
        given = {n: wide(x) if isinstance(x, np.ndarray) else x for n, x in arguments.items()}
        return _narrow(implementation(**given))

    widened.__signature__ = inspect.signature(implementation)  # type: ignore[attr-defined]
    return widened


def _narrow(got: Any) -> Any:
    if isinstance(got, Mapping):
        return {name: _narrow(x) for name, x in got.items()}
    return got.astype(np.complex64 if np.iscomplexobj(got) else np.float32)


def reparameterised(version: Version) -> Callable[..., Any]:
    """The version, given translated parameters."""
    parameters = system_of(version.system).named("parameter")
    kind = make_dataclass("Params", [(name, Any, field(default=None)) for name in parameters])
    translate = version.reparameterisation or (lambda params: params)

    @functools.wraps(version.implementation)
    def translated(**arguments: Any) -> Any:
        given = {name: arguments.pop(name) for name in parameters if name in arguments}
        return version.implementation(**named(translate(kind(**given))), **arguments)

    signature = inspect.signature(version.implementation)
    translated.__signature__ = signature  # type: ignore[attr-defined]
    return translated

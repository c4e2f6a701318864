"""What `verify` does with layers beside the laws: published versions told apart, and recordings."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from scanproof.benchmarks.peers.peers import Subject
from scanproof.properties.check import check
from scanproof.properties.implementation import InProcess
from scanproof.properties.layer_calls import LayerCall
from scanproof.properties.layer_verdict import judge_call
from scanproof.properties.outcome import Report
from scanproof.properties.versions.versions import ACCEPTED, AFTER, REJECTED, VERSIONS, Version
from scanproof.properties.worker import load
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Array
from scanproof.reference.layers import mapped
from scanproof.reference.systems import LAYERS
from scanproof.report.model import RecordingRow, VersionRow

VERSION_DTYPE = "float32"
VERSION_LAWS = ("impulses", "equivalence", "hand-over", "directions", "gradients")


def judge_version(name: str, seed: int, cases: int, witnesses: Path) -> list[VersionRow]:
    """One version as it stands, and after its re-parameterisation if it has one."""
    version = next(v for v in VERSIONS if v.name == name)
    report = _searched(version, version.implementation, seed, cases)
    after = _searched(version, reparameterised(version), seed, cases) if version.reparameterisation else None
    word, then = _word(report), None if after is None else _word(after)
    found = ACCEPTED if word == "within" else AFTER if then == "within" else REJECTED
    return [
        VersionRow(
            name=name,
            system=version.system,
            provenance=version.provenance,
            behaviour=version.behaviour,
            dtype=VERSION_DTYPE,
            expected=version.expected,
            found=found if word in ("within", "outside", "contract broken") else word,
            verdict=word,
            after=then,
            caught_by=[law.name for law in report.laws if law.verdict == "outside"],
            witness=str(report.witness.write(witnesses)) if report.witness else None,
        )
    ]


def _searched(version: Version, implementation: Callable[..., Any], seed: int, cases: int) -> Report:
    declared, wide = Arithmetic(VERSION_DTYPE, stages="formed"), in_float64(implementation)
    return check(version.system, wide, arithmetic=declared, seed=seed, cases=cases, laws=VERSION_LAWS)


def _word(report: Report) -> Any:
    return "contract broken" if report.fault and report.fault[0] == "contract" else report.verdict


def in_float64(implementation: Callable[..., Any]) -> Callable[..., Any]:
    """The same map with its arguments in float64 and its results rounded once: rounding less is always inside."""

    @functools.wraps(implementation)
    def wide(**arguments: Any) -> Any:
        return _narrow(implementation(**{name: _widened(x) for name, x in arguments.items()}))

    wide.__signature__ = inspect.signature(implementation)  # type: ignore[attr-defined]
    return wide


def _widened(x: Any) -> Any:
    return x.astype(np.complex128 if np.iscomplexobj(x) else np.float64) if isinstance(x, np.ndarray) else x


def _narrow(got: Any) -> Any:
    if isinstance(got, Mapping):
        return {name: _narrow(x) for name, x in got.items()}
    return got.astype(np.complex64 if np.iscomplexobj(got) else np.float32)


def reparameterised(version: Version) -> Callable[..., Any]:
    """The version, given translated parameters."""
    kind, translate = LAYERS[version.system].Params, version.reparameterisation
    names = [f.name for f in fields(kind)]

    @functools.wraps(version.implementation)
    def translated(**arguments: Any) -> Any:
        params = kind(**{name: x for name, x in arguments.items() if name in names})
        params = params if translate is None else translate(params)
        given = {name: getattr(params, name) for name in names if getattr(params, name) is not None}
        return version.implementation(**given, **{name: x for name, x in arguments.items() if name not in names})

    translated.__signature__ = inspect.signature(version.implementation)  # type: ignore[attr-defined]
    return translated


def layer_recording(subject: Subject, name: str, signal: Array) -> list[RecordingRow]:
    """One layer, as initialised, driven by a recording (batch, time, channels); [] where that is not offered."""
    declared, dtype = subject.arithmetic, subject.arithmetic.dtype
    rng, module = np.random.default_rng(0), LAYERS[subject.system].module
    sizes = {"state": 8, "ring": "paper-long"} if subject.system == "lru" else {"heads": 2, "head_dim": 4}
    params = mapped(module.init(rng, width=signal.shape[2], **sizes), lambda x: x.astype(dtype))
    u = (signal[:2] / np.abs(signal).max()).astype(dtype)
    call = LayerCall(subject.system, params, u)
    got = InProcess(load(subject.target), declared).call(call)
    if got is None:
        return []
    verdict = judge_call(got, call, declared)
    return [
        RecordingRow(
            recording=name,
            implementation=subject.name,
            dtype=dtype,
            verdict=verdict.verdict,
            reason=verdict.reason,
            ratio=verdict.ratio,
            bits_lost=verdict.bits_lost,
            steps=u.shape[1],
        )
    ]

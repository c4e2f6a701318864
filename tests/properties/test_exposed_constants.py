"""Constants that an implementation shows are judged themselves, and results as they follow from
them: there nothing is assumed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from calls import LAYERS, drawn

import scanproof
from scanproof.properties import shrink
from scanproof.properties.judge import formed
from scanproof.properties.verdict import judged
from scanproof.reference.allowance import certificate
from scanproof.reference.allowance.certified import GIVEN
from scanproof.reference.call import Call, called
from scanproof.reference.systems import SYSTEMS, lru, rotrnn

FLOAT32 = scanproof.Arithmetic("float32", order="sequential", stages="formed")
SHOWN = [(system, name) for system in LAYERS for name in SYSTEMS[system].exposed]


def call_of(system: str) -> Call:
    """A call of 40 steps whose parameters are drawn as published."""
    rng = np.random.default_rng(1)
    if system == "lru":
        params: Any = lru.init(rng, 6, 3, ring="paper-long", dtype=np.float32)
    else:
        params = rotrnn.init(rng, 2, 4, 3, dtype=np.float32)
    u = np.random.default_rng(2).standard_normal((1, 40, len(params.D))).astype(np.float32)
    return called(SYSTEMS[system], {"params": params, "u": u}, "float32")


def answer(call: Call, spoil: Any = None, from_spoiled: bool = True) -> dict[str, Any]:
    """What an honest layer returns, with its constants; `spoil` changes them before their use."""
    system, inside = call.system, call.inside(call.arguments)
    k = system.constants(inside)
    shown = k._replace(**spoil(k)) if spoil else k
    found = system.run(shown if from_spoiled else k, inside, call.reverse)
    left = {name: call.to_caller(system.result[name].axes, x) for name, x in found.items()}
    constants = {name: np.asarray(getattr(shown, name)) for name in system.exposed}
    return left | {"constants": constants}


def verdict_of(call: Call, got: Any) -> Any:
    """As `judge` gives it, but for what would explain it."""
    return judged(formed(got, call, FLOAT32), call, FLOAT32)


@pytest.mark.parametrize("system", LAYERS)
def test_honest_constants_are_not_refuted_and_sharpen_the_allowance(system: str) -> None:
    call = call_of(system)
    got = answer(call)
    verdict = scanproof.judge(call.system, got, arithmetic=FLOAT32, **call.arguments)
    assert verdict.verdict == "within"
    assert {"y", "h", f"y{GIVEN}", f"h{GIVEN}"} <= verdict.outputs.keys()
    usual = certificate.outputs(call, FLOAT32)["y"].bound
    sharper = certificate.exposed(call, FLOAT32, got["constants"])[f"y{GIVEN}"].bound
    assert (sharper <= usual).all()
    assert np.median(sharper / usual) < 0.5


@pytest.mark.parametrize("system", LAYERS)
def test_some_constants_may_be_shown_with_some_results(system: str) -> None:
    call = call_of(system)
    got, name = answer(call), SYSTEMS[system].exposed[0]
    some = {"y": got["y"], "constants": {name: got["constants"][name]}}
    verdict = verdict_of(call, some)
    assert verdict.verdict == "within"
    assert verdict.outputs.keys() == {f"constant {name}", "y", f"y{GIVEN}"}


@pytest.mark.parametrize(("system", "name"), SHOWN)
def test_a_wrong_constant_is_outside_itself(system: str, name: str) -> None:
    call = call_of(system)
    got = answer(call, lambda k: {name: getattr(k, name) * np.float32(1 + 2.0**-9)})
    wrong = {"y": got["y"], "constants": {name: got["constants"][name]}}
    verdict = verdict_of(call, wrong)
    assert verdict.verdict == "outside"
    assert f"of constant {name} exceed the allowance" in verdict.reason
    with pytest.raises(TypeError, match=f"^got: found constant {name}, expected y, h, h_last$"):
        verdict_of(call, {"constants": wrong["constants"]})


def test_what_does_not_follow_from_the_constants_is_a_theorem() -> None:
    """lam that is off by some ulps is admitted, and so is y, but not y from another lam."""
    call, ulps = call_of("lru"), np.float32(1 + 2.0**-20)
    got = answer(call, lambda k: {"lam": k.lam * ulps}, from_spoiled=False)
    assert verdict_of(call, {"y": got["y"], "h": got["h"]}).verdict == "within"
    verdict = verdict_of(call, got)
    assert (verdict.verdict, verdict.grade) == ("outside", "theorem")
    assert verdict.worst.output.endswith(GIVEN)


def test_other_names_and_shapes_are_one_line() -> None:
    call = call_of("lru")
    got = answer(call)
    lam = got["constants"]["lam"]
    for wrong, message in (
        ({"Lambda": lam}, "got: found constant Lambda, expected .* constants lam, gamma"),
        ({"lam": lam[:2]}, r"got: found shape \(2,\) for constant lam, expected \(6,\)"),
        ({"lam": lam.real.copy()}, "got: found dtype float32 for constant lam, expected complex64"),
    ):
        with pytest.raises(TypeError, match=message):
            verdict_of(call, got | {"constants": wrong})


@pytest.mark.slow
def test_a_search_judges_them_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shrink, "CALLS", 10)

    def layer(nu_log, theta_log, gamma_log, B_re, B_im, C_re, C_im, D, u):
        params = lru.Params(nu_log, theta_log, gamma_log, B_re, B_im, C_re, C_im, D)
        got = answer(called(SYSTEMS["lru"], {"params": params, "u": u}, "float32"))
        lam = got["constants"]["lam"] * np.float32(1 + push)
        return {"y": got["y"], "constants": {"lam": lam}}

    nine, two = frozenset({9}), frozenset({2})
    domain = scanproof.Domain(lengths=nine, channels=two, states=two)
    laws = ["impulses", "equivalence"]
    options: dict[str, Any] = {"domain": domain, "cases": 1, "laws": laws}
    arithmetic, push = replace(FLOAT32, order="any"), 0.0
    assert scanproof.check("lru", layer, arithmetic=arithmetic, **options).verdict == "within"
    push = 2.0**-10
    report = scanproof.check("lru", layer, arithmetic=arithmetic, **options)
    assert report.verdict == "outside"
    assert report.witness is not None
    assert report.witness.output == "constant lam"


@pytest.mark.parametrize("system", LAYERS)
def test_gradients_need_y_bar(system: str) -> None:
    call = drawn(system)
    got = {"y": call["u"], "grads": {"D": np.zeros_like(call["D"])}}
    told = "^got: found grads, expected them only where y_bar is given, the cotangent"
    with pytest.raises(TypeError, match=told):
        verdict_of(call, got)

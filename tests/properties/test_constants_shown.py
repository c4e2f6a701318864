"""Constants that an implementation shows: judged themselves, and outputs as they follow from them, where nothing is assumed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scanproof.properties.layer_calls import received
from scanproof.reference.layer_arithmetic import of_layer

import scanproof
from scanproof.reference import layer_certificate, lru, rotrnn
from scanproof.reference.systems import LAYERS

FLOAT32 = scanproof.Arithmetic("float32", order="sequential", stages="formed")
MODULES: dict[str, Any] = {"lru": lru, "rotrnn": rotrnn}


def answer(system: str, spoil: Any = None, from_spoiled: bool = True) -> tuple[Any, Any, dict[str, Any]]:
    """Parameters, inputs and what an honest float32 layer returns with its constants; `spoil` changes them before they are used."""
    module = MODULES[system]
    params = module.init(np.random.default_rng(1), dtype=np.float32, **({"ring": "paper-long"} if system == "lru" else {}))
    u = np.random.default_rng(2).standard_normal((1, 40, len(params.D))).astype(np.float32)
    k = module.constants(params)
    shown = k._replace(**spoil(k)) if spoil else k
    call = module.enter(params, u, None)
    y, h = module.run(shown if from_spoiled else k, call.u, call.h0)
    constants = {name: np.asarray(getattr(shown, name)) for name in LAYERS[system].hook}
    return params, u, {"y": y, "h": call.border.leave(h, 2), "constants": constants}


@pytest.mark.parametrize("system", MODULES)
def test_honest_constants_are_not_refuted_and_sharpen_the_allowance(system: str) -> None:
    params, u, got = answer(system)
    assert scanproof.judge(system, got, params=params, u=u, arithmetic=FLOAT32).verdict == "within"
    module, call, declared = MODULES[system], MODULES[system].enter(params, u, None), FLOAT32
    usual = layer_certificate.outputs(module, params, call, False, declared)["y"].bound
    sharper = layer_certificate.shown(module, params, call, False, declared, got["constants"])["y from constants"].bound
    assert (sharper <= usual).all()
    assert np.median(sharper / usual) < 0.5


@pytest.mark.parametrize(("system", "name"), [("lru", "lam"), ("lru", "gamma"), ("rotrnn", "P"), ("rotrnn", "xi"), ("rotrnn", "cos")])
def test_a_wrong_constant_is_outside_itself(system: str, name: str) -> None:
    params, u, got = answer(system, lambda k: {name: getattr(k, name) * np.float32(1 + 2.0**-9)})
    verdict = scanproof.judge(system, {"constants": got["constants"], "y": got["y"]}, params=params, u=u, arithmetic=FLOAT32)
    assert verdict.verdict == "outside"
    only = received({"constants": {name: got["constants"][name]}})
    assert list(only) == [f"constant {name}"]


def test_what_does_not_follow_from_the_constants_is_a_theorem() -> None:
    """lam that is off by some ulps is admitted, and so is y; but not both together, when y was made from another lam."""
    ulps = np.float32(1 + 2.0**-20)
    params, u, got = answer("lru", lambda k: {"lam": k.lam * ulps}, from_spoiled=False)
    without = scanproof.judge("lru", {"y": got["y"], "h": got["h"]}, params=params, u=u, arithmetic=FLOAT32)
    assert without.verdict == "within"
    verdict = scanproof.judge("lru", got, params=params, u=u, arithmetic=FLOAT32)
    assert (verdict.verdict, verdict.grade) == ("outside", "theorem")
    assert verdict.worst is not None
    assert verdict.worst.output.endswith("from constants")


def test_other_names_and_shapes_are_one_line() -> None:
    params, u, got = answer("lru")
    constants = got["constants"]
    for wrong, message in (
        ({"Lambda": constants["lam"]}, "got: found constant Lambda, expected .* constants lam, gamma"),
        ({"lam": constants["lam"][:2]}, r"got: found shape \(2,\) for constant lam, expected \(16,\)"),
        ({"lam": constants["lam"].real.copy()}, "got: found dtype float32 for constant lam, expected complex64"),
    ):
        with pytest.raises(TypeError, match=message):
            scanproof.judge("lru", got | {"constants": wrong}, params=params, u=u, arithmetic=FLOAT32)


def test_a_search_judges_them_too() -> None:
    def layer(
        nu_log: Any, theta_log: Any, gamma_log: Any, B_re: Any, B_im: Any, C_re: Any, C_im: Any, D: Any, u: Any, push: float = 0.0
    ) -> Any:
        params = lru.Params(nu_log, theta_log, gamma_log, B_re, B_im, C_re, C_im, D)
        k = lru.constants(params)
        y, _ = lru.run(k, u, lru.enter(params, u, None).h0)
        return {"y": y, "constants": {"lam": k.lam * np.float32(1 + push)}}

    domain = scanproof.Domain(lengths=frozenset({1, 9}))
    laws = ["impulses", "equivalence"]
    arithmetic = replace(FLOAT32, order="any")
    assert scanproof.check("lru", layer, arithmetic=arithmetic, domain=domain, cases=2, laws=laws).verdict == "within"

    def shows_another(nu_log: Any, theta_log: Any, gamma_log: Any, B_re: Any, B_im: Any, C_re: Any, C_im: Any, D: Any, u: Any) -> Any:
        return layer(nu_log, theta_log, gamma_log, B_re, B_im, C_re, C_im, D, u, push=2.0**-10)

    report = scanproof.check("lru", shows_another, arithmetic=arithmetic, domain=domain, cases=2, laws=laws)
    assert report.verdict == "outside"
    assert report.witness is not None


def test_gradients_need_y_bar() -> None:
    params, u, got = answer("lru")
    with pytest.raises(TypeError, match="found grads, expected them only where y_bar is given, the cotangent of y"):
        scanproof.judge("lru", {"y": got["y"], "grads": {"D": np.zeros_like(params.D)}}, params=params, u=u, arithmetic=FLOAT32)

"""docs/adding-a-system.md, followed: two modules and one registry line make a system that is judged, checked and shrunk."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scanproof.properties.layer_witness import LayerWitness

import scanproof
from scanproof.properties import suites
from scanproof.reference import systems

TOY = Path(__file__).parent / "toy"
FLOAT32 = scanproof.Arithmetic("float32", stages="formed")


@pytest.fixture(autouse=True)
def leaky(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The registry line."""
    monkeypatch.syspath_prepend(str(TOY))
    leaky = importlib.import_module("leaky")

    monkeypatch.setitem(systems.LAYERS, "leaky", systems.LayerModule(leaky, "leaky_cases", decay="lam", complex_states=False))
    suites.suite_of.cache_clear()
    yield leaky
    suites.suite_of.cache_clear()
    for name in ("leaky", "leaky_cases"):
        sys.modules.pop(name, None)


def layer(
    rate_log: Any, B: Any, C: Any, u: Any, h0: Any = None, reverse: bool = False, y_bar: Any = None, push: float = 0.0
) -> Any:  # fmt: skip
    """An implementation of its own: float32 step by step, with its adjoint; `push` spoils the carry."""
    lam, flip = np.exp(-np.exp(rate_log)) + np.float32(push), slice(None, None, -1 if reverse else 1)
    start = np.zeros((len(u), len(lam)), u.dtype) if h0 is None else h0
    states = [start]
    for b in (u @ B.T).swapaxes(0, 1)[flip]:
        states.append(lam * states[-1] + b)
    h = np.stack(states[1:], 1)[:, flip]
    if y_bar is None:
        return {"y": h @ C.T, "h": h}
    a, cotangents = np.zeros_like(start), list[Any]()
    for g in (y_bar @ C).swapaxes(0, 1)[flip][::-1]:
        a = lam * a + g
        cotangents.insert(0, a)
    lam_bar = sum((x * each).sum(0) for x, each in zip(states, cotangents, strict=False))
    bar = np.stack(cotangents, 1)[:, flip]
    grads = {"rate_log": -lam_bar * lam * np.exp(rate_log), "B": np.einsum("bts,btw->sw", bar, u)}
    return {"grads": grads | {"C": np.einsum("btw,bts->ws", y_bar, h), "u": bar @ B, "h0": lam * cotangents[0]}}


def test_the_page_names_the_steps_that_are_followed_here() -> None:
    page = (TOY.parents[1] / "docs/adding-a-system.md").read_text()
    files = re.findall(r"^\d\. `([^`]+)`", page, re.MULTILINE)
    assert files[:2] == ["reference/NAME.py", "properties/NAME.py"]
    assert len(files) <= 5
    assert page.count("LayerModule(") == 1


def test_an_honest_implementation_is_not_refuted() -> None:
    report = scanproof.check("leaky", layer, arithmetic=FLOAT32, cases=3)
    by_name = {law.name: law for law in report.laws}
    assert report.verdict == "within", str(report)
    assert by_name["gradients"].verdict == "within"
    assert by_name["directions"].verdict == "not run"


def test_a_wrong_one_is_and_leaves_a_witness(tmp_path: Path) -> None:
    def pushed(rate_log: Any, B: Any, C: Any, u: Any) -> Any:
        return layer(rate_log, B, C, u, push=2.0**-14)

    report = scanproof.check("leaky", pushed, arithmetic=FLOAT32, cases=3)
    assert report.verdict == "outside"
    assert isinstance(report.witness, LayerWitness)
    again = LayerWitness.model_validate_json(report.witness.write(tmp_path).read_text())
    judged = scanproof.judge("leaky", again.results(), params=again.inputs().params, u=again.inputs().u, arithmetic=FLOAT32)
    assert judged.verdict == "outside"


def test_recorded_outputs_are_judged(leaky: Any) -> None:
    rng = np.random.default_rng(0)
    params = leaky.Params(*(rng.standard_normal(shape).astype(np.float32) for shape in ((3,), (3, 2), (2, 3))))
    u = rng.standard_normal((1, 20, 2)).astype(np.float32)
    got = layer(params.rate_log, params.B, params.C, u)
    assert scanproof.judge("leaky", got, params=params, u=u).verdict == "within"
    got["y"][0, 7, 1] *= 1 + 2.0**-12
    worst = scanproof.judge("leaky", got, params=params, u=u).worst
    assert worst is not None
    assert worst.index == (0, 7, 1)


def test_bad_parameters_are_one_line(leaky: Any) -> None:
    params = leaky.Params(np.zeros(3, np.float32), np.ones((4, 2), np.float32), np.ones((2, 3), np.float32))
    expected = r"B: found state 4 in shape \(4, 2\), expected state 3 as in rate_log"
    with pytest.raises(ValueError, match=expected):
        scanproof.judge("leaky", np.zeros((1, 1, 2), np.float32), params=params, u=np.ones((1, 1, 2), np.float32))

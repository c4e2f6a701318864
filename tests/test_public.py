"""The public door: words as keywords, arguments in every form, the reference and its adjoint, errors in one line."""

from __future__ import annotations

import re
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from calls import bare, drawn

import scanproof
from scanproof.properties.implementation import InProcess
from scanproof.properties.systems import room_of
from scanproof.reference.call import Call
from scanproof.reference.systems import SYSTEMS

SECONDS = 0.3  # that `import scanproof` may take (docs/decisions); of the processor, since others may use it too
BATCHED = [name for name, system in SYSTEMS.items() if any("[batch]" in each.axes for each in system.arguments)]
LAYERS = [name for name, system in SYSTEMS.items() if system.gradients]


def answer(call: Call, dtype: str = "float32") -> dict[str, Any]:
    """What an honest implementation returns."""
    got = InProcess(room_of(call.system).honest, scanproof.Arithmetic(dtype)).call(call)
    assert got is not None
    return got


def raises(told: str) -> Any:
    """One line that begins so."""
    return pytest.raises((TypeError, ValueError), match=f"^{re.escape(told)}[^\n]*$")


def test_the_import_is_cheap_and_names_are_there_when_they_are_asked_for() -> None:
    code = (
        "import time; start = time.process_time(); import scanproof; spent = time.process_time() - start; "
        "import sys; print(spent, 'numpy' in sys.modules, *dir(scanproof)); "
        "print(*(getattr(scanproof, name).__module__ for name in scanproof.__all__))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    spent, numpy, *names = done.stdout.splitlines()[0].split()
    assert float(spent) < SECONDS
    assert numpy == "False"
    assert {*names} == {*scanproof.__all__, "__version__"}
    assert all(module.startswith("scanproof.") for module in done.stdout.splitlines()[1].split())
    with pytest.raises(AttributeError, match="module 'scanproof' has no attribute 'nonsense'"):
        _ = scanproof.nonsense


# ---------------------------------------------------------------- words of the declaration


@pytest.mark.parametrize("system", SYSTEMS)
def test_words_are_the_declaration(system: str) -> None:
    call = drawn(system)
    got: Any = answer(call)
    words: dict[str, Any] = {"subnormals": "daz", "dtype": "float32"}
    said = scanproof.judge(system, got, **call.arguments, **words)
    assert said.arithmetic == scanproof.Arithmetic(**words)
    assert said == scanproof.judge(system, got, **call.arguments, arithmetic=scanproof.Arithmetic(**words))
    assert scanproof.judge(SYSTEMS[system], got, **call.arguments).arithmetic == scanproof.Arithmetic("float32")


def searched(**more: Any) -> scanproof.Report:
    """A search that is short."""
    short: dict[str, Any] = {"domain": scanproof.Domain(lengths=frozenset({1, 2})), "cases": 1, "laws": ["linearity"]}
    return scanproof.check("scan", room_of("scan").honest, **short, **more)


def test_check_takes_words_or_a_declaration() -> None:
    assert searched(dtype="float32", order="tree").arithmetic == scanproof.Arithmetic("float32", order="tree")
    assert searched(arithmetic=scanproof.Arithmetic("float64")).arithmetic == scanproof.Arithmetic("float64")


WRONG: tuple[tuple[dict[str, Any], str], ...] = (
    ({"dtype": "float32", "arithmetic": scanproof.Arithmetic("float32")}, "dtype: found beside arithmetic, expected one of them"),
    ({"dtype": "float32", "order": "zigzag"}, "order: found 'zigzag', expected one of any, sequential"),
    ({"dtype": "float32", "gain": "one-minus-square"}, "gain: found one-minus-square with system scan, which has no such choice"),
    ({"dtype": "int32"}, "dtype: found 'int32', expected one of float16"),
    ({"arithmetic": "float32"}, "arithmetic: found 'float32', expected a declaration such as scanproof.Arithmetic('float32')"),
)


@pytest.mark.parametrize(("words", "told"), WRONG, ids=[told.partition(" ")[0] + str(i) for i, (_, told) in enumerate(WRONG)])
def test_wrong_words_are_one_line_everywhere(words: dict[str, Any], told: str) -> None:
    call = drawn("scan")
    with raises(told):
        scanproof.judge("scan", answer(call), **call.arguments, **words)
    with raises(told):
        searched(**words)
    with raises(told):
        scanproof.suite("scan", print, **words)


def test_an_unknown_word_is_named() -> None:
    call = drawn("scan")
    with raises("colour: found another argument, expected lam, b and at most h0, reverse"):
        scanproof.judge("scan", answer(call), **call.arguments, colour="red")
    with raises("word: found 'colour', expected one of dtype, subnormals"):
        searched(dtype="float32", colour="red")
    with raises("dtype: found none, expected a format such as float32, or arithmetic=scanproof.Arithmetic('float32')"):
        searched()


# ---------------------------------------------------------------- arguments


@pytest.mark.parametrize("system", LAYERS)
def test_parameters_come_as_keywords_as_a_mapping_or_as_an_object(system: str) -> None:
    call = drawn(system, start=True)
    params = {name: call[name] for name in SYSTEMS[system].named("parameter") if name in call.arguments}
    others = {name: x for name, x in call.arguments.items() if name not in params}
    got, bars = answer(call), {"y": np.ones_like(call["u"])}
    verdicts = [
        scanproof.judge(system, got, **call.arguments),
        scanproof.judge(system, got, params=params, **others),
        scanproof.judge(system, got, params=SimpleNamespace(**params), **others),
    ]
    assert verdicts == verdicts[:1] * 3
    for given in (call.arguments, {"params": params, **others}, {"params": SimpleNamespace(**params), **others}):
        assert same(scanproof.run(system, **given), scanproof.run(system, **call.arguments))
        assert same(scanproof.vjp(system, bars, **given), scanproof.vjp(system, bars, **call.arguments))
    name = next(iter(params))
    with raises(f"{name}: found in params and as a keyword, expected one of them"):
        scanproof.run(system, params=params, **others, **{name: params[name]})
    with raises("params: found int, expected a mapping of"):
        scanproof.run(system, params=3, **others)
    with raises(f"{name}: found none, expected "):
        scanproof.run(system, params={key: x for key, x in params.items() if key != name}, **others)


def same(one: dict[str, Any], two: dict[str, Any]) -> bool:
    """Whether two results are equal, bit by bit."""
    return {name: x.tobytes() for name, x in one.items()} == {name: x.tobytes() for name, x in two.items()}


@pytest.mark.parametrize("system", BATCHED)
def test_the_batch_axis_may_be_missing_everywhere(system: str) -> None:
    first = drawn(system, start=True, reverse=True).take("batch", slice(0, 1))
    call, got = bare(first), {name: x[0] for name, x in answer(first).items()}
    assert scanproof.judge(system, got, **call.keywords()).verdict in ("within", "nearest")
    whole = scanproof.run(system, **first.keywords())
    assert same(scanproof.run(system, **call.keywords()), {name: x[0] for name, x in whole.items()})
    if SYSTEMS[system].gradients:
        bars = {"y": np.ones_like(first["u"])}
        expected = scanproof.vjp(system, bars, **first.keywords())
        found = scanproof.vjp(system, {"y": bars["y"][0]}, **call.keywords())
        parameters = SYSTEMS[system].named("parameter")
        assert same(found, {name: x if name in parameters else x[0] for name, x in expected.items()})


# ---------------------------------------------------------------- the reference and its adjoint


@pytest.mark.parametrize("system", SYSTEMS)
def test_run_gives_every_result_by_name(system: str) -> None:
    """As the table says, and the first one is what an honest program returns."""
    call = drawn(system, "float64")
    found = scanproof.run(system, **call.keywords())
    expected = call.expected("float64")
    assert {name: (x.shape, x.dtype.name) for name, x in found.items()} == {name: expected[name] for name in SYSTEMS[system].result}
    assert scanproof.judge(system, found, **call.keywords()).verdict in ("within", "nearest")
    assert same(scanproof.run(SYSTEMS[system], **call.keywords()), found)


@pytest.mark.parametrize("system", SYSTEMS)
def test_vjp_gives_the_cotangent_of_every_argument(system: str) -> None:
    call = drawn(system, "float64", start=SYSTEMS[system].timed)
    if not SYSTEMS[system].gradients:
        with raises(f"system: found {system}, which has no adjoint here"):
            scanproof.vjp(system, {"y": np.ones(1)}, **call.keywords())
        return
    y_bar = np.ones_like(call["u"])
    found = scanproof.vjp(system, {"y": y_bar}, **call.keywords())
    assert {name: x.shape for name, x in found.items()} == {name: x.shape for name, x in call.arguments.items()}
    asked = call.but(y_bar=y_bar)
    verdict = scanproof.judge(system, {"grads": found}, **asked.keywords())
    assert verdict.verdict in ("within", "nearest")
    with raises("cotangents: found h, expected some of y"):
        scanproof.vjp(system, {"h": y_bar}, **call.keywords())
    with raises("cotangents: found none, expected some of y"):
        scanproof.vjp(system, {}, **call.keywords())


def test_an_unknown_system_lists_the_known() -> None:
    told = f"system: found 'mamba', expected one of {', '.join(SYSTEMS)}"
    for ask in (
        lambda: scanproof.run("mamba"),
        lambda: scanproof.vjp("mamba", {}),
        lambda: scanproof.judge("mamba", np.ones(1)),
        lambda: scanproof.check("mamba", print, dtype="float32"),
        lambda: scanproof.suite("mamba", print, dtype="float32"),
    ):
        with raises(told):
            ask()

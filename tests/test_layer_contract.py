"""The tables of docs/layers.md against what is called and expected, line by line, and against the .npz that `judge` reads."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scanproof.properties.layer_draws import LayerDraw, Sizes
from scanproof.properties.strategies import Domain

from scanproof.cli import judge as command
from scanproof.properties.implementation import InProcess
from scanproof.properties.judge import judge
from scanproof.properties.versions.plain_lru import Lru
from scanproof.properties.versions.plain_rotrnn import RotRnn
from scanproof.reference.arithmetic.declaration import Arithmetic

PAGE = (Path(__file__).parents[1] / "docs/layers.md").read_text()
TABLES = [[line.strip("| ").split(" | ") for line in table.splitlines()[2:]] for table in re.findall(r"(?:^\|.*\n)+", PAGE, re.MULTILINE)]
ARGUMENTS, RESULTS = TABLES[:2]
SIZES = Sizes(batch=2, time=5, width=3, state=4, heads=6)
PLAIN = {"lru": Lru(), "rotrnn": RotRnn()}
CASES = [(system, dtype, two) for system in PLAIN for dtype in ("float32", "float64") for two in (False, True)]


def made(system, dtype, two, gradients=True):
    draw = LayerDraw(system, Arithmetic(dtype, stages="formed"), Domain(), SIZES, seed=1)
    call = draw.call(bidirectional=two)
    return replace(call, h0=draw.states(call), reverse=True, y_bar=draw.cotangents() if gradients else None)


def told(system, dtype, two, shape, numbers):
    """A shape and a dtype as the page writes them."""
    names = SIZES._asdict() | {"head_dim": SIZES.state}
    sizes = eval(shape.replace("[2,]", "2," if two else "").replace(")", ",)").replace("/", "//").replace("(,)", "()"), names)
    complex_ = "complex128" if dtype == "float64" else "complex64"
    return sizes, {"real": dtype, "complex": complex_, "bool": "bool"}[numbers]


def rows(table, system):
    return [row[1:] for row in table if row[0] in ("layers", f"`{system}`")]


@pytest.mark.parametrize(("system", "dtype", "two"), CASES)
def test_arguments_are_as_the_page_says(system, dtype, two):
    call = made(system, dtype, two)
    said = {
        name: told(system, dtype, two, shape, numbers)
        for names, shape, numbers in rows(ARGUMENTS, system)
        for name in re.findall(r"`(\w+)`", names)
        if two or not name.startswith("C2")
    }
    assert said == {name: (np.shape(x), np.asarray(x).dtype.name) for name, x in call.keywords().items()}
    optional = {name for names, *_ in rows(ARGUMENTS, system) if "optional" in names for name in re.findall(r"`(\w+)`", names)}
    assert {*said} - call.required == optional | {name for name in said if name.startswith("C2")}


@pytest.mark.parametrize(("system", "dtype", "two"), CASES)
def test_results_are_as_the_page_says(system, dtype, two):
    call, arithmetic = made(system, dtype, two), Arithmetic(dtype, stages="formed")
    expected = call.expected(arithmetic) | call.expected_constants(arithmetic)
    said, arguments = {}, {name: (x.shape, dtype) for name, x in (call.named | {"u": call.u}).items()}
    for _, keys, shape, numbers in rows(RESULTS, system):
        for key in re.findall(r"`(\w+)`", keys):
            group = re.sub("^(gradient|constant)_", r"\1 ", key)
            form = {} if shape == "of NAME" else {group: told(system, dtype, two, shape, numbers)}
            said |= form or {f"gradient {name}": x for name, x in arguments.items()}
    assert said == expected


@pytest.mark.parametrize(("system", "dtype", "two"), CASES)
@pytest.mark.parametrize("gradients", [False, True])
def test_the_npz_of_that_name_is_judged(system, dtype, two, gradients, tmp_path):
    """What the implementation returns, under the page's keys, is read and judged like the call itself."""
    call = made(system, dtype, two, gradients)
    got = InProcess(PLAIN[system], Arithmetic(dtype, stages="formed")).call(call)
    file = tmp_path / "run.npz"
    np.savez(file, **call.keywords(), **{name.replace("gradient ", "gradient_"): x for name, x in got.items()})
    recorded = command.load(file, system)
    verdict = judge(system, **recorded, arithmetic=Arithmetic(dtype, stages="formed"))
    assert verdict.verdict in ("within", "nearest", "undecided")
    spoiled = {name: x + 1 for name, x in (recorded["got"]["grads"] if gradients else {"y": recorded["got"]["y"]}).items()}
    wrong = judge(system, **recorded | {"got": {"grads": spoiled} if gradients else spoiled}, arithmetic=Arithmetic(dtype, stages="formed"))
    assert wrong.verdict == "outside"


def test_the_matrix_exponential_is_as_the_page_says(tmp_path):
    assert [row[1:] for row in ARGUMENTS if row[0] == "`expm`"] == [["`S`, float32 or float64, exactly skew", "(stack, n, n)", "real"]]
    assert [row[2:] for row in RESULTS if row[0] == "`expm`"] == [["`got`", "(stack, n, n)", "real"]]
    np.savez(tmp_path / "run.npz", S=np.zeros((2, 3, 3)), got=np.stack([np.eye(3)] * 2))
    recorded = command.load(tmp_path / "run.npz", "expm")
    assert {*recorded} == {"S", "got"}
    assert judge("expm", **recorded).verdict == "nearest"


def test_a_complex_gradient_is_that_of_the_page():
    """y = Re(C lam h0) + ... of one step: d sum(y_bar y) / d h0 = conj(C lam) y_bar, as dRe + i dIm."""
    call = replace(made("lru", "float64", False), reverse=False)
    call = replace(call, u=call.u[:, :1], y_bar=call.y_bar[:, :1])
    k = call.layer.module.constants(call.params)
    exact = np.conj(k.lam) * np.einsum("ws,bw->bs", np.conj(k.C[0]), call.y_bar[:, 0])
    arguments = {"params": call.params, "u": call.u, "h0": call.h0, "y_bar": call.y_bar}
    arguments["arithmetic"] = Arithmetic("float64", stages="formed")
    assert judge("lru", {"grads": {"h0": exact}}, **arguments).verdict in ("within", "nearest")
    assert judge("lru", {"grads": {"h0": exact.conj()}}, **arguments).verdict == "outside"

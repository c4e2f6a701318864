"""The form of what comes back: one flat mapping, and one line for every other form."""

import numpy as np
import pytest
from calls import LAYERS, bare, drawn

import scanproof
from scanproof.properties.implementation import Fault, InProcess
from scanproof.properties.results import answered, form_fault, missing, received
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.systems import SYSTEMS

FLOAT32 = Arithmetic("float32")
KNOWN = {
    "scan": "h", "expm": "P", "lru": "y, h, h_last, grads, constants", "rotrnn": "y, h, h_last, grads, constants",
}  # fmt: skip


# ---------------------------------------------------------------- flattened
@pytest.mark.parametrize("system", SYSTEMS)
def test_the_first_result_may_come_alone(system):
    x = np.zeros(2)
    first = next(iter(SYSTEMS[system].result))
    for got in (x, (x,), {first: x}):
        assert [*received(got, SYSTEMS[system]).items()] == [(first, x)]


def test_tuples_are_in_the_order_of_the_table_and_none_is_not_returned():
    y, h, last = (np.full(2, i) for i in range(3))
    assert [*received((y, h, last), SYSTEMS["lru"]).items()] == [("y", y), ("h", h), ("h_last", last)]
    assert [*received((y, None, last), SYSTEMS["lru"]).items()] == [("y", y), ("h_last", last)]
    assert received((y, h, last, y), SYSTEMS["lru"])["y"] == (y, h, last, y)  # no array, and refused as such


def test_mappings_are_flattened_in_the_order_of_the_table():
    y, g = np.zeros(2), np.ones(3)
    found = received({"h": g, "y": y, "grads": {"u": g, "h0": y}, "constants": {"lam": g}}, SYSTEMS["lru"])
    assert list(found) == ["y", "h", "gradient u", "gradient h0", "constant lam"]
    assert found["gradient h0"] is y
    assert received(found, SYSTEMS["lru"]) == found  # as our own results are


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize(
    ("got", "line"),
    [
        ({"z": 1}, "found z, expected some of {known}"),
        ({}, "found an empty mapping, expected some of {known}"),
        ({"grads": np.zeros(2)}, "found grads ndarray, expected a mapping of names to arrays"),
        ({"constants": 1}, "found constants int, expected a mapping of names to arrays"),
        ({"grads": {}, "constants": {}}, "found an empty mapping, expected some of {known}"),
    ],
)
def test_other_mappings_are_one_line(system, got, line):
    told = line.format(known=KNOWN[system])
    with pytest.raises(ValueError) as error:  # noqa: PT011
        received(got, SYSTEMS[system])
    assert str(error.value) == told
    with pytest.raises(Fault) as fault:
        InProcess(lambda **keywords: got, FLOAT32).call(drawn(system))
    assert (fault.value.kind, str(fault.value)) == ("contract", f"result: {told}")
    with pytest.raises(ValueError) as error:  # noqa: PT011
        scanproof.judge(system, got, **drawn(system).keywords())
    assert str(error.value) == f"got: {told}"


# ---------------------------------------------------------------- shapes and dtypes
WRONG = {  # results of `drawn("lru")`, and what is said of them
    "y one step short": ({"y": np.zeros((2, 4, 3), "float32")}, "found shape (2, 4, 3) for y, expected (2, 5, 3)"),
    "y float64": ({"y": np.zeros((2, 5, 3))}, "found dtype float64 for y, expected float32, the declared arithmetic"),
    "y a list": ({"y": [0]}, "found list for y, expected a NumPy array"),
    "h real": ({"h": np.zeros((2, 5, 4), "float32")}, "found dtype float32 for h, expected complex64, the declared arithmetic"),
    "h_last all": ({"h_last": np.zeros((2, 5, 4), "complex64")}, "found shape (2, 5, 4) for h_last, expected (2, 4)"),
    "other gradient": ({"grads": {"w": 0}}, "found gradient w, expected gradients of nu_log, theta_log, gamma_log, B_re"),
    "no second direction": ({"grads": {"C2_re": 0}}, "found gradient C2_re, expected gradients of nu_log"),
    "gradient shape": ({"grads": {"D": np.zeros(2, "float32")}}, "found shape (2,) for gradient D, expected (3,)"),
    "other constant": ({"constants": {"Lambda": 0}}, "found constant Lambda, expected gradients of nu_log"),
    "constant shape": ({"constants": {"lam": np.zeros(2, "complex64")}}, "found shape (2,) for constant lam, expected (4,)"),
    "a tuple too long": ((0, 0, 0, 0), "found tuple for y, expected a NumPy array"),
    "a tuple of lists": (([0], [0]), "found list for y, expected a NumPy array"),
}


@pytest.mark.parametrize(("got", "told"), WRONG.values(), ids=WRONG)
def test_another_form_is_one_line(got, told):
    call = drawn("lru", bars="grads" in got)
    with pytest.raises(TypeError) as error:
        scanproof.judge("lru", got, arithmetic=FLOAT32, **call.arguments)
    assert str(error.value).startswith(f"got: {told}")
    assert "\n" not in str(error.value)
    with pytest.raises(Fault) as fault:
        InProcess(lambda y_bar=None, **keywords: got, FLOAT32).call(call)
    assert str(fault.value).startswith(f"result: {told}")


def test_a_system_without_gradients_names_its_results():
    call = drawn("expm")
    assert form_fault({"constant P": call["S"]}, call, FLOAT32) == "got: found constant P, expected P"


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("batched", [True, False])
def test_what_the_reference_gives_has_the_form(system, batched):
    call = drawn(system, start=True)
    call = call if batched or "expm" in system else bare(call)
    got = scanproof.run(system, **call.keywords())
    assert form_fault(got, call, FLOAT32) is None
    first = next(iter(got))
    assert f"for {first}, expected" in form_fault({first: got[first][:1, :1]}, call, FLOAT32)
    assert "float64, the declared arithmetic" in form_fault(got, call, Arithmetic("float64"))


@pytest.mark.parametrize("system", LAYERS)
@pytest.mark.parametrize("two", [False, True])
@pytest.mark.parametrize("start", [False, True])
def test_an_honest_layer_keeps_the_form(system, two, start):
    call = drawn(system, two=two, start=start, reverse=True)
    with_bar = call.but(y_bar=call["u"])
    made = InProcess(LAYERS[system], FLOAT32)
    assert made.call(call).keys() == {"y", "h"}
    found = made.call(with_bar)
    assert found.keys() == {"y", "h", *(f"gradient {name}" for name in {*call.arguments, "h0"})}
    assert form_fault(found, with_bar, FLOAT32) is None
    line = "got: found grads, expected them only where y_bar is given, the cotangent that they belong to"
    assert form_fault(found, call, FLOAT32) == line


# ---------------------------------------------------------------- answers
def test_results_answer_the_call():
    call = drawn("rotrnn")
    with_bar = call.but(y_bar=call["u"])
    outputs, gradients = {"y": call["u"]}, {"gradient D": call["u"][0, 0]}
    assert (answered(call, outputs), answered(call, gradients)) == (True, False)
    assert [answered(with_bar, got) for got in (outputs, gradients, outputs | gradients)] == [False, True, True]
    assert not answered(call, {"constant gamma": call["gamma_log"]})  # shown, and nothing made of it
    wrong = ({"grads": {"u": call["u"]}}, None, "grads, expected them only where y_bar"), (call["u"], call["u"], "y, expected grads")
    for got, y_bar, line in wrong:
        with pytest.raises(TypeError, match=f"^got: found {line}"):
            scanproof.judge("rotrnn", got, arithmetic=FLOAT32, y_bar=y_bar, **call.arguments)


def test_gradients_that_are_missing_are_those_of_given_arguments():
    call = drawn("lru", bars=True)
    names = {f"gradient {name}" for name in call.arguments if name != "y_bar"}
    assert missing(call, {"y": 0}) == names
    assert missing(call, {"gradient D": 0}) == names - {"gradient D"}
    assert missing(call.but(y_bar=None), {"y": 0}) == set()

"""Calls of layers: what an implementation is given, what it may return, and one line for everything else."""

import dataclasses
from dataclasses import replace

import numpy as np
import pytest
from scanproof.properties.layer_calls import checked_layer, form_fault, received, wanted
from scanproof.properties.layer_draws import LayerDraw, Sizes
from scanproof.properties.strategies import Domain

import scanproof
from scanproof.properties.implementation import Fault, InProcess
from scanproof.properties.versions.plain_lru import Lru
from scanproof.properties.versions.plain_rotrnn import RotRnn
from scanproof.reference import lru, rotrnn
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.layers import mapped
from scanproof.reference.systems import LAYERS

PLAIN = {"lru": Lru(), "rotrnn": RotRnn()}
FLOAT32 = Arithmetic("float32", stages="formed")
SIZES = Sizes(batch=2, time=5, width=3, state=4, heads=2)
STATE = {"lru": (4,), "rotrnn": (2, 4)}


def drawn(system, two=False, dtype="float32", **change):
    draw = LayerDraw(system, Arithmetic(dtype, stages="formed"), Domain(), SIZES, seed=1)
    return replace(draw.call(bidirectional=two), **change)


def states(call):
    dtype = "complex64" if call.system == "lru" else "float32"
    return np.ones((2, *[2] * call.entered.border.bidirectional, *STATE[call.system]), dtype)


def called(call):
    return InProcess(PLAIN[call.system], FLOAT32).call(call)


# ---------------------------------------------------------------- what goes in
@pytest.mark.parametrize("system", PLAIN)
@pytest.mark.parametrize("two", [False, True])
def test_keywords_are_copies_of_what_is_there(system, two):
    call = drawn(system, two)
    second = {"C2", "C2_re", "C2_im"} & {f.name for f in dataclasses.fields(call.params)}
    assert call.keywords().keys() == {f.name for f in dataclasses.fields(call.params)} - (set() if two else second) | {"u"}
    assert call.required == call.keywords().keys() - second
    full = replace(call, h0=states(call), y_bar=call.u, reverse=True)
    assert full.keywords().keys() - call.keywords().keys() == {"h0", "y_bar", "reverse"}
    for name, x in full.keywords().items():
        assert name == "reverse" or not np.shares_memory(x, getattr(call.params, name, getattr(full, name, None)))
    assert full.described().endswith("with h0 and y_bar and reverse")
    assert call.described().endswith("u (2, 5, 3)")


@pytest.mark.parametrize("system", PLAIN)
@pytest.mark.parametrize("two", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_expected_shapes_and_dtypes(system, two, dtype):
    call, directions = drawn(system, two, dtype), (2,) * two
    found = call.expected(Arithmetic(dtype, accumulate="float32" if "16" in dtype else None, stages="formed"))
    complex_too = {"float64": "complex128"}.get(dtype, "complex64") if system == "lru" else dtype
    last = (2, *directions, *STATE[system])
    assert found["y"] == ((2, 5, 3), dtype)
    assert found["h"] == ((2, 5, *directions, *STATE[system]), complex_too)
    assert found["h_last"] == found["gradient h0"] == (last, complex_too)
    gradients = {name for name in found if name.startswith("gradient")}
    assert gradients == {f"gradient {name}" for name in (*call.named, "u", "h0")}
    assert all(found[f"gradient {name}"] == (x.shape, dtype) for name, x in call.named.items())


@pytest.mark.parametrize("system", PLAIN)
@pytest.mark.parametrize("two", [False, True])
@pytest.mark.parametrize("start", [False, True])
def test_the_honest_layer_is_called_and_keeps_the_form(system, two, start):
    call = drawn(system, two, reverse=True)
    call = replace(call, h0=states(call) if start else None)
    assert called(call).keys() == {"y", "h"}
    found = called(replace(call, y_bar=call.u))
    assert found.keys() == {"y", "h", *(f"gradient {name}" for name in (*call.named, "u", "h0"))}
    assert form_fault(found, replace(call, y_bar=call.u), FLOAT32) is None
    assert form_fault(found, call, FLOAT32).startswith("got: found grads, expected them only where y_bar is given")


def test_real_states_of_lru_are_complex_ones():
    call = drawn("lru")
    real = replace(call, h0=np.float32([[1, -2, 3, 0.5]] * 2))
    same = replace(call, h0=real.h0.astype("complex64"))
    y = called(same)["y"]
    verdicts = [scanproof.judge("lru", y, params=c.params, u=c.u, h0=c.h0, arithmetic=FLOAT32) for c in (real, same)]
    assert verdicts[0] == verdicts[1]
    assert verdicts[0].verdict == "within"
    assert scanproof.judge("lru", y, params=call.params, u=call.u, arithmetic=FLOAT32).verdict == "outside"


@pytest.mark.parametrize("system", PLAIN)
def test_a_mapping_of_parameters_is_as_good_as_params(system):
    call = drawn(system, two=True)
    made = checked_layer(system, "float32", call.named, call.u)
    assert {name: x.tobytes() for name, x in made.named.items()} == {name: x.tobytes() for name, x in call.named.items()}


# ---------------------------------------------------------------- what comes back
def test_results_are_flattened():
    y, g = np.zeros(2), np.ones(3)
    assert [*received(y).items()] == [("y", y)]
    found = received({"h": g, "y": y, "grads": {"u": g, "h0": y}})
    assert list(found) == ["y", "h", "gradient u", "gradient h0"]
    assert found["gradient h0"] is y


@pytest.mark.parametrize(
    ("got", "told"),
    [
        ({"z": 1}, "found z, expected some of y, h, h_last, grads, constants"),
        ({}, "found an empty mapping, expected some of y, h, h_last, grads, constants"),
        ({"grads": np.zeros(2)}, "found grads ndarray, expected a mapping of names to arrays"),
        ({"constants": 1}, "found constants int, expected a mapping of names to arrays"),
        ({"grads": {}, "constants": {}}, "found empty mappings, expected some of y, h, h_last, grads, constants"),
    ],
)
def test_other_mappings_are_one_line(got, told):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        received(got)
    assert str(error.value) == told
    with pytest.raises(Fault) as fault:
        InProcess(lambda **keywords: got, FLOAT32).call(drawn("lru"))
    assert (fault.value.kind, str(fault.value)) == ("contract", f"result: {told}")


WRONG = {  # results of `drawn("lru")`, and what is said of them
    "y one step short": ({"y": np.zeros((2, 4, 3), "float32")}, "found shape (2, 4, 3) for y, expected (2, 5, 3)"),
    "y float64": ({"y": np.zeros((2, 5, 3))}, "found dtype float64 for y, expected float32, the declared arithmetic"),
    "y a list": ({"y": [0]}, "found list for y, expected a NumPy array"),
    "h real": ({"h": np.zeros((2, 5, 4), "float32")}, "found dtype float32 for h, expected complex64, the declared arithmetic"),
    "h_last all": ({"h_last": np.zeros((2, 5, 4), "complex64")}, "found shape (2, 5, 4) for h_last, expected (2, 4)"),
    "other gradient": ({"grads": {"w": 0}}, "found gradient w, expected gradients of nu_log, theta_log, gamma_log, B_re"),
    "no second direction": ({"grads": {"C2_re": 0}}, "found gradient C2_re, expected gradients of nu_log"),
    "gradient shape": ({"grads": {"D": np.zeros(2, "float32")}}, "found shape (2,) for gradient D, expected (3,)"),
}


@pytest.mark.parametrize(("got", "told"), WRONG.values(), ids=WRONG)
def test_another_form_is_one_line(got, told):
    call = drawn("lru")
    call = replace(call, y_bar=call.u if "grads" in got else None)
    with pytest.raises(TypeError) as error:
        scanproof.judge("lru", got, params=call.params, u=call.u, y_bar=call.y_bar, arithmetic=FLOAT32)
    assert str(error.value).startswith(f"got: {told}")
    assert "\n" not in str(error.value)
    with pytest.raises(Fault) as fault:
        InProcess(lambda y_bar=None, **keywords: got, FLOAT32).call(call)
    assert str(fault.value).startswith(f"result: {told}")


def test_results_answer_the_call():
    call = drawn("rotrnn")
    with_bar = replace(call, y_bar=call.u)
    outputs, gradients = {"y": call.u}, {"gradient D": call.u[0, 0]}
    assert (wanted(call, outputs), wanted(call, gradients)) == (True, False)
    assert [wanted(with_bar, got) for got in (outputs, gradients, outputs | gradients)] == [False, True, True]
    wrong = ({"grads": {"u": call.u}}, None, "grads, expected them only where y_bar"), (call.u, call.u, "y, expected grads")
    for got, y_bar, told in wrong:
        with pytest.raises(TypeError, match=f"^got: found {told}"):
            scanproof.judge("rotrnn", got, params=call.params, u=call.u, y_bar=y_bar, arithmetic=FLOAT32)


def test_what_is_not_offered_and_what_changes_its_inputs():
    call = drawn("rotrnn", h0=np.ones((2, 2, 4), "float32"))
    only_y = InProcess(lambda theta, gamma_log, M, B, C, D, u: u, FLOAT32)
    assert only_y.call(call) is None
    assert only_y.call(replace(call, h0=None))["y"].tobytes() == call.u.tobytes()
    assert InProcess(lambda **keywords: keywords["u"], FLOAT32).call(drawn("rotrnn", two=True)) is None

    def spoils(theta, gamma_log, M, B, C, D, u):
        M[0] = 0
        return u

    with pytest.raises(Fault, match=r"^M: found changed by the implementation"):
        InProcess(spoils, FLOAT32).call(replace(call, h0=None))
    with pytest.raises(Fault, match="found no keyword theta, expected keywords theta, gamma_log, M, B, C, D and u"):
        InProcess(lambda gamma_log, M, B, C, D, u: u, FLOAT32).call(replace(call, h0=None))


# ---------------------------------------------------------------- bad input, through `judge`
def at(value):
    """Puts a value at the first place of an array."""

    def put(x):
        x = x.copy()
        x.flat[0] = value
        return x

    return put


PROBABLY = "the logarithm of 0, which initialisers that draw in float32 meet with probability 2^-24; draw again"
BAD = {  # system, argument or parameter, its new value of the old one, the line
    "odd head": ("rotrnn", "M", lambda x: x[:, :3, :3], "M: found head_dim 3, expected an even number: rotations act on pairs"),
    "pairs": ("rotrnn", "theta", lambda x: x[:, :1],
     "theta: found pairs 1 in shape (2, 1), expected pairs 2 as in half the head_dim of M"),
    "heads": ("rotrnn", "gamma_log", lambda x: x[:1], "gamma_log: found heads 1 in shape (1,), expected heads 2 as in M"),
    "features": ("rotrnn", "C", lambda x: x[:, :6],
     "C: found features 6 in shape (3, 6), expected features 8 as in heads * head_dim of M"),
    "width of C": ("lru", "C_re", lambda x: x[:2], "C_re: found width 2 in shape (2, 4), expected width 3 as in B_re"),
    "states": ("lru", "theta_log", lambda x: x[:2], "theta_log: found state 2 in shape (2,), expected state 4 as in nu_log"),
    "width of u": ("rotrnn", "u", lambda x: x[..., :2], "u: found width 2 in shape (2, 5, 2), expected width 3 as in B"),
    "y_bar": ("rotrnn", "y_bar", lambda x: np.zeros((2, 4, 3), "float32"),
     "y_bar: found time 4 in shape (2, 4, 3), expected time 5 as in u"),
    "axes of h0": ("lru", "h0", lambda x: np.zeros((2, 2, 4), "complex64"), "h0: found shape (2, 2, 4), expected (batch, state)"),
    "half of C2": ("lru", "C2_re", lambda x: np.zeros((3, 4), "float32"),
     "C2_im: found None, expected an array, because C2_re is one"),
    "nan": ("rotrnn", "B", at(np.nan), "B: found nan at index (0, 0, 0), expected finite real numbers"),
    "inf": ("lru", "C_im", at(np.inf), "C_im: found inf at index (0, 0), expected finite real numbers"),
    "nan in u": ("lru", "u", at(np.nan), "u: found nan at index (0, 0, 0), expected finite real numbers"),
    "nan in h0": ("lru", "h0", lambda x: np.full((2, 4), 1j * np.nan, "complex64"),
     "h0: found (nan+nanj) at index (0, 0), expected finite"),
    "complex B": ("rotrnn", "B", lambda x: x.astype("complex64"),
     "B: found dtype complex64, expected float32, the declared arithmetic"),
    "complex u": ("lru", "u", lambda x: x.astype("complex64"),
     "u: found dtype complex64, expected float32, the declared arithmetic"),
    "complex h0": ("rotrnn", "h0", lambda x: np.zeros((2, 2, 4), "complex64"),
     "h0: found dtype complex64, expected float32, the declared"),
    "wider h0": ("lru", "h0", lambda x: np.zeros((2, 4), "complex128"),
     "h0: found dtype complex128, expected float32 or complex64"),
    "wider D": ("lru", "D", lambda x: x.astype(float), "D: found dtype float64, expected float32, the declared arithmetic"),
    "list": ("lru", "D", lambda x: x.tolist(), "D: found list, expected a NumPy array"),
    "gamma is 1": ("rotrnn", "gamma_log", at(-50),
     "gamma_log: found -50.0 in head 0, where gamma = exp(-exp(gamma_log)) rounds to 1.0"),
    "gamma is 0": ("rotrnn", "gamma_log", at(10),
     "gamma_log: found 10.0 in head 0, where gamma = exp(-exp(gamma_log)) rounds to 0.0"),
    "no trace": ("rotrnn", "B", lambda x: 0 * x,
     "B: found tr(B^T B) = 0.0 in head 0, expected a positive number, by which xi divides"),
    "nu = 0": ("lru", "nu_log", at(-np.inf), f"nu_log: found -inf at index (0,), expected finite real numbers: {PROBABLY}"),
    "theta = 0": ("lru", "theta_log", at(-np.inf),
     f"theta_log: found -inf at index (0,), expected finite real numbers: {PROBABLY}"),
    "rate = 0": ("rotrnn", "gamma_log", at(-np.inf),
     "gamma_log: found -inf at index (0,), expected finite real numbers"),
    "nu = inf": ("lru", "nu_log", at(1000), "nu_log: found 1000.0 at index (0,), whose exp is inf; expected finite and positive"),
    "no steps": ("lru", "u", lambda x: x[:, :0], "u: found shape (2, 0, 3), expected no empty axis"),
    "no batch": ("rotrnn", "u", lambda x: x[0], "u: found shape (5, 3), expected (batch, time, width)"),
    "reverse": ("lru", "reverse", lambda x: 1, "reverse: found 1, expected True or False"),
}  # fmt: skip


@pytest.mark.parametrize(("system", "name", "change", "told"), BAD.values(), ids=BAD)
def test_bad_input_is_one_line(system, name, change, told):
    call = drawn(system)
    arguments = {"params": call.params, "u": call.u}
    if name in call.layer.module.AXES:
        arguments["params"] = replace(call.params, **{name: change(getattr(call.params, name))})
    else:
        arguments[name] = change(arguments.get(name))
    with pytest.raises((TypeError, ValueError)) as error:
        scanproof.judge(system, call.u, arithmetic=scanproof.Arithmetic("float32"), **arguments)
    assert str(error.value).startswith(told)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 200


def test_unknown_names_are_listed():
    call = drawn("rotrnn")

    def told(system="rotrnn", **arguments):
        with pytest.raises((TypeError, ValueError)) as error:
            scanproof.judge(system, call.u, arithmetic=scanproof.Arithmetic("float32"), **arguments)
        return str(error.value)

    assert told("gru", params=call.params, u=call.u).startswith("system: found 'gru', expected one of scan, lru, rotrnn")
    assert told(params=call.params) == "u: found none, expected params, u and at most h0, reverse, y_bar"
    assert told(params=call.params, u=call.u, lam=0).startswith("lam: found another argument, expected params, u")
    listed = "expected parameters theta, gamma_log, M, B, C, D, C2"
    assert told(params=call.named | {"E": call.u}, u=call.u) == f"E: found another parameter, {listed}"
    assert told(params={"M": call.params.M}, u=call.u) == f"theta: found none, {listed}"
    assert told(params=[], u=call.u) == "params: found list, expected reference.rotrnn.Params or a mapping of its fields"
    assert told("lru", params=call.params, u=call.u).startswith("params: found Params, expected reference.lru.Params")
    for init, unknown, known in ((lru.init, {"ring": "ring"}, "paper"), (rotrnn.init, {"variant": "E"}, "A, B, B-demo, C, D")):
        with pytest.raises(ValueError, match=f"expected one of .*{known}"):
            init(np.random.default_rng(0), **unknown)


@pytest.mark.parametrize("system", PLAIN)
def test_every_bad_line_is_about_what_was_changed(system):
    """The untouched call is fine: each refusal above is due to its one change."""
    call = drawn(system)
    assert checked_layer(system, "float32", call.params, call.u).entered.u.shape == (2, 5, 3)
    assert LAYERS[system].Params is type(call.params)
    with pytest.raises(TypeError, match="found dtype float32, expected float64, the declared arithmetic"):
        checked_layer(system, "float64", call.params, call.u)
    assert checked_layer(system, "float64", mapped(call.params, lambda x: x.astype(float)), call.u.astype(float)).wide is not None

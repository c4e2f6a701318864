"""One call of a system: what it is made of, what is refused in one line, and tables that do not fit together."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from calls import LAYERS, SMALL, TIMED, bare, case, drawn

import scanproof
from scanproof.reference.call import Argument, Call, Result, System, called
from scanproof.reference.systems import SYSTEMS

ANYTHING = [
    "text", b"x", [1.0], (), {}, 3.5, 1j, object(),
    np.ones(()), np.ones((1,) * 5), np.ones((2, 2), int), np.array([None]), np.ones((0, 5, 3)),
]  # fmt: skip
LINE = r"^[^\n]*: found [^\n]*, expected [^\n]*$"


def told(system, arguments, dtype=None):
    """The one line with which arguments are refused."""
    with pytest.raises((TypeError, ValueError), match=LINE) as error:
        called(SYSTEMS[system], arguments, dtype)
    assert len(str(error.value)) < 250
    return str(error.value)


def full(system, dtype="float64", **more):
    """Arguments of every name that a system has."""
    two = any(each.second for each in SYSTEMS[system].arguments)
    return dict(drawn(system, dtype, start=True, bars=True, two=two, **more).arguments)


# ---------------------------------------------------------------- anything at all in place of any argument
@pytest.mark.parametrize("dtype", [None, "float64"])
@pytest.mark.parametrize(("system", "name"), [(name, each) for name, system in SYSTEMS.items() for each in system.keywords])
def test_anything_else_is_refused_in_one_line_that_names_the_argument(system, name, dtype):
    given = full(system)
    assert isinstance(called(SYSTEMS[system], given, dtype), Call)
    for x in ANYTHING:
        assert told(system, given | {name: x}, dtype).partition(":")[0] == name


@pytest.mark.parametrize("system", SYSTEMS)
def test_none_is_an_argument_that_is_not_given(system):
    given = full(system)
    for each in SYSTEMS[system].arguments:
        if each.optional and not each.second:
            call = called(SYSTEMS[system], given | {each.name: None})
            assert call.arguments.keys() == given.keys() - {each.name}
        elif not each.optional:
            assert told(system, given | {each.name: None}).startswith(f"{each.name}: found none, expected ")


@pytest.mark.parametrize("system", LAYERS)
def test_the_second_direction_is_given_whole_or_not_at_all(system):
    second = [each.name for each in SYSTEMS[system].arguments if each.second]
    given = {name: x for name, x in full(system).items() if name != "h0"}
    assert not called(SYSTEMS[system], given | dict.fromkeys(second)).layout.bidirectional
    if len(second) > 1:
        line = f"{second[1]}: found None, expected an array, because {second[0]} is one"
        assert told(system, given | {second[1]: None}) == line


# ---------------------------------------------------------------- one change, one line
def at(value):
    """Puts a value at the first place of an array."""

    def put(x):
        x = x.copy()
        x.flat[0] = value
        return x

    return put


def shaped(*shape, dtype="float32"):
    return lambda x: np.zeros(shape, dtype)


BAD = [  # system, argument, its new value of the old one, how the line begins
    ("scan", "lam", shaped(2), "lam: found channels 2 in shape (2,), expected channels 3 as in b"),
    ("scan", "lam", shaped(2, 5), "lam: found shape (2, 5), expected (channels) or (batch, time, channels)"),
    ("scan", "lam", shaped(2, 4, 3), "lam: found time 4 in shape (2, 4, 3), expected time 5 as in b"),
    ("scan", "h0", shaped(2, 2), "h0: found channels 2 in shape (2, 2), expected channels 3 as in b"),
    ("scan", "b", shaped(3), "b: found shape (3,), expected (batch, time, channels) or (time, channels)"),
    ("scan", "b", at(np.nan), "b: found nan at index (0, 0, 0), expected finite numbers"),
    ("rotrnn", "M", lambda x: x[:, :3, :3], "M: found head_dim 3, expected an even number: rotations act on pairs"),
    ("rotrnn", "M", lambda x: x[:, :, :2], "M: found shape (2, 4, 2), expected (heads, head_dim, head_dim)"),
    ("rotrnn", "theta", lambda x: x[:, :1],
     "theta: found pairs 1 in shape (2, 1), expected pairs 2 as in half the head_dim of M"),
    ("rotrnn", "C", lambda x: x[:, :6],
     "C: found features 6 in shape (3, 6), expected features 8 as in heads * head_dim of M"),
    ("lru", "C_re", lambda x: x[:2], "C_re: found width 2 in shape (2, 4), expected width 3 as in B_re"),
    ("lru", "theta_log", lambda x: x[:2], "theta_log: found state 2 in shape (2,), expected state 4 as in nu_log"),
    ("rotrnn", "u", lambda x: x[..., :2], "u: found width 2 in shape (2, 5, 2), expected width 3 as in B"),
    ("rotrnn", "y_bar", shaped(2, 4, 3), "y_bar: found time 4 in shape (2, 4, 3), expected time 5 as in u"),
    ("lru", "h0", shaped(2, 2, 4, dtype="complex64"), "h0: found shape (2, 2, 4), expected (batch, state)"),
    ("lru", "C2_re", shaped(3, 4), "C2_im: found None, expected an array, because C2_re is one"),
    ("rotrnn", "B", at(np.nan), "B: found nan at index (0, 0, 0), expected finite real numbers"),
    ("lru", "C_im", at(np.inf), "C_im: found inf at index (0, 0), expected finite real numbers"),
    ("lru", "u", at(np.nan), "u: found nan at index (0, 0, 0), expected finite real numbers"),
    ("lru", "h0", lambda x: np.full((2, 4), 1j * np.nan, "complex64"), "h0: found (nan+nanj) at index (0, 0), expected finite"),
    ("rotrnn", "B", lambda x: x.astype("complex64"), "B: found dtype complex64, expected float32 as declared"),
    ("lru", "u", lambda x: x.astype("complex64"), "u: found dtype complex64, expected float32 as declared"),
    ("rotrnn", "h0", shaped(2, 2, 4, dtype="complex64"), "h0: found dtype complex64, expected float32 as declared"),
    ("lru", "h0", shaped(2, 4, dtype="complex128"), "h0: found dtype complex128, expected complex64 or float32 as declared"),
    ("lru", "D", lambda x: x.astype(float), "D: found dtype float64, expected float32 as declared"),
    ("lru", "D", lambda x: x.astype(">f4"), "D: found dtype float32 in foreign byte order, expected float32 as declared"),
    ("lru", "D", lambda x: x.tolist(), "D: found list, expected a NumPy array"),
    ("rotrnn", "gamma_log", at(-50), "gamma_log: found -50.0 in head 0, where gamma = exp(-exp(gamma_log)) rounds to 1.0"),
    ("rotrnn", "gamma_log", at(10), "gamma_log: found 10.0 in head 0, where gamma = exp(-exp(gamma_log)) rounds to 0.0"),
    ("rotrnn", "gamma_log", at(-np.inf), "gamma_log: found -inf at index (0,), expected finite real numbers"),
    ("rotrnn", "B", lambda x: 0 * x, "B: found tr(B^T B) = 0.0 in head 0, expected a positive number, by which xi divides"),
    ("lru", "nu_log", at(1000), "nu_log: found 1000.0 at index (0,), whose exp is inf; expected finite and positive"),
    ("lru", "u", lambda x: x[:, :0], "u: found shape (2, 0, 3), expected no empty axis"),
    ("lru", "reverse", lambda x: 1, "reverse: found 1, expected True or False"),
    ("lru", "E", lambda x: 1, "E: found another argument, expected nu_log, theta_log, gamma_log, B_re, B_im, C_re, C_im, D, u"),
    ("expm", "reverse", lambda x: True, "reverse: found another argument, expected S"),
    ("expm", "S", lambda x: x[0], "S: found shape (3, 3), expected (stack, n, n)"),
    ("expm", "S", lambda x: x[:, :, :2], "S: found shape (2, 3, 2), expected (stack, n, n)"),
    ("expm", "S", lambda x: x[:0], "S: found shape (0, 3, 3), expected no empty axis"),
    ("expm", "S", lambda x: x.astype("float16"), "S: found dtype float16, expected float32 as declared"),
    ("expm", "S", lambda x: np.tile(np.eye(3, dtype="float32"), (2, 1, 1)),
     "S: found 1.0 at index (0, 0, 0) and 1.0 at (0, 0, 0), expected skew matrices"),
    ("expm", "S", lambda x: np.triu(np.ones((1, 2, 2), "float32"), 1),
     "S: found 1.0 at index (0, 0, 1) and 0.0 at (0, 1, 0), expected skew matrices"),
    ("expm", "S", at(np.nan), "S: found nan at index (0, 0, 0), expected finite real numbers"),
]  # fmt: skip


@pytest.mark.parametrize(("system", "name", "change", "line"), BAD, ids=[f"{x[0]}-{x[1]}-{i}" for i, x in enumerate(BAD)])
def test_bad_input_is_one_line_about_what_was_changed(system, name, change, line):
    given = dict(drawn(system).arguments)
    called(SYSTEMS[system], given, "float32")  # the untouched call is fine
    with pytest.raises((TypeError, ValueError)) as error:
        called(SYSTEMS[system], given | {name: change(given.get(name))}, "float32")
    assert str(error.value).startswith(line)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 250


@pytest.mark.parametrize("system", LAYERS)
def test_numbers_of_two_kinds_do_not_mix_where_nothing_is_declared(system):
    given = full(system)
    line = told(system, given | {"u": given["u"].astype("float32")})
    assert line.startswith("u: found numbers of kind float32, expected float64 as in ")
    assert told(system, given | {"D": np.array(["x"] * 3, object)}).startswith("D: ")


# ---------------------------------------------------------------- parameters as one mapping or object
@pytest.mark.parametrize("system", LAYERS)
def test_parameters_come_as_keywords_as_a_mapping_or_as_an_object(system):
    given = full(system)
    params = {name: x for name, x in given.items() if name in SYSTEMS[system].named("parameter")}
    rest = {name: x for name, x in given.items() if name not in params}
    for one in (params, SimpleNamespace(**params), SimpleNamespace(**params, E=None)):
        call = called(SYSTEMS[system], {"params": one, **rest})
        assert list(call.arguments) == list(given)
        assert all(call[name] is x for name, x in given.items())
    twice = told(system, {"params": params, **rest, "D": given["D"]})
    assert twice == "D: found in params and as a keyword, expected one of them"
    names = ", ".join(SYSTEMS[system].named("parameter"))
    assert told(system, {"params": [], **rest}) == f"params: found list, expected a mapping of {names}"
    assert told(system, {"params": params | {"E": 1}, **rest}).startswith("E: found another argument, expected ")
    first = next(iter(params))
    assert told(system, {"params": {"D": params["D"]}, **rest}).startswith(f"{first}: found none, expected {first}, ")


@pytest.mark.parametrize("system", LAYERS)
def test_anything_else_is_no_mapping_of_parameters(system):
    rest = {"u": full(system)["u"]}
    for x in ANYTHING:
        name = next(iter(SYSTEMS[system].argument)) if isinstance(x, dict) else "params"
        assert told(system, {"params": x, **rest}).partition(":")[0] == name


def test_a_system_without_parameters_has_no_such_mapping():
    assert told("scan", full("scan") | {"params": {}}).startswith("params: found another argument, expected lam, b")


# ---------------------------------------------------------------- the batch axis
@pytest.mark.parametrize("system", TIMED)
@pytest.mark.parametrize("reverse", [False, True])
def test_without_a_batch_axis_it_is_missing_everywhere(system, reverse):
    two = system in LAYERS
    call = drawn(system, "float64", start=True, bars=True, two=two, reverse=reverse)
    one = called(SYSTEMS[system], bare(call).arguments | {"reverse": reverse}, "float64")
    assert not one.layout.batched
    assert one.size("batch") == 1
    first, alone = call.take("batch", [0]), one.expected("float64")
    for name, (shape, dtype) in first.expected("float64").items():
        without = shape[1:] if "batch" in call.layout.axes(call.axes_of(name)) else shape
        assert alone[name] == (without, dtype), name
    outputs = scanproof.run(system, **{name: x for name, x in one.keywords().items() if name != "y_bar"})
    for name, x in scanproof.run(system, **first.keywords()).items():
        assert outputs[name].tobytes() == x.tobytes()
        assert outputs[name].shape == alone[name][0]


@pytest.mark.parametrize("system", LAYERS)
def test_cotangents_without_a_batch_axis(system):
    call = drawn(system, "float64", start=True, bars=True)
    parts = ({"y": each["y_bar"]} | {"given": each.but(y_bar=None).arguments} for each in (call.take("batch", [0]), bare(call)))
    whole, alone = (scanproof.vjp(system, {"y": each["y"]}, **each["given"]) for each in parts)
    assert whole.keys() == alone.keys()
    for name, x in alone.items():
        assert x.tobytes() == whole[name].tobytes()
        assert x.shape == bare(call)[name].shape


@pytest.mark.parametrize("system", LAYERS)
def test_states_with_a_batch_axis_do_not_go_with_inputs_that_have_none(system):
    call = drawn(system, start=True)
    line = told(system, bare(call).arguments | {"h0": call["h0"]})
    assert line.startswith(f"h0: found shape {call['h0'].shape}, expected (")
    assert "batch" not in line


# ---------------------------------------------------------------- forms of results
@pytest.mark.parametrize("system", LAYERS)
@pytest.mark.parametrize("two", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_expected_shapes_and_dtypes(system, two, dtype):
    call, directions = drawn(system, dtype, two=two), (2,) * two
    found, state = call.expected(dtype), {"lru": (4,), "rotrnn": (2, 4)}[system]
    complex_too = {"float64": "complex128"}.get(dtype, "complex64") if system == "lru" else dtype
    assert found["y"] == ((2, 5, 3), dtype)
    assert found["h"] == ((2, 5, *directions, *state), complex_too)
    assert found["h_last"] == found["gradient h0"] == ((2, *directions, *state), complex_too)
    gradients = {name for name in found if name.startswith("gradient")}
    assert gradients == {f"gradient {name}" for name in (*call.arguments, "h0")}
    assert all(found[f"gradient {name}"] == (x.shape, dtype) for name, x in call.arguments.items())
    shown = call.expected_constants(dtype)
    assert shown.keys() == {f"constant {name}" for name in call.system.exposed}


def test_expected_forms_of_scans_and_exponentials():
    assert drawn("scan", "complex64").expected("complex64") == {"h": ((2, 5, 3), "complex64")}
    assert drawn("expm").expected("float32") == {"P": ((2, 3, 3), "float32")}


# ---------------------------------------------------------------- keywords, and calls made from calls
@pytest.mark.parametrize("system", SYSTEMS)
def test_keywords_are_copies_of_what_is_there(system):
    two = system in LAYERS
    call = drawn(system, start=True, bars=True, two=two).but(reverse=SYSTEMS[system].timed)
    keywords = call.keywords()
    assert list(keywords) == list(SYSTEMS[system].keywords)  # of a call that gives everything
    for name, x in call.arguments.items():
        assert keywords[name].tobytes() == x.tobytes()
        assert not np.shares_memory(keywords[name], x)
    few = drawn(system).keywords()
    assert few.keys() == {each.name for each in SYSTEMS[system].arguments if not each.optional}


def test_a_call_is_described_in_one_line():
    assert drawn("scan").described() == "lam (3,), b (2, 5, 3)"
    assert drawn("scan", start=True, reverse=True).described() == "lam (3,), b (2, 5, 3) with h0 and reverse"
    assert drawn("lru", start=True, bars=True, reverse=True).described().endswith("u (2, 5, 3) with h0 and y_bar and reverse")
    assert drawn("expm").described() == "S (2, 3, 3)"


@pytest.mark.parametrize("system", TIMED)
def test_some_steps_of_a_call_are_those_of_all_that_has_a_time_axis(system):
    call = drawn(system, start=True, bars=True, varying=True) if system == "scan" else drawn(system, start=True, bars=True)
    part = call.take("time", slice(1, 3))
    for name, x in call.arguments.items():
        timed = "time" in call.axes(name)
        assert part[name].tobytes() == (x[:, 1:3] if timed else x).tobytes()
    assert part.size("time") == 2
    rows = call.take("batch", [1])
    assert rows["h0"].tobytes() == call["h0"][1:].tobytes()
    assert (rows.size("batch"), rows.reverse) == (1, call.reverse)


def test_two_axes_of_one_name_are_taken_both():
    call = drawn("expm", sizes={"n": 4}).take("n", [0, 3])
    assert call["S"].tobytes() == drawn("expm", sizes={"n": 4})["S"][:, [0, 3]][:, :, [0, 3]].tobytes()


@pytest.mark.parametrize("system", TIMED)
@pytest.mark.parametrize("batched", [True, False])
def test_a_flipped_call_is_the_same_recurrence_in_the_other_direction(system, batched):
    call = drawn(system, "float64", start=True, **({"varying": True} if system == "scan" else {}))
    call = call if batched else bare(call)
    flipped = call.flipped()
    assert (flipped.reverse, flipped.flipped().reverse) == (True, False)
    assert {name: x.tobytes() for name, x in flipped.flipped().arguments.items()} == {
        name: x.tobytes() for name, x in call.arguments.items()
    }
    there, back = (scanproof.run(system, **each.keywords()) for each in (call, flipped))
    name = next(iter(there))
    assert back[name].tobytes() == np.flip(there[name], 1 if batched else 0).tobytes()


def test_another_call_keeps_the_order_of_the_table_and_drops_what_is_none():
    call = drawn("scan", start=True, reverse=True)
    other = call.but(lam=2 * call["lam"], h0=None)
    assert (list(other.arguments), other.reverse) == (["lam", "b"], True)
    assert other.get("h0") is None
    assert list(other.but(h0=call["h0"], b=call["b"]).arguments) == ["lam", "b", "h0"]
    assert call.but(reverse=False).reverse is False
    assert list(call.arguments) == ["lam", "b", "h0"]


def test_missing_states_are_zeros_inside():
    for system, shape in (("scan", (2, 3)), ("lru", (2, 1, 4)), ("rotrnn", (2, 1, 2, 4))):
        call = drawn(system)
        start = call.inside(call.arguments)["h0"]
        assert (start.shape, start.any()) == (shape, False)
        assert (start.dtype.kind == "c") == (system == "lru")


# ---------------------------------------------------------------- tables
def table(**change):
    """A system that fits together: one channel-wise decay, driven and read as it is."""
    given = {
        "name": "toy",
        "title": "a toy",
        "arguments": (
            Argument("lam", "channels", "parameter"),
            Argument("u", "[batch] time channels", "input", linear=True),
            Argument("h0", "[batch] channels", "state", optional=True),
            Argument("y_bar", "[batch] time channels", "cotangent", optional=True, of="y"),
        ),
        "results": (Result("y", "[batch] time channels", state="h0"),),
        "constants": lambda x: SimpleNamespace(lam=x["lam"]),
        "run": lambda k, x, reverse: {"y": k.lam * x["u"]},
        "equation": "y = lam u",
    }
    return System(**given | change)


def changed(name, **change):
    """The table with one argument changed."""
    return table(arguments=tuple(replace(each, **change) if each.name == name else each for each in table().arguments))


FAULTS = [
    (lambda: changed("u", role=""), "argument u: found role '', expected one of parameter, input, gate, readout, state, cotangent"),
    (lambda: changed("u", role="inputs"), "argument u: found role 'inputs', expected one of "),
    (lambda: changed("y_bar", of="z"), "argument y_bar: found a cotangent of z, expected one of y"),
    (lambda: changed("y_bar", of=None), "argument y_bar: found a cotangent of None, expected one of y"),
    (lambda: changed("u", kinds=("integer",)), "argument u: found kinds ('integer',), expected some of declared, real, complex"),
    (lambda: changed("h0", axes="[batch] heads"), "h0: found axis heads, which no required argument fixes"),
    (lambda: table(results=(Result("y", "time rows"),)), "y: found axis rows, which no required argument fixes"),
    (lambda: table(results=(Result("y", "time channels", state="s0"),)), "result y: found state s0, expected one of h0"),
    (lambda: table(arguments=table().arguments[:2], results=(Result("y", "time channels", state="h0"),)),
     "result y: found state h0, expected one of none"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "line"), FAULTS, ids=range(len(FAULTS)))
def test_a_table_that_does_not_fit_is_refused_in_one_line(make, line):
    assert table().required == {"lam", "u"}  # the untouched one is a system
    with pytest.raises(ValueError) as error:  # noqa: PT011
        make()
    assert str(error.value).startswith(f"system toy: {line}")
    assert "\n" not in str(error.value)


def test_what_follows_from_a_table():
    toy = table()
    assert (toy.keywords, toy.timed, toy.gradients) == (("lam", "u", "h0", "y_bar", "reverse"), True, ())
    assert (toy.named("state"), toy.named("input", "parameter")) == (("h0",), ("lam", "u"))
    assert SYSTEMS["lru"].gradients == tuple(name for name in SYSTEMS["lru"].argument if name != "y_bar")
    assert (SYSTEMS["expm"].timed, SYSTEMS["expm"].keywords, SYSTEMS["expm"].gradients) == (False, ("S",), ())
    assert scanproof.run(toy, lam=np.full(1, 2.0), u=np.ones((3, 1)))["y"].tolist() == [[2]] * 3


# ---------------------------------------------------------------- the reference itself
@pytest.mark.parametrize("system", LAYERS)
def test_results_and_cotangents_come_by_name(system):
    call = drawn(system, "float64")
    assert list(scanproof.run(system, **call.keywords())) == ["y", "h", "h_last"]
    found = scanproof.vjp(system, {"y": call["u"]}, **call.keywords())
    assert found.keys() == {*call.arguments, "h0"}
    for cotangents, line in (({}, "found none"), ({"h": 1}, "found h"), ({"y": call["u"], "z": 1}, "found z")):
        with pytest.raises(TypeError, match=f"^cotangents: {line}, expected some of y$"):
            scanproof.vjp(system, cotangents, **call.keywords())


def test_a_system_without_an_adjoint_says_so():
    with pytest.raises(TypeError, match=r"^system: found scan, which has no adjoint here$"):
        scanproof.vjp("scan", {"h": 1}, **drawn("scan").keywords())
    with pytest.raises(ValueError, match=r"^system: found 'mamba', expected one of scan, lru, rotrnn, expm$"):
        scanproof.run("mamba")


def test_every_drawn_call_is_a_proper_one():
    for system in SMALL:
        call = case(system, "float64").call()
        assert called(SYSTEMS[system], call.keywords(), "float64").arguments.keys() == call.arguments.keys()

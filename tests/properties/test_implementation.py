"""How an implementation is called: what it is asked, what it may leave out, and what breaks the contract."""

from pathlib import Path

import numpy as np
import pytest
from calls import LAYERS, drawn, scans

from scanproof.properties.implementation import POISON_STEPS, Fault, InProcess, Question, invoke
from scanproof.properties.worker import load
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.systems import SYSTEMS
from scanproof.reference.transitions.diagonal import scan

HERE = Path(__file__).parents[1] / "implementations"
FLOAT32 = Arithmetic("float32")
B = np.arange(1, 7, dtype="float32").reshape(1, 3, 2)
LAM, H0 = np.array([0.5, 2], "float32"), np.ones((1, 2), "float32")
CALL, STARTED, FULL = scans(LAM, B), scans(LAM, B, H0), scans(LAM, B, H0, reverse=True)


def asked(function, call=CALL, **more):
    return InProcess(function, FLOAT32).call(call, **more)


def broken(function, call=CALL):
    """The line with which a contract is broken."""
    with pytest.raises(Fault) as fault:
        asked(function, call)
    assert fault.value.kind == "contract"
    assert "\n" not in str(fault.value)
    return str(fault.value)


# ---------------------------------------------------------------- what is asked
@pytest.mark.parametrize("system", SYSTEMS)
def test_an_implementation_is_given_copies_of_what_the_call_has(system):
    two = system in LAYERS
    call, seen = drawn(system, start=True, bars=True, two=two).but(reverse=SYSTEMS[system].timed), []

    def recorded(**keywords):
        seen.append(keywords)
        raise NotImplementedError

    recorded.__signature__ = "unreadable"  # so that everything is offered
    before = {name: x.tobytes() for name, x in call.arguments.items()}
    assert asked(recorded, call) is None
    assert {name: x.tobytes() for name, x in seen[0].items() if name != "reverse"} == before
    assert seen[0].get("reverse", False) == call.reverse
    assert not any(np.shares_memory(x, call[name]) for name, x in seen[0].items() if name != "reverse")


@pytest.mark.parametrize("system", SYSTEMS)
def test_poison_lies_right_before_and_after_every_array(system):
    call, seen = drawn(system, start=True), {}

    def looks_around(**keywords):
        for name, x in keywords.items():
            margin = POISON_STEPS * x.shape[-1]
            around = np.isnan(x.base).sum() == 2 * margin and x.base.size == x.size + 2 * margin
            seen[name] = x.flags.c_contiguous and around and (x == call[name]).all()
        raise NotImplementedError

    looks_around.__signature__ = "unreadable"
    assert asked(looks_around, call, poison=True) is None
    assert seen == dict.fromkeys(call.arguments, True)


# ---------------------------------------------------------------- what is not offered
@pytest.mark.parametrize(
    ("function", "offered"),
    [
        ("bare", [True, False, False]),
        ("with_h0", [True, True, False]),
        ("any_keyword", [True, False, False]),  # **kwargs promises nothing
        ("scan", [True, True, True]),
    ],
)
def test_a_missing_keyword_is_not_offered(function, offered):
    implementation = InProcess(load(f"{HERE}/honest.py:{function}"), FLOAT32)
    assert [implementation.call(call) is not None for call in (CALL, STARTED, FULL)] == offered


def test_a_signature_that_cannot_be_read_offers_everything():
    class Compiled:
        __signature__ = "unreadable"

        def __call__(self, lam, b, h0=None, reverse=False):
            return scan(lam, b, h0, reverse)

    assert (asked(Compiled(), FULL)["h"] == scan(LAM, B, H0, True)).all()


def test_what_a_layer_does_not_name_is_not_asked_of_it():
    call = drawn("rotrnn", start=True)

    def only_y(theta, gamma_log, M, B, C, D, u):
        return u

    assert asked(only_y, call) is None
    assert asked(only_y, call.but(h0=None))["y"].tobytes() == call["u"].tobytes()
    assert asked(lambda **keywords: keywords["u"], drawn("rotrnn", two=True)) is None


@pytest.mark.parametrize("system", LAYERS)
def test_gradients_are_what_a_call_with_a_cotangent_asks_for(system):
    call = drawn(system, bars=True)
    assert asked(lambda y_bar=None, **keywords: keywords["u"], call) is None  # y alone does not answer
    found = asked(LAYERS[system], call)
    assert found.keys() == {"y", "h", *(f"gradient {name}" for name in call.system.gradients if name in {*call.arguments, "h0"})}


# ---------------------------------------------------------------- what comes back
def test_a_bare_array_a_tuple_and_a_mapping_are_the_same():
    call = drawn("lru")
    found = LAYERS["lru"](**call.keywords())
    y, h = found["y"], found["h"]
    answers = [(y, h), (y, h, None), {"y": y, "h": h}, {"h": h, "y": y}, {"y": y, "h": h, "grads": {}}]
    for got in answers:
        flat = asked(lambda got=got, **keywords: got, call)
        assert {name: x.tobytes() for name, x in flat.items()} == {"y": y.tobytes(), "h": h.tobytes()}
    assert list(asked(lambda **keywords: y, call)) == list(asked(lambda **keywords: (y,), call)) == ["y"]


def test_arrays_of_other_libraries_are_converted_wherever_they_are():
    class Wrapped:
        def __init__(self, x):
            self.x = x

        def __array__(self, dtype=None, copy=None):
            return self.x

    call = drawn("lru", bars=True)
    found = LAYERS["lru"](**call.keywords())
    wrapped = {"y": Wrapped(found["y"]), "grads": {name: Wrapped(x) for name, x in found["grads"].items()}}
    got = asked(lambda y_bar, **keywords: wrapped, call)
    assert {type(x) for x in got.values()} == {np.ndarray}
    assert got["gradient D"].tobytes() == found["grads"]["D"].tobytes()
    assert asked(lambda **keywords: (Wrapped(found["y"]), Wrapped(found["h"])), drawn("lru"))["h"].tobytes() == found["h"].tobytes()


def test_results_are_copied():
    """An implementation may use its memory again."""
    memory = np.zeros_like(B)

    def reuses(lam, b):
        memory[:] = b
        return memory

    got = asked(reuses)["h"]
    assert (got == B).all()
    asked(reuses, scans(LAM, 2 * B))
    assert (got == B).all()


# ---------------------------------------------------------------- what breaks the contract
def test_broken_contracts_are_one_line():
    call = drawn("rotrnn")

    def spoils(theta, gamma_log, M, B, C, D, u):
        M[0] = 0
        return u

    with pytest.raises(Fault, match=r"^M: found changed by the implementation, expected inputs to be left untouched$"):
        asked(spoils, call)
    line = "implementation: found no keyword theta, expected keywords theta, gamma_log, M, B, C, D and u"
    assert broken(lambda gamma_log, M, B, C, D, u: u, call) == line
    line = "implementation: found 'window' without a default, expected only lam and b to be required"
    assert broken(lambda lam, b, window: b) == line
    assert broken(lambda lam, b: None) == "result: found NoneType, expected a NumPy array"
    assert broken(lambda lam, b: (b, b)) == "result: found tuple for h, expected a NumPy array"
    assert broken(lambda lam, b: {"y": b}) == "result: found y, expected some of h"
    assert broken(lambda lam, b: b[:, :2]) == "result: found shape (1, 2, 2) for h, expected (1, 3, 2)"


@pytest.mark.parametrize("error", [RuntimeError("first\nsecond"), KeyError(), SystemExit(3), ValueError("x" * 1000)])
def test_whatever_is_raised_is_one_line_with_its_place_and_the_call(error):
    def raises(lam, b):
        raise error

    with pytest.raises(Fault) as fault:
        asked(raises)
    assert (fault.value.kind, "\n" in str(fault.value), len(str(fault.value)) < 300) == ("crashed", False, True)
    assert str(fault.value).startswith(f"implementation: raised {type(error).__name__}")
    assert str(fault.value).endswith(" of raises) for lam (2,), b (1, 3, 2)")


def test_interrupts_are_passed_on():
    def interrupted(lam, b):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        invoke(interrupted, Question.of(CALL))


@pytest.mark.parametrize("what", [3, None, "scan"])
def test_only_callables_are_implementations(what):
    with pytest.raises(TypeError, match=rf"^implementation: found {type(what).__name__}, expected a callable"):
        InProcess(what, FLOAT32)

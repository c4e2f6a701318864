"""Verdicts over layers: precedence, what is not finite, and the rule that an informative case tells crude faults."""

import itertools

import calls
import numpy as np
import pytest
from calls import exact as rounded
from calls import moved as off

import scanproof
from scanproof.properties import findings
from scanproof.properties.domain import Domain
from scanproof.properties.systems.layers import INPUTS, MODULI, deck
from scanproof.properties.verdict import ASSUMED, CLAIMS, judged
from scanproof.reference.allowance.certificate import carried, certify
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.systems import SYSTEMS as KNOWN
from scanproof.reference.systems import weaker

SYSTEMS = ("lru", "rotrnn")
FLOAT32 = Arithmetic("float32", stages="formed")
SIZES = {"batch": 2, "time": 6, "width": 3, "state": 4, "heads": 2}


def drawn(system, arithmetic=FLOAT32, sizes=SIZES, **regime):
    return calls.case(system, arithmetic, sizes, **{"seed": 3} | regime)


def judge_call(got, call, arithmetic, certified=None):
    return judged(got, call, arithmetic, certified)


def word(got, call, arithmetic=FLOAT32):
    return judged(got, call, arithmetic).verdict


# ---------------------------------------------------------------- words and their precedence
@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("gradients", [False, True])
def test_nearest_within_outside(system, gradients):
    draw = drawn(system)
    call = draw.pulled(draw.call())
    exact = {name: x for name, x in rounded(call, FLOAT32).items() if name.startswith("gradient") == gradients}
    exact.pop("gradient M", None)  # no enclosure of its diagonal shows that it is exactly zero
    verdict = judge_call(exact, call, FLOAT32)
    assert (verdict.verdict, verdict.reason, verdict.rounded, verdict.grade) == ("nearest", CLAIMS["nearest"], 1.0, None)
    for name, x in exact.items():
        index = np.unravel_index(int(np.argmax(np.abs(x))), x.shape)
        verdict = judge_call(exact | {name: off(x, index, 2)}, call, FLOAT32)
        assert (verdict.verdict, verdict.rounded) == ("within", (verdict.counts["within"] - 1) / verdict.counts["within"])
        verdict = judge_call(exact | {name: off(x, index, 4e6)}, call, FLOAT32)
        assert (verdict.verdict, verdict.grade, verdict.worst.output, verdict.worst.index) == ("outside", ASSUMED, name, index)
        assert verdict.counts == {"outside": 1, "undecided": 0, "within": sum(x.size for x in exact.values()) - 1}
        assert verdict.reason.startswith(f"1 of {x.size} elements of {name} exceed the allowance")
        assert verdict.ratio == verdict.worst.ratio > 1


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("order", ["unknown", "fft", "log-space", "polar:8", "scaled-cumsum"])
def test_unmodelled_orders_are_undecided_never_outside(system, order):
    call, other = drawn(system).call(), Arithmetic("float32", order=order, stages="formed")
    exact = rounded(call, other)
    assert word(exact, call, other) == "nearest"
    for wrong in (np.zeros_like(call["u"]), np.full_like(call["u"], np.nan), np.full_like(call["u"], 1e30)):
        assert word({"y": wrong}, call, FLOAT32) == "outside"
        verdict = judge_call({"y": wrong}, call, other)
        assert (verdict.verdict, verdict.counts["outside"], verdict.worst) == ("undecided", 0, None)
        assert "order" in verdict.reason or "modelled" in verdict.reason


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_outside_where_nothing_overflows(system, bad):
    call = drawn(system).call()
    exact = rounded(call, FLOAT32)
    for name in ("y", "h", "h_last"):
        got = exact | {name: exact[name].copy()}
        got[name].flat[1] = bad
        verdict = judge_call(got, call, FLOAT32)
        assert (verdict.verdict, verdict.counts["outside"], verdict.worst.output) == ("outside", 1, name)
        assert verdict.bits_lost == np.inf


@pytest.mark.parametrize("system", SYSTEMS)
def test_where_it_may_overflow_it_is_undecided_and_a_finite_wrong_result_still_outside(system):
    call = drawn(system).call()
    largest = np.float32(3e38)
    call = call.but(D=largest + 0 * call["D"])
    y = rounded(call, FLOAT32)["y"]
    assert not np.isfinite(y).all()
    y[~np.isfinite(y)] = np.nan  # inf would be the correct rounding
    verdict = judge_call({"y": y}, call, FLOAT32)
    assert (verdict.verdict, verdict.counts["outside"]) == ("undecided", 0)
    assert verdict.reason.startswith(f"overflow is possible, or the allowance is not finite, in {(~np.isfinite(y)).sum()} of 36")
    finite = np.argwhere(np.isfinite(y))[0]
    y[tuple(finite)] = 1.0
    assert judge_call({"y": y}, call, FLOAT32).worst.index == tuple(finite)


@pytest.mark.parametrize("system", SYSTEMS)
def test_zeros_stay_zeros_exactly(system):
    call = drawn(system).call().but(u=np.zeros((2, 6, 3), "float32"))
    assert word({"y": call["u"]}, call) == "nearest"
    verdict = judge_call({"y": call["u"] + np.float32(1e-45)}, call, FLOAT32)
    assert (verdict.verdict, verdict.worst.allowance, verdict.informative) == ("outside", 0.0, 1.0)


def test_judge_explains_an_outside():
    call = drawn("rotrnn").call()
    y = rounded(call, FLOAT32)["y"]
    verdict = scanproof.judge("rotrnn", y * np.float32(1 + 1e-3), **call.arguments, arithmetic=FLOAT32)
    assert (verdict.verdict, verdict.assumed_needed > 4) == ("outside", True)
    assert "factor" in verdict.reason
    assert scanproof.judge("rotrnn", y, **call.arguments).verdict == "nearest"


# ---------------------------------------------------------------- what informs
def test_an_allowance_that_cannot_tell_zeros_is_undecided():
    call = drawn("rotrnn").call()
    call = call.but(M=call["M"] * np.float32(2**15))  # the exponential of a large matrix
    y = off(rounded(call, FLOAT32)["y"], (0, 0, 0), 3)
    verdict = judge_call({"y": y}, call, FLOAT32)
    assert (verdict.verdict, verdict.counts["outside"]) == ("undecided", 0)
    assert verdict.informative < 0.5
    assert verdict.reason == "within, but the allowance is too large to tell zeros or a dropped carry in 6 of 6 sequences"


@pytest.mark.parametrize("system", SYSTEMS)
def test_carries_below_the_allowance_do_not_inform(system, monkeypatch):
    """gamma = exp(-20): no float32 output shows what is carried on, so passing says nothing about the carry."""
    draw = drawn(system, size="unit")
    decay = "nu_log" if system == "lru" else "gamma_log"
    call = draw.call()
    call = call.but(**{decay: np.full_like(call[decay], 3.0)})
    got = {"y": off(dropped(call)[0], (0, 0, 0), 3)}
    assert word(got, call) == "undecided"
    assert judge_call(got, call, FLOAT32).informative == 0
    monkeypatch.setattr(findings, "HIDDEN_CARRIES", 0)
    assert word(got, call) == "within"


def dropped(call):
    """y and h of a layer that carries nothing on, in float64, rounded once."""
    system, inside = call.system, call.inside(call.wide)
    k = system.constants(inside)
    k = k._replace(**{system.carry: 0 * getattr(k, system.carry)})
    found = system.run(k, inside, call.reverse)
    y, h = (call.to_caller(system.result[name].axes, found[name]) for name in ("y", "h"))
    return y.astype(call["u"].dtype), h


ARITHMETICS = (FLOAT32, Arithmetic("float64", stages="formed"), Arithmetic("bfloat16", accumulate="float32", stages="formed"))


@pytest.mark.parametrize("arithmetic", ARITHMETICS, ids=lambda a: a.dtype)
@pytest.mark.parametrize("system", SYSTEMS)
def test_crude_faults_are_outside_in_every_informative_case(system, arithmetic):
    """Zeros, the input and a dropped carry, wherever what they return is not the truth; states as well as outputs."""
    cases = itertools.product(MODULI, INPUTS, deck(Domain()), (False, True))
    informative, tried = 0, 0
    for seed, (modulus, size, sizes, sparse) in enumerate(cases):
        if seed % 5:
            continue
        draw = drawn(system, arithmetic, sizes, modulus=modulus, size=size, seed=seed)
        call = draw.call(sparse, two=seed % 2 == 1)
        call = (draw.started(call) if seed % 3 == 0 else call).but(reverse=seed % 4 == 3)
        certified = list(certify(call, arithmetic))
        exact = rounded(call, arithmetic)
        y, h = dropped(call)
        carries = any((x != 0).any() for x in carried(call).values())  # none after an impulse at the last step
        crude = {
            "zeros": {"y": 0 * exact["y"], "h": 0 * exact["h"]},
            "input": {"y": call["u"]},
            "carry": {"y": y, "h": h.astype(exact["h"].dtype)},
        }
        for name, got in itertools.chain(crude.items(), [("carry", {"h": crude["carry"]["h"]})]):
            told = judge_call({key: exact[key] for key in got}, call, arithmetic, certified)
            differs = carries if name == "carry" else any((got[key] != exact[key]).any() for key in got)
            tried += differs
            if told.informative >= 0.5 and differs:
                informative += 1
                assert judge_call(got, call, arithmetic, certified).verdict == "outside", (name, seed)
    assert informative > tried / 2 > 60


# ---------------------------------------------------------------- what would have admitted it
def test_not_a_number_fits_no_declaration():
    call = drawn("lru").call()
    got = {"y": np.full(call["u"].shape, np.nan, np.float32)}
    verdict = scanproof.judge("lru", got, **call.arguments, arithmetic=FLOAT32)
    assert (verdict.verdict, verdict.not_refuted_under, verdict.assumed_needed) == ("outside", None, None)


def test_only_words_of_the_system_are_proposed():
    changes = {system: weaker(KNOWN[system], FLOAT32) for system in ("lru", "rotrnn")}
    for words, expected in (({"gain": "one-minus-square"}, [False, True]), ({"expm": "jax"}, [False, True]), ({"stages": "any"}, [True] * 2)):
        assert [words in changes[system] for system in ("lru", "rotrnn")] == expected


def test_bits_lost_of_nothing_are_none():
    call = drawn("lru").call()
    zeros = call.but(u=np.zeros_like(call["u"]))
    assert judge_call({"y": zeros["u"]}, zeros, FLOAT32).bits_lost == 0
    assert judge_call({"y": zeros["u"] + 1}, zeros, FLOAT32).bits_lost > 100  # in units of the least number kept

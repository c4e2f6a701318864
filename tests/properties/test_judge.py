"""`judge`: results that someone recorded, in any form and of any system, and nothing else."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from calls import LAYERS, TIMED, bare, drawn, exact, largest, moved

import scanproof
from scanproof.properties.judge import judge
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.call import Argument, Result, System
from scanproof.reference.numbers import namespace
from scanproof.reference.systems import SYSTEMS

FLOAT32 = Arithmetic("float32")


def results(call, *names, units=0):
    """Exact results, of which one element of the first is off by some units in its last place."""
    got = exact(call, FLOAT32, *names)
    first = names[0]
    return got | {first: moved(got[first], largest(got[first]), units)} if units else got


def first_of(system):
    return next(iter(SYSTEMS[system].result))


# ---------------------------------------------------------------- forms
@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize(("units", "words"), [(0, ["nearest"]), (1, ["within"]), (2**22, ["outside"])])
def test_the_first_result_alone_in_a_tuple_or_in_a_mapping(system, units, words):
    call, name = drawn(system), first_of(system)
    got = results(call, name, units=units)
    verdicts = [judge(system, each, **call.keywords()) for each in (got, got[name], (got[name],))]
    assert verdicts == verdicts[:1] * 3
    assert verdicts[0].verdict in words
    assert verdicts[0].worst is None or verdicts[0].worst.output == name


@pytest.mark.parametrize("system", LAYERS)
def test_tuples_are_in_the_order_of_the_table(system):
    call = drawn(system, start=True)
    got = results(call, "y", "h", "h_last")
    wrong = got | {"h_last": moved(got["h_last"], largest(got["h_last"]), 2**22)}
    for each, word in ((got, "nearest"), (wrong, "outside")):
        mapping = judge(system, each, **call.keywords())
        assert judge(system, (each["y"], each["h"], each["h_last"]), **call.keywords()) == mapping
        assert mapping.verdict == word
    assert judge(system, (got["y"], None, wrong["h_last"]), **call.keywords()).worst.output == "h_last"
    assert judge(system, (got["y"], got["h"]), **call.keywords()).verdict == "nearest"


@pytest.mark.parametrize("system", LAYERS)
def test_gradients_are_judged_beside_results(system):
    call = drawn(system, bars=True)
    flat = exact(call, FLOAT32)
    flat.pop("gradient M", None)  # no enclosure of its diagonal shows that it is exactly zero
    grads = {name.partition(" ")[2]: x for name, x in flat.items() if name.startswith("gradient")}
    nested = {"y": flat["y"], "grads": grads}
    assert judge(system, nested, **call.keywords()).verdict == "nearest"
    nested["grads"] = grads | {"D": moved(grads["D"], (0,), 2**22)}
    assert judge(system, nested, **call.keywords()).worst.output == "gradient D"


@pytest.mark.parametrize("system", TIMED)
@pytest.mark.parametrize("units", [1, 2**22])
def test_without_a_batch_axis_the_verdict_is_that_of_one_row(system, units):
    call = drawn(system, start=True, reverse=True).take("batch", [0])
    name = first_of(system)
    got = results(call, name, units=units)[name]
    whole, alone = judge(system, got, **call.keywords()), judge(system, got[0], **bare(call).keywords())
    assert (alone.verdict, alone.counts, alone.ratio, alone.reason) == (whole.verdict, whole.counts, whole.ratio, whole.reason)
    assert alone.worst.index == whole.worst.index[1:]
    assert alone.worst.axes == whole.worst.axes[1:]
    with pytest.raises(TypeError, match=r"^got: found shape \(1, "):
        judge(system, got, **bare(call).keywords())


@pytest.mark.parametrize("system", SYSTEMS)
def test_nothing_that_is_given_is_changed(system):
    call, name = drawn(system, start=True), first_of(system)
    got = results(call, name, units=2**22)
    before = {each: x.tobytes() for each, x in (call.arguments | got).items()}
    assert judge(system, got, **call.arguments).verdict == "outside"
    assert before == {each: x.tobytes() for each, x in (call.arguments | got).items()}


# ---------------------------------------------------------------- the dtype
@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_declared_dtype_is_that_of_the_arguments_where_none_is_said(system, dtype):
    call, name = drawn(system, dtype), first_of(system)
    got = exact(call, Arithmetic(dtype), name)
    assert judge(system, got, **call.keywords()).arithmetic == Arithmetic(dtype)
    other = {"float32": "float64", "float64": "float32"}[dtype]
    with pytest.raises(TypeError, match=f": found dtype {dtype}, expected {other} as declared; convert it explicitly$"):
        judge(system, got, dtype=other, **call.keywords())


@pytest.mark.parametrize("system", SYSTEMS)
def test_no_array_to_tell_the_dtype(system):
    with pytest.raises(TypeError, match=r"^[a-zA-Z_]+: found none, expected "):
        judge(system, np.ones(1))
    given = drawn(system).keywords()
    for name in ("u", "b", "S"):
        if name in given:
            with pytest.raises(TypeError, match=f"^{name}: found list, expected a NumPy array$"):
                judge(system, np.ones(1), **given | {name: given[name].tolist()})


# ---------------------------------------------------------------- a system that is not in the registry
def test_a_system_of_ones_own_is_judged():
    """A leaky sum of its inputs, stated once: nothing else is needed for a verdict."""
    leaky = System(
        name="leaky-2",
        title="a sum that forgets",
        arguments=(
            Argument("keep", "channels", "parameter"),
            Argument("x", "[batch] time channels", "input", linear=True),
            Argument("s0", "[batch] channels", "state", optional=True),
        ),
        results=(Result("s", "[batch] time channels", state="s0"),),
        constants=lambda x: SimpleNamespace(keep=x["keep"]),
        run=lambda k, x, reverse: {"s": namespace.of(x["x"]).scan(k.keep, x["x"], x["s0"], reverse)},
        equation="s[t] = keep s[t-1] + x[t]",
        features=frozenset({"states"}),
    )
    keep, x = np.float32([0.5, 0.9]), np.random.default_rng(0).standard_normal((7, 2)).astype(np.float32)
    states = []
    for one in x:
        states.append(keep * (states[-1] if states else 0) + one)
    got = np.stack(states)
    assert judge(leaky, got, keep=keep, x=x).verdict in ("within", "nearest")
    verdict = judge(leaky, got * np.float32(1.001), keep=keep, x=x)
    assert (verdict.verdict, verdict.worst.axes) == ("outside", ("time", "channels"))
    with pytest.raises(TypeError, match=r"^got: found shape \(7,\) for s, expected \(7, 2\)$"):
        judge(leaky, got[:, 0], keep=keep, x=x)


def test_check_of_a_system_without_a_room_is_one_line():
    """What `check` draws from stands in its room; judging needs none."""
    other = dataclasses.replace(SYSTEMS["scan"], name="mine")
    expected = "one of scan, lru, rotrnn, expm, or one with a room (docs/adding-a-system.md)"
    with pytest.raises(ValueError) as error:  # noqa: PT011
        scanproof.check(other, lambda **keywords: None, dtype="float32")
    assert str(error.value) == f"system: found mine, which has no room, expected {expected}"

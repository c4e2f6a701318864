"""Witness files of layers: written, read and judged again to the same end; every other file is one line."""

import json
import pickle
import re
from dataclasses import replace

import numpy as np
import pytest
from editions import recheck
from hypothesis import given, settings
from hypothesis import strategies as st
from scanproof.properties.layer_draws import LayerDraw, Sizes
from scanproof.properties.layer_verdict import judge_call
from scanproof.properties.layer_witness import LayerWitness, layer_contradiction, layer_witness, read_layer
from scanproof.properties.plain_lru import Lru
from scanproof.properties.plain_rotrnn import RotRnn
from scanproof.properties.strategies import Domain

from scanproof.properties.judge import judge
from scanproof.properties.witness import numbers
from scanproof.reference.arithmetic import Arithmetic

PLAIN = {"lru": Lru(), "rotrnn": RotRnn()}
SIZES = Sizes(batch=2, time=3, width=2, state=4, heads=2)


def made(system="lru", dtype="float32", two=True, reverse=True, spoiled="y", gradients=False, constants=False):
    """Call, results of the plain layer with one of them wrong, verdict and witness."""
    arithmetic = Arithmetic(dtype, stages="formed")
    draw = LayerDraw(system, arithmetic, Domain(), SIZES, seed=4)
    call = draw.call(bidirectional=two)
    call = replace(call, h0=draw.states(call), reverse=reverse, y_bar=draw.cotangents() if gradients else None)
    got = PLAIN[system](**call.keywords())
    got = {"y": got["y"], "h": got["h"]} | {f"gradient {name}": x for name, x in got.get("grads", {}).items()}
    if constants:
        k = call.layer.module.constants(call.params)
        got |= {f"constant {name}": np.array(getattr(k, name)) for name in call.layer.hook}
    got[spoiled] = got[spoiled].copy()
    got[spoiled][(-1,) * got[spoiled].ndim] += 3
    verdict = judge_call(got, call, arithmetic)
    return call, got, verdict, layer_witness(call, got, verdict, "mutant", "equivalence", 4)


GOOD = json.loads(made()[3].text())


# ---------------------------------------------------------------- round trips
@pytest.mark.parametrize("system", PLAIN)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("spoiled", "gradients"), [("y", False), ("h", False), ("gradient D", True), ("gradient h0", True)])
def test_read_again_it_is_judged_the_same(tmp_path, system, dtype, spoiled, gradients):
    call, got, verdict, written = made(system, dtype, spoiled=spoiled, gradients=gradients)
    again = read_layer(written.write(tmp_path))
    assert again == written
    assert again.output == spoiled
    restored = again.inputs()
    for name, x in (call.named | {"u": call.u, "h0": call.h0}).items():
        assert (restored.named | {"u": restored.u, "h0": restored.h0})[name].tobytes() == x.tobytes()
    assert {name: x.tobytes() for name, x in again.results().items()} == {name: x.tobytes() for name, x in got.items()}
    found = judge_call(again.results(), restored, again.declared())
    assert found == verdict
    assert (list(found.worst.index), found.worst.allowance.hex()) == (again.index, again.allowance)
    assert layer_contradiction(again, found) is None
    assert recheck(json.loads(again.text())) == "confirmed"


@pytest.mark.parametrize("system", PLAIN)
def test_what_follows_from_shown_constants_has_a_witness(tmp_path, system):
    outputs = set()
    for spoiled in ("y", "h", *(f"constant {name}" for name in made(system)[0].layer.hook)):
        _, _, verdict, written = made(system, constants=True, spoiled=spoiled)
        again = read_layer(written.write(tmp_path))
        outputs.add(again.output)
        assert layer_contradiction(again, verdict) is None
        assert recheck(json.loads(again.text())) == "confirmed"
    assert {"y from constants", "h from constants"} & outputs


def test_the_command_judges_it_again():
    call, got, verdict, _ = made()
    found = judge("lru", got, params=call.params, u=call.u, h0=call.h0, reverse=call.reverse, arithmetic=Arithmetic("float32", stages="formed"))
    assert (found.verdict, found.worst) == ("outside", verdict.worst)


def test_a_witness_needs_an_outside():
    call, got, _, _ = made()
    verdict = judge_call(got, call, Arithmetic("float32", order="unknown", stages="formed"))
    with pytest.raises(ValueError, match="verdict: found 'undecided', expected 'outside'"):
        layer_witness(call, got, verdict, "name", "equivalence", 0)


def test_the_name_is_a_slug_and_a_hash_of_the_content(tmp_path):
    first, second = made()[3], made(reverse=False)[3]
    assert re.fullmatch(r"witness-lru-equivalence-[0-9a-f]{10}\.json", first.name)
    assert first.name != second.name
    assert first.write(tmp_path / "new").name == first.name


# ---------------------------------------------------------------- contradictions
def nudged(text, by=1e-6):
    return (float.fromhex(text) * (1 + by)).hex()


def test_a_witness_that_does_not_follow_from_its_call_is_told():
    call, _, verdict, written = made()
    assert layer_contradiction(written, verdict) is None
    truth = [(nudged(head), tail) for head, tail in written.truth]
    assert layer_contradiction(written.model_copy(update={"truth": truth}), verdict) == "its truth is not that of its call"
    for allowance in (nudged(written.allowance), "nan", "inf", (0.0).hex()):
        assert "its allowance is" in layer_contradiction(written.model_copy(update={"allowance": allowance}), verdict)
    honest = judge_call(PLAIN["lru"](**call.keywords()), call, Arithmetic("float32", stages="formed"))
    assert layer_contradiction(written, honest) == "it claims `outside`, and its call is within"
    assert "truth" in layer_contradiction(written.model_copy(update={"reverse": False}), verdict)
    assert "truth" in layer_contradiction(written.model_copy(update={"rad": "nan"}), verdict)


# ---------------------------------------------------------------- strict reading
def changed(*path, to):
    """GOOD with one value replaced; `to` may be a function of the old value, ... deletes it."""
    content = json.loads(json.dumps(GOOD))
    *parents, last = path
    place = content
    for key in parents:
        place = place[key]
    if to is ...:
        del place[last]
    else:
        place[last] = to(place[last]) if callable(to) else to
    return json.dumps(content)


def array_of(*shape, dtype="float32"):
    return numbers(np.zeros(shape, dtype)).model_dump()


TAMPERED = {
    "empty": "",
    "truncated": json.dumps(GOOD)[:-40],
    "not json": "witness",
    "a list": "[]",
    "not UTF-8": b"\xff\xfe",
    "pickle": pickle.dumps(GOOD),
    "deeply nested": "[" * 100000,
    "newer format": changed("format", to="scanproof-layer-witness/9"),
    "format of scans": changed("format", to="scanproof-witness/2"),
    "other system": changed("system", to="rotrnn"),
    "no layer": changed("system", to="scan"),
    "unknown system": changed("system", to="mamba"),
    "system with a path": changed("system", to="../lru"),
    "unknown field": changed("extra", to=1),
    "missing field": changed("allowance", to=...),
    "missing parameter": changed("params", "nu_log", to=...),
    "unknown parameter": changed("params", "M", to=array_of(2, 4, 4)),
    "half of C2": changed("params", "C2_im", to=...),
    "parameter of another shape": changed("params", "theta_log", to=array_of(3)),
    "parameter of another dtype": changed("params", "D", to=array_of(2, dtype="float64")),
    "parameter not finite": changed("params", "B_re", "data", 0, to="inf"),
    "nu not finite": changed("params", "nu_log", "data", 0, to="-inf"),
    "u without batch": changed("u", to=array_of(3, 2)),
    "u empty": changed("u", to=array_of(2, 0, 2)),
    "h0 of one direction": changed("h0", to=array_of(2, 4, dtype="complex64")),
    "y_bar of other length": changed("y_bar", to=array_of(2, 4, 2)),
    "number between two of the dtype": changed("u", "data", 0, to="0x1.0000000000001p+0"),
    "decimal number": changed("u", "data", 0, to="0.5"),
    "bool as number": changed("reverse", to=0),
    "law with a path": changed("law", to="../../outside"),
    "declared dtype": changed("arithmetic", "dtype", to="float64"),
    "declared complex": changed("arithmetic", "dtype", to="complex64"),
    "declared stages": changed("arithmetic", "stages", to="graph"),
    "declared stages missing": changed("arithmetic", "stages", to=...),
    "declared gain": changed("arithmetic", "gain", to="exact"),
    "unknown result": changed("got", "z", to=array_of(2)),
    "result of another shape": changed("got", "y", to=array_of(2, 2, 2)),
    "result of another dtype": changed("got", "h", to=array_of(2, 3, 2, 4)),
    "unknown gradient": changed("got", "gradient M", to=array_of(2)),
    "output not returned": changed("output", to="h_last"),
    "output from constants that are not shown": changed("output", to="y from constants"),
    "output with a path": changed("output", to="../y"),
    "index outside": changed("index", to=[0, 3, 0]),
    "index negative": changed("index", to=[0, -1, 0]),
    "index of two axes": changed("index", to=[0, 1]),
    "truth empty": changed("truth", to=[]),
    "truth complex": changed("truth", to=lambda truth: truth * 2),
    "truth decimal": changed("truth", 0, 0, to="0.5"),
    "truth of heads only": changed("truth", 0, to=["0x1.0000000000000p+0"]),
    "allowance decimal": changed("allowance", to="1e-7"),
}


def test_the_untouched_file_is_read(tmp_path):
    (tmp_path / "w.json").write_text(json.dumps(GOOD))
    assert read_layer(tmp_path / "w.json") == LayerWitness.model_validate_json(json.dumps(GOOD))


@pytest.mark.parametrize("content", TAMPERED.values(), ids=TAMPERED.keys())
def test_every_other_file_is_one_value_error(tmp_path, content):
    path = tmp_path / "w.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=r"^witness: ") as error:
        read_layer(path)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500 + len(str(path))


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(st.data())
def test_any_one_changed_value_reads_or_is_a_value_error(data):
    """No other exception, whatever single value of the file is replaced by whatever JSON."""
    content = json.loads(json.dumps(GOOD))
    place = content
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("0x1.8000000000000p+3")
    place[key] = data.draw(st.recursive(leaf, lambda inner: st.lists(inner, max_size=3), max_leaves=4))
    try:
        found = LayerWitness.model_validate_json(json.dumps(content))
    except ValueError:
        return
    assert json.loads(found.text()) == content


@pytest.mark.parametrize(("form", "hint"), [("scanproof-layer-witness/9", "; the scanproof that wrote it may read it"), ("scanproof-witness/2", "")])
def test_another_format_is_named(form, hint, tmp_path):
    (tmp_path / "w.json").write_text(changed("format", to=form))
    with pytest.raises(ValueError, match=f"found format '{form}', expected scanproof-layer-witness/1{hint}$"):
        read_layer(tmp_path / "w.json")


@pytest.mark.parametrize("path", ["no/such/file.json", ".", "\0"])
def test_a_file_that_cannot_be_read_is_a_value_error(path):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        read_layer(path)
    assert "\n" not in str(error.value)

"""Witness files: the claim can be checked with integers alone, and only a well-formed file is read."""

import json
import os
import pickle
import re
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scanproof.properties.strategies import LAMBDAS, SIZES, Domain, Draw

from scanproof.properties import witness as module
from scanproof.properties.judge import judge
from scanproof.properties.verdict import judge_inputs
from scanproof.properties.versions.scan import drops_carry, zeros
from scanproof.properties.witness import Witness, array, contradiction, numbers, read, witness, write_atomically
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.formats import DTYPES, format_of
from scanproof.reference.transitions.diagonal import scan

FULL = {"h0": True, "reverse": True}


def made(dtype="complex64", mutant=drops_carry, varying=False, h0=False, reverse=False, shape=(1, 20, 2), **regime):
    inputs = Draw(Arithmetic(dtype), Domain(), shape, varying, seed=4, **regime).inputs(h0, reverse)
    got = mutant(inputs.lam, inputs.b, inputs.h0, inputs.reverse)
    verdict = judge_inputs(got, inputs, Arithmetic(dtype))
    assert verdict.verdict == "outside"
    return inputs, got, witness(inputs, got, verdict, "mutant", "equivalence", 4)


GOOD = json.loads(made()[2].text())


# ---------------------------------------------------------------- what a third party does: no line of ours
def components(n, index):
    """One element of an array of the file, as exact numbers: [re] or [re, im]."""
    width = 2 if n["dtype"].startswith("complex") else 1
    place = 0
    for i, size in zip(index, n["shape"], strict=True):
        place = place * size + i
    return [Fraction(float.fromhex(text)) for text in n["data"][place * width : place * width + width]]


def multiply(x, y):
    (a, b), (c, d) = [[*z, Fraction(0)][:2] for z in (x, y)]
    return [a * c - b * d, a * d + b * c]


def recomputed(content):
    """The state at `index`, by the recurrence over fractions."""
    row, step, channel = content["index"]
    time = content["b"]["shape"][1]
    state = [Fraction(0)] * 2
    if content["h0"]:
        state = [*components(content["h0"], (row, channel)), Fraction(0)][:2]
    for t in range(time - 1, step - 1, -1) if content["reverse"] else range(step + 1):
        lam = components(content["lam"], (channel,) if len(content["lam"]["shape"]) == 1 else (row, t, channel))
        drive = [*components(content["b"], (row, t, channel)), Fraction(0)][:2]
        state = [p + q for p, q in zip(multiply(lam, state), drive, strict=True)]
    return state


def checks(content):
    """The claim, from integers: |got - truth| > allowance."""
    truth = [Fraction(int(n, 16), 2 ** content["truth"]["exponent"]) for n in content["truth"]["numerators"]]
    got = components(content["got"], content["index"])
    return sum((g - h) ** 2 for g, h in zip(got, truth, strict=True)) > Fraction(float.fromhex(content["allowance"])) ** 2


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("varying", [False, True])
@pytest.mark.parametrize("optional", [{}, FULL])
def test_the_claim_holds_by_integers_alone(tmp_path, dtype, varying, optional):
    content = json.loads(made(dtype, varying=varying, **optional)[2].write(tmp_path).read_text())
    truth = [Fraction(int(n, 16), 2 ** content["truth"]["exponent"]) for n in content["truth"]["numerators"]]
    assert [*truth, Fraction(0)][:2] == recomputed(content)
    assert checks(content)
    element = components(content["got"], content["index"])
    exact = dict(content, truth={"numerators": ["0x0"] * len(element), "exponent": 0})
    assert checks(exact) == (sum(c**2 for c in element) > Fraction(float.fromhex(content["allowance"])) ** 2)  # it can fail


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("lam", LAMBDAS)
def test_every_regime_and_unshrunk_length_is_written_and_read(tmp_path, dtype, size, lam):
    """Long failures have numerators of thousands of digits, more than Python converts to decimals."""
    inputs, _, made_one = made(dtype, zeros, shape=(1, 256, 1), size=size, lam=lam, **FULL)
    again = read(made_one.write(tmp_path))
    assert again == made_one
    assert again.inputs().lam.tobytes() == inputs.lam.tobytes()
    assert checks(json.loads(again.text()))


def test_some_numerator_is_longer_than_python_prints_in_decimals():
    def last_wrong(lam, b, h0, reverse):
        h = scan(lam, b, h0, reverse)
        h[:, -1] = 0
        return h

    states = [int(n, 16) for n in made("complex128", last_wrong, shape=(1, 256, 1), lam="near 0")[2].truth.numerators]
    assert max(abs(state) for state in states) > 10 ** sys.get_int_max_str_digits()


def test_a_witness_needs_an_outside():
    inputs, _, _ = made()
    verdict = judge_inputs(module.array(numbers(inputs.b)) * 0 + np.nan, inputs, Arithmetic("complex64", order="unknown"))
    with pytest.raises(ValueError, match="verdict: found 'undecided', expected 'outside'"):
        witness(inputs, inputs.b, verdict, "name", "equivalence", 0)


# ---------------------------------------------------------------- round trips
@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_keep_every_bit(dtype):
    form, component = format_of(dtype), Arithmetic(dtype).real_dtype
    sizes = [form.largest, -form.largest, form.smallest_normal, form.smallest_subnormal, 2 * form.u]
    values = [0.0, -0.0, 1.0, -1.5, *sizes, np.inf, np.nan]

    @settings(max_examples=50, deadline=None, derandomize=True, database=None)
    @given(st.lists(st.sampled_from(values) | st.floats(width=32), min_size=12, max_size=12))
    def keep(items):
        with np.errstate(over="ignore"):
            x = np.array(items).astype(component).view(dtype).reshape(1, -1, 2)
        again = array(numbers(x))
        assert again.dtype == x.dtype
        parts = [np.stack([z.real, z.imag] if np.iscomplexobj(z) else [z]).astype(float) for z in (again, x)]
        assert np.array_equal(*parts, equal_nan=True)
        assert (np.signbit(parts[0]) == np.signbit(parts[1]))[~np.isnan(parts[1])].all()

    keep()


def test_a_witness_read_again_is_judged_the_same(tmp_path):
    made_one = made(**FULL)[2]
    again = read(made_one.write(tmp_path))
    restored = again.inputs()
    verdict = judge(
        again.system, array(again.got), lam=restored.lam, b=restored.b, h0=restored.h0, reverse=restored.reverse,
        arithmetic=again.declared(),
    )  # fmt: skip
    assert verdict.verdict == "outside"
    assert (list(verdict.worst.index), verdict.worst.allowance.hex()) == (again.index, again.allowance)


def test_the_name_is_a_slug_and_a_hash_of_the_content(tmp_path):
    first, second = made()[2], made(varying=True)[2]
    assert re.fullmatch(r"witness-equivalence-[0-9a-f]{10}\.json", first.name)
    assert first.name != second.name
    assert first.write(tmp_path / "new" / "folder").name == first.name == first.write(tmp_path).name


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


TAMPERED = {
    "empty": "",
    "truncated": json.dumps(GOOD)[:-40],
    "not json": "witness",
    "a list": "[]",
    "not UTF-8": b"\xff\xfe",
    "pickle": pickle.dumps(GOOD),
    "deeply nested": "[" * 100000,
    "older format": changed("format", to="scanproof-witness/1"),
    "newer format": changed("format", to="scanproof-witness/3"),
    "other system": changed("system", to="lru"),
    "unknown field": changed("extra", to=1),
    "unknown field inside": changed("truth", "note", to="x"),
    "missing field": changed("allowance", to=...),
    "missing field inside": changed("b", "dtype", to=...),
    "number as text": changed("seed", to="4"),
    "bool as number": changed("reverse", to=0),
    "law with a path": changed("law", to="../../outside"),
    "dtype object": changed("b", "dtype", to="object"),
    "dtype void": changed("b", "dtype", to="V8"),
    "dtype unknown": changed("lam", "dtype", to="float33"),
    "dtype structured": changed("got", "dtype", to="f4,f4"),
    "dtype of got": changed("got", "dtype", to="complex128"),
    "declared dtype": changed("arithmetic", "dtype", to="float64"),
    "declared order of another store": changed("arithmetic", "store", to="step"),
    "declared accumulation": changed("arithmetic", "accumulate", to="float32"),
    "declared operands": changed("arithmetic", "operands", to="tf19"),
    "declared rounding": changed("arithmetic", "rounding", to="up"),
    "declared factor": changed("arithmetic", "assumed", to=2.0),
    "declared factor missing": changed("arithmetic", "assumed", to=...),
    "declared order": changed("arithmetic", "order", to="chunked:0"),
    "declared subnormals": changed("arithmetic", "subnormals", to="maybe"),
    "not modelled": changed("arithmetic", "dtype", to="float16"),
    "shape too large": changed("b", "shape", to=[10**9, 10**9, 10**9]),
    "shape beyond every integer": changed("b", "shape", to=[10**30, 1, 1]),
    "shape beyond every integer, empty": changed("b", "shape", to=[0, 10**30, 1]),
    "shape negative": changed("b", "shape", to=[-1, 20, -2]),
    "shape a float": changed("b", "shape", to=[1.0, 20, 2]),
    "shape without axes": changed("lam", "shape", to=[]),
    "shape transposed": changed("b", "shape", to=[1, 2, 20]),
    "shape of too many axes": changed("b", "shape", to=[1] * 40),
    "one number missing": changed("b", "data", to=lambda data: data[:-1]),
    "one number more": changed("lam", "data", to=lambda data: [*data, "0x0.0p+0"]),
    "no numbers": changed("got", "data", to=[]),
    "decimal number": changed("b", "data", 0, to="0.5"),
    "not a number": changed("b", "data", 0, to="one"),
    "number too large": changed("b", "data", 0, to="0x1.0000000000000p+99999"),
    "number too large for the dtype": changed("b", "data", 0, to="0x1.0000000000000p+1000"),
    "number between two of the dtype": changed("b", "data", 0, to="0x1.0000000000001p+0"),
    "number not canonical": changed("b", "data", 0, to="0x2.0p+0"),
    "input not finite": changed("b", "data", 0, to="inf"),
    "index outside": changed("index", to=[0, 20, 0]),
    "index negative": changed("index", to=[0, -1, 0]),
    "index of two axes": changed("index", to=[0, 1]),
    "index of four axes": changed("index", to=[0, 1, 0, 0]),
    "numerator decimal": changed("truth", "numerators", 0, to="12"),
    "numerator empty": changed("truth", "numerators", to=[]),
    "exponent negative": changed("truth", "exponent", to=-1),
    "allowance decimal": changed("allowance", to="1e-7"),
    "h0 of another shape": changed("h0", to=numbers(np.zeros((2, 2), "complex64")).model_dump()),
    "h0 of another dtype": changed("h0", to=numbers(np.zeros((1, 2), "complex128")).model_dump()),
    "h0 of three axes": changed("h0", to=numbers(np.zeros((1, 2, 1), "complex64")).model_dump()),
    "lam of another shape": changed("lam", to=numbers(np.zeros((1, 20, 3), "complex64")).model_dump()),
}


def test_the_untouched_file_is_read(tmp_path):
    (tmp_path / "w.json").write_text(json.dumps(GOOD))
    assert read(tmp_path / "w.json") == Witness.model_validate_json(json.dumps(GOOD))


@pytest.mark.parametrize("content", TAMPERED.values(), ids=TAMPERED.keys())
def test_every_other_file_is_one_value_error(tmp_path, content):
    path = tmp_path / "w.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=r"^witness: ") as error:
        read(path)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500 + len(str(path))


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
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
        found = Witness.model_validate_json(json.dumps(content))
    except ValueError:
        return
    assert json.loads(found.text()) == content


@pytest.mark.parametrize("path", ["no/such/file.json", ".", "\0"])
def test_a_file_that_cannot_be_read_is_a_value_error(path):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        read(path)
    assert "\n" not in str(error.value)


def test_reading_never_unpickles(tmp_path, monkeypatch):
    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "sprung"),))

    monkeypatch.setattr(pickle, "loads", lambda *a, **k: pytest.fail("unpickled"))
    for bait in (pickle.dumps(Trap()), json.dumps(GOOD).encode() + pickle.dumps(Trap())):
        (tmp_path / "w.json").write_bytes(bait)
        with pytest.raises(ValueError, match=r"^witness: "):
            read(tmp_path / "w.json")
    assert not (tmp_path / "sprung").exists()


# ---------------------------------------------------------------- atomic writing
def test_writing_replaces_the_file_and_leaves_nothing_else(tmp_path):
    for text in ("first\n", "second\n"):
        write_atomically(tmp_path / "deep" / "file.txt", text)
        assert [(p.name, p.read_text()) for p in (tmp_path / "deep").iterdir()] == [("file.txt", text)]
    plain = tmp_path / "plain"
    plain.write_text("x")
    assert (tmp_path / "deep" / "file.txt").stat().st_mode == plain.stat().st_mode  # readable like any other file


@pytest.mark.parametrize("broken", ["write_text", "replace"])
def test_an_interrupted_write_leaves_the_old_file_and_no_part(tmp_path, monkeypatch, broken):
    path = tmp_path / "file.txt"
    write_atomically(path, "old\n")
    original = type(path).write_text

    def interrupted(self, *arguments, **keywords):
        if broken == "write_text":
            original(self, "half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(type(path), broken, interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_atomically(path, "new\n")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("file.txt", "old\n")]


def test_an_allowance_that_is_no_number_contradicts(tmp_path):
    made_one = made(**FULL)[2]
    verdict = judge_inputs(array(made_one.got), made_one.inputs(), made_one.declared())
    assert contradiction(made_one, verdict) is None
    for wrong in ("nan", "inf", (0.0).hex()):
        assert "its allowance is" in contradiction(made_one.model_copy(update={"allowance": wrong}), verdict)


def test_another_version_says_so(tmp_path):
    path = tmp_path / "w.json"
    path.write_text(TAMPERED["newer format"])
    told = "found format 'scanproof-witness/3', expected scanproof-witness/2; the scanproof that wrote it"
    with pytest.raises(ValueError, match=told):
        read(path)

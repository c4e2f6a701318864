"""Witness files of every system: written, read and judged again; only well-formed ones are read."""

import functools
import json
import os
import pickle
import re
import sys
from fractions import Fraction

import numpy as np
import pytest
from calls import bare, drawn, exact
from hypothesis import given, settings
from hypothesis import strategies as st
from witnesses import altered, array_of, content, nudged, recheck, with_constants, written

from scanproof.properties.files import array, numbers, write_atomically
from scanproof.properties.judge import judge
from scanproof.properties.systems.scan import LAMBDAS, SIZES
from scanproof.properties.verdict import judged
from scanproof.properties.versions.scan import drops_carry, zeros
from scanproof.properties.witness import FIRST_EDITION, Witness, contradiction, read, witness
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.formats import DTYPES, format_of
from scanproof.reference.systems import SYSTEMS
from scanproof.reference.transitions.diagonal import scan

FULL = {"start": True, "reverse": True}
LAYERS = ("lru", "rotrnn")
GRADIENTS = [(name, output) for name in LAYERS for output in ("gradient D", "gradient h0")]
OUTPUTS = [(name, output) for name, system in SYSTEMS.items() for output in system.result]
FORMATS = ("float32", "float64", "complex64", "complex128")
JUDGED = [(*x, y) for x in OUTPUTS + GRADIENTS for y in FORMATS if y in SYSTEMS[x[0]].dtypes]


@functools.cache
def made(system, output=None, dtype=None, **more):
    """Call, declaration, exact results with one element off, and the witness of it."""
    arithmetic = Arithmetic(dtype or ("complex64" if system == "scan" else "float32"))
    output = output or next(iter(SYSTEMS[system].result))
    words = (FULL if SYSTEMS[system].timed else {}) | {"bars": output.startswith("gradient")}
    call = drawn(system, arithmetic, two=True, **words | more)
    got = exact(call, arithmetic)
    got[output][(-1,) * got[output].ndim] += 3
    return call, arithmetic, got, written(call, got, arithmetic)


def scan_made(dtype="complex64", mutant=drops_carry, time=20, channels=2, **more):
    """A witness of a mutant of the scan."""
    call = drawn("scan", dtype, {"batch": 1, "time": time, "channels": channels}, seed=4, **more)
    return call, written(call, {"h": mutant(**call.keywords())}, Arithmetic(dtype))


def good(system):
    """A witness as a file holds it."""
    return content(made(system)[-1])


# ---------------------------------------------------------------- what a third party does
def components(n, index):
    """No line of ours: one element of an array of the file, as exact numbers: [re] or [re, im]."""
    width = 2 if n["dtype"].startswith("complex") else 1
    place = 0
    for i, size in zip(index, n["shape"], strict=True):
        place = place * size + i
    return [Fraction(float.fromhex(text)) for text in n["data"][place * width :][:width]]


def multiply(x, y):
    (a, b), (c, d) = [[*z, Fraction(0)][:2] for z in (x, y)]
    return [a * c - b * d, a * d + b * c]


def recomputed(found):
    """The state at `index`, by the recurrence over fractions."""
    row, step, channel = found["index"]
    x = found["arguments"]
    time, state = x["b"]["shape"][1], [Fraction(0)] * 2
    if "h0" in x:
        state = [*components(x["h0"], (row, channel)), Fraction(0)][:2]
    for t in range(time - 1, step - 1, -1) if x.get("reverse") else range(step + 1):
        place = (row, t, channel)[-len(x["lam"]["shape"]) :]
        drive = [*components(x["b"], (row, t, channel)), Fraction(0)][:2]
        carried = multiply(components(x["lam"], place), state)
        state = [p + q for p, q in zip(carried, drive, strict=True)]
    return state


def truth(found):
    exact = found["evidence"]["exact"]
    return [Fraction(int(n, 16), 2 ** exact["exponent"]) for n in exact["numerators"]]


def checks(found):
    """The claim, from integers: |got - truth| > allowance."""
    got = components(found["results"]["h"], found["index"])
    error_squared = sum((g - h) ** 2 for g, h in zip(got, truth(found), strict=True))
    return error_squared > Fraction(float.fromhex(found["allowance"])) ** 2


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("varying", [False, True])
@pytest.mark.parametrize("optional", [{}, FULL])
def test_the_claim_holds_by_integers_alone(tmp_path, dtype, varying, optional):
    found = scan_made(dtype, varying=varying, **optional)[1].write(tmp_path).read_text()
    found = json.loads(found)
    assert [*truth(found), Fraction(0)][:2] == recomputed(found)
    assert checks(found)
    element = components(found["results"]["h"], found["index"])
    nothing = {"exact": {"numerators": ["0x0"] * len(element), "exponent": 0}}
    size, allowance = sum(c**2 for c in element), Fraction(float.fromhex(found["allowance"]))
    assert checks(found | {"evidence": nothing}) == (size > allowance**2)  # it can fail


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("lam", LAMBDAS)
def test_every_regime_and_unshrunk_length_is_written_and_read(tmp_path, dtype, size, lam):
    """Long failures have numerators of thousands of digits, more than decimals may have."""
    words = {"size": size, "lam": lam, "varying": False} | FULL
    call, found = scan_made(dtype, zeros, time=256, channels=1, **words)
    again = read(found.write(tmp_path))
    assert again == found
    assert again.call()["lam"].tobytes() == call["lam"].tobytes()
    assert checks(content(again))


def test_some_numerator_is_longer_than_python_prints_in_decimals():
    def last_wrong(lam, b):
        h = scan(lam, b)
        h[:, -1] = 0
        return h

    _, found = scan_made("complex128", last_wrong, time=256, lam="near 0", varying=False)
    states = [int(n, 16) for n in found.evidence.exact.numerators]
    assert max(abs(state) for state in states) > 10 ** sys.get_int_max_str_digits()


# ---------------------------------------------------------------- round trips
@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_keep_every_bit(dtype):
    form, component = format_of(dtype), Arithmetic(dtype).real_dtype
    sizes = [form.largest, -form.largest, form.smallest_normal, form.smallest_subnormal]
    values = [0.0, -0.0, 1.0, -1.5, *sizes, 2 * form.u, np.inf, np.nan]
    drawn_values = st.sampled_from(values) | st.floats(width=32)

    @settings(max_examples=50, deadline=None, derandomize=True, database=None)
    @given(st.lists(drawn_values, min_size=12, max_size=12))
    def keep(items):
        with np.errstate(over="ignore"):
            x = np.array(items).astype(component).view(dtype).reshape(1, -1, 2)
        again = array(numbers(x))
        assert again.dtype == x.dtype
        both = (np.stack([z.real, z.imag] if np.iscomplexobj(z) else [z]) for z in (again, x))
        one, two = (z.astype(float) for z in both)
        assert np.array_equal(one, two, equal_nan=True)
        assert (np.signbit(one) == np.signbit(two))[~np.isnan(two)].all()

    keep()


def bits(arrays):
    return {name: x.tobytes() for name, x in arrays.items()}


@pytest.mark.parametrize(("system", "output", "dtype"), JUDGED)
def test_read_again_it_is_judged_the_same(tmp_path, system, output, dtype):
    call, arithmetic, got, found = made(system, output, dtype)
    again = read(found.write(tmp_path))
    assert (again, again.output, again.declared()) == (found, output, arithmetic)
    restored = again.call()
    assert restored.reverse == call.reverse
    assert bits(restored.arguments) == bits(call.arguments)
    assert bits(again.got()) == bits(got)
    verdict = judged(again.got(), restored, again.declared())
    assert verdict == judged(got, call, arithmetic)
    assert verdict.worst.allowance.hex() == again.allowance
    assert list(verdict.worst.index) == again.index
    assert contradiction(again, verdict) is None
    assert recheck(content(again)) == "confirmed"


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_function_judges_it_again(system):
    call, arithmetic, got, found = made(system)
    verdict = judge(system, got, arithmetic=arithmetic, **call.keywords())
    place = (list(verdict.worst.index), verdict.worst.allowance.hex())
    assert (verdict.verdict, *place) == ("outside", found.index, found.allowance)


SHOWN = [(name, f"constant {shown}") for name in LAYERS for shown in SYSTEMS[name].exposed]


@pytest.mark.parametrize(("system", "spoiled"), SHOWN + [(x, y) for x in LAYERS for y in "yh"])
def test_what_follows_from_shown_constants_has_a_witness(tmp_path, system, spoiled):
    found = with_constants(system, spoiled)
    again = read(found.write(tmp_path))
    assert again == found
    given = "" if spoiled.startswith("constant") else " from constants"
    assert again.output == f"{spoiled}{given}"
    verdict = judged(again.got(), again.call(), again.declared())
    assert contradiction(again, verdict) is None


@pytest.mark.parametrize(("system", "output"), [("scan", "h"), ("lru", "y"), ("lru", "h_last"), ("rotrnn", "gradient u")])
def test_a_call_without_the_batch_axis_is_a_batch_of_one(system, output):
    arithmetic = Arithmetic("complex64" if system == "scan" else "float32")
    call = bare(drawn(system, arithmetic, two=True, **FULL | {"bars": output.startswith("gradient")}))
    got = exact(call, arithmetic)
    got[output][(-1,) * got[output].ndim] += 3
    found = written(call, got, arithmetic)
    again = found.call()
    assert again.layout.batched
    assert again.size("batch") == 1
    assert recheck(content(found)) == "confirmed"
    assert contradiction(found, judged(found.got(), again, found.declared())) is None


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_witness_needs_an_outside(system):
    call, arithmetic, got, _ = made(system)
    honest = exact(call, arithmetic)
    undecided = judged(got, call, Arithmetic(arithmetic.dtype, order="unknown"))
    with pytest.raises(ValueError, match="verdict: found 'nearest', expected 'outside'"):
        witness(call, honest, judged(honest, call, arithmetic), "name", "equivalence", 0)
    if undecided.verdict != "outside":  # an order says nothing of a system without steps
        with pytest.raises(ValueError, match="verdict: found 'undecided', expected 'outside'"):
            witness(call, got, undecided, "name", "equivalence", 0)
    assert (undecided.verdict == "undecided") == SYSTEMS[system].timed


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_name_is_a_slug_and_a_hash_of_the_content(tmp_path, system):
    first, second = made(system)[-1], made(system, seed=5)[-1]
    assert re.fullmatch(rf"witness-{system}-equivalence-[0-9a-f]{{10}}\.json", first.name)
    assert first.name != second.name
    assert first.write(tmp_path / "new" / "folder").name == first.name
    assert first.write(tmp_path).name == first.name


# ---------------------------------------------------------------- contradictions
@pytest.mark.parametrize("system", SYSTEMS)
def test_a_witness_that_does_not_follow_from_its_call_is_told(system):
    call, arithmetic, got, found = made(system)
    verdict, right = judged(got, call, arithmetic), exact(call, arithmetic)
    assert contradiction(found, verdict) is None
    for wrong in (nudged(1)(found.allowance), "nan", "inf", (0.0).hex()):
        other = found.model_copy(update={"allowance": wrong})
        assert "its allowance is" in contradiction(other, verdict)
    honest, told = judged(right, call, arithmetic), "it claims `outside`, and its call is nearest"
    assert contradiction(found, honest) == told
    results = {name: numbers(x) for name, x in right.items()}
    assert contradiction(found.model_copy(update={"results": results}), honest) == told


def other_evidence(found):
    """Evidence of another truth, or of another form, that a file may hold."""
    evidence = found["evidence"]
    if "exact" in evidence:
        more = lambda n: hex(int(n, 16) + 1)  # noqa: E731
        later = altered(evidence, "exact", "exponent", to=lambda s: s + 1)
        first = altered(evidence, "exact", "numerators", 0, to=more)
        parts = [["0x0.0p+0"] * 2] * len(evidence["exact"]["numerators"])
        return [first, later, {"parts": parts, "rad": "inf"}]
    if "parts" in evidence:
        components = ["0x0"] * len(evidence["parts"])
        whole = {"exact": {"numerators": components, "exponent": 0}}
        unknown = altered(evidence, "rad", to="nan")
        return [altered(evidence, "parts", 0, 0, to=nudged(1)), unknown, whole]
    return [{"parts": [["0x0.0p+0"] * 2], "rad": "0x0.0p+0"}]


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_truth_that_is_not_that_of_its_call_is_told(system):
    call, arithmetic, got, _ = made(system)
    verdict, told = judged(got, call, arithmetic), "its truth is not that of its call"
    for evidence in other_evidence(good(system)):
        other = Witness.model_validate_json(json.dumps(good(system) | {"evidence": evidence}))
        assert contradiction(other, verdict) == told, evidence


@pytest.mark.parametrize("system", [name for name in SYSTEMS if SYSTEMS[name].timed])
def test_the_other_direction_of_time_has_another_truth(system):
    call, arithmetic, got, found = made(system)
    given = {name: x for name, x in found.arguments.items() if name != "reverse"}
    other = found.model_copy(update={"arguments": given})
    assert "truth" in contradiction(other, judged(got, call, arithmetic))


# ---------------------------------------------------------------- strict reading
def common(a, r, dtype, axes):
    """Changes that no file of any system survives; a: an argument of these axes, r: a result."""
    argument, result = ("arguments", a), ("results", r)
    data, shape = (*argument, "data"), (*argument, "shape")
    words = {
        "dtype": "float64", "accumulate": "float16", "operands": "tf19", "rounding": "up",
        "order": "chunked:0", "subnormals": "maybe", "store": "step", "stages": "graph",
        "gain": "exact", "assumed": -1.0, "unknown": "word", "contraction": "no",
    }  # fmt: skip
    declared = {f"declared {name}": (("declaration", name), to) for name, to in words.items()}
    return declared | {
        "not modelled": (("declaration", "dtype"), "float16"),
        "declared nothing": (("declaration",), {}),
        "older schema": (("schema",), "scanproof-witness/1"),
        "newer schema": (("schema",), "scanproof-witness/9"),
        "unknown system": (("system",), "mamba"),
        "system with a path": (("system",), "../scan"),
        "unknown field": (("extra",), 1),
        "unknown field inside": (("evidence", "note"), "x"),
        "missing field": (("allowance",), ...),
        "missing field inside": ((*argument, "dtype"), ...),
        "missing argument": (argument, ...),
        "unknown argument": (("arguments", "z"), array_of(2)),
        "argument a truth value": (argument, True),
        "number as text": (("seed",), "4"),
        "truth value a number": (("arguments", "reverse"), 0),
        "law with a path": (("law",), "../../outside"),
        "dtype object": ((*argument, "dtype"), "object"),
        "dtype void": ((*argument, "dtype"), "V8"),
        "dtype unknown": ((*argument, "dtype"), "float33"),
        "dtype structured": ((*result, "dtype"), "f4,f4"),
        "dtype of a result": (result, array_of(*axes, dtype="float64")),
        "shape of a result": (result, array_of(*axes[:-1], axes[-1] + 1, dtype=dtype)),
        "unknown result": (("results", "z"), array_of(2)),
        "gradient of nothing": (("results", "gradient z"), array_of(2)),
        "shape too large": (shape, [10**9, 10**9, 10**9]),
        "shape beyond every integer": (shape, [10**30, 1, 1]),
        "shape beyond every integer, empty": (shape, [0, 10**30, 1]),
        "shape negative": (shape, [-axes[0], axes[1], -axes[2]]),
        "shape a float": (shape, [float(axes[0]), *axes[1:]]),
        "shape without axes": (shape, []),
        "shape transposed": (shape, [axes[1], axes[2] + 1, axes[0]]),
        "shape of too many axes": (shape, [1] * 40),
        "empty argument": (argument, array_of(axes[0], 0, axes[2], dtype=dtype)),
        "one number missing": (data, lambda found: found[:-1]),
        "one number more": (data, lambda found: [*found, "0x0.0p+0"]),
        "no numbers": (data, []),
        "decimal number": ((*data, 0), "0.5"),
        "not a number": ((*data, 0), "one"),
        "number too large": ((*data, 0), "0x1.0000000000000p+99999"),
        "number too large for the dtype": ((*data, 0), "0x1.0000000000000p+1000"),
        "number between two of the dtype": ((*data, 0), "0x1.0000000000001p+0"),
        "number not canonical": ((*data, 0), "0x2.0p+0"),
        "argument not finite": ((*data, 0), "inf"),
        "output not returned": (("output",), "gradient D"),
        "output from constants that are not shown": (("output",), f"{r} from constants"),
        "output with a path": (("output",), f"../{r}"),
        "index outside": (("index",), [0, axes[1], 0]),
        "index negative": (("index",), [0, -1, 0]),
        "index of two axes": (("index",), [0, 1]),
        "index of four axes": (("index",), [0, 1, 0, 0]),
        "no evidence": (("evidence",), {}),
        "evidence twice": (("evidence",), lambda found: found | {
            "direction": array_of(2), "exact": {"numerators": ["0x0"], "exponent": 0}}),
        "parts without a radius": (("evidence",), {"parts": [["0x0.0p+0", "0x0.0p+0"]]}),
        "evidence of three components": (("evidence",), {
            "parts": [["0x0.0p+0", "0x0.0p+0"]] * 3, "rad": "0x0.0p+0"}),
        "parts empty": (("evidence",), {"parts": [], "rad": "0x0.0p+0"}),
        "parts of heads only": (("evidence",), {"parts": [["0x0.0p+0"]], "rad": "0x0.0p+0"}),
        "parts decimal": (("evidence",), {"parts": [["0.5", "0x0.0p+0"]], "rad": "0x0.0p+0"}),
        "direction of another length": (("evidence",), {"direction": array_of(axes[2] + 1)}),
        "allowance decimal": (("allowance",), "1e-7"),
    }  # fmt: skip


def scans():
    """Changes of a scan."""
    exact = ("evidence", "exact")
    return {
        "other system": (("system",), "lru"),
        "declared factor": (("declaration", "assumed"), 2.0),
        "shape of lam": (("arguments", "lam"), array_of(2, 5, 4, dtype="complex64")),
        "lam without axes": (("arguments", "lam", "shape"), []),
        "h0 of another shape": (("arguments", "h0"), array_of(3, 3, dtype="complex64")),
        "h0 of another dtype": (("arguments", "h0"), array_of(2, 3, dtype="complex128")),
        "h0 of three axes": (("arguments", "h0"), array_of(2, 3, 1, dtype="complex64")),
        "numerator decimal": ((*exact, "numerators", 0), "12"),
        "numerators empty": ((*exact, "numerators"), []),
        "one numerator of two": ((*exact, "numerators"), ["0x1"]),
        "exponent negative": ((*exact, "exponent"), -1),
        "one part of two": (("evidence",), {"parts": [["0x0.0p+0"] * 2], "rad": "0x0.0p+0"}),
    }


def layers(matrix, logarithm, other, state):
    """Changes of a layer: of a matrix, of logarithms, to another system; shape of its states."""
    dtype = "complex64" if other == "rotrnn" else "float32"
    return {
        "other system": (("system",), other),
        "no layer": (("system",), "scan"),
        "declared complex": (("declaration", "dtype"), "complex64"),
        "missing parameter": (("arguments", logarithm), ...),
        "unknown parameter": (("arguments", "A"), array_of(2, 4, 4)),
        "parameter of another shape": (("arguments", logarithm), array_of(7)),
        "parameter of another dtype": (("arguments", "D"), array_of(3, dtype="float64")),
        "parameter not finite": (("arguments", matrix, "data", 0), "inf"),
        "logarithm not finite": (("arguments", logarithm, "data", 0), "-inf"),
        "u without batch": (("arguments", "u"), array_of(5, 3)),
        "h0 of one direction": (("arguments", "h0"), array_of(2, *state, dtype=dtype)),
        "y_bar of other length": (("arguments", "y_bar"), array_of(2, 6, 3)),
        "gradients without y_bar": (("results", "gradient D"), array_of(3)),
        "states of another dtype": (("results", "h"), array_of(2, 5, 2, *state, dtype="float64")),
        "two parts of one": (("evidence", "parts"), lambda parts: parts * 2),
        "two numerators of one": (("evidence",), {"exact": {
            "numerators": ["0x0", "0x0"], "exponent": 0}}),
        "radius decimal": (("evidence", "rad"), "0.5"),
    }  # fmt: skip


EXPONENTIALS = {
    "other system": (("system",), "scan"),
    "declared complex": (("declaration", "dtype"), "complex64"),
    "S not skew": (("arguments", "S", "data", 1), "0x1.0000000000000p+4"),
    "S not square": (("arguments", "S"), array_of(2, 3, 4)),
    "one matrix": (("arguments", "S"), array_of(3, 3)),
    "direction of two axes": (("evidence", "direction"), array_of(3, 1)),
}
CHANGES = {
    "scan": common("b", "h", "complex64", (2, 5, 3)) | scans(),
    "lru": common("u", "y", "float32", (2, 5, 3)) | layers("B_re", "nu_log", "rotrnn", (4,))
    | {"half of C2": (("arguments", "C2_im"), ...)},
    "rotrnn": common("u", "y", "float32", (2, 5, 3)) | layers("B", "gamma_log", "lru", (2, 4)),
    "expm": common("S", "P", "float32", (2, 3, 3)) | EXPONENTIALS,
}  # fmt: skip
CASES = [(system, name) for system, changes in CHANGES.items() for name in changes]
ALIEN = {
    "empty": "",
    "not json": "witness",
    "a list": "[]",
    "not UTF-8": b"\xff\xfe",
    "pickle": pickle.dumps({"schema": "scanproof-witness/3"}),
    "deeply nested": "[" * 100000,
    "no schema": "{}",
}


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_untouched_file_is_read(tmp_path, system):
    (tmp_path / "w.json").write_text(json.dumps(good(system)))
    assert read(tmp_path / "w.json") == made(system)[-1]


def refusal(path, found):
    """The one line with which a file of this value, or these bytes, is refused."""
    text = found if isinstance(found, str | bytes) else json.dumps(found)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ValueError, match=r"^witness: ") as error:
        read(path)
    told = str(error.value)
    assert "\n" not in told
    assert len(told) < 500 + len(str(path))
    assert "function" not in told  # no names of ours or of pydantic's
    return told.removeprefix(f"witness: {path}: ")


@pytest.mark.parametrize(("system", "name"), CASES, ids=[" ".join(case) for case in CASES])
def test_every_other_file_is_one_value_error(tmp_path, system, name):
    path, to = CHANGES[system][name]
    refusal(tmp_path / "w.json", altered(good(system), *path, to=to))


@pytest.mark.parametrize("text", ALIEN.values(), ids=ALIEN.keys())
def test_files_that_are_not_even_witnesses(tmp_path, text):
    refusal(tmp_path / "w.json", text)


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_truncated_file(tmp_path, system):
    refusal(tmp_path / "w.json", json.dumps(good(system))[:-40])


@pytest.mark.parametrize("system", SYSTEMS)
def test_any_one_changed_value_reads_or_is_a_value_error(system):
    """No other exception, whatever single value of the file is replaced by whatever JSON."""
    few = st.text(max_size=5) | st.just("0x1.8000000000000p+3")
    leaf = st.none() | st.booleans() | st.integers() | st.floats() | few
    values = st.recursive(leaf, lambda inner: st.lists(inner, max_size=3), max_leaves=4)

    @settings(max_examples=150, deadline=None, derandomize=True, database=None)
    @given(st.data())
    def change(data):
        found = place = good(system)
        while True:
            keys = sorted(place) if isinstance(place, dict) else range(len(place))
            key = data.draw(st.sampled_from(keys))
            inner = isinstance(place[key], dict | list) and place[key]
            if not inner or data.draw(st.booleans()):
                break
            place = place[key]
        place[key] = data.draw(values)
        try:
            again = Witness.model_validate_json(json.dumps(found))
        except ValueError:
            return
        assert content(again) == found

    change()


@pytest.mark.parametrize("schema", FIRST_EDITION)
@pytest.mark.parametrize("key", ["format", "schema"])
def test_the_first_edition_is_refused_with_the_command(tmp_path, schema, key):
    told = f"found {schema}, which this version no longer reads, expected scanproof-witness/3: "
    command = "run `scanproof check` again with the implementation and seed that it names"
    assert refusal(tmp_path / "w.json", {key: schema, "system": "scan"}) == told + command


def test_another_schema_is_named(tmp_path):
    for schema, shown in (("scanproof-witness/9", "scanproof-witness/9"), ("x" * 999, "x" * 60)):
        told = refusal(tmp_path / "w.json", good("scan") | {"schema": schema})
        assert told == f"found schema '{shown}', expected scanproof-witness/3"
    told = refusal(tmp_path / "w.json", altered(good("scan"), "schema", to=...))
    assert told == "found no schema, expected scanproof-witness/3"


@pytest.mark.parametrize("path", ["no/such/file.json", ".", "\0"])
def test_a_file_that_cannot_be_read_is_a_value_error(path):
    with pytest.raises(ValueError, match=r"^witness: ") as error:
        read(path)
    assert "\n" not in str(error.value)


def test_reading_never_unpickles(tmp_path, monkeypatch):
    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "sprung"),))

    bait = pickle.dumps(Trap())
    monkeypatch.setattr(pickle, "loads", lambda *a, **k: pytest.fail("unpickled"))
    for text in (bait, json.dumps(good("scan")).encode() + bait):
        refusal(tmp_path / "w.json", text)
    assert not (tmp_path / "sprung").exists()


# ---------------------------------------------------------------- atomic writing
def test_writing_replaces_the_file_and_leaves_nothing_else(tmp_path):
    for text in ("first\n", "second\n"):
        write_atomically(tmp_path / "deep" / "file.txt", text)
        found = [(p.name, p.read_text()) for p in (tmp_path / "deep").iterdir()]
        assert found == [("file.txt", text)]
    plain, mode = tmp_path / "plain", (tmp_path / "deep" / "file.txt").stat().st_mode
    plain.write_text("x")
    assert mode == plain.stat().st_mode  # readable like any other file


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

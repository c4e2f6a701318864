"""The stand-alone recheck confirms what the writer writes of every system, and refutes the rest."""

import functools
from fractions import Fraction

import calls
import flint
import mpmath
import numpy as np
import pytest
from witnesses import (
    altered,
    content,
    declaration,
    entry,
    exponential,
    layer,
    nudged,
    recheck,
    with_constants,
    written,
)

from scanproof.properties.check import check
from scanproof.properties.domain import Domain
from scanproof.properties.recheck import _layers, _witness, expm, lru, rotrnn
from scanproof.properties.results import received
from scanproof.properties.verdict import judged
from scanproof.properties.versions.scan import MUTANTS, chunked
from scanproof.properties.versions.versions import VERSIONS
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.formats import DTYPES
from scanproof.reference.call import Call
from scanproof.reference.systems import SYSTEMS

FORMED = Arithmetic("float32", stages="formed")
SHORT = Domain(lengths=frozenset({1, 2, 17}))
BY_NAME = {version.name: version for version in VERSIONS}
LAYERS = ("lru", "rotrnn")
EXACT, TRUTH = "recorded truth is not the exact state", "recorded truth is not that of the layer"
SMALL = "does not exceed"


@pytest.fixture(autouse=True, scope="module")
def _exponentials_once():
    """Most of the time of RotRNN goes into exponentials of the same few matrices."""

    @functools.cache
    def kept(digits, rows):
        return mpmath.expm(mpmath.matrix(rows))

    with pytest.MonkeyPatch.context() as patched:
        rows = lambda M: tuple(map(tuple, M.tolist()))  # noqa: E731
        patched.setattr(rotrnn, "expm", lambda M: kept(mpmath.mp.dps, rows(M)))
        yield


def drawn(rng, dtype, *shape):
    parts = rng.standard_normal((2, *shape))
    return (parts[0] + 1j * parts[1] if dtype.startswith("complex") else parts[0]).astype(dtype)


@functools.cache
def scan(dtype="complex64", varying=True, h0=True, reverse=False, value=1e3):
    """A witness of a result that is the same number everywhere."""
    rng = np.random.default_rng(5)
    lam = drawn(rng, dtype, 2, 9, 3) if varying else drawn(rng, dtype, 3)
    start = drawn(rng, dtype, 2, 3) if h0 else None
    call = calls.scans(lam, drawn(rng, dtype, 2, 9, 3), start, reverse)
    return content(written(call, {"h": np.full((2, 9, 3), value, dtype)}, Arithmetic(dtype)))


def moved(dtype):
    """Every number a little different, by so much that each still fits its format."""

    def change(data):
        values = (float.fromhex(nudged(i + 1)(x)) for i, x in enumerate(data))
        return [float(np.dtype(dtype).type(value)).hex() for value in values]

    return change


def replaced(found, output, values):
    """The judged element replaced by these components."""
    width = len(values)
    place = width * int(np.ravel_multi_index(found["index"], found["results"][output]["shape"]))
    change = lambda data: data[:place] + values + data[place + width :]  # noqa: E731
    return altered(found, "results", output, "data", to=change)


# ---------------------------------------------------------------- scans
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("varying", [False, True])
@pytest.mark.parametrize("h0", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
def test_scans_that_were_judged_outside(dtype, varying, h0, reverse):
    found = scan(dtype, varying, h0, reverse)
    assert recheck(found) == "confirmed"
    assert EXACT in recheck(altered(found, "arguments", "reverse", to=not reverse))


@pytest.mark.parametrize("mutant", MUTANTS, ids=[m.name for m in MUTANTS])
def test_scans_of_every_mutant(mutant):
    laws = ["integer-cases", "impulses"]
    declared = Arithmetic("complex64")
    report = check("scan", mutant.scan, arithmetic=declared, domain=SHORT, cases=1, laws=laws)
    assert recheck(content(report.witness)) == "confirmed"


@pytest.mark.parametrize("dtype", ["float32", "complex64"])
@pytest.mark.parametrize(("order", "store"), [("sequential", "step"), ("chunked:16", "chunk")])
@pytest.mark.parametrize("reverse", [False, True])
def test_scans_judged_from_a_printed_state(dtype, order, store, reverse):
    """The witness is the window alone, with the state before it as h0."""
    declared = Arithmetic(dtype, order=order, store=store)
    b = drawn(np.random.default_rng(1), dtype, 1, 48, 2)
    call = calls.scans(np.full(2, 0.99, dtype), b, reverse=reverse)
    got = {"h": chunked(**call.keywords(), carry=lambda state, left: state * (1 + 2.0**-21))}
    verdict = judged(got, call, declared)
    assert verdict.window
    window = call.system.window(call, got, declared, verdict.worst.index)
    found = content(written(*window, declared))
    assert found["arguments"]["b"]["shape"] == [1, declared.chunk or 1, 2]
    assert recheck(found) == "confirmed"
    assert EXACT in recheck(altered(found, "arguments", "h0", "data", to=moved("float32")))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_scans_that_are_not_finite(value):
    assert recheck(scan(value=value)) == "confirmed"
    later = altered(scan(value=value), "evidence", "exact", "exponent", to=lambda s: s + 1)
    assert EXACT in recheck(later)


def test_altered_scans():
    good = scan()
    exact = good["evidence"]["exact"]
    first = altered(good, "evidence", "exact", "numerators", 0, to=lambda n: hex(int(n, 16) + 1))
    assert EXACT in recheck(first)
    ones = lambda data: ["0x1.0000000000000p+0"] * len(data)  # noqa: E731
    assert EXACT in recheck(altered(good, "arguments", "b", "data", to=ones))
    for name in ("lam", "h0"):
        assert EXACT in recheck(altered(good, "arguments", name, "data", to=moved("float32")))
    assert SMALL in recheck(altered(good, "allowance", to=(1e9).hex()))
    twice = [hex(2 * int(n, 16)) for n in exact["numerators"]]
    doubled = {"numerators": twice, "exponent": exact["exponent"] + 1}
    assert recheck(altered(good, "evidence", "exact", to=doubled)) == "confirmed"
    truth = [int(n, 16) / 2 ** exact["exponent"] for n in exact["numerators"]]
    nearest = [float(np.float32(part)).hex() for part in truth]
    assert SMALL in recheck(replaced(good, "h", nearest))


# ---------------------------------------------------------------- layers
def outputs(system, two):
    """The results of a layer, and the gradients of all its arguments."""
    found = SYSTEMS[system]
    given = [name for name in found.gradients if two or not found.argument[name].second]
    return [*found.result, *(f"gradient {name}" for name in given)]


EVERY = [
    (system, two, number, output)
    for system in LAYERS
    for two in (False, True)
    for number, output in enumerate(outputs(system, two))
]


@pytest.mark.parametrize(("system", "two", "number", "output"), EVERY)
def test_layers_in_every_output(system, two, number, output):
    way = {"start": number % 2 == 0, "reverse": number % 3 == 0}
    assert recheck(layer(system, output, two=two, **way)) == "confirmed"


@pytest.mark.parametrize("system", LAYERS)
@pytest.mark.parametrize("output", ["y", "h", "h_last", "gradient h0"])
@pytest.mark.parametrize("start", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("two", [False, True])
def test_layers_in_every_direction(system, output, start, reverse, two):
    found = layer(system, output, two=two, start=start, reverse=reverse)
    assert recheck(found) == "confirmed"


@pytest.mark.parametrize("system", LAYERS)
@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
@pytest.mark.parametrize("output", ["y", "h", "gradient u"])
def test_layers_in_every_format(system, dtype, output):
    assert recheck(layer(system, output, dtype=dtype)) == "confirmed"


def test_layers_that_are_not_finite():
    for factor in (np.nan, np.inf):
        assert recheck(layer("rotrnn", factor=factor)) == "confirmed"
    assert recheck(layer("lru", "h", factor=np.nan)) == "confirmed"


CONSTANTS = [(system, name) for system in LAYERS for name in SYSTEMS[system].exposed]


@pytest.mark.parametrize(("system", "name"), CONSTANTS)
def test_constants_that_are_wrong(system, name):
    found = content(with_constants(system, f"constant {name}"))
    assert found["output"] == f"constant {name}"
    assert recheck(found) == "confirmed"
    assert TRUTH in recheck(altered(found, "evidence", "parts", 0, 0, to=nudged(1)))


@pytest.mark.parametrize("system", LAYERS)
@pytest.mark.parametrize("result", ["y", "h"])
def test_results_as_they_follow_from_the_constants_shown(system, result):
    found = content(with_constants(system, result))
    assert found["output"] == f"{result} from constants"
    assert recheck(found) == "confirmed"
    assert TRUTH in recheck(altered(found, "evidence", "parts", 0, 0, to=nudged(1)))
    for name in SYSTEMS[system].exposed:
        other = altered(found, "results", f"constant {name}", "data", to=moved("float32"))
        assert TRUTH in recheck(other), name


@pytest.mark.parametrize("name", ["lru-scales-carry", "rotrnn-scales-carry"])
def test_layers_of_a_search(name):
    version = BY_NAME[name]
    words = {"arithmetic": FORMED, "domain": SHORT, "cases": 1, "laws": ["impulses"]}
    report = check(version.system, version.implementation, **words)
    assert recheck(content(report.witness)) == "confirmed"


@pytest.mark.parametrize("name", ["rotrnn-gradient-M", "rotrnn-C-two-directions"])
def test_layers_of_a_version(name):
    version, bars = BY_NAME[name], "gradient" in name
    call = calls.drawn(version.system, FORMED, {"time": 3, "width": 2}, bars=bars, two=not bars)
    got = received(version.implementation(**call.keywords()), call.system)
    found = content(written(call, got, FORMED))
    assert found["output"] == ("gradient M" if bars else "y")
    assert recheck(found) == "confirmed"


READS = {  # the arguments that an element depends on
    ("lru", "y"): "nu_log theta_log gamma_log B_re B_im C_re C_im C2_re C2_im D u h0",
    ("lru", "h"): "nu_log theta_log gamma_log B_re B_im u h0",
    ("lru", "gradient B_im"): "nu_log theta_log gamma_log C_re C_im C2_re C2_im u y_bar",
    ("lru", "gradient h0"): "nu_log theta_log y_bar",
    ("rotrnn", "y"): "theta gamma_log M B C C2 D u h0",
    ("rotrnn", "h"): "theta gamma_log M B u h0",
    ("rotrnn", "gradient B"): "theta gamma_log M B C C2 u y_bar",
    ("rotrnn", "gradient h0"): "theta gamma_log M y_bar",
}
OUT = ("C", "C2", "C_re", "C_im", "C2_re", "C2_im")  # a gradient of h0 reads one of two


@pytest.mark.parametrize(("system", "output"), READS)
def test_altered_layers(system, output):
    good = layer(system, output, two=True, start=True)
    for name in good["arguments"]:
        other = altered(good, "arguments", name, "data", to=moved("float32"))
        one_of_two = output == "gradient h0" and name in OUT
        read = name in READS[system, output].split()
        assert one_of_two or (TRUTH in recheck(other)) == read, name
    assert TRUTH in recheck(altered(good, "evidence", "parts", 0, 0, to=nudged(1)))
    assert TRUTH in recheck(altered(good, "arguments", "reverse", to=True))
    assert SMALL in recheck(altered(good, "allowance", to=(1e9).hex()))
    heads = [float.fromhex(head) for head, _ in good["evidence"]["parts"]]
    nearest = [float(np.float32(head)).hex() for head in heads]
    assert SMALL in recheck(replaced(good, output, nearest))


def test_the_radius_is_what_the_truth_is_held_to():
    good = layer("rotrnn")
    wrong = altered(good, "evidence", "parts", 0, 0, to=nudged(1))
    head = float.fromhex(good["evidence"]["parts"][0][0])
    assert TRUTH in recheck(wrong)
    wider = altered(wrong, "evidence", "rad", to=abs(head * 2.0**-19).hex())
    assert recheck(wider) == "confirmed"


def test_derivatives_are_far_better_than_any_radius():
    """d y / d D = u exactly; the quotient is held to the slack that the program allows itself."""
    found = layer("lru", "gradient D")
    found["index"] = [1]
    found["evidence"] = {"parts": [["0x0.0p+0", "0x0.0p+0"]], "rad": (0.0).hex()}
    data = (found["arguments"][name]["data"][1::2] for name in ("u", "y_bar"))
    pairs = ([Fraction(float.fromhex(x)) for x in pair] for pair in zip(*data, strict=True))
    true = sum(one * two for one, two in pairs)
    with mpmath.workdps(_layers.DIGITS):
        got, _ = _layers.exact(lru.LAYER, _witness.witness(found), {"state": 4})
        apart = abs(got - mpmath.mpf(true.numerator) / true.denominator)
        assert apart < mpmath.mpf(10) ** -100
    assert TRUTH in recheck(found)


@pytest.mark.parametrize("name", ["B", "theta", "gamma_log", "M"])
@pytest.mark.parametrize("scale", [2.0**-400, 2.0**-40, 1.0, 2.0**40])
def test_derivatives_at_any_scale(name, scale):
    """RotRNN sees B's direction only, and no gradient but B's changes with its size."""
    found = layer("rotrnn", f"gradient {name}", dtype="float64")
    scaled = lambda data: [(float.fromhex(x) * scale).hex() for x in data]  # noqa: E731
    both, sizes = (found, altered(found, "arguments", "B", "data", to=scaled)), {"heads": 2}
    with mpmath.workdps(_layers.DIGITS):
        witnesses = map(_witness.witness, both)
        exact = (_layers.exact(rotrnn.LAYER, w, sizes | {"head_dim": 4})[0] for w in witnesses)
        plain, got = exact
        wanted = plain / (scale if name == "B" else 1)
        assert abs(got - wanted) < abs(wanted) * mpmath.mpf(10) ** -60


# ---------------------------------------------------------------- matrix exponentials
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("size", "norm"), [(2, 0.05), (2, 100.0), (3, 3.0), (16, 50.0)])
@pytest.mark.parametrize("stack", [1, 3])
def test_exponentials_that_were_judged_outside(dtype, size, norm, stack):
    found = entry(size, norm, dtype, stack)
    assert len(found["index"]) == 3
    assert recheck(found) == "confirmed"


def test_exponentials_that_are_not_finite_and_a_wrong_identity():
    call = Call(SYSTEMS["expm"], {"S": np.zeros((1, 2, 2), "float32")})
    one = np.eye(2, dtype="float32")[None]
    for got in (np.full((1, 2, 2), np.nan, "float32"), one * np.float32(1 + 2.0**-23)):
        assert recheck(content(written(call, {"P": got}, declaration("float32")))) == "confirmed"


def cayley(S):
    """Orthogonal too, and another matrix."""
    one = np.eye(S.shape[1])
    return np.linalg.solve(one - S / 2, one + S / 2).astype(S.dtype)


def test_exponentials_of_a_search():
    laws = ["planes", "equivalence"]
    report = check("expm", cayley, arithmetic=Arithmetic("float32"), cases=2, laws=laws)
    assert recheck(content(report.witness)) == "confirmed"


def test_altered_exponentials():
    good = entry()
    larger = lambda bound: (1.2 * float.fromhex(bound)).hex()  # noqa: E731
    assert SMALL in recheck(altered(good, "allowance", to=larger))
    other = altered(good, "arguments", "S", "data", -2, to="0x1.0000000000000p+4")
    assert recheck(other) == "refuted: S is not skew"
    nowhere = altered(good, "evidence", "direction", "data", to=["0x0.0p+0"] * 3)
    assert SMALL in recheck(nowhere)
    right = [float(x).hex() for x in exponential()[1].ravel()]
    honest = altered(good, "results", "P", "data", to=right)
    assert SMALL in recheck(honest)
    negated = lambda data: [(-float.fromhex(x)).hex() for x in data]  # noqa: E731
    other = altered(honest, "arguments", "S", "data", to=negated)
    assert recheck(other) == "confirmed"  # skew, and P is not its exponential


def ball(x):
    """A rational number."""
    return flint.arb(flint.fmpq(*x.as_integer_ratio()))


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_one_allowance_decides(factor):
    """An error of one plane along an axis: half and twice the allowance are told apart."""
    good = entry(2, 1.0)
    P = [float.fromhex(x) for x in good["results"]["P"]["data"]]
    with flint.ctx.workprec(400):
        angle = ball(float.fromhex(good["arguments"]["S"]["data"][1]))
        exact = [angle.cos(), angle.sin(), -angle.sin(), angle.cos()]
        apart = max(float(abs(ball(p) - e)) for p, e in zip(P, exact, strict=True))
    axis = [(0.0).hex(), (1.0).hex()]
    along = altered(good, "evidence", "direction", "data", to=axis)
    decided = recheck(along | {"allowance": (factor * apart).hex()})
    assert (decided == "confirmed") == (factor < 1)


@pytest.mark.parametrize("norm", [0.0, 1e-3, 7.0, 300.0])
def test_the_series_is_as_good_as_it_says(norm):
    nothing, angle = Fraction(0), Fraction(norm)
    plane, axis = [[nothing, angle], [-angle, nothing]], [Fraction(1), nothing]
    exact, rest = expm.exponential(plane, axis)
    with flint.ctx.workprec(600):
        true = flint.arb(norm).cos(), -flint.arb(norm).sin()
        for one, t in zip(exact, true, strict=True):
            assert abs(ball(one) - t).lower() <= ball(rest)
    assert rest <= Fraction(2) ** -expm.BITS

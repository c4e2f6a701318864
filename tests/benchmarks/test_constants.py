"""The declared constants, their measurement (which must see whatever exceeds them), and the page docs/measured/constants.md."""

import json
import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal, localcontext
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg
from typer.testing import CliRunner

from scanproof.benchmarks.constants import constants_page, exponentials, libm
from scanproof.benchmarks.constants.exponentials import Implementation, measured, rotations
from scanproof.cli import processes
from scanproof.cli.app import app
from scanproof.reference.allowance.orders import common
from scanproof.reference.arithmetic.constants import declared
from scanproof.reference.arithmetic.formats import DTYPES

PAGE = (Path(__file__).resolve().parents[2] / "docs/measured/constants.md").read_text(encoding="utf-8")
U = {"float32": 2.0**-24, "float64": 2.0**-53}

# ---------------------------------------------------------------- what is declared


def test_constants_of_every_format():
    for dtype in DTYPES:
        wide = dtype in ("float64", "complex128")
        assert declared("default", dtype) == (8, 4, 1, 256 if wide else 16)
        assert declared("jax", dtype) == (8, 4, 1, 2.0**26 if wide else 2.0**13)


@pytest.mark.parametrize(("words", "told"), [
    (("fast", "float32"), r"expm: found 'fast', expected one of default, jax"),
    (("jax", "int8"), r"dtype: found 'int8', expected one of float16, .*"),
])  # fmt: skip
def test_unknown_words_list_the_known(words, told):
    with pytest.raises(ValueError, match=f"^{told}$"):
        declared(*words)


def test_the_classes_of_scans_assume_the_same():
    assert declared("default", "float32")[:2] == (common.E, common.E_T)


# ---------------------------------------------------------------- elementary functions


def decimal_exp(x):
    with localcontext() as context:
        context.prec = 60
        return Fraction(Decimal(float(x)).exp())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_error_is_what_decimal_arithmetic_says(dtype):
    rng = np.random.default_rng(5)
    for x in rng.uniform(-20, 20, 50).astype(dtype):
        got = np.exp(x)
        exact = abs(Fraction(float(got)) / decimal_exp(x) - 1) / Fraction(U[dtype])
        assert abs(Fraction(libm.certified("exp", x, got)) - exact) <= exact / 2**50  # two roundings to float64


@pytest.mark.parametrize(("name", "x", "got", "error"), [
    ("sqrt", 4.0, 2 + 2.0**-20, 2.0**-21 / U["float32"]),
    ("1/x", 4.0, 0.25, 0.0),
    ("log", 1.0, 0.0, 0.0),
    ("log", 1.0, 1e-30, math.inf),
    ("exp", 1.0, math.nan, math.inf),
    ("sigmoid", 1.0, -math.inf, math.inf),
])  # fmt: skip
def test_errors_of_known_results(name, x, got, error):
    x, got = np.float32(x), np.float32(got)
    assert libm.certified(name, x, got) == error
    if name != "sqrt":  # the screening divides by a rounded number
        assert libm.errors(name, np.array([x]), np.array([got])) == [error]


def test_sin_and_cos_are_absolute_and_reduced_at_any_argument():
    for x in (np.float64(2.0**1022), np.float32(1e9)):
        assert libm.certified("sin", x, np.float32(3)) > 2 / U[x.dtype.name] > libm.certified("sin", x, np.float32(0))
        assert libm.certified("sin", x, np.sin(x)) <= 4


@pytest.fixture
def few(monkeypatch):
    """A measurement of a second; what is planted is found by it all the same."""
    monkeypatch.setattr(libm, "ARGUMENTS", {"float32": 2**12, "float64": 2**8})
    monkeypatch.setattr(libm, "WORST", 0)
    monkeypatch.setattr(libm, "installed", lambda: ["numpy"])
    monkeypatch.setattr(exponentials, "SIZES", (2, 4))
    monkeypatch.setattr(exponentials, "NORMS", (0.1, 3.0))
    monkeypatch.setattr(exponentials, "implementations", lambda: [SCIPY])


def measure(call, name="exp", dtype="float32", limits=(1.0, 80.0)):
    return libm.measured("numpy", name, call, dtype, limits, np.random.default_rng(1))


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", libm.FUNCTIONS)
def test_an_error_of_more_than_the_constant_is_measured(dtype, name):
    right, limits = libm.numpy_functions()[name], libm.ranges(name, dtype)[-1]
    factor = 3 * float(getattr(declared("default", dtype), libm.FUNCTIONS[name].constant)) * U[dtype]

    def wrong(x):
        return (right(x.astype(np.longdouble)) * (1 + factor)).astype(x.dtype)

    found = [measure(call, name, dtype, limits) for call in (wrong, right)]
    assert found[0].error > found[0].constant
    assert found[1].error <= found[1].constant
    assert all(limits[0] <= row.at <= limits[1] for row in found)


@pytest.mark.usefixtures("few")
def test_one_argument_is_found_in_the_worst_binade(monkeypatch):
    monkeypatch.setattr(libm, "WORST", 1)
    planted = np.nextafter(np.float32(3), np.float32(0))

    def wrong(x):
        pushed = np.where((2 <= x) & (x < 4), 5, 0) + np.where(x == planted, 20, 0)
        return (np.exp(x.astype(float)) * (1 + pushed * 2.0**-24)).astype(np.float32)

    found = measure(wrong)
    assert found.at == planted
    assert 24 < found.error < 26
    assert found.arguments > 2**23


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_no_number_is_an_infinite_error(dtype):
    found = measure(lambda x: np.where(x > 40, np.nan, np.exp(x)).astype(dtype), dtype=dtype)
    assert found.error == math.inf
    assert found.at > 40


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_arguments_reach_every_binade_between_the_limits(monkeypatch, dtype):
    monkeypatch.setitem(libm.ARGUMENTS, dtype, 2**14)
    for name in libm.FUNCTIONS:
        for limits in libm.ranges(name, dtype):
            low, high = np.array(limits, dtype)
            x = libm.drawn(low, high, 2**14, np.random.default_rng(0))
            assert ((low <= x) & (x <= high)).all()
            exponents = [np.frexp(value)[1] for value in (low, high)]
            assert np.unique(np.frexp(x)[1]).size >= abs(exponents[0] - exponents[1])
            results = np.abs(libm.numpy_functions()[name](np.array([low, high])))
            absolute = libm.FUNCTIONS[name].constant == "e_t"
            assert absolute or ((results >= np.finfo(dtype).smallest_normal) & np.isfinite(results)).all()


def test_a_binade_is_complete():
    rng = np.random.default_rng(0)
    for first in (np.float32(1), np.float32(-0.25)):
        [index] = libm.worst_binades(np.array([first]), np.array([1.0]))
        x = libm.binade(index, np.dtype("float32"), rng)
        assert np.unique(x).size == 2**23
        assert np.array_equal(np.sort(np.abs(x)), np.abs(x))
        assert (x[0], x[-1]) == (first, np.nextafter(2 * first, np.float32(0)))


def test_the_worst_binades_come_first():
    x = np.array([1.5, 1.0, 3.0, -3.0, 9.0], np.float32)
    found = libm.worst_binades(x, np.array([5.0, 1.0, 2.0, 7.0, 0.0]))
    assert [libm.binade(index, x.dtype, np.random.default_rng(0))[0] for index in found] == [-2, 1, 2, 8]


# ---------------------------------------------------------------- the matrix exponential

SCIPY = Implementation("scipy", "default", scipy.linalg.expm, exponentials.scipy_adjoint)


def zero(size):
    """S = 0 and one entry of G: exp S = I and L = G, exactly."""
    G = np.zeros((size, size))
    G[0, 1] = 2.0
    return exponentials.Case("dense", 0.0, np.zeros((size, size)), G)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_error_at_zero_is_known_exactly(dtype):
    off = np.diag([0.0, 0.0, 2.0**-10, 0.0])
    planted = Implementation("planted", "default", lambda S: np.eye(4, dtype=S.dtype) + off, lambda S, G: G + off)
    found = {row.action: row for row in measured([planted], [zero(4)]) if row.dtype == dtype}
    unit = 2 * U[dtype]  # sqrt N = 2
    assert (found["exp"].error, found["exp"].absolute) == (2.0**-10 / unit, 2.0**-10)
    assert (found["adjoint"].error, found["adjoint"].absolute) == (2.0**-11 / unit, 2.0**-11)


def test_the_error_of_a_rotation_is_its_angle():
    """exp of another angle is off by 2 sin(half the difference); the adjoint that forgets to transpose S is far off."""
    turned_more, transposed = (lambda S: scipy.linalg.expm(S * (1 + 2.0**-12))), (lambda S, G: SCIPY.adjoint(S.T, G))
    other = Implementation("other", "default", turned_more, transposed)
    rows = {(r.who, r.action): r for r in measured([SCIPY, other], [rotations(2, 1.0)]) if r.dtype == "float64"}
    assert all(rows["scipy", action].error < 256 for action in exponentials.ACTIONS)
    turned = 2 * math.sin(2.0**-13)
    assert abs(rows["other", "exp"].absolute - turned) <= 2 * 256 * U["float64"] * (1 + 2**0.5)  # SciPy's own error, twice
    assert rows["other", "adjoint"].absolute > 0.1


def test_no_number_is_an_infinite_error():
    planted = Implementation("planted", "jax", lambda S: S * np.nan, lambda S, G: np.full_like(G, np.inf))
    rows = measured([planted], [zero(2)])
    assert [row.error for row in rows] == [math.inf] * 4
    assert {row.claimed for row in rows} == {2.0**13, 2.0**26}


def test_a_truth_that_is_not_sharp_is_refused(monkeypatch):
    monkeypatch.setattr(exponentials, "PRECISION", 60)
    with pytest.raises(ArithmeticError, match="radius"):
        exponentials.truths(*(np.eye(2),) * 2)


@pytest.mark.parametrize("size", [2, 8])
def test_cases_are_skew_and_have_their_norm(size):
    for case in exponentials.cases(size, np.random.default_rng(0)):
        assert np.array_equal(case.S, -case.S.T)
        assert abs(np.abs(case.S).sum(axis=0).max() / case.norm - 1) <= size * 2.0**-52
        assert case.S.shape == case.G.shape == (size, size)


# ---------------------------------------------------------------- whoever is installed

INSTALLED = """
import numpy as np
from scanproof.benchmarks.constants import exponentials, libm
libm.ARGUMENTS, libm.WORST = dict.fromkeys(libm.ARGUMENTS, 2**6), 0
for who in libm.installed():
    for name, call in libm.LIBRARIES[who]().items():
        print(name, *(call(np.ones(3, dtype)).dtype == dtype for dtype in libm.DTYPES))
    for row in libm.rows(who, 0):
        print(row.what, row.dtype, row.error <= row.claimed)
for row in exponentials.measured(exponentials.implementations(), [exponentials.rotations(2, 7.8)]):
    print(row.what, row.dtype, row.error <= row.claimed)
for who in exponentials.implementations():
    for dtype in libm.DTYPES:
        S = np.zeros((2, 2), dtype)
        print(who.name, dtype, who.exp(S).dtype == who.adjoint(S, S).dtype == dtype)
"""


def test_every_library_that_is_installed_can_be_measured():
    """In a process of its own: jax and torch start threads."""
    done = subprocess.run([sys.executable, "-c", INSTALLED], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {line.rsplit(" ", 1)[1] for line in done.stdout.splitlines()} == {"True"}, done.stdout
    assert all(f" of {who} in {dtype} " in done.stdout for who in libm.installed() for dtype in U)


# ---------------------------------------------------------------- the command and its page


@pytest.fixture
def in_process(few, monkeypatch):
    """The command in this process, where tests can plant something, for three functions."""
    monkeypatch.setattr(libm, "FUNCTIONS", {name: libm.FUNCTIONS[name] for name in ("tanh", "log1p", "sqrt")})
    monkeypatch.setattr(processes, "pool", lambda: ThreadPoolExecutor(1))


def run(*words):
    return CliRunner().invoke(app, ["power", "constants", *map(str, words)])


@pytest.mark.usefixtures("in_process")
def test_the_command_writes_what_is_measured(tmp_path):
    done = run("--seed", 7, "--write", tmp_path / "page.md", "--json")
    assert done.exit_code == 0, done.output
    results = [function(*arguments) for function, arguments in constants_page.jobs(7)]
    found = constants_page.measured(7, results)
    assert (tmp_path / "page.md").read_text().splitlines() == list(constants_page.page(found))
    told = json.loads(done.stdout)
    assert told["accepted"]
    assert [row["error"] for row in told["rows"]] == [row.error for row in found.rows]
    assert {row["class"] for row in told["rows"]} == {"default"}


@pytest.mark.usefixtures("in_process")
def test_a_function_that_claims_too_much_is_exit_code_1(monkeypatch, tmp_path):
    wrong = libm.numpy_functions() | {"tanh": lambda x: np.tanh(x) * x.dtype.type(1 + 64 * np.finfo(x.dtype).eps)}
    monkeypatch.setitem(libm.LIBRARIES, "numpy", lambda: wrong)
    done = run("--quiet", "--write", tmp_path / "page.md")
    assert done.exit_code == 1
    lines = done.stderr.splitlines()
    assert all(line.startswith("scanproof: power: tanh of numpy in float") and line.endswith("above 8") for line in lines)
    assert {dtype for dtype in U for line in lines if dtype in line} == set(U)
    assert "NOT ADMITTED" in (tmp_path / "page.md").read_text()


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize(("word", "factor", "code"), [("default", 2.0**8, 1), ("jax", 2.0**8, 0), ("jax", 2.0**18, 1)])
def test_an_exponential_is_held_to_the_constant_of_its_class(monkeypatch, tmp_path, word, factor, code):
    """Off by about `factor` units in float32: beyond the default constant, and beyond that of jax or not."""

    def exp(S):
        return scipy.linalg.expm(S) * S.dtype.type(1 + factor * U["float32"] * (S.dtype == np.float32))

    planted = Implementation("planted", word, exp, SCIPY.adjoint)
    monkeypatch.setattr(exponentials, "implementations", lambda: [planted])
    done = run("--quiet", "--write", tmp_path / "page.md")
    assert done.exit_code == code
    assert ("expm of planted in float32" in done.stderr) == bool(code)
    assert "- expm of planted in float32" in (tmp_path / "page.md").read_text()


@pytest.mark.usefixtures("in_process")
def test_a_function_of_no_class_is_listed_and_does_not_count(monkeypatch, tmp_path):
    wrong = libm.numpy_functions() | {"log1p": lambda x: np.log1p(x) * x.dtype.type(1 + 64 * np.finfo(x.dtype).eps)}
    monkeypatch.setitem(libm.LIBRARIES, "numpy", lambda: wrong)
    monkeypatch.setattr(libm, "NO_CLASS", {("numpy", "log1p", dtype) for dtype in U})
    done = run("--json", "--write", tmp_path / "page.md")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "- log1p of numpy in float32" in (tmp_path / "page.md").read_text()
    assert {row["class"] for row in json.loads(done.stdout)["rows"]} == {"default", "none"}


def test_the_page_is_up_to_date_and_complete():
    elementary, exponential = (part.splitlines() for part in PAGE.split("## Measured: the matrix exponential"))
    assert all(constants_page._line(cells) in elementary for cells in constants_page._declared())
    assert "NOT ADMITTED" not in PAGE
    for name in libm.FUNCTIONS:
        for dtype in libm.DTYPES:
            assert sum(line.startswith(f"| {name} | {dtype} |") for line in elementary) == len(libm.ranges(name, dtype))
    for action in exponentials.ACTIONS:
        for dtype in exponentials.DTYPES:
            assert any(line.startswith(f"| {action} | {dtype} | scipy | default |") for line in exponential)


def test_the_page_shows_where_jax_fails():
    for norm, error in (("7.8", "0.0018"), ("62.8", "0.016")):
        assert f"| {norm} | exp | float32 | jax | {error} |" in PAGE
    exceeded = PAGE.split("## What exceeds a default constant")[1]
    assert "- expm of jax in float32" in exceeded
    assert "- expm of scipy" not in exceeded

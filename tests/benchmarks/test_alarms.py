"""The false-alarm campaign: its evaluations are what they are said to be, it finds dishonest ones, and it can be repeated."""

import json
import math
import os
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from itertools import product
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from typer.testing import CliRunner

from scanproof.benchmarks.campaigns import alarms_page, honest
from scanproof.benchmarks.campaigns.alarms import DECLARED, TIMES, block, judged, planned
from scanproof.benchmarks.campaigns.alarms_page import row, table
from scanproof.benchmarks.campaigns.arithmetic_units import STEPS, Machine
from scanproof.benchmarks.campaigns.honest import Program, drawn
from scanproof.cli import processes
from scanproof.cli.app import app
from scanproof.reference.arithmetic import operations
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Inputs
from scanproof.reference.transitions.diagonal import scan

PAGE = (Path(__file__).resolve().parents[2] / "docs/measured/tightness.md").read_text(encoding="utf-8")
WRITTEN = re.search(r"--evaluations (\d+) --seed (\d+)", PAGE)
FORMATS = {"float16": (11, -24), "bfloat16": (8, -133), "float32": (24, -149)}  # bits, exponent of the smallest subnormal
BRACKETINGS = ("sequential", "doubling", "sweeps", "chunked:1", "chunked:4", "chunked:64", "split:1", "split:2")

# ---------------------------------------------------------------- exact rounding


def last_place(q, dtype, bits=None):
    """One unit in the last place of a fraction in a format."""
    p, smallest = FORMATS[dtype]
    e = math.frexp(q)[1] - 1 if q else smallest
    return Fraction(2) ** max(e - (bits or p) + 1, smallest + (p - bits if bits else 0))


def rounded(q, dtype, rounding="nearest"):
    """A fraction rounded once; Python rounds fractions to nearest, ties to even."""
    quantum = last_place(q, dtype)
    return (round if rounding == "nearest" else math.trunc)(q / quantum) * quantum


class Exact:
    """Operations on fractions, each rounded once; without a format, not at all."""

    def __init__(self, dtype=None, rounding="nearest"):
        self.dtype, self.rounding = dtype, rounding

    def round(self, q):
        return rounded(q, self.dtype, self.rounding) if self.dtype else q

    def add(self, x, y):
        if self.rounding == "matrix":
            quantum = Fraction(2) ** (math.frexp(max(abs(x), abs(y)))[1] - FORMATS[self.dtype][0])
            x, y = (math.trunc(z / quantum) * quantum for z in (x, y))
        return self.round(x + y)

    def mul(self, x, y):
        return self.round(x * y)

    def fma(self, x, y, z):
        return self.add(x * y, z)


def fractions(x):
    return [Fraction(float(v)) for v in np.asarray(x).ravel()]


def operands(dtype, n=600):
    """Three arrays with exponents near and far, cancelling sums, few bits (ties) and subnormal numbers."""
    rng, (p, smallest) = np.random.default_rng(0), FORMATS[dtype]
    x, y, z = rng.integers(-(2**p), 2**p, (3, n)) * 2.0 ** rng.integers(-p - 4, 4, (3, n)) / 2.0**p
    z[::4] = -(x * y)[::4] * (1 + rng.choice([0, 2.0**-p, 2.0 ** (1 - 2 * p)], n)[::4])
    y[1::4] = -x[1::4] * (1 + rng.choice([0, 2.0 ** (1 - p)], n)[1::4])
    x[2::8], z[2::8] = x[2::8] * 2.0 ** (smallest // 2), z[2::8] * 2.0 ** (smallest + p)
    y[2::8] *= 2.0 ** (smallest - smallest // 2 + 4)
    x[3::8], y[3::8], z[3::8] = x[3::8] + np.copysign(2, x[3::8]), 1.5, 2.0**smallest  # x y is often a tie, but for z
    return [v.astype(dtype) for v in (x, y, z)]


@pytest.mark.parametrize(("dtype", "rounding"), [*product(FORMATS, ("nearest",)), ("float32", "truncate"), ("float32", "matrix")])
def test_operations_are_exact_results_rounded_once(dtype, rounding):
    machine, o, (x, y, z) = Machine(dtype, rounding=rounding), Exact(dtype, rounding), operands(dtype)
    X, Y, Z = map(fractions, (x, y, z))
    assert fractions(machine.add(x, y)) == list(map(o.add, X, Y))
    assert fractions(machine.mul(x, y)) == list(map(o.mul, X, Y))
    assert fractions(machine.fma(x, y, z)) == list(map(o.fma, X, Y, Z))
    assert {part.dtype for part in (machine.add(x, y), machine.mul(x, y), machine.fma(x, y, z))} == {np.dtype(dtype)}


def test_rounding_twice_is_seen_by_these_operands():
    """A fused step through float64, and bfloat16 through float32, would be wrong on some of them."""
    for dtype in FORMATS:
        x, y, z = operands(dtype)
        twice = (x.astype(float) * y.astype(float) + z.astype(float)).astype("float32").astype(dtype)
        assert fractions(twice) != fractions(Machine(dtype).fma(x, y, z))


def test_operands_of_tf32_keep_eleven_bits():
    x, y, _ = operands("float32")
    cut = [[math.trunc(q / last_place(q, "float32", 11)) * last_place(q, "float32", 11) for q in fractions(v)] for v in (x, y)]
    machine = Machine("float32", operands="all")
    assert fractions(machine.drive(x)) == cut[0]
    assert fractions(machine.mul(x, y)) == [rounded(p * q, "float32") for p, q in zip(*cut, strict=True)]
    assert fractions(Machine("float32", operands="products").drive(x)) == fractions(x)


@pytest.mark.parametrize("flush", ["r", "w", "rw"])
def test_flushes(flush):
    x, y, z = operands("float32")
    zero = lambda q: Fraction(0) if abs(q) < Fraction(2) ** -126 else q  # noqa: E731
    read, written = (zero if letter in flush else lambda q: q for letter in "rw")
    machine, o = Machine("float32", flush=flush), Exact("float32")
    X, Y, Z = ([read(q) for q in fractions(v)] for v in (x, y, z))
    assert fractions(machine.add(x, z)) == [written(q) for q in map(o.add, X, Z)]
    assert fractions(machine.mul(x, y)) == [written(q) for q in map(o.mul, X, Y)]
    assert fractions(machine.fma(x, y, z)) == [written(q) for q in map(o.fma, X, Y, Z)]


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("rounding", ["nearest", "truncate"])
@pytest.mark.parametrize("step", STEPS)
def test_contracted_steps(step, rounding, swapped):
    """Without rounding each form is x + a c + b d; with it, complex64 is two components of that form."""
    rng = np.random.default_rng(1)
    a, h, x = (rng.standard_normal((3, 200)) + 1j * rng.standard_normal((3, 200))).astype(np.complex64)
    got = Machine("float32", step, swapped, rounding).apply(a, h, x)
    (ar, ai), (hr, hi), (xr, xi) = ((fractions(z.real), fractions(z.imag)) for z in (a, h, x))
    for o, expected in ((Exact("float32", rounding), (got.real, got.imag)), (Exact(), None)):
        re = [form(step, swapped, o, *n) for n in zip(xr, ar, hr, [-v for v in ai], hi, strict=True)]
        im = [form(step, swapped, o, *n) for n in zip(xi, ar, hi, ai, hr, strict=True)]
        if expected is None:
            assert re == [p + q * r - s * t for p, q, r, s, t in zip(xr, ar, hr, ai, hi, strict=True)]
            assert im == [p + q * r + s * t for p, q, r, s, t in zip(xi, ar, hi, ai, hr, strict=True)]
        else:
            assert (fractions(expected[0]), fractions(expected[1])) == (re, im)


def form(step, swapped, o, x, a, c, b, d):
    return STEPS[step](o, x, *((b, d, a, c) if swapped else (a, c, b, d)))


# ---------------------------------------------------------------- bracketings


def small_integers(dtype, varying, reverse, steps=37):
    """Every state is exact in float64, whatever the order."""
    rng = np.random.default_rng([varying, reverse])
    lam = rng.choice([-1, 0, 1, 2], (2, steps, 3) if varying else (3,), p=(0.3, 0.1, 0.5, 0.1))
    lam = np.where(lam == 2, 1, lam) if not varying else lam
    b, h0 = rng.integers(-9, 10, (2, steps, 3)), rng.integers(-9, 10, (2, 3))
    turn = 1j if dtype == "complex128" else 1
    return Inputs((lam * turn).astype(dtype), (b * (1 + turn)).astype(dtype), h0.astype(dtype), reverse)


@pytest.mark.parametrize("bracketing", BRACKETINGS)
@pytest.mark.parametrize(("dtype", "varying", "reverse"), list(product(("float64", "complex128"), (False, True), (False, True))))
def test_every_bracketing_is_the_scan(bracketing, dtype, varying, reverse):
    inputs = small_integers(dtype, varying, reverse)
    for given in (inputs, replace(inputs, h0=None)):
        whole = Inputs(*(part if part is None else part.astype(complex) for part in (given.lam, given.b, given.h0)), reverse)
        assert np.array_equal(Program(bracketing, Machine("float64")).states(given), scan(whole.lam, whole.b, whole.h0, reverse))


def test_bracketings_round_differently():
    rng = np.random.default_rng(0)
    inputs = Inputs(rng.random((1, 70, 4)).astype("float32"), rng.standard_normal((1, 70, 4)).astype("float32"))
    found = [Program(name, Machine("float32")).states(inputs).tobytes() for name in BRACKETINGS]
    assert found[3] == found[0]  # chunks of one step are the recurrence
    assert len(set(found)) == len(BRACKETINGS) - 1


def test_stored_states_are_read_back():
    """In every step, or at the end of every chunk only."""
    rng = np.random.default_rng(0)
    inputs = Inputs(rng.random((1, 40, 2)).astype(ml_dtypes.bfloat16), rng.standard_normal((1, 40, 2)).astype(ml_dtypes.bfloat16))
    machine = Machine("float32", "fused", stored="bfloat16")
    got = Program("sequential", machine).states(inputs)
    before = np.concatenate([np.zeros((1, 1, 2)), got[:, :-1]], axis=1)
    steps = zip(*map(fractions, (inputs.lam, before, inputs.b)), strict=True)
    assert fractions(got) == [rounded(rounded(a * h + x, "float32"), "bfloat16") for a, h, x in steps]

    got, kept = Program("chunked:16", machine).states(inputs), Program("chunked:16", replace(machine, stored="")).states(inputs)
    assert np.array_equal(got[:, :16], kept[:, :16])
    assert not np.array_equal(got, kept)
    tail = Inputs(inputs.lam[:, 16:], inputs.b[:, 16:], got[:, 15])
    assert np.array_equal(Program("chunked:16", machine).states(tail), got[:, 16:])


def test_every_program_that_a_class_admits_is_drawn():
    rng = np.random.default_rng(0)
    programs = [drawn(Arithmetic("complex64"), rng) for _ in range(900)]
    found = {(program.bracketing.partition(":")[0], program.machine.step) for program in programs}
    assert found == set(product(("sequential", "doubling", "sweeps", "chunked", "split"), ("numpy", *STEPS)))
    assert {drawn(Arithmetic("float32", "daz"), rng).machine.flush for _ in range(50)} == {"r", "w", "rw"}
    assert {drawn(Arithmetic("complex64", contraction=False), rng).machine.step for _ in range(50)} == set(honest.UNCONTRACTED)
    assert {drawn(Arithmetic("float32", order="tree"), rng).bracketing for _ in range(50)} == {"doubling", "sweeps"}


# ---------------------------------------------------------------- the campaign


@pytest.fixture
def in_process(monkeypatch):
    """The campaign in this process, where tests can plant something."""
    monkeypatch.setattr(processes, "pool", lambda: ThreadPoolExecutor(1))


def run(*arguments):
    return CliRunner().invoke(app, ["power", "alarms", *map(str, arguments)])


def test_nothing_honest_is_outside_for_any_number_of_processes(monkeypatch, tmp_path):
    alone = block(3, 0, 300)
    assert alone == [judged(planned(3, number)) for number in range(300)]
    assert [o.alarm for o in alone] == [None] * 300
    page = tmp_path / "page.md"
    found = run("--evaluations", 300, "--seed", 3, "--json", "--write", page)
    assert found.exit_code == 0
    assert page.read_text(encoding="utf-8").splitlines() == "\n".join(alarms_page.page(3, alone)).splitlines()
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    assert run("--evaluations", 300, "--seed", 3, "--json").stdout == found.stdout
    told = json.loads(found.stdout)
    assert (told["accepted"], told["totals"]["evaluations"], told["totals"]["outside"]) == (True, 300, 0)
    assert len(told["rows"]) == len(table(alone)) > 50


@pytest.mark.usefixtures("in_process")
def test_a_wrong_carry_is_outside_and_can_be_repeated(monkeypatch):
    right = honest.Machine.kept
    monkeypatch.setattr(honest.Machine, "kept", lambda self, h: right(self, h) * h.real.dtype.type(1 + 1e-3))
    found = run("--evaluations", 60, "--quiet")
    assert found.exit_code == 1
    seed, number = map(int, re.search(r"judged\(planned\((\d+), (\d+)\)\) of scanproof.benchmarks.campaigns.alarms", found.stderr).groups())
    assert str(DECLARED[number % len(DECLARED)]) in found.stderr
    assert judged(planned(seed, number)).verdict == "outside"
    monkeypatch.undo()
    assert judged(planned(seed, number)).verdict != "outside"


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize("weaker", [
    {"u": 0.5, "beta": 0.5},
    {"store": 0.5},
    {"operand": 0.0, "beta": 0.5},
    {"product_loss": 0.0, "sum_loss": 0.0, "store_loss": 0.0},
], ids=str)  # fmt: skip
def test_constants_that_are_too_small_are_found(monkeypatch, weaker):
    def proved(*arguments, right=operations._proved):
        ops = right(*arguments)
        return ops._replace(**{name: factor * getattr(ops, name) for name, factor in weaker.items()})

    monkeypatch.setattr(operations, "_proved", proved)
    found = run("--evaluations", 300, "--json")
    assert found.exit_code == 1
    told = json.loads(found.stdout)
    assert told["totals"]["outside"] == len(told["alarms"]) > 0
    assert not told["accepted"]


def test_no_evaluations_are_a_mistake():
    assert run("--evaluations", 0).exit_code == 2


# ---------------------------------------------------------------- the page


def numbers(declared, time, seed, evaluations):
    """Those of one row."""
    mine = range(DECLARED.index(declared), evaluations, len(DECLARED))
    return [number for number in mine if planned(seed, number).shape[1] == time]


@pytest.mark.parametrize(("declared", "time"), [
    (Arithmetic("float32", order="tree"), 2048),
    (Arithmetic("float16", accumulate="float32", order="chunked:16", store="chunk"), 512),
], ids=str)  # fmt: skip
def test_rows_of_the_page_are_computed(declared, time):
    evaluations, seed = map(int, WRITTEN.groups())
    found = row([judged(planned(seed, number)) for number in numbers(declared, time, seed, evaluations)])
    assert str(found) in PAGE.splitlines()
    assert found.sequences > 50


def test_the_page_is_complete():
    rows = [line.split(" | ") for line in PAGE.splitlines() if line.startswith(tuple(f"| {d.dtype} |" for d in DECLARED))]
    expected = [[f"| {d.dtype}", alarms_page.label(d), str(time)] for d in DECLARED for time in TIMES]
    assert [line[:3] for line in rows] == expected
    assert int(WRITTEN.group(1)) >= 10**5
    assert "| `outside` | 0 |" in PAGE

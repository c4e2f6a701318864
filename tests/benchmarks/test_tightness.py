"""The tightness of layers' allowances: what the programs are, what a row says, and that a wrong program is found."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import flint
import layer_truth
import numpy as np
import pytest
from layer_truth import ball
from typer.testing import CliRunner

from scanproof.benchmarks.campaigns import cases, tightness_page
from scanproof.benchmarks.campaigns.cases import (
    CAMPAIGNS,
    CELLS,
    FORMATS,
    REGIMES,
    declared,
    planned,
)
from scanproof.benchmarks.campaigns.programs import Program, results
from scanproof.benchmarks.campaigns.tightness import admitted, block, judged
from scanproof.benchmarks.campaigns.tightness_page import page, table
from scanproof.cli import processes
from scanproof.cli.app import app
from scanproof.properties.versions.plain_lru import Lru
from scanproof.properties.versions.plain_rotrnn import RotRnn
from scanproof.reference.allowance import operation_errors
from scanproof.reference.allowance.certificate import outputs, pulled_back
from scanproof.reference.layers import gathered, mapped
from scanproof.reference.systems.lru import Params

PAGE = Path(__file__).resolve().parents[2] / "docs/measured/layers-tightness.md"
SHORT = {"lru": 0, "rotrnn": 6}  # regimes of 16 steps
SPARSE = 10  # likewise, of RotRNN


@pytest.fixture
def only(monkeypatch):
    """Leaves these regimes and formats, and runs them in this process, where tests can plant something."""

    def leave(*cells):
        for module in (cases, tightness_page):
            monkeypatch.setattr(module, "CELLS", cells)
        monkeypatch.setattr(processes, "pool", lambda: ThreadPoolExecutor(1))

    return leave


def run(*arguments):
    return CliRunner().invoke(app, ["power", "layers", *map(str, arguments)])


def everyone(system, dtype, seed, number):
    inner, rng = declared(dtype, "any").inner, np.random.default_rng([seed, number, 1])
    return CAMPAIGNS[system].programs(inner, rng)


# ---------------------------------------------------------------- programs


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("system", SHORT)
def test_programs_round_differently(system, dtype):
    number = CELLS.index((SHORT[system], dtype))
    call = planned(0, number)
    got = [results(program, call, declared(dtype, "any")) for program in everyone(system, dtype, 0, number)]
    assert len({found["y"].tobytes() for found in got}) == len(got)
    assert all(set(found) == set(got[0]) | {"gradient h0"} for found in got)


def test_the_transposed_doubling_is_in_the_class_of_any_adjoint_only():
    *others, autodiff = everyone("lru", "float32", 0, 0)
    assert admitted(autodiff, "gradient nu_log") == ["any"]
    assert admitted(autodiff, "y") == ["formed", "any"]
    assert all(admitted(program, "gradient nu_log") == ["formed", "any"] for program in others)
    call, ours = planned(0, 0), declared("float32", "any")
    assert len({results(p, call, ours)["gradient nu_log"].tobytes() for p in (autodiff, *others)}) == 1 + len(others)


def test_a_program_must_work_in_the_format_of_its_sums():
    program = Program("wide", lambda **named: {"y": named["u"].astype("float64")})
    with pytest.raises(ValueError, match=r"^wide: got: found dtype float64 for y, expected float32, the declared arithmetic$"):
        results(program, planned(0, 0), declared("float32", "any"))


@pytest.mark.parametrize("system", SHORT)
def test_bfloat16_is_rounded_once_from_float32(system):
    number = CELLS.index((SHORT[system], "bfloat16"))
    call, arithmetic = planned(0, number), declared("bfloat16", "any")
    got = results(everyone(system, "bfloat16", 0, number)[0], call, arithmetic)
    plain = {"lru": Lru, "rotrnn": RotRnn}[system]()
    named = {name: x if np.iscomplexobj(x) or name == "reverse" else x.astype("float32") for name, x in call.keywords().items()}
    assert got["y"].tobytes() == plain(**named)["y"].astype("bfloat16").tobytes()


# ---------------------------------------------------------------- the table


def outcomes_of(cell, seed, cases=3):
    first = CELLS.index(cell)
    return [one for k in range(cases) for one in block(seed, first + k * len(CELLS), first + k * len(CELLS) + 1)]


def test_two_rows_are_what_they_say():
    """y of LRU by its unrolled sum on balls, and the gradient of D by fractions."""
    outcomes = outcomes_of((SHORT["lru"], "float32"), 5)
    rows = {(row.output, row.mode): row for row in table(outcomes)}
    y, D = [], []
    for number in (outcome.number for outcome in outcomes):
        call = planned(5, number)
        states = (1, 2, 16) if "C2_re" in call.arguments else (1, 16)
        bound_y = outputs(call, declared("float32", "formed"))["y"].bound.max(1)[0]
        bound_D = pulled_back(call, declared("float32", "any"))["gradient D"].bound.max()
        exact = unrolled(call, call.arguments.get("h0", np.zeros(states, complex)))
        products = [[Fraction(float(a)) * Fraction(float(b)) for a, b in zip(*rows, strict=True)] for rows in zip(
            call["u"][0].T, call["y_bar"][0].T, strict=True)]  # fmt: skip
        for program in everyone("lru", "float32", 5, number):
            got = results(program, call, declared("float32", "any"))
            y += quotients(bound_y, [max(float(abs(z)) for z in sequence) for sequence in (ball(got["y"]) - exact)[0].T])
            error = max(abs(Fraction(float(x)) - sum(terms)) for x, terms in zip(got["gradient D"], products, strict=True))
            D += quotients([bound_D], [float(error)])
    for row, found in ((rows["y", "formed"], y), (rows["gradient D", "any"], D)):
        assert row.sequences == len(found) > 10
        assert row.cells[:2] == (f"{min(found):.3g}", f"{np.median(found):.3g}")


def unrolled(call, h0):
    with flint.ctx.workprec(layer_truth.BITS):
        return layer_truth.lru(mapped(gathered(Params, call.arguments), ball), ball(call["u"]), ball(h0), call.reverse)


def quotients(bounds, errors):
    return [bound / error for bound, error in zip(bounds, errors, strict=True) if error > 0]


def test_a_page_has_the_rows_of_the_table(only):
    only((SHORT["rotrnn"], "float64"))
    found = run("--cases", 2, "--seed", 3, "--json")
    assert found.exit_code == 0
    told, outcomes = json.loads(found.stdout), block(3, 0, 2)
    assert told["rows"] == [row._asdict() for row in table(outcomes)]
    assert (told["accepted"], told["totals"]["cases"], told["totals"]["runs"], told["totals"]["outside"]) == (True, 2, 8, 0)
    lines = list(page(3, outcomes))
    for formed, any_ in zip(table(outcomes)[0::2], table(outcomes)[1::2], strict=True):
        assert (formed.output, formed.mode, any_.mode) == (any_.output, "formed", "any")
        assert formed.median <= any_.median or formed.sequences != any_.sequences
        assert f"| float64 | {formed.output} | {' | '.join(formed.cells + any_.cells)} |" in lines


# ---------------------------------------------------------------- what must be found


@pytest.mark.parametrize(("system", "planted", "regime"), [("lru", "lam", SHORT["lru"]), ("rotrnn", "decay", SPARSE)])
def test_an_inexact_constant_is_outside_and_can_be_repeated(only, monkeypatch, system, planted, regime):
    plain = {"lru": Lru, "rotrnn": RotRnn}[system]
    right = getattr(plain, planted)
    monkeypatch.setattr(plain, planted, lambda self, p: right(self, p) * p.D.dtype.type(1 + 2.0**-16))
    only((regime, "float32"))
    found = run("--cases", 1, "--seed", 7, "--quiet")
    assert found.exit_code == 1
    line = found.stderr.splitlines()[0]
    seed, number = map(int, re.search(r"judged\((\d+), (\d+)\) of scanproof.benchmarks.campaigns.tightness", line).groups())
    assert (seed, number) == (7, 0)
    assert f"of {system}, {REGIMES[regime]}, float32: outside" in line
    assert judged(seed, number).alarms
    monkeypatch.setattr(plain, planted, right)
    assert not judged(seed, number).alarms


def test_a_rounding_of_results_that_is_too_small_is_found(only, monkeypatch):
    right = operation_errors.roundings

    def halved(*arguments, **named):
        ops = right(*arguments, **named)
        return ops._replace(store=ops.store / 2)

    only((SHORT["lru"], "bfloat16"))
    monkeypatch.setattr(operation_errors, "roundings", halved)
    found = run("--cases", 1, "--json")
    assert found.exit_code == 1
    told = json.loads(found.stdout)
    assert told["totals"]["outside"] == sum(row["outside"] for row in told["rows"]) > 0
    assert not told["accepted"]
    assert told["alarms"]


def test_no_cases_are_a_mistake():
    assert run("--cases", 0).exit_code == 2


# ---------------------------------------------------------------- the page in docs


def test_the_written_page_is_complete():
    text = PAGE.read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    found = [line for line in rows if line[0] in FORMATS and len(line) == 12]
    assert len(found) == 10 * len(CELLS)  # outputs of either layer
    assert {line[k] for line in found for k in (6, 11)} == {"0"}
    assert [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")][1:-1] == [
        f"{regime.system}: {regime}" for regime in sorted(REGIMES, key=lambda regime: regime.system)]  # fmt: skip
    assert re.search(r"scanproof power layers --cases \d\d --seed \d", text)
    assert "| elements `outside` | 0 |" in text

"""One-step certificates by Gappa, their comparison with reference/operations.py, and the statements for every T in Coq.

Everything that is accepted here has a neighbour that must be refused: a smaller constant, a wrong factor, a broken prover.
"""

import dataclasses
import json
import re
import shutil
import subprocess
from fractions import Fraction
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
import pytest
import sympy as sp

from scanproof.proofs import gappa_layer, gappa_step
from scanproof.proofs.gappa_layer import CONTRACTED, FORMATS, WITHOUT, answer, certify, least
from scanproof.proofs.gappa_step import Step, statement
from scanproof.reference import operations, rounding
from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.formats import format_of
from scanproof.reference.inputs import Inputs

STEPS = {step.name: step for step in (*WITHOUT, *CONTRACTED)}
ROUNDINGS = ("nearest", "truncate")
COQ = Path(__file__).resolve().parents[1] / "proofs/coq"
needs_gappa = pytest.mark.skipif(not shutil.which("gappa"), reason=gappa_layer.MISSING)
needs_coq = pytest.mark.skipif(not shutil.which("coqc"), reason="coqc is not installed: apt-get install coq libcoq-gappa")
every_step = pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
bounds = cache(least)


def grants(monkeypatch, **changed):
    """From here on operations.roundings grants something else: {"beta": lambda ops: ...}."""
    right = operations.roundings

    def wrong(*args, **kwargs):
        ops = right(*args, **kwargs)
        return ops._replace(**{name: change(ops) for name, change in changed.items()})

    monkeypatch.setattr(operations, "roundings", wrong)


# ---------------------------------------------------------------- what is shipped
@needs_gappa
def test_every_certificate_is_proved_and_plain_data():
    found = list(gappa_layer.results())
    assert [(c.name, c.status, c.reason) for c in found] == [(c.name, "proved", "") for c in found]
    assert len({c.name for c in found}) == len(found) == 2 * len(FORMATS) * len(STEPS)
    assert {c.operation: c.fma for c in found} == {name: name.endswith("FMA") for name in STEPS}
    assert all(0 < c.seconds and c.statement for c in found)
    assert json.loads(json.dumps([dataclasses.asdict(c) for c in found]))[0]["found"].keys() == {"product", "addend", "loss"}


@needs_gappa
def test_where_only_a_component_is_proved_it_is_said():
    """Without contraction, to nearest: sqrt(5) u. Gappa's figure for the modulus is larger."""
    cited = {c.name for c in gappa_layer.results() if c.cited}
    assert cited == {f"{form} complex product{fma}" for form in FORMATS for fma in ("", ", FMA")}
    for dtype in FORMATS.values():
        plain, any_contraction = (
            operations.roundings(Arithmetic(dtype, contraction=allowed), True, pairs=True).beta for allowed in (False, True)
        )
        component = bounds(STEPS["complex product"], dtype, "nearest")["product"]
        assert component <= plain
        assert Fraction(plain) ** 2 < 2 * component**2 < Fraction(any_contraction) ** 2


def test_what_a_step_computes_is_written_out():
    assert STEPS["real step"].computed == "fl(fl(a c) + x)"
    assert STEPS["complex step"].computed == "fl(fl(fl(a c) - fl(b d)) + x)"
    assert STEPS["complex step, addend first, FMA"].computed == "fl(fl(x + a c) - b d)"
    assert STEPS["complex step, addend first"].exact == "p - q + x"


def test_the_square_of_both_components():
    """|(|ac| + |bd|, |ad| + |bc|)| <= sqrt(2) |z||w|, for a, b, c, d >= 0."""
    a, b, c, d = sp.symbols("a b c d")
    gap = 2 * (a**2 + b**2) * (c**2 + d**2) - (a * c + b * d) ** 2 - (a * d + b * c) ** 2
    assert sp.expand(gap - (a * c - b * d) ** 2 - (a * d - b * c) ** 2) == 0


# ---------------------------------------------------------------- Gappa refuses what is false
@needs_gappa
@every_step
def test_gappa_proves_its_figures_and_refuses_smaller_ones(step):
    for lost in step.underflows:
        found = bounds(step, "float32", "nearest")
        answer(statement(step, "float32", "nearest", lost, found))
    for quantity in (quantity for quantity, bound in found.items() if bound):
        weaker = found | {quantity: found[quantity] * (1 - Fraction(1, 2**20))}
        refused = []
        for lost in step.underflows:
            try:
                answer(statement(step, "float32", "nearest", lost, weaker))
            except ValueError as error:
                refused.append(str(error))
        assert refused
        assert all("some properties were not satisfied" in reason for reason in refused)


@needs_gappa
@every_step
def test_gappa_refuses_a_wrong_factor(step):
    for lost in step.underflows:
        text = statement(step, "float32", "nearest", lost)
        answer(text)
        exact = f"(y - ({step.exact}))"
        wrong = [text.replace(exact, exact.replace("p", "p + x", 1)), text.replace(exact, "(y - (p))")]
        if step.factors(lost):
            wrong.append(text.replace(" = (1 + d_", " = (1 - d_", 1))
            wrong.append(text.replace(" = (1 + d_", " = (1 + d_y) * (1 + d_", 1))
        if lost:
            wrong.append(text.replace("L = ", "L = 2 * ", 1))
        for mutant in wrong:
            with pytest.raises(ValueError, match="not trivially equal|some properties|unbound"):
                answer(mutant)


@needs_gappa
@pytest.mark.parametrize(("form", "bits"), [("float16", 10), ("float32", 23), ("float64", 52)])
def test_fewer_bits_lose_more(monkeypatch, form, bits):
    coarse = format_of(form)._replace(significand_bits=bits)
    monkeypatch.setattr(gappa_step, "format_of", lambda dtype: coarse)
    name = {dtype: name for name, dtype in FORMATS.items()}[form]
    assert certify(STEPS["real step"], name, "nearest").reason.startswith("product: found 2")


# ---------------------------------------------------------------- the comparison with operations.roundings
SLACK = {   # what is granted is so many times what Gappa needs, at least; anything below is sharp
    ("real step, FMA", "product"): 2,   # it rounds less than a step without FMA, which is granted the same
    ("complex step, addend first, FMA", "product"): 1.5,   # a and c meet two roundings
    ("complex step", "addend"): 2,   # the addend comes last
    ("complex step, FMA", "addend"): 2,
}  # fmt: skip


@needs_gappa
@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("form", FORMATS)
def test_nothing_is_granted_for_nothing(form, rounding):
    for step in STEPS.values():
        found = certify(step, form, rounding)
        for quantity in ("product", "addend"):
            slack = SLACK.get((step.name, quantity), 5**0.5 / 2 if found.cited else 1)
            needed = found.found[quantity] * slack
            assert needed * 0.99 <= found.granted[quantity] <= needed * 1.02 or quantity == "addend" and "x" not in step.terms
        assert found.found["loss"] <= found.granted["loss"] <= 8.01 * found.found["loss"]


@needs_gappa
@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("form", FORMATS)
def test_half_of_beta_is_refused(monkeypatch, form, rounding):
    grants(monkeypatch, beta=lambda ops: ops.beta / 2)
    refused = {name for name, step in STEPS.items() if certify(step, form, rounding).reason.startswith("product: found 1.")}
    assert refused == STEPS.keys() - {"real step, FMA"}


@needs_gappa
@pytest.mark.parametrize("form", FORMATS)
def test_a_constant_below_what_a_component_needs_is_refused_for_sqrt_5(monkeypatch, form):
    grants(monkeypatch, beta=lambda ops: ops.beta * 2 / 5**0.5)   # 2u, and a component has 2u + u^2
    refused = {name for name, step in STEPS.items() if certify(step, form, "nearest").status == "refused"}
    assert {"complex product", "complex product, FMA"} <= refused


@needs_gappa
@pytest.mark.parametrize("form", FORMATS)
def test_one_rounding_of_the_addend_too_few_is_refused(monkeypatch, form):
    grants(monkeypatch, c=lambda ops: 1)
    refused = {name for name, step in STEPS.items() if "addend: found 2.0" in certify(step, form, "nearest").reason}
    assert refused == {"complex step, addend first", "complex step, addend first, FMA"}


@needs_gappa
@pytest.mark.parametrize("form", FORMATS)
def test_half_of_u_is_refused(monkeypatch, form):
    grants(monkeypatch, u=lambda ops: ops.u / 2)
    refused = {name for name, step in STEPS.items() if "addend: found" in certify(step, form, "nearest").reason}
    assert refused == {name for name, step in STEPS.items() if step in WITHOUT and "x" in step.terms} | {
        "complex step, addend first", "complex step, addend first, FMA"
    }  # fmt: skip


@needs_gappa
@pytest.mark.parametrize("form", FORMATS)
def test_the_loss_of_a_product_halved_until_it_is_refused(monkeypatch, form):
    """kappa = 1 is sharp in the reals (binary64: half a subnormal is no float64, so one is granted); 8 is at most 6 times too much."""
    halvings = dict.fromkeys(STEPS, 0)
    for n in range(1, 5):
        with monkeypatch.context() as patch:
            grants(patch, product_loss=lambda ops, n=n: ops.product_loss / 2**n)
            for name, step in STEPS.items():
                halvings[name] += certify(step, form, "nearest").status == "proved"
    extra = form == "binary64"
    expected = {"real": 0 + extra, "complex product": 1 + extra, "complex step": 1 + extra}
    assert halvings == {name: next(n for start, n in expected.items() if name.startswith(start)) for name in STEPS}


@needs_gappa
def test_truncation_needs_its_own_constants(monkeypatch):
    right = operations.roundings
    monkeypatch.setattr(operations, "roundings", lambda a, *args, **kw: right(dataclasses.replace(a, rounding="nearest"), *args, **kw))
    assert {certify(step, "binary32", "truncate").status for step in STEPS.values()} == {"refused"}


# ---------------------------------------------------------------- the figures hold on data
def fl(x, form, truncates):
    """x rounded to a format, exactly."""
    if x == 0:
        return x
    n, d = abs(x).as_integer_ratio()
    e = n.bit_length() - d.bit_length()
    e -= abs(x) < Fraction(2) ** e
    quantum = max(Fraction(2) ** (e + 1 - form.significand_bits), Fraction(form.smallest_subnormal))
    return (int(x / quantum) if truncates else round(x / quantum)) * quantum


def draw(rng, form):
    """A float of any size about 1 or about the smallest normal number."""
    scale = rng.choice([1, 1, form.smallest_normal, form.smallest_normal ** 0.5])
    return fl(Fraction(rng.uniform(-1, 1)) * Fraction(scale) * Fraction(2) ** rng.randrange(-4, 4), form, False)


def error_over_bound(step, form, truncates, bound, rng):
    """|computed - exact| and what the certificate allows, of one component on random floats."""
    values = {number: draw(rng, form) for number in "abcdx"}
    exact = {"p": values["a"] * values["c"], "q": values["b"] * values["d"], "x": values["x"]}
    at = dict(exact)
    for name, summands in step.sums.items():
        at[name] = fl(sum(sign * at[term] for term, sign in summands.items()), form, truncates)
    error = abs(at["y"] - sum(step.ways[term].sign * exact[term] for term in step.terms))
    products = sum(abs(exact[term]) for term in step.terms if term != "x")
    addend = abs(exact["x"]) if "x" in step.terms else 0
    return error, bound["product"] * products + bound["addend"] * addend + bound["loss"]


@needs_gappa
@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("form", FORMATS)
def test_no_component_exceeds_its_certificate(form, rounding):
    rng, above_half = Random(0), 0
    for step in STEPS.values():
        bound = bounds(step, FORMATS[form], rounding)
        for _ in range(100):
            error, allowed = error_over_bound(step, format_of(FORMATS[form]), rounding == "truncate", bound, rng)
            assert error <= allowed
            above_half += 2 * error > allowed
    assert above_half


# ---------------------------------------------------------------- without gappa, or with a broken one
def test_without_gappa_nothing_is_claimed(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    found = list(gappa_layer.results())
    assert {(c.status, c.reason) for c in found} == {("not run", "gappa is not installed: apt-get install gappa")}
    assert all(c.granted and not c.found for c in found)


@pytest.mark.parametrize(("script", "told"), [
    ("exit 0", "gappa answers []"),
    ("exit 3", "gappa refuses: exit code 3"),
    ("echo 'Warning: something'; echo '  |C_y| in [0, 1b-24 {'", "gappa refuses: Warning: something"),
    ("sleep 5", "TimeoutExpired"),
])  # fmt: skip
def test_a_broken_gappa_proves_nothing(monkeypatch, tmp_path, script, told):
    fake = tmp_path / "gappa"
    fake.write_text(f"#!/bin/sh\n{script}\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(gappa_layer, "TIMEOUT", 1)
    found = certify(STEPS["real step"], "binary32", "nearest")
    assert found.status == "refused"
    assert told in found.reason


@needs_gappa
def test_a_step_that_gappa_cannot_read_is_refused():
    found = certify(Step("nonsense", ("y = p / x",)), "binary32", "nearest")
    assert (found.status, found.found) == ("refused", {})


# ---------------------------------------------------------------- every T, binary32: RoundingReal.v and RoundingComplex.v
def constant(file, name):
    """A number that a Coq file defines."""
    [text] = re.findall(rf"^Definition {name} := (\d+ / \d+)\.", (COQ / file).read_text(encoding="utf-8"), re.MULTILINE)
    return Fraction(text.replace(" ", ""))


E = constant("RoundingReal.v", "E")
E2 = 2 * (256 * constant("RoundingComplex.v", "eps")) ** 2


@pytest.mark.parametrize("contraction", [False, True])
@pytest.mark.parametrize(("dtype", "x", "square"), [("float32", 1.0, E**2), ("complex64", 63 / 64, E2)])
def test_python_grants_what_coq_proves_sufficient(dtype, x, square, contraction):
    """In the limit of large T; and not twice as much: the two theorems are about the same thing."""
    inputs = Inputs(np.full(1, 255 / 256, dtype), np.full((1, 8192, 1), x, dtype))
    granted = rounding.allowance(inputs, Arithmetic(dtype, order="sequential", contraction=contraction)).bound[0, -1, 0]
    assert square < Fraction(granted) ** 2 < 4 * square


def states(lam, x, fused):
    """Exact and computed states of lam = (a, b), x = [(e, f), ...], as the Coq files define them; b = f = 0 in the reals."""
    (a, b), form = lam, format_of("float32")
    exact, computed = (Fraction(0), Fraction(0)), (Fraction(0), Fraction(0))

    def part(a, b, c, d, e):
        if fused and b == 0:
            return fl(a * c + e, form, False)
        second = fl(b * d, form, False)
        return fl(fl((a * c if fused else fl(a * c, form, False)) - second, form, False) + e, form, False)

    for e, f in x:
        (c, d), (C, D) = computed, exact
        computed, exact = (part(a, b, c, d, e), part(a, -b, d, c, f)), (a * C - b * D + e, a * D + b * C + f)
        yield exact, computed


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("lam", [(255 / 256, 0.0), (-0.9, 0.0), (0.7, 0.7), (-0.1, 0.99)])
def test_honest_states_stay_within_the_proved_distance(lam, fused):
    rng = Random(1)
    a, b = (fl(Fraction(number), format_of("float32"), False) for number in lam)
    parts = [(fl(Fraction(rng.uniform(0.3, 0.69)), format_of("float32"), False), Fraction(0)) for _ in range(200)]
    inputs = [(e, e if b else Fraction(0)) for e, _ in parts]
    square = E2 if b else E**2
    assert a * a + b * b <= Fraction(255, 256) ** 2
    distances = [sum((p - q) ** 2 for p, q in zip(h, H, strict=True)) for H, h in states((a, b), inputs, fused)]
    assert 0 < max(distances) <= square


def coqc(folder, *files):
    done = [subprocess.run(["coqc", "-q", "-R", str(folder), "Scanproof", str(folder / file)], capture_output=True, text=True)
            for file in files]  # fmt: skip
    return done[-1].returncode, done[-1].stderr


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """A copy of the files, with what both of them import compiled."""
    folder = tmp_path_factory.mktemp("coq")
    for file in ("Binary32.v", "RoundingReal.v", "RoundingComplex.v"):
        shutil.copy(COQ / file, folder)
    assert coqc(folder, "Binary32.v") == (0, "")
    return folder


@needs_gappa
@needs_coq
@pytest.mark.parametrize(("file", "right", "wrong"), [
    ("RoundingReal.v", "", ""),
    ("RoundingComplex.v", "", ""),
    ("RoundingReal.v", "386 / 65536", "385 / 65536"),   # the constant is sharp
    ("RoundingReal.v", "rnd (rnd (lam * h) + x).", "rnd (rnd (lam * h) + 2 * x)."),   # a wrong factor
    ("RoundingReal.v", "FLT_exp (-149) 24", "FLT_exp (-149) 23"),
    ("RoundingComplex.v", "1 / 32768", "31 / 1048576"),   # so is this
    ("RoundingComplex.v", "2 * (256 * eps) * (256 * eps)", "1 * (256 * eps) * (256 * eps)"),
    ("RoundingComplex.v", "256/255 * sq x y + 256 * sq v w", "sq x y + 256 * sq v w"),
])  # fmt: skip
def test_coq_accepts_the_file_and_refuses_what_is_weaker(compiled, tmp_path, file, right, wrong):
    if not right:
        assert coqc(compiled, file) == (0, "")
        return
    for source in ("Binary32.v", file):
        text = (COQ / source).read_text(encoding="utf-8")
        (tmp_path / source).write_text(text.replace(right, wrong), encoding="utf-8")
    changed = [source for source in ("Binary32.v", file) if right in (COQ / source).read_text(encoding="utf-8")]
    assert len(changed) == 1
    assert coqc(tmp_path, "Binary32.v", file)[0] == 1

"""One-step certificates by Gappa, their comparison with reference/arithmetic/operations.py, and the statements for every T in Coq.

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
from coq_model import fl, runs

from scanproof.proofs.gappa import gappa_layer, gappa_step
from scanproof.proofs.gappa.gappa_layer import CONTRACTED, FORMATS, WITHOUT, answer, certify, least
from scanproof.proofs.gappa.gappa_step import Step, statement
from scanproof.reference.allowance import rounding
from scanproof.reference.arithmetic import operations
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.formats import format_of
from scanproof.reference.inputs import Inputs

STEPS = {step.name: step for step in (*WITHOUT, *CONTRACTED)}
ROUNDINGS = ("nearest", "truncate")
COQ = Path(__file__).resolve().parents[2] / "proofs/coq"
needs_gappa = pytest.mark.skipif(not shutil.which("gappa"), reason=gappa_layer.MISSING)
needs_coq = pytest.mark.skipif(not shutil.which("coqc"), reason="coqc is not installed: apt-get install coq libcoq-gappa")
every_step = pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
bounds = cache(least)


@pytest.fixture
def asked_once(monkeypatch):
    """What is granted does not change what Gappa finds."""
    monkeypatch.setattr(gappa_layer, "least", bounds)


def grants(monkeypatch, **changed):
    """From here on operations.roundings grants something else: {"beta": lambda ops: ...}."""
    right = operations.roundings

    def wrong(*args, **kwargs):
        ops = right(*args, **kwargs)
        return ops._replace(**{name: change(ops) for name, change in changed.items()})

    monkeypatch.setattr(operations, "roundings", wrong)


# ---------------------------------------------------------------- what is shipped
@pytest.mark.slow
@needs_gappa
def test_every_certificate_is_proved_and_plain_data():
    found = list(gappa_layer.results())
    assert [(c.name, c.status, c.reason) for c in found] == [(c.name, "proved", "") for c in found]
    assert len({c.name for c in found}) == len(found) == 2 * len(FORMATS) * len(STEPS)
    assert {c.operation: c.fma for c in found} == {name: name.endswith("FMA") for name in STEPS}
    assert all(0 < c.seconds and c.statement for c in found)
    assert json.loads(json.dumps([dataclasses.asdict(c) for c in found]))[0]["found"].keys() == {"product", "addend", "loss"}


@pytest.mark.slow
@needs_gappa
@pytest.mark.usefixtures("asked_once")
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
@pytest.mark.parametrize("dtype", FORMATS.values())
def test_gappa_proves_its_figures_and_refuses_smaller_ones(step, dtype):
    found = bounds(step, dtype, "nearest")
    for lost in step.underflows:
        answer(statement(step, dtype, "nearest", lost, found))
    for quantity in (quantity for quantity, bound in found.items() if bound):
        weaker = found | {quantity: found[quantity] * (1 - Fraction(1, 2**20))}
        refused = []
        for lost in step.underflows:
            try:
                answer(statement(step, dtype, "nearest", lost, weaker))
            except ValueError as error:
                refused.append(str(error))
        assert refused
        assert all("some properties were not satisfied" in reason for reason in refused)


@needs_gappa
@every_step
@pytest.mark.parametrize("dtype", FORMATS.values())
def test_gappa_refuses_a_wrong_factor(step, dtype):
    for lost in step.underflows:
        text = statement(step, dtype, "nearest", lost)
        answer(text)
        exact = f"(y - ({step.exact}))"
        wrong = [text.replace(exact, exact.replace("p", "p + x", 1)), text.replace(exact, "(y - (p))")]
        if step.factors(lost):
            wrong.append(text.replace(" = (1 + d_", " = (1 - d_", 1))
            wrong.append(text.replace(" = (1 + d_", " = (1 + d_y) * (1 + d_", 1))
        if lost:
            wrong.append(text.replace("L = ", "L = 2 * ", 1))
        for mutant in wrong:
            with pytest.raises(ValueError, match=r"not trivially equal|some properties|unbound"):
                answer(mutant)


@needs_gappa
@pytest.mark.parametrize(("form", "bits"), [("float16", 10), ("float32", 23), ("float64", 52)])
def test_fewer_bits_lose_more(monkeypatch, form, bits):
    coarse = format_of(form)._replace(significand_bits=bits)
    monkeypatch.setattr(gappa_step, "format_of", lambda dtype: coarse)
    name = {dtype: name for name, dtype in FORMATS.items()}[form]
    assert certify(STEPS["real step"], name, "nearest").reason.startswith("product: found 2")


# ---------------------------------------------------------------- the comparison with operations.roundings
@needs_gappa
@pytest.mark.parametrize("dtype", FORMATS.values())
def test_to_nearest_what_is_granted_is_what_gappa_finds(dtype):
    """Exactly; sqrt(2) is rounded upwards by at most UP^3."""
    (real, granted_real), (last, granted_last), (first, granted_first) = (
        (bounds(STEPS[name], dtype, "nearest"), gappa_layer.granted(STEPS[name], dtype, "nearest"))
        for name in ("real step", "complex step", "complex step, addend first")
    )
    assert (granted_real["product"], granted_real["addend"]) == (real["product"], real["addend"])
    assert granted_real["loss"] == real["loss"] * (1 + (dtype == "float64"))   # half of 2^-1074 is no float64
    assert granted_first["addend"] == granted_last["addend"] == first["addend"] > last["addend"]
    for found, allowed in ((last, granted_last), (first, granted_first)):
        assert 2 * found["product"] ** 2 <= allowed["product"] ** 2 <= 2 * found["product"] ** 2 * Fraction(operations.UP) ** 6


@needs_gappa
@pytest.mark.usefixtures("asked_once")
@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("form", FORMATS)
def test_half_of_beta_is_refused(monkeypatch, form, rounding):
    grants(monkeypatch, beta=lambda ops: ops.beta / 2)
    refused = {name for name, step in STEPS.items() if certify(step, form, rounding).reason.startswith("product: found")}
    assert refused == STEPS.keys() - {"real step, FMA"}


@needs_gappa
@pytest.mark.usefixtures("asked_once")
@pytest.mark.parametrize("form", FORMATS)
def test_a_constant_below_what_a_component_needs_is_refused_for_sqrt_5(monkeypatch, form):
    grants(monkeypatch, beta=lambda ops: ops.beta * 0.89)   # below 2u
    refused = {name for name, step in STEPS.items() if certify(step, form, "nearest").status == "refused"}
    assert {"complex product", "complex product, FMA"} <= refused


@needs_gappa
@pytest.mark.usefixtures("asked_once")
@pytest.mark.parametrize("form", FORMATS)
def test_one_rounding_of_the_addend_too_few_is_refused(monkeypatch, form):
    grants(monkeypatch, c=lambda ops: 1)
    refused = {name for name, step in STEPS.items() if "addend: found" in certify(step, form, "nearest").reason}
    assert refused == {"complex step, addend first", "complex step, addend first, FMA"}


@needs_gappa
@pytest.mark.usefixtures("asked_once")
@pytest.mark.parametrize("form", FORMATS)
def test_half_of_u_is_refused(monkeypatch, form):
    grants(monkeypatch, u=lambda ops: ops.u / 2)
    refused = {name for name, step in STEPS.items() if "addend: found" in certify(step, form, "nearest").reason}
    assert refused == {name for name, step in STEPS.items() if step in WITHOUT and "x" in step.terms} | {
        "complex step, addend first", "complex step, addend first, FMA"
    }  # fmt: skip


@needs_gappa
@pytest.mark.usefixtures("asked_once")
@pytest.mark.parametrize("form", FORMATS)
def test_the_loss_of_a_product_halved_until_it_is_refused(monkeypatch, form):
    """kappa = 1 is sharp in the reals (half a subnormal of binary64 is no float64: one is granted); kappa = 8 can be halved once or twice."""
    halvings = dict.fromkeys(STEPS, 0)
    for n in range(1, 5):
        with monkeypatch.context() as patch:
            grants(patch, product_loss=lambda ops, n=n: Fraction(ops.product_loss) / 2**n)
            for name, step in STEPS.items():
                halvings[name] += certify(step, form, "nearest").status == "proved"
    needed = {name: 1 if step.is_complex else 0 for name, step in STEPS.items()} | {"complex product, FMA": 2}
    assert halvings == {name: n + (form == "binary64") for name, n in needed.items()}


@needs_gappa
@pytest.mark.usefixtures("asked_once")
def test_truncation_needs_its_own_constants(monkeypatch):
    right = operations.roundings
    monkeypatch.setattr(operations, "roundings", lambda a, *args, **kw: right(dataclasses.replace(a, rounding="nearest"), *args, **kw))
    assert {certify(step, "binary32", "truncate").status for step in STEPS.values()} == {"refused"}


# ---------------------------------------------------------------- the figures hold on data
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


def test_a_program_is_made_of_sums():
    with pytest.raises(ValueError, match=r"^program: found 'y = p / x', expected a sum such as 'w = r - s'$"):
        Step("nonsense", ("y = p / x",))


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


BINARY32 = format_of("float32")


def float32(x):
    return fl(Fraction(x), BINARY32, False)


def separate(a, b, c, d, e):
    """A component of a complex step; of a real one with b = d = 0."""
    return float32(float32(float32(a * c) - float32(b * d)) + e)


def fused(a, b, c, d, e):
    return float32(float32(a * c - float32(b * d)) + e)


def real_fused(a, b, c, d, e):
    return float32(a * c + e)


@runs("RoundingReal.real_separate", "RoundingReal.real_fused")
@pytest.mark.parametrize("part", [separate, real_fused])
def test_an_adversary_reaches_a_sixth_of_the_proved_distance_and_not_more_than_all(part):
    """Of four inputs the one whose step errs most upwards."""
    rng, lam, computed, exact, furthest = Random(1), Fraction(255, 256), Fraction(0), Fraction(0), Fraction(0)
    for _ in range(600):
        drawn = [float32(1 - rng.uniform(0, 2**-6)) for _ in range(4)]
        x = max(drawn, key=lambda x: part(lam, 0, computed, 0, x) - (lam * computed + x))
        computed, exact = part(lam, 0, computed, 0, x), lam * exact + x
        furthest = max(furthest, abs(computed - exact))
    assert E / 6 < furthest <= E


@runs("RoundingComplex.complex_separate", "RoundingComplex.complex_fused")
@pytest.mark.parametrize("part", [separate, fused])
@pytest.mark.parametrize("lam", [(0.7, 0.7), (-0.1, 0.99), (0.99, 0.05)])
def test_honest_complex_states_stay_within_the_proved_distance(lam, part):
    """The imaginary part is that of RoundingComplex.v: a d - (-b) c + f."""
    a, b = map(float32, lam)
    rng, (c, d), (C, D) = Random(2), (Fraction(0),) * 2, (Fraction(0),) * 2
    for _ in range(200):
        e, f = (float32(rng.uniform(-0.69, 0.69)) for _ in range(2))
        (c, d), (C, D) = (part(a, b, c, d, e), part(a, -b, d, c, f)), (a * C - b * D + e, a * D + b * C + f)
        assert (c - C) ** 2 + (d - D) ** 2 <= E2
    assert (c, d) != (C, D)


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


@pytest.mark.slow
@needs_gappa
@needs_coq
@pytest.mark.parametrize(("file", "right", "wrong"), [
    ("RoundingReal.v", "", ""),
    ("RoundingComplex.v", "", ""),
    ("RoundingReal.v", "385 / 65536", "384 / 65536"),   # the constant is sharp
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
    shutil.copytree(compiled, tmp_path, dirs_exist_ok=True)
    [changed] = [source for source in ("Binary32.v", file) if right in (COQ / source).read_text(encoding="utf-8")]
    (tmp_path / changed).write_text((COQ / changed).read_text(encoding="utf-8").replace(right, wrong), encoding="utf-8")
    assert coqc(tmp_path, *dict.fromkeys((changed, file)))[0] == 1

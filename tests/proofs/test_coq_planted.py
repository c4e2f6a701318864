"""Weakened constants and wrong factors planted in the rounding theorems: coqc refuses each in a proof, and an example violates it.

That coqc stops within a proof says that it has read every definition and the statement before: the fault is well formed. A proof
could stop for a poor reason too; so the same equation of coq_scans.py or coq_circuits.py is weakened likewise, and numbers
that `honest` allows exceed what it then says. Where none do it is slack, which is said.
"""

import random
import re
import shutil
from fractions import Fraction
from typing import NamedTuple

import coq_circuits
import coq_scans
import pytest
from coq_model import Model, weakened, within

from scanproof.proofs.coq import coq_build, coq_layer
from scanproof.proofs.coq.coq_layer import SOURCES
from scanproof.reference.arithmetic.formats import format_of

pytestmark = pytest.mark.xdist_group("coq planted")   # one worker, so that everything is compiled once
needs_coq = pytest.mark.skipif(shutil.which("coqc") is None, reason=f"not run: coqc not found: {coq_build.INSTALL}")

ROUNDING = ("BoundNear", "BoundTree", "BoundMultiplier", "BoundState", "BoundTop", "BoundCount", "BoundTheorem", "BoundOps", "Recurrence",
            "Circuit", "CircuitSum", "ComplexProduct", "Instances")


class Fault(NamedTuple):
    file: str
    right: str
    wrong: str
    where: str          # the statement whose proof stops
    examples: str = ""  # the generator below that yields (error, limit); empty where the theorem is slack
    equation: str = ""  # the function that is weakened likewise
    exact: str = ""
    weak: str = ""


FAULTS = (
    Fault("BoundMultiplier", "c * (W ^+ (n t).-1 - 1).", "c * (W ^+ (n t).-2 - 1).", "right_lost",
          "multipliers", "lost", "(len(steps(t)) - 1)", "max(len(steps(t)) - 2, 0)"),
    Fault("BoundState", "V * (p + top q) + flush", "p + V * top q + flush", "near_state",
          "states", "top", "model.V() * (p + later)", "p + model.V() * later"),
    Fault("BoundState", "let p := K ^+ hard q * gain q * top l + loss in", "let p := gain q * top l + loss in", "near_state",
          "states", "top", "(1 + model.beta) ** hard(t.q) * gain", "gain"),
    Fault("BoundTop", "(W ^+ (since t).-1 * losses t - total t)", "(losses t - total t)", "carry",
          "closed", "top_bound", "(1 + model.loss * G) ** max(m - 1, 0) * losses", "losses"),
    Fault("BoundTop", "Definition amp d e := V ^+ d *", "Definition amp d e := V ^+ d.-1 *", "grow",
          "closed", "top_bound", "** depth(t)", "** max(depth(t) - 1, 0)"),
    Fault("BoundCount", "size_lam x * Num.max z.1 1 in", "size_lam x * z.1 in", "largest_is",
          "bracketings", "segment_step", "max(z[0], 1)", "z[0]"),
    Fault("BoundCount", "(dA * k + A * (k - 1))", "(dA + A * (k - 1))", "size_scan_is",
          "bracketings", "size_step", "(x.dlam * k +", "(x.dlam +"),
    Fault("BoundTheorem", "m.+1%:R * flush", "m%:R * flush", "underflow_covers",
          "bracketings", "underflow", "(m + 1) * model.flush", "m * model.flush"),
    Fault("BoundTheorem", "(1 + loss * G ^+ 2) ^+ m.-1 - 1 in", "(1 + loss * G) ^+ m.-1 - 1 in", "underflow_covers",
          "a_loss_between", "underflow", "model.loss * G ** 2", "model.loss * G"),
    Fault("BoundTheorem", "(1 + loss * G ^+ 2) ^+ m.-1 - 1 in", "(1 + loss * G ^+ 2) ^+ m.-2 - 1 in", "underflow_covers",
          "bracketings", "underflow", "max(m - 1, 0)", "max(m - 2, 0)"),
    Fault("BoundTheorem", "K ^+ m * (w", "K ^+ m.-1 * (w", "underflow_covers",
          "bracketings", "underflow", "(1 + model.beta) ** m", "(1 + model.beta) ** max(m - 1, 0)"),
    Fault("BoundTheorem", "q%:R * store_loss) * G", "q.-1%:R * store_loss) * G", "underflow_covers",
          "bracketings", "underflow", "q * model.store_loss", "max(q - 1, 0) * model.store_loss"),
    Fault("BoundTheorem", "let xi := (1 + u) ^+ (c * d) *", "let xi := (1 + u) ^+ (c * d.-1) *", "top_allowance",
          "bracketings", "allowance", "(model.c * d)", "(model.c * max(d - 1, 0))"),
    Fault("BoundTheorem", "(1 + store) ^+ q - 1 in", "(1 + store) ^+ q.-1 - 1 in", "top_allowance",
          "bracketings", "allowance", "** q - 1", "** max(q - 1, 0) - 1"),
    Fault("BoundTheorem", "in (1 + xi) * E + xi * X", "in E + xi * X", "top_allowance",
          "bracketings", "allowance", "(1 + xi) * E", "E"),
    Fault("BoundTheorem", "(count_scan (steps t)).1.1.-1 0.", "(count_scan (steps t)).1.1.-2 0.", "rounding_any_order",
          "any_order", "any_order", "[2] - 1, 0)", "[2] - 2, 0)"),
    Fault("BoundOps", "V = 1 + u -> `|p' - p|", "V = 1 -> `|p' - p|", "separate",
          "steps_apart", "step_limit", "V = model.V()", "V = 1"),
    Fault("BoundOps", "V = (1 + u) ^+ 2 -> `|s' - (p + x)| <= (k - 1) * `|p| + (V - 1) *",
          "V = 1 + u -> `|s' - (p + x)| <= (k - 1) * `|p| + ((1 + u) ^+ 2 - 1) *", "contracted",
          "steps_at_once", "step_limit", "V = model.V()", "V = 1 + model.u"),
    Fault("Recurrence", "else (1 + xi n r) * (gain * E", "else (gain * E", "error_step",
          "sequences", "sequential_error", "(1 + xi) * (gained", "(gained"),
    Fault("Recurrence", "(dA * k x + A * (k x - 1)) * before", "A * (k x - 1) * before", "error_step",
          "sequences", "sequential_error", "(x.dlam * k + A * (k - 1)) * before", "A * (k - 1) * before"),
    Fault("Recurrence", "(1 + store) * found +", "found +", "error_step",
          "sequences", "sequential_error", "(1 + model.store) * found", "found"),
    Fault("Circuit", "(1 + u) ^+ a e * rho e - 1) * size e", "(1 + u) ^+ (a e).-1 * rho e - 1) * size e", "counted",
          "programs", "counted", "** e.a", "** max(e.a - 1, 0)"),
    Fault("Circuit", "((1 + beta) ^+ m e * (1 + u)", "((1 + beta) ^+ (m e).-1 * (1 + u)", "counted",
          "programs", "counted", "** e.m", "** max(e.m - 1, 0)"),
    Fault("CircuitSum", "Definition growth t := (1 + u) ^+ (n t).-1", "Definition growth t := (1 + u) ^+ (n t).-2", "open_sum",
          "open_sums", "open_sum", "max(n - 1, 0) - 1, E", "max(n - 2, 0) - 1, E"),
    Fault("CircuitSum", "(1 + growth t) * (flush *+ (n t).-1)", "(flush *+ (n t).-1)", "open_sum"),   # slack: E0 has a flush already
    Fault("CircuitSum", "beta * ((Xa + Ea) * (Xb + Eb)) + loss.", "beta * (Xa * Xb) + loss.", "product_rule",
          "two_factors", "product_rule", "((Xa + Ea) * (Xb + Eb))", "(Xa * Xb)"),
    Fault("ComplexProduct", "u ^+ 2 * (16%:R *", "u ^+ 2 * (9%:R *", "separate_product",
          "complex_products", "separate_square", "16, 3", "9, 3"),
    Fault("ComplexProduct", "<= (u + u) ^+ 2 *", "<= u ^+ 2 *", "fused_product",
          "fused_products", "fused_square", "(u + u)", "u"),
    Fault("ComplexProduct", "g ^+ 2 * (2%:R *", "g ^+ 2 * (1%:R *", "contracted_product",
          "contracted_products", "contracted_square", "2 * size", "size"),
)  # fmt: skip
NAMES = {f"Fault{i:02}": fault for i, fault in enumerate(FAULTS)}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Every source of the rounding theorems, and every fault in a copy of its file; by file."""
    sources = tmp_path_factory.mktemp("sources")
    for name in ROUNDING:
        for path in SOURCES.glob(f"{name}.*"):
            shutil.copy(path, sources)
    for name, fault in NAMES.items():
        text = (SOURCES / f"{fault.file}.v").read_text(encoding="utf-8")
        assert text.count(fault.right) == 1
        (sources / f"{name}.v").write_text(text.replace(fault.right, fault.wrong), encoding="utf-8")
        shutil.copy(SOURCES / f"{fault.file}.toml", sources / f"{name}.toml") if (SOURCES / f"{fault.file}.toml").exists() else None
    found = coq_layer.check(sources, tmp_path_factory.mktemp("build"))
    return {name: [result for result in found if result.file == f"{name}.v"] for name in (*ROUNDING, *NAMES)}, sources


@pytest.mark.slow
@needs_coq
def test_every_rounding_theorem_is_proved(results):
    found = [result for name in ROUNDING for result in results[0][name]]
    assert {(result.status, result.reason, result.assumptions) for result in found} == {("proved", "", ())}
    assert {result.file.removesuffix(".v") for result in found} == {name for name in ROUNDING if (SOURCES / f"{name}.toml").exists()}


@pytest.mark.slow
@needs_coq
@pytest.mark.parametrize("name", NAMES, ids=lambda name: f"{NAMES[name].file}: {NAMES[name].wrong}")
def test_coqc_refuses_it_in_a_proof(results, name):
    found, sources = results
    fault, text = NAMES[name], (sources / f"{name}.v").read_text(encoding="utf-8")
    [reason] = {result.reason for result in found[name]}
    line, where = re.match(rf"coqc rejects {name}.v at line (\d+), in or after (\w+): ", reason).groups()
    stated = re.search(rf"^(Theorem|Lemma) {fault.where}\b.*?^Proof\.", text, re.MULTILINE | re.DOTALL).end()
    stops = len("\n".join(text.split("\n")[: int(line)]))
    assert where == fault.where
    assert {result.status for result in found[name]} == {"refused"}
    assert text.index(fault.wrong) < stated <= stops <= text.index("Qed.", stated) + len("Qed.")


# ---------------------------------------------------------------- examples: errors that `honest` allows, and what the theorem says
def numbers(rng, T):
    """h0 and T steps of very different sizes, positive, every error upwards."""
    def number(values, zero):
        x = Fraction(rng.choice(values)) * (rng.random() >= zero)
        return x, x + x * (dx := Fraction(rng.randint(0, 1), 8)), x * dx

    lams, drives = [Fraction(1, 64), Fraction(1, 4), 1, 4, 64], [Fraction(1, 64), 1, 64]
    none = (Fraction(0),) * 3
    return [coq_scans.Leaf(*(number(lams, 0.1) if t else none), *number(drives, 0.3), rng.random() < 0.8) for t in range(T + 1)]


def model_of(rng):
    """Constants of which some are zero: the others then show."""
    return Model(**{name: value * rng.randint(0, 1) for name, value in Model(store=Fraction(1, 8), store_loss=Fraction(1, 16))._asdict().items()
                    if name != "c"}, c=rng.choice((1, 2)))  # fmt: skip


def trees(seeds=3000):
    for seed in range(seeds):
        rng = random.Random(seed)
        model, xs = model_of(rng), numbers(rng, rng.randint(1, 5))
        stored = rng.random() < 0.3
        yield model, coq_scans.chunked(rng, xs, model, rng.randint(1, 2)) if stored else coq_scans.bracketing(rng, xs, model)


def multipliers():
    return (coq_scans.lost(tree, model) for model, tree in trees())


def states():
    return ((coq_scans.state(tree), coq_scans.top(tree, model)) for model, tree in trees())


def closed():
    return ((coq_scans.top(tree, model), coq_scans.top_bound(tree, model)) for model, tree in trees())


def bracketings():
    return (of_bracketing(tree, model) for model, tree in trees())


def of_bracketing(tree, model):
    xs, q = coq_scans.steps(tree), coq_scans.writes(tree)
    return coq_scans.state(tree) - coq_scans.exact(xs), coq_scans.allowance(xs, coq_scans.depth(tree), model, q)


def a_loss_between():
    """Of two large factors, each as large as a product over a segment may be: lam_4 ((lam_3 lam_2 + loss) lam_1) h_0."""
    zero, model = Fraction(0), Model(u=Fraction(0), beta=Fraction(0), flush=Fraction(0))
    sizes = (Fraction(64), Fraction(1, 64), Fraction(1, 64), Fraction(64))
    h0, first, second, third, last = (coq_scans.Leaf(lam, lam, zero, b, b, zero, True)
                                      for lam, b in ((zero, Fraction(64)), *((lam, zero) for lam in sizes)))  # fmt: skip
    def joined(l, q):
        return coq_scans.node(None, l, q, model)

    yield of_bracketing(joined(h0, joined(joined(first, joined(second, third)), last)), model)


def any_order():
    for model, tree in trees():
        if not coq_scans.writes(tree):
            xs = coq_scans.steps(tree)
            yield coq_scans.state(tree) - coq_scans.exact(xs), coq_scans.any_order(xs, model)


def two_numbers():
    for seed in range(200):
        rng = random.Random(seed)
        yield model_of(rng), Fraction(rng.randint(0, 3)), Fraction(rng.randint(0, 3))


def steps_apart():
    """A product, then a sum, each off as far as it may be."""
    for model, p, x in two_numbers():
        model = model._replace(c=1)
        product = within(None, p, model.beta * p + model.loss)
        sum_ = within(None, product + x, model.u * (product + x) + model.flush)
        yield sum_ - (p + x), coq_scans.step_limit(p, x, 1 + model.beta, model)


def steps_at_once():
    for model, p, x in two_numbers():
        model = model._replace(c=2)
        yield model.beta * p + ((1 + model.u) ** 2 - 1) * x + model.loss, coq_scans.step_limit(p, x, 1 + model.beta, model)


def sequences():
    for model in (Model(), Model(c=2), Model(store=Fraction(1, 8))):
        for xs, computed, _, found in coq_scans.sequences(model, positive=True):
            yield computed[-1] - coq_scans.exact(xs), found[-1][1]


def programs():
    model = Model(loss=Fraction(0), flush=Fraction(0))
    for _, done, _ in coq_circuits.programs(model, positive=True):
        yield from ((e.computed - e.exact, coq_circuits.counted(e, model)) for e, _ in done)


def open_sums():
    for seed in range(200):
        rng, model = random.Random(seed), Model(flush=Fraction(0))
        terms = coq_circuits.addends(rng, positive=True)
        computed = coq_circuits.added_up(rng, [y.computed for y in terms], model, None)
        yield computed - sum(y.value for y in terms), coq_circuits.open_sum(terms, model)


def two_factors():
    for model, a, b in two_numbers():
        far, limit = (a + 1) * (b + 1), coq_circuits.product_rule((a, 1), (b, 1), model)
        yield within(None, far, model.beta * far + model.loss) - a * b, limit


def complex_products(fused=False):
    form = format_of("bfloat16")
    limit = coq_circuits.fused_square if fused else coq_circuits.separate_square
    return ((square, limit(size, Fraction(form.u))) for square, size in coq_circuits.rounded_products(form, fused))


def fused_products():
    return complex_products(fused=True)


def contracted_products():
    """(1 + i)(1 + i): both components off by 2 g."""
    g = Fraction(1, 8)
    yield 2 * (2 * g) ** 2, coq_circuits.contracted_square(4, g)


@pytest.mark.slow
@pytest.mark.parametrize("examples", sorted({fault.examples for fault in FAULTS} - {""}))
def test_no_example_violates_the_theorem(examples):
    assert all(error <= limit for error, limit in globals()[examples]())


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.examples], ids=lambda fault: f"{fault.file}: {fault.wrong}")
def test_an_example_violates_what_is_planted(monkeypatch, fault):
    module = coq_circuits if fault.file.startswith("C") else coq_scans
    monkeypatch.setattr(module, fault.equation, weakened(getattr(module, fault.equation), fault.exact, fault.weak))
    assert any(error > limit for error, limit in globals()[fault.examples]())

"""The chain of evidence: every name in it exists and nothing is missing; `prove` tells it, derives lemmas, and what is not run."""

import dataclasses
import importlib
import itertools
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
import sympy as sp
from typer.testing import CliRunner

from scanproof import proofs
from scanproof.benchmarks.figures import theorem_picture
from scanproof.cli import app, derivation, exits
from scanproof.proofs.chain import chain
from scanproof.proofs.chain.chain import LINKS, Link, joined, qualified, statuses
from scanproof.proofs.coq import coq_table
from scanproof.proofs.coq.coq_layer import SOURCES, TheoremResult
from scanproof.proofs.engine.algebra import Claim, letters, residual, rewritten
from scanproof.proofs.engine.instances import equal
from scanproof.proofs.engine.run import check
from scanproof.proofs.gappa import gappa_layer

ROOT = Path(__file__).resolve().parents[2]
THEOREMS = {qualified(theorem): theorem for source in sorted(SOURCES.glob("*.v")) for theorem in coq_table.theorems(source)}
STEPS = {step.name for step in (*gappa_layer.WITHOUT, *gappa_layer.CONTRACTED)}
LEMMAS = {lemma.name: lemma for lemma in proofs.lemmas()}
every_link = pytest.mark.parametrize("link", LINKS, ids=lambda link: link.name)


# ---------------------------------------------------------------- what does not exist, or is missing
def unknown(link):
    """The names of a link that mean nothing."""
    patterns = {pattern for pattern in link.theorems if set(statuses((pattern,), [(t, "proved") for t in THEOREMS])) == {pattern}}
    places = [text.partition(":")[0] for text in (*link.argued, *link.tested)]
    return [
        *(name for name in link.python if not callable_at(name)),
        *sorted(set(link.lemmas) - LEMMAS.keys()),
        *sorted(patterns - THEOREMS.keys()),
        *sorted(set(link.certificates) - STEPS),
        *(place for place in places if not (ROOT / place).is_file()),
    ]


def callable_at(name):
    module, _, function = name.partition(":")
    try:
        return callable(getattr(importlib.import_module(f"scanproof.{module}"), function))
    except (ImportError, AttributeError):
        return False


def unlinked(theorem, links):
    """What the table of a theorem names and no link with that theorem does."""
    naming = [link for link in links if statuses(link.theorems, [(qualified(theorem), "proved")]).get(qualified(theorem))]
    functions, lemmas = ({name for link in naming for name in getattr(link, field)} for field in ("python", "lemmas"))
    return sorted({*theorem.python} - functions) + sorted({*theorem.lemmas} - lemmas) if theorem.python else []


@every_link
def test_every_name_exists(link):
    assert unknown(link) == []


@every_link
def test_a_link_says_something_and_rests_on_something(link):
    assert link.says
    assert link.python
    assert link.lemmas or link.theorems or link.certificates or link.argued or link.assumed
    assert link.tested


@pytest.mark.parametrize(("field", "name"), [
    ("python", "reference.allowance.rounding:_no_such_function"),
    ("python", "reference.no_such_module:allowance"),
    ("lemmas", "rounding-far"),
    ("theorems", "BoundTheorem.no_such_theorem"),
    ("theorems", "NoSuchFile.*"),
    ("certificates", "imaginary step"),
    ("argued", "docs/no-such-page.md: words"),
    ("tested", "tests/test_no_such_file.py: words"),
])  # fmt: skip
def test_a_name_of_nothing_is_found(field, name):
    assert unknown(dataclasses.replace(LINKS[4], **{field: (*getattr(LINKS[4], field), name)})) == [name.partition(": ")[0]]


@pytest.mark.parametrize("name", THEOREMS)
def test_every_theorem_that_python_relies_on_is_in_the_chain_with_its_functions_and_lemmas(name):
    assert unlinked(THEOREMS[name], LINKS) == []


def test_a_theorem_without_a_link_is_found():
    fewer = [link for link in LINKS if "BoundTheorem.*" not in link.theorems]
    assert "reference.allowance.rounding:_bracketing" not in unlinked(THEOREMS["BoundTheorem.rounding_any_bracketing"], LINKS)
    assert unlinked(THEOREMS["Adjoint.adjoint"], [link for link in LINKS if link.name != "gradients"]) == [
        "reference.systems.lru:adjoint", "reference.systems.rotrnn:adjoint", "scan-adjoint",
    ]  # fmt: skip
    assert unlinked(THEOREMS["BoundTheorem.monomials"], fewer) == ["reference.allowance.rounding:_bracketing", "reference.allowance.rounding:allowance"]


def test_what_is_cited_is_not_called_proved_alone():
    [product] = [link for link in LINKS if link.name == "one complex product, no contraction"]
    assert "sqrt(5) u" in product.says
    assert any("Brent" in text for text in product.cited)
    for word in ("e_t", "c_E"):
        assert all(link.assumed for link in LINKS if word in link.name)


NEXT = {"reflections", "products", "state_tracking", "real_counting"}  # of systems whose allowances do not exist yet


def test_every_lemma_is_in_the_chain_but_those_that_carry_the_next_systems():
    linked = {name for link in LINKS for name in link.lemmas}
    topics = {topic.__name__.rpartition(".")[2]: topic.LEMMAS for topic in proofs.TOPICS}
    assert topics.keys() > NEXT
    without = {lemma.name for lemma in proofs.lemmas()} - linked
    assert without == {lemma.name for name in NEXT for lemma in topics[name]}


# ---------------------------------------------------------------- functions that make allowances
MAKING = (
    *("allowance.rounding", "allowance.operation_errors", "allowance.bounded", "allowance.elements"),
    *("allowance.orders.angle_sum", "allowance.certificate", "arithmetic.operations"),
)
APART = {  # and why no link has to name them
    "reference.allowance.rounding:size": "the largest exact number, of the truth alone",
    "reference.arithmetic.operations:_beyond": "evaluates (1+u)^k (1+operand)^2 - 1 for roundings, which is linked",
    "reference.arithmetic.operations:_underflow": "looks up one number of a format for roundings",
    "reference.allowance.bounded:_subnormal": "a comparison of Bounded.leaf",
    "reference.allowance.bounded:_beyond_float64": "says which warnings are none",
    "reference.allowance.bounded:_beyond": "max(1, size), of Bounded",
    "reference.allowance.bounded:_some": "size > 0, of Bounded",
    "reference.allowance.bounded:_normwise": "the bound in norm of Bounded",
    "reference.allowance.elements:enclosures": "a namespace of exact numbers: no allowance",
    "reference.allowance.elements:elements": "a table of functions that are linked",
    "reference.allowance.elements:_no_lift": "raises",
    "reference.allowance.orders.angle_sum:angle_sum": "named by the link of all algorithms that are no bracketings",
    "reference.allowance.certificate:_leaf": "calls Bounded.leaf",
    "reference.allowance.certificate:_inside": "calls Bounded.leaf",
    "reference.allowance.certificate:_bars": "the cotangents of a call, as they are",
    "reference.allowance.certificate:_named": "calls certified",
    "reference.allowance.certificate:by_elements": "calls outputs, shown and pulled_back, which are linked",
    "reference.allowance.certificate:certify": "calls by_elements, or the theory of a system",
    "reference.allowance.certificate:whole": "calls certify",
    "reference.allowance.certificate:_carried": "computes what carried says",
    "reference.allowance.certificate:carried": "says whether an allowance informs; the allowance does not depend on it",
    "reference.allowance.operation_errors:unmodelled_in_layers": "says where there is no allowance",
}


def making():
    """Every function of the modules that make allowances, methods apart, and the allowance of a matrix exponential."""
    for word in MAKING:
        module = importlib.import_module(f"scanproof.reference.{word}")
        own = [name for name, found in vars(module).items() if getattr(found, "__module__", None) == module.__name__]
        functions = [name for name in own if not isinstance(getattr(module, name), type)]
        yield from (f"reference.{word}:{name}" for name in functions)
    yield from ("reference.allowance.bounded:Bounded", "reference.systems.expm:allowances")


def unnamed(links):
    return set(making()) - {name for link in links for name in link.python}


def test_every_function_that_makes_an_allowance_is_in_the_chain_or_said_not_to_be():
    assert unnamed(LINKS) == set(APART)
    assert all(APART.values())


@pytest.mark.parametrize("name", [
    "reference.allowance.orders.angle_sum:added_angles", "reference.allowance.elements:frechet", "reference.allowance.elements:rotation",
    "reference.allowance.elements:_underflow_error", "reference.allowance.rounding:_sequential", "reference.systems.expm:allowances",
])  # fmt: skip
def test_a_function_without_a_link_is_found(name):
    assert name in unnamed([link for link in LINKS if name not in link.python])


# ---------------------------------------------------------------- joining
def theorem_result(name, status):
    theorem = THEOREMS[name]
    words = {field: getattr(theorem, field) for field in ("name", "file", "statement", "N", "lemmas", "python")}
    return TheoremResult(**words, status=status, assumptions=(), seconds=0.0, reason="")


def test_a_link_shows_the_status_of_each_proof_and_refuses_what_is_absent():
    link = Link("name", "says", (), theorems=("Scan.any_bracketing", "Norm.*", "Flow.*"), certificates=("real step",))
    given = [theorem_result("Scan.any_bracketing", "not run"), theorem_result("Norm.norm_preserved", "proved")]
    found = joined(link, [], given, [])
    assert found.theorems == {"Scan.any_bracketing": "not run", "Norm.norm_preserved": "proved", "Flow.*": "refused"}
    assert found.certificates == {"real step": "refused"}
    assert found.statuses == {"proved", "not run", "refused"}


@pytest.mark.parametrize(("given", "worst"), [
    (("proved", "proved"), "proved"), (("proved", "not run"), "not run"), (("refused", "not run", "proved"), "refused"),
])  # fmt: skip
def test_of_several_results_with_one_name_the_worst_counts(given, worst):
    for order in itertools.permutations(given):
        assert statuses(("step",), [("step", status) for status in order]) == {"step": worst}


# ---------------------------------------------------------------- the command
def call(*words):
    return CliRunner().invoke(app.app, ["prove", *words])


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """Neither coqc nor gappa, and a folder to work in."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)


@pytest.mark.slow
@pytest.mark.usefixtures("bare")
def test_without_provers_the_chain_is_printed_and_not_run():
    called = call("--chain", "--lemma", "rounding-near")
    assert called.exit_code == exits.UNDECIDED, called.output
    names = [link.name for link in LINKS if "rounding-near" in link.lemmas]
    assert len(names) >= 2
    assert [line for line in called.stdout.splitlines() if line in {link.name for link in LINKS}] == names
    assert re.search(r"^ +SymPy +proved  rounding-near; rounding-circuit; rounding-recurrence$", called.stdout, re.MULTILINE)
    assert re.search(r"^ +Coq +not run  .*BoundTheorem\.rounding_any_bracketing", called.stdout, re.MULTILINE)
    assert "apt-get install coq" in called.stdout
    assert "gappa is not installed" in called.stdout


@pytest.mark.slow
@pytest.mark.usefixtures("bare")
def test_the_chain_as_json():
    called = call("--chain", "--lemma", "scan-adjoint", "--json")
    told = json.loads(called.stdout)
    assert called.exit_code == exits.UNDECIDED
    assert told.keys() == {"format", "lemmas", "theorems", "certificates", "chain"}
    [link] = told["chain"]
    assert link["name"] == "gradients"
    assert link["lemmas"] == dict.fromkeys(("scan-adjoint", "lru-gradients", "rotrnn-gradients"), "proved")
    assert link["theorems"] == {name: "not run" for name in THEOREMS if name.startswith("Adjoint.")}
    assert {one["status"] for one in told["certificates"]} == {"not run"}
    assert {"python", "argued", "cited", "assumed", "tested"} < link.keys()


@pytest.mark.usefixtures("bare")
def test_gappa_beside_sympy():
    called = call("--gappa", "--lemma", "scan-identity", "--json")
    told = json.loads(called.stdout)
    assert called.exit_code == exits.UNDECIDED
    assert told.keys() == {"format", "lemmas", "certificates"}
    assert {one["operation"] for one in told["certificates"]} == STEPS
    shown = call("--gappa", "--lemma", "scan-identity").stdout
    assert re.search(r"^binary32 complex product +-\* <= 2\.24 ", shown, re.MULTILINE)
    assert "* of a component; cited of the modulus: sqrt(5) u" in shown


def test_a_lemma_that_no_link_rests_on_is_bad_input(monkeypatch):
    monkeypatch.setattr(chain, "LINKS", ())
    called = call("--chain", "--lemma", "scan-identity")
    assert called.exit_code == exits.BAD_INPUT
    assert called.stderr.strip() == "scanproof: lemma: found 'scan-identity', on which no link of the chain rests"


@pytest.mark.usefixtures("bare")
def test_a_name_without_a_proof_is_exit_code_1(monkeypatch):
    planted = Link("planted", "says", ("reference.transitions.diagonal:scan",), lemmas=("scan-identity",), certificates=("imaginary step",))
    monkeypatch.setattr(chain, "LINKS", (planted,))
    called = call("--chain", "--lemma", "scan-identity")
    assert called.exit_code == exits.REJECTED
    assert re.search(r"Gappa +refused  imaginary step", called.stdout)


def test_all_lemmas_are_one_table(monkeypatch):
    few = (LEMMAS["scan-identity"], LEMMAS["scan-action"])
    monkeypatch.setattr(proofs, "lemmas", lambda: few)
    shown = call()
    assert shown.exit_code == exits.ACCEPTED
    assert re.search(r"^lemma +statement +N +SymPy +Coq +time", shown.stdout, re.MULTILINE)
    assert len(re.findall(r"proved +not asked", shown.stdout)) == 2
    assert re.search(r"^2 of 2 lemmas proved in \d+\.\d s: 8 claims, \d+ false variants refuted, \d+ exact", shown.stdout, re.MULTILINE)
    assert "the layers LRU and RotRNN" in shown.stdout


def test_a_refused_lemma_is_counted_named_and_exit_code_1(monkeypatch):
    false = proofs.Lemma("planted", "A and B commute", "s", "r", "general N", "m", (), lambda: [Claim("A B = B A", A * B, B * A)])
    monkeypatch.setattr(proofs, "lemmas", lambda: (LEMMAS["scan-identity"], false))
    shown = call()
    assert shown.exit_code == exits.REJECTED
    assert re.search(r"^refused  planted: A B = B A: false or not decided", shown.stdout, re.MULTILINE)
    assert "1 of 2 lemmas proved" in shown.stdout
    told = json.loads(call("--json").stdout)
    assert [(lemma["name"], lemma["status"]) for lemma in told["lemmas"]] == [("scan-identity", "proved"), ("planted", "refused")]


# ---------------------------------------------------------------- derivations
A, B, S, x = letters("A B S x")
SHOWN = ("scan-any-bracketing", "rounding-near", "rounding-recurrence", "exp-orthogonal-flow", "canonical-form", "rotrnn-is-lru")
CONDITIONAL = [claim for name in SHOWN for claim in LEMMAS[name].claims() if claim.given]


@pytest.mark.parametrize("claim", CONDITIONAL, ids=lambda claim: claim.what)
def test_every_line_of_a_derivation_has_the_value_of_its_side(claim):
    for side in (claim.lhs, claim.rhs):
        lines = [sp.Add(*(c * sp.Mul(*word) for word, c in terms.items())) for _, terms in derivation.steps(side, claim)]
        for line, instance in itertools.product(lines, claim.instances[:3]):
            assert equal(side, line, instance)


@pytest.mark.parametrize("claim", CONDITIONAL, ids=lambda claim: claim.what)
def test_a_derivation_ends_where_the_harness_ends(claim):
    for side in (claim.lhs, claim.rhs):
        *_, (_, last) = derivation.steps(side, claim)
        expected = {word: sp.expand(c) for word, c in rewritten(side, claim.given).items()}
        assert last == {word: c for word, c in expected.items() if c != 0}


def test_a_derivation_reads_as_mathematics():
    claim = Claim("planted", sp.adjoint(A) * S * A + 2 * x**2, 2 * x * x, ((S * A, B), (sp.adjoint(A) * B, sp.Integer(0))), (x,))
    lines = [text for _, text in derivation.derivation(claim, dataclasses.replace(check(claim), reason=""))]
    assert lines[:4] == ["S A = B", "A^H B = 0", "2 x^2 + A^H S A", "= 2 x^2"]
    assert "= 2 x^2 + A^H B    [by S A = B]" in lines
    assert "= 2 x^2    [by A^H B = 0]" in lines
    assert "both sides are the same" in lines
    assert any(line.startswith("= x: left - right leaves ") for line in lines)


def test_powers_of_adjoints_and_factorials_are_written_as_usual():
    k, j = sp.symbols("k j", integer=True, positive=True)
    assert derivation.mathematics(sp.adjoint(A) ** 2 * A**2 * sp.adjoint(A + B)) == "(A^H)^2 A^2 (A^H + B^H)"
    assert derivation.mathematics(sp.factorial(k) * sp.factorial(k - j)) == "k! (-j + k)!"


def test_every_lemma_has_its_glossary():
    assert all("symbol " in derivation.glossary(lemma) for lemma in LEMMAS.values())
    assert derivation.glossary(dataclasses.replace(LEMMAS["scan-action"], name="planted")) == ""


def test_a_refused_claim_is_not_derived():
    false = Claim("A and B commute", A * B, B * A)
    lines = dict(derivation.derivation(false, check(false)))
    assert lines["reason"].startswith("false or not decided")
    assert not {"proof", "left", "needed"} & lines.keys()
    assert residual(false.lhs - false.rhs) != 0


def test_rules_that_run_in_circles_end():
    with pytest.raises(ValueError, match="derivation: more than"):
        list(derivation.steps(A * B, Claim("circle", A * B, B * A, ((A * B, B * A), (B * A, A * B)))))


def test_one_lemma_is_printed_with_its_derivation():
    shown = call("--lemma", "exp-orthogonal-flow").stdout
    for text in ("statement", "cited     a power series", "symbol     meaning", "S          M - M^T, skew", "given     E_dot = S E", "[by S^H = -S]", "refuted   = 2 E^H S E", "of sizes N ="):
        assert text in shown
    assert max(map(len, call("--lemma", "scan-action").stdout.splitlines())) < 3 * derivation.LONGEST


# ---------------------------------------------------------------- the picture
def trees(steps):
    """Every bracketing."""
    if len(steps) == 1:
        return [steps[0]]
    return [(l, q) for cut in range(1, len(steps)) for l in trees(steps[:cut]) for q in trees(steps[cut:])]


def test_each_monomial_meets_as_many_roundings_as_the_picture_says():
    all_trees = trees([1, 2, 3, 4])
    assert len(all_trees) == 5
    assert set(theorem_picture.TREES.values()) < set(all_trees)
    for tree in all_trees:
        monomials = theorem_picture.met(tree).monomials
        assert {k: m for k, (m, _) in monomials.items()} == {1: 3, 2: 2, 3: 1, 4: 0}
        assert max(a for _, a in monomials.values()) <= 3
    assert theorem_picture.met((((1, 2), 3), 4)).monomials[1] == (3, 3)
    assert theorem_picture.met(((1, 2), (3, 4))).monomials[1] == (3, 2)


def test_the_errors_of_the_picture_are_within_the_bound_and_not_far():
    found = theorem_picture.figures()
    bound = found.pop("the bound")
    assert all(0 <= error <= bound for error in found.values())
    assert max(found.values()) > bound / 10


def test_the_picture_of_the_page_is_up_to_date(tmp_path):
    theorem_picture.draw(tmp_path / "drawn.svg")
    for path in (tmp_path / "drawn.svg", ROOT / "docs/theorem.svg"):
        assert theorem_picture.description() in [element.text for element in ElementTree.parse(path).iter()]
    page = (ROOT / "docs/theorem.md").read_text(encoding="utf-8")
    assert "](theorem.svg)" in page
    assert "python -m scanproof.benchmarks.figures.theorem_picture docs/theorem.svg" in page

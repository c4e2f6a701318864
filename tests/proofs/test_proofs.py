"""The proof harness: what is true is proved, and every way of being wrong is refused with a reason."""

import dataclasses
import functools
import json
import math
import threading
import time
from fractions import Fraction
from random import Random

import pytest
import sympy as sp
from sympy import adjoint
from typer.testing import CliRunner

from scanproof import proofs
from scanproof.cli import app, derivation, exits, prove
from scanproof.proofs.engine import algebra, certificates, instances, limit, run
from scanproof.proofs.engine.algebra import (
    FEW,
    Claim,
    expanded,
    letters,
    nonzero_at_a_point,
    residual,
    terms,
    vanishes,
)
from scanproof.proofs.engine.instances import at_sizes, matrix, value
from scanproof.proofs.engine.run import check
from scanproof.proofs.rotations import rotation

A, B, S, x = letters("A B S x")
c = sp.Symbol("c")
ORDER = 6  # of the truncated exponential series

LEMMAS = {lemma.name: lemma for lemma in proofs.lemmas()}


@functools.cache
def claims_of(name):
    """The claims of a lemma. Making them takes seconds, so that collecting tests must not."""
    return tuple(LEMMAS[name].claims())


def with_mutants(name):
    """Every claim of a lemma, with each of its mutants."""
    return [(claim, mutant) for claim in claims_of(name) for mutant in claim.mutants]


of_every_lemma = pytest.mark.parametrize("name", LEMMAS)


def lemma_of(*claims):
    return proofs.Lemma("planted", "s", "s", "r", "general N", "m", (), lambda: claims)


def refused(claims, reason):
    """A lemma made of these claims is refused for this reason, in one line."""
    result = proofs.prove(claims if isinstance(claims, proofs.Lemma) else lemma_of(*claims))
    return result.status == "refused" and reason in result.reason and "\n" not in result.reason


def square_matrices(rng, n):
    return {A: matrix(rng, n, n), B: matrix(rng, n, n)}


SQUARES = at_sizes(square_matrices)
TRUE = Claim("A (A + B)", A * (A + B), A * A + A * B, (), (A * A,), SQUARES)


# ---------------------------------------------------------------- what is shipped
@pytest.fixture(scope="module")
def results():
    return {lemma.name: proofs.prove(lemma) for lemma in proofs.lemmas()}


@pytest.mark.slow
def test_every_lemma_is_proved(results):
    assert [(r.name, r.status, r.reason) for r in results.values()] == [(name, "proved", "") for name in LEMMAS]
    assert all(result.seconds > 0 for result in results.values())


@pytest.mark.slow
def test_every_claim_is_proved_and_has_mutants_and_instances(results):
    for claim in (claim for result in results.values() for claim in result.claims):
        assert claim.status == "proved"
        assert claim.mutants > 0
        assert claim.instances > 0


def test_a_claim_without_mutants_or_instances_is_not_proved():
    assert check(TRUE).status == "proved"
    bare = check(dataclasses.replace(TRUE, mutants=(), instances=()))
    assert (bare.status, bare.mutants, bare.instances, bare.sizes) == ("refused", 0, 0, ())
    assert bare.reason.startswith("no instance: ")
    assert check(dataclasses.replace(TRUE, mutants=())).reason.startswith("no mutant: ")
    assert check(dataclasses.replace(TRUE, instances=())).reason.startswith("no instance: ")


@pytest.mark.slow
def test_a_result_is_plain_data_and_says_what_it_rests_on(results):
    plain = json.loads(json.dumps(dataclasses.asdict(results["exp-determinant-jacobi"])))
    assert plain["N"] == "general N"
    assert plain["claims"][0]["sizes"] == [1, 2, 3, 5]
    assert all(plain[word] for word in ("name", "statement", "source", "role", "method", "cited"))


OF_NUMBERS = {"rounding-circuit", "rounding-to-nearest", "complex-product", "complex-step", "element-function", "element-store"}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(LEMMAS.keys() - OF_NUMBERS))
def test_instances_have_sizes_1_2_3_5(results, name):
    sizes = [claim.sizes for claim in results[name].claims if claim.sizes]
    assert sizes
    assert set(sizes) == {(1, 2, 3, 5)}


@pytest.mark.slow
@of_every_lemma
def test_each_mutant_in_place_of_the_claim_is_refused(name):
    for claim, mutant in with_mutants(name):
        outcome = check(dataclasses.replace(claim, rhs=mutant, mutants=()))
        found = (outcome.status, outcome.reason[:20])
        assert found == ("refused", "false or not decided"), claim.what


@of_every_lemma
def test_the_instances_alone_reject_each_mutant(name):
    for claim, mutant in with_mutants(name):
        equal = (instances.equal(claim.lhs, mutant, instance) for instance in claim.instances)
        assert not all(equal), claim.what


@pytest.mark.slow
@of_every_lemma
def test_rewriting_keeps_the_value_of_every_expression(name):
    for claim in (claim for claim in claims_of(name) if claim.given):
        for side in (claim.lhs, *claim.mutants):
            for instance in claim.instances[:8]:
                rest = residual(side, claim.given)
                assert instances.equal(side, rest, instance), claim.what
        for i in range(len(claim.given)):
            fewer = dataclasses.replace(claim, given=claim.given[:i] + claim.given[i + 1 :])
            assert check(fewer).status == "refused", claim.what


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(OF_NUMBERS))
def test_lemmas_about_numbers_alone_have_no_matrices(results, name):
    assert {claim.sizes for claim in results[name].claims} <= {(), (1, 2, 3, 5)}
    assert () in {claim.sizes for claim in results[name].claims}


def test_values_are_remembered_and_are_what_they_are_afresh(monkeypatch):
    for name in ("rounding-near", "scan-carry", "every-rotation-is-canonical"):
        claim = next(iter(LEMMAS[name].claims()))
        for instance in claim.instances:
            kept = instances.Remembered(instance)
            for side in (claim.lhs, claim.rhs, *claim.mutants, claim.lhs):
                assert value(side, kept) == value(side, instance)
            assert claim.lhs in kept.known
    assert instances.Remembered(SQUARES[1]).keys() == SQUARES[1].keys()
    monkeypatch.setattr(instances, "combined", None)
    assert value(claim.lhs, kept) is kept.known[claim.lhs]


@pytest.mark.slow
def test_a_residual_vanishes_where_it_is_a_literal_0():
    rng = Random(9)
    assert vanishes(sp.Integer(0))
    every = [claim for name in LEMMAS for claim in claims_of(name)]
    for claim in rng.sample(sorted(every, key=lambda claim: claim.what), 60):
        assert vanishes(claim.lhs - claim.rhs, claim.given)
        assert [vanishes(claim.lhs - mutant, claim.given) for mutant in claim.mutants] == [
            residual(claim.lhs - mutant, claim.given) == 0 for mutant in claim.mutants
        ]


def test_a_point_shows_only_what_is_not_zero(monkeypatch):
    y, k = sp.Symbol("y", positive=True), sp.Symbol("k", integer=True, positive=True)
    zeros = (sp.sin(y) ** 2 + sp.cos(y) ** 2 - 1, sp.factorial(k + 1) - (k + 1) * sp.factorial(k), sp.exp(sp.log(1 + y)) - 1 - y)
    for zero in (*zeros, sp.Integer(0)):
        assert not nonzero_at_a_point(zero)
        assert nonzero_at_a_point(zero + y)
        assert vanishes(zero * A)
    monkeypatch.setattr(algebra, "nonzero_at_a_point", lambda _: True)
    assert not vanishes(sp.Integer(0) * A + (A - B))  # it can only refuse
    assert refused([Claim("A and B commute", A * B, B * A, (), (A * A,), SQUARES)], "false or not decided")


@pytest.mark.slow
def test_long_polynomials_are_multiplied_out_as_by_sympy():
    a, b, k = sp.symbols("a b k")
    long = sum(i * (a - i * b) * (a + b / 3 + i) for i in range(1, 20))
    other = [long * (a + sp.sqrt(2)), long * a**k, long + sp.sin(a), long / b, long * sp.I]
    for number in (long, long**2 - long, *other):
        assert terms(number) > FEW or number.is_Mul or number.is_Pow
        assert sp.expand(expanded(number) - sp.expand(number)) == 0
    assert expanded(long - sp.expand(long)) == 0
    assert expanded(sp.Add(*(a * i * (b - 1) for i in range(2, 40)), evaluate=False)).is_Add


def test_rewriting_keeps_the_letters_around_a_word_in_place():
    assert residual(A * S * B * x, ((S * B, x + 2),)) == A * x * x + 2 * A * x
    assert residual(A * S * S * B, ((S, x * A),)) == A * x * A * x * A * B
    assert residual(adjoint(A * S), ((adjoint(S), -S),)) == -S * adjoint(A)


@pytest.mark.slow
def test_rewriting_keeps_the_value_of_random_words():
    given = ((adjoint(S) * S, sp.Integer(1)), (x, A * S - 2 * B))
    rng = Random(0)
    models = at_sizes(lambda rng, n: {**square_matrices(rng, n), S: instances.rotation(rng, n)})
    models = [{**env, x: value(given[1][1], env)} for env in models]
    for _ in range(50):
        word = sp.Mul(*rng.choices([A, B, S, x, adjoint(S), adjoint(A)], k=5))
        assert all(instances.equal(word, residual(word, given), env) for env in models[:3])


def test_instances_catch_a_broken_rewriting(monkeypatch):
    monkeypatch.setattr(run, "residual", lambda difference, given=(): sp.Integer(0))
    assert refused([Claim("A and B commute", A * B, B * A, (), (A * A,), SQUARES)], "false where")


# ---------------------------------------------------------------- planted lemmas
def wrong_compose(first, then):
    """(A'A, A b' + b): the drive of the wrong step is decayed."""
    return then[0] * first[0], first[0] * then[1] + first[1]


def test_a_false_lemma_is_refused():
    p, q, r = (tuple(letters(f"A{i} b{i}")) for i in (1, 2, 3))
    left, right = wrong_compose(wrong_compose(p, q), r), wrong_compose(p, wrong_compose(q, r))
    assert refused([Claim("wrong operator", left[1], right[1])], "wrong operator: false or not decided")
    assert refused([Claim("A and B commute", A * B, B * A)], "A*B - B*A")
    assert refused([Claim("M + M^T is skew", adjoint(A + adjoint(A)), -(A + adjoint(A)))], "false or not decided")


def test_one_false_claim_refuses_the_lemma_and_the_others_are_still_checked():
    result = proofs.prove(lemma_of(TRUE, Claim("false", A, B), TRUE))
    assert [claim.status for claim in result.claims] == ["proved", "refused", "proved"]
    assert result.reason.startswith("false: ")


def test_an_idle_hypothesis_is_refused():
    given = ((adjoint(S), -S), (x, sp.Integer(1)))
    models = at_sizes(lambda rng, n: {S: instances.skew(rng, n), x: sp.eye(n).as_immutable()})
    assert check(Claim("needed", adjoint(S) * S, -S * S, given[:1], (S,), models)).status == "proved"
    assert refused([Claim("idle", adjoint(S) * S, -S * S, given, (S,), models)], "idle hypothesis on x")


@pytest.mark.parametrize("sides", [(adjoint(S), -S), (-S, adjoint(S)), (adjoint(S) + 0 * A, S - 2 * S)])
def test_a_claim_that_is_its_own_hypothesis_is_refused(sides):
    models = at_sizes(lambda rng, n: {S: instances.skew(rng, n)})
    circular = Claim("circular", *sides, ((adjoint(S), -S),), (S,), models)
    assert refused([circular], "circular: the hypothesis adjoint(S) = -S is the claim")
    assert refused([dataclasses.replace(circular, lhs=adjoint(S), rhs=-S, signs=(x,))], "circular: ")


@pytest.mark.parametrize(("assumption", "number"), [("positive", -3), ("positive", 0), ("nonnegative", -1), ("integer", sp.Rational(1, 2))])
def test_an_instance_against_an_assumption_of_its_symbol_is_refused(assumption, number):
    y, held = sp.Symbol("y", **{assumption: True}), (1, 2, 7)
    claim = Claim("(y + 1)^2", (y + 1) ** 2 * A, (y**2 + 2 * y + 1) * A, (), (y * A,), tuple({y: sp.Integer(v), A: SQUARES[1][A]} for v in held))
    assert check(claim).status == "proved"
    wrong = dataclasses.replace(claim, instances=(*claim.instances, {y: sp.sympify(number), A: SQUARES[1][A]}))
    assert refused([wrong], f"instance: found y = {number}, expected ")


def test_a_surviving_mutant_is_refused():
    expanded = A * A + A * B
    assert refused([Claim("rewrites", A * (A + B), expanded, mutants=(expanded,))], "mutant survives")
    commuting = Claim("only N = 1", A * B, A * B, mutants=(B * A,), instances=SQUARES[:1], shown="A B = A B")
    assert refused([commuting], "mutant survives: B*A")
    assert check(dataclasses.replace(commuting, instances=SQUARES)).mutants == 1


def test_contradictory_hypotheses_are_refused():
    given = ((A * B, sp.Integer(1)), (B * A, sp.Integer(0)))
    claim = Claim("anything", A * B + B * A, sp.Integer(1), given)
    assert residual(claim.lhs - claim.rhs, given) == 0
    assert refused([claim], "no instance: nothing shows that the hypotheses agree")
    assert refused([dataclasses.replace(claim, instances=SQUARES)], "vacuous: A*B = 1 fails where")
    inverse = at_sizes(lambda rng, n: {A: (m := instances.rotation(rng, n)), B: m.T})
    assert refused([dataclasses.replace(claim, instances=inverse)], "vacuous: B*A = 0 fails where")


def test_an_undecidable_residual_is_refused():
    machin = sp.atan(sp.Rational(1, 2)) + sp.atan(sp.Rational(1, 3)) - sp.pi / 4  # is 0, and simplify cannot tell
    assert abs(sp.N(machin, 50, chop=True)) == 0
    assert refused([Claim("true and undecided", (1 + machin) * A, A)], "false or not decided")
    assert refused([Claim("nan", sp.nan * A, A)], "")


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        (Claim("sum", sp.Sum((-1) ** c * sp.binomial(3, c), (c, 0, 3)) * A, sp.Integer(0)), "expected a closed form"),
        (Claim("inverse", A**-1 * B * A, B), "found the factor A**(-1)"),
        (Claim("exponential", sp.exp(A) * B, B * sp.exp(A)), "expected a letter"),
        (Claim("scalar hypothesis", c * A, A, ((c, sp.Integer(1)),)), "expected one word without a coefficient"),
        (Claim("coefficient", A, B, ((2 * A, 2 * B),)), "expected one word without a coefficient"),
        (Claim("circles", A * B, B * A + 1, ((A * B, B * A), (B * A, A * B))), "run in circles"),
        (Claim("no value", A * B, A * B, instances=({A: SQUARES[1][A]},)), "expected a symbol with a value"),
        (Claim("commuting", c * A, A * c, instances=({c: SQUARES[1][B], A: SQUARES[1][A]},)), "that symbol commutes"),
        (Claim("irrational", A, A, instances=({A: sp.sqrt(2)},)), "expected rational numbers"),
        (Claim("shapes", x * A, x * A, instances=({x: matrix(Random(1), 2, 1), A: SQUARES[1][A]},)), "ShapeError"),
        (Claim("not an expression", A, "B C"), "TypeError"),
    ],
    ids=lambda value: value.what if isinstance(value, Claim) else "",
)
def test_what_cannot_be_read_or_evaluated_is_refused(claim, reason):
    assert refused([claim], reason)


def test_a_generator_that_raises_is_refused_and_keeps_its_earlier_claims():
    def claims():
        yield TRUE
        raise RuntimeError("no\nmore")

    result = proofs.prove(dataclasses.replace(lemma_of(), claims=claims))
    assert (result.status, len(result.claims)) == ("refused", 1)
    assert result.reason == "the claims could not be made: RuntimeError: no more"
    assert refused(dataclasses.replace(lemma_of(), claims=lambda: 1 / 0), "ZeroDivisionError")
    assert refused(lemma_of(), "no claims")


class Own(BaseException):
    """Of a lemma's author."""


@pytest.mark.parametrize("error", [SystemExit(0), Own("stop"), GeneratorExit(), RecursionError("deep")])
def test_whatever_a_lemma_raises_is_refused(monkeypatch, error):
    def raising(*_):
        raise error

    named = type(error).__name__
    assert refused(dataclasses.replace(lemma_of(), claims=raising), f"the claims could not be made: {named}")
    monkeypatch.setattr(run, "residual", raising)
    assert refused([TRUE], f"A (A + B): {named}")


def test_an_interrupt_interrupts():
    def interrupted():
        yield TRUE
        raise KeyboardInterrupt

    planted = dataclasses.replace(lemma_of(), claims=interrupted)
    for attempt in (lambda: proofs.prove(planted), lambda: proofs.prove_within(planted, 60)):
        with pytest.raises(KeyboardInterrupt):
            attempt()


# ---------------------------------------------------------------- a time limit
def sleeping():
    time.sleep(60)
    yield TRUE


def looping():
    while True:
        try:
            time.sleep(0)
        except Exception:
            raise AssertionError from None


@pytest.mark.parametrize("hanging", [sleeping, looping])
def test_a_lemma_that_hangs_is_refused(hanging):
    began = time.perf_counter()
    result = proofs.prove_within(dataclasses.replace(lemma_of(), claims=hanging), 0.2)
    assert (result.status, result.reason, result.claims) == ("refused", "no proof within 0.2 s", [])
    assert 0.2 <= result.seconds <= time.perf_counter() - began < 30


def test_a_proof_for_which_nobody_waits_stops():
    ended = threading.Event()

    def loop():
        try:
            while True:
                time.sleep(0)
        finally:
            ended.set()

    with pytest.raises(TimeoutError):
        limit.within(loop, 0.1)
    assert ended.wait(30)


def test_a_proof_in_time_is_the_proof():
    planted = lemma_of(TRUE, Claim("false", A, B))
    before, after = proofs.prove(planted), proofs.prove_within(planted, 60)
    assert dataclasses.replace(before, seconds=0) == dataclasses.replace(after, seconds=0)


def test_the_command_goes_on_after_a_lemma_that_hangs(monkeypatch):
    hanging = dataclasses.replace(lemma_of(), claims=sleeping)
    monkeypatch.setattr(proofs, "lemmas", lambda: (hanging, lemma_of(TRUE)))
    monkeypatch.setattr(prove, "LONGEST", 1)
    called = CliRunner().invoke(app.app, ["prove", "--json"])
    assert called.exit_code == exits.REJECTED
    assert [(told["status"], told["reason"]) for told in json.loads(called.stdout)["lemmas"]] == [
        ("refused", "no proof within 1 s"), ("proved", ""),
    ]  # fmt: skip


def test_a_lemma_that_hangs_alone_has_no_derivation(monkeypatch):
    hanging = dataclasses.replace(lemma_of(), claims=lambda: time.sleep(60))
    monkeypatch.setattr(proofs, "lemmas", lambda: (hanging,))
    monkeypatch.setattr(prove, "LONGEST", 0.2)
    began = time.perf_counter()
    called = CliRunner().invoke(app.app, ["prove", "--lemma", "planted"])
    assert called.exit_code == exits.REJECTED
    assert "no proof within 0.2 s" in called.stdout
    assert time.perf_counter() - began < 30


# ---------------------------------------------------------------- the command
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("rounding-neer", ("nearest: rounding-near, ",)),
        ("carry", ("nearest: scan-carry",)),
        ("fermat", (f"expected one of the {len(LEMMAS)} that `scanproof prove` lists",)),
        ("any_bracketing", ("is a theorem of Coq, in Scan.v", "`scanproof prove --coq`", "say it: scan-any-bracketing")),
        ("Scan.any_bracketing", ("is a theorem of Coq, in Scan.v",)),
    ],
)
def test_an_unknown_lemma_is_one_short_line(name, words):
    called = CliRunner().invoke(app.app, ["prove", "--lemma", name])
    assert (called.exit_code, called.stdout) == (exits.BAD_INPUT, "")
    assert len(called.stderr.splitlines()) == 1
    assert len(called.stderr) < 400
    assert all(word in called.stderr for word in words)


def test_what_is_cited_is_marked_and_counted(monkeypatch):
    few = (LEMMAS["scan-associative"], LEMMAS["exp-onto-every-rotation"])
    monkeypatch.setattr(proofs, "lemmas", lambda: few)
    shown = CliRunner().invoke(app.app, ["prove"]).stdout
    assert shown.count("proved, cites 3 ") == shown.count("proved, cites ") == 1
    assert "1 of them cite facts that they do not prove (--lemma names them), 1 cite none." in shown


# ---------------------------------------------------------------- what a reader sees
@of_every_lemma
def test_what_sympy_evaluates_is_shown_before_it_is_evaluated(name):
    for claim in claims_of(name):
        assert claim.shown or claim.lhs != claim.rhs, claim.what
        left, *right = claim.shown.split(" = ") if claim.shown else ("",)
        assert all(side.strip() != left.strip() for side in right), claim.what


def test_an_evaluated_claim_is_derived_by_what_is_shown():
    (claim,) = (claim for claim in LEMMAS["ring-initialisation"].claims() if claim.what.startswith("the outermost"))
    lines = dict(derivation.derivation(claim, check(claim)))
    assert lines["claim"] == claim.shown
    assert lines["proof"] == "SymPy evaluates both sides to 1"


@pytest.mark.slow
@pytest.mark.parametrize(("name", "term"), [("G", certificates.F), ("V", certificates.D)])
def test_a_certificate_with_a_slip_is_refused(name, term):
    true = getattr(certificates, name)
    assert proofs.prove(lemma_of(*certificates.telescoping(name, term, true))).status == "proved"
    for slip in (lambda k, j: true(k, j) * k, lambda k, j: true(k, j + 1), lambda k, j: -true(k, j)):
        assert refused(list(certificates.telescoping(name, term, slip)), "false or not decided")


# ---------------------------------------------------------------- inequalities
GAP, NORM, SIZE, OTHER = letters("gap norm size other")
SIGNED = Claim(
    "X |y| - |x| |y| >= 0",
    SIZE * OTHER - NORM * OTHER,
    GAP * OTHER,
    ((GAP, SIZE - NORM),),
    (SIZE * OTHER - 2 * NORM * OTHER,),
    tuple({SIZE: sp.Integer(2), NORM: sp.Integer(2 - i), OTHER: sp.Integer(3), GAP: sp.Integer(i)} for i in (0, 1, 2)),
    (GAP, OTHER),
)


def test_an_inequality_needs_each_of_its_signs_and_no_other():
    assert check(SIGNED).status == "proved"
    fewer, more = dataclasses.replace(SIGNED, signs=(GAP,)), dataclasses.replace(SIGNED, signs=(GAP, OTHER, NORM))
    assert "no sign: " in check(fewer).reason
    assert "idle sign of norm" in check(more).reason
    difference = dataclasses.replace(SIGNED, rhs=SIZE * OTHER - NORM * OTHER, given=(), signs=(SIZE, NORM, OTHER))
    assert "no sign: " in check(difference).reason


def test_an_instance_must_have_the_signs_and_the_inequality():
    below = {SIZE: sp.Integer(1), NORM: sp.Integer(2), OTHER: sp.Integer(3), GAP: sp.Integer(-1)}
    reason = check(dataclasses.replace(SIGNED, instances=(*SIGNED.instances, below))).reason
    assert reason.startswith("vacuous: gap >= 0 fails where")
    matrices = at_sizes(lambda rng, n: {symbol: sp.eye(n).as_immutable() for symbol in (SIZE, NORM, OTHER, GAP)})
    assert "found a matrix for " in check(dataclasses.replace(SIGNED, instances=matrices)).reason


def test_a_smaller_bound_that_holds_on_every_instance_survives():
    harmless = dataclasses.replace(SIGNED, mutants=(SIZE * OTHER - NORM * OTHER / 2,))
    assert "mutant survives" in check(harmless).reason
    assert "mutant survives" in check(dataclasses.replace(SIGNED, instances=SIGNED.instances[2:])).reason


@pytest.mark.slow
def test_multiplying_out_agrees_with_sympy():
    rng = Random(4)
    for _ in range(40):
        e = sp.Mul(*(sp.Add(*rng.choices([A, B, c, sp.Integer(2), adjoint(A), c * x, A**2], k=2)) for _ in range(3))) ** 2
        words = residual(e)
        assert sp.expand(words - sp.expand(e)) == 0
        assert words.is_Add


# ---------------------------------------------------------------- independent of the proofs
def test_value_by_hand():
    half, rest = sp.Rational(1, 2), sp.Rational(-3, 2)
    env = {A: sp.ImmutableMatrix([[1, 2], [0, 1]]), B: sp.ImmutableMatrix([[0, 1], [1, 0]]), c: half}
    assert value(c * A * adjoint(A) + B**2 - 3, env) == sp.Matrix([[half, 1], [1, rest]])
    assert value(B * A, env) == sp.Matrix([[0, 1], [1, 2]])
    assert not instances.equal(A * B, B * A, env)


def test_models_are_what_they_are_called():
    for n in instances.SIZES:
        for make, determinant in ((instances.rotation, 1), (instances.reflection, -1)):
            m = make(Random(n), n)
            assert (m.T * m == sp.eye(n), m.det()) == (True, determinant)
        s = instances.skew(Random(n), n)
        assert (s + s.T).is_zero_matrix


def test_the_sums_behind_the_certificates_in_integers():
    for k in range(31):
        f = [Fraction((-1) ** j, math.factorial(j) * math.factorial(k - j)) for j in range(k + 1)]
        assert sum(f) == (k == 0)
        assert sum(math.comb(k, j) for j in range(k + 1)) == 2**k
        if k:
            partial = [certificates.G(sp.Integer(k), sp.Integer(j)) for j in range(k + 1)]
            assert [sum(f[: j + 1]) for j in range(k + 1)] == [Fraction(int(g.p), int(g.q)) for g in partial]


def truncated_exponential(m, t):
    """The first terms of exp(t m), t^ORDER included."""
    terms = [sp.eye(m.rows)]
    for i in range(1, ORDER + 1):
        terms.append(terms[-1] * m * t / i)
    return sum(terms[1:], terms[0])


@pytest.mark.slow
@pytest.mark.parametrize("n", instances.SIZES)
def test_the_truncated_exponential_of_a_skew_matrix_is_a_rotation_up_to_its_order(n):
    t = sp.Symbol("t")

    def low(e):
        """e without the powers above t^ORDER."""
        return sum(sp.Poly(e, t).coeff_monomial(t**i) * t**i for i in range(ORDER + 1))

    E = truncated_exponential(instances.skew(Random(n), n), t)
    assert (E.T * E).applyfunc(low) == sp.eye(n)
    assert low(E.to_DM(field=False).det().as_expr() if n > 1 else E[0]) == 1
    other = truncated_exponential(matrix(Random(n), n, n) + sp.eye(n), t)
    assert (other.T * other).applyfunc(low) != sp.eye(n)


def test_the_determinant_argument_needs_a_real_b():
    """b = i, d = -1 satisfies the hypotheses and the claim, but not d = 1: hence "real" among what is cited."""
    claim = next(claim for claim in rotation.determinant_by_halves() if rotation.d in claim.lhs.free_symbols)
    at_i = {rotation.d: sp.Integer(-1), rotation.b: sp.I}
    assert all(sp.expand((left - right).xreplace(at_i)) == 0 for left, right in claim.given)
    assert sp.expand(claim.lhs.xreplace(at_i)) == claim.rhs
    assert any("real" in words for words in LEMMAS["exp-determinant-halves"].cited)

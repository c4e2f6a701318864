"""`check`: what a report says when all is well, when something is missing, and when the search itself breaks."""

import dataclasses

import numpy as np
import pytest
from scans import NATIVE

from scanproof.properties import check as module
from scanproof.properties import search
from scanproof.properties.check import check
from scanproof.properties.domain import Domain
from scanproof.properties.implementation import Fault
from scanproof.properties.laws import laws_of
from scanproof.properties.systems import room_of
from scanproof.properties.verdict import CLAIMS
from scanproof.properties.versions.scan import chunked, drops_carry, mutants, scales_carry, zeros
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.transitions.diagonal import scan

FLOAT32 = Arithmetic("float32")
ROOM = room_of("scan")
NAMES = [law.name for law in laws_of(ROOM)]
SHORT = Domain(lengths=frozenset({1, 2, 3, 8, 9, 16, 17}), channels=frozenset({1, 2, 3, 65}))


def honest(lam, b, h0=None, reverse=False):
    return scan(lam, b, h0, reverse)


def run(implementation=honest, **change):
    return check("scan", implementation, **{"arithmetic": FLOAT32, "domain": SHORT, "cases": 3} | change)


def verdicts(report):
    return {law.name: law.verdict for law in report.laws}


def without_seconds(report):
    def strip(value):
        if isinstance(value, dict):
            return {key: strip(inner) for key, inner in value.items() if key != "seconds"}
        return [strip(inner) for inner in value] if isinstance(value, list) else value

    content = dataclasses.asdict(dataclasses.replace(report, witness=None))
    return repr(strip(content)), report.witness and report.witness.text()


# ---------------------------------------------------------------- a whole report
def test_an_honest_scan_with_everything_offered():
    report = run()
    assert verdicts(report) == dict.fromkeys(NAMES, "within")
    reason = f"{CLAIMS['within']}; judged up to 5 batch rows, 17 steps, 65 channels; no call had 4096 steps or more"
    assert (report.verdict, report.reason, report.judged) == ("within", reason, {"batch": 5, "time": 17, "channels": 65})
    assert (report.implementation, report.seed, report.cases) == ("honest", 0, 3)
    assert 0 < report.ratio <= 1
    assert report.seconds >= sum(law.seconds for law in report.laws) > 0
    assert str(report) == f"honest: within: {reason}"
    for law in report.laws:
        assert law.counts["within"] + law.counts["undecided"] == len(law.ratios) == len(law.informative)


def test_a_wrong_scan_comes_with_failure_witness_and_all_refuting_laws():
    report = run(drops_carry)
    assert report.verdict == "outside"
    refuting = [name for name, verdict in verdicts(report).items() if verdict == "outside"]
    assert report.reason == f"{', '.join(refuting)}: {CLAIMS['outside']}"
    assert refuting[0] == report.witness.law == "integer-cases"
    assert report.witness.index == list(report.failure.worst.index)
    assert report.witness.arguments["b"].shape == [1, 17, 1]
    assert (report.witness.seed, report.not_refuted_under, report.failure.not_refuted_under) == (0, None, None)
    for law in report.laws:
        assert law.counts["outside"] == (law.name in refuting)  # a law stops at its first


@pytest.mark.parametrize("implementation", [honest, scales_carry])
@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_the_same_seed_gives_the_same_report_and_another_one_does_not(implementation, dtype):
    few = {"arithmetic": Arithmetic(dtype), "laws": ["integer-cases", "equivalence"]}
    first, second, other = (run(implementation, seed=seed, **few) for seed in (7, 7, 8))
    assert without_seconds(first) == without_seconds(second)
    assert without_seconds(first) != without_seconds(other)


def test_cases_are_drawn_on_top_of_the_fixed_shapes():
    few, many = run(cases=1), run(cases=6)
    for less, more in zip(few.laws, many.laws, strict=True):
        assert len(less.ratios) < len(more.ratios)
        if less.name != "equivalence" and less.ratios:  # a single case may have nothing to say
            assert less.ratios[:1] == more.ratios[:1]


def test_progress_names_every_law_before_it_runs():
    seen = []
    run(progress=lambda *call: seen.append(call))
    assert seen == [(name, done, len(NAMES)) for done, name in enumerate(NAMES)]


# ---------------------------------------------------------------- what is not offered
def bare(lam, b):
    return honest(lam, b)


def only_constant(lam, b, h0=None, reverse=False):
    if lam.ndim == 3:
        raise NotImplementedError
    return honest(lam, b, h0, reverse)


def nothing(lam, b):
    raise NotImplementedError


def test_without_h0_and_reverse_their_laws_are_not_offered_and_the_rest_decides():
    report = run(bare)
    assert report.verdict == "within"
    silent = {name for name, verdict in verdicts(report).items() if verdict == "not offered"}
    assert silent == {"hand-over", "step", "norm", "reverse"}
    counts = {law.name: law.counts for law in report.laws}
    assert counts["integer-cases"]["not offered"] == 2 * counts["integer-cases"]["within"]
    assert counts["reverse"]["not offered"] > 0


def test_constant_lam_only_is_counted_and_decides():
    report = run(only_constant)
    assert report.verdict == "within"
    always = ("integer-cases", "impulses", "equivalence")  # these visit both kinds of lam, others draw three cases
    assert all(law.counts["not offered"] > 0 for law in report.laws if law.name in always)
    assert sum(law.counts["not offered"] for law in report.laws if law.name not in always) > 0


def test_what_offers_nothing_is_undecided():
    report = run(nothing)
    assert set(verdicts(report).values()) == {"not offered"}
    assert (report.verdict, report.informative, report.ratio) == ("undecided", 0, 0)
    assert report.reason.startswith("integer-cases, impulses, equivalence did not run")


@pytest.mark.parametrize("name", NAMES)
def test_one_law_alone_is_undecided_because_the_others_did_not_run(name):
    report = run(laws=[name])
    assert verdicts(report) == dict.fromkeys(NAMES, "not run") | {name: "within"}
    missing = [other for other in ("integer-cases", "impulses", "equivalence") if other != name]
    assert report.verdict == "undecided"
    assert report.reason.startswith(f"{', '.join(missing)} did not run")


def test_one_law_alone_still_refutes():
    assert run(zeros, laws=["time-invariance"]).verdict == "outside"


def test_the_three_laws_that_count_are_enough():
    assert run(laws=["equivalence", "impulses", "integer-cases"]).verdict == "within"


@pytest.mark.parametrize("dtype", NATIVE)
def test_a_class_that_is_not_modelled_is_undecided(dtype):
    for implementation, order in ((honest, "reversible"), (zeros, "unknown")):
        report = run(implementation, arithmetic=Arithmetic(dtype, order=order))
        assert (report.verdict, report.reason) == ("undecided", f"no allowance is known for order {order}")


# ---------------------------------------------------------------- few bits: integer cases decide
def through_float32(lam, b, h0=None, reverse=False):
    """Sums in float32, states printed in 16 bits."""
    wide = [None if x is None else x.astype(np.float32) for x in (lam, b, h0)]
    return scan(*wide, reverse).astype(b.dtype)


THOUSAND = Domain(lengths=frozenset(range(1, 1001)))  # long enough for allowances of few bits to say nothing
COARSE = [
    Arithmetic("bfloat16"),
    Arithmetic("float16"),
    Arithmetic("float32", operands="tf32"),
    Arithmetic("bfloat16", rounding="truncate"),
]


@pytest.mark.parametrize("arithmetic", COARSE, ids=str)
def test_few_bits_are_accepted_by_integer_cases_alone_and_the_reason_says_so(arithmetic):
    report = run(arithmetic=arithmetic, domain=THOUSAND, cases=4)
    assert (report.verdict, report.informative < 0.5) == ("within", True)
    share = f"the allowance informs in only {report.informative:.0%} of the random cases"
    assert report.reason.endswith(f"; by integer cases alone, since {share}")
    only = run(arithmetic=arithmetic, laws=["integer-cases"])
    assert only.verdict == "within"
    others = run(arithmetic=arithmetic, laws=["impulses", "equivalence"])
    assert (others.verdict, others.reason.split(" did ")[0]) == ("undecided", "integer-cases")


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_wider_carries_need_no_integer_cases_alone(dtype):
    report = run(through_float32, arithmetic=Arithmetic(dtype, accumulate="float32"), cases=4)
    assert (report.verdict, report.informative >= 0.5) == ("within", True)
    assert "by integer cases alone" not in report.reason
    assert run(through_float32, arithmetic=Arithmetic(dtype, accumulate="float32"), laws=["integer-cases"]).verdict == "undecided"


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("declared", [{}, {"accumulate": "float32"}], ids=str)
def test_mutants_that_change_16_bit_results_are_rejected(dtype, declared):
    """All but a carry that is wrong by 1e-5 of itself, which 11 bits do not show."""
    for mutant in (mutant for mutant in mutants(dtype) if mutant.name != "scales-carry"):
        report = run(mutant.scan, arithmetic=Arithmetic(dtype, **declared), cases=1, laws=["integer-cases"])
        assert (report.verdict, report.failure.worst.allowance) == ("outside", 0), mutant.name
        assert report.not_refuted_under is None


def test_a_stored_carry_that_is_not_read_back_is_rejected_by_its_windows():
    """Printed in 16 bits, carried in 32: declared as stored every step, some window does not follow."""
    report = run(through_float32, arithmetic=Arithmetic("bfloat16", accumulate="float32", order="sequential", store="step"))
    assert report.verdict == "outside"
    assert report.not_refuted_under == "bfloat16, gradual subnormals, any contraction, order sequential, accumulate float32"


@pytest.mark.parametrize("order", ["fft", "log-space", "scaled-cumsum"])
def test_integer_cases_of_other_algorithms_are_one_line(order):
    expected = f"law: found 'integer-cases' with order {order}, which has none, expected another law"
    with pytest.raises(ValueError, match=f"^{expected}$"):
        run(arithmetic=Arithmetic("float32", order=order), laws=["equivalence", "integer-cases"])
    report = run(honest, arithmetic=Arithmetic("float32", order=order), domain=Domain(lengths=frozenset({1, 2, 8})), cases=1)
    assert verdicts(report)["integer-cases"] == "not run"


def test_the_share_of_correct_roundings_is_that_of_all_elements():
    """A scan that is rounded once has them all; a loop does not; zeros hardly any."""
    exactly, loop, nothing_right = (run(scan_of, laws=["equivalence"]) for scan_of in (through_float64, honest, zeros))
    assert exactly.rounded > 0.999
    assert nothing_right.rounded < 0.1 < loop.rounded < exactly.rounded


def through_float64(lam, b, h0=None, reverse=False):
    wide = [None if x is None else x.astype(np.float64) for x in (lam, b, h0)]
    return scan(*wide, reverse).astype(b.dtype)


def test_laws_that_ran_but_decided_nothing_do_not_count(monkeypatch):
    """All runs of the impulses undecided: passing would claim a law that said nothing."""
    undecided = dataclasses.replace(run().laws[1], counts={"outside": 0, "undecided": 9, "within": 0, "not offered": 0})
    session = search.Search(None, FLOAT32, SHORT, ROOM)
    session._conclude(undecided)
    assert undecided.verdict == "undecided"
    report = run()
    report.laws[1] = undecided
    assert module._verdict(report, session) == (
        "undecided", "impulses did not run or decided nothing, so passing says little",
    )  # fmt: skip


def test_random_cases_that_do_not_inform_make_undecided():
    """One length at which the allowance of |lam| = 1 and near 1 is larger than the states."""
    report = run(domain=Domain(lengths=frozenset({1000}), channels=frozenset({1})), cases=30, laws=["equivalence"])
    equivalence = next(law for law in report.laws if law.name == "equivalence")
    assert not all(equivalence.informative)
    for law in report.laws:
        if law.name in ("integer-cases", "impulses"):
            law.verdict = "within"
    equivalence.informative, equivalence.visited = [True] * 3 + [False] * 4, 0
    verdict, reason = module._verdict(report, search.Search(None, FLOAT32, SHORT, ROOM))
    assert (verdict, reason) == ("undecided", "the allowance informs in only 43% of the random cases")


# ---------------------------------------------------------------- the declared domain
@pytest.mark.parametrize(
    "domain",
    [
        Domain(),
        Domain(lengths=frozenset(range(1, 4097))),
        Domain(lengths=frozenset({16, 32, 64})),
        Domain(lengths=frozenset({5})),
        Domain(channels=frozenset({4, 8})),
        Domain(lam="constant"),
        Domain(lam="varying", lengths=frozenset({8, 24}), channels=frozenset({2})),
    ],
    ids=["any", "below 4097", "powers of two", "one length", "channels", "constant", "varying"],
)
@pytest.mark.parametrize("wrong", [False, True])
def test_every_call_stays_in_the_domain(domain, wrong):
    """Also while shrinking."""
    seen = set()

    def within_domain(lam, b, h0=None, reverse=False):
        assert domain.accepts(b.shape[1]), b.shape
        assert domain.channels is None or b.shape[2] in domain.channels, b.shape
        assert (lam.ndim == 3) in domain.lam_kinds()
        seen.add((b.shape, lam.ndim))
        return zeros(lam, b) if wrong else chunked(lam, b, h0, reverse)

    report = run(within_domain, domain=domain, cases=2)
    assert report.fault is None
    assert report.verdict == ("outside" if wrong else "within")
    assert any(shape[1] >= 4097 for shape, _ in seen) == (domain.lengths is None and not wrong)


def test_the_domain_of_one_length_offers_no_splits():
    report = run(domain=Domain(lengths=frozenset({5})))
    assert report.verdict == "within"
    assert verdicts(report)["hand-over"] == "not run"  # no cut is in the domain


# ---------------------------------------------------------------- faults
def broken_from(call):
    """Honest until the given call, which raises."""
    calls = []

    def implementation(lam, b, h0=None, reverse=False):
        calls.append(b.shape)
        if len(calls) >= call:
            raise RuntimeError("broken")
        return honest(lam, b, h0, reverse)

    return implementation


def test_a_fault_stops_the_search_and_is_the_reason():
    report = run(broken_from(4))
    assert report.verdict == "undecided"
    assert report.fault[0] == "crashed"
    assert report.reason == report.fault[1]
    assert report.reason.startswith("implementation: raised RuntimeError: broken (line ")
    assert verdicts(report) == dict.fromkeys(NAMES, "not run") | {"integer-cases": "within"}


class Dying:
    """An implementation, as a worker is one, that is wrong once the first laws have passed and dies while it is shrunk."""

    name = "dying"

    def __init__(self, wrong_from, dies_at):
        self.calls, self.wrong_from, self.dies_at = 0, wrong_from, dies_at

    def call(self, call, poison=False):
        self.calls += 1
        if self.calls >= self.dies_at:
            raise Fault("crashed", "implementation: its process was killed by SIGKILL")
        wrong = self.calls >= self.wrong_from
        return {"h": 0 * call["b"] if wrong else honest(call["lam"], call["b"], call.get("h0"), call.reverse)}

    def close(self):
        """Nothing to end."""


@pytest.mark.parametrize("later", [1, 2, 9, 10, 12, 15])
def test_dying_after_a_wrong_result_keeps_the_proof(later):
    report = run(Dying(3, 3 + later))
    assert report.verdict == "outside"
    assert report.failure.verdict == "outside"
    assert report.witness.implementation == "dying"


def test_flaky_failures_keep_the_call_that_failed():
    """Wrong in every third call: the failure shown is one that happened, never a repetition that went well."""
    calls = []

    def flaky(lam, b, h0=None, reverse=False):
        calls.append(1)
        return 0 * b if len(calls) % 3 == 0 else honest(lam, b, h0, reverse)

    report = run(flaky)
    assert (report.verdict, report.failure.verdict) == ("outside", "outside")
    assert report.witness.results["h"].data[0] == "0x0.0p+0"


def test_a_failure_under_poison_only_is_reported_as_it_was():
    """Reads one step too far: only the call with NaN around its arrays shows it."""

    def reads_beyond(lam, b, h0=None, reverse=False):
        h = honest(lam, b, h0, reverse)
        if b.base is not None:
            beyond = b.base.ravel()[-1]
            h[:, -1] += 0 * beyond
        return h

    report = run(reads_beyond)
    assert [name for name, verdict in verdicts(report).items() if verdict == "outside"] == ["chunk-splits", "hand-over", "causality"]
    assert report.witness.law == "chunk-splits"
    assert "nan" in report.witness.results["h"].data


def test_interrupts_are_passed_on():
    def interrupted(lam, b):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(interrupted)


# ---------------------------------------------------------------- arguments
def test_callables_with_a_method_call_are_callables():
    """Layers of some frameworks have one, with another meaning."""

    class Layer:
        def call(self, x):
            raise AssertionError("not this one")

        def __call__(self, lam, b, h0=None, reverse=False):
            return honest(lam, b, h0, reverse)

    report = run(Layer())
    assert (report.verdict, report.implementation) == ("within", "Layer")


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"laws": ["linear"]}, ValueError, ["law", "'linear'", "linearity"]),
        ({"cases": 0}, ValueError, ["cases", "0", "at least 1"]),
        ({"implementation": 3}, TypeError, ["implementation", "int", "callable"]),
        ({"implementation": None}, TypeError, ["implementation", "NoneType", "callable"]),
    ],
)
def test_bad_arguments_are_named_in_one_line(change, error, words):
    with pytest.raises(error) as raised:
        run(**change)
    message = str(raised.value)
    assert message.startswith(words[0] + ":")
    assert all(word in message for word in words)
    assert "\n" not in message


def test_an_unknown_system_is_named():
    with pytest.raises(ValueError, match=r"^system: found 'mamba', expected one of scan, lru, rotrnn"):
        check("mamba", honest, arithmetic=FLOAT32)


def test_the_informative_share_is_that_of_the_random_cases():
    report = run()
    law = next(law for law in report.laws if law.name == "equivalence")
    assert 0 < law.visited < len(law.informative)
    assert report.informative == np.mean(law.informative[law.visited :])
    law.informative = [True] * law.visited + [False] * (len(law.informative) - law.visited)
    assert report.informative == 0
    del law.informative[law.visited :]
    assert report.informative == 1

"""Laws and the inputs they choose: honest scans obey all of them, and relations between runs are really compared."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from scanproof.properties.strategies import DECK, LAMBDAS, LONG, SIZES, Domain, Draw
from scans import NATIVE, exact_lane

from scanproof.properties.check import check
from scanproof.properties.compare import compare
from scanproof.properties.judge import judge
from scanproof.properties.laws import LAWS, Run
from scanproof.properties.search import Search
from scanproof.properties.versions.scan import chunked
from scanproof.properties.worker import load
from scanproof.reference.allowance.rounding import allowance
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Inputs, checked
from scanproof.reference.transitions.diagonal import scan
from scanproof.reference.truth import truth

HONEST = {
    "sequential": scan,
    "doubling": load(f"{Path(__file__).parent}/implementations/honest.py:scan"),
    "chunked": chunked,
}
NAMES = [
    "exact-lanes", "impulses", "equivalence", "chunk-splits", "hand-over", "causality", "linearity", "time-invariance", "reverse",
]  # fmt: skip
BY_NAME = {law.name: law for law in LAWS}
SHORT = frozenset({1, 2, 3, 7, 16, 17, 33})
RELATIONS = ["chunk-splits", "causality", "linearity", "time-invariance", "reverse"]  # laws that compare two runs


def draw(dtype="float32", shape=(2, 16, 3), domain=None, **regime):
    return Draw(Arithmetic(dtype), domain or Domain(), shape, **regime)


class Recorder:
    """A session that answers with the plain scan, or as `spoil(number, states)` has it, and remembers every call."""

    def __init__(self, spoil=lambda number, states: states):
        self.calls, self._spoil = [], spoil

    def run(self, inputs, poison=False):
        self.calls.append((inputs, poison))
        states = scan(inputs.lam, inputs.b, inputs.h0, inputs.reverse)
        got = self._spoil(len(self.calls), states)
        return None if got is None else Run(got, np.zeros(states.shape))


# ---------------------------------------------------------------- honest scans
def test_the_laws_and_their_order():
    assert [law.name for law in LAWS] == NAMES
    assert len({law.statement for law in LAWS}) == len(NAMES)


@pytest.mark.parametrize("kind", ["constant", "varying"])
@pytest.mark.parametrize(("seed", "name"), list(enumerate(HONEST)))
@pytest.mark.parametrize("dtype", NATIVE)
def test_honest_scans_obey_every_law(dtype, seed, name, kind):
    domain = Domain(lam=kind, lengths=SHORT)
    report = check("scan", HONEST[name], arithmetic=Arithmetic(dtype), domain=domain, seed=seed, cases=4)
    assert {law.name: law.verdict for law in report.laws} == dict.fromkeys(NAMES, "within")
    assert (report.verdict, report.failure, report.witness, report.fault) == ("within", None, None, None)
    assert report.ratio <= 1
    assert report.informative >= 0.5


@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_an_adversary_at_the_edge_of_its_allowance_obeys_every_law(dtype):
    """Almost the whole allowance, in changing directions: two runs may then differ by both, and no law may complain."""
    arithmetic = Arithmetic(dtype)

    def adversary(lam, b, h0=None, reverse=False):
        inputs = Inputs(lam, b, h0, reverse)
        rng = np.random.default_rng(b.size)
        exact, allowed = truth(inputs), allowance(inputs, arithmetic)
        got = (exact.head + 0.98 * allowed.bound * rng.choice([-1, 1], b.shape)).astype(dtype)
        return np.where(compare(got, inputs, exact, allowed).outside, scan(lam, b, h0, reverse), got)

    report = check("scan", adversary, arithmetic=arithmetic, domain=Domain(lengths=SHORT), cases=4)
    assert report.verdict == "within"
    assert 0.5 < report.ratio <= 1


# ---------------------------------------------------------------- what the laws ask for
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", NATIVE)
@pytest.mark.parametrize("varying", [False, True])
def test_every_call_of_a_law_is_a_proper_one(name, dtype, varying):
    for number, (lam, size) in enumerate([(lam, size) for lam in LAMBDAS for size in SIZES]):
        session = Recorder()
        shape = DECK[number % len(DECK)]
        with suppress(AssertionError):  # the recorder claims no rounding at all
            BY_NAME[name].check(session, draw(dtype, shape, varying=varying, lam=lam, size=size, seed=number))
        assert session.calls
        for inputs, _ in session.calls:
            checked(Arithmetic(dtype), inputs.lam, inputs.b, inputs.h0, inputs.reverse)  # shapes, dtypes, finite
            assert inputs.varying == varying
            assert inputs.b.shape[1] >= 1
            assert inputs.lam.dtype == inputs.b.dtype == dtype


@pytest.mark.parametrize("dtype", NATIVE)
@pytest.mark.parametrize("varying", [False, True])
def test_exact_lanes_are_exact(dtype, varying):
    """Every call has allowance zero at every step, whatever the class may do; every kind of lam and both signs occur."""
    kinds = set()
    for seed in range(6):
        session = Recorder()
        BY_NAME["exact-lanes"].check(session, draw(dtype, (2, 300, 3), varying=varying, seed=seed))
        for inputs, _ in session.calls:
            kinds |= {complex(z) for z in inputs.lam.ravel()}
            assert exact_lane(inputs.forward(), np.finfo(dtype).nmant + 1).all()
            for subnormals in ("gradual", "daz"):
                assert not allowance(inputs, Arithmetic(dtype, subnormals=subnormals)).bound.any()
        assert [(call.h0 is not None, call.reverse) for call, _ in session.calls] == [(False, False), (True, False), (True, True)]
    units = {1, -1, 1j, -1j} if dtype.startswith("complex") else {1, -1}
    assert kinds == units | ({0} if varying else set())


def test_exact_lanes_visit_a_long_sequence_of_both_kinds():
    def visited(domain):
        return {(visit.shape[1], visit.varying) for visit in BY_NAME["exact-lanes"].visits(domain)}

    assert max(LONG) >= 4097
    assert visited(Domain()) >= {(length, varying) for length in LONG for varying in (False, True)}
    assert not {length for length, _ in visited(Domain(lengths=SHORT))} & set(LONG)
    assert {(5000, False), (5000, True)} <= visited(Domain(lengths=frozenset({64, 5000, 9000})))


def test_constant_inputs_on_the_unit_circle_are_always_visited():
    """Their roundings all point one way: the case in which a wrongly declared order shows."""
    visits = BY_NAME["equivalence"].visits(Domain())
    assert {(visit.lam, visit.size) for visit in visits} == {("exactly 1", "constant")}
    assert max(visit.shape[1] for visit in visits) >= 1000


@pytest.mark.parametrize("order", ["chunked:16", "tree"])
def test_a_loop_declared_as_something_shallower_is_outside(order):
    """mutants.chunked without a fault is a sequential loop: more additions on a path than these orders have."""
    lam, b = np.ones(1, np.float32), np.full((1, 4096, 1), 1.1, np.float32)
    got = chunked(lam, b)
    assert judge("scan", got, lam=lam, b=b, arithmetic=Arithmetic("float32", order=order)).verdict == "outside"
    assert judge("scan", got, lam=lam, b=b, arithmetic=Arithmetic("float32", order="sequential")).verdict == "within"


def test_impulses_are_impulses_at_every_short_length():
    assert {visit.shape[1] for visit in BY_NAME["impulses"].visits(Domain())} >= {*range(1, 18), 31, 32, 33, 63, 64, 65}
    firsts = set()
    for seed in range(8):
        session = Recorder()
        BY_NAME["impulses"].check(session, draw(seed=seed))
        (forward, _), (start, _), (backward, _) = session.calls
        places = np.argwhere(forward.b != 0)
        assert len(places) == 6  # one a lane
        firsts |= {int(t) for _, t, _ in places}
        assert not start.b.any()
        assert start.h0.all()
        assert backward.reverse
        assert (backward.b[:, ::-1] == forward.b).all()
    assert 0 in firsts
    assert len(firsts) > 3


def test_chunk_splits_are_poisoned_heads_of_one_call():
    session = Recorder()
    BY_NAME["chunk-splits"].check(session, draw())
    (whole, _), *heads = session.calls
    assert all(poison for _, poison in session.calls)
    assert [head.b.shape[1] for head, _ in heads] == [1, 8, 15]
    assert all((head.b == whole.b[:, : head.b.shape[1]]).all() for head, _ in heads)


def test_hand_over_starts_from_the_states_that_came_back():
    session = Recorder(lambda number, states: states + number)  # whatever came back, right or not
    BY_NAME["hand-over"].check(session, draw())
    (whole, _), *tails = session.calls
    got = scan(whole.lam, whole.b) + 1
    for tail, poison in tails:
        cut = 16 - tail.b.shape[1]
        assert poison
        assert (tail.h0 == got[:, cut - 1]).all()
        assert (tail.b == whole.b[:, cut:]).all()
    assert len(tails) == 3


@pytest.mark.parametrize("varying", [False, True])
def test_causality_changes_the_future_and_only_it(varying):
    session = Recorder()
    BY_NAME["causality"].check(session, draw(varying=varying))
    (before, _), *after = session.calls
    for (inputs, _), cut in zip(after, [1, 8, 15], strict=True):
        assert (inputs.b[:, :cut] == before.b[:, :cut]).all()
        assert (inputs.b[:, cut:] != before.b[:, cut:]).all()
        if varying:
            assert (inputs.lam[:, :cut] == before.lam[:, :cut]).all()
            assert (inputs.lam[:, cut:] != before.lam[:, cut:]).any()


@pytest.mark.parametrize("dtype", NATIVE)
def test_linearity_uses_sums_and_scales_that_do_not_round(dtype):
    session = Recorder()
    with suppress(AssertionError):  # the recorder claims no rounding at all
        BY_NAME["linearity"].check(session, draw(dtype))
    one, two, both, scaled = (inputs.b.astype(complex) for inputs, _ in session.calls)
    assert (one + two == both).all()
    assert (one * 2**10 == scaled).all()
    assert one.any()
    assert two.any()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_linearity_of_16_bit_formats_neither_rounds_nor_overflows(dtype):
    for number, shape in enumerate(DECK):
        session = Recorder()
        with suppress(AssertionError):  # the recorder claims no rounding at all
            BY_NAME["linearity"].check(session, draw(dtype, shape, lam=LAMBDAS[number % len(LAMBDAS)], seed=number))
        one, two, both, scaled = (inputs.b.astype(float) for inputs, _ in session.calls)
        assert (one + two == both).all()
        factors = np.unique(scaled[one != 0] / one[one != 0])
        assert factors.size == 1
        assert np.frexp(factors[0])[0] == 0.5  # a power of two
        assert factors[0] > 1
        assert one.any()


# ---------------------------------------------------------------- relations that do not hold
@pytest.mark.parametrize("name", RELATIONS)
def test_runs_that_disagree_beyond_both_allowances_are_an_internal_error(name):
    """Each run was judged before: if their relation fails nevertheless, the theorem or the code is wrong, never the user."""
    BY_NAME[name].check(Recorder(), draw(lam="exactly 1"))  # equal runs agree even with no allowance at all
    for disagreeing in (1, 2):
        session = Recorder(lambda number, states, bad=disagreeing: states + (number == bad))
        with pytest.raises(AssertionError, match=r"^internal: two runs differ"):
            BY_NAME[name].check(session, draw(lam="exactly 1"))


@pytest.mark.parametrize("name", RELATIONS)
def test_runs_that_are_not_offered_are_not_compared(name):
    calls = 4 if name in ("chunk-splits", "causality", "linearity") else 2
    for missing in range(calls):
        session = Recorder(lambda number, states, gone=missing + 1: None if number == gone else states + number)
        if missing == 0 or calls == 2 or name == "linearity":
            BY_NAME[name].check(session, draw(lam="exactly 1"))  # states + number disagree wherever they are compared
        else:
            with pytest.raises(AssertionError):
                BY_NAME[name].check(session, draw(lam="exactly 1"))


@pytest.mark.parametrize("name", RELATIONS)
def test_the_sum_of_both_allowances_is_allowed(name):
    """States off by one, alternately up and down, agree when every allowance is one, and not when it is a half."""

    class Allowing(Recorder):
        def __init__(self, bound):
            super().__init__(lambda number, states: states + (1 if number % 2 else -1))
            self.bound = bound

        def run(self, inputs, poison=False):
            return super().run(inputs, poison)._replace(bound=np.full(inputs.b.shape, self.bound))

    BY_NAME[name].check(Allowing(1.5), draw("float64"))
    with pytest.raises(AssertionError):
        BY_NAME[name].check(Allowing(0.5), draw("float64"))


# ---------------------------------------------------------------- draws
@pytest.mark.parametrize("dtype", NATIVE)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("lam", LAMBDAS)
def test_regimes_are_what_they_are_called(dtype, size, lam):
    inputs = draw(dtype, (2, 64, 4), lam=lam, size=size, seed=9).inputs(h0=True)
    info, modulus, largest = np.finfo(dtype), np.abs(inputs.lam.astype(complex)), float(np.abs(inputs.b.astype(complex)).max())
    bounds = {"near 0": (0, 0.125), "half": (0.2, 0.8), "near 1": (0.87, 1), "exactly 1": (1, 1), "above 1": (1, 1 + 1 / 64)}
    low, high = bounds[lam]
    rounding = 4 * float(info.eps)
    assert (modulus >= low - rounding).all()
    assert (modulus <= high + rounding).all()
    assert (largest < info.smallest_normal) == (size == "subnormal")
    assert (largest > float(info.max) / 2**14) == (size == "near overflow")
    assert ((inputs.b == inputs.b[:, :1]).all()) == (size == "constant")
    assert np.isfinite(truth(inputs).head).all()


def test_a_draw_is_reproducible_from_its_seed():
    first, second, other = (draw(seed=seed).inputs(h0=True) for seed in (1, 1, 2))
    assert first.b.tobytes() == second.b.tobytes()
    assert first.b.tobytes() != other.b.tobytes()


# ---------------------------------------------------------------- positive numbers
def parts_of(inputs):
    return {name: np.asarray(getattr(inputs, name)) for name in ("lam", "b", "h0") if getattr(inputs, name) is not None}


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("varying", [False, True])
@pytest.mark.parametrize("positive", ["none", "lam", "all"])
def test_draws_are_positive_where_that_is_promised(dtype, varying, positive):
    """In every regime, every law that applies asks for numbers above zero only; without the promise signs and resets occur."""
    promised = {"none": set(), "lam": {"lam"}, "all": {"lam", "b", "h0"}}[positive]
    domain, smallest = Domain(positive=positive), dict.fromkeys(("lam", "b", "h0"), np.inf)
    session = Search(None, Arithmetic(dtype), domain)
    for law in (law for law in LAWS if session.applies(law)):
        for number, (lam, size) in enumerate([(lam, size) for lam in LAMBDAS for size in SIZES]):
            recorder = Recorder()
            with suppress(AssertionError), np.errstate(all="ignore"):  # the recorder claims no rounding at all
                law.check(recorder, draw(dtype, (2, 32, 3), domain, varying=varying, lam=lam, size=size, seed=number))
            for inputs, _ in recorder.calls:
                for name, x in parts_of(inputs).items():
                    assert np.isfinite(x).all()
                    smallest[name] = min(smallest[name], float(x.min()))
    for name, least in smallest.items():
        given = name == "h0" and positive == "all"  # hand-over gives states, which are positive too
        assert (least > 0) == (name in promised), (name, least, given)


def test_laws_that_need_zeros_do_not_run_where_there_are_none():
    for positive, missing in (("none", set()), ("lam", set()), ("all", {"impulses", "time-invariance"})):
        session = Search(None, Arithmetic("float32"), Domain(positive=positive))
        assert {law.name for law in LAWS if not session.applies(law)} == missing
        assert ("impulses" in session.decisive()) == ("impulses" not in missing)
    session = Search(None, Arithmetic("float32", order="log-space"), Domain(positive="all"))
    assert {law.name for law in LAWS if not session.applies(law)} == {"exact-lanes", "impulses", "time-invariance"}
    assert session.decisive() == ["equivalence"]


def test_a_scan_of_positive_numbers_only_is_accepted_as_such():
    """It takes logarithms, as it may: any number that is not positive would be a nan, and outside."""

    def takes_logarithms(lam, b, h0=None, reverse=False):
        with np.errstate(invalid="ignore", divide="ignore"):
            spoiled = [np.where(x > 0, x, np.nan).astype(x.dtype) for x in (lam, b)]
        return scan(*spoiled, h0, reverse)

    small = frozenset({1, 2, 9, 17})
    for positive, expected in (("all", "within"), ("lam", "outside"), ("none", "outside")):
        domain = Domain(lengths=small, positive=positive)
        assert check("scan", takes_logarithms, arithmetic=Arithmetic("float32"), domain=domain, cases=3).verdict == expected
    wrong = check("scan", lambda lam, b: scan(lam, b) * np.float32(1.01), arithmetic=Arithmetic("float32"),
                  domain=Domain(lengths=small, positive="all"), cases=3)  # fmt: skip
    assert wrong.verdict == "outside"


# ---------------------------------------------------------------- draws of 16-bit formats
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("size", SIZES)
def test_loops_over_draws_of_16_bit_formats_do_not_overflow(dtype, size):
    for number, lam in enumerate(LAMBDAS):
        for shape in DECK:
            inputs = draw(dtype, shape, varying=bool(number % 2), lam=lam, size=size, seed=number).inputs(h0=True)
            for x in parts_of(inputs).values():
                assert x.dtype == dtype
                assert np.isfinite(x).all()
            assert np.isfinite(scan(inputs.lam, inputs.b, inputs.h0)).all()  # and NumPy does not warn


# ---------------------------------------------------------------- domains
@pytest.mark.parametrize(
    ("domain", "words"),
    [
        ({"lam": "some"}, "lam: found"), ({"positive": "some"}, "positive: found 'some', expected none, lam or all"),
        ({"lengths": frozenset()}, "lengths:"), ({"channels": frozenset({0, 4})}, "channels:"),
    ],
)  # fmt: skip
def test_domains_that_hold_nothing_are_named(domain, words):
    with pytest.raises(ValueError, match=f"^{words}"):
        Domain(**domain)


def test_decks_lie_in_their_domain():
    domain = Domain(lengths=frozenset({8, 100}), channels=frozenset({4}))
    assert {shape[1] for shape in domain.deck()} == {8, 100}
    assert {shape[2] for shape in domain.deck()} == {4}
    assert (domain.long(), domain.wide()) == (((1, 100, 4),), (1, 8, 4))
    assert Domain(lengths=frozenset({9, 2000, 8192, 9000}), channels=frozenset({3, 512, 4000})).long() == ((1, 8192, 3),)
    assert Domain(lengths=frozenset({9, 2000}), channels=frozenset({3, 512, 4000})).wide() == (1, 9, 512)
    with pytest.raises(ValueError, match="lengths: found none up to 8192"):
        Domain(lengths=frozenset({10**5}))
    assert len(Domain().deck()) <= 12
    assert Domain().deck() == DECK

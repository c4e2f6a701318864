"""Laws: honest implementations obey all of them, and each asks for the calls that its name promises."""

from pathlib import Path

import numpy as np
import pytest
from calls import ANY, LAYERS, TIMED, case
from scans import NATIVE, exact_lane

import scanproof
from scanproof.properties.check import check
from scanproof.properties.compare import compare
from scanproof.properties.domain import LONG, Domain
from scanproof.properties.judge import judge
from scanproof.properties.laws import LAWS, laws_of
from scanproof.properties.search import Search
from scanproof.properties.systems import layers, room_of, scan
from scanproof.properties.versions.scan import chunked
from scanproof.properties.worker import load
from scanproof.reference.allowance import certificate
from scanproof.reference.allowance.rounding import allowance
from scanproof.reference.allowance.scans import inputs_of
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.call import called
from scanproof.reference.systems import SYSTEMS
from scanproof.reference.transitions.diagonal import scan as loop

HONEST = {
    "sequential": loop,
    "doubling": load(f"{Path(__file__).parents[1]}/implementations/honest.py:scan"),
    "chunked": chunked,
}
OF = {
    "scan": ["integer-cases", "impulses", "equivalence", "chunk-splits", "hand-over", "step", "causality", "linearity",
             "time-invariance", "reverse", "norm"],
    "lru": ["impulses", "equivalence", "chunk-splits", "hand-over", "step", "causality", "linearity", "time-invariance", "reverse",
            "directions", "norm", "invariances", "extremes", "gradients"],
    "rotrnn": ["impulses", "equivalence", "chunk-splits", "hand-over", "step", "causality", "linearity", "time-invariance",
               "reverse", "directions", "norm", "invariances", "extremes", "gradients"],
    "expm": ["zero", "planes", "blocks", "inverse", "equivalence"],
}  # fmt: skip
EACH = [(system, name) for system, names in OF.items() for name in names]
SHORT = frozenset({1, 2, 3, 7, 16, 17, 33})
SIXTEEN = {"time": 16}
ROUNDED = 2.0**-40  # of a result in float64: far above what 16 steps lose, far below what another function gives


def law_of(system, name):
    return next(law for law in laws_of(room_of(system)) if law.name == name)


def answer(call, dtype="float32"):
    """The reference in float64, its results stored in the declared dtype."""
    wide = call.but(**{name: None for name in call.system.named("cotangent") if name in call.arguments}).wide
    with np.errstate(all="ignore"):
        found = scanproof.run(call.system, **wide | ({"reverse": True} if call.reverse else {}))
        return {name: x.astype(call.expected(dtype)[name][1]) for name, x in found.items()}


def zeros(call, dtype):
    """Results of the right form."""
    return {name: np.zeros(shape, kind) for name, (shape, kind) in call.expected(dtype).items() if name in call.system.result}


class Recorder:
    """A session that answers as the reference, or as `spoil(number, results)` has it, and remembers every call.

    Laws that do not hand results on get zeros.
    """

    def __init__(self, dtype, answer, spoil=None):
        self.calls, self.poisoned, self.lacking = [], [], 0
        self._dtype, self._answer, self._spoil = dtype, answer, spoil or (lambda number, results: results)

    def run(self, call, poison=False):
        self.calls.append(call)
        self.poisoned.append(poison)
        return self._spoil(len(self.calls), self._answer(call, self._dtype))

    def not_offered(self):
        self.lacking += 1


def asked(system, name, arithmetic="float32", sizes=SIXTEEN, spoil=None, **more):
    """What a law asks for in one drawn case, and whether it was put to the test."""
    session = Recorder(arithmetic, answer if name in ("hand-over", "step") else zeros, spoil)
    session.tested = law_of(system, name).check(session, case(system, arithmetic, sizes, **more))
    return session


def inputs(call):
    """The one input of a call."""
    [name] = call.system.named("input")
    return call[name]


# ---------------------------------------------------------------- honest scans
@pytest.mark.parametrize("system", SYSTEMS)
def test_the_laws_of_a_system_and_their_order(system):
    found = laws_of(room_of(system))
    assert [law.name for law in found] == OF[system]
    assert len({law.statement for law in found}) == len(found)


@pytest.mark.parametrize("dtype", NATIVE)
@pytest.mark.parametrize(("seed", "name", "kind"), [(0, "sequential", "varying"), (1, "doubling", "constant"), (2, "chunked", "both")])
def test_honest_scans_obey_every_law(dtype, seed, name, kind):
    domain = Domain(lam=kind, lengths=SHORT)
    report = check("scan", HONEST[name], arithmetic=Arithmetic(dtype), domain=domain, seed=seed, cases=4)
    assert {law.name: law.verdict for law in report.laws} == dict.fromkeys(OF["scan"], "within")
    assert (report.verdict, report.failure, report.witness, report.fault) == ("within", None, None, None)
    assert report.ratio <= 1
    assert report.informative >= 0.5


@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_an_adversary_at_the_edge_of_its_allowance_obeys_every_law(dtype):
    """Almost the whole allowance, in changing directions: two runs may then differ by both, and no law may complain."""
    arithmetic = Arithmetic(dtype)

    def adversary(lam, b, h0=None, reverse=False):
        call = called(SYSTEMS["scan"], {"lam": lam, "b": b, "h0": h0, "reverse": reverse}, dtype)
        exact = certificate.whole(call, arithmetic)["h"]
        rng = np.random.default_rng(b.size)
        got = (exact.truth.head + 0.98 * exact.bound * rng.choice([-1, 1], b.shape)).astype(dtype)
        return np.where(compare(got, exact).outside, loop(lam, b, h0, reverse), got)

    report = check("scan", adversary, arithmetic=arithmetic, domain=Domain(lengths=SHORT), cases=2)
    assert report.verdict == "within"
    assert 0.5 < report.ratio <= 1


@pytest.mark.parametrize("order", ["chunked:16", "tree"])
def test_a_loop_declared_as_something_shallower_is_outside(order):
    """`chunked` without a fault is a sequential loop: more additions on a path than these orders have."""
    lam, b = np.ones(1, np.float32), np.full((1, 4096, 1), 1.1, np.float32)
    got = chunked(lam, b)
    assert judge("scan", got, lam=lam, b=b, order=order).verdict == "outside"
    assert judge("scan", got, lam=lam, b=b, order="sequential").verdict == "within"


# ---------------------------------------------------------------- every call of every law
@pytest.mark.parametrize(("system", "name"), EACH)
def test_every_call_of_a_law_is_a_proper_one(system, name):
    """Shapes, dtypes, finite numbers, in every regime and for every dtype; arguments of a case are not spoiled by a law."""
    room, number = room_of(system), 0
    for dtype in SYSTEMS[system].dtypes:
        regimes, deck = room.regimes(Arithmetic(dtype), ANY), room.deck(ANY, 16)
        if room.refuses(name, Arithmetic(dtype), ANY):
            continue
        for _ in range(max(map(len, regimes.values()))):
            regime = {each: words[number % len(words)] for each, words in regimes.items()}
            session = asked(system, name, dtype, deck[number % len(deck)], seed=number, **regime)
            assert session.calls or (name, deck[number % len(deck)]["time"]) == ("hand-over", 1)
            number += 1
            for call in session.calls:
                made = called(call.system, call.arguments | ({"reverse": True} if call.reverse else {}), dtype)
                assert made.layout.sizes == call.layout.sizes
                assert room.holds(call, ANY)


@pytest.mark.parametrize(("system", "name"), [(system, name) for system, name in EACH if system in LAYERS])
def test_laws_of_layers_are_put_to_the_test_by_their_visits(system, name):
    room, law = room_of(system), law_of(system, name)
    visits = room.visits(name, Domain(lengths=frozenset({1, 2, 9}), channels=frozenset({2}), states=frozenset({4})))
    sessions = [asked(system, name, sizes=visit.sizes, seed=i, **visit.regime) for i, visit in enumerate(visits)]
    assert any(session.tested for session in sessions), law.statement
    assert sum(session.lacking for session in sessions) == 0  # the reference returns all that there is


# ---------------------------------------------------------------- scans
@pytest.mark.parametrize("dtype", NATIVE)
@pytest.mark.parametrize("varying", [False, True])
def test_integer_cases_are_exact(dtype, varying):
    """Every call has allowance zero at every step, whatever the class may do; every kind of lam and both signs occur."""
    kinds = set()
    for seed in range(4):
        session = asked("scan", "integer-cases", dtype, {"time": 300}, varying=varying, seed=seed)
        for call in session.calls:
            kinds |= {complex(z) for z in call["lam"].ravel()}
            assert exact_lane(inputs_of(call).forward(), np.finfo(dtype).nmant + 1).all()
            for subnormals in ("gradual", "daz"):
                assert not allowance(inputs_of(call), Arithmetic(dtype, subnormals=subnormals)).bound.any()
        used = [("h0" in call.arguments, call.reverse) for call in session.calls]
        assert used == [(False, False), (True, False), (True, True)]
    units = {1, -1, 1j, -1j} if dtype.startswith("complex") else {1, -1}
    assert kinds == units | ({0} if varying else set())


def test_integer_cases_visit_a_long_sequence_of_both_kinds():
    def visited(domain):
        return {(visit.sizes["time"], visit.regime["varying"]) for visit in scan.visits("integer-cases", domain)}

    assert visited(ANY) >= {(length, varying) for length in LONG for varying in (False, True)}
    assert not {length for length, _ in visited(Domain(lengths=SHORT))} & set(LONG)
    assert {(5000, False), (5000, True)} <= visited(Domain(lengths=frozenset({64, 5000, 9000})))


def test_constant_inputs_on_the_unit_circle_are_always_visited():
    """Their roundings all point one way: the case in which a wrongly declared order shows."""
    visits = scan.visits("equivalence", ANY)
    assert {(visit.regime["lam"], visit.regime["size"]) for visit in visits} == {("exactly 1", "constant")}
    assert max(visit.sizes["time"] for visit in visits) >= 1000


@pytest.mark.parametrize("system", TIMED)
def test_impulses_are_visited_at_every_short_length(system):
    lengths = {visit.sizes["time"] for visit in room_of(system).visits("impulses", ANY)}
    assert lengths >= {*range(1, 18), 31, 32, 33, 64, 65}


@pytest.mark.parametrize("system", TIMED)
def test_impulses_are_one_step_at_both_ends_and_anywhere(system):
    """Then a start without inputs, and the last of them backwards."""
    places = set()
    for seed in range(8):
        session = asked(system, "impulses", seed=seed)
        *pulsed, start, backward = session.calls
        for call in pulsed:
            steps = np.unique(np.argwhere(inputs(call) != 0)[:, 1])
            assert len(steps) == 1
            places.add(int(steps[0]))
            assert (inputs(call) != 0).sum() == inputs(call)[:, 0].size  # every sequence has it
            assert not call.reverse
            assert "h0" not in call.arguments
        assert {int(np.argwhere(inputs(call))[0, 1]) for call in pulsed} >= {0, 14}
        assert not inputs(start).any()
        assert start["h0"].any()
        assert backward.reverse
        assert (inputs(backward)[:, ::-1] == inputs(pulsed[-1])).all()
    assert len(places) > 4


# ---------------------------------------------------------------- laws of time
def same(call, other, steps=slice(None)):
    """Whether two calls have the same numbers at these steps, and everywhere that has no steps."""
    part = call.take("time", steps), other.take("time", steps)
    return all((part[0][name] == part[1][name]).all() for name in call.arguments)


@pytest.mark.parametrize("system", TIMED)
def test_chunk_splits_are_poisoned_heads_of_one_call(system):
    session = asked(system, "chunk-splits")
    whole, *heads = session.calls
    assert all(session.poisoned)
    assert [head.size("time") for head in heads] == [1, 8, 15]
    for head in heads:
        part = whole.take("time", slice(0, head.size("time")))
        assert all((head[name] == x).all() for name, x in part.arguments.items())


@pytest.mark.parametrize("system", TIMED)
def test_hand_over_starts_from_the_states_that_came_back(system):
    """Whatever came back, right or not; from the last states where only these are returned."""
    for returned in ("h", "h_last")[: 1 if system == "scan" else 2]:
        session = asked(system, "hand-over", spoil=lambda number, found, name=returned: {name: found[name] + number})
        heads, tails = session.calls[::2], session.calls[1::2]
        assert [(head.size("time"), tail.size("time")) for head, tail in zip(heads, tails, strict=True)] == [(1, 15), (8, 8), (15, 1)]
        assert session.poisoned == [False, True] * 3
        for number, (head, tail) in enumerate(zip(heads, tails, strict=True)):
            found = answer(head)["h"][:, -1] + (2 * number + 1)
            assert (tail["h0"] == found).all()
    assert asked(system, "hand-over", spoil=lambda number, found: {next(iter(found)): next(iter(found.values()))}).lacking == (
        0 if system == "scan" else 3
    )


@pytest.mark.parametrize("system", TIMED)
def test_steps_go_on_from_what_came_back(system):
    session = asked(system, "step", spoil=lambda number, found: {"h": found["h"] + number})
    assert [call.size("time") for call in session.calls] == [1] * 8
    for before, (number, call) in zip(session.calls, enumerate(session.calls[1:], 1), strict=False):
        assert (call["h0"] == answer(before)["h"][:, -1] + number).all()
    assert session.tested
    assert not asked(system, "step", domain=Domain(lengths=frozenset({2}))).calls


@pytest.mark.parametrize(("system", "varying"), [("scan", False), ("scan", True), ("lru", None), ("rotrnn", None)])
def test_causality_changes_the_future_and_only_it(system, varying):
    session = asked(system, "causality", **({} if varying is None else {"varying": varying}))
    before, *after = session.calls
    assert session.poisoned == [False, True, True, True]
    for call, cut in zip(after, [1, 8, 15], strict=True):
        assert same(call, before, slice(None, cut))
        changed = [name for name, x in call.arguments.items() if (x != before[name]).any()]
        assert changed == [name for name in call.arguments if "time" in call.axes(name)]
        assert (inputs(call)[:, cut:] != inputs(before)[:, cut:]).any((0, 2)).all()


@pytest.mark.parametrize("system", TIMED)
def test_leading_zeros_only_delay(system):
    for varying in (False, True)[: 2 if system == "scan" else 1]:
        session = asked(system, "time-invariance", **({"varying": varying} if system == "scan" else {}))
        first, second = session.calls
        assert not inputs(second)[:, :8].any()
        assert (inputs(second)[:, 8:] == inputs(first)[:, :8]).all()
        if varying:
            assert (second["lam"][:, 8:] == first["lam"][:, :8]).all()


@pytest.mark.parametrize("system", TIMED)
@pytest.mark.parametrize("seed", [0, 1])
def test_reverse_is_flip_call_flip(system, seed):
    backward, forward, started = asked(system, "reverse", seed=seed).calls
    assert (backward.reverse, forward.reverse, started.reverse) == (True, False, True)
    assert ("h0" in backward.arguments, "h0" in started.arguments) == (seed == 1, True)
    assert same(forward.flipped(), backward)


@pytest.mark.parametrize("system", TIMED)
def test_norms_are_those_of_states_without_inputs(system):
    [call] = asked(system, "norm").calls
    assert not inputs(call).any()
    assert call["h0"].any()


@pytest.mark.parametrize("dtype", NATIVE)
def test_linearity_of_scans_uses_sums_and_scales_that_do_not_round(dtype):
    one, two, both, scaled = (call["b"].astype(complex) for call in asked("scan", "linearity", dtype).calls)
    assert (one + two == both).all()
    assert (one * 2**10 == scaled).all()
    assert one.any()
    assert two.any()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_linearity_of_16_bit_formats_neither_rounds_nor_overflows(dtype):
    for number, sizes in enumerate(scan.deck(ANY, 1000)):
        regime = {"lam": scan.LAMBDAS[number % len(scan.LAMBDAS)]}
        session = asked("scan", "linearity", dtype, sizes, seed=number, **regime)
        one, two, both, scaled = (call["b"].astype(float) for call in session.calls)
        assert (one + two == both).all()
        factors = np.unique(scaled[one != 0] / one[one != 0])
        assert factors.size == 1
        assert np.frexp(factors[0])[0] == 0.5  # a power of two
        assert factors[0] > 1
        assert one.any()


@pytest.mark.parametrize("system", LAYERS)
def test_linearity_of_layers_has_a_multiple_and_nothing(system):
    one, two, multiple, nothing = asked(system, "linearity").calls
    assert (one["u"] != two["u"]).any()
    assert (multiple["u"] == 8 * one["u"]).all()
    assert not nothing["u"].any()
    for call in (two, multiple, nothing):
        assert all((x == one[name]).all() for name, x in call.arguments.items() if name != "u")


# ---------------------------------------------------------------- laws of layers
@pytest.mark.parametrize("system", LAYERS)
def test_two_directions_are_asked_for_both_ways(system):
    plain, started = asked(system, "directions").calls
    assert plain.layout.bidirectional
    assert (started.reverse, started["h0"].shape[1]) == (True, 2)


@pytest.mark.parametrize("system", LAYERS)
def test_other_parameters_of_the_same_function_are_that(system):
    """In float64, results of all calls are equal but for rounding, and some parameters differ; M was put on a grid."""
    first, *others = asked(system, "invariances", "float64").calls
    for call in others:
        assert any((x != first[name]).any() for name, x in call.arguments.items())
        same = first.but(M=np.round(first["M"] * 64) / 64) if system == "rotrnn" and (call["M"] != first["M"]).any() else first
        found, right = (scanproof.run(system, **each.keywords())["y"] for each in (call, same))
        assert np.abs(found - right).max() < ROUNDED * np.abs(right).max()


@pytest.mark.parametrize("system", LAYERS)
def test_extremes_are_far_from_where_training_starts(system):
    usual, found = case(system, sizes=SIXTEEN).call(), asked(system, "extremes").calls
    assert len(found) >= 2
    if system == "rotrnn":
        norms = [np.abs(call["M"] - call["M"].swapaxes(1, 2)).sum(1).max() for call in found]
        assert (max(norms) > 29, np.abs(usual["M"] - usual["M"].swapaxes(1, 2)).sum(1).max() <= 3) == (True, True)
    else:
        assert (np.abs(found[0]["gamma_log"] - usual["gamma_log"]) > 3).all()
        assert np.exp(found[1]["theta_log"]).max() > 2 * np.pi


@pytest.mark.parametrize("system", LAYERS)
def test_gradients_are_asked_for_in_every_way_of_calling(system):
    """Over the seeds: initial states, reverse, two directions, sparse; in each alone and together."""
    seen = set()
    for seed in range(16):
        session = asked(system, "gradients", seed=seed, sizes={"time": 3})
        assert len(session.calls) == 3
        for call in session.calls:
            assert call["y_bar"].shape == call["u"].shape
            seen.add(("h0" in call.arguments, call.reverse, call.layout.bidirectional))
    assert len(seen) == 8


# ---------------------------------------------------------------- positive numbers
@pytest.mark.parametrize(("turn", "dtype"), list(enumerate(["float16", "bfloat16", "float32", "float64"])))
@pytest.mark.parametrize("varying", [False, True])
@pytest.mark.parametrize("positive", ["none", "lam", "all"])
def test_draws_are_positive_where_that_is_promised(turn, dtype, varying, positive):
    """In every regime, every law that applies asks for numbers above zero only; without the promise signs and resets occur.

    Each dtype and kind of lam meets every lam and every size; together they meet every pair of them.
    """
    promised = {"none": set(), "lam": {"lam"}, "all": {"lam", "b", "h0"}}[positive]
    domain, smallest = Domain(positive=positive), dict.fromkeys(("lam", "b", "h0"), np.inf)
    session = Search(None, Arithmetic(dtype), domain, room_of("scan"))
    for law in (law for law in LAWS if law.name in OF["scan"] and session.applies(law)):
        for number, lam in enumerate(scan.LAMBDAS):
            size = scan.SIZES[(number + turn + 2 * varying) % len(scan.SIZES)]
            regime = {"varying": varying, "lam": lam, "size": size}
            for call in asked("scan", law.name, dtype, {"time": 32}, domain=domain, seed=number, **regime).calls:
                for name, x in call.arguments.items():
                    assert np.isfinite(x).all()
                    smallest[name] = min(smallest[name], float(x.min()))
    for name, least in smallest.items():
        assert (least > 0) == (name in promised), (name, least)


def test_laws_that_need_zeros_do_not_run_where_there_are_none():
    def refused(arithmetic, positive):
        session = Search(None, arithmetic, Domain(positive=positive), room_of("scan"))
        return {name for name in OF["scan"] if not session.applies(law_of("scan", name))}, session.decisive()

    zeros = {"impulses", "time-invariance", "norm"}
    for positive, missing in (("none", set()), ("lam", set()), ("all", zeros)):
        laws, decisive = refused(Arithmetic("float32"), positive)
        assert laws == missing
        assert ("impulses" in decisive) == ("impulses" not in missing)
    assert refused(Arithmetic("float32", order="log-space"), "all") == (zeros | {"integer-cases"}, ["equivalence"])


def test_a_scan_of_positive_numbers_only_is_accepted_as_such():
    """It takes logarithms, as it may: any number that is not positive would be a nan, and outside."""

    def takes_logarithms(lam, b, h0=None, reverse=False):
        with np.errstate(invalid="ignore", divide="ignore"):
            spoiled = [np.where(x > 0, x, np.nan).astype(x.dtype) for x in (lam, b)]
        return loop(*spoiled, h0, reverse)

    small = frozenset({1, 2, 9, 17})
    for positive, expected in (("all", "within"), ("lam", "outside"), ("none", "outside")):
        domain = Domain(lengths=small, positive=positive)
        assert check("scan", takes_logarithms, dtype="float32", domain=domain, cases=2).verdict == expected
    wrong = check("scan", lambda lam, b: loop(lam, b) * np.float32(1.01), dtype="float32",
                  domain=Domain(lengths=small, positive="all"), cases=2)  # fmt: skip
    assert wrong.verdict == "outside"


def test_regimes_of_layers_are_all_visited():
    """Impulses alternate between two decays over the lengths, so that both meet odd and even ones."""
    for system in LAYERS:
        visits = room_of(system).visits("impulses", ANY)
        assert {visit.regime["modulus"] for visit in visits} == {"half", "near 1"} <= set(layers.MODULI)

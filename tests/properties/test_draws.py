"""Drawn cases: regimes are what they are called, domains are kept, and everything follows from the seed."""

import numpy as np
import pytest
from calls import ANY, LAYERS, SMALL, TIMED, case, drawn
from hypothesis import given, settings
from scans import NATIVE

from scanproof.properties.domain import DEEP, LONG, Domain, most, nearest
from scanproof.properties.room import draws
from scanproof.properties.systems import layers, room_of, scan
from scanproof.reference.allowance.scans import inputs_of
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.call import called, kinds_of
from scanproof.reference.systems import SYSTEMS
from scanproof.reference.transitions.diagonal import scan as loop
from scanproof.reference.truth import truth


def contents(call):
    return {name: x.tobytes() for name, x in call.arguments.items()}


# ---------------------------------------------------------------- every system
@pytest.mark.parametrize("system", SYSTEMS)
def test_a_draw_is_reproducible_from_its_seed(system):
    first, second, other = (drawn(system, start=True, bars=True, seed=seed) for seed in (1, 1, 2))
    assert contents(first) == contents(second)
    assert contents(first) != contents(other)


@pytest.mark.parametrize(("system", "dtype"), [(name, dtype) for name, system in SYSTEMS.items() for dtype in system.dtypes])
def test_draws_are_calls_of_the_declared_dtype(system, dtype):
    for sparse, two in ((False, False), (True, system in LAYERS)):
        call = drawn(system, dtype, start=True, bars=True, sparse=sparse, two=two)
        assert contents(called(SYSTEMS[system], call.arguments, dtype)) == contents(call)
        for name, x in call.arguments.items():
            assert x.dtype == kinds_of(dtype)[SYSTEMS[system].argument[name].kinds[0]], name
        assert call.layout.bidirectional == two


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_strategy_draws_from_the_deck_and_from_every_regime(system):
    room, declared, domain = room_of(system), Arithmetic("float32"), ANY
    deck, regimes, seen = room.deck(domain, 33), room.regimes(declared, domain), {}

    @settings(max_examples=60, deadline=None, derandomize=True, database=None)
    @given(draws(room, declared, domain, 33))
    def look(draw):
        assert draw.sizes in deck
        assert draw.sizes.get("time", 1) <= 33
        for name, word in draw.regime.items():
            assert word in regimes[name]
            seen.setdefault(name, set()).add(word)

    look()
    for name, words in regimes.items():
        assert len(seen[name]) > min(len(set(words)), 6) / 2, name


@pytest.mark.parametrize("system", SYSTEMS)
def test_decks_lie_in_their_domain(system):
    room, fields = room_of(system), {"lengths": {8, 100}, "channels": {4}, "states": {2, 6}}
    axis = {"lengths": "time", "channels": "channels" if system == "scan" else "width", "states": "state"}
    axis |= {"states": "n"} if system == "expm" else {}
    domain = room.fitted(Domain(**{name: frozenset(numbers) for name, numbers in fields.items() if name in room.axes}))
    found = room.deck(domain, 1000)
    for name in room.axes:
        assert {sizes[axis[name]] for sizes in found} <= fields[name], name
    assert len({tuple(sizes.values()) for sizes in found}) == len(found) <= 12
    for law in ("equivalence", "impulses", "integer-cases", "gradients"):
        for visit in room.visits(law, domain):
            for name in room.axes:
                assert visit.sizes.get(axis[name]) in fields[name], (law, name)


# ---------------------------------------------------------------- domains
@pytest.mark.parametrize(
    ("domain", "words"),
    [
        ({"lam": "some"}, "lam: found 'some', expected constant, varying or both"),
        ({"positive": "some"}, "positive: found 'some', expected none, lam or all"),
        ({"lengths": frozenset()}, r"lengths: found \[\], expected positive numbers"),
        ({"channels": frozenset({0, 4})}, r"channels: found \[0, 4\], expected positive numbers"),
        ({"states": frozenset({-1})}, r"states: found \[-1\], expected positive numbers"),
        ({"lengths": frozenset({10**5})}, "lengths: found none up to 8192, expected one that can be searched"),
        ({"channels": frozenset({2000})}, "channels: found none up to 1024, expected a number that can be searched"),
    ],
)  # fmt: skip
def test_domains_that_hold_nothing_are_named(domain, words):
    with pytest.raises(ValueError, match=f"^{words}"):
        Domain(**domain)


CANNOT = [
    ("rotrnn", {"states": frozenset({3})}, "states: found 3, expected a multiple of 2 up to 256 (judge takes any size)"),
    ("lru", {"states": frozenset({300})}, "states: found 300, expected one up to 256 (judge takes any size)"),
    ("lru", {"lam": "constant"}, "lam: found constant with system lru, which has no such choice, expected none"),
    ("rotrnn", {"positive": "all"}, "positive: found all with system rotrnn, which has no such choice, expected none"),
    ("scan", {"states": frozenset({2, 1})}, "states: found 1,2 with system scan, which has no such choice, expected none"),
    ("expm", {"channels": frozenset({2})}, "channels: found 2 with system expm, which has no such choice, expected none"),
]


@pytest.mark.parametrize(("system", "domain", "line"), CANNOT)
def test_a_domain_that_the_system_cannot_have(system, domain, line):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        room_of(system).fitted(Domain(**domain))
    assert str(error.value) == line


def test_odd_heads_are_left_out():
    assert room_of("rotrnn").fitted(Domain(states=frozenset({1, 3, 4}))).states == {4}
    assert room_of("lru").fitted(Domain(states=frozenset({1, 3, 4}))).states == {1, 3, 4}


def test_the_longest_and_the_widest_that_are_accepted():
    assert ANY.long() == LONG
    assert max(LONG) >= 4097
    for lengths, longest in (({8, 100}, (100,)), ({9, 2000, 8192, 9000}, (8192,)), ({9, 4097}, (4097,))):
        assert Domain(lengths=frozenset(lengths)).long() == longest
    domain = Domain(lengths=frozenset({9, 2000}), channels=frozenset({3, 512, 4000}))
    assert scan.wide(domain) == {"batch": 1, "time": 9, "channels": 512}
    assert scan.long(domain) == ({"batch": 1, "time": 2000, "channels": 3},)
    assert (most(frozenset({3, 90}), 80, DEEP), most(None, 80, DEEP)) == (3, DEEP)
    assert [nearest(n, frozenset({4, 8})) for n in (1, 6, 7, 90)] == [4, 4, 8, 8]


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        (Domain(), [(4096, 2, 2), (4097, 2, 2), (3, 65, 2), (3, 2, 66)]),
        (Domain("both", frozenset({1, 2, 300, 9000}), frozenset({4, 512, 2000}), "none", frozenset({2, 128, 1000})),
         [(300, 4, 2), (2, 512, 2), (2, 4, 128)]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("system", LAYERS)
def test_the_largest_of_each_size_is_visited(system, domain, expected):
    room = room_of(system)

    def found(sizes):
        return [(each["time"], each["width"], each["state"]) for each in sizes]

    assert found(layers.ends(domain)) == expected
    for law in ("impulses", "equivalence", "gradients"):
        assert set(expected) <= set(found(visit.sizes for visit in room.visits(law, domain))), law


# ---------------------------------------------------------------- scans
@pytest.mark.parametrize("dtype", NATIVE)
@pytest.mark.parametrize("size", scan.SIZES)
@pytest.mark.parametrize("lam", scan.LAMBDAS)
def test_regimes_of_scans_are_what_they_are_called(dtype, size, lam):
    sizes = {"batch": 2, "time": 64, "channels": 4}
    call = drawn("scan", dtype, sizes, start=True, lam=lam, size=size, seed=9)
    info, modulus = np.finfo(dtype), np.abs(call["lam"].astype(complex))
    largest = float(np.abs(call["b"].astype(complex)).max())
    bounds = {"near 0": (0, 0.125), "half": (0.2, 0.8), "near 1": (0.87, 1), "exactly 1": (1, 1), "above 1": (1, 1 + 1 / 64)}
    low, high = bounds[lam]
    rounding = 4 * float(info.eps)
    assert (modulus >= low - rounding).all()
    assert (modulus <= high + rounding).all()
    assert (largest < info.smallest_normal) == (size == "subnormal")
    assert (largest > float(info.max) / 2**14) == (size == "near overflow")
    assert ((call["b"] == call["b"][:, :1]).all()) == (size == "constant")
    assert np.isfinite(truth(inputs_of(call)).head).all()


def test_the_usual_regime_is_the_first_of_each():
    usual = {"varying": False, "lam": "half", "size": "unit"}
    assert case("scan").regime == usual
    assert case("scan", size="mixed").regime == usual | {"size": "mixed"}
    assert case("scan", domain=Domain(lam="varying")).regime == usual | {"varying": True}


@pytest.mark.parametrize("declared", [{"subnormals": "ftz"}, {"subnormals": "daz"}, {"order": "fft"}], ids=str)
def test_magnitudes_that_tell_nothing_are_left_out(declared):
    sizes = room_of("scan").regimes(Arithmetic("float32", **declared), ANY)["size"]
    assert "subnormal" not in sizes
    assert ("near overflow" in sizes) == ("order" not in declared)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("size", scan.SIZES)
def test_loops_over_draws_of_16_bit_formats_do_not_overflow(dtype, size):
    for number, lam in enumerate(scan.LAMBDAS):
        for sizes in scan.deck(ANY, 1000):
            regime = {"varying": bool(number % 2), "lam": lam, "size": size}
            call = drawn("scan", dtype, sizes, start=True, seed=number, **regime)
            for x in call.arguments.values():
                assert x.dtype == dtype
                assert np.isfinite(x).all()
            assert np.isfinite(loop(call["lam"], call["b"], call["h0"])).all()  # and NumPy does not warn


# ---------------------------------------------------------------- layers
BOUNDS = {"near 0": (0, 2.0**-3), "half": (0.25, 0.75), "near 1": (0.875, 1), "very near 1": (1 - 2.0**-7, 1)}


@pytest.mark.parametrize("system", LAYERS)
@pytest.mark.parametrize("modulus", layers.MODULI)
def test_decays_of_layers_are_what_they_are_called(system, modulus):
    name = "nu_log" if system == "lru" else "gamma_log"
    low, high = BOUNDS[modulus]
    for seed in range(5):
        decay = np.exp(-np.exp(drawn(system, "float64", modulus=modulus, seed=seed)[name]))
        assert ((low < decay) & (decay < high)).all()
    assert set(layers.MODULI) == BOUNDS.keys()


@pytest.mark.parametrize("system", LAYERS)
def test_inputs_of_layers_are_what_they_are_called(system):
    sizes = {"batch": 2, "time": 9, "width": 3}
    found = {size: drawn(system, "float64", sizes, size=size)["u"] for size in layers.INPUTS}
    assert (np.abs(found["unit"]) <= 4).all()
    assert (found["constant"] == found["constant"][:, :1]).all()
    assert np.abs(found["mixed"]).max() > 8 * np.abs(found["unit"]).max()
    impulse = found["impulse"]
    assert (impulse.any(2).sum(1) == 1).all()
    assert (np.frexp(impulse[impulse != 0])[0] == 0.5).all()  # powers of two


@pytest.mark.parametrize("system", LAYERS)
def test_sparse_parameters_hardly_round(system):
    call = drawn(system, "float64", sparse=True)
    matrices = [call[name] for name in call.arguments if name[0] in "BC" and name[1:] != "2"]
    ones = np.concatenate([x[x != 0] for x in matrices])
    assert (np.abs(np.frexp(ones)[0]) == 0.5).all()
    assert not call["D"].any()


# ---------------------------------------------------------------- in the domain, or not
@pytest.mark.parametrize("system", TIMED)
def test_a_room_holds_the_calls_of_a_domain(system):
    room, call = room_of(system), drawn(system)
    length, width = call.size("time"), SMALL[system].get("channels") or SMALL[system]["width"]
    assert room.holds(call, ANY)
    for name, number in (("lengths", length), ("channels", width)):
        assert room.holds(call, Domain(**{name: frozenset({number, 1})}))
        assert not room.holds(call, Domain(**{name: frozenset({number + 1})}))
    if "lam" in room.others:
        assert [room.holds(call, Domain(lam=word)) for word in ("constant", "varying")] == [True, False]

"""`judge`: precedence, what informs, what is undecided and why, and the form of its answers."""

import json
from dataclasses import replace
from fractions import Fraction

import calls
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scans import NATIVE

from scanproof.properties.domain import Domain
from scanproof.properties.explain import UNINFORMED
from scanproof.properties.judge import judge
from scanproof.properties.room import draws
from scanproof.properties.systems import room_of
from scanproof.properties.systems.scan import LAMBDAS, SIZES
from scanproof.properties.verdict import CLAIMS
from scanproof.properties.verdict import judged as judged_call
from scanproof.properties.versions.scan import CHUNK, chunked, drops_carry, returns_input, zeros
from scanproof.reference.allowance.certificate import certify
from scanproof.reference.allowance.scans import inputs_of
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.formats import DTYPES, format_of
from scanproof.reference.arithmetic.vocabulary import UNMODELLED_ORDERS
from scanproof.reference.inputs import Inputs
from scanproof.reference.transitions.diagonal import scan
from scanproof.reference.truth import truth
from scanproof.reference.truth.exact import exact_state

FLOAT64 = Arithmetic("float64")
LAM, B = np.array([0.5]), np.array([[[1.0], [1.0], [1.0]]])
STATES = np.array([[[1.0], [1.5], [1.75]]])


def judged(got, lam=LAM, b=B, arithmetic=FLOAT64, **optional):
    return judge("scan", got, lam=lam, b=b, arithmetic=arithmetic, **optional)


def verdict_of(got, inputs, arithmetic, certified=None):
    call = calls.scans(inputs.lam, inputs.b, inputs.h0, inputs.reverse)
    return judged_call({"h": got}, call, arithmetic, certified)


# ---------------------------------------------------------------- verdicts and their precedence
def test_an_exact_result_is_nearest_and_one_last_bit_more_is_within_and_never_called_correct():
    verdict = judged(STATES)
    assert (verdict.verdict, verdict.grade, verdict.ratio, verdict.bits_lost, verdict.rounded) == ("nearest", None, 0, 0, 1)
    assert verdict.reason == CLAIMS["nearest"]
    lam, b = LAM * 0.6, B / 3  # an allowance of zero has no room for a last bit
    right = truth(Inputs(lam, b)).head
    assert judged(right, lam, b).verdict == "nearest"
    right[0, 2, 0] = np.nextafter(right[0, 2, 0], 2)
    verdict = judged(right, lam, b)
    assert (verdict.verdict, verdict.reason, verdict.rounded) == ("within", CLAIMS["within"], 2 / 3)
    assert "correct" not in str(verdict)


def test_one_wrong_element_is_outside_with_grade_index_and_values():
    got = STATES.copy()
    got[0, 1, 0] += 2.0**-40
    verdict = judged(got)
    assert (verdict.verdict, verdict.grade) == ("outside", "theorem")
    assert verdict.counts == {"outside": 1, "undecided": 0, "within": 2}
    assert (verdict.worst.index, verdict.worst.got, verdict.worst.truth) == ((0, 1, 0), 1.5 + 2.0**-40, 1.5)
    assert verdict.worst.error >= 2.0**-40 > verdict.worst.allowance
    assert verdict.ratio == verdict.worst.ratio > 1
    assert CLAIMS["outside"] in verdict.reason


def overflowing_lane():
    """Lane 0 may overflow, lane 1 is harmless."""
    b = np.full((1, 4, 2), 1.0)
    b[..., 0] = 1.2e308
    return b


def test_overflow_that_is_possible_makes_undecided():
    got = np.ones((1, 4, 2))
    got[0, 1:, 0], got[0, :, 1] = np.inf, [1, 2, 3, 4]
    verdict = judged(got, lam=np.ones(2), b=overflowing_lane())
    assert (verdict.verdict, verdict.grade) == ("undecided", None)
    assert "overflow is possible in 4 of 8 elements" in verdict.reason


def test_outside_wins_over_undecided_and_the_worst_element_is_an_outside_one():
    """Lane 0 is not finite and undecided: its infinite error must not be shown as the proof."""
    got = np.full((1, 4, 2), np.inf)
    got[0, :, 1] = [1.1, 2.2, 3.5, 4.5]
    verdict = judged(got, lam=np.ones(2), b=overflowing_lane() * 1.1)
    assert (verdict.verdict, verdict.counts["undecided"]) == ("outside", 4)
    assert verdict.worst.index in {(0, 2, 1), (0, 3, 1)}
    assert np.isfinite(verdict.ratio)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", NATIVE)
def test_not_finite_is_outside_where_nothing_can_overflow(value, dtype):
    got = STATES.astype(dtype)
    got[0, 2, 0] = value
    verdict = judged(got, LAM.astype(dtype), B.astype(dtype), Arithmetic(dtype))
    assert (verdict.verdict, verdict.worst.index) == ("outside", (0, 2, 0))


def last_bit_more(right):
    """The next float in the last step: no longer the correct rounding."""
    got = right.copy()
    got[:, -1] = np.nextafter(got[:, -1], got.dtype.type(np.inf))
    return got


def alternating(time):
    """Drive whose sums stay near one while their absolute values grow: the allowance of any order outgrows them."""
    noise = np.random.default_rng(0).uniform(1, 1.1, (1, time, 1))
    return (noise * (-1.0) ** np.arange(time)[None, :, None]).astype("float32")


def test_an_allowance_too_large_to_inform_is_undecided_but_still_refutes():
    lam, b = np.float32([1.0]), alternating(500)
    arithmetic = Arithmetic("float32")
    right = scan(lam, b)  # sums that are exact in float32
    verdict = judged(last_bit_more(right), lam, b, arithmetic)
    assert (verdict.verdict, verdict.informative) == ("undecided", 0)
    assert "too large to tell zeros or a dropped carry in 1 of 1 sequences" in verdict.reason
    assert judged(right + np.float32(1e6), lam, b, arithmetic).verdict == "outside"
    verdict = judged(right, lam, b, arithmetic)  # `nearest` needs no allowance, hence no informative one
    assert (verdict.verdict, verdict.informative) == ("nearest", 0)


def test_lanes_of_zeros_do_not_make_a_case_informative():
    """Returned zeros are right in nine lanes and cannot be told in the tenth: nothing can be said."""
    b = np.zeros((1, 500, 10), "float32")
    b[..., 3:4] = alternating(500)
    lam, arithmetic, got = np.ones(10, "float32"), Arithmetic("float32"), scan(np.ones(10, "float32"), b)
    got[..., 3:4] = last_bit_more(got[..., 3:4])
    assert judged(got, lam, b, arithmetic).verdict == "undecided"
    assert judged(0 * b, lam, 0 * b, arithmetic).verdict == "nearest"  # zeros alone are met exactly


@pytest.mark.parametrize(("shape", "name"), [((0, 3, 2), "b"), ((2, 0, 2), "b"), ((2, 3, 0), "lam")])
def test_empty_arrays_are_refused(shape, name):
    empty = np.zeros(shape)
    with pytest.raises(ValueError, match=rf"^{name}: found shape .*, expected no empty axis$"):
        judged(empty, np.ones(shape[2]), empty)


@pytest.mark.parametrize("order", UNMODELLED_ORDERS)
@pytest.mark.parametrize("dtype", NATIVE)
def test_an_order_that_is_not_modelled_is_undecided_unless_every_element_is_correctly_rounded(dtype, order):
    for got in (last_bit_more(STATES.astype(dtype).real), 0 * STATES, STATES + np.nan):
        verdict = judged(got.astype(dtype), LAM.astype(dtype), B.astype(dtype), Arithmetic(dtype, order=order))
        assert (verdict.verdict, verdict.reason) == ("undecided", f"no allowance is known for order {order}")
    verdict = judged(STATES.astype(dtype), LAM.astype(dtype), B.astype(dtype), Arithmetic(dtype, order=order))
    assert (verdict.verdict, verdict.reason) == ("nearest", CLAIMS["nearest"])


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ({"subnormals": "ftz"}, "order fft with subnormals ftz"),
        ({"accumulate": "float64"}, "order fft with accumulate float64"),
        ({"operands": "tf32"}, "order fft with operands tf32"),
        ({"rounding": "truncate"}, "order fft with rounding truncate"),
    ],
)
def test_other_algorithms_are_not_modelled_in_every_arithmetic(declared, reason):
    lam, b, got = (x.astype("float32") for x in (LAM, B, STATES + 100))
    verdict = judged(got, lam, b, Arithmetic("float32", order="fft", **declared))
    assert (verdict.verdict, verdict.reason) == ("undecided", f"no allowance is known for {reason}")
    assert judged(got, lam, b, Arithmetic("float32", order="fft")).verdict == "outside"


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_formats_of_16_bits_are_judged(dtype):
    lam, b, right = (x.astype(dtype) for x in (LAM, B, STATES))
    assert judged(right, lam, b, Arithmetic(dtype)).verdict == "nearest"
    verdict = judged((STATES + 100).astype(dtype), lam, b, Arithmetic(dtype))
    assert (verdict.verdict, verdict.grade) == ("outside", "theorem")


def test_the_certificate_may_be_handed_over():
    """What `check` saves by handing it over is not another judgement."""
    for reverse in (False, True):
        inputs = Inputs(LAM, B, None, reverse)
        certificate = list(certify(calls.scans(LAM, B, None, reverse), FLOAT64))
        for got in (STATES, STATES + 1):
            assert verdict_of(got, inputs, FLOAT64) == verdict_of(got, inputs, FLOAT64, certificate)


# ---------------------------------------------------------------- nearest
def rounded_once(inputs, dtype):
    """The exact states, each component rounded to nearest from a rational number."""
    out = np.zeros(inputs.b.shape, dtype)
    for index in np.ndindex(*out.shape):
        H, s = exact_state(inputs, index)
        components = [rounded_rational(Fraction(h, 1 << s), format_of(dtype).significand_bits) for h in H]
        out[index] = complex(*components) if len(components) == 2 else components[0]
    return out


def rounded_rational(x, bits):
    """x to so many bits, ties to even; x is neither tiny nor huge."""
    if x == 0:
        return 0.0
    exponent = abs(x.numerator).bit_length() - x.denominator.bit_length()
    exponent -= abs(x) < Fraction(2) ** exponent
    unit = Fraction(2) ** (exponent - bits + 1)
    return float(round(x / unit) * unit)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_correct_roundings_are_nearest_whatever_is_declared_and_one_last_bit_is_not(dtype, reverse):
    sizes = {"batch": 2, "time": 25, "channels": 2}
    regime = {"varying": True, "lam": "near 1", "size": "unit"}
    inputs = inputs_of(calls.drawn("scan", dtype, sizes, start=True, reverse=reverse, seed=3, **regime))
    right = rounded_once(inputs, dtype)
    assert not np.array_equal(right, scan(inputs.lam, inputs.b, inputs.h0, reverse))  # a loop is not that good
    wrong = right.copy()
    component = wrong.real if Arithmetic(dtype).is_complex else wrong
    component[1, 7, 0] = np.nextafter(component[1, 7, 0], component.dtype.type(np.inf))
    for order in ("any", "tree", "chunked:8", "fft", "angle-sum", *UNMODELLED_ORDERS):
        declared = Arithmetic(dtype, order=order)
        verdict = verdict_of(right, inputs, declared)
        assert (verdict.verdict, verdict.reason, verdict.grade) == ("nearest", CLAIMS["nearest"], None)
        verdict = verdict_of(wrong, inputs, declared)
        assert verdict.verdict in (("undecided",) if declared.unmodelled else ("within", "undecided"))
        assert verdict.rounded == 99 / 100


def test_the_share_of_correct_roundings_by_hand():
    """1, 1.5, 1.75, 1.875: the second is off by one last bit, the fourth by one."""
    lam, b = np.float32([0.5]), np.float32([[[1], [1], [1], [1]]])
    got = np.float32([[[1], [np.nextafter(np.float32(1.5), np.float32(2))], [1.75], [2.875]]])
    verdict = judged(got, lam, b, Arithmetic("float32"))
    assert (verdict.verdict, verdict.rounded) == ("outside", 0.5)
    complexes = (got + 0j).astype("complex64")
    complexes[0, 0, 0] += np.complex64(1e-8j)  # one wrong component makes the element wrong
    assert judged(complexes, lam, (b + 0j).astype("complex64"), Arithmetic("complex64")).rounded == 0.25
    assert judged(got * np.float32(np.nan), lam, b, Arithmetic("float32")).rounded == 0


def test_an_outside_is_never_nearest():
    """Exact zeros where every element but one is right; and a result that is right by its values but not by its own states."""
    got = STATES.copy()
    got[0, 0, 0] = np.nextafter(1.0, 2)
    verdict = judged(got)
    assert (verdict.verdict, verdict.rounded) == ("outside", 2 / 3)  # an input handed on has no allowance
    rng = np.random.default_rng(0)
    lam, b = np.full(1, 0.999, "float32"), rng.standard_normal((1, 300, 1)).astype("float32")
    right = scan(lam.astype(float), b.astype(float)).astype("float32")
    stepwise = Arithmetic("float32", order="sequential", accumulate="float64", store="step")
    verdict = judged(right, lam, b, stepwise)
    assert (verdict.verdict, verdict.window, verdict.rounded) == ("outside", True, 1)


def test_zeros_of_either_sign_are_nearest():
    b = np.zeros((1, 3, 1))
    assert judged(-b, LAM, b).verdict == judged(b, LAM, -b).verdict == "nearest"


# ---------------------------------------------------------------- the declaration that would not be refuted
def test_flushed_results_name_the_declaration_that_allows_them():
    lam, b = np.float32([0.5]), np.float32([[[1e-37], [0.0], [0.0], [0.0], [0.0], [0.0]]])
    got = scan(lam, b)
    got[np.abs(got) < np.finfo("float32").smallest_normal] = 0
    verdict = judged(got, lam, b, Arithmetic("float32"))
    assert verdict.verdict == "outside"
    assert verdict.not_refuted_under == str(Arithmetic("float32", subnormals="ftz")) + UNINFORMED
    assert judged(got, lam, b, Arithmetic("float32", subnormals="ftz")).verdict != "outside"


def test_flushed_inputs_need_daz():
    lam, b = np.float32([1e-40]), np.float32([[[1e38], [0.0]]])
    verdict = judged(b.copy(), lam, b, Arithmetic("float32", order="sequential"))  # 1e-40 read as 0, where 0.01 is the truth
    daz = Arithmetic("float32", subnormals="daz", order="sequential")
    assert (verdict.verdict, verdict.not_refuted_under) == ("outside", str(daz) + UNINFORMED)


def test_a_wrong_result_has_no_declaration_that_saves_it():
    assert judged(STATES + 1).not_refuted_under is None


# ---------------------------------------------------------------- informative cases see the three mutants
def some_chunk_carries(inputs, exact):
    """Whether dropping the carries between chunks changes an exact state."""
    forward, head = inputs.forward(), exact.head[:, ::-1] if inputs.reverse else exact.head
    lam = np.broadcast_to(forward.lam, head.shape)
    return bool(((lam[:, CHUNK::CHUNK] != 0) & (head[:, CHUNK - 1 : -1 : CHUNK] != 0)).any())


@pytest.mark.parametrize("dtype", NATIVE)
def test_the_three_mutants_are_outside_in_every_informative_case(dtype):
    """By construction of what informs, in every regime, with and without h0, both directions."""
    seen = []

    @settings(max_examples=40, deadline=None, derandomize=True, database=None)
    @given(draws(room_of("scan"), Arithmetic(dtype), Domain(), 1000), st.booleans(), st.booleans())
    def informative_cases_see_them(draw, h0, reverse):
        call = draw.call()
        inputs = replace(inputs_of(draw.started(call) if h0 else call), reverse=reverse)
        verdict = verdict_of(chunked(inputs.lam, inputs.b, inputs.h0, inputs.reverse), inputs, draw.arithmetic)
        assert verdict.verdict != "outside"
        exact = truth(inputs)
        for mutant in (zeros, returns_input, drops_carry):
            got = mutant(inputs.lam, inputs.b, inputs.h0, inputs.reverse)
            elsewhere = bool(((got != exact.head) | (exact.tail != 0)).any())
            differs = some_chunk_carries(inputs, exact) if mutant is drops_carry else elsewhere
            if differs and 2 * verdict.informative >= 1:
                seen.append(mutant)
                assert verdict_of(got, inputs, draw.arithmetic).verdict == "outside"

    informative_cases_see_them()
    assert min(seen.count(zeros), seen.count(returns_input), 4 * seen.count(drops_carry)) >= 20  # T > 16 for a carry


@pytest.mark.parametrize("dtype", NATIVE)
def test_a_dropped_carry_is_outside_in_informative_cases_of_every_regime(dtype):
    """In every regime of lam and of magnitude, where it informs."""
    seen = dict.fromkeys([(lam, size) for lam in LAMBDAS for size in SIZES], 0)
    for number, (lam, size) in enumerate(seen):
        sizes, regime = {"batch": 2, "time": 101, "channels": 4}, {"varying": bool(number % 2), "lam": lam, "size": size}
        draw = calls.case("scan", dtype, sizes, seed=number, **regime)
        inputs = inputs_of(draw.call())
        informs = 2 * verdict_of(chunked(inputs.lam, inputs.b), inputs, draw.arithmetic).informative >= 1
        assert informs or lam == "near 0"
        seen[lam, size] += verdict_of(drops_carry(inputs.lam, inputs.b), inputs, draw.arithmetic).verdict == "outside"
        assert seen[lam, size] or not informs
    assert sum(seen.values()) >= 12


def test_a_lane_whose_carry_is_hidden_does_not_inform():
    """With lam near 2^-24 the carry is within the allowance of every element: small allowance, no information."""
    lam, b = np.float32([0.98 * 2.0**-24]), np.full((1, 50, 1), 1.05, "float32")  # a carry of 1.03 2^-24: not rounded to b
    verdict = judged(b.copy(), lam, b, Arithmetic("float32"))
    assert (verdict.verdict, verdict.informative) == ("undecided", 0)
    verdict = judged(b.copy(), lam * np.float32(2.0**-7), b, Arithmetic("float32"))  # there b is the states, rounded
    assert (verdict.verdict, verdict.informative) == ("nearest", 0)


# ---------------------------------------------------------------- optional arguments
@pytest.mark.parametrize("dtype", NATIVE)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("varying", [False, True])
def test_h0_and_reverse_are_judged_as_declared(dtype, reverse, varying):
    sizes = {"batch": 2, "time": 20, "channels": 3}
    inputs = inputs_of(calls.drawn("scan", dtype, sizes, start=True, reverse=reverse, seed=5, varying=varying))
    keywords = {"lam": inputs.lam, "b": inputs.b, "h0": inputs.h0, "reverse": reverse, "arithmetic": Arithmetic(dtype)}
    got = scan(inputs.lam, inputs.b, inputs.h0, reverse)
    assert judge("scan", got, **keywords).verdict == "within"
    assert judge("scan", got, **keywords | {"reverse": not reverse}).verdict == "outside"
    assert judge("scan", got, **keywords | {"h0": None}).verdict == "outside"


def test_real_lam_with_complex_drive():
    b = (B * (1 + 1j)).astype("complex64")
    got = (STATES * (1 + 1j)).astype("complex64")
    assert judge("scan", got, lam=LAM.astype("float32"), b=b).verdict == "nearest"
    assert judge("scan", got + np.complex64(1j), lam=LAM.astype("float32"), b=b).verdict == "outside"


def test_the_default_arithmetic_is_the_dtype_of_b():
    assert judge("scan", STATES, lam=LAM, b=B).arithmetic == FLOAT64


# ---------------------------------------------------------------- bad input, output form
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"system": "scam"}, ["system", "'scam'", "scan"]),
        ({"got": STATES[:, :2]}, ["got", "(1, 2, 1)", "(1, 3, 1)"]),
        ({"got": STATES.astype("float32")}, ["got", "float32", "float64"]),
        ({"got": STATES.tolist()}, ["got", "list", "NumPy array"]),
        ({"got": None}, ["got", "NoneType"]),
        ({"b": B.tolist()}, ["b", "list"]),
        ({"b": B * np.nan}, ["b", "nan", "finite"]),
        ({"lam": np.ones(2)}, ["lam", "channels 2", "channels 1"]),
        ({"h0": np.ones((1, 2))}, ["h0", "(1, 2)", "channels 1"]),
        ({"reverse": 1}, ["reverse", "1"]),
    ],
)
def test_bad_arguments_are_named_in_one_line(change, words):
    keywords = {"system": "scan", "got": STATES, "lam": LAM, "b": B} | change
    with pytest.raises((ValueError, TypeError)) as error:
        judge(keywords.pop("system"), keywords.pop("got"), **keywords)
    message = str(error.value)
    assert message.startswith(words[0] + ":")
    assert all(word in message for word in words)
    assert "\n" not in message


def test_the_answer_is_plain_json():
    got = (STATES + 1j).astype("complex128")
    verdict = judge("scan", got, lam=LAM.astype(complex), b=B.astype(complex))
    plain = json.loads(json.dumps(verdict.as_dict()))
    assert plain["verdict"] == "outside"
    assert plain["worst"]["got"] == [verdict.worst.got.real, 1.0]
    assert plain["worst"]["index"] == list(verdict.worst.index)
    assert plain["arithmetic"] == {
        "dtype": "complex128", "subnormals": "gradual", "contraction": True, "order": "any", "accumulate": None,
        "store": "output", "operands": None, "rounding": "nearest", "assumed": 1.0, "stages": None, "adjoint": "any",
        "sums": "any", "expm": "default", "gain": "expm1",
    }  # fmt: skip
    assert (plain["rounded"], plain["window"], plain["assumed_needed"]) == (0, False, None)


@pytest.mark.parametrize("scale", [1.0, 2.0**-140, 2.0**100])
def test_bits_lost_counts_from_the_last_bit_of_the_lane(scale):
    """An error of 2^k units in the last place of the lane's rms is k bits, at every magnitude."""
    lam, b = np.float32([0.0]), np.full((1, 4, 1), scale, "float32")
    got = b.copy()
    got[0, 2, 0] *= np.float32(1.25)
    unit = max(2.0**-24 * scale, 2.0**-149)
    verdict = judged(got, lam, b, Arithmetic("float32"))
    assert verdict.verdict == "outside"
    assert verdict.bits_lost == np.log2(0.25 * scale / unit)


def test_verdicts_are_values():
    assert judged(STATES) == judged(STATES.copy())
    assert judged(STATES) != replace(judged(STATES), ratio=1.0)


def test_products_in_fewer_bits_than_declared_are_named():
    """bfloat16 products and sums, declared as accumulated in float32."""
    b = np.random.default_rng(0).standard_normal((1, 40, 3)).astype("bfloat16")
    lam = np.full(3, 0.9).astype("bfloat16")
    h = scan(lam, b)
    verdict = judge("scan", h, lam=lam, b=b, arithmetic=Arithmetic("bfloat16", accumulate="float32"))
    assert verdict.verdict == "outside"
    assert verdict.not_refuted_under == str(Arithmetic("bfloat16")) + UNINFORMED


def test_narrowed_operands_are_named():
    rng = np.random.default_rng(0)
    lam, b = rng.uniform(0.5, 0.9, 3).astype(np.float32), rng.standard_normal((1, 40, 3)).astype(np.float32)
    narrow = lambda x: (x.view(np.uint32) & np.uint32(0xFFFFE000)).view(np.float32)  # noqa: E731
    h, state = np.zeros_like(b), np.zeros_like(b[:, 0])
    for t in range(40):
        h[:, t] = state = narrow(lam) * narrow(state) + b[:, t]
    verdict = judge("scan", h, lam=lam, b=b, arithmetic=Arithmetic("float32"))
    assert (verdict.verdict, verdict.not_refuted_under) == ("outside", str(Arithmetic("float32", operands="tf32")) + UNINFORMED)


def test_without_a_declaration_that_fits_there_is_none():
    lam, b = np.full(3, 0.5, np.float32), np.ones((1, 40, 3), np.float32)
    assert judge("scan", 2 * scan(lam, b), lam=lam, b=b).not_refuted_under is None

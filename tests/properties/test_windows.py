"""Windows: what is read back is a start of its own, so that a fault shows at any length, and an untrue declaration too."""

import json

import calls
import numpy as np
import pytest
from scans import Ieee, Machine, Soft, chunked, draw, problem, states, stored_steps
from witnesses import recheck

from scanproof.properties.check import check
from scanproof.properties.compare import compare
from scanproof.properties.judge import judge
from scanproof.properties.verdict import judged as judged_call
from scanproof.properties.witness import witness
from scanproof.reference.allowance.scans import certify, theory, width, window
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.inputs import Inputs
from scanproof.reference.transitions.diagonal import scan


def call_of(inputs):
    return calls.scans(inputs.lam, inputs.b, inputs.h0, inputs.reverse)


def verdict_of(got, inputs, arithmetic):
    return judged_call({"h": got}, call_of(inputs), arithmetic)


def judged(got, inputs, arithmetic):
    """Every window against its own truth: the comparison, and the view that it is made of."""
    (block,) = theory(call_of(inputs), arithmetic, {"h": got})
    view = block.results["h"][1]
    return compare(got, view), view


def window_of(got, inputs, arithmetic, index):
    """The window as inputs and states."""
    call, part = window(call_of(inputs), {"h": got}, arithmetic, index)
    return Inputs(call["lam"], call["b"], call["h0"], call.reverse), part["h"]


def declared(dtype, store, **rest):
    order = "sequential" if store == "step" else "chunked:8"
    return Arithmetic(dtype, order=order, store=store, **rest)


def honest(arithmetic, inputs, carry_factor=1):
    """What the declaration says: states of the inner format, those that are printed read back. Arrays of the declared dtype."""
    wide = arithmetic.inner if arithmetic.inner in ("float32", "float64", "complex64", "complex128") else "float64"
    form = Soft("float16") if arithmetic.inner == "float16" else Soft("bfloat16")
    machine = Machine(Ieee(wide) if wide == arithmetic.inner else form)
    parts = [None if x is None else x.astype(wide) for x in (inputs.lam, inputs.b, inputs.h0)]
    store = lambda h: h.astype(arithmetic.dtype).astype(wide)  # noqa: E731
    run = stored_steps(store) if arithmetic.store == "step" else chunked(arithmetic.chunk, carry_factor, store)
    return states(run, machine, Inputs(*parts, inputs.reverse)).astype(arithmetic.dtype)


DECLARED = [declared(dtype, store) for dtype in ("float32", "float64", "float16") for store in ("step", "chunk")]
DECLARED += [declared(dtype, store, accumulate="float32") for dtype in ("float16", "bfloat16") for store in ("step", "chunk")]
DECLARED += [declared("float32", store, accumulate="float64") for store in ("step", "chunk")]


def case(arithmetic, seed, time=37, size=0.9, channels=2, **rest):
    rng = np.random.default_rng(seed)
    return problem(rng, arithmetic, size, (2, time, channels), varying=bool(seed % 2), h0=bool(seed % 3), low=-2, high=2, **rest)


@pytest.mark.parametrize("arithmetic", DECLARED, ids=str)
def test_honest_implementations_are_never_outside(arithmetic):
    directions = set()
    for seed, size, time in [(seed, size, (7, 8, 37)[seed % 3]) for seed in range(9) for size in (0.5, 0.99, 1.0)]:
        inputs = case(arithmetic, seed, time, size, zeros=0.2 * (seed % 2))
        got = honest(arithmetic, inputs)
        verdict = verdict_of(got, inputs, arithmetic)
        assert verdict.verdict != "outside", (seed, size, verdict)
        assert verdict.ratio <= 1
        directions.add(inputs.reverse)
    assert directions == {False, True}


@pytest.mark.parametrize("arithmetic", DECLARED, ids=str)
@pytest.mark.parametrize("reverse", [False, True])
def test_a_result_of_other_carries_is_refuted_by_windows_alone(arithmetic, reverse):
    """Each printed start of a window is moved by what the whole allowance admits, and the steps after it do not follow."""
    rng = np.random.default_rng(0)
    inputs = Inputs(np.ones(1, arithmetic.dtype), draw(rng, arithmetic.dtype, (1, 400, 1), -1, 1), None, reverse)
    got = honest(arithmetic, inputs)
    forward = got[:, ::-1] if reverse else got
    place = 400 // width(arithmetic) * width(arithmetic) - 1
    allowed = certify(inputs.forward(), arithmetic).allowance.bound[0, place, 0]
    forward[0, place, 0] += np.asarray(allowed / 2).astype(arithmetic.dtype)
    verdict = verdict_of(got, inputs, arithmetic)
    assert (verdict.verdict, verdict.window) == ("outside", True)
    assert "do not follow from the printed state before them" in verdict.reason
    step = verdict.worst.index[1]
    assert (399 - step if reverse else step) in range(place, 400)
    assert verdict.counts["outside"] >= 1
    output = Arithmetic(arithmetic.dtype, order=arithmetic.order, accumulate=arithmetic.accumulate)
    if arithmetic.order.startswith("chunked"):
        assert verdict_of(got, inputs, output).window is False


def faulty(lam, b, factor):
    """A loop in float32 that multiplies its state by `factor` every 64 steps."""
    h, state = np.zeros_like(b), np.zeros_like(b[:, 0])
    for t in range(b.shape[1]):
        if t and t % 64 == 0:
            state = state * np.float32(factor)
        state = lam * state + b[:, t]
        h[:, t] = state
    return h


@pytest.mark.parametrize("store", ["step", "chunk"])
def test_a_carry_fault_of_1e_5_is_found_where_the_whole_allowance_is_void(store):
    """|lam| = 1 - 1e-6, T = 20000: what any order may lose is thousands of times the fault."""
    rng = np.random.default_rng(0)
    lam, b = np.full(2, 1 - 1e-6, np.float32), rng.standard_normal((1, 20_000, 2)).astype(np.float32)
    order = "sequential" if store == "step" else "chunked:1"
    windowed, any_order = Arithmetic("float32", order=order, store=store), Arithmetic("float32")
    right, wrong = faulty(lam, b, 1), faulty(lam, b, 1 + 1e-5)
    assert judge("scan", right, lam=lam, b=b, arithmetic=windowed).verdict == "within"
    assert judge("scan", wrong, lam=lam, b=b, arithmetic=any_order).verdict == "undecided"
    verdict = judge("scan", wrong, lam=lam, b=b, arithmetic=windowed)
    assert verdict.verdict == "outside"
    assert verdict.window == (store == "chunk")  # the truth makes the allowance of a whole loop sharp enough, without windows
    found = judged(wrong, Inputs(lam, b), windowed)[0]
    steps = np.argwhere(found.outside)[:, 1]
    print(f"store={store}: {steps.size} of {2 * (20_000 // 64)} faults seen, error/allowance {verdict.ratio:.1f}")
    assert (steps % 64 == 0).all()
    assert steps.size > 2 * (20_000 // 64) * 0.9
    assert not judged(right, Inputs(lam, b), windowed)[0].outside.any()


def test_a_tree_declared_as_a_loop_is_refused():
    """Its states are no starts of its next ones; by the whole allowance of the loop it passes."""
    rng = np.random.default_rng(1)
    inputs = Inputs(np.full(2, 0.999, np.float32), rng.standard_normal((1, 1000, 2)).astype(np.float32))
    tree = states("doubling", Machine(Ieee("float32")), inputs)
    loop = scan(inputs.lam, inputs.b)
    stepwise = Arithmetic("float32", order="sequential", store="step")
    assert verdict_of(loop, inputs, stepwise).verdict == "within"
    verdict = verdict_of(tree, inputs, stepwise)
    assert (verdict.verdict, verdict.window) == ("outside", True)
    assert verdict_of(tree, inputs, Arithmetic("float32", order="tree")).verdict == "within"


# ---------------------------------------------------------------- what a window is


@pytest.mark.parametrize("arithmetic", DECLARED, ids=str)
@pytest.mark.parametrize("seed", range(6))
def test_every_element_is_judged_as_in_its_own_call(arithmetic, seed):
    """Varying lam, h0, both directions, a shorter last window: folding many windows into one call changes nothing."""
    inputs = case(arithmetic, seed, 21)
    got = honest(arithmetic, inputs)
    forward, steps = inputs.forward(), width(arithmetic)
    found, bound = judged(got[:, ::-1] if inputs.reverse else got, forward, arithmetic)
    for first in range(0, 21, steps):
        shown = 20 - first if inputs.reverse else first
        call, part = window_of(got, inputs, arithmetic, (1, shown, 0))
        assert not call.reverse
        assert part.shape == call.b.shape == (1, min(steps, 21 - first), 2)
        assert np.array_equal(part, (got[:, ::-1] if inputs.reverse else got)[1:, first : first + steps])
        start = forward.start if first == 0 else (got[:, ::-1] if inputs.reverse else got)[:, first - 1]
        assert np.array_equal(call.h0, start[1:])
        alone = certify(call, arithmetic).allowance
        known = np.where(alone.no_overflow, alone.bound, np.inf)
        pairs = (bound.bound, known), (bound.unstored, alone.unstored), (bound.no_overflow, alone.no_overflow)
        for mine, its in (*pairs, (found.bound, known)):
            assert np.array_equal(mine[1:, first : first + steps], its)
    assert not found.outside.any()


def test_only_printed_carries_make_windows():
    assert [width(Arithmetic("float32", order=order)) for order in ("any", "sequential", "chunked:8", "tree")] == [0] * 4
    assert width(Arithmetic("float32", order="sequential", store="step")) == 1
    assert width(Arithmetic("float32", order="chunked:8", store="chunk")) == 8


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("store", ["step", "chunk"])
def test_windows_that_start_from_nan_are_undecided(value, store):
    """Where states may overflow, a start that is not finite says nothing about what follows; elsewhere it is outside itself."""
    arithmetic = declared("float32", store)
    inputs = Inputs(np.ones(1, np.float32), np.full((1, 24, 1), 1e37, np.float32))
    got = scan(inputs.lam, inputs.b)
    got[0, 15:, 0] = value  # the last state of a chunk, and all that follows
    found, _ = judged(got, inputs, arithmetic)
    after = found.undecided[0, 16:, 0]
    assert after.all() if store == "step" else after[:8].all()
    assert not found.outside[0, 16:].any()
    assert found.outside[0, 15, 0]  # its own window starts from a number and cannot overflow
    assert not np.isnan(found.bound).any()


def test_a_window_decides_what_the_whole_cannot():
    """Absolute values that may overflow over the whole length do not within one step."""
    signs = (-1.0) ** np.arange(40)
    inputs = Inputs(np.ones(1, np.float32), (signs * 1e37).astype(np.float32).reshape(1, 40, 1))
    got = scan(inputs.lam, inputs.b)
    got[0, 30, 0] += np.float32(1e35)
    assert verdict_of(got, inputs, Arithmetic("float32")).verdict == "undecided"
    verdict = verdict_of(got, inputs, declared("float32", "step"))
    assert (verdict.verdict, verdict.worst.index) == ("outside", (0, 30, 0))


# ---------------------------------------------------------------- witnesses


@pytest.mark.parametrize("store", ["step", "chunk"])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "complex64"])
def test_the_window_that_fails_is_a_call_of_its_own(store, reverse, dtype):
    rng = np.random.default_rng(3)
    arithmetic = declared(dtype, store)
    inputs = Inputs(np.full(2, 1 - 1e-6, dtype), draw(rng, dtype, (1, 4000, 2), 0, 0), draw(rng, dtype, (1, 2)), reverse)
    got = honest(arithmetic, inputs)
    got[0, 2001 if reverse else 1999, 1] *= np.float32(1 + 1e-5)
    verdict = verdict_of(got, inputs, arithmetic)
    assert (verdict.verdict, verdict.window) == ("outside", True)
    call, part = window_of(got, inputs, arithmetic, verdict.worst.index)
    again = verdict_of(part, call, arithmetic)
    assert (again.verdict, again.window) == ("outside", False)
    assert again.worst.allowance == verdict.worst.allowance
    content = json.loads(witness(call_of(call), {"h": part}, again, "spoiled", "equivalence", 0).text())
    assert recheck(content) == "confirmed"
    assert recheck(content | {"allowance": float(again.worst.error * 2).hex()}).startswith("refuted")


def test_check_reports_the_window():
    """The witness is the window: one step, small enough to read, and confirmed by integers alone."""
    arithmetic = Arithmetic("float32", order="sequential", store="step")
    report = check("scan", rounds_inside, arithmetic=arithmetic, cases=4, laws=["equivalence"])
    assert report.verdict == "outside"
    assert "judged from the printed state before its window" in report.window
    assert report.witness.arguments["b"].shape[1] == 1
    assert report.failure.verdict == "outside"
    assert not report.failure.window
    assert recheck(json.loads(report.witness.text())) == "confirmed"


def rounds_inside(lam, b, h0=None, reverse=False):
    """Carries float64 states and prints them in float32: more exact than declared, and not what was declared."""
    wide = [None if x is None else x.astype(np.float64) for x in (lam, b, h0)]
    return scan(*wide, reverse).astype(b.dtype)


def test_more_exact_than_declared_is_refused_too():
    """A claim about which states are read back can be untrue of a better program: the verdict says what to declare instead."""
    rng = np.random.default_rng(5)
    lam, b = np.full(2, 0.999, np.float32), rng.standard_normal((1, 500, 2)).astype(np.float32)
    wide = {"order": "sequential", "accumulate": "float64"}
    got = rounds_inside(lam, b)
    verdict = judge("scan", got, lam=lam, b=b, arithmetic=Arithmetic("float32", store="step", **wide))
    assert (verdict.verdict, verdict.window) == ("outside", True)
    assert verdict.not_refuted_under == str(Arithmetic("float32", **wide))
    assert verdict.rounded == 1  # although every element is the correct rounding
    assert judge("scan", got, lam=lam, b=b, arithmetic=Arithmetic("float32", **wide)).verdict == "nearest"


STAGNANT = [  # declaration, lam, b: honest machines lose b, or the carry, at every step
    (Arithmetic("float32", "ftz", order="sequential", store="step"), 1.0, 0.9 * 2.0**-126),
    (Arithmetic("float16", order="sequential", store="step", accumulate="float32", rounding="truncate"), 0.9995, 2.0**-24),
    (Arithmetic("bfloat16", order="sequential", store="step"), 1.0, 2.0**-10),
]


@pytest.mark.parametrize(("arithmetic", "lam", "b"), STAGNANT, ids=lambda x: str(x))
def test_windows_do_not_inform_far_from_the_truth(arithmetic, lam, b):
    """Where each step may lose everything, returned zeros, inputs and constants can be honest: nothing can be said."""
    drive = np.full((1, 4000, 1), b).astype(arithmetic.dtype)
    start = np.ones((1, 1)).astype(arithmetic.dtype) if arithmetic.dtype == "bfloat16" else None
    inputs = Inputs(np.array([lam]).astype(arithmetic.dtype), drive, start)
    for got in (np.zeros_like(drive), drive.copy(), np.ones_like(drive)):
        verdict = verdict_of(got, inputs, arithmetic)
        assert verdict.verdict in ("undecided", "outside")
        assert verdict.informative == 0


def test_chunks_of_a_reversed_call_may_start_at_either_end():
    """T = 6 in chunks of 4 backwards, the carry rounded after steps 2..5 or after 4, 5: both are honest."""
    arithmetic = Arithmetic("float16", order="chunked:4", store="chunk", accumulate="float32")
    for seed in range(40):
        rng = np.random.default_rng(seed)
        lam, b = rng.uniform(0.5, 1, 3).astype(np.float16), rng.standard_normal((1, 6, 3)).astype(np.float16)
        for cuts in ([range(5, 1, -1), range(1, -1, -1)], [range(5, 3, -1), range(3, -1, -1)]):
            h, carry = np.zeros_like(b), np.zeros((1, 3), np.float16)
            for chunk in cuts:
                state, power = np.zeros((1, 3), np.float32), np.ones(3, np.float32)
                for t in chunk:
                    state = lam.astype(np.float32) * state + b[:, t].astype(np.float32)
                    power = power * lam.astype(np.float32)
                    h[:, t] = (state + power * carry.astype(np.float32)).astype(np.float16)
                carry = h[:, chunk[-1]].copy()
            assert verdict_of(h, Inputs(lam, b, reverse=True), arithmetic).verdict != "outside"

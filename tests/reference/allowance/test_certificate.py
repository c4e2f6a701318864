"""Blocks and strips: whatever is judged in parts has the truth, the allowance and the verdict of the whole, bit for bit."""

import itertools
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scans import OF_ORDER, exact, problem, verdict_of, worst
from thresholds import FLOAT64

from scanproof.properties import gathering
from scanproof.properties.inspection import find
from scanproof.reference.allowance import scans as module
from scanproof.reference.allowance.rounding import allowance
from scanproof.reference.allowance.scans import block_steps, certificates, certify
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.vocabulary import SUBNORMALS
from scanproof.reference.inputs import Inputs
from scanproof.reference.transitions.diagonal import scan
from scanproof.reference.truth.double_double import double_double

DTYPES = ("float16", "bfloat16", "float32", "float64", "complex64", "complex128")
WIDER = {"float16": "float32", "bfloat16": "float32", "float32": "float64", "complex64": "complex128"}


def declarations():
    """Every order with every store that fits, every dtype, with wider accumulation where there is a wider format."""
    for dtype, order in itertools.product(DTYPES, OF_ORDER):
        stores = ["output"] + ["step"] * (order == "sequential") + ["chunk"] * order.startswith("chunked")
        for store in stores:
            yield Arithmetic(dtype, order=order, store=store, accumulate=WIDER.get(dtype))
    yield Arithmetic("float32", operands="tf32", order="sequential")
    yield Arithmetic("float32", operands="tf32")
    yield Arithmetic("complex64", rounding="matrix", order="chunked:4")
    yield Arithmetic("float32", rounding="truncate", order="sequential")


def in_blocks(monkeypatch, steps):
    """From here on, blocks have so many steps (or whole chunks)."""
    def whole_chunks(sequences, arithmetic):
        chunk = arithmetic.chunk or 1
        return -(-steps // chunk) * chunk

    monkeypatch.setattr(module, "block_steps", whole_chunks)


def case(arithmetic, seed, time=41, size=0.97):
    rng = np.random.default_rng(seed)
    inputs = problem(rng, arithmetic, size, (2, time, 3), varying=bool(seed % 2), h0=bool(seed % 3), zeros=0.3 * (seed % 4 > 1),
                     low=-3, high=3)  # fmt: skip
    if seed % 5 == 4:  # integers and units, so that sequences are exact for a while
        b = np.rint(inputs.b.real.astype(float)).astype(arithmetic.dtype)
        inputs = Inputs(np.ones(3, arithmetic.dtype), b, None, inputs.reverse)
    return inputs.forward()


@pytest.mark.slow
@pytest.mark.parametrize("steps", [1, 7, 40, 41])
def test_blocks_give_what_one_call_gives(monkeypatch, steps):
    """Truth and allowance; lam constant and varying, with resets; bit for bit."""
    in_blocks(monkeypatch, steps)
    several = 0
    for number, (arithmetic, subnormals) in enumerate(itertools.product(declarations(), SUBNORMALS)):
        declared = replace(arithmetic, subnormals=subnormals)
        inputs = case(declared, number)
        whole = double_double(inputs)  # blocks are for long sequences, whose truth is that
        bound = allowance(inputs, declared, whole)
        parts = list(certificates(inputs, declared))
        several += len(parts) > 1
        if len(parts) == 1:
            continue
        for kind, of in (("truth", whole), ("allowance", bound)):
            for field in of._fields:
                joined = np.concatenate([getattr(getattr(part, kind), field) for part in parts], axis=1)
                assert np.array_equal(joined, getattr(of, field), equal_nan=True), (declared, kind, field)
        assert np.array_equal(np.concatenate([part.inputs.b for part in parts], axis=1), inputs.b)
    assert several > 60 or steps == 41


def test_blocks_need_their_carry(monkeypatch):
    """Were each block started afresh, the allowance would be another one: the test above can fail."""
    in_blocks(monkeypatch, 10)
    arithmetic = Arithmetic("float32")
    inputs = case(arithmetic, 0)
    carried = [part.allowance.bound for part in certificates(inputs, arithmetic)]
    for number, bound in enumerate(carried[1:], 1):
        part = slice(10 * number, 10 * number + bound.shape[1])
        afresh = allowance(Inputs(inputs.lam, inputs.b[:, part]), arithmetic).bound
        assert (afresh < bound).all()


def test_a_block_is_bounded_and_holds_whole_chunks():
    assert block_steps(64, Arithmetic("float32")) == module.BLOCK // 64
    assert block_steps(10**6, Arithmetic("float32")) == 1000
    for chunk in (7, 64, 1000, 5000):
        steps = block_steps(64, Arithmetic("float32", order=f"chunked:{chunk}", store="chunk"))
        assert steps % chunk == 0
        assert steps < module.BLOCK // 64 + chunk


def test_other_algorithms_come_in_one_piece(monkeypatch):
    in_blocks(monkeypatch, 5)
    inputs = case(Arithmetic("float64"), 0)
    for order in ("fft", "scaled-cumsum", "unknown"):
        (only,) = certificates(inputs, Arithmetic("float64", order=order))
        for mine, its in zip(only.allowance, certify(inputs, Arithmetic("float64", order=order)).allowance, strict=True):
            assert np.array_equal(mine, its)


@pytest.mark.slow
@pytest.mark.parametrize("order", ["any", "sequential", "tree"])
def test_long_sequences_come_in_blocks_and_are_enclosed(order):
    """At production sizes: 70 000 elements in more than one block."""
    arithmetic = Arithmetic("float32", order=order)
    inputs = case(arithmetic, 2, time=12_000, size=0.999)
    parts = list(certificates(inputs, arithmetic))
    assert len(parts) > 1
    bound = np.concatenate([part.allowance.bound for part in parts], axis=1)
    head = np.concatenate([part.truth.head for part in parts], axis=1)
    got = scan(inputs.lam, inputs.b, inputs.h0)
    assert (np.abs(got - head) <= bound).all()
    start = Inputs(inputs.lam, inputs.b[:, :50], inputs.h0)
    assert worst(got[:, :50], exact(start), bound[:, :50]) <= 1


# ---------------------------------------------------------------- verdicts


def spoiled(arithmetic, inputs, kind):
    """A result that is honest, wrong in two places, not finite somewhere, or the input."""
    wide = [None if x is None else x.astype(np.complex128 if arithmetic.is_complex else np.float64)
            for x in (inputs.lam, inputs.b, inputs.h0)]  # fmt: skip
    got = scan(*wide, inputs.reverse).astype(arithmetic.dtype)
    if kind == "wrong":
        got[0, 3, 0] *= np.asarray(1.5).astype(got.real.dtype)
        got[1, -4, 2] += np.asarray(1).astype(got.real.dtype)
    if kind == "nan":
        got[1, 5, 1] = np.nan
    return inputs.b.copy() if kind == "input" else got


def same(one, two):
    """Equal but for a few roundings of float64."""
    return one == two or abs(one - two) <= FLOAT64 * max(1, abs(two))


def in_one_piece(forward, arithmetic):
    """One block of everything, with the truth that blocks have."""
    whole = double_double(forward)
    return [module.CertifiedScan(forward, whole, allowance(forward, arithmetic, whole))]


KINDS = ("honest", "wrong", "nan", "input")


@cache
def judged_at_once():
    """Results, inputs, declarations, and verdicts over each in one piece: the same for all parts."""
    cases = []
    for number, (arithmetic, kind) in enumerate(itertools.product(declarations(), KINDS)):
        inputs = case(arithmetic, number)
        inputs = Inputs(inputs.lam, inputs.b, inputs.h0, bool(number % 2))
        got = spoiled(arithmetic, inputs, kind)
        with pytest.MonkeyPatch.context() as at_once:
            at_once.setattr(module, "certificates", in_one_piece)
            cases.append((got, inputs, arithmetic, verdict_of(got, inputs, arithmetic)))
    return cases


@pytest.mark.slow
@pytest.mark.xdist_group("parts and the whole")   # one worker, so that the whole is judged once
@pytest.mark.parametrize("strip", [2**21, 1])
@pytest.mark.parametrize("steps", [3, 16, 1000])
def test_parts_are_judged_as_the_whole(monkeypatch, strip, steps):
    """Blocks and strips of channels: the same words, counts, worst element, informative share, bits and correct roundings."""
    cases = judged_at_once()
    in_blocks(monkeypatch, steps)
    monkeypatch.setattr(gathering, "STRIP", strip)
    moved = 0
    for got, inputs, arithmetic, expected in cases:
        found = verdict_of(got, inputs, arithmetic)
        for field in ("verdict", "reason", "counts", "rounded", "window", "grade", "informative"):
            assert getattr(found, field) == getattr(expected, field), (field, arithmetic)
        assert same(found.bits_lost, expected.bits_lost)  # squares are summed in another order
        assert same(found.ratio, expected.ratio)  # one block has the truth by integers, with smaller radii
        assert repr(found.worst.got) == repr(got[found.worst.index].astype(found.worst.got.__class__).item())  # nan is nan
        if found.worst.index != expected.worst.index:  # several are equally bad
            assert same(found.worst.ratio, expected.worst.ratio)
            moved += 1
    assert moved < len(cases) / 10
    words = {expected.verdict for *_, expected in cases}
    assert words >= {"outside", "within", "nearest"}


def test_strips_run_in_channels(monkeypatch):
    """Each strip is judged by itself: as many as there are cores or channels."""
    monkeypatch.setattr(gathering, "STRIP", 1)
    monkeypatch.setattr(gathering.os, "sched_getaffinity", lambda _: range(3))
    seen = []
    monkeypatch.setattr(gathering, "find", lambda name, got, *rest: seen.append(got.shape) or find(name, got, *rest))
    arithmetic = Arithmetic("float32")
    inputs = problem(np.random.default_rng(0), arithmetic, 0.9, (2, 9, 8))
    verdict_of(scan(inputs.lam, inputs.b, inputs.h0, inputs.reverse), inputs, arithmetic)
    assert sorted(seen) == [(2, 9, 2), (2, 9, 3), (2, 9, 3)]


@pytest.mark.parametrize("shape", [(1, 0, 2), (0, 3, 2), (2, 3, 0)])
def test_empty_shapes(shape):
    inputs = Inputs(np.zeros(shape[2:]), np.zeros(shape))
    for part in certificates(inputs, Arithmetic("float64")):
        assert part.allowance.bound.shape == part.truth.head.shape == shape

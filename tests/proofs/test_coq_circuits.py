"""The circuit theorem of proofs/coq, run beside reference/allowance/bounded.py that relies on it; the definitions are in coq_circuits.py."""

import random
from fractions import Fraction
from math import prod

import pytest
from coq_circuits import (
    added_up,
    addends,
    coarse,
    contracted_square,
    counted,
    element,
    fused_square,
    open_sum,
    product_rule,
    programs,
    rounded_products,
    separate_square,
)
from coq_model import SEEDS, Model, runs, within

from scanproof.reference.arithmetic import operations
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.formats import format_of


@runs("Circuit.circuit", "Circuit.counted", "Circuit.expansion", "Circuit.same_size")
@pytest.mark.parametrize("model", [Model(), Model(loss=Fraction(0), flush=Fraction(0))])
def test_every_program_is_within_the_circuit_theorem_and_within_near(model):
    for x, done, errors in programs(model):
        for e, bounded in done:
            error = abs(e.computed - e.exact)
            assert error <= e.upper - e.size
            assert error <= counted(e, model) or model.loss
            assert e.size == sum(prod(abs(x[i]) for i in w) for w in e.monomials) == Fraction(float(bounded.X[0]))
            assert error <= Fraction(float(bounded.E[0])) * Fraction(errors.inflation())


@pytest.mark.parametrize("model", [Model(), Model(loss=Fraction(0), flush=Fraction(0))])
def test_the_circuit_bound_is_reached(model):
    reached = 0
    for _, done, _ in programs(model, positive=True):
        for e, _ in done:
            assert e.computed == e.upper
            reached += e.upper - e.size == counted(e, model) and e.m > 0 and e.a > 0
    assert reached or model.loss


@runs("CircuitSum.open_sum", "CircuitSum.same_addends")
@pytest.mark.parametrize("model", [Model(), Model(flush=Fraction(0))])
def test_open_sums_in_any_order_are_within_near(model):
    flushed = 0
    for seed in SEEDS:
        rng, errors = random.Random(seed), coarse(model)
        terms = addends(rng, positive=False)
        limit, bounded = open_sum(terms, model), element([y.size for y in terms], [y.error for y in terms], errors).sum(0)
        for _ in range(10):
            computed = added_up(rng, rng.sample([y.computed for y in terms], len(terms)), model, rng)
            assert abs(computed - sum(y.value for y in terms)) <= limit
            flushed += computed == 0 and any(y.computed for y in terms)
        E, room = Fraction(float(bounded.E)), Fraction(errors.inflation())
        assert limit <= E * room
        shared = 3 * model.flush * sum(max(1, y.size + y.error) for y in terms) * (1 + model.u) ** len(terms)
        assert E <= (limit + shared) * room  # factors that the addends share may be multiplied before or after
    assert flushed or not model.flush


def test_the_open_sum_is_reached():
    model, reached = Model(flush=Fraction(0)), 0
    for seed in SEEDS:
        terms = addends(random.Random(seed), positive=True)
        ones = [y.computed for y in terms if y.size]
        if len(ones) == 2:
            reached += 1
            assert sum(ones) * (1 + model.u) - sum(y.value for y in terms) == open_sum(terms, model)
    assert reached


@runs("CircuitSum.product_rule")
def test_products_are_within_near_and_reach_the_rule():
    model = Model()
    for seed in SEEDS:
        rng, errors = random.Random(seed), coarse(model)
        (a, Ea), (b, Eb) = ((Fraction(rng.choice((3, 5, 7)), 4) * rng.choice((1, -1)), Fraction(rng.randint(0, 1), 16)) for _ in range(2))
        limit = product_rule((abs(a), Ea), (abs(b), Eb), model)
        far = (abs(a) + Ea) * (abs(b) + Eb)
        assert within(None, far, model.beta * far + model.loss) - abs(a * b) == limit
        z = within(rng, a, Ea) * within(rng, b, Eb)
        assert abs(within(rng, z, model.beta * abs(z) + model.loss) - a * b) <= limit
        bounded = element([a], [Ea], errors) * element([b], [Eb], errors)
        E, room = Fraction(float(bounded.E[0])), Fraction(errors.inflation())
        assert limit <= E * room
        order_free = max(1, abs(a) + Ea) * max(1, abs(b) + Eb) * (1 + model.beta)
        assert E <= (limit + model.loss * (order_free - 1)) * room


# ---------------------------------------------------------------- ComplexProduct.v
@runs("ComplexProduct.separate_product", "ComplexProduct.fused_product", "ComplexProduct.contracted_product")
@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_complex_products_are_within_what_coq_proves_and_what_python_grants(dtype, fused):
    """Python grants sqrt(5) u, between 2u and the proved 4/sqrt(3) u; any contraction sqrt(2) ((1+u)^3 - 1)."""
    u = Fraction(format_of(dtype).u)
    granted, any_contraction = (
        Fraction(operations.roundings(Arithmetic(dtype, contraction=allowed), True, pairs=True).beta) for allowed in (False, True)
    )
    assert fused_square(1, u) < granted**2 < separate_square(1, u) < any_contraction**2
    assert 0 <= any_contraction**2 / contracted_square(1, (1 + u) ** 3 - 1) - 1 <= Fraction(operations.UP) ** 6 - 1   # sqrt(2), upwards
    worst = 0
    for square, size in rounded_products(format_of(dtype), fused):
        assert square <= min(granted**2 * size, (fused_square if fused else separate_square)(size, u))
        worst = max(worst, square / (u**2 * size))
    assert worst > (1 if fused else 2)

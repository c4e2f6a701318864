"""Constants of the allowances of layers that no other test can weaken unnoticed: each is refuted when weakened, or is slack and says why.

    constant                                     weakened   in tiny formats or fractions
    near._product: a real by a complex number    2 -> 1     refuted: both components underflow
    near.__truediv__: two roundings twice        2 u -> u   refuted by sqrt a / sqrt b
    rounding._upward: float64 roundings a step   16 -> 1    refuted by multipliers chosen one by one; they need 1.5, so 2 is slack
    angle_sum, `adjoint any`: factors m1 + m2    2 -> 1     slack: all steps have one angle, and sums of two of them are exact
    angle_sum: losses of one product             2 -> 1     slack: those of a complex product, 8, cover 2 sqrt(2) + sqrt(2)
    a matrix unit: roundings of a product        5 -> 3     slack where two operands are aligned: such a sum truncates once
"""

import ast
import inspect
import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from scans import Tiny, tiny_dtype
from thresholds import FLOAT64

from scanproof.reference.allowance import elements as allowance_namespace
from scanproof.reference.allowance import rounding
from scanproof.reference.allowance.bounded import Bounded
from scanproof.reference.allowance.operation_errors import operation_errors
from scanproof.reference.allowance.orders import angle_sum
from scanproof.reference.arithmetic import operations
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.error_model import PROVED, ErrorModel
from scanproof.reference.inputs import Inputs

EPS = 2.0**-53


def largest(error, E):
    """Of error / E, where there is an error."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.where(error > 0, error / E, 0.0).max())


# ---------------------------------------------------------------- refuted
@pytest.mark.parametrize("tiny", [Tiny(2, -3), Tiny(3, -2), pytest.param(Tiny(5, -3), marks=pytest.mark.slow)])
def test_the_product_of_a_real_and_a_complex_number_loses_twice(tiny):
    x = tiny.values(1.0)
    a, z = x[:, None, None] + 0j, x[:, None] + 1j * x  # (all, 1, 1), (all, all)
    computed = tiny.mul(a.real, z.real) + 1j * tiny.mul(a.real, z.imag)
    found = []
    for model in (PROVED, ErrorModel(mixed=1)):
        errors = operation_errors(Arithmetic(tiny_dtype(tiny)), False, model)
        product = Bounded.leaf(a.real + 0 * z.real, errors) * Bounded.leaf(z + 0 * a, errors)
        found.append(largest(np.abs(computed - a * z), product.E))
    print(f"real by complex, p = {tiny.p}: {found[0]:.4f} of the allowance, {found[1]:.4f} with one loss")
    assert found[0] <= 1 < found[1]


@pytest.mark.slow
@pytest.mark.parametrize("tiny", [Tiny(6, -4), Tiny(7, -3)])
def test_a_quotient_of_roots_needs_two_roundings_twice(tiny):
    x = tiny.values(4.0)
    x = x[x >= tiny.omega]
    a, b = np.meshgrid(x, x, indexing="ij")
    error = np.abs(tiny.round(tiny.round(np.sqrt(a)) / tiny.round(np.sqrt(b))) - np.sqrt(a / b)) * (1 - FLOAT64)
    found = []
    for model in (PROVED, ErrorModel(quotient=1)):
        errors = operation_errors(Arithmetic(tiny_dtype(tiny)), False, model)
        found.append(largest(error, allowance_namespace.function("sqrt", Bounded.leaf(a, errors) / Bounded.leaf(b, errors)).E))
    print(f"sqrt a / sqrt b, p = {tiny.p}: {found[0]:.4f} of the allowance, {found[1]:.4f} with two roundings once")
    assert found[0] <= 1 < found[1]


STEPS, CHOICES = 400, 400


def unlucky():
    """float64 multipliers, each chosen so that the evaluation of E = A E (1 + u) + A X u rounds down the most."""
    rng, X, E, chosen = np.random.default_rng(0), 1.5, 0.0, []
    for _ in range(STEPS):
        A = rng.uniform(0.9, 1.1, CHOICES)
        size, kept = A * X, A * E
        total = kept + size * EPS
        lost = [
            (Fraction(a) * Fraction(E) + Fraction(x) * Fraction(EPS) - Fraction(e)) / Fraction(e)
            + (Fraction(a) * Fraction(X) - Fraction(x)) / Fraction(x) / 2
            for a, x, e in zip(A.tolist(), size.tolist(), total.tolist(), strict=True)
        ]
        i = max(range(CHOICES), key=lost.__getitem__)
        chosen, X, E = [*chosen, A[i]], size[i], total[i]
    return np.array(chosen)


@pytest.mark.slow
def test_roundings_of_the_bound_itself():
    """Two roundings a step by A E and the sum, one because 1 + u is 1 in float64, half a one by X: none is at its worst always."""
    lam = unlucky()
    inputs = Inputs(lam.reshape(1, STEPS, 1), np.zeros((1, STEPS, 1)), np.array([[1.5]]))
    bounds = [
        rounding.allowance(inputs, Arithmetic("float64"), model=ErrorModel(evaluation=roundings)).bound[0, :, 0]
        for roundings in (ErrorModel().evaluation, 1, 0)
    ]
    X, E, u = Fraction(3, 2), Fraction(0), Fraction(EPS)
    for A in map(Fraction, lam.tolist()):
        X, E = A * X, A * (1 + u) * E + A * u * X
    whole, one, none = (Fraction(float(bound[-1])) for bound in bounds)
    need = float((E / none - 1) / Fraction(EPS)) / (STEPS + 7)
    print(f"_upward: {need:.3f} roundings a step found, 16 granted")
    assert one < E <= whole
    assert 1 < need < 2


# ---------------------------------------------------------------- slack, and why
def sums(tiny, theta, most):
    """What sums of m equal angles can be, for m = 1..most, in any bracketing."""
    found = {1: {theta}}
    for m in range(2, most + 1):
        pairs = {x + y for i in range(1, m // 2 + 1) for x, y in itertools.product(found[i], found[m - i])}
        found[m] = {float(tiny.round(x)) for x in pairs}
    return found


MOST = 12  # factors of a monomial


@pytest.mark.parametrize("p", [2, 3, 4, 5, 6])
def test_angles_of_derivatives_have_twice_what_they_need(p):
    """m1 + m2 = m - 1 factors carry the errors of sums of m angles in all; half of what they are given is enough."""
    assert "(2 * each)" in source(angle_sum)
    tiny, u, worst = Tiny(p, -40), 2.0**-p, {}
    for theta in np.arange(2 ** (p - 1), 2**p) * 2.0 ** (1 - p):
        found = sums(tiny, theta, MOST)
        wrong = {m: max(abs(x - m * theta) for x in found[m]) for m in found}
        several = {0: 0.0}  # several sums, m angles in all
        for m in range(1, MOST + 1):
            several[m] = max(wrong[i] + several[m - i] for i in range(1, m + 1))
            v = ((1 + u) ** m - 1) / m
            if m > 1:
                worst[m] = max(worst.get(m, 0.0), several[m] / ((m - 1) * theta * v * (m + 1) / 2))
    print(f"p = {p}: error of angles / what m - 1 factors get once: {max(worst.values()):.4f}; m = 2: {worst[2]}")
    assert worst[2] == 0  # theta + theta is exact: the case m = 2 (m1 + m2) of the derivation does not occur
    assert 0.2 < max(worst.values()) <= 1


def test_angle_sum_counts_one_loss_more_than_it_needs():
    """gamma times R(theta) s, all subnormals: what underflow adds to the relative errors is within one product_loss."""
    assert "product_loss=2 * ops.product_loss" in source(angle_sum)
    tiny = Tiny(4, -1)
    ops = operation_errors(Arithmetic(tiny_dtype(tiny)), False).complex
    values = tiny.values(0.5)  # all subnormals
    gamma, c, s, x, y = np.meshgrid(values[values >= 0], values, values, values, values[values >= 0], indexing="ij", sparse=True)
    first = tiny.round(tiny.mul(c, x) - tiny.mul(s, y))
    second = tiny.round(tiny.mul(c, y) + tiny.mul(s, x))
    error = np.hypot(tiny.mul(gamma, first) - gamma * (c * x - s * y), tiny.mul(gamma, second) - gamma * (c * y + s * x))
    relative = ((1 + ops.beta) * (1 + ops.u) - 1) * gamma * np.hypot(c, s) * np.hypot(x, y)
    lost = float((error - relative).max() / ops.product_loss)
    print(f"gamma (R s): {lost:.4f} of one loss of a complex product, by count {3 * math.sqrt(2) / 8:.4f}")
    assert 0 < lost <= 3 * math.sqrt(2) / 8 < 1


def test_a_matrix_unit_that_aligns_two_operands_truncates_once():
    """|sum - (x + y)| <= 2 u (|x| + |y|) for all operands: 5 = 1 + 2 + 2 roundings of a product could be 1 + 1 + 1 there.

    The 2 are for units that align more operands at once (operations: counted as two truncations a sum).
    """
    assert "_beyond(u, 5, operand)" in source(operations)
    for p in (2, 3, 4, 5):
        omega = 2 ** (p - 1)  # all numbers are integers
        x = np.array([0, *(m << e for e in range(p + 3) for m in range(omega, 2 * omega))])
        x, y = np.meshgrid(x, np.concatenate([x, -x]), indexing="ij")
        aligned = truncated(x, largest_place(np.maximum(np.abs(x), np.abs(y)), p))
        other = truncated(y, largest_place(np.maximum(np.abs(x), np.abs(y)), p))
        result = truncated(aligned + other, largest_place(np.abs(aligned + other), p))
        ratio = largest(np.abs(result - (x + y)), 2.0 ** (1 - p) * (np.abs(x) + np.abs(y)))
        print(f"aligned sums of two, p = {p}: {ratio:.4f} of one truncation, half as much of the two that are counted")
        assert 0.5 < ratio <= 1


def largest_place(size, p):
    """The last place of p bits; 1 at least."""
    return np.maximum(np.ldexp(1.0, np.frexp(size)[1] - p), 1)


def truncated(x, place):
    return np.trunc(x / place) * place


def source(module):
    """The text that a constant stands in: a slack that is recorded here is of the code that runs."""
    return ast.unparse(ast.parse(inspect.getsource(module)))

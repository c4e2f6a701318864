"""One reference, several arithmetics: each of the layers against a second formulation, and its adjoint against dual numbers."""

from fractions import Fraction

import flint
import layer_truth
import numpy as np
import pytest
from flint import acb, arb
from layer_truth import BITS, TIGHT, agree, ball

import scanproof
from scanproof.reference.layers import mapped
from scanproof.reference.numbers import namespace
from scanproof.reference.numbers.gaussian import Gaussian
from scanproof.reference.systems import lru, rotrnn

NAMES = {lru: "lru", rotrnn: "rotrnn"}
DIRECTIONS = [(False, False), (True, False), (False, True), (True, True)]  # reverse, bidirectional
FLOATS = [np.float16, np.float32, np.float64, np.longdouble]


@pytest.fixture(autouse=True)
def _precision(monkeypatch):
    monkeypatch.setitem(namespace.OBJECTS, layer_truth.Dual, lambda: layer_truth.DUALS)
    with flint.ctx.workprec(BITS):
        yield


def problem(system, bidirectional, dtype=np.float64, batch=2, time=3):
    """Parameters, u, h0 and y_bar of a small layer."""
    rng = np.random.default_rng(3)
    if system is lru:
        params, state = lru.init(rng, 3, 2, bidirectional=bidirectional, dtype=dtype), (3,)
    else:
        params, state = rotrnn.init(rng, 2, 4, 2, bidirectional=bidirectional, dtype=dtype), (2, 4)
    u, y_bar = (rng.standard_normal((batch, time, 2)).astype(dtype) for _ in range(2))
    h0 = rng.standard_normal((batch, *[2] * bidirectional, *state)).astype(dtype)
    return params, u, h0 + 1j * h0[::-1] if system is lru else h0, y_bar


def forward(system, params, u, h0, reverse=False):
    """y and all states."""
    found = scanproof.run(NAMES[system], params=params, u=u, h0=h0, reverse=reverse)
    return found["y"], found["h"]


def vjp(system, params, u, h0, y_bar, reverse=False):
    """The cotangents of every argument by name."""
    return scanproof.vjp(NAMES[system], {"y": y_bar}, params=params, u=u, h0=h0, reverse=reverse)


def lifted(params, *arrays):
    return mapped(params, ball), *map(ball, arrays)


@pytest.mark.parametrize(("reverse", "bidirectional"), DIRECTIONS)
@pytest.mark.parametrize("system", [lru, rotrnn])
def test_the_layer_is_its_second_formulation(system, reverse, bidirectional):
    params, u, h0, _ = lifted(*problem(system, bidirectional, time=6))
    second = getattr(layer_truth, NAMES[system])(params, u, h0, reverse)
    y, _ = forward(system, params, u, h0, reverse)
    assert agree(y, second)
    y[0, 0, 0] += 4 * TIGHT
    assert not agree(y, second)


@pytest.mark.slow
@pytest.mark.parametrize(("reverse", "bidirectional"), DIRECTIONS)
@pytest.mark.parametrize("system", [lru, rotrnn])
def test_every_gradient_is_the_derivative_of_the_second_formulation(system, reverse, bidirectional):
    params, u, h0, y_bar = lifted(*problem(system, bidirectional))
    found = vjp(system, params, u, h0, y_bar, reverse)
    formulation = getattr(layer_truth, NAMES[system])
    for name, expected in layer_truth.gradients(formulation, params, u, h0, y_bar, reverse).items():
        assert agree(found[name], expected), name
        assert not agree(found[name] + 4 * TIGHT, expected), name


@pytest.mark.parametrize("system", [lru, rotrnn])
def test_a_wrong_gradient_would_be_seen(system):
    params, u, h0, y_bar = lifted(*problem(system, False))
    found = vjp(system, params, u, h0, y_bar)
    wrong = vjp(system, params, u, h0, y_bar, reverse=True)
    formulation = getattr(layer_truth, NAMES[system])
    expected = layer_truth.gradients(formulation, params, u, h0, y_bar, False)
    assert agree(found["u"], expected["u"])
    assert not agree(wrong["u"], expected["u"])


@pytest.mark.parametrize(("reverse", "bidirectional"), DIRECTIONS)
@pytest.mark.parametrize("system", [lru, rotrnn])
@pytest.mark.parametrize("dtype", FLOATS)
def test_floats_have_half_of_their_digits_right(system, dtype, reverse, bidirectional):
    """Rounding alone, on a short and tame layer: how much it may be in general is the allowances' matter."""
    params, u, h0, y_bar = problem(system, bidirectional, dtype)
    exact = lifted(params, u, h0, y_bar)
    (y, h), grads = forward(system, params, u, h0, reverse), vjp(system, params, u, h0, y_bar, reverse)
    y_ball, h_ball = forward(system, *exact[:3], reverse)
    grads_ball = vjp(system, *exact, reverse)
    assert y.dtype == u.dtype
    results = {name: (value, grads_ball[name]) for name, value in grads.items()}
    for name, (value, truth) in (results | {"y": (y, y_ball), "h": (h, h_ball)}).items():
        assert square(ball(value) - truth) < float(np.finfo(dtype).eps) * square(truth), name
        assert value.dtype == (np.result_type(dtype, np.complex64) if system is lru and name in ("h", "h0") else dtype), name


def square(x):
    """The sum of |x|^2."""
    return sum(z.real * z.real + z.imag * z.imag for z in map(acb, x.flat))


def fractions(x):
    return namespace.fractions().lift(np.asarray(x))


def rational_constants(system, bidirectional):
    """Dyadic where lam and P allow it: |lam| < 1, and P = a rational rotation, orthogonal exactly."""
    rng = np.random.default_rng(5)
    def draw(*shape):
        return fractions(rng.integers(-3, 4, shape))

    if system is lru:
        i, lam = Gaussian(0, 1), fractions([0.5, -0.25]) + Gaussian(0, 1) * fractions([0.5, 1.0])
        C = draw(1 + bidirectional, 3, 2) + i * draw(1 + bidirectional, 3, 2)
        return lru.Constants(lam, fractions([0.5, 2.0]), draw(2, 3) + i * draw(2, 3), C, draw(3))
    cos, sin = (np.array([[Fraction(n, 5)], [Fraction(m, 5)]], object) for n, m in ((3, 4), (4, -3)))
    turns = (Fraction(5, 13), Fraction(12, 13)), (Fraction(8, 17), Fraction(15, 17))
    P = np.stack([np.array([[c, -s], [s, c]]) for c, s in turns])
    C = draw(1 + bidirectional, 3, 2, 2)
    return rotrnn.Constants(fractions([0.5, 0.75]), cos, sin, P, fractions([0.5, 2.0]), draw(2, 2, 3), C, draw(3))


def rational_inputs(system, bidirectional, time=5):
    rng = np.random.default_rng(6)
    state = (2,) if system is lru else (2, 2)
    arrays = [fractions(rng.integers(-4, 5, shape)) for shape in [(2, time, 3), (2, 1 + bidirectional, *state), (2, time, 3)]]
    return arrays if system is rotrnn else [arrays[0], arrays[1] * Gaussian(1, 2), arrays[2]]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("system", [lru, rotrnn])
def test_steps_are_the_sequence_exactly(system, reverse):
    k, (u, h0, _) = rational_constants(system, False), rational_inputs(system, False)
    y, h = system.run(k, u, h0, reverse)
    for t in reversed(range(u.shape[1])) if reverse else range(u.shape[1]):
        y_t, states = system.run(k, u[:, t : t + 1], h0)
        h0 = states[:, 0]
        assert (y_t[:, 0] == y[:, t]).all()
        assert (h0 == h[:, t]).all()


@pytest.mark.parametrize("system", [lru, rotrnn])
def test_two_directions_are_two_scans_exactly(system):
    k, (u, h0, _) = rational_constants(system, True), rational_inputs(system, True)
    y, h = system.run(k, u, h0)
    ahead, h_ahead = system.run(k._replace(C=k.C[:1]), u, h0[:, :1])
    back, h_back = system.run(k._replace(C=k.C[1:], D=0 * k.D), u, h0[:, 1:], reverse=True)
    assert (y == ahead + back).all()
    assert (h == np.concatenate([h_ahead, h_back], 2)).all()
    assert not (h_ahead == h_back).all()


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("system", [lru, rotrnn])
def test_reverse_is_flip_scan_flip_exactly(system, bidirectional):
    k, (u, h0, _) = rational_constants(system, bidirectional), rational_inputs(system, bidirectional)
    y, h = system.run(k, u, h0, reverse=True)
    flipped_y, flipped_h = system.run(k, u[:, ::-1], h0)
    assert (y == flipped_y[:, ::-1]).all()
    assert (h == flipped_h[:, ::-1]).all()
    assert not (y == flipped_y).all()


@pytest.mark.parametrize(("reverse", "bidirectional"), DIRECTIONS)
@pytest.mark.parametrize("system", [lru, rotrnn])
def test_adjoint_identity_exactly(system, reverse, bidirectional):
    """<y_bar, J d> = <J^T y_bar, d> in u and h0, in which the layer is linear."""
    k, (u, h0, y_bar) = rational_constants(system, bidirectional), rational_inputs(system, bidirectional)
    _, u_bar, h0_bar = system.adjoint(k, u, h0, y_bar, reverse)
    y, _ = system.run(k, u, h0, reverse)
    real, conj = namespace.fractions().real, namespace.fractions().conj
    expected = (u_bar * u).sum() + real(conj(h0_bar) * h0).sum()
    assert (y_bar * y).sum() == expected != 0


@pytest.mark.parametrize("dtype", FLOATS)
def test_exact_floats_are_the_fractions(dtype):
    """Three steps of a dyadic LRU fit into 11 bits: the same code gives the same numbers, bit for bit."""
    k, (u, h0, y_bar) = rational_constants(lru, True), rational_inputs(lru, True, time=2)

    def floats(x):
        z = np.frompyfunc(lambda z: complex(float(z.real), float(z.imag)), 1, 1)(x).astype(np.complex128)
        complex_too = any(isinstance(value, Gaussian) for value in x.flat)
        return z.astype(np.result_type(dtype, np.complex64)) if complex_too else z.real.astype(dtype)

    rounded = lru.Constants(*map(floats, k)), floats(u), floats(h0)
    for found, exact in zip(lru.run(*rounded), lru.run(k, u, h0), strict=True):
        assert (fractions(found.real) == namespace.fractions().real(exact)).all()
    for found, exact in zip(lru.adjoint(*rounded, floats(y_bar))[1:], lru.adjoint(k, u, h0, y_bar)[1:], strict=True):
        assert (fractions(found.real) == namespace.fractions().real(exact)).all()


def test_fractions_have_no_exponentials():
    params = mapped(problem(lru, False)[0], fractions)
    with pytest.raises(TypeError, match=r"^exp: found Fractions"):
        lru.constants(params)


@pytest.mark.parametrize("bad", [np.array([1, arb(1), Fraction(1)], object), np.array(["a"], object), np.array([1, 2])])
def test_unknown_numbers_are_refused(bad):
    with pytest.raises(TypeError, match="expected"):
        namespace.of(bad)

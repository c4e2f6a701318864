"""LRU: published initialisations, formulas, refused input. What is right in value: test_one_reference.py."""

import dataclasses
from typing import Any

import flint
import numpy as np
import pytest
import sympy as sp
from flint import arb
from layer_truth import BITS, TIGHT, agree, ball

import scanproof
from scanproof.reference import initialise
from scanproof.reference.layers import mapped
from scanproof.reference.systems import lru

# A mean of 1000 draws from [0, 1] is off by more than this with probability 1e-12 at most.
HOEFFDING = np.sqrt(np.log(2e12) / 2000)


class Drawing(np.random.Generator):
    """A generator whose uniform numbers are one given number."""

    def __init__(self, number):
        super().__init__(np.random.PCG64(0))
        self.number = number

    def random(self, size=None):
        return np.full(size, self.number)


def run(p, u, h0=None):
    """y and all states."""
    found = scanproof.run("lru", params=p, u=u, h0=h0)
    return found["y"], found["h"]


def vjp(p, u, y_bar):
    return scanproof.vjp("lru", {"y": y_bar}, params=p, u=u)


def params(**changes):
    return dataclasses.replace(lru.init(np.random.default_rng(0), 4, 3), **changes)


@pytest.mark.parametrize("ring", initialise.RINGS)
def test_eigenvalues_start_on_their_ring(ring):
    r_min, r_max, max_phase = initialise.RINGS[ring]
    drawn = lru.init(np.random.default_rng(1), 1000, 1, ring=ring)
    lam = lru.constants(drawn).lam
    inner = (abs(lam) ** 2 < (r_min**2 + r_max**2) / 2).mean()
    assert (r_min <= abs(lam)).all()
    assert (abs(lam) < r_max).all()
    assert (drawn.theta_log <= np.log(max_phase)).all()
    assert abs(inner - 0.5) < HOEFFDING  # uniform by area


def test_variance_of_C_is_an_option():
    appendix, text = (lru.init(np.random.default_rng(1), 8, 2, C_std=name) for name in ("appendix", "main-text"))
    assert (appendix.B_re == text.B_re).all()
    assert (abs(appendix.C_re) > abs(text.C_re)).all()


def test_gamma_normalises_without_cancellation():
    """1 - |lam|^2 by expm1, where 1 - lam * lam keeps nothing in float32."""
    nu_log = np.float32([-16.5])
    lam = np.exp(-np.exp(nu_log))
    assert 1 - lam * lam == 0 or 1 - lam * lam == np.float32(2.0**-23)
    exact = float(lru.normalising_gamma_log(ball(nu_log))[0])
    found = float(lru.normalising_gamma_log(nu_log)[0])
    assert abs(found - exact) ** 2 < np.finfo(np.float32).eps


def test_one_step_after_the_other_is_the_sequence():
    with flint.ctx.workprec(BITS):
        p, u = mapped(params(), ball), ball(np.random.default_rng(2).standard_normal((5, 3)))
        y, h = run(p, u)
        state = ball(np.zeros(4))
        for t in range(5):
            step = scanproof.run("lru", params=p, u=u[t : t + 1], h0=state)
            state = step["h_last"]
            assert agree(step["y"][0], y[t])
            assert agree(state, h[t])
        assert not agree(state, h[0])
        assert not agree(state + 4 * TIGHT, h[4])


def test_batch_axis_may_be_dropped():
    p, u = params(), np.random.default_rng(2).standard_normal((2, 5, 3))
    (y, h), grads = run(p, u), vjp(p, u[1], u[1])
    for row in range(2):
        alone, states = run(p, u[row : row + 1])
        dropped, dropped_states = run(p, u[row])
        assert (dropped == alone[0]).all()
        assert (dropped_states == states[0]).all()
    assert (y.shape, h.shape, grads["u"].shape, grads["h0"].shape) == ((2, 5, 3), (2, 5, 4), (5, 3), (4,))


@pytest.mark.slow
def test_gradients_are_the_derivatives_of_the_formula():
    letters = sp.symbols("nu theta gamma b_re b_im c_re c_im d", real=True)
    shapes = [(1,)] * 3 + [(1, 1)] * 4 + [(1,)]
    p = lru.Params(*(np.full(shape, letter, object) for letter, shape in zip(letters, shapes, strict=True)))
    u, y_bar = (np.array([list(sp.symbols(names, real=True))], object).T for names in ("u1 u2", "v1 v2"))
    y, h = run(p, u)
    lam = sp.exp(-sp.exp(letters[0]) + sp.I * sp.exp(letters[1]))
    b = sp.exp(letters[2]) * (letters[3] + sp.I * letters[4])
    assert sp.simplify(sp.expand_complex(h[1, 0] - (lam * b * u[0, 0] + b * u[1, 0]))) == 0
    loss, found = sum((y * y_bar).flat), vjp(p, u, y_bar)
    for letter, f in zip(letters, dataclasses.fields(lru.Params), strict=False):
        assert sp.simplify(sp.expand(sp.diff(loss, letter) - found[f.name].flat[0])) == 0
    assert sp.simplify(sp.diff(loss, letters[0])) != 0


ONES = np.ones(4)
NOBODY: Any = None
REFUSED = [
    (lambda: params(theta_log=np.ones(5)), r"theta_log: found state 5 in shape \(5,\), expected state 4 as in nu_log"),
    (lambda: params(C_im=np.ones((2, 4))), r"C_im: found width 2 in shape \(2, 4\), expected width 3 as in B_re"),
    (lambda: params(D=np.ones((3, 3))), r"D: found shape \(3, 3\), expected \(width\)"),
    (lambda: params(nu_log=-np.inf * ONES), r"nu_log: found -inf at index \(0,\), expected finite real numbers"),
    (lambda: params(theta_log=-np.inf * ONES), r"theta_log: found -inf at index \(0,\), expected finite real numbers"),
    (lambda: params(D=np.array([1.0, np.nan, 1.0])), r"D: found nan at index \(1,\), expected finite real numbers"),
    (lambda: params(gamma_log=1j * ONES), r"gamma_log: found dtype complex128, expected real numbers"),
    (lambda: params(gamma_log=-1000 * ONES), r"gamma_log: found -1000\.0 at index \(0,\), whose exp is 0\.0"),
    (lambda: params(nu_log=1000 * ONES), r"nu_log: found 1000\.0 at index \(0,\), whose exp is inf"),
    (lambda: params(gamma_log=np.float32(ONES)), r"gamma_log: found numbers of kind float32, expected float64 as in nu_log"),
    (lambda: params(B_re=[1.0]), r"B_re: found list, expected a NumPy array"),
    (lambda: params(C2_re=np.ones((3, 4))), r"C2_im: found None, expected an array, because C2_re is one"),
]


@pytest.mark.parametrize(("make", "line"), REFUSED)
def test_bad_parameters_are_refused_in_one_line(make, line):
    with pytest.raises((TypeError, ValueError), match=f"^{line}[^\n]*$"):
        run(make(), np.ones((5, 3)))


CALLS = [
    (lambda p: run(p, np.ones((5, 2))), r"u: found width 2 in shape \(5, 2\), expected width 3 as in B_re"),
    (lambda p: run(p, np.ones(3)), r"u: found shape \(3,\), expected \(batch, time, width\) or \(time, width\)"),
    (lambda p: run(p, np.ones((2, 5, 3)), np.ones((3, 4))), r"h0: found batch 3 in shape \(3, 4\), .* batch 2 as in u"),
    (lambda p: run(p, np.ones((5, 3)), np.full(4, complex(0, np.inf))), r"h0: found infj at index \(0,\), expected finite numbers"),
    (lambda p: vjp(p, np.ones((5, 3)), np.ones((4, 3))), r"y_bar: found time 4 in shape \(4, 3\), expected time 5 as in u"),
    (lambda _: lru.init(np.random.default_rng(), ring="disk"), r"ring: found 'disk', expected one of paper, paper-long, "),
    (lambda _: lru.init(np.random.default_rng(), C_std="half"), r"C_std: found 'half', expected one of appendix, main-text"),
    (lambda _: lru.init(np.random.default_rng(), state=0), r"state: found 0, expected a positive integer"),
    (lambda _: lru.init(NOBODY), r"rng: found NoneType, expected a numpy.random.Generator"),
    (lambda _: lru.init(Drawing(0.0), ring="paper-long"), r"theta_log: found -inf .* probability 2\^-24; draw again"),
    (lambda _: lru.init(Drawing(1.0)), r"nu_log: found -inf .* probability 2\^-24; draw again"),
]


@pytest.mark.parametrize(("call", "line"), CALLS)
def test_bad_calls_are_refused_in_one_line(call, line):
    with pytest.raises((TypeError, ValueError), match=f"^{line}[^\n]*$"):
        call(params())


def test_balls_that_are_not_finite_are_refused():
    p = mapped(params(), ball)
    p.D[1] = arb("nan")
    with pytest.raises(ValueError, match=r"^D: found nan at index \(1,\)"):
        run(p, ball(np.ones((5, 3))))

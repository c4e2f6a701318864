"""RotRNN: published initialisations, formulas, invariances, refused input. Values: test_one_reference.py."""

import dataclasses
from typing import Any

import flint
import numpy as np
import pytest
import sympy as sp
from layer_truth import BITS, TIGHT, agree, ball

import scanproof
from scanproof.reference import initialise
from scanproof.reference.layers import mapped
from scanproof.reference.numbers import namespace
from scanproof.reference.systems import lru, rotrnn

# A mean of 1000 draws from [0, 1] is off by more than this with probability 1e-12 at most.
HOEFFDING = np.sqrt(np.log(2e12) / 2000)


@pytest.fixture(autouse=True)
def _precision():
    with flint.ctx.workprec(BITS):
        yield


def run(p, u, h0=None):
    """y and all states."""
    found = scanproof.run("rotrnn", params=p, u=u, h0=h0)
    return found["y"], found["h"]


def vjp(p, u, y_bar):
    return scanproof.vjp("rotrnn", {"y": y_bar}, params=p, u=u)


def params(**changes):
    return dataclasses.replace(rotrnn.init(np.random.default_rng(0), 2, 4, 3), **changes)


def balls(time=4):
    rng = np.random.default_rng(1)
    return mapped(params(), ball), *(ball(rng.standard_normal((time, 3))) for _ in range(2))


def zeros(x):
    return ball(np.zeros(x.shape))


@pytest.mark.parametrize("variant", initialise.ROTATIONS)
def test_decays_and_angles_start_where_the_version_says(variant):
    v = initialise.ROTATIONS[variant]
    drawn = rotrnn.init(np.random.default_rng(1), 1000, 2, 1, variant=variant)
    gamma = rotrnn.decay(drawn)
    uniform = gamma**2 if v.gamma == "ring" else drawn.gamma_log
    low, high = (x**2 if v.gamma == "ring" else np.log(-np.log(x)) for x in sorted((v.gamma_min, v.gamma_max)))
    assert ((v.gamma_min <= gamma) & (gamma <= v.gamma_max)).all()
    assert abs((uniform < (low + high) / 2).mean() - 0.5) < HOEFFDING
    assert ((drawn.theta >= 0) & (drawn.theta < v.max_phase)).all()


def test_versions_differ_in_their_medians():
    """Published ranges [0.9, 0.999]: the medians of gamma are 0.990 (A, C, D) and 0.951 (B), to the digits printed."""
    medians = {name: np.median(rotrnn.decay(rotrnn.init(np.random.default_rng(1), 200_000, 2, 1, variant=name))) for name in "AB"}
    assert {name: f"{median:.3f}" for name, median in medians.items()} == {"A": "0.990", "B": "0.951"}


def test_one_step_after_the_other_is_the_sequence():
    p, u, _ = balls()
    y, x = run(p, u)
    state = ball(np.zeros((2, 4)))
    for t in range(len(u)):
        step = scanproof.run("rotrnn", params=p, u=u[t : t + 1], h0=state)
        state = step["h_last"]
        assert agree(step["y"][0], y[t])
        assert agree(state, x[t])
    assert not agree(state, x[0])
    assert not agree(state + 4 * TIGHT, x[-1])


def test_symmetric_part_of_M_does_not_matter():
    p, u, y_bar = balls()
    K = ball(np.random.default_rng(2).standard_normal((2, 4, 4)))
    moved = dataclasses.replace(p, M=p.M + K + K.swapaxes(1, 2))
    assert agree(run(moved, u)[0], run(p, u)[0])
    assert not agree(run(dataclasses.replace(p, M=p.M + K), u)[0], run(p, u)[0])
    M_bar = vjp(p, u, y_bar)["M"]
    assert agree(M_bar + M_bar.swapaxes(1, 2), zeros(M_bar))


def test_size_of_B_does_not_matter():
    p, u, y_bar = balls()
    y, B_bar = run(p, u)[0], vjp(p, u, y_bar)["B"]
    assert agree(run(dataclasses.replace(p, B=3 * p.B), u)[0], y)
    assert not agree(run(dataclasses.replace(p, B=-3 * p.B), u)[0], y)
    along = (B_bar * p.B).sum((1, 2))
    assert agree(along, zeros(along))
    assert not agree(abs(B_bar), zeros(B_bar))


def test_a_head_is_an_lru_with_conjugate_pairs():
    """gamma Theta has eigenvalues gamma exp(+-i theta): a pair (even, odd) is the mode even + i odd."""
    p, u, _ = balls()
    k, i = rotrnn.constants(p), flint.acb(0, 1)
    drive = k.xi[:, None, None] * np.einsum("hnm,hnw->hmw", k.P, k.B)
    output = np.einsum("wha,hab->whb", k.C[0], k.P)
    modes = lru.Constants(
        lam=(k.gamma[:, None] * (k.cos + i * k.sin)).ravel(),
        gamma=ball(np.ones(4)),
        B=(drive[:, 0::2] + i * drive[:, 1::2]).reshape(4, 3),
        C=(output[..., 0::2] - i * output[..., 1::2]).reshape(1, 3, 4),
        D=k.D,
    )
    y, _ = lru.run(modes, u[None], ball(np.zeros((1, 1, 4))))
    assert agree(y[0], run(p, u)[0])
    conjugated = modes._replace(lam=namespace.balls().conj(modes.lam))
    assert not agree(lru.run(conjugated, u[None], ball(np.zeros((1, 1, 4))))[0][0], y[0])


def test_normalisation_does_not_cancel():
    """xi with gamma = 1 - 2^-23 in float32, where 1 - gamma * gamma has no more than one digit."""
    close = rotrnn.init(np.random.default_rng(0), 2, 4, 3, dtype=np.float32)
    close = dataclasses.replace(close, gamma_log=np.float32([-16.0, -15.5]))
    exact = rotrnn.constants(mapped(close, ball)).xi
    for found, true in zip(rotrnn.constants(close).xi, exact, strict=True):
        assert abs(float(found) - float(true)) ** 2 < np.finfo(np.float32).eps * float(true) ** 2


@pytest.mark.slow
def test_gradients_are_the_derivatives_of_the_formula():
    theta, gamma_log, d, b0, b1, c0, c1 = sp.symbols("theta gamma_log d b0 b1 c0 c1", real=True)
    m = sp.symbols("m", positive=True)
    entries: list[Any] = [[[theta]], [gamma_log], [[[0, m], [0, 0]]], [[[b0], [b1]]], [[c0, c1]], [d]]
    p = rotrnn.Params(*(np.frompyfunc(sp.sympify, 1, 1)(np.array(x, object)) for x in entries))
    u, y_bar = (np.array([list(sp.symbols(names, real=True))], object).T for names in ("u1 u2", "v1 v2"))
    y, _ = run(p, u)
    loss, found = sum((y * y_bar).flat), vjp(p, u, y_bar)
    for name, value in dataclasses.asdict(p).items():
        for where in np.ndindex(() if value is None else value.shape):
            if value is not None and value[where] != 0:
                assert sp.simplify(sp.expand(sp.diff(loss, value[where]) - found[name][where])) == 0, name
    assert sp.simplify(sp.diff(loss, b0)) != 0


REFUSED = [
    (lambda: params(M=np.ones((2, 3, 3))), r"M: found head_dim 3, expected an even number: rotations act on pairs"),
    (lambda: params(M=np.ones((2, 4, 2))), r"M: found shape \(2, 4, 2\), expected \(heads, head_dim, head_dim\)"),
    (lambda: params(theta=np.ones((2, 4))), r"theta: found pairs 4 .*, expected pairs 2 as in half the head_dim of M"),
    (lambda: params(B=np.ones((3, 4, 3))), r"B: found heads 3 in shape \(3, 4, 3\), expected heads 2 as in theta"),
    (lambda: params(C=np.ones((3, 4))), r"C: found features 4 .*, expected features 8 as in heads \* head_dim of M"),
    (lambda: params(D=np.ones(2)), r"D: found width 2 in shape \(2,\), expected width 3 as in B"),
    (lambda: params(theta=1j * np.ones((2, 2))), r"theta: found dtype complex128, expected real numbers"),
    (lambda: params(gamma_log=np.full(2, -40.0)), r"gamma_log: found -40\.0 in head 0, .*rounds to 1\.0, expected 0 < gamma"),
    (lambda: params(gamma_log=np.full(2, 7.0)), r"gamma_log: found 7\.0 in head 0, .* rounds to 0\.0, expected 0 < gamma"),
    (lambda: params(gamma_log=np.full(2, -np.inf)), r"gamma_log: found -inf at index \(0,\)"),
    (lambda: params(B=np.zeros((2, 4, 3))), r"B: found tr\(B\^T B\) = 0\.0 in head 0, expected a positive number"),
    (lambda: params(B=np.full((2, 4, 3), 1e200)), r"B: found tr\(B\^T B\) = inf in head 0"),
]


@pytest.mark.parametrize(("make", "line"), REFUSED)
def test_bad_parameters_are_refused_in_one_line(make, line):
    with pytest.raises((TypeError, ValueError), match=f"^{line}[^\n]*$"):
        run(make(), np.ones((5, 3)))


CALLS = [
    (lambda p: run(p, np.ones((5, 2))), r"u: found width 2 in shape \(5, 2\), expected width 3 as in B"),
    (lambda p: run(p, np.ones((5, 3)), np.ones(8)), r"h0: found shape \(8,\), expected \(heads, head_dim\)"),
    (lambda p: run(p, np.ones((5, 3)), 1j * np.ones((2, 4))), r"h0: found dtype complex128, expected real numbers"),
    (lambda _: rotrnn.init(np.random.default_rng(), variant="E"), r"variant: found 'E', expected one of A, B, B-demo, C, D"),
    (lambda _: rotrnn.init(np.random.default_rng(), head_dim=3), r"head_dim: found head_dim 3, expected an even number"),
    (lambda _: rotrnn.init(np.random.default_rng(), dtype=np.complex64), r"dtype: found complex64, expected float16"),
]


@pytest.mark.parametrize(("call", "line"), CALLS)
def test_bad_calls_are_refused_in_one_line(call, line):
    with pytest.raises((TypeError, ValueError), match=f"^{line}[^\n]*$"):
        call(params())


def test_no_energy_in_B_is_refused_in_every_arithmetic():
    p = mapped(params(B=np.zeros((2, 4, 3))), ball)
    with pytest.raises(ValueError, match=r"^B: found tr\(B\^T B\) = 0 in head 0"):
        run(p, ball(np.ones((5, 3))))

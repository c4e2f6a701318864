"""Whole layers: honest programs of every writing stay within, faults do not, and the truth is that of balls.

A program is LRU or RotRNN in plain NumPy; a Writing says in which of the admitted ways it is written. Complex numbers are
pairs of real arrays, so that every operation rounds once.
"""

import dataclasses
from typing import NamedTuple

import flint
import numpy as np
import pytest
from layer_truth import BITS, ball
from thresholds import MOSTLY

from scanproof.properties.compare import error_enclosure
from scanproof.reference.allowance.certificate import outputs, pulled_back
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.formats import format_of
from scanproof.reference.call import Call
from scanproof.reference.layers import backwards, in_time, mapped, named
from scanproof.reference.numbers import exponential
from scanproof.reference.systems import lru, rotrnn

LAYERS = {"lru": lru, "rotrnn": rotrnn}
SHARP = 2.0**-80  # radius of double-doubles after some hundred operations
USED = 0.1  # of the allowance of some gradient, at least
USED_BY_STATES = {"lru": 0.05, "rotrnn": 0.005}  # |P| |P^T| and c_E cost the rest
SCANS = ("sequential", "doubling", "chunked")


class Writing(NamedTuple):
    """How a program is written."""

    scan: str = "sequential"
    folded: int = 0  # 1: (gamma B) u, else gamma (B u); RotRNN P^T (xi (B u)), xi (P^T (B u)) or (xi P^T B) u
    apart: bool = False  # RotRNN: decay and rotation in two multiplications
    flat: bool = False  # the readout is one real sum, with D u first; RotRNN (C P) s
    root: int = 0  # RotRNN: sqrt(q / tr), sqrt(q) / sqrt(tr), sqrt(q (1 / tr))


def writings(rng):
    how = str(rng.choice(SCANS))
    return Writing(how, int(rng.integers(3)), bool(rng.integers(2)), bool(rng.integers(2)), int(rng.integers(3)))


# ---------------------------------------------------------------- programs; pairs of arrays are complex numbers


def times(z, w):
    return z[0] * w[0] - z[1] * w[1], z[0] * w[1] + z[1] * w[0]


def plus(z, w):
    return z[0] + w[0], z[1] + w[1]


def at(z, *index):
    return z[0][index], z[1][index]


def step(lam, gamma, h):
    """lam h, or gamma (lam h)."""
    turned = times(lam, h)
    return turned if gamma is None else (gamma * turned[0], gamma * turned[1])


def scan_pairs(lam, b, h0, how, gamma=None, fault=None):
    """h_t = [gamma] lam h_{t-1} + b_t; lam (n,), b (batch, time, n), h0 (batch, n)."""
    time = b[0].shape[1]
    if how == "doubling":
        return doubling(lam if gamma is None else (gamma * lam[0], gamma * lam[1]), b, h0)
    h, out = h0, []
    for t in range(time):
        if how == "chunked" and t % 4 == 0:
            h, out = chunk(lam, gamma, at(b, slice(None), slice(t, t + 4)), h, out)
        elif how != "chunked":
            h = plus(step(lam, gamma, h), at(b, slice(None), t))
            out.append(h)
        if fault is not None and t == time // 2:
            h = out[-1] = fault(h)
    return tuple(np.stack([z[i] for z in out], 1) for i in (0, 1))


def chunk(lam, gamma, b, carry, out):
    """Four steps from zero, and the carry times the power of lam added to each."""
    whole, local = lam if gamma is None else (gamma * lam[0], gamma * lam[1]), at(b, slice(None), 0)
    power = whole
    for t in range(b[0].shape[1]):
        if t:
            local, power = plus(times(whole, local), at(b, slice(None), t)), times(power, whole)
        out = [*out, plus(times(power, carry), local)]
    return out[-1], out


def doubling(lam, b, h0):
    """Hillis and Steele: h0 is the first element."""
    x = tuple(np.concatenate([start[:, None], part], 1) for start, part in zip(h0, b, strict=True))
    power, stride = lam, 1
    while stride < x[0].shape[1]:
        moved = times(power, at(x, slice(None), slice(None, -stride)))
        x = tuple(np.concatenate([one[:, :stride], one[:, stride:] + two], 1) for one, two in zip(x, moved, strict=True))
        power, stride = times(power, power), 2 * stride
    return at(x, slice(None), slice(1, None))


def lru_program(p, u, h0, reverse, w, fault=None):
    """y and h of LRU in the arithmetic of the arrays."""
    nu, theta, g = np.exp(p.nu_log), np.exp(p.theta_log), np.exp(p.gamma_log)
    lam = np.exp(-nu) * np.cos(theta), np.exp(-nu) * np.sin(theta)
    B = p.B_re, p.B_im
    b = tuple(u @ (g[:, None] * part).T if w.folded == 1 else g * (u @ part.T) for part in B)
    C = [(p.C_re, p.C_im)] + ([(p.C2_re, p.C2_im)] if p.C2_re is not None else [])
    h = [directed(lam, b, at(h0, slice(None), d), w, backwards(d, reverse), None, fault) for d in range(len(C))]
    if w.flat:
        y = sum((real_sum(z, c) for z, c in zip(h, C, strict=True)), p.D * u)
    else:
        y = sum(z[0] @ c[0].T - z[1] @ c[1].T for z, c in zip(h, C, strict=True)) + p.D * u
    return y, np.stack([z[0] + 1j * z[1] for z in h], 2)


def real_sum(z, c):
    """Re(C h) as one real matrix product of 2 N addends."""
    return np.concatenate(z, -1) @ np.concatenate([c[0], -c[1]], -1).T


def rotrnn_program(p, u, h0, reverse, w, fault=None):
    """y and x of RotRNN in the arithmetic of the arrays."""
    P, g = exponential.native_expm(p.M - p.M.swapaxes(1, 2)), np.exp(p.gamma_log)
    q, tr = -np.expm1(-2 * g), (p.B * p.B).sum((1, 2))
    xi = (np.sqrt(q / tr), np.sqrt(q) / np.sqrt(tr), np.sqrt(q * (1 / tr)))[w.root]
    Pt = P.swapaxes(1, 2)
    if w.folded == 2:
        b = np.einsum("hmw,btw->bthm", xi[:, None, None] * (Pt @ p.B), u)
    else:
        Bu = np.einsum("hnw,btw->bthn", p.B, u)
        b = np.einsum("hmn,bthn->bthm", Pt, xi[:, None] * Bu if w.folded == 0 else Bu)
        b = b if w.folded == 0 else xi[:, None] * b
    gamma, lam = np.exp(-g)[:, None] + 0 * p.theta, (np.cos(p.theta), np.sin(p.theta))
    gamma, lam = gamma.ravel(), (lam[0].ravel(), lam[1].ravel())
    if not w.apart:
        gamma, lam = None, (gamma * lam[0], gamma * lam[1])
    z = tuple(b[..., i::2].reshape(*b.shape[:2], -1) for i in (0, 1))
    C = [part.reshape(len(p.D), *p.B.shape[:2]) for part in (p.C, p.C2) if part is not None]
    x, y = [], [p.D * u]
    for d, c in enumerate(C):
        s0 = np.einsum("hmn,bhn->bhm", Pt, h0[:, d])
        start = tuple(s0[..., i::2].reshape(len(s0), -1) for i in (0, 1))
        s = directed(lam, z, start, w, backwards(d, reverse), gamma, fault)
        s = np.stack([part.reshape(*b.shape[:3], -1) for part in s], -1).reshape(b.shape)
        x.append(np.einsum("hmn,bthn->bthm", P, s))
        CP = np.einsum("whm,hmn->whn", c, P)
        y.append(np.einsum("whn,bthn->btw", CP, s) if w.flat else np.einsum("whn,bthn->btw", c, x[-1]))
    return sum(y[1:], y[0]), np.stack(x, 2)


def directed(lam, b, h0, w, flip, gamma, fault):
    h = scan_pairs(lam, tuple(in_time(part, flip) for part in b), h0, w.scan, gamma, fault)
    return tuple(in_time(part, flip) for part in h)


PROGRAMS = {"lru": lru_program, "rotrnn": rotrnn_program}


# ---------------------------------------------------------------- calls


class Problem(NamedTuple):
    name: str
    params: object
    u: np.ndarray
    h0: np.ndarray  # inside the layer: (batch, directions, ...)
    y_bar: np.ndarray
    reverse: bool


def rounded(x, dtype):
    """To a dtype of 16 bits or more, as float64 that it holds exactly."""
    return x.astype(dtype).astype(np.float64) if x is not None else None


def stored(x, dtype):
    """Results of either kind, rounded."""
    return rounded(x.real, dtype) + 1j * rounded(x.imag, dtype) if np.iscomplexobj(x) else rounded(x, dtype)


def draw(rng, name, dtype, time=12, batch=1, edge=None):
    """A layer with inputs of a dtype: random sizes, directions, decays; `edge` changes the parameters."""
    state, heads, pairs = (int(rng.integers(1, most)) for most in (6, 3, 3))
    sizes = {"state": state} if name == "lru" else {"heads": heads, "head_dim": 2 * pairs}
    p = LAYERS[name].init(rng, width=int(rng.integers(1, 4)), bidirectional=bool(rng.integers(2)), **sizes)
    if name == "lru":
        p = dataclasses.replace(p, nu_log=rng.uniform(-9, 1, p.nu_log.shape), theta_log=rng.uniform(-3, 2, p.theta_log.shape))
        directions, states = 1 + (p.C2_re is not None), p.nu_log.shape
    else:
        p = dataclasses.replace(p, gamma_log=rng.uniform(-7, 0.5, p.gamma_log.shape), M=p.M * rng.uniform(0, 2))
        directions, states = 1 + (p.C2 is not None), p.B.shape[:2]
    p = p if edge is None else edge(rng, p)
    u, y_bar = rng.standard_normal((2, batch, time, len(p.D)))
    h0 = rng.standard_normal((batch, directions, *states)) * rng.integers(2)
    if name == "lru":
        h0 = h0 + 1j * rng.standard_normal(h0.shape) * (h0 != 0)
    h0 = stored(h0, dtype)
    p = mapped(p, lambda x: rounded(x, dtype))
    return Problem(name, p, rounded(u, dtype), h0, rounded(y_bar, dtype), bool(rng.integers(2)))


def program(problem, w, dtype, fault=None, run=None):
    """y, h and h_last of a program that computes in dtype."""
    p = mapped(problem.params, lambda x: x.astype(dtype))
    h0 = problem.h0
    h0 = (h0.real.astype(dtype), h0.imag.astype(dtype)) if problem.name == "lru" else h0.astype(dtype)
    y, h = (run or PROGRAMS[problem.name])(p, problem.u.astype(dtype), h0, problem.reverse, w, fault)
    last = [h[:, 0 if backwards(d, problem.reverse) else -1, d] for d in range(h.shape[2])]
    return {"y": y, "h": h, "h_last": np.stack(last, 1)}


def call(problem):
    """The call as `outputs` takes it."""
    p = problem.params
    single = (p.C2_re if problem.name == "lru" else p.C2) is None
    h0 = problem.h0[:, 0] if single else problem.h0
    arguments = {**named(p), "u": problem.u, "h0": h0, "y_bar": problem.y_bar}
    return Call(LAYERS[problem.name].SYSTEM, arguments, problem.reverse)


def certificate(problem, arithmetic, of=outputs):
    return of(call(problem), arithmetic)


def squeezed(got, certified):
    """Results without the axis of directions where the caller has none."""
    return {name: x.reshape(certified[name].bound.shape) for name, x in got.items()}


def ratios(got, certified):
    """Largest |got - truth| / bound of every result, 0 where both are 0, rounded upwards."""
    found = {}
    for name, x in got.items():
        high, bound = error_enclosure(x, certified[name].truth)[1], certified[name].bound
        with np.errstate(divide="ignore", invalid="ignore"):
            found[name] = float(np.where(high == 0, 0, high / bound).max(initial=0))
    return found


def outside(got, certified):
    """Results with an element that is surely outside."""
    low = {name: error_enclosure(x, certified[name].truth)[0] for name, x in got.items()}
    return {name for name, x in low.items() if (x > certified[name].bound).any()}


# ---------------------------------------------------------------- honest programs


ARITHMETICS = [
    {}, {"contraction": False}, {"stages": "any", "sums": "pairwise"}, {"order": "sequential", "sums": "blocked"},
    {"order": "chunked:4"}, {"order": "tree", "contraction": False},
]  # fmt: skip
OF_ORDER = {"sequential": "sequential", "chunked:4": "chunked", "tree": "doubling"}


@pytest.mark.slow
@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_honest_programs_stay_within(name, dtype):
    rng, largest = np.random.default_rng(0), {}
    for i in range(24):
        problem = draw(rng, name, dtype, time=(1, 2, 12, 33)[i % 4], batch=1 + i % 2)
        arithmetic = Arithmetic(dtype, **{"stages": "formed"} | ARITHMETICS[i % 6])
        certified, w = certificate(problem, arithmetic), writings(rng)
        w = w._replace(scan=OF_ORDER.get(arithmetic.order, w.scan))
        got = squeezed(program(problem, w, dtype), certified)
        assert all(x.no_overflow for x in certified.values())
        for result, ratio in ratios(got, certified).items():
            assert ratio <= 1, (result, arithmetic, w)
            largest[result] = max(largest.get(result, 0), ratio)
    assert largest["h"] > USED_BY_STATES[name]


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_sixteen_bits_with_wider_accumulation(name, dtype):
    rng, largest = np.random.default_rng(1), 0.0
    for _ in range(6):
        problem = draw(rng, name, dtype)
        certified = certificate(problem, Arithmetic(dtype, accumulate="float32", stages="formed"))
        got = squeezed(program(problem, writings(rng), "float32"), certified)
        got = {key: stored(x, dtype) for key, x in got.items()}
        largest = max(largest, *ratios(got, certified).values())
        assert largest <= 1
        unstored = {key: dataclasses.replace(x, bound=x.unstored) for key, x in certified.items()}
        assert outside(got, unstored)
    assert largest > MOSTLY  # rounding the results is most of it


def sparse(rng, p):
    """Matrices of zeros and powers of two."""
    def two(x):
        return None if x is None else np.ldexp(np.sign(x), rng.integers(-4, 5, x.shape)) * (rng.random(x.shape) < 0.7)

    names = [f.name for f in dataclasses.fields(p) if f.name[0] in "CD" or f.name.startswith("B_")]
    return dataclasses.replace(p, **{name: two(getattr(p, name)) for name in names})


def slow(rng, p):
    """Decays near 1."""
    name = "nu_log" if hasattr(p, "nu_log") else "gamma_log"
    return dataclasses.replace(p, **{name: rng.uniform(-15, -8, getattr(p, name).shape)})


def fast(rng, p):
    """Decays that underflow."""
    name = "nu_log" if hasattr(p, "nu_log") else "gamma_log"
    return dataclasses.replace(p, **{name: rng.uniform(3, 4.4, getattr(p, name).shape)})


def turning(rng, p):
    """Large angles."""
    if hasattr(p, "nu_log"):
        return dataclasses.replace(p, theta_log=rng.uniform(5, 10, p.theta_log.shape))
    return dataclasses.replace(p, theta=p.theta * 1e6)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # underflow and overflow are part of it
@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("edge", [sparse, slow, fast, turning])
def test_edges(name, edge):
    rng = np.random.default_rng(2)
    for i in range(10):
        problem = draw(rng, name, "float32", time=(1, 9, 20)[i % 3], edge=edge)
        scale = (1.0, 2.0**-140, 2.0**-60, 2.0**110, 2.0**60)[i % 5]
        impulse = np.arange(problem.u.shape[1])[:, None] == 0 if i % 2 else 1.0
        problem = problem._replace(u=rounded(problem.u * scale * impulse, "float32"))
        certified = certificate(problem, Arithmetic("float32", contraction=bool(i % 3), stages="formed"))
        got = squeezed(program(problem, writings(rng), "float32"), certified)
        for result, x in got.items():
            finite = np.isfinite(x).all()
            assert finite or not certified[result].no_overflow
            assert not finite or ratios({result: x}, certified)[result] <= 1
    assert finite or certified["y"].no_overflow is False


# ---------------------------------------------------------------- faults


def first_part(h, factor):
    return h[0] * np.asarray(factor, h[0].dtype), h[1]


FAULTS = {
    "a carry times 1 + 2^-12": lambda h: tuple(x * x.dtype.type(1 + 2.0**-12) for x in h),
    "one component of a carry": lambda h: first_part(h, 1 + 2.0**-10),
    "a carry lost": lambda h: tuple(0 * x for x in h),
    "conjugate": lambda h: (h[0], -h[1]),
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_outside(name, fault):
    rng, seen = np.random.default_rng(3), 0
    for _ in range(8):
        problem = draw(rng, name, "float32")
        certified = certificate(problem, Arithmetic("float32", stages="formed"))
        got = squeezed(program(problem, Writing(), "float32", FAULTS[fault]), certified)
        seen += bool(outside(got, certified) & {"h", "y"})
    assert seen >= 6


@pytest.mark.parametrize("name", LAYERS)
def test_parameters_off_by_little_are_outside(name):
    field = "nu_log" if name == "lru" else "gamma_log"
    rng, seen = np.random.default_rng(4), 0
    for _ in range(8):
        problem = draw(rng, name, "float32")
        moved = dataclasses.replace(problem.params, **{field: getattr(problem.params, field) * (1 + 2.0**-11) + 2.0**-11})
        certified = certificate(problem, Arithmetic("float32", stages="formed"))
        got = squeezed(program(problem._replace(params=moved), Writing(), "float32"), certified)
        seen += bool(outside(got, certified))
    assert seen >= 6


def test_float32_is_no_float64():
    problem = draw(np.random.default_rng(5), "lru", "float32")
    certified = certificate(problem, Arithmetic("float64", stages="formed"))
    assert outside(squeezed(program(problem, Writing(), "float32"), certified), certified)
    assert not outside(squeezed(program(problem, Writing(), "float64"), certified), certified)


# ---------------------------------------------------------------- truth


@pytest.mark.parametrize("name", LAYERS)
def test_truth_is_that_of_balls(name):
    rng = np.random.default_rng(6)
    for i in range(4):
        problem = draw(rng, name, "float32", time=9, edge=(None, slow)[i % 2])
        layer, arithmetic = LAYERS[name], Arithmetic("float32", stages="formed")
        found = certificate(problem, arithmetic) | certificate(problem, arithmetic, pulled_back)
        with flint.ctx.workprec(BITS):
            q = mapped(problem.params, ball)
            u, h0, y_bar = (ball(x) for x in (problem.u, problem.h0, problem.y_bar))
            y, h = layer.run(layer.constants(q), u, h0, problem.reverse)
            bar = layer.pull_back(q, u, h0, y_bar, problem.reverse)
            expected = {"y": y, "h": h} | {f"gradient {f.name}": getattr(bar, f.name) for f in dataclasses.fields(bar)}
            for key, x in expected.items():
                if x is not None:
                    assert contains(found[key].truth, x), key
                    assert not contains(found[key].truth, x * (1 + flint.arb(2) ** -60) + flint.arb(2) ** -60), key


def contains(truth, expected):
    """Whether balls overlap an enclosure in every element; and the enclosure is sharp."""
    numbers = zip(truth.head.flat, truth.tail.flat, truth.rad.flat, expected.flat, strict=True)
    gaps = [(abs(flint.acb(x) - flint.acb(complex(head)) - flint.acb(complex(tail))), rad) for head, tail, rad, x in numbers]
    assert (truth.rad <= SHARP * (1 + np.abs(truth.head).max())).all()
    return all(not gap > rad for gap, rad in gaps)


# ---------------------------------------------------------------- gradients


def lru_gradients(problem, w, dtype):
    """Reverse mode of LRU by the adjoint recurrence; complex numbers are pairs."""
    p, u, y_bar = mapped(problem.params, lambda x: x.astype(dtype)), problem.u.astype(dtype), problem.y_bar.astype(dtype)
    nu, theta, g = np.exp(p.nu_log), np.exp(p.theta_log), np.exp(p.gamma_log)
    lam = np.exp(-nu) * np.cos(theta), np.exp(-nu) * np.sin(theta)
    conj = lam[0], -lam[1]
    Bu = u @ p.B_re.T, u @ p.B_im.T
    b = g * Bu[0], g * Bu[1]
    C = [(p.C_re, p.C_im)] + ([(p.C2_re, p.C2_im)] if p.C2_re is not None else [])
    grads, lam_bar, b_bar, h0_bar = {"D": (y_bar * u).sum((0, 1))}, [0, 0], [0, 0], []
    for d, c in enumerate(C):
        flip = backwards(d, problem.reverse)
        h0 = problem.h0[:, d].real.astype(dtype), problem.h0[:, d].imag.astype(dtype)
        h = scan_pairs(lam, tuple(in_time(x, flip) for x in b), h0, w.scan)
        before = tuple(np.concatenate([start[:, None], x[:, :-1]], 1) for start, x in zip(h0, h, strict=True))
        e = in_time(y_bar, flip)
        drive = (e @ c[0])[:, ::-1], -(e @ c[1])[:, ::-1]
        a = tuple(x[:, ::-1] for x in scan_pairs(conj, drive, tuple(0 * x for x in h0), w.scan))
        lam_bar[0] = lam_bar[0] + (before[0] * a[0] + before[1] * a[1]).sum((0, 1))
        lam_bar[1] = lam_bar[1] + (before[0] * a[1] - before[1] * a[0]).sum((0, 1))
        b_bar = [x + in_time(y, flip) for x, y in zip(b_bar, a, strict=True)]
        first = times(conj, at(a, slice(None), 0))
        h0_bar.append(first[0] + 1j * first[1])
        second = "2" * d
        grads[f"C{second}_re"], grads[f"C{second}_im"] = np.einsum("btw,bts->ws", e, h[0]), -np.einsum("btw,bts->ws", e, h[1])
    decay, angle = np.exp(-nu), (np.cos(theta), np.sin(theta))
    grads["nu_log"] = -nu * (decay * (lam_bar[0] * angle[0] + lam_bar[1] * angle[1]))
    grads["theta_log"] = theta * (decay * (lam_bar[1] * angle[0] - lam_bar[0] * angle[1]))
    grads["gamma_log"] = g * (b_bar[0] * Bu[0] + b_bar[1] * Bu[1]).sum((0, 1))
    grads["B_re"], grads["B_im"] = (np.einsum("bts,btw->sw", g * x, u) for x in b_bar)
    grads["u"] = (b_bar[0] @ (g[:, None] * p.B_re) + b_bar[1] @ (g[:, None] * p.B_im)) + p.D * y_bar
    grads["h0"] = np.stack(h0_bar, 1)
    return {f"gradient {key}": x for key, x in grads.items()}


def rotrnn_gradients(problem, w, dtype):
    """Those of the reference in floats: written by another hand, they belong to the class."""
    p = mapped(problem.params, lambda x: x.astype(dtype))
    bar = rotrnn.pull_back(p, *(x.astype(dtype) for x in (problem.u, problem.h0, problem.y_bar)), problem.reverse)
    found = {f.name: getattr(bar, f.name) for f in dataclasses.fields(bar)}
    return {f"gradient {key}": x for key, x in found.items() if x is not None}


GRADIENTS = {"lru": lru_gradients, "rotrnn": rotrnn_gradients}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradients(name, dtype):
    rng, largest = np.random.default_rng(7), 0.0
    for i in range(9):
        problem = draw(rng, name, dtype, time=(1, 2, 15)[i % 3])
        arithmetic = Arithmetic(dtype, adjoint=("any", "recurrence")[i % 2], sums=("any", "blocked", "pairwise")[i // 3], stages="formed")
        certified = certificate(problem, arithmetic, pulled_back)
        got = GRADIENTS[name](problem, writings(rng), dtype)
        assert set(certified) == set(got)
        got = squeezed(got, certified)
        for key, ratio in ratios(got, certified).items():
            assert ratio <= 1, (key, arithmetic)
            largest = max(largest, ratio)
        for key in got:
            wrong, small = {key: got[key] * np.asarray(1 + 2.0**-6, dtype)}, np.abs(got[key]).max() * 2.0**-7
            assert outside(wrong, certified) or not small or certified[key].bound.max() > small
    assert largest > USED


def test_gradients_of_jax():
    """Autodiff of an associative scan: subnormals are flushed, products and sums contracted."""
    jax = pytest.importorskip("jax")
    jnp, rng = jax.numpy, np.random.default_rng(8)
    arithmetic = Arithmetic("float32", subnormals="daz", stages="formed")

    def layer(p, u):
        lam = jnp.exp(-jnp.exp(p["nu_log"]) + 1j * jnp.exp(p["theta_log"]))
        b = jnp.exp(p["gamma_log"]) * (u @ (p["B_re"] + 1j * p["B_im"]).T)
        pairs = jnp.broadcast_to(lam, b.shape), b
        h = jax.lax.associative_scan(lambda x, y: (x[0] * y[0], y[0] * x[1] + y[1]), pairs, axis=1)[1]
        return (h @ (p["C_re"] + 1j * p["C_im"]).T).real + p["D"] * u

    layer = jax.jit(layer)
    for _ in range(2):
        p, u = lru.init(rng, 4, 2, dtype=np.float32), rng.standard_normal((1, 17, 2)).astype(np.float32)
        p = dataclasses.replace(p, nu_log=np.float32(rng.uniform(-5, 0, 4)))
        wide = u.astype(float)
        problem = Problem("lru", mapped(p, lambda x: x.astype(float)), wide, np.zeros((1, 1, 4)) + 0j, wide, False)
        arrays = {f.name: getattr(p, f.name) for f in dataclasses.fields(p) if getattr(p, f.name) is not None}
        y, pull = jax.vjp(layer, arrays, u)
        bar, u_bar = pull(jnp.asarray(u))
        got = {"y": y} | {f"gradient {key}": x for key, x in (bar | {"u": u_bar}).items()}
        certified = certificate(problem, arithmetic) | certificate(problem, arithmetic, pulled_back)
        for key, ratio in ratios({key: np.asarray(x) for key, x in got.items()}, certified).items():
            assert ratio <= 1, key


# ---------------------------------------------------------------- what is in no class


def test_one_flat_sum_over_steps_and_width_is_another_class():
    """y_t as a convolution: sums over width within a sum over steps are in the class, all addends in one sum are not."""
    time, width, one = 128, 128, np.ones((1, 1))
    c = max(np.float32(np.random.default_rng(0).uniform(0.5, 1, 20)), key=lambda c: drift(c, time * width))
    p = lru.Params(-22 * one[0], -22 * one[0], 0 * one[0], np.full((1, width), c), np.zeros((1, width)), np.ones((width, 1)),
                   np.zeros((width, 1)), np.zeros(width))  # lam = 1 to 29 bits  # fmt: skip
    p = mapped(p, lambda x: x.astype(float))
    problem = Problem("lru", p, np.ones((1, time, width)), np.zeros((1, 1, 1)) + 0j, np.ones((1, time, width)), False)
    found = certificate(problem, Arithmetic("float32", stages="any"))["y"]
    nested = running(np.full(time, running(np.full(width, c))))
    flat, truth, bound = running(np.full(time * width, c)), found.truth.head[0, -1, 0], found.bound[0, -1, 0]
    assert abs(float(nested) - truth) <= bound
    assert abs(float(flat) - truth) > 2 * bound


def running(x):
    """One addition after the other."""
    return np.cumsum(x, dtype=np.float32)[-1]


def drift(c, n):
    return abs(float(running(np.full(n, c))) - float(c) * n)


# ---------------------------------------------------------------- overflow


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_another_factor_first_may_overflow():
    """(gamma B) u overflows where gamma (B u) does not: no promise that results are finite."""
    one = np.ones((1, 1))
    p = lru.Params(one[0], one[0], 46 * one[0], 1e20 * one, 0 * one, one, one, one[0])
    p, u = mapped(p, lambda x: rounded(x, "float32")), rounded(1e-30 * one[None], "float32")
    problem = Problem("lru", p, u, 0j * one[None], one[None], False)
    certified = certificate(problem, Arithmetic("float32", stages="formed"))
    folded, plain = (program(problem, Writing(folded=i), "float32")["h"] for i in (1, 0))
    assert np.isfinite(plain).all()
    assert not np.isfinite(folded).any()
    assert not certified["h"].no_overflow


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_sum_of_squares_that_overflows_leaves_finite_results():
    """tr(B^T B) = inf in float32 makes xi = 0, and y = D u: wrong by far, but no proof of anything."""
    rng = np.random.default_rng(9)
    p = rotrnn.init(rng, 1, 2, 2)
    p = mapped(dataclasses.replace(p, B=p.B * 1e25), lambda x: rounded(x, "float32"))
    u, y_bar = rounded(rng.standard_normal((1, 3, 2)), "float32"), np.ones((1, 3, 2))
    problem = Problem("rotrnn", p, u, np.zeros((1, 1, 1, 2)), y_bar, False)
    certified = certificate(problem, Arithmetic("float32", stages="formed"))
    got = squeezed(program(problem, Writing(), "float32"), certified)
    assert np.isfinite(got["y"]).all()
    assert not outside(got, certified)
    assert not certified["y"].no_overflow
    fine = certificate(problem, Arithmetic("float64", stages="formed"))
    assert fine["y"].no_overflow
    assert outside(got, fine)


def test_sixteen_bit_results_of_a_wider_accumulation_have_their_own_limit():
    problem = draw(np.random.default_rng(10), "lru", "float16")
    for scale, safe in ((1.0, True), (2.0**15, False)):
        params = dataclasses.replace(problem.params, D=rounded(scale * np.ones_like(problem.params.D), "float16"))
        bold = problem._replace(params=params, u=0 * problem.u + 4)
        certified = certificate(bold, Arithmetic("float16", accumulate="float32", stages="formed"))
        assert certified["y"].no_overflow == safe
        assert certified["h"].no_overflow
    assert format_of("float16").largest < 2.0**17

"""The gradients of both layers, as reference/systems/lru.py and rotrnn.py compute them, against
derivatives of the loss.

    symbol         meaning                                                      shape
    loss           sum of y_bar y over all steps                                ()
    step           direction in which one parameter moves, letters of its own   the parameter's
    y_bar, b_bar   cotangents of the outputs and of the drive of one step       (W, 1), (N, 1)
    B, C           input and output matrix                                      (N, W), (W, N)
    D, G           diagonal: the skip; the gain of the inputs                   (W, W), (N, N)
    dh, du         how a state and an input move                                (N, 1), (W, 1)
    X              cotangent of S = M - M^T or of exp(S)                        (N, N)
    x, y           a move x y^T of M                                            (N, 1), (N, 1)
    V, W           S^i, S^j of a term of the Frechet derivative of exp          (N, N)
    decay, rate    gamma (or |lam|) and -log of it                              (heads,), (state,)
    xi, trace      normalisation and tr(B^T B), where xi^2 trace = 1 - gamma^2  ()

Small cases in symbols: every parameter, input and initial state free, any value of them; the sizes
stand in the lemmas. That the states' cotangents are a scan for all N and T is the lemma
scan-adjoint, and what one step adds to it holds here for all N. After differentiation, exponentials
and angles become letters of their own: what holds for all letters holds for them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import sympy as sp
from sympy import adjoint

from scanproof.proofs.engine.algebra import Claim, Instance, letters
from scanproof.proofs.engine.instances import at_sizes, matrix
from scanproof.proofs.engine.moments import WIDTHS
from scanproof.proofs.engine.run import Lemma
from scanproof.reference.numbers import namespace
from scanproof.reference.systems import lru, rotrnn

SIZES = {
    "time": 2,
    "instant": 1,
    "state": 1,
    "width": 1,
    "heads": 1,
    "head_dim": 2,
    "pairs": 1,
    "features": 2,
    "directions": 2,
}
y_bar, b_bar, B, C, D, G, dh, du, X, x, y, V, W = letters("y_bar b_bar B C D G dh du X x y V W")
xi, trace = sp.symbols("xi trace", positive=True)
# M of a quarter turn (1, 2, 2)
QUARTER = np.array([[[sp.Integer(0), sp.pi / 2], [sp.Integer(0)] * 2]])
CONSTANTS = {
    "gamma": "heads",
    "cos": "heads pairs",
    "sin": "heads pairs",
    "P": "heads head_dim head_dim",
    "xi": "heads",
}
CONSTANTS |= {"B": "heads head_dim width", "C": "instant width heads head_dim", "D": "width"}
Named = Callable[[sp.Expr], sp.Expr]
Arrays = dict[str, Any]


def free(name: str, axes: str, batch: int = 0) -> np.ndarray:
    """Real symbols, one for each entry."""
    shape = [1] * batch + [SIZES[axis] for axis in axes.split()]
    return np.array(sp.symbols(f"{name}_:{int(np.prod(shape))}", real=True), object).reshape(shape)


def parameters(layer: Any) -> Any:
    """All parameters of a layer of two directions."""
    return layer.Params(**{name: free(name, axes) for name, axes in axes_of(layer).items()})


def axes_of(layer: Any) -> dict[str, str]:
    """The axes of every parameter."""
    return {name: layer.SYSTEM.argument[name].axes for name in layer.SYSTEM.named("parameter")}


def moving(found: Arrays, places: Arrays, loss: sp.Expr | sp.Poly, named: Named) -> Iterator[Claim]:
    """The derivative of the loss in every direction is what each cotangent says."""
    for name, place in places.items():
        steps = [sp.Symbol(f"step_{i}", real=True) for i in range(place.size)]
        derivatives = [sp.diff(loss, x).as_expr() for x in place.flat]
        exact, said = (
            named(sp.Add(*map(sp.Mul, side, steps))) for side in (derivatives, found[name].flat)
        )
        # of the first step
        forgotten = said.xreplace({sp.Symbol("y_bar_0", real=True): sp.Integer(0)})
        yield Claim(
            f"dL/d({name}), in every direction",
            exact,
            said,
            (),
            (forgotten,),
            numbers(exact, said),
            shown=f"d/d({name}) of sum y_bar y, in the directions step = <cotangent of {name}, "
                  "step>",
        )


def numbers(*sides: sp.Expr) -> tuple[Instance, ...]:
    """Positive rational values, so that nothing divides by 0."""
    rng, symbols = (
        random.Random(0),
        sorted(set().union(*(side.free_symbols for side in sides)), key=str),
    )
    return tuple(
        {symbol: sp.Rational(rng.randint(1, 9), rng.randint(1, 4)) for symbol in symbols}
        for _ in range(2)
    )


def each(function: Callable[[sp.Expr], sp.Expr], values: np.ndarray) -> np.ndarray:
    return np.array([function(x) for x in values.flat], object).reshape(values.shape)


def lru_named(e: sp.Expr) -> sp.Expr:
    """Letters for exp(-nu), exp(nu_log), exp(gamma_log), exp(theta_log) and its cosine and sine."""
    decays: dict[sp.Expr, sp.Expr] = {}
    others: dict[sp.Expr, sp.Expr] = {}
    for i in range(SIZES["state"]):
        nu, gain, theta = (
            sp.exp(sp.Symbol(f"{name}_log_{i}", real=True)) for name in ("nu", "gamma", "theta")
        )
        decays[sp.exp(-nu)] = sp.Symbol(f"decay_{i}", positive=True)
        plain = {
            nu: "rate",
            gain: "gain",
            sp.cos(theta): "cos",
            sp.sin(theta): "sin",
            theta: "theta",
        }
        others |= {value: sp.Symbol(f"{name}_{i}", real=True) for value, name in plain.items()}
    return e.subs(decays).xreplace(others)


def lru_gradients() -> Iterator[Claim]:
    """pull_back and run on symbols; initial states h0 = p + i q are complex, and their cotangents
    dRe + i dIm."""
    params, u, outputs_bar = (
        parameters(lru),
        free("u", "time width", 1),
        free("y_bar", "time width", 1),
    )
    p, q = free("p", "directions state", 1), free("q", "directions state", 1)
    y, _ = lru.run(lru.constants(params), u, p + sp.I * q)
    bar = lru.pull_back(params, u, p + sp.I * q, outputs_bar)
    found = {**vars(bar), "Re h0": each(sp.re, bar.h0), "Im h0": each(sp.im, bar.h0)}
    places = {**vars(params), "u": u, "Re h0": p, "Im h0": q}
    yield from moving(found, places, sp.expand((y * outputs_bar).sum()), lru_named)
    yield from one_step()


def rotrnn_named(e: sp.Expr) -> sp.Expr:
    """Both sides times xi trace, in letters: gamma = decay, exp(gamma_log) = rate,
    1 - gamma^2 = xi^2 trace, cos and sin."""
    g, squares = (
        sp.exp(sp.Symbol("gamma_log_0", real=True)),
        sp.Add(*(b**2 for b in free("B", axes_of(rotrnn)["B"]).flat)),
    )
    theta, cos, sin = sp.symbols("theta_0 cos sin", real=True)
    decay, rate = sp.symbols("decay rate", positive=True)
    e = e.xreplace({squares: trace, sp.cos(theta): cos, sp.sin(theta): sin}).subs(sp.exp(-g), decay)
    return sp.expand(xi * trace * e.xreplace({g: rate, 1 - decay**2: xi**2 * trace}))


def rotrnn_gradients() -> Iterator[Claim]:
    """Cotangents of free constants, any P; of parameters, where M = 0; of M through P."""
    u, outputs_bar, h0 = (
        free("u", "time width", 1),
        free("y_bar", "time width", 1),
        free("h0", "instant heads head_dim", 1),
    )
    k = rotrnn.Constants(*(free(name, axes) for name, axes in CONSTANTS.items()))
    bar, u_bar, h0_bar = rotrnn.adjoint(k, u, h0, outputs_bar)
    found, places = {**bar._asdict(), "u": u_bar, "h0": h0_bar}, {**k._asdict(), "u": u, "h0": h0}
    loss = sp.Poly((rotrnn.run(k, u, h0)[0] * outputs_bar).sum())
    yield from moving(found, places, loss, sp.expand)
    yield from rotrnn_parameters()
    yield from basis()
    yield from one_step()


def rotrnn_parameters() -> Iterator[Claim]:
    """pull_back and run on symbols: two directions, one step from their initial states."""
    u, outputs_bar = free("u", "instant width", 1), free("y_bar", "instant width", 1)
    params, h0 = (
        replace(parameters(rotrnn), M=0 * QUARTER),
        free("h0", "directions heads head_dim", 1),
    )
    loss = (rotrnn.run(rotrnn.constants(params), u, h0)[0] * outputs_bar).sum()
    places = {name: x for name, x in vars(params).items() if name != "M"} | {"u": u, "h0": h0}
    named = {f"{name}, parameters": x for name, x in places.items()}
    bar = {
        f"{name}, parameters": x
        for name, x in vars(rotrnn.pull_back(params, u, h0, outputs_bar)).items()
    }
    yield from moving(bar, named, loss, rotrnn_named)


def basis() -> Iterator[Claim]:
    """<X, P> moves with M by G - G^T, G = L(S^T, X).

    This is for any X at head_dim 2, where dL/dM itself is 0, for rotations commute.
    """
    M, X = free("M", axes_of(rotrnn)["M"]), free("X", axes_of(rotrnn)["M"])
    here = dict(zip(M.flat, QUARTER.flat, strict=True))
    G = namespace.symbols().frechet(QUARTER.swapaxes(1, 2) - QUARTER, X)  # (1, 2, 2)
    angle, steps = (
        M[0, 0, 1] - M[0, 1, 0],
        [sp.Symbol(f"step_{i}", real=True) for i in range(M.size)],
    )
    # exp(M - M^T) (1, 2, 2)
    P = np.array([[[sp.cos(angle), sp.sin(angle)], [-sp.sin(angle), sp.cos(angle)]]])
    inner = (X * P).sum()
    moved = sp.Add(
        *(sp.diff(inner, place) * step for place, step in zip(M.flat, steps, strict=True))
    ).subs(here)
    said = sp.expand(sp.Add(*map(sp.Mul, (G - G.swapaxes(1, 2)).flat, steps)))
    yield Claim(
        "d<X, exp(M - M^T)> = <G - G^T, dM>",
        moved,
        said,
        (),
        (-said, said / 2),
        numbers(moved, said),
    )
    yield from skew_part()


def step_model(rng: random.Random, n: int) -> Instance:
    """Any matrices and moves; D and G diagonal."""
    width = WIDTHS[n]
    columns = {
        y_bar: matrix(rng, width, 1),
        du: matrix(rng, width, 1),
        b_bar: matrix(rng, n, 1),
        dh: matrix(rng, n, 1),
    }
    diagonals = {
        D: sp.diag(*matrix(rng, width, 1)).as_immutable(),
        G: sp.diag(*matrix(rng, n, 1)).as_immutable(),
    }
    return {**columns, **diagonals, B: matrix(rng, n, width), C: matrix(rng, width, n)}


def one_step() -> Iterator[Claim]:
    """What the readout C h + D u and the drive G B u hand back in one step, for all N."""
    instances, handed = at_sizes(step_model), adjoint(C) * y_bar
    what, lhs = (
        "<y_bar, C dh + D du> = <C^T y_bar, dh> + <D y_bar, du>",
        adjoint(y_bar) * (C * dh + D * du),
    )
    rhs = adjoint(handed) * dh + adjoint(D * y_bar) * du
    yield Claim(what, lhs, rhs, ((adjoint(D), D),), (adjoint(handed) * dh,), instances)
    lhs, rhs, undriven = (
        adjoint(b_bar) * G * B * du,
        adjoint(adjoint(B) * G * b_bar) * du,
        adjoint(adjoint(B) * b_bar) * du,
    )
    yield Claim(
        "<b_bar, G B du> = <B^T G b_bar, du>", lhs, rhs, ((adjoint(G), G),), (undriven,), instances
    )


def skew_part() -> Iterator[Claim]:
    """<X, d(M - M^T)> = <X - X^T, dM>, and L(S^T, .) is the adjoint of L(S, .), term by term: for
    dM = x y^T."""
    instances = at_sizes(
        lambda rng, n: {
            **{Y: matrix(rng, n, n) for Y in (X, V, W)},
            x: matrix(rng, n, 1),
            y: matrix(rng, n, 1),
        }
    )
    given = ((adjoint(y) * X * x, adjoint(x) * adjoint(X) * y),)  # a number is its transpose
    lhs, rhs = adjoint(x) * X * y - adjoint(y) * X * x, adjoint(x) * (X - adjoint(X)) * y
    yield Claim(
        "<X, dS> = <X - X^T, dM>, S = M - M^T", lhs, rhs, given, (adjoint(x) * X * y,), instances
    )
    lhs, rhs = adjoint(V * x) * X * adjoint(W) * y, adjoint(x) * (adjoint(V) * X * adjoint(W)) * y
    what, untransposed = (
        "<X, S^i dM S^j> = <(S^T)^i X (S^T)^j, dM>, V = S^i, W = S^j",
        adjoint(x) * V * X * W * y,
    )
    yield Claim(
        what,
        lhs,
        rhs,
        (),
        (untransposed,),
        instances,
        shown="(V x)^H X (W^H y) = x^H (V^H X W^H) y",
    )


ADJOINT = "Griewank and Walther, Evaluating Derivatives (2008)"
METHOD = ("small cases: pull_back and run of the reference on symbols, sympy.diff of the loss; one "
          "step for all N by words")
CITED = ("scan-adjoint, for the states' cotangents at every N and T", "the chain rule")

LEMMAS = (
    Lemma(
        name="lru-gradients",
        statement="reference.systems.lru.pull_back is the derivative of the loss in every "
                  "parameter, in u and in h0 (complex: dRe + i dIm).",
        source=f"{ADJOINT}; Linear Recurrent Unit, arXiv 2303.06349",
        role="a backward kernel of the LRU is judged against reference.systems.lru.pull_back",
        N="small cases: T = 2, one channel, width 1, both directions; one step for general N",
        method=METHOD,
        cited=CITED,
        claims=lru_gradients,
    ),
    Lemma(
        name="rotrnn-gradients",
        statement="reference.systems.rotrnn.pull_back is the derivative of the loss in every "
                  "parameter but M, in u and in h0; for M it is put together from two parts: the "
                  "derivative in a free P, and that of <X, exp(M - M^T)> for any X.",
        source=f"{ADJOINT}; RotRNN, arXiv 2407.07239",
        role="a backward kernel of RotRNN is judged against reference.systems.rotrnn.pull_back",
        N="small cases, one head of head_dim 2, width 1: T = 2, one direction and any P for what "
          "constants() makes; T = 1, both directions and M = 0 for the parameters; a quarter turn "
          "for M -> exp(M - M^T); one step for general N",
        method=METHOD,
        cited=(
            *CITED,
            "every matrix is a sum of x y^T, and <X, x y^T> = x^T X y",
            "exp-onto-rotations, for exp(M - M^T) of size 2",
            "exp(S + E) = exp(S) + L(S, E) + o(E), L(S, E) = sum of S^i E S^j / (i + j + 1)!, for "
            "head_dim above 2",
        ),
        claims=rotrnn_gradients,
    ),
)

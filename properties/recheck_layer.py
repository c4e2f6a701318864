"""Rechecks the witness of a layer with nothing but mpmath: python recheck_layer.py witness.json

Computes the element at `index` again at 200 digits, step by step (RotRNN with the dense matrix gamma P Theta P^T; gradients as
central differences of the sum of y_bar y). Confirms (exit 0) that the recorded truth is right within its radius and that
|got - truth| > allowance there, or refutes (exit 1); exit 2 for a file that is no witness. Shares no code with Scanproof. What
it takes on trust is the allowance itself (docs/layers.md).
    h_t = advance(h_{t-1}) + B u_t          y_t = Re(C h_t) + D u_t          with two directions: C h + C2 h' + D u
"""

import json
import math
import sys
from functools import reduce
from operator import getitem
from typing import Any

try:
    from mpmath import cos, exp, expm, expm1, fabs, isfinite, matrix, mp, mpc, mpf, re, sin, sqrt  # type: ignore[import-untyped]
except ImportError:
    print("recheck_layer: found no mpmath, which it needs", file=sys.stderr)
    sys.exit(2)

mp.dps = 200
STEP = mpf(10) ** -60  # of a central difference, whose error is some 10^-120 of the sum, and its rounding 10^-140
SLACK = mpf(10) ** -100  # of the sum of all numbers met


def array(numbers: dict[str, Any]) -> Any:
    """Exact nested lists, as deep as the shape is long."""
    parts = [mpf(float.fromhex(x)) for x in numbers["data"]]
    found: list[Any] = [mpc(*x) for x in zip(parts[::2], parts[1::2], strict=True)] if "complex" in numbers["dtype"] else parts
    for size in reversed(numbers["shape"][1:]):
        found = [found[i : i + size] for i in range(0, len(found), size)]
    return found


def flat(nested: Any) -> list[Any]:
    return [x for inner in nested for x in flat(inner)] if isinstance(nested, list) else [nested]


def dot(one: list[Any], two: list[Any]) -> Any:
    return sum((x * y for x, y in zip(one, two, strict=True)), mpf(0))


def paired(p: dict[str, Any], name: str) -> list[Any]:
    return [[mpc(*x) for x in zip(*rows, strict=True)] for rows in zip(p[f"{name}_re"], p[f"{name}_im"], strict=True)]


def lru(p: dict[str, Any]) -> Any:
    """advance, gamma B (state, width) and C, C2 (width, state)."""
    lam = [exp(mpc(-exp(nu), exp(theta))) for nu, theta in zip(p["nu_log"], p["theta_log"], strict=True)]
    B = [[exp(g) * x for x in row] for g, row in zip(p["gamma_log"], paired(p, "B"), strict=True)]
    return (lambda h: [x * y for x, y in zip(lam, h, strict=True)]), B, [paired(p, k) for k in ("C", "C2") if f"{k}_re" in p]


def rotrnn(p: dict[str, Any]) -> Any:
    """advance, xi B (heads * head_dim, width) and C, C2 (width, heads * head_dim)."""
    dense, B, n = [], [], len(p["M"][0])
    for theta, rate, M, rows in zip(p["theta"], map(exp, p["gamma_log"]), map(matrix, p["M"]), p["B"], strict=True):
        P, turn = expm(M - M.T), matrix(n, n)
        for k, angle in enumerate(theta):
            turn[2 * k, 2 * k] = turn[2 * k + 1, 2 * k + 1] = cos(angle)
            turn[2 * k + 1, 2 * k], turn[2 * k, 2 * k + 1] = sin(angle), -sin(angle)
        dense.append((exp(-rate) * P * turn * P.T).tolist())
        B += [[sqrt(-expm1(-2 * rate) / dot(flat(rows), flat(rows))) * x for x in row] for row in rows]
    return (lambda h: [dot(row, h[n * i :][:n]) for i, A in enumerate(dense) for row in A]), B, [p[k] for k in ("C", "C2") if k in p]


def run(w: dict[str, Any], p: dict[str, Any]) -> tuple[list[Any], list[Any]]:
    """y (batch, time, width) and h (batch, time, directions, states), from parameters, u and h0."""
    (advance, B, outs), y, h = (lru if w["system"] == "lru" else rotrnn)(p), [], []
    for u, start in zip(p["u"], p["h0"], strict=True):
        drive, states = [[dot(row, x) for row in B] for x in u], [[[]] * len(outs) for _ in u]
        for d in range(len(outs)):
            state = flat(start[d] if len(outs) == 2 else start)
            for t in range(len(u))[:: -1 if w["reverse"] != (d == 1) else 1]:
                states[t][d] = state = [x + b for x, b in zip(advance(state), drive[t], strict=True)]
        read = [[re(sum(dot(C[i], s) for C, s in zip(outs, now, strict=True))) for i in range(len(u[0]))] for now in states]
        y.append([[x + D * z for x, D, z in zip(y_t, p["D"], u_t, strict=True)] for y_t, u_t in zip(read, u, strict=True)])
        h.append(states)
    return y, h


def derivative(w: dict[str, Any], p: dict[str, Any], name: str) -> Any:
    """Of the sum of y_bar y by one entry; by a complex one dRe + i dIm."""
    place, last, y_bar, found = reduce(getitem, w["index"][:-1], p[name]), w["index"][-1], flat(array(w["y_bar"])), mpf(0)
    value = place[last]
    for unit in (mpf(1), mpc(0, 1)) if (w["system"], name) == ("lru", "h0") else (mpf(1),):
        for sign in (1, -1):
            place[last] = value + sign * STEP * unit
            found += unit * sign * dot(y_bar, flat(run(w, p)[0])) / (2 * STEP)
    place[last] = value
    return found


def recheck(w: dict[str, Any]) -> str:
    """"confirmed", or why not."""
    if w["format"] != "scanproof-layer-witness/1" or w["system"] not in ("lru", "rotrnn"):
        raise ValueError(f"format: found {w['format']!r} of {w['system']!r}, expected scanproof-layer-witness/1 of lru or rotrnn")
    p, (kind, *name), index = {name: array(x) for name, x in w["params"].items()}, w["output"].split(), w["index"]
    two, states, p["u"] = bool(p.keys() & {"C2", "C2_re"}), w["params"]["M" if "M" in p else "nu_log"]["shape"][:2], array(w["u"])
    zeros = {"dtype": "float64", "shape": [..., *[2] * two, *states], "data": ["0x0p+0"] * len(p["u"]) * 2**two * math.prod(states)}
    p["h0"] = array(w["h0"] or zeros)
    y, h = run(w, p)
    scale = sum(map(fabs, flat(y) + flat(h))) * (sum(map(fabs, flat(array(w["y_bar"])))) if name else 1)
    if kind in ("h", "h_last"):
        d, inner = index[-len(states) - 1] if two else 0, index[-len(states) :]  # direction; place in the state
        t = index[1] if kind == "h" else 0 if w["reverse"] != (d == 1) else -1
        truth = h[index[0]][t][d][sum(i * math.prod(states[k + 1 :]) for k, i in enumerate(inner))]
    else:
        truth = derivative(w, p, name[0]) if name else reduce(getitem, index, y)
    recorded = mpc(*[mpf(float.fromhex(head)) + mpf(float.fromhex(tail)) for head, tail in w["truth"]])
    got = reduce(getitem, index, array(w["got"][w["output"]]))
    if not fabs(recorded - truth) <= mpf(float.fromhex(w["rad"])) + SLACK * scale:
        return "refuted: the recorded truth is not that of the layer"
    outside = not isfinite(got) or fabs(got - truth) > mpf(float.fromhex(w["allowance"])) + SLACK * scale
    return "confirmed" if outside else "refuted: the error does not exceed the allowance"


if __name__ == "__main__":
    path = " ".join(sys.argv[1:])
    try:
        with open(path, encoding="utf-8") as file:
            answer = recheck(json.load(file))
    except (ArithmeticError, AttributeError, IndexError, OSError, KeyError, TypeError, ValueError, RecursionError) as error:
        print(f"recheck_layer: {path} is no readable witness file: {repr(error)[:160]}", file=sys.stderr)
        sys.exit(2)
    print(answer)
    sys.exit(answer != "confirmed")

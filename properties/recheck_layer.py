"""Rechecks the witness of a layer with nothing but mpmath: python recheck_layer.py witness.json

Computes the element at `index` again at 200 digits, one step after the other; gradients as central differences of the sum of
y_bar y. Confirms (exit 0) that the recorded truth is right within its radius and that |got - truth| > allowance there, or
refutes (exit 1); exit 2 for a file that is no witness. It shares no code with Scanproof. What it takes on trust is the
allowance itself (docs/layers.md).

    z_t = lam z_{t-1} + P^T B u_t          h_t = P z_t          y_t = Re(C h_t) + D u_t, with two directions C h + C2 h' + D u

LRU has no P and gains gamma B; RotRNN has pairs of coordinates as complex z, lam = gamma (cos + i sin), and gains xi B.
"""

import json
import math
import sys
from functools import reduce
from operator import getitem
from typing import Any

try:
    from mpmath import cos, exp, expm, expm1, fabs, isfinite, matrix, mp, mpc, mpf, re, sin, sqrt
except ImportError:
    print("recheck_layer: found no mpmath, which it needs", file=sys.stderr)
    sys.exit(2)

FORMAT = "scanproof-layer-witness/1"
OTHERS = {"scanproof-witness": "recheck.py", "scanproof-expm-witness": "recheck_expm.py"}
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


def dot(one: Any, two: Any) -> Any:
    return sum((x * y for x, y in zip(one, two, strict=True)), mpf(0))


def paired(one: Any, two: Any) -> list[Any]:
    return [paired(*x) if isinstance(x[0], list) else mpc(*x) for x in zip(one, two, strict=True)]


def constants(p: dict[str, Any]) -> dict[str, Any]:
    """lam and gamma of LRU; gamma, cos, sin, P and xi of RotRNN."""
    if "M" not in p:
        lam = [exp(mpc(-exp(x), exp(y))) for x, y in zip(p["nu_log"], p["theta_log"], strict=True)]
        return {"lam": lam, "gamma": [exp(x) for x in p["gamma_log"]]}
    rates, turns = [exp(x) for x in p["gamma_log"]], {"cos": cos, "sin": sin}
    k = {name: [[turn(x) for x in row] for row in p["theta"]] for name, turn in turns.items()}
    k |= {"gamma": [exp(-x) for x in rates], "P": [expm(M - M.T).tolist() for M in map(matrix, p["M"])]}
    return k | {"xi": [sqrt(-expm1(-2 * x) / dot(flat(B), flat(B))) for x, B in zip(rates, p["B"], strict=True)]}


def rotated(P: list[Any], h: list[Any]) -> list[Any]:
    """P^T h of all heads, in pairs."""
    s = [dot(column, h[len(A) * i :][: len(A)]) for i, A in enumerate(P) for column in zip(*A, strict=True)]
    return [mpc(*x) for x in zip(s[::2], s[1::2], strict=True)] if P else h


def back(P: list[Any], z: list[Any]) -> list[Any]:
    """P z of all heads."""
    s = [part for x in z for part in (x.real, x.imag)]
    return [dot(row, s[len(A) * i :][: len(A)]) for i, A in enumerate(P) for row in A] if P else z


def run(p: dict[str, Any], k: dict[str, Any], reverse: bool) -> tuple[list[Any], list[Any]]:
    """y (batch, time, width) and h (batch, time, directions, states), from all arguments and constants."""
    lam = k.get("lam") or [g * x for g, *row in zip(k["gamma"], k["cos"], k["sin"], strict=True) for x in paired(*row)]
    gains, rows = (k["gamma"], paired(p["B_re"], p["B_im"])) if "lam" in k else (k["xi"], p["B"])
    B = [[g * x for x in row] for g, head in zip(gains, rows, strict=True) for row in ([head] if "lam" in k else head)]
    outs = [p[C] if C in p else paired(p[f"{C}_re"], p[f"{C}_im"]) for C in ("C", "C2") if p.keys() & {C, f"{C}_re"}]
    y, h, P = [], [], k.get("P", [])
    for u, start in zip(p["u"], p["h0"], strict=True):
        drive, states = [rotated(P, [dot(row, x) for row in B]) for x in u], [[None] * len(outs) for _ in u]
        for d in range(len(outs)):
            z = rotated(P, flat(start[d] if len(outs) == 2 else start))
            for t in range(len(u))[:: -1 if reverse != (d == 1) else 1]:
                z = [x * y + b for x, y, b in zip(lam, z, drive[t], strict=True)]
                states[t][d] = back(P, z)  # type: ignore[call-overload]
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
            found += unit * sign * dot(y_bar, flat(run(p, constants(p), w["reverse"])[0])) / (2 * STEP)
    place[last] = value
    return found


def exact(w: dict[str, Any]) -> tuple[Any, Any]:
    """The element that the witness is about, and the sum of all numbers met."""
    p, (kind, *rest), index = {name: array(x) for name, x in w["params"].items()}, w["output"].split(), w["index"]
    two, states, p["u"] = bool(p.keys() & {"C2", "C2_re"}), w["params"]["M" if "M" in p else "nu_log"]["shape"][:2], array(w["u"])
    data = ["0x0p+0"] * len(p["u"]) * 2**two * math.prod(states)
    p["h0"] = array(w["h0"] or {"dtype": "float64", "shape": [..., *[2] * two, *states], "data": data})
    shown = {name: array(w["got"][f"constant {name}"]) for name in constants(p) if f"constant {name}" in w["got"]}
    k = constants(p) | (shown if rest == ["from", "constants"] else {})
    y, h = run(p, k, w["reverse"])
    met = sum(map(fabs, flat(y) + flat(h) + flat([*k.values()])))
    if kind == "gradient":
        return derivative(w, p, rest[0]), met * sum(map(fabs, flat(array(w["y_bar"]))))
    if kind in ("y", "constant"):
        return reduce(getitem, index, y if kind == "y" else k[rest[0]]), met
    d, inner = index[-len(states) - 1] if two else 0, index[-len(states) :]  # direction; place in the state
    t = index[1] if kind == "h" else 0 if w["reverse"] != (d == 1) else -1
    return h[index[0]][t][d][sum(i * math.prod(states[place + 1 :]) for place, i in enumerate(inner))], met


def recheck(w: dict[str, Any]) -> str:
    """"confirmed", or why not."""
    if w["format"] != FORMAT or w["system"] not in ("lru", "rotrnn"):
        other = OTHERS.get(w["format"].partition("/")[0])
        found = f"found {w['format']!r} of {w['system']!r}, expected {FORMAT} of lru or rotrnn"
        raise ValueError(f"format: {found}; {other} reads that" if other else f"format: {found}")
    truth, met = exact(w)
    recorded = mpc(*[mpf(float.fromhex(head)) + mpf(float.fromhex(tail)) for head, tail in w["truth"]])
    got = reduce(getitem, w["index"], array(w["got"][w["output"].removesuffix(" from constants")]))
    if not fabs(recorded - truth) <= mpf(float.fromhex(w["rad"])) + SLACK * met:
        return "refuted: the recorded truth is not that of the layer"
    outside = not isfinite(got) or fabs(got - truth) > mpf(float.fromhex(w["allowance"])) + SLACK * met
    return "confirmed" if outside else "refuted: the error does not exceed the allowance"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        print(f"recheck_layer: found {len(sys.argv) - 1} files, expected one witness", file=sys.stderr)
        sys.exit(2)
    try:
        with open(sys.argv[1], encoding="utf-8") as file:
            answer = recheck(json.load(file))
    except (ArithmeticError, AttributeError, IndexError, OSError, KeyError, TypeError, ValueError, RecursionError) as error:
        print(f"recheck_layer: {sys.argv[1]} is no readable witness file: {repr(error)[:160]}", file=sys.stderr)
        sys.exit(2)
    print(answer + (", given the recorded allowance" if answer == "confirmed" else ""))
    sys.exit(answer != "confirmed")

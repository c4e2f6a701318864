"""What the layers share, recomputed with mpmath at 200 digits or more: one step after the other.

    u, y      inputs, outputs                    (batch, time, width)
    h         states                             (batch, time, [2,] state...)
    h0        states before the first step       (batch, [2,] state...)
    z         states in the basis in which a step is diagonal
    y_bar     cotangent of y: gradients are those of the sum of y_bar y
    p, k      arguments and constants by name
    met       the sum of all numbers met, by which our own rounding is bounded

    z_t = lam z_{t-1} + into(B u_t)     h_t = back(z_t)     y_t = Re(C h_t) + D u_t

With C2 there are two directions, y = Re(C h + C2 h') + D u. Gradients are central differences:
with a step of 10^-60 they err by some 10^-120 of the sum and round by some 10^-140 of it. Numbers
with m digits before the point have m finer steps and 2 m more digits.
"""

import math
from functools import reduce
from operator import getitem
from typing import Any

from mpmath import fabs, isfinite, mp, mpc, mpf, mpmathify, re

from ._layer_file import Layer, Recurrence, check, digits, exposed, recorded, two_directions
from ._witness import GIVEN, Witness
from .core import SMALL

DIGITS = 200
STEP = 60  # digits of a difference's step
SLACK = 100  # digits to which sums of numbers met are trusted
TRUTH = "the recorded truth is not that of the layer"
OF_ONE_ROW = ("y", "h", "h_last", "gradient u", "gradient h0")


def refuted(layer: Layer, w: Witness, sizes: dict[str, int]) -> str | None:
    """Why it is, or None; sizes: of the axes that follow from others."""
    check(layer, w, sizes)
    with mp.workdps(DIGITS + 2 * digits(layer, w)):
        return compared(w, *exact(layer, w, sizes))


def compared(w: Witness, truth: Any, met: Any) -> str | None:
    """Why the element is not outside, given its truth and met, or None."""
    parts, rad = recorded(w)
    slack = met * mpf(10) ** -SLACK
    named = mpc(*[mpf(head) + mpf(tail) for head, tail in parts])
    if not fabs(named - truth) <= rad + slack:
        return TRUTH
    got = mpmathify(w.got)
    outside = not isfinite(got) or fabs(got - truth) > w.allowance + slack
    return None if outside else SMALL


def exact(layer: Layer, w: Witness, sizes: dict[str, int]) -> tuple[Any, Any]:
    """The element that the witness is about, and met."""
    output = w.output.removesuffix(GIVEN)
    row, *rest = w.index
    one = output in OF_ONE_ROW
    p, index = _arguments(layer, w, sizes, row if one else None), [0 if one else row, *rest]
    k, (kind, _, name) = layer.constants(p), output.partition(" ")
    if w.output != output:
        k |= {each: _lifted(x.nested()) for each, x in exposed(w).items()}
    if kind == "constant":
        return reduce(getitem, index, k[name]), _size(list(k.values()))
    y, h = run(layer.recurrence(p, k), p, w.reverse)
    met = _size([y, h, list(k.values())])
    if kind == "gradient":
        return derivative(layer, w, p, name, index), met * _size(p["y_bar"])
    return (reduce(getitem, index, y) if kind == "y" else _state(w, h, kind, index)), met


def run(r: Recurrence, p: dict[str, Any], reverse: bool) -> tuple[list[Any], list[Any]]:
    """y (batch, time, width) and h (batch, directions, time, state)."""
    y, h = [], []
    for u, h0 in zip(p["u"], p["h0"], strict=True):
        starts = h0 if len(r.C) == 2 else [h0]
        pairs = zip(starts, (reverse, not reverse), strict=False)
        states = [_scan(r, u, flat(start), backwards) for start, backwards in pairs]
        y.append([_output(r, *now) for now in zip(u, *states, strict=True)])
        h.append(states)
    return y, h


def _scan(r: Recurrence, u: list[Any], start: list[Any], backwards: bool) -> list[Any]:
    """The states of one direction, in the order of time."""
    z, found = r.into(start), []
    for x in reversed(u) if backwards else u:
        drive = r.into([dot(row, x) for row in r.B])
        z = [lam * s + b for lam, s, b in zip(r.lam, z, drive, strict=True)]
        found.append(r.back(z))
    return found[::-1] if backwards else found


def _output(r: Recurrence, u: list[Any], *states: list[Any]) -> list[Any]:
    """One step of y."""
    pairs = list(zip(r.C, states, strict=True))
    read = [re(sum(dot(C[i], h) for C, h in pairs)) for i in range(len(u))]
    return [x + D * z for x, D, z in zip(read, r.D, u, strict=True)]


def derivative(layer: Layer, w: Witness, p: dict[str, Any], name: str, index: list[int]) -> Any:
    """Of the sum of y_bar y by one entry; by a complex one dRe + i dIm."""
    place, last, found = reduce(getitem, index[:-1], p[name]), index[-1], mpf(0)
    size = max(map(fabs, flat([p[name][index[0]]]))) if name in layer.scaled else 1
    step, value = size * mpf(10) ** -(STEP + digits(layer, w)), place[last]
    units = (mpf(1), mpc(0, 1)) if name == "h0" and "complex" in layer.state else (mpf(1),)
    for unit in units:
        for sign in (1, -1):
            place[last] = value + sign * step * unit
            y, _ = run(layer.recurrence(p, layer.constants(p)), p, w.reverse)
            found += unit * sign * dot(flat(p["y_bar"]), flat(y)) / (2 * step)
    place[last] = value
    return found


def _state(w: Witness, h: list[Any], kind: str, index: list[int]) -> Any:
    """The element of h or h_last."""
    two = two_directions(w)
    row, *rest = index
    step = rest.pop(0) if kind == "h" else None
    d = rest.pop(0) if two else 0
    if step is None:
        step = 0 if w.reverse != (d == 1) else -1
    axes = w.judged.shape[-len(rest) :]
    return h[row][d][step][sum(i * math.prod(axes[n + 1 :]) for n, i in enumerate(rest))]


def _arguments(layer: Layer, w: Witness, sizes: dict[str, int], row: int | None) -> dict[str, Any]:
    """All arguments; of those with an axis batch only the named row, if one is named."""
    nested = {name: x.nested() for name, x in w.arguments.items()}
    rows = slice(None) if row is None else slice(row, row + 1)
    nested |= {name: nested[name][rows] for name in ("u", "h0", "y_bar") if name in nested}
    two = [2] if two_directions(w) else []
    zeros = [len(nested["u"]), *two, *(sizes[a] for a in layer.state.split() if a in sizes)]
    nested.setdefault("h0", _zeros(zeros))
    return {name: _lifted(x) for name, x in nested.items()}


def _zeros(shape: list[int]) -> Any:
    return [_zeros(shape[1:]) for _ in range(shape[0])] if shape else 0.0


def _lifted(x: Any) -> Any:
    """Nested lists of mpmath's numbers, exactly."""
    return [_lifted(inner) for inner in x] if isinstance(x, list) else mpmathify(x)


def _size(x: Any) -> Any:
    return sum(map(fabs, flat(x)))


def flat(x: list[Any]) -> list[Any]:
    """The numbers of nested lists."""
    return [z for inner in x for z in (flat(inner) if isinstance(inner, list) else [inner])]


def dot(one: list[Any], two: list[Any]) -> Any:
    """The sum of products."""
    return sum((x * y for x, y in zip(one, two, strict=True)), mpf(0))


def paired(one: list[Any], two: list[Any]) -> list[Any]:
    """Complex numbers from nested lists of their parts."""
    pairs = zip(one, two, strict=True)
    return [paired(*x) if isinstance(x[0], list) else mpc(*x) for x in pairs]

"""Linear attention with a scalar gate, a toy: recomputed one step after the other. Needs mpmath.

    S_t = exp(g_t) S_{t-1} + k_t v_t^T      o_t = S_t^T q_t

Gradients are central differences, as in `_layers`; no number of a witness may be beyond 100.
"""

from functools import reduce
from operator import getitem
from typing import Any

from mpmath import exp, fabs, mp, mpf, mpmathify

from . import _values  # type: ignore[attr-defined]
from ._layers import DIGITS, STEP, compared, dot, flat  # type: ignore[import-not-found]
from ._witness import Witness  # type: ignore[import-not-found]

LARGEST = 100
KEYS, VALUES = "batch time heads key", "batch time heads value"
FORMS = {
    "q": KEYS, "k": KEYS, "v": VALUES, "g": "batch time heads",
    "initial_state": "batch heads key value", "o_bar": VALUES,
}  # fmt: skip
RESULTS = {"o": VALUES, "final_state": FORMS["initial_state"]}


def refuted(w: Witness) -> str | None:
    """Why it is, or None."""
    x = _checked(w)
    with mp.workdps(DIGITS):
        o, S = run(x, w.reverse)
        met, index = sum(map(fabs, flat([o, S]))) + LARGEST, list(w.index)
        kind, _, name = w.output.partition(" ")
        if kind == "gradient":
            truth, met = _derivative(w, x, name, index), met * sum(map(fabs, flat(x["o_bar"])))
        else:
            truth = reduce(getitem, index, {"o": o, "final_state": S}[kind])
        reason: str | None = compared(w, truth, met)
        return reason


def _checked(w: Witness) -> dict[str, Any]:
    """The arguments as nested lists, with zeros for a state that is not given."""
    sizes: dict[str, int] = {}
    needed = [*"qkvg", *(["o_bar"] if w.output.startswith("gradient") else [])]
    gradients = {f"gradient {name}": form for name, form in FORMS.items() if name != "o_bar"}
    _values.fit(w.arguments, FORMS, sizes, needed)
    _values.fit(w.results, RESULTS | gradients, sizes, ())
    for name, x in w.arguments.items():
        if max(map(abs, x.data)) > LARGEST:
            raise _values.fault(name, "a larger number", f"{LARGEST} at most")
    x = {name: _lifted(each.nested()) for name, each in w.arguments.items()}
    sides = [sizes[axis] for axis in FORMS["initial_state"].split()]
    return {"initial_state": _zeros(sides), **x}


def run(x: dict[str, Any], reverse: bool) -> tuple[list[Any], list[Any]]:
    """o (batch, time, heads, value) and the last S (batch, heads, key, value)."""
    last = [[[[*row] for row in S] for S in heads] for heads in x["initial_state"]]
    o: list[Any] = [[[None for _ in heads] for heads in steps] for steps in x["g"]]
    for b, steps in enumerate(x["g"]):
        for t in reversed(range(len(steps))) if reverse else range(len(steps)):
            for h, g in enumerate(steps[t]):
                q, k, v = (x[name][b][t][h] for name in "qkv")
                rows = zip(last[b][h], k, strict=True)
                S = [[exp(g) * s + i * j for s, j in zip(row, v, strict=True)] for row, i in rows]
                o[b][t][h] = [dot(column, q) for column in zip(*S, strict=True)]
                last[b][h] = S
    return o, last


def _derivative(w: Witness, x: dict[str, Any], name: str, index: list[int]) -> Any:
    """Of the sum of o_bar o by one entry."""
    place, found, step = reduce(getitem, index[:-1], x[name]), mpf(0), mpf(10) ** -STEP
    value = place[index[-1]]
    for sign in (1, -1):
        place[index[-1]] = value + sign * step
        found += sign * dot(flat(x["o_bar"]), flat(run(x, w.reverse)[0])) / (2 * step)
    place[index[-1]] = value
    return found


def _lifted(x: Any) -> Any:
    return [_lifted(inner) for inner in x] if isinstance(x, list) else mpmathify(x)


def _zeros(shape: list[int]) -> Any:
    return [_zeros(shape[1:]) for _ in range(shape[0])] if shape else mpf(0)

"""RotRNN by added angles, in NumPy's own arithmetic, and the ways it is put together or spoiled."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from scanproof.reference.call import Call
from scanproof.reference.layers import gathered, named
from scanproof.reference.systems.rotrnn import SYSTEM, Params

Element = tuple[Any, Any, Any]  # gamma (heads, 1), theta (heads, pairs), s (batch, heads, head_dim)


def turned(theta: Any, s: Any) -> Any:
    """R(theta) s."""
    cos, sin, out = np.cos(theta), np.sin(theta), np.empty_like(s)
    out[..., 0::2], out[..., 1::2] = cos * s[..., 0::2] - sin * s[..., 1::2], sin * s[..., 0::2] + cos * s[..., 1::2]
    return out


def then(first: Element, second: Element) -> Element:
    return second[0] * first[0], second[1] + first[1], second[0] * turned(second[1], first[2]) + second[2]


def sequential(elements: list[Element], operator: Any = then) -> list[Element]:
    found = elements[:1]
    for element in elements[1:]:
        found.append(operator(found[-1], element))
    return found


def late(elements: list[Element], operator: Any = then) -> list[Element]:
    """For every state, all later elements are combined first, from the right: angles are added one after the other."""
    found = elements[:1]
    for t in range(1, len(elements)):
        segment = elements[t]
        for element in elements[t - 1 :: -1]:
            segment = operator(element, segment)
        found.append(segment)
    return found


def powers(elements: list[Element], operator: Any = then) -> list[Element]:
    """`late` for equal (gamma, theta), in O(time^2) products of whole arrays: s_t = sum of (gamma^k R(k theta)) s_{t-k}."""
    gamma, theta, _ = elements[0]
    states = np.stack([s for _, _, s in elements])  # (time, batch, heads, head_dim)
    total, g, angle = states.copy(), gamma, theta
    for k in range(1, len(elements)):
        total[k:] = total[k:] + g * turned(angle, states[:-k])
        g, angle = g * gamma, angle + theta
    return [(g, angle, s) for s in total]


def doubling(elements: list[Element], operator: Any = then) -> list[Element]:
    found, step = elements, 1
    while step < len(found):
        found = [*found[:step], *(operator(found[t - step], found[t]) for t in range(step, len(found)))]
        step *= 2
    return found


def chunked(elements: list[Element], operator: Any = then, length: int = 7) -> list[Element]:
    found: list[Element] = []
    for start in range(0, len(elements), length):
        inner = sequential(elements[start : start + length], operator)
        found += [operator(found[-1], element) for element in inner] if found else inner
    return found


ORDERS = {"sequential": sequential, "powers": powers, "doubling": doubling, "chunked": chunked}


def layer(call: Call, order: Any, operator: Any = then, angle: Any = lambda theta: theta) -> dict[str, Any]:
    """y and h of a call without h0, forwards: by added angles."""
    p = gathered(Params, call.arguments)
    P = scipy.linalg.expm(p.M - p.M.swapaxes(1, 2))  # (heads, head_dim, head_dim)
    rate = np.exp(p.gamma_log)
    xi = np.sqrt(-np.expm1(-2 * rate) / (p.B * p.B).sum((1, 2)))  # (heads,)
    b = np.einsum("hnm,bthn->bthm", P, np.einsum("hnw,btw->bthn", xi[:, None, None] * p.B, call["u"]))
    gamma, theta = np.exp(-rate)[:, None], angle(p.theta)
    s = np.stack([x for _, _, x in order([(gamma, theta, b[:, t]) for t in range(b.shape[1])], operator)], 1)
    x = np.einsum("hnm,bthm->bthn", P, s)
    y = np.einsum("whn,bthn->btw", p.C.reshape(-1, *P.shape[:2]), x) + p.D * call["u"]
    return {"y": y, "h": x}


def case(time: int, gamma: float, seed: int = 0, dtype: str = "float32", turns: float = 1.0, batch: int = 1) -> Call:
    """Two heads of four coordinates, P near I; angles up to 2 pi turns."""
    rng = np.random.default_rng(seed)
    theta, gamma_log = turns * rng.uniform(0, 2 * np.pi, (2, 2)), np.full(2, np.log(-np.log(gamma)))
    arrays = theta, gamma_log, rng.standard_normal((2, 4, 4)) / 8, *(rng.standard_normal(n) for n in ((2, 4, 3), (3, 8), 3))
    u = np.clip(rng.standard_normal((batch, time, 3)), -4, 4)
    params = Params(*(x.astype(dtype) for x in arrays))
    return Call(SYSTEM, {**named(params), "u": u.astype(dtype)})

"""Simpler calls of a layer: one row, one state, one head, short, one direction, zeros, few bits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import numpy as np

from scanproof.properties.layer_calls import LayerCall
from scanproof.properties.shrink import Index, blocks, rounded
from scanproof.properties.strategies import Domain
from scanproof.reference.inputs import Array

REDUCED = ("heads", "pairs", "state", "width")  # axes of which single indices can be kept
ROUNDED = ("B", "B_re", "B_im", "C", "C_re", "C_im", "C2", "C2_re", "C2_im", "D")


def simpler_layers(call: LayerCall, domain: Domain, index: Index) -> Iterator[LayerCall]:
    """Simpler calls of this domain whose arguments fit, the boldest steps first."""
    for simpler in _candidates(call, index):
        state = next((x.shape[-1] for name, x in simpler.named.items() if name in ("M", "nu_log")), 0)
        sizes = ((simpler.u.shape[1], domain.lengths), (simpler.u.shape[2], domain.channels), (state, domain.states))
        if all(accepted is None or size in accepted for size, accepted in sizes) and _fits(simpler):
            yield simpler


def _fits(call: LayerCall) -> bool:
    """Whether the arguments are a call at all: rounding may make B zero."""
    try:
        return call.entered is not None and call.layer.module.constants(call.wide) is not None
    except ValueError:
        return False


def _candidates(call: LayerCall, index: Index) -> Iterator[LayerCall]:
    batch, time, _ = call.u.shape
    if batch > 1:
        for row in dict.fromkeys((index[0] % batch, *range(batch))):
            yield _sequences(call, slice(row, row + 1), slice(None))
    for axis in REDUCED:
        for kept in range(_size(call, axis) if _size(call, axis) > 1 else 0):
            yield taken(call, axis, [kept])
    if call.h0 is not None:
        yield replace(call, h0=None)
    if call.reverse:
        yield replace(call, reverse=False)
    for gone in blocks(time):
        if gone.start + gone.stop < 2 * time and time > gone.stop - gone.start:
            yield _sequences(call, slice(None), np.delete(np.arange(time), gone))
    for gone in blocks(time):
        if (call.u[:, gone] != 0).any():
            u = call.u.copy()
            u[:, gone] = 0
            yield replace(call, u=u)
    yield from _fewer_bits(call)


def _fewer_bits(call: LayerCall) -> Iterator[LayerCall]:
    for bits in (1, 2, 4, 8, 12):
        for name in ("u", "h0", "y_bar"):
            value = getattr(call, name)
            if value is not None and not np.array_equal(rounded(value, bits), value):
                yield replace(call, **{name: rounded(value, bits)})  # type: ignore[arg-type]
        for name, value in call.named.items():
            if name in ROUNDED and not np.array_equal(rounded(value, bits), value):
                yield replace(call, params=replace(call.params, **{name: rounded(value, bits)}))


def _sequences(call: LayerCall, rows: slice, steps: Any) -> LayerCall:
    """Some rows and steps of a call."""
    u, y_bar = call.u[rows][:, steps].copy(), None if call.y_bar is None else call.y_bar[rows][:, steps].copy()
    h0 = None if call.h0 is None else call.h0[rows].copy()
    return replace(call, u=u, y_bar=y_bar, h0=h0)


def taken(call: LayerCall, axis: str, kept: list[int]) -> LayerCall:
    """The call with some indices of a named axis of its parameters; of pairs, with both coordinates."""
    axes, heads, head_dim = call.layer.module.AXES, range(_size(call, "heads")), _size(call, "head_dim")
    chosen = {axis: kept}
    if axis == "pairs":
        chosen["head_dim"] = [2 * pair + i for pair in kept for i in (0, 1)]
    if axis in ("heads", "pairs"):
        inside = chosen.get("head_dim", range(head_dim))
        chosen["features"] = [head * head_dim + i for head in chosen.get("heads", heads) for i in inside]
    params = {f.name: _take(getattr(call.params, f.name), axes[f.name].split(), chosen) for f in fields(call.params)}
    states = ["heads", "head_dim"] if head_dim else ["state"]
    h0 = call.h0 if call.h0 is None else _take(call.h0, [""] * (call.h0.ndim - len(states)) + states, chosen)
    sequences = {name: _take(getattr(call, name), ["batch", "time", "width"], chosen) for name in ("u", "y_bar")}
    changed: dict[str, Any] = {"params": type(call.params)(**params), "h0": h0} | sequences
    return replace(call, **changed)


def _take(x: Array | None, axes: list[str], kept: dict[str, list[int]]) -> Array | None:
    for place, name in enumerate(axes if x is not None else []):
        if x is not None and kept.get(name):
            x = x.take(kept[name], axis=place)
    return x


def _size(call: LayerCall, axis: str) -> int:
    """Length of a named axis of the parameters, 0 if there is none."""
    axes = {name: call.layer.module.AXES[name].split() for name in call.named}
    return next((x.shape[axes[name].index(axis)] for name, x in call.named.items() if axis in axes[name]), 0)

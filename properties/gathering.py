"""What is found in all results of one call.

Time is judged block by block, a large call in parallel strips of an independent axis.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from scanproof.properties.findings import Findings
from scanproof.properties.inspection import find, moved
from scanproof.reference.allowance.certificate import certify
from scanproof.reference.allowance.certified import GIVEN, Block
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.call import Call
from scanproof.reference.inputs import Array

Results = Mapping[str, Array]
STRIP = 2**21  # elements from which on an independent axis is judged in parallel strips


def gathered(
    got: Results, call: Call, arithmetic: Arithmetic, certified: list[Block] | None = None
) -> tuple[list[Findings], str]:
    """What is found in every result, and what may be the matter where nothing can be said.

    certified: what `certify` gave, if at hand.
    """
    strips = 1 if certified else _strips(got, call)
    if strips == 1:
        return _parts(got, call, arithmetic, certified)
    return _in_strips(got, call, arithmetic, strips)


def _parts(
    got: Results, call: Call, arithmetic: Arithmetic, certified: list[Block] | None = None
) -> tuple[list[Findings], str]:
    """What is found in every result, and what may be the matter where nothing can be said."""
    parts: dict[str, Findings] = {}
    why = ""
    timed = [name for name in got if not name.startswith("constant")]
    axes = {name: call.layout.axes(call.axes_of(_own(name))) for name in timed}
    for block in certified or certify(call, arithmetic, got):
        why = block.why
        for name, views in block.results.items():
            if _own(name) not in got:
                continue
            time = call.time_axis(_own(name))
            part = got[_own(name)] if time is None else _steps(got[_own(name)], time, block.steps)
            named = axes.get(_own(name)) or [f"axis {i}" for i in range(part.ndim)]
            found = find(name, part, views, named, time, block.steps.start or 0, call.reverse)
            parts.setdefault(name, Findings(name)).and_then(found)
    return list(parts.values()), why


def _own(name: str) -> str:
    return name.removesuffix(GIVEN)


def _steps(x: Array, time: int, steps: slice) -> Array:
    return x[(slice(None),) * time + (steps,)]


def _strips(got: Results, call: Call) -> int:
    """In how many strips at the same time a large call is judged."""
    axis = call.system.independent
    if axis is None or max(x.size for x in got.values()) < STRIP:
        return 1
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    return min(cores, call.size(axis))


def _in_strips(
    got: Results, call: Call, arithmetic: Arithmetic, count: int
) -> tuple[list[Findings], str]:
    axis = str(call.system.independent)
    cuts = np.linspace(0, call.size(axis), count + 1).astype(int)
    strips = [slice(int(low), int(high)) for low, high in itertools.pairwise(cuts)]
    places = {name: call.layout.axes(call.axes_of(name)).index(axis) for name in got}

    def judge_strip(strip: slice) -> tuple[list[Findings], str]:
        part = {name: _steps(x, places[name], strip) for name, x in got.items()}
        return _parts(part, call.take(axis, strip), arithmetic)

    with ThreadPoolExecutor(count) as pool:
        found = list(pool.map(judge_strip, strips))
    parts = {name: Findings(name) for name in got}
    for (each, _), strip in zip(found, strips, strict=True):
        for one in each:
            parts[one.name].beside(moved(one, places[one.name], strip.start))
    return list(parts.values()), found[0][1]

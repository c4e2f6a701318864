"""Why an element is outside: what a witness holds, so that a third party can check it again."""

from __future__ import annotations

import numpy as np
from pydantic import Field, model_validator

from scanproof.properties.files import Count, Hex, HexInteger, Numbers, Strict, numbers
from scanproof.properties.gathering import Results
from scanproof.reference.allowance.certificate import certify
from scanproof.reference.allowance.certified import GIVEN, Certified
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.call import Call


class Exact(Strict):
    """The exact value at `index`: each component is an integer over 2^exponent."""

    numerators: list[HexInteger] = Field(min_length=1, max_length=2)
    exponent: Count


class Evidence(Strict):
    """Why the element is outside; one of these.

    exact: its exact value; parts and rad: head and tail of each component of it, which is within
    rad of their sum; direction: x with |(P^ - P) x| > allowance |x| of the whole matrix.
    """

    exact: Exact | None = None
    parts: list[tuple[Hex, Hex]] | None = Field(default=None, min_length=1, max_length=2)
    rad: Hex | None = None
    direction: Numbers | None = None

    @model_validator(mode="after")
    def _one(self) -> Evidence:
        given = [
            name for name in ("exact", "parts", "direction") if getattr(self, name) is not None
        ]
        if len(given) != 1 or (self.rad is None) == (given == ["parts"]):
            raise ValueError("expected exact, or parts and rad, or direction")
        return self

    def fits(self, x: Numbers) -> bool:
        """Whether it can be about an element of this array: components like its own, or a direction
        as long as its last axis."""
        if self.direction is not None:
            return self.direction.shape == x.shape[-1:]
        components = self.exact.numerators if self.exact else self.parts or []
        return len(components) == (2 if x.dtype.startswith("complex") else 1)


def evidence(
    call: Call, got: Results, arithmetic: Arithmetic, output: str, index: tuple[int, ...]
) -> Evidence:
    """Why the element of a result at this index is outside."""
    views, local = certified(call, got, arithmetic, output, index)
    exact = views[0]
    if exact.norms is not None:
        return Evidence(direction=numbers(np.asarray(exact.norms(got[output]).direction[index[0]])))
    if exact.exact is not None:
        H, s = exact.exact(local)
        return Evidence(exact=Exact(numerators=[hex(h) for h in H], exponent=s))
    head, tail = exact.truth.head[local], exact.truth.tail[local]
    parts = (
        [(head.real, tail.real), (head.imag, tail.imag)]
        if np.iscomplexobj(head)
        else [(head, tail)]
    )
    words = [(float(one).hex(), float(two).hex()) for one, two in parts]
    return Evidence(parts=words, rad=float(exact.truth.rad[local]).hex())


def certified(
    call: Call, got: Results, arithmetic: Arithmetic, output: str, index: tuple[int, ...]
) -> tuple[list[Certified], tuple[int, ...]]:
    """The views of the block that holds an element, and its index there."""
    time = call.time_axis(output.removesuffix(GIVEN))
    for block in certify(call, arithmetic, got):
        start, stop = block.steps.start or 0, block.steps.stop
        if time is None or stop is None or start <= index[time] < stop:
            local = tuple(i - start * (place == time) for place, i in enumerate(index))
            return block.results[output], local
    raise ValueError(f"index: found {index}, expected an element of {output}")


def agree(one: Evidence, two: Evidence) -> bool:
    """Whether two pieces of evidence can be of one element; any direction proves what it proves."""
    if one.parts is None or two.parts is None:
        return one.exact == two.exact and (one.direction is None) == (two.direction is None)
    pairs = zip(
        (x for part in one.parts for x in part),
        (x for part in two.parts for x in part),
        strict=True,
    )
    apart = sum(abs(float.fromhex(x) - float.fromhex(y)) for x, y in pairs)
    return apart <= float.fromhex(str(one.rad)) + float.fromhex(str(two.rad))

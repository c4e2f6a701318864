"""Truth and allowance together, for whole arrays or in blocks of time: what a result is compared with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from scanproof.reference import rounding, walk
from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.environment import require_ieee
from scanproof.reference.inputs import Inputs
from scanproof.reference.rounding import Allowance, allowance
from scanproof.reference.truth import Truth, blockwise, truth

BLOCK = 2**16  # elements of one block: its arrays fit a core's cache


class Certificate(NamedTuple):
    """Of forward inputs, some steps of them: (batch, time, channels) each."""

    inputs: Inputs  # of these steps; h0 is that of the first block
    truth: Truth
    allowance: Allowance


def certify(inputs: Inputs, arithmetic: Arithmetic) -> Certificate:
    """Truth and allowance of forward inputs, all at once."""
    exact = truth(inputs)
    return Certificate(inputs, exact, allowance(inputs, arithmetic, exact))


def certificates(inputs: Inputs, arithmetic: Arithmetic) -> Iterator[Certificate]:
    """The same, block after block in bounded memory; one block where the sequence is short or the class needs all of it."""
    batch, time, channels = inputs.b.shape
    steps = block_steps(batch * channels, arithmetic)
    if time <= steps or arithmetic.unmodelled or not arithmetic.bracketing:
        yield certify(inputs, arithmetic)
        return
    require_ieee()
    carry = walk.start(inputs, arithmetic)
    for first, exact in blockwise(inputs, steps):
        part = slice(first, first + exact.head.shape[1])
        lam = inputs.lam[:, part] if inputs.varying else inputs.lam
        block = Inputs(lam, inputs.b[:, part], inputs.h0)
        bound, carry = rounding.advance(block, arithmetic, carry, rounding.size(exact))
        yield Certificate(block, exact, bound)


def block_steps(lanes: int, arithmetic: Arithmetic) -> int:
    """Steps of one block of so many lanes: at least 1000, whole chunks where chunks are judged by themselves."""
    steps, chunk = max(1000, BLOCK // max(lanes, 1)), arithmetic.chunk or 1
    return int(np.ceil(steps / chunk)) * chunk

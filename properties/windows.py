"""Windows: where an implementation declares that it reads its printed states back, each stretch between them is a call.

A declared `store` of "step" or "chunk" makes the state before every step, or before every chunk of L steps, a number that was
printed. Taken as exact h0, the W = 1 or W = L steps after it are a scan of their own, with its own truth and allowance, which
depend neither on the length of the sequence nor on |lam|. For other orders printed states are no intermediate results.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scanproof.properties.compare import Comparison, compare
from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.certificate import certify
from scanproof.reference.inputs import Array, Inputs
from scanproof.reference.rounding import Allowance


def width(arithmetic: Arithmetic) -> int:
    """Steps of one window; 0 where printed states are not read back."""
    return 0 if not arithmetic.prints_carry else arithmetic.chunk or 1


def judged(got: Array, block: Inputs, arithmetic: Arithmetic) -> tuple[Comparison, Allowance]:
    """Every window of some forward steps against its own truth; (batch, time, channels) each.

    A window that starts from a state that is not finite is undecided.
    """
    whole = block.b.shape[1] // width(arithmetic) * width(arithmetic)
    parts = [_judged(*part, arithmetic) for part in _halves(got, block, whole, arithmetic)]
    both = [[np.concatenate(pair, axis=1) for pair in zip(*kind, strict=True)] for kind in zip(*parts, strict=True)]
    return Comparison(*both[0]), Allowance(*both[1])


def window(got: Array, inputs: Inputs, arithmetic: Arithmetic, index: tuple[int, ...]) -> tuple[Inputs, Array]:
    """The window that holds the element at `index` (batch, time, channel), as a call of its own: inputs and result."""
    row, step, _ = index
    if inputs.reverse:
        got, step = got[:, ::-1], inputs.b.shape[1] - 1 - step
    forward, steps = inputs.forward(), width(arithmetic)
    first = step // steps * steps
    part, rows = slice(first, first + steps), slice(row, row + 1)
    lam = forward.lam[rows, part] if forward.varying else forward.lam
    h0 = got[:, first - 1] if first else forward.start
    return Inputs(lam, forward.b[rows, part], h0[rows]), got[rows, part]


def _halves(got: Array, block: Inputs, whole: int, arithmetic: Arithmetic) -> list[tuple[Array, Inputs, int]]:
    """(got, inputs, W): the whole windows, and what is left after them."""
    lam = block.lam
    rest = replace(block, lam=lam[:, whole:] if block.varying else lam, b=block.b[:, whole:],
                   h0=got[:, whole - 1] if whole else block.start)  # fmt: skip
    first = replace(block, lam=lam[:, :whole] if block.varying else lam, b=block.b[:, :whole])
    parts = [(got[:, :whole], first, width(arithmetic)), (got[:, whole:], rest, block.b.shape[1] - whole)]
    return [part for part in parts if part[1].b.shape[1]]


def _judged(got: Array, part: Inputs, steps: int, arithmetic: Arithmetic) -> tuple[Comparison, Allowance]:
    """Windows of `steps` steps, folded into the batch axis."""
    _, time, channels = part.b.shape
    starts = np.concatenate([part.start[:, None], got[:, steps - 1 : time - 1 : steps]], axis=1)  # (batch, windows, channels)
    known = np.isfinite(starts)
    shape = (-1, steps, channels)
    lam = part.lam.reshape(shape) if part.varying else part.lam
    h0 = np.where(known, starts, np.zeros((), got.dtype)).astype(got.dtype).reshape(-1, channels)
    call = Inputs(lam, part.b.reshape(shape), h0)
    certificate = certify(call, arithmetic)
    found = compare(got.reshape(shape), call, certificate.truth, certificate.allowance)
    known = np.repeat(known, steps, axis=1)  # (batch, time, channels)
    outside, undecided, error, bound = (field.reshape(part.b.shape) for field in found)
    granted = Allowance(*(field.reshape(part.b.shape) for field in certificate.allowance))
    return Comparison(outside & known, undecided | ~known, error, bound), granted

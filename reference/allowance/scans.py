"""Truth and allowance of bare scans: for whole arrays or in blocks of time, and of windows between
printed states.

Windows. A declared `store` of "step" or "chunk" makes the state before every step, or before every
chunk of L steps, a number that was printed. Taken as exact h0, the W = 1 or W = L steps after it
are a scan of their own, with its own truth and allowance, which depend neither on the length of the
sequence nor on |lam|. For other orders printed states are no intermediate results.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from scanproof.reference.allowance import magnitudes, rounding
from scanproof.reference.allowance import orders as algorithms
from scanproof.reference.allowance.certified import Block, Certified, Exact
from scanproof.reference.allowance.rounding import Allowance, allowance
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.environment import require_ieee
from scanproof.reference.arithmetic.operations import TINY
from scanproof.reference.call import Call
from scanproof.reference.inputs import Array, Inputs
from scanproof.reference.truth import blockwise, truth
from scanproof.reference.truth.enclosure import Truth
from scanproof.reference.truth.exact import exact_state

# beyond it integers take minutes an element; only adversarial results need them
EXACT_LENGTH = 8192
BLOCK = 2**16  # elements of one block: its arrays fit a core's cache


class CertifiedScan(NamedTuple):
    """Of forward inputs, some steps of them: (batch, time, channels) each."""

    inputs: Inputs  # of these steps; h0 is that of the first block
    truth: Truth
    allowance: Allowance


def unmodelled(arithmetic: Arithmetic) -> str | None:
    """Says why no allowance is known for this declaration of a scan, or returns None."""
    return arithmetic.unmodelled


def assumes(arithmetic: Arithmetic) -> bool:
    """Tells whether the allowance rests on assumed constants of elementary functions."""
    return arithmetic.assumes


def inputs_of(call: Call) -> Inputs:
    """Takes a call as the recurrence sees it, with a batch axis: b (batch, time, channels)."""
    internal = {name: call.to_internal(name, x) for name, x in call.arguments.items()}
    return Inputs(internal["lam"], internal["b"], internal.get("h0"), call.reverse)


def theory(call: Call, arithmetic: Arithmetic, got: Mapping[str, Array] | None) -> Iterator[Block]:
    """Yields every view of all states of a scan, block after block, as the caller has them.

    Args:
        call: a call of the system `scan`.
        arithmetic: the declaration.
        got: the states {"h": (batch, time, channels)} that were returned; views from printed
            states need them.

    Raises:
        FloatingPointError: this process does not compute in IEEE arithmetic.
    """
    inputs = inputs_of(call)
    forward, time = inputs.forward(), inputs.b.shape[1]
    printed = _printed(call, inputs, arithmetic, got)
    first, last = 0, forward.start
    # (batch, channels)
    before = forward.start.astype(np.result_type(forward.start.dtype, np.float64))
    for block in certificates(forward, arithmetic):
        steps = slice(first, first + block.inputs.b.shape[1])
        views = [_whole(block, before, arithmetic, forward, first)]
        if printed is not None:
            views.append(_windows(block, before, printed[:, steps], last, arithmetic))
            last = printed[:, steps][:, -1]
        turned = slice(time - steps.stop, time - first) if inputs.reverse else steps
        yield Block(
            turned,
            {"h": [_left(call, view, inputs.reverse) for view in views]},
            _why(forward, arithmetic),
        )
        before, first = block.truth.head[:, -1], steps.stop


def _printed(
    call: Call, inputs: Inputs, arithmetic: Arithmetic, got: Mapping[str, Array] | None
) -> Array | None:
    """The states that the declaration says are read back, forwards in time; None where it is not
    known where windows start."""
    # else chunks may start at either end
    known = not inputs.reverse or inputs.b.shape[1] % (arithmetic.chunk or 1) == 0
    if got is None or not width(arithmetic) or not known:
        return None
    h = got["h"] if call.layout.batched else got["h"][None]
    return h[:, ::-1] if inputs.reverse else h


def _why(forward: Inputs, arithmetic: Arithmetic) -> str:
    if arithmetic.bracketing:
        return "overflow is possible"
    return (
        algorithms.fault(forward, arithmetic)
        or f"leaving the range of order {arithmetic.order} is possible"
    )


def _whole(
    block: CertifiedScan, before: Array, arithmetic: Arithmetic, forward: Inputs, first: int
) -> Certified:
    """The states from the first step on."""
    bound, safe, unstored = block.allowance

    def exact(index: tuple[int, ...]) -> tuple[list[int], int]:
        row, step, channel = index
        return exact_state(forward, (row, step + first, channel))

    owed, known = _owed(block, before), exact if forward.b.shape[1] <= EXACT_LENGTH else None
    return Certified(
        block.truth, np.where(safe, bound, np.inf), unstored, safe, owed, assumes(arithmetic), known
    )


def _owed(block: CertifiedScan, before: Array, printed: Array | None = None) -> Array:
    """|lam_t h_{t-1}| of the exact h_{t-1} or the printed one, whichever is smaller
    (Certified.carried).

    (batch, time, channels)
    """
    states = _delayed(block.truth.head, before)
    with np.errstate(all="ignore"):
        size = np.abs(block.inputs.lam * states)
        if printed is not None:
            size = np.minimum(size, np.abs(block.inputs.lam * printed.astype(states.dtype)))
    # what is owed and cannot be seen: it underflows, or was printed as 0
    size = np.where(size > 0, size, -TINY)
    return np.where((block.inputs.lam != 0) & (states != 0), size, 0.0)


def _delayed(x: Array, start: Array) -> Array:
    return np.concatenate([start[:, None], x[:, :-1]], axis=1)[:, : x.shape[1]]


def _left(call: Call, view: Certified, flip: bool) -> Certified:
    """As the caller has it: in his direction of time, without a batch axis that he leaves out."""

    def left(x: Array) -> Array:
        turned = x[:, ::-1] if flip else x
        return turned if call.layout.batched else turned[0]

    owed = None if view.carried is None else left(view.carried)
    truth, time = Truth(*map(left, view.truth)), view.bound.shape[1]
    inner = view.exact

    def exact(index: tuple[int, ...]) -> tuple[list[int], int]:
        row, step, channel = index if call.layout.batched else (0, *index)
        assert inner is not None
        return inner((row, time - 1 - step if flip else step, channel))


    safe = left(np.asarray(view.no_overflow))
    return replace(
        view,
        truth=truth,
        bound=left(view.bound),
        unstored=left(view.unstored),
        carried=owed,
        no_overflow=safe,
        exact=exact if inner else None,
    )


def certify(inputs: Inputs, arithmetic: Arithmetic) -> CertifiedScan:
    """Computes truth and allowance of forward inputs at once: (batch, time, channels) each.

    Raises:
        FloatingPointError: this process does not compute in IEEE arithmetic.
    """
    exact = truth(inputs)
    return CertifiedScan(inputs, exact, allowance(inputs, arithmetic, exact))


def certificates(inputs: Inputs, arithmetic: Arithmetic) -> Iterator[CertifiedScan]:
    """Computes the same block after block, in bounded memory.

    There is one block where the sequence is short or the class needs all of it. Arrays are
    (batch, steps, channels).

    Raises:
        FloatingPointError: this process does not compute in IEEE arithmetic.
    """
    batch, time, channels = inputs.b.shape
    steps = block_steps(batch * channels, arithmetic)
    if time <= steps or arithmetic.unmodelled or not arithmetic.bracketing:
        yield certify(inputs, arithmetic)
        return
    require_ieee()
    carry = magnitudes.start(inputs, arithmetic)
    for first, exact in blockwise(inputs, steps):
        part = slice(first, first + exact.head.shape[1])
        lam = inputs.lam[:, part] if inputs.varying else inputs.lam
        block = Inputs(lam, inputs.b[:, part], inputs.h0)
        bound, carry = rounding.advance(block, arithmetic, carry, rounding.size(exact))
        yield CertifiedScan(block, exact, bound)


def block_steps(sequences: int, arithmetic: Arithmetic) -> int:
    """Counts the steps of one block of so many sequences.

    They are at least 1000, and whole chunks where chunks are judged by themselves.
    """
    steps, chunk = max(1000, BLOCK // max(sequences, 1)), arithmetic.chunk or 1
    return int(np.ceil(steps / chunk)) * chunk


# ---------------------------------------------------------------- windows


def width(arithmetic: Arithmetic) -> int:
    """Counts the steps of one window; 0 where printed states are not read back."""
    return 0 if not arithmetic.prints_carry else arithmetic.chunk or 1


def window(
    call: Call, got: Mapping[str, Array], arithmetic: Arithmetic, index: tuple[int, ...]
) -> tuple[Call, dict[str, Array]]:
    """Takes the window that holds an element as a call of its own.

    Args:
        call: a call of the system `scan`.
        got: the states {"h": (batch, time, channels)} that were returned.
        arithmetic: the declaration.
        index: (batch, time, channel), as the caller has it.

    Returns:
        The call, of one batch row (1, steps, channels), and its result by name.
    """
    inputs = inputs_of(call)
    h = got["h"] if call.layout.batched else got["h"][None]
    row, step, _ = index if call.layout.batched else (0, *index)
    if inputs.reverse:
        h, step = h[:, ::-1], inputs.b.shape[1] - 1 - step
    forward, steps = inputs.forward(), width(arithmetic)
    first = step // steps * steps
    part, rows = slice(first, first + steps), slice(row, row + 1)
    lam = forward.lam[rows, part] if forward.varying else forward.lam
    h0 = h[:, first - 1] if first else forward.start
    arguments = {"lam": lam, "b": forward.b[rows, part], "h0": h0[rows]}
    return Call(call.system, arguments), {"h": h[rows, part]}


def _windows(
    block: CertifiedScan, before: Array, printed: Array, last: Array, arithmetic: Arithmetic
) -> Certified:
    """Every state of a block from the printed state before its window."""
    forward = Inputs(block.inputs.lam, block.inputs.b, last)
    whole = forward.b.shape[1] // width(arithmetic) * width(arithmetic)
    parts = [_folded(*part, arithmetic) for part in _halves(printed, forward, whole, arithmetic)]
    head, tail, rad, bound, unstored, safe = (
        np.concatenate(each, axis=1) for each in zip(*parts, strict=True)
    )
    owed = _owed(block, before, _delayed(printed, last))
    exact = _exact_window(printed, forward, arithmetic)
    return Certified(
        Truth(head, tail, rad), bound, unstored, safe, owed, assumes(arithmetic), exact, window=True
    )


def _halves(
    printed: Array, block: Inputs, whole: int, arithmetic: Arithmetic
) -> list[tuple[Array, Inputs, int]]:
    """(printed states, inputs, W): the whole windows, and what is left after them."""
    lam = block.lam
    rest = replace(block, lam=lam[:, whole:] if block.varying else lam, b=block.b[:, whole:],
                   h0=printed[:, whole - 1] if whole else block.start)  # fmt: skip
    first = replace(block, lam=lam[:, :whole] if block.varying else lam, b=block.b[:, :whole])
    parts = [
        (printed[:, :whole], first, width(arithmetic)),
        (printed[:, whole:], rest, block.b.shape[1] - whole),
    ]
    return [part for part in parts if part[1].b.shape[1]]


def _folded(printed: Array, part: Inputs, steps: int, arithmetic: Arithmetic) -> tuple[Array, ...]:
    """Windows of `steps` steps, folded into the batch axis; nothing is known of one whose start is
    not finite."""
    _, time, channels = part.b.shape
    # (batch, windows, channels)
    starts = np.concatenate([part.start[:, None], printed[:, steps - 1 : time - 1 : steps]], axis=1)
    known = np.isfinite(starts)
    shape = (-1, steps, channels)
    lam = part.lam.reshape(shape) if part.varying else part.lam
    h0 = (
        np.where(known, starts, np.zeros((), printed.dtype))
        .astype(printed.dtype)
        .reshape(-1, channels)
    )
    truth, (bound, safe, unstored) = certify(Inputs(lam, part.b.reshape(shape), h0), arithmetic)[1:]
    known = np.repeat(known, steps, axis=1)  # (batch, time, channels)
    found = [
        x.reshape(part.b.shape) for x in (*truth, np.where(safe, bound, np.inf), unstored, safe)
    ]
    found[3] = np.where(known, found[3], np.inf)
    return tuple(found)


def _exact_window(printed: Array, block: Inputs, arithmetic: Arithmetic) -> Exact:
    """An exact state from the printed state before its window."""
    steps = width(arithmetic)

    def exact(index: tuple[int, ...]) -> tuple[list[int], int]:
        row, step, channel = index
        first = step // steps * steps
        part, rows, one = slice(first, step + 1), slice(row, row + 1), slice(channel, channel + 1)
        lam = block.lam[rows, part, one] if block.varying else block.lam[one]
        h0 = (printed[:, first - 1] if first else block.start)[rows, one]
        return exact_state(Inputs(lam, block.b[rows, part, one], h0), (0, step - first, 0))

    return exact

"""Exact states: by integers where that is cheap, by certified double-doubles elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from scanproof.reference.inputs import Inputs
from scanproof.reference.truth.enclosure import Truth
from scanproof.reference.truth.exact import disc, exact, exact_state

__all__ = ["Truth", "blockwise", "disc", "exact_state", "truth"]

# up to here integers are cheap, and compiled code is not worth its import
EXACT_STEPS, EXACT_LANES = 128, 16


def truth(inputs: Inputs) -> Truth:
    """Encloses the states: by integers where that is cheap, by double-doubles elsewhere.

    Returns:
        A Truth of arrays (batch, time, channels), in the order of b's time axis.

    Raises:
        FloatingPointError: double-doubles are needed, and this process does not compute in IEEE
            arithmetic.
    """
    batch, steps, channels = inputs.b.shape
    if steps <= EXACT_STEPS and batch * channels <= EXACT_LANES:
        return exact(inputs)
    from scanproof.reference.truth import double_double  # imports numba

    return double_double.double_double(inputs)


def blockwise(inputs: Inputs, steps: int) -> Iterator[tuple[int, Truth]]:
    """Encloses the states of forward inputs block after block, in bounded memory.

    Yields:
        The first step of a block, and the Truth of its at most `steps` steps, of arrays
        (batch, steps, channels).

    Raises:
        FloatingPointError: this process does not compute in IEEE arithmetic.
    """
    from scanproof.reference.truth import double_double  # imports numba

    carry = double_double.start(inputs.start)
    for first in range(0, inputs.b.shape[1], steps):
        part = slice(first, first + steps)
        lam = inputs.lam[:, part] if inputs.varying else inputs.lam
        found, carry = double_double.advance(lam, inputs.b[:, part], carry)
        yield first, found

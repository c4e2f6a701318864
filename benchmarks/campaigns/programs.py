"""Honest programs of whole layers, forward and backward: what no allowance of a layer may refuse.

    program     scan of states and of their cotangents
    sequential  one step after the other, NumPy
    doubling    Hillis and Steele, any contraction of a step
    chunked     chunks of 8, one carry, any contraction
    kernels     the Numba kernels: everything folded in float64

In what order a program multiplies its matrices, and in which regimes it is tried, stands with its
system, in the file of its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from scanproof.benchmarks.campaigns import honest
from scanproof.properties.results import form_fault, received
from scanproof.properties.versions.plain_scan import Advance, Recurrence
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.call import Call, kinds_of
from scanproof.reference.inputs import Array, Inputs

COMPLEX = {"float32": "complex64", "float64": "complex128"}


class Program(NamedTuple):
    """run: callable by the adapter contract; adjoint: what its gradients are, as declared."""

    name: str
    run: Callable[..., Any]
    adjoint: str = "recurrence"


@dataclass(frozen=True, eq=False)
class Regime:
    """Where cases are drawn.

    sizes: of a draw, beside batch and width; about: what they and the modulus mean, in words.
    sparse: one power of two in every row of B and C, nothing else (properties/systems/).
    small: inputs, initial states and cotangents around the smallest normal number, so that
        products underflow.
    """

    system: str
    sizes: Mapping[str, int]
    modulus: float
    about: str
    sparse: bool = False
    small: bool = False

    def __str__(self) -> str:
        more = ", sparse" * self.sparse + ", small" * self.small
        return f"T = {self.sizes['time']}, {self.about}{more}"


class Campaign(NamedTuple):
    """The campaign of one system.

    draw(rng, sizes, moduli, sparse, two) gives parameters in float64.
    shares(rng, state) says how near to the modulus of a regime its eigenvalues are.
    programs(dtype, rng) are those that work in float32 or float64.
    ..._told: sentences of the page.
    """

    regimes: tuple[Regime, ...]
    draw: Callable[..., Any]
    shares: Callable[[np.random.Generator, int], Array]
    programs: Callable[[str, np.random.Generator], list[Program]]
    programs_text: str
    draws_text: str
    sparse_text: str


class Scanned(Recurrence):
    """Scans by an honest program of the bare scan; of real states even + i odd."""

    def __init__(self, program: honest.Program) -> None:
        self.program = program

    def scan(self, advance: Advance, b: Array, start: Array | None, reverse: bool) -> Array:
        z = _lanes(b, 2)  # (batch, time, channels)
        unit = np.ones_like(z[:1, 0]).view(b.dtype).reshape(1, *b.shape[2:])  # (1, state...)
        lam = _lanes(advance(unit), 1)[0]  # (channels,)
        z0 = None if start is None else _lanes(start, 1)  # (batch, channels)
        return self.program.states(Inputs(lam, z, z0, reverse)).view(b.dtype).reshape(b.shape)


def _lanes(x: Array, lead: int) -> Array:
    """Complex numbers, everything after the leading axes side by side."""
    z = np.ascontiguousarray(x).reshape(*x.shape[:lead], -1)
    return z if np.iscomplexobj(z) else z.view(np.result_type(z.dtype, np.complex64))


def programs(
    plain: Any,
    doubling: type[Any],
    chunked: type[Any],
    kernel: Callable[..., Any],
    dtype: str,
    rng: np.random.Generator,
) -> list[Program]:
    """The programs of the table, in float32 or float64; how scans contract a step is drawn."""
    machine = honest.drawn(Arithmetic(COMPLEX[dtype]), rng).machine
    kinds = (("doubling", doubling), ("chunked:8", chunked))
    scans = [Program(name, kind(honest.Program(name, machine))) for name, kind in kinds]
    return [Program("sequential", plain), *scans, Program("kernels", _both(kernel))]


def _both(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Outputs and gradients of a kernel that gives one or the other."""

    def run(y_bar: Array | None = None, **given: Any) -> dict[str, Any]:
        found: dict[str, Any] = kernel(**given)
        return found if y_bar is None else found | kernel(y_bar=y_bar, **given)

    return run


def results(program: Program, call: Call, arithmetic: Arithmetic) -> dict[str, Array]:
    """Flat results in the declared formats, computed in the format of the sums.

    Inputs are widened, results rounded once.

    Raises:
        ValueError: in one line, a program that returns something else than its call is for, or in
            another format.
    """
    inner = Arithmetic(arithmetic.inner)
    kinds = {each.name: kinds_of(inner.dtype)[each.kinds[0]] for each in call.system.arguments}
    wide = call.but(**{name: x.astype(kinds[name]) for name, x in call.arguments.items()})
    got = received(program.run(**wide.keywords()), call.system)
    if fault := form_fault(got, wide, inner):
        raise ValueError(f"{program.name}: {fault}")
    expected = call.expected(arithmetic.dtype)
    return {name: x.astype(expected[name][1]) for name, x in got.items()}

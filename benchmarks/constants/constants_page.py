"""What is declared beside what was measured: docs/measured/constants.md."""

from __future__ import annotations

import importlib.metadata
import math
import platform
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from scanproof.benchmarks.constants import exponentials, libm
from scanproof.benchmarks.constants.exponentials import Row as Exponential
from scanproof.reference.arithmetic.constants import C_E, declared

PACKAGES = ("numpy", "scipy", "python-flint", "jax", "jaxlib", "torch")


class Measured(NamedTuple):
    """One run: everything that the page tells."""

    seed: int
    versions: dict[str, str]
    elementary: list[libm.Row]
    exponentials: list[Exponential]

    @property
    def rows(self) -> list[libm.Row | Exponential]:
        return [*self.elementary, *self.exponentials]

    @property
    def faults(self) -> list[str]:
        """Rows above the constant of their own class; none is expected."""
        return [
            f"{row.what}: {row.description}, above {_power(row.claimed)}"
            for row in self.rows
            if not row.error <= row.claimed
        ]


def jobs(seed: int) -> list[tuple[Callable[..., list[Any]], tuple[Any, ...]]]:
    """The work in pieces for several processes, the longest first; `measured` takes their
    results in this order."""
    return [(exponentials.rows, (seed,)), *((libm.rows, (who, seed)) for who in libm.installed())]


def measured(seed: int, results: list[list[Any]]) -> Measured:
    """The results of the jobs, with the versions of this process."""
    matrices, *elementary = results
    return Measured(seed, versions(), [row for part in elementary for row in part], matrices)


def versions() -> dict[str, str]:
    """Of what is measured and measured with; NumPy chooses its code by the processor."""
    packages = {
        name for found in importlib.metadata.packages_distributions().values() for name in found
    }
    versions = {name: importlib.metadata.version(name) for name in PACKAGES if name in packages}
    targets = (
        np.lib.introspect.opt_func_info(func_name="^exp$", signature="float32")
        .get("exp", {})
        .values()
    )
    code = ", ".join(target["current"] for target in targets) or "unknown"
    return (
        {"python": platform.python_version(), "processor": platform.machine()}
        | versions
        | {"NumPy's exp in float32": code}
    )


# ---------------------------------------------------------------- the page


def page(found: Measured) -> Iterator[str]:
    """The lines of docs/measured/constants.md."""
    yield from INTRODUCTION.format(seed=found.seed).splitlines()
    yield from (
        "",
        *_table(("constant", "class", "binary32 and narrower", "binary64", "bounds"), _declared()),
    )
    yield from ("", *ELEMENTARY.format(worst=libm.WORST, bits=libm.PRECISION).splitlines(), "")
    yield from _elementary(found.elementary)
    yield from ("", *EXPONENTIAL.format(bits=exponentials.PRECISION).splitlines(), "")
    yield from _table(
        ("action", "format", "whose", "class", "largest", "met at", "declared", "matrices"),
        _exponentials(found),
    )
    yield from ("", *ROTATIONS.splitlines(), "")
    yield from _table(
        ("n", "action", "format", "whose", "error", "in units", "declared by default"),
        _rotations(found),
    )
    yield from ("", *EXCEEDED.splitlines(), "")
    yield from _exceeding(found)
    yield from ("", "## Measured with", "", *_table(("what", "version"), found.versions.items()))


def _table(columns: tuple[str, ...], rows: Any) -> Iterator[str]:
    yield _line(columns)
    yield "|" + "---|" * len(columns)
    yield from map(_line, rows)


def _line(cells: Any) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _declared() -> Iterator[tuple[object, ...]]:
    single, double = (declared("default", dtype) for dtype in ("float32", "float64"))
    for field, bounds in BOUNDS.items():
        yield field, "default", f"{getattr(single, field):g}", f"{getattr(double, field):g}", bounds
    for word in C_E:
        bounds = EXPM if word == "default" else "the same, of `jax.scipy.linalg.expm`"
        yield (
            "c_E",
            word,
            *(_power(declared(word, dtype).c_E) for dtype in ("float32", "float64")),
            bounds,
        )


def _power(constant: float) -> str:
    """A large one as a power of two."""
    return f"{constant:g}" if constant < 1000 else f"2^{math.log2(constant):g}"


def _elementary(rows: list[libm.Row]) -> Iterator[str]:
    """A line for each function, format and range; a column for each library."""
    cells: dict[tuple[Any, ...], dict[str, libm.Row]] = {}
    for row in rows:
        place = (row.function, row.dtype, f"{row.low:.3g} to {row.high:.3g}", f"{row.constant:g}")
        cells.setdefault(place, {})[row.who] = row
    whose = tuple(dict.fromkeys(row.who for row in rows))
    columns = (
        "function",
        "format",
        "from, to",
        "declared",
        "arguments",
        *(f"{who}, at" for who in whose),
    )
    lines = (
        (*place, _arguments(found), *(_cell(found[who]) for who in whose))
        for place, found in cells.items()
    )
    yield from _table(columns, lines)


def _arguments(found: dict[str, libm.Row]) -> str:
    """The least of the libraries: each has worst binades of its own."""
    return f"{min(row.arguments for row in found.values()):,}"


def _cell(row: libm.Row) -> str:
    digits = 9 if row.dtype == "float32" else 17
    return f"{_bold(row)}, {row.at:.{digits}g}"


def _bold(row: libm.Row | Exponential) -> str:
    """Bold where it exceeds the constant of the default class."""
    return f"{row.error:.4g}" if row.error <= row.constant else f"**{row.error:.4g}**"


def _exponentials(found: Measured) -> Iterator[tuple[object, ...]]:
    for row in found.exponentials:
        if row.matrices > 1:
            place = f"{row.kind}, N = {row.size}, {row.norm:.5g}"
            yield (
                row.action, row.dtype, row.who, row.word, _bold(row), place, _power(row.claimed),
                row.matrices,
            )  # fmt: skip


def _rotations(found: Measured) -> Iterator[tuple[object, ...]]:
    for row in found.exponentials:
        if row.matrices == 1:
            yield (
                row.norm, row.action, row.dtype, row.who, f"{row.absolute:.2g}", _bold(row),
                f"{row.constant:g}",
            )  # fmt: skip


def _exceeding(found: Measured) -> Iterator[str]:
    """A line for every row above the default class's constant, single rotations aside."""
    several = [row for row in found.exponentials if row.matrices > 1]
    rows: list[libm.Row | Exponential] = [*found.elementary, *several]
    for row in rows:
        if not row.error <= row.constant:
            held = (
                "above it: NOT ADMITTED"
                if not row.error <= row.claimed
                else f"declared {_power(row.claimed)}"
            )
            belongs = "no class" if row.word == "none" else f"class `{row.word}`, {held}"
            yield f"- {row.what}: {row.description}; default {row.constant:g}; {belongs}"


EXPM = ("error of exp S for a skew S (N, N) in units of u (n + sqrt N), see below; of its adjoint, "
        "relative to G")
BOUNDS = {
    "e": "relative error of exp, expm1, log, log1p, tanh, sigmoid, softplus; beside it a loss by "
         "underflow, eta",
    "e_t": "absolute error of sin and cos, at any argument",
    "division": "relative error of x / y and sqrt x: correctly rounded",
}

INTRODUCTION = """\
# Declared constants

Written by `scanproof power constants --seed {seed} --write docs/measured/constants.md`.
A verdict on a layer is a theorem *given* these constants, which nobody has proved for the libraries
that people use. Here they stand beside the largest errors that were measured: evidence, no proof.
An implementation may claim them for its own functions; one that cannot is outside the class.

All in units of u, the unit roundoff (2^-24 in binary32, 2^-53 in binary64); the code is
[`reference/arithmetic/constants.py`](../../reference/arithmetic/constants.py). For float16 and
bfloat16 nothing was measured: u is larger there, and programs compute such functions in binary32
and round."""

ELEMENTARY = """\
## Measured: elementary functions

The largest error in units of u, and the argument where it was met: relative, but absolute for sin
and cos. Results are normal numbers in all these ranges; subnormal ones are declared separately
(`--subnormals`). Arguments are drawn evenly in the logarithm. Then the {worst} binades with the
largest errors are looked at again: in float32 at every number, in float64 as often as in the whole
range. In float32 the worst argument is found by comparison with NumPy's float64 function, which the
float64 rows show to be off by less than 1e-8 of float32's u; in float64 every argument is compared
with balls (python-flint, {bits} bits and more). The figure itself is computed by balls, so it is
certain; a larger error elsewhere may have been missed. Bold: above the declared constant. NumPy's
sigmoid is 1/(1+exp(-x)), its softplus logaddexp(x, 0)."""

EXPONENTIAL = """\
## Measured: the matrix exponential of a skew S

The largest error over matrices of N = 2 to 64 and norms from 0.05 to 100, just below the limits
from which SciPy and jax square once more among them, in units of u (n + sqrt N), n the largest
column sum of absolute values of S. For `exp`: the 2-norm of P^ - exp S. For `adjoint`: the
Frobenius norm of L^ - L(S^T, G), relative to that of G. `dense`: S and G Gaussian; `rotations`: N/2
planes turn by n, and G changes that angle. The truth is computed in balls of {bits} bits from the
very floats that the implementation gets, and subtracted there; a radius above 2^-120 would end the
run. SciPy computes the adjoint in float64, and it is rounded; jax's is the reverse derivative of
its expm. Bold: above the default constant."""

ROTATIONS = """\
## Named: one plane, N = 2

A rotation by 7.8 and by 62.8. `jax.scipy.linalg.expm` scales by the floor of a logarithm where the
ceiling is needed: just below 3.9257 2^k in binary32 and 5.3719 2^k in binary64, k >= 1, its
rational approximation is used at twice its range. The errors are absolute, that of the adjoint
relative to G."""

EXCEEDED = """\
## What exceeds a default constant

Listed, not hidden by a larger constant. Class `jax` has a constant of its own for the exponential,
so that the rest of such a layer can be judged. "No class": no constant is claimed, and no allowance
speaks about a program that uses that function."""

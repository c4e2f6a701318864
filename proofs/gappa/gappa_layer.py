"""What one step of a scan may lose, proved by Gappa for each format, compared with what
`operations.roundings` grants.

Gappa bounds, in one component of a step, the factors of the products a c and b d, the factor of the
addend x, and the loss of underflow (gappa_step.py). In the modulus of a complex step the first and
the last count sqrt(2) times, the factor of x once:

    |(|ac| + |bd|, |ad| + |bc|)| <= sqrt(2) |z||w|     for z = a + ib, w = c + id

because 2 |z|^2 |w|^2 less the two squares is (|ac| - |bd|)^2 + (|ad| - |bc|)^2. So beta = sqrt(2)
((1+u)^3 - 1) and c = 2 of a contracted step, and beta = sqrt(2) ((1+2u)^2 - 1) of truncation, are
what Gappa finds.

Not so sqrt(5) u of a product without contraction, rounded to nearest: Gappa has 2u + u^2 in a
component, 2.83 u in the modulus, because it does not see what |ac - bd|^2 + |ad + bc|^2 = |z|^2
|w|^2 forbids. There each component, |error| <= (2u + u^2) |z||w|, is compared with what is granted
to the modulus: necessary, not sufficient. sqrt(5) u is cited; proofs/coq/ComplexProduct.v has
2.31 u, and 2u with an FMA. What is granted where contraction is allowed, the default, covers 2.83
u: `complex step` proves it.
Flushed subnormals and matrix units are not formats of Gappa's.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction

from scanproof.proofs.engine.run import Status, one_line
from scanproof.proofs.gappa.gappa_step import Step, bounded, statement
from scanproof.reference.arithmetic import operations
from scanproof.reference.arithmetic.declaration import Arithmetic
from scanproof.reference.arithmetic.formats import format_of

MISSING = "gappa is not installed: apt-get install gappa"
COMMAND = (
    "gappa",
    "-Eprecision=200",  # bits of its own arithmetic; the default, 60, does not hold (1+u)^3 - 1
    # nothing here needs it, and a false statement would be split for minutes
    "-Eno-auto-dichotomy",
)
TIMEOUT = 60  # seconds; a statement takes less than a tenth
PROCESSES = 4
FORMATS = {
    "binary16": "float16",
    "bfloat16": "bfloat16",
    "binary32": "float32",
    "binary64": "float64",
}
WITHOUT = (
    Step("real step", ("r = p", "y = r + x")),
    Step("real step, FMA", ("y = p + x",)),
    Step("complex product", ("r = p", "s = q", "y = r - s")),
    Step("complex product, FMA", ("s = q", "y = p - s")),
)  # compared with what is granted without contraction
CONTRACTED = (
    Step("complex step", ("r = p", "s = q", "w = r - s", "y = w + x")),
    Step("complex step, FMA", ("s = q", "w = p - s", "y = w + x")),
    Step("complex step, addend first", ("r = p", "w = x + r", "s = q", "y = w - s")),
    Step("complex step, addend first, FMA", ("w = x + p", "y = w - q")),
)  # members of the class of any contraction
CITED = ("sqrt(5) u for the modulus: Brent, Percival, Zimmermann 2007; ComplexProduct.v proves "
         "4/sqrt(3) u, 2u with an FMA")


@dataclass(frozen=True)
class Certificate:
    """What became of one step in one format; `dataclasses.asdict` makes it a plain dict.

    found, granted: `product` and `addend` in units of u = 2^-p, `loss` in smallest subnormals; of
    the modulus, or of each component where `cited` says what is not proved of the modulus. `found`
    is empty when nothing was.
    """

    name: str
    status: Status
    statement: str
    format: str
    operation: str
    fma: bool
    rounding: str
    found: dict[str, float]
    granted: dict[str, float]
    cited: tuple[str, ...]
    seconds: float
    reason: str


def results() -> Iterator[Certificate]:
    """Every step in every format, rounded to nearest and truncated."""
    steps = (*WITHOUT, *CONTRACTED)
    cases = [
        (step, form, rounding)
        for rounding in ("nearest", "truncate")
        for form in FORMATS
        for step in steps
    ]
    with ThreadPoolExecutor(PROCESSES) as pool:
        yield from pool.map(lambda case: certify(*case), cases)


def certify(step: Step, form: str, rounding: str) -> Certificate:
    """Ask Gappa for the least bounds of a step, and compare them with what is granted.

    Whatever goes wrong comes back as `refused`, with the reason in one line; `not run` where gappa
    is missing.
    """
    start, dtype, found = time.perf_counter(), FORMATS[form], dict[str, Fraction]()
    allowed, squares = granted(step, dtype, rounding), weights(step, rounding)
    reason = "" if shutil.which("gappa") else MISSING
    if not reason:
        try:
            found = least(step, dtype, rounding)
            reason = "; ".join(excesses(found, allowed, squares))
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            reason = one_line(error)
    return Certificate(
        name=f"{form} {step.name}{', truncated' if rounding == 'truncate' else ''}",
        status="not run" if reason == MISSING else "refused" if reason else "proved",
        statement=claim(step, rounding),
        format=form,
        operation=step.name,
        fma=step.fma,
        rounding=rounding,
        found={
            quantity: x * squares[quantity] ** 0.5 for quantity, x in in_units(found, dtype).items()
        },
        granted=in_units(allowed, dtype),
        cited=(CITED,) if component_only(step, rounding) else (),
        seconds=time.perf_counter() - start,
        reason=reason,
    )


def claim(step: Step, rounding: str) -> str:
    """What is proved, in words."""
    measure = (
        "each component "
        if component_only(step, rounding)
        else "the modulus "
        if step.is_complex
        else ""
    )
    addend = " + addend |x|" if "x" in step.terms else ""
    product = "|z w|" if step.is_complex else "|a c|"
    return f"{step.computed}: {measure}is off by at most product {product}{addend} + loss"


def granted(step: Step, dtype: str, rounding: str) -> dict[str, Fraction]:
    """What reference/allowance/rounding.py grants to a step, by its own formulas (`_sequential`).

    Products meet (1+beta)(1+u), or beta alone in a contracted step, whose beta includes the sums.
    """
    arithmetic = Arithmetic(dtype, contraction=step in CONTRACTED, rounding=rounding)
    ops = operations.roundings(arithmetic, step.is_complex, pairs=step.is_complex)
    u, beta, addend = Fraction(ops.u), Fraction(ops.beta), Fraction(0)
    if "x" in step.terms:
        addend = (1 + u) ** ops.c - 1
    product = beta if ops.c > 1 else (1 + beta) * (1 + addend) - 1
    return {"product": product, "addend": addend, "loss": Fraction(ops.product_loss) * (1 + addend)}


def least(step: Step, dtype: str, rounding: str) -> dict[str, Fraction]:
    """The least bounds that Gappa proves for one component, whichever products underflow."""
    found = {"product": Fraction(0), "addend": Fraction(0), "loss": Fraction(0)}
    for lost in step.underflows:
        answers = answer(statement(step, dtype, rounding, lost))
        for quantity, names in bounded(step, lost).items():
            if not answers.keys() >= set(names):
                raise ValueError(f"gappa answers {sorted(answers)}, expected {names}")
            found[quantity] = max([found[quantity], *(answers[name] for name in names)])
    return found


def answer(text: str) -> dict[str, Fraction]:
    """What Gappa proves: a bound for each name that the statement asks about.

    Raises:
        ValueError: Gappa refuses the statement, or warns: an equality that it cannot see is a
            warning.
    """
    done = subprocess.run(
        COMMAND, input=text, capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
    text = done.stderr + done.stdout
    if done.returncode or re.search("warning|error", text, re.IGNORECASE):
        raise ValueError(f"gappa refuses: {text or f'exit code {done.returncode}'}")
    return {
        name: number(bound)
        for name, bound in re.findall(r"^\s*\|(\w+)\| in \[\S+, (\S+)", text, re.MULTILINE)
    }


def number(text: str) -> Fraction:
    """Gappa's 3b-24 is 3 2^-24."""
    significand, _, exponent = text.rstrip("]").partition("b")
    return int(significand) * Fraction(2) ** int(exponent or 0)


def component_only(step: Step, rounding: str) -> bool:
    """Whether the modulus is granted sqrt(5) u, which Gappa does not reach."""
    return step.is_complex and step not in CONTRACTED and rounding == "nearest"


def weights(step: Step, rounding: str) -> dict[str, int]:
    """The squares of what turns the bounds of a component into what is compared."""
    both = 2 if step.is_complex and not component_only(step, rounding) else 1
    return {"product": both, "addend": 1, "loss": both}


def excesses(
    found: dict[str, Fraction], allowed: dict[str, Fraction], squares: dict[str, int]
) -> Iterator[str]:
    """Where more is found than granted, compared exactly."""
    for quantity, square in squares.items():
        if square * found[quantity] ** 2 > allowed[quantity] ** 2:
            ratio = (
                float(found[quantity] / allowed[quantity]) * square**0.5
                if allowed[quantity]
                else float("inf")
            )
            yield f"{quantity}: found {ratio:.6g} of what operations.roundings grants"


def in_units(bounds: dict[str, Fraction], dtype: str) -> dict[str, float]:
    """In u, u and smallest subnormals."""
    form = format_of(dtype)
    units = {"product": form.u, "addend": form.u, "loss": form.smallest_subnormal}
    return {
        quantity: float(bound / Fraction(units[quantity])) for quantity, bound in bounds.items()
    }

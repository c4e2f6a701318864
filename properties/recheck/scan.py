"""The scan h_t = lam_t h_{t-1} + b_t, recomputed with nothing but Python's integers.

    lam       coefficients          (channel) or (batch, time, channel)
    b, h      inputs, states        (batch, time, channel)
    h0        state before it       (batch, channel)
    H, s      a number H / 2^s: its real and imaginary part are integers
    reverse   from the last step to the first

Evidence: {"exact": {"numerators", "exponent"}}, the exact state at the index.
"""

import cmath

from . import _values
from ._witness import Witness
from .core import SMALL

LARGEST = 10**6  # of an exponent s
DIGITS = 2**20  # hexadecimal ones, of the largest integer
TRUTH = "the recorded truth is not the exact state"

Whole = tuple[list[int], int]  # H, s


def refuted(w: Witness) -> str | None:
    """Why it is, or None."""
    _check(w)
    numerators, exponent = _recorded(w)
    H, s = _exact(w)
    if [n << s for n in numerators] != [x << exponent for x in H]:
        return TRUTH
    if not cmath.isfinite(w.got):
        return None
    return None if _outside(w, H, s) else SMALL


def _check(w: Witness) -> None:
    states = "batch time channel complex"
    forms = {"b": states, "lam": states, "h0": "batch channel complex"}
    if "lam" in w.arguments and len(w.arguments["lam"].shape) == 1:
        forms["lam"] = "channel complex"
    sizes: dict[str, int] = {}
    _values.fit(w.arguments, forms, sizes, ("b", "lam"))
    _values.fit(w.results, {"h": states}, sizes, ("h",))
    if w.output != "h":
        raise _values.fault("output", repr(w.output), "'h'")


def _recorded(w: Witness) -> Whole:
    [exact] = _values.fields("evidence", w.evidence, "exact")
    numerators, exponent = _values.fields("evidence.exact", exact, "numerators", "exponent")
    texts = _values.sequence("numerators", numerators, w.judged.parts)
    form = f"-?0x[0-9a-f]{{1,{DIGITS}}}"
    values = [int(_values.text("numerators", x, form), 16) for x in texts]
    return [*values, 0][:2], _values.integer("exponent", exponent, LARGEST)


def _exact(w: Witness) -> Whole:
    """The state at the index, by the definition: one step after the other."""
    row, step, channel = w.index
    lam, b = w.arguments["lam"], w.arguments["b"]
    last = b.shape[1] - 1
    H, s = _whole(w.arguments["h0"].at((row, channel)) if "h0" in w.arguments else 0.0)
    for t in range(last, step - 1, -1) if w.reverse else range(step + 1):
        place = (row, t, channel)
        C, k = _whole(lam.at(place[-len(lam.shape) :]))
        X, j = _whole(b.at(place))
        carried, e = [C[0] * H[0] - C[1] * H[1], C[0] * H[1] + C[1] * H[0]], s + k
        s = max(e, j)
        H = [(c << s - e) + (x << s - j) for c, x in zip(carried, X, strict=True)]
        _check_size(H, s)
    return H, s


def _check_size(H: list[int], s: int) -> None:
    if s > LARGEST or max(x.bit_length() for x in H) > 4 * DIGITS:
        expected = f"{4 * DIGITS} bits and an exponent up to {LARGEST}"
        raise _values.fault("h", "an exact state too long to recompute", expected)


def _outside(w: Witness, H: list[int], s: int) -> bool:
    """Whether the error exceeds the allowance, all of them over one power of two."""
    (Q, j), (A, i) = _whole(w.got), _whole(w.allowance)
    e = max(s, i, j)
    apart = [(q << e - j) - (x << e - s) for q, x in zip(Q, H, strict=True)]
    return sum(d * d for d in apart) > (A[0] << e - i) ** 2


def _whole(z: complex) -> Whole:
    ratios = [z.real.as_integer_ratio(), z.imag.as_integer_ratio()]
    s = max(over.bit_length() - 1 for _, over in ratios)
    return [n << s - over.bit_length() + 1 for n, over in ratios], s

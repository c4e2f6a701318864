"""Rechecks the witness of a scan with nothing but Python's integers: python recheck.py witness.json

Confirms (exit 0) that the exact state at `index` is the one recorded and that |got - truth| > allowance there, or refutes
(exit 1); exit 2 for a file that is no witness. It shares no code with Scanproof. What it takes on trust is the allowance
itself: the theorem (docs/theorem.md).
"""

import json
import math
import sys
from fractions import Fraction
from typing import Any

FORMAT = "scanproof-witness/2"
OTHERS = {"scanproof-layer-witness": "recheck_layer.py", "scanproof-expm-witness": "recheck_expm.py"}


def recheck(witness: dict[str, Any]) -> str:
    """"confirmed", or why not."""
    found = witness["format"]
    if found != FORMAT:
        other = OTHERS.get(found.partition("/")[0])
        raise ValueError(f"format: found {found!r}, expected {FORMAT}" + (f"; {other} reads that" if other else ""))
    row, step, channel = witness["index"]
    (_, time, channels), reverse = witness["b"]["shape"], witness["reverse"]

    def at(name: str, position: int) -> tuple[Fraction, Fraction]:
        """One number of an array, by its position in C order: real and imaginary part."""
        parts = 2 if witness[name]["dtype"].startswith("complex") else 1
        z = [Fraction(float.fromhex(x)) for x in witness[name]["data"][parts * position : parts * (position + 1)]]
        return z[0], z[1] if parts == 2 else Fraction(0)

    h = at("h0", row * channels + channel) if witness["h0"] else (Fraction(0), Fraction(0))
    for t in range(time - 1, step - 1, -1) if reverse else range(step + 1):
        position = (row * time + t) * channels + channel
        (c, d), (x, y) = at("lam", position if len(witness["lam"]["shape"]) == 3 else channel), at("b", position)
        h = c * h[0] - d * h[1] + x, c * h[1] + d * h[0] + y
    recorded = [Fraction(int(n, 16), 2 ** witness["truth"]["exponent"]) for n in witness["truth"]["numerators"]]
    if recorded != list(h)[: len(recorded)] or any(h[len(recorded) :]):
        return "refuted: the recorded truth is not the exact state"
    parts = len(witness["got"]["data"]) // math.prod(witness["got"]["shape"])
    position = (row * time + step) * channels + channel
    if not all(math.isfinite(float.fromhex(x)) for x in witness["got"]["data"][parts * position : parts * (position + 1)]):
        return "confirmed"
    error_squared = sum((q - exact) ** 2 for q, exact in zip(at("got", position), h, strict=True))
    outside = error_squared > Fraction(float.fromhex(witness["allowance"])) ** 2
    return "confirmed" if outside else "refuted: the error does not exceed the allowance"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        print(f"recheck: found {len(sys.argv) - 1} files, expected one witness", file=sys.stderr)
        sys.exit(2)
    try:
        with open(sys.argv[1], encoding="utf-8") as file:
            answer = recheck(json.load(file))
    except (AttributeError, IndexError, OSError, KeyError, TypeError, ValueError, RecursionError) as error:
        print(f"recheck: {sys.argv[1]} is no readable witness file: {repr(error)[:160]}", file=sys.stderr)
        sys.exit(2)
    print(answer + (", given the recorded allowance" if answer == "confirmed" else ""))
    sys.exit(answer != "confirmed")

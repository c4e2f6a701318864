"""Rechecks the witness of a matrix exponential with nothing but Python's integers: python recheck_expm.py witness.json

Confirms (exit 0) that |(P^ - exp S) x|_2 > allowance |x|_2 for the matrix and the direction x that the file names, and so
|P^ - exp S|_2 > allowance, or refutes (exit 1); exit 2 for a file that is no witness. It shares no code with Scanproof. What it
takes on trust is the allowance itself (docs/layers.md).

    exp(S) x = sum of S^k x / k!        from a term k >= 2 R on the rest is at most that term, R the largest row sum of |S|
"""

import json
import math
import sys
from fractions import Fraction
from typing import Any

FORMAT = "scanproof-expm-witness/1"
OTHERS = {"scanproof-witness": "recheck.py", "scanproof-layer-witness": "recheck_layer.py"}
LARGEST = 1024  # R that is accepted; the series takes some 3 R terms
BITS = 200  # by which the last term is smaller than x

Vector = list[Fraction]


def exponential(S: list[Vector], x: Vector) -> tuple[Vector, Fraction]:
    """exp(S) x up to a last term of its series, and how far each component may be off. Integers over one denominator."""
    R = max(sum(map(abs, row)) for row in S)
    if R > LARGEST:
        raise ValueError(f"S: found a row of absolute sum {float(R):.3g}, expected {LARGEST} at most")
    s, r = (math.lcm(*(z.denominator for z in numbers)) for numbers in ([z for row in S for z in row], x))
    A, term = [[int(z * s) for z in row] for row in S], [int(z * r) for z in x]
    total, size, over, k = term, max(map(abs, term)), 1, 0
    while k < 2 * R or max(map(abs, term)) << BITS > size * over:
        k += 1
        term = [sum(a * z for a, z in zip(row, term, strict=True)) for row in A]  # r s^k S^k x
        over *= k * s
        total = [k * s * sofar + z for sofar, z in zip(total, term, strict=True)]  # over its denominator r s^k k!
    return [Fraction(z, r * over) for z in total], Fraction(max(map(abs, term)), r * over)


def recheck(witness: dict[str, Any]) -> str:
    """"confirmed", or why not."""
    found = witness["format"]
    if found != FORMAT:
        other = OTHERS.get(found.partition("/")[0])
        raise ValueError(f"format: found {found!r}, expected {FORMAT}" + (f"; {other} reads that" if other else ""))
    _, n, _ = witness["S"]["shape"]
    place = n * n * witness["matrix"]

    def matrix(name: str) -> list[list[float]]:
        entries = [float.fromhex(z) for z in witness[name]["data"][place : place + n * n]]
        return [entries[i * n : (i + 1) * n] for i in range(n)]

    if not all(map(math.isfinite, (z for row in matrix("got") for z in row))):
        return "confirmed"
    S, P = ([list(map(Fraction, row)) for row in matrix(name)] for name in ("S", "got"))
    if any(S[i][j] != -S[j][i] for i in range(n) for j in range(n)):
        return "refuted: S is not skew"
    x = [Fraction(float.fromhex(z)) for z in witness["direction"]["data"]]
    exact, rest = exponential(S, x)
    apart = [abs(sum(p * z for p, z in zip(row, x, strict=True)) - e) for row, e in zip(P, exact, strict=True)]
    error_squared = sum(max(d - rest, Fraction(0)) ** 2 for d in apart)
    outside = error_squared > Fraction(float.fromhex(witness["allowance"])) ** 2 * sum(z * z for z in x)
    return "confirmed" if outside else "refuted: the error does not exceed the allowance"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        print(f"recheck_expm: found {len(sys.argv) - 1} files, expected one witness", file=sys.stderr)
        sys.exit(2)
    try:
        with open(sys.argv[1], encoding="utf-8") as file:
            answer = recheck(json.load(file))
    except (ArithmeticError, AttributeError, IndexError, OSError, KeyError, TypeError, ValueError, RecursionError) as error:
        print(f"recheck_expm: {sys.argv[1]} is no readable witness file: {repr(error)[:160]}", file=sys.stderr)
        sys.exit(2)
    print(answer + (", given the recorded allowance" if answer == "confirmed" else ""))
    sys.exit(answer != "confirmed")

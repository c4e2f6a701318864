"""What an implementation accepts, from the options of `check` to a domain and back."""

from __future__ import annotations

from dataclasses import fields

from scanproof.properties.domain import SEARCHED, Domain

EXPECTED = "expected numbers and ranges such as 1-64,128"


def accepted(lam: str, positive: str, **sizes: str | None) -> Domain:
    """The domain that these options say; sizes: texts such as "1-64,128", None for any.

    Raises:
        ValueError: another text, an unknown word, or sizes that cannot be searched; one line.
    """
    known = {name: numbers(name, text) for name, text in sizes.items() if text is not None}
    return Domain(lam, positive=positive, **known)


def numbers(name: str, text: str) -> frozenset[int]:
    """Numbers and ranges, none beyond what a search visits.

    Raises:
        ValueError: anything else.
    """
    found: set[int] = set()
    for part in text.split(","):
        low, dash, high = part.strip().partition("-")
        if not all(_whole(word) for word in ([low, high] if dash else [low])):
            raise ValueError(f"{name}: found {text[:60]!r}, {EXPECTED}")
        first, last = int(low), int(high or low)
        if last < first:
            raise ValueError(f"{name}: found the empty range {part.strip()!r}, {EXPECTED}")
        if last > SEARCHED[name]:
            expected = f"none above {SEARCHED[name]}, the largest that is searched"
            raise ValueError(f"{name}: found {last}, expected {expected} (judge takes any)")
        found.update(range(first, last + 1))
    return frozenset(found)


def _whole(word: str) -> bool:
    """Digits, and no more of them than any number of a domain has."""
    return word.isascii() and word.isdigit() and len(word) <= 18


def options(domain: Domain) -> list[str]:
    """A domain as the command line has it, without what is the default."""
    words: list[str] = []
    for f in fields(domain):
        value = getattr(domain, f.name)
        if value != f.default:
            words += [f"--{f.name}", ranges(value) if isinstance(value, frozenset) else value]
    return words


def ranges(accepted: frozenset[int]) -> str:
    """{1, 2, 3, 8} as 1-3,8."""
    runs: list[list[int]] = []
    for n in sorted(accepted):
        if runs and n == runs[-1][1] + 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in runs)

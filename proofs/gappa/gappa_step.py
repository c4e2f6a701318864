"""One step of a scan as a statement for Gappa: what each exact term, and underflow, contribute to
its error.

    computed - exact = sum of C terms + L
    C = prod (1 + d_r) - 1,      L = sum of errors prod (1 + d_r)

A step is a program of roundings, one a line, on exact products p = a c and q = b d and an addend x.
The C of a term takes the roundings r that the term passes on its way to y. The rounding of a
product has a relative error d_r or, below twice the smallest normal number, an absolute one that
adds to L; there is a statement for every choice. Sums of floats do not underflow.

The imaginary part of a complex step is the real part for other numbers: a d - (-b) c + f.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import combinations
from pathlib import Path
from string import Template
from typing import NamedTuple

from scanproof.reference.arithmetic.formats import Format, format_of

TEMPLATE = Path(__file__).with_name("step.gappa.in")
DIRECTIONS = {"nearest": "ne", "truncate": "zr"}
PRODUCTS = {"p": ("a", "c"), "q": ("b", "d")}


class Way(NamedTuple):
    """How a term enters y: its sign, and the roundings that it passes."""

    sign: int
    roundings: tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """A step of a scan, or a product alone.

    Args:
        name: for tables.
        program: roundings in order, such as "w = r - s" for w = fl(r - s); the last one makes y.

    Raises:
        ValueError: a line that is no sum of names.
    """

    name: str
    program: tuple[str, ...]

    def __post_init__(self) -> None:
        for line in self.program:
            if not re.fullmatch(r"\w = \w( [+-] \w)*", line):
                raise ValueError(f"program: found {line!r}, expected a sum such as 'w = r - s'")

    @cached_property
    def sums(self) -> dict[str, dict[str, int]]:
        """What each rounding rounds: its terms with their signs, {"w": {"r": 1, "s": -1}}."""
        lines = (line.split(" = ") for line in self.program)
        return {
            name: {term: -1 if sign else 1 for sign, term in re.findall(r"(-?) ?(\w+)", text)}
            for name, text in lines
        }

    @cached_property
    def ways(self) -> dict[str, Way]:
        """Of every term and every result."""
        found = {"y": Way(1, ())}
        for name, summands in reversed(self.sums.items()):
            sign, later = found[name]
            found |= {term: Way(sign * own, (name, *later)) for term, own in summands.items()}
        return found

    @property
    def terms(self) -> list[str]:
        """The exact terms: products, then the addend."""
        return [term for term in (*PRODUCTS, "x") if term in self.ways]

    @property
    def is_complex(self) -> bool:
        return "q" in self.terms

    @property
    def of_products(self) -> list[str]:
        """The roundings that round a product, alone or in a sum."""
        return [
            name for name, summands in self.sums.items() if not PRODUCTS.keys().isdisjoint(summands)
        ]

    @property
    def fma(self) -> bool:
        """Whether a product is added to something before it is rounded."""
        return any(len(self.sums[name]) > 1 for name in self.of_products)

    @property
    def underflows(self) -> list[tuple[str, ...]]:
        """Every choice of roundings whose product underflows."""
        return [
            lost
            for n in range(len(self.of_products) + 1)
            for lost in combinations(self.of_products, n)
        ]

    @property
    def exact(self) -> str:
        """p - q + x"""
        return signed((self.ways[term].sign, term) for term in self.terms)

    @property
    def computed(self) -> str:
        """fl(fl(a c) + x)"""
        text = "y"
        for name, summands in reversed(self.sums.items()):
            text = re.sub(rf"\b{name}\b", f"fl({operand(summands)})", text)
        return re.sub(r"\b[pq]\b", lambda match: " ".join(PRODUCTS[match.group()]), text)

    def factors(self, lost: tuple[str, ...]) -> dict[str, str]:
        """The name of C for each term: C_r_w takes the roundings r and w.

        A term without a relative error has none.
        """
        passed = {
            term: [name for name in self.ways[term].roundings if name not in lost]
            for term in self.terms
        }
        return {term: "_".join(["C", *names]) for term, names in passed.items() if names}


def statement(
    step: Step,
    dtype: str,
    rounding: str,
    lost: tuple[str, ...],
    bounds: dict[str, Fraction] | None = None,
) -> str:
    """The file for Gappa, where products underflow in the roundings `lost`.

    It asks for the least bounds that Gappa can prove or, given `bounds` of product, addend and
    loss, for their proof.
    """
    form, factors = format_of(dtype), step.factors(lost)
    summands = [(step.ways[term].sign, f"{term} * {factor}") for term, factor in factors.items()]
    expansion = signed([*summands, (1, "L")] if lost else summands)
    divisors = [
        f"{operand(summands)} <> 0" for name, summands in step.sums.items() if name not in lost
    ]
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=f"{step.name}, {dtype}, {rounding}: y = {step.computed}",
        expansion=expansion,
        lost=", ".join(lost) or "none",
        bits=form.significand_bits,
        exponent=dyadic(form.smallest_subnormal).removeprefix("1b"),
        direction=DIRECTIONS[rounding],
        definitions="\n".join(definitions(step, lost)),
        given=" /\\ ".join(given(step, form, lost)),
        goals=" /\\ ".join(goals(step, lost, bounds)),
        error=f"(y - ({step.exact})) - ({expansion})",
        nonzero=f" {{ {', '.join(divisors)} }}" if divisors else "",
    )


def definitions(step: Step, lost: tuple[str, ...]) -> list[str]:
    """The floats, products, roundings, relative errors, factors and the loss, a line each."""
    floats = [number for term in step.terms for number in PRODUCTS.get(term, (term,))]
    error = {name: f"({name} - ({operand(summands)}))" for name, summands in step.sums.items()}
    relative = {
        name: f"{error[name]} / ({operand(summands)})"
        for name, summands in step.sums.items()
        if name not in lost
    }
    losses = [
        (step.ways[r].sign, " * ".join([error[r], *grown(step.ways[r].roundings, lost)]))
        for r in lost
    ]
    return [
        " ".join(f"{number} = rnd({number}_);" for number in floats),
        " ".join(
            f"{term} = {' * '.join(PRODUCTS[term])};" for term in step.terms if term in PRODUCTS
        ),
        *(f"{name} = rnd({operand(summands)});" for name, summands in step.sums.items()),
        *(f"d_{name} = {value};" for name, value in relative.items()),
        *(
            f"{factor} = {' * '.join(grown(factor.split('_')[1:]))} - 1;"
            for factor in unique(step.factors(lost).values())
        ),
        *([f"L = {signed(losses)};"] if lost else []),
    ]


def given(step: Step, form: Format, lost: tuple[str, ...]) -> list[str]:
    """In which range each sum is before it is rounded: products underflow, or are at least twice
    the smallest normal."""
    low, edge, top = (
        dyadic(x) for x in (form.smallest_subnormal, 2 * form.smallest_normal, form.largest)
    )
    at_least = {name: edge if name in step.of_products else low for name in step.sums}
    ranges = {
        name: f"[0, {edge}]" if name in lost else f"[{at_least[name]}, {top}]" for name in step.sums
    }
    return [f"|{operand(summands)}| in {ranges[name]}" for name, summands in step.sums.items()]


def bounded(step: Step, lost: tuple[str, ...]) -> dict[str, list[str]]:
    """The names in a statement whose bound is that of a product, of the addend, and of the loss."""
    factors = step.factors(lost)
    products = [factor for term, factor in factors.items() if term in PRODUCTS]
    addend = [factor for term, factor in factors.items() if term == "x"]
    return {"product": unique(products), "addend": addend, "loss": ["L"] if lost else []}


def goals(step: Step, lost: tuple[str, ...], bounds: dict[str, Fraction] | None) -> list[str]:
    """What Gappa is to find, or to prove."""
    named = bounded(step, lost)
    if bounds is None:
        return [
            f"|{name}| in ?" for name in unique(name for names in named.values() for name in names)
        ]
    return [
        f"|{name}| <= {dyadic(bounds[quantity])}"
        for quantity, names in named.items()
        for name in names
    ]


def grown(roundings: Iterable[str], lost: tuple[str, ...] = ()) -> list[str]:
    return [f"(1 + d_{name})" for name in roundings if name not in lost]


def operand(summands: dict[str, int]) -> str:
    """What a rounding rounds, "r - s"."""
    return signed((sign, term) for term, sign in summands.items())


def signed(summands: Iterable[tuple[int, str]]) -> str:
    """p - q + x"""
    text = "".join(f" {'-' if sign < 0 else '+'} {term}" for sign, term in summands)
    return text[3:] if text.startswith(" +") else f"-{text[3:]}"


def unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def dyadic(x: float | Fraction) -> str:
    """A positive dyadic number in Gappa's notation: 3b-24 is 3 2^-24."""
    n, d = Fraction(x).as_integer_ratio()
    twos = (n & -n).bit_length() - 1
    return f"{n >> twos}b{twos - d.bit_length() + 1}"

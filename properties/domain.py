"""What an implementation accepts, as its author declares it, and the nearest sizes that a search
can visit."""

from __future__ import annotations

from dataclasses import dataclass

WIDEST = 1024  # more channels are for judge, too
LONGEST = 8192  # longer sequences are for judge: a search over them would take hours
WIDE = 65  # channels beyond a block of 64, where the domain does not say how many it accepts
# beyond every usual chunk count: no integer case sees a fault past its last chunk
LONG = (4096, 4097)
LARGEST = 256  # state of a layer; larger ones are for judge
DEEP = 66  # state beyond a block of 64, where the domain does not say how large it gets
SEARCHED = {"lengths": LONGEST, "channels": WIDEST, "states": LARGEST}  # none above is visited


@dataclass(frozen=True)
class Domain:
    """What an implementation accepts.

    lam: "constant", "varying" or "both"; lengths, channels: the accepted numbers, None for any;
    positive: what must be above zero, "none", "lam" or "all" (lam, b and h0), as for programs that
    take logarithms. Of layers, channels are the width of u, and states the sizes of LRU's state or
    of one head; lam and positive do not apply.

    Raises:
        ValueError: an unknown word, or sizes that cannot be searched; one line naming the argument.
    """

    lam: str = "both"
    lengths: frozenset[int] | None = None
    channels: frozenset[int] | None = None
    positive: str = "none"
    states: frozenset[int] | None = None

    def __post_init__(self) -> None:
        if self.lam not in ("constant", "varying", "both"):
            raise ValueError(f"lam: found {self.lam!r}, expected constant, varying or both")
        if self.positive not in ("none", "lam", "all"):
            raise ValueError(f"positive: found {self.positive!r}, expected none, lam or all")
        for name in ("lengths", "channels", "states"):
            numbers = getattr(self, name)
            if numbers is not None and (not numbers or min(numbers) < 1):
                raise ValueError(f"{name}: found {sorted(numbers)}, expected positive numbers")
        if self.channels is not None and min(self.channels) > WIDEST:
            expected = "a number that can be searched (judge takes any)"
            raise ValueError(f"channels: found none up to {WIDEST}, expected {expected}")
        if self.lengths is not None and min(self.lengths) > LONGEST:
            expected = "one that can be searched (judge takes any length)"
            raise ValueError(f"lengths: found none up to {LONGEST}, expected {expected}")

    def accepts(self, length: int) -> bool:
        """Whether a sequence may be so long."""
        return self.lengths is None or length in self.lengths

    def long(self) -> tuple[int, ...]:
        """The LONG lengths; where the domain has neither, the next longer one, or its longest."""
        searched = sorted(n for n in self.lengths or LONG if n <= LONGEST)
        accepted = [n for n in LONG if self.accepts(n)] or [n for n in searched if n > LONG[0]][:1]
        return tuple(accepted or searched[-1:])

    def lam_kinds(self) -> tuple[bool, ...]:
        """Whether lam varies in time: the choices."""
        return {"constant": (False,), "varying": (True,), "both": (False, True)}[self.lam]


def most(accepted: frozenset[int] | None, limit: int, undeclared: int) -> int:
    """The largest number that is accepted, up to a limit."""
    return undeclared if accepted is None else max(n for n in accepted if n <= limit)


def nearest(number: int, accepted: frozenset[int] | None) -> int:
    """The accepted number that is nearest."""
    return number if accepted is None else min(accepted, key=lambda n: (abs(n - number), n))

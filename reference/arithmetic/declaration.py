"""What an implementation promises about its rounding (docs/declaration.md)."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cached_property
from typing import Any, Self

import numpy as np

from scanproof.reference.arithmetic.formats import (
    COMPONENTS,
    DTYPES,
    TF32_BITS,
    WIDER,
    Format,
    format_of,
)
from scanproof.reference.arithmetic.vocabulary import (
    ALGORITHMS,
    BRACKETINGS,
    ORDERS,
    STORES,
    UNMODELLED_ORDERS,
    word_field,
)
from scanproof.reference.arithmetic.word import Changes, one_of, word_of

# a larger factor on assumed constants would say nothing, and its bounds overflow
MOST_ASSUMED = 2.0**64
ALWAYS_SAID = ("dtype", "subnormals", "contraction", "order")  # by str(), default or not


@dataclass(frozen=True)
class Arithmetic:
    """All floating evaluations that an implementation's author allows for: the class that a verdict
    speaks about.

    Each field is a word, and its metadata say what it means; docs/declaration.md shows them all.
    What holds of one system only stands in systems.py. `dtype` may also be a `Format`, one that no
    array has: then nothing can be called, and the allowances speak about its numbers.

    Of layers: every sum of the equations (a matrix product, the scan, a sum over time) is a sum of
    its own, in any order, to which single terms such as D u may be added first; its factors may be
    multiplied in any order. A flat sum that joins two of them meets more additions and is another
    class: steps and width (a convolution with the products multiplied out), or the real and
    imaginary parts of B's rows with their width. With `accumulate`, y comes from the states before
    they are stored, unless `store` is "step".

    Raises:
        ValueError: an unknown word, naming the argument and the known ones, or two words that
            contradict each other.
    """

    dtype: str = word_field("dtype")
    subnormals: str = word_field("subnormals", "gradual")
    contraction: bool = word_field("contraction", True)
    order: str = word_field("order", "any")
    accumulate: str | None = word_field("accumulate", None)
    store: str = word_field("store", "output")
    operands: str | None = word_field("operands", None)
    rounding: str = word_field("rounding", "nearest")
    assumed: float = word_field("assumed", 1.0)
    stages: str | None = word_field("stages", None)
    adjoint: str = word_field("adjoint", "any")
    sums: str = word_field("sums", "any")
    expm: str = word_field("expm", "default")
    gain: str = word_field("gain", "expm1")

    def __post_init__(self) -> None:
        for name in ("dtype", "accumulate"):
            if name == "dtype" or self.accumulate is not None:
                object.__setattr__(self, name, _dtype_name(name, getattr(self, name)))
        self._known()
        self._consistent()

    def _known(self) -> None:
        """Raises ValueError for a value that its word does not have."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        if isinstance(self.dtype, Format):
            del found["dtype"]
        if not isinstance(self.contraction, bool):
            raise ValueError(f"contraction: found {self.contraction!r}, expected True or False")
        word, _, length = str(self.order).partition(":")
        if self.chunk is not None:
            object.__setattr__(self, "order", f"{word}:{int(length)}")
        found["order"] = f"{word}:L" if f"{word}:L" in ORDERS else self.order
        del found["accumulate"]  # what may be wider depends on the dtype
        for f in fields(self):
            known = word_of(f).known
            if known and f.name in found:
                one_of(f.name, found[f.name], known)

    def _consistent(self) -> None:
        """Raises ValueError where two words contradict each other."""
        if self.accumulate is not None:
            wider = WIDER.get(self.dtype, ())
            if self.accumulate != self.dtype and self.accumulate not in wider:
                expected = (
                    f"{' or '.join(wider)}, wider than {self.dtype}"
                    if wider
                    else f"{self.dtype}, the widest"
                )
                raise ValueError(f"accumulate: found {self.accumulate!r}, expected {expected}")
            object.__setattr__(
                self, "accumulate", None if self.accumulate == self.dtype else self.accumulate
            )
        needed = STORES[self.store]
        if needed and self.word != needed:
            raise ValueError(
                f"store: found {self.store!r} with order {self.order}, expected order {needed}"
            )
        if self.operands and COMPONENTS.get(self.inner, self.inner) != "float32":
            raise ValueError(
                f"operands: found 'tf32' with products in {self.inner}, expected float32 or "
                "complex64"
            )
        if (
            isinstance(self.assumed, bool)
            or not isinstance(self.assumed, int | float)
            or not 0 < self.assumed < MOST_ASSUMED
        ):
            raise ValueError(f"assumed: found {self.assumed!r}, expected a positive factor")

    @classmethod
    def from_words(cls, words: Mapping[str, Any]) -> Self:
        """The declaration that these words say; those that are missing are the defaults.

        Raises:
            ValueError: no mapping, an unknown word or value, no dtype, or words that contradict
                each other; one line.
        """
        names = [f.name for f in fields(cls)]
        if not isinstance(words, Mapping):
            raise ValueError(
                f"words: found {type(words).__name__}, expected a mapping over {', '.join(names)}"
            )
        unknown = [name for name in words if name not in names]
        if unknown:
            raise ValueError(f"word: found {unknown[0]!r}, expected one of {', '.join(names)}")
        needed = [f.name for f in fields(cls) if f.default is MISSING and f.name not in words]
        if needed:
            raise ValueError(f"{needed[0]}: found nothing, expected one of {', '.join(DTYPES)}")
        return cls(**words)

    def words(self) -> dict[str, Any]:
        """Gives the dtype, and every word that is not its default.

        `from_words` of the result is this declaration again.
        """
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        return {f.name: found[f.name] for f in fields(self) if found[f.name] != f.default}

    def weaker(self, features: Container[str], besides: bool = False) -> Changes:
        """Lists changes of words that admit more, the likelier first.

        `features` are those of a system. With `besides` it also lists changes that admit other
        results, neither more nor fewer.
        """
        words = sorted((word_of(f) for f in fields(self)), key=lambda found: found.rank)
        own = [found for found in words if found.feature is None or found.feature in features]
        return [words for found in own for words in found.changes(self, besides)]

    @property
    def word(self) -> str:
        """The order, with L for its chunk length."""
        word = self.order.partition(":")[0]
        return f"{word}:L" if f"{word}:L" in ORDERS else word

    @cached_property
    def chunk(self) -> int | None:
        """L of "chunked:L" and the like, None for other orders.

        Raises:
            ValueError: a chunk length that is no positive integer.
        """
        word, _, length = str(self.order).partition(":")
        if f"{word}:L" not in ORDERS:
            return None
        if not (length.isascii() and length.isdigit() and int(length) > 0):
            raise ValueError(
                f"order: found {self.order!r}, expected {word}:L with a chunk length L >= 1"
            )
        return int(length)

    @property
    def inner(self) -> str:
        """The format of products, sums and carried states."""
        return self.accumulate or self.dtype

    @property
    def bracketing(self) -> bool:
        """Whether every state is a bracketing of the scan.

        Then integer cases are exact, and carries mean something.
        """
        return self.word in BRACKETINGS

    @property
    def assumes(self) -> bool:
        """Whether the allowance of a scan rests on assumed constants (docs/classes.md)."""
        return self.word in ALGORITHMS and self.word != "scaled-cumsum"

    @property
    def unmodelled(self) -> str | None:
        """Why no allowance of a scan is known for this declaration, or None."""
        if self.order in UNMODELLED_ORDERS:
            return f"no allowance is known for order {self.order}"
        if self.word in ALGORITHMS:
            return self.plain(
                f"order {self.order}", "subnormals", "accumulate", "operands", "rounding"
            )
        return None

    def plain(self, what: str, *names: str) -> str | None:
        """Says that no allowance of `what` is known with one of these words.

        It names the first of them that is not its default, and returns None where all are.
        """
        other = [f"{name} {value}" for name, value in self.words().items() if name in names]
        return f"no allowance is known for {what} with {other[0]}" if other else None

    @property
    def coarse(self) -> bool:
        """Whether carried states keep 11 bits or less.

        A-priori bounds then say little, and integer cases decide.
        """
        carried = format_of(self.inner) if self.store == "output" else self.format
        return carried.significand_bits <= TF32_BITS or self.operands is not None

    @property
    def prints_carry(self) -> bool:
        """Whether printed states are read back, so that each window of them can be judged alone."""
        return self.store != "output"

    @property
    def is_complex(self) -> bool:
        """Whether inputs and results are complex."""
        return (
            self.format.components == 2
            if isinstance(self.dtype, Format)
            else self.dtype in COMPONENTS
        )

    @property
    def real_dtype(self) -> str:
        """The format of one component: float32 for complex64."""
        return COMPONENTS.get(self.dtype, self.dtype)

    @property
    def format(self) -> Format:
        """The format of one component of inputs and results."""
        return format_of(self.dtype)

    @property
    def omega(self) -> float:
        """The smallest normal number of inputs and results."""
        return self.format.smallest_normal

    def __str__(self) -> str:
        fused = "any contraction" if self.contraction else "no contraction"
        always = f"{self.dtype}, {self.subnormals} subnormals, {fused}, order {self.order}"
        others = self.words().items()
        said = (f"{name} {value}" for name, value in others if name not in ALWAYS_SAID)
        return ", ".join([always, *said])


def _dtype_name(argument: str, dtype: Any) -> Any:
    """The name of a format in any way that NumPy knows it; a format as it is."""
    if isinstance(dtype, str | Format):
        return dtype
    try:
        if dtype is None:
            raise TypeError
        return str(np.dtype(dtype).name)
    except (TypeError, ValueError):
        raise ValueError(
            f"{argument}: found {dtype!r}, expected one of {', '.join(DTYPES)}"
        ) from None

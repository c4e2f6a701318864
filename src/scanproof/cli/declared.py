"""From the words of the command line to a declared arithmetic."""

from __future__ import annotations

from typing import Any

from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.layer_arithmetic import LayerArithmetic
from scanproof.reference.systems import known_system, systems


def declared(system: str, words: tuple[Any, ...], layer: tuple[str, ...]) -> Arithmetic:
    """The declaration of a system; the words of layers must be left alone for a scan.

    Raises:
        ValueError: an unknown system or word, or words that do not go together.
    """
    if known_system(system) != "scan":
        return LayerArithmetic(*words, *layer)
    plain = LayerArithmetic("float32")
    for name, word in zip(("stages", "adjoint", "sums", "expm", "gain"), layer, strict=True):
        if word != getattr(plain, name):
            raise ValueError(f"{name}: found {word!r} with system {system}, expected another system: {', '.join(systems()[1:])}")
    return Arithmetic(*words)

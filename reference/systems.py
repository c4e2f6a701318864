"""The layers, one line each; what else is known of a layer stands in its own modules (docs/adding-a-system.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from types import ModuleType
from typing import Any, NamedTuple

from scanproof.reference import lru, rotrnn
from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.layer_arithmetic import LayerArithmetic, of_layer
from scanproof.reference.layers import Call

FOREIGN = ("gain", "expm", "angle-sum")  # of a layer, unless it uses them
EXPM_WORDS = ("dtype", "subnormals", "contraction", "accumulate", "operands", "rounding", "assumed", "expm")
EXPM_DTYPES = ("float32", "float64")


class LayerModule(NamedTuple):
    """A reference: its module (Params, Gradients, AXES, init, check, enter, constants, run, pull_back) and its kind.

    cases: the module of `properties` that draws its parameters; decay: the constant without which nothing is carried from step
    to step; complex_states: whether h is complex; hook: the constants that an implementation may show (docs/layers.md);
    multiple: of which the size of a state is one; uses: words that not every layer's equations have, FOREIGN.
    """

    module: ModuleType
    cases: str
    decay: str
    complex_states: bool
    hook: tuple[str, ...] = ()
    multiple: int = 1
    uses: tuple[str, ...] = ()

    @property
    def enter(self) -> Callable[..., Call]:
        entered: Callable[..., Call] = self.module.enter
        return entered

    @property
    def Params(self) -> Any:
        return self.module.Params


LAYERS: dict[str, LayerModule] = {
    "lru": LayerModule(lru, "scanproof.properties.lru", decay="lam", complex_states=True, hook=("lam", "gamma")),
    "rotrnn": LayerModule(
        rotrnn, "scanproof.properties.rotrnn", "gamma", False, ("gamma", "cos", "sin", "P", "xi"), multiple=2, uses=FOREIGN
    ),
}


def systems() -> tuple[str, ...]:
    """Everything that can be judged: the bare scan, the layers, and the matrix exponential of skew matrices."""
    return ("scan", *LAYERS, "expm")


def known_system(system: str) -> str:
    """The name itself. Raises ValueError for an unknown one, which lists the known."""
    if system not in systems():
        raise ValueError(f"system: found {system!r}, expected one of {', '.join(systems())}")
    return system


def declared(system: str, arithmetic: Arithmetic) -> Arithmetic:
    """The declaration in full: of layers and of expm a LayerArithmetic.

    Raises:
        ValueError: a word that says nothing of this system, or a format that it does not have.
    """
    if known_system(system) == "scan":
        return arithmetic
    full = of_layer(arithmetic)
    unused = [word for word in FOREIGN if system not in LAYERS or word not in LAYERS[system].uses]
    for f in fields(LayerArithmetic):
        found = getattr(full, f.name)
        foreign = f.name not in EXPM_WORDS if system == "expm" else f.name in unused or found in unused
        if foreign and found != f.default:
            raise ValueError(f"{f.name}: found {found} with system {system}, which has no such choice, expected {f.default}")
    if system == "expm" and full.dtype not in EXPM_DTYPES:
        raise ValueError(f"dtype: found {full.dtype} with system expm, expected {' or '.join(EXPM_DTYPES)}")
    return full

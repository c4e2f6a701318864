"""The layers, one line each; what else is known of a layer stands in its own modules (docs/adding-a-system.md)."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

from scanproof.reference import lru, rotrnn
from scanproof.reference.layers import Call


class LayerModule(NamedTuple):
    """A reference: its module (Params, Gradients, AXES, init, check, enter, constants, run, pull_back) and its kind.

    cases: the module of `properties` that draws its parameters; decay: the constant without which nothing is carried from step
    to step; complex_states: whether h is complex; hook: the constants that an implementation may show (docs/layers.md);
    multiple: of which the size of a state is one; uses: words of LayerArithmetic that not every layer's equations have.
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
        rotrnn, "scanproof.properties.rotrnn", "gamma", False, ("gamma", "cos", "sin", "P", "xi"), 2, ("gain", "expm")
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

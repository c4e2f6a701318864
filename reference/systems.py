"""The systems, one line each, and what a declaration means for each (docs/adding-a-system.md, docs/declaration.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields
from types import ModuleType
from typing import Any, NamedTuple

from scanproof.reference import lru, rotrnn
from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.layers import Call
from scanproof.reference.rules import unmodelled_in_layers
from scanproof.reference.vocabulary import WORDS
from scanproof.reference.word import Changes, word_of

EXPM_DTYPES = ("float32", "float64")


class LayerModule(NamedTuple):
    """A reference: its module (Params, Gradients, AXES, init, check, enter, constants, run, pull_back) and its kind.

    cases: the module of `properties` that draws its parameters; decay: the constant without which nothing is carried from step
    to step; complex_states: whether h is complex; hook: the constants that an implementation may show (docs/layers.md);
    multiple: of which the size of a state is one; uses: what not every layer's equations have, the features "gain" and "expm" of
    words, and the order "angle-sum".
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
        rotrnn,
        "scanproof.properties.rotrnn",
        decay="gamma",
        complex_states=False,
        hook=("gamma", "cos", "sin", "P", "xi"),
        multiple=2,
        uses=("gain", "expm", "angle-sum"),
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


def features(system: str) -> frozenset[str]:
    """What this system has of what words may speak about (word.Word.feature)."""
    if known_system(system) == "scan":
        return frozenset({"states"})
    return frozenset({"states", "layer", *LAYERS[system].uses}) if system in LAYERS else frozenset({"expm"})


def speaks(system: str, name: str) -> bool:
    """Whether a word of the declaration, by its name, says anything of this system."""
    feature = WORDS[name].feature
    return feature is None or feature in features(system)


def declared(system: str, arithmetic: Arithmetic) -> Arithmetic:
    """The declaration itself, if it is one of this system.

    Raises:
        ValueError: an unknown system, a word that says nothing of it, or a format that it does not have.
    """
    if known_system(system) != "scan" and arithmetic.is_complex:
        found = f"dtype: found {arithmetic.dtype}"
        raise ValueError(f"{found}, expected float16, bfloat16, float32 or float64, that of the parameters")
    for f in fields(Arithmetic):
        found = getattr(arithmetic, f.name)
        foreign = not speaks(system, f.name) or (f.name == "order" and found in _orders_without(system))
        if foreign and found != f.default:
            expected = "nothing declared" if f.default is None else f.default
            raise ValueError(f"{f.name}: found {found} with system {system}, which has no such choice, expected {expected}")
    if arithmetic.assumed != 1 and not assumes(system, arithmetic):
        found = f"assumed: found {arithmetic.assumed!r} with order {arithmetic.order}"
        raise ValueError(f"{found}, expected 1: nothing is assumed there")
    if system == "expm" and arithmetic.dtype not in EXPM_DTYPES:
        raise ValueError(f"dtype: found {arithmetic.dtype} with system expm, expected {' or '.join(EXPM_DTYPES)}")
    return arithmetic


def _orders_without(system: str) -> tuple[str, ...]:
    """Orders that this layer's equations have no use for."""
    return ("angle-sum",) if system in LAYERS and "angle-sum" not in LAYERS[system].uses else ()


def assumes(system: str, arithmetic: Arithmetic) -> bool:
    """Whether the allowance rests on assumed constants of elementary functions (docs/classes.md, docs/constants.md)."""
    return known_system(system) != "scan" or arithmetic.assumes


def unmodelled(system: str, arithmetic: Arithmetic) -> str | None:
    """Why no allowance is known for this declaration, or None."""
    if known_system(system) == "scan":
        return arithmetic.unmodelled
    if system in LAYERS:
        return unmodelled_in_layers(arithmetic)
    return arithmetic.plain("the matrix exponential", "accumulate", "operands", "rounding")


def weaker(system: str, arithmetic: Arithmetic) -> Changes:
    """Changes of words that admit more, the likelier first; of expm, only the class of the constant is known to differ."""
    changes = arithmetic.weaker(features(system))
    return [words for words in changes if "expm" in words] if system == "expm" else changes


def table() -> str:
    """The words of the declaration as a Markdown table, for docs/declaration.md."""
    rows = ["| word | default | values | systems | what it says |", "|---|---|---|---|---|"]
    for f in fields(Arithmetic):
        told = word_of(f)
        default = "" if f.default is MISSING else "undeclared" if f.default is None else f"`{_shown(f.default)}`"
        values = ", ".join(f"`{_shown(value)}`" for value in told.known if value is not None) or "a positive factor"
        having = [system for system in systems() if speaks(system, f.name)]
        named = "all" if len(having) == len(systems()) else ", ".join(having)
        rows.append(f"| `{f.name}` | {default} | {values} | {named} | {told.help} |")
    return "\n".join(rows) + "\n"


def _shown(value: object) -> str:
    """A value as the command line has it."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)

"""The golden cases of the toy attention."""

from typing import Any

from toy import gated, gated_room

from scanproof.golden.collection import Collection, Recipe
from scanproof.golden.drawing import Draw
from scanproof.golden.recipes.layers import CLASSES, SIZE
from scanproof.properties.results import received


def call(d: Draw, time: int, gradients: bool = False, **more: Any) -> Any:
    """Random numbers, one head, gates from 0.37 to 1."""
    shape = (1, time, 1)
    given = {name: d.numbers((*shape, 2), SIZE) for name in "qkv"}
    given |= {"g": d.cast(d.uniform(shape, -1, 0))} | more
    return given | ({"o_bar": d.numbers((*shape, 2), SIZE)} if gradients else {})


COLLECTION = Collection(
    system=gated.SYSTEM,
    recipes=(
        Recipe("gated-dense", ("float32",), "random numbers: gates and their products",
               lambda d: call(d, 3)),
        Recipe("gated-gradients", ("float32",), "cotangents of everything, backwards",
               lambda d: call(d, 2, gradients=True, reverse=True)),
    ),
    second=lambda call: received(gated_room.honest(**call.keywords()), gated.SYSTEM),
    classes=CLASSES,
)  # fmt: skip

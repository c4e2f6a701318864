"""The golden cases of the toy layer."""

from typing import Any

from toy import leaky, leaky_room

from scanproof.golden.collection import Collection, Recipe
from scanproof.golden.drawing import Draw
from scanproof.golden.recipes.layers import CLASSES, HALF, SIZE
from scanproof.properties.results import received


def call(d: Draw, time: int, state: int = 2, width: int = 2, gradients: bool = False) -> Any:
    """Random numbers, decays from 0.28 to 0.75."""
    given = {
        "rate_log": d.cast(d.uniform((state,), *HALF)),
        "B": d.numbers((state, width), SIZE),
        "C": d.numbers((width, state), SIZE),
        "u": d.numbers((1, time, width), SIZE),
    }
    return given | ({"y_bar": d.numbers((1, time, width), SIZE)} if gradients else {})


COLLECTION = Collection(
    system=leaky.SYSTEM,
    recipes=(
        Recipe("leaky-dense", ("float32",), "random numbers: the carry", lambda d: call(d, 3)),
        Recipe("leaky-gradients", ("float32",), "cotangents of everything",
               lambda d: call(d, 2, gradients=True)),
    ),
    second=lambda call: received(leaky_room.honest(**call.keywords()), leaky.SYSTEM),
    classes=CLASSES,
)  # fmt: skip

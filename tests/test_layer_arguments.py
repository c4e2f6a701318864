"""Anything at all in place of any argument of the references' public functions: one line that names the argument."""

import dataclasses

import numpy as np
import pytest

from scanproof.reference import lru, rotrnn

ANYTHING = [None, "text", b"x", [1.0], (), {}, 3.5, 1j, object(), np.ones(()), np.ones((1,) * 4), np.ones((2, 2), int), np.array([None])]
MEANT = ("h0", "dtype", "C2")  # where None means something
U, Y_BAR, U_T = np.ones((5, 3)), np.ones((5, 3)), np.ones(3)
LAYERS = {lru: (np.zeros(4), {"state": 4}), rotrnn: (np.zeros((2, 4)), {"heads": 2, "head_dim": 4})}  # h0, sizes
DRAWN = {lru: ("state", "ring", "C_std"), rotrnn: ("heads", "head_dim", "variant")}


def drawn(layer, **words):
    return layer.init(**{"rng": np.random.default_rng(0), "width": 3, **LAYERS[layer][1], **words})


def calls(layer):
    """Every argument, and what may be called with x in its place."""
    h0, p, two = LAYERS[layer][0], drawn(layer), drawn(layer, bidirectional=True)
    found = {
        "params": [lambda x: layer.forward(x, U), lambda x: layer.vjp(x, U, Y_BAR), lambda x: layer.step(x, h0, U_T)],
        "u": [lambda x: layer.forward(p, x), lambda x: layer.vjp(p, x, Y_BAR)],
        "u_t": [lambda x: layer.step(p, h0, x)],
        "y_bar": [lambda x: layer.vjp(p, U, x)],
        "h0": [lambda x: layer.forward(p, U, x), lambda x: layer.vjp(p, U, Y_BAR, x), lambda x: layer.step(p, x, U_T)],
        "reverse": [lambda x: layer.forward(p, U, None, x), lambda x: layer.vjp(p, U, Y_BAR, None, x)],
    }
    named = ("rng", "dtype", "width", "bidirectional", *DRAWN[layer])
    found |= {name: [lambda x, name=name: drawn(layer, **{name: x})] for name in named}
    fields = [f.name for f in dataclasses.fields(layer.Params)]
    return found | {name: [lambda x, name=name: layer.forward(dataclasses.replace(two, **{name: x}), U)] for name in fields}


@pytest.mark.parametrize(("layer", "argument"), [(layer, argument) for layer in LAYERS for argument in calls(layer)])
def test_anything_else_is_refused_in_one_line_that_names_the_argument(layer, argument):
    for call in calls(layer)[argument]:
        for x in ANYTHING[argument in MEANT :]:
            with pytest.raises((TypeError, ValueError), match=r"^[^\n]*: found [^\n]*, expected [^\n]*$") as error:
                call(x)
            found = str(error.value).partition(":")[0]
            assert found == argument or (argument, found) == ("u_t", "u"), error.value

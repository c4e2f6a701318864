"""Anything at all in place of any argument of the references' public functions: one line that names the argument."""

import dataclasses
import re

import numpy as np
import pytest

from scanproof.reference import initialise, lru, rotrnn

ANYTHING = [None, "text", b"x", [1.0], (), {}, 3.5, 1j, object(), np.ones(()), np.ones((1,) * 4), np.ones((2, 2), int), np.array([None])]
MEANT = ("h0", "dtype", "C2")  # where None means something
U, Y_BAR, U_T = np.ones((5, 3)), np.ones((5, 3)), np.ones(3)
LAYERS = {lru: (np.zeros(4), {"state": 4}), rotrnn: (np.zeros((2, 4)), {"heads": 2, "head_dim": 4})}  # h0, sizes
RNG, A = np.random.default_rng(0), initialise.ROTATIONS["A"]
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


@pytest.mark.parametrize(
    ("init", "told"),
    [
        (lambda: lru.init(RNG, 4, 2, initialise.Ring(0.9, 0.5, 1.0)), "r_min, r_max: found 0.9 and 0.5, expected 0 <= low <= high <= 1"),
        (lambda: lru.init(RNG, 4, 2, initialise.Ring(0.0, 1.5, 1.0)), "r_min, r_max: found 0.0 and 1.5, expected 0 <= low"),
        (lambda: lru.init(RNG, 4, 2, initialise.Ring(0.0, 1.0, -1.0)), "max_phase: found -1.0, expected a positive number"),
        (lambda: rotrnn.init(RNG, 1, 2, 2, A._replace(gamma="foo")), "gamma: found 'foo', expected log-log or ring"),
        (lambda: rotrnn.init(RNG, 1, 2, 2, A._replace(gamma_min=1.2)), "gamma_min, gamma_max: found 1.2 and 0.999, expected 0 < low"),
    ],
)
def test_variants_that_are_none(init, told):
    with pytest.raises(ValueError, match=f"^{re.escape(told)}"):
        init()


@pytest.mark.parametrize(("name", "value", "noted"), [("nu_log", -np.inf, True), ("nu_log", np.inf, False), ("gamma_log", -np.inf, False)])
def test_only_the_logarithm_of_zero_is_called_so(name, value, noted):
    params = lru.init(np.random.default_rng(0), 4, 2)
    getattr(params, name)[1] = value
    with pytest.raises(ValueError, match=f"^{name}: found {value} at index") as error:
        lru.check(params)
    assert ("2^-24" in str(error.value)) is noted

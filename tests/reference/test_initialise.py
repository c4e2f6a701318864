"""Initialisers: anything at all in place of any argument is one line that names it, and so are variants that are none."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from scanproof.reference import initialise
from scanproof.reference.systems import lru, rotrnn

ANYTHING = ["text", b"x", [1.0], (), {}, 3.5, 1j, object(), np.ones(()), np.ones((1,) * 4), np.array([None])]
SIZES = {lru: {"state": 4}, rotrnn: {"heads": 2, "head_dim": 4}}
DRAWN = {lru: ("state", "ring", "C_std"), rotrnn: ("heads", "head_dim", "variant")}
ARGUMENTS = [(layer, name) for layer, own in DRAWN.items() for name in ("rng", "dtype", "width", "bidirectional", *own)]
RNG, A = np.random.default_rng(0), initialise.ROTATIONS["A"]


@pytest.mark.parametrize(("layer", "argument"), ARGUMENTS)
def test_anything_else_is_refused_in_one_line_that_names_the_argument(layer, argument):
    for x in ANYTHING + ([] if argument == "dtype" else [None, np.ones((2, 2), int)]):
        words = {"rng": np.random.default_rng(0), "width": 3, **SIZES[layer], argument: x}
        with pytest.raises((TypeError, ValueError), match=rf"^{argument}: found [^\n]*, expected [^\n]*$"):
            layer.init(**words)


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


def test_only_a_logarithm_of_zero_is_blamed_on_the_draw():
    for value, ending in ((-np.inf, "; draw again"), (np.nan, "expected a finite number")):
        with pytest.raises(ValueError, match=r"^nu_log: found .* at index \(1,\)") as error:
            initialise.check_finite(SimpleNamespace(nu_log=np.array([0.0, value]), C2_re=None))
        assert str(error.value).endswith(ending)

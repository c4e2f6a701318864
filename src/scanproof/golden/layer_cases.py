"""The recipes of the published cases of layers: one line a case family, fixed seeds (the slug and the dtype).

As in cases.py. Every float format has a sparse case, long sequences pass 16, which is where chunks end, and gradients are short.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from scanproof.golden.layer_drawing import NEAR_ONE, LayerDraw
from scanproof.properties.layer_calls import LayerCall

B, R, D = "bfloat16", "float32", "float64"


class LayerRecipe(NamedTuple):
    """A slug that begins with the system, the dtypes it is made for, which bugs it finds, and how the call is drawn."""

    slug: str
    dtypes: tuple[str, ...]
    purpose: str
    draw: Callable[[LayerDraw], LayerCall]


LRU = (
    LayerRecipe("lru-one-step", (R, D), "one step with h0, two sequences: lam h0 + gamma B u, and what y makes of it",
                lambda d: d.call(d.lru(), 1, batch=2, h0=True)),
    LayerRecipe("lru-impulse", (R, D), "one input and sparse B and C: y shows the powers of lam, conjugated or not",
                lambda d: d.call(d.lru(sparse=True), 18, impulse=1)),
    LayerRecipe("lru-dense", (R, D), "random numbers, one step more than a chunk of 16: gamma, B, C, D, the carry",
                lambda d: d.call(d.lru(), 17)),
    LayerRecipe("lru-near-one", (R, D), "|lam| just below 1, sparse B and C: nothing is forgotten, faults in carries stay",
                lambda d: d.call(d.lru(width=1, state=2, decay=NEAR_ONE, sparse=True), 33)),
    LayerRecipe("lru-reverse", (R, D), "from the last step to the first, with h0 after the last",
                lambda d: d.call(d.lru(state=2), 7, h0=True, reverse=True)),
    LayerRecipe("lru-directions", (R, D), "two directions over the inputs: C2, and which one is flipped",
                lambda d: d.call(d.lru(both=True), 5)),
    LayerRecipe("lru-batch", (R, D), "three sequences of two steps: mixed rows, exchanged axes",
                lambda d: d.call(d.lru(), 2, batch=3)),
    LayerRecipe("lru-gradients", (R, D), "cotangents of all parameters, of u and of h0",
                lambda d: d.call(d.lru(), 9, h0=True, gradients=True)),
    LayerRecipe("lru-gradients-reverse", (R, D), "cotangents from the last step to the first, in one direction",
                lambda d: d.call(d.lru(state=2), 5, h0=True, reverse=True, gradients=True)),
    LayerRecipe("lru-gradients-directions", (R, D), "cotangents in two directions, each with its h0, two sequences, reverse",
                lambda d: d.call(d.lru(state=2, both=True), 3, batch=2, h0=True, reverse=True, gradients=True)),
    LayerRecipe("lru-16-bit", (B,), "stored in 16 bits, accumulated in float32: sparse B and C",
                lambda d: d.call(d.lru(sparse=True), 6)),
)  # fmt: skip
ROTRNN = (
    LayerRecipe("rotrnn-one-step", (R, D), "one step with h0, two sequences: gamma A h0 + xi B u, and what y makes of it",
                lambda d: d.call(d.rotrnn(), 1, batch=2, h0=True)),
    LayerRecipe("rotrnn-impulse", (R, D), "one input, P = I, sparse B and C: y shows the turns of adjacent pairs, not of halves",
                lambda d: d.call(d.rotrnn(heads=1, sparse=True), 18, impulse=1)),
    LayerRecipe("rotrnn-dense", (R, D), "two heads of size 4, one step more than a chunk of 16: P, xi, C by heads, the carry",
                lambda d: d.call(d.rotrnn(), 17)),
    LayerRecipe("rotrnn-identity", (R, D), "M symmetric, so that P = I, and h0: the angles and gamma, without the exponential",
                lambda d: d.call(d.rotrnn(heads=1, symmetric=True), 9, h0=True)),
    LayerRecipe("rotrnn-near-one", (R, D), "gamma just below 1, sparse B and C: 1 - gamma^2 that cancels, faults in carries",
                lambda d: d.call(d.rotrnn(width=1, heads=1, head_dim=2, decay=NEAR_ONE, sparse=True), 33)),
    LayerRecipe("rotrnn-reverse", (R, D), "from the last step to the first, with h0 after the last",
                lambda d: d.call(d.rotrnn(heads=1), 7, h0=True, reverse=True)),
    LayerRecipe("rotrnn-directions", (R, D), "two directions over the inputs: C2, and which one is flipped",
                lambda d: d.call(d.rotrnn(heads=1, both=True), 5)),
    LayerRecipe("rotrnn-batch", (R, D), "three sequences of two steps: mixed rows, exchanged axes",
                lambda d: d.call(d.rotrnn(heads=1), 2, batch=3)),
    LayerRecipe("rotrnn-gradients", (R, D), "cotangents of all parameters, through P and xi too, of u and of h0",
                lambda d: d.call(d.rotrnn(), 8, h0=True, gradients=True)),
    LayerRecipe("rotrnn-gradients-reverse", (R, D), "cotangents from the last step to the first, in one direction",
                lambda d: d.call(d.rotrnn(heads=1), 5, h0=True, reverse=True, gradients=True)),
    LayerRecipe("rotrnn-gradients-directions", (R, D), "cotangents in two directions, each with its h0, two sequences, reverse",
                lambda d: d.call(d.rotrnn(heads=1, both=True), 3, batch=2, h0=True, reverse=True, gradients=True)),
    LayerRecipe("rotrnn-16-bit", (B,), "stored in 16 bits, accumulated in float32: P = I, sparse B and C",
                lambda d: d.call(d.rotrnn(heads=1, sparse=True), 6)),
)  # fmt: skip
LAYER_RECIPES = {"lru": LRU, "rotrnn": ROTRNN}

"""Every version of a layer that the suite is shown: published code, and layers with one fault each.

What is expected of a version speaks of the map that it computes, in exact arithmetic:

    accepted                             the model's values for the model's parameters
    accepted after re-parameterisation   not so, but version(reparameterisation(params)) has the
                                         values of model(params)
    rejected                             other values, or no values of the output's shape

A fault is rejected as it stands, even where other parameters would undo it. How well a version
rounds is another matter: an accepted one may still be `outside` in floats, where it is written
badly (1 - gamma^2 in float32 from gamma = 0.9999 on). Values means outputs and states: gradients of
a re-parameterised version are those of its own parameters, so it offers none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from scanproof.properties.versions import lru
from scanproof.properties.versions import rotrnn as rot
from scanproof.properties.versions.plain_lru import Lru
from scanproof.properties.versions.plain_rotrnn import RotRnn

ACCEPTED, AFTER, REJECTED = EXPECTED = "accepted", "accepted after re-parameterisation", "rejected"
PAPER = "Orvieto et al. 2023, arXiv 2303.06349, listing; minimal-LRU"
AUTHORS = "authors' code of RotRNN, arXiv 2407.07239, version "
GOTHOS, BOJONE, GRIFFIN = (
    "Gothos/LRU-pytorch",
    "bojone/rnn",
    "google-deepmind/recurrentgemma, its RG-LRU",
)
OURS = "ours: a fault that implementations have"


class Version(NamedTuple):
    """One implementation by the adapter contract, where its behaviour is from, and what the suite
    should say of it."""

    name: str
    system: str  # "lru" or "rotrnn"
    provenance: str
    behaviour: str
    implementation: Callable[..., Any]
    expected: str  # one of EXPECTED
    reparameterisation: Callable[[Any], Any] | None = None  # Params -> Params of the same system


def _fault(name: str, behaviour: str, layer: Lru | RotRnn) -> Version:
    system = "lru" if isinstance(layer, Lru) else "rotrnn"
    return Version(f"{system}-{name}", system, OURS, behaviour, layer, REJECTED)


ROTRNN = (
    Version(
        "rotrnn-plain",
        "rotrnn",
        "ours: the equations",
        "the layer with all its gradients",
        RotRnn(),
        ACCEPTED,
    ),
    Version(
        "rotrnn-A",
        "rotrnn",
        AUTHORS + "A (layer of one sequence)",
        "P^T B u, P s: as intended. Its two directions raise an error, so C2 is not offered",
        rot.one_direction(RotRnn()),
        ACCEPTED,
    ),
    Version(
        "rotrnn-A-one-minus-square",
        "rotrnn",
        AUTHORS + "A",
        "1 - gamma^2 as written: the same number, but cancelling near gamma = 1",
        rot.one_direction(rot.OneMinusSquare()),
        ACCEPTED,
    ),
    Version(
        "rotrnn-interleaved",
        "rotrnn",
        AUTHORS + "A as intended, C and D",
        "features [head 1 forwards, head 1 backwards, head 2 forwards, ...] times [C | C2]: equal "
        "with [C | C2] relabelled",
        rot.two_directions(rot.Interleaved()),
        AFTER,
        rot.relabelled,
    ),
    Version(
        "rotrnn-B",
        "rotrnn",
        AUTHORS + "B (plain functions)",
        "P B u, P s: its states x_t = gamma P Theta P^T x_{t-1} + xi P^2 B u_t are the model's "
        "when it is given P^-2 B",
        rot.states_only,
        AFTER,
        rot.turned_B,
    ),
    Version(
        "rotrnn-B-as-output",
        "rotrnn",
        AUTHORS + "B (plain functions)",
        "an early return hands out the states, (heads, time, head_dim) of a sequence; C and D are "
        "never reached",
        rot.states_for_y,
        REJECTED,
    ),
    Version(
        "rotrnn-C",
        "rotrnn",
        AUTHORS + "C (SimpleRotRNN)",
        "P B u, P s, as version B: the model when it is given P^-2 B",
        rot.one_direction(rot.BothP()),
        AFTER,
        rot.turned_B,
    ),
    Version(
        "rotrnn-C-two-directions",
        "rotrnn",
        AUTHORS + "C (SimpleRotRNN)",
        "a cascade: the second direction scans the states of the first, so that each of its states "
        "sees the whole sequence",
        rot.two_directions(rot.Cascade()),
        REJECTED,
    ),
    Version(
        "rotrnn-D",
        "rotrnn",
        AUTHORS + "D (layer of a batch), called with one sequence at a time",
        "P B u, P^T s, exp(theta): the model when it is given -M, log theta and, for two "
        "directions, [C | C2] relabelled",
        rot.each_of_batch,
        AFTER,
        rot.for_transposed,
    ),
    Version(
        "rotrnn-D-batch",
        "rotrnn",
        AUTHORS + "D (layer of a batch)",
        "returns y[0]: the outputs of the first element of the batch only",
        rot.first_of_batch,
        REJECTED,
    ),
    _fault("without-xi", "B u is not normalised by xi", rot.NoXi()),
    _fault("without-gamma", "the recurrence has no decay", rot.NoDecay()),
    _fault("without-skip", "y lacks D u", rot.NoSkip()),
    _fault(
        "sign-of-S",
        "P = expm(M^T - M): the map of version D, offered for the parameters of the model",
        rot.SignOfS(),
    ),
    _fault(
        "tiled-angles",
        "each angle lies on single coordinates in turn, not on both of its pair",
        rot.TiledAngles(),
    ),
    _fault("halves", "rotates coordinates i and i + N/2 instead of adjacent ones", rot.Halves()),
    _fault("off-by-one", "reads the states before each step", rot.RotOffByOne()),
    _fault("drops-carry", "drops the carry every 16 steps", rot.RotDropsCarry()),
    _fault("scales-carry", "multiplies the carry by 1 + 1e-5 every 16 steps", rot.RotScalesCarry()),
    _fault("gradient-M", "the gradient of M is not made skew", rot.MGradientNotSkew()),
    _fault(
        "gradient-B", "the gradient of B lacks what B does through xi", rot.BGradientWithoutXi()
    ),
    _fault("gradient-theta", "the gradient of theta has the wrong sign", rot.ThetaGradientSign()),
    _fault(
        "gradient-h0",
        "the gradient of h0 lacks the last step, gamma Theta^T",
        rot.StartGradientWithoutStep(),
    ),
)
LRU = (
    Version(
        "lru-plain",
        "lru",
        "ours: the equations",
        "the layer with all its gradients",
        Lru(),
        ACCEPTED,
    ),
    Version(
        "lru-paper",
        "lru",
        PAPER,
        "gamma learned, on the rows of B; D a vector",
        lru.one_direction(Lru()),
        ACCEPTED,
    ),
    Version(
        "lru-recomputed-gamma",
        "lru",
        "LRU in the authors' code of RotRNN",
        "gamma = sqrt(1 - |lam|^2) in every call, no parameter: the model when it is given gamma / "
        "sqrt(1 - |lam|^2) B",
        lru.two_directions(lru.RecomputedGamma()),
        AFTER,
        lru.gamma_into_B,
    ),
    Version(
        "lru-pytorch",
        "lru",
        GOTHOS,
        "D a dense matrix, here the diagonal one",
        lru.one_direction(lru.DenseSkip()),
        ACCEPTED,
    ),
    Version(
        "lru-pytorch-state",
        "lru",
        GOTHOS,
        "a passed state is used for the first element of the batch and is zero for the others",
        lru.StateOfFirstOnly(),
        REJECTED,
    ),
    Version(
        "lru-bojone",
        "lru",
        BOJONE + ", with the skip that it leaves to its caller",
        "real dense layers (no biases here) with Re and Im as even and odd outputs, gamma after a "
        "scan by recursive doubling, "
        "lam^k = exp(k log lam)",
        lru.one_direction(lru.RealDense()),
        ACCEPTED,
    ),
    Version(
        "lru-bojone-no-skip",
        "lru",
        BOJONE,
        "y = Re(C h) without D u",
        lru.one_direction(lru.RealDenseNoSkip()),
        REJECTED,
    ),
    Version(
        "lru-twice-real",
        "lru",
        "the convention of S4D and S5",
        "y = 2 Re(C h) + D u: the model when it is given C / 2",
        lru.two_directions(lru.TwiceReal()),
        AFTER,
        lru.halved_C,
    ),
    Version(
        "lru-real-accumulation",
        "lru",
        GRIFFIN + " with a complex state",
        "with a supplied initial state every imaginary part is dropped; without one it is right",
        lru.RealAccumulation(),
        REJECTED,
    ),
    _fault("without-gamma", "B u is not multiplied by gamma", lru.NoGamma()),
    _fault("conjugated", "uses the conjugate of lam", lru.ConjugatedLam()),
    _fault("without-skip", "y lacks D u", lru.NoSkip()),
    _fault("real-before-C", "y = Re(C Re(h)) + D u", lru.RealBeforeC()),
    _fault("off-by-one", "reads the states before each step", lru.LruOffByOne()),
    _fault("drops-carry", "drops the carry every 16 steps", lru.LruDropsCarry()),
    _fault("scales-carry", "multiplies the carry by 1 + 1e-5 every 16 steps", lru.LruScalesCarry()),
    _fault(
        "gradient-theta", "the gradient of theta_log has the wrong sign", lru.ThetaGradientSign()
    ),
    _fault(
        "gradient-h0",
        "the gradient of h0 lacks the last step, conj(lam)",
        lru.StartGradientWithoutLam(),
    ),
)
VERSIONS = ROTRNN + LRU

"""One call of a layer: the adapter contract, and the form of what comes back.

An implementation takes keywords named as the fields of the reference's Params (C2 only where there are two directions), u,
and, if its signature has them, h0, reverse and y_bar. It returns y, or a mapping over

    y         outputs                                            (batch, time, width)
    h         all states                                         (batch, time, [2,] state...)
    h_last    the states after the last step of each direction   (batch, [2,] state...)
    grads     mapping of parameter names, "u" and "h0" to cotangents, each shaped like what it belongs to
    constants mapping of what the layer was computed with: lam and gamma, or gamma, cos, sin, P and xi, as in the reference's
              Constants; then these are judged, and y and h as they follow from them

Inside Scanproof, results are one flat mapping with "gradient NAME" and "constant NAME" for the last two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from scanproof.reference.arithmetic import Arithmetic
from scanproof.reference.inputs import Array
from scanproof.reference.layers import Call, mapped
from scanproof.reference.systems import LAYERS, LayerModule

RESULTS = ("y", "h", "h_last", "grads", "constants")
GROUPS = {"grads": "gradient", "constants": "constant"}
NATIVE = ("float16", "float32", "float64")  # that NumPy computes in, and so may refuse what float64 would not
COMPLEX = {"float64": "complex128"}  # of other real formats complex64


@dataclass(frozen=True, eq=False)
class LayerCall:
    """Arguments of one call of a layer: u (batch, time, width), the others as in the reference's `vjp`."""

    system: str
    params: Any
    u: Array
    h0: Array | None = None
    reverse: bool = False
    y_bar: Array | None = None

    @property
    def layer(self) -> LayerModule:
        return LAYERS[self.system]

    @property
    def named(self) -> dict[str, Array]:
        """The parameters that there are."""
        return {f.name: getattr(self.params, f.name) for f in fields(self.params) if getattr(self.params, f.name) is not None}

    @property
    def required(self) -> frozenset[str]:
        """Keywords without which nothing can be called."""
        return frozenset(f.name for f in fields(self.params) if f.default is MISSING) | {"u"}

    @cached_property
    def entered(self) -> Call:
        """Checked and in float64, which holds them, as the arguments look inside the layer. Raises in one line."""
        u, h0, y_bar = (_wide(x) for x in (self.u, self.h0, self.y_bar))
        if self.layer.complex_states and isinstance(h0, np.ndarray):
            h0 = h0.astype(np.complex128)  # real states are complex ones too
        return self.layer.enter(self.wide, u, h0, y_bar)

    @cached_property
    def wide(self) -> Any:
        """The parameters in float64."""
        return mapped(self.params, _wide)

    def keywords(self) -> dict[str, Any]:
        """As an implementation is called: copies, and only the optional arguments that are used."""
        optional = {"h0": self.h0, "y_bar": self.y_bar}
        given = self.named | {"u": self.u} | {name: x for name, x in optional.items() if x is not None}
        copies: dict[str, Any] = {name: x.copy() for name, x in given.items()}
        return copies | ({"reverse": True} if self.reverse else {})

    def described(self) -> str:
        """Its shapes, in one line."""
        optional = [name for name in ("h0", "y_bar") if getattr(self, name) is not None] + ["reverse"] * self.reverse
        sizes = ", ".join(f"{name} {x.shape}" for name, x in (self.named | {"u": self.u}).items())
        return sizes + (f" with {' and '.join(optional)}" if optional else "")

    def expected(self, arithmetic: Arithmetic) -> dict[str, tuple[tuple[int, ...], str]]:
        """Shape and dtype of every result."""
        real, states = arithmetic.dtype, arithmetic.dtype
        if self.layer.complex_states:
            states = COMPLEX.get(real, "complex64")
        call, time = self.entered, self.u.shape[1]
        h0 = call.border.leave(call.h0, 1).shape
        named: dict[str, Array] = self.named | {"u": self.u}
        found = {"y": (self.u.shape, real), "h": ((h0[0], time, *h0[1:]), states), "h_last": (h0, states)}
        found |= {f"gradient {name}": (x.shape, real) for name, x in named.items()}
        return found | {"gradient h0": (h0, states)}

    def expected_constants(self, arithmetic: Arithmetic) -> dict[str, tuple[tuple[int, ...], str]]:
        """Shape and dtype of every constant that may be shown."""
        k, real = self.layer.module.constants(self.wide), arithmetic.dtype
        complex_ = COMPLEX.get(real, "complex64")
        shown = {name: getattr(k, name) for name in self.layer.hook}
        return {f"constant {name}": (x.shape, complex_ if np.iscomplexobj(x) else real) for name, x in shown.items()}


def checked_layer(
    system: str, dtype: str, params: Any, u: Any, h0: Any = None, reverse: Any = False, y_bar: Any = None
) -> LayerCall:
    """A call whose arguments fit each other and the declared dtype.

    Raises:
        TypeError, ValueError: one line naming the argument, what was found and what was expected.
    """
    if isinstance(params, Mapping):
        params = _params(system, params)
    if not isinstance(params, LAYERS[system].Params):
        raise TypeError(f"params: found {type(params).__name__}, expected reference.{system}.Params or a mapping of its fields")
    if not isinstance(reverse, bool | np.bool_):
        raise TypeError(f"reverse: found {reverse!r}, expected True or False")
    call = LayerCall(system, params, u, h0, bool(reverse), y_bar)
    for name, x in (call.named | {"u": u, "y_bar": y_bar, "h0": h0}).items():
        allowed = (dtype, COMPLEX.get(dtype, "complex64")) if name == "h0" and call.layer.complex_states else (dtype,)
        if isinstance(x, np.ndarray) and x.dtype.name not in allowed:
            raise TypeError(f"{name}: found dtype {x.dtype.name}, expected {' or '.join(allowed)}, the declared arithmetic")
        if np.size(x) == 0:
            raise ValueError(f"{name}: found shape {np.shape(x)}, expected no empty axis")
    if np.ndim(u) == 2 and isinstance(u, np.ndarray):
        raise ValueError(f"u: found shape {u.shape}, expected (batch, time, width)")
    call.entered  # noqa: B018  checks shapes and values
    with np.errstate(all="ignore"):
        call.layer.module.constants(call.params if dtype in NATIVE else call.wide)  # gamma between 0 and 1, a trace to divide by
    return call


def _params(system: str, named: Mapping[str, Any]) -> Any:
    kind = LAYERS[system].Params
    needed = {f.name: f.default is MISSING for f in fields(kind)}
    wrong = [*(name for name in named if name not in needed), *(x for x in needed if needed[x] and x not in named)]
    if wrong:
        found = "another parameter" if wrong[0] in named else "none"
        raise TypeError(f"{wrong[0]}: found {found}, expected parameters {', '.join(needed)}")
    return kind(**named)


def received(got: Any) -> dict[str, Any]:
    """What an implementation returned, as one flat mapping.

    Raises:
        ValueError: a mapping with other names, in one line.
    """
    if not isinstance(got, Mapping):
        return {"y": got}
    unknown = [name for name in got if name not in RESULTS]
    if unknown or not got:
        raise ValueError(f"found {unknown[0] if unknown else 'an empty mapping'}, expected some of {', '.join(RESULTS)}")
    found = {name: got[name] for name in RESULTS[:3] if name in got}
    for group, word in GROUPS.items():
        named = got.get(group, {})
        if not isinstance(named, Mapping):
            raise ValueError(f"found {group} {type(named).__name__}, expected a mapping of names to arrays")
        found |= {f"{word} {name}": x for name, x in named.items()}
    if not found:
        raise ValueError(f"found empty mappings, expected some of {', '.join(RESULTS)}")
    return found


def shown_constants(got: Mapping[str, Any]) -> dict[str, Any]:
    """The constants among results, by name."""
    return {name.removeprefix("constant "): x for name, x in got.items() if name.startswith("constant ")}


def form_fault(got: Mapping[str, Any], call: LayerCall, arithmetic: Arithmetic) -> str | None:
    """What is wrong with the form of results, in one line, or None."""
    if call.y_bar is None and any(name.startswith("gradient") for name in got):
        return "got: found grads, expected them only where y_bar is given, the cotangent of y that they belong to"
    expected = call.expected(arithmetic)
    if shown_constants(got):
        expected |= call.expected_constants(arithmetic)
    for name, x in got.items():
        if name not in expected:
            known = ", ".join(each.removeprefix("gradient ") for each in expected if each.startswith("gradient"))
            return f"got: found {name}, expected gradients of {known}, or constants {', '.join(call.layer.hook)}"
        shape, dtype = expected[name]
        if not isinstance(x, np.ndarray):
            return f"got: found {type(x).__name__} for {name}, expected a NumPy array"
        if x.shape != shape:
            return f"got: found shape {x.shape} for {name}, expected {shape}"
        if x.dtype.name != dtype:
            return f"got: found dtype {x.dtype.name} for {name}, expected {dtype}, the declared arithmetic"
    return None


def missing(call: LayerCall, got: Mapping[str, Any]) -> set[str]:
    """Gradients of arguments of this call that were not returned, though others were."""
    arguments = {*call.named, "u", *(["h0"] if call.h0 is not None else [])}
    return {f"gradient {name}" for name in arguments} - got.keys() if call.y_bar is not None else set()


def wanted(call: LayerCall, got: Mapping[str, Any]) -> bool:
    """Whether the call was answered: with gradients where y_bar was given."""
    outputs = [name for name in got if not name.startswith("constant")]
    return any(name.startswith("gradient") == (call.y_bar is not None) for name in outputs)


def _wide(x: Any) -> Any:
    """Exact: float64 holds every number of the formats that can be declared."""
    return x.astype(np.complex128 if np.iscomplexobj(x) else np.float64) if isinstance(x, np.ndarray) else x

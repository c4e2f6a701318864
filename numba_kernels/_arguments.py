"""Arguments are checked here, in Python, once a call. Kernels check nothing."""

from collections.abc import Iterable
from typing import Any

import numpy as np

# The dtypes of b, each with the dtype of its real part. A dtype of the other byte order equals none
# of them.
_REAL = {
    np.dtype(name): np.empty(0, name).real.dtype
    for name in ("float32", "float64", "complex64", "complex128")
}

Lengths = dict[str, tuple[int, str]]  # of every named axis, with the argument that fixed it

_LRU = dict.fromkeys(["nu_log", "theta_log", "gamma_log"], "state") | dict.fromkeys(
    ["B_re", "B_im"], "state width"
)
_LRU |= {"D": "width"} | dict.fromkeys(["C_re", "C_im", "C2_re", "C2_im"], "width state")
_ROTRNN = {
    "M": "heads head_dim head_dim",
    "theta": "heads pairs",
    "gamma_log": "heads",
    "B": "heads head_dim width",
}
_ROTRNN |= {"D": "width", "C": "width features", "C2": "width features"}


def check_scan(
    lam: np.ndarray, b: np.ndarray, h0: np.ndarray | None, reverse: bool, out: np.ndarray | None
) -> None:
    """Checks the arguments of a diagonal scan, with the shapes that `diagonal.scan` names.

    That is b (batch, time, channels), and what goes with it.

    Raises:
        TypeError, ValueError: an argument that does not fit; one line.
    """
    _check_array("b", b, _REAL)
    lengths = _check_axes("b", b, ["batch time channels"], {})
    # of a real b these are one
    _check_array("lam", lam, dict.fromkeys([b.dtype, _REAL[b.dtype]]), " to go with b")
    _check_axes("lam", lam, ["channels", "batch time channels"], lengths)
    _check_start("h0", h0, "batch channels", b, lengths)
    _check_reverse(reverse)
    _check_out(out, b, "batch time channels", lengths, {"lam": lam, "b": b, "h0": h0})


def check_chunk(chunk: int) -> None:
    """Checks that this is a number of steps.

    Raises:
        TypeError: no integer.
        ValueError: an integer below 1.
    """
    if isinstance(chunk, bool) or not isinstance(chunk, int | np.integer):
        raise TypeError(f"chunk must be an integer, found {type(chunk).__name__}")
    if chunk < 1:
        raise ValueError(f"chunk must be at least 1, found {chunk}")


def check_rotation(
    gamma: np.ndarray,
    theta: np.ndarray,
    b: np.ndarray,
    x0: np.ndarray | None,
    reverse: bool,
    out: np.ndarray | None,
) -> None:
    """Checks the arguments of `rotation.scan`, with the shapes that it names.

    That is b (batch, time, heads, head_dim), and what goes with it.

    Raises:
        TypeError, ValueError: an argument that does not fit; one line.
    """
    _check_array("b", b, dict.fromkeys(_REAL.values()))
    lengths = _check_axes("b", b, ["batch time heads head_dim"], {})
    lengths["pairs"] = _half_of_head_dim("b", lengths), "b"
    for name, array, axes in [
        ("gamma", gamma, ["heads"]),
        ("theta", theta, ["heads pairs", "batch time heads pairs"]),
    ]:
        _check_array(name, array, [b.dtype], " as b has")
        _check_axes(name, array, axes, lengths)
    _check_start("x0", x0, "batch heads head_dim", b, lengths)
    _check_reverse(reverse)
    _check_out(
        out,
        b,
        "batch time heads head_dim",
        lengths,
        {"gamma": gamma, "theta": theta, "b": b, "x0": x0},
    )


def check_lru(
    params: Any, u: np.ndarray, h0: np.ndarray | None, reverse: bool, **more: np.ndarray | None
) -> None:
    """Checks the arguments of `layers.lru`: u ([batch,] time, width), and what goes with it.

    `more` are out and y_bar, in the shape of u.

    Raises:
        TypeError, ValueError: an argument that does not fit; one line.
    """
    lengths: Lengths = {}
    given = _check_parameters(params, _LRU, lengths)
    for missing in (
        {"C2_re", "C2_im"} - given.keys() if "C2_re" in given or "C2_im" in given else ()
    ):
        raise ValueError(f"C2_re and C2_im must be given together, found no {missing}")
    dtypes = [given["D"].dtype, np.result_type(given["D"].dtype, np.complex64)]  # of h0
    _check_layer(given, lengths, "state", dtypes, u, h0, reverse, **more)


def check_rotrnn(
    params: Any, u: np.ndarray, h0: np.ndarray | None, reverse: bool, **more: np.ndarray | None
) -> None:
    """Checks the arguments of `layers.rotrnn`: u ([batch,] time, width), and what goes with it.

    `more` are out and y_bar, in the shape of u.

    Raises:
        TypeError, ValueError: an argument that does not fit; one line.
    """
    lengths: Lengths = {}
    _check_parameters(params, {"M": "heads head_dim head_dim"}, lengths)
    lengths["pairs"] = _half_of_head_dim("M", lengths), "half the head_dim of M"
    lengths["features"] = lengths["heads"][0] * lengths["head_dim"][0], "heads * head_dim of M"
    given = _check_parameters(params, _ROTRNN, lengths)
    _check_layer(given, lengths, "heads head_dim", [given["D"].dtype], u, h0, reverse, **more)


def _check_parameters(
    params: Any, table: dict[str, str], lengths: Lengths
) -> dict[str, np.ndarray]:
    """The parameters of this table of axes that are given, all of the dtype of D; only the second
    direction may be absent."""
    every = ((name, getattr(params, name, None)) for name in table)
    given: dict[str, Any] = {
        name: array for name, array in every if array is not None or not name.startswith("C2")
    }
    D: Any = getattr(params, "D", None)
    _check_array("D", D, dict.fromkeys(_REAL.values()))
    for name, array in given.items():
        _check_array(name, array, [D.dtype], " as D has")
        _check_axes(name, array, [table[name]], lengths)
        _check_values(name, array)
    return given


def _check_values(name: str, array: np.ndarray) -> None:
    """Parameters are finite; of a logarithm the exponential is finite too, and not zero."""
    good, must = np.isfinite(array), "be finite"
    if name.endswith("_log"):
        with np.errstate(over="ignore"):
            values = np.exp(array, dtype=np.float64)
        good, must = (
            good & np.isfinite(values) & (values != 0),
            "be finite and have a finite exp that is not zero",
        )
    for where in np.argwhere(~good)[:1]:
        index = tuple(map(int, where))
        raise ValueError(f"{name} must {must}, found {array[index]} at index {index}")


def _check_layer(
    given: dict[str, np.ndarray],
    lengths: Lengths,
    state: str,
    dtypes: list[np.dtype],
    u: np.ndarray,
    h0: np.ndarray | None,
    reverse: bool,
    out: np.ndarray | None = None,
    y_bar: np.ndarray | None = None,
) -> None:
    """u, out and y_bar of one shape, and h0 with the axes of one `state` and one of `dtypes`."""
    like_u = [given["D"].dtype]
    _check_array("u", u, like_u, " as D has")
    _check_axes("u", u, ["batch time width", "time width"], lengths)
    batch = "batch " * (u.ndim == 3)
    for name, array in {"out": out, "y_bar": y_bar}.items():
        if array is not None:
            _check_array(name, array, like_u, " as D has")
            _check_axes(name, array, [f"{batch}time width"], lengths)
    if h0 is not None:
        directions = "directions " * ("C2" in given or "C2_re" in given)
        _check_array("h0", h0, dtypes, " to go with D")
        _check_axes(
            "h0", h0, [f"{batch}{directions}{state}"], lengths | {"directions": (2, "C and C2")}
        )
    _check_reverse(reverse)
    if out is not None:
        _check_writable(out)
        _check_overlap(out, {"u": u, "h0": h0, **given})


def _check_start(
    name: str, start: np.ndarray | None, axes: str, b: np.ndarray, lengths: Lengths
) -> None:
    if start is not None:
        _check_array(name, start, [b.dtype], " as b has")
        _check_axes(name, start, [axes], lengths)


def _check_reverse(reverse: bool) -> None:
    if not isinstance(reverse, bool | np.bool_):
        raise TypeError(f"reverse must be True or False, found {type(reverse).__name__}")


def _check_out(
    out: np.ndarray | None,
    b: np.ndarray,
    axes: str,
    lengths: Lengths,
    inputs: dict[str, np.ndarray | None],
) -> None:
    if out is not None:
        _check_array("out", out, [b.dtype], " as b has")
        _check_axes("out", out, [axes], lengths)
        _check_writable(out)
        _check_overlap(out, inputs)


def _check_array(name: str, array: np.ndarray, dtypes: Iterable[np.dtype], why: str = "") -> None:
    # Other subclasses of ndarray mean something else by the same numbers: a masked array would lose
    # its mask.
    if type(array) not in (np.ndarray, np.memmap):
        raise TypeError(f"{name} must be a NumPy array, found {type(array).__name__}")
    if array.dtype not in dtypes:
        raise TypeError(
            f"{name} must have dtype {' or '.join(map(str, dtypes))}{why}, found {array.dtype}"
        )


def _check_axes(name: str, array: np.ndarray, allowed: list[str], lengths: Lengths) -> Lengths:
    """Checks that `array` has one of these lists of axes, and adds new axes to `lengths`."""
    axes = next((each.split() for each in allowed if len(each.split()) == array.ndim), None)
    if axes is None:
        lists = " or ".join(f"({each.replace(' ', ', ')})" for each in allowed)
        raise ValueError(f"{name} must have axes {lists}, found shape {array.shape}")
    for axis, length in zip(axes, array.shape, strict=True):
        expected, owner = lengths.setdefault(axis, (length, name))
        if length != expected:
            raise ValueError(
                f"the {axis} axis of {name} has length {length}, expected {expected} as in {owner}"
            )
    return lengths


def _half_of_head_dim(name: str, lengths: Lengths) -> int:
    if lengths["head_dim"][0] % 2:
        raise ValueError(
            f"the head_dim axis of {name} must have an even length, found {lengths['head_dim'][0]}"
        )
    return lengths["head_dim"][0] // 2


def _check_writable(out: np.ndarray) -> None:
    for flag, meaning in {
        "writeable": "writable",
        "aligned": "aligned",
        "c_contiguous": "C-contiguous",
    }.items():
        if not getattr(out.flags, flag):
            raise ValueError(
                "out must be writable, aligned and C-contiguous, found an array that is not "
                f"{meaning}"
            )


def _check_overlap(out: np.ndarray, inputs: dict[str, np.ndarray | None]) -> None:
    """`out` shares memory with no input, unless it is b, element for element."""
    for name, array in inputs.items():
        if array is None or not np.shares_memory(out, array):
            continue
        # b and out agree in shape and dtype and out is C-contiguous: if b is too, one address makes
        # them the same.
        if name != "b" or not array.flags.c_contiguous or array.ctypes.data != out.ctypes.data:
            unless = " (or be exactly b)" if name == "b" else ""
            raise ValueError(f"out must share no memory with {name}{unless}, found an overlap")

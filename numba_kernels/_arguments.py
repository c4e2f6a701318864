"""Arguments are checked here, in Python, once a call. Kernels check nothing."""

from collections.abc import Iterable

import numpy as np

# The dtypes of b, each with the dtype of its real part. A dtype of the other byte order equals none of them.
_REAL = {np.dtype(name): np.empty(0, name).real.dtype for name in ("float32", "float64", "complex64", "complex128")}


def check_scan(lam: np.ndarray, b: np.ndarray, h0: np.ndarray | None, reverse: bool, out: np.ndarray | None) -> None:
    """Raise TypeError or ValueError, in one line, if these are not the arguments of a diagonal scan."""
    _check_array("b", b, _REAL)
    lengths = _check_axes("b", b, ["batch time channels"])
    _check_array("lam", lam, dict.fromkeys([b.dtype, _REAL[b.dtype]]), " to go with b")  # of a real b these are one
    _check_axes("lam", lam, ["channels", "batch time channels"], lengths)
    _check_start("h0", h0, "batch channels", b, lengths)
    _check_reverse(reverse)
    _check_out(out, b, "batch time channels", lengths, {"lam": lam, "b": b, "h0": h0})


def check_chunk(chunk: int) -> None:
    """Raise TypeError or ValueError if this is no number of steps."""
    if isinstance(chunk, bool) or not isinstance(chunk, int | np.integer):
        raise TypeError(f"chunk must be an integer, found {type(chunk).__name__}")
    if chunk < 1:
        raise ValueError(f"chunk must be at least 1, found {chunk}")


def check_rotation(
    gamma: np.ndarray, theta: np.ndarray, b: np.ndarray, x0: np.ndarray | None, reverse: bool, out: np.ndarray | None
) -> None:
    """Raise TypeError or ValueError, in one line, if these are not the arguments of `rotation.scan`."""
    _check_array("b", b, dict.fromkeys(_REAL.values()))
    lengths = _check_axes("b", b, ["batch time heads head_dim"])
    if lengths["head_dim"] % 2:
        raise ValueError(f"the head_dim axis of b must have an even length, found {lengths['head_dim']}")
    lengths["pairs"] = lengths["head_dim"] // 2
    for name, array, axes in [("gamma", gamma, ["heads"]), ("theta", theta, ["heads pairs", "batch time heads pairs"])]:
        _check_array(name, array, [b.dtype], " as b has")
        _check_axes(name, array, axes, lengths)
    _check_start("x0", x0, "batch heads head_dim", b, lengths)
    _check_reverse(reverse)
    _check_out(out, b, "batch time heads head_dim", lengths, {"gamma": gamma, "theta": theta, "b": b, "x0": x0})


def _check_start(name: str, start: np.ndarray | None, axes: str, b: np.ndarray, lengths: dict[str, int]) -> None:
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
    lengths: dict[str, int],
    inputs: dict[str, np.ndarray | None],
) -> None:
    if out is not None:
        _check_array("out", out, [b.dtype], " as b has")
        _check_axes("out", out, [axes], lengths)
        _check_writable(out)
        _check_overlap(out, inputs)


def _check_array(name: str, array: np.ndarray, dtypes: Iterable[np.dtype], why: str = "") -> None:
    # Other subclasses of ndarray mean something else by the same numbers: a masked array would lose its mask.
    if type(array) not in (np.ndarray, np.memmap):
        raise TypeError(f"{name} must be a NumPy array, found {type(array).__name__}")
    if array.dtype not in dtypes:
        raise TypeError(f"{name} must have dtype {' or '.join(map(str, dtypes))}{why}, found {array.dtype}")


def _check_axes(
    name: str, array: np.ndarray, allowed: list[str], lengths: dict[str, int] | None = None
) -> dict[str, int]:
    """`array` has one of these lists of axes, with these lengths (None: any). Returns its own lengths."""
    axes = next((each.split() for each in allowed if len(each.split()) == array.ndim), None)
    if axes is None:
        expected = " or ".join(f"({each.replace(' ', ', ')})" for each in allowed)
        raise ValueError(f"{name} must have axes {expected}, found shape {array.shape}")
    for axis, length in zip(axes, array.shape, strict=True):
        if lengths is not None and length != lengths[axis]:
            raise ValueError(f"the {axis} axis of {name} has length {length}, expected {lengths[axis]} as in b")
    return dict(zip(axes, array.shape, strict=True))


def _check_writable(out: np.ndarray) -> None:
    for flag, meaning in {"writeable": "writable", "aligned": "aligned", "c_contiguous": "C-contiguous"}.items():
        if not getattr(out.flags, flag):
            raise ValueError(f"out must be writable, aligned and C-contiguous, found an array that is not {meaning}")


def _check_overlap(out: np.ndarray, inputs: dict[str, np.ndarray | None]) -> None:
    """`out` shares memory with no input, unless it is b, element for element."""
    for name, array in inputs.items():
        if array is None or not np.shares_memory(out, array):
            continue
        # b and out agree in shape and dtype and out is C-contiguous: if b is too, one address makes them the same.
        if name != "b" or not array.flags.c_contiguous or array.ctypes.data != out.ctypes.data:
            unless = " (or be exactly b)" if name == "b" else ""
            raise ValueError(f"out must share no memory with {name}{unless}, found an overlap")

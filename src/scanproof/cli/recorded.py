"""Recorded calls of any system: .npz files whose keys are the names of its arguments and results.

key             array
NAME            an argument, or a result
got             the first result
gradient_NAME   the gradient of an argument
constant_NAME   a constant that an implementation shows
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scanproof.properties.judge import dtype_of
from scanproof.properties.results import GROUPS
from scanproof.reference.call import System
from scanproof.reference.inputs import Array
from scanproof.reference.systems import SYSTEMS

GOT = "got"
TWO_BYTES = np.dtype("V2")  # as which NumPy stores bfloat16


@dataclass(frozen=True)
class Recorded:
    """What a file holds: arguments by name, `reverse` a bool, and results as one flat mapping."""

    arguments: dict[str, Any]
    results: dict[str, Array]
    dtype: str  # of the first input


def read(file: Path, system: System, dtype: str | None = None) -> Recorded:
    """The arguments and results of a recorded call, never unpickled.

    Args:
        dtype: the declared format; of bfloat16, which NumPy stores as two bytes, it must be said.

    Raises:
        ValueError: no such file, not an .npz, missing or unknown names, object arrays; one line.
    """
    arrays = _arrays(file)
    known = keys(system)
    _check_names(arrays, file, system)
    arrays = _formatted(arrays, file, system, dtype)
    arguments: dict[str, Any] = {name: arrays[name] for name in system.keywords if name in arrays}
    results = {known[name]: x for name, x in arrays.items() if name not in arguments}
    if "reverse" in arguments:
        arguments["reverse"] = _flag(arguments["reverse"])
    return Recorded(arguments, results, dtype_of(arguments, system))


def keys(system: System) -> dict[str, str]:
    """Every key that a file of this system may have, with the name of what it holds."""
    results = {GOT: next(iter(system.result)), **{name: name for name in system.result}}
    members = {"gradient": system.gradients, "constant": system.exposed}
    groups = {
        f"{word}_{name}": f"{word} {name}" for word in GROUPS.values() for name in members[word]
    }
    return groups | results | {name: name for name in system.keywords}


def _check_names(arrays: Mapping[str, Array], file: Path, system: System) -> None:
    """Raises ValueError, in one line, for names of a file that are missing or unknown."""
    known = keys(system)
    unknown = [name for name in arrays if name not in known]
    missing = [name for name in system.argument if name in system.required - arrays.keys()]
    results = [known[name] for name in arrays if name in known and name not in system.keywords]
    if not results:
        missing.append(" or ".join(system.result))
    twice = [name for name in set(results) if results.count(name) > 1]
    if twice:
        raise ValueError(f"file: found {twice[0]} and {GOT} for it in {file}, expected one of them")
    if not unknown and not missing:
        return
    found = f"unknown {', '.join(sorted(unknown))}" if unknown else f"no {', '.join(missing)}"
    text = found if arrays else "nothing"
    raise ValueError(
        f"file: found {text} in {file}, expected {_expected(system)}{_hint(arrays, system)}"
    )


def _expected(system: System) -> str:
    needed = [name for name in system.argument if name in system.required]
    optional = [name for name in system.keywords if name not in needed]
    first, *others = system.result
    results = [f"{first} (or {GOT})", *others]
    results += ["gradient_NAME"] if system.gradients else []
    results += ["constant_NAME"] if system.exposed else []
    any_of = "" if len(results) == 1 else "any of "
    more = f", and at most {', '.join(optional)}" if optional else ""
    return f"{', '.join(needed)} with {any_of}{', '.join(results)}{more}"


def _hint(arrays: Mapping[str, Array], system: System) -> str:
    """Another system, if it knows more of these names."""
    known = {each.name: len(arrays.keys() & keys(each).keys()) for each in SYSTEMS.values()}
    best = max(known, key=lambda name: known[name])
    better = known[best] > len(arrays.keys() & keys(system).keys())
    return f"; --system {best} has arguments of these names" if better else ""


def _arrays(file: Path) -> dict[str, Array]:
    try:
        content = np.load(file, allow_pickle=False)
        if not isinstance(content, np.lib.npyio.NpzFile):
            raise ValueError("one array without a name")
        with content:
            return {name: content[name] for name in content.files}
    except OSError as error:
        raise ValueError(f"file: cannot read {file}: {error.strerror or error}") from error
    except MemoryError as error:
        raise ValueError(f"file: {file} claims an array that does not fit in memory") from error
    except (ValueError, EOFError, zipfile.BadZipFile, AttributeError) as error:
        raise ValueError(f"file: {file} is no .npz of plain arrays with names") from error


def _formatted(
    arrays: dict[str, Array], file: Path, system: System, dtype: str | None
) -> dict[str, Array]:
    """bfloat16 where it was declared."""
    if dtype == "bfloat16":
        plain = (TWO_BYTES, np.dtype("uint16"))
        return {name: x.view("bfloat16") if x.dtype in plain else x for name, x in arrays.items()}
    if dtype is None and any(x.dtype == TWO_BYTES for x in arrays.values()):
        expected = "--dtype bfloat16 to say what they are"
        raise ValueError(
            f"file: found 2-byte numbers without a format in {file}, expected {expected}"
        )
    return arrays


def _flag(value: Array) -> bool:
    if value.dtype != bool or value.shape != ():
        raise ValueError(f"reverse: found {value.dtype} of shape {value.shape}, expected one bool")
    return bool(value)

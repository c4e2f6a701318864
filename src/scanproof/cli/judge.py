"""`scanproof judge`: the verdict over a recorded result (.npz) or over a witness (.json)."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from scanproof.cli.app import ACCEPTED, REJECTED, UNDECIDED
from scanproof.cli.check import element
from scanproof.cli.output import console, number, print_json, waiting, word
from scanproof.properties.judge import judge as run_judge
from scanproof.properties.verdict import Verdict
from scanproof.properties.witness import array, contradiction, read
from scanproof.reference.arithmetic import Arithmetic

NEEDED, OPTIONAL = {"lam", "b", "got"}, {"h0", "reverse"}
CODES = {"nearest": ACCEPTED, "within": ACCEPTED, "outside": REJECTED, "undecided": UNDECIDED}


def run(file: Path, system: str, dtype: str | None, words: tuple[Any, ...], as_json: bool, quiet: bool) -> int:
    """Judges the file as `Arithmetic(dtype, *words)` and returns the exit code."""
    if file.suffix == ".json":
        verdict = _witness(file)
    else:
        recorded = load(file, dtype)
        arithmetic = Arithmetic(dtype or recorded["b"].dtype.name, *words)
        with waiting("judging", quiet or as_json):
            verdict = run_judge(system, **recorded, arithmetic=arithmetic)
    if as_json:
        print_json({"format": "scanproof-verdict/1", "file": str(file), **verdict.as_dict()})
    elif quiet:
        console().print(word(verdict.verdict))
    else:
        show(verdict)
    return CODES[verdict.verdict]


def load(file: Path, dtype: str | None = None) -> dict[str, Any]:
    """The arrays of a recorded run, never unpickled. NumPy stores bfloat16 as plain two bytes: `dtype` says what they are.

    Raises:
        ValueError: no such file, not an .npz, missing or unknown names, object arrays.
    """
    try:
        content = np.load(file, allow_pickle=False)
        if not isinstance(content, np.lib.npyio.NpzFile):
            raise ValueError("one array without a name")
        with content:
            found: dict[str, Any] = {name: content[name] for name in content.files}
    except OSError as error:
        raise ValueError(f"file: cannot read {file}: {error.strerror or error}") from error
    except MemoryError as error:
        raise ValueError(f"file: {file} claims an array that does not fit in memory") from error
    except (ValueError, EOFError, zipfile.BadZipFile, AttributeError) as error:
        raise ValueError(f"file: {file} is no .npz of plain arrays with names") from error
    if NEEDED - found.keys() or found.keys() - NEEDED - OPTIONAL:
        names = ", ".join(sorted(found)) or "nothing"
        raise ValueError(f"file: found {names} in {file}, expected lam, b, got and at most h0 and reverse")
    if dtype is None and "b" in found and found["b"].dtype == np.dtype("V2"):
        raise ValueError(f"file: found 2-byte numbers without a format in {file}, expected --dtype bfloat16 to say what they are")
    if dtype == "bfloat16":
        found = {name: x.view("bfloat16") if x.dtype in (np.dtype("V2"), np.dtype("uint16")) else x for name, x in found.items()}
    if "reverse" in found:
        found["reverse"] = _flag(found["reverse"])
    return found


def show(verdict: Verdict) -> None:
    """The verdict in a few lines."""
    out = console()
    out.print(word(verdict.verdict) + (f" ({verdict.grade}): " if verdict.grade else ": "), end="")
    out.print(verdict.reason, markup=False)
    out.print(
        f"as {verdict.arithmetic}\nlargest error/allowance {number(verdict.ratio)}, bits lost {number(verdict.bits_lost)}, "
        f"informative {verdict.informative:.0%} of the lanes, {verdict.rounded:.1%} of the elements correctly rounded",
        markup=False,
    )
    if verdict.worst:
        out.print(element(verdict.worst), markup=False)
    if verdict.window:
        out.print("  error and allowance: of its window, from the printed state before it; truth: of the whole call")
    if verdict.verdict == "outside":
        out.print(f"  it fits {verdict.not_refuted_under or 'none of the declarations known'}", markup=False)


def _witness(file: Path) -> Verdict:
    content = read(file)
    inputs = content.inputs()
    verdict = run_judge(
        content.system, array(content.got), lam=inputs.lam, b=inputs.b, h0=inputs.h0, reverse=inputs.reverse,
        arithmetic=content.declared(),
    )  # fmt: skip
    wrong = contradiction(content, verdict)
    if wrong:
        raise ValueError(f"witness: {file}: {wrong}")
    return verdict


def _flag(value: Any) -> bool:
    if value.dtype != bool or value.shape != ():
        raise ValueError(f"reverse: found {value.dtype} of shape {value.shape}, expected one bool")
    return bool(value)

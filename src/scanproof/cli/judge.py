"""`scanproof judge`: the verdict over a recorded result (.npz) or over a witness (.json)."""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from scanproof.cli.app import ACCEPTED, REJECTED, UNDECIDED
from scanproof.cli.check import element
from scanproof.cli.declared import declared
from scanproof.cli.output import console, number, print_json, waiting, word
from scanproof.properties.expm_witness import EXPM_FORMAT, expm_contradiction, read_expm
from scanproof.properties.judge import explained, judged
from scanproof.properties.judge import judge as run_judge
from scanproof.properties.layer_witness import LAYER_FORMAT, layer_contradiction, read_layer
from scanproof.properties.verdict import Verdict
from scanproof.properties.witness import FORMAT, contradiction, kind_of, read
from scanproof.reference.systems import LAYERS, known_system

OPTIONAL = ("h0", "reverse")
MAIN = ("b", "u", "S")  # whose dtype is declared
KINDS: dict[str, tuple[Any, Any]] = {  # of witnesses
    FORMAT: (read, contradiction),
    LAYER_FORMAT: (read_layer, layer_contradiction),
    EXPM_FORMAT: (read_expm, expm_contradiction),
}
CODES = {"nearest": ACCEPTED, "within": ACCEPTED, "outside": REJECTED, "undecided": UNDECIDED}


def run(file: Path, system: str, dtype: str | None, words: Mapping[str, Any], as_json: bool, quiet: bool) -> int:
    """Judges the file in the declared arithmetic and returns the exit code; words: of the declaration but its dtype."""
    if file.suffix == ".json":
        verdict = _witness(file)
    else:
        recorded = load(file, known_system(system), dtype)
        found = next(recorded[name].dtype.name for name in MAIN if name in recorded)
        arithmetic = declared(system, {"dtype": dtype or found, **words})
        with waiting("judging", quiet or as_json):
            verdict = run_judge(system, **recorded, arithmetic=arithmetic)
    if as_json:
        print_json({"format": "scanproof-verdict/1", "file": str(file), **verdict.as_dict()})
    elif quiet:
        console().print(word(verdict.verdict))
    else:
        show(verdict)
    return CODES[verdict.verdict]


def load(file: Path, system: str = "scan", dtype: str | None = None) -> dict[str, Any]:
    """The arguments and results of a recorded run, never unpickled. NumPy stores bfloat16 as plain two bytes: `dtype` says so.

    Raises:
        ValueError: no such file, not an .npz, missing or unknown names, object arrays.
    """
    found = _formatted(_arrays(file), file, dtype)
    if "reverse" in found:
        found["reverse"] = _flag(found["reverse"])
    if system in LAYERS:
        return _of_layer(found, file, system)
    return _plain(found, file, {"S", "got"}, set()) if system == "expm" else _plain(found, file, {"lam", "b", "got"}, {*OPTIONAL})


def _plain(found: dict[str, Any], file: Path, needed: set[str], optional: set[str]) -> dict[str, Any]:
    more = f" and at most {' and '.join(sorted(optional))}" if optional else ""
    expected = f"{', '.join(sorted(needed - {'got'}, reverse=True))}, got{more}"
    _names(found, file, sorted(needed - found.keys()), found.keys() - needed - optional, expected)
    return found


def _names(found: Mapping[str, Any], file: Path, missing: Collection[str], unknown: Collection[str], expected: str) -> None:
    """Raises ValueError, in one line, for names of a file that are missing or unknown."""
    if unknown or missing:
        words = f"unknown {', '.join(sorted(unknown))}" if unknown else f"no {', '.join(missing)}" if found else "nothing"
        systems = [name for name in LAYERS if not {f.name for f in fields(LAYERS[name].Params)}.isdisjoint(unknown)]
        hint = f"; --system {systems[0]} has parameters of these names" if systems else ""
        raise ValueError(f"file: found {words} in {file}, expected {expected}{hint}")


def _of_layer(found: dict[str, Any], file: Path, system: str) -> dict[str, Any]:
    """Parameters, other arguments and results, told apart by their names."""
    params = [f.name for f in fields(LAYERS[system].Params)]
    groups = {"grads": "gradient_", "constants": "constant_"}
    results = [name for name in found if name in ("y", "h", "h_last") or name.startswith(tuple(groups.values()))]
    unknown = found.keys() - {*params, *results, "u", "y_bar", *OPTIONAL}
    absent = [name for name, there in (("u", "u" in found), ("y, h, h_last or gradient_NAME", bool(results))) if not there]
    _names(found, file, absent, unknown, f"{', '.join(params)}, u and y, h, h_last, gradient_NAME or constant_NAME")
    got: dict[str, Any] = {name: found[name] for name in results if "_" not in name or name == "h_last"}
    for group, prefix in groups.items():
        got[group] = {name.removeprefix(prefix): found[name] for name in results if name.startswith(prefix)}
    others = {name: found[name] for name in ("u", "y_bar", *OPTIONAL) if name in found}
    return {"got": got, "params": {name: found[name] for name in params if name in found}} | others


def _arrays(file: Path) -> dict[str, Any]:
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


def _formatted(found: dict[str, Any], file: Path, dtype: str | None) -> dict[str, Any]:
    """bfloat16 where it was declared."""
    main = next((found[name] for name in MAIN if name in found), None)
    if dtype is None and main is not None and main.dtype == np.dtype("V2"):
        raise ValueError(f"file: found 2-byte numbers without a format in {file}, expected --dtype bfloat16 to say what they are")
    if dtype == "bfloat16":
        found = {name: x.view("bfloat16") if x.dtype in (np.dtype("V2"), np.dtype("uint16")) else x for name, x in found.items()}
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
    """The verdict over the call of a witness. Raises ValueError where it does not say what judging it again says."""
    kind = kind_of(file)
    form = next((known for known in KINDS if kind == known.partition("/")[0]), FORMAT)
    reads, contradicts = KINDS[form]
    content = reads(file)
    call, results = content.inputs(), content.results()
    verdict = judged(results, call, content.declared())
    wrong = contradicts(content, verdict)
    if wrong:
        raise ValueError(f"witness: {file}: {wrong}")
    return explained(verdict, [(call, results)])


def _flag(value: Any) -> bool:
    if value.dtype != bool or value.shape != ():
        raise ValueError(f"reverse: found {value.dtype} of shape {value.shape}, expected one bool")
    return bool(value)
